"""Forms in float64 that keep their digits where the formula of a law does not, shared by laws of several topics."""

import numpy as np


def geometric(x, n) -> np.ndarray:
    """1 + x + ... + x^(n - 1) for arrays x > 0 and n > 0, through x = 1, where (x^n - 1)/(x - 1) has no digit left."""
    with np.errstate(all="ignore"):
        return np.where(x == 1, n, np.expm1(n * np.log(x)) / (x - 1))
