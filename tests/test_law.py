"""What a law does with its arguments, and what it says of itself."""

import numpy as np
import pytest
import sympy as sp

from laws import Law, Source, formula, proof, spoilt
from laws.law import admits
from theory.chain import half_time_infinite, infinitely_deep, learning_time, two_layers

EPS = np.finfo(float).eps
x = sp.Symbol("x", real=True)
good = dict(t=0.3, s=1.7, lam=0.6, a0=0.1, tau=1.3)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (dict(tau=0), ValueError, "tau = 0.0 violates tau > 0"),
        (dict(tau=-1.3), ValueError, "tau = -1.3 violates tau > 0"),
        (dict(s=0), ValueError, "s = 0.0 violates s > 0"),
        (dict(a0=0), ValueError, "saddle"),
        (dict(t=[0.1, -2, 3, -4]), ValueError, "2 of 4 points, the first at index 1: t = -2.0 violates t >= 0"),
        (dict(t=[[0.1, np.nan]]), ValueError, "t = nan is not finite"),
        (dict(s=np.inf), ValueError, "s = inf is not finite"),
        (dict(t=[1.0, 2.0], s=[1.0, 2.0, 3.0]), ValueError, "these shapes do not broadcast: s (3,), t (2,)"),
        (dict(t=None), TypeError, "t = None is not a real number"),
        (dict(t=1 + 2j), TypeError, "complex"),
        (dict(t="0.3"), TypeError, "t = '0.3'"),
        (dict(t=True), TypeError, "t = True"),
        (dict(T=1.0), ValueError, "unknown T; its arguments are a0, lam, s, t, tau"),
    ],
)
def test_bad_arguments(change, error, says):
    """A bad argument is refused with its name, its value and the hypothesis that it violates."""
    with pytest.raises(error) as caught:
        two_layers(**{**good, **change})
    assert says in str(caught.value) and "two_layers" in str(caught.value)


def test_missing_argument():
    """A missing argument is named."""
    with pytest.raises(ValueError, match="two_layers: missing tau; its arguments are"):
        two_layers(t=1, s=1, lam=1, a0=1)


def test_bad_arguments_of_exact():
    """`exact` refuses the same, and its hypotheses are checked exactly."""
    for change, error in (
        (dict(tau="0"), ValueError),
        (dict(t="three"), ValueError),
        (dict(t=None), TypeError),
        (dict(t=1j), TypeError),
    ):
        with pytest.raises(error):
            two_layers.exact(20, **{**good, **change})
    assert two_layers.certified(1, **good).rel_accuracy_bits() >= np.log2(10)  # one digit is a number of digits
    for digits in (0, True, 2.5):
        with pytest.raises(ValueError, match=f"digits = {digits!r} must be a positive whole number"):
            two_layers.exact(digits, **good)


def test_a_violated_hypothesis_is_told_once():
    """Of one point with all its digits and nothing beside; of a hypothesis that has no value there too."""
    with pytest.raises(ValueError) as caught:
        two_layers.exact(20, **{**good, "tau": "0"})
    assert str(caught.value) == "two_layers: tau = 0 violates tau > 0"
    above = Law(sp.Symbol("y"), x, lambda y: (y - x,), (sp.log(x) > 0,), Source("test", "log"), (dict(x=2),))
    with pytest.raises(ValueError, match=r"x = -1.0 violates log\(x\) > 0"):
        above(x=-1.0)


def test_exact_reads_strings_as_decimals():
    """The string "0.1" is one tenth; 0.1 is the float, which is another number."""
    tenth = two_layers.exact(40, **{**good, "a0": "0.1"})
    float_ = two_layers.exact(40, **good)
    assert 0 < abs(tenth - float_) < EPS * abs(tenth) * two_layers.condition(**good)


def test_exact_digits_are_right():
    """Fifty digits are a prefix of eighty."""
    few, many = (infinitely_deep.exact(n, t="8", s="1.7", lam="0.6", a0="0.1", tau="1.3") for n in (50, 80))
    assert abs(few - many) < abs(many) * sp.Float(10, 30) ** -49


def test_exact_has_as_many_digits_as_it_was_asked_for():
    """Fifty digits are those of another implementation, and no fewer are carried; unasked it gives thirty."""
    at = dict(t="0.3", s="1.7", lam="0.6", a0="0.1", tau="1.3")
    value = two_layers.exact(50, **at)
    other = two_layers.rhs.subs({x: sp.Rational(at[x.name]) for x in two_layers.symbols}).evalf(60)
    assert abs(value - other) < abs(other) * sp.Float(10, 60) ** -49
    assert value._prec == sp.Float(1, 50)._prec and two_layers.exact(**at)._prec == sp.Float(1, 30)._prec
    assert two_layers.certified(**at).rel_accuracy_bits() >= 30 * np.log2(10)


def test_float64_answers_by_itself(monkeypatch):
    """Where float64 neither over- nor underflows no ball is asked; numbers give a number, and arrays an array."""
    monkeypatch.delattr("laws.ball.certified")
    one, many = two_layers(**good), two_layers(**{**good, "t": [[0.3, 0.9]]})
    assert isinstance(one, float) and many.shape == (1, 2) and many[0, 0] == one


def of_x(rhs):
    """A law of x without hypotheses."""
    return Law(sp.Symbol("y"), rhs, lambda y: (y - rhs,), (), Source("test", "of x"), (dict(x=0.7),))


def test_where_float64_fails_the_ball_answers():
    """What overflows or underflows on the way is repaired place by place; a zero stays one, no number stays none."""
    sigmoid = of_x(sp.exp(x) / (1 + sp.exp(x)))
    whole = sigmoid(x=np.array([[0.7, 800.0], [-800.0, 0.7]]))
    assert whole.shape == (2, 2) and whole[0, 1] == 1 and whole[0, 0] == whole[1, 1] == sigmoid(x=0.7) < 1
    below = of_x(sp.tanh(x) - 1)
    assert below(x=40.0) == float(below.exact(20, x=40)) < 0 and isinstance(below(x=40.0), float)
    assert of_x(x)(x=0.0) == 0
    assert of_x(sp.log(2 * x) - sp.log(x) - sp.log(2))(x=2.0) == 0  # of which a ball of any width contains 0
    branch = of_x(sp.LambertW(x))(x=np.array([0.7, -0.7, -0.1]))  # -0.7 < -1/e has no real value
    assert np.array_equal(np.isnan(branch), [False, True, False]) and branch.dtype == float
    np.testing.assert_allclose(branch[::2] * np.exp(branch[::2]), [0.7, -0.1], rtol=4 * EPS)
    assert np.isnan(of_x(sp.log(x))(x=-1.0))


def test_tiny_starts_neither_overflow_nor_vanish():
    """The Lambert law answers for a0 down to 1e-300, before, at and after the transition."""
    task = dict(s=1.7, lam=0.6, tau=1.3)
    for a0 in 10.0 ** -np.arange(1, 301, 23):
        for when in (0.0, 0.5, 0.999, 1.001, 2.0):
            t = when * 1.3 / (1.7 * a0)
            value, exact = infinitely_deep(t=t, a0=a0, **task), infinitely_deep.exact(20, t=t, a0=a0, **task)
            condition = infinitely_deep.condition(t=t, a0=a0, **task) if when else 2.0
            assert abs(value / float(exact) - 1) <= 30 * EPS * (1 + condition)


def test_condition_tells_when_float64_cannot_answer():
    """At the transition from a tiny start one rounding of the time moves the output by everything."""
    a0 = 1e-16
    at = dict(s=1.7, lam=0.6, tau=1.3, a0=a0)
    assert infinitely_deep.condition(t=half_time_infinite(**at), **at) > 1e13
    assert infinitely_deep.condition(t=1.0, **at) < 10


def test_mutants_change_one_leaf():
    """Every number and every symbol of the right side is changed in turn, and nothing else."""
    y = sp.Symbol("y", real=True)
    law = Law(sp.Symbol("z"), 3 * x + y, lambda z: (z - 3 * x - y,), (), Source("test", "sum"), (dict(x=0.7, y=0.4),))
    assert {m.rhs for m in law.mutants().values()} == {
        sp.Rational(33, 10) * x + y,
        3 * sp.Rational(11, 10) * x + y,
        3 * x + y * sp.Rational(11, 10),
    }


def test_a_wrong_whole_power_of_a_negative_number_is_a_number():
    """With a whole exponent off by a tenth, a power of x keeps its sign and goes as |x| to the wrong exponent."""
    x = sp.Symbol("x", real=True)
    for n in (2, 3, -1):
        law = Law(sp.Symbol("y"), x**n, lambda y, n=n: (y - x**n,), (), Source("test", "power"), (dict(x=-0.7),))
        wrong = law.mutants()[f"{n} -> {sp.Rational(11 * n, 10)} in {x**n} [1]"]
        assert wrong.rhs == x**n * sp.Abs(x) ** sp.Rational(n, 10)


def test_examples_must_satisfy_the_hypotheses():
    """A law whose example violates its hypothesis cannot be stated."""
    with pytest.raises(ValueError, match="violates x > 0"):
        Law(sp.Symbol("y"), x, lambda y: (y - x,), (x > 0,), Source("test", "identity"), (dict(x=-1),))


def test_a_wrong_law_is_disproved():
    """A factor changed by hand in a law makes its proof fail."""
    wrong = Law(
        two_layers.lhs,
        two_layers.rhs.subs(sp.Integer(2), 3),
        two_layers.solves,
        two_layers.given,
        two_layers.source,
        two_layers.examples,
    )
    assert wrong.rhs != two_layers.rhs
    with pytest.raises(proof.Disproved):
        proof.prove(wrong)
    assert any(sp.simplify(r) != 0 for r in two_layers.residuals(wrong.rhs))
    assert all(sp.simplify(r) == 0 for r in two_layers.residuals(two_layers.rhs))


def test_a_mutant_computes_what_it_says():
    """The stable form of a law is none of its mutants': each computes its own formula."""
    assert infinitely_deep.evaluate is not None
    assert all(m.evaluate is None and m.examples == () for m in infinitely_deep.mutants().values())
    assert all(m(**good) != infinitely_deep(**good) for m in infinitely_deep.mutants().values())


def asymptotic(rhs):
    """A law for sin x at small x, relative error of order x^2."""
    return Law(
        sp.Symbol("y"),
        rhs,
        lambda y: (y / sp.sin(x) - 1,),
        (x > 0,),
        Source("test", "sine"),
        (dict(x=0.3),),
        upto=(x, 2),
    )


def test_asymptotic_laws_are_judged_by_their_order():
    """A law that holds up to x^2 is accepted at that order; a wrong factor and a wrong order are not."""
    assert proof.prove(asymptotic(x)) == "order"
    assert all(proof.refuted(mutant, asymptotic(x)) for mutant in asymptotic(x).mutants().values())
    with pytest.raises(proof.Disproved):
        proof.prove(asymptotic(x + x**2))
    assert r"\simeq" in asymptotic(x).latex()


def test_a_constant_law_has_no_arguments():
    """An exponent, say, is a law without arguments."""
    law = Law(sp.Symbol("p"), sp.Rational(3, 2), lambda p: (2 * p - 3,), (), Source("test", "exponent"), ({},))
    assert law() == 1.5 and proof.prove(law) == "identity"
    with pytest.raises(ValueError, match="unknown x"):
        law(x=1)


def test_a_mutant_says_which_term_it_changed():
    """The change of a mutant is typeset: the term as it is, and on another line as it became."""
    changes = {name: two_layers.change(name) for name in two_layers.mutants()}
    assert "- \\frac{2 s t}{\\tau}\n\\to - \\frac{11 s t}{5 \\tau}" in changes.values()
    assert all(before != after for before, after in (change.split("\n\\to ") for change in changes.values()))
    assert all(r"\to" in learning_time.change(name) for name in learning_time.mutants())  # with brackets in its names


def test_a_change_is_shown_with_what_it_stands_in():
    """1/x alone says little: it is shown as a part of 3/x; what has three letters stands alone."""
    y, z = sp.symbols("y z", real=True)
    for rhs, start, shown in (
        (2 + 3 / x, "x ->", r"\frac{3}{x}" "\n" r"\to \frac{30}{11 x}"),
        (3 / x, "x ->", r"\frac{1}{x}" "\n" r"\to \frac{10}{11 x}"),
        (sp.exp(z * (1 - x * y)), "-1 ->", "- x y\n" r"\to - \frac{11 x y}{10}"),
        (sp.exp(z * (1 - 2 / x)), "x ->", r"- \frac{2}{x}" "\n" r"\to - \frac{20}{11 x}"),
    ):
        (name,) = (name for name in spoilt.spoilt(rhs) if name.startswith(start))
        assert spoilt.change(rhs, name) == shown


def test_a_law_says_what_it_is():
    """Its name, equation, hypotheses and source, as text and typeset; an asymptotic one says that it is."""
    sine, line = asymptotic(x), of_x(2 * x)
    assert repr(sine) == "y [test, sine]: y ~ x\n  given x > 0\n  from test, sine"
    assert repr(line) == "y [test, of x]: y = 2*x\n  given nothing\n  from test, of x"
    assert repr(two_layers).startswith("two_layers: a(t) = ") and two_layers.module == "theory.chain"
    assert sine._repr_latex_() == r"$\displaystyle y \simeq x \qquad x > 0 \qquad \text{[test, sine]}$"
    assert line.latex() == "y = 2 x" and r"\tau > 0,\; \lambda > 0" in two_layers._repr_latex_()


def test_a_function_may_say_its_formula():
    """The formula is kept with the function, which is otherwise as it was."""
    twice = formula(r"2 x")(lambda x: 2 * x)
    assert twice.latex == "2 x" and twice(3) == 6


def test_a_hypothesis_that_collapsed_is_refused():
    """What sympy takes for true by the assumptions of a symbol is lost as a hypothesis."""
    p = sp.Symbol("p", positive=True)
    with pytest.raises(ValueError, match="a hypothesis collapsed to True; declare its symbols real=True only"):
        Law(sp.Symbol("y"), p, lambda y: (y - p,), (p > 0,), Source("test", "positive"), (dict(p=1.7),))
    with pytest.raises(ValueError, match="missing x; its arguments are x"):
        Law(sp.Symbol("y"), x, lambda y: (y - x,), (), Source("test", "x"), ({},))


def test_a_hypothesis_without_a_value_does_not_hold():
    """Where a side of a comparison has no value, as at a pole, the hypothesis is violated."""
    assert admits(1 / x > 0, {x: sp.Rational(1, 3)}) and not admits(1 / x > 0, {x: sp.S.Zero})


def test_a_condition_number_is_that_of_all_arguments():
    """A power has its exponent, a sum of arguments the sum; where the value is 0 no digit is right."""
    y = sp.Symbol("y", real=True)
    assert abs(of_x(x**3).condition(x=np.array([0.7, 2.0])) - 3).max() <= 16 * EPS
    product = Law(sp.Symbol("z"), x**2 / y, lambda z: (z - x**2 / y,), (), Source("test", "z"), (dict(x=2, y=3),))
    assert abs(product.condition(x=0.7, y=-1.3) - 3) <= 16 * EPS and isinstance(product.condition(x=0.7, y=1.3), float)
    assert of_x(x).condition(x=0.0) == np.inf
    assert of_x(x).condition(x=np.array([])).shape == of_x(x)(x=np.array([])).shape == (0,)
