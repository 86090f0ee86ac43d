"""The differentiable exact loss, noisy training and natural images: right, repeatable, and clear about bad input."""

import math

import numpy as np
import pytest
import torch

from numerics import noise, patches
from numerics.marginalised import CRAMER, _close, marginalised_loss, marginalised_terms, remainder
from theory.noise import _float, expected_loss

EPS = torch.finfo(torch.float64).eps
NOISES = (noise.Gaussian, noise.Laplace, noise.SaltAndPepper)
x = torch.randn(30, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def network(kind):
    """Weights of 14 units on 6 inputs: as drawn, with near-duplicates and opposites, or far from the threshold."""
    start = noise.initial(6, 14, seed=3)
    W, b = start.W_e.clone(), start.b_e.clone()
    if kind == "duplicates":
        W[1], W[2], W[3], W[4] = W[0], 2 * W[0], -W[0], W[5] + 1e-7 * W[6]
        W[7], W[8], W[9] = W[10] + 1e-3 * W[11], 0 * W[8], -W[12] + 1e-2 * W[13]
    if kind == "extreme":
        W, b = 6 * W, b + torch.linspace(-30, 30, 14, dtype=torch.float64)
    return start.with_weights([W, b, start.W_d, start.b_d])


@pytest.mark.parametrize("kind", ["as drawn", "duplicates", "extreme"])
@pytest.mark.parametrize("error", [1e-4, 1e-9, 1e-12])
def test_exact_loss_within_its_stated_error(kind, error):
    """Each covariance errs by at most `error`, which bounds the error of the loss; checked against the exact one."""
    here, sigma = network(kind), 0.8
    exact = expected_loss(x.numpy(), *(w.numpy() for w in here.weights), sigma)
    found = marginalised_terms(x, *here.weights, sigma, error=error)
    s = sigma * here.W_e.norm(dim=1)
    gram = (here.W_d.T @ here.W_d).abs() * s[:, None] * s
    rounding = 64 * len(s) * EPS * float(exact.total)
    allowed = error * float(gram.sum() - gram.diagonal().sum()) + rounding
    parts = (exact.clean, exact.margin, exact.sparsity, exact.specialisation)
    assert all(abs(v.item() - wanted) <= allowed for v, wanted in zip(found, parts, strict=True))
    assert abs(marginalised_loss(x, *here.weights, sigma, error=error).item() - exact.total) <= allowed


def test_remainder_bounds_what_is_left_out():
    """No product of two Hermite functions exceeds the constant in the bound of the remainder."""
    a = np.linspace(-12, 12, 4001)
    before, psi, largest = np.zeros_like(a), np.exp(-(a**2) / 2) / math.sqrt(2 * math.pi), []
    for k in range(60):
        largest.append(np.max(np.abs(psi)))
        before, psi = psi, (a * psi - math.sqrt(k) * before) / math.sqrt(k + 1)
    assert max(largest) ** 2 <= CRAMER
    rest = sum(CRAMER * 0.6**n / (n * (n - 1)) for n in range(21, 200))
    assert rest <= remainder(0.6, 20)


@pytest.mark.parametrize("kind", ["as drawn", "duplicates"])
def test_exact_gradient(kind):
    """The gradient of the exact loss is that of its values, in every tensor."""
    start = noise.initial(3, 4, seed=5)
    leaves = [w.clone() for w in start.weights]
    if kind == "duplicates":
        leaves[0][1] = leaves[0][0] + 1e-2 * leaves[0][2]
    leaves = [w.requires_grad_() for w in (x[:2, :3].clone(), *leaves)]
    assert torch.autograd.gradcheck(lambda *t: marginalised_loss(*t, 0.8), leaves)
    assert torch.autograd.gradcheck(lambda *t: sum(marginalised_terms(*t, 0.8)), leaves)


def test_close_pairs_within_their_stated_error():
    """The rule of as many points as the bound asks for keeps every covariance within the error, near rho = 1 too."""
    one, other = (v.reshape(-1) for v in torch.meshgrid(*[torch.linspace(-6, 6, 25).double()] * 2, indexing="ij"))
    for rho in (0.1, -0.7, 0.99, -1 + 1e-5, 1 - 1e-12):
        exact = _float.covariance(one.numpy(), other.numpy(), rho)
        for error in (1e-3, 1e-6, 1e-10):
            pairs = torch.full((len(one), 2, 2), rho, dtype=torch.float64)
            found = _close(torch.stack([one, other], -1)[:, None], pairs, torch.ones_like(pairs), error) / 2
            assert np.max(np.abs(found.numpy() - exact)) <= error + 8 * EPS


def test_networks_side_by_side_have_their_own_exact_losses():
    """A stack of networks, each with its own data, has the losses, terms and gradients of each."""
    stack = noise.initial(6, 5, seed=2, networks=(3,))
    rows = torch.stack([x[:7], x[7:14], 2 * x[14:21]])
    leaves = [w.clone().requires_grad_() for w in stack.weights]
    losses = marginalised_loss(rows, *leaves, 0.8)
    slopes = torch.autograd.grad(losses @ torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64), leaves)
    for k in range(3):
        own = [w[k].clone().requires_grad_() for w in stack.weights]
        loss = marginalised_loss(rows[k], *own, 0.8)
        rounding = 64 * 5 * EPS
        torch.testing.assert_close(losses[k], loss, rtol=rounding, atol=0)
        for found, wanted in zip(slopes, torch.autograd.grad((k + 1) * loss, own), strict=True):
            torch.testing.assert_close(found[k], wanted, rtol=0, atol=rounding * float(wanted.abs().max()))
        torch.testing.assert_close(sum(marginalised_terms(rows, *leaves, 0.8))[k], loss, rtol=rounding, atol=0)


@pytest.mark.parametrize(
    "objective", [noise.Marginalised(0.8), noise.JacobianPenalty(0.8), *(noise.Sampled(of(0.8)) for of in NOISES)]
)
def test_everything_is_made_where_the_data_are(objective):
    """Losses, gradients and steps touch no device but that of their arguments: here another one is the default."""
    start, by = network("duplicates"), noise.Adam(1e-2)
    usual = noise.train(start, x, objective, by, noise.Schedule(3), batch=8, seed=4, clip=1.0)
    with torch.device("meta"):
        elsewhere = noise.train(start, x, objective, by, noise.Schedule(3), batch=8, seed=4, clip=1.0)
    assert all(torch.equal(a, b) for a, b in zip(usual.weights, elsewhere.weights, strict=True))


def test_single_precision_and_a_shared_bias():
    """In float32 the loss has seven digits; one bias may serve all units."""
    here = network("duplicates")
    whole = marginalised_loss(x, *here.weights, 0.8).item()
    short = marginalised_loss(x.float(), *(w.float() for w in here.weights), 0.8, error=1e-6)
    assert short.dtype == torch.float32 and abs(short.item() / whole - 1) < 64 * torch.finfo(torch.float32).eps
    one, many = here.b_e[:1], here.b_e[:1].expand(14)
    losses = [marginalised_loss(x, here.W_e, b, here.W_d, here.b_d, 0.8) for b in (one, many)]
    assert torch.equal(*losses)


def test_no_noise_is_the_clean_loss():
    """At sigma = 0 the exact loss is the squared error."""
    here = network("as drawn")
    clean = (x - here(x)).square().sum(1).mean()
    torch.testing.assert_close(marginalised_loss(x, *here.weights, 0.0), clean, rtol=(30 + 14 + 6) * EPS, atol=0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(sigma=-1.0), "sigma = -1.0"),
        (dict(sigma=math.nan), "sigma = nan"),
        (dict(error=0.0), "error = 0.0"),
        (dict(x=x.float()), "float64 on cpu, but x is torch.float32"),
        (dict(x=x * math.nan), "x is not finite"),
        (dict(x=x.numpy()), "x must be a float32 or float64 tensor"),
        (dict(x=x[:, :5]), "W_e has shape"),
        (dict(x=x[:0]), "non-empty"),
        (dict(target=x[:, :2]), "target has shape"),
        (dict(b_e=torch.zeros(3, dtype=torch.float64)), "b_e has shape"),
    ],
)
def test_bad_arguments_of_the_exact_loss(change, says):
    """What does not fit is refused by name."""
    named = dict(zip(("W_e", "b_e", "W_d", "b_d"), network("as drawn").weights, strict=True))
    with pytest.raises((ValueError, TypeError), match=says):
        marginalised_loss(**{**dict(x=x, sigma=0.5), **named, **change})


def short(objective=noise.NOISELESS, by=None, start=None, **more):
    """Twenty steps of training."""
    by, start = by or noise.Adam(1e-2), start or noise.initial(6, 5, seed=2)
    return noise.train(start, x, objective, by, noise.Schedule(20), batch=8, seed=4, **more)


def test_training_repeats_to_the_bit():
    """The same seed gives the same bits, another seed other weights."""
    noisy = noise.Sampled(noise.Gaussian(0.5))
    one, two = short(noisy), short(noisy)
    assert all(torch.equal(a, b) for a, b in zip(one.weights, two.weights, strict=True))
    assert not torch.equal(one.W_e, short(noise.Sampled(noise.Gaussian(0.6))).W_e)


@pytest.mark.parametrize("steps", [1, 20])
def test_adam_is_torch_adam(steps):
    """Adam takes the steps of torch.optim.Adam."""
    start, torchs = noise.initial(6, 5, seed=2), noise.initial(6, 5, seed=2)
    leaves = [w.requires_grad_() for w in torchs.weights]
    optimiser = torch.optim.Adam(leaves, lr=1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        (x - torchs.with_weights(leaves)(x)).square().sum(-1).mean().backward()
        optimiser.step()
    by = noise.Adam(1e-2)
    weights, state = start.weights, by.start(start.weights)
    for _ in range(steps):
        here = [w.detach().requires_grad_() for w in weights]
        slopes = torch.autograd.grad((x - start.with_weights(here)(x)).square().sum(-1).mean(), here)
        weights, state = by.step([w.detach() for w in here], slopes, state, by.eta)
    for mine, theirs in zip(weights, leaves, strict=True):
        rounding = steps * (30 + 6 + 5) * EPS * float(mine.abs().max())  # of sums over rows, inputs and units
        torch.testing.assert_close(mine, theirs.detach(), rtol=0, atol=rounding)


def test_sparse_adam_leaves_silent_units_alone():
    """A unit without gradient keeps its weights under the sparse rule, and drifts on under Adam."""
    w, g = torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.5])
    for by, moves in ((noise.SparseAdam(0.1), False), (noise.Adam(0.1), True)):
        weights, state = by.step([w], [g], by.start([w]), by.eta)
        after, _ = by.step(weights, [torch.tensor([0.5, 0.0])], state, by.eta)
        assert (after[0][1] != weights[0][1]) == moves and after[0][0] != weights[0][0]


def test_schedule_and_annealing():
    """The step size falls at the end, and the noise between the stated fractions, to 0."""
    schedule = noise.Schedule(100, cool=0.6, anneal=(0.2, 0.5))
    assert [schedule.rate(step) for step in (0, 60, 80)] == pytest.approx([1, 1, 0.5], rel=0, abs=4 * EPS)
    strengths = [schedule.strength(step) for step in (0, 20, 35, 50, 90)]
    assert strengths == pytest.approx([1, 1, 0.5, 0, 0], rel=0, abs=4 * EPS)


def test_networks_side_by_side_are_networks():
    """A stack of networks computes what each computes, and its gradient is shortened for each by itself."""
    stack = noise.initial(6, 5, seed=2, networks=(3,))
    rounding = 2 * (6 + 5 + 2) * EPS * float(stack.with_weights([w.abs() for w in stack.weights])(x.abs()).max())
    for k in range(3):
        alone = stack.with_weights([w[k] for w in stack.weights])
        torch.testing.assert_close(stack(x)[k], alone(x), rtol=0, atol=rounding)
    clip = 1e-9
    tight = short(start=stack, by=noise.SGD(1.0), clip=clip)
    loose = short(start=stack, by=noise.SGD(1e-3))
    changes = [after - before for after, before in zip(tight.weights, stack.weights, strict=True)]
    moved = sum(change.square().flatten(1).sum(1) for change in changes).sqrt()
    sizes = sum(w.square().flatten(1).sum(1) for w in stack.weights).sqrt()  # to which each step is rounded
    assert bool((moved <= 20 * (clip + EPS * sizes)).all()) and not torch.equal(loose.W_e, stack.W_e)


def test_networks_learn_from_rows_of_their_own():
    """A network that is given rows of its own learns from these alone, as it would by itself."""
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    start, how = noise.initial(4, 5, seed=1, networks=(2,)), dict(batch=3, seed=2)
    by, schedule = noise.Adam(1e-2), noise.Schedule(20)
    both = noise.train(start, x, noise.NOISELESS, by, schedule, own=torch.tensor([[5, 5], [2, 2]]), **how)
    for k, row in enumerate((5, 2)):
        alone = start.with_weights([w[k] for w in start.weights])
        end = noise.train(alone, x[row : row + 1], noise.NOISELESS, by, schedule, **how)
        for found, wanted in zip(both.weights, end.weights, strict=True):
            rounding = 20 * (3 + 4 + 5) * EPS * float(wanted.abs().max())  # steps, of sums over rows, inputs and units
            torch.testing.assert_close(found[k], wanted, rtol=0, atol=rounding)
    for own, says in ((torch.tensor([[0], [6]]), "rows 0 to 6; x has 6"), (torch.tensor([0, 1]), "own is")):
        with pytest.raises(ValueError, match=says):
            noise.train(start, x, noise.NOISELESS, by, schedule, own=own, **how)


def test_noise_has_its_stated_variance():
    """Gaussian noise has variance sigma^2, Laplace noise 2 scale^2, salt and pepper its probability."""
    generator, rows = torch.Generator().manual_seed(0), torch.zeros(200, 1000, dtype=torch.float64)
    spread = 6 * math.sqrt(5 / rows.numel())  # six standard errors; the fourth moment of Laplace noise is 6
    assert abs(noise.Gaussian(0.7)(rows, 1.0, generator).var() / 0.49 - 1) < spread
    assert abs(noise.Laplace(0.7)(rows, 1.0, generator).var() / 0.98 - 1) < spread
    grains = noise.SaltAndPepper(0.3, low=-1.0)(rows, 1.0, generator)
    assert abs((grains != 0).double().mean() - 0.3) < 6 * math.sqrt(0.21 / rows.numel())


def test_classification_top_k_and_shared_bias():
    """Classifiers, top-k codes and a shared bias train too, and do what they say."""
    labels = (x[:, 0] > 0).long()
    start = noise.initial(6, 5, 2, seed=2, shared_bias=True, activation=noise.TopK(2))
    objective = noise.Sampled(noise.Laplace(0.1), cost=noise.cross_entropy, l1=1e-3)
    end = short(objective, by=noise.SparseAdam(1e-2), start=start, target=labels)
    assert end.b_e.shape == (1,) and bool((end.activation(end.preactivation(x)) > 0).sum(1).max() <= 2)
    before, after = (noise.cross_entropy(net(x), labels).mean() for net in (start, end))
    assert after < before


def test_unit_norm():
    """Outgoing weights count by their direction alone; one l1 for each network penalises each by its own."""
    start = noise.initial(6, 5, seed=2, networks=(2,))
    penalties = torch.tensor([0.0, 0.3], dtype=torch.float64)
    objective = noise.UnitNorm(noise.Sampled(noise.Gaussian(0.0), l1=penalties))
    rows, sizes = x.expand(2, -1, -1), torch.tensor([0.2, 1.7, 3.0, 0.6, 1.1], dtype=torch.float64)
    larger = start.with_weights([start.W_e, start.b_e, sizes * start.W_d, start.b_d])
    made = [objective(net, rows, rows, 1.0, torch.Generator()) for net in (start, larger, noise.unit_norm(start))]
    rounding = 2 * (30 + 6 + 5) * EPS  # of sums over rows, inputs and units
    torch.testing.assert_close(made[0], made[1], rtol=rounding, atol=0)
    torch.testing.assert_close(made[0], made[2], rtol=rounding, atol=0)
    h = torch.relu(start.preactivation(rows))
    clean = noise.squared_error(noise.unit_norm(start)(rows), rows).mean(-1)
    torch.testing.assert_close(made[0], clean + penalties * h.sum(-1).mean(-1), rtol=rounding, atol=0)
    silent = start.with_weights([start.W_e, start.b_e, 0 * start.W_d, start.b_d])
    assert torch.equal(noise.unit_norm(silent).W_d, silent.W_d)


def test_activity_counts_what_it_says():
    """Active and clean fractions and dead units, on a network whose answer is known."""
    W, b = torch.eye(2, dtype=torch.float64), torch.tensor([0.0, -100.0], dtype=torch.float64)
    net = noise.Autoencoder(W, b, W, torch.zeros(2, dtype=torch.float64))
    rows = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [2.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    counted = noise.activity(net, rows, noise.Gaussian(0.0), seed=0)
    assert [float(v) for v in counted] == [3 / 8, 3 / 8, 1 / 2]
    odd = noise.Autoencoder(W, b / 100, W, torch.zeros(2, dtype=torch.float64), activation=torch.tanh)
    assert float(noise.activity(odd, rows, noise.Gaussian(0.0), seed=0).dead) == 0  # below 0, and alive


def test_noise_average_is_a_mean():
    """The average by quadrature agrees with exact values in one and two dimensions."""
    W = torch.tensor([[1.2, 0.5]], dtype=torch.float64)
    net = noise.Autoencoder(W, torch.zeros(1, dtype=torch.float64), W.T, torch.zeros(2, dtype=torch.float64))
    half = noise.noise_average(net, torch.zeros(2, dtype=torch.float64), 0.7, lambda h, _: h[..., 0])
    assert half.item() == pytest.approx(0.7 * 1.3 / math.sqrt(2 * math.pi), rel=1e3 * EPS, abs=0)


@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_noise_average_is_as_accurate_as_it_says(rtol):
    """The fraction of noise with which units are active is met to `rtol`, also if kinks lie almost along an axis."""
    W = torch.tensor([[1.1, 0.006], [-0.4, 0.9], [0.006, -0.8], [0.7, 0.69]], dtype=torch.float64)
    b = torch.tensor([0.3, -0.2, 0.1, -0.5], dtype=torch.float64)
    net = noise.Autoencoder(W, b, W.T, torch.zeros(2, dtype=torch.float64))
    found = noise.noise_average(net, 0 * W[0], 0.7, lambda h, _: (h > 0).double(), rtol=rtol)
    exact = torch.special.ndtr(b / (0.7 * W.norm(dim=1)))
    assert float(((found - exact) / exact).abs().max()) <= rtol


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: noise.SGD(0.0), "eta = 0.0"),
        (lambda: noise.Adam(-1e-3), "eta = -0.001"),
        (lambda: noise.Adam(1e-3, decays=(1, 2)), r"decays = \(1, 2\)"),
        (lambda: noise.Adam(1e-3, epsilon=-1.0), "epsilon = -1.0"),
        (lambda: noise.Disturbed(noise.Gaussian(0.1), noise.squared_error, ()), r"before = \(\)"),
        (lambda: noise.SaltAndPepper(0.1, low=math.nan), "low = nan"),
        (lambda: noise.initial(6, 3, seed=-3), "seed = -3"),
        (lambda: noise.sparse_code(x, x.T, -1.0, steps=1, eta=0.1), "lam = -1.0"),
        (lambda: noise.TopK(0), "k = 0"),
        (lambda: noise.TopK(9)(x), "more than the 6 units"),
        (lambda: noise.Gaussian(-0.1), "sigma = -0.1"),
        (lambda: noise.Gaussian(torch.tensor([0.1, -0.1])), "sigma"),
        (lambda: noise.Laplace("1"), "scale = '1'"),
        (lambda: noise.SaltAndPepper(1.5), "probability = 1.5"),
        (lambda: noise.Schedule(0), "steps = 0"),
        (lambda: noise.Schedule(10, cool=0.0), "cool = 0.0"),
        (lambda: noise.Schedule(10, anneal=(0.5, 0.2)), "anneal"),
        (lambda: noise.Sampled(noise.Gaussian(0.1), draws=0), "draws = 0"),
        (lambda: noise.Sampled(noise.Gaussian(0.1), l1=-1.0), "l1 = -1.0"),
        (lambda: noise.Sampled(noise.Gaussian(0.1), l1=torch.tensor([0.1, -1.0])), "l1"),
        (lambda: noise.initial(0, 3, seed=1), "inputs = 0"),
        (lambda: short(start=noise.initial(5, 3, seed=1)), "reads 5 inputs"),
        (lambda: short(start=noise.initial(6, 3, seed=1, dtype=torch.float32)), "the network torch.float32"),
        (lambda: short(target=x[:3]), "target has 3 rows"),
        (lambda: short(by=noise.SGD(1e9)), "too large"),
        (lambda: noise.noise_average(network("as drawn"), x[0], 0.5, lambda h, _: h[..., 0]), "6 inputs"),
        (lambda: patches.natural(1, 100, seed=0), "side = 1"),
        (lambda: patches.natural(900, 100, seed=0), "side = 900 is larger"),
        (lambda: patches.natural(4, 100, seed=0, components=17), "components = 17"),
        (lambda: patches.whitened(np.eye(8), cutoff=0.0), "cutoff = 0.0"),
    ],
)
def test_bad_training_is_refused(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError, ArithmeticError), match=says):
        make()


def test_patches_are_what_they_say():
    """Patches have mean 0 each and unit variance over all; a tenth is held out; the same seed gives the same bits."""
    set_1, set_2 = (patches.natural(6, 500, seed=3) for _ in range(2))
    rows = torch.cat([set_1.train, set_1.held_out])
    assert torch.equal(set_1.train, set_2.train) and len(set_1.held_out) == 50
    rounding = 2 * sum(rows.shape) * EPS
    assert float(rows.mean(1).abs().max()) < rounding and abs(float(rows.var(correction=0)) - 1) < rounding
    some = patches.digits(components=9)
    assert some.train.shape == (1618, 9) and some.basis.shape == (9, 64)
    torch.testing.assert_close(some.basis @ some.basis.T, torch.eye(9, dtype=torch.float64), rtol=0, atol=2 * 64 * EPS)
