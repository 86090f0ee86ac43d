"""Integrals of x^(p - 2)/(1 -+ x) in float64: the time (4), without dimensions.

They are incomplete beta functions with second parameter 0.  The general hypergeometric function of
scipy is not used: near z = 1 it may lose every digit when p is rounded (at p = 4/3, z = 0.999 its
2F1(1, p; 1 + p; z) is negative).  All series below have terms of one sign or fall off like v^k, v <= 1/2.
"""

from itertools import accumulate

import numpy as np
from scipy.special import digamma

EPS = np.finfo(float).eps
TERMS = 64  # of a series in v <= 1/2


def power_gap(q, low, high):
    """(high^q - low^q)/q, and ln(high/low) at q = 0; by the larger power, so that nothing overflows."""
    ratio = np.log(high / low)
    with np.errstate(all="ignore"):
        larger = np.where(q > 0, high, low) ** q
        return np.where(q == 0, ratio, larger * -np.expm1(-np.abs(q) * ratio) / np.abs(q))


def below_one(p, z0, z, left=None):
    """The integral of x^(p - 2)/(1 - x) from z0 to z, 0 < z0 <= z < 1, p > 0; `left` is 1 - z, if known better."""
    rest = _rest(p + 1, z, 1 - z if left is None else left) - _rest(p + 1, z0, 1 - z0)
    return power_gap(p - 1, z0, z) + power_gap(p, z0, z) + rest


def above_one(p, z0, z, over=None):
    """The integral of x^(p - 2)/(x - 1) from z to z0, 1 < z <= z0, p <= 2; `over` is z - 1, if known better.

    With x -> 1/x it is one below 1.
    """
    rest = _rest(3 - p, 1 / z, (z - 1 if over is None else over) / z) - _rest(3 - p, 1 / z0, (z0 - 1) / z0)
    return power_gap(2 - p, 1 / z0, 1 / z) + rest


def below_zero(p, z0, z):
    """The integral of x^(p - 2)/(1 + x) from z to z0, 0 < z <= z0, p <= 1; split at 1, and x -> 1/x above."""
    far = _alternating(2 - p, 1 / np.maximum(z, 1)) - _alternating(2 - p, 1 / np.maximum(z0, 1))
    z0, z = np.minimum(z0, 1), np.minimum(z, 1)
    return far + power_gap(p - 1, z, z0) - power_gap(p, z, z0) + _alternating(p + 1, z0) - _alternating(p + 1, z)


def _rest(p, z, left):
    """The integral of x^(p - 1)/(1 - x) from 0 to z = 1 - left, p > 0, about 0 or 1, whichever converges faster."""
    about_one = z > np.maximum(0.5, 1 - 1 / p)
    with np.errstate(all="ignore"):
        x, v = np.where(about_one, 0, z), np.where(about_one, left, 0)
        small = x**p / p * _sum(lambda k: p / (p + k), x) if not np.all(about_one) else 0.0
        ratios = (1 - p / k for k in range(1, TERMS))
        factor = list(accumulate(ratios, np.multiply))  # of v^k in (1 - v)^(p - 1)
        near = -np.log(v) - digamma(p) - np.euler_gamma - v * _sum(lambda k: factor[k] / (k + 1), v, TERMS - 1)
    return np.where(about_one, near, small)


def _alternating(p, z):
    """The integral of x^(p - 1)/(1 + x) from 0 to z <= 1, p > 0; in z/(1 + z) all terms are positive."""
    factor = list(accumulate((k / (p + k) for k in range(1, TERMS)), np.multiply, initial=1.0))
    return z**p / p / (1 + z) * _sum(lambda k: factor[k], z / (1 + z), TERMS)


def _sum(coefficient, x, terms=100_000):
    """Sum of coefficient(k) x^k from k = 0, until no term counts."""
    total, power = 0.0, 1.0
    for k in range(terms):
        term = coefficient(k) * power
        total, power = total + term, power * x
        if np.all(np.abs(term) <= EPS / 4 * np.abs(total)):
            break
    return total
