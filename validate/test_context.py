"""Items in contexts: which gating scheme a ReLU network follows, by first escape and then by what is left."""

from functools import cache

import numpy as np
import pytest
import torch

from laws import Equivalent, confront
from laws.judges.confrontation import fresh
from laws.judges.verdict import Panel, Series
from numerics import gating
from numerics.chain import crossing
from theory.gating import contexts, pathways
from theory.race import race


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


# times from when the first quarter of the loss is gone
AFTER = np.array([-1.0, 1.0, 3.0, 6.0, 10.0, 20.0, 40.0, 60.0, 90.0])
ETA = 0.1


def until(scale):
    """Times up to when all of them lie behind."""
    return ETA * np.arange(0, round((110 + 5 * np.log(1 / scale)) / ETA) + 1, 5)


def after_escape(times, losses):
    """Losses, of that at the start, around the first escape."""
    fraction = losses / losses[0]
    return np.interp(crossing(times, -fraction, -0.75) + AFTER, times, fraction)


def gated_curve(x, y, gates, scale, seed, width=300):
    """The loss of a gated network, its units shared out over the pathways, from weights like a ReLU network's."""
    graph, task = pathways(x, y, gates, hidden=width // len(gates))
    draw = torch.Generator().manual_seed(seed)
    shapes = {e: (graph.dims[t], graph.dims[s]) for e, (s, t) in graph.edges.items()}
    size = scale / np.sqrt(width)
    weights = {e: size * torch.randn(shape, generator=draw, dtype=torch.float64) for e, shape in shapes.items()}
    kept = gating.train(graph, task, weights, until(scale), ETA)
    losses = gating.losses(graph, task, {e: torch.from_numpy(w) for e, w in kept.items()})
    return after_escape(until(scale), losses.numpy())


def relu_curve(x, y, scale, seed, width=300):
    """The loss of a ReLU network."""
    layers = gating.relu_layers(1, width, x.shape[1], y.shape[1], scale, seed=seed)
    losses = gating.relu_train(torch.from_numpy(x), torch.from_numpy(y), layers, until(scale), ETA)
    return after_escape(until(scale), losses[:, 0])


@pytest.mark.full
@pytest.mark.parametrize(("scale", "winner"), [(1e-4, "common + two contexts"), (1e-1, "common + one context")])
def test_context(scale, winner):
    """A ReLU network learns items in contexts as one gating does: from small weights as the first to escape."""
    x, y, schemes = context_schemes()
    assert race(x, y, schemes, scale)[0].name == "common + two contexts"  # right for small weights alone
    claim = f"items in contexts: {winner} at initial weights of {scale:g}"
    own = fresh(7, claim)  # of the gated networks, which the ReLU networks do not share
    curves = {name: gated_curve(x, y, gates, scale, own) for name, gates in schemes.items()}
    rivals = {name: lambda after, curve=curve: curve for name, curve in curves.items() if name != winner}
    confront(
        claim,
        lambda after: curves[winner],
        lambda seed: relu_curve(x, y, scale, seed),
        dict(after=AFTER),
        Equivalent(0.1, runs=20, miss=1e-3),
        rivals,
        labels=dict(after="time since the first escape", y="loss, of that at the start"),
    )


def leads(own):
    """By how much a ReLU network is nearer to two contexts than to one, at each scale of the weights.

    own: the seed of the gated networks.
    """
    x, y, schemes = context_schemes()
    rank = ("common + one context", "common + two contexts")

    @cache
    def curve(name, scale):
        return gated_curve(x, y, schemes[name], scale, own)

    def lead(scale, seed):
        network = relu_curve(x, y, scale, seed)
        one, two = (np.abs(network - curve(name, scale)).mean() for name in rank)
        return one - two

    return lead


@pytest.mark.full
def test_where_the_ranking_changes():
    """Gates for two contexts win from weights of 0.001 as the race says, gates for one context from weights of 0.01."""
    claim = "items in contexts: the scheme that wins changes between initial weights of 0.001 and 0.01"
    lead, sizes = leads(fresh(7, claim)), np.array([-3, -2, -1])
    drawn = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4]
    dots = Series("run", drawn, [lead(scale, 0) for scale in drawn], "one network")
    even = Series("path", [drawn[0], drawn[-1]], [0.0, 0.0], "both as near")
    confront(
        claim,
        lambda size: np.array([1, -1, -1]),
        lambda seed: np.sign([lead(10.0**size, seed) for size in sizes]),
        dict(size=sizes),
        Equivalent(0.5, runs=20, miss=1e-3),
        {
            "two contexts, as the race says": lambda size: np.array([1, 1, 1]),
            "one context throughout": lambda size: np.array([-1, -1, -1]),
            "the other way": lambda size: np.array([-1, 1, 1]),
            "between 0.01 and 0.1": lambda size: np.array([1, 1, -1]),
        },
        labels=dict(size="size of the initial weights, log₁₀ σ", y="which is nearer: 1 two contexts, -1 one"),
        picture=Panel("size σ of the initial weights", "distance to one context less that to two", (dots, even), "x"),
    )
