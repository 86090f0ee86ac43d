"""Symbolic tools for derivations: from a loss to its gradient flow, and from there to closed forms.

    flow = gradient_flow(loss, weights)         tau dw/dt = -dL/dw
    flow.impose({w1: w, w2: w})                 a symmetric ansatz, refused unless it is preserved
    flow.impose({w: sqrt(a)}, positive=[a])     a change of variables is the case with an inverse
    flow.conserves(q), flow.conserved(degree)   check a conserved quantity, or find the polynomial ones
    flow.linearise({w: 0})                      the matrix of the linear flow at a stationary point
    antiderivative(f, x), limit(f, x, to)       sympy's answer, given only if it can be confirmed

All work on a loss of your own: any differentiable expression of sympy symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.polys.monomials import itermonomials
from sympy.polys.orderings import monomial_key

from laws import ball
from laws.typeset import latex

time = sp.Symbol("t", real=True)


@dataclass(frozen=True)
class Flow:
    """The autonomous system tau dw/dt = speed(w), one equation for each weight."""

    weights: tuple[sp.Symbol, ...]
    speeds: tuple[sp.Expr, ...]
    tau: sp.Expr = sp.S.One

    @property
    def equations(self) -> tuple[sp.Eq, ...]:
        """The differential equations, in functions of time."""
        along = {w: sp.Function(w.name)(time) for w in self.weights}
        return tuple(
            sp.Eq(self.tau * along[w].diff(time), v.subs(along)) for w, v in zip(self.weights, self.speeds, strict=True)
        )

    def impose(self, ansatz: Mapping[sp.Symbol, sp.Expr], positive: Iterable[sp.Symbol] = ()) -> Flow:
        """The flow of fewer variables, in terms of which `ansatz` gives the weights.

        Weights that `ansatz` does not name stay as they are; `positive` names the symbols that may be
        taken as positive.  Raises ValueError, with what is left over, if the flow leaves the ansatz.
        """
        unknown = [w for w in ansatz if w not in self.weights]
        if unknown:
            raise ValueError(f"{unknown} are no weights of this flow; its weights are {list(self.weights)}")
        dummies = {x: sp.Dummy(x.name, positive=True) for x in positive}
        back = {dummy: x for x, dummy in dummies.items()}
        image = [sp.sympify(ansatz.get(w, w)).subs(dummies) for w in self.weights]
        parameters = set().union(*(v.free_symbols for v in self.speeds)) - set(self.weights)
        new = sorted(set().union(*(e.free_symbols for e in image)) - {dummies.get(x, x) for x in parameters}, key=str)
        into = dict(zip(self.weights, image, strict=True))
        speeds = sp.Matrix([v.subs(dummies).subs(into, simultaneous=True) for v in self.speeds])
        jacobian = sp.Matrix(image).jacobian(new)
        reduced = (jacobian.T * jacobian).LUsolve(jacobian.T * speeds).applyfunc(sp.simplify)
        leftover = (speeds - jacobian * reduced).applyfunc(sp.simplify)
        if not leftover.is_zero_matrix:
            raise ValueError(f"the flow leaves this ansatz: its speed misses {list(leftover.subs(back))}")
        return Flow(tuple(back.get(x, x) for x in new), tuple(v.subs(back) for v in reduced), self.tau)

    def rate(self, quantity: sp.Expr) -> sp.Expr:
        """The derivative tau dq/dt of a quantity along the flow, simplified."""
        slopes = (sp.diff(quantity, w) * v for w, v in zip(self.weights, self.speeds, strict=True))
        return sp.simplify(sp.expand(sum(slopes, sp.S.Zero)))

    def conserves(self, quantity: sp.Expr) -> bool:
        """Whether the flow leaves `quantity` unchanged, as an identity in all symbols."""
        return self.rate(quantity) == 0

    def conserved(self, degree: int = 2) -> tuple[sp.Expr, ...]:
        """A basis of the polynomials in the weights, up to `degree`, that the flow conserves."""
        if not isinstance(degree, int) or degree < 1:
            raise ValueError(f"degree = {degree!r} must be a positive whole number")
        order = monomial_key("grlex", self.weights[::-1])
        monomials = sorted(itermonomials(self.weights, degree), key=order)[1:]
        unknowns = sp.symbols(f"c:{len(monomials)}", cls=sp.Dummy)
        total = sum((c * m for c, m in zip(unknowns, monomials, strict=True)), sp.S.Zero)
        rate = sp.expand(sum(sp.diff(total, w) * v for w, v in zip(self.weights, self.speeds, strict=True)))
        others = sorted(rate.free_symbols - set(unknowns), key=str)
        conditions = sp.Poly(sp.numer(sp.together(rate)), *others).coeffs() if rate != 0 else []
        if not conditions:
            return tuple(monomials)
        kernel = sp.linear_eq_to_matrix(conditions, unknowns)[0].nullspace()
        return tuple(sum((c * m for c, m in zip(v, monomials, strict=True)), sp.S.Zero) for v in kernel)

    def linearise(self, at: Mapping[sp.Symbol, sp.Expr]) -> sp.Matrix:
        """The matrix M of tau d(dw)/dt = M dw at a stationary point; ValueError if it is none."""
        if unknown := [w for w in at if w not in self.weights]:
            raise ValueError(f"{unknown} are no weights of this flow; its weights are {list(self.weights)}")
        here = {w: at.get(w, w) for w in self.weights}
        moving = [sp.simplify(v.subs(here, simultaneous=True)) for v in self.speeds]
        if any(v != 0 for v in moving):
            raise ValueError(f"{dict(at)} is not stationary: the speed there is {moving}")
        return sp.Matrix(self.speeds).jacobian(self.weights).subs(here, simultaneous=True).applyfunc(sp.simplify)

    def _repr_latex_(self) -> str:
        return r"$\displaystyle \begin{aligned}" + r" \\ ".join(map(latex, self.equations)) + r"\end{aligned}$"


def gradient_flow(loss: sp.Expr, weights: Sequence[sp.Symbol], tau: sp.Expr = sp.S.One) -> Flow:
    """The flow tau dw/dt = -dL/dw of a loss in its weights."""
    loss = sp.sympify(loss)
    absent = [w for w in weights if w not in loss.free_symbols]
    if absent or not weights:
        raise ValueError(f"the loss does not depend on {absent or 'any weight'}: {loss}")
    return Flow(tuple(weights), tuple(sp.factor(-sp.diff(loss, w)) for w in weights), sp.sympify(tau))


def antiderivative(integrand: sp.Expr, x: sp.Symbol) -> sp.Expr:
    """An antiderivative, differentiated back before it is returned; ValueError if that fails."""
    found = sp.integrate(integrand, x)
    if found.has(sp.Integral) or sp.simplify(found.diff(x) - integrand) != 0:
        raise ValueError(f"no antiderivative of {integrand} in {x} could be confirmed")
    return found


def limit(expr: sp.Expr, x: sp.Symbol, to: sp.Expr, at: Mapping[sp.Symbol, object]) -> sp.Expr:
    """The limit of `expr` as x -> to, confirmed by certified balls at the point `at` of the other symbols.

    From 2^-40 on (or 2^40, for to = oo), over eight halvings, the distance from the limit must shrink
    each time and by more than 2^3 in all, as it does at order 1/2 or more, until it is exactly 0.  A value that is
    not the limit keeps its distance.  Raises ValueError.
    """
    found = sp.limit(expr, x, to)
    if found.has(sp.AccumBounds, sp.Limit, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise ValueError(f"{expr} has no finite limit as {x} -> {to}: {found}")
    values = {y: ball.number(str(y), v) for y, v in at.items()}
    approach = [sp.Rational(2) ** k if to == sp.oo else to + sp.Rational(1, 2**k) for k in range(40, 49)]
    gaps = [abs(ball.ball(expr - found, {**values, x: v}, 400)) for v in approach]
    shrinking = all(later < earlier or later.is_zero() for earlier, later in zip(gaps, gaps[1:], strict=False))
    if not (shrinking and (gaps[-1] * 8 < gaps[0] or gaps[-1].is_zero())):
        raise ValueError(f"the limit {found} of {expr} as {x} -> {to} could not be confirmed at {dict(at)}")
    return found
