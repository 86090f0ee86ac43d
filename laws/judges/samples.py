"""Judges of random runs: an expectation, a distribution, a sign, an absence of effect.

Both error rates are stated and hold for finitely many samples (`laws.judges.statistics`).  The
suite as a whole may raise a false alarm once in a hundred times (`BUDGET`); each verdict takes
`FALSE_ALARM` of that by default, and the report adds them up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from laws.judges import statistics
from laws.judges.finding import Finding, enough, finite, match, positive
from laws.judges.seeding import seeds, varied
from laws.judges.ticks import geometric
from laws.judges.verdict import Panel, Series

BUDGET = 1e-2  # probability of any false alarm in one run of the whole suite
FALSE_ALARM = 1e-5  # a statistical verdict's share of it
MISS = 1e-3


@dataclass(frozen=True)
class Mean:
    """For an expectation: `run(n, seed)` gives n independent samples, shape (n, ...).

    Needs `bounds` of the samples or a bound on their `variance`, and `detects`, the deviation that
    must not be missed.  How many samples follows; with `samples` below it the judge refuses.
    """

    detects: float
    bounds: tuple[float, float] | None = None
    variance: float | None = None
    false_alarm: float = FALSE_ALARM
    miss: float = MISS
    samples: int | None = None
    points: int = 1  # how many means are judged at once: each gets its share of the error
    shows = "values"

    def __post_init__(self):
        if (self.bounds is None) == (self.variance is None):
            raise ValueError(
                "Mean needs either bounds of the samples or a bound on their variance: no error rate holds without"
            )
        positive(self, detects=math.inf, false_alarm=1, miss=1, points=math.inf)
        if self.bounds is not None and not (len(self.bounds) == 2 and 0 < self.bounds[1] - self.bounds[0] < math.inf):
            raise ValueError(f"Mean: bounds = {self.bounds} must be two finite numbers in order")
        if self.variance is not None:
            positive(self, variance=math.inf)
        if self.bounds is not None and self.detects > self.bounds[1] - self.bounds[0]:
            raise ValueError(f"Mean: detects = {self.detects} is wider than the bounds: it would accept anything")
        if self.samples is not None and self.samples < self.needed:
            raise ValueError(f"Mean: {self.samples} samples cannot resolve {self.detects:g}; {self.needed} would do")

    @property
    def needed(self) -> int:
        """The fewest samples that keep both error rates."""
        return statistics.catoni_samples(self.detects / 2, self._variance, self.error)

    @property
    def _variance(self) -> float:
        return (self.bounds[1] - self.bounds[0]) ** 2 / 4 if self.bounds else float(self.variance or 0)

    @property
    def error(self) -> float:
        """The probability with which either end of one interval misses, at most."""
        return min(self.false_alarm / 2, self.miss) / self.points

    def collect(self, run, seed):
        """Estimates of all means, and the number of samples."""
        n = self.samples or self.needed
        x = np.asarray(finite(run(n, seed), f"run({n}, {seed})"))
        if len(x) < self.needed:
            raise ValueError(f"Mean: {len(x)} samples cannot resolve {self.detects:g}; {self.needed} would do")
        if self.bounds and not (self.bounds[0] <= x.min() and x.max() <= self.bounds[1]):
            raise ValueError(f"Mean: samples from {x.min():g} to {x.max():g} leave the stated bounds {self.bounds}")
        if math.prod(x.shape[1:]) > self.points:
            raise ValueError(f"Mean: {math.prod(x.shape[1:])} means at once, but points = {self.points}")
        columns = x.reshape(len(x), -1).T
        estimates = np.array([statistics.catoni_mean(c, self._variance, self.error) for c in columns])
        return estimates.reshape(x.shape[1:]), len(x)

    def weigh(self, runs, predict):
        """The largest distance of an estimate from its prediction."""
        estimates, n = runs
        radius = statistics.catoni_radius(n, self._variance, self.error)
        gap = float(np.max(np.abs(estimates - match(predict(), estimates))))
        return Finding(gap, radius, f"mean of {n} samples off by {gap:.3g} (must be within {radius:.3g})", estimates)

    def interval(self, runs):
        """The estimates, and the ends of their intervals."""
        estimates, radius = runs[0], statistics.catoni_radius(runs[1], self._variance, self.error)
        return estimates, estimates - radius, estimates + radius


@dataclass(frozen=True)
class Distribution:
    """For a whole continuous distribution: `run(n, seed)` gives n samples, the law is their distribution function.

    The law is called with the sorted samples as the argument `variable`.  Of a continuous distribution no two samples
    are equal, but for rounding; more of one value than the band is wide are refused.
    """

    variable: str
    detects: float = 0.05
    false_alarm: float = FALSE_ALARM
    miss: float = MISS
    shows = "samples"

    def __post_init__(self):
        positive(self, detects=1, false_alarm=1, miss=1)

    def collect(self, run, seed):
        """The sorted samples."""
        n = statistics.band_samples(self.detects, self.false_alarm, self.miss)
        x = np.asarray(finite(run(n, seed), f"run({n}, {seed})"))
        if x.ndim != 1:
            raise ValueError(f"Distribution: samples of shape {x.shape}: a distribution is of one number in each run")
        if len(x) < n:
            raise ValueError(f"Distribution: {len(x)} samples cannot resolve {self.detects:g}; {n} would do")
        found, times = np.unique(x, return_counts=True)
        most = int(np.argmax(times))
        if times[most] > len(x) * statistics.band(len(x), self.false_alarm):
            equal = f"{times[most]} of {len(x)} samples equal {found[most]:g}"
            raise ValueError(f"Distribution: {equal}: the band is for continuous distributions")
        return np.sort(x)

    def weigh(self, runs, predict):
        """The largest distance between the law and the empirical distribution function."""
        n = len(runs)
        law, steps = match(predict(**{self.variable: runs}), runs), np.arange(n + 1) / n
        gap = float(max(np.max(np.abs(law - steps[1:])), np.max(np.abs(law - steps[:-1]))))
        radius = statistics.band(n, self.false_alarm)
        return Finding(
            gap, radius, f"distribution of {n} samples off by {gap:.3g} (must be within {radius:.3g})", steps[1:]
        )

    def panel(self, runs, predictions):
        """The empirical distribution with its band, and its dots at some quantiles."""
        few = np.unique(np.linspace(0, len(runs) - 1, 200).astype(int))
        x, F, radius = runs[few], (few + 1) / len(runs), statistics.band(len(runs), self.false_alarm)
        missed = f"band that the true law leaves with probability {self.false_alarm:.0e}"
        shade = Series("band", list(x), list(F), missed, list(F - radius), list(F + radius))
        dots = Series("run", list(x[4::10]), list(F[4::10]), f"{len(runs)} samples, at some quantiles")
        lines = [
            Series("rival" if i else "law", list(x), list(match(p(**{self.variable: x}), x)), name)
            for i, (name, p) in enumerate(predictions.items())
        ]
        return Panel(self.variable, "distribution function", (shade, *lines, dots))


@dataclass(frozen=True)
class Trend:
    """For a sign: `run(x, seed)` rises (+1) or falls (-1) along `levels`; the law is the sign, or 0 for none.

    Every seed votes with Kendall's rank correlation.  If nothing depended on x, a vote would be a
    coin; so many must agree that a coin passes with probability `miss`, while votes that agree with
    probability 1/2 + `excess` are refused with `false_alarm`.  Both are of independent runs.  The same
    runs with shuffled levels are the control, and must not pass.
    """

    levels: tuple[float, ...]
    excess: float = 0.45
    false_alarm: float = FALSE_ALARM
    miss: float = MISS
    shows = "fit"

    def __post_init__(self):
        positive(self, excess=0.5, false_alarm=0.5, miss=0.5)
        if len(set(self.levels)) < 3 or len(set(self.levels)) < len(self.levels):
            raise ValueError(f"Trend: levels = {self.levels} must be at least three different numbers")

    def collect(self, run, seed):
        """Votes of all seeds, of the same seeds with shuffled levels, and the values."""
        runs, _ = self._design()
        along = lambda s: finite([run(x, s) for x in self.levels], f"run(x, {s})")  # noqa: E731
        values = varied(np.array([along(s) for s in seeds(seed, runs)]))
        shuffled = np.random.default_rng(seed).permuted(values, axis=1)
        return statistics.rank_signs(self.levels, values), statistics.rank_signs(self.levels, shuffled), values

    def _design(self):
        """The number of runs, and how many must agree; half of `false_alarm` is left to the control."""
        return statistics.votes(self.excess, min(self.miss, self.false_alarm / 2), self.false_alarm / 2)

    def weigh(self, runs, predict):
        """How many votes are against the sign, and how many may be."""
        sign = float(predict())
        if sign not in (-1.0, 0.0, 1.0):
            raise ValueError(f"a trend is +1, -1 or 0 (none), not {sign:g}")
        n, needed = self._design()
        votes, control, values = runs
        agree, shuffled = int(np.sum(votes == sign)), int(np.sum(control == sign))
        if sign == 0:
            rise, fall = int(np.sum(votes == 1)), int(np.sum(votes == -1))
            says = f"{rise} of {n} runs rise, {fall} fall (neither may reach {needed})"
            return Finding(max(rise, fall) + 1, needed, says, np.median(values, axis=0))
        if shuffled >= needed:
            agree = 0  # the control has failed: these votes mean nothing
        says = f"{agree} of {n} runs agree ({needed} must; {shuffled} do with shuffled levels)"
        return Finding(n - agree + 1, n - needed + 1, says, np.median(values, axis=0))

    def panel(self, runs, predictions):
        """Every run along the levels, and their medians."""
        x, values = list(self.levels), runs[2]
        each = Series("each", x, values.tolist(), f"each of {len(values)} runs")
        medians = Series("run", x, list(np.median(values, axis=0)), "median")
        return Panel("x", "y", (each, medians), "x" if geometric(x) else "")


@dataclass(frozen=True)
class Equivalent:
    """For an absence of effect: the median of `run(seed)` lies within `margin` of the law.

    Two one-sided sign tests: equivalence is claimed wrongly with probability `miss` at most, whatever
    the distribution of runs that are independent.  An interval that is too wide to tell is a refusal, not
    a pass; how often a true equivalence is refused depends on a spread that nobody knows beforehand, so
    no `false_alarm` is stated.
    """

    margin: float
    runs: int = 30
    miss: float = FALSE_ALARM
    false_alarm: None = field(default=None, init=False, repr=False)
    shows = "values"

    def __post_init__(self):
        positive(self, margin=math.inf, miss=0.5)
        enough(self)

    @property
    def error(self) -> float:
        """The probability with which either end of an interval misses, at most."""
        return self.miss

    @property
    def needed(self) -> int:
        """The fewest runs that have an interval."""
        return statistics.median_runs(self.error)

    def collect(self, run, seed):
        """The values of all seeds; shape (runs, ...)."""
        return varied(np.array([finite(run(s), f"run({s})") for s in seeds(seed, self.runs)]))

    def weigh(self, runs, predict):
        """The far end of the interval's distance from the law."""
        low, high, middle = self._intervals(runs)
        law = match(predict(), middle)
        gap = float(np.max(np.maximum(np.abs(low - law), np.abs(high - law))))
        wide = float(np.max(high - low)) / 2
        each = zip(*(np.ravel(v) for v in (middle, low, high)), strict=True)
        medians = f"medians of {self.runs} runs: " + ", ".join(f"{m:.2g} [{a:.2g}, {b:.2g}]" for m, a, b in each)
        if self.margin == 0.5 and np.all(np.isin(runs, (-1, 0, 1))):  # signs; shares may be 0 or 1
            agree = ", ".join(map(str, np.ravel(np.sum(runs == law, axis=0))))
            medians = f"as the law says: {agree} of {self.runs} runs; medians of signs"
        says = f"{medians}; within {gap:.3g} of the law (must be {self.margin:g})"
        if wide > self.margin:
            says += f"; unresolved, about {math.ceil(self.runs * (wide / self.margin) ** 2)} runs would do"
        return Finding(gap, self.margin, says, middle)

    def _intervals(self, runs):
        columns = runs.reshape(len(runs), -1).T
        ends = np.array([statistics.median_interval(c, self.error) for c in columns])
        shape = runs.shape[1:]
        return ends[:, 0].reshape(shape), ends[:, 1].reshape(shape), np.median(runs, axis=0)

    def interval(self, runs):
        """The medians, and the ends of their intervals."""
        low, high, middle = self._intervals(runs)
        return middle, low, high
