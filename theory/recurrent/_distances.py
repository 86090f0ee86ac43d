"""Exact distances between operators up to rotation, and what to expect of random weights; (17) to (22)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import sympy as sp
from scipy.optimize import linear_sum_assignment

from laws.arrays import real_array
from laws.law import Law, Source, Step, formula

x, y, z, u, sigma = sp.symbols("x y z u sigma", real=True)
x1, y1, x2, y2 = sp.symbols("x1 y1 x2 y2", real=True)
k = sp.Symbol("k", real=True)
squared = sp.Symbol("D", real=True)


def block(x, y):
    """R(x, y), the real form of x + i y."""
    return sp.Matrix([[x, -y], [y, x]])


def square(M):
    """The sum of squares of all entries."""
    return sum(entry**2 for entry in M)


def four(x, y, z, u):
    """The pair A, B whose eigenvalues cannot be matched."""
    return sp.diag(block(x, y), block(-x, y)), sp.diag(block(0, z), u, -u)


def best_rotation(k):
    """Columns c1, ..., c4 of a rotation with (K c1).c2 = k and the most that leaves for c3, c4."""
    g = sp.sqrt(1 - k**2)
    p, q = sp.sqrt((1 + g) / 2), sp.sqrt((1 - g) / 2)
    columns = [(q, 0, -p, 0), (0, k * q + g * p, 0, g * q - k * p), (p, 0, q, 0), (0, g * q - k * p, 0, -k * q - g * p)]
    return sp.Matrix(columns).T


def _attained(D):
    """What is left between a candidate and the distance at the best rotation."""
    A, B = four(x, y, z, u)
    C = best_rotation(y * z / sp.sqrt(u**2 * x**2 + y**2 * z**2))
    return (D - square(A - C * B * C.T),)


unmatched_distance = Law(
    squared,
    4 * x**2 + 4 * y**2 + 2 * z**2 + 2 * u**2 - 4 * sp.sqrt(u**2 * x**2 + y**2 * z**2),
    solves=_attained,
    given=(x > 0, y > 0, z > 0, u > 0),
    source=Source("derived here", "min |A - C B C^T|^2 over O(4), A = R(x,y) + R(-x,y), B = R(0,z) + u + (-u)"),
    examples=(dict(x=1.3, y=0.7, z=0.9, u=1.6), dict(x=0.4, y=1.9, z=0.6, u=0.8)),
)

planar_distance = Law(
    squared,
    2 * (x1 - x2) ** 2 + 2 * (sp.Abs(y1) - sp.Abs(y2)) ** 2,
    solves=lambda D: (
        D - sp.Min(square(block(x1, y1) - block(x2, y2)), square(block(x1, y1) - block(x2, -y2))),
    ),
    given=(),
    source=Source("derived here", "min |R(x1, y1) - C R(x2, y2) C^T|^2 over O(2)"),
    examples=(
        dict(x1=1.3, y1=0.7, x2=0.4, y2=-1.6),
        dict(x1=0.4, y1=-1.9, x2=0.6, y2=-0.8),
        dict(x1=0.2, y1=0.9, x2=-0.6, y2=1.7),
    ),
)  # fmt: skip

rotation_distance = Law(
    squared,
    2 * (x1 - x2) ** 2 + 2 * (y1 - y2) ** 2,
    solves=lambda D: (sp.expand(D - square(block(x1, y1) - block(x2, y2))),),
    given=(),
    source=Source("derived here", "min |R(x1, y1) - C R(x2, y2) C^T|^2 over SO(2), which leaves R as it is"),
    examples=planar_distance.examples,
)

pair_null = Law(
    squared,
    6 * sigma**2,
    solves=lambda D: (D - (8 * sigma**2 - 2 * sigma / sp.sqrt(sp.pi) * _mean_radius(sp.sqrt(2) * sigma)),),
    given=(sigma > 0,),
    source=Source("derived here", "mean of min_P |W1 - P^T W2 P|^2 for two 2 x 2 matrices of normal numbers"),
    examples=(dict(sigma=0.7), dict(sigma=2.3)),
)


def _mean_radius(scale):
    """The mean of the length of two independent normal numbers."""
    return scale * sp.sqrt(2) * sp.gamma(sp.Rational(3, 2))


@formula(
    r"""\min_C |A - C B C^T| = \left( \sum_k (\alpha_k - \beta_k)^2 \right)^{1/2},
    \quad \alpha_1 \le \alpha_2 \le \dots,
    \quad \beta_1 \le \beta_2 \le \dots"""
)
def symmetric_distance(A, B) -> float:
    """Min |A - C B C^T| over orthogonal C for symmetric A and B: that of their sorted eigenvalues.

    Raises ValueError unless both are symmetric, to round-off, and of one shape.

    Source: Hoffman and Wielandt; equation (17).
    """
    first, second = _pair("symmetric_distance", A, B)
    for name, M in (("A", first), ("B", second)):
        if np.abs(M - M.T).max() > _rounding(M):
            raise ValueError(f"symmetric_distance: {name} is not symmetric: it misses by {np.abs(M - M.T).max():.3g}")
    return float(np.linalg.norm(np.linalg.eigvalsh(first) - np.linalg.eigvalsh(second)))


class Bound(NamedTuple):
    """A lower bound of min |A - C B C^T| over orthogonal C, and whether it is certainly attained."""

    distance: float
    exact: bool


@formula(r"\min_C |A - C B C^T| \ge \left( \min_{\pi} \sum_k |\alpha_k - \beta_{\pi(k)}|^2 \right)^{1/2}")
def hoffman_wielandt(A, B) -> Bound:
    """For real normal A and B: the cheapest assignment of their eigenvalues, in general only a lower bound.

    It is exact if it can be had with every conjugate pair assigned to a conjugate pair; then rotations of
    planes attain it.  That is so if all eigenvalues are real, or none is; see `unmatched_distance` for where it is not.

    Raises ValueError unless both are normal, to round-off, and of one shape.

    Source: Hoffman and Wielandt; the criterion derived here, equation (18).
    """
    first, second = _pair("hoffman_wielandt", A, B)
    for name, M in (("A", first), ("B", second)):
        excess = np.abs(M @ M.T - M.T @ M).max()
        if excess > _rounding(M) * np.linalg.norm(M):
            raise ValueError(f"hoffman_wielandt: {name} is not normal: A A^T and A^T A differ by {excess:.3g}")
    one, other = np.linalg.eigvals(first), np.linalg.eigvals(second)
    cheapest, paired = _cost(one, other), np.inf
    (pairs, reals), (pairs2, reals2) = _by_kind(one, _rounding(first)), _by_kind(other, _rounding(second))
    if len(pairs) == len(pairs2):  # with imaginary parts of one sign pairs meet in their better orientation
        paired = 2 * _cost(pairs, pairs2) + _cost(reals, reals2)
    scale = (np.linalg.norm(first) + np.linalg.norm(second)) * (_rounding(first) + _rounding(second))
    return Bound(float(np.sqrt(cheapest)), bool(paired - cheapest <= scale))


@formula(
    r"""\min_C |A - C B C^T|^2 \ge \max \left\{ x, y \right\}

    x = |\alpha(A_+) - \alpha(B_+)|^2 + |\sigma(A_-) - \sigma(B_-)|^2,
    \quad y = |\sigma(A) - \sigma(B)|^2,
    \quad A_{\pm} = \frac{A \pm A^T}{2}"""
)
def spectral_bound(A, B) -> float:
    """A certified lower bound of min |A - C B C^T| over orthogonal C, for any real A and B of one shape.

    The larger of two: C moves symmetric and skew parts apart, and the singular values of each part stay.

    Source: Mirsky; derived here, equation (20).
    """
    first, second = _pair("spectral_bound", A, B)
    singular = lambda M: np.linalg.svd(M, compute_uv=False)  # noqa: E731
    even = np.linalg.eigvalsh((first + first.T) / 2) - np.linalg.eigvalsh((second + second.T) / 2)
    odd = singular((first - first.T) / 2) - singular((second - second.T) / 2)
    whole = singular(first) - singular(second)
    return float(max(np.hypot(np.linalg.norm(even), np.linalg.norm(odd)), np.linalg.norm(whole)))


def permutation_bound(n: int, sigma: float) -> float:
    """A lower bound of the mean of min_P |W1 - P^T W2 P|^2 for untrained n x n weights, P over permutations.

    For independent entries, normal or uniform, of mean 0 and variance sigma^2: 2 n^2 sigma^2 less the most that
    the largest of n! sub-Gaussian numbers can be on average.

    Raises ValueError unless n >= 1 and sigma > 0.

    Source: derived here, equation (22).
    """
    if n < 1 or not 0 < sigma < math.inf:
        raise ValueError(f"permutation_bound: n = {n!r} and sigma = {sigma!r} must be positive")
    return 2 * n**2 * sigma**2 - n * sigma**2 * 2 * math.sqrt(2 * math.lgamma(n + 1))


def derive_distances() -> tuple[Step, ...]:
    """The distance of the unmatched pair, step by step; the orbit in the plane; the largest of many random numbers."""
    A, B = four(x, y, z, u)
    C, M = best_rotation(sp.Rational(3, 5)), sp.MatrixSymbol("C", 4, 4)
    mixed, alpha, lost, best = sp.symbols("F alpha rest best", real=True)
    weight, most, L = sp.symbols("v m L", positive=True)
    radius = sp.Symbol("r", positive=True)
    inner = (A.T * C * B * C.T).trace()
    ahead = u * x * sp.sqrt(1 - k**2) + y * z * k
    behind = u * x * k - y * z * sp.sqrt(1 - k**2)
    chance = sp.Function("P")(radius)
    (p11, p12, p21, p22), (q11, q12, q21, q22) = (sp.symbols(f"{name}11 {name}12 {name}21 {name}22", real=True)
                                                  for name in "pq")  # fmt: skip
    first, second = sp.Matrix([[p11, p12], [p21, p22]]), sp.Matrix([[q11, q12], [q21, q22]])
    swap = sp.Matrix([[0, 1], [1, 0]])
    mirror, plane, turned = (sp.MatrixSymbol(name, 2, 2) for name in ("F", "R", "R'"))
    return (
        Step("a rotation changes nothing but the mixed term", sp.Eq(square(A - C * B * C.T), square(A) + square(B)
             - 2 * mixed), {mixed: inner}),
        Step("rotations are orthogonal", sp.Eq(M * M.T, sp.Identity(4)), {M: C}),
        Step("for given k = (K c1).c2 the mixed term reaches 2 (u x sqrt(1 - k^2) + y z k)",
             sp.Eq(mixed, 2 * ahead.subs(k, sp.Rational(3, 5))), {mixed: inner}),
        Step("of alpha = c3.S c3 and k it is at most that, since squares that add up to 1 are at most 1",
             sp.Eq(best**2 + lost**2, 1), {best: alpha * sp.sqrt(1 - k**2) + sp.Abs(k) * sp.sqrt(1 - alpha**2),
             lost: alpha * sp.Abs(k) - sp.sqrt(1 - alpha**2) * sp.sqrt(1 - k**2)}),
        Step("and reaches 1 at alpha = sqrt(1 - k^2)",
             sp.Eq(alpha * sp.sqrt(1 - k**2) + sp.Abs(k) * sp.sqrt(1 - alpha**2), 1), {alpha: sp.sqrt(1 - k**2)}),
        Step("as squares do that add up to u^2 x^2 + y^2 z^2, whatever k",
             sp.Eq(best**2 + lost**2, u**2 * x**2 + y**2 * z**2), {best: ahead, lost: behind}),
        Step("reflections turn the plane around", sp.Eq(mirror * plane * mirror, turned),
             {mirror: sp.diag(1, -1), plane: block(x2, y2), turned: block(x2, -y2)}),
        Step("symmetric and skew parts are apart by themselves", sp.Eq(square(first), square(first + first.T) / 4
             + square(first - first.T) / 4)),
        Step("two permutations of two units differ by products of two differences, the smaller being half of their sum"
             " less half of this", sp.Eq(lost / 2, (p11 - p22) * (q11 - q22) + (p12 - p21) * (q12 - q21)),
             {lost: square(first - swap * second * swap) - square(first - second)}),
        Step("the length of two normal numbers has this density", sp.Eq(chance.diff(radius), radius / (2 * sigma**2)
             * sp.exp(-(radius**2) / (4 * sigma**2))), {chance: 1 - sp.exp(-(radius**2) / (4 * sigma**2))}),
        Step("the best exponent in Chernoff's bound of the largest of many",
             sp.Eq(L / most + most * weight / 2, sp.sqrt(2 * weight * L)), {most: sp.sqrt(2 * L / weight)}),
    )  # fmt: skip


def _cost(one, other) -> float:
    gaps = np.abs(np.subtract.outer(one, other)) ** 2
    return float(gaps[linear_sum_assignment(gaps)].sum())


def _by_kind(eigenvalues, rounding):
    """Those in the upper half plane, one of each pair, and the real ones."""
    return eigenvalues[eigenvalues.imag > rounding], eigenvalues[np.abs(eigenvalues.imag) <= rounding]


def _rounding(M) -> float:
    return 8 * len(M) * np.finfo(float).eps * float(np.linalg.norm(M))


def _pair(who: str, A, B) -> tuple[np.ndarray, np.ndarray]:
    first, second = real_array(f"{who}: A", A), real_array(f"{who}: B", B)
    if first.ndim != 2 or first.shape != second.shape or first.shape[0] != first.shape[1]:
        raise ValueError(f"{who}: A has shape {first.shape} and B {second.shape}; both must be (n, n)")
    return first, second
