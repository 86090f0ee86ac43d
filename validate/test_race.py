"""Pathways of two layers that reduce one error: what each makes up in the end, and where the winner changes."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, newton

from laws import Order, Solver, confront
from laws.judges.verdict import table
from numerics import gating
from theory.gating import correlations, pathways, xor_gates, xor_points
from theory.race import final_shares, race, shared_error, transition, transition_drift

STRONGER = "saxe-slides, The neural race: stronger input-output correlations"
NONLINEAR = "saxe-slides, Example: transition to nonlinearity"
c, tau = 0.8, 1.3


def contest(Delta, kappa=1.0):
    """Exclusive-or with four gated pathways and a linear one, open on a share kappa of the examples of both classes.

    kappa = 1: one pathway that is always open; kappa = 1/2: two, each open on one class.
    """
    x, y = xor_points(c, Delta)
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


@cache
def singular(Delta, kappa=1.0):
    """Singular values and reach of the linear and the gated pathways, from the data alone."""
    graph, task = contest(Delta, kappa)
    corr = correlations(graph, task)
    found = {p[0]: np.linalg.svd(corr.yx[p])[1:] for p in graph.paths}
    x = xor_points(c, Delta)[0]
    s = [float(found[e][0][0]) for e in ("in_l1", "in_g1")]
    return s, [float(np.abs(found[e][1][0] @ x[0])) for e in ("in_l1", "in_g1")]


def test_shared_error():
    """With two pathways that reduce one error the logarithms of growth are in proportion to their singular values."""
    Delta, times = 0.5, np.array([1.0, 4.0, 7.0, 10.0, 16.0])
    graph, task = contest(Delta)
    start = aligned(graph, task, 0.03, 0.02)
    (s_linear, s_gated), _ = singular(Delta)
    run = lambda rtol, seed: strength(gating.flow(graph, task, start, times, rtol), "l1")  # noqa: E731
    a2 = strength(gating.flow(graph, task, start, times, 1e-13), "g1")
    rivals = {
        "singular values do not count": lambda a2, a10, a20, s1, s2: a10 * a2 / a20,
        "strengths in proportion": lambda a2, a10, a20, s1, s2: a10 + (a2 - a20) * s1 / s2,
    }
    at = dict(a2=a2, a10=0.02, a20=0.03, s1=s_linear, s2=s_gated)
    drawn = dict(a2="strength of a gated pathway", y="strength of the linear pathway", about=STRONGER)
    claim = "of pathways with one error each grows by a power, its singular value, of one factor"
    confront(claim, shared_error, run, at, Solver(rtol=1e-8), rivals, labels=drawn)


def ranked(runners):
    """The race, as a table: who leaves the saddle when, and what each makes up in the end."""
    rows = [["gates", "s", "escape time", "loss left", "share", "for a ReLU"]]
    for r in runners:
        able = {True: "yes", False: "no", None: "too deep"}[r.consistent]
        rows += [[r.name, f"{r.strength:.3f}", f"{r.escape_time:.1f}", f"{r.residual:.2f}", f"{r.share:.2f}", able]]
    return table(rows)


def contestants(Delta):
    """The schemes that may learn exclusive-or with a margin."""
    x, y = xor_points(c, Delta)
    on = lambda rows: rows.astype(float)  # noqa: E731
    return race(x, y, {
        "four, one example each": xor_gates(x),
        "two, one class each": {"plus": on(y[:, 0] > 0), "minus": on(y[:, 0] < 0)},
        "two, on the sign of x1": {"plus": on(x[:, 0] > 0), "minus": on(x[:, 0] < 0)},
        "one, always open": {"linear": np.ones(len(x))},
    }, 0.03)  # fmt: skip


def test_final_shares():
    """What pathways make up in the end, r_i a_i, their reach times their strength, follows from s_i and starts a_i0."""
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
        "as the singular values": lambda Delta: np.array([s[0] / sum(s) for s, _ in (singular(D, 1.0) for D in Delta)]),
        "as for two half-gates": lambda Delta: law(Delta, kappa=0.5),
        "equal starts": lambda Delta: law(Delta, gated=3e-3),
    }
    drawn = dict(Delta="margin Δ (c = 0.8)", y="final share of the linear pathway", about=STRONGER)
    confront(
        "final shares follow from singular values and starts",
        law,
        run,
        dict(Delta=margins),
        Solver(rtol=1e-7),
        rivals,
        labels=drawn,
        picture=ranked(contestants(0.5)),
        of=final_shares,
    )


def growth(Delta, kappa, rtol):
    """By how much faster the linear pathways grow than the gated ones, in a network with tiny weights."""
    graph, task = contest(Delta, kappa)
    end = gating.flow(graph, task, aligned(graph, task, 1e-14, 1e-14), [20.0], rtol)
    return np.log(strength(end, "l1")[0] / strength(end, "g1")[0])


@pytest.mark.parametrize("kappa", [0.5, 1.0])
def test_transition(kappa):
    """It grows as fast as gated ones at a margin of sqrt(2/3) c, open on half of the data, or sqrt(2/15) c, on all."""
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
        labels=dict(y=f"margin Δ of equal rates (c = {c}, κ = {kappa:g})", about=NONLINEAR),
    )


def equal_shares(epsilon, kappa, rtol=1e-6):
    """The margin at which linear and gated pathways that start at exp(-1/epsilon) end with equal shares."""
    start = np.exp(-1 / epsilon)

    def excess(Delta):
        graph, task = contest(Delta, kappa)
        until = 10 + 1 / (epsilon * min(singular(Delta, kappa)[0]))
        end = gating.flow(graph, task, aligned(graph, task, start, start), [until], rtol)
        return np.log(strength(end, "l1")[0] * Delta / (strength(end, "g1")[0] * np.sqrt(2 * c**2 + Delta**2)))

    near = transition(c=c, kappa=kappa)
    return newton(excess, near, x1=near * (1 + epsilon), tol=1e-7)  # by secants: it is almost a straight line


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
    drawn = dict(h="ε = 1/ln(1/a₀), a₀ the start", y="drift of the margin / ε")
    confront(claim, transition_drift, run, dict(c=c, kappa=kappa), Order(1, start=0.2), rivals, labels=drawn)
