"""Linear attention that learns regression in its context, against the logistic law of two layers."""

from functools import partial

import numpy as np

from laws import Equivalent, Mean, Order, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import attention
from numerics.chain import crossing
from numerics.descent import GradientDescent, GradientFlow
from theory.attention import context_loss, context_variance, merged_attention
from theory.chain import half_time_2

D, N, sigma0, tau = 2, 3, 0.01, 1.3
grid, small_grid = attention.grid(D, N), attention.grid(D, 2)
labels = dict(t="time t (τ = 1.3, D = 2 inputs, N = 3 examples in the context)", y="shrinkage σ", h="step η")


def endless_context(t, D, N, sigma0, tau):
    """The rival that takes a finite context for an endless one."""
    return merged_attention(t=t, D=D, N=1e12, sigma0=sigma0, tau=tau)


def test_merged_attention():
    """Gradient descent on every prompt of a grid follows the logistic law at first order in the step."""
    times = np.array([0.65, 1.3, 2.6, 3.9, 5.2])

    def run(eta, seed):
        return attention.train(grid, attention.balanced(D, sigma0), times / tau, GradientDescent(eta / tau))

    rivals = {
        "an endless context": endless_context,
        "rate 2 D": lambda t, D, **rest: merged_attention(t=t * np.sqrt(D), D=D, **rest),
        "kappa = 1 + D/N": lambda N, D, **rest: merged_attention(N=N * (1 + D) / D, D=D, **rest),
    }
    at = dict(t=times, D=D, N=N, sigma0=sigma0, tau=tau)
    claim = "attention learns its context suddenly"
    confront(claim, merged_attention, run, at, Order(1, start=0.13), rivals, labels=labels)


def sudden():
    """Runs from small random weights: the loss stays, falls, and stays above 0."""
    times, curves, dots = np.linspace(0, 9, 181), [], []
    kappa = context_variance(D=D, N=2)
    for seed in range(4):
        weights = attention.random(D, 0.02, seed=seed)
        record = partial(loss_over, small_grid)
        dots.append(attention.train(small_grid, weights, times, GradientFlow(1e-7, 1e-10), record=record)[::4])
        sigma = merged_attention(t=times, D=D, N=2, sigma0=start_of(weights) / np.sqrt(D), tau=1.0)
        curves.append(D * (1 - 2 * sigma + kappa * sigma**2) / 2)
    floor = Series("rival", times.tolist(), [context_loss(D=D, N=2)] * len(times), "what a finite context leaves")
    law = Series("law", times.tolist(), np.array(curves).tolist(), "law")
    runs = Series("run", times[::4].tolist(), np.array(dots).tolist(), "4 trained networks")
    return Panel("time t (τ = 1)", "loss", (law, floor, runs))


def loss_over(prompts, weights):
    """Half of the mean squared error over prompts, as a tensor."""
    return (prompts.weight * (prompts.answer - attention.answers(weights, prompts)) ** 2).sum() / 2


def start_of(weights):
    """The effective start of the one mode: |c + d|^2/4 of its incoming and outgoing weight."""
    value, merged = (w.numpy() for w in weights)
    return (np.trace(merged) / np.sqrt(D) + value) ** 2 / 4


def test_from_random_weights():
    """From small random weights attention passes half of its shrinkage when the chain of its one mode does."""
    kappa, times, scale = context_variance(D=D, N=2), np.linspace(0, 15, 151), 3e-3

    def law(offset):
        return np.zeros(1) + offset

    def drawn(seed):
        return attention.random(D, scale, seed=seed)

    def half(a0):
        return half_time_2(s=np.sqrt(D), lam=kappa, a0=a0, tau=1.0)

    def error(seed):
        seen = attention.train(small_grid, drawn(seed), times, GradientFlow(1e-5, 1e-10))
        return np.array([abs(crossing(times, seen, 1 / (2 * kappa)) / half(start_of(drawn(seed))) - 1)])

    def from_the_mean(offset):
        """The error that one mean start would make, over starts drawn by themselves."""
        starts = np.array([start_of(drawn(seed)) for seed in range(200)])
        return np.array([np.median(np.abs(half(scale**2 / 2) / half(starts) - 1))])

    rivals = {
        "all from the mean start": from_the_mean,
        "at the rate D": lambda offset: np.array([1 - 1 / np.sqrt(D)]),
    }
    claim = "attention escapes its saddle as one mode does, within a thousandth of its time"
    names = dict(y="relative size of the error of the half-time")
    confront(
        claim,
        law,
        error,
        dict(offset=0.0),
        Equivalent(0.001, runs=40),
        rivals,
        labels=names,
        picture=sudden(),
        of=half_time_2,
    )


def context_squares(prompts):
    """The mean over directions of the squared context of every prompt."""
    return ((prompts.y[..., None] * prompts.x).mean(1) ** 2).mean(1).numpy()


ENDLESS = {"endless": lambda D, N: 1 + 0 * N, "1 + D/N": lambda D, N: 1 + D / N}
context_labels = dict(N="examples in the context N (D = 2 inputs)", y="variance κ of the context")


def test_context_variance():
    """Over every prompt of a grid the context varies by exactly 1 + (1 + D)/N in every direction."""
    lengths = np.array([1, 2, 3])

    def run(seed):
        grids = [attention.grid(D, int(length)) for length in lengths]
        return np.array([prompts.weight.numpy() @ context_squares(prompts) for prompts in grids])

    judge, claim = Roundoff(operations=10 * len(grid.x)), "a finite context varies"
    confront(claim, context_variance, run, dict(D=D, N=lengths), judge, ENDLESS, labels=context_labels)


def test_drawn_contexts():
    """The context of drawn prompts varies as much on average."""
    lengths = np.array([3, 5, 9])

    def run(n, seed):
        return np.stack([context_squares(attention.drawn(n, 3, int(length), seed=seed)) for length in lengths], axis=1)

    spread = 60.0  # a bound: with three examples the variance is about 25, with more it is less
    drawn = {**context_labels, "N": "examples in the context N (D = 3 inputs)"}
    judge, claim = (
        Mean(detects=0.15, variance=spread, points=3),
        "a short context varies by its dimension over its length",
    )
    confront(
        claim,
        context_variance,
        run,
        dict(D=3, N=lengths),
        judge,
        ENDLESS,
        labels=drawn,
    )


def test_context_loss():
    """When all is learnt the loss over every prompt of the grid is what the finite context leaves."""
    lengths = np.array([1, 2, 3])

    def run(seed):
        left = []
        for length in lengths:
            prompts = attention.grid(D, int(length))
            record = partial(loss_over, prompts)
            weights = attention.balanced(D, 0.3)
            left.append(attention.train(prompts, weights, [20.0], GradientFlow(1e-10, 1e-13), record=record)[0])
        return np.array(left)

    rivals = {"nothing": lambda D, N: 0 * N, "D/(2 N)": lambda D, N: D / (2 * N)}
    judge = Roundoff(operations=10 * len(grid.x))
    labels = dict(N="examples in the context N (D = 2 inputs)", y="loss when all is learnt")
    claim = "a finite context leaves some loss"
    confront(claim, context_loss, run, dict(D=D, N=lengths), judge, rivals, labels=labels)
