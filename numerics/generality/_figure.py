"""A sweep at a glance: losses and units that carry outputs rule by rule; and figure 3 of the source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from numerics.ensemble import UpdateNoise
from numerics.generality._design import HIDDEN, RULES, Drift
from numerics.generality._outcome import Outcome
from numerics.generality._table import kinds

COLOURS = {"relu": "#0072B2", "tanh": "#D55E00", "linear": "#7a7a7a"}  # two of Okabe and Ito's, and grey
DASHES = {"relu": "-", "tanh": (0, (5, 1.5)), "linear": (0, (1, 1.2))}
OF_RULES = dict(zip(RULES, ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#7a7a7a"), strict=True))
HATCHES = dict(zip(RULES, ("", "///", "...", "xx", "++"), strict=True))
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


def overview(one: Outcome):
    """How many units are active at the end, and how the time constant goes with the noise.

    Args:
        one: what came of the sweep.

    Returns:
        a matplotlib Figure; beside the histogram, networks with update noise that have not diverged.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = drawn.subplots(1, 2)
    _final(left, one)
    _against_noise(right, one)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


def _final(axes, one: Outcome) -> None:
    """A histogram of the fraction of units that are active at the end, the rules upon each other; ReLUs."""
    shown, edges = one.relu & one.alive, np.linspace(0, 1, 21)
    rules = [rule for rule in RULES if (shown & (one.kinds["rule"] == rule)).any()]
    final = [one.curves["active_units"][-1, shown & (one.kinds["rule"] == rule)] / HIDDEN for rule in rules]
    labels = [f"{rule}, {len(values)}" for rule, values in zip(rules, final, strict=True)]
    if rules:
        drawn = axes.hist(final, edges, stacked=True, label=labels, color=[OF_RULES[rule] for rule in rules])[2]
        for rule, bars in zip(rules, [drawn] if len(rules) == 1 else drawn, strict=True):
            for bar in bars:
                bar.set(hatch=HATCHES[rule], edgecolor="white", linewidth=0.5)
        axes.legend(frameon=False, fontsize=9)
    gone = int((one.relu & ~one.alive).sum())
    axes.set(xlim=(0, 1), xlabel=f"fraction of units active after {one.steps[-1]:,} steps", ylabel="networks")
    axes.set_title(f"{shown.sum()} ReLU networks; {gone} more diverged", fontsize=10)


def _against_noise(axes, one: Outcome) -> None:
    """Time constants of networks with update noise; those that the record does not tell stand above it."""
    levels = [each.noise.sigma if isinstance(each.noise, UpdateNoise) else np.nan for each in one.settings]
    sigma = np.array(levels)
    some = np.isfinite(sigma) & one.alive
    axes.set(xlabel="standard deviation σ of the update noise", ylabel="time constant of the fall, steps")
    axes.set_title("ReLUs: of active pairs; others: of units that carry the output", fontsize=10)
    if not some.any():
        axes.text(0.5, 0.5, "no network with update noise", ha="center", transform=axes.transAxes)
        return
    taus = np.full(len(sigma), np.nan)
    taus[some] = one.time_constants(some)
    axes.set(xscale="log", yscale="log")
    axes.axhline(one.steps[-1], color="#7a7a7a", ls=":", lw=1)
    for activation, mark in zip(COLOURS, "osv", strict=True):
        here, told = some & (one.kinds["activation"] == activation), np.isfinite(taus)
        for told_here, where in ((True, here & told), (False, here & ~told)):
            if where.any():
                label = f"{NAMES[activation]}, {where.sum()}" + ("" if told_here else " not told by the record")
                y = taus[where] if told_here else np.full(where.sum(), 1.6 * one.steps[-1] * SHIFT[activation])
                face = COLOURS[activation] if told_here else "none"
                axes.plot(sigma[where], y, mark, ms=5, color=COLOURS[activation], mfc=face, alpha=0.8, label=label)
    axes.annotate(
        "length of the record", (0.02, one.steps[-1]), xycoords=("axes fraction", "data"), va="top", fontsize=8
    )
    axes.legend(frameon=False, fontsize=9)


SHIFT = {"relu": 1.0, "tanh": 1.4, "linear": 1.96}  # rows of marks above the record, one for each activation
