"""What a network may be trained on: the sampled noisy loss, the exact one, and what others have proposed.

An objective maps (network, rows x, targets, strength of the noise, generator) to the loss of each network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.checks import whole
from numerics.marginalised import Terms, marginalised_loss, marginalised_terms
from numerics.noise._network import Autoencoder, Gaussian, none_negative, squared_error


@dataclass(frozen=True)
class Sampled:
    """The loss of what the network makes of x + noise, averaged over `draws` of the noise for each row.

    l1: so many times the sum of all activities, averaged over rows, is added (sparse coding); a number, or one for
    each network.
    """

    noise: Callable
    cost: Callable[[Tensor, Tensor], Tensor] = squared_error
    draws: int = 1
    l1: float | Tensor = 0.0

    def __post_init__(self):
        whole("draws", self.draws)
        none_negative("l1", self.l1)

    def __call__(self, network: Autoencoder, x, target, strength, generator):
        """The mean cost over rows and draws."""
        if self.draws > 1:
            x, target = (torch.cat([v] * self.draws, dim=network.W_e.ndim - 2) for v in (x, target))
        h = network.activation(network.preactivation(self.noise(x, strength, generator)))
        output = h @ network.W_d.mT + network.b_d[..., None, :]
        loss = self.cost(output, target).mean(-1)
        return loss if isinstance(self.l1, float) and not self.l1 else loss + self.l1 * h.abs().sum(-1).mean(-1)


def unit_norm(network: Autoencoder) -> Autoencoder:
    """The network with every unit's outgoing weights scaled to length 1; those of length 0 stay."""
    length = torch.linalg.vector_norm(network.W_d, dim=-2, keepdim=True)
    return network.with_weights(
        [network.W_e, network.b_e, network.W_d / torch.where(length > 0, length, 1), network.b_d]
    )


@dataclass(frozen=True)
class UnitNorm:
    """Another objective, of the network with outgoing weights of length 1: a penalty cannot shrink h and grow W_d."""

    objective: Callable

    def __call__(self, network: Autoencoder, x, target, strength, generator):
        """What the other objective makes of it."""
        return self.objective(unit_norm(network), x, target, strength, generator)


NOISELESS = Sampled(Gaussian(0.0))


@dataclass(frozen=True)
class Marginalised:
    """The exact expectation of the loss under Gaussian noise: nothing is sampled (ReLU, squared error)."""

    sigma: float
    error: float = 1e-9

    def __call__(self, network: Autoencoder, x, target, strength, generator):
        """The expected loss."""
        return marginalised_loss(x, *network.weights, strength * self.sigma, target=target, error=self.error)


@dataclass(frozen=True)
class Part:
    """A part of the exact loss: `keep` adds up what it wants of the four terms; `error` bounds each covariance's."""

    sigma: float
    keep: Callable[[Terms], Tensor]
    error: float = 1e-9

    def __call__(self, network: Autoencoder, x, target, strength, generator):
        """What is kept."""
        terms = marginalised_terms(x, *network.weights, strength * self.sigma, target=target, error=self.error)
        return self.keep(terms)


@dataclass(frozen=True)
class JacobianPenalty:
    """|target - y|^2 + sigma^2 |dy/dx|^2, the Taylor expansion of the noisy loss (ReLU)."""

    sigma: float

    def __call__(self, network: Autoencoder, x, target, strength, generator):
        """Clean loss and penalty."""
        slope = (network.preactivation(x) > 0).to(x.dtype)
        encoders, decoders = network.W_e @ network.W_e.mT, network.W_d.mT @ network.W_d
        penalty = ((slope @ (encoders * decoders)) * slope).sum(-1).mean(-1)
        clean = squared_error(network(x), target).mean(-1)
        return clean + (strength * self.sigma) ** 2 * penalty
