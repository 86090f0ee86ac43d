"""Formulas as the papers print them: Greek letters spelled out, ln for log, no sum that begins with a minus."""

from __future__ import annotations

import sympy as sp
from sympy.printing.latex import LatexPrinter

SPELLED = {"lam": r"\lambda"}  # Python reserves the word lambda


class _Paper(LatexPrinter):
    def _as_ordered_terms(self, expr, order=None):
        terms = super()._as_ordered_terms(expr, order="none")
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression or relation in the symbols of the papers: `lam` is a Greek letter."""
    names = {x: SPELLED[x.name] for x in expr.free_symbols if getattr(x, "name", None) in SPELLED}
    return _Paper({"symbol_names": names, "ln_notation": True}).doprint(expr)
