"""Functions of `theory.recurrent`: what they refuse, and identities between them."""

from inspect import ismodule
from itertools import permutations

import numpy as np
import pytest
import sympy as sp

from laws.judges import statistics
from theory import recurrent
from theory.recurrent import (
    conserved,
    critical_forcing,
    degree_of,
    frozen_recurrence,
    hoffman_wielandt,
    input_speed,
    integrator,
    leak_error,
    learn,
    permutation_bound,
    pinned,
    profile_speeds,
    realise,
    recurrent_speed,
    spectral_bound,
    symmetric_distance,
    unmatched_distance,
)

EPS = np.finfo(float).eps


@pytest.mark.parametrize("z", [0.3, 0.9, 0.999999, 1 + 1e-12, 1.2])
def test_sums_are_stable(z):
    """The sums over lags agree with term by term addition, right through their removable singularities."""
    T, a, c, delta, rho = 9, 0.8, 0.3, 1.7, 0.87
    lags, b = np.arange(T), z / rho
    at = dict(a=a, b=b, c=c, delta=delta, rho=rho, T=T)
    gap = delta * rho**lags - a * c * b**lags
    size = delta * rho**lags + a * c * b**lags
    eps = 60 * EPS
    assert input_speed(**at) == pytest.approx((c * b**lags * gap).sum(), abs=eps * (c * b**lags * size).sum())
    slope = a * c * lags * b ** np.maximum(lags - 1, 0)
    assert recurrent_speed(**at) == pytest.approx((slope * gap).sum(), abs=eps * T * (slope * size).sum())


@pytest.mark.parametrize("lam", [0.7, 0.99, 1 - 1e-7, 1 + 1e-5, 1.1])
def test_leaks_are_stable(lam):
    """However small the leak, its cost keeps its digits."""
    exact = leak_error.exact(20, T=7, lam=lam, v=0.3)
    rounding = 60 * EPS * (1 + leak_error.condition(T=7, lam=lam, v=0.3))
    assert leak_error(T=7, lam=lam, v=0.3) == pytest.approx(float(exact), rel=rounding, abs=0)


def test_profiles_contain_the_geometric_one():
    """The speeds of any profile are those of the laws where it is geometric."""
    a, b, c, T = 0.4, 0.7, -0.3, 6
    speeds = profile_speeds(1.7 * 0.9 ** np.arange(T)[::-1])(*np.array([[a], [b], [c]]))
    at = dict(a=a, b=b, c=c, delta=1.7, rho=0.9, T=T)
    laws = (input_speed, at), (recurrent_speed, at), (input_speed, at | dict(a=c, c=a))
    for found, (law, given) in zip(speeds[:, 0], laws, strict=True):
        assert found == pytest.approx(law(**given), rel=60 * EPS * (1 + law.condition(**given)), abs=0)


def test_learning_ends_where_no_loss_is_left():
    """A mode of a geometric profile ends at b = rho and a c = delta; at rest its gain is logistic."""
    lags = np.arange(5)[::-1]
    late, later = learn(profile_speeds(1.7 * 0.8**lags), [0.3, 0.4, 0.2], [100.0, 200.0])[:, :, 0]
    ends = [np.array([b, a * c]) for a, b, c in (late, later)]
    assert np.all(np.abs(ends[1] - [0.8, 1.7]) <= np.abs(ends[1] - ends[0]))  # of what twice the time still moves
    still = lambda a, b, c: profile_speeds(1.7 * 0.8**lags)(a, b, c) * np.array([[1], [0], [1]])  # noqa: E731
    rough, moved = (learn(still, [0.3, 0.4, 0.3], [0.5, 1.0], tau=1.3, rtol=rtol) for rtol in (1e-10, 1e-12))
    law = frozen_recurrence(t=[0.5, 1.0], b=0.4, T=5, delta=1.7, rho=0.8, sigma0=0.09, tau=1.3)
    gains = [path[:, 0, 0] * path[:, 2, 0] for path in (rough, moved)]
    assert np.all(np.abs(gains[1] - law) <= np.abs(gains[1] - gains[0]))  # the solver against itself


def test_conserved_is_symmetric_and_knows_coordinates():
    """Q is symmetric, and rotating the state rotates it."""
    draw = np.random.default_rng(1)
    Wx, Wh, Wy, bias = (draw.normal(size=shape) for shape in ((4, 3), (4, 4), (2, 4), (4,)))
    C = np.linalg.qr(draw.normal(size=(4, 4)))[0]
    Q = conserved(Wx, Wh, Wy, bias)
    squares = sum(np.linalg.norm(W) ** 2 for W in (Wx, Wh, Wh, Wy, bias))
    rounding = 2 * 5 * 4 * EPS * squares  # five products, each a sum of four terms at most
    np.testing.assert_allclose(Q, Q.T, rtol=0, atol=rounding)
    turned = conserved(C @ Wx, C @ Wh @ C.T, Wy @ C.T, C @ bias)
    by_each_turn = np.linalg.norm(C) ** 4  # C C^T and C^T C have as large terms
    np.testing.assert_allclose(turned, C @ Q @ C.T, rtol=0, atol=3 * by_each_turn * rounding)
    stacked = conserved(*(np.stack([W, 2 * W]) for W in (Wx, Wh, Wy, bias)))
    np.testing.assert_allclose(stacked, [Q, 4 * Q], rtol=0, atol=4 * rounding)


def test_realisations_reproduce_their_parameters():
    """Ho and Kalman's construction gives back the parameters, for several inputs and outputs, and finds the degree."""
    draw = np.random.default_rng(2)
    A, B, C = draw.normal(size=(3, 3)) / 2, draw.normal(size=(3, 2)), draw.normal(size=(2, 3))
    h = np.array([C @ np.linalg.matrix_power(A, k) @ B for k in range(10)])
    assert degree_of(h) == 3 and degree_of(0 * h) == 0
    a, b, c = realise(h[:6], 3)
    sizes = np.linalg.svd(np.block([[h[i + j] for j in range(3)] for i in range(3)]), compute_uv=False)
    rounding = 10 * 9 * EPS * (sizes[0] / sizes[2]) * np.abs(h).max()  # a Hankel matrix of rank three, and ten powers
    np.testing.assert_allclose([c @ np.linalg.matrix_power(a, k) @ b for k in range(10)], h, rtol=0, atol=rounding)
    enough, less = pinned(h, 5, 8), pinned(h, 5, 7)
    assert (enough.degree, enough.free, enough.behaviour, enough.weights) == (3, 2, True, False)
    assert (less.free, less.behaviour) == (5, False) and pinned(h, 3, 6).weights
    values, vectors = np.linalg.eig(A)
    rounding *= np.linalg.cond(vectors)
    np.testing.assert_allclose(enough.eigenvalues, np.sort_complex(values), rtol=0, atol=rounding)


def test_bounds_of_distances():
    """Both bounds are exact for symmetric pairs; the assignment never falls below the spectral bound of normal ones."""
    draw = np.random.default_rng(3)
    A, B = (M + M.T for M in draw.normal(size=(2, 5, 5)))
    d = symmetric_distance(A, B)
    rounding = 8 * 5 * EPS * (np.linalg.norm(A) + np.linalg.norm(B))
    assert hoffman_wielandt(A, B).distance == pytest.approx(d, rel=0, abs=rounding) and hoffman_wielandt(A, B).exact
    assert spectral_bound(A, B) == pytest.approx(d, rel=0, abs=rounding)
    A, B = (M - M.T for M in draw.normal(size=(2, 6, 6)))
    assert hoffman_wielandt(A, B).distance >= spectral_bound(A, B) * (1 - 8 * 6 * EPS)
    assert hoffman_wielandt(A, A) == (pytest.approx(0, rel=0, abs=EPS**0.5 * np.linalg.norm(A)), True)


def test_the_counterexample_is_the_one_known():
    """With all sizes 1 the unmatched pair is 12 - 4 sqrt 2 apart, squared, and both bounds say 4."""
    assert unmatched_distance.rhs.subs(dict.fromkeys(unmatched_distance.symbols, 1)) == 12 - 4 * sp.sqrt(2)
    R = lambda x, y: np.array([[x, -y], [y, x]])  # noqa: E731
    A, B = np.kron(np.diag([1.0, 0]), R(1, 1)) + np.kron(np.diag([0, 1.0]), R(-1, 1)), np.zeros((4, 4))
    B[:2, :2], B[2, 2], B[3, 3] = R(0, 1), 1, -1
    assert hoffman_wielandt(A, B).distance ** 2 == pytest.approx(4, rel=64 * EPS, abs=0) == spectral_bound(A, B) ** 2
    assert not hoffman_wielandt(A, B).exact


@pytest.mark.parametrize("uniform", [False, True])
def test_untrained_matrices_are_farther_apart_than_their_bound(uniform):
    """Over all permutations of five units the mean squared distance is certainly above the bound, and below 2 n^2."""
    draw = np.random.default_rng(4)
    n, size, sigma = 2000, 5, 0.7
    numbers = draw.uniform(-1, 1, (2, n, size, size)) * 3**0.5 if uniform else draw.normal(size=(2, n, size, size))
    W1, W2 = sigma * numbers
    moved = (W2[:, list(p)][:, :, list(p)] for p in permutations(range(size)))
    least = np.min([((W1 - M) ** 2).sum((1, 2)) for M in moved], axis=0)
    unaligned = 2 * size**2 * sigma**2  # the mean, and twice its square over n^2 the variance, of normal numbers
    variance = unaligned**2 * (1 + 2 / size**2)  # at most: the least is below the unaligned, whose square has this mean
    mean = statistics.catoni_mean(least, variance, 1e-6)
    radius = statistics.catoni_radius(n, variance, 1e-6)
    assert permutation_bound(size, sigma) < mean - radius and mean + radius < unaligned


def test_critical_forcings():
    """The onset is at 1 for eight sites, and nowhere below 8/9."""
    assert critical_forcing(8) == pytest.approx(1, rel=8 * EPS, abs=0) and round(critical_forcing(7), 3) == 1.182
    assert all(8 / 9 <= critical_forcing(n) for n in range(4, 200))


def test_integrators_add_up():
    """The identity on the readout keeps every input."""
    draw = np.random.default_rng(5)
    Wx, Wh, Wy = integrator(draw.normal(size=(5, 2)))
    rounding = 50 * 5 * EPS * np.linalg.norm(Wy) * np.linalg.norm(Wx)
    np.testing.assert_allclose(Wy @ np.linalg.matrix_power(Wh, 50) @ Wx, np.eye(2), rtol=0, atol=rounding)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: profile_speeds(np.zeros((2, 2, 2))), "s has shape"),
        (lambda: profile_speeds("a"), "profile_speeds: s"),
        (lambda: learn(profile_speeds([1.0]), [0.1, 0.2], [1.0]), "start has shape"),
        (lambda: learn(profile_speeds([1.0]), [0.1, 0.2, 0.3], [1.0, 0.5]), "times"),
        (lambda: learn(profile_speeds([1.0]), [0.1, 0.2, 0.3], [1.0], tau=0.0), "tau = 0.0"),
        (lambda: conserved(np.eye(3), np.eye(2), np.eye(2)), "do not fit"),
        (lambda: conserved(np.eye(2), np.eye(2), np.eye(2), [1.0]), "bias has shape"),
        (lambda: realise(np.ones(5), 3), "5 Markov parameters realise 2 states"),
        (lambda: pinned([1.0, 0.5, 0.1, 0.3, 0.2, 0.9], 1, 6), "fewer than the degree"),
        (lambda: degree_of(np.zeros((0, 1, 1))), "markov has shape"),
        (lambda: integrator(np.ones((3, 2))), "rank"),
        (lambda: critical_forcing(3), "n = 3"),
        (lambda: critical_forcing(5.0), "n = 5.0"),
        (lambda: symmetric_distance(np.triu(np.ones((2, 2))), np.eye(2)), "A is not symmetric"),
        (lambda: hoffman_wielandt(np.eye(2), np.triu(np.ones((2, 2)))), "B is not normal"),
        (lambda: spectral_bound(np.eye(2), np.eye(3)), r"both must be \(n, n\)"),
        (lambda: permutation_bound(0, 1.0), "n = 0"),
        (lambda: input_speed(a=1, b=1, c=1, delta=1, rho=0.5, T=3), "give the profile"),
    ],
)
def test_bad_arguments(call, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        call()


def test_everything_public_is_listed():
    """What the module says it holds is there, and nothing else that it imports but the parts of its derivation."""
    names = {name for name, value in vars(recurrent).items() if not name.startswith("_") and not ismodule(value)}
    assert {name for name in names if not name.startswith("derive_")} == set(recurrent.__all__)
