"""Trained networks on trials of twice the length or delay: what fixed points hold lasts, sums of steps drift."""

from functools import cache

import numpy as np
import pytest
import torch

from laws import Sign, confront
from laws.judges.verdict import Panel, Series
from numerics import rnn

LAST = {"flip1": True, "flip2": True, "flip3": True, "path2": False, "path3": False}
TOLD = {True: "flip-flops of 1, 2 and 3 bits", False: "paths in the plane and in space"}


@cache
def losses(trained, name):
    """Mean squared errors of every network on its task, and on the longer one: shape (2, networks)."""
    recipe, run = trained(name)
    weights = rnn.Weights(*(part.double() for part in run.weights))
    drawn = (task.trials(100, 77) for task in (recipe.task, recipe.task.longer()))
    return np.array([rnn.loss(recipe.network, weights, *map(torch.from_numpy, trials)).numpy() for trials in drawn])


@pytest.mark.parametrize("trained", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True)
def test_longer_trials(trained):
    """Flip-flops err less than twice as much on trials of twice the length, paths that leave their range more."""
    growth = lambda name: np.log2(losses(trained, name)[1] / losses(trained, name)[0]) - 1  # noqa: E731
    sizes = [len(trained(name)[0].seeds) for name in LAST]
    law = lambda: np.repeat([-1.0 if last else 1.0 for last in LAST.values()], sizes)  # noqa: E731
    rivals = {"everything lasts": -1.0, "nothing lasts": 1.0}
    dots = []
    for lasts, told in TOLD.items():
        both = np.concatenate([losses(trained, name) for name in LAST if LAST[name] == lasts], axis=1)
        dots.append(Series("run" if lasts else "rival", *both.tolist(), told, joined=False))
    ends = [1e-4, 1.0]
    picture = Panel("mean squared error in training", "that at twice the length or delay",
                    (Series("law", ends, ends, "the same"), *dots), "xy")  # fmt: skip
    drawn = dict(x="network: flip-flops first, then paths", y="log₂ of the growth of the error, less 1")
    claim = trained.of("what fixed points hold lasts, sums of steps do not")
    run = lambda seed: np.concatenate([growth(name) for name in LAST])  # noqa: E731
    confront(claim, law, run, {}, Sign(), rivals, labels=drawn, picture=picture)
