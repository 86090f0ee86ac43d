"""The tasks of the field, as graphs with examples: exclusive or with a margin, routing, context."""

from __future__ import annotations

import numpy as np

from theory.gating._graph import GatedGraph
from theory.gating._task import Task


def xor_points(c: float, Delta: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (+-c, +-c, Delta y), shape (..., 4, 3) with the axes of Delta, and targets y = sign(x1 x2), (4, 1)."""
    signs = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)], dtype=float)
    y = signs[:, :1] * signs[:, 1:]
    margins = np.multiply.outer(np.asarray(Delta, dtype=float), y)
    return np.concatenate([np.broadcast_to(c * signs, (*margins.shape[:-1], 2)), margins], axis=-1), y


def pathways(x: np.ndarray, y: np.ndarray, gates: dict[str, np.ndarray], hidden: int = 1) -> tuple[GatedGraph, Task]:
    """Two-layer pathways from one input to one output, each through a hidden node of its own that has a gate."""
    dims = {"x": x.shape[1], **{name: hidden for name in gates}, "y": y.shape[1]}
    edges = {f"in_{name}": ("x", name) for name in gates} | {f"out_{name}": (name, "y") for name in gates}
    return GatedGraph(dims, edges), Task({"x": x}, {"y": y}, gates)


def xor_gates(x: np.ndarray) -> dict[str, np.ndarray]:
    """Four gates, each open on one example."""
    return {f"g{i + 1}": np.eye(len(x))[i] for i in range(len(x))}


def hierarchy(levels: int = 3) -> np.ndarray:
    """Features of the 2^levels leaves of a binary tree, shape (leaves, nodes): +-1 on which side of a node, else 0.

    The first feature is common to all leaves.  The rows' second moments have the tree's own eigenvectors,
    with singular values that fall from the root down.
    """
    leaves = 2**levels
    columns = [np.ones(leaves)]
    for level in range(levels):
        width = leaves >> level
        for start in range(0, leaves, width):
            column = np.zeros(leaves)
            column[start : start + width // 2], column[start + width // 2 : start + width] = 1, -1
            columns.append(column)
    return np.array(columns).T


def trained_pairs(M: int, K: int) -> list[tuple[int, int]]:
    """The K output domains i, i + 1, ... (cyclically) of every input domain i = 0 ... M - 1."""
    if not 1 <= K <= M:
        raise ValueError(f"K = {K} must lie between 1 and the number of domains M = {M}")
    return [(i, (i + k) % M) for i in range(M) for k in range(K)]


def one_item(M: int, K: int, s: float, d: float, hidden: int = 1) -> tuple[GatedGraph, Task]:
    """Routing of a single item: one mode, with <y x> = s and <x^2> = d in each trained pair."""
    x = np.array([[np.sqrt(d)]])
    return routing(M, K, x, s / d * x, hidden)


def routing(M: int, K: int, x: np.ndarray, y: np.ndarray, hidden: int) -> tuple[GatedGraph, Task]:
    """M input and M output domains around a shared hidden layer; each example goes from one domain to one other.

    x, y: items and their targets, shapes (P, Ni) and (P, No), the same in every domain; the MK trained pairs
    are equally likely.  Gates are on the input and output edges.
    """
    pairs = trained_pairs(M, K)
    dims = (
        {f"x{i}": x.shape[1] for i in range(M)} | {"h1": hidden, "h2": hidden} | {f"y{j}": y.shape[1] for j in range(M)}
    )
    edges = {f"in{i}": (f"x{i}", "h1") for i in range(M)} | {"h": ("h1", "h2")}
    edges |= {f"out{j}": ("h2", f"y{j}") for j in range(M)}
    which = np.repeat(np.array(pairs), len(x), axis=0)
    tiled = {f"x{i}": np.tile(x, (len(pairs), 1)) for i in range(M)}
    targets = {f"y{j}": np.tile(y, (len(pairs), 1)) for j in range(M)}
    gates = {f"in{i}": (which[:, 0] == i).astype(float) for i in range(M)}
    gates |= {f"y{j}": (which[:, 1] == j).astype(float) for j in range(M)}
    return GatedGraph(dims, edges), Task(tiled, targets, gates)


def contexts(levels: int = 3, count: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items in contexts: inputs, targets and the context of every example.

    An input is an item and a context, both one-hot.  A target has the features of the item's place in a
    tree, which hold in every context, and a block for each context with features that hold in it alone.
    """
    items, tree = 2**levels, hierarchy(levels)
    inputs, targets, which = [], [], []
    for k in range(count):
        turned = np.roll(tree, k + 1, axis=0)  # in each context another tree over the same items
        blocks = [turned if j == k else np.zeros_like(tree) for j in range(count)]
        inputs.append(np.hstack([np.eye(items), np.tile(np.eye(count)[k], (items, 1))]))
        targets.append(np.hstack([tree, *blocks]))
        which += [k] * items
    return np.vstack(inputs), np.vstack(targets), np.array(which)
