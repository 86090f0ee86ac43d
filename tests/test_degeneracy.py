"""Measures of degeneracy: copies are at distance 0, distances are distances, and nothing is below its bound."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import quadratic_assignment

from numerics import degeneracy, rotations
from numerics.degeneracy import (
    Ambient,
    Operator,
    Permutations,
    SignedPermutations,
    Whitened,
    _compiled,
    _dynamics,
    _permutations,
    _rotations,
    behavioural_degeneracy,
    dsa,
    dsa_matrix,
    kernel_alignment,
    mds,
    mean_distance,
    permutation_distance,
    svcca,
    weight_change,
)

eps = np.finfo(float).eps
few = settings(max_examples=6, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def courses(seed, units=4, trials=6, time=9):
    """Noisy courses of a contracting linear system; shape (trials, time, units)."""
    draw = np.random.default_rng(seed)
    A, x = draw.normal(size=(units, units)) / (1.5 * units**0.5), draw.normal(size=(trials, units))
    rows = [x]
    for _ in range(time - 1):
        rows.append(rows[-1] @ A.T + 0.1 * draw.normal(size=x.shape))
    return np.stack(rows, 1)


def noise(seed, *shape):
    """Independent noise."""
    return np.random.default_rng(seed).normal(size=shape)


def orthogonal(n, seed):
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))[0]


@few
@given(seeds)
def test_distances_are_distances(seed):
    """A distance is 0 from a system to itself, the same both ways, at least its bound, and obeys the triangle."""
    a, b, c = (courses(seed + k, units=3) for k in range(3))
    for by in (Whitened(), Ambient()):
        find = lambda x, y, by=by: dsa(x, y, by=by, draws=8, tolerance=1e-7)  # noqa: E731
        assert find(a, a).distance == 0
        ab, ba, bc, ac = find(a, b), find(b, a), find(b, c), find(a, c)
        assert ab.distance == pytest.approx(ba.distance, rel=1e3 * eps, abs=0) and ab.bound <= ab.distance * (
            1 + 1e3 * eps
        )
        assert ac.distance <= (ab.distance + bc.distance) * (1 + 1e3 * eps)
        assert 0 <= ab.relative <= 1 + 1e3 * eps and ab.spread >= 0


@few
@given(seeds)
def test_copies_are_at_distance_zero(seed):
    """Rotated copies are the same in all coordinates, other linear maps in whitened ones alone, permuted ones always.

    A search that has converged to a slope t is off by t squared in the agreement 1 - relative^2, which is 1.
    """
    x = courses(seed)
    turned, mapped = x @ orthogonal(4, seed), x @ np.random.default_rng(seed).normal(size=(4, 4))
    slope = 1e-6  # relative^2 = 2 - 2 agreement
    same = lambda y, by: dsa(x, y, by=by, draws=10, tolerance=slope).relative ** 2 < 2 * slope**2 + 1e3 * eps  # noqa: E731
    for by in (Whitened(), Ambient(), Whitened(delays=2), Ambient(delays=2)):
        assert same(turned, by) and same(x[..., ::-1], by) and same(-x, by)
    assert same(mapped, Whitened()) and not same(mapped, Ambient()) and not same(courses(seed + 1), Whitened())


def test_lengths_and_delays():
    """Trials of any length are the rows of a stack, and no step leads from one trial to the next."""
    x = courses(1)
    as_list = dsa(list(x), [trial[:5] for trial in courses(2)])
    assert as_list.distance == dsa(x, courses(2)[:, :5]).distance
    A = np.array([[0.8, 0.3], [-0.2, 0.7]])
    trials = [np.array([np.linalg.matrix_power(A, t) @ x0 for t in range(k)]) for k, x0 in ((3, [1, 0]), (7, [0.3, 2]))]
    for by in (Ambient(), Whitened()):
        found = by.operator(trials)
        assert found.unexplained < 1e3 * eps**2
        np.testing.assert_allclose(np.sort_complex(np.linalg.eigvals(found.matrix)),
                                   np.sort_complex(np.linalg.eigvals(A)), rtol=1e3 * eps)  # fmt: skip
    delayed = Whitened(delays=3).operator([trial for trial in trials if len(trial) > 3])
    assert delayed.matrix.shape == (2, 2) and delayed.unexplained < 1e6 * eps**2
    assert Whitened(rank=1).operator(trials).matrix.shape == (1, 1)


def test_all_pairs_are_the_pairs():
    """The matrix of distances holds those of `dsa`, its bounds and its spreads."""
    systems = [courses(k) for k in range(4)]
    every = dsa_matrix(systems, by=Ambient(rank=3), draws=2, tolerance=1e-7)
    for i, j in product(range(4), repeat=2):
        pair = dsa(systems[i], systems[j], by=Ambient(rank=3), draws=20, tolerance=1e-7)
        assert pair.bound == pytest.approx(every.bound[i, j], abs=1e3 * eps)
        assert pair.distance <= every.distance[i, j] * (1 + 1e3 * eps) and every.relative[i, j] <= 1
        assert every.distance[i, j] * (1 - 1e3 * eps) - pair.distance <= every.spread[i, j]
    assert np.array_equal(every.distance, every.distance.T) and not np.diag(every.distance).any()
    assert pair.rank == every.rank == 3 and dsa(systems[0], systems[1]).rank == 4 == dsa_matrix(systems).rank
    again = dsa_matrix(systems, by=Ambient(rank=3), draws=2, tolerance=1e-7)
    assert np.array_equal(again.distance, every.distance)


def test_results_say_how_they_were_found():
    """The coordinates, the rank, the starts, their seed and the tolerance stand in what is returned."""
    x, y = courses(1), courses(2)
    by, how = Whitened(3, 2), dict(draws=5, seed=7, tolerance=1e-3)
    for found in (dsa(x, y, by=by, **how), dsa_matrix([x, y], by=by, **how)):
        assert (found.by, found.rank) == (by, 3) and {name: getattr(found, name) for name in how} == how
    usual = dsa(x, y)
    assert dsa(x, y, draws=usual.draws, seed=usual.seed, tolerance=usual.tolerance).distance == usual.distance
    others = [dsa(x, y, by=Whitened(), **how | change).spread for change in (dict(draws=0), dict(seed=8))]
    assert dsa(x, y, by=Whitened(), **how).spread not in others


def test_matches_say_how_they_were_found():
    """The symmetry, the starts and their seed stand in a match, and find it again."""
    W1, W2 = noise(3, 2, 9, 9)
    for by in (Permutations(), SignedPermutations()):
        found = permutation_distance(W1, W2, by=by, starts=2, seed=7)
        assert (found.by, found.starts, found.seed) == (by, 2, 7)
    usual = permutation_distance(W1, W2)
    again = permutation_distance(W1, W2, by=usual.by, starts=usual.starts, seed=usual.seed)
    assert (again.distance, again.spread) == (usual.distance, usual.spread)


def test_operators_are_compared_as_they_are():
    """Operators that were found before are as far apart as the states that they were found from."""
    systems, by = [courses(k) for k in range(3)], Whitened(3)
    operators = [by.operator(part) for part in systems]
    every = dsa_matrix(operators, draws=4)
    assert np.array_equal(every.distance, dsa_matrix(systems, by=by, draws=4).distance) and every.by is None
    assert dsa(*operators[:2], draws=4).distance == dsa(*systems[:2], by=by, draws=4).distance


def test_a_pair_does_not_depend_on_the_others(monkeypatch):
    """The distance of a pair is the same alone, among others, in any chunks and with any number of threads."""
    systems = [courses(k, units=6) for k in range(5)]
    every = dsa_matrix(systems, draws=3).distance
    for i, j in product(range(5), repeat=2):
        assert dsa(systems[i], systems[j], draws=3).distance == pytest.approx(every[i, j], rel=1e3 * eps, abs=0)
    some = dsa_matrix(systems[3:], draws=3).distance
    assert some[0, 1] == pytest.approx(every[3, 4], rel=1e3 * eps, abs=0)
    monkeypatch.setattr(_dynamics, "AT_ONCE", 1)
    np.testing.assert_allclose(dsa_matrix(systems, draws=3).distance, every, rtol=1e3 * eps)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert np.array_equal(dsa_matrix(systems, draws=3).distance, dsa_matrix(systems, draws=3).distance)
        np.testing.assert_allclose(dsa_matrix(systems, draws=3).distance, every, rtol=1e3 * eps)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 2, 5, 9, 19])
def test_the_kernel_takes_the_steps_that_numpy_takes(n):
    """Compiled or not, starts take the same steps, as long as rounding has not grown, and end where slopes vanish."""
    draw = np.random.default_rng(n)
    A, B = draw.normal(size=(2, 3, n, n))
    C, pair = np.array([orthogonal(n, k) for k in range(7)]), np.array([0, 1, 2, 2, 1, 0, 2])
    few_steps = dict(most=8, tolerance=1e-9, memory=0.85, less=1e-4)
    both = [search(A, B, pair, C, **few_steps) for search in (_compiled.descend, _rotations.by_numpy)]
    np.testing.assert_allclose(*both, rtol=0, atol=1e6 * eps)
    assert not np.shares_memory(both[0], C) and np.array_equal(C[0], orthogonal(n, 0))
    steep = 1e-6  # where a search ends, relative to the sizes of the operators
    for search in (_compiled.descend, _rotations.by_numpy):
        ends = search(A, B, pair, C, **few_steps | dict(most=4000, tolerance=steep))
        np.testing.assert_allclose(ends @ ends.mT, np.broadcast_to(np.eye(n), C.shape), rtol=0, atol=1e4 * eps)
        slopes = _rotations.norm(_rotations._slope(A[pair], ends @ B[pair] @ ends.mT))
        assert np.all(slopes <= steep * (_rotations.norm(A) * _rotations.norm(B))[pair] * (1 + 1e3 * eps) + 1e3 * eps)


def test_the_order_of_a_pair_does_not_matter():
    """Whichever of two comes first, the search takes the same steps, though their norms be equal."""
    A, B = np.random.default_rng(6).normal(size=(2, 3, 5, 5))
    A[1:], B[1:] = np.round(A[1:]), -np.round(A[1:])[:, ::-1]  # equal to the last bit: sums of whole numbers
    assert (_rotations.norm(A) == _rotations.norm(B)).tolist() == [False, True, True]
    (one, C), (other, turned) = (_rotations.search(*pair, 3, 0, 1e-6) for pair in ((A, B), (B, A)))
    assert np.array_equal(one, other) and np.array_equal(C, turned.mT)


def test_without_a_compiler_numpy_searches(monkeypatch):
    """The search finds the same distances without the kernel."""
    A, B = np.random.default_rng(3).normal(size=(2, 2, 4, 4))
    found, _ = _rotations.search(A, B, 4, 0, 1e-8)
    monkeypatch.setattr(_compiled, "library", lambda: None)
    np.testing.assert_allclose(_rotations.search(A, B, 4, 0, 1e-8)[0].min(1), found.min(1), rtol=1e3 * eps)


def test_the_search_finds_what_a_slower_one_finds():
    """Of general pairs it finds distances that are no larger than those of matrix exponentials from more starts."""
    draw = np.random.default_rng(5)
    A, B = draw.normal(size=(2, 6, 5, 5))
    found, C = _rotations.search(A, B, 40, 0, 1e-7)
    np.testing.assert_allclose(C @ C.mT, np.broadcast_to(np.eye(5), C.shape), rtol=0, atol=1e4 * eps)
    np.testing.assert_allclose(_rotations.norm(A - C @ B @ C.mT), found.min(1), rtol=1e4 * eps)
    for a, b, d in zip(A, B, found.min(1), strict=True):
        assert d <= rotations.distance(a, b, starts=3) * (1 + 1e3 * eps)


@pytest.mark.parametrize("by", [Permutations(), SignedPermutations()])
def test_few_units_are_matched_as_by_trying_everything(by):
    """For four units the distance is the least over all permutations, and over all signs if these are symmetries."""
    signs = [np.ones(4)] if by == Permutations() else [np.array(s) for s in product((1.0, -1.0), repeat=4)]
    for seed in range(12):
        A, B = np.random.default_rng(seed).normal(size=(2, 4, 4))
        every = [A - s[:, None] * s * B[np.ix_(p, p)] for p in map(list, permutations(range(4))) for s in signs]
        found = permutation_distance(A, B, by=by, starts=8)
        assert found.distance == pytest.approx(min(map(np.linalg.norm, every)), rel=1e3 * eps, abs=0)
        p, s = found.permutation, found.signs
        assert np.linalg.norm(A - s[:, None] * s * B[np.ix_(p, p)]) == pytest.approx(
            found.distance, rel=1e3 * eps, abs=0
        )


@few
@given(seeds)
def test_permuted_copies_are_at_distance_zero(seed):
    """Permuted weights are found out, and with changed signs too where these are symmetries; d is symmetric."""
    draw = np.random.default_rng(seed)
    W, other = draw.normal(size=(2, 20, 20))
    p, s = draw.permutation(20), draw.choice([-1.0, 1.0], 20)
    copy, turned = W[np.ix_(p, p)], (W * s[:, None] * s)[np.ix_(p, p)]
    found = permutation_distance(copy, W)
    assert found.distance == 0 and np.array_equal(found.permutation, p) and found.unaligned > 0
    assert permutation_distance(turned, W, by=SignedPermutations()).distance == 0
    assert permutation_distance(W, W).distance == 0 == permutation_distance(0 * W, 0 * W).relative
    plain, signed = permutation_distance(W, other), permutation_distance(W, other, by=SignedPermutations())
    assert plain.distance == pytest.approx(permutation_distance(other, W).distance, rel=1e3 * eps, abs=0)
    assert signed.distance <= plain.distance < plain.unaligned and plain.spread > 0


def test_matches_are_no_worse_than_those_of_scipy():
    """Of pairs of untrained weights no distance is above that of scipy's own search from the mean permutation."""
    for seed in range(5):
        A, B = np.random.default_rng(seed).normal(size=(2, 24, 24))
        p = quadratic_assignment(A, B, options=dict(maximize=True, rng=np.random.default_rng(0))).col_ind
        assert permutation_distance(A, B).distance <= np.linalg.norm(A - B[np.ix_(p, p)]) * (1 + 1e3 * eps)


@few
@given(seeds)
def test_gains_of_exchanges(seed):
    """What exchanges and changes of sign are said to gain is what the overlap gains."""
    A, B = np.random.default_rng(seed).normal(size=(2, 5, 5))
    swaps, flips = _permutations._swaps(A, B), SignedPermutations().flips(A * B)
    for i, j in product(range(5), repeat=2):
        order = np.arange(5)
        order[[i, j]] = j, i
        assert swaps[i, j] == pytest.approx((A * B[np.ix_(order, order)]).sum() - (A * B).sum(), abs=1e3 * eps)
    for i in range(5):
        sign = np.where(np.arange(5) == i, -1, 1)
        assert flips[i] == pytest.approx((A * B * sign[:, None] * sign).sum() - (A * B).sum(), abs=1e3 * eps)


def test_representations_are_compared_up_to_rotation_and_scale():
    """SVCCA is 1 for rotated, scaled and shifted copies, and small for what has nothing in common."""
    draw = np.random.default_rng(1)
    X, other = draw.normal(size=(2, 40, 25, 6))
    assert svcca(X, 3 * X @ orthogonal(6, 2) + 1) == pytest.approx(1, abs=1e3 * eps)
    assert svcca(X, other) < 0.2 and svcca(X[..., :1], X) == pytest.approx(1, abs=1e3 * eps)
    mixed, noise = draw.normal(size=(2, 6)), 1e-3
    below = (noise / np.linalg.norm(mixed, -2)) ** 2  # of the weaker direction, the share that is noise
    found = svcca(X[..., :2] @ mixed + noise * other, X[..., :2])
    assert found == pytest.approx(1, rel=0, abs=below)  # the rest is below a hundredth of the variance


def test_numbers_by_hand():
    """Spreads, changes and alignments of a few numbers are what they are by hand."""
    found = behavioural_degeneracy([1.0, 3.0])
    assert found == pytest.approx((1.0, np.log(3) / 2, 0.5, 2.0), rel=4 * eps, abs=0)
    assert weight_change(np.zeros((2, 2, 2)), np.full((2, 2, 2), 1.5)).tolist() == [3.0, 3.0]
    K = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert (
        kernel_alignment(K, 7 * K) == pytest.approx(1, rel=8 * eps, abs=0)
        and kernel_alignment(K, np.diag([3.0, -2.0])) == 0
    )


def test_maps_keep_distances():
    """Points of a plane are found again from their distances, up to rotation; points of space have stress there."""
    points = np.random.default_rng(2).normal(size=(7, 2))
    apart = lambda P: np.linalg.norm(P[:, None] - P, axis=-1)  # noqa: E731
    found = mds(apart(points))
    np.testing.assert_allclose(apart(found.points), apart(points), rtol=0, atol=1e3 * eps)
    assert found.stress < 1e3 * eps
    assert np.array_equal(found.points, mds(apart(points)).points)
    spatial = mds(apart(np.random.default_rng(3).normal(size=(7, 4))))
    assert 0.01 < spatial.stress < 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dsa(np.zeros((3, 4)), np.zeros((3, 4))), "trajectories have shape"),
        (lambda: dsa([np.zeros(4)], [np.zeros(4)]), "trajectories have shapes"),
        (lambda: dsa([np.ones((4, 2)), np.ones((4, 3))], courses(1)), "trajectories have shapes"),
        (lambda: dsa([np.full((4, 2), np.nan)], courses(1)), r"trajectories\[0\] = nan"),
        (lambda: dsa(courses(1), courses(2), by=Whitened(delays=9)), "one has 9 steps"),
        (lambda: dsa(courses(1), courses(2), by=Whitened(rank=9)), "span 4 directions"),
        (lambda: dsa(courses(1, trials=1, time=5), courses(2)), "have 4 steps, rows less trials, .* rank 4"),
        (
            lambda: dsa(noise(1, 1, 21, 20), noise(2, 1, 21, 20), by=Whitened(20)),
            "have 20 steps, rows less trials, .* rank 20",
        ),
        (lambda: dsa_matrix([noise(1, 5, 3, 3), noise(2, 5, 3, 3)], by=Ambient(delays=2)), "have 5 steps"),
        (lambda: dsa(np.zeros((3, 4, 2)), courses(1)), "0 everywhere"),
        (lambda: dsa(courses(1), courses(2, units=3)), "4 and 3 directions"),
        (lambda: dsa(courses(1), courses(2), by="whitened"), "by = 'whitened'"),
        (lambda: dsa(courses(1), Whitened().operator(courses(2))), "operators are compared with operators"),
        (lambda: dsa(*[Whitened().operator(courses(1))] * 2, by=Whitened()), "without coordinates"),
        (lambda: dsa(*[Operator(np.ones((2, 3)), 0.0)] * 2), r"\(2, 3\): an operator is"),
        (lambda: dsa(*[Operator(np.full((2, 2), np.nan), 0.0)] * 2), r"trajectories\[0\].matrix"),
        (lambda: dsa(courses(1), courses(2), tolerance=0.0), "tolerance = 0.0"),
        (lambda: dsa_matrix([courses(1)]), "two dynamics"),
        (lambda: Whitened(rank=0), "rank = 0"),
        (lambda: Ambient(delays=0), "delays = 0"),
        (lambda: permutation_distance(np.eye(2), np.eye(3)), r"both must be \(n, n\)"),
        (lambda: permutation_distance(np.eye(0), np.eye(0)), "of one unit or more"),
        (lambda: permutation_distance(np.eye(2), np.eye(2), by=1), "by = 1"),
        (lambda: behavioural_degeneracy([1.0, 0.0]), "losses"),
        (lambda: svcca(np.ones((4, 2)), np.ones((5, 2))), "do not fit"),
        (lambda: svcca(np.ones((4, 2)), np.ones((4, 2))), "X does not vary"),
        (lambda: svcca(np.eye(4), np.eye(4), variance=0.0), "variance = 0.0"),
        (lambda: svcca(noise(1, 1, 7, 3)[0], noise(2, 1, 7, 3)[0], variance=1.0), r"7 samples for 3 \+ 3 directions"),
        (lambda: weight_change(np.ones((2, 2)), np.ones((3, 2))), "do not fit"),
        (lambda: kernel_alignment(np.ones((2, 2)), np.zeros((2, 2))), "a kernel is 0"),
        (lambda: kernel_alignment(np.eye(2), np.triu(np.ones((2, 2)))), "after is not symmetric"),
        (lambda: kernel_alignment(np.ones(2), np.ones(2)), r"before has shape \(2,\)"),
        (lambda: dsa(*[Operator(np.eye(2), "x")] * 2), r"trajectories\[0\].unexplained = 'x'"),
        (lambda: dsa(*[Operator(np.eye(2), float("nan"))] * 2), r"trajectories\[0\].unexplained = nan"),
        (lambda: mds(np.ones((3, 3))), "symmetric"),
        (lambda: mds(np.zeros((2, 2))), "m above dimensions"),
        (lambda: mean_distance(np.triu(np.ones((3, 3)), 1)), "symmetric"),
        (lambda: mean_distance(np.eye(3) - 1), "not negative"),
        (lambda: mean_distance(np.ones((3, 3))), "0 from a point to itself"),
    ],
)
def test_bad_arguments(call, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        call()


@pytest.mark.parametrize("seed", [None, True, -1, 1.5])
def test_seeds_are_whole_numbers(seed):
    """A search or an interval that nobody could repeat is refused, by name."""
    searches = (
        lambda: dsa(courses(1), courses(2), seed=seed),
        lambda: dsa_matrix([courses(1), courses(2)], seed=seed),
        lambda: permutation_distance(np.eye(3), np.eye(3), seed=seed),
        lambda: mean_distance(np.ones((3, 3)) - np.eye(3), seed=seed),
    )
    for search in searches:
        with pytest.raises((ValueError, TypeError), match=f"seed = {seed!r}"):
            search()


@pytest.mark.parametrize("by", [Whitened(), Ambient()])
def test_states_that_go_to_zero_are_explained(by):
    """Of states that are 0 from their second step on the operator is 0, and leaves nothing unexplained."""
    states = np.zeros((5, 3, 2))
    states[:, 0] = noise(1, 5, 2)
    matrix, unexplained = by.operator(states)
    assert not matrix.any() and unexplained == 0


def test_everything_public_is_listed():
    """What the package says that it holds is there."""
    assert all(hasattr(degeneracy, name) for name in degeneracy.__all__)
