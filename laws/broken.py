"""Long formulas, so set that they fit: abbreviations for what occurs again, and breaks between terms.

A browser breaks no line inside a formula.  So the pieces between which it may are separated by line ends,
which LaTeX itself takes for spaces.
"""

from __future__ import annotations

from collections import Counter

import sympy as sp

from laws.typeset import latex

LONG = 230  # letters of LaTeX, beyond which a formula is abbreviated and its longest products are broken
MOST = 4  # abbreviations
WORTH = 24  # letters that a part must have to be abbreviated
NAMES = ("A", "B", "C", "G", "H", "Q", "R", "X", "Y", "Z")


def broken(lhs: sp.Expr, sign: str, rhs: sp.Expr) -> str:
    """The LaTeX of an equation in pieces, one a line; after a blank line each, what the abbreviations mean."""
    short, meanings = abbreviated(rhs)
    lines = [_signed(_terms(short), f"{latex(lhs)} {sign} ")]
    first = [r"\text{where } ", *[""] * MOST]
    lines += [[f"{word}{latex(name)} = {latex(part)}"] for word, (name, part) in zip(first, meanings, strict=False)]
    return "\n\n".join("\n".join(pieces) for pieces in lines)


def abbreviated(expr: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Expr]]]:
    """`expr` with letters for what makes it long, and what the letters mean; the later may use the earlier."""
    taken = {symbol.name for symbol in expr.free_symbols}
    names = iter([sp.Symbol(name) for name in NAMES if name not in taken][:MOST])
    meanings: list[tuple[sp.Symbol, sp.Expr]] = []
    while len(latex(expr)) > LONG:
        saved = Counter({part: (n - 1) * len(latex(part)) for part, n in _parts(expr).items() if n > 1})
        name = next(names, None)
        if not saved or name is None:
            break
        part, _ = saved.most_common(1)[0]
        expr = expr.xreplace({part: name})
        meanings.append((name, part))
    return expr, meanings


def _parts(expr: sp.Expr) -> Counter:
    """How often each subexpression worth a letter occurs."""
    parts = (part for part in sp.preorder_traversal(expr) if isinstance(part, sp.Expr))
    return Counter(part for part in parts if part.free_symbols and len(latex(part)) > WORTH)


def _terms(expr: sp.Expr) -> list[str]:
    """The LaTeX of each term of a sum; a long product with a sum in it is broken inside its brackets."""
    found = []
    for term in _ordered(expr):
        sums = [factor for factor in sp.Mul.make_args(term) if factor.is_Add]
        if len(latex(term)) < LONG or len(sums) != 1:
            found.append(latex(term))
            continue
        parts = [latex(part) for part in _ordered(sums[0])]
        size = "Bigg" if any(r"\frac" in part for part in parts) else "Big"  # \left and \right would forbid a break
        inner = _signed(parts, rf"{latex(term / sums[0])} \{size}l( ")
        found += [*inner[:-1], inner[-1] + rf" \{size}r)"]
    return found


def _ordered(expr: sp.Expr) -> list[sp.Expr]:
    return sorted(sp.Add.make_args(expr), key=lambda term: (term.could_extract_minus_sign(), sp.default_sort_key(term)))


def _signed(terms: list[str], opening: str) -> list[str]:
    """The opening before the first term, a sign before every other that has none."""
    rest = [term if term.lstrip().startswith(("{}", "-")) else f"+ {term}" for term in terms[1:]]
    return [opening + terms[0], *("{} " + term.removeprefix("{} ") for term in rest)]
