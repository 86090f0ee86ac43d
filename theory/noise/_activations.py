"""Smooth activations, and noise with heavier tails; equations (10) and (11) of `theory.noise`.

A smooth activation F needs no cases: E[F(mu + s g)] solves the heat equation f_s = s f_mumu from f = F at
s = 0, and two units solve Price's equation f_rho = s1 s2 f_mu1mu2 from independent ones.
"""

from functools import cache

import sympy as sp

from laws.law import Law, Source, Step
from theory.noise._moments import E, eta, h, mu, s
from theory.noise._normal import Phi, Phi2, phi
from theory.noise._pairs import Cov, h1, h2, mu1, mu2, rho, s1, s2

beta = sp.Symbol("beta", real=True)
SPREAD = (s1 >= 0, s2 >= 0, rho**2 <= 1)
ALONE = tuple(dict(mu=m, s=s) for m, s in ((1.4, 0.6), (-0.7, 1.3), (0.2, 2.3)))
TWO = tuple(
    dict(mu1=m, s1=1.3, mu2=n, s2=0.6, rho=r) for m, n, r in ((0.7, -0.4, 0.6), (-0.5, 0.9, -0.7), (0.8, 1.3, 0.35))
)


def diffuses(F):
    """The heat equation from the activation F, as residuals of a candidate f(mu, s)."""
    return lambda f: (f.diff(s) - s * f.diff(mu, 2), f.subs(s, 0) - F(mu))


def gelu(x):
    """X Phi(x)."""
    return x * Phi(x)


erf_mean = Law(
    E(h),
    sp.erf(mu / sp.sqrt(1 + 2 * s**2)),
    solves=diffuses(sp.erf),
    given=(s >= 0,),
    source=Source("derived here", "a Gaussian of variance 1/2 widened by s^2"),
    examples=ALONE,
)

A, B = (m * sp.sqrt(2) / sp.sqrt(1 + 2 * t**2) for m, t in ((mu1, s1), (mu2, s2)))
R = 2 * rho * s1 * s2 / (sp.sqrt(1 + 2 * s1**2) * sp.sqrt(1 + 2 * s2**2))
erf_means = erf_mean.rhs.subs({mu: mu1, s: s1}) * erf_mean.rhs.subs({mu: mu2, s: s2})

erf_covariance = Law(
    Cov(h1, h2),
    4 * Phi2(A, B, R) - 4 * Phi(A) * Phi(B),
    solves=lambda f: (f.diff(rho) - s1 * s2 * (f + erf_means).diff(mu1, mu2), f.subs(rho, 0)),
    given=SPREAD,
    source=Source("derived here", "Price's theorem; at mu1 = mu2 and rho = 1 the variance"),
    examples=TWO,
)

T = sp.sqrt(1 + s**2)

gelu_mean = Law(
    E(h),
    mu * Phi(mu / T) + s**2 / T * phi(mu / T),
    solves=diffuses(gelu),
    given=(s >= 0,),
    source=Source("derived here", "Stein's lemma"),
    examples=ALONE,
)

T1, T2 = (sp.sqrt(1 + t**2) for t in (s1, s2))
shared = rho * s1 * s2
a1, a2, r = mu1 / T1, mu2 / T2, shared / (T1 * T2)
rest = sp.sqrt(1 - r**2)
both = Phi2(a1, a2, r)  # z Phi(z) = E[z 1(u < z)], u a normal variable of its own: both (z - u) are above 0
at_first, at_second = phi(a1) * Phi((a2 - r * a1) / rest) / T1, phi(a2) * Phi((a1 - r * a2) / rest) / T2
at_both = phi(a1) * phi((a2 - r * a1) / rest) / (rest * T1 * T2)
gelu_means = gelu_mean.rhs.subs({mu: mu1, s: s1}) * gelu_mean.rhs.subs({mu: mu2, s: s2})


@cache
def gelu_product():
    """E[z1 z2 1(both)]: by Stein's lemma z adds slopes in both means, weighted with its covariances."""
    once = mu2 * both + s2**2 * both.diff(mu2) + shared * both.diff(mu1)
    return mu1 * once + s1**2 * once.diff(mu1) + shared * once.diff(mu2)


gelu_covariance = Law(
    Cov(h1, h2),
    (mu1 * mu2 + shared) * both
    + (s1**2 * mu2 + shared * mu1 / T1**2) * at_first
    + (s2**2 * mu1 + shared * mu2 / T2**2) * at_second
    + (s1**2 * s2**2 + shared**2 * (1 / T1**2 + 1 / T2**2 - 1)) * at_both
    - gelu_means,
    solves=lambda f: (f + gelu_means - gelu_product(), f.subs(rho, 0)),
    given=SPREAD,
    source=Source("derived here", "Stein's lemma, twice"),
    examples=TWO,
)

a, u = mu / T, mu / (T * sp.sqrt(1 + 2 * s**2))

gelu_mean_square = Law(
    E(h**2),
    (mu**2 + s**2) * Phi2(a, a, s**2 / T**2)
    + 2 * mu * s**2 * (1 + 1 / T**2) * phi(a) / T * Phi(u)
    + 2 * s**4 / (T**2 * sp.sqrt(1 + 2 * s**2)) * phi(a) * phi(u),
    solves=lambda f: (f - gelu_product().subs({mu1: mu, s1: s, mu2: mu, s2: s, rho: 1}), f.subs(s, 0) - gelu(mu) ** 2),
    given=(s >= 0,),
    source=Source("derived here", "Stein's lemma, twice"),
    examples=ALONE,
)

TAIL = sp.exp(-sp.Abs(mu) / beta)
LAPLACE = (beta > 0,)


def resolved(slope, at_kink, degree):
    """A moment under Laplace noise by its slope in mu, its value at the kink and its degree in mu and beta."""
    return lambda f: (
        f.diff(mu) - slope,
        f.subs(mu, 0) - at_kink,
        mu * f.diff(mu) + beta * f.diff(beta) - degree * f,
    )


laplace_shift = Law(
    E(eta),
    beta / 2 * sp.exp(-sp.Abs(mu) / beta),
    solves=resolved(-sp.sign(mu) * TAIL / 2, beta / 2, 1),
    given=LAPLACE,
    source=Source("derived here", "noise that is Laplace along the unit's weights"),
    examples=tuple(dict(mu=m, beta=0.6) for m in (-0.7, 0.4, 3.2)),
)

laplace_second_moment_off = Law(
    E(eta**2),
    beta**2 * sp.exp(mu / beta),
    solves=resolved(beta * sp.exp(mu / beta), beta**2, 2),
    given=(*LAPLACE, mu <= 0),
    source=Source("derived here", "noise that is Laplace along the unit's weights"),
    examples=tuple(dict(mu=m, beta=0.6) for m in (-0.7, -0.1, -3.2)),
)

laplace_second_moment_on = Law(
    E(eta**2),
    2 * beta**2 - (beta**2 + beta * mu) * sp.exp(-mu / beta),
    solves=resolved(mu * sp.exp(-mu / beta), beta**2, 2),
    given=(*LAPLACE, mu >= 0),
    source=Source("derived here", "noise that is Laplace along the unit's weights"),
    examples=tuple(dict(mu=m, beta=0.6) for m in (0.7, 0.1, 3.2)),
)


def derive_activations() -> tuple[Step, ...]:
    """Heat equation, Stein's lemma, and the tails of Laplace noise."""
    x = sp.Symbol("x", real=True)
    p, F, C = sp.Function("p"), sp.Function("F"), sp.Function("C")
    density = {p(x, mu, s): phi((x - mu) / s) / s}
    noise = sp.exp(-x / beta) / (2 * beta)
    tail = {F(x): -((mu + x) + beta) * sp.exp(-x / beta) / 2}
    square = {F(x): -((mu + x) ** 2 + 2 * beta * (mu + x) + 2 * beta**2) * sp.exp(-x / beta) / 2}
    return (
        Step("the density of mu + s g diffuses", sp.Eq(p(x, mu, s).diff(s), s * p(x, mu, s).diff(mu, 2)), density),
        Step("so does every noise average; of erf it is erf again",
             sp.Eq(F(s).diff(s), s * erf_mean.rhs.diff(mu, 2)), {F(s): erf_mean.rhs}),
        Step("and of GELU", sp.Eq(F(s).diff(s), s * gelu_mean.rhs.diff(mu, 2)), {F(s): gelu_mean.rhs}),
        Step("and of its square",
             sp.Eq(F(s).diff(s), s * gelu_mean_square.rhs.diff(mu, 2)), {F(s): gelu_mean_square.rhs}),
        Step("two units correlate by Price's theorem",
             sp.Eq(C(rho).diff(rho), s1 * s2 * (erf_covariance.rhs + erf_means).diff(mu1, mu2)),
             {C(rho): erf_covariance.rhs}),
        Step("and so do GELU units",
             sp.Eq(C(rho).diff(rho), s1 * s2 * (gelu_covariance.rhs + gelu_means).diff(mu1, mu2)),
             {C(rho): gelu_covariance.rhs}),
        Step("the upper tail of Laplace noise", sp.Eq(F(x).diff(x), (mu + x) * noise), tail),
        Step("from the kink of a silent unit on", sp.Eq(-F(mu), laplace_shift.rhs), {F(x): tail[F(x)].subs(mu, -mu)},
             (*LAPLACE, mu > 0)),
        Step("its second moment", sp.Eq(F(x).diff(x), (mu + x) ** 2 * noise), square),
    )  # fmt: skip
