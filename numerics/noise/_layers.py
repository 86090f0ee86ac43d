"""Deeper networks with noise before any of their layers, and what each layer does."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from numerics.checks import whole
from numerics.noise._activity import DEAD
from numerics.noise._network import check_rows
from numerics.noise._training import Network


def undisturbed(k: int, h: Tensor) -> Tensor:
    """What layer k reads where there is no noise."""
    return h


@dataclass(frozen=True)
class Perceptron:
    """Layers h -> relu(W h + b), the last one without relu: weights W1, b1, W2, b2, ...; leading axes are networks."""

    weights: tuple[Tensor, ...]

    def __post_init__(self):
        if len(self.weights) < 4 or len(self.weights) % 2:
            raise ValueError(f"weights are {len(self.weights)} tensors; two layers or more have W and b each")
        for k, (W, b) in enumerate(self.layers):
            width = self.layers[k - 1][0].shape[-2] if k else W.shape[-1]
            if W.shape[-1] != width or b.shape != W.shape[:-1] or W.shape[:-2] != self.networks:
                raise ValueError(f"layer {k + 1}: W {tuple(W.shape)} and b {tuple(b.shape)} do not fit {width} inputs")

    @property
    def networks(self) -> torch.Size:
        """How many networks there are, along each leading axis."""
        return self.weights[0].shape[:-2]

    @property
    def depth(self) -> int:
        """How many layers noise can stand before."""
        return len(self.layers)

    def check(self, x: Tensor) -> None:
        """Refuse data that these networks cannot read."""
        check_rows(x, self.weights[0], self.weights[0].shape[-1])

    @property
    def names(self) -> tuple[str, ...]:
        """What the weights are called."""
        return tuple(f"{kind}{k + 1}" for k in range(len(self.weights) // 2) for kind in "Wb")

    @property
    def layers(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """W and b of each layer."""
        return tuple(zip(self.weights[::2], self.weights[1::2], strict=True))

    def with_weights(self, weights) -> Perceptron:
        """The same network with other weights."""
        return Perceptron(tuple(weights))

    def hidden(self, x: Tensor, disturb: Callable[[int, Tensor], Tensor] = undisturbed) -> list[Tensor]:
        """The activity of every layer, the output last; `disturb` maps layer number and input to what it reads."""
        found = []
        for k, (W, b) in enumerate(self.layers):
            x = disturb(k, x) @ W.mT + b[..., None, :]
            x = x if k == len(self.layers) - 1 else torch.relu(x)
            found.append(x)
        return found

    def __call__(self, x: Tensor) -> Tensor:
        """The output for rows of x, shape (..., B, o)."""
        return self.hidden(x)[-1]


def perceptron(*widths: int, seed: int, networks: tuple[int, ...] = (), dtype: torch.dtype = torch.float64):
    """Weights and biases uniform within +-1/sqrt(fan in), as torch.nn.Linear draws them; widths from in- to output."""
    if len(widths) < 3:
        raise ValueError(f"widths = {widths} must be three or more: inputs, hidden units, outputs")
    sizes = [whole("widths", n) for n in widths]
    generator = torch.Generator().manual_seed(whole("seed", seed, least=0))
    draw = lambda n, *shape: uniform(*networks, *shape, fan_in=n, generator=generator, dtype=dtype)  # noqa: E731
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return Perceptron(tuple(w for n, m in pairs for w in (draw(n, m, n), draw(n, m))))


def uniform(*shape: int, fan_in: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """Numbers uniform within +-1/sqrt(fan in); they are the same in either precision."""
    values = 2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1
    return (values / math.sqrt(fan_in)).to(dtype)


class Layered(Network, Protocol):
    """A network of several layers, which tells what each of them does."""

    @property
    def depth(self) -> int:
        """How many layers noise can stand before."""

    def hidden(self, x: Tensor, disturb: Callable[[int, Tensor], Tensor]) -> list[Tensor]:
        """The activity of every layer, shape (..., B, units) or (..., B, places, units), the output last.

        `disturb` maps the number of a layer and its input, shape (..., rows, n), to what the layer reads.
        """


@dataclass(frozen=True)
class Disturbed:
    """The cost of what a network makes of its input with noise before some of its layers, counted from 0."""

    noise: Callable
    cost: Callable[[Tensor, Tensor], Tensor]
    before: tuple[int, ...] = (0,)

    def __post_init__(self):
        if not self.before:
            raise ValueError(f"before = {self.before!r} must name a layer that noise stands before")
        for k in self.before:
            whole("before", k, least=0)

    def __call__(self, network: Layered, x, target, strength, generator):
        """The mean cost over rows, and over places where the output has them."""
        if max(self.before) >= network.depth:
            raise ValueError(f"before = {self.before}: the network has {network.depth} layers")
        disturb = lambda k, h: self.noise(h, strength, generator) if k in self.before else h  # noqa: E731
        return self.cost(network.hidden(x, disturb)[-1], target).flatten(len(network.networks)).mean(-1)


class LayerActivity(NamedTuple):
    """Fractions, shape (..., hidden layers): of (datum, unit) that are on, and of units that are never on."""

    active: Tensor
    dead: Tensor


@torch.no_grad()
def layer_activity(network: Layered, x: Tensor) -> LayerActivity:
    """How much of each hidden layer is on, without noise, for rows of x; a unit may be on at several places."""
    active, dead = [], []
    for h in network.hidden(x.expand(*network.networks, *x.shape), undisturbed)[:-1]:
        each = h.flatten(len(network.networks), -2)
        active.append((each > 0).float().mean((-1, -2)))
        dead.append((each.sum(-2) < DEAD).float().mean(-1))
    return LayerActivity(torch.stack(active, -1), torch.stack(dead, -1))


@torch.no_grad()
def mean_cost(network, x: Tensor, target: Tensor, cost: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The mean cost of each network without noise, over rows, and over places where the output has them."""
    side_by_side = (v.expand(*network.networks, *v.shape) for v in (x, target))
    return cost(network(next(side_by_side)), next(side_by_side)).flatten(len(network.networks)).mean(-1)


@torch.no_grad()
def accuracy(network, x: Tensor, target: Tensor) -> Tensor:
    """The fraction of rows, and of places where the output has them, whose largest output is at the target."""
    output = network(x.expand(*network.networks, *x.shape))
    return (output.argmax(-1) == target).flatten(len(network.networks)).double().mean(-1)
