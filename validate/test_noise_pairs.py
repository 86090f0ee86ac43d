"""Noise averages of two units, by quadrature of their own forward pass, against the moments of `theory.noise`."""

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from scipy.stats import norm

from laws import Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import noise
from numerics.noise import double
from theory.noise import (
    arc_cosine_kernel,
    covariance,
    covariance_by_mu,
    covariance_by_rho,
    covariance_by_s,
    cross_moment,
    duplicate_covariance,
    erf_covariance,
    gelu_covariance,
    mean,
    opposite_covariance,
    product_moment,
)

SIGMA = 0.7
QUADRATURE = "by quadrature"
SOLVER = Solver(1e-8)  # a finer rule errs less than the rounding of its sums, which the judge does not see


points = np.array(
    [(0.7, 1.3, -0.4, 0.6, 0.6), (-0.5, 1.3, 0.9, 0.6, -0.7), (0.8, 1.1, 1.3, 0.7, 0.35), (-1.1, 1.4, -0.6, 0.8, -0.3)]
)
two = dict(zip(("mu1", "s1", "mu2", "s2", "rho"), points.T, strict=True))
names = tuple(two)
COVARIANCE = dict(y="covariance of the activities", runs=QUADRATURE)


def two_units(mu1, s1, mu2, s2, rho, activation=torch.relu):
    """Two units on two inputs that have these means and widths at the datum x, and this correlation."""
    turn, x = 0.4, double([0.8, -0.3])
    apart = torch.arccos(rho)
    first = s1 / SIGMA * torch.stack([torch.cos(double(turn)), torch.sin(double(turn))])
    second = s2 / SIGMA * torch.stack([torch.cos(turn + apart), torch.sin(turn + apart)])
    W = torch.stack([first, second])
    return noise.Autoencoder(W, torch.stack([mu1, mu2]) - W @ x, W.T, double([0.0, 0.0]), activation), x


def pair_averages(of, slope=None, activation=torch.relu):
    """`of`(means, products, clean) of two units at every point, or its slope in an argument, by quadrature."""

    def average(point, rtol):
        arguments = [double(v).requires_grad_() for v in point]
        network, x = two_units(*arguments, activation=activation)
        clean = network.activation(network.preactivation(x[None]))[0]
        moments = lambda h, _: torch.stack([h[..., 0], h[..., 1], h[..., 0] * h[..., 1]], -1)  # noqa: E731
        first, second, product = noise.noise_average(network, x, SIGMA, moments, rtol=rtol)
        value = of(first, second, product, clean)
        if slope is None:
            return value.item()
        return torch.autograd.grad(value, arguments[names.index(slope)])[0].item()

    return lambda rtol, seed, at=points: np.array([average(point, rtol) for point in at])


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
    "the covariance's slope in a mean": (
        covariance_by_mu, pair_averages(covary, "mu1"),
        {"none": 0.0,
         "to first order in rho": lambda mu1, s1, mu2, s2, rho: (
             rho * s2 * norm.pdf(mu1 / s1) * ndtr(mu2 / s2))},
    ),
    "the covariance's slope in a width": (
        covariance_by_s, pair_averages(covary, "s1"), {"Cov/s1": lambda s1, **at: covariance(s1=s1, **at) / s1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", pairs)
def test_two_units(claim):
    """Two units that share their noise, averaged by quadrature in the plane, obey the law."""
    law, run, rivals = pairs[claim]
    drawn = dict(y=claim.removeprefix("two rectified units: "), runs=QUADRATURE)
    confront(claim, law, run, two, SOLVER, rivals, labels=drawn, picture=against_correlation(claim, law, run))


def against_correlation(claim, law, run):
    """The law along rho through the first point, and the runs at some."""
    rho = np.linspace(-0.98, 0.98, 99)
    at = {name: two[name][0] for name in names if name != "rho"}
    y = law(**at, rho=rho)
    some = np.array([-0.9, -0.5, 0.0, 0.3, two["rho"][0], 0.9])
    through = np.column_stack([np.tile(points[0, :-1], (len(some), 1)), some])
    measured = Series("run", some.tolist(), run(1e-8, 0, through).tolist(), QUADRATURE)
    return Panel(
        "correlation ρ (μ₁ = 0.7, s₁ = 1.3, μ₂ = −0.4, s₂ = 0.6)",
        claim,
        (Series("law", rho.tolist(), y.tolist(), "law"), measured),
    )


def test_erf_units():
    """Two erf units that share their noise covary by the bivariate normal distribution."""
    run = pair_averages(covary, activation=torch.erf)

    def at_threshold(mu1, s1, mu2, s2, rho):
        r = 2 * rho * s1 * s2 / np.sqrt((1 + 2 * s1**2) * (1 + 2 * s2**2))
        return 2 / np.pi * np.arcsin(r)

    claim, rivals = "two erf units covary", {"the arcsine of means 0": at_threshold, "as of ReLU": covariance}
    confront(claim, erf_covariance, run, two, Solver(), rivals, labels=COVARIANCE)


def test_gelu_units():
    """Two GELU units that share their noise covary by Stein's lemma."""
    run = pair_averages(covary, activation=torch.nn.functional.gelu)
    rivals = {"as of ReLU": covariance, "as of erf": erf_covariance}
    confront("two GELU units covary", gelu_covariance, run, two, Solver(), rivals, labels=COVARIANCE)


def test_arc_cosine():
    """At the threshold the product moment of two units is the arc-cosine kernel."""
    rho = np.array([-0.9, -0.4, 0.3, 0.8])

    def run(rtol, seed):
        def average(r):
            network, x = two_units(*map(double, (0.0, 1.3, 0.0, 0.6, r)))
            return float(noise.noise_average(network, x, SIGMA, lambda h, _: h.prod(-1), rtol=rtol))

        return np.array([average(r) for r in rho])

    at = dict(s1=1.3, s2=0.6, rho=rho)
    rivals = {"degree 0, times s1 s2": lambda s1, s2, rho: s1 * s2 * (0.25 + np.arcsin(rho) / (2 * np.pi))}
    drawn = dict(rho="correlation ρ (s₁ = 1.3, s₂ = 0.6)", y="E[h₁ h₂] at the threshold", runs=QUADRATURE)
    confront("at the threshold: the arc-cosine kernel", arc_cosine_kernel, run, at, Solver(), rivals, labels=drawn)


ends = np.array([(0.7, 1.3, -0.2, 0.6), (-0.5, 1.3, 0.9, 0.6), (0.8, 1.1, 1.3, 0.7)])


@pytest.mark.parametrize(("sign", "law"), [(1, duplicate_covariance), (-1, opposite_covariance)])
def test_parallel_units(sign, law):
    """Two units that read the same direction, or opposite ones, covary as the laws at rho = 1 and -1 say."""

    def average(point, rtol):
        mu1, s1, mu2, s2 = map(float, point)
        W = double([[s1], [sign * s2]]) / SIGMA
        network = noise.Autoencoder(W, double([mu1, mu2]) - 0.8 * W[:, 0], W.T, double([0.0]))
        moments = lambda h, _: torch.stack([h[..., 0], h[..., 1], h.prod(-1)], -1)  # noqa: E731
        first, second, product = noise.noise_average(network, double([0.8]), SIGMA, moments, rtol=rtol)
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
        labels=COVARIANCE,
    )
