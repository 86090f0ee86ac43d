"""The tangent kernel of recurrent networks: inner products of the gradients of all their outputs.

The gradients of all outputs go back through time side by side.  What the output of step t passes to the state of step
k <= t, times the rates of step k - 1 and summed over k, is its gradient in J: for all outputs of a trial one product of
matrices, of so many units at a time as fit into AT_ONCE numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from numerics.rnn._bptt import unroll
from numerics.rnn._values import Parameterisation, Weights

AT_ONCE = 2**25


def tangent_kernel(
    network: Parameterisation, weights: Weights, x: Tensor, of: Sequence[str] = Weights._fields
) -> Tensor:
    """Gram matrices of the gradients of outputs in the parameters, of every network.

    Args:
        network: Standard or MaximalUpdate.
        weights: of E networks.
        x: trials, (T, trials, inputs).
        of: the parameters that count, by name, all with the same weight: ("J",) for the recurrent block alone.

    Returns:
        Shape (E, K, K), K = T trials outputs in this order, steps first and outputs last.

    Raises ValueError: a name is no parameter's, or none is given.
    """
    if not of or not set(of) <= set(Weights._fields):
        raise ValueError(f"of = {of!r} must be names out of {Weights._fields}")
    alone = (Weights(*(part[k : k + 1] for part in weights)) for k in range(len(weights.J)))
    return torch.stack([_kernel(network, one, x, set(of)) for one in alone])


def _kernel(network: Parameterisation, alone: Weights, x: Tensor, of: set[str]) -> Tensor:
    rates = unroll(network, alone, x)[0][0]
    passed = _passed(network, Weights(*(part[0] for part in alone)), rates)
    (T, trials, n), outputs, tau = rates.shape, passed.shape[3], network.tau
    before = torch.cat([torch.zeros_like(rates[:1]), rates[:-1]])
    seen = {"J": tau * network.recurrent_scale * before, "U": tau * x, "b": tau * torch.ones_like(x[..., :1])}
    few = max(1, AT_ONCE // (T * trials * outputs * n))
    total = x.new_zeros((T * trials * outputs,) * 2)
    for source in (seen[name] for name in ("J", "U", "b") if name in of):
        for first in range(0, n, few):
            part = passed[..., first : first + few]
            rows = torch.einsum("ktsou,ksi->tsoui", part, source).flatten(0, 2).flatten(1)
            total += rows @ rows.mT
    own = torch.zeros(T * trials, T * trials, dtype=x.dtype)  # of readouts: each output has its own
    if "w" in of:
        flat = network.readout_scale * rates.flatten(0, 1)
        own += flat @ flat.mT
    if "c" in of:
        own += 1
    return total + torch.kron(own, torch.eye(outputs, dtype=x.dtype))


def _passed(network: Parameterisation, one: Weights, rates: Tensor) -> Tensor:
    """Derivatives of every output (T, trials, outputs) in the input of every unit at step k: (k, T, ..., n)."""
    (T, trials, n), tau = rates.shape, network.tau
    A, C = tau * network.recurrent_scale * one.J, network.readout_scale * one.w
    found = rates.new_zeros(T, T, trials, len(C), n)
    for k in range(T - 1, -1, -1):
        slope = 1 - rates[k, :, None] ** 2
        if k + 1 < T:
            later = found[k + 1]
            found[k] = later @ A * slope + (1 - tau) * later
        found[k, k] = C * slope
    return found
