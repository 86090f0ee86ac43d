"""When ReLU networks learn exclusive-or with a margin, and along which curve."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from laws import Equivalent, Exponent, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from numerics.chain import crossing
from theory.gating import xor_points
from theory.race import Kinds, race_time, relu_kinds

SLIDE = "saxe-slides, Assumptions & caveats"


def half_times(times, losses):
    """When sqrt(2 L), the remaining error, falls to a half; losses of shape (times, networks)."""
    return np.array([crossing(times, -np.sqrt(2 * column), -0.5) for column in losses.T])


@cache
def runners(margin):
    """The pathways of one class and of one example, if any."""
    return relu_kinds(*xor_points(1.0, margin), starts=256, units=11)


def on_grid(margins, law):
    """A law as it is at these margins, which takes a while, with straight lines between."""
    values = [law(D) for D in margins]
    return lambda margin: np.interp(margin, margins, values, left=np.nan)


def by_race(kinds, scale):
    """The half-time of the race."""
    return race_time(kinds.s, kinds.reach, scale**2 * kinds.start)


def test_relu_slope():
    """ReLU networks learn exclusive-or later in proportion to ln(1/sigma), with the slope of the race.

    It is 1/s of the fastest pathway in the limit of small sigma.  Slower pathways shorten the wait, the less the
    smaller sigma is: at these sigma the slope is up to a fortieth larger.
    """
    margins, scales, eta = np.array([0.0, 0.4, 1.0, 1.2, 1.6]), np.array([1e-2, 1e-3, 1e-4]), 0.01
    s = np.array([runners(D).s.max() if D else np.sqrt(2) / 4 for D in margins])
    x, y = map(torch.from_numpy, xor_points(1.0, np.repeat(margins, 3)))
    times = eta * np.arange(0, 3101, 8)

    def run(seed):
        drawn = gating.relu_layers(len(margins), 200, 3, 1, 1.0, seed=seed)  # the same networks at every scale
        sizes = torch.from_numpy(np.tile(scales, len(margins)))[:, None, None]
        layers = tuple(sizes * w.repeat_interleave(3, dim=0) for w in drawn)
        t = half_times(times, gating.relu_train(x, y, layers, times, eta)).reshape(-1, 3)
        return np.polyfit(np.log(1 / scales), t.T, 1)[0] * s

    def slope(margin):
        times = [by_race(runners(margin), v) for v in scales]
        return np.polyfit(np.log(1 / scales), times, 1)[0] * runners(margin).s.max()

    everywhere = np.append(0, np.arange(2, 17) / 10)  # without a margin there is one kind of pathway alone
    law = on_grid(everywhere, lambda margin: slope(margin) if margin else 1.0)
    rivals = {
        "two gates on one input's sign": s / (np.sqrt(1 + margins**2) / 2),
        "an ungated linear pathway": s / np.maximum(margins, s),
        "the chain's 1/(2 s)": np.full(len(margins), 0.5),
    }
    drawn = dict(margin="margin Δ", y="slope of the half-time in ln(1/σ), times s", about=SLIDE)
    claim = "ReLU networks wait as the race does, in proportion to ln(1/sigma)"
    confront(claim, law, run, dict(margin=margins), Equivalent(0.01, runs=60), rivals, labels=drawn, of=race_time)


@pytest.mark.full
def test_relu_half_time():
    """The half-time of a ReLU network is that of the race, with no constant to choose."""
    margins, scale, eta = np.array([0.4, 0.8, 1.3]), 1e-2, 0.01
    everywhere = np.arange(4, 14) / 10
    x, y = map(torch.from_numpy, xor_points(1.0, margins))
    times = eta * np.arange(0, 1801, 8)

    def run(seed):
        layers = gating.relu_layers(3, 600, 3, 1, scale, seed=seed)
        return half_times(times, gating.relu_train(x, y, layers, times, eta))

    def raced(change=lambda kinds: kinds):
        return on_grid(everywhere, lambda margin: by_race(change(runners(margin)), scale))

    rivals = {
        "all start at sigma^2/8": raced(lambda kinds: replace(kinds, start=0 * kinds.s + 1 / 8)),
        "all weights of size sigma": raced(lambda kinds: replace(kinds, start=0 * kinds.s + 1)),
        "the fastest pathway alone": raced(alone),
    }
    drawn = dict(margin="margin Δ", y="half-time (τ = 1)")
    claim = "the half-time of ReLU networks has no free constant"
    judge = Equivalent(0.1, runs=40, miss=1e-3)
    confront(claim, raced(), run, dict(margin=margins), judge, rivals, labels=drawn, of=race_time)


def alone(kinds):
    """The fastest pathway without the others."""
    i = [int(np.argmax(kinds.s))]
    return Kinds(kinds.examples[i], kinds.s[i], kinds.reach[i], kinds.start[i])


@pytest.mark.full
def test_relu_shape():
    """The learning curve of a ReLU network of width 300 is the logistic of a gated pathway around its half-time."""
    eta, s = 0.02, np.sqrt(2 + 0.16) / 4
    x, y = map(torch.from_numpy, xor_points(1.0, [0.4]))
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


# -- against width -----------------------------------------------------------------------------------

LATE = np.linspace(-8, 8, 65)


def around_half_time(times, error):
    """The remaining error around the time when it is a half."""
    return CubicSpline(times, error)(crossing(times, -error, -0.5) + LATE)


def curves(width, seed, networks=16, margin=0.4, scale=1e-2, eta=0.1):
    """The remaining errors of ReLU networks, (networks, times), and that of the race by the same descent, (times,)."""
    x, y = map(torch.from_numpy, xor_points(1.0, [margin]))
    times, kinds = eta * np.arange(241), runners(margin)
    layers = gating.relu_layers(networks, int(width), 3, 1, scale, seed=seed)
    losses = gating.relu_train(x, y, layers, times, eta)
    b, left = scale * np.sqrt(kinds.start), []  # both layers of each pathway
    for _ in times:
        left.append(1 - kinds.reach @ b**2)
        b = b + eta * kinds.s * b * left[-1]
    each = [around_half_time(times, np.sqrt(2 * column)) for column in losses.T]
    return np.array(each), around_half_time(times, np.array(left))


@pytest.mark.full
def test_shape_and_width():
    """The distance of the curves of ReLU networks from that of the race falls as 1/width."""

    def run(width, seed):
        networks, race = curves(width, seed)
        return np.median(np.abs(networks - race).max(axis=1))

    race = curves(100, 0)[1]
    each = [
        Series(role, LATE[::few].tolist(), curves(width, 1, 1)[0][0, ::few].tolist(), f"network of width {width}")
        for role, few, width in (("rival", 1, 25), ("rival", 1, 100), ("run", 4, 900))
    ]
    confront(
        "learning curves of ReLU networks approach that of the race as 1/width",
        -1.0,
        run,
        {},
        Exponent((100, 300, 900), detects=0.3, runs=30),
        {"as its root": -0.5, "as its square": -2.0},
        labels=dict(x="width", y="largest distance of √(2 L) from the race"),
        picture=Panel(
            "time since the half-time (τ = 1)",
            "remaining error, √(2 L)",
            (Series("law", LATE.tolist(), race.tolist(), "race"), *each),
        ),
    )
