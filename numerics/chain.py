"""Chains of scalar weights, really trained: output w_1 ... w_D, loss (s - lam a)^2 / (2 lam).

All weights start with one size, |a0|^(1/D); below 0 the first carries the sign.  Times and steps are in units of tau.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.interpolate import krogh_interpolate

from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import GradientDescent, GradientFlow, check_step, increasing, modified, sharpness
from numerics.descent import train as descend


def train(depth: int, *, s: float, lam: float, a0: float, times, eta: float) -> np.ndarray:
    """The output at each of `times` under gradient descent with step `eta`; shape (len(times),).

    Raises ValueError for depth < 1, s, lam or a0 that no equal weights reach, a saddle to start from,
    times out of order, and a step with eta lambda_max > 2 at the minimum.
    """
    loss, weights = network(depth, s=s, lam=lam, a0=a0)
    _check_steps(loss, depth, s, lam, a0, eta)
    return descend(loss, [weights], times, GradientDescent(eta), record=_output, label=f"chain of {depth}")


def flow(depth: int, *, s: float, lam: float, a0: float, times, rtol: float = 1e-12) -> np.ndarray:
    """The output at each of `times` under gradient flow; shape (len(times),)."""
    loss, weights = network(depth, s=s, lam=lam, a0=a0)
    return descend(loss, [weights], times, GradientFlow(rtol, _absolute(rtol, a0)), record=_output)


def flow_from(weights, *, s: float, lam: float, times, rtol: float = 1e-12) -> np.ndarray:
    """The output at each of `times` under gradient flow from any weights, shape (depth,); shape (len(times),)."""
    start = torch.from_numpy(numbers_of("weights", weights))
    if start.ndim != 1 or not len(start):
        raise ValueError(f"weights must be a row of numbers, got shape {tuple(start.shape)}")
    loss, _ = network(len(start), s=s, lam=lam, a0=1.0)
    return descend(loss, [start], times, GradientFlow(rtol, _absolute(rtol, float(start.abs().min()))), record=_output)


def corrected(depth: int, *, s: float, lam: float, a0: float, times, eta: float) -> np.ndarray:
    """Gradient descent, less what the modified flow says that its step adds; shape (len(times),).

    What is left differs from gradient flow at second order in eta.
    """
    loss, weights = network(depth, s=s, lam=lam, a0=a0)
    tight = GradientFlow(1e-12, _absolute(1e-12, a0))
    flows = [descend(f, [weights], times, tight, record=_output) for f in (modified(loss, eta), loss)]
    return train(depth, s=s, lam=lam, a0=a0, times=times, eta=eta) - flows[0] + flows[1]


def half_time(depth: int, *, s: float, lam: float, a0: float, eta: float) -> float:
    """The time, under gradient descent, when the output passes s/(2 lam)."""
    af = positive("s", s) / (2 * positive("lam", lam))
    return passage_time(depth, s=s, lam=lam, a0=a0, af=af, eta=eta)


def passage_time(depth: int, *, s: float, lam: float, a0: float, af: float, eta: float) -> float:
    """The time, under gradient descent, from a0 to af, interpolated between steps.

    ValueError unless af lies on the way: before s/lam, or before 0 for a deep chain that starts below it.
    """
    _check_passage(depth, s, lam, a0, af)
    loss, weights = network(depth, s=s, lam=lam, a0=a0)
    _check_steps(loss, depth, s, lam, a0, eta)
    return _passage(loss, weights, af, eta)[0]


def pretrained_passage_time(depth: int, *, s: float, lam: float, b0: float, to: float, eta: float) -> float:
    """The time to a fraction `to` of s/lam after greedy pretraining from weights b0, all by gradient descent.

    Layer after layer, a pair of weights b0 learns to reproduce what the layers below hand on, up to the
    fraction `to`; its first weight becomes the layer.  Then all layers together learn the task, with a step that
    is 2 D times smaller, since they push at once.
    """
    layers, total, variance = [], 0.0, positive("lam", lam)
    for _ in range(whole("depth", depth)):
        _check_passage(2, variance, variance, b0**2, to)
        loss, pair = network(2, s=variance, lam=variance, a0=b0**2)
        time, learnt = _passage(loss, pair, to, eta)
        total, variance = total + time, variance * learnt[0] ** 2
        layers.append(learnt[0])
    loss, _ = network(depth, s=s, lam=lam, a0=1.0)
    _check_steps(loss, depth, s, lam, 1.0, eta / (2 * depth))
    return total + _passage(loss, torch.tensor(layers, dtype=torch.float64), to * s / lam, eta / (2 * depth))[0]


def _passage(loss, weights, af: float, eta: float) -> tuple[float, np.ndarray]:
    """When the output passes af under gradient descent, and the weights at that time."""
    rising, by = 1 if af > float(weights.prod()) else -1, GradientDescent(eta)
    path = weights.numpy()[None]
    while rising * path[-1].prod() <= rising * af:
        steps = eta * np.arange(max(9, len(path)))
        onwards = descend(loss, [torch.from_numpy(path[-1])], steps, by, label=f"chain of {len(weights)}")
        path = np.concatenate([path, onwards[1:]])
    times, a = eta * np.arange(len(path)), rising * path.prod(1)
    time, near = crossing(times, a, rising * af), _around(a, rising * af)
    return time, krogh_interpolate(times[near], path[near], time)


def flow_passage_time(depth: int, *, s: float, lam: float, a0: float, af: float, rtol: float = 1e-12) -> float:
    """The same under gradient flow: found coarsely, then finely."""
    _check_passage(depth, s, lam, a0, af)
    until, rising = 1.0, 1 if af > a0 else -1
    while True:
        times = np.linspace(0, until, 101)
        a = rising * flow(depth, s=s, lam=lam, a0=a0, times=times, rtol=rtol)
        if a[-1] > rising * af:
            k = int(np.argmax(a > rising * af))
            fine = np.linspace(times[k - 1], times[k], 101)
            return crossing(fine, rising * flow(depth, s=s, lam=lam, a0=a0, times=fine, rtol=rtol), rising * af)
        until *= 2


def crossing(times, a, level: float) -> float:
    """The first time when `a`, rising, passes `level`, by the cubic through the four nearest records.

    ValueError if it never does.
    """
    times, a = increasing(times), numbers_of("a", a)
    if a.shape != times.shape:
        raise ValueError(f"a has shape {a.shape}, times {times.shape}")
    above = a >= level
    if above[0] or not above.any():
        raise ValueError(f"a runs from {a[0]:g} to {np.max(a):g} and does not rise through {level:g}")
    near = _around(a, level)
    return float(krogh_interpolate(a[near], times[near], level))


def _around(a, level: float) -> slice:
    """The four records nearest to where `a`, rising, first passes `level`."""
    first = min(max(int(np.argmax(a >= level)) - 2, 0), max(len(a) - 4, 0))
    return slice(first, first + 4)


def _check_passage(depth, s, lam, a0, af) -> None:
    limit = 0.0 if real("a0", a0) < 0 and whole("depth", depth) > 1 else positive("s", s) / positive("lam", lam)
    if not (a0 < real("af", af) < limit or limit < af < a0):
        raise ValueError(
            f"af = {af} is not between a0 = {a0} and {limit:g}, where the chain goes: there is no way to it"
        )


def network(depth: int, *, s: float, lam: float, a0: float):
    """The loss of one weight tensor of shape (depth,), and weights of equal size with product a0.

    Below 0 the first weight carries the sign.
    """
    depth, s, lam, a0 = whole("depth", depth), positive("s", s), positive("lam", lam), real("a0", a0)
    if depth > 1 and a0 == 0:
        raise ValueError("a0 = 0: a = 0 is a saddle of a deep chain, which descent never leaves")

    def loss(weights):
        return (s - lam * weights[0].prod()) ** 2 / (2 * lam)

    weights = torch.full((depth,), abs(a0) ** (1 / depth), dtype=torch.float64)
    weights[0] *= -1 if a0 < 0 else 1
    return loss, weights


def _check_steps(loss, depth, s, lam, a0, eta) -> None:
    minimum = torch.full((depth,), (s / lam) ** (1 / depth), dtype=torch.float64)
    check_step(eta, sharpness(loss, [minimum]))


def _absolute(rtol, size) -> float:
    """The absolute tolerance of a solver, relative to the smallest weight or output that matters."""
    return rtol * abs(size) if size else rtol


def _output(weights):
    return weights[0].prod()
