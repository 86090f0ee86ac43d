"""How fast noisy networks are trained, and what the machine could do; run by path, on a quiet machine.

Times are of the processor, but for the comparison of one thread with two.
One network-step is one step of one network with 10 inputs, 100 hidden units, 10 outputs and 20 samples.
"""

import ctypes
import time

import numpy as np
import pytest
import torch

from numerics.ensemble import GradientDescent, Network, UpdateNoise, _compiled, train

pytestmark = pytest.mark.benchmark(timer=time.process_time)  # which other processes disturb less
network, by = Network(10, 100, 10), GradientDescent(0.1)
NORMALS = 100 * 21  # parameters
x, y = np.random.default_rng(0).uniform(-1, 1, (2, 20, 10))


def ensemble(timed, networks=64, steps=10_000, shape=network, data=(x, y), noise=UpdateNoise(1e-3), **more):  # noqa: B008
    """Time the training of an ensemble in single precision, for so long that its start does not count."""
    settings = {"dtype": "float32", "device": "cpu", "threads": 1, "by": by, **more}
    run = lambda: train(shape, *data, seeds=range(networks), steps=[steps], noise=noise, **settings)  # noqa: E731
    timed(networks * steps, run, rounds=5)


def test_matrix_product(timed):
    """The ceiling of multiplications: a large product in single precision by BLAS, on one thread."""
    a = np.random.default_rng(0).random((1500, 1500), dtype=np.float32)
    timed(2 * 1500**3, lambda: a @ a, "floating-point operations")


def test_normal_numbers(timed):
    """The ceiling of noise: as many normal numbers as a step needs, by the kernel, and nothing else."""
    size, steps = _compiled.lanes("float32"), 200
    out = _compiled.aligned((NORMALS + 3, size), "float32")
    key = _compiled.in_lanes(np.arange(2 * size, dtype=np.uint32).reshape(size, 2), size)
    draw, rest = _compiled.library().draws_single, [ctypes.c_int64(n) for n in (0, NORMALS)]

    def run():
        for step in range(steps):
            draw(_compiled.at(key), ctypes.c_uint32(0), ctypes.c_int64(step), *rest, _compiled.at(out))

    timed(NORMALS * steps * size, run, "numbers")


def eager(timed, shape, data, steps):
    """Time one network in the published style: modules, autograd, an optimiser, noise in the gradients; double."""
    first, last = torch.nn.Linear(shape.inputs, shape.hidden), torch.nn.Linear(shape.hidden, shape.outputs, bias=False)
    model = torch.nn.Sequential(first, torch.nn.ReLU(), last).double()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    inputs, targets = map(torch.from_numpy, data)

    def run():
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(inputs), targets).backward()
            for p in model.parameters():
                p.grad += 0.01 * torch.randn_like(p.grad)
            optimizer.step()

    timed(steps, run)


def test_eager_loop(timed):
    """One network in the published style, at this size."""
    eager(timed, network, (x, y), 200)


def test_batched_torch(timed):
    """The same by the other backend."""
    ensemble(timed, steps=20, device="torch")


def test_batched_torch_without_noise(timed):
    """And without its random numbers."""
    ensemble(timed, steps=40, device="torch", noise=())


def test_compiled(timed):
    """The compiled kernel with update noise, one thread."""
    ensemble(timed)


def test_compiled_without_noise(timed):
    """The compiled kernel without noise."""
    ensemble(timed, noise=())


@pytest.mark.benchmark(timer=time.perf_counter)
def test_one_thread(timed):
    """The same by the clock on the wall."""
    ensemble(timed)


@pytest.mark.benchmark(timer=time.perf_counter)
def test_two_threads(timed):
    """And with two threads, twice the networks."""
    ensemble(timed, networks=128, threads=2)


def test_compiled_double(timed):
    """The same in double precision."""
    ensemble(timed, dtype="float64", steps=5000)


corridor = Network(18, 500, 17)
seen = tuple(np.split(np.random.default_rng(0).uniform(-1, 1, (150, 35)), [18], axis=1))


def test_compiled_corridor(timed):
    """One network of the corridor's size: 18 inputs, 500 hidden units, 17 outputs, 150 samples."""
    ensemble(timed, networks=1, steps=2000, shape=corridor, data=seen)


def test_compiled_corridor_side_by_side(timed, monkeypatch):
    """Sixteen of them, a network in every lane and not its units."""
    monkeypatch.setattr(_compiled, "alone", lambda job, networks: False)
    ensemble(timed, networks=16, steps=200, shape=corridor, data=seen)


def test_eager_corridor(timed):
    """One of them in the published style."""
    eager(timed, corridor, seen, 100)
