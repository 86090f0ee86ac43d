"""Who wins: laws of pathways that learn one task at the same time; see `theory.race`."""

import sympy as sp

from laws.law import Law, Source

tau, s, d, c, M, K = sp.symbols("tau s d c M K", real=True)
a1, a2, a10, a20, s1, s2 = sp.symbols("a1 a2 a10 a20 s1 s2", real=True)
kappa, b0, b_h, eps = sp.symbols("kappa b0 b_h epsilon", real=True)
HERE = "derived here"


def gated_strength(Delta):
    """The singular value of a pathway that is open on one of the four examples."""
    return sp.sqrt(2 * c**2 + Delta**2) / 4


shared_error = Law(
    a1,
    a10 * (a2 / a20) ** (s1 / s2),
    solves=lambda a: (s2 * a2 * a.diff(a2) - s1 * a, a.subs(a2, a20) - a10),
    given=(s1 > 0, s2 > 0, a10 > 0, a20 > 0, a2 >= a20),
    source=Source(HERE, "two pathways of two layers that reduce one error"),
    examples=(
        dict(s1=0.4, s2=0.7, a10=0.02, a20=0.03, a2=0.6),
        dict(s1=0.7, s2=0.4, a10=1e-6, a20=1e-4, a2=0.3),
    ),
)

transition = Law(
    sp.Symbol("Delta_c", real=True),
    c * sp.sqrt(2 / (16 * kappa**2 - 1)),
    solves=lambda Delta: (kappa * Delta / gated_strength(Delta) - 1,),
    given=(c > 0, 4 * kappa > 1),
    source=Source(HERE, "the margin at which a linear pathway, open on a share kappa of the examples, is as fast"),
    examples=(dict(c=0.8, kappa=0.5), dict(c=1.7, kappa=0.75)),
)

transition_drift = Law(
    sp.Derivative(sp.Function("Delta")(eps), eps),
    c * sp.sqrt(2 / (16 * kappa**2 - 1)) * 16 * kappa**2 * sp.log(4 * kappa) / (16 * kappa**2 - 1),
    solves=lambda slope: _drifts(slope),
    given=(c > 0, 4 * kappa > 1),
    source=Source(HERE, "how the margin of equal shares leaves the transition with epsilon = 1/ln(1/a0)"),
    examples=(dict(c=0.8, kappa=0.5), dict(c=1.7, kappa=0.75)),
)


def _drifts(slope):
    """The slope of equal shares, kappa Delta (1 - eps ln(2 sqrt(q))) = sqrt(q)/4 (1 - eps ln(2 Delta)), at eps = 0."""
    Delta, epsilon = sp.symbols("Delta epsilon", positive=True)
    strength = gated_strength(Delta)
    linear = kappa * Delta * (1 - epsilon * sp.log(8 * strength))
    gap = linear - strength * (1 - epsilon * sp.log(2 * Delta))
    at = {Delta: transition.rhs, epsilon: 0}
    return (gap.diff(Delta).subs(at) * slope + gap.diff(epsilon).subs(at),)


routing_escape = Law(
    sp.Symbol("T_esc", real=True),
    tau * M / (s * b0 * sp.sqrt(M - 1)) * sp.atan(b0 * sp.sqrt(M - 1) / b_h),
    solves=lambda T: (
        s * (b0**2 + (b_h**2 - b0**2) / M) * T.diff(b_h) + tau,
        T.subs(b_h, sp.oo),
    ),
    given=(tau > 0, s > 0, b0 > 0, M > 1, b_h >= b0),
    source=Source(HERE, "routing: the time left to the shared weight b_h, of weights that all started at b0"),
    examples=(
        dict(s=1.7, tau=1.3, M=4, b0=0.05, b_h=0.05),
        dict(s=1.7, tau=1.3, M=7, b0=0.05, b_h=0.3),
        dict(s=1.7, tau=1.3, M=7, b0=1e-9, b_h=1e-9),
    ),
)

advantage = Law(
    sp.Symbol("rho", real=True),
    K * sp.sqrt(M - 1) / sp.atan(sp.sqrt(M - 1)),
    solves=lambda rho: (rho - (tau * M * K / (s * b0)) / routing_escape.rhs.subs(b_h, b0),),
    given=(K > 0, M > 1),
    source=Source(HERE, "routing: the escape time of pathways of their own over that of shared ones"),
    examples=(dict(M=4, K=2), dict(M=7, K=4), dict(M=3, K=1)),
)

loser = Law(
    sp.Symbol("b_d", real=True),
    b0 / (1 - sp.atan(sp.sqrt(M - 1)) / (K * sp.sqrt(M - 1))),
    solves=lambda b: (1 / b0 - 1 / b - s * routing_escape.rhs.subs(b_h, b0) / (tau * M * K),),
    given=(b0 > 0, M > 1, K >= 1),
    source=Source(HERE, "routing: where pathways of their own freeze when the shared ones win, to leading order in b0"),
    examples=(dict(M=4, K=2, b0=0.05), dict(M=7, K=4, b0=1e-6), dict(M=3, K=1.5, b0=0.02)),
)
