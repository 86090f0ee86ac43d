"""What each judge asks of a run, how wide its interval is, and where its threshold lies, to the last digit."""

import math
import re

import numpy as np
import pytest
from scipy.stats import kendalltau, norm

from laws import Count, Distribution, Equivalent, Exponent, Mean, Median, Noise, Order, Roundoff, Sign, Solver, Trend
from laws.judges import statistics
from laws.judges.finding import Finding, match, size_of
from laws.judges.seeding import seeds
from laws.judges.verdict import ratio

truth = np.array([0.3, 1.7, -2.6])
EPS = np.finfo(float).eps


def weighed(judge, runs, law):
    """What a judge finds of a law in runs that it has collected."""
    return judge.weigh(runs, lambda **_: np.asarray(law, dtype=float))


def asked(judge, run):
    """The arguments with which a judge calls a run."""
    calls = []
    judge.collect(lambda *given: calls.append(given) or run(*given), 7)
    return calls


def test_runs_are_asked_for_what_is_stated():
    """Steps are halved from the first, tolerances divided by a hundred, seeds drawn from the one that was given."""
    many = seeds(7, 30)
    assert asked(Order(1), lambda h, seed: truth) == [(0.02, 7), (0.01, 7), (0.005, 7), (0.0025, 7)]
    assert asked(Order(2, start=0.3, halvings=4), lambda h, seed: truth)[-1] == (0.3 / 16, 7)
    assert asked(Solver(1e-6), lambda rtol, seed: truth) == [(1e-6, 7), (1e-8, 7)]
    assert asked(Solver(), lambda rtol, seed: truth) == [(1e-10, 7), (1e-12, 7)]
    assert asked(Roundoff(3), lambda seed: truth) == asked(Sign(), lambda seed: truth) == [(7,)]
    assert asked(Count(), lambda seed: np.ones(3)) == [(7,)]
    assert asked(Noise(0.1, rows=3), lambda rows, seed: truth) == [(3, 7)]
    assert asked(Median(0.1), lambda seed: 1.0) == asked(Equivalent(0.1), lambda seed: 1.0) == [(s,) for s in many]
    levels = (1.0, 2.0, 4.0)
    assert asked(Exponent(levels, 0.1), lambda x, seed: x) == [(x, s) for s in many for x in levels]
    trend = Trend(levels)
    assert asked(trend, lambda x, seed: x) == [(x, s) for s in seeds(7, trend._design()[0]) for x in levels]
    assert len(set(many)) == 30 and seeds(8, 30) != many


@pytest.mark.parametrize(("p", "then"), [(0.5, None), (0.5, 0.75), (1, None), (1, 1.5), (1, 5.0), (2, None), (2, 3.5)])
def test_a_limit_is_trusted_to_three_times_its_error(p, then):
    """Of h^p and h^q alone the limit errs by what its difference from the one before says: to that, or thrice that."""
    q = p + 1 if then is None else then
    judge = Order(p, start=0.1, then=then)
    run = lambda h, seed: truth * (1 + 0.7 * h**p + 0.3 * h**q)  # noqa: E731
    limit, low, high = judge.interval(judge.collect(run, 0))
    error = limit - truth
    r, h = 2.0**p, 0.1 / 8
    rounding = EPS * np.abs(truth) * (1 + 0.7 * h**p) * (r + 1) / (r - 1)
    np.testing.assert_allclose(error, 0.3 * truth * h**q * (r - 2**q) / (r - 1), rtol=0, atol=8 * rounding.max())
    wide = max(2**q - 1, 3) * np.abs(error)
    assert np.all(np.abs((high - low) / 2 - wide - rounding) <= 8 * max(2**q, 3) * rounding)


def test_a_difference_that_vanishes_by_accident_is_not_trusted():
    """Where the last two limits are one by chance the two before them tell, at the next order."""
    judge = Order(1)
    limits = np.array([3.0, 1.7, 1.7])
    runs = [0.0]
    for limit in limits:  # (2 run' - run) = limit
        runs.append((limit + runs[-1]) / 2)
    _, low, high = judge.interval(np.array(runs))
    np.testing.assert_allclose((high - low) / 2, 1.3 / 4, rtol=0, atol=16 * EPS * max(runs))


def test_rounding_alone_leaves_what_extrapolation_makes_of_it():
    """Exact runs of first order leave (r + 1)/(r - 1) = 3 roundings; where they are 0 throughout, so is the law."""
    judge = Order(1, start=0.5)
    runs = judge.collect(lambda h, seed: np.array([1 + h, 0.0]), 0)
    finding = weighed(judge, runs, [1.0, 0.0])
    assert finding.accepted and finding.threshold == 3 * EPS * (1 + 0.5 / 8)
    finding = weighed(judge, runs, [1.0, 1e-300])
    assert not finding.accepted and "off the law by 1e-300 (must be within 0)" in finding.says


def test_the_slope_that_is_drawn_is_the_order():
    """From the finest step, where line and runs meet, it rises by 2^p a step; rivals keep their distance."""
    judge = Order(2)
    runs = judge.collect(lambda h, seed: 1.7 + h * h, 0)
    panel = judge.panel(runs, {"law": lambda **_: np.asarray(1.7), "off": lambda **_: np.asarray(2.7)})
    distances, line, rival = panel.series
    assert (distances.role, line.role, rival.role, rival.label) == ("run", "law", "rival", "off")
    assert line.label == "law: order 2" and panel.log == "xy"
    off = np.abs(np.subtract(distances.y, line.y))
    assert np.all(off <= 2 * EPS * 1.7 * np.divide(line.y, min(line.y)))  # of 1.7, where the line begins
    np.testing.assert_allclose(np.divide(line.y[:-1], line.y[1:]), 4, rtol=8 * EPS)
    np.testing.assert_allclose(rival.y, 1 - np.square(rival.x), rtol=8 * EPS)


def test_an_order_is_within_a_quarter():
    """What is of order 1.24 or 0.76 between the last two steps is of order 1; what is of 1.26 or 0.74 is not."""
    judge = Order(1)
    for order, accepted in ((1.24, True), (0.76, True), (1.26, False), (0.74, False)):
        growth = 2 ** (order - 1)
        next_term = (growth - 1) / (2 - growth) / (judge.start / 8)  # (1 + 2 x) / (1 + x) = growth
        runs = judge.collect(lambda h, seed, c=next_term: h + c * h * h, 0)
        finding = weighed(judge, runs, 0.0)
        assert finding.accepted == accepted and f"order {order:.4f} (must be 1 within 1/4)" in finding.says
        if not accepted:
            assert finding.figure == pytest.approx(0.26, rel=0, abs=64 * EPS) and finding.threshold == 0.25


def test_a_solvers_own_error_is_the_bound():
    """The law may be as far from the finer solution as the coarser one is, relative to each value."""
    fine = np.array([0.3, -1.7, 2.6])
    runs = np.array([fine * (1 + np.array([1e-9, -3e-9, 2e-9])), fine])
    for off, accepted in ((2.9e-9, True), (3.1e-9, False)):
        assert weighed(Solver(), runs, fine * (1 + np.array([off, 0, 0]))).accepted == accepted
    _, low, high = Solver().interval(runs)
    np.testing.assert_allclose((high - low) / 2, 3e-9 * np.abs(fine), rtol=0, atol=8 * EPS * np.abs(fine).max())
    assert weighed(Solver(), np.array([fine, fine]), fine * (1 + 3 * EPS)).accepted
    assert not weighed(Solver(), np.array([fine, fine]), fine * (1 + 8 * EPS)).accepted


@pytest.mark.parametrize("operations", [2, 6, 1000])
def test_rounding_is_bounded_by_its_operations(operations):
    """N operations of unit round-off u explain n u, and n u times 1 + condition, and no more."""
    law = 1 + operations / 2 * EPS
    assert weighed(Roundoff(operations), np.asarray(1.0), law).accepted
    assert not weighed(Roundoff(operations - 1), np.asarray(1.0), law).accepted
    assert weighed(Roundoff(operations, condition=2), np.asarray(1.0), 1 + 3 * operations / 2 * EPS).accepted
    assert not weighed(Roundoff(operations, condition=1.9), np.asarray(1.0), 1 + 3 * operations / 2 * EPS).accepted
    _, low, high = Roundoff(operations).interval(np.array([1.0, -2.0, 0.0]))
    np.testing.assert_allclose((high - low) / 2, operations * EPS / 2 * np.array([1, 2, 2]), rtol=0, atol=EPS)


@pytest.mark.parametrize(
    ("mean", "variance"), [(Mean(0.3, bounds=(-1, 2)), 9 / 4), (Mean(0.3, variance=1.7, points=3), 1.7)]
)
@pytest.mark.parametrize("rates", [(1e-3, 1e-4), (1e-4, 1e-3)])
def test_a_mean_takes_the_fewest_samples(mean, variance, rates):
    """The interval is at most `detects` wide, with one sample less it is wider; each of the points has its share."""
    judge = Mean(mean.detects, mean.bounds, mean.variance, *rates, points=mean.points)
    error = min(rates[0] / 2, rates[1]) / mean.points
    half, wider = (statistics.catoni_radius(judge.needed - k, variance, error) for k in (0, 1))
    assert half <= 0.15 < wider
    run = lambda n, seed: np.random.default_rng(seed).uniform(-1, 1, (n, mean.points))  # noqa: E731
    runs = judge.collect(run, 0)
    middle, low, high = judge.interval(runs)
    assert runs[1] == judge.needed and middle.shape == (mean.points,)
    np.testing.assert_allclose([middle - low, high - middle], half, rtol=0, atol=4 * EPS)  # of values up to 1
    for off, accepted in ((0.99, True), (1.01, False)):
        wrong = np.where(np.arange(mean.points) == mean.points - 1, off * half, 0)
        assert weighed(judge, runs, middle + wrong).accepted == accepted
        assert weighed(judge, runs, middle - wrong).accepted == accepted


def test_a_mean_takes_as_many_samples_as_it_is_given():
    """More samples than are needed make the interval narrower; outside the bounds by the last digit is refused."""
    judge = Mean(0.3, bounds=(-1, 1), samples=5000)
    edge = lambda n, seed: np.where(np.arange(n) % 2, -1.0, 1.0)  # noqa: E731
    runs = judge.collect(edge, 0)
    assert runs[1] == 5000 and abs(runs[0]) <= 64 * EPS
    for beyond in (np.nextafter(1, 2), np.nextafter(-1, -2)):
        with pytest.raises(ValueError, match="leave the stated bounds"):
            judge.collect(lambda n, seed, beyond=beyond: np.append(edge(n - 1, seed), beyond), 0)


def test_a_distribution_is_judged_on_both_sides_of_its_steps():
    """The distance is that from the foot or the top of a step, whichever is further; the band is of all samples."""
    judge = Distribution("x", detects=0.3, false_alarm=1e-2, miss=1e-2)
    n = statistics.band_samples(0.3, 1e-2, 1e-2)
    x = judge.collect(lambda n, seed: (np.arange(n)[::-1] + 0.5) / n, 0)
    assert np.array_equal(x, np.sort(x)) and len(x) == n
    for law, gap in ((x, 0.5 / n), (x + 0.05, 0.05 + 0.5 / n), (x - 0.05, 0.05 + 0.5 / n)):
        assert weighed(judge, x, law).figure == pytest.approx(gap, rel=0, abs=8 * EPS)
    assert weighed(judge, x, x).threshold == math.sqrt(math.log(200) / (2 * n))
    most = int(n * math.sqrt(math.log(200) / (2 * n)))  # equal samples that the band still allows
    for equal, refused in ((most, False), (most + 1, True)):
        samples = np.where(np.arange(n) < equal, 0.5, x + 1)
        if refused:
            with pytest.raises(ValueError, match=f"{equal} of {n} samples equal 0.5"):
                judge.collect(lambda n, seed, samples=samples: samples, 0)
        else:
            assert len(judge.collect(lambda n, seed, samples=samples: samples, 0)) == n


def test_votes_are_counted_against_the_design():
    """As many as must agree are enough, one less is not; no trend is where neither side does; the control counts."""
    judge = Trend((1.0, 2.0, 4.0))
    n, needed = judge._design()
    none, values = np.zeros(n), np.ones((n, 3))
    for sign in (1.0, -1.0):
        for agree, accepted in ((needed, True), (needed - 1, False)):
            votes = np.where(np.arange(n) < agree, sign, -sign)
            assert weighed(judge, (votes, none, values), sign).accepted == accepted
            assert weighed(judge, (votes, none, values), 0.0).accepted != accepted
        assert not weighed(judge, (np.full(n, sign), np.full(n, sign), values), sign).accepted
        almost = np.where(np.arange(n) < needed - 1, sign, 0)
        assert weighed(judge, (np.full(n, sign), almost, values), sign).accepted
    strict, lax = Trend((1.0, 2.0, 4.0), miss=1e-6), Trend((1.0, 2.0, 4.0), false_alarm=1e-3, miss=1e-3)
    assert strict._design() == statistics.votes(0.45, 1e-6, 5e-6) and lax._design() == statistics.votes(
        0.45, 5e-4, 5e-4
    )


def test_an_equivalence_is_within_its_margin_at_both_ends():
    """The far end of the interval counts, above or below; an interval as wide as the margin is resolved."""
    runs = np.linspace(0.2, 0.5, 31)
    low, high = statistics.median_interval(runs, 1e-5)
    judge = lambda margin: Equivalent(margin, runs=31)  # noqa: E731
    for law, far in ((0.0, high), (0.7, 0.7 - low)):
        assert weighed(judge(far), runs, law).accepted
        assert not weighed(judge(far * (1 - 1e-12)), runs, law).accepted
    assert "unresolved" not in weighed(judge((high - low) / 2), runs, 0.0).says
    finding = weighed(judge((high - low) / 4), runs, 0.0)
    assert finding.says.startswith("medians of 31 runs: 0.35 [") and finding.says.endswith("about 124 runs would do")
    assert finding.observed == np.median(runs)
    pair = np.stack([runs, runs + 1], axis=1)
    middle, ends, tops = Equivalent(0.1, runs=31).interval(pair)
    assert np.array_equal(middle, np.median(pair, axis=0)) and np.all((ends < middle) & (middle < tops))
    assert all(end.shape == (2, 3) for end in Equivalent(0.1, runs=31).interval(runs[:, None, None] + np.ones((2, 3))))


def test_a_median_is_judged_by_its_interval():
    """The law may be as far from the middle as either end is, of each median by itself, and `detects` says how wide."""
    runs = np.stack([np.linspace(0.2, 0.5, 30), np.linspace(1, 5, 30)], axis=1)
    ends = [statistics.median_interval(column, 1e-5 / 2 / 2) for column in runs.T]
    middle, half = (np.array([(b + s * a) / 2 for a, b in ends]) for s in (1, -1))
    judge = Median(2 * half.max() * (1 + 1e-9), points=2)
    for k in (0, 1):
        for off, accepted in ((1 - 1e-9, True), (1 + 1e-9, False)):
            for side in (1, -1):
                law = middle + side * off * half * (np.arange(2) == k)
                finding = weighed(judge, runs, law)
                assert finding.accepted == accepted
                assert finding.threshold == pytest.approx(half[k], rel=0, abs=16 * EPS * runs.max())
    with pytest.raises(ValueError, match="Median: 30 runs leave .*; about 120 do"):
        weighed(Median(1.001 * half.max(), points=2), runs, middle)
    assert np.array_equal(judge.interval(runs)[0], np.median(runs, axis=0))


def test_means_with_stated_noise_have_intervals_of_its_normal_law():
    """Either end of one of k means fails with a quarter of the false alarm over k, of the mean of the rows."""
    judge = Noise(np.array([0.1, 0.2]), rows=5, false_alarm=1e-3)
    rows = np.array([0.3, -1.7]) + np.array([0.1, 0.2]) * np.random.default_rng(0).normal(size=(5, 2))
    middle, low, high = judge.interval(judge.collect(lambda n, seed: rows, 0))
    rounding = 8 * EPS * np.abs(rows).max()
    half = norm.isf(1e-3 / 8) * np.array([[0.1, 0.2]] * 2) / 5**0.5
    np.testing.assert_allclose(middle, rows.mean(axis=0), rtol=0, atol=rounding)
    np.testing.assert_allclose([middle - low, high - middle], half, rtol=0, atol=rounding)


def test_a_slope_is_that_of_most_seeds():
    """The interval of the exponent is that of the median slope; what half of it may be is the judge's to say."""
    levels = np.array([1.0, 2.0, 4.0])
    slopes = np.linspace(1.4, 1.6, 30)
    runs = np.log(3 * levels ** slopes[:, None])
    low, high = statistics.median_interval(slopes, 5e-6)
    finding, rounding = weighed(Exponent(tuple(levels), 0.2), runs, 1.5), 64 * EPS * np.abs(runs).max()
    assert finding.threshold == pytest.approx((high - low) / 2, rel=0, abs=rounding)
    assert finding.observed == pytest.approx(1.5, rel=0, abs=rounding)
    assert weighed(Exponent(tuple(levels), 0.2), runs, low + 1e-9).accepted
    assert not weighed(Exponent(tuple(levels), 0.2), runs, low - 1e-9).accepted
    for part, refused in ((0.999, True), (1.001, False)):
        judge = Exponent(tuple(levels), part * (high - low) / 2)
        if refused:
            with pytest.raises(ValueError, match="about 31 would do"):
                weighed(judge, runs, 1.5)
        else:
            assert weighed(judge, runs, 1.5).accepted


def test_a_slope_that_bends_at_the_end_bends():
    """First and last two levels are compared, whatever the fit to all of them says in between."""
    spread = np.linspace(-0.2, 0.2, 30)[:, None]
    slopes = np.array([1.0, 1.5]) + spread
    runs = np.log(2) * np.concatenate([np.zeros((30, 1)), np.cumsum(slopes, axis=1)], axis=1)
    judge = Exponent((1.0, 2.0, 4.0), 1.0)
    with pytest.raises(ValueError, match="the slope bends"):
        weighed(judge, runs, 1.25)
    runs[:, 2] -= 0.4 * np.log(2)
    assert weighed(judge, runs, 1.05).accepted


LEVELS = dict(levels=(1.0, 2.0, 4.0))


@pytest.mark.parametrize(
    ("judge", "settings", "bounds"),
    [
        (Mean, dict(detects=0.3, variance=1.0), dict(false_alarm=1, miss=1, points=math.inf)),
        (Distribution, dict(variable="x"), dict(detects=1, false_alarm=1, miss=1)),
        (Exponent, dict(detects=0.1, **LEVELS), dict(detects=math.inf, false_alarm=1)),
        (Trend, LEVELS, dict(excess=0.5, false_alarm=0.5, miss=0.5)),
        (Equivalent, dict(margin=0.1), dict(margin=math.inf, miss=0.5)),
        (Median, dict(detects=0.1), dict(detects=math.inf, false_alarm=1, points=math.inf)),
        (Noise, dict(sd=0.1), dict(rows=math.inf, false_alarm=1, miss=0.5)),
        (Order, dict(p=1), dict(p=math.inf, start=math.inf)),
        (Solver, {}, dict(rtol=1e-3)),
        (Roundoff, {}, dict(operations=1e12)),
    ],
)
def test_a_setting_is_above_0_and_below_its_bound(judge, settings, bounds):
    """Neither end is allowed, nor what is no number; the judge and the setting are named."""
    for setting, bound in bounds.items():
        for value in (0.0, bound, -0.1, math.nan):
            said = f"{judge.__name__}: {setting} = {value} must be positive and below {bound:g}"
            with pytest.raises(ValueError, match=re.escape(said)):
                judge(**settings | {setting: value})


def test_what_a_judge_is_given_is_named_where_it_is_none():
    """Which call gave what is not finite, and where; how many means there are; which judge has too few runs."""
    holes = lambda n, seed: np.where(np.arange(n) == 2, np.nan, 0.5)  # noqa: E731
    with pytest.raises(ValueError, match=r"^run\(\d+, 7\) gave 1 values that are not finite, the first at index 2$"):
        Distribution("x").collect(holes, 7)
    with pytest.raises(ValueError, match=r"^run\(7\) gave 1 values .* at index 0, 1$"):
        Count().collect(lambda seed: [[1, np.inf]], 7)
    with pytest.raises(ValueError, match=r"^run\(7\) gave 1 values .* at index 0$"):
        Count().collect(lambda seed: np.nan, 7)
    with pytest.raises(ValueError, match="Mean: 6 means at once, but points = 5"):
        Mean(0.5, bounds=(-1, 1), points=5).collect(lambda n, seed: np.zeros((n, 2, 3)), 0)
    with pytest.raises(ValueError, match="Mean: bounds = .* must be two finite numbers in order"):
        Mean(0.5, bounds=(0, math.inf))
    with pytest.raises(ValueError, match="^Exponent: 10 runs are too few for an error of 4.5e-06; 22 would do"):
        Exponent((1.0, 2.0, 4.0), 0.1, runs=10)
    with pytest.raises(ValueError, match="must be at least three positive numbers"):
        Exponent((0.0, 1.0, 2.0), 0.1).collect(lambda x, seed: 1.0, 0)


def test_catonis_mean_is_that_of_his_paper():
    """It is where the influences add up to nothing, with the scale that his bound has least; too few have none."""
    x = np.random.default_rng(0).exponential(size=200) ** 2
    variance, error = 20.0, 1e-3
    least = math.log(1 / error)
    alpha = math.sqrt(2 * least / (200 * (variance + 2 * variance * least / (200 - 2 * least))))

    def influence(mean):
        u = alpha * (x - mean)
        return np.sum(np.where(u >= 0, np.log(1 + u + u**2 / 2), -np.log(1 - u + u**2 / 2)))

    mean = statistics.catoni_mean(x, variance, error)
    assert influence(mean * (1 - 64 * EPS)) > 0 > influence(mean * (1 + 64 * EPS))
    for same in (1.7, 0.0, -2.0):
        assert statistics.catoni_mean(np.full(200, same), variance, error) == same
    small = statistics.catoni_mean(1e-20 * x, 1e-40 * variance, error)  # whose digits are those of large ones
    assert small == pytest.approx(1e-20 * mean, rel=64 * EPS, abs=0)
    with pytest.raises(ValueError, match="13 samples bound no mean with error 0.001: more than 14 are needed"):
        statistics.catoni_mean(x[:13], variance, error)


def test_a_band_takes_the_fewest_samples():
    """Both bands together are no wider than what is to be told apart; with one sample less they are."""
    for detects, false_alarm, miss in ((0.1, 1e-3, 1e-4), (0.05, 1e-5, 0.1), (0.13, 0.1, 1e-2)):
        n = statistics.band_samples(detects, false_alarm, miss)
        both, more = (statistics.band(n - k, false_alarm) + statistics.band(n - k, miss) for k in (0, 1))
        assert both <= detects < more


def test_rank_signs_are_those_of_kendall():
    """With levels in any order and values that are equal, the sign is that of Kendall's correlation."""
    levels, values = np.array([2.0, 0.5, 4.0, 1.0, 3.0]), np.random.default_rng(1).integers(0, 4, (200, 5))
    signs = [0.0 if np.ptp(row) == 0 else np.sign(kendalltau(levels, row).statistic) for row in values]
    found = statistics.rank_signs(levels, values.astype(float))
    assert np.array_equal(found, np.where(np.abs(signs) > 0, signs, 0)) and {-1.0, 0.0, 1.0} == set(found)


def test_what_is_at_its_threshold_is_accepted():
    """Nothing above a threshold of 0 is, and what is not a number never."""
    for figure, threshold, expected in ((1, 2, 0.5), (0, 0, 0.0), (1e-300, 0, math.inf), (math.nan, 1, math.inf)):
        assert ratio(figure, threshold) == expected
    cases = ((1.0, 1.0, True), (np.nextafter(1, 2), 1.0, False), (0.0, 0.0, True), (math.nan, math.inf, False))
    for figure, threshold, accepted in cases:
        assert Finding(figure, threshold, "", np.zeros(1)).accepted == accepted


def test_values_are_measured_by_their_size():
    """A value of 0 has the size of the largest, and where all are 0 a size that divides; shapes must fit."""
    assert np.array_equal(size_of([-3.0, 0.0, 2.0]), [3, 3, 2]) and size_of([0.0, 0.0])[0] == np.finfo(float).tiny
    assert match(2, np.zeros((2, 3))).tolist() == [[2.0] * 3] * 2
    with pytest.raises(ValueError, match=r"the law has shape \(2,\), the runs \(3,\)"):
        match(np.zeros(2), np.zeros(3))
