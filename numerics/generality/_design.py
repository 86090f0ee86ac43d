"""Designs: which networks are trained, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from numerics.checks import whole
from numerics.descent import GradientDescent
from numerics.ensemble import (
    SED,
    Adam,
    Lazy,
    Linear,
    Network,
    Relu,
    Rich,
    RMSprop,
    Tanh,
    UniformLabelNoise,
    UpdateNoise,
)
from numerics.generality._tasks import TASKS, Random, Task

HIDDEN, MOST = 100, 20  # units; samples, inputs and outputs are drawn from 1 to MOST
TOGETHER = 16  # networks of one ensemble: as many as the widest registers hold numbers of single precision
AXIS = 6  # every so many ensembles one is on the axis of noise, as 178 of the published 1,117 networks were
GOLDEN = (5**0.5 - 1) / 2
DESCENT = GradientDescent(0.1)


@dataclass(frozen=True)
class Drift:
    """One network of the sweep: what it learns, from which start, by which algorithm, with which noise."""

    task: Task
    samples: int
    network: Network
    start: Rich | Lazy
    by: GradientDescent | Adam | RMSprop | SED
    noise: UpdateNoise | UniformLabelNoise | None
    steps: int
    seed: int


def updated(network: Network, level: float):
    """Descent with update noise; `level` from 0 to 1 is the noise in its range, in logarithms."""
    return DESCENT, UpdateNoise(DESCENT.eta * 10 ** (level - 2))


def relabelled(network: Network, level: float):
    """Descent with label noise: uniform numbers, 0.1 to 1 wide."""
    return DESCENT, UniformLabelNoise(10 ** (level - 1) / 12**0.5)


def adam(network: Network, level: float):
    """Adam without noise."""
    return Adam(1e-3), None


def rmsprop(network: Network, level: float):
    """RMSprop without noise."""
    return RMSprop(1e-3), None


def sed(network: Network, level: float):
    """Stochastic error descent, whose perturbations are its noise; its step is from 0.9 to 1."""
    inner, outer = 0.1 / network.hidden**0.5, 0.1 / network.outputs**0.5
    return SED(0.9 + level / 10, (inner, inner, outer)), None


RULES = {"update noise": updated, "label noise": relabelled, "Adam": adam, "RMSprop": rmsprop, "SED": sed}
TURNS = (Relu(), Tanh(), Relu(), Linear())
ACTIVATIONS = ("relu", "tanh", "linear")
STARTS = (Rich(), Lazy())


def design(networks: int, steps: int, seed: int, together: int = TOGETHER) -> list[Drift]:
    """Networks drawn over all axes; a longer design begins with the shorter one.

    What `together` networks have in common, which are trained as one ensemble, is the algorithm with its noise, the
    activation, and the numbers of samples, inputs and outputs, which are drawn.  Algorithms and activations take turns;
    levels of noise fill their range evenly, as the multiples of the golden section do; so that few networks have them
    all.  Among these networks tasks and starts take turns, and each has its own seed.  Every sixth ensemble is on the
    axis of noise: random tasks of 5 samples, 20 inputs and 5 outputs, rich starts, and update noise of all levels.

    Args:
        networks: how many.
        steps: of each.
        seed: of the design.
        together: 1 draws every network by itself, as published.

    Raises:
        ValueError, TypeError: an argument is no whole number in its range.
    """
    found: list[Drift] = []
    whole("steps", steps)
    for k in range(-(-whole("networks", networks) // whole("together", together))):
        rng = np.random.default_rng([whole("seed", seed, least=0), k])
        on_axis = k % AXIS == AXIS - 1
        found += (_on_axis if on_axis else _anywhere)(k // AXIS if on_axis else k - k // AXIS, rng, steps, together)
    return found[:networks]


def _anywhere(k: int, rng, steps: int, together: int) -> list[Drift]:
    """The k-th ensemble that is not on the axis of noise."""
    samples, inputs, outputs = (int(n) for n in rng.integers(1, MOST + 1, size=3))
    turn, rule = divmod(k, len(RULES))
    network = Network(inputs, HIDDEN, outputs, TURNS[turn % len(TURNS)])
    by, noise = list(RULES.values())[rule](network, _level(turn, 0.9))
    first = int(rng.integers(len(TASKS) * len(STARTS)))
    kinds = [(TASKS[j % len(TASKS)], STARTS[j // len(TASKS) % len(STARTS)]) for j in range(first, first + together)]
    return [Drift(task, samples, network, start, by, noise, steps, _seed(rng)) for task, start in kinds]


def _on_axis(k: int, rng, steps: int, together: int) -> list[Drift]:
    """The k-th ensemble on it."""
    network = Network(20, HIDDEN, 5)
    by, noise = updated(network, _level(k, 0.5))
    return [Drift(Random(), 5, network, Rich(), by, noise, steps, _seed(rng)) for _ in range(together)]


def _level(k: int, first: float) -> float:
    """The k-th of levels that fill [0, 1) evenly."""
    return (first + k * GOLDEN) % 1


def _seed(rng) -> int:
    return int(rng.integers(2**63))


def alike(one: Drift) -> tuple:
    """What networks trained as one ensemble have in common."""
    return one.samples, one.network, one.by, one.noise, one.steps


def cost(settings: list[Drift], train: Callable[[list[Drift]], object], size: int) -> float:
    """Seconds of one core that training takes, from trials here and now of some steps of at most TRIED ensembles."""
    if not settings:
        raise ValueError("settings = [] has no networks to train")
    groups: dict[tuple, list[Drift]] = {}
    for one in settings:
        groups.setdefault(alike(one), []).append(one)
    tried = list(groups.values())[:: -(-len(groups) // TRIED)]
    return sum(_cost(group, train, size) for group in tried) * len(groups) / len(tried)


def _cost(group: list[Drift], train: Callable[[list[Drift]], object], size: int) -> float:
    """Seconds of one core that networks take which are alike."""
    spent = []
    for steps in PROBED:
        few = [replace(one, steps=steps) for one in group[:size]]
        began = time.process_time()
        train(few)
        spent.append(time.process_time() - began)
    rate = max(spent[1] - spent[0], 0.0) / (PROBED[1] - PROBED[0])
    return rate * group[0].steps * -(-len(group) // size)


PROBED, TRIED = (1000, 5000), 48  # steps, both recorded as often, so that records are not counted; and ensembles
