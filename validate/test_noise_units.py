"""Noise averages of one unit, by quadrature of its own forward pass, against the moments of `theory.noise`."""

import numpy as np
import pytest
import torch
from scipy.special import erf, ndtr

from laws import Solver, confront
from numerics import noise
from numerics.noise import double
from theory.noise import (
    erf_mean,
    gelu_mean,
    gelu_mean_square,
    laplace_second_moment_off,
    laplace_second_moment_on,
    laplace_shift,
    mean,
    mean_square,
    on_off_gap,
    second_moment,
    shift,
    variance,
)

SIGMA = 0.7
SHIFT, SQUARE = "mean deviation of the activity, E η", "mean square deviation of the activity, E η²"
mus = np.array([-3.1, -1.4, -0.6, 0.3, 0.9, 2.2])
alone = dict(mu=mus, s=1.3)


def labels(y):
    """What stands on the axes: the average of which activity h, or of its deviation η from that without noise."""
    return dict(mu="noise-free pre-activation μ (s = 1.3, standard deviation of its noise)", y=y, runs="by quadrature")


def unit(mu, s, activation=torch.relu):
    """One unit whose pre-activation at the datum x = 0.8 is mu, and whose noise has standard deviation s."""
    w = double([[s / SIGMA]])
    return noise.Autoencoder(w, double([mu]) - 0.8 * w[0], w, double([0.0]), activation)


def averages(of, s=1.3, activation=torch.relu):
    """Noise averages of `of`(h, clean h) for every mu, by quadrature."""

    def average(mu, rtol):
        network, x = unit(mu, s, activation), double([0.8])
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
        "mean activity, E h",
        mean,
        averages(lambda h, _: h),
        {"the shift added to μ, not to the activity (before Eq. 21)": lambda mu, s: mu + shift(mu=mu, s=s)},
    ),
    "the mean square of a rectified Gaussian": (
        "mean square of the activity, E h²",
        mean_square,
        averages(lambda h, _: h**2),
        {"half of mu^2 + s^2, at any mu": lambda mu, s: (mu**2 + s**2) / 2},
    ),
    "noise shifts a unit's activity upwards": (
        SHIFT,
        shift,
        averages(lambda h, clean: h - clean),
        {
            "Eq. (4) if N(x; 0, c) has variance c": lambda mu, s: shift(mu=mu, s=np.sqrt(s)),
            "no shift, as to first order": 0.0,
        },
    ),
    "the second moment of a deviation": (
        SQUARE,
        second_moment,
        averages(lambda h, clean: (h - clean) ** 2),
        {"Eq. (25) as printed": printed_off, "Eq. (23) as printed": printed_on,
         "s^2 if on, else 0 (Taylor)": lambda mu, s: s**2 * (mu > 0)},
    ),
    "the variance of a rectified Gaussian": (
        "variance of the activity",
        variance,
        spread,
        {"E[eta^2], as if E[eta] were 0": second_moment},
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", one_unit)
def test_one_unit(claim):
    """A unit's own forward pass, averaged over its noise, obeys the law to the quadrature's own error."""
    y, law, run, rivals = one_unit[claim]
    confront(claim, law, run, alone, Solver(), rivals, labels=labels(y))


def test_on_costs_more_than_off():
    """An active unit deviates more, in mean square, than a unit as far below the threshold."""
    away = np.array([0.2, 0.9, 1.7, 3.1])

    def run(rtol, seed):
        def cost(mu):
            network, x = unit(mu, 1.3), double([0.8])
            clean = network.activation(network.preactivation(x[None]))[0]
            return float(noise.noise_average(network, x, SIGMA, lambda h, _: (h - clean)[..., 0] ** 2, rtol=rtol))

        return np.array([cost(mu) - cost(-mu) for mu in away])

    def as_printed(mu, s):
        return printed_off(mu, s) - printed_off(-mu, s)

    rivals = {"with Eq. (25) as printed": as_printed, "s^2 at any distance": lambda mu, s: s**2}
    drawn = labels("mean square deviation of the active unit, less that of the silent one")
    drawn["mu"] = "distance |μ| from the threshold (s = 1.3, standard deviation of its noise)"
    claim = "being on costs more than being off"
    confront(claim, on_off_gap, run, dict(mu=away, s=1.3), Solver(), rivals, labels=drawn)


def test_erf():
    """The noise average of erf is a wider erf."""
    run = averages(lambda h, _: h, activation=torch.erf)
    rivals = {
        "erf(mu), without noise": lambda mu, s: erf(mu),
        "widened by s^2": lambda mu, s: erf(mu / np.sqrt(1 + s**2)),
    }
    confront("the noise average of erf", erf_mean, run, alone, Solver(), rivals, labels=labels("mean activity"))


def test_gelu():
    """The noise average of GELU, by Stein's lemma."""
    run = averages(lambda h, _: h, activation=torch.nn.functional.gelu)
    rivals = {"as of ReLU": mean}
    confront("the noise average of GELU", gelu_mean, run, alone, Solver(), rivals, labels=labels("mean activity"))


def test_gelu_mean_square():
    """The mean square of GELU under noise."""
    run = averages(lambda h, _: h**2, activation=torch.nn.functional.gelu)
    rivals = {"as of ReLU": mean_square, "the square of the mean": lambda mu, s: gelu_mean(mu=mu, s=s) ** 2}
    drawn = labels("mean square of the activity")
    confront("the mean square of GELU", gelu_mean_square, run, alone, Solver(), rivals, labels=drawn)


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
        noisy = double(np.concatenate([0.8 + BETA * size, 0.8 - BETA * size]))[:, None]
        clean = network.activation(network.preactivation(double([[0.8]])))
        eta = (network.activation(network.preactivation(noisy)) - clean)[:, 0].numpy()
        return np.concatenate([measure, measure]) @ of(eta)

    return lambda rtol, seed: np.array([average(mu, rtol) for mu in where])


laplace = {
    "Laplace noise shifts a unit's activity by an exponential of its distance from the threshold": (
        SHIFT, laplace_shift, mus, 1, shift,
    ),
    "under Laplace noise the mean square deviation of silent units is an exponential of that distance": (
        SQUARE, laplace_second_moment_off, mus[mus < 0], 2, second_moment,
    ),
    "under Laplace noise active units deviate in mean square by the noise, less near the threshold": (
        SQUARE, laplace_second_moment_on, mus[mus > 0], 2, second_moment,
    ),
}  # fmt: skip


@pytest.mark.parametrize("claim", laplace)
def test_laplace(claim):
    """Under noise that is Laplace along its weights, a unit deviates as the law says, not as under Gaussian noise."""
    y, law, where, power, gaussian = laplace[claim]
    run = laplace_average(lambda eta: eta**power, where)
    rivals = {
        "Gaussian noise of the same scale": lambda mu, beta: gaussian(mu=mu, s=beta),
        "Gaussian noise of the same variance": lambda mu, beta: gaussian(mu=mu, s=np.sqrt(2) * beta),
    }
    drawn = dict(mu="noise-free pre-activation μ (β = 0.8, scale of its noise)", y=y, runs="by quadrature")
    confront(claim, law, run, dict(mu=where, beta=BETA), Solver(), rivals, labels=drawn)
