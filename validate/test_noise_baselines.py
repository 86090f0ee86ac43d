"""Sparse codes by noise beside those by an L1 penalty and by the k largest: what they cost, and what they look like.

Small overcomplete networks of all methods, each at three strengths, train side by side on the same patches of natural
images.  Losses and activity are those without noise, on patches that were not trained on; noise stays on while
training.  An L1 penalty is tried with outgoing weights of length 1 as well: without it the penalty can be lowered
for nothing, by smaller encoders and larger decoders, which the penalty of noise cannot (`theory.noise.rescaling`).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from laws import Equivalent, confront
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import noise, patches
from numerics.fields import fit_centres, fit_gabors, mosaic

FIG_13 = "bricken-2023, App. D, Fig. 13"
APP_D = "bricken-2023, App. D"
FIG_8 = "bricken-2023, Fig. 8"
FIG_14 = "bricken-2023, App. D, Fig. 14"
SIDE, COMPONENTS, UNITS, STEPS, SEEDS = 8, 16, 48, 600, 20
SIGMAS, PENALTIES, LARGEST = (0.3, 0.6, 1.2), (0.3, 1.0, 3.0), (16, 6, 2)  # sparser from left to right
FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the seed that judges give first: what they train is drawn
in_most = Equivalent(0.5, runs=SEEDS, miss=1e-3)  # a sign in all but two of the networks
METHODS = {"noise": SIGMAS, "L1, unit decoders": PENALTIES, "L1": PENALTIES, "top k": LARGEST}


@cache
def images():
    """Whitened patches, their first components."""
    return patches.natural(SIDE, 20_000, seed=0, components=COMPONENTS, dtype=torch.float32)


def trained(objective, seed, levels=3, activation=torch.relu, anneal=None):
    """Networks (SEEDS, levels) trained with Adam; all methods start from the same and see the same minibatches."""
    shape = dict(seed=seed, activation=activation, dtype=torch.float32)
    start = noise.initial(COMPONENTS, UNITS, networks=(SEEDS, 1), **shape)
    start = start.with_weights([w.expand(-1, levels, *w.shape[2:]) for w in start.weights])
    schedule = noise.Schedule(STEPS, cool=0.7, anneal=anneal)
    return noise.train(start, images().train, objective, noise.Adam(1e-2), schedule, batch=64, seed=seed, clip=1.0)


class Codes(NamedTuple):
    """Arrays (SEEDS, levels): active units, loss per input, dead units; lengths of encoders and decoders; fields."""

    active: np.ndarray
    loss: np.ndarray
    dead: np.ndarray
    encoders: np.ndarray
    decoders: np.ndarray
    fields: np.ndarray


def measured(network):
    """What is measured of networks (SEEDS, levels)."""
    x = images().held_out.expand(*network.W_e.shape[:2], -1, -1)
    h = network.activation(network.preactivation(x))
    loss = (network(x) - x).square().mean((-1, -2))
    lengths = network.W_e.norm(dim=-1).mean(-1), network.W_d.norm(dim=-2).mean(-1)
    fields = (network.W_e @ images().basis).unflatten(-1, (SIDE, SIDE))
    counted = (h > 0).float().mean((-1, -2)), loss, (h.sum(-2) < noise.DEAD).float().mean(-1)
    return Codes(*(v.detach().numpy() for v in (*counted, *lengths, fields)))


@cache
def codes(method, seed):
    """The networks of one method at all strengths."""
    if "noise" in method:
        anneal = (0.4, 0.6) if "then none" in method else None
        return measured(trained(noise.Sampled(noise.Gaussian(torch.tensor(SIGMAS))), seed, anneal=anneal))
    if method == "top k":
        each = [measured(trained(noise.NOISELESS, seed, 1, noise.TopK(k))) for k in LARGEST]
        return Codes(*(np.concatenate(parts, axis=1) for parts in zip(*each, strict=True)))
    penalised = noise.Sampled(noise.Gaussian(0.0), l1=torch.tensor(PENALTIES))
    if method == "L1":
        return measured(trained(penalised, seed))
    return measured(noise.unit_norm(trained(noise.UnitNorm(penalised), seed)))


def against(x, y, says, methods=METHODS):
    """One measure against another, all methods and strengths: medians, and the range of the networks."""
    series = []
    for method in methods:
        found = codes(method, FIRST)
        across, up = getattr(found, x), getattr(found, y)
        middle, low, high = (np.quantile(up, q, axis=0).tolist() for q in (0.5, 0, 1))
        at = np.median(across, axis=0).tolist()
        series += [Series("rival", at, middle, method), Series("run", at, middle, "_nolegend_", low, high)]
    return Panel("fraction of active units", says, tuple(series), "y" if y == "loss" else "")


def costs(method):
    """The sign of a further loss where fewer units are active."""
    return np.ones(len(method))


def test_frontier():
    """Sparser codes cost more by every method: at each higher strength fewer units are active, and more is lost."""

    def signs(seed):
        each = [codes(method, seed) for method in METHODS]
        changes = [np.minimum(-np.diff(found.active), np.sign(np.diff(found.loss))).min(-1) for found in each]
        return np.sign(changes).T

    names = ", ".join(f"{k + 1} {method}" for k, method in enumerate(METHODS))
    confront(
        "sparser codes lose more, by any method",
        costs, in_turn(signs), dict(method=np.arange(1, 1 + len(METHODS))), in_most, {"free": 0.0, "less": -1.0},
        labels=dict(method=names, y="sign of the further loss", about=FIG_13),
        picture=against("active", "loss", "loss per input, noise off"),
    )  # fmt: skip


WITH = 0.1  # of all units active


def loss_at(found, active=WITH):
    """The loss of each network at one activity, between the strengths that it lies between; its logarithm is linear."""
    each = zip(found.active[:, ::-1], np.log(found.loss[:, ::-1]), strict=True)
    return np.array([np.exp(np.interp(active, a, loss)) for a, loss in each])


def ranked():
    """The sign of the further loss from each method to the next."""
    return np.array([1.0, 1.0])


def test_who_loses_least():
    """With a tenth of the units active L1 with unit decoders loses least of clean data, noise more, top k most."""

    def signs(seed):
        losses = [loss_at(codes(method, seed)) for method in ("L1, unit decoders", "noise", "top k")]
        return np.sign(np.diff(losses, axis=0)).T

    confront(
        "at equal activity L1 with unit decoders loses less than noise, and noise less than top k",
        ranked, in_turn(signs), {}, in_most,
        {"one frontier for all": 0.0, "noise loses least": np.array([-1.0, 1.0]), "top k before noise": -1.0},
        labels=dict(runs=["noise over L1", "top k over noise"], y="sign of the further loss", about=FIG_13),
        picture=against("active", "loss", "loss per input, noise off"),
    )  # fmt: skip


SO = "1 where it is so, -1 where not: medians"


def as_claimed():
    """A sign times the one that is claimed: they agree."""
    return 1.0


def test_l1_is_escaped_by_rescaling():
    """Without unit decoders the same L1 penalty leaves more units active: encoders shrink, and decoders grow."""
    claimed = np.array([1.0, -1.0, 1.0])

    def signs(seed):
        free, bound = (codes(method, seed) for method in ("L1", "L1, unit decoders"))
        gaps = [getattr(free, of) - getattr(bound, of) for of in ("active", "encoders", "decoders")]
        return claimed * np.sign(np.array(gaps)[..., 1:].mean(-1)).T

    confront(
        "an L1 penalty on activity alone is escaped by smaller encoders and larger decoders",
        as_claimed, in_turn(signs), {}, in_most,
        {"no difference": 0.0, "as sparse": np.array([0.0, 1.0, 1.0]), "the other way": -1.0},
        labels=dict(runs=["more units are active", "encoders are shorter", "decoders are longer"], y=SO, about=APP_D),
        picture=against("active", "encoders", "mean length of an encoder"),
    )  # fmt: skip


def deadly():
    """Dead units: none with noise; more for fewer allowed at once."""
    return np.array([0.0, 1.0])


def test_dead_units():
    """Noise kills no unit at any strength; keeping the two largest kills more than keeping sixteen."""

    def dead(seed):
        by_noise, by_rank = (codes(method, seed).dead for method in ("noise", "top k"))
        return np.stack([by_noise.max(-1), np.sign(by_rank[:, -1] - by_rank[:, 0])], axis=-1)

    confront(
        "noise kills no unit, the k largest kill more the fewer they are",
        deadly, in_turn(dead), {}, Equivalent(1 / UNITS / 2, runs=SEEDS, miss=1e-3),  # half a unit
        {"one unit dies of noise": np.array([1 / UNITS, 1.0]), "as many at any k": 0.0},
        labels=dict(y="dead units by noise; sign of more by top 2 than 16", about=FIG_13),
        picture=against("active", "dead", "fraction of dead units"),
    )  # fmt: skip


def test_annealing():
    """Once noise is annealed these networks, which have units enough to be exact, give their sparsity up again."""
    methods = ("noise", "noise, then none")

    def signs(seed):
        before, after = (codes(method, seed) for method in methods)
        gaps = np.sign([after.active - before.active, after.loss - before.loss])
        return np.array([1, -1]) * np.where(np.all(gaps == gaps[..., :1], axis=-1), gaps[..., 0], 0).T  # at every level

    confront(
        "annealing the noise gives up sparsity for a smaller loss",
        as_claimed, in_turn(signs), {}, in_most,
        {"sparsity stays, as in the paper's larger networks": np.array([0.0, 1.0]), "nothing changes": 0.0},
        labels=dict(runs=["more units are active", "less is lost"], y=SO, about=FIG_8),
        picture=against("active", "loss", "loss per input, noise off", methods),
    )  # fmt: skip


# -- fields --------------------------------------------------------------------------------------------

FITTED, NETWORKS = 12, 20  # fields of each network at the strongest of each method


@cache
def explained(method, seed):
    """What Gabor functions, and centres with a surround, explain of some fields; both (NETWORKS, FITTED)."""
    fields = codes(method, seed).fields[:NETWORKS, -1, :FITTED].reshape(-1, SIDE, SIDE)
    return tuple(fit(fields).explained.reshape(NETWORKS, FITTED) for fit in (fit_gabors, fit_centres))


def fields_of_each_method():
    """The fields of one network of each method, at its strongest."""
    shown = []
    for method in METHODS:
        gabor, centre = explained(method, FIRST)
        says = f"{method}: {np.median(gabor):.2f}, {np.median(centre):.2f}"
        tiles = mosaic(codes(method, FIRST).fields[0, -1], 8)
        shown.append(Series("image", [], [], says, np.round(tiles, 2).tolist()))
    return Panel("48 fields of one network each; R² of Gabor functions, of centres with a surround", "", tuple(shown))


@cache
def of_white_noise(seed):
    """How much more Gabor functions explain of white noise than centres with a surround do, having more numbers."""
    fields = np.random.default_rng(seed).normal(size=(NETWORKS * FITTED, SIDE, SIDE))
    return float(np.median(fit_gabors(fields).explained - fit_centres(fields).explained))


def oriented():
    """The sign of what Gabor functions explain more than centres do, beyond white noise, by each method."""
    return np.ones(len(METHODS))


def test_fields_are_oriented():
    """By every method the fields are oriented: Gabor functions explain more of them than centres with a surround."""

    def signs(seed):
        gaps = [np.median(gabor - centre, axis=-1) for gabor, centre in (explained(m, seed) for m in METHODS)]
        return np.sign(np.array(gaps) - of_white_noise(seed)).T

    confront(
        "fields of sparse codes of natural images are oriented, by any method",
        oriented, in_turn(signs), {}, in_most,
        {"neither": 0.0, "centres with noise": np.array([-1.0, 1.0, 1.0, 1.0]), "centres": -1.0},
        labels=dict(runs=list(METHODS), y="sign of Gabor R² less centre R², beyond white noise's", about=FIG_14),
        picture=fields_of_each_method(),
    )  # fmt: skip
