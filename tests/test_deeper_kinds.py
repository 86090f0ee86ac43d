"""Convolutional networks and transformers compute what torch's own layers compute, and refuse what does not fit."""

import numpy as np
import pytest
import torch

from numerics import noise, text

SIDE, TOKENS, CONTEXT = 7, 11, 6


def images(rows=5):
    """Rows of pixels."""
    return torch.randn(rows, SIDE**2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def tokens(rows=5):
    """Rows of tokens."""
    return torch.randint(TOKENS, (rows, CONTEXT), generator=torch.Generator().manual_seed(1))


def convolutional(**change):
    """Filters on images with an odd number of pixels, so that the rim counts."""
    return noise.convolutional(SIDE, (3, 4), 5, 2, seed=2, **change)


def transformer(**change):
    """Two blocks of two heads."""
    return noise.transformer(TOKENS, CONTEXT, 8, 10, 2, 2, seed=2, **change)


KINDS = {"convolutional": (convolutional, images), "transformer": (transformer, tokens)}
both = pytest.mark.parametrize("kind", KINDS)


def assert_equal_to_rounding(found, wanted, network, x):
    """Layers are off by what rounding does: in proportion, of the order of what it does in single precision."""
    single = network.with_weights([w.float() for w in network.weights])
    shorter = single.hidden(x.float() if x.is_floating_point() else x)
    epsilon = torch.finfo(torch.float64).eps / torch.finfo(torch.float32).eps
    for one, other, exact, short in zip(found, wanted, network.hidden(x), shorter, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype
        assert float((one - other).abs().max()) <= 10 * epsilon * float((exact - short).abs().max())


def test_filters_are_those_of_torch():
    """Layer by layer the network is torch.nn.Conv2d of step 2, torch.nn.Linear and ReLU."""
    network, x = convolutional(), images()
    K1, b1, K2, b2, W3, b3, W4, b4 = network.weights
    h1 = torch.relu(torch.nn.functional.conv2d(x.reshape(-1, 1, SIDE, SIDE), K1, b1, stride=2, padding=1))
    h2 = torch.relu(torch.nn.functional.conv2d(h1, K2, b2, stride=2, padding=1))
    h3 = torch.relu(torch.nn.functional.linear(h2.flatten(1), W3, b3))
    wanted = [h1.flatten(2).mT, h2.flatten(2).mT, h3, torch.nn.functional.linear(h3, W4, b4)]
    assert_equal_to_rounding(network.hidden(x), wanted, network, x)
    assert network.places == (h1[0, 0].numel(), h2[0, 0].numel())


def test_blocks_are_those_of_torch():
    """The transformer is torch's encoder with the norms first, ReLU, and a mask that hides what comes later."""
    network, x = transformer(), tokens()
    E, P, *_, gain, shift, U = (w + 0.1 * torch.cos(torch.arange(w.numel())).reshape(w.shape) for w in network.weights)
    network = network.with_weights([E, P, *(1.3 * w - 0.1 for w in network.weights[2:-3]), gain, shift, U])
    h, mask = E[x] + P, torch.nn.Transformer.generate_square_subsequent_mask(CONTEXT, dtype=torch.float64)
    for block in network.blocks:
        layer = torch.nn.TransformerEncoderLayer(8, 2, 10, 0.0, norm_first=True, batch_first=True, dtype=torch.float64)
        theirs = (
            layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias, layer.self_attn.out_proj.weight,
            layer.self_attn.out_proj.bias, layer.linear1.weight, layer.linear1.bias, layer.linear2.weight,
            layer.linear2.bias, layer.norm1.weight, layer.norm1.bias, layer.norm2.weight, layer.norm2.bias,
        )  # fmt: skip
        ours = (*block[2:6], *block[8:], *block[:2], *block[6:8])
        with torch.no_grad():
            for parameter, value in zip(theirs, ours, strict=True):
                parameter.copy_(value)
        h = layer(h, src_mask=mask)
    wanted = (torch.nn.functional.layer_norm(h, (8,), gain, shift) @ U.T).detach()
    assert_equal_to_rounding([*network.hidden(x)[:-1], network(x)], [*network.hidden(x)[:-1], wanted], network, x)


def test_no_place_sees_what_comes_later():
    """Other tokens from the fourth place on change no output before it."""
    network, x = transformer(), tokens()
    other = torch.cat([x[:, :3], (x[:, 3:] + 1) % TOKENS], dim=1)
    first, second = network(x), network(other)
    assert torch.equal(first[:, :3], second[:, :3]) and not torch.equal(first[:, 3:], second[:, 3:])
    few = [layer[:, :3] for layer in network.hidden(x)]  # and fewer places than there could be will do
    assert_equal_to_rounding(network.hidden(x[:, :3]), few, network, x[:, :3])


@both
def test_networks_side_by_side_are_networks(kind):
    """Networks with leading axes are the same networks one by one, in every layer."""
    make, data = KINDS[kind]
    together, x = make(networks=(2, 3)), data()
    found = together.hidden(x.expand(2, 3, *x.shape))
    for i, j in np.ndindex(2, 3):
        one = make().with_weights([w[i, j] for w in together.weights])
        assert_equal_to_rounding([h[i, j] for h in found], one.hidden(x), one, x)


@both
def test_noise_stands_before_its_layers(kind):
    """Noise is added to rows of what the chosen layers read, and to nothing else."""
    make, data = KINDS[kind]
    network, x, seen = make(), data(), []

    def spy(h, strength, generator):
        seen.append(h)
        return h + 1

    cost = lambda output, target: output.square().sum(-1)  # noqa: E731
    found = noise.Disturbed(spy, cost, (0, 1))(network, x, None, 1.0, None)
    assert len(seen) == 2 and all(h.ndim == 2 for h in seen)
    assert found.shape == () and found != cost(network(x), None).mean()
    with pytest.raises(ValueError, match=r"before = \(9,\)"):
        noise.Disturbed(spy, cost, (9,))(network, x, None, 1.0, None)


@both
def test_training_is_repeatable_and_learns(kind):
    """One seed gives the same bits; after training every network finds more of what it is taught."""
    make, data = KINDS[kind]
    start, x = make(networks=(2,)), data()
    target = torch.arange(len(x)) % 2 if kind == "convolutional" else x.roll(1, 0)
    objective = noise.Disturbed(noise.Gaussian(0.1), noise.cross_entropy)
    schedule = noise.Schedule(60)
    run = lambda: noise.train(start, x, objective, noise.Adam(0.02), schedule, batch=5, seed=4, target=target)  # noqa: E731
    for one, two in zip(run().weights, run().weights, strict=True):
        assert torch.equal(one, two)
    assert torch.all(noise.accuracy(run(), x, target) > noise.accuracy(start, x, target))


def test_units_of_filters_are_counted_over_places():
    """A filter is dead if it is silent everywhere, and counts as active in proportion to the places where it is on."""
    start = noise.convolutional(2, (2, 1), 1, 1, seed=0)
    K1 = torch.zeros_like(start.weights[0])
    K1[0, 0, 1, 1] = 1.0  # sees the upper left pixel at its one place
    network = start.with_weights([K1, torch.tensor([0.0, -1.0]), *start.weights[2:]])
    x = torch.tensor([[1.0, -1, -1, -1], [-1.0, 1, 1, 1]], dtype=torch.float64)
    found = noise.layer_activity(network.with_weights([w.double() for w in network.weights]), x)
    assert found.active[0] == 1 / 4 and found.dead[0] == 1 / 2
    assert found.active.shape == found.dead.shape == (3,)


@pytest.mark.parametrize("steps", [1, 20])
def test_momentum_is_torch_momentum(steps):
    """Momentum takes the steps of torch.optim.SGD with momentum."""
    ours = torch.tensor([1.0, -2.0], dtype=torch.float64)
    theirs, curvature = ours.clone().requires_grad_(), torch.tensor([0.3, 0.7], dtype=torch.float64)
    by, other = noise.Momentum(0.1, 0.8), torch.optim.SGD([theirs], lr=0.1, momentum=0.8)
    weights, state = [ours], by.start([ours])
    for _ in range(steps):
        (theirs.square() * curvature).sum().backward()
        weights, state = by.step(weights, [2 * weights[0] * curvature], state, by.eta)
        other.step()
        other.zero_grad()
    rounding = 8 * steps * torch.finfo(torch.float64).eps * 2  # of a step eight, of weights up to 2
    assert float((weights[0] - theirs.detach()).abs().max()) <= rounding


def test_text_is_what_it_says():
    """The names end with lines, use the whole alphabet and nothing else, and none stands twice."""
    found = text.names()
    lines = found.splitlines()
    assert len(found) == 326_850 and len(lines) == len(set(lines)) == 11_398
    assert sorted(set(found)) == list(text.ALPHABET)
    assert "LATIN SMALL LETTER A WITH GRAVE" in lines and not any("SYLLABLE-" in line for line in lines)


def test_windows_are_of_the_text():
    """Letters and what follows them are those of the text; the last tenth is held out."""
    seen, found = text.windows(20), text.names()
    spelt = lambda row: "".join(text.ALPHABET[k] for k in row)  # noqa: E731
    assert spelt(seen.train[7]) == found[7:27] and spelt(seen.train_next[7]) == found[8:28]
    first = len(found) - len(found) // 10
    assert spelt(seen.held_out[3]) == found[first + 60 : first + 80]
    assert spelt(seen.held_out_next[3]) == found[first + 61 : first + 81]
    assert spelt(seen.train_next[-1]) == found[first - 20 : first]


def test_another_text_is_refused(monkeypatch):
    """A Python whose names differ is told so, and nothing is measured with them."""
    monkeypatch.setattr(text, "SHA256", "0")
    with pytest.raises(RuntimeError, match="SHA-256 eeab"):
        text.names.__wrapped__()


def ones(*shapes):
    """Weights of these shapes."""
    return tuple(torch.ones(shape, dtype=torch.float64) for shape in shapes)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: noise.convolutional(1, (2, 2), 3, 2, seed=0), "side = 1"),
        (lambda: noise.convolutional(4, (2, 0), 3, 2, seed=0), "filters = 0"),
        (lambda: noise.Convolutional(ones((2, 1, 3, 3)), 4), "1 tensors"),
        (lambda: convolutional().with_weights([*convolutional().weights[:2], *ones((4, 2, 3, 3)), *ones((4,)),
                                               *convolutional().weights[4:]]), "K2"),
        (lambda: convolutional().check(torch.ones(3, 5, dtype=torch.float64)), "49 inputs"),
        (lambda: convolutional().check(torch.ones(3, 49)), "float32"),
        (lambda: noise.transformer(5, 4, 6, 3, 1, 4, seed=0), "heads = 4"),
        (lambda: noise.transformer(5, 4, 6, 3, 0, 2, seed=0), "blocks = 0"),
        (lambda: noise.Transformer(ones((5, 6)), 2), "1 tensors"),
        (lambda: transformer().with_weights([*transformer().weights[:-1], *ones((12, 8))]), "U has shape"),
        (lambda: transformer().check(tokens() * 2), "there are 11"),
        (lambda: transformer().check(torch.zeros(2, 7, dtype=torch.int64)), "up to 6"),
        (lambda: transformer().check(torch.zeros(2, 6)), "float32"),
        (lambda: noise.Momentum(0.0), "eta = 0"),
        (lambda: noise.Momentum(0.1, 1.0), "decay = 1"),
        (lambda: text.windows(0), "length = 0"),
        (lambda: text.windows(10**6), "length = 1000000"),
    ],
)  # fmt: skip
def test_bad_input(call, says):
    """What does not fit is refused by name."""
    with pytest.raises(ValueError, match=says):
        call()
