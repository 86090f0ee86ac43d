"""One mode with any balance: equations (7) to (11) of `theory.balanced`, every symbol a number."""

import numpy as np
import sympy as sp

from laws.flow import gradient_flow
from laws.law import Law, Source, Step

t, s, mu, lam, a0, af, tau = sp.symbols("t s mu lam a0 af tau", real=True)
a = sp.Function("a")
time = sp.Function("T")(a0, af)

TASK = (tau > 0, mu > 0, s > 0)
MODE = dict(s=1.7, mu=0.6, tau=1.3)  # nothing is 1 and no two agree, so that every misprint shows
AGAINST = "a zero-balanced mode that starts against its task stays at the saddle for ever"


def speed(a):
    """Speed tau a' of a mode, (7)."""
    return sp.sqrt(lam**2 + 4 * a**2) * (s - mu * a)


def points(**changes):
    """One example for each value of the arguments in `changes`, lists of one length, at the mode of this file."""
    return tuple({**MODE, **dict(zip(changes, values, strict=True))} for values in zip(*changes.values(), strict=True))


def trajectory(a):
    """The problem (7) with a(0) = a0, as residuals of a candidate a(t)."""
    return (tau * a.diff(t) - speed(a), a.subs(t, 0) - a0)


def _closed_form():
    S = sp.sqrt(s**2 + mu**2 * lam**2 / 4)
    T = sp.tanh(S * t / tau) / S
    k, d = sp.sqrt(lam**2 + 4 * a0**2), s**2 - mu**2 * lam**2 / 4
    return (a0 + s * k * T + (a0 * d + s * mu * lam**2 / 2) * T**2) / (1 + mu * k * T + (2 * s * mu * a0 - d) * T**2)


def _sum_squared(a, lam):
    """(c + d)^2/2 = a + sqrt(a^2 + lam^2/4), to all its digits also at a < 0."""
    root = np.hypot(a, lam / 2)
    return np.where(a >= 0, a + root, lam**2 / 4 / np.where(a < 0, root - a, 1))


def _strength(t, s, mu, lam, a0, tau):
    """Half the difference of (c + d)^2/2 and (d - c)^2/2, each a ratio of sums of positive terms."""
    left = np.exp(-2 * np.hypot(s, mu * lam / 2) * t / tau)
    final, quarter = _sum_squared(s / mu, lam), lam**2 / 4
    other = quarter / final

    def grown(start):
        done = -np.expm1(-2 * np.hypot(s, mu * lam / 2) * t / tau)
        return (start * (final + other * left) + quarter * done) / (start * done + other + final * left)

    def shrunk(start):
        done = -np.expm1(-2 * np.hypot(s, mu * lam / 2) * t / tau)
        return (quarter * done + start * (other + final * left)) / (final + other * left + start * done)

    return (grown(_sum_squared(a0, lam)) - shrunk(_sum_squared(-a0, lam))) / 2


strength = Law(
    a(t),
    _closed_form(),
    solves=trajectory,
    given=(*TASK, t >= 0),
    source=Source("derived here", "one mode, any balance and any sign; zero-balanced it is the two-layer chain"),
    examples=points(
        t=(0.1, 0.9, 6.0, 0.4, 30.0, 0.7, 2.5),
        lam=(0.8, -2.3, 0.8, 1e-6, -1e-4, 9.0, 0.3),
        a0=(0.02, 0.1, 0.1, 1e-3, -0.2, -0.7, 5.3),
    ),
    evaluate=_strength,
)


def p(a):
    """Half the square of the sum of both weights, (c + d)^2/2, in terms of their product a."""
    return a + sp.sqrt(a**2 + lam**2 / 4)


top = p(s / mu)


def _elapsed(s, mu, lam, a0, af, tau):
    other = lam**2 / 4 / _sum_squared(s / mu, lam)
    root = np.hypot(s / mu, lam / 2)

    def left(a):  # final - p(a), without cancellation
        return (s / mu - a) * (1 + (s / mu + a) / (root + np.hypot(a, lam / 2)))

    ratio = (_sum_squared(af, lam) + other) * left(a0) / (left(af) * (_sum_squared(a0, lam) + other))
    return tau / (2 * np.hypot(s, mu * lam / 2)) * np.log(ratio)


learning_time = Law(
    time,
    tau
    / sp.sqrt(4 * s**2 + mu**2 * lam**2)
    * sp.log((p(af) + lam**2 / (4 * top)) * (top - p(a0)) / ((top - p(af)) * (p(a0) + lam**2 / (4 * top)))),
    solves=lambda T: (speed(af) * T.diff(af) - tau, T.subs(af, a0)),
    given=(*TASK, sp.Ne(lam, 0), a0 <= af, mu * af < s),
    source=Source("derived here", "one mode, any balance, from a0 to af"),
    examples=points(lam=(0.8, -2.3, 1e-4, 9.0), a0=(0.02, 0.3, -0.7, -0.4), af=(1.4, 2.1, 1.3, 2.6)),
    evaluate=_elapsed,
    reasons={sp.Ne(lam, 0): "zero-balanced modes are chains of two layers: theory.chain.learning_time_2"},
)

healing_time = Law(
    sp.Function("T")(a0, s / (2 * mu)),
    tau / (2 * s) * sp.log(-16 * s**2 * a0 / (mu * lam**2 * (s - mu * a0))),
    solves=lambda T: (T / learning_time.rhs.subs(af, s / (2 * mu)) - 1,),
    given=(*TASK, sp.Ne(lam, 0), a0 < 0),
    source=Source("derived here", "from below 0 to half of s/mu, as lam -> 0: (tau/s) ln(1/|lam|) and a constant"),
    examples=points(lam=(1e-12, -1e-10), a0=(-0.7, -0.3)),
    upto=(lam, 2),
    reasons={sp.Ne(lam, 0): AGAINST},
)

transition = Law(
    sp.Symbol("lambda_c", real=True),
    s / (sp.sqrt(2) * mu),
    solves=lambda edge: (2 * mu**2 * edge**2 - s**2,),
    given=(mu > 0, s > 0),
    source=Source("derived here", "sigmoidal trajectories exist below this |lambda|, exponential ones alone above"),
    examples=(dict(s=1.7, mu=0.6), dict(s=0.3, mu=2.3)),
)


def _inflection(sign):
    return (s + sign * sp.sqrt(s**2 - 2 * mu**2 * lam**2)) / (4 * mu)


def _late(s, mu, lam):
    return (s + np.sqrt((s - np.sqrt(2) * mu * lam) * (s + np.sqrt(2) * mu * lam))) / (4 * mu)


SIGMOIDAL = 2 * mu**2 * lam**2 < s**2


def _turning(name, sign, says, evaluate):
    """The law of one of the two strengths at which a sigmoidal trajectory turns, (9)."""
    return Law(
        sp.Symbol(name, real=True),
        _inflection(sign),
        solves=lambda a: (8 * mu * a**2 - 4 * s * a + mu * lam**2,),
        given=(mu > 0, s > 0, SIGMOIDAL),
        source=Source("derived here", says),
        examples=(dict(s=1.7, mu=0.6, lam=0.8), dict(s=1.7, mu=0.6, lam=-1.3)),
        evaluate=evaluate,
        reasons={SIGMOIDAL: "above the transition no trajectory is sigmoidal"},
    )


late_inflection = _turning("a_late", 1, "where learning is fastest", _late)
early_inflection = _turning(
    "a_early",
    -1,
    "where learning is slowest before it speeds up",
    lambda s, mu, lam: lam**2 / (8 * _late(s, mu, lam)),
)


def _share(sign):
    """The stable form of sqrt(x^2 + lam^2/4) + sign lam/2, x = s/mu."""

    def evaluate(s, mu, lam):
        root, half = np.hypot(s / mu, lam / 2), sign * lam / 2
        return np.where(half >= 0, root + half, (s / mu) ** 2 / (root - np.minimum(half, 0)))

    return evaluate


shared = (dict(s=1.7, mu=0.6, lam=0.8), dict(s=1.7, mu=0.6, lam=-2.3), dict(s=0.3, mu=2.3, lam=40.0))
first_layer = Law(
    sp.Symbol("c", real=True) ** 2,
    sp.sqrt((s / mu) ** 2 + lam**2 / 4) - lam / 2,
    solves=lambda square: (square * (square + lam) - (s / mu) ** 2,),
    given=(mu > 0, s > 0),
    source=Source("derived here", "what the first layer takes of a learnt mode"),
    examples=shared,
    evaluate=_share(-1),
)
second_layer = Law(
    sp.Symbol("d", real=True) ** 2,
    sp.sqrt((s / mu) ** 2 + lam**2 / 4) + lam / 2,
    solves=lambda square: (square * (square - lam) - (s / mu) ** 2,),
    given=(mu > 0, s > 0),
    source=Source("derived here", "what the second layer takes of a learnt mode"),
    examples=shared,
    evaluate=_share(1),
)

escape_rate = Law(
    sp.Symbol("r", real=True),
    (sp.sqrt(s**2 + mu**2 * lam**2 / 4) - mu * lam / 2) / tau,
    solves=lambda rate: (tau * rate * (tau * rate + mu * lam) - s**2,),
    given=(*TASK, lam > 0),
    source=Source(
        "derived here", "amplitude of a mode that leaves the lazy plateau; s^2/(lambda mu tau) at large lambda"
    ),
    examples=points(lam=(0.8, 7.0, 80.0)),
    evaluate=lambda s, mu, lam, tau: s**2 / (np.hypot(s, mu * lam / 2) + mu * lam / 2) / tau,
)

m, away = sp.symbols("m w_perp", real=True)
silent_alignment = Law(
    sp.Function("sin2_theta")(m),
    away**2 * (1 / m - mu / s),
    solves=lambda angle: (
        angle.diff(m) + angle * (1 / m + mu / (s - mu * m)),
        sp.simplify(angle * m).subs(m, 0) - away**2,
    ),
    given=(mu > 0, s > 0, m > 0, mu * m < s),
    source=Source("derived here", "squared sine of the angle to the task when the mode has strength m, small weights"),
    examples=(dict(s=1.7, mu=0.6, m=0.02, w_perp=1e-3), dict(s=1.7, mu=0.6, m=1.9, w_perp=0.03)),
)


def derive_scalar() -> tuple[Step, ...]:
    """From the loss of one mode to its closed form, its learning time and its inflections."""
    c, d = sp.symbols("c d", real=True)
    loss, product, plus, minus = (s - mu * c * d) ** 2 / (2 * mu), c * d, (c + d) ** 2 / 2, (d - c) ** 2 / 2
    flow = gradient_flow(loss, (c, d))
    A, x = sp.symbols("a x", real=True)
    root, curvature = sp.sqrt(lam**2 + 4 * A**2), sp.Function("f")
    sum_squared = {sp.Function("p")(t): p(strength.rhs)}
    P = sp.Function("p")(t)
    return (
        Step("the weights drive each other", sp.Eq(-sp.Derivative(loss, c), flow.speeds[0])),
        Step("the balance d^2 - c^2 stays", sp.Eq(2 * d * flow.speeds[1], 2 * c * flow.speeds[0], evaluate=False)),
        Step("it fixes c^2 + d^2", sp.Eq((c**2 + d**2) ** 2, lam**2 + 4 * product**2), {lam: d**2 - c**2}),
        Step(
            "their product moves by itself, (7)",
            sp.Eq(flow.rate(product), root * (s - mu * A)),
            {lam: d**2 - c**2, A: c * d},
        ),
        Step("sum and difference share the balance", sp.Eq(plus * minus, lam**2 / 4), {lam: d**2 - c**2}),
        Step("and make the product", sp.Eq(product, (x - lam**2 / (4 * x)) / 2), {lam: d**2 - c**2, x: plus}),
        Step("the sum obeys a Riccati equation, (8)", sp.Eq(flow.rate(plus), 2 * s * x - mu * (x**2 - lam**2 / 4)),
             {lam: d**2 - c**2, x: plus}),
        Step("which the closed form solves", sp.Eq(tau * P.diff(t), 2 * s * P - mu * (P**2 - lam**2 / 4)), sum_squared,
             strength.given),
        Step("its inverse is the learning time", sp.Eq(speed(A) * sp.Function("T")(A).diff(A), tau),
             {sp.Function("T")(A): learning_time.rhs.subs(af, A)}, tuple(h.subs(af, A) for h in learning_time.given)),
        Step(
            "the speed is stationary at the inflections, (9)",
            sp.Eq(curvature(A).diff(A) * root, 4 * s * A - 8 * mu * A**2 - mu * lam**2),
            {curvature(A): speed(A)},
        ),
        Step(
            "small weights: strength and misalignment",
            sp.Eq(silent_alignment.rhs.diff(m) * 2 * m * (s - mu * m), -2 * s * silent_alignment.rhs),
        ),
    )  # fmt: skip
