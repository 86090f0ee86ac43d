"""Drift laws in numbers and symbols agree, and nonsense is refused before any work."""

import inspect
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from numerics import hessian as derivatives
from numerics.drift import Cross, Cylinder, Fit, Hyperbola, ends, imbalance, nudge, shift, walk, wander
from numerics.ensemble import Network, Tanh
from theory import drift
from theory.drift import (
    arrival,
    corner,
    dead_rows,
    error_descent_drift,
    error_descent_fluctuation,
    first_passage,
    fluctuation,
    imbalance_drift,
    label_noise_drift,
    label_noise_floor,
    nullity,
    regulariser,
    rescaled,
    spatial_information,
    update_noise_drift,
    update_noise_floor,
)

EPS = np.finfo(float).eps
u, v, x, y = sp.symbols("u v x y", real=True)
LOSSES = {
    "cross": ((x * y) ** 2, (x, y), {y: 0}, {x: 0.9}),
    "hyperbola": ((1 - u * v) ** 2 / 2, (u, v), {v: 1 / u}, {u: 1.6}),
}


def tanh_loss():
    """A tanh network with one sample and three parameters, on the piece of its zero set that n gives."""
    w, b, n = sp.symbols("w b n", real=True)
    return (n * sp.tanh(w + b) - 2) ** 2, (w, b, n), {n: 2 / sp.tanh(w + b)}, {w: 0.7, b: -0.3}


@pytest.mark.parametrize("name", [*LOSSES, "tanh"])
def test_symbols_are_the_limit_of_numbers(name):
    """The drift of the arrays at a small step is -sigma²/4 or -(eta² c sigma²/2) times the gradient in symbols."""
    loss, theta, on, at = LOSSES[name] if name in LOSSES else tanh_loss()
    point = [float(sp.sympify(on.get(p, p)).subs(at)) for p in theta]
    where = dict(zip(theta, point, strict=True))
    number = lambda e: float(sp.N(e.subs(where)))  # noqa: E731
    H = np.array([[number(sp.diff(loss, p, q)) for q in theta] for p in theta])
    T = np.array([[[number(sp.diff(loss, p, q, r)) for r in theta] for q in theta] for p in theta])
    eta = 1e-6
    values, vectors = np.linalg.eigh(H)
    along = vectors[:, :-1] @ vectors[:, :-1].T
    for noise, pushed in (
        ("update", -4 * along @ update_noise_drift(H, T, eta, 1.0)),
        ("label", -2 / eta**2 * label_noise_drift(H, T, eta, 1.0, 1.0)),
        ("sed", -2 / eta / 0.1**2 * along @ error_descent_drift(H, T, eta / 0.1**2, 0.1)),
    ):
        found = regulariser(loss, theta, noise, on=on)
        expected = np.array([float(sp.N(e.subs(at))) for e in found.gradient])
        assert found.rank == 1 and np.abs(pushed - expected).max() < 4 * eta * values[-1] * np.abs(expected).max()
        assert np.allclose(np.array(found.hessian.subs(at), dtype=float), H, rtol=0, atol=64 * EPS * np.abs(H).max())
        assert "nabla" in found._repr_latex_()


def test_fluctuations_are_fixed_points():
    """Both covariances are what a step of descent and its noise leave unchanged, across the manifold."""
    draw = np.random.default_rng(0).normal
    J = draw(size=(3, 7))
    H = J.T @ J
    H *= 1.7 / np.linalg.eigvalsh(H)[-1]
    eta, across = 0.8, np.linalg.pinv(J) @ J
    shrink = np.eye(7) - eta * H
    for c, noise in ((None, 0.3**2 * across), (0.25, 2 * 0.25 * eta**2 * 0.3**2 * H)):
        C = fluctuation(H, eta, 0.3, c)
        condition = 1 / np.linalg.eigvalsh(H)[4]
        assert np.abs(shrink @ C @ shrink + noise - C).max() < 1e3 * EPS * condition * np.abs(C).max()
        floor = update_noise_floor(H, eta, 0.3) if c is None else label_noise_floor(H, eta, 0.3, c)
        assert abs(floor - np.trace(H @ C) / 2) < 64 * EPS * floor


def test_spread_of_error_descent_is_a_fixed_point():
    """Its covariance is what a step leaves unchanged on a loss of second order, whose moments Gauss's rule gives."""
    draw = np.random.default_rng(0).normal
    J = draw(size=(2, 3))
    H, s = J.T @ J, 0.3
    eta = 0.2 / np.linalg.eigvalsh(H)[-1] / s**2
    C = error_descent_fluctuation(H, eta, s)
    values, vectors = np.linalg.eigh(C)
    node, weight = np.polynomial.hermite_e.hermegauss(7)  # exact up to degree 13: a step has 3, its square 6
    which = np.stack([axis.ravel() for axis in np.meshgrid(*[range(7)] * 3)], axis=1)
    xi, weights = s * node[which], (weight / weight.sum())[which].prod(1)
    half = np.sqrt(3 * np.maximum(values, 0)) * vectors  # three pairs of points that have this covariance
    squares = np.zeros((3, 3))
    for d in (*half.T, *-half.T):
        step = -eta * ((xi @ H @ d) + np.einsum("ki,ij,kj->k", xi, H, xi) / 2)[:, None] * xi
        squares += np.einsum("k,ki,kj->ij", weights, d + step, d + step) / 6
    across = np.linalg.pinv(J) @ J
    assert np.abs(across @ squares @ across - C).max() < 1e3 * EPS * np.abs(C).max()


def test_first_passage_is_inverted():
    """Its sum over 16 nodes lies within 1e-9, as is said, of one over 24 with 25 digits, and meets the law of 0."""

    def reference(t, x0, a, sigma, order):
        def transform(rate):
            q = mpmath.sqrt(2 * rate) / sigma
            k = mpmath.besselk
            return (x0 / mpmath.mpf(a)) ** order * k(order, x0 * q) / (k(order, a * q) * rate)

        with mpmath.workdps(25):
            return float(mpmath.invertlaplace(transform, t, method="talbot", degree=24))

    for x0, a, sigma, n in ((0.9, 0.3, 0.005, 0), (1.1, 0.5, 0.0105, -1.56)):
        times = np.array([0.5, 20]) * ((x0 - a) / sigma) ** 2
        found = first_passage(times, x0=x0, threshold=a, sigma=sigma, dimension=n)
        assert np.abs(found - [reference(t, x0, a, sigma, 1 - mpmath.mpf(n) / 2) for t in times]).max() < 1e-9
    times, errors = np.array([3e3, 1e6]), []
    for a in (4e-3, 2e-3, 1e-3):
        near = first_passage(times, x0=0.9, threshold=a, sigma=0.005)
        errors.append(np.abs(near - arrival(times, x0=0.9, sigma=0.005)).max())
    assert all(3 < first / second < 4 for first, second in zip(errors, errors[1:], strict=False))  # as a^2 ln a
    assert corner(0.5, 0.02) == pytest.approx((4e-4) ** 0.25, rel=4 * EPS, abs=0)


@given(st.lists(st.tuples(st.floats(0.01, 9), st.floats(0, 9)), min_size=2, max_size=9))
def test_spatial_information_is_a_divergence(bins):
    """It is the divergence of the active position from the position: bounded, and blind to scale."""
    p, r = np.array(bins).T
    found = spatial_information(p, r)
    if not r.any():
        assert found == 0
        return
    expected = entropy(p * r / (p @ r), p / p.sum(), base=2)
    tolerance = 64 * EPS * (1 + np.log2(p.sum() / p.min()))
    assert found == pytest.approx(expected, abs=tolerance) and found >= -tolerance
    assert found <= -np.log2((p / p.sum())[r > 0].min()) + tolerance
    assert np.abs(spatial_information(p, np.stack([r, 3 * r])) - found).max() <= tolerance


def test_counts():
    """Counts are whole numbers, and nothing is counted twice."""
    assert nullity(2100, 20, 10) == 1900 and dead_rows(3, 10, 10) == 63
    units = rescaled(2.0, eta=0.1, sigma=0.01, y=[4.0], theta=[[2.0]])
    assert (units["eta"], units["sigma"], units["y"].tolist(), units["theta"].tolist()) == (0.4, 0.005, [1.0], [[1.0]])


def test_slopes_are_those_of_autograd():
    """The gradients that particles follow are those of their losses, label by label."""
    draw = np.random.default_rng(0).normal
    x, y = draw(size=(4, 2)), draw(size=(4, 3))
    fit = Fit(Network(2, 5, 3, Tanh()), x, y)
    theta = draw(size=(3, 30))
    rows = [derivatives.gradient(fit.value, torch.from_numpy(row)).numpy() for row in theta]
    assert np.abs(fit.slope(theta) - rows).max() < 64 * EPS * np.abs(rows).max()
    assert np.array_equal(fit.value(theta), [float(fit.value(torch.from_numpy(row))) for row in theta])
    zeta = draw(size=(3, 12))
    for row, noise, slope in zip(theta, zeta, fit.slope(theta, zeta), strict=True):
        other = Fit(fit.network, x, y + noise.reshape(y.shape))
        assert np.abs(other.slope(row[None])[0] - slope).max() < 64 * EPS * np.abs(slope).max()
    two = draw(size=(5, 2))
    for loss in (Cross(), Cylinder(1), Hyperbola()):  # quadratic in each parameter: central differences are exact
        steps = [(loss.value(two + e) - loss.value(two - e)) / 2 for e in np.eye(2)]
        assert np.abs(loss.slope(two) - np.stack(steps, 1)).max() < 64 * EPS * loss.value(np.abs(two) + 1).max()


def test_walks_are_deterministic():
    """A seed gives the same walk, another seed another; what is added is what a flat loss shows."""
    start = np.ones((4, 2))
    one, added = walk(Cross(), start, eta=0.1, steps=5, seed=3, update=0.1)
    assert np.array_equal(one, walk(Cross(), start, eta=0.1, steps=5, seed=3, update=0.1)[0])
    assert not np.array_equal(one, walk(Cross(), start, eta=0.1, steps=5, seed=4, update=0.1)[0])
    flat, added = walk(Cylinder(2), start, eta=0.1, steps=5, seed=3, update=0.1)  # no coordinates are left to y
    assert np.abs(flat - start - added).max() < 8 * EPS
    assert (nudge(Cross(), start, 0 * start, 0.1) == 0).all()


def test_noise_of_error_descent_has_mean_0():
    """What is taken for noise averages to 0 over all perturbations; what is left, to descent of the blurred loss."""
    node, weight = np.polynomial.hermite_e.hermegauss(6)
    start, s, eta = np.array([0.9, 0.4]), 0.2, 0.3
    weights = np.outer(weight, weight).ravel() / weight.sum() ** 2
    xi = s * np.stack(np.meshgrid(node, node, indexing="ij"), axis=-1).reshape(-1, 2)
    at = np.tile(start, (len(xi), 1))
    drawn = SimpleNamespace(standard_normal=lambda shape: xi / s)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np.random, "default_rng", lambda seed: drawn)
        theta, noise = wander(Cross(), at, eta=eta, spread=s, steps=1, seed=0)
    x, y = start
    blurred = -eta * s**2 * 2 * np.array([x * (y**2 + s**2), y * (x**2 + s**2)])
    assert np.abs(weights @ noise).max() < 64 * EPS * np.abs(noise).max()
    assert np.abs(weights @ (theta - at) - blurred).max() < 64 * EPS * np.abs(theta - at).max()
    assert (weights @ noise**2 > weights @ (theta - at - noise) ** 2).all()


def test_kicks_show_where_descent_ends():
    """Half of the second difference of a map that is quadratic is its curvature, and a flat loss has none."""
    h = 0.1
    kicked = np.array([[[1.0, h]], [[1.0, -h]]])
    found = ends(Cross(), kicked, eta=0.2, steps=200) / h**2
    exact = -0.2 * 2 / (1 - (1 - 0.2 * 2) ** 2) / 2 * 2  # -eta g/(1 - (1 - eta lambda)^2)/2 with lambda = 2, g = 4
    assert abs(found[0, 0] - exact) < 4 * h**2 and abs(found[0, 1]) < EPS
    assert (ends(Cylinder(2), kicked, eta=0.2, steps=3) == 0).all()


def test_imbalance_is_what_moved():
    """The change of every unit's imbalance is that of its parameters, less what is linear in the noise of each step."""
    network, draw = Network(2, 3, 1, Tanh()), np.random.default_rng(0).normal
    fit, theta = Fit(network, draw(size=(4, 2)), draw(size=(4, 1))), draw(size=(2, 12))
    found = imbalance(fit, theta, eta=0.1, steps=1, seed=3, update=0.2)
    end, added = walk(fit, theta, eta=0.1, steps=1, seed=3, update=0.2)
    parts = (end**2 - theta**2 - 2 * theta * added).reshape(2, 3, 4)
    assert np.abs(found - (parts[..., :3].sum(2) - parts[..., 3:].sum(2))).max() < 64 * EPS


good = dict(hessian=np.diag([1.0, 0.0]), third=np.zeros((2, 2, 2)), eta=0.5, sigma=0.1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: update_noise_drift(**{**good, "hessian": np.eye(2)}), "no null space"),
        (lambda: update_noise_drift(**{**good, "hessian": np.diag([1.0, -1.0])}), "indefinite"),
        (lambda: update_noise_drift(**{**good, "hessian": np.zeros((2, 2))}), "indefinite"),
        (lambda: update_noise_drift(**{**good, "hessian": np.array([[1.0, 1.0], [0.0, 0.0]])}), "not symmetric"),
        (lambda: update_noise_drift(**{**good, "hessian": np.ones((2, 3))}), "square"),
        (lambda: update_noise_drift(**{**good, "third": np.zeros((2, 2))}), r"third has shape \(2, 2\)"),
        (lambda: update_noise_drift(**{**good, "third": np.arange(8.0).reshape(2, 2, 2)}), "third is not symmetric"),
        (lambda: update_noise_drift(**{**good, "eta": 2.0}), "below 2"),
        (lambda: update_noise_drift(**{**good, "sigma": -0.1}), "sigma = -0.1 must be"),
        (lambda: label_noise_drift(**good, c=0.0), "c = 0.0 must be"),
        (lambda: error_descent_drift(good["hessian"], good["third"], 0.5, 0.0), "spread = 0.0 must be"),
        (lambda: error_descent_drift(good["hessian"], good["third"], 0.5, 2.0), "below 2"),
        (lambda: error_descent_fluctuation(good["hessian"], 3.0, 0.5), "too large for 1"),
        (lambda: imbalance_drift(np.diag([1.0, 0, 0]), 0.1, 0.1, 0, 2), "inputs = 0"),
        (lambda: ends(Cross(), np.ones((3, 1, 2)), eta=0.1, steps=1), r"\(2, kicks, parameters\)"),
        (lambda: imbalance_drift(np.diag([1.0, 0, 0]), 0.1, 0.1, 2, 1), "3 rows: a multiple"),
        (lambda: first_passage([0.0], x0=0.9, threshold=0.3, sigma=0.1), "t = 0.0 must be positive"),
        (lambda: first_passage([1.0], x0=0.3, threshold=0.3, sigma=0.1), "above the threshold"),
        (lambda: arrival([1.0], x0=0.3, sigma=0.1, dimension=2), "dimension = 2 must be"),
        (lambda: corner(0.0, 0.1), "eta = 0.0 must be"),
        (lambda: nullity(10, 4, 3), "cannot meet 4 x 3"),
        (lambda: nullity(10.5, 4, 3), "whole number"),
        (lambda: dead_rows(-1, 4, 3), "dead = -1"),
        (lambda: rescaled(-2.0, eta=0.1, sigma=0.1, y=[1.0], theta=[1.0]), "a = -2.0"),
        (lambda: spatial_information([1.0, 0.0], [1.0, 2.0]), "occupancy = 0.0"),
        (lambda: spatial_information([1.0, 1.0], [1.0, -2.0]), "activity = -2.0"),
        (lambda: spatial_information([1.0, 1.0], [1.0]), "same number of bins"),
        (lambda: regulariser((x * y) ** 2, (x, y), "weights", on={y: 0}), "noise = 'weights'"),
        (lambda: regulariser((x * y) ** 2, (x, y), "label", on={y: 1}), "no zero set"),
        (lambda: regulariser((x * y) ** 2, (x, y), "label", on={u: 1}), "must give some of"),
        (lambda: regulariser(x**2 + y**2, (x, y), "label", on={x: 0, y: 0}), "is a point"),
        (lambda: walk(Cross(), np.ones(2), eta=0.1, steps=1, seed=0), "particles, parameters"),
        (lambda: walk(Cross(), np.ones((1, 2)), eta=0.0, steps=1, seed=0), "eta"),
        (lambda: walk(Cross(), np.ones((1, 2)), eta=0.1, steps=1, seed=0, update=-1.0), "update = -1.0"),
        (lambda: walk(Cylinder(1), np.ones((1, 2)), eta=0.1, steps=1, seed=0, label=0.1), "without labels"),
        (lambda: wander(Cross(), np.ones((1, 2)), eta=0.1, spread=(1, 2, 3), steps=1, seed=0), "or 2, none"),
        (lambda: shift(Cross(), [1, 0], np.eye(2), walk, eta=0.1, particles=0, steps=1, before=1, seed=0), "particles"),
    ],
)
def test_bad_input(call, says):
    """What makes no sense is refused, with its name and value."""
    with pytest.raises(ValueError, match=says):
        call()


def test_everything_public_is_listed():
    """What is public in the package is in `__all__`."""
    public = {name for name, value in vars(drift).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert {name for name in public if not name.startswith("derive_")} == set(drift.__all__)
