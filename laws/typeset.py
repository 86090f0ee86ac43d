"""Formulas as the papers print them: Greek letters and subscripts, ln for log, no sum that begins with a minus."""

from __future__ import annotations

import re

import sympy as sp
from sympy.printing.latex import LatexPrinter

SPELLED = {"lam": r"\lambda"}  # Python reserves the word lambda
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
GREEK = {"mu", "nu", "xi", "pi"}
SPOKEN = {
    "lam": "λ", "lambda": "λ", "tau": "τ", "eta": "η", "sigma": "σ", "rho": "ρ", "eps": "ε", "mu": "μ", "kappa": "κ",
    "alpha": "α", "beta": "β", "delta": "δ",
}  # fmt: skip


class _Paper(LatexPrinter):
    def _print_Pow(self, expr):
        self._settings["root_notation"] = getattr(expr.exp, "q", 1) == 2  # a sqrt, but no cube roots
        return super()._print_Pow(expr)

    def _print_hyper(self, expr, exp=None):
        if expr.ap == (1,) and expr.bq == (2,):  # 1F1(1; 2; x) is (e^x - 1)/x
            x = self._print(expr.argument)
            return rf"\frac{{\exp\left({x}\right) - 1}}{{{x}}}"
        above, below = (", ".join(self._print(a) for a in args) for args in (expr.ap, expr.bq))
        name = rf"\,{{}}_{{{len(expr.ap)}}}F_{{{len(expr.bq)}}}"
        printed = rf"{name}\left({above}; {below}; {self._print(expr.argument)}\right)"
        return printed if exp is None else rf"\left({printed}\right)^{{{exp}}}"

    def _as_ordered_terms(self, expr, order=None):
        terms = super()._as_ordered_terms(expr, order="none")
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression or relation in the symbols of the papers: `lam` is a Greek letter, `af` is a_f."""
    names = {x: _name(x.name) for x in expr.free_symbols if isinstance(x, sp.Symbol) and _name(x.name)}
    return _Paper({"symbol_names": names, "ln_notation": True, "inv_trig_style": "full"}).doprint(expr)


def _name(name: str) -> str | None:
    """How a symbol is written, where sympy would not find it out; None where it would."""
    if re.fullmatch("[A-Za-z][a-z]", name) and name not in GREEK:
        return f"{name[0]}_{{{name[1]}}}"
    if word := re.fullmatch("([A-Za-z])_([a-z]{2,})", name):
        return rf"{word[1]}_{{\mathrm{{{word[2]}}}}}"
    return SPELLED.get(name)


def plain(text: str) -> str:
    """A line of text with its Greek letters and signs: `lam` is λ, `->` an arrow, 2e-05 is 2×10⁻⁵."""
    for word, sign in SPOKEN.items():
        text = re.sub(rf"(?<![A-Za-z_\\]){word}(?![A-Za-z_=])", sign, text)
    text = re.sub(r"\^([23])(?![\d.])", lambda power: "²³"[int(power[1]) - 2], text)
    text = re.sub(
        r"(?<=\d)e([+-]?)0*(\d+)\b", lambda power: "×10" + (power[1].strip("+") + power[2]).translate(RAISED), text
    )
    return text.replace("->", "→").replace(">=", "≥").replace("<=", "≤")
