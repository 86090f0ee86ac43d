"""Symbols are written as the papers write them, and lines of text have their signs."""

import pytest
import sympy as sp

from laws.typeset import latex, plain, pretty

NAMES = {
    "lam": r"\lambda",
    "af": "a_{f}",
    "w_perp": r"w_{\perp}",
    "lambda_next": r"\lambda_{\mathrm{next}}",
    "eta_a": r"\eta_{a}",
    "v_off": r"v_{\mathrm{off}}",
    "batch": r"\mathrm{batch}",
    "theta": r"\theta",
    "x": "x",
}
LINES = {
    "W1^T x^2. in 2^N": "W₁ᵀ x². in 2ᴺ",
    "b0^(2-D) at lam = 1e-05": "b₀²⁻ᴰ at λ = 10⁻⁵",
    "SHA-256 c11f0e57, 2.5e+07": "SHA-256 c11f0e57, 2.5×10⁷",
    "Sigma <= sqrt(pi) + sqrt eta -> inf": "Σ ≤ √π + √η → ∞",
    "<x^4> of w_perp^2 +-b0, sqrt(M-1).": "⟨x⁴⟩ of w⊥² ±b₀, √(M-1).",
    "a < b and c > d, a<b or c>d": "a < b and c > d, a<b or c>d",
    "lambda_max of information": "λ_max of information",
    "x^2.5, 3D and x12": "x^2.5, 3D and x12",
}


@pytest.mark.parametrize("name", NAMES)
def test_symbols(name):
    """A symbol is set by what its name says: Greek letters, indices in roman where they are words."""
    assert latex(sp.Symbol(name, real=True)) == NAMES[name]


def test_functions():
    """A function is set by its name, as a symbol is."""
    t = sp.Symbol("t", real=True)
    assert latex(sp.Function("beta_par")(t)) == r"\beta_{\parallel}{\left(t \right)}"


def test_terminal():
    """In a terminal formulas are written as on a page: s - a lambda, ln, a_f, cube roots as powers."""
    s, lam, af, mu = sp.symbols("s lam af mu", positive=True)
    assert pretty(sp.log(s - af * lam) + mu) == "μ + ln(s - a_f⋅λ)"
    assert pretty(sp.cbrt(s)).split() == ["1/3", "s"]


@pytest.mark.parametrize("typed", LINES)
def test_plain_lines(typed):
    """Greek words, powers and indices of one letter become signs; what is none stays as it was typed."""
    assert plain(typed) == LINES[typed]


def test_exponents_stand_on_one_line():
    """A fraction in an exponent has a slash, and brackets below it where it needs them; a longer one stays stacked."""
    a, b, c = sp.symbols("a b c", real=True)
    assert latex(a ** sp.Rational(1, 3)) == "a^{1 / 3}"
    assert latex(a ** (2 / b - 1)) == "a^{2 / b - 1}"
    assert latex(sp.exp(-a / (b * c))) == r"e^{- a / (b c)}"
    assert latex(a ** (1 / (b + c))) == r"a^{\frac{1}{b + c}}"
