"""Bases in which all correlations of a task are diagonal at once, found without walking paths.

The correlations of a path depend on it only through its ends and the product of its gates, so paths are
gathered by these *kinds*.  Every correlation links two end nodes of the graph.  In the bases sought, a
random combination Q of all links is a direct sum of small blocks, one for each mode; so are its powers.
The block of a power that returns to one node is diagonal there, and its eigenvectors are that node's
basis; the blocks that lead from there carry the basis to the other nodes, mode by mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from theory.gating._graph import GatedGraph
from theory.gating._task import Correlations, Task, _Lazy

SAME = float(np.sqrt(np.finfo(float).eps))  # what agrees in half of the digits of float64 counts as equal
MOST_KINDS = 2_000

Link = tuple[str, str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Diagonal:
    """Bases U[output] and V[input], shape (d, modes), orthonormal but for columns of 0 where a node lacks a mode.

    S[path] and D[j, p], shape (modes,), are the diagonals of U^T Sigma_yx(p) V and V^T Sigma_x(j, p) V; S is
    signed.  Only modes with a correlation to learn are kept, the strongest first.
    """

    corr: Correlations
    U: Mapping[str, np.ndarray]
    V: Mapping[str, np.ndarray]

    @cached_property
    def S(self):
        """Input-output correlation of every path, mode by mode."""
        return _Lazy(lambda: iter(self.corr.yx), self._s)

    @cached_property
    def D(self):
        """Input correlation of every pair of paths that end at one node, mode by mode."""
        return _Lazy(lambda: iter(self.corr.x), self._d)

    def _s(self, path):
        source, target = self.corr.graph.ends(path)
        return np.einsum("ik,ij,jk->k", self.U[target], self.corr.yx[path], self.V[source])

    def _d(self, pair):
        first, second = (self.corr.graph.ends(p)[0] for p in pair)
        return np.einsum("ik,ij,jk->k", self.V[first], self.corr.x[pair], self.V[second])


def diagonalise(graph: GatedGraph, corr: Correlations) -> Diagonal:
    """Bases in which all correlations are diagonal; ValueError, with what is left off the diagonal, if none exist."""
    links = list(_links(graph, corr.task))
    sizes = {v: graph.dims[v] for v in (*graph.inputs, *graph.outputs)}
    bases = _bases(sizes, links)
    residual = _residual(bases, links)
    if residual > SAME:
        more = "" if all("/" in v for v in graph.inputs) else "; graph.clone_inputs() gives every pathway its own bases"
        raise ValueError(
            f"the correlations are not mutually diagonalisable: {residual:.2g} of them is left off the diagonal{more}"
        )
    inputs = graph.inputs
    strong = np.array([
        np.abs(np.einsum("ik,ij,jk->k", bases[a], m, bases[b])) for a, b, m in links if a not in inputs
    ])  # fmt: skip
    if not strong.size or not strong.max() > 0:
        raise ValueError("no path has any correlation between its input and its target: nothing is learnt")
    best = strong.max(0)
    kept = [k for k in np.argsort(-best, kind="stable") if best[k] > SAME * best.max()]
    cut = {v: R[:, kept] for v, R in bases.items()}
    return Diagonal(corr, {v: cut[v] for v in graph.outputs}, {v: cut[v] for v in graph.inputs})


def _links(graph: GatedGraph, task: Task):
    """Every correlation that is not 0, as (node, node, matrix)."""
    arriving = _kinds(graph, task)
    for t in graph.outputs:
        for (s, _), g in arriving[t].items():
            yield t, s, task.mean(g[:, None] * task.target(t), task.x[s])
        for ((a, _), g), ((b, _), h) in product(arriving[t].items(), repeat=2):
            if np.any(g * h):
                yield a, b, task.mean(g[:, None] * task.x[a], h[:, None] * task.x[b])


def _kinds(graph: GatedGraph, task: Task) -> dict[str, dict[tuple[str, bytes], np.ndarray]]:
    """For every node, the different (input, product of gates) with which paths arrive."""
    arriving: dict[str, dict[tuple[str, bytes], np.ndarray]] = {}
    for v in graph.order:
        found: dict[tuple[str, bytes], np.ndarray] = {}
        coming = [(v, task.gate(v))] if v in graph.inputs else []
        for e in graph.into[v]:
            own = task.gate(e) * task.gate(v)
            coming += [(s, g * own) for (s, _), g in arriving[graph.edges[e][0]].items()]
        for s, g in coming:
            if np.any(g):
                found[s, (g + 0.0).tobytes()] = g
        if len(found) > MOST_KINDS:
            raise ValueError(f"more than {MOST_KINDS} different products of gates arrive at {v!r}: use nodewise_flow")
        arriving[v] = found
    return arriving


def _bases(sizes: Mapping[str, int], links: list[Link]) -> dict[str, np.ndarray]:
    """An orthonormal basis for every node; columns with one index belong to one mode, 0 where a node lacks it."""
    draw = np.random.default_rng(0)
    weighted = [(a, b, draw.uniform(1, 2) * m) for a, b, m in links]
    rest = {v: np.eye(d) for v, d in sizes.items()}  # what of each node has no mode yet
    columns: dict[str, list[np.ndarray]] = {v: [] for v in sizes}
    while any(C.shape[1] for C in rest.values()):
        root = max(rest, key=lambda v: rest[v].shape[1])
        walks = _walks(rest, weighted, draw)
        _, frame = np.linalg.eigh(walks[root, root])
        for v, C in rest.items():
            carried = frame if v == root else walks[v, root] @ frame
            length = np.linalg.norm(carried, axis=0)
            there = length > SAME * max(1.0, length.max(initial=0))
            scale = np.where(there, length, 1)
            columns[v].append(C @ np.where(there, carried / scale, 0))
            done = np.linalg.svd(carried[:, there] / scale[there], full_matrices=True)[0] if there.any() else None
            rest[v] = C if done is None else C @ done[:, there.sum() :]
    return {v: np.hstack(c) for v, c in columns.items()}


def _walks(rest, links, draw) -> dict[tuple[str, str], np.ndarray]:
    """The blocks of a random polynomial in a random combination of all links, within what is left of each node."""
    nodes = list(rest)
    starts = dict(zip(nodes, np.cumsum([0] + [rest[v].shape[1] for v in nodes]), strict=False))
    where = {v: slice(starts[v], starts[v] + rest[v].shape[1]) for v in nodes}
    Q = np.zeros((sum(C.shape[1] for C in rest.values()),) * 2)
    for a, b, m in links:
        block = rest[a].T @ m @ rest[b]
        Q[where[a], where[b]] += block
        Q[where[b], where[a]] += block.T
    Q /= max(np.linalg.norm(Q, 2), np.finfo(float).tiny)
    total, power = np.zeros_like(Q), np.eye(len(Q))
    for _ in range(2 * len(nodes)):
        power = power @ Q
        total += draw.uniform(1, 2) * power
    return {(a, b): total[where[a], where[b]] for a, b in product(nodes, repeat=2)}


def _residual(bases, links) -> float:
    """The largest part of any correlation that is off the diagonal, relative to the largest correlation."""
    largest = max((np.abs(m).max() for _, _, m in links), default=0.0) or 1.0
    off = [0.0]
    for a, b, m in links:
        turned = bases[a].T @ m @ bases[b]
        off.append(np.abs(turned - np.diag(np.diag(turned))).max() / largest)
    for R in bases.values():
        overlap = R.T @ R
        off.append(np.abs(overlap - np.diag(np.diag(overlap))).max())
    return float(max(off))
