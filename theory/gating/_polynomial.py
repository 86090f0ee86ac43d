"""The reduced network as polynomials in its lumped edges, by node-wise passes: no path is walked.

A polynomial is a dictionary {exponents: coefficient}; equal terms merge as the passes go, so that many
paths through few lumps stay few terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from theory.gating._diagonal import SAME, Diagonal
from theory.gating._graph import GatedGraph

Polynomial = dict[tuple[int, ...], np.ndarray]
MOST_TERMS = 20_000


@dataclass(frozen=True, eq=False)
class Pattern:
    """The examples that share all gates: the gates, and the moments <u.y v.x> and <v.x v'.x>, mode by mode."""

    gates: Mapping[str, float]
    yx: Mapping[tuple[str, str], np.ndarray]
    xx: Mapping[tuple[str, str], np.ndarray]


def patterns(graph: GatedGraph, base: Diagonal) -> list[Pattern]:
    """The task of each mode, one scalar network each, gathered by the gates of its examples."""
    task = base.corr.task
    names = [*graph.dims, *graph.edges]
    gates = np.array([task.gate(g) for g in names]).T
    kinds, which = np.unique(gates, axis=0, return_inverse=True)
    x = {s: task.x[s] @ base.V[s] for s in graph.inputs}
    y = {t: task.target(t) @ base.U[t] for t in graph.outputs}
    found = []
    for k, kind in enumerate(kinds):
        share = np.where(np.ravel(which) == k, task.share, 0.0)
        yx = {(t, s): share @ (y[t] * x[s]) for t in graph.outputs for s in graph.inputs}
        xx = {(s, r): share @ (x[s] * x[r]) for s in graph.inputs for r in graph.inputs}
        found.append(Pattern(dict(zip(names, kind, strict=True)), yx, xx))
    return found


def energies(graph: GatedGraph, examples: list[Pattern], colour: Mapping[str, int]) -> tuple[Polynomial, Polynomial]:
    """F = <y h> and G = <h^2>/2, so that the loss of each mode is <y^2>/2 - F + G."""
    F: Polynomial = {}
    G: Polynomial = {}
    for pattern in examples:
        ahead = _ahead(graph, pattern, colour)
        for t in graph.outputs:
            for s, p in ahead[t].items():
                _add(F, p, pattern.yx[t, s])
                for r, q in ahead[t].items():
                    _add(G, _times(p, q), pattern.xx[s, r] / 2)
    return _cleaned(F), _cleaned(G)


def slopes(graph: GatedGraph, examples: list[Pattern], colour: Mapping[str, int]) -> dict[str, Polynomial]:
    """The speed of every edge as a polynomial in the lumps, by one pass forward and one backward for each pattern."""
    speeds: dict[str, Polynomial] = {e: {} for e in graph.edges}
    for pattern in examples:
        ahead, behind = _ahead(graph, pattern, colour), _behind(graph, pattern, colour)
        none = (0,) * (max(colour.values()) + 1)
        errors = {(t, s): _error(pattern, ahead, t, s, none) for t in graph.outputs for s in graph.inputs}
        for e, (source, target) in graph.edges.items():
            for t, after in behind[target].items():
                for s, before in ahead[source].items():
                    around = _times(after, before)
                    for m, c in errors[t, s].items():
                        _add(speeds[e], {_joined(m, k): pattern.gates[e] * v for k, v in around.items()}, c)
    return {e: _cleaned(p) for e, p in speeds.items()}


def lumps(graph: GatedGraph, examples: list[Pattern], alike: Mapping[str, object]) -> dict[str, int]:
    """The coarsest partition of the edges, finer than `alike`, in which equal weights stay equal.

    Edges of one colour whose speeds differ as polynomials in the colours can be in no such partition
    together; they are set apart until none are left.
    """
    labels = list(dict.fromkeys(alike[e] for e in graph.edges))
    colour = {e: labels.index(alike[e]) for e in graph.edges}
    while True:
        speed = slopes(graph, examples, colour)
        groups: list[tuple[int, str]] = []  # a colour and the first edge that has it
        refined = {}
        for e in graph.edges:
            same = (i for i, (c, first) in enumerate(groups) if c == colour[e] and _equal(speed[e], speed[first]))
            refined[e] = next(same, len(groups))
            if refined[e] == len(groups):
                groups.append((colour[e], e))
        if len(groups) == len(set(colour.values())):
            return refined
        colour = refined


def levels(graph: GatedGraph) -> dict[str, tuple[int, int]]:
    """How many edges at most lie before each edge, and how many behind."""
    depth: dict[str, int] = {}
    height: dict[str, int] = {}
    for v in graph.order:
        depth[v] = max((depth[graph.edges[e][0]] + 1 for e in graph.into[v]), default=0)
    for v in reversed(graph.order):
        height[v] = max((height[graph.edges[e][1]] + 1 for e in graph.out_of[v]), default=0)
    return {e: (depth[s], height[t]) for e, (s, t) in graph.edges.items()}


def _ahead(graph, pattern, colour) -> dict[str, dict[str, Polynomial]]:
    """For every node, what it receives from each input."""
    one = {(0,) * (max(colour.values()) + 1): np.ones(())}
    ahead: dict[str, dict[str, Polynomial]] = {}
    for v in graph.order:
        if v in graph.inputs:
            ahead[v] = {v: _scaled(one, pattern.gates[v])} if pattern.gates[v] else {}
            continue
        steps = ((e, ahead[graph.edges[e][0]], pattern.gates[v]) for e in graph.into[v])
        ahead[v] = _gathered(steps, pattern, colour)
    return ahead


def _behind(graph, pattern, colour) -> dict[str, dict[str, Polynomial]]:
    """For every node, what it passes on to each output, its own gate included."""
    one = {(0,) * (max(colour.values()) + 1): np.ones(())}
    behind: dict[str, dict[str, Polynomial]] = {}
    for v in reversed(graph.order):
        if v in graph.outputs:
            behind[v] = {v: _scaled(one, pattern.gates[v])} if pattern.gates[v] else {}
            continue
        steps = ((e, behind[graph.edges[e][1]], pattern.gates[v]) for e in graph.out_of[v])
        behind[v] = _gathered(steps, pattern, colour)
    return behind


def _gathered(steps: Iterator, pattern, colour) -> dict[str, Polynomial]:
    total: dict[str, Polynomial] = {}
    for e, carried, gate in steps:
        if factor := pattern.gates[e] * gate:
            for end, p in carried.items():
                _add(total.setdefault(end, {}), {_raised(m, colour[e]): c for m, c in p.items()}, factor)
    return total


def _error(pattern, ahead, t, s, none) -> Polynomial:
    """<(y - h) x> at one output and input: the error that drives the paths between them."""
    error: Polynomial = {none: pattern.yx[t, s]}
    for r, q in ahead[t].items():
        _add(error, q, -pattern.xx[s, r])
    return error


def _scaled(p: Polynomial, by: float) -> Polynomial:
    return {m: by * c for m, c in p.items()}


def _joined(m, k):
    return tuple(a + b for a, b in zip(m, k, strict=True))


def _raised(m, i):
    return (*m[:i], m[i] + 1, *m[i + 1 :])


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    total: Polynomial = {}
    for m, c in p.items():
        _add(total, {_joined(m, k): v for k, v in q.items()}, c)
    return total


def _add(total: Polynomial, p: Polynomial, factor) -> None:
    for m, c in p.items():
        total[m] = total.get(m, 0.0) + factor * c
    if len(total) > MOST_TERMS:
        raise ValueError(f"the reduction has more than {MOST_TERMS} terms: let edges be alike, or use nodewise_flow")


def _cleaned(p: Polynomial) -> Polynomial:
    """Without the terms that cancelled."""
    size = _size(p)
    return {m: c for m, c in p.items() if np.max(np.abs(c)) > SAME * size}


def _equal(p: Polynomial, q: Polynomial) -> bool:
    size = max(_size(p), _size(q))
    return all(np.max(np.abs(p.get(m, 0.0) - q.get(m, 0.0))) <= SAME * size for m in {*p, *q})


def _size(p: Polynomial) -> float:
    return max((float(np.max(np.abs(c))) for c in p.values()), default=0.0)
