"""Numerical solutions at a stated relative tolerance, or a refusal: a path in time, a root in an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LOOKED = 256  # places at which a root is looked for
ROUNDS = 16  # in which a scale is looked for
NEAR = 1e-12  # an end, of the interval: a root there does not count


def path(speed: Callable, begin: np.ndarray, origin: float, times: np.ndarray, rtol: float, told: str) -> np.ndarray:
    """The unknowns at each of the rising times, none before the origin; shape (times, unknowns).

    The absolute tolerance of an unknown is `rtol` times its scale: the smallest start that is not 0, so that what
    begins small is followed as sharply as it begins; for one that starts at 0, its own largest value if that is
    smaller, down to the round-off of the largest of all.  Raises ValueError, saying of what (`told`), where the
    equations cannot be followed.
    """
    ahead = times[times > origin]
    found = np.tile(begin, (len(times), 1))
    if ahead.size:
        found[len(times) - len(ahead) :] = _followed(speed, begin, origin, ahead, rtol, told)
    return found


def _followed(speed, begin, origin, ahead, rtol, told) -> np.ndarray:
    """The unknowns at times after the origin, solved again until no scale is less than half of what was assumed."""
    from scipy.integrate import solve_ivp

    smallest = float(np.min(np.abs(begin[begin != 0]), initial=np.inf))
    scale = np.full(begin.shape, smallest if np.isfinite(smallest) else 1.0)
    span = (origin, ahead[-1])
    for _ in range(ROUNDS):
        done = solve_ivp(speed, span, begin, "DOP853", ahead, dense_output=True, rtol=rtol, atol=rtol * scale)
        if not done.success or not np.all(np.isfinite(done.y)):
            raise ValueError(f"{told}: its equations could not be followed to {ahead[-1]:g}: {done.message}")
        size = np.max(np.abs(done.sol(done.sol.ts)), axis=1)
        size = np.maximum(size, np.finfo(float).eps * np.max(size))
        smaller = (begin == 0) & (0 < size) & (size < scale / 2)
        if not smaller.any():
            return done.y.T
        scale = np.where(smaller, size, scale)
    raise ValueError(f"{told}: what starts at 0 shows no size, down to {np.min(scale):.1g}")


def root(vanishing: Callable[[float], float], low: float, high: float, rtol: float, told: str) -> float:
    """Where a function vanishes between two numbers; ValueError unless it changes its sign there once."""
    from scipy.optimize import brentq

    places = low + (high - low) * np.array([NEAR, *(np.arange(LOOKED) + 0.5) / LOOKED, 1 - NEAR])
    heights = np.array([vanishing(x) for x in places])
    roots = np.flatnonzero(np.diff(heights < 0))  # not of signs: a place that is the root would count twice
    if len(roots) != 1 or not np.all(np.isfinite(heights)):
        raise ValueError(f"{told}: {len(roots)} roots between {low:g} and {high:g}, not one")
    ends = places[roots[0]], places[roots[0] + 1]
    found = float(brentq(vanishing, *ends, xtol=1e-300, rtol=rtol))
    if not abs(vanishing(found)) <= min(abs(vanishing(end)) for end in ends):
        raise ValueError(f"{told}: changes its sign at {found:g} without vanishing there")
    return found
