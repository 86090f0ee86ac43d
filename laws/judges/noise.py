"""The judge of measurements whose noise is known: few of each, too few for statistics without assumptions.

Measured numbers are y = law + noise, the noise independent and normal with a known standard deviation.  Then, of k
means over n rows, each with its own standard deviation s/sqrt(n),

    X = sum (mean - law)^2 / (s^2 / n)

has the chi-squared distribution of k degrees of freedom if the law is true: a law is refused if X lies above the
quantile that a true one exceeds with probability `false_alarm`/2.  If the law is off by d standard deviations, in
the root of the mean square over the k numbers, X has the noncentral distribution of parameter k d^2: the d that is
missed with probability `miss` follows, and the verdict tells it.

The stated noise stands trial as well, with the other half of `false_alarm`: whatever the law, n > 1 rows scatter
around their means with a sum of squares that has k (n - 1) degrees of freedom.  Of a single row the noise is taken
as stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chndtr, gammainccinv, gammaincinv, ndtri

from laws.judges.finding import Finding, finite, match, positive
from laws.judges.samples import FALSE_ALARM, MISS


@dataclass(frozen=True)
class Noise:
    """For measurements with stated normal noise: `run(rows, seed)` gives shape (rows, ...), or one row without it.

    sd: the noise's standard deviation, one for all or one for each number of a row; rows: how many a run is asked for.
    """

    sd: float | np.ndarray
    rows: int = 1
    false_alarm: float = FALSE_ALARM
    miss: float = MISS
    shows = "values"

    def __post_init__(self):
        positive(self, rows=math.inf, false_alarm=1, miss=0.5)
        if not (np.all(np.asarray(self.sd) > 0) and np.all(np.isfinite(self.sd))):
            raise ValueError(f"Noise: sd = {self.sd} must be positive and finite")

    def collect(self, run, seed):
        """Means over the rows, and the standard deviation of each; ValueError if the rows contradict the noise."""
        call = f"run({self.rows}, {seed})"
        y = np.atleast_1d(finite(run(self.rows, seed), call))
        y = y if y.ndim > 1 else y[None]
        try:
            sd = np.broadcast_to(np.asarray(self.sd, dtype=float), y.shape[1:])
        except ValueError:
            raise ValueError(f"Noise: sd has shape {np.shape(self.sd)}, a row of {call} {y.shape[1:]}") from None
        means, free = y.mean(axis=0), y[0].size * (len(y) - 1)
        if free:
            scatter = float(np.sum(((y - means) / sd) ** 2))
            low, high = (2 * float(tail(free / 2, self.false_alarm / 4)) for tail in (gammaincinv, gammainccinv))
            if not low <= scatter <= high:
                times = f"{math.sqrt(scatter / free):.3g} times the stated sd"
                ends = f"{math.sqrt(low / free):.3g} to {math.sqrt(high / free):.3g}"
                raise ValueError(f"Noise: {len(y)} rows scatter with {times}; chance leaves {ends}")
        return means, sd / math.sqrt(len(y))

    def weigh(self, runs, predict):
        """The squared distance from the prediction in standard deviations, against what chance leaves."""
        means, sd = runs
        k = means.size
        allowed = 2 * float(gammainccinv(k / 2, self.false_alarm / 2))
        far = float(np.sum(((match(predict(), means) - means) / sd) ** 2))
        off, within = math.sqrt(far / k), math.sqrt(allowed / k)
        says = f"{k} means off by {off:.3g} standard deviations, root mean square (must be within {within:.3g}"
        seen = f"a law off by {self._seen(k, allowed):.3g} would be missed with probability {self.miss:g})"
        return Finding(far, allowed, f"{says}; {seen}", means)

    def _seen(self, k: int, allowed: float) -> float:
        """How far off a law is that is missed with the stated probability, in standard deviations."""
        from scipy.optimize import brentq  # here, because it takes longer to load than all the rest

        missed = lambda d: float(chndtr(allowed, k, k * d * d)) - self.miss  # noqa: E731
        return float(brentq(missed, 1e-6, 10 + 10 * math.sqrt(allowed / k)))

    def interval(self, runs):
        """The means, and the ends of what chance leaves of each by itself."""
        means, sd = runs
        half = sd * -float(ndtri(self.false_alarm / 4 / means.size))
        return means, means - half, means + half
