"""The least |W1 - P^T W2 P| over permutations of units, or over permutations and changes of sign.

tanh is odd: a unit whose weights all change their sign says the same with the opposite sign, so that signed
permutations are symmetries of a network of tanh units, as permutations are of any.  The search climbs the overlap
tr W1^T P^T W2 P over all means of (signed) permutations by Frank and Wolfe's steps, each of which is one assignment,
goes to the nearest corner, and then exchanges two units, or changes the sign of one, as long as that gains (Vogelstein
et al., "Fast approximate quadratic programming for graph matching", 2015).  What is found is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from numerics.checks import numbers_of, whole

MOST = 60  # of Frank and Wolfe's steps


@dataclass(frozen=True)
class Permutations:
    """Exchanges of units alone."""

    def corner(self, slopes: np.ndarray) -> np.ndarray:
        """The permutation matrix Y of the largest sum of slopes Y."""
        return _assigned(slopes)

    def first(self, A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, ...]:
        """Where to start from, besides the identity: the mean of all permutations."""
        return (np.full(A.shape, 1 / len(A)),)

    def flips(self, overlaps: np.ndarray) -> np.ndarray:
        """What is gained by a change of sign: it is not allowed."""
        return np.full(len(overlaps), -np.inf)


@dataclass(frozen=True)
class SignedPermutations:
    """Exchanges of units and changes of their signs."""

    def corner(self, slopes: np.ndarray) -> np.ndarray:
        """The signed permutation matrix Y of the largest sum of slopes Y."""
        return _assigned(np.abs(slopes)) * np.where(slopes < 0, -1.0, 1.0)

    def first(self, A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, ...]:
        """Where to start from: how the sizes of weights, which know no sign, meet best, with the signs that suit."""
        Y = _climbed(np.abs(A), np.abs(B), np.full(A.shape, 1 / len(A)), Permutations())
        overlaps = A * (Y @ B @ Y.T)
        signs = np.where(np.linalg.eigh(overlaps + overlaps.T)[1][:, -1] < 0, -1.0, 1.0)
        return (signs[:, None] * Y,)

    def flips(self, overlaps: np.ndarray) -> np.ndarray:
        """What each unit would gain by a change of its sign, of the overlaps W1 * W2 of entries."""
        own = np.diag(overlaps)
        return -2 * (overlaps.sum(0) + overlaps.sum(1) - 2 * own)


Symmetry = Permutations | SignedPermutations


class Match(NamedTuple):
    """How two matrices of weights meet.

    Attributes:
        distance: the least found |W1 - M|, M = signs_i signs_j W2[permutation_i, permutation_j].
        relative: the same over sqrt(|W1|^2 + |W2|^2): 0 for equal ones, 1 for weights at right angles.
        unaligned: |W1 - W2|, as they stand.
        permutation: (n,).
        signs: (n,), all 1 for permutations alone.
        spread: the worst local minimum of all starts, less the best.
        by: the symmetry.
        starts: random ones of the search, each with its transpose.
        seed: of these.
    """

    distance: float
    relative: float
    unaligned: float
    permutation: np.ndarray
    signs: np.ndarray
    spread: float
    by: Symmetry
    starts: int
    seed: int


def permutation_distance(W1, W2, *, by: Symmetry | None = None, starts: int = 3, seed: int = 0) -> Match:
    """The permutation-invariant distance of two matrices of recurrent weights, in the units of the weights.

    Nothing is divided by the number of weights: untrained weights of variance 1/n would shrink as n^(-3/2) by that
    alone.  `relative` is the number to compare across sizes and norms.

    Args:
        W1: weights, shape (n, n).
        W2: weights, shape (n, n).
        by: Permutations(), the default, or SignedPermutations().
        starts: random ones, halfway to the mean of all permutations, each with its transpose, besides two others.
        seed: of these.

    Raises ValueError, TypeError: an argument makes no sense.

    Source: Huang et al. 2025, the distance PIF of recurrent weights.
    """
    one, other, symmetry = numbers_of("W1", W1), numbers_of("W2", W2), by or Permutations()
    if one.ndim != 2 or one.shape != other.shape or one.shape[0] != one.shape[1] or not one.size:
        raise ValueError(f"W1 has shape {one.shape} and W2 {other.shape}: both must be (n, n), of one unit or more")
    if not isinstance(symmetry, (Permutations, SignedPermutations)):
        raise TypeError(f"by = {by!r} is no symmetry: give Permutations() or SignedPermutations()")
    found = _search(one, other, symmetry, whole("starts", starts, 0), whole("seed", seed, 0))
    distance, Y = min(found, key=lambda pair: pair[0])
    permutation = np.abs(Y).argmax(1)
    size = float(np.hypot(np.linalg.norm(one), np.linalg.norm(other)))
    return Match(
        distance=distance,
        relative=distance / size if size else 0.0,
        unaligned=float(np.linalg.norm(one - other)),
        permutation=permutation,
        signs=Y[np.arange(len(Y)), permutation],
        spread=max(value for value, _ in found) - distance,
        by=symmetry,
        starts=starts,
        seed=seed,
    )


def _search(A, B, symmetry: Symmetry, count: int, seed: int) -> list[tuple[float, np.ndarray]]:
    """Distance and corner of every start: the identity; what suits the symmetry; random corners with their transposes.

    Signed permutations start from all that permutations alone have found as well.
    """
    draw, mean = np.random.default_rng(seed), np.full(A.shape, 1 / len(A))
    starts = [np.eye(len(A)), *symmetry.first(A, B)]
    for _ in range(count):
        corner = symmetry.corner(draw.normal(size=A.shape))
        starts += [(mean + corner) / 2, (mean + corner.T) / 2]
    ends = [_climbed(A, B, Y, symmetry) for Y in starts]
    if symmetry != Permutations():
        ends += [Y for _, Y in _search(A, B, Permutations(), count, seed)]
    ends = [_exchanged(A, B, Y, symmetry) for Y in ends]
    return [(float(np.linalg.norm(A - Y @ B @ Y.T)), Y) for Y in ends]


def _climbed(A, B, Y, symmetry: Symmetry) -> np.ndarray:
    """The corner nearest to where Frank and Wolfe's steps end."""
    for _ in range(MOST):
        slopes = A @ Y @ B.T + A.T @ Y @ B
        way = symmetry.corner(slopes) - Y
        first, second = (slopes * way).sum(), ((A @ way @ B.T) * way).sum()
        if first <= 1e-12 * np.linalg.norm(A) * np.linalg.norm(B):
            break
        Y = Y + way * (min(1.0, -first / (2 * second)) if second < 0 else 1.0)
    return symmetry.corner(Y)


def _exchanged(A, B, Y, symmetry: Symmetry) -> np.ndarray:
    """A corner from which no exchange of two units, and no change of a sign, gains anything."""
    least = 1e-12 * np.linalg.norm(A) * np.linalg.norm(B)
    while True:
        moved = Y @ B @ Y.T
        swaps, flips = _swaps(A, moved), symmetry.flips(A * moved)
        i, j = np.unravel_index(swaps.argmax(), swaps.shape)
        k = flips.argmax()
        if max(swaps[i, j], flips[k]) <= least:
            return Y
        Y = Y.copy()
        if swaps[i, j] >= flips[k]:
            Y[[i, j]] = Y[[j, i]]
        else:
            Y[k] *= -1


def _swaps(A, B) -> np.ndarray:
    """What the overlap of A and B gains if units i and j of B change places, for all pairs; (n, n), symmetric."""
    common = A @ B.T + A.T @ B  # of row and column i of A with row and column j of B
    own = np.diag(common)
    ends = [np.add.outer(np.diag(M), np.diag(M)) - M - M.T for M in (A, B)]  # the four entries of i and j themselves
    return common + common.T - np.add.outer(own, own) + ends[0] * ends[1]


def _assigned(gains: np.ndarray) -> np.ndarray:
    Y = np.zeros_like(gains)
    Y[linear_sum_assignment(gains, maximize=True)] = 1
    return Y
