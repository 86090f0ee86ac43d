"""Counted noise: every number is a function of a network's seed, the step, the parameter and the stream.

Threefry 4x32 with 20 rounds (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11), whose
key is the seed and the stream, and whose counter is the step and the place in it, gives the states from which
xoshiro128++ (Blackman, Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021) draws 128 words
each.  Normal numbers come from pairs of words by Box and Muller: u = (w + 1/2) 2^-32 of the first gives the radius
sqrt(-2 ln u), at most 6.76; the second, as a signed integer, the angle pi w' 2^-32, and the first of the two numbers
is reflected where w' is odd.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

UPDATES, LABELS, PERTURBATIONS, START = range(4)  # streams; the first three are the kernel's too
TURNS = ((10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20))
PARITY = 0x1BD11BDA
WORDS_OF_A_START = 128


def normal(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Standard normal numbers, float64, shape (steps, networks, count); `seeds` are pairs of words."""
    first, second = _words(seeds, count + count % 2, steps, stream).unflatten(2, (-1, 2)).unbind(3)
    radius = torch.sqrt(-2 * torch.log(_fraction(first)))
    angle = second.double() * (math.pi * 2**-32)
    mirror = 1 - 2 * (second & 1)
    return torch.stack([mirror * radius * torch.cos(angle), radius * torch.sin(angle)], dim=3).flatten(2)[..., :count]


def uniform(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Uniform numbers of mean 0 and variance 1, float64, shape (steps, networks, count)."""
    return (_fraction(_words(seeds, count, steps, stream)) - 0.5) * math.sqrt(12)


def _fraction(words: Tensor) -> Tensor:
    """(w + 1/2) 2^-32 of unsigned words w, which torch holds as signed ones."""
    return ((words ^ -(2**31)).double() + (2**31 + 0.5)) * 2**-32


def _words(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """Random words, shape (steps, networks, count)."""
    states = _threefry(seeds, -(-count // WORDS_OF_A_START), steps, stream)
    return torch.stack(_xoshiro(states, min(count, WORDS_OF_A_START)), dim=3).flatten(2)[..., :count]


def _xoshiro(x: Tensor, count: int) -> list[Tensor]:
    """The next words of xoshiro128++ from states x, of shape (4, ...)."""
    x, words = x.clone(), []
    for _ in range(count):
        words.append(_rotated(x[0] + x[3], 7) + x[0])
        shifted = x[1] << 9
        x[2] ^= x[0]
        x[3] ^= x[1]
        x[1] ^= x[2]
        x[0] ^= x[3]
        x[2] ^= shifted
        x[3] = _rotated(x[3], 11)
    return words


def _rotated(words: Tensor, by: int) -> Tensor:
    return words << by | ((words >> (32 - by)) & ((1 << by) - 1))


def _threefry(seeds: Tensor, count: int, steps: range, stream: int) -> Tensor:
    """States, shape (4, steps, networks, count)."""
    of_steps = lambda shift: seeds.new_tensor([_signed(step >> shift) for step in steps])[:, None, None]  # noqa: E731
    places = torch.arange(count, dtype=torch.int32, device=seeds.device)
    key = [seeds[:, :1], seeds[:, 1:], seeds.new_full((1, 1), stream), seeds.new_zeros(1, 1)]
    key.append(key[0] ^ key[1] ^ key[2] ^ PARITY)
    x = seeds.new_empty(4, len(steps), len(seeds), count)
    counter = [places, of_steps(0), of_steps(32), torch.zeros_like(places)]
    for i in range(4):
        x[i] = key[i] + counter[i]
    for turn in range(20):
        y, z = (x[3], x[1]) if turn % 2 else (x[1], x[3])
        for total, other, by in ((x[0], y, TURNS[turn % 8][0]), (x[2], z, TURNS[turn % 8][1])):
            total += other
            torch.bitwise_xor(_rotated(other, by), total, out=other)
        if turn % 4 == 3:
            n = turn // 4 + 1
            for i in range(4):
                x[i] += key[(n + i) % 5] + (n if i == 3 else 0)
    return x


def _signed(word: int) -> int:
    """The low 32 bits, as torch holds them."""
    return (word + 2**31) % 2**32 - 2**31
