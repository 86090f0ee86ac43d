"""The dynamics of abstraction: domains with one hierarchy come to share it level by level, the broadest first."""

import numpy as np

from laws import Order, Trend, confront
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import gating
from numerics.chain import crossing
from theory.gating import correlations, diagonalise, hierarchy, routing
from theory.race import routing_escape

SLIDE = "saxe-slides, Dynamics of abstraction"
tau, M, K = 1.3, 3, 2


def domains(size):
    """Routing of a tree of eight items; each level of the tree is as many modes of one strength."""
    items = size * np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    graph, task = routing(M, K, items, hierarchy(3), 8)
    return graph, task, diagonalise(graph, correlations(graph, task))


def by_mode(weights, base):
    """What the first trained pair computes in every mode; shape (..., modes)."""
    total = weights["out0"] @ weights["h"] @ weights["in0"]
    return np.einsum("ok,...oi,ik->...k", base.U["y0"], total, base.V["x0"])


def test_levels():
    """From decoupled weights each level of the hierarchy escapes by the law of routing, at its own strength."""
    graph, task, base = domains(2.5)
    first = graph.paths[0]
    s, ends = base.S[first] * M * K, base.S[first] / base.D[first, first]
    level = [1, 2, 4]  # a mode of the broadest level, of the next and of the last
    b0 = 0.7  # where the law is asked for; at leading order it goes as 1/b0

    def run(scale, seed):
        start = gating.decoupled(graph, {**base.U, **base.V}, scale, seed=seed)
        times = np.arange(0, 4 + 6 / scale, 0.1)
        a = by_mode(gating.flow(graph, task, start, times, 1e-8), base)
        return tau * scale / b0 * np.array([crossing(times, a[:, k], ends[k] / 2) for k in level])

    rivals = {
        "all levels at once": lambda s, **at: routing_escape(s=np.full(3, s[0]), **at),
        "by the square of their strengths": lambda s, **at: routing_escape(s=s**2 / s[0], **at),
        "slower by M/K, over all pairs": lambda **at: routing_escape(**at) * M / K,
    }
    confront(
        "the levels of a hierarchy escape in the order of their strengths",
        routing_escape,
        run,
        dict(s=s[level], M=M, tau=tau, b0=b0, b_h=b0),
        Order(1, start=0.3),
        rivals,
        labels=dict(
            s="strength s of a level", y="escape time times $b_0$/0.7 (τ = 1.3)", h="initial weight $b_0$", about=SLIDE
        ),
    )


OF_LEVEL = {1.0: slice(0, 2), 2.0: slice(2, 4), 3.0: slice(4, 8)}
LEVELS, TIMES = tuple(OF_LEVEL), np.arange(71.0)


def shared(seed, networks):
    """How alike the codes of two domains are, level by level, from random weights; shape (networks, levels, times)."""
    graph, task, base = domains(4.0)
    start = gating.random(graph, 0.2, seed=seed, networks=networks)
    weights = gating.train(graph, task, start, TIMES, 0.1)
    codes = np.stack([weights[f"in{i}"] @ base.V[f"x{i}"] for i in range(M)], axis=-3)
    unit = codes / np.linalg.norm(codes, axis=-2, keepdims=True)
    first, second = np.triu_indices(M, 1)
    alike = np.abs((unit[..., first, :, :] * unit[..., second, :, :]).sum(-2)).mean(-2)
    return np.stack([alike[..., modes].mean(-1).T for modes in OF_LEVEL.values()], axis=1)


def test_abstraction():
    """From small random weights the codes of the domains become alike level by level, broad distinctions first.

    In one network of five hundred those of a level never do: the mean time at which likeness is gained has a value
    there too, which the time of any threshold has not.
    """
    alike = in_turn(lambda seed: shared(seed, 60))

    def run(level, seed):
        return float(np.sum(1 - alike(seed)[LEVELS.index(level), 1:]))

    codes = np.median(shared(3, 20), axis=0)
    each = tuple(
        Series("rival", TIMES.tolist(), own.tolist(), f"level {level:.0f}")
        for level, own in zip(LEVELS, codes, strict=True)
    )
    confront(
        "what domains have in common is shared level by level, the broadest first",
        1.0,
        run,
        {},
        Trend(LEVELS),
        {"the finest first": -1.0, "all at once": 0.0},
        labels=dict(
            x="level of the hierarchy, 1 the broadest", y="mean time at which codes become alike (τ = 1)", about=SLIDE
        ),
        picture=Panel("time t (τ = 1)", "likeness of the domains' codes, median of 20 others", each),
    )
