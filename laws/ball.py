"""Certified evaluation: a sympy expression as a ball that is sure to contain its value.

Arb keeps a midpoint and a rigorous radius through every operation, so the radius of the result
bounds all round-off and all truncation.  If the ball is too wide, the same expression is
evaluated again at twice the precision.  A ball that contains 0 with radius r says |x| <= r; a
ball that excludes 0 proves that x is not zero.  Reference: Johansson, "Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Comput. 66 (2017).

A sympy function that is not listed here may bring its ball along, as a static method `certified` from
the balls of its arguments, at the precision that is then current.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping

import sympy as sp
from flint import acb, arb, ctx, fmpq
from sympy.core.relational import Relational

WIDEST = 2**15  # bits; beyond it a value is called undecided
ANYTHING = arb(0, math.inf)

FUNCTIONS: dict[type, Callable[..., arb]] = {
    sp.exp: arb.exp, sp.log: arb.log, sp.Abs: abs, sp.sign: arb.sgn,
    sp.sin: arb.sin, sp.cos: arb.cos, sp.tan: arb.tan, sp.cot: arb.cot,
    sp.asin: arb.asin, sp.acos: arb.acos, sp.atan: arb.atan, sp.atan2: arb.atan2,
    sp.sinh: arb.sinh, sp.cosh: arb.cosh, sp.tanh: arb.tanh, sp.coth: arb.coth,
    sp.asinh: arb.asinh, sp.acosh: arb.acosh, sp.atanh: arb.atanh,
    sp.erf: arb.erf, sp.erfc: arb.erfc, sp.erfinv: arb.erfinv,
    sp.gamma: arb.gamma, sp.loggamma: arb.lgamma,
    sp.uppergamma: lambda k, z: z.gamma_upper(k), sp.lowergamma: lambda k, z: z.gamma_lower(k),
    sp.elliptic_f: lambda phi, m: _real(acb.elliptic_f(acb(phi), acb(m))),
    sp.elliptic_k: lambda m: _real(acb(m).elliptic_k()),
    sp.elliptic_e: lambda phi, m: _real(acb.elliptic_e_inc(acb(phi), acb(m))),
    sp.LambertW: lambda z, branch=None: z.lambertw(0 if branch is None else int(branch.unique_fmpz())),
    sp.Max: lambda first, *rest: _fold(arb.max, first, rest),
    sp.Min: lambda first, *rest: _fold(arb.min, first, rest),
    sp.DiracDelta: lambda x, k=None: arb("nan") if x.contains(0) else arb(0),  # what |x|'' leaves of its corner
}  # fmt: skip

CONSTANTS = {
    sp.pi: arb.pi, sp.E: arb.const_e, sp.EulerGamma: arb.const_euler, sp.Catalan: arb.const_catalan, sp.nan: arb.nan
}  # fmt: skip


class Undecided(ArithmeticError):
    """The ball is still too wide at the highest precision."""


class Undefined(Undecided):
    """The expression has no real value: at thousands of bits it is still not a number."""


def number(name: str, value) -> sp.Rational:
    """The rational number that `value` is: a float stands for itself, "0.1" for one tenth."""
    if isinstance(value, bool) or not isinstance(value, (str, numbers.Real, sp.Rational, sp.Float)):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}, not a real number")
    try:
        if isinstance(value, (str, numbers.Rational, sp.Rational)):
            return sp.Rational(value)
        if not math.isfinite(value):
            raise ValueError
        return sp.Rational(*float(value).as_integer_ratio())
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"{name} = {value!r} is not a finite real number") from None


def ball(expr: sp.Expr, values: Mapping[sp.Symbol, sp.Rational], bits: int) -> arb:
    """The value of `expr` at rational `values`, as a ball computed with `bits` of precision."""
    known: dict[sp.Basic, arb | fmpq] = {}  # what is rational stays exact, so that a gap can be exactly 0

    def walk(node):
        if node not in known:
            known[node] = _combine(node, walk, values)
        return known[node]

    before, ctx.prec = ctx.prec, bits
    try:
        return arb(walk(sp.sympify(expr)))
    finally:
        ctx.prec = before


def certified(expr: sp.Expr, values: Mapping[sp.Symbol, sp.Rational], digits: int) -> arb:
    """A ball around `expr` at `values` with at least `digits` right digits.

    Raises `Undecided` where no precision up to 2**15 bits reaches that, as at a pole or an
    unresolved zero.
    """
    goal = math.ceil(digits * math.log2(10)) + 2
    bits = goal + 32
    while bits <= WIDEST:
        value = ball(expr, values, bits)
        if value.is_finite() and (value.is_zero() or value.rel_accuracy_bits() >= goal):
            return value
        _refuse_undefined(value, bits, expr, values)
        bits *= 2
    raise Undecided(
        f"{expr} at {_point(values)}: not {digits} digits within {WIDEST} bits; it may be 0 or undefined there"
    )


def residual(expr: sp.Expr, values: Mapping[sp.Symbol, sp.Rational], digits: int = 60) -> arb:
    """A ball around a difference that should vanish, of radius below 10^-digits of its largest term."""
    terms = sp.Add.make_args(sp.sympify(expr))
    bits = math.ceil(digits * math.log2(10)) + 64
    while bits <= WIDEST:
        size = max((abs(ball(term, values, bits)).upper() for term in terms), default=arb(0))
        value = ball(expr, values, bits)
        if value.is_finite() and (value.is_zero() or value.rad() <= arb(10) ** -digits * size):
            return value
        _refuse_undefined(value, bits, expr, values)
        bits *= 2
    raise Undecided(f"{expr} at {_point(values)}: not resolved to {digits} digits within {WIDEST} bits")


def _refuse_undefined(value, bits, expr, values) -> None:
    if value.is_nan() and bits > 4096:  # with fewer bits, an overflow on the way may look the same
        raise Undefined(f"{expr} has no real value at {_point(values)}")


def _combine(node, walk, values) -> arb | fmpq:
    """One node of the tree, from the balls of its arguments."""
    if node.is_Symbol:
        if node not in values:
            raise ValueError(f"no value for {node}")
        node = values[node]
    if node.is_Rational:
        return fmpq(int(node.p), int(node.q))
    if node.is_Float:
        return fmpq(*map(int, sp.Rational(node).as_numer_denom()))
    if node in CONSTANTS:
        return CONSTANTS[node]()
    if node.is_Add:
        return sum(map(walk, node.args), fmpq(0))
    if node.is_Mul:
        return math.prod(map(walk, node.args), start=fmpq(1))
    if node.is_Pow:
        return _power(walk(node.base), node.exp, walk)
    if isinstance(node, sp.Piecewise):
        return _piecewise(node, walk)
    if isinstance(node, sp.hyper):
        return _hypergeometric(node, walk)
    if hasattr(node.func, "certified"):  # a function that brings its own ball
        return node.func.certified(*(arb(walk(argument)) for argument in node.args))
    if node.func in FUNCTIONS:
        return FUNCTIONS[node.func](*(arb(walk(argument)) for argument in node.args))
    raise TypeError(f"no certified evaluation of {node.func.__name__}: {node}")


def _power(base, exponent, walk) -> arb | fmpq:
    if exponent.is_Integer:
        return base ** int(exponent) if base != 0 or exponent > 0 else arb.nan()
    if exponent == sp.S.Half:
        return arb(base).sqrt()
    if base == 0 and exponent.is_Rational and exponent > 0:
        return fmpq(0)
    value = arb(base) ** arb(walk(exponent))
    if value.is_nan() and base < 0:
        raise Undefined(f"({base}) ** ({exponent}) is not real, at any precision")
    return value


def _piecewise(node, walk):
    """The piece whose condition holds; where this precision does not decide it, a ball around all that may be meant.

    So pieces that meet have a value at their edge, and those that do not are undecided there, not undefined.
    """
    meant = []
    for value, condition in node.args:
        holds = _decide(condition, walk)
        if holds is not False:
            meant.append(value)
        if holds:
            break
    else:
        meant.append(sp.nan)  # none of them need hold
    if len(meant) == 1:
        return walk(meant[0])
    try:
        around = _fold(arb.union, arb(walk(meant[0])), (arb(walk(value)) for value in meant[1:]))
    except Undefined:
        return ANYTHING
    return ANYTHING if around.is_nan() else around


def _decide(condition, walk) -> bool | None:
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, (sp.And, sp.Or)):
        parts = [_decide(part, walk) for part in condition.args]
        ends_it = isinstance(condition, sp.Or)  # one true part decides an Or, one false part an And
        return ends_it if ends_it in parts else (None if None in parts else not ends_it)
    if not isinstance(condition, Relational):
        raise TypeError(f"no certified decision of {condition}")
    gap = walk(condition.lhs) - walk(condition.rhs)
    if not (gap > 0 or gap < 0 or gap == 0):
        return None
    return bool(condition.func(sp.Integer(int(gap > 0) - int(gap < 0)), 0))


def _hypergeometric(node, walk) -> arb:
    above, below = [walk(p) for p in node.ap], [walk(q) for q in node.bq]
    z = arb(walk(node.argument))
    if (len(above), len(below)) == (2, 1):
        a, b, c = above[0], above[1], below[0]
        # rational parameters round, but which of their differences are integers is known exactly
        whole = dict(ab=_whole(a - b), ac=_whole(a - c), bc=_whole(b - c), abc=_whole(a + b - c))
        return z.hypgeom_2f1(arb(a), arb(b), arb(c), **whole)
    if (len(above), len(below)) == (1, 1):
        return z.hypgeom_1f1(arb(above[0]), arb(below[0]))
    return z.hypgeom([arb(a) for a in above], [arb(b) for b in below])


def _real(value) -> arb:
    return value.real if value.imag.contains(0) else arb.nan()


def _whole(value) -> bool:
    return isinstance(value, fmpq) and value.q == 1


def _fold(pairwise, first, rest):
    for other in rest:
        first = pairwise(first, other)
    return first


def _point(values) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in values.items())
