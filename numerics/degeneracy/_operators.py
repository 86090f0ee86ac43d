"""From trajectories to linear operators: coordinates, delays, rank, and the least squares of the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from numerics.checks import numbers_of, whole


class Operator(NamedTuple):
    """A linear operator of the next step, (rank, rank), and the share of the next step that it leaves unexplained."""

    matrix: np.ndarray
    unexplained: float


@dataclass(frozen=True)
class Whitened:
    """Coordinates of unit size: the first left singular vectors of all states, those of `delays` steps side by side.

    They are the same for states that are any invertible linear map of one another, up to rotation, as long as `rank`
    directions are all that the states have; with fewer, only up to what is cut off.

    rank: how many directions are kept, or None for all that there are; delays: states side by side, the last first.
    """

    rank: int | None = None
    delays: int = 1

    def __post_init__(self):
        _check(self)

    def operator(self, trajectories) -> Operator:
        """The operator of trajectories, (trials, time, units) or a list of (time, units)."""
        axes, _, lengths = _principal(trajectories, self)
        return _next_step(axes, lengths)


@dataclass(frozen=True)
class Ambient:
    """Coordinates as the states have them, on their first principal axes: the same up to rotation of the states alone.

    rank: how many axes are kept, or None for all that there are; delays: states side by side, the last first.
    """

    rank: int | None = None
    delays: int = 1

    def __post_init__(self):
        _check(self)

    def operator(self, trajectories) -> Operator:
        """The operator of trajectories, (trials, time, units) or a list of (time, units)."""
        axes, sizes, lengths = _principal(trajectories, self)
        return _next_step(axes * sizes, lengths)


Coordinates = Whitened | Ambient


def _principal(trajectories, by: Coordinates):
    """The states along their first principal axes in units of each, those units, and the length of every trial."""
    rows, lengths = _embedded(trajectories, by.delays)
    if not rows.any():
        raise ValueError("trajectories are 0 everywhere: they span no direction")
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    kept = _kept(sizes, rows, by.rank)
    return left[:, :kept], sizes[:kept], lengths


def _check(coordinates: Coordinates) -> None:
    whole("delays", coordinates.delays)
    if coordinates.rank is not None:
        whole("rank", coordinates.rank)


def _embedded(trajectories, delays: int) -> tuple[np.ndarray, list[int]]:
    """Rows of states with those before them, trial after trial; and how many rows every trial has."""
    trials = [numbers_of(f"trajectories[{k}]", trial) for k, trial in enumerate(_trials(trajectories))]
    units = {trial.shape[1:] for trial in trials}
    if not trials or len(units) != 1 or trials[0].ndim != 2 or not trials[0].shape[1]:
        shapes = [trial.shape for trial in trials[:4]]
        raise ValueError(f"trajectories have shapes {shapes}: (trials, time, units), or a list of (time, units)")
    if (short := min(map(len, trials))) < delays + 1:
        raise ValueError(
            f"trajectories: one has {short} steps; with delays = {delays} at least {delays + 1} are needed"
        )
    side = [np.concatenate([trial[delays - 1 - k : len(trial) - k] for k in range(delays)], axis=1) for trial in trials]
    return np.concatenate(side), [len(part) for part in side]


def _trials(trajectories) -> Sequence:
    if isinstance(trajectories, np.ndarray) and trajectories.ndim != 3:
        raise ValueError(f"trajectories have shape {trajectories.shape}: (trials, time, units) is needed")
    return list(trajectories)


def _kept(sizes, rows, rank) -> int:
    """How many directions are kept; those within rounding of nothing are none."""
    there = int(np.sum(sizes > max(rows.shape) * np.finfo(float).eps * sizes[0]))
    if rank is not None and rank > there:
        raise ValueError(f"rank = {rank}: the trajectories span {there} directions")
    return there if rank is None else rank


def _next_step(z: np.ndarray, lengths: list[int]) -> Operator:
    """Least squares of every state on the one before it in its trial."""
    starts = np.cumsum([0, *lengths])
    first = np.ones(len(z), bool)
    first[starts[1:] - 1] = False
    later = np.ones(len(z), bool)
    later[starts[:-1]] = False
    before, after = z[first], z[later]
    if len(before) <= z.shape[1]:
        raise ValueError(
            f"trajectories have {len(before)} steps, rows less trials, for an operator of rank {z.shape[1]}: "
            "any such steps would fit it; give more steps than its rank, or a lower rank"
        )
    turned = np.linalg.lstsq(before, after, rcond=None)[0]
    missed, there = ((after - before @ turned) ** 2).sum(), (after**2).sum()
    return Operator(turned.T, float(missed / there) if there else 0.0)  # of states that all go to 0, nothing
