"""Factors and trained networks: in which direction weights, kernels and distances go, judged network by network.

The signs were read off the stored networks, of seeds 1 and up: there they describe what was found, and keep it.  They
are put to the test on networks that no sign was read off, trained from seeds 1001 and up (`pytest validate --full`).
Networks of one condition, stored or new, see the same sequence of trials: votes are independent given that one.

Of dynamics two signs are put to that test, at a rank that was chosen on the stored networks as the factors were: more
bits, and more units, bring them together.  More units do so before any training as well.  Whether richness or a penalty
does depends on the rank (`test_factors_measured`), and is claimed of none.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from laws import Trend, confront
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import factors, rnn
from numerics.degeneracy import permutation_distance
from numerics.rnn import L1, Standard
from numerics.store import Store
from numerics.tasks import FlipFlop

STORED = Store(Path(__file__).parent / "records" / "factors")


@pytest.fixture(scope="module", params=["stored", pytest.param("newly trained", marks=pytest.mark.full)])
def networks(request, folder_of):
    """Of a recipe, itself and what is stored; or that of other networks, trained here and kept."""
    if request.param == "stored":
        return cache(lambda recipe: (recipe, STORED.load(factors.Condition(recipe))))
    kept = Store(folder_of("factors"))

    @cache
    def others(recipe):
        recipe = replace(recipe, seeds=tuple(1000 + seed for seed in recipe.seeds))
        condition = factors.Condition(recipe)
        if kept.find(condition) is None:
            weights = recipe.train().weights
            found = {**factors.matched(recipe, weights), **factors.learned(recipe, weights)}
            kept.save(condition, {**{name: part.numpy() for name, part in weights._asdict().items()}, **found})
        return recipe, kept.load(condition)

    return others


def votes(networks, factor, levels, quantity):
    """The quantity of one network, or pair of networks, after the other; no network is in two pairs."""
    found = lambda x: quantity(*networks(factors.FACTORS[factor][x]))  # noqa: E731
    rows = {float(x): in_turn(lambda seed, x=x: found(x)) for x in levels}
    return lambda x, seed: float(rows[float(x)](seed))


def dynamics(recipe, found):
    """Distances of the dynamics of disjoint pairs of networks."""
    return factors.followed(recipe, rnn.Weights(*(torch.from_numpy(found[name]) for name in rnn.Weights._fields)), RANK)


def untrained_dynamics(recipe, found):
    """The same before training."""
    start = rnn.initial(recipe.network, recipe.task.inputs, recipe.task.outputs, recipe.seeds)
    return factors.followed(recipe, start, RANK)


RANK = 5
WIDTH, DELAY = "units (maximal update)", "delays: longest delay"
apart, relative = (lambda recipe, found: found["pair_permutation"]), (lambda recipe, found: found["pair_relative"])
changed, turned = (lambda recipe, found: found["change"]), (lambda recipe, found: 1 - found["alignment"])
recurrent = lambda recipe, found: 1 - found["alignment_recurrent"]  # noqa: E731
over_number = lambda name: lambda recipe, found: found[name] / recipe.network.units**2  # noqa: E731
DISTANCE, OVER = "distance of two networks", "distance of two networks over their size"
OF_WEIGHTS = (DISTANCE, OVER, DISTANCE + " over n²")
DYNAMICS = f"distance of two networks' dynamics, rank {RANK}"
CHANGE, TURN = "norm of the change of recurrent weights", "1 - alignment of tangent kernels before and after"
SIGNS = {  # claim: factor, its levels, what of a network or a pair, its name, sign
    "more bits move weights apart": ("bits", (1, 2, 3), apart, DISTANCE, 1),
    "more bits move weights apart relative to their size": ("bits", (1, 2, 3), relative, OVER, 1),
    "richness moves weights apart": ("richness γ", (0.3, 1.0, 3.0), apart, DISTANCE, 1),
    "richness brings weights together relative to their size": ("richness γ", (0.3, 1.0, 3.0), relative, OVER, -1),
    "a penalty brings weights together": ("l1 penalty", (0.0, 3e-5, 3e-4), apart, DISTANCE, -1),
    "a penalty brings weights together relative to their size":
        ("l1 penalty", (0.0, 3e-5, 3e-4), relative, OVER, -1),
    "width moves weights apart relative to their size": (WIDTH, (16, 32, 64), relative, OVER, 1),
    "width moves untrained weights apart relative to their size":
        (WIDTH, (16, 32, 64), lambda recipe, found: found["null_relative"], OVER, 1),
    "width brings trained weights together if distances are divided by their number":
        (WIDTH, (16, 32, 64), over_number("pair_permutation"), DISTANCE + " over n²", -1),
    "width brings untrained weights together if distances are divided by their number":
        (WIDTH, (16, 32, 64), over_number("null_permutation"), DISTANCE + " over n²", -1),
    f"more bits bring dynamics of rank {RANK} together": ("bits", (1, 2, 3), dynamics, DYNAMICS, -1),
    f"width brings dynamics of rank {RANK} together": (WIDTH, (16, 32, 64), dynamics, DYNAMICS, -1),
    f"width brings dynamics of rank {RANK} together before any training":
        (WIDTH, (16, 32, 64), untrained_dynamics, DYNAMICS, -1),
    "more bits change weights a little more": ("bits", (1, 2, 3), changed, CHANGE, 1),
    "more bits turn the tangent kernel of recurrent weights less": ("bits", (1, 2, 3), recurrent, TURN, -1),
    "more channels change weights more": ("delays: channels", (1, 2, 3), changed, CHANGE, 1),
    "more channels turn the tangent kernel more": ("delays: channels", (1, 2, 3), turned, TURN, 1),
    "longer delays change weights more": (DELAY, (7, 10, 20), changed, CHANGE, 1),
    "richness changes weights more": ("richness γ", (0.3, 1.0, 3.0), changed, CHANGE, 1),
    "richness turns the tangent kernel more": ("richness γ", (0.3, 1.0, 3.0), turned, TURN, 1),
}  # fmt: skip


MEASURES = {
    "distance of weights": lambda recipe, found: found["pair_permutation"],
    "over their size": lambda recipe, found: found["pair_relative"],
    "over n²": over_number("pair_permutation"),
    "untrained: distance of weights": lambda recipe, found: found["null_permutation"],
    "untrained: over their size": lambda recipe, found: found["null_relative"],
    "untrained: over n²": over_number("null_permutation"),
}


def by_measure(networks, factor, levels, axis):
    """How far two networks are apart by several measures, trained and not, over what it is at the first level."""
    lines = []
    for name, quantity in MEASURES.items():
        middle = np.array([np.median(quantity(*networks(factors.FACTORS[factor][level]))) for level in levels])
        if axis.startswith("units") or "n²" not in name:  # else all have as many units
            lines.append(Series("rival", list(levels), (middle / middle[0]).tolist(), name))
    said = "median over that at the first level"
    logs = "x" * (min(levels) > 0) + "y" * axis.startswith("units")
    return Panel(axis, said, tuple(lines), logs)


@pytest.mark.parametrize("claim", list(SIGNS))
def test_signs(networks, claim, request):
    """Networks, or pairs, agree on the way a factor moves them; beside it other distances, and before training."""
    factor, levels, quantity, name, sign = SIGNS[claim]
    task, _, axis = factor.rpartition(": ")
    rivals = {"the other way": -sign, "not at all": 0}
    said = f"{claim} ({request.node.callspec.params['networks']} {task or 'flip-flops'})"
    run, judge = votes(networks, factor, levels, quantity), Trend(levels, excess=0.49)
    picture = by_measure(networks, factor, levels, axis) if name in OF_WEIGHTS else None
    drawn = dict(x=axis, y=name)
    confront(said, lambda: sign, run, {}, judge, rivals, labels=drawn, picture=picture)


PAIRS = 80
SMALL = replace(factors.base, task=FlipFlop(1, length=20, switch=0.2), network=Standard(16), steps=500)


def test_penalties_of_small_networks():
    """Small networks that are trained here agree: a penalty brings their weights together."""
    strengths = (1e-5, 1e-4, 1e-3)

    @cache
    def distances(strength, seed):
        seeds = tuple(range(seed % 2**30, seed % 2**30 + 2 * PAIRS))
        J = replace(SMALL, seeds=seeds, penalty=L1(strength)).train().weights.J.double().numpy()
        halves = zip(J[:PAIRS], J[PAIRS:], strict=True)
        return np.array([permutation_distance(*pair, starts=0).relative for pair in halves])

    rows = {x: in_turn(lambda seed, x=x: distances(x, seed)) for x in strengths}
    rivals = {"the other way": 1, "not at all": 0}
    drawn = dict(x="strength of the l1 penalty", y="distance of two networks over their size")
    claim = "a penalty brings weights together in small networks trained here"
    run, judge = lambda x, seed: float(rows[x](seed)), Trend(strengths, excess=0.38, false_alarm=1e-4)  # noqa: E731
    confront(claim, lambda: -1, run, {}, judge, rivals, labels=drawn)
