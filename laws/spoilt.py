"""Wrong neighbours of a formula: one number or symbol of it off by a tenth, at a time."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from laws.typeset import latex

TENTH = sp.Rational(11, 10)


def spoilt(expr: sp.Expr) -> dict[str, sp.Expr]:
    """By name, every formula with one leaf of `expr` off by a tenth that is not `expr` itself, each once."""
    found: dict[str, sp.Expr] = {}
    for path, leaf in _leaves(expr):
        wrong = _swap(expr, path, leaf * TENTH)
        if wrong != expr and wrong not in found.values():
            found[f"{leaf} -> {leaf * TENTH} in {_at(expr, path[:-1])} [{'.'.join(map(str, path))}]"] = wrong
    return found


def change(expr: sp.Expr, name: str) -> str:
    """What a neighbour, by its name, has wrong, in LaTeX: the term as it is and, on another line, as it became."""
    path = tuple(int(i) for i in name.rpartition("[")[2].rstrip("]").split(".") if i)
    up = 2 if len(path) > 2 and len(_at(expr, path[:-1]).atoms()) < 3 else 1  # 1/x alone says little
    whole, leaf = _at(expr, path[:-up]), _at(expr, path)
    return f"{latex(whole)}\n\\to {latex(_swap(whole, path[-up:], leaf * TENTH))}"


def _leaves(expr, path=()) -> Iterator[tuple[tuple[int, ...], sp.Expr]]:
    """Every number and symbol of a tree, with the path of argument indices that leads to it."""
    if not expr.args:
        if expr.is_Symbol or expr.is_number:
            yield path, expr
        return
    for i, argument in enumerate(expr.args):
        yield from _leaves(argument, (*path, i))


def _swap(expr, path, leaf):
    if not path:
        return leaf
    if expr.is_Pow and path == (1,) and expr.exp.is_Integer and not expr.base.is_nonnegative:
        return expr * sp.Pow(expr.base**2, (leaf - expr.exp) / 2)  # |base|, so that a negative one has a power too
    arguments = list(expr.args)
    arguments[path[0]] = _swap(arguments[path[0]], path[1:], leaf)
    return expr.func(*arguments)


def _at(expr, path):
    for i in path:
        expr = expr.args[i]
    return expr
