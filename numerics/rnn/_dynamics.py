"""What a trained network does when left alone with a constant input: its fixed points and their stability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from numerics.checks import numbers_of, whole
from numerics.rnn._bptt import unroll
from numerics.rnn._values import Weights

NEWTON = 60  # steps at most
HALF = np.sqrt(np.finfo(float).eps)  # a step with half of all digits right, after which all are
SAME = 1e-6  # distance, over sqrt(n), below which two converged points are one: far above their own error


@dataclass(frozen=True)
class FixedPoints:
    """The fixed points that were found of r -> tanh(A r + b).

    Attributes:
        rates: shape (points, n).
        outputs: what is read out there, (points, outputs).
        growth: the largest modulus of the eigenvalues of the derivative there, (points,): below 1 a point is stable.
        index: the sign of det(1 - derivative), (points,).  Over all fixed points they add up to 1 (Lefschetz): the
            map sends a cube into its inside.  Any other sum says that some have been missed.
    """

    rates: np.ndarray
    outputs: np.ndarray
    growth: np.ndarray
    index: np.ndarray

    @property
    def stable(self) -> np.ndarray:
        """Which of them are stable."""
        return self.growth < 1


def effective(network, weights: Weights, one: int) -> tuple[np.ndarray, ...]:
    """A, U, b, C, c of one network of a run, in float64: the map is r -> tanh(A r + U x + b) for tau = 1."""
    J, U, b, w, c = (part[one].double().numpy() for part in weights)
    return J * network.recurrent_scale, U, b, w * network.readout_scale, c


def each(network, weights: Weights) -> Iterator[tuple[tuple[np.ndarray, ...], Callable]]:
    """Every network of a run by itself, in float64: its effective weights, and inputs (T, trials, inputs) -> rates."""
    for k in range(len(weights.J)):
        alone = Weights(*(part[k : k + 1].double() for part in weights))
        along = lambda x, alone=alone: unroll(network, alone, torch.from_numpy(x))[0][0].numpy()  # noqa: E731
        yield effective(network, weights, k), along


def fixed_points(A, b, C, c, starts, settle: int = 200) -> FixedPoints:
    """Fixed points of r -> tanh(A r + b) by Newton's method, from starts, where they settle, and between those.

    Args:
        A: recurrent weights, (n, n).
        b: bias, or bias and constant input together, (n,).
        C: readout weights, (outputs, n).
        c: readout bias, (outputs,).
        starts: rates to start from, (starts, n).
        settle: applications of the map after which each start is tried a second time: these end at stable points.

    Whatever has been found, the middle between any two points is tried as well, until the indices add up to 1, but no
    more than three times.
    """
    across, drive, r = numbers_of("A", A), numbers_of("b", b), numbers_of("starts", starts)
    n = len(across)
    if across.shape != (n, n) or drive.shape != (n,) or r.ndim != 2 or r.shape[1] != n:
        raise ValueError(f"A {across.shape}, b {drive.shape} and starts {r.shape} do not fit: (n, n), (n,), (m, n)")
    left = r
    for _ in range(whole("settle", settle, 0)):
        left = np.tanh(left @ across.T + drive)
    points = _distinct(_newton(across, drive, np.concatenate([left, r])), SAME * np.sqrt(n))
    for attempt in range(4):
        slopes = (1 - points**2)[:, :, None] * across
        index = np.sign(np.linalg.det(np.eye(n) - slopes))
        if index.sum() == 1 or attempt == 3:
            break
        one, other = np.triu_indices(len(points), 1)
        between = _newton(across, drive, (points[one] + points[other]) / 2)
        points = _distinct(np.concatenate([points, between]), SAME * np.sqrt(n))
    growth = np.abs(np.linalg.eigvals(slopes)).max(1)
    outputs = points @ numbers_of("C", C).T + numbers_of("c", c)
    return FixedPoints(points, outputs, growth, index)


def _newton(A, b, r) -> np.ndarray:
    """Rates at which the map stands still to round-off, from those of the starts that get there."""
    n = len(b)
    u = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))  # in z = A tanh(z) + b no step leaves the range of tanh
    going = np.arange(len(u))
    for _ in range(NEWTON):
        now = u[going]
        rates = np.tanh(now)
        miss = now - rates @ A.T - b
        slope = np.eye(n) - A * (1 - rates**2)[:, None, :]
        step = np.linalg.solve(slope, miss[..., None])[..., 0]
        size = np.abs(step).max(1, keepdims=True)
        u[going] = now - step * np.minimum(1, 1 / np.maximum(size, 1e-300))
        going = going[size[:, 0] > HALF]
        if not going.size:
            break
    rates = np.tanh(u)
    rounding = 64 * n * np.finfo(float).eps * (1 + np.abs(A).sum(1).max())
    return rates[np.abs(u - rates @ A.T - b).max(1) <= rounding]


def _distinct(points: np.ndarray, apart: float) -> np.ndarray:
    """One of every group of points that are closer than `apart`."""
    kept: list[np.ndarray] = []
    for point in points:
        if all(np.linalg.norm(point - other) > apart for other in kept):
            kept.append(point)
    return np.array(kept).reshape(len(kept), points.shape[1])
