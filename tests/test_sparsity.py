"""What is measured of sparse networks is what it says, and nonsense is refused before any work."""

import numpy as np
import pytest
import torch

from numerics import hessian as derivatives
from numerics.ensemble import Network, Tanh
from numerics.similarity import Matching, learn, settle
from numerics.sparsity import decay, halving, spectra, tasks

EPS = np.finfo(float).eps


def test_spectra_are_those_of_the_hessian():
    """Where the loss vanishes they are the eigenvalues of the Hessian by autograd that are not 0."""
    network = Network(3, 9, 2)
    x, _, _ = tasks(network, 4, networks=3, seed=1)
    theta = np.random.default_rng(0).normal(size=(3, *network.shape))
    for k, found in enumerate(spectra(network, x, theta)):
        X, where = torch.from_numpy(x[k]), torch.from_numpy(theta[k])

        def outputs(p, X=X):
            w, b, n = network.parts(p)
            return torch.relu(X @ w.T + b) @ n

        y = outputs(where)
        H = derivatives.hessian(lambda p, y=y, f=outputs: ((f(p) - y) ** 2).mean(), where)
        expected = torch.linalg.eigvalsh(H).numpy()
        assert np.abs(found - expected[-8:]).max() < len(H) * EPS * expected[-1]
        assert np.abs(expected[:-8]).max() < len(H) * EPS * expected[-1]


def test_tasks_are_drawn_from_their_seed():
    """The same seed gives the same tasks; every network has its own, and its own seed."""
    x, y, seeds = tasks(Network(3, 9, 2), 4, networks=5, seed=1)
    again, other = tasks(Network(3, 9, 2), 4, networks=5, seed=1), tasks(Network(3, 9, 2), 4, networks=5, seed=2)
    assert np.array_equal(x, again[0]) and seeds == again[2] and not np.array_equal(y, other[1])
    assert x.shape == (5, 4, 3) and y.shape == (5, 4, 2) and len(set(seeds)) == 5 and not np.array_equal(x[0], x[1])


def test_times_of_exponentials():
    """An exponential has its time scale, and its half-life to the error of a line between two records."""
    t, scales = np.linspace(0, 400, 4001), np.array([7.0, 10.0])
    active = 90 * np.exp(-t[:, None] / scales)
    assert np.abs(decay(t, active) - scales).max() < 1e3 * EPS * scales.max()
    assert np.abs(halving(t, active) - scales * np.log(2)).max() < 0.1**2 / (8 * scales.min())


def test_rates_settle():
    """Settled rates solve the quadratic problem with y >= 0: no slope where active, none downhill where silent."""
    draw, settings = np.random.default_rng(0), Matching(units=12, iterations=4000)
    W, M = draw.normal(size=(3, 12, 2)), np.eye(12) + 0.1 * draw.uniform(size=(3, 12, 12))
    M = (M + M.swapaxes(1, 2)) / 2
    x = draw.normal(size=(3, 2, 5))
    y = settle(settings, W, M, x)
    slope = M @ y + settings.shrink * y - W @ x
    assert (y >= 0).all() and (y > 0).any() and (y == 0).any()
    assert np.abs(slope * y).max() < 1e3 * EPS and slope[y == 0].min() > -1e3 * EPS


def test_matching_is_learnt():
    """Similarities are matched better with time; the same seed gives the same course, and another another."""
    settings = Matching(units=12, relax=0.1, iterations=40)
    one = learn(settings, networks=2, steps=[0, 400], seed=1)
    again, other = (learn(settings, networks=2, steps=[0, 400], seed=seed) for seed in (1, 2))
    assert (one.error[1] < one.error[0]).all() and (one.active_units[0] == 12).all()
    assert np.array_equal(one.error, again.error) and not np.array_equal(one.error, other.error)


network = Network(3, 9, 2)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tasks(network, 0, networks=1, seed=1), "samples = 0"),
        (lambda: tasks(network, 1, networks=1, seed=-1), "seed = -1"),
        (lambda: spectra(Network(3, 9, 2, Tanh()), np.ones((1, 4, 3)), np.ones((1, 9, 6))), "must be ReLUs"),
        (lambda: spectra(network, np.ones((1, 4, 3)), np.ones((2, 9, 6))), "do not fit"),
        (lambda: halving([0, 1], [[8.0], [5.0]]), "active = 5 at the last step"),
        (lambda: decay([0, 1, 2], [[8.0], [0.5], [0.0]]), "too fast"),
        (lambda: Matching(units=0), "units = 0"),
        (lambda: Matching(eta=2.0), "eta = 2.0"),
        (lambda: Matching(noise=-1.0), "noise = -1.0"),
        (lambda: learn(Matching(units=3), networks=1, steps=[3, 2], seed=1), "that increase"),
        (lambda: learn(Matching(units=3), networks=0, steps=[3], seed=1), "networks = 0"),
    ],
)
def test_bad_input(call, says):
    """What makes no sense is refused, with its name and value."""
    with pytest.raises(ValueError, match=says):
        call()
