"""Forward through time and back, for E networks one after the other, gradients written by hand.

Only what depends on the step before it is done step by step, in place.  Inputs, readouts and the sums of outer products
that make gradients of weights are one product each, over all times.  Products of stacks of networks would be no faster
for 64 units and more, and their rounding depends on how many networks are in a stack.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from numerics.rnn._values import Parameterisation, Weights


def unroll(network: Parameterisation, weights: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """Rates and outputs along trials x of shape (T, trials, inputs).

    Returns shapes (E, T, trials, n) and (E, T, trials, outputs).
    """
    rates, outputs = zip(*(_unroll(network, one, x) for one in _each(weights)), strict=True)
    return torch.cat(rates), torch.cat(outputs)


def _each(weights: Weights) -> Iterator[Weights]:
    """Networks one by one, each a stack of its own."""
    for k in range(len(weights.J)):
        yield Weights(*(part[k : k + 1] for part in weights))


def _unroll(network: Parameterisation, weights: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    (T, trials, inputs), (E, n, _), tau = x.shape, weights.J.shape, network.tau
    A, U = (tau * network.recurrent_scale * weights.J).mT, (tau * weights.U).mT
    steps = x.reshape(1, T * trials, inputs).expand(E, -1, -1)
    rates = torch.baddbmm(tau * weights.b[:, None], steps, U).view(E, T, trials, n)  # what drives them, to begin with
    z = rates.new_zeros(E, trials, n)
    for t in range(T):
        now = rates[:, t]
        if t:
            now.baddbmm_(rates[:, t - 1], A)
        if tau != 1:
            now.add_(z, alpha=1 - tau)
            z = now.clone()
        now.tanh_()
    C = (weights.w * network.readout_scale).mT
    return rates, torch.baddbmm(weights.c[:, None], rates.view(E, T * trials, n), C).view(E, T, trials, -1)


def loss(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of every network where mask, (T, trials, outputs) of 0 and 1, is 1; shape (E,)."""
    _, outputs = unroll(network, weights, x)
    return (mask * (outputs - y) ** 2).sum((1, 2, 3)) / mask.sum()


def gradient(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    """The loss of every network, shape (E,), and its gradient in the parameters."""
    values, slopes = zip(*(_gradient(network, one, x, y, mask) for one in _each(weights)), strict=True)
    return torch.cat(values), Weights(*(torch.cat(parts) for parts in zip(*slopes, strict=True)))


def _gradient(network, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    rates, outputs = _unroll(network, weights, x)
    E, T, trials, n = rates.shape
    rows = lambda values: values.reshape(E, T * trials, -1)  # noqa: E731
    error = mask * (outputs - y)
    value = (error * (outputs - y)).sum((1, 2, 3)) / mask.sum()
    error *= 2 / mask.sum()
    tau, scale = network.tau, network.recurrent_scale
    A, slope = tau * scale * weights.J, 1 - rates * rates
    delta = torch.bmm(rows(error), weights.w * network.readout_scale).view_as(rates)
    for t in range(T - 1, -1, -1):
        now = delta[:, t]
        if t < T - 1:
            now.baddbmm_(delta[:, t + 1], A)
        now *= slope[:, t]
        if tau != 1 and t < T - 1:
            now.add_(delta[:, t + 1], alpha=1 - tau)
    pushed, seen = rows(delta), rows(rates)
    return value, Weights(
        J=torch.bmm(pushed[:, trials:].mT, seen[:, : (T - 1) * trials]) * (tau * scale),
        U=torch.matmul(pushed.mT, rows(x.expand(E, -1, -1, -1))) * tau,
        b=tau * pushed.sum(1),
        w=torch.bmm(rows(error).mT, seen) * network.readout_scale,
        c=rows(error).sum(1),
    )
