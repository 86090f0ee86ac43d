"""A design of the published size, and what it may cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from tqdm import tqdm

from numerics.factors._compared import measured, pairwise
from numerics.factors._conditions import Condition
from numerics.rnn import L1, Adam, MaximalUpdate, Nuclear, Recipe, Standard
from numerics.rnn._records import Task
from numerics.rnn._values import Penalty
from numerics.tasks import DelayedDiscrimination, FlipFlop, PathIntegration, SineGeneration

RANKS, TIMED = (5, 10, 20), 64


def published() -> list[Condition]:
    """68 conditions of 50 networks of 128 units; of each task complexity, richness, size and two penalties.

    From the paper: tasks, thresholds, 128 units, 50 networks, three epochs of patience, widths up to 512 and, for
    paths, 1000 epochs of 128 steps, batches of 64, a learning rate of 0.001 and tau = 0.1.  Which conditions these 68
    were is our choice, as are learning rates, levels and the lengths of trials.
    """
    recipe = Recipe(FlipFlop(3), Standard(128), Adam(0.001), tuple(range(1, 51)), 64, 128000, 0.001, epoch=128)
    delays = replace(recipe, task=DelayedDiscrimination(), threshold=0.01)
    sines = replace(recipe, task=SineGeneration(), threshold=0.05)
    paths = replace(recipe, task=PathIntegration(2), threshold=0.05)
    recipes = [recipe, delays, sines, paths]
    recipes += [replace(recipe, task=FlipFlop(bits)) for bits in (2, 4)]
    recipes += [replace(delays, task=DelayedDiscrimination(channels)) for channels in (2, 3)]
    recipes += [replace(delays, task=DelayedDiscrimination(delay=(5, last))) for last in (10, 40, 80)]
    recipes += [replace(delays, task=DelayedDiscrimination(delay=(5, last), auxiliary=True)) for last in (20, 40)]
    recipes += [replace(sines, task=SineGeneration(channels)) for channels in (2, 3)]
    recipes += [replace(paths, task=PathIntegration(3))]
    for one, tau in ((recipe, 0.5), (delays, 0.5), (sines, 0.5), (paths, 0.1)):
        rich = replace(one, by=Adam(0.04, epsilon=1e-12))
        recipes += [replace(rich, network=MaximalUpdate(128, gamma, tau)) for gamma in (0.1, 0.3, 1.0, 3.0, 10.0)]
        recipes += [replace(rich, network=MaximalUpdate(units, tau=tau)) for units in (32, 64, 256, 512)]
        recipes += [replace(one, penalty=L1(strength)) for strength in (3e-5, 1e-4)]
        recipes += [replace(one, penalty=Nuclear(strength)) for strength in (1e-4, 1e-3)]
    return [Condition(one, every=50, ranks=RANKS) for one in recipes]


def forecast(design: list[Condition]) -> str:
    """What a design may cost, in a sentence; the published one takes a minute to be timed."""
    costs = [seconds(condition) for condition in tqdm(design, desc="what it may cost", unit="condition", delay=2)]
    training, comparing = (sum(part) / 3600 for part in zip(*costs, strict=True))
    steps = max(condition.recipe.steps for condition in design)
    networks = sum(len(condition.recipe.seeds) for condition in design)
    return (
        f"{len(design)} conditions of {networks} networks: about {comparing:.0f} hours of one core to compare them, "
        f"and at most {training:.0f} to train them if all take {steps} steps, {1000 * training / steps:.1f} for 1000"
    )


def seconds(condition: Condition) -> tuple[float, float]:
    """Seconds of one core that a condition takes at most to train, and those to compare its networks.

    A few updates are timed, and the comparison of a pair of flip-flops of that size, or of TIMED units: more cost as
    the cube of their number.  At most: networks that reach their threshold stop.
    """
    recipe, count = condition.recipe, len(condition.recipe.seeds)
    units, first = recipe.network.units, min(condition.every, count)
    kind = type(recipe.penalty)(1e-4) if recipe.penalty else None
    network, pair = _comparison(min(units, TIMED), condition.ranks)
    trained = _update(recipe.task, units, recipe.trials, kind) * count * recipe.steps
    return trained, max(1, units / TIMED) ** 3 * (network * count + pair * first * (first - 1) / 2)


@cache
def _update(task: Task, units: int, trials: int, penalty: Penalty | None) -> float:
    """Processor seconds of an update of one network."""
    recipe = Recipe(task, Standard(units), Adam(), (1, 2), trials, 2, 0.0, epoch=2, penalty=penalty)
    return _clocked(recipe.train) / 4


@cache
def _comparison(units: int, ranks: tuple[int, ...]) -> tuple[float, float]:
    """Processor seconds of what is found of one network by itself, and of the comparison of two."""
    recipe = Recipe(FlipFlop(3), Standard(units), Adam(), (1, 2), 2, 2, 0.0, epoch=2)
    condition = Condition(recipe, 2, ranks)
    run = recipe.train()
    pair, all_of_it = _clocked(lambda: pairwise(condition, run.weights)), _clocked(lambda: measured(condition, run))
    return max(0.0, all_of_it - pair) / 2, pair


def _clocked(function: Callable[[], object]) -> float:
    begun = time.process_time()
    function()
    return time.process_time() - begun
