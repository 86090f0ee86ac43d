"""What else tells networks apart: what they err outside their training, subspaces, weights and kernels; and maps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numerics.checks import numbers_of, whole


class Behaviour(NamedTuple):
    """How much losses outside the training differ between networks.

    Attributes:
        deviation: their standard deviation, over N and not N - 1, in units of the loss: the published measure.
        of_logarithms: that of their natural logarithms, which knows no unit and is moved less by single networks.
        relative: the deviation over the mean.
        mean: of the losses.
    """

    deviation: float
    of_logarithms: float
    relative: float
    mean: float


def behavioural_degeneracy(losses) -> Behaviour:
    """The spread of losses outside the training, (networks,), all positive.

    Raises ValueError: fewer than two, or one that is not positive.

    Source: Huang et al. 2025, its first line; the others are ours.
    """
    values = numbers_of("losses", losses)
    if values.ndim != 1 or len(values) < 2 or values.min() <= 0:
        raise ValueError(f"losses = {losses!r} must be two or more positive numbers")
    mean = float(values.mean())
    return Behaviour(float(values.std()), float(np.log(values).std()), float(values.std()) / mean, mean)


def svcca(X, Y, variance: float = 0.99) -> float:
    """How alike two representations are: the mean canonical correlation of their main directions; 1 for the same.

    Each is centred and kept on the fewest principal directions with so much of its variance; the mean is over as many
    correlations as the smaller of them has directions.  It does not change under rotations and scales of either.

    Args:
        X: states, shape (..., units of X), samples along all other axes.
        Y: states at the same samples, shape (..., units of Y).
        variance: in (0, 1].

    Raises ValueError: samples do not fit, a representation does not vary, or the samples, less one for their mean, are
    no more than the directions of both, which then meet whatever they are.
    """
    named = {"X": numbers_of("X", X), "Y": numbers_of("Y", Y)}
    if named["X"].shape[:-1] != named["Y"].shape[:-1] or named["X"].ndim < 2:
        raise ValueError(f"X {named['X'].shape} and Y {named['Y'].shape} do not fit: the same samples, units last")
    if not 0 < variance <= 1:
        raise ValueError(f"variance = {variance!r} must be in (0, 1]")
    one, other = (_directions(name, part.reshape(-1, part.shape[-1]), variance) for name, part in named.items())
    if len(one) - 1 <= one.shape[1] + other.shape[1]:
        raise ValueError(
            f"X and Y have {len(one)} samples for {one.shape[1]} + {other.shape[1]} directions that are kept: "
            "these would meet by chance; give more samples, or keep less variance"
        )
    return float(np.minimum(np.linalg.svd(one.T @ other, compute_uv=False), 1).mean())


def _directions(name: str, rows: np.ndarray, variance: float) -> np.ndarray:
    """Orthonormal courses of the main directions, (samples, directions)."""
    left, sizes, _ = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    if not sizes[0] > 0:
        raise ValueError(f"{name} does not vary: there is nothing to compare")
    share = np.cumsum(sizes**2) / (sizes**2).sum()
    return left[:, : 1 + int(np.searchsorted(share, variance * (1 - 1e-12)))]


def weight_change(before, after) -> np.ndarray:
    """The Frobenius norms of what training changed, of weights (..., n, m); shape (...)."""
    one, other = numbers_of("before", before), numbers_of("after", after)
    if one.shape != other.shape or one.ndim < 2:
        raise ValueError(f"before {one.shape} and after {other.shape} do not fit: both must be (..., n, m)")
    return np.sqrt(((other - one) ** 2).sum((-2, -1)))


def kernel_alignment(before, after) -> float:
    """The cosine of two tangent kernels, tr(K0 K1) / (|K0| |K1|): 1 for a kernel that learning has only scaled.

    Args:
        before: K0, (n, n), symmetric up to rounding in single precision.
        after: K1, likewise.

    Raises ValueError: their shapes differ, one is not symmetric, or is 0.
    """
    one, other = numbers_of("before", before), numbers_of("after", after)
    if one.shape != other.shape:
        raise ValueError(f"before {one.shape} and after {other.shape} do not fit")
    for name, K in (("before", one), ("after", other)):
        if K.ndim != 2 or K.shape[0] != K.shape[1]:
            raise ValueError(f"{name} has shape {K.shape}: a kernel is (n, n)")
        if np.linalg.norm(K - K.T) > len(K) * np.finfo(np.float32).eps * np.linalg.norm(K):
            raise ValueError(f"{name} is not symmetric: it is no kernel")
    sizes = np.linalg.norm(one) * np.linalg.norm(other)
    if not sizes > 0:
        raise ValueError("a kernel is 0: it has no direction")
    return float((one * other).sum() / sizes)


class Level(NamedTuple):
    """A mean, and the ends of its interval of 95 %."""

    mean: float
    low: float
    high: float


def mean_distance(distances, *, draws: int = 400, seed: int = 0) -> Level:
    """The mean distance of all pairs of m networks, the degeneracy, with its interval if networks are drawn anew.

    Pairs that share a network are not independent: networks are drawn, with replacement, and not pairs; a network and
    its own copy make no pair.

    Args:
        distances: shape (m, m), as `dsa_matrix` finds them, or of any other distance.
        draws: of networks.
        seed: of these.

    Raises ValueError unless distances are (m, m) with m above 2, symmetric, not negative, and 0 from each to itself.
    """
    D, draw = _distances(distances, 2, "2"), np.random.default_rng(whole("seed", seed, 0))
    m = len(D)
    found: list[float] = []
    while len(found) < whole("draws", draws):
        times = np.bincount(draw.integers(0, m, m), minlength=m)
        weights = np.outer(times, times) * (1 - np.eye(m))
        if weights.any():
            found.append((weights * D).sum() / weights.sum())
    low, high = np.quantile(found, [0.025, 0.975])
    return Level(float(D[~np.eye(m, dtype=bool)].mean()), float(low), float(high))


def _distances(distances, above: int, name: str) -> np.ndarray:
    D = numbers_of("distances", distances)
    if D.ndim != 2 or D.shape[0] != D.shape[1] or len(D) <= above:
        raise ValueError(f"distances have shape {D.shape}: (m, m) with m above {name} is needed")
    if np.any(D < 0) or np.any(D != D.T) or np.any(np.diag(D)):
        raise ValueError("distances must be symmetric, not negative, and 0 from a point to itself")
    return D


class Map(NamedTuple):
    """Points of a map, (m, dimensions), on its principal axes; and its stress, the relative error of its distances."""

    points: np.ndarray
    stress: float


def mds(distances, dimensions: int = 2) -> Map:
    """Classical scaling: points whose distances are nearest to these in their squares' inner products.

    Axes are principal ones, and the coordinate of the largest size on each is positive: the same distances always give
    the same map.  Raises ValueError unless distances are (m, m), symmetric, not negative, and 0 from a point to itself.
    """
    count = whole("dimensions", dimensions)
    D = _distances(distances, count, f"dimensions = {count}")
    inner = -(D**2 - (D**2).mean(0) - (D**2).mean(1)[:, None] + (D**2).mean()) / 2
    values, axes = np.linalg.eigh(inner)
    points = axes[:, ::-1][:, :count] * np.sqrt(np.maximum(values[::-1][:count], 0))
    points *= np.sign(points[np.abs(points).argmax(0), np.arange(count)] + (points.max(0) == 0))
    near = np.linalg.norm(points[:, None] - points, axis=-1)
    size = np.linalg.norm(D)
    return Map(points, float(np.linalg.norm(near - D) / size) if size else 0.0)
