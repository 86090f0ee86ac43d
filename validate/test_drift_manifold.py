"""Particles near the zero-loss manifolds of small models: their mean motion against what H and its derivative say.

The motion is that of the point of the manifold below a particle, its own noise along the manifold taken out; every
component is judged, in units of the variance of the noise.  Variances that a mean needs are twice those of a pilot.
Without any chance, to many digits, stands what noise averages: the second differences of where descent ends.
"""

from functools import cache, partial

import numpy as np
import pytest
import torch

from laws import Mean, Order, confront
from numerics import hessian as derivatives
from numerics.drift import Fit, Hyperbola, ends, shift, walk, wander
from numerics.ensemble import Network, Relu, Tanh
from theory.drift import (
    error_descent_drift,
    label_loss,
    label_noise_drift,
    label_noise_floor,
    label_push,
    label_spread,
    small_label_push,
    small_update_push,
    update_loss,
    update_noise_drift,
    update_noise_floor,
    update_push,
    update_spread,
)

PAPER = "ratzon-2024, Mechanism of sparsification"
PILOT = 10**6  # its seed
KICK = "size h of a kick, in one parameter or one label"


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


def descended(loss, point, H, eta, kicks):
    """Half of the second differences of where descent ends, summed over kicks, for kicks of size 1."""
    values = np.linalg.eigvalsh(H)
    slowest = np.abs(1 - eta * values[values > 1e-9 * values[-1]]).max()
    steps = int(np.log(np.finfo(float).eps ** 2) / np.log(slowest))
    return ends(loss, np.stack([point + kicks, point - kicks]), eta=eta, steps=steps).sum(0)


def kicks(loss, point, eta, kind, size):
    """What noise of that size in one parameter, or in one label, does to a step; one row for each."""
    if kind == "update":
        return size * np.eye(len(point))
    return -eta * loss.slope(np.tile(point, (loss.labels, 1)), size * np.eye(loss.labels))


# -- the map to where descent ends ---------------------------------------------------------------------------


@of_models
@pytest.mark.parametrize("kind", ["update", "label"])
def test_where_descent_ends(name, kind):
    """Noise of one step moves the point where descent ends by what its barrier, its turn and finite steps say."""
    make, eta, c = MODELS[name]
    loss, point = make()
    H, third, along = at_point(loss, point)
    run = lambda h, seed: descended(loss, point, H, eta, kicks(loss, point, eta, kind, h)) / h**2  # noqa: E731
    update = lambda step=eta: update_noise_drift(H, third, step, 1.0)  # noqa: E731
    label = lambda step=eta: label_noise_drift(H, third, step, 1.0, c) * (eta / step) ** 2  # noqa: E731
    law, of = (update, update_noise_drift) if kind == "update" else (label, label_noise_drift)
    other = "label" if kind == "update" else "update"
    rivals = {
        "for small steps": lambda: law(1e-6),
        "twice the push": lambda: law() + along @ law(),
        f"as {other} noise": label if kind == "update" else update,
    }
    if kind == "update":
        rivals["without the manifold's own curvature"] = lambda: along @ law()
    labels = dict(x="parameter", y=f"where descent ends, moved per variance of {kind} noise", h=KICK)
    claim = f"{kind} noise moves where descent ends: {name}"
    confront(claim, lambda: law(), run, {}, Order(2, start=0.05, then=4), rivals, labels=labels, of=of)


def on_the_hyperbola():
    """Loss and point of 1/2 (1 - uv)^2, H, unit vectors across and along, the eigenvalue and its slope along."""
    loss, point = hyperbola()
    H, third, _ = at_point(loss, point)
    values, vectors = np.linalg.eigh(H)
    along, across = vectors.T
    return loss, point, H, across, along, values[1], float(np.einsum("ijk,i,j,k", third, along, across, across))


@pytest.mark.parametrize(
    ("law", "kind", "coefficient"),
    [(update_push, "update", 1 / 4), (label_push, "label", 1 / 2)],
    ids=["update", "label"],
)
def test_push(law, kind, coefficient):
    """For one eigenvalue the push along the manifold is that of the barrier at finite steps, coefficient and all."""
    loss, point, H, _, along, lam, g = on_the_hyperbola()
    eta, sigma = 0.35, 0.01
    at = dict(lam=lam, g=g, eta=eta, sigma=sigma) | ({"c": 0.5} if kind == "label" else {})
    run = lambda h, seed: along @ descended(loss, point, H, eta, kicks(loss, point, eta, kind, h)) / h**2  # noqa: E731
    scaled = lambda law: lambda **at: law(**at) / at["sigma"] ** 2  # noqa: E731
    rivals = {f"coefficient {2 * coefficient:g}, not {coefficient:g}": lambda **at: 2 * scaled(law)(**at)}
    small = small_update_push if kind == "update" else small_label_push
    rivals["for small steps"] = scaled(small)
    labels = dict(y=f"push along the manifold per variance of {kind} noise (η = {eta})", h=KICK, about=PAPER)
    claim = f"the push of {kind} noise along the manifold"
    confront(claim, law, run, at, Order(2, start=0.05, then=4), rivals, through=scaled, labels=labels)


@pytest.mark.parametrize(
    ("law", "kind"), [(small_update_push, "update"), (small_label_push, "label")], ids=["update", "label"]
)
def test_small_push(law, kind):
    """For small steps update noise pushes down the logarithm of the eigenvalue, label noise down the eigenvalue."""
    loss, point, H, _, along, lam, g = on_the_hyperbola()
    at = dict(lam=lam, g=g, eta=0.35, sigma=0.01) | ({"c": 0.5} if kind == "label" else {})
    power = 0 if kind == "update" else 2  # of the step

    def run(h, seed):
        coarse, fine = (descended(loss, point, H, h, kicks(loss, point, h, kind, k)) / k**2 for k in (0.02, 0.01))
        return along @ (4 * fine - coarse) / 3 / h**power

    scaled = lambda law: lambda **at: law(**at) / at["sigma"] ** 2 / at["eta"] ** power  # noqa: E731
    other, unlike = (small_label_push, "label") if kind == "update" else (small_update_push, "update")
    swapped = lambda **more: scaled(other)(**{"c": 0.5, **more} if kind == "update" else at_update(more))  # noqa: E731
    at_update = lambda more: {name: more[name] for name in ("lam", "g", "eta", "sigma")}  # noqa: E731
    labels = dict(h="step η", y=f"push along the manifold per variance of {kind} noise", about=PAPER)
    claim = f"the push of {kind} noise along the manifold, for small steps"
    judge = Order(1, start=0.1)
    confront(claim, law, run, at, judge, {f"as {unlike} noise": swapped}, through=scaled, labels=labels)


# -- particles -----------------------------------------------------------------------------------------------


@cache
def across_the_hyperbola(n, seed, kind, sigma=1e-5, steps=200):
    """Means over some steps of the square of the distance across and of the loss, per variance of the noise."""
    loss, point, _, across, _, _, _ = on_the_hyperbola()
    go = partial(walk, loss, eta=0.5, **{kind: sigma})
    theta, _ = go(np.tile(point, (n, 1)), steps=100, seed=2 * seed)
    sums = np.zeros((2, n))

    def watch(now):
        sums[0] += ((now - point) @ across) ** 2
        sums[1] += loss.value(now)

    go(theta, steps=steps, seed=2 * seed + 1, watch=watch)
    return sums / steps / sigma**2


@pytest.mark.parametrize(
    ("law", "kind", "k"),
    [(update_spread, "update", 0), (update_loss, "update", 1), (label_spread, "label", 0), (label_loss, "label", 1)],
    ids=["update-spread", "update-loss", "label-spread", "label-loss"],
)
def test_one_eigenvalue(law, kind, k):
    """Across the manifold one eigenvalue spreads, and holds loss, as finite steps say."""
    lam = on_the_hyperbola()[5]
    at = dict(lam=lam, eta=0.5, sigma=0.01) | ({"c": 0.5} if kind == "label" else {})
    run = lambda n, seed: across_the_hyperbola(n, seed, kind)[k]  # noqa: E731
    scaled = lambda law: lambda **at: law(**at) / at["sigma"] ** 2  # noqa: E731
    rivals = {"for small steps": lambda **at: scaled(law)(**at) * (1 - at["eta"] * lam / 2),
              "twice as much": lambda **at: 2 * scaled(law)(**at)}  # fmt: skip
    judge = Mean(detects=0.04 * scaled(law)(**at), variance=2 * float(np.var(run(500, PILOT))))
    what = ("variance across the manifold", "mean loss")[k]
    claim, labels = f"{what} of one eigenvalue under {kind} noise", dict(y=f"{what} over that of the noise")
    confront(claim, law, run, at, judge, rivals, through=scaled, labels=labels)


def judged(law, run, rivals, points):
    """The judge that tells the law from all rivals, the nearest with a tenth to spare, by the variance of a pilot."""
    gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
    return Mean(detects=0.9 * gap, variance=2 * float(np.var(run(500, PILOT), axis=0).max()), points=points)


def moved(name, kind, sigma, steps=300):
    """The mean motion per step and variance, and the law's arguments."""
    make, eta, c = MODELS[name]
    loss, point = make()
    H, third, along = at_point(loss, point)
    go = partial(walk, loss, eta=eta, **{kind: sigma})

    @cache
    def run(n, seed):
        found = shift(loss, point, along, go, eta=eta, particles=n, steps=steps, before=200, seed=seed)
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
        "pushed twice as much": lambda: law() + pushed,
        "without the manifold's own curvature": lambda: pushed,
        "the manifold's own curvature alone": lambda: law() - pushed,
    }
    labels = dict(x="parameter", y="mean motion per step over the variance of its noise", about=PAPER)
    judge, claim = judged(law, run, rivals, len(H)), f"drift under update noise: {name}"
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=update_noise_drift)


@of_models
def test_label_noise(name):
    """Under label noise the point drifts by the barrier of finite steps, which is the trace for small ones."""
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
    labels = dict(x="parameter", y="mean motion per step over the variance of the labels' noise", about=PAPER)
    judge, claim = judged(law, run, rivals, len(H)), f"drift under label noise: {name}"
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=label_noise_drift)


@of_models
@pytest.mark.parametrize("kind", ["update", "label"])
def test_floor(name, kind):
    """The loss that noise leaves over clean labels is that of finite steps: told from that of small ones, no finer."""
    make, eta, c = MODELS[name]
    loss, point = make()
    H, sigma = at_point(loss, point)[0], 1e-3

    def run(n, seed):
        theta, _ = walk(loss, np.tile(point, (n, 1)), eta=eta, steps=200, seed=seed, **{kind: sigma})
        return loss.value(theta) / sigma**2

    floor, of = {
        "update": (lambda eta: update_noise_floor(H, eta, sigma), update_noise_floor),
        "label": (lambda eta: label_noise_floor(H, eta, sigma, c), label_noise_floor),
    }[kind]
    law = lambda: floor(eta) / sigma**2  # noqa: E731
    rivals = {"for small steps": lambda: floor(1e-6) / sigma**2 * (1e-6 / eta) ** (1 if kind == "update" else -1)}
    labels = dict(y="mean loss over the variance of the noise")
    claim = f"the loss that {kind} noise leaves: {name}"
    confront(claim, law, run, {}, judged(law, run, rivals, 1), rivals, labels=labels, of=of)


@of_models
def test_error_descent(name):
    """Stochastic error descent moves down the trace of H; finite steps add what its own spread does, and its turn."""
    make, eta, _ = MODELS[name]
    loss, point = make()
    H, third, along = at_point(loss, point)
    spread, steps = 0.015, 200
    rate = 0.1 / np.linalg.eigvalsh(H)[-1] / spread**2
    unit = rate * spread**4
    go = partial(wander, loss, eta=rate, spread=spread)

    @cache
    def run(n, seed):
        found = shift(loss, point, along, go, eta=eta, particles=n, steps=steps, before=150, seed=seed)
        return found / steps / unit

    law = lambda: error_descent_drift(H, third, rate, spread) / unit  # noqa: E731
    small = error_descent_drift(H, third, 1e-6, spread) / 1e-6 / spread**4
    push = along @ law()
    rivals = {
        "down the trace alone, as for small steps": lambda: small,
        "half as much": lambda: law() / 2,
        "without the manifold's own curvature": lambda: push,
        "down the logarithm of the determinant": lambda: 2 * update_noise_drift(H, third, 1e-6, 1.0),
    }
    labels = dict(x="parameter", y="mean motion per step over η s⁴")
    judge, claim = judged(law, run, rivals, len(H)), f"drift under stochastic error descent: {name}"
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=error_descent_drift)
