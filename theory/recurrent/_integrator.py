"""Networks that integrate: the exact one, and what a leak costs; equations (11) and (12) of `theory.recurrent`."""

from __future__ import annotations

import numpy as np
import sympy as sp

from laws.arrays import real_array
from laws.law import Law, Source, Step, formula
from theory.recurrent._learning import T, binomial_series, total

lam, v = sp.symbols("lam v", real=True)
error = sp.Symbol("e", real=True)


def _leak(T, lam, v):
    """In float64: near lam = 1 by the binomial series in lam - 1, where the terms of order 0 and 1 cancel."""
    u = lam - 1
    near, x = 2 * T * np.abs(u) < 1, np.where(2 * T * np.abs(u) < 1, u, 0.0)
    series = binomial_series(T, lambda j: x**j * (x if j == 1 else (2 + x) ** j - 2))
    with np.errstate(all="ignore"):
        direct = T - 2 * (1 - lam**T) / (1 - lam) + (1 - lam ** (2 * T)) / (1 - lam**2)
    return v**2 * np.where(near, series, direct)


leak_error = Law(
    error,
    v**2 * (T - 2 * total(lam) + total(lam**2)),
    solves=lambda e: (e.subs(T, T + 1) - e - v**2 * (1 - lam**T) ** 2, e.subs(T, 0)),
    given=(lam > 0, sp.Ne(lam, 1), T >= 1),
    source=Source("derived here", "mean squared error of one coordinate after T independent steps of variance v^2"),
    examples=(dict(lam=0.8, v=0.3, T=12), dict(lam=1.03, v=0.7, T=20), dict(lam=0.97, v=1.3, T=5)),
    evaluate=_leak,
    reasons={sp.Ne(lam, 1): "without a leak the error is 0"},
)


@formula(
    r"""h_t = W_h h_{t - 1} + W_x x_t,
    \quad W_x = E,
    \quad W_h = E E^+,
    \quad W_y = E^+
    \quad \Rightarrow \quad W_y h_T = \sum_{t \le T} x_t"""
)
def integrator(embedding) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (Wx, Wh, Wy) of a linear network that adds up its inputs exactly, at any length of the trial.

    Args:
        embedding: shape (n, d), of rank d; how a position of d coordinates lies in the state of n units.

    Returns:
        Wx = E of shape (n, d), Wh = E E^+ of shape (n, n), the identity on what is read out, and Wy = E^+, (d, n).

    Raises:
        TypeError, ValueError: the embedding is no such matrix.

    Source: derived here, equation (11).
    """
    E = real_array("integrator: embedding", embedding)
    if E.ndim != 2 or np.linalg.matrix_rank(E) < E.shape[1]:
        raise ValueError(f"integrator: embedding has shape {E.shape}; (n, d) with n >= d and rank d is needed")
    back = np.linalg.pinv(E)
    return E, E @ back, back


def derive_integrator() -> tuple[Step, ...]:
    """From the identity on the read-out subspace to sums of inputs, and what a leak leaves out."""
    E = sp.Matrix([[1, 2], [0, 1], [3, 1]])
    back = (E.T * E).inv() * E.T
    X, H, Y = sp.MatrixSymbol("W_x", 3, 2), sp.MatrixSymbol("W_h", 3, 3), sp.MatrixSymbol("W_y", 2, 3)
    u1, u2, u3 = (sp.MatrixSymbol(f"u_{i}", 2, 1) for i in (1, 2, 3))
    steps = {u: sp.Matrix(sp.symbols(f"{u.name}_:2", real=True)) for u in (u1, u2, u3)}
    where = {X: E, H: E * back, Y: back, **steps}
    one, two, three, seen, gone = sp.symbols("x1 x2 x3 y p", real=True)
    leaky = {seen: lam * (lam * one + two) + three, gone: one + two + three}
    return (
        Step("the recurrence keeps what the input writes", sp.Eq(H * X, X), where),
        Step("so that the readout is the sum of all inputs",
             sp.Eq(Y * (H * (H * X * u1 + X * u2) + X * u3), u1 + u2 + u3), where),
        Step("a leak forgets the first steps most", sp.Eq(gone - seen, (1 - lam**2) * one + (1 - lam) * two), leaky),
        Step("independent steps add their squares",
             sp.Eq(v**2 * ((1 - lam**2) ** 2 + (1 - lam) ** 2), leak_error.rhs.subs(T, 3))),
    )  # fmt: skip
