"""Two-layer networks on inputs that are not white: digits as they are, under plain and preconditioned descent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from numerics.checks import numbers_of, positive, whole
from numerics.descent import GradientDescent, check_step, increasing, whole_steps
from numerics.descent import train as descend


@dataclass(frozen=True)
class Task:
    """Centred inputs x, shape (P, Ni), targets y, (P, No), and the averages <x x^T> and <y x^T>."""

    x: Tensor
    y: Tensor

    @property
    def covariance(self) -> Tensor:
        """<x x^T>, shape (Ni, Ni)."""
        return self.x.T @ self.x / len(self.x)

    @property
    def correlation(self) -> Tensor:
        """<y x^T>, shape (No, Ni)."""
        return self.y.T @ self.x / len(self.x)


def components(count: int) -> Task:
    """The first `count` principal components of handwritten digits, in their own units, to reproduce them."""
    x = _components(count)
    return Task(x, x)


def classes(count: int) -> Task:
    """The same components, to tell the ten classes."""
    onehot = torch.nn.functional.one_hot(torch.from_numpy(load_digits().target)).to(torch.float64)
    return Task(_components(count), onehot - onehot.mean(0))


def white_root(task: Task) -> Tensor:
    """The symmetric square root of the covariance."""
    values, vectors = torch.linalg.eigh(task.covariance)
    return (vectors * values.sqrt()) @ vectors.T


def modes(task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """U, z, V of the correlation in white units, <y x^T> X^(-1/2); shapes (No, K), (K,), (Ni, K)."""
    U, z, Vt = torch.linalg.svd(task.correlation @ torch.linalg.inv(white_root(task)), full_matrices=False)
    present = z > z[0] * max(task.correlation.shape) * torch.finfo(z.dtype).eps
    return U[:, present], z[present], Vt[present].T


def aligned(U: Tensor, V: Tensor, a0, *, hidden: int, seed: int = 0) -> list[Tensor]:
    """Balanced weights whose product has the strengths a0 > 0 between the columns of V and of U."""
    hidden, count = whole("hidden", hidden), U.shape[1]
    share = torch.from_numpy(np.broadcast_to(numbers_of("a0", a0), count).copy()).sqrt()
    if hidden < count or not bool((share > 0).all()):
        raise ValueError(f"hidden = {hidden}, a0 = {a0}: {count} modes need as many units and a0 > 0")
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(hidden, count, generator=generator, dtype=torch.float64)).Q
    return [(turn * share) @ V.T, (U * share) @ turn.T]


def train(task: Task, weights, times, eta: float) -> np.ndarray:
    """The product W_2 W_1 at each of `times` under gradient descent; shape (T, No, Ni)."""
    return descend(_loss(task), weights, times, GradientDescent(eta), record=lambda w: w[1] @ w[0])


def train_preconditioned(task: Task, weights, times, eta: float) -> np.ndarray:
    """The same where the step of the first layer is divided by the covariance of the inputs.

    ValueError for a step with eta lambda_max > 2 at the minimum: there the curvature is 2 z.
    """
    check_step(eta, 2 * float(modes(task)[1][0]))
    times, loss, inverse = increasing(times), _loss(task), torch.linalg.inv(task.covariance)
    wanted, records = set(whole_steps(times, positive("eta", eta))), []
    layers = [w.detach().clone() for w in weights]
    for step in range(max(wanted) + 1):
        if step in wanted:
            records.append((layers[1] @ layers[0]).numpy())
        leaves = [w.requires_grad_() for w in layers]
        first, second = torch.autograd.grad(loss(leaves), leaves)
        layers = [(layers[0] - eta * first @ inverse).detach(), (layers[1] - eta * second).detach()]
    return np.array(records)


def _loss(task: Task):
    """Half of the mean squared error, less what no weights change."""
    X, Y = task.covariance, task.correlation

    def loss(weights):
        W = weights[1] @ weights[0]
        return ((W @ X) * W).sum() / 2 - (Y * W).sum()

    return loss


def _components(count: int) -> Tensor:
    images = load_digits().data / 16
    images = images - images.mean(0)
    left, size, _ = np.linalg.svd(images, full_matrices=False)
    if not whole("count", count) <= np.linalg.matrix_rank(images):
        raise ValueError(f"count = {count}: only {np.linalg.matrix_rank(images)} components of the digits vary")
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(count, count)))[0]  # no axis is a component
    return torch.from_numpy(left[:, :count] * size[:count] @ turn)
