"""Fitted laws are judged on what was held out of the fit, rivals with a fit of their own, at the rates stated."""

import numpy as np
import pytest
import sympy as sp
from scipy.stats import binom

from laws import Distribution, Fitted, Law, Mean, Median, Refuted, Solver, Source, confront
from laws.judges import fitting as fits

times = np.array([0.5, 1.0, 2.0, 4.0])
START = dict(k=1.0, A=1.0)


def saturates(t, k, A):
    """The truth, for k = 0.7 and A = 1.9."""
    return A * (1 - np.exp(-k * t))


def wild(seed):
    """One run of it, with noise that has no variance."""
    return saturates(times, 0.7, 1.9) + 0.01 * np.random.default_rng(seed).standard_cauchy(4)


def spread(draws, seed=0, runs=40):
    """Many sets of such runs, two in each set: those to fit, and those to judge by."""
    noise = 0.01 * np.random.default_rng(seed).standard_cauchy((draws, 2, runs, 4))
    return saturates(times, 0.7, 1.9) + noise


def noise(seed):
    """One run of numbers that say nothing."""
    return np.random.default_rng(seed).uniform(-1, 1, 4)


def solved(rtol, seed):
    """A solver's answer, within its tolerance."""
    return saturates(times, 0.7, 1.9) * (1 + rtol * np.array([1, -0.5, 0.2, 0.7]))


def fitted(alpha=1e-5, detects=0.15, runs=40, free=START):
    """Medians of some runs to fit, of as many others to judge by."""
    return Fitted(Median(detects, runs, false_alarm=alpha, points=4), free)


def accepts(judge, run, law, seed=0):
    """Whether a judge accepts a law, a function of t and the parameters."""
    return stands(judge, judge.collect(run, seed), law)


def stands(judge, runs, law):
    """Whether it stands before these runs."""
    return judge.weigh(runs, lambda **values: np.asarray(law(times, **values))).accepted


def test_a_fitted_law_predicts_other_runs():
    """The law holds with what was fitted, told with intervals that contain the truth; rivals fall fitted as well."""
    rivals = {
        "a line": lambda t, k, A: A * t,
        "a power": lambda t, k, A: A * t**k,
        "a constant": lambda t, k, A: A + 0 * t,
    }
    verdict = confront("it saturates", saturates, wild, dict(t=times), fitted(detects=0.1, runs=60), rivals)
    assert verdict.holds and verdict.false_alarm == 2e-5 and min(verdict.rivals.values()) > 1
    assert (
        "k = 0.6993 ± 0.044, A = 1.9 ± 0.04; what was held out is off by" in verdict.says
        and "the fit's" in verdict.says
    )
    (panel,) = verdict.panels
    law, runs = panel.series[0], panel.series[-1]
    assert runs.label == "runs, held out"
    line = np.interp(times, law.x, law.y)
    assert np.all((runs.low < line) & (line < runs.high))
    verdict.plot().canvas.draw()


def test_the_fit_is_not_judged_by_what_it_saw():
    """Runs to fit and runs to judge by come from two seeds: a law that is fitted perfectly falls where they differ."""
    runs = iter([np.zeros((40, 4)), np.ones((40, 4))])
    judge = fitted()
    spread = 1e-3
    values = [v + spread * np.random.default_rng(0).normal(size=v.shape) for v in runs]
    law = lambda **at: at["A"] * (1 + 0 * times)  # noqa: E731
    finding = judge.weigh(tuple(values), law)
    assert not finding.accepted and abs(finding.figure - 1) < 6 * spread


def test_numbers_are_held_out_of_a_run_without_chance():
    """Early times are fitted and the last is foretold, to the solver's error; a rival that fits as well is not."""
    judge = Fitted(Solver(1e-8), START, held=(3,))
    rivals = {
        "a power": lambda t, k, A: A * t**k,
        "rising on": lambda t, k, A: saturates(t, k, A) * (1 + 1e-4 * (t > 3)),
    }
    verdict = confront("it saturates", saturates, solved, dict(t=times), judge, rivals)
    assert verdict.holds and verdict.false_alarm == 0 and verdict.rivals["rising on"] > 100
    assert verdict.panels[0].series[-1].label == "runs"


def test_intervals_contain_the_parameters():
    """Of many fits hardly any interval misses the true parameters: no more than the medians' own."""
    judge, missed = fitted(alpha=1e-2), 0
    for runs in spread(200):
        fit = judge.fit(runs, lambda **values: saturates(times, **values))
        missed += any(abs(fit.values[name] - true) > fit.errors[name] for name, true in dict(k=0.7, A=1.9).items())
    assert binom.sf(missed - 1, 200, 1e-2) > 1e-6, missed


def test_true_laws_are_refused_as_rarely_as_stated():
    """With heavy tails, fits and all, false alarms are no more frequent than 2 in a hundred."""
    judge = fitted(alpha=1e-2)
    alarms = sum(not stands(judge, runs, saturates) for runs in spread(300, seed=1))
    assert judge.false_alarm == 2e-2 and binom.sf(alarms - 1, 300, 2e-2) > 1e-6, alarms


def test_wrong_laws_stand_as_rarely_as_stated():
    """A law that for no parameters comes within twice `detects` is missed as rarely as an interval misses."""
    bent = np.array([0, 0, 0.32, 0])  # no constant is nearer to it than 0.16
    judge = Fitted(Median(0.08, 40, false_alarm=1e-2, points=4), dict(A=1.0))
    law = lambda t, A: A + saturates(t, 0.7, 1.9)  # noqa: E731
    passes = sum(stands(judge, runs + bent, law) for runs in spread(300, seed=2))
    assert binom.sf(passes - 1, 300, 2e-2) > 1e-6, passes
    assert all(stands(judge, runs, law) for runs in spread(5, seed=3))


def test_a_mutant_that_the_fit_makes_good_is_left_out():
    """A factor that is fitted has no wrong value: its mutants are the law itself, and those of the shape are not."""
    t, k, A = sp.symbols("t k A", real=True)
    law = Law(
        A,
        A * (1 - sp.exp(-2 * k * t)),
        solves=lambda a: (a,),
        given=(k > 0,),
        source=Source("here", "(1)"),
        examples=(),
    )
    judge = Fitted(Solver(1e-8), dict(k=0.4, A=1.0), held=(3,))
    verdict = confront("doubly fast", law, solved, dict(t=times), judge, {"a power": lambda t, k, A: A * t**k})
    good = {name[:6] for name in law.mutants()} - {name[:6] for name in verdict.mutants}
    assert verdict.holds and good == {"A -> 1", "-2 -> "} and verdict.mutants and not verdict.unseen
    backwards = Fitted(Solver(1e-8), dict(k=-0.4, A=1.0), held=(3,))
    with pytest.raises(ValueError, match="violates k > 0"):
        confront("refused before any work", law, pytest.fail, dict(t=times), backwards, {"none": 0.0})


def test_bounded_samples_are_fitted_through_their_means():
    """Expectations are fitted and judged within the radius of the mean."""
    levels = np.array([0.1, 0.2, 0.4])
    samples = lambda n, seed: (np.random.default_rng(seed).random((n, 3)) < 0.2 + 1.3 * levels).astype(float)  # noqa: E731
    judge = Fitted(Mean(0.1, bounds=(0, 1), points=3), dict(a=0.1, b=1.0))
    rivals = {"a proportion": lambda x, a, b: b * x}
    verdict = confront("the chance rises in line", lambda x, a, b: a + b * x, samples, dict(x=levels), judge, rivals)
    assert verdict.holds and "b = 1.2" in verdict.says


def test_an_interval_outside_the_hypotheses_is_no_refutation():
    """Runs that do not tell a true k > 0 from 0 refuse to judge its law, and say what would do."""
    t, k = sp.symbols("t k", real=True)
    decay = Law(k, sp.exp(-k * t), lambda f: (f,), (k > 0,), Source("here", "(1)"), ())
    noisy = lambda seed: np.exp(-0.01 * times) + 0.05 * np.random.default_rng(seed).normal(size=4)  # noqa: E731
    for seed in range(3):
        with pytest.raises(ValueError, match="interval of k around k = .* reaches outside the hypotheses.*: more runs"):
            accepts(fitted(free=dict(k=0.02)), noisy, lambda t, k: decay(t=t, k=k), seed)
    edge, points = lambda u: np.where(u < 1, np.nan, u * times), np.ones(4, bool)  # noqa: E731
    with pytest.raises(ValueError, match="interval of k around k = 1 reaches"):
        fits._spread(edge, np.ones(1), np.ones(4), points, ["k"], lambda u: dict(k=u[0]))


def test_a_search_that_is_stuck_starts_again():
    """From one frequency a descent ends at a wrong one; halved and doubled starts find the true one."""
    run = lambda rtol, seed: np.sin(3 * np.linspace(0.2, 3, 15)) * (1 + rtol)  # noqa: E731
    at = dict(t=np.linspace(0.2, 3, 15))
    judge = Fitted(Solver(1e-8), dict(w=1.0), held=(2, 7, 12))
    rivals = {"from the other end": lambda t, w: np.cos(w * t)}
    verdict = confront("it swings", lambda t, w: np.sin(w * t), run, at, judge, rivals)
    assert verdict.holds and "w = 3 ±" in verdict.says


def test_a_search_without_an_end_refutes_nothing():
    """A prediction that is better the larger its parameter is refused, however far from the runs it stays."""
    drift = lambda t, k: 5 + np.abs(1 + k) ** -0.05 + 0 * t  # noqa: E731
    with pytest.raises(ValueError, match="does not converge"):
        accepts(fitted(free=dict(k=1.0)), wild, drift)


@pytest.mark.parametrize(
    ("refused", "error", "says"),
    [
        (lambda: Fitted(Solver, START), TypeError, "tells no interval"),
        (lambda: Fitted(Distribution("x"), START), TypeError, "tells no interval of a known error"),
        (lambda: Fitted(Solver(), {}), ValueError, "names no parameter"),
        (lambda: Fitted(Solver(), dict(k=0.0)), ValueError, "k starts from 0.0"),
        (lambda: accepts(Fitted(Solver(), START), solved, saturates), ValueError, "none is held out: say which"),
        (lambda: accepts(Fitted(Solver(), START, (0, 1, 2, 3)), solved, saturates), ValueError, "leaves 0 of 4 .* fit"),
        (lambda: accepts(Fitted(Solver(), START, slice(4, 9)), solved, saturates), ValueError, "leaves 4 of 4 .* fit"),
        (
            lambda: accepts(Fitted(Solver(), dict(START, b=1.0), (2, 3)), solved, lambda t, k, A, b: A * t**k + b),
            ValueError,
            "2 numbers do not tell 3 parameters",
        ),
        (
            lambda: accepts(fitted(detects=2.0, free=dict(k=1.0, A=1.0)), noise, lambda t, k, A: k * A * t),
            ValueError,
            "do not tell k from A at k = .* .condition number",
        ),
        (
            lambda: accepts(fitted(detects=3.0, free=dict(k=1.0)), noise, lambda t, k: abs(1 + k) ** -0.05 + 0 * t),
            ValueError,
            "does not converge",
        ),
        (
            lambda: accepts(fitted(free=dict(k=-2.0)), wild, lambda t, k: np.log(k + t)),
            ValueError,
            "where the search starts, k = -2, the prediction is not finite",
        ),
        (lambda: accepts(fitted(detects=0.02), wild, saturates), ValueError, "foretells to .*, not to 0.04: more runs"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(refused, error, says):
    """No run held out, no parameters told apart, no end of the search: refused, by name."""
    with pytest.raises(error, match=says):
        refused()


def test_a_wrong_law_tells_what_was_fitted():
    """The message of a law that fails has its best parameters, and by how much it is off."""
    with pytest.raises(Refuted, match=r"fitted at best, A = 0.6396, it is 13.9 times as far .* as may be"):
        confront("a line", lambda t, A: A * t, wild, dict(t=times), fitted(free=dict(A=1.0)), {"none": 0.0})
