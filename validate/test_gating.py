"""Gated networks of any graph: the path equation against automatic differentiation, and what each node conserves."""

from functools import cache, reduce

import hypothesis
import numpy as np
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from laws import Roundoff, Solver, confront
from laws.judges.confrontation import fresh
from laws.law import formula
from numerics import gating
from theory.gating import GatedGraph, Task, correlations, gradient_flow


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
    claim = "the path equation is the gradient of a gated network"
    seed = fresh(0, claim)  # of the networks that are run: the law is about the same ones
    ends = lambda graph, j, p: graph.ends(j)[1] == graph.ends(p)[1]  # noqa: E731
    rivals = {
        "the path's own error alone": printed(lambda graph, j, p, e: j == p),
        "as braced, paths that end where e does": printed(lambda g, j, p, e: ends(g, j, p) and j[-1] == e),
        "paths from one input alone": printed(lambda g, j, p, e: ends(g, j, p) and g.ends(j)[0] == g.ends(p)[0]),
    }
    longest = 6 + 6 * 4 * 64  # examples, then layers times units times paths
    confront(
        claim,
        lambda: by_paths(seed),
        by_autograd,
        {},
        Roundoff(operations=longest, condition=condition(seed)),
        {name: lambda rival=rival: rival(seed) for name, rival in rivals.items()},
        labels=dict(y="gradient of a weight"),
        of=gradient_flow,
    )


def test_conservation():
    """Along gradient flow each hidden node conserves its incoming less its outgoing squares, whatever the gates."""
    claim = "each hidden node conserves incoming less outgoing squares"
    chosen = lambda seed: [case for case in networks(seed, 8) if hidden_nodes(case[0])]  # noqa: E731
    cases = chosen(fresh(0, claim))  # of the networks that are run: the law is about the same ones

    def after(rtol, cases=cases):
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

    @formula(r"\frac{d}{dt} \Big( \sum_{e \to v} W_e W_e^\top - \sum_{v \to e} W_e^\top W_e \Big) = 0")
    def conserved():
        """Incoming squares of a node v: those at the start, and what the outgoing ones have grown by."""
        return squares(before, incoming) + grown(outgoing)

    confront(
        claim,
        conserved,
        lambda rtol, seed: squares(after(rtol, chosen(seed)), incoming),
        {},
        Solver(rtol=1e-9),
        {
            "their sum, not their difference": lambda: squares(before, incoming) - grown(outgoing),
            "chain by chain, the first outgoing edge alone": lambda: squares(before, incoming) + grown(first),
            "nothing moves": lambda: squares(before, incoming),
        },
        labels=dict(y="entry of the incoming squares"),
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
