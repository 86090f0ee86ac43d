"""How fast recurrent networks are trained against torch's own under autograd; run by path, on a quiet machine.

Times are of the processor, one thread, single precision.  One network-step is a loss and its gradient for one network
with 3 inputs and outputs, on 64 trials of 100 steps.
"""

import time

import pytest
import torch

from numerics import rnn
from numerics.rnn import Standard, initial

pytestmark = pytest.mark.benchmark(timer=time.process_time)
TRIALS, LENGTH = 64, 100
x, y = torch.randn(2, LENGTH, TRIALS, 3, generator=torch.Generator().manual_seed(0))


def by_hand(timed, units, networks):
    """Gradients written by hand."""
    network, mask = Standard(units), torch.ones_like(y)
    weights = initial(network, 3, 3, range(networks), torch.float32)
    timed(networks, lambda: rnn.gradient(network, weights, x, y, mask))


def by_autograd(timed, units):
    """Torch's fused recurrent network and a linear readout, under autograd."""
    model, readout = torch.nn.RNN(3, units), torch.nn.Linear(units, 3)

    def run():
        torch.nn.functional.mse_loss(readout(model(x)[0]), y).backward()

    timed(1, run)


@pytest.mark.parametrize("units", [16, 32, 64, 128])
def test_rnn_autograd(timed, units):
    """One network by torch.nn.RNN."""
    by_autograd(timed, units)


@pytest.mark.parametrize("units", [16, 32, 64, 128])
def test_rnn_by_hand(timed, units):
    """One network by hand."""
    by_hand(timed, units, 1)


@pytest.mark.parametrize("units", [16, 32, 64])
def test_rnn_ensemble_by_hand(timed, units):
    """Sixteen networks by hand."""
    by_hand(timed, units, 16)
