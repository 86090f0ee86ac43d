"""A law that a plain function computes, with its hypotheses: the least that a stranger has to write.

    @stated("0 < eta*lam < 2")
    def settled(eta, lam, sigma):
        ...

The function takes arrays and knows only how to compute; the hypotheses are comparisons between its arguments.
Where no formula is known there is no number or symbol to get wrong, so the wrong neighbours of such a law are the
same function with one argument a tenth larger, and its value a tenth larger: runs that reject none of these have
shown nothing.  An argument given as a whole number, of which the function takes no fraction, is larger by one.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import cached_property

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from laws import arguments
from laws.arrays import real_array
from laws.spoilt import TENTH
from laws.typeset import latex

COMPARED = {ast.Lt: sp.Lt, ast.LtE: sp.Le, ast.Gt: sp.Gt, ast.GtE: sp.Ge, ast.NotEq: sp.Ne}
VALUE = "the value"


def stated(*given: str, source: str = "stated here") -> Callable[[Callable], Stated]:
    """State what a function computes as a law that holds wherever every comparison in `given` does.

    given: comparisons between the function's arguments, such as "0 < eta*lam < 2"; source: where it is printed.
    Returns a decorator. Raises ValueError for what is no comparison, or of anything but the arguments, TypeError for a
    function whose arguments have no fixed names.
    """
    if given and callable(given[0]):
        raise TypeError('write @stated("x > 0") with the hypotheses, or @stated() without any')
    return lambda function: Stated(function, given, source)


class Stated:
    """A function that is a law: called by keywords, refused outside its hypotheses, with mutants."""

    def __init__(self, function: Callable, given: tuple[str, ...], source: str):
        self.function, self.source = function, source
        self.__module__, self.__doc__ = function.__module__, function.__doc__
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        taken = inspect.signature(function).parameters.values()
        if any(argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD) for argument in taken):
            raise TypeError(f"{self.name}: a law has arguments with names, not *args or **kwargs")
        self.defaults = {a.name: a.default for a in taken if a.default is not a.empty}
        self.symbols = tuple(sp.Symbol(argument.name, real=True) for argument in taken)
        self.given = tuple(part for text in given for part in self._comparisons(text))
        self._whole: set[str] = set()  # arguments of which it was seen to refuse fractions
        self._compared = tuple(x for x in self.symbols if any(x in h.free_symbols for h in self.given))
        self._hypotheses = [(h, arguments.compiled(self._compared, h)) for h in self.given]

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.__qualname__.rpartition(".")[2]

    def __call__(self, *ordered, **at) -> np.ndarray | float:
        """The law in float64; ValueError or TypeError for arguments that are none, or violate a hypothesis."""
        names = [x.name for x in self.symbols][: len(ordered)]
        if len(names) < len(ordered) or any(name in at for name in names):
            raise TypeError(f"{self.name}: its arguments are {', '.join(x.name for x in self.symbols)}, each once")
        values = self._values({**dict(zip(names, ordered, strict=True)), **at})
        compared = [x.name for x in self._compared]
        points = arguments.floats(self.name, compared, {name: values[name] for name in compared})
        arguments.held(self.name, self._hypotheses, points, {})
        return self._computed(values)

    def mutants(self) -> dict[str, Callable]:
        """The same function with one argument, or the value, off by a tenth, or by one if whole, at a time."""
        return {name: self._mutant(name) for name in (*(x.name for x in self.symbols), VALUE)}

    def change(self, mutant: str) -> str:
        """What a mutant, by its name, has wrong, in LaTeX."""
        shown = rf"\text{{{mutant}}}" if mutant == VALUE else latex(sp.Symbol(mutant))
        return f"{shown}\n\\to " + (f"{shown} + 1" if mutant in self._whole else f"{latex(TENTH)}\\ {shown}")

    @property
    def lhs(self) -> sp.Symbol:
        """The name of the function, as a symbol."""
        return sp.Symbol(self.name)

    @cached_property
    def rhs(self) -> sp.Expr | None:
        """The formula, if the function can be followed with symbols."""
        try:
            followed = sp.sympify(self.function(*self.symbols))
        except Exception:  # a function of arrays may die of symbols in any way: then there is no formula
            return None
        usable = isinstance(followed, sp.Expr) and followed.free_symbols <= set(self.symbols)
        return followed if usable else None

    def latex(self) -> str:
        """The equation in LaTeX, or an empty word where there is no formula."""
        return "" if self.rhs is None else f"{latex(self.lhs)} = {latex(self.rhs)}"

    def _repr_latex_(self) -> str:
        hypotheses = r",\; ".join(latex(h) for h in self.given)
        return rf"$\displaystyle {self.latex() or latex(self.lhs)} \qquad {hypotheses} \qquad \text{{[{self.source}]}}$"

    def __repr__(self) -> str:
        named = ", ".join(x.name for x in self.symbols)
        hypotheses = ", ".join(str(h) for h in self.given) or "nothing"
        return f"{self.name}({named})\n  given {hypotheses}\n  from {self.source}"

    def _values(self, at) -> dict:
        """Every argument: an array as float64, a number as it was given."""
        at = self.defaults | at
        arguments.named(self.name, [x.name for x in self.symbols], at)
        arrays = {x.name: real_array(f"{self.name}: {x.name}", at[x.name]) for x in self.symbols}
        return {name: array if array.ndim else at[name] for name, array in arrays.items()}

    def _computed(self, values) -> np.ndarray | float:
        with np.errstate(all="ignore"):
            result = np.asarray(self.function(**values))
        return result if result.ndim else result.item()

    def _mutant(self, changed: str) -> Callable:
        def mutant(**at):
            """The law with one thing off by a tenth, or one; where that is undefined, the law, which nothing tells."""
            values, tenth = self._values(at), float(TENTH)
            right = np.asarray(self._computed(values))
            if changed == VALUE:
                return tenth * right
            try:
                wrong = np.asarray(self._computed({**values, changed: tenth * values[changed]}), dtype=float)
            except Exception:  # a function may refuse the wrong argument in any way
                wrong = self._next(values, changed, right)
            return np.where(np.isfinite(wrong), wrong, right) if wrong.shape == right.shape else right

        return mutant

    def _next(self, values, changed: str, right: np.ndarray) -> np.ndarray:
        """The value at the next whole number of an argument that was given as one, or `right` if there is none."""
        whole = values[changed]
        if not isinstance(whole, int | np.integer) or isinstance(whole, bool):
            return right
        try:
            wrong = np.asarray(self._computed({**values, changed: whole + 1}), dtype=float)
        except Exception:  # as above
            return right
        self._whole.add(changed)
        return wrong

    def _comparisons(self, text: str) -> list[sp.Basic]:
        """A line such as "0 < x < 1" as relations, one for each sign."""
        refusal = f"{self.name}: {text!r} must compare its arguments, as in '0 < x < 1'"
        names = {x.name: x for x in self.symbols}
        try:
            tree = ast.parse(text, mode="eval").body
            if not isinstance(tree, ast.Compare):
                raise ValueError(refusal)
            sides = [sp.sympify(ast.unparse(side), locals=names) for side in (tree.left, *tree.comparators)]
            found = [COMPARED[type(op)](*pair) for op, *pair in zip(tree.ops, sides, sides[1:], strict=False)]
        except (SyntaxError, TypeError, KeyError, AttributeError, sp.SympifyError) as error:
            raise ValueError(refusal) from error
        for relation in found:
            if unknown := relation.atoms(AppliedUndef):
                raise ValueError(f"{refusal}; {', '.join(sorted(map(str, unknown)))} is no function known here")
            if not relation.free_symbols or not relation.free_symbols <= set(self.symbols):
                raise ValueError(f"{refusal}; they are {', '.join(names)}")
        return found
