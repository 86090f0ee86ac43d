"""Structured worlds of items and features, and two-layer linear networks that learn them.

P items have N features, an array (P, N).  Each item is its own one-hot input, so that the inputs are
white with variance 1/P, and the network's answer to item i is column i of W_2 W_1; its loss is the
squared error averaged over items and halved (`numerics.modes`, tau = 1).

Worlds are made by their own rules: features that flip while they pass down a tree; causes that are
shared by nested categories; smooth fields on lattices, drawn through a factor of their precision.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from numerics import modes
from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import GradientDescent, GradientFlow
from numerics.descent import train as descend

LIVING = {
    "eagle": "grows moves breathes wings feathers flies nests hunts talons",
    "sparrow": "grows moves breathes wings feathers flies nests chirps",
    "trout": "grows moves breathes fins scales swims spotted",
    "carp": "grows moves breathes fins scales swims barbels",
    "oak": "grows rooted leaves bark branches tall acorns",
    "birch": "grows rooted leaves bark branches tall white",
    "tulip": "grows rooted leaves petals blossoms bulb",
    "poppy": "grows rooted leaves petals blossoms red",
}


def diffusion(branching: int, depth: int, flip: float, features: int, *, seed: int) -> np.ndarray:
    """Features of +-1 that pass down a tree and flip with probability `flip` on every branch; shape (P, features).

    ValueError unless branching >= 2, depth >= 1, 0 < flip < 1/2, features >= 1.
    """
    branching, depth = whole("branching", branching, 2), whole("depth", depth)
    flip, draw = _flip(flip), np.random.default_rng(seed)
    nodes = draw.choice([-1.0, 1.0], size=(1, whole("features", features)))
    for _ in range(depth):
        nodes = np.repeat(nodes, branching, axis=0)
        nodes = np.where(draw.random(nodes.shape) < flip, -nodes, nodes)
    return nodes


def diffusion_covariance(branching: int, depth: int, flip: float) -> np.ndarray:
    """The covariance of one such feature over the leaves, shape (P, P), built node after node down the tree."""
    branching, depth, flip = whole("branching", branching, 2), whole("depth", depth), _flip(flip)
    leaves = np.ones((1, 1))
    for _ in range(depth):
        kept = (1 - flip) - flip  # how much of the parent's feature a child keeps, on average
        parent = np.repeat(np.arange(len(leaves)), branching)
        leaves = kept**2 * leaves[np.ix_(parent, parent)]  # two different children flip independently
        np.fill_diagonal(leaves, 1.0)
    return leaves


def categories(branching, similarity) -> np.ndarray:
    """Causes of nested categories: a matrix (P, causes) that mixes independent standard normal causes into items.

    Every node of the hierarchy is a cause of all items beneath it.  branching: branches at each level;
    similarity: of two items whose last common category is at that level, not falling, from >= 0 to <= 1.
    """
    branches = [whole("branching", b) for b in branching]
    levels = [real("similarity", q) for q in similarity]
    steps = np.diff([0.0, *levels, 1.0])
    if not branches or len(levels) != len(branches) or (steps < 0).any():
        raise ValueError(
            f"similarity = {similarity} must be {len(branches)} numbers that do not fall, from >= 0 to <= 1"
        )
    items, columns, nodes = int(np.prod(branches)), [], 1
    for level, step in enumerate(steps):
        below = np.repeat(np.eye(nodes), items // nodes, axis=0)
        columns.append(np.sqrt(step) * below)
        nodes *= branches[level] if level < len(branches) else 1
    return np.hstack(columns)


def smooth(lengths, sigma: float, *, periodic: bool) -> np.ndarray:
    """A matrix (P, P) that mixes independent normal causes into a field that is smooth on a lattice.

    The field's precision is 1/sigma^2 on every site and 1 across every edge between neighbours.
    """
    sizes = [whole("lengths", n, 3) for n in lengths]
    sites = np.arange(int(np.prod(sizes))).reshape(sizes)
    precision = np.eye(sites.size) / positive("sigma", sigma) ** 2
    for axis in range(sites.ndim):
        ends = np.roll(sites, -1, axis)
        keep = slice(None) if periodic else slice(0, -1)
        pairs = [np.moveaxis(s, axis, 0)[keep].ravel() for s in (sites, ends)]
        for i, j in zip(*pairs, strict=True):
            precision[[i, j], [i, j]] += 1
            precision[[i, j], [j, i]] -= 1
    return np.linalg.inv(np.linalg.cholesky(precision)).T


def features(mixing, count: int, *, seed: int) -> np.ndarray:
    """Normal features of items, drawn independently; shape (P, count)."""
    mixing = numbers_of("mixing", mixing)
    return mixing @ np.random.default_rng(seed).standard_normal((mixing.shape[1], whole("count", count)))


def endless_features(mixing, count: int) -> np.ndarray:
    """Features whose covariance is exactly that of the world, as if there were no end of them; shape (P, causes).

    They are scaled to the strength of `count` features.
    """
    return np.sqrt(whole("count", count)) * numbers_of("mixing", mixing)


def living_things() -> tuple[list[str], np.ndarray]:
    """Names of eight living things and their properties, 1 if they have them, less the mean; shape (8, properties)."""
    words = sorted({word for thing in LIVING.values() for word in thing.split()})
    has = np.array([[word in thing.split() for word in words] for thing in LIVING.values()], dtype=float)
    return list(LIVING), has - has.mean(0)


def mean_digits() -> np.ndarray:
    """The mean image of each handwritten digit, in units of full ink, less the mean of all; shape (10, 64)."""
    data = load_digits()
    means = np.array([data.data[data.target == digit].mean(0) / 16 for digit in range(10)])
    return means - means.mean(0)


def few_features(features) -> np.ndarray:
    """The features turned so that all but P of them are 0 for every item, and those left out; shape (P, P).

    Independent normal weights stay so, and the outputs left out only decay.
    """
    rows: np.ndarray = np.linalg.qr(numbers_of("features", features).T)[1]
    return rows.T


def items(features) -> modes.Task:
    """The task of answering each item, as a one-hot input, with its features; features: shape (P, N)."""
    y = numbers_of("features", features)
    if y.ndim != 2 or not y.size or not y.any():
        raise ValueError(f"features must be a table of items and features, not all 0, got shape {y.shape}")
    count = len(y)
    U, s, Vt = np.linalg.svd(y.T / count, full_matrices=False)
    present = s > s[0] * max(y.shape) * np.finfo(float).eps
    arrays = (np.eye(count), y, U[:, present], s[present], Vt[present].T.copy())
    x, targets, left, strength, right = (torch.from_numpy(array) for array in arrays)
    return modes.Task(x, targets, 1 / count, left, strength, right)


def answers(task: modes.Task, weights, times, by: GradientDescent | GradientFlow) -> np.ndarray:
    """The network's answer to every item while it learns; shape (len(times), P, N)."""

    def loss(layers, x, y):
        return ((y - x @ layers[0].T @ layers[1].T) ** 2).sum() / (2 * len(y))

    return descend(loss, weights, times, by, data=(task.x, task.y), record=_answers)


def branches(branching) -> np.ndarray:
    """The projections of items onto the distinctions of each level of a hierarchy; shape (levels + 1, P, P).

    Level 0 is the mean of all; level k is what the means of its branches add to those of level k - 1.
    """
    counts = np.cumprod([1, *(whole("branching", b) for b in branching)])
    items = counts[-1]
    means = [np.kron(np.eye(n), np.full((items // n,) * 2, n / items)) for n in counts]
    return np.array([means[0], *np.diff(means, axis=0)])


def spectrum_by_level(features, projections) -> np.ndarray:
    """For every feature, its mean square along the distinctions of each level; shape (N, levels + 1)."""
    y = numbers_of("features", features)
    return np.stack([np.einsum("in,ij,jn->n", y, P, y) / np.trace(P) for P in projections], axis=1)


def learnt(answers, features, projections) -> np.ndarray:
    """What fraction of each level's distinctions the answers make; shape (len(answers), levels + 1)."""
    y = numbers_of("features", features)
    said = np.einsum("kij,tjn,in->tk", projections, answers, y)
    return said / np.einsum("kij,jn,in->k", projections, y, y)


def in_a_row(answers, features) -> np.ndarray:
    """Positions of items along the direction in which, once all is learnt, they lie 1 apart; shape (..., P).

    ValueError if no direction does so.
    """
    said, y = numbers_of("answers", answers), numbers_of("features", features)
    places = np.arange(len(y)) - (len(y) - 1) / 2
    direction, _, rank, _ = np.linalg.lstsq(y, places, rcond=None)
    if rank < len(y) - 1:
        raise ValueError(f"features of {len(y)} items span {rank} dimensions: no direction tells all items apart")
    return said @ direction


def scaling(points, dimensions: int = 2) -> np.ndarray:
    """Classical multidimensional scaling: the directions in which points, shape (..., N), spread most.

    Each axis points to where the last point of largest size lies, so that pictures do not flip.
    """
    x = numbers_of("points", points)
    rows = x.reshape(-1, x.shape[-1])
    rows = rows - rows.mean(0)
    axes = np.linalg.svd(rows, full_matrices=False)[2][: whole("dimensions", dimensions)]
    low = rows @ axes.T
    largest = low[np.argmax(np.abs(low), axis=0), np.arange(low.shape[1])]
    return (low * np.sign(largest)).reshape(*x.shape[:-1], -1)


def _answers(weights) -> Tensor:
    return (weights[1] @ weights[0]).T


def _flip(flip) -> float:
    if not 0 < real("flip", flip) < 0.5:
        raise ValueError(f"flip = {flip!r} must be a probability between 0 and 1/2")
    return float(flip)
