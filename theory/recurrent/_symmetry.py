"""What the symmetry of a linear recurrent network conserves; equations (6) to (8) of `theory.recurrent`."""

from __future__ import annotations

import numpy as np
import sympy as sp

from laws.arrays import real_array
from laws.law import Step, formula


@formula(
    r"""Q = W_x W_x^T + W_h W_h^T - W_h^T W_h - W_y^T W_y + \beta \beta^T,
    \quad \frac{d Q}{d t} = 0"""
)
def conserved(Wx, Wh, Wy, bias=None) -> np.ndarray:
    """Equation (7): the matrix Q that gradient flow conserves, whatever data and loss.

    Args:
        Wx: input weights, shape (..., n, inputs).
        Wh: recurrent weights, shape (..., n, n).
        Wy: readout weights, shape (..., outputs, n).
        bias: trained bias of the state, shape (..., n), or None.

    Returns:
        Wx Wx^T + Wh Wh^T - Wh^T Wh - Wy^T Wy (+ bias bias^T); shape (..., n, n), symmetric.

    Raises:
        TypeError, ValueError: what is given is not real, not finite, or its shapes do not fit.

    Source: derived here, equation (7).
    """
    into, across, out = (real_array(f"conserved: {k}", v) for k, v in (("Wx", Wx), ("Wh", Wh), ("Wy", Wy)))
    n = across.shape[-1] if across.ndim > 1 else 0
    fits = into.ndim > 1 and out.ndim > 1 and across.shape[-2:] == (n, n)
    if not fits or into.shape[-2] != n or out.shape[-1] != n:
        shapes = f"Wx {into.shape}, Wh {across.shape}, Wy {out.shape}"
        raise ValueError(f"conserved: {shapes} do not fit: (..., n, inputs), (..., n, n), (..., outputs, n) are needed")
    transposed = lambda W: np.swapaxes(W, -1, -2)  # noqa: E731
    Q = into @ transposed(into) + across @ transposed(across) - transposed(across) @ across - transposed(out) @ out
    if bias is None:
        return Q
    b = real_array("conserved: bias", bias)
    if b.shape[-1:] != (n,):
        raise ValueError(f"conserved: bias has shape {b.shape}; (..., {n}) is needed")
    return Q + b[..., :, None] * b[..., None, :]


def derive_symmetry() -> tuple[Step, ...]:
    """From the symmetry of the outputs to Q, on explicit matrices: two units, two steps, two inputs, one output."""
    free = lambda name, n, m: sp.Matrix(n, m, lambda i, j: sp.Symbol(f"{name}{i + 1}{j + 1}", real=True))  # noqa: E731
    Wx, Wh, Wy, beta = free("v", 2, 2), free("w", 2, 2), free("u", 1, 2), free("beta", 2, 1)
    G = sp.Matrix([[2, 1], [1, 3]]) / 2
    x = [sp.Matrix([1, -2]), sp.Matrix([3, 1])]
    target = [sp.Rational(1, 2), -sp.Rational(3, 4)]

    def outputs(Wx, Wh, Wy, beta):
        h, seen = sp.zeros(2, 1), []
        for u in x:
            h = Wh * h + Wx * u + beta
            seen.append((Wy * h)[0])
        return seen

    loss = sum((y - z) ** 2 for y, z in zip(outputs(Wx, Wh, Wy, beta), target, strict=True)) / 2
    loss += (outputs(Wx, Wh, Wy, beta)[1] - target[0]) ** 4  # no symmetry of the loss is used
    named = {k: sp.MatrixSymbol(name, *shape) for k, name, shape in (
        ("X", "W_x", (2, 2)), ("H", "W_h", (2, 2)), ("Y", "W_y", (1, 2)), ("b", r"\beta", (2, 1)),
        ("dX", r"\nabla_{W_x}L", (2, 2)), ("dH", r"\nabla_{W_h}L", (2, 2)), ("dY", r"\nabla_{W_y}L", (1, 2)),
        ("db", r"\nabla_\beta L", (2, 1)))}  # fmt: skip
    here = {w: sp.Rational(7 - 3 * i, 5 + i) for i, w in enumerate((*Wx[:3], *Wh[1:], *Wy, *beta))}  # all but two
    value = lambda W: W.subs(here).applyfunc(sp.expand)  # noqa: E731
    slope = lambda W: value(W.applyfunc(lambda w: sp.diff(loss, w)))  # noqa: E731
    explicit = dict(X=value(Wx), H=value(Wh), Y=value(Wy), b=value(beta))
    explicit |= dict(dX=slope(Wx), dH=slope(Wh), dY=slope(Wy), db=slope(beta))
    where = {named[k]: v for k, v in explicit.items()}
    X, H, Y, B, dX, dH, dY, dB = named.values()
    y, moved = sp.symbols("y y_moved", real=True)
    turned = outputs(G * Wx, G * Wh * G.inv(), Wy * G.inv(), G * beta)[1]
    orbit = dX * X.T + dH * H.T + dB * B.T
    return (
        Step("a change of coordinates of the state leaves the outputs alone", sp.Eq(y, moved),
             {y: outputs(Wx, Wh, Wy, beta)[1], moved: sp.cancel(turned)}),
        Step("so the gradient has no part along it", sp.Eq(orbit, H.T * dH + Y.T * dY), where),
        Step("and Q stands still under gradient flow",
             sp.Eq(orbit + orbit.T, dH.T * H + H.T * dH + dY.T * Y + Y.T * dY), where),
    )  # fmt: skip
