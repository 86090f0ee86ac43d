"""Learners that decide: many networks with cortical gains and striatal weights, each with its own trials.

A trial shows a stimulus on the left (with probability p) or on the right; the learner chooses a side with
probabilities exp(beta Q_a)/sum_b exp(beta Q_b) and is rewarded by r if it was the right one.  Its values are
Q_a = sum_i w_ai u_i x_i over the units i = L, R (their stimulus) and 0 (always on).  Then it changes by eta times

    (Rew - Q_a) w_ai x_i           in the gain u_i of every unit,
    (Rew - w_as u_s) u_s           in the weight w_as of the stimulus s on the choice a,
    (Rew - w_a0 u_0) u_0           in the weight w_a0 of the constant unit:

each the slope of a squared error of its own.  The slides print the three errors; the network is a reconstruction.
A learner is an array of rows (u_i, w_Li, w_Ri) for i = L, R, 0.  Time is eta per trial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from numerics.checks import numbers_of, positive, whole
from numerics.descent import increasing, whole_steps

DEEP = np.ones((3, 3))
SHALLOW = np.array([[0.0, 1.0, 1.0]] * 3)  # gains stay as they are


@dataclass(frozen=True)
class Task:
    """Probability `p` of the left stimulus, reward `r` > 0, inverse temperature `beta` > 0 of the choices."""

    p: float
    r: float
    beta: float

    def __post_init__(self):
        if not 0 < positive("p", self.p) < 1:
            raise ValueError(f"p = {self.p!r} must be a probability between 0 and 1: both stimuli are shown")
        positive("r", self.r)
        positive("beta", self.beta)


def learn(task: Task, start, times, eta: float, *, learners: int, seed: int, plastic=DEEP) -> np.ndarray:
    """Many learners, each with trials of its own; shape (len(times), learners, 3, 3).

    Args:
        task: what is learnt.
        start: rows (u_i, w_Li, w_Ri); shape (3, 3) for all alike, or (learners, 3, 3).
        times: increasing, >= 0, whole multiples of eta.
        eta: learning rate, positive.
        learners: how many, at least 1.
        seed: of stimuli and choices.
        plastic: factor of every weight's learning rate, shape (3, 3): DEEP, or SHALLOW to leave the gains as they are.

    Raises:
        ValueError, TypeError: arguments outside these ranges.
    """
    theta = np.ascontiguousarray(np.moveaxis(_start(start, whole("learners", learners)), 0, -1))
    generator, rates = np.random.default_rng(seed), eta * _factors(plastic)

    def trial(theta):
        drawn = generator.random((2, learners))
        stimulus = (drawn[0] >= task.p).astype(int)
        gap = np.subtract(*_values(theta, stimulus)[::-1])  # right over left
        choice = (drawn[1] < 1 / (1 + np.exp(-task.beta * gap))).astype(int)
        _change(theta, stimulus, choice, task.r, rates)

    return np.moveaxis(_along(theta, times, eta, trial), -1, 1)


def expect(task: Task, start, times, eta: float, *, plastic=DEEP) -> np.ndarray:
    """Learners that change by the average over all trials in every step; shape (len(times), ..., 3, 3).

    Args:
        task: what is learnt.
        start: rows (u_i, w_Li, w_Ri); shape (..., 3, 3).
        times: increasing, >= 0, whole multiples of eta.
        eta: learning rate, positive.
        plastic: as in `learn`.

    Raises:
        ValueError, TypeError: arguments outside these ranges.
    """
    rows = _start(start, None)
    theta = np.ascontiguousarray(np.moveaxis(rows.reshape(-1, 3, 3), 0, -1))
    rates = eta * _factors(plastic)

    def step(theta):
        before = theta.copy()
        for stimulus, shown in enumerate((task.p, 1 - task.p)):
            side = np.full(theta.shape[-1], stimulus)
            drive = task.beta * _values(before, side)
            chances = np.exp(drive - np.logaddexp(*drive))
            for choice in (0, 1):
                after = before.copy()
                _change(after, side, np.full_like(side, choice), task.r, rates)
                theta += shown * chances[choice] * (after - before)

    return np.moveaxis(_along(theta, times, eta, step), -1, 1).reshape(-1, *rows.shape)


def totals(weights) -> np.ndarray:
    """The values of both choices on both stimuli; shape (..., 2, 2), rows are stimuli, from shape (..., 3, 3)."""
    rows = numbers_of("weights", weights)
    if rows.shape[-2:] != (3, 3):
        raise ValueError(f"weights have the shape {rows.shape}, not (..., 3, 3) rows (u_i, w_Li, w_Ri)")
    each = rows[..., :1] * rows[..., 1:]
    return each[..., :2, :] + each[..., 2:, :]


def _values(theta, stimulus) -> np.ndarray:
    """The values of both choices; shape (2, learners), from weights of shape (3, 3, learners)."""
    n = np.arange(theta.shape[-1])
    return theta[2, 0] * theta[2, 1:] + (theta[stimulus, 0, n] * theta[stimulus, 1:, n].T)


def _change(theta, stimulus, choice, r, rates) -> None:
    """One trial of every learner, in place: all three errors are taken before anything changes."""
    n, a = np.arange(theta.shape[-1]), choice + 1
    gain, weight = theta[stimulus, 0, n], theta[stimulus, a, n]
    always, bias = theta[2, 0].copy(), theta[2, a, n]
    reward = r * (stimulus == choice)
    error = reward - gain * weight - always * bias
    theta[stimulus, 0, n] += rates[stimulus, 0] * error * weight
    theta[2, 0] += rates[2, 0] * error * bias
    theta[stimulus, a, n] += rates[stimulus, a] * (reward - gain * weight) * gain
    theta[2, a, n] += rates[2, a] * (reward - always * bias) * always


def _along(theta, times, eta, step) -> np.ndarray:
    """Weights at each of `times`; shape (len(times), 3, 3, learners)."""
    wanted = whole_steps(increasing(times), positive("eta", eta))
    records: list[np.ndarray] = []
    for k in tqdm(range(wanted[-1] + 1), desc="learning", delay=2, leave=False):
        if k == wanted[len(records)]:
            records.append(theta.copy())
        if k < wanted[-1]:
            step(theta)
    return np.array(records)


def _start(start, learners: int | None) -> np.ndarray:
    rows = numbers_of("start", start)
    if rows.shape[-2:] != (3, 3) or (learners and rows.ndim != 2 and rows.shape != (learners, 3, 3)):
        raise ValueError(f"start has the shape {rows.shape}, not (3, 3) rows (u_i, w_Li, w_Ri), one set or one each")
    return np.array(np.broadcast_to(rows, (learners, 3, 3))) if learners else rows


def _factors(plastic) -> np.ndarray:
    factors = numbers_of("plastic", plastic)
    if factors.shape != (3, 3) or np.any(factors < 0):
        raise ValueError(f"plastic = {plastic!r} must be a (3, 3) array of factors >= 0")
    return factors
