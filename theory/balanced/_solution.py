"""The exact solution (6) in a form that neither overflows nor cancels; see `theory.balanced`.

With F = O diag(w) O^T, w from the largest down, Y = O^T Q0 and g_i(t) = (e^(2 w_i t) - 1)/(2 w_i), (6) reads

    P = O E Y (I + Y^T diag(g) Y)^-1 Y^T E O^T,     E = diag(e^(w t)).

Rotating the hidden units, which leaves P as it is, brings Y to echelon form L: the first unit starts
in the fastest mode that is there, the next one in a slower mode, and so on.  So each column of the
stacked matrix [sqrt(g) L; I] grows as its first row does, and divided by that growth it stays of order one:

    M = [sqrt(g) L; I] diag(e^-m),     M = (orthonormal columns) R,     Q(t) = O (E/sqrt(g)) (sqrt(g) L e^-m) R^-1.

Every exponent is formed as a logarithm first; only differences that are not positive are exponentiated.
"""

import numpy as np
from scipy.special import exprel

from theory.balanced._checks import network

EPS, TINY = np.finfo(float).eps, np.finfo(float).tiny
BLOCK = 2**15  # numbers of one array that are worked on at a time: what a cache holds


def solution(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """P(t) = Q Q^T, Q = [W1^T; W2], along gradient flow from balanced weights: equation (6).

    Args:
        W1: first layer at time 0, shape (Nh, Ni).
        W2: second layer, shape (No, Nh), with W2^T W2 - W1 W1^T = lambda I to round-off.
        sigma_yx: correlation <y x^T> of the task, shape (No, Ni).
        times: >= 0, shape (T,), in the unit of tau.
        tau: positive.
        input_covariance: c > 0, where <x x^T> = c I.

    Returns:
        Shape (T, Ni + No, Ni + No).  The blocks are W1^T W1, (W2 W1)^T; W2 W1, W2 W2^T.

    Raises:
        ValueError: for shapes that do not match, weights that are not balanced (it names the measured
            defect), an input covariance that is no multiple of the identity, values out of range.
        TypeError: for what is no array of real numbers.

    Source: saxe-slides, (13)-(15) with the D-term of (15) corrected.
    """
    Q = factor(network(W1, W2, sigma_yx, times, tau, input_covariance))
    return Q @ Q.transpose(0, 2, 1)


def network_map(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """The map W2 W1 at each time, shape (T, No, Ni); arguments and errors as in `solution`."""
    task = network(W1, W2, sigma_yx, times, tau, input_covariance)
    Q = factor(task)
    return Q[:, task.inputs :] @ Q[:, : task.inputs].transpose(0, 2, 1)


def loss(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """The loss above that of the best linear map, |Sigma - c W2 W1|^2 / (2 c), shape (T,); else as `solution`."""
    gap = sigma_yx - input_covariance * network_map(W1, W2, sigma_yx, times, tau=tau, input_covariance=input_covariance)
    return (gap**2).sum((1, 2)) / (2 * input_covariance)


def ntk(W1, W2, sigma_yx, times, inputs, *, tau=1.0, input_covariance=1.0):
    """The neural tangent kernel I (x) X^T W1^T W1 X + W2 W2^T (x) X^T X at each time.

    `inputs` is X, shape (Ni, n).  Returns shape (T, No n, No n); row o n + k is output o on input k.  Else as
    `solution`.
    """
    task = network(W1, W2, sigma_yx, times, tau, input_covariance)
    X = np.asarray(inputs, dtype=float)
    if X.ndim != 2 or len(X) != task.inputs:
        raise ValueError(f"inputs have shape {X.shape}, not ({task.inputs}, n)")
    Q = factor(task)
    hidden, readout = Q[:, : task.inputs].transpose(0, 2, 1) @ X, Q[:, task.inputs :]
    first = np.einsum("op,thk,thl->tokpl", np.eye(task.outputs), hidden, hidden)
    second = np.einsum("toh,tph,kl->tokpl", readout, readout, X.T @ X)
    return (first + second).reshape(len(Q), *2 * [task.outputs * X.shape[1]])


def factor(task):
    """Q(t) with its hidden units rotated in a way that changes with time, shape (T, Ni + No, Nh)."""
    w, O = np.linalg.eigh(task.F)  # noqa: E741
    w, O = w[::-1], O[:, ::-1]  # noqa: E741
    L, first = _echelon(O.T @ task.Q0, EPS * len(O) * np.linalg.norm(np.abs(O.T) @ np.abs(task.Q0), axis=1))
    blocks = np.array_split(task.times, -(-len(task.times) * L.size // BLOCK) or 1)
    Q = np.concatenate([_in_modes(w, L, first, times) for times in blocks])
    return (O / np.sqrt(task.covariance)) @ Q


def _in_modes(w, L, first, times):
    """Q(t) in the eigenbasis of F, from its echelon form at time 0."""
    t = np.maximum(times, TINY)[:, None]
    passed = np.log(t * exprel(-2 * np.abs(w) * t)) / 2
    growth = np.maximum(w * t, 0) + passed  # ln sqrt(g)
    level = np.maximum(growth[:, first], 0)  # m
    top = L * np.exp(np.minimum(growth[:, :, None] - level[:, None, :], 0))
    bottom = np.exp(-level)[:, :, None] * np.eye(L.shape[1])
    R = np.linalg.qr(np.concatenate([top, bottom], axis=1), mode="r")
    now = np.exp(np.minimum(w * t, 0) - passed)[:, :, None] * top
    return now @ np.linalg.inv(R)


def _echelon(Y, rounding):
    """Y with its columns rotated to echelon form, and the row in which each column starts.

    A row counts as dependent on those before it if what is left of it is below its rounding error.
    """
    L, first = Y.copy(), np.full(Y.shape[1], len(Y) - 1)
    column = 0
    for row in range(len(L)):
        rest = L[row, column:]
        size = np.linalg.norm(rest)
        if size > rounding[row]:
            mirror = rest.copy()
            mirror[0] += np.copysign(size, mirror[0])
            L[row:, column:] -= np.outer(L[row:, column:] @ mirror, mirror) * (2 / (mirror @ mirror))
            first[column] = row
            column += 1
        L[row, column:] = 0
        if column == L.shape[1]:
            break
    return L, first
