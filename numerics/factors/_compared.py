"""What is found of the networks of one condition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import torch

from numerics import rnn
from numerics.degeneracy import Operator, Whitened, dsa, dsa_matrix, kernel_alignment, permutation_distance, svcca
from numerics.factors._attractors import attractors
from numerics.factors._conditions import Condition
from numerics.rnn import Recipe, Standard
from numerics.tasks import DelayedDiscrimination

TRIALS = 128  # of either half of those on which states are compared: no trial is in both
SHARED = 16  # trials on which subspaces are compared
KERNELS, KERNEL_TRIALS = 40, 2  # networks whose tangent kernels are compared, and on how many trials
RANK = 10  # of the operators of untrained networks


def compared(condition: Condition) -> dict[str, np.ndarray]:
    """Train the networks of a condition and compare them; see `measured`."""
    return measured(condition, condition.recipe.train())


def measured(condition: Condition, run: rnn.Run) -> dict[str, np.ndarray]:
    """What is found of trained networks.

    Returns:
        Of all of them: the arrays of `Weights`, from which everything else can be found again, `steps`, `converged`,
        and `loss` and `longer`, the losses in training and on trials of twice the length or delay; what `pairwise`,
        `matched` and `learned` find; and, of standard networks on delayed discrimination of one channel, `attractors`.
    """
    recipe = condition.recipe
    delayed = isinstance(recipe.task, DelayedDiscrimination) and recipe.task.channels == 1
    return {
        **{name: part.numpy() for name, part in run.weights._asdict().items()},
        "steps": run.steps,
        "converged": run.converged,
        "loss": _losses(recipe, run.weights, recipe.task),
        "longer": _losses(recipe, run.weights, recipe.task.longer()),
        **pairwise(condition, run.weights),
        **matched(recipe, run.weights),
        **learned(recipe, run.weights),
        **(attractors(recipe, run.weights) if delayed and recipe.network.tau == 1 else {}),
    }


def pairwise(condition: Condition, weights: rnn.Weights) -> dict[str, np.ndarray]:
    """The part of `measured` that is about the dynamics of the first `every` networks, on the first half of trials.

    `dsa` (ranks, pairs), of all their pairs; `itself` (ranks, networks), of each network from itself on the other half;
    `null_dsa`, before training, of rank RANK and of disjoint pairs; `svcca` (pairs,).  `ranks` are those of the first
    two.  With the usual starts of `dsa`.
    """
    recipe = condition.recipe
    first = min(condition.every, len(weights.J))
    here, there = (_states(recipe, weights, first, half) for half in (1, 2))
    one, other = ([_operators(part, rank) for rank in condition.ranks] for part in (here, there))
    before = _operators(_states(recipe, _weights(recipe, weights)[0], first, 1), RANK)
    few = [part[:SHARED] for part in here]
    return {
        "ranks": np.array(condition.ranks),
        "dsa": np.array([dsa_matrix(part).distance[np.triu_indices(first, 1)] for part in one]),
        "itself": np.array([list(map(_apart, *halves)) for halves in zip(one, other, strict=True)]),
        "null_dsa": np.array([_apart(before[i], before[j]) for i, j in disjoint(first)]),
        "svcca": np.array([svcca(few[i], few[j]) for i, j in combinations(range(first), 2)]),
    }


def followed(recipe: Recipe, weights: rnn.Weights, rank: int) -> np.ndarray:
    """Distances of the dynamics of disjoint pairs of all networks, (pairs,), on the first half of trials."""
    every = _operators(_states(recipe, weights, len(weights.J), 1), rank)
    return np.array([_apart(every[i], every[j]) for i, j in disjoint(len(every))])


def matched(recipe: Recipe, weights: rnn.Weights) -> dict[str, np.ndarray]:
    """The part of `measured` that is about the recurrent weights of disjoint pairs of all networks.

    `pair_permutation` and `pair_relative`, and the same of the same pairs before training, `null_permutation` and
    `null_relative`.
    """
    _, A, before = _weights(recipe, weights)
    trained = [permutation_distance(A[i], A[j], starts=0) for i, j in disjoint(len(A))]
    untrained = [permutation_distance(before[i], before[j], starts=0) for i, j in disjoint(len(A))]
    return {
        "pair_permutation": np.array([match.distance for match in trained]),
        "pair_relative": np.array([match.relative for match in trained]),
        "null_permutation": np.array([match.distance for match in untrained]),
        "null_relative": np.array([match.relative for match in untrained]),
    }


def learned(recipe: Recipe, weights: rnn.Weights) -> dict[str, np.ndarray]:
    """The part of `measured` that is about what training changed, network by network.

    `change`, the norm of the change of the effective recurrent weights, and `size`, the norm of these; of the first
    KERNELS networks the alignments of tangent kernels before and after: `alignment`, of all parameters that learn, as
    they are parameterised, and `alignment_recurrent`, of J alone.
    """
    start, A, before = _weights(recipe, weights)
    others = ("U", "b", "w", "c") if isinstance(recipe.network, Standard) else ("U", "w")
    x = torch.from_numpy(recipe.task.trials(KERNEL_TRIALS, (3, 99))[0])
    aligned = []
    for k in range(min(KERNELS, len(A))):
        ends = [rnn.Weights(*(part[k : k + 1].double() for part in end)) for end in (start, weights)]
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


def disjoint(networks: int) -> list[tuple[int, int]]:
    """Pairs of which no two share a network."""
    half = networks // 2
    return [(k, k + half) for k in range(half)]


def _weights(recipe: Recipe, weights: rnn.Weights) -> tuple[rnn.Weights, np.ndarray, np.ndarray]:
    """Parameters before training, and effective recurrent weights after it and before."""
    start = rnn.initial(recipe.network, recipe.task.inputs, recipe.task.outputs, recipe.seeds)
    scale = recipe.network.recurrent_scale
    return start, scale * weights.J.double().numpy(), scale * start.J.numpy()


def _states(recipe: Recipe, weights: rnn.Weights, first: int, half: int) -> list[np.ndarray]:
    """States of the first networks along the same trials, (trials, time, units)."""
    x, _, _ = recipe.task.trials(TRIALS, (half, 99))
    some = rnn.Weights(*(part[:first] for part in weights))
    return [along(x).swapaxes(0, 1) for _, along in rnn.each(recipe.network, some)]


def _operators(states: list[np.ndarray], rank: int) -> list[Operator]:
    return [Whitened(rank).operator(part) for part in states]


def _apart(one: Operator, other: Operator) -> float:
    return dsa(one, other).distance


def _losses(recipe: Recipe, weights: rnn.Weights, task) -> np.ndarray:
    double = rnn.Weights(*(part.double() for part in weights))
    return rnn.loss(recipe.network, double, *map(torch.from_numpy, task.trials(200, 98))).numpy()
