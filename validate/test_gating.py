"""Gated networks trained in torch, against the path equation, the reduction and its closed forms."""

from functools import cache, reduce

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from laws import Roundoff, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from theory.gating import (
    GatedGraph,
    Task,
    correlations,
    gradient_flow,
    hierarchy,
    pathways,
    reduction,
    routing,
    xor_gates,
    xor_points,
)

c, Delta, tau = 0.8, 0.5, 1.3

# -- the path equation -----------------------------------------------------------------------------


@st.composite
def network(draw):
    """Any graph with skips, several inputs and outputs; real gates on any nodes and edges; examples, weights."""
    n = draw(st.integers(3, 8))
    nodes = [f"n{i}" for i in range(n)]
    pairs = [(i, j) for j in range(1, n) for i in range(j) if draw(st.booleans())]
    pairs += [(i, n - 1) for i in range(n - 1) if not any(i in p for p in pairs)]
    pairs += [(0, n - 1)] if not any(n - 1 in p for p in pairs) else []
    dims = {v: draw(st.integers(1, 4)) for v in nodes}
    graph = GatedGraph(dims, {f"e{k}": (nodes[i], nodes[j]) for k, (i, j) in enumerate(pairs)})
    with_gates = [g for g in (*nodes, *graph.edges) if draw(st.booleans())]
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    x, y = ({v: numbers.normal(size=(6, dims[v])) for v in ends} for ends in (graph.inputs, graph.outputs))
    task = Task(x, y, {g: numbers.normal(size=6) for g in with_gates}, numbers.uniform(0.3, 1.7, 6))
    return graph, task, {e: numbers.normal(size=(dims[t], dims[s])) for e, (s, t) in graph.edges.items()}


@cache
def networks(seed, count=40):
    """Networks that hypothesis generates from one seed."""
    found = []

    @hypothesis.seed(seed)
    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None)
    @given(network())
    def gather(one):
        found.append(one)

    gather()
    return found


def row(arrays):
    """All entries of all edges of all networks, in one row."""
    return np.concatenate([np.ravel(v) for speeds in arrays for v in speeds.values()])


def by_autograd(seed):
    """Minus the slope of the loss in every weight of every network."""
    return -row([slope(graph, task, weights) for graph, task, weights in networks(seed)])


def slope(graph, task, weights):
    """The slope that automatic differentiation finds."""
    leaves = {e: torch.from_numpy(w) for e, w in weights.items()}
    return {e: g.numpy() for e, g in gating.gradient(graph, task, leaves).items()}


def by_paths(seed):
    """The path equation of every network."""
    return row([gradient_flow(graph, correlations(graph, task), weights) for graph, task, weights in networks(seed)])


def condition(seed):
    """The sum of the sizes of all terms of the path equation over the size of their sum."""
    sizes = []
    for graph, task, weights in networks(seed):
        positive = lambda arrays: {k: np.abs(v) for k, v in arrays.items()}  # noqa: E731
        own = Task(positive(task.x), positive(task.y), positive(task.gates), task.weight)
        silent = Task(own.x, {v: 0 * y for v, y in own.y.items()}, own.gates, task.weight)
        both, outputs = (gradient_flow(graph, correlations(graph, t), positive(weights)) for t in (own, silent))
        sizes.append({e: both[e] - 2 * outputs[e] for e in both})
    return row(sizes) / np.abs(by_paths(seed))


def product(weights, path):
    """The product of the weights along a path; 1 if it is empty."""
    return reduce(lambda total, e: weights[e] @ total, path[1:], weights[path[0]]) if path else 1.0


def printed(same):
    """The path equation in which the paths that share an error are chosen by `same(graph, j, p, e)`."""

    def flow(graph, task, weights):
        corr = correlations(graph, task)
        speed = {e: np.zeros_like(w) for e, w in weights.items()}
        for p in graph.paths:
            for i, e in enumerate(p):
                error = corr.yx[p] - sum(
                    product(weights, j) @ corr.x[j, p] for j in graph.paths if same(graph, j, p, e)
                )
                before, after = product(weights, p[:i]), product(weights, p[i + 1 :])
                speed[e] += np.dot(np.transpose(after), np.dot(error, np.transpose(before)))
        return speed

    return lambda seed: row([flow(*network) for network in networks(seed)])


def test_path_equation():
    """On random graphs with skips, real gates, many inputs and outputs, the path equation is the gradient."""
    seed = 3
    ends = lambda graph, j, p: graph.ends(j)[1] == graph.ends(p)[1]  # noqa: E731
    rivals = {
        "the path's own error alone": printed(lambda graph, j, p, e: j == p),
        "as braced, paths that end where e does": printed(lambda g, j, p, e: ends(g, j, p) and j[-1] == e),
        "paths from one input alone": printed(lambda g, j, p, e: ends(g, j, p) and g.ends(j)[0] == g.ends(p)[0]),
    }
    longest = 6 + 6 * 4 * 64  # examples, then layers times units times paths
    confront(
        "the path equation is the gradient of a gated network",
        lambda: by_paths(seed),
        lambda _: by_autograd(seed),
        {},
        Roundoff(operations=longest, condition=condition(seed)),
        {name: lambda rival=rival: rival(seed) for name, rival in rivals.items()},
        labels=dict(point="weight"),
    )


def test_conservation():
    """Along gradient flow each hidden node conserves its incoming less its outgoing squares, whatever the gates."""
    cases = [case for case in networks(5, 8) if hidden_nodes(case[0])]

    def after(rtol):
        return [ends(*case, rtol) for case in cases]

    def squares(weights, side):
        """Sums of squared weights at every hidden node of every network; `side` picks and multiplies."""
        return np.concatenate([
            sum(side(graph, w, v), np.zeros(())).ravel()
            for (graph, _, _), w in zip(cases, weights, strict=True)
            for v in hidden_nodes(graph)
        ])  # fmt: skip

    incoming = lambda graph, w, v: (w[e] @ w[e].T for e in graph.into[v])  # noqa: E731
    outgoing = lambda graph, w, v: (w[e].T @ w[e] for e in graph.out_of[v])  # noqa: E731
    first = lambda graph, w, v: (w[e].T @ w[e] for e in graph.out_of[v][:1])  # noqa: E731
    before, end = [half(weights) for _, _, weights in cases], after(1e-13)
    grown = lambda side: squares(end, side) - squares(before, side)  # noqa: E731
    confront(
        "each hidden node conserves incoming less outgoing squares",
        lambda: squares(before, incoming) + grown(outgoing),
        lambda rtol, seed: squares(after(rtol), incoming),
        {},
        Solver(rtol=1e-9),
        {
            "their sum, not their difference": lambda: squares(before, incoming) - grown(outgoing),
            "chain by chain, the first outgoing edge alone": lambda: squares(before, incoming) + grown(first),
            "nothing moves": lambda: squares(before, incoming),
        },
        labels=dict(point="entry of the incoming squares"),
    )


def half(weights):
    """Weights half as large."""
    return {e: w / 2 for e, w in weights.items()}


def ends(graph, task, weights, rtol):
    """The weights after a short gradient flow."""
    start = {e: torch.from_numpy(w) for e, w in half(weights).items()}
    return {e: w[-1] for e, w in gating.flow(graph, task, start, [0.3], rtol).items()}


def hidden_nodes(graph):
    """The nodes that are neither inputs nor outputs."""
    return [v for v in graph.dims if graph.into[v] and graph.out_of[v]]


# -- the reduction ---------------------------------------------------------------------------------


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


def random_task(seed=11):
    """A random graph with skips and real gates; its examples are all items under all draws of the gates."""
    draw, patterns = np.random.default_rng(seed), 5
    rich = (g for g, _, _ in networks(seed) if min(len(g.inputs), len(g.outputs)) > 1 and 5 < g.number_of_paths < 40)
    edges = dict(next(rich).edges)
    graph = GatedGraph({v: 3 for ends in edges.values() for v in ends}, edges)
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
    labels = dict(t="time t (τ = 1)", y="singular values of the weights")
    judge, graph = Solver(rtol=1e-8), drawing(r.graph, task)
    confront(f"{name} follows its reduction", law, run, dict(t=times), judge, rivals, labels=labels, picture=graph)


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
