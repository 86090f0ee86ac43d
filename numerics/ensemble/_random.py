"""Counter-based noise: every number is a function of a network's seed, the step, the parameter and the stream.

Words come from Threefry 4x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
1, 2, 3", SC11), normal numbers from pairs of them by Box and Muller: u = (w + 1/2) 2^-32 of the first gives the
radius sqrt(-2 ln u), at most 6.76, and the second the angle 2 pi w' 2^-32 - pi/4.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

UPDATES, LABELS, PERTURBATIONS, START = range(4)  # streams; the first three are the kernel's too
TURNS = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))
PARITY = 0x1BD11BDA


def normal(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Standard normal numbers, float64, shape (steps, networks, count); `seeds` are pairs of words."""
    words = _words(seeds, count, steps, stream)
    radius = torch.sqrt(-2 * torch.log(_fraction(words[0::2])))
    angle = words[1::2].double() * (2 * math.pi * 2**-32) - math.pi / 4
    return _in_order(torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1), count)


def uniform(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Uniform numbers of mean 0 and variance 1, float64, shape (steps, networks, count)."""
    return _in_order((_fraction(_words(seeds, count, steps, stream)) - 0.5) * math.sqrt(12), count)


def _in_order(numbers: Tensor, count: int) -> Tensor:
    """(..., steps, networks, calls) -> (steps, networks, count): four numbers from each call."""
    four = numbers.reshape(4, *numbers.shape[-3:])
    return four.permute(1, 2, 3, 0).flatten(2)[..., :count]


def _fraction(words: Tensor) -> Tensor:
    """(w + 1/2) 2^-32 of unsigned words w, which torch holds as signed ones."""
    return ((words ^ -(2**31)).double() + (2**31 + 0.5)) * 2**-32


def _words(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Random words, shape (4, steps, networks, calls)."""
    of_steps = lambda shift: seeds.new_tensor([_signed(step >> shift) for step in steps])[:, None, None]  # noqa: E731
    calls = torch.arange(-(-count // 4), dtype=torch.int32, device=seeds.device)
    key = [seeds[:, :1], seeds[:, 1:], seeds.new_full((1, 1), stream), seeds.new_zeros(1, 1)]
    key.append(key[0] ^ key[1] ^ key[2] ^ PARITY)
    x = seeds.new_empty(4, len(steps), len(seeds), len(calls))
    counter = [calls, of_steps(0), of_steps(32), torch.zeros_like(calls)]
    for i in range(4):
        x[i] = key[i] + counter[i]
    for turn in range(20):
        y, z = (x[3], x[1]) if turn % 2 else (x[1], x[3])
        for total, other, by in ((x[0], y, TURNS[turn % 8][0]), (x[2], z, TURNS[turn % 8][1])):
            total += other
            torch.bitwise_or(other << by, (other >> (32 - by)) & ((1 << by) - 1), out=other)
            other ^= total
        if turn % 4 == 3:
            n = turn // 4 + 1
            for i in range(4):
                x[i] += key[(n + i) % 5] + (n if i == 3 else 0)
    return x


def _signed(word: int) -> int:
    """The low 32 bits, as torch holds them."""
    return (word + 2**31) % 2**32 - 2**31
