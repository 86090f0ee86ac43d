"""The coordinate check: how much a few updates change weights, rates and outputs of a network of a given width."""

from __future__ import annotations

from typing import NamedTuple

import torch

from numerics.checks import positive, whole
from numerics.rnn._bptt import gradient, unroll
from numerics.rnn._training import Update
from numerics.rnn._values import Parameterisation, Weights, initial

LENGTH, TRIALS, INPUTS, OUTPUTS = 8, 2, 3, 1
MANY = 128  # outputs over which the first output is averaged; only the first of them are trained


class Changes(NamedTuple):
    """Of effective recurrent weights (Frobenius), rates and outputs (root mean square); and the first outputs."""

    weights: float
    rates: float
    outputs: float
    first: float


def coordinate_check(network: Parameterisation, by, *, seed: int, steps: int = 3, size: float = 0.2) -> Changes:
    """Changes after a few updates of the recurrent weights towards random targets; the seed is of the start.

    The others stay: each change is then a single power of the width, not a sum of several.  First outputs count as 0:
    the targets are added to them.  Trials are two sequences of 8 normal numbers of this size, the same for
    every network; small ones keep standard networks of any width where tanh is nearly linear.
    """
    draw = torch.Generator().manual_seed(0)
    numbers = lambda *shape: torch.randn(shape, generator=draw, dtype=torch.float64)  # noqa: E731
    x, wanted = positive("size", size) * numbers(LENGTH, TRIALS, INPUTS), numbers(LENGTH, TRIALS, OUTPUTS)
    start = initial(network, INPUTS, MANY, [seed])
    rates, many = unroll(network, start, x)
    first, weights = many[..., :OUTPUTS], start._replace(w=start.w[:, :OUTPUTS], c=start.c[:, :OUTPUTS])
    learning = Update(by, network, weights)
    for _ in range(whole("steps", steps)):
        moved = Weights(*(part.clone() for part in weights))
        learning(moved, gradient(network, weights, x, wanted + first[0], torch.ones_like(wanted))[1])
        weights = weights._replace(J=moved.J)
    after, last = unroll(network, weights, x)
    rms = lambda values: float(values.square().mean().sqrt())  # noqa: E731
    change = network.recurrent_scale * float((weights.J - start.J).norm())
    return Changes(change, rms(after - rates), rms(last - first), rms(many))
