"""The exact noisy loss and its moments: to twelve digits everywhere, and clear about what they refuse."""

import numpy as np
import pytest
import sympy as sp

from laws import ball
from theory.noise import (
    arc_cosine_kernel,
    covariance,
    cross_moment,
    duplicate_covariance,
    expected_loss,
    mean,
    opposite_covariance,
    product_moment,
    second_moment,
    shift,
    soft_threshold,
)

# rows of Pythagorean triples: every length and every cosine is rational
ROWS = np.array([(3, 4), (4, 3), (-4, 3), (5, 12), (3, 4), (-6, -8), (0, 0)]) / 8
LENGTHS = [sp.Rational(n, 8) for n in (5, 5, 5, 13, 5, 10, 0)]
DECODER = np.array([(1, -2, 3, 1, 2, -1, 4), (2, 1, -1, -3, 1, 2, 1)]) / 16
DATA = np.array([(1.5, -0.25), (-0.5, 1.0)])


def rational(values):
    """Float64 values as exact rationals."""
    return [[ball.number("value", float(v)) for v in row] for row in values]


def exact_terms(bias, sigma):
    """The four parts of the loss, pair by pair from certified laws."""
    x, W, D = rational(DATA), rational(ROWS), rational(DECODER)
    b, sigma = rational([bias])[0], ball.number("sigma", sigma)
    terms = [sp.Float(0, 50)] * 4
    for row in x:
        z = [sum(w * v for w, v in zip(W[j], row, strict=True)) + b[j] for j in range(7)]
        r = [row[i] - sum(D[i][j] * max(z[j], 0) for j in range(7)) for i in range(2)]
        at = [dict(mu=z[j], s=sigma * LENGTHS[j]) for j in range(6)]  # the last unit has no weights: it never deviates
        gram = [[sum(D[i][j] * D[i][k] for i in range(2)) for k in range(7)] for j in range(7)]
        terms[0] += sum(v**2 for v in r)
        for j in range(6):
            terms[1] -= 2 * sum(r[i] * D[i][j] for i in range(2)) * shift.exact(30, **at[j])
            terms[2] += gram[j][j] * second_moment.exact(30, **at[j])
            terms[3] += 2 * sum(gram[j][k] * _cross(at[j], at[k], _cosine(W, j, k)) for k in range(j))
    return [term / len(x) for term in terms]


def _cosine(W, j, k):
    return sum(a * c for a, c in zip(W[j], W[k], strict=True)) / (LENGTHS[j] * LENGTHS[k])


def _cross(one, other, rho):
    pair = dict(mu1=one["mu"], s1=one["s"], mu2=other["mu"], s2=other["s"])
    if abs(rho) < 1:
        return cross_moment.exact(30, **pair, rho=rho)
    shifts = shift.exact(30, **one) * shift.exact(30, **other)
    if rho == 1:
        return duplicate_covariance.exact(30, **pair) + shifts
    if pair["mu2"] * pair["s1"] > -pair["mu1"] * pair["s2"]:
        return opposite_covariance.exact(30, **pair) + shifts
    return -mean.exact(30, **one) * mean.exact(30, **other) + shifts


@pytest.mark.parametrize(("offset", "sigma"), [(0.0, 0.5), (-2.5, 1.0), (3.25, 1.75), (-6.0, 1.75), (0.125, 0.125)])
def test_expected_loss_to_twelve_digits(offset, sigma):
    """The loss and each term have twelve right digits, with duplicate, opposite, silent and empty units."""
    bias = np.array([0.125, -0.5, 0.25, -0.375, 0.5, -0.125, 0.25]) + offset
    found = expected_loss(DATA, ROWS, bias, DECODER, np.zeros(2), sigma)
    wanted = exact_terms(bias, sigma)
    parts = (found.clean, found.margin, found.sparsity, found.specialisation, found.total)
    for value, exact in zip(parts, [*wanted, sum(wanted)], strict=True):
        assert abs(sp.Float(value, 50) / exact - 1) < 1e-12


@pytest.mark.parametrize("turn", [1e-1, 1e-3, 1e-5, 1e-7])
def test_twelve_digits_of_nearly_opposite_silent_units(turn):
    """Two silent units that read nearly opposite directions are both on once in 10^20 draws: twelve digits of it, too.

    Their correlation, rounded to one float64, would leave ten digits at a turn of 0.1 and none at 1e-7.
    """
    W, D, sigma = np.array([(0.6, -1.1, 0.7), (-0.6, 1.1, -0.7)]), np.array([(0.7, 1.3), (0.4, 0.2)]), 0.75
    W[1] += turn * np.array([0.3, 0.8, -0.5])
    rows, outputs, squared = rational(W), rational(D), ball.number("sigma", sigma) ** 2
    products = [[sum(v * w for v, w in zip(one, other, strict=True)) for other in rows] for one in rows]
    lengths = [sp.sqrt(products[j][j]) for j in range(2)]
    rho = products[0][1] / (lengths[0] * lengths[1])
    apart = float(sp.N(1 + rho, 50))
    bias = -sigma * np.linalg.norm(W, axis=1) * np.sqrt(4 * apart * 40) * np.array([0.55, 0.45])
    found = expected_loss(np.zeros((1, 3)), W, bias, D, np.zeros(2), sigma, target=np.zeros((1, 2)))
    mu, s = rational([bias])[0], [sp.sqrt(squared) * length for length in lengths]
    pair = {name: sp.Rational(sp.N(v, 90)) for name, v in (("s1", s[0]), ("s2", s[1]), ("rho", rho))}
    exact = 2 * sum(row[0] * row[1] for row in outputs) * cross_moment.exact(30, mu1=mu[0], mu2=mu[1], **pair)
    assert 0 < found.specialisation < 1e-20 and abs(sp.Float(found.specialisation, 50) / exact - 1) < 1e-12


def test_without_noise_only_the_clean_loss_is_left():
    """At sigma = 0 the three terms are 0, not a limit."""
    found = expected_loss(DATA, ROWS, np.full(7, 0.1), DECODER, np.zeros(2), 0.0)
    assert (found.margin, found.sparsity, found.specialisation) == (0, 0, 0) and found.total == found.clean > 0


def test_units_only_count_through_their_outputs():
    """Splitting a unit in two equal halves of its decoder weight leaves the loss."""
    b, two = np.linspace(-0.5, 0.5, 7), np.array([0, 0, 1, 2, 3, 4, 5, 6])
    D = DECODER[:, two].copy()
    D[:, :2] /= 2
    whole = expected_loss(DATA, ROWS, b, DECODER, np.zeros(2), 0.7).total
    halves = expected_loss(DATA, ROWS[two], b[two], D, np.zeros(2), 0.7).total
    assert abs(halves / whole - 1) < 64 * np.finfo(float).eps


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(sigma=-0.1), "sigma = -0.1 violates sigma >= 0"),
        (dict(sigma=np.nan), "sigma = nan is not finite"),
        (dict(sigma=[0.1, 0.2]), "sigma has shape"),
        (dict(x=DATA[0]), "x has shape"),
        (dict(x=np.empty((0, 2))), "no rows"),
        (dict(x=DATA + np.inf), "x = inf"),
        (dict(W_e=ROWS[:3]), "b_e has shape"),
        (dict(W_e=ROWS + 0j), "is of type complex"),
        (dict(b_e=np.zeros((7, 1))), "b_e has shape"),
        (dict(W_d=DECODER.T), "W_d has shape"),
        (dict(b_d=[None, None]), "is of type object"),
        (dict(target=np.zeros((2, 3))), "target has shape"),
    ],
)
def test_bad_networks_are_refused(change, says):
    """What is no network, no data or no noise is refused by name."""
    good = dict(x=DATA, W_e=ROWS, b_e=np.zeros(7), W_d=DECODER, b_d=np.zeros(2), sigma=0.5)
    with pytest.raises((ValueError, TypeError), match=says):
        expected_loss(**{**good, **change})


@pytest.mark.parametrize(
    "bad", [dict(rho=1.1), dict(rho=-1.1), dict(s1=-0.3), dict(s2=0.0), dict(mu1=np.inf), dict(rho=np.nan)]
)
def test_bad_pairs_are_refused(bad):
    """Widths below 0, correlations beyond 1 and what is not finite are refused, not clipped."""
    with pytest.raises(ValueError, match=next(iter(bad))):
        covariance(**{**dict(mu1=0.3, s1=1.3, mu2=-0.2, s2=0.6, rho=0.4), **bad})


def test_small_noise_leaves_what_both_active_units_share():
    """As the noise vanishes E[eta1 eta2] tends to rho s1 s2 for two active units and to 0 else, exponentially fast."""
    for mu1, mu2, both in ((0.5, 0.25, 1), (0.5, -0.25, 0), (-0.5, -0.25, 0)):
        for s in (sp.Rational(1, 16), sp.Rational(1, 32)):
            exact = cross_moment.exact(30, mu1=mu1, s1=s, mu2=mu2, s2=2 * s, rho="0.6")
            left = abs(exact / (2 * s**2) - both * sp.Rational(3, 5))
            assert 0 < left < sp.exp(-((sp.Rational(1, 8) / s) ** 2) / 2)


def test_limits_in_rho_meet_the_laws_at_the_ends():
    """As rho tends to 1 and to -1 the covariance tends to the laws for duplicates and opposites."""
    pair = dict(mu1="0.7", s1="1.3", mu2="-0.2", s2="0.6")
    for sign, law in ((1, duplicate_covariance), (-1, opposite_covariance)):
        gaps = [
            abs(covariance.exact(40, **pair, rho=sign * (1 - sp.Rational(1, 10**k))) - law.exact(40, **pair))
            for k in (4, 6, 8)
        ]
        assert gaps[0] > 30 * gaps[1] > 900 * gaps[2] > 0


def test_arc_cosine_is_the_moment_at_the_threshold():
    """At mu = 0 the product moment is the arc-cosine kernel, digit by digit."""
    at = dict(s1="1.3", s2="0.6", rho="-0.7")
    assert product_moment.exact(40, mu1=0, mu2=0, **at) == arc_cosine_kernel.exact(40, **at)


def test_threshold_silences_what_is_below():
    """Below half of lambda the code is exactly 0."""
    assert soft_threshold(x=[0.29, -2.0, 0.31], lam=0.6).tolist()[:2] == [0, 0]
