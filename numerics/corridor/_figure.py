"""Figure 2 of the source, for a run."""

from __future__ import annotations

import textwrap

import numpy as np

from numerics.corridor._run import SNAPSHOTS, History
from numerics.corridor._settings import differences, named, shown
from numerics.corridor._world import hits, samples, walls

BLUE, RED, INK = "#0072B2", "#D55E00", "#1a1a1a"  # of Okabe and Ito's, told apart by the colour-blind


def figure(history: History):
    """Arena, loss, information and activity, decoding error, sorted rate maps and their correlation over time.

    Args:
        history: of a run.

    Returns:
        a matplotlib Figure; thin lines are networks, thick lines the median of those that have not diverged.

    Raises ValueError: the history has only one step after the first.
    """
    from matplotlib.figure import Figure

    if len(history.steps) < 3:
        raise ValueError(f"history has steps {history.steps.tolist()}: a figure needs two after the first")

    drawn = Figure(figsize=(13, 10.5), layout="constrained")
    top, middle, bottom = drawn.subfigures(3, 1, squeeze=False, height_ratios=[1.8, 3, 5])[:, 0]
    _arena(top, history)
    loss, activity, decoded = middle.subplots(1, 3)
    _courses(loss, history, history.log_loss, INK, "-", "log$_{10}$ loss / that of the mean", "learnt walk")
    _beside(loss, history, {"unseen walk": (history.unseen_log_loss, "-.")}, INK)
    loss.legend(frameon=False)
    _information(activity, history)
    _courses(decoded, history, history.decoding_error, INK, "-", "decoding error (units of length)", "unseen walk")
    decoded.axhline(np.median(history.chance_error), color=RED, linestyle=":", label="chance")
    decoded.set_ylim(bottom=0)
    decoded.legend(frameon=False)
    left, right = bottom.subfigures(1, 2, width_ratios=[8, 5])
    _maps(left, history)
    _correlation(right, history)
    for letter, part in zip("ABCDEF", (top, loss, activity, decoded, left, right), strict=True):
        where = dict(x=0.005, y=0.99) if part in (top, left, right) else dict(x=-0.2, y=1.12)
        transform = {} if part in (top, left, right) else {"transform": part.transAxes}
        part.text(**where, s=letter, fontweight="bold", fontsize=14, va="top", **transform)
    return drawn


def _arena(part, history: History) -> None:
    """The corridor of the first network from above, its walls as dark as they are, and a gaze."""
    axes, corridor, seed = part.subplots(), history.corridor, int(history.seeds[0])
    seen, texture = samples(corridor, seed)[0], walls(corridor, seed)
    t = int(np.argmin(np.abs(seen.position - 0.3 * corridor.length)))
    around = np.linspace(0, corridor.perimeter, 1500)
    points = np.arange(len(texture)) * corridor.perimeter / len(texture)
    shades = np.interp(around, points, texture, period=corridor.perimeter)
    dots = axes.scatter(*_around(corridor, around), c=shades, cmap="cividis", s=14, marker="s", zorder=2)
    for end in hits(corridor, seen.position[t : t + 1], seen.gaze[t : t + 1])[0]:
        axes.plot(*np.transpose([(seen.position[t], 0), _around(corridor, end)]), color=BLUE, linewidth=0.7)
    axes.plot(seen.position[t], 0, "o", color=RED, markersize=7)
    for turn in corridor.turns:
        axes.axvline(turn, color=INK, linestyle=":", linewidth=0.8)
    axes.set(xlabel="y (units of length)", ylabel="x (units)", aspect="equal")
    axes.spines[:].set_visible(False)
    three = "; ".join(f"{name} {' | '.join(map(shown, row))}" for name, row in differences(corridor).items())
    title = f"{named(corridor)}; {history.counted()}, thick: median; here | paper's text | files: {three}"
    part.suptitle("\n".join(textwrap.wrap(title, 165)), fontsize=9)
    part.colorbar(dots, ax=axes, panchor=False, label="texture", pad=0.01, ticks=[])


def _around(corridor, distance):
    """(y, x) of a point at a distance around the perimeter."""
    corners = np.cumsum([0, corridor.width, corridor.length, corridor.width, corridor.length])
    half = corridor.width / 2
    return (
        np.interp(distance, corners, [0, 0, corridor.length, corridor.length, 0]),
        np.interp(distance, corners, [-half, half, half, -half, -half]),
    )


def _information(axes, history: History) -> None:
    """Bits on the left, fractions of what is active on the right."""
    other, units = axes.twinx(), history.corridor.hidden
    _courses(axes, history, history.information, BLUE, "-", "information of place cells (bits)")
    controls = {
        "unseen walk": (history.unseen_information, "-."),
        "positions shuffled": (history.shuffled_information, ":"),
        "unseen, shuffled": (history.unseen_shuffled_information, (0, (1, 4))),
    }
    _beside(axes, history, controls, BLUE)
    _courses(other, history, history.active_units / units, RED, "-.", "")
    _courses(other, history, history.active_fraction, RED, "--", "active fraction")
    other.plot([], [], color=RED, linestyle="-.", label="units")
    other.plot([], [], color=RED, linestyle="--", label="(unit, sample) pairs")
    axes.set_ylim(bottom=0)
    other.set_ylim(0, 1.05)
    between = dict(frameon=False, loc="upper left", fontsize=9)
    axes.legend(**between, bbox_to_anchor=(0, 0.93), labelcolor=BLUE)
    other.legend(**between, bbox_to_anchor=(0, 0.69), labelcolor=RED)


def _beside(axes, history: History, others: dict, colour: str) -> None:
    """Medians of further values, by what they are of, in lines of their own."""
    for label, (values, style) in others.items():
        axes.plot(history.steps[1:], history.median(values[1:]), color=colour, linestyle=style, label=label)


def _courses(axes, history: History, values, colour: str, style: str, label: str, of: str = "_nolegend_") -> None:
    axes.plot(history.steps[1:], values[1:], color=colour, linestyle=style, linewidth=0.6, alpha=0.4)
    axes.plot(history.steps[1:], history.median(values[1:]), color=colour, linestyle=style, linewidth=2.2, label=of)
    axes.set(xscale="log", xlabel="training step")
    axes.set_ylabel(label, color=colour)
    axes.tick_params(axis="y", colors=colour)
    axes.spines["top"].set_visible(False)


def _maps(part, history: History) -> None:
    """Rate maps of the units of the first network that are active, over their own maxima; a row for each sorting."""
    visited = ~np.isnan(history.maps).all((0, 1))
    if not visited.any():
        part.suptitle("no rate maps: the first network has diverged", fontsize=10)
        return
    grid, edge = part.subplots(SNAPSHOTS, SNAPSHOTS, sharex=True), int(visited[: len(visited) // 2].sum())
    for row, axes_of_row in enumerate(grid):
        by = history.maps[row][:, visited]
        active = np.flatnonzero(by.any(1))
        order = active[by[active].argmax(1).argsort(kind="stable")]
        for column, axes in enumerate(axes_of_row):
            rates = history.maps[column][order][:, visited]
            peak = rates.max(1, keepdims=True)
            axes.imshow(rates / np.where(peak > 0, peak, 1), aspect="auto", cmap="cividis", interpolation="nearest")
            axes.axvline(edge - 0.5, color="white", linewidth=0.8)
            axes.set(xticks=[edge / 2, (edge + visited.sum()) / 2], xticklabels=["up", "down"], yticks=[])
            if row == 0:
                axes.set_title(f"step {history.snapshots[column]:,}", fontsize=10)
        axes_of_row[0].set_ylabel(f"{len(order)} units, by\nstep {history.snapshots[row]:,}", fontsize=9)
    part.supxlabel("place: bins on the way up and on the way down (yellow: the unit's highest rate)", fontsize=10)


def _correlation(part, history: History) -> None:
    """Median over living networks of the correlation of the population at any two recorded steps."""
    axes, steps = part.subplots(), history.steps[1:]
    values = history.median(np.moveaxis(history.correlation[:, 1:, 1:], 0, -1))
    edges = np.sqrt(steps[1:] * steps[:-1])
    edges = np.concatenate([[steps[0] ** 2 / edges[0]], edges, [steps[-1] ** 2 / edges[-1]]])
    drawn = axes.pcolormesh(edges, edges, values, cmap="cividis", vmin=np.nanmin(values, initial=0), vmax=1)
    axes.set(xscale="log", yscale="log", xlabel="training step", ylabel="training step", aspect="equal")
    part.colorbar(drawn, ax=axes, label="population-vector correlation", shrink=0.75)
