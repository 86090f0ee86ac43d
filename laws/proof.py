"""Proofs: the residuals of a law's own problem vanish, and those of a wrong law do not.

Three strengths are told apart.  "identity": sympy reduces every residual to 0 for all values that
the hypotheses admit; this alone is called proved.  "60 digits": at every example and at points drawn
around them, a certified ball around every residual contains 0 and is smaller than 10^-60 of its
largest term.  "order": an asymptotic law, whose residuals vanish at the stated rate.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import sympy as sp
from sympy.functions.elementary.hyperbolic import HyperbolicFunction

from laws import ball
from laws.law import Law, Step, admits

DIGITS = 60
PRIMES = (11, 13, 17, 19, 23)  # their ratios lie between 1/2 and 2, and none is 1

UNRELATED = (sp.hyper, sp.elliptic_f, HyperbolicFunction)  # sympy does not end its search for relations between these


class Disproved(AssertionError):
    """A residual that should vanish does not."""


def prove(law: Law) -> str:
    """The strength of the proof that `law` solves its problem; raises `Disproved` if it does not."""
    residuals = law.residuals()
    if not (law.examples and residuals):
        raise ValueError(f"{law.name}: nothing to prove without examples and residuals")
    for point in points(law):
        if law.upto is not None:
            _vanish_at_rate(law, residuals, point)
            continue
        for k, residual in enumerate(residuals):
            if not ball.residual(residual, point, DIGITS).contains(0):
                raise Disproved(f"{law.name}: residual {k} is not 0 at {point}")
    if law.upto is not None:
        return "order"
    return "identity" if all(_identically_zero(law, r) for r in law.residuals()) else f"{DIGITS} digits"


def refuted(mutant: Law, law: Law) -> bool:
    """Whether some residual of a wrong form of `law` is certainly not 0 at one of its examples."""
    return any(_differs(mutant, point) for point in points(law, drawn=0))


def proves(step: Step, seed: int = 0, wanted: int = 5) -> bool:
    """Whether both sides of a step agree to 60 digits wherever it is stated and defined, at `wanted` random points."""
    residual = step.residual()
    symbols = sorted(residual.free_symbols.union(*(h.free_symbols for h in step.given)), key=str)
    agreed, draw = 0, random.Random(seed)
    for _ in range(100 * wanted):
        point = {x: draw.choice((-1, 1)) * sp.Rational(draw.randrange(20, 300), 101) for x in symbols}
        if not all(admits(hypothesis, point) for hypothesis in step.given):
            continue
        value = _at(residual, point)
        if value is None:
            continue
        if not value.contains(0):
            return False
        agreed += 1
        if agreed == wanted:
            return True
    raise ValueError(f"{step.says}: defined at only {agreed} of {100 * wanted} random points")


def points(law: Law, drawn: int = 3, seed: int = 0) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """The examples of a law, and `drawn` admissible points around each, as exact rationals."""
    draw = random.Random(seed)
    for example in law.examples:
        centre = {x: ball.number(x.name, example[x.name]) for x in law.symbols}
        yield centre
        found = 0
        for _ in range(100 * drawn):
            if found == drawn:
                break
            point = {x: v * sp.Rational(*draw.sample(PRIMES, 2)) for x, v in centre.items()}
            if all(admits(hypothesis, point) for hypothesis in law.given):
                found += 1
                yield point
        if found < drawn:
            raise ValueError(f"{law.name}: its hypotheses hold at {found} of {100 * drawn} points around {example}")


def _vanish_at_rate(law, residuals, point) -> None:
    """Halving the small variable must divide the slowest residual by 2^p, but for a quarter of an order."""
    small, p = law.upto
    stated, slowest = float(sp.sympify(p).subs(point)), math.inf
    for residual in residuals:
        balls = [ball.residual(residual, {**point, small: point[small] / 2**j}, DIGITS) for j in range(6, 10)]
        if not any(b.contains(0) for b in balls):
            orders = [math.log2(float(abs(big) / abs(less))) for big, less in zip(balls, balls[1:], strict=False)]
            slowest = min(slowest, *orders)
    if not abs(slowest - stated) <= 0.25:
        raise Disproved(f"{law.name}: its residuals vanish at order {slowest:.3f}, not {p}, at {point}")


def _differs(mutant, point) -> bool:
    try:
        if mutant.upto is not None:
            _vanish_at_rate(mutant, mutant.residuals(), point)
            return False
        return any(not ball.residual(r, point, DIGITS // 2).contains(0) for r in mutant.residuals())
    except (Disproved, ball.Undefined):
        return True
    except ball.Undecided:
        return False


def _identically_zero(law: Law, residual: sp.Expr) -> bool:
    residual = sp.sympify(residual)
    if residual.has(*UNRELATED) or any(hasattr(f.func, "certified") for f in residual.atoms(sp.Function)):
        return False
    positive = {
        h.lhs: sp.Dummy(h.lhs.name, positive=True) for h in law.given if h.func is sp.StrictGreaterThan and h.rhs == 0
    }
    general = residual.subs(positive)
    inverted = general.replace(sp.LambertW, lambda z, *branch: _invert(z) if not branch else sp.LambertW(z, *branch))
    return sp.simplify(inverted) == 0


def _invert(z):
    """W(x e^x) = x for x >= -1, on the principal branch."""
    for exponential in z.atoms(sp.exp):
        x = exponential.args[0]
        if sp.simplify(z - x * exponential) == 0 and sp.simplify(x + 1).is_nonnegative:
            return x
    return sp.LambertW(z)


def _at(residual, point):
    """A ball around the residual at a point, or None where it is undefined.

    Of a matrix, the ball of the first entry that is not 0, if there is one.
    """
    entries = residual.as_explicit().flat() if getattr(residual, "is_Matrix", False) else [residual]
    try:
        values = [ball.ball(entry, point, 400) for entry in entries]
    except ball.Undefined:
        return None
    if not all(value.is_finite() for value in values):
        return None
    return next((value for value in values if not value.contains(0)), values[0])
