"""What several files judge: recurrent networks and sparse codes, stored or trained; units and studies under noise.

And pictures: of what came of a sweep, and of differences whose signs are judged.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Mean, confront
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series, table
from numerics import rnn, tasks
from numerics.drift import imbalance, walk
from numerics.generality import MEASURES, RULES, Outcome, as_lines, levels
from numerics.store import Store, versions
from theory.drift import imbalance_drift

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


class Studied:
    """Members of studies of sparse codes: as they are stored, trained here half as long, or trained anew in full.

    What is not stored follows the seed that a judge hands over: its data are drawn from it too, where data are drawn.
    """

    def __init__(self, how: str, store: Store):
        self.how, self.store = how, store

    def __call__(self, one, seed: int) -> dict[str, np.ndarray]:
        """What was found of one; if it is trained here, from the seed that a judge hands over, half of it if small."""
        if self.how == "stored":
            return self.store.load(one)
        one = replace(one, seed=seed)
        if self.how == "small":
            one = replace(one, steps=one.steps // 2)
        if self.store.find(one) is None:
            self.store.save(one, one.run())
        return self.store.load(one)

    def of(self, claim: str) -> str:
        """The claim, with what networks it is about."""
        return f"{claim} ({self.how} networks)"


@pytest.fixture(scope="session")
def folder_of(pytestconfig):
    """The folder, by name, of what is trained here: in pytest's cache, where none outlives a change of the code."""
    return lambda name: pytestconfig.cache.mkdir(f"{name}-{versions()['numerics']}")


@pytest.fixture(scope="session")
def studied(request, folder_of, tmp_path_factory):
    """The members of a study in one of three ways; those newly trained are kept."""
    folder = {
        "stored": lambda: RECORDS / "codes",
        "small": lambda: tmp_path_factory.mktemp("codes"),
        "newly trained": lambda: folder_of("codes"),
    }[request.param]
    store = Store(folder())
    store.prepare()
    return Studied(request.param, store)


@pytest.fixture
def differences():
    """Draw what each network differs by in some comparisons, and the medians: values (networks, ...), a row for each.

    Beside the medians stand their intervals of 99.8 %, which ten networks have at the least.
    """

    def drawn(values, names, says):
        values, rows = np.reshape(values, (len(values), -1)).astype(float), list(range(len(names)))
        low, high = np.transpose([median_interval(column, 1e-3) for column in values.T]).tolist()
        middle, every = np.median(values, axis=0).tolist(), np.tile(rows, len(values)).tolist()
        dots = Series("rival", values.ravel().tolist(), every, f"each of {len(values)} networks")
        none = Series("rival", [0.0] * len(rows), rows, "no difference")
        medians = Series("run", middle, rows, "median, 99.8 % interval", low, high)
        return Panel(says, "", (dots, none, medians), rows=True, ticks=tuple(enumerate(names)))

    return drawn


@pytest.fixture
def confront_imbalance():
    """Judge how units' |w|² + b² - |n|² drift under update noise, at a point of zero loss with Hessian H."""

    def confronted(claim, fit, theta, H, *, sigma, settled, steps=300):
        ingoing, outgoing = fit.network.inputs + 1, fit.network.outputs
        eta = 1.2 / np.linalg.eigvalsh(H)[-1]

        @cache
        def run(n, seed):
            start, _ = walk(fit, np.tile(theta.ravel(), (n, 1)), eta=eta, steps=settled, seed=2 * seed, update=sigma)
            change = imbalance(fit, start, eta=eta, steps=steps, seed=2 * seed + 1, update=sigma)
            return change / steps / sigma**2

        law = lambda: imbalance_drift(H, eta, sigma, fit.network.inputs, outgoing) / sigma**2  # noqa: E731
        B = np.diag(H).reshape(fit.network.shape) @ np.repeat([1, -1], [ingoing, outgoing])
        own = ingoing - outgoing
        rivals = {"for small steps": lambda: own + eta / 2 * B, "the noise itself alone": lambda: own + 0 * B}
        gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
        pilot = 2 * float(np.var(run(500, 10**6), axis=0).max())
        judge = Mean(detects=gap / 2, variance=pilot, points=fit.network.hidden)
        labels = dict(x="unit", y="drift of |w|² + b² - |n|² per step over σ²")
        confront(claim, law, run, {}, judge, rivals, labels=labels, of=imbalance_drift)

    return confronted


@pytest.fixture
def histogram():
    """How many networks of each rule end with how many of their units active; ReLUs, not diverged."""

    def drawn(one: Outcome) -> Panel:
        edges, series, final = np.linspace(0, 1, 11), [], one.curves["active_units"][-1]
        for rule in RULES:
            chosen = one.relu & one.alive & (one.kinds["rule"] == rule)
            if chosen.any():
                counts = np.histogram(final[chosen] / one.settings[0].network.hidden, edges)[0]
                outline = np.repeat(edges, 2)[1:-1].tolist(), np.repeat(counts, 2).tolist()
                series.append(Series("rival", *outline, f"{rule}, {chosen.sum()} networks"))
        return Panel(f"fraction of units active after {one.steps[-1]:,} steps", "networks", tuple(series))

    return drawn


@pytest.fixture
def by_factor():
    """A table: what is left at every level of every factor, also over what is left of networks otherwise alike."""

    def drawn(one: Outcome, curve: str, chosen) -> Panel:
        said = f"left: medians of {MEASURES[curve]} at the end over those after a hundredth of {one.steps[-1]:,} steps"
        note = f"{said}; a draw has one vote; intervals of 95 %, where there are six"
        return table(as_lines(levels(one, curve, chosen)), note)

    return drawn
