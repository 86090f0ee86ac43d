"""Judges of what is true of a run or is not: a sign, a whole number.

Nothing here is close: a run says what the law says, or contradicts it.  So there is no distance and no factor; what
is told of a prediction is how many runs contradict it: a law by none, a rival by one at least.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from laws.judges.finding import Finding, finite, match
from laws.judges.verdict import Panel, Series

NAMED = 3  # of those that contradict


@dataclass(frozen=True)
class Sign:
    """For a statement of order about every run: `run(seed)` gives one signed number for each, the law its sign.

    "In each of these networks activity falls" is the law -1 for the change of activity; 0 says that nothing changes
    at all.  For runs too few for a `Trend`, which says the same of most networks and states how often it errs.

    It states no error rate: all these runs obeyed, and how often another one would not is left open.  If the signs
    were tossed by a coin, n of them would obey with probability 2^-n; where it is not small, little was learnt.  A
    rival is another pattern of signs: of a control that was run, or of another theory.  "The other way" is none, since
    it falls wherever the law stands: a sign may be confronted without a rival, and then its card says so.
    each: what there is one number of, in the singular.
    """

    each: str = "network"
    false_alarm: None = field(default=None, init=False, repr=False)
    shows = "signs"

    def collect(self, run, seed):
        """One signed number for each network; for an array (networks, levels), for each of its entries.

        A network's own entries need not be independent: they have one coin.
        """
        return np.atleast_1d(finite(run(seed), f"run({seed})"))

    def weigh(self, runs, predict):
        """How many numbers have another sign."""
        law = match(predict(), runs)
        if np.any(odd := ~np.isin(law, (-1.0, 0.0, 1.0))):
            raise ValueError(f"Sign: a sign is +1, -1 or 0 (no change), not {law[odd][0]:g}")
        says, finding = _contradictions(np.sign(runs) != law, runs, f"{self.each}s")
        if finding["figure"] == 1 and law.all():
            says += f"; so would coins, with probability {0.5 ** len(runs):.2g}"
        return Finding(**finding, says=says, observed=runs)

    def panel(self, runs, predictions):
        """Every number as a dot beside the line of no effect; the side that the law says is shaded."""
        law = match(next(iter(predictions.values()))(), runs)
        if np.any(law != law.reshape(-1, law.shape[-1])[0]):
            law, runs = law.ravel(), runs.ravel()
        sides, x = law.reshape(-1, law.shape[-1])[0], np.arange(1, law.shape[-1] + 1)
        far = 1.05 * float(np.max(np.abs(runs)))
        series: list[Series] = []
        for part in np.split(x, np.flatnonzero(np.diff(sides)) + 1):
            ends, side = [part[0] - 0.5, part[-1] + 0.5], far * float(sides[part[0] - 1])
            named = "law: this side" if side and not any(s.label for s in series) else ""
            beside = [-side / 4] * 2  # room for dots that contradict, of which there are none
            series.append(Series("band", ends, beside, named, [min(side, 0.0)] * 2, [max(side, 0.0)] * 2))
        series.append(Series("each", [0.5, x[-1] + 0.5], [0.0, 0.0], "no effect" if law.any() else "law: no effect"))
        series.append(Series("run", x.tolist(), runs.tolist(), f"one {self.each}"))
        return Panel(self.each, "y", tuple(series), counts=True)


@dataclass(frozen=True)
class Count:
    """For whole numbers: what `run(seed)` counts is what the law says, each time and exactly.

    Ranks, fixed points, ways down, bits that differ.  A rival is contradicted by some of the counts.
    """

    false_alarm: float = field(default=0.0, init=False, repr=False)
    shows = "counts"

    def collect(self, run, seed):
        """What was counted; ValueError unless all are whole numbers."""
        counts = np.asarray(finite(run(seed), f"run({seed})"))
        if np.any(odd := counts != np.rint(counts)):
            raise ValueError(f"Count: run({seed}) gave {counts[odd].flat[0]:g}, which is no whole number")
        return counts

    def weigh(self, runs, predict):
        """How many counts are others than predicted."""
        says, finding = _contradictions(match(predict(), runs) != runs, runs, "counts")
        return Finding(**finding, says=says, observed=runs)

    def interval(self, runs):
        """The counts, which have no error."""
        return runs, runs, runs


def _contradictions(wrong: np.ndarray, values: np.ndarray, cases: str) -> tuple[str, dict]:
    """How many of some cases contradict a prediction, in words and as a figure: 1 + their number, which must be 1."""
    n, size = int(np.count_nonzero(wrong)), wrong.size
    says = f"holds in {size} of {size} {cases}"
    if n:
        places = [", ".join(str(i + 1) for i in place) or "1" for place in np.argwhere(wrong)[:NAMED]]
        told = ", ".join(f"number {place} ({v:.3g})" for place, v in zip(places, values[wrong], strict=False))
        says = f"fails in {n} of {size} {cases}: {told}{' and others' * (n > NAMED)}"
    return says, {"figure": n + 1.0, "threshold": 1.0, "cases": f"{size} {cases if size > 1 else cases[:-1]}"}
