"""Numerical solutions at a stated relative tolerance, or a refusal: a path in time, a root in an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LOOKED = 256  # places at which a root is looked for
NEAR = 1e-12  # an end, of the interval: a root there does not count


def path(speed: Callable, begin: np.ndarray, origin: float, times: np.ndarray, rtol: float, told: str) -> np.ndarray:
    """The unknowns at each of the rising times, none before the origin; shape (times, unknowns).

    The absolute tolerance is `rtol` times the smallest start that is not 0, so that what begins small is followed as
    sharply as it begins.  Raises ValueError, saying of what (`told`), where the equations cannot be followed.
    """
    from scipy.integrate import solve_ivp

    smallest = float(np.min(np.abs(begin[begin != 0]), initial=np.inf))
    atol = rtol * (smallest if np.isfinite(smallest) else 1.0)
    ahead = times[times > origin]
    found = np.tile(begin, (len(times), 1))
    if ahead.size:
        done = solve_ivp(speed, (origin, ahead[-1]), begin, "DOP853", t_eval=ahead, rtol=rtol, atol=atol)
        if not done.success or not np.all(np.isfinite(done.y)):
            raise ValueError(f"{told}: its equations could not be followed to {ahead[-1]:g}: {done.message}")
        found[len(times) - len(ahead) :] = done.y.T
    return found


def root(vanishing: Callable[[float], float], low: float, high: float, rtol: float, told: str) -> float:
    """Where a function vanishes between two numbers; ValueError unless it changes its sign there once."""
    from scipy.optimize import brentq

    places = low + (high - low) * np.array([NEAR, *(np.arange(LOOKED) + 0.5) / LOOKED, 1 - NEAR])
    heights = np.array([vanishing(x) for x in places])
    roots = np.flatnonzero(np.diff(np.sign(heights)))
    if len(roots) != 1 or not np.all(np.isfinite(heights)):
        raise ValueError(f"{told}: {len(roots)} roots between {low:g} and {high:g}, not one")
    ends = places[roots[0]], places[roots[0] + 1]
    found = float(brentq(vanishing, *ends, xtol=1e-300, rtol=rtol))
    if not abs(vanishing(found)) <= min(abs(vanishing(end)) for end in ends):
        raise ValueError(f"{told}: changes its sign at {found:g} without vanishing there")
    return found
