"""Pathways of three layers: shared by many pairs of domains, against pathways of their own."""

import numpy as np
import pytest
import torch
from scipy.interpolate import BarycentricInterpolator
from scipy.optimize import brentq

from laws import Order, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from numerics.chain import crossing
from theory.gating import GatedGraph, Task, correlations, one_item, reduction, trained_pairs
from theory.race import advantage, loser, routing_escape

SLIDE = "saxe-slides, Race dynamics favor shared structure"
tau, s, d = 1.3, 1.7, 0.6


def with_dedicated(M, K, pairs=1):
    """Routing of one item, and for each of the first trained pairs a pathway of three layers of its own."""
    graph, task = one_item(M, K, s, d)
    dims, edges, gates = dict(graph.dims), dict(graph.edges), dict(task.gates)
    for k, (i, j) in enumerate(trained_pairs(M, K)[:pairs]):
        dims |= {f"p{k}": 1, f"q{k}": 1}
        edges |= {f"own1_{k}": (f"x{i}", f"p{k}"), f"own2_{k}": (f"p{k}", f"q{k}"), f"own3_{k}": (f"q{k}", f"y{j}")}
        gates |= {f"p{k}": np.eye(M * K)[k]}
    return GatedGraph(dims, edges), Task(task.x, task.y, gates)


def only_dedicated(M, K):
    """The first of these pathways alone, on the same examples."""
    graph, task = with_dedicated(M, K)
    names = ("x0", "p0", "q0", "y0")
    edges = {e: ends for e, ends in graph.edges.items() if e.startswith("own")}
    gates = {g: v for g, v in task.gates.items() if g in names}
    return GatedGraph({v: graph.dims[v] for v in names}, edges), Task({"x0": task.x["x0"]}, {"y0": task.y["y0"]}, gates)


SHARED, OWN = ("in0", "h", "out0"), ("own1_0", "own2_0", "own3_0")


def all_at(graph, **sizes):
    """Scalar weights: `own` for pathways of their own, `shared` for all others; a number, or one for each network."""
    size = {e: np.asarray(sizes["own"] if e.startswith("own") else sizes["shared"], dtype=float) for e in graph.edges}
    return {e: torch.from_numpy(v[..., None, None].copy()) for e, v in size.items()}


def strength(weights, path):
    """The product of the weights along a path."""
    return np.abs(np.prod([weights[e][..., 0, 0] for e in path], axis=0))


def half_time(graph, task, start, path, guess, level):
    """When the product along a path passes a level, looked for finely around a guess."""
    times = np.concatenate([[0.0], guess + np.linspace(-min(6, guess / 2), 12, 241)])
    weights = gating.flow(graph, task, start, times, 1e-9)
    return crossing(times[1:], strength(weights, path)[1:], level)


def test_routing_escape():
    """From b_h = b0 it escapes after τ M arctan(sqrt(M-1))/(s b0 sqrt(M-1)), whatever K: leading order in b0."""
    M, K = 3, 2
    graph, task = one_item(M, K, s, d)
    b0 = 0.7  # where the law is asked for; at leading order it goes as 1/b0

    def run(scale, seed):
        start = all_at(graph, shared=scale)
        return tau * scale / b0 * half_time(graph, task, start, SHARED, escape(M, scale), s / (2 * d))

    at = dict(M=M, s=s, b0=b0, tau=tau, b_h=b0)
    rivals = {
        "slower by M/K, over all pairs": lambda **at: routing_escape(**at) * M / K,
        "no sharing": lambda M, s, b0, tau, b_h: tau * M * K / (s * b0),
        "balanced": lambda M, s, b0, tau, b_h: tau * M ** (2 / 3) / (s * b0),
    }
    named = "M = 3 domains, K = 2 pairs for each"
    drawn = dict(h=f"initial weight $b_0$ ({named})", y="escape time times $b_0$/0.7 (τ = 1.3)", about=SLIDE)
    claim = "routing escapes when its law says"
    confront(claim, routing_escape, run, at, Order(1, start=0.3), rivals, labels=drawn)


def escape(M, b0):
    """About how long routing takes: where to look."""
    return routing_escape(s=s, tau=1.0, M=M, b0=b0, b_h=b0)


def test_advantage():
    """Shared pathways escape rho = K sqrt(M-1)/arctan(sqrt(M-1)) times as early as pathways of their own."""
    M, K = 3, 2
    graph, task = one_item(M, K, s, d)
    own, own_task = only_dedicated(M, K)

    def run(scale, seed):
        late = half_time(own, own_task, all_at(own, own=scale), OWN, M * K / (s * scale), s / (2 * d))
        early = half_time(graph, task, all_at(graph, shared=scale), SHARED, escape(M, scale), s / (2 * d))
        return late / early

    rivals = {"K alone": lambda M, K: K, "sqrt M K": lambda M, K: np.sqrt(M) * K, "M K": lambda M, K: M * K}
    named = "M = 3 domains, K = 2 pairs for each"
    drawn = dict(h=f"initial weight $b_0$ ({named})", y="escape time, dedicated over shared", about=SLIDE)
    confront(
        "shared pathways escape rho times as early", advantage, run, dict(M=M, K=K), Order(1, start=0.1), rivals,
        labels=drawn,
    )  # fmt: skip


def trajectories(M, K, ratio, scale):
    """The strengths of a shared pathway and one of its own that starts larger by a ratio, in theory and trained."""
    graph, task = with_dedicated(M, K, M * K)
    times = np.linspace(0, escape(M, scale) + 6, 81)
    own = {e: e.startswith("own") for e in graph.edges}
    r = reduction(graph, correlations(graph, task), alike={e: e[:4] if own[e] else e[:2] for e in graph.edges})
    said = r.solve({e: scale * (ratio if own[e] else 1) for e in graph.edges}, times)
    seen = gating.flow(graph, task, all_at(graph, own=scale * ratio, shared=scale), times[::5], 1e-8)
    lines = [
        Series(role, times.tolist(), r.strength(path, said)[:, 0].tolist(), f"{says}, theory")
        for role, path, says in (("law", SHARED, "shared pathway"), ("rival", OWN, "own pathway"))
    ]
    dots = [Series("run", times[::5].tolist(), strength(seen, path).tolist(), "trained") for path in (SHARED, OWN)]
    return Panel("time t (τ = 1)", "strength of a pathway", (*lines, *dots), "y")


def test_loser():
    """A pathway of its own that loses against shared ones freezes at b0/(1 - 1/rho), to leading order in b0."""
    M, K = 3, 2
    graph, task = with_dedicated(M, K)

    def run(scale, seed):
        until = 12 + escape(M, scale)
        end = gating.flow(graph, task, all_at(graph, own=scale, shared=scale), [until], 1e-8)
        return end["own2_0"][0, 0, 0] / scale

    rivals = {
        "they stay at b0": lambda M, K, b0: 1.0,
        "they die out": lambda M, K, b0: 0.0,
        "with the advantage K": lambda M, K, b0: 1 / (1 - 1 / K),
    }
    drawn = dict(h="initial weight $b_0$ (M = 3, K = 2)", y="frozen weight / $b_0$", about=SLIDE)
    claim = "pathways of their own freeze when shared ones have won"
    picture = trajectories(M, K, 1.0, 0.05)
    confront(claim, loser, run, dict(M=M, K=K, b0=1.0), Order(1, start=0.2), rivals, labels=drawn, picture=picture)


def crossover(M, K, scale, low, high):
    """How much larger pathways of their own must start for both kinds to end with one strength; one for every pair."""
    graph, task = with_dedicated(M, K, M * K)
    until = 12 + escape(M, scale)

    def lead(ratios):
        end = gating.flow(graph, task, all_at(graph, own=scale * ratios, shared=scale + 0 * ratios), [until], 1e-8)
        return np.log(strength(end, SHARED) / strength(end, OWN))[0]

    nodes = np.cos(np.pi * (np.arange(12)[::-1] + 0.5) / 12) / np.cos(np.pi / 24)  # of Chebyshev, ends included
    while True:
        ratios = (low + high) / 2 + (high - low) / 2 * nodes
        leads = lead(ratios)
        k = int(np.argmax(leads < 0))
        if max(abs(leads)) < 4:  # smooth enough for a polynomial
            return brentq(BarycentricInterpolator(ratios, leads), ratios[k - 1], ratios[k], xtol=1e-12)
        low, high = ratios[k - 1], ratios[k]


@pytest.mark.full
def test_crossover():
    """Pathways of their own win if they start more than rho times as large as the shared ones, for small weights."""
    M, K = 3, 2
    run = lambda scale, seed: crossover(M, K, scale, 1.2, 4.0)  # noqa: E731
    rivals = {
        "K alone": lambda M, K: K,
        "sqrt M K": lambda M, K: np.sqrt(M) * K,
        "whoever is larger": lambda M, K: 1.0,
    }
    confront(
        "pathways of their own win if they start rho times as large",
        advantage,
        run,
        dict(M=M, K=K),
        Order(1, start=0.1),
        rivals,
        labels=dict(h="initial weight $b_0$ of the shared pathways", y="ratio of starts at equal shares", about=SLIDE),
        picture=trajectories(M, K, 2.4, 0.05),
    )
