"""Examples with their gates, their correlations path by path, and the two forms of the gradient flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from types import MappingProxyType

import numpy as np

from laws.law import formula
from theory.gating._graph import GatedGraph, Path

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Task:
    """Inputs x[node] and targets y[node] of shape (P, d), and gates[node or edge] of shape (P,), 1 unless given.

    `weight`, shape (P,), says how often each example occurs; equally often unless given.  An output whose
    gate is 0 on an example has the target 0 there.

    Raises ValueError for shapes that do not fit together, values that are not finite, and weights that are
    negative or all 0; TypeError for what is no array of numbers.
    """

    x: Arrays
    y: Arrays
    gates: Arrays
    weight: np.ndarray | None = None

    def __post_init__(self):
        for name in ("x", "y", "gates"):
            values = {k: _numbers(f"{name}[{k!r}]", v) for k, v in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(values))
        if not self.x or not self.y:
            raise ValueError("a task needs inputs x and targets y")
        P = len(next(iter(self.x.values())))
        for name, axes in (("x", 2), ("y", 2), ("gates", 1)):
            for k, v in getattr(self, name).items():
                wanted = "(P, d)" if axes == 2 else "(P,)"
                if v.ndim != axes or len(v) != P or P == 0:
                    raise ValueError(f"{name}[{k!r}] has shape {v.shape}, not {wanted} with P = {P} examples")
        _ = self.share  # refuses bad weights

    @property
    def examples(self) -> int:
        """How many examples there are, P."""
        return len(next(iter(self.x.values())))

    @cached_property
    def share(self) -> np.ndarray:
        """How often each example occurs, shape (P,); sums to 1."""
        return np.full(self.examples, 1 / self.examples) if self.weight is None else _shares(self.weight, self.examples)

    def gate(self, name: str) -> np.ndarray:
        """The gate of a node or edge on every example; 1 unless given."""
        return self.gates[name] if name in self.gates else np.ones(self.examples)

    def target(self, node: str) -> np.ndarray:
        """What an output node is asked for: 0 on the examples on which it is gated off."""
        return self.y[node] * (self.gate(node) != 0)[:, None]

    def mean(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The average <first second^T> over examples; both of shape (P, .)."""
        return np.einsum("e,ei,ej->ij", self.share, first, second)

    def fits(self, graph: GatedGraph) -> None:
        """ValueError unless every input has its x, every output its y, in its dimension, and gates name what exists."""
        for name, nodes in (("x", graph.inputs), ("y", graph.outputs)):
            given = getattr(self, name)
            if set(given) != set(nodes):
                raise ValueError(f"{name} is given for {sorted(given)}, but the graph has {sorted(nodes)} there")
            for v in nodes:
                if given[v].shape[1] != graph.dims[v]:
                    raise ValueError(f"{name}[{v!r}] has dimension {given[v].shape[1]}, the node has {graph.dims[v]}")
        if unknown := [g for g in self.gates if g not in graph.dims and g not in graph.edges]:
            raise ValueError(f"gates[{unknown[0]!r}]: the graph has no such node or edge")

    def clone_inputs(self, graph: GatedGraph) -> Task:
        """The same task for `graph.clone_inputs()`."""
        self.fits(graph)
        x = {f"{v}/{e}": self.x[v] for v in graph.inputs for e in graph.out_of[v]}
        gates = {f"{v}/{e}": self.gates[v] for v in graph.inputs if v in self.gates for e in graph.out_of[v]}
        gates |= {g: values for g, values in self.gates.items() if g not in graph.inputs}
        return Task(x, self.y, gates, self.weight)


class _Lazy(Mapping):
    """A mapping whose values are computed when asked for."""

    def __init__(self, keys: Callable[[], Iterator], value: Callable):
        self._keys, self._value = keys, value

    def __getitem__(self, key):
        return self._value(key)

    def __iter__(self):
        return self._keys()

    def __len__(self):
        return sum(1 for _ in self._keys())


@dataclass(frozen=True, eq=False)
class Correlations:
    """What a task tells the network: yx[path] = <g_p y x^T>, x[j, p] = <g_j x_s(j) x_s(p)^T g_p>."""

    graph: GatedGraph
    task: Task

    def gate(self, path: Path) -> np.ndarray:
        """The product of all gates along a path, both end nodes included; shape (P,)."""
        source, _ = self.graph.ends(path)
        product = self.task.gate(source)
        for e in path:
            product = product * self.task.gate(e) * self.task.gate(self.graph.edges[e][1])
        return product

    @cached_property
    def yx(self) -> Mapping[Path, np.ndarray]:
        """Input-output correlation of every path; shape (target, source)."""
        return _Lazy(lambda: iter(self.graph.paths), self._yx)

    @cached_property
    def x(self) -> Mapping[tuple[Path, Path], np.ndarray]:
        """Input correlation of every pair of paths that end at one node; shape (source of j, source of p)."""
        return _Lazy(self._pairs, self._x)

    def _yx(self, path):
        source, target = self.graph.ends(path)
        return self.task.mean(self.gate(path)[:, None] * self.task.target(target), self.task.x[source])

    def _x(self, pair):
        (sj, tj), (sp, tp) = map(self.graph.ends, pair)
        if tj != tp:
            raise KeyError(f"{pair}: these paths end at different nodes")
        gates = [self.gate(p)[:, None] for p in pair]
        return self.task.mean(gates[0] * self.task.x[sj], gates[1] * self.task.x[sp])

    def _pairs(self):
        by_target = {v: [p for p in self.graph.paths if self.graph.ends(p)[1] == v] for v in self.graph.outputs}
        return ((j, p) for p in self.graph.paths for j in by_target[self.graph.ends(p)[1]])


def correlations(graph: GatedGraph, task: Task) -> Correlations:
    """The correlations of a task, path by path, computed when asked for; ValueError if it does not fit the graph."""
    task.fits(graph)
    return Correlations(graph, task)


@formula(
    r"""\frac{d W_e}{d t} = \sum_{p \text{ through } e} W_{\mathrm{after}}^T
    \left[ \Sigma_{yx}(p) - \sum_{j \text{ ending with } p} W_j \Sigma_x(j, p) \right] W_{\mathrm{before}}^T"""
)
def gradient_flow(graph: GatedGraph, corr: Correlations, weights: Arrays) -> dict[str, np.ndarray]:
    """The speed dW_e/dt of every edge by the path equation (2), tau = 1.

    It walks every path, as the equation does; `nodewise_flow` gives the same from the examples.
    weights: edge -> array of shape (target, source).  Raises ValueError for another shape.

    Source: saxe-slides, Gradient descent, over paths; equation (2).
    """
    weights = checked_weights(graph, weights)
    values = {p: _product([weights[e] for e in p], graph.dims[graph.ends(p)[0]]) for p in graph.paths}
    speed = {e: np.zeros_like(w) for e, w in weights.items()}
    for p in graph.paths:
        same = [j for j in graph.paths if graph.ends(j)[1] == graph.ends(p)[1]]
        error = corr.yx[p] - sum(values[j] @ corr.x[j, p] for j in same)
        for i, e in enumerate(p):
            source, target = graph.edges[e]
            before = _product([weights[k] for k in p[:i]], graph.dims[source])
            after = _product([weights[k] for k in p[i + 1 :]], graph.dims[target])
            speed[e] += after.T @ error @ before.T
    return speed


def nodewise_flow(graph: GatedGraph, task: Task, weights: Arrays) -> dict[str, np.ndarray]:
    """The same speed by one pass forward and one backward over the nodes: no path is walked."""
    task.fits(graph)
    weights = checked_weights(graph, weights)
    h = forward(graph, task, weights)
    back = {v: task.share[:, None] * task.gate(v)[:, None] * (task.target(v) - h[v]) for v in graph.outputs}
    for v in reversed(graph.order):
        if graph.out_of[v]:
            arriving = (task.gate(e)[:, None] * (back[graph.edges[e][1]] @ weights[e]) for e in graph.out_of[v])
            back[v] = task.gate(v)[:, None] * sum(arriving)
    return {e: (task.gate(e)[:, None] * back[t]).T @ h[s] for e, (s, t) in graph.edges.items()}


def forward(graph: GatedGraph, task: Task, weights: Arrays) -> dict[str, np.ndarray]:
    """The activity of every node, (1); shape (P, d)."""
    h: dict[str, np.ndarray] = {}
    for v in graph.order:
        arriving = (task.gate(e)[:, None] * (h[graph.edges[e][0]] @ weights[e].T) for e in graph.into[v])
        h[v] = task.gate(v)[:, None] * (sum(arriving) if graph.into[v] else task.x[v])
    return h


def loss(graph: GatedGraph, task: Task, weights: Arrays) -> float:
    """Half the squared error, averaged over examples."""
    h = forward(graph, task, checked_weights(graph, weights))
    return sum(float(task.share @ ((task.target(v) - h[v]) ** 2).sum(1)) for v in graph.outputs) / 2


def checked_weights(graph: GatedGraph, weights: Arrays) -> dict[str, np.ndarray]:
    """The weights as float64 arrays of shape (target, source), edge by edge."""
    if set(weights) != set(graph.edges):
        raise ValueError(f"weights are given for {sorted(weights)}, the edges are {sorted(graph.edges)}")
    arrays = {e: _numbers(f"weights[{e!r}]", weights[e]) for e in graph.edges}
    for e, (s, t) in graph.edges.items():
        if arrays[e].shape != (wanted := (graph.dims[t], graph.dims[s])):
            raise ValueError(f"weights[{e!r}] has shape {arrays[e].shape}, not {wanted}")
    return arrays


def _product(matrices: list[np.ndarray], size: int) -> np.ndarray:
    """The matrices, first applied first; the identity of this size if there are none."""
    return reduce(lambda total, m: m @ total, matrices) if matrices else np.eye(size)


def _shares(weight, P: int) -> np.ndarray:
    weight = _numbers("weight", weight)
    if weight.shape != (P,):
        raise ValueError(f"weight has shape {weight.shape}, not (P,) with P = {P} examples")
    if np.any(weight < 0) or not np.any(weight > 0):
        raise ValueError(f"weight = {weight} must not be negative, and not all 0")
    return weight / weight.sum()


def _numbers(name: str, values) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} is of type {array.dtype}, not real numbers")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} has values that are not finite")
    return array.astype(float)
