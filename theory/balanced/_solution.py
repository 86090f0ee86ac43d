"""The exact solution (6) in a form that neither overflows nor cancels; see `theory.balanced`.

With F = O diag(w) O^T, w from the largest down, Y = O^T Q0 and g_i(t) = (e^(2 w_i t) - 1)/(2 w_i), (6) reads

    P = O E Y (I + Y^T diag(g) Y)^-1 Y^T E O^T,     E = diag(e^(w t)).

Rotating the hidden units, which leaves P as it is, brings Y to echelon form L: the first unit starts
in the fastest mode that is there, the next one in a slower mode, and so on.  So each column of the
stacked matrix [sqrt(g) L; I] grows as its first row does, and divided by that growth it stays of order one:

    M = [sqrt(g) L; I] diag(e^-m),     M = (orthonormal columns) R,     Q(t) = O (E/sqrt(g)) (sqrt(g) L e^-m) R^-1.

Every exponent is formed as a logarithm first; only differences that are not positive are exponentiated.

Many times are interpolated between few, where that keeps the digits.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dtrsm

from laws.law import formula
from theory.balanced._between import interpolated
from theory.balanced._checks import covariance, network

EPS, TINY = np.finfo(float).eps, 1e-100  # small enough for a time, and its square is still a number
BLOCK = 2**15  # numbers of one array that are worked on at a time: what a cache holds


@formula(
    r"""\begin{pmatrix} W_1^T W_1 & (W_2 W_1)^T \\ W_2 W_1 & W_2 W_2^T \end{pmatrix} = P(t)
    {} = e^{F t/\tau} Q_0 \left[ I + c\, Q_0^T \frac{e^{2 F t/\tau} - I}{2 F} Q_0 \right]^{-1} Q_0^T e^{F t/\tau}

    \text{where } F = \begin{pmatrix} -c \lambda I/2 & \Sigma^T \\ \Sigma & c \lambda I/2 \end{pmatrix},
    \quad Q_0 = \begin{pmatrix} W_1^T \\ W_2 \end{pmatrix} \text{ at } t = 0"""
)
def solution(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """P(t) = Q Q^T, Q = [W1^T; W2], along gradient flow from balanced weights: equation (6).

    Args:
        W1: first layer at time 0, shape (Nh, Ni).
        W2: second layer, shape (No, Nh), with W2^T W2 - W1 W1^T = lambda I to round-off.
        sigma_yx: correlation <y x^T> of the task, shape (No, Ni).
        times: >= 0, shape (T,), in the unit of tau.
        tau: positive.
        input_covariance: <x x^T> = c I, c > 0, given as c or as the matrix.

    Returns:
        Shape (T, Ni + No, Ni + No).  The blocks are W1^T W1, (W2 W1)^T; W2 W1, W2 W2^T.

    Raises:
        ValueError: for shapes that do not match, weights that are not balanced (it names the measured
            defect), an input covariance that is no multiple of the identity, values out of range.
        TypeError: for what is no array of real numbers.

    Source: saxe-slides, (13)-(15) with the D-term of (15) corrected.
    """
    task = network(W1, W2, sigma_yx, times, tau, input_covariance)
    return along(task, gram)


@formula(
    r"""W_2 W_1(t) = \begin{pmatrix} 0 & I \end{pmatrix} P(t) \begin{pmatrix} I \\ 0 \end{pmatrix},
    \quad \tau \frac{d P}{d t} = F P + P F - c P^2

    \text{where } F = \begin{pmatrix} -c \lambda I/2 & \Sigma^T \\ \Sigma & c \lambda I/2 \end{pmatrix},
    \quad P(0) = Q_0 Q_0^T,
    \quad Q_0 = \begin{pmatrix} W_1^T \\ W_2 \end{pmatrix} \text{ at } t = 0"""
)
def network_map(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """The map W2 W1 at each time, shape (T, No, Ni); arguments and errors as in `solution`.

    Source: saxe-slides, (13)-(15) with the D-term of (15) corrected.
    """
    task = network(W1, W2, sigma_yx, times, tau, input_covariance)
    return along(task, lambda Q: Q[:, :, task.inputs :].transpose(0, 2, 1) @ Q[:, :, : task.inputs])


@formula(
    r"""L(t) = \frac{1}{2 c} \left| \Sigma - c\, W_2 W_1(t) \right|^2

    \tau \frac{d W_1}{d t} = W_2^T (\Sigma - c\, W_2 W_1),
    \quad \tau \frac{d W_2}{d t} = (\Sigma - c\, W_2 W_1) W_1^T"""
)
def loss(W1, W2, sigma_yx, times, *, tau=1.0, input_covariance=1.0):
    """The loss above that of the best linear map, |Sigma - c W2 W1|^2 / (2 c), shape (T,); else as `solution`.

    Source: saxe-slides, (13)-(15) with the D-term of (15) corrected.
    """
    c = covariance(input_covariance)
    gap = sigma_yx - c * network_map(W1, W2, sigma_yx, times, tau=tau, input_covariance=c)
    return (gap**2).sum((1, 2)) / (2 * c)


@formula(
    r"""K(t) = I \otimes X^T W_1^T W_1 X + W_2 W_2^T \otimes X^T X

    \tau \frac{d W_1}{d t} = W_2^T (\Sigma - c\, W_2 W_1),
    \quad \tau \frac{d W_2}{d t} = (\Sigma - c\, W_2 W_1) W_1^T"""
)
def ntk(W1, W2, sigma_yx, times, inputs, *, tau=1.0, input_covariance=1.0):
    """The neural tangent kernel I (x) X^T W1^T W1 X + W2 W2^T (x) X^T X at each time.

    `inputs` is X, shape (Ni, n).  Returns shape (T, No n, No n); row o n + k is output o on input k.  Else as
    `solution`.

    Source: derived here, equation (11).
    """
    task = network(W1, W2, sigma_yx, times, tau, input_covariance)
    X = np.asarray(inputs, dtype=float)
    if X.ndim != 2 or len(X) != task.inputs:
        raise ValueError(f"inputs have shape {X.shape}, not ({task.inputs}, n)")
    P = along(task, gram)
    hidden, readout = X.T @ P[:, : task.inputs, : task.inputs] @ X, P[:, task.inputs :, task.inputs :]
    first = np.einsum("op,tkl->tokpl", np.eye(task.outputs), hidden)
    second = np.einsum("top,kl->tokpl", readout, X.T @ X)
    return (first + second).reshape(len(P), *2 * [task.outputs * X.shape[1]])


def gram(Q):
    """Q Q^T from Q^T at all times; a copy, because numpy is slower to multiply an array by its own transpose."""
    return Q.transpose(0, 2, 1).copy() @ Q


def along(task, what):
    """what(Q(t)^T) at all times of a task; Q^T of shape (some times, at most Nh, Ni + No), its hidden units rotated."""
    path = _path(task)

    def evaluate(times):
        values, scale = None, np.empty(len(times))
        for some, Q in _pieces(path, times):
            value, scale[some] = what(Q), np.einsum("tki,tki->ti", Q, Q).max(1)
            values = np.empty((len(times), *value.shape[1:])) if values is None else values
            values[some] = value
        return values, scale

    return interpolated(task.times, evaluate, EPS * len(task.F))


@dataclass(frozen=True)
class Path:
    """Where Q starts: its echelon form L in the eigenbasis of F, and the row in which each column of L begins."""

    w: np.ndarray
    L: np.ndarray
    first: np.ndarray
    back: np.ndarray  # from the eigenbasis, and from sqrt(c) W


def _path(task):
    w, O = _modes(task)  # noqa: E741
    L, first = _echelon(O.T @ task.Q0, EPS * len(O) * np.linalg.norm(np.abs(O.T) @ np.abs(task.Q0), axis=1))
    return Path(w, L, first, O.T / np.sqrt(task.covariance))


def _pieces(path, times):
    """Q(t)^T with its hidden units rotated in a way that changes with time, some times after the other."""
    size = max(BLOCK // path.L.size, 1)
    for some in [slice(i, i + size) for i in range(0, len(times), size)]:
        Y = _from_the_start(path, times[some])
        yield some, (Y.reshape(-1, len(path.w)) @ path.back).reshape(*Y.shape[:2], path.back.shape[1])


def weights_at(task, time):
    """Weights W1, W2 with the Q Q^T of this time; only their product is in closed form."""
    [(_, (Q,))] = _pieces(_path(task), np.array([time]))
    return Q[:, : task.inputs], Q[:, task.inputs :].T


def _modes(task):
    """Eigenvalues of F from the largest down, and eigenvectors as columns.

    In the eigenspaces of lambda/2 and -lambda/2, where the task has no mode, only what Q0 touches; there w is known,
    and must not differ by its rounding, which late times would see.
    """
    w, O = np.linalg.eigh(task.F)  # noqa: E741
    Nh, kept = task.Q0.shape[1], np.ones(len(w), dtype=bool)
    for edge in {task.lam / 2, -task.lam / 2}:
        same = np.flatnonzero(np.abs(w - edge) <= EPS * len(w) * np.max(np.abs(w)))
        w[same] = edge
        if len(same) > Nh:
            O[:, same[:Nh]] = O[:, same] @ np.linalg.qr(O[:, same].T @ task.Q0)[0]
            kept[same[Nh:]] = False
    w[w == 0] = TINY  # for which (e^(2 w t) - 1)/(2 w) is t
    return w[kept][::-1], O[:, kept][:, ::-1]


def _from_the_start(path, times):
    """Q(t)^T in the eigenbasis of F, from the echelon form of Q at time 0; shape (T, Nh, Ni + No)."""
    w, L, t = path.w, path.L, np.maximum(times, TINY)[:, None]
    passed = np.log(np.expm1(-2 * np.abs(w) * t) / (-2 * np.abs(w))) / 2
    growth = np.maximum(w * t, 0) + passed  # ln sqrt(g)
    level = np.maximum(growth[:, path.first], 0)  # m
    top = L.T * np.exp(np.minimum(growth[:, None, :] - level[:, :, None], 0))
    bottom = np.exp(-level)[:, :, None] * np.eye(L.shape[1])
    R = np.asarray(np.linalg.qr(np.concatenate([top, bottom], axis=2).transpose(0, 2, 1), mode="r"))
    return _divided(np.exp(np.minimum(w * t, 0) - passed)[:, None, :] * top, R.transpose(0, 2, 1))


def _divided(N, L):
    """L^-1 N for lower triangular L, shapes (T, k, n) and (T, k, k)."""
    N = np.ascontiguousarray(N)
    for one, lower in zip(N, L, strict=True):
        dtrsm(1.0, lower.T, one.T, side=1, overwrite_b=1)  # in place
    return N


def _echelon(Y, rounding):
    """Y with its columns rotated to echelon form, those that are left, and the row in which each of them starts.

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
    rank = max(column, 1)
    return L[:, :rank], first[:rank]
