"""The printed equations of Saxe's lecture "Models of representation learning dynamics", one by one.

In the slides' notation, and independent of `theory`: each printed trajectory is put into the gradient
flow of a scalar chain with weights b, output a = b^D and loss (s - lambda a)^2 / (2 lambda), where
tau db/dt = b^(D-1) (s - lambda b^D).  What holds is asserted.  Where the print is wrong, it is shown to
fail and the corrected form to pass, by certified balls at the same points.
"""

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

from laws import ball
from laws.typeset import latex

t, s, lam, a0, tau = sp.symbols("t s lam a_0 tau", real=True)
DOCUMENT = "saxe-slides"

# Nothing equals 1 and s^2 is not lambda: at s = lambda = 1 every misprint below is invisible.
task = {s: sp.Rational(17, 10), lam: sp.Rational(3, 5), a0: sp.Rational(1, 10), tau: sp.Rational(13, 10)}
times = [sp.Rational(2, 5), sp.Rational(12, 5), sp.Rational(48, 5)]

print_shallow = s / lam * (1 - sp.exp(-t / tau)) + a0 * sp.exp(-t / tau)
print_deep = (s / lam) / (1 - (1 - s / (lam * a0)) * sp.exp(-2 * s * t / tau))
y0 = s / (lam * a0) - 1
print_very_deep = (s / lam) / (1 + sp.LambertW(y0 * sp.exp(y0 - t / tau)))


def speed(depth):
    """The speed tau da/dt of a chain of this depth."""
    return lambda a: depth * a ** (2 - sp.Rational(2, depth)) * (s - lam * a)


def rescaled_limit(a):
    """The limit of speed/D for D -> infinity."""
    return a**2 * (s - lam * a)


def solves(a, flow):
    """Whether a(t) obeys tau da/dt = flow(a) with a(0) = a_0, at every time: True, or False for certain."""
    residuals = [tau * a.diff(t) - flow(a), a.subs(t, 0) - a0]
    return all(ball.residual(r, {**task, t: time}).contains(0) for r in residuals for time in times)


def error(printed, corrected):
    """The largest distance between two trajectories, as a fraction of s/lambda."""
    gap = sp.lambdify(t, ((printed - corrected) / (s / lam)).subs(task), ["scipy", "numpy"])
    return float(np.max(np.abs(gap(np.linspace(0.0, 20.0, 2001)))))


def test_shallow(erratum):
    """Shallow (D = 1): the exponent must be lambda t/tau; as printed it is right at lambda = 1 alone."""
    corrected = print_shallow.subs(t, lam * t)
    assert not solves(print_shallow, speed(1)) and solves(corrected, speed(1))
    assert solves(print_shallow.subs(lam, 1), lambda a: s - a)
    size = error(print_shallow, corrected)
    assert 0.17 < size < 0.19
    erratum(
        DOCUMENT,
        "Shallow (D = 1)",
        verdict="misprint",
        printed=latex(print_shallow),
        corrected=latex(corrected),
        size=f"up to {size:.2f} of s/λ at λ = 0.6; none at λ = 1",
    )


def test_deep():
    """Deep (D = 2): holds as printed, for a_0 > 0; with 3s in place of 2s it would not."""
    assert solves(print_deep, speed(2))
    assert not solves(print_deep.subs(sp.exp(-2 * s * t / tau), sp.exp(-3 * s * t / tau)), speed(2))


def test_very_deep_exponent(erratum):
    """V. Deep (D >= 3): the exponent must be s^2 t/(lambda tau); as printed it is right at s^2 = lambda alone."""
    corrected = print_very_deep.subs(t, s**2 / lam * t)
    assert not solves(print_very_deep, rescaled_limit) and solves(corrected, rescaled_limit)
    assert solves(print_very_deep, lambda a: lam / s**2 * rescaled_limit(a))  # this is what it solves as printed
    size = error(print_very_deep, corrected)
    assert 0.9 < size < 1
    erratum(
        DOCUMENT,
        "V. Deep (D >= 3), exponent",
        verdict="misprint",
        printed=latex(print_very_deep),
        corrected=latex(corrected),
        size=f"up to {size:.2f} of s/λ at s = 1.7, λ = 0.6; none at s² = λ",
    )


def test_very_deep_is_a_limit(erratum):
    """V. Deep (D >= 3): even corrected it is the limit D -> infinity in the time t/D, not the law of a finite depth."""
    corrected = print_very_deep.subs(t, s**2 / lam * t)
    law = sp.lambdify(t, corrected.subs(task), ["scipy", "numpy"])
    when, gaps = np.linspace(0, 20, 401), {}
    for depth in (3, 10, 100, 1000):
        rate = sp.lambdify(a0, (speed(depth)(a0) / depth / tau).subs({k: v for k, v in task.items() if k != a0}))
        chain = solve_ivp(lambda _, a, rate=rate: rate(a), (0, 20), [0.1], t_eval=when, rtol=1e-10, atol=1e-12)
        gaps[depth] = float(np.max(np.abs(chain.y[0] - np.real(law(when))))) / float((s / lam).subs(task))
    assert not solves(corrected, speed(3))
    assert gaps[3] > 0.8 > gaps[10] > 0.6 > gaps[100] > gaps[1000]
    erratum(
        DOCUMENT,
        "V. Deep (D >= 3), range",
        verdict="holds only as D → ∞, in the time t/D",
        printed=r"D \geq 3",
        corrected=r"D \gg 2 \ln(1/a_{0})",
        size="up to " + ", ".join(f"{gap:.2g} (D = {depth})" for depth, gap in gaps.items()) + " of s/λ",
    )
