"""One direction across the manifold, and one along it: sections (2) to (5) of `theory.drift` for one eigenvalue.

Beside a point of the manifold, with u across it and theta along it, lambda the eigenvalue, g its slope along the
manifold and k the manifold's curvature,

    L = (lambda + g theta)(u - k theta^2/2)^2/2.

Where descent ends is a point Phi of the manifold.  It is the same one step later: Phi(theta - eta grad L) = Phi.  To
second order in u that fixes p = d^2 Phi/du^2 along the manifold, and noise of variance N moves Phi by N p/2 per step.
"""

import sympy as sp

from laws.law import Law, Source, Step

lam, g, k, eta, sigma, c = sp.symbols("lam g k eta sigma c", real=True)
theta, u, p, beta, epsilon = sp.symbols("theta u p beta epsilon", real=True)
C, v, L = (sp.Symbol(name, real=True) for name in ("C", "v", "L"))
here = lambda label: Source("derived here", label)  # noqa: E731

STABLE = (lam > 0, eta > 0, eta * lam < 2)
POINTS = (dict(lam=2.9, eta=0.35, sigma=0.01), dict(lam=0.2, eta=1.7, sigma=0.3), dict(lam=13.0, eta=0.15, sigma=1e-4))
SLOPES = tuple({**point, "g": slope} for point, slope in zip(POINTS, (1.4, -0.7, 2.3), strict=True))
LABELS = tuple({**point, "c": number} for point, number in zip(POINTS, (0.5, 0.25, 0.02), strict=True))
label_variance = 2 * c * eta**2 * sigma**2 * lam  # of a step, from labels of variance sigma^2

valley = (lam + g * theta) * (u - k * theta**2 / 2) ** 2 / 2
at_0 = {theta: 0, u: 0}


def stays(variance):
    """The problem of a spread that descent shrinks as much as noise of this variance widens it."""
    return lambda C: (C - (1 - eta * lam) ** 2 * C - variance,)


def ends(variance):
    """The problem of the mean motion of the point where descent ends, under noise of this variance."""
    second = lambda v: 2 * v / variance  # noqa: E731
    return lambda v: (second(v) - (1 - eta * lam) ** 2 * second(v) + eta * valley.diff(theta, u, u).subs(at_0),)


update_spread = Law(
    C,
    sigma**2 / (2 * eta * lam * (1 - eta * lam / 2)),
    solves=stays(sigma**2),
    given=STABLE,
    source=here("variance across the manifold under update noise, at finite eta"),
    examples=POINTS,
)

label_spread = Law(
    C,
    c * eta * sigma**2 / (1 - eta * lam / 2),
    solves=stays(label_variance),
    given=STABLE,
    source=here("variance across the manifold under label noise, at finite eta"),
    examples=LABELS,
)

update_push = Law(
    v,
    -(sigma**2) * g / (4 * lam * (1 - eta * lam / 2)),
    solves=ends(sigma**2),
    given=(*STABLE, sp.Ne(sigma, 0)),
    source=here("mean step along the manifold under update noise, at finite eta"),
    examples=SLOPES,
)

label_push = Law(
    v,
    -(eta**2) * c * sigma**2 * g / (2 * (1 - eta * lam / 2)),
    solves=ends(label_variance),
    given=(*STABLE, sp.Ne(sigma, 0), sp.Ne(c, 0)),
    source=here("mean step along the manifold under label noise, at finite eta"),
    examples=tuple({**point, **more} for point, more in zip(SLOPES, LABELS, strict=True)),
)

small_update_push = Law(
    v,
    -(sigma**2) * g / (4 * lam),
    solves=lambda v: (v / update_push.rhs - 1,),
    given=(lam > 0, eta > 0, sp.Ne(sigma, 0), sp.Ne(g, 0)),
    source=here("mean step along the manifold under update noise, for small eta"),
    examples=SLOPES,
    upto=(eta, sp.Integer(1)),
)

small_label_push = Law(
    sp.Function("v")(lam),  # the same for every eigenvalue
    -(eta**2) * c * sigma**2 * g / 2,
    solves=lambda v: (v / label_push.rhs - 1,),
    given=(lam > 0, eta > 0, sp.Ne(sigma, 0), sp.Ne(c, 0), sp.Ne(g, 0)),
    source=here("mean step along the manifold under label noise, for small eta"),
    examples=label_push.examples,
    upto=(eta, sp.Integer(1)),
)

update_loss = Law(
    L,
    sigma**2 / (4 * eta * (1 - eta * lam / 2)),
    solves=lambda f: (f - valley.diff(u, 2).subs(at_0) * update_spread.rhs / 2,),
    given=STABLE,
    source=here("mean loss of one eigenvalue under update noise, at finite eta"),
    examples=POINTS,
)

label_loss = Law(
    L,
    c * eta * sigma**2 * lam / (2 * (1 - eta * lam / 2)),
    solves=lambda f: (f - valley.diff(u, 2).subs(at_0) * label_spread.rhs / 2,),
    given=STABLE,
    source=here("mean loss of one eigenvalue over clean labels under label noise, at finite eta"),
    examples=LABELS,
)

# -- steps over the root of the second moment ------------------------------------------------------------------


def _adaptive(step):
    """(m, u) -> (beta m + (1 - beta) lambda u, u - step m/epsilon): Adam where gradients vanish; RMSprop: beta = 0."""
    return sp.Matrix([[beta, (1 - beta) * lam], [-step * beta / epsilon, 1 - step * (1 - beta) * lam / epsilon]])


adaptive_edge = Law(
    eta,
    2 * epsilon * (1 + beta) / ((1 - beta) * lam),
    solves=lambda step: ((_adaptive(step) + sp.eye(2)).det(),),  # a multiplier of -1
    given=(lam > 0, epsilon > 0, beta >= 0, beta < 1),
    source=here("largest step of Adam, or of RMSprop with beta = 0, for which a point of zero loss is stable"),
    examples=(dict(lam=2.9, epsilon=0.01, beta=0.9), dict(lam=13.0, epsilon=1e-8, beta=0.5)),
)


def derive_modes() -> tuple[Step, ...]:
    """From a step of descent with noise to the covariance (2), and by two ways from there to the drift (4)."""
    update, label = {C: update_spread.rhs}, {C: label_spread.rhs}
    moved = theta - eta * valley.diff(theta), u - eta * valley.diff(u)
    ended = theta + p * u**2 / 2  # along the manifold, to second order in u
    second = {p: -g / (lam * (2 - eta * lam))}
    slope = lambda of: sp.Subs(sp.Derivative(of(lam + g * theta), theta), theta, 0)  # noqa: E731
    barrier = lambda value: sp.log(value / (1 - eta * value / 2))  # noqa: E731
    third = sp.Subs(sp.Derivative(valley, u, theta, theta), (theta, u), (0, 0))
    return (
        Step("the gradient along the manifold is that of half the spread times the eigenvalue",
             sp.Eq(sp.Derivative(valley, theta).subs({theta: 0}), g * u**2 / 2)),
        Step("update noise: what descent takes from the spread, noise gives back",
             sp.Eq(C, (1 - eta * lam) ** 2 * C + sigma**2), update),
        Step("label noise likewise", sp.Eq(C, (1 - eta * lam) ** 2 * C + label_variance), label),
        Step("so the mean step is",
             sp.Eq(-eta * g * C / 2, -(sigma**2) / 4 * slope(barrier)), update),
        Step("and under label noise",
             sp.Eq(-eta * g * C / 2, eta * c * sigma**2 * slope(lambda value: sp.log(1 - eta * value / 2))), label),
        Step("another way: where descent ends is the same a step later",
             sp.Eq(sp.diff(ended.subs({theta: moved[0], u: moved[1]}, simultaneous=True), u, 2).subs(at_0),
                   sp.diff(ended, u, 2)), second),
        Step("noise moves that point by half of its second derivative", sp.Eq(sigma**2 * p / 2, -eta * g * C / 2),
             {**update, **second}),
        Step("noise of labels too", sp.Eq(label_variance * p / 2, -eta * g * C / 2), {**label, **second}),
        Step("a walk along a curved manifold turns with it", sp.Eq(-(sigma**2) / (2 * lam) * third, sigma**2 * k / 2)),
        Step("for small steps the regulariser is the logarithm of the determinant",
             sp.Eq(sp.Limit(-eta * g * C / 2, eta, 0), -(sigma**2) / 4 * slope(sp.log)), update),
        Step("and the trace",
             sp.Eq(sp.Limit(-eta * g * C / 2 / eta**2, eta, 0), -c * sigma**2 / 2 * slope(lambda value: value)), label),
        Step("momentum and a fixed scale of steps: a multiplier z of -1 ends stability",
             sp.Eq((_adaptive(eta) - p * sp.eye(2)).det(), p**2 - (1 + beta - (1 - beta) * eta * lam / epsilon) * p
                   + beta)),
        Step("each mode holds as much loss",
             sp.Eq(lam * C / 2, sigma**2 / (4 * eta) / (1 - eta * lam / 2)), update),
    )  # fmt: skip
