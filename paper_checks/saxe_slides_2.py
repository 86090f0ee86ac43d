"""The printed equations of the second part of Saxe's lecture: the partitioned solution (13)-(15).

In the slides' notation, and independent of `theory`: each piece is transcribed as printed and put before
the gradient flow of W2 W1 itself, in 60 digits where it is an identity, and by an ODE solver where it is a trajectory.
"""

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

DOCUMENT = "saxe-slides"
SHAPES = [(3, 3, 5, 1.3), (3, 4, 5, 0.7), (5, 3, 3, -1.3), (5, 2, 3, 2.1), (3, 2, 5, -0.9), (3, 3, 3, 1.7)]  # Ni Nh No


def frame(draw, rows, columns):
    """Random orthonormal columns."""
    return np.linalg.qr(draw.normal(size=(rows, columns)))[0]


def balanced(Ni, Nh, No, lam, seed=1):
    """W1, W2 with W2^T W2 - W1 W1^T = lam I, and a correlation with no two singular values alike."""
    draw = np.random.default_rng(seed)
    m = min(Ni, Nh, No)
    squares = np.zeros(Nh)
    squares[:m] = draw.uniform(0.1, 0.6, m)
    first, last = np.sqrt(squares + max(-lam, 0)), np.sqrt(squares + max(lam, 0))
    R, a, b = frame(draw, Nh, Nh), min(Ni, Nh), min(No, Nh)
    W1, W2 = R[:, :a] * first[:a] @ frame(draw, Ni, a).T, frame(draw, No, b) * last[:b] @ R[:, :b].T
    S, k = np.linspace(1.7, 0.6, min(Ni, No)), min(Ni, No)
    return W1, W2, frame(draw, No, k) * S @ frame(draw, Ni, k).T


def svd(sigma):
    """U, S, V with m = min(Ni, No) columns each, and U_perp, V_perp: 0 on the smaller side."""
    No, Ni = sigma.shape
    m, apart = min(Ni, No), abs(No - Ni)
    U, S, Vt = np.linalg.svd(sigma)
    U_perp, V_perp = np.zeros((No, apart)), np.zeros((Ni, apart))
    U_perp[:, : No - m], V_perp[:, : Ni - m] = U[:, m:], Vt.T[:, m:]
    return U[:, :m], S, Vt.T[:, :m], U_perp, V_perp


def pieces(W1, W2, sigma, t, lam, last, tau=1.0):
    """Z1, Z2 and A of (13)-(15) at one time; `last(l_perp, t/tau)` is the bracket of the D-term in (15)."""
    No, Ni = sigma.shape
    U, S, V, U_perp, V_perp = svd(sigma)
    S_lam = np.sqrt(S**2 + lam**2 / 4)
    l_perp = np.sign(No - Ni) * lam / 2
    H = np.sign(lam) * np.sqrt((S_lam - S) / (S_lam + S))
    G = 1 / np.sqrt(1 + H**2)
    B = W2.T @ U * (G + H * G) + W1 @ V * (G - H * G)
    C = W2.T @ U * (G - H * G) - W1 @ V * (G + H * G)
    D = W2.T @ U_perp + W1 @ V_perp
    up, down, side = np.exp(S_lam * t / tau), np.exp(-S_lam * t / tau), np.exp(l_perp * t / tau)
    Z1 = V * (G - H * G) * up @ B.T / 2 - V * (G + H * G) * down @ C.T / 2 + V_perp * side @ D.T
    Z2 = U * (G + H * G) * up @ B.T / 2 + U * (G - H * G) * down @ C.T / 2 + U_perp * side @ D.T
    A = np.eye(len(W1)) + B * ((up**2 - 1) / (4 * S_lam)) @ B.T - C * ((down**2 - 1) / (4 * S_lam)) @ C.T
    return Z1, Z2, A + D * last(l_perp, t / tau) @ D.T


def as_printed(l_perp, t):
    """(e^(l_perp t) - 1)/l_perp."""
    return np.expm1(l_perp * t) / l_perp if l_perp else t


def corrected(l_perp, t):
    """(e^(2 l_perp t) - 1)/(2 l_perp)."""
    return np.expm1(2 * l_perp * t) / (2 * l_perp) if l_perp else t


def solution(W1, W2, sigma, times, lam, last):
    """Q Q^T at every time, from the partition."""
    found = []
    for t in times:
        Z1, Z2, A = pieces(W1, W2, sigma, t, lam, last)
        Z = np.vstack([Z1, Z2])
        found.append(Z @ np.linalg.solve(A, Z.T))
    return np.array(found)


def flow(W1, W2, sigma, times, rtol=1e-12):
    """Q Q^T at every time, from tau dW1/dt = W2^T (Sigma - W2 W1), tau dW2/dt = (Sigma - W2 W1) W1^T."""
    (Nh, Ni), No = W1.shape, len(W2)

    def velocity(_, row):
        first, second = row[: Nh * Ni].reshape(Nh, Ni), row[Nh * Ni :].reshape(No, Nh)
        E = sigma - second @ first
        return np.concatenate([(second.T @ E).ravel(), (E @ first.T).ravel()])

    row = np.concatenate([W1.ravel(), W2.ravel()])
    path = solve_ivp(velocity, (0, times[-1]), row, method="DOP853", t_eval=times, rtol=rtol, atol=rtol / 100).y.T
    found = []
    for row in path:
        Q = np.vstack([row[: Nh * Ni].reshape(Nh, Ni).T, row[Nh * Ni :].reshape(No, Nh)])
        found.append(Q @ Q.T)
    return np.array(found)


def resolution(W1, W2, sigma, times):
    """The flow, and how far the solver lies from itself at a hundred times its tolerance."""
    fine = flow(W1, W2, sigma, times)
    return fine, np.max(np.abs(fine - flow(W1, W2, sigma, times, 1e-10)))


times = np.array([0.3, 0.8, 1.5, 2.5])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_partition(shape):
    """(13), (14) and the corrected (15) are the gradient flow, whatever the shape and the sign of lambda."""
    W1, W2, sigma = balanced(*shape)
    truth, error = resolution(W1, W2, sigma, times)
    gap = np.max(np.abs(solution(W1, W2, sigma, times, shape[3], corrected) - truth))
    assert gap <= error
    if shape[0] != shape[2]:
        wrong = np.max(np.abs(solution(W1, W2, sigma, times, shape[3], as_printed) - truth))
        assert wrong > error


def test_last_term_of_15(erratum):
    """(15): the D-term lacks two factors of 2; it shows wherever Ni != No, most with lambda large."""
    when, sizes = np.linspace(0, 6, 61), []
    for shape in [*SHAPES[:5], (5, 3, 3, -8.0), (3, 2, 5, 0.05)]:
        W1, W2, sigma = balanced(*shape)
        right, wrong = (solution(W1, W2, sigma, when, shape[3], last) for last in (corrected, as_printed))
        sizes.append(np.max(np.abs(wrong - right)) / np.max(np.abs(right)))
    assert min(sizes) > 0
    square = balanced(3, 3, 3, 1.7)
    both = [solution(*square, when, 1.7, last) for last in (corrected, as_printed)]
    assert np.array_equal(*both)  # Ni = No: there is no such term
    erratum(
        DOCUMENT,
        "Partitioned solution (15), last term",
        verdict="misprint",
        printed=r"D \frac{e^{\lambda_\perp t/\tau} - I}{\lambda_\perp} D^{T}",
        corrected=r"D \frac{e^{2 \lambda_\perp t/\tau} - I}{2 \lambda_\perp} D^{T}",
        size=f"relative error {min(sizes):.2g} to {max(sizes):.2g} of max |QQᵀ| for Nᵢ ≠ Nₒ; none for Nᵢ = Nₒ",
    )


def rational(value):
    """A matrix of 60-digit numbers that are exactly these floats."""
    return mp.matrix(np.asarray(value).tolist())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_what_the_pieces_are(shape):
    """Z = e^(F t) Q0, in 60 digits, and A' = Z^T Z, which fixes the D-term of (15)."""
    Ni, Nh, No, lam = shape
    W1, W2, sigma = balanced(*shape)
    U, S, V, U_perp, V_perp = svd(sigma)
    step, F_squared, eps = 1e-4, S[0] ** 2 + lam**2 / 4, np.finfo(float).eps
    for t in (0.7, 1.9):
        Z1, Z2, _ = pieces(W1, W2, sigma, t, lam, corrected)
        with mp.workdps(60):
            F = mp.matrix(Ni + No)
            for i in range(Ni + No):
                F[i, i] = -mp.mpf(lam) / 2 if i < Ni else mp.mpf(lam) / 2
            for i, j in np.ndindex(No, Ni):
                F[Ni + i, j] = F[j, Ni + i] = mp.mpf(sigma[i, j])
            grown = np.array((mp.expm(F * mp.mpf(t)) * rational(np.vstack([W1.T, W2]))).tolist(), dtype=float)
        Z = np.vstack([Z1, Z2])
        operations = 8 * (Ni + No) * np.exp(np.sqrt(F_squared) * t)
        assert np.max(np.abs(Z - grown)) < operations * eps * np.linalg.norm(W1) * np.linalg.norm(W2)
        slopes = []
        for last in (corrected, as_printed):
            ahead, behind = (pieces(W1, W2, sigma, t + h, lam, last)[2] for h in (step, -step))
            slopes.append(np.max(np.abs((ahead - behind) / (2 * step) - Z.T @ Z)))
        # the error of the central difference: (Z^T Z)'' = 4 Z^T F^2 Z, largest on its diagonal, as that of Z^T Z
        largest = np.max(np.abs(Z.T @ Z)) * np.exp(2 * np.sqrt(F_squared) * step)
        difference = step**2 / 6 * 4 * F_squared * largest
        rounding = 8 * (Ni + No) * eps * np.max(np.abs(ahead)) / step
        assert slopes[0] <= difference + rounding
        assert Ni == No or slopes[1] > difference + rounding


def test_lambda_zero_is_a_limit():
    """At lambda = 0 the bracket of the D-term is 0/0; its limit t D D^T gives the zero-balanced flow."""
    W1, W2, sigma = balanced(3, 3, 5, 0.0)
    truth, error = resolution(W1, W2, sigma, times)
    assert np.max(np.abs(solution(W1, W2, sigma, times, 0.0, corrected) - truth)) <= error
    without = solution(W1, W2, sigma, times, 0.0, lambda l_perp, t: 0.0)
    assert np.max(np.abs(without - truth)) > error


def test_definitions():
    """G and H are such that G^2 (1 + H^2) = 1 and 2 H/(1 + H^2) = lambda/(2 S_lambda): halves of one rotation."""
    with mp.workdps(60):
        for s, lam in ((mp.mpf("1.7"), mp.mpf("0.6")), (mp.mpf("0.3"), mp.mpf(-4))):
            S_lam = mp.sqrt(s**2 + lam**2 / 4)
            H = mp.sign(lam) * mp.sqrt((S_lam - s) / (S_lam + s))
            G = 1 / mp.sqrt(1 + H**2)
            for gap in (
                (G + H * G) ** 2 - (1 + lam / (2 * S_lam)),
                (G - H * G) ** 2 - (1 - lam / (2 * S_lam)),
                (G + H * G) * (G - H * G) - s / S_lam,
            ):
                assert abs(gap) < mp.mpf(10) ** -57
            assert abs((G + H * G) ** 2 - (1 + lam / S_lam)) > mp.mpf(10) ** -3


def test_float64_loses_it(erratum):
    """The partition is no algorithm: in float64 it loses its digits as S_lambda spreads them, e^(2 (max - min) t)."""
    W1, W2, sigma = balanced(3, 3, 5, 1.3)
    late = np.array([1.0, 6.0, 12.0, 18.0])
    truth, error = resolution(W1, W2, sigma, late)
    errors = np.max(np.abs(solution(W1, W2, sigma, late, 1.3, corrected) - truth), axis=(1, 2))
    assert errors[0] <= error < errors[2] < errors[3]
    apart = 2 * (np.hypot(1.7, 1.3 / 2) - np.hypot(0.6, 1.3 / 2))  # of the largest and the least of S_lambda
    gone = np.log(1 / np.finfo(float).eps) / apart
    with np.errstate(all="ignore"):
        assert not np.all(np.isfinite(pieces(W1, W2, sigma, 709 / 1.7, 1.3, corrected)[2]))
    erratum(
        DOCUMENT,
        "Partitioned solution (13)-(15), in float64",
        verdict="right, but not computable as it stands",
        printed=r"Z(t) A^{-1}(t) Z^{T}(t)",
        corrected=r"\text{divide each column by its growth, then orthogonalise}",
        size=f"errors grow as e^({apart:.2f} t) for s = 1.7 to 0.6, λ = 1.3: no digit is left at t = {gone:.0f}",
    )
