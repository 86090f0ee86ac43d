"""Diagonal linear networks, beta = u o v, trained on any regression from small weights; and when they jump.

The weights are held as (u + v)/sqrt(2) and (u - v)/sqrt(2): turned like this they descend just the same, and an input
that first grows one way and then the other does not lose the smaller of the two to rounding.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_diabetes

from numerics.chain import crossing
from numerics.checks import numbers_of, positive
from numerics.descent import GradientFlow
from numerics.descent import train as descend

DIABETES = ("bmi", "bp", "s3", "s6")


def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Four measurements of 442 patients, and how their diabetes progressed a year later; in standard units.

    The measurements are body mass, blood pressure, high-density lipoproteins and blood sugar.
    """
    data = load_diabetes(scaled=False)
    x = data.data[:, [data.feature_names.index(name) for name in DIABETES]]
    return tuple((v - v.mean(0)) / v.std(0) for v in (x, data.target))


def drawn(examples: int, covariance, correlation, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets that have exactly this covariance and correlation, in random directions."""
    C, c = numbers_of("covariance", covariance), numbers_of("correlation", correlation)
    frame = np.linalg.qr(np.random.default_rng(seed).normal(size=(examples, len(c))))[0]
    x = np.sqrt(examples) * frame @ np.linalg.cholesky(C).T
    return x, x @ np.linalg.solve(C, c)


def flow(x, y, alpha: float, times, rtol: float = 1e-10) -> tuple[np.ndarray, np.ndarray]:
    """Beta under gradient flow from u = alpha, v = 0, shape (T, n), and its gradient of the loss, shape (T, n).

    ValueError for inputs and targets that do not fit, and alpha that is not positive.
    """
    x, y = (torch.from_numpy(numbers_of(name, value)) for name, value in (("x", x), ("y", y)))
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}: examples by inputs, and examples, are needed"
        )
    turned = torch.full((2, x.shape[1]), positive("alpha", alpha) / 2**0.5, dtype=torch.float64)

    def network(weights):
        return (weights[0][0] ** 2 - weights[0][1] ** 2) / 2

    def loss(weights, x, y):
        return ((y - x @ network(weights)) ** 2).mean() / 2

    by = GradientFlow(rtol, rtol * alpha**2)  # the smaller of the two may shrink to alpha^2 and return
    rows = descend(loss, [turned], times, by, data=(x, y)).reshape(len(times), 2, -1)
    beta = network([rows.swapaxes(0, 1)])
    return beta, (beta @ (x.T @ x).numpy() - (y @ x).numpy()) / len(x)


def losses(x, y, beta) -> np.ndarray:
    """Half of the mean squared error of each beta; shape (T,)."""
    return ((y - beta @ x.T) ** 2).mean(-1) / 2


def jumps(times, beta, losses, least: float = 1e-3) -> np.ndarray:
    """When the loss is halfway between one plateau and the next.

    Plateaus are where beta moves least; two that differ by less than a fraction `least` of the whole fall are one.
    """
    speed = np.linalg.norm(np.gradient(beta, times, axis=0), axis=1)
    slow = 1 + np.flatnonzero((speed[1:-1] < speed[:-2]) & (speed[1:-1] <= speed[2:]))
    levels = [losses[0]]
    for level in (*losses[slow], losses[-1]):
        if levels[-1] - level > least * (losses[0] - losses[-1]):
            levels.append(level)
    halfway = [(before + after) / 2 for before, after in zip(levels, levels[1:], strict=False)]
    return np.array([crossing(times, -np.asarray(losses), -level) for level in halfway])
