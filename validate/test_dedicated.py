"""Pathways of three layers: shared by many pairs of domains, against pathways of their own."""

import numpy as np
import torch

from laws import Order, confront
from numerics import gating
from numerics.chain import crossing
from theory.gating import GatedGraph, Task, routing
from theory.race import advantage, loser, routing_escape

tau = 1.3


def one_mode(M, K, s=1.7, d=0.6):
    """Routing with a single item: one mode with <y x> = s and <x^2> = d."""
    x = np.array([[np.sqrt(d)]])
    return routing(M, K, x, s / d * x, 1)


def with_dedicated(M, K, s=1.7, d=0.6):
    """The same, and for the first trained pair a pathway of three layers of its own."""
    graph, task = one_mode(M, K, s, d)
    own = {"d1": ("x0", "p"), "d2": ("p", "q"), "d3": ("q", "y0")}
    gates = {**task.gates, "p": np.eye(M * K)[0]}
    return GatedGraph({**graph.dims, "p": 1, "q": 1}, {**graph.edges, **own}), Task(task.x, task.y, gates)


def only_dedicated(M, K):
    """That pathway alone, on the same examples."""
    graph, task = with_dedicated(M, K)
    names = ("x0", "p", "q", "y0")
    edges = {e: ends for e, ends in graph.edges.items() if e[0] == "d"}
    gates = {g: v for g, v in task.gates.items() if g in names}
    return GatedGraph({v: graph.dims[v] for v in names}, edges), Task({"x0": task.x["x0"]}, {"y0": task.y["y0"]}, gates)


def all_at(graph, **sizes):
    """Scalar weights: those of the pathway of its own at one size, all others at another."""
    return {e: torch.full((1, 1), sizes["own"] if e[0] == "d" else sizes["shared"]).double() for e in graph.edges}


def half_time(graph, task, start, path, guess, level):
    """When the product along a path passes a level, looked for finely around a guess."""
    times = np.concatenate([[0.0], guess + np.linspace(-min(6, guess / 2), 12, 241)])
    weights = gating.flow(graph, task, start, times, 1e-9)
    return crossing(times[1:], np.abs(np.prod([weights[e][1:, 0, 0] for e in path], axis=0)), level)


def test_routing_escape():
    """Routing escapes after M arctan(sqrt(M-1))/(s b0 sqrt(M-1)), whatever K: leading order in b0."""
    M, K, s, d = 3, 2, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)

    b0 = 0.7  # where the law is asked for; at leading order it goes as 1/b0

    def run(scale, seed):
        start = all_at(graph, shared=scale)
        guess = routing_guess(M, s, scale)
        return tau * scale / b0 * half_time(graph, task, start, ("in0", "h", "out0"), guess, s / (2 * d))

    at = dict(M=M, s=s, b0=b0, tau=tau, b_h=b0)
    rivals = {
        "slower by M/K, over all pairs": lambda **at: routing_escape(**at) * M / K,
        "no sharing": lambda M, s, b0, tau, b_h: tau * M * K / (s * b0),
        "balanced": lambda M, s, b0, tau, b_h: tau * M ** (2 / 3) / (s * b0),
    }
    drawn = dict(h="initial weight $b_0$", y="escape time times $b_0$")
    claim = "routing escapes when its law says"
    confront(claim, routing_escape, run, at, Order(1, start=0.3), rivals, labels=drawn)


def routing_guess(M, s, b0):
    """About how long routing takes."""
    return M / (s * b0) * np.arctan(np.sqrt(M - 1)) / np.sqrt(M - 1)


def test_advantage():
    """Shared pathways escape rho = K sqrt(M-1)/arctan(sqrt(M-1)) times as early as pathways of their own."""
    M, K, s, d = 3, 2, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)
    own, own_task = only_dedicated(M, K)
    path = ("d1", "d2", "d3")

    def run(scale, seed):
        late = half_time(own, own_task, all_at(own, own=scale), path, M * K / (s * scale), s / (2 * d))
        early = half_time(
            graph, task, all_at(graph, shared=scale), ("in0", "h", "out0"), routing_guess(M, s, scale), s / (2 * d)
        )
        return late / early

    rivals = {"K alone": lambda M, K: K, "sqrt M K": lambda M, K: np.sqrt(M) * K, "M K": lambda M, K: M * K}
    drawn = dict(h="initial weight $b_0$", y="escape time, dedicated over shared")
    confront(
        "shared pathways escape rho times as early", advantage, run, dict(M=M, K=K), Order(1, start=0.1), rivals,
        labels=drawn,
    )  # fmt: skip


def test_loser():
    """A pathway of its own that loses against shared ones freezes at b0/(1 - 1/rho), to leading order in b0."""
    M, K, s = 3, 2, 1.7
    graph, task = with_dedicated(M, K, s)

    def run(scale, seed):
        until = 12 + routing_guess(M, s, scale)
        end = gating.flow(graph, task, all_at(graph, own=scale, shared=scale), [until], 1e-8)
        return end["d2"][0, 0, 0] / scale

    rivals = {
        "they stay at b0": lambda M, K, b0: 1.0,
        "they die out": lambda M, K, b0: 0.0,
        "with the advantage K": lambda M, K, b0: 1 / (1 - 1 / K),
    }
    drawn = dict(h="initial weight $b_0$", y="frozen weight / $b_0$")
    claim = "pathways of their own freeze when shared ones have won"
    confront(claim, loser, run, dict(M=M, K=K, b0=1.0), Order(1, start=0.2), rivals, labels=drawn)
