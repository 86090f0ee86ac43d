"""Linear attention with merged key and query, really attending to prompts of linear regression.

A prompt is N pairs (x_n, y_n = w.x_n) and a query, all in D dimensions; the answer should be w.x_q.  The
prompts may be drawn from the normal distribution, or be all points of a Gauss-Hermite grid with their weights:
the loss is a polynomial of degree 4 in each x and 2 in w and the query, so that the grid gives its exact average.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from numerics.checks import positive, whole
from numerics.descent import GradientDescent, GradientFlow
from numerics.descent import train as descend


@dataclass(frozen=True)
class Prompts:
    """Examples x, shape (P, N, D), and y, (P, N); queries, (P, D); right answers, (P,); weights that sum to 1, (P,)."""

    x: Tensor
    y: Tensor
    query: Tensor
    answer: Tensor
    weight: Tensor


def drawn(count: int, dimensions: int, length: int, *, seed: int) -> Prompts:
    """`count` prompts with normal x, w and query, of equal weight."""
    count, dimensions, length = whole("count", count), whole("dimensions", dimensions), whole("length", length)
    draw = np.random.default_rng(seed).standard_normal
    x, w, query = draw((count, length, dimensions)), draw((count, dimensions)), draw((count, dimensions))
    return _prompts(x, w, query, np.full(count, 1 / count))


def grid(dimensions: int, length: int) -> Prompts:
    """All prompts of a Gauss-Hermite grid: three points for every entry of x, two for every entry of w and query.

    Its size is 3^(D N) 4^D; ValueError beyond a million.
    """
    dimensions, length = whole("dimensions", dimensions), whole("length", length)
    if (size := 3 ** (dimensions * length) * 4**dimensions) > 1_000_000:
        raise ValueError(f"dimensions = {dimensions}, length = {length}: a grid of {size} prompts is too large")
    points, weights = _hermite(3, dimensions * length)
    halves, half_weights = _hermite(2, 2 * dimensions)
    x = np.repeat(points, len(halves), axis=0).reshape(-1, length, dimensions)
    w, query = np.split(np.tile(halves, (len(points), 1)), 2, axis=1)
    return _prompts(x, w, query, np.outer(weights, half_weights).ravel())


def answers(weights, prompts: Prompts) -> Tensor:
    """What attention answers: the value of each example, times its key's match with the query, averaged; shape (P,)."""
    value, merged = weights
    match = torch.einsum("pnd,de,pe->pn", prompts.x, merged, prompts.query)
    return value * (prompts.y * match).mean(1)


def train(prompts: Prompts, weights, times, by: GradientDescent | GradientFlow, record=None) -> np.ndarray:
    """Descend half of the mean squared error from (value, merged); by default records trace(v U)/D at `times`."""

    def loss(weights, x, y, query, answer, weight):
        missed = answer - answers(weights, Prompts(x, y, query, answer, weight))
        return (weight * missed**2).sum() / 2

    data = (prompts.x, prompts.y, prompts.query, prompts.answer, prompts.weight)
    return descend(loss, weights, times, by, data=data, record=record or shrinkage)


def shrinkage(weights) -> Tensor:
    """How much of the context's estimate enters the answer: trace(v U)/D."""
    return weights[0] * torch.trace(weights[1]) / len(weights[1])


def balanced(dimensions: int, sigma0: float) -> list[Tensor]:
    """Value weight and merged matrix u I with v u = sigma0 > 0 and v^2 = |U|^2."""
    dimensions = whole("dimensions", dimensions)
    u = (positive("sigma0", sigma0) / dimensions**0.5) ** 0.5
    return [torch.tensor(dimensions**0.5 * u, dtype=torch.float64), u * torch.eye(dimensions, dtype=torch.float64)]


def random(dimensions: int, scale: float, *, seed: int) -> list[Tensor]:
    """Value weight and merged matrix from a normal distribution with standard deviation `scale`."""
    dimensions, scale = whole("dimensions", dimensions), positive("scale", scale)
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((), (dimensions,) * 2)]


def _prompts(x, w, query, weight) -> Prompts:
    y, answer = np.einsum("pnd,pd->pn", x, w), np.einsum("pd,pd->p", w, query)
    arrays = (np.ascontiguousarray(array) for array in (x, y, query, answer, weight))
    return Prompts(*(torch.from_numpy(array) for array in arrays))


def _hermite(points: int, variables: int) -> tuple[np.ndarray, np.ndarray]:
    """All points of the grid in so many variables, and their probabilities."""
    node, weight = np.polynomial.hermite_e.hermegauss(points)
    grid = np.array(list(itertools.product(node, repeat=variables)))
    return grid, np.prod(list(itertools.product(weight / weight.sum(), repeat=variables)), axis=1)
