"""What can be chosen: the parameterisation, the penalty, and what the weights are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from numerics.checks import positive, whole


class Weights(NamedTuple):
    """Parameters of E networks: J (E, n, n), U (E, n, inputs), b (E, n), w (E, outputs, n), c (E, outputs)."""

    J: Tensor
    U: Tensor
    b: Tensor
    w: Tensor
    c: Tensor


@dataclass(frozen=True)
class Standard:
    """Weights and biases uniform in +-1/sqrt(n), all with one learning rate; r_t = tanh(J r_{t-1} + U x_t + b)."""

    units: int

    def __post_init__(self):
        whole("units", self.units)

    tau = 1.0
    recurrent_scale = 1.0
    readout_scale = 1.0

    def start(self, inputs: int, outputs: int, draw: torch.Generator) -> list[Tensor]:
        """One network's parameters."""
        n, edge = self.units, self.units**-0.5
        shapes = [(n, n), (n, inputs), (n,), (outputs, n), (outputs,)]
        return [edge * (2 * torch.rand(shape, generator=draw, dtype=torch.float64) - 1) for shape in shapes]

    def rates(self, adaptive: bool) -> tuple[float, ...]:
        """Factors of the learning rate for J, U, b, w, c."""
        return (1.0,) * 5


@dataclass(frozen=True)
class MaximalUpdate:
    """The maximal-update parameterisation of width n and richness gamma, without biases.

    z_t = (1 - tau) z_{t-1} + tau (J r/n + U x),  y = w r/(gamma n);  J is normal of variance n, U and w of variance 1.
    The learning rate of every parameter is gamma eta for Adam, and gamma^2 n^2, gamma^2 n, gamma^2 n times eta for
    J, U and w under gradient descent.  Adam's epsilon breaks the scaling unless it is tiny (1e-12).
    """

    units: int
    gamma: float = 1.0
    tau: float = 1.0

    def __post_init__(self):
        whole("units", self.units)
        positive("gamma", self.gamma)
        if not 0 < positive("tau", self.tau) <= 1:
            raise ValueError(f"tau = {self.tau!r} must be in (0, 1]")

    @property
    def recurrent_scale(self) -> float:
        """A = J times this."""
        return 1 / self.units

    @property
    def readout_scale(self) -> float:
        """C = w times this."""
        return 1 / (self.gamma * self.units)

    def start(self, inputs: int, outputs: int, draw: torch.Generator) -> list[Tensor]:
        """One network's parameters."""
        n, normal = self.units, lambda *shape: torch.randn(shape, generator=draw, dtype=torch.float64)
        zero = lambda size: torch.zeros(size, dtype=torch.float64)  # noqa: E731
        return [math.sqrt(n) * normal(n, n), normal(n, inputs), zero(n), normal(outputs, n), zero(outputs)]

    def rates(self, adaptive: bool) -> tuple[float, ...]:
        """Factors of the learning rate for J, U, b, w, c."""
        n, g = self.units, self.gamma
        return (g, g, 0.0, g, 0.0) if adaptive else (g**2 * n**2, g**2 * n, 0.0, g**2 * n, 0.0)


Parameterisation = Standard | MaximalUpdate


@dataclass(frozen=True)
class L1:
    """A penalty `strength` times the sum of all |A_ij|, |U_ij| and |C_ij|, of slope 0 at 0."""

    strength: float

    def __post_init__(self):
        positive("strength", self.strength)

    def slopes(self, A: Tensor, U: Tensor, C: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Its gradient in the effective weights."""
        return self.strength * A.sign(), self.strength * U.sign(), self.strength * C.sign()


@dataclass(frozen=True)
class Nuclear:
    """A penalty `strength` times the sum of the singular values of A."""

    strength: float

    def __post_init__(self):
        positive("strength", self.strength)

    def slopes(self, A: Tensor, U: Tensor, C: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Its gradient in the effective weights, U V^T for A: one decomposition for every network."""
        polar = []
        for one in A:
            left, _, right = torch.linalg.svd(one)
            polar.append(left @ right)
        return self.strength * torch.stack(polar), torch.zeros_like(U), torch.zeros_like(C)


Penalty = L1 | Nuclear


def initial(network: Parameterisation, inputs: int, outputs: int, seeds: Sequence[int], dtype=torch.float64) -> Weights:
    """The starts of E networks, one for each seed; a network's start depends on its own seed alone."""
    each = []
    for seed in seeds:
        draw = torch.Generator().manual_seed(whole("seeds", seed, least=0))
        each.append(network.start(whole("inputs", inputs), whole("outputs", outputs), draw))
    if not each:
        raise ValueError("seeds must not be empty")
    return Weights(*(torch.stack(parts).to(dtype) for parts in zip(*each, strict=True)))
