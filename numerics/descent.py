"""The one training loop for networks under autograd: gradient descent, SGD, gradient flow.

Weights w descend a loss L.  Time is counted so that gradient descent with step eta follows the flow
dw/dt = -dL/dw at first order: k steps take the time k eta.  At second order it follows the flow of

    L + (eta/4) |grad L|^2,

the modified loss (Barrett and Dherin, "Implicit gradient regularization", ICLR 2021).  All is float64.
Around a minimum with largest curvature c, descent contracts only if eta c <= 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor
from tqdm import tqdm

from numerics.checks import numbers_of, positive, whole

Weights = Sequence[Tensor]
Loss = Callable[..., Tensor]


class Diverged(ArithmeticError):
    """The loss left the finite numbers; the message names the step."""


@dataclass(frozen=True)
class GradientDescent:
    """Full-batch gradient descent with step `eta` > 0."""

    eta: float

    def __post_init__(self):
        positive("eta", self.eta)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent: every step draws `batch` examples, independently and with replacement."""

    eta: float
    batch: int

    def __post_init__(self):
        positive("eta", self.eta)
        whole("batch", self.batch)


@dataclass(frozen=True)
class GradientFlow:
    """The flow dw/dt = -dL/dw by the Dormand-Prince method of order 8, with its tolerances."""

    rtol: float = 1e-12
    atol: float = 1e-15

    def __post_init__(self):
        positive("rtol", self.rtol)
        positive("atol", self.atol)


def train(
    loss: Loss,
    weights: Weights,
    times,
    by: GradientDescent | SGD | GradientFlow,
    *,
    data: Sequence[Tensor] = (),
    record: Callable[[Weights], Tensor] | None = None,
    seed: int = 0,
    label: str = "training",
) -> np.ndarray:
    """Descend `loss(weights, *data)` and record along the way; shape (len(times), ...).

    Args:
        loss: weights and data -> scalar tensor.
        weights: tensors to start from; they are copied to float64 and left as they are.
        times: increasing, >= 0; for descent whole multiples of eta.
        by: the algorithm.
        data: tensors whose first axis runs over examples (what SGD draws from).
        record: weights -> tensor to keep; all weights in one row by default.
        seed: of the draws of SGD.
        label: what the progress bar says on anything over two seconds.

    Raises:
        ValueError: times out of order, negative, or not whole multiples of eta; weights that are not
            finite; data of unequal length; for gradient descent a step with eta lambda_max > 2 at the start.
        Diverged: the loss is not finite; names the step and its time.
    """
    times = increasing(times)
    start = _checked(weights, by, data)
    if isinstance(by, GradientDescent):
        check_step(by.eta, sharpness(loss, start, *data), where="at the start")
    keep = record or (lambda w: torch.cat([v.reshape(-1) for v in w]))
    if isinstance(by, GradientFlow):
        return _flow(loss, start, times, by, data, keep, label)
    return _steps(loss, start, times, by, data, keep, seed, label)


def modified(loss: Loss, eta: float) -> Loss:
    """The loss whose gradient flow gradient descent with step `eta` follows at second order."""
    positive("eta", eta)

    def with_slope(weights, *data):
        value = loss(weights, *data)
        slopes = torch.autograd.grad(value, list(weights), create_graph=True)
        return value + eta / 4 * torch.stack([(g * g).sum() for g in slopes]).sum()

    return with_slope


def sharpness(loss: Loss, weights: Weights, *data: Tensor) -> float:
    """The largest eigenvalue of the Hessian of `loss` at `weights`."""
    shapes, sizes = [w.shape for w in weights], [w.numel() for w in weights]

    def of_row(row):
        return loss([part.view(shape) for part, shape in zip(row.split(sizes), shapes, strict=True)], *data)

    row = torch.cat([w.detach().to(torch.float64).reshape(-1) for w in weights])
    if len(row) <= 256:
        return float(torch.linalg.eigvalsh(torch.func.jacrev(torch.func.grad(of_row))(row))[-1])

    pull_back = torch.func.vjp(torch.func.grad(of_row), row)[1]

    def product(v):  # the Hessian is symmetric: to pull back is to multiply by it
        return pull_back(torch.from_numpy(v.reshape(-1)))[0].numpy()

    hessian = LinearOperator((len(row),) * 2, matvec=product, dtype=float)
    three_digits = 1e-3  # enough to guard a step
    top = eigsh(hessian, 1, which="LA", v0=np.ones(len(row)), tol=three_digits, return_eigenvectors=False)
    return float(top[0])


def check_step(eta: float, curvature: float, where: str = "at the minimum") -> None:
    """Refuse a step that diverges where the largest curvature is this."""
    positive("eta", eta)
    if not eta * curvature <= 2:
        raise ValueError(
            f"eta = {eta:g} is too large: eta lambda_max = {eta * curvature:.4g} > 2, lambda_max = {curvature:.4g} "
            f"being the largest curvature {where}; gradient descent needs eta <= {2 / curvature:.4g}"
        )


def increasing(times) -> np.ndarray:
    """Times as a float64 array; ValueError unless they are finite, >= 0 and increasing."""
    array = np.atleast_1d(numbers_of("times", times))
    if array.ndim != 1 or not array.size:
        raise ValueError(f"times must be a row of numbers, got shape {array.shape}")
    if array[0] < 0:
        raise ValueError(f"times = {array[0]} is negative")
    falls = np.flatnonzero(np.diff(array) <= 0)
    if falls.size:
        i = falls[0]
        raise ValueError(f"times must increase, but times[{i + 1}] = {array[i + 1]} follows times[{i}] = {array[i]}")
    return array


def whole_steps(times: np.ndarray, eta: float) -> np.ndarray:
    """The step numbers of `times`; ValueError if a time falls between two steps."""
    steps = np.rint(times / eta)
    if steps[-1] > 2**53:
        raise ValueError(f"times = {times[-1]} takes {steps[-1]:.3g} steps of eta = {eta}")
    rounding = 8 * np.finfo(float).eps * times  # of quotients and products of what the user has rounded
    between = np.flatnonzero(np.abs(steps * eta - times) > rounding)
    if between.size:
        t = times[between[0]]
        raise ValueError(f"times = {t} is no whole multiple of eta = {eta}: it is {t / eta:.6g} steps")
    return steps.astype(int)


def _steps(loss, weights, times, by, data, keep, seed, label) -> np.ndarray:
    wanted = whole_steps(times, by.eta)
    generator = torch.Generator().manual_seed(seed)
    records, due = [], 0
    for step in tqdm(range(wanted[-1] + 1), desc=label, delay=2, leave=False):
        if step == wanted[due]:
            records.append(keep(weights).detach().clone())
            due += 1
        if step < wanted[-1]:
            batch = data
            if isinstance(by, SGD):
                rows = torch.randint(len(data[0]), (by.batch,), generator=generator)
                batch = [d[rows] for d in data]
            value, slopes = _slope(loss, weights, batch)
            if not math.isfinite(value):
                raise Diverged(
                    f"the loss is {value} at step {step}, time {step * by.eta:.6g}: eta = {by.eta} is too large"
                )
            weights = [w - by.eta * g for w, g in zip(weights, slopes, strict=True)]
    return torch.stack(records).numpy()


def _flow(loss, weights, times, by, data, keep, label) -> np.ndarray:
    shapes, sizes = [w.shape for w in weights], [w.numel() for w in weights]
    bar = tqdm(
        total=float(times[-1]) * (1 + 1e-9),  # a hair more, so that the rounding of steps never overruns it
        desc=label,
        delay=2,
        leave=False,
        bar_format="{l_bar}{bar}| t = {n:.3g} of {total:.3g}",
    )

    def apart(row):
        return [part.view(shape) for part, shape in zip(torch.from_numpy(row).split(sizes), shapes, strict=True)]

    def velocity(t, row):
        bar.update(max(0.0, min(t, bar.total) - bar.n))  # the total is rounded for the eye
        _, slopes = _slope(loss, apart(row), data)  # a trial step may overflow: the solver then takes a shorter one
        return -torch.cat([g.reshape(-1) for g in slopes]).numpy()

    row = torch.cat([w.reshape(-1) for w in weights]).numpy()
    span = (0.0, float(times[-1]))
    with bar:
        if span[1] == 0:
            return keep(apart(row)).detach().numpy()[None]
        with np.errstate(all="ignore"):
            solution = solve_ivp(velocity, span, row, method="DOP853", t_eval=times, rtol=by.rtol, atol=by.atol)
    if not solution.success:
        raise Diverged(f"the solver stopped at time {bar.n:.6g}: {solution.message}")
    return np.array([keep(apart(np.ascontiguousarray(y))).detach().numpy() for y in solution.y.T])


def _checked(weights, by, data) -> list[Tensor]:
    """Copies of the weights in float64; ValueError or TypeError for what cannot be trained."""
    if not isinstance(by, (GradientDescent, SGD, GradientFlow)):
        raise TypeError(f"by = {by!r} is no algorithm: give GradientDescent, SGD or GradientFlow")
    if not weights or not all(isinstance(w, Tensor) and not w.is_complex() for w in weights):
        raise TypeError("weights must be a sequence of real tensors, and not empty")
    if not all(bool(torch.isfinite(w).all()) for w in weights):
        raise ValueError("weights are not finite")
    if len({len(d) for d in data}) > 1 or (isinstance(by, SGD) and not data):
        raise ValueError(f"data must have one length (SGD draws from them), got {[len(d) for d in data]}")
    return [w.detach().to(torch.float64).clone() for w in weights]


def _slope(loss, weights, data):
    """The loss and its gradient at `weights`."""
    leaves = [w.detach().requires_grad_() for w in weights]
    value = loss(leaves, *data)
    return value.item(), torch.autograd.grad(value, leaves)
