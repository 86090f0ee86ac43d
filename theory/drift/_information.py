"""Spatial information of a tuning curve: a divergence, with its bounds."""

from __future__ import annotations

import numpy as np

from laws.arrays import real_array


def spatial_information(occupancy, activity) -> np.ndarray:
    """Bits that tuning curves carry about position: sum_i p_i (r_i/r) log2 (r_i/r), r = sum p_i r_i.

    It is the Kullback-Leibler divergence of p_i r_i/r from p_i: never negative, at most -log2 of the smallest p_i at
    which a unit may be active, unchanged if a unit fires a times as much.  Where r_i = 0 the term is 0; a unit that is
    never active has none.  `activity` is the mean in each bin: it must not be divided by the occupancy again.

    Args:
        occupancy: p, the time in each bin, shape (bins,), positive; its sum may be anything.
        activity: r_i, mean activities, shape (..., bins), not negative.

    Returns:
        bits, shape (...).

    Raises:
        ValueError: for a bin that was never visited, negative activity, and shapes that do not fit.

    Source: ratzon-2024, Eq. (4), with the mean over positions weighted by occupancy.
    """
    p, r = real_array("occupancy", occupancy), real_array("activity", activity)
    if p.ndim != 1 or r.ndim < 1 or r.shape[-1] != p.size:
        raise ValueError(f"occupancy {p.shape} and activity {r.shape} must end in the same number of bins")
    if not (p > 0).all():
        raise ValueError(f"occupancy = {p.min()} of a bin must be positive: leave out bins that were not visited")
    if (r < 0).any():
        raise ValueError(f"activity = {r.min()} must not be negative")
    p = p / p.sum()
    mean = r @ p
    ratio = r / np.where(mean > 0, mean, 1)[..., None]
    return np.where(ratio > 0, ratio * np.log2(np.where(ratio > 0, ratio, 1)), 0) @ p
