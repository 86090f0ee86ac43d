"""Training on the exact loss, with no noise sampled at all, against training on noisy natural images.

Runs that are compared see the same minibatches, so that what parts them is the noise alone.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from laws import Equivalent, Exponent, confront
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics import noise, patches
from numerics.marginalised import marginalised_loss, marginalised_terms

APP_F = "bricken-2023, App. F"
APP_E = "bricken-2023, App. E"
EQ_17 = "bricken-2023, Eq. (17)"
SIGMA = 0.5
SEEDS = 120
STEPS = 300
EXCESS = dict(y="excess of active units over training on the exact loss")


@cache
def images(components, dtype=torch.float64):
    """Whitened patches of 8 x 8 pixels, their first components."""
    return patches.natural(8, 20_000, seed=0, components=components, dtype=dtype)


def sampled(draws=1):
    """The noisy loss."""
    return noise.Sampled(noise.Gaussian(SIGMA), draws=draws)


def root_of_draws():
    """The exponent of 1/sqrt(draws)."""
    return -0.5


def no_difference():
    """Nothing."""
    return 0.0


def more():
    """The sign of an excess."""
    return 1.0


def less():
    """The sign of what is below zero."""
    return -1.0


# -- the same weights, step by step ------------------------------------------------------------------


def weights_after(objective, seed):
    """All weights of 24 networks, a row each, after some steps of SGD; objectives see the same minibatches."""
    start, by = noise.initial(16, 32, seed=seed, networks=(24,)), noise.SGD(0.02)
    end = noise.train(start, images(16).train, objective, by, noise.Schedule(30), batch=32, seed=seed)
    return torch.cat([w.flatten(1) for w in end.weights], dim=1)


exactly = cache(lambda seed: weights_after(noise.Marginalised(SIGMA), seed))


def test_draws():
    """With more draws of the noise per datum SGD tends, as 1/sqrt(draws), to SGD on the exact loss."""

    def distances(draws):
        return lambda seed: torch.linalg.vector_norm(weights_after(sampled(draws), seed) - exactly(seed), dim=1)

    levels = (1, 4, 16)
    runs = {draws: in_turn(distances(draws)) for draws in levels}
    distance = lambda draws, seed: float(runs[int(draws)](seed))  # noqa: E731
    rivals = {"another limit: the distance stays": 0.0, "as 1/draws": -1.0}
    claim = "noisy training tends to training on the exact loss"
    judge = Exponent(levels, detects=0.1, runs=24)
    drawn = dict(x="draws of the noise per datum", y="distance of the weights")
    confront(claim, root_of_draws, distance, {}, judge, rivals, labels=drawn)


# -- networks as sparse ------------------------------------------------------------------------------


class Activity(NamedTuple):
    """The fraction of active units, noise on: at the end, shape (networks,), and along, (records, networks)."""

    end: np.ndarray
    along: np.ndarray


exact = noise.Marginalised(SIGMA, error=1e-6)


def active(networks):
    """The fraction of active units, noise on, of each network."""
    held_out = images(6, torch.float32).held_out
    return noise.activity(networks, held_out, noise.Gaussian(SIGMA), seed=3).active.numpy()


@cache
def trained(objective, by, seed, networks=SEEDS):
    """Networks of twelve units on six components, side by side; one seed gives all objectives one start."""
    start, along = noise.initial(6, 12, seed=seed, networks=(networks,), dtype=torch.float32), []

    def record(networks, step):
        if step % (STEPS // 20) == 0:
            along.append(active(networks))

    schedule, x = noise.Schedule(STEPS), images(6, torch.float32).train
    noise.train(start, x, objective, by, schedule, batch=64, seed=seed, record=record)
    return Activity(along[-1], np.array(along))


def excess(by, seed):
    """How much more of each network that saw noisy data is active than of its twin on the exact loss."""
    return trained(sampled(), by, seed).end - trained(exact, by, seed).end


def along(by, shown=None):
    """The activity along training, on noisy data and on the exact loss: medians and ranges over the networks."""
    series, steps = [], list(range(0, STEPS + 1, STEPS // 20))
    gap = f"noisy data ({np.median(excess(by, FIRST)):+.3f} at the end)"
    for role, objective, name in shown or (("law", exact, "the exact loss, nothing sampled"), ("run", sampled(), gap)):
        middle, low, high = (of(trained(objective, by, FIRST).along, axis=1) for of in (np.median, np.min, np.max))
        spread = (low.tolist(), high.tolist()) if role == "run" else (None, None)
        series.append(Series(role, steps, middle.tolist(), f"trained on {name}", *spread))
    return Panel("step of training", "fraction of active units", tuple(series))


def gap_along(by):
    """The same, network by network: how much more of each is active than of its twin on the exact loss."""
    steps = list(range(0, STEPS + 1, STEPS // 20))
    gaps = (trained(sampled(), by, FIRST).along - trained(exact, by, FIRST).along).T
    each = Series("each", steps, gaps.tolist(), f"each of {len(gaps)} pairs of networks")
    none = Series("law", steps, [0.0] * len(steps), "no difference")
    middle = Series("run", steps, np.median(gaps, axis=0).tolist(), "median")
    return Panel("step of training", "active fraction on noisy data − on the exact loss", (each, none, middle))


def others(by):
    """How much more of a network is active if it is trained on something else; medians of a few networks."""
    objectives = {"the Jacobian penalty": noise.JacobianPenalty(SIGMA), "data without noise": noise.NOISELESS}
    twin = np.median(trained(exact, by, FIRST).end)
    return {f"trained on {name}": np.median(trained(of, by, 1, 5).end) - twin for name, of in objectives.items()}


def test_same_networks():
    """SGD on the exact loss, nothing sampled, gives networks as sparse as SGD on noisy data."""
    by = noise.SGD(0.05)
    run, judge = in_turn(lambda seed: excess(by, seed)), Equivalent(0.01, runs=SEEDS)
    claim = "SGD on the exact loss, with nothing sampled, is as sparse as on noisy data"
    confront(claim, no_difference, run, {}, judge, others(by), labels=EXCESS, picture=along(by))


def test_adam_is_biased():
    """By Adam more of twelve units are active in the end on noisy data than on the exact loss, by a hundredth or so.

    Adam divides by the gradient's own noise, which the exact loss lacks; whether that is the cause is not shown.  The
    bias is measured, not derived: with eight units its sign is not resolved.
    """
    by = noise.Adam(5e-3)
    run, judge = in_turn(lambda seed: np.sign(excess(by, seed))), Equivalent(0.5, runs=SEEDS)
    rivals = {"no bias": 0.0, "fewer stay active": -1.0}
    claim = "Adam leaves more of twelve units active on noisy data than on the exact loss"
    drawn = dict(y="sign of the excess of active units")
    confront(claim, more, run, {}, judge, rivals, labels=drawn, picture=gap_along(by))


def test_jacobian_penalty_does_not_sparsify():
    """By Adam on the Jacobian penalty networks end with more active units than they had, and than on noisy data."""
    by, penalty = noise.Adam(5e-3), noise.JacobianPenalty(SIGMA)

    def signs(seed):
        found = trained(penalty, by, seed)
        return np.sign(np.stack([found.end - found.along[0], found.end - trained(sampled(), by, seed).end], -1))

    claim, judge = "the Jacobian penalty does not sparsify", Equivalent(0.5, runs=SEEDS)
    rivals = {"it does, as noise does": np.array([-1.0, 0.0]), "it leaves activity": np.array([0.0, 1.0])}
    shown = (("run", penalty, "the Jacobian penalty"), ("rival", sampled(), "noisy data"))
    each = ["over the start", "over noisy data"]
    drawn = dict(runs=each, y="sign of the excess of active units", about=APP_F)
    confront(claim, more, in_turn(signs), {}, judge, rivals, labels=drawn, picture=along(by, shown))


# -- training on what is not the loss ------------------------------------------------------------------

FEW = 40
WRONG = ("without #1, the margin", "without #3, the cross term", "silent units by Eq. (25)", "active units by Eq. (23)")


def density(a):
    """The normal density."""
    return torch.exp(-a.square() / 2) / np.sqrt(2 * np.pi)


def printed(network, x):
    """What Eq. (25), and Eq. (23), add to the exact loss: noise for deviation, and a wrong chance to fall silent."""
    z, s = network.preactivation(x), SIGMA * network.W_e.norm(dim=-1)[..., None, :]
    a, size = z / s, network.W_d.square().sum(-2)[..., None, :]
    below = torch.special.ndtr
    silent = s.square() * (-2 * a * density(a) - a.square() * below(a)) * (z <= 0)
    active = z.square() * (below(-z.abs() / s.square()) - below(-a.abs())) * (z > 0)
    return ((size * part).sum(-1).mean(-1) for part in (silent, active))


def one_each(network, x, target, strength, generator):
    """The exact loss for the first row of networks, and others for others; all see the first row's minibatches."""
    x = x[:1].expand_as(x)
    terms = marginalised_terms(x, *network.weights, SIGMA, error=1e-6)
    silent, falling = printed(network, x)
    whole = sum(terms)
    losses = (whole, whole - terms.margin, whole - terms.specialisation, whole + silent, whole + falling)
    return torch.stack([loss[k] for k, loss in enumerate(losses)])


@cache
def on_each(seed):
    """Activity and noisy loss, arrays (losses, FEW), of networks that one start and different losses have led to."""
    x, losses = images(6, torch.float32), 1 + len(WRONG)
    start = noise.initial(6, 12, seed=seed, networks=(FEW,), dtype=torch.float32)
    start = start.with_weights([w.expand(losses, *w.shape) for w in start.weights])
    end = noise.train(start, x.train, one_each, noise.SGD(0.05), noise.Schedule(STEPS), batch=32, seed=seed)
    rows = x.held_out[:200].expand(losses, FEW, -1, -1)
    return active(end), marginalised_loss(rows, *end.weights, SIGMA, error=1e-6).numpy()


def by_loss(which, of):
    """How much more of `of`, activity or noisy loss, each wrong way of training leads to, network by network."""
    found = on_each(FIRST)[which]
    rows = [Series("run", (f - found[0]).tolist(), [], name) for f, name in zip(found[1:], WRONG, strict=True)]
    return Panel(
        f"excess of {of}, {FEW} networks", "", (Series("law", [0.0], [], "on the exact loss"), *rows), rows=True
    )


def test_every_term_sparsifies():
    """Networks are less sparse if trained without a term of the exact loss, or on Eq. (25), which misstates one."""

    def signs(seed):
        shares, _ = on_each(seed)
        return np.sign(shares[1:-1] - shares[0]).T

    rivals = {"the margin term is a penalty that noise adds": np.array([-1.0, 1.0, 1.0]), "no change": 0.0}
    claim = "networks are less sparse without the margin or the cross term, or on Eq. (25)"
    drawn = dict(runs=list(WRONG[:-1]), y="sign of the excess of active units", about=APP_E)
    picture = by_loss(0, "active units")
    confront(claim, more, in_turn(signs), {}, Equivalent(0.5, runs=FEW), rivals, labels=drawn, picture=picture)


def test_wrong_losses_cost():
    """Networks trained on a wrong loss, Eq. (23) among them, have a larger noisy loss on data they have not seen."""

    def signs(seed):
        _, losses = on_each(seed)
        return np.sign(losses[1:] - losses[0]).T

    claim, rivals = "networks trained on a wrong loss do worse", {"as well": 0.0, "better": -1.0}
    drawn = dict(runs=list(WRONG), y="sign of the excess of the noisy loss", about=APP_E)
    picture = by_loss(1, "noisy loss")
    confront(claim, more, in_turn(signs), {}, Equivalent(0.5, runs=FEW), rivals, labels=drawn, picture=picture)


def unsquared(network, x, target, strength, generator):
    """Eq. (17) as printed: the decoder's weights in its second term are not squared."""
    terms = marginalised_terms(x, *network.weights, SIGMA, error=1e-6)
    z, s = network.preactivation(x), SIGMA * network.W_e.norm(dim=-1)[..., None, :]
    a = z / s
    on, below = (z > 0), torch.special.ndtr(-a.abs())
    tail = (1 + a.square()) * below - a.abs() * density(a)
    square = s.square() * torch.where(on, 1 - 2 * below + tail, tail)
    return (
        terms.clean
        + terms.margin
        + terms.specialisation
        + (network.W_d.sum(-2)[..., None, :] * square).sum(-1).mean(-1)
    )


@cache
def on_unsquared(seed):
    """What Eq. (17) as printed comes to, step by step, when networks are trained on it; shape (steps, FEW)."""
    start, seen = noise.initial(6, 12, seed=seed, networks=(FEW,), dtype=torch.float32), []

    def printed_loss(*arguments):
        seen.append(unsquared(*arguments))
        return seen[-1]

    x, by = images(6, torch.float32).train, noise.Adam(1e-2)
    noise.train(start, x, printed_loss, by, noise.Schedule(160), batch=32, seed=seed, clip=1.0)
    return torch.stack(seen).detach().numpy()


def test_unsquared_is_unbounded():
    """Eq. (17) as printed, decoder weights not squared, falls in training below 0, where no mean square can be."""
    every = list(range(0, 160, 10))
    middle, low, high = (of(on_unsquared(FIRST)[every], axis=1).tolist() for of in (np.median, np.min, np.max))
    fall = Series("run", every, middle, f"median and range of {FEW} networks", low, high)
    picture = Panel("step of training", "Eq. (17) as printed, of a minibatch", (fall,))
    signs = lambda seed: np.sign(on_unsquared(seed)[-1])  # noqa: E731
    claim, rivals = "training on Eq. (17) as printed ends below zero", {"above, as a mean square": 1.0, "at zero": 0.0}
    drawn, judge = dict(y="sign of Eq. (17) after 160 steps", about=EQ_17), Equivalent(0.5, runs=FEW)
    confront(claim, less, in_turn(signs), {}, judge, rivals, labels=drawn, picture=picture)
