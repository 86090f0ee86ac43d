"""How general the drift towards sparsity is: what holds over all axes of the published sweep, and what does not.

One record holds the curves of a whole sweep, 1e6 steps of every network (`python -m numerics.generality --size full`);
its first ensembles are trained here for 1e5 steps, and with `--full` all of it is made anew.  Activity is the fraction
of active (unit, sample) pairs of ReLU networks, and for any activation the number of units that carry the output.
Runs of a sweep have their seeds from its design, and answer to a judge's seeds in a fixed order that mixes them.
Sixteen networks are drawn alike in all but task, start and seed; so of rules, activations, sizes and levels of noise
there are 24 draws, and what is claimed is said of the networks of this sweep.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws import Equivalent, Exponent, Sign, Trend, confront
from laws.judges import in_turn, measure
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series, table
from numerics.ensemble import Network, Rich, UpdateNoise
from numerics.generality import RULES, TOGETHER, Drift, Random, Sweep, alike, kinds, relaxation, train
from numerics.generality._design import DESCENT
from numerics.sparsity import decay
from numerics.store import Store
from numerics.sweep import Local, Packed, sweep

FIG_3A = "ratzon-2024, Fig. 3A"
TABLE_1 = "ratzon-2024, Table 1"
FIG_3B = "ratzon-2024, Fig. 3B"
RECORD = Store(Path(__file__).parent / "records" / "generality")
WHOLE = Sweep(networks=384, steps=10**6, seed=1)
QUICK = Sweep(networks=64, steps=10**5, seed=1)
HIDDEN = 100


class Swept:
    """The networks of a sweep and their curves."""

    def __init__(self, how: str, whole: Sweep, table: dict[str, np.ndarray]):
        self.how, self.whole, self.steps = how, whole, table["steps"]
        self.settings, self.curves = whole.settings(), {k: np.asarray(v, float) for k, v in table.items()}
        self.kinds = kinds(self.settings)
        self.alive = np.isfinite(self.curves["loss"][-1])
        self.relu = self.kinds["activation"] == "relu"

    def of(self, claim: str) -> str:
        """The claim, with what networks it is about."""
        return f"{claim} ({self.how} sweep)"

    def at(self, part: float) -> int:
        """The record nearest, in ratio, to this part of the run."""
        return int(np.abs(np.log(np.maximum(self.steps, 1) / (part * self.steps[-1]))).argmin())

    def kept(self, curve: str) -> np.ndarray:
        """What is left at the end of what there was after a hundredth of the run."""
        return self.curves[curve][-1] / self.curves[curve][self.at(0.01)]

    def time_constants(self, some) -> np.ndarray:
        """Of active pairs of some networks, or of the units that carry the output where all are active."""
        what = np.where(self.relu, self.curves["active_fraction"], self.curves["carriers"])
        return relaxation(self.steps[self.even], what[self.even][:, some])

    @property
    def even(self) -> np.ndarray:
        """Which records are evenly spaced."""
        return np.isin(self.steps, np.rint(np.linspace(0, self.steps[-1], 41)))


@pytest.fixture(
    scope="session", params=["stored", pytest.param("new", marks=[pytest.mark.full, pytest.mark.timeout(7200)])]
)
def swept(request):
    """The whole sweep, as it is stored, and made anew; that goes on where it was stopped."""
    if request.param == "stored":
        return Swept("stored", WHOLE, RECORD.load(WHOLE))
    store = Store(request.config.cache.mkdir("generality"))
    report = sweep(Packed(train, alike, TOGETHER), WHOLE.settings(), store, on=Local())
    assert not report.failed, report
    return Swept("new", WHOLE, WHOLE.table(store))


@cache
def quick() -> Swept:
    """The first ensembles for 1e5 steps, trained here: ReLUs; noise of updates and of labels, Adam, RMSprop."""
    settings = QUICK.settings()
    runs = [one for i in range(0, len(settings), TOGETHER) for one in train(settings[i : i + TOGETHER])]
    curves = {name: np.stack([run[name] for run in runs], axis=1) for name in runs[0] if name != "steps"}
    return Swept("short", QUICK, dict(steps=runs[0]["steps"], **curves))


def mixed(values):
    """A run of one network after the other, in a fixed order that mixes them."""
    order = np.random.default_rng(0).permutation(len(values))
    return in_turn(lambda seed: np.asarray(values)[order])


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


def falls(one: Swept):
    """Confront: active pairs fall long after convergence, under all rules but error descent."""
    chosen = one.relu & one.alive & (one.kinds["rule"] != "SED")
    parts = (0.01, 0.1, 1.0)
    rows = one.curves["active_fraction"][[one.at(part) for part in parts]][:, chosen].T
    row = mixed(rows)
    labels = dict(x="part of the run", y="active pairs of unit and sample", about=FIG_3A)
    claim = "noise of updates and labels, Adam and RMSprop silence active pairs, with each task and start of the sweep"
    confront(
        one.of(claim), -1.0,
        lambda part, seed: row(seed)[parts.index(part)], {}, Trend(parts), {"none is lost": 0.0, "more": 1.0},
        labels=labels, picture=histogram(one),
    )  # fmt: skip


def test_activity_falls():
    """Noise of updates or labels, Adam and RMSprop make ReLU networks sparser, in 1e5 steps."""
    falls(quick())


def test_activity_falls_in_long_runs(swept):
    """So they do in 1e6 steps, over many more networks."""
    falls(swept)


def test_every_network_becomes_sparser(swept):
    """Not one ReLU network has as many active pairs after 1e6 steps as after 1e4, but for error descent.

    Of 192 networks two are left out, which diverge under noise of their updates.
    """
    chosen = swept.relu & swept.alive & (swept.kinds["rule"] != "SED")
    run = lambda seed: swept.kept("active_fraction")[chosen] - 1  # noqa: E731
    quiet = quick_without_noise()
    rivals = {"as without noise": lambda: np.resize(quiet, chosen.sum())}
    labels = dict(y="relative change of active pairs", about=FIG_3A)
    claim = swept.of("not one network keeps its active pairs")
    picture = by_factor(swept, "active_fraction", chosen)
    confront(claim, -1.0, run, {}, Sign(), rivals, labels=labels, picture=picture)


@cache
def quick_without_noise():
    """The sign of the change of active pairs of the first ensemble without its noise, from 1e4 to 1e5 steps."""
    settings = [replace(one, noise=None) for one in QUICK.settings()[:TOGETHER]]
    runs = train(settings)
    first = int(np.abs(runs[0]["steps"] - 10**4).argmin())
    return np.array([np.sign(run["active_fraction"][-1] - run["active_fraction"][first]) for run in runs])


CARRIED = {"update noise": 1.0, "label noise": -1.0, "Adam": -1.0, "RMSprop": -1.0}


def test_hyperbolic_tangents(swept):
    """What tanh networks say comes to rest on fewer units, too, but for update noise, which spreads it.

    Of each rule there is one draw of sizes and noise, sixteen networks; the signs were read off them.
    """
    chosen = (swept.kinds["activation"] == "tanh") & (swept.kinds["rule"] != "SED")
    signs = np.array([CARRIED[rule] for rule in swept.kinds["rule"][chosen]])
    gathered_first = np.argsort(signs, kind="stable")
    run = lambda seed: (swept.kept("carriers")[chosen] - 1)[gathered_first]  # noqa: E731
    labels = dict(y="relative change of the units that carry the output", about=FIG_3A)
    everywhere = ~swept.relu & swept.alive & (swept.kinds["rule"] != "SED")
    picture = by_factor(swept, "carriers", everywhere)
    claim = swept.of("update noise spreads what tanh units carry, all else gathers it")
    law, rivals = lambda: signs[gathered_first], {"fewer under all": -1.0}
    confront(claim, law, run, {}, Sign(), rivals, labels=labels, picture=picture)


def test_error_descent_diverges(swept):
    """Stochastic error descent with steps of 0.9 to 1 diverges in most networks: in all but some with ReLUs."""
    chosen = swept.kinds["rule"] == "SED"
    gone = mixed(~swept.alive[chosen])
    last = [swept.steps[np.isfinite(loss).sum() - 1] for loss in swept.curves["loss"][:, chosen & ~swept.alive].T]
    dots = Series("run", sorted(map(float, last)), list(range(1, len(last) + 1)), "networks that have diverged")
    labels = dict(y="diverged (1) or not (0)", about=TABLE_1)
    claim = swept.of("error descent at the published step diverges in most networks, all but some with ReLUs")
    confront(claim, 1.0, lambda seed: float(gone(seed)), {}, Equivalent(0.4, runs=64),
             {"in none": 0.0, "in half of them": 0.5}, labels=labels,
             picture=Panel("last recorded step of finite loss", "networks", (dots,), "x"))  # fmt: skip


def test_how_many_units_are_left():
    """How many of 100 units are left by each rule, where the fall is over; rules differ in sizes and noise, too."""
    stored = Swept("stored", WHOLE, RECORD.load(WHOLE))
    final, names = stored.curves["active_units"][-1], stored.kinds["rule"]
    ended = stored.relu & stored.alive & ~stored.whole.on_axis()
    ended[ended] = np.isfinite(stored.time_constants(ended))
    left = {rule: final[ended & (names == rule)] for rule in RULES}
    left = {rule: units for rule, units in left.items() if len(units) >= 3}
    few, rules = min(map(len, left.values())), tuple(left)
    row = in_turn(lambda seed: np.array([left[rule][:few] for rule in rules]).T)
    labels = dict(x=", ".join(f"{k} {rule}" for k, rule in enumerate(rules)), y="active units of 100", about=FIG_3B)
    what = "How many units are left where the fall is over"
    found = measure(what, lambda k, seed: row(seed)[int(k)], range(len(rules)), runs=few, labels=labels)
    assert f"{few} seeds" in found.says


# -- time constants

NETWORK, SIGMAS, UNTIL = Network(20, HIDDEN, 5), (0.012, 0.017, 0.024), 0.8  # until eta sigma^2 t
MADE, RUNS = 48, 40  # networks, and how many of them that diverge at no level are judged


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


FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the first seed that a judge hands out


def against_noise() -> Panel:
    """Time constants against noise: those found here, those of the record's axis, and the published fit of the same."""
    one = Swept("stored", WHOLE, RECORD.load(WHOLE))
    axis = one.whole.on_axis() & one.alive
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
    rivals = {"-1, of its standard deviation": -1.0, "-4, of its variance's square": -4.0, "none": 0.0}
    confront("over equal η σ² t time constants go as one over the variance of the noise", -2.0, run, {},
             Exponent(SIGMAS, detects=0.3, runs=RUNS), rivals, labels=labels, picture=against_noise())  # fmt: skip


# -- which factor changes what

SAID = {"active_fraction": "active pairs", "carriers": "units that carry the output"}
LIKE = {  # what networks must have in common to tell of a factor alone
    "rule": ("activation",),
    "activation": ("rule",),
    "task": ("ensemble",),
    "start": ("ensemble",),
    "samples": ("rule", "activation"),
    "inputs": ("rule", "activation"),
    "outputs": ("rule", "activation"),
}


def against_like(one: Swept, values, chosen, factor: str):
    """Values of the chosen networks over the median of those that are like them but for this factor."""
    known = {**one.kinds, "ensemble": one.whole.blocks()}
    group = np.array(["/".join(map(str, each)) for each in zip(*(known[k][chosen] for k in LIKE[factor]), strict=True)])
    middle = {name: np.median(values[group == name]) for name in group}
    return values / np.array([middle[name] for name in group])


def by_factor(one: Swept, curve: str, chosen) -> Panel:
    """A table: what is left at every level of every factor, also over what is left of networks otherwise alike.

    Networks are counted with the number of their ensembles, which share everything but task and start: the intervals
    are of networks of these ensembles.
    """
    left = one.kept(curve)[chosen]
    ensembles = one.whole.blocks()[chosen]
    lines = [["networks in ensembles", "left", "over like ones", "time constant (told)"]]
    taus = one.time_constants(chosen)
    for factor in LIKE:
        over = against_like(one, left, chosen, factor)
        levels = np.unique(one.kinds[factor][chosen])
        for level in sorted(levels, key=lambda v: (len(v.split(" to ")[0]) if " to " in v else 0, v)):
            here = one.kinds[factor][chosen] == level
            told = taus[here][np.isfinite(taus[here])]
            tau = f"{np.median(told):,.0f} ({len(told)})" if len(told) else "– (0)"
            ratio = shown(over[here]) if len(levels) > 1 else "–"
            count = f"{here.sum()} in {len(np.unique(ensembles[here]))}"
            lines.append([f"{factor}: {level} ({count})", f"{np.median(left[here]):.3f}", ratio, tau])
    said = f"left: medians of {SAID[curve]} at the end over those after a hundredth of {one.steps[-1]:,} steps"
    return table(lines, f"{said}; intervals of 95 %")


def shown(values) -> str:
    """A median and its interval of 95 %, which six networks or more have."""
    if 0.5 ** len(values) > 0.025:
        return f"{np.median(values):.2f}"
    low, high = median_interval(values, 0.025)
    return f"{np.median(values):.2f}  [{low:.2f}, {high:.2f}]"


@pytest.mark.parametrize("curve", SAID)
def test_which_factor_changes_what(curve, swept):
    """Measured: what is left of the activity under each rule, and at every level of every other factor."""
    chosen = swept.alive & (swept.kinds["rule"] != "SED") & (swept.relu if curve == "active_fraction" else ~swept.relu)
    rules = [rule for rule in RULES if rule != "SED"]
    of_rule = {k: mixed(swept.kept(curve)[chosen & (swept.kinds["rule"] == rule)]) for k, rule in enumerate(rules)}
    units = "ReLUs" if curve == "active_fraction" else "tanh and linear units"
    what = f"which factor changes how much is left of the {SAID[curve]}, in networks of {units}"
    levels = {"x": ", ".join(f"{k}: {rule}" for k, rule in enumerate(rules)), "y": f"{SAID[curve]}, what is left"}
    measure(swept.of(what), lambda k, seed: of_rule[k](seed), list(of_rule), runs=16, labels=levels, log="y",
            picture=by_factor(swept, curve, chosen))  # fmt: skip
