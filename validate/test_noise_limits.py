"""Small noise, thresholds and minibatches: networks and descents against the limits of `theory.noise`."""

import itertools

import numpy as np
import torch
from scipy.special import ndtr

from laws import Order, Roundoff, Solver, confront
from numerics import noise
from numerics.noise import double
from theory.noise import gaussian_data_loss, minibatch_variance, small_noise_loss, soft_threshold

scalar = dict(m=0.4, v=1.7, w=0.8, b=-0.3, d=1.2)


def data_average(sigma, rtol, m, v, w, b, d):
    """E (x - d h)^2 over data x ~ N(m, v) and noise of width sigma, both by quadrature."""
    W = double([[w * sigma, w * np.sqrt(v)]])
    network = noise.Autoencoder(W, double([w * m + b]), W.T, double([0.0, 0.0]))
    loss = lambda h, g: (m + np.sqrt(v) * g[..., 1] - d * h[..., 0]) ** 2  # noqa: E731
    return float(noise.noise_average(network, double([0.0, 0.0]), 1.0, loss, rtol=rtol))


def test_gaussian_data():
    """The noisy loss of a unit that reads Gaussian data, averaged over data and noise, is the closed form."""
    sigmas = np.array([0.2, 0.7, 1.6, 3.0])
    run = lambda rtol, seed: np.array([data_average(sigma, rtol, **scalar) for sigma in sigmas])  # noqa: E731
    rivals = {"small noise": small_noise_loss}
    drawn = dict(sigma="noise σ (m = .4, v = 1.7, w = .8, b = −.3, d = 1.2)", y="expected loss", runs="by quadrature")
    confront(
        "the noisy loss on Gaussian data",
        gaussian_data_loss,
        run,
        dict(sigma=sigmas, **scalar),
        Solver(),
        rivals,
        labels=drawn,
    )


def test_without_noise():
    """Without noise the expansion in small noise starts from the clean loss."""
    biases = np.array([-0.3, 0.2, 0.9])
    run = lambda rtol, seed: np.array([data_average(1e-9, rtol, **{**scalar, "b": b}) for b in biases])  # noqa: E731
    at = {**scalar, "b": biases, "sigma": 0.0}
    rivals = {
        "a unit that is always on": lambda sigma, m, v, w, b, d: (m - d * (w * m + b)) ** 2 + v * (1 - d * w) ** 2
    }
    drawn = dict(b="bias b (m = 0.4, v = 1.7, w = 0.8, d = 1.2)", y="clean loss", runs="by quadrature")
    confront("small noise: where the expansion starts", small_noise_loss, run, at, Solver(), rivals, labels=drawn)


def test_small_noise():
    """The curvature of the loss in small noise is the Jacobian's and the kink's."""
    away = {**scalar, "m": 1.4}  # from the kink, so that the density there can be seen
    clean = data_average(1e-12, 1e-13, **away)
    run = lambda sigma, seed: (data_average(sigma, 1e-13, **away) - clean) / sigma**2  # noqa: E731

    def curvature(law):
        return lambda sigma, **at: (law(sigma=0.3, **at) - law(sigma=0.0, **at)) / 0.3**2

    def jacobian(m, v, w, b, d, sigma):
        return d**2 * w**2 * ndtr((w * m + b) / np.sqrt(w**2 * v))

    rivals = {"Eq. (26), the Jacobian alone": jacobian}
    drawn = dict(h="noise σ", y="excess of the loss, (L(σ) − L(0))/σ²", runs="by quadrature")
    claim, at = "small noise: the kinks count as much as the Jacobian", dict(sigma=0.0, **away)
    judge = Order(2, start=0.4, then=4)
    confront(claim, small_noise_loss, run, at, judge, rivals, labels=drawn, through=curvature)


def test_soft_threshold():
    """Sparse coding with orthonormal weights and a penalty lambda on |x - W a|^2 has the threshold lambda/2."""
    draw = np.random.default_rng(3)
    W = np.linalg.qr(draw.normal(size=(9, 6)))[0]
    x, lam = draw.normal(size=(4, 9)), 0.6
    run = lambda seed: noise.sparse_code(double(x), double(W), lam, steps=400, eta=0.2).numpy()  # noqa: E731
    at = dict(x=x @ W, lam=lam)
    rivals = {"App. G: the threshold lambda": lambda x, lam: np.maximum(x - lam, 0)}
    judge = Roundoff(operations=400, condition=2 * np.max(np.abs(x @ W)))
    confront(
        "the threshold of an L1 penalty", soft_threshold, run, at, judge, rivals, labels=dict(y="code a of a unit")
    )


def test_minibatches():
    """Averaged over every minibatch there is, gradients vary as 1/batch; App. H.2 prints 1/sqrt(batch) for it."""
    network = noise.initial(5, 4, seed=1)
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    noisy = x + 0.5 * torch.randn(4, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def gradient(rows):
        leaves = [w.clone().requires_grad_() for w in network.weights]
        loss = (x[rows] - network.with_weights(leaves)(noisy[rows])).square().sum(1).mean()
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, leaves)])

    def total_variance(batch):
        every = torch.stack([gradient(list(rows)) for rows in itertools.product(range(4), repeat=batch)])
        return float((every - every.mean(0)).square().sum(1).mean())

    sizes = np.array([2, 3, 4, 5])
    run = lambda seed: np.array([total_variance(batch) for batch in sizes])  # noqa: E731
    at = dict(V1=total_variance(1), B=sizes.astype(float))
    rivals = {"as printed, V1/sqrt(B)": lambda V1, B: V1 / np.sqrt(B)}
    judge = Roundoff(operations=4**5 * len(gradient([0])), condition=1.0)
    drawn = dict(B="examples B in a minibatch", y="variance of the gradient $g_B$ ($V_1$ at B = 1)")
    confront("minibatch gradients vary as one over the batch", minibatch_variance, run, at, judge, rivals, labels=drawn)
