"""Panels that are no curves: images, a graph with its gates as nodes and edges, a table, and a map over a plane.

Names in a plane are for any panel.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from laws.typeset import plain

if TYPE_CHECKING:
    from laws.judges.verdict import Panel, Series

UNLISTED = ("node", "gated node", "cell", "name")  # their labels stand in the picture
INK, GATED, PAPER = "#222222", "#D55E00", "#FFFFFF"  # gates are dashed, too: never colour alone
TITLE = 0.12  # of a picture's width, the room for the label above it


def _node(axes, series: Series, style: tuple, gated: bool = False) -> None:
    """A node with its name; the axes mean nothing here."""
    look = dict(boxstyle="round,pad=0.35", fc=PAPER, ec=GATED if gated else INK, ls="--" if gated else "-", lw=1.4)
    axes.text(series.x[0], series.y[0], series.label, ha="center", va="center", fontsize=10, color=INK, bbox=look)
    if gated and "with a gate" not in axes.get_legend_handles_labels()[1]:
        axes.plot([], [], color=GATED, ls="--", lw=1.4, label="with a gate")
    axes.set_axis_off()


def _edge(axes, series: Series, style: tuple, gated: bool = False) -> None:
    """An edge from its first point to its last, dashed where a gate is on it."""
    ink, dashes = (GATED, "--") if gated else (INK, "-")
    known = axes.get_legend_handles_labels()[1]
    label = series.label if series.label and series.label not in known else "_nolegend_"
    axes.plot(series.x, series.y, color=ink, ls=dashes, lw=1.4, label=label, zorder=0)
    middle = [(v[0] + v[-1]) / 2 for v in (series.x, series.y)]
    ahead = [m + 0.01 * (v[-1] - v[0]) for m, v in zip(middle, (series.x, series.y), strict=True)]
    head = dict(arrowstyle="-|>", color=ink, lw=0, mutation_scale=14, shrinkA=0, shrinkB=0)
    axes.annotate("", ahead, middle, arrowprops=head, zorder=0)


def _cell(axes, series: Series, style: tuple) -> None:
    """One cell of a table; the axes mean nothing here."""
    axes.text(series.x[0], series.y[0], series.label, ha="left", va="center", fontsize=9, color=INK)
    axes.update_datalim([(series.x[0], series.y[0] - 0.5), (series.x[0] + 1.0, series.y[0] + 0.5)])
    axes.autoscale_view()
    axes.set_axis_off()


def _map(axes, series: Series, style: tuple) -> None:
    """Values `low`, shape (len(x), len(y)), as shades."""
    shades = axes.pcolormesh(series.x, series.y, np.array(series.low).T, shading="nearest", cmap="cividis")
    axes.figure.colorbar(shades, ax=axes, label=series.label)


def _name(axes, series: Series, style: tuple) -> None:
    """The name of what ends at a point, away from the middle of the picture."""
    x, y = series.x[0], series.y[0]
    side = 1 if x >= 0 else -1
    look = dict(ha="left" if x >= 0 else "right", va="center", fontsize=8, color=INK)
    axes.annotate(textwrap.fill(plain(series.label), 14), (x, y), (5 * side, 0), textcoords="offset points", **look)
    axes.margins(x=0.25)  # room for the names


def images(axes, panel: Panel) -> None:
    """Pictures, two in a row, each under its label, their pixels square; gray is 0."""
    places, ends = _places(panel)
    for series, (left, top, high) in zip(panel.series, places, strict=True):
        rows = np.array(series.low, dtype=float)
        axes.imshow(rows, cmap="gray", vmin=-1, vmax=1, extent=(left, left + 1, top - high, top))
        axes.text(left + 0.5, top + 0.02, plain(series.label), ha="center", va="bottom", fontsize=9)
    axes.set(xlim=(0, ends[0]), ylim=(-ends[1], TITLE), aspect="equal")
    axes.set(xlabel=textwrap.fill(plain(panel.x), 52), ylabel=plain(panel.y), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _places(panel: Panel) -> tuple[list[tuple[float, float, float]], tuple[float, float]]:
    """Left, top and height of every picture, and the ends of all on the right and below; each is 1 wide."""
    heights = [np.divide(*np.array(series.low).shape) for series in panel.series]
    places, top = [], 0.0
    for first in range(0, len(heights), 2):
        row = heights[first : first + 2]
        places += [(i * (1 + TITLE / 2), -top, high) for i, high in enumerate(row)]
        top += max(row) + TITLE
    return places, (places[min(1, len(places) - 1)][0] + 1, top - TITLE)


def high(panel: Panel, width: float) -> float:
    """How high pictures are, with their labels, in a panel of this width."""
    _, (right, below) = _places(panel)
    return width * (below + TITLE) / max(right, 2)


DRAW: dict[str, Callable[..., None]] = {
    "node": _node,
    "gated node": partial(_node, gated=True),
    "edge": _edge,
    "gated edge": partial(_edge, gated=True),
    "cell": _cell,
    "name": _name,
    "map": _map,
}
