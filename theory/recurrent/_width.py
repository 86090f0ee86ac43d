"""How changes scale with width and with the strength of feature learning; equation (16) of `theory.recurrent`."""

from __future__ import annotations

import sympy as sp

from laws.law import Law, Source, Step

m, p, q, r, d = sp.symbols("m p q r d", real=True)
exponent = sp.Symbol("e", real=True)
N = sp.Symbol("N", positive=True)


def power_of(size, base=N):
    """The exponent of a power of `base`, as its logarithmic derivative."""
    return sp.simplify(base * sp.diff(sp.log(size), base))


def of(size):
    """The problem of the exponent of `size`, a power of N."""
    return lambda e: (e - power_of(size),)


units, update, activity, readout, change = N**m, N**-q, N**-r, N**-p, N**d
power = lambda of: Source("derived here", f"the power e of N, the width or what stands for it, {of}")  # noqa: E731

weight_change = Law(
    exponent,
    m - q,
    solves=of(sp.sqrt(units**2 * update**2)),
    given=(m >= 0,),
    source=power("in the change of recurrent weights, N^-q each, over N^m units"),
    examples=(dict(m=1.2, q=0.3), dict(m=0.4, q=-1.3)),
)

feature_change = Law(
    exponent,
    m - q - r,
    solves=of(units * update * activity),
    given=(m >= 0,),
    source=power("in the change of states: weights by N^-q, activities of N^-r, over N^m units"),
    examples=(dict(m=1.2, q=0.3, r=0.5), dict(m=0.4, q=-1.3, r=0.2)),
)

output_change = Law(
    exponent,
    m - p + d,
    solves=of(units * readout * change),
    given=(m >= 0,),
    source=power("in the change of outputs: readout weights of N^-p, states by N^d, over N^m units"),
    examples=(dict(m=1.2, p=0.3, d=0.5), dict(m=0.4, p=1.3, d=1.2)),
)

initial_output = Law(
    exponent,
    m / 2 - p - r,
    solves=of(sp.sqrt(units * readout**2 * activity**2)),
    given=(m >= 0,),
    source=power("in the first output: readout weights of N^-p, activities of N^-r, N^m independent terms"),
    examples=(dict(m=1.2, p=0.4, r=0.5), dict(m=0.3, p=1.3, r=0.2)),
)

# What the exponents are: m of the units that a sum runs over, p of the effective readout weights and r of the
# activities, as N^-p and N^-r, and q of an effective recurrent weight's change in a step, as N^-q.
MAXIMAL_UPDATE = dict(m=1.0, p=1.0, q=1.0, r=0.0)  # against the width, by Adam or by gradient descent
STANDARD = dict(m=1.0, p=0.5, q=0.0, r=0.5)  # against the width, by Adam at one learning rate
RICHNESS = dict(m=0.0, p=1.0, q=-1.0, r=0.0)  # against gamma, at one width


def derive_width() -> tuple[Step, ...]:
    """From the gradient of one unit's weight to the exponents of the parameterisations."""
    J, U, phi, x, f, y, w, gamma, eta, step, move, state = sp.symbols(
        "J U phi x f y w gamma eta dJ dh h", positive=True
    )
    h, out = J * phi / N + U * x, w * state / (gamma * N)
    slope = sp.diff((out.subs(state, h) - y) ** 2 / 2, J)
    descent = gamma**2 * N**2 * eta * slope
    moved = lambda expr, of, by: sp.expand(expr.subs(of, of + by) - expr)  # noqa: E731
    changed, seen = N * moved(h, J, gamma * eta), N * moved(out, state, move)
    at = lambda setting: {sp.Symbol(k, real=True): sp.nsimplify(v) for k, v in setting.items()}  # noqa: E731
    standard = N * moved(J * phi + U * x, J, eta).subs(phi, phi / sp.sqrt(N))
    return (
        Step("a recurrent weight of one unit", sp.Eq(slope, (f - y) * w * phi / (gamma * N**2)),
             {f: out.subs(state, h)}),
        Step("descent at the rate gamma^2 N^2 eta moves it by a number that knows no width, as Adam does at gamma eta",
             sp.Eq(step, gamma * eta * (f - y) * w * phi), {step: descent, f: out.subs(state, h)}),
        Step("N such changes move a state by gamma eta", sp.Eq(move, gamma * eta * phi), {move: changed}),
        Step("and N states the output by eta", sp.Eq(step, eta * w * phi), {step: seen.subs(move, changed)}),
        Step("which are the exponents of the maximal update", sp.Eq(exponent + q, feature_change.rhs + q),
             {exponent: power_of(changed), **at(MAXIMAL_UPDATE)}),
        Step("and those against gamma", sp.Eq(exponent, feature_change.rhs),
             {exponent: power_of(changed, gamma), **at(RICHNESS)}),
        Step("the standard parameterisation has weights without 1/N, and activities and readouts of N^(-1/2)",
             sp.Eq(exponent, feature_change.rhs), {exponent: power_of(standard), **at(STANDARD)}),
        Step("so that its outputs change with N", sp.Eq(exponent, output_change.rhs.subs(d, feature_change.rhs)),
             {exponent: power_of(N * w / sp.sqrt(N) * standard), **at(STANDARD)}),
    )  # fmt: skip
