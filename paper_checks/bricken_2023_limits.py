"""Bricken et al. (2023), equations (26) and (27), appendix G and appendix H.2: Taylor, thresholds, minibatches.

In the paper's notation, and independent of `theory`: exact in fractions, or in balls that certainly contain the value.
"""

import itertools
from fractions import Fraction

import numpy as np
from flint import acb, arb

DOCUMENT = "bricken-2023"


def fractions(*rows):
    """Rows of tenths as an array of fractions."""
    return np.array([[Fraction(v, 10) for v in row] for row in rows])


def relu(z):
    """The paper's phi, element by element."""
    return np.where(z > 0, z, Fraction(0))


def test_26(erratum):
    """(26): |J|^2 is what Gauss and Newton keep; a smooth network also has -r Laplacian f, at the same order."""
    x, scale, slope, shift = arb("0.7"), arb("1.3"), arb("1.7"), arb("-0.2")
    f = lambda v: scale * (slope * v + shift).tanh()  # noqa: E731
    t = (slope * x + shift).tanh()
    jacobian = scale * slope * (1 - t * t)
    laplacian = -2 * slope * t * jacobian
    full = jacobian**2 - (x - f(x)) * laplacian

    def curvature(eps):
        density = lambda e: (-e * e / (2 * eps * eps)).exp() / (eps * (2 * arb.pi()).sqrt())  # noqa: E731
        noisy = acb.integral(lambda e, _: (x - f(x + e)) ** 2 * density(e), acb(-12 * eps), acb(12 * eps)).real
        return (noisy - (x - f(x)) ** 2) / eps**2

    measured = [curvature(arb(1) / 2**k) for k in (4, 5, 6, 7)]
    once = [(4 * less - more) / 3 for more, less in itertools.pairwise(measured)]  # free of eps^2, and then of eps^4
    coarse, fine = ((16 * less - more) / 15 for more, less in itertools.pairwise(once))
    error = abs(fine - coarse)
    assert abs(full - fine) < error  # the full form is the limit, as far as the limit is known
    assert abs(jacobian**2 - fine) > error  # and what is printed is not
    erratum(
        DOCUMENT, "Eq. (26)", verdict="only the Gauss-Newton part; and ỹ ≈ ȳ + Jε is meant, not x̃ ≈ x + Jε",
        printed=r"\sigma^2 \|J\|_F^2", corrected=r"\sigma^2 (\|J\|_F^2 - r^T \Delta f)",
        size=f"{float(jacobian**2 / full - 1):+.0%} for one tanh unit at one datum; kinks count at the same order",
    )  # fmt: skip


def test_jacobian():
    """App. F: W_e^T diag(phi') W_d^T has rows of inputs and columns of outputs: it is the transpose of dy/dx."""
    W_e, W_d = fractions((13, -4), (-7, 11), (5, 9)), fractions((6, -12, 9), (-8, 7, 14), (1, 3, -2))
    b_e, x, step = fractions((3, -4, 1))[0], fractions((5, 12))[0], Fraction(1, 100)
    y = lambda at: W_d @ relu(W_e @ at + b_e)  # noqa: E731
    ways = fractions((10, 0), (0, 10)) * step
    exact = np.array([(y(x + way) - y(x - way)) / (2 * step) for way in ways])  # no unit switches: y is linear here
    on = (W_e @ x + b_e > 0).astype(int)
    assert 0 < on.sum() and all(np.array_equal(W_e @ (x + w) + b_e > 0, on) for w in (*ways, *-ways))
    assert np.array_equal(exact, W_e.T @ np.diag(on) @ W_d.T)
    assert exact.shape != (W_d @ np.diag(on) @ W_e).shape == (3, 2)


def test_27(erratum):
    """(27): the square must stand outside the sum over hidden units."""
    W_e, W_d = fractions((13, -4), (-7, 11), (5, 9)), fractions((6, -12, 9), (-8, 7, 14))
    on = np.array([1, 1, 0])
    J = W_e.T @ np.diag(on) @ W_d.T
    gram = (W_e @ W_e.T) * (W_d.T @ W_d)
    assert np.sum(J**2) == on @ gram @ on
    printed = np.sum((W_e.T[:, :, None] * on[None, :, None] * W_d.T[None]) ** 2)
    assert printed == on @ np.diag(gram) != np.sum(J**2)
    erratum(
        DOCUMENT, "Eq. (27)", verdict="misprint: the square inside the sum over units",
        printed=r"\sum_{ij,h} (W_{ih} \phi'_h W_{hj})^2", corrected=r"\sum_{ij} (\sum_h W_{ih} \phi'_h W_{hj})^2",
        size=f"{float(printed / np.sum(J**2) - 1):+.0%} for a small network",
    )  # fmt: skip


def is_least(a, x, W, lam, half):
    """Whether a >= 0 minimises half * |x - W a|^2 + lam sum a: the conditions of Kuhn and Tucker."""
    slope = 2 * half * W.T @ (W @ a - x) + lam
    return bool(np.all(np.where(a > 0, slope == 0, slope >= 0)) and np.all(a >= 0))


def test_appendix_g(erratum):
    """App. G with the objective of App. A: the threshold is lambda/2; lambda needs |x - W a|^2 / 2."""
    W = np.array([[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]])  # orthonormal columns
    lam = Fraction(6, 10)
    for x in fractions((17, 5), (4, 6), (-2, 1)):
        assert is_least(relu(W.T @ x - lam / 2), x, W, lam, half=1)
        assert is_least(relu(W.T @ x - lam), x, W, lam, half=Fraction(1, 2))
    x = fractions((17, 5))[0]
    assert not is_least(relu(W.T @ x - lam), x, W, lam, half=1)
    more = fractions((10, 6, 0), (0, 8, 10))  # three units on two inputs cannot be orthogonal
    assert not is_least(relu(more.T @ x - lam / 2), x, more, lam, half=1)
    erratum(
        DOCUMENT, "App. G", verdict="holds for half the squared error, against App. A",
        printed=r"\mathrm{ReLU}(w^T x - \lambda)", corrected=r"\mathrm{ReLU}(w^T x - \lambda/2)",
        size="twice the threshold; and orthogonal weights exclude overcompleteness",
    )  # fmt: skip


def test_appendix_h2(erratum):
    """App. H.2: the noise's part of the gradient has no mean 0, and variances fall as 1/b, not 1/sqrt b."""
    d, x, z, values = (Fraction(v, 10) for v in (13, 5, 2, 9))
    noise = (-values, Fraction(0), values)  # three values, each with probability 1/3

    def slope(e):  # dL/dd of one unit
        h = max(z + e, Fraction(0))
        return -2 * (x - d * h) * h

    def loss(d):
        return sum((x - d * max(z + e, Fraction(0))) ** 2 for e in noise) / 3

    mean = sum(map(slope, noise)) / 3
    assert mean == (loss(d + 1) - loss(d - 1)) / 2 != slope(0)  # of a square: the difference quotient is exact
    variance = sum((slope(e) - mean) ** 2 for e in noise) / 3
    for b in (2, 3, 4, 5):  # every minibatch there is
        every = [sum(map(slope, draws)) / b for draws in itertools.product(noise, repeat=b)]
        assert sum(every) / len(every) == mean
        assert sum((g - mean) ** 2 for g in every) / len(every) == variance / b
    erratum(
        DOCUMENT, "App. H.2", verdict="wrong: the gradient's noise has a mean; its variance falls as 1/b",
        printed=r"\mathrm{Var}\, \hat g_n \sim \sigma / \sqrt{b} \to 0, \; E \hat g_n = 0",
        corrected=r"E \hat g = \nabla E_\epsilon L, \; \mathrm{Var}\, \hat g = V/b",
        size=f"the mean is {float(mean / slope(0)):.2g} times the clean gradient for one unit: b → ∞ keeps the penalty",
    )  # fmt: skip
