"""Closed forms of reductions: exclusive-or, routing and what it leaves free, learning times of symmetric networks."""

import numpy as np
import sympy as sp
from scipy.special import elliprf

from laws.law import Law, Source
from theory.chain import learning_time, two_layers

t, tau, c, Delta, a0 = sp.symbols("t tau c Delta a0", real=True)
s, d, M, N, D, g, af = sp.symbols("s d M N D g af", real=True)
k = sp.Symbol("k", real=True)
b0, b_in, b_h, beta1, beta2, beta3 = sp.symbols("b0 b_in b_h beta1 beta2 beta3", real=True)
chain_d = sp.Symbol("lam", real=True)
a = sp.Function("a")

q = 2 * c**2 + Delta**2  # the squared length of every input of exclusive-or
HERE = "derived here"


def settles(length, rate):
    """The logistic from a0 to 1/length with this rate."""
    return 1 / (length * (1 - (1 - 1 / (length * a0)) * sp.exp(-rate * t / tau)))


def logistic(s, d):
    """The problem tau a' = 2 a (s - d a), a(0) = a0, as residuals of a candidate a(t)."""
    return lambda a: (tau * a.diff(t) - 2 * a * (s - d * a), a.subs(t, 0) - a0)


def at_xor(*starts_and_times):
    """Examples at c, Delta, tau that are neither 1 nor equal."""
    return tuple(dict(c=0.8, Delta=0.5, tau=1.3, a0=a0, **extra) for a0, extra in starts_and_times)


def _two_layers(t, s, d, a0, tau):
    return np.asarray(two_layers(t=t, s=s, lam=d, a0=a0, tau=tau))


def _shared_learning_time(s, d, tau, N, g, D, a0, af):
    return np.asarray(learning_time(s=s, lam=d, tau=tau * N / g, D=D, a0=a0, af=af))


xor = Law(
    a(t),
    settles(sp.sqrt(q), sp.sqrt(q) / 2),
    solves=logistic(sp.sqrt(q) / 4, q / 4),
    given=(tau > 0, c > 0, a0 > 0, t >= 0),
    source=Source(HERE, "exclusive-or with margin: four gates, each open on one example"),
    examples=(
        *at_xor((0.1, dict(t=1.2)), (0.1, dict(t=5.3)), (1e-9, dict(t=52))),
        dict(c=0.8, Delta=0, tau=1.3, a0=0.1, t=5.3),
    ),
    evaluate=lambda t, c, Delta, a0, tau: _two_layers(
        t, np.hypot(np.sqrt(2) * c, Delta) / 4, (2 * c**2 + Delta**2) / 4, a0, tau
    ),
    reasons={a0 > 0: "a = 0 is a saddle: gradient flow never leaves it"},
)

xor_half_time = Law(
    sp.Symbol("t_half", real=True),
    2 * tau / sp.sqrt(q) * sp.log(1 / (sp.sqrt(q) * a0) - 1),
    solves=lambda T: (
        tau + 2 * a0 * (sp.sqrt(q) / 4 - q / 4 * a0) * T.diff(a0),
        T.subs(a0, 1 / (2 * sp.sqrt(q))),
    ),
    given=(tau > 0, c > 0, a0 > 0, 4 * q * a0**2 < 1),
    source=Source(HERE, "from the trajectory of exclusive-or"),
    examples=at_xor((0.1, {}), (1e-9, {}), (0.37, {})),
    reasons={4 * q * a0**2 < 1: "the start is already beyond half of the fixed point"},
)

xor_two_gates = Law(
    a(t),
    settles(sp.sqrt(c**2 + Delta**2), sp.sqrt(c**2 + Delta**2)),
    solves=logistic(sp.sqrt(c**2 + Delta**2) / 2, (c**2 + Delta**2) / 2),
    given=(tau > 0, c > 0, a0 > 0, t >= 0),
    source=Source(HERE, "exclusive-or with two gates, on the sign of one input: out of reach for a ReLU"),
    examples=at_xor((0.1, dict(t=1.2)), (0.1, dict(t=3.3)), (1e-9, dict(t=40))),
    evaluate=lambda t, c, Delta, a0, tau: _two_layers(t, np.hypot(c, Delta) / 2, (c**2 + Delta**2) / 2, a0, tau),
)

shared_learning_time = Law(
    sp.Function("T")(a0, af),
    learning_time.rhs.subs({sp.Symbol("tau", real=True): tau * N / g, chain_d: d}, simultaneous=True),
    solves=lambda T: (D * g / N * af ** (2 - 2 / D) * (s - d * af) * T.diff(af) - tau, T.subs(af, a0)),
    given=(tau > 0, d > 0, s > 0, N > 0, g > 0, D > 0, a0 > 0, a0 <= af, d * af < s),
    source=Source(HERE, "N equally likely paths, g the geometric mean over layers of the paths that share an edge"),
    examples=tuple(
        dict(s=1.7, d=0.6, tau=1.3, N=12, g=5.3, D=D, a0=a0, af=af)
        for D, a0, af in ((3, 0.1, 1.4), (3, 1e-6, 2.6), (2, 0.1, 1.4), (5, 0.1, 1.9))
    ),
    evaluate=_shared_learning_time,
)

unequal_escape = Law(
    sp.Symbol("T_esc", real=True),
    tau * N / (s * g ** sp.Rational(3, 2)) / sp.sqrt(beta3 - beta1)
    * sp.elliptic_f(sp.acos(sp.sqrt(beta1 / beta3)), (beta3 - beta2) / (beta3 - beta1)),
    solves=lambda T: (
        T.diff(beta1) + T.diff(beta2) + T.diff(beta3)
        + tau * N / (2 * s * g ** sp.Rational(3, 2) * sp.sqrt(beta1 * beta2 * beta3)),
        beta1 * T.diff(beta1) + beta2 * T.diff(beta2) + beta3 * T.diff(beta3) + T / 2,
        T.subs(beta1, 0) - tau * N / (s * g ** sp.Rational(3, 2)) * sp.elliptic_k(1 - beta2 / beta3) / sp.sqrt(beta3),
    ),
    given=(tau > 0, s > 0, N > 0, g > 0, beta1 > 0, beta1 < beta2, beta2 < beta3),
    source=Source(HERE, "three layers from any start: Carlson's R_F(beta1, beta2, beta3), beta = b0^2/n"),
    examples=(
        dict(s=1.7, tau=1.3, N=12, g=5.3, beta1=0.01, beta2=0.05, beta3=0.3),
        dict(s=1.7, tau=1.3, N=7, g=2.3, beta1=1e-8, beta2=3e-3, beta3=0.4),
    ),
    evaluate=lambda s, tau, N, g, beta1, beta2, beta3: tau * N / (s * g**1.5) * elliprf(beta1, beta2, beta3),
    reasons={beta1 < beta2: "name the layers in the order of their beta"},
)  # fmt: skip

routing_hidden = Law(
    b_h,
    sp.sqrt(b0**2 + M * (b_in**2 - b0**2)),
    solves=lambda b: (b * b.diff(b_in) - M * b_in, b.subs(b_in, b0) - b0),
    given=(M > 0, b0 > 0, b_in >= b0),
    source=Source(HERE, "routing: what the shared weight and the domains' weights conserve"),
    examples=(dict(M=4, b0=0.05, b_in=0.3), dict(M=7, b0=0.3, b_in=0.31), dict(M=4, b0=1e-6, b_in=0.9)),
)

routing_strength = Law(
    b_in,
    (s / (d * sp.sqrt(M))) ** sp.Rational(1, 3),
    solves=lambda b: (b**2 * sp.sqrt(b0**2 + M * (b**2 - b0**2)) * d / s - 1,),
    given=(s > 0, d > 0, M > 0, b0 >= 0),
    source=Source(HERE, "routing: the weight of a domain after learning from small weights"),
    examples=(dict(s=1.7, d=0.6, M=4, b0=1e-3), dict(s=1.7, d=0.6, M=7, b0=1e-3)),
    upto=(b0, sp.Integer(2)),
)

sign_error = Law(
    sp.Symbol("E", real=True),
    8 * k * (M - k) / (M * (M - 1)),
    solves=lambda E: (E - 2 * (1 - ((2 * k - M) ** 2 - M) / (M * (M - 1))),),  # mean of (1 - e_i e_j)^2, i != j
    given=(M > 1, k >= 0, k <= M),
    source=Source(
        HERE, "routing, K = 1: the error on untrained pairs if k of M domains have one sign and the rest the other"
    ),
    examples=(dict(M=6, k=2), dict(M=4, k=1), dict(M=9, k=8)),
)

agreement = Law(
    sp.Symbol("P", real=True),
    2 ** (1 - M),
    solves=lambda P: (2 * P.subs(M, M + 1) - P, P.subs(M, 2) - sp.Rational(1, 2)),
    given=(M >= 1,),
    source=Source(HERE, "routing with K = 1: the probability that the signs of all domains agree"),
    examples=(dict(M=2), dict(M=6)),
)
