"""Small noise, soft thresholds and minibatches; equations (12) to (14) of `theory.noise`."""

import sympy as sp

from laws.law import Law, Source, Step
from theory.noise._moments import mean, mean_square, mu, s
from theory.noise._normal import Phi, phi, relu

sigma, m, v, w, b, d = sp.symbols("sigma m v w b d", real=True)
L, a = sp.Function("L"), sp.Symbol("a", real=True)
x, lam = sp.symbols("x lam", real=True)
V1, B = sp.symbols("V1 B", real=True)  # the variance of one example's gradient; examples in a minibatch


clean, noisy = sp.sqrt(w**2 * v), sp.sqrt(w**2 * (v + sigma**2))
centre = w * m + b
GAUSSIAN = (v > 0, sigma >= 0, sp.Ne(w, 0))
NETWORKS = tuple(
    dict(sigma=e, m=0.4, v=1.7, w=w, b=b, d=1.2) for e, w, b in ((0.3, 0.8, -0.3), (0.05, -0.7, 0.6), (0.2, 1.6, -2.9))
)


def _loss(width):
    """E (x - d (w (x + eps) + b)_+)^2, x ~ N(m, v): only the width of w (x + eps) + b depends on sigma."""
    at = {mu: centre, s: width}
    with_input = m * mean.rhs.subs(at) + w * v * Phi(centre / width)  # E[x h], by Stein's lemma
    return m**2 + v - 2 * d * with_input + d**2 * mean_square.rhs.subs(at)


def _slope(width):
    """dL/dsigma, by the heat equation for each part."""
    kink = phi(centre / width) / width * (m - w * v * centre / width**2)  # density at 0 times E[x | z = 0]
    return 2 * sigma * w**2 * (d**2 * Phi(centre / width) - d * kink)


gaussian_data_loss = Law(
    L(sigma),
    _loss(noisy),
    solves=lambda f: (f.diff(sigma) - _slope(noisy), f.subs(sigma, 0) - _loss(clean)),
    given=GAUSSIAN,
    source=Source("derived here", "one unit that reads one Gaussian input, to be reproduced"),
    examples=NETWORKS,
)

small_noise_loss = Law(
    L(sigma),
    _loss(clean) + sigma**2 * (d**2 * w**2 * Phi(centre / clean) + w**2 * phi(centre / clean) / clean * d * b / w),
    solves=lambda f: (f / gaussian_data_loss.rhs - 1,),
    given=GAUSSIAN,
    source=Source("bricken-2023", "Eq. (26), with the term of the kink"),
    examples=NETWORKS,
    upto=(sigma, sp.Integer(4)),
)

soft_threshold = Law(
    a,
    relu(x - lam / 2),
    solves=lambda f: (f - relu(f - (2 * (f - x) + lam) / 5),),  # a step of descent, kept >= 0, stays put
    given=(lam >= 0,),
    source=Source("bricken-2023", "App. G, with lambda/2 for the objective of App. A"),
    examples=tuple(dict(x=x, lam=0.6) for x in (1.7, 3.1)),
)

minibatch_variance = Law(
    sp.Function("Var")(sp.Symbol("g_B", real=True)),
    V1 / B,
    solves=lambda f: (
        (B + 1) ** 2 * f.subs(B, B + 1) - B**2 * f - V1,
        f.subs(B, 1) - V1,
    ),
    given=(V1 >= 0, B >= 1),
    source=Source("bricken-2023", "App. H.2, corrected"),
    examples=tuple(dict(V1=1.7, B=n) for n in (3, 8, 512)),
)


def derive_limits() -> tuple[Step, ...]:
    """Small noise for Gaussian data, the threshold of an L1 penalty, and the average of a minibatch."""
    f = sp.Function("f")
    at_zero = d * b / w * w**2 * phi(centre / clean) / clean
    penalty = {f(a): (x - a) ** 2 + lam * a}
    return (
        Step("data and noise widen a unit's input together", sp.Eq(noisy**2, clean**2 + w**2 * sigma**2)),
        Step("each part of the loss diffuses", sp.Eq(f(sigma).diff(sigma), _slope(noisy)), {f(sigma): _loss(noisy)}),
        Step("at sigma = 0 its curvature is the Jacobian's, less what the kink adds",
             sp.Eq(f(sigma), d**2 * w**2 * Phi(centre / clean) + at_zero),
             {f(sigma): (_slope(noisy) / (2 * sigma)).subs(sigma, 0)}),
        Step("an L1 penalty on a >= 0, orthonormal weights", sp.Eq(f(a).diff(a), 2 * (a - x) + lam), penalty),
        Step("vanishes at the threshold lambda/2", sp.Eq(f(a).diff(a).subs(a, x - lam / 2) + lam, lam), penalty),
    )  # fmt: skip
