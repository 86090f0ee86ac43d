"""Whom Adam kills, and what stays of a code by descent: rules, batches, rates and sizes of the data.

Of Adam Bricken et al. (2023) say that it kills units once loss and activity have converged, the fewer the larger the
batch and the data, and by epochs rather than steps.  Noise is three times the signal, so that little of it can be had:
the best linear map takes a tenth off the loss of nothing.  Networks without noise are the control.  A unit counts as
dead that is active on none of 2,000 noisy data.  Of every condition 27 networks, which start alike, each with data of
its own drawing, are stored, and with `--full` trained anew from other data.
"""

import numpy as np
import pytest

from laws import Equivalent, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series, table
from numerics.codes import BATCHES, LONG, QUIET, RULES, SIZES

NETWORKS = 27
APP_H, APP_I, FIG_26 = (f"bricken-2023, App. {at}" for at in ("H.2", "I.2", "I.1, Fig. 26"))
FIG_27, FIG_28, FIG_30 = (f"bricken-2023, App. I.2, Fig. {k}" for k in (27, 28, 30))
in_most = Equivalent(0.5, runs=NETWORKS, miss=1e-3)  # a sign in most of the networks
in_full = pytest.mark.parametrize(
    "studied", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)
long = pytest.mark.timeout(7200)


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
    first = name.format(next(iter(trials)))
    return Panel(f"step of training (medians; grey: range, {first})", y, tuple(lines))


DEAD = "fraction of dead units"


@in_full
@long
def test_adam_kills(studied):
    """Batches of 4, noise of 3: Adam kills more units than Adam that skips silent ones; without noise it kills none.

    Nor does descent at a small rate.  With batches of 32 and half the rate Adam kills none (see what other methods
    cost).  Descent stays dense (see below): how it would do where it is sparse is not said.
    """
    rules = (RULES["Adam"], RULES["Adam that skips silent units"], RULES["descent"], QUIET)

    def found(seed):
        adam, skipping, *others = (studied(one, seed)["dead"][-1] for one in rules)
        return np.stack([np.sign(adam - skipping), *(32 * dead for dead in others)], axis=-1)  # of 32 units

    confront(
        studied.of("noise of 3, batches of 4: Adam kills units, fewer if it skips silent ones, dense descent none"),
        lambda: np.array([1.0, 0.0, 0.0]),
        in_turn(found),
        {},
        in_most,
        {
            "skipping does not help": 0.0,
            "descent kills a unit": np.array([1.0, 1.0, 0.0]),
            "Adam kills one without noise as well": np.array([1.0, 0.0, 1.0]),
        },
        labels=dict(
            runs=["Adam's − skipping Adam's: sign", "by descent: units", "by Adam without noise: units"],
            y="dead units of 32, or a sign",
            about=FIG_26,
        ),
        picture=along(studied, RULES, "dead", DEAD),
    )


@in_full
@long
def test_descent_stays_dense(studied, differences):
    """With noise of three times the signal, stopped after as many steps, descent is denser than Adam of either batch.

    Of batches of 4, at this rate, Adam loses more than descent; of 16 it loses less, and is sparse: that no sparse code
    is needed does not follow.
    """
    rivals = {"sparse codes lose more, of any batch": np.array([-1.0, 1.0, -1.0, 1.0]), "as sparse, as good": 0.0}

    def ratios(seed):
        descent, *others = (studied(one, seed) for one in (RULES["descent"], BATCHES[4], BATCHES[16]))
        return np.log([descent[of][-1] / adam[of][-1] for adam in others for of in ("loss", "active")]).T

    rows = [f"{of}, batches of {batch}" for batch in (4, 16) for of in ("noisy loss", "active units")]

    confront(
        studied.of(
            "under loud noise descent, stopped after as many steps, stays dense, and Adam of batches of 16 loses less"
        ),
        lambda: np.array([-1.0, 1.0, 1.0, 1.0]),
        in_turn(lambda seed: np.sign(ratios(seed))),
        {},
        in_most,
        rivals,
        labels=dict(
            runs=rows,
            y="sign of (descent's − Adam's)",
            about=APP_H,
        ),
        picture=differences(ratios(FIRST), rows, "ln of descent's over Adam's (σ = 3, 2,000 steps)"),
    )


@in_full
@long
def test_units_die_late(studied, differences):
    """When a tenth of the units that will die are dead, activity has made less of its whole fall than the loss of its.

    It has made less than 19/20 of its fall.  The published networks had settled in both.  Falls are counted from the
    first record to the last of 10,000 steps, by which hardly any unit is active; the loss need not have settled either.
    """

    def parts(seed):
        found = studied(LONG, seed)
        onset = np.argmax(found["dead"] >= found["dead"][-1] / 10, axis=0)
        every = np.arange(len(onset))
        loss, active = ((of[0] - of[onset, every]) / (of[0] - of[-1]) for of in (found["loss"], found["active"]))
        return np.transpose([loss - active, active - 0.95])

    confront(
        studied.of("units die while activity still falls, behind the loss"),
        lambda: np.array([1.0, -1.0]),
        in_turn(lambda seed: np.sign(parts(seed))),
        {},
        in_most,
        {"activity has settled too, as the paper has it": 1.0, "all at once": np.array([0.0, -1.0])},
        labels=dict(
            runs=["the loss − activity", "activity − 0.95"],
            y="sign, of the parts of their falls made when a tenth are dead",
            about=FIG_28,
        ),
        picture=differences(
            parts(FIRST), ["the loss − activity", "activity − 0.95"], "parts of their falls when a tenth are dead"
        ),
    )


@in_full
@long
def test_larger_batches_spare_units(studied):
    """After as many steps fewer units are dead if batches are larger."""
    rows = {batch: in_turn(lambda seed, one=one: studied(one, seed)["dead"][-1]) for batch, one in BATCHES.items()}
    confront(
        studied.of("after as many steps Adam kills fewer units with larger batches"),
        lambda: -1.0,
        lambda batch, seed: float(rows[batch](seed)),
        {},
        Trend(tuple(BATCHES), excess=0.499),
        {"no trend": 0, "the other way": 1},
        labels=dict(x="batch", y=DEAD, about=FIG_27),
        picture=along(studied, BATCHES, "dead", DEAD, "batch {}"),
    )


@in_full
@long
def test_data(studied):
    """Measured: what dies of 50, 500 and 5,000 data, a subset of its own for each network; sizes are not told apart.

    Of the paper, where more data leave fewer dead, nothing is seen in these three sizes.
    """
    rows = {size: in_turn(lambda seed, one=one: studied(one, seed)["dead"][-1]) for size, one in SIZES.items()}
    ends = {size: studied(one, FIRST)["dead"][-1] for size, one in SIZES.items()}
    lines = [["data", "dead", "", "difference from a tenth of them"]]
    for k, (size, dead) in enumerate(ends.items()):
        change = interval(dead - list(ends.values())[k - 1]) if k else ""
        lines.append([f"{size:,}", interval(dead), "", change])
    measure(
        studied.of("how many units does Adam kill of subsets of 50, 500 and 5,000 data"),
        lambda size, seed: float(rows[size](seed)),
        tuple(SIZES),
        runs=NETWORKS,
        labels=dict(x="data", y=DEAD),
        log="x",
        picture=table(lines, f"medians of {NETWORKS} networks [99.8 % intervals], each on a subset of its own; paper: "
                             "more data, fewer dead"),
    )  # fmt: skip


@in_full
@long
def test_smaller_steps_spare_units(studied, differences):
    """After as many steps a third of the rate leaves fewer units dead."""
    rules = ("Adam, a third of the rate", "Adam")
    dead = lambda seed: np.stack([studied(RULES[rule], seed)["dead"][-1] for rule in rules], axis=-1)  # noqa: E731
    both = np.concatenate([dead(FIRST), -np.diff(dead(FIRST))], axis=1)
    confront(
        studied.of("after as many steps Adam kills fewer units at a third of its rate"),
        lambda: -1.0,
        in_turn(lambda seed: -np.sign(np.diff(dead(seed))[:, 0])),
        {},
        in_most,
        {"as many at either rate": 0.0, "more at a third of the rate": 1.0},
        labels=dict(y="sign of (dead units at a third of the rate − at the whole)", about=APP_I),
        picture=differences(
            both, ["a third of the rate", "the whole rate", "difference"], f"{DEAD} (σ = 3, batches of 4)"
        ),
    )


@in_full
@long
def test_epochs_and_steps(studied, differences):
    """Batches of 2 kill more than of 16 in as many epochs, as published, and in as many steps, against what is."""
    few, many = BATCHES[2], BATCHES[16]

    def gaps(seed):
        first, second = (studied(one, seed) for one in (few, many))
        epochs = [found["steps"] * one.batch / one.rows for found, one in ((first, few), (second, many))]
        end = epochs[0][-1]  # of the run with fewer epochs
        alike = [np.interp(end, epochs[1], curve) for curve in second["dead"].T]
        return np.stack([first["dead"][-1] - alike, first["dead"][-1] - second["dead"][-1]], axis=-1)

    after = ["after as many epochs", "after as many steps"]
    confront(
        studied.of("small batches kill sooner by epochs and by steps"),
        lambda: np.ones(2),
        in_turn(lambda seed: np.sign(gaps(seed))),
        {},
        in_most,
        {"later by steps, as the paper has it": np.array([1.0, -1.0]), "as soon": 0.0},
        labels=dict(
            runs=after,
            y="sign of (dead units of batches of 2 − of 16)",
            about=FIG_30,
        ),
        picture=differences(gaps(FIRST), after, f"{DEAD}, batches of 2 − of 16 (σ = 3)"),
    )


@in_full
@long
def test_table_of_the_dead(studied):
    """Measured: units dead at the end under every condition, with the paper's arrows."""
    trials = {
        **RULES,
        "Adam without noise": QUIET,
        "Adam, 10,000 steps": LONG,
        **{f"Adam, batch {k}": one for k, one in BATCHES.items()},
        **{f"Adam, {k} rows": one for k, one in SIZES.items()},
    }
    numbered = dict(enumerate(trials, start=1))
    rows = {k: in_turn(lambda seed, one=trials[name]: studied(one, seed)["dead"][-1]) for k, name in numbered.items()}
    lines = [["trained by", "dead", "active", "noisy loss"]]
    for name, one in trials.items():
        found = studied(one, FIRST)
        lines.append([name, *(ranged(found[of][-1]) for of in ("dead", "active", "loss"))])
    paper = "paper: Adam kills most; fewer with larger batches, smaller rates, more data"
    measure(
        studied.of("how many units are dead after training by each rule"),
        lambda k, seed: float(rows[k](seed)),
        tuple(numbered),
        runs=NETWORKS,
        labels=dict(x="condition", y=DEAD, names=list(trials)),
        picture=table(lines, f"medians [ranges] of {NETWORKS} networks; {paper}"),
    )


def interval(values):
    """Median, and an interval that holds it but for two in a thousand times."""
    low, high = median_interval(values, 1e-3)
    return f"{np.median(values):.3f}\n[{low:.3f}, {high:.3f}]"


def ranged(values):
    """Median and range."""
    return f"{np.median(values):.3f}\n[{np.min(values):.3f}, {np.max(values):.3f}]"
