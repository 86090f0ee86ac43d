"""Deeper networks that classify digits under noise: which layers grow sparse, what stays, and how noise is outgrown.

Three hidden layers; the noise stands before the first layer or before the second, is on for half of the training, falls
to none, and stays off.  Networks of all levels and seeds train side by side; every claim looks at the same ones.
With 27 networks a chance trend passes as rarely as each card states; that a true one is missed is bounded only if all
but one network in a thousand show it (`excess` = 0.499).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits

from laws import Equivalent, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import noise, patches

WIDTH, STEPS, SEEDS, BATCH = 30, 800, 27, 32
LEVELS = (0.5, 1.5, 4.0)
LAYERS = ("first", "second", "third")
EVERY = 40
FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the seed that judges give first: what they train is drawn
TREND = Trend(LEVELS, excess=0.499)


class Deep(NamedTuple):
    """For each seed and level (none, then `LEVELS`): activity (records, seeds, levels, layers), norms while noise is on
    (seeds, levels, layers), held-out accuracy at the end (seeds, levels), dead units then (seeds, levels, layers).
    """

    activity: np.ndarray
    norms: np.ndarray
    right: np.ndarray
    dead: np.ndarray


@cache
def digits():
    """Training rows with their classes, and those held out with theirs, in the same order."""
    rows = patches.digits(seed=0, dtype=torch.float32)
    classes = torch.from_numpy(load_digits().target[np.random.default_rng(0).permutation(len(load_digits().target))])
    held_out = len(rows.held_out)
    return rows.train, classes[held_out:], rows.held_out, classes[:held_out]


def dead_units(networks, x):
    """Of each layer, on the same data as activity is counted on."""
    return noise.layer_activity(networks, x[:300]).dead.numpy()


@cache
def deep(by, before, seed):
    """All networks that one seed draws, trained under noise before one layer."""
    x, classes, other, others = digits()
    sigmas, activity, norms = torch.tensor((0.0, *LEVELS)), [], []

    def record(networks, step):
        if step % EVERY == 0:
            activity.append(noise.layer_activity(networks, x[:300]).active.numpy())
        if step == STEPS // 2:
            norms.append(torch.stack([W.norm(dim=(-2, -1)) for W, _ in networks.layers], dim=-1).numpy())

    start = noise.perceptron(64, *[WIDTH] * 3, 10, seed=seed, networks=(SEEDS, len(LEVELS) + 1), dtype=torch.float32)
    objective = noise.Disturbed(noise.Gaussian(sigmas.expand(SEEDS, -1)), noise.cross_entropy, (before,))
    schedule = noise.Schedule(STEPS, anneal=(0.5, 0.7))
    train = dict(batch=BATCH, seed=seed, target=classes, record=record, label="deep networks")
    end = noise.train(start, x, objective, by, schedule, **train)
    return Deep(np.array(activity), norms[0], noise.accuracy(end, other, others).numpy(), dead_units(end, x))


ADAM, SGD = noise.Adam(1e-3), noise.SGD(0.1)
MIDDLE, END = STEPS // 2 // EVERY, -1


def against_noise(by, before, pick):
    """A run of one network at one level, of those that were trained side by side."""
    both = in_turn(lambda seed: pick(deep(by, before, seed)))
    return lambda level, seed: float(both(seed)[1 + LEVELS.index(level)])


def along(by, before, layer):
    """Activity of one layer along training, for no noise and every level: medians of the networks of one seed."""
    found, steps = deep(by, before, FIRST).activity, np.arange(0, STEPS + 1, EVERY)
    names = ("no noise", *(f"σ = {level:g}" for level in LEVELS))
    lines = [
        Series(role, steps.tolist(), (100 * np.median(found[:, :, k, layer], axis=1)).tolist(), name)
        for k, (role, name) in enumerate(zip(("law", "rival", "rival", "rival"), names, strict=True))
    ]
    said = f"step (noise falls from {STEPS // 2} to {7 * STEPS // 10})"
    return Panel(said, f"units of the {LAYERS[layer]} layer that are on, %", tuple(lines))


def trend(claim, sign, run, y, picture=None):
    """A sign along the levels of noise, with the two others as rivals."""
    rivals = {{-1: "falls", 0: "no trend", 1: "rises"}[other]: other for other in (-1, 0, 1) if other != sign}
    drawn = dict(x="noise σ", y=y, about="bricken-2023, App. J")
    confront(claim, sign, run, {}, TREND, rivals, labels=drawn, picture=picture)


def beyond(by, before, when, layer):
    """Activity of one layer less that of the networks without noise, run by run: (seeds, `LEVELS`)."""

    def change(seed):
        active = deep(by, before, seed).activity[when, ..., layer]
        return active[:, 1:] - active[:, :1]

    return in_turn(change)


def test_input_noise_makes_the_second_layer_sparse():
    """The more noise on the input, the sparser the second layer while it lasts.

    At 4 it was sparser than without noise in each of 27 networks, by both algorithms; at 1.5 in 25 by descent, and in
    13, which is no difference that they resolve, by Adam.
    """
    for name, by in dict(descent=SGD, Adam=ADAM).items():
        run = against_noise(by, 0, lambda found: found.activity[MIDDLE, :, :, 1])
        claim = f"input noise makes the second layer sparse, under {name}"
        trend(claim, -1, run, "share of the second layer on", along(by, 0, 1))


def test_first_layer_is_a_little_sparser():
    """Under descent input noise of 1.5 makes the first layer a little sparser than none; by how much is measured.

    The level was read off 27 networks; the sign then held in all of 27 others as well.  The published first layer was
    not sparse in proportion to noise.
    """
    loud, difference = LEVELS.index(1.5), beyond(SGD, 0, MIDDLE, 0)
    confront(
        "input noise of 1.5 makes the first layer sparser than no noise, under descent",
        -1.0,
        lambda seed: float(np.sign(difference(seed)[loud])),
        {},
        Equivalent(0.5, runs=SEEDS),
        {"no effect": 0.0, "denser": 1.0},
        labels=dict(y="sign of the share of the first layer on, less without noise", about="bricken-2023, App. J"),
        picture=along(SGD, 0, 0),
    )
    measured_beyond("input noise changes the activity of the first layer while it lasts", SGD, MIDDLE, 0)


def measured_beyond(what, by, when, layer):
    """By how much, at each level of noise on the input: medians and ranges, unjudged."""
    difference = beyond(by, 0, when, layer)
    measure(
        f"by how much {what}",
        lambda level, seed: float(difference(seed)[LEVELS.index(level)]),
        LEVELS,
        runs=SEEDS,
        labels=dict(x="noise σ", y=f"share of the {LAYERS[layer]} layer on, less without noise"),
        picture=along(by, 0, layer),
    )


def test_what_stays():
    """Noise before the second layer leaves it sparse when gone; what noise on the input leaves is measured alone.

    At 1.5 and at 4 the second layer ended sparser than without noise in 22 of these 27 networks each, but in 16 and
    13 of 27 others: whether sparsity stays, as the paper has it, is not resolved.
    """
    run = against_noise(ADAM, 1, lambda found: found.activity[END, :, :, 1])
    claim = "noise before the second layer leaves it sparse"
    trend(claim, -1, run, "share of the second layer on", along(ADAM, 1, 1))
    measured_beyond("input noise changes the activity of the second layer when it is gone", SGD, END, 1)


def test_noise_inside_is_outgrown():
    """Noise before the second layer makes the first layer's weights grow; noise on the input makes them shrink."""
    inner = against_noise(ADAM, 1, lambda found: found.norms[:, :, 0])
    trend("noise before the second layer is outgrown by the first", 1, inner, "norm of the first layer's weights")
    outer = against_noise(ADAM, 0, lambda found: found.norms[:, :, 0])
    trend("noise on the input makes the first layer's weights shrink", -1, outer, "norm of the first layer's weights")


def test_accuracy():
    """Weak noise, and then none, costs no accuracy on digits that were held out; for stronger noise it is measured."""
    lost = in_turn(lambda seed: np.diff(deep(SGD, 0, seed).right[:, :2])[:, 0])
    drawn = dict(y="held-out digits told apart, less those without noise")
    claim = f"noise of {LEVELS[0]:g}, and then none, costs a deep network no accuracy"
    confront(claim, 0.0, lost, {}, Equivalent(0.02, runs=SEEDS), {"a twentieth lost": -0.05}, labels=drawn)
    levels, right = (0.0, *LEVELS), in_turn(lambda seed: deep(SGD, 0, seed).right)
    measure(
        "how many held-out digits does a deep network tell apart after noise, and then none",
        lambda level, seed: float(right(seed)[levels.index(level)]),
        levels,
        runs=SEEDS,
        labels=dict(x="noise σ while it lasts", y="held-out digits told apart"),
    )


def dead_by_noise():
    """Dead units of the third layer against the level of noise, for both algorithms: medians and ranges."""
    levels, lines = [0.0, *LEVELS], []
    for name, by in dict(descent=SGD, Adam=ADAM).items():
        middle, low, high = (np.quantile(deep(by, 0, FIRST).dead[..., 2], q, axis=0).tolist() for q in (0.5, 0, 1))
        lines += [Series("rival", levels, middle, name), Series("run", levels, middle, "_nolegend_", low, high)]
    return Panel("noise σ while it lasts", "dead units of the third layer at the end", tuple(lines))


def test_adam_leaves_more_units_dead():
    """After input noise, and then none, more units of the third layer are dead by Adam than by descent."""
    further = in_turn(lambda seed: np.sign((deep(ADAM, 0, seed).dead - deep(SGD, 0, seed).dead)[..., 2].mean(-1)))
    confront(
        "Adam leaves more units of a deep network's last layer dead than descent does",
        1.0,
        further,
        {},
        Equivalent(0.5, runs=SEEDS, miss=1e-3),
        {"as many": 0.0, "fewer": -1.0},
        labels=dict(y="sign of the further dead units by Adam"),
        picture=dead_by_noise(),
    )
