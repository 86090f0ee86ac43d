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


WITH = 0.11  # of all units active: within what each method's strengths reach in every network


def loss_at(found, active=WITH):
    """The loss of each network at one activity, between the strengths that it lies between; its logarithm is linear."""
    reached = found.active.min(-1).max(), found.active.max(-1).min()
    if not reached[0] <= active <= reached[1]:
        raise ValueError(f"active = {active} is outside what all networks reach, {reached[0]:g} to {reached[1]:g}")
    each = zip(found.active[:, ::-1], np.log(found.loss[:, ::-1]), strict=True)
    return np.array([np.exp(np.interp(active, a, loss)) for a, loss in each])


def ranked():
    """The signs of the further loss: of noise over both penalties, and of the k largest over noise."""
    return np.ones(3)


def test_who_loses_least():
    """With 11 % of the units active noise that is not annealed loses more of clean data than L1, and less than top k.

    L1 comes with unit decoders and without.  Noise is scored without noise, though it was on to the end of training;
    once annealed these networks are not sparse any more (see below).
    """

    def signs(seed):
        bound, free, noisy, top = (
            loss_at(codes(method, seed)) for method in ("L1, unit decoders", "L1", "noise", "top k")
        )
        return np.sign([noisy - bound, noisy - free, top - noisy]).T

    confront(
        "at equal activity un-annealed noise loses more of clean data than either L1 penalty, and less than top k",
        ranked, in_turn(signs), {}, in_most,
        {
            "one frontier for all": 0.0,
            "noise loses least": np.array([-1.0, -1.0, 1.0]),
            "noise before L1 without unit decoders": np.array([1.0, -1.0, 1.0]),
            "top k before noise": np.array([1.0, 1.0, -1.0]),
        },
        labels=dict(
            runs=["noise over L1, unit decoders", "noise over L1", "top k over noise"],
            y="sign of the further loss", about=FIG_13,
        ),
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
    """Dead units: none with noise; some with plain L1; more for fewer allowed at once."""
    return np.array([0.0, 1.0, 1.0])


def test_dead_units():
    """Noise kills no unit at any strength; plain L1 kills some at its strongest, top 2 more than top 16."""

    def dead(seed):
        by_noise, by_l1, by_rank = (codes(method, seed).dead for method in ("noise", "L1", "top k"))
        further = np.sign([by_l1[:, -1], by_rank[:, -1] - by_rank[:, 0]])
        return np.stack([by_noise.max(-1), *further], axis=-1)

    confront(
        "noise kills no unit, a plain L1 penalty kills some, the k largest kill more the fewer they are",
        deadly, in_turn(dead), {}, Equivalent(1 / UNITS / 2, runs=SEEDS, miss=1e-3),  # half a unit
        {
            "one unit dies of noise": np.array([1 / UNITS, 1.0, 1.0]),
            "none dies of L1": np.array([0.0, 0.0, 1.0]),
            "as many at any k": np.array([0.0, 1.0, 0.0]),
        },
        labels=dict(y="dead units by noise; sign of those by L1; sign of more by top 2 than 16", about=FIG_13),
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


def fitted(found):
    """What Gabor functions, and centres with a surround, explain of some fields; both (NETWORKS, FITTED)."""
    fields = found.fields[:NETWORKS, -1, :FITTED].reshape(-1, SIDE, SIDE)
    return tuple(fit(fields).explained.reshape(NETWORKS, FITTED) for fit in (fit_gabors, fit_centres))


@cache
def explained(method, seed):
    """The same of the networks of one method at its strongest."""
    return fitted(codes(method, seed))


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
def of_the_start(seed):
    """How much more Gabor functions explain than centres do, having more numbers, before these networks are trained.

    They start in the space of the components alone, whose fields are smooth: of white noise in all pixels Gabor
    functions explain less, and untrained networks would seem oriented.
    """
    start = noise.initial(COMPONENTS, UNITS, networks=(SEEDS, 1), seed=seed, dtype=torch.float32)
    gabor, centre = fitted(measured(start))
    return np.median(gabor - centre, axis=-1)


def oriented():
    """The sign of what Gabor functions explain more than centres do, beyond their start, by each method."""
    return np.ones(len(METHODS))


def test_fields_are_oriented():
    """By every method training makes fields oriented: Gabor functions gain on centres with a surround."""

    def signs(seed):
        gaps = [np.median(gabor - centre, axis=-1) for gabor, centre in (explained(m, seed) for m in METHODS)]
        return np.sign(np.array(gaps) - of_the_start(seed)).T

    confront(
        "training makes fields of sparse codes of natural images more oriented than at their start, by any method",
        oriented, in_turn(signs), {}, in_most,
        {"as untrained": 0.0, "centres with noise": np.array([-1.0, 1.0, 1.0, 1.0]), "centres": -1.0},
        labels=dict(runs=list(METHODS), y="sign of Gabor R² less centre R², beyond the start's", about=FIG_14),
        picture=fields_of_each_method(),
    )  # fmt: skip
