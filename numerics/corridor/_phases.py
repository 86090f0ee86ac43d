"""Small records of many networks, and when the phases of their learning begin and end.

Learning has three phases, of which the second may be the last that a record holds: the loss falls; then, when it has
long been low, activity falls; and when it has stopped falling, what is left of the drift has no direction.  Activity is
level, falls with the logarithm of time, and is level again: its two breaks are those of the line with two bends that
fits it best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.checks import numbers_of, whole
from numerics.corridor._run import History
from numerics.corridor._settings import Corridor

LAST = 10  # recorded steps, among which the correlation of the population is kept
COURSES = (
    "log_loss",
    "active_units",
    "active_fraction",
    "unseen_information",
    "unseen_shuffled_information",
    "decoding_error",
)
WAY = 0.9  # of the fall of the logarithm of the loss, after which a network has converged


@dataclass(frozen=True)
class Networks:
    """Some networks of one corridor, as a record of what became of them is named by; their seeds follow the first."""

    corridor: Corridor
    seed: int
    count: int
    records: int

    def __post_init__(self):
        if not isinstance(self.corridor, Corridor):
            raise TypeError(f"corridor = {self.corridor!r} is a {type(self.corridor).__name__}, not a Corridor")
        whole("seed", self.seed, 0)
        whole("count", self.count)
        whole("records", self.records, 2)

    @property
    def seeds(self) -> range:
        """Those of the networks."""
        return range(self.seed, self.seed + self.count)

    def table(self, history: History) -> dict[str, np.ndarray]:
        """What is kept of their history, in single precision.

        Returns:
            the `steps`, (T,); each of COURSES, (T, count); and the `correlation` of the population among the last LAST
            of the steps, (count, LAST, LAST).

        Raises:
            ValueError: the history is of other networks.
        """
        if history.corridor != self.corridor or history.seeds.tolist() != list(self.seeds):
            raise ValueError(f"history is of {history.corridor} and seeds {history.seeds.tolist()}, not of {self}")
        courses = {name: getattr(history, name).astype(np.float32) for name in COURSES}
        among = history.correlation[:, -LAST:, -LAST:].astype(np.float32)
        return {"steps": history.steps, **courses, "correlation": among}


def phases(steps, log_loss, active) -> np.ndarray:
    """When networks have converged, when their activity begins to fall, and when it has stopped.

    Activity is fitted, by least squares over all records but step 0, by a line with two bends over the logarithm of
    time, level before the first and after the second; bends are at recorded steps.  Where the second is not before
    half of the last step, the record does not tell it.  A network has converged when the logarithm of its loss has
    done nine tenths of its way to where it is, in the median, until activity begins to fall.

    Args:
        steps: recorded, the first is 0, (T,).
        log_loss: logarithms of the loss, (T, B).
        active: a fraction or a number that falls, (T, B).

    Returns:
        steps, (B, 3): inf for what the record does not tell, and nan for a network that has diverged.

    Raises:
        ValueError: shapes do not fit, or there are fewer than five steps.
    """
    steps, loss, active = numbers_of("steps", steps), np.asarray(log_loss, float), np.asarray(active, float)
    if steps.ndim != 1 or len(steps) < 5 or steps[0] != 0 or np.any(np.diff(steps) <= 0):
        raise ValueError(f"steps = {steps} must be at least five, increasing from 0")
    if active.ndim != 2 or loss.shape != active.shape or len(active) != len(steps):
        raise ValueError(f"log_loss {loss.shape} and active {active.shape} must be ({len(steps)}, B)")
    found = []
    for falls, curve in zip(loss.T, active.T, strict=True):
        if not (np.isfinite(falls).all() and np.isfinite(curve).all()):
            found.append((np.nan,) * 3)
            continue
        begins, ends = _bends(np.log(steps[1:]), curve[1:])
        way = falls - falls[0]
        converged = np.argmax(way <= WAY * np.median(way[1 : begins + 2]))
        told = 2 * steps[ends + 1] <= steps[-1]
        found.append((steps[converged], steps[begins + 1], steps[ends + 1] if told else np.inf))
    return np.array(found)


def _bends(time: np.ndarray, curve: np.ndarray) -> tuple[int, int]:
    """Where level, line and level meet that fit a curve best; indices."""
    first, last = np.triu_indices(len(time), 1)
    part = (time - time[first, None]) / (time[last] - time[first])[:, None]
    ramp = np.clip(part, 0, 1)
    ramp -= ramp.mean(1, keepdims=True)
    explained = (ramp @ (curve - curve.mean())) ** 2 / (ramp**2).sum(1)
    best = int(np.argmax(explained))
    return int(first[best]), int(last[best])
