"""Long formulas are broken and abbreviated without a change of what they say."""

import importlib
import pkgutil

import pytest
import sympy as sp

import theory
from laws.broken import LONG, abbreviated, broken
from laws.law import found_in
from laws.mathml import mathml
from laws.typeset import latex

modules = [importlib.import_module(f"theory.{module.name}") for module in pkgutil.iter_modules(theory.__path__)]
laws = {f"{law.module}.{name}": law for module in modules for name, law in found_in(module)}


@pytest.mark.parametrize("name", laws)
def test_abbreviations_mean_the_formula(name):
    """With every letter put back, the later ones first, the abbreviated formula is the law's own."""
    short, meanings = abbreviated(laws[name].rhs)
    for letter, meaning in reversed(meanings):
        assert letter not in laws[name].rhs.free_symbols
        short = short.xreplace({letter: meaning})
    assert short == laws[name].rhs


@pytest.mark.parametrize("name", laws)
def test_every_piece_is_a_formula(name):
    """Each piece has as many opening as closing braces, and typesets by itself."""
    law = laws[name]
    for line in broken(law.lhs, "=", law.rhs).split("\n\n"):
        for piece in line.split("\n"):
            assert piece.count("{") == piece.count("}") and "<math" in mathml(piece)


def test_what_is_short_stays_whole():
    """A formula that fits gets no letters; a sum is offered to the browser term by term, with its signs."""
    x, y = sp.symbols("x y", real=True)
    assert abbreviated(x + y / x) == (x + y / x, [])
    assert broken(sp.Symbol("z"), "=", x - y).split("\n") == ["z = x", "{} - y"]


def test_what_repeats_gets_a_letter():
    """A part that makes a formula long by occurring again is named once."""
    x, y = sp.symbols("x y", real=True)
    part = sp.exp(-(x**2) * y / (x + y)) * sp.sqrt(x**2 + y**2)
    long = sum(sp.Function(f"f_{k}")(part) for k in range(6))
    short, meanings = abbreviated(long)
    assert len(latex(short)) < LONG < len(latex(long)) and [meaning for _, meaning in meanings] == [part]
