"""Particles near the zero-loss manifolds of small models: their mean motion against what H and its derivative say.

The motion is that of the point of the manifold below a particle, its own noise along the manifold taken out; every
component is judged, in units of the variance of the noise.  Variances that a mean needs are twice those of a pilot.
"""

from functools import cache

import numpy as np
import pytest
import torch

from laws import Mean, Order, Roundoff, confront
from numerics import hessian as derivatives
from numerics.drift import Fit, Hyperbola, nudge, shift, walk
from numerics.ensemble import Network, Relu, Tanh
from theory.drift import (
    error_descent_drift,
    label_noise_drift,
    label_noise_floor,
    update_noise_drift,
    update_noise_floor,
)

PILOT = 10**6  # its seed


def fit(activation, theta):
    """A network of one input and output that meets two labels exactly, at the point theta, unit by unit."""
    theta, x = np.array(theta), np.array([[-0.6], [0.8]])
    network = Network(1, len(theta), 1, activation)
    w, b, n = network.parts(torch.from_numpy(theta))
    y = activation.value(torch.from_numpy(x) @ w.T + b) @ n
    return Fit(network, x, y.numpy()), theta.ravel()


def tanh_network():
    """Two units, six parameters."""
    return fit(Tanh(), [[1.3, 0.4, 0.9], [-0.7, -0.2, 1.1]])


def relu_network():
    """Three units, of which one sees both samples, one only the first and one only the second; nine parameters."""
    return fit(Relu(), [[0.5, 0.9, 0.7], [-1.2, 0.3, -0.8], [1.1, 0.2, 0.6]])


def hyperbola():
    """A point of u v = 1, far from its middle."""
    return Hyperbola(), np.array([1.6, 1 / 1.6])


def at_point(loss, theta):
    """H, dH/dtheta and the projector along the manifold, by autograd."""
    where = torch.from_numpy(theta)
    H = derivatives.hessian(loss.value, where).numpy()
    values, vectors = np.linalg.eigh(H)
    along = vectors[:, values < 1e-9 * values[-1]]
    return H, derivatives.third(loss.value, where).numpy(), along @ along.T


MODELS = {
    "two tanh units": (tanh_network, 0.5, 1 / 2),
    "three ReLU units": (relu_network, 0.3, 1 / 2),
    "1/2 (1 - uv)^2": (hyperbola, 0.35, 1 / 2),
}
of_models = pytest.mark.parametrize("name", MODELS, ids=["tanh", "ReLU", "uv"])


def moved(name, kind, sigma, steps=300):
    """The mean motion per step and variance, and the law's arguments."""
    make, eta, c = MODELS[name]
    loss, point = make()
    H, third, along = at_point(loss, point)

    @cache
    def run(n, seed):
        noise = {kind: sigma}
        found = shift(loss, point, along, eta=eta, particles=n, steps=steps, before=200, seed=seed, **noise)
        return found / steps / sigma**2

    return run, H, third, eta, c


@of_models
def test_update_noise(name):
    """Under update noise the manifold's point drifts by the determinant and turns with it, at finite steps."""
    sigma = 1e-3
    run, H, third, eta, _ = moved(name, "update", sigma)
    law = lambda: update_noise_drift(H, third, eta, sigma) / sigma**2  # noqa: E731
    _, _, along = at_point(*MODELS[name][0]())
    pushed = along @ law()
    rivals = {
        "for small steps": lambda: update_noise_drift(H, third, 1e-6, sigma) / sigma**2,
        "coefficient 1/2": lambda: law() + pushed,
        "on a flat manifold": lambda: pushed,
        "nothing but the walk": lambda: law() - pushed,
    }
    gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
    pilot = 2 * float(np.var(run(500, PILOT), axis=0).max())
    judge = Mean(detects=gap / 2, variance=pilot, points=len(H))
    labels = dict(x="parameter", y="mean motion per step over the variance of its noise")
    confront(f"drift under update noise: {name}", law, run, {}, judge, rivals, labels=labels)


@of_models
def test_label_noise(name):
    """Under label noise it drifts by the barrier of finite steps, which is the trace for small ones."""
    sigma = 3e-3
    run, H, third, eta, c = moved(name, "label", sigma)
    law = lambda: label_noise_drift(H, third, eta, sigma, c) / sigma**2  # noqa: E731
    small = lambda: label_noise_drift(H, third, 1e-6, sigma, c) / sigma**2 * (eta / 1e-6) ** 2  # noqa: E731
    rivals = {
        "for small steps": small,
        "half as much": lambda: law() / 2,
        "as update noise": lambda: update_noise_drift(H, third, eta, sigma) / sigma**2,
        "nothing": lambda: 0 * law(),
    }
    gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
    pilot = 2 * float(np.var(run(500, PILOT), axis=0).max())
    judge = Mean(detects=gap / 2, variance=pilot, points=len(H))
    labels = dict(x="parameter", y="mean motion per step over the variance of the labels' noise")
    confront(f"drift under label noise: {name}", law, run, {}, judge, rivals, labels=labels)


@of_models
@pytest.mark.parametrize("kind", ["update", "label"])
def test_floor(name, kind):
    """The loss over clean labels that noise leaves is that of finite steps."""
    make, eta, c = MODELS[name]
    loss, point = make()
    H, sigma = at_point(loss, point)[0], 1e-3

    def run(n, seed):
        theta, _ = walk(loss, np.tile(point, (n, 1)), eta=eta, steps=200, seed=seed, **{kind: sigma})
        return loss.value(theta) / sigma**2

    floor = {
        "update": lambda eta: update_noise_floor(H, eta, sigma),
        "label": lambda eta: label_noise_floor(H, eta, sigma, c),
    }[kind]
    law = lambda: floor(eta) / sigma**2  # noqa: E731
    rivals = {"for small steps": lambda: floor(1e-6) / sigma**2 * (1e-6 / eta) ** (1 if kind == "update" else -1)}
    judge = Mean(detects=abs(law() - rivals["for small steps"]()) / 2, variance=2 * float(np.var(run(500, PILOT))))
    labels = dict(y="mean loss over the variance of the noise")
    confront(f"the loss that {kind} noise leaves: {name}", law, run, {}, judge, rivals, labels=labels)


# -- stochastic error descent ----------------------------------------------------------------------------------


def tried(loss, point, s):
    """Steps over eta s^4 for perturbations at the nodes of Gauss's rule, with their weights, which add up to a mean."""
    node, weight = np.polynomial.hermite_e.hermegauss(3)  # exact for polynomials up to degree 5
    grid = np.meshgrid(*[np.arange(3)] * len(point), indexing="ij")
    which = np.stack([axis.ravel() for axis in grid], axis=1)
    weights = (weight / weight.sum())[which].prod(1)
    return weights[:, None] * nudge(loss, np.tile(point, (len(which), 1)), s * node[which], 1.0) / s**4


@of_models
def test_error_descent(name):
    """On average a step of SED from the manifold goes down the trace of the Hessian along it, by eta s^4/2."""
    loss, point = MODELS[name][0]()
    H, third, along = at_point(loss, point)
    law = lambda: error_descent_drift(H, third, 1.0, 0.1) / 0.1**4  # noqa: E731
    values, vectors = np.linalg.eigh(H)
    kept = values > 1e-9 * values[-1]
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    rivals = {
        "down the logarithm of the determinant": lambda: -along @ np.einsum("ijk,jk->i", third, inverse) / 2,
        "twice as much": lambda: 2 * law(),
        "nothing": lambda: 0 * law(),
    }
    labels = dict(x="parameter", y="mean step along the manifold over η s⁴")
    claim = f"drift under stochastic error descent: {name}"
    if name == "two tanh units":
        run = lambda h, seed: along @ tried(loss, point, h).sum(0)  # noqa: E731
        confront(claim, law, run, {}, Order(2, start=0.2, then=4), rivals, labels=labels)
        return
    # the loss is of fourth order: beside s^4 the mean has a term s^6 alone, which two spreads take out
    terms = np.concatenate([4 / 3 * tried(loss, point, 0.05), -tried(loss, point, 0.1) / 3])
    found = along @ terms.sum(0)
    condition = float(np.abs(terms).sum(0).max() / np.abs(found[np.abs(law()) > 0]).min())
    judge = Roundoff(len(terms), condition=condition)
    confront(claim, law, lambda seed: found, {}, judge, rivals, labels=labels)
