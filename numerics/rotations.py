"""The distance of two operators up to rotation, min |A - C B C^T| over orthogonal C, searched for from many starts.

Descent over the group with Barzilai and Borwein's steps: C moves to exp(-step S) C, S the skew part of the slope.  Half
of the starts have determinant 1 and half -1; no path leads from one half to the other.  The landscape has many local
minima: what is found is an upper bound.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

from numerics.checks import numbers_of, real, whole

MOST = 2000  # steps from one start


def distance(A, B, *, starts: int = 8, seed: int = 0, tolerance: float = 1e-7, proper: bool = False) -> float:
    """The least |A - C B C^T| found over orthogonal C.

    Args:
        A: one operator, shape (n, n).
        B: the other, shape (n, n).
        starts: random orthogonal matrices to start from; of each determinant, or of determinant 1 if `proper`.
        seed: of the starts.
        tolerance: where the slope falls below it, relative to |A| |B|, the search has converged; the squared
            distance is then right to about its square.
        proper: whether only rotations count, not reflections.

    Raises:
        ValueError, TypeError: an argument makes no sense.
        ArithmeticError: no start has converged.
    """
    first, second = numbers_of("A", A), numbers_of("B", B)
    if first.ndim != 2 or first.shape != second.shape or first.shape[0] != first.shape[1]:
        raise ValueError(f"A has shape {first.shape} and B {second.shape}: both must be (n, n)")
    if not 0 < real("tolerance", tolerance) < 1:
        raise ValueError(f"tolerance = {tolerance!r} must be between 0 and 1")
    draw, found = np.random.default_rng(seed), []
    for _ in range(whole("starts", starts)):
        for sign in (1.0,) if proper else (1.0, -1.0):
            found.append(_descend(first, second, _orthogonal(len(first), sign, draw), tolerance))
    if not np.isfinite(found).any():
        raise ArithmeticError(f"distance: none of {len(found)} starts has converged in {MOST} steps")
    return float(np.sqrt(np.nanmin(found)))


def _descend(A, B, C, tolerance) -> float:
    """The squared distance at the local minimum below C; nan if it is not reached."""
    size = np.linalg.norm(A) * np.linalg.norm(B)
    rotated, step = C @ B @ C.T, 1 / (4 * size + 1e-300)
    value, slope = ((A - rotated) ** 2).sum(), _slope(A, rotated)
    for _ in range(MOST):
        if np.linalg.norm(slope) <= tolerance * size:
            return float(value)
        while True:
            turn = expm(-step * slope)
            after = turn @ rotated @ turn.T
            lower = ((A - after) ** 2).sum()
            if lower <= value + 1e-13 * size or step * size < 1e-14:
                break
            step /= 4
        new = _slope(A, after)
        moved, bent = -step * slope, new - slope
        curvature = abs((moved * bent).sum())
        step = min((moved**2).sum() / curvature, 1 / np.linalg.norm(new)) if curvature > 0 else step
        rotated, value, slope = after, lower, new
    return np.nan


def _slope(A, M):
    """The skew S along which M -> exp(-h S) M exp(h S) lowers |A - M|^2 fastest: by |S|^2 h."""
    G = A @ M.T - M.T @ A
    return G.T - G


def _orthogonal(n: int, sign: float, draw) -> np.ndarray:
    C = np.linalg.qr(draw.normal(size=(n, n)))[0]
    if np.sign(np.linalg.det(C)) != sign:
        C[:, 0] *= -1
    return C
