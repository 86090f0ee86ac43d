"""Critical points are critical, batches of networks do not mix, and what cannot be is refused by name."""

import numpy as np
import pytest
import torch

from numerics import landscape, modes
from theory.landscape import critical_loss, morse_index, waiting_time

s, lam = np.array([1.7, 0.9, 0.4]), 0.6
EPS = np.finfo(float).eps
task = landscape.task(s, lam, inputs=5, outputs=4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: landscape.task([0.4, 0.9], lam, inputs=5, outputs=4), "must fall"),
        (lambda: landscape.task([1.7, 0.9, -0.4], lam, inputs=5, outputs=4), "positive"),
        (lambda: landscape.task([1.7, 0.9, 0.4], lam, inputs=5, outputs=2), "at most 2"),
        (lambda: landscape.task([1.7], 0.0, inputs=5, outputs=2), "lam = 0.0"),
        (lambda: landscape.critical_point(task, 1, (), hidden=2), "depth = 1"),
        (lambda: landscape.critical_point(task, 2, (0, 1), hidden=1), "at most 1"),
        (lambda: landscape.critical_point(task, 2, (3,), hidden=4), "out of 3"),
        (lambda: landscape.critical_point(task, 2, (1, 1), hidden=4), "different"),
        (lambda: landscape.falling(task, landscape.critical_point(task, 2, (), hidden=2), above=-1.0), "above"),
        (lambda: landscape.half_times(3, s=1.7, lam=0.6, hidden=2, sigma=0.0, times=[1.0], seed=0), "sigma = 0.0"),
        (lambda: critical_loss([1.7, -0.4], lam, ()), "positive"),
        (lambda: critical_loss([1.7, 0.4], lam, (2,)), "modes out of 0 to 1"),
        (lambda: morse_index([0.4, 0.4], (0,), hidden=2, depth=2), "coincide"),
        (lambda: morse_index([0.9, 0.4], (0, 1), hidden=1, depth=2), "hold no 2 modes"),
        (lambda: morse_index([0.9, 0.4], (0,), hidden=2, depth=1), "depth = 1"),
        (lambda: waiting_time(t=1.0, s=1.7, lam=0.6, n=0, sigma=1e-3, tau=1.0), "n > 0"),
    ],
)
def test_bad_landscapes(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_tasks_have_their_modes():
    """Inputs are white, and the correlation has the strengths that were asked for."""
    x, y = task.x.numpy(), task.y.numpy()
    operations = 2 * len(x)  # a frame, and an average over the examples
    np.testing.assert_allclose(x.T @ x / len(x), lam * np.eye(5), rtol=0, atol=operations * EPS * lam)
    found = np.linalg.svd(y.T @ x / len(x), compute_uv=False)[:3]
    np.testing.assert_allclose(found, s, rtol=0, atol=operations * EPS * s[0])


def test_narrow_networks_have_no_free_units():
    """With as many units as learnt modes only exchanges are left: the strongest modes are then a minimum."""
    for learnt, falls in (((0, 1), 0), ((0, 2), 1), ((1, 2), 2)):
        weights = landscape.critical_point(task, 2, learnt, hidden=2)
        assert landscape.falling(task, weights) == morse_index(s, learnt, hidden=2, depth=2) == falls


def test_the_index_needs_no_balance():
    """Layers multiplied by a matrix and its inverse leave the number of ways down as it is."""
    first, second = landscape.critical_point(task, 2, (1,), hidden=4)
    turn = torch.randn(4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    skewed = [turn @ first, second @ torch.linalg.inv(turn)]
    operations = 2 * (5 + 4 + 4) + len(task.x)  # the matrix and its inverse, and an average over the examples
    assert float(landscape.slope(task, skewed)) < operations * EPS * float(torch.linalg.cond(turn)) * s[0]
    assert landscape.falling(task, skewed) == morse_index(s, (1,), hidden=4, depth=2)


def test_networks_of_a_batch_do_not_mix():
    """Two networks that go their ways together go as each alone."""
    weights, times = [modes.random(task, 2, 0.1, hidden=3, seed=seed) for seed in (1, 2)], np.linspace(0, 3, 7)
    both = [torch.stack(pair) for pair in zip(*weights, strict=True)]
    losses, slopes, _ = landscape.way(task, both, times, rtol=1e-11)
    for i, one in enumerate(weights):
        rough, fine = (landscape.way(task, one, times, rtol=rtol) for rtol in (1e-9, 1e-11))
        for together, near, alone in zip((losses, slopes), rough, fine, strict=False):
            assert np.abs(together[:, i] - alone).max() <= np.abs(near - alone).max()  # the solver against itself


def test_slow_points():
    """A slow point is where the gradient is shorter than before and after."""
    assert landscape.slow_points([3.0, 1.0, 2.0, 2.0, 1.0, 0.5]).tolist() == [1]
