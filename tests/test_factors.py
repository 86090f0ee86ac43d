"""The sweep of factors: conditions, comparisons that repeat, arrows, what lasts, what the published size costs."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics import factors, rnn
from numerics.factors._attractors import attractors
from numerics.factors._compared import pairwise
from numerics.rnn import Standard, Weights, initial
from numerics.store import Store
from numerics.tasks import DelayedDiscrimination, FlipFlop

EPS = np.finfo(float).eps
small = replace(
    factors.base,
    task=FlipFlop(1, length=8),
    network=Standard(15),
    seeds=(1, 2, 3, 4),
    steps=25,
    trials=4,
    threshold=0.5,
)


def test_conditions_are_distinct():
    """Levels that factors share are trained once, no factor has one level twice, and 24 networks are the fewest."""
    every = factors.conditions()
    assert len(every) == len(set(every)) == 41
    assert all(len(levels) == len(set(levels.values())) for levels in factors.FACTORS.values())
    assert all(len(levels) >= 3 for name, levels in factors.FACTORS.items() if name != "delays: auxiliary output")
    assert all(len(levels) == 5 for name, levels in factors.FACTORS.items() if name.startswith("units, 3 bits"))
    axes = (
        {name.rpartition(": ")[2] for name in factors.FACTORS if name.startswith("delays") == late} for late in (0, 1)
    )
    flips, delayed = axes  # feature learning, size and both penalties on either task
    assert {"richness γ", "units (maximal update)", "l1 penalty", "nuclear penalty"} <= flips & delayed
    assert min(len(condition.recipe.seeds) for condition in every) == 24


def test_comparisons_repeat():
    """The same condition gives the same numbers, of the shapes that are stated, each of them finite."""
    one, other = factors.compared(factors.Condition(small)), factors.compared(factors.Condition(small))
    assert all(np.array_equal(one[key], other[key]) and np.isfinite(one[key]).all() for key in one)
    shapes = {key: one[key].shape for key in one}
    assert shapes["dsa"] == (3, 6) and shapes["svcca"] == (6,) and shapes["itself"] == (3, 4)
    assert one["ranks"].tolist() == [3, 5, 10]
    assert shapes["null_dsa"] == shapes["pair_relative"] == shapes["null_relative"] == (2,) and shapes["loss"] == (4,)
    assert (one["pair_permutation"] > 0).all() and (one["svcca"] <= 1).all() and (one["change"] > 0).all()
    assert shapes["J"] == (4, 15, 15) and one["J"].dtype == np.float32 and (one["steps"] == 25).all()
    for aligned in (one["alignment"], one["alignment_recurrent"]):
        assert aligned.shape == (4,) and (aligned < 1).all() and (aligned > 0).all()


CONDITIONS = {
    "complexity": ("delays: auxiliary output", 1),
    "feature learning": ("richness γ", 10.0),
    "size": ("units, 3 bits (standard)", 24),
    "regularisation": ("nuclear penalty", 2e-3),
}


def again(recipe, weights, chosen):
    """What is found of some networks of a condition, the first two of them compared in their dynamics."""
    some = replace(recipe, seeds=tuple(np.array(recipe.seeds)[chosen].tolist()))
    weights = Weights(*(part[chosen] for part in weights))
    double, delayed = Weights(*(part.double() for part in weights)), isinstance(recipe.task, DelayedDiscrimination)
    tasks = {"loss": recipe.task, "longer": recipe.task.longer()}
    losses = {
        name: rnn.loss(recipe.network, double, *map(torch.from_numpy, task.trials(200, 98))).numpy()
        for name, task in tasks.items()
    }
    found = {**pairwise(factors.Condition(some, every=2), weights), **factors.matched(some, weights), **losses}
    assert tuple(found.pop("ranks")) == factors.RANKS  # those of records that name none
    return {**found, **factors.learned(some, weights), **(attractors(some, weights) if delayed else {})}


def stored_of(found, chosen, networks):
    """The same of what is stored: of pairs those of chosen networks, in the order of all pairs, or of disjoint ones."""
    place = list(combinations(range(24), 2)).index(tuple(chosen[:2]))
    matches = [k for k in chosen if k + networks // 2 in chosen]
    rows = {"dsa": [place], "svcca": [place], "itself": chosen[:2], "null_dsa": chosen[:1]}
    disjoint = ("pair_permutation", "pair_relative", "null_permutation", "null_relative")
    rows |= dict.fromkeys(disjoint, matches)
    along = {name: (slice(None), rows[name]) for name in ("dsa", "itself")}
    return {name: part[along.get(name, rows.get(name, chosen))] for name, part in found.items()}


@pytest.mark.parametrize("factor", list(CONDITIONS))
def test_what_is_stored_follows_from_the_stored_weights(factor):
    """Of a condition of every factor the stored weights, and no others, lead to what is stored of some networks."""
    name, level = CONDITIONS[factor]
    recipe = factors.FACTORS[name][level]
    stored = Store(Path(__file__).parent.parent / "validate" / "records" / "factors").load(factors.Condition(recipe))
    weights = Weights(*(torch.from_numpy(stored[part]) for part in Weights._fields))
    networks = len(weights.J)
    chosen = sorted({0, 12, networks // 2, networks // 2 + 12} & set(range(networks)))
    found, kept = again(recipe, weights, chosen), stored_of(stored, chosen, networks)
    assert kept.keys() - found.keys() == {*Weights._fields, "steps", "converged"}
    searched = {part: dict(rtol=1e-4) for part in ("dsa", "itself", "null_dsa")}  # to the tolerance of the search
    rounding = dict(rtol=1e6 * EPS)
    for part, values in found.items():
        np.testing.assert_allclose(values, kept[part], err_msg=part, **searched.get(part, rounding))
    others = again(recipe, Weights(*(part.roll(1, 0) for part in weights)), chosen)
    for part in ("dsa", "itself", "svcca", "pair_permutation", "change", "alignment", "loss", "longer"):
        assert not np.allclose(others[part], kept[part], **searched.get(part, rounding)), part


def test_arrows_are_those_of_networks_drawn_anew():
    """A slope that networks agree on has its arrow, one that they do not has none; sizes divide published distances."""
    draw = np.random.default_rng(1)

    def level(shift, units=3):
        near = draw.normal(size=12)
        return {"pair_permutation": near + shift, "change": -near - shift, "J": np.empty((2, units, units))}

    rising = [level(5 * k) for k in range(3)]
    assert factors.arrows(rising, "weights") == "↑" and factors.arrows(rising, "change") == "↓"
    assert factors.arrows([level(0) for _ in range(3)], "weights") == "—"
    grown = [level(100, units) for units in (4, 8)]
    expected = [one["pair_permutation"].mean() / units**2 for one, units in zip(grown, (4, 8), strict=True)]
    np.testing.assert_allclose(factors.along(grown, "weights").value, expected, rtol=4 * EPS)
    assert factors.arrows(grown, "weights") == "↓"


def dynamics(shift, noise, ranks=None, networks=8):
    """What is found of the dynamics of networks: distances of pairs near `shift`, of each from itself near `noise`."""
    draw, count = np.random.default_rng(round(100 * shift)), len(ranks or factors.RANKS)
    apart = shift + 0.01 * draw.normal(size=(count, networks * (networks - 1) // 2))
    itself = np.resize(noise, (count, 1)) + 0.01 * draw.normal(size=(count, networks))
    return {"dsa": apart, "itself": itself, "J": np.empty((2, 3, 3))} | ({"ranks": np.array(ranks)} if ranks else {})


def test_numbers_are_of_the_rank_that_is_asked_for():
    """Ranks are those that are stored, or the usual ones; a rank that was not compared is refused."""
    usual, published = dynamics(1, 0.1), dynamics(1, 0.1, (5, 10, 20))
    for rank, k, j in ((5, 1, 0), (10, 2, 1)):
        name = f"dynamics, rank {rank}"
        assert factors.along([usual], name).value[0] == usual["dsa"][k].mean()
        assert factors.along([published], name).value[0] == published["dsa"][j].mean()
    assert factors.along([published], "itself").value[0] == published["itself"][1].mean()
    with pytest.raises(ValueError, match=r"rank = 3: what was found is of ranks \(5, 10, 20\)"):
        factors.along([published], "dynamics, rank 3")
    with pytest.raises(ValueError, match="levels are of ranks"):
        factors.arrows([usual, published], "dynamics")
    assert factors.arrows([dynamics(shift, 0.1, (5, 10, 20, 40)) for shift in (1, 2, 3)], "dynamics") == "↑↑↑↑"


def test_arrows_of_noise_are_in_brackets():
    """An arrow is in brackets at the ranks at which no two networks are farther apart than one from itself."""
    levels = [dynamics(shift, [[0.1], [9], [2.5]]) for shift in (1, 2, 3)]
    assert factors.arrows(levels, "dynamics") == "↑(↑)↑"
    assert [factors.resolved(levels, rank).tolist() for rank in factors.RANKS] == [
        [True] * 3, [False] * 3, [False, False, True]]  # fmt: skip


def integrator(decay: float) -> Weights:
    """One unit keeps a hundredth of the sum of what is shown, all but a share; the others are at rest."""
    weights = Weights(*(0 * part for part in initial(Standard(3), 1, 1, [1])))
    weights.J[0, 0, 0], weights.U[0, 0, 0], weights.w[0, 0, 0] = decay, 0.001, 1
    return weights


@pytest.mark.parametrize("decay, lines, kept", [(0.999, 1, 0.999), (0.9, 0, 0.9)])
def test_a_line_is_a_direction_that_lasts(decay, lines, kept):
    """A unit that keeps its sum is on a line in every phase; one that forgets half of it in a delay is at a point."""
    recipe = replace(small, task=DelayedDiscrimination(delay=(5, 20)), network=Standard(3))
    found = attractors(recipe, integrator(decay))
    highest = 0.001 * 2 * recipe.task.high  # that the unit can come to, where its slope is 1 - highest^2
    assert np.all((kept * (1 - highest**2) <= found["kept"][0]) & (found["kept"][0] <= kept))
    assert (
        found["slow"][0, 0] == lines
        and found["stable"] == [1]
        and found["saddles"] == [0]
        and found["on_lines"] == [lines]
    )
    assert found["slow"][0, 1:].tolist() == [1, 1]  # five steps are short enough for either


def test_the_published_size():
    """68 conditions of 50 networks each, of which no two are the same."""
    every = factors.published()
    assert len(every) == len(set(every)) == 68
    assert all(len(condition.recipe.seeds) == condition.every == 50 for condition in every)


def test_the_cost_is_told():
    """Hours are for all networks and all steps that they may take."""
    condition = factors.Condition(small, every=4)
    training, comparing = factors.seconds(condition)
    twice, _ = factors.seconds(replace(condition, recipe=replace(small, seeds=tuple(range(1, 9)), steps=50)))
    assert twice == 4 * training and training > 0 < comparing
    assert factors.forecast([condition]).startswith("1 conditions of 4 networks: about 0 hours of one core")
