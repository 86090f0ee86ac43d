"""How sparse a network is, as the sources of the field count it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from numerics.noise._network import Autoencoder

DEAD = 1e-5  # a unit whose |activity|, summed over the data, is below this counts as dead


class Activity(NamedTuple):
    """Fractions, one for each network.

    active: of (datum, unit) with h > 0 while the noise is on, as published figures count.
    clean: the same without noise.
    dead: of units whose |activity| with noise, summed over the data, stays below 1e-5.
    """

    active: Tensor
    clean: Tensor
    dead: Tensor


@torch.no_grad()
def activity(network: Autoencoder, x: Tensor, noise, *, seed: int) -> Activity:
    """The activity on all rows of x, shape (P, n), with one draw of the noise for each."""
    generator = torch.Generator(x.device).manual_seed(seed)
    rows = x.expand(*network.W_e.shape[:-2], *x.shape)
    noisy = network.activation(network.preactivation(noise(rows, 1.0, generator)))
    clean = network.activation(network.preactivation(rows))
    fraction = lambda on: on.to(x.dtype).mean((-1, -2))  # noqa: E731
    return Activity(fraction(noisy > 0), fraction(clean > 0), (noisy.abs().sum(-2) < DEAD).to(x.dtype).mean(-1))


@torch.no_grad()
def sampled_loss(network: Autoencoder, x: Tensor, noise, *, draws: int, seed: int) -> Tensor:
    """The noisy loss of each draw, averaged over the rows of x: `draws` independent samples, shape (draws,)."""
    generator = torch.Generator(x.device).manual_seed(seed)
    losses = [(x - network(noise(x, 1.0, generator))).square().sum(-1).mean() for _ in range(draws)]
    return torch.stack(losses)
