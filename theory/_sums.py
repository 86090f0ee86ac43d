"""Geometric sums in float64, where their formula would lose its digits."""

import numpy as np


def geometric(x, n):
    """1 + x + ... + x^(n - 1), for x > 0, stable through x = 1."""
    with np.errstate(all="ignore"):
        return np.where(x == 1, n, np.expm1(n * np.log(x)) / (x - 1))
