"""The slides' partitioned solution (13)-(15), term by term, with one correction; see `theory.balanced`.

In modes of the task, Sigma = U S V^T, with S_l = sqrt(S^2 + lambda^2/4), lambda_perp = sgn(No - Ni) lambda/2,

    H = sgn(lambda) sqrt((S_l - S)/(S_l + S)),   G = 1/sqrt(1 + H^2),
    B = W2^T U (G + H G) + W1 V (G - H G),   C = W2^T U (G - H G) - W1 V (G + H G),   D = W2^T U_perp + W1 V_perp,

(13) and (14) are the two blocks of e^(F t/tau) Q0, and (15) is I + Q0^T ((e^(2 F t/tau) - 1)/(2 F)) Q0.  As
printed, the last term of (15) lacks two factors of 2: it must read D (e^(2 lambda_perp t/tau) - 1)/(2 lambda_perp) D^T.

This form is for reading.  In float64 it loses a digit of P for about every factor of ten in
e^(2 (S_max - S_min) t/tau), and overflows; `solution` does neither.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from theory.balanced._checks import network

t, tau = sp.symbols("t tau", real=True)


def partitioned(W1, W2, sigma_yx, times, *, tau=1.0):
    """P(t) by the slides' (13)-(15), with the last term of (15) corrected, in plain float64.

    Arguments, returns and errors as in `solution`; lambda = 0 is read as the limit.  Where float64 loses
    all digits the result is what it is, nan included.
    """
    W1, W2, sigma = (np.asarray(x, dtype=float) for x in (W1, W2, sigma_yx))
    task = network(W1, W2, sigma, times, tau, 1.0)
    Ni, No, lam = task.inputs, task.outputs, task.lam
    m, apart = min(Ni, No), abs(No - Ni)
    U, S, Vt = np.linalg.svd(sigma)
    V, U_perp, V_perp = Vt.T[:, :m], np.zeros((No, apart)), np.zeros((Ni, apart))
    U_perp[:, : No - m], V_perp[:, : Ni - m], U = U[:, m:], Vt.T[:, m:], U[:, :m]
    Sl, perp = np.sqrt(S**2 + lam**2 / 4), np.sign(No - Ni) * lam / 2
    H = np.sign(lam) * np.sqrt((Sl - S) / (Sl + S))
    G = 1 / np.sqrt(1 + H**2)
    plus, minus = G + H * G, G - H * G
    B, C = W2.T @ U * plus + W1 @ V * minus, W2.T @ U * minus - W1 @ V * plus
    D = W2.T @ U_perp + W1 @ V_perp
    P = []
    for t in task.times:
        with np.errstate(all="ignore"):
            up, down, side = np.exp(Sl * t), np.exp(-Sl * t), np.exp(perp * t)
            last = (np.exp(2 * perp * t) - 1) / (2 * perp) if perp else t
            Z1 = (V * (minus * up) @ B.T - V * (plus * down) @ C.T) / 2 + V_perp * side @ D.T
            Z2 = (U * (plus * up) @ B.T + U * (minus * down) @ C.T) / 2 + U_perp * side @ D.T
            A = np.eye(len(W1)) + B * ((up**2 - 1) / (4 * Sl)) @ B.T - C * ((down**2 - 1) / (4 * Sl)) @ C.T
            A = A + D * last @ D.T
            Z = np.vstack([Z1, Z2])
            P.append(Z @ np.linalg.solve(A, Z.T) if np.all(np.isfinite(A)) else np.full(2 * [Ni + No], np.nan))
    return np.array(P)


@dataclass(frozen=True)
class Partition:
    """Equations (13)-(15) as matrix expressions: Z1 = `inputs`, Z2 = `outputs`, A = `metric`."""

    Z1: sp.MatrixExpr
    Z2: sp.MatrixExpr
    A: sp.MatrixExpr
    inputs: sp.MatrixExpr
    outputs: sp.MatrixExpr
    metric: sp.MatrixExpr
    names: dict

    def explicit(self, network):
        """The matrices behind the names, for a network W1, W2 of balance lam and the modes U, s, V of its task."""
        W1, W2, U, V, s, lam = (network[k] for k in ("W1", "W2", "U", "V", "s", "lam"))
        Ni, No, m = len(V[:, 0]), len(U[:, 0]), len(s)
        root = [sp.sqrt(x**2 + lam**2 / 4) for x in s]
        H = [sp.sign(lam) * sp.sqrt((r - x) / (r + x)) for r, x in zip(root, s, strict=True)]
        G = [1 / sp.sqrt(1 + h**2) for h in H]
        plus = sp.diag(*(g + h * g for g, h in zip(G, H, strict=True)))
        minus = sp.diag(*(g - h * g for g, h in zip(G, H, strict=True)))
        apart, side = max(abs(No - Ni), 1), sp.sign(No - Ni) * lam / 2
        u, v, u_, v_ = U[:, :m], V[:, :m], sp.zeros(No, apart), sp.zeros(Ni, apart)
        u_[:, : No - m], v_[:, : Ni - m] = U[:, m:], V[:, m:]
        values = {
            "U": u, "V": v, "U_perp": u_, "V_perp": v_, "H": sp.diag(*H), "G": sp.diag(*G), "S_l": sp.diag(*root),
            "up": sp.diag(*(sp.exp(r * t / tau) for r in root)), "down": sp.diag(*(sp.exp(-r * t / tau) for r in root)),
            "side": sp.exp(side * t / tau) * sp.eye(apart), "lam_perp": (side if side != 0 else lam) * sp.eye(apart),
            "B": W2.T * u * plus + W1 * v * minus, "C": W2.T * u * minus - W1 * v * plus, "D": W2.T * u_ + W1 * v_,
        }  # fmt: skip
        return {self.names[key]: value for key, value in values.items()}


def partition(Ni, Nh, No) -> Partition:
    """The slides' equations for one shape, in matrix symbols that typeset and can be substituted."""
    m, apart = min(Ni, No), max(abs(No - Ni), 1)
    shapes = {
        "U": (r"\tilde{U}", No, m), "V": (r"\tilde{V}", Ni, m), "U_perp": (r"\tilde{U}_\perp", No, apart),
        "V_perp": (r"\tilde{V}_\perp", Ni, apart), "H": (r"\tilde{H}", m, m), "G": (r"\tilde{G}", m, m),
        "S_l": (r"\tilde{S}_\lambda", m, m), "up": (r"e^{\tilde{S}_\lambda t/\tau}", m, m),
        "down": (r"e^{-\tilde{S}_\lambda t/\tau}", m, m), "side": (r"e^{\lambda_\perp t/\tau}", apart, apart),
        "lam_perp": (r"\lambda_\perp", apart, apart), "B": ("B", Nh, m), "C": ("C", Nh, m), "D": ("D", Nh, apart),
    }  # fmt: skip
    x = {key: sp.MatrixSymbol(*shape) for key, shape in shapes.items()}
    U, V, U_, V_, H, G, S, up, down, side, perp, B, C, D = x.values()
    half, one = sp.Rational(1, 2), sp.Identity
    inputs = half * V * (G - H * G) * up * B.T - half * V * (G + H * G) * down * C.T + V_ * side * D.T
    outputs = half * U * (G + H * G) * up * B.T + half * U * (G - H * G) * down * C.T + U_ * side * D.T
    metric = (
        one(Nh)
        + B * (up * up - one(m)) * (4 * S) ** -1 * B.T
        - C * (down * down - one(m)) * (4 * S) ** -1 * C.T
        + D * (side * side - one(apart)) * (2 * perp) ** -1 * D.T
    )
    Z1, Z2, A = sp.MatrixSymbol("Z_1", Ni, Nh), sp.MatrixSymbol("Z_2", No, Nh), sp.MatrixSymbol("A", Nh, Nh)
    return Partition(Z1, Z2, A, inputs, outputs, metric, names=x)
