"""The noise of the ensembles is what it is said to be: normal or uniform, to the tails, and independent."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from numerics.ensemble import _compiled, _random

MOST = 5.0  # standard errors: a false alarm in 2 million for each figure
compiled = _compiled.library() is not None


def words(seeds):
    """Seeds as pairs of words."""
    return np.array([[s % 2**32, s >> 32] for s in seeds], dtype=np.uint32)


def draws(seeds, count, step=0, stream=0, dtype="float32", uniform=False):
    """Noise as the kernel draws it, or as torch does where there is no kernel."""
    if compiled:
        return _compiled.draws(words(seeds), count, step=step, stream=stream, uniform=uniform, dtype=dtype)
    return by_torch(seeds, count, step, stream, uniform).astype(dtype)


def by_torch(seeds, count, step=0, stream=0, uniform=False):
    """The same by torch, in double precision."""
    draw = _random.uniform if uniform else _random.normal
    return draw(torch.from_numpy(words(seeds).view(np.int32)), count, range(step, step + 1), stream)[0].numpy()


def test_threefry_has_its_published_answers():
    """The words of Threefry 4x32 are those of its authors' known-answer test, for a key and a counter of zeros."""
    found = _random._threefry(torch.zeros(1, 2, dtype=torch.int32), 1, range(1), 0)
    assert [f"{int(w) % 2**32:08x}" for w in found.flatten()] == ["9c6ca96a", "e17eae66", "fc10ecd4", "5256a7d8"]


def test_xoshiro_is_its_authors():
    """The words of xoshiro128++ are those of its definition, in whole numbers modulo 2^32."""
    modulo, a, expected = 2**32, [1, 2, 3, 4], []
    rotated = lambda w, by: (w << by | w >> (32 - by)) % modulo  # noqa: E731
    for _ in range(200):
        expected.append((rotated((a[0] + a[3]) % modulo, 7) + a[0]) % modulo)
        c, d = a[2] ^ a[0], a[3] ^ a[1]
        a = [a[0] ^ d, a[1] ^ c, c ^ (a[1] << 9) % modulo, rotated(d, 11)]
    found = _random._xoshiro(torch.tensor([1, 2, 3, 4], dtype=torch.int32), 200)
    assert [int(w) % modulo for w in found] == expected and expected[:4] == [641, 1573767, 3222811527, 3517856514]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("step", [0, 7, 2**31, 2**32 + 5, 2**40])
@pytest.mark.parametrize("uniform", [False, True])
def test_both_backends_draw_the_same_numbers(dtype, step, uniform):
    """The kernel's numbers are those of torch, to the round-off of a logarithm and a cosine."""
    for stream in range(3):
        seeds = [0, 1, 2**32, 2**64 - 1, 12345678901234567890, *range(2, 16)]
        one = draws(seeds, 1006, step, stream, dtype, uniform)
        other = by_torch(seeds, 1006, step, stream, uniform)
        radius = np.hypot(other[:, 0::2], other[:, 1::2])  # sqrt(-2 ln u): a rounding of u near 1 counts 1/radius
        bound = 4 * np.finfo(dtype).eps * (1 + radius + 1 / radius).repeat(2, axis=1)
        assert one.shape == (19, 1006) and (np.abs(one - other) < bound).all()


def figures(blocks):
    """Moments and tails of what should be standard normal, in standard errors."""
    powers, beyond, count = np.zeros(4), np.zeros(5), 0
    for block in blocks:
        x = np.ravel(block).astype(np.float64)
        square = x * x
        powers += [x.sum(), square.sum(), square @ x, square @ square]
        beyond += [np.count_nonzero(square > s * s) for s in range(1, 6)]
        count += x.size
    moments = (powers / count - [0, 1, 0, 3]) / np.sqrt(np.array([1, 2, 15, 96]) / count)
    tail = 2 * norm.sf(np.arange(1, 6))
    tails = (beyond - count * tail) / np.sqrt(count * tail)
    names = ["mean", "variance", "skewness", "kurtosis", *(f"beyond {s} sigma" for s in range(1, 6))]
    return dict(zip(names, [*moments, *tails], strict=True))


def test_noise_is_normal_to_five_sigma():
    """Mean, variance, skewness, kurtosis and the tails to 5 sigma are those of normal numbers."""
    found = figures(draws(range(16), 2**18, step) for step in range(12 if compiled else 2))
    assert max(map(abs, found.values())) < MOST, found
    if compiled:
        found = figures(draws(range(16), 2**18, step, dtype="float64") for step in range(2))
        assert max(map(abs, found.values())) < MOST, found


def test_other_noise_is_caught():
    """The same figures reject a table whose tails stop, a sum of twelve uniform numbers, and a wrong scale."""
    generator = np.random.default_rng(0)
    table = generator.standard_normal(2**15)
    rivals = {
        "table": lambda: table[generator.integers(len(table), size=2**20)],
        "sum of twelve": lambda: generator.random((12, 2**20)).sum(0) - 6,
        "two parts in a thousand": lambda: 1.002 * generator.standard_normal(2**20),
    }
    for name, draw in rivals.items():
        found = figures(draw() for _ in range(8))
        assert max(map(abs, found.values())) > MOST, (name, found)


def test_uniform_noise_is_uniform():
    """Label noise of the other kind has mean 0, variance 1, fourth moment 9/5, and ends at sqrt(3)."""
    x = np.concatenate([draws(range(16), 2**16, step, 1, uniform=True).ravel() for step in range(4)]).astype(float)
    moments = [x.mean(), (x**2).mean() - 1, (x**4).mean() - 9 / 5]
    errors = np.sqrt(np.array([1, 4 / 5, 9 - 81 / 25]) / x.size)
    assert np.max(np.abs(moments / errors)) < MOST and 1.732 < np.abs(x).max() <= 1.7320509


def dependence(one, other):
    """Covariance of numbers, and of their squares, in standard errors."""
    a, b = (np.ravel(v).astype(np.float64) for v in (one, other))
    plain = (a * b).mean() * np.sqrt(a.size)
    return max(abs(plain), abs(((a * a - 1) * (b * b - 1)).mean() * np.sqrt(a.size) / 2))


def test_noise_is_independent():
    """Steps, parameters, networks, streams and seeds that differ in one bit have nothing to do with one another."""
    count = 2**17
    here = draws(range(16), count)
    pairs = {
        "next step": (here, draws(range(16), count, 1)),
        "step 2^32 later": (here, draws(range(16), count, 2**32)),
        "another stream": (here, draws(range(16), count, 0, 1)),
        "next seed": (here, draws(range(1, 17), count)),
        "seed with another high word": (here, draws([s + 2**32 for s in range(16)], count)),
        "networks of one group": (here[:-1], here[1:]),
        **{f"parameter {k} further": (here[:, :-k], here[:, k:]) for k in (1, 2, 3, 4, 8, 21, 127, 128, 129)},
    }
    for name, (one, other) in pairs.items():
        assert not np.array_equal(one, other), name
        assert dependence(one, other) < MOST, name
    shifted = here + 0.01 * draws(range(16), count, 1)
    assert dependence(shifted, draws(range(16), count, 1)) > MOST
