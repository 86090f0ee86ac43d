"""The expected loss of a noisy ReLU autoencoder in float64; equations (1) and (2) of `theory.noise`."""

from dataclasses import dataclass

import numpy as np

from laws.arrays import real_array
from laws.law import formula
from theory.noise import _float

SPLITTER = 2.0**27 + 1  # halves the digits of a float64, so that products of halves are exact


@dataclass(frozen=True)
class ExpectedLoss:
    """The four parts of the expected loss; they add up to `total`.

    clean: |x - y|^2 without noise.
    margin: #1, -2 r^T W_d E[eta]; it has no sign.
    sparsity: #2, sum_j |w_dj|^2 E[eta_j^2] >= 0.
    specialisation: #3, sum_{j != k} w_dj . w_dk E[eta_j eta_k].
    """

    clean: float
    margin: float
    sparsity: float
    specialisation: float

    @property
    def total(self) -> float:
        """The expected loss."""
        return self.clean + self.margin + self.sparsity + self.specialisation


@formula(
    r"""E \left| y - W_d \left( W_e (x + \epsilon) + b_e \right)_+ - b_d \right|^2
    {} = |r|^2 - 2 \sum_j r \cdot w_{dj}\, E[\eta_j]
    {} + \sum_j |w_{dj}|^2 E[\eta_j^2] + \sum_{j \ne k} w_{dj} \cdot w_{dk}\, E[\eta_j \eta_k]

    \text{where } \eta = \left( W_e (x + \epsilon) + b_e \right)_+ - h,
    \quad h = \left( W_e x + b_e \right)_+,
    \quad r = y - W_d h - b_d,
    \quad \epsilon \sim N(0, \sigma^2 I)"""
)
def expected_loss(x, W_e, b_e, W_d, b_d, sigma, *, target=None) -> ExpectedLoss:
    """E |target - W_d (W_e (x + eps) + b_e)_+ - b_d|^2 over eps ~ N(0, sigma^2 I), averaged over the rows of x.

    Args:
        x: data, shape (B, n).
        W_e: encoder, shape (m, n).
        b_e: its bias, shape (m,).
        W_d: decoder, shape (o, m).
        b_d: its bias, shape (o,).
        sigma: standard deviation of the noise on each input, >= 0.
        target: shape (B, o); x unless given.

    Returns:
        The clean loss and the three terms of the paper, each accurate to a few units of rounding times
        its own condition number.

    Raises:
        TypeError: for what is not real numbers.
        ValueError: for shapes that do not fit, values that are not finite, sigma < 0.

    Source: derived here; bricken-2023, Eq. (17), with W_d^2 in its second term.
    """
    x, W_e, b_e, W_d, b_d, sigma, target = _checked(x, W_e, b_e, W_d, b_d, sigma, x if target is None else target)
    norms, angles = _geometry(W_e)
    s = sigma * norms
    z = _dot(x, W_e.T) + b_e
    r = _dot(-np.maximum(z, 0), W_d.T, target - b_d)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(s > 0, z / s, np.where(z > 0, np.inf, -np.inf))
    gram = _dot(W_d.T, W_d)
    shift, square = _alone(a, s)
    margin = -2 * np.sum(_dot(r, W_d) * shift)
    return ExpectedLoss(
        clean=float(np.sum(r * r) / len(x)),
        margin=float(margin / len(x)) + 0.0,
        sparsity=float(np.sum(square * np.diag(gram)) / len(x)),
        specialisation=float(_specialisation(a, s, angles, gram) / len(x)),
    )


def _alone(a, s):
    """E[eta] and E[eta^2] of every unit; a unit without weights does not deviate."""
    noisy = s > 0
    safe = np.where(noisy, a, 0.0)
    P, G, M = _float.tails(np.abs(safe))
    on = (safe > 0) * 1.0
    return s * np.where(noisy, G, 0), s**2 * np.where(noisy, M + on * (1 - 2 * P), 0)


def _specialisation(a, s, angles, gram) -> float:
    """Sum over rows and over pairs j != k of gram_jk E[eta_j eta_k]."""
    j, k = np.triu_indices(len(s), 1)
    weight = gram[j, k] * s[j] * s[k]
    j, k, weight = (part[weight != 0] for part in (j, k, weight))
    if not len(j):
        return 0.0
    size = max(1, _float.CHUNK // len(j))
    parts = []
    for rows in np.split(a, range(size, len(a), size)):
        P, G, _ = _float.tails(np.abs(rows))
        one, other = (P[:, j], G[:, j]), (P[:, k], G[:, k])
        rho, apart = (np.broadcast_to(v[j, k], one[0].shape) for v in angles)
        parts.append(2 * np.sum(_float.cross_of(rows[:, j], rows[:, k], rho, apart, one, other) @ weight))
    return float(np.sum(parts))


def _geometry(W):
    """Lengths of the rows of W; the cosines between them, and how far these are from +-1."""
    scale = np.max(np.abs(W), axis=1, keepdims=True, initial=0)
    rows = np.divide(W, scale, out=np.zeros_like(W), where=scale > 0)
    length = np.sqrt(np.sum(rows * rows, axis=1))
    unit = np.divide(rows, length[:, None], out=np.zeros_like(W), where=scale > 0)
    cosines = np.clip(_dot(unit, unit.T), -1, 1)  # beyond 1 by rounding alone, says Cauchy
    return scale[:, 0] * length, (cosines, _apart(W, cosines))


def _apart(W, cosines):
    """1 - |cosine| between rows, to its own last digits: near 1 it is made from the sine."""
    apart = 1 - np.abs(cosines)
    j, k = np.nonzero(np.triu(apart < 0.5, 1))  # beyond, the subtraction loses no digit
    size = max(1, _float.CHUNK // max(1, W.shape[1]))
    for part in range(0, len(j), size):
        one, other = j[part : part + size], k[part : part + size]
        squared_sine = _squared_sine(_scaled(W[one]), _scaled(W[other]))
        apart[one, other] = apart[other, one] = squared_sine / (1 + np.sqrt(1 - squared_sine))
    return apart


def _scaled(rows):
    """Rows divided by a power of two, so that their largest number lies between 1/2 and 1; no digit is lost."""
    return np.ldexp(rows, -np.frexp(np.max(np.abs(rows), axis=1, keepdims=True))[1])


def _squared_sine(A, B):
    """The squared sine of the angle between rows of A and of B: what is left of B after projecting A out, twice."""
    left, square = B, np.sum(A * A, axis=1)
    for _ in range(2):  # the second removes what rounding of the first has left along A
        along = (np.sum(left * A, axis=1) / square)[:, None]
        product, slip = _two_product(along, A)
        difference, lost = _two_sum(left, -product)
        left = difference + (lost - slip)
    return np.minimum(np.sum(left * left, axis=1) / np.sum(B * B, axis=1), 1)


def _dot(A, B, start=0.0):
    """Start + A B as if computed with twice the digits and rounded once (Ogita, Rump and Oishi, 2005)."""
    total = np.broadcast_to(np.asarray(start, dtype=float), (A.shape[0], B.shape[1])).copy()
    rest = np.zeros_like(total)
    for column, row in zip(A.T, B, strict=True):
        product, slip = _two_product(column[:, None], row[None, :])
        total, lost = _two_sum(total, product)
        rest += slip + lost
    return total + rest


def _two_product(p, q):
    product = p * q
    (p1, p2), (q1, q2) = _split(p), _split(q)
    return product, p2 * q2 - (((product - p1 * q1) - p2 * q1) - p1 * q2)


def _split(p):
    high = SPLITTER * p
    high = high - (high - p)
    return high, p - high


def _two_sum(p, q):
    total = p + q
    back = total - p
    return total, (p - (total - back)) + (q - back)


def _checked(x, W_e, b_e, W_d, b_d, sigma, target):
    given = dict(x=x, W_e=W_e, b_e=b_e, W_d=W_d, b_d=b_d, sigma=sigma, target=target)
    arrays = {name: real_array(name, value) for name, value in given.items()}
    for name, dimensions in dict(x=2, W_e=2, b_e=1, W_d=2, b_d=1, sigma=0, target=2).items():
        if arrays[name].ndim != dimensions:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {dimensions} dimensions")
    if arrays["sigma"] < 0:
        raise ValueError(f"sigma = {sigma!r} violates sigma >= 0")
    B, n = arrays["x"].shape
    m, o = len(arrays["W_e"]), len(arrays["W_d"])
    if not B:
        raise ValueError("x has no rows to average over")
    for name, shape in dict(W_e=(m, n), b_e=(m,), W_d=(o, m), b_d=(o,), target=(B, o)).items():
        if arrays[name].shape != shape:
            raise ValueError(
                f"{name} has shape {arrays[name].shape}; with x {(B, n)}, {m} units and {o} outputs {shape} is needed"
            )
    return tuple(arrays[name] for name in given)
