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


@pytest.mark.full
def test_where_the_ranking_changes():
    """Gates for two contexts win from small weights, for one from larger: the ranking changes near sigma = 0.003."""
    x, y, schemes = context_schemes()
    eta, scales = 0.1, (1e-2, 3e-3, 1e-3)
    X, Y = torch.from_numpy(x), torch.from_numpy(y)
    rank = ("common + one context", "common + two contexts")
    curves = {scale: [gated_curve(x, y, schemes[name], scale, eta) for name in rank] for scale in scales}

    def run(seed):
        lead = []
        for scale in scales:
            times = eta * np.arange(0, round((110 + 5 * np.log(1 / scale)) / eta) + 1, 5)
            layers = gating.relu_layers(1, 300, x.shape[1], y.shape[1], scale, seed=seed)
            curve = after_escape(times, gating.relu_train(X, Y, layers, times, eta)[:, 0])
            one, two = (np.abs(curve - scheme).mean() for scheme in curves[scale])
            lead.append(one - two)
        return -np.polyfit(np.log10(scales), lead, 1)[1] / np.polyfit(np.log10(scales), lead, 1)[0]

    confront(
        "items in contexts: the scheme that wins changes near initial weights of 0.003",
        lambda: np.log10(3e-3),
        run,
        {},
        Equivalent(0.3, runs=20, miss=1e-3),
        {"two contexts from 0.03 on": np.log10(0.03), "one context down to 0.0003": np.log10(3e-4)},
        labels=dict(y="log₁₀ σ where both schemes are as near"),
    )
