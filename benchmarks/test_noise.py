"""The exact noisy loss and its gradient, against sampling the noise: python -m pytest benchmarks/test_noise.py -n 0.

One exact evaluation at B = 256, 144 inputs, 256 units, float64, one core; one sampled step; and how many sampled
steps the same accuracy of the gradient takes.
"""

import pytest
import torch

from numerics import noise
from numerics.marginalised import marginalised_loss

SIGMA = 0.5
start = noise.initial(144, 256, seed=1)
x = torch.randn(256, 144, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def gradient(objective, seed=0):
    """The gradient of an objective, in one row."""
    leaves = [w.clone().requires_grad_() for w in start.weights]
    generator = torch.Generator().manual_seed(seed)
    loss = objective(start.with_weights(leaves), x, x, 1.0, generator)
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, leaves)])


@pytest.fixture(autouse=True)
def one_core():
    """Measured on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_exact(benchmark):
    """Forward and backward of the exact loss, each covariance to 1e-9."""
    found = benchmark(gradient, noise.Marginalised(SIGMA))
    assert bool(torch.isfinite(found).all())


def test_sampled(benchmark):
    """Forward and backward of the loss with one draw of noise; and the draws that 1e-4 of the gradient takes."""
    exact = gradient(noise.Marginalised(SIGMA))
    errors = torch.stack([gradient(noise.Sampled(noise.Gaussian(SIGMA)), seed) - exact for seed in range(20)])
    relative = float((errors.square().sum(1).mean() / exact.square().sum()).sqrt())
    benchmark.extra_info["draws for a relative gradient error of 1e-4"] = round((relative / 1e-4) ** 2)
    benchmark(gradient, noise.Sampled(noise.Gaussian(SIGMA)))


def test_value_of_the_exact_loss():
    """A coarser bound on the error changes the loss by no more than it says."""
    losses = [float(marginalised_loss(x, *start.weights, SIGMA, error=error)) for error in (1e-6, 1e-9)]
    s = SIGMA * start.W_e.norm(dim=1)
    gram = (start.W_d.T @ start.W_d).abs() * s[:, None] * s
    assert abs(losses[0] - losses[1]) <= 1e-6 * float(gram.sum())
