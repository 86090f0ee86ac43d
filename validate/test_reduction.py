"""Full gated networks from decoupled weights, trained in torch, against their reduction to few equations."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from laws import Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from theory.gating import (
    GatedGraph,
    Task,
    correlations,
    hierarchy,
    pathways,
    reduction,
    routing,
    xor_gates,
    xor_points,
)

SLIDE = "saxe-slides, Reduction and (occasionally) exact solutions"
c, Delta = 0.8, 0.5


def orthonormal(n, seed):
    """Random orthonormal inputs of n items, scaled so that <x x^T> is 0.81/n."""
    return 0.9 * np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


def xor_task(margin):
    """Exclusive-or with four gates, each pathway with an input of its own."""
    x, y = xor_points(c, margin)
    graph, task = pathways(x, y, xor_gates(x), hidden=3)
    return graph.clone_inputs(), task.clone_inputs(graph)


def routing_task(M, K):
    """Routing on a tree of four items; s of 1.8 to .9, d = .81."""
    return routing(M, K, 2 * orthonormal(4, M), hierarchy(2), 5)


def context_task():
    """Features of one tree that count more or less, or the other way, from context to context; a pathway for each."""
    x, tree = 2 * orthonormal(4, 1), hierarchy(2)
    sizes = np.array([[1.3, 0.7, 0.9, 0.4], [0.8, -0.6, 1.2, 0.5], [1.1, 0.9, -0.7, 0.6]])
    which = np.repeat(np.arange(3), 4)
    y = np.vstack([tree * size for size in sizes])
    gates = {f"c{k}": (which == k).astype(float) for k in range(3)}
    return pathways(np.tile(x, (3, 1)), y, {"common": np.ones(12), **gates}, hidden=5)


def random_graph(draw):
    """A random graph of six nodes with skips, several inputs and outputs, and more than five paths."""
    while True:
        pairs = [(i, j) for j in range(6) for i in range(j) if draw.random() < 0.5]
        if {i for pair in pairs for i in pair} == set(range(6)):
            graph = GatedGraph({f"n{i}": 3 for i in range(6)}, {f"e{i}{j}": (f"n{i}", f"n{j}") for i, j in pairs})
            if min(len(graph.inputs), len(graph.outputs)) > 1 and graph.number_of_paths > 5:
                return graph


def random_task(seed=11):
    """A random graph with real gates; its examples are all items under all draws of the gates."""
    draw, patterns = np.random.default_rng(seed), 5
    graph = random_graph(draw)
    frames = {v: np.linalg.qr(draw.normal(size=(3, 3)))[0] * draw.uniform(0.5, 1.5, 3) for v in graph.dims}
    x, y = ({v: np.tile(frames[v].T, (patterns, 1)) for v in ends} for ends in (graph.inputs, graph.outputs))
    gates = {g: np.repeat(draw.uniform(0.3, 1.6, patterns), 3) for g in (*graph.dims, *graph.edges)}
    return graph, Task(x, y, gates, np.repeat(draw.uniform(0.5, 1.5, patterns), 3))


CASES = {
    "exclusive-or": (xor_task, (0.0,), 0.1, 20.0),
    "exclusive-or with margin": (xor_task, (Delta,), 0.1, 20.0),
    "routing (3, 2)": (routing_task, (3, 2), 0.2, 14.0),
    "routing (5, 2)": (routing_task, (5, 2), 0.2, 18.0),
    "routing (7, 4)": (routing_task, (7, 4), 0.2, 22.0),
    "a context task": (context_task, (), 0.15, 12.0),
    "a random graph": (random_task, (), 0.3, 6.0),
}


@cache
def reduced(name):
    """The reduction of a case, its task, its start and its times."""
    make, arguments, b0, end = CASES[name]
    graph, task = make(*arguments)
    return reduction(graph, correlations(graph, task)), task, b0, np.linspace(0, end, 8)[1:]


def seen(graph, weights, modes):
    """What can be seen of weights without their bases: the largest singular values of every edge, and its size.

    weights: edge -> (times, target, source).  Shape (values, times).
    """
    largest = [np.linalg.svd(weights[e], compute_uv=False).T[:modes] for e in graph.edges]
    return np.concatenate([*largest, [np.linalg.norm(weights[e], axis=(1, 2)) for e in graph.edges]])


def said(r, solution):
    """The same of the reduced weights, edge -> (times, modes)."""
    largest = [np.sort(np.abs(solution[e]))[:, ::-1].T for e in r.graph.edges]
    return np.concatenate([*largest, [np.linalg.norm(solution[e], axis=1) for e in r.graph.edges]])


def path_by_path(r, b0, speed):
    """A rival reduction: the `speed` that a path gives to its edge.

    It is made of the path's S, the product of all its weights and of all but the edge's, sum_j B_j D(j, p), and the
    path's own term of that sum.
    """
    graph, paths = r.graph, r.graph.paths
    S, D = np.array([r.base.S[p] for p in paths]), np.zeros((len(paths), len(paths), r.modes))
    for j, p in r.base.D:
        D[paths.index(j), paths.index(p)] = r.base.D[j, p]
    on = np.array([[e in p for e in graph.edges] for p in paths])

    def velocity(_, flat):
        b = flat.reshape(len(graph.edges), -1)
        B = np.array([np.prod(b[row], axis=0) for row in on])
        joint, own = np.einsum("jk,jpk->pk", B, D), B * np.einsum("ppk->pk", D)
        rows = [speed(S, B, B / b[e], joint, own)[on[:, e]].sum(0) for e in range(len(b))]
        return np.concatenate(rows)

    def solve(t):
        start = np.full((len(graph.edges), r.modes), b0).ravel()
        found = solve_ivp(velocity, (0, t[-1]), start, "DOP853", t, rtol=1e-8, atol=1e-10)
        rows = found.y.T.reshape(len(t), len(graph.edges), r.modes)
        return said(r, {e: rows[:, i] for i, e in enumerate(graph.edges)})

    return solve


RIVALS = {
    "as printed, d/dt on S and no brackets": lambda S, whole, rest, all_j, own: -all_j,
    "the whole path's product in front": lambda S, whole, rest, all_j, own: whole * (S - all_j),
    "each path its own error alone": lambda S, whole, rest, all_j, own: rest * (S - own),
}


def drawing(graph, task):
    """The graph with its gates: nodes in columns by the edges before them, dashed where a gate is not always 1."""
    before = {v: 0 for v in graph.dims}
    for v in graph.order:
        before[v] = max((before[graph.edges[e][0]] + 1 for e in graph.into[v]), default=0)
    columns = [[v for v in graph.order if before[v] == k] for k in range(max(before.values()) + 1)]
    bend = 0.3 if len(columns) > 4 else 0.0  # so that edges that skip a column do not hide behind each other
    at = {v: (k + 0.0, (len(c) - 1) / 2 - i + bend * (-1) ** k) for k, c in enumerate(columns) for i, v in enumerate(c)}
    gated = lambda name: name in task.gates and bool(np.any(task.gates[name] != 1))  # noqa: E731
    series = []
    for e, (s, t) in graph.edges.items():
        role, says = ("gated edge", "with a gate") if gated(e) else ("edge", "always open")
        series.append(Series(role, [at[s][0], at[t][0]], [at[s][1], at[t][1]], says))
    for v, (x, y) in at.items():
        series.append(Series("gated node" if gated(v) else "node", [x], [y], v.partition("/")[0]))
    return Panel("", "", tuple(series))


@pytest.mark.parametrize("name", CASES)
def test_reduction(name):
    """Full matrices, started decoupled, follow the reduction to the solver's own error."""
    r, task, b0, times = reduced(name)
    frames = {**r.base.U, **r.base.V}

    def run(rtol, seed):
        start = gating.decoupled(r.graph, frames, b0, seed=seed)
        return seen(r.graph, gating.flow(r.graph, task, start, times, rtol), r.modes)

    if "routing" in name:
        rivals = routing_rivals(r, *CASES[name][1], b0)
    else:
        alone = "exclusive" in name  # its paths never meet on one example
        rivals = {k: path_by_path(r, b0, v) for k, v in RIVALS.items() if not (alone and "own error" in k)}
    law = lambda t: said(r, r.solve(b0, t, rtol=1e-13))  # noqa: E731
    labels = dict(t="time t (τ = 1)", y="singular values of the weights", about=SLIDE)
    judge, graph = Solver(rtol=1e-8), drawing(r.graph, task)
    claim, at = f"{name} follows its reduction", dict(t=times)
    confront(claim, law, run, at, judge, rivals, labels=labels, picture=graph, of=reduction)


def routing_rivals(r, M, K, b0):
    """Routing with other shares of the slope for the weights of a domain and the shared one."""
    s, d = (r.values[next(k for k in r.values if k.name == letter)] for letter in "sd")

    def with_shares(domain, shared, gain=1.0):
        def velocity(_, flat):
            b = flat.reshape(3, -1)
            error = gain * (s - d * np.prod(b, axis=0))
            return np.array([domain * b[1] * b[2], shared * b[0] * b[2], domain * b[0] * b[1]] * error).ravel()

        def solve(t):
            found = solve_ivp(velocity, (0, t[-1]), np.full(3 * r.modes, b0), "DOP853", t, rtol=1e-9, atol=1e-11)
            rows = found.y.T.reshape(len(t), 3, r.modes)
            return said(r, {e: rows[:, 1 if e == "h" else 0 if "in" in e else 2] for e in r.graph.edges})

        return solve

    return {
        "no sharing": with_shares(1 / (M * K), 1 / (M * K)),
        "averaged over all M^2 pairs": with_shares(K / M**2, K / M),
        "every edge shared by all": with_shares(1.0, 1.0),
        "the shared edge by M paths": with_shares(1 / M, 1 / K),
        "loss summed over pairs": with_shares(1 / M, 1.0, M * K),
    }
