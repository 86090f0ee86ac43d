"""Forward through time and back, for E networks one after the other, gradients written by hand.

The compiled kernel does it wherever there is a compiler.  Here it is in torch as well: only what depends on the step
before it is done step by step, in place; inputs, readouts and the sums of outer products that make gradients of weights
are one product each, over all times.  Products of stacks of networks would be no faster for 64 units and more, and
their rounding depends on how many networks are in a stack.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from numerics.rnn import _compiled
from numerics.rnn._values import Parameterisation, Weights


def unroll(network: Parameterisation, weights: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """Rates and outputs along trials x of shape (T, trials, inputs).

    Returns shapes (E, T, trials, n) and (E, T, trials, outputs).
    """
    rates, outputs = zip(*(_unroll(network, one, x) for one in _each(weights)), strict=True)
    return torch.stack(rates), torch.stack(outputs)


def _each(weights: Weights) -> Iterator[Weights]:
    """Networks one by one, without the axis of networks."""
    for parts in zip(*weights, strict=True):
        yield Weights(*parts)


def _unroll(network: Parameterisation, one: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    (T, trials, inputs), n, tau = x.shape, len(one.J), network.tau
    A, U = (tau * network.recurrent_scale * one.J).mT, (tau * one.U).mT
    rates = torch.addmm(tau * one.b, x.reshape(T * trials, inputs), U).view(T, trials, n)  # what drives, to begin with
    z = rates.new_zeros(trials, n)
    steps = rates.unbind()
    for t, now in enumerate(steps):
        if t:
            now.addmm_(steps[t - 1], A)
        if tau != 1:
            now.add_(z, alpha=1 - tau)
            z = now.clone()
        now.tanh_()
    C = (one.w * network.readout_scale).mT
    return rates, torch.addmm(one.c, rates.view(T * trials, n), C).view(T, trials, -1)


def loss(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of every network where mask, (T, trials, outputs) of 0 and 1, is 1; shape (E,)."""
    _, outputs = unroll(network, weights, x)
    return (mask * (outputs - y) ** 2).sum((1, 2, 3)) / mask.sum()


def gradient(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    """The loss of every network, shape (E,), and its gradient in the parameters.

    Args:
        network: Standard or MaximalUpdate.
        weights: of E networks.
        x: trials, (T, trials, inputs).
        y: targets, (T, trials, outputs).
        mask: of 0 and 1, in the shape of the targets: where they count.

    Raises ValueError: shapes or kinds of numbers do not fit, or the mask is 0 everywhere.
    """
    _check(weights, x, y, mask)
    if _compiled.library():
        return _compiled.gradient(network, weights, x, y, mask)
    return by_torch(network, weights, x, y, mask)


def by_torch(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    """The same without the kernel."""
    values, slopes = zip(*(_gradient(network, one, x, y, mask) for one in _each(weights)), strict=True)
    return torch.stack(values), Weights(*(torch.stack(parts) for parts in zip(*slopes, strict=True)))


def _gradient(network, one: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    rates, outputs = _unroll(network, one, x)
    T, trials, n = rates.shape
    rows = lambda values: values.reshape(T * trials, -1)  # noqa: E731
    error = mask * (outputs - y)
    value = (error * (outputs - y)).sum() / mask.sum()
    error *= 2 / mask.sum()
    tau, scale = network.tau, network.recurrent_scale
    A, slopes = tau * scale * one.J, (1 - rates * rates).unbind()
    delta = torch.mm(rows(error), one.w * network.readout_scale).view_as(rates)
    steps = delta.unbind()
    steps[-1].mul_(slopes[-1])
    for t in range(T - 2, -1, -1):
        steps[t].addmm_(steps[t + 1], A).mul_(slopes[t])
        if tau != 1:
            steps[t].add_(steps[t + 1], alpha=1 - tau)
    pushed, seen = rows(delta), rows(rates)
    return value, Weights(
        J=torch.mm(pushed[trials:].mT, seen[: (T - 1) * trials]) * (tau * scale),
        U=torch.mm(pushed.mT, rows(x)) * tau,
        b=tau * pushed.sum(0),
        w=torch.mm(rows(error).mT, seen) * network.readout_scale,
        c=rows(error).sum(0),
    )


def _check(weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> None:
    """What the kernel takes for granted."""
    E, outputs, n = weights.w.shape
    inputs = weights.U.shape[-1]
    fits = [part.shape == shape for part, shape in zip(
        weights, ((E, n, n), (E, n, inputs), (E, n), (E, outputs, n), (E, outputs)), strict=True)]  # fmt: skip
    if not all(fits):
        raise ValueError(f"weights of shapes {[tuple(part.shape) for part in weights]} are not those of E networks")
    if x.ndim != 3 or x.shape[2] != inputs or not y.shape == mask.shape == (*x.shape[:2], outputs):
        raise ValueError(
            f"x {tuple(x.shape)}, y {tuple(y.shape)} and mask {tuple(mask.shape)} do not fit: (T, trials, {inputs}) "
            f"and twice (T, trials, {outputs}) are needed"
        )
    if not mask.any():
        raise ValueError("mask is 0 everywhere: nothing counts")
    kinds = {part.dtype for part in (*weights, x, y, mask)}
    if kinds not in ({torch.float32}, {torch.float64}):
        raise ValueError(f"weights, x, y and mask are {kinds}: all must be float32, or all float64")
