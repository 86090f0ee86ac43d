"""How fast recurrent networks are trained against torch's own under autograd; run by path, on a quiet machine.

Times are of the processor, one thread, single precision.  One network-step is a loss and its gradient for one network
with 3 inputs and outputs, on 64 trials of 100 steps.
"""

import ctypes
import time

import pytest
import torch

from numerics import rnn
from numerics.rnn import Standard, _bptt, _compiled, initial

pytestmark = pytest.mark.benchmark(timer=time.process_time)
TRIALS, LENGTH = 64, 100
x, y = torch.randn(2, LENGTH, TRIALS, 3, generator=torch.Generator().manual_seed(0))
every_size = pytest.mark.parametrize("units", [16, 32, 64, 128])


def by_hand(timed, units, networks, gradient=rnn.gradient):
    """Gradients written by hand."""
    network, mask = Standard(units), torch.ones_like(y)
    weights = initial(network, 3, 3, range(networks), torch.float32)
    timed(networks, lambda: gradient(network, weights, x, y, mask))


@every_size
def test_rnn_autograd(timed, units):
    """One network by torch.nn.RNN, torch's fused recurrent network, and a linear readout."""
    model, readout = torch.nn.RNN(3, units), torch.nn.Linear(units, 3)

    def run():
        torch.nn.functional.mse_loss(readout(model(x)[0]), y).backward()

    timed(1, run)


@every_size
def test_rnn_torch(timed, units):
    """One network by hand in torch: what there is without a compiler."""
    by_hand(timed, units, 1, _bptt.by_torch)


@every_size
def test_rnn_compiled(timed, units):
    """One network by the kernel."""
    by_hand(timed, units, 1)


@every_size
def test_rnn_ensemble(timed, units):
    """Sixteen networks by the kernel."""
    by_hand(timed, units, 16)


def test_rnn_product(timed):
    """The ceiling of products: one large one, in units of 1e9 operations."""
    n = 1024
    left, right = torch.randn(2, n, n, generator=torch.Generator().manual_seed(1))
    timed(2 * n**3 / 1e9, lambda: left @ right, "GFLOP")


def test_rnn_tanh(timed):
    """The ceiling of activities: the kernel's tanh alone, in the first cache, in units of 1e6."""
    kernel, z, rounds = _compiled.library(), torch.randn(6400), 100
    at, count = ctypes.c_void_p(z.data_ptr()), ctypes.c_int64(len(z))

    def run():
        for _ in range(rounds):
            kernel.tanh_single(at, count)

    timed(rounds * len(z) / 1e6, run, "million tanh")
