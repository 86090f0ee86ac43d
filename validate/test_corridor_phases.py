"""The three phases of learning in a corridor, in small networks under noise so strong that the last of them is reached.

Convergence is fast; then drift is directed, towards sparse codes; and when activity has stopped falling it goes on
without direction: rate maps still change, while as many units of as many samples stay active.  In networks so small,
where a few units are left, maps waver: they are hardly less alike after four times the time than after a quarter more.

A network has converged when the logarithm of its loss has done nine tenths of its way to where it is until activity
falls.  The fraction of active pairs is level, falls with the logarithm of time, and is level again; the bends of the
line that fits it best say when directed drift begins and when it has ended, if half of the record comes after that.

Under noise so strong the loss does not stay where it was: while activity falls it rises to half of that of the mean,
and it comes down again, for as long as few units are left.  That it stays low is a claim about less noise.

Forty such networks are stored, half a million steps of each, fourteen times the published noise.  With the published
noise a million steps are too few for the third phase: what of the phases the large networks show is measured here, too.
"""

import fcntl
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Equivalent, Sign, confront, measure
from laws.judges import in_turn
from laws.judges.confrontation import fresh
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series
from numerics import corridor as corridors
from numerics.corridor import Corridor, Networks, load, phases, samples
from numerics.ensemble import GradientDescent, Lazy, UpdateNoise, train
from numerics.store import Store

RECORDS = Path(__file__).parent / "records"
SMALLER = dict(length=5.0, rays=5, samples=40, hidden=100)
CORRIDOR = replace(Corridor.public_run(), **SMALLER, sigma=0.02, steps=500_000)
STORED = Networks(CORRIDOR, 0, 40, 60)
RUNS = 37  # of which so many do not diverge
DIRECTED, LAST = (10_000, 20_000), (62_500, 500_000)  # one doubling of the time, and the last three
RATIOS = (1.25, 2.0, 4.0)
NAMES = ("converged", "activity begins to fall", "activity has stopped falling")


@cache
def stored():
    """What is kept of the stored networks."""
    return living(Store(RECORDS / "phases").load(STORED))


@cache
def anew(seed, folder):
    """What would be kept of networks that are trained here from this seed, or go on where they were stopped."""
    whole, several = Path(folder) / str(seed), replace(STORED, seed=seed)
    whole.mkdir(parents=True, exist_ok=True)
    with (whole / "lock").open("w") as lock:  # of several processes one trains, and the others take what it kept
        fcntl.flock(lock, fcntl.LOCK_EX)
        history = corridors.run(CORRIDOR, seeds=several.seeds, records=several.records, folder=whole)
    return living(several.table(history))


def living(table):
    """The same of the networks that have not diverged, of which there are enough."""
    alive = np.isfinite(table["log_loss"][-1])
    assert alive.sum() >= RUNS, f"{(~alive).sum()} of {len(alive)} networks diverged"
    kept = {name: v[:, alive].astype(float) for name, v in table.items() if v.ndim == 2}
    return kept | {"steps": table["steps"], "correlation": table["correlation"][alive]}


ANEW = (pytest.mark.full, pytest.mark.timeout(7200))


@pytest.fixture(scope="module", params=["stored", pytest.param("newly trained", marks=ANEW)])
def small(request, folder_of):
    """How the small networks came to be, and a function that finds what is kept of them; seeds may be fresh."""
    if request.param == "stored":
        return request.param, stored
    return request.param, lambda: anew(fresh(0, "small corridors in three phases"), folder_of("phases"))


def rounded(seeds, steps):
    """Log losses at first steps of networks trained here; from starts off by rounding; and with a tenth more step."""
    seen, draw = [samples(CORRIDOR, seed)[0] for seed in seeds], np.random.default_rng(0).uniform
    x, y = (np.array([getattr(one, part) for one in seen]) for part in ("x", "y"))
    start = train(CORRIDOR.network, x, y, seeds=seeds, steps=[0], by=GradientDescent(1.0), start=Lazy()).final

    def run(theta, eta=CORRIDOR.eta):
        given = dict(by=GradientDescent(eta), noise=UpdateNoise(CORRIDOR.sigma), start=theta, dtype="float32")
        found = train(CORRIDOR.network, x, y, seeds=seeds, steps=steps, **given)
        return np.log10(found.loss / y.var(axis=1).mean(axis=1))

    return (
        run(start),
        [run(start * (1 + ROUNDING * draw(-1, 1, start.shape))) for _ in range(2)],
        run(start, 1.1 * CORRIDOR.eta),
    )


ROUNDING = (6 + 100 + 5 + 40) * float(np.finfo(np.float32).eps)  # of the longest chain of sums of one step


def test_record_begins_as_networks_do():
    """The losses that are kept of first steps are those of networks trained here, and not with a tenth more step."""
    kept, few = Store(RECORDS / "phases").load(STORED), [0, 3, 5]
    found, near, other = rounded(list(STORED.seeds), kept["steps"][few].tolist())
    moved = np.max([np.abs(one - found) for one in near], axis=0) + ROUNDING * (1 + np.abs(found))
    off = lambda one: (np.abs(one - kept["log_loss"][few]) / moved).max(0)  # noqa: E731
    assert off(found).max() <= 1 < off(other).min()


# -- when they end


def located(table):
    """When each network has converged, when its activity begins to fall and when it has stopped; (networks, 3)."""
    return phases(table["steps"], table["log_loss"], table["active_fraction"])


@cache
def large():
    """What is kept of the five networks of the published size."""
    history = load(RECORDS / "corridor" / "history.npz")
    return {name: getattr(history, name) for name in ("steps", "log_loss", "active_fraction")}


def shown(table):
    """Loss and active pairs over time, and the times, with intervals of their medians where enough networks tell."""
    steps, found = table["steps"][1:], located(table)
    bands = []
    for name, times in zip(NAMES, found.T, strict=True):
        if np.isfinite(times).all():
            low, high = median_interval(times, 0.025) if len(times) >= 6 else (times.min(), times.max())
            before = table["steps"][np.searchsorted(table["steps"], low) - 1]  # somewhere between two records
            held = "95 %" if len(times) >= 6 else "range"
            label = f"{name}: step {np.median(times):,.0f}, {held} {low:,.0f} to {high:,.0f}"
            bands.append(Series("band", [max(float(before), 0.5), float(high)], [0.0] * 2, label, [0.0] * 2, [1.0] * 2))
    loss = 10 ** np.median(table["log_loss"][1:], axis=1)
    active = table["active_fraction"][1:]
    lines = (
        Series("each", steps.tolist(), active.T.tolist(), "active pairs, each network"),
        Series("rival", steps.tolist(), np.median(active, axis=1).tolist(), "active pairs, median"),
        Series("rival", steps.tolist(), loss.tolist(), "loss, median"),
    )
    y = "fraction of active (unit, sample) pairs; loss over that of the mean"
    return Panel("training step", y, (*bands, *lines), "x")


def apart(table):
    """By which the phases of each network come one after the other, the least of three numbers.

    They are decades from convergence to the fall of activity, less one; of that fall, less one; and doublings of time
    after it, less two: where the record does not tell that it has ended, as if it had at its last step.
    """
    last = table["steps"][-1]
    converged, begins, ends = np.minimum(located(table), last).T
    return np.min([np.log10(begins / converged) - 1, np.log10(ends / begins) - 1, np.log2(last / ends) - 2], axis=0)


def test_three_phases(small):
    """A decade after convergence, or later, activity begins to fall; it does so for a decade, and then it rests."""
    kind, find = small
    table = find()
    rivals = {"as with the published noise": lambda: np.resize(np.sign(apart(large())), len(apart(table)))}
    labels = dict(
        y="decades to the fall of activity, and of it, less one; doublings after it, less two: the least",
        about="ratzon-2024, Fig. 2B;ratzon-2024, Fig. 2C",
    )
    claim = "convergence, a decade at least, a fall of activity over a decade at least, and rest for two doublings"
    claim = f"a small corridor, strong noise: {claim}, in every network ({kind})"
    confront(claim, 1.0, lambda seed: apart(table), {}, Sign(), rivals, labels=labels, picture=shown(table))


def test_when_phases_end(small):
    """Measured: when small networks under strong noise have converged, begin to fall silent and have stopped."""
    kind, find = small
    table = find()
    row = in_turn(lambda seed: located(table))
    labels = dict(x="phase", y="training step", names=NAMES)
    what = f"When phases of learning begin and end in small corridors under strong noise ({kind})"
    runs = table["log_loss"].shape[1]
    found = measure(what, lambda k, seed: row(seed)[int(k)], range(3), runs=runs, labels=labels, log="y",
                    picture=shown(table))  # fmt: skip
    assert f"{runs} seeds" in found.says


def test_when_the_first_phase_ends_with_the_published_noise():
    """Measured: when networks of the published size have converged and begin to fall silent; none has stopped."""
    table = large()
    found, runs = located(table), table["log_loss"].shape[1]
    assert np.isinf(found[:, 2]).all()
    row = in_turn(lambda seed: found)
    labels = dict(x="phase", y="training step", names=NAMES[:2])
    told = measure("When phases of learning begin and end in the corridors of published size, of which none tells of a "
                   "third within a million steps", lambda k, seed: row(seed)[int(k)], range(2), runs=runs,
                   labels=labels, log="y", picture=shown(table))  # fmt: skip
    assert f"{runs} seeds" in told.says


# -- the last of them


def lost(table, window):
    """The share of active pairs that goes while the time doubles, by a line in logarithms through records in a window.

    For each network; all its records in the window count, so that few pairs, which waver, still tell of a trend.
    """
    chosen = (table["steps"] >= window[0]) & (table["steps"] <= window[1])
    slope = np.polyfit(np.log(table["steps"][chosen]), np.log(table["active_fraction"][chosen]), 1)[0]
    return 1 - 2**slope


def test_activity_stops_falling(small):
    """In the last three doublings of the time active pairs lose less than half of what they do in the directed phase.

    That is, of what there are, while the time doubles.  What they do there is taken from the same networks, at the
    lower end of an interval of its median, which fails once in a thousand times.
    """
    kind, find = small
    directed = median_interval(lost(find(), DIRECTED), 1e-3)[0]
    claim = f"a small corridor, strong noise: after the directed phase activity stays ({kind})"
    rivals = {"as in the directed phase": directed, "three quarters of it": 0.75 * directed}
    labels = dict(y="active pairs lost while the time doubles, of what there were", about="ratzon-2024, Fig. 2C")
    run = in_turn(lambda seed: lost(find(), LAST))
    confront(claim, 0.0, run, {}, Equivalent(directed / 2, runs=RUNS), rivals, labels=labels, picture=shown(find()))


def alike(table, ratio):
    """The correlation of populations at two of the last ten steps with about this ratio, mean over pairs of them."""
    late = table["steps"][-table["correlation"].shape[1] :]
    near = np.abs(np.log(late / late[:, None] / ratio)) < np.log(1.15)
    return table["correlation"][:, near].mean(axis=1)


def test_maps_go_on(small):
    """How much less alike populations are the more time has passed between them, when activity has stopped falling."""
    kind, find = small
    table = find()
    row = in_turn(lambda seed: np.array([alike(table, ratio) for ratio in RATIOS]).T)
    later = lambda ratio, seed: row(seed)[RATIOS.index(ratio)]  # noqa: E731
    since = table["steps"][-table["correlation"].shape[1]]
    labels = dict(x=f"ratio of two times after step {since - 1:,}", y="correlation of the populations at the two times")
    what = f"How a small corridor's maps go on changing when activity does not ({kind})"
    found = measure(what, later, RATIOS, runs=RUNS, log="x", labels=labels)
    assert f"{RUNS} seeds" in found.says
