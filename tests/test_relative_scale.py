"""Networks of two scales: the gradient against autograd, selectivity of known filters, bad input, seeds."""

import pytest
import torch
from torch.nn.functional import one_hot

from numerics import relative_scale
from numerics.relative_scale import Addition, Photographs

EPS = torch.finfo(torch.float64).eps


def test_slopes():
    """The hand-written gradient of the quadratic network is autograd's."""
    generator = torch.Generator().manual_seed(0)
    weights = relative_scale._drawn((10, 7, 5), 1.7, generator)
    weights = [w.double().requires_grad_() for w in weights]
    x = torch.randn(12, 10, generator=generator, dtype=torch.float64)
    target = one_hot(torch.arange(12) % 5, 5).double()
    loss = ((x @ weights[0]) ** 2 @ weights[1] - target).square().mean() / 2
    expected = torch.autograd.grad(loss, weights)
    for found, slope in zip(relative_scale._slopes(weights, x, target), expected, strict=True):
        rounding = 2 * (10 + 7 + 5 + 12) * EPS * float(slope.abs().max())  # of sums over layers and examples
        assert float((found - slope).detach().abs().max()) <= rounding


def test_first_answers_are_alike():
    """At every scale the network starts with the same answers."""
    x = torch.eye(10)
    answers = []
    for scale in (0.5, 1.0, 2.0):
        weights = relative_scale._drawn((10, 7, 5), scale, torch.Generator().manual_seed(0))
        answers.append(relative_scale._answers(weights, x))
    assert torch.equal(answers[0], answers[1]) and torch.equal(answers[0], answers[2])  # powers of 2 round nothing


def test_grokking_ends_when_nine_tenths_are_right():
    """The run stops where both shares reach nine tenths, learnt pairs first; the same seed gives the same bits."""
    small = Addition(hidden=96)
    found, again = (relative_scale.grok(small, 0.5, seed=1) for _ in range(2))
    assert found.right[-1].min() >= relative_scale.RIGHT > found.right[:-1].min(axis=1).max()
    assert found.delay == found.held_out - found.learnt >= 0 and (found.right == again.right).all()


def test_selectivity_of_known_filters():
    """A grating is far more selective than noise, a round blob hardly at all, and size and contrast do not count."""
    x = torch.arange(9, dtype=torch.float64) - 4
    blob = torch.exp(-(x[:, None] ** 2 + x**2) / 3)
    grating = torch.cos(1.3 * x) * blob
    noise = torch.randn(200, 9, 9, generator=torch.Generator().manual_seed(0))
    round_, lined, louder = relative_scale.selectivity(torch.stack([blob, grating, 7 * grating])).tolist()
    rounding = (4 * 9) ** 2 * EPS  # of sums over all waves
    assert round_ < rounding < relative_scale.selectivity(noise).mean() < lined and abs(lined - louder) < rounding


def test_filters_are_repeatable():
    """The same seed gives the same filters, another seed others."""
    task = Photographs(filters=4, steps=3)
    kernels = [relative_scale.filters(task, 0.3, seed=seed)[0] for seed in (0, 0, 1)]
    assert torch.equal(kernels[0], kernels[1]) and not torch.equal(kernels[0], kernels[2])


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: relative_scale.grok(Addition(), 0.0, seed=0), "scale = 0.0"),
        (lambda: relative_scale.filters(Photographs(), -1.0, seed=0), "scale = -1.0"),
        (lambda: Addition(momentum=1.0), "momentum = 1.0"),
        (lambda: Photographs(size=30), "size = 30"),
        (lambda: relative_scale.selectivity(torch.zeros(3, 3)), "shape"),
        (lambda: relative_scale.grok(Addition(steps=10), 1.0, seed=0), "after 10 steps"),
    ],
)
def test_bad_input(build, says):
    """Bad settings are refused by name, and a network that has not learnt is no measurement."""
    with pytest.raises((ValueError, ArithmeticError), match=says):
        build()
