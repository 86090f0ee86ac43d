"""Trained chains and networks refuse what cannot be trained, and their data are what they say."""

import numpy as np
import pytest
import torch

from numerics import chain, modes

EPS = np.finfo(float).eps
task = dict(s=1.7, lam=0.6, a0=0.1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(depth=0), "depth = 0"),
        (dict(depth=2.0), "depth = 2.0"),
        (dict(s=0), "s = 0 must be positive"),
        (dict(s=-1.7), "s = -1.7"),
        (dict(lam=0.0), "lam = 0.0"),
        (dict(a0=0.0), "saddle"),
        (dict(times=[0.2, 0.1]), "times must increase"),
        (dict(times=[-0.2]), "negative"),
        (dict(eta=0.8), r"eta lambda_max = 2\.72 > 2.*eta <= 0\.588"),
        (dict(eta=0.0), "eta = 0.0 must be positive"),
        (dict(s=None), "s = None is a NoneType, not a real number"),
        (dict(s="1"), "s = '1'"),
        (dict(lam=1j), "lam = 1j"),
        (dict(lam=True), "lam = True"),
        (dict(a0=np.nan), "a0 = nan is not finite"),
        (dict(times=None), "times = None"),
        (dict(times="a"), "times = 'a'"),
        (dict(times=[1e300]), "steps of eta"),
        (dict(a0=50.0, eta=0.5), "at the start"),
    ],
)
def test_bad_chains(change, says):
    """Each bad argument of a chain is refused by name, before any step."""
    with pytest.raises((ValueError, TypeError), match=says):
        chain.train(**{**dict(depth=2, times=[0.2], eta=0.1), **task, **change})


def test_the_largest_step_is_just_stable():
    """A step just below the bound settles, and just above it is refused."""
    bound = 2 / (2 * task["s"])  # the curvature at the minimum of two layers is 2 s
    assert np.isfinite(chain.train(2, **task, times=[200 * 0.99 * bound], eta=0.99 * bound)).all()
    with pytest.raises(ValueError, match="too large"):
        chain.train(2, **task, times=[1.01 * bound], eta=1.01 * bound)


def test_deep_chains_below_zero_return_to_the_saddle():
    """Weights of equal size, one of them negative, stay equal in size and die out."""
    a = chain.flow(3, s=1.7, lam=0.6, a0=-0.9, times=[0.0, 1.0, 30.0])
    assert a[0] == pytest.approx(-0.9, rel=8 * EPS, abs=0) and a[0] < a[1] < a[2] < 0
    with pytest.raises(ValueError, match="between a0 = -0.9 and 0"):
        chain.passage_time(3, s=1.7, lam=0.6, a0=-0.9, af=0.1, eta=0.1)


def test_numpy_numbers_are_numbers():
    """Depths and steps may be numpy scalars."""
    one = chain.train(np.int64(2), **task, times=[0.5], eta=np.float32(0.125))
    assert np.array_equal(one, chain.train(2, **task, times=[0.5], eta=0.125))


def test_training_repeats_to_the_bit():
    """The same arguments give the same bits."""
    run = [chain.train(3, **task, times=[0.5, 1.0], eta=0.1) for _ in range(2)]
    assert np.array_equal(*run)


def test_one_layer_may_start_anywhere():
    """A shallow chain has no saddle: it starts at 0 and below it."""
    assert chain.train(1, s=1.7, lam=0.6, a0=0.0, times=[0.1], eta=0.1) > 0
    assert chain.flow(1, s=1.7, lam=0.6, a0=0.0, times=[0.1]) > 0
    assert chain.train(1, s=1.7, lam=0.6, a0=-1.0, times=[0.0], eta=0.1) == -1


def test_crossing():
    """The level is met at fourth order in the spacing; a level that is never met is an error."""
    errors = []
    for points in (21, 41, 81):
        times = np.linspace(0, 2, points)
        errors.append(abs(chain.crossing(times, np.expm1(times), 1.77) - np.log(2.77)))
    assert errors[0] > 8 * errors[1] > 64 * errors[2]
    assert chain.crossing([0.0, 1.0], [0.0, 1.0], 0.7) == pytest.approx(0.7, rel=4 * EPS, abs=0)
    with pytest.raises(ValueError, match="does not rise through 2"):
        chain.crossing([0.0, 1.0], [0.0, 1.0], 2.0)
    with pytest.raises(ValueError, match="no way to it"):
        chain.half_time(2, s=1.7, lam=0.6, a0=2.0, eta=0.1)


digits = modes.pixels(0.6)


def test_inputs_are_white():
    """The inputs have covariance lam I up to rounding, and 61 components vary."""
    covariance = digits.x.T @ digits.x / digits.examples
    assert digits.x.shape == (1797, 61)
    assert float((covariance - 0.6 * torch.eye(61, dtype=torch.float64)).abs().max()) < 1797 * EPS


def test_mode_strengths_are_those_reported():
    """The pixels' modes are well apart; of the ten classes nine modes are left, close together."""
    assert np.round(digits.s[:5].numpy() / 0.6**0.5, 2).tolist() == [0.84, 0.80, 0.74, 0.63, 0.52]
    nine = modes.classes(0.6).s
    assert len(nine) == 9 and nine[0] / nine[-1] < 1.6 < 10 < digits.s[0] / digits.s[-1]


def test_rotated_examples_give_the_same_gradient():
    """Rotating the examples leaves loss differences and gradients as they are."""
    weights = modes.random(digits, 2, 0.1, seed=3)
    gradients = []
    for x, y in ((digits.x, digits.y), digits.rotated()):
        leaves = [w.clone().requires_grad_() for w in weights]
        gradients.append(torch.autograd.grad(modes._loss(digits)(leaves, x, y), leaves))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1797 * EPS * float(one.abs().max()))


def test_aligned_weights_have_the_stated_strengths():
    """At any depth the product of aligned weights has strength a0 in every mode, and layers share it."""
    for depth in (1, 2, 3):
        weights = modes.aligned(digits, depth, 0.02, seed=1)
        rounding = 4 * depth * 61 * EPS  # frames of 61 modes
        np.testing.assert_allclose(modes.strengths(digits, weights), 0.02, rtol=rounding)
        sizes = [float(torch.linalg.matrix_norm(w, 2)) for w in weights]
        np.testing.assert_allclose(sizes, sizes[0], rtol=rounding)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: modes.pixels(0.0), "lam = 0.0"),
        (lambda: modes.aligned(digits, 2, 0.1, hidden=60), "61 modes of a deep network need"),
        (lambda: modes.aligned(digits, 2, np.nan), "a0"),
        (lambda: modes.aligned(digits, 2, [0.1, 0.2]), "one strength or 61"),
        (lambda: modes.aligned(digits, 2.5, 0.1), "depth = 2.5"),
        (lambda: modes.printed_train(digits, modes.aligned(digits, 2, 0.1), [10.0], 10.0), "too large"),
        (lambda: chain.half_time(2, s=1.7, lam=0.0, a0=0.1, eta=0.1), "lam = 0.0"),
        (lambda: chain.half_time(2, s=1.7, lam=0.6, a0=0.1, eta=0.0), "eta = 0.0"),
        (lambda: chain.crossing([0.0, 1.0], [0.0, 1.0, 2.0], 0.5), "a has shape"),
        (lambda: chain.crossing([0.0, 1.0], [0.0, np.nan], 0.5), "a = nan"),
        (lambda: chain.flow_from([], s=1.7, lam=0.6, times=[1.0]), "row of numbers"),
        (lambda: modes.aligned(digits, 2, 0.0), "a0 > 0"),
        (lambda: modes.random(digits, 2, 0.0), "saddle"),
        (lambda: modes.random(digits, 0, 0.1), "depth = 0"),
        (lambda: modes.train(digits, modes.aligned(digits, 2, 0.1), [4.0], 4.0), "too large"),
    ],
)
def test_bad_networks(make, says):
    """Each bad argument of a network or a measurement is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_escape_time_is_where_the_flow_passes():
    """The time found in stretches is that of one flow, followed finely; a level that no flow reaches is refused."""
    digits = modes.classes(0.6)
    weights, s = modes.aligned(digits, 3, 1e-3, hidden=12), digits.s.numpy()
    level, times = 0.3 * float((s**2).sum()) / 0.6, np.linspace(0, 90, 1801)
    agreement = modes.flow(digits, weights, times, rtol=1e-9) @ s
    rough, found = (modes.escape_time(digits, weights, level, rtol=rtol) for rtol in (1e-7, 1e-9))
    passed, seldom = (chain.crossing(times[::k], agreement[::k], level) for k in (1, 2))
    assert abs(found - passed) <= abs(found - rough) + abs(passed - seldom)  # each against itself
    with pytest.raises(ValueError, match="level = -0.1 must lie between 0 and"):
        modes.escape_time(digits, weights, -0.1)
    with pytest.raises(ValueError, match="which 10 units reach in the end"):
        modes.escape_time(digits, weights, 1e3)
    narrow = [0.3 * digits.V[:, :2].T, 0.3 * torch.eye(2, dtype=torch.float64), 0.3 * digits.U[:, :2]]
    reached = float((s[:2] ** 2).sum()) / 0.6
    with pytest.raises(ValueError, match="which 2 units reach in the end"):
        modes.escape_time(digits, narrow, 1.001 * reached)
    assert modes.escape_time(digits, narrow, 0.999 * reached, rtol=1e-6) > 0
    with pytest.raises(ValueError, match=r"weights\[1\] are all 0"):
        modes.escape_time(digits, [narrow[0], 0 * narrow[1], narrow[2]], level)
