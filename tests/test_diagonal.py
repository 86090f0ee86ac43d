"""Diagonal networks descend as u v does, their path is that of the rule, and what cannot be is refused."""

import numpy as np
import pytest
import torch

from numerics import diagonal
from numerics.descent import GradientFlow, train
from theory.diagonal import path, second_jump

EPS = np.finfo(float).eps
JUMP = 8 * EPS  # of as many roundings is each jump


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: diagonal.flow(np.ones((3, 2)), np.ones(2), 0.1, [1.0]), "x has shape"),
        (lambda: diagonal.flow(np.ones((3, 2)), np.ones(3), 0.0, [1.0]), "alpha = 0.0"),
        (lambda: diagonal.flow([[np.inf, 1.0]], [1.0], 0.1, [1.0]), "not finite"),
        (lambda: path(np.eye(2), [1.0]), "fit"),
        (lambda: path([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.5]), "positive definite"),
        (lambda: path([[1.0, 0.2], [0.3, 1.0]], [1.0, 0.5]), "symmetric"),
        (lambda: path(np.eye(2), [0.0, 0.0]), "nothing to learn"),
        (lambda: path(np.eye(2), [1.0, 0.5], threshold=0.0), "threshold = 0.0"),
        (lambda: path(np.eye(2), [1.0, 0.5], most=1), "more than 1 jumps"),
        (lambda: path([[1.0]], [0.7], most=0), "more than 0 jumps"),
        (lambda: second_jump(c1=1.7, c2=0.9, C11=1.0, C12=0.8), "still call"),
    ],
)
def test_bad_regressions(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_turned_weights_descend_as_u_v():
    """The network held in turned weights is the one of u and v, in gradient flow from u = alpha, v = 0."""
    x, y = diagonal.drawn(10, [[1.3, 0.4], [0.4, 0.8]], [1.7, -0.9], seed=0)
    times = [0.5, 1.5, 4.0]
    weights = [torch.full((2,), 0.3, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)]
    data = (torch.from_numpy(x), torch.from_numpy(y))

    def loss(w, x, y):
        return ((y - x @ (w[0] * w[1])) ** 2).mean() / 2

    ways = (
        lambda rtol: diagonal.flow(x, y, 0.3, times, rtol)[0],
        lambda rtol: train(loss, weights, times, GradientFlow(rtol), data=data, record=lambda w: w[0] * w[1]),
    )
    (rough, fine), (plain_rough, plain) = ([way(rtol) for rtol in (1e-10, 1e-12)] for way in ways)
    error = np.abs(fine - rough).max() + np.abs(plain - plain_rough).max()  # the solvers against themselves
    assert np.abs(fine - plain).max() <= error


def test_uncorrelated_inputs_enter_by_themselves():
    """Without correlations every input enters at 1/|c_i|, with its sign, and stays."""
    times, saddles = path(np.diag([0.5, 2.0, 1.0]), [0.7, -1.6, 0.3])
    np.testing.assert_allclose(times, [1 / 1.6, 1 / 0.7, 1 / 0.3], rtol=3 * JUMP)
    np.testing.assert_allclose(saddles[-1], [1.4, -0.8, 0.3], rtol=3 * JUMP)
    assert np.count_nonzero(saddles, axis=1).tolist() == [0, 1, 2, 3]


def test_as_many_jumps_as_are_allowed():
    """A path of exactly `most` jumps is found; most=1 is enough for one input."""
    times, saddles = path([[1.3]], [0.7], most=1)
    np.testing.assert_allclose(times, [1 / 0.7], rtol=JUMP)
    np.testing.assert_allclose(saddles, [[0.0], [0.7 / 1.3]], rtol=JUMP)
    assert len(path(np.diag([0.5, 2.0, 1.0]), [0.7, -1.6, 0.3], most=3)[0]) == 3


def test_an_input_may_leave_and_return():
    """Where correlations turn its sign an input falls asleep, and wakes again on the other side."""
    C = np.array([[1.0, -0.36, 0.37], [-0.36, 1.0, 0.42], [0.37, 0.42, 1.0]])
    times, saddles = path(C, [0.79, -1.37, -0.03])
    assert [tuple(np.sign(b)) for b in saddles] == [(0, 0, 0), (0, -1, 0), (1, -1, 0), (0, -1, 1), (-1, -1, 1)]
    least = np.linalg.solve(C, [0.79, -1.37, -0.03])
    rounding = len(times) * JUMP * np.linalg.cond(C) * np.abs(least).max()
    np.testing.assert_allclose(saddles[-1], least, rtol=0, atol=rounding)


def test_half_the_threshold_takes_half_the_time():
    """For u^2 - v^2 everything happens in half of the time, at the same saddles, to the bit: a half rounds nothing."""
    C, c = np.array([[1.0, 0.3], [0.3, 0.7]]), [1.1, 0.8]
    (slow, one), (fast, other) = path(C, c), path(C, c, threshold=0.5)
    assert np.array_equal(slow, 2 * fast) and np.array_equal(one, other)


def test_jumps_are_met_halfway():
    """A loss that falls in two steps has its jumps where it is halfway down each."""
    times = np.linspace(0, 20, 2001)
    step = lambda at: 1 / (1 + np.exp(-4 * (times - at)))  # noqa: E731
    beta = np.stack([step(5), 0.7 * step(12)], axis=1)
    seen = diagonal.jumps(times, beta, 2 - step(5) - 0.5 * step(12))
    between = 1.5 * np.exp(-4 * 3.5)  # what the plateau, 3.5 from both, is off; the lower step passes at speed 1/2
    np.testing.assert_allclose(seen, [5, 12], rtol=0, atol=between / 2 / 0.5)
