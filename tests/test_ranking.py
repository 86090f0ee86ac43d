"""Rankings name the best, say who is tied with it, and reject no oftener than they state."""

import numpy as np
import pytest
import sympy as sp
from scipy.stats import binom

from laws import Law, Source, rank
from laws.judges import Measurement, absolute_error, ranking
from laws.judges.confrontation import listeners

times = np.array([0.5, 1.0, 2.0, 4.0])
FREE = dict(k=1.0, A=1.0)


def saturates(t, k, A):
    """The truth, for k = 0.7 and A = 1.9."""
    return A * (1 - np.exp(-k * t))


def wild(seed, size=0.02):
    """One run, with noise that has no variance."""
    return saturates(times, 0.7, 1.9) + size * np.random.default_rng(seed).standard_cauchy(4)


HYPOTHESES = {
    "a line": lambda t, k, A: A * t,
    "saturating": saturates,
    "a power": lambda t, k, A: A * t**k,
    "saturating, in other words": lambda t, k, A: A - A * np.exp(-k * t),
    "1.5": 1.5,
}


def ranked(**change):
    """The hypotheses ranked, by distances."""
    given = dict(free=FREE, score=absolute_error) | change
    return rank("Which curve?", HYPOTHESES, wild, dict(t=times), **given)


def test_the_best_the_tied_and_the_rejected():
    """The truth and its paraphrase are best and tied, which is said; what is wrong is rejected with its own fit."""
    found = ranked()
    assert {found.best, *found.tied} == {"saturating", "saturating, in other words"} and len(found.tied) == 1
    assert found.rejected == ("a power", "1.5", "a line") or found.rejected == ("a power", "a line", "1.5")
    assert f"tied, since these runs do not tell them from it: {found.tied[0]}" in found.says
    fitted = {row.name: row.fitted for row in found.rows}
    assert fitted["1.5"] == {} and set(fitted["a line"]) == {"A"} and abs(fitted["saturating"]["k"] - 0.7) < 0.05
    for row in found.rows[2:]:
        assert row.worse > 0.5 and 0 < row.low <= row.more <= row.high


def test_it_shows_itself_as_text_page_and_picture():
    """Text and html have a line for each hypothesis, the picture a row, and the report hears of it."""
    heard = []
    token = listeners.set((heard.append,))
    try:
        found = ranked()
    finally:
        listeners.reset(token)
    text, page = str(found), found._repr_html_()
    for name in HYPOTHESES:
        assert name in text and f"<td>{name}</td>" in page
    assert "worse in" in text and "<img" in page and "fitted" in text
    (told,) = heard
    assert isinstance(told, Measurement) and Measurement.from_json(told.to_json()) == told
    assert len(told.plot().axes) == 2 and len(found.panels[0].series) == len(HYPOTHESES)
    found.plot().canvas.draw()


def test_the_runs_that_are_scored_are_not_those_that_are_fitted():
    """The runs are twice as many where there is something to fit, and the scores are those of the second half."""
    asked = []
    given = dict(at=dict(t=times), score=absolute_error)
    run = lambda seed: asked.append(seed) or wild(seed)  # noqa: E731
    found = rank("Which?", HYPOTHESES, run, free=FREE, **given)
    assert len(set(asked)) == len(asked) == 2 * found.runs
    scored = [wild(seed) for seed in asked[found.runs :]]
    best = found.rows[0]
    own = np.mean([absolute_error(saturates(times, **best.fitted), observed) for observed in scored])
    np.testing.assert_allclose(best.score, own, rtol=found.runs * np.finfo(float).eps)
    del asked[:]
    known = rank("Which?", {"true": lambda t: saturates(t, 0.7, 1.9), "1.5": 1.5}, run, **given)
    assert len(asked) == known.runs and known.best == "true" and known.rejected == ("1.5",)


def test_a_search_turns_back_at_a_hypothesis():
    """A law whose fit comes to the edge of its hypotheses, and over it on the way, is ranked with the others."""
    t, k, A = sp.symbols("t k A", real=True)
    law = Law(A, A * (1 - sp.exp(-k * t)), lambda a: (a,), (k < sp.Rational(3, 5), A > 0), Source("here", "(1)"), ())
    asked = []
    form = lambda t, k, A: asked.append(k) or law(t=t, k=k, A=A)  # noqa: E731
    given = dict(free=dict(k=0.5, A=1.0), score=absolute_error)
    found = rank("Which?", {"within": form, "1.5": 1.5}, wild, dict(t=times), **given)
    assert max(asked) >= 0.6 and found.best == "within" and found.rejected == ("1.5",)


def test_skewed_runs_have_no_ranking_by_squares():
    """The mean of skewed runs loses most of them and wins on average: refused, and by distances the median is best."""
    skewed = lambda seed: np.random.default_rng(seed).exponential(size=()) ** 2  # noqa: E731
    levels = {"mean": 2.0, "median": np.log(2) ** 2}
    with pytest.raises(ValueError, match="median is better in most runs and mean on average .*: these runs are skewed"):
        rank("Which?", levels, skewed, {}, excess=0.2)
    found = rank("Which?", levels, skewed, {}, excess=0.2, score=absolute_error)
    assert found.best == "median" and found.rejected == ("mean",) and "skewed" not in found.says
    even = lambda seed: 2 + np.random.default_rng(seed).normal(size=())  # noqa: E731
    assert str(rank("Which?", levels, even, {}, excess=0.2)).endswith("skewed runs not who is nearer to the mean")


def numbers(draws, runs, seed=0):
    """Many sets of scores of three hypotheses: two as good as each other, in heavy tails, and one worse in 9 of 10."""
    g = np.random.default_rng(seed)
    common = g.standard_cauchy((draws, runs))
    worse = np.where(g.random((draws, runs)) < 0.9, 1, -1) * g.random((draws, runs))
    return common, common + g.standard_cauchy((draws, runs)), common + worse


@pytest.mark.parametrize("alpha", [1e-2, 0.1])
def test_errors_are_as_rare_as_stated(alpha):
    """Over many sets of runs, one as good as the best is rejected, and one worse in 9 of 10 runs tied, that rarely."""
    runs, _ = ranking.statistics.votes(0.4, alpha / 2 / 3, alpha / 3)
    alarms = misses = 0
    for scores in zip(*numbers(400, runs), strict=True):
        rows = ranking._ranked(dict(zip("abc", scores, strict=True)), dict.fromkeys("abc", {}), alpha / 2 / 3)
        standing = {row.name: row.standing for row in rows}
        alarms += "rejected" in (standing["a"], standing["b"])
        misses += standing["a"] == "best" and standing["c"] != "rejected"
    assert binom.sf(alarms - 1, 400, alpha) > 1e-6 and binom.sf(misses - 1, 400, alpha) > 1e-6, (alarms, misses)


def test_an_error_that_is_not_kept_would_be_noticed():
    """The test above can fail: intervals of a rate of a half for each pair reject too often."""
    alarms = 0
    for a, b, _ in zip(*numbers(400, 40), strict=True):
        rows = ranking._ranked(dict(a=a, b=b), dict(a={}, b={}), 0.25)
        alarms += rows[1].standing == "rejected"
    assert binom.sf(alarms - 1, 400, 0.1) < 1e-6


def test_a_circle_has_no_best():
    """Three hypotheses of which each beats the next in most runs are no ranking."""
    around = np.array([[0.0, 1.0, 2.0], [1.0, 2.0, 0.0], [2.0, 0.0, 1.0]] * 40)
    scores = dict(zip("abc", around.T, strict=True))
    with pytest.raises(ValueError, match="a, b, c beat each other in a circle"):
        ranking._ranked(scores, dict.fromkeys("abc", {}), 0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(what=" "), "what = ' '"),
        (dict(hypotheses={"one": 1.0}), "two names or more"),
        (dict(free=dict(k=0.0)), "k starts from 0.0"),
        (dict(excess=0.6), "excess = 0.6"),
        (dict(false_alarm=0.0), "false_alarm = 0.0"),
        (dict(miss=0.5), "miss = 0.5"),
        (dict(run=lambda seed: np.nan), "not finite"),
        (dict(run=lambda seed: wild(0)), "seeds gave the same: this run ignores its seed"),
        (dict(hypotheses={"one": 1.0, "nan": np.nan}, free={}), "nan: a score of nan"),
        (dict(hypotheses={"one": 1.0, "of two": np.ones(2)}, free={}), "the law has shape"),
        (
            dict(hypotheses={"one": 1.0, "drift": lambda t, k, A: 2 + (1 + abs(k)) ** -0.01}),
            "drift: the search .* converge",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused(change, says):
    """No question, no rivals, rates or starts that make no sense, scores that are none: refused by name."""
    given = dict(what="Which?", hypotheses=HYPOTHESES, run=wild, at=dict(t=times), free=FREE) | change
    with pytest.raises(ValueError, match=says):
        rank(**given)
