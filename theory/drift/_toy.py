"""The toy L = (x y)^2, whose zero set is a cross: a particle in the valley y = 0; sections 1 to 4 of `theory.drift`.

Across the valley the Hessian is 2 x^2, so that with update noise <y^2> settles at (2), and the gradient in x, 2 x y^2,
pushes x towards the corner.  As eta -> 0 the slow motion is

    dx = -(sigma^2/2x) dt + sigma dW:                                                                   (11)

a Bessel process of dimension 0.  For sigma_x and sigma_y that differ its dimension is 1 - (sigma_y/sigma_x)^2, and for
|x|^2 |y|^2, with x in R^d and y in R^k, it is d - k.  The corner itself is beyond it: from x = (sigma^2/2 eta)^(1/4)
on, x moves as fast as y relaxes.
"""

import numpy as np
import sympy as sp
from scipy.special import gammaincc, kve

from laws.arrays import positive, real_array
from laws.law import Law, Source, Step, formula

x, y, x0, t, eta, sigma, s, eps = sp.symbols("x y x_0 t eta sigma s epsilon", real=True)
a, b = sp.symbols("a b", real=True)
v, C, L, T = (sp.Symbol(name, real=True) for name in ("v", "C", "L", "T"))
NODES = 16  # of the contour: with more, rounding costs digits again
here = lambda label: Source("derived here", label)  # noqa: E731

toy = (x * y) ** 2
STABLE = (x > 0, eta > 0, eta * x**2 < 1)
VALLEY = (dict(x=0.9, eta=0.3, sigma=0.01), dict(x=0.2, eta=1.7, sigma=0.3), dict(x=1.3, eta=0.02, sigma=1e-4))
SLOW = (
    dict(x_0=0.9, t=40.0, sigma=0.07),
    dict(x_0=1.3, t=3e4, sigma=0.005),
    dict(x_0=0.2, t=7.0, sigma=0.3),
)


def gaussian(polynomial, *variables):
    """The mean of a polynomial in independent normal variables of mean 0 and standard deviation s."""
    moment = lambda k: 0 if k % 2 else sp.factorial2(k - 1) * s**k  # noqa: E731
    terms = sp.Poly(sp.expand(polynomial), *variables).terms()
    return sum(c * sp.prod([moment(k) for k in powers]) for powers, c in terms)


# -- update noise, across the valley and along it ----------------------------------------------------------

valley_width = Law(
    C,
    sigma**2 / (4 * eta * x**2 * (1 - eta * x**2)),
    solves=lambda c: (c - (1 - eta * toy.diff(y, 2)) ** 2 * c - sigma**2,),
    given=STABLE,
    source=here("⟨y^2⟩ in the valley under update noise, at finite eta"),
    examples=VALLEY,
)

valley_drift = Law(
    v,
    -(sigma**2) / (2 * x * (1 - eta * x**2)),
    solves=lambda w: (w + eta * toy.diff(x).subs(y, 1) * valley_width.rhs,),
    given=STABLE,
    source=here("mean step along the valley under update noise, at finite eta"),
    examples=VALLEY,
)

toy_floor = Law(
    L,
    sigma**2 / (4 * eta * (1 - eta * x**2)),
    solves=lambda f: (f - toy.subs(y, 1) * valley_width.rhs,),
    given=STABLE,
    source=here("mean loss in the valley under update noise, at finite eta"),
    examples=VALLEY,
)


def slow(f):
    """The mean rate of change of f(x) under (11)."""
    return valley_drift.rhs.subs(eta, 0) * f.diff(x) + sigma**2 / 2 * f.diff(x, 2)


fourth_moment = Law(
    sp.Function("m")(t),
    x0**4 + 4 * sigma**2 * x0**2 * t,
    solves=lambda m: (m.diff(t) - slow(x**4).subs(x**2, x0**2), m.subs(t, 0) - x0**4),  # x^2 being a martingale
    given=(t >= 0,),
    source=here("⟨x^4⟩ of (11)"),
    examples=SLOW,
)

y_only_time = Law(
    T,
    x0**2 * (1 - eta * x0**2 / 2) / sigma**2,
    solves=lambda f: (f.diff(x0) + 1 / valley_drift.rhs.subs(x, x0), f.subs(x0, 0)),
    given=(x0 > 0, eta > 0, sigma > 0, eta * x0**2 < 1),
    source=here("steps to the corner if y alone is noisy, at finite eta"),
    examples=tuple(dict(x_0=p["x"], eta=p["eta"], sigma=p["sigma"]) for p in VALLEY),
)

# -- label noise -------------------------------------------------------------------------------------------

label_time = Law(
    T,
    (sp.log(x0 / x) - eta * (x0**2 - x**2) / 2) / (2 * eta**2 * sigma**2),
    solves=lambda f: (f.diff(x) + (1 - eta * x**2) / (2 * eta**2 * sigma**2 * x), f.subs(x, x0)),
    given=(x > 0, x0 > x, eta > 0, eta * x0**2 < 1, sp.Ne(sigma, 0)),
    source=here("steps from x_0 down to x under label noise, at finite eta"),
    examples=(dict(x_0=0.9, x=0.5, eta=0.3, sigma=0.2), dict(x_0=1.7, x=0.3, eta=0.02, sigma=0.4)),
)

difference_of_squares = Law(
    v,
    (x**2 - y**2) * (1 - 4 * eta**2 * (x * y - eps) ** 2),
    solves=lambda d: (
        d - ((x - eta * sp.diff((x * y - eps) ** 2, x)) ** 2 - (y - eta * sp.diff((x * y - eps) ** 2, y)) ** 2),
    ),
    given=(),
    source=here("x^2 - y^2 after a step with label epsilon; exact"),
    examples=(dict(x=0.9, y=-0.4, eta=0.3, epsilon=0.2), dict(x=0.2, y=1.4, eta=0.7, epsilon=-0.5)),
)

# -- stochastic error descent --------------------------------------------------------------------------------

_dx, _dy = (-eta * ((x + a) * b) ** 2 * xi for xi in (a, b))
SED = (dict(x=0.9, eta=0.5, s=0.1), dict(x=0.2, eta=0.7, s=0.3))

sed_second_moment_x = Law(
    C,
    3 * eta**2 * s**6 * (x**4 + 18 * s**2 * x**2 + 15 * s**4),
    solves=lambda m: (m - gaussian(_dx**2, a, b),),
    given=(),
    source=here("⟨dx^2⟩ of a step of SED from (x, 0); exact"),
    examples=SED,
)

sed_second_moment_y = Law(
    C,
    15 * eta**2 * s**6 * (x**4 + 6 * s**2 * x**2 + 3 * s**4),
    solves=lambda m: (m - gaussian(_dy**2, a, b),),
    given=(),
    source=here("⟨dy^2⟩ of a step of SED from (x, 0); exact"),
    examples=SED,
)

_tried = -eta * x**2 * ((y + b) ** 2 - y**2) * b  # a step across, x being where it is

sed_fluctuation = Law(
    C,
    15 * eta * s**4 * x**2 / (4 * (1 - 3 * eta * s**2 * x**2)),
    solves=lambda c: (gaussian((y + _tried) ** 2, b).subs(y**2, c) - c,),
    given=(eta > 0, x > 0, 3 * eta * s**2 * x**2 < 1),
    source=here("⟨y^2⟩ under SED, at finite eta"),
    examples=(*SED, dict(x=1.5, eta=24.0, s=0.05)),
)

sed_mean_step = Law(
    v,
    -2 * eta * s**2 * x * (y**2 + s**2),
    solves=lambda w: (w - gaussian(-eta * ((x + a) ** 2 * (y + b) ** 2 - x**2 * y**2) * a, a, b),),
    given=(),
    source=here("⟨dx⟩ of a step of SED from (x, y); exact"),
    examples=(dict(x=0.9, y=0.3, eta=0.5, s=0.1), dict(x=0.2, y=-0.7, eta=0.7, s=0.3)),
)

sed_decay = Law(
    sp.Function("x")(t),
    x0 * sp.exp(-2 * eta * s**4 * t),
    solves=lambda f: (f.diff(t) - sed_mean_step.rhs.subs({y: 0, x: f}), f.subs(t, 0) - x0),
    given=(x0 > 0, eta > 0, t >= 0),
    source=here("⟨x⟩ under SED where (15/4) eta s^2 x^2 is small"),
    examples=(dict(x_0=0.9, eta=0.5, s=0.1, t=2000.0), dict(x_0=0.2, eta=0.7, s=0.3, t=17.0)),
)


def corner(eta: float, sigma: float) -> float:
    """The distance (sigma^2/2 eta)^(1/4) from the corner at which x moves as fast as y relaxes.

    ValueError for numbers that are not positive.
    """
    eta, sigma = positive("eta", eta), positive("sigma", sigma)
    return float((sigma**2 / (2 * eta)) ** 0.25)


def arrival(t, *, x0: float, sigma: float, dimension: float = 0) -> np.ndarray:
    """The probability that a Bessel process has come from x0 down to 0 before t: Q(1 - n/2, x0^2/(2 sigma^2 t)).

    Args:
        t: numbers of steps, positive.
        x0: start, positive.
        sigma: of the noise of a step, positive.
        dimension: n, below 2; 0 in (11), where it is exp(-x0^2/(2 sigma^2 t)).

    Raises:
        ValueError: for times, starts or noise that are not positive, and a dimension from 2 on, which never arrives.
    """
    times, _, order = _passage(t, sigma, dimension)
    return gammaincc(order, positive("x0", x0) ** 2 / (2 * sigma**2 * times))


@formula(
    r"""\int_0^{\infty} e^{-\ell t}\, d P(t) = \left( \frac{x_0}{a} \right)^{\nu} \frac{K_{\nu}(q x_0)}{K_{\nu}(q a)},
    \quad q = \frac{\sqrt{2 \ell}}{\sigma},
    \quad \nu = 1 - \frac{n}{2}"""
)
def first_passage(t, *, x0: float, threshold: float, sigma: float, dimension: float = 0) -> np.ndarray:
    """The probability that a Bessel process has come from x0 down to the threshold before t.

    With nu = 1 - n/2, q = sqrt(2 l)/sigma and threshold a, the Laplace transform of the passage time is
    (x0/a)^nu K_nu(x0 q)/K_nu(a q); it is inverted on Talbot's contour, with errors below 1e-9.

    Args:
        t: numbers of steps, positive.
        x0: start, above the threshold.
        threshold: positive.
        sigma: of the noise of a step, positive.
        dimension: n, below 2; 0 in (11).

    Raises:
        ValueError: for times, thresholds or noise that are not positive, a start below the threshold, and a dimension
            from 2 on.

    Source: derived here, equation (11).
    """
    times, sigma, order = _passage(t, sigma, dimension)
    a = positive("threshold", threshold)
    if not positive("x0", x0) > a:
        raise ValueError(f"x0 = {x0} must be above the threshold = {threshold}")
    angle = np.arange(1, NODES) * np.pi / NODES
    cot = 1 / np.tan(angle)
    contour = 0.4 * np.concatenate([[NODES], NODES * angle * (cot + 1j)])
    weight = np.concatenate([[0.5], 1 + 1j * angle * (1 + cot**2) - 1j * cot]) * np.exp(contour)
    q = np.sqrt(2 * contour / times[..., None]) / sigma
    ratio = (x0 / a) ** order * kve(order, x0 * q) / kve(order, a * q) * np.exp((a - x0) * q)
    return 0.4 * (weight * ratio / (contour / NODES)).real.sum(-1) / NODES


def _passage(t, sigma, dimension):
    times, n = real_array("t", t), real_array("dimension", dimension)
    if not (times > 0).all():
        raise ValueError(f"t = {times.min()} must be positive")
    if n.ndim or n >= 2:
        raise ValueError(f"dimension = {dimension} must be a number below 2: others never arrive")
    return times, positive("sigma", sigma), float(1 - n / 2)


def derive_toy() -> tuple[Step, ...]:
    """From the push of noise across the valley to (11), its dimension, and the probability to arrive."""
    sx, sy, n, d, k = sp.symbols("sigma_x sigma_y n d k", real=True)
    size, X, Y = sp.symbols("l X Y", real=True)
    P = sp.Function("P")
    push = lambda noise: sp.Limit(valley_drift.rhs.subs(sigma, noise), eta, 0)  # noqa: E731
    bessel = lambda noise: noise**2 * (n - 1) / (2 * x)  # noqa: E731
    trace = sp.Derivative(sp.hessian(toy, (x, y)).trace().subs(y, 0), x)
    slope = toy.diff(x).subs({x: size * X, y: size * Y}, simultaneous=True)
    return (
        Step("for small steps the valley pushes as a Bessel process of dimension 0", sp.Eq(push(sigma), bessel(sigma)),
             {n: sp.Integer(0)}),
        Step("its square gains by the walk what it loses by the push",
             sp.Eq(-valley_drift.rhs.subs(eta, 0) * sp.Derivative(x**2, x), sigma**2 / 2 * sp.Derivative(x**2, x, 2))),
        Step("noise of another size across the valley changes the dimension", sp.Eq(push(sy), bessel(sx)),
             {n: 1 - sy**2 / sx**2}, (sx > 0,)),
        Step("k directions across push k times; d along it are a radius", sp.Eq(
            k * push(sigma) + sigma**2 * (d - 1) / (2 * x), bessel(sigma)), {n: d - k}),
        Step("a process that starts at x is at 0 before t with probability P", sp.Eq(
            sp.Derivative(P(x, t), t),
            -sigma**2 / (2 * x) * sp.Derivative(P(x, t), x) + sigma**2 / 2 * sp.Derivative(P(x, t), x, 2)),
            {P(x, t): sp.exp(-x**2 / (2 * sigma**2 * t))}, (t > 0,)),
        Step("and in n dimensions", sp.Eq(
            sp.Derivative(P(x, t), t),
            bessel(sigma) * sp.Derivative(P(x, t), x) + sigma**2 / 2 * sp.Derivative(P(x, t), x, 2)),
            {P(x, t): sp.uppergamma(1 - n / 2, x**2 / (2 * sigma**2 * t)) / sp.gamma(1 - n / 2)},
            (t > 0, x > 0, n < 2)),
        Step("in units of one length and of its time the corner knows neither step nor noise", sp.Eq(
            -eta * slope * size / sigma**2, -X * Y**2), {size: (sigma**2 / (2 * eta)) ** sp.Rational(1, 4)},
            (eta > 0,)),
        Step("a step of SED goes down the trace of the Hessian", sp.Eq(
            sed_mean_step.rhs.subs(y, 0), -eta * s**4 / 2 * trace)),
    )  # fmt: skip
