"""Worlds of items refuse what no world is, are what they say, and repeat to the bit."""

import numpy as np
import pytest

from numerics import semantics
from numerics.descent import GradientDescent
from theory.semantics import lattice, ring, torus, tree_common, tree_critical, tree_level, ultrametric

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: semantics.diffusion(1, 3, 0.1, 10, seed=0), "branching = 1"),
        (lambda: semantics.diffusion(2, 0, 0.1, 10, seed=0), "depth = 0"),
        (lambda: semantics.diffusion(2, 3, 0.5, 10, seed=0), "flip = 0.5"),
        (lambda: semantics.diffusion(2, 3, 0.1, 0, seed=0), "features = 0"),
        (lambda: semantics.diffusion(2.0, 3, 0.1, 10, seed=0), "branching = 2.0"),
        (lambda: semantics.diffusion_covariance(2, 3, "0.1"), "flip = '0.1'"),
        (lambda: semantics.categories((2, 3), (0.4, 0.2)), "do not fall"),
        (lambda: semantics.categories((2, 3), (0.4,)), "must be 2 numbers"),
        (lambda: semantics.categories((2, 3), (0.4, np.nan)), "not finite"),
        (lambda: semantics.smooth((2,), 1.5, periodic=True), "lengths = 2"),
        (lambda: semantics.smooth((4,), 0.0, periodic=True), "sigma = 0.0"),
        (lambda: semantics.features(np.eye(3), 2.5, seed=0), "count = 2.5"),
        (lambda: semantics.items(np.zeros((3, 4))), "not all 0"),
        (lambda: semantics.items(np.ones(3)), "table of items"),
        (lambda: semantics.items([[1, np.inf]]), "not finite"),
        (lambda: semantics.in_a_row(np.ones((3, 2)), np.ones((3, 2))), "no direction"),
        (lambda: ultrametric((2, 2.5), (0.1, 0.2)), "branching"),
        (lambda: ultrametric((2, 2), (0.3, 0.2)), "rise"),
        (lambda: ultrametric((2, 2), (0.3,)), "similarity"),
        (lambda: ultrametric((2, 2), (-0.9, 0.2)), "no covariance"),
        (lambda: lattice((2,), 1.5, periodic=True), "lengths"),
        (lambda: lattice((4,), -1.5, periodic=True), "sigma"),
        (lambda: tree_level(k=5, B=2, D=4, eps=0.1), "k <= D"),
        (lambda: tree_level(k=1, B=4, D=4, eps=0.25), "tree_critical"),
        (lambda: tree_level(k=1, B=2, D=4, eps=0.5), "2.*eps < 1"),
    ],
)
def test_bad_worlds(make, says):
    """Each bad argument of a world or a spectrum is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_trees_are_ultrametric():
    """The laws of trees and the spectrum of any hierarchy agree, through the critical flip rate."""
    for B, D, eps in ((3, 4, 0.2), (2, 7, 0.03)):
        rho = (1 - 2 * eps) ** 2
        values, counts = ultrametric((B,) * D, rho ** np.arange(D, 0, -1))
        said = [tree_common(B=B, D=D, eps=eps), *tree_level(k=np.arange(1, D + 1), B=B, D=D, eps=eps)]
        np.testing.assert_allclose(values, said, rtol=1e3 * EPS)
        assert counts.sum() == B**D
    off = 1e-12
    near = tree_level(k=2, B=4, D=5, eps=0.25 * (1 + off))
    steepest = 1 + 2 * 3  # of four terms, the last of which goes as the third power of (1 - 2 eps)^2
    assert near == pytest.approx(tree_critical(k=2, B=4, D=5), rel=steepest * off, abs=0)


def test_lattices_agree_with_the_laws():
    """The spectrum in any number of directions is that of the ring and of the torus in one and two."""
    one = np.sort(ring(k=np.arange(9), P=9, sigma=1.7))[::-1]
    np.testing.assert_allclose(lattice((9,), 1.7, periodic=True), one, rtol=16 * EPS)
    k1, k2 = np.meshgrid(np.arange(4), np.arange(5))
    two = np.sort(torus(k1=k1, k2=k2, P1=4, P2=5, sigma=1.7).ravel())[::-1]
    np.testing.assert_allclose(lattice((4, 5), 1.7, periodic=True), two, rtol=16 * EPS)


def test_worlds_have_their_covariance():
    """Mixed causes have the similarities asked for; a field's precision is local; drawn trees tend to theirs."""
    mixing = semantics.categories((2, 3), (0.2, 0.6))
    covariance = mixing @ mixing.T
    np.testing.assert_allclose(covariance[0], [1, 0.6, 0.6, 0.2, 0.2, 0.2], rtol=8 * EPS)
    field = semantics.smooth((4, 3), 2.0, periodic=False)
    precision = np.linalg.inv(field @ field.T)
    rounding = EPS * np.linalg.cond(field @ field.T) * np.linalg.norm(precision)  # of an inverse
    np.testing.assert_allclose(precision.sum(0), 0.25, rtol=0, atol=12 * rounding)  # rows of a Laplacian sum to 0
    assert np.count_nonzero(np.abs(precision) > rounding) == 12 + 2 * (3 * 3 + 4 * 2)  # sites, and each edge twice
    drawn = semantics.diffusion(2, 2, 0.1, 100_000, seed=1)
    gap = np.abs(drawn @ drawn.T / 100_000 - semantics.diffusion_covariance(2, 2, 0.1)).max()
    assert 0 < gap < 5 / np.sqrt(100_000)


def test_turned_features_teach_the_same():
    """Turning the features leaves the similarities, and so all that a network can learn of them."""
    drawn = semantics.diffusion(2, 3, 0.1, 50, seed=2)
    few = semantics.few_features(drawn)
    assert few.shape == (8, 8)
    rounding = 2 * sum(drawn.shape) * EPS * np.linalg.norm(drawn) ** 2
    np.testing.assert_allclose(few @ few.T, drawn @ drawn.T, rtol=0, atol=rounding)


def test_branches_are_projections():
    """The projections onto the distinctions of all levels are orthogonal and add up to everything."""
    projections = semantics.branches((2, 3))
    np.testing.assert_allclose(projections.sum(0), np.eye(6), rtol=0, atol=len(projections) * EPS)
    np.testing.assert_allclose(projections[1] @ projections[2], 0, rtol=0, atol=6 * EPS)
    assert [round(np.trace(p)) for p in projections] == [1, 1, 4]


def test_drawing_and_learning_repeat_to_the_bit():
    """A seed gives the same world, and the same network the same answers."""
    worlds = [semantics.diffusion(2, 2, 0.1, 20, seed=3) for _ in range(2)]
    assert np.array_equal(*worlds) and not np.array_equal(worlds[0], semantics.diffusion(2, 2, 0.1, 20, seed=4))
    task = semantics.items(worlds[0])
    weights = semantics.modes.random(task, 2, 0.1, hidden=5, seed=1)
    runs = [semantics.answers(task, weights, [0.5, 1.0], GradientDescent(0.05)) for _ in range(2)]
    assert np.array_equal(*runs) and runs[0].shape == (2, 4, 20)


def test_scaling_keeps_distances():
    """Scaling to as many dimensions as there are keeps all distances, and points the same way each time."""
    points = np.random.default_rng(0).normal(size=(4, 3, 5))
    low = semantics.scaling(points, 5)
    both = [np.linalg.norm(x.reshape(12, -1)[0] - x.reshape(12, -1), axis=1) for x in (points, low)]
    rounding = 2 * 12 * EPS * np.linalg.norm(points)
    np.testing.assert_allclose(*both, rtol=0, atol=rounding)
    values = np.linalg.svd(points.reshape(12, -1) - points.reshape(12, -1).mean(0), compute_uv=False)
    turn = np.max(values[0] / np.abs(np.diff(values)))  # how far rounding turns an axis, in units of its own
    np.testing.assert_allclose(np.abs(semantics.scaling(-points)), np.abs(low[..., :2]), rtol=0, atol=turn * rounding)


def test_living_things():
    """Eight living things, each with properties of its own; plants and animals share only that they grow."""
    names, has = semantics.living_things()
    assert len(names) == len(has) == 8 and np.linalg.matrix_rank(has) == 7
    np.testing.assert_allclose(has.sum(0), 0, rtol=0, atol=len(has) * EPS * np.abs(has).max())
    assert semantics.mean_digits().shape == (10, 64)
