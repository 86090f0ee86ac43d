"""Studies of noise that falls: repeatable, each kind with its own layers, and clear about what they cannot do."""

from dataclasses import replace

import numpy as np
import pytest

from numerics import noise, patches
from numerics.annealing import FALLS, Study

SMALL = Study("one hidden layer", noise.SGD(0.01), (0.0, 0.5, 1.5), 2, 10, 3)


@pytest.mark.parametrize(
    "kind, layers, blocks",
    [("one hidden layer", 1, 0), ("three hidden layers", 3, 0), ("convolutional", 3, 0), ("autoencoder", 1, 0),
     ("transformer", 2, 2)],
)  # fmt: skip
def test_studies_tell_of_every_layer(kind, layers, blocks):
    """Activity of each layer at three times, and what was learnt, for every network; the same bits twice."""
    found, again = (replace(SMALL, kind=kind).run() for _ in range(2))
    assert found["active"].shape == found["dead"].shape == (11, 2, 3, layers)
    assert found["cost"].shape == found["right"].shape == (2, 2, 3) and found["gain"].shape == (2, 3, blocks)
    assert all(np.array_equal(found[name], again[name]) for name in found)
    assert np.all((found["active"] > 0) & (found["active"] < 1)) and np.all(np.isfinite(found["cost"]))


def test_noise_is_gone_at_the_end():
    """What the networks learnt last they learnt without noise: at half of training and at its end it is on and off."""
    schedule = noise.Schedule(40, anneal=FALLS)
    assert [schedule.strength(step) for step in (0, 20, 28, 40)] == [1, 1, 0, 0]


def test_classified_digits_are_digits_with_their_classes():
    """Rows and classes belong together: a pixel's mean over each class is the same wherever the split falls."""
    few, many = patches.classified_digits(300), patches.classified_digits(1000)
    assert few.train.shape == (300, 64) and few.held_out.shape == (1497, 64)
    np.testing.assert_array_equal(many.train[:300], few.train)
    np.testing.assert_array_equal(many.classes[300:], few.held_out_classes[:700])
    nearest = (few.held_out[:, None] - few.train).square().sum(-1).argmin(1)
    told = (few.classes[nearest] == few.held_out_classes).double().mean()
    assert told > 0.5  # nearest neighbours tell digits apart; shuffled classes would be right one time in ten


@pytest.mark.parametrize(
    "change, says",
    [(dict(kind="recurrent"), "kind = 'recurrent'"), (dict(runs=0), "runs = 0"), (dict(steps=9), "steps = 9"),
     (dict(seed=-1), "seed = -1"), (dict(levels=(-1.0,)), "levels = -1.0"), (dict(levels=()), "levels = ")],
)  # fmt: skip
def test_bad_studies(change, says):
    """What makes no sense is refused by name."""
    with pytest.raises(ValueError, match=says):
        replace(SMALL, **change).run()


def test_too_many_digits():
    """Digits to hold out must be left."""
    with pytest.raises(ValueError, match="count = 1797"):
        patches.classified_digits(1797)
