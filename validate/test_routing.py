"""Routing between domains around one shared weight: its weights, and how sharing sets learning times."""

import numpy as np

from laws import Order, Solver, confront
from numerics import gating
from numerics.chain import crossing
from theory.gating import (
    correlations,
    reduction,
    routing,
    routing_hidden,
    routing_strength,
    shared_learning_time,
    unequal_escape,
)

tau = 1.3
labels = dict(t="time t (τ = 1.3)", y="strength a", h="step η")


def one_mode(M, K, s=1.7, d=0.6):
    """Routing with a single item: one mode with <y x> = s and <x^2> = d."""
    x = np.array([[np.sqrt(d)]])
    return routing(M, K, x, s / d * x, 2)


def test_routing_weights():
    """While routing is learnt the shared weight follows sqrt(b0^2 + M (b_in^2 - b0^2))."""
    M, K, b0, times = 4, 2, 0.25, np.array([0.7, 2.1, 3.5, 4.2, 5.6])
    graph, task = one_mode(M, K)
    start = gating.decoupled(graph, frames_of(graph, task), b0, seed=2)
    size = lambda weights, e: np.linalg.norm(weights[e], axis=(-2, -1))  # noqa: E731
    b_in = size(gating.flow(graph, task, start, times, 1e-13), "in0")
    run = lambda rtol, seed: size(gating.flow(graph, task, start, times, rtol), "h")  # noqa: E731
    rivals = {
        "no sharing, b_h = b_in": lambda M, b0, b_in: b_in,
        "shared by M K": lambda M, **at: routing_hidden(M=M * K, **at),
    }
    drawn = dict(b_in="weight $b_{in}$ of a domain", y="shared weight $b_h$")
    claim = "routing: the shared weight follows those of the domains"
    confront(claim, routing_hidden, run, dict(M=M, b0=b0, b_in=b_in), Solver(rtol=1e-8), rivals, labels=drawn)


def test_routing_strength():
    """From small weights b0 the domains' weights end at (s/(d sqrt M))^(1/3), up to b0^2."""
    M, K = 3, 2
    graph, task = one_mode(M, K)

    def run(b0, seed):
        start = gating.decoupled(graph, frames_of(graph, task), b0, seed=2)
        return np.linalg.norm(gating.flow(graph, task, start, [12 + 4 / b0], 1e-9)["in0"][-1])

    at = dict(s=1.7, d=0.6, M=M, b0=1e-6)
    rivals = {"no sharing, (s/d)^(1/3)": lambda s, d, M, b0: (s / d) ** (1 / 3)}
    rivals["shared by M K"] = lambda M, **at: routing_strength(M=M * K, **at)
    # the law holds in the limit: it is asked for at a start of a millionth
    limit = Order(2, start=0.3)
    claim = "routing: the domains' weights end at (s/(d sqrt M))^(1/3)"
    confront(claim, routing_strength, run, at, limit, rivals, labels=dict(h="initial weight $b_0$"))


def frames_of(graph, task):
    """The bases of all inputs and outputs."""
    base = reduction(graph, correlations(graph, task)).base
    return {**base.U, **base.V}


# -- learning times --------------------------------------------------------------------------------


def test_shared_learning_time():
    """With balanced weights, depth, initialisation and sharing set the learning time through one chain."""
    M, K, s, d = 4, 3, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)
    frames, N = frames_of(graph, task), M * K
    g = (K * N * K) ** (1 / 3)  # paths through an input edge, the shared edge, an output edge
    a0, af = 0.05, 2.1
    # balanced: b^2/n is equal in all layers, and their product is a0
    beta = (a0 / g**1.5) ** (2 / 3)
    b0 = {e: np.sqrt(beta * (N if e == "h" else K)) for e in graph.edges}
    start = gating.decoupled(graph, frames, b0, seed=3)

    def outputs(times, rtol):
        weights = gating.flow(graph, task, start, times, rtol)
        return np.linalg.norm(weights["out0"] @ weights["h"] @ weights["in0"], axis=(-2, -1))

    def run(rtol, seed):
        coarse = np.linspace(0, 6, 41)
        k = int(np.argmax(outputs(coarse, rtol) > af))
        fine = np.linspace(coarse[k - 1], coarse[k], 101)
        return tau * crossing(fine, outputs(fine, rtol), af)

    at = dict(s=s, d=d, tau=tau, N=N, g=g, D=3, a0=a0, af=af)
    rivals = {
        "no sharing": lambda g, **rest: shared_learning_time(g=1.0, **rest),
        "shared by all": lambda g, N, **rest: shared_learning_time(g=N, N=N, **rest),
        "the arithmetic mean": lambda g, **rest: shared_learning_time(g=(2 * K + N) / 3, **rest),
        "two layers": lambda D, **rest: shared_learning_time(D=2, **rest),
    }
    claim = "sharing enters the learning time by its geometric mean"
    confront(claim, shared_learning_time, run, at, Solver(rtol=1e-8), rivals, labels=labels)


def test_unequal_escape():
    """From small unequal weights of three layers the escape time is Carlson's integral, at leading order."""
    M, K, s, d = 3, 2, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)
    frames, N = frames_of(graph, task), M * K
    shape = {"in": 0.3, "h": 1.9, "out": 0.7}
    beta = sorted([shape["in"] ** 2 / K, shape["h"] ** 2 / N, shape["out"] ** 2 / K])

    def run(scale, seed):
        b0 = {e: scale * shape[e.rstrip("0123456789")] for e in graph.edges}
        start = gating.decoupled(graph, frames, b0, seed=3)
        times = np.linspace(0, 4 + 3 / scale, 601)
        weights = gating.flow(graph, task, start, times, 1e-9)
        a = np.linalg.norm(weights["out0"] @ weights["h"] @ weights["in0"], axis=(-2, -1))
        return tau * scale * crossing(times, a, s / (2 * d))

    at = dict(s=s, tau=tau, N=N, g=(K * N * K) ** (1 / 3), **dict(zip(("beta1", "beta2", "beta3"), beta, strict=True)))
    equal = np.prod(beta) ** (1 / 3)
    rivals = {
        "balanced at the same product": lambda N, s, g, tau, **_: tau * N / (s * g**1.5 * np.sqrt(equal)),
        "no sharing": lambda N, g, **rest: unequal_escape(N=N, g=1.0, **rest),
    }
    claim = "three unequal layers escape by Carlson's integral"
    drawn = dict(h="size of the initial weights", y="size x escape time")
    confront(claim, unequal_escape, run, at, Order(1, start=0.4), rivals, labels=drawn)
