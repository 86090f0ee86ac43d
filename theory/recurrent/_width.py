"""How changes scale with width and with the strength of feature learning; equation (16) of `theory.recurrent`."""

from __future__ import annotations

import sympy as sp

from laws.law import Law, Source, Step

m, p, q, r, d = sp.symbols("m p q r d", real=True)
exponent = sp.Symbol("e", real=True)
N = sp.Symbol("N", positive=True)


def power_of(size):
    """The exponent of a power of N, as its logarithmic derivative."""
    return sp.simplify(N * sp.diff(sp.log(size), N))


def of(size):
    """The problem of the exponent of `size`, a power of N."""
    return lambda e: (e - power_of(size),)


units, update, activity, readout, change = N**m, N**-q, N**-r, N**-p, N**d
SCALING = Source("derived here", "the scaling of sums over units")

weight_change = Law(
    exponent,
    m - q,
    solves=of(sp.sqrt(units**2 * update**2)),
    given=(m >= 0,),
    source=SCALING,
    examples=(dict(m=1.2, q=0.3), dict(m=0.4, q=-1.3)),
)

feature_change = Law(
    exponent,
    m - q - r,
    solves=of(units * update * activity),
    given=(m >= 0,),
    source=SCALING,
    examples=(dict(m=1.2, q=0.3, r=0.5), dict(m=0.4, q=-1.3, r=0.2)),
)

output_change = Law(
    exponent,
    m - p + d,
    solves=of(units * readout * change),
    given=(m >= 0,),
    source=SCALING,
    examples=(dict(m=1.2, p=0.3, d=0.5), dict(m=0.4, p=1.3, d=1.2)),
)

initial_output = Law(
    exponent,
    m / 2 - p - r,
    solves=of(sp.sqrt(units * readout**2 * activity**2)),
    given=(m >= 0,),
    source=SCALING,
    examples=(dict(m=1.2, p=0.4, r=0.5), dict(m=0.3, p=1.3, r=0.2)),
)

# What the exponents are: m of the units that a sum runs over, p of the effective readout weights and r of the
# activities, as N^-p and N^-r, and q of an effective recurrent weight's change in a step, as N^-q.
MAXIMAL_UPDATE = dict(m=1.0, p=1.0, q=1.0, r=0.0)  # against the width, by Adam or by gradient descent
STANDARD = dict(m=1.0, p=0.5, q=0.0, r=0.5)  # against the width, by Adam at one learning rate
RICHNESS = dict(m=0.0, p=1.0, q=-1.0, r=0.0)  # against gamma, at one width


def derive_width() -> tuple[Step, ...]:
    """From the gradient of one unit's weight to the exponents of the maximal-update parameterisation."""
    J, U, phi, x, f, y, w, gamma, eta, step, move = sp.symbols("J U phi x f y w gamma eta dJ dh", positive=True)
    width = sp.Symbol("N", positive=True)
    h = J * phi / width + U * x
    out = w * h / (gamma * width)
    loss = (out - y) ** 2 / 2
    slope = sp.diff(loss, J)
    descent = gamma**2 * width**2 * eta * slope
    adam = gamma * eta
    return (
        Step("a recurrent weight of one unit", sp.Eq(slope, (f - y) * w * phi / (gamma * width**2)), {f: out}),
        Step("descent at the rate gamma^2 N^2 eta moves it by a number that knows no width",
             sp.Eq(step, gamma * eta * (f - y) * w * phi), {step: descent, f: out}),
        Step("as does Adam at the rate gamma eta", sp.Eq(step * (f - y), adam * (f - y)), {step: adam}),
        Step("N such changes move a state by gamma eta", sp.Eq(move, width * gamma * eta * phi / width),
             {move: width * adam * phi / width}),
        Step("and N states the output by eta", sp.Eq(width * w * move / (gamma * width), w * eta * phi),
             {move: gamma * eta * phi}),
    )  # fmt: skip
