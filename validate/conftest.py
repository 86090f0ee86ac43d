"""Trained recurrent networks, which several files judge: stored ones, small ones trained here, and all of them anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from numerics import rnn, tasks

RECORDS = Path(__file__).parent / "records"
SMALL = {  # what differs from the recipe of the record
    "flip1": dict(seeds=(1, 2)),
    "flip2": dict(seeds=(1, 2)),
    "sine": dict(network=rnn.MaximalUpdate(40), seeds=(1, 2)),
    "path2": dict(network=rnn.Standard(32), seeds=(1, 2), steps=500),
    "delay": dict(network=rnn.Standard(40), seeds=(1, 2), steps=1500),
    "lorenz": dict(network=rnn.Standard(48), seeds=(1,), steps=500, task=tasks.Lorenz96(sites=5, length=20)),
}


class Trained:
    """Recipe and run of every record: as it is stored, trained anew, or with the differences above."""

    def __init__(self, how: str):
        self.how, self.made = how, {}

    def __call__(self, name: str) -> tuple[rnn.Recipe, rnn.Run]:
        """Those of one record."""
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]

    def make(self, name: str) -> tuple[rnn.Recipe, rnn.Run]:
        """Load or train them."""
        recipe, run = rnn.load(RECORDS / f"{name}.npz")
        if self.how == "stored":
            return recipe, run
        recipe = replace(recipe, **SMALL[name]) if self.how == "small" else recipe
        return recipe, recipe.train()

    def each(self, name: str):
        """Every network by itself: its effective weights, and its rates along inputs."""
        recipe, run = self(name)
        return rnn.each(recipe.network, run.weights)

    def of(self, claim: str) -> str:
        """The claim, with what networks it is about."""
        return f"{claim} ({self.how} networks)"


@pytest.fixture(scope="session", params=["stored", "small", pytest.param("newly trained", marks=pytest.mark.full)])
def trained(request):
    """The networks of every record, in three ways."""
    return Trained(request.param)
