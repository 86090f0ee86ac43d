"""What units tell of the position: rate maps, information, how alike populations are, and what can be decoded.

A place is a bin of position with a direction: half of the bins are for the way up, half for the way down.
"""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

from numerics.checks import numbers_of, positive, real, whole
from numerics.corridor._settings import Corridor


def activities(corridor: Corridor, theta, x) -> np.ndarray:
    """relu(m x + b), shape (..., samples, hidden), of parameters (..., hidden, rays + 1 + 1 + rays)."""
    weights, biases, _ = corridor.network.parts(np.asarray(theta, float))
    return np.maximum(np.asarray(x, float) @ weights.swapaxes(-1, -2) + biases[..., None, :], 0)


def places(position, direction, *, length: float, bins: int = 100) -> np.ndarray:
    """In which bin each sample was: `bins`/2 on the way up, from y = 0 to Ly, and as many on the way down.

    Args:
        position: y, in [0, length], (samples,).
        direction: +1 or -1, (samples,).
        length: Ly.
        bins: an even number.

    Returns:
        whole numbers in [0, bins), (samples,).
    """
    y, d = numbers_of("position", position), numbers_of("direction", direction)
    if whole("bins", bins, 2) % 2:
        raise ValueError(f"bins = {bins!r} must be even: as many for each direction")
    if y.shape != d.shape or not ((y >= 0) & (y <= positive("length", length))).all() or not (np.abs(d) == 1).all():
        raise ValueError(f"position and direction must be of one shape, in [0, {length}] and +-1: {y}, {d}")
    half = bins // 2
    return np.minimum((half * y / length).astype(int), half - 1) + np.where(d > 0, 0, half)


def occupancy(where, bins: int = 100) -> np.ndarray:
    """Steps spent in each bin, (bins,); ValueError where a bin is not one of them, whole numbers in [0, bins)."""
    bin_of = np.asarray(where)
    if bin_of.ndim != 1 or bin_of.dtype.kind not in "iu" or not ((bin_of >= 0) & (bin_of < whole("bins", bins))).all():
        raise ValueError(f"where = {where!r} must be whole numbers in [0, {bins}), (samples,)")
    return np.bincount(bin_of, minlength=bins)


def rate_maps(activity, where, bins: int = 100) -> np.ndarray:
    """Mean activity of each unit in each bin; nan in bins that were not visited.

    Args:
        activity: (..., samples, units).
        where: the bins of the samples, (samples,), from `places`.
        bins: how many there are.

    Returns:
        (..., units, bins).
    """
    h, time = np.asarray(activity, float), occupancy(where, bins)
    if h.ndim < 2 or h.shape[-2] != len(where):
        raise ValueError(f"activity {h.shape} must be (..., samples, units) with {len(where)} samples")
    order = np.argsort(where, kind="stable")
    begins = np.flatnonzero(np.diff(np.asarray(where)[order], prepend=-1))
    maps = np.full((*h.shape[:-2], h.shape[-1], bins), np.nan)
    maps[..., time > 0] = np.add.reduceat(h[..., order, :], begins, axis=-2).swapaxes(-1, -2) / time[time > 0]
    return maps


def spatial_information(time, maps) -> np.ndarray:
    """Bits that each unit carries about the place: the divergence of its activity over places from their occupancy.

    The activity of a unit, spread over places as p_i r_i / sum p_i r_i, is compared with the occupancy p_i.  The mean
    rate is weighted by occupancy, without which this may fall below 0.  A silent unit has none.

    Args:
        time: steps in each bin, (bins,).
        maps: mean activities, (..., bins); what stands in bins without time is not looked at.

    Returns:
        bits, (...).

    Raises ValueError: shapes do not fit, times are negative or all 0, or a rate is negative.

    Source: ratzon-2024, equation (4).
    """
    time, maps = numbers_of("time", time), np.asarray(maps, float)
    if time.ndim != 1 or maps.shape[-1:] != time.shape:
        raise ValueError(f"maps {maps.shape} must be (..., bins) and time {time.shape} (bins,)")
    if (time < 0).any() or not time.any():
        raise ValueError(f"time = {time} must not be negative, nor 0 in all bins")
    visited = time > 0
    p, r = time[visited] / time.sum(), maps[..., visited]
    if (r < 0).any():
        raise ValueError(f"maps = {r[r < 0][0]} is negative")
    share = p * r
    total = share.sum(-1, keepdims=True)
    share = share / np.where(total == 0, 1, total)
    return rel_entr(share, p).sum(-1) * (total[..., 0] != 0) / np.log(2)


def place_cells(information, least: float = 0.01) -> np.ndarray:
    """Whether a unit carries more than `least` bits; 0.01 in the public code of the source."""
    return np.asarray(information) > real("least", least)


def population_correlation(maps) -> np.ndarray:
    """How alike the population is at two times: correlation over units in each place, then the mean over places.

    Units that are silent everywhere at both times are left out.  A place where all units are equally active, as all are
    silent, has no correlation and is left out; nan if none is left.

    Args:
        maps: (times, units, bins), nan in bins that were not visited.

    Returns:
        (times, times), symmetric, of diagonal 1 where it is a number.
    """
    r = np.asarray(maps, float)
    if r.ndim != 3:
        raise ValueError(f"maps {r.shape} must be (times, units, bins)")
    r = r[..., ~np.isnan(r).all((0, 1))]
    active = (r != 0).any(-1).astype(float)
    either = active.sum(1)[:, None] + active.sum(1) - active @ active.T  # units active at one time or the other
    units = np.maximum(either, 1)[..., None]
    # a unit that is silent at both times adds nothing to these sums, over (time, other time, bin)
    mean, square = r.sum(1)[:, None] / units, (r * r).sum(1)[:, None] / units
    variance = square - mean**2
    covariance = np.einsum("tub,sub->tsb", r, r, optimize=True) / units - mean * mean.swapaxes(0, 1)
    varies = variance > units * np.finfo(float).eps * square
    known = varies & varies.swapaxes(0, 1)
    scale = np.where(known, variance * variance.swapaxes(0, 1), 1)
    cosine = np.where(known, covariance, 0) / np.sqrt(scale)
    count = known.sum(-1)
    return np.where(count > 0, cosine.sum(-1) / np.maximum(count, 1), np.nan)


def decoding_error(known, position, activity, truth) -> float:
    """Mean distance between the position and that of the known sample whose activity is nearest.

    Args:
        known: activities at known positions, (samples, units).
        position: these positions, in units of length, (samples,).
        activity: activities to be decoded, (others, units).
        truth: where they come from, (others,).

    Returns:
        a distance in units of length; nan if an activity is no number.
    """
    known, activity = np.asarray(known, float), np.asarray(activity, float)
    position, truth = numbers_of("position", position), numbers_of("truth", truth)
    if known.shape[:1] != position.shape or activity.shape != (*truth.shape, *known.shape[1:]):
        raise ValueError(
            f"activities {known.shape}, {activity.shape} do not fit positions {position.shape}, {truth.shape}"
        )
    if not (np.isfinite(known).all() and np.isfinite(activity).all()):
        return float("nan")
    nearest = ((known**2).sum(1) - 2 * activity @ known.T).argmin(1)  # up to the square of what is decoded
    return float(np.abs(position[nearest] - truth).mean())
