"""Synchrony: what noise does to the spread of biases, of encoders and of activity, and what one shared bias does.

Sparse codes are said to come about as all units settle on one bias and one length of their encoders, so that every
input leaves about as many of them active.  Networks without noise are the control: without it nothing of this is
known to be of the noise.  Spread is said in two ways, as a standard deviation and as that over the size of the mean:
where the mean is near zero, as that of biases without noise is, the latter says little, and where noise moves the mean,
as it does that of activity, they may disagree.  To differ less than without noise is not yet to gather: what gathers
differs less in the end than at the start.  Small overcomplete
networks, trained side by side; those that have converged stand in the tables of the full tier.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from laws import Equivalent, confront, measure
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics import noise, patches

FIG_6 = "bricken-2023, Fig. 6"
SHARED_BIAS = "bricken-2023, Shared bias terms and inhibitory interneurons"
FIG_9 = "bricken-2023, App. B, Fig. 9"
COMPONENTS, UNITS, STEPS, SEEDS = 16, 48, 800, 40
LEVELS = (0.0, 0.3, 0.8, 1.5)
MIDDLE = LEVELS.index(0.8)
BATCHES, BATCH = 30, 64  # of data that were not trained on
in_most = Equivalent(0.5, runs=SEEDS, miss=1e-3)  # a sign in three quarters of the networks


@cache
def images():
    """Whitened patches of 8 x 8 pixels, their first components."""
    return patches.natural(8, 20_000, seed=0, components=COMPONENTS, dtype=torch.float32)


def learnt(start, sigma, seed, record=None, eta=1e-2):
    """Networks trained with Adam."""
    return noise.train(
        start, images().train, noise.Sampled(noise.Gaussian(sigma)), noise.Adam(eta), noise.Schedule(STEPS, cool=0.7),
        batch=BATCH, seed=seed, clip=1.0, record=record,
    )  # fmt: skip


class Along(NamedTuple):
    """Along training, (records, seeds, levels, ...): biases and lengths of encoders (units), activity (batches)."""

    biases: np.ndarray
    lengths: np.ndarray
    active: np.ndarray


@cache
def along(seed):
    """All networks that one seed draws."""
    sigmas, found = torch.tensor(LEVELS), []
    rows = images().held_out[: BATCHES * BATCH].expand(SEEDS, len(LEVELS), -1, -1)

    def record(networks, step):
        if step % (STEPS // 20) == 0:
            noisy = noise.Gaussian(sigmas)(rows, 1.0, torch.Generator().manual_seed(seed))
            on = (networks.preactivation(noisy) > 0).float().mean(-1)
            active = on.reshape(SEEDS, len(LEVELS), BATCHES, BATCH).mean(-1)
            found.append([v.numpy() for v in (networks.b_e, networks.W_e.norm(dim=-1), active)])

    start = noise.initial(COMPONENTS, UNITS, seed=seed, networks=(SEEDS, len(LEVELS)), dtype=torch.float32)
    learnt(start, sigmas, seed, record)
    return Along(*(np.array(each) for each in zip(*found, strict=True)))


def spreads(values):
    """The standard deviation over the last axis, and that over the mean's size, as a new last axis."""
    deviation = values.std(-1)
    return np.stack([deviation, deviation / np.abs(values.mean(-1))], axis=-1)


def beyond_silence(which, levels=slice(1, None)):
    """The logarithms of both spreads with noise over those without, at some levels, of each run: (SEEDS, 2, levels)."""

    def ratios(seed):
        spread = spreads(getattr(along(seed), which)[-1])
        return np.log(spread[:, levels] / spread[:, :1]).swapaxes(1, 2)

    return ratios


def signs_of(effect):
    """The signs of an effect of a seed, run by run."""
    return in_turn(lambda seed: np.sign(effect(seed)))


BOTH = "sign of (spread − spread without noise)"
RATIO = "ln of the spread over that without noise"


def spread_at(levels):
    """The names of both spreads at these levels, in their order."""
    return [f"{of}, σ = {level:g}" for of in ("deviation", "over the mean") for level in levels]


@cache
def change_in_time(which, seed):
    """The standard deviation at the end of training minus that at its start, (SEEDS, levels)."""
    deviation = spreads(getattr(along(seed), which))[..., 0]
    return deviation[-1] - deviation[0]


def measured_spreads(which, what):
    """Both spreads of one quantity at every level, unjudged."""
    each = in_turn(lambda seed: spreads(getattr(along(seed), which)[-1]))
    low, middle, high = np.quantile(spreads(getattr(along(FIRST), which)[-1])[..., 1], (0, 0.5, 1), axis=0).tolist()
    over = Series("run", list(LEVELS), middle, f"median and range, {SEEDS} networks", low, high)
    measure(
        f"by how much do {what} differ at the end, by noise",
        lambda level, seed: float(each(seed)[LEVELS.index(level), 0]),
        LEVELS, runs=SEEDS, labels=dict(x="noise σ", y=f"standard deviation of {what}"),
        picture=Panel("noise σ", "standard deviation over the mean's size", (over,), "y"),
    )  # fmt: skip


def measured_in_time(which, what):
    """The standard deviation of one quantity along training under the middle level of noise, unjudged."""
    steps, every = list(range(0, STEPS + 1, STEPS // 20)), 5
    each = in_turn(lambda seed: spreads(getattr(along(seed), which))[::every, :, MIDDLE, 0].T)
    middles = np.median(spreads(getattr(along(FIRST), which))[..., 0], axis=1).T.tolist()
    lines = [Series("rival", steps, v, f"σ = {sigma:g}") for sigma, v in zip(LEVELS, middles, strict=True)]
    measure(
        f"by how much do {what} differ along training, under noise of {LEVELS[MIDDLE]:g}",
        lambda step, seed: float(each(seed)[steps[::every].index(step)]),
        steps[::every], runs=SEEDS, labels=dict(x="step of training", y=f"standard deviation of {what}"),
        picture=Panel("step of training", f"standard deviation, median of {SEEDS}", tuple(lines)),
    )  # fmt: skip


def test_biases_gather(differences):
    """Under noise of 0.3 and 0.8 biases differ less than without noise, and less at the end of training than before.

    By their standard deviation: their mean is near zero without noise, so that a spread over it says little.
    """
    less, moderate = lambda seed: beyond_silence("biases", slice(1, 3))(seed)[:, 0], ["σ = 0.3", "σ = 0.8"]
    confront(
        "under moderate noise the biases of all units differ less than without noise",
        -1.0, signs_of(less), {}, in_most, {"no less than without": 0.0, "they differ more": 1.0},
        labels=dict(runs=moderate, y="sign of (standard deviation − that without noise)", about=FIG_6),
        picture=differences(less(FIRST), moderate, "ln of the biases' standard deviation over that without noise"),
    )  # fmt: skip

    def changes(seed):
        change = change_in_time("biases", seed)
        noisy = change[:, 1 : MIDDLE + 1]
        return np.concatenate([noisy, noisy - change[:, :1]], axis=1)

    both = "change", "change − that without noise"
    runs = [f"{what}, σ = {sigma:g}" for what in both for sigma in LEVELS[1 : MIDDLE + 1]]
    confront(
        "under moderate noise biases gather as training goes on, and they do so by the noise",
        -1.0, signs_of(changes), {}, in_most,
        {"they stay as they are": 0.0, "they spread, less than without noise": np.array([1.0, 1.0, -1.0, -1.0])},
        labels=dict(runs=runs, y="sign, of their standard deviation", about=FIG_6),
        picture=differences(changes(FIRST), runs, "standard deviation of the biases of one network"),
    )  # fmt: skip
    measured_spreads("biases", "the biases of one network")
    measured_in_time("biases", "the biases of one network")


def loud_alone():
    """The signs without noise, under noise of 0.3 and of 1.5: of larger differences, larger and smaller ones."""
    return np.array([1.0, 1.0, -1.0])


def test_encoders_gather(differences):
    """With noise lengths of encoders end less spread than without; as training goes on they gather under 1.5 alone.

    At every level they differ less by both spreads.  Along training they gather under noise of 1.5, and spread under
    0.3, as without noise; what they do under 0.8, between the two, is not decided, and measured alone.
    """
    less = beyond_silence("lengths")
    confront(
        "with noise the encoders of all units differ less in length than without",
        -1.0, signs_of(less), {}, in_most, {"no change": 0.0, "more": 1.0},
        labels=dict(runs=spread_at(LEVELS[1:]), y=BOTH, about=FIG_6),
        picture=differences(less(FIRST), spread_at(LEVELS[1:]), f"lengths: {RATIO}"),
    )  # fmt: skip
    levels, change = ["no noise", "σ = 0.3", "σ = 1.5"], lambda seed: change_in_time("lengths", seed)[:, [0, 1, 3]]
    confront(
        "as training goes on lengths of encoders gather under noise of 1.5, and spread under 0.3 as without any",
        loud_alone, signs_of(change), {}, in_most,
        {"under any noise, as the paper has it": np.array([1.0, -1.0, -1.0]), "never": 1.0},
        labels=dict(runs=levels, y="sign of the change of their standard deviation", about=FIG_6),
        picture=differences(change(FIRST), levels, "change of the lengths' standard deviation along training"),
    )  # fmt: skip
    measured_spreads("lengths", "the encoders' lengths of one network")
    measured_in_time("lengths", "the encoders' lengths of one network")


def apart():
    """The signs, from weak noise to moderate: the standard deviation falls, but less than the mean does."""
    return np.array([-1.0, 1.0])


def test_activity_over_batches(differences):
    """Activity varies more between batches with noise than without; from 0.3 to 0.8 less, but more over its mean.

    From 0.3 to 0.8 its standard deviation falls, as published; over the mean, which falls too, it rises.
    """
    more = beyond_silence("active")
    confront(
        "activity varies more between batches with noise than without",
        1.0, signs_of(more), {}, in_most, {"less, as the paper has it": -1.0, "no change": 0.0},
        labels=dict(runs=spread_at(LEVELS[1:]), y=BOTH, about=FIG_6),
        picture=differences(more(FIRST), spread_at(LEVELS[1:]), f"activity of batches: {RATIO}"),
    )  # fmt: skip

    def change(seed):
        spread = spreads(along(seed).active[-1])
        return np.log(spread[:, MIDDLE] / spread[:, MIDDLE - 1])

    both = ["standard deviation", "over the mean"]

    confront(
        "from noise of 0.3 to 0.8 activity varies less between batches, but more in proportion to it",
        apart, signs_of(change), {}, in_most, {"less by both": -1.0, "more by both": 1.0, "no change": 0.0},
        labels=dict(runs=both, y="sign of the change of the spread", about=FIG_6),
        picture=differences(change(FIRST), both, "ln of the spread at σ = 0.8 over that at 0.3"),
    )  # fmt: skip
    measured_spreads("active", "the shares of active units in batches")


# -- one bias for all ----------------------------------------------------------------------------------


@cache
def shared_and_own(seed):
    """Activity and noisy loss of networks with one bias for all units, and with one for each; arrays (2, SEEDS)."""
    sigma, x = LEVELS[MIDDLE], images().held_out
    active, loss = [], []
    for shared in (True, False):
        start = noise.initial(COMPONENTS, UNITS, seed=seed, networks=(SEEDS,), shared_bias=shared, dtype=torch.float32)
        end = learnt(start, sigma, seed)
        active.append(noise.activity(end, x, noise.Gaussian(sigma), seed=seed).active.numpy())
        noisy = noise.Gaussian(sigma)(x.expand(SEEDS, -1, -1), 1.0, torch.Generator().manual_seed(seed))
        loss.append((end(noisy) - x).square().sum(-1).mean(-1).numpy())
    return np.array(active), np.array(loss)


def no_difference():
    """Nothing."""
    return 0.0


def own_loss():
    """The noisy loss of networks with a bias for each unit."""
    return shared_and_own(FIRST)[1][1]


def linear_loss():
    """The noisy loss of the best linear map of components that do not covary."""
    variance, noise_variance = images().held_out.var(0).numpy(), LEVELS[MIDDLE] ** 2
    return float(np.sum(variance * noise_variance / (variance + noise_variance)))


def test_one_shared_bias():
    """One bias for all units does as well, within a twentieth: as many are active, and the noisy loss is the same.

    The best linear map, which loses half as much again, and other noise, which leaves others active, are told apart.
    """

    def excess(seed):
        return np.stack([of[0] / of[1] - 1 for of in shared_and_own(seed)], axis=-1)

    active = along(FIRST).active[-1].mean(-1)
    ratio = np.median(active / active[:, MIDDLE, None], axis=0)
    confront(
        "one bias shared by all units is as good as one for each",
        no_difference, in_turn(excess), {}, Equivalent(0.05, runs=SEEDS, miss=1e-3),
        {
            **{f"as active as with noise of {LEVELS[k]:g}": np.array([ratio[k] - 1, 0.0]) for k in (1, 3)},
            "a loss like the best linear map's": lambda: np.array([0.0, linear_loss() / np.median(own_loss()) - 1]),
        },
        labels=dict(
            runs=["active units", "noisy loss"], y="relative excess over one bias each (σ = 0.8, 48 units)",
            about=SHARED_BIAS,
        ),
    )  # fmt: skip


# -- smaller weights at first ----------------------------------------------------------------------------

SCALES = (0.25, 1.0, 4.0)


@cache
def from_scales(seed, sigma=3.0):
    """Activity along training, (records, SEEDS, scales), of networks that differ in the scale of their encoders."""
    found, x = [], images().held_out[:300]

    def record(networks, step):
        if step % (STEPS // 20) == 0:
            found.append(noise.activity(networks, x, noise.Gaussian(sigma), seed=seed).active.numpy())

    start = noise.initial(COMPONENTS, UNITS, seed=seed, networks=(SEEDS, 1), dtype=torch.float32)
    alike = [w.expand(-1, len(SCALES), *w.shape[2:]) for w in start.weights]
    start = start.with_weights([alike[0] * torch.tensor(SCALES)[:, None, None], *alike[1:]])
    learnt(start, sigma, seed, record, eta=3e-3)
    return np.array(found)


def sooner():
    """The signs of more activity at each larger scale under noise, and of less at the largest without noise."""
    return np.array([*np.ones(len(SCALES) - 1), -1.0])


def test_smaller_weights_sparsify_sooner(differences):
    """Under loud noise, networks whose encoders start smaller are sparser after the same time; without noise denser.

    Without noise, the control, it is encoders of a quarter against those of four times the size that are told apart.
    """

    def changes(seed):
        noisy, quiet = from_scales(seed)[-1], from_scales(seed, sigma=0.0)[-1]
        return np.concatenate([np.diff(noisy, axis=-1), quiet[:, -1:] - quiet[:, :1]], axis=-1)

    rows = [*(f"{b:g} against {a:g} times, σ = 3" for a, b in pairwise(SCALES)), "4 against 0.25, no noise"]
    confront(
        "smaller initial encoders sparsify sooner under loud noise",
        sooner, signs_of(changes), {}, in_most,
        {"no difference": 0.0, "so they do without noise": np.ones(len(SCALES))},
        labels=dict(
            runs=rows, y="sign of (activity of larger − of smaller encoders)", about=FIG_9,
        ),
        picture=differences(changes(FIRST), rows, "active fraction at the end, larger − smaller first encoders"),
    )  # fmt: skip
