"""Architecture and learning regime: plateau, movement of the kernel, obstruction; see `theory.balanced`."""

import numpy as np

from laws.arrays import real_array
from laws.law import formula
from theory.balanced._checks import balance, matrix, network
from theory.balanced._solution import along, gram


def regime(Ni: int, Nh: int, No: int, lam: float) -> str:
    """How a network of this shape learns as |lambda| grows: "rich", "lazy" or "delayed rich".

    At lam = 0 it is rich.  ValueError for sizes below 1 and where no network of this balance exists.
    """
    for name, size in (("Ni", Ni), ("Nh", Nh), ("No", No)):
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"{name} = {size!r} must be a whole number, at least 1")
    lam = float(real_array("lam", lam))
    if lam == 0:
        return "rich"
    name, outer = ("No", No) if lam > 0 else ("Ni", Ni)
    if Nh > outer:
        raise ValueError(f"no network with lam = {lam:g} exists for Nh = {Nh} > {name} = {outer}")
    return "lazy" if Nh == outer else "delayed rich"


@formula(
    r"""L = \frac{1}{2 c} \left| (I - \Pi) \Sigma \right|^2,
    \quad \Pi = W_2 (W_2^T W_2)^{-1} W_2^T \ \text{at } t = 0"""
)
def plateau(W1, W2, sigma_yx, *, input_covariance=1.0) -> float:
    """The loss (10) at which a network of large |lambda| waits: its large layer is still what it was.

    Arguments and errors as in `solution`; ValueError at lambda = 0.

    Source: derived here, equation (10).
    """
    task = network(W1, W2, sigma_yx, [0.0], 1.0, input_covariance)
    projector, sigma, _ = _large_layer(task)
    return float(((sigma - projector @ sigma) ** 2).sum()) / (2 * task.covariance)


@formula(
    r"""1 - \frac{\langle K_0, K_{\infty} \rangle}{|K_0|\, |K_{\infty}|}
    {} \to \frac{1}{N_h} \sum_{k = 1}^{\min(N_h, \mathrm{rank}\, \Sigma)} \left( 1 - |\Pi u_k|^2 \right)

    \text{where } \Sigma = \sum_k s_k u_k v_k^T, \quad \Pi = W_2 (W_2^T W_2)^{-1} W_2^T \ \text{at } t = 0"""
)
def final_movement(W1, W2, sigma_yx) -> float:
    """The cosine distance by which the kernel has moved in the end, in the limit |lambda| -> inf.

    The large layer ends with the leading modes of the task in its column space, and what is left of the old one.
    Arguments and errors as in `solution`; ValueError at lambda = 0.

    Source: derived here, from equation (11).
    """
    task = network(W1, W2, sigma_yx, [0.0], 1.0, 1.0)
    projector, sigma, hidden = _large_layer(task)
    modes, strengths, _ = np.linalg.svd(sigma, full_matrices=False)
    learnt = modes[:, : min(hidden, np.count_nonzero(strengths > strengths[0] * len(sigma) * np.finfo(float).eps))]
    kept = np.trace(learnt.T @ projector @ learnt) + hidden - learnt.shape[1]
    return float(1 - kept / hidden)


@formula(
    r"""1 - \frac{\langle K_0, K_t \rangle}{|K_0|\, |K_t|},
    \quad K = I \otimes X^T W_1^T W_1 X + W_2 W_2^T \otimes X^T X,
    \quad X X^T = I

    \tau \frac{d W_1}{d t} = W_2^T (\Sigma - W_2 W_1),
    \quad \tau \frac{d W_2}{d t} = (\Sigma - W_2 W_1) W_1^T"""
)
def kernel_distance(W1, W2, sigma_yx, times, *, tau=1.0):
    """The distance 1 - <K(0), K(t)>/(|K(0)| |K(t)|) of the kernel (11) on a white set of inputs, shape (T,).

    Arguments and errors as in `solution`.

    Source: derived here, equations (6, 11).
    """
    task = network(W1, W2, sigma_yx, times, tau, 1.0)
    P, n = np.concatenate([(task.Q0 @ task.Q0.T)[None], along(task, gram)]), task.inputs
    return _distance(P[:, :n, :n], P[:, n:, n:])


@formula(r"\det(W_2 W_1) \det \Sigma < 0")
def is_obstructed(W1, W2, sigma_yx) -> bool:
    """Whether zero-balanced square weights end at a saddle: det(W2 W1) det(Sigma) < 0.

    ValueError unless Ni = No <= Nh and the network is zero-balanced.

    Source: derived here, the hidden obstruction.
    """
    W1, W2, sigma = matrix("W1", W1), matrix("W2", W2), matrix("sigma_yx", sigma_yx)
    if lam := balance(W1, W2):
        raise ValueError(f"lambda = {lam:g}: only zero-balanced networks are obstructed")
    if not sigma.shape == (len(W2), W1.shape[1]) or len(W2) != W1.shape[1] or len(W1) < len(W2):
        raise ValueError(f"shapes {W1.shape}, {W2.shape}, {sigma.shape}: Ni = No <= Nh is needed")
    return bool(np.linalg.slogdet(W2 @ W1)[0] * np.linalg.slogdet(sigma)[0] < 0)


def _large_layer(task):
    """The projector onto the large layer's columns, the task seen from its side, and Nh."""
    if task.lam == 0:
        raise ValueError("lambda = 0: neither layer is large")
    side = slice(task.inputs, None) if task.lam > 0 else slice(None, task.inputs)
    sigma = task.F[task.inputs :, : task.inputs]
    layer = np.linalg.svd(task.Q0[side], full_matrices=False)[0]
    return layer @ layer.T, sigma if task.lam > 0 else sigma.T, task.Q0.shape[1]


def _distance(first, second):
    """From W1^T W1 and W2 W2^T at time 0 and at all times: the traces of products of kernels."""

    def product(i):
        both = No * np.einsum("ij,tij->t", first[i], first) + Ni * np.einsum("ij,tij->t", second[i], second)
        traces = np.trace(first, axis1=1, axis2=2), np.trace(second, axis1=1, axis2=2)
        return both + traces[0][i] * traces[1] + traces[1][i] * traces[0]

    Ni, No = first.shape[1], second.shape[1]
    norms = np.sqrt([product(i)[i] for i in range(len(first))])
    return (1 - product(0) / (norms[0] * norms))[1:]
