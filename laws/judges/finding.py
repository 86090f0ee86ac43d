"""What a judge is, what it finds for one prediction, and the arithmetic that judges share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from laws.judges.verdict import Panel, ratio

Predict = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Finding:
    """What a judge found for one prediction; `observed` is what the prediction should have been.

    For a statement that each of some cases obeys or contradicts, `cases` tells how many there are and what they are
    ("5 networks"); then figure / threshold is 1 + the number of those that contradict.
    """

    figure: float
    threshold: float
    says: str
    observed: np.ndarray
    cases: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the figure is within the threshold."""
        return ratio(self.figure, self.threshold) <= 1


class Judge(Protocol):
    """What `confront` asks of a judge.

    `shows` says what there is to see: the "values" that the law predicts, with an interval; a "limit",
    which has a panel of its own beside them; "counts", which are values without an error; values that the law has as
    their "bound", or as its "forecast" after a fit; a "fit" through the runs, the "signs" of numbers, or the "samples",
    of which the law is a function: these three have a panel of their own alone.
    """

    shows: Literal["values", "limit", "counts", "bound", "forecast", "fit", "signs", "samples"]

    @property
    def false_alarm(self) -> float | None:
        """The probability of refusing a true law, where it is known."""

    def collect(self, run: Callable, seed: int) -> Any:
        """Run the simulation, once for all predictions."""

    def weigh(self, runs: Any, predict: Predict) -> Finding:
        """Judge one prediction on these runs."""

    def interval(self, runs: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of values, limits and counts: what was observed, and both ends of its interval."""

    def panel(self, runs: Any, predictions: Mapping[str, Predict]) -> Panel:
        """Of limits, fits, signs and samples: the judge's own picture; the first prediction is the law."""


def real(values, whose: str) -> np.ndarray:
    """Values as float64; TypeError, naming whose they are, unless they are real numbers."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{whose} gave no array: {error}") from None
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{whose} gave {array.dtype} values, not real numbers")
    return array.astype(float)


def positive(judge, **below) -> None:
    """ValueError unless each named setting of a judge is positive and below its bound."""
    for name, bound in below.items():
        value = getattr(judge, name)
        if not 0 < value < bound:
            raise ValueError(f"{type(judge).__name__}: {name} = {value} must be positive and below {bound:g}")


def enough(judge) -> None:
    """ValueError unless a judge of medians has the runs that its intervals need."""
    if judge.runs < judge.needed:
        few = f"{judge.runs} runs are too few for an error of {judge.error:g}; {judge.needed} would do"
        raise ValueError(f"{type(judge).__name__}: {few}")


def finite(values, call: str) -> np.ndarray:
    """Values as float64; ValueError, naming the call that gave them, unless all are finite, and some are there."""
    array = real(values, call)
    if not array.size:
        raise ValueError(f"{call} gave no values")
    if not np.all(np.isfinite(array)):
        first = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0])) or "0"
        some = f"{np.count_nonzero(~np.isfinite(array))} values that are not finite, the first at index {first}"
        raise ValueError(f"{call} gave {some}")
    return array


def match(prediction, observed) -> np.ndarray:
    """A prediction in the shape of the observations; ValueError if it has another."""
    try:
        return np.broadcast_to(np.asarray(prediction, dtype=float), np.shape(observed))
    except ValueError:
        raise ValueError(f"the law has shape {np.shape(prediction)}, the runs {np.shape(observed)}") from None


def size_of(values) -> np.ndarray:
    """The magnitude of each value; for one that is 0, the largest of them all."""
    size = np.abs(values)
    return np.where(size > 0, size, max(float(np.max(size, initial=0)), np.finfo(float).tiny))
