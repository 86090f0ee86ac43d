"""A gated deep linear network: nodes, directed edges, and the paths between inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

Path = tuple[str, ...]  # the names of its edges, from input to output
MOST_PATHS = 100_000


@dataclass(frozen=True)
class GatedGraph:
    """A directed acyclic graph of linear layers; nodes without incoming edges are inputs, without outgoing, outputs.

    dims: node -> number of units; edges: name -> (source, target).

    Raises ValueError for dimensions below 1, unknown nodes, names used twice, cycles, and nodes on no
    path from an input to an output; TypeError for dimensions that are no whole numbers.
    """

    dims: Mapping[str, int]
    edges: Mapping[str, tuple[str, str]]

    def __post_init__(self):
        for node, d in self.dims.items():
            if isinstance(d, bool) or not isinstance(d, int):
                raise TypeError(f"dims[{node!r}] = {d!r} is not a whole number")
            if d < 1:
                raise ValueError(f"dims[{node!r}] = {d} must be at least 1")
        for name, ends in self.edges.items():
            if not (isinstance(ends, tuple) and len(ends) == 2):
                raise ValueError(f"edges[{name!r}] = {ends!r} must be a pair (source, target)")
            if unknown := [v for v in ends if v not in self.dims]:
                raise ValueError(f"edges[{name!r}] = {ends}: unknown node {unknown[0]!r}; nodes are {list(self.dims)}")
            if name in self.dims:
                raise ValueError(f"{name!r} names a node and an edge: gates could not tell them apart")
        object.__setattr__(self, "dims", MappingProxyType(dict(self.dims)))
        object.__setattr__(self, "edges", MappingProxyType(dict(self.edges)))
        touched = {v for ends in self.edges.values() for v in ends}
        if lonely := [v for v in self.dims if v not in touched]:
            raise ValueError(f"no path from input to output passes node {lonely[0]!r}: no edge touches it")
        if not self.edges:
            raise ValueError("no path from input to output: the graph has no edges")
        _ = self.order  # refuses cycles

    @cached_property
    def into(self) -> Mapping[str, Path]:
        """The edges that end at each node."""
        return {v: tuple(e for e, (_, t) in self.edges.items() if t == v) for v in self.dims}

    @cached_property
    def out_of(self) -> Mapping[str, Path]:
        """The edges that start at each node."""
        return {v: tuple(e for e, (s, _) in self.edges.items() if s == v) for v in self.dims}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The nodes without incoming edges."""
        return tuple(v for v in self.dims if not self.into[v])

    @property
    def outputs(self) -> tuple[str, ...]:
        """The nodes without outgoing edges."""
        return tuple(v for v in self.dims if not self.out_of[v])

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All nodes, each after those it depends on."""
        done: list[str] = []
        waiting = list(self.dims)
        while waiting:
            ready = [v for v in waiting if all(self.edges[e][0] in done for e in self.into[v])]
            if not ready:
                raise ValueError(f"the graph has a cycle through some of the nodes {waiting}")
            done += ready
            waiting = [v for v in waiting if v not in ready]
        return tuple(done)

    @cached_property
    def number_of_paths(self) -> int:
        """How many paths lead from an input to an output, counted without walking them."""
        ways: dict[str, int] = {}
        for v in self.order:
            ways[v] = sum(ways[self.edges[e][0]] for e in self.into[v]) or 1
        return sum(ways[v] for v in self.outputs)

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Every path, as the names of its edges from input to output; ValueError if there are too many to list."""
        if self.number_of_paths > MOST_PATHS:
            raise ValueError(f"{self.number_of_paths} paths are too many to list: use node-wise passes")
        arriving: dict[str, tuple[Path, ...]] = {}
        for v in self.order:
            longer = (before + (e,) for e in self.into[v] for before in arriving[self.edges[e][0]])
            arriving[v] = tuple(longer) or ((),)
        return tuple(p for v in self.outputs for p in arriving[v])

    def ends(self, path: Path) -> tuple[str, str]:
        """Source and target node of a path."""
        return self.edges[path[0]][0], self.edges[path[-1]][1]

    def through(self, edge: str) -> tuple[Path, ...]:
        """All paths through an edge."""
        if edge not in self.edges:
            raise ValueError(f"unknown edge {edge!r}; edges are {list(self.edges)}")
        return tuple(p for p in self.paths if edge in p)

    def clone_inputs(self) -> GatedGraph:
        """The same network with an input node of its own, `input/edge`, for every edge that leaves an input.

        What it computes, and how it learns, is unchanged; but bases may now differ from pathway to pathway.
        """
        inputs = self.inputs
        dims = {f"{v}/{e}": self.dims[v] for v in inputs for e in self.out_of[v]}
        dims |= {v: d for v, d in self.dims.items() if v not in inputs}
        edges = {e: (f"{s}/{e}" if s in inputs else s, t) for e, (s, t) in self.edges.items()}
        return GatedGraph(dims, edges)
