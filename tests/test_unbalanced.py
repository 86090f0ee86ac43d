"""The neuron with unequal layers conserves its imbalance, and refuses what it cannot be."""

import numpy as np
import pytest

from numerics import landscape, unbalanced
from theory.unbalanced import early_alignment, kernel_similarity, kernel_size, turning

task = landscape.task([1.7], 0.6, inputs=4, outputs=1)
two_outputs = landscape.task([1.7, 0.9], 0.6, inputs=4, outputs=2)
neuron = dict(a=1.0, w=0.5, theta0=0.9, s=1.7, lam=0.6, eta_a=0.7, eta_w=1.6, inputs=4)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: unbalanced.flow(task, 0.3, [1.0, 2.0], [1.0]), "w has shape"),
        (lambda: unbalanced.flow(task, np.nan, np.ones(4), [1.0]), "a = nan"),
        (lambda: unbalanced.flow(task, 0.3, np.ones(4), [1.0], rates=(0.0, 1.0)), "eta_a = 0.0"),
        (lambda: unbalanced.flow(task, 0.3, np.ones(4), [1.0], rates=(1.0, -1.0)), "eta_w = -1.0"),
        (lambda: unbalanced.flow(task, 0.3, np.ones(4), [2.0, 1.0]), "increase"),
        (lambda: unbalanced.flow(task, 0.0, np.zeros(4), [1.0]), "saddle"),
        (lambda: unbalanced.start(two_outputs, along=0.1, across=0.1), "one output"),
        (lambda: kernel_similarity(**{**neuron, "a": 0.0, "w": 0.0}), "of some size"),
        (lambda: kernel_similarity(**{**neuron, "lam": -0.6}), "r > 0"),
        (lambda: kernel_similarity(**{**neuron, "inputs": 0}), "inputs = 0"),
        (lambda: kernel_size(delta=1.0, eta_a=0.0, eta_w=1.0, r=1.0), "eta_a > 0"),
        (lambda: early_alignment(t=1.0, s=1.7, eta_a=1.0, eta_w=1.0, a=0.1, w_par=0.1, w_perp=0.0), "w_perp > 0"),
        (lambda: turning(T=1.0, s=1.7, lam=0.6, eta_a=1.0, eta_w=1.0, theta0=1.6), "right angle"),
    ],
)
def test_bad_neurons(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_imbalance_is_conserved():
    """eta_w a^2 - eta_a |w|^2 stays, and each layer really has its own rate."""
    rates, w = (0.7, 1.6), unbalanced.start(task, along=0.2, across=-0.4)
    flows = [unbalanced.flow(task, 0.5, w, np.linspace(0, 4, 9), rates=rates, rtol=rtol) for rtol in (1e-10, 1e-12)]
    rough, imbalance = (rates[1] * a**2 - rates[0] * (first**2).sum(1) for a, first in flows)
    assert np.max(np.abs(imbalance - imbalance[0])) <= np.max(np.abs(imbalance - rough))  # the solver against itself
    a, first = flows[1]
    assert np.ptp(a**2 - (first**2).sum(1)) > 0.1  # with equal rates this would stay


def test_the_kernel_is_that_of_the_rates():
    """The tangent kernel has the flat part eta_w a^2 and the part eta_a w w^T along the first layer."""
    a, w, rates = 0.5, unbalanced.start(task, along=0.2, across=-0.4), (0.7, 1.6)
    x = task.x.numpy()
    expected = x @ (rates[1] * a**2 * np.eye(4) + rates[0] * np.outer(w, w)) @ x.T
    rounding = 4 * (4 + 4) * np.finfo(float).eps * np.abs(expected).max()  # of sums over inputs, twice
    np.testing.assert_allclose(unbalanced.kernel(task, a, w, rates=rates), expected, rtol=0, atol=rounding)
