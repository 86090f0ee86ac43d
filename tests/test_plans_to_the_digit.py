"""A plan is what its formulas say, to the last seed, and it says so."""

import numpy as np
import pytest
from scipy.stats import beta, norm

from laws import Distribution, Equivalent, Exponent, Mean, Median, Trend, seeds_needed
from laws.judges import planning, statistics

EPS = np.finfo(float).eps
LEVELS = (1.0, 2.0, 4.0)
pilot = np.random.default_rng(3).normal(size=60)


def quantiles(x, doubt):
    """By (1): how far beyond the middle the best two order statistics of a pilot are, and where they are."""
    m, x = len(x), np.sort(x)
    beyond = np.arange(m // 2 + 1 + m % 2, m + 1)
    s = beta.ppf(doubt / 4, beyond, m + 1 - beyond) - 0.5
    k = int(np.argmax(s / norm.ppf(beyond / (m + 1))))
    return s[k], x[m - beyond[k]], x[beyond[k] - 1]


@pytest.mark.parametrize("m", [59, 60])
def test_a_spread_is_that_of_two_order_statistics(m):
    """In proportion below their distance, and no more beyond it; an exponent may be off by twice `detects`."""
    x = np.sort(pilot[:m])
    s, low, high = quantiles(x, 1e-2)
    for part in (0.3, 1.0, 2.0):
        expected = pytest.approx(s * min(1, part), rel=8 * EPS, abs=0)
        assert planning._excess(x, Median(part * (high - low)), 1e-2) == expected
        assert planning._excess(x, Exponent(LEVELS, part * (high - low) / 2), 1e-2) == expected
    first, last = statistics.median_interval(x, 1e-2 / 4)
    for shifted in (x, x + 3.0):  # wherever the pilot lies
        first, last = statistics.median_interval(shifted, 1e-2 / 4)
        s, low, high = quantiles(shifted, 1e-2)
        width = max(high - first, last - low)
        assert planning._excess(shifted, Equivalent(0.3 * width), 1e-2) == pytest.approx(0.3 * s, rel=8 * EPS, abs=0)


def test_an_equivalence_is_planned_on_its_wider_side():
    """Of a skewed pilot that is the upper one, of the same with the other sign the lower."""
    x = np.sort(np.exp(pilot))
    for skewed in (x, -x[::-1]):
        first, last = statistics.median_interval(skewed, 1e-2 / 4)
        s, low, high = quantiles(skewed, 1e-2)
        width = max(high - first, last - low)
        assert planning._excess(skewed, Equivalent(width / 2), 1e-2) == pytest.approx(s / 2, rel=8 * EPS, abs=0)


def test_exponents_are_planned_by_their_slopes():
    """The pilot's slopes are a pilot of medians; half of the refusal is for either end."""
    slopes = 1.5 + 0.1 * pilot
    judge = Exponent(LEVELS, 0.1)
    plan = seeds_needed(judge, pilot=3.0 * np.array(LEVELS) ** slopes[:, None], refusal=0.01)
    excess = planning._excess(np.sort(slopes), judge, 1e-2)
    assert plan.seeds == max(statistics.votes(excess, judge.error, 0.005)[0], judge.needed) == plan.judge.runs
    assert str(plan) == (
        f"{plan.seeds} seeds: refused as too few for 0.1 with probability 0.01 at most, "
        "by a spread that 60 pilot runs bound with a doubt of 0.01"
    )
    margin = seeds_needed(Equivalent(1.0), pilot=pilot)
    assert "too few for 1 with" in margin.says and margin.judge == Equivalent(1.0, runs=margin.seeds)
    with pytest.raises(ValueError, match="Exponent: the pilot has shape .60, 2.: .* with 3 numbers, one for each"):
        seeds_needed(judge, pilot=np.ones((60, 2)))
    with pytest.raises(ValueError, match="needs positive values"):
        seeds_needed(judge, pilot=np.zeros((60, 3)))


def test_falling_trends_are_planned_like_rising_ones():
    """What all runs do but with the stated doubt is the bound of Clopper and Pearson for those that agree."""
    sign = np.array([1] * 36 + [-1] * 4)
    least = beta.ppf(1e-2 / 2, 36, 5)
    for side in (1, -1):
        plan = seeds_needed(Trend(LEVELS), pilot=side * np.outer(sign, LEVELS))
        assert plan.judge.excess == pytest.approx(least - 0.5, rel=8 * EPS, abs=0)
        assert plan.says == (f"36 of 40 pilot runs agree, so that {least:.3g} of all do but with probability 0.01")
    assert seeds_needed(Trend(LEVELS), detects=0.4).says == "0.9 of the runs must agree"
    with pytest.raises(ValueError, match="0 of 40 pilot runs agree, as coins might"):
        seeds_needed(Trend(LEVELS), pilot=np.ones((40, 3)))
    with pytest.raises(ValueError, match="Trend: the pilot has shape .40, 2.: it must have a row for each seed with 3"):
        seeds_needed(Trend(LEVELS), pilot=np.ones((40, 2)))


def test_what_is_stated_is_planned_anew():
    """Samples that a judge was given do not bind its plan; what it says are its own rates."""
    given = Mean(0.3, variance=2.0, samples=10**4)
    plan = seeds_needed(given, detects=0.01)
    assert plan.seeds == Mean(0.01, variance=2.0).needed > given.samples
    assert plan.says == "tell means 0.01 apart, with errors of 1e-05 and 0.001"
    assert seeds_needed(Distribution("x")).says == "tell distributions 0.05 apart, with errors of 1e-05 and 0.001"
    with pytest.raises(ValueError, match="^Mean: its number follows from what it states"):
        seeds_needed(given, pilot=np.ones(9))
    with pytest.raises(ValueError, match="^the pilot gave 1 values that are not finite"):
        seeds_needed(Median(0.1), pilot=np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="10 runs bound no spread .* 14 would do"):
        seeds_needed(Median(0.1), pilot=np.ones(10), doubt=4 / 2**13)


@pytest.mark.parametrize("rate", ["refusal", "doubt"])
def test_rates_of_a_plan_are_below_a_half(rate):
    """At a half nothing is promised."""
    for value in (0.0, 0.5):
        with pytest.raises(ValueError, match=f"{rate} = {value} must be positive and below 0.5"):
            seeds_needed(Median(0.1), pilot=pilot, **{rate: value})
