"""How general the drift towards sparsity is: what holds over all axes of the published sweep, and what does not.

Two records hold the curves of 1e6 steps: of a sweep of 384 networks (`python -m numerics.generality --size full`), and
of forty more with tanh and linear units.  With `--full` all of them are made anew, from other seeds if these are fresh.
Activity is the fraction of active (unit, sample) pairs of ReLU networks, and for any activation the number of units
that carry the output.

Sixteen networks of the first record, and one of the second, are one draw of rule, activation, sizes and noise; they
share it, and have one vote, whatever their tasks, starts and seeds.
"""

import fcntl
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Sign, confront
from laws.judges import in_turn, measure
from laws.judges.confrontation import fresh
from laws.judges.verdict import Panel, Series
from numerics.generality import (
    ACTIVATIONS,
    MEASURES,
    RULES,
    STEADY,
    TOGETHER,
    Outcome,
    Part,
    Sweep,
    alike,
    begun,
    train,
)
from numerics.store import Store, versions
from numerics.sweep import Local, Packed, sweep

FIG_3A = "ratzon-2024, Fig. 3A"
TABLE_1 = "ratzon-2024, Table 1"
RECORD = Store(Path(__file__).parent / "records" / "generality")
HIDDEN = 100


def designs(seed):
    """The sweep, and single networks with other units than ReLUs."""
    more = Sweep(networks=120, steps=10**6, seed=seed + 1, together=1)
    return Sweep(networks=384, steps=10**6, seed=seed), Part(more, ACTIVATIONS[1:], STEADY)


@cache
def stored():
    """The networks of the records."""
    return Outcome(designs(1), [RECORD.load(whole) for whole in designs(1)])


@cache
def anew(seed, folder):
    """The networks of the designs from this seed, all made here; this goes on where it was stopped."""
    store, sweeps = Store(folder), designs(seed)
    with (Path(folder) / "lock").open("w") as lock:  # of several processes one trains, and the others load
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = sweep(Packed(train, alike, TOGETHER), [s for one in sweeps for s in one.settings()], store, on=Local())
    assert not report.failed, report
    return Outcome(sweeps, [whole.table(store) for whole in sweeps])


@pytest.fixture(params=["stored", pytest.param("new", marks=[pytest.mark.full, pytest.mark.timeout(7200)])])
def swept(request, made):
    """A function: whether networks are stored or new, and what came of them; seeds of new ones may be fresh."""
    return lambda: (request.param, stored() if request.param == "stored" else made())


@pytest.fixture
def made(folder_of):
    """A function that makes the networks anew, or finds those that it has made."""
    return lambda: anew(fresh(1, "the whole sweep"), folder_of("generality"))


def unlike(one, other, records=slice(None)):
    """Which networks of two have other curves, if they are compared at these records."""
    pairs = [(one.curves[name][records], other.curves[name][records]) for name in one.curves]
    return np.any([((a != b) & ~(np.isnan(a) & np.isnan(b))).any(0) for a, b in pairs], axis=0)


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_new_networks_are_those_of_the_record(made):
    """Networks made anew from the stored seeds begin as the stored ones; by the stored versions they are the same.

    From other seeds every one of them is another.
    """
    new, old = made(), stored()
    if fresh(1, "the whole sweep") != 1:
        assert unlike(new, old).all()
        return
    assert not unlike(new, old, slice(1)).any()
    entries = [RECORD.find(whole) for whole in designs(1)]
    if all(entry is not None and entry.versions == versions() for entry in entries):
        assert not unlike(new, old).any()


EPS = float(np.finfo(np.float32).eps)
FEW = 7  # records, of the first 38 steps


def off(kept, found, near, roundings):
    """How far what is kept of some networks is from what they show here, over what rounding makes of it, by name."""
    over = {}
    for name in [name for name in kept if name != "steps"]:
        values, others = (
            np.stack([np.stack([run[name] for run in runs], 1) for runs in many]) for many in (found, near)
        )
        assert (np.isnan(values[0]) == np.isnan(kept[name])).all(), name
        bound = roundings * np.maximum(np.abs(others - values[0]).max(0), EPS * (1 + np.abs(values[0])))
        over[name] = np.nan_to_num(np.abs(values - kept[name]) / bound).max((1, 2))
    return over


@pytest.mark.parametrize("which", [0, 1], ids=["sweep", "other units"])
def test_records_begin_as_networks_do(which):
    """All that is kept of every network's first steps is what it shows here, to rounding, and not with another step."""
    whole, draw = designs(1)[which], np.random.default_rng(0).uniform
    kept, settings, blocks = RECORD.load(whole), whole.settings(), whole.blocks()
    seen = dict.fromkeys(kept, False)
    for inside in [np.flatnonzero(blocks == block) for block in np.unique(blocks)]:
        many, steps = [settings[k] for k in inside], kept["steps"][:FEW]
        x, y, start = begun(many)
        roundings = x.shape[1] + x.shape[2] + y.shape[2] + HIDDEN  # in the longest chain of sums of one step
        near = [train(many, steps, start * (1 + EPS * draw(-1, 1, start.shape))) for _ in range(4)]
        other = train([replace(one, by=replace(one.by, eta=1.1 * one.by.eta)) for one in many], steps)
        found = off(
            {k: v[:FEW, inside] for k, v in kept.items() if k != "steps"}, [train(many, steps), other], near, roundings
        )
        for name, (here, there) in found.items():
            assert here <= 1, (name, inside[0])
            seen[name] |= there > 1
    varied = [name for name, v in kept.items() if name != "steps" and np.nanmin(v) < np.nanmax(v)]
    assert all(seen[name] for name in varied) and "carriers" in varied, seen


# -- sparser


def test_every_network_becomes_sparser(swept, histogram):
    """In no draw has one ReLU network as many active pairs after 1e6 steps as after 1e4, but for error descent.

    Of 192 networks two are left out, which diverge under noise of their updates.
    """
    kind, one = swept()
    most = one.votes(one.kept("active_fraction") - 1, one.relu & one.steady, np.max)
    rivals = {"as without noise": lambda: np.resize(without_noise(), len(most))}
    labels = dict(y="change of active pairs, of the network that keeps most", about=FIG_3A)
    claim = f"not one network of a draw keeps its active pairs ({kind} sweep)"
    picture = histogram(one)
    confront(claim, -1.0, lambda seed: most, {}, Sign("draw"), rivals, labels=labels, picture=picture)


@cache
def without_noise():
    """The sign of the change of active pairs of the first ensemble without its noise, from 1e4 to 2e4 steps."""
    settings = [replace(one, noise=None) for one in designs(1)[0].settings()[:TOGETHER]]
    return np.array([np.sign(np.diff(run["active_fraction"])[0]) for run in train(settings, np.array([10**4, 20_000]))])


def test_adaptive_rules_gather(swept, by_factor):
    """Under Adam and RMSprop what tanh and linear networks say comes to rest on fewer units, in every network."""
    kind, one = swept()
    adaptive = one.steady & ~one.relu & np.isin(one.kinds["rule"], ("Adam", "RMSprop"))
    most = one.votes(one.kept("carriers") - 1, adaptive, np.max)
    spread = one.votes(one.kept("carriers") - 1, of_tanh(one, "update noise"))
    rivals = {"as under update noise": lambda: np.resize(np.sign(spread), len(most))}
    labels = dict(y="change of the units that carry the output, of the network that keeps most", about=FIG_3A)
    picture = by_factor(one, "carriers", one.steady & ~one.relu)
    claim = f"Adam and RMSprop gather what tanh and linear units carry ({kind} sweep)"
    confront(claim, -1.0, lambda seed: most, {}, Sign("draw"), rivals, labels=labels, picture=picture)


def of_tanh(one: Outcome, rule: str):
    """Which networks are of tanh units, by one rule."""
    return one.steady & (one.kinds["activation"] == "tanh") & (one.kinds["rule"] == rule)


def test_hyperbolic_tangents(swept):
    """Update noise spreads what tanh networks say over more units, and label noise gathers it, in every draw."""
    kind, one = swept()
    changes = [one.votes(one.kept("carriers") - 1, of_tanh(one, rule)) for rule in ("update noise", "label noise")]
    signs = np.repeat([1.0, -1.0], [len(part) for part in changes])
    labels = dict(y="change of the units that carry the output, median of a draw", about=FIG_3A)
    claim = f"update noise spreads what tanh units carry, label noise gathers it ({kind} sweep)"
    run = lambda seed: np.concatenate(changes)  # noqa: E731
    confront(claim, lambda: signs, run, {}, Sign("draw"), {"fewer under both": -1.0}, labels=labels)


def test_error_descent_diverges(swept):
    """Stochastic error descent with steps of 0.9 to 1 loses networks in every draw."""
    kind, one = swept()
    lost = one.votes(~one.alive * 1.0, one.kinds["rule"] == "SED", np.mean)
    adam = one.votes(~one.alive * 1.0, one.relu & (one.kinds["rule"] == "Adam"), np.mean)
    rivals = {"as under Adam": lambda: np.resize(np.sign(adam), len(lost))}
    gone = (one.kinds["rule"] == "SED") & ~one.alive
    last = [one.steps[max(np.isfinite(loss).sum() - 1, 0)] for loss in one.curves["loss"][:, gone].T]
    dots = Series("run", sorted(map(float, last)), list(range(1, len(last) + 1)), "networks that have diverged")
    labels = dict(y="fraction of the networks of a draw that diverge", about=TABLE_1)
    claim = f"error descent at the published step loses networks in every draw ({kind} sweep)"
    confront(claim, 1.0, lambda seed: lost, {}, Sign("draw"), rivals, labels=labels,
             picture=Panel("last recorded step of finite loss", "networks", (dots,)))  # fmt: skip


def test_how_many_units_are_left():
    """How many of 100 units are left by each rule, where the fall is over; rules differ in sizes and noise, too."""
    one = stored()
    final, names = one.curves["active_units"][-1], one.kinds["rule"]
    ended = one.relu & one.alive & ~one.on_axis
    ended[ended] = np.isfinite(one.time_constants(ended))
    left = {rule: final[ended & (names == rule)] for rule in RULES}
    left = {rule: units for rule, units in left.items() if len(units) >= 3}
    few, rules = min(map(len, left.values())), tuple(left)
    row = in_turn(lambda seed: np.array([left[rule][:few] for rule in rules]).T)
    labels = dict(x="rule", y="active units of 100", names=rules)
    what = "How many units are left where the fall is over"
    found = measure(what, lambda k, seed: row(seed)[int(k)], range(len(rules)), runs=few, labels=labels,
                    redrawn="one or two draws of sizes and noise for each rule")  # fmt: skip
    assert f"{few} seeds" in found.says


# -- which factor changes what


@pytest.mark.parametrize("curve", MEASURES)
def test_which_factor_changes_what(curve, swept, by_factor):
    """Measured: what is left of the activity under each rule, and at every level of every other factor."""
    kind, one = swept()
    chosen = one.steady & (one.relu if curve == "active_fraction" else ~one.relu)
    votes = [one.votes(one.kept(curve), chosen & (one.kinds["rule"] == rule)) for rule in STEADY]
    few = min(map(len, votes))
    redrawn = "" if few >= 3 else f"{few} draws of sizes and noise for a rule"
    if redrawn:
        votes = [one.kept(curve)[chosen & (one.kinds["rule"] == rule)] for rule in STEADY]
        few = min(map(len, votes))
    some = [np.random.default_rng(0).permutation(values)[:few] for values in votes]  # not the first, of one draw
    of_rule = [in_turn(lambda seed, values=values: values) for values in some]
    units = "ReLUs" if curve == "active_fraction" else "tanh and linear units"
    what = f"which factor changes how much is left of the {MEASURES[curve]}, in networks of {units} ({kind} sweep)"
    shown = f"what is left, {few} {'networks' if redrawn else 'draws'} of each rule, at random; the table has all"
    labels = {"x": "rule", "y": f"{MEASURES[curve]}: {shown}", "names": STEADY}
    measure(what, lambda k, seed: of_rule[k](seed), range(len(STEADY)), runs=few, labels=labels, log="y",
            picture=by_factor(one, curve, chosen), redrawn=redrawn)  # fmt: skip
