"""Judges accept the truth, reject planted errors, and keep the error rates that they state."""

import random

import numpy as np
import pytest
from scipy.stats import binom, norm, t

from laws import Distribution, Equivalent, Exponent, Mean, Order, Roundoff, Solver, Trend, measure
from laws.judges import Measurement, in_turn, statistics
from laws.judges.verdict import Panel, Series

truth = np.array([0.3, 1.7, 2.6])


def limit(p, to=truth, wobble=0.3):
    """A run that tends to `to` as h^p, with a next-order term."""
    return lambda h, seed: to * (1 + 0.7 * h**p + wobble * h ** (p + 1))


def accepts(judge, run, law, seed=0, **at):
    """Whether a judge accepts a law, a number or a function of the keywords `at`, on one set of runs."""
    predict = (lambda **extra: np.asarray(law(**{**at, **extra}))) if callable(law) else lambda **extra: np.asarray(law)
    return judge.weigh(judge.collect(run, seed), predict).accepted


@pytest.mark.parametrize("p", [0.5, 1, 2, 4])
def test_order_accepts_the_limit(p):
    """A run that tends to the law at the stated order passes."""
    assert accepts(Order(p, start=0.1), limit(p), truth)


@pytest.mark.parametrize(
    ("law", "why"),
    [
        (truth * 1.1, "scaled"),
        (truth + 0.01, "shifted"),
        (truth * (1 + 2e-5), "a limit wrong by 2e-5, which passes an order test alone"),
        (truth[::-1], "in another order"),
        (truth * np.array([1, 1, 1 + 1e-4]), "wrong at one point"),
        (np.full(3, np.nan), "not a number"),
    ],
)
def test_order_rejects_a_wrong_limit(law, why):
    """A law that is not the limit fails."""
    assert not accepts(Order(1), limit(1), law)


def test_order_with_a_close_next_term():
    """Where the next term is not an order away, the judge must be told, and then holds."""
    run = lambda h, seed: truth * (1 + 0.7 * h**0.75 - 0.4 * h)  # noqa: E731
    assert accepts(Order(0.75, start=1e-3, halvings=5, then=1), run, truth)
    assert not accepts(Order(0.75, start=1e-3, halvings=5, then=1), run, truth * 1.001)


def test_order_alone_would_not_have_sufficed():
    """The limit wrong by 2e-5 has an observed order within 1/4; only the Richardson limit tells."""
    judge = Order(1)
    runs = judge.collect(limit(1), 0)
    errors = np.max(np.abs(runs - truth * (1 + 2e-5)), axis=1)
    assert abs(np.log2(errors[-2] / errors[-1]) - 1) < 0.25


@pytest.mark.parametrize("q", [0.5, 2, 3])
def test_order_rejects_another_order(q):
    """A run that tends to the law at another order fails, whichever side it errs to."""
    assert not accepts(Order(1), limit(q), truth)


def test_order_wants_a_run_that_depends_on_its_step():
    """A run that equals the law at every step has no order, and fails."""
    assert not accepts(Order(1), lambda h, seed: truth, truth)


def test_solver():
    """A solver that errs by its tolerance passes; a law off by ten times that fails."""
    run = lambda rtol, seed: truth * (1 + rtol * np.array([1, -0.5, 0.2]))  # noqa: E731
    assert accepts(Solver(1e-8), run, truth)
    assert not accepts(Solver(1e-8), run, truth * (1 + 1e-7))
    assert not accepts(Solver(1e-8), run, truth * np.array([1 + 1e-7, 1, 1]))


def test_solver_refuses_values_of_zero():
    """Runs that differ by more than a value of theirs bound nothing there, and are refused."""
    run = lambda rtol, seed: np.array([1.7, rtol * (1 if rtol > 1e-9 else -3)])  # noqa: E731
    with pytest.raises(ValueError, match="is it 0"):
        accepts(Solver(1e-8), run, np.array([1.7, 0.0]))


def test_roundoff():
    """An identity may err by its operations and condition number, and by no more."""
    run = lambda seed: truth * (1 + 3 * np.finfo(float).eps)  # noqa: E731
    assert accepts(Roundoff(10), run, truth)
    assert not accepts(Roundoff(2), run, truth)
    assert accepts(Roundoff(2, condition=5), run, truth)
    assert not accepts(Roundoff(1000), run, truth * (1 + 1e-12))


def uniform(mean):
    """Samples on [mean - 1, mean + 1]."""
    return lambda n, seed: mean + np.random.default_rng(seed).uniform(-1, 1, n)


def student(mean, freedom=2.5):
    """Samples with heavy tails: variance freedom/(freedom - 2), no third moment."""
    return lambda n, seed: mean + np.random.default_rng(seed).standard_t(freedom, n)


def heavy_slopes(p):
    """A scaling law whose slopes are Cauchy, without mean or variance."""
    return lambda x, seed: x ** (p + 0.01 * np.random.default_rng(seed).standard_cauchy())


def noisy_trend(sign, agree):
    """Runs that rise or fall with probability `agree`, with Cauchy noise on top."""

    def run(x, seed):
        draw = random.Random(seed)
        slope = sign if draw.random() < agree else -sign
        return 1e6 * slope * x + draw.gauss(0, 1) / draw.gauss(0, 1)

    return run


def cauchy(median):
    """One value a seed, without mean or variance."""
    return lambda seed: median + 0.02 * np.random.default_rng(seed).standard_cauchy()


def normal_cdf(x, mean=0.0):
    """The distribution function of a normal variable."""
    return norm.cdf(x - mean)


def student_cdf(x):
    """The distribution function of Student's t with one and a half degrees of freedom."""
    return t.cdf(x, 1.5)


normal = lambda n, seed: np.random.default_rng(seed).normal(size=n)  # noqa: E731
wild = lambda n, seed: np.random.default_rng(seed).standard_t(1.5, n)  # noqa: E731


powers = (1.0, 2.0, 4.0)


def rates(alpha):
    """(name, judge, run, a law that is true) at a stated false alarm."""
    both = dict(false_alarm=alpha, miss=alpha)
    return [
        ("Mean, bounded", Mean(0.4, bounds=(-1, 1), **both), uniform(0.0), 0.0),
        ("Mean, heavy tails", Mean(2.0, variance=5.0, **both), student(0.0), 0.0),
        ("Distribution", Distribution("x", detects=0.3, **both), normal, normal_cdf),
        ("Distribution, heavy tails", Distribution("x", detects=0.3, **both), wild, student_cdf),
        ("Exponent, heavy tails", Exponent(powers, detects=10.0, runs=20, false_alarm=alpha), heavy_slopes(1.5), 1.5),
        ("Trend", Trend((1.0, 2.0, 3.0), excess=0.4, **both), noisy_trend(-1, 0.9), -1.0),
    ]


def misses(alpha):
    """(name, judge, run, a law that is wrong by just what the judge says it detects)."""
    both = dict(false_alarm=alpha, miss=alpha)
    return [
        ("Mean, bounded", Mean(0.4, bounds=(-1, 1), **both), uniform(0.0), 0.4),
        ("Mean, heavy tails", Mean(2.0, variance=5.0, **both), student(0.0), -2.0),
        (
            "Distribution",
            Distribution("x", detects=0.3, **both),
            normal,
            lambda x: normal_cdf(x, mean=2 * norm.ppf(0.65)),
        ),
        ("Trend", Trend((1.0, 2.0, 3.0), excess=0.4, **both), noisy_trend(1, 0.1), 1.0),
        ("Trend, none", Trend((1.0, 2.0, 3.0), excess=0.4, **both), noisy_trend(1, 0.5), 1.0),
        ("Equivalent, heavy tails", Equivalent(0.05, runs=20, miss=alpha), cauchy(0.05), 0.0),
    ]


def too_often(count, draws, rate):
    """Whether `count` events in `draws` refute, at one in a million, that each has at most this rate."""
    return binom.sf(count - 1, draws, rate) < 1e-6


DRAWS = {1e-2: 1500, 1e-3: 3000}


@pytest.mark.parametrize("alpha", DRAWS)
@pytest.mark.parametrize("which", range(6))
def test_false_alarms_are_as_rare_as_stated(alpha, which):
    """Thousands of times a true law is put before the judge; it is refused no more often than stated."""
    name, judge, run, law = rates(alpha)[which]
    alarms = sum(not accepts(judge, run, law, seed) for seed in range(DRAWS[alpha]))
    assert not too_often(alarms, DRAWS[alpha], alpha), (name, alarms)


@pytest.mark.parametrize("alpha", DRAWS)
@pytest.mark.parametrize("which", range(6))
def test_misses_are_as_rare_as_stated(alpha, which):
    """Thousands of times a law wrong by the stated effect is judged; it passes no more often than stated."""
    name, judge, run, law = misses(alpha)[which]
    passes = sum(accepts(judge, run, law, seed) for seed in range(DRAWS[alpha]))
    assert not too_often(passes, DRAWS[alpha], alpha), (name, passes)


def test_a_power_law_is_seldom_taken_for_a_bend():
    """With errors of their own at every level, power laws are refused as off or as bent no more often than stated."""
    draws, alpha = 1500, 1e-2
    judge = Exponent(powers, detects=10.0, runs=20, false_alarm=alpha)
    refused = 0
    for seed in range(draws):
        runs = np.log(powers) * 1.5 + 0.01 * np.random.default_rng(seed).standard_cauchy((20, 3))
        try:
            refused += not judge.weigh(runs, lambda: np.asarray(1.5)).accepted
        except ValueError as error:
            assert "bends" in str(error)
            refused += 1
    assert refused and not too_often(refused, draws, alpha), refused


def test_a_rate_that_is_not_kept_would_be_noticed():
    """The test above can fail: it catches four times the stated rate, and a plain mean under heavy tails."""
    assert too_often(60, 1500, 1e-2) and not too_often(15, 1500, 1e-2)
    means = np.array([np.random.default_rng(s).standard_t(2.1, 40).mean() for s in range(3000)])
    three_sigma = 3.29 * np.sqrt(1.0 / 40)  # what somebody would use who took the middle of the sample for normal
    assert too_often(int(np.sum(np.abs(means) > three_sigma)), 3000, 1e-3)


def test_equivalence_and_trend_are_found_when_they_are_there():
    """True trends and true equivalences pass."""
    assert accepts(Trend((1.0, 2.0, 3.0)), noisy_trend(-1, 1.0), -1.0)
    assert accepts(Trend((1.0, 2.0, 3.0)), noisy_trend(1, 0.5), 0.0)
    assert not accepts(Trend((1.0, 2.0, 3.0)), noisy_trend(1, 1.0), 0.0)
    assert accepts(Equivalent(0.5), cauchy(0.0), 0.0)
    assert not accepts(Equivalent(0.5), cauchy(0.6), 0.0)


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (lambda: Mean(0.1), "bound on their variance"),
        (lambda: Mean(0.1, bounds=(0, 1), samples=30), "would do"),
        (lambda: Mean(-0.1, bounds=(0, 1)), "detects = -0.1 must be positive"),
        (lambda: accepts(Mean(0.5, bounds=(-1, 1)), lambda n, s: np.zeros(10), 0.0), "10 samples cannot .* would do"),
        (lambda: accepts(Mean(0.5, bounds=(-0.5, 0.5)), uniform(0.0), 0.0), "leave the stated bounds"),
        (lambda: accepts(Mean(0.5, bounds=(-1, 1)), lambda n, seed: np.zeros((n, 2)), 0.0), "points = 1"),
        (lambda: accepts(Distribution("x"), lambda n, seed: np.zeros(5), normal_cdf), "5 samples cannot resolve"),
        (lambda: accepts(Distribution("x"), lambda n, s: normal((n, 2), s), normal_cdf), r"shape \(\d+, 2\).* run"),
        (lambda: accepts(Distribution("x"), lambda n, s: np.sign(normal(n, s)), normal_cdf), "equal .* continuous"),
        (lambda: accepts(Exponent((1.0, 2.0, 4.0), 0.1, runs=10), heavy_slopes(1.5), 1.5), "10 runs are too few .*do"),
        (lambda: accepts(Exponent((1.0, 2.0, 4.0), 1e-6), heavy_slopes(1.5), 1.5), "would do"),
        (lambda: accepts(Exponent((1.0, 2.0), 0.1), heavy_slopes(1.5), 1.5), "at least three positive"),
        (lambda: accepts(Equivalent(0.1, runs=5), cauchy(0.0), 0.0), "5 runs are too few .* 20 would do"),
        (lambda: accepts(Trend((1.0, 2.0, 3.0)), noisy_trend(1, 1.0), 0.5), "a trend is"),
        (lambda: Trend((1.0, 2.0, 2.0)), "at least three different"),
        (lambda: Trend((1.0, 2.0, 3.0), excess=0.6), "excess = 0.6"),
        (lambda: Roundoff(-1), "operations = -1"),
        (lambda: Roundoff(10**17), "operations"),
        (lambda: Roundoff(10, condition=-3), "condition = -3"),
        (lambda: Solver(0.5), "rtol = 0.5"),
        (lambda: Mean(np.inf, bounds=(0, 1)), "detects = inf"),
        (lambda: Mean(2.0, bounds=(0, 1)), "would accept anything"),
        (lambda: Mean(0.1, variance=0.0), "variance = 0.0"),
        (lambda: Mean(0.1, bounds=(1, 0)), "two finite numbers in order"),
        (lambda: Equivalent(np.inf), "margin = inf"),
        (lambda: Distribution("x", detects=2.0), "detects = 2.0"),
        (lambda: accepts(Exponent(powers, 0.1), lambda x, s: np.exp(x), 1.0), "the slope bends"),
        (lambda: accepts(Trend((1.0, 2.0, 3.0)), lambda x, s: 0.5 * x, 1.0), "gave the same: .* ignores its seed"),
        (lambda: accepts(Equivalent(0.5), lambda s: 0.1, 0.0), "gave the same: .* ignores its seed"),
        (lambda: Order(np.inf), "p = inf"),
        (lambda: Order(1, then=0.5), "next term of higher order"),
        (lambda: Order(1, halvings=1), "at least 3 halvings"),
        (lambda: accepts(Order(1), lambda h, seed: np.inf, 0.0), "not finite"),
        (lambda: accepts(Order(1), limit(1), np.zeros(2)), "the law has shape"),
    ],
)  # fmt: skip
def test_judges_refuse(refused, says):
    """What cannot be judged is refused, with what would do."""
    with pytest.raises(ValueError, match=says):
        refused()


def test_rounded_samples_are_still_of_a_distribution():
    """Rounding makes samples equal, but few of them: times in whole steps stay within the band."""
    assert accepts(Distribution("x", detects=0.1), lambda n, seed: np.round(normal(n, seed), 2), normal_cdf)


def test_a_deterministic_power_law_is_accepted():
    """Without any spread the exponent is resolved to the rounding of the fit."""
    assert accepts(Exponent(powers, 0.1), lambda x, seed: 3 * x**1.5, 1.5)
    assert not accepts(Exponent(powers, 0.1), lambda x, seed: 3 * x**1.5, 1.5 + 1e-9)


@pytest.mark.parametrize(
    ("margin", "said"), [(0.5, "as the law says: 30 of 30 runs"), (0.1, "medians of 30 runs: 1 [1, 1]")]
)
def test_signs_are_called_so_where_they_are_held_to_half(margin, said):
    """Whole numbers from -1 to 1 are signs, and counted, if the margin is one half; shares of 0 and of 1 are none."""
    judge = Equivalent(margin)
    assert said in judge.weigh(judge.collect(lambda seed: 1.0, 0), lambda: np.asarray(1.0)).says


def test_an_unresolved_equivalence_says_how_many_runs_would_do():
    """An interval wider than the margin is no pass, and names the number of runs."""
    judge = Equivalent(0.001)
    finding = judge.weigh(judge.collect(cauchy(0.0), 0), lambda: np.asarray(0.0))
    assert not finding.accepted and "runs would do" in finding.says


def test_designs_are_minimal():
    """One sample or one vote less than the design asks for would break a stated rate."""
    n = statistics.catoni_samples(0.2, 0.25, 1e-3)
    assert statistics.catoni_radius(n, 0.25, 1e-3) <= 0.2 < statistics.catoni_radius(n - 1, 0.25, 1e-3)
    runs, needed = statistics.votes(0.4, 1e-3, 1e-3)
    assert binom.sf(needed - 1, runs, 0.5) <= 1e-3 < binom.sf(needed - 2, runs, 0.5)
    low, high = statistics.median_interval(np.arange(40.0), 1e-3)
    k = int(low) + 1
    assert binom.cdf(k - 1, 40, 0.5) <= 1e-3 < binom.cdf(k, 40, 0.5) and high == 39 - low


def test_measure_tells_median_and_range():
    """A measurement reports every level's median and range over its seeds, judges nothing, and survives JSON."""
    noise = lambda x, seed: x + np.random.default_rng(seed).random()  # noqa: E731
    found = measure("how large", noise, (1.0, 5.0), runs=7, labels=dict(x="level", y="size"))
    (points,) = found.panels[0].series
    for x, low, middle, high in zip(points.x, points.low, points.y, points.high, strict=True):
        assert x < low < middle < high < x + 1
    assert "misses the median with probability 0.016" in found.says and Measurement.from_json(found.to_json()) == found
    assert measure("how large", noise, (1.0, 5.0), runs=7).panels[0].series[0].y == points.y
    assert found.says.startswith(
        f"size by level, median [range] of 7 seeds: 1: {points.y[0]:.3g} [{points.low[0]:.3g}, "
    )
    logs = (((1.0, 5.0), ""), ((1.0, 4.0, 16.0), ""), ((1.0, 2.0, 3.0), "x"), ((1.0, 4.0, 16.0), "y"))
    drawn = [measure("how large", noise, levels, runs=7, log=log).panels[0].log for levels, log in logs]
    assert drawn == ["", "x", "x", "xy"] and found.seconds >= 0
    again = measure("how large", noise, (1.0, 5.0), runs=7, redrawn="7 networks")
    assert "anew from 7 networks and are not independent" in again.says and "probability" not in again.says


def test_measure_names_kinds():
    """Levels that are kinds are told by their names, and each has a row with its median and range."""
    names, where = ["descent", "Adam"], {"names": ["descent", "Adam"], "x": "rule", "y": "dead units"}
    found = measure("which kills", lambda k, seed: k + 1 + seed % 7, (0, 1), runs=7, labels=where, log="y")
    (panel,), (points,) = found.panels, found.panels[0].series
    assert all(f"{name}: {middle:.3g} [" in found.says for name, middle in zip(names, points.x, strict=True))
    assert "]; Adam: " in found.says and "] – a range misses" in found.says
    assert panel.rows and (panel.x, panel.y, panel.log) == ("dead units", "rule", "x")
    assert points.low[0] < points.x[0] < points.high[0] and points.y == [0, 1]
    again = type(found).from_json(found.to_json()).plot().axes[0]
    assert [label.get_text() for label in again.get_yticklabels()] == names and again.get_xscale() == "log"
    with pytest.raises(ValueError, match=r"names = \['descent', 'Adam'\] must be 3, one for each level"):
        measure("which kills", lambda k, seed: 1.0, (0, 1, 2), labels=where)


def test_measure_shows_pictures_with_gaps():
    """A picture with blank places survives JSON, and is drawn from it."""
    gaps = Panel("fields", "", (Series("image", [], [], "scale 1", [[0.5, float("nan")], [-1.0, 0.0]]),))
    found = measure("how large", lambda x, seed: x, (1.0, 5.0), runs=7, picture=gaps)
    sent = Measurement.from_json(found.to_json())
    assert len(sent.plot().axes) == len(found.plot().axes) > 1


@pytest.mark.parametrize(
    ("change", "says"), [(dict(what=" "), "what"), (dict(runs=2), "runs"), (dict(levels=()), "levels")]
)
def test_measure_refuses_bad_input(change, says):
    """A question without words, too few runs and no levels are refused by name."""
    arguments = dict(what="how large", run=lambda x, seed: x, levels=(1.0,)) | change
    with pytest.raises(ValueError, match=says):
        measure(**arguments)


def test_measure_refuses_what_is_no_number():
    """A run that is not finite is refused, not averaged away."""
    with pytest.raises((ValueError, ArithmeticError), match="not finite"):
        measure("how large", lambda x, seed: float("nan"), (1.0,))


def test_runs_made_side_by_side_are_handed_out_in_turn():
    """One call makes all runs, from the first seed; each further seed gets the next, and the same seed the same."""
    made = []
    run = in_turn(lambda seed: made.append(seed) or [seed, 10 * seed, 100 * seed])
    assert [run(seed) for seed in (7, 3, 7, 5, 3)] == [7, 70, 7, 700, 70] and made == [7]
    with pytest.raises(ValueError, match="seed = 6 is number 4, but only 3 runs"):
        run(6)
