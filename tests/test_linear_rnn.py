"""Linear recurrent networks, Lorenz rings and searches over rotations: what they refuse, and what they are."""

from itertools import combinations

import numpy as np
import pytest
import torch

from numerics import linear_rnn, lorenz, rotations
from numerics.descent import GradientDescent

EPS = np.finfo(float).eps
profile = np.array([[0.9, 0.4], [1.2, -0.3], [0.7, 0.6]])
task = linear_rnn.white(profile, inputs=3, outputs=2, seed=1)


def test_inputs_are_white():
    """Over the examples every number of every input has variance 1 and no covariance with any other."""
    rows = task.x.reshape(len(task.x), -1)
    operations = 2 * len(rows)  # a frame, and an average over the examples
    np.testing.assert_allclose(rows.T @ rows / len(rows), np.eye(9), rtol=0, atol=operations * EPS)


def test_targets_have_their_modes():
    """The correlation of targets with the input at each time has the singular values that were asked for."""
    for i in range(3):
        correlation = task.y.T @ task.x[:, i] / len(task.x)
        rounding = 2 * len(task.x) * EPS * np.abs(profile).max()
        np.testing.assert_allclose(task.U.T @ correlation @ task.V, np.diag(profile[i]), rtol=0, atol=rounding)


def test_states_follow_their_equation():
    """States are those of the recursion, with a bias too."""
    Wx, Wh, Wy, bias = linear_rnn.random(3, 4, 2, scale=0.7, bias=True, seed=3)
    h = torch.zeros(len(task.x), 4, dtype=torch.float64)
    seen = linear_rnn.states([Wx, Wh, Wy, bias], task.x)
    for i in range(3):
        h = h @ Wh.T + task.x[:, i] @ Wx.T + bias
        assert torch.equal(seen[:, i], h)


def test_training_repeats_and_starts_where_it_should():
    """The same arguments give the same bits; time 0 gives the start."""
    weights, R = linear_rnn.aligned(task, [0.3, 0.4], 0.5, [0.2, -0.6], hidden=4, seed=2)
    runs = [linear_rnn.train_modes(task, weights, R, [0.0, 0.1], GradientDescent(0.05)) for _ in range(2)]
    assert np.array_equal(*runs)
    rounding = 4 * (3 + 4 + 2) * EPS  # products with frames of three inputs, four units, two outputs
    np.testing.assert_allclose(runs[0][0], [[0.3, 0.4], [0.5, 0.5], [0.2, -0.6]], rtol=0, atol=rounding)


def test_sensitivities_are_derivatives():
    """The hand-written derivatives of Markov parameters are those of autograd."""
    row = np.random.default_rng(0).normal(size=3 * (3 + 2 + 2))
    goal = np.zeros((5, 2, 2))

    def markov(row):
        Wx, Wh, Wy = row[:6].view(3, 2), row[6:15].view(3, 3), row[15:].view(2, 3)
        found = []
        for _ in range(5):
            found.append(Wy @ Wx)
            Wx = Wh @ Wx
        return torch.stack(found).reshape(-1)

    exact, sizes = (torch.func.jacrev(markov)(torch.from_numpy(at)).numpy() for at in (row, np.abs(row)))
    operations = 2 * 5 * 3  # sums over three units, five times
    assert np.all(np.abs(linear_rnn._jacobian(row, goal, 3) - exact) <= operations * EPS * sizes)


def test_fits_fit():
    """A fit misses by less than its tolerance, whatever the seed, and repeats to the bit."""
    goal = linear_rnn.markov([[1.0], [0.4]], np.array([[0.3, 0.5], [-0.6, 0.2]]), np.array([[0.7, -0.2]]), 4)
    asked = dict(tolerance=1e-10)
    for seed in range(5):
        found = linear_rnn.fit(goal, 2, seed=seed, **asked)
        assert np.linalg.norm(linear_rnn.markov(*found, 4) - goal) <= asked["tolerance"] * np.linalg.norm(goal)
    again = linear_rnn.fit(goal, 2, seed=4, **asked)
    assert all(np.array_equal(*pair) for pair in zip(found, again, strict=True))
    with pytest.raises(ArithmeticError, match="none of 50 starts"):
        linear_rnn.fit(goal, 1, seed=0)


def test_the_tangent_is_the_derivative():
    """The linearised speed of a ring is the derivative of its speed, which is quadratic: exactly their difference."""
    x, v = np.random.default_rng(1).normal(size=(2, 3, 7))
    step = (lorenz.speed(x + v, 8.0) - lorenz.speed(x - v, 8.0)) / 2
    columns = lorenz.tangent(x, np.stack([v, 2 * v], -1))
    eps = np.finfo(float).eps * (np.abs(x).max() + np.abs(v).max() + 8) ** 2
    assert np.abs(columns[..., 0] - step).max() < 8 * eps and np.abs(columns[..., 1] - 2 * step).max() < 16 * eps


def test_exponents_of_courses_made_together():
    """They tend to those of an integrator of order 8 as the fourth power of the step."""
    start = lorenz.settled(6, 8.0, 0.05)[:1]
    exact = lorenz.exponents(start[0], 8.0, 2.0, rtol=1e-11)
    off = [np.abs(lorenz.spectra(start, 8.0, 0.025 / k, settle=0, steps=80 * k) - exact).max() for k in (1, 2, 4)]
    assert np.abs(np.log2([off[0] / off[1], off[1] / off[2]]) - 4).max() < 0.25


def test_quadratic_terms_conserve_energy():
    """Without forcing and damping the speed is at right angles to the state."""
    x = np.random.default_rng(2).normal(size=9)
    assert abs(x @ (lorenz.speed(x, 0.0) + x)) < 9 * 8 * np.finfo(float).eps * (x**2).sum()


def softest(A):
    """How far, at the least, a small turn of unit length moves an operator."""
    turns = [(np.outer(e, f) - np.outer(f, e)) / 2**0.5 for e, f in combinations(np.eye(len(A)), 2)]
    return np.linalg.svd([(S @ A - A @ S).ravel() for S in turns], compute_uv=False)[-1]


def test_rotated_copies_are_at_distance_nought():
    """A rotated or reflected copy is found to be the same, at every size that is tried."""
    draw, slope = np.random.default_rng(3), 1e-7  # at which a search ends, relative to both operators
    for n in (2, 3, 4):
        A, C = draw.normal(size=(n, n)), np.linalg.qr(draw.normal(size=(n, n)))[0]
        found = rotations.distance(A, C @ A @ C.T, starts=12, seed=n, tolerance=slope)
        assert found < slope * np.linalg.norm(A) ** 2 / (2 * softest(A))  # squares have no smaller slope farther away


def test_the_slope_is_the_steepest_descent():
    """Along its direction the squared distance falls at the rate of its square."""
    A, B = np.random.default_rng(4).normal(size=(2, 4, 4))
    S = rotations._slope(A, B)
    turned = lambda h: rotations.expm(-h * S) @ B @ rotations.expm(h * S)  # noqa: E731
    fall = lambda h: (((A - turned(-h)) ** 2).sum() - ((A - turned(h)) ** 2).sum()) / (2 * h)  # noqa: E731
    steps = 2.0 ** -np.arange(8, 11)
    errors = np.abs([fall(h) - (S**2).sum() for h in steps])
    assert np.array_equal(S, -S.T) and np.all(np.abs(np.log2(errors[:-1] / errors[1:]) - 2) < 1 / 4)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: linear_rnn.white(profile, inputs=1, outputs=2), "modes <= inputs"),
        (lambda: linear_rnn.white(profile, inputs=30, outputs=2), "examples = 60"),
        (lambda: linear_rnn.white([1.0], inputs=3, outputs=2), "s has shape"),
        (lambda: linear_rnn.digit_rows(5000), "examples = 5000"),
        (lambda: linear_rnn.aligned(task, 0.1, 0.1, 0.1, hidden=1), "hidden = 1"),
        (lambda: linear_rnn.random(3, 4, 2, scale=0.0), "scale = 0.0"),
        (lambda: linear_rnn.fit(np.zeros((3, 1, 1)), 2, seed=0), "not all 0"),
        (lambda: linear_rnn.fit(np.ones((3, 1, 1)), 2, seed=0, tolerance=2.0), "tolerance = 2.0"),
        (lambda: lorenz.simulate([1.0, 2.0], 8.0, [1.0]), "at least 4 sites"),
        (lambda: lorenz.growth(8, 1, 1.0, -0.1, 1.0), "size = -0.1"),
        (lambda: rotations.distance(np.eye(2), np.eye(3)), r"must be \(n, n\)"),
        (lambda: rotations.distance(np.eye(2), np.eye(2), tolerance=0.0), "tolerance = 0.0"),
    ],
)
def test_bad_arguments(call, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        call()
