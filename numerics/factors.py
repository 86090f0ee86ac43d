"""Four factors that may change how different trained networks are, at three levels each, on flip-flops.

    complexity       bits of the flip-flop: 1, 2, 3                           standard networks
    feature learning gamma = 0.3, 1, 3                                        maximal update
    size             16, 32, 64 units                                         maximal update, and standard
    regularisation   l1 penalty of 0, 3e-5, 3e-4                              standard networks

What is not named is 2 bits, trials of 30 steps, 32 units, gamma = 1, no penalty.  Every condition trains 80 networks,
each to a loss of 0.01 and three epochs more.  Of the first 24 all pairs are compared, for means and their intervals; of
all 80 the 40 disjoint pairs, which are independent of each other; and beside them two nulls: the same networks before
any training, and one network with itself on two disjoint samples of trials.

    python -m numerics.factors --folder FOLDER

trains what FOLDER does not hold yet, and goes on after an interruption.  Trial lengths, penalties, thresholds and ranks
are our choices: the appendices of Huang et al. (2025) could not be had.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch

from numerics import rnn
from numerics.degeneracy import Whitened, dsa, dsa_matrix, permutation_distance, svcca
from numerics.rnn import L1, Adam, MaximalUpdate, Recipe, Standard
from numerics.sweep import main
from numerics.tasks import FlipFlop

EVERY, PAIRS = 24, 40
RANKS = (5, 10)
TRIALS = 16  # on which states are compared

base = Recipe(
    task=FlipFlop(2, length=30, switch=0.2),
    network=Standard(32),
    by=Adam(0.003),
    seeds=tuple(range(1, 2 * PAIRS + 1)),
    trials=32,
    steps=2500,
    threshold=0.01,
)
rich = replace(base, network=MaximalUpdate(32, tau=0.5), by=Adam(0.04, epsilon=1e-12))


@dataclass(frozen=True)
class Condition:
    """Networks of one recipe, to be compared."""

    recipe: Recipe


FACTORS: dict[str, dict[float, Recipe]] = {
    "bits": {bits: replace(base, task=FlipFlop(bits, length=30, switch=0.2)) for bits in (1, 2, 3)},
    "richness γ": {gamma: replace(rich, network=MaximalUpdate(32, gamma, 0.5)) for gamma in (0.3, 1.0, 3.0)},
    "units (maximal update)": {n: replace(rich, network=MaximalUpdate(n, tau=0.5)) for n in (16, 32, 64)},
    "units (standard)": {n: replace(base, network=Standard(n)) for n in (16, 32, 64)},
    "l1 penalty": {s: replace(base, penalty=L1(s) if s else None) for s in (0.0, 3e-5, 3e-4)},
}


def conditions() -> list[Condition]:
    """All of them, each once."""
    return list(dict.fromkeys(Condition(recipe) for levels in FACTORS.values() for recipe in levels.values()))


def compared(condition: Condition) -> dict[str, np.ndarray]:
    """Train the networks of a condition and compare them.

    Returns:
        Of all pairs of the first 24, or fewer: `dsa` (ranks, pairs), `permutation` and `svcca` (pairs,).  Of the
        disjoint pairs: `pair_dsa`, `pair_permutation`, `pair_relative`, and the same before training, `null_dsa`,
        `null_permutation`, `null_relative`.  `resampled`, of the first 24: one network with itself.  Of all:
        `converged`, `loss` and `longer`, the losses in training and on trials of twice the length, `change`, the norm
        of what training changed in the effective recurrent weights, and `size`, their norm.
    """
    recipe, run = condition.recipe, condition.recipe.train()
    start, A, before = _weights(recipe, run)
    states, others = _states(recipe, run.weights, 1), _states(recipe, run.weights, 2)
    untrained = _states(recipe, start, 1)
    first = min(EVERY, len(A))
    pairs, disjoint = list(combinations(range(first), 2)), _disjoint(A)
    every = [dsa_matrix(states[:first], by=Whitened(rank), draws=1, tolerance=1e-4).distance for rank in RANKS]
    return {
        "dsa": np.array([[distances[i, j] for i, j in pairs] for distances in every]),
        "permutation": np.array([permutation_distance(A[i], A[j], starts=0).distance for i, j in pairs]),
        "svcca": np.array([svcca(states[i], states[j]) for i, j in pairs]),
        "pair_dsa": np.array([_apart(states[i], states[j]) for i, j in disjoint]),
        "null_dsa": np.array([_apart(untrained[i], untrained[j]) for i, j in disjoint]),
        "resampled": np.array([_apart(states[k], others[k]) for k in range(first)]),
        **matched(recipe, run),
        "converged": run.converged,
        "loss": _losses(recipe, run.weights, recipe.task),
        "longer": _losses(recipe, run.weights, recipe.task.longer()),
        "change": np.linalg.norm(A - before, axis=(1, 2)),
        "size": np.linalg.norm(A, axis=(1, 2)),
    }


def matched(recipe: Recipe, run: rnn.Run) -> dict[str, np.ndarray]:
    """The part of `compared` that is about the weights of disjoint pairs, trained and before."""
    _, A, before = _weights(recipe, run)
    trained = [permutation_distance(A[i], A[j], starts=0) for i, j in _disjoint(A)]
    untrained = [permutation_distance(before[i], before[j], starts=0) for i, j in _disjoint(A)]
    return {
        "pair_permutation": np.array([match.distance for match in trained]),
        "pair_relative": np.array([match.relative for match in trained]),
        "null_permutation": np.array([match.distance for match in untrained]),
        "null_relative": np.array([match.relative for match in untrained]),
    }


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The distance of the dynamics of two networks, at the highest rank."""
    return dsa(one, other, by=Whitened(RANKS[-1]), draws=1, tolerance=1e-4).distance


def _disjoint(networks) -> list[tuple[int, int]]:
    """Pairs of which no two share a network."""
    half = len(networks) // 2
    return [(k, k + half) for k in range(half)]


def _weights(recipe: Recipe, run: rnn.Run) -> tuple[rnn.Weights, np.ndarray, np.ndarray]:
    """Parameters before training, and effective recurrent weights after it and before."""
    start = rnn.initial(recipe.network, recipe.task.inputs, recipe.task.outputs, recipe.seeds)
    scale = recipe.network.recurrent_scale
    return start, scale * run.weights.J.double().numpy(), scale * start.J.numpy()


def _states(recipe: Recipe, weights: rnn.Weights, seed: int) -> list[np.ndarray]:
    """States of every network along the same trials, (trials, time, units)."""
    x, _, _ = recipe.task.trials(TRIALS, (seed, 99))
    return [along(x).swapaxes(0, 1) for _, along in rnn.each(recipe.network, weights)]


def _losses(recipe: Recipe, weights: rnn.Weights, task) -> np.ndarray:
    double = rnn.Weights(*(part.double() for part in weights))
    return rnn.loss(recipe.network, double, *map(torch.from_numpy, task.trials(200, 98))).numpy()


if __name__ == "__main__":
    sys.exit(main(compared, conditions(), "factors"))
