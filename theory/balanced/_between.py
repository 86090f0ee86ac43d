"""Smooth functions of time at many times from few evaluations: Chebyshev interpolation that checks itself.

P(t) of `theory.balanced` is analytic at t > 0 and up to |Im t| < pi tau/(2 w_1), w_1 the largest eigenvalue of F: from
P(x) >= 0, (6) leads to t = x + i y, and the imaginary part of its I + Y^T diag(g) Y is Y^T diag(sin(2 w y)/(2 w)) Y,
positive but for vectors v with Y v = 0, for which the real part is |v|^2.  So its Chebyshev coefficients in a short
interval fall geometrically, and as the fast modes are learnt the intervals may grow.

Between the points, barycentric interpolation is as accurate as the values (Higham, 2004).
"""

import numpy as np

POINTS = 32  # in each interval
TAIL = 4  # of the coefficients must be rounding, so that those left out are far below it
MANY = 3 * POINTS // 2  # times in an interval for which interpolation pays

TURNS, UNIT = 2 * np.arange(POINTS) + 1, np.pi / (2 * POINTS)
NODES, BARYCENTRIC = np.cos(UNIT * TURNS), np.sin(UNIT * TURNS) * (-1) ** np.arange(POINTS)
TO_TAIL = np.cos(UNIT * (np.outer(np.arange(POINTS - TAIL, POINTS), TURNS) % (4 * POINTS))) * 2 / POINTS
TINY = 1e-100


def interpolated(times, evaluate, rounding):
    """A function of time at all `times`, any order; shape (T, ...).

    evaluate(times) returns values, shape (T, ...), and their scale, shape (T,).  Interpolated where, to `rounding`
    of the smallest scale in the interval, the last coefficients vanish; else evaluated time by time.
    """
    order = np.argsort(times, kind="stable")
    ordered, begin, reach = times[order], 0, MANY
    found = np.empty(0)  # until the shape is known
    while begin < len(times):
        here = ordered[begin : begin + reach]
        nodes = _nodes(here, evaluate, rounding)
        if nodes is None and len(here) >= 2 * MANY:
            reach = len(here) // 2
            continue
        values = evaluate(here)[0] if nodes is None else nodes
        if not begin:
            found = np.empty((len(times), *values.shape[1:]))
        there = found[begin : begin + len(here)]
        if nodes is None:
            there[:] = values
        else:
            np.matmul(_weights(here), nodes.reshape(POINTS, -1), out=there.reshape(len(here), -1))
            reach *= 2
        begin += len(here)
    return found if np.all(order[:-1] < order[1:]) else found[np.argsort(order)]


def _nodes(times, evaluate, rounding):
    """Values at the Chebyshev points of the interval of these ordered times; None where they don't do, or don't pay."""
    if len(times) < MANY or times[0] == times[-1]:
        return None
    values, scale = evaluate(times[0] + (times[-1] - times[0]) * (1 + NODES) / 2)
    tail = TO_TAIL @ values.reshape(POINTS, -1)
    return values if np.abs(tail).max() <= rounding * scale.min() else None


def _weights(times):
    """What every Chebyshev point of the interval of these times counts at each of them; shape (T, POINTS)."""
    x = (2 * times - times[0] - times[-1]) / (times[-1] - times[0])
    gaps = x[:, None] - NODES
    gaps[gaps == 0] = TINY  # at a point, that point alone
    weights = BARYCENTRIC / gaps
    return weights / weights.sum(1, keepdims=True)
