"""When ReLU networks learn exclusive-or with a margin, and along which curve."""

from functools import cache

import numpy as np
import pytest
import torch

from laws import Equivalent, confront
from numerics import gating
from numerics.chain import crossing
from theory.gating import xor_points
from theory.race import race_time, relu_kinds


def relu_task(margins):
    """Exclusive-or with each of the margins, c = 1: inputs (margins, 4, 3), targets (4, 1)."""
    x = np.array([xor_points(1.0, D)[0] for D in margins])
    return torch.from_numpy(x), torch.from_numpy(xor_points(1.0, 0.0)[1])


def half_times(times, losses):
    """When sqrt(2 L), the remaining error, falls to a half; losses of shape (times, networks)."""
    return np.array([crossing(times, -np.sqrt(2 * column), -0.5) for column in losses.T])


@cache
def runners(margin):
    """Singular values, reaches, and starts over sigma^2, of the pathways of one class and of one example, if any."""
    kinds = relu_kinds(*xor_points(1.0, margin), starts=256, units=11)
    return tuple(np.array([getattr(kind, name) for kind in kinds]) for name in ("s", "reach", "start"))


def by_race(margin, scale):
    """The half-time of the race."""
    s, reach, start = runners(margin)
    return race_time(s, reach, scale**2 * start)


def test_relu_slope():
    """ReLU networks learn exclusive-or later in proportion to ln(1/sigma), with slope 1/s of the fastest pathway."""
    margins, scales, eta = np.array([0.0, 0.4, 1.2, 1.6]), np.array([1e-2, 1e-3, 1e-4]), 0.01
    s = np.array([runners(D)[0].max() if D else np.sqrt(2) / 4 for D in margins])
    x, y = relu_task(np.repeat(margins, 3))
    times = eta * np.arange(0, 3101, 8)

    def run(seed):
        drawn = gating.relu_layers(4, 100, 3, 1, 1.0, seed=seed)  # the same networks at every scale
        sizes = torch.from_numpy(np.tile(scales, 4))[:, None, None]
        layers = tuple(sizes * w.repeat_interleave(3, dim=0) for w in drawn)
        t = half_times(times, gating.relu_train(x, y, layers, times, eta)).reshape(4, 3)
        return np.polyfit(np.log(1 / scales), t.T, 1)[0] * s

    def law(margin):
        slopes = [np.polyfit(np.log(1 / scales), [by_race(D, v) for v in scales], 1)[0] if D else 0 for D in margin]
        return np.where(margin > 0, slopes * s, 1.0)  # without a margin there is one kind of pathway alone

    rivals = {
        "two gates on one input's sign": s / (np.sqrt(1 + margins**2) / 2),
        "an ungated linear pathway": s / np.maximum(margins, s),
        "the chain's 1/(2 s)": np.full(4, 0.5),
    }
    drawn = dict(margin="margin Δ", y="slope of the half-time in ln(1/σ), times s")
    claim = "ReLU networks wait ln(1/sigma)/s"
    confront(claim, law, run, dict(margin=margins), Equivalent(0.01, runs=20), rivals, labels=drawn)


@pytest.mark.full
def test_relu_half_time():
    """The half-time of a ReLU network is that of the race, with no constant to choose."""
    margins, scale, eta = np.array([0.4, 0.8, 1.3]), 1e-2, 0.01
    x, y = relu_task(margins)
    times = eta * np.arange(0, 1801, 8)

    def run(seed):
        layers = gating.relu_layers(3, 600, 3, 1, scale, seed=seed)
        return half_times(times, gating.relu_train(x, y, layers, times, eta))

    def raced(margin, starts=lambda start: start):
        each = [runners(D) for D in margin]
        return np.array([race_time(s, reach, scale**2 * starts(start)) for s, reach, start in each])

    rivals = {
        "all start at sigma^2/8": lambda margin: raced(margin, lambda start: np.full(len(start), 1 / 8)),
        "all weights of size sigma": lambda margin: raced(margin, lambda start: np.ones(len(start))),
        "the fastest pathway alone": lambda margin: np.array([alone(*runners(D), scale) for D in margin]),
    }
    drawn = dict(margin="margin Δ", y="half-time (τ = 1)")
    claim = "the half-time of ReLU networks has no free constant"
    confront(claim, raced, run, dict(margin=margins), Equivalent(0.1, runs=40, miss=1e-3), rivals, labels=drawn)


def alone(s, reach, start, scale):
    """The half-time of the fastest pathway without the others."""
    i = int(np.argmax(s))
    return race_time(s[[i]], reach[[i]], scale**2 * start[[i]])


@pytest.mark.full
def test_relu_shape():
    """The learning curve of a ReLU network of width 300 is the logistic of a gated pathway around its half-time."""
    eta, s = 0.02, np.sqrt(2 + 0.16) / 4
    x, y = relu_task([0.4])
    times, around = eta * np.arange(0, 1801, 5), np.array([-6.0, -4.0, -2.0, 2.0, 4.0, 6.0])

    def run(seed):
        layers = gating.relu_layers(1, 300, 3, 1, 1e-3, seed=seed)
        losses = gating.relu_train(x, y, layers, times, eta)
        return np.interp(half_times(times, losses)[0] + around, times, np.sqrt(2 * losses[:, 0]))

    rivals = {
        "rate s, not 2 s": lambda late: 1 / (1 + np.exp(s * late)),
        "two gates on one input's sign": lambda late: 1 / (1 + np.exp(np.sqrt(1.16) * late)),
    }
    confront(
        "ReLU learning curves are logistic around their half-time",
        lambda late: 1 / (1 + np.exp(2 * s * late)),
        run,
        dict(late=around),
        Equivalent(0.02, runs=20, miss=1e-3),
        rivals,
        labels=dict(late="time since the half-time", y="remaining error, √(2 L)"),
    )
