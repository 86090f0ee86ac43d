"""What a verdict says of the law, the judge and the run, for those who were not there."""

import time

import numpy as np
import pytest
import sympy as sp

from laws import Exponent, Law, Noise, Order, Problem, Refuted, Roundoff, Sign, Source, confront, stated
from laws.judges.confrontation import _brief, _function, _name, _sentence, entropy
from laws.judges.verdict import Panel, Series
from theory.chain import any_depth, two_layers

x, t = sp.symbols("x t", real=True)
y = sp.Symbol("y")
at = dict(x=np.array([0.1, 0.2]))
sine = Law(y, x, lambda y: (y / sp.sin(x) - 1,), (x > 0, x < 1), Source("test", "sine"), (dict(x=0.3),), upto=(x, 2))
HALF = {"half": lambda x: x / 2}


def followed(x):
    """Twice the sine, shape (n,), of small x; ValueError for large ones.

    Source: test,
    (3) and
    equations (1, 2).

    More is not told.
    """
    return 2 * sine(x=x)


def test_a_law_is_told_with_its_hypotheses_and_source():
    """Formula, hypotheses a line each, document and label; an asymptotic law is no equation."""
    begun = time.perf_counter()
    verdict = confront("sines are straight", sine, at["x"], at, Noise(0.01), HALF, seed=7)
    assert 0 < verdict.seconds < time.perf_counter() - begun and verdict.seed == 7
    assert verdict.law.endswith("test_cards.sine") and verdict.of == verdict.sentence == verdict.about == ""
    assert (verdict.latex, verdict.given, verdict.source) == (r"y \simeq x", "x > 0,\nx < 1", "test, sine")
    exact = Law(y, x, lambda y: (y - x,), (), Source("test", "x"), (dict(x=0.3),))
    assert confront("as well", exact, at["x"], at, Noise(0.01), HALF).latex == "y = x"
    wave = Law(y, sp.sqrt(2 - x), lambda y: (y,), (), Source("test", "root"), (dict(x=1.9),))
    edge = confront("an edge", wave, wave(**(high := dict(x=np.array([1.9])))), high, Noise(1e-3))
    assert edge.judge == "Noise(sd=0.001)"
    (unseen,) = edge.unseen  # which has no root there: no run tells it from the law
    assert unseen.startswith("-1 ->") and edge.changes == {unseen: wave.change(unseen)} and edge.mutants[unseen] <= 1
    beside = dict(x=np.array([1.9, 0.3]))  # where it has one it is told from the law
    assert not confront("not at an edge alone", wave, wave(**beside), beside, Noise(1e-3)).unseen
    falls = Problem(sp.Function("a")(t), lambda a: (a.diff(t) + x * a, a.subs(t, 0) - 1), given=(x > 0,))
    decay = confront("it decays", falls, np.exp(-0.7), dict(t=1.0, x=0.7), Noise(1e-3))
    assert decay.latex == falls.latex() and decay.given == "x > 0" and decay.sentence == ""


def test_what_follows_is_told_by_what_it_follows_from():
    """A function has its own name, and the formula of the law from which it follows; alone it has its sentence."""
    by = confront("twice", followed, 2 * at["x"], at, Noise(0.01), HALF, of=sine)
    assert by.law.endswith("test_cards.followed") and by.of.endswith("test_cards.sine") and by.latex == r"y \simeq x"
    alone = confront("two", followed, 2 * at["x"], at, Noise(0.01), HALF)
    home = followed.__module__
    assert alone.source == f"test, (3) and equations (1, 2) of {home}" and alone.of == alone.given == ""
    assert alone.sentence == "Twice the sine, of small x" and alone.latex == ""
    assert _name(any_depth) == "theory.chain.any_depth" and _name(two_layers) == "theory.chain.two_layers"
    assert _name(lambda x: x).endswith(".test_what_follows_is_told_by_what_it_follows_from") and _name(1.5) == "1.5"
    assert _function(1.5) == {"latex": "", "given": "", "source": "", "sentence": ""}
    assert _sentence("A map of shape (n,), else as `b`.\nMore.") == "A map"


def test_labels_name_axes_and_documents():
    """The law's value, the document that a claim stands for, and a further panel are as they were given."""
    panel = Panel("u", "v", (Series("run", [1.0], [2.0]),))
    labels = dict(y="height", about="test, Fig. 2")
    verdict = confront("labelled", sine, at["x"], at, Noise(0.01), HALF, labels=labels, picture=panel)
    assert verdict.about == "test, Fig. 2" and verdict.panels[-1] == panel and verdict.panels[0].y == "height"
    plain = confront("plain", sine, at["x"], at, Noise(0.01), HALF)
    assert plain.panels[0].y == "$y$" and len(plain.panels) == len(verdict.panels) - 1


class Own:
    """A judge of one's own."""

    def __repr__(self):
        return "Own judge"


@pytest.mark.parametrize(
    ("judge", "brief"),
    [
        (Order(1), "Order(p=1)"),
        (Order(0.5, start=1 / 3, halvings=4), "Order(p=0.5, start=0.333, halvings=4)"),
        (Exponent((1.0, 2.0, 4.0), 0.1), "Exponent(levels=(1, 2, 4), detects=0.1)"),
        (Roundoff(3, condition=np.array([2.0, 1.5])), "Roundoff(operations=3, condition=1.5..2)"),
        (Roundoff(3, condition=np.array([2.0, 2.0])), "Roundoff(operations=3, condition=2)"),
        (Sign(), "Sign()"),
        (Own(), "Own judge"),
    ],
)
def test_a_judge_is_told_with_what_is_not_usual(judge, brief):
    """Settings that are the usual ones are left out, numbers have three digits, arrays their ends."""
    assert _brief(judge) == brief


def test_fresh_seeds_are_of_the_claim():
    """Where a suite draws new seeds each claim has its own, and the same claim the same."""
    token = entropy.set(5)
    try:
        one, two, again = (confront(c, sine, at["x"], at, Noise(0.01), HALF).seed for c in ("one", "two", "one"))
    finally:
        entropy.reset(token)
    assert one == again != two and one != 0


def test_a_mutant_that_cannot_be_judged_is_named():
    """What a judge says when it cannot weigh a mutant has the mutant's name."""

    class Picky(Noise):
        def weigh(self, runs, predict):
            if np.any(predict() != at["x"]):
                raise ValueError("not this")
            return super().weigh(runs, predict)

    law = stated()(lambda x: x)
    with pytest.raises(ValueError, match="not this") as caught:
        confront("picky", law, at["x"], at, Picky(0.01))
    assert caught.value.__notes__ == ["raised in judging the mutant x"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(run=None), "run = None: a law is needed"),
        (dict(run="data.csv"), "run = 'data.csv': a law is needed"),
        (dict(run={"x": 1}), "a law is needed, and a function that simulates, or data"),
        (dict(law=lambda x: x, of=lambda x: x), "of = .* must be the Law, or the documented function"),
        (dict(judge=Own()), "judge = Own judge is no judge"),
        (dict(law=None), "law = None"),
    ],
)
def test_what_stands_no_trial_is_refused(change, says):
    """No run, a word for one, what explains nothing, and a judge that cannot weigh are refused by name."""
    with pytest.raises(TypeError, match=says):
        confront(**{**dict(claim="c", law=sine, run=at["x"], at=at, judge=Noise(0.01), rivals=HALF), **change})


def told(**change):
    """The lines of what a refused confrontation says."""
    with pytest.raises(Refuted) as caught:
        confront(**{**dict(claim="c", law=lambda x: x, run=at["x"], at=at, judge=Noise(0.01), seed=7), **change})
    return str(caught.value).split("\n")


def test_a_refusal_says_how_to_repeat_it(monkeypatch):
    """By its test, with the seeds that were drawn if they were; where there is no test by its seed."""
    here = 'pytest "tests/test_cards.py::test_a_refusal_says_how_to_repeat_it"'
    assert told()[-2:] == [
        "  nothing was shown that these runs would have rejected: name a rival",
        f"  seed 7; again with: {here}",
    ]
    token = entropy.set(5)
    try:
        assert told()[-1].endswith(f"; again with: {here} --seeds-from=5")
    finally:
        entropy.reset(token)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert told()[-1] == "  seed 7; again with: confront(..., seed=7)"
    blind = told(law=stated()(lambda x: x), judge=Noise(10.0))
    assert blind[-2] == "  these runs reject none of the mutants: nothing is learnt from them; name a rival"
