"""The Lorenz-96 system, x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring, and what can be measured of it."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from numerics.checks import numbers_of, positive, real, whole
from numerics.descent import increasing, whole_steps

FEWEST = 4  # sites, for the neighbours to be different


def speed(x: np.ndarray, force: float) -> np.ndarray:
    """X' for states along the last axis."""
    ahead, behind, before = _neighbours(x.shape[-1])
    return (x.take(ahead, -1) - x.take(before, -1)) * x.take(behind, -1) - x + force


@cache
def _neighbours(sites: int) -> tuple[np.ndarray, ...]:
    """Places i + 1, i - 1 and i - 2 on the ring: several times as fast as rolling the states."""
    here = np.arange(sites)
    return (here + 1) % sites, (here - 1) % sites, (here - 2) % sites


def tangent(x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The derivative of the speed at x, shape (..., n), along the columns of v, shape (..., n, k)."""
    ahead, behind, before = _neighbours(x.shape[-1])
    shear = (x.take(ahead, -1) - x.take(before, -1))[..., None]
    return (v.take(ahead, -2) - v.take(before, -2)) * x.take(behind, -1)[..., None] + v.take(behind, -2) * shear - v


def runge_kutta(x: np.ndarray, force: float, dt: float) -> np.ndarray:
    """The states that follow x, along the last axis, after a step of the classical method of order 4."""
    a = speed(x, force)
    b = speed(x + dt / 2 * a, force)
    c = speed(x + dt / 2 * b, force)
    return x + dt / 6 * (a + 2 * b + 2 * c + speed(x + dt * c, force))


@cache
def settled(sites: int, force: float, dt: float) -> np.ndarray:
    """256 states on the attractor, 400 steps after random ones."""
    x = force + np.random.default_rng(0).normal(size=(256, sites))
    for _ in range(400):
        x = runge_kutta(x, force, dt)
    return x


def simulate(start, force: float, times, rtol: float = 1e-9) -> np.ndarray:
    """States at each of `times`, from `start` of shape (n,); shape (len(times), n).  DOP853, atol = rtol."""
    x, when = _start(start), increasing(times)
    return _solve(lambda _, y: speed(y, force), x, when, positive("rtol", rtol), real("force", force))


def means(start, force: float, time: float, rtol: float = 1e-9) -> tuple[float, float, float]:
    """Averages over sites and times up to `time`: of x, of x^2, and of the rate of change of x^2/2."""
    x = _start(start)
    n = len(x)

    def rates(_, y):
        return np.append(speed(y[:n], force), [y[:n].mean(), (y[:n] ** 2).mean()])

    end = _solve(rates, np.append(x, [0.0, 0.0]), np.array([positive("time", time)]), positive("rtol", rtol), force)[0]
    first, second = end[n:] / time
    return float(first), float(second), float(((end[:n] ** 2).mean() - (x**2).mean()) / (2 * time))


def growth(n: int, wave: int, force: float, size: float, time: float, rtol: float = 1e-13) -> tuple[float, float]:
    """How a wave around the rest state x = F grows, and by what angle it turns, per unit of time.

    The wave has `wave` periods on n sites and a first amplitude `size`; half of the difference from the wave of
    opposite sign is followed, so that errors are of second order in the size.
    """
    sites = np.arange(whole("n", n, FEWEST))
    shape = np.exp(2j * np.pi * whole("wave", wave, 0) * sites / n)
    ends = [simulate(force + sign * positive("size", size) * shape.real, force, [time], rtol)[0] for sign in (1, -1)]
    left = ((ends[0] - ends[1]) / 2 * shape.conj()).mean() / (size * (shape.real * shape.conj()).mean())
    return float(np.log(np.abs(left)) / time), float(np.angle(left) / time)


def exponents(start, force: float, time: float, *, count: int | None = None, spacing: float = 0.1, rtol: float = 1e-9):
    """The largest `count` Lyapunov exponents over `time`, all of them by default; shape (count,), falling.

    Perturbations are made orthonormal every `spacing`; the time is a whole multiple of it.

    Raises ValueError, TypeError: an argument makes no sense, or count is above the number of sites.
    """
    x = _start(start)
    n, pieces = len(x), int(whole_steps(np.array([positive("time", time)]), positive("spacing", spacing))[0])
    k = n if count is None else whole("count", count)
    if k > n or not pieces:
        raise ValueError(
            f"count = {count!r} and time = {time!r}: at most {n} exponents, and time >= spacing = {spacing!r}"
        )
    v, logs = np.linalg.qr(np.random.default_rng(0).normal(size=(n, k)))[0], np.zeros(k)

    def rates(_, y):
        return np.concatenate([speed(y[:n], force), tangent(y[:n], y[n:].reshape(n, k)).ravel()])

    for _ in range(pieces):
        end = _solve(rates, np.concatenate([x, v.ravel()]), np.array([spacing]), rtol, force)[0]
        x = end[:n]
        v, r = np.linalg.qr(end[n:].reshape(n, k))
        logs += np.log(np.abs(np.diag(r)))
    return np.sort(logs)[::-1] / (pieces * spacing)


def spectra(starts, force: float, dt: float, *, settle: int, steps: int) -> np.ndarray:
    """All Lyapunov exponents of steps of `runge_kutta`, per unit of time, along many courses at once.

    Args:
        starts: states, shape (m, n).
        force: F.
        dt: time in a step.
        settle: steps before anything is measured, in which perturbations turn to where they grow most.
        steps: over which the exponents are averages.

    Returns:
        Shape (m, n), falling along the last axis.
    """
    x = numbers_of("starts", starts)
    if x.ndim != 2 or x.shape[1] < FEWEST:
        raise ValueError(f"starts has shape {x.shape}: rows of at least {FEWEST} sites are needed")
    m, n = x.shape
    v, logs = np.linalg.qr(np.random.default_rng(0).normal(size=(m, n, n)))[0], np.zeros((m, n))
    first, last, step = whole("settle", settle, 0), whole("steps", steps), positive("dt", dt)
    for t in range(first + last):
        x, moved = _with_tangent(x, v, real("force", force), step)
        v, growth = np.linalg.qr(moved)
        if t >= first:
            logs += np.log(np.abs(np.diagonal(growth, axis1=1, axis2=2)))
    return -np.sort(-logs) / (last * step)


def _with_tangent(x, v, force, dt):
    """A step of `runge_kutta`, and its derivative along v."""
    ends, tangents, at, along = [], [], x, v
    for part in (dt / 2, dt / 2, dt, 0):
        ends.append(speed(at, force))
        tangents.append(tangent(at, along))
        at, along = x + part * ends[-1], v + part * tangents[-1]
    sums = [dt / 6 * (a + 2 * b + 2 * c + d) for a, b, c, d in (ends, tangents)]
    return x + sums[0], v + sums[1]


def _start(start) -> np.ndarray:
    x = numbers_of("start", start)
    if x.ndim != 1 or len(x) < FEWEST:
        raise ValueError(f"start has shape {x.shape}: a row of at least {FEWEST} sites is needed")
    return x


def _solve(rates, start, times, rtol, force) -> np.ndarray:
    found = solve_ivp(rates, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=rtol, atol=rtol)
    if not found.success:
        raise ArithmeticError(f"the solver stopped at F = {force}: {found.message}")
    return found.y.T
