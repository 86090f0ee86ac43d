"""What is found of the networks of one condition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from numerics import rnn
from numerics.degeneracy import Whitened, dsa, dsa_matrix, kernel_alignment, permutation_distance, svcca
from numerics.factors._attractors import attractors
from numerics.factors._conditions import Condition
from numerics.rnn import Recipe, Standard
from numerics.tasks import DelayedDiscrimination

TRIALS = 16  # on which states are compared
KERNELS, KERNEL_TRIALS = 40, 2  # networks whose tangent kernels are compared, and on how many trials
RANK = 10  # of the distances of disjoint pairs and of the nulls


def compared(condition: Condition) -> dict[str, np.ndarray]:
    """Train the networks of a condition and compare them.

    Returns:
        Of all pairs of the first `every`, or of fewer: `dsa` (ranks, pairs), `permutation` and `svcca` (pairs,).  Of
        the disjoint pairs: `pair_dsa`, `pair_permutation`, `pair_relative`, and the same before training, `null_dsa`,
        `null_permutation`, `null_relative`.  `resampled`, of the first: one network with itself.  Of all:
        `converged`, `loss` and `longer`, the losses in training and on trials of twice the length or delay;
        and what `learned` finds and, of standard networks on delayed discrimination of one channel, `attractors`.
    """
    recipe, run = condition.recipe, condition.recipe.train()
    delayed = isinstance(recipe.task, DelayedDiscrimination) and recipe.task.channels == 1
    return {
        **pairwise(condition, run),
        **followed(condition, run),
        **matched(recipe, run),
        **learned(recipe, run),
        "converged": run.converged,
        "loss": _losses(recipe, run.weights, recipe.task),
        "longer": _losses(recipe, run.weights, recipe.task.longer()),
        **(attractors(recipe, run.weights) if delayed and recipe.network.tau == 1 else {}),
    }


def pairwise(condition: Condition, run: rnn.Run) -> dict[str, np.ndarray]:
    """The part of `compared` that is about all pairs of the first networks."""
    recipe, (_, A, _) = condition.recipe, _weights(condition.recipe, run)
    first = min(condition.every, len(A))
    pairs, states = list(combinations(range(first), 2)), _states(recipe, run.weights, 1)
    every = [dsa_matrix(states[:first], by=Whitened(rank), draws=1, tolerance=1e-4) for rank in condition.ranks]
    return {
        "dsa": np.array([[found.distance[i, j] for i, j in pairs] for found in every]),
        "permutation": np.array([permutation_distance(A[i], A[j], starts=0).distance for i, j in pairs]),
        "svcca": np.array([svcca(states[i], states[j]) for i, j in pairs]),
    }


def followed(condition: Condition, run: rnn.Run) -> dict[str, np.ndarray]:
    """The part of `compared` that is about the dynamics of disjoint pairs, and the nulls of these."""
    recipe, (start, A, _) = condition.recipe, _weights(condition.recipe, run)
    states, others = _states(recipe, run.weights, 1), _states(recipe, run.weights, 2)
    untrained = _states(recipe, start, 1)
    return {
        "pair_dsa": np.array([_apart(states[i], states[j]) for i, j in _disjoint(A)]),
        "null_dsa": np.array([_apart(untrained[i], untrained[j]) for i, j in _disjoint(A)]),
        "resampled": np.array([_apart(states[k], others[k]) for k in range(min(condition.every, len(A)))]),
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


def learned(recipe: Recipe, run: rnn.Run) -> dict[str, np.ndarray]:
    """The part of `compared` that is about what training changed, network by network.

    `change`, the norm of the change of the effective recurrent weights, and `size`, the norm of these; of the first
    KERNELS networks the alignments of tangent kernels before and after: `alignment`, of all parameters that learn, as
    they are parameterised, and `alignment_recurrent`, of J alone.
    """
    start, A, before = _weights(recipe, run)
    others = ("U", "b", "w", "c") if isinstance(recipe.network, Standard) else ("U", "w")
    x = torch.from_numpy(recipe.task.trials(KERNEL_TRIALS, (3, 99))[0])
    aligned = []
    for k in range(min(KERNELS, len(A))):
        ends = [rnn.Weights(*(part[k : k + 1].double() for part in weights)) for weights in (start, run.weights)]
        recurrent = [rnn.tangent_kernel(recipe.network, end, x, ("J",))[0].numpy() for end in ends]
        rest = [rnn.tangent_kernel(recipe.network, end, x, others)[0].numpy() for end in ends]
        whole = (one + other for one, other in zip(recurrent, rest, strict=True))
        aligned.append((kernel_alignment(*whole), kernel_alignment(*recurrent)))
    return {
        "change": np.linalg.norm(A - before, axis=(1, 2)),
        "size": np.linalg.norm(A, axis=(1, 2)),
        "alignment": np.array(aligned)[:, 0],
        "alignment_recurrent": np.array(aligned)[:, 1],
    }


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """The distance of the dynamics of two networks."""
    return dsa(one, other, by=Whitened(RANK), draws=1, tolerance=1e-4).distance


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
