"""Symmetries of the exact loss, and what is counted as activity, on networks half trained on natural images.

Each claim draws its network from its own seed: fresh seeds, fresh networks.
"""

from functools import cache

import numpy as np
import torch

from laws import Mean, Order, Roundoff, confront
from laws.judges.confrontation import fresh
from laws.law import formula
from numerics import noise, patches
from numerics.marginalised import marginalised_loss
from theory.noise import activity, balance, rescaling, scaled_loss

SIGMA = 0.5
SEED = 0
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
    """The exact loss, summed over networks, and every number of x and of the weights times the loss's slope in it."""
    leaves = [v.clone().requires_grad_() for v in (x, *network.weights)]
    loss = marginalised_loss(*leaves, SIGMA).sum()
    slopes = torch.autograd.grad(loss, leaves)
    return loss.item(), [(v * g).detach() for v, g in zip(leaves, slopes, strict=True)]


def test_one_unit():
    """In networks of one unit the slope along encoder and bias is the one that the decoder's scaling has by theory."""
    claim = "scaling a unit's encoder costs what scaling its decoder does"
    x, network = images().held_out[:64], noise.initial(16, 1, seed=fresh(SEED, claim), networks=(UNITS,))
    _, (_, W_e, b_e, *_) = times_slopes(network, x.expand(UNITS, -1, -1))
    W_d, b_d = network.W_d[..., 0], network.b_d
    at = dict(
        mu=network.preactivation(x.expand(UNITS, -1, -1))[..., 0].numpy(),
        s=SIGMA * network.W_e.norm(dim=-1).numpy(),
        kappa=((x - b_d[:, None]) @ W_d[..., None])[..., 0].numpy(),
        delta=W_d.square().sum(-1, keepdim=True).numpy(),
    )
    averaged = lambda law: lambda unit: law(**at).mean(-1)  # noqa: E731
    terms = sum(np.abs(rescaling(**{**at, name: 0 * at[name]})) for name in ("kappa", "delta"))
    slope = (W_e.sum((-2, -1)) + b_e[..., 0]).numpy()
    judge = Roundoff(operations=len(x) * 40, condition=terms.mean(-1) / np.abs(slope))
    rivals = {
        "the bias stays": lambda unit: averaged(rescaling)(unit) - b_e[..., 0].numpy(),
        "the penalty alone": lambda unit: rescaling(**{**at, "kappa": 0 * at["kappa"]}).mean(-1),
    }
    confront(
        claim, rescaling, lambda seed: slope, dict(unit=np.arange(UNITS)), judge, rivals, seed=SEED,
        labels=dict(unit="network of one unit", y="slope in the unit's scale, w·∂L/∂w + b ∂L/∂b"), through=averaged,
    )  # fmt: skip


def test_rescaling():
    """Rescaling a ReLU unit leaves the exact loss: w_e.dL/dw_e + b dL/db = w_d.dL/dw_d."""
    claim = "rescaling a unit leaves the exact loss"
    x = images().held_out[:64]
    _, (_, W_e, b_e, W_d, _) = times_slopes(trained(fresh(SEED, claim)), x)
    with_bias, decoder = W_e.sum(1) + b_e, W_d.sum(0)
    size = W_e.abs().sum(1) + b_e.abs() + W_d.abs().sum(0)
    judge = Roundoff(operations=len(x) * UNITS * 40, condition=(size / with_bias.abs()).numpy())

    @formula(r"w_e \cdot \partial L/\partial w_e + b\, \partial L/\partial b = w_d \cdot \partial L/\partial w_d")
    def law(unit):
        """The slope of the exact loss L as a unit's decoder w_d is scaled is that of its encoder w_e and bias b."""
        return decoder.numpy()

    rivals = {"encoder without its bias": lambda unit: W_e.sum(1).numpy()}
    drawn, at = dict(unit="hidden unit", y="slope in the unit's scale, w·∂L/∂w"), dict(unit=np.arange(UNITS))
    confront(claim, law, lambda seed: with_bias.numpy(), at, judge, rivals, seed=SEED, labels=drawn)


def test_conservation():
    """|w_e|^2 + b^2 - |w_d|^2 of every unit drifts under descent on the exact loss only as the step does.

    Adam, whose steps are no gradients, conserves nothing.
    """
    claim = "descent conserves |w_e|^2 + b^2 - |w_d|^2"
    start, x, time = noise.initial(6, 8, seed=fresh(SEED, claim)), images().train[:40, :6].contiguous(), 0.32

    def sizes(network):
        """Of every unit's encoder, bias and decoder."""
        return dict(e=network.W_e.norm(dim=1).numpy(), b=network.b_e.abs().numpy(), d=network.W_d.norm(dim=0).numpy())

    def kept(network, bias=1.0):
        size = sizes(network)
        return size["e"] ** 2 + bias * size["b"] ** 2 - size["d"] ** 2

    def end(by):
        weights, state = [w.clone() for w in start.weights], by.start(start.weights)
        for _ in range(round(time / by.eta)):
            leaves = [w.requires_grad_() for w in weights]
            slopes = torch.autograd.grad(marginalised_loss(x, *leaves, SIGMA), leaves)
            weights, state = by.step([w.detach() for w in leaves], slopes, state, by.eta)
        return start.with_weights(weights)

    last = end(noise.SGD(0.01))
    rivals = {
        "without the bias": lambda unit: kept(last) - kept(last, 0.0) + kept(start, 0.0),
        "as Adam leaves it": lambda unit: kept(end(noise.Adam(0.01))),
    }
    at_start = lambda law: lambda unit: law(**sizes(start))  # noqa: E731
    confront(
        claim, balance, lambda eta, seed: kept(end(noise.SGD(eta))), dict(unit=np.arange(8)), Order(1, start=0.02),
        rivals, seed=SEED, labels=dict(unit="hidden unit", h="step η", y="|w_e|² + b² - |w_d|² at the end"),
        through=at_start,
    )  # fmt: skip


def test_equivariance():
    """Data, noise and biases c times as large make the exact loss c^2 times as large."""
    claim = "the exact loss scales as the square of data and noise"
    network, x, c = trained(fresh(SEED, claim)), images().held_out[:64], 1.7
    exact = lambda x, W_e, b_e, W_d, b_d, sigma: marginalised_loss(x, W_e, b_e, W_d, b_d, sigma).item()  # noqa: E731
    W_e, b_e, W_d, b_d = network.weights
    loss, moves = times_slopes(network, x)
    run = lambda seed: exact(c * x, W_e, c * b_e, W_d, c * b_d, c * SIGMA)  # noqa: E731
    judge = Roundoff(operations=40 * UNITS, condition=float(sum(v.abs().sum() for v in moves)) / loss)
    still = exact(c * x, W_e, c * b_e, W_d, c * b_d, SIGMA)
    rivals = {"of data alone, whatever the noise": lambda c, L: still}
    drawn = dict(c="factor c", y="exact loss of c times the data")
    confront(claim, scaled_loss, run, dict(c=c, L=loss), judge, rivals, seed=SEED, labels=drawn)


def test_reported_activity():
    """The reported activity, h > 0 with the noise on, is the mean of Phi(mu/s) over data and units."""
    claim = "reported activity is mean Phi(mu/s)"
    network, x = trained(fresh(SEED, claim)), images().held_out
    z, s = network.preactivation(x).numpy(), SIGMA * network.W_e.norm(dim=1).numpy()
    averaged = lambda law, power=1: lambda: float(law(mu=z, s=s**power).mean())  # noqa: E731

    def run(n, seed):
        generator = torch.Generator().manual_seed(seed)
        share = []
        for part in torch.randint(len(x), (n,), generator=generator).split(100_000):
            noisy = noise.Gaussian(SIGMA)(x[part], 1.0, generator)
            share.append((network.preactivation(noisy) > 0).double().mean(-1))
        return torch.cat(share).numpy()

    rivals = {"clean activity": float((z > 0).mean()), "Phi(mu/s^2)": averaged(activity, power=2)}
    drawn = dict(y="fraction of active units, noise on")
    judge = Mean(detects=0.005, bounds=(0, 1))
    confront(claim, activity, run, {}, judge, rivals, seed=SEED, labels=drawn, through=averaged)
