"""What came of a confrontation: the verdict, its message for a scientist, and its picture."""

from __future__ import annotations

import json
import math
import re
import textwrap
from dataclasses import asdict, dataclass, field

import numpy as np

from laws.judges import diagrams
from laws.typeset import plain

# Okabe and Ito's colours: safe for the colour-blind
INK = {
    "law": "#0072B2",
    "run": "#222222",
    "rival": "#D55E00",
    "band": "#0072B2",
    "path": "#D55E00",
    "surface": "#777777",
}
DASHES = ["--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3))]


@dataclass(frozen=True)
class Series:
    """One set of data in a panel: its role is law, run, rival, band, path or surface (heights in `low`).

    Further roles are those of `laws.judges.diagrams`: nodes and edges of a graph, cells, a map.
    """

    role: str
    x: list
    y: list
    label: str = ""
    low: list | None = None
    high: list | None = None


@dataclass(frozen=True)
class Panel:
    """Axes with their labels, which of them are logarithmic ("", "x", "y", "xy"), and the series."""

    x: str
    y: str
    series: tuple[Series, ...]
    log: str = ""


@dataclass(frozen=True)
class Verdict:
    """A claim judged: `figure` against `threshold`, and by what factor every rival failed.

    `law` names what was judged; `of`, for a function, the Law from which it follows and which is shown.
    `rivals` and `mutants` map names to figure / threshold; above 1 they are rejected.  `unseen` are
    the mutants that these runs could not tell from the law.
    """

    claim: str
    law: str
    of: str
    latex: str
    given: str
    source: str
    judge: str
    says: str
    accepted: bool
    figure: float
    threshold: float
    rivals: dict[str, float]
    mutants: dict[str, float]
    false_alarm: float | None
    seed: int
    seconds: float
    panels: tuple[Panel, ...] = field(repr=False)

    @property
    def id(self) -> str:
        """A name for the claim that outlives a renamed test."""
        return re.sub(r"[\W_]+", "-", self.claim.lower()).strip("-")

    @property
    def factor(self) -> float:
        """The figure as a fraction of its threshold."""
        return ratio(self.figure, self.threshold)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The mutants that these runs could not tell from the law."""
        return tuple(name for name, factor in self.mutants.items() if factor <= 1)

    @property
    def surviving(self) -> tuple[str, ...]:
        """The rivals that these runs could not tell from the law."""
        return tuple(name for name, factor in self.rivals.items() if factor <= 1)

    @property
    def holds(self) -> bool:
        """Whether the law stands, every named rival has fallen, and something was seen to fall."""
        seen = bool(self.rivals) or len(self.unseen) < len(self.mutants)
        return self.accepted and not self.surviving and seen

    def to_json(self) -> str:
        """The verdict as one line of JSON, for files and for other processes."""
        return json.dumps({"schema": 1, "id": self.id, **_strict(asdict(self))}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The verdict that `to_json` wrote."""
        data = json.loads(text)
        if data.pop("schema") != 1:
            raise ValueError("this verdict was written by another version")
        data.pop("id")
        panels = tuple(Panel(**{**p, "series": tuple(Series(**s) for s in p["series"])}) for p in data.pop("panels"))
        for name in ("figure", "threshold"):
            data[name] = float(data[name])
        for name in ("rivals", "mutants"):
            data[name] = {rival: float(factor) for rival, factor in data[name].items()}
        return cls(**data, panels=panels)

    def plot(self):
        """A matplotlib figure: law and runs, and beside them what the judge looked at."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(5 * len(self.panels), 4.2), layout="constrained")
        for i, panel in enumerate(self.panels):
            _draw(figure.add_subplot(1, len(self.panels), i + 1), panel)
        return figure

    def __str__(self) -> str:
        sign = "holds" if self.holds else "FAILS"
        rivals = "; ".join(f"{name} rejected by {factor:.3g}" for name, factor in self.rivals.items())
        seen = len(self.mutants) - len(self.unseen)
        lines = [f"{self.claim}: {sign}", f"  {self.says}", f"  rivals: {rivals or 'none'}"]
        lines += [f"  mutants: {seen} of {len(self.mutants)} rejected"] if self.mutants else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        import base64
        import html
        import io

        picture = io.BytesIO()
        self.plot().savefig(picture, format="png", dpi=150)
        data = base64.b64encode(picture.getvalue()).decode()
        return f"<pre>{html.escape(str(self))}</pre><img width='100%' src='data:image/png;base64,{data}'>"


def ratio(figure: float, threshold: float) -> float:
    """Figure / threshold; infinite for what is not a number and for anything above a threshold of 0."""
    if math.isnan(figure):
        return math.inf
    if threshold > 0:
        return figure / threshold
    return math.inf if figure > 0 else 0.0


def _strict(data):
    """JSON has no infinity and knows no numpy: write the first as a word, the second as plain numbers."""
    if isinstance(data, dict):
        return {key: _strict(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_strict(value) for value in data]
    if isinstance(data, (float, np.floating)) and not math.isfinite(data):
        return str(float(data))
    return data.item() if isinstance(data, np.generic) else data


def _draw(axes, panel: Panel) -> None:
    dashes = iter(DASHES * 9)
    for series in panel.series:
        if series.role in diagrams.DRAW:
            diagrams.DRAW[series.role](axes, series)
            continue
        x, y, ink = np.array(series.x), np.array(series.y), INK[series.role]
        if series.role == "surface":
            height = np.array(series.low)
            axes.contour(x, y, height.T, levels=np.geomspace(0.02, height.max(), 12), cmap="cividis")
            axes.plot([], [], color=ink, label=f"{series.label} (contours)")
        elif series.role == "path":
            known = axes.get_legend_handles_labels()[1]
            axes.plot(x, y, color=ink, lw=1.8, label=None if series.label in known else series.label)
            axes.plot(x[-1:], y[-1:], "o", color=ink)
        elif series.role == "band":
            if x.size == 1:  # a band of one point would not be seen
                axes.axhspan(
                    min(series.low or y), max(series.high or y), color=ink, alpha=0.2, lw=0, label=series.label
                )
                continue
            axes.fill_between(x, series.low, series.high, color=ink, alpha=0.2, lw=0, label=series.label)
        elif series.role == "run" and series.low is not None:
            spread = np.abs(np.array([y - series.low, np.array(series.high) - y]))
            axes.errorbar(x, y, spread, fmt="o", ms=4, color=ink, capsize=2, label=series.label, zorder=3)
        elif series.role == "run":
            axes.plot(x, y.T, "o", ms=4, color=ink, label=_once(series.label, y), zorder=3)
        else:
            style = "-" if series.role == "law" else next(dashes)
            if x.size == 1:  # a line of one point would not be seen
                axes.axhline(y.item(), ls=style, lw=1.8, color=ink, label=series.label)
                continue
            axes.plot(x, y.T, ls=style, lw=1.8, color=ink, label=_once(series.label, y))
    axes.set(xlabel=plain(panel.x), ylabel=plain(panel.y))
    if "x" in panel.log:
        axes.set_xscale("log")
        _few_ticks(axes.xaxis, np.concatenate([np.ravel(s.x) for s in panel.series]))
    if "y" in panel.log:
        axes.set_yscale("log")
    else:
        if not any(series.role == "surface" for series in panel.series):
            axes.set_ylim(*_window(panel, *axes.get_ylim()))
    if all(float(x).is_integer() for s in panel.series for x in np.ravel(s.x)) and "x" not in panel.log:
        _count(axes.xaxis, max(np.size(s.x) for s in panel.series))
    axes.spines[["top", "right"]].set_visible(False)
    for line in axes.get_lines():
        line.set_label(_shown(axes, line))
    handles, labels = axes.get_legend_handles_labels()
    columns = 2 if all(len(str(label)) <= 40 for label in labels) else 1
    place = dict(
        frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=columns, handlelength=2.5
    )
    axes.legend(handles, labels, **place)


def _window(panel: Panel, bottom: float, top: float) -> tuple[float, float]:
    """So much of the y axis that law and runs fill half of it, however far off a rival may be."""
    seen = [np.ravel(v) for s in panel.series if s.role != "rival" for v in (s.y, s.low, s.high) if v is not None]
    low, high = np.min(np.concatenate(seen)), np.max(np.concatenate(seen))
    room = max((high - low) / 2, 0.1 * max(abs(low), abs(high)))
    return max(bottom, low - room), min(top, high + room)


def _count(axis, points: int) -> None:
    """What is counted has whole numbers on its axis; a single point needs no axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))
    if points == 1 and axis.get_label_text() == "point":
        axis.set_ticks([])
        axis.set_label_text("")


def _few_ticks(axis, x: np.ndarray) -> None:
    """Name the values themselves where a logarithmic axis spans too little for powers of ten."""
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    axis.set_minor_formatter(NullFormatter())
    if len(np.unique(x)) <= 6:
        axis.set_major_formatter(ScalarFormatter())
        axis.set_ticks(np.unique(x), [f"{value:.3g}" for value in np.unique(x)])


def _shown(axes, line) -> str:
    """The legend of a line: Greek, broken where long, and said to be off the scale where it cannot be seen."""
    label, (bottom, top) = str(line.get_label()), axes.get_ylim()
    y = np.asarray(line.get_ydata(), dtype=float)
    if label.startswith("_"):
        return label
    hidden = y.size > 0 and bool(np.all(y > top) or np.all(y < bottom))
    return "\n".join(textwrap.wrap(plain(label) + (" (off the scale)" if hidden else ""), 34, break_long_words=False))


def _once(label: str, y: np.ndarray):
    """One legend entry for a family of curves."""
    return label if y.ndim < 2 else [label] + ["_nolegend_"] * (len(y) - 1)
