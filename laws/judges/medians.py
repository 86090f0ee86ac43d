"""A judge of medians: exact for any distribution, with neither bounds nor a variance stated.

Of n independent runs the k-th smallest lies above the median with probability P(Bin(n, 1/2) < k).  So two order
statistics enclose it, each side failing with probability a at most, whatever the distribution; over m medians at once
each side has a = false_alarm / 2m.  The interval must come out no wider than `detects`, or the judge refuses: then a
law that is off by `detects` can only stand if the interval misses its median on one side, with probability a.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from laws.judges import statistics
from laws.judges.finding import Finding, enough, finite, match, positive
from laws.judges.samples import FALSE_ALARM
from laws.judges.seeding import seeds


@dataclass(frozen=True)
class Median:
    """For a median: of what `run(seed)` gives, one number or an array of them, the medians over seeds are the law.

    detects: the deviation that must not be missed; it is, with probability false_alarm/2 at most.  With runs that
    leave a wider interval the judge refuses.  points: how many medians are judged at once.
    """

    detects: float
    runs: int = 30
    false_alarm: float = FALSE_ALARM
    points: int = 1
    shows = "values"

    def __post_init__(self):
        positive(self, detects=math.inf, false_alarm=1, points=math.inf)
        enough(self)

    @property
    def error(self) -> float:
        """The probability with which either end of one interval misses, at most."""
        return self.false_alarm / 2 / self.points

    @property
    def needed(self) -> int:
        """The fewest runs that have an interval."""
        return statistics.median_runs(self.error)

    def collect(self, run, seed):
        """The values of all seeds; shape (runs, ...)."""
        values = np.array([finite(run(s), f"run({s})") for s in seeds(seed, self.runs)])
        if (n := math.prod(values.shape[1:])) > self.points:
            raise ValueError(f"Median: {n} medians at once, but points = {self.points}")
        return values

    def weigh(self, runs, predict):
        """The distance of the law from the middle of its interval, against the half-width, where that is worst."""
        _, low, high = self.interval(runs)
        if (wide := float(np.max(high - low))) > self.detects:
            more = math.ceil(self.runs * (wide / self.detects) ** 2)
            raise ValueError(f"Median: {self.runs} runs leave {wide:.2g}, more than {self.detects:g}; about {more} do")
        middle, half = (low + high) / 2, (high - low) / 2
        gap = np.abs(match(predict(), middle) - middle)
        worst = int(np.argmax(gap / half))
        says = f"median of {self.runs} runs off by {gap.flat[worst]:.3g} (must be within {half.flat[worst]:.3g})"
        return Finding(gap.flat[worst], half.flat[worst], says, middle)

    def interval(self, runs):
        """The medians, and the ends of their intervals, no closer than rounding allows."""
        ends = [statistics.median_interval(column, self.error) for column in runs.reshape(len(runs), -1).T]
        low, high = np.array(ends).T.reshape(2, *runs.shape[1:])
        rounding = 4 * np.finfo(float).eps * np.max(np.abs(runs), axis=0) + np.finfo(float).tiny
        return np.median(runs, axis=0), low - rounding, high + rounding
