"""Pictures of trained networks: trials of their task, and their states on principal components with fixed points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numerics.checks import numbers_of, whole
from numerics.rnn._dynamics import each, fixed_points
from numerics.rnn._records import Recipe
from numerics.rnn._training import Run

BLUE, RED, GREEN, INK = "#0072B2", "#D55E00", "#009E73", "#1a1a1a"  # of Okabe and Ito's, but for the ink
STARTS = 90  # states from which fixed points are looked for


class Principal(NamedTuple):
    """Principal components of states: their mean (n,), axes (count, n), and the share of the variance on each."""

    middle: np.ndarray
    axes: np.ndarray
    share: np.ndarray

    def seen(self, rates: np.ndarray) -> np.ndarray:
        """States (..., n) in these coordinates, (..., count)."""
        return (rates - self.middle) @ self.axes.T


def principal(rates, count: int = 2) -> Principal:
    """The first principal components of states (..., n); the largest entry of each axis is positive.

    Raises ValueError: there are not so many, or states do not vary.
    """
    flat = numbers_of("rates", rates)
    flat = flat.reshape(-1, flat.shape[-1])
    if whole("count", count) > min(flat.shape):
        raise ValueError(f"count = {count}: {flat.shape[0]} states of {flat.shape[1]} units have fewer axes")
    middle = flat.mean(0)
    _, sizes, axes = np.linalg.svd(flat - middle, full_matrices=False)
    if not sizes[0] > 0:
        raise ValueError("rates do not vary: they have no principal components")
    axes = axes[:count]
    axes = axes * np.sign(axes[np.arange(count), np.abs(axes).argmax(1)])[:, None]
    return Principal(middle, axes, sizes[:count] ** 2 / (sizes**2).sum())


def draw_trials(recipe: Recipe, run: Run, *, task=None, trials: int = 2, seed: int = 0):
    """What networks are shown and say along trials, beside what they should say.

    Args:
        recipe: of the networks.
        run: what came of it.
        task: whose trials; by default that of the recipe (`recipe.task.longer()` is outside the training).
        trials: how many, side by side.
        seed: of the trials.

    Returns:
        a matplotlib Figure: inputs above, outputs below, channels set apart; targets where they count.
    """
    from matplotlib.figure import Figure

    x, y, mask = (recipe.task if task is None else task).trials(whole("trials", trials), seed)
    outputs = []
    for (_, _, _, C, c), along in each(recipe.network, run.weights):
        outputs.append(along(x) @ C.T + c)
    drawn = Figure(figsize=(4.6 * trials + 0.8, 5.4), layout="constrained")
    grid = drawn.subplots(2, trials, sharex=True, sharey="row", squeeze=False, height_ratios=[2, 3])
    wanted = np.where(mask > 0, y, np.nan)
    for k, (above, below) in enumerate(grid.T):
        for channel, up in enumerate(_apart(x)):
            above.plot(x[:, k, channel] + up, color=BLUE, lw=1.4, drawstyle="steps-mid")
        for channel, up in enumerate(_apart(y)):
            for said in outputs:
                below.plot(said[:, k, channel] + up, color=RED, lw=0.7, alpha=0.7)
            below.plot(wanted[:, k, channel] + up, color=INK, lw=2.2, ls=(0, (3, 1.5)))
        above.set_title(f"trial {k + 1}", fontsize=10)
        below.set_xlabel("step")
    for (left, *_), name, values in zip(grid, ("input", "output"), (x, y), strict=True):
        left.set_ylabel(f"{name}s, channels set apart" if values.shape[2] > 1 else name)
    below.plot([], [], color=INK, lw=2.2, ls=(0, (3, 1.5)), label="target, where it counts")
    below.plot([], [], color=RED, lw=0.7, label=f"{len(outputs)} networks")
    drawn.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
    return drawn


def _apart(values: np.ndarray) -> np.ndarray:
    """How far up each channel of values (..., channels) is set, the first on top."""
    return 1.2 * np.ptp(values) * np.arange(values.shape[-1])[::-1]


def draw_trajectories(recipe: Recipe, run: Run, *, network: int = 0, trials: int = 12, shown=None, seed: int = 0):
    """States of one network along trials, on its first three principal components, with its fixed points.

    Args:
        recipe: of the networks.
        run: what came of it.
        network: which of them.
        trials: how many.
        shown: the constant input, (inputs,), at which fixed points are looked for; by default none.
        seed: of the trials.

    Returns:
        a matplotlib Figure: components 1 and 2, and 1 and 3; lines are trials, brighter with time.

    Raises ValueError: there is no such network, or shown has another shape.
    """
    from matplotlib.figure import Figure

    every = list(each(recipe.network, run.weights))
    if whole("network", network, 0) >= len(every):
        raise ValueError(f"network = {network}: there are {len(every)}")
    (A, U, b, C, c), along = every[network]
    held = np.zeros(U.shape[1]) if shown is None else numbers_of("shown", shown)
    if held.shape != U.shape[1:]:
        raise ValueError(f"shown has shape {held.shape}: there are {U.shape[1]} inputs")
    rates = along(recipe.task.trials(whole("trials", trials), seed)[0])
    seen = principal(rates, 3)
    points = fixed_points(A, b + U @ held, C, c, rates.reshape(-1, len(A))[:: -(-rates[..., 0].size // STARTS)])
    drawn = Figure(figsize=(10.5, 4.8), layout="constrained")
    for axes, (i, j) in zip(drawn.subplots(1, 2), ((0, 1), (0, 2)), strict=True):
        lines = _courses(axes, seen.seen(rates)[..., [i, j]])
        for which, mark, name in ((points.stable, "o", "stable"), (~points.stable, "X", "unstable")):
            if count := int(which.sum()):
                told, colour = f"{count} {name} fixed point{'s' * (count > 1)}", RED if mark == "o" else GREEN
                place = seen.seen(points.rates[which])[:, [i, j]].T
                axes.plot(*place, mark, color=colour, mec="white", ms=9, label=told, zorder=3)
        axes.set(xlabel=_axis(seen, i), ylabel=_axis(seen, j))
        axes.spines[["top", "right"]].set_visible(False)
        if len(points.rates):
            axes.legend(fontsize=8, title="without input" if shown is None else f"at input {held.tolist()}")
    drawn.colorbar(lines, ax=drawn.axes, label="step of the trial")
    return drawn


def _courses(axes, seen: np.ndarray):
    """Lines (T, trials, 2), coloured by time."""
    from matplotlib.collections import LineCollection

    pieces, steps = np.stack([seen[:-1], seen[1:]], 2).reshape(-1, 2, 2), np.arange(len(seen) - 1)
    lines = LineCollection(list(pieces), cmap="viridis", lw=0.9, alpha=0.8, array=np.repeat(steps, seen.shape[1]))
    axes.add_collection(lines)
    axes.autoscale_view()
    return lines


def _axis(seen: Principal, k: int) -> str:
    return f"principal component {k + 1} ({seen.share[k]:.0%} of the variance)"
