"""How general the drift towards sparsity is: what holds over all axes of the published sweep, and what does not.

Two records hold the curves of 1e6 steps: of a sweep of 384 networks (`python -m numerics.generality --size full`), and
of forty more with tanh and linear units.  With `--full` all of them are made anew, from other seeds if these are fresh.
Activity is the fraction of active (unit, sample) pairs of ReLU networks, and for any activation the number of units
that carry the output.

Sixteen networks of the first record, and one of the second, are one draw of rule, activation, sizes and noise; they
share it, and have one vote, whatever their tasks, starts and seeds.  Networks that are trained here, in much shorter
runs, are all drawn by themselves.
"""

import fcntl
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Exponent, Sign, Trend, confront
from laws.judges import in_turn, measure
from laws.judges.confrontation import fresh
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series, table
from numerics.ensemble import Network, Rich, UpdateNoise
from numerics.generality import (
    ACTIVATIONS,
    RULES,
    TOGETHER,
    Drift,
    Part,
    Random,
    Sweep,
    alike,
    begun,
    kinds,
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
STEADY = tuple(rule for rule in RULES if rule != "SED")  # rules under which most networks do not diverge
HIDDEN = 100


def designs(seed):
    """The sweep, and single networks with other units than ReLUs."""
    more = Sweep(networks=120, steps=10**6, seed=seed + 1, together=1)
    return Sweep(networks=384, steps=10**6, seed=seed), Part(more, ACTIVATIONS[1:], STEADY)


class Swept:
    """The networks of some sweeps and their curves."""

    def __init__(self, how: str, sweeps, tables):
        self.how, self.steps = how, tables[0]["steps"]
        self.settings = [one for whole in sweeps for one in whole.settings()]
        self.draws = np.concatenate([k * 10**6 + whole.blocks() for k, whole in enumerate(sweeps)])
        self.on_axis = np.concatenate([whole.on_axis() for whole in sweeps])
        names = [name for name in tables[0] if name != "steps"]
        self.curves = {name: np.concatenate([one[name] for one in tables], axis=1).astype(float) for name in names}
        self.kinds = kinds(self.settings)
        self.alive = np.isfinite(self.curves["loss"][-1])
        self.relu = self.kinds["activation"] == "relu"
        self.steady = self.alive & np.isin(self.kinds["rule"], STEADY)

    def of(self, claim: str) -> str:
        """The claim, with what networks it is about."""
        return f"{claim} ({self.how} sweep)"

    def at(self, part: float) -> int:
        """The record nearest, in ratio, to this part of the run."""
        return int(np.abs(np.log(np.maximum(self.steps, 1) / (part * self.steps[-1]))).argmin())

    def kept(self, curve: str) -> np.ndarray:
        """What is left at the end of what there was after a hundredth of the run."""
        return self.curves[curve][-1] / self.curves[curve][self.at(0.01)]

    def votes(self, values, chosen, of=np.median) -> np.ndarray:
        """One number for each draw of the chosen networks."""
        return np.array([of(values[chosen & (self.draws == draw)]) for draw in np.unique(self.draws[chosen])])

    def time_constants(self, some) -> np.ndarray:
        """Of active pairs of some networks, or of the units that carry the output where all are active."""
        what = np.where(self.relu, self.curves["active_fraction"], self.curves["carriers"])
        return relaxation(self.steps[self.even], what[self.even][:, some])

    @property
    def even(self) -> np.ndarray:
        """Which records are evenly spaced."""
        return np.isin(self.steps, np.rint(np.linspace(0, self.steps[-1], 41)))


@cache
def stored():
    """The networks of the records."""
    return Swept("stored", designs(1), [RECORD.load(whole) for whole in designs(1)])


@cache
def anew(seed, folder):
    """The same, all made here, or from another seed; this goes on where it was stopped."""
    store, sweeps = Store(folder), designs(seed)
    with (Path(folder) / "lock").open("w") as lock:  # of several processes one trains, and the others load
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = sweep(Packed(train, alike, TOGETHER), [s for one in sweeps for s in one.settings()], store, on=Local())
    assert not report.failed, report
    return Swept("new", sweeps, [whole.table(store) for whole in sweeps])


@pytest.fixture(params=["stored", pytest.param("new", marks=[pytest.mark.full, pytest.mark.timeout(7200)])])
def swept(request):
    """A function that finds all networks, as they are stored, or made anew; their seeds may be fresh."""
    if request.param == "stored":
        return stored
    folder = request.config.cache.mkdir(f"generality-{versions()['numerics']}")  # none outlives a change of the code
    return lambda: anew(fresh(1, "the whole sweep"), folder)


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


VOTES, SHORT = 27, 50_000  # draws that tell a sign which holds in 999 of 1,000 of them from a coin; their steps
PARTS = (0.01, 0.1, 1.0)


@cache
def short(seed):
    """Active pairs at parts of a short run, of ReLU networks each drawn by itself that do not diverge; (VOTES, parts).

    The noise is not in the lowest third of its range, where it does little in so few steps.
    """
    drawn = Part(Sweep(84, SHORT, seed, together=1), ("relu",), STEADY).settings()
    strong = [one for one, level in zip(drawn, kinds(drawn)["noise"], strict=True) if level != "lowest third"]
    rows = []
    while len(rows) < VOTES:
        (run,) = train([strong.pop(0)])
        at = [int(np.abs(np.log(np.maximum(run["steps"], 1) / (part * SHORT))).argmin()) for part in PARTS]
        if np.isfinite(run["loss"][-1]):
            rows.append(run["active_fraction"][at])
    return np.array(rows)


def test_activity_falls():
    """Noise of updates or labels, Adam and RMSprop, pooled, make ReLU networks sparser, each drawn by itself."""
    row = in_turn(short)
    labels = dict(x="part of the run", y="active pairs of unit and sample", about=FIG_3A)
    claim = (
        "noise of updates or labels in the upper two thirds of its range, Adam and RMSprop, all of them pooled, "
        "silence active pairs of networks that do not diverge"
    )
    run = lambda part, seed: row(seed)[PARTS.index(part)]  # noqa: E731
    confront(claim, -1.0, run, {}, Trend(PARTS, excess=0.499), {"none is lost": 0.0, "more": 1.0}, labels=labels)


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
MADE, RUNS = 32, 27  # networks, and how many of them that diverge at no level are judged


@cache
def relaxed(seed):
    """Time constants of the active pairs of the same networks at each level of noise; shape (networks, levels)."""
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(MADE, np.uint64) // 2]
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


FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the first seed that a judge hands out


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

RANGES = ("lowest third", "middle third", "highest third", "none", "1 to 6", "7 to 13", "14 to 20")  # in their order
SAID = {"active_fraction": "active pairs", "carriers": "units that carry the output"}
LIKE = {  # what networks must have in common to tell of a factor alone
    "rule": ("activation",),
    "noise": ("rule", "activation"),
    "activation": ("rule",),
    "task": ("ensemble",),
    "start": ("ensemble",),
    "samples": ("rule", "activation"),
    "inputs": ("rule", "activation"),
    "outputs": ("rule", "activation"),
}


def against_like(one: Swept, values, chosen, factor: str):
    """Values over the median of the chosen networks that are like them but for this factor; nan if none is."""
    known, over = {**one.kinds, "ensemble": one.draws}, np.full(len(values), np.nan)
    group = np.array(["/".join(map(str, each)) for each in zip(*(known[k] for k in LIKE[factor]), strict=True)])
    for name in np.unique(group[chosen]):
        inside = chosen & (group == name)
        if len(np.unique(one.kinds[factor][inside])) > 1:
            over[inside] = values[inside] / np.median(one.votes(values, inside))
    return over


def by_factor(one: Swept, curve: str, chosen) -> Panel:
    """A table: what is left at every level of every factor, also over what is left of networks otherwise alike.

    Each draw has one vote: the median of its networks at the level.
    """
    left, lines = one.kept(curve), [["draws with networks", "left", "over like ones", "time constant (told)"]]
    taus = np.full(len(left), np.nan)
    taus[chosen] = one.time_constants(chosen)
    for factor in LIKE:
        over = against_like(one, left, chosen, factor)
        levels = np.unique(one.kinds[factor][chosen])
        for level in sorted(levels, key=lambda v: (RANGES.index(v) if v in RANGES else -1, v)):
            here = chosen & (one.kinds[factor] == level)
            votes, told = one.votes(left, here), taus[here & np.isfinite(taus)]
            tau = f"{np.median(told):,.0f} ({len(told)})" if len(told) else "– (0)"
            alike_ones = here & np.isfinite(over)
            ratio = shown(one.votes(over, alike_ones)) if alike_ones.any() else "–"
            count = f"{len(votes)} with {here.sum()}"
            lines.append([f"{factor}: {level} ({count})", f"{np.median(votes):.3f}", ratio, tau])
    said = f"left: medians of {SAID[curve]} at the end over those after a hundredth of {one.steps[-1]:,} steps"
    return table(lines, f"{said}; a draw has one vote; intervals of 95 %, where there are six")


def shown(values) -> str:
    """A median and its interval of 95 %, which six networks or more have."""
    if 0.5 ** len(values) > 0.025:
        return f"{np.median(values):.2f}"
    low, high = median_interval(values, 0.025)
    return f"{np.median(values):.2f}  [{low:.2f}, {high:.2f}]"


@pytest.mark.parametrize("curve", SAID)
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
    of_rule = [in_turn(lambda seed, values=values: values[:few]) for values in votes]
    units = "ReLUs" if curve == "active_fraction" else "tanh and linear units"
    what = f"which factor changes how much is left of the {SAID[curve]}, in networks of {units}"
    levels = {"x": "rule", "y": f"{SAID[curve]}, what is left", "names": STEADY}
    measure(one.of(what), lambda k, seed: of_rule[k](seed), range(len(STEADY)), runs=few, labels=levels, log="y",
            picture=by_factor(one, curve, chosen), redrawn=redrawn)  # fmt: skip
