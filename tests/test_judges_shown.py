"""What each judge says and draws of its runs, and what it calls them where they are none."""

import math
import re
import time

import numpy as np
import pytest
from scipy.stats import chi2

from laws import (
    Count,
    Distribution,
    Equivalent,
    Exponent,
    Fitted,
    LowerBound,
    Mean,
    Median,
    Noise,
    Order,
    Roundoff,
    Sign,
    Solver,
    Trend,
    UpperBound,
    measure,
)  # fmt: skip
from laws.judges import statistics
from laws.judges.confrontation import entropy, listeners
from laws.judges.seeding import seeds

EPS = np.finfo(float).eps
LEVELS = (1.0, 2.0, 4.0)


def weighed(judge, runs, law):
    """What a judge finds of a law in runs that it has collected."""
    return judge.weigh(runs, lambda **_: np.asarray(law, dtype=float))


def test_a_distribution_is_drawn_with_its_band():
    """From the least sample to the largest, each at its share of all; laws at the same places, dots at some."""
    judge = Distribution("u", detects=0.3, false_alarm=1e-2, miss=1e-2)
    runs = np.sort(np.random.default_rng(0).random(1001))
    panel = judge.panel(runs, {"law": lambda u: u, "square": lambda u: u**2})
    band, law, square, dots = panel.series
    share = {x: (k + 1) / 1001 for k, x in enumerate(runs)}
    half = statistics.band(1001, 1e-2)
    assert (panel.x, panel.y, band.role, dots.role) == ("u", "distribution function", "band", "run")
    assert band.x[0] == runs[0] and band.x[-1] == runs[-1] and len(band.x) == 200
    assert band.y == [share[x] for x in band.x] and dots.y == [share[x] for x in dots.x]
    np.testing.assert_allclose(np.subtract(band.high, band.y), half, rtol=8 * EPS)
    np.testing.assert_allclose(np.subtract(band.y, band.low), half, rtol=8 * EPS)
    assert band.label == "band that the true law leaves with probability 1e-02"
    assert (law.role, law.label, law.x, law.y) == ("law", "law", band.x, band.x)
    assert (square.role, square.label, square.y) == ("rival", "square", [x**2 for x in band.x])
    assert dots.label == "1001 samples, at some quantiles" and len(dots.x) == 20


def test_a_trend_is_drawn_run_by_run():
    """Each run along the levels, and their medians; what it says counts the votes, also those of the control."""
    judge = Trend(LEVELS)
    n, needed = judge._design()
    values = np.arange(n)[:, None] + np.array(LEVELS)
    panel = judge.panel((np.ones(n), np.zeros(n), values), {"law": lambda: 1})
    each, medians = panel.series
    assert (panel.x, panel.y, panel.log) == ("x", "y", "x") and each.x == medians.x == list(LEVELS)
    assert each.y == values.tolist() and each.label == f"each of {n} runs" and medians.label == "median"
    assert medians.y == np.median(values, axis=0).tolist()
    for votes, control, sign, says in (
        (1, 0, 1, f"{n} of {n} runs agree ({needed} must; 0 do with shuffled levels)"),
        (0, 0, 0, f"0 of {n} runs rise, 0 fall (neither may reach {needed})"),
    ):
        finding = weighed(judge, (np.full(n, votes), np.full(n, control), values), sign)
        assert finding.says == says and np.array_equal(finding.observed, np.median(values, axis=0))
    control = np.where(np.arange(n) < needed, 1, 0)  # which has failed
    failed = weighed(judge, (np.ones(n), control, values), 1)
    assert not failed.accepted and failed.says.startswith(f"0 of {n} runs agree")


def test_the_control_of_a_trend_keeps_its_runs_apart():
    """Levels are shuffled within each run, the same way for the same seed."""
    judge = Trend(LEVELS)
    votes, control, _ = judge.collect(lambda x, seed: float(seed % 1009), 7)
    assert not votes.any() and not control.any()
    noise = lambda x, seed: np.random.default_rng([seed, int(x)]).random()  # noqa: E731
    assert np.array_equal(judge.collect(noise, 7)[1], judge.collect(noise, 7)[1])
    for levels in ((1.0, 2.0), (1.0, 2.0, 2.0), (1.0, 2.0, 4.0, 4.0)):
        with pytest.raises(ValueError, match="must be at least three different numbers"):
            Trend(levels)


def test_an_exponent_is_drawn_through_the_middle():
    """Medians with their range, and lines of the powers that are claimed through the middle of both axes."""
    runs = np.log(np.outer([2.0, 3.0, 7.0], np.array(LEVELS) ** 1.5))
    panel = Exponent(LEVELS, 0.1).panel(runs, {"law": lambda: 1.5, "one": lambda: 1.0})
    points, law, one = panel.series
    assert (panel.x, panel.y, panel.log) == ("x", "y", "xy") and points.label == "median and range"
    assert points.x == law.x == one.x == list(LEVELS) and (points.role, law.role, one.role) == ("run", "law", "rival")
    for found, factor in ((points.y, 3), (points.low, 2), (points.high, 7), (law.y, 3)):
        np.testing.assert_allclose(found, factor * np.array(LEVELS) ** 1.5, rtol=8 * EPS)
    np.testing.assert_allclose(one.y, 3 * 2**1.5 * np.array(LEVELS) / 2, rtol=8 * EPS)
    assert (law.label, one.label) == ("law: power 1.5", "one")


def test_a_limit_is_drawn_step_by_step():
    """The distances of the runs from the law and from each rival, under their names."""
    judge = Order(1)
    panel = judge.panel(judge.collect(lambda h, seed: 1 + h, 0), {"law": lambda: 1.0, "off": lambda: 2.0})
    assert [s.label for s in panel.series] == ["runs: distance from the law", "law: order 1", "off"]
    assert (panel.x, panel.y) == ("step h", "largest |run − prediction|") and panel.series[0].x == judge._steps()


@pytest.mark.parametrize(
    ("judge", "call"),
    [
        (Order(1), "run(0.02, 7)"),
        (Solver(), "run(1e-10, 7)"),
        (Roundoff(3), "run(7)"),
        (Sign(), "run(7)"),
        (Count(), "run(7)"),
        (Mean(0.9, bounds=(-1, 1)), f"run({Mean(0.9, bounds=(-1, 1)).needed}, 7)"),
        (Noise(0.1, rows=3), "run(3, 7)"),
        (Trend(LEVELS), f"run(x, {seeds(7, 1)[0]})"),
        (Equivalent(0.1), f"run({seeds(7, 1)[0]})"),
    ],
)
def test_a_run_that_is_no_number_is_named(judge, call):
    """The call that gave what is not finite is told, so that it can be made again."""
    with pytest.raises(ValueError, match=rf"^{re.escape(call)} gave \d values that are not finite"):
        judge.collect(lambda *given: np.nan, 7)


def test_what_is_wrong_of_a_limit_is_told_where_it_is_worst():
    """In units of its own error; later runs tell the error, however many there are; an order of nothing is none."""
    judge = Order(1)
    runs = judge.collect(lambda h, seed: np.array([1 + h + h * h, 1 + h]), 0)
    limit, error = judge._richardson(runs)
    finding = weighed(judge, runs, limit + np.array([0.5, 3.0]) * error)
    assert (
        finding.figure == pytest.approx(3 * error[1], rel=0, abs=EPS) and finding.threshold == error[1] < error[0] / 2
    )
    longer = Order(1, halvings=5)
    limit, low, high = longer.interval(longer.collect(lambda h, seed: 1 + h + h * h, 0))
    assert (high - low) / 2 == pytest.approx(3 * abs(limit - 1), rel=0, abs=8 * EPS)
    _, error = Order(2)._richardson(np.ones(4))
    assert error == EPS * 5 / 3
    met = weighed(judge, np.array([1.08, 1.04, 1.02, 1.0]), 1.0)
    assert not met.accepted and met.says.startswith("order nan") and met.observed == 0.98


def test_solver_and_rounding_say_how_far():
    """Both distances, each with what it may be; runs that differ by more than a value resolve nothing."""
    found = weighed(Solver(), np.array([[1.5], [1.0]]), [1.25])
    assert found.says == "relative distance 0.25 (the solver's own error: 0.5)" and found.observed == 1
    for off, accepted in ((4, True), (5, False)):
        assert weighed(Solver(), np.ones((2, 1)), 1 + off * EPS).accepted == accepted
    with pytest.raises(ValueError, match="two runs differ by 2 of a value: they resolve nothing"):
        Solver().collect(lambda rtol, seed: 2.5 if rtol == 1e-10 else 1.0, 0)
    rounded = weighed(Roundoff(2), np.array([1.0]), 1 + 4 * EPS)
    assert rounded.says == "distance 4 of what rounding explains" and rounded.observed == 1


def test_means_keep_the_shape_of_a_sample():
    """Means of a table are a table; bounds have some width, which may be all that is to be detected."""
    judge = Mean(2.0, bounds=(-1, 1), points=6)
    middle, low, high = judge.interval(judge.collect(lambda n, seed: np.zeros((n, 2, 3)), 0))
    assert middle.shape == low.shape == high.shape == (2, 3)
    with pytest.raises(ValueError, match="must be two finite numbers in order"):
        Mean(1e-9, bounds=(1, 1))


def test_the_seed_reaches_the_runs():
    """A distribution, and a fit that holds values out, collect the same runs of one seed, and others of another."""
    draw = lambda n, seed: np.random.default_rng(seed).random(n)  # noqa: E731
    noisy = lambda seed: np.random.default_rng(seed).random(3)  # noqa: E731
    for judge, run in ((Distribution("u"), draw), (Fitted(Median(0.5, 40, points=3), dict(k=1.0), held=(2,)), noisy)):
        once, again, other = (np.asarray(judge.collect(run, seed)[0]) for seed in (7, 7, 8))
        assert np.array_equal(once, again) and not np.array_equal(once, other), judge


def test_a_distribution_says_which_value_is_there_too_often():
    """Wherever it stands among the others; a law is told how far it is from how many samples."""
    judge = Distribution("u", detects=0.3, false_alarm=1e-2, miss=1e-2)
    n = statistics.band_samples(0.3, 1e-2, 1e-2)
    many = lambda n, seed: np.where(np.arange(n) < n // 2, 0.9, np.linspace(0, 0.8, n))  # noqa: E731
    with pytest.raises(ValueError, match=f"{n // 2} of {n} samples equal 0.9"):
        judge.collect(many, 0)
    with pytest.raises(ValueError, match=r"samples of shape \(\d+, 1\)"):
        judge.collect(lambda n, seed: np.zeros((n, 1)), 0)
    found = weighed(judge, judge.collect(lambda n, seed: (np.arange(n) + 0.5) / n, 0), np.zeros(n))
    within = math.sqrt(math.log(200) / (2 * n))
    assert found.says == f"distribution of {n} samples off by 1 (must be within {within:.3g})"
    assert np.array_equal(found.observed, np.arange(1, n + 1) / n)


def test_signs_are_drawn_with_the_side_that_the_law_says():
    """A band for each stretch of one sign, named once, and where the law says none there is only the line."""
    judge, runs = Sign("run"), np.array([-0.5, -2.0, 3.0])
    panel = judge.panel(runs, {"law": lambda: np.array([-1.0, -1.0, 1.0])})
    below, above, zero, dots = panel.series
    far = 1.05 * 3.0
    assert (panel.x, panel.y, panel.counts) == ("run", "y", True)
    assert (below.x, below.y, below.low, below.high) == ([0.5, 2.5], [far / 4] * 2, [-far] * 2, [0.0] * 2)
    assert (above.x, above.y, above.low, above.high) == ([2.5, 3.5], [-far / 4] * 2, [0.0] * 2, [far] * 2)
    assert (below.label, above.label, zero.label) == ("law: this side", "", "no effect")
    assert (zero.x, zero.y, dots.x, dots.y) == ([0.5, 3.5], [0.0, 0.0], [1, 2, 3], runs.tolist())
    assert dots.label == "one run"
    none, line, _ = judge.panel(runs, {"law": lambda: 0.0}).series
    assert none.label == "" and line.label == "law: no effect"
    each = judge.panel(np.ones((2, 2)), {"law": lambda: np.array([[-1.0, 1.0], [1.0, 1.0]])})
    assert each.series[-1].x == [1, 2, 3, 4] and each.series[0].x == [0.5, 1.5]
    assert weighed(judge, runs, -1.0).observed is runs and weighed(Count(), runs, 1.0).observed is runs
    assert "number 1 (-0.5), number 2 (-2)" in weighed(judge, runs, 1.0).says
    assert "fails in 1 of 1 counts: number 1 (2)" in weighed(Count(), np.array(2.0), 1.0).says


class Read:
    """A judge whose intervals are given."""

    shows, false_alarm = "values", 0.0

    def interval(self, runs):
        """The middle and both ends of what was given."""
        middle, error = map(np.asarray, runs)
        return middle, middle - error, middle + error


@pytest.mark.parametrize(
    ("middle", "figure", "says"),
    [
        ([1.9, 4.24], 1.5, "violated at number 2 of 2 by 6.00% (error 4.00%)"),
        (
            [2.064, 3.76],
            0.8,
            "kept, with 0.00% to spare at the nearest and 6.00% at the most; one tighter by 10% falls",
        ),
        ([1.92, 3.0], 1 / 1.5, "kept, with 4.00% to spare at the nearest and 25.00% at the most"),
        ([1.96, 4.0], 2.0, "one tighter by 10% falls; met everywhere: state an equation"),
        ([1.0, 2.0], math.inf, "one tighter by 10% would stand too: out of sight of the runs, unless within > 0.1"),
    ],
)
def test_a_bound_is_as_far_from_falling_as_the_worst_of_three(middle, figure, says):
    """In units of the error: what is above it, what a tighter bound is above, and what is below it somewhere."""
    runs = (middle, [0.08, 0.16])
    finding = weighed(UpperBound(Read()), runs, [2.0, 4.0])
    assert finding.figure == pytest.approx(figure, rel=8 * EPS, abs=0) and says in finding.says
    assert np.array_equal(finding.observed, middle)
    assert weighed(LowerBound(Read()), (np.negative(middle), [0.08, 0.16]), [-2.0, -4.0]).figure == finding.figure


def test_a_bound_of_one_number_is_not_counted():
    """It has no place among others; an error that hides a tighter bound is told by its least part."""
    assert weighed(UpperBound(Read()), ([4.3], [0.2]), [4.0]).says == "violated by 7.50% (error 5.00%)"
    with pytest.raises(ValueError, match="UpperBound: an error of 15.00% hides a bound tighter by 0.1"):
        weighed(UpperBound(Read()), ([1.9, 3.9], [0.3, 0.8]), [2.0, 4.0])
    with pytest.raises(TypeError, match="UpperBound: judge = .* tells no interval"):
        UpperBound(object())


def test_an_exponent_asks_for_runs_and_for_positive_values():
    """By the square of what is too wide; what is 0 or less has no logarithm."""
    slopes = np.linspace(1.4, 1.6, 30)
    runs = np.log(3 * np.array(LEVELS) ** slopes[:, None])
    low, high = statistics.median_interval(slopes, 0.45 * 1e-5)
    with pytest.raises(ValueError, match="; about 120 would do"):
        weighed(Exponent(LEVELS, (high - low) / 4 * (1 + 1e-9)), runs, 1.5)
    found = weighed(Exponent(LEVELS, 0.2), runs, 1.5)
    assert found.says == f"exponent 1.5, measured {low:.4g} to {high:.4g}"
    for value in (0.0, -1.0, np.inf):
        with pytest.raises(ValueError, match="needs finite positive values"):
            Exponent(LEVELS, 0.1).collect(lambda x, seed, value=value: value, 0)


def test_noise_is_that_of_its_chi_squared():
    """Half of the false alarm is for the means, a quarter for either end of the scatter of the rows."""
    judge, sd = Noise(0.1, rows=5, false_alarm=1e-3), 0.1
    z = np.random.default_rng(0).normal(size=(5, 2))
    z -= z.mean(axis=0)
    z /= np.sqrt(np.sum(z**2))
    threshold = weighed(judge, (np.zeros(2), np.ones(2)), 0.0).threshold
    assert threshold == pytest.approx(chi2.isf(1e-3 / 2, 2), rel=8 * EPS, abs=0)
    for end, inside in ((chi2.isf(1e-3 / 4, 8), 1), (chi2.ppf(1e-3 / 4, 8), -1)):
        for nudge, refused in ((inside * 1e-9, True), (-inside * 1e-9, False)):
            rows = sd * np.sqrt(end * (1 + nudge)) * z
            if refused:
                with pytest.raises(ValueError, match="times the stated sd; chance leaves"):
                    judge.collect(lambda n, seed, rows=rows: rows, 0)
            else:
                assert np.shape(judge.collect(lambda n, seed, rows=rows: rows, 0)[0]) == (2,)


def test_a_measurement_is_drawn_and_heard():
    """Five seeds unless told, drawn from 0; the same draws where a suite has fresh seeds of its own; three will do."""
    heard, begun = [], time.perf_counter()
    token = listeners.set((heard.append,))
    try:
        found = measure("how large?", lambda x, seed: x * (1 + seed % 7), (1.0, 5.0))
    finally:
        listeners.reset(token)
    assert heard == [found] and 0 < found.seconds < time.perf_counter() - begun
    assert (found.what, found.seed) == ("how large?", 0)
    sizes = [1 + s % 7 for s in seeds(0, 5)]
    (points,) = found.panels[0].series
    assert (points.role, points.label) == ("run", "median and range, 5 seeds")
    assert points.low == [min(sizes), 5 * min(sizes)] and points.high == [max(sizes), 5 * max(sizes)]
    assert points.y == [np.median(sizes), 5 * np.median(sizes)] and found.panels[0].log == ""
    assert measure("how large?", lambda x, seed: x, (1.0, 2.0, 4.0), runs=3).panels[0].log == "x"
    kinds = dict(x="kind", y="size", names=("one", "two"))
    row = measure("of which?", lambda x, seed: 1.0 + x, (0, 1), labels=kinds, log="y").panels[0]
    assert row.log == "x" and row.series[0].label == points.label and row.ticks == ((0, "one"), (1, "two"))
    token = entropy.set(5)
    try:
        drawn = [measure(what, lambda x, seed: x, (1.0,)).seed for what in ("one?", "two?", "one?")]
    finally:
        entropy.reset(token)
    assert drawn[0] == drawn[2] != drawn[1]
    with pytest.raises(ValueError, match=rf"^run\(x, {seeds(0, 1)[0]}\) gave 1 values"):
        measure("how large?", lambda x, seed: np.nan, (1.0,))


def test_a_median_is_told_where_it_is_worst():
    """In units of each interval, not by its distance; four times the runs halve an interval; rounding is allowed."""
    runs = np.stack([np.linspace(0.2, 0.5, 30), np.linspace(1, 5, 30)], axis=1)
    ends = [statistics.median_interval(column, 1e-5 / 2 / 2) for column in runs.T]
    middle, half = (np.array([(b + s * a) / 2 for a, b in ends]) for s in (1, -1))
    finding = weighed(Median(10.0, points=2), runs, middle + np.array([0.9, 0.5]) * half)
    assert finding.figure == pytest.approx(0.9 * half[0], rel=8 * EPS, abs=0) and finding.figure < 0.5 * half[1]
    assert finding.says == f"median of 30 runs off by {0.9 * half[0]:.3g} (must be within {half[0]:.3g})"
    np.testing.assert_allclose(finding.observed, middle, rtol=8 * EPS)
    with pytest.raises(ValueError, match="; about 480 do"):
        weighed(Median(half[1] / 2 * (1 + 1e-9), points=2), runs, middle)
    far = np.stack([np.full(30, 1.0), np.full(30, 1e6)], axis=1)  # each is as sharp as its own size
    _, low, high = Median(1.0, points=2).interval(far)
    assert np.all(high - low <= 10 * EPS * far[0]) and np.all(low < far[0]) and np.all(far[0] < high)
    with pytest.raises(ValueError, match=rf"^run\({seeds(7, 1)[0]}\) gave 1 values"):
        Median(1.0).collect(lambda seed: np.nan, 7)
