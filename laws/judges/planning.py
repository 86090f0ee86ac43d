"""How many seeds a judge needs, before the runs are made.

A judge whose rates follow from what it states needs what its own design says: `Mean`, `Distribution`, and `Trend` (how
many runs agree).  Of the others the number depends on a spread that nobody states, and a pilot of m runs bounds it: not
by the spread seen, which is too small half the time, but by one that the true spread exceeds with probability `doubt`.

Medians, exponents (the median of slopes) and equivalences have an interval between order statistics k and n + 1 - k of
n runs.  It lies within the quantiles Q(1/2 - s) and Q(1/2 + s) unless more than n - k runs lie beyond one of them: the
miss of the sign test that tells 1/2 + s from 1/2.  So `statistics.votes`, with half of `refusal` as its miss, gives n,
and s is sought for which the quantiles are a width w apart.  Of the pilot's ordered x_(1), ..., x_(m)

    x_(i) is below Q(1/2 + s_i), where P(Bin(m, 1/2 + s_i) >= i) = doubt/4, that rarely,                         (1)

and x_(m+1-i) is as rarely above Q(1/2 - s_i).  Let the density fall off on both sides of the median; then quantiles
spread ever faster, and within s < s_i by less than in proportion: s = s_i min(1, w / (x_(i) - x_(m+1-i))).         (2)
The i is chosen before the pilot is seen, as the best for normal runs.  An equivalence needs its margin on either side
of the median, which the pilot leaves between two of its order statistics.  It is planned for a law that is the median
itself: one that is off by a part of the margin, and yet equivalent, is refused more often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv, ndtri

from laws.judges import statistics
from laws.judges.exponents import Exponent
from laws.judges.finding import finite
from laws.judges.medians import Median
from laws.judges.samples import MISS, Distribution, Equivalent, Mean, Trend

DETECTS = {Equivalent: "margin", Trend: "excess"}  # what other judges call `detects`


@dataclass(frozen=True)
class Plan:
    """So many seeds, the judge that takes so many, and why."""

    seeds: int
    judge: Mean | Median | Distribution | Exponent | Trend | Equivalent
    says: str

    def __int__(self) -> int:
        return self.seeds

    def __str__(self) -> str:
        return f"{self.seeds} seeds: {self.says}"


def seeds_needed(
    judge, detects: float | None = None, pilot=None, *, refusal: float = MISS, doubt: float = 1e-2
) -> Plan:
    """The fewest seeds with which a judge resolves a difference, at the error rates that it states.

    judge: a `Mean`, `Median`, `Distribution`, `Exponent`, `Trend` or `Equivalent`; the plan has it with that number.
    detects: the difference, in place of the judge's own: of an `Equivalent` its margin, of a `Trend` its excess.
    pilot: what `run` gave, a row for each seed: what a `Median` or `Equivalent` is of, or the values at all levels of
    an `Exponent` or a `Trend`.  refusal: the probability that so many runs are refused as too few; doubt: that the
    pilot understates the spread, or overstates how many runs agree in a trend.

    Raises ValueError where no number follows: from a pilot that is lacking, too small or of no use, TypeError for a
    judge that has no number of seeds.
    """
    if type(judge) not in (Mean, Median, Distribution, Exponent, Trend, Equivalent):
        raise TypeError(f"judge = {judge!r} has no number of seeds to be planned")
    for name, value in (("refusal", refusal), ("doubt", doubt)):
        if not 0 < value < 0.5:
            raise ValueError(f"{name} = {value} must be positive and below 0.5")
    if isinstance(judge, Mean):
        judge = replace(judge, samples=None)
    if detects is not None:
        judge = replace(judge, **{DETECTS.get(type(judge), "detects"): detects})
    if isinstance(judge, Trend):
        return _trend(judge, detects, pilot, doubt)
    if isinstance(judge, Mean | Distribution):
        return _stated(judge, pilot)
    return _medians(judge, pilot, refusal, doubt)


def _stated(judge: Mean | Distribution, pilot) -> Plan:
    """What the judge's own design says."""
    name, both = type(judge).__name__, f"{judge.false_alarm:g} and {judge.miss:g}"
    if pilot is not None:
        raise ValueError(f"{name}: its number follows from what it states; a pilot bounds nothing that it needs")
    if isinstance(judge, Distribution):
        n = statistics.band_samples(judge.detects, judge.false_alarm, judge.miss)
        return Plan(n, judge, f"tell distributions {judge.detects:g} apart, with errors of {both}")
    told = f"tell means {judge.detects:g} apart, with errors of {both}"
    return Plan(judge.needed, replace(judge, samples=judge.needed), told)


def _trend(judge: Trend, detects: float | None, pilot, doubt: float) -> Plan:
    """The votes of its design, with as much agreement as the pilot promises."""
    if pilot is None:
        told = f"{0.5 + judge.excess:.3g} of the runs must agree"
    elif detects is not None:
        raise ValueError(f"Trend: detects = {detects:g} and a pilot both say how many runs agree: give one of them")
    else:
        values = _rows(pilot, judge, len(judge.levels))
        votes = statistics.rank_signs(judge.levels, values)
        agree, m = int(max(np.sum(votes == 1), np.sum(votes == -1))), len(votes)
        least = float(betaincinv(agree, m - agree + 1, doubt / 2)) if agree else 0.0  # Clopper and Pearson
        if not least > 0.5:
            raise ValueError(f"Trend: {agree} of {m} pilot runs agree, as coins might: no trend to plan for")
        judge = replace(judge, excess=least - 0.5)
        told = f"{agree} of {m} pilot runs agree, so that {least:.3g} of all do but with probability {doubt:g}"
    return Plan(judge._design()[0], judge, told)


def _medians(judge: Median | Exponent | Equivalent, pilot, refusal: float, doubt: float) -> Plan:
    """(1) and (2) for every median, each with its share of the errors."""
    name = type(judge).__name__
    if pilot is None:
        raise ValueError(f"{name}: how many seeds depends on their spread: give a pilot of some runs")
    if isinstance(judge, Exponent):
        values = _rows(pilot, judge, len(judge.levels))
        if np.any(values <= 0):
            raise ValueError("Exponent: a scaling law needs positive values; the pilot has others")
        columns = np.polyfit(np.log(judge.levels), np.log(values).T, 1)[:1]
    else:
        columns = _rows(pilot, judge).T
    share, error = len(columns), judge.error
    excess = min(_excess(np.sort(column), judge, doubt / share) for column in columns)
    try:
        n = max(statistics.votes(excess, error, refusal / 2 / share)[0], judge.needed)
    except ValueError as few:
        more = f"more than {statistics.MOST:,} seeds by this pilot; a larger one bounds the spread better"
        raise ValueError(f"{name}: to resolve {_difference(judge):g} takes {more}") from few
    told = f"refused as too few for {_difference(judge):g} with probability {refusal:g} at most, by a spread"
    told += f" that {columns.shape[1]} pilot runs bound with a doubt of {doubt:g}"
    return Plan(n, replace(judge, runs=n), told)


def _difference(judge) -> float:
    """What it must resolve, in its own words."""
    return judge.margin if isinstance(judge, Equivalent) else judge.detects


def _excess(x: np.ndarray, judge, doubt: float) -> float:
    """S of (2), for one median and its sorted pilot."""
    m = len(x)
    i = np.arange((m + 1) // 2 + 1, m + 1)  # beyond the pilot's median
    s = betaincinv(i, m + 1 - i, doubt / 4) - 0.5  # Clopper and Pearson
    if not np.max(s, initial=0.0) > 0:
        enough = math.floor(math.log2(4 / doubt)) + 1
        raise ValueError(f"the pilot: {m} runs bound no spread with a doubt of {doubt:g}; {enough} would do")
    best = int(np.argmax(s / ndtri(i / (m + 1))))
    high, low = x[i[best] - 1], x[m - i[best]]
    first, last = statistics.median_interval(x, doubt / 4)
    width = max(high - first, last - low) if isinstance(judge, Equivalent) else high - low
    allowed = 2 * judge.detects if isinstance(judge, Exponent) else _difference(judge)
    return float(s[best] * min(1.0, allowed / max(width, np.finfo(float).tiny)))


def _rows(pilot, judge, levels: int | None = None) -> np.ndarray:
    """A row for each seed; ValueError for another shape."""
    values = finite(pilot, "the pilot")
    if values.ndim == 0 or (levels is not None and values.shape[1:] != (levels,)):
        wanted = "a row for each seed" + (f" with {levels} numbers, one for each level" if levels else "")
        raise ValueError(f"{type(judge).__name__}: the pilot has shape {values.shape}: it must have {wanted}")
    rows = values.reshape(len(values), math.prod(values.shape[1:]))
    if isinstance(judge, Median) and rows.shape[1] > judge.points:
        raise ValueError(f"Median: the pilot has {rows.shape[1]} medians, but points = {judge.points}")
    return rows
