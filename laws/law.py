"""What a law is: an equation with its hypotheses, its problem, its source and its examples.

A law says `lhs = rhs` wherever every hypothesis in `given` holds.  Beside the formula stands the
problem that the formula answers: `solves` turns any candidate into residuals that all vanish at
the right side.  Since `solves` is a function of the candidate, a proof cannot drift from the
formula, and a wrong formula can be sent through the same proof: it must fail there.

Symbols are declared `real=True` only.  With `positive=True` sympy would turn `tau > 0` into
`True`, and the hypothesis would be lost.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import TypeVar

import numpy as np
import sympy as sp
from flint import arb

from laws import arguments, ball, spoilt
from laws.typeset import latex

Function = TypeVar("Function", bound=Callable)


@dataclass(frozen=True)
class Source:
    """Where a result is printed: a document and its own label of the equation."""

    document: str
    label: str

    def __str__(self) -> str:
        return f"{self.document}, {self.label}"


@dataclass(frozen=True)
class Step:
    """One line of a derivation: what it says, its equation, what the unknown functions are, and where it holds.

    `where` maps each unknown function or abbreviation in `equation` to an explicit expression;
    with it put in, both sides are equal wherever every hypothesis in `given` holds, which a test
    proves by certified balls.
    """

    says: str
    equation: sp.Eq
    where: Mapping[sp.Basic, sp.Expr] = field(default_factory=dict)
    given: tuple[sp.Basic, ...] = ()

    def residual(self) -> sp.Expr:
        """Left side minus right side, with every unknown put in and every derivative taken."""
        return explicit(self.equation.lhs - self.equation.rhs, self.where)

    def _repr_latex_(self) -> str:
        hypotheses = rf" \quad ({', '.join(latex(h) for h in self.given)})" if self.given else ""
        return rf"$\displaystyle {latex(self.equation)}{hypotheses} \qquad \text{{{self.says}}}$"


def formula(latex: str) -> Callable[[Function], Function]:
    r"""Say in LaTeX what a function computes that no `Law` can state; the report prints it.

    @formula(r"\dot A = W_2 (\Sigma_{yx} - A \Sigma_x) W_1")
    def output_speed(...):
    """

    def state(function: Function) -> Function:
        vars(function)["latex"] = latex
        return function

    return state


@dataclass(frozen=True, eq=False, repr=False)
class Law:
    """`lhs = rhs` wherever every hypothesis in `given` holds.

    solves: candidate for `rhs` -> residuals of the problem it answers; all vanish at `rhs`
    given: hypotheses, as sympy relations between real symbols
    source: where it is printed, or "derived here"
    examples: points, as keyword values, that proofs, float tests and plots share
    upto: (small symbol, exponent) of the residuals of an asymptotic law
    evaluate: keyword arrays -> array, a float64 form that is stable where `rhs` is not
    reasons: what to tell the user when a hypothesis fails
    """

    lhs: sp.Expr
    rhs: sp.Expr
    solves: Callable[[sp.Expr], tuple[sp.Expr, ...]]
    given: tuple[sp.Basic, ...]
    source: Source
    examples: tuple[dict, ...]
    upto: tuple[sp.Symbol, sp.Expr] | None = None
    evaluate: Callable[..., np.ndarray] | None = None
    reasons: Mapping[sp.Basic, str] = field(default_factory=dict)
    module: str = field(default="", init=False)

    def __post_init__(self):  # pragma: no mutate block (mutmut would call it from two frames further)
        # as typing.TypeVar does: a law is called by the variable that holds it
        module = sys._getframe(2).f_globals.get("__name__", "")
        object.__setattr__(self, "module", module.partition("._")[0])  # a private module belongs to its package
        arguments.not_collapsed(self.lhs, self.given)
        for example in self.examples:
            self._names(example)
            self._hold(self._rationals(example))

    @property
    def name(self) -> str:
        """The name of the variable that holds this law, or its left side."""
        return variable(self, self.module) or f"{self.lhs} [{self.source}]"

    @cached_property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The arguments of the law, in alphabetical order."""
        parts = (self.rhs, *self.given)
        return tuple(sorted(set().union(*(part.free_symbols for part in parts)), key=str))

    def residuals(self, candidate: sp.Expr | None = None) -> tuple[sp.Expr, ...]:
        """The residuals of the problem at `candidate` (default: the law itself), derivatives taken."""
        return tuple(sp.sympify(r).doit() for r in self.solves(self.rhs if candidate is None else candidate))

    def __call__(self, **at) -> np.ndarray | float:
        """The law in float64; arrays broadcast.

        Raises ValueError for a missing, unknown, non-finite or inadmissible argument and for shapes
        that do not broadcast, TypeError for one that is no real number.
        """
        values = self._floats(at)
        with np.errstate(all="ignore"):
            result = np.asarray((self.evaluate or self._compiled)(**values))
        result = self._repair(np.real_if_close(result), values)
        return result if result.ndim else float(result)

    def exact(self, digits: int = 30, /, **at) -> sp.Float:
        """The value with `digits` digits that are right; "0.1" means one tenth, 0.1 the float."""
        value = self.certified(digits, **at)
        mantissa, exponent = value.mid().man_exp()
        return sp.Float(sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent), digits)

    def certified(self, digits: int = 30, /, **at) -> arb:
        """A ball that contains the value, with a relative radius below 10^-digits."""
        if not isinstance(digits, int) or isinstance(digits, bool) or digits < 1:
            raise ValueError(f"digits = {digits!r} must be a positive whole number")
        self._names(at)
        values = self._rationals(at)
        self._hold(values)
        return ball.certified(self.rhs, values, digits)

    def condition(self, **at) -> np.ndarray | float:
        """The condition number sum |x df/dx| / |f| over all arguments x, in float64; arrays broadcast."""
        values = self._floats(at)

        def at_point(*point):
            where = {x: ball.number(x.name, float(v)) for x, v in zip(self.symbols, point, strict=True)}
            return _condition(self.rhs, where)

        result = np.vectorize(at_point, otypes=[float])(*(values[x.name] for x in self.symbols))
        return result if result.ndim else float(result)

    def mutants(self) -> dict[str, Law]:
        """The same law with one number or symbol of its right side off by a tenth, at a time."""
        found = spoilt.spoilt(self.rhs).items()
        return {name: replace(self, rhs=wrong, evaluate=None, examples=()) for name, wrong in found}

    def change(self, mutant: str) -> str:
        """What a mutant, by its name, has wrong, in LaTeX: the term as it is and, on another line, as it became."""
        return spoilt.change(self.rhs, mutant)

    def latex(self) -> str:
        """The equation in LaTeX."""
        approximately = "=" if self.upto is None else r"\simeq"
        return f"{latex(self.lhs)} {approximately} {latex(self.rhs)}"

    def _repr_latex_(self) -> str:
        hypotheses = r",\; ".join(latex(h) for h in self.given)
        return rf"$\displaystyle {self.latex()} \qquad {hypotheses} \qquad \text{{[{self.source}]}}$"

    def __repr__(self) -> str:
        sign = "=" if self.upto is None else "~"
        hypotheses = ", ".join(str(h) for h in self.given) or "nothing"
        return f"{self.name}: {self.lhs} {sign} {self.rhs}\n  given {hypotheses}\n  from {self.source}"

    # -- arguments -----------------------------------------------------------------------------

    def _names(self, at) -> None:
        arguments.named(self.name, [x.name for x in self.symbols], at)

    def _rationals(self, at) -> dict[sp.Symbol, sp.Rational]:
        return {x: ball.number(f"{self.name}: {x.name}", at[x.name]) for x in self.symbols}

    def _hold(self, values) -> None:
        for hypothesis in self.given:
            if not admits(hypothesis, values):
                named = {x.name: v for x, v in values.items()}
                raise ValueError(arguments.violation(self.name, hypothesis, named, self.reasons))

    def _floats(self, at) -> dict[str, np.ndarray]:
        """The arguments as float64 arrays of one shape, all hypotheses checked."""
        values = arguments.floats(self.name, [x.name for x in self.symbols], at)
        arguments.held(self.name, self._hypotheses, values, self.reasons)
        return values

    # -- evaluation ----------------------------------------------------------------------------

    @cached_property
    def _compiled(self):
        return _compile(self.symbols, self.rhs)

    @cached_property
    def _hypotheses(self):
        return [(h, _compile(self.symbols, h)) for h in self.given]

    def _repair(self, result, values) -> np.ndarray:
        """Where float64 over- or underflowed on the way, the certified ball answers."""
        shape = next(iter(values.values())).shape if values else ()
        result = np.array(np.broadcast_to(result, shape), dtype=complex if np.iscomplexobj(result) else float)
        for i in np.flatnonzero(~np.isfinite(result) | (np.imag(result) != 0) | (result == 0)):
            where = {x: ball.number(x.name, float(values[x.name].flat[i])) for x in self.symbols}
            try:
                result.flat[i] = float(ball.certified(self.rhs, where, 17))
            except ball.Undecided:
                result.flat[i] = 0.0 if result.flat[i] == 0 else np.nan
        return result.real.astype(float)


def admits(hypothesis: sp.Basic, values: Mapping[sp.Symbol, sp.Rational]) -> bool:
    """Whether a hypothesis holds at rational values; where a side is undefined it does not."""
    try:
        return hypothesis.subs(values) == sp.true
    except TypeError:  # sympy will not compare with complex infinity
        return False


def explicit(expr: sp.Expr, where: Mapping[sp.Basic, sp.Expr]) -> sp.Expr:
    """`expr` with every unknown of `where` put in and every derivative and integral done."""
    functions = {f: value for f, value in where.items() if isinstance(f, sp.core.function.AppliedUndef)}
    for unknown, value in functions.items():
        parameters = sp.Lambda(unknown.args, value)
        expr = expr.replace(unknown.func, parameters)
    if expr.is_Matrix:  # entries are long, and know none of the matrix symbols: one pass does
        return expr.xreplace(dict(where)).doit()
    return expr.subs({f: value for f, value in where.items() if f not in functions}).doit()


def variable(held: object, module: str) -> str | None:
    """The name of the variable of a loaded module that holds this very object, or None."""
    home = sys.modules.get(module)
    return next((name for name, value in vars(home).items() if value is held), None) if home else None


def found_in(module) -> Iterator[tuple[str, Law]]:
    """Every law of a module, by the name of the variable that holds it."""
    return ((name, value) for name, value in vars(module).items() if isinstance(value, Law))


def _condition(expr, where) -> float:
    """Sum |x df/dx| / |f|, from differences so small, and digits so many, that fifteen are right."""
    h, change = sp.Rational(1, 2**100), arb(0)
    if ball.ball(expr, where, 300).contains(0):
        return np.inf  # no relative error is small where the value is 0
    for x, v in where.items():
        after, before = (ball.residual(expr, {**where, x: v * (1 + step)}, 60) for step in (h, -h))
        change += abs(after - before) * 2**99
    return float(change / abs(ball.certified(expr, where, 60)))


@cache
def _compile(symbols, expr):
    if expr.has(sp.hyper, sp.elliptic_f):  # numpy has none: every value is left to the certified ball
        return lambda **values: np.nan
    return arguments.compiled(symbols, expr)
