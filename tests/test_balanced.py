"""Balanced networks: derivation, regimes, forgetting, arguments and data; the digits of the solution have a file."""

import numpy as np
import pytest

from laws import proof
from numerics import balanced as nets
from theory.balanced import (
    balance,
    continual,
    final_movement,
    forgetting,
    is_obstructed,
    kernel_distance,
    loss,
    matrix_steps,
    network_map,
    ntk,
    plateau,
    regime,
    solution,
)

EPS = np.finfo(float).eps


def test_zero_weights_stay():
    """From the saddle at zero nothing moves."""
    assert not solution(np.zeros((2, 3)), np.zeros((4, 2)), np.ones((4, 3)), [0.0, 10.0]).any()


def test_matrix_steps():
    """Every step from the loss to the solution and to the slides' (13)-(15) holds in a 3-2-2 network, lambda = -4."""
    assert all(proof.proves(step, wanted=1) for step in matrix_steps(3, 2, 2, -4))


def test_kernel_is_the_kernel_of_its_layers():
    """The kernel's distance, from traces alone, is that of the whole kernel on a white set of inputs."""
    W1, W2, sigma = nets.problem(3, 2, 4, 1.7)
    times = np.array([0.0, 0.5, 3.0])
    K = ntk(W1, W2, sigma, times, np.eye(3))
    whole = nets.kernel_distance(K[0], K)
    np.testing.assert_allclose(kernel_distance(W1, W2, sigma, times), whole, rtol=0, atol=2 * K[0].size * EPS)


@pytest.mark.parametrize("shape", [(2, 2, 4, 1), (4, 2, 3, -1), (3, 2, 4, 1), (2, 3, 5, 1), (3, 3, 3, 1), (4, 3, 3, 1)])
def test_final_movement(shape):
    """As |lambda| grows the kernel moves by the angle of the limit, in the end at first order in 1/lambda.

    Of lazy networks it stays, at second order.
    """
    frames, lazy = [nets.problem(*shape[:3], shape[3] * lam) for lam in (1e3, 2e3, 4e3)], regime(*shape) == "lazy"
    gaps = [abs(kernel_distance(*one, [1e8])[0] - final_movement(*one)) for one in frames]
    assert np.all(np.abs(np.log2(np.divide(gaps[:-1], gaps[1:])) - (2 if lazy else 1)) < 1 / 4)
    error = 8 * sum(shape[:3]) * EPS  # of eight factorisations, with sums of so many terms
    assert lazy == (final_movement(*frames[0]) <= error)
    flat = plateau(*frames[0]) <= (error * np.linalg.norm(frames[0][2])) ** 2
    assert lazy == (flat or shape[0] > shape[1] == shape[2])


def test_every_shape_has_its_regime():
    """Rich at lambda = 0; else lazy where the large layer is square, delayed where it is not, or impossible."""
    assert regime(3, 2, 4, 0.0) == "rich" and regime(2, 3, 3, 1.0) == "lazy" == regime(3, 3, 2, -1.0)
    assert regime(3, 2, 4, 1.0) == "delayed rich" == regime(3, 2, 4, -1.0)
    with pytest.raises(ValueError, match="Nh = 4 > No = 3"):
        regime(5, 4, 3, 1.0)
    with pytest.raises(ValueError, match="Ni = 0"):
        regime(0, 4, 3, 1.0)


def test_obstruction_needs_square_zero_balance():
    """Only zero-balanced square networks can be obstructed; others are refused, with the reason."""
    W1, W2, sigma = nets.problem(2, 2, 2, 0.0)
    swapped = sigma[::-1]
    assert is_obstructed(W1, W2, sigma) != is_obstructed(W1, W2, swapped)
    stuck = sigma if is_obstructed(W1, W2, sigma) else swapped
    free, saddle = sigma if stuck is swapped else swapped, np.linalg.svd(stuck)[1][-1] ** 2 / 2
    for task, end in ((free, 0.0), (stuck, saddle)):  # the next as long time moves the loss less than the one before
        early, late = loss(W1, W2, task, [7.0, 14.0])
        assert abs(late - end) < early - late < saddle
    with pytest.raises(ValueError, match="zero-balanced"):
        is_obstructed(*nets.problem(2, 2, 2, 0.5))
    with pytest.raises(ValueError, match="Ni = No <= Nh"):
        is_obstructed(*nets.problem(2, 2, 3, 0.0))


W1, W2, sigma = nets.problem(3, 2, 4, 0.5)


def test_loss_with_covariance():
    """With inputs of variance c the loss is that of the network sqrt(c) W with white inputs, divided by c."""
    c, times = 0.6, [0.0, 0.7, 2.0]
    root = np.sqrt(c)
    scaled = loss(root * W1, root * W2, sigma, times) / c
    error = 8 * (3 + 2 + 4) * EPS * np.linalg.norm(sigma) ** 2 / c  # of eight products and factorisations
    np.testing.assert_allclose(loss(W1, W2, sigma, times, input_covariance=c), scaled, rtol=0, atol=error)


@pytest.mark.parametrize(
    ("what", "shape"),
    [
        (lambda c: solution(W1, W2, sigma, [0.0, 0.7], input_covariance=c), (2, 7, 7)),
        (lambda c: network_map(W1, W2, sigma, [0.0, 0.7], input_covariance=c), (2, 4, 3)),
        (lambda c: loss(W1, W2, sigma, [0.0, 0.7], input_covariance=c), (2,)),
        (lambda c: ntk(W1, W2, sigma, [0.7], np.ones((3, 1)), input_covariance=c), (1, 4, 4)),
        (lambda c: plateau(W1, W2, sigma, input_covariance=c), ()),
        (lambda c: continual(W1, W2, [sigma], [0.7], points=2, input_covariance=c).losses, (1, 1, 2)),
        (lambda c: forgetting(sigma, 2 * sigma, -sigma, input_covariance=c), ()),
    ],
)
def test_covariance_as_number_or_matrix(what, shape):
    """Everything that takes <x x^T> = c I says the same of c and of the matrix, and heeds it."""
    one, same, white = what(0.6), what(0.6 * np.eye(3)), what(1.0)
    assert np.shape(one) == np.shape(same) == shape
    assert np.array_equal(one, same) and np.isfinite(one).all()
    assert np.abs(one - white).max() > np.abs(white).max() / 100


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: solution(1.1 * W1, W2, sigma, [1.0]), r"not balanced: .* defect of norm 0\.\d+"),
        (lambda: solution(W1, W2[:, :1], sigma, [1.0]), "W1 has 2 hidden units, W2 has 1"),
        (lambda: solution(W1, W2, sigma.T, [1.0]), r"sigma_yx has shape \(3, 4\)"),
        (lambda: solution(W1[0], W2, sigma, [1.0]), "W1 must be a matrix"),
        (lambda: solution(W1, W2, sigma, 1.0), "times must be a row"),
        (lambda: solution(W1, W2, sigma, []), "times must be a row"),
        (lambda: solution(W1, W2, sigma, [-1.0]), "times = -1.0 is negative"),
        (lambda: solution(W1, W2, sigma, [np.nan]), "times = nan is not finite"),
        (lambda: solution(W1, W2, sigma, [1.0], tau=0.0), "tau = 0.0 must be one positive number"),
        (lambda: solution(W1, W2, sigma, [1.0], tau="1"), "tau = "),
        (lambda: solution(W1, W2, 1j * sigma, [1.0]), "is of type complex128"),
        (lambda: solution(W1, W2, sigma, [1.0], input_covariance=-0.6), "input_covariance = .* positive"),
        (lambda: solution(W1, W2, sigma, [1.0], input_covariance=np.diag([2.0, 1.0, 0.5])), "not white"),
        (lambda: ntk(W1, W2, sigma, [1.0], np.ones((2, 5))), r"inputs have shape \(2, 5\), not \(3, n\)"),
        (lambda: continual(W1, W2, [sigma], [1.0, 2.0]), "1 positive numbers are needed"),
        (lambda: continual(W1, W2, [sigma], [1.0], points=1), "points = 1"),
        (lambda: forgetting(sigma, sigma, sigma.T), "have shapes"),
        (lambda: plateau(*nets.problem(3, 2, 4, 0.0)), "neither layer is large"),
        (lambda: balance(W1, W2 + 1e-9), "not balanced"),
        (lambda: nets.balanced(5, 4, 3, 1.0, scale=0.5, seed=1), "lam = 1 needs Nh <= No"),
        (lambda: nets.balanced(3, 4, 5, -1.0, scale=0.5, seed=1), "lam = -1 needs Nh <= Ni"),
        (lambda: nets.correlation(3, 2, [1.0, 2.0, 3.0], seed=1), "one to 2 numbers"),
        (lambda: nets.data([1.0, 2.0], seed=1), "sigma must be a matrix"),
    ],
)  # fmt: skip
def test_bad_arguments(call, says):
    """Each bad argument is refused by name, with what is wrong with it."""
    with pytest.raises((ValueError, TypeError), match=says):
        call()


def test_data_are_what_they_say():
    """The inputs are white and the correlation is the one asked for, to round-off."""
    on = nets.data(sigma, seed=4)
    operations = 2 * len(on.x)  # a frame, and an average over the examples
    assert np.abs(on.correlation - sigma).max() <= operations * EPS * (1 + np.abs(sigma).max())
    assert np.abs((on.x.T @ on.x / len(on.x)).numpy() - np.eye(3)).max() <= operations * EPS


def test_balanced_weights_are_balanced_and_uniform():
    """Random balanced weights have their balance to round-off, and determinants of either sign."""
    draws = [nets.balanced(3, 3, 3, 0.0, scale=0.7, seed=k) for k in range(60)]
    signs = [float((w[1] @ w[0]).det()) > 0 for w in draws]
    assert 15 < sum(signs) < 45  # a fair coin leaves this range once in 16,000
    assert all(balance(*(x.numpy() for x in w)) == 0 for w in draws)
    first, last = (x.numpy() for x in nets.balanced(5, 3, 4, -2.5, scale=0.3, seed=1))
    rounding = 2 * (5 + 3 + 4) * EPS * (np.sum(first**2) + np.sum(last**2))  # both are made, and summed
    assert balance(first, last) == pytest.approx(-2.5, rel=0, abs=rounding)
