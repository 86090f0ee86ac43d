"""Dynamical similarity: distances of the operators that trajectories follow, of a pair or of all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from numerics.checks import not_negative, numbers_of, real, whole
from numerics.degeneracy import _rotations
from numerics.degeneracy._operators import Ambient, Coordinates, Operator, Whitened

AT_ONCE = 2**21  # numbers in the operators of a batch of starts: what the caches hold


@dataclass(frozen=True)
class Distance:
    """The distance of two dynamics up to rotation, and all that it depends on.

    Attributes:
        distance: the least |A - C B C^T| found.
        relative: the same over sqrt(|A|^2 + |B|^2).
        bound: what no C comes below.
        spread: the worst local minimum of all starts, less the best.
        rotation: C, shape (rank, rank).
        unexplained: shares of the next step that the two operators leave unexplained.
        by: the coordinates, with the rank and the delays that were asked for; None if operators were given.
        rank: that of the operators.  Nothing is divided by it, nor by anything else.
        draws: random starts of the search.
        seed: of these.
        tolerance: where a search has ended.
    """

    distance: float
    relative: float
    bound: float
    spread: float
    rotation: np.ndarray
    unexplained: tuple[float, float]
    by: Coordinates | None
    rank: int
    draws: int
    seed: int
    tolerance: float


@dataclass(frozen=True)
class Distances:
    """The same of all pairs of m dynamics: distance, relative, bound and spread of shape (m, m); unexplained, (m,)."""

    distance: np.ndarray
    relative: np.ndarray
    bound: np.ndarray
    spread: np.ndarray
    unexplained: np.ndarray
    by: Coordinates | None
    rank: int
    draws: int
    seed: int
    tolerance: float


def dsa(
    trajectories_a,
    trajectories_b,
    *,
    by: Coordinates | None = None,
    draws: int = 38,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> Distance:
    """The distance of two dynamics, of states along trials: a distance, 0 for the same, in units of the operators.

    Args:
        trajectories_a: states, (trials, time, units), or a list of (time, units) of any lengths; or an Operator.
        trajectories_b: those of the other; trials, times and units need not be as many.
        by: Whitened() or Ambient(), with rank and delays; by default Whitened() of every direction that each has, as
            many in both.  Whitening lifts directions at the level of noise to the size of all others: give a rank.
            States are taken as they are, not centred.  Operators have been found in coordinates, and are given without.
        draws: random starts of the search, the same for every pair, besides the identity and one that A and B suggest.
        seed: of these.
        tolerance: slopes below it, relative to |A| |B|, end a search.

    Raises ValueError, TypeError: an argument makes no sense, the operators differ in rank, or trials have no more steps
    than that, so that least squares would fit whatever they are.

    Source: Ostrow et al. 2023, as used by Huang et al. 2025; equation (1) of `numerics.degeneracy`.
    """
    coordinates, (a, b) = _operators((trajectories_a, trajectories_b), by)
    if len(a.matrix) != len(b.matrix):
        raise ValueError(f"by = {by!r}: the dynamics have {len(a.matrix)} and {len(b.matrix)} directions; give a rank")
    A, B = a.matrix[None], b.matrix[None]
    found, rotation = _search(A, B, draws, seed, tolerance)
    return Distance(
        distance=float(found.min()),
        relative=float(found.min() / _size(A, B)[0]),
        bound=float(_rotations.bounds(A, B)[0]),
        spread=float(np.ptp(found)),
        rotation=rotation[0],
        unexplained=(a.unexplained, b.unexplained),
        by=coordinates,
        rank=len(a.matrix),
        draws=draws,
        seed=seed,
        tolerance=tolerance,
    )


def dsa_matrix(
    trajectories: Sequence, *, by: Coordinates | None = None, draws: int = 38, seed: int = 0, tolerance: float = 1e-4
) -> Distances:
    """The distances of all pairs of dynamics, searched for side by side; see `dsa`."""
    coordinates, operators = _operators(trajectories, by)
    ranks = {len(operator.matrix) for operator in operators}
    if len(operators) < 2 or len(ranks) != 1:
        raise ValueError(f"trajectories: two dynamics or more of one rank are needed, not of ranks {sorted(ranks)}")
    every = np.array([operator.matrix for operator in operators])
    m, (one, other) = len(every), np.triu_indices(len(every), 1)
    values = np.zeros((4, m, m))
    few = max(1, AT_ONCE // (2 + draws) // every[0].size)
    for first in range(0, len(one), few):
        i, j = one[first : first + few], other[first : first + few]
        found, _ = _search(every[i], every[j], draws, seed, tolerance)
        least = found.min(1)
        rows = least, least / _size(every[i], every[j]), _rotations.bounds(every[i], every[j]), np.ptp(found, axis=1)
        values[:, i, j] = values[:, j, i] = rows
    distance, relative, bound, spread = values
    unexplained = np.array([operator.unexplained for operator in operators])
    how = coordinates, len(every[0]), draws, seed, tolerance
    return Distances(distance, relative, bound, spread, unexplained, *how)


def _search(A, B, draws, seed, tolerance):
    if not 0 < real("tolerance", tolerance) < 1:
        raise ValueError(f"tolerance = {tolerance!r} must be between 0 and 1")
    return _rotations.search(A, B, whole("draws", draws, 0), whole("seed", seed, 0), tolerance)


def _size(A, B):
    return np.maximum(np.hypot(_rotations.norm(A), _rotations.norm(B)), np.finfo(float).tiny)


def _operators(given, by: Coordinates | None) -> tuple[Coordinates | None, list[Operator]]:
    """Operators, and the coordinates in which they were found here."""
    if by is not None and not isinstance(by, (Whitened, Ambient)):
        raise TypeError(f"by = {by!r} are no coordinates: give Whitened() or Ambient()")
    known = [isinstance(part, Operator) for part in given]
    if not any(known):
        coordinates = by or Whitened()
        return coordinates, [coordinates.operator(part) for part in given]
    if by is not None or not all(known):
        raise TypeError(f"by = {by!r}: operators are compared with operators, without coordinates")
    for k, operator in enumerate(given):
        matrix = numbers_of(f"trajectories[{k}].matrix", operator.matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
            raise ValueError(f"trajectories[{k}].matrix has shape {matrix.shape}: an operator is (n, n)")
        not_negative(f"trajectories[{k}].unexplained", operator.unexplained)
    return None, list(given)
