"""How a picture of a verdict is drawn: the law in ink, runs as dots, every rival in a colour and a dash of its own.

The colours are Okabe and Ito's, which the colour-blind tell apart; dashes and marks tell them apart without colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from laws.judges import diagrams
from laws.typeset import plain

if TYPE_CHECKING:
    from laws.judges.verdict import Panel, Series

INK, GREY = "#1a1a1a", "#8a8a8a"
HUES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("--", (0, (1, 1.2)), "-.", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (8, 3)), (0, (2.5, 1.5)))
MARKS = ("s", "^", "D", "v", "P", "X")
SIZE = 5.2, 3.7  # of a panel, in inches, without its legend
CROWD = 300  # points, from which a drawing would be heavier than its picture
WIDE = 34  # letters of a legend before it is broken
UNITS = "distance from the runs / their error"
LOWEST = 1e-2  # a distance in units of the error that is not told from a smaller one


def figure(panels: tuple[Panel, ...], rivals: tuple[str, ...] = ()):
    """A matplotlib figure of panels in a row; each of `rivals` looks the same in all of them."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(SIZE[0] * len(panels), max(_height(panel) for panel in panels)))
    drawn.set_layout_engine("constrained")
    for i, panel in enumerate(panels):
        axes = drawn.add_subplot(1, len(panels), i + 1)
        (_forest if panel.rows else _plot)(axes, panel, _styles(panel, rivals))
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


def _styles(panel: Panel, rivals: tuple[str, ...]) -> dict[str, int]:
    """The place of each rival among the colours: first those of the verdict, then any other in the panel."""
    others = dict.fromkeys(s.label for s in panel.series if s.role == "rival" and s.label not in rivals)
    return {name: i for i, name in enumerate([*rivals, *others])}


def _plot(axes, panel: Panel, styles: dict[str, int]) -> None:
    if any(series.role == "image" for series in panel.series):
        diagrams.images(axes, panel)
        return
    for series in panel.series:
        DRAW[series.role](axes, series, styles.get(series.label, 0))
    axes.set(xlabel=_wrapped(panel.x, 60), ylabel=_wrapped(panel.y, 42))
    if "x" in panel.log:
        axes.set_xscale("log")
        _few_ticks(axes.xaxis, np.concatenate([np.ravel(s.x) for s in panel.series]))
    elif panel.counts:
        from matplotlib.ticker import MaxNLocator

        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if "y" in panel.log:
        axes.set_yscale("log")
        _mark_lowest(axes.yaxis)
    elif not any(series.role == "surface" for series in panel.series):
        axes.set_ylim(*_window(panel, *axes.get_ylim()))
    _legend(axes)


def _forest(axes, panel: Panel, styles: dict[str, int]) -> None:
    """Numbers in rows: what was measured, with its interval down the whole picture, law and rivals below it."""
    rows = [series for series in panel.series if series.role != "band"]
    for series in panel.series:
        if series.low is not None and series.high is not None:
            axes.axvspan(series.low[0], series.high[0], color=GREY, alpha=0.25, lw=0)
    for row, series in enumerate(rows):
        i = styles.get(series.label, 0)
        ink, mark = (INK, "D") if series.role == "law" else (HUES[i % 6], MARKS[(i + i // 6) % 6])
        look: dict[str, Any] = dict(color=ink, marker=mark)
        if series.role == "run":
            look = dict(color=INK, marker="o", mfc="white", mew=1.4)
            if series.low is not None and series.high is not None:
                axes.plot([series.low[0], series.high[0]], [row, row], color=INK, lw=1.6)
        axes.plot(series.x, [row] * len(series.x), ls="", ms=7, zorder=3, **look)
    axes.set_xlabel(_wrapped(panel.x, 60))
    if "x" in panel.log:
        axes.set_xscale("log")
        _mark_lowest(axes.xaxis)
    axes.set_yticks(range(len(rows)), [_wrapped(s.label, 28) for s in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", lw=0.4, color=GREY, alpha=0.5)


def _line(axes, series: Series, i: int, law: bool) -> None:
    """A prediction: a line where it is known everywhere, marks where it is known at the runs alone."""
    x, y = np.asarray(series.x), np.asarray(series.y)
    ink = INK if law else HUES[i % 6]
    look: dict[str, Any]
    if series.joined and x.size > 1:
        look = dict(ls="-", lw=1.7, zorder=2) if law else dict(ls=DASHES[(i + i // 6) % 6], lw=1.6, zorder=1.5)
    elif law:
        look = dict(ls="", marker="_", ms=13 if x.size <= 25 else 6, mew=2, zorder=2)
    else:
        look = dict(ls="", marker=MARKS[(i + i // 6) % 6], ms=5 if x.size <= 25 else 2.5, zorder=2.5)
    axes.plot(x, y.T, color=ink, label=_once(axes, series.label, y), rasterized=y.size > CROWD, **look)


def _run(axes, series: Series, i: int) -> None:
    """Trained networks: open dots, with their interval where it is wider than a dot."""
    x, y = np.asarray(series.x), np.asarray(series.y)
    look = dict(mfc="white", mec=INK, mew=1.2, ms=5, zorder=3) if x.size <= 25 else dict(color=INK, ms=2, zorder=3)
    spread = None
    if series.low is not None and series.high is not None:
        spread = np.abs(np.array([y - series.low, np.asarray(series.high) - y]))
    if spread is not None and np.max(spread) > 0.01 * np.ptp(y):
        axes.errorbar(x, y, spread, fmt="o", ecolor=INK, elinewidth=1.2, label=series.label, **look)
    else:
        axes.plot(x, y.T, "o", label=_once(axes, series.label, y), rasterized=y.size > CROWD, **look)


def _band(axes, series: Series, i: int) -> None:
    """What is allowed, shaded; that of a single point all across."""
    low, high = series.low or series.y, series.high or series.y
    if len(series.x) == 1:
        axes.axhspan(min(low), max(high), color=GREY, alpha=0.3, lw=0, label=series.label)
    elif series.joined:
        axes.fill_between(series.x, low, high, color=GREY, alpha=0.3, lw=0, label=series.label)
    else:
        middle, half = (np.add(high, low)) / 2, np.subtract(high, low) / 2
        look = dict(elinewidth=14, ecolor=GREY, alpha=0.35, fmt="none", label=series.label)
        axes.errorbar(series.x, middle, half, **look)


def _path(axes, series: Series, i: int) -> None:
    """Descent on a surface, with a dot where it ends."""
    axes.plot(series.x, series.y, color=HUES[0], lw=1.8, label=_once(axes, series.label, np.empty(0)))
    axes.plot(series.x[-1:], series.y[-1:], "o", color=HUES[0])


def _surface(axes, series: Series, i: int) -> None:
    height = np.array(series.low)
    levels = np.geomspace(0.02, height.max(), 12)
    axes.contour(series.x, series.y, height.T, levels=levels, cmap="cividis")
    axes.plot([], [], color="#7c7b78", label=f"{series.label} (contours)")


DRAW: dict[str, Callable[..., None]] = {
    "law": lambda axes, series, i: _line(axes, series, i, law=True),
    "rival": lambda axes, series, i: _line(axes, series, i, law=False),
    "run": _run,
    "band": _band,
    "path": _path,
    "surface": _surface,
    **diagrams.DRAW,
}


def _window(panel: Panel, bottom: float, top: float) -> tuple[float, float]:
    """So much of the y axis that law and runs fill a third of it, however far off a rival may be."""
    lawless = not any(series.role == "law" for series in panel.series)
    shown = [series for series in panel.series if lawless or series.role != "rival"]
    seen = [np.ravel(v) for s in shown for v in (s.y, s.low, s.high) if v is not None]
    low, high = np.min(np.concatenate(seen)), np.max(np.concatenate(seen))
    if high - low < 0.02 * max(abs(low), abs(high)):  # what stays level needs no room of its own
        return bottom, top
    room = max(high - low, 0.1 * max(abs(low), abs(high)))
    return max(bottom, low - room), min(top, high + room)


def _few_ticks(axis, x: np.ndarray) -> None:
    """Name the values themselves where a logarithmic axis spans too little for powers of ten."""
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    axis.set_minor_formatter(NullFormatter())
    if len(np.unique(x)) <= 6:
        axis.set_major_formatter(ScalarFormatter())
        axis.set_ticks(np.unique(x), [f"{value:.3g}" for value in np.unique(x)])


def _mark_lowest(axis) -> None:
    """On an axis of distances that ends where smaller ones are not told apart, say so."""
    from matplotlib.ticker import LogFormatterSciNotation

    class AtMost(LogFormatterSciNotation):
        def __call__(self, x, pos=None):
            return ("≤ " if x == LOWEST else "") + super().__call__(x, pos)

    if axis.get_label_text().startswith(UNITS):
        axis.set_major_formatter(AtMost())


def _once(axes, label: str, y: np.ndarray):
    """One legend entry for a family of curves, or for several families of one name."""
    known = label in axes.get_legend_handles_labels()[1]
    first = "_nolegend_" if known else label
    return first if y.ndim < 2 else [first] + ["_nolegend_"] * (len(y) - 1)


def _legend(axes) -> None:
    """The legend, below; it tells what lies off the scale."""
    for line in axes.get_lines():
        line.set_label(_shown(axes, line))
    handles, labels = axes.get_legend_handles_labels()
    place = dict(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=_columns(labels))
    axes.legend(handles, labels, frameon=False, fontsize=9, handlelength=3, columnspacing=1.2, **place)


def _columns(labels) -> int:
    return 2 if all(len(str(label)) <= 2 * WIDE for label in labels) else 1


def _height(panel: Panel) -> float:
    """Inches that a panel needs with its legend, so that all axes are of one height; a row takes less."""
    if panel.rows:
        return 0.9 + 0.42 * sum(series.role != "band" for series in panel.series)
    names = dict.fromkeys(s.label for s in panel.series if s.label and not s.label.startswith("_"))
    lines = [_wrapped(name, WIDE).count("\n") + 1 for name in names]
    columns = _columns(names)
    return SIZE[1] + 0.17 * sum(sorted(lines)[::-columns])


def _shown(axes, line) -> str:
    """The legend of a line: Greek, broken where long, and said to be off the scale where it cannot be seen."""
    label, (bottom, top) = str(line.get_label()), axes.get_ylim()
    y = np.asarray(line.get_ydata(), dtype=float)
    if label.startswith("_"):
        return label
    hidden = y.size > 0 and bool(np.all(y > top) or np.all(y < bottom))
    return _wrapped(label + (" (off the scale)" if hidden else ""), WIDE)


def _wrapped(text: str, width: int) -> str:
    """A label with its Greek, broken where long, but for formulas."""
    return plain(text) if "$" in text else "\n".join(textwrap.wrap(plain(text), width, break_long_words=False))
