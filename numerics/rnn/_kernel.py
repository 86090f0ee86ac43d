"""The tangent kernel of recurrent networks: inner products of the gradients of all their outputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from numerics.rnn._values import Parameterisation, Weights


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
    kernels = []
    for parts in zip(*weights, strict=True):
        one = Weights(*parts)
        chosen = {name: getattr(one, name) for name in of}
        outputs = lambda moved, one=one: _outputs(network, one._replace(**moved), x)  # noqa: E731
        slopes = torch.func.jacrev(outputs)(chosen)
        rows = torch.cat([slope.reshape(-1, chosen[name].numel()) for name, slope in slopes.items()], 1)
        kernels.append(rows @ rows.mT)
    return torch.stack(kernels)


def _outputs(network: Parameterisation, one: Weights, x: Tensor) -> Tensor:
    """All outputs of one network in a row, by operations that can be differentiated."""
    tau, A, C = network.tau, network.recurrent_scale * one.J, network.readout_scale * one.w
    z, seen = x.new_zeros(x.shape[1], len(A)), []
    for now in x:
        z = (1 - tau) * z + tau * (torch.tanh(z) @ A.mT + now @ one.U.mT + one.b)
        seen.append(torch.tanh(z) @ C.mT + one.c)
    return torch.stack(seen).ravel()
