r"""Rectified normal variables in float64, to relative accuracy even where everything is tiny.

One unit.  With t >= 0 and y_n = int u^n/n! exp(-t u - u^2/2) du, the tails are

    Phi(-t) = phi(t) y_0,      E[(g - t)_+] = phi(t) y_1,      E[(g - t)_+^2] = 2 phi(t) y_2,

and y_{n-1} = t y_n + (n+1) y_{n+1} has positive terms only: run backwards it loses no digit (Gautschi).

Two units.  K(a, b, rho) = E[(g1 + a)_+ (g2 + b)_+] has slope Phi2 and curvature the joint density p in rho:

    K(rho) = K(c) + (rho - c) Phi2(c) + int_c^rho (rho - q) p(q) dq,

from c = 0 for rho >= 0 and from c = -1 below: all terms are then positive.  With q = tanh y,

    p(q) dq = 1/(2 pi) sech y exp(-((a+b)^2 (1 + e^{-2y}) + (a-b)^2 (1 + e^{2y})) / 8) dy:

on the y axis every layer is as wide as 1, however close rho is to 1 or a to b; panels of 16 Gauss points
resolve it.
"""

import numpy as np
from scipy.special import ndtr

NATS = 45.0  # beyond e^-45 of its largest value an integrand does not count in float64
NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
PANEL, STEEP = 1.6, 11.0  # widest panel, and the most nats that 16 points resolve in one
DIRECT = 2.0  # below it the tails lose less than two digits in their textbook forms
CHUNK = 2**18


def positive_part(x):
    """X above 0, 0 below."""
    return np.maximum(x, 0)


def density(x):
    """The normal density."""
    return np.exp(-np.square(x) / 2) / np.sqrt(2 * np.pi)


def below(x):
    """The normal distribution function."""
    return ndtr(x)


def tails(t):
    """Phi(-t), E[(g - t)_+] and E[(g - t)_+^2] for t >= 0."""
    near, far = np.minimum(t, DIRECT), np.maximum(t, DIRECT)
    p, P = density(near), ndtr(-near)
    direct = P, p - near * P, (1 + near**2) * P - near * p
    ratio = np.zeros_like(far)  # y_{n+1}/y_n, from far out
    ratios = []
    for n in range(140, 0, -1):
        ratio = 1 / (far + (n + 1) * ratio)
        ratios.append(ratio)
    first, second = ratios[-1], ratios[-2]  # y_1/y_0 and y_2/y_1
    P = ndtr(-far)
    series = P, P * first, 2 * P * first * second
    return tuple(np.where(t < DIRECT, one, other) for one, other in zip(direct, series, strict=True))


def rectified(a):
    """Phi(a), E[(g + a)_+], and what is left of both on the other side: Phi(-|a|), E[(g - |a|)_+]."""
    P, G, _ = tails(np.abs(a))
    return np.where(a > 0, 1 - P, P), np.maximum(a, 0) + G, P, G


def both_below(a, b, rho):
    """Phi2(a, b; rho)."""
    return pair(a, b, rho)[1]


def pair(a, b, rho):
    """E[(g1 + a)_+ (g2 + b)_+] and Phi2(a, b; rho), for -1 <= rho <= 1; nan elsewhere."""
    a, b, rho = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (a, b, rho)))
    return _pair(a, b, rho, 1 - np.abs(rho), rectified(a)[:2], rectified(b)[:2])


def _pair(a, b, rho, apart, one, other):
    """The same, from Phi and the mean of each unit, and with apart = 1 - |rho|."""
    (Pa, Ga), (Pb, Gb) = one, other
    curved, sloped = _arc(a, b, rho, apart, np.where(rho < 0, -1.0, 0.0))
    gap, opposite = np.zeros_like(rho), np.zeros_like(rho)
    if np.any(a + b > 0):
        gap = np.where(a + b > 0, np.maximum(_sum_above(a, b), 0), 0)
        opposite = np.where(a + b > 0, _opposite(a, b, gap), 0)
    moment = np.where(rho < 0, opposite + apart * gap, Ga * Gb + rho * Pa * Pb) + curved
    return moment, np.where(rho < 0, gap, Pa * Pb) + sloped


def covariance(a, b, rho):
    """The covariance of (g1 + a)_+ and (g2 + b)_+."""
    a, b, rho = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (a, b, rho)))
    curved, _ = _arc(a, b, rho, 1 - np.abs(rho), np.zeros_like(rho))
    return rho * rectified(a)[0] * rectified(b)[0] + curved


def cross(a, b, rho):
    """E[eta_1 eta_2] for the deviations eta = (g + a)_+ - a_+ of two units."""
    a, b, rho = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (a, b, rho)))
    return cross_of(a, b, rho, 1 - np.abs(rho), tails(np.abs(a))[:2], tails(np.abs(b))[:2])


def cross_of(a, b, rho, apart, one, other):
    """The same from the tails of each unit and from apart = 1 - |rho|, without the cancellation of its parts.

    Of two units that read nearly opposite directions rho, rounded, does not keep the digits that decide: apart does.
    A unit that is on deviates by g + (-g - |a|)_+, one that is off by (g - |a|)_+.
    """
    on = (a > 0) * 1.0, (b > 0) * 1.0
    signs = 1 - 2 * on[0], 1 - 2 * on[1]
    small = _pair(-np.abs(a), -np.abs(b), signs[0] * signs[1] * rho, apart, one, other)[0]
    return rho * (on[0] * on[1] + on[0] * signs[1] * other[0] + on[1] * signs[0] * one[0]) + small


def _sum_above(a, b):
    """Phi(a) - Phi(-b), as a difference of tails where both are close to 1."""
    low, high = -b, a
    return np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))


def _opposite(a, b, gap):
    """E[(g + a)_+ (b - g)_+] for a + b > 0, the product of two opposite units."""
    return np.maximum((a * b - 1) * gap + b * density(a) + a * density(b), 0)


def _arc(a, b, rho, apart, start):
    """Int (rho - q) p dq and int p dq from `start`, which is 0 or -1, to rho; apart = 1 - |rho|."""
    shape = rho.shape
    S, D, rho, apart, start = (np.ravel(v) for v in ((a + b) ** 2, (a - b) ** 2, rho, apart, start))
    with np.errstate(all="ignore"):
        far = np.copysign(np.log((2 - apart) / apart) / 2, rho)
        Y = np.where(apart < 0.5, far, np.arctanh(rho))
        low, high, sign = _window(S, D, np.where(start < 0, -np.inf, 0.0), Y)
        steep = (S * np.abs(np.exp(-2 * low) - np.exp(-2 * high)) + D * np.abs(np.exp(2 * high) - np.exp(2 * low))) / 8
        panels = np.maximum(np.ceil((high - low) / PANEL), np.ceil(np.minimum(steep, 4 * NATS) / STEEP))
    panels = np.clip(np.nan_to_num(panels, nan=1.0), 1, 64).astype(int)
    curved, sloped = np.full(rho.shape, np.nan), np.full(rho.shape, np.nan)
    for count in np.unique(panels):
        members = np.flatnonzero(panels == count)
        for part in np.array_split(members, -(-len(members) * count // CHUNK) or 1):
            curved[part], sloped[part] = _panels(S[part], D[part], Y[part], apart[part], low[part], high[part], count)
    return curved.reshape(shape), (sign * sloped).reshape(shape)


def _window(S, D, start, Y):
    """The part of [start, Y], in order, where the integrand counts; and -1 where Y < start."""
    sign = np.where(start > Y, -1.0, 1.0)
    low, high = np.minimum(start, Y), np.maximum(start, Y)
    anchor = np.where(np.isinf(low), high, np.clip(0.0, low, high))
    anchor = np.where(np.isinf(anchor), 0.0, anchor)
    budget = 8 * NATS + S * np.exp(-2 * anchor) + D * np.exp(2 * anchor)
    least = np.where(S > 0, -np.log(budget / S) / 2, -np.inf)
    most = np.where(D > 0, np.log(budget / D) / 2, np.inf)
    low = np.maximum(low, np.maximum(least, anchor - NATS))  # where S = 0, sech y alone cuts it off
    high = np.minimum(high, np.minimum(most, anchor + NATS))
    empty = (start == Y) | (low >= high)
    return np.where(empty, 0.0, low), np.where(empty, 0.0, high), sign


def _panels(S, D, Y, apart, low, high, count):
    """Composite Gauss: int |tanh Y - tanh y| p and int p over [low, high].

    1 - tanh y = 2/(1 + e^{2y}) and 1 + tanh y = 2/(1 + e^{-2y}); the smaller keeps its digits in a difference.
    """
    curved, sloped = np.zeros_like(Y), np.zeros_like(Y)
    half = (high - low) / (2 * count)
    with np.errstate(all="ignore"):
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            for k in range(count):
                y = low + half * (2 * k + 1 + node)
                falls = np.exp(-2 * y)
                rises = 1 / falls
                from_above, from_below = 2 / (1 + rises), 2 / (1 + falls)
                p = np.exp(-(S * (1 + falls) + D * (1 + rises)) / 8) * np.sqrt(from_above * from_below)
                p *= half * (weight / (2 * np.pi))
                curved += np.abs(np.where(Y > 0, from_above, from_below) - apart) * p
                sloped += p
    return curved, sloped
