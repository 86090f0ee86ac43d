"""Digits as they are: their averages, their modes in white units, and what is refused."""

import numpy as np
import pytest
import torch

from numerics import anisotropic

EPS = np.finfo(float).eps
task = anisotropic.classes(6)
ones = [torch.ones(2, 6, dtype=torch.float64), torch.ones(10, 2, dtype=torch.float64)]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: anisotropic.components(0), "count = 0"),
        (lambda: anisotropic.components(63), "only 61"),
        (lambda: anisotropic.aligned(torch.eye(3), torch.eye(3), 0.1, hidden=2), "as many units"),
        (lambda: anisotropic.aligned(torch.eye(3), torch.eye(3), 0.0, hidden=3), "a0 > 0"),
        (
            lambda: anisotropic.train_preconditioned(task, ones, [9.0], 9.0),
            "too large",
        ),
        (
            lambda: anisotropic.train_preconditioned(task, ones, [0.15], 0.1),
            "multiple",
        ),
    ],
)
def test_bad_anisotropy(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_inputs_are_not_white():
    """The components keep their variances, on axes that are none of them."""
    covariance = task.covariance.numpy()
    values = np.linalg.eigvalsh(covariance)
    assert values[-1] > 2.5 * values[0] and np.abs(covariance - np.diag(np.diag(covariance))).max() > 0.1 * values[-1]
    root = anisotropic.white_root(task).numpy()
    rounding = 4 * len(root) * EPS * values[-1]  # sums of six terms, in the root and in its square
    np.testing.assert_allclose(root @ root, covariance, rtol=0, atol=rounding)


def test_modes_in_white_units():
    """U diag(z) V^T times the root of the covariance is the correlation."""
    U, z, V = (m.numpy() for m in anisotropic.modes(task))
    root, correlation = anisotropic.white_root(task).numpy(), task.correlation.numpy()
    rounding = 4 * len(root) * EPS * np.linalg.cond(root) * np.linalg.norm(correlation)  # the root was divided by
    np.testing.assert_allclose(U * z @ V.T @ root, correlation, rtol=0, atol=rounding)


def test_one_preconditioned_step():
    """The first layer moves by its gradient over the covariance, the second by its gradient."""
    first = torch.randn(2, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    second = torch.randn(10, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    moved = anisotropic.train_preconditioned(task, [first, second], [0.01], 0.01)[0]
    error = task.correlation - second @ first @ task.covariance
    expected = (second + 0.01 * error @ first.T) @ (first + 0.01 * second.T @ error @ torch.linalg.inv(task.covariance))
    rounding = 4 * len(task.covariance) * EPS * torch.linalg.cond(task.covariance) * expected.abs().max()
    np.testing.assert_allclose(moved, expected.numpy(), rtol=0, atol=float(rounding))
