"""Measures of degeneracy against exact oracles: operators with known distances, and fits whose degeneracy is known."""

from functools import cache
from itertools import islice

import numpy as np
import pytest
from scipy.linalg import block_diag

from laws import Count, Roundoff, Solver, confront
from laws.judges import measure
from laws.judges.verdict import Panel, Series
from numerics import linear_rnn
from numerics.degeneracy import (
    Ambient,
    Permutations,
    SignedPermutations,
    Whitened,
    dsa,
    dsa_matrix,
    mds,
    permutation_distance,
)
from theory.recurrent import (
    hoffman_wielandt,
    permutation_bound,
    pinned,
    spectral_bound,
    symmetric_distance,
    unmatched_distance,
)


def R(x, y):
    """The real form of x + i y."""
    return np.array([[x, -y], [y, x]])


def rotated(M, draw):
    """The same operator in other coordinates."""
    C = np.linalg.qr(draw.normal(size=M.shape))[0]
    return C @ M @ C.T


def courses(A, draw, trials=3, steps=6):
    """States that an operator leads through, from random starts: (trials, steps, n)."""
    x = [draw.normal(size=(trials * len(A), len(A)))]
    for _ in range(steps - 1):
        x.append(x[-1] @ A.T)
    return np.stack(x, 1)


def found(pairs, **how):
    """Distances of pairs of operators, from what they do to random starts alone, each in coordinates of its own."""

    def run(seed):
        draw, distances = np.random.default_rng(seed), []
        for A, B in pairs:
            x, y = (courses(rotated(M, draw), draw) for M in (A, B))
            distances.append(dsa(x, y, by=Ambient(), tolerance=1e-8, **how).distance)
        return np.array(distances)

    return run


def judged(pairs):
    """Rounding: least squares of so many rows, each as ill-conditioned as courses that shrink to their last step."""
    sizes = np.array([np.linalg.norm(A) + np.linalg.norm(B) for A, B in pairs])
    draw, rows, worst = np.random.default_rng(1), 0, []
    for pair in pairs:
        x = [courses(M, draw)[:, :-1].reshape(-1, len(M)) for M in pair]
        worst.append(max(map(np.linalg.cond, x)))
        rows = max(rows, len(x[0]))
    apart = np.array([np.linalg.norm(A - B) for A, B in pairs])
    return Roundoff(operations=20 * rows, condition=np.array(worst) * sizes / apart)


def shrunk(M):
    """The same operator with a spectral radius of 0.9."""
    return 0.9 * M / np.abs(np.linalg.eigvals(M)).max()


def symmetric(n, draw):
    """A random symmetric operator."""
    M = draw.normal(size=(n, n))
    return shrunk(M + M.T)


def normal(n, draw):
    """A random normal operator without real eigenvalues."""
    return shrunk(rotated(block_diag(*(R(*draw.normal(size=2)) for _ in range(n // 2))), draw))


def test_symmetric_dynamics():
    """Courses of symmetric operators are as far apart as their sorted eigenvalues."""
    draw, sizes = np.random.default_rng(1), np.array([3, 4, 6, 8])
    pairs = [(symmetric(n, draw), symmetric(n, draw)) for n in sizes]
    law = lambda n: np.array([symmetric_distance(*pair) for pair in pairs])  # noqa: E731
    size = lambda M: np.sort(np.abs(np.linalg.eigvalsh(M)))  # noqa: E731
    by_size = np.array([np.linalg.norm(size(A) - size(B)) for A, B in pairs])
    whitened = np.array([dsa(courses(A, draw), courses(B, draw)).distance for A, B in pairs])
    rivals = {"by the sizes of eigenvalues": lambda n: by_size, "in whitened coordinates": lambda n: whitened}
    drawn = dict(n="units n", y="distance of the dynamics")
    claim = "courses of symmetric operators differ by their sorted eigenvalues"
    at = dict(n=sizes.astype(float))
    confront(claim, law, found(pairs), at, judged(pairs), rivals, labels=drawn, of=symmetric_distance)


def test_normal_dynamics():
    """Courses of normal operators without real eigenvalues are as far apart as the cheapest assignment says."""
    draw, sizes = np.random.default_rng(2), np.array([2, 4, 6])
    pairs = [(normal(n, draw), normal(n, draw)) for n in sizes]
    assert all(hoffman_wielandt(*pair).exact for pair in pairs)
    law = lambda n: np.array([hoffman_wielandt(*pair).distance for pair in pairs])  # noqa: E731
    order = lambda M: np.sort_complex(np.linalg.eigvals(M))  # noqa: E731
    sorted_apart = np.array([np.linalg.norm(order(A) - order(B)) for A, B in pairs])
    rivals = {"eigenvalues sorted by their real parts": lambda n: sorted_apart}
    drawn = dict(n="units n", y="distance of the dynamics")
    claim = "courses of normal operators without real eigenvalues differ by their cheapest assignment"
    at = dict(n=sizes.astype(float))
    confront(claim, law, found(pairs, draws=20), at, judged(pairs), rivals, labels=drawn, of=hoffman_wielandt)


def test_unmatched_dynamics():
    """Courses whose eigenvalues cannot meet in pairs are as far apart as the law says, not as their assignment."""
    y, z, u, xs = 0.5, 0.6, 0.8, np.array([0.2, 0.4, 0.7])
    pairs = [(block_diag(R(x, y), R(-x, y)), block_diag(R(0, z), [[u]], [[-u]])) for x in xs]
    assigned = np.array([hoffman_wielandt(*pair).distance for pair in pairs])
    certain = np.array([spectral_bound(*pair) for pair in pairs])
    rivals = {
        "the cheapest assignment of eigenvalues": lambda x, y, z, u: assigned,
        "symmetric and skew parts, sorted": lambda x, y, z, u: certain,
    }
    drawn = dict(x="x, the real part of an eigenvalue", y="distance of the dynamics")
    claim = "courses whose eigenvalues cannot be matched are farther apart than their assignment"
    at, judge = dict(x=xs, y=y, z=z, u=u), judged(pairs)
    through = lambda law: lambda **at: np.sqrt(law(**at))  # noqa: E731
    run = found(pairs, draws=20)
    confront(claim, unmatched_distance, run, at, judge, rivals, labels=drawn, through=through)


def test_bounds_are_those_of_the_theory():
    """Below which no distance of two operators can be: singular values of their symmetric and skew parts."""
    sizes = np.array([2, 3, 5, 8, 13])
    draw = np.random.default_rng(4)
    pairs = [tuple(draw.normal(size=(2, n, n))) for n in sizes]
    law = lambda n: np.array([spectral_bound(*pair) for pair in pairs])  # noqa: E731

    def run(seed):
        starts = np.random.default_rng(seed)
        both = ([courses(M / 4, starts) for M in pair] for pair in pairs)
        return np.array([4 * dsa(*states, by=Ambient()).bound for states in both])

    eigenvalues = lambda M: np.sort(np.abs(np.linalg.eigvals(M)))  # noqa: E731
    rivals = {"eigenvalues instead of singular values": lambda n: np.array(
        [np.linalg.norm(eigenvalues(A) - eigenvalues(B)) for A, B in pairs])}  # fmt: skip
    judge = judged([(A / 4, B / 4) for A, B in pairs])
    claim = "the bound below a distance of dynamics is that of symmetric and skew parts"
    confront(claim, law, run, dict(n=sizes.astype(float)), judge, rivals, of=spectral_bound,
             labels=dict(n="units n", y="lower bound of the distance"))  # fmt: skip


# -- linear networks, whose degeneracy Kalman's theory knows -----------------------------------------------

A = np.array([[0.8, 0.3, 0.0], [-0.2, 0.7, 0.1], [0.0, 0.4, -0.5]])  # a task of degree 3
B, C = np.array([[1.0], [0.3], [-0.7]]), np.array([[0.4, -1.1, 0.6]])
NETWORKS = 8


@cache
def fitted(states, tolerance, first=0):
    """Networks of so many units that fit enough Markov parameters of the task to behave like it for ever."""
    target = linear_rnn.markov(B, A, C, 3 + states)
    return [linear_rnn.fit(target, states, seed=seed, tolerance=tolerance) for seed in range(first, first + NETWORKS)]


def impulses(networks, steps=8):
    """Their states after an impulse, each as one trial."""
    return [linear_rnn.markov(Wx, Wh, np.eye(len(Wh)), steps)[None, :, :, 0] for Wx, Wh, _ in networks]


def agreement(distances):
    """1 - relative^2 of all pairs: 1 for the same dynamics, 0 for dynamics at right angles."""
    return 1 - distances.relative[np.triu_indices(NETWORKS, 1)] ** 2


def fits_drawn():
    """The map of the dynamics of minimal fits, all in one place, and of larger ones."""
    every = impulses(fitted(3, 1e-12)) + impulses(fitted(5, 1e-12))
    points = mds(dsa_matrix(every, by=Whitened(3), draws=8).distance).points
    larger = Series("rival", *points[NETWORKS:].T.tolist(), "fits by 5 units", joined=False)
    minimal = Series("run", *points[:NETWORKS].T.tolist(), "fits by 3 units, all in one place")
    return Panel("first axis of the map of dynamics", "second axis", (larger, minimal))


def test_minimal_fits_have_one_dynamics():
    """Minimal fits have the same dynamics in whitened coordinates, and other ones in those of their units."""
    run = lambda rtol, seed: agreement(dsa_matrix(impulses(fitted(3, rtol, seed)), draws=8, tolerance=1e-7))  # noqa: E731
    here, pairs = fitted(3, 1e-12), list(zip(*np.triu_indices(NETWORKS, 1), strict=True))
    ambient = agreement(dsa_matrix(impulses(here), by=Ambient(), draws=8))
    signed = lambda i, j: permutation_distance(here[i][1], here[j][1], by=SignedPermutations()).relative  # noqa: E731
    weights = np.array([1 - signed(*pair) ** 2 for pair in pairs])
    rivals = {
        "in the coordinates of the units": lambda: ambient,
        "as their weights, up to permutation and signs": lambda: weights,
    }
    claim = "minimal fits of linear networks share their dynamics, not their weights"
    law, judge, drawn = lambda: np.ones(len(pairs)), Solver(rtol=1e-8), dict(y="agreement of pairs")  # noqa: E731
    confront(claim, law, run, {}, judge, rivals, labels=drawn, picture=fits_drawn(), of=pinned)


def test_larger_fits_have_many_dynamics():
    """Measured: networks that behave alike for ever differ in their dynamics as soon as units are free."""

    def run(units, seed):
        states = impulses(fitted(int(units), 1e-12, seed % 2**20))
        return float(np.median(dsa_matrix(states, by=Whitened(3), draws=4).distance[np.triu_indices(NETWORKS, 1)]))

    labels = dict(x="units n, for a task of degree 3", y="distance of dynamics (rank 3), median of pairs")
    measure("how different are the dynamics of linear networks that behave alike?", run, (3, 4, 5, 6), labels=labels)


# -- trained networks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trained", ["stored"], indirect=True)
def test_copies_of_trained_networks_are_found_out(trained):
    """A copy of a trained network with its units in another order and half of their signs changed is recognised."""
    names = ["flip1", "flip2", "flip3", "path2"]
    weights = [[effective[0] for effective, _ in trained.each(name)] for name in names]

    def recognised(seed, by):
        draw, counts = np.random.default_rng(seed), []
        for networks in weights:
            W, n = networks[0], len(networks[0])
            p, s = draw.permutation(n), draw.choice([-1.0, 1.0], n)
            match = permutation_distance((W * s[:, None] * s)[np.ix_(p, p)], W, by=by)
            counts.append((match.permutation == p).sum())
        return np.array(counts, float)

    law = lambda: np.array([len(networks[0]) for networks in weights], float)  # noqa: E731
    run, plain = lambda seed: recognised(seed, SignedPermutations()), recognised(0, Permutations())  # noqa: E731
    rivals = {"without changes of sign": lambda: plain}
    claim = "copies of trained networks in another order and with other signs are recognised"
    drawn = dict(y="units recognised")
    confront(claim, law, run, {}, Count(), rivals, labels=drawn)


@pytest.mark.parametrize("trained", ["stored"], indirect=True)
def test_turned_copies_of_trained_networks_have_their_dynamics(trained):
    """States of a trained network, turned, mirrored and in another order of units, have distance 0 from themselves."""
    names = ["flip2", "flip3", "delay", "lorenz"]

    def courses(name):
        x, _, _ = trained(name)[0].task.trials(20, 99)
        return [along(x).swapaxes(0, 1) for _, along in islice(trained.each(name), 2)]

    states = [courses(name) for name in names]
    alike = lambda x, y, tolerance: 1 - dsa(x, y, by=Ambient(8), draws=4, tolerance=tolerance).relative ** 2  # noqa: E731

    def run(tolerance, seed):
        draw, found = np.random.default_rng(seed), []
        for x, _ in states:
            n = x.shape[2]
            turn = np.linalg.qr(draw.normal(size=(n, n)))[0] * draw.choice([-1.0, 1.0], n)
            found.append(alike(x, (x @ turn)[..., draw.permutation(n)], tolerance))
        return np.array(found)

    others = np.array([alike(x, y, 1e-4) for x, y in states])
    rivals = {"as another network that has learnt the same": lambda: others}
    claim = "turned and reordered copies of trained networks have the same dynamics"
    law, drawn = lambda: np.ones(len(names)), dict(y="agreement with the copy (rank 8)")  # noqa: E731
    confront(claim, law, run, {}, Solver(rtol=1e-6), rivals, labels=drawn)


@pytest.mark.parametrize("trained", ["stored"], indirect=True)
def test_ranks_and_delays(trained):
    """Measured: how the degeneracy of trained flip-flops depends on rank and delays of the operators."""

    @cache
    def states(bits):
        name = f"flip{bits}"
        x, _, _ = trained(name)[0].task.trials(20, 99)
        return [along(x).swapaxes(0, 1) for _, along in trained.each(name)]

    def mean(bits, rank, delays):
        every = dsa_matrix(states(bits), by=Whitened(int(rank), delays), draws=1)
        return float(every.distance[np.triu_indices(len(every.distance), 1)].mean())

    ranks = [3, 5, 8, 12]
    lines = [
        Series("rival", ranks, [mean(bits, r, delays) for r in ranks],
               f"{bits} bit{'s' * (bits > 1)}, {delays} delay{'s' * (delays > 1)}")
        for bits in (1, 3) for delays in (1, 3)
    ]  # fmt: skip
    picture = Panel("rank of the operators", "mean distance of pairs of networks", tuple(lines))
    levels = (1, 2, 3)

    def pair(bits, seed):
        i, j = np.random.default_rng([seed, int(bits)]).choice(8, 2, replace=False)
        return dsa(states(int(bits))[i], states(int(bits))[j], by=Whitened(8), draws=1).distance

    labels, what = dict(x="bits N", y="distance of two networks, rank 8"), "the 28 pairs of eight networks"
    said = "how far apart are the dynamics of two flip-flops?"
    measure(said, pair, levels, runs=8, labels=labels, picture=picture, redrawn=what)


def test_untrained_weights():
    """Measured: the distance of untrained weights of variance 1/n, divided by n^2 as is published: that alone falls."""
    sizes = (8, 16, 32, 64)

    def run(n, seed):
        W1, W2 = np.random.default_rng([seed, int(n)]).normal(size=(2, int(n), int(n))) / n**0.5
        return permutation_distance(W1, W2, starts=1).distance / n**2

    bound = [permutation_bound(n, n**-0.5) ** 0.5 / n**2 for n in sizes]
    unaligned = [(2 * n) ** 0.5 / n**2 for n in sizes]
    series = Series("law", list(sizes), bound, "below this no mean can be"), Series(
        "rival", list(sizes), unaligned, "as they stand")  # fmt: skip
    picture = Panel("units n", "distance over n²", series, "xy")
    labels = dict(x="units n", y="distance of untrained weights over n²")
    what = "how does the permutation distance of untrained weights over n² depend on their number?"
    measure(what, run, sizes, labels=labels, log="xy", picture=picture)
