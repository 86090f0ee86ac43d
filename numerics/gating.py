"""Gated linear networks on any graph, and plain ReLU networks, trained in torch; several at once.

A gated network is given as a graph and a task: `graph.order` names the nodes from inputs to outputs,
`graph.edges` maps each edge to (source, target); `task` has inputs x[node], targets y[node] of shape
(P, d), gates[node or edge] of shape (P,), 1 where none is given, and the share of each example.  Weights
are dictionaries edge -> (target, source); further axes in front run over networks that are trained at
once and do not know of each other.  The loss is half the squared error, averaged over examples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from numerics.checks import numbers_of, positive, whole
from numerics.descent import Diverged, GradientDescent, GradientFlow, increasing, whole_steps
from numerics.descent import train as descend

Network = TypeVar("Network")


class Graph(Protocol):
    """What is asked of a graph."""

    @property
    def dims(self) -> Mapping[str, int]:
        """The number of units of every node."""

    @property
    def edges(self) -> Mapping[str, tuple[str, str]]:
        """The source and target of every edge."""

    @property
    def order(self) -> Sequence[str]:
        """The nodes, each after those it depends on."""


class Task(Protocol):
    """What is asked of a task."""

    @property
    def x(self) -> Mapping[str, np.ndarray]:
        """The inputs."""

    @property
    def y(self) -> Mapping[str, np.ndarray]:
        """The targets."""

    @property
    def gates(self) -> Mapping[str, np.ndarray]:
        """The gates that are not always 1."""

    @property
    def share(self) -> np.ndarray:
        """How often each example occurs; sums to 1."""


def decoupled(graph: Graph, frames: Mapping[str, np.ndarray], b0, *, seed: int = 0) -> dict[str, Tensor]:
    """Weights R_t diag(b) R_s^T, with the columns of `frames` at inputs and outputs and random ones in between.

    frames: node -> (d, modes); b0: a number, or edge -> number or array of shape (modes,).
    """
    modes = {np.shape(f)[1] for f in frames.values() if np.ndim(f) == 2}
    if len(modes) != 1 or any(np.ndim(f) != 2 for f in frames.values()):
        raise ValueError(f"frames must be matrices with one number of columns, got {sorted(modes)}")
    r = modes.pop()
    if short := [v for v in graph.dims if v not in frames and graph.dims[v] < r]:
        raise ValueError(f"node {short[0]!r} has {graph.dims[short[0]]} units for {r} modes")
    generator = torch.Generator().manual_seed(seed)
    turned = {v: torch.from_numpy(numbers_of(f"frames[{v!r}]", frame)) for v, frame in frames.items()}
    for v, d in graph.dims.items():
        if v not in frames:
            turned[v] = torch.linalg.qr(torch.randn(d, r, generator=generator, dtype=torch.float64)).Q
    starts = b0 if isinstance(b0, Mapping) else dict.fromkeys(graph.edges, b0)
    weights = {}
    for e, (s, t) in graph.edges.items():
        b = torch.from_numpy(np.broadcast_to(numbers_of(f"b0[{e!r}]", starts[e]), (r,)).copy())
        weights[e] = (turned[t] * b) @ turned[s].T
    return weights


def random(graph: Graph, scale: float, *, seed: int = 0, networks: int | None = None) -> dict[str, Tensor]:
    """Independent normal weights with standard deviation `scale` over the root of the source's units.

    With `networks`, a first axis of that length.
    """
    positive("scale", scale)
    front = () if networks is None else (whole("networks", networks),)
    generator = torch.Generator().manual_seed(seed)
    sizes = {e: (*front, graph.dims[t], graph.dims[s]) for e, (s, t) in graph.edges.items()}
    return {
        e: scale / math.sqrt(size[-1]) * torch.randn(size, generator=generator, dtype=torch.float64)
        for e, size in sizes.items()
    }


def activity(graph: Graph, task: Task, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The activity of every node; shape (..., P, d)."""
    gate = {g: torch.from_numpy(values)[:, None] for g, values in task.gates.items()}
    into: dict[str, list[str]] = {v: [] for v in graph.dims}
    for e, (_, t) in graph.edges.items():
        into[t].append(e)

    def gated(name, values):
        return gate[name] * values if name in gate else values

    h: dict[str, Tensor] = {}
    for v in graph.order:
        arriving = [gated(e, h[graph.edges[e][0]] @ weights[e].mT) for e in into[v]]
        h[v] = gated(v, sum(arriving[1:], arriving[0]) if arriving else torch.from_numpy(task.x[v]))
    return h


def losses(graph: Graph, task: Task, weights: Mapping[str, Tensor]) -> Tensor:
    """The loss of every network; shape (...)."""
    h, share = activity(graph, task, weights), torch.from_numpy(task.share)
    total = torch.zeros((), dtype=torch.float64)
    for v, y in task.y.items():
        gate = torch.from_numpy(task.gates[v] != 0) if v in task.gates else torch.tensor(True)
        wanted = torch.from_numpy(y) * gate[..., None]
        total = total + ((wanted - h[v]) ** 2).sum(-1) @ share / 2
    return total


def gradient(graph: Graph, task: Task, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The slope of the loss in every edge, by automatic differentiation."""
    leaves = {e: weights[e].detach().to(torch.float64).requires_grad_() for e in graph.edges}
    slopes = torch.autograd.grad(losses(graph, task, leaves).sum(), list(leaves.values()))
    return dict(zip(leaves, slopes, strict=True))


def train(graph: Graph, task: Task, weights: Mapping[str, Tensor], times, eta: float) -> dict[str, np.ndarray]:
    """All weights at each of `times` under gradient descent with step `eta`; shapes (len(times), ..., target, source).

    Raises ValueError for times that are no whole multiples of eta and for a step that is too large at the start.
    """
    return _descend(graph, task, weights, times, GradientDescent(eta))


def flow(graph: Graph, task: Task, weights: Mapping[str, Tensor], times, rtol: float = 1e-10) -> dict[str, np.ndarray]:
    """The same under gradient flow, by a solver with relative tolerance `rtol`."""
    sizes = [float(w.abs()[w != 0].mean()) for w in weights.values() if bool((w != 0).any())]
    return _descend(graph, task, weights, times, GradientFlow(rtol, rtol * min(sizes, default=1.0)))


def _descend(graph, task, weights, times, by) -> dict[str, np.ndarray]:
    names = list(graph.edges)
    if set(weights) != set(names):
        raise ValueError(f"weights are given for {sorted(weights)}, the edges are {sorted(names)}")

    def loss(values):
        return losses(graph, task, dict(zip(names, values, strict=True))).sum()

    start = [weights[e] for e in names]
    rows = descend(loss, start, times, by, label="gated network")
    ends = np.cumsum([w.numel() for w in start])[:-1]
    parts = np.split(rows, ends, axis=1)
    return {e: part.reshape(len(rows), *w.shape) for e, part, w in zip(names, parts, start, strict=True)}


# -- ReLU networks ---------------------------------------------------------------------------------

Layers = tuple[Tensor, Tensor]  # (..., hidden, inputs) and (..., outputs, hidden)


def relu_layers(
    networks: int, width: int, inputs: int, outputs: int, scale, *, share: float = 0.5, seed: int = 0
) -> Layers:
    """Normal weights of a bias-free ReLU network with one hidden layer, both layers of size `scale`.

    The variance is scale^2/width in every weight; share moves size between the layers at equal product: the
    first is larger by scale^(1 - 2 share).  scale: a number, or one for each network.
    """
    for name, value in (("networks", networks), ("width", width), ("inputs", inputs), ("outputs", outputs)):
        whole(name, value)
    sizes = numbers_of("scale", scale)
    if np.any(sizes <= 0):
        raise ValueError(f"scale = {scale} must be positive: weights of 0 never move")
    size = torch.from_numpy(np.broadcast_to(sizes, (networks,)).copy())[:, None, None]
    generator = torch.Generator().manual_seed(seed)
    draw = [
        torch.randn(*shape, generator=generator, dtype=torch.float64) / math.sqrt(width)
        for shape in ((networks, width, inputs), (networks, outputs, width))
    ]
    return size ** (2 * share) * draw[0], size ** (2 - 2 * share) * draw[1]


def relu_train(
    x: Tensor,
    y: Tensor,
    layers: Layers,
    times,
    eta: float,
    record: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> np.ndarray:
    """Gradient descent on y = W2 relu(W1 x), all networks at once; what is recorded at each of `times`.

    x: (..., P, inputs); y: (..., P, outputs).  record: (W1, W2, outputs) -> what to keep; by default the
    loss of every network.  Raises ValueError for times that are no whole steps, Diverged where a loss is not finite.
    """
    times = increasing(times)
    wanted = whole_steps(times, positive("eta", eta))
    first, second = (w.detach().to(torch.float64).clone() for w in layers)
    keep = record or (lambda W1, W2, out: ((y - out) ** 2).sum((-1, -2)) / (2 * y.shape[-2]))
    kept, due, x_t = [], 0, x.mT.contiguous()
    for step in tqdm(range(wanted[-1] + 1), desc="ReLU networks", delay=2, leave=False):
        z = first @ x_t  # (..., hidden, P)
        hidden = z.relu()
        out = second @ hidden
        if step == wanted[due]:
            kept.append(keep(first, second, out.mT).detach().clone())
            if not bool(torch.isfinite(out).all()):
                raise Diverged(f"an output is not finite at step {step}: eta = {eta} is too large")
            due += 1
        if step < wanted[-1]:
            push = (y.mT - out) * (eta / x.shape[-2])
            back = (second.mT @ push).masked_fill_(z <= 0, 0.0)
            second = second + push @ hidden.mT
            first = first + back @ x
    return torch.stack(kept).numpy()


def by_activity(x: Tensor, layers: Layers) -> tuple[Tensor, Tensor]:
    """On how many examples each unit is on, (..., hidden), and its part in the outputs, (..., hidden, P, outputs)."""
    hidden = (layers[0] @ x.mT).relu()
    return (hidden > 0).sum(-1), torch.einsum("...hp,...oh->...hpo", hidden, layers[1])
