"""A law without a formula: solved with an error that is known, judged, and refused where it cannot be solved."""

import numpy as np
import pytest
import sympy as sp

from laws import Noise, Order, Problem, Refuted, confront, spoilt
from laws.typeset import latex
from theory.chain import two_layers

EPS = np.finfo(float).eps
t, s, lam, a0, b0, tau, beta, h, m = sp.symbols("t s lam a0 b0 tau beta h m", real=True)
a, w, v = (sp.Function(name) for name in "awv")


def logistic(a):
    """The chain: tau a' = 2 a (s - lam a), a(0) = a0."""
    return tau * a.diff(t) - 2 * a * (s - lam * a), a.subs(t, 0) - a0


chain = Problem(a(t), logistic, given=(tau > 0, lam > 0, s > 0, a0 > 0, t >= 0))
pair = Problem(
    w(t) * v(t),
    lambda w, v: (
        tau * w.diff(t) - v * (s - lam * w * v),
        tau * v.diff(t) - w * (s - lam * w * v),
        w.subs(t, 0) - sp.sqrt(a0),
        v.subs(t, 0) - sp.sqrt(a0),
    ),
    given=chain.given,
    unknowns=(w(t), v(t)),
)
field = Problem(m, lambda m: sp.tanh(beta * m + h) - m, given=(beta > 0,), between=(0, 1))
at = dict(t=np.array([0.0, 0.4, 1.2, 2.4]), s=1.7, lam=0.6, a0=0.1, tau=1.3)


@pytest.mark.parametrize("problem", [chain, pair], ids=["one", "two"])
def test_the_error_that_is_told_bounds_the_error_made(problem):
    """Solved as one equation, or weight by weight, the logistic curve is as close as the problem says it is."""
    truth = two_layers(**at)
    away = np.abs(problem(**at) - truth)
    assert np.all(away <= problem.error(**at) + 2 * EPS * truth) and 0 < np.max(away) < problem.rtol * np.max(truth)


@pytest.mark.parametrize("c", [1e-14, 3.0])
def test_what_starts_at_nothing_is_followed_at_its_own_size(c):
    """However small it stays, by itself or beside what is large, an unknown that starts at 0 is as near as is said."""
    swing = lambda w: (w.diff(t) - s * sp.cos(5 * t), w.subs(t, 0))  # noqa: E731
    beside = lambda w, v: (*swing(w), v.diff(t) + v, v.subs(t, 0) - a0)  # noqa: E731
    points = dict(t=np.array([0.3, 4.0, 10.0]), s=c)
    truth = c * np.sin(5 * points["t"]) / 5
    pair = Problem(w(t), beside, unknowns=(w(t), v(t)))
    for problem, given in [(Problem(w(t), swing), points), (pair, dict(points, a0=1.7))]:
        error = problem.error(**given)
        assert np.all(np.abs(problem(**given) - truth) <= error + EPS * c * 5 * points["t"])
        assert np.all(error < 2 * problem.rtol * np.abs(truth))
    still = Problem(w(t), lambda w: (w.diff(t) - s * w, w.subs(t, 0)))
    assert still(t=2.0, s=1.7) == 0


def test_what_starts_small_is_followed_at_its_own_size():
    """A start of 1e-14 grows by what the closed form says, as near, relative to itself, as any other."""
    small = {**at, "a0": 1e-14}
    truth = two_layers(**small)
    error = chain.error(**small)
    assert np.all(np.abs(chain(**small) - truth) <= error + 64 * EPS * truth)
    assert np.all(error < 2 * chain.rtol * truth)


def test_a_mutant_is_solved_as_well_as_the_problem():
    """A start a tenth larger, and a tenth more time, are those of the closed form; each says what it has wrong."""
    mutants = {name.partition(" in ")[0]: (name, mutant) for name, mutant in chain.mutants().items()}
    for mutant, wrong, change in (
        ("start of a: a0 -> 11*a0/10", dict(a0=0.11), r"a_{0}" "\n" r"\to \frac{11 a_{0}}{10}"),
        ("speed of a: tau -> 11*tau/10", dict(tau=1.43), r"{\tau}"),
    ):
        name, solved = mutants[mutant]
        away = np.abs(solved(**at) - two_layers(**{**at, **wrong}))
        assert np.all(away <= 10 * chain.error(**at) + 2 * EPS * solved(**at)) and change in chain.change(name)
    speed = chain._parts[0]
    for name in spoilt.spoilt(speed):
        assert chain.change(f"speed of a: {name}") == spoilt.change(speed, name)


def test_a_problem_says_what_it_is():
    """By name, with its equations, hypotheses and source, and typeset in one line."""
    short = Problem(a(t), lambda a: (a.diff(t) - s * a, a.subs(t, 0) - a0), given=(s > 0, a0 > 0))
    assert repr(short).endswith(
        "a(t) where -s*a(t) + Derivative(a(t), t) = 0; -a0 + a(0) = 0\n  given s > 0, a0 > 0\n  from stated here"
    )
    assert repr(chain).startswith("chain: a(t) where ")
    assert "given nothing" in repr(Problem(m, lambda m: m - s, between=(0, 1)))
    assert r"= 0,\quad a{\left(0 \right)} - a_{0} = 0 \qquad s > 0,\; a_{0} > 0$" in short._repr_latex_()


def test_a_card_says_what_is_seen_of_the_unknowns():
    """The product of two weights is named before their equations; an unknown that is seen itself is not."""
    assert pair.latex().startswith(r"v{\left(t \right)} w{\left(t \right)} \text{ where}" "\n\n")
    assert chain.latex() == "\n\n".join(f"{latex(equation)} = 0" for equation in logistic(a(t)))


def test_arrays_of_parameters_are_solved_apart():
    """Times in any order and several starts at once give what each gives alone."""
    grid = {**at, "t": np.array([[2.4, 0.4]]), "a0": np.array([[0.1], [0.3]])}
    alone = [[chain(**{**at, "t": t, "a0": a0}) for t in (2.4, 0.4)] for a0 in (0.1, 0.3)]
    assert np.max(np.abs(chain(**grid) - alone)) <= 2 * np.max(chain.error(**grid))


def test_the_root_is_where_the_equation_changes_its_sign():
    """An order parameter solves its equation, to the stated relative tolerance."""
    found = field(beta=np.array([0.7, 1.5]), h=0.1)
    near = (found * (1 - field.rtol), found * (1 + field.rtol))
    below, above = (np.tanh(np.array([0.7, 1.5]) * x + 0.1) - x for x in near)
    assert np.all(below > 0) and np.all(above < 0)


def test_a_root_may_lie_anywhere_within_its_interval():
    """At a place that is tried, near an end beyond which nothing is defined, or in a corner: as near as is stated."""
    line = Problem(m, lambda m: m - s, between=(0, 256))
    np.testing.assert_allclose(line(s=np.array([0.5, 3.5, 255.5])), [0.5, 3.5, 255.5], rtol=line.rtol / 100)
    half = Problem(m, lambda m: sp.sqrt(1 - m) + sp.sqrt(m) - s * sp.sqrt(m), between=(0, 1))
    np.testing.assert_allclose(half(s=1.1), 1 / 1.01, rtol=half.rtol / 100)  # of numbers from 0 to 1 alone
    small = Problem(m, lambda m: m**3 - s**3, between=(0, 1e-9))
    np.testing.assert_allclose(small(s=3e-11), 3e-11, rtol=small.rtol / 100)


def test_an_equation_may_have_no_arguments():
    """What solves an equation of numbers alone is a number; every argument may also be an array without entries."""
    alone = Problem(m, lambda m: sp.cos(m) - m, between=(0, 1))
    assert isinstance(alone(), float) and abs(np.cos(alone()) - alone()) <= 4 * np.finfo(float).eps
    assert field(beta=np.array([]), h=0.1).shape == (0,) and isinstance(field(beta=1.5, h=0.1), float)


def test_runs_are_judged_by_a_problem_and_its_mutants():
    """Euler's steps tend to the flow; wrong numbers and symbols of speed and start are rejected on the same runs."""

    def euler(h, seed):
        values, found = at["a0"], []
        for _ in range(round(2.4 / h) + 1):
            found.append(values)
            values = values + h / at["tau"] * 2 * values * (at["s"] - at["lam"] * values)
        return np.interp(at["t"], h * np.arange(len(found)), found)

    verdict = confront(
        "descent is logistic", chain, euler, at, Order(1), {"one layer": lambda **at: two_layers(**at) / 2}
    )
    assert (
        verdict.mutants
        and not verdict.unseen
        and {"speed of a", "start of a"} == {name.partition(":")[0] for name in verdict.mutants}
    )
    assert r"\tau \frac{d}{d t} a{\left(t \right)}" in verdict.latex and verdict.law.endswith("test_problem.chain")
    slow = Problem(a(t), lambda a: (tau * a.diff(t) - a * (s - lam * a), a.subs(t, 0) - a0), given=chain.given)
    with pytest.raises(Refuted, match=r"would pass with t 2.000\d* \(1.99\d+ to 2.00\d+\) times as large"):
        confront("descent is slow", slow, euler, at, Order(1))


def test_runs_that_see_the_error_of_a_solution_ask_for_a_smaller_one():
    """What is between both solutions is neither true nor false of the problem."""
    rough = Problem(a(t), logistic, given=chain.given, rtol=1e-4)
    sharp = float(np.max(rough.error(**at))) / 50
    with pytest.raises(ValueError, match="see the error of its solution; give it an rtol < 0.0001"):
        confront("too rough", rough, rough(**at), at, Noise(sharp), {"none": 0.0})


def test_every_mutant_of_a_root_is_seen():
    """Wrong numbers and symbols of an equation have other roots."""
    points = dict(beta=np.array([0.7, 1.5, 2.2]), h=0.3)
    verdict = confront("mean field", field, field(**points), points, Noise(1e-4))
    assert len(verdict.mutants) == 3 and not verdict.unseen


STARTS = "every unknown must start somewhere"


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (dict(lhs=a(t), solves=lambda a: (a.diff(t) + a,)), STARTS),
        (dict(lhs=a(t), solves=lambda a: (a.diff(t) + a, a.subs(t, s) - a0)), STARTS),
        (dict(lhs=a(t), solves=lambda a: (a.diff(t, 2) + a, a.subs(t, 0) - a0)), "do not give the speed of a"),
        (dict(lhs=a(t), solves=lambda a: (a.diff(t) ** 2 - a, a.subs(t, 0) - a0)), "do not give the speed of a"),
        (dict(lhs=a(t), solves=lambda a: (a.diff(t) + a.diff(t, 2), a.subs(t, 0) - a0)), "do not give the speed of a"),
        (dict(lhs=a(t), solves=lambda a: (sp.gamma(a.diff(t)) - a, a.subs(t, 0))), "do not give the speed of a"),
        (dict(lhs=a(t), solves=lambda a: (a.diff(t), 2 * a.diff(t), a.subs(t, 0))), "do not give the speed of a"),
        (dict(lhs=m, solves=lambda m: m - s), "between = None must be the two ends"),
        (dict(lhs=m, solves=lambda m: (m - s, m - t), between=(0, 1)), "one unknown symbol with one equation"),
        (dict(lhs=a(t), solves=logistic, rtol=1e-15), "rtol = 1e-15 must lie between"),
        (dict(lhs=a(t), solves=logistic, rtol=2e-3), "rtol = 0.002 must lie between"),
        (dict(lhs=a(t), solves=logistic, given=(sp.Symbol("p", positive=True) > 0,)), "collapsed to True"),
    ],
)
def test_what_cannot_be_solved_is_refused_when_stated(problem, says):
    """Each kind of ill-posed problem says what is missing."""
    with pytest.raises(ValueError, match=says):
        Problem(**problem)


def test_what_has_no_solution_is_refused_at_its_point():
    """Times before the start, violated hypotheses, explosions, several roots and poles are named, with arguments."""
    for change, says in [(dict(t=-1.0), "chain: t = -1.0 violates t >= 0"), (dict(lam=[1, -1]), "chain: these shapes")]:
        with pytest.raises(ValueError, match=says):
            chain(**{**at, **change})
    explosion = Problem(a(t), lambda a: (a.diff(t) - a**2, a.subs(t, 0) - a0))
    with pytest.raises(ValueError, match=r"a\(t\) at a0 = 1.7: its equations could not be followed to 3"):
        explosion(t=3.0, a0=1.7)  # it is gone at t = 1/a0
    with pytest.raises(ValueError, match="lies before the start at 0"):
        explosion(t=-0.5, a0=0.3)
    several = Problem(m, lambda m: sp.tanh(beta * m) - m, between=(-1, 1))
    with pytest.raises(ValueError, match="m at beta = 2: 3 roots between -1 and 1, not one"):
        several(beta=2.0)
    pole = Problem(m, lambda m: 1 / (m - s), between=(0, 1))
    with pytest.raises(ValueError, match="changes its sign at 0.3 without vanishing"):
        pole(s=0.3)
