"""Softmax retrieval: its number of keys to all digits, what it refuses, and that it really attends."""

import mpmath as mp
import numpy as np
import pytest
import torch

from numerics import memory
from theory.memory import effective_keys

EPS = np.finfo(float).eps


@pytest.mark.parametrize("signal", [0.01, 0.3, 1.0, 3.0, 8.0, 20.0])
def test_two_keys(signal):
    """For two keys the number in use is that of one integral over their log-odds, to rounding."""
    g = mp.mpf(signal)
    with mp.workdps(30):
        chance = mp.quad(lambda z: mp.npdf(z) / (1 + mp.exp(-(g**2) - mp.sqrt(2) * g * z)), mp.linspace(-15, 15, 61))
        error = abs(effective_keys(signal, 2) * chance - 1)
    assert error < 8 * EPS


def test_number_of_keys_has_its_limits():
    """One key is used without noise, all of them without signal; in between their number falls with the signal."""
    signals = np.array([1e-9, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0])
    for keys in (2, 7, 1000):
        found = effective_keys(signals, keys)
        assert np.all(np.diff(found) < 0)
        np.testing.assert_array_max_ulp(found[[0, -1]], [keys, 1.0], maxulp=16)


@pytest.mark.parametrize(
    "signal, keys, error, says",
    [
        (0.0, 3, ValueError, "signal = 0.0"),
        (21.0, 3, ValueError, "signal = 21.0"),
        (np.nan, 3, ValueError, "signal"),
        ("1", 3, TypeError, "signal = '1'"),
        (1.0, 1, ValueError, "keys = 1"),
        (1.0, 2.5, TypeError, "keys = 2.5"),
        (1.0, True, TypeError, "keys = True"),
    ],
)
def test_bad_signals_and_keys(signal, keys, error, says):
    """A signal beyond 20 or not above 0, and a number of keys below 2, are refused by name."""
    with pytest.raises(error, match=says):
        effective_keys(signal, keys)


def test_keys():
    """Orthogonal keys are orthogonal and of their length; digits are of one length, and differ."""
    keys = memory.orthogonal(5, 1.3, seed=2)
    squares = 1.69 * torch.eye(5, dtype=torch.float64)
    torch.testing.assert_close(keys @ keys.T, squares, rtol=0, atol=4 * 5 * EPS * 1.69)  # a frame, and its square
    shown = memory.digits(64, 1.3, seed=2)
    lengths = torch.full((64,), 1.3, dtype=torch.float64)
    torch.testing.assert_close(torch.linalg.norm(shown, dim=1), lengths, rtol=2 * shown.shape[1] * EPS, atol=0)
    assert torch.linalg.matrix_rank(shown) > 50


def test_training_is_deterministic_and_descends():
    """Training from one seed gives the same bits, and each network ends below its neighbours on its own queries."""
    keys = memory.orthogonal(4, 1.3, seed=2)
    found = memory.train(keys, 0.7, 200, networks=3, seed=5)
    np.testing.assert_array_equal(found, memory.train(keys, 0.7, 200, networks=3, seed=5))
    query, target = memory.queries(keys, 0.7, 600, seed=5)
    for beta, q, k in zip(found, query.split(200), target.split(200), strict=True):
        loss = [memory.squared_error(q, k, keys, beta * f).mean().item() for f in (1 - 1e-3, 1, 1 + 1e-3)]
        assert loss[1] < min(loss[0], loss[2])


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: memory.orthogonal(1, 1.3, seed=0), "count = 1"),
        (lambda: memory.orthogonal(3, 0.0, seed=0), "length = 0.0"),
        (lambda: memory.digits(1798, 1.3, seed=0), "count = 1798"),
        (lambda: memory.queries(memory.orthogonal(3, 1.3, seed=0), -1.0, 5, seed=0), "sigma = -1.0"),
        (lambda: memory.every_query(memory.orthogonal(9, 1.3, seed=0), 0.5, 30), "points = 30"),
    ],
)
def test_bad_input(call, says):
    """What makes no keys or queries is refused by name."""
    with pytest.raises(ValueError, match=says):
        call()
