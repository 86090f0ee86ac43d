"""Recurrent networks: gradients that are those of autograd, networks that do not know their neighbours, and stops."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
import torch

from numerics import rnn
from numerics.descent import Diverged
from numerics.rnn import L1, Adam, GradientDescent, MaximalUpdate, Nuclear, Standard, Weights, _bptt, _compiled, initial
from numerics.tasks import FlipFlop

x, y, mask = (torch.from_numpy(part) for part in np.split(np.random.default_rng(0).normal(size=(7, 5, 7)), (3, 5), -1))
mask = (mask > -0.5).double()
EPS = np.finfo(float).eps
networks = pytest.mark.parametrize("network", [Standard(6), MaximalUpdate(6, gamma=0.7, tau=0.4)])
task = FlipFlop(1, length=12, switch=0.2)
small = dict(by=Adam(0.01), trials=8, steps=50, epoch=10)


def with_bias(network, seeds):
    """Starts with biases of any size."""
    weights = initial(network, 3, 2, seeds)
    return weights._replace(b=torch.linspace(-1, 1, weights.b.numel()).double().view_as(weights.b))


def written(network, weights, x):
    """The outputs of all networks, by their equations as they are written, one step after the other."""
    A, C = weights.J * network.recurrent_scale, weights.w * network.readout_scale
    z, seen = torch.zeros(len(A), x.shape[1], network.units, dtype=torch.float64), []
    for now in x:
        drive = torch.tanh(z) @ A.mT + now @ weights.U.mT + weights.b[:, None]
        z = (1 - network.tau) * z + network.tau * drive
        seen.append(torch.tanh(z) @ C.mT + weights.c[:, None])
    return torch.stack(seen, 1)


def literally(network, weights, x, y, mask):
    """The losses of these outputs."""
    return (mask * (written(network, weights, x) - y) ** 2).sum((1, 2, 3)) / mask.sum()


def ways():
    """How gradients are computed here: by torch, and by the kernel where there is a compiler."""
    return (_bptt.by_torch, _compiled.gradient) if _compiled.library() else (_bptt.by_torch,)


def slopes(network, weights, given, by=None):
    """Loss and gradient in one list, by one of these ways, or by autograd on the equations as they are written."""
    if by:
        value, slope = by(network, weights, *given)
        return [value, *slope]
    leaves = Weights(*(part.clone().requires_grad_() for part in weights))
    value = literally(network, leaves, *given)
    return [value.detach(), *torch.autograd.grad(value.sum(), leaves)]


def rounding(network, weights, given, precision):
    """What rounding may do to losses and gradients.

    An entry has so many roundings as terms, each as bad as the worst of four shakes of all that is given.
    """
    draw = torch.Generator().manual_seed(1)
    shaken = lambda part: part * (1 + precision * (2 * torch.rand(part.shape, generator=draw).double() - 1))  # noqa: E731
    exact, moved = slopes(network, weights, given), []
    for _ in range(4):
        x, y, mask = given
        now = slopes(network, Weights(*map(shaken, weights)), (shaken(x), shaken(y), mask))
        moved.append([(a - b).abs().max() for a, b in zip(now, exact, strict=True)])
    (T, trials, inputs), n = given[0].shape, network.units
    floor = [precision * part.abs().max() for part in exact]
    return [(T * trials + n + inputs) * max(*worst, least) for *worst, least in zip(*moved, floor, strict=True)]


def misses(found, wanted, bound):
    """The largest distance, in units of the bound."""
    return max(float((a.double() - b).abs().max() / r) for a, b, r in zip(found, wanted, bound, strict=True))


@networks
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_those_of_autograd(network, dtype):
    """Losses and gradients written by hand are those of autograd on the equations, up to rounding and no farther."""
    weights, given, eps = with_bias(network, [1, 2, 3]), (x, y, mask), torch.finfo(dtype).eps
    exact, bound = slopes(network, weights, given), rounding(network, weights, given, eps)
    assert misses(slopes(network, weights, (x, y, mask + 1e3 * eps * (x[..., :1] > 1))), exact, bound) > 1
    low = [Weights(*(part.to(dtype) for part in weights)), [part.to(dtype) for part in given]]
    for way in ways():
        assert misses(slopes(network, *low, way), exact, bound) < 1


@pytest.mark.parametrize("shape", [(1, 1, 1, 1, 1), (17, 1, 3, 2, 1), (33, 5, 1, 20, 3), (64, 3, 70, 2, 2)])
def test_gradients_of_every_shape(shape):
    """Units, inputs, outputs and trials that fill no register, or several, have the same gradients both ways."""
    units, inputs, trials, outputs, T = shape
    draw, network = np.random.default_rng(3), MaximalUpdate(units, tau=0.6)
    given = [torch.from_numpy(draw.normal(size=(T, trials, size))) for size in (inputs, outputs, outputs)]
    given[2] = (given[2] > -1).double()
    weights = initial(network, inputs, outputs, [1, 2])
    bound = rounding(network, weights, given, np.finfo(float).eps)
    exact = slopes(network, weights, given, _bptt.by_torch)
    for way in ways():
        assert misses(slopes(network, weights, given, way), exact, bound) < 1


def test_the_kernel_knows_tanh():
    """The kernel's tanh is right to three units in the last place, of both signs and at both ends."""
    if not (kernel := _compiled.library()):
        return
    z = np.concatenate([[0.0, 1e-300, 1e300, np.inf], np.geomspace(1e-9, 40, 8188)])
    z[::2] *= -1
    for name, dtype in (("single", np.float32), ("double", np.float64)):
        with np.errstate(over="ignore"):
            found = z.astype(dtype)
        exact = np.tanh(found.astype(np.longdouble))
        getattr(kernel, f"tanh_{name}")(ctypes.c_void_p(found.ctypes.data), ctypes.c_int64(len(found)))
        assert (np.abs(found - exact) <= 3 * np.spacing(np.abs(exact).astype(dtype))).all()
    found = np.full(64, np.nan)
    kernel.tanh_double(ctypes.c_void_p(found.ctypes.data), ctypes.c_int64(64))
    assert np.isnan(found).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_change_nothing(dtype):
    """Networks have the same bits whether one thread trains them or three do."""
    run = lambda: rnn.train(Standard(20), task, seeds=[1, 2, 3, 4, 5], **small, dtype=dtype)  # noqa: E731
    before, runs = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            runs.append(run())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(runs[0].weights, runs[1].weights, strict=True))


@networks
def test_tangent_kernels_are_products_of_gradients(network):
    """Each entry is the inner product of two outputs' gradients; blocks of parameters add up."""
    weights = with_bias(network, [1, 2])
    whole = rnn.tangent_kernel(network, weights, x[:2])
    assert whole.shape == (2, 20, 20)
    leaves = Weights(*(part.clone().requires_grad_() for part in weights))
    outputs = written(network, leaves, x[:2]).reshape(2, -1)
    for i, j in ((0, 0), (3, 17), (19, 8)):
        one, other = (torch.autograd.grad(outputs[1, k], leaves, retain_graph=True) for k in (i, j))
        products = torch.cat([(a[1] * b[1]).ravel() for a, b in zip(one, other, strict=True)])
        gap = abs(float(whole[1, i, j]) - float(products.sum()))
        assert gap <= len(products) * EPS * float(products.abs().sum())
    parts = sum(rnn.tangent_kernel(network, weights, x[:2], of=(name,)) for name in Weights._fields)
    torch.testing.assert_close(parts, whole, rtol=0, atol=len(products) * EPS * float(whole.abs().max()))
    with pytest.raises(ValueError, match="of ="):
        rnn.tangent_kernel(network, weights, x[:2], of=("K",))


def test_the_standard_network_is_that_of_torch():
    """Rates and outputs are those of torch's own RNN with the same weights."""
    weights = with_bias(Standard(6), [4])
    model = torch.nn.RNN(3, 6).double()
    with torch.no_grad():
        for name, value in (("weight_hh_l0", weights.J), ("weight_ih_l0", weights.U), ("bias_hh_l0", weights.b)):
            getattr(model, name).copy_(value[0])
        model.bias_ih_l0.zero_()
    rates, outputs = rnn.unroll(Standard(6), weights, x)
    single = rnn.unroll(Standard(6), Weights(*(part.float() for part in weights)), x.float())
    theirs = model(x)[0].detach()
    theirs = theirs, theirs @ weights.w[0].T + weights.c[0]
    for ours, short, wanted in zip((rates, outputs), single, theirs, strict=True):
        rounding = 10 * EPS / np.finfo(np.float32).eps * float((ours - short).abs().max())  # in single precision: more
        torch.testing.assert_close(ours[0], wanted, rtol=0, atol=rounding)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("network", [Standard(24), MaximalUpdate(24, tau=0.5)])
def test_neighbours_change_nothing(network, dtype):
    """Each network of a run has the very bits that it has alone, whatever its neighbours, and whenever they stop."""
    settings = {**small, "dtype": dtype, "threshold": 0.5, "patience": 1}
    together = rnn.train(network, task, seeds=[5, 6, 7], **settings)
    assert together.losses.shape[1] == 3
    for k, seed in enumerate([5, 6, 7]):
        alone = rnn.train(network, task, seeds=[seed], **settings)
        assert all(torch.equal(a[k], b[0]) for a, b in zip(together.weights, alone.weights, strict=True))
        assert together.steps[k] == alone.steps[0]


def test_training_repeats_and_learns():
    """The same arguments give the same bits; another seed of the trials others; the loss falls."""
    runs = [rnn.train(Standard(16), task, seeds=[1], trial_seed=s, **{**small, "steps": 300}) for s in (0, 0, 1)]
    same, other = (torch.equal(runs[0].weights.J, runs[k].weights.J) for k in (1, 2))
    assert same and not other and runs[0].losses[-1] < 0.3 * runs[0].losses[0]


def test_networks_stop_in_time():
    """A network trains so many epochs as its patience after the first below the threshold, and keeps its weights."""
    easy = rnn.train(Standard(8), task, seeds=[1, 2], threshold=1e6, patience=2, **small)
    assert list(easy.steps) == [30, 30] and easy.converged.all()
    hard = rnn.train(Standard(8), task, seeds=[1, 2], threshold=1e-9, **small)
    assert list(hard.steps) == [50, 50] and not hard.converged.any()


@pytest.mark.parametrize("penalty", [L1(0.3), Nuclear(0.3)])
def test_penalties_are_derivatives(penalty):
    """A penalty's slopes are the derivatives of what it says it is."""
    draw = torch.Generator().manual_seed(1)
    A, U, C = (torch.randn(2, *shape, generator=draw, dtype=torch.float64) for shape in ((4, 4), (4, 3), (2, 4)))
    leaves = [part.clone().requires_grad_() for part in (A, U, C)]
    if isinstance(penalty, L1):
        value = 0.3 * sum(part.abs().sum() for part in leaves)
    else:
        value = 0.3 * torch.linalg.svdvals(leaves[0]).sum() + 0 * (leaves[1].sum() + leaves[2].sum())
    rounding = 4 * 4 * EPS * float(torch.linalg.cond(A).max())  # of singular vectors
    for one, other in zip(penalty.slopes(A, U, C), torch.autograd.grad(value, leaves), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=rounding)


def test_penalties_do_what_they_are_for():
    """Under l1 most weights are near 0, under the nuclear norm most singular values are."""
    runs = {p: rnn.train(Standard(16), task, seeds=[1], penalty=p, **{**small, "steps": 400}).weights.J[0]
            for p in (None, L1(3e-3), Nuclear(1e-2))}  # fmt: skip
    few = lambda values: float((values.abs() < 0.02).double().mean())  # noqa: E731
    free, sparse, low = runs.values()
    assert few(sparse) > 2 * few(free)
    assert few(torch.linalg.svdvals(low)) > 2 * few(torch.linalg.svdvals(free))


def test_starts_are_what_they_say():
    """Standard weights are uniform in +-1/sqrt(n), maximal-update ones normal of the stated variances."""
    J = initial(Standard(400), 3, 2, [1]).J
    assert float(J.abs().max()) <= 0.05 and abs(float(J.var()) * 3 * 400 - 1) < 0.02
    weights = initial(MaximalUpdate(400), 300, 200, [1])
    for part, variance in ((weights.J, 400), (weights.U, 1), (weights.w, 1)):
        assert abs(float(part.var()) / variance - 1) < 0.03
    assert not weights.b.any() and not weights.c.any()


def test_fixed_points_of_switches_that_know_nothing_of_each_other():
    """N units that each excite themselves have 3^N fixed points, 2^N of them stable; their indices add up to 1."""
    at = 0.9575040240772687  # tanh(2 r) = r
    for n in (1, 2, 3):
        starts = np.random.default_rng(0).uniform(-1, 1, (400, n))
        found = rnn.fixed_points(2 * np.eye(n), np.zeros(n), np.eye(n), np.zeros(n), starts)
        assert len(found.index) == 3**n and found.stable.sum() == 2**n and found.index.sum() == 1
        np.testing.assert_allclose(np.abs(found.outputs[found.stable]), at, rtol=8 * EPS)
        steep = 2 * at**2 / (1 - at**2)  # how much faster its slope changes than the rate
        np.testing.assert_allclose(found.growth[found.stable], 2 * (1 - at**2), rtol=8 * EPS * (1 + steep))
    with pytest.raises(ValueError, match="do not fit"):
        rnn.fixed_points(np.eye(2), np.zeros(3), np.eye(2), np.zeros(2), np.zeros((1, 2)))


def test_closed_curves_turn_and_attract():
    """A planar rotation that tanh bounds: turns and exponents are those of its circle, by symmetry, at any start."""
    angle, gain = 2 * np.pi * 0.137, 1.01
    A = gain * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    starts = np.array([[0.1, 0.0], [0.0, 0.7]])
    found = rnn.courses(A, np.zeros(2), starts, settle=3000, steps=2000)
    assert found.rates.shape == (2000, 2, 2)
    np.testing.assert_allclose(found.turns, 0.137, rtol=gain - 1)  # the square of its radius
    assert np.abs(found.exponents[:, 0]).max() < 1 / len(found.rates) ** 2  # where a plain average leaves 1/steps
    assert (found.exponents[:, 1] < -0.5 * np.log(gain)).all() and (found.multipliers[:, 1] < 1).all()
    still = rnn.courses(np.diag([0.5, 0.3]), np.zeros(2), starts, settle=200, steps=10)
    np.testing.assert_allclose(still.exponents, np.log([[0.5, 0.3]] * 2), rtol=8 * 10 * EPS)
    for bad in (dict(b=np.zeros(3)), dict(count=3), dict(steps=1), dict(settle=-1)):
        with pytest.raises(ValueError, match="do not fit" if "b" in bad else next(iter(bad))):
            rnn.courses(**{**dict(A=A, b=np.zeros(2), starts=starts, settle=1, steps=10), **bad})


def test_records_are_what_was_kept(tmp_path):
    """A record gives back its recipe and its run, trains to the same bits, and tells when it has been changed."""
    recipe = rnn.Recipe(task, Standard(8), Adam(0.01), (1, 2), trials=4, steps=20, threshold=0.1, epoch=10)
    run, path = recipe.train(), tmp_path / "record.npz"
    rnn.save(path, recipe, run)
    again, kept = rnn.load(path)
    assert again == recipe and all(torch.equal(a, b) for a, b in zip(again.train().weights, kept.weights, strict=True))
    assert np.array_equal(kept.losses, run.losses) and list(kept.steps) == [20, 20]
    for other in (replace(recipe, penalty=L1(0.1), by=GradientDescent(0.1)), replace(recipe, network=MaximalUpdate(8))):
        assert rnn.Recipe.read(other.written()) == other
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(path, **{**arrays, "J": arrays["J"] + 1})
    with pytest.raises(ValueError, match="checksum differs"):
        rnn.load(path)
    np.savez(path, J=arrays["J"])
    with pytest.raises(ValueError, match="holds no record"):
        rnn.load(path)


def test_coordinate_checks_repeat():
    """A coordinate check repeats to the bit, and refuses what is no size."""
    check = lambda **more: rnn.coordinate_check(MaximalUpdate(16), Adam(0.01), seed=1, **more)  # noqa: E731
    assert check() == check() and min(check()) > 0
    with pytest.raises(ValueError, match="size = 0.0"):
        check(size=0.0)


def test_numbers_that_are_none_are_reported():
    """A learning rate that is too large is an error that names it."""
    with pytest.raises(Diverged, match="eta = 1e"):
        rnn.train(Standard(8), task, seeds=[1], **{**small, "by": GradientDescent(1e308)})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(network=None), "network = None"),
        (dict(by="adam"), "by = 'adam'"),
        (dict(seeds=[]), "seeds must not be empty"),
        (dict(seeds=[-1]), "seeds = -1"),
        (dict(steps=55), "epochs of 10"),
        (dict(dtype="float16"), "dtype = 'float16'"),
        (dict(penalty=0.1), "penalty = 0.1"),
        (dict(threshold=-1.0), "threshold = -1.0"),
        (dict(trials=0), "trials = 0"),
        (dict(patience=-1), "patience = -1"),
        (dict(patience=1.5), "patience = 1.5"),
    ],
)
def test_bad_arguments(change, says):
    """Each bad argument is refused by name, before any work."""
    with pytest.raises((ValueError, TypeError), match=says):
        rnn.train(**{**dict(network=Standard(8), task=task, seeds=[1]), **small, **change})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(y=y[:3]), "do not fit"),
        (dict(x=x[..., :2]), "do not fit"),
        (dict(mask=0 * mask), "mask is 0"),
        (dict(x=x.float()), "float32"),
        (dict(weights=initial(Standard(6), 3, 2, [1])._replace(b=torch.zeros(1, 5))), "weights of shapes"),
    ],
)
def test_gradients_of_what_does_not_fit(change, says):
    """Trials and weights that do not fit are refused, before any work."""
    given = dict(network=Standard(6), weights=initial(Standard(6), 3, 2, [1]), x=x, y=y, mask=mask)
    with pytest.raises(ValueError, match=says):
        rnn.gradient(**{**given, **change})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Standard(0), "units = 0"),
        (lambda: MaximalUpdate(8, gamma=0.0), "gamma = 0.0"),
        (lambda: MaximalUpdate(8, tau=1.5), "tau = 1.5"),
        (lambda: L1(-1.0), "strength = -1.0"),
        (lambda: Nuclear(0.0), "strength = 0.0"),
    ],
)
def test_bad_values(make, says):
    """Values that make no sense cannot be made."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()
