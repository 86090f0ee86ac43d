"""As many seeds as are planned are accepted, one less is not, and runs from the pilot's world are seldom too few."""

import numpy as np
import pytest
from scipy.stats import binom

from laws import Distribution, Equivalent, Exponent, Mean, Median, Solver, Trend, seeds_needed
from laws.judges import planning, statistics

levels = (1.0, 2.0, 4.0)
draw = np.random.default_rng


def test_what_is_stated_gives_the_fewest_samples():
    """Means and distributions take the number that is planned, and refuse one less."""
    plan = seeds_needed(Mean(0.3, bounds=(-1, 1), points=2), detects=0.2)
    assert plan.seeds == int(plan) == plan.judge.samples and plan.judge.detects == 0.2 and "0.2 apart" in str(plan)
    with pytest.raises(ValueError, match=f"{plan.seeds - 1} samples cannot resolve 0.2; {plan.seeds} would do"):
        Mean(0.2, bounds=(-1, 1), points=2, samples=plan.seeds - 1)
    assert seeds_needed(Mean(0.3, variance=2.0, samples=10**6)).seeds == Mean(0.3, variance=2.0).needed
    plan = seeds_needed(Distribution("x"), detects=0.1)
    exactly = lambda n, seed: draw(seed).random(plan.seeds)  # noqa: E731
    assert len(plan.judge.collect(exactly, 0)) == plan.seeds
    with pytest.raises(ValueError, match=f"{plan.seeds - 1} samples cannot resolve 0.1; {plan.seeds} would do"):
        plan.judge.collect(lambda n, seed: draw(seed).random(plan.seeds - 1), 0)


def test_a_trend_is_planned_by_its_votes():
    """A trend takes the seeds that are planned; with one less no number of votes would keep both rates."""
    plan = seeds_needed(Trend(levels), detects=0.4)
    asked = []
    plan.judge.collect(lambda x, seed: asked.append(seed) or x, 0)
    assert len(set(asked)) == plan.seeds and plan.judge.excess == 0.4
    error, n = plan.judge.false_alarm / 2, plan.seeds - 1
    assert not any(binom.sf(m - 1, n, 0.5) <= error and binom.cdf(m - 1, n, 0.9) <= error for m in range(1, n + 1))


def test_a_pilot_bounds_how_many_runs_agree():
    """Of pilots of runs that agree nine times in ten, hardly one promises more."""
    promised = []
    for seed in range(400):
        rising = draw(seed).random(40) < 0.9
        plan = seeds_needed(Trend(levels), pilot=np.where(rising[:, None], 1, -1) * np.array(levels))
        promised.append(plan.judge.excess)
    too_much = int(np.sum(np.array(promised) > 0.4))
    assert binom.sf(too_much - 1, 400, 1e-2) > 1e-6 and np.median(promised) > 0.2
    assert "36 of 40" in seeds_needed(Trend(levels), pilot=np.outer([1] * 36 + [-1] * 4, levels)).says


def planned(judge, pilot):
    """A plan that fails often enough to see how often it does."""
    return seeds_needed(judge, pilot=pilot, refusal=0.02, doubt=0.05)


@pytest.mark.parametrize(
    ("kind", "tails"), [("median", "normal"), ("median", "t"), ("equivalent", "t"), ("exponent", "t")]
)
def test_planned_runs_are_seldom_too_few(kind, tails):
    """Over pilots and runs anew, heavy tails too, runs are refused no more often than doubt and refusal add up to."""
    noise = lambda g, *size: g.normal(size=size) if tails == "normal" else g.standard_t(3, size)  # noqa: E731
    slopes = np.exp(np.outer(np.ones(1), np.log(levels)))
    refused, draws, g = 0, 100, draw(5)
    for _ in range(draws):
        if kind == "exponent":
            pilot = slopes ** (1.5 + 0.1 * noise(g, 30, 1))
            plan = planned(Exponent(levels, 0.1, false_alarm=1e-2), pilot)
            runs = np.log(slopes ** (1.5 + 0.1 * noise(g, plan.seeds, 1)))
        else:
            judge = Median(2.0, false_alarm=1e-2) if kind == "median" else Equivalent(1.0, miss=5e-3)
            plan = planned(judge, noise(g, 30))
            runs = noise(g, plan.seeds)
        try:
            refused += not plan.judge.weigh(runs, lambda: np.asarray(1.5 if kind == "exponent" else 0.0)).threshold
            if kind == "equivalent":
                refused += not plan.judge.weigh(runs, lambda: np.asarray(0.0)).accepted
        except ValueError as error:
            assert "would do" in str(error) or "more than" in str(error)
            refused += 1
    assert binom.sf(refused - 1, draws, 0.07) > 1e-6, refused


@pytest.mark.parametrize("refusal", [1e-3, 0.05])
def test_one_seed_less_would_be_refused_too_often(refusal):
    """In the worst world that a pilot leaves open, so many runs are refused as rarely as stated; one less are not."""
    pilot, judge = np.sort(draw(3).normal(size=60)), Median(1.5, false_alarm=1e-3)
    plan = seeds_needed(judge, pilot=pilot, refusal=refusal)
    s = planning._excess(pilot, judge, 1e-2)

    def refused(n):  # an end of the interval lies beyond a quantile of 1/2 - s or 1/2 + s, which are 1.5 apart
        low, _ = statistics.median_interval(np.arange(n), judge.false_alarm / 2)
        return 2 * binom.cdf(n - low - 1, n, 0.5 + s)

    assert refused(plan.seeds) <= refusal < refused(plan.seeds - 1)


@pytest.mark.parametrize("m", [9, 10, 31])
def test_a_pilot_of_any_number_of_runs_bounds_a_spread(m):
    """Odd or even: the median of a pilot, which bounds none, is not asked to."""
    assert seeds_needed(Median(20.0), pilot=draw(4).normal(size=m)).seeds >= 20


def test_more_seeds_are_planned_for_less_difference_and_more_medians():
    """Half the difference takes some four times the seeds, several medians take more than one, a larger pilot less."""
    pilot = draw(2).normal(size=(100, 3))
    one, fine = (seeds_needed(Median(d), pilot=pilot[:, 0]).seeds for d in (2.0, 1.0))
    assert 3 < fine / one < 5
    assert seeds_needed(Median(2.0, points=3), pilot=pilot).seeds > one
    assert seeds_needed(Median(2.0), pilot=pilot[:30, 0]).seeds > one
    n = seeds_needed(Median(2.0), pilot=pilot[:, 0], detects=1.0)
    assert n.seeds == fine and n.judge == Median(1.0, runs=fine)


def test_votes_are_the_fewest():
    """The numbers of runs are those of a search one by one."""
    for excess, chance, missed in ((0.45, 5e-6, 1e-3), (0.2, 1e-2, 1e-2), (0.1, 1e-3, 0.1)):
        runs, needed = statistics.votes(excess, chance, missed)
        for n in range(20, runs + 1):
            m = int(binom.isf(chance, n, 0.5)) + 1
            keeps = m <= n and binom.cdf(m - 1, n, 0.5 + excess) <= missed
            assert keeps == (n == runs) and (m == needed or n < runs)


@pytest.mark.parametrize(
    ("refused", "error", "says"),
    [
        (lambda: seeds_needed(Solver()), TypeError, "no number of seeds"),
        (lambda: seeds_needed(Median), TypeError, "no number of seeds"),
        (lambda: seeds_needed(Median(0.1)), ValueError, "Median: how many seeds .* give a pilot"),
        (lambda: seeds_needed(Mean(0.1, variance=1.0), pilot=np.ones(9)), ValueError, "a pilot bounds nothing"),
        (lambda: seeds_needed(Median(0.1), pilot=np.ones(5)), ValueError, "5 runs bound no spread .* 9 would do"),
        (lambda: seeds_needed(Median(0.1), pilot=np.ones(1)), ValueError, "1 runs bound no spread"),
        (lambda: seeds_needed(Median(0.1), pilot=np.array([1.0, np.nan])), ValueError, "not finite"),
        (lambda: seeds_needed(Median(0.1), pilot=np.ones((30, 2))), ValueError, "2 medians, but points = 1"),
        (lambda: seeds_needed(Exponent(levels, 0.1), pilot=np.ones((30, 2))), ValueError, "3 numbers, one for each"),
        (lambda: seeds_needed(Exponent(levels, 0.1), pilot=-np.ones((30, 3))), ValueError, "needs positive"),
        (lambda: seeds_needed(Trend(levels), pilot=draw(0).random((30, 3))), ValueError, "no trend to plan for"),
        (lambda: seeds_needed(Trend(levels), 0.3, pilot=np.ones((30, 3))), ValueError, "give one of them"),
        (lambda: seeds_needed(Median(0.1), pilot=np.ones(30), doubt=0.0), ValueError, "doubt = 0.0"),
        (lambda: seeds_needed(Median(1e-9), pilot=draw(0).random(30)), ValueError, "1e-09 takes more than 100,000"),
        (lambda: seeds_needed(Median(0.1), pilot=draw(1).normal(size=31)), ValueError, "a larger one bounds"),
        (lambda: seeds_needed(Equivalent(0.1), -0.1, pilot=np.ones(30)), ValueError, "margin = -0.1"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused(refused, error, says):
    """A judge without seeds, a pilot that is lacking or of another shape: refused, with what would do."""
    with pytest.raises(error, match=says):
        refused()
