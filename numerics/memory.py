"""Associative memory by softmax attention: keys, noisy queries, and a temperature that is trained.

The query is one of the keys, drawn evenly, with normal noise; attention answers with the keys, weighted by the softmax
of their matches with the query.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from numerics.checks import positive, whole

ROUNDS = 40  # of the training of a temperature: its logarithm moves by less than 1e-5 at the end


def orthogonal(count: int, length: float, *, seed: int) -> Tensor:
    """`count` orthogonal keys of one length in as many dimensions, turned at random; shape (N, N), float64."""
    count, length = whole("count", count, least=2), positive("length", length)
    draw = np.random.default_rng(seed).standard_normal((count, count))
    return length * torch.from_numpy(np.linalg.qr(draw)[0])


def digits(count: int, length: float, *, seed: int) -> Tensor:
    """`count` handwritten digits as keys, their mean removed, each scaled to one length; shape (N, 64), float64."""
    images = load_digits().data
    count, length = whole("count", count, least=2), positive("length", length)
    if count > len(images):
        raise ValueError(f"count = {count} is more than the {len(images)} digits there are")
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    keys = images[chosen] - images.mean(axis=0)
    return torch.from_numpy(length * keys / np.linalg.norm(keys, axis=1, keepdims=True))


def queries(keys: Tensor, sigma: float, count: int, *, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy keys, shape (count, d), and which keys they are, shape (count,)."""
    sigma, count = positive("sigma", sigma), whole("count", count)
    rng = np.random.default_rng(seed)
    target = torch.from_numpy(rng.integers(len(keys), size=count))
    return keys[target] + sigma * torch.from_numpy(rng.standard_normal((count, keys.shape[1]))), target


def attend(query: Tensor, keys: Tensor, beta) -> Tensor:
    """The weights that softmax attention gives the keys, shape (..., N), at inverse temperature beta."""
    return torch.softmax(beta * (query @ keys.T), dim=-1)


def squared_error(query: Tensor, target: Tensor, keys: Tensor, beta) -> Tensor:
    """How far the answer of attention is from the target, squared; shape (...)."""
    return torch.sum((attend(query, keys, beta) @ keys - keys[target]) ** 2, dim=-1)


def train(keys: Tensor, sigma: float, count: int, *, networks: int, seed: int) -> np.ndarray:
    """Inverse temperatures of attention, trained on `count` noisy queries for each network; shape (networks,).

    Each network brings its own mean squared error down by Rprop on ln beta, from beta = 1/(sigma r), r the length of a
    key; the best value lies elsewhere for all sigma but r.
    """
    networks = whole("networks", networks)
    query, target = queries(keys, sigma, networks * whole("count", count), seed=seed)
    query, target = query.reshape(networks, count, -1), target.reshape(networks, count)
    start = -math.log(sigma * torch.linalg.norm(keys[0]).item())
    logarithm = torch.full((networks, 1, 1), start, dtype=keys.dtype, requires_grad=True)
    descent = torch.optim.Rprop([logarithm], lr=0.1, step_sizes=(1e-7, 0.5))
    for _ in range(ROUNDS):
        descent.zero_grad()
        squared_error(query, target, keys, logarithm.exp()).mean(dim=1).sum().backward()
        descent.step()
    return logarithm.detach().exp().ravel().numpy()


def every_query(keys: Tensor, sigma: float, points: int) -> tuple[Tensor, Tensor]:
    """All queries of a Gauss-Hermite grid around the first of a few orthogonal keys, with their chances."""
    z, w = np.polynomial.hermite_e.hermegauss(whole("points", points, least=2))
    many = len(keys)
    if points**many > 1_000_000:
        raise ValueError(f"points = {points}: a grid of {points}^{many} queries is too large")
    grid = np.stack(np.meshgrid(*[z] * many, indexing="ij"), axis=-1).reshape(-1, many)
    chance = np.prod(np.stack(np.meshgrid(*[w / w.sum()] * many, indexing="ij"), axis=-1).reshape(-1, many), axis=1)
    unit = keys / torch.linalg.norm(keys, dim=1, keepdim=True)
    return keys[0] + positive("sigma", sigma) * torch.from_numpy(grid) @ unit, torch.from_numpy(chance)
