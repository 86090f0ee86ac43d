"""The sweep of factors: every condition once, comparisons that repeat, what lasts, what the published size costs."""

from dataclasses import replace

import numpy as np
import pytest

from numerics import factors
from numerics.factors._attractors import attractors
from numerics.rnn import Standard, Weights, initial
from numerics.tasks import DelayedDiscrimination, FlipFlop

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
    assert len(every) == len(set(every)) == 32
    assert all(len(levels) == len(set(levels.values())) for levels in factors.FACTORS.values())
    assert all(len(levels) >= 3 for name, levels in factors.FACTORS.items() if name != "delays: auxiliary output")
    assert all(len(levels) == 5 for name, levels in factors.FACTORS.items() if name.startswith("units, 3 bits"))
    assert min(len(condition.recipe.seeds) for condition in every) == 24


def test_comparisons_repeat():
    """The same condition gives the same numbers, of the shapes that are stated, each of them finite."""
    one, other = factors.compared(factors.Condition(small)), factors.compared(factors.Condition(small))
    assert all(np.array_equal(one[key], other[key]) and np.isfinite(one[key]).all() for key in one)
    shapes = {key: one[key].shape for key in one}
    assert shapes["dsa"] == (3, 6) and shapes["permutation"] == shapes["svcca"] == (6,)
    assert shapes["pair_dsa"] == shapes["null_relative"] == (2,) and shapes["resampled"] == shapes["loss"] == (4,)
    assert (one["permutation"] > 0).all() and (one["svcca"] <= 1).all() and (one["change"] > 0).all()
    for aligned in (one["alignment"], one["alignment_recurrent"]):
        assert aligned.shape == (4,) and (aligned < 1).all() and (aligned > 0).all()


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
    assert found["slow"][0, 0] == lines and found["kept"][0] == pytest.approx(kept, rel=1e-3)
    assert found["stable"] == [1] and found["saddles"] == [0] and found["on_lines"] == [lines]
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
    assert twice == pytest.approx(4 * training) and training > 0 < comparing
    assert factors.forecast([condition]).startswith("1 conditions of 4 networks: about 0 hours of one core")
