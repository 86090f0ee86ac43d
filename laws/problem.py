"""A law whose formula nobody knows: the problem alone, solved numerically with a stated error.

What a `Law` says by a formula, a `Problem` says by the equations that the formula would have to solve, written in the
same way: `solves` turns unknowns into residuals that must vanish.  Two kinds can be solved:

- differential equations of first order, as many as there are unknown functions, each with its start: residuals in
  w(t), v(t) and their derivatives, solved by an explicit Runge-Kutta method of order 8 (scipy's DOP853);
- one equation for one unknown number, which must have a single root in the open interval `between`, solved by
  bracketing it (Brent's method): self-consistent order parameters, fixed points.

The value is that at a hundredth of the stated relative tolerance `rtol`; its distance from that at `rtol` itself
estimates the error, as `laws.judges.Solver` does for runs.  `confront` lets both stand trial: runs that tell one from
the other ask for a smaller `rtol`.  The wrong neighbours have one number or symbol of the speeds, of the starts or of
the equation off by a tenth.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import sympy as sp

from laws import arguments, solving, spoilt
from laws.law import Source, variable
from laws.typeset import latex


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """`lhs` where the unknowns solve their equations and every hypothesis in `given` holds.

    lhs: what is observed, an expression in the unknowns: a(t), w(t)*v(t), m
    solves: unknowns -> residuals of their equations and starts
    given: hypotheses, as sympy relations between symbols that are real=True
    unknowns: functions of one variable, or one symbol; `lhs` itself unless stated
    between: for an unknown number, the ends of the interval that holds one root, numbers or expressions
    rtol: relative tolerance, from 1e-11 to 1e-3; the value is computed at rtol/100
    """

    lhs: sp.Expr
    solves: Callable[..., tuple[sp.Expr, ...]]
    given: tuple[sp.Basic, ...] = ()
    source: Source | str = "stated here"
    unknowns: tuple[sp.Expr, ...] = ()
    between: tuple | None = None
    rtol: float = 1e-9
    module: str = field(default="", init=False)

    def __post_init__(self):  # pragma: no mutate block (mutmut would call it from two frames further)
        module = sys._getframe(2).f_globals.get("__name__", "")  # as typing.TypeVar does
        object.__setattr__(self, "module", module.partition("._")[0])
        object.__setattr__(self, "unknowns", tuple(self.unknowns) or (self.lhs,))
        if not 1e-11 <= self.rtol <= 1e-3:
            raise ValueError(f"{self.lhs}: rtol = {self.rtol} must lie between 1e-11 and 1e-3")
        arguments.not_collapsed(self.lhs, self.given)
        assert self._parts  # refuses what cannot be solved

    @property
    def name(self) -> str:
        """The name of the variable that holds this problem, or what is observed."""
        return variable(self, self.module) or str(self.lhs)

    @cached_property
    def residuals(self) -> tuple[sp.Expr, ...]:
        """The equations, each as what must vanish."""
        found = self.solves(*self.unknowns)
        return tuple(sp.sympify(r) for r in (found if isinstance(found, tuple | list) else (found,)))

    @cached_property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The arguments: the time, if there is one, and every parameter, in alphabetical order."""
        parts = (*self._parts, self._observed, *self.given)
        found = set().union(*(part.free_symbols for part in parts)) - set(self._letters)
        return tuple(sorted(found | ({self._time} if self._moving else set()), key=str))

    def __call__(self, **at) -> np.ndarray | float:
        """The solution at rtol/100; ValueError or TypeError for arguments that are none or violate a hypothesis."""
        return self._at(self.rtol / 100, at)

    def coarse(self, **at) -> np.ndarray | float:
        """The solution at rtol, which differs from the value by about as much as that may be wrong, or more."""
        return self._at(self.rtol, at)

    def error(self, **at) -> np.ndarray | float:
        """The distance between both solutions."""
        return abs(self(**at) - self.coarse(**at))

    def mutants(self) -> dict[str, Callable]:
        """The same problem with one number or symbol of it off by a tenth, at a time."""
        return {name: self._mutant(*where) for name, where in self._spoilt.items()}

    def change(self, mutant: str) -> str:
        """What a mutant, by its name, has wrong, in LaTeX."""
        k, _ = self._spoilt[mutant]
        return spoilt.change(self._parts[k], mutant.partition(": ")[2])

    def latex(self) -> str:
        """What is observed, if it is not the unknown itself, and the equations, in LaTeX with a blank line between."""
        observed = [] if self.unknowns == (self.lhs,) else [rf"{latex(self.lhs)} \text{{ where}}"]
        return "\n\n".join([*observed, *(f"{latex(residual)} = 0" for residual in self.residuals)])

    def _repr_latex_(self) -> str:
        equations = r",\quad ".join(f"{latex(r)} = 0" for r in self.residuals)
        hypotheses = r",\; ".join(latex(h) for h in self.given)
        return rf"$\displaystyle {equations} \qquad {hypotheses}$"

    def __repr__(self) -> str:
        equations = "; ".join(f"{residual} = 0" for residual in self.residuals)
        hypotheses = ", ".join(str(h) for h in self.given) or "nothing"
        return f"{self.name}: {self.lhs} where {equations}\n  given {hypotheses}\n  from {self.source}"

    # -- the problem, in letters -------------------------------------------------------------------

    @cached_property
    def _moving(self) -> bool:
        return all(isinstance(u, sp.core.function.AppliedUndef) for u in self.unknowns)

    @cached_property
    def _time(self) -> sp.Symbol:
        return self.unknowns[0].args[0]

    @cached_property
    def _letters(self) -> tuple[sp.Symbol, ...]:
        """A symbol for each unknown, called as the function is, or else if a parameter is called so."""
        taken = {x.name for r in self.residuals for x in r.free_symbols}
        names = [u.func.__name__ if self._moving else "" for u in self.unknowns]
        fresh = (sp.Symbol(f"{name}_now" if name in taken else name, real=True) for name in names)
        return tuple(fresh) if self._moving else self.unknowns

    @cached_property
    def _observed(self) -> sp.Expr:
        return self.lhs.xreplace(dict(zip(self.unknowns, self._letters, strict=True)))

    @cached_property
    def _parts(self) -> tuple[sp.Expr, ...]:
        """The speeds of the unknowns and then their starts; or the one equation."""
        if not self._moving:
            if len(self.unknowns) != 1 or len(self.residuals) != 1 or not self.unknowns[0].is_Symbol:
                raise ValueError(
                    f"{self.lhs}: unknown functions of one variable, or one unknown symbol with one equation"
                )
            if self.between is None or len(self.between) != 2:
                raise ValueError(f"{self.lhs}: between = {self.between!r} must be the two ends around the root")
            return self.residuals
        if any(u.args != (self._time,) for u in self.unknowns) or not self._time.is_Symbol:
            raise ValueError(f"{self.lhs}: {self.unknowns} must be functions of one and the same symbol")
        rates = [u.diff(self._time) for u in self.unknowns]
        moving = [r for r in self.residuals if r.has(sp.Derivative)]
        return (*self._solved(moving, rates, "speed"), *self._solved(self._still, self._origins, "start"))

    @cached_property
    def _still(self) -> list[sp.Expr]:
        return [r for r in self.residuals if not r.has(sp.Derivative)]

    @cached_property
    def _origins(self) -> list[sp.Expr]:
        """Every unknown where it starts, such as a(0)."""
        fixed = set().union(*(r.atoms(sp.core.function.AppliedUndef) for r in self._still)) if self._still else set()
        found = [next((f for f in fixed if f.func == u.func), None) for u in self.unknowns]
        places = {f.args for f in found if f is not None}
        if None in found or len(places) != 1 or not next(iter(places))[0].is_number:
            raise ValueError(f"{self.lhs}: every unknown must start somewhere, all at one number, as a.subs(t, 0) - a0")
        return found

    def _solved(self, equations, wanted, what) -> list[sp.Expr]:
        """Equations that are linear in what is wanted, solved for it, in letters."""
        letters = dict(zip(self.unknowns, self._letters, strict=True))
        try:
            found = sp.solve(equations, wanted, dict=True) if len(equations) == len(wanted) else []
        except NotImplementedError:
            found = []
        solved = [found[0][w] for w in wanted if w in found[0]] if len(found) == 1 else []
        if len(solved) < len(wanted) or any(e.has(sp.Derivative) for e in solved):
            raise ValueError(f"{self.lhs}: {equations} do not give the {what} of {', '.join(map(str, self.unknowns))}")
        return [e.xreplace(letters) for e in solved]

    @cached_property
    def _spoilt(self) -> dict[str, tuple[int, sp.Expr]]:
        count, names = len(self.unknowns), [str(getattr(u, "func", u)) for u in self.unknowns]
        labels = (
            [*(f"speed of {n}" for n in names), *(f"start of {n}" for n in names)] if self._moving else ["equation"]
        )
        assert len(labels) == len(self._parts) == (2 * count if self._moving else 1)
        return {
            f"{label}: {name}": (k, wrong)
            for k, (label, part) in enumerate(zip(labels, self._parts, strict=True))
            for name, wrong in spoilt.spoilt(part).items()
        }

    # -- the solution ------------------------------------------------------------------------------

    @cached_property
    def _hypotheses(self):
        return [(h, arguments.compiled(self.symbols, h)) for h in self.given]

    def _at(self, rtol, at, parts=None) -> np.ndarray | float:
        values = arguments.floats(self.name, [x.name for x in self.symbols], at)
        arguments.held(self.name, self._hypotheses, values, {})
        shape = next(iter(values.values())).shape if values else ()
        points = np.array([np.ravel(values[x.name]) for x in self.symbols]).reshape(len(self.symbols), -1).T
        with np.errstate(all="ignore"):
            solve = self._followed if self._moving else self._found
            result = solve(parts or self._parts, points, rtol).reshape(shape)
        return result if result.ndim else float(result)

    def _mutant(self, k, wrong) -> Callable:
        parts = (*self._parts[:k], wrong, *self._parts[k + 1 :])

        def mutant(**at):
            """The wrong problem's solution; where it has none, the law, from which nothing tells it."""
            try:
                return self._at(self.rtol / 100, at, parts)
            except ValueError:
                return self(**at)

        return mutant

    def _functions(self, exprs) -> list[Callable]:
        """Expressions as functions of the unknowns, the time, and then every other argument."""
        others = [x for x in self.symbols if not self._moving or x != self._time]
        taken = (*self._letters, *([self._time] if self._moving else []), *others)
        return [arguments.compiled(taken, expr) for expr in exprs]

    def _followed(self, parts, points, rtol) -> np.ndarray:
        """What is observed of the moving unknowns at every point, one integration for all times of the same run."""
        clock, count = self.symbols.index(self._time), len(self.unknowns)
        speeds, starts = self._functions(parts[:count]), self._functions(parts[count:])
        (seen,), origin = self._functions([self._observed]), float(self._origins[0].args[0])
        runs, which = np.unique(np.delete(points, clock, axis=1), axis=0, return_inverse=True)
        result = np.empty(len(points))
        for k, run in enumerate(runs.tolist()):
            mine = np.flatnonzero(which.ravel() == k)
            times, back = np.unique(points[mine, clock], return_inverse=True)
            if times[0] < origin:
                raise ValueError(f"{self.name}: {self._time} = {times[0]:g} lies before the start at {origin:g}")
            speed = lambda t, u, run=run: [f(*u, t, *run) for f in speeds]  # noqa: E731
            begin = np.array([float(start(*[np.nan] * count, origin, *run)) for start in starts])
            path = solving.path(speed, begin, origin, times, rtol, self._told(run))
            result[mine] = np.array([seen(*u, t, *run) for u, t in zip(path, times, strict=True)])[back.ravel()]
        return result

    def _told(self, run) -> str:
        names = [x.name for x in self.symbols if not self._moving or x != self._time]
        return (
            f"{self.name} at {', '.join(f'{n} = {v:g}' for n, v in zip(names, run, strict=True)) or 'its only point'}"
        )

    def _found(self, parts, points, rtol) -> np.ndarray:
        """What is observed at the only root, point by point."""
        low, high = self._functions([sp.sympify(end) for end in self.between or ()])
        (vanishing,), (seen,), result = self._functions(parts), self._functions([self._observed]), []
        for point in points:
            ends = float(low(np.nan, *point)), float(high(np.nan, *point))
            at_point = lambda x, point=point: float(vanishing(x, *point))  # noqa: E731
            result.append(seen(solving.root(at_point, *ends, rtol, self._told(point)), *point))
        return np.array(result, dtype=float)
