"""A law as a figure: its value over one symbol, a line for every choice of the others.

The line is the law in float64, whose error is eps (1 + condition) of the value.  Where that would show, because it
reaches a hundredth of the figure's height, the line has exact values instead, the place is shaded, and the condition
number is named.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from laws import ball
from laws.judges.drawing import DASHES, HUES, INK, SHADES
from laws.law import Law, admits
from laws.typeset import latex, plain

POINTS = 121  # of a range that nobody has chosen
LEGIBLE = 10  # lines
SHOWS = 0.01  # of the height
SIZE = 6.4, 4.4  # inches
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Curve:
    """A law over one symbol: the values of the others that single it out, its condition, and where float64 failed."""

    label: str
    x: np.ndarray
    y: np.ndarray
    condition: np.ndarray
    lost: np.ndarray


def filled(
    law: Law, given: Mapping[str, Sequence[float]], swept: str = "", *, log: str = ""
) -> tuple[dict[str, list[float]], str]:
    """Values of every symbol, and the one that is swept: as given, and else as in the law's examples.

    Raises ValueError: a symbol is unknown, or what is not given cannot be told from the examples.
    """
    names = [x.name for x in law.symbols]
    if unknown := [name for name in given if name not in names]:
        raise ValueError(f"{law.name}: unknown {', '.join(unknown)}; its arguments are {', '.join(names)}")
    usual = {name: [float(law.examples[0][name])] for name in names}
    if not swept:
        swept, values = usual_range(law, given, log)
        usual[swept] = list(values)
    return usual | {name: list(values) for name, values in given.items()}, swept


def usual_range(law: Law, given: Mapping[str, Sequence[float]], log: str = "") -> tuple[str, np.ndarray]:
    """The symbol to sweep and its range, where nobody has chosen them: as far as the law's examples go.

    Args:
        law: with examples.
        given: values of some symbols, by name; the others are those of the first example.
        log: the axes that are logarithmic.

    Returns:
        the name of an argument of the left side, if there is one left, else that of the symbol whose values in the
        examples differ by the largest factor; and values at which all hypotheses hold, evenly spaced on its axis.

    Raises:
        ValueError: every symbol is given, or the examples do not tell how far to go.
    """
    free = [x for x in law.symbols if x.name not in given]
    if not free:
        raise ValueError(f"{law.name}: every symbol has one value; sweep one, as in {law.symbols[0]}=first:last:count")
    own = [x for x in getattr(law.lhs, "args", ()) if x in free]
    x = max(own or free, key=lambda x: _factor(law, x.name))
    seen = [float(example[x.name]) for example in law.examples]
    first, last = min(seen), max(seen)
    if first == last:
        first, last = sorted((first / 2, 2 * first))
    values = (np.geomspace if "x" in log and first > 0 else np.linspace)(first, last, POINTS)
    base = {s: sp.Rational(str(given[s.name][0] if s.name in given else law.examples[0][s.name])) for s in law.symbols}
    holds = [all(admits(h, {**base, x: sp.Rational(float(v))}) for h in law.given) for v in values]
    start, stop = max(_runs(np.array(holds)), key=lambda run: run[1] - run[0], default=(0, 0))
    if stop - start < 2:
        raise ValueError(f"{law.name}: its examples tell no range of {x.name}; give one, as {x.name}=first:last:count")
    return x.name, values[start:stop]


def curves(law: Law, at: Mapping[str, Sequence[float]], swept: str) -> list[Curve]:
    """The law over `swept`, for every combination of the other values.

    Raises ValueError: a value is missing, unknown, or violates a hypothesis, or there are too many lines to be told.
    """
    others = {name: values for name, values in at.items() if name != swept}
    several = [name for name, values in others.items() if len(values) > 1]
    count = int(np.prod([len(values) for values in others.values()]))
    if count > LEGIBLE:
        raise ValueError(
            f"{count} lines, of {' and '.join(several)}, are more than the {LEGIBLE} that can be told apart"
        )
    x = np.asarray(at[swept], float)
    points = [dict(zip(others, point, strict=True)) for point in itertools.product(*others.values())]
    y = np.array([np.broadcast_to(law(**here, **{swept: x}), x.shape) for here in points])
    condition = np.array([np.broadcast_to(law.condition(**here, **{swept: x}), x.shape) for here in points])
    known = y[np.isfinite(y)]
    height = np.ptp(known) or np.abs(known).max() if known.size else 0.0
    with np.errstate(invalid="ignore"):  # 0 is right, though its condition number is infinite
        lost = np.isnan(y) | (EPS * (1 + condition) * np.abs(y) >= SHOWS * height)
    for i, j in zip(*np.nonzero(lost), strict=True):
        y[i, j] = _exact(law, {**points[i], swept: x[j]})
    labels = [", ".join(f"{_set(name)} = {here[name]:g}" for name in several) for here in points]
    return [Curve(*row) for row in zip(labels, [x] * len(points), y, condition, lost, strict=True)]


def figure(law: Law, at: Mapping[str, Sequence[float]], swept: str, log: str = ""):
    """A matplotlib figure of the law over `swept`; arguments and errors as of `curves`.

    log: the axes that are logarithmic, "x", "y", "xy" or none.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    drawn = Figure(figsize=SIZE, layout="constrained")
    axes, told = drawn.subplots(), curves(law, at, swept)
    shades = [INK] if len(told) == 1 else HUES if len(told) <= len(HUES) else colormaps[SHADES[0]](
        np.linspace(SHADES[1], SHADES[2], len(told)))  # fmt: skip
    for i, (curve, shade) in enumerate(zip(told, shades, strict=False)):
        dash = "-" if len(told) == 1 or i == 0 else (0, DASHES[(i - 1) % len(DASHES)])
        axes.plot(curve.x, curve.y, color=shade, lw=1.8, ls=dash, label=curve.label or None)
    lost = np.any([curve.lost for curve in told], axis=0)
    if lost.any():
        worst = max(float(curve.condition[curve.lost].max()) for curve in told if curve.lost.any())
        label = plain(f"exact values: float64 fails here, condition number up to {worst:.0e}")
        for start, stop in _runs(lost):
            edges = told[0].x[start], told[0].x[stop - 1]
            axes.axvspan(*edges, color="#8a8a8a", alpha=0.3, lw=3, label=label)
            label = "_nolegend_"
    for axis in log:
        values = np.concatenate([getattr(curve, axis) for curve in told])
        if not (values > 0).all():
            raise ValueError(f"log = {log!r}: {axis} is {np.nanmin(values):g} somewhere, which has no logarithm")
        getattr(axes, f"set_{axis}scale")("log")
    fixed = ", ".join(f"{_set(name)} = {values[0]:g}" for name, values in at.items() if len(values) == 1)
    axes.set_title(f"{law.name}: {fixed}" if fixed else law.name, fontsize=11, wrap=True)
    axes.set(xlabel=_set(swept), ylabel=_typeset(law.lhs))
    axes.spines[["top", "right"]].set_visible(False)
    if len(told) > 1 or lost.any():
        drawn.legend(loc="outside lower center", ncols=min(3, len(told)), frameon=False, fontsize=9, handlelength=3)
    return drawn


def _factor(law: Law, name: str) -> float:
    """By what factor the examples' values of a symbol differ."""
    sizes = [abs(float(example[name])) for example in law.examples]
    return max(sizes) / min(sizes) if min(sizes) else float(max(sizes) > 0) * 2


def _runs(where: np.ndarray) -> list[tuple[int, int]]:
    """First and last place, the last one excluded, of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(int), [0]])))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _exact(law: Law, at: Mapping[str, float]) -> float:
    """The value to the last bit, nan where no ball decides it."""
    try:
        return float(law.exact(17, **at))
    except ball.Undecided:
        return np.nan


def _set(name: str) -> str:
    """A symbol as the papers write it."""
    return _typeset(sp.Symbol(name))


def _typeset(expr: sp.Basic) -> str:
    """An expression as matplotlib can set it; in plain letters where it cannot."""
    from matplotlib.mathtext import MathTextParser

    written = f"${latex(expr)}$"
    try:
        MathTextParser("path").parse(written)
    except ValueError:
        return plain(str(expr))
    return written
