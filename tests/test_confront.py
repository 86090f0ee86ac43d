"""A confrontation gives a verdict with every factor, refutes what is wrong, and refuses what is none."""

import numpy as np
import pytest

from laws import Fitted, Mean, Noise, Order, Refuted, UpperBound, confront


def uniform(mean):
    """Samples on [mean - 1, mean + 1]."""
    return lambda n, seed: mean + np.random.default_rng(seed).uniform(-1, 1, n)


def line(x):
    """A law of one argument."""
    return 2.0 * x


def stepping(h, seed):
    """A run that tends to 2 x at first order."""
    return line(at["x"]) * (1 + h + 0.3 * h * h)


at = dict(x=np.array([1.0, 2.0, 3.0, 4.0]))


def test_confront_gives_a_verdict_with_every_factor():
    """The verdict names law, rivals and factors, survives JSON, and draws itself."""
    verdict = confront(
        "lines are straight", line, stepping, at, Order(1), {"half as steep": lambda x: x, "given": np.ones(4)}
    )
    assert verdict.holds and verdict.id == "lines-are-straight" and verdict.seed == 0
    assert set(verdict.rivals) == {"half as steep", "given"} and min(verdict.rivals.values()) > 1
    assert type(verdict).from_json(verdict.to_json()) == verdict
    assert "holds" in str(verdict) == repr(verdict) and "<img" in verdict._repr_html_()
    assert [panel.x for panel in verdict.panels] == ["x", "step h"]


def test_confront_refutes_a_wrong_law_and_says_how_wrong():
    """A law off by a factor fails, with the point, both values, the seed and the way to repeat it."""
    with pytest.raises(Refuted) as caught:
        confront("steeper", lambda x: 2.2 * x, stepping, at, Order(1), seed=7)
    message = str(caught.value)
    for part in (
        "steeper: FAILS",
        "furthest at x = 4: the runs say 8, the law 8.8 (+10 %)",
        "seed 7",
        'pytest "tests/test_confront.py::test_confront_refutes',
    ):
        assert part in message
    assert not caught.value.verdict.holds


def test_confront_refutes_when_a_rival_survives():
    """A rival that the runs cannot tell from the law fails the confrontation, by name."""
    with pytest.raises(Refuted, match="survives: the same to 1e-9"):
        confront("too fine", line, stepping, at, Order(1), {"the same to 1e-9": lambda x: line(x) * (1 + 1e-9)})


def test_the_formula_that_is_shown_stands_trial():
    """A law whose stable form is right and whose formula is wrong fails, and the other way round."""
    from dataclasses import replace

    from theory.chain import shallow

    times, task = np.array([0.4, 1.2, 2.4]), dict(s=1.7, lam=0.6, a0=0.1, tau=1.3)
    good = lambda h, seed: shallow(t=times, **task) * (1 + h + 0.3 * h * h)  # noqa: E731
    wrong_formula = replace(shallow, rhs=2 * shallow.rhs)
    wrong_form = replace(shallow, evaluate=lambda **at: 2 * shallow(**at))
    assert confront("both right", shallow, good, dict(t=times, **task), Order(1)).holds
    for law in (wrong_formula, wrong_form):
        with pytest.raises(Refuted, match="FAILS[^~]*about 2.00[^~]* times too large everywhere"):
            confront("one wrong", law, good, dict(t=times, **task), Order(1))


def test_a_confrontation_without_rivals_teaches_nothing():
    """With neither a rival nor a mutant there is nothing that could have failed: no verdict."""
    with pytest.raises(Refuted, match="name a rival"):
        confront("alone", line, stepping, at, Order(1))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (dict(rivals={"law": line}), ValueError, "must not be called 'law'"),
        (dict(rivals=[line]), TypeError, "rivals = .* must map"),
        (dict(at=None), TypeError, "at = None must map"),
        (dict(judge=Order), TypeError, "is no judge"),
        (dict(seed="a"), ValueError, "seed = 'a'"),
        (dict(law=None), TypeError, "law = None"),
        (dict(run=lambda h, seed: np.array([1j])), TypeError, "complex128 values, not real"),
        (dict(run=lambda h, seed: []), ValueError, "gave no values"),
        (dict(law=lambda x: 2j * x), TypeError, "the law gave complex128"),
    ],
)
def test_confront_refuses_what_is_no_confrontation(change, error, says):
    """Each argument of `confront` is refused by name if it cannot be used."""
    with pytest.raises(error, match=says):
        confront(**{**dict(claim="c", law=line, run=stepping, at=at, judge=Order(1), rivals={"no": 0.0}), **change})


def test_what_dies_of_its_arguments_is_named():
    """A rival that takes others is named; a run that takes others is told how the judge calls it."""
    for wrong, says in [
        (dict(rivals={"of y": lambda y: y}), "raised by the rival 'of y' at x"),
        (dict(run=lambda h: h), "Order: For a limit: `run(h, seed)` tends to the law"),
    ]:
        with pytest.raises(TypeError, match="argument") as caught:
            confront(**{**dict(claim="c", law=line, run=stepping, at=at, judge=Order(1)), **wrong})
        assert says in "".join(caught.value.__notes__)


def test_a_rival_that_is_no_number_is_not_rejected():
    """Where a rival is not a number it is refused, with the place; an infinite one is rejected."""
    rival = lambda x: np.where(x == 3, np.nan, x)  # noqa: E731
    with pytest.raises(ValueError, match="the rival 'a gap' is not a number at x = 3"):
        confront("gap", line, stepping, at, Order(1), {"a gap": rival})
    with pytest.raises(ValueError, match="the rival 'none' is not a number$"):
        confront("gap", line, stepping, at, Order(1), {"none": np.nan})
    poles = {"a pole": lambda x: np.where(x == 3, np.inf, x)}
    assert confront("a pole", line, line(at["x"]), at, Noise(0.1), poles).rivals == {"a pole": np.inf}


def test_a_rival_that_cannot_be_decided_is_named():
    """A judge that refuses to weigh a rival says which."""
    judge = Fitted(Noise(0.04), dict(a=1.0, b=1.0), held=(3,))
    alike = {"twice the same": lambda x, a, b: a * b * x}
    with pytest.raises(ValueError, match="do not tell a from b") as caught:
        confront("fitted", lambda x, a, b: a * x + b, line(at["x"]), at, judge, alike)
    assert caught.value.__notes__ == ["raised in judging the rival 'twice the same'"]


def test_data_in_hand_are_fitted_and_bounded():
    """What is done to the intervals of samples in hand asks for no function."""
    sets = np.array([1.0, 2.0, 3.0, 4.0]) * (1.9 + 0.01 * np.random.default_rng(0).normal(size=(5, 4)))
    judge = Fitted(Noise(0.04), dict(a=1.0), held=(3,))
    verdict = confront("fitted", lambda x, a: a * x, sets, at, judge, {"a square": lambda x, a: a * x * x})
    assert verdict.holds and "; an error of " in verdict.says and verdict.says.endswith(" might stand")
    bound = UpperBound(Mean(0.4, bounds=(0, 8), false_alarm=1e-2, points=4))
    means = np.tile(line(at["x"])[None] * 0.97, (bound.judge.needed, 1))
    assert confront("bounded", line, means, at, bound, {"half": lambda x: x}).holds


def test_confront_repeats_to_the_bit():
    """The same seed gives the same verdict, another seed other samples."""
    judge = Mean(0.4, bounds=(-1, 1))
    one, two, other = (confront("repeats", 0.0, uniform(0.0), {}, judge, {"off": 0.9}, seed=s) for s in (3, 3, 4))
    assert one.figure == two.figure != other.figure


def test_confront_refuses_bad_arguments_before_any_work():
    """A law that cannot be evaluated is refused before the simulation starts."""
    from theory.chain import shallow

    def never(h, seed):
        raise AssertionError("the simulation ran")

    with pytest.raises(ValueError, match="tau = 0.0 violates"):
        confront("bad", shallow, never, dict(t=1.0, s=1.0, lam=1.0, a0=0.1, tau=0), Order(1))
    with pytest.raises(ValueError, match="must be a sentence"):
        confront(" ", line, never, at, Order(1))


def test_mutants_of_a_law_are_judged_and_the_unseen_listed():
    """At tau = 1 a wrong power of tau cannot be seen, and the verdict says so."""
    from numerics.chain import train
    from theory.chain import shallow

    times = np.array([0.4, 1.2])
    task = dict(s=1.7, lam=0.6, a0=0.1)
    run = lambda eta, seed: train(1, **task, times=times, eta=eta)  # noqa: E731
    verdict = confront("blind to powers of tau", shallow, run, dict(t=times, tau=1.0, **task), Order(1))
    assert len(verdict.mutants) == len(shallow.mutants()) and verdict.unseen
    assert all("1/tau" in name for name in verdict.unseen)
