"""Routing between domains around one shared weight: its weights, and how sharing sets learning times."""

from functools import reduce

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.integrate import quad
from scipy.optimize import brentq

from laws import Order, Solver, confront
from laws.law import formula
from numerics import gating
from numerics.chain import crossing
from theory.gating import (
    GatedGraph,
    correlations,
    diagonalise,
    one_item,
    reduction,
    routing_hidden,
    routing_strength,
    shared_learning_time,
    unequal_escape,
)

ROUTING = "saxe-slides, Example: Routing network"
RACE = "saxe-slides, The neural race reduction"
tau, s, d = 1.3, 1.7, 0.6


def test_routing_weights():
    """While routing is learnt the shared weight follows sqrt(b0^2 + M (b_in^2 - b0^2))."""
    M, K, b0, times = 4, 2, 0.25, np.array([0.7, 2.1, 3.5, 4.2, 5.6])
    graph, task = one_item(M, K, s, d, hidden=2)
    start = decoupled(graph, task)
    size = lambda weights, e: np.linalg.norm(weights[e], axis=(-2, -1))  # noqa: E731
    b_in = size(gating.flow(graph, task, start(b0, 0), times, 1e-13), "in0")
    run = lambda rtol, seed: size(gating.flow(graph, task, start(b0, seed), times, rtol), "h")  # noqa: E731
    rivals = {
        "no sharing, b_h = b_in": lambda M, b0, b_in: b_in,
        "shared by M K": lambda M, **at: routing_hidden(M=M * K, **at),
    }
    drawn = dict(b_in="weight $b_{in}$ of a domain", y="shared weight $b_h$", about=ROUTING)
    claim = "routing: the shared weight follows those of the domains"
    confront(claim, routing_hidden, run, dict(M=M, b0=b0, b_in=b_in), Solver(rtol=1e-8), rivals, labels=drawn)


def test_routing_strength():
    """From small weights b0 the domains' weights end at (s/(d sqrt M))^(1/3), up to b0^2."""
    M, K = 3, 2
    graph, task = one_item(M, K, s, d, hidden=2)
    start = decoupled(graph, task)

    def run(b0, seed):
        return np.linalg.norm(gating.flow(graph, task, start(b0, seed), [12 + 4 / b0], 1e-8)["in0"][-1])

    at = dict(s=s, d=d, M=M, b0=1e-6)
    rivals = {"no sharing, (s/d)^(1/3)": lambda s, d, M, b0: (s / d) ** (1 / 3)}
    rivals["shared by M K"] = lambda M, **at: routing_strength(M=M * K, **at)
    # the law holds in the limit: it is asked for at a start of a millionth
    limit = Order(2, start=0.4)
    claim = "routing: the domains' weights end at (s/(d sqrt M))^(1/3)"
    labels = dict(h="initial weight $b_0$", y="weight of a domain after learning", about=ROUTING)
    confront(claim, routing_strength, run, at, limit, rivals, labels=labels)


def decoupled(graph, task):
    """Decoupled weights, from their sizes and a seed."""
    base = diagonalise(graph, correlations(graph, task))
    return lambda b0, seed: gating.decoupled(graph, {**base.U, **base.V}, b0, seed=seed)


# -- learning times --------------------------------------------------------------------------------


def layered(M, K, depth):
    """Routing through depth - 2 shared edges: a trained path has `depth` edges."""
    graph, task = one_item(M, K, s, d, hidden=2)
    hidden = [f"h{k}" for k in range(1, depth)]
    edges = {f"in{i}": (f"x{i}", hidden[0]) for i in range(M)} | {f"out{j}": (hidden[-1], f"y{j}") for j in range(M)}
    edges |= {f"s{k}": ends for k, ends in enumerate(zip(hidden, hidden[1:], strict=False), 1)}
    dims = {v: n for v, n in graph.dims.items() if v not in ("h1", "h2")} | dict.fromkeys(hidden, 2)
    return GatedGraph(dims, edges), task


def outputs(graph, weights):
    """What the first trained path computes, at every time."""
    path = ["in0", *(e for e in graph.edges if e.startswith("s") or e == "h"), "out0"]
    return np.linalg.norm(reduce(lambda total, e: weights[e] @ total, path[1:], weights[path[0]]), axis=(-2, -1))


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_shared_learning_time(depth):
    """With balanced weights, depth, initialisation and sharing set the learning time through one chain."""
    M, K = 3, 2
    graph, task = layered(M, K, depth)
    N, a0, af = M * K, 0.05, 2.1
    g = (K * N ** (depth - 2) * K) ** (1 / depth)  # of the paths through each layer
    beta = a0 ** (2 / depth) / g  # b^2/n, equal in all layers
    b0 = {e: np.sqrt(beta * (N if e.startswith("s") else K)) for e in graph.edges}
    start = decoupled(graph, task)
    a = lambda times, rtol, seed: outputs(graph, gating.flow(graph, task, start(b0, seed), times, rtol))  # noqa: E731
    coarse = np.linspace(0, 9, 46)
    k = int(np.argmax(a(coarse, 1e-6, 0) > af))
    fine = np.linspace(coarse[k - 1], coarse[k], 101)
    at = dict(s=s, d=d, tau=tau, N=N, g=g, D=depth, a0=a0, af=af)
    mean = (2 * K + (depth - 2) * N) / depth
    rivals = {
        "no sharing": lambda g, **rest: shared_learning_time(g=1.0, **rest),
        "shared by all": lambda g, N, **rest: shared_learning_time(g=N, N=N, **rest),
        "one layer more": lambda D, **rest: shared_learning_time(D=D + 1, **rest),
    }
    rivals |= {"the arithmetic mean": lambda g, **rest: shared_learning_time(g=mean, **rest)} if depth > 2 else {}
    confront(
        f"sharing enters the learning time of {depth} layers by its geometric mean",
        shared_learning_time,
        lambda rtol, seed: tau * crossing(fine, a(fine, rtol, seed), af),
        at,
        Solver(rtol=1e-8),
        rivals,
        labels=dict(y="learning time (τ = 1.3)", about="saxe-slides, The neural race: edge sharing"),
    )


def test_quadrature():
    """From any start, one integral gives what routing computes at every time."""
    M, K = 3, 2
    graph, task = one_item(M, K, s, d, hidden=2)
    sizes, times = {"in": 0.4, "h": 0.9, "out": 0.25}, np.array([0.5, 1.0, 1.5, 2.0, 2.5])
    b0 = {e: sizes[e.rstrip("0123456789")] for e in graph.edges}
    start = decoupled(graph, task)
    r = reduction(graph, correlations(graph, task))

    @formula(r"""t = \int_0^y \frac{dz}{2\, o(z) (s - d\, o(z))}

    o(z) = \prod_b (b(0)^2 + m_b z/n_b)^{m_b/2}""")
    def law(t, starts=sizes):
        """The output o at time t: of a path through weights b, m_b of each kind, of which the graph has n_b."""
        integral = r.quadrature().rhs
        values = {sp.Symbol(f"b_{name}(0)", real=True): value for name, value in starts.items()}
        values |= {symbol: value[0] for symbol, value in r.values.items()}
        slowness = sp.lambdify(integral.variables[0], integral.function.subs(values))
        out = lambda y: np.prod([np.sqrt(b**2 + y / m) for b, m in zip(starts.values(), (M, 1, M), strict=True)])  # noqa: E731
        time = lambda y: quad(slowness, 0, y, epsabs=0, epsrel=1e-11, limit=200)[0]  # noqa: E731
        full = brentq(lambda y: out(y) - s / d, 0, 100) * (1 - 1e-4)
        return np.array([out(brentq(lambda y, T=T: time(y) - T, 0, full, xtol=1e-14)) for T in t])

    rivals = {
        "balanced at the same product": lambda t: law(
            t, dict.fromkeys(sizes, np.prod(list(sizes.values())) ** (1 / 3))
        ),
        "slower by M/K, over all pairs": lambda t: law(t * K / M),
        "sizes of inputs and shared weight swapped": lambda t: law(t, {"in": 0.9, "h": 0.4, "out": 0.25}),
    }
    drawn = dict(t="time t (τ = 1)", y="output for unit input")
    run = lambda rtol, seed: outputs(graph, gating.flow(graph, task, start(b0, seed), times, rtol))  # noqa: E731
    claim = "one integral gives routing at every time, from any start"
    confront(claim, law, run, dict(t=times), Solver(rtol=1e-9), rivals, labels=drawn)


def test_unequal_escape():
    """At equal product imbalance escapes earlier: from small weights by Carlson's integral R_F, or Legendre's F."""
    M, K = 3, 2
    graph, task = one_item(M, K, s, d, hidden=2)
    started, N = decoupled(graph, task), M * K
    imbalances = np.array([1.3, 2.0, 3.5])
    # b/sqrt(n) of the domains' inputs, the shared weight, the outputs: 1/r, r and 1 times 1/2
    sizes = {"in": np.sqrt(K) / imbalances / 2, "h": np.sqrt(N) * imbalances / 2, "out": np.sqrt(K) + 0 * imbalances}
    sizes["out"] /= 2

    def run(scale, seed):
        each = [
            started({e: scale * sizes[e.rstrip("0123456789")][k] for e in graph.edges}, seed)
            for k in range(len(imbalances))
        ]
        start = {e: torch.stack([w[e] for w in each]) for e in graph.edges}
        times = np.linspace(0, 4 + 2.5 / scale, 601)
        a = outputs(graph, gating.flow(graph, task, start, times, 1e-8))
        return tau * scale * np.array([crossing(times, row, s / (2 * d)) for row in a.T])

    def at_imbalance(law, g=(K * N * K) ** (1 / 3)):
        def escape(imbalance):
            r = np.asarray(imbalance, dtype=float)
            with np.errstate(divide="ignore"):  # the law refuses what is not finite
                return law(s=s, tau=tau, N=N, g=g, beta1=1 / (4 * r**2), beta2=np.full_like(r, 0.25), beta3=r**2 / 4)

        return escape

    rivals = {
        "balanced": lambda imbalance: 0 * imbalance + 2 * tau * N / (s * np.sqrt(K * N * K)),
        "no sharing": lambda imbalance: at_imbalance(unequal_escape, g=1.0)(imbalance),
    }
    drawn = dict(
        h="size of the initial weights", imbalance="imbalance, at equal product", y="size × escape time", about=RACE
    )
    confront(
        "at equal product imbalance escapes earlier, by an elliptic integral",
        unequal_escape,
        run,
        dict(imbalance=imbalances),
        Order(1, start=0.4),
        rivals,
        labels=drawn,
        through=at_imbalance,
    )
