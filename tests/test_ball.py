"""Certified evaluation contains the truth, and says so when it cannot decide."""

import mpmath
import pytest
import sympy as sp
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
