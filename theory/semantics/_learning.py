"""When a distinction is learnt: strengths, half-times and their order; equation (1) of `theory.semantics`."""

import sympy as sp

from laws.law import Law, Source, Step
from theory import chain

N, P, Lambda, a0, tau, n, sigma, s, lam = sp.symbols("N P Lambda a0 tau n sigma s lam", real=True)
strength = sp.Symbol("s_Lambda", real=True)
half_time = sp.Symbol("t_half", real=True)

START = "the start is already beyond half of the mode's strength"

mode_strength = Law(
    strength,
    sp.sqrt(N * Lambda) / P,
    solves=lambda x: (x**2 - N * Lambda / P**2, sp.Abs(x) - x),
    given=(N > 0, P > 0, Lambda > 0),
    source=Source("saxe-slides", "Analytic link: singular values of the correlation structure; derived here"),
    examples=(dict(N=200, P=16, Lambda=3.4), dict(N=37, P=9, Lambda=0.02)),
)

_as_chain = {s: mode_strength.rhs, lam: 1 / P}

level_time = Law(
    half_time,
    P * tau / (2 * sp.sqrt(N * Lambda)) * sp.log(sp.sqrt(N * Lambda) / a0 - 1),
    solves=lambda T: tuple(r.subs(_as_chain) for r in _halfway(T)),
    given=(tau > 0, N > 0, P > 0, Lambda > 0, a0 > 0, 4 * a0**2 < N * Lambda),
    source=Source("saxe-slides", "Progressive differentiation: singular values decay with depth; derived here"),
    examples=(dict(N=200, P=16, Lambda=3.4, a0=1e-3, tau=1.3), dict(N=37, P=9, Lambda=0.2, a0=0.4, tau=1.3)),
    reasons={4 * a0**2 < N * Lambda: START, a0 > 0: chain.half_time_2.reasons[a0 > 0]},
)

expected_start = Law(
    a0,
    n * sigma**2 / 2,
    solves=lambda x: (x - n * _second_moment(_half_sum),),
    given=(n > 0, sigma > 0),
    source=Source("derived here", "mean of |c + d|^2/4 over weights c, d of variance sigma^2, n hidden units"),
    examples=(dict(n=32, sigma=1e-3), dict(n=7, sigma=0.3)),
)

latest_start = Law(
    a0,
    s / (lam * (1 + sp.exp(1 + sp.LambertW(sp.exp(-1))))),
    solves=lambda x: (chain.half_time_2.rhs.diff(s).subs({a0: x, tau: sp.S.One}),),
    given=(s > 0, lam > 0),
    source=Source("derived here", "the start beyond which the weaker of two modes is halfway first"),
    examples=(dict(s=1.7, lam=0.6), dict(s=0.3, lam=2.9)),
)


def _halfway(T):
    """The problem of the two-layer chain's half-time, for a candidate T in which s stands as it is."""
    start, speed = a0, 2 * a0 * (s - lam * a0)
    return (tau + speed * T.diff(start), T.subs(a0, s / (2 * lam)))


def _half_sum(wave):
    """The characteristic function of (c + d)/2 for two independent normal weights."""
    return sp.exp(-((sigma * wave / 2) ** 2) / 2) ** 2


def _second_moment(characteristic):
    wave = sp.Symbol("omega", real=True)
    return -characteristic(wave).diff(wave, 2).subs(wave, 0)


def derive_learning() -> tuple[Step, ...]:
    """From the loss of one-hot items to the chain of each level, and to the order of their half-times."""
    y, w = sp.symbols("y1:4", real=True), sp.symbols("w1:4", real=True)
    x, a = sp.symbols("x a", real=True)
    T, log = sp.Function("T"), sp.Function("ell")
    loss = sum((target - output) ** 2 for target, output in zip(y, w, strict=True)) / (2 * 3)
    averages = sum(lam * output**2 / 2 - target * output / 3 for target, output in zip(y, w, strict=True))
    rest = sum(target**2 for target in y) / (2 * 3)
    chained = (s - lam * a) ** 2 / (2 * lam) - s**2 / (2 * lam)
    time = {T(s): chain.half_time_2.rhs}
    return (
        Step("of three items, only averages enter the loss", sp.Eq(loss, averages + rest), {lam: sp.Rational(1, 3)}),
        Step("along a singular vector it is a chain's", sp.Eq(lam * a**2 / 2 - s * a, chained)),
        Step(
            "the squared strength is an eigenvalue of K, times N/P^2",
            sp.Eq(strength**2, N * Lambda / P**2),
            {strength: mode_strength.rhs},
        ),
        Step("the half-time of its level", sp.Eq(T(s), level_time.rhs), {**time, s: mode_strength.rhs, lam: 1 / P}),
        Step(
            "how it falls with s, x = s/(lam a0)",
            sp.Eq(sp.Derivative(T(s), s), tau / (2 * s**2) * (x / (x - 1) - sp.log(x - 1))),
            {**time, a0: s / (lam * x)},
        ),
        Step(
            "which ends at the root of ln(x - 1) = x/(x - 1)",
            sp.Eq(log(x), x / (x - 1)),
            {log(x): sp.log(x - 1), x: s / (lam * latest_start.rhs)},
        ),
    )  # fmt: skip
