"""Linear recurrent networks under autograd: h_i = Wh h_{i-1} + Wx x_i (+ bias), h_0 = 0, y_i = Wy h_i.

Half of the mean squared error, over examples and summed over outputs, is taken at the last input or at every one.
Inputs are natural image patches, a few components at a time and exactly white, or the rows of handwritten digits.
`fit` trains to given Markov parameters Wy Wh^(k-1) Wx, down to round-off, by damped Gauss-Newton steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from numerics import patches
from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import GradientDescent, GradientFlow
from numerics.descent import train as descend

ATTEMPTS = 50  # starts that `fit` tries before it gives up


@dataclass(frozen=True)
class Task:
    """Inputs x, (P, T, inputs), and targets y, (P, outputs), at the last of T inputs.

    `white` makes them with modes U diag(s_i) V^T: U (outputs, modes), s (T, modes), V (inputs, modes).
    """

    x: Tensor
    y: Tensor
    U: Tensor
    s: Tensor
    V: Tensor


def white(s, *, inputs: int, outputs: int, examples: int = 60, seed: int = 0) -> Task:
    """White inputs, made of natural image patches, with targets of the singular values s, shape (T, modes).

    Raises ValueError where modes exceed inputs or outputs, or T inputs exceed examples.
    """
    profile = numbers_of("s", s)
    if profile.ndim != 2 or not profile.shape[1] <= min(inputs, outputs):
        raise ValueError(f"s has shape {profile.shape}: (T, modes) with modes <= inputs and outputs is needed")
    T, modes = profile.shape
    numbers = T * whole("inputs", inputs)
    if numbers > whole("examples", examples) - 1:
        raise ValueError(f"examples = {examples}: {T} inputs of {inputs} numbers need more to be white")
    side = int(np.ceil(np.sqrt(numbers + 1)))
    rows = patches.natural(side, 2 * examples, seed=seed, components=numbers).train[:examples]
    x = np.sqrt(examples) * torch.linalg.qr(rows)[0].reshape(examples, T, inputs)
    draw = torch.Generator().manual_seed(seed)
    U, V = (_orthonormal(size, modes, draw) for size in (outputs, inputs))
    by_time = torch.from_numpy(profile)
    return Task(x, torch.einsum("pti,im,tm,om->po", x, V, by_time, U), U, by_time, V)


def digit_rows(examples: int) -> tuple[Tensor, Tensor]:
    """Handwritten digits as sequences of 8 rows of 8 pixels in [0, 1], (P, 8, 8), and their classes, (P, 8, 10).

    The class is asked for at every row, as 1 in its place and 0 elsewhere.
    """
    images, classes = load_digits(return_X_y=True)
    count = whole("examples", examples)
    if count > len(images):
        raise ValueError(f"examples = {examples} is more than the {len(images)} digits")
    x = torch.from_numpy(images[:count].reshape(count, 8, 8) / 16)
    y = torch.nn.functional.one_hot(torch.from_numpy(classes[:count]), 10).double()
    return x, y[:, None, :].expand(-1, 8, -1)


def aligned(task: Task, a, b, c, *, hidden: int, seed: int = 0) -> tuple[list[Tensor], Tensor]:
    """Weights [Wx, Wh, Wy] along the modes of a task, with strengths a, b, c; and the hidden directions of the modes.

    Further hidden directions have no weights.  ValueError for fewer hidden units than modes.
    """
    modes = task.s.shape[1]
    if whole("hidden", hidden) < modes:
        raise ValueError(f"hidden = {hidden}: {modes} modes need as many units")
    R = _orthonormal(hidden, modes, torch.Generator().manual_seed(seed))
    strengths = [
        torch.from_numpy(np.broadcast_to(numbers_of(k, v), (modes,)).copy())
        for k, v in zip("abc", (a, b, c), strict=True)
    ]
    one, two, three = (torch.diag(strength) for strength in strengths)
    return [R @ one @ task.V.T, R @ two @ R.T, task.U @ three @ R.T], R


def random(inputs: int, hidden: int, outputs: int, *, scale: float, bias: bool = False, seed: int = 0) -> list[Tensor]:
    """Normal weights [Wx, Wh, Wy] or [Wx, Wh, Wy, bias] of standard deviation scale/sqrt(hidden)."""
    draw, spread = torch.Generator().manual_seed(seed), positive("scale", scale) / whole("hidden", hidden) ** 0.5
    shapes = [(hidden, inputs), (hidden, hidden), (outputs, hidden), *[(hidden,)] * bool(bias)]
    return [spread * torch.randn(shape, generator=draw, dtype=torch.float64) for shape in shapes]


def states(weights: Sequence[Tensor], x: Tensor) -> Tensor:
    """The states h_1, ..., h_T; shape (P, T, hidden)."""
    Wx, Wh, bias = weights[0], weights[1], weights[3] if len(weights) > 3 else 0.0
    h, seen = x.new_zeros(len(x), len(Wh)), []
    for now in x.unbind(1):
        h = h @ Wh.T + now @ Wx.T + bias
        seen.append(h)
    return torch.stack(seen, 1)


def last_loss(weights, x, y) -> Tensor:
    """Half of the mean squared error at the last input."""
    return ((y - states(weights, x)[:, -1] @ weights[2].T) ** 2).sum() / (2 * len(x))


def every_loss(weights, x, y) -> Tensor:
    """Half of the mean squared error at every input."""
    return ((y - states(weights, x) @ weights[2].T) ** 2).sum() / (2 * len(x))


def speeds(task: Task, weights, R: Tensor) -> np.ndarray:
    """How fast gradient flow changes the strengths a, b, c of all modes; shape (3, modes)."""
    leaves = [w.clone().requires_grad_() for w in weights]
    slope = torch.autograd.grad(last_loss(leaves, task.x, task.y), leaves)
    return -_strengths(task, slope, R).numpy()


def train_modes(task: Task, weights, R: Tensor, times, by: GradientDescent | GradientFlow) -> np.ndarray:
    """Strengths a, b, c of all modes at each of `times`; shape (len(times), 3, modes)."""
    record = lambda w: _strengths(task, w, R)  # noqa: E731
    return descend(last_loss, weights, times, by, data=(task.x, task.y), record=record)


def train_frozen(task: Task, weights, R: Tensor, times, by: GradientDescent | GradientFlow) -> np.ndarray:
    """The gains a c of all modes while Wh stays as it is; shape (len(times), modes)."""

    def loss(w, x, y):
        return last_loss([w[0], weights[1], w[1]], x, y)

    def gains(w):
        return torch.diagonal(task.U.T @ w[1] @ R) * torch.diagonal(R.T @ w[0] @ task.V)

    return descend(loss, [weights[0], weights[2]], times, by, data=(task.x, task.y), record=gains)


def train(weights, x: Tensor, y: Tensor, times, by: GradientDescent | GradientFlow) -> list[list[np.ndarray]]:
    """All weights at each of `times`, trained on targets at every input, y of shape (P, T, outputs)."""
    rows = descend(every_loss, weights, times, by, data=(x, y))
    sizes = np.cumsum([w.numel() for w in weights])[:-1]
    shapes = [tuple(w.shape) for w in weights]
    return [[part.reshape(s) for part, s in zip(np.split(row, sizes), shapes, strict=True)] for row in rows]


def markov(Wx, Wh, Wy, count: int) -> np.ndarray:
    """Markov parameters Wy Wh^(k-1) Wx, k = 1, ..., count; shape (count, outputs, inputs)."""
    h, found = numbers_of("Wx", Wx), []
    for _ in range(whole("count", count)):
        found.append(Wy @ h)
        h = Wh @ h
    return np.array(found)


def fit(target, states: int, *, seed: int, tolerance: float = 1e-12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (Wx, Wh, Wy) of `states` units whose first T Markov parameters are `target`, (T, outputs, inputs).

    From normal weights of spectral radius about 1/2 by Levenberg and Marquardt's steps, until they miss by less than
    `tolerance` of the target; a start that ends in a local minimum, or has not converged in 400 steps, is drawn anew.

    Raises:
        ValueError: an argument makes no sense.
        ArithmeticError: none of 50 starts has converged: there may be no such network.
    """
    goal = numbers_of("target", target)
    if goal.ndim != 3 or not goal.size or not np.any(goal):
        raise ValueError(f"target has shape {goal.shape}; (T, outputs, inputs), not all 0, is needed")
    n, size = whole("states", states), np.linalg.norm(goal)
    if not 0 < real("tolerance", tolerance) < 1:
        raise ValueError(f"tolerance = {tolerance!r} must be between 0 and 1")
    draw = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        row = draw.normal(size=n * (n + goal.shape[1] + goal.shape[2])) / (2 * np.sqrt(n))
        found = _marquardt(row, goal, n, tolerance * size)
        if found is not None:
            return _apart(found, goal, n)
    raise ArithmeticError(f"fit: none of {ATTEMPTS} starts from seed {seed} reaches the target with {n} units")


def _marquardt(row, goal, n, within):
    """Damped Gauss-Newton steps, in a chain of ever smaller residuals, so that a finer run goes on from a coarser."""
    damping, miss = 1e-2, _residual(row, goal, n)
    for _ in range(400):
        if np.linalg.norm(miss) <= within:
            return row
        J = _jacobian(row, goal, n)
        step = np.linalg.lstsq(
            np.vstack([J, np.sqrt(damping) * np.eye(len(row))]), np.append(-miss, np.zeros(len(row))), rcond=None
        )[0]
        after = _residual(row + step, goal, n)
        better = np.linalg.norm(after) < np.linalg.norm(miss)
        row, miss = (row + step, after) if better else (row, miss)
        damping *= 0.3 if better else 4.0
    return None


def _residual(row, goal, n):
    Wx, Wh, Wy = _apart(row, goal, n)
    return (markov(Wx, Wh, Wy, len(goal)) - goal).ravel()


def _jacobian(row, goal, n):
    """Derivatives of all Markov parameters in all weights, by forward sensitivities of h_k = Wh^(k-1) Wx."""
    Wx, Wh, Wy = _apart(row, goal, n)
    outputs, inputs = goal.shape[1:]
    h, dh = Wx, np.zeros((len(row), n, inputs))
    dh[: n * inputs] = np.eye(n * inputs).reshape(n * inputs, n, inputs)
    dW = np.zeros((len(row), n, n))
    dW[n * inputs : n * (inputs + n)] = np.eye(n * n).reshape(n * n, n, n)
    dY = np.zeros((len(row), outputs, n))
    dY[n * (inputs + n) :] = np.eye(n * outputs).reshape(n * outputs, outputs, n)
    slopes = []
    for _ in range(len(goal)):
        slopes.append(dY @ h + Wy @ dh)
        h, dh = Wh @ h, dW @ h + Wh @ dh
    return np.moveaxis(np.array(slopes), 1, -1).reshape(goal.size, len(row))


def _apart(row, goal, n):
    outputs, inputs = goal.shape[1:]
    Wx, Wh, Wy = np.split(row, [n * inputs, n * (inputs + n)])
    return Wx.reshape(n, inputs), Wh.reshape(n, n), Wy.reshape(outputs, n)


def _strengths(task: Task, weights, R: Tensor) -> Tensor:
    """The diagonals of weights, or of their gradients, in the modes of a task; shape (3, modes)."""
    through = (R.T @ weights[0] @ task.V, R.T @ weights[1] @ R, task.U.T @ weights[2] @ R)
    return torch.stack([torch.diagonal(m) for m in through])


def _orthonormal(rows: int, columns: int, draw: torch.Generator) -> Tensor:
    return torch.linalg.qr(torch.randn(rows, columns, generator=draw, dtype=torch.float64))[0]
