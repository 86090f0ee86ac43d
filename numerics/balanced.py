"""Two-layer linear networks with a chosen balance, really trained: y = W2 W1 x, loss <|y - W2 W1 x|^2>/2.

The data are pairs with <x x^T> = I to round-off and <y x^T> = Sigma, plus targets that no linear map explains.
Weights are a list [W1, W2] of shapes (Nh, Ni) and (No, Nh); balanced means W2^T W2 - W1 W1^T = lam I.  Times and
steps are in units of tau.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics import modes
from numerics.chain import crossing
from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import GradientDescent, GradientFlow, modified
from numerics.descent import train as descend

Weights = Sequence[Tensor]


@dataclass(frozen=True)
class Data:
    """White inputs x, shape (P, Ni), and targets y, shape (P, No)."""

    x: Tensor
    y: Tensor

    @property
    def correlation(self) -> np.ndarray:
        """Sigma = <y x^T>, shape (No, Ni)."""
        return (self.y.T @ self.x / len(self.x)).numpy()


def correlation(Ni: int, No: int, strengths, *, seed: int) -> np.ndarray:
    """A correlation of shape (No, Ni) with these singular values and random singular vectors."""
    Ni, No, s = whole("Ni", Ni), whole("No", No), numbers_of("strengths", strengths)
    if s.ndim != 1 or not 1 <= len(s) <= min(Ni, No) or s.min() < 0:
        raise ValueError(f"strengths = {strengths}: one to {min(Ni, No)} numbers >= 0 are needed")
    draw = torch.Generator().manual_seed(seed)
    left, right = _frame(No, len(s), draw), _frame(Ni, len(s), draw)
    return ((left * torch.from_numpy(s)) @ right.T).numpy()


def data(sigma, *, seed: int, noise: float = 0.3) -> Data:
    """Pairs with <x x^T> = I and <y x^T> = sigma, and unexplained targets of standard deviation about `noise`."""
    target = torch.from_numpy(_matrix("sigma", sigma))
    No, Ni = target.shape
    draw = torch.Generator().manual_seed(seed)
    examples = 2 * (Ni + No)
    frame = math.sqrt(examples) * _frame(examples, Ni + No, draw)
    x, rest = frame[:, :Ni], frame[:, Ni:]
    return Data(x, x @ target.T + real("noise", noise) * rest)


def rotated(task: modes.Task) -> Data:
    """The same averages over few rows: its examples after an orthogonal map that leaves zeros in most of them."""
    x, y = task.rotated()
    size = math.sqrt(len(x) / task.examples)
    return Data(size * x, size * y)


def balanced(Ni: int, Nh: int, No: int, lam: float, *, scale: float, seed: int) -> list[Tensor]:
    """Random balanced weights; the smaller layer has singular values `scale` |z|, z normal.

    ValueError where no such weights exist: lam > 0 needs Nh <= No, lam < 0 needs Nh <= Ni.
    """
    Ni, Nh, No = whole("Ni", Ni), whole("Nh", Nh), whole("No", No)
    lam, scale = real("lam", lam), positive("scale", scale)
    name, outer = ("No", No) if lam > 0 else ("Ni", Ni)
    if lam and Nh > outer:
        raise ValueError(f"lam = {lam:g} needs Nh <= {name}, got Nh = {Nh} and {name} = {outer}: W^T W would lack rank")
    draw = torch.Generator().manual_seed(seed)
    squares = torch.zeros(Nh, dtype=torch.float64)
    rank = min(Ni, Nh, No) if lam == 0 else min(Nh, Ni if lam > 0 else No)
    squares[:rank] = (scale * torch.randn(rank, generator=draw, dtype=torch.float64)) ** 2
    turn = _frame(Nh, Nh, draw)
    first, second = (squares + max(-lam, 0.0)).sqrt(), (squares + max(lam, 0.0)).sqrt()
    before, after = min(Ni, Nh), min(No, Nh)
    W1 = turn[:, :before] * first[:before] @ _frame(Ni, before, draw).T
    W2 = _frame(No, after, draw) * second[:after] @ turn[:, :after].T
    return [W1, W2]


def problem(Ni: int, Nh: int, No: int, lam: float, *, scale: float = 0.7, seed: int = 3) -> list[np.ndarray]:
    """Random balanced weights W1, W2 and a random correlation, with singular values as they come, as arrays."""
    weights = balanced(Ni, Nh, No, lam, scale=scale, seed=seed)
    return [*(w.numpy() for w in weights), np.random.default_rng(seed).normal(size=(No, Ni)) + 0.3]


def normal(Ni: int, Nh: int, No: int, *, sizes: tuple[float, float], runs: int, seed: int) -> list[Tensor]:
    """Weights of `runs` networks, drawn independently with one standard deviation for each layer."""
    draw = torch.Generator().manual_seed(seed)
    shapes = (whole("runs", runs), whole("Nh", Nh), whole("Ni", Ni)), (runs, Nh, whole("No", No))
    first, last = (
        positive("sizes", size) * torch.randn(shape, generator=draw, dtype=torch.float64)
        for size, shape in zip(sizes, shapes, strict=True)
    )
    return [first, last.transpose(1, 2)]


def train(weights: Weights, on: Data, times, eta: float, *, record: Callable | None = None) -> np.ndarray:
    """What `record` (default: the Gram matrix) says at each of `times` under gradient descent with step `eta`."""
    return descend(loss, weights, times, GradientDescent(eta), data=(on.x, on.y), record=record or gram)


def flow(weights: Weights, on: Data, times, *, rtol: float = 1e-12, record: Callable | None = None) -> np.ndarray:
    """The same under gradient flow."""
    sizes = [float(w.abs().mean()) for w in weights if bool(w.any())]
    by = GradientFlow(rtol, rtol * min(sizes, default=1.0))
    return descend(loss, weights, times, by, data=(on.x, on.y), record=record or gram)


def corrected(weights: Weights, on: Data, times, eta: float, *, record: Callable | None = None) -> np.ndarray:
    """Gradient descent less what the modified flow says that its step adds: what is left is of second order."""
    keep, by, pairs = record or gram, GradientFlow(1e-11, 1e-13), (on.x, on.y)
    bent, straight = (descend(f, weights, times, by, data=pairs, record=keep) for f in (modified(loss, eta), loss))
    return train(weights, on, times, eta, record=keep) - bent + straight


def one_after_the_other(weights: Weights, tasks: Sequence[Data], durations, points: int, rtol: float) -> np.ndarray:
    """The losses of all tasks while the network learns one after the other by gradient flow; shape (K, K, points)."""
    losses, weights = [], list(weights)
    for task, length in zip(tasks, numbers_of("durations", durations), strict=True):
        times = np.linspace(0, positive("durations", length), points)
        seen = flow(weights, task, times, rtol=rtol, record=lambda w: torch.cat([v.reshape(-1) for v in w]))
        stages = [apart(torch.from_numpy(row), weights) for row in seen]
        losses.append([[excess(w, other) for w in stages] for other in tasks])
        weights = stages[-1]
    return np.array(losses).transpose(1, 0, 2)


def loss(weights: Weights, x: Tensor, y: Tensor) -> Tensor:
    """Half the squared error, averaged over examples."""
    return ((y - x @ weights[0].T @ weights[1].T) ** 2).sum() / (2 * len(x))


def excess(weights: Weights, on: Data) -> float:
    """The loss above that of the best linear map."""
    best = torch.linalg.lstsq(on.x, on.y).solution
    return float(loss(weights, on.x, on.y) - ((on.y - on.x @ best) ** 2).sum() / (2 * len(on.x)))


def ensemble_losses(weights: Weights, on: Data, times, *, rtol: float = 1e-9) -> np.ndarray:
    """The losses, above the best, of networks that flow side by side, W1 of shape (runs, Nh, Ni); shape (T, runs).

    Gradient flow: steps of finite size would not leave the networks balanced.
    """
    target = torch.from_numpy(on.correlation)  # the inputs are white: nothing else of the data enters

    def each(w):
        return ((target - w[1] @ w[0]) ** 2).sum((1, 2)) / 2

    return descend(lambda w: each(w).sum(), weights, times, GradientFlow(rtol, rtol / 100), record=each)


def gram(weights: Weights) -> Tensor:
    """Q Q^T with Q = [W1^T; W2], shape (Ni + No, Ni + No)."""
    Q = torch.cat([weights[0].T, weights[1]])
    return Q @ Q.T


def output_map(weights: Weights) -> Tensor:
    """W2 W1, shape (No, Ni)."""
    return weights[1] @ weights[0]


def tangent_kernel(weights: Weights, x: Tensor) -> Tensor:
    """The neural tangent kernel on inputs x, shape (n, Ni), by automatic differentiation; shape (No n, No n)."""
    outputs = lambda *w: (x @ w[0].T @ w[1].T).T.reshape(-1)  # noqa: E731
    slopes = torch.func.jacrev(outputs, argnums=(0, 1))(*weights)
    rows = torch.cat([slope.flatten(1) for slope in slopes], dim=1)
    return rows @ rows.T


def kernel_distance(first: np.ndarray, later: np.ndarray) -> np.ndarray:
    """1 - <K, K'>/(|K| |K'|) for a kernel and each of several later ones, shape (..., n, n)."""
    product = (first * later).sum((-2, -1))
    return 1 - product / np.sqrt((first**2).sum() * (later**2).sum((-2, -1)))


def crossing_of(weights: Weights, on: Data, level: float, until: float, *, rtol: float) -> float:
    """The time, under gradient flow, when the map of a network of one input and output passes `level`."""
    low, high = 0.0, positive("until", until)
    for _ in range(2):  # coarsely, then finely
        times = np.linspace(low, high, 201)
        a = flow(weights, on, times, rtol=rtol, record=output_map)[:, 0, 0]
        k = int(np.argmax(a > level))
        low, high = times[max(k - 2, 0)], times[min(k + 1, 200)]
    return crossing(times, a, level)


def apart(row: Tensor, like: Weights) -> list[Tensor]:
    """The weights in one row, in the shapes of others."""
    parts = row.split([w.numel() for w in like])
    return [part.view(w.shape) for part, w in zip(parts, like, strict=True)]


def _frame(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    """Random orthonormal columns, uniform: with the signs as the factorisation leaves them, det Q would be fixed."""
    Q, R = torch.linalg.qr(torch.randn(rows, columns, generator=draw, dtype=torch.float64))
    return Q * R.diagonal().sign()


def _matrix(name: str, value) -> np.ndarray:
    array = numbers_of(name, value)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix, got shape {array.shape}")
    return array
