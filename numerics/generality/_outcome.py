"""What came of sweeps, draw by draw: what is left of the activity, and which factor changes how much."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import quantile_test

from numerics.generality._design import RULES
from numerics.generality._table import Part, Sweep, kinds, relaxation
from numerics.generality._train import EVEN

STEADY = tuple(rule for rule in RULES if rule != "SED")  # rules under which most networks do not diverge
ORDER = ("lowest third", "middle third", "highest third", "none", "1 to 6", "7 to 13", "14 to 20")  # of levels
MEASURES = {"active_fraction": "active pairs", "carriers": "units that carry the output"}
LIKE = {  # what networks must have in common to tell of a factor alone
    "rule": ("activation",),
    "noise": ("rule", "activation"),
    "activation": ("rule",),
    "task": ("draw",),
    "start": ("draw",),
    "samples": ("rule", "activation"),
    "inputs": ("rule", "activation"),
    "outputs": ("rule", "activation"),
}


class Outcome:
    """The networks of sweeps of equal length, and their curves.

    Attributes:
        settings: of all networks.
        steps: that are recorded, (T,).
        curves: loss, active_units, active_fraction and carriers, (T, networks); nan from where one has diverged.
        draws: the number of each network's draw of rule, activation, sizes and noise, (networks,).
        on_axis: whether each is on the axis of noise, (networks,).
        kinds: levels of every factor, (networks,) each.
        alive: which have not diverged, (networks,).
        relu: which have ReLUs, (networks,).
        steady: which are alive, by a rule under which most networks are, (networks,).
    """

    def __init__(self, sweeps: Sequence[Sweep | Part], tables: Sequence[Mapping[str, np.ndarray]]):
        if len(sweeps) != len(tables) or not len(sweeps):
            raise ValueError(f"{len(sweeps)} sweeps and {len(tables)} tables: each sweep has one, and there is one")
        if any(not np.array_equal(one["steps"], tables[0]["steps"]) for one in tables):
            raise ValueError("tables are of other steps: only sweeps of equal length are compared")
        self.steps = tables[0]["steps"]
        self.settings = [one for whole in sweeps for one in whole.settings()]
        starts = np.cumsum([0, *(int(whole.blocks().max()) + 1 for whole in sweeps)])
        self.draws = np.concatenate([k + whole.blocks() for k, whole in zip(starts, sweeps, strict=False)])
        self.on_axis = np.concatenate([whole.on_axis() for whole in sweeps])
        names = [name for name in tables[0] if name != "steps"]
        self.curves = {name: np.concatenate([one[name] for one in tables], axis=1).astype(float) for name in names}
        self.kinds = kinds(self.settings)
        self.alive = np.isfinite(self.curves["loss"][-1])
        self.relu = self.kinds["activation"] == "relu"
        self.steady = self.alive & np.isin(self.kinds["rule"], STEADY)

    def at(self, part: float) -> int:
        """The record nearest, in ratio, to this part of the run."""
        return int(np.abs(np.log(np.maximum(self.steps, 1) / (part * self.steps[-1]))).argmin())

    def kept(self, curve: str) -> np.ndarray:
        """What is left at the end of what there was after a hundredth of the run; nan of nothing, (networks,)."""
        first, last = self.curves[curve][self.at(0.01)], self.curves[curve][-1]
        return np.divide(last, first, out=np.full(len(first), np.nan), where=first > 0)

    def votes(self, values, chosen, of=np.median) -> np.ndarray:
        """One number for each draw of the chosen networks."""
        return np.array([of(values[chosen & (self.draws == draw)]) for draw in np.unique(self.draws[chosen])])

    def time_constants(self, some) -> np.ndarray:
        """Of active pairs of some networks, or of the units that carry the output where all are active."""
        what = np.where(self.relu, self.curves["active_fraction"], self.curves["carriers"])
        return relaxation(self.steps[self.even], what[self.even][:, some])

    @property
    def even(self) -> np.ndarray:
        """Which records are evenly spaced, (T,)."""
        return np.isin(self.steps, np.rint(np.linspace(0, self.steps[-1], EVEN + 1)))


@dataclass(frozen=True)
class Level:
    """What is left of the activity of networks at one level of a factor; each draw has one vote, its median.

    Attributes:
        factor, level: which.
        draws, networks: how many there are.
        left: at the end of what there was after a hundredth of the run, median of the draws; low and high enclose it
            with probability .95 or more, and are nan where there are fewer than six draws.
        over: the same over what is left of networks that are like them but for this factor; nan where none is.
        time_constant: steps, median of the draws that tell one.
        told: networks that do.
    """

    factor: str
    level: str
    draws: int
    networks: int
    left: float
    left_low: float
    left_high: float
    over: float
    over_low: float
    over_high: float
    time_constant: float
    time_constant_low: float
    time_constant_high: float
    told: int


def levels(one: Outcome, curve: str, chosen) -> list[Level]:
    """What is left of a curve at every level of every factor, of the chosen networks, a mask (networks,)."""
    left, taus = one.kept(curve), np.full(len(one.settings), np.nan)
    chosen = np.asarray(chosen) & np.isfinite(left)
    if chosen.any():
        taus[chosen] = one.time_constants(chosen)
    found = []
    for factor in LIKE:
        over = _over_like(one, left, chosen, factor)
        named = np.unique(one.kinds[factor][chosen])
        for level in sorted(named, key=lambda name: (ORDER.index(name) if name in ORDER else -1, name)):
            here = chosen & (one.kinds[factor] == level)
            told, beside = here & np.isfinite(taus), here & np.isfinite(over)
            votes = one.votes(left, here)
            columns = (*_median(votes), *_median(one.votes(over, beside)), *_median(one.votes(taus, told)))
            found.append(Level(factor, str(level), len(votes), int(here.sum()), *columns, int(told.sum())))
    return found


def as_csv(rows: Sequence[Level]) -> str:
    """The levels as comma-separated values, with a heading; nan is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names := [field.name for field in fields(Level)])
    for row in rows:
        cells = [getattr(row, name) for name in names]
        writer.writerow(["" if cell != cell else f"{cell:.6g}" if isinstance(cell, float) else cell for cell in cells])
    return text.getvalue()


def as_lines(rows: Sequence[Level]) -> list[list[str]]:
    """The levels as lines of words, the first of them the heading."""
    lines = [["draws with networks", "left", "over like ones", "time constant (told)"]]
    for row in rows:
        name = f"{row.factor}: {row.level} ({row.draws} with {row.networks})"
        over = _words(row.over, row.over_low, row.over_high, ".2f")
        tau = f"{_words(row.time_constant, row.time_constant_low, row.time_constant_high, ',.0f')} ({row.told})"
        lines.append([name, _words(row.left, row.left_low, row.left_high, ".3f"), over, tau])
    return lines


def as_text(rows: Sequence[Level]) -> str:
    """The same lines in columns."""
    lines = as_lines(rows)
    wide = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, wide, strict=True)).rstrip() + "\n" for line in lines
    )


def _over_like(one: Outcome, values, chosen, factor: str) -> np.ndarray:
    """Values over the median of the chosen networks that are like them but for this factor; nan if none is."""
    known, over = {**one.kinds, "draw": one.draws}, np.full(len(values), np.nan)
    group = np.array(["/".join(map(str, each)) for each in zip(*(known[k] for k in LIKE[factor]), strict=True)])
    for name in np.unique(group[chosen]):
        inside = chosen & (group == name)
        usual = np.median(one.votes(values, inside))
        if usual > 0 and len(np.unique(one.kinds[factor][inside])) > 1:
            over[inside] = values[inside] / usual
    return over


def _median(votes: np.ndarray) -> tuple[float, float, float]:
    """The median and its interval of 95 %, which holds for any distribution; nan where there is none."""
    if not len(votes):
        return np.nan, np.nan, np.nan
    interval = quantile_test(votes, q=float(np.median(votes))).confidence_interval(0.95)
    return float(np.median(votes)), float(interval.low), float(interval.high)


def _words(middle: float, low: float, high: float, form: str) -> str:
    """A number and its interval, as far as there are any."""
    if np.isnan(middle):
        return "–"
    return f"{middle:{form}}" + ("" if np.isnan(low + high) else f"  [{low:{form}}, {high:{form}}]")
