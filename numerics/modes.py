"""Linear networks trained on real data, seen mode by mode.

The data are the 1,797 handwritten digits of 8 x 8 pixels that ship with scikit-learn.  Inputs x are
their 61 principal components that vary, whitened to variance lam; targets y are the 64 centred
pixels (an autoencoder) or the 10 centred one-hot classes.  The singular value decomposition

    <y x^T> = U diag(s) V^T

gives the modes; the strength of mode k in a network that computes W x is a_k = u_k^T W v_k, and
descent takes it to s_k / lam.  The loss is <|y - W x|^2> / 2, so that tau = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from numerics.chain import crossing
from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import GradientDescent, GradientFlow, check_step, sharpness
from numerics.descent import train as descend


@dataclass(frozen=True)
class Task:
    """Whitened inputs x, shape (P, Ni), of variance lam; targets y, shape (P, No); their modes U, s, V."""

    x: Tensor
    y: Tensor
    lam: float
    U: Tensor
    s: Tensor
    V: Tensor

    @property
    def examples(self) -> int:
        """How many examples there are, P."""
        return len(self.x)

    def rotated(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets after an orthogonal map of the examples that leaves zeros in most rows.

        The squared error summed over examples does not change, and few rows are left to compute it
        from; that is all that full-batch training needs.
        """
        rows = torch.linalg.qr(torch.cat([self.x, self.y], dim=1), mode="r").R
        return rows[:, : self.x.shape[1]].contiguous(), rows[:, self.x.shape[1] :].contiguous()


def pixels(lam: float = 1.0) -> Task:
    """Whitened components -> centred pixels in units of full ink.

    There are 61 modes, s = sqrt(lam) (.84, .80, .74, .63, .52, ...).
    """
    x, images = _whitened(lam)
    return _task(x, images, lam)


def classes(lam: float = 1.0) -> Task:
    """Whitened components -> centred one-hot classes.

    There are 9 modes, s = sqrt(lam) (.30, .29, .29, .28, .26, .25, .23, .21, .19), too close for stages.
    """
    x, _ = _whitened(lam)
    onehot = np.eye(10)[load_digits().target]
    return _task(x, onehot - onehot.mean(0), lam)


def aligned(task: Task, depth: int, a0: float | np.ndarray, *, hidden: int = 64, seed: int = 0) -> list[Tensor]:
    """Weights whose product has strength a0 in every mode, each layer taking an equal share.

    Hidden layers are turned by random rotations drawn from `seed`, so that no unit is a mode.
    """
    modes = len(task.s)
    depth, hidden = whole("depth", depth), whole("hidden", hidden)
    try:
        strength = torch.from_numpy(np.broadcast_to(numbers_of("a0", a0), modes).copy())
    except ValueError as error:
        raise ValueError(f"a0: one strength or {modes} are needed ({error})") from None
    if depth > 1 and (hidden < modes or bool((strength <= 0).any())):
        raise ValueError(f"hidden = {hidden}, a0 = {a0}: {modes} modes of a deep network need as many units and a0 > 0")
    generator = torch.Generator().manual_seed(seed)
    turns = [
        torch.linalg.qr(torch.randn(hidden, modes, generator=generator, dtype=torch.float64)).Q
        for _ in range(depth - 1)
    ]
    frames = [task.V, *turns, task.U]
    share = strength if depth == 1 else strength ** (1 / depth)
    return [(after * share) @ before.T for before, after in zip(frames, frames[1:], strict=False)]


def random(task: Task, depth: int, scale: float, *, hidden: int = 64, seed: int = 0) -> list[Tensor]:
    """Weights drawn independently from a normal distribution with standard deviation `scale` > 0."""
    depth, hidden = whole("depth", depth), whole("hidden", hidden)
    if real("scale", scale) <= 0:
        raise ValueError(f"scale = {scale!r} must be positive: with all weights 0 a network stays at the saddle")
    generator = torch.Generator().manual_seed(seed)
    widths = [task.x.shape[1], *[hidden] * (depth - 1), task.y.shape[1]]
    return [
        scale * torch.randn(n, m, generator=generator, dtype=torch.float64)
        for m, n in zip(widths, widths[1:], strict=False)
    ]


def strengths(task: Task, weights: Sequence[Tensor]) -> Tensor:
    """The strength u_k^T W v_k of every mode; shape (modes,)."""
    return torch.einsum("ik,ij,jk->k", task.U, _product(weights), task.V)


def train(task: Task, weights: Sequence[Tensor], times, eta: float) -> np.ndarray:
    """Mode strengths at each of `times` under gradient descent with step `eta`; shape (len(times), modes).

    Raises ValueError for a step with eta lambda_max > 2 at the minimum with balanced layers.
    """
    minimum = aligned(task, len(weights), (task.s / task.lam).numpy(), hidden=max(len(weights[0]), len(task.s)))
    x, y = task.rotated()
    check_step(eta, sharpness(_loss(task), minimum, x, y))
    record = lambda w: strengths(task, w)  # noqa: E731
    return descend(_loss(task), weights, times, GradientDescent(eta), data=(x, y), record=record)


def flow(task: Task, weights: Sequence[Tensor], times, rtol: float = 1e-9) -> np.ndarray:
    """Mode strengths at each of `times` under gradient flow; shape (len(times), modes)."""
    smallest = min(float(w.abs().mean()) for w in weights)
    by = GradientFlow(rtol, rtol * smallest)
    return descend(_loss(task), weights, times, by, data=task.rotated(), record=lambda w: strengths(task, w))


def escape_time(task: Task, weights: Sequence[Tensor], level: float, rtol: float = 1e-9) -> float:
    """The time, under gradient flow, when the network's agreement with its task, sum_k s_k a_k, passes `level`.

    From small weights the flow waits long, then hurries: it is followed in stretches, the last one twice.
    ValueError for a layer of zeros, and unless 0 < level < sum_k s_k^2 / lam over the strongest modes, as many as
    the narrowest layer has units.
    """
    if still := [k for k, w in enumerate(weights) if not bool(w.any())]:
        raise ValueError(f"weights[{still[0]}] are all 0: there is no scale to follow them at, nor perhaps an escape")
    modes = min(min(w.shape) for w in weights)
    most = float((task.s[:modes] ** 2).sum()) / task.lam
    if not 0 < real("level", level) < most:
        raise ValueError(f"level = {level!r} must lie between 0 and {most:.6g}, which {modes} units reach in the end")

    def follow(start, times):
        by = GradientFlow(rtol, rtol * min(float(w.abs().mean()) for w in start))
        flat = descend(_loss(task), start, times, by, data=task.rotated(), record=_row)
        path = [_layers(row, weights) for row in torch.from_numpy(flat)]
        return path, np.array([float((task.s * strengths(task, w)).sum()) for w in path])

    begun, span, start = 0.0, 1 / float(task.s[0]), list(weights)
    while True:
        times = np.linspace(0, span, 41)
        path, agreement = follow(start, times)
        if agreement[-1] > level:
            break
        begun, start = begun + span, path[-1]
        span = max(span, begun / 5)
    k = int(np.argmax(agreement > level))
    before, after = max(k - 2, 0), min(k + 1, 40)
    fine = np.linspace(0, times[after] - times[before], 61)
    return begun + times[before] + crossing(fine, follow(path[before], fine)[1], level)


def _row(weights: Sequence[Tensor]) -> Tensor:
    """All weights in one row."""
    return torch.cat([w.reshape(-1) for w in weights])


def _layers(row: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Weights from their row, in the shapes of others."""
    parts = row.split([w.numel() for w in like])
    return [part.reshape(w.shape).clone() for part, w in zip(parts, like, strict=True)]


def printed_train(task: Task, weights: Sequence[Tensor], times, eta: float) -> np.ndarray:
    """The same for the loss as the slides print it, summed over examples and without 1/2."""

    def loss(weights, x, y):
        return ((y - x @ _product(weights).T) ** 2).sum()

    by = GradientDescent(eta)
    return descend(loss, weights, times, by, data=task.rotated(), record=lambda w: strengths(task, w))


def _loss(task: Task):
    def loss(weights, x, y):
        return ((y - x @ _product(weights).T) ** 2).sum() / (2 * task.examples)

    return loss


def _product(weights: Sequence[Tensor]) -> Tensor:
    """W_D ... W_1."""
    total = weights[0]
    for w in weights[1:]:
        total = w @ total
    return total


def _whitened(lam: float) -> tuple[np.ndarray, np.ndarray]:
    lam = positive("lam", lam)
    images = load_digits().data / 16
    images = images - images.mean(0)
    left, size, _ = np.linalg.svd(images, full_matrices=False)
    varies = size > size[0] * len(images) * np.finfo(float).eps
    return math.sqrt(lam * len(images)) * left[:, varies], images


def _task(x: np.ndarray, y: np.ndarray, lam: float) -> Task:
    U, s, Vt = np.linalg.svd(y.T @ x / len(x), full_matrices=False)
    present = s > s[0] * max(y.shape) * np.finfo(float).eps
    arrays = (x, y, U[:, present], s[present], Vt[present].T.copy())
    inputs, targets, left, strength, right = (torch.from_numpy(array) for array in arrays)
    return Task(inputs, targets, lam, left, strength, right)
