"""The autoencoder, its activations and the noise on its input: small values, no switches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from numerics.checks import not_negative, positive, real, whole

Activation = Callable[[Tensor], Tensor]


def reflected(z: Tensor) -> Tensor:
    """max(-z, 0): a ReLU seen in the mirror."""
    return torch.relu(-z)


def saturating(z: Tensor) -> Tensor:
    """Z between -1/2 and 1/2, constant beyond."""
    return z.clamp(-0.5, 0.5)


@dataclass(frozen=True)
class TopK:
    """ReLU on the `k` largest pre-activations, 0 on the others."""

    k: int

    def __post_init__(self):
        whole("k", self.k)

    def __call__(self, z: Tensor) -> Tensor:
        """The k largest of the last axis, rectified."""
        if self.k > z.shape[-1]:
            raise ValueError(f"k = {self.k} is more than the {z.shape[-1]} units")
        values, where = torch.relu(z).topk(self.k, dim=-1)
        return torch.zeros_like(z).scatter(-1, where, values)


@dataclass(frozen=True)
class Autoencoder:
    """y = W_d activation(W_e x + b_e) + b_d.

    W_e (..., m, n), b_e (..., m), or (..., 1) for one bias shared by all units, W_d (..., o, m), b_d (..., o);
    leading axes run over networks.
    """

    W_e: Tensor
    b_e: Tensor
    W_d: Tensor
    b_d: Tensor
    activation: Activation = torch.relu

    def __post_init__(self):
        m, o = self.W_e.shape[-2], self.W_d.shape[-2]
        networks = self.W_e.shape[:-2]
        wanted = dict(b_e=[(*networks, m), (*networks, 1)], W_d=[(*networks, o, m)], b_d=[(*networks, o)])
        for name, shapes in wanted.items():
            if tuple(getattr(self, name).shape) not in shapes:
                shape = tuple(getattr(self, name).shape)
                raise ValueError(f"{name} has shape {shape}; beside W_e {tuple(self.W_e.shape)} it must be {shapes[0]}")

    @property
    def networks(self) -> torch.Size:
        """How many networks there are, along each leading axis."""
        return self.W_e.shape[:-2]

    def check(self, x: Tensor) -> None:
        """Refuse data that these networks cannot read."""
        check_rows(x, self.W_e, self.W_e.shape[-1])

    @property
    def weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Encoder, its bias, decoder, its bias."""
        return self.W_e, self.b_e, self.W_d, self.b_d

    @property
    def names(self) -> tuple[str, ...]:
        """What the weights are called."""
        return "W_e", "b_e", "W_d", "b_d"

    def with_weights(self, weights) -> Autoencoder:
        """The same network with other weights."""
        return replace(self, **dict(zip(self.names, weights, strict=True)))

    def preactivation(self, x: Tensor) -> Tensor:
        """W_e x + b_e for rows of x, shape (..., B, m)."""
        return x @ self.W_e.mT + self.b_e[..., None, :]

    def __call__(self, x: Tensor) -> Tensor:
        """The output for rows of x, shape (..., B, o)."""
        return self.activation(self.preactivation(x)) @ self.W_d.mT + self.b_d[..., None, :]


def initial(
    inputs: int,
    units: int,
    outputs: int | None = None,
    *,
    seed: int,
    networks: tuple[int, ...] = (),
    shared_bias: bool = False,
    scale: float = 1.0,
    activation: Activation = torch.relu,
    dtype: torch.dtype = torch.float64,
    device: str = "cpu",
) -> Autoencoder:
    """Weights and biases uniform within +-1/sqrt(fan in), as torch.nn.Linear draws them; `scale` times for W_e."""
    inputs, units = whole("inputs", inputs), whole("units", units)
    outputs = inputs if outputs is None else whole("outputs", outputs)
    scale = positive("scale", scale)
    generator = torch.Generator().manual_seed(whole("seed", seed, least=0))

    def uniform(*shape, fan_in):
        values = 2 * torch.rand(*networks, *shape, generator=generator, dtype=torch.float64) - 1
        return (values / math.sqrt(fan_in)).to(device, dtype)

    return Autoencoder(
        W_e=scale * uniform(units, inputs, fan_in=inputs),
        b_e=uniform(1 if shared_bias else units, fan_in=inputs),
        W_d=uniform(outputs, units, fan_in=units),
        b_d=uniform(outputs, fan_in=units),
        activation=activation,
    )


@dataclass(frozen=True)
class Gaussian:
    """Independent normal noise; sigma is its standard deviation, a number or one for each network."""

    sigma: float | Tensor

    def __post_init__(self):
        none_negative("sigma", self.sigma)

    def __call__(self, x: Tensor, strength: float, generator: torch.Generator) -> Tensor:
        """X with noise of `strength` times the standard deviation."""
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        return x + strength * _rows(self.sigma) * noise


@dataclass(frozen=True)
class Laplace:
    """Independent Laplace noise of density exp(-|e|/scale)/(2 scale): its variance is 2 scale^2."""

    scale: float | Tensor

    def __post_init__(self):
        none_negative("scale", self.scale)

    def __call__(self, x: Tensor, strength: float, generator: torch.Generator) -> Tensor:
        """X with noise of `strength` times the scale."""
        uniform = torch.rand((2, *x.shape), generator=generator, dtype=x.dtype, device=x.device)
        first, second = -torch.log1p(-uniform)  # the difference of two exponential variables
        return x + strength * _rows(self.scale) * (first - second)


@dataclass(frozen=True)
class SaltAndPepper:
    """Each input is replaced, with `probability`, by `low` or `high`, each half of the time."""

    probability: float | Tensor
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self):
        none_negative("probability", self.probability)
        real("low", self.low), real("high", self.high)
        if bool((torch.as_tensor(self.probability) > 1).any()):
            raise ValueError(f"probability = {self.probability!r} must not be above 1")

    def __call__(self, x: Tensor, strength: float, generator: torch.Generator) -> Tensor:
        """X with `strength` times the probability of being replaced."""
        draw = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        p = strength * _rows(self.probability)
        return torch.where(draw < p / 2, self.low, torch.where(draw < p, self.high, x))


def check_rows(x: Tensor, weights: Tensor, inputs: int) -> None:
    """Refuse data that are not rows of so many inputs, of the weights' type and on their device."""
    if x.ndim != 2 or x.shape[1] != inputs:
        raise ValueError(f"x has shape {tuple(x.shape)}, but the network reads {inputs} inputs")
    if x.dtype != weights.dtype or x.device != weights.device:
        raise ValueError(f"x is {x.dtype} on {x.device}, the network {weights.dtype} on {weights.device}")


def double(values) -> Tensor:
    """Numbers, an array or a tensor as a float64 tensor."""
    return torch.as_tensor(values, dtype=torch.float64)


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """-log of the probability that the output gives to the true class, one row at a time; shape (..., B)."""
    log_probability = functional.log_softmax(output, dim=-1)
    return -log_probability.gather(-1, target[..., None]).squeeze(-1)


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    """|target - output|^2, one row at a time; shape (..., B)."""
    return (target - output).square().sum(-1)


def _rows(value):
    """One number for each network, in front of its rows."""
    return value[..., None, None] if isinstance(value, Tensor) and value.ndim else value


def none_negative(name, value) -> None:
    """Refuse a negative number, and a tensor with one."""
    if isinstance(value, Tensor):
        if not bool((torch.isfinite(value) & (value >= 0)).all()):
            raise ValueError(f"{name} = {value} must be finite and >= 0")
    else:
        not_negative(name, value)
