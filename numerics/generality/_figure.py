"""A sweep at a glance: rule by rule, the losses of its networks and the units that carry their outputs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numerics.generality._design import RULES, Drift
from numerics.generality._table import kinds

COLOURS = {"relu": "#0072B2", "tanh": "#D55E00", "linear": "#7a7a7a"}  # two of Okabe and Ito's, and grey
DASHES = {"relu": "-", "tanh": (0, (5, 1.5)), "linear": (0, (1, 1.2))}
NAMES = {"relu": "ReLU", "tanh": "tanh", "linear": "linear"}


def figure(settings: list[Drift], table: Mapping[str, np.ndarray]):
    """Losses above, units that carry the output below, a column for each rule.

    Args:
        settings: of the networks.
        table: their curves, as `Sweep.table` gives them.

    Returns:
        a matplotlib Figure; thin lines are networks, thick lines the medians of those that have not diverged.

    Raises ValueError: the table is of another number of networks.
    """
    from matplotlib.figure import Figure

    if table["loss"].shape[1] != len(settings):
        raise ValueError(f"table has {table['loss'].shape[1]} networks, and settings {len(settings)}")
    of, alive = kinds(settings), np.isfinite(table["loss"][-1])
    rules = [rule for rule in RULES if (of["rule"] == rule).any()]
    drawn = Figure(figsize=(2.6 * len(rules) + 1, 6), layout="constrained")
    grid = drawn.subplots(2, len(rules), sharex=True, sharey="row", squeeze=False)
    for rule, column in zip(rules, grid.T, strict=True):
        column[0].set_title(f"{rule}, {int((of['rule'] == rule).sum())} networks", fontsize=10)
        for axes, name in zip(column, ("loss", "carriers"), strict=True):
            for activation in COLOURS:
                _family(axes, table, name, (of["rule"] == rule) & (of["activation"] == activation), alive, activation)
            axes.spines[["top", "right"]].set_visible(False)
            axes.set(xscale="log", yscale="log")
        column[1].set_xlabel("step")
        if lost := int((~alive & (of["rule"] == rule)).sum()):
            column[0].annotate(f"{lost} diverged", (0.03, 0.03), xycoords="axes fraction", fontsize=8)
    for (first, *_), label in zip(grid, ("mean squared error", "units that carry the output"), strict=True):
        first.set_ylabel(label)
    handles = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False)
    return drawn


def _family(axes, table: Mapping[str, np.ndarray], name: str, these: np.ndarray, alive: np.ndarray, activation: str):
    """The networks of one rule and one activation, and their median."""
    if not these.any():
        return
    seen = table["steps"] > 0  # a logarithm has no 0
    steps, curves, colour = table["steps"][seen], table[name][seen], COLOURS[activation]
    axes.plot(steps, curves[:, these], color=colour, lw=0.4, alpha=0.35)
    if (these & alive).any():
        middle = np.median(curves[:, these & alive], axis=1)
        axes.plot(steps, middle, color=colour, lw=2.2, ls=DASHES[activation], label=f"{NAMES[activation]}, median")
