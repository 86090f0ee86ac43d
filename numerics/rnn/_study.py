"""Networks trained on a task as a command does it: stored one by one, taken up where they were stopped, and drawn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from numerics import tasks
from numerics.checks import positive, whole
from numerics.ensemble import Adam
from numerics.rnn._figure import draw_trajectories, draw_trials
from numerics.rnn._records import Recipe
from numerics.rnn._training import Run
from numerics.rnn._values import MaximalUpdate, Standard, Weights
from numerics.store import Store
from numerics.sweep import Local, Packed, sweep

TOGETHER = 4  # networks that are trained at once, and stored when all of them are done
Name = Literal["flip-flop", "discrimination", "sines", "path", "lorenz"]
USUAL = {  # of each task: its size, a network that learns it, and how
    "flip-flop": Recipe(tasks.FlipFlop(2, 30, 0.2), Standard(32), Adam(3e-3), (1,), 32, 2500, 0.005),
    "discrimination": Recipe(
        tasks.DelayedDiscrimination(delay=(3, 10), answer=3, auxiliary=True), Standard(64), Adam(2e-3), (1,), 32, 3000,
        0.025,
    ),
    "sines": Recipe(
        tasks.SineGeneration(frequencies=3, low=4.0, high=12.0, length=50), MaximalUpdate(64),
        Adam(0.05, epsilon=1e-12), (1,), 12, 2000, 0.001,
    ),
    "path": Recipe(tasks.PathIntegration(length=30, path=3.0), Standard(64), Adam(2e-3), (1,), 32, 2500, 0.01),
    "lorenz": Recipe(tasks.Lorenz96(length=25), Standard(64), Adam(2e-3), (1,), 16, 8000, 2e-4),
}  # fmt: skip


def study(
    task: Name = "flip-flop",
    units: int | None = None,
    networks: int = 8,
    steps: int | None = None,
    eta: float | None = None,
    threshold: float | None = None,
    seed: int = 1,
    folder: Path = Path("rnn"),
    workers: int | None = None,
) -> int:
    """Train recurrent networks of tanh units on a task, go on where that was stopped, and draw what they learnt.

    What is None is the task's own: 32 or 64 units, 2,000 to 8,000 steps of Adam.

    Args:
        task: hold pulses; compare two pulses after a delay; generate sines; integrate a path; follow a Lorenz ring.
        units: of each network.
        networks: how many.
        steps: of training, at most, a multiple of 25.
        eta: the step size of Adam.
        threshold: the mean squared error of 25 steps below which a network has learnt its task, and soon stops.
        seed: the first, of a network's start; the others follow it.
        folder: for a file of each network, trials.png and trajectories.png.
        workers: processes; as many as there are cores if None.

    Returns:
        0, or 1 if a network failed.
    """
    recipe = USUAL[task]
    recipe = replace(
        recipe,
        network=recipe.network if units is None else replace(recipe.network, units=units),
        by=recipe.by if eta is None else replace(recipe.by, eta=eta),
        steps=recipe.steps if steps is None else steps,
        threshold=recipe.threshold if threshold is None else threshold,
    )
    if whole("steps", recipe.steps) % recipe.epoch:
        raise ValueError(f"steps = {steps} is no whole number of epochs of {recipe.epoch}")
    positive("threshold", recipe.threshold)
    first = whole("seed", seed, 0)
    settings = [replace(recipe, seeds=(first + k,)) for k in range(whole("networks", networks))]
    store = Store(folder)
    report = sweep(Packed(train_together, alike, TOGETHER), settings, store, on=Local(workers))
    print(report)
    if report.failed:
        print(f"no figures: {len(report.failed)} of {networks} networks failed", file=sys.stderr)
        return 1
    run = gathered([store.load(one) for one in settings])
    together = replace(recipe, seeds=tuple(one.seeds[0] for one in settings))
    for name, figure in (("trials", draw_trials), ("trajectories", draw_trajectories)):
        figure(together, run).savefig(Path(folder) / f"{name}.png", dpi=120)
    print(f"{run.converged.sum()} of {networks} learnt the task, in {_span(run.steps)} steps")
    print(f"mean squared error of the last 25: {_span(run.losses[-1])}")
    print(f"kept in {folder}: a file of each network, trials.png, trajectories.png")
    return 0


def alike(recipe: Recipe) -> Recipe:
    """What networks that are trained at once have in common: all but their seeds."""
    return replace(recipe, seeds=())


def train_together(recipes: Sequence[Recipe]) -> list[dict[str, np.ndarray]]:
    """Networks that differ in their seeds alone, each as it would be alone: its weights, losses, steps and success."""
    run = replace(recipes[0], seeds=tuple(seed for one in recipes for seed in one.seeds)).train()
    epochs = run.steps // recipes[0].epoch
    return [
        {name: part[k].numpy() for name, part in run.weights._asdict().items()}
        | {"losses": run.losses[: epochs[k], k], "steps": run.steps[k], "converged": run.converged[k]}
        for k in range(len(recipes))
    ]


def gathered(results: Sequence[dict[str, np.ndarray]]) -> Run:
    """Networks side by side; the losses of those that stopped keep their last."""
    longest = max(len(one["losses"]) for one in results)
    losses = [np.pad(one["losses"], (0, longest - len(one["losses"])), mode="edge") for one in results]
    weights = Weights(*(torch.from_numpy(np.stack([one[name] for one in results])) for name in Weights._fields))
    steps, converged = (np.array([one[name] for one in results]) for name in ("steps", "converged"))
    return Run(weights, np.array(losses).T, steps, converged)


def _span(values: np.ndarray) -> str:
    """The least and the largest."""
    least, most = (f"{value:.3g}" if value % 1 else f"{value:,.0f}" for value in (values.min(), values.max()))
    return least if least == most else f"{least} to {most}"
