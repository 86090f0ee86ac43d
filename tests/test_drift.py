"""Drift laws in numbers and symbols agree, and nonsense is refused before any work."""

import inspect

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from numerics import hessian as derivatives
from numerics.drift import Cross, Cylinder, Fit, Hyperbola, imbalance, nudge, shift, walk, wander
from numerics.ensemble import Network, Tanh
from theory import drift
from theory.drift import (
    arrival,
    corner,
    dead_rows,
    derive,
    derive_toy,
    error_descent_drift,
    first_passage,
    fluctuation,
    imbalance_drift,
    label_noise_drift,
    nullity,
    regulariser,
    rescaled,
    spatial_information,
    update_noise_drift,
    update_noise_floor,
)

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
        ("sed", -2 * error_descent_drift(H, T, 1.0, 0.1) / 0.1**4),
    ):
        found = regulariser(loss, theta, noise, on=on)
        expected = np.array([float(sp.N(e.subs(at))) for e in found.gradient])
        assert found.rank == 1 and np.abs(pushed - expected).max() < 4 * eta * values[-1] * np.abs(expected).max()
        assert np.allclose(np.array(found.hessian.subs(at), dtype=float), H, rtol=0, atol=64 * np.finfo(float).eps * 99)
        assert "nabla" in found._repr_latex_()


def test_derivation_is_true():
    """Every step of the derivation holds."""
    assert all(sp.simplify(step.residual()) == 0 for step in (*derive(), *derive_toy()))


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
        assert np.abs(shrink @ C @ shrink + noise - C).max() < 1e3 * np.finfo(float).eps * condition * np.abs(C).max()
    assert update_noise_floor(H, eta, 0.3) == pytest.approx(np.trace(H @ fluctuation(H, eta, 0.3)) / 2, rel=1e-13)


def test_first_passage_is_inverted():
    """Talbot's sum gives ten digits of the inverse transform that mpmath finds, and falls to the law of the corner."""

    def reference(t, x0, a, sigma):
        def transform(rate):
            q = mpmath.sqrt(2 * rate) / sigma
            return x0 * mpmath.besselk(1, x0 * q) / (a * mpmath.besselk(1, a * q)) / rate

        return float(mpmath.invertlaplace(transform, t, method="talbot", degree=16))

    times = np.array([3e3, 1e6])
    found = first_passage(times, x0=0.9, threshold=0.3, sigma=0.005)
    assert np.abs(found - [reference(t, 0.9, 0.3, 0.005) for t in times]).max() < 1e-9
    near = first_passage(times, x0=0.9, threshold=1e-4, sigma=0.005)
    assert np.abs(near - arrival(times, x0=0.9, sigma=0.005)).max() < 2e-6
    assert corner(0.5, 0.02) == pytest.approx((4e-4) ** 0.25)


@given(st.lists(st.tuples(st.floats(0.01, 9), st.floats(0, 9)), min_size=2, max_size=9))
def test_spatial_information_is_a_divergence(bins):
    """It is the divergence of the active position from the position: bounded, and blind to scale."""
    p, r = np.array(bins).T
    found = spatial_information(p, r)
    if not r.any():
        assert found == 0
        return
    expected = entropy(p * r / (p @ r), p / p.sum(), base=2)
    tolerance = 64 * np.finfo(float).eps * (1 + np.log2(p.sum() / p.min()))
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
    assert np.abs(fit.slope(theta) - rows).max() < 64 * np.finfo(float).eps * np.abs(rows).max()
    assert np.array_equal(fit.value(theta), [float(fit.value(torch.from_numpy(row))) for row in theta])
    zeta = draw(size=(3, 12))
    for row, noise, slope in zip(theta, zeta, fit.slope(theta, zeta), strict=True):
        other = Fit(fit.network, x, y + noise.reshape(y.shape))
        assert np.abs(other.slope(row[None])[0] - slope).max() < 64 * np.finfo(float).eps * np.abs(slope).max()
    two = draw(size=(5, 2))
    for loss in (Cross(), Cylinder(1), Hyperbola()):
        small = 1e-6
        steps = [(loss.value(two + small * e) - loss.value(two - small * e)) / (2 * small) for e in np.eye(2)]
        assert np.abs(loss.slope(two) - np.stack(steps, 1)).max() < 1e-8


def test_walks_are_deterministic():
    """A seed gives the same walk, another seed another; what is added is what a flat loss shows."""
    start = np.ones((4, 2))
    one, added = walk(Cross(), start, eta=0.1, steps=5, seed=3, update=0.1)
    assert np.array_equal(one, walk(Cross(), start, eta=0.1, steps=5, seed=3, update=0.1)[0])
    assert not np.array_equal(one, walk(Cross(), start, eta=0.1, steps=5, seed=4, update=0.1)[0])
    flat, added = walk(Cylinder(2), start, eta=0.1, steps=5, seed=3, update=0.1)  # no coordinates are left to y
    assert np.abs(flat - start - added).max() < 1e-15
    assert (nudge(Cross(), start, 0 * start, 0.1) == 0).all()


def test_imbalance_is_what_moved():
    """The change of every unit's imbalance is that of its parameters, less what is linear in the noise of each step."""
    network, draw = Network(2, 3, 1, Tanh()), np.random.default_rng(0).normal
    fit, theta = Fit(network, draw(size=(4, 2)), draw(size=(4, 1))), draw(size=(2, 12))
    found = imbalance(fit, theta, eta=0.1, steps=1, seed=3, update=0.2)
    end, added = walk(fit, theta, eta=0.1, steps=1, seed=3, update=0.2)
    parts = (end**2 - theta**2 - 2 * theta * added).reshape(2, 3, 4)
    assert np.abs(found - (parts[..., :3].sum(2) - parts[..., 3:].sum(2))).max() < 64 * np.finfo(float).eps


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
        (lambda: shift(Cross(), [1.0, 0.0], np.eye(2), eta=0.1, particles=0, steps=1, before=1, seed=0), "particles"),
    ],
)
def test_bad_input(call, says):
    """What makes no sense is refused, with its name and value."""
    with pytest.raises(ValueError, match=says):
        call()


def test_everything_public_is_listed():
    """What is public in the package is in `__all__`."""
    public = {name for name, value in vars(drift).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert public == set(drift.__all__)
