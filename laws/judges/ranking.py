"""Several hypotheses ranked by how well they foretell runs that none of them has seen.

Every hypothesis predicts what a run gives, and is scored run by run.  A score is proper if its expectation is least for
the truth: the squared error for means, the absolute error for medians.  Parameters that nobody knows take, for each
hypothesis by itself, the values of least score on runs to fit; the runs that are scored are as many others.  These
differ more than the hypotheses do, which therefore are compared within each run:

    d_i(h, g) = (score of h in run i) - (score of g in run i).                                                   (1)

The median of d lies between two order statistics, for any distribution of runs.  Nobody beats the best, and among those
whom nobody beats its score is least on average; another is rejected if the interval of its d from the best is above 0,
and tied if it holds 0.  With hypotheses that beat each other in a circle there is no best, and no ranking.

Error rates, of all p pairs together.  False alarm: that a hypothesis is rejected though in half of all runs it is at
least as good as the best; either end of an interval fails with false_alarm / 2p.  Miss: that one is called tied though
it is worse than the best in a share 1/2 + excess of all runs; the number of runs follows (`statistics.votes`).

Of squared errors (1) is linear in the run: where noise is above as often as below, its median is its mean, and who is
better in most runs is nearer to the mean.  Of skewed noise that is not so: there the runs are to be ranked by absolute
errors, and the hypotheses to be about medians.  If the best has not the least mean score, there is no ranking.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from laws.judges import confrontation, drawing, fitting, statistics
from laws.judges.finding import Predict, finite, match
from laws.judges.measurement import Measurement
from laws.judges.samples import FALSE_ALARM, MISS
from laws.judges.seeding import seeds, varied
from laws.judges.verdict import Panel, Series, table

SKEWED = "; best is who is better in most runs: for squared errors of skewed runs not who is nearer to the mean"
HEADING = ("", "mean score", "more than the best", "interval", "worse in", "standing", "fitted")


def squared_error(predicted: np.ndarray, observed: np.ndarray) -> float:
    """The mean square of the distances: proper for means."""
    return float(np.mean((predicted - observed) ** 2))


def absolute_error(predicted: np.ndarray, observed: np.ndarray) -> float:
    """The mean of the distances: proper for medians."""
    return float(np.mean(np.abs(predicted - observed)))


@dataclass(frozen=True)
class Ranked:
    """A hypothesis in its place: its mean score; the median of what it has more than the best, and its interval.

    `worse` is the share of runs in which it has more; `standing` is best, tied or rejected; `fitted` its parameters.
    """

    name: str
    score: float
    more: float
    low: float
    high: float
    worse: float
    standing: str
    fitted: dict[str, float]

    @property
    def cells(self) -> tuple[str, ...]:
        """The line of the table."""
        values = ", ".join(f"{name} = {value:.4g}" for name, value in self.fitted.items())
        if self.standing == "best":
            return self.name, f"{self.score:.4g}", "", "", "", "best", values
        more, ends = f"{self.more:.3g}", f"[{self.low:.3g}, {self.high:.3g}]"
        return self.name, f"{self.score:.4g}", more, ends, f"{self.worse:.0%}", self.standing, values


@dataclass(frozen=True)
class Ranking:
    """Hypotheses from the best to the worst, the number of runs that were scored, and both error rates."""

    what: str
    rows: tuple[Ranked, ...]
    runs: int
    false_alarm: float
    says: str
    seed: int
    panels: tuple[Panel, ...] = field(repr=False)

    @property
    def best(self) -> str:
        """The name of the best."""
        return self.rows[0].name

    @property
    def tied(self) -> tuple[str, ...]:
        """Those that these runs do not tell from the best."""
        return tuple(row.name for row in self.rows if row.standing == "tied")

    @property
    def rejected(self) -> tuple[str, ...]:
        """Those that foretell worse than the best."""
        return tuple(row.name for row in self.rows if row.standing == "rejected")

    @property
    def lines(self) -> list[tuple[str, ...]]:
        """The table, with its heading and without empty columns."""
        lines = [HEADING, *(row.cells for row in self.rows)]
        filled = [any(line[i] for line in lines[1:]) for i in range(len(HEADING))]
        return [tuple(cell for cell, some in zip(line, filled, strict=True) if some) for line in lines]

    def plot(self):
        """A matplotlib figure of what each has more than the best, with its interval."""
        return drawing.figure(self.panels[:1])

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.lines, strict=True)]
        lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in self.lines]
        return "\n".join([self.what, *(f"  {line}" for line in lines), f"  {self.says}"])

    def _repr_html_(self) -> str:
        heading, *lines = ([html.escape(cell) for cell in line] for line in self.lines)
        rows = ["".join(f"<td>{cell}</td>" for cell in line) for line in lines]
        head = "".join(f"<th>{cell}</th>" for cell in heading)
        body = f"<table><tr>{head}</tr><tr>{'</tr><tr>'.join(rows)}</tr></table>"
        return f"<p>{html.escape(self.what)}</p>{body}<p>{html.escape(self.says)}</p>{drawing.embedded(self.plot())}"


def rank(
    what: str,
    hypotheses: Mapping[str, Any],
    run: Callable[[int], Any],
    at: Mapping[str, Any],
    *,
    free: Mapping[str, float] | None = None,
    score: Callable[[np.ndarray, np.ndarray], float] = squared_error,
    excess: float = 0.45,
    false_alarm: float = FALSE_ALARM,
    miss: float = MISS,
    seed: int = 0,
) -> Ranking:
    """Rank hypotheses by a proper score on held-out runs: which is best, which these runs cannot tell from it.

    what: the question, one English sentence; hypotheses: by name, each a `Law`, a function of the keywords in `at` and
    `free`, or a number; run: seed -> what they predict; free: parameters to fit, with the values from which the search
    starts, none of them 0; score: of a prediction and a run, the less the better; excess: a hypothesis is not to be
    missed which is worse in a share 1/2 + excess of the runs; false_alarm, miss: of all pairs.

    The best is who is better in most runs.  For squared errors of skewed runs that is not who is nearer to the mean:
    use `score=absolute_error`, and hypotheses about medians.

    Returns the ranking.  Raises ValueError for less than two hypotheses, a search that does not converge, a score that
    is not finite, a run that ignores its seed, hypotheses that beat each other in a circle, or a best whose mean score
    is not the least.
    """
    started = time.perf_counter()
    _check(what, hypotheses, free or {}, excess, false_alarm, miss)
    pairs, seed = len(hypotheses) * (len(hypotheses) - 1) // 2, confrontation.fresh(seed, what)
    n, _ = statistics.votes(excess, false_alarm / 2 / pairs, miss / pairs)
    predictions = {name: confrontation.prediction(h, at) for name, h in hypotheses.items()}
    for predict in predictions.values():
        predict(**(free or {}))  # refuses bad arguments before any work
    first, *others = ([finite(run(s), f"run({s})") for s in seeds(k, n)] for k in seeds(seed, 2 if free else 1))
    fitted = {name: _fit(name, p, varied(first), free or {}, score) for name, p in predictions.items()}
    scored = others[0] if free else first
    scores = {name: _scores(p(**{**(free or {}), **fitted[name]}), scored, score) for name, p in predictions.items()}
    for name, values in scores.items():
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name}: a score of {values[~np.isfinite(values)][0]} ranks nothing")
    rows = _agreed(_ranked(scores, fitted, false_alarm / 2 / pairs))
    says = _says(rows, n, false_alarm, excess, miss) + (SKEWED if score is squared_error else "")
    ranking = Ranking(what, rows, n, false_alarm, says, seed, _panels(rows, score))
    lines = table(ranking.lines)
    found = Measurement(what, ranking.says, seed, time.perf_counter() - started, (*ranking.panels, lines))
    for listener in confrontation.listeners.get():
        listener(found)
    return ranking


def _check(what, hypotheses, free, excess, false_alarm, miss) -> None:
    """Refuse what cannot be ranked, by name."""
    if not re.search(r"\w", what):
        raise ValueError(f"what = {what!r} must be a sentence")
    if not isinstance(hypotheses, Mapping) or len(hypotheses) < 2:
        raise ValueError(f"hypotheses = {hypotheses!r} must map two names or more to what they predict")
    for name, start in free.items():
        if not np.isfinite(start) or start == 0:
            raise ValueError(f"free: {name} starts from {start}: give a finite value that is not 0")
    for name, value, bound in (("excess", excess, 0.5), ("false_alarm", false_alarm, 0.5), ("miss", miss, 0.5)):
        if not 0 < value < bound:
            raise ValueError(f"{name} = {value} must be positive and below {bound}")


def _scores(predicted: np.ndarray, runs, score) -> np.ndarray:
    """The score of one prediction in every run."""
    return np.array([float(score(match(predicted, observed), observed)) for observed in runs])


def _fit(name: str, predict: Predict, runs, free: Mapping[str, float], score) -> dict[str, float]:
    """The parameters on which a prediction depends, at the least mean score."""
    from scipy.optimize import minimize  # here, because it takes longer to load than all the rest

    used = fitting.involved(predict, free, runs[0])
    at = lambda u: {k: free[k] * float(x) for k, x in zip(used, u, strict=True)}  # noqa: E731
    if not used:
        return {}

    def mean(u):
        with np.errstate(all="ignore"):
            predicted = fitting.tried(predict, {**free, **at(u)})
            found = np.inf if np.any(np.isnan(predicted)) else float(np.mean(_scores(predicted, runs, score)))
        return found if np.isfinite(found) else np.inf

    precision = dict(xatol=1e-6, fatol=np.inf, maxfev=2000)  # of the parameters, in units of their starts
    found = minimize(mean, np.ones(len(used)), method="Nelder-Mead", options=precision)
    if not found.success:
        raise ValueError(f"{name}: the search from {dict(free)} does not converge: {found.message}")
    return at(found.x)


def _ranked(scores: Mapping[str, np.ndarray], fitted, error: float) -> tuple[Ranked, ...]:
    """Every hypothesis in its place, from the best on."""
    more = {(h, g): statistics.median_interval(scores[h] - scores[g], error) for h, g in permutations(scores, 2)}
    beaten = {h for (h, _), (low, _) in more.items() if low > 0}
    unbeaten = [h for h in scores if h not in beaten]
    if not unbeaten:
        raise ValueError(f"{', '.join(scores)} beat each other in a circle: there is no best")
    best = min(unbeaten, key=lambda h: float(np.mean(scores[h])))
    rows = [Ranked(best, float(np.mean(scores[best])), 0.0, 0.0, 0.0, 0.0, "best", fitted[best])]
    for h in (h for h in scores if h != best):
        d, (low, high) = scores[h] - scores[best], more[h, best]
        place = float(np.mean(scores[h])), float(np.median(d)), low, high, float(np.mean(d > 0))
        rows.append(Ranked(h, *place, "rejected" if low > 0 else "tied", fitted[h]))
    return (rows[0], *sorted(rows[1:], key=lambda row: (row.standing == "rejected", row.score)))


def _agreed(rows: tuple[Ranked, ...]) -> tuple[Ranked, ...]:
    """The rows, if those who are beaten in most runs are not better on average; ValueError if one is."""
    least = min(rows, key=lambda row: row.score)
    if least.score < rows[0].score:
        raise ValueError(
            f"{rows[0].name} is better in most runs and {least.name} on average ({least.score:.4g} against "
            f"{rows[0].score:.4g}): these runs are skewed, or of heavy tails; use score=absolute_error, and hypotheses "
            "about medians"
        )
    return rows


def _says(rows: tuple[Ranked, ...], n: int, false_alarm: float, excess: float, miss: float) -> str:
    """Who is best, who is tied, who is rejected, and how often that is wrong."""
    named = {s: ", ".join(row.name for row in rows if row.standing == s) for s in ("tied", "rejected")}
    says = f"best of {len(rows)} on {n} held-out runs: {rows[0].name}"
    says += f"; tied, since these runs do not tell them from it: {named['tied']}" if named["tied"] else "; none is tied"
    says += f"; rejected: {named['rejected']}" if named["rejected"] else "; none is rejected"
    return f"{says} (false alarm {false_alarm:g}; miss {miss:g} of what is worse in {0.5 + excess:.0%} of runs)"


def _panels(rows: tuple[Ranked, ...], score: Callable) -> tuple[Panel, ...]:
    """What every other has more than the best, with its interval."""
    series = [Series("law", [0.0], [0.0], f"{rows[0].name} (best)")]
    series += [Series("run", [r.more], [0.0], f"{r.name} ({r.standing})", [r.low], [r.high]) for r in rows[1:]]
    named = getattr(score, "__name__", "score").strip("<>").replace("_", " ")
    return (Panel(f"{named}, more than that of the best in the same run", "", tuple(series), rows=True),)
