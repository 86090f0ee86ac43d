"""Certified evaluation contains the truth, and says so when it cannot decide."""

import mpmath
import pytest
import sympy as sp
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from laws import ball

x, y = sp.symbols("x y", real=True)

expressions = [
    sp.exp(x) * sp.sin(y), sp.log(x) / y**3, sp.erf(x) - sp.erfc(y),
    sp.LambertW(x * y), sp.LambertW(-sp.exp(-1 - x), -1), sp.atan2(x, y),
    sp.Max(x, y) + sp.Min(x, 2), sp.sqrt(x) ** 3 + x ** sp.Rational(2, 3), sp.Piecewise((x, x < y), (y**2, True)),
    sp.hyper([1, x], [2 + y], sp.Rational(1, 3)), sp.hyper([1], [3], -x), sp.gamma(x) + sp.loggamma(y),
    sp.uppergamma(x, y) + sp.lowergamma(y, x),
    sp.tanh(x) + sp.acosh(1 + y), sp.pi * x + sp.E * y + sp.EulerGamma, sp.sign(x - y) * sp.Abs(x - y),
    sp.elliptic_f(x / 20, y / 21) - sp.elliptic_e(y / 20, x / 21) + sp.elliptic_k(x / 22),
]  # fmt: skip

positive = st.fractions(min_value="1/50", max_value=20, max_denominator=97)


@pytest.mark.parametrize("expr", expressions, ids=str)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(p=positive, q=positive)
def test_ball_contains_the_value(expr, p, q):
    """The ball contains what mpmath finds at sixty digits, and is narrow."""
    at = {x: sp.Rational(p), y: sp.Rational(q)}
    with mpmath.workdps(60):
        truth = sp.lambdify([x, y], expr, "mpmath")(*(mpmath.mpf(int(v.p)) / int(v.q) for v in at.values()))
        found = ball.residual(expr, at, 40)
        distance = abs(mpmath.mpf(found.mid().str(70, radius=False)) - truth)
        assert distance <= mpmath.mpf(found.rad().str(20, radius=False)) + abs(truth) * mpmath.mpf(10) ** -50


def test_an_unresolved_zero_is_undecided():
    """An expression that is 0 in disguise has no right digits, and the error says that it may be 0."""
    with pytest.raises(ball.Undecided, match="may be 0"):
        ball.certified(sp.sqrt(x**2 + 2 * x + 1) - x - 1, {x: sp.Rational(1, 3)}, 10)


def test_residual_tells_zero_from_tiny():
    """A true identity gives a ball around 0; one that fails by 1e-50 gives a ball beside it."""
    at = {x: sp.Rational(1, 3)}
    identity = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1
    assert ball.residual(identity, at).contains(0)
    assert not ball.residual(identity + sp.Rational(1, 10**50), at).contains(0)


def test_a_corner_is_undecided_and_nothing_beside_it():
    """The second derivative of |x| is 0 wherever x is not, and nothing at 0 itself."""
    x = sp.Symbol("x", real=True)
    bent = sp.diff(sp.Abs(x), x, 2)
    assert all(ball.ball(bent, {x: sp.Integer(at)}, 60) == 0 for at in (-1, 1))
    with pytest.raises(ball.Undefined, match="no real value at x = 0"):
        ball.certified(bent, {x: sp.Integer(0)}, 10)


def test_unknown_functions_are_refused():
    """A function without certified evaluation is named."""
    with pytest.raises(TypeError, match="zeta"):
        ball.certified(sp.zeta(x), {x: sp.Integer(3)}, 10)
    with pytest.raises(ValueError, match="no value for y"):
        ball.certified(x + y, {x: sp.Integer(3)}, 10)


@pytest.mark.parametrize("k", range(24, 42))
def test_as_many_digits_are_right_as_are_asked_for(k):
    """However many bits cancel on the way, the radius is below the last digit asked for."""
    value = ball.certified(sp.exp(x / 2**k) - 1, {x: sp.Rational(1, 3)}, 10)
    assert 0 < value.rad() <= abs(value.mid()) * arb("1e-10")


def test_precision_is_raised_until_a_residual_is_resolved():
    """The sine of a number of 290 bits asks for more than the first precision; that of one of 235,000 for too much."""
    value = ball.residual(sp.sin(sp.exp(x)), {x: sp.Integer(200)})
    with mpmath.workdps(300):
        away = mpmath.sin(mpmath.exp(200)) - mpmath.mpf(value.mid().str(80, radius=False))
    assert abs(away) < mpmath.mpf(10) ** -60 and value.rad() <= arb("1e-60")
    with pytest.raises(ball.Undecided, match="not resolved to 60 digits within 32768 bits"):
        ball.residual(sp.sin(sp.exp(sp.exp(x))), {x: sp.Integer(12)})


@pytest.mark.parametrize("evaluate", [ball.residual, ball.certified])
def test_what_has_no_real_value_is_undefined(evaluate):
    """A logarithm or a root of what is negative, and a pole, are named with their place."""
    for expr, at in ((sp.log(-x), "1/3"), (sp.root(-x, 3), "1/3"), (1 / x, "0"), (sp.log(x), "-1/3"), (x**-3, "0")):
        with pytest.raises(ball.Undefined, match=f"has no real value at x = {at}|is not real, at any precision"):
            evaluate(expr, {x: sp.Rational(at)}, 10)
    assert ball.certified(x ** sp.Rational(2, 3), {x: sp.Integer(0)}, 10) == 0
    assert ball.certified((-x) ** 3, {x: sp.Integer(2)}, 10) == -8
    assert ball.certified(x ** sp.Rational(1, 3), {x: sp.Integer(1)}, 10) == 1
    assert ball.certified((-x) ** y, {x: sp.Integer(2), y: sp.Integer(2)}, 10) == 4  # whole, as it turns out


def test_a_residual_is_measured_by_its_own_terms():
    """However small all its terms are, the radius is below the last digit of the largest."""
    small = sp.Rational(1, 10**100)
    value = ball.residual(small * sp.sin(10**200 * x), {x: sp.Rational(1, 3)}, 30)
    assert value.rad() <= arb("1e-30") * abs(value).upper()


@pytest.mark.parametrize(("a", "b", "c", "z"), [("1/3", "4/3", "1/2", -5), ("1/3", "2/3", "1", "19/20")])
def test_parameters_a_whole_number_apart_have_a_value(a, b, c, z):
    """Far from 0 and near 1, where poles cancel, a hypergeometric function is a number."""
    a, b, c, z = map(sp.Rational, (a, b, c, z))
    value = ball.certified(sp.hyper([a, b], [c], x), {x: z}, 30)
    with mpmath.workdps(50):
        truth = mpmath.hyp2f1(*(mpmath.mpf(int(v.p)) / int(v.q) for v in (a, b, c, z)))
        assert abs(mpmath.mpf(value.mid().str(40, radius=False)) / truth - 1) < mpmath.mpf(10) ** -30


def test_every_number_is_read_exactly():
    """A float in a formula is the fraction that it stands for, a constant itself, what is rational exact."""
    at = {x: sp.Rational(1, 3)}
    assert ball.ball(sp.Float(0.1) * x - sp.Rational(*(0.1).as_integer_ratio()) / 3, at, 100) == 0
    assert ball.ball(sp.Rational(1, 7) * x - x / 7, at, 100).is_exact()
    with mpmath.workdps(50):
        for constant in (sp.pi, sp.E, sp.EulerGamma, sp.Catalan):
            digits = ball.certified(constant, {}, 40).mid().str(40, radius=False)
            assert abs(mpmath.mpf(digits) - mpmath.mpf(str(constant.evalf(50)))) < mpmath.mpf(10) ** -38


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (x < y, True), (x > y, False), (x <= x + 0 * y, True), (x >= y, False), (sp.Ne(x, y), True),
        (sp.Eq(2 * x, y), True), (sp.Eq(x, y), False), (y <= 2 * x, True), (y < 2 * x, False), (y >= 2 * x, True),
        (sp.And(x < y, x > 0), True), (sp.And(x < y, x > 1), False), (sp.Or(x > y, x > 1), False),
        (sp.Or(x > y, x > 0), True), (sp.And(x > 0, sp.exp(x) > y, y < 1), True),
    ],
)  # fmt: skip
def test_conditions_are_decided_at_once(condition, holds):
    """A piecewise expression has the value of the first piece whose condition holds, at its edges too."""
    at = {x: sp.Rational(1, 3), y: sp.Rational(2, 3)}
    assert ball.ball(sp.Piecewise((1, condition), (2, x < 1), (3, True)), at, 200) == (1 if holds else 2)


EDGE = sp.log(2 * x) - sp.log(x) <= sp.log(2)  # both sides are equal in disguise


def test_a_condition_that_precision_does_not_decide_leaves_all_pieces():
    """The ball holds each piece that may be meant, and no other, unless another part of the condition decides."""
    at = {x: sp.Rational(1, 3), y: sp.Rational(2, 3)}
    both, either = sp.And(EDGE, x < y), sp.Or(EDGE, x > y)  # undecided as well
    for condition, decided in (
        (EDGE, None), (both, None), (either, None), (sp.And(EDGE, x > y), 2), (sp.Or(EDGE, x < y), 1)
    ):  # fmt: skip
        found = ball.ball(sp.Piecewise((1, condition), (2, True), (7, True)), at, 200)
        held = [value for value in (1, 2, 7) if found.contains(value)]
        assert held == ([1, 2] if decided is None else [decided])
    assert ball.ball(sp.Piecewise((1, x > y), (2, x > 1)), at, 200).is_nan()


def test_pieces_that_meet_have_a_value_at_their_edge():
    """Where an edge is not decided, pieces with one limit have that value, others are undecided: none is undefined."""
    at = {x: sp.Rational(1, 3), y: sp.Rational(2, 3)}
    meeting = sp.Piecewise((sp.exp(x), EDGE), (sp.exp(y - x), True))
    assert ball.certified(meeting, at, 30).contains(ball.certified(sp.exp(x), at, 60))
    apart = sp.Piecewise((sp.exp(x), EDGE), (sp.exp(y), True))
    one_sided = sp.Piecewise((sp.exp(x), EDGE), (sp.log(-x), True))
    not_real = sp.Piecewise((sp.exp(x), EDGE), (sp.root(-x, 3), True))
    beyond = sp.Piecewise((sp.exp(x), EDGE))
    for expr in (apart, one_sided, not_real, beyond):
        for evaluate in (ball.certified, ball.residual):
            with pytest.raises(ball.Undecided) as refused:
                evaluate(expr, at, 10)
            assert refused.type is ball.Undecided


class Doubled(sp.Function):
    """A function that is not listed, and brings its ball along."""

    @staticmethod
    def certified(z, k):
        """The ball of 2 z + k."""
        return 2 * z + k


def test_a_function_may_bring_its_ball():
    """It gets the balls of its arguments."""
    found = ball.ball(Doubled(sp.sqrt(x), y), {x: sp.Integer(9), y: sp.Rational(1, 2)}, 100)
    assert found == arb("6.5")
