"""Networks that learn to predict what they see in a corridor, with noise: what stays, what changes, and how fast.

The networks of the published size, 500 hidden units, 150 samples and a million steps, are stored; five are too few for
statistics, and what is asserted of them holds in every one.  A network has converged when its loss, on a logarithmic
scale, has done nine tenths of its way.

What units tell is told of an unseen walk, twenty times as long as what was learnt from and with no heading that was
not learnt, over what the same walk tells with its places shuffled.  What is published, of the samples that were learnt
from, is mostly there with their places shuffled too.
"""

import fcntl
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Sign, confront, measure
from laws.judges import in_turn
from laws.judges.confrontation import fresh
from laws.judges.verdict import Panel, Series
from numerics import corridor as corridors
from numerics.corridor import Corridor, load, samples
from numerics.ensemble import GradientDescent, Lazy, train

FIG_2 = "ratzon-2024, Fig. 2"
RECORD = Path(__file__).parent / "records" / "corridor" / "history.npz"
PUBLIC = Corridor.public_run()
NETWORKS = 5
COLUMNS = (
    "loss",
    "log_loss",
    "active_units",
    "active_fraction",
    "place_cells",
    "information",
    "shuffled_information",
    "unseen_information",
    "unseen_shuffled_information",
    "unseen_log_loss",
    "decoding_error",
)


def converged(history):
    """The first recorded step at which the loss has done nine tenths of its way, for each network; an index."""
    way = history.log_loss - history.log_loss[0]
    settled = np.median(history.log_loss[len(history.steps) // 2 :], axis=0) - history.log_loss[0]
    return (way <= 0.9 * settled).argmax(axis=0)


def since(history, values):
    """What has become of values, from where each network had converged: their change by the end."""
    return values[-1] - values[converged(history), np.arange(values.shape[1])]


# -- networks of the published size -------------------------------------------------------------------------------


@cache
def stored():
    """The histories of the record."""
    return load(RECORD)


@cache
def anew(seed, folder):
    """Histories of networks that are trained to the end here, or go on where they were stopped."""
    whole = Path(folder) / str(seed)
    whole.mkdir(parents=True, exist_ok=True)
    with (whole / "lock").open("w") as lock:  # of several processes one trains, and the others take what it kept
        fcntl.flock(lock, fcntl.LOCK_EX)
        return corridors.run(PUBLIC, seeds=range(seed, seed + NETWORKS), folder=whole)


ANEW = (pytest.mark.full, pytest.mark.timeout(7200))


@pytest.fixture(scope="module", params=["stored", pytest.param("newly trained", marks=ANEW)])
def published(request, folder_of):
    """How networks of the published size came to be, and a function that finds their histories; seeds may be fresh."""
    if request.param == "stored":
        return request.param, stored
    return request.param, lambda: anew(fresh(0, "the published corridors"), folder_of("corridor"))


def courses(history, values, y, more=()):
    """A panel of what every network went through."""
    steps = history.steps[1:].tolist()
    each = [Series("rival", steps, row[1:].tolist(), f"network {k + 1}") for k, row in enumerate(values.T)]
    return Panel("training step", y, (*each, *more), "x")


def control(history, values, label):
    """A line of medians to compare a panel of courses with."""
    return (Series("rival", history.steps[1:].tolist(), np.median(values, axis=1)[1:].tolist(), label),)


def in_every_one(claim, published, by, name, values, y, more=lambda history: ()):
    """Confront: the number called `name`, by which each network obeys the claim, is positive in every one of them."""
    kind, find = published
    history = find()
    picture = courses(history, values(history), y, more(history))
    claim = f"{claim}, in each of {NETWORKS} networks ({kind})"
    confront(claim, 1.0, lambda seed: by(history), {}, Sign(), labels=dict(y=name, about=FIG_2), picture=picture)


def test_record_is_the_public_run(tmp_path):
    """The record holds public settings and a million steps, no network diverged; an altered record is refused."""
    history, altered = stored(), bytearray(RECORD.read_bytes())
    assert history.corridor == PUBLIC and history.steps[-1] == 10**6 and history.backend == "compiled"
    assert history.seeds.tolist() == list(range(NETWORKS)) and np.isfinite(history.loss).all()
    altered[len(altered) // 2] ^= 1
    (tmp_path / "altered.npz").write_bytes(altered)
    with pytest.raises(ValueError, match="altered.npz"):
        load(tmp_path / "altered.npz")


ROUNDING = (18 + 500 + 17 + 150) * float(np.finfo(np.float32).eps)  # of the longest chain of sums of one step


def retold(seeds, steps):
    """Histories of networks trained here; of the same ones from starts off by rounding; and with a tenth more step."""
    seen, draw = [samples(PUBLIC, seed)[0] for seed in seeds], np.random.default_rng(0).uniform
    x, y = (np.array([getattr(one, part) for one in seen]) for part in ("x", "y"))
    start = train(PUBLIC.network, x, y, seeds=seeds, steps=[0], by=GradientDescent(1.0), start=Lazy()).final

    def run(theta, eta=PUBLIC.eta):
        return corridors.run(replace(PUBLIC, steps=steps[-1], eta=eta), seeds=seeds, records=steps, start=theta)

    near = [run(start * (1 + ROUNDING * draw(-1, 1, start.shape))) for _ in range(2)]
    return run(start), near, run(start, 1.1 * PUBLIC.eta)


def off(name, kept, one, found, near, precision=ROUNDING):
    """How far one history's column is from what is kept, over what rounding makes of it; where there is a number."""
    column = lambda history: np.asarray(getattr(history, name), float)  # noqa: E731
    moved = np.max([np.abs(column(other) - column(found)) for other in near], axis=0)
    over = np.abs(column(one) - kept) / (moved + precision * (1 + np.abs(kept)))
    assert (np.isnan(column(one)) == np.isnan(kept)).all()
    return np.nanmax(over)


def test_record_begins_as_networks_do():
    """All that is kept of the record's first hundred steps is what networks trained here show, and others do not."""
    history, few = stored(), [0, 10, 15]
    found, near, other = retold(history.seeds.tolist(), history.steps[few].tolist())
    kept = {name: getattr(history, name)[few] for name in COLUMNS}
    kept["correlation"] = history.correlation[np.ix_(range(NETWORKS), few, few)]
    here = {name: off(name, values, found, found, near) for name, values in kept.items()}
    there = {name: off(name, values, other, found, near) for name, values in kept.items()}
    counts = ("active_units", "place_cells")  # which a tenth of the step does not change: those of other networks
    there |= {name: off(name, np.roll(kept[name], 1, axis=1), found, found, near) for name in counts}
    assert max(here.values()) <= 1 < min(there.values()), (here, there)
    np.testing.assert_array_equal(history.chance_error, found.chance_error)


def test_record_keeps_rate_maps():
    """The rate maps that are kept of step 1,000 are those of a network trained here, and not those of another."""
    history = stored()
    found, near, other = retold(history.seeds[:1].tolist(), [0, int(history.snapshots[0])])
    kept, half = np.array([history.maps[0].astype(float)] * len(found.maps)), float(np.finfo(np.float16).eps)
    here, there = (off("maps", kept, one, found, near, half) for one in (found, other))
    assert here <= 1 < there


def test_codes_become_sparse(published):
    """Long after convergence active pairs fall by half at least, and units die."""
    fallen = lambda h: -since(h, h.active_fraction) - h.active_fraction[0] / 2  # noqa: E731
    pairs = "fraction of active (unit, sample) pairs"
    claim, by = "more than half of the active pairs fall silent", "active pairs lost, less half of those at first"
    in_every_one(claim, published, fallen, by, lambda h: h.active_fraction, pairs)
    died = lambda h: -since(h, h.active_units)  # noqa: E731
    by = "active units lost since convergence"
    in_every_one("units die", published, died, by, lambda h: h.active_units, "active units of 500")


def test_activity_is_still_falling(published):
    """By the millionth step active pairs still fall: the undirected phase is not reached, and nothing is said of it."""
    last = lambda h: h.active_fraction[-3] - h.active_fraction[-1]  # noqa: E731
    claim = "activity is still falling by the millionth step"
    by, pairs = "active pairs lost over the last three records", "fraction of active (unit, sample) pairs"
    in_every_one(claim, published, last, by, lambda h: h.active_fraction, pairs)


def test_units_tell_more(published):
    """After convergence units come to tell more of the place, on a walk that was not learnt from."""
    more = lambda h: since(h, h.place_information())  # noqa: E731
    shown = lambda h: control(h, h.unseen_shuffled_information, "places shuffled, median")  # noqa: E731
    unit = "information on an unseen walk (bits)"
    claim = "after convergence units come to tell more of the place on an unseen walk"
    by = "rise of the difference since convergence (bits)"
    in_every_one(claim, published, more, by, lambda h: h.unseen_information, unit, shown)


def test_places_stay_decodable(published):
    """Of how well a place is decoded on learnt headings, as of chance, a smaller share is lost than of active pairs."""

    def cheaper(history):
        pairs, told = history.active_fraction, history.chance_error - history.decoding_error
        start = converged(history), np.arange(pairs.shape[1])
        return since(history, told) / told[start] - since(history, pairs) / pairs[start]

    shown = lambda h: control(h, np.broadcast_to(h.chance_error, h.loss.shape), "chance, median")  # noqa: E731
    unit = "decoding error on an unseen walk (units of length)"
    claim = "decoding of the place, on learnt headings, loses a smaller share than active pairs do"
    by = "share of active pairs that is lost, less the share lost of the gain of decoding over chance"
    in_every_one(claim, published, cheaper, by, lambda h: h.decoding_error, unit, shown)


def test_prediction_is_lost_between_samples(published):
    """What is seen on unseen steps is predicted ever worse, by much more than what was learnt."""
    worse = lambda h: since(h, h.unseen_log_loss) - 2 * np.maximum(since(h, h.log_loss), 0)  # noqa: E731
    shown = lambda h: control(h, h.log_loss, "learnt samples, median")  # noqa: E731
    unit = "log₁₀ of the loss on an unseen walk over that of the mean"
    claim = "after convergence the loss on unseen steps rises, by more than twice the decades of that on learnt ones"
    by = "rise of log₁₀ of the unseen loss, less twice that of the learnt (0 if that falls)"
    in_every_one(claim, published, worse, by, lambda h: h.unseen_log_loss, unit, shown)


def test_unseen_steps_are_predicted_worse_than_by_the_constant(published):
    """At the end what is seen on unseen steps is predicted worse than by the mean of what was learnt."""
    worse = lambda h: h.unseen_log_loss[-1]  # noqa: E731
    shown = lambda h: control(h, h.log_loss, "learnt samples, median")  # noqa: E731
    unit = "log₁₀ of the loss on an unseen walk over that of the mean"
    claim = "by the millionth step unseen steps are predicted worse than by a constant"
    in_every_one(claim, published, worse, f"{unit}, at the end", lambda h: h.unseen_log_loss, unit, shown)


def test_published_information_is_mostly_bias(published):
    """Most of the information as published, and of its rise, is there too where places are shuffled."""
    most = lambda h: np.minimum(  # noqa: E731
        h.shuffled_information[-1] - h.information[-1] / 2,
        since(h, h.shuffled_information) - since(h, h.information) / 2,
    )
    shown = lambda h: control(h, h.information, "places as they are, median")  # noqa: E731
    claim = "information in samples learnt from, and its rise, are mostly there with places shuffled too"
    unit = "information, places shuffled (bits)"
    by = "with places shuffled, less half of it as it is: information or its rise, the lesser (bits)"
    in_every_one(claim, published, most, by, lambda h: h.shuffled_information, unit, shown)


def test_time_scales(published):
    """Codes become sparse more than a thousand times more slowly than networks converge."""

    def apart(history):
        lost = history.active_fraction[0] - history.active_fraction
        half = history.steps[np.argmax(lost >= lost[-1] / 2, axis=0)]
        return np.log10(half / history.steps[converged(history)]) - 3

    def both(history):
        """Where each network has converged, and where half of what it loses by the end is lost."""
        pairs = history.active_fraction
        lost = pairs[0] - pairs
        ends = {"converged": converged(history), "half of the drift": np.argmax(lost >= lost[-1] / 2, axis=0)}
        each = np.arange(pairs.shape[1])
        roles = zip(("run", "rival"), ends.items(), strict=True)
        return [
            Series(role, history.steps[k].tolist(), pairs[k, each].tolist(), name, joined=False)
            for role, (name, k) in roles
        ]

    claim = "half of the drift seen so far takes more than a thousand times as long as convergence"
    unit, by = "fraction of active (unit, sample) pairs", "decades from convergence to half of the drift, less three"
    in_every_one(claim, published, apart, by, lambda h: h.active_fraction, unit, both)


def test_maps_change_and_slow_down(published):
    """Rate maps lose their correlation with what they were, over equal times less and less."""
    windows = ((40_000, 230_000), (128_000, 309_000), (555_000, 745_000))  # some 185,000 steps each
    slower = lambda h: -np.diff(np.log(h.changes(windows)), axis=1).max(1)  # noqa: E731
    claim = "over equal times rate maps change less the later it is"
    after = lambda h: np.array([h.correlation[k, i] for k, i in enumerate(converged(h))]).T  # noqa: E731
    unit = "correlation of the population with that after convergence"
    by = "fall of ln(change) from one of three equal times to the next, the lesser of two"
    in_every_one(claim, published, slower, by, after, unit)


# -- measured, not judged -----------------------------------------------------------------------------------------


MEASURED = {
    "How much of the published information is left if places are shuffled": (
        lambda h: h.shuffled_information / h.information,
        "information with places shuffled, of what is found as they are",
    ),
    "How much the loss rises as codes drift": (
        lambda h: h.log_loss - np.median(h.log_loss[(h.steps >= 1000) & (h.steps <= 10**4)], axis=0),
        "log₁₀ of the loss over its median from step 1,000 to 10,000",
    ),
    "How far off the place is decoded as codes drift": (
        lambda h: h.decoding_error / h.chance_error,
        "decoding error on an unseen walk, of that by chance",
    ),
}


@pytest.mark.parametrize("what", MEASURED)
def test_measured(what):
    """Measured in the five stored networks: information with places shuffled, loss and decoding over time."""
    history, levels = stored(), [1.0, 1e3, 1e4, 1e5, 1e6]
    values, unit = MEASURED[what]
    row = in_turn(lambda seed: values(history)[[history.at(step) for step in levels]].T)
    found = measure(what, lambda step, seed: row(seed)[levels.index(step)], levels, runs=len(history.seeds), log="x",
                    labels=dict(x="training step", y=unit))  # fmt: skip
    assert f"{len(history.seeds)} seeds" in found.says
