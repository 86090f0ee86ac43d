"""Prompts are what they say, attention attends, and both refuse what cannot be."""

import numpy as np
import pytest
import torch

from numerics import attention
from theory.attention import context_variance, merged_attention

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: attention.drawn(0, 2, 3, seed=0), "count = 0"),
        (lambda: attention.drawn(5, 2.0, 3, seed=0), "dimensions = 2.0"),
        (lambda: attention.grid(4, 4), "too large"),
        (lambda: attention.grid(2, 0), "length = 0"),
        (lambda: attention.balanced(2, 0.0), "sigma0 = 0.0"),
        (lambda: attention.random(2, -1.0, seed=0), "scale = -1.0"),
        (lambda: merged_attention(t=1.0, D=2, N=3, sigma0=0.0, tau=1.0), "saddle"),
        (lambda: context_variance(D=2, N=0), "N >= 1"),
    ],
)
def test_bad_prompts(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_grids_have_normal_moments():
    """The weights of a grid sum to 1, and its moments are the normal ones to the order that the loss needs."""
    grid = attention.grid(2, 2)
    w, x = grid.weight.numpy(), grid.x.numpy()
    for value, moment in ((w, 1), (w * x[:, 0, 0] ** 4, 3), (w * (x[:, 0, 0] * x[:, 0, 1]) ** 2, 1)):
        assert value.sum() == pytest.approx(moment, rel=len(value) * EPS, abs=0)
    assert len(grid.x) == 3**4 * 4**2


def test_attention_attends():
    """The answer sums, over examples, value times the match of key and query, as written out."""
    prompts, (value, merged) = attention.drawn(3, 2, 4, seed=1), attention.random(2, 0.7, seed=2)
    seen = attention.answers((value, merged), prompts)
    for p in range(3):
        scores = [float(prompts.x[p, n] @ merged @ prompts.query[p]) for n in range(4)]
        by_hand = float(value) * np.mean([float(prompts.y[p, n]) * scores[n] for n in range(4)])
        sizes = prompts.y[p].abs() * (prompts.x[p].abs() @ merged.abs() @ prompts.query[p].abs())
        rounding = 2 * (2 + 2 + 4) * EPS * float(value.abs() * sizes.mean())  # sums over dimensions and examples
        assert float(seen[p]) == pytest.approx(by_hand, rel=0, abs=rounding)


def test_balanced_weights():
    """Balanced weights have the shrinkage asked for, and layers of one size."""
    value, merged = attention.balanced(3, 0.02)
    assert float(attention.shrinkage((value, merged))) == pytest.approx(0.02, rel=8 * EPS, abs=0)
    assert float(value**2) == pytest.approx(float(torch.sum(merged**2)), rel=8 * EPS, abs=0)
