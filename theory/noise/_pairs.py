"""Two rectified units under the same noise; equations (7) to (9) of `theory.noise`."""

import sympy as sp

from laws.law import Law, Source, Step
from theory.noise import _float
from theory.noise._moments import mean, mu, s, shift, variance
from theory.noise._normal import Phi, Phi2, phi, relu

mu1, s1, mu2, s2, rho = sp.symbols("mu1 s1 mu2 s2 rho", real=True)
a, b = mu1 / s1, mu2 / s2
E, Cov = sp.Function("E"), sp.Function("Cov")
h1, h2, eta1, eta2 = sp.symbols("h1 h2 eta1 eta2", real=True)

PAIR = (s1 > 0, s2 > 0)
CORRELATED = (*PAIR, -1 < rho, rho < 1)
WHY = {
    -1 < rho: "at rho = -1 the law is `opposite_covariance`",
    rho < 1: "at rho = 1 the law is `duplicate_covariance`",
    s1 > 0: "without noise nothing deviates",
    s2 > 0: "without noise nothing deviates",
}
VALUES = ((0.7, -0.4, 0.6), (-0.5, 0.9, -0.7), (0.8, 1.3, 0.35), (-4.2, -3.1, 0.8))
ENDS = ((0.7, -0.4), (-0.5, 0.9), (0.8, 1.3), (-1.1, -0.6))
POINTS = tuple(dict(mu1=m, s1=1.3, mu2=n, s2=0.6, rho=r) for m, n, r in VALUES)


def _of(law, which):
    """A law of one unit, for unit 1 or 2."""
    return law.rhs.subs({mu: (mu1, mu2)[which - 1], s: (s1, s2)[which - 1]})


def _joint():
    """What remains free beside a unit that sits at its kink: u for unit 1, v for unit 2."""
    width = sp.sqrt(1 - rho**2)
    return width, (a - rho * b) / width, (b - rho * a) / width


width, u, v = _joint()
mean1, mean2 = _of(mean, 1), _of(mean, 2)
both = Phi2(a, b, rho)

product_moment = Law(
    E(h1 * h2),
    (mu1 * mu2 + rho * s1 * s2) * both
    + s2 * mu1 * phi(b) * Phi(u)
    + s1 * mu2 * phi(a) * Phi(v)
    + s1 * s2 * width * phi(a) * phi(v),
    solves=lambda f: (f.diff(rho) - s1 * s2 * both, f.subs(rho, 0) - mean1 * mean2),
    given=CORRELATED,
    source=Source("derived here", "Price's theorem, from independent units"),
    examples=POINTS,
    evaluate=lambda mu1, s1, mu2, s2, rho: s1 * s2 * _float.pair(mu1 / s1, mu2 / s2, rho)[0],
    reasons=WHY,
)

covariance = Law(
    Cov(h1, h2),
    product_moment.rhs - mean1 * mean2,
    solves=lambda f: (f.diff(rho) - s1 * s2 * both, f.subs(rho, 0)),
    given=CORRELATED,
    source=Source("derived here", "Price's theorem, from independent units"),
    examples=POINTS,
    evaluate=lambda mu1, s1, mu2, s2, rho: s1 * s2 * _float.covariance(mu1 / s1, mu2 / s2, rho),
    reasons=WHY,
)

cross_moment = Law(
    E(eta1 * eta2),
    product_moment.rhs - relu(mu1) * mean2 - relu(mu2) * mean1 + relu(mu1) * relu(mu2),
    solves=lambda f: (f.diff(rho) - s1 * s2 * both, f.subs(rho, 0) - _of(shift, 1) * _of(shift, 2)),
    given=CORRELATED,
    source=Source("bricken-2023", "Eq. (17), term #3, which the paper leaves open"),
    examples=POINTS,
    evaluate=lambda mu1, s1, mu2, s2, rho: s1 * s2 * _float.cross(mu1 / s1, mu2 / s2, rho),
    reasons=WHY,
)


def slope_law(symbol, rhs):
    """The slope of the covariance in one of its arguments; units are exchangeable, so those of unit 1 suffice."""
    return Law(
        sp.Derivative(Cov(h1, h2), symbol, evaluate=False),
        rhs,
        solves=lambda f: (f - covariance.rhs.diff(symbol),),
        given=CORRELATED,
        source=Source("derived here", "the slope of the covariance"),
        examples=POINTS,
        reasons=WHY,
    )


covariance_by_rho = slope_law(rho, s1 * s2 * both)
covariance_by_mu = slope_law(mu1, mu2 * both + s2 * (phi(b) * Phi(u) + rho * phi(a) * Phi(v)) - Phi(a) * mean2)
covariance_by_s = slope_law(
    s1, s2 * rho * both + s2 * phi(a) * ((b - rho * a) * Phi(v) + width * phi(v)) - phi(a) * mean2
)

low = (a + b - sp.Abs(a - b)) / 2  # the smaller of both: there the later of two equal units switches on

duplicate_covariance = Law(
    Cov(h1, h2),
    (mu1 * mu2 + s1 * s2) * Phi(low) + s1 * s2 * (a + b - low) * phi(low) - mean1 * mean2,
    solves=lambda f: (
        f.diff(mu1) - (mu2 * Phi(low) + s2 * phi(low) - Phi(a) * mean2),
        f.subs(mu2, mu1 * s2 / s1) - _of(variance, 1) * s2 / s1,
    ),
    given=PAIR,
    source=Source("derived here", "rho = 1: two units that read the same direction"),
    examples=tuple(dict(mu1=m, s1=1.3, mu2=n, s2=0.6) for m, n in ENDS),
    evaluate=lambda mu1, s1, mu2, s2: s1 * s2 * _float.covariance(mu1 / s1, mu2 / s2, 1.0),
    reasons=WHY,
)

opposite_covariance = Law(
    Cov(h1, h2),
    (mu1 * mu2 - s1 * s2) * (Phi(a) + Phi(b) - 1) + s2 * mu1 * phi(b) + s1 * mu2 * phi(a) - mean1 * mean2,
    solves=lambda f: (
        f.diff(mu1) - (mu2 * (Phi(a) + Phi(b) - 1) + s2 * (phi(b) - phi(a)) - Phi(a) * mean2),
        f.subs(mu2, -mu1 * s2 / s1) + mean1 * mean2.subs(mu2, -mu1 * s2 / s1),
    ),
    given=(*PAIR, mu2 * s1 > -mu1 * s2),
    source=Source("derived here", "rho = -1: two units that read opposite directions"),
    examples=tuple(dict(mu1=m, s1=1.3, mu2=n, s2=0.6) for m, n in ((0.7, -0.2), (-0.5, 0.9), (0.8, 1.3))),
    evaluate=lambda mu1, s1, mu2, s2: s1 * s2 * _float.covariance(mu1 / s1, mu2 / s2, -1.0),
    reasons={**WHY, mu2 * s1 > -mu1 * s2: "else they are never on together: the covariance is -E[h1] E[h2]"},
)

arc_cosine_kernel = Law(
    E(h1 * h2),
    s1 * s2 / (2 * sp.pi) * (sp.sqrt(1 - rho**2) + rho * (sp.pi / 2 + sp.asin(rho))),
    solves=lambda f: (
        f.diff(rho, 2) - s1 * s2 / (2 * sp.pi * width),
        f.subs(rho, 0) - s1 * s2 * phi(0) ** 2,
        f.diff(rho).subs(rho, 0) - s1 * s2 / 4,
    ),
    given=CORRELATED,
    source=Source("derived here", "both units at the kink: the arc-cosine kernel of degree 1"),
    examples=tuple(dict(s1=1.3, s2=0.6, rho=r) for r in (0.6, -0.7, 0.35, -0.99)),
    reasons=WHY,
)


def derive_pairs() -> tuple[Step, ...]:
    """Price's theorem for two units, and its integration from independent units."""
    x, y = sp.symbols("x y", real=True)
    joint = phi(x) * phi((y - rho * x) / width) / width
    p, C, K = sp.Function("p"), sp.Function("C"), sp.Function("K")
    density, moment = {p(x, y, rho): joint}, {K(rho): product_moment.rhs}
    independent = {K(rho): product_moment.rhs.subs(rho, 0)}
    return (
        Step("the joint density of two normal variables changes with their correlation as it bends",
             sp.Eq(p(x, y, rho).diff(rho), p(x, y, rho).diff(x, y)), density),
        Step("its distribution function has the same slope",
             sp.Eq(K(rho).diff(rho), joint.subs({x: a, y: b})), {K(rho): both}),
        Step("by parts, twice, E[h1 h2] moves as both units are on", sp.Eq(K(rho).diff(rho), s1 * s2 * both), moment),
        Step("from two independent units", sp.Eq(K(rho), mean1 * mean2), independent),
        Step("the covariance starts from 0",
             sp.Eq(C(rho), product_moment.rhs - mean1 * mean2), {C(rho): covariance.rhs}),
        Step("and so do the deviations, from the product of their shifts",
             sp.Eq(K(rho), covariance.rhs + _of(shift, 1) * _of(shift, 2)), {K(rho): cross_moment.rhs}),
        Step("at the kink the moment is the arc-cosine kernel",
             sp.Eq(K(rho), arc_cosine_kernel.rhs.subs(s1, s2)),
             {K(rho): s2**2 * (rho * Phi2(0, 0, rho) + width * phi(0) ** 2)}),
    )  # fmt: skip
