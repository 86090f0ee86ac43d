"""Studies of sparse codes: their settings, what they count, and that the record holds all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics import annealing, noise
from numerics.codes import (
    ABLATIONS,
    ACTIVATIONS,
    METHODS,
    TRIALS,
    Ablation,
    Method,
    Trial,
    levels,
    run,
    squared_slope,
)
from numerics.codes._ablations import GRAIN, NOISES, ROWS, classification, digits, natural
from numerics.store import Store

tiny = Ablation(units=6, networks=2, components=4, steps=3, batch=5)
trial = Trial(noise.Adam(1e-2), batch=4, sigma=1.0, steps=6, rows=20, units=5, networks=2, components=4)
method = Method("L1, unit decoders", 1.0, units=48, networks=2, steps=150, batch=4)


def test_slopes_are_the_activations_own():
    """The squared slope of a ReLU is 1 where it is active, and no activation's is above 1."""
    z = torch.linspace(-5, 5, 10_001)  # where the largest is looked for
    assert torch.equal(squared_slope(torch.relu, z), (z > 0).float())
    for activation in ACTIVATIONS.values():
        slope = squared_slope(activation, z)
        assert bool((slope >= 0).all()) and float(slope.max()) == 1


def test_all_kinds_of_noise_have_one_mean_square():
    """Gaussian and Laplace noise, salt and pepper move standard data by the same mean square."""
    draw, sigma, rows = torch.Generator().manual_seed(1), torch.tensor([0.5, 1.5]), 400_000
    x = torch.randn(2, rows, 1, generator=draw)
    for kind in NOISES.values():
        moved = (kind(sigma)(x, 1.0, draw) - x).square().mean((-1, -2))
        spread = 6 * (GRAIN + 1) ** 2 * sigma / rows**0.5  # six standard errors or more: a grain moves x so far at most
        assert bool(((moved - sigma.square()).abs() < spread).all())


def test_what_an_ablation_finds():
    """Shapes are as said, one seed gives the same bits, and where there is no noise its kind changes nothing."""
    found, again = tiny.run(), tiny.run()
    other = replace(tiny, noise="Laplace").run()
    assert found["clean"].shape == (2, 3) and found["start"].shape == (2,)
    for name, value in found.items():
        np.testing.assert_array_equal(value, again[name])
    np.testing.assert_array_equal(found["clean"][:, 0], other["clean"][:, 0])
    assert np.any(found["clean"][:, 2] != other["clean"][:, 2])
    assert np.all((found["noisy"] >= found["active"]) & (found["noisy"] < found["active"] + 0.01))  # of ReLUs


def test_classes():
    """Classifiers of digits train on salt and pepper too."""
    found = replace(tiny, data="digits", task="classification", noise="salt and pepper", activation="GELU").run()
    assert np.all(found["loss"] > 0) and np.all(np.isfinite(found["clean"]))


def test_classes_are_those_of_the_rows():
    """Each row of digits has its own class: neighbours among those learnt tell most of those held out."""
    x = digits(16)
    _, outputs, taught, asked = classification(x)
    nearest = (x.held_out[:, None] - x.train).square().sum(-1).argmin(1)
    assert outputs == 10 and len(taught) == len(x.train)
    assert (taught[nearest] == asked).double().mean() > 0.5  # shuffled classes would be right one time in ten


def test_what_a_trial_finds():
    """Records stand at the steps that are named, and a unit that is active on anything is not dead."""
    found = run(trial)
    assert found["steps"].tolist() == list(range(7)) and found["dead"].shape == (7, 2)
    assert np.all(found["loss"][-1] < found["loss"][0]) and np.all(found["dead"] + found["active"] <= 1)


def test_what_a_method_finds():
    """With unit decoders their lengths are 1; fits stand for the stages that were reached."""
    found = run(method)
    np.testing.assert_allclose(found["decoders"], 1, rtol=method.units * np.finfo(np.float32).eps)
    assert found["gabor"].shape == found["centre"].shape == (2, 2, 6)
    assert found["fields"].shape == (48, 8, 8) and found["rebuilt"].shape == (8, 3, 8, 8)
    assert run(replace(method, name="top k", strength=2.0, steps=1))["active"].max() <= 2 / 48


def test_the_record_is_whole():
    """Every member of every study is stored, and nothing else."""
    folder = Path(__file__).parents[1] / "validate" / "records" / "codes"
    studies = ABLATIONS, METHODS, annealing.STUDIES, annealing.DEEP
    members = [*TRIALS, *(one for study in studies for one in study.values())]
    assert {Store(folder).find(one) is not None for one in members} == {True}
    assert len(list(folder.iterdir())) == len(members)


def test_rows_are_counted_before_they_are_drawn():
    """A trial may ask for all patches that are there to train on, and for none more."""
    assert replace(trial, rows=ROWS).rows == len(natural(4).train)
    with pytest.raises(ValueError, match="more than the 18000 patches"):
        replace(trial, rows=ROWS + 1)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Ablation(noise="pink"), "noise = 'pink'"),
        (lambda: Ablation(task="classification"), "only digits have classes"),
        (lambda: Ablation(units=0), "units = 0"),
        (lambda: replace(trial, rows=10**6), "rows = 1000000"),
        (lambda: replace(trial, batch=0), "batch = 0"),
        (lambda: replace(trial, sigma=-1.0), "sigma = -1.0"),
        (lambda: replace(trial, seed=-1), "seed = -1"),
        (lambda: replace(trial, clip=0.0), "clip = 0.0"),
        (lambda: Ablation(levels=()), r"levels = \(\)"),
        (lambda: Ablation(levels=(0.5, -1.0)), "levels = -1.0"),
        (lambda: Ablation(eta=-1e-2), "eta = -0.01"),
        (lambda: Ablation(seed=-1), "seed = -1"),
        (lambda: Ablation(components=999), "components = 999"),
        (lambda: Ablation(noise="salt and pepper", levels=(3.0,)), "salt and pepper reaches 2.236"),
        (lambda: Method("top k", 2.5), "strength = 2.5"),
        (lambda: Method("top k", 1000.0), "strength = 1000.0"),
        (lambda: Method("noise", 1.0, eta=0.0), "eta = 0.0"),
        (lambda: Method("L2", 1.0), "name = 'L2'"),
        (lambda: Method("noise", -0.1), "strength = -0.1"),
        (lambda: Method("noise, then none", 0.0), "strength = 0.0"),
        (lambda: Method("L1", 0.0), "strength = 0.0"),
        (lambda: levels((0.3, 0.0)), "sigmas = 0.0"),
    ],
)
def test_settings_are_checked(make, says):
    """Settings that make no sense are refused by name."""
    with pytest.raises(ValueError, match=says):
        make()
