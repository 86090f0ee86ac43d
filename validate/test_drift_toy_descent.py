"""Stochastic error descent in the valley of (x y)^2: the moments of a step, the spread, and the way to the corner.

Variances that a mean needs are twice those of a pilot run on other seeds.
"""

from functools import cache

import numpy as np

from laws import Mean, Roundoff, confront
from numerics.drift import Cross, nudge, wander
from theory.drift import sed_decay, sed_fluctuation, sed_mean_step, sed_second_moment_x, sed_second_moment_y

PAPER = "ratzon-2024, Stochastic Error Descent"
PILOT = 10**6  # its seed


def spread(run, n=4000):
    """Twice the largest variance of a pilot."""
    return 2 * float(np.max(np.var(run(n, PILOT), axis=0)))


def started(n, *point):
    """So many particles at one point."""
    return np.tile(np.array(point, dtype=float), (n, 1))


def test_sed_step():
    """The mean and mean squares of a step of SED, over all perturbations by Gauss's rule, are those of the law."""
    x, s, eta = np.array([1.5, 0.7, 0.2]), 0.3, 0.7
    node, weight = np.polynomial.hermite_e.hermegauss(10)  # exact for polynomials up to degree 19
    xi = s * np.stack(np.meshgrid(node, node), axis=-1).reshape(-1, 2)
    weight = np.outer(weight, weight).ravel() / (2 * np.pi)

    def mean(y, of):
        steps = [nudge(Cross(), started(len(xi), where, y), xi, eta) for where in x]
        terms = np.array([weight * of(step) for step in steps])
        return terms.sum(1), float((np.abs(terms).sum(1) / np.abs(terms.sum(1))).max())

    cases = (
        (sed_mean_step, 0.4, "the mean step of SED", lambda d: d[:, 0], "noise in x alone",
         lambda x, y, eta, s: -2 * eta * s**2 * x * y**2),
        (sed_second_moment_x, 0.0, "the mean square of a step of SED along the valley", lambda d: d[:, 0] ** 2,
         "far from the corner", lambda x, eta, s: 3 * eta**2 * s**6 * x**4),
        (sed_second_moment_y, 0.0, "the mean square of a step of SED across the valley", lambda d: d[:, 1] ** 2,
         "far from the corner", lambda x, eta, s: 15 * eta**2 * s**6 * x**4),
    )  # fmt: skip
    for law, y, claim, of, name, rival in cases:
        at = dict(x=x, eta=eta, s=s, **({"y": y} if law is sed_mean_step else {}))
        value, condition = mean(y, of)
        judge = Roundoff(len(xi) + 40, condition=condition)
        drawn = dict(x="position x along the valley", y=claim, about=PAPER)
        confront(claim, law, lambda seed, value=value: value, at, judge, {name: rival}, labels=drawn)


def test_sed_fluctuation():
    """The spread across the valley under SED is that of finite steps, whose noise grows with the slope itself."""
    at = dict(x=1.5, eta=96.0, s=0.025)
    size = at["eta"] * at["s"] ** 4 * at["x"] ** 2

    @cache
    def run(n, seed):
        theta, _ = wander(Cross(), started(n, at["x"], 0), eta=at["eta"], spread=at["s"], steps=15, seed=seed)
        return theta[:, 1] ** 2 / size

    unit = lambda law: lambda **at: law(**at) / size  # noqa: E731
    rivals = {
        "for small steps": lambda x, eta, s: 15 / 4,
        "noise that does not grow": lambda x, eta, s: 15 / 4 / (1 - eta * s**2 * x**2),
    }
    judge = Mean(detects=0.06 * unit(sed_fluctuation)(**at), variance=spread(run, 20_000))
    labels, claim = dict(y="variance across the valley, <y²>/(η s⁴ x²)"), "the spread across the valley under SED"
    confront(claim, sed_fluctuation, run, at, judge, rivals, through=unit, labels=labels)


def test_sed_decay():
    """SED draws x to the corner at the rate 2 eta s^4."""
    at = dict(x_0=0.9, eta=0.1, s=0.1, t=4000.0)

    def run(n, seed):
        return wander(Cross(), started(n, 0.9, 0), eta=0.1, spread=0.1, steps=4000, seed=seed)[0][:, 0]

    rivals = {
        "none, as descent on the slope, which is 0": lambda x_0, eta, s, t: x_0,
        "twice the rate": lambda x_0, eta, s, t: x_0 * np.exp(-4 * eta * s**4 * t),
    }
    judge = Mean(detects=0.006, variance=spread(run, 200))
    labels = dict(y="<x> after 4,000 steps")
    confront("SED draws particles to the corner", sed_decay, run, at, judge, rivals, labels=labels)
