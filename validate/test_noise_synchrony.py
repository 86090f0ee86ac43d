"""Synchrony: what noise does to the spread of biases, of encoders and of activity, and what one shared bias does.

Sparse codes are said to come about as all units settle on one bias and one length of their encoders, so that every
input leaves about as many of them active.  Networks without noise are the control: without it nothing of this is
known to be of the noise.  Spread is said in two ways, as a standard deviation and as that over the size of the mean:
where the mean is near zero, as that of biases without noise is, the latter says little, and where noise moves the mean,
as it does that of activity, they may disagree.  Only what both say is claimed as gathering.  Small overcomplete
networks, trained side by side; those that have converged stand in the tables of the full tier.
"""

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from laws import Equivalent, confront, measure
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import noise, patches

FIG_6 = "bricken-2023, Fig. 6"
SHARED_BIAS = "bricken-2023, Shared bias terms and inhibitory interneurons"
FIG_9 = "bricken-2023, App. B, Fig. 9"
COMPONENTS, UNITS, STEPS, SEEDS = 16, 48, 800, 20
LEVELS = (0.0, 0.3, 0.8, 1.5)
MIDDLE = LEVELS.index(0.8)
BATCHES, BATCH = 30, 64  # of data that were not trained on
FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the seed that judges give first: what they train is drawn
in_most = Equivalent(0.5, runs=SEEDS, miss=1e-3)  # a sign in all but two of the networks


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
    """The signs of both spreads with noise less those without, at some levels, run by run: (SEEDS, 2, levels)."""

    def signs(seed):
        spread = spreads(getattr(along(seed), which)[-1])
        return np.sign(spread[:, levels] - spread[:, :1]).swapaxes(1, 2)

    return in_turn(signs)


BOTH = "sign of the spread less that without noise"


def spread_at(levels):
    """The names of both spreads at these levels, in their order."""
    return [f"{of}, σ = {level:g}" for of in ("deviation", "over the mean") for level in levels]


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


def of_units(which, says):
    """One of these quantities along training: medians, and the range at the lowest and the highest level of noise."""
    steps, series = list(range(0, STEPS + 1, STEPS // 20)), []
    for k, sigma in enumerate(LEVELS):
        low, middle, high = np.quantile(getattr(along(FIRST), which)[:, 0, k], (0, 0.5, 1), axis=-1).tolist()
        series += [
            Series("rival", steps, middle, f"σ = {sigma:g}"),
            Series("band", steps, middle, "_nolegend_", low, high),
        ]
    return Panel("step of training", says, tuple(series))


def test_biases_gather():
    """Under noise of 0.3 and 0.8 the biases differ less between units than without any, by both spreads.

    Under noise of 1.5 they differ less over the size of their mean alone, which without noise is near zero.
    """
    confront(
        "under moderate noise the biases of all units gather around one value",
        -1.0, beyond_silence("biases", slice(1, 3)), {}, in_most, {"no more than without": 0.0, "they spread": 1.0},
        labels=dict(runs=spread_at(LEVELS[1:3]), y=BOTH, about=FIG_6),
        picture=of_units("biases", "biases of 48 units, median and range (σ = 0, 1.5)"),
    )  # fmt: skip
    measured_spreads("biases", "the biases of one network")


def test_encoders_gather():
    """The lengths of the encoders differ less between units with noise than without, at every level by both spreads."""
    confront(
        "with noise the encoders of all units gather around one length",
        -1.0, beyond_silence("lengths"), {}, in_most, {"no change": 0.0, "they spread": 1.0},
        labels=dict(runs=spread_at(LEVELS[1:]), y=BOTH, about=FIG_6),
        picture=of_units("lengths", "lengths of 48 encoders, median and range (σ = 0, 1.5)"),
    )  # fmt: skip
    measured_spreads("lengths", "the encoders' lengths of one network")


def apart():
    """The signs, from weak noise to moderate: the standard deviation falls, but less than the mean does."""
    return np.array([-1.0, 1.0])


def test_activity_over_batches():
    """Activity varies more between batches with noise than without; whether less with more of it depends on the spread.

    From 0.3 to 0.8 its standard deviation falls, as published; over the mean, which falls too, it rises.
    """
    confront(
        "activity varies more between batches with noise than without",
        1.0, beyond_silence("active"), {}, in_most, {"less, as the paper has it": -1.0, "no change": 0.0},
        labels=dict(runs=spread_at(LEVELS[1:]), y=BOTH, about=FIG_6),
        picture=of_units("active", "active units in each of 30 batches, median and range (σ = 0, 1.5)"),
    )  # fmt: skip

    def signs(seed):
        spread = spreads(along(seed).active[-1])
        return np.sign(spread[:, MIDDLE] - spread[:, MIDDLE - 1])

    confront(
        "from noise of 0.3 to 0.8 activity varies less between batches, but more in proportion to it",
        apart, in_turn(signs), {}, in_most, {"less by both": -1.0, "more by both": 1.0, "no change": 0.0},
        labels=dict(runs=["standard deviation", "over the mean"], y="sign of the change of the spread", about=FIG_6),
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


def test_one_shared_bias():
    """One bias for all units does as well, within a twentieth: as many are active, and the noisy loss is the same."""

    def excess(seed):
        return np.stack([of[0] / of[1] - 1 for of in shared_and_own(seed)], axis=-1)

    active = along(FIRST).active[-1].mean(-1)
    ratio = np.median(active / active[:, MIDDLE, None], axis=0)
    confront(
        "one bias shared by all units is as good as one for each",
        no_difference, in_turn(excess), {}, Equivalent(0.05, runs=SEEDS, miss=1e-3),
        {f"as active as with noise of {LEVELS[k]:g}": np.array([ratio[k] - 1, 0.0]) for k in (1, 3)},
        labels=dict(runs=["activity", "noisy loss"], y="excess over a bias for each, as a fraction", about=SHARED_BIAS),
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
    """The sign of more activity at each larger scale."""
    return np.ones(len(SCALES) - 1)


def test_smaller_weights_sparsify_sooner():
    """Under loud noise, networks whose encoders start smaller are sparser after the same time."""
    found, steps = from_scales(FIRST), list(range(0, STEPS + 1, STEPS // 20))
    lines = [
        Series("rival", steps, np.median(found[..., k], axis=1).tolist(), f"encoders {scale:g} times as large")
        for k, scale in enumerate(SCALES)
    ]
    confront(
        "smaller initial encoders sparsify sooner under loud noise",
        sooner, in_turn(lambda seed: np.sign(np.diff(from_scales(seed)[-1], axis=-1))), {}, in_most,
        {"no difference": 0.0, "later": -1.0},
        labels=dict(runs=[f"encoders {a:g} to {b:g} times" for a, b in pairwise(SCALES)],
                    y="sign of the change of activity", about=FIG_9),
        picture=Panel("step of training (σ = 3)", f"fraction of active units, median of {SEEDS}", tuple(lines)),
    )  # fmt: skip
