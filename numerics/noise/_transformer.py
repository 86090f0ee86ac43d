"""A small transformer language model, with noise in front of its perceptrons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from numerics.checks import whole
from numerics.noise._layers import undisturbed, uniform


class Block(NamedTuple):
    """x += W_o attention(W_qkv norm(x) + b_qkv) + b_o, then x += W2 relu(W1 norm(x) + b1) + b2; norms have gain, shift.

    Queries, keys and values are stacked in W_qkv (..., 3d, d), as torch.nn.MultiheadAttention stacks them.
    """

    gain1: Tensor
    shift1: Tensor
    W_qkv: Tensor
    b_qkv: Tensor
    W_o: Tensor
    b_o: Tensor
    gain2: Tensor
    shift2: Tensor
    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor


@dataclass(frozen=True)
class Transformer:
    """Tokens in, the logarithm of their successors' odds out: each place sees itself and those before it.

    weights: the tokens' vectors E (..., V, d), the places' P (..., T, d), twelve for each `Block`, gain and shift of
    the last norm, and the outputs' vectors U (..., V, d).  Leading axes are networks.
    """

    weights: tuple[Tensor, ...]
    heads: int

    def __post_init__(self):
        whole("heads", self.heads)
        if len(self.weights) < 17 or (len(self.weights) - 5) % len(Block._fields):
            raise ValueError(f"weights are {len(self.weights)} tensors; they must be 5 and 12 for each block")
        d, V, m = self.weights[0].shape[-1], self.weights[0].shape[-2], self.blocks[0].W1.shape[-2]
        if d % self.heads:
            raise ValueError(f"heads = {self.heads} do not divide the {d} numbers of a token")
        each = ((d,), (d,), (3 * d, d), (3 * d,), (d, d), (d,), (d,), (d,), (m, d), (m,), (d, m), (d,))
        wanted = [(V, d), (self.context, d), *each * self.depth, (d,), (d,), (V, d)]
        for name, W, shape in zip(self.names, self.weights, wanted, strict=True):
            if tuple(W.shape) != (*self.networks, *shape):
                raise ValueError(f"{name} has shape {tuple(W.shape)}; it must be {(*self.networks, *shape)}")

    @property
    def networks(self) -> torch.Size:
        """How many networks there are, along each leading axis."""
        return self.weights[0].shape[:-2]

    @property
    def context(self) -> int:
        """How many places there are."""
        return self.weights[1].shape[-2]

    @property
    def depth(self) -> int:
        """How many blocks there are; noise can stand before the perceptron of each."""
        return (len(self.weights) - 5) // len(Block._fields)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The weights of each block."""
        n = len(Block._fields)
        return tuple(Block(*self.weights[2 + n * k : 2 + n * (k + 1)]) for k in range(self.depth))

    @property
    def names(self) -> tuple[str, ...]:
        """What the weights are called."""
        inner = [f"{name} of block {k + 1}" for k in range(self.depth) for name in Block._fields]
        return "E", "P", *inner, "gain", "shift", "U"

    def with_weights(self, weights) -> Transformer:
        """The same network with other weights."""
        return Transformer(tuple(weights), self.heads)

    def check(self, x: Tensor) -> None:
        """Refuse data that these networks cannot read."""
        if x.ndim != 2 or x.shape[1] > self.context or x.dtype != torch.int64:
            raise ValueError(f"x is {x.dtype} {tuple(x.shape)}; it must be int64 rows of up to {self.context} tokens")
        if not 0 <= int(x.min()) <= int(x.max()) < self.weights[0].shape[-2]:
            raise ValueError(f"x has tokens {int(x.min())} to {int(x.max())}; there are {self.weights[0].shape[-2]}")

    def hidden(self, x: Tensor, disturb: Callable[[int, Tensor], Tensor] = undisturbed) -> list[Tensor]:
        """The activity of each block's perceptron, shape (..., B, T, m), and the output (..., B, T, V) last."""
        E, P, *_, gain, shift, U = self.weights
        spread = lambda h: h.unflatten(-2, x.shape[-2:])  # noqa: E731
        h = (_rows_of(E, x) + P[..., None, : x.shape[-1], :]).flatten(-3, -2)
        found = []
        for k, block in enumerate(self.blocks):
            h = h + self._attention(block, _normed(h, block.gain1, block.shift1), x.shape[-2:])
            read = disturb(k, _normed(h, block.gain2, block.shift2))
            units = torch.relu(read @ block.W1.mT + block.b1[..., None, :])
            h = h + units @ block.W2.mT + block.b2[..., None, :]
            found.append(spread(units))
        return [*found, spread(_normed(h, gain, shift) @ U.mT)]

    def __call__(self, x: Tensor) -> Tensor:
        """The output at every place of rows of tokens, shape (..., B, T, V)."""
        return self.hidden(x)[-1]

    def _attention(self, block, h, rows_and_places):
        """What attention adds at every place."""
        parts = (h @ block.W_qkv.mT + block.b_qkv[..., None, :]).unflatten(-2, rows_and_places)
        q, k, v = parts.unflatten(-1, (3, self.heads, -1)).movedim(-3, 0).transpose(-2, -3)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return seen.transpose(-2, -3).flatten(-2).flatten(-3, -2) @ block.W_o.mT + block.b_o[..., None, :]


def _normed(h, gain, shift):
    """Mean 0 and variance 1 over each row, then gain and shift."""
    return functional.layer_norm(h, h.shape[-1:]) * gain[..., None, :] + shift[..., None, :]


def _rows_of(E, x):
    """The row of each network's E that its tokens name."""
    V = E.shape[-2]
    first = torch.arange(math.prod(E.shape[:-2]), device=x.device).reshape(*E.shape[:-2], 1, 1) * V
    return functional.embedding(x + first, E.reshape(-1, E.shape[-1]))


def transformer(
    tokens: int,
    context: int,
    width: int,
    units: int,
    blocks: int,
    heads: int,
    *,
    seed: int,
    networks: tuple[int, ...] = (),
    dtype: torch.dtype = torch.float64,
) -> Transformer:
    """Gains 1, shifts 0, all other weights uniform within +-1/sqrt(fan in); a token's vector has `width` numbers."""
    V, T, d, m = (whole(name, n) for name, n in dict(tokens=tokens, context=context, width=width, units=units).items())
    generator = torch.Generator().manual_seed(whole("seed", seed, least=0))
    draw = lambda n, *shape: uniform(*networks, *shape, fan_in=n, generator=generator, dtype=dtype)  # noqa: E731
    norm = lambda: (torch.ones(*networks, d, dtype=dtype), torch.zeros(*networks, d, dtype=dtype))  # noqa: E731
    weights = [draw(d, V, d), draw(d, T, d)]
    for _ in range(whole("blocks", blocks)):
        weights += [*norm(), draw(d, 3 * d, d), draw(d, 3 * d), draw(d, d, d), draw(d, d)]
        weights += [*norm(), draw(d, m, d), draw(d, m), draw(m, d, m), draw(m, d)]
    return Transformer((*weights, *norm(), draw(d, V, d)), heads)
