"""Pathways that learn at the same time: gated networks against the laws of the race, ReLU networks against both."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from laws import Equivalent, Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import gating
from numerics.chain import crossing
from theory.gating import (
    GatedGraph,
    Task,
    contexts,
    correlations,
    pathways,
    routing,
    xor_gates,
    xor_points,
)
from theory.race import (
    advantage,
    final_shares,
    loser,
    relu_gates,
    routing_escape,
    shared_error,
    transition,
    transition_drift,
)

c, tau = 0.8, 1.3


# -- two layers: one error ---------------------------------------------------------------------------


def contest(Delta, kappa=1.0, corner=c):
    """Exclusive-or with four gated pathways and a linear one, open on a share kappa of the examples of both classes.

    kappa = 1: one pathway that is always open; kappa = 1/2: two, each open on one class.
    """
    x, y = xor_points(corner, Delta)
    linear = {"l1": np.ones(4)} if kappa == 1 else {"l1": (y[:, 0] > 0) * 1.0, "l2": (y[:, 0] < 0) * 1.0}
    graph, task = pathways(x, y, {**xor_gates(x), **linear})
    return graph.clone_inputs(), task.clone_inputs(graph)


def aligned(graph, task, gated, linear):
    """Weights along the singular vectors of every pathway, with the strengths given; a linear one points along x3."""
    start = {}
    for p in graph.paths:
        strength = linear if p[0].startswith("in_l") else gated
        U, _, Vt = np.linalg.svd(correlations(graph, task).yx[p])
        start[p[0]] = torch.from_numpy(np.sqrt(strength) * Vt[:1])
        start[p[1]] = torch.from_numpy(np.sqrt(strength) * U[:, :1])
    return {e: start[e] for e in graph.edges}


def strength(weights, pathway):
    """The product of the weights of a pathway, at every time."""
    return np.linalg.norm(weights[f"out_{pathway}"] @ weights[f"in_{pathway}"], axis=(-2, -1))


def singular(Delta, kappa=1.0, corner=c):
    """Singular values and reach of the linear and the gated pathways, from the data alone."""
    graph, task = contest(Delta, kappa, corner)
    corr = correlations(graph, task)
    found = {p[0]: np.linalg.svd(corr.yx[p])[1:] for p in graph.paths}
    x = xor_points(corner, Delta)[0]
    s = [float(found[e][0][0]) for e in ("in_l1", "in_g1")]
    return s, [float(np.abs(found[e][1][0] @ x[0])) for e in ("in_l1", "in_g1")]


def test_shared_error():
    """Two pathways that reduce one error keep their logarithms in proportion to their singular values."""
    Delta, times = 0.5, np.array([1.0, 4.0, 7.0, 10.0, 16.0])
    graph, task = contest(Delta)
    start = aligned(graph, task, 0.03, 0.02)
    (s_linear, s_gated), _ = singular(Delta)
    run = lambda rtol, seed: strength(gating.flow(graph, task, start, times, rtol), "l1")  # noqa: E731
    a2 = strength(gating.flow(graph, task, start, times, 1e-13), "g1")
    rivals = {
        "each for itself, in proportion": lambda a2, a10, a20, s1, s2: a10 * a2 / a20,
        "strengths in proportion": lambda a2, a10, a20, s1, s2: a10 + (a2 - a20) * s1 / s2,
    }
    at = dict(a2=a2, a10=0.02, a20=0.03, s1=s_linear, s2=s_gated)
    drawn = dict(a2="strength of a gated pathway", y="strength of the linear pathway")
    claim = "pathways with one error grow in proportion to their singular values"
    confront(claim, shared_error, run, at, Solver(rtol=1e-8), rivals, labels=drawn)


def test_final_shares():
    """What linear and gated pathways make up in the end follows from their singular values and starts alone."""
    margins = np.array([0.3, 0.5, 0.8])

    def run(rtol, seed):
        found = []
        for Delta in margins:
            graph, task = contest(Delta)
            found.append(strength(gating.flow(graph, task, aligned(graph, task, 2e-3, 3e-3), [60.0], rtol), "l1")[0])
        return np.array(found) * margins

    def law(Delta, kappa=1.0, gated=2e-3):
        each = [singular(D, kappa) for D in Delta]
        return np.array([final_shares(s, reach, [3e-3, gated])[0] for s, reach in each])

    rivals = {
        "in proportion to the singular values": lambda Delta: np.array([s[0] / sum(s) for s in map(first, Delta)]),
        "as for two half-gates": lambda Delta: law(Delta, kappa=0.5),
        "equal starts": lambda Delta: law(Delta, gated=3e-3),
    }
    drawn = dict(Delta="margin Δ", y="final share of the linear pathway")
    confront(
        "final shares follow from singular values and starts",
        law,
        run,
        dict(Delta=margins),
        Solver(rtol=1e-7),
        rivals,
        labels=drawn,
        of=final_shares,
    )


def first(Delta):
    """The singular values at a margin."""
    return singular(Delta)[0]


def growth(Delta, kappa, rtol):
    """By how much faster the linear pathways grow than the gated ones, in a network with tiny weights."""
    graph, task = contest(Delta, kappa)
    end = gating.flow(graph, task, aligned(graph, task, 1e-14, 1e-14), [20.0], rtol)
    return np.log(strength(end, "l1")[0] / strength(end, "g1")[0])


@pytest.mark.parametrize("kappa", [0.5, 1.0])
def test_transition(kappa):
    """Linear and gated pathways grow at one rate where the law says: sqrt(2/3) c for the half-gates of a ReLU."""
    run = lambda rtol, seed: brentq(lambda D: growth(D, kappa, rtol), 0.1 * c, 1.3 * c, xtol=1e-15)  # noqa: E731
    rivals = {
        "for the other gating": lambda c, kappa: transition(c=c, kappa=0.5 if kappa == 1 else 1.0),
        "at equal lengths": lambda c, kappa: c * np.sqrt(2),
    }
    claim = f"the transition of a linear pathway open on {'half' if kappa < 1 else 'all'} of the examples"
    confront(
        claim,
        transition,
        run,
        dict(c=c, kappa=kappa),
        Solver(rtol=1e-5),
        rivals,
        labels=dict(y="margin Δ of equal rates"),
    )


def equal_shares(epsilon, kappa, rtol=1e-7):
    """The margin at which linear and gated pathways that start at exp(-1/epsilon) end with equal shares."""
    start = np.exp(-1 / epsilon)

    def excess(Delta):
        graph, task = contest(Delta, kappa)
        until = 10 + 1 / (epsilon * min(first_of(Delta, kappa)))
        end = gating.flow(graph, task, aligned(graph, task, start, start), [until], rtol)
        return np.log(strength(end, "l1")[0] * Delta / (strength(end, "g1")[0] * np.sqrt(2 * c**2 + Delta**2)))

    low = transition(c=c, kappa=kappa)
    return brentq(excess, low, low * (1 + 2 * epsilon), xtol=1e-6)


def first_of(Delta, kappa):
    """The singular values of both pathways."""
    return singular(Delta, kappa)[0]


def test_transition_drift():
    """The margin of equal shares leaves the transition in proportion to 1/ln(1/a0)."""
    kappa = 0.5
    limit = transition(c=c, kappa=kappa)
    run = lambda epsilon, seed: (equal_shares(epsilon, kappa) - limit) / epsilon  # noqa: E731
    rivals = {
        "no drift": lambda c, kappa: 0.0,
        "twice as far": lambda **at: 2 * transition_drift(**at),
        "without the reach, ln 2": lambda c, kappa: limit * np.log(2),
    }
    claim = "the margin of equal shares drifts as 1/ln(1/a0)"
    drawn = dict(h="ε = 1/ln(1/a₀)", y="drift of the margin / ε")
    confront(claim, transition_drift, run, dict(c=c, kappa=kappa), Order(1, start=0.2), rivals, labels=drawn)


# -- three layers: shared against dedicated pathways ---------------------------------------------------


def one_mode(M, K, s=1.7, d=0.6):
    """Routing with a single item: one mode with <y x> = s and <x^2> = d."""
    x = np.array([[np.sqrt(d)]])
    return routing(M, K, x, s / d * x, 1)


def with_dedicated(M, K, s=1.7, d=0.6):
    """The same, and for the first trained pair a pathway of three layers of its own."""
    graph, task = one_mode(M, K, s, d)
    own = {"d1": ("x0", "p"), "d2": ("p", "q"), "d3": ("q", "y0")}
    gates = {**task.gates, "p": np.eye(M * K)[0]}
    return GatedGraph({**graph.dims, "p": 1, "q": 1}, {**graph.edges, **own}), Task(task.x, task.y, gates)


def only_dedicated(M, K):
    """That pathway alone, on the same examples."""
    graph, task = with_dedicated(M, K)
    names = ("x0", "p", "q", "y0")
    edges = {e: ends for e, ends in graph.edges.items() if e[0] == "d"}
    gates = {g: v for g, v in task.gates.items() if g in names}
    return GatedGraph({v: graph.dims[v] for v in names}, edges), Task({"x0": task.x["x0"]}, {"y0": task.y["y0"]}, gates)


def all_at(graph, **sizes):
    """Scalar weights: those of the pathway of its own at one size, all others at another."""
    return {e: torch.full((1, 1), sizes["own"] if e[0] == "d" else sizes["shared"]).double() for e in graph.edges}


def half_time(graph, task, start, path, guess, level):
    """When the product along a path passes a level, looked for finely around a guess."""
    times = np.concatenate([[0.0], guess + np.linspace(-min(6, guess / 2), 12, 241)])
    weights = gating.flow(graph, task, start, times, 1e-9)
    return crossing(times[1:], np.abs(np.prod([weights[e][1:, 0, 0] for e in path], axis=0)), level)


def test_routing_escape():
    """Routing escapes after M arctan(sqrt(M-1))/(s b0 sqrt(M-1)), whatever K: leading order in b0."""
    M, K, s, d = 3, 2, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)

    b0 = 0.7  # where the law is asked for; at leading order it goes as 1/b0

    def run(scale, seed):
        start = all_at(graph, shared=scale)
        guess = routing_guess(M, s, scale)
        return tau * scale / b0 * half_time(graph, task, start, ("in0", "h", "out0"), guess, s / (2 * d))

    at = dict(M=M, s=s, b0=b0, tau=tau, b_h=b0)
    rivals = {
        "slower by M/K, over all pairs": lambda **at: routing_escape(**at) * M / K,
        "no sharing": lambda M, s, b0, tau, b_h: tau * M * K / (s * b0),
        "balanced": lambda M, s, b0, tau, b_h: tau * M ** (2 / 3) / (s * b0),
    }
    drawn = dict(h="initial weight $b_0$", y="escape time times $b_0$")
    claim = "routing escapes when its law says"
    confront(claim, routing_escape, run, at, Order(1, start=0.3), rivals, labels=drawn)


def routing_guess(M, s, b0):
    """About how long routing takes."""
    return M / (s * b0) * np.arctan(np.sqrt(M - 1)) / np.sqrt(M - 1)


def test_advantage():
    """Shared pathways escape rho = K sqrt(M-1)/arctan(sqrt(M-1)) times as early as pathways of their own."""
    M, K, s, d = 3, 2, 1.7, 0.6
    graph, task = one_mode(M, K, s, d)
    own, own_task = only_dedicated(M, K)
    path = ("d1", "d2", "d3")

    def run(scale, seed):
        late = half_time(own, own_task, all_at(own, own=scale), path, M * K / (s * scale), s / (2 * d))
        early = half_time(
            graph, task, all_at(graph, shared=scale), ("in0", "h", "out0"), routing_guess(M, s, scale), s / (2 * d)
        )
        return late / early

    rivals = {"K alone": lambda M, K: K, "sqrt M K": lambda M, K: np.sqrt(M) * K, "M K": lambda M, K: M * K}
    drawn = dict(h="initial weight $b_0$", y="escape time, dedicated over shared")
    confront(
        "shared pathways escape rho times as early", advantage, run, dict(M=M, K=K), Order(1, start=0.1), rivals,
        labels=drawn,
    )  # fmt: skip


def test_loser():
    """A pathway of its own that loses against shared ones freezes at b0/(1 - 1/rho), to leading order in b0."""
    M, K, s = 3, 2, 1.7
    graph, task = with_dedicated(M, K, s)

    def run(scale, seed):
        until = 12 + routing_guess(M, s, scale)
        end = gating.flow(graph, task, all_at(graph, own=scale, shared=scale), [until], 1e-8)
        return end["d2"][0, 0, 0] / scale

    rivals = {
        "they stay at b0": lambda M, K, b0: 1.0,
        "they die out": lambda M, K, b0: 0.0,
        "with the advantage K": lambda M, K, b0: 1 / (1 - 1 / K),
    }
    drawn = dict(h="initial weight $b_0$", y="frozen weight / $b_0$")
    claim = "pathways of their own freeze when shared ones have won"
    confront(claim, loser, run, dict(M=M, K=K, b0=1.0), Order(1, start=0.2), rivals, labels=drawn)


# -- ReLU networks -------------------------------------------------------------------------------------


def relu_task(margins):
    """Exclusive-or with each of the margins, c = 1: inputs (margins, 4, 3), targets (4, 1)."""
    x = np.array([xor_points(1.0, D)[0] for D in margins])
    return torch.from_numpy(x), torch.from_numpy(xor_points(1.0, 0.0)[1])


def half_times(times, losses):
    """When sqrt(2 L), the remaining error, falls to a half; losses of shape (times, networks)."""
    return np.array([crossing(times, -np.sqrt(2 * column), -0.5) for column in losses.T])


def test_relu_slope():
    """ReLU networks learn exclusive-or later in proportion to ln(1/sigma), with slope 1/s of the fastest pathway."""
    margins, scales, eta = np.array([0.0, 0.4, 1.6]), np.array([1e-2, 1e-4, 1e-6]), 0.01
    s = np.array([relu_gates(*xor_points(1.0, D))[0].s if D else np.sqrt(2) / 4 for D in margins])
    x, y = relu_task(np.repeat(margins, 3))
    times = eta * np.arange(0, 4401, 8)

    def run(seed):
        drawn = gating.relu_layers(3, 100, 3, 1, 1.0, seed=seed)  # the same networks at every scale
        sizes = torch.from_numpy(np.tile(scales, 3))[:, None, None]
        layers = [sizes * w.repeat_interleave(3, dim=0) for w in drawn]
        t = half_times(times, gating.relu_train(x, y, layers, times, eta)).reshape(3, 3)
        return np.polyfit(np.log(1 / scales), t.T, 1)[0] * s

    rivals = {
        "two gates on one input's sign": s / (np.sqrt(1 + margins**2) / 2),
        "an ungated linear pathway": s / np.maximum(margins, s),
        "the chain's 1/(2 s)": np.full(3, 0.5),
    }
    drawn = dict(margin="margin Δ", y="slope of the half-time times s")
    confront(
        "ReLU networks wait ln(1/sigma)/s",
        lambda margin: np.ones(3),
        run,
        dict(margin=margins),
        Equivalent(0.01, runs=20),
        rivals,
        labels=drawn,
    )


CONTEST = np.array([0.5, 0.65, 0.95, 1.1])  # margins; the transition is at .816


def share_of_linear(x, y):
    """Record what units that are on for more than one example add to the outputs, as a part of the whole."""

    def record(W1, W2, out):
        on, part = gating.by_activity(x, (W1, W2))
        by_unit = (part * y).mean((-1, -2))
        return torch.where(on > 1, by_unit, 0).sum(-1) / by_unit.sum(-1)

    return record


def relu_shares(margins, scale, seed, width=200, eta=0.05):
    """The final share of linear units in ReLU networks, one for each margin."""
    x, y = relu_task(margins)
    until = eta * round((20 + 6.3 * np.log(1 / scale)) / eta)
    layers = gating.relu_layers(len(margins), width, 3, 1, scale, seed=seed)
    return gating.relu_train(x, y, layers, [until], eta, share_of_linear(x, y))[0]


def share_law(margins, scale, linear=0.5):
    """The share law with equal starts sigma^2/8; `linear`: the share of examples that a linear gate is open on."""
    size = lambda D: np.sqrt(2 + D**2)  # noqa: E731
    return np.array([final_shares([linear * D, size(D) / 4], [D, size(D)], [scale**2 / 8] * 2)[0] for D in margins])


def test_relu_shares():
    """Nonlinear representations emerge before they are necessary, and give way at sqrt(2/3), as the share law says.

    Every margin here is positive, so a linear network would do.
    """
    scale = 1e-2
    dense = np.linspace(0.2, 1.3, 60)
    line = Series("law", dense.tolist(), share_law(dense, scale).tolist(), "share law")
    naive = Series("rival", dense.tolist(), share_law(dense, scale, 1.0).tolist(), "ungated linear pathway")
    threshold = Series("path", [np.sqrt(2 / 3)] * 2, [0.0, 1.0], "√(2/3)")
    rivals = {
        "an ungated linear pathway wins above sqrt(2/15)": lambda margin: share_law(margin, scale, linear=1.0),
        "linear as soon as it can": lambda margin: np.ones(len(margin)),
        "half each": lambda margin: np.full(len(margin), 0.5),
    }
    confront(
        "nonlinear units win below sqrt(2/3), though linear ones would do",
        lambda margin: share_law(margin, scale),
        lambda seed: relu_shares(CONTEST, scale, seed),
        dict(margin=CONTEST),
        Equivalent(0.1, runs=40, miss=1e-4),
        rivals,
        labels=dict(margin="margin Δ", y="final share of linear units"),
        picture=Panel("margin Δ", "final share of linear units", (line, naive, threshold)),
    )


@pytest.mark.full
def test_relu_shape():
    """The learning curve of a ReLU network of width 300 is the logistic of a gated pathway around its half-time."""
    eta, s = 0.02, np.sqrt(2 + 0.16) / 4
    x, y = relu_task([0.4])
    times, around = eta * np.arange(0, 1801, 5), np.array([-6.0, -4.0, -2.0, 2.0, 4.0, 6.0])

    def run(seed):
        layers = gating.relu_layers(1, 300, 3, 1, 1e-3, seed=seed)
        losses = gating.relu_train(x, y, layers, times, eta)
        return np.interp(half_times(times, losses)[0] + around, times, np.sqrt(2 * losses[:, 0]))

    rivals = {
        "rate s, not 2 s": lambda late: 1 / (1 + np.exp(s * late)),
        "two gates on one input's sign": lambda late: 1 / (1 + np.exp(np.sqrt(1.16) * late)),
    }
    confront(
        "ReLU learning curves are logistic around their half-time",
        lambda late: 1 / (1 + np.exp(2 * s * late)),
        run,
        dict(late=around),
        Equivalent(0.02, runs=20, miss=1e-3),
        rivals,
        labels=dict(late="time since the half-time", y="remaining error, √(2 L)"),
    )


@pytest.mark.full
def test_phase_diagram():
    """The margin at which ReLU units turn from nonlinear to linear drifts to sqrt(2/3) as 1/ln(1/sigma)."""
    scales, margins = np.array([1e-1, 1e-2, 1e-4, 1e-8]), np.linspace(0.6, 1.2, 9)

    def run(seed):
        found = []
        for scale in scales:
            share = relu_shares(margins, scale, seed)
            level = np.polynomial.Polynomial.fit(margins, share, 3)  # smooths what one network's draw adds
            found.append(brentq(lambda D, level=level: level(D) - 0.5, margins[0], margins[-1]))
        return np.array(found)

    def law(scale, linear=0.5):
        return np.array([brentq(lambda D, s=s: share_law([D], s, linear)[0] - 0.5, 0.05, 1.35) for s in scale])

    rivals = {
        "no drift, sqrt(2/3)": lambda scale: np.full(len(scale), np.sqrt(2 / 3)),
        "an ungated linear pathway": lambda scale: law(scale, linear=1.0),
    }
    confront(
        "the margin of equal shares in ReLU networks drifts to sqrt(2/3)",
        law,
        run,
        dict(scale=scales),
        Equivalent(0.06, runs=20, miss=1e-3),
        rivals,
        labels=dict(scale="size σ of the initial weights", y="margin of equal shares"),
    )


# -- context -------------------------------------------------------------------------------------------


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
