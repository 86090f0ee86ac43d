"""Pictures of degeneracy: maps of networks, how distances depend on rank and delays, and what factors change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from numerics.degeneracy._dynamics import dsa_matrix
from numerics.degeneracy._measures import Level, mds, mean_distance
from numerics.degeneracy._operators import Whitened

HUES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#1a1a1a")  # of Okabe and Ito's, and ink
MARKS = ("o", "s", "^", "D", "v")
DASHES = ("-", "--", ":", "-.", (0, (6, 1.5, 1, 1.5, 1, 1.5)))


def draw_maps(distances: Mapping[str, np.ndarray]):
    """Maps of networks, a panel for each named matrix of distances (m, m), all to one scale.

    Returns:
        a matplotlib Figure; titles say the stress, the part of the distances that a plane cannot show.
    """
    from matplotlib.figure import Figure

    maps = {name: mds(apart) for name, apart in _some("distances", distances).items()}
    edge = 1.1 * max(np.abs(found.points).max() for found in maps.values())
    drawn = Figure(figsize=(3.6 * len(maps), 4.0), layout="constrained")
    for axes, (name, found) in zip(drawn.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True):
        axes.plot(*found.points.T, "o", color=HUES[1], mec="white", ms=7)
        axes.set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal", xlabel="first axis of the map")
        axes.set_title(f"{name}\n{len(found.points)} networks, stress {found.stress:.2f}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    drawn.axes[0].set_ylabel("second axis of the map")
    return drawn


def draw_sensitivity(
    groups: Mapping[str, Sequence], ranks: Sequence[int], delays: Sequence[int] = (1,), *, draws: int = 6, seed: int = 0
):
    """Mean distances of all pairs of dynamics in each group, against the rank of operators, for so many delays.

    Args:
        groups: named lists of courses of networks, each as `dsa` takes them.
        ranks: of the operators, in whitened coordinates.
        delays: states side by side; one panel for each.
        draws: random starts of every search.
        seed: of these, and of the networks drawn for intervals.

    Returns:
        a matplotlib Figure, with intervals of 95 % over networks.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(4.2 * len(delays) + 0.6, 3.9), layout="constrained")
    for axes, steps in zip(drawn.subplots(1, len(delays), sharey=True, squeeze=False)[0], delays, strict=True):
        for k, (name, every) in enumerate(_some("groups", groups).items()):
            apart = [dsa_matrix(every, by=Whitened(rank, steps), draws=draws, seed=seed).distance for rank in ranks]
            _levels(axes, k, name, ranks, [mean_distance(part, seed=seed) for part in apart])
        axes.set(xlabel="rank of the operators")
        axes.set_title(f"{steps} delay{'s' * (steps > 1)}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    drawn.axes[0].set_ylabel("mean distance of pairs of networks")
    drawn.axes[0].legend(fontsize=8)
    return drawn


def draw_factor(factor: str, levels: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[Level]]]):
    """What a factor changes: a panel for each measure, a line with its intervals for trained networks and each null.

    Args:
        factor: its name, for the axis.
        levels: of the factor; on a logarithmic axis if all are positive and they span a factor of eight.
        panels: by the name of a measure, by the name of what is shown of it, one `Level` at each of the levels.

    Returns:
        a matplotlib Figure.

    Raises ValueError: a line has not one level for each of those of the factor.
    """
    from matplotlib.figure import Figure

    for measure, lines in _some("panels", panels).items():
        for name, row in lines.items():
            if len(row) != len(levels):
                raise ValueError(f"panels[{measure!r}][{name!r}] has {len(row)} levels: the factor has {len(levels)}")
    drawn = Figure(figsize=(4.0 * len(panels), 3.9), layout="constrained")
    for axes, (measure, lines) in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for k, (name, row) in enumerate(lines.items()):
            _levels(axes, k, name, levels, row)
        axes.set(xlabel=factor, ylabel=measure)
        if min(levels) > 0 and max(levels) >= 8 * min(levels):
            axes.set_xscale("log")
        axes.set_xticks(levels, [f"{level:g}" for level in levels])
        axes.minorticks_off()
        axes.legend(fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


def _levels(axes, k: int, name: str, at, row: Sequence[Level]) -> None:
    """One line with its intervals, the k-th of its panel."""
    middle, low, high = np.array([level[:3] for level in row]).T
    look = dict(color=HUES[k % 5], marker=MARKS[k % 5], ls=DASHES[k % 5], capsize=3, ms=6)
    axes.errorbar(at, middle, [middle - low, high - middle], label=name, **look)


def _some(name: str, given: Mapping) -> Mapping:
    if not given:
        raise ValueError(f"{name} are empty: there is nothing to draw")
    return given
