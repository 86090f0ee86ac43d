"""Measurements with stated noise: a true law is refused, and a wrong one missed, as rarely as is said."""

import re

import numpy as np
import pytest
from scipy.stats import binom

from laws import Noise, Refuted, confront

x = np.array([0.5, 1.0, 2.0, 4.0])
sd = np.array([0.1, 0.2, 0.1, 0.3])
TRIALS = 1000


def line(x):
    """A law."""
    return 2 * x


def measure(rows, seed, noise=1.0, off=0.0):
    """Rows of measurements of the line."""
    return line(x) + sd * (off + noise * np.random.default_rng(seed).normal(size=(rows, 4)))


def refused(judge, off=0.0):
    """How often the line is refused, in many trials of rows that are off by so many standard deviations."""
    count = 0
    for seed in range(TRIALS):
        try:
            count += not judge.weigh(judge.collect(lambda n, s: measure(n, s, off=off), seed), lambda: line(x)).accepted
        except ValueError:
            count += 1
    return count


@pytest.mark.parametrize("rows", [1, 5])
def test_false_alarms_are_as_rare_as_stated(rows):
    """A true law, and true noise, are refused with the stated probability at most, and not far below it."""
    judge = Noise(sd, rows, false_alarm=0.1)
    expected = 0.1 if rows > 1 else 0.05  # of one row the noise is not judged
    low, high = binom.ppf(1e-5, TRIALS, expected), binom.isf(1e-5, TRIALS, expected)
    assert low <= refused(judge) <= high


def test_misses_are_as_rare_as_stated():
    """A law that is off by what the verdict says is missed with the stated probability."""
    judge = Noise(sd, rows=3, false_alarm=1e-3, miss=0.1)
    says = judge.weigh(judge.collect(measure, 0), lambda: line(x)).says
    off = float(says.partition("a law off by ")[2].partition(" ")[0]) / np.sqrt(3)
    low, high = binom.ppf(1e-5, TRIALS, 0.1), binom.isf(1e-5, TRIALS, 0.1)
    assert low <= TRIALS - refused(judge, off) <= high


def test_noise_that_is_not_as_stated_is_refused():
    """Rows that scatter more, or less, than stated are told by what factor."""
    for noise in (2.0, 0.5):
        with pytest.raises(ValueError, match="40 rows scatter with") as caught:
            Noise(sd, rows=40).collect(lambda n, seed, noise=noise: measure(n, seed, noise), 0)
        found, low, high = map(float, re.findall(r"\d\.\d+", str(caught.value)))
        assert low < found / noise < high


def test_a_single_row_is_judged_with_its_rivals():
    """A steeper line falls on one row of data, and the line stands; wrong shapes and settings are named."""
    data = measure(1, 4)[0]
    assert confront("a line", line, data, dict(x=x), Noise(sd), {"half as steep": lambda x: x}).holds
    with pytest.raises(Refuted, match="4 means off by"):
        confront("half a line", lambda x: x, data, dict(x=x), Noise(sd), {"none": 0.0})
    with pytest.raises(ValueError, match=r"sd has shape \(3,\), a row of run\(1, 0\) \(4,\)"):
        confront("a short sd", line, data, dict(x=x), Noise(sd[:3]))
    for bad in (0.0, -1.0, np.nan, [0.1, 0.0]):
        with pytest.raises(ValueError, match="sd = .* must be positive"):
            Noise(bad)
