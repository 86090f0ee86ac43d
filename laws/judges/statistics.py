"""The statistics behind the judges: every error rate is a bound for finitely many samples.

Nothing here assumes a normal distribution.  A t-test "at 1e-6" on heavy tails is wrong once in
twenty times; these are not, because each rests on an inequality that holds for every sample size:

- the mean, given a bound on the variance: Catoni's estimator (Ann. IHP Probab. Stat. 48, 2012);
- the median: an interval between order statistics, exact for any distribution;
- the distribution function: the Dvoretzky-Kiefer-Wolfowitz band with Massart's constant;
- a sign: the binomial test.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy.special import bdtr, bdtrc

FEWEST = 20  # independent runs, below which nothing statistical is asserted
MOST = 100_000  # runs that anybody would make


def catoni_radius(samples: int, variance: float, error: float) -> float:
    """The distance within which Catoni's mean lies of the true mean, each side failing with `error`."""
    rest = samples - 2 * math.log(1 / error)
    return math.sqrt(2 * variance * math.log(1 / error) / rest) if rest > 0 else math.inf


def catoni_samples(radius: float, variance: float, error: float) -> int:
    """The fewest samples with which `catoni_radius` is at most `radius`."""
    return max(FEWEST, math.ceil(2 * math.log(1 / error) * (1 + variance / radius**2)))


def catoni_mean(x: np.ndarray, variance: float, error: float) -> float:
    """Catoni's estimate of the mean of x, shape (n,), whose variance is at most `variance`.

    It solves sum psi(alpha (x - mean)) = 0 with psi(u) = sign(u) ln(1 + |u| + u^2/2), which grows so
    slowly that no outlier pulls it away.
    """
    from scipy.optimize import brentq  # here, because it takes longer to load than all the rest

    radius = catoni_radius(len(x), variance, error)
    if not math.isfinite(radius):
        raise ValueError(
            f"{len(x)} samples bound no mean with error {error:g}: more than {2 * math.log(1 / error):.0f} are needed"
        )
    alpha = math.sqrt(2 * math.log(1 / error) / (len(x) * (variance + radius**2)))

    def influence(mean: float) -> float:
        u = alpha * (x - mean)
        return float(np.sum(np.sign(u) * np.log1p(np.abs(u) + u * u / 2)))

    low, high = float(np.min(x)), float(np.max(x))
    return low if low == high else float(brentq(influence, low, high, xtol=1e-14 * max(abs(low), abs(high))))


def median_interval(x: np.ndarray, error: float) -> tuple[float, float]:
    """Order statistics of x, shape (n,), that enclose the median; either side fails with `error` at most."""
    n = len(x)
    k = int(np.sum(bdtr(np.arange(n), n, 0.5) <= error))  # the k-th value lies above the median that rarely
    if k == 0:
        raise ValueError(f"{n} runs give no interval for a median with error {error:g}: {median_runs(error)} would do")
    ordered = np.sort(x)
    return float(ordered[k - 1]), float(ordered[n - k])


def median_runs(error: float) -> int:
    """The fewest runs for which `median_interval` exists."""
    return max(FEWEST, math.ceil(math.log2(1 / error)))


def band(samples: int, error: float) -> float:
    """Half-width of the Dvoretzky-Kiefer-Wolfowitz band around an empirical distribution function."""
    return math.sqrt(math.log(2 / error) / (2 * samples))


def band_samples(detects: float, false_alarm: float, miss: float) -> int:
    """The fewest samples that tell distribution functions `detects` apart, at both error rates."""
    return max(
        FEWEST,
        math.ceil((math.sqrt(math.log(2 / false_alarm)) + math.sqrt(math.log(2 / miss))) ** 2 / (2 * detects**2)),
    )


def rank_signs(x, values: np.ndarray) -> np.ndarray:
    """The sign of Kendall's rank correlation of each row of `values`, shape (n, len(x)), with x."""
    first, second = np.triu_indices(len(x), k=1)
    order = np.sign(np.asarray(x)[second] - np.asarray(x)[first])
    return np.sign(np.sign(values[:, second] - values[:, first]) @ order)


@cache
def votes(excess: float, by_chance: float, missed: float) -> tuple[int, int]:
    """How many runs, and how many of them must agree, to tell probability 1/2 + excess from 1/2."""
    if _votes(np.arange(MOST - 500, MOST), excess, by_chance, missed) is None:
        raise ValueError(f"excess = {excess:g} is too small to be detected with fewer than {MOST:,} runs")
    each = (_votes(np.arange(n, n + 500), excess, by_chance, missed) for n in range(FEWEST, MOST, 500))
    return next(found for found in each if found)


def _votes(runs: np.ndarray, excess: float, by_chance: float, missed: float) -> tuple[int, int] | None:
    """The first of these numbers of runs that will do, and how many must agree."""
    low, needed = np.zeros_like(runs), runs + 1  # votes that agree by chance too often, and rarely enough: by halving
    while np.any(needed - low > 1):
        middle = (low + needed) // 2
        rare = bdtrc(middle - 1, runs, 0.5) <= by_chance
        low, needed = np.where(rare, low, middle), np.where(rare, middle, needed)
    found = np.flatnonzero((needed <= runs) & (bdtr(needed - 1, runs, 0.5 + excess) <= missed))
    return (int(runs[found[0]]), int(needed[found[0]])) if found.size else None
