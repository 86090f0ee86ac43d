"""Networks that learn to predict what they see in a corridor, with noise: what stays, what changes, and how fast.

The networks of the published size, 500 hidden units, 150 samples and a million steps, are stored; five are too few for
statistics, and what is asserted of them holds in every one.  Smaller ones are trained here, enough of them to state
both error rates.  A network has converged when its loss, on a logarithmic scale, has done nine tenths of its way.

The information is that of the same units on an unseen walk, twenty times as long as what was learnt from.  What is
published, of the samples that were learnt from, is mostly there with their places shuffled too.
"""

from dataclasses import fields, replace
from functools import cache
from math import inf
from pathlib import Path

import numpy as np
import pytest

from laws import Equivalent, Sign, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import corridor as corridors
from numerics.corridor import (
    Corridor,
    activities,
    load,
    occupancy,
    places,
    rate_maps,
    samples,
    spatial_information,
)
from numerics.ensemble import GradientDescent, Lazy, UpdateNoise, train
from numerics.store import versions

FIG_2 = "ratzon-2024, Fig. 2"
FIG_2C_E = "ratzon-2024, Fig. 2C-E"
FIG_2E = "ratzon-2024, Fig. 2E"
FIG_2B = "ratzon-2024, Fig. 2B"
GENERALITY = "ratzon-2024, Generality of the phenomenon"
FIG_2C = "ratzon-2024, Fig. 2C"
RECORD = Path(__file__).parent / "records" / "corridor" / "history.npz"
PUBLIC = Corridor.public_run()


def converged(history):
    """The first recorded step at which the loss has done nine tenths of its way, for each network; an index."""
    way = history.log_loss - history.log_loss[0]
    settled = np.median(history.log_loss[len(history.steps) // 2 :], axis=0) - history.log_loss[0]
    return (way <= 0.9 * settled).argmax(axis=0)


def since(history, values):
    """What has become of values, from where each network had converged: their change by the end."""
    return values[-1] - values[converged(history), np.arange(values.shape[1])]


# -- networks of the published size -------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["stored", pytest.param("newly trained", marks=pytest.mark.full)])
def published(request):
    """Histories of the published size: as stored, or trained anew, which goes on where it was stopped."""
    stored = load(RECORD)
    if request.param == "stored":
        return request.param, stored
    folder = request.config.cache.mkdir(f"corridor-{versions()['numerics']}")  # none outlives a change of the code
    return request.param, corridors.run(PUBLIC, seeds=stored.seeds.tolist(), folder=folder)


def courses(history, values, y, more=()):
    """A panel of what every network went through."""
    steps = history.steps[1:].tolist()
    each = [Series("rival", steps, row[1:].tolist(), f"network {k + 1}") for k, row in enumerate(values.T)]
    return Panel("training step", y, (*each, *more), "x")


def in_every_one(claim, published, by, name, values, y, more=()):
    """Confront: the number called `name`, by which each network obeys the claim, is positive in every one of them."""
    kind, history = published
    picture = courses(history, values(history), y, more)
    claim = f"{claim}, in every network ({kind})"
    confront(claim, 1.0, lambda seed: by(history), {}, Sign(), labels=dict(y=name, about=FIG_2), picture=picture)


def test_record_is_the_public_run(tmp_path):
    """The record holds public settings and a million steps, no network diverged; an altered record is refused."""
    history, altered = load(RECORD), bytearray(RECORD.read_bytes())
    assert history.corridor == PUBLIC and history.steps[-1] == 10**6 and history.backend == "compiled"
    assert len(history.seeds) == len(set(history.seeds.tolist())) >= 5 and np.isfinite(history.loss).all()
    altered[len(altered) // 2] ^= 1
    (tmp_path / "altered.npz").write_bytes(altered)
    with pytest.raises(ValueError, match="altered.npz"):
        load(tmp_path / "altered.npz")


def test_record_begins_as_networks_do():
    """The record's first steps are those of networks trained here, to what rounding makes of them, and no others."""
    history, few, draw = load(RECORD), slice(0, 11), np.random.default_rng(0).uniform
    for k, seed in enumerate(history.seeds.tolist()):
        seen, _ = samples(PUBLIC, seed)

        def losses(start, eta=PUBLIC.eta, seen=seen, seed=seed):
            same = dict(seeds=[seed], dtype="float32", noise=UpdateNoise(PUBLIC.sigma), start=start)
            steps = history.steps[few]
            return train(PUBLIC.network, seen.x, seen.y, steps=steps, by=GradientDescent(eta), **same).loss[:, 0]

        start = train(
            PUBLIC.network, seen.x, seen.y, seeds=[seed], steps=[0], by=GradientDescent(1.0), start=Lazy()
        ).final
        found, precision = losses(start), np.finfo(np.float32).eps
        moved = [np.abs(losses(start * (1 + precision * draw(-1, 1, start.shape))) - found) for _ in range(4)]
        bound = (18 + 500 + 17 + 150) * np.maximum(np.max(moved, axis=0), precision * found)
        off = lambda others, k=k: np.abs(others - history.loss[few, k])  # noqa: E731
        assert (off(found) <= bound).all() and (off(losses(start, 1.1 * PUBLIC.eta)) > bound)[1:].any()


def test_codes_become_sparse(published):
    """Long after convergence active pairs fall by half at least, and units die."""
    fallen = lambda h: -since(h, h.active_fraction) - h.active_fraction[0] / 2  # noqa: E731
    pairs = "fraction of active (unit, sample) pairs"
    claim, by = "more than half of the active pairs go", "active pairs lost, less half of those at first"
    in_every_one(claim, published, fallen, by, lambda h: h.active_fraction, pairs)
    died = lambda h: -since(h, h.active_units)  # noqa: E731
    by = "active units lost since convergence"
    in_every_one("units die", published, died, by, lambda h: h.active_units, "active units of 500")


def test_activity_is_still_falling(published):
    """At a million steps active pairs still fall: the undirected phase is not reached, and nothing is said of it."""
    last = lambda h: h.active_fraction[-3] - h.active_fraction[-1]  # noqa: E731
    claim = "after a million steps activity is still falling"
    by, pairs = "active pairs lost over the last three records", "fraction of active (unit, sample) pairs"
    in_every_one(claim, published, last, by, lambda h: h.active_fraction, pairs)


def test_units_tell_more(published):
    """Units that are left tell more of the place, on a walk that was not learnt from."""
    more = lambda h: since(h, h.unseen_information)  # noqa: E731
    unit = "information on an unseen walk (bits)"
    claim, by = "information on an unseen walk rises", "rise of the information since convergence (bits)"
    in_every_one(claim, published, more, by, lambda h: h.unseen_information, unit)


def test_published_information_is_mostly_bias(published):
    """Most of the information as published, and of its rise, is there too where places are shuffled."""
    most = lambda h: np.minimum(  # noqa: E731
        h.shuffled_information[-1] - h.information[-1] / 2,
        since(h, h.shuffled_information) - since(h, h.information) / 2,
    )
    history = published[1]
    middle = np.median(history.information, axis=1)[1:].tolist()
    shown = Series("law", history.steps[1:].tolist(), middle, "places as they are, median")
    claim = "most information in samples learnt from, and most of its rise, survives a shuffling of places"
    unit = "information, places shuffled (bits)"
    by = "what survives, less half: of the information or of its rise, the lesser (bits)"
    in_every_one(claim, published, most, by, lambda h: h.shuffled_information, unit, (shown,))


def test_loss_stays_meanwhile(published):
    """Meanwhile the loss, median over the records of a decade, moves by less than a quarter of the decades learnt."""

    def kept(history):
        decade = lambda a, b: np.median(history.log_loss[(history.steps >= a) & (history.steps <= b)], axis=0)  # noqa: E731
        before, after = decade(10**4, 10**5), decade(10**5, 10**6)
        return (history.log_loss[0] - before) / 4 - np.abs(after - before)

    unit = "log₁₀ of the loss over that of the mean"
    claim = "over the last decade of steps the loss moves by less than a quarter of what was learnt"
    by = "a quarter of what was learnt, less the loss's move (decades)"
    in_every_one(claim, published, kept, by, lambda h: h.log_loss, unit)


def test_decoding_pays(published):
    """The place of unseen samples is decoded less well at the end than after convergence, and better than by chance."""
    worse = lambda h: np.minimum(since(h, h.decoding_error), h.chance_error - h.decoding_error[-1])  # noqa: E731
    chance = float(np.median(published[1].chance_error))
    guess = Series("law", [1, 10**6], [chance, chance], "chance, median")
    claim, unit = "drift costs some of the decoding of unseen samples, and not all", "decoding error (units of length)"
    by = "rise of the error, or what is left to chance, the lesser"
    in_every_one(claim, published, worse, by, lambda h: h.decoding_error, unit, (guess,))


def test_phases(published):
    """The drift that makes codes sparse begins when ten times the steps of convergence have long gone by."""

    def apart(history):
        lost = history.active_fraction[0] - history.active_fraction
        begins = history.steps[np.argmax(lost >= lost[-1] / 10, axis=0)]
        return np.log10(begins / history.steps[converged(history)]) - 1

    claim = "directed drift begins more than ten times later than convergence"
    by, unit = "decades between convergence and drift, beyond the first", "log₁₀ of the loss over that of the mean"
    in_every_one(claim, published, apart, by, lambda h: h.log_loss, unit)


def rates(history, windows):
    """How much the correlation of the population falls per step from the beginning to the end of each window."""
    at = [[int(np.abs(history.steps - step).argmin()) for step in window] for window in windows]
    return np.array([
        (1 - history.correlation[:, i, j]) / (history.steps[j] - history.steps[i]) for i, j in at
    ]).T  # fmt: skip


def test_maps_change_and_slow_down(published):
    """Rate maps lose their correlation with what they were, and from decade to decade more slowly."""
    windows = ((10**4, 2 * 10**4), (10**5, 2 * 10**5), (5 * 10**5, 10**6))
    slower = lambda h: -np.diff(np.log(rates(h, windows)), axis=1).max(1) - np.log(1.5)  # noqa: E731
    claim = "rate maps change, and from decade to decade more slowly by half at least"
    after = lambda h: np.array([h.correlation[k, i] for k, i in enumerate(converged(h))]).T  # noqa: E731
    unit = "correlation of the population with that after convergence"
    by = "ln of the slowing from decade to decade, beyond ln 1.5"
    in_every_one(claim, published, slower, by, after, unit)


# -- smaller networks, enough for statistics ----------------------------------------------------------------------

SMALL = replace(PUBLIC, length=5.0, rays=5, samples=40, hidden=100, sigma=0.005, steps=80_000)
STEPS = (5000, 20_000, 80_000)
RUNS = 37  # so many votes tell a sign that holds in 99 of 100 networks from a coin


@cache
def small(seed, networks=RUNS, **changed):
    """The history of small networks whose seeds are drawn from one; three are spare, for those that diverge."""
    seeds = np.random.SeedSequence(seed).generate_state(networks + 3, np.uint64).tolist()
    history = corridors.run(replace(SMALL, **dict(changed)), seeds=seeds, records=40)
    kept = np.flatnonzero(np.isfinite(history.loss[-1]))[:networks]
    assert len(kept) == networks, f"{networks + 3 - len(kept)} of {networks + 3} networks diverged"
    every = {field.name: getattr(history, field.name) for field in fields(history)}
    courses = {name: v[:, kept] for name, v in every.items() if np.shape(v) == history.loss.shape}
    each = {name: every[name][kept] for name in ("seeds", "chance_error", "correlation")}
    return replace(history, **courses, **each)


def at(history, step):
    """The recorded step that is nearest to one; an index."""
    return int(np.abs(history.steps - step).argmin())


TRENDS = {
    "active pairs fall": (-1.0, lambda h: h.active_fraction, "fraction of active (unit, sample) pairs"),
    "units die": (-1.0, lambda h: h.active_units, "active units of 100"),
    "information on an unseen walk rises": (1.0, lambda h: h.unseen_information, "information, unseen walk (bits)"),
    "rate maps leave what they were": (
        -1.0,
        lambda h: h.correlation[:, at(h, 1000)].T,
        "correlation of the population with that at step 1,000",
    ),
}


@pytest.mark.parametrize("name", TRENDS)
def test_small_networks_drift(name):
    """What the large networks do in every case, small ones do with stated error rates."""
    sign, values, unit = TRENDS[name]
    row = in_turn(lambda seed: values(small(seed))[[at(small(seed), step) for step in STEPS]].T)
    drift = lambda step, seed: row(seed)[STEPS.index(step)]  # noqa: E731
    rivals = {"it stays": 0.0, "the other way": -sign}
    labels = dict(x="training step", y=unit, about=FIG_2C_E)
    confront(f"a small corridor: {name}", sign, drift, {}, Trend(STEPS, excess=0.49), rivals, labels=labels)


def test_small_networks_slow_down():
    """Rate maps of small networks change more slowly the longer they have drifted."""
    ends = (5000, 20_000, 80_000)
    row = in_turn(lambda seed: rates(small(seed), [(end // 2, end) for end in ends]))
    slowing = lambda step, seed: row(seed)[ends.index(step)]  # noqa: E731
    labels = dict(x="training step", y="loss of correlation per step, since half as many steps", about=FIG_2E)
    rivals = {"as fast ever after": 0.0, "faster": 1.0}
    claim = "a small corridor: rate maps change ever more slowly"
    confront(claim, -1.0, slowing, {}, Trend(ends, excess=0.49), rivals, labels=labels)


def between(history, values):
    """Medians of values over records from step 2,000 to 20,000, and from step 30,000 to the end, for each network."""
    first = (history.steps >= 2000) & (history.steps <= 20_000)
    return np.median(values[first], axis=0), np.median(values[history.steps >= 30_000], axis=0)


def lost(history):
    """The share of active pairs that has gone meanwhile, for each network."""
    before, after = between(history, history.active_fraction)
    return 1 - after / before


def price(history):
    """By how much loss and decoding got worse: of the decades that were learnt, and of chance; shape (networks, 2)."""
    before, after = between(history, history.log_loss)
    loss = (after - before) / (history.log_loss[0] - before)
    before, after = between(history, history.decoding_error)
    return np.maximum([loss, (after - before) / history.chance_error], 0).T


def test_small_networks_pay_nothing():
    """Meanwhile neither loss nor decoding gets worse: by less than a tenth of what was learnt, and of chance."""
    pairs = float(np.median(lost(small(10**6, 8))))
    rivals = {"as much as active pairs are lost": lambda: np.full(2, pairs), "all is lost": lambda: np.ones(2)}
    both = ["loss, of the decades learnt", "decoding, of the error by chance"]
    labels = dict(runs=both, y="how much worse it got", about=FIG_2B)
    claim = "a small corridor: neither loss nor decoding pays for the drift"
    run = in_turn(lambda seed: price(small(seed)))
    confront(claim, lambda: np.zeros(2), run, {}, Equivalent(0.1, runs=RUNS), rivals, labels=labels)


def test_nothing_drifts_without_noise():
    """Without noise the same small networks keep their active pairs, but for a tenth."""
    with_noise = float(np.median(lost(small(10**6, 8))))
    labels = dict(y="active pairs lost, of what there were", about=GENERALITY)
    claim = "a small corridor: without noise codes stay as they are"
    rivals = {"as with noise": with_noise, "half as much": with_noise / 2}
    run = in_turn(lambda seed: lost(small(seed, sigma=0.0)))
    confront(claim, 0.0, run, {}, Equivalent(0.1, runs=RUNS), rivals, labels=labels)


# -- what the information is about --------------------------------------------------------------------------------


@cache
def told(seed, blur, networks=20):
    """Bits of units on a long unseen walk, with places as they are and shuffled; (networks, 2), medians."""
    corridor, found = replace(SMALL, blur=blur, steps=20_000), []
    for own in np.random.SeedSequence(seed).generate_state(networks).tolist():
        seen, unseen = samples(corridor, own, unseen=500 * corridor.samples)
        noise = UpdateNoise(corridor.sigma)
        theta = train(corridor.network, seen.x, seen.y, seeds=[own], steps=[corridor.steps], noise=noise,
                      by=GradientDescent(corridor.eta), start=Lazy(), dtype="float32").final[0]  # fmt: skip
        h = activities(corridor, theta, unseen.x)
        h = h[:, (h > 0).any(0)]
        where = places(unseen.position, unseen.direction, length=corridor.length)
        elsewhere = np.random.default_rng(own).permuted(where)
        found.append([np.median(spatial_information(occupancy(w), rate_maps(h, w))) for w in (where, elsewhere)])
    return np.array(found)


def test_information_is_of_the_walls():
    """With bare walls, or with places shuffled, units tell nothing: less than a twentieth of what they did."""
    both = float(np.median(told(10**6, SMALL.blur, 8)[:, 0]))

    def left(seed):
        bare, textured = told(seed, inf), told(seed, SMALL.blur)
        return np.array([bare[:, 0] - bare[:, 1], textured[:, 1]]).T

    labels = dict(runs=["bare walls", "places shuffled"], y="information on an unseen walk (bits)", about=FIG_2C)
    claim = "without texture, or with places shuffled, units tell nothing of the place"
    rivals = {"as much as with both": lambda: np.full(2, both), "a tenth of it": lambda: np.full(2, both / 10)}
    confront(claim, lambda: np.zeros(2), in_turn(left), {}, Equivalent(both / 20, runs=20), rivals, labels=labels)


# -- measured, not judged -----------------------------------------------------------------------------------------


MEASURED = {
    "How much of the published information is left if places are shuffled": (
        lambda h: h.shuffled_information / h.information,
        "information with places shuffled, of what is found as they are",
    ),
    "How far off the place is decoded as codes drift": (
        lambda h: h.decoding_error / h.chance_error,
        "decoding error on unseen samples, of that by chance",
    ),
}


@pytest.mark.parametrize("what", MEASURED)
def test_measured(what):
    """What is seen in too few networks for more than a median and its range."""
    history, levels = load(RECORD), [1.0, 1e3, 1e4, 1e5, 1e6]
    values, unit = MEASURED[what]
    row = in_turn(lambda seed: values(history)[[at(history, step) for step in levels]].T)
    found = measure(what, lambda step, seed: row(seed)[levels.index(step)], levels, runs=len(history.seeds), log="x",
                    labels=dict(x="training step", y=unit))  # fmt: skip
    assert f"{len(history.seeds)} seeds" in found.says
