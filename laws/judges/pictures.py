"""What is drawn of a confrontation: always the law and its rivals against the runs, at a scale where they differ.

- An argument runs along the observations: law and rivals as curves, the runs as dots.
- One number, or several that should be equal: a forest plot; its rows are the runs, the law and every rival.
- Numbers of a name each: a row for each.
- Numbers in no order: each at what the law predicts for it, so that the law is the diagonal.

A judge of limits adds its errors step by step.  Where the error of the runs, or a rival's distance from the
law, is too small for the eye, a further panel shows every distance in units of that error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from laws.judges.finding import Judge, Predict, match
from laws.judges.ticks import LOWEST, UNITS, geometric
from laws.judges.verdict import Panel, Series

ROWS = 5  # curves of one family
SEEN = 0.02  # of the height of a picture, that the eye resolves


def panels(judge: Judge, runs, predictions: Mapping[str, Predict], at, labels: Mapping[str, Any]) -> tuple[Panel, ...]:
    """The panels of a verdict; the first prediction is the law.

    `labels` name the axes and what was run; "names" the kinds that stand along an axis instead of numbers, in order.
    """
    if judge.shows in ("fit", "signs", "samples"):
        own = judge.panel(runs, predictions)
        named = _names(labels, next(series.x for series in own.series if series.role == "run"))
        return (replace(own, x=labels.get(own.x, labels.get("x", own.x)), y=labels.get("y", own.y), ticks=named),)
    if hasattr(judge, "settled"):  # each is drawn with the parameters that were fitted for it
        predictions = {name: judge.settled(runs, predict) for name, predict in predictions.items()}
    observed, low, high = judge.interval(runs)
    values = {name: match(predict(), observed) for name, predict in predictions.items()}
    axis = _axis(at, observed)
    if axis is None and not isinstance(labels.get("runs", ""), str):
        found = [_kinds(judge, observed, low, high, values, labels)]
    elif axis is None and np.ptp(values["law"]) == 0:
        found = [_number(judge, observed, low, high, values, labels)]
    elif axis is None:
        found = [_parity(judge, observed, low, high, values, labels)]
    else:
        found = [_curves(judge, axis, observed, low, high, predictions, at, labels)]
    limit, hidden = judge.shows == "limit", _hidden(observed, low, high, values)
    if limit:
        own = judge.panel(runs, predictions)
        found.append(replace(own, x=labels.get("h", own.x)))
    exact = judge.shows != "values" or hasattr(judge, "margin")  # no error, in units of which a distance is judged
    if hidden["a rival"] if limit else hidden["the error"] and not exact:
        found.append(_distances(axis, observed, low, high, values, at, labels))
    return tuple(found)


def _axis(at, observed) -> str | None:
    """The argument that runs along the last axis of the observations."""
    if not observed.ndim or observed.shape[-1] < 3:
        return None
    n = observed.shape[-1]
    along = [name for name, v in at.items() if np.ndim(v) and np.shape(v)[-1] == n and np.size(v) == n]
    return along[0] if len(along) == 1 else None


def _hidden(observed, low, high, values) -> dict[str, bool]:
    """What the eye would miss: the error of the runs, or a rival beside the law."""
    law, rivals = next(iter(values.values())), list(values.values())[1:]
    height = np.ptp(np.concatenate([observed.ravel(), law.ravel()])) or np.max(np.abs(observed)) or 1.0
    far = [np.max(np.abs(rival - law)) for rival in rivals]
    return {
        "the error": float(np.max(high - low)) < SEEN * height,
        "a rival": any(distance < SEEN * height for distance in far),
    }


def _role(name: str) -> str:
    return "law" if name == "law" else "rival"


def _number(judge, observed, low, high, values, labels) -> Panel:
    """One number, or several that the law says are equal, row by row."""
    numbers = np.ravel(observed)
    rows = [Series("run", numbers.tolist(), [0.0] * numbers.size, _title(judge, numbers, labels))]
    if numbers.size == 1:
        rows = [replace(rows[0], low=np.ravel(low).tolist(), high=np.ravel(high).tolist())]
    if hasattr(judge, "margin"):
        law = float(np.ravel(values["law"])[0])
        rows.insert(0, Series("band", [law], [0.0], "margin", [law - judge.margin], [law + judge.margin]))
    for name, value in values.items():
        distinct = np.unique(value).tolist()
        rows.append(Series(_role(name), distinct, [0.0] * len(distinct), name))
    return Panel(labels.get("y", "measured number"), "", tuple(rows), rows=True)


def _kinds(judge, observed, low, high, values, labels) -> Panel:
    """Numbers of a name each, a row for each: the runs with their interval, the law, and what every rival says."""
    names, row = labels["runs"], lambda values: np.ravel(values).astype(float).tolist()
    if len(names) != observed.size:
        raise ValueError(f"labels: runs = {names!r} must be {observed.size} names, one for each number")
    places, law = list(range(len(names))), values["law"]
    series = [Series(_role(name), row(value), places, name) for name, value in values.items()]
    if hasattr(judge, "margin"):
        ends = row(law - judge.margin), row(law + judge.margin)
        series.insert(0, Series("band", row(law), places, "margin", *ends))
    series.append(Series("run", row(observed), places, _title(judge, np.ravel(observed), labels), row(low), row(high)))
    ticks = tuple(zip(map(float, places), names, strict=True))
    return Panel(labels.get("y", "measured number"), "", tuple(series), rows=True, ticks=ticks)


def _parity(judge, observed, low, high, values, labels) -> Panel:
    """Numbers in no order, at what the law predicts for them: the law is the diagonal, a rival what lies off it."""
    y, row = labels.get("y", "value"), lambda values: np.ravel(values).tolist()
    x = row(values["law"])
    ends = [min(x), max(x)]
    series = [Series("law", ends, ends, "law")]
    series += [Series("rival", x, row(value), name, joined=False) for name, value in list(values.items())[1:]]
    series.append(Series("run", x, row(observed), _title(judge, np.ravel(observed), labels), row(low), row(high)))
    return Panel(f"{y}, by the law", y, tuple(series))


def _curves(judge, axis, observed, low, high, shown, at, labels) -> Panel:
    """The law as a line through the runs, rivals beside it."""
    x, y = np.ravel(at[axis]), labels.get("y", "value")
    counts = x.dtype.kind in "iu" or judge.shows == "counts" and bool(np.all(x == np.rint(x)))
    log = not counts and _many_decades(axis, x)
    dense = None if counts else _dense(shown["law"], axis, at, x, log)
    series = [_curve(name, predict, axis, at, dense, observed) for name, predict in shown.items()]
    several = observed.ndim > 1
    ends = (None, None) if several else (low.tolist(), high.tolist())
    if hasattr(judge, "margin") and not several:
        law = match(shown["law"](), observed)
        ends_of_margin = (law - judge.margin).tolist(), (law + judge.margin).tolist()
        series.insert(0, Series("band", x.tolist(), law.tolist(), "margin", *ends_of_margin, joined=not counts))
    series.append(Series("run", x.tolist(), _few(observed).tolist(), _title(judge, observed, labels), *ends))
    return Panel(labels.get(axis, axis), y, tuple(series), "x" * log, counts=counts, ticks=_names(labels, x))


def _many_decades(axis: str, x: np.ndarray) -> bool:
    """Whether an argument, but for time, spans so much that its least values would lie upon each other."""
    return axis != "t" and bool(np.max(x) >= 100 * np.min(x)) and geometric(x)


def _names(labels, x) -> tuple[tuple[float, str], ...]:
    """The places along an axis of kinds, with their names in order."""
    return tuple(zip(np.unique(x).tolist(), labels["names"], strict=True)) if "names" in labels else ()


def _dense(predict, axis, at, x, log) -> np.ndarray | None:
    """Where to draw: from 0 if the law has values there, else between the runs; None where it has none between."""
    for low in (x.min(),) if log else (min(0.0, x.min()), x.min()):
        dense = np.geomspace(low, x.max(), 200) if log else np.linspace(low, x.max(), 200)
        try:
            with np.errstate(all="ignore"):
                y = predict(**{axis: dense.reshape(np.shape(at[axis])[:-1] + dense.shape)})
            if np.all(np.isfinite(y)):
                return dense
        except ValueError:
            continue
    return None


def _curve(name, predict, axis, at, dense, observed) -> Series:
    """A prediction as a curve; one that is known only at the runs is joined if there are many of them, in order."""
    x = np.ravel(at[axis])
    close = x.dtype.kind == "f" and x.size > 8 and bool(np.all(np.diff(x) >= 0))
    if dense is not None:
        try:
            y = predict(**{axis: dense.reshape(np.shape(at[axis])[:-1] + dense.shape)})
            return Series(
                _role(name), dense.tolist(), _few(np.broadcast_to(y, observed.shape[:-1] + dense.shape)).tolist(), name
            )
        except ValueError:
            pass
    return Series(_role(name), x.tolist(), _few(match(predict(), observed)).tolist(), name, joined=close)


def _distances(axis, observed, low, high, values, at, labels) -> Panel:
    """How far every prediction lies from the runs, in units of their error; below 1 it is accepted.

    Where several numbers share an argument, the furthest stands for them.
    """
    error = np.maximum((high - low) / 2, np.finfo(float).tiny)
    far = {name: np.maximum(np.abs(value - observed) / error, LOWEST) for name, value in values.items()}
    if axis is None:
        rows = [Series(_role(name), np.unique(v).tolist(), [0.0] * np.unique(v).size, name) for name, v in far.items()]
        accepted = Series("band", [1.0], [0.0], "accepted", [LOWEST], [1.0])
        return Panel(UNITS, "", (accepted, *rows), "x", rows=True)
    x = np.ravel(at[axis]).astype(float)
    log = _many_decades(axis, x)
    along = np.log(x) if log else x
    beside = min(0.015 * np.ptp(along), np.min(np.diff(np.unique(along)), initial=np.inf) / (len(far) + 1))
    series = [Series("band", [x[0]], [1.0], "accepted", [LOWEST], [1.0])]
    for i, (name, v) in enumerate(far.items()):
        places, furthest = along + (i - (len(far) - 1) / 2) * beside, v.reshape(-1, x.size).max(axis=0)
        places = np.exp(places) if log else places
        series.append(Series(_role(name), places.tolist(), furthest.tolist(), name, joined=False))
    counts = bool(np.all(x == np.rint(x)))
    return Panel(
        labels.get(axis, axis), UNITS, tuple(series), "xy" if log else "y", counts=counts, ticks=_names(labels, x)
    )


def _few(rows: np.ndarray) -> np.ndarray:
    """As many curves as a picture can show."""
    return rows[:ROWS] if rows.ndim > 1 else rows


def _title(judge, observed, labels) -> str:
    """What the dots are: `labels` say what was run."""
    told = labels.get("runs")
    how = {"limit": ", extrapolated", "forecast": ", held out" if getattr(judge, "held", ()) is None else ""}
    told = (told if isinstance(told, str) else "runs") + how.get(judge.shows, "")
    return told if observed.ndim < 2 or len(observed) <= ROWS else f"{told} ({ROWS} of {len(observed)})"
