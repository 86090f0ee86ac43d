"""What is measured and asserted nowhere: a number over seeds and levels, with its interval and its picture.

Some questions have no law yet.  Their answers are shown in the report beside what was judged, and apart from it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from laws.judges import confrontation, drawing
from laws.judges.finding import finite
from laws.judges.seeding import seeds
from laws.judges.ticks import geometric
from laws.judges.verdict import Panel, Series, read_panels, strict


@dataclass(frozen=True)
class Measurement:
    """A question, what the runs say to it, and the picture."""

    what: str
    says: str
    seed: int
    seconds: float
    panels: tuple[Panel, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """A name for the question that outlives a renamed test."""
        return re.sub(r"[\W_]+", "-", self.what.lower()).strip("-")

    def to_json(self) -> str:
        """The measurement as one line of JSON."""
        return json.dumps(strict(asdict(self)), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Measurement:
        """The measurement that `to_json` wrote."""
        data = json.loads(text)
        return cls(panels=read_panels(data.pop("panels")), **data)

    def plot(self):
        """A matplotlib figure of what was measured."""
        return drawing.figure(self.panels, ())

    def __str__(self) -> str:
        return f"{self.what}: measured, not judged\n  {self.says}"


def measure(
    what: str,
    run: Callable[[float, int], float],
    levels: Sequence[float],
    *,
    runs: int = 5,
    seed: int = 0,
    labels: Mapping[str, Any] | None = None,
    log: str = "",
    picture: Panel | None = None,
    redrawn: str = "",
) -> Measurement:
    """Measure `run(level, seed)` over levels and seeds, and report median and range without judging them.

    what: the question, one English sentence; run: gives one finite number; runs: seeds at every level, at least 3.
    The range of n independent runs holds the median with probability 1 - 2^(1-n), whatever its distribution.
    labels: of the axes, "x" and "y", and "names" of the levels, in order, where they are kinds and no numbers: then
    each has a row; log: which axes are logarithmic, x anyhow if levels are spaced so; picture: a further panel.
    redrawn: what runs draw anew from, such as "24 networks", if they are not independent: then this is said instead.

    Returns the measurement.  Raises ValueError for an empty question, fewer than 3 runs, no level, or other names
    than levels.
    """
    if not re.search(r"\w", what):
        raise ValueError(f"what = {what!r} must be a sentence")
    if runs < 3 or not len(levels):
        raise ValueError(f"runs = {runs}, levels = {levels!r}: at least 3 runs of at least one level are needed")
    named = {"x": "level", "y": "measured", "names": (), **(labels or {})}
    if named["names"] and len(named["names"]) != len(levels):
        raise ValueError(f"labels: names = {named['names']!r} must be {len(levels)}, one for each level")
    started, told = time.perf_counter(), named["names"] or [f"{x:g}" for x in levels]
    seed = confrontation.fresh(seed, what)
    values = np.array([finite([run(x, s) for x in levels], f"run(x, {s})") for s in seeds(seed, runs)])
    middle, low, high = np.median(values, axis=0), values.min(axis=0), values.max(axis=0)
    numbers = "; ".join(f"{x}: {m:.3g} [{a:.3g}, {b:.3g}]" for x, m, a, b in zip(told, middle, low, high, strict=True))
    says = f"{named['y']} by {named['x']}, median [range] of {runs} seeds: {numbers}"
    held = f"a range misses the median with probability {2.0 ** (1 - runs):.2g}"
    says += f" – runs draw anew from {redrawn} and are not independent" if redrawn else f" – {held}"
    ends, seen = (low.tolist(), high.tolist()), f"median and range, {runs} seeds"
    if named["names"]:
        ticks = tuple(enumerate(map(str, told)))
        points = Series("run", middle.tolist(), list(range(len(told))), seen, *ends)
        panel = Panel(named["y"], named["x"], (points,), "x" * ("y" in log), rows=True, ticks=ticks)
    else:
        points = Series("run", list(levels), middle.tolist(), seen, *ends)
        panel = Panel(named["x"], named["y"], (points,), log if "x" in log or not geometric(levels) else "x" + log)
    panels = (panel, *((picture,) if picture else ()))
    found = Measurement(what, says, seed, time.perf_counter() - started, panels)
    for listener in confrontation.listeners.get():
        listener(found)
    return found
