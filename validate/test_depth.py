"""Chains of every depth, trained in torch, against the trajectory and the learning times at any depth."""

import math

import numpy as np
import pytest

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import chain, modes
from theory.chain import (
    any_depth,
    learning_time,
    learning_time_1,
    learning_time_2,
    learning_time_3,
    learning_time_4,
    learning_time_infinite,
    settling_time,
    small_start_time,
    vanishing_time,
)

task, tau = dict(s=1.7, lam=0.6, a0=0.1), 1.3
ends = dict(**task, af=np.array([0.3, 0.8, 1.4, 2.1]))
labels = dict(t="time t (s = 1.7, λ = 0.6, τ = 1.3)", y="output a", h="step η")
timed = dict(af="output reached, $a_f$ (s = 1.7, λ = 0.6)", y="time T (τ = 1.3)", h="step η")


def of_each(ends, time):
    """A measured time, in units of 1/tau, at every output to be reached."""
    fixed = {name: value for name, value in ends.items() if name != "af"}
    return lambda h, seed: tau * np.array([time({**fixed, "af": float(af)}, h) for af in ends["af"]])


def by_descent(depth, ends):
    """The time that gradient descent takes to every output."""
    return of_each(ends, lambda to, eta: chain.passage_time(depth, **to, eta=eta / tau))


times = {
    1: [0.4, 1.2, 2.4, 4.8],
    2: [0.4, 1.2, 2.4, 4.8],
    3: [0.4, 1.0, 1.4, 2.0],
    4: [0.4, 0.8, 1.2, 1.6],
    8: [0.2, 0.6, 0.8, 1.0],
}


def rivals(depth):
    """One layer more, the very deep law read in this chain's own time, and each argument a tenth larger."""
    larger = {
        f"{name} a tenth larger": lambda name=name, **at: any_depth(**{**at, name: 1.1 * at[name]})
        for name in ("s", "lam", "a0", "tau")
    }
    return {
        "one layer more": lambda depth, **at: any_depth(depth=depth + 1, **at),
        "very deep": lambda t, depth, **at: any_depth(depth * t, depth=math.inf, **at),
        **larger,
    }


@pytest.mark.parametrize("depth", times)
def test_trajectory(depth):
    """Gradient descent on a chain of any depth follows the inverted learning time at first order in the step."""
    t = np.array(times[depth])
    run = lambda eta, seed: chain.train(depth, **task, times=t / tau, eta=eta / tau)  # noqa: E731
    at = dict(t=t, depth=depth, tau=tau, **task)
    confront(
        f"a chain of depth {depth} follows its law",
        any_depth,
        run,
        at,
        Order(1, start=0.01),
        rivals(depth),
        labels=labels,
        of=learning_time,
    )


@pytest.mark.parametrize("depth", times)
def test_trajectory_second_order(depth):
    """Descent at any depth, less what its own term eta |grad L|^2/4 of the loss does, is the law at second order."""
    t = np.array(times[depth])
    run = lambda eta, seed: chain.corrected(depth, **task, times=t / tau, eta=eta / tau)  # noqa: E731
    at = dict(t=t, depth=depth, tau=tau, **task)
    claim = f"a chain of depth {depth} follows its law, to second order"
    confront(claim, any_depth, run, at, Order(2, start=0.05), rivals(depth), labels=labels, of=learning_time)


special = {1: learning_time_1, 2: learning_time_2, 3: learning_time_3, 4: learning_time_4}


@pytest.mark.parametrize("depth", special)
def test_learning_time(depth):
    """At depths 1 to 4 descent takes the time of an elementary law from one output to another, at first order in η."""
    other = {f"{depth % 4 + 1} layer{'s' * (depth % 4 > 0)}": special[depth % 4 + 1]}
    claim = f"learning time of {depth} layer{'s' if depth > 1 else ''}"
    run, at = by_descent(depth, ends), dict(tau=tau, **ends)
    confront(claim, special[depth], run, at, Order(1, start=0.04), other, labels=timed)


def test_learning_time_at_any_depth():
    """At depth five, which has no elementary law, descent takes the time of the general one, at first order in η."""
    run = by_descent(5, ends)
    faster = {"four layers": lambda D, **at: learning_time_4(**at)}
    claim = "learning time at any depth"
    confront(claim, learning_time, run, dict(tau=tau, D=5, **ends), Order(1, start=0.04), faster, labels=timed)


exactly = {
    learning_time: dict(s=1.7, lam=0.6, a0=1.1, af=np.array([1.3, 1.7, 2.1, 2.5])),
    settling_time: dict(s=1.7, lam=0.6, a0=6.3, af=np.array([5.3, 4.3, 3.7, 3.4])),
    vanishing_time: dict(s=1.7, lam=0.6, a0=-1.9, af=np.array([-1.6, -1.2, -0.9, -0.6])),
}


@pytest.mark.parametrize("law", exactly, ids=lambda law: law.name)
def test_times_by_solver(law):
    """The gradient flow of a torch chain of five takes the time of the law to the solver's own error."""
    run = of_each(exactly[law], lambda ends, rtol: chain.flow_passage_time(5, **ends, rtol=rtol))
    other = {"depth 5 (1 + 1e-8)": lambda D, **at: law(D=D * (1 + 1e-8), **at)}
    claim = f"{law.name.replace('_', ' ')} of five layers under gradient flow"
    confront(claim, law, run, dict(tau=tau, D=5, **exactly[law]), Solver(), other, labels=timed)


def test_settling_time():
    """The time down to an output from above the fixed point, at depth five."""
    above = dict(s=1.7, lam=0.6, a0=6.3, af=np.array([5.3, 4.3, 3.7, 3.4]))
    run = by_descent(5, above)
    other = {
        "three layers": lambda D, **at: learning_time_3(**at),
        "four layers": lambda D, **at: learning_time_4(**at),
    }
    claim = "settling time at any depth"
    confront(claim, settling_time, run, dict(tau=tau, D=5, **above), Order(1, start=2e-3), other, labels=timed)


def test_vanishing_time():
    """The time of a chain of five with a negative weight, from one output below zero on its way to the saddle."""
    below = dict(s=1.7, lam=0.6, a0=-1.9, af=np.array([-1.3, -0.8, -0.4, -0.2]))
    run = by_descent(5, below)
    other = {"as if rising from 0.2 to 1.9": lambda a0, af, **at: learning_time(a0=-af, af=-a0, **at)}
    claim = "vanishing time at any depth"
    confront(claim, vanishing_time, run, dict(tau=tau, D=5, **below), Order(1, start=2e-2), other, labels=timed)


def test_trajectory_below_zero():
    """A chain of three with a negative weight returns to the saddle by the inverted vanishing time."""
    t, start = np.array([0.2, 0.6, 1.5, 4.0]), dict(s=1.7, lam=0.6, a0=-0.9)
    run = lambda eta, seed: chain.train(3, **start, times=t / tau, eta=eta / tau)  # noqa: E731
    mirror = {"the mirror image": lambda a0, **at: -any_depth(a0=-a0, **at)}
    at = dict(t=t, depth=3, tau=tau, **start)
    confront(
        "below zero a chain returns to the saddle",
        any_depth,
        run,
        at,
        Order(1, start=0.02),
        mirror,
        labels=labels,
        of=vanishing_time,
    )


def test_learning_time_infinite():
    """Deep chains need, in rescaled time, what the law of infinite depth says, as one over depth."""
    start = {**ends, "a0": 0.3, "af": np.array([0.6, 1.4, 2.1])}

    def run(inverse_depth, seed):
        depth = round(1 / inverse_depth)
        return depth * by_descent(depth, start)(0.4 / depth**2, seed)

    two = {"two layers": learning_time_2}
    judge, claim = Order(1, start=1 / 8, halvings=4), "learning time of very deep chains"
    confront(claim, learning_time_infinite, run, dict(tau=tau, **start), judge, two, labels={**timed, "h": "1/depth"})


def test_small_start():
    """From small weights the time grows as a0^(2/D - 1), not as the printed 1/(s b0^D) = 1/(s a0)."""
    depth, power = 8, 1 - 2 / 8

    def run(a0, seed):
        return tau * chain.flow_passage_time(depth, s=1.7, lam=0.6, a0=a0, af=1.7 / 1.2) * a0**power

    def scaled(law):
        return lambda s, lam, D, tau: law(a0=1e-9, s=s, lam=lam, D=D, tau=tau) * 1e-9**power

    at = dict(s=1.7, lam=0.6, D=depth, tau=tau)
    printed = {
        "as printed, 1/(s b0^D)": lambda s, lam, D, tau: tau / s,
        "D for D - 2": lambda s, lam, D, tau: tau / (D * s),
    }
    judge = Order(power, start=1e-2, halvings=6, then=1)
    confront(
        "small weights wait for their inverse power",
        small_start_time,
        run,
        at,
        judge,
        printed,
        through=scaled,
        labels=dict(h="start $a_0$", y="training time × $a_0^{1 - 2/D}$ (τ = 1.3)"),
    )


def test_three_layers_on_digits():
    """All 61 modes of a three-layer autoencoder of the digits follow the chain of depth three, each its own."""
    lam, a0 = 0.6, 0.05
    digits, t = modes.pixels(lam), np.array([1.6, 3.2, 4.8, 6.4, 9.6, 12.8])
    train = lambda eta, seed, t=t: modes.train(digits, modes.aligned(digits, 3, a0, seed=seed), t, eta).T  # noqa: E731

    def law(t, s, depth):
        return np.array([any_depth(t, depth=depth, s=float(k), lam=lam, a0=a0) for k in np.ravel(s)])

    def progress(when=(1.6, 4.8, 12.8)):
        """How far every mode has come at three times, from the strongest to those that start above their end."""
        s = digits.s.numpy()
        said = [Series("law", s.tolist(), row.tolist(), "law") for row in law(np.array(when), s, 3).T]
        seen = Series("run", s.tolist(), train(0.0125, 0, np.array(when)).T.tolist(), "trained network, step 0.0125")
        end = Series("rival", s.tolist(), (s / lam).tolist(), "the end, s/lam")
        said_of = "mode strength $a_k$ at t = 1.6, 4.8, 12.8 (τ = 1)"
        return Panel("singular value $s_k$ of the mode", said_of, (*said, end, seen), "x")

    strong = np.arange(len(digits.s))[:, None] < 5
    rivals = {
        "two layers": lambda t, s, depth: law(t, s, 2),
        "four layers": lambda t, s, depth: law(t, s, 4),
        "all but the first five modes stay": lambda t, s, depth: np.where(strong, law(t, s, depth), a0),
    }
    at = dict(t=t, s=digits.s.numpy()[:, None], depth=3)
    drawn = {**labels, "t": "time t (τ = 1)", "y": "mode strength $a_k$"}
    claim, judge = "three layers learn all 61 digit modes as their own chains", Order(1, start=0.1)
    confront(claim, law, train, at, judge, rivals, labels=drawn, of=learning_time, picture=progress())
