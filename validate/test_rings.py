"""Networks trained to predict a Lorenz ring: how far they see, and what they do when fed with what they say."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from laws import Equivalent, Sign, confront
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import lorenz, rnn
from theory.recurrent import energy_rate

large = pytest.mark.parametrize(  # small networks may end in a cycle, as rings of nearby forcing do
    "trained", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)


@cache
def free_rings(trained):
    """Every ring network with its own prediction as its input: its courses from four states on the attractor."""
    task = trained("lorenz")[0].task
    x = task.trials(4, 98)[0]
    found = []
    for (A, U, b, C, c), along in trained.each("lorenz"):
        loop, drive = A + U @ C, b + U @ c
        free = rnn.courses(loop, drive, along(x)[-1], settle=200, steps=1000, count=3)
        found.append((free, task.scale * (free.rates @ C.T + c)))
    return found


@cache
def ring_exponents(task):
    """The Lyapunov exponents of the ring itself, stepped as in the task: shape (courses, sites)."""
    starts = lorenz.settled(task.sites, task.force, task.dt)[:64]
    return lorenz.spectra(starts, task.force, task.dt, settle=200, steps=1000)


def exponents_drawn(trained):
    """All exponents of the ring beside the largest ones of networks that predict it."""
    task = trained("lorenz")[0].task
    ranks, mine = list(range(1, task.sites + 1)), ring_exponents(task)
    found = np.array([free.exponents.mean(0) / task.dt for free, _ in free_rings(trained)])
    line = Series("law", ranks, mine.mean(0).tolist(), f"the ring itself, mean of {len(mine)} courses")
    told = f"{len(found)} networks in a closed loop"
    dots = [Series("run", ranks[:3], row.tolist(), "" if k else told, joined=False) for k, row in enumerate(found)]
    return Panel("rank", "Lyapunov exponent, per unit of time", (line, *dots), counts=True)


@large
def test_closed_loops_are_chaotic(trained):
    """Fed with its own predictions a network has the largest exponent of the Lorenz-96 ring, to a quarter of it."""
    task = trained("lorenz")[0].task
    largest = ring_exponents(task)[:, 0].mean()
    run = in_turn(lambda seed: [free.exponents[:, 0].mean() / task.dt for free, _ in free_rings(trained)])
    rivals = {"0: it ends in a cycle": 0.0, "twice as chaotic": 2 * largest}
    claim = trained.of("ring networks in a closed loop are as chaotic as the ring, to a quarter")
    drawn = dict(y="largest Lyapunov exponent, per unit of time")
    judge = Equivalent(largest / 4, runs=len(trained("lorenz")[0].seeds))
    confront(claim, largest, run, {}, judge, rivals, labels=drawn, picture=exponents_drawn(trained))


@large
def test_climate(trained):
    """In a closed loop the mean square is the forcing times the mean, to a twentieth, as the energy demands."""
    task = trained("lorenz")[0].task
    states = [x for _, x in free_rings(trained)]
    run = in_turn(lambda seed: [(x**2).mean() / (task.force * x.mean()) for x in states])
    rivals = {"as at rest, the square of the mean": np.median([x.mean() / task.force for x in states])}
    claim = trained.of("ring networks in a closed loop keep the energy balance of the ring, to a twentieth")
    drawn = dict(y="mean of x² over F times the mean of x")
    judge = Equivalent(0.05, runs=len(states))
    confront(claim, lambda: 1.0, run, {}, judge, rivals, labels=drawn, of=energy_rate)


HORIZON = 20


def predicted(trained, horizons=HORIZON):
    """Root mean square errors of every network up to a horizon, of the ring itself from a start that is as wrong as
    the first prediction, and of the present state as the prediction; in units of the spread.  (networks, horizons).
    """
    task = trained("lorenz")[0].task
    longer = replace(task, length=task.length + horizons)
    x, y, _ = longer.trials(100, 97)
    rms = lambda wrong: np.sqrt((wrong**2).mean((-2, -1))) / x.std()  # noqa: E731
    ahead = y[task.length - 1 : task.length - 1 + horizons]
    rows = []
    for (A, U, b, C, c), along in trained.each("lorenz"):
        r, outputs = along(x[: task.length])[-1], []
        for _ in range(horizons):
            outputs.append(r @ C.T + c)
            r = np.tanh(r @ (A + U @ C).T + b + U @ c)
        state, own = task.scale * outputs[0], [outputs[0]]
        for _ in range(horizons - 1):
            state = lorenz.runge_kutta(state, task.force, task.dt)
            own.append(state / task.scale)
        rows.append([rms(np.array(outputs) - ahead), rms(np.array(own) - ahead), rms(x[task.length - 1] - ahead)])
    return np.moveaxis(np.array(rows), 1, 0)


def test_short_horizons(trained):
    """At each of 20 steps, one unit of time in all, a closed loop is better than the present state or the mean."""
    task = trained("lorenz")[0].task
    network, ring, present = predicted(trained)
    least = np.log(np.minimum(present, 1) / network).min(1)  # one for a network: errors along a course go together
    times = (task.dt * np.arange(1, HORIZON + 1)).tolist()
    told = "networks: median and range" if len(network) > 1 else "one network"
    lines = [
        Series("run", times, np.median(network, 0).tolist(), told,
               network.min(0).tolist(), network.max(0).tolist()),
        Series("law", times, np.median(ring, 0).tolist(), "the ring itself, from the first prediction"),
        Series("rival", times, present[0].tolist(), "the present state"),
    ]  # fmt: skip
    picture = Panel("horizon (units of time)", "error, of the spread of the ring", tuple(lines), "y")
    claim = trained.of("ring networks predict one unit of time")
    drawn = dict(y="ln of the better one's error over the network's,\nof present state and mean: least of 20 steps")
    confront(claim, 1.0, lambda seed: least, {}, Sign(), labels=drawn, picture=picture)
