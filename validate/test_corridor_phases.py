"""The three phases of learning in a corridor, in small networks under noise so strong that the last of them is reached.

Convergence is fast; then drift is directed, towards sparse codes; and when activity has stopped falling it goes on
without direction: rate maps still change, while as many units of as many samples stay active.  In networks so small,
where a few units are left, maps waver: they are hardly less alike after four times the time than after a quarter more.
With the published noise a million steps are too few for the third phase; here it is four times as large.

All of this is trained at length, with `--full` alone: `pytest validate` without it asserts nothing of the third phase.
"""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from laws import Equivalent, confront, measure
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import corridor as corridors
from numerics.corridor import Corridor

pytestmark = [pytest.mark.full, pytest.mark.timeout(7200)]

SMALLER = dict(length=5.0, rays=5, samples=40, hidden=100)
CORRIDOR = replace(Corridor.public_run(), **SMALLER, sigma=0.02, steps=500_000)
RUNS = 37
DIRECTED, LAST = (10_000, 20_000), (250_000, 500_000)  # doublings of the time, one in each phase
SETTLED, RATIOS = 100_000, (1.25, 2.0, 4.0)


@cache
def history(seed, networks=RUNS):
    """The history of networks whose seeds are drawn from one; three are spare, for those that diverge."""
    seeds = np.random.SeedSequence(seed).generate_state(networks + 3, np.uint64).tolist()
    whole = corridors.run(CORRIDOR, seeds=seeds, records=60)
    kept = np.flatnonzero(np.isfinite(whole.loss[-1]))[:networks]
    assert len(kept) == networks, f"{networks + 3 - len(kept)} of {networks + 3} networks diverged"
    every = {field.name: getattr(whole, field.name) for field in fields(whole)}
    courses = {name: v[:, kept] for name, v in every.items() if np.shape(v) == whole.loss.shape}
    return replace(whole, **courses, seeds=every["seeds"][kept], correlation=every["correlation"][kept])


def around(one, values, step):
    """The median of values over records from so many steps to their double backwards, for each network."""
    chosen = (one.steps > step / 2) & (one.steps <= step)
    return np.median(values[chosen], axis=0)


def lost(one, doubling):
    """The share of active pairs that goes while the time doubles, for each network."""
    first, last = (around(one, one.active_fraction, step) for step in doubling)
    return 1 - last / first


def courses(one, shown=6):
    """What becomes of active pairs in the first networks."""
    steps = one.steps[1:].tolist()
    each = [
        Series("rival", steps, row.tolist(), f"network {k}")
        for k, row in enumerate(one.active_fraction[1:].T[:shown], 1)
    ]
    return Panel("training step", "fraction of active (unit, sample) pairs", tuple(each), "x")


def test_activity_stops_falling():
    """In the last doubling of the time active pairs lose less than half of what they lose in the directed phase."""
    directed = float(np.median(lost(history(10**6, 8), DIRECTED)))
    claim = "a small corridor, strong noise: after the directed phase activity stays"
    rivals = {"as in the directed phase": directed, "three quarters of it": 0.75 * directed}
    labels = dict(y="active pairs lost while the time doubles, of what there were")
    run = in_turn(lambda seed: lost(history(seed), LAST))
    shown = courses(history(10**6, 8))
    confront(claim, 0.0, run, {}, Equivalent(directed / 2, runs=RUNS), rivals, labels=labels, picture=shown)


def alike(one, ratio):
    """The correlation of populations at times in the last phase with about this ratio, mean over pairs of records."""
    late = np.flatnonzero(one.steps >= SETTLED)
    pairs = [(i, j) for i in late for j in late if abs(np.log(one.steps[j] / one.steps[i] / ratio)) < np.log(1.15)]
    return np.mean([one.correlation[:, i, j] for i, j in pairs], axis=0)


def test_maps_go_on():
    """How much less alike populations are the more time has passed between them, when activity has stopped falling."""
    row = in_turn(lambda seed: np.array([alike(history(seed), ratio) for ratio in RATIOS]).T)
    later = lambda ratio, seed: row(seed)[RATIOS.index(ratio)]  # noqa: E731
    labels = dict(x=f"ratio of two times after step {SETTLED:,}", y="correlation of the populations at the two times")
    what = "How a small corridor's maps go on changing when activity does not"
    found = measure(what, later, RATIOS, runs=RUNS, log="x", labels=labels)
    assert f"{RUNS} seeds" in found.says
