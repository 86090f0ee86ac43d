"""How a picture of a verdict is drawn: the law in ink, runs as dots, every rival in a colour and a dash of its own.

The first four colours are Okabe and Ito's; two darker ones join them, so that the colour-blind tell all six apart and
none pales on paper.  Dashes and marks tell them apart without colour.  Data of several kinds, in a further panel, have
shades from navy to grey: the colours are those of rivals alone.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from laws.judges import diagrams, legend, ticks

if TYPE_CHECKING:
    from laws.judges.verdict import Panel, Series

Look = tuple[str, tuple[float, ...], str]  # hue, dash and mark

INK, GREY = "#1a1a1a", "#8a8a8a"
OWN: Look = INK, (), "o"  # of runs by themselves
PATH = "#A0006E"  # of no rival
HUES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#7900D9", "#663E1A")
DASHES = ((3.7, 1.6), (1, 1.2), (6.4, 1.6, 1, 1.6), (6, 1.5, 1, 1.5, 1, 1.5), (8, 3), (2.5, 1.5))  # in line widths
MARKS = ("s", "^", "D", "v", "P", "X")
SHADES = "cividis", 0.1, 0.53  # of a map made for the colour-blind, so much as none pales on paper or in the dark
FEW = 20  # whole numbers that an axis names
SIZE = 5.2, 3.7  # of a panel, in inches, without its legend
CROWD = 300  # points, from which a drawing would be heavier than its picture
LAW: dict[str, Any] = dict(ls="", marker="|", color=INK, ms=15, mew=2.2, zorder=2)  # in a row
BELOW = 0.24, 0.36  # of a row, where in it its rivals stand, from the first to the last
NAME = 36  # letters of a kind's name before it is broken


def figure(panels: tuple[Panel, ...], rivals: tuple[str, ...] = ()):
    """A matplotlib figure of panels in a row; each of `rivals` looks the same in all of them."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(SIZE[0] * len(panels), max(_height(panel) for panel in panels)))
    drawn.set_layout_engine("constrained")
    for i, panel in enumerate(panels):
        axes = drawn.add_subplot(1, len(panels), i + 1)
        draw = _plot if not panel.rows else _kinds if panel.ticks else _forest
        draw(axes, panel, _styles(panel, rivals))
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


def embedded(drawn) -> str:
    """A figure as an image that stands within a page."""
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", dpi=150)
    return f"<img width='100%' src='data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}'>"


def _styles(panel: Panel, rivals: tuple[str, ...]) -> dict[str, Look]:
    """How each rival of the verdict looks, and what else the panel draws in their manner."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    others = list(dict.fromkeys(s.label for s in panel.series if s.role == "rival" and s.label not in rivals))
    shades = (to_hex(shade) for shade in colormaps[SHADES[0]](np.linspace(*SHADES[1:], len(others))))
    data = {name: (shade, *look(i)[1:]) for i, (name, shade) in enumerate(zip(others, shades, strict=True))}
    return {name: look(i) for i, name in enumerate(rivals)} | data


def look(i: int) -> Look:
    """Hue, dash and mark of the i-th rival; thirty differ as lines, and as marks."""
    return HUES[i % 6], DASHES[(i + i // 6) % 6], MARKS[(i + i // 6) % 6]


def _plot(axes, panel: Panel, styles: dict[str, Look]) -> None:
    if any(series.role == "image" for series in panel.series):
        diagrams.images(axes, panel)
        return
    for before, series in zip((None, *panel.series), panel.series, strict=False):
        named = before if series.label == "_nolegend_" and before and before.role == "rival" else series
        style = styles.get(named.label, OWN)
        if series.role == "run":
            _run(axes, series, style, _aside(panel, series))
        else:
            DRAW[series.role](axes, series, style)
    axes.set(xlabel=legend.wrapped(panel.x, 60), ylabel=legend.wrapped(panel.y, 42))
    if "x" in panel.log:
        axes.set_xscale("log")
    else:
        axes.locator_params(axis="x", nbins=6, integer=panel.counts or _whole(panel, "x"))
    if "y" in panel.log:
        axes.set_yscale("log")
    elif not any(series.role == "surface" for series in panel.series):
        axes.locator_params(axis="y", integer=_whole(panel, "y"))
        axes.set_ylim(*_window(panel, *axes.get_ylim()))
    _uncut(axes)
    ticks.mark(axes, panel)
    legend.draw(axes, panel)


def _forest(axes, panel: Panel, styles: dict[str, Look]) -> None:
    """Numbers in rows: what was measured, the law and every rival, each in its own; shaded down the whole picture the
    margin around the law or, where there is none, the interval of the runs.
    """
    rows = [series for series in panel.series if series.role != "band"]
    for series, name in _shaded(panel):
        axes.axvspan(series.low[0], series.high[0], color=GREY, alpha=0.25, lw=0, label=name)
    for row, series in enumerate(rows):
        ink, _, mark = styles.get(series.label, OWN)
        drawn: dict[str, Any] = dict(color=ink, marker=mark)
        if series.role == "law":
            drawn = LAW
        if series.role == "run":
            drawn = dict(color=INK, marker="o", mfc="white", mew=1.4)
            if series.low is not None and series.high is not None:
                axes.plot([series.low[0], series.high[0]], [row, row], color=INK, lw=1.6)
        axes.plot(series.x, [row] * len(series.x), **{"ls": "", "ms": 7, "zorder": 3, **drawn})
    axes.set_yticks(range(len(rows)), [legend.wrapped(s.label, 28) for s in rows])
    _rows(axes, panel)
    axes.grid(axis="y", lw=0.4, color=GREY, alpha=0.5)
    if _shaded(panel):
        legend.draw(axes, panel)


def _shaded(panel: Panel) -> list[tuple[Any, str]]:
    """What is shaded behind numbers in rows, with its name: one thing, so that one grey has one meaning."""
    bands = [(series, series.label) for series in panel.series if series.role == "band"]
    runs = [series for series in panel.series if series.role == "run"]
    known = len(runs) == 1 and runs[0].low is not None and runs[0].high is not None
    return bands or [(series, "interval of the runs") for series in runs if known]


def _kinds(axes, panel: Panel, styles: dict[str, Look]) -> None:
    """Kinds in rows: of each what was measured, with its interval, and the law's bar; below it what rivals say.

    A line parts each row from the next.
    """
    axes.use_sticky_edges = False  # room beside a margin
    rivals = _rivals(panel)
    below = np.linspace(*BELOW, len(rivals)) if len(rivals) > 1 else [np.mean(BELOW)]
    for series in panel.series:
        x, y = np.asarray(series.x), np.array(series.y, dtype=float)
        low, high = series.low or series.x, series.high or series.x
        if series.role == "band":
            axes.barh(y, np.subtract(high, low), 0.4, low, color=GREY, alpha=0.3, lw=0, label=series.label)
        elif series.role == "run":
            drawn: dict[str, Any] = dict(color=INK, mfc="white", mew=1.4, ms=6, elinewidth=1.4, zorder=3)
            axes.errorbar(x, y, xerr=np.array([x - low, high - x]), fmt="o", label=series.label, **drawn)
        elif series.role == "law":
            axes.plot(x, y, label=series.label, **LAW)
        else:
            ink, _, mark = styles[series.label]
            y += below[rivals.index(series.label)]
            axes.plot(x, y, ls="", marker=mark, ms=5, color=ink, zorder=2.5, label=series.label)
    places, names = zip(*panel.ticks, strict=True)
    axes.set_yticks(places, [legend.wrapped(name, NAME) for name in names], fontsize=9)
    head: dict[str, Any] = dict(ha="right", va="bottom", fontsize=9, style="italic", transform=axes.transAxes)
    axes.text(-0.02, 1.0, legend.wrapped(panel.y, NAME), **head)
    if "x" not in panel.log:
        _in_view(axes, panel)
    _rows(axes, panel)
    for between in range(1, len(places)):
        axes.axhline(between - 0.5, color=GREY, lw=0.5, alpha=0.6, zorder=0)
    legend.draw(axes, panel)


def _rivals(panel: Panel) -> list[str]:
    return list(dict.fromkeys(series.label for series in panel.series if series.role == "rival"))


def _in_view(axes, panel: Panel) -> None:
    """Of numbers in rows so much that law and runs are seen well, and where there is no effect."""
    left, right = axes.get_xlim()
    left, right = _window(panel, left, right, "x", 10)
    ends = np.concatenate([np.ravel(v) for s in panel.series for v in (s.x, s.low, s.high) if v is not None])
    seen = ends[(left <= ends) & (ends <= right)]
    if room := 0.06 * np.ptp(seen):
        axes.set_xlim(seen.min() - room, seen.max() + room)
    if np.prod(axes.get_xlim()) < 0:
        axes.axvline(0, color=GREY, lw=0.8, zorder=0)


def _rows(axes, panel: Panel) -> None:
    """The axes of numbers in rows, from the top."""
    axes.set_xlabel(legend.wrapped(panel.x, 60))
    if "x" in panel.log:
        axes.set_xscale("log")
        ticks.few_powers(axes.xaxis)
    else:
        axes.locator_params(axis="x", nbins=6, integer=_whole(panel, "x", 1))
    axes.set_ylim(len(axes.get_yticks()) - 0.5, -0.5)
    _uncut(axes)
    axes.tick_params(axis="y", length=0)


def _line(axes, series: Series, style: Look, law: bool) -> None:
    """A prediction: a line where it is known everywhere, marks where it is known at the runs alone."""
    x, y = np.asarray(series.x), np.asarray(series.y)
    hue, dash, mark = style
    drawn: dict[str, Any]
    if series.joined and x.size > 1:
        drawn = dict(ls="-", lw=1.7, zorder=2) if law else dict(ls=(0, dash), lw=1.6, zorder=1.5)
    elif law:
        drawn = dict(ls="", marker="_", ms=13 if x.size <= 25 else 6, mew=2, zorder=2)
    else:
        drawn = dict(ls="", marker=mark, ms=5 if x.size <= 25 else 2.5, zorder=2.5)
    label = _once(axes, series.label, y)
    axes.plot(x, y.T, color=INK if law else hue, label=label, rasterized=y.size > CROWD, **drawn)


def _aside(panel: Panel, series: Series) -> float:
    """How many points beside its place an interval stands, that those of other data at the same places are seen."""
    there = [one for one in panel.series if one.role == "run" and one.low is not None and one.x == series.x]
    return 4 * (there.index(series) - (len(there) - 1) / 2) if series in there else 0.0


def _run(axes, series: Series, style: Look, aside: float) -> None:
    """Trained networks: open dots, with their interval where it is wider than a dot; a line's have its hue."""
    from matplotlib.transforms import offset_copy

    x, y, ink = np.asarray(series.x), np.asarray(series.y), style[0]
    drawn = dict(mfc="white", mec=ink, mew=1.2, ms=5, zorder=3) if x.size <= 25 else dict(color=ink, ms=2, zorder=3)
    spread = None
    if series.low is not None and series.high is not None:
        spread = np.abs(np.array([y - series.low, np.asarray(series.high) - y]))
    if spread is not None and np.max(spread) > 0.01 * np.ptp(y):
        place = offset_copy(axes.transData, axes.figure, aside, units="points")
        axes.errorbar(x, y, spread, fmt="o", ecolor=ink, elinewidth=1.2, label=series.label, transform=place, **drawn)
        axes.update_datalim(np.column_stack([np.tile(x, 2), np.ravel([series.low, series.high])]))  # room for all of it
        axes.autoscale_view()
    else:
        axes.plot(x, y.T, "o", label=_once(axes, series.label, y), rasterized=y.size > CROWD, **drawn)


def _each(axes, series: Series, style: Look) -> None:
    """Every run by itself, as a thin line."""
    y = np.asarray(series.y)
    axes.plot(series.x, y.T, color=GREY, lw=0.6, alpha=0.7, zorder=1, label=_once(axes, series.label, y))


def _band(axes, series: Series, style: Look) -> None:
    """What is allowed, shaded; that of a single point all across."""
    low, high = series.low or series.y, series.high or series.y
    if len(series.x) == 1:
        axes.axhspan(min(low), max(high), color=GREY, alpha=0.3, lw=0, label=series.label)
    elif series.joined:
        axes.fill_between(series.x, low, high, color=GREY, alpha=0.3, lw=0, label=series.label)
        axes.update_datalim(np.column_stack([series.x, series.y]))  # room for what is seen beside it
    else:
        middle, half = (np.add(high, low)) / 2, np.subtract(high, low) / 2
        drawn = dict(elinewidth=14, ecolor=GREY, alpha=0.35, fmt="none", label=series.label)
        axes.errorbar(series.x, middle, half, **drawn)


def _path(axes, series: Series, style: Look) -> None:
    """Descent on a surface, with a dot where it ends."""
    axes.plot(series.x, series.y, color=PATH, lw=1.8, label=_once(axes, series.label, np.empty(0)))
    axes.plot(series.x[-1:], series.y[-1:], "o", color=PATH)


def _surface(axes, series: Series, style: Look) -> None:
    """Heights as contours in one colour, every third with its height."""
    height = np.array(series.low)
    levels = np.geomspace(0.02, height.max(), 12)
    lines = axes.contour(series.x, series.y, height.T, levels=levels, colors=GREY, linewidths=0.9)
    axes.clabel(lines, levels[1::3], fmt="%.2g", fontsize=8, colors=INK)
    axes.plot([], [], color=GREY, lw=0.9, label=f"{series.label}, contours")


DRAW: dict[str, Callable[..., None]] = {
    "law": lambda axes, series, style: _line(axes, series, style, law=True),
    "rival": lambda axes, series, style: _line(axes, series, style, law=False),
    "each": _each,
    "band": _band,
    "path": _path,
    "surface": _surface,
    **diagrams.DRAW,
}


def _window(panel: Panel, bottom: float, top: float, axis: str = "y", times: float = 1) -> tuple[float, float]:
    """So much of an axis that law and runs fill a third of it, however far off a rival may be, or less by `times`."""
    lawless = not any(series.role == "law" for series in panel.series)
    shown = [series for series in panel.series if lawless or series.role != "rival"]
    seen = [np.ravel(v) for s in shown for v in (getattr(s, axis), s.low, s.high) if v is not None]
    low, high = np.min(np.concatenate(seen)), np.max(np.concatenate(seen))
    if high - low <= 0.02 * max(abs(low), abs(high)):  # what stays level needs no room of its own
        return bottom, top
    room = times * max(high - low, 0.1 * max(abs(low), abs(high)))
    floor, lowest = low - room, np.min(np.concatenate([np.ravel(getattr(s, axis)) for s in panel.series]))
    if lowest >= 0:  # what cannot be negative needs no room there, but for half a dot
        floor = max(floor, min(0.0, low - 0.04 * room))
    return max(bottom, floor), min(top, high + room)


def _whole(panel: Panel, axis: str, least: int = 2) -> bool:
    """Whether what was measured along an axis, or at which it was, are a few whole numbers, `least` or more."""
    found = [np.ravel(getattr(series, axis)) for series in panel.series if series.role == "run"]
    values = np.concatenate([np.empty(0), *found])
    return values.size >= least and np.unique(values).size <= FEW and bool(np.all(values == np.rint(values)))


def _once(axes, label: str, y: np.ndarray):
    """One legend entry for a family of curves, or for several families of one name."""
    known = label in axes.get_legend_handles_labels()[1]
    first = "_nolegend_" if known else label
    return first if y.ndim < 2 else [first] + ["_nolegend_"] * (len(y) - 1)


def _uncut(axes) -> None:
    """Room for marks that an edge of the axes would cut."""
    lines = [line for line in axes.get_lines() if line.get_marker() not in ("None", "", None) and line.get_clip_on()]
    if not lines:
        return
    x, y = np.concatenate([axes.transData.transform(line.get_xydata()) for line in lines]).T
    box, half = axes.bbox, 5.0  # pixels, of the largest mark
    inside = (x > box.x0 - half) & (x < box.x1 + half) & (y > box.y0 - half) & (y < box.y1 + half)
    if not inside.any():
        return
    ends = axes.transData.inverted().transform([
        [min(box.x0, x[inside].min() - half), min(box.y0, y[inside].min() - half)],
        [max(box.x1, x[inside].max() + half), max(box.y1, y[inside].max() + half)],
    ])  # fmt: skip
    axes.set(xlim=ends[:, 0], ylim=ends[:, 1])


def _height(panel: Panel) -> float:
    """Inches that a panel needs with its legend, so that all axes are of one height; a row takes less."""
    if any(series.role == "image" for series in panel.series):
        return diagrams.high(panel, SIZE[0]) + 0.5
    if panel.rows and not panel.ticks:
        return 0.9 + 0.42 * sum(series.role != "band" for series in panel.series) + 0.3 * bool(_shaded(panel))
    listed = [s.label for s in panel.series if s.role not in diagrams.UNLISTED]
    names = dict.fromkeys(label for label in listed if label and not label.startswith("_"))
    lines = [legend.wrapped(name, legend.WIDE).count("\n") + 1 for name in names]
    columns = legend.columns(names)
    below = 0.17 * sum(sorted(lines)[::-columns])
    if panel.rows:
        most = max(legend.wrapped(name, NAME).count("\n") for _, name in panel.ticks)
        room = (0.42 + 0.1 * max(len(_rivals(panel)) - 1, 0)) * (len(panel.series) > 1)
        return 1.0 + below + max(0.3 + 0.15 * most, min(room, 0.8)) * len(panel.ticks)
    return SIZE[1] + below
