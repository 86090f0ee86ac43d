"""Noise averages of real units, by quadrature of their own forward pass, against the moments of `theory.noise`."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import erf, ndtr

from laws import Order, Roundoff, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import noise
from theory.noise import (
    arc_cosine_kernel,
    covariance,
    covariance_by_mu,
    covariance_by_rho,
    covariance_by_s,
    cross_moment,
    duplicate_covariance,
    erf_covariance,
    erf_mean,
    gaussian_data_loss,
    gelu_mean,
    gelu_mean_square,
    laplace_second_moment_off,
    laplace_second_moment_on,
    laplace_shift,
    mean,
    mean_square,
    minibatch_variance,
    on_off_gap,
    opposite_covariance,
    product_moment,
    second_moment,
    shift,
    small_noise_loss,
    soft_threshold,
    variance,
)

SIGMA = 0.7
mus = np.array([-3.1, -1.4, -0.6, 0.3, 0.9, 2.2])
alone = dict(mu=mus, s=1.3)
labels = dict(mu="noise-free pre-activation μ (s = 1.3)", y="noise average")


def number(value):
    """A float64 tensor."""
    return torch.as_tensor(value, dtype=torch.float64)


def unit(mu, s, activation=torch.relu):
    """One unit whose pre-activation at the datum x = 0.8 is mu, and whose noise has standard deviation s."""
    w = number([[s / SIGMA]])
    return noise.Autoencoder(w, number([mu]) - 0.8 * w[0], w, number([0.0]), activation)


def averages(of, s=1.3, activation=torch.relu):
    """Noise averages of `of`(h, clean h) for every mu, by quadrature."""

    def average(mu, rtol):
        network, x = unit(mu, s, activation), number([0.8])
        clean = network.activation(network.preactivation(x[None]))[0]
        return float(noise.noise_average(network, x, SIGMA, lambda h, _: of(h, clean)[..., 0], rtol=rtol))

    return lambda rtol, seed: np.array([average(mu, rtol) for mu in mus])


def spread(rtol, seed):
    """The variance of each unit."""
    first, second = (averages(lambda h, _, p=p: h**p)(rtol, seed) for p in (1, 2))
    return second - first**2


def printed_off(mu, s):
    """Eq. (25) as printed: the deviation of a silent unit is taken for the noise itself."""
    a = mu / s
    on = second_moment(mu=mu, s=s)
    return np.where(mu > 0, on, s**2 * (ndtr(a) - a * np.exp(-(a**2) / 2) / np.sqrt(2 * np.pi)))


def printed_on(mu, s):
    """Eq. (23) as printed: the probability of falling silent is taken at -|z|/s^2."""
    correct = second_moment(mu=mu, s=s)
    return np.where(mu > 0, correct + mu**2 * (ndtr(-np.abs(mu) / s**2) - ndtr(-np.abs(mu) / s)), correct)


one_unit = {
    "the mean of a rectified Gaussian": (
        mean,
        averages(lambda h, _: h),
        {"z + int, not h + int (text before Eq. 21)": lambda mu, s: mu + shift(mu=mu, s=s)},
    ),
    "the mean square of a rectified Gaussian": (
        mean_square,
        averages(lambda h, _: h**2),
        {"half of mu^2 + s^2": lambda mu, s: (mu**2 + s**2) / 2},
    ),
    "noise shifts a unit's activity upwards": (
        shift,
        averages(lambda h, clean: h - clean),
        {
            "Eq. (4) if N(x; 0, c) has variance c": lambda mu, s: shift(mu=mu, s=np.sqrt(s)),
            "no shift, as to first order": 0.0,
        },
    ),
    "the second moment of a deviation": (
        second_moment,
        averages(lambda h, clean: (h - clean) ** 2),
        {"Eq. (25) as printed": printed_off, "Eq. (23) as printed": printed_on,
         "s^2 if on, else 0 (Taylor)": lambda mu, s: s**2 * (mu > 0)},
    ),
    "the variance of a rectified Gaussian": (
        variance,
        spread,
        {"E[eta^2], as if E[eta] were 0": second_moment},
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", one_unit)
def test_one_unit(claim):
    """A unit's own forward pass, averaged over its noise, obeys the law to the quadrature's own error."""
    law, run, rivals = one_unit[claim]
    confront(claim, law, run, alone, Solver(), rivals, labels=labels)


def test_on_costs_more_than_off():
    """An active unit's squared deviation exceeds that of a unit as far below the threshold by s^2 erf(t/sqrt 2)."""
    away = np.array([0.2, 0.9, 1.7, 3.1])

    def run(rtol, seed):
        def cost(mu):
            network, x = unit(mu, 1.3), number([0.8])
            clean = network.activation(network.preactivation(x[None]))[0]
            return float(noise.noise_average(network, x, SIGMA, lambda h, _: (h - clean)[..., 0] ** 2, rtol=rtol))

        return np.array([cost(mu) - cost(-mu) for mu in away])

    def as_printed(mu, s):
        return printed_off(mu, s) - printed_off(-mu, s)

    rivals = {"with Eq. (25) as printed": as_printed, "s^2 at any distance": lambda mu, s: s**2}
    drawn = {**labels, "mu": "distance |μ| from the threshold (s = 1.3)", "y": "on − off"}
    claim = "being on costs more than being off"
    confront(claim, on_off_gap, run, dict(mu=away, s=1.3), Solver(), rivals, labels=drawn)


def test_erf():
    """The noise average of erf is a wider erf."""
    run = averages(lambda h, _: h, activation=torch.erf)
    rivals = {
        "erf(mu), without noise": lambda mu, s: erf(mu),
        "widened by s^2": lambda mu, s: erf(mu / np.sqrt(1 + s**2)),
    }
    confront("the noise average of erf", erf_mean, run, alone, Solver(), rivals, labels=labels)


def test_gelu():
    """The noise average of GELU, by Stein's lemma."""
    run = averages(lambda h, _: h, activation=torch.nn.functional.gelu)
    rivals = {"as of ReLU": mean}
    confront("the noise average of GELU", gelu_mean, run, alone, Solver(), rivals, labels=labels)


def test_gelu_mean_square():
    """The mean square of GELU under noise."""
    run = averages(lambda h, _: h**2, activation=torch.nn.functional.gelu)
    rivals = {"as of ReLU": mean_square, "the square of the mean": lambda mu, s: gelu_mean(mu=mu, s=s) ** 2}
    confront("the mean square of GELU", gelu_mean_square, run, alone, Solver(), rivals, labels=labels)


# -- Laplace noise --------------------------------------------------------------------------------

BETA = 0.8


def laplace_average(of, where):
    """Averages over Laplace noise of scale beta on the input of a unit of weight 1, by quadrature in its size."""

    def average(mu, rtol):
        nodes, weights = np.polynomial.legendre.leggauss(round(-np.log10(rtol)) + 8)
        ends = np.unique(np.concatenate([[0.0, abs(mu) / BETA], np.arange(0, 60, 2.0)]))
        half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
        size = (middle[:, None] + half[:, None] * nodes).ravel()  # |noise| / beta, exponential
        measure = (half[:, None] * weights).ravel() * np.exp(-size) / 2
        network = unit(mu, SIGMA)
        noisy = number(np.concatenate([0.8 + BETA * size, 0.8 - BETA * size]))[:, None]
        clean = network.activation(network.preactivation(number([[0.8]])))
        eta = (network.activation(network.preactivation(noisy)) - clean)[:, 0].numpy()
        return np.concatenate([measure, measure]) @ of(eta)

    return lambda rtol, seed: np.array([average(mu, rtol) for mu in where])


laplace = {
    "Laplace noise shifts a unit by an exponential": (laplace_shift, mus, 1, shift),
    "Laplace noise on silent units": (laplace_second_moment_off, mus[mus < 0], 2, second_moment),
    "Laplace noise on active units": (laplace_second_moment_on, mus[mus > 0], 2, second_moment),
}


@pytest.mark.parametrize("claim", laplace)
def test_laplace(claim):
    """Under noise that is Laplace along its weights, a unit deviates as the law says, not as under Gaussian noise."""
    law, where, power, gaussian = laplace[claim]
    run = laplace_average(lambda eta: eta**power, where)
    rivals = {
        "Gaussian noise of the same scale": lambda mu, beta: gaussian(mu=mu, s=beta),
        "Gaussian noise of the same variance": lambda mu, beta: gaussian(mu=mu, s=np.sqrt(2) * beta),
    }
    drawn = dict(mu="noise-free pre-activation μ (β = 0.8)", y="noise average")
    confront(claim, law, run, dict(mu=where, beta=BETA), Solver(), rivals, labels=drawn)


# -- two units ------------------------------------------------------------------------------------

points = np.array(
    [(0.7, 1.3, -0.4, 0.6, 0.6), (-0.5, 1.3, 0.9, 0.6, -0.7), (0.8, 1.1, 1.3, 0.7, 0.35), (-1.1, 1.4, -0.6, 0.8, -0.3)]
)
two = dict(zip(("mu1", "s1", "mu2", "s2", "rho"), points.T, strict=True))
names = tuple(two)


def two_units(mu1, s1, mu2, s2, rho, activation=torch.relu):
    """Two units on two inputs that have these means and widths at the datum x, and this correlation."""
    turn, x = 0.4, number([0.8, -0.3])
    apart = torch.arccos(rho)
    first = s1 / SIGMA * torch.stack([torch.cos(number(turn)), torch.sin(number(turn))])
    second = s2 / SIGMA * torch.stack([torch.cos(turn + apart), torch.sin(turn + apart)])
    W = torch.stack([first, second])
    return noise.Autoencoder(W, torch.stack([mu1, mu2]) - W @ x, W.T, number([0.0, 0.0]), activation), x


def pair_averages(of, slope=None, activation=torch.relu):
    """`of`(means, products, clean) of two units at every point, or its slope in an argument, by quadrature."""

    def average(point, rtol):
        arguments = [number(v).requires_grad_() for v in point]
        network, x = two_units(*arguments, activation=activation)
        clean = network.activation(network.preactivation(x[None]))[0]
        moments = lambda h, _: torch.stack([h[..., 0], h[..., 1], h[..., 0] * h[..., 1]], -1)  # noqa: E731
        first, second, product = noise.noise_average(network, x, SIGMA, moments, rtol=rtol)
        value = of(first, second, product, clean)
        if slope is None:
            return value.item()
        return torch.autograd.grad(value, arguments[names.index(slope)])[0].item()

    return lambda rtol, seed: np.array([average(point, rtol) for point in points])


def covary(first, second, product, clean):
    """The covariance."""
    return product - first * second


def deviate(first, second, product, clean):
    """E[eta_1 eta_2]."""
    return product - clean[0] * second - clean[1] * first + clean[0] * clean[1]


def only_both_on(mu1, s1, mu2, s2, rho):
    """The cross term as the paper describes it: present only when both units are on."""
    return rho * s1 * s2 * (mu1 > 0) * (mu2 > 0)


pairs = {
    "two rectified units: E[h1 h2]": (
        product_moment, pair_averages(lambda first, second, product, _: product),
        {"independent": lambda mu1, s1, mu2, s2, rho: mean(mu=mu1, s=s1) * mean(mu=mu2, s=s2)},
    ),
    "two rectified units: their covariance": (
        covariance, pair_averages(covary),
        {"rho s1 s2, as before rectifying": lambda mu1, s1, mu2, s2, rho: rho * s1 * s2,
         "thinned by both rates": lambda mu1, s1, mu2, s2, rho: rho * s1 * s2 * ndtr(mu1 / s1) * ndtr(mu2 / s2)},
    ),
    "two rectified units: E[eta1 eta2]": (
        cross_moment, pair_averages(deviate),
        {"only when both are on": only_both_on, "the covariance": covariance},
    ),
    "the covariance's slope in rho": (
        covariance_by_rho, pair_averages(covary, "rho"), {"s1 s2": lambda mu1, s1, mu2, s2, rho: s1 * s2},
    ),
    "the covariance's slope in a mean": (covariance_by_mu, pair_averages(covary, "mu1"), {"none": 0.0}),
    "the covariance's slope in a width": (
        covariance_by_s, pair_averages(covary, "s1"), {"Cov/s1": lambda s1, **at: covariance(s1=s1, **at) / s1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", pairs)
def test_two_units(claim):
    """Two units that share their noise, averaged by quadrature in the plane, obey the law."""
    law, run, rivals = pairs[claim]
    drawn = dict(y=claim.removeprefix("two rectified units: "))
    confront(claim, law, run, two, Solver(), rivals, labels=drawn, picture=against_correlation(claim, law, run))


def against_correlation(claim, law, run):
    """The law along rho for the first point, and the run at this point."""
    rho = np.linspace(-0.98, 0.98, 99)
    at = {name: two[name][0] for name in names if name != "rho"}
    y = law(**at, rho=rho)
    measured = Series("run", [two["rho"][0]], [float(run(1e-12, 0)[0])], "run at ρ = 0.6")
    return Panel(
        "correlation ρ (μ₁ = 0.7, μ₂ = −0.4)", claim, (Series("law", rho.tolist(), y.tolist(), "law"), measured)
    )


def test_erf_units():
    """Two erf units that share their noise covary by the bivariate normal distribution."""
    run = pair_averages(covary, activation=torch.erf)

    def at_threshold(mu1, s1, mu2, s2, rho):
        r = 2 * rho * s1 * s2 / np.sqrt((1 + 2 * s1**2) * (1 + 2 * s2**2))
        return 2 / np.pi * np.arcsin(r)

    claim, rivals = "two erf units covary", {"the arcsine of means 0": at_threshold, "as of ReLU": covariance}
    confront(claim, erf_covariance, run, two, Solver(), rivals, labels=dict(y="covariance"))


def test_arc_cosine():
    """At the threshold the product moment of two units is the arc-cosine kernel."""
    rho = np.array([-0.9, -0.4, 0.3, 0.8])

    def run(rtol, seed):
        def average(r):
            network, x = two_units(*map(number, (0.0, 1.3, 0.0, 0.6, r)))
            return float(noise.noise_average(network, x, SIGMA, lambda h, _: h.prod(-1), rtol=rtol))

        return np.array([average(r) for r in rho])

    at = dict(s1=1.3, s2=0.6, rho=rho)
    rivals = {"degree 0, times s1 s2": lambda s1, s2, rho: s1 * s2 * (0.25 + np.arcsin(rho) / (2 * np.pi))}
    drawn = dict(rho="correlation ρ", y="E[h₁ h₂] at the threshold")
    confront("at the threshold: the arc-cosine kernel", arc_cosine_kernel, run, at, Solver(), rivals, labels=drawn)


ends = np.array([(0.7, 1.3, -0.2, 0.6), (-0.5, 1.3, 0.9, 0.6), (0.8, 1.1, 1.3, 0.7)])


@pytest.mark.parametrize(("sign", "law"), [(1, duplicate_covariance), (-1, opposite_covariance)])
def test_parallel_units(sign, law):
    """Two units that read the same direction, or opposite ones, covary as the laws at rho = 1 and -1 say."""

    def average(point, rtol):
        mu1, s1, mu2, s2 = map(float, point)
        W = number([[s1], [sign * s2]]) / SIGMA
        network = noise.Autoencoder(W, number([mu1, mu2]) - 0.8 * W[:, 0], W.T, number([0.0]))
        moments = lambda h, _: torch.stack([h[..., 0], h[..., 1], h.prod(-1)], -1)  # noqa: E731
        first, second, product = noise.noise_average(network, number([0.8]), SIGMA, moments, rtol=rtol)
        return float(product - first * second)

    run = lambda rtol, seed: np.array([average(point, rtol) for point in ends])  # noqa: E731
    at = dict(zip(("mu1", "s1", "mu2", "s2"), ends.T, strict=True))
    rivals = {"nearly parallel, rho = .999": lambda **at: covariance(rho=sign * 0.999, **at),
              "before rectifying": lambda s1, s2, **at: sign * s1 * s2}  # fmt: skip
    confront(
        f"units that read {'the same direction' if sign > 0 else 'opposite directions'} covary",
        law,
        run,
        at,
        Solver(),
        rivals,
    )


# -- small noise, thresholds, minibatches -----------------------------------------------------------

scalar = dict(m=0.4, v=1.7, w=0.8, b=-0.3, d=1.2)


def data_average(sigma, rtol, m, v, w, b, d):
    """E (x - d h)^2 over data x ~ N(m, v) and noise of width sigma, both by quadrature."""
    W = number([[w * sigma, w * np.sqrt(v)]])
    network = noise.Autoencoder(W, number([w * m + b]), W.T, number([0.0, 0.0]))
    loss = lambda h, g: (m + np.sqrt(v) * g[..., 1] - d * h[..., 0]) ** 2  # noqa: E731
    return float(noise.noise_average(network, number([0.0, 0.0]), 1.0, loss, rtol=rtol))


def test_gaussian_data():
    """The noisy loss of a unit that reads Gaussian data, averaged over data and noise, is the closed form."""
    sigmas = np.array([0.2, 0.7, 1.6, 3.0])
    run = lambda rtol, seed: np.array([data_average(sigma, rtol, **scalar) for sigma in sigmas])  # noqa: E731
    rivals = {"small noise": small_noise_loss}
    drawn = dict(sigma="noise σ", y="expected loss")
    confront(
        "the noisy loss on Gaussian data",
        gaussian_data_loss,
        run,
        dict(sigma=sigmas, **scalar),
        Solver(),
        rivals,
        labels=drawn,
    )


def test_small_noise():
    """The curvature of the loss in small noise is the Jacobian's and the kink's."""
    clean = data_average(1e-12, 1e-13, **scalar)
    run = lambda sigma, seed: (data_average(sigma, 1e-13, **scalar) - clean) / sigma**2  # noqa: E731

    def law(sigma, **at):
        return (small_noise_loss(sigma=1.0, **at) - small_noise_loss(sigma=0.0, **at)) / 1.0

    def jacobian(m, v, w, b, d, sigma):
        return d**2 * w**2 * ndtr((w * m + b) / np.sqrt(w**2 * v))

    rivals = {"Eq. (26), the Jacobian alone": jacobian}
    drawn = dict(h="noise σ", y="(L(σ) − L(0)) / σ²")
    claim = "small noise: the kinks count as much as the Jacobian"
    confront(
        claim,
        law,
        run,
        dict(sigma=0.0, **scalar),
        Order(2, start=0.4, then=4),
        rivals,
        labels=drawn,
        of=small_noise_loss,
    )


def test_soft_threshold():
    """Sparse coding with orthonormal weights and a penalty lambda on |x - W a|^2 has the threshold lambda/2."""
    draw = np.random.default_rng(3)
    W = np.linalg.qr(draw.normal(size=(9, 6)))[0]
    x, lam = draw.normal(size=(4, 9)), 0.6
    run = lambda seed: noise.sparse_code(number(x), number(W), lam, steps=400, eta=0.2).numpy()  # noqa: E731
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
    at = dict(variance=total_variance(1), batch=sizes.astype(float))
    rivals = {"as printed, 1/sqrt(batch)": lambda variance, batch: variance / np.sqrt(batch)}
    judge = Roundoff(operations=4**5 * len(gradient([0])), condition=1.0)
    drawn = dict(batch="examples in a minibatch", y="variance of the gradient")
    confront("minibatch gradients vary as one over the batch", minibatch_variance, run, at, judge, rivals, labels=drawn)
