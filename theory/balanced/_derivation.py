"""From the loss to the exact solution, in matrices: (1) to (6) of `theory.balanced`, and the slides' (13)-(15).

Every step is an equation between matrices that typesets, with explicit matrices to put in.  Those are free
up to the balance.  From there on they are a balanced network in rational numbers, functions of time alone:
rotations by (3/5, 4/5) and its like, balance lambda = 4 or -4, and singular values 5/6, 3/2 of the task and 3/2, 8/3
of the smaller layer, for which s^2 + lambda^2/4 and a^2 + |lambda| are squares.
"""

import sympy as sp

from laws.law import Step
from theory.balanced._partition import partition

t, tau = sp.symbols("t tau", real=True)
TASK, LAYER = (sp.Rational(5, 6), sp.Rational(3, 2)), (sp.Rational(3, 2), sp.Rational(8, 3))
HADAMARD = sp.Matrix([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
I = sp.Identity  # noqa: E741


def matrix_steps(Ni, Nh, No, lam) -> tuple[Step, ...]:
    """The steps for one shape, Ni and No at most 3, Nh and one of them at most 2, and lam = 4 or -4."""
    shape = Ni, Nh, No
    return (*_to_balance(*shape), *_to_riccati(*shape, lam), *_to_solution(*shape, lam), *_to_slides(*shape, lam))


def _free(name, rows, columns):
    """A matrix of real symbols."""
    return sp.Matrix(rows, columns, lambda i, j: sp.Symbol(f"{name}{i + 1}{j + 1}", real=True))


def _to_balance(Ni, Nh, No):
    """Loss, gradient flow, and what it conserves."""
    named = _names(Ni, Nh, No)
    W1, W2, sigma, W1_dot, W2_dot = (named[k] for k in ("W1", "W2", "sigma", "W1_dot", "W2_dot"))
    X, Y = sp.MatrixSymbol("X", Ni, 4), sp.MatrixSymbol("Y", No, 4)
    white, targets = HADAMARD[:Ni, :], _free("y", No, 4)
    data = {X: white, Y: targets, sigma: targets * white.T / 4, W1: _free("v", Nh, Ni), W2: _free("w", No, Nh)}
    gap = targets - data[W2] * data[W1] * white
    loss = sum(entry**2 for entry in gap) / 8
    moving = {**data, W1_dot: _descent(loss, data[W1]), W2_dot: _descent(loss, data[W2])}
    error, missing = Y - W2 * W1 * X, sigma - W2 * W1
    known = sp.Trace(Y * Y.T) / 8 - sp.Trace(sigma * sigma.T) / 2
    return (
        Step("white inputs: only the correlation enters the loss",
             sp.Eq(sp.Trace(error * error.T) / 8, sp.Trace(missing * missing.T) / 2 + known), data),
        Step("the first layer descends it", sp.Eq(W1_dot, W2.T * (sigma - W2 * W1)), moving),
        Step("and so does the second", sp.Eq(W2_dot, (sigma - W2 * W1) * W1.T), moving),
        Step("both change their balance alike",
             sp.Eq(W2_dot.T * W2 + W2.T * W2_dot, W1_dot * W1.T + W1 * W1_dot.T), moving),
    )  # fmt: skip


def _to_riccati(Ni, Nh, No, lam):
    """In Q = [W1^T; W2] the balanced flow is a Riccati equation."""
    named, here = _names(Ni, Nh, No), _balanced(Ni, Nh, No, lam)
    W1, W2, Q, Q_dot, P, P_dot, F = (named[k] for k in ("W1", "W2", "Q", "Q_dot", "P", "P_dot", "F"))
    missing = here["sigma"] - here["W2"] * here["W1"]
    Q0, moved = here["Q"], sp.Matrix.vstack((here["W2"].T * missing).T, missing * here["W1"].T)
    where = {W1: here["W1"], W2: here["W2"], Q: Q0, Q_dot: moved, F: here["F"],
             P: Q0 * Q0.T, P_dot: moved * Q0.T + Q0 * moved.T}  # fmt: skip
    half = sp.Rational(1, 2)
    return (
        Step("balance", sp.Eq(W2.T * W2 - W1 * W1.T, lam * I(Nh)), where),
        Step("it closes the flow in Q = [W1^T; W2]", sp.Eq(Q_dot, F * Q - half * Q * Q.T * Q), where),
        Step("so that P = Q Q^T moves by itself", sp.Eq(P_dot, F * P + P * F - P * P), where),
    )


def _to_solution(Ni, Nh, No, lam):
    """The Riccati equation lifted to a linear one, and solved."""
    named, here = _names(Ni, Nh, No), _balanced(Ni, Nh, No, lam)
    n = Ni + No
    keys = ("E", "E_dot", "G", "G_dot", "F", "P", "P0", "Q", "A", "K")
    E, E_dot, G, G_dot, F, P, P0, Q, A, K = (named[key] for key in keys)
    M, M_dot, N, N_dot = (sp.MatrixSymbol(name, n, n) for name in ("M", r"\dot{M}", "N", r"\dot{N}"))
    flow, reach, Q0 = here["E"], here["G"], here["Q"]
    numerator, denominator = flow * Q0 * Q0.T, flow.subs(t, -t) * (sp.eye(n) + reach * Q0 * Q0.T)
    inner = sp.eye(Nh) + Q0.T * reach * Q0
    adjugate, determinant = inner.adjugate(), inner.det()
    where = {
        E: flow, E_dot: tau * flow.diff(t), G: reach, G_dot: tau * reach.diff(t), F: here["F"], Q: Q0, P0: Q0 * Q0.T,
        N: numerator, N_dot: tau * numerator.diff(t), M: denominator, M_dot: tau * denominator.diff(t), A: inner,
        K: adjugate / determinant, P: flow * Q0 * adjugate * Q0.T * flow / determinant,
    }  # fmt: skip
    return (
        Step("the propagator", sp.Eq(E_dot, F * E), where),
        Step("and its reach", sp.Eq(G_dot, E * E), where),
        Step("linear lift: the numerator", sp.Eq(N_dot, F * N), where),
        Step("linear lift: the denominator", sp.Eq(M_dot, N - F * M), where),
        Step("their quotient is P(t)", sp.Eq(P * M, N), where),
        Step("it needs one inverse, of the size of the hidden layer", sp.Eq(A, I(Nh) + Q.T * G * Q), where),
        Step("which is", sp.Eq(A * K, I(Nh)), where),
        Step("and gives the closed form (6)", sp.Eq(P, E * Q * K * Q.T * E), where),
    )


def _to_slides(Ni, Nh, No, lam):
    """The slides' partition: E Q0 and A in terms of the modes of the task; the last term of (15) corrected."""
    here, one = _balanced(Ni, Nh, No, lam), partition(Ni, Nh, No)
    Z, explicit = here["E"] * here["Q"], one.explicit(here)
    A = sp.eye(Nh) + here["Q"].T * here["G"] * here["Q"]
    return (
        Step("slides (13): inputs", sp.Eq(one.Z1, one.inputs), {**explicit, one.Z1: Z[:Ni, :]}),
        Step("slides (14): outputs", sp.Eq(one.Z2, one.outputs), {**explicit, one.Z2: Z[Ni:, :]}),
        Step("slides (15), its last term corrected", sp.Eq(one.A, one.metric), {**explicit, one.A: A}),
    )


def _descent(loss, weights):
    """Minus the gradient of the loss in a matrix of symbols."""
    return weights.applyfunc(lambda w: -sp.diff(loss, w))


def _names(Ni, Nh, No):
    """The matrices as they typeset; a dot is tau d/dt."""
    n = Ni + No
    shapes = {
        "W1": ("W_1", Nh, Ni), "W2": ("W_2", No, Nh), "sigma": (r"\Sigma", No, Ni), "F": ("F", n, n), "Q": ("Q", n, Nh),
        "W1_dot": (r"\tau\dot{W}_1", Nh, Ni), "W2_dot": (r"\tau\dot{W}_2", No, Nh), "Q_dot": (r"\tau\dot{Q}", n, Nh),
        "P": ("P", n, n), "P0": ("P_0", n, n), "P_dot": (r"\tau\dot{P}", n, n), "A": ("A", Nh, Nh),
        "K": ("A^{-1}", Nh, Nh), "E": ("E", n, n), "E_dot": (r"\tau\dot{E}", n, n),
        "G": ("G", n, n), "G_dot": (r"\tau\dot{G}", n, n),
    }  # fmt: skip
    return {key: sp.MatrixSymbol(*shape) for key, shape in shapes.items()}


def _rotation(size, cosines=((3, 4, 5), (5, 12, 13), (8, 15, 17))):
    """A rational rotation: one plane after the other."""
    turn = sp.eye(size)
    for k in range(size - 1):
        plane, (x, y, z) = sp.eye(size), cosines[k]
        plane[k : k + 2, k : k + 2] = sp.Matrix([[x, -y], [y, x]]) / z
        turn = turn * plane
    return turn


def _balanced(Ni, Nh, No, lam):
    """A balanced network with its task, the propagator e^(F t/tau) and its reach, the integral of e^(2 F t/tau)."""
    m = min(Ni, No)
    U, V, R = _rotation(No), _rotation(Ni, ((8, 15, 17), (3, 4, 5))), _rotation(Nh, ((5, 12, 13),))
    s, small, large = TASK[:m], sp.diag(*LAYER[:Nh]), sp.diag(*(sp.sqrt(a**2 + abs(lam)) for a in LAYER[:Nh]))
    first, second = (small, large) if lam > 0 else (large, small)
    after, before = _rotation(No, ((5, 12, 13), (8, 15, 17))), _rotation(Ni, ((5, 12, 13), (8, 15, 17)))
    W1, W2 = R * first * before[:, :Nh].T, after[:, :Nh] * second * R.T
    sigma = U[:, :m] * sp.diag(*s) * V[:, :m].T
    half = sp.Rational(lam, 2)
    F = sp.Matrix(sp.BlockMatrix([[-half * sp.eye(Ni), sigma.T], [sigma, half * sp.eye(No)]]))
    roots = [sp.sqrt(x**2 + half**2) for x in s]

    def blocks(even, odd, perp):
        """f(F) from f(w) = even(w) + odd(w) w/S in every mode, and f on what no mode reaches."""
        e, o = [even(S) for S in roots], [odd(S) / S for S in roots]
        first = sp.diag(*(x - y * half for x, y in zip(e, o, strict=True)))
        last = sp.diag(*(x + y * half for x, y in zip(e, o, strict=True)))
        across = sp.diag(*(y * x for x, y in zip(s, o, strict=True)))
        u, v, u_, v_ = U[:, :m], V[:, :m], U[:, m:], V[:, m:]
        return sp.Matrix.vstack(
            sp.Matrix.hstack(v * first * v.T + v_ * v_.T * perp(-half), v * across * u.T),
            sp.Matrix.hstack(u * across * v.T, u * last * u.T + u_ * u_.T * perp(half)),
        )

    E = blocks(lambda S: sp.cosh(S * t / tau), lambda S: sp.sinh(S * t / tau), lambda w: sp.exp(w * t / tau))
    G = blocks(lambda S: sp.sinh(2 * S * t / tau) / (2 * S), lambda S: sp.sinh(S * t / tau) ** 2 / S,
               lambda w: (sp.exp(2 * w * t / tau) - 1) / (2 * w))  # fmt: skip
    return {"W1": W1, "W2": W2, "sigma": sigma, "F": F, "Q": sp.Matrix.vstack(W1.T, W2), "E": E, "G": G,
            "U": U, "V": V, "s": s, "lam": sp.Integer(lam)}  # fmt: skip
