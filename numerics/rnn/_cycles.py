"""How a trained network goes on when left alone: where it turns, how fast, and how it stretches and shrinks.

Averages along a course of N steps have the weights exp(-1/(s (1 - s))), s = 1/(N + 1), ..., N/(N + 1).  Along a closed
curve that a map turns into itself they converge faster than any power of N, where plain averages do as 1/N (Das,
Sander and Yorke, "Super convergence of ergodic averages for quasiperiodic orbits", 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.checks import numbers_of, whole


@dataclass(frozen=True)
class Courses:
    """Courses of r -> tanh(A r + b), one for each start, after they have settled.

    Attributes:
        rates: shape (steps, starts, n).
        turns: per step, (starts,), around the middle of the plane of the two first principal components; meaningful
            for a course that keeps turning there in one sense, by less than half a turn in a step.
        exponents: the largest Lyapunov exponents per step, (starts, count), falling: 0 and then negative ones on a
            stable closed curve.
    """

    rates: np.ndarray
    turns: np.ndarray
    exponents: np.ndarray

    @property
    def multipliers(self) -> np.ndarray:
        """Moduli of the Floquet multipliers of closed curves: what is left of perturbations after a turn."""
        return np.exp(self.exponents / self.turns[:, None])


def courses(A, b, starts, *, settle: int, steps: int, count: int = 2) -> Courses:
    """Where r -> tanh(A r + b) leads from `starts`, after `settle` steps, for `steps` more.

    Args:
        A: recurrent weights, (n, n); with the readout fed back as the input, A + U C.
        b: bias and constant input together, (n,) or (starts, n); with the readout fed back, b + U c.
        starts: rates to start from, (starts, n).
        settle: steps before anything is measured, in which perturbations turn to where they grow most as well.
        steps: of the courses.
        count: how many exponents.

    Raises ValueError, TypeError: an argument makes no sense.
    """
    across, drive, r = numbers_of("A", A), numbers_of("b", b), numbers_of("starts", starts)
    n = len(across)
    if across.shape != (n, n) or r.ndim != 2 or r.shape[1] != n or drive.shape not in ((n,), r.shape):
        raise ValueError(f"A {across.shape}, b {drive.shape} and starts {r.shape} do not fit: (n, n), (n,), (m, n)")
    if whole("count", count) > n:
        raise ValueError(f"count = {count!r}: {n} units have {n} exponents")
    first, last = whole("settle", settle, 0), whole("steps", steps, 2)
    v = np.linalg.qr(np.random.default_rng(0).normal(size=(len(r), n, count)))[0]
    rates, logs = np.empty((last, *r.shape)), np.empty((last, len(r), count))
    for t in range(first + last):
        r = np.tanh(r @ across.T + drive)
        v, growth = np.linalg.qr((1 - r**2)[..., None] * (across @ v))
        if t >= first:
            rates[t - first], logs[t - first] = r, np.log(np.abs(np.diagonal(growth, axis1=1, axis2=2)))
    return Courses(rates, _turns(rates), -np.sort(-_average(logs)))


def _turns(rates: np.ndarray) -> np.ndarray:
    """Mean turns per step of every course, without their sense."""
    away = np.moveaxis(rates - rates.mean(0), 1, 0)
    plane = np.linalg.eigh(away.mT @ away)[1][..., -2:]
    angle = np.angle((away @ plane) @ np.array([1, 1j]))
    step = (np.diff(angle.T, axis=0) + np.pi) % (2 * np.pi) - np.pi
    return np.abs(_average(step)) / (2 * np.pi)


def _average(values: np.ndarray) -> np.ndarray:
    """Of numbers along the first axis, with weights that vanish with all their derivatives at both ends."""
    s = np.arange(1, len(values) + 1) / (len(values) + 1)
    weights = np.exp(-1 / (s * (1 - s)))
    return np.tensordot(weights / weights.sum(), values, 1)
