"""Distances of operators up to rotation, searched for from many starts, against the exact ones; and random weights."""

from itertools import permutations

import numpy as np
from scipy.linalg import block_diag

from laws import LowerBound, Mean, Solver, confront
from numerics import rotations
from theory.recurrent import (
    hoffman_wielandt,
    pair_null,
    permutation_bound,
    planar_distance,
    rotation_distance,
    spectral_bound,
    symmetric_distance,
    unmatched_distance,
)


def R(x, y):
    """The real form of x + i y."""
    return np.array([[x, -y], [y, x]])


def searched(pairs, **how):
    """The squared distances found for pairs of operators, to a tolerance of the search."""
    return lambda rtol, seed: np.array(
        [rotations.distance(A, B, seed=seed, tolerance=np.sqrt(rtol), **how) ** 2 for A, B in pairs]
    )


def test_unmatched_distance():
    """Where no plane meets a plane the distance is above the assignment of eigenvalues, by just what the law says."""
    y, z, u, xs = 0.7, 0.9, 1.6, np.array([0.3, 0.8, 1.3, 1.9])
    pairs = [(block_diag(R(x, y), R(-x, y)), block_diag(R(0, z), [[u]], [[-u]])) for x in xs]
    assigned = np.array([hoffman_wielandt(*pair).distance for pair in pairs]) ** 2
    parts = np.array([spectral_bound(*pair) for pair in pairs]) ** 2
    assert not any(hoffman_wielandt(*pair).exact for pair in pairs)
    by_four = lambda x, y, z, u: 2 * ((u - x) ** 2 + x**2 + y**2 + (y - z) ** 2)  # noqa: E731
    rounding = 4 * 8 * np.finfo(float).eps * sum((np.asarray(M) ** 2).sum() for pair in pairs for M in pair)
    np.testing.assert_allclose(assigned, by_four(xs, y, z, u), rtol=0, atol=rounding)
    rivals = {
        "the cheapest assignment of eigenvalues": by_four,
        "symmetric and skew parts, sorted": lambda x, y, z, u: np.interp(x, xs, parts),
    }
    drawn = dict(x="x, the real part of an eigenvalue of A", y="squared distance up to rotation")
    claim = "eigenvalues that cannot be matched are farther apart than their assignment"
    judge, at = Solver(rtol=1e-7), dict(x=xs, y=y, z=z, u=u)
    confront(claim, unmatched_distance, searched(pairs), at, judge, rivals, labels=drawn)


planar = dict(x1=0.4, y1=np.array([-1.3, -0.6, 0.3, 0.9, 1.7]), x2=-0.2, y2=0.8)
in_plane = [(R(0.4, y1), R(-0.2, 0.8)) for y1 in planar["y1"]]
plane_labels = dict(y1="imaginary part y1 of the first operator", y="squared distance")


def test_planar_distance():
    """In the plane reflections make conjugate eigenvalues meet."""
    rivals = {"rotations alone": rotation_distance}
    claim = "in the plane the distance is that of real parts and sizes of imaginary parts"
    confront(
        claim, planar_distance, searched(in_plane, starts=2), planar, Solver(rtol=1e-7), rivals, labels=plane_labels
    )


def test_rotations_alone():
    """Without reflections mirror images are 8 y^2 apart: the sense of rotation counts."""
    rivals = {"with reflections": planar_distance}
    claim = "without reflections the sense of rotation counts"
    run = searched(in_plane, starts=2, proper=True)
    confront(claim, rotation_distance, run, planar, Solver(rtol=1e-7), rivals, labels=plane_labels)


def test_symmetric_distance():
    """Symmetric operators are as far apart as their sorted eigenvalues."""
    draw, sizes = np.random.default_rng(1), np.array([3, 4, 6, 8])
    pairs = [tuple(M + M.T for M in draw.normal(size=(2, n, n))) for n in sizes]
    run = lambda rtol, seed: np.sqrt(searched(pairs, starts=6)(rtol, seed))  # noqa: E731
    law = lambda n: np.array([symmetric_distance(*pair) for pair in pairs])  # noqa: E731
    as_they_stand = np.array([np.linalg.norm(A - B) for A, B in pairs])
    by_size = np.array(
        [np.linalg.norm(np.diff([np.sort(np.abs(np.linalg.eigvalsh(M))) for M in pair], axis=0)) for pair in pairs]
    )
    rivals = {"as they stand": lambda n: as_they_stand, "by sorted singular values": lambda n: by_size}
    drawn = dict(n="size n of the operators", y="distance up to rotation")
    claim = "symmetric operators differ by their sorted eigenvalues"
    confront(
        claim, law, run, dict(n=sizes.astype(float)), Solver(rtol=1e-7), rivals, labels=drawn, of=symmetric_distance
    )


def normal(pairs, reals, draw):
    """A random normal operator with so many conjugate pairs and real eigenvalues."""
    blocks = [R(*draw.normal(size=2)) for _ in range(pairs)] + [draw.normal(size=(1, 1)) for _ in range(reals)]
    M = block_diag(*blocks)
    C = np.linalg.qr(draw.normal(size=M.shape))[0]
    return C @ M @ C.T


def test_hoffman_wielandt():
    """Normal operators without real eigenvalues are as far apart as the cheapest assignment says."""
    draw, sizes = np.random.default_rng(2), np.array([2, 4, 6])
    pairs = [(normal(n // 2, 0, draw), normal(n // 2, 0, draw)) for n in sizes]
    assert all(hoffman_wielandt(*pair).exact for pair in pairs)
    run = lambda rtol, seed: np.sqrt(searched(pairs, starts=20)(rtol, seed))  # noqa: E731
    law = lambda n: np.array([hoffman_wielandt(*pair).distance for pair in pairs])  # noqa: E731
    order = lambda M: np.sort_complex(np.linalg.eigvals(M))  # noqa: E731
    sorted_apart = np.array([np.linalg.norm(order(A) - order(B)) for A, B in pairs])
    as_they_stand = np.array([np.linalg.norm(A - B) for A, B in pairs])
    rivals = {
        "eigenvalues sorted by their real parts": lambda n: sorted_apart,
        "as they stand": lambda n: as_they_stand,
    }
    drawn = dict(n="size n of the operators", y="distance up to rotation")
    claim = "normal operators without real eigenvalues differ by their cheapest assignment"
    confront(claim, law, run, dict(n=sizes.astype(float)), Solver(rtol=1e-7), rivals, labels=drawn, of=hoffman_wielandt)


def test_spectral_bound():
    """No rotation brings any two operators nearer than their spectra say; in the plane they come as near as that."""
    draw, sizes = np.random.default_rng(3), np.array([2, 3, 4, 5, 6])
    pairs = [tuple(draw.normal(size=(2, n, n))) for n in sizes]
    run = lambda rtol, seed: np.sqrt(searched(pairs, starts=8)(rtol, seed))  # noqa: E731
    bounds = np.array([spectral_bound(*pair) for pair in pairs])
    singular = lambda M: np.linalg.svd(M, compute_uv=False)  # noqa: E731
    whole = np.array([np.linalg.norm(singular(A) - singular(B)) for A, B in pairs])
    as_they_stand = np.array([np.linalg.norm(A - B) for A, B in pairs])
    rivals = {
        "higher by a tenth": lambda n: 1.1 * bounds,
        "of the parts and of the whole, added": lambda n: np.hypot(bounds, whole),
        "as they stand": lambda n: as_they_stand,
    }
    drawn = dict(n="size n of the operators", y="distance up to rotation")
    claim = "no rotation brings operators nearer than their symmetric and skew spectra"
    at, judge = dict(n=sizes.astype(float)), LowerBound(Solver(rtol=1e-7))
    confront(claim, lambda n: bounds, run, at, judge, rivals, labels=drawn, of=spectral_bound)


def closest(n, size, sigma, seed):
    """min_P |W1 - P^T W2 P|^2 over all permutations, for `n` pairs of normal matrices of this size."""
    W1, W2 = sigma * np.random.default_rng(seed).normal(size=(2, n, size, size))
    moved = [W2[:, list(p)][:, :, list(p)] for p in permutations(range(size))]
    return np.min([((W1 - M) ** 2).sum((1, 2)) for M in moved], axis=0)


def test_pair_null():
    """Two untrained matrices of size 2 are 6 sigma^2 apart on average, by the better of two permutations."""
    sigma = 0.7
    rivals = {
        "unaligned, 2 n^2 sigma^2": lambda sigma: 8 * sigma**2,
        "the lower bound for any size": lambda sigma: permutation_bound(2, sigma),
    }
    run = lambda n, seed: closest(n, 2, sigma, seed)  # noqa: E731
    spread = (
        60 * sigma**4
    )  # at most: the mean fourth power of the unaligned distance, 96 sigma^4, less the mean's square
    judge = Mean(detects=0.1 * 6 * sigma**2, variance=spread)
    claim = "untrained pairs of units are 6 sigma^2 apart"
    drawn = dict(y="squared distance of two sets of weights (σ = 0.7)")
    confront(claim, pair_null, run, dict(sigma=sigma), judge, rivals, labels=drawn)
