"""What ReLU networks make of exclusive-or with a margin, against the race of the pathways that they can have."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from laws import Equivalent, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from theory.gating import pathways, xor_points
from theory.race import final_shares, relu_kinds, transition

NONLINEAR = "saxe-slides, Example: transition to nonlinearity"
CAVEATS = "saxe-slides, Assumptions & caveats"
THRESHOLD = float(transition(c=1.0, kappa=0.5))
GRID = np.arange(4, 27) / 20  # of margins at which laws are computed, which takes a while


@cache
def runners(margin):
    """The pathways of one class and of one example, if any."""
    return relu_kinds(*xor_points(1.0, margin), starts=256, units=11)


def share_of_linear(x, y):
    """Record what units that are on for more than one example add to the outputs, as a part of the whole."""

    def record(W1, W2, out):
        on, part = gating.by_activity(x, (W1, W2))
        by_unit = (part * y).mean((-1, -2))
        return torch.where(on > 1, by_unit, 0).sum(-1) / by_unit.sum(-1)

    return record


def relu_shares(margins, scale, seed, width=200, eta=0.05):
    """The final share of linear units in ReLU networks, one for each margin."""
    x, y = map(torch.from_numpy, xor_points(1.0, margins))
    layers = gating.relu_layers(len(margins), width, 3, 1, scale, seed=seed)
    return gating.relu_train(x, y, layers, [eta * round(learnt(scale) / eta)], eta, share_of_linear(x, y))[0]


def learnt(scale):
    """A time after which exclusive-or is learnt at any margin: ln(1/sigma)/s until it escapes, s >= sqrt(2)/4."""
    return 17 + 3.2 * np.log(1 / scale)


def share_law(margins, scale):
    """The share law, from the starts that ReLU units have."""
    return np.array([final_shares(k.s, k.reach, scale**2 * k.start)[0] for k in map(runners, margins)])


def on_grid(law):
    """A law of the margin as it is on the grid, with straight lines between."""
    values = law(GRID)
    return lambda margin: np.interp(margin, GRID, values, left=np.nan)


def from_equal_starts(margins, scale, kappa=0.5):
    """The share law with starts sigma^2/8; `kappa`: the part of the examples that a linear gate is open on."""
    wider = np.array([2 * kappa, 1.0])  # of the singular value, which for a ReLU's gates is that of kappa = 1/2
    return np.array([final_shares(wider * k.s, k.reach, [scale**2 / 8] * 2)[0] for k in map(runners, margins)])


def equal_shares(margins, share):
    """The margin at which the odds are even, by a parabola through their logarithms, which smooths single draws."""
    odds = np.polynomial.Polynomial.fit(margins, np.log(share / (1 - share)), 2)
    return brentq(odds, margins[0], margins[-1])


def even(exponents, shares=share_law):
    """The margin at which a share law has even odds, for each size 10^exponent of the initial weights."""
    each = (shares(GRID, 10.0**exponent) for exponent in exponents)
    return np.array([np.interp(0, np.log(share / (1 - share)), GRID) for share in each])


@cache
def diagram(width=100, eta=0.1):
    """The share of linear units in one network for every margin and size of weights, and where the law is even."""
    sizes, margins = np.arange(-8.0, 0.0), np.linspace(0.4, 1.3, 10)
    share = [relu_shares(margins, 10.0**size, 1, width, eta) for size in sizes]
    shades = Series(
        "map", margins.tolist(), sizes.tolist(), "final share of linear units", np.transpose(share).tolist()
    )
    line = Series("law", even(sizes).tolist(), sizes.tolist(), "equal shares, law")
    limit = Series("path", [THRESHOLD] * 2, [-1.0, -8.0], "√(2/3)")
    return Panel("margin Δ", "size of the initial weights, log₁₀ σ", (shades, line, limit))


def test_relu_shares():
    """Linear units make up what the share law says at any margin; that of half nears sqrt(2/3) as weights shrink."""
    scale, margins = 1e-2, np.array([0.5, 0.7, 0.8, 0.9, 1.0, 1.15])
    rivals = {
        "equal starts": on_grid(lambda margin: from_equal_starts(margin, scale)),
        "an ungated linear pathway wins above sqrt(2/15)": on_grid(lambda margin: from_equal_starts(margin, scale, 1)),
        "a step at sqrt(2/3)": lambda margin: (margin > THRESHOLD).astype(float),
        "half each": lambda margin: np.full(len(margin), 0.5),
    }
    confront(
        "ReLU units turn from nonlinear to linear with the margin, as the share law says",
        on_grid(lambda margin: share_law(margin, scale)),
        lambda seed: relu_shares(margins, scale, seed, width=300),
        dict(margin=margins),
        Equivalent(0.04, runs=200, miss=1e-3),
        rivals,
        labels=dict(margin="margin Δ (σ = 0.01)", y="final share of linear units", about=NONLINEAR),
        picture=diagram(),
        of=final_shares,
    )


def linear_residue(margins, until=120.0, eta=0.2):
    """The loss that a linear network of two layers is left with, of that at the start; one for each margin."""
    left = []
    for x, y in (xor_points(1.0, margin) for margin in margins):
        graph, task = pathways(x, y, {"linear": np.ones(len(x))}, hidden=20)
        end = gating.train(graph, task, gating.random(graph, 0.1, seed=3), [until], eta)
        left.append(float(gating.losses(graph, task, {e: torch.from_numpy(w[0]) for e, w in end.items()})) / 0.5)
    return left


def necessary(margin):
    """1 where no linear network can learn exclusive-or: where its targets are no linear map of its inputs; else 0."""
    rank = np.linalg.matrix_rank
    return np.array([float(rank(np.hstack([x, y])) > rank(x)) for x, y in (xor_points(1.0, D) for D in margin)])


def test_emergence():
    """Nonlinear representations emerge before they are necessary: a linear network learns these tasks as well."""
    margins, scale = np.array([0.2, 0.35, 0.5, 0.65]), 1e-2
    everywhere = [0.0, *margins.tolist()]
    left = Series("run", everywhere, linear_residue(everywhere), "loss left to a linear network")
    assert necessary(everywhere).tolist() == [1, 0, 0, 0, 0]
    confront(
        "nonlinear units emerge before they are strictly necessary",
        on_grid(lambda margin: 1 - share_law(margin, scale)),
        lambda seed: 1 - relu_shares(margins, scale, seed),
        dict(margin=margins),
        Equivalent(0.04, runs=20, miss=1e-3),
        {"only where they are necessary": necessary, "half": lambda margin: 0.5},
        labels=dict(margin="margin Δ", y="final share of nonlinear units", about=NONLINEAR),
        picture=Panel("margin Δ", "what a linear network cannot learn", (left,)),
        of=final_shares,
    )


# -- the hypothesis: no unit switches ----------------------------------------------------------------


def switched(margins, seed, scale=1e-2, width=200, eta=0.05):
    """The part of the final output that is carried by units which, after the first hundredth of the loss, switched.

    One network for each margin.
    """
    x, y = map(torch.from_numpy, xor_points(1.0, margins))
    times = 10 * eta * np.arange(round(learnt(scale) / (10 * eta)) + 1)
    each = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)

    def record(W1, W2, out):
        _, part = gating.by_activity(x, (W1, W2))
        loss = ((y - out) ** 2).sum((-1, -2))
        on = ((W1 @ x.mT > 0) * each).sum(-1)  # a number for each set of examples
        return torch.cat([loss[:, None], on, (part * y).mean((-1, -2))], dim=1)

    rows = gating.relu_train(x, y, gating.relu_layers(len(margins), width, 3, 1, scale, seed=seed), times, eta, record)
    loss, on, part = rows[..., 0], rows[..., 1 : width + 1], rows[-1, :, width + 1 :]
    begun = np.argmax(loss < 0.99 * loss[0], axis=0)
    moved = on[begun, np.arange(len(margins))] != on[-1]
    return (part * moved).sum(-1) / part.sum(-1)


def test_activity():
    """From a margin of 0.3 on the units that carry the output keep their examples; at 0.1 or less they do not."""
    margins = np.array([0.3, 0.5, 0.8, 1.2])
    everywhere = np.array([0.0, 0.05, 0.1, 0.2, *margins])
    median = np.median([switched(everywhere, seed) for seed in range(5)], axis=0)
    control = Series("run", everywhere.tolist(), median.tolist(), "median of 5 networks")
    confront(
        "with a margin of 0.3 or more the units that carry the output do not switch",
        lambda margin: np.where(margin >= margins[0], 0.0, np.nan),
        lambda seed: switched(margins, seed),
        dict(margin=margins),
        Equivalent(0.01, runs=20),
        {f"as at a margin of {everywhere[k]:g}: {median[k]:.2f}": lambda margin, k=k: median[k] for k in (0, 2)},
        labels=dict(margin="margin Δ", y="part of the output carried by units that switched", about=CAVEATS),
        picture=Panel("margin Δ", "part of the output carried by units that switched", (control,)),
    )


# -- the phase diagram -------------------------------------------------------------------------------

SCALES, MARGINS = np.array([1e-1, 1e-2, 1e-4, 1e-8]), np.linspace(0.6, 1.2, 9)


@pytest.mark.full
def test_phase_diagram():
    """The margin at which ReLU units turn from nonlinear to linear drifts to sqrt(2/3) as the share law says."""
    sizes = np.log10(SCALES)

    def run(seed):
        return np.array([equal_shares(MARGINS, relu_shares(MARGINS, scale, seed)) for scale in SCALES])

    rivals = {
        "no drift, sqrt(2/3)": lambda size: np.full(len(size), THRESHOLD),
        "an ungated linear pathway": lambda size: np.full(len(size), transition(c=1.0, kappa=1.0)),
        "equal starts": lambda size: even(size, from_equal_starts),
    }
    confront(
        "the margin of equal shares in ReLU networks drifts to sqrt(2/3)",
        lambda size: even(size),
        run,
        dict(size=sizes),
        Equivalent(0.02, runs=30, miss=1e-3),
        rivals,
        labels=dict(size="size of the initial weights, log₁₀ σ", y="margin Δ of equal shares"),
        picture=diagram(),
    )


def scaled_drift(log, shares):
    """Of the margin of equal shares from sqrt(2/3), times ln(1/sigma); `shares`: margins, sigma -> share of linear."""
    ahead = np.linspace(0, 1, 6)  # margins come nearer as the weights grow smaller
    return np.array([equal_shares(ahead, shares(THRESHOLD + ahead / x, np.exp(-x))) for x in log])


@pytest.mark.full
def test_rate_of_drift():
    """The drift goes as 1/ln(1/sigma), from sigma of 1e-2 to 1e-32: no other power of it, and no power of sigma."""
    levels = np.log(10) * 2.0 ** np.arange(1, 6)
    law = scaled_drift(levels, share_law)

    def nearest(basis, slope=None):
        """The line through the law's ln(drift) against `basis` that is nearest to it, of the slope given if any."""
        drift = np.log(law / levels)
        slope = np.polyfit(basis, drift, 1)[0] if slope is None else slope
        return np.exp(slope * basis + np.mean(drift - slope * basis)) * levels

    rivals = {
        "as 1/ln(1/sigma) squared": nearest(np.log(levels), -2.0),
        "as its root": nearest(np.log(levels), -0.5),
        "as the nearest power of sigma": nearest(levels),
        "from equal starts": scaled_drift(levels, from_equal_starts),
    }
    between = lambda values: lambda log: np.interp(log, levels, values, left=np.nan)  # noqa: E731
    confront(
        "the margin of equal shares drifts to sqrt(2/3) as 1/ln(1/sigma)",
        between(law),
        lambda seed: scaled_drift(levels, lambda margins, scale: relu_shares(margins, scale, seed)),
        dict(log=levels),
        Equivalent(0.1, runs=60, miss=1e-3),
        {name: between(values) for name, values in rivals.items()},
        labels=dict(log="ln(1/σ), σ the size of the initial weights", y="drift of the margin Δ, times ln(1/σ)"),
    )
