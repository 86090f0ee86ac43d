"""Formulas as the papers print them: Greek letters and subscripts, ln for log, no sum that begins with a minus."""

from __future__ import annotations

import re

import sympy as sp
from sympy.printing.latex import LatexPrinter, greek_letters_set
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.printer import Printer

SPELLED = {"lam": r"\lambda", "eps": r"\epsilon", "perp": r"\perp", "par": r"\parallel"}  # and what sympy cannot know
TYPED = {"lam": "lamda"}  # what sympy calls the letter
SPOKEN = {
    "lam": "λ", "lambda": "λ", "tau": "τ", "eta": "η", "sigma": "σ", "rho": "ρ", "eps": "ε", "mu": "μ", "kappa": "κ",
    "alpha": "α", "beta": "β", "delta": "δ", "gamma": "γ", "theta": "θ", "epsilon": "ε", "omega": "ω", "phi": "φ",
    "psi": "ψ", "chi": "χ", "nu": "ν", "pi": "π", "Sigma": "Σ", "Delta": "Δ", "Phi": "Φ", "Lambda": "Λ", "inf": "∞",
}  # fmt: skip
RAISED = str.maketrans("+-0123456789TNDLnit", "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹ᵀᴺᴰᴸⁿⁱᵗ")
INDEX = r"(?<!\w)(d?(?:min|max|[^\W\d_])[₀-₉]?)_([A-Za-zα-ω0-9]{1,4})(?![A-Za-z_])"  # a letter, and its index
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class _Written(Printer):
    """What formulas have in common on a page and in a terminal."""

    def _root(self, exponent):
        self._settings["root_notation"] = getattr(exponent, "q", 1) == 2  # a sqrt, but no cube roots

    def _as_ordered_terms(self, expr, order=None):
        terms = super()._as_ordered_terms(expr, order="none")
        return sorted(terms, key=lambda term: term.could_extract_minus_sign())


class _Terminal(_Written, PrettyPrinter):
    def _print_Pow(self, expr):
        self._root(expr.exp)
        return super()._print_Pow(expr)

    def _print_Symbol(self, expr):
        lettered = re.sub("^([A-Za-z])([a-z])$", r"\1_\2", expr.name)  # af is a_f
        name = expr.name if expr.name in greek_letters_set | {"ln"} else lettered
        return super()._print_Symbol(sp.Symbol(TYPED.get(name, name)))

    def _print_log(self, expr):
        return self._helper_print_function(expr.func, expr.args, func_name="ln")


class _Paper(_Written, LatexPrinter):
    def _print_Pow(self, expr):
        self._root(expr.exp)
        return super()._print_Pow(expr)

    def _helper_print_standard_power(self, expr, template):
        base = self.parenthesize(expr.base, PRECEDENCE["Pow"])
        return template % (self.parenthesize_super(base) if expr.base.is_Symbol else base, self._raised(expr.exp))

    def _print_ExpBase(self, expr, exp=None):
        return self._do_exponent(rf"e^{{{self._raised(expr.args[0])}}}", exp)

    def _raised(self, exponent):
        """An exponent on one line, as 2/D - 1, where its fractions are no longer than that."""
        ordered = sorted(sp.Add.make_args(exponent), key=lambda term: term.could_extract_minus_sign())
        printed = ""
        for above, below in map(sp.fraction, ordered):
            if above.is_Add or below.is_Add:
                return self._print(exponent)
            under = f"({self._print(below)})" if below.is_Mul else self._print(below)
            part = self._print(above) + ("" if below == 1 else f" / {under}")
            minus = f" - {part[1:].lstrip()}" if part.startswith("-") else ""
            printed += (minus or f" + {part}") if printed else part
        return self._print(exponent) if r"\frac" in printed else printed

    def _print_hyper(self, expr, exp=None):
        if expr.ap == (1,) and expr.bq == (2,):  # 1F1(1; 2; x) is (e^x - 1)/x
            x = self._print(expr.argument)
            return rf"\frac{{\exp\left({x}\right) - 1}}{{{x}}}"
        above, below = (", ".join(self._print(a) for a in args) for args in (expr.ap, expr.bq))
        name = rf"\,{{}}_{{{len(expr.ap)}}}F_{{{len(expr.bq)}}}"
        printed = rf"{name}\left({above}; {below}; {self._print(expr.argument)}\right)"
        return printed if exp is None else rf"\left({printed}\right)^{{{exp}}}"

    def _hprint_Function(self, func):
        return (_name(func) if "_" in func else None) or super()._hprint_Function(func)


def latex(expr: sp.Basic) -> str:
    """LaTeX of an expression or relation in the symbols of the papers: `lam` is a Greek letter, `af` is a_f."""
    names = {x: _name(x.name) for x in expr.free_symbols if isinstance(x, sp.Symbol) and _name(x.name)}
    return _Paper({"symbol_names": names, "ln_notation": True, "inv_trig_style": "full"}).doprint(expr)


def pretty(expr: sp.Basic) -> str:
    """An expression or relation for a terminal, over several lines, its terms in the order of `latex`."""
    return _Terminal({"use_unicode": True, "wrap_line": False}).doprint(expr)


def _name(name: str) -> str | None:
    """How a symbol or function is written, where sympy would not find it out; None where it would."""
    if name in SPELLED:
        return SPELLED[name]
    if re.fullmatch("[A-Za-z][a-z]", name) and name not in greek_letters_set:
        return f"{name[0]}_{{{name[1]}}}"
    if parts := re.fullmatch("([A-Za-z]+)_([a-z]{2,})", name):
        return rf"{_letter(parts[1])}_{{{_letter(parts[2])}}}"
    return _letter(name) if re.fullmatch("[a-z]{3,}", name) else None


def _letter(name: str) -> str:
    """A letter, Greek by its name; any other word upright."""
    if name in SPELLED or len(name) == 1:
        return SPELLED.get(name, name)
    return rf"\{name}" if name.lower() in greek_letters_set else rf"\mathrm{{{name}}}"


def plain(text: str) -> str:
    """A line of text with its Greek letters, indices and signs: `lam` is λ, `->` an arrow, 2e-05 is 2×10⁻⁵."""
    for word, sign in SPOKEN.items():
        text = re.sub(rf"(?<![A-Za-z_\\]){word}(?![A-Za-z=]|_\w{{5}})", sign, text)
    text = re.sub(r"(?<![\w.])1e([+-]?)0*(\d+)\b", lambda power: "10" + _raised(power[1].strip("+") + power[2]), text)
    text = re.sub(
        r"(?<![\w.])(\d*\.?\d+)e([+-]?)0*(\d+)\b", lambda x: f"{x[1]}×10{_raised(x[2].strip('+') + x[3])}", text
    )
    text = re.sub(r"(?<![\w.])([A-Za-zα-ωΛΣΔΦ])(\d)(?!\w|\.\d)", lambda x: x[1] + x[2].translate(LOWERED), text)
    text = re.sub(r"\^(-?\d+|[TNDLnit])(?!\w|\.\d)", lambda power: _raised(power[1]), text)
    text = re.sub(r"\^\(([-+\dTNDLnit]+)\)", lambda power: _raised(power[1]), text)
    text = re.sub(r"_perp(?![A-Za-z])", "⊥", re.sub(r"\bsum_(?=\w)", "Σ_", text))
    for typed, sign in {"->": "→", ">=": "≥", "<=": "≤", "+-": "±"}.items():
        text = text.replace(typed, sign)
    text = re.sub(r"(?<![\w)])<([^\s<>=][^<>=]*)>", r"⟨\1⟩", text)
    return re.sub(r"\bsqrt *(?=[\w(])", "√", re.sub(r"\bsqrt\((\w)\)", r"√\1", text))


def _raised(power: str) -> str:
    return power.translate(RAISED)
