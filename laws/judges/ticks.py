"""The ticks of an axis: few, where something was measured, in numbers as a reader would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from laws.typeset import plain

if TYPE_CHECKING:
    from laws.judges.verdict import Panel

FEW = 6  # values that a logarithmic axis names one by one
UNITS = "distance from the runs / their error"
LOWEST = 1e-2  # a distance in units of the error that is not told from a smaller one


def geometric(values) -> bool:
    """Whether values are all positive, and more evenly spaced in their logarithms than as they stand."""
    x = np.unique(values)
    if x.size < 3 or x[0] <= 0:
        return False
    uneven = [gaps.max() / gaps.min() for gaps in (np.diff(x), np.diff(np.log(x)))]
    return bool(uneven[0] > 1.001 * uneven[1])


def mark(axes, panel: Panel) -> None:
    """Ticks along both axes of a panel, once nothing moves their ends any more."""
    from matplotlib.ticker import NullFormatter

    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if name in panel.log:
            axis.set_minor_formatter(NullFormatter())
            at = np.unique(np.concatenate([np.ravel(series.x).astype(float) for series in panel.series]))
            at = at[at > 0]
            named = name == "x" and at.size <= FEW
            few = at.tolist() if named else _between_powers(*axis.get_view_interval())
            if len(few):
                axis.set_ticks(few, written(few, panel.x if name == "x" else panel.y))
            else:
                _mark_lowest(axis)
    if panel.ticks:
        places, names = zip(*panel.ticks, strict=True)
        axes.set_xticks(places, [plain(name) for name in names], fontsize=8)


def few_powers(axis) -> None:
    """So few powers of ten as a low picture of rows has room for."""
    axis.get_major_locator().set_params(numticks=6)
    _mark_lowest(axis)


def written(values: Sequence[float], label: str = "") -> list[str]:
    """Numbers alike: as powers of ten, if they are and are far apart; as 1/n, on an axis of such; else in digits."""
    tens = np.log10(values)
    if np.allclose(tens, np.rint(tens)) and np.ptp(tens) > 2:
        return [plain(f"10^{round(ten)}") for ten in tens]
    parts = 1 / np.asarray(values)
    if label.replace(" ", "").startswith("1/") and np.allclose(parts, np.rint(parts)):
        return [f"1/{round(part)}" for part in parts]
    return [plain(_digits(value)) for value in values]


def _digits(value: float) -> str:
    """A whole number in all its digits, any other in four."""
    return f"{value:.0f}" if float(value).is_integer() and value < 1e6 else f"{value:.4g}"


def _between_powers(low: float, high: float) -> list[float]:
    """Where to mark an axis that holds less than two powers of ten."""
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        inside = [step * ten for ten in tens for step in steps if low <= step * ten <= high]
        if len(inside) > 1:
            break
    return [] if steps == (1,) else inside


def _mark_lowest(axis) -> None:
    """On an axis of distances that ends where smaller ones are not told apart, say so."""
    from matplotlib.ticker import LogFormatterSciNotation

    if not axis.get_label_text().startswith(UNITS):
        return

    class AtMost(LogFormatterSciNotation):
        def __call__(self, x, pos=None):
            return ("≤ " if x == LOWEST else "") + super().__call__(x, pos)

    axis.set_major_formatter(AtMost())
