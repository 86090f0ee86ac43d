"""Many particles on one small loss, by noisy descent: where they go, and how often they get there.

    walk      theta <- theta - eta grad L(theta; y + sigma_l zeta) + sigma xi
    wander    theta <- theta - eta (L(theta + xi) - L(theta)) xi                     (stochastic error descent)
    imbalance how the norms of the units of a network change
    shift     how the point of the zero-loss manifold below a particle moves, the noise along it taken out
    ends      how it answers to a kick, to second order

Losses are small objects: `value(theta)` of shape (particles,), `slope(theta, zeta)` of shape (particles, n), for
theta of shape (particles, n) and noise zeta of the labels, of shape (particles, labels), or 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from numerics.checks import numbers_of, positive, whole
from numerics.ensemble import Network
from numerics.ensemble._torch import forward, gradient, mean_square


@dataclass(frozen=True)
class Cross:
    """L = (x y - zeta)^2: its zero set is a cross."""

    labels = 1

    def value(self, theta):
        """The loss."""
        return (theta[:, 0] * theta[:, 1]) ** 2

    def slope(self, theta, zeta=0.0):
        """Its gradient; zeta of shape (particles, 1), or 0."""
        x, y = theta.T
        return 2 * (theta[:, :1] * theta[:, 1:] - zeta) * np.stack([y, x], axis=1)


@dataclass(frozen=True)
class Cylinder:
    """L = |x|^2 |y|^2 with x of d numbers and y the rest."""

    d: int
    labels = 0

    def value(self, theta):
        """The loss."""
        return (theta[:, : self.d] ** 2).sum(1) * (theta[:, self.d :] ** 2).sum(1)

    def slope(self, theta, zeta=0.0):
        """Its gradient."""
        x, y = theta[:, : self.d], theta[:, self.d :]
        return 2 * np.concatenate([x * (y**2).sum(1)[:, None], y * (x**2).sum(1)[:, None]], axis=1)


@dataclass(frozen=True)
class Hyperbola:
    """L = (1 + zeta - u v)^2/2."""

    labels = 1

    def value(self, theta):
        """The loss, of arrays or tensors."""
        return (1 - theta[..., 0] * theta[..., 1]) ** 2 / 2

    def slope(self, theta, zeta=0.0):
        """Its gradient; zeta of shape (particles, 1), or 0."""
        return (theta[:, :1] * theta[:, 1:] - 1 - zeta) * theta[:, ::-1]


@dataclass(frozen=True)
class Fit:
    """The mean squared error of a one-hidden-layer network; theta has the parameters unit by unit, in one row."""

    network: Network
    x: np.ndarray
    y: np.ndarray

    @property
    def labels(self) -> int:
        """One for every sample and output."""
        return self.y.size

    def value(self, theta):
        """The loss, of arrays or tensors, with any leading axes."""
        rows = torch.as_tensor(theta)
        _, r = forward(self.network, *self._batch(rows))
        loss = mean_square(r).reshape(rows.shape[:-1])
        return loss if isinstance(theta, torch.Tensor) else loss.numpy()

    def slope(self, theta, zeta=0.0):
        """Its gradient; zeta of shape (particles, labels), or 0."""
        parts, x, y = self._batch(torch.from_numpy(theta))
        noisy = y + torch.as_tensor(zeta).reshape(-1, *y.shape) if np.ndim(zeta) else y
        h, r = forward(self.network, parts, x, noisy)
        return gradient(self.network, parts, x, h, r).flatten(1).numpy()

    def _batch(self, rows):
        return rows.reshape(-1, *self.network.shape), torch.from_numpy(self.x), torch.from_numpy(self.y)


def walk(
    loss,
    theta,
    *,
    eta: float,
    steps: int,
    seed: int,
    update=0.0,
    label: float = 0.0,
    watch: Callable = lambda theta: None,
):
    """Noisy descent of many particles at once.

    Args:
        loss: as above.
        theta: starts, shape (particles, n); not changed.
        eta: step, positive.
        steps: how many.
        seed: of the noise.
        update: standard deviation of what is added to the parameters, one or one for each of the n.
        label: standard deviation of the noise of the labels.
        watch: called with theta after every step; True ends the walk.

    Returns:
        theta at the end, and the sum of the noise that was added, both of shape (particles, n).

    Raises:
        ValueError: for shapes that do not fit, numbers that are not finite, and negative noise.
    """
    theta, eta, steps, spread, label = _settings(loss, theta, eta, steps, update, label)
    draw, added = np.random.default_rng(seed).standard_normal, np.zeros_like(theta)
    for _ in range(steps):
        zeta = label * draw((len(theta), loss.labels)) if label else 0.0
        moved = -eta * loss.slope(theta, zeta)
        if spread.any():
            noise = spread * draw(theta.shape)
            moved += noise
            added += noise
        theta = theta + moved
        if watch(theta):
            break
    return theta, added


def wander(loss, theta, *, eta: float, spread: float, steps: int, seed: int):
    """Stochastic error descent of many particles at once, by perturbations of standard deviation `spread`.

    Other arguments and errors as of `walk`.

    Returns:
        theta at the end, and the sum of what the loss to second order makes of each perturbation, but for its mean
        -eta spread^2 grad L: noise of mean 0.  Both of shape (particles, n).
    """
    theta, eta, steps, spread_, _ = _settings(loss, theta, eta, steps, spread, 0.0)
    draw, noise = np.random.default_rng(seed).standard_normal, np.zeros_like(theta)
    for _ in range(steps):
        xi, slope = spread_ * draw(theta.shape), loss.slope(theta)
        here, there, opposite = (loss.value(theta + way * xi)[:, None] for way in (0, 1, -1))
        bent, tilted = (there + opposite) / 2 - here, (slope * xi).sum(1, keepdims=True)
        noise -= eta * ((bent + tilted) * xi - spread_**2 * slope)
        theta = theta - eta * (there - here) * xi
    return theta, noise


def nudge(loss, theta, xi, eta: float) -> np.ndarray:
    """The step of stochastic error descent for the perturbations xi, both of shape (particles, n)."""
    return -eta * (loss.value(theta + xi) - loss.value(theta))[:, None] * xi


def relaxed(loss, theta, eta: float, steps: int) -> np.ndarray:
    """Where descent without noise ends."""
    return walk(loss, theta, eta=eta, steps=steps, seed=0)[0]


def shift(
    loss, point, along, go: Callable, *, eta: float, particles: int, steps: int, before: int, seed: int
) -> np.ndarray:
    """How far the point of the manifold below each particle moves in so many steps; shape (particles, n).

    The particles start at `point`, forget that for `before` steps, and are brought down to the manifold without noise,
    by as many steps of size eta, at the beginning and at the end.  `along`, a projector, takes out the noise along the
    manifold, whose mean is 0.  `go(theta, steps=..., seed=...)` is a `walk` or `wander` with all else chosen.
    """
    start = np.repeat(np.atleast_2d(numbers_of("point", point)), whole("particles", particles), axis=0)
    first, _ = go(start, steps=before, seed=2 * seed)
    last, added = go(first, steps=steps, seed=2 * seed + 1)
    down = lambda theta: relaxed(loss, theta, eta, before)  # noqa: E731
    return down(last) - down(first) - added @ numbers_of("along", along)


def ends(loss, kicked, *, eta: float, steps: int) -> np.ndarray:
    """Half of the second differences of where descent ends, from a point kicked to both sides; shape (kicks, n).

    Args:
        loss: as above.
        kicked: starts, shape (2, kicks, n): a point of the manifold plus and minus each kick.
        eta: step.
        steps: how many descend from each start.
    """
    kicked = numbers_of("kicked", kicked)
    if kicked.ndim != 3 or len(kicked) != 2:
        raise ValueError(f"kicked has shape {kicked.shape}: (2, kicks, parameters) is needed")
    last = relaxed(loss, kicked.reshape(-1, kicked.shape[2]), eta, steps).reshape(kicked.shape)
    return (last.sum(0) - 2 * kicked.mean(0)) / 2


def imbalance(fit: Fit, theta, *, eta: float, steps: int, seed: int, update: float) -> np.ndarray:
    """How |w|^2 + b^2 - |n|^2 of every unit changes under update noise, shape (particles, hidden).

    The part that is linear in the noise of a step, whose mean is 0, is left out.
    """
    theta, eta, steps, spread, _ = _settings(fit, theta, eta, steps, update, 0.0)
    draw, change = np.random.default_rng(seed).standard_normal, np.zeros_like(theta)
    for _ in range(steps):
        noise = spread * draw(theta.shape)
        moved = noise - eta * fit.slope(theta)
        change += moved**2 + 2 * theta * (moved - noise)
        theta = theta + moved
    units = change.reshape(len(theta), *fit.network.shape)
    ingoing = fit.network.inputs + 1
    return units[..., :ingoing].sum(2) - units[..., ingoing:].sum(2)


def _settings(loss, theta, eta, steps, update, label):
    theta, spread = numbers_of("theta", theta), numbers_of("update", update)
    if theta.ndim != 2:
        raise ValueError(f"theta has shape {theta.shape}: (particles, parameters) is needed")
    if (spread < 0).any() or spread.shape not in ((), theta.shape[1:]):
        raise ValueError(f"update = {update} must be one number, or {theta.shape[1]}, none of them negative")
    if not (np.isfinite(label) and label >= 0) or (label and not loss.labels):
        raise ValueError(f"label = {label} must be finite and not negative, and 0 for a loss without labels")
    return theta, positive("eta", eta), whole("steps", steps), spread, float(label)
