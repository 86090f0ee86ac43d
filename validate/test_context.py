"""Items in contexts: which gating scheme a ReLU network follows, by first escape and then by what is left."""

import numpy as np
import pytest
import torch

from laws import Equivalent, confront
from numerics import gating
from numerics.chain import crossing
from theory.gating import contexts, pathways


def context_schemes():
    """Items in contexts, and the gating schemes: common to all contexts, for two of them, for one of them."""
    x, y, which = contexts()
    common = {"common": np.ones(len(x))}
    one = {f"only{k}": (which == k).astype(float) for k in range(3)}
    two = {f"not{k}": (which != k).astype(float) for k in range(3)}
    schemes = {
        "common + two contexts": common | two,
        "two contexts": two,
        "common + one context": common | one,
        "one context": one,
        "common": common,
    }
    return x, y, schemes


AFTER = np.array(
    [-1.0, 1.0, 3.0, 6.0, 10.0, 20.0, 40.0, 60.0, 90.0]
)  # times from when the first quarter of the loss is gone


def after_escape(times, losses):
    """Losses, of that at the start, around the first escape."""
    fraction = losses / losses[0]
    return np.interp(crossing(times, -fraction, -0.75) + AFTER, times, fraction)


def gated_curve(x, y, gates, scale, eta, width=300):
    """The loss of a gated network, its units shared out over the pathways, from weights like a ReLU network's."""
    graph, task = pathways(x, y, gates, hidden=width // len(gates))
    draw = torch.Generator().manual_seed(7)
    shapes = {e: (graph.dims[t], graph.dims[s]) for e, (s, t) in graph.edges.items()}
    size = scale / np.sqrt(width)
    weights = {e: size * torch.randn(shape, generator=draw, dtype=torch.float64) for e, shape in shapes.items()}
    times = eta * np.arange(0, round((110 + 5 * np.log(1 / scale)) / eta) + 1, 5)
    kept = gating.train(graph, task, weights, times, eta)
    losses = gating.losses(graph, task, {e: torch.from_numpy(w) for e, w in kept.items()})
    return after_escape(times, losses.numpy())


@pytest.mark.full
@pytest.mark.parametrize(("scale", "winner"), [(1e-4, "common + two contexts"), (1e-1, "common + one context")])
def test_context(scale, winner):
    """A ReLU network learns items in contexts as one gating does; which one depends on its initial weights."""
    x, y, schemes = context_schemes()
    eta = 0.1
    X, Y = torch.from_numpy(x), torch.from_numpy(y)
    times = eta * np.arange(0, round((110 + 5 * np.log(1 / scale)) / eta) + 1, 5)

    def run(seed):
        layers = gating.relu_layers(1, 300, x.shape[1], y.shape[1], scale, seed=seed)
        return after_escape(times, gating.relu_train(X, Y, layers, times, eta)[:, 0])

    curves = {name: gated_curve(x, y, gates, scale, eta) for name, gates in schemes.items()}
    rivals = {name: lambda after, curve=curve: curve for name, curve in curves.items() if name != winner}
    confront(
        f"items in contexts: {winner} at initial weights of {scale:g}",
        lambda after: curves[winner],
        run,
        dict(after=AFTER),
        Equivalent(0.1, runs=20, miss=1e-3),
        rivals,
        labels=dict(after="time since the first escape", y="loss, of that at the start"),
    )
