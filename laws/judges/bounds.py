"""Judges of inequalities: the law bounds a quantity from above, or from below.

The statement is q <= b at every point (`UpperBound`; a `LowerBound` says the same of -q and -b).  The runs give each q
an interval, by a judge of limits, solvers, counts or means, and three predictions stand trial:

    q <= b             must stand: it falls where the interval is above b, beyond the runs' own error,           (1)
    q <= b - |b|/10    must fall: a bound out of sight of the runs would stand whatever they did,                (2)
    q >= b             must fall: what meets its bound everywhere is an equation, to be judged as one.           (3)

Error rates are those of the intervals, of width w, which miss some q with probability `false_alarm` at most.  False
alarm: a true bound which q comes near at some point, by a tenth of b less w, and leaves by w at another, is refused
that rarely.  Miss: a bound that q breaks by w at some point stands only if the interval there misses q: of `Mean`, w is
`detects`, and that happens with probability `miss`.  Of `Median`, w is as wide as the runs leave it: its `detects`
refuses none here, a width that hides (2) does.  Runs without chance err in neither way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from laws.judges.finding import Finding, Judge, Predict, match, positive, size_of

READABLE = ("values", "limit", "counts")  # what has an interval for every number


@dataclass(frozen=True)
class UpperBound:
    """For a bound from above: what `judge` finds in the runs is nowhere more than the law, and somewhere near it.

    judge: what reads the runs and tells their error: `Solver()`, `Order(1)`, `Count()`, `Mean(...)`, ...
    within: how near they must come, as a part of the bound: one that is tighter by this part must fail.
    """

    judge: Judge
    within: float = 0.1
    side: ClassVar[int] = 1
    shows = "bound"

    def __post_init__(self):
        name = type(self).__name__
        readable = getattr(self.judge, "shows", "") in READABLE and not isinstance(self.judge, type)
        if not readable or self.judge.false_alarm is None:
            raise TypeError(f"{name}: judge = {self.judge!r} tells no interval of a known error; Solver(), say, does")
        positive(self, within=1)

    @property
    def false_alarm(self) -> float | None:
        """The probability of refusing a true bound."""
        return self.judge.false_alarm

    def collect(self, run: Callable, seed: int):
        """The runs, as the judge collects them."""
        return self.judge.collect(run, seed)

    def interval(self, runs):
        """What was observed, and the ends of its interval."""
        return self.judge.interval(runs)

    def weigh(self, runs, predict: Predict) -> Finding:
        """How far (1) is from standing or (2) and (3) from falling, in units of the error: the worst of them."""
        observed, low, high = (np.asarray(end) for end in self.interval(runs))
        law, error = match(predict(), observed), (high - low) / 2
        size, slack = size_of(law), self.side * (law - (low + high) / 2)
        beyond = _units(-slack, error)
        worst = int(np.argmax(beyond))
        if not beyond.flat[worst] <= 1:
            where = f" at number {worst + 1} of {law.size}" if law.size > 1 else ""
            amount, told = -slack.flat[worst] / size.flat[worst], error.flat[worst] / size.flat[worst]
            return Finding(beyond.flat[worst], 1.0, f"violated{where} by {amount:.2%} (error {told:.2%})", observed)
        if not law.any():
            raise ValueError(f"{type(self).__name__}: a bound of 0 is a statement about a sign: judge it with Sign")
        if np.all(2 * error > self.within * size):
            least = np.min(error / size)
            raise ValueError(f"{type(self).__name__}: an error of {least:.2%} hides a bound tighter by {self.within:g}")
        near, apart = np.max(_units(self.within * size - slack, error)), np.max(_units(slack, error))
        least, most = max(0.0, np.min(slack / size)), np.max(slack / size)
        left = f"kept, with {least:.2%} to spare at the nearest and {most:.2%} at the most"
        tighter = "falls" if near > 1 else f"would stand too: out of sight of the runs, unless within > {self.within:g}"
        equal = "" if apart > 1 else "; met everywhere: state an equation"
        says = f"{left}; one tighter by {self.within:.0%} {tighter}{equal}"
        return Finding(max(beyond.flat[worst], _inverse(near), _inverse(apart)), 1.0, says, observed)


@dataclass(frozen=True)
class LowerBound(UpperBound):
    """For a bound from below: what `judge` finds in the runs is nowhere less than the law, and somewhere near it.

    judge, within: as of an `UpperBound`.
    """

    side: ClassVar[int] = -1


def _units(distance: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Distances in units of the error; where there is none, 0 or infinity."""
    exact = np.where(distance <= 0, 0.0, np.inf)
    return np.where(error > 0, distance / np.where(error > 0, error, 1.0), exact)


def _inverse(distance: float) -> float:
    """How far a prediction is from falling: at most 1 where it falls."""
    return float(1 / distance) if distance > 0 else np.inf
