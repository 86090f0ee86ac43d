"""Deeper networks that classify digits under noise: which layers grow sparser, what stays, and how noise is outgrown.

Three hidden layers; the noise stands before the first, the second or the third alone, is on for half of the training,
falls to none, and stays off.  They learn 1,000 digits and are asked about 797 others.  27 networks of every level are
stored, and with `--full` trained anew.  Trends are judged along the levels of noise; those without noise, the control,
against the loudest.  With 27 networks a chance trend passes as rarely as each card states; that a
true one is missed is bounded only if all but one network in a thousand show it (`excess` = 0.499).
"""

import numpy as np
import pytest

from laws import Equivalent, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics.annealing import BEFORE, DEEP, END, FALLS, RECORDS

SEEDS = 27
LEVELS = (0.5, 1.5, 4.0)
LAYERS = ("first", "second", "third")
AT = [f"σ = {level:g}" for level in LEVELS]
TREND = Trend(LEVELS, excess=0.499)
in_full = pytest.mark.parametrize(
    "studied", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)
long = pytest.mark.timeout(7200)


def against_noise(studied, rule, before, pick):
    """A run of one network at one level, of those that were trained side by side."""
    both = in_turn(lambda seed: pick(studied(DEEP[rule, before], seed)))
    return lambda level, seed: float(both(seed)[1 + LEVELS.index(level)])


def along(studied, rule, before, layer):
    """Activity of one layer along training, for no noise and every level: medians of the networks of one seed."""
    found = studied(DEEP[rule, before], FIRST)["active"]
    parts = np.linspace(0, 100, RECORDS + 1).tolist()
    names = ("no noise", *(f"σ = {level:g}" for level in LEVELS))
    lines = [
        Series("rival", parts, np.median(found[:, :, k, layer], axis=1).tolist(), name) for k, name in enumerate(names)
    ]
    said = f"steps, % of training (noise falls from {100 * FALLS[0]:.0f} to {100 * FALLS[1]:.0f})"
    return Panel(said, f"share of the {LAYERS[layer]} layer on (median)", tuple(lines))


def trend(claim, sign, run, y, picture=None):
    """A sign along the levels of noise, with the two others as rivals."""
    rivals = {{-1: "falls", 0: "no trend", 1: "rises"}[other]: other for other in (-1, 0, 1) if other != sign}
    drawn = dict(x="noise σ", y=y, about="bricken-2023, App. J")
    confront(claim, sign, run, {}, TREND, rivals, labels=drawn, picture=picture)


def beyond(studied, rule, before, when, layer):
    """Activity of one layer minus that of the networks without noise, of all that one seed draws: (seeds, `LEVELS`)."""

    def change(seed):
        active = studied(DEEP[rule, before], seed)["active"][when, ..., layer]
        return active[:, 1:] - active[:, :1]

    return change


@in_full
@long
@pytest.mark.parametrize("rule", ["descent", "Adam"])
def test_input_noise_makes_the_second_layer_sparse(studied, rule):
    """From 0.5 up more noise on the input leaves less of the second layer on while it lasts; 0.5 itself may not."""
    run = against_noise(studied, rule, 0, lambda found: found["active"][BEFORE, :, :, 1])
    claim = studied.of(f"from 0.5 up: the more input noise the sparser the second layer while it lasts, under {rule}")
    trend(claim, -1, run, "share of the second layer on while the noise lasts", along(studied, rule, 0, 1))


@in_full
@long
def test_first_layer_is_a_little_sparser(studied, differences):
    """Under descent input noise of 1.5 makes the first layer a little sparser than none; of 0.5 and 4 it is open.

    The published first layer was not sparse in proportion to noise.
    """
    loud, change = LEVELS.index(1.5), beyond(studied, "descent", 0, BEFORE, 0)
    difference = in_turn(change)
    confront(
        studied.of("input noise of 1.5 makes the first layer sparser than no noise, under descent"),
        -1.0,
        lambda seed: float(np.sign(difference(seed)[loud])),
        {},
        Equivalent(0.5, runs=SEEDS, miss=1e-3),
        {"no effect": 0.0, "denser": 1.0},
        labels=dict(y="sign of (share of the first layer on − without noise)", about="bricken-2023, App. J"),
        picture=differences(change(FIRST), AT, "share of the first layer on, minus without noise"),
    )
    measured_beyond(studied, "input noise changes the activity of the first layer while it lasts", BEFORE, 0)


def measured_beyond(studied, what, when, layer):
    """By how much, under descent, at each level of noise on the input: medians and ranges, unjudged."""
    difference = in_turn(beyond(studied, "descent", 0, when, layer))
    measure(
        studied.of(f"by how much {what}"),
        lambda level, seed: float(difference(seed)[LEVELS.index(level)]),
        LEVELS,
        runs=SEEDS,
        labels=dict(x="noise σ", y=f"share of the {LAYERS[layer]} layer on, minus without noise"),
        picture=along(studied, "descent", 0, layer),
    )


@in_full
@long
@pytest.mark.parametrize("before", [1, 2])
def test_what_stays(studied, before):
    """From 0.5 up, the more noise stood before a layer the less of it is on in the end; 0.5 itself may leave more."""
    run = against_noise(studied, "Adam", before, lambda found: found["active"][END, :, :, before])
    name = LAYERS[before]
    claim = studied.of(f"from 0.5 up: the more noise before the {name} layer the sparser it is left, under Adam")
    trend(claim, -1, run, f"share of the {name} layer on", along(studied, "Adam", before, before))


BEYOND = {  # algorithm, the layer that noise stands before, what is looked at: the sign of it, minus without noise
    "second layer on, input noise, descent": ("descent", 0, lambda of: of["active"][BEFORE, ..., 1], -1.0),
    "second layer on, input noise, Adam": ("Adam", 0, lambda of: of["active"][BEFORE, ..., 1], -1.0),
    "second layer on, left by noise before it, Adam": ("Adam", 1, lambda of: of["active"][END, ..., 1], -1.0),
    "third layer on, left by noise before it, Adam": ("Adam", 2, lambda of: of["active"][END, ..., 2], -1.0),
    "first weights, input noise, Adam": ("Adam", 0, lambda of: of["lengths"][..., 0], -1.0),
    "first weights, noise before the second, Adam": ("Adam", 1, lambda of: of["lengths"][..., 0], 1.0),
    "first weights, noise before the third, Adam": ("Adam", 2, lambda of: of["lengths"][..., 0], 1.0),
    "second weights, noise before the third, Adam": ("Adam", 2, lambda of: of["lengths"][..., 1], 1.0),
}


@in_full
@long
def test_beyond_no_noise(studied, differences):
    """The control: noise of 4 does to activity and weights what the trends say, against networks without any.

    Weak noise need not: of 0.5 before the third layer more of it is on, when it is gone, than without.
    """

    def changes(seed):
        each = (pick(studied(DEEP[rule, before], seed)) for rule, before, pick, _ in BEYOND.values())
        return np.array([values[:, -1] / values[:, 0] - 1 for values in each]).T

    wanted = np.array([sign for *_, sign in BEYOND.values()])
    confront(
        studied.of(
            "noise of 4, against none, makes deep layers sparser, weights upstream longer, those of noisy input shorter"
        ),
        lambda: wanted,
        in_turn(lambda seed: np.sign(changes(seed))),
        {},
        Equivalent(0.5, runs=SEEDS, miss=1e-3),
        {"no effect": 0.0, "sparser alone: weights shrink everywhere": -1.0},
        labels=dict(runs=list(BEYOND), y="sign of (noise of 4 − no noise)", about="bricken-2023, App. J"),
        picture=differences(changes(FIRST), list(BEYOND), "noise of 4 against no noise: relative change"),
    )


@in_full
@long
def test_what_input_noise_leaves(studied):
    """Measured: how the activity of the second layer differs once noise on the input is gone."""
    measured_beyond(studied, "input noise changes the activity of the second layer when it is gone", END, 1)


@in_full
@long
def test_noise_inside_is_outgrown(studied):
    """Noise before the second layer alone makes the first layer's weights grow, the published cheat."""
    run = against_noise(studied, "Adam", 1, lambda found: found["lengths"][:, :, 0])
    claim = studied.of("noise before the second layer makes the first layer's weights grow, under Adam")
    trend(claim, 1, run, "length of the first layer's weights", lengths(studied, 1))


@in_full
@long
@pytest.mark.parametrize("layer", [0, 1])
def test_noise_before_the_third_layer_is_outgrown(studied, layer):
    """Noise before the third layer alone makes the weights of both layers upstream grow."""
    run = against_noise(studied, "Adam", 2, lambda found: found["lengths"][:, :, layer])
    claim = studied.of(f"noise before the third layer makes the {LAYERS[layer]} layer's weights grow, under Adam")
    trend(claim, 1, run, f"length of the {LAYERS[layer]} layer's weights", lengths(studied, 2))


@in_full
@long
def test_noise_on_the_input_cannot_be_outgrown(studied):
    """Noise on the input, which nothing stands before, makes the first layer's weights shrink."""
    run = against_noise(studied, "Adam", 0, lambda found: found["lengths"][:, :, 0])
    claim = studied.of("noise on the input makes the first layer's weights shrink, under Adam")
    trend(claim, -1, run, "length of the first layer's weights", lengths(studied, 0))


def lengths(studied, before):
    """The length of every layer's weights over that without noise, by the noise before one layer: medians, ranges."""
    found, series = studied(DEEP["Adam", before], FIRST)["lengths"], []
    for layer, name in enumerate((*LAYERS, "output")):
        over = found[..., layer] / np.median(found[:, 0, layer])
        middle, low, high = (np.quantile(over, q, axis=0).tolist() for q in (0.5, 0, 1))
        levels = [0.0, *LEVELS]
        series += [Series("rival", levels, middle, name), Series("run", levels, middle, "_nolegend_", low, high)]
    said = f"length of weights over that without noise (bars: range of {SEEDS})"
    return Panel(f"noise σ before the {LAYERS[before]} layer", said, (*series,))


@in_full
@long
def test_accuracy(studied):
    """Weak noise, and then none, costs less than two in a hundred held-out digits; stronger is measured."""
    right = lambda seed: studied(DEEP["descent", 0], seed)["right"][1]  # noqa: E731
    lost = in_turn(lambda seed: np.diff(right(seed)[:, :2])[:, 0])
    drawn = dict(
        y="share of held-out digits classified correctly, minus without noise", about="bricken-2023, App. J.2, Table 2"
    )
    claim = studied.of(
        f"noise of {LEVELS[0]:g}, and then none, costs deep networks, by descent, less than 2 % of held-out digits"
    )
    confront(claim, 0.0, lost, {}, Equivalent(0.02, runs=SEEDS), {"a twentieth lost": -0.05}, labels=drawn)
    levels, each = (0.0, *LEVELS), in_turn(right)
    measure(
        studied.of("how many held-out digits does a deep network classify correctly after noise, and then none"),
        lambda level, seed: float(each(seed)[levels.index(level)]),
        levels,
        runs=SEEDS,
        labels=dict(x="noise σ while it lasts", y="share of held-out digits classified correctly"),
    )


@in_full
@long
def test_adam_leaves_more_units_dead(studied, differences):
    """More units of the third layer are dead at the end by Adam than by descent, in the mean over all levels of noise.

    Networks without noise are among them: how many of the dead units are the noise's doing is not said.
    """

    def further(seed):
        dead = {rule: studied(DEEP[rule, 0], seed)["dead"][END, ..., 2] for rule in ("descent", "Adam")}
        return dead["Adam"] - dead["descent"]

    each, mean = further(FIRST), further(FIRST).mean(-1, keepdims=True)
    names = ["no noise", *AT, "mean over these"]

    confront(
        studied.of("Adam leaves more units of a deep network's last layer dead than descent does"),
        1.0,
        in_turn(lambda seed: np.sign(further(seed).mean(-1))),
        {},
        Equivalent(0.5, runs=SEEDS, miss=1e-3),
        {"as many by both": 0.0, "fewer by Adam": -1.0},
        labels=dict(
            y="sign of (dead units by Adam − by descent), means over σ = 0 to 4",
            about="bricken-2023, App. J.2, Fig. 33",
        ),
        picture=differences(np.hstack([each, mean]), names, "share of units dead by Adam, minus by descent"),
    )
