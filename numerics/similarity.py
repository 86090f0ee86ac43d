"""Similarity matching by Hebbian and anti-Hebbian synapses with noise, many networks at once.

The rates y >= 0 of N units settle, for an input x, where

    u = W x - (M - diag M) y,      y = max(u - l1, 0)/(l2 + diag M),                                          (1)

which minimises y^T (M + l2) y/2 + l1 sum y - y^T W x, and the synapses then learn from both sides of them,

    W <- (1 - eta) W + eta y x^T + sqrt(eta) s xi,      M <- max((1 - eta) M + eta y y^T + sqrt(eta) s xi, 0),  (2)

so that similar inputs come to have similar rates: |X^T X - Y^T Y| falls (Qin et al., "Coordinated drift of receptive
fields in Hebbian/anti-Hebbian network models during noisy representation learning", Nature Neuroscience, 2023).  Inputs
here are points of a ring, one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.checks import numbers_of, positive, real, whole


@dataclass(frozen=True)
class Matching:
    """The settings: published ones for the ring, but for the number of units.

    Attributes:
        units: N.
        eta: step of learning.
        noise: s, standard deviation of the noise of the synapses.
        threshold: l1.
        shrink: l2.
        relax: by which part rates move towards (1) in one iteration.
        iterations: as many for every input.
    """

    units: int = 200
    eta: float = 0.005
    noise: float = 0.002
    threshold: float = 0.0
    shrink: float = 0.05
    relax: float = 0.05
    iterations: int = 200

    def __post_init__(self):
        whole("units", self.units)
        whole("iterations", self.iterations)
        for name in ("eta", "relax"):
            if positive(name, getattr(self, name)) > 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be at most 1")
        for name in ("noise", "threshold", "shrink"):
            if real(name, getattr(self, name)) < 0:
                raise ValueError(f"{name} = {getattr(self, name)} is negative")


@dataclass(frozen=True)
class Course:
    """What T recorded steps of B networks showed, at points around the ring.

    Attributes:
        steps: (T,).
        error: |X^T X - Y^T Y| over |X^T X|, Frobenius norms, (T, B).
        active_units: units that are active somewhere on the ring, (T, B).
        active_fraction: active pairs of a unit and a point, of all, (T, B).
    """

    steps: np.ndarray
    error: np.ndarray
    active_units: np.ndarray
    active_fraction: np.ndarray


def settle(settings: Matching, W, M, x) -> np.ndarray:
    """The rates (1) for inputs x of shape (B, 2, K); shape (B, N, K)."""
    drive, own = W @ x, np.diagonal(M, axis1=1, axis2=2)[..., None]
    u = np.zeros_like(drive)
    y = np.zeros_like(drive)
    for _ in range(settings.iterations):
        u += settings.relax * (drive - M @ y + own * y - u)
        y = np.maximum(u - settings.threshold, 0) / (settings.shrink + own)
    return y


def learn(settings: Matching, *, networks: int, steps, seed: int, points: int = 40) -> Course:
    """Train so many networks on random points of the ring, and record them after each of `steps` steps.

    Args:
        settings: as above.
        networks: B, from weights W of standard deviation 0.1 and M = 1.
        steps: whole numbers, increasing, from 0 on.
        seed: of starts, inputs and noise.
        points: on the ring, at which the networks are recorded.

    Raises:
        ValueError, TypeError: for numbers that make no sense, before any work.
    """
    times = numbers_of("steps", steps)
    if times.ndim != 1 or not len(times) or (times != np.rint(times)).any() or (np.diff(times, prepend=-1) <= 0).any():
        raise ValueError(f"steps = {steps} must be whole numbers that increase, from 0 on")
    B, N = whole("networks", networks), settings.units
    draw = np.random.default_rng(whole("seed", seed, least=0))
    W, M = 0.1 * draw.standard_normal((B, N, 2)), np.tile(np.eye(N), (B, 1, 1))
    ring = _points(2 * np.pi * np.arange(whole("points", points)) / points)[None]
    keep, loud, found = 1 - settings.eta, settings.eta**0.5 * settings.noise, []
    for step in range(int(times[-1]) + 1):
        if step in times:
            found.append(_observed(settle(settings, W, M, ring), ring[0]))
        x = _points(draw.uniform(0, 2 * np.pi, (B, 1))).swapaxes(0, 1)
        y = settle(settings, W, M, x)
        for synapses, other in ((W, x), (M, y)):
            synapses *= keep
            synapses += settings.eta * y @ other.swapaxes(1, 2)
            synapses += loud * draw.standard_normal(synapses.shape)
        np.maximum(M, 0, out=M)
    return Course(times, *np.array(found).swapaxes(0, 1))


def _points(angles):
    return np.stack([np.cos(angles), np.sin(angles)])


def _observed(y, ring):
    wanted = ring.T @ ring
    off = np.linalg.norm(y.swapaxes(1, 2) @ y - wanted, axis=(1, 2)) / np.linalg.norm(wanted)
    active = y > 0
    return off, active.any(2).sum(1), active.mean((1, 2))
