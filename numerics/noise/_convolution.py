"""A small convolutional network: two layers of filters that move by two pixels, and two dense layers on top."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from numerics.checks import whole
from numerics.noise._layers import undisturbed, uniform
from numerics.noise._network import check_rows

FILTER = 3  # pixels along each side of a filter; at the rim it reads zeros


@dataclass(frozen=True)
class Convolutional:
    """Filters K1, K2 with biases b1, b2, then W3, b3 and the output W4, b4: ReLU after all but the last.

    K1 (..., c, 1, 3, 3) reads images of `side` x `side` pixels, given as rows; K2 (..., d, c, 3, 3) what it finds.
    Each filter moves by two pixels, so that every layer has half the places of the one below along each side, and is
    one unit at many places.  Leading axes are networks.
    """

    weights: tuple[Tensor, ...]
    side: int

    def __post_init__(self):
        whole("side", self.side, least=2)
        if len(self.weights) != 8:
            raise ValueError(f"weights are {len(self.weights)} tensors; they must be K1, b1, K2, b2, W3, b3, W4, b4")
        K1, _, K2, _, W3, _, W4, _ = self.weights
        reads = dict(K1=(1, FILTER, FILTER), K2=(K1.shape[-4], FILTER, FILTER), W3=(K2.shape[-4] * self.places[1],))
        for name, W, b in zip(("K1", "K2", "W3", "W4"), self.weights[::2], self.weights[1::2], strict=True):
            inputs = reads.get(name, (W3.shape[-2],))
            fits = tuple(W.shape[-len(inputs) :]) == inputs and b.shape == W.shape[: -len(inputs)]
            if not fits or b.shape[:-1] != self.networks:
                raise ValueError(f"{name} {tuple(W.shape)} and its bias {tuple(b.shape)} do not fit {inputs} inputs")

    @property
    def networks(self) -> torch.Size:
        """How many networks there are, along each leading axis."""
        return self.weights[0].shape[:-4]

    @property
    def places(self) -> tuple[int, int]:
        """How many places the filters of each layer have."""
        return tuple(sides(self.side)[k] ** 2 for k in (1, 2))  # type: ignore[return-value]

    @property
    def depth(self) -> int:
        """How many layers noise can stand before."""
        return 4

    @property
    def names(self) -> tuple[str, ...]:
        """What the weights are called."""
        return "K1", "b1", "K2", "b2", "W3", "b3", "W4", "b4"

    def check(self, x: Tensor) -> None:
        """Refuse data that these networks cannot read."""
        check_rows(x, self.weights[0], self.side**2)

    def with_weights(self, weights) -> Convolutional:
        """The same network with other weights."""
        return Convolutional(tuple(weights), self.side)

    def hidden(self, x: Tensor, disturb: Callable[[int, Tensor], Tensor] = undisturbed) -> list[Tensor]:
        """The activity of the filters, shape (..., B, places, units), of the dense layer, and the output last."""
        K1, b1, K2, b2, W3, b3, W4, b4 = self.weights
        found = []
        for k, (K, b) in enumerate(((K1, b1), (K2, b2))):
            h = self._filtered(disturb(k, x), K, b, sides(self.side)[k])
            found.append(h.mT)
            x = h.flatten(-2)
        found.append(torch.relu(disturb(2, x) @ W3.mT + b3[..., None, :]))
        return [*found, disturb(3, found[-1]) @ W4.mT + b4[..., None, :]]

    def __call__(self, x: Tensor) -> Tensor:
        """The output for rows of x, shape (..., B, o)."""
        return self.hidden(x)[-1]

    def _filtered(self, x, K, b, side):
        """What the filters find in rows of x; shape (..., B, filters, places).  All networks are groups of one."""
        rows, (filters, channels), count = x.shape[-2], K.shape[-4:-2], math.prod(self.networks)
        images = x.reshape(count, rows, -1).transpose(0, 1).reshape(rows, count * channels, side, side)
        K = K.reshape(count * filters, channels, FILTER, FILTER)
        h = functional.conv2d(images, K, b.reshape(-1), stride=2, padding=FILTER // 2, groups=count)
        return torch.relu(h).reshape(rows, count, -1).transpose(0, 1).reshape(*self.networks, rows, filters, -1)


def sides(side: int) -> tuple[int, int, int]:
    """Pixels along each side of the image and of what both layers of filters make of it."""
    half = (side + 1) // 2
    return side, half, (half + 1) // 2


def convolutional(
    side: int,
    filters: tuple[int, int],
    units: int,
    outputs: int,
    *,
    seed: int,
    networks: tuple[int, ...] = (),
    dtype: torch.dtype = torch.float64,
) -> Convolutional:
    """Weights and biases uniform within +-1/sqrt(fan in), as torch.nn.Conv2d and torch.nn.Linear draw them."""
    side, units, outputs = whole("side", side, 2), whole("units", units), whole("outputs", outputs)
    first, second = (whole("filters", n) for n in filters)
    top = sides(side)[2] ** 2 * second
    shapes = ((first, 1, FILTER, FILTER), (second, first, FILTER, FILTER), (units, top), (outputs, units))
    generator = torch.Generator().manual_seed(whole("seed", seed, least=0))
    draw = lambda *shape, inputs: uniform(*networks, *shape, fan_in=inputs, generator=generator, dtype=dtype)  # noqa: E731
    drawn = [(draw(*s, inputs=math.prod(s[1:])), draw(s[0], inputs=math.prod(s[1:]))) for s in shapes]
    return Convolutional(tuple(w for pair in drawn for w in pair), side)
