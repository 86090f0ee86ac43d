"""The sweep of four factors: every condition once, and comparisons that repeat."""

from dataclasses import replace

import numpy as np

from numerics import factors
from numerics.rnn import Standard
from numerics.tasks import FlipFlop

small = replace(
    factors.base,
    task=FlipFlop(1, length=8),
    network=Standard(12),
    seeds=(1, 2, 3, 4),
    steps=25,
    trials=4,
    threshold=0.5,
)


def test_conditions_are_distinct():
    """Levels that factors share are trained once, and no factor has one level twice."""
    every = factors.conditions()
    assert len(every) == len(set(every)) == 12
    assert all(len(levels) == 3 == len(set(levels.values())) for levels in factors.FACTORS.values())


def test_comparisons_repeat():
    """The same condition gives the same numbers, of the shapes that are stated, each of them finite."""
    one, other = factors.compared(factors.Condition(small)), factors.compared(factors.Condition(small))
    assert all(np.array_equal(one[key], other[key]) and np.isfinite(one[key]).all() for key in one)
    shapes = {key: one[key].shape for key in one}
    assert shapes["dsa"] == (2, 6) and shapes["permutation"] == shapes["svcca"] == (6,)
    assert shapes["pair_dsa"] == shapes["null_relative"] == (2,) and shapes["resampled"] == shapes["loss"] == (4,)
    assert (one["permutation"] > 0).all() and (one["svcca"] <= 1).all() and (one["change"] > 0).all()
