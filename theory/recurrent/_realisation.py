"""What fitted outputs pin down: Kalman's realisations as a theory of degeneracy; (9), (10) of `theory.recurrent`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp

from laws.arrays import real_array
from laws.law import Law, Source, Step, formula

h1, h2, h3, mu = sp.symbols("h1 h2 h3 mu", real=True)
nu = sp.Symbol("nu", real=True)

loose_eigenvalue = Law(
    nu,
    (h3 - mu * h2) / (h2 - mu * h1),
    solves=lambda x: (h3 - (mu + x) * h2 + mu * x * h1,),
    given=(sp.Ne(h2, mu * h1),),
    source=Source("derived here", "two units that fit three Markov parameters: one eigenvalue, given the other"),
    examples=(dict(h1=1.3, h2=0.4, h3=-0.6, mu=0.7), dict(h1=-0.3, h2=1.9, h3=0.8, mu=-0.2)),
    reasons={sp.Ne(h2, mu * h1): "where h2 = mu h1 no second mode is seen"},
)


@dataclass(frozen=True)
class Pinned:
    """What all networks share that fit the same Markov parameters.

    Attributes:
        degree: McMillan degree k of the outputs, the fewest states that can give them.
        eigenvalues: those that every such network is known to have, complex: the k of the task if `behaviour`,
            else none.
        free: how many others there are, n less these; with too few parameters they may still obey relations, as (10).
        behaviour: whether outputs at all longer times are determined.
        weights: whether weights are determined up to a change of coordinates: a minimal realisation.
    """

    degree: int
    eigenvalues: np.ndarray
    free: int
    behaviour: bool
    weights: bool


def degree_of(markov, rtol: float = 1e-9) -> int:
    """The McMillan degree: the rank of the Hankel matrix of Markov parameters, shape (T, outputs, inputs).

    Singular values below `rtol` times the largest count as 0.
    """
    h = _markov(markov)
    rows = (len(h) + 1) // 2
    sizes = np.linalg.svd(_hankel(h, rows, len(h) + 1 - rows), compute_uv=False)
    return int(np.sum(sizes > rtol * sizes[0])) if sizes[0] > 0 else 0


def realise(markov, degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ho and Kalman's realisation (A, B, C) of `degree` states, C A^(k - 1) B = markov[k - 1], from T >= 2 degree.

    Raises ValueError for too few parameters.
    """
    h = _markov(markov)
    if degree < 1 or len(h) < 2 * degree:
        raise ValueError(f"realise: {len(h)} Markov parameters realise {len(h) // 2} states at most, not {degree}")
    rows = len(h) // 2
    columns = len(h) - rows
    U, s, Vt = np.linalg.svd(_hankel(h, rows, columns))
    root = np.sqrt(s[:degree])
    seen, reached = U[:, :degree] * root, root[:, None] * Vt[:degree]
    shifted = _hankel(h[1:], rows, columns)
    A = (U[:, :degree] / root).T @ shifted @ (Vt[:degree] / root[:, None]).T
    return A, reached[:, : h.shape[2]], seen[: h.shape[1]]


@formula(
    r"""W_y W_h^{j - 1} W_x = C A^{j - 1} B \ \text{for } j \le k + n \quad \Rightarrow \quad \text{for all } j,
    \ \text{and } \mathrm{spec}\, A \subseteq \mathrm{spec}\, W_h"""
)
def pinned(markov, states: int, fitted: int, rtol: float = 1e-9) -> Pinned:
    """What exact fits of the first `fitted` Markov parameters by networks of n = `states` linear units share.

    Two networks with k and n states that agree on k + n parameters agree on all (Cayley and Hamilton for
    their difference); with one input and one output k + n - 1 do not suffice.

    Args:
        markov: parameters C B, C A B, ... of the task, shape (T, outputs, inputs), T >= 2 k.
        states: n >= k.
        fitted: how many of the parameters the networks were fitted to.
        rtol: as in `degree_of`.

    Raises:
        TypeError, ValueError: an argument is not of this kind, or n < k: then no network fits.

    Source: Kalman; the count k + n derived here, equation (9).
    """
    k = degree_of(markov, rtol)
    if states < k:
        raise ValueError(f"pinned: states = {states} are fewer than the degree {k}: no network fits")
    A, _, _ = realise(markov, k) if k else (np.zeros((0, 0)),) * 3
    enough = fitted >= k + states
    eigenvalues = np.sort_complex(np.linalg.eigvals(A)) if enough else np.zeros(0, complex)
    return Pinned(k, eigenvalues, states - len(eigenvalues), enough, enough and states == k)


def derive_realisation() -> tuple[Step, ...]:
    """Cayley and Hamilton: the parameters of two states obey a recursion, which 2 n of them determine."""
    A = sp.Matrix(2, 2, sp.symbols("A11 A12 A21 A22", real=True))
    B, C = sp.Matrix(sp.symbols("B1 B2", real=True)), sp.Matrix([sp.symbols("C1 C2", real=True)])
    markov = [(C * A**k * B)[0] for k in range(4)]
    g = sp.symbols("h1:5", real=True)
    p, q, trace, det = sp.symbols("p q trace det", real=True)
    fit = {**dict(zip(g, markov, strict=True)), trace: A.trace(), det: A.det()}
    H = g[0] * g[2] - g[1] ** 2
    two = {g[0]: p + q, g[1]: p * mu + q * nu, g[2]: p * mu**2 + q * nu**2}
    return (
        Step("every parameter follows from the two before it", sp.Eq(g[2], trace * g[1] - det * g[0]), fit),
        Step("and so does the next", sp.Eq(g[3], trace * g[2] - det * g[1]), fit),
        Step("four of them give the trace of the recurrence", sp.Eq(trace * H, g[0] * g[3] - g[1] * g[2]), fit),
        Step("and its determinant", sp.Eq(det * H, g[1] * g[3] - g[2] ** 2), fit),
        Step("three leave a curve of eigenvalues", sp.Eq(g[2] + mu * nu * g[0], (mu + nu) * g[1]), two),
    )


def _markov(markov) -> np.ndarray:
    h = real_array("markov", markov)
    h = h[:, None, None] if h.ndim == 1 else h
    if h.ndim != 3 or not h.size:
        raise ValueError(f"markov has shape {h.shape}; (T,) or (T, outputs, inputs) is needed")
    return h


def _hankel(h, rows: int, columns: int) -> np.ndarray:
    """Block Hankel matrix with h[i + j] in place (i, j)."""
    return np.block([[h[i + j] for j in range(columns)] for i in range(rows)])
