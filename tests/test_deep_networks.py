"""Networks of several layers with noise inside: they compute what torch computes, and refuse what does not fit."""

import numpy as np
import pytest
import torch

from numerics import noise


def rounding(network, x):
    """What float64 may be off: as many roundings as sums have terms, of a network that is all positive."""
    positive = network.with_weights([w.abs() for w in network.weights])
    terms = sum(W.shape[-1] + 1 for W, _ in network.layers)
    return 2 * terms * torch.finfo(torch.float64).eps * positive(x.abs())


def test_perceptron_is_a_stack_of_linear_layers():
    """Its output is that of torch.nn.Linear and ReLU with the same weights, network by network."""
    network = noise.perceptron(5, 7, 6, 3, seed=2, networks=(2,))
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for k in range(2):
        h = x
        for layer, (W, b) in enumerate(network.layers):
            h = torch.nn.functional.linear(h, W[k], b[k])
            h = h if layer == 2 else torch.relu(h)
        gap, bound = (network(x.expand(2, 4, 5))[k] - h).abs(), rounding(network, x.expand(2, 4, 5))[k]
        assert bool((gap <= bound).all())


@pytest.mark.parametrize("before", [0, 1, 2])
def test_noise_stands_before_its_layer(before):
    """Noise changes what its layer and later ones read, and no earlier layer."""
    network, seen = noise.perceptron(5, 7, 6, 3, seed=2), []
    x = torch.ones(4, 5, dtype=torch.float64)

    def spy(h, strength, generator):
        seen.append(h)
        return h + 1

    cost = noise.Disturbed(spy, noise.squared_error, (before,))(network, x, torch.zeros(4, 3), 1.0, None)
    clean = [x, *network.hidden(x)]
    assert len(seen) == 1 and torch.equal(seen[0], clean[before])
    assert cost != noise.squared_error(clean[-1], torch.zeros(4, 3)).mean(-1)


def test_layer_activity_and_accuracy():
    """Shares of what is on, of units that never are, and of rows whose class is found, counted by hand."""
    W, b = torch.tensor([[1.0], [-1.0], [0.0]]), torch.tensor([0.0, 0.0, -1.0])
    top = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    network = noise.Perceptron((W, b, top, torch.zeros(2)))
    x = torch.tensor([[2.0], [3.0], [-1.0], [4.0]])
    found = noise.layer_activity(network, x)
    assert torch.equal(found.active, torch.tensor([4 / 12]))
    assert torch.equal(found.dead, torch.tensor([1 / 3]))
    assert noise.accuracy(network, x, torch.tensor([0, 0, 1, 1])) == 0.75


def test_training_is_repeatable_and_learns():
    """One seed gives the same bits; the loss of every network falls."""
    x = torch.randn(60, 5, generator=torch.Generator().manual_seed(1))
    target = (x[:, 0] > 0).long()
    start = noise.perceptron(5, 8, 8, 2, seed=2, networks=(3,), dtype=torch.float32)
    objective = noise.Disturbed(noise.Gaussian(0.1), noise.cross_entropy, (1,))
    run = lambda: noise.train(  # noqa: E731
        start, x, objective, noise.SGD(0.3), noise.Schedule(150), batch=20, seed=4, target=target
    )
    for one, two in zip(run().weights, run().weights, strict=True):
        assert torch.equal(one, two)
    assert torch.all(noise.accuracy(run(), x, target) > noise.accuracy(start, x, target))


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: noise.perceptron(5, 3, seed=0), r"widths = \(5, 3\)"),
        (lambda: noise.perceptron(5, 0, 3, seed=0), "widths = 0"),
        (lambda: noise.Perceptron((torch.ones(3, 2), torch.ones(3))), "2 tensors"),
        (lambda: noise.Perceptron((torch.ones(3, 2), torch.ones(3), torch.ones(2, 4), torch.ones(2))), "layer 2"),
        (
            lambda: noise.Disturbed(noise.Gaussian(0.1), noise.squared_error, (2,))(
                noise.perceptron(5, 4, 3, seed=0), torch.ones(1, 5), torch.ones(1, 3), 1.0, None
            ),
            r"before = \(2,\)",
        ),
    ],
)
def test_bad_input(call, says):
    """Networks that do not fit together, and noise before a layer that is not there, are refused by name."""
    with pytest.raises(ValueError, match=says):
        call()


def test_weights_that_are_not_finite():
    """A weight that is not finite is named before training."""
    network = noise.perceptron(5, 4, 3, seed=0)
    bad = network.with_weights([*network.weights[:3], np.nan * network.weights[3]])
    objective = noise.Disturbed(noise.Gaussian(0.1), noise.squared_error)
    with pytest.raises(ValueError, match="b2 is not finite"):
        x = torch.ones(3, 5, dtype=torch.float64)
        noise.train(bad, x, objective, noise.SGD(0.1), noise.Schedule(2), batch=1, seed=0, target=x[:, :3])
