"""Symmetries of the exact loss, and what is counted as activity, on networks half trained on natural images.

Each claim draws its network from its own seed: fresh seeds, fresh networks.
"""

from functools import cache

import numpy as np
import torch
from scipy.special import ndtr

from laws import Mean, Order, Roundoff, confront
from laws.judges.confrontation import fresh
from numerics import noise, patches
from numerics.marginalised import marginalised_loss

SIGMA = 0.5
SEED = 5
UNITS = 32


@cache
def images():
    """Whitened patches of 8 x 8 pixels, their first 16 components."""
    return patches.natural(8, 20_000, seed=0, components=16)


@cache
def trained(seed):
    """One network, half trained."""
    start, by = noise.initial(16, UNITS, seed=seed), noise.Adam(3e-3)
    return noise.train(
        start, images().train, noise.Sampled(noise.Gaussian(SIGMA)), by, noise.Schedule(800), batch=64, seed=seed
    )


def times_slopes(network, x):
    """The exact loss, and every number of x and of the weights times the loss's slope in it."""
    leaves = [v.clone().requires_grad_() for v in (x, *network.weights)]
    loss = marginalised_loss(*leaves, SIGMA)
    slopes = torch.autograd.grad(loss, leaves)
    return loss.item(), [(v * g).detach() for v, g in zip(leaves, slopes, strict=True)]


def test_rescaling():
    """Rescaling a ReLU unit leaves the exact loss: w_e.dL/dw_e + b dL/db = w_d.dL/dw_d."""
    claim = "rescaling a unit leaves the exact loss"
    x = images().held_out[:64]
    _, (_, W_e, b_e, W_d, _) = times_slopes(trained(fresh(SEED, claim)), x)
    with_bias, decoder = W_e.sum(1) + b_e, W_d.sum(0)
    size = W_e.abs().sum(1) + b_e.abs() + W_d.abs().sum(0)
    judge = Roundoff(operations=len(x) * UNITS * 40, condition=(size / with_bias.abs()).numpy())
    law = lambda unit: decoder.numpy()  # noqa: E731
    rivals = {"encoder without its bias": lambda unit: W_e.sum(1).numpy()}
    drawn, at = dict(unit="hidden unit", y="w·∂L/∂w"), dict(unit=np.arange(UNITS))
    confront(claim, law, lambda seed: with_bias.numpy(), at, judge, rivals, seed=SEED, labels=drawn)


def test_conservation():
    """|w_e|^2 + b^2 - |w_d|^2 of every unit drifts under descent on the exact loss only as the step does.

    Adam, whose steps are no gradients, conserves nothing.
    """
    claim = "descent conserves |w_e|^2 + b^2 - |w_d|^2"
    start, x, time = noise.initial(6, 8, seed=fresh(SEED, claim)), images().train[:40, :6].contiguous(), 0.32

    def drift(network, bias=True):
        def balance(W_e, b_e, W_d, _):
            return W_e.square().sum(1) + (b_e.square() if bias else 0) - W_d.square().sum(0)

        return (balance(*network.weights) - balance(*start.weights)).numpy()

    def end(by):
        weights, state = [w.clone() for w in start.weights], by.start(start.weights)
        for _ in range(round(time / by.eta)):
            leaves = [w.requires_grad_() for w in weights]
            slopes = torch.autograd.grad(marginalised_loss(x, *leaves, SIGMA), leaves)
            weights, state = by.step([w.detach() for w in leaves], slopes, state, by.eta)
        return start.with_weights(weights)

    rivals = {"without the bias": drift(end(noise.SGD(0.01)), bias=False), "Adam": drift(end(noise.Adam(0.01)))}
    run = lambda eta, seed: drift(end(noise.SGD(eta)))  # noqa: E731
    confront(claim, 0.0, run, {}, Order(1, start=0.02), rivals, seed=SEED)


def test_equivariance():
    """Data, noise and biases c times as large make the exact loss c^2 times as large."""
    claim = "the exact loss scales as the square of data and noise"
    network, x, c = trained(fresh(SEED, claim)), images().held_out[:64], 1.7
    exact = lambda x, W_e, b_e, W_d, b_d, sigma: marginalised_loss(x, W_e, b_e, W_d, b_d, sigma).item()  # noqa: E731
    W_e, b_e, W_d, b_d = network.weights
    loss, moves = times_slopes(network, x)
    run = lambda seed: exact(c * x, W_e, c * b_e, W_d, c * b_d, c * SIGMA)  # noqa: E731
    judge = Roundoff(operations=40 * UNITS, condition=float(sum(v.abs().sum() for v in moves)) / loss)
    rivals = {"linear in c": lambda c: c * loss}
    confront(claim, lambda c: c**2 * loss, run, dict(c=c), judge, rivals, seed=SEED)


def test_reported_activity():
    """The reported activity, h > 0 with the noise on, is the mean of Phi(mu/s) over data and units."""
    claim = "reported activity is mean Phi(mu/s)"
    network, x = trained(fresh(SEED, claim)), images().held_out
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
    confront(claim, law, run, {}, Mean(detects=0.005, bounds=(0, 1)), rivals, seed=SEED)
