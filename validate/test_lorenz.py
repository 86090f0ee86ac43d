"""The Lorenz-96 system, integrated, against what is known of it exactly."""

import numpy as np
from scipy.optimize import brentq

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import lorenz
from theory.recurrent import critical_forcing, energy_rate, exponent_sum, frequency, growth_rate

n, F = 11, 1.7  # a wave of three sites would have no error of second order, but that of the solver
waves = np.array([1, 2, 3, 4])
angles = 2 * np.pi * waves / n
labels = dict(theta="angle θ of the wave from site to site", h="amplitude of the wave")


def measured(which):
    """Growth (0) or turning (1) per unit of time of waves of a given first size, around x = F."""
    return lambda size, seed: np.array([lorenz.growth(n, int(k), F, size, 0.5)[which] for k in waves])


def test_growth_rate():
    """In Lorenz-96, x_k' = (x_k+1 - x_k-2) x_k-1 - x_k + F, small waves around rest, x = F, grow at the law's rate."""
    rivals = {
        "without damping": lambda F, theta: growth_rate(F=F, theta=theta) + 1,
        "neighbours exchanged": lambda F, theta: -1 - F * (np.cos(theta) - np.cos(2 * theta)),
    }
    drawn = {**labels, "y": "growth rate (F = 1.7, 11 sites)"}
    claim = "waves around the rest state grow at the rate of their cosines"
    confront(claim, growth_rate, measured(0), dict(F=F, theta=angles), Order(2, 0.2, then=4), rivals, labels=drawn)


def test_frequency():
    """Small waves around rest, x = F, on a ring of Lorenz-96 turn at the frequency of the law."""
    rivals = {"the second sine reversed": lambda F, theta: F * (np.sin(theta) - np.sin(2 * theta))}
    drawn = {**labels, "y": "frequency (F = 1.7, 11 sites)"}
    claim = "waves around the rest state turn at the frequency of their sines"
    confront(claim, frequency, measured(1), dict(F=F, theta=angles), Order(2, 0.2, then=4), rivals, labels=drawn)


def test_critical_forcing():
    """The rest state x = F of Lorenz-96 is lost at a forcing F that depends on the number of sites, at least 8/9."""
    sizes = np.array([5, 7, 8, 36])

    def onset(sites, size):
        rate = lambda force: max(lorenz.growth(sites, k, force, size, 0.5)[0] for k in likely(sites))  # noqa: E731
        return brentq(rate, 0.7, 1.5, xtol=1e-12)

    def likely(sites):  # waves of an angle near arccos(1/4), about 1/5 of a turn
        return {int(sites * 0.2098), int(sites * 0.2098) + 1}

    run = lambda size, seed: np.array([onset(int(k), size) for k in sizes])  # noqa: E731
    law = lambda sites: np.array([critical_forcing(int(k)) for k in sites])  # noqa: E731
    rivals = {
        "8/9, as in an endless ring": lambda sites: 0 * sites + 8 / 9,
        "1 on every ring": lambda sites: 0 * sites + 1.0,
    }
    claim = "the rest state gives way at a forcing that depends on the ring"
    judge = Order(2, 0.2, then=4)
    every = Series("run", list(range(4, 41)), [critical_forcing(k) for k in range(4, 41)], "law, for every ring")
    level = Series("rival", [4, 40], [8 / 9] * 2, "8/9, as in an endless ring")
    picture = Panel("sites n", "critical forcing F", (every, level))
    names = dict(sites="sites n", y="critical forcing F", h=labels["h"])
    confront(claim, law, run, dict(sites=sizes), judge, rivals, labels=names, picture=picture, of=growth_rate)


starts = 8 + np.random.default_rng(3).normal(size=(3, 8))


def test_energy_rate():
    """Along chaotic courses of Lorenz-96 the energy changes by the forcing times the mean, less the mean square."""
    means = np.array([lorenz.means(x, 8.0, 4.0, 1e-12) for x in starts])
    run = lambda rtol, seed: np.array([lorenz.means(x, 8.0, 4.0, rtol)[2] for x in starts])  # noqa: E731
    rivals = {
        "the quadratic terms count": lambda F, m1, m2: F * m1 - m2 + 0.1 * m1**2,
        "as at rest": lambda F, m1, m2: F * m1 - m1**2,
    }
    claim = "the energy of the ring is forced and damped, and nothing else"
    drawn = dict(m1="mean of x over sites and times", y="rate of change of the mean of x^2/2")
    at = dict(F=8.0, m1=means[:, 0], m2=means[:, 1])
    confront(claim, energy_rate, run, at, Solver(rtol=1e-7), rivals, labels=drawn)


def test_exponent_sum():
    """All Lyapunov exponents of a chaotic ring of Lorenz-96, at F = 8, add up to minus the number of its sites."""
    rings = np.array([5, 6, 8])

    def run(rtol, seed):
        starts = [8 + np.random.default_rng(seed).normal(size=k) for k in rings]
        return np.array([lorenz.exponents(x, 8.0, 6.0, rtol=rtol).sum() for x in starts])

    law = lambda n: np.array([exponent_sum(k) for k in n])  # noqa: E731
    rivals = {"0, as without damping": lambda n: 0 * n, "one site undamped, 1 - n": lambda n: 1 - n}
    drawn = dict(n="sites n", y="sum of all Lyapunov exponents")
    claim = "the Lyapunov exponents of a ring add up to -n"
    at = dict(n=rings.astype(float))
    confront(claim, law, run, at, Solver(rtol=1e-6), rivals, labels=drawn, of=exponent_sum)
