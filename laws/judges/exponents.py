"""The judge of scaling laws: the slope of ln y against ln x, seed by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from laws.judges import statistics
from laws.judges.finding import Finding, enough, positive
from laws.judges.samples import FALSE_ALARM
from laws.judges.seeding import seeds
from laws.judges.verdict import Panel, Series


@dataclass(frozen=True)
class Exponent:
    """For a scaling law: `run(x, seed)` goes as a power of x; the law is the exponent.

    Every seed gives its own slope of ln y against ln x; the interval is that of their median, which
    holds for any distribution of slopes.  Without randomness there is one slope, known to its rounding.

    detects: the most that half of the interval may be: where the runs leave no more, an exponent that is off by
    2 detects is refused but with probability false_alarm/2; where they leave more, the judge refuses to tell.
    Slopes over the first two and the last two levels whose intervals are apart are no power law's; a tenth of
    `false_alarm` is for those of true ones that seem to be.
    """

    levels: tuple[float, ...]
    detects: float
    runs: int = 30
    false_alarm: float = FALSE_ALARM
    shows = "fit"

    def __post_init__(self):
        positive(self, detects=math.inf, false_alarm=1)
        enough(self)

    @property
    def error(self) -> float:
        """The probability with which either end of the exponent's interval misses, at most."""
        return 0.45 * self.false_alarm

    @property
    def needed(self) -> int:
        """The fewest runs that have intervals, of the exponent and of both ends of a bend."""
        return statistics.median_runs(self._bend)

    @property
    def _bend(self) -> float:
        """The probability with which either end of either of the two intervals that show a bend misses, at most."""
        return 0.025 * self.false_alarm

    def collect(self, run, seed):
        """Logarithms of y at every seed and level; shape (runs, levels)."""
        x = np.asarray(self.levels, dtype=float)
        if len(x) < 3 or np.any(x <= 0):
            raise ValueError(f"levels = {self.levels} must be at least three positive numbers")
        y = np.array([[float(run(v, s)) for v in x] for s in seeds(seed, self.runs)])
        if not np.all(np.isfinite(y) & (y > 0)):
            raise ValueError("a scaling law needs finite positive values; the run gave others")
        return np.log(y)

    def weigh(self, runs, predict):
        """The distance of the exponent from the interval's middle, against its half-width."""
        low, high = self._interval(runs, slice(None), self.error)
        first, last = (self._interval(runs, ends, self._bend) for ends in (slice(0, 2), slice(-2, None)))
        if first[1] < last[0] or last[1] < first[0]:
            raise ValueError(
                f"Exponent: the slope bends from {first} to {last}: this is no power law over these levels"
            )
        law, middle, half = float(predict()), (low + high) / 2, (high - low) / 2
        if half > self.detects:
            more = math.ceil(self.runs * (half / self.detects) ** 2)
            raise ValueError(
                f"Exponent: {self.runs} runs leave {half:.2g}, more than {self.detects:g}; about {more} would do"
            )
        return Finding(
            abs(law - middle), half, f"exponent {law:.4g}, measured {low:.4g} to {high:.4g}", np.array(middle)
        )

    def _interval(self, runs, part, error):
        """The interval of the median slope over a part of the levels, with the rounding of the fit."""
        x, y = np.log(self.levels)[part], runs[:, part]
        low, high = statistics.median_interval(np.polyfit(x, y.T, 1)[0], error)
        rounding = 8 * len(x) * np.finfo(float).eps * (1 + np.abs(y).max()) / np.ptp(x)
        return low - rounding, high + rounding

    def panel(self, runs, predictions):
        """Medians with their spread, and the slopes claimed."""
        x, y = np.array(self.levels), np.exp(np.median(runs, axis=0))
        points = Series(
            "run", list(x), list(y), "median and range", list(np.exp(runs.min(0))), list(np.exp(runs.max(0)))
        )
        middle = np.exp(np.log(x).mean()), np.exp(np.log(y).mean())
        slopes = [
            Series(
                "rival" if i else "law",
                list(x),
                list(middle[1] * (x / middle[0]) ** float(p())),
                name if i else f"{name}: power {float(p()):.3g}",
            )
            for i, (name, p) in enumerate(predictions.items())
        ]
        return Panel("x", "y", (points, *slopes), "xy")
