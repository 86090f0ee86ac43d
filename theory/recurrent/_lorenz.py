"""What is known exactly of the Lorenz-96 system; equations (13) to (15) of `theory.recurrent`."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from laws.law import Law, Source, Step, formula

F, theta, m1, m2 = sp.symbols("F theta m1 m2", real=True)
rate, omega, power = sp.symbols("r omega P", real=True)


def _speed(x, force=F):
    """Equation (13): x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring."""
    n = len(x)
    return [(x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + force for i in range(n)]


def _wave(part):
    """What the linear part at x = F does to the wave e^(i theta j), at the site j = 0."""
    z = sp.Symbol("z", real=True)
    ring = {j: F + z * sp.exp(sp.I * theta * j) for j in (-2, -1, 0, 1)}
    speed = (ring[1] - ring[-2]) * ring[-1] - ring[0] + F
    return part(sp.diff(speed, z).subs(z, 0).rewrite(sp.cos).expand())


def _power(p):
    """A candidate for the rate of energy against the equations, on five sites."""
    x = (m1, m2, F, m1 * m2, F - m1)
    means = {m1: sum(x) / 5, m2: sum(v**2 for v in x) / 5}
    return (p.subs(means, simultaneous=True) - sum(a * b for a, b in zip(x, _speed(x), strict=True)) / 5,)


growth_rate = Law(
    rate,
    -1 + F * (sp.cos(theta) - sp.cos(2 * theta)),
    solves=lambda r: (r - _wave(sp.re),),
    given=(F > 0,),
    source=Source("derived here", "waves e^(i theta j) around the rest state x = F"),
    examples=(dict(F=0.7, theta=1.3), dict(F=3.1, theta=0.4), dict(F=8, theta=2.6)),
)

frequency = Law(
    omega,
    F * (sp.sin(theta) + sp.sin(2 * theta)),
    solves=lambda w: (w - _wave(sp.im),),
    given=(F > 0,),
    source=Source("derived here", "waves e^(i theta j) around the rest state x = F"),
    examples=(dict(F=0.7, theta=1.3), dict(F=3.1, theta=0.4), dict(F=8, theta=2.6)),
)

energy_rate = Law(
    power,
    F * m1 - m2,
    solves=_power,
    given=(m2 >= m1**2,),
    source=Source("derived here", "d/dt of the mean of x^2/2, m1 and m2 the means of x and x^2 over the sites"),
    examples=(dict(F=8, m1=2.3, m2=18.1), dict(F=0.7, m1=-0.4, m2=1.7)),
)


def critical_forcing(n: int) -> float:
    """The forcing above which the rest state x = F of n sites is unstable; it tends to 8/9 as n grows.

    Raises TypeError or ValueError unless n is a whole number >= 4.

    Source: derived here, equation (15).
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"critical_forcing: n = {n!r} is not a whole number")
    if n < 4:
        raise ValueError(f"critical_forcing: n = {n} violates n >= 4: with fewer sites neighbours coincide")
    angles = 2 * math.pi * np.arange(n) / n
    return float(1 / np.max(np.cos(angles) - np.cos(2 * angles)))


@formula(r"\sum_{k = 1}^{n} \lambda_k = {-n}")
def exponent_sum(n: float) -> float:
    """The sum of all Lyapunov exponents, -n: the flow shrinks volumes at that rate everywhere.

    Source: derived here, from the divergence of (13).
    """
    return -float(n)


def derive_lorenz() -> tuple[Step, ...]:
    """From the equations on five sites to the energy, the shrinking of volumes, waves and the onset of instability."""
    x = sp.symbols("x1:6", real=True)
    speed, total, squares = _speed(x), sp.Symbol("S1", real=True), sp.Symbol("S2", real=True)
    sums = {total: sum(x), squares: sum(v**2 for v in x)}
    flow = sum(u * v for u, v in zip(x, speed, strict=True))
    shrinking = sum(sp.diff(s, v) for s, v in zip(speed, x, strict=True))
    n, cosine, lost = sp.symbols("n cosine r", real=True)
    height = sp.cos(theta) - sp.cos(2 * theta)
    return (
        Step("the quadratic terms cancel in the energy", sp.Eq(flow, F * total - squares), sums),
        Step("volumes shrink at the rate n", sp.Eq(shrinking, -n), {n: 5}),
        Step("a wave grows by what its cosines allow", sp.Eq(lost, F * height), {lost: _wave(sp.re) + 1}),
        Step("these are a parabola in the cosine",
             sp.Eq(height, sp.Rational(9, 8) - 2 * (cosine - sp.Rational(1, 4)) ** 2), {cosine: sp.cos(theta)}),
        Step("whose top, 9/8, gives the threshold 8/9", sp.Eq(growth_rate.rhs, sp.Rational(9, 8) * F - 1),
             {theta: sp.acos(sp.Rational(1, 4))}),
    )  # fmt: skip
