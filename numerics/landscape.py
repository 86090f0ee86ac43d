"""Critical points of linear networks, their Hessians, and the slow points that real runs pass.

Tasks are those of `numerics.modes`: white inputs of variance lam, and targets whose modes have given strengths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from numerics import modes
from numerics.chain import crossing
from numerics.checks import numbers_of, positive, whole
from numerics.descent import GradientFlow
from numerics.descent import train as descend


def task(strengths, lam: float, *, inputs: int, outputs: int, seed: int = 0) -> modes.Task:
    """A task with modes of these strengths in random directions; twice as many examples as inputs.

    ValueError unless strengths are positive, fall, and fit into inputs and outputs.
    """
    s, inputs, outputs = numbers_of("strengths", strengths), whole("inputs", inputs), whole("outputs", outputs)
    if s.ndim != 1 or not 0 < len(s) <= min(inputs, outputs) or (np.diff(s) >= 0).any() or s[-1] <= 0:
        raise ValueError(f"strengths = {strengths} must fall, be positive, and at most {min(inputs, outputs)}")
    draw, lam, examples = np.random.default_rng(seed), positive("lam", lam), 2 * inputs
    shapes = (examples, inputs), (outputs, len(s)), (inputs, len(s))
    frames = [np.linalg.qr(draw.normal(size=shape))[0] for shape in shapes]
    x = np.sqrt(lam * examples) * frames[0]
    y = x @ (frames[1] * s / lam @ frames[2].T).T
    arrays = (x, y, frames[1], s, frames[2])
    X, Y, U, S, V = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
    return modes.Task(X, Y, lam, U, S, V)


def critical_point(task: modes.Task, depth: int, learnt: Sequence[int], *, hidden: int, seed: int = 0) -> list[Tensor]:
    """Balanced weights with the modes numbered in `learnt` (from 0) learnt and the others not.

    Hidden layers are turned by random rotations.  ValueError if there are fewer units than modes.
    """
    depth, hidden, r = whole("depth", depth, 2), whole("hidden", hidden), len(learnt)
    if r > hidden or len(set(learnt)) < r or not set(learnt) <= set(range(len(task.s))):
        raise ValueError(f"learnt = {learnt} must be at most {hidden} different modes out of {len(task.s)}")
    generator, chosen = torch.Generator().manual_seed(seed), list(learnt)
    turns = [
        torch.linalg.qr(torch.randn(hidden, hidden, generator=generator, dtype=torch.float64)).Q[:, :r]
        for _ in range(depth - 1)
    ]
    share = (task.s[chosen] / task.lam) ** (1 / depth)
    frames = [task.V[:, chosen], *turns, task.U[:, chosen]]
    return [(after * share) @ before.T for before, after in zip(frames, frames[1:], strict=False)]


def loss(task: modes.Task):
    """The error |y - W x|^2/2, averaged over examples, as a function of the weights.

    Weights may have axes before their last two, one network for each index; so has then the loss.
    """

    def of(weights):
        outputs = task.x
        for w in weights:
            outputs = outputs @ w.mT
        return ((task.y - outputs) ** 2).sum((-2, -1)) / (2 * task.examples)

    return of


def slope(task: modes.Task, weights: Sequence[Tensor]) -> np.ndarray:
    """The length of the gradient, for every network."""
    leaves = [w.detach().clone().requires_grad_() for w in weights]
    gradients = torch.autograd.grad(loss(task)(leaves).sum(), leaves)
    return torch.stack([(g * g).sum((-2, -1)) for g in gradients]).sum(0).sqrt().numpy()


def curvatures(task: modes.Task, weights: Sequence[Tensor]) -> np.ndarray:
    """All eigenvalues of the Hessian of the loss, smallest first."""
    shapes, sizes = [w.shape for w in weights], [w.numel() for w in weights]
    row = torch.cat([w.detach().reshape(-1) for w in weights])

    def of_row(row):
        return loss(task)([part.view(shape) for part, shape in zip(row.split(sizes), shapes, strict=True)])

    return torch.linalg.eigvalsh(torch.func.jacrev(torch.func.grad(of_row))(row)).numpy()


def falling(task: modes.Task, weights: Sequence[Tensor], above: float | None = None) -> int:
    """In how many independent directions the loss falls: eigenvalues of the Hessian below 0 beyond rounding.

    Near a saddle, but not at it, count only those below -`above`.
    """
    values = curvatures(task, weights)
    rounding = len(values) * np.finfo(float).eps * np.abs(values).max()
    return int(np.sum(values < -(rounding if above is None else positive("above", above))))


def way(task: modes.Task, weights: Sequence[Tensor], times, rtol: float = 1e-9):
    """The way of gradient flow: losses, lengths of the gradient, and weights, with time as their first axis."""
    shapes, sizes = [w.shape for w in weights], [w.numel() for w in weights]
    by = GradientFlow(rtol, rtol * min(float(w.abs().mean()) for w in weights))
    rows = torch.from_numpy(descend(lambda w: loss(task)(w).sum(), weights, times, by))
    points = [p.reshape(-1, *shape) for p, shape in zip(rows.split(sizes, dim=1), shapes, strict=True)]
    return loss(task)(points).numpy(), slope(task, points), points


def slow_points(slopes) -> np.ndarray:
    """Where the gradient is shorter than before and after: a run passes by a saddle there."""
    g = numbers_of("slopes", slopes)
    return 1 + np.flatnonzero((g[1:-1] < g[:-2]) & (g[1:-1] <= g[2:]))


def half_times(count: int, *, s: float, lam: float, hidden: int, sigma: float, times, seed: int) -> np.ndarray:
    """When each of `count` networks of one input and one output passes s/(2 lam), under gradient flow.

    All weights are drawn from a normal distribution with standard deviation sigma; shape (count,).
    """
    shape = (whole("count", count), whole("hidden", hidden))
    s, lam, sigma = positive("s", s), positive("lam", lam), positive("sigma", sigma)
    generator = torch.Generator().manual_seed(seed)
    weights = [sigma * torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2)]

    def outputs(weights):
        return (weights[0] * weights[1]).sum(1)

    def total(weights):  # the networks do not see each other
        return ((s - lam * outputs(weights)) ** 2).sum() / (2 * lam)

    a = descend(total, weights, times, GradientFlow(1e-7, 1e-7 * sigma), record=outputs)
    return np.array([crossing(times, one, s / (2 * lam)) for one in a.T])
