"""The exact solution of balanced networks keeps its digits, on all shapes and balances, at any time.

The truth is equation (6) in rigorous balls, with as many bits as e^(2 |F| t) takes.  An error is explained by
`operations` roundings, 1 + condition times over: the solution is made of eight matrix products and factorisations,
whose sums have at most Ni + Nh + No terms each.
"""

import numpy as np
import pytest
from flint import acb_mat, arb, arb_mat, ctx

from numerics import balanced as nets
from theory.balanced import balance, continual, forgetting, loss, network_map, partitioned, solution
from theory.balanced._between import interpolated

EPS = np.finfo(float).eps
SHAPES = [(2, 2, 2), (3, 2, 4), (4, 2, 3), (3, 3, 5), (5, 3, 3), (3, 5, 4), (4, 1, 2), (2, 2, 5), (1, 1, 2), (4, 6, 2)]
SHAPES += [(9, 9, 2), (2, 11, 3), (9, 3, 2), (2, 3, 9)]  # more hidden units, and fewer, than the task has modes
BALANCES = [0.0, 1e-9, 0.5, -0.5, 3.0, -8.0, 8.0]
CASES = [
    (*shape, lam)
    for shape in SHAPES
    for lam in BALANCES
    if not (lam > 0 and shape[1] > shape[2]) and not (lam < 0 and shape[1] > shape[0])
]
CASES += [(12, 10, 4, -8.0), (2, 3, 14, 8.0), (14, 3, 2, -8.0)]
TIMES = np.array([0.0, 0.02, 0.4, 2.0, 9.0, 60.0, 400.0])


def exact(W1, W2, sigma, times):
    """Equation (6) in balls, from the modes of the task and what is orthogonal to them."""
    (Nh, Ni), No, found = W1.shape, len(W2), []
    lam = (np.sum(W2**2) - np.sum(W1**2)) / Nh
    bits = lambda t: int(192 + 6 * np.hypot(np.linalg.norm(sigma, 2), lam / 2) * t)  # noqa: E731
    with ctx.workprec(bits(max(times))):
        half, Q = half_balance(W1, W2), arb_mat(np.vstack([W1.T, W2]).tolist())
        parts = [(w, o * o.transpose() * Q) for w, o in eigenvectors(sigma, half)]
        parts.append((half if No > Ni else -half, Q - sum((part for _, part in parts), 0 * Q)))
    for t in times:
        with ctx.workprec(bits(t)):
            found.append(centres(at(arb(t), parts, Nh)))
    return np.array(found)


def at(t, parts, Nh):
    """Equation (6) at one time, from eigenvalues of F and what Q holds of their eigenspaces."""
    A, Z = arb_mat(np.eye(Nh).tolist()), 0 * parts[0][1]
    for w, part in parts:
        A += part.transpose() * part * (t if w.contains(0) else (2 * w * t).expm1() / (2 * w))
        Z += part * (w * t).exp()
    return Z * A.solve(Z.transpose())


def by_exponential(W1, W2, sigma, t):
    """Equation (6) in balls as it stands."""
    (Nh, Ni), No, half = W1.shape, len(W2), half_balance(W1, W2)
    n, Q = Ni + No, arb_mat(np.vstack([W1.T, W2]).tolist())
    twice = arb_mat(2 * n, 2 * n)
    for i in range(n):  # the exponential of [[2 F, I], [0, 0]] t holds the integral of that of 2 F t
        twice[i, i], twice[i, n + i] = -2 * half if i < Ni else 2 * half, 1
    for i, j in np.ndindex(No, Ni):
        twice[Ni + i, j] = twice[j, Ni + i] = 2 * arb(sigma[i, j])
    whole, half_way = (twice * t).exp().table(), (twice * t / 2).exp().table()
    reach, Z = arb_mat([row[n:] for row in whole[:n]]), arb_mat([row[:n] for row in half_way[:n]]) * Q
    return Z * (arb_mat(np.eye(Nh).tolist()) + Q.transpose() * reach * Q).solve(Z.transpose())


def half_balance(W1, W2):
    """Lambda/2 of the floats, in a ball."""
    first, last = arb_mat(W1.tolist()), arb_mat(W2.tolist())
    difference = last.transpose() * last - first * first.transpose()
    return sum((difference[i, i] for i in range(len(W1))), arb(0)) / (2 * len(W1))


def eigenvectors(sigma, half):
    """Eigenvalues +-S_l and eigenvectors of F, for all modes of the task."""
    No, Ni = sigma.shape
    S = arb_mat(sigma.tolist())
    squares, vectors = acb_mat(S * S.transpose() if No <= Ni else S.transpose() * S).eig(right=True)
    for k, square in enumerate(squares):
        s, x = square.real.sqrt(), arb_mat([[vectors[i, k].real] for i in range(len(squares))])
        u, v = (x, S.transpose() * x * (1 / s)) if No <= Ni else (S * x * (1 / s), x)
        for w in ((s * s + half * half).sqrt(), -(s * s + half * half).sqrt()):
            row = [v[i, 0] * s for i in range(Ni)] + [u[i, 0] * (w + half) for i in range(No)]
            size = sum((z * z for z in row), arb(0)).sqrt()
            yield w, arb_mat([[z / size] for z in row])


def centres(P):
    """The entries of a matrix of balls, which must be small."""
    assert all(ball.rad() < EPS**2 * (1 + abs(ball.mid())) for ball in P.entries())
    return [[float(P[i, j].mid()) for j in range(P.ncols())] for i in range(P.nrows())]


def condition(W1, W2, sigma, times):
    """How much the exact solution moves, relative to its largest entry, per relative change of all arguments."""
    nudge, draw = 1e-12, np.random.default_rng(0)
    moved = [x * (1 + nudge * draw.choice([-1.0, 1.0], size=x.shape)) for x in (W1, W2, sigma)]
    base = exact(W1, W2, sigma, times)
    return np.abs(exact(*moved, times) - base).max((1, 2)) / np.abs(base).max((1, 2)) / nudge


def operations(W1, W2):
    """How many roundings eight matrix products or factorisations make, with sums of at most Ni + Nh + No terms."""
    return 8 * (sum(W1.shape) + len(W2))


def explained(W1, W2, sigma, times):
    """The relative error that rounding explains at each time."""
    settled = np.minimum(times, 9.0)  # later the condition number stays, and costs many bits
    return operations(W1, W2) * EPS * (1 + condition(W1, W2, sigma, settled))


def error(found, truth):
    """The largest error at each time, relative to the largest entry."""
    return np.abs(found - truth).max((1, 2)) / np.abs(truth).max((1, 2))


def test_truth_is_equation_6():
    """What the truth takes from the modes of the task is equation (6) with the exponential of F itself."""
    for case in ((3, 2, 4, 0.5), (4, 2, 3, -0.5), (3, 3, 3, 0.0)):
        W1, W2, sigma = nets.problem(*case)
        with ctx.workprec(200):
            P = centres(by_exponential(W1, W2, sigma, arb(2)))
        assert error(np.array([P]), exact(W1, W2, sigma, [2.0]))[0] <= 2 * EPS


def test_the_start_is_the_start():
    """At time 0 the solution is Q Q^T of the given weights, whatever the order of the times."""
    W1, W2, sigma = nets.problem(3, 2, 4, 0.5)
    Q = np.vstack([W1.T, W2])
    P = solution(W1, W2, sigma, [2.0, 0.0, 2.0])
    np.testing.assert_allclose(P[1], Q @ Q.T, rtol=0, atol=3 * operations(W1, W2) * EPS * np.linalg.norm(Q) ** 2)
    assert np.array_equal(P[0], P[2]) and np.array_equal(P, solution(W1, W2, sigma, [2.0, 0.0, 2.0]))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_digits_up_to_late_times(case):
    """On all shapes and balances the solution keeps its digits up to t = 400, but for its condition number."""
    arguments = (*nets.problem(*case), TIMES)
    errors = error(solution(*arguments), exact(*arguments))
    assert np.all(errors <= explained(*arguments))


@pytest.mark.parametrize("case", [(3, 2, 4, 0.5), (9, 9, 2, -0.5), (2, 11, 3, 0.0), (2, 3, 9, 8.0)], ids=str)
def test_a_thousand_times(case):
    """Among a thousand times, in any order, each is as accurate as alone."""
    times = np.random.default_rng(1).permutation(np.linspace(0.0, 20.0, 1000))
    arguments, some = nets.problem(*case), slice(0, 1000, 60)
    errors = error(solution(*arguments, times)[some], exact(*arguments, times[some]))
    assert np.all(errors <= explained(*arguments, times[some]))


@pytest.mark.parametrize(
    ("curve", "share"), [(np.cos, 0.5), (lambda t: np.abs(t / 20 - 0.155), 2.0)], ids=["smooth", "bent"]
)
def test_only_what_is_smooth_is_interpolated(curve, share):
    """A smooth curve takes few evaluations at many times, and keeps its digits; one with a corner keeps them too."""
    times, taken = np.random.default_rng(2).uniform(0.0, 20.0, 1000), []
    times[7] = times[5]

    def evaluate(t):
        taken.append(len(t))
        return curve(t)[:, None], np.ones(len(t))

    found = interpolated(times, evaluate, 8 * EPS)[:, 0]
    assert np.abs(found - curve(times)).max() <= (8 + 20) * EPS  # the last coefficients', and that of the times
    assert sum(taken) < share * len(times) and found[7] == found[5]


@pytest.mark.parametrize("scale", [1e-6, 20.0])
def test_weights_of_any_size_keep_their_digits(scale):
    """From weights of size 1e-6 or 20 the solution is as accurate, relative to its own size."""
    arguments = (*nets.problem(3, 2, 4, 0.0, scale=scale), TIMES[1:5])
    assert np.all(error(solution(*arguments), exact(*arguments)) <= explained(*arguments))


@pytest.mark.parametrize("case", [(3, 2, 4, 0.5), (4, 2, 3, -0.5), (3, 3, 3, 2.0), (2, 2, 5, 0.0)], ids=str)
def test_any_time(case):
    """At t = 1e4, where e^(2 F t) has thousands of digits, P is stationary and no entry has overflowed."""
    W1, W2, sigma = nets.problem(*case)
    P = solution(W1, W2, sigma, [1e4, 1e5])
    lam, (No, Ni) = balance(W1, W2), sigma.shape
    F = np.block([[-lam / 2 * np.eye(Ni), sigma.T], [sigma, lam / 2 * np.eye(No)]])
    bound, size = (Ni + No) * explained(W1, W2, sigma, [400.0])[0], np.linalg.norm(P[0])
    assert np.linalg.norm(F @ P[0] + P[0] @ F - P[0] @ P[0]) <= bound * 2 * (np.linalg.norm(F) + size) * size
    assert np.linalg.norm(P[1] - P[0]) <= 2 * bound * size
    learnt = loss(W1, W2, sigma, [1e4])[0] <= (bound * size) ** 2
    assert learnt or case[1] < min(case[0], case[2])


@pytest.mark.parametrize("case", [(3, 3, 5, 1.3), (5, 3, 3, -1.3), (3, 2, 5, -0.9), (3, 3, 3, 0.7), (2, 2, 4, 0.0)])
def test_partitioned_form(case):
    """The slides' partition equals the stable form while float64 allows, and fails later, by what it cancels."""
    W1, W2, sigma = nets.problem(*case)
    _, S, _ = np.linalg.svd(sigma)
    early, late = np.array([0.1, 0.5, 1.0]), np.array([709 / S[0]])
    cancelled = np.exp(2 * np.hypot(S[0], case[3] / 2) * early)
    bound = cancelled * explained(W1, W2, sigma, early)
    assert np.all(error(partitioned(W1, W2, sigma, early), exact(W1, W2, sigma, early)) <= bound)
    wrong = partitioned(W1, W2, sigma, late)
    assert not error(wrong, solution(W1, W2, sigma, late))[0] < np.sqrt(EPS)


def test_scalar_covariance_rescales():
    """Inputs of variance c are white inputs in sqrt(c) W; a multiple of the identity may be given as a matrix."""
    W1, W2, sigma = nets.problem(3, 2, 4, 0.5)
    root, times = np.sqrt(0.6), TIMES[:4]
    scaled = (root * W1, root * W2, sigma, times)
    one = solution(W1, W2, sigma, times, input_covariance=0.6)
    assert np.all(error(one, solution(*scaled) / 0.6) <= 2 * explained(*scaled))
    assert np.array_equal(one, solution(W1, W2, sigma, times, input_covariance=0.6 * np.eye(3)))
    slow = solution(W1, W2, sigma, 1.3 * times, tau=1.3)
    assert np.all(error(slow, solution(W1, W2, sigma, times)) <= 2 * explained(W1, W2, sigma, times))


def test_a_mode_that_is_not_there_never_grows():
    """Weights without any part in the strongest mode learn the next ones, and stay stable in float64."""
    W, sigma, times = np.diag([0.0, 0.5, 0.3]), np.diag([1.7, 1.2, 0.8]), [0.0, 5.0, 300.0]
    M = network_map(W, W, sigma, times)
    bound = explained(W, W, sigma, times)[2]
    np.testing.assert_allclose(M[2], np.diag([0.0, 1.2, 0.8]), rtol=0, atol=1.2 * bound)


def test_continual_learning_forgets_as_the_law_says():
    """Once learnt to the end, each new task costs the earlier one what the distances of the tasks say."""
    W1, W2, _ = nets.problem(4, 3, 3, -0.6)
    draw = np.random.default_rng(5)
    tasks = [nets.correlation(4, 3, [1.7, 1.2, 0.8], seed=int(k)) for k in draw.integers(1000, size=3)]
    found = continual(W1, W2, tasks, [200.0, 200.0, 200.0], points=3)
    assert found.P.shape == (3, 3, 7, 7) and found.losses.shape == (3, 3, 3) and found.times[2, -1] == 600
    bound = sum(explained(W1, W2, task, [200.0])[0] * 4 * np.linalg.norm(task) ** 2 for task in tasks)
    for k in (0, 1):
        rise = found.losses[k, 2, -1] - found.losses[k, 1, -1]
        assert abs(rise - forgetting(tasks[k], tasks[1], tasks[2])) <= bound
    assert error(found.P[1, :1], found.P[0, -1:])[0] <= explained(W1, W2, tasks[0], [200.0])[0]
