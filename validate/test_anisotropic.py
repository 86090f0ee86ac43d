"""Digits as they are, with inputs that are not white: commuting modes, and a flow that makes any inputs white."""

import numpy as np
import torch

from laws import Order, confront
from numerics import anisotropic
from theory.anisotropic import preconditioned
from theory.chain import two_layers

labels = dict(t="time t (τ = 1.3)", y="mode strength $a_k$", h="step η")
START, tau = 0.02, 1.3


def strengths(products, U, V):
    """The strength of every mode in products of weights: shape (modes, times)."""
    return np.einsum("ik,tij,jk->kt", U, products, V)


def variances(task):
    """Variances of the principal components, largest first, and their directions."""
    values, vectors = np.linalg.eigh(task.covariance.numpy())
    return values[::-1].copy(), vectors[:, ::-1].copy()


def mean_variance(law):
    """The rival that takes the inputs for white, with their mean variance."""
    return lambda lam, **rest: law(lam=np.mean(lam), **rest)


def test_autoencoder():
    """An autoencoder of raw digits learns every component to 1, in the order of their variances, each as a chain."""
    task = anisotropic.components(8)
    lam, V = variances(task)
    times = np.array([1.3, 2.6, 3.9, 6.5, 13.0])

    def run(eta, seed):
        vectors = torch.from_numpy(V)
        weights = anisotropic.aligned(vectors, vectors, START, hidden=10, seed=seed)
        return strengths(anisotropic.train(task, weights, times / tau, eta / tau), V, V)

    rivals = {"inputs taken for white": mean_variance(two_layers), "preconditioned": preconditioned}
    at = dict(t=times, s=lam[:, None], lam=lam[:, None], a0=START, tau=tau)
    claim = "raw digits are learnt component by component"
    confront(claim, two_layers, run, at, Order(1, start=0.13), rivals, labels=labels)


def test_preconditioned_autoencoder():
    """Preconditioned, an autoencoder of raw digits learns the component of variance lam at the rate 2 sqrt(lam)."""
    task = anisotropic.components(8)
    lam, V = variances(task)
    root = anisotropic.white_root(task)
    times = np.array([1.3, 2.6, 3.9, 6.5, 13.0])

    def run(eta, seed):
        vectors = torch.from_numpy(V)
        first, second = anisotropic.aligned(vectors, vectors, START * np.sqrt(lam), hidden=10, seed=seed)
        first = first @ torch.linalg.inv(root)  # balanced in white units
        products = anisotropic.train_preconditioned(task, [first, second], times / tau, eta / tau)
        return strengths(products, V, V)

    rivals = {"plain descent": two_layers, "inputs taken for white": mean_variance(preconditioned)}
    at = dict(t=times, s=lam[:, None], lam=lam[:, None], a0=START, tau=tau)
    claim = "preconditioned, raw digits are learnt by their standard deviations"
    confront(claim, preconditioned, run, at, Order(1, start=0.13), rivals, labels=labels)


def test_preconditioned_classes():
    """Preconditioned, a classifier of raw digits, whose modes do not commute, follows the chains of white inputs."""
    task = anisotropic.classes(20)
    U, z, V = anisotropic.modes(task)
    root = anisotropic.white_root(task)
    times = np.array([5.2, 10.4, 15.6, 20.8, 26.0])

    def trained(eta, seed, plain=False):
        first, second = anisotropic.aligned(U, V, START, hidden=12, seed=seed)
        weights = [first @ torch.linalg.inv(root), second]
        descend = anisotropic.train if plain else anisotropic.train_preconditioned
        products = descend(task, weights, times / tau, eta / tau) @ root.numpy()
        return strengths(products, U.numpy(), V.numpy())

    without = trained(0.13, 0, plain=True)
    rivals = {
        "plain descent": lambda **at: without,
        "all at the first mode's rate": lambda s, **rest: two_layers(s=s[0, 0], **rest) * s / s[0, 0],
    }
    at = dict(t=times, s=z.numpy()[:, None], lam=1.0, a0=START, tau=tau)
    drawn = {**labels, "y": "mode strength in white units"}
    claim = "preconditioned, any inputs are white"
    confront(claim, two_layers, trained, at, Order(1, start=0.26), rivals, labels=drawn)
