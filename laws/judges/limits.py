"""Judges of deterministic runs: a limit, an ODE solver, an identity."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from laws.judges.finding import Finding, finite, match, positive, size_of
from laws.judges.verdict import Panel, Series, ratio


@dataclass(frozen=True)
class Order:
    """For a limit: `run(h, seed)` tends to the law as h^p when h is halved.

    The observed order must lie within 1/4 of p, and the law within the error that the Richardson
    limit estimates for itself.  The order alone would let a slightly wrong limit pass.  The run must be
    smooth in h; `then` is the exponent of its next term, p + 1 unless stated.
    """

    p: float
    start: float = 0.02
    halvings: int = 3
    then: float | None = None
    false_alarm: float = field(default=0.0, init=False, repr=False)
    shows = "limit"

    def __post_init__(self):
        positive(self, p=math.inf, start=math.inf)
        if self.halvings < 3 or (self.then is not None and not self.p < self.then < math.inf):
            raise ValueError(f"Order needs at least 3 halvings and, if stated, a next term of higher order, got {self}")

    def collect(self, run, seed):
        """Runs at start, start/2, ...; shape (halvings + 1, ...)."""
        return np.array([finite(run(h, seed), f"run({h:g}, {seed})") for h in self._steps()])

    def weigh(self, runs, predict):
        """Order and limit, whichever is worse."""
        limit, error = self._richardson(runs)
        law = match(predict(), limit)
        gap, coarse, fine = np.abs(law - limit), np.max(np.abs(runs[-2] - law)), np.max(np.abs(runs[-1] - law))
        order = math.log2(coarse / fine) if coarse > 0 and fine > 0 else math.nan
        worst = np.argmax(np.where(error > 0, gap / np.where(error > 0, error, 1), np.where(gap > 0, np.inf, 0)))
        says = (
            f"order {order:.4f} (must be {self.p:g} within 1/4); "
            f"the runs' limit is off the law by {gap.flat[worst]:.3g} (must be within {error.flat[worst]:.3g})"
        )
        off = ratio(abs(order - self.p), 0.25)
        if off > ratio(gap.flat[worst], error.flat[worst]):
            return Finding(abs(order - self.p), 0.25, says, limit)
        return Finding(gap.flat[worst], error.flat[worst], says, limit)

    def _steps(self):
        return [self.start / 2**k for k in range(self.halvings + 1)]

    def _richardson(self, runs):
        """The extrapolated limit and, point by point, how far it can be trusted.

        If the next term goes as h^q, successive limits differ by 2^q - 1 times the error of the later
        one; at least three times that error is allowed.  Two differences are taken, since one may vanish
        by accident, and the round-off of extrapolating.
        """
        r, q = 2.0**self.p, self.p + 1 if self.then is None else self.then
        limits = (r * runs[1:] - runs[:-1]) / (r - 1)
        last, before = np.abs(limits[-1] - limits[-2]), np.abs(limits[-2] - limits[-3]) / 2**q
        rounding = np.finfo(float).eps * np.abs(runs[-1]) * (r + 1) / (r - 1)
        return limits[-1], max(1, 3 / (2**q - 1)) * np.maximum(last, before) + rounding

    def interval(self, runs):
        """The limit, and the ends of what its own error allows."""
        limit, error = self._richardson(runs)
        return limit, limit - error, limit + error

    def panel(self, runs, predictions):
        """Error against step, with the slope that is claimed."""
        limit, _ = self._richardson(runs)
        steps = self._steps()
        series = []
        for i, (name, predict) in enumerate(predictions.items()):
            errors = [float(np.max(np.abs(y - match(predict(), limit)))) for y in runs]
            series.append(Series("rival" if i else "run", steps, errors, name if i else "runs: distance from the law"))
            if not i:
                slope = [errors[-1] * (h / steps[-1]) ** self.p for h in steps]
                series.append(Series("law", steps, slope, f"law: order {self.p:g}"))
        return Panel("step h", "largest |run − prediction|", tuple(series), "xy")


@dataclass(frozen=True)
class Solver:
    """For a closed form against an ODE solver: `run(rtol, seed)` at rtol and rtol/100.

    The difference of the two bounds the solver's own error; the law must lie within it, relative
    to each value.
    """

    rtol: float = 1e-10
    false_alarm: float = field(default=0.0, init=False, repr=False)
    shows = "values"

    def __post_init__(self):
        positive(self, rtol=1e-3)  # beyond it the difference of two runs bounds nothing

    def collect(self, run, seed):
        """The two solutions; shape (2, ...)."""
        runs = np.array([finite(run(r, seed), f"run({r:g}, {seed})") for r in (self.rtol, self.rtol / 100)])
        if (bound := self._bound(runs)) >= 1:
            raise ValueError(f"Solver: two runs differ by {bound:.1g} of a value: they resolve nothing; is it 0?")
        return runs

    def weigh(self, runs, predict):
        """The largest relative distance of the finer solution from the prediction."""
        fine, bound = runs[1], self._bound(runs)
        size = size_of(fine)
        gap = float(np.max(np.abs(match(predict(), fine) - fine) / size))
        return Finding(gap, bound, f"relative distance {gap:.3g} (the solver's own error: {bound:.3g})", fine)

    def _bound(self, runs) -> float:
        """The solver's own relative error."""
        return float(np.max(np.abs(runs[0] - runs[1]) / size_of(runs[1]))) + 4 * np.finfo(float).eps

    def interval(self, runs):
        """The finer solution, and the ends of what the solver's own error allows."""
        fine, half = runs[1], self._bound(runs) * size_of(runs[1])
        return fine, fine - half, fine + half


@dataclass(frozen=True)
class Roundoff:
    """For identities: `run(seed)` equals the law but for the rounding of `operations` operations.

    The bound is n u / (1 - n u) times 1 + condition, u the unit round-off.
    """

    operations: int
    condition: float | np.ndarray = 0.0
    false_alarm: float = field(default=0.0, init=False, repr=False)
    shows = "values"

    def __post_init__(self):
        positive(self, operations=1e12)
        if not np.all(np.asarray(self.condition) >= 0):
            raise ValueError(f"Roundoff: condition = {self.condition} must not be negative")

    def collect(self, run, seed):
        """One run."""
        return np.asarray(finite(run(seed), f"run({seed})"))

    def weigh(self, runs, predict):
        """The largest distance in units of what rounding explains."""
        units = float(np.max(np.abs(match(predict(), runs) - runs) / self._bound(runs)))
        return Finding(units, 1.0, f"distance {units:.2g} of what rounding explains", runs)

    def _bound(self, runs) -> np.ndarray:
        """What rounding explains, value by value."""
        u = np.finfo(float).eps / 2
        return self.operations * u / (1 - self.operations * u) * (1 + np.asarray(self.condition)) * size_of(runs)

    def interval(self, runs):
        """The run, and the ends of what rounding explains."""
        half = self._bound(runs)
        return runs, runs - half, runs + half
