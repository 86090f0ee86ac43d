"""Averages over the noise by brute force: quadrature of the network's own forward pass, blind to any formula."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from numerics.checks import not_negative, positive, whole
from numerics.noise._network import Autoencoder

REACH = 12.0  # standard deviations of noise that are integrated over; beyond lies 1e-32 of it


def noise_average(
    network: Autoencoder, x: Tensor, sigma: float, of: Callable[[Tensor, Tensor], Tensor], *, rtol: float = 1e-12
) -> Tensor:
    """E[of(h, x + eps)] over eps ~ N(0, sigma^2 I), for a network that reads one or two inputs.

    Args:
        network: float64; it may require gradients, which then flow through the average.
        x: one datum, shape (n,), n = 1 or 2.
        sigma: standard deviation of the noise, > 0.
        of: hidden activities (..., m) and noisy inputs (..., n) -> what to average, (...) or (..., k).
        rtol: relative accuracy; it sets the order of Gauss's rule on panels between the kinks of ReLU units.

    Raises ValueError for more than two inputs.
    """
    sigma = positive("sigma", sigma)
    if len(x) not in (1, 2):
        raise ValueError(f"x has {len(x)} inputs: quadrature is for one or two")
    nodes, weights = np.polynomial.legendre.leggauss(math.ceil(-math.log10(positive("rtol", rtol)) / 2))
    rule = torch.from_numpy(nodes), torch.from_numpy(weights)
    W, b = (v.detach() for v in (network.W_e, network.preactivation(x[None])[0]))
    if len(x) == 1:
        noise, measure = _line(-b / W[:, 0] / sigma, rule)
        points = noise[:, None]
    else:
        points, measure = _plane(W * sigma, b, rule)
    noisy = x + sigma * points
    values = of(network.activation(network.preactivation(noisy)), noisy)
    return torch.tensordot(measure, values, dims=1)


def _line(kinks, rule, width=1.0):
    """Nodes and weights for a standard normal variable, on panels that end at `kinks`, shape (..., kinks)."""
    inside = kinks.clamp(-REACH, REACH)
    steps = torch.arange(-REACH, REACH + width, width, dtype=torch.float64).expand(*inside.shape[:-1], -1)
    ends = torch.cat([inside, steps], -1).sort(-1).values
    half, middle = (ends[..., 1:] - ends[..., :-1]) / 2, (ends[..., 1:] + ends[..., :-1]) / 2
    nodes = (middle[..., None] + half[..., None] * rule[0]).flatten(-2)
    density = torch.exp(-nodes.square() / 2) / math.sqrt(2 * math.pi)
    return nodes, (half[..., None] * rule[1]).flatten(-2) * density


def _plane(W, b, rule):
    """The same in two dimensions: line by line, with the lines closest where kinks cross.

    A kink nearly along the lines would be met by all at once, and hide from the rule: they run where kinks leave room.
    """
    turn = _away(W)
    W = W @ turn
    crossings = [
        torch.linalg.solve(W[[j, k]], -b[[j, k]])[0]
        for j in range(len(W))
        for k in range(j)
        if abs(float(torch.linalg.det(W[[j, k]]))) > 0
    ]
    first, outer = _line(torch.stack(crossings) if crossings else torch.zeros(1, dtype=torch.float64), rule, 1 / 4)
    kinks = -(b + first[:, None] * W[:, 0]) / W[:, 1]
    second, inner = _line(kinks, rule, 1 / 2)
    points = torch.stack([first[:, None].expand_as(second), second], -1)
    return points.reshape(-1, 2) @ turn.T, (outer[:, None] * inner).reshape(-1)


def _away(W):
    """The rotation of the plane that takes its second axis amid the widest gap between the kinks of units."""
    along = torch.atan2(W[:, 1], W[:, 0]).remainder(math.pi).sort().values
    gaps = torch.cat([along[1:], along[:1] + math.pi]) - along
    widest = int(gaps.argmax())
    angle = along[widest] + gaps[widest] / 2
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])


def sparse_code(x: Tensor, W: Tensor, lam: float, *, steps: int, eta: float) -> Tensor:
    """The activities a >= 0 that minimise |x - W a|^2 + lam sum a, by projected gradient descent from 0.

    x (B, n), W (n, k), lam >= 0, step eta; shape (B, k).
    """
    positive("eta", eta)
    whole("steps", steps)
    not_negative("lam", lam)
    a = x.new_zeros(len(x), W.shape[1])
    for _ in range(steps):
        slope = 2 * (a @ W.T - x) @ W + lam
        a = (a - eta * slope).clamp(min=0)
    return a
