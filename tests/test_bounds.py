"""Bounds hold where they hold and are near, medians are judged for any distribution; both keep the rates they state."""

import numpy as np
import pytest
from scipy.stats import binom

from laws import Count, Equivalent, LowerBound, Mean, Median, Order, Refuted, Sign, Solver, UpperBound, confront

x = np.array([1.0, 2.0, 3.0])
quantity = np.array([0.5, 1.99, 2.0])  # at most x, almost x at 2


def solved(rtol, seed):
    """A solver that errs by its tolerance."""
    return quantity * (1 + rtol * np.array([1, -0.5, 0.2]))


def found(judge, run, law, seed=0):
    """What a judge finds of a law on one set of runs."""
    return judge.weigh(judge.collect(run, seed), lambda **_: np.asarray(law, dtype=float))


@pytest.mark.parametrize("judge", [Solver(1e-8), Order(1)])
def test_a_bound_is_kept_and_near(judge):
    """What lies below its bound, near it somewhere, keeps it; the verdict tells how near."""
    run = solved if isinstance(judge, Solver) else lambda h, seed: quantity * (1 + 0.7 * h + 0.3 * h * h)
    at = dict(x=x)
    rivals = {"a tenth tighter": lambda x: 0.9 * x, "the square root": lambda x: np.sqrt(x)}
    verdict = confront("x bounds it", lambda x: x, run, at, UpperBound(judge), rivals)
    assert verdict.holds and verdict.false_alarm == 0 and len(verdict.panels) == 1
    assert "0.50% to spare at the nearest and 50.00% at the most; one tighter by 10% falls" in verdict.says
    verdict.plot().canvas.draw()
    assert found(LowerBound(judge), lambda h, seed: -run(h, seed), -x).accepted


@pytest.mark.parametrize(
    ("law", "says"),
    [
        (x * np.array([1, 0.99, 1]), r"violated at number 2 of 3 by 0.51% \(error"),
        (x * np.array([1, 0.995 * (1 - 1e-6), 1]), "violated at number 2 of 3 by 0.00%"),
        (1.2 * x, "to spare at the nearest .* tighter by 10% would stand too: out of sight"),
        (quantity, "met everywhere: state an equation"),
        (-x, "violated"),
        (np.full(3, np.nan), "violated"),
    ],
)
def test_what_is_no_bound_falls(law, says):
    """A bound broken anywhere beyond the error falls; so does one that could not be broken, and an equation."""
    finding = found(UpperBound(Solver(1e-8)), solved, law)
    assert not finding.accepted
    with pytest.raises(Refuted, match=says):
        confront("not a bound", lambda x: law, solved, dict(x=x), UpperBound(Solver(1e-8)), {"none": 0.1})


def test_how_near_is_the_users_to_say():
    """A bound that is loose by a factor of two is judged against one that is tighter by two thirds."""
    assert not found(UpperBound(Solver(1e-8)), solved, 2 * x).accepted
    assert found(UpperBound(Solver(1e-8), within=2 / 3), solved, 2 * x).accepted
    assert not found(UpperBound(Solver(1e-8), within=2 / 3), solved, 0.9 * x).accepted


def test_counts_have_bounds():
    """A whole number that reaches its bound keeps it; one above, and one out of sight, do not."""
    ranks = lambda seed: np.array([3, 5, 2])  # noqa: E731
    assert found(UpperBound(Count()), ranks, [3, 6, 4]).accepted
    assert not found(UpperBound(Count()), ranks, [3, 4, 4]).accepted
    assert not found(UpperBound(Count()), ranks, [4, 6, 4]).accepted
    assert found(LowerBound(Count()), ranks, [3, 5, 1]).accepted


def two_means(n, seed):
    """Samples of means 1 and 0.5, within 0.1 of them."""
    return np.array([1.0, 0.5]) + np.random.default_rng(seed).uniform(-0.1, 0.1, (n, 2))


def two_medians(*shape, seed=0):
    """Numbers of medians 1 and 0.5, without mean or variance."""
    return np.array([1.0, 0.5]) + 0.004 * np.random.default_rng(seed).standard_cauchy((*shape, 2))


BOTH = dict(false_alarm=1e-2, points=2)
MEAN, MEDIAN = Mean(0.08, bounds=(0.4, 1.1), miss=1e-2, **BOTH), Median(0.08, 40, **BOTH)


def drawn(judge, draws):
    """So many sets of runs, each as the judge would collect it."""
    return two_medians(draws, judge.runs) if judge is MEDIAN else (judge.collect(two_means, s) for s in range(draws))


def stands(judge, runs, law):
    """Whether a law stands before the judge."""
    return judge.weigh(runs, lambda: np.asarray(law)).accepted


def too_often(count, draws, rate):
    """Whether `count` events in `draws` refute, at one in a million, that each has at most this rate."""
    return binom.sf(count - 1, draws, rate) < 1e-6


@pytest.mark.parametrize("judge", [MEAN, MEDIAN], ids=["means", "medians"])
@pytest.mark.parametrize(
    ("law", "true"),
    [([1.0, 0.7], True), ([0.92, 0.7], False), ([1.0 / 0.9, 0.7], False), ([1.0, 0.5], False)],
    ids=["met", "broken by what is detected", "a tenth too loose", "an equation"],
)
def test_bounds_err_as_rarely_as_stated(judge, law, true):
    """A true bound that is met is refused, and a broken one, one out of sight or an equation stands, that rarely."""
    wrong = sum(stands(UpperBound(judge), runs, law) != true for runs in drawn(judge, 600))
    assert not too_often(wrong, 600, 1e-2), wrong


@pytest.mark.parametrize("law", [[1.0, 0.5], [1.08, 0.5], [1.0, 0.42]], ids=["true", "off", "off below"])
def test_medians_err_as_rarely_as_stated(law):
    """For numbers without a mean, true medians are refused and wrong ones stand no more often than stated."""
    wrong = sum(stands(MEDIAN, runs, law) != (law == [1.0, 0.5]) for runs in drawn(MEDIAN, 1500))
    assert not too_often(wrong, 1500, 1e-2), wrong


def test_an_interval_that_is_wrong_would_be_noticed():
    """The tests above can fail: three standard errors about the mean of the same numbers miss far more often."""
    values = two_medians(1500, 40)[..., 0]
    assert too_often(int(np.sum(np.abs(values.mean(axis=1) - 1) > 0.04)), 1500, 1e-2)
    tighter = Median(0.08, 40, false_alarm=0.3, points=2)
    assert too_often(sum(not stands(tighter, runs, [1.0, 0.5]) for runs in two_medians(1500, 40)), 1500, 1e-2)


def test_a_median_holds_without_any_spread():
    """Runs that are all the same resolve their median to rounding."""
    assert found(Median(0.1), lambda seed: 0.3, 0.1 + 0.2).accepted
    assert not found(Median(0.1), lambda seed: 0.3, 0.3 + 1e-12).accepted


@pytest.mark.parametrize(
    ("refused", "error", "says"),
    [
        (lambda: UpperBound(Solver), TypeError, "tells no interval"),
        (lambda: UpperBound(Sign()), TypeError, "tells no interval of a known error"),
        (lambda: LowerBound(Equivalent(0.1)), TypeError, "LowerBound: judge = Equivalent"),
        (lambda: UpperBound(Solver(), within=1.5), ValueError, "within = 1.5"),
        (lambda: found(UpperBound(Solver()), lambda r, s: -quantity, 0 * x), ValueError, "judge it with Sign"),
        (lambda: found(UpperBound(Mean(0.3, bounds=(0, 2), points=2)), two_means, [1.1, 0.9]), ValueError, "hides a"),
        (lambda: Median(0.1, runs=10), ValueError, "10 runs are too few .* 20 would do"),
        (lambda: Median(0.0), ValueError, "detects = 0.0"),
        (lambda: found(Median(0.1), lambda s: x, x), ValueError, "3 medians at once, but points = 1"),
        (
            lambda: found(Median(1e-6), lambda s: two_medians(seed=s)[0], 1.0),
            ValueError,
            "more than 1e-06; about .* do",
        ),
    ],
)
def test_bounds_and_medians_refuse(refused, error, says):
    """What cannot be judged is refused, with what would do."""
    with pytest.raises(error, match=says):
        refused()
