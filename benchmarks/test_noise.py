"""The exact noisy loss and its gradient, against sampling the noise: python -m pytest benchmarks/test_noise.py -n 0.

One exact evaluation at B = 256, 144 inputs, 256 units, float64, one core, each covariance to 1e-9; one sampled step;
how many sampled steps the same accuracy of the gradient takes, and what they cost in exact steps.  Weights are as
drawn, or as a network has them whose fields have come in similar pairs, with correlations up to .9.
"""

import time

import pytest
import torch

from numerics import noise

SIGMA = 0.5
x = torch.randn(256, 144, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def drawn():
    """Weights as drawn."""
    return noise.initial(144, 256, seed=1)


def alike():
    """The same with encoders mixed in pairs."""
    start = drawn()
    order = torch.randperm(256, generator=torch.Generator().manual_seed(3))
    return start.with_weights([start.W_e + 0.6 * start.W_e[order], start.b_e, start.W_d, start.b_d])


def gradient(network, objective, seed=0):
    """The gradient of an objective, in one row."""
    leaves = [w.clone().requires_grad_() for w in network.weights]
    generator = torch.Generator().manual_seed(seed)
    loss = objective(network.with_weights(leaves), x, x, 1.0, generator)
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, leaves)])


def quickest(call, rounds=5):
    """Processor seconds of the quickest of some calls."""
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        seconds.append(time.process_time() - started)
    return min(seconds)


@pytest.fixture(autouse=True)
def one_core():
    """Measured on one core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("weights", [drawn, alike])
def test_exact(benchmark, weights):
    """Forward and backward of the exact loss; and how far its gradient is from one with a bound of 1e-13."""
    network = weights()
    found = benchmark(gradient, network, noise.Marginalised(SIGMA))
    finer = gradient(network, noise.Marginalised(SIGMA, error=1e-13))
    benchmark.extra_info["processor seconds"] = quickest(lambda: gradient(network, noise.Marginalised(SIGMA)))
    benchmark.extra_info["relative error of the gradient"] = float((found - finer).norm() / finer.norm())


@pytest.mark.parametrize("weights", [drawn, alike])
def test_sampled(benchmark, weights):
    """Forward and backward with one draw of noise; and what 1e-4 of the gradient costs in draws and exact steps."""
    network, sampled = weights(), noise.Sampled(noise.Gaussian(SIGMA))
    exact = gradient(network, noise.Marginalised(SIGMA))
    errors = torch.stack([gradient(network, sampled, seed) - exact for seed in range(20)])
    draws = float(errors.square().sum(1).mean() / exact.square().sum()) / 1e-4**2
    benchmark(gradient, network, sampled)
    costs = [quickest(lambda of=of: gradient(network, of)) for of in (sampled, noise.Marginalised(SIGMA))]
    benchmark.extra_info["processor seconds"] = costs[0]
    benchmark.extra_info["draws for a relative gradient error of 1e-4"] = round(draws)
    benchmark.extra_info["cost of these draws over one exact step"] = round(draws * costs[0] / costs[1])
