"""Ensembles train as one network does: both backends, every algorithm, to the last bit where that is promised."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics.ensemble import (
    SED,
    Adam,
    Checkpoint,
    GradientDescent,
    LabelNoise,
    Lazy,
    Linear,
    Network,
    Relu,
    Rich,
    RMSprop,
    Tanh,
    UniformLabelNoise,
    UpdateNoise,
    _compiled,
    _random,
    log_spaced,
    train,
)

eps = np.finfo(float).eps
both = pytest.mark.parametrize("device", ["cpu", "torch"])
activations = {Relu(): torch.relu, Tanh(): torch.tanh, Linear(): lambda z: z}
every_algorithm = pytest.mark.parametrize(
    ("by", "noise"),
    [
        (GradientDescent(0.1), (UpdateNoise(0.003), LabelNoise(0.2))),
        (Adam(0.003, epsilon=1e-3), UniformLabelNoise(0.2)),
        (RMSprop(0.003, decay=0.95, epsilon=1e-3), UpdateNoise(0.003)),
        (SED(0.5, (0.03, 0.02, 0.04)), ()),
    ],
    ids=["descent", "Adam", "RMSprop", "SED"],
)


def task(samples, inputs, outputs, networks=None, seed=0):
    """Random inputs and targets in [-1, 1]."""
    shape = (samples,) if networks is None else (networks, samples)
    draw = np.random.default_rng(seed).uniform
    return draw(-1, 1, (*shape, inputs)), draw(-1, 1, (*shape, outputs))


x, y = task(13, 7, 5)
small = Network(7, 22, 5)


def loss(network, theta, x, y):
    """The mean squared error of one network, for autograd."""
    w, b, n = network.parts(theta)
    f = activations[network.activation](torch.from_numpy(x) @ w.T + b) @ n
    return ((f - torch.from_numpy(y)) ** 2).mean()


def roundings(run, start, steps, precision, terms):
    """What rounding may do to the end of a run: each step sums so many terms, and loses what the start would."""
    end, draw = run(start), np.random.default_rng(1).uniform
    moved = [np.abs(run(start * (1 + precision * draw(-1, 1, start.shape))) - end).max() for _ in range(4)]
    return steps * terms * max(*moved, precision)


@both
@pytest.mark.parametrize("activation", activations, ids=repr)
@pytest.mark.parametrize("shape", [(7, 22, 5, 13), (1, 1, 1, 1), (3, 5, 2, 4), (12, 37, 11, 23), (10, 100, 10, 20)])
def test_gradients_are_those_of_autograd(device, activation, shape):
    """One step of descent is eta times the gradient of torch.func, to the round-off of its sums, for every shape."""
    inputs, hidden, outputs, samples = shape
    network, data = Network(inputs, hidden, outputs, activation), task(samples, inputs, outputs, networks=3)
    step = [train(network, *data, seeds=[4, 5, 6], steps=[s], by=GradientDescent(0.25), device=device) for s in (0, 1)]
    for k in range(3):
        start = step[0].final[k]
        slope = torch.func.grad(lambda p, k=k: loss(network, p, data[0][k], data[1][k]))(
            torch.from_numpy(start)
        ).numpy()
        terms = inputs + hidden + outputs + samples + 8
        scale = 1 + np.abs(slope).max() + np.abs(start).max()
        assert np.abs(step[1].final[k] - (start - 0.25 * slope)).max() < terms * eps * scale


@both
@pytest.mark.parametrize(
    ("by", "reference"),
    [
        (GradientDescent(0.1), lambda p: torch.optim.SGD(p, 0.1)),
        (Adam(0.01, (0.8, 0.95), 1e-4), lambda p: torch.optim.Adam(p, 0.01, (0.8, 0.95), 1e-4)),
        (RMSprop(0.01, 0.9, 1e-4), lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-4)),
    ],
    ids=["descent", "Adam", "RMSprop"],
)
def test_algorithms_are_those_of_torch(device, by, reference):
    """Forty steps of each algorithm are those of torch.optim; a tanh network, whose gradient has no jumps."""
    network = Network(7, 22, 5, Tanh())
    begin, end = (train(network, x, y, seeds=[8], steps=[s], by=by, device=device).final[0] for s in (0, 40))

    def run(start):
        theta = torch.from_numpy(start).clone().requires_grad_()
        optimizer = reference([theta])
        for _ in range(40):
            optimizer.zero_grad()
            loss(network, theta, x, y).backward()
            optimizer.step()
        return theta.detach().numpy()

    bound = roundings(run, begin, 40, eps, 55)
    assert np.abs(end - run(begin)).max() < bound < 1e-5 * np.abs(end - begin).max()


@both
def test_stochastic_error_descent_is_what_it_says(device):
    """A step of SED is -eta (L(theta + xi) - L(theta)) xi with the spread of each tensor."""
    by = SED(0.7, (0.03, 0.02, 0.05))
    begin, end = (train(small, x, y, seeds=[8], steps=[s], by=by, device=device).final[0] for s in (3, 4))
    seed = torch.tensor([[8, 0]], dtype=torch.int32)
    xi = _random.normal(seed, begin.size, range(3, 4), _random.PERTURBATIONS).view(begin.shape)
    xi *= torch.tensor([0.03] * 7 + [0.02] + [0.05] * 5, dtype=torch.float64)
    theta = torch.from_numpy(begin)
    expected = theta - 0.7 * (loss(small, theta + xi, x, y) - loss(small, theta, x, y)) * xi
    assert np.abs(end - expected.numpy()).max() < 100 * eps
    assert np.abs(end - begin).max() > 1e-4


@both
def test_noise_enters_where_it_is_said_to(device):
    """Update noise adds sigma times its numbers to the parameters, label noise to the labels."""
    run = lambda labels, noise: train(  # noqa: E731
        small, x, labels, seeds=[8], steps=[1], by=GradientDescent(0.1), noise=noise, device=device
    ).final[0]
    seed = torch.tensor([[8, 0]], dtype=torch.int32)
    updates = _random.normal(seed, math.prod(small.shape), range(1), _random.UPDATES).view(small.shape).numpy()
    assert np.abs(run(y, UpdateNoise(0.3)) - run(y, ()) - 0.3 * updates).max() < 100 * eps
    for noise, draw in ((LabelNoise(0.3), _random.normal), (UniformLabelNoise(0.3), _random.uniform)):
        numbers = draw(seed, y.size, range(1), _random.LABELS).view(y.shape).numpy()
        assert np.abs(run(y, noise) - run(y + 0.3 * numbers, ())).max() < 100 * eps


@both
def test_what_the_loss_does_not_see_walks_freely(device):
    """A weight without gradient does a random walk: its mean squared displacement is sigma^2 for every step."""
    same = dict(seeds=range(100), by=GradientDescent(0.1), noise=UpdateNoise(0.03), device=device)
    begin, end = (train(small, 0 * x, y, steps=[s], **same) for s in (0, 40))
    moved = small.parts(end.final - begin.final)[0]
    error = math.sqrt(2 / moved.size)
    assert abs((moved**2).mean() / (40 * 0.03**2) - 1) < 5 * error < 0.06
    assert abs((moved[:, 1:] * moved[:, :-1]).mean() / (40 * 0.03**2)) < 5 * error


@every_algorithm
@pytest.mark.parametrize("activation", activations, ids=repr)
def test_backends_follow_one_trajectory(by, noise, activation):
    """Both backends draw the same noise, and differ by round-off alone after a hundred noisy steps."""
    network = Network(7, 22, 5, activation)
    same = dict(seeds=range(19), steps=[0, 1, 10, 100], by=by, noise=noise, keep_parameters=True)
    one, other = (train(network, x, y, **same, device=device) for device in ("cpu", "torch"))
    start = one.parameters[0]
    again = lambda start: train(network, x, y, **same, device="cpu", start=start).final  # noqa: E731
    bound = roundings(again, start, 100, eps, 55)
    assert np.abs(one.parameters - other.parameters).max() < bound < 1e-5 * np.abs(one.final - start).max()


@both
@every_algorithm
def test_single_precision_rounds(by, noise, device):
    """A step in single precision is that in double, to the round-off of its sums and of what has been stored."""
    same = dict(seeds=range(19), by=by, noise=noise, device=device, steps=[1])
    start = train(small, x, y, **{**same, "steps": [0]}, dtype="float32").final
    single, double = (train(small, x, y, **same, dtype=t, start=start.astype(t)).final for t in ("float32", "float64"))
    assert 0 < np.abs(single - double).max() < 55 * np.finfo(np.float32).eps * np.abs(double).max()


@both
@every_algorithm
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("networks", [None, 19], ids=["shared data", "own data"])
def test_a_network_in_an_ensemble_is_a_network_alone(device, by, noise, dtype, networks):
    """Network k of an ensemble has the bits of network k trained alone, in any company."""
    data = task(13, 7, 5, networks)
    same = dict(steps=[30], by=by, noise=noise, dtype=dtype, device=device)

    def run(ks):
        own = data if networks is None else [d[ks] for d in data]
        return train(small, *own, seeds=[1000 + k for k in ks], **same).final

    together = run(list(range(19)))
    for ks in ([17], [5, 2]):
        assert np.array_equal(run(ks), together[ks])
    assert len({theta.tobytes() for theta in together}) == 19


@every_algorithm
@pytest.mark.parametrize("activation", activations, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_in_the_lanes_change_nothing(monkeypatch, by, noise, activation, dtype):
    """Networks with their units in the lanes have the bits of networks side by side, for every shape."""
    same = dict(seeds=[4, 5, 6], steps=[0, 30], by=by, noise=noise, dtype=dtype, ceiling=1e3)
    for inputs, hidden, outputs, samples in [(7, 22, 5, 13), (1, 2, 6, 700), (18, 50, 17, 150), (4, 16, 8, 32)]:
        network, data = Network(inputs, hidden, outputs, activation), task(samples, inputs, outputs, networks=3)
        ends = []
        for way in (True, False):
            monkeypatch.setattr(_compiled, "alone", lambda job, networks, way=way: way)
            ends.append(train(network, *data, **same))
        assert np.array_equal(ends[0].final, ends[1].final) and np.array_equal(ends[0].diverged, ends[1].diverged)
        assert not np.array_equal(ends[0].final[0], ends[0].final[1]) and np.isfinite(ends[0].loss).all()


@both
def test_a_large_network_too(device):
    """The same for the size of the benchmark."""
    data = task(20, 10, 10)
    same = dict(steps=[5], by=GradientDescent(0.1), noise=UpdateNoise(0.01), dtype="float32", device=device)
    all_, last = (train(Network(10, 100, 10), *data, seeds=seeds, **same).final for seeds in (range(33), [32]))
    assert np.array_equal(all_[32], last[0])


@both
@every_algorithm
def test_chunks_and_threads_change_nothing(device, by, noise):
    """Neither the steps at which a run is looked at nor the number of threads changes a bit."""
    same = dict(seeds=range(19), by=by, noise=noise, device=device)

    def run(steps, **more):
        return train(small, x, y, steps=steps, **same, **more).final

    once = run([70])
    assert np.array_equal(once, run([0, 1, 2, 33, 70]))
    assert np.array_equal(once, run([70], threads=3)) and np.array_equal(once, run([70], threads=1))


@both
def test_scaling_is_exact(device):
    """(eta, sigma, y, theta) -> (eta a^2, sigma/a, y/a^2, theta/a) with a = 2 scales a noisy run to the last bit."""
    a, single = 2.0, dict(dtype="float32", device=device, seeds=[3], steps=[200])
    begin = train(small, x, y, **{**single, "steps": [0]}, by=GradientDescent(0.1)).final
    noise = UpdateNoise(0.01)
    one = train(small, x, y, by=GradientDescent(0.1), start=begin, noise=noise, **single)
    less = UpdateNoise(0.01 / a)
    other = train(small, x, y / a**2, by=GradientDescent(0.1 * a**2), start=begin / a, noise=less, **single)
    assert np.array_equal(one.final, a * other.final)
    wrong = train(small, x, y / a, by=GradientDescent(0.1 * a**2), start=begin / a, noise=less, **single)
    assert not np.array_equal(one.final, a * wrong.final)


@both
def test_a_diverged_network_is_reported_and_the_others_go_on(device):
    """The network whose loss passes the ceiling is named with its step; its neighbours keep their bits."""
    data = task(13, 7, 5, networks=18)
    data[1][4] *= 1e9
    linear = Network(7, 22, 5, Linear())  # units of the others may die, which ends a divergence
    run = lambda ks, **more: train(  # noqa: E731
        linear, *(d[ks] for d in data), seeds=ks, steps=[0, 3, 60], by=GradientDescent(0.2), device=device, **more
    )
    found = run(list(range(18)))
    others = [k for k in range(18) if k != 4]
    assert found.diverged[others].tolist() == [-1] * 17 and 0 < found.diverged[4] <= 60
    assert np.isnan(found.loss[2, 4]) and np.isfinite(found.loss[:, others]).all() and np.isfinite(found.loss[0, 4])
    assert np.isnan(found.norms[2, 4]).all() and np.isnan(found.active_units[2, 4])
    assert np.isfinite(found.final).all()
    np.testing.assert_array_equal(found.final[others], run(others).final)
    at_once = run([3, 4], ceiling=1e6)
    assert at_once.diverged.tolist() == [-1, 0]
    first = found.diverged[4]
    watched = train(
        linear, *(d[[4]] for d in data), seeds=[4], steps=range(first + 1), by=GradientDescent(0.2), device=device
    )
    assert np.isfinite(watched.loss[:first]).all() and np.isnan(watched.loss[first])
    passed = train(small, x, y, seeds=[4], steps=range(9), by=GradientDescent(5.0), device=device)
    ceiling = float(passed.loss[:, 0].max()) * 0.9
    stopped = train(small, x, y, seeds=[4], steps=range(9), by=GradientDescent(5.0), device=device, ceiling=ceiling)
    assert stopped.diverged[0] == np.argmax(passed.loss[:, 0] > ceiling)


def test_records_are_what_the_parameters_say():
    """Loss, active units, active fraction and norms are those of the recorded parameters."""
    data = task(13, 7, 5, networks=3)
    run = train(
        small,
        *data,
        seeds=range(3),
        steps=[0, 50],
        by=GradientDescent(0.1),
        noise=UpdateNoise(0.1),
        keep_parameters=True,
    )
    for t in range(2):
        for k in range(3):
            w, b, n = small.parts(run.parameters[t, k])
            h = np.maximum(data[0][k] @ w.T + b, 0)
            assert run.loss[t, k] == pytest.approx(((h @ n - data[1][k]) ** 2).mean(), rel=100 * eps, abs=0)
            assert run.active_units[t, k] == (h > 0).any(0).sum() and run.active_fraction[t, k] == (h > 0).mean()
            np.testing.assert_allclose(run.norms[t, k], [np.sqrt((p**2).sum()) for p in (w, b, n)], rtol=100 * eps)
    assert run.active_units.max() < 22 or run.active_fraction.max() < 1
    assert np.array_equal(run.parameters[1], run.final) and run.steps.tolist() == [0, 50]


def test_starts_have_their_scales():
    """Rich and lazy starts have the standard deviations that they state."""
    network = Network(7, 30, 5)
    for start, out in ((Rich(), (2 / 30) ** 0.5), (Lazy(), 2 / 30)):
        theta = train(network, x, y, seeds=range(200), steps=[0], by=GradientDescent(0.1), start=start).final
        for part, scale in zip(network.parts(theta), ((2 / 7) ** 0.5, (2 / 7) ** 0.5, out), strict=True):
            count = part.size
            assert abs((part**2).mean() / scale**2 - 1) < 4.5 * math.sqrt(2 / count)  # 7e-6 false alarms
            assert abs(part.mean()) < 4.5 * scale / math.sqrt(count)


def test_log_spaced():
    """Whole steps from 0 to the last, increasing, about evenly spaced in their logarithms."""
    steps = log_spaced(1_000_000, 40)
    assert steps[0] == 0 and steps[1] == 1 and steps[-1] == 1_000_000 and (np.diff(steps) > 0).all()
    late = np.diff(np.log(steps[15:].astype(float)))
    assert late.max() < 1.2 * late.min()
    assert log_spaced(1, 5).tolist() == [0, 1]


LONG = """
import numpy as np
from numerics.ensemble import Adam, Checkpoint, Network, UpdateNoise, log_spaced, train
x, y = np.random.default_rng(0).uniform(-1, 1, (2, 13, 7))
run = train(Network(7, 40, 7), x, y, seeds=range(20), steps=log_spaced({steps}, 30), by=Adam(1e-3),
    noise=UpdateNoise(1e-3), dtype="float32", checkpoint=Checkpoint({path!r}, seconds=0))
"""


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    """A process that is killed at its work is taken up from its file, and ends with the bits of one never killed."""
    compiled = train(small, x, y, seeds=[1], steps=[0], by=Adam()).backend == "compiled"
    steps, path = 5_000 if compiled else 150, tmp_path / "killed"
    code = LONG.format(steps=steps, path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], env=environment())
    while process.poll() is None and kept_step(path) < 10:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL, "it ended before it could be killed"
    assert 0 < kept_step(path) < steps
    runs = []
    for file in (path, tmp_path / "whole"):
        exec(LONG.format(steps=steps, path=str(file)), names := {})
        runs.append(names["run"])
    assert np.array_equal(runs[0].final, runs[1].final) and np.array_equal(runs[0].loss, runs[1].loss)


def kept_step(path):
    """The step of a checkpoint, -1 if there is none yet."""
    return int(np.load(path)["step"]) if path.exists() else -1


def environment(**changes):
    """This process's environment, for another one that finds the same packages."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **changes}


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    """A file is resumed by the run that wrote it and by no other; a finished one is not trained again."""
    kept = dict(seeds=[1, 2], steps=[0, 7], by=GradientDescent(0.1), checkpoint=Checkpoint(tmp_path / "run"))
    first = train(small, x, y, **kept)
    written = (tmp_path / "run").stat().st_mtime_ns
    again = train(small, x, y, **kept)
    assert np.array_equal(first.loss, again.loss) and (tmp_path / "run").stat().st_mtime_ns == written
    for change in (dict(seeds=[1, 3]), dict(by=GradientDescent(0.2)), dict(dtype="float32"), dict(device="torch")):
        if change.get("device") == first.backend.split()[0]:
            continue  # without a compiler both devices are one backend
        with pytest.raises(ValueError, match="holds another run"):
            train(small, x, y, **{**kept, **change})
    with pytest.raises(ValueError, match="holds another run"):
        train(small, x, 2 * y, **kept)
    (tmp_path / "run").write_bytes(b"PK torn")
    with pytest.raises(ValueError, match="holds no checkpoint"):
        train(small, x, y, **kept)


good = dict(network=small, x=x, y=y, seeds=[1, 2], steps=[0, 2], by=GradientDescent(0.1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(network="relu"), "network = 'relu' is a str"),
        (dict(x=x[:, :6]), r"x has shape \(13, 6\): \(samples, 7\)"),
        (dict(x=x[None, None]), "x has shape"),
        (dict(x=np.stack([x] * 3)), r"x has shape \(3, 13, 7\)"),
        (dict(x=x[:0], y=y[:0]), "at least one sample"),
        (dict(x=x[:12]), "x has 12 samples and y 13"),
        (dict(y=y * np.nan), "y = nan is not finite"),
        (dict(y=y * 1e300, dtype="float32"), "too large for float32"),
        (dict(x="data"), "x = 'data'"),
        (dict(seeds=[]), "at least one"),
        (dict(seeds=[-1]), "seeds = -1"),
        (dict(seeds=[2**64]), "below 2"),
        (dict(seeds=[1.5]), "seeds = 1.5"),
        (dict(seeds=3), "seeds must be whole numbers"),
        (dict(steps=[3, 2]), "steps must increase, but 2 follows 3"),
        (dict(steps=[0, 0]), "steps must increase"),
        (dict(steps=[-1]), "steps = -1.0 is no whole number"),
        (dict(steps=[1.5]), "steps = 1.5 is no whole number"),
        (dict(steps=[]), "row of numbers"),
        (dict(steps=[np.inf]), "steps = inf"),
        (dict(by="sgd"), "by = 'sgd' is no algorithm"),
        (dict(noise="none"), "noise = 'none' is unknown"),
        (dict(noise=None), "noise = None is unknown"),
        (dict(noise=(UpdateNoise(0.1), UpdateNoise(0.1))), "one for the parameters"),
        (dict(noise=UpdateNoise(0.1), by=SED(0.1, (0.1, 0.1, 0.1))), "SED draws its own"),
        (dict(start="rich"), "start = 'rich'"),
        (dict(start=np.zeros((22, 12))), r"start has shape \(22, 12\)"),
        (dict(start=np.full((22, 13), np.inf)), "start = inf"),
        (dict(dtype="float16"), "dtype = 'float16'"),
        (dict(device="gpu"), "device = 'gpu'"),
        (dict(ceiling=0.0), "ceiling = 0.0"),
        (dict(ceiling=np.nan), "ceiling = nan"),
        (dict(threads=0), "threads = 0"),
        (dict(checkpoint="run.npz"), "checkpoint = 'run.npz'"),
    ],
)
def test_bad_runs(change, says):
    """Each bad argument of a run is refused by name, before any work."""
    with pytest.raises((ValueError, TypeError), match=says):
        train(**{**good, **change})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Network(0, 3, 2), "inputs = 0"),
        (lambda: Network(2, 3.0, 2), "hidden = 3.0"),
        (lambda: Network(2, 3, 2, "relu"), "activation = 'relu' is unknown"),
        (lambda: GradientDescent(math.inf), "eta = inf is not finite"),
        (lambda: Adam(0.0), "eta = 0.0"),
        (lambda: Adam(decays=(0.9, 1.0)), "decays = 1.0"),
        (lambda: Adam(decays=(0.9,)), "must be two"),
        (lambda: Adam(epsilon=0.0), "epsilon = 0.0"),
        (lambda: RMSprop(decay=-0.1), "decay = -0.1"),
        (lambda: SED(0.1, 0.1), "must be three numbers"),
        (lambda: SED(0.1, (0.1, -0.1, 0.1)), "is negative"),
        (lambda: SED(0.1, (0.0, 0.0, 0.0)), "nothing would be perturbed"),
        (lambda: UpdateNoise(-0.1), "sigma = -0.1 is negative"),
        (lambda: LabelNoise(math.nan), "sigma = nan is not finite"),
        (lambda: UniformLabelNoise("1"), "sigma = '1'"),
        (lambda: Checkpoint("nowhere/at/all"), "no such folder"),
        (lambda: Checkpoint("run", seconds=-1.0), "seconds = -1.0"),
        (lambda: log_spaced(0, 3), "last = 0"),
    ],
)
def test_bad_choices(make, says):
    """Each bad choice is refused by name when it is made."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_a_gpu_that_is_not_there_is_refused():
    """device='cuda' never falls back to anything else."""
    if torch.cuda.is_available():
        assert train(**good, device="cuda").backend == "torch on cuda"
    else:
        with pytest.raises(ValueError, match="torch finds no GPU"):
            train(**good, device="cuda")
