"""What noise, and what the exact loss without any noise, make of autoencoders of natural images."""

from functools import cache

import numpy as np
import torch
from scipy.special import ndtr

from laws import Equivalent, Exponent, Mean, Order, Roundoff, Trend, confront
from laws.judges.verdict import Panel, Series
from numerics import noise, patches
from numerics.marginalised import marginalised_loss, marginalised_terms

SIGMA = 0.5
INPUTS, UNITS = 16, 32
SEEDS = 20
STEPS = 600


@cache
def images(dtype=torch.float64):
    """Whitened patches of 8 x 8 pixels, their first 16 components."""
    return patches.natural(8, 20_000, seed=0, components=INPUTS, dtype=dtype)


def sampled(sigma=SIGMA, **more):
    """The noisy loss."""
    return noise.Sampled(noise.Gaussian(sigma), **more)


@cache
def ensemble(objective):
    """Twenty networks trained with Adam, and the median of each network's summary."""
    start = noise.initial(INPUTS, UNITS, seed=1, networks=(SEEDS,), dtype=torch.float32)
    by, schedule = noise.Adam(3e-3), noise.Schedule(STEPS, cool=0.7)
    return noise.train(start, images(torch.float32).train, objective, by, schedule, batch=64, seed=2, clip=1.0)


def falls():
    """The sign of a falling trend."""
    return -1.0


def rises():
    """The sign of a rising trend."""
    return 1.0


def a_reward():
    """The sign of a term that lowers the loss."""
    return -1.0


def root_of_draws():
    """The exponent of 1/sqrt(draws)."""
    return -0.5


def no_difference():
    """Nothing."""
    return 0.0


def all_of_them():
    """Every unit."""
    return 1.0


ACTIVE = dict(y="active fraction of units")


def one_by_one(values):
    """A run that hands out one network's value after another, whatever the seed."""
    iterator = iter(values)
    return lambda seed: next(iterator)


def active(networks, sigma=SIGMA):
    """The fraction of active units, noise on, of each network."""
    return noise.activity(networks, images(torch.float32).held_out, noise.Gaussian(sigma), seed=3).active.numpy()


# -- no noise need be sampled ------------------------------------------------------------------------


def weights_after(objective, seed, steps=30):
    """All weights, in one row, after some steps of SGD; every objective sees the same minibatches."""
    start, by = noise.initial(INPUTS, UNITS, seed=7), noise.SGD(0.02)
    end = noise.train(start, images().train, objective, by, noise.Schedule(steps), batch=32, seed=seed)
    return torch.cat([w.reshape(-1) for w in end.weights])


exactly = cache(lambda seed: weights_after(noise.Marginalised(SIGMA), seed))


def test_draws():
    """With more draws of the noise per datum SGD tends, as 1/sqrt(draws), to SGD on the exact loss."""

    def distance(draws, seed):
        return float(torch.linalg.vector_norm(weights_after(sampled(draws=int(draws)), seed) - exactly(seed)))

    rivals = {"another limit: the distance stays": 0.0, "as 1/draws": -1.0}
    claim = "noisy training tends to training on the exact loss"
    drawn = dict(x="draws of the noise per datum", y="distance of the weights from those of the exact loss")
    confront(claim, root_of_draws, distance, {}, Exponent((1, 4, 16), detects=0.1, runs=20), rivals, labels=drawn)


def test_same_networks():
    """SGD on the exact loss, nothing sampled, gives networks as sparse as SGD on noisy data."""
    by, schedule = noise.SGD(0.05), noise.Schedule(600)

    def end(objective):
        start = noise.initial(INPUTS, UNITS, seed=7, dtype=torch.float32)
        network = noise.train(start, images(torch.float32).train, objective, by, schedule, batch=64, seed=11)
        return float(active(network))

    start = noise.initial(INPUTS, UNITS, seed=7, dtype=torch.float32)
    copies = start.with_weights([w.expand(SEEDS, *w.shape) for w in start.weights])
    noisy = active(noise.train(copies, images(torch.float32).train, sampled(), by, schedule, batch=64, seed=12))
    exact, taylor = end(noise.Marginalised(SIGMA, error=1e-6)), end(noise.JacobianPenalty(SIGMA))
    claim = "training without noise on the exact loss is as sparse"
    rivals = {"trained on the Jacobian penalty": taylor, "trained without noise": end(noise.NOISELESS)}
    confront(claim, exact, one_by_one(noisy), {}, Equivalent(0.03, runs=SEEDS), rivals, labels=ACTIVE)


def test_adam_is_biased():
    """Adam divides by the gradient's own noise, which the exact loss lacks: its activity differs, by little."""
    start, by = noise.initial(INPUTS, UNITS, seed=1, dtype=torch.float32), noise.Adam(3e-3)
    schedule = noise.Schedule(STEPS, cool=0.7)
    exact = noise.Marginalised(SIGMA, error=1e-6)
    network = noise.train(start, images(torch.float32).train, exact, by, schedule, batch=64, seed=2, clip=1.0)
    bias = active(ensemble(sampled())) - float(active(network))
    claim, rivals = "Adam reproduces noisy training to six per cent of all units", {"dense": 1 - float(active(network))}
    confront(
        claim,
        no_difference,
        one_by_one(bias),
        {},
        Equivalent(0.06, runs=SEEDS),
        rivals,
        labels=dict(y="active fraction, noisy less exact"),
    )


def test_jacobian_penalty_does_not_sparsify():
    """Trained on the Jacobian penalty, nearly all units stay active; trained with noise, a third is."""
    dense = one_by_one(active(ensemble(noise.JacobianPenalty(SIGMA))))
    rivals = {"as with noise": float(np.median(active(ensemble(sampled()))))}
    claim = "the Jacobian penalty does not sparsify"
    confront(claim, all_of_them, dense, {}, Equivalent(0.15, runs=SEEDS), rivals, labels=ACTIVE)


# -- what the three terms do ------------------------------------------------------------------------


@cache
def along(sigma=SIGMA, steps=(0, 100, 300, STEPS)):
    """The terms of the exact loss at some steps of training, for each of twenty networks; shape (seeds, steps, 4)."""
    x, kept = images().held_out[:100], []

    def record(networks, step):
        if step in steps:
            kept.append([
                [float(t) for t in marginalised_terms(x, *(w[k].double() for w in networks.weights), sigma)]
                for k in range(SEEDS)
            ])  # fmt: skip

    start = noise.initial(INPUTS, UNITS, seed=1, networks=(SEEDS,), dtype=torch.float32)
    noise.train(
        start, images(torch.float32).train, sampled(sigma), noise.Adam(3e-3), noise.Schedule(steps[-1], cool=0.7),
        batch=64, seed=2, clip=1.0, record=record,
    )  # fmt: skip
    return np.array(kept).transpose(1, 0, 2)


def terms_along_training(steps=(0, 100, 300, STEPS)):
    """A picture of the three terms along training, medians over the networks."""
    middle = np.median(along(), axis=0)
    names = ("#1 margin", "#2 sparsity", "#3 specialisation")
    series = [Series("rival", [s + 10 for s in steps], middle[:, 1 + k].tolist(), name) for k, name in enumerate(names)]
    series.append(Series("run", [s + 10 for s in steps], middle[:, 1].tolist(), "median of 20 networks"))
    return Panel("step of training + 10", "term of the exact loss", tuple(series), "x")


def test_margin_is_a_reward():
    """The margin term #1 is a reward in trained networks, not a penalty: its sign in twenty of them."""
    signs = np.sign(along()[:, -1, 1])
    claim, rivals = "the margin term rewards trained networks", {"a penalty, as the paper has it": 1.0, "nothing": 0.0}
    judge = Equivalent(0.5, runs=SEEDS)
    confront(
        claim,
        a_reward,
        one_by_one(signs),
        {},
        judge,
        rivals,
        labels=dict(y="sign of the margin term #1"),
        picture=terms_along_training(),
    )


def preactivations():
    """How pre-activations are distributed over data and units, for networks trained with and without noise."""
    x, edges, series = images(torch.float32).held_out, np.linspace(-6, 6, 61), []
    for role, objective, name in (("run", sampled(), "σ = 0.5"), ("rival", noise.NOISELESS, "no noise")):
        z = ensemble(objective).preactivation(x).flatten().numpy()
        density = np.histogram(z, edges)[0] / len(z) / np.diff(edges)
        series.append(Series(role, ((edges[1:] + edges[:-1]) / 2).tolist(), density.tolist(), f"trained with {name}"))
    return Panel("noise-free pre-activation", "density", tuple(series))


def test_biases_are_negative():
    """With noise of 0.5 more than three quarters of all biases end below 0; without noise most end above."""
    share = lambda objective: (ensemble(objective).b_e < 0).double().mean(-1).numpy()  # noqa: E731
    claim, rivals = "noise pushes biases below zero", {"as without noise": float(np.median(share(noise.NOISELESS)))}
    run, judge = one_by_one(share(sampled())), Equivalent(0.25, runs=SEEDS)
    drawn = dict(y="share of units with a negative bias")
    confront(claim, all_of_them, run, {}, judge, rivals, labels=drawn, picture=preactivations())


LOUD = dict(x="noise σ", y="active fraction")
LEVELS = (0.1, 0.4, 1.0)  # louder noise takes longer than these short runs to sparsify


@cache
def by_noise(seed):
    """Active units, clean active units and mean encoder correlation at each level of noise, trained side by side."""
    sigmas = torch.tensor(LEVELS)
    start = noise.initial(INPUTS, UNITS, seed=seed, networks=(len(LEVELS),), dtype=torch.float32)
    objective = noise.Sampled(noise.Gaussian(sigmas))
    x = images(torch.float32)
    by, schedule = noise.Adam(8e-3), noise.Schedule(150, cool=0.7)
    networks = noise.train(start, x.train, objective, by, schedule, batch=64, seed=seed, clip=1.0)
    counted = noise.activity(networks, x.held_out, noise.Gaussian(sigmas), seed=seed)
    unit = torch.nn.functional.normalize(networks.W_e, dim=-1)
    apart = (unit @ unit.mT).abs().triu(1).sum((-1, -2)) * 2 / (UNITS * (UNITS - 1))
    return dict(active=counted.active.numpy(), clean=counted.clean.numpy(), alike=apart.numpy())


def activity_along_training(seed=5):
    """The active fraction against the step of training, for each level of noise."""
    sigmas, kept = torch.tensor(LEVELS), []
    start = noise.initial(INPUTS, UNITS, seed=seed, networks=(len(LEVELS),), dtype=torch.float32)
    x = images(torch.float32)

    def record(networks, step):
        if step % 20 == 0:
            kept.append(noise.activity(networks, x.held_out, noise.Gaussian(sigmas), seed=seed).active.numpy())

    by, schedule = noise.Adam(8e-3), noise.Schedule(400, cool=0.7)
    noise.train(start, x.train, noise.Sampled(noise.Gaussian(sigmas)), by, schedule, batch=64, seed=seed, record=record)
    steps, curves = list(range(0, 401, 20)), np.array(kept).T
    level = dict(zip(LEVELS, curves, strict=True))
    series = [Series("rival", steps, curve.tolist(), f"σ = {sigma:g}") for sigma, curve in level.items()]
    ends = Series("run", [400] * len(LEVELS), curves[:, -1].tolist(), "end of training")
    return Panel("step of training", "fraction of active units", (*series, ends))


def against_noise(which):
    """A run of one level, for a judge of trends."""
    return lambda sigma, seed: float(by_noise(seed)[which][LEVELS.index(sigma)])


def test_activity_falls_with_noise():
    """On natural images fewer units are active the more noise there is."""
    claim, rivals = "activity falls with noise", {"none": 0.0, "rises": 1.0}
    confront(
        claim, falls, against_noise("active"), {}, Trend(LEVELS), rivals, labels=LOUD, picture=activity_along_training()
    )


def test_encoders_align_with_noise():
    """Encoder weights grow more alike with noise, not less: covariance goes by silence, not by decorrelation."""
    claim, rivals = "encoders grow more alike with noise", {"decorrelation, as the paper has it": -1.0, "none": 0.0}
    confront(
        claim,
        rises,
        against_noise("alike"),
        {},
        Trend(LEVELS),
        rivals,
        labels={**LOUD, "y": "mean |cosine| of two encoders"},
    )


# -- symmetries -------------------------------------------------------------------------------------


def trained(seed=5):
    """One network, half trained."""
    start, by = noise.initial(INPUTS, UNITS, seed=seed), noise.Adam(3e-3)
    return noise.train(start, images().train, sampled(), by, noise.Schedule(800), batch=64, seed=seed)


def test_rescaling():
    """Rescaling a ReLU unit leaves the exact loss: w_e.dL/dw_e + b dL/db = w_d.dL/dw_d."""
    network, x = trained(), images().held_out[:64]
    slopes = torch.autograd.grad(
        marginalised_loss(x, *(leaves := [w.clone().requires_grad_() for w in network.weights]), SIGMA), leaves
    )
    encoder = (network.W_e * slopes[0]).sum(1)
    with_bias = encoder + network.b_e * slopes[1]
    decoder = (network.W_d * slopes[2]).sum(0)
    size = (
        (network.W_e * slopes[0]).abs().sum(1)
        + (network.b_e * slopes[1]).abs()
        + (network.W_d * slopes[2]).abs().sum(0)
    )
    judge = Roundoff(operations=len(x) * UNITS * 40, condition=(size / with_bias.abs()).numpy())
    claim = "rescaling a unit leaves the exact loss"
    law = lambda unit: decoder.numpy()  # noqa: E731
    rivals = {"encoder without its bias": lambda unit: decoder.numpy() - with_bias.numpy() + encoder.numpy()}
    drawn = dict(unit="hidden unit", y="w·∂L/∂w")
    confront(claim, law, lambda seed: with_bias.numpy(), dict(unit=np.arange(UNITS)), judge, rivals, labels=drawn)


def test_conservation():
    """|w_e|^2 + b^2 - |w_d|^2 of every unit drifts under descent on the exact loss only as the step does."""
    start, x, time = noise.initial(6, 8, seed=3), images().train[:40, :6].contiguous(), 0.32

    def balance(network, bias=True):
        encoder = network.W_e.square().sum(1) + (network.b_e.square() if bias else 0)
        return (encoder - network.W_d.square().sum(0)).numpy()

    def end(eta, by=noise.SGD):
        weights = [w.clone() for w in start.weights]
        for _ in range(round(time / eta)):
            leaves = [w.requires_grad_() for w in weights]
            slopes = torch.autograd.grad(marginalised_loss(x, *leaves, SIGMA), leaves)
            weights = [(w - eta * g).detach() for w, g in zip(leaves, slopes, strict=True)]
        return start.with_weights(weights)

    fine = end(0.002)
    rivals = {"without the bias": balance(fine, bias=False) - balance(start, bias=False) + 0 * balance(start)}
    run = lambda eta, seed: balance(end(eta)) - balance(start)  # noqa: E731
    drawn = dict(h="step η", y="change of |w_e|² + b² − |w_d|² of a unit")
    confront("descent conserves |w_e|^2 + b^2 - |w_d|^2", 0.0, run, {}, Order(1, start=0.02), rivals, labels=drawn)


def test_equivariance():
    """Data, noise and biases c times as large make the exact loss c^2 times as large."""
    network, x, c = trained(), images().held_out[:64], 1.7
    exact = lambda x, W_e, b_e, W_d, b_d, sigma: marginalised_loss(x, W_e, b_e, W_d, b_d, sigma).item()  # noqa: E731
    W_e, b_e, W_d, b_d = network.weights
    law = lambda c: c**2 * exact(x, *network.weights, SIGMA)  # noqa: E731
    run = lambda seed: exact(c * x, W_e, c * b_e, W_d, c * b_d, c * SIGMA)  # noqa: E731
    rivals = {"linear in c": lambda c: c * exact(x, *network.weights, SIGMA)}
    judge = Roundoff(operations=40 * UNITS, condition=UNITS)
    confront(
        "the exact loss scales as the square of data and noise",
        law,
        run,
        dict(c=c),
        judge,
        rivals,
        labels=dict(y="exact loss"),
    )


def test_reported_activity():
    """The reported activity, h > 0 with the noise on, is the mean of Phi(mu/s) over data and units."""
    network, x = trained(), images().held_out
    z, s = network.preactivation(x), SIGMA * network.W_e.norm(dim=1)
    law = lambda: float(ndtr((z / s).numpy()).mean())  # noqa: E731

    def run(n, seed):
        generator = torch.Generator().manual_seed(seed)
        share = []
        for part in torch.randint(len(x), (n,), generator=generator).split(100_000):
            noisy = noise.Gaussian(SIGMA)(x[part], 1.0, generator)
            share.append((network.preactivation(noisy) > 0).double().mean(-1))
        return torch.cat(share).numpy()

    rivals = {"clean activity": float((z > 0).double().mean()), "Phi(mu/s^2)": float(ndtr((z / s**2).numpy()).mean())}
    confront(
        "reported activity is mean Phi(mu/s)", law, run, {}, Mean(detects=0.005, bounds=(0, 1)), rivals, labels=ACTIVE
    )
