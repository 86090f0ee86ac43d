"""A proof says how strong it is, and no more; what is wrong anywhere is disproved there."""

import pytest
import sympy as sp

from laws import Law, Source, proof
from laws.law import Step
from theory.chain import two_layers

x, y, p = sp.symbols("x y p", real=True)
f = sp.Function("f")
past = x - sp.Rational(3, 2)  # below -1 for some x > 0


def of_x(rhs, solves, given=(), examples=(dict(x=0.7),), **more):
    """A law of x."""
    return Law(sp.Symbol("y"), rhs, solves, given, Source("test", "of x"), examples, **more)


@pytest.mark.parametrize(
    ("law", "strength"),
    [
        (of_x(sp.LambertW(x * sp.exp(x)), lambda y: (y - x,), (x > 0,)), "identity"),
        (of_x(sp.LambertW(x * sp.exp(x)), lambda y: (y - x,)), "60 digits"),  # it is x above -1 alone
        (of_x(sp.LambertW(x * sp.exp(x), -1), lambda y: (y - x,), (x < -1,), (dict(x=-3),)), "60 digits"),
        (of_x(sp.LambertW(past * sp.exp(past)), lambda y: (y - past,), (x > 0,), (dict(x=2),)), "60 digits"),
        (of_x(sp.sqrt(x**2), lambda y: (y - x,), (x > 0,)), "identity"),
        (of_x(sp.sqrt(x**2), lambda y: (y - x,)), "60 digits"),  # no hypothesis says what the example has
        (of_x(sp.sqrt(x**2), lambda y: (y - x,), (x > sp.Rational(1, 3),)), "60 digits"),
        (of_x(sp.tanh(x), lambda y: (y * sp.cosh(x) - sp.sinh(x),)), "60 digits"),
        (of_x(sp.hyper([1, 1], [2], -x), lambda y: (x * y - sp.log(1 + x),), (x > 0, x < 1)), "60 digits"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.rhs),
)
def test_only_what_sympy_reduces_for_all_values_is_proved(law, strength):
    """What holds at the examples, and not wherever the hypotheses do, is no identity."""
    assert proof.prove(law) == strength


def test_what_holds_at_the_examples_alone_is_disproved():
    """Every law is tried around its examples too, and an asymptotic one as well; each residual counts."""
    seven = sp.Rational(7, 10)
    for solves in (lambda y: (y - seven,), lambda y: (y - x, y - seven)):
        with pytest.raises(proof.Disproved, match=f"residual {len(solves(x)) - 1} is not 0"):
            proof.prove(of_x(x, solves, examples=(dict(x="0.7"),)))
    rate = lambda y: (y / sp.sin(x) - 1,)  # noqa: E731
    with pytest.raises(proof.Disproved, match="vanish at order 2.000, not p"):
        proof.prove(of_x(x, rate, (x > 0, p > 0), (dict(x=0.3, p=2),), upto=(x, p)))


def test_every_example_is_tried():
    """What holds around the first example and fails at the second is disproved."""
    sides = of_x(x, lambda y: (y - sp.Abs(x),), examples=(dict(x="0.7"), dict(x="-0.7")))
    with pytest.raises(proof.Disproved, match="at {x: -7/10}"):
        proof.prove(sides)


def test_nothing_is_proved_of_nothing():
    """Without examples, residuals or admissible points around an example there is no proof."""
    for law in (of_x(x, lambda y: (y - x,), examples=()), of_x(x, lambda y: ())):
        with pytest.raises(ValueError, match="nothing to prove"):
            proof.prove(law)
    narrow = of_x(x, lambda y: (y - x,), (x > 0.69, x < 0.71))
    with pytest.raises(ValueError, match="hypotheses hold at 0 of 300 points around"):
        proof.prove(narrow)


def test_an_order_is_looked_for_where_the_variable_is_small():
    """The next term may hide the order of what is not small; a residual that is exactly 0 has none, and counts not."""
    assert proof.prove(of_x(x, lambda y: (y - x + x**2 * (1 - 20 * x), y - x), (x > 0,), upto=(x, 2))) == "order"
    with pytest.raises(proof.Disproved):
        proof.prove(of_x(x, lambda y: (y - x + x**3, y - x + x**2), (x > 0,), upto=(x, 3)))
    with pytest.raises(proof.Disproved):  # the slowest counts, first or last
        proof.prove(of_x(x, lambda y: (y - x + x**2, y - x + x**3), (x > 0,), upto=(x, 3)))


def test_a_law_is_not_refuted_by_itself():
    """Only what is certainly wrong is refuted: what has no value anywhere is, what cannot be decided is not."""
    assert not proof.refuted(two_layers, two_layers)
    small = of_x(x, lambda y: (y - x + x**2,), (x > 0,), upto=(x, 2))
    assert not proof.refuted(small, small)
    law = of_x(x, lambda y: (y - x,))
    assert proof.refuted(of_x(sp.log(-x), law.solves, examples=()), law)
    far = of_x(x, law.solves, examples=(dict(x=12),))
    assert not proof.refuted(of_x(sp.sin(sp.exp(sp.exp(x))), law.solves, examples=()), far)  # too large an argument


def test_a_step_holds_with_what_its_unknowns_are():
    """Functions, symbols and derivatives are put in; one entry of a matrix that differs is enough to refuse."""
    slope = Step("the slope", sp.Eq(f(x).diff(x), 2 * y, evaluate=False), {f(x): x**2, y: x})
    assert slope.residual() == 0 and proof.proves(slope)
    assert not proof.proves(Step("wrong", slope.equation, {f(x): x**3, y: x}))
    assert proof.proves(Step("elsewhere", sp.Eq(f(2 * x), 4 * y, evaluate=False), {f(x): x**2, y: x**2}))
    rows = sp.Matrix([[x, 2 * x], [0, x]])
    for last, right in ((x, True), (2 * x, False)):
        other = sp.Matrix([[x, 2 * x], [0, last]])
        assert proof.proves(Step("entries", sp.Eq(rows, other, evaluate=False))) == right
    assert proof.proves(Step("where it is defined", sp.Eq(sp.log(x**2), 2 * sp.log(x), evaluate=False)))


def test_a_step_is_tried_only_where_it_is_given():
    """What is true of positive numbers alone is proved of them, refused of all, and of none it is not proved either."""
    r = sp.Symbol("r", real=True)
    own = sp.Eq(sp.Abs(r), r, evaluate=False)
    assert proof.proves(Step("positive", own, given=(r > 0,))) and not proof.proves(Step("all", own))
    assert not proof.proves(Step("negative", own, given=(r < 0,)))
    with pytest.raises(ValueError, match="none: defined at only 0 of 500 random points"):
        proof.proves(Step("none", own, given=(r > 0, r < 0)))


def test_a_step_says_where_it_holds():
    """It typesets its equation, what it says and, if there are any, its hypotheses."""
    equation = sp.Eq(x, y, evaluate=False)
    assert Step("so", equation)._repr_latex_() == r"$\displaystyle x = y \qquad \text{so}$"
    assert r"y \quad (x > 0, y < 1) \qquad \text{so}" in Step("so", equation, given=(x > 0, y < 1))._repr_latex_()
