"""Chains of scalar weights, trained in torch, against the laws of `theory.chain`."""

import numpy as np

from laws import Order, Solver, confront
from numerics import chain
from theory.chain import escape, half_time_1, half_time_2, half_time_infinite, infinitely_deep, shallow, two_layers

task, tau = dict(s=1.7, lam=0.6, a0=0.1), 1.3
labels = dict(t="time t (s = 1.7, λ = 0.6, τ = 1.3)", y="output a", h="step η")

times = np.array([0.4, 1.2, 2.4, 4.8])  # plateau, transition, end
deep_task = dict(s=1.7, lam=0.6, a0=0.3)
deep_times = np.array([0.5, 1.5, 2.0, 3.0])  # the same for very deep chains, in rescaled time


def descent(depth):
    """Gradient descent on a real chain, in units of tau."""
    return lambda eta, seed: chain.train(depth, **task, times=times / tau, eta=eta / tau)


def second_order(depth):
    """Gradient descent corrected by its modified flow."""
    return lambda eta, seed: chain.corrected(depth, **task, times=times / tau, eta=eta / tau)


def at_times(claim, law, run, judge, rivals):
    """A law at the four times of this file, for the task of this file."""
    confront(claim, law, run, dict(t=times, tau=tau, **task), judge, rivals, labels=labels)


def printed_shallow(t, s, lam, a0, tau):
    """The slide's exponent t/tau, right at lam = 1 alone."""
    return shallow(t=t / lam, s=s, lam=lam, a0=a0, tau=tau)


def printed_deep(t, s, lam, a0, tau):
    """The slide's exponent t/tau, right at s^2 = lam alone."""
    return infinitely_deep(t=t * lam / s**2, s=s, lam=lam, a0=a0, tau=tau)


def too_fast(law, by):
    """The same law with time running `by` times as fast."""
    return lambda t, **rest: law(t=by * t, **rest)


def test_shallow():
    """Gradient descent on one layer approaches s/lam exponentially, at first order in the step."""
    rivals = {"as printed, e^(-t/tau)": printed_shallow, "two layers": two_layers}
    at_times("one layer learns exponentially", shallow, descent(1), Order(1), rivals)


def test_shallow_second_order():
    """Descent on one layer, less what its own term eta |grad L|^2/4 of the loss does, is the law at second order."""
    rivals = {"as printed, e^(-t/tau)": printed_shallow}
    claim = "one layer learns exponentially, to second order"
    at_times(claim, shallow, second_order(1), Order(2, start=0.1), rivals)


def test_two_layers():
    """Gradient descent on two layers follows the logistic law at first order in the step."""
    rivals = {"one layer": shallow, "rate 3s, not 2s": too_fast(two_layers, 1.5), "infinitely deep": infinitely_deep}
    at_times("two layers are logistic", two_layers, descent(2), Order(1), rivals)


def test_two_layers_second_order():
    """Descent on two layers, less what its own term eta |grad L|^2/4 of the loss does, is the law at second order."""
    rivals = {"rate 2s(1 + 1/1000)": too_fast(two_layers, 1.001)}
    claim = "two layers are logistic, to second order"
    at_times(claim, two_layers, second_order(2), Order(2, start=0.1), rivals)


def test_two_layers_by_solver():
    """The gradient flow of a torch chain, solved to 1e-12, is the logistic law to the solver's own error."""
    run = lambda rtol, seed: chain.flow(2, **task, times=times / tau, rtol=rtol)  # noqa: E731
    rivals = {"rate 2s(1 + 1e-8)": too_fast(two_layers, 1 + 1e-8)}
    at_times("two layers flow logistically", two_layers, run, Solver(), rivals)


def test_two_layers_from_above():
    """Two layers that start above the fixed point come down to it as the same law says."""
    at = dict(t=times, tau=tau, s=1.7, lam=0.6, a0=6.3)
    run = lambda eta, seed: chain.train(2, s=1.7, lam=0.6, a0=6.3, times=times / tau, eta=eta / tau)  # noqa: E731
    rivals = {"one layer": shallow}
    confront("two layers come down logistically", two_layers, run, at, Order(1, start=0.01), rivals, labels=labels)


def test_infinitely_deep_from_above():
    """Very deep chains that start above the fixed point come down as the Lambert law says, on its other side."""
    at = dict(t=np.array([0.05, 0.2, 0.6, 1.5]), tau=tau, s=1.7, lam=0.6, a0=6.3)

    def run(inverse_depth, seed):
        depth = round(1 / inverse_depth)
        return chain.flow(depth, s=1.7, lam=0.6, a0=6.3, times=at["t"] / tau / depth)

    rivals = {"as printed, t/tau": printed_deep, "two layers": two_layers}
    judge = Order(1, start=1 / 8, halvings=4)
    claim = "very deep chains come down by the Lambert law"
    confront(claim, infinitely_deep, run, at, judge, rivals, labels={**labels, "h": "1/depth"})


def test_infinitely_deep():
    """Chains of 8, 16, ... 128 layers tend to the Lambert law in rescaled time, as one over depth."""

    def run(inverse_depth, seed):
        depth = round(1 / inverse_depth)
        return chain.flow(depth, **deep_task, times=deep_times / tau / depth)

    at = dict(t=deep_times, tau=tau, **deep_task)
    rivals = {
        "as printed, t/tau": printed_deep,
        "already at three layers": chain.flow(3, **deep_task, times=deep_times / tau / 3),
        "already at ten layers": chain.flow(10, **deep_task, times=deep_times / tau / 10),
        "two layers": two_layers,
    }
    judge = Order(1, start=1 / 8, halvings=4)
    confront(
        "very deep chains obey the Lambert law",
        infinitely_deep,
        run,
        at,
        judge,
        rivals,
        labels={**labels, "h": "1/depth"},
    )


def test_infinitely_deep_descent():
    """Gradient descent on deep chains, its step shrinking with depth, tends to the same law."""

    def run(inverse_depth, seed):
        depth = round(1 / inverse_depth)
        return chain.train(depth, **deep_task, times=deep_times / tau / depth, eta=0.4 / tau / depth**2)

    at = dict(t=deep_times, tau=tau, **deep_task)
    rivals = {"as printed, t/tau": printed_deep}
    judge = Order(1, start=1 / 8, halvings=4)
    confront(
        "descent on very deep chains obeys it too",
        infinitely_deep,
        run,
        at,
        judge,
        rivals,
        labels={**labels, "h": "1/depth"},
    )


halved = dict(s=1.7, lam=0.6, tau=tau, a0=np.array([0.05, 0.2, 0.5, 0.9]))
half_labels = dict(a0="start $a_0$", y="half-time (τ = 1.3)", h="step η")


def half_time(depth):
    """The time when a trained chain passes half of its fixed point, from every start."""
    times = lambda eta: [chain.half_time(depth, s=1.7, lam=0.6, a0=float(a), eta=eta / tau) for a in halved["a0"]]  # noqa: E731
    return lambda eta, seed: tau * np.array(times(eta))


def test_half_time_1():
    """One layer passes half of s/lam when the law says."""
    rivals = {"(tau/lam) ln 2, from zero": lambda s, lam, a0, tau: tau / lam * np.log(2), "two layers": half_time_2}
    confront("half-time of one layer", half_time_1, half_time(1), halved, Order(1), rivals, labels=half_labels)


def test_half_time_2():
    """Two layers pass half of s/lam when the law says."""
    rivals = {"(tau/2s) ln(1/a0)": lambda s, lam, a0, tau: tau / (2 * s) * np.log(1 / a0), "one layer": half_time_1}
    confront("half-time of two layers", half_time_2, half_time(2), halved, Order(1), rivals, labels=half_labels)


def test_half_time_infinite():
    """Deep chains pass half of s/lam, in rescaled time, when the law says, as one over depth."""

    def run(inverse_depth, seed):
        depth = round(1 / inverse_depth)
        eta = 0.4 / tau / depth**2
        return depth * tau * np.array([chain.half_time(depth, s=1.7, lam=0.6, a0=float(a), eta=eta) for a in starts])

    starts = np.array([0.3, 0.5, 0.8])
    rivals = {"tau/(s a0)": lambda s, lam, a0, tau: tau / (s * a0), "two layers": half_time_2}
    judge = Order(1, start=1 / 8, halvings=4)
    confront(
        "half-time of very deep chains",
        half_time_infinite,
        run,
        {**halved, "a0": starts},
        judge,
        rivals,
        labels={**half_labels, "h": "1/depth"},
    )


def test_escape():
    """Two unequal small layers leave the saddle as the law says, up to the square of their size."""
    at = dict(s=1.7, c0=0.5, d0=-0.2, t=np.array([0.2, 0.6, 1.0, 1.6]), tau=tau)

    def run(size, seed):
        weights = (size * at["c0"], size * at["d0"])
        return chain.flow_from(weights, s=1.7, lam=0.6, times=at["t"] / tau) / size**2

    rivals = {
        "from the product c0 d0": lambda t, s, c0, d0, tau: c0 * d0 * np.exp(2 * s * t / tau),
        "only the growing part": lambda t, s, c0, d0, tau: (c0 + d0) ** 2 / 4 * np.exp(2 * s * t / tau),
    }
    claim = "unequal weights leave the saddle by their sum"
    confront(
        claim,
        escape,
        run,
        at,
        Order(2, start=0.1),
        rivals,
        labels={**labels, "h": "size of the weights", "y": "output a over size²"},
    )
