"""Routing to pairs of domains that were never trained: when what is shared carries over, and when it cannot."""

from functools import cache

import numpy as np
import pytest
import torch

from laws import Equivalent, Mean, Solver, Trend, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from theory.gating import correlations, diagonalise, hierarchy, routing, routing_strength, trained_pairs


def products(weights, pairs):
    """What the network computes from one domain to another, for each pair; shape (..., pairs, No, Ni)."""
    return np.stack([weights[f"out{j}"] @ weights["h"] @ weights[f"in{i}"] for i, j in pairs], axis=-3)


def test_decoupled_start_generalises():
    """From decoupled weights, untrained pairs of domains are learnt as the trained ones, at every time."""
    M, K = 4, 2
    items = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0] * 1.8
    graph, task = routing(M, K, items, hierarchy(2), 5)
    base = diagonalise(graph, correlations(graph, task))
    times = np.array([2.0, 5.0, 8.0, 11.0])
    known = trained_pairs(M, K)
    untrained = [(i, j) for i in range(M) for j in range(M) if (i, j) not in known]
    start = gating.decoupled(graph, {**base.U, **base.V}, 0.2, seed=1)

    def error(rtol, pairs):
        weights = gating.flow(graph, task, start, times, rtol)
        off = items @ np.swapaxes(products(weights, pairs), -1, -2) - hierarchy(2)
        return (off**2).sum(-1).mean((-1, -2)) / (hierarchy(2) ** 2).sum(-1).mean()

    law = error(1e-13, known)
    rivals = {"untrained pairs learn nothing": np.ones(4), "half of the error is left": lambda t: (1 + law) / 2}
    confront(
        "from a decoupled start untrained pairs are learnt with the trained ones",
        lambda t: law,
        lambda rtol, seed: error(rtol, untrained),
        dict(t=times),
        Solver(rtol=1e-8),
        {name: rival if callable(rival) else (lambda t, rival=rival: rival) for name, rival in rivals.items()},
        labels=dict(t="time t (τ = 1)", y="error on untrained pairs, of that at t = 0"),
    )


def trained(M, K, networks, seed, scales=(0.1,), *, until=60.0, eta=0.1, imbalance=1.0):
    """Networks from random weights of each scale, the same draws at each; one mode with s = 5, d = 1.

    imbalance: by how much the domains' weights start larger, at the same product with the shared weight.  What is
    returned has shape (scales, networks): the error on untrained pairs and that on trained ones, of that at the
    start; how much the hidden codes of the domains are alike, their mean absolute cosine; and the size of the
    shared weight over that of the domains'.
    """
    x, y = np.array([[0.6, 0.8]]), 5 * np.array([[0.8, -0.6]])
    graph, task = routing(M, K, x, y, 6)
    drawn = gating.random(graph, 1.0, seed=seed, networks=networks)
    size = {e: imbalance**-2 if e == "h" else imbalance for e in graph.edges}
    start = {e: torch.cat([scale * size[e] * w for scale in scales]) for e, w in drawn.items()}
    end = {e: w[0] for e, w in gating.train(graph, task, start, [until], eta).items()}
    codes = np.stack([end[f"in{i}"] @ x[0] for i in range(M)], axis=-2)  # (networks, domains, hidden)
    length = np.linalg.norm(codes, axis=-1)
    cosines = np.abs(codes @ codes.mT) / (length[..., None] * length[..., None, :])
    shared = np.linalg.norm(end["h"], 2, axis=(-2, -1)) / np.sqrt((length**2).mean(-1))
    known = trained_pairs(M, K)
    others = [(i, j) for i in range(M) for j in range(M) if (i, j) not in known]
    left = lambda pairs: (((products(end, pairs) @ x[0] - y[0]) ** 2).sum(-1) / (y[0] ** 2).sum()).mean(-1)  # noqa: E731
    found = left(others), left(known), cosines[:, *np.triu_indices(M, 1)].mean(-1), shared
    return tuple(v.reshape(len(scales), networks) for v in found)


def free_signs():
    """The mean of (1 - sign)^2 over a random sign."""
    return 2.0


def fixed_signs():
    """Nothing is left of the error."""
    return 0.0


@pytest.mark.parametrize("K", [1, 4])
def test_random_start(K):
    """With K = 1 the signs of the domains are free and the test error is 2; with K = 4 of 6 they are fixed."""
    M = 6
    law = {1: free_signs, 4: fixed_signs}[K]
    expected = law()
    rivals = {"independent directions": 1.0, "generalises at any K" if K == 1 else "never generalises": 2.0 - expected}

    def run(n, seed):
        untrained, known, *_ = trained(M, K, n, seed)
        assert np.max(known) < 1e-2, "some network has not learnt its trained pairs"
        return untrained[0]

    # the sign of a pair is the product of two free signs: errors of 0 or 4, of variance 4, for 30 - 6 K pairs
    # that are independent two by two
    judge = Mean(detects=0.5, variance=4 / (M * (M - 1)), points=1)
    claim = f"small random weights: error {expected:g} on untrained pairs with K = {K} of {M}"
    labels = dict(y="error on untrained pairs, of that at t = 0")
    confront(claim, law, run, {}, judge, rivals, labels=labels)


# -- against K ---------------------------------------------------------------------------------------


@cache
def errors(M, K):
    """The errors of sixty networks on untrained pairs; those of one number follow each other for all K."""
    untrained, known, *_ = trained(M, K, 60, 5, until=90.0)
    assert np.max(known) < 1e-2, "some network has not learnt its trained pairs"
    return untrained[0]


@pytest.mark.full
def test_generalisation_against_K():
    """The more pairs are trained the more networks generalise: with K = 1 as many as free signs agree by chance."""
    members: dict[int, int] = {}
    panel = []
    for M, levels in ((4, (1, 2, 3)), (6, (1, 2, 3, 4)), (8, (1, 2, 3, 4, 5))):
        fraction = np.array([np.mean(errors(M, K) < 0.5) for K in levels])
        spread = 2 * np.sqrt(np.maximum(fraction * (1 - fraction), 1 / 60) / 60)
        low, high = np.maximum(fraction - spread, 0), np.minimum(fraction + spread, 1)
        x = [K / M for K in levels]
        panel += [Series("rival", x, fraction.tolist(), f"M = {M}")]
        panel += [Series("run", x, fraction.tolist(), "of 60 networks", low.tolist(), high.tolist())]
    sizes = [4, 6, 8]
    panel += [Series("law", [1 / M for M in sizes], [2.0 ** (1 - M) for M in sizes], "free signs agree, $2^{1-M}$")]

    def run(K, seed):
        return errors(6, int(K))[members.setdefault(seed, len(members))]

    confront(
        "the more pairs are trained, the less is wrong on the others",
        -1.0,
        run,
        {},
        Trend((1.0, 2.0, 4.0)),
        {"the other way": 1.0, "no trend": 0.0},
        labels=dict(x="K, of M = 6", y="error on untrained pairs"),
        picture=Panel("K/M", "part of the networks that generalise", tuple(panel)),
    )


@pytest.mark.full
def test_agreement_by_chance():
    """With K = 1 a network generalises if the free signs of its M domains agree: with probability 2^(1-M)."""
    M = 3

    def run(n, seed):
        return (trained(M, 1, n, seed)[0][0] < 0.5).astype(float)

    rivals = {"one free sign in all": 0.5, "never": 0.0, "2^-M, up to a common sign": 2.0**-M}
    claim = "with K = 1 as many networks generalise as free signs agree by chance"
    labels = dict(y="probability that a network generalises")
    confront(claim, lambda: 2.0 ** (1 - M), run, {}, Mean(detects=0.12, variance=0.25), rivals, labels=labels)


# -- rich and lazy -------------------------------------------------------------------------------------

SCALES = (0.1, 0.15, 0.22, 0.33, 0.5, 0.75, 1.1)  # of the initial weights; at the last the network is lazy
M_LAZY, K_LAZY = 6, 3


@cache
def batch():
    """Sixty networks at every scale, the same draws at each: error on untrained pairs, likeness, relative size."""
    untrained, known, alike, shared = trained(M_LAZY, K_LAZY, 60, 5, SCALES, until=40.0, eta=0.05)
    assert np.max(known) < 1e-2, "some network has not learnt its trained pairs"
    return untrained, alike, shared / np.sqrt(M_LAZY)


MEASURES = {"error on untrained pairs": 1.0, "likeness of hidden codes": -1.0, "size of the shared weight": -1.0}


@pytest.mark.full
@pytest.mark.parametrize("which", MEASURES)
def test_rich_and_lazy(which):
    """From larger weights routing generalises less, its domains share their codes less, and the shared weight less."""
    members: dict[int, int] = {}
    sign, values = MEASURES[which], batch()[list(MEASURES).index(which)]

    def run(scale, seed):
        return values[SCALES.index(scale), members.setdefault(seed, len(members))]

    rivals = {"the other way": -sign, "no trend": 0.0}
    claim = f"rich to lazy: the {which} {'rises' if sign > 0 else 'falls'} with the initial weights"
    drawn = dict(x="size σ of the initial weights", y=which)
    confront(claim, sign, run, {}, Trend(SCALES), rivals, labels=drawn)


def leaves(values, level):
    """The scale at which the medians over networks, shape (scales,), pass a level; linear in its logarithm."""
    k = int(np.argmax((values[1:] - level) * (values[:-1] - level) <= 0))
    part = (level - values[k]) / (values[k + 1] - values[k])
    return float(np.exp(np.log(SCALES[k]) + part * np.log(SCALES[k + 1] / SCALES[k])))


@pytest.mark.full
def test_where_theory_stops():
    """The theory of small weights is off by a tenth first in the codes, then in the shared weight, last in the error.

    In units of the size with which the domains' weights end.
    """
    measures = np.arange(3)

    def run(seed):
        untrained, known, alike, shared = trained(M_LAZY, K_LAZY, 16, seed, SCALES, until=40.0, eta=0.05)
        assert np.max(known) < 1e-2, "some network has not learnt its trained pairs"
        medians = [np.median(v, axis=1) for v in (alike, shared / np.sqrt(M_LAZY), untrained)]
        return np.log([leaves(m, level) for m, level in zip(medians, (0.9, 0.9, 0.1), strict=True)])

    def law(measure, parts=(0.16, 0.23, 0.58)):
        return np.log(np.array(parts) * routing_strength(s=5.0, d=1.0, M=M_LAZY, b0=0.0))

    confront(
        "rich to lazy: codes, shared weight and error leave the theory one after another",
        law,
        run,
        dict(measure=measures),
        Equivalent(0.25, runs=20, miss=1e-3),
        {
            "all where the weights start as they end": lambda measure: law(measure, (1.0, 1.0, 1.0)),
            "all at one scale": lambda measure: law(measure, (0.28, 0.28, 0.28)),
        },
        labels=dict(measure="codes, shared weight, error", y="ln of the scale where the theory is off by a tenth"),
        of=routing_strength,
    )


IMBALANCES = (0.5, 0.7, 1.0, 1.4, 2.0)  # of the domains' weights, at equal product with the shared one


@cache
def imbalanced():
    """How alike the codes of sixty networks are at every imbalance, from weights of size 1/2."""
    return np.array([trained(6, 4, 60, 5, (0.5,), until=40.0, imbalance=r)[2][0] for r in IMBALANCES])


@pytest.mark.full
def test_imbalance():
    """At equal product, domains share their codes the less the larger their own weights start."""
    members: dict[int, int] = {}

    def run(imbalance, seed):
        return imbalanced()[IMBALANCES.index(imbalance), members.setdefault(seed, len(members))]

    confront(
        "at equal product, codes are shared less where the domains' weights start larger",
        -1.0,
        run,
        {},
        Trend(IMBALANCES),
        {"the other way": 1.0, "no trend": 0.0},
        labels=dict(x="initial weights of the domains, at equal product", y="likeness of hidden codes"),
    )
