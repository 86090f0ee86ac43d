"""The landscape of deep linear networks: a hierarchy of saddles, and how runs pass through it.

Problem.  A network of D layers and n hidden units in each learns white inputs of variance lam whose
correlation with the targets has m modes, s_1 > ... > s_m > 0.  Its loss is, up to a constant,

    L = |S - lam W_D ... W_1|^2 / (2 lam),     S = U diag(s_1, ..., s_m) V^T.                 (1)

Every set of r <= n learnt modes is a critical set: the product of the layers is a_j = s_j/lam along the
learnt modes and 0 along the rest.  Each unlearnt mode costs s^2/(2 lam) there.

Curvature.  Take balanced layers, each learnt mode j in a hidden unit of its own.  To first order that unit
may turn its input towards v_k and its output towards u_k of an unlearnt mode k; along c = d the loss then
curves by

    a_j^(1 - 2/D) (s_j - s_k),                                                                (2)

negative if and only if the mode that is learnt is the weaker one.  With two layers a unit that is not yet used
learns mode k along a direction of curvature -s_k; with three or more it takes all layers at once, and the
curvature is 0.  All other directions curve upwards or not at all.  So the Morse index of the saddle is

    (n - r)(m - r) [two layers] + number of pairs (learnt j, unlearnt k) with s_k > s_j.      (3)

With two layers every saddle is strict; with more, those where the r strongest modes are learnt are not,
though each of them has ways down.  It does not depend on balance: layers that differ by an invertible
matrix and its inverse have congruent Hessians.

Runs.  From small weights a run of two layers passes the saddles of the strongest modes, one after the other,
and no others.  If mode 1 is learnt as mode 2 still grows, both from strength a0, it passes the saddle between
them at a distance that shrinks as

    a0^p,     p = (s_1 - s_2)/(2 s_1 + s_2).                                                  (4)

Which saddles it visits is the same for every seed, but not when: normal weights of variance sigma^2 start a mode
at a0 = |c + d|^2/4, which is sigma^2/2 times a chi-square variable with n degrees of freedom, and its
half-time is before t with the probability that a0 is above (s/lam) e^(-2 s t/tau).

Proved.  The curvatures are second derivatives of (1) along the stated directions; the index solves its
recursion in n; (4) is where what is left of mode 1 equals what mode 2 has grown to; the distribution function has the
chi-square density for its derivative.  That no other direction falls is shown on real networks.
"""

from collections.abc import Collection

import numpy as np
import sympy as sp
from scipy.special import gammaincc

from laws.law import Law, Source, Step, formula

s, lam, D, tau, t = sp.symbols("s lam D tau t", real=True)
s1, s2, sj, sk, n, m, r, sigma = sp.symbols("s1 s2 s_j s_k n m r sigma", real=True)
x = sp.Symbol("x", real=True)
plateau, curvature, index, power = sp.symbols("L kappa i p", real=True)
F = sp.Function("F")
SLIDE = Source("saxe-slides", "Depth introduces a hierarchy of saddle points; derived here")


def _curves(loss):
    """The second derivative of a loss along x, at x = 0."""
    return sp.diff(loss, x, 2).subs(x, 0)


def _one_mode(output):
    """What one mode adds to the loss (1) at this output."""
    return (s - lam * output) ** 2 / (2 * lam)


def _turned(depth):
    """What a unit of mode j that turns towards mode k by x/sqrt(2), in and out, adds to first and second order."""
    a = sj / lam
    return a ** (1 - 1 / depth) * x / sp.sqrt(2), a ** (1 - 2 / depth) * x**2 / 2


def _turning(depth):
    """The loss (1) meanwhile: two entries of the product besides modes j and k, and mode k."""
    aside, both = _turned(depth)
    return lam * (aside**2 + aside**2) / 2 + _one_mode(both).subs(s, sk)


plateau_loss = Law(
    plateau,
    s**2 / (2 * lam),
    solves=lambda L: (L - (_one_mode(0) - _one_mode(s / lam)),),
    given=(s > 0, lam > 0),
    source=SLIDE,
    examples=(dict(s=1.7, lam=0.6), dict(s=0.3, lam=2.9)),
)

escape_curvature = Law(
    curvature,
    -s,
    solves=lambda k: (k - _curves(_one_mode(x**2 / 2)),),
    given=(s > 0,),
    source=Source("derived here", "two layers: a hidden unit that is not yet used"),
    examples=(dict(s=1.7), dict(s=0.3)),
)

exchange_curvature = Law(
    curvature,
    (sj / lam) ** (1 - 2 / D) * (sj - sk),
    solves=lambda k: (k - _curves(_turning(D)),),
    given=(sj > 0, sk > 0, lam > 0, D >= 2),
    source=Source("derived here", "a unit that has learnt mode j, turning towards mode k"),
    examples=(
        dict(s_j=0.4, s_k=1.7, lam=0.6, D=2),
        dict(s_j=1.7, s_k=0.4, lam=0.6, D=3),
        dict(s_j=0.4, s_k=0.9, lam=0.6, D=5),
    ),
)

leading_index = Law(
    index,
    (n - r) * (m - r),
    solves=lambda i: (i.subs(n, n + 1) - i - (m - r), i.subs(n, r), i.subs(m, r)),
    given=(r >= 0, n >= r, m >= r),
    source=Source("derived here", "two layers, the r strongest modes learnt"),
    examples=(dict(n=6, m=4, r=2), dict(n=3, m=5, r=1.5)),
)

closest_approach = Law(
    power,
    (s1 - s2) / (2 * s1 + s2),
    solves=lambda p: (2 * s1 * (sp.S.Half - p) / s2 - 1 - p,),
    given=(s2 > 0, s1 > s2),
    source=Source("derived here", "how the distance from the saddle between modes 1 and 2 shrinks with a0"),
    examples=(dict(s1=1.7, s2=0.4), dict(s1=0.9, s2=0.7)),
)


def _start_at(t):
    """The start from which the half-time is t, over sigma^2; far below s/lam."""
    return s / (lam * sigma**2) * sp.exp(-2 * s * t / tau)


def _gamma_density(z):
    """The density of half of a chi-square variable with n degrees of freedom."""
    return z ** (n / 2 - 1) * sp.exp(-z) / sp.gamma(n / 2)


def _below(z):
    """Its distribution function, as a series."""
    return z ** (n / 2) / sp.gamma(n / 2 + 1) * sp.hyper([n / 2], [n / 2 + 1], -z)


def _waiting(t, s, lam, n, sigma, tau):
    return gammaincc(n / 2, s / (lam * sigma**2) * np.exp(-2 * s * t / tau))


waiting_time = Law(
    F(t),
    sp.uppergamma(n / 2, _start_at(t)) / sp.gamma(n / 2),
    solves=lambda p: (
        p.diff(t) + _gamma_density(_start_at(t)) * _start_at(t).diff(t),
        p - 1 + _below(_start_at(t)),
    ),
    given=(s > 0, lam > 0, tau > 0, n > 0, sigma > 0, t >= 0),
    source=Source("derived here", "individual variability amidst structure: half-times over seeds, as sigma -> 0"),
    examples=tuple(dict(t=t, s=1.7, lam=0.6, tau=1.3, n=n, sigma=0.3) for t, n in ((0.9, 3), (1.1, 5), (1.9, 3))),
    evaluate=_waiting,
)


def critical_loss(strengths, lam: float, learnt: Collection[int]) -> float:
    """The loss (1) where the modes numbered in `learnt` (from 0) are learnt and the others are not.

    Raises ValueError for strengths or lam that are not positive and for modes that do not exist.

    Source: derived here.
    """
    values = _strengths(strengths, learnt)
    return float(sum(plateau_loss(s=v, lam=lam) for k, v in enumerate(values) if k not in learnt))


@formula(
    r"""i = (n - r)(m - r)\, \text{ (two layers only)}
    {} + \# \{ (j, k) : j \text{ learnt}, \ k \text{ not}, \ s_k > s_j \}"""
)
def morse_index(strengths, learnt: Collection[int], *, hidden: int, depth: int) -> int:
    """The number (3) of directions in which the loss falls from where only the modes in `learnt` are learnt.

    Args:
        strengths: singular values, all different and positive.
        learnt: numbers of the learnt modes, from 0; at most `hidden`.
        hidden: units in every hidden layer, at least 1.
        depth: layers, at least 2.

    Raises:
        ValueError: for strengths that coincide, modes that do not exist, and too few units.

    Source: derived here, equation (3).
    """
    values = _strengths(strengths, learnt)
    if len(set(values)) < len(values):
        raise ValueError(f"morse_index: strengths = {strengths!r} coincide: some curvatures are then 0")
    if depth < 2 or hidden < max(1, len(learnt)):
        raise ValueError(f"morse_index: depth = {depth!r}, hidden = {hidden!r} hold no {len(learnt)} modes")
    falls = sum(values[k] > values[j] for j in learnt for k in range(len(values)) if k not in learnt)
    free = (hidden - len(learnt)) * (len(values) - len(learnt)) if depth == 2 else 0
    return int(free + falls)


def _strengths(strengths, learnt) -> list[float]:
    values = [float(v) for v in np.ravel(strengths)]
    if not values or not all(0 < v < np.inf for v in values):
        raise ValueError(f"strengths = {strengths!r} must be positive and finite")
    if len(set(learnt)) < len(learnt) or not set(learnt) <= set(range(len(values))):
        raise ValueError(f"learnt = {learnt!r} must be different modes out of 0 to {len(values) - 1}")
    return values


def derive() -> tuple[Step, ...]:
    """From the loss to its critical sets, their curvatures, and the way of a run among them."""
    c, d, w = sp.symbols("c d w", real=True)
    p, T, ell = sp.symbols("p T ell", real=True)
    aside, both = _turned(D)
    turned = lam * (c**2 + d**2) / 2 + _one_mode(w).subs(s, sk)
    theta = {T: sp.Rational(3, 2) / (2 * s1 + s2), p: closest_approach.rhs}
    left, grown = 2 * s1 * T - 1, sp.S.Half - s2 * T
    return (
        Step("each mode descends its own loss", sp.Eq(-sp.Derivative(_one_mode(c * d), c), d * (s - lam * c * d))),
        Step("it rests unlearnt, at s^2/(2 lam)", sp.Eq(_one_mode(c), s**2 / (2 * lam)), {c: 0}),
        Step("around there two layers fall along c = d", sp.Eq(sp.diff(_one_mode(x**2 / 2), x, 2), -s), {x: 0}),
        Step("three layers do not", sp.Eq(1 + sp.diff(_one_mode(x**3), x, 2), 1), {x: 0}),
        Step(
            "a used unit that turns moves two entries by first order and one by second",
            sp.Eq(_turning(D), turned),
            {c: aside, d: aside, w: both},
        ),
        Step("for two layers this curves by s_j - s_k", sp.Eq(sp.diff(_turning(2), x, 2), sj - sk), {x: 0}),
        Step("when mode 2 has grown to a0^(1/2 - s2 T), a0^(2 s1 T - 1) of mode 1 is left", sp.Eq(left, grown), theta),
        Step("which is how close the run comes", sp.Eq(grown, p), theta),
        Step("sums of squares of normal weights", sp.Eq(sp.Derivative(F(x), x), _gamma_density(x)), {F(x): _below(x)}),
        Step(
            "the start from which the half-time is t",
            sp.Eq(tau / (2 * s) * sp.log(s / (lam * ell)), t),
            {ell: sigma**2 * _start_at(t)},
        ),
    )  # fmt: skip
