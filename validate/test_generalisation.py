"""Routing to pairs of domains that were never trained: when the shared structure carries over, and when it cannot."""

from functools import cache

import numpy as np
import pytest

from laws import Mean, Solver, Trend, confront
from numerics import gating
from theory.gating import correlations, diagonalise, hierarchy, routing, trained_pairs


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
    trained = trained_pairs(M, K)
    untrained = [(i, j) for i in range(M) for j in range(M) if (i, j) not in trained]
    start = gating.decoupled(graph, {**base.U, **base.V}, 0.2, seed=1)

    def error(rtol, pairs):
        weights = gating.flow(graph, task, start, times, rtol)
        off = items @ np.swapaxes(products(weights, pairs), -1, -2) - hierarchy(2)
        return (off**2).sum(-1).mean((-1, -2)) / (hierarchy(2) ** 2).sum(-1).mean()

    law = error(1e-13, trained)
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


def untrained_errors(M, K, networks, seed, scale=0.1, until=60.0, eta=0.1):
    """Many networks from small random weights; one mode with s = 5, d = 1.

    Their errors on untrained and on trained pairs, and how much the hidden codes of the domains are alike (the mean
    absolute cosine).
    """
    x, y = np.array([[0.6, 0.8]]), 5 * np.array([[0.8, -0.6]])
    graph, task = routing(M, K, x, y, 6)
    start = gating.random(graph, scale, seed=seed, networks=networks)
    end = {e: w[0] for e, w in gating.train(graph, task, start, [until], eta).items()}
    codes = np.stack([end[f"in{i}"] @ x[0] for i in range(M)], axis=-2)  # (networks, domains, hidden)
    codes = codes / np.linalg.norm(codes, axis=-1, keepdims=True)
    alike = np.abs(codes @ codes.mT)[:, *np.triu_indices(M, 1)].mean(-1)
    trained = trained_pairs(M, K)
    untrained = [(i, j) for i in range(M) for j in range(M) if (i, j) not in trained]
    off = [
        (((products(end, pairs) @ x[0] - y[0]) ** 2).sum(-1) / (y[0] ** 2).sum()).mean(-1)
        for pairs in (untrained, trained)
    ]
    return off[0], off[1], alike


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
        untrained, trained, _ = untrained_errors(M, K, n, seed)
        assert np.max(trained) < 1e-2, "some network has not learnt its trained pairs"
        return untrained

    # the sign of a pair is the product of two free signs: errors of 0 or 4, of variance 4, for 30 - 6 K pairs
    # that are independent two by two
    judge = Mean(detects=0.5, variance=4 / (M * (M - 1)), points=1)
    claim = f"small random weights: error {expected:g} on untrained pairs with K = {K} of {M}"
    labels = dict(y="error on untrained pairs, of that at t = 0")
    confront(claim, law, run, {}, judge, rivals, labels=labels)


SCALES = (0.1, 0.5, 1.0)  # of the initial weights; at 1 the network is lazy


@cache
def batch(scale):
    """Sixty networks at one scale, the same draws at each."""
    return untrained_errors(6, 4, 60, 5, scale=scale, until=30.0)


@pytest.mark.full
@pytest.mark.parametrize(("which", "sign"), [("error on untrained pairs", 1.0), ("likeness of hidden codes", -1.0)])
def test_rich_and_lazy(which, sign):
    """From larger weights routing generalises less, and its domains share their hidden codes less."""
    members: dict[int, int] = {}

    def run(scale, seed):
        k = members.setdefault(seed, len(members))
        untrained, _, alike = batch(scale)
        return untrained[k] if sign > 0 else alike[k]

    rivals = {"the other way": -sign, "no trend": 0.0}
    claim = f"rich to lazy: the {which} {'rises' if sign > 0 else 'falls'} with the initial weights"
    labels = dict(x="size of the initial weights", y=which)
    confront(claim, sign, run, {}, Trend(SCALES), rivals, labels=labels)
