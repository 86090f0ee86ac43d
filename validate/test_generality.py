"""How general the drift towards sparsity is: what holds over all axes of the published sweep, and what does not.

Two records hold the curves of 1e6 steps: of a sweep of 384 networks (`python -m numerics.generality --size full`), and
of forty more with tanh and linear units.  With `--full` all of them are made anew, from other seeds if these are fresh.
Activity is the fraction of active (unit, sample) pairs of ReLU networks, and for any activation the number of units
that carry the output.

Sixteen networks of the first record, and one of the second, are one draw of rule, activation, sizes and noise; they
share it, and have one vote, whatever their tasks, starts and seeds.  Sixty ReLU networks are trained here, 1e5 steps
each, fifteen by each of four rules: what is claimed of them is claimed of networks of these four draws.
"""

import fcntl
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from laws import Exponent, Sign, Trend, confront
from laws.judges import in_turn, measure
from laws.judges.confrontation import fresh
from laws.judges.verdict import Panel, Series, table
from numerics.ensemble import Network, Rich, UpdateNoise
from numerics.generality import (
    ACTIVATIONS,
    MEASURES,
    RULES,
    STEADY,
    TOGETHER,
    Drift,
    Outcome,
    Part,
    Random,
    Sweep,
    alike,
    as_lines,
    begun,
    levels,
    relaxation,
    train,
)
from numerics.generality._design import DESCENT
from numerics.sparsity import decay
from numerics.store import Store, versions
from numerics.sweep import Local, Packed, sweep

FIG_3A = "ratzon-2024, Fig. 3A"
TABLE_1 = "ratzon-2024, Table 1"
FIG_3B = "ratzon-2024, Fig. 3B"
RECORD = Store(Path(__file__).parent / "records" / "generality")
HIDDEN = 100
FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the first seed that a judge hands out


def designs(seed):
    """The sweep, and single networks with other units than ReLUs."""
    more = Sweep(networks=120, steps=10**6, seed=seed + 1, together=1)
    return Sweep(networks=384, steps=10**6, seed=seed), Part(more, ACTIVATIONS[1:], STEADY)


class Swept(Outcome):
    """What came of some sweeps, and whether they are stored or new."""

    def __init__(self, how: str, sweeps, tables):
        super().__init__(sweeps, tables)
        self.how = how

    def of(self, claim: str) -> str:
        """The claim, with what networks it is about."""
        return f"{claim} ({self.how} sweep)"


@cache
def stored():
    """The networks of the records."""
    return Swept("stored", designs(1), [RECORD.load(whole) for whole in designs(1)])


@cache
def anew(seed, folder):
    """The networks of the designs from this seed, all made here; this goes on where it was stopped."""
    store, sweeps = Store(folder), designs(seed)
    with (Path(folder) / "lock").open("w") as lock:  # of several processes one trains, and the others load
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = sweep(Packed(train, alike, TOGETHER), [s for one in sweeps for s in one.settings()], store, on=Local())
    assert not report.failed, report
    return Swept("new", sweeps, [whole.table(store) for whole in sweeps])


@pytest.fixture(params=["stored", pytest.param("new", marks=[pytest.mark.full, pytest.mark.timeout(7200)])])
def swept(request, made):
    """A function that finds all networks, as they are stored, or made anew; their seeds may be fresh."""
    return stored if request.param == "stored" else made


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


def histogram(one: Swept) -> Panel:
    """How many networks of each rule end with how many of their units active; ReLUs, not diverged."""
    edges = np.linspace(0, 1, 11)
    drawn = []
    for rule in RULES:
        chosen = one.relu & one.alive & (one.kinds["rule"] == rule)
        if chosen.any():
            counts = np.histogram(one.curves["active_units"][-1, chosen] / HIDDEN, edges)[0]
            outline = np.repeat(edges, 2)[1:-1].tolist(), np.repeat(counts, 2).tolist()
            drawn.append(Series("rival", *outline, f"{rule}, {chosen.sum()} networks"))
    return Panel(f"fraction of units active after {one.steps[-1]:,} steps", "networks", tuple(drawn))


VOTES, PARTS = 27, (0.01, 0.1, 1.0)  # networks that tell a sign of 999 in 1,000 of them from a coin; of their runs


def draw_of(rule, seed):
    """Fifteen ReLU networks by a rule: the first such draw, from this seed on, of which most do not diverge at once."""
    for more in count():
        part = Part(Sweep(60, 10**5, seed + more, together=15), ("relu",), (rule,))
        begun_with = train(part.settings(), np.array([0, 100]))
        if np.mean([np.isfinite(run["loss"][-1]) for run in begun_with]) > 0.5:
            return part


@cache
def quick(seed):
    """What came of sixty ReLU networks, 1e5 steps each: a draw of fifteen for every steady rule."""
    parts, tables = [draw_of(rule, seed) for rule in STEADY], []
    for part in parts:
        runs = train(part.settings())
        curves = {name: np.stack([run[name] for run in runs], axis=1) for name in runs[0] if name != "steps"}
        tables.append({"steps": runs[0]["steps"], **curves})
    return Swept("quick", parts, tables)


@cache
def thinned(seed):
    """Active pairs at parts of a run, of networks that do not diverge, rules taking turns; (VOTES, parts)."""
    one, turns = quick(seed), np.argsort(np.arange(60) % 15, kind="stable")
    kept = turns[one.steady[turns]][:VOTES]
    assert len(kept) == VOTES, f"{60 - one.steady.sum()} of 60 networks diverged"
    return one.curves["active_fraction"][[one.at(part) for part in PARTS]][:, kept].T


def test_activity_falls():
    """Noise of updates or labels, Adam and RMSprop, pooled, make ReLU networks sparser within 1e5 steps.

    Each network has its own task, start and noise; fifteen share a rule, sizes and the level of noise.
    """
    row = in_turn(thinned)
    labels = dict(x="part of the run", y="active pairs of unit and sample", about=FIG_3A)
    claim = (
        "noise of updates or labels near the highest of its range, Adam and RMSprop, all of them pooled, silence "
        "active pairs of networks that do not diverge, within 100,000 steps"
    )
    run = lambda part, seed: row(seed)[PARTS.index(part)]  # noqa: E731
    rivals, picture = {"none is lost": 0.0, "more": 1.0}, histogram(quick(FIRST))
    confront(claim, -1.0, run, {}, Trend(PARTS, excess=0.499), rivals, labels=labels, picture=picture)


def test_sixty_networks():
    """Measured: what is left of active pairs after 1e5 steps under each rule."""
    one = quick(FIRST)
    left = {rule: one.kept("active_fraction")[one.steady & (one.kinds["rule"] == rule)] for rule in STEADY}
    left = {rule: values for rule, values in left.items() if len(values) >= 3}
    few, rules = min(map(len, left.values())), tuple(left)
    row = in_turn(lambda seed: np.array([left[rule][:few] for rule in rules]).T)
    x = ", ".join(f"{k}: {rule}" for k, rule in enumerate(rules))
    what = "What is left of active pairs after 1e5 steps"
    found = measure(what, lambda k, seed: row(seed)[int(k)], range(len(rules)), runs=few,
                    labels=dict(x=x, y="active pairs, what is left of them"), redrawn="a draw of sizes for each rule",
                    picture=by_factor(one, "active_fraction", one.steady))  # fmt: skip
    assert f"{few} seeds" in found.says


def test_every_network_becomes_sparser(swept):
    """In no draw has one ReLU network as many active pairs after 1e6 steps as after 1e4, but for error descent.

    Of 192 networks two are left out, which diverge under noise of their updates.
    """
    one = swept()
    most = one.votes(one.kept("active_fraction") - 1, one.relu & one.steady, np.max)
    rivals = {"as without noise": lambda: np.resize(without_noise(), len(most))}
    labels = dict(y="change of active pairs, of the network that keeps most", about=FIG_3A)
    claim = one.of("not one network of a draw keeps its active pairs")
    picture = histogram(one)
    confront(claim, -1.0, lambda seed: most, {}, Sign("draw"), rivals, labels=labels, picture=picture)


@cache
def without_noise():
    """The sign of the change of active pairs of the first ensemble without its noise, from 1e4 to 2e4 steps."""
    settings = [replace(one, noise=None) for one in designs(1)[0].settings()[:TOGETHER]]
    return np.array([np.sign(np.diff(run["active_fraction"])[0]) for run in train(settings, np.array([10**4, 20_000]))])


def test_adaptive_rules_gather(swept):
    """Under Adam and RMSprop what tanh and linear networks say comes to rest on fewer units, in every network."""
    one = swept()
    adaptive = one.steady & ~one.relu & np.isin(one.kinds["rule"], ("Adam", "RMSprop"))
    most = one.votes(one.kept("carriers") - 1, adaptive, np.max)
    spread = one.votes(one.kept("carriers") - 1, of_tanh(one, "update noise"))
    rivals = {"as under update noise": lambda: np.resize(np.sign(spread), len(most))}
    labels = dict(y="change of the units that carry the output, of the network that keeps most", about=FIG_3A)
    picture = by_factor(one, "carriers", one.steady & ~one.relu)
    claim = one.of("Adam and RMSprop gather what tanh and linear units carry")
    confront(claim, -1.0, lambda seed: most, {}, Sign("draw"), rivals, labels=labels, picture=picture)


def of_tanh(one: Swept, rule: str):
    """Which networks are of tanh units, by one rule."""
    return one.steady & (one.kinds["activation"] == "tanh") & (one.kinds["rule"] == rule)


def test_hyperbolic_tangents(swept):
    """Update noise spreads what tanh networks say over more units, and label noise gathers it, in every draw."""
    one = swept()
    changes = [one.votes(one.kept("carriers") - 1, of_tanh(one, rule)) for rule in ("update noise", "label noise")]
    signs = np.repeat([1.0, -1.0], [len(part) for part in changes])
    labels = dict(y="change of the units that carry the output, median of a draw", about=FIG_3A)
    claim = one.of("update noise spreads what tanh units carry, label noise gathers it")
    run = lambda seed: np.concatenate(changes)  # noqa: E731
    confront(claim, lambda: signs, run, {}, Sign("draw"), {"fewer under both": -1.0}, labels=labels)


def test_error_descent_diverges(swept):
    """Stochastic error descent with steps of 0.9 to 1 loses networks in every draw."""
    one = swept()
    lost = one.votes(~one.alive * 1.0, one.kinds["rule"] == "SED", np.mean)
    adam = one.votes(~one.alive * 1.0, one.relu & (one.kinds["rule"] == "Adam"), np.mean)
    rivals = {"as under Adam": lambda: np.resize(np.sign(adam), len(lost))}
    gone = (one.kinds["rule"] == "SED") & ~one.alive
    last = [one.steps[max(np.isfinite(loss).sum() - 1, 0)] for loss in one.curves["loss"][:, gone].T]
    dots = Series("run", sorted(map(float, last)), list(range(1, len(last) + 1)), "networks that have diverged")
    labels = dict(y="fraction of the networks of a draw that diverge", about=TABLE_1)
    claim = one.of("error descent at the published step loses networks in every draw")
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


# -- time constants

NETWORK, SIGMAS, UNTIL = Network(20, HIDDEN, 5), (0.012, 0.017, 0.024), 0.8  # until eta sigma^2 t
MADE, RUNS = 32, 27  # networks at a time, until so many diverge at no level


@cache
def relaxed(seed):
    """Time constants of the active pairs of the same networks at each level of noise; shape (networks, levels)."""
    taus = np.empty((0, len(SIGMAS)))
    for k in range(8):
        if len(taus) >= RUNS:
            break
        drawn = np.random.SeedSequence(seed).generate_state((k + 1) * MADE, np.uint64)[k * MADE :]
        taus = np.concatenate([taus, of_networks([int(s) for s in drawn // 2])])
    return taus


def of_networks(seeds):
    """The time constants of those of some networks that diverge at no level of noise; shape (networks, levels)."""
    found = []
    for sigma in SIGMAS:
        steps = round(UNTIL / (DESCENT.eta * sigma**2))
        runs = train([Drift(Random(), 5, NETWORK, Rich(), DESCENT, UpdateNoise(sigma), steps, s) for s in seeds])
        even = np.isin(runs[0]["steps"], np.rint(np.linspace(0, steps, 41)))
        found.append(relaxation(runs[0]["steps"][even], np.stack([run["active_fraction"][even] for run in runs], 1)))
    taus = np.array(found).T
    return taus[~np.isnan(taus).any(1)]


def of_logarithms():
    """The exponent of time constants, over the same records, of falls with the logarithm of time that no noise changes.

    Of those that begin by the first, tenth, hundredth or thousandth step it is that of the steepest.
    """
    slopes = []
    for begin in (1, 10, 100, 1000):
        times = [np.rint(np.linspace(0, round(UNTIL / (DESCENT.eta * sigma**2)), 41)) for sigma in SIGMAS]
        taus = [relaxation(time, -np.log1p(time / begin)[:, None])[0] for time in times]
        slopes.append(np.polyfit(np.log(SIGMAS), np.log(taus), 1)[0])
    return float(min(slopes))


def against_noise() -> Panel:
    """Time constants against noise: those found here, those of the record's axis, and the published fit of the same."""
    one = stored()
    axis = one.on_axis & one.alive
    sigmas = np.array([s.noise.sigma for s, on in zip(one.settings, axis, strict=True) if on])
    taus = one.time_constants(axis)
    old = decay(one.steps[one.even], one.curves["active_fraction"][one.even][:, axis])
    here, told = np.repeat([SIGMAS], len(relaxed(FIRST)), axis=0).ravel(), np.isfinite(taus)
    span = np.array([sigmas.min(), SIGMAS[-1]])
    law = np.median(relaxed(FIRST)[:, 0]) * (SIGMAS[0] / span) ** 2
    drawn = (
        Series("law", span.tolist(), law.tolist(), "one over the variance"),
        Series("run", here.tolist(), relaxed(FIRST).ravel().tolist(), "trained here until η σ² t = 0.8"),
        Series("rival", sigmas[told].tolist(), taus[told].tolist(), "1e6 steps, where they tell it", joined=False),
        Series("rival", sigmas.tolist(), old.tolist(), "1e6 steps, by the published fit", joined=False),
    )
    return Panel("standard deviation σ of the noise", "time constant, steps", drawn, "xy")


def test_noise_sets_the_time_constant():
    """Over runs of equal η σ² t the time constant of the fall goes as one over the variance of the noise.

    Over records of equal length it does not: a fit with a rest of its own, too, follows the record, and on the axis of
    the sweep its time constants go as about -1.3 of the deviation, as the picture shows.
    """
    row = in_turn(relaxed)
    run = lambda sigma, seed: row(seed)[SIGMAS.index(sigma)]  # noqa: E731
    labels = dict(x="standard deviation σ of the noise", y="time constant of active pairs, steps", about=FIG_3B)
    rivals = {"-1, of its standard deviation": -1.0, "-4, of its variance's square": -4.0}
    rivals |= {"of a fall with log t that no noise changes": of_logarithms()}
    confront("over equal η σ² t time constants go as one over the variance of the noise", -2.0, run, {},
             Exponent(SIGMAS, detects=0.3, runs=RUNS), rivals, labels=labels, picture=against_noise())  # fmt: skip


# -- which factor changes what


def by_factor(one: Swept, curve: str, chosen) -> Panel:
    """A table: what is left at every level of every factor, also over what is left of networks otherwise alike."""
    said = f"left: medians of {MEASURES[curve]} at the end over those after a hundredth of {one.steps[-1]:,} steps"
    note = f"{said}; a draw has one vote; intervals of 95 %, where there are six"
    return table(as_lines(levels(one, curve, chosen)), note)


@pytest.mark.parametrize("curve", MEASURES)
def test_which_factor_changes_what(curve, swept):
    """Measured: what is left of the activity under each rule, and at every level of every other factor."""
    one = swept()
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
    what = f"which factor changes how much is left of the {MEASURES[curve]}, in networks of {units}"
    shown = f"what is left, {few} {'networks' if redrawn else 'draws'} of each rule, at random; the table has all"
    levels = {"x": "rule", "y": f"{MEASURES[curve]}: {shown}", "names": STEADY}
    measure(one.of(what), lambda k, seed: of_rule[k](seed), range(len(STEADY)), runs=few, labels=levels, log="y",
            picture=by_factor(one, curve, chosen), redrawn=redrawn)  # fmt: skip
