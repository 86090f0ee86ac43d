"""Symbols are written as the papers write them, and lines of text have their signs."""

import pytest
import sympy as sp

from laws.typeset import latex, plain

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
    "Sigma <= sqrt(pi) + sqrt eta -> inf": "Σ ≤ √(π) + √η → ∞",
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


@pytest.mark.parametrize("typed", LINES)
def test_plain_lines(typed):
    """Greek words, powers and indices of one letter become signs; what is none stays as it was typed."""
    assert plain(typed) == LINES[typed]
