"""Sparse codes by descent and by Adam: over batches and step sizes at equal training loss, and whom Adam kills.

Bricken et al. (2023) say that descent with large batches or small steps escapes the sparsity of noise at the same
training loss, because the noise of its gradients is averaged away.  But the mean gradient is that of the loss averaged
over the noise (`theory.noise`), which no batch removes.  Networks of two batches and rates are compared where their
loss is the same; networks without noise are the control.

Of Adam they say that it kills units once loss and activity have converged, the fewer the larger the batch and
the data, and by epochs rather than steps.  A unit counts as dead that is active on none of 2,000 noisy data.  Of
every condition 27 networks, which start alike, are stored, and with `--full` trained anew; those of the comparison at
equal loss are trained here.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from laws import Equivalent, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics.codes import BATCHES, DESCENTS, RULES, SIZES

NETWORKS = 27
FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the seed that judges give first: what they train is drawn
in_most = Equivalent(0.5, runs=20, miss=1e-3)  # a sign in most of the networks
in_full = pytest.mark.parametrize(
    "studied", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)
long = pytest.mark.timeout(7200)

# -- whom Adam kills -----------------------------------------------------------------------------------


def along(studied, trials, of, y, name="{}"):
    """A quantity along training under each condition, medians of the networks, and the range of the first."""
    lines = []
    for i, (label, one) in enumerate(trials.items()):
        found = studied(one, FIRST)
        steps, values = found["steps"].tolist(), found[of]
        lines.append(Series("rival", steps, np.median(values, axis=1).tolist(), name.format(label)))
        if not i:
            ends = values.min(1).tolist(), values.max(1).tolist()
            lines.append(Series("band", steps, np.median(values, axis=1).tolist(), "_nolegend_", *ends))
    return Panel("step of training", y, tuple(lines))


DEAD = "fraction of dead units"


@in_full
@long
def test_adam_kills(studied):
    """Adam kills more units than Adam that skips silent ones; descent at a small rate kills none."""
    rules = ("Adam", "Adam that skips silent units", "descent")

    def found(seed):
        adam, skipping, descent = (studied(RULES[rule], seed)["dead"][-1] for rule in rules)
        return np.stack([np.sign(adam - skipping), 32 * descent], axis=-1)  # of 32 units

    confront(
        studied.of("Adam kills more units than Adam that skips silent ones, and descent none"),
        lambda: np.array([1.0, 0.0]),
        in_turn(found),
        {},
        in_most,
        {"skipping does not help": np.array([0.0, 0.0]), "descent kills a unit": np.array([1.0, 1.0])},
        labels=dict(y="sign of Adam's dead less skipping Adam's; units that are dead by descent"),
        picture=along(studied, RULES, "dead", DEAD),
    )


@in_full
@long
def test_descent_escapes_loud_noise(studied):
    """With noise of three times the signal descent ends at a smaller loss than Adam with more units active."""

    def signs(seed):
        adam, descent = (studied(RULES[rule], seed) for rule in ("Adam", "descent"))
        return np.stack([np.sign(descent[of][-1] - adam[of][-1]) for of in ("loss", "active")], axis=-1)

    confront(
        studied.of("under loud noise descent at a small rate needs no sparse code"),
        lambda: np.array([-1.0, 1.0]),
        in_turn(signs),
        {},
        in_most,
        {"it pays with a larger loss": 1.0, "as sparse": np.array([-1.0, 0.0])},
        labels=dict(y="signs: descent less Adam, of noisy training loss, of active units"),
        picture=along(studied, RULES, "active", "fraction of active units (σ = 3)"),
    )


@in_full
@long
def test_units_die_late(studied):
    """When a tenth of those that Adam kills are dead, the loss has made 19/20 of its fall, and activity has not.

    The published networks had settled in both.  Falls are counted from the first record to the last.
    """

    def signs(seed):
        found = studied(RULES["Adam"], seed)
        onset = np.argmax(found["dead"] >= found["dead"][-1] / 10, axis=0)
        every = np.arange(len(onset))
        done = [(of[0] - of[onset, every]) / (of[0] - of[-1]) for of in (found["loss"], found["active"])]
        return np.sign(np.array(done) - 0.95).T

    found = studied(RULES["Adam"], FIRST)
    steps = found["steps"].tolist()
    made = {
        name: np.median((found[of][0] - found[of]) / (found[of][0] - found[of][-1]), axis=1).tolist()
        for name, of in (("loss", "loss"), ("activity", "active"), ("dead units", "dead"))
    }
    lines = [Series("rival", steps, values, name) for name, values in made.items()]
    confront(
        studied.of("units die once the loss has settled, while activity still falls"),
        lambda: np.array([1.0, -1.0]),
        in_turn(signs),
        {},
        in_most,
        {"activity has settled too, as the paper has it": 1.0, "before the loss settles": -1.0},
        labels=dict(y="signs at onset: loss, activity; part of the fall made less 0.95"),
        picture=Panel("step of training", f"part of the change made, median of {NETWORKS}", tuple(lines)),
    )


@in_full
@long
def test_larger_batches_spare_units(studied):
    """After as many steps fewer units are dead of larger batches."""
    rows = {batch: in_turn(lambda seed, one=one: studied(one, seed)["dead"][-1]) for batch, one in BATCHES.items()}
    confront(
        studied.of("Adam kills fewer units with larger batches"),
        lambda: -1.0,
        lambda batch, seed: float(rows[batch](seed)),
        {},
        Trend(tuple(BATCHES), excess=0.499),
        {"no trend": 0, "the other way": 1},
        labels=dict(x="batch", y=DEAD),
        picture=along(studied, BATCHES, "dead", DEAD, "batch {}"),
    )


@in_full
@long
def test_data(studied):
    """Of ten times fewer data Adam kills fewer units, against what is published; of ten times more, see the table."""

    def signs(seed):
        few, more = (studied(SIZES[rows], seed)["dead"][-1] for rows in (50, 500))
        return np.sign(more - few)

    confront(
        studied.of("Adam kills fewer units of 50 data than of 500"),
        lambda: 1.0,
        in_turn(signs),
        {},
        in_most,
        {"more, as the paper has it": -1.0, "as many": 0.0},
        labels=dict(y="sign of what dies of 500 data less of 50"),
        picture=along(studied, SIZES, "dead", DEAD, "{} rows"),
    )


@in_full
@long
def test_smaller_steps_spare_units(studied):
    """After as many steps a third of the rate leaves fewer units dead."""
    rules = ("Adam", "Adam, a third of the rate")
    signs = in_turn(lambda seed: -np.sign(np.subtract(*(studied(RULES[rule], seed)["dead"][-1] for rule in rules))))
    confront(
        studied.of("Adam kills fewer units with smaller steps"),
        lambda: -1.0,
        signs,
        {},
        in_most,
        {"as many": 0.0, "more": 1.0},
        labels=dict(y="sign of what a third of the rate kills less the whole"),
    )


@in_full
@long
def test_epochs_and_steps(studied):
    """Small batches kill sooner by epochs, as published, and by steps as well, against what is published."""
    few, many = BATCHES[2], BATCHES[16]

    def gaps(seed):
        first, second = (studied(one, seed) for one in (few, many))
        epochs = [found["steps"] * one.batch / one.rows for found, one in ((first, few), (second, many))]
        end = epochs[0][-1]  # of the run with fewer epochs
        alike = [np.interp(end, epochs[1], curve) for curve in second["dead"].T]
        return np.sign(np.stack([first["dead"][-1] - alike, first["dead"][-1] - second["dead"][-1]], axis=-1))

    shown = []
    for batch, one in BATCHES.items():
        found = studied(one, FIRST)
        epochs = (found["steps"] * batch / one.rows).tolist()
        shown.append(Series("rival", epochs, np.median(found["dead"], axis=1).tolist(), f"batch {batch}"))
    confront(
        studied.of("small batches kill sooner by epochs and by steps"),
        lambda: np.ones(2),
        in_turn(gaps),
        {},
        in_most,
        {"later by steps, as the paper has it": np.array([1.0, -1.0]), "alike": 0.0},
        labels=dict(y="signs of what batches of 2 kill more than of 16, at as many epochs, at as many steps"),
        picture=Panel("epoch", DEAD, tuple(shown)),
    )


@in_full
@long
def test_table_of_the_dead(studied, tabled):
    """Measured: units dead at the end under every condition, with the paper's arrows."""
    trials = {
        **RULES,
        **{f"Adam, batch {k}": one for k, one in BATCHES.items()},
        **{f"Adam, {k} rows": one for k, one in SIZES.items()},
    }
    numbered = dict(enumerate(trials, start=1))
    rows = {k: in_turn(lambda seed, one=trials[name]: studied(one, seed)["dead"][-1]) for k, name in numbered.items()}
    lines = [["", "dead", "active", "noisy loss"]]
    for name, one in trials.items():
        found = studied(one, FIRST)
        lines.append([name, *(ranged(found[of][-1]) for of in ("dead", "active", "loss"))])
    paper = "paper: Adam kills most; fewer with larger batches, smaller rates, more data"
    measure(
        studied.of("how many units are dead after training by each rule"),
        lambda k, seed: float(rows[k](seed)),
        tuple(numbered),
        runs=NETWORKS,
        labels=dict(x="condition, by its line in the table", y=DEAD),
        picture=tabled(lines, f"medians [ranges] of {NETWORKS} networks; {paper}"),
    )


def ranged(values):
    """Median and range."""
    return f"{np.median(values):.3f}\n[{np.min(values):.3f}, {np.max(values):.3f}]"


# -- descent over batches and rates --------------------------------------------------------------------

SIGMA, SMALL, LARGE = 0.8, (8, 0.01), (128, 0.02)


@cache
def descended(sigma, pace, seed):
    """Networks trained by descent with this batch and rate."""
    return replace(DESCENTS[sigma, *pace], seed=seed).run()


@cache
def matched(sigma, seed):
    """The active fraction of every network where the loss is first as low as all come to, and that loss."""
    found = [descended(sigma, pace, seed) for pace in (SMALL, LARGE)]
    level = max(one["loss"].min(0).max() for one in found)
    return [where(one, level) for one in found], float(level)


def where(found, level):
    """Activity where the loss first comes down to a level, along lines between records."""
    below = found["loss"] <= level
    last, each = below.argmax(0), np.arange(below.shape[1])
    (high, low), (before, after) = ((of[last - 1, each], of[last, each]) for of in (found["loss"], found["active"]))
    return before + (high - level) / (high - low) * (after - before)


def against_loss(sigma):
    """Activity against training loss as both change: medians of the networks."""
    active, level = matched(sigma, FIRST)
    lines = []
    for batch, rate in (SMALL, LARGE):
        found = descended(sigma, (batch, rate), FIRST)
        curves = (np.median(found[of], axis=1).tolist() for of in ("loss", "active"))
        lines.append(Series("rival", *curves, f"batch {batch}, rate {rate:g}"))
    lines.append(Series("run", [level] * 2, [float(np.median(v)) for v in active], "compared"))
    return Panel(f"training loss (σ = {sigma:g})", "fraction of active units", tuple(lines), "x")


def test_large_batches_do_not_escape():
    """With noise of 0.8 batches of 128 leave as many units active at equal loss as of 8, within a tenth of them all."""
    active, _ = matched(SIGMA, FIRST)
    rest = float(0.5 - np.median(active[0]))
    confront(
        "at equal loss batches of 128 leave as many units active as of 8, within a tenth of them all, at noise of 0.8",
        lambda: 0.0,
        in_turn(lambda seed: np.subtract(*matched(SIGMA, seed)[0][::-1])),
        {},
        Equivalent(0.1, runs=20, miss=1e-3),
        {"half stay active, as the paper has it": rest},
        labels=dict(y="active units with batches of 128 less those with 8"),
        picture=against_loss(SIGMA),
    )


def test_descent_without_noise():
    """The control: without noise more units are active at equal loss than before training, with either batch."""

    def rises(seed):
        starts = [descended(0.0, pace, seed)["active"][0] for pace in (SMALL, LARGE)]
        return np.sign(np.subtract(matched(0.0, seed)[0], starts)).T

    confront(
        "descent without noise makes no code sparse",
        lambda: np.ones(2),
        in_turn(rises),
        {},
        in_most,
        {"sparser too": -1.0, "no change": 0.0},
        labels=dict(y="sign of active units less those at the start, batches of 8 and 128"),
        picture=against_loss(0.0),
    )
