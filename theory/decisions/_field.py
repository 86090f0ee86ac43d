"""The mean field of the learner, its trajectories, and the noise of learning around them."""

from __future__ import annotations

from functools import cache

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

from laws.arrays import positive, real_array
from laws.law import formula
from theory.decisions._symbols import beta, gain, outcomes, p, r, state

SIZE = len(state)


def speed(theta, *, p: float, r: float, beta: float) -> np.ndarray:
    """The mean field f of the network: the mean change in one trial, over the learning rate.

    Args:
        theta: rows (u_i, w_Li, w_Ri) for the units i = L, R, 0; shape (..., 3, 3).
        p: probability of the left stimulus, between 0 and 1.
        r: reward of the right choice, positive.
        beta: inverse temperature of the choice, positive.

    Returns:
        The same shape.

    Raises:
        ValueError, TypeError: arguments outside these ranges.

    Source: reconstruction from the losses (2).
    """
    rows = _rows("theta", theta)
    return _compiled().mean(rows, task(p, r, beta)).reshape(np.shape(theta))


def shallow_speed(weights, *, p: float, r: float, beta: float) -> np.ndarray:
    """The mean field of the network whose gains are 1 for ever: rows (w_Li, w_Ri), shape (..., 3, 2).

    Raises:
        ValueError, TypeError: as `speed`.

    Source: reconstruction from the losses (2).
    """
    return speed(_with_gains(weights), p=p, r=r, beta=beta)[..., 1:]


@formula(
    r"""\tau \frac{d u_i}{d t} = {-\langle \partial L^{\mathrm{cortex}} / \partial u_i \rangle},
    \quad \tau \frac{d w_{aL}}{d t} = {-\langle \partial L^{\mathrm{stim}} / \partial w_{aL} \rangle},
    \quad \tau \frac{d w_{aR}}{d t} = {-\langle \partial L^{\mathrm{stim}} / \partial w_{aR} \rangle},
    \quad \tau \frac{d w_{a0}}{d t} = {-\langle \partial L^{\mathrm{const}} / \partial w_{a0} \rangle}

    \text{over stimuli and choices, drawn with } \pi_a = \frac{\exp(\beta Q_a)}{\sum_b \exp(\beta Q_b)},
    \quad Q_a = Q_a^{\mathrm{stim}} + Q_a^{\mathrm{const}}"""
)
def trajectory(start, times, *, p: float, r: float, beta: float, tau: float = 1.0) -> np.ndarray:
    """The mean-field trajectory of the network, by an ODE solver; shape (len(times), 3, 3).

    Args:
        start: rows (u_i, w_Li, w_Ri), shape (3, 3).
        times: increasing, >= 0.
        p: probability of the left stimulus, between 0 and 1.
        r: reward of the right choice, positive.
        beta: inverse temperature of the choice, positive.
        tau: time constant, positive.

    Raises:
        ValueError, TypeError: arguments outside these ranges.

    Source: reconstruction from the losses (2).
    """
    at, field = task(p, r, beta), _compiled()
    return _solve(lambda y: field.mean(y, at), _one(start), times, tau).reshape(-1, 3, 3)


def shallow_trajectory(weights, times, *, p: float, r: float, beta: float, tau: float = 1.0) -> np.ndarray:
    """The trajectory of the shallow network from weights of shape (3, 2); shape (len(times), 3, 2).

    Raises:
        ValueError, TypeError: as `trajectory`.

    Source: reconstruction from the losses (2).
    """
    at, field, start = task(p, r, beta), _compiled(), _one(_with_gains(weights))
    learns = np.array([x not in gain.values() for x in state])
    return _solve(lambda y: np.where(learns, field.mean(y, at), 0), start, times, tau).reshape(-1, 3, 3)[..., 1:]


@formula(
    r"""\langle \theta \rangle = \theta(t) + \eta\, b(t),
    \quad \mathrm{Cov}\, \theta = \eta\, C(t)

    \tau \frac{d C}{d t} = J C + C J^T + D,
    \quad \tau \frac{d b}{d t} = J b + \frac{1}{2} \left( \sum_{j, k} C_{jk}\, \partial_j \partial_k f - J f \right),
    \quad J_{ij} = \partial_j f_i"""
)
def fluctuations(start, times, *, p: float, r: float, beta: float, tau: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """How many learners from one start differ from the mean field: mean shift and covariance, per learning rate.

    Args:
        start: rows (u_i, w_Li, w_Ri), shape (3, 3).
        times: increasing, >= 0.
        p: probability of the left stimulus, between 0 and 1.
        r: reward of the right choice, positive.
        beta: inverse temperature of the choice, positive.
        tau: time constant, positive.

    Returns:
        b of shape (len(times), 3, 3) and C of shape (len(times), 9, 9): with learning rate eta, after k = t/(tau eta)
        trials, the weights have the mean theta(t) + eta b and the covariance eta C, to first order in eta.

    Raises:
        ValueError, TypeError: as `trajectory`.

    Source: equation (5).
    """
    at, field = task(p, r, beta), _compiled()

    def moves(y):
        theta, shift, spread = y[:SIZE], y[SIZE : 2 * SIZE], y[2 * SIZE :].reshape(SIZE, SIZE)
        f, D = field.mean(theta, at), field.covariance(theta, at)
        J, bend = field.slopes(theta, spread, at)
        return np.concatenate([f, J @ shift + (bend - J @ f) / 2, (J @ spread + spread @ J.T + D).ravel()])

    found = _solve(moves, np.concatenate([_one(start), np.zeros(SIZE + SIZE**2)]), times, tau)
    return found[:, SIZE : 2 * SIZE].reshape(-1, 3, 3), found[:, 2 * SIZE :].reshape(-1, SIZE, SIZE)


def task(p, r, beta) -> tuple[float, float, float]:
    """The task, checked."""
    if not 0 < positive("p", p) < 1:
        raise ValueError(f"p = {p!r} must be a probability between 0 and 1: both stimuli are shown")
    return float(p), positive("r", r), positive("beta", beta)


class _Field:
    """The mean field and its derivatives as functions of rows of nine weights."""

    def __init__(self):
        arguments = [*state, p, r, beta]
        chances, changes = zip(*outcomes(), strict=True)
        mean = sum((c * g for c, g in zip(chances, changes, strict=True)), sp.zeros(SIZE, 1))
        self._mean = sp.lambdify(arguments, list(mean), cse=True)
        self._jacobian = sp.lambdify(arguments, list(mean.jacobian(state)), cse=True)
        self._trials = sp.lambdify(arguments, [list(chances), [list(g) for g in changes]], cse=True)

    def mean(self, rows, at):
        """f, over the last axis."""
        return np.stack(np.broadcast_arrays(*self._mean(*np.moveaxis(rows, -1, 0), *at)), axis=-1)

    def slopes(self, row, spread, at):
        """J at one row, and H : C by complex steps along the axes of C: exact to round-off, since f is analytic."""
        sizes, axes = np.linalg.eigh(spread)
        tiny = 1e-30
        rows = row + 1j * tiny * np.concatenate([np.zeros((1, SIZE)), axes.T])
        entries = np.broadcast_arrays(*self._jacobian(*rows.T, *at))
        J = np.stack(entries, axis=-1).reshape(-1, SIZE, SIZE)
        return J[0].real, np.einsum("k,kij,jk->i", sizes, J[1:].imag / tiny, axes)

    def covariance(self, row, at):
        """D, the covariance of the change in one trial."""
        chances, changes = (np.array(part, dtype=float) for part in self._trials(*row, *at))
        mean = chances @ changes
        return np.einsum("k,ki,kj->ij", chances, changes, changes) - np.outer(mean, mean)


@cache
def _compiled() -> _Field:
    return _Field()


def _solve(moves, start, times, tau) -> np.ndarray:
    """The solution of tau y' = moves(y) at the given times."""
    times = np.atleast_1d(real_array("times", times)) / positive("tau", tau)
    if times.ndim != 1 or times[0] < 0 or np.any(np.diff(times) <= 0):
        raise ValueError(f"times = {times * tau} must be a row that increases from 0 or more")
    flow = lambda t, y: moves(y)  # noqa: E731
    found = solve_ivp(flow, (0, times[-1] or 1.0), start, method="DOP853", t_eval=times, rtol=1e-9, atol=1e-12)
    if not found.success:
        raise ArithmeticError(f"the mean field could not be followed to times = {times[-1] * tau}: {found.message}")
    return found.y.T


def _rows(name, theta) -> np.ndarray:
    rows = real_array(name, theta)
    if rows.shape[-2:] != (3, 3):
        raise ValueError(f"{name} has the shape {rows.shape}, not (..., 3, 3): rows (u_i, w_Li, w_Ri) for i = L, R, 0")
    return rows.reshape(*rows.shape[:-2], SIZE)


def _one(start) -> np.ndarray:
    rows = _rows("start", start)
    if rows.ndim > 1:
        raise ValueError(f"start has the shape {np.shape(start)}: one network at a time, shape (3, 3)")
    return rows


def _with_gains(weights) -> np.ndarray:
    rows = real_array("weights", weights)
    if rows.shape[-2:] != (3, 2):
        raise ValueError(f"weights have the shape {rows.shape}, not (..., 3, 2): rows (w_Li, w_Ri) for i = L, R, 0")
    return np.concatenate([np.ones((*rows.shape[:-1], 1)), rows], axis=-1)
