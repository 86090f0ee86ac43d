"""What a legend says: every line of a picture in the order of its panel, and what of a line cannot be seen."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from laws.typeset import INDEX, plain

if TYPE_CHECKING:
    from laws.judges.verdict import Panel

READ = 4  # points of a mark in a legend, that it be told from another
WIDE = 34  # letters of a legend before it is broken


def draw(axes, panel: Panel) -> None:
    """The legend, below; it tells what lies off the scale, or under another line."""
    from matplotlib.transforms import offset_copy

    order = list(dict.fromkeys(series.label for series in panel.series))
    entries = [(name, handle) for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)]
    entries.sort(key=lambda entry: order.index(entry[0]) if entry[0] in order else len(order))
    upon, kinds = ({}, ()) if panel.rows else (_alike(axes, panel), panel.ticks)
    labels = [_shown(axes, panel, name, upon) for name, _ in entries]
    further = axes.get_xlabel().count("\n") + max((name.count("\n") for _, name in kinds), default=0)
    below = offset_copy(axes.transAxes, axes.figure, y=-0.5 - 0.165 * further)  # inches
    place = dict(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=columns(labels))
    look = dict(frameon=False, fontsize=9, handlelength=3, columnspacing=1.2)
    legend = axes.legend([handle for _, handle in entries], labels, **look, **place)
    for handle in legend.legend_handles:
        if 0 < getattr(handle, "get_markersize", lambda: 0)() < READ and handle.get_marker() != "None":
            handle.set_markersize(READ)


def _alike(axes, panel: Panel) -> dict[str, str]:
    """Rivals that lie upon another line, to less than a point, and upon which."""
    found: dict[str, str] = {}
    seen: dict[str, np.ndarray] = {}
    for series in (series for series in panel.series if series.role in ("law", "rival")):
        points = np.column_stack([np.broadcast_to(series.x, np.shape(series.y)).ravel(), np.ravel(series.y)])
        place = axes.transData.transform(points)
        for name, other in seen.items():
            if place.shape == other.shape and np.max(np.abs(place - other)) < 1:
                found.setdefault(series.label, name)
        seen[series.label] = place
    return found


def columns(labels) -> int:
    """In how many columns a legend stands: one, if a label is long."""
    return 2 if all(len(str(label)) <= 2 * WIDE for label in labels) else 1


def _shown(axes, panel: Panel, label: str, alike: dict[str, str]) -> str:
    """The legend of a line, or of several of one name: Greek, broken where long, told of what cannot be seen of it."""
    bottom, top = axes.get_xlim() if panel.rows else axes.get_ylim()
    values = (np.ravel(s.x if panel.rows else s.y) for s in panel.series if s.label == label)
    y = np.concatenate([np.empty(0), *values])
    off = (y > top) | (y < bottom)
    notes = [f"coincides with {alike[label]}"] if label in alike else []
    notes += ["off the scale" if np.all(off) else "partly off the scale"] if y.size and np.any(off) else []
    return wrapped(f"{label} ({', '.join(notes)})" if notes else label, WIDE)


def wrapped(text: str, width: int) -> str:
    """A label with its Greek, broken where long, but neither in a formula nor around a sign or in a short bracket."""
    if "$" in text:
        return plain(text)
    whole = re.sub(r" ([=<>≤≥≈×+]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", plain(text))
    whole = re.sub(r"\([^()]{1,18}\)", lambda bracket: bracket[0].replace(" ", "\N{NO-BREAK SPACE}"), whole)
    return _indexed("\n".join(textwrap.wrap(whole, width, break_long_words=False)))


def _indexed(text: str) -> str:
    """The indices and the powers that no letter stands for, set by matplotlib."""
    text = re.sub(INDEX, r"$\1_{\\mathrm{\2}}$", text)
    return re.sub(r"\^\(([^()$]+)\)", r"$^{\1}$", text)
