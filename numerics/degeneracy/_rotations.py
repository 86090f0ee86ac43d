"""The least |A - C B C^T| over orthogonal C for many pairs, from many starts; and what it cannot be below.

Descent over the group: C moves to (1 + h S/2)^-1 (1 - h S/2) C, S the skew part of the slope, which is orthogonal as C
is (Cayley); steps h are those of Barzilai and Borwein, taken if the squared distance falls below a mean of its past
(Zhang and Hager).  Starts are the identity; the eigenbases of both symmetric parts, with the signs that suit the skew
parts; and random matrices of both determinants, which are the same for every pair of that size.  What is found for a
pair does not depend on the pairs that are searched beside it, nor on threads, nor, but for rounding, on which of the
two comes first: the search turns the pair so that the one of the smaller norm does, or of equal norms the one of the
smaller entry where they differ first.

There are many local minima, and no start is known to lead to the least.  Exchanges and turns of two directions, tried
in all planes, mostly lead back to where they began, and a metric that follows the singular values of A does not shorten
the way; more random starts are what helps.
"""

from __future__ import annotations

import numpy as np

from numerics.degeneracy import _compiled

MOST = 4000  # steps from one start
MEMORY, LESS = 0.85, 1e-4  # how long the past counts, and what part of the promised fall is asked for


def search(A: np.ndarray, B: np.ndarray, draws: int, seed: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances of K pairs from every start, (K, starts), and the best rotation of each, (K, n, n)."""
    turned = _later(A, B)  # so that the order of a pair does not matter
    A, B = (np.where(turned[:, None, None], *pair) for pair in ((B, A), (A, B)))
    starts = _starts(A, B, draws, seed)
    K, many, n, _ = starts.shape
    pair, flat = np.repeat(np.arange(K), many), starts.reshape(-1, n, n)
    descend = _compiled.descend if _compiled.library() else by_numpy
    ends = descend(A, B, pair, flat, MOST, tolerance, MEMORY, LESS).reshape(starts.shape)
    began, ended = (norm(A[:, None] - C @ B[:, None] @ C.mT) for C in (starts, ends))
    found, lower = np.minimum(began, ended), (ended < began)[:, :, None, None]
    best = np.where(lower, ends, starts)[np.arange(K), found.argmin(1)]  # no rounding from one to itself
    return found, np.where(turned[:, None, None], best.mT, best)


def _later(A, B) -> np.ndarray:
    """Of which pairs B comes first: it has the smaller norm, or of equal norms the smaller first entry that differs."""
    one, other, gap = norm(A), norm(B), (A - B).reshape(len(A), -1)
    first = gap[np.arange(len(gap)), (gap != 0).argmax(1)]
    return (one > other) | ((one == other) & (first > 0))


def bounds(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """What no distance of K pairs is below, (K,): singular values stay, and so do those of symmetric and skew parts."""
    even, odd = ([(M + sign * M.mT) / 2 for M in (A, B)] for sign in (1, -1))
    apart = lambda values, pair: values(pair[0]) - values(pair[1])  # noqa: E731
    singular = lambda M: np.linalg.svd(M, compute_uv=False)  # noqa: E731
    parts = np.concatenate([apart(np.linalg.eigvalsh, even), apart(singular, odd)], -1)
    return np.maximum(np.linalg.norm(parts, axis=-1), np.linalg.norm(apart(singular, (A, B)), axis=-1))


def norm(M: np.ndarray) -> np.ndarray:
    """Of matrices: the root of the sum of all squares."""
    return np.sqrt((M**2).sum((-2, -1)))


def by_numpy(A, B, pair, C, most: int, tolerance: float, memory: float, less: float) -> np.ndarray:
    """Where starts end: where slopes fall below the tolerance, relative to |A| |B|.  `_compiled.descend` without it."""
    A, B = A[pair], B[pair]
    size = np.maximum(norm(A) * norm(B), np.finfo(float).tiny)
    C, ends, live = C.copy(), C.copy(), np.arange(len(C))
    moved = C @ B @ C.mT
    value, slope, step = norm(A - moved) ** 2, _slope(A, moved), 1 / (4 * size)
    mean, weight = value.copy(), np.ones(len(C))
    for turn in range(most):
        steep = norm(slope)
        going = steep > tolerance * size
        ends[live[~going]] = C[~going]
        parts = (live, A, B, C, slope, size, value, step, mean, weight, steep)
        live, A, B, C, slope, size, value, step, mean, weight, steep = (part[going] for part in parts)
        if not len(live):
            break
        after = _turn(step, slope) @ C
        moved = after @ B @ after.mT
        lower, new = norm(A - moved) ** 2, _slope(A, moved)
        better = lower <= mean - less * step * steep**2 + 8 * np.finfo(float).eps * size
        bent = new - slope
        along = np.abs((slope * bent).sum((1, 2)))
        with np.errstate(all="ignore"):
            long = steep**2 / along if turn % 2 else along / norm(bent) ** 2  # of -h S and its change, over h
        C[better], slope[better] = after[better], new[better]
        value, step = np.where(better, lower, value), np.where(better, step * long, step / 4)
        step = np.clip(np.where(np.isfinite(step), step, 1.0), 1e-6 / size, 1e3 / size)
        more = np.where(better, memory * weight + 1, weight)
        mean, weight = np.where(better, (memory * weight * mean + value) / more, mean), more
    ends[live] = C
    return ends


def _slope(A, M):
    """The skew S along which M -> exp(-h S) M exp(h S) lowers |A - M|^2 fastest: by |S|^2 h."""
    G = A @ M.mT - M.mT @ A
    return G.mT - G


def _turn(step, slope):
    """Cayley's rotation."""
    half, one = step[:, None, None] / 2 * slope, np.eye(slope.shape[-1])
    return np.linalg.solve(one + half, one - half)


def _starts(A, B, draws: int, seed: int) -> np.ndarray:
    """Starts of K pairs, (K, 2 + draws, n, n)."""
    n, draw = A.shape[-1], np.random.default_rng(seed)
    drawn = np.linalg.qr(draw.normal(size=(draws, n, n)))[0]
    drawn[:, :, 0] *= (np.sign(np.linalg.det(drawn)) * (-1.0) ** np.arange(draws))[:, None]
    same = np.broadcast_to(np.concatenate([np.eye(n)[None], drawn]), (len(A), 1 + draws, n, n))
    return np.concatenate([same[:, :1], _eigenbases(A, B)[:, None], same[:, 1:]], 1)


def _eigenbases(A, B):
    """From one eigenbasis of symmetric parts to the other, with signs that bring the skew parts close as well."""
    one, other = (np.linalg.eigh((M + M.mT) / 2)[1] for M in (A, B))
    twist = (one.mT @ ((A - A.mT) / 2) @ one) * (other.mT @ ((B - B.mT) / 2) @ other)
    signs = np.where(np.linalg.eigh(twist)[1][..., -1] < 0, -1.0, 1.0)
    rows = np.arange(len(A))
    for _ in range(2 * A.shape[-1]):  # turn round whichever gains most
        gain = -signs * (twist @ signs[..., None])[..., 0]
        best = gain.argmax(1)
        signs[rows, best] *= np.where(gain[rows, best] > 0, -1, 1)
    return (one * signs[:, None, :]) @ other.mT
