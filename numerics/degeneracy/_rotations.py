"""The least |A - C B C^T| over orthogonal C for many pairs at once, from many starts; and what it cannot be below.

Descent over the group: C moves to (1 + h S/2)^-1 (1 - h S/2) C, S the skew part of the slope, which is orthogonal as C
is (Cayley); steps h are those of Barzilai and Borwein, taken if the squared distance falls below a mean of its past
(Zhang and Hager).  Starts are the identity; the eigenbases of both symmetric parts, with the signs that suit the skew
parts; and random matrices of both determinants, each with its transpose.  So are those of the pair B, A, and what is
found does not depend on which comes first, but for rounding.
"""

from __future__ import annotations

import numpy as np

MOST = 400  # steps from one start
MEMORY, LESS = 0.85, 1e-4  # how long the past counts, and what part of the promised fall is asked for


def search(A: np.ndarray, B: np.ndarray, draws: int, seed: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances of K pairs from every start, (K, starts), and the best rotation of each, (K, n, n)."""
    turned = norm(A) > norm(B)  # so that the order of a pair does not matter
    A, B = (np.where(turned[:, None, None], *pair) for pair in ((B, A), (A, B)))
    starts = _starts(A, B, draws, seed)
    K, many, n, _ = starts.shape
    every = lambda M: np.repeat(M, many, axis=0)  # noqa: E731
    C = _descend(every(A), every(B), starts.reshape(-1, n, n), tolerance)
    found = norm(every(A) - C @ every(B) @ C.mT).reshape(K, many)
    best = C.reshape(K, many, n, n)[np.arange(K), found.argmin(1)]
    return found, np.where(turned[:, None, None], best.mT, best)


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


def _descend(A, B, C, tolerance):
    """Local minima below all starts: where slopes fall below the tolerance, relative to |A| |B|."""
    size = np.maximum(norm(A) * norm(B), np.finfo(float).tiny)
    ends, live = C.copy(), np.arange(len(C))
    moved = C @ B @ C.mT
    value, slope, step = norm(A - moved) ** 2, _slope(A, moved), 1 / (4 * size)
    mean, weight = value.copy(), np.ones(len(C))
    for turn in range(MOST):
        steep = norm(slope)
        going = steep > tolerance * size
        if going.mean() < 0.8:  # leave those behind that have arrived
            ends[live] = C
            parts = (live, A, B, C, slope, size, value, step, mean, weight, steep)
            live, A, B, C, slope, size, value, step, mean, weight, steep = (part[going] for part in parts)
            if not len(live):
                break
        after = _turn(step, slope) @ C
        moved = after @ B @ after.mT
        lower, new = norm(A - moved) ** 2, _slope(A, moved)
        better = lower <= mean - LESS * step * steep**2 + 8 * np.finfo(float).eps * size
        bent = new - slope
        along = np.abs((slope * bent).sum((1, 2)))
        with np.errstate(all="ignore"):
            long = steep**2 / along if turn % 2 else along / norm(bent) ** 2  # of -h S and its change, over h
        C, slope = np.where(better[:, None, None], after, C), np.where(better[:, None, None], new, slope)
        value, step = np.where(better, lower, value), np.where(better, step * long, step / 4)
        step = np.clip(np.nan_to_num(step, nan=1.0), 1e-6 / size, 1e3 / size)
        more = np.where(better, MEMORY * weight + 1, weight)
        mean, weight = np.where(better, (MEMORY * weight * mean + value) / more, mean), more
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
    K, n, _ = A.shape
    draw, starts = np.random.default_rng(seed), [np.broadcast_to(np.eye(n), A.shape), _eigenbases(A, B)]
    for k in range(draws):
        C = np.linalg.qr(draw.normal(size=(K, n, n)))[0]
        C[:, :, 0] *= (np.sign(np.linalg.det(C)) * (-1) ** k)[:, None]
        starts.append(C)
    return np.stack(starts, 1)


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
