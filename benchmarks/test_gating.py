"""How fast gated networks are reduced, raced and trained; run by path: pytest benchmarks/test_gating.py -n 0."""

import numpy as np
import pytest
import torch

from numerics import gating
from theory.gating import contexts, correlations, hierarchy, nodewise_flow, reduction, routing, xor_points
from theory.race import race


@pytest.fixture
def routing_7_4():
    """Routing of 7 domains, 4 outputs each: 49 paths, a tree of 8 items."""
    items = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0] * 2.5
    return routing(7, 4, items, hierarchy(3), 8)


def test_reduction(benchmark, routing_7_4):
    """From the examples to the symbolic equations; the aim is 5 s."""
    graph, task = routing_7_4
    r = benchmark(lambda: reduction(graph, correlations(graph, task)))
    assert len(r.members) == 3 and r.flow.speeds


def test_solution(benchmark, routing_7_4):
    """Solving them for all modes at 41 times; the aim is 0.1 s."""
    graph, task = routing_7_4
    r = reduction(graph, correlations(graph, task))
    times = np.linspace(0, 40, 41)
    r.solve(0.1, times)  # compiles
    assert len(benchmark(r.solve, 0.1, times)["h"]) == 41


def test_full_speed(benchmark, routing_7_4):
    """One speed of the full network by node-wise passes, for comparison with a whole solution above."""
    graph, task = routing_7_4
    weights = {e: np.full((graph.dims[t], graph.dims[s]), 0.1) for e, (s, t) in graph.edges.items()}
    benchmark(nodewise_flow, graph, task, weights)


def test_race(benchmark):
    """Five schemes on the context task; the aim is 10 s."""
    x, y, which = contexts()
    on = lambda rows: rows.astype(float)  # noqa: E731
    common = {"common": np.ones(len(x))}
    one = {f"only{k}": on(which == k) for k in range(3)}
    two = {f"not{k}": on(which != k) for k in range(3)}
    schemes = {"common": common, "one": one, "two": two, "common + one": common | one, "common + two": common | two}
    assert len(benchmark.pedantic(race, (x, y, schemes, 1e-2), rounds=1)) == 5


def test_phase_diagram(benchmark):
    """ReLU networks of width 200: 6 scales, 12 margins, 3 seeds at once; the aim is 180 s."""
    scales, margins, eta = np.array([1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8]), np.linspace(0.2, 1.3, 12), 0.05
    x, y = map(torch.from_numpy, xor_points(1.0, np.tile(margins, 18)))

    def train():
        layers = gating.relu_layers(216, 200, 3, 1, np.repeat(scales, 36), seed=0)
        return gating.relu_train(x, y, layers, [eta * round(140 / eta)], eta)[0]

    assert np.max(benchmark.pedantic(train, rounds=1)) < 1e-3
