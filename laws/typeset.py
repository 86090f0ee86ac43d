"""Formulas as the papers print them: Greek letters and subscripts, ln for log, no sum that begins with a minus."""

from __future__ import annotations

import re

import sympy as sp
from sympy.printing.latex import LatexPrinter

SPELLED = {"lam": r"\lambda"}  # Python reserves the word lambda
GREEK = {"mu", "nu", "xi", "pi"}


class _Paper(LatexPrinter):
    def _as_ordered_terms(self, expr, order=None):
        terms = super()._as_ordered_terms(expr, order="none")
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression or relation in the symbols of the papers: `lam` is a Greek letter, `af` is a_f."""
    names = {x: _name(x.name) for x in expr.free_symbols if isinstance(x, sp.Symbol) and _name(x.name)}
    return _Paper({"symbol_names": names, "ln_notation": True}).doprint(expr)


def _name(name: str) -> str | None:
    """How a symbol is written, where sympy would not find it out; None where it would."""
    if re.fullmatch("[A-Za-z][a-z]", name) and name not in GREEK:
        return f"{name[0]}_{{{name[1]}}}"
    return SPELLED.get(name)
