"""What is reported as activity, and what the exact loss does not see; equations (15) to (17) of `theory.noise`."""

import sympy as sp

from laws.law import Law, Source, Step
from theory.noise._moments import NOISY, POINTS, SILENT, mean, mean_square, mu, rectified, s
from theory.noise._normal import Phi, phi

kappa, delta, c, whole = sp.symbols("kappa delta c L", real=True)
e, b, d, p, x, sigma = sp.symbols("e b d p x sigma", real=True)
HERE = "derived here"

activity = Law(
    sp.Function("P")(sp.Symbol("h", real=True) > 0),
    Phi(mu / s),
    solves=rectified(0, sp.Rational(1, 2), phi(0) / s),
    given=NOISY,
    source=Source("bricken-2023", "App. A: a neuron is active if h > 0 with the noise on"),
    examples=POINTS,
    reasons=SILENT,
)


def _unit(mu_=mu, s_=s, kappa_=kappa, delta_=delta):
    """What one unit adds to the exact loss: kappa = (x - b_d).w_d, delta = |w_d|^2."""
    at = {mu: mu_, s: s_}
    return delta_ * mean_square.rhs.subs(at, simultaneous=True) - 2 * kappa_ * mean.rhs.subs(at, simultaneous=True)


rescaling = Law(
    sp.Derivative(sp.Function("L")(p), p),
    2 * delta * mean_square.rhs - 2 * kappa * mean.rhs,
    solves=lambda f: (f - mu * _unit().diff(mu) - s * _unit().diff(s),),
    given=(*NOISY, delta >= 0),
    source=Source(HERE, "one ReLU unit, encoder p times as large, at p = 1: kappa = (x - b_d).w_d, delta = |w_d|^2"),
    examples=tuple(dict(**point, kappa=0.7, delta=1.6) for point in POINTS),
    evaluate=lambda mu, s, kappa, delta: 2 * (delta * mean_square(mu=mu, s=s) - kappa * mean(mu=mu, s=s)),
    reasons=SILENT,
)

DATUM = {x: sp.Rational(7, 5), sigma: sp.Rational(3, 5)}  # any will do: see `derive_symmetries`


def _descent():
    """The loss of a unit with encoder e, bias b and decoder d that reads x, to be reproduced."""
    return _unit(e * x + b, sigma * e, x * d, d**2)


def _rate(q):
    """Minus the speed of a quantity along gradient flow."""
    return sum(q.diff(v) * _descent().diff(v) for v in (e, b, d)).subs(DATUM)


balance = Law(
    sp.Symbol("Q", real=True),
    e**2 + b**2 - d**2,
    solves=lambda q: (_rate(q), q.diff(e, 2) - 2, q.subs({e: 0, b: 0, d: 0})),
    given=(e > 0, b >= 0, d >= 0),
    source=Source(
        HERE, "what gradient flow of the exact loss keeps of every ReLU unit: e, b, d, the sizes of its weights"
    ),
    examples=(dict(e=0.8, b=0.3, d=1.7), dict(e=1.4, b=0.6, d=0.4)),
)

scaled_loss = Law(
    sp.Function("L")(c),
    c**2 * whole,
    solves=lambda f: (c * f.diff(c) - 2 * f, f.subs(c, 1) - whole),
    given=(c > 0, whole >= 0),
    source=Source(HERE, "data, noise and biases c times as large"),
    examples=(dict(c=1.7, L=0.6), dict(c=0.3, L=1.4)),
)


def derive_symmetries() -> tuple[Step, ...]:
    """From the loss of one unit to what rescaling leaves, what descent therefore keeps, and what scaling does."""
    loss, on = _descent(), (sigma > 0, e > 0)
    larger = loss.subs({x: c * x, b: c * b, sigma: c * sigma}, simultaneous=True)
    return (
        Step("the slope of E[h] in mu is the chance of being on",
             sp.Eq(mean.rhs.diff(mu), activity.rhs, evaluate=False), given=NOISY),
        Step("encoder and bias p times as large, the decoder 1/p: nothing changes",
             sp.Eq(_unit(p * mu, p * s, kappa / p, delta / p**2), _unit(), evaluate=False), given=(*NOISY, p > 0)),
        Step("so the loss is as steep along its encoder as along its decoder",
             sp.Eq(mu * _unit().diff(mu) + s * _unit().diff(s), rescaling.rhs, evaluate=False), given=NOISY),
        Step("and descent keeps e^2 + b^2 - d^2",
             sp.Eq(e * loss.diff(e) + b * loss.diff(b), d * loss.diff(d), evaluate=False), given=on),
        Step("data, noise and biases c times as large: c^2 times the loss",
             sp.Eq(larger + (c * x) ** 2, c**2 * (loss + x**2), evaluate=False), given=(*on, c > 0)),
    )  # fmt: skip
