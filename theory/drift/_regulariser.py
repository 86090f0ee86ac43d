"""What noise minimises along a zero-loss manifold, in symbols: equation (4) of `theory.drift` as eta -> 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from laws.typeset import latex

NOISES = ("update", "label", "sed")
z = sp.Dummy("z")


@dataclass(frozen=True)
class Regulariser:
    """What drifts downhill on the zero set of a loss.

    Attributes:
        parameters: theta, in order.
        hessian: H on the zero set.
        rank: of H there.
        value: ln|H|_+ for update noise, tr H for label noise and SED.
        gradient: P_T grad of the value, a column; the drift is -(sigma^2/4), -(eta^2 c sigma^2/2) or -(eta s^4/2)
            times it as eta -> 0.
    """

    parameters: tuple[sp.Symbol, ...]
    hessian: sp.Matrix
    rank: int
    value: sp.Expr
    gradient: sp.Matrix

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle R = {latex(self.value)},\qquad P_T \nabla R = {latex(self.gradient)}$"


def regulariser(
    loss: sp.Expr, parameters: Sequence[sp.Symbol], noise: str, *, on: Mapping[sp.Symbol, sp.Expr]
) -> Regulariser:
    """The regulariser of a loss and its gradient along the manifold on which the loss vanishes.

    Args:
        loss: an expression in the parameters, never negative.
        parameters: theta.
        noise: "update", "label" or "sed".
        on: the zero set (or a piece of it), some parameters in terms of the others, as {v: 1/u}.

    Returns:
        a `Regulariser`, with everything in terms of the parameters that are free on the zero set.

    Raises:
        ValueError: for unknown noise or parameters, a loss or gradient that does not vanish there, and a point
            without tangent direction.
    """
    if noise not in NOISES:
        raise ValueError(f"noise = {noise!r} must be one of {', '.join(NOISES)}")
    theta = tuple(parameters)
    unknown = [p for p in on if p not in theta]
    if unknown or not on:
        raise ValueError(f"on = {dict(on)} must give some of the parameters {theta}")
    slope = [sp.diff(loss, p) for p in theta]
    left = [_tidy(e.subs(on)) for e in (loss, *slope)]
    if any(left):
        raise ValueError(f"on = {dict(on)} is no zero set: the loss and its gradient are {left} there")
    everywhere = sp.hessian(loss, theta)
    there = everywhere.subs(on).applyfunc(_tidy)
    rank = there.rank(iszerofunc=_vanishes)
    if rank == len(theta):
        raise ValueError(f"on = {dict(on)} is a point: no direction is tangent to it")
    value = sp.log(_pseudo_determinant(everywhere, rank)) if noise == "update" else everywhere.trace()
    gradient = _along(there) * sp.Matrix([sp.diff(value, p) for p in theta]).subs(on)
    value = value.subs(on).replace(sp.log, lambda e: sp.log(_tidy(e))) if noise == "update" else _tidy(value.subs(on))
    return Regulariser(theta, there, rank, value, gradient.applyfunc(_tidy))


def _tidy(expr: sp.Expr) -> sp.Expr:
    """A rational function of whatever it contains, in lowest terms and factors."""
    return sp.factor(sp.cancel(expr))


def _vanishes(expr: sp.Expr) -> bool:
    return sp.cancel(expr) == 0


def _pseudo_determinant(matrix: sp.Matrix, rank: int) -> sp.Expr:
    """The sum of the principal minors of this order: the product of the nonzero eigenvalues where there are so many."""
    return sp.Poly((matrix + z * sp.eye(matrix.rows)).det(method="berkowitz"), z).coeff_monomial(
        z ** (matrix.rows - rank)
    )


def _along(matrix: sp.Matrix) -> sp.Matrix:
    """The projector on the null space of a symmetric matrix."""
    independent = matrix.rref(iszerofunc=_vanishes)[1]
    across = matrix[:, list(independent)]
    return sp.eye(matrix.rows) - across * (across.T * across).inv() * across.T
