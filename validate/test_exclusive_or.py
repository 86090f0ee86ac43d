"""Exclusive-or with a margin, learnt by four gated pathways or by two, against its logistic."""

import numpy as np
import pytest

from laws import Order, Solver, confront
from numerics import gating
from numerics.chain import crossing
from theory.gating import correlations, diagonalise, pathways, xor, xor_gates, xor_half_time, xor_points, xor_two_gates

SLIDE = "saxe-slides, XoR Dynamics"
c, Delta, tau = 0.8, 0.5, 1.3

at_xor = dict(c=c, Delta=Delta, a0=0.02, tau=tau)
xor_times = np.array([4.0, 10.4, 14.4, 18.4, 24.8])
labels = dict(t="time t (c = 0.8, Δ = 0.5, τ = 1.3)", y="strength a of a pathway", h="step η", about=SLIDE)


def strengths(weights, pathway):
    """The size of what a pathway computes, at every time."""
    return np.linalg.norm(weights[f"out_{pathway}"] @ weights[f"in_{pathway}"], axis=(-2, -1))


def gated(gates):
    """Exclusive-or with four gates, each open on one example, or with two, on the sign of the first input."""
    x, y = xor_points(c, Delta)
    two = {"g1": (x[:, 0] > 0).astype(float), "g2": (x[:, 0] < 0).astype(float)}
    graph, task = pathways(x, y, xor_gates(x) if gates == 4 else two, hidden=3)
    return graph.clone_inputs(), task.clone_inputs(graph)


def decoupled(graph, task):
    """Decoupled weights, drawn from a seed, with the same strength in every pathway."""
    base = diagonalise(graph, correlations(graph, task))
    return lambda seed: gating.decoupled(graph, {**base.U, **base.V}, np.sqrt(at_xor["a0"]), seed=seed)


@pytest.mark.parametrize("gates", [4, 2])
def test_xor(gates):
    """Gradient descent on exclusive-or with four gates, and with two, follows its logistic."""
    graph, task = gated(gates)
    law, other = (xor, xor_two_gates) if gates == 4 else (xor_two_gates, xor)
    start = decoupled(graph, task)
    run = lambda eta, seed: strengths(gating.train(graph, task, start(seed), xor_times / tau, eta / tau), "g1")  # noqa: E731
    rivals = {
        "the other gating": other,
        "rate s, not 2 s": lambda t, **at: law(t=t / 2, **at),
        "summed over the examples": lambda t, **at: law(t=8 * t, **at),
        "no input correlation, D = 1": lambda t, c, Delta, a0, tau: ignoring_size(t, c, Delta, a0, tau, gates),
    }
    at = dict(t=xor_times, **at_xor)
    claim = f"exclusive-or with {'four' if gates == 4 else 'two'} gates is logistic"
    confront(claim, law, run, at, Order(1, start=0.2), rivals, labels=labels)


def ignoring_size(t, c, Delta, a0, tau, gates):
    """The logistic with the input correlation taken as 1."""
    s = np.sqrt(2 * c**2 + Delta**2) / 4 if gates == 4 else np.sqrt(c**2 + Delta**2) / 2
    return s / (1 - (1 - s / a0) * np.exp(-2 * s * t / tau))


@pytest.mark.parametrize("gates", [4, 2])
def test_xor_by_solver(gates):
    """The flow of the torch network, with four gates and with two, is its logistic to the solver's own error."""
    graph, task = gated(gates)
    law, many = (xor, "four") if gates == 4 else (xor_two_gates, "two")
    start = decoupled(graph, task)
    run = lambda rtol, seed: strengths(gating.flow(graph, task, start(seed), xor_times / tau, rtol), "g2")  # noqa: E731
    rivals = {"rate 2 s (1 + 1e-6)": lambda t, **at: law(t=(1 + 1e-6) * t, **at)}
    claim = f"exclusive-or with {many} gates flows logistically"
    confront(claim, law, run, dict(t=xor_times, **at_xor), Solver(), rivals, labels=labels)


def test_xor_half_time():
    """Exclusive-or is half learnt when the law says."""
    graph, task = gated(4)
    start = decoupled(graph, task)

    def run(eta, seed):
        steps = eta / tau * np.arange(round(20.8 / eta) + 1)
        a = strengths(gating.train(graph, task, start(seed), steps, eta / tau), "g1")
        error = 1 - np.sqrt(2 * c**2 + Delta**2) * a
        return tau * crossing(steps, -error, -0.5)

    rivals = {
        "rate s, not 2 s": lambda **at: 2 * xor_half_time(**at),
        "ln(1/a0)/(2 s)": lambda c, Delta, a0, tau: 2 * tau * np.log(1 / a0) / np.sqrt(2 * c**2 + Delta**2),
    }
    confront(
        "half-time of exclusive-or",
        xor_half_time,
        run,
        at_xor,
        Order(1, start=0.4),
        rivals,
        labels={**labels, "y": "half-time (τ = 1.3)"},
    )
