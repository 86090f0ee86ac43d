"""How long a chain takes from one output to another, at every depth; equation (4) of `theory.chain`."""

import numpy as np
import sympy as sp

from laws.law import Law, Source, Step
from theory.chain import _beta
from theory.chain._trajectories import SADDLE, TASK, D, a0, lam, s, speed, speed_1, speed_2, speed_infinite, tau

af = sp.Symbol("af", real=True)
time = sp.Function("T")(a0, af)
p, q = 2 / D, 2 / D - 1

BEYOND = "af must lie between the start and the fixed point s/lam, which is reached only as t -> inf"
UPWARDS = (a0 <= af, lam * af < s)
DOWNWARDS = (af <= a0, s < lam * af)
EITHER = (sp.Ne(lam * af, s), (af - a0) * (s - lam * af) >= 0)
WHY = {condition: BEYOND for condition in (*UPWARDS, *DOWNWARDS, *EITHER)}


def elapsed(speed):
    """The problem of the time from a0 to af, as residuals of a candidate T(af)."""
    return lambda T: (speed(af) * T.diff(af) - tau, T.subs(af, a0))


def points(*ends, **fixed):
    """Examples at s, lam, tau that keep every misprint visible."""
    return tuple(dict(s=1.7, lam=0.6, tau=1.3, a0=start, af=end, **fixed) for start, end in ends)


def power_gap(q, low, high):
    """(high^q - low^q)/q, and ln(high/low) at q = 0: one entire function of q."""
    ratio = sp.log(high / low)
    return low**q * ratio * sp.hyper([1], [2], q * ratio)  # 1F1(1; 2; x) = (e^x - 1)/x


def F(z):
    """The hypergeometric function of (4)."""
    return sp.hyper([1, p], [1 + p], z)


def beta(p, z):
    """The integral of x^(p - 1)/(1 - x) from 0 to z < 1, an incomplete beta function."""
    return z**p / p * sp.hyper([1, p], [1 + p], z)


def _float(integral):
    """The float64 form of a time, from its integral without dimensions over |lam a/s|."""

    def evaluate(a0, af, s, lam, tau, D):
        p = 2 / D
        return tau / (D * s) * (s / lam) ** (p - 1) * integral(p, np.abs(lam * a0 / s), np.abs(lam * af / s))

    return evaluate


learning_time = Law(
    time,
    tau / (D * s) * power_gap(q, a0, af)
    + tau
    * lam
    / (2 * s**2)
    * (af**p * sp.hyper([1, p], [1 + p], lam * af / s) - a0**p * sp.hyper([1, p], [1 + p], lam * a0 / s)),
    solves=elapsed(speed),
    given=(*TASK, D > 0, a0 > 0, *UPWARDS),
    source=Source("derived here", "any depth D > 0, by partial fractions of (2)"),
    examples=(
        *points((0.1, 0.4), (0.1, 2.6), D=3.7),
        *points((1e-12, 1.3), D=2),
        *points((1e-12, 1.3), (0.2, 1.9), D=30),
        *points((0.1, 1.3), D=0.7),
    ),
    evaluate=_float(_beta.below_one),
    reasons={a0 > 0: SADDLE, **WHY},
)

settling_time = Law(
    time,
    tau / (D * s) * (s / lam) ** q * power_gap(1 - q, s / (lam * a0), s / (lam * af))
    + tau / (D * s) * (s / lam) ** q * (beta(2 - q, s / (lam * af)) - beta(2 - q, s / (lam * a0))),
    solves=elapsed(speed),
    given=(*TASK, D >= 1, *DOWNWARDS),
    source=Source("derived here", "any depth D >= 1, from above the fixed point"),
    examples=(*points((9.1, 3.4), D=3.7), *points((9.1, 3.4), (3.1, 2.9), D=1), *points((5.3, 4.1), D=30)),
    evaluate=_float(_beta.above_one),
    reasons=WHY,
)  # fmt: skip

vanishing_time = Law(
    time,
    tau / (D * s) * power_gap(q, -af, -a0)
    - tau * lam / (2 * s**2) * ((-a0) ** p * F(lam * a0 / s) - (-af) ** p * F(lam * af / s)),
    solves=elapsed(lambda a: D * (-a) ** (2 - 2 / D) * (s - lam * a)),
    given=(*TASK, D >= 2, a0 <= af, af < 0),
    source=Source("derived here", "any depth D >= 2, from below 0, where (2) is read with |a|"),
    examples=(*points((-0.9, -0.2), (-7.3, -1e-6), D=3.7), *points((-0.9, -0.2), D=2), *points((-0.9, -0.4), D=30)),
    evaluate=_float(_beta.below_zero),
    reasons={af < 0: "from below 0 the saddle a = 0 is reached only as t -> inf"},
)  # fmt: skip

learning_time_1 = Law(
    time,
    tau / lam * sp.log((s - lam * a0) / (s - lam * af)),
    solves=elapsed(speed_1),
    given=(*TASK, *EITHER),
    source=Source("derived here", "D = 1"),
    examples=points((0.1, 2.6), (-0.7, 1.2), (5.3, 4.1)),
    reasons=WHY,
)

learning_time_2 = Law(
    time,
    tau / (2 * s) * sp.log(af * (s - lam * a0) / (a0 * (s - lam * af))),
    solves=elapsed(speed_2),
    given=(*TASK, a0 > 0, *EITHER),
    source=Source("derived here", "D = 2"),
    examples=points((0.1, 2.6), (1e-12, 1.2), (5.3, 4.1)),
    reasons={a0 > 0: SADDLE, **WHY},
)


c3 = (s / lam) ** sp.Rational(1, 3)


def _three(b):
    """The primitive of 1/(b^2 (s - lam b^3)), a = b^3, but for its logarithm."""
    return -1 / (s * b) - sp.atan((2 * b + c3) / (sp.sqrt(3) * c3)) / (sp.sqrt(3) * c3 * s)


def _three_log(b):
    return (b**2 + b * c3 + c3**2) / (c3 - b) ** 2


b0, bf = a0 ** sp.Rational(1, 3), af ** sp.Rational(1, 3)
learning_time_3 = Law(
    time,
    tau * (_three(bf) - _three(b0)) + tau / (6 * c3 * s) * sp.log(_three_log(bf) / _three_log(b0)),
    solves=elapsed(lambda a: speed(a).subs(D, 3)),
    given=(*TASK, a0 > 0, *EITHER),
    source=Source("derived here", "D = 3"),
    examples=points((0.1, 2.6), (1e-6, 1.2), (5.3, 4.1)),
    reasons={a0 > 0: SADDLE, **WHY},
)  # fmt: skip


def _four(a):
    root = sp.sqrt(lam * a / s)
    return (1 + root) / (1 - root)


learning_time_4 = Law(
    time,
    tau / (2 * s) * (1 / sp.sqrt(a0) - 1 / sp.sqrt(af))
    + tau * sp.sqrt(lam / s) / (4 * s) * sp.log(_four(af) / _four(a0)),
    solves=elapsed(lambda a: speed(a).subs(D, 4)),
    given=(*TASK, a0 > 0, *EITHER),
    source=Source("derived here", "D = 4"),
    examples=points((0.1, 2.6), (1e-6, 1.2), (5.3, 4.1)),
    reasons={a0 > 0: SADDLE, **WHY},
)  # fmt: skip

learning_time_infinite = Law(
    time,
    tau / s * (1 / a0 - 1 / af) + lam * tau / s**2 * sp.log(af * (s - lam * a0) / (a0 * (s - lam * af))),
    solves=elapsed(speed_infinite),
    given=(*TASK, a0 > 0, *EITHER),
    source=Source("derived here", "D -> inf, in the time t/D"),
    examples=points((0.1, 2.6), (1e-12, 1.2), (5.3, 4.1)),
    reasons={a0 > 0: SADDLE, **WHY},
)

small_start_time = Law(
    sp.Function("T")(a0, s / (2 * lam)),
    tau / ((D - 2) * s) * a0**q,
    solves=lambda T: (T / learning_time.rhs.subs(af, s / (2 * lam)) - 1,),
    given=(*TASK, D > 2, a0 > 0, 2 * lam * a0 < s),
    source=Source("derived here", "small a0 at finite depth D > 2: tau b0^(2-D)/((D-2) s), b0 = a0^(1/D)"),
    examples=tuple(dict(s=1.7, lam=0.6, tau=1.3, a0=a, D=D) for a, D in ((1e-9, 3.7), (1e-6, 10), (1e-6, 30))),
    upto=(a0, 1 - 2 / D),
    reasons={a0 > 0: SADDLE},
)


def derive_times() -> tuple[Step, ...]:
    """Separate (2), split off what diverges at the saddle, and integrate; then the depths and sides apart."""
    return (*_derive_general(), *_derive_special(), *_derive_outside())


def _derive_general() -> tuple[Step, ...]:
    """From 0 < a0 to af below the fixed point, at any depth."""
    z, low = sp.symbols("z a0", positive=True)
    T = sp.Function("T")
    two = {T(a0, af): learning_time.rhs.subs(D, 2)}
    rest = {T(z): beta(p, lam * z / s) * (s / lam) ** p}
    power = tau / (D * s) * power_gap(q, low, z)
    return (
        Step("separate, and split off the saddle", sp.Eq(D * s / speed(z), z ** (q - 1) + lam * z**q / (s - lam * z))),
        Step("what diverges there is a power", sp.Eq(sp.Derivative(power_gap(q, low, z), z), z ** (q - 1))),
        Step("the rest is an incomplete beta function", sp.Eq(sp.Derivative(T(z), z), s * z**q / (s - lam * z)), rest),
        Step("which two layers do not need", sp.Eq(T(a0, af), learning_time_2.rhs), two),
        Step(
            "and which the power outgrows as a0 -> 0, for D > 2: the law of small starts",
            sp.Eq(T(low, z), small_start_time.rhs.subs(a0, low) - small_start_time.rhs.subs(a0, z)),
            {T(low, z): power},
        ),
    )  # fmt: skip


def _derive_special() -> tuple[Step, ...]:
    """The depths at which (4) is elementary, by partial fractions."""
    b, T = sp.Symbol("b", positive=True), sp.Function("T")
    slope = sp.Derivative(T(b), b)
    three = 1 / (s * b**2) + lam * b / (s * (s - lam * b**3))
    four = 1 / (s * b**3) + lam * b / (s * (s - lam * b**4))
    deep = 1 / (s * b**2) + lam / s**2 * (1 / b + lam / (s - lam * b))
    return (
        Step("three layers, a = b^3", sp.Eq(3 * b**2 / speed(b**3).subs(D, 3), three)),
        Step("by the cube roots of s/lam", sp.Eq(slope, tau * three), {T(b): learning_time_3.rhs.subs(af, b**3)}),
        Step("four layers, a = b^4", sp.Eq(4 * b**3 / speed(b**4).subs(D, 4), four)),
        Step("by the square roots of s/lam", sp.Eq(slope, tau * four), {T(b): learning_time_4.rhs.subs(af, b**4)}),
        Step("very many layers, in the time t/D", sp.Eq(1 / speed_infinite(b), deep)),
        Step("by logarithms", sp.Eq(slope, tau * deep), {T(b): learning_time_infinite.rhs.subs(af, b)}),
    )


def _derive_outside() -> tuple[Step, ...]:
    """From above the fixed point, and from below 0."""
    y, m, high = sp.symbols("y m m0", positive=True)
    T = sp.Function("T")
    down = {T(y): settling_time.rhs.subs(af, s / (lam * y))}
    up = {T(high, m): vanishing_time.rhs.subs({a0: -high, af: -m})}
    above = tau / (D * s) * (s / lam) ** q * (y**-q + y ** (1 - q) / (1 - y))
    below = m ** (q - 1) - lam * m**q / (s + lam * m)
    return (
        Step("above the fixed point, in y = s/(lam a)", sp.Eq(-tau * s / (lam * y**2) / speed(s / (lam * y)), above)),
        Step("a power and an incomplete beta function again", sp.Eq(sp.Derivative(T(y), y), above), down),
        Step("below 0, with m = |a|", sp.Eq(s * m ** (p - 2) / (s + lam * m), below)),
        Step("the same functions, at -lam m/s", sp.Eq(D * s * sp.Derivative(T(high, m), m), -tau * below), up),
    )
