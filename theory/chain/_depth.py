"""The trajectory at any depth, by inverting the learning time; see `theory.chain`."""

import math

import numpy as np
from scipy.special import hyp2f1

from laws.arrays import real_array
from theory.chain import _beta
from theory.chain._trajectories import SADDLE, infinitely_deep, shallow

EPS = np.finfo(float).eps


def any_depth(t, *, depth: float, s: float, lam: float, a0: float, tau: float = 1.0):
    """The output at time t of a chain of `depth` equal layers.

    Args:
        t: times >= 0, any shape; for infinite depth in units of t/D.
        depth: real, >= 1, or math.inf.
        s: positive.
        lam: positive; the fixed point is s/lam.
        a0: the start; not 0 but for depth 1.  Below 0 the flow is tau a' = D |a|^(2 - 2/D) (s - lam a).
        tau: positive.

    Returns:
        The output in the shape of t, within a small multiple of eps (1 + condition).

    Raises:
        ValueError: for values outside these ranges, the saddle a0 = 0, and a0 < 0 at 1 < depth < 2:
            there 0 is reached in finite time and the flow is not unique.

    Source: derived here, equation (4).
    """
    _check(depth, s, lam, a0, tau)
    shape, times = np.shape(t), np.ravel(_times(t)) / tau
    if depth == 1:
        return shallow(t=t, s=s, lam=lam, a0=a0, tau=tau)
    if a0 < 0:
        below_zero = _infinite_below_zero if math.isinf(depth) else _below_zero
        a = -below_zero(times, depth, s, lam, -a0)
    elif math.isinf(depth):
        return infinitely_deep(t=t, s=s, lam=lam, a0=a0, tau=tau)
    else:
        a = _towards_fixed_point(times, depth, s, lam, a0)
    return a.reshape(shape) if shape else float(a[0])


def _towards_fixed_point(times, D, s, lam, a0):
    """Newton's method for d, the growth of ln|z/(1 - z)|, z = lam a/s, in which dT/dd = z^(2/D - 1) to a factor.

    That slope is monotone, so from the right side no step overshoots: from d = 0 where the slope
    falls, from the last d that float64 tells from the fixed point where it rises.
    """
    p, z0, fixed = 2 / D, lam * a0 / s, s / lam
    if z0 == 1:
        return np.full(times.shape, fixed)
    target = times * D * s * fixed ** (1 - p)
    farthest = 36.0 + (max(0.0, math.log(1 / z0 - 1)) if z0 < 1 else 0.0)

    def odds(d):  # z/(1 - z) below the fixed point; the exponential in two halves, since alone it may overflow
        return z0 / (1 - z0) * np.exp(d / 2) * np.exp(d / 2)

    def distance(d):  # |z - 1|, to all its digits
        return 1 / (np.expm1(d) + np.exp(d) / (z0 - 1)) if z0 > 1 else 1 / (1 + odds(d))

    def output(d):
        return 1 + distance(d) if z0 > 1 else odds(d) * distance(d)

    elapsed = _beta.above_one if z0 > 1 else _beta.below_one
    missed = lambda d: elapsed(p, z0, output(d), distance(d)) - target  # noqa: E731
    falls = p == 1 or (p < 1) == (z0 < 1)
    start = np.full(times.shape, 0.0 if falls else farthest)
    return fixed * output(_newton(start, missed, lambda d: output(d) ** (p - 1), farthest))


def _below_zero(times, D, s, lam, start):
    """The magnitude m = |a|, from G = (m0^q - m^q)/q: dT/dG = 1/(1 + lam m/s) rises, so start from the right."""
    q, z0 = 2 / D - 1, lam * start / s
    target = times * D * s * (s / lam) ** -q

    def magnitude(G):
        return z0 * np.exp(-G if q == 0 else np.log1p(-q * G * z0**-q) / q)

    missed = lambda G: _beta.below_zero(q + 1, z0, magnitude(G)) - target  # noqa: E731
    return s / lam * magnitude(_newton(target * (1 + z0), missed, lambda G: 1 / (1 + magnitude(G)), unit=z0**q))


def _infinite_below_zero(times, depth, s, lam, m0):
    """The magnitude m = |a|: n - ln(1 + n) grows by s^2 t/lam, n = s/(lam |a|); convex, so start from the right."""

    def excess(n):  # n - ln(1 + n), without cancellation at small n
        few = np.minimum(n, 0.5)
        return np.where(n < 0.5, few**2 / 2 * hyp2f1(1, 2, 3, -few), n - np.log1p(n))

    target = excess(s / (lam * m0)) + s**2 / lam * times
    start = target + np.sqrt(2 * target)
    return s / lam / _newton(start, lambda n: excess(n) - target, lambda n: n / (1 + n), unit=s / (lam * m0))


def _newton(x, missed, slope, farthest=math.inf, unit=1.0):
    """The root, by Newton's method from the side where no step overshoots, until rounding turns or stops it.

    `unit` is a change of x that moves the output by as much as itself.
    """
    direction, moving = None, np.ones(x.shape, dtype=bool)
    for _ in range(1000):
        step = np.clip(x - missed(x) / slope(x), 0.0, farthest) - x
        direction = np.sign(step) if direction is None else direction
        moving &= (np.abs(step) > EPS * np.maximum(np.abs(x), unit)) & (np.sign(step) == direction)
        if not moving.any():
            return x
        x = np.where(moving, x + step, x)
    raise ArithmeticError("any_depth: Newton's method has not converged in 1000 steps")


def _times(t) -> np.ndarray:
    times = real_array("any_depth: t", t)
    if np.any(times < 0):
        raise ValueError(f"any_depth: t = {times.min()} violates t >= 0 ({(times < 0).sum()} of {times.size} times)")
    return times


def _check(depth, s, lam, a0, tau) -> None:
    for name, value in (("depth", depth), ("s", s), ("lam", lam), ("a0", a0), ("tau", tau)):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(f"any_depth: {name} = {value!r} is not a real number")
        if math.isnan(value) or (math.isinf(value) and name != "depth"):
            raise ValueError(f"any_depth: {name} = {value!r} is not finite")
        if name in ("s", "lam", "tau") and value <= 0:
            raise ValueError(f"any_depth: {name} = {value!r} violates {name} > 0")
    if depth < 1:
        raise ValueError(f"any_depth: depth = {depth!r} violates depth >= 1")
    if a0 == 0 and depth > 1:
        raise ValueError(f"any_depth: a0 = {a0!r} violates a0 != 0 ({SADDLE})")
    if a0 < 0 and 1 < depth < 2:
        reason = "below 0 such a chain reaches 0 in finite time, and the flow is not unique"
        raise ValueError(f"any_depth: a0 = {a0!r} at depth = {depth!r}: {reason}")
