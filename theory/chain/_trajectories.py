"""The output of a chain against time, and when it is half learnt; equations (1) to (3) of `theory.chain`."""

import numpy as np
import sympy as sp
from scipy.special import hyp1f1, wrightomega

from laws.flow import antiderivative, gradient_flow, limit
from laws.law import Law, Source, Step

t, s, lam, a0, tau, D = sp.symbols("t s lam a0 tau D", real=True)
c0, d0 = sp.symbols("c0 d0", real=True)
a = sp.Function("a")
half_time = sp.Symbol("t_half", real=True)

SADDLE = "a = 0 is a saddle: gradient flow never leaves it"
TASK = (tau > 0, lam > 0, s > 0)
HALFWAY = (*TASK, 2 * lam * a0 < s)
LATER = {2 * lam * a0 < s: "the start is already beyond half of the fixed point s/lam"}


def speed_1(a):
    """Speed tau a' of one layer."""
    return s - lam * a


def speed_2(a):
    """Speed tau a' of two layers, (2) at D = 2."""
    return 2 * a * (s - lam * a)


def speed(a):
    """Speed tau a' of D layers, (2)."""
    return D * a ** (2 - 2 / D) * (s - lam * a)


def speed_infinite(a):
    """Speed tau a' of infinitely many layers in rescaled time."""
    return a**2 * (s - lam * a)


def trajectory(speed):
    """The problem tau a' = speed(a), a(0) = a0, as residuals of a candidate a(t)."""
    return lambda a: (tau * a.diff(t) - speed(a), a.subs(t, 0) - a0)


def time_to_half(speed):
    """The problem of the time from a0 to s/(2 lam), as residuals of a candidate T(a0)."""
    return lambda T: (tau + speed(a0) * T.diff(a0), T.subs(a0, s / (2 * lam)))


def points(*starts_and_times):
    """Examples at s, lam, tau that keep every misprint visible: none is 1, and s^2 is not lam."""
    return tuple(dict(s=1.7, lam=0.6, tau=1.3, a0=a0, **extra) for a0, extra in starts_and_times)


def _one_layer(t, s, lam, a0, tau):
    decay = -lam * t / tau
    return a0 * np.exp(decay) - s / lam * np.expm1(decay)


def _two_layers(t, s, lam, a0, tau):
    decay = -2 * s * t / tau
    return a0 * s / (s * np.exp(decay) - lam * a0 * np.expm1(decay))


def _infinitely_deep(t, s, lam, a0, tau):
    """Solve v + ln|v - 1| = v0 + ln|v0 - 1| - s^2 t/(lam tau) for v = s/(lam a), which tends to 1."""
    v0, elapsed = s / (lam * a0), s**2 * t / (lam * tau)
    below = 1 + wrightomega(np.log(v0 - 1) + (v0 - 1) - elapsed)
    return s / lam / np.where(np.isinf(v0), np.nan, np.where(v0 >= 1, below, _from_above(v0, elapsed)))


def _from_above(v0, elapsed):
    """The same for v0 < 1, in q = -ln(1 - v): q + e^-q - 1 grows by the elapsed time.

    Newton's method from the right; the function is convex and increasing, so it cannot overshoot.
    """

    def excess(q):  # q + e^-q - 1, without cancellation at small q
        return np.where(q < 1, q * q / 2 * hyp1f1(1, 3, -np.minimum(q, 1)), q + np.expm1(-q))

    target = excess(-np.log1p(-np.minimum(v0, 1))) + elapsed
    q = target + np.sqrt(2 * target)
    for _ in range(8):
        q = q - (excess(q) - target) / -np.expm1(-q)
    return -np.expm1(-q)


def _escape(t, s, c0, d0, tau):
    x = 2 * s * t / tau
    return c0 * d0 * np.cosh(x) + (c0**2 + d0**2) / 2 * np.sinh(x)


shallow = Law(
    a(t),
    s / lam * (1 - sp.exp(-lam * t / tau)) + a0 * sp.exp(-lam * t / tau),
    solves=trajectory(speed_1),
    given=(*TASK, t >= 0),
    source=Source("saxe-slides", "Shallow (D=1), with lam t/tau in the exponent"),
    examples=points((0.1, dict(t=0.2)), (0.1, dict(t=1.7)), (0.1, dict(t=40)), (-0.4, dict(t=0.9)), (5.2, dict(t=0.9))),
    evaluate=_one_layer,
)

two_layers = Law(
    a(t),
    s / lam / (1 - (1 - s / (lam * a0)) * sp.exp(-2 * s * t / tau)),
    solves=trajectory(speed_2),
    given=(*TASK, a0 > 0, t >= 0),
    source=Source("saxe-slides", "Deep (D=2)"),
    examples=points((0.1, dict(t=0.3)), (0.1, dict(t=1.2)), (0.1, dict(t=9)), (1e-12, dict(t=10)), (5.2, dict(t=0.3))),
    evaluate=_two_layers,
    reasons={a0 > 0: SADDLE},
)

infinitely_deep = Law(
    a(t),
    s / lam / (1 + sp.LambertW((s / (lam * a0) - 1) * sp.exp(s / (lam * a0) - 1 - s**2 * t / (lam * tau)))),
    solves=trajectory(speed_infinite),
    given=(*TASK, a0 > 0, t >= 0),
    source=Source("saxe-slides", "V. Deep (D >= 3), with s^2 t/(lam tau) in the exponent, as D -> inf"),
    examples=points(
        (0.1, dict(t=2.0)), (0.1, dict(t=8.3)), (0.1, dict(t=12)),
        (1e-300, dict(t=2e299)), (5.2, dict(t=0.3)), (1e9, dict(t=1e-9)),
    ),
    evaluate=_infinitely_deep,
    reasons={a0 > 0: SADDLE},
)  # fmt: skip

escape = Law(
    a(t),
    (c0 + d0) ** 2 / 4 * sp.exp(2 * s * t / tau) - (c0 - d0) ** 2 / 4 * sp.exp(-2 * s * t / tau),
    solves=lambda a: (
        tau**2 * a.diff(t, 2) - 4 * s**2 * a,
        a.subs(t, 0) - c0 * d0,
        tau * a.diff(t).subs(t, 0) - s * (c0**2 + d0**2),
    ),
    given=(tau > 0, s > 0, t >= 0),
    source=Source("derived here", "two small layers near the saddle, to leading order in the weights"),
    examples=(
        *(dict(s=1.7, tau=1.3, c0=0.5, d0=-0.2, t=t) for t in (0.1, 0.3, 2.9)),
        dict(s=1.7, tau=1.3, c0=-941, d0=1.3e-3, t=1e-9),
    ),
    evaluate=_escape,
)

half_time_1 = Law(
    half_time,
    tau / lam * sp.log(2 * (s - lam * a0) / s),
    solves=time_to_half(speed_1),
    given=HALFWAY,
    source=Source("derived here", "from the shallow trajectory"),
    examples=points((0.1, {}), (-2.3, {}), (1.4, {})),
    reasons=LATER,
)

half_time_2 = Law(
    half_time,
    tau / (2 * s) * sp.log(s / (lam * a0) - 1),
    solves=time_to_half(speed_2),
    given=(*HALFWAY, a0 > 0),
    source=Source("derived here", "from the two-layer trajectory"),
    examples=points((0.1, {}), (1e-12, {}), (1.4, {})),
    reasons={**LATER, a0 > 0: SADDLE},
)

half_time_infinite = Law(
    half_time,
    tau / s * (1 / a0 - 2 * lam / s) + lam * tau / s**2 * sp.log(s / (lam * a0) - 1),
    solves=time_to_half(speed_infinite),
    given=(*HALFWAY, a0 > 0),
    source=Source("derived here", "from the infinitely deep trajectory"),
    examples=points((0.1, {}), (1e-12, {}), (1.4, {})),
    reasons={**LATER, a0 > 0: SADDLE},
)


def derive_trajectories() -> tuple[Step, ...]:
    """The steps from the network's own loss to its trajectories."""
    return (*_to_one_equation(), *_to_trajectories(), _to_infinite_depth(), *_from_the_saddle())


def _to_one_equation() -> tuple[Step, ...]:
    """From the mean squared error of a chain to equation (2)."""
    x, y = sp.symbols("x1:4", real=True), sp.symbols("y1:4", real=True)
    w1, w2, w3, w, out = sp.symbols("w1 w2 w3 w a", real=True)
    mean = lambda values: sum(values) / 3  # noqa: E731
    averages = {s: mean(p * q for p, q in zip(x, y, strict=True)), lam: mean(p * p for p in x)}
    rest = mean(q * q for q in y) / 2 - s**2 / (2 * lam)
    error = mean((q - out * p) ** 2 for p, q in zip(x, y, strict=True)) / 2
    loss = (s - lam * out) ** 2 / (2 * lam)
    product = loss.subs(out, w1 * w2 * w3)
    three = gradient_flow(product, (w1, w2, w3), tau)
    equal = three.impose({w1: w, w2: w, w3: w})
    output = equal.impose({w: out ** sp.Rational(1, 3)}, positive=[out])
    by_any = D * w ** (D - 1) * (-sp.Derivative(loss.subs(out, w**D), w) / D)
    return (
        Step("only two averages of the examples enter the loss", sp.Eq(error, loss + rest), averages),
        Step("each weight descends it; here one of three", sp.Eq(-sp.Derivative(product, w1), three.speeds[0])),
        Step("differences of squares stay", sp.Eq(2 * w1 * three.speeds[0], 2 * w2 * three.speeds[1], evaluate=False)),
        Step("equal weights stay equal", sp.Eq(three.speeds[2], equal.speeds[0]), {w1: w, w2: w, w3: w}),
        Step("their product moves by itself", sp.Eq(3 * w**2 * equal.speeds[0], output.speeds[0]), {out: w**3}),
        Step("and so it does at any depth", sp.Eq(by_any, speed(out)), {out: w**D}),
    )


def _to_trajectories() -> tuple[Step, ...]:
    """Separate variables, integrate, invert; and stop at half height."""
    z = sp.Symbol("z", positive=True)
    T = sp.Function("T")
    steps = []
    for name, moves, law, half in (
        ("one layer", speed_1, shallow, half_time_1),
        ("two layers", speed_2, two_layers, half_time_2),
        ("infinitely many layers", speed_infinite, infinitely_deep, half_time_infinite),
    ):
        primitive = antiderivative(tau / moves(z), z)
        time_at = {T(z): primitive}
        steps += [
            Step(f"{name}: separate and integrate", sp.Eq(T(z).diff(z), tau / moves(z)), time_at),
            Step(f"{name}: the trajectory inverts the time", sp.Eq(_elapsed(primitive, z, a(t)), t), {a(t): law.rhs}),
            Step(f"{name}: half of the fixed point", sp.Eq(_elapsed(primitive, z, s / (2 * lam)), half.rhs)),
        ]
    return tuple(steps)


def _elapsed(primitive, z, end):
    """Time from a0 to `end`, with ln|.| where the antiderivative has ln."""
    real = primitive.replace(sp.log, lambda x: sp.log(sp.Abs(x)))
    return real.subs(z, end) - real.subs(z, a0)


def _to_infinite_depth() -> Step:
    """The limit D -> inf of (2), divided by D."""
    out = sp.Symbol("a", positive=True)
    each = speed(out) / D
    limit(each, D, sp.oo, at={out: "0.3", s: "1.7", lam: "0.6"})
    return Step("divided by D, (2) has a limit", sp.Eq(sp.Limit(each, D, sp.oo), speed_infinite(out)))


def _from_the_saddle() -> tuple[Step, ...]:
    """Linearise two layers at the saddle, solve, and multiply."""
    first, second = sp.symbols("c d", real=True)
    c, d = sp.Function("c"), sp.Function("d")
    matrix = gradient_flow((s - lam * first * second) ** 2 / (2 * lam), (first, second)).linearise(
        {first: 0, second: 0}
    )
    grows, decays = (c0 + d0) / 2 * sp.exp(s * t / tau), (c0 - d0) / 2 * sp.exp(-s * t / tau)
    near = {c(t): grows + decays, d(t): grows - decays}
    speeds = matrix * sp.Matrix([c(t), d(t)])
    return (
        Step("near the saddle each weight drives the other", sp.Eq(tau * c(t).diff(t), speeds[0]), near),
        Step("and is driven by it", sp.Eq(tau * d(t).diff(t), speeds[1]), near),
        Step("their sum grows, their difference decays", sp.Eq(c(t) * d(t), escape.rhs), near),
    )
