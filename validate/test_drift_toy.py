"""Particles in the valley of (x y)^2, by noisy descent, against the laws of their drift and of when they arrive.

Variances that a mean needs are twice those of a pilot run on other seeds.
"""

from functools import cache

import numpy as np
import pytest

from laws import Distribution, Mean, Roundoff, confront, measure
from numerics.drift import Cross, Cylinder, walk
from theory.drift import (
    arrival,
    corner,
    difference_of_squares,
    first_passage,
    fourth_moment,
    label_time,
    toy_floor,
    valley_drift,
    valley_width,
    y_only_time,
)

PAPER = "ratzon-2024, Gradient descent dynamics around the zero-loss manifold"
PILOT = 10**6  # its seed


def spread(run, n=4000):
    """Twice the largest variance of a pilot."""
    return 2 * float(np.max(np.var(run(n, PILOT), axis=0)))


def started(n, *point):
    """So many particles at one point."""
    return np.tile(np.array(point, dtype=float), (n, 1))


# -- update noise --------------------------------------------------------------------------------------------

valley = dict(x=1.4, eta=0.3, sigma=1e-3)  # eta x^2 = .6: far from small steps


@cache
def in_the_valley(n, seed, before=100, steps=60):
    """Means over some steps of y^2, of the step in x without its noise, and of the loss, per variance of the noise."""
    theta, _ = walk(Cross(), started(n, valley["x"], 0), eta=valley["eta"], steps=before, seed=2 * seed, update=1e-3)
    sums = np.zeros((2, n))

    def watch(now):
        sums[0] += now[:, 1] ** 2
        sums[1] += Cross().value(now)

    last, added = walk(Cross(), theta, eta=valley["eta"], steps=steps, seed=2 * seed + 1, update=1e-3, watch=watch)
    return np.stack([sums[0], last[:, 0] - theta[:, 0] - added[:, 0], sums[1]]) / steps / 1e-6


def test_valley():
    """The spread across the valley, the push along it and the loss are those of finite steps, not of small ones."""
    small = dict(valley_width=lambda x, eta, sigma: sigma**2 / (4 * eta * x**2))
    small["valley_drift"] = lambda x, eta, sigma: -(sigma**2) / (2 * x)
    small["toy_floor"] = lambda x, eta, sigma: sigma**2 / (4 * eta)
    twice = lambda law: lambda **at: 2 * law(**at)  # noqa: E731
    printed = {  # with the eigenvalue x^2
        "valley_width": lambda x, eta, sigma: sigma**2 / (2 * eta * x**2 * (1 - eta * x**2 / 2)),
        "valley_drift": lambda x, eta, sigma: -(sigma**2) / (x * (1 - eta * x**2 / 2)),
        "toy_floor": lambda x, eta, sigma: sigma**2 / (2 * eta * (1 - eta * x**2 / 2)),
    }
    scaled = lambda law: lambda **at: law(**at) / at["sigma"] ** 2  # noqa: E731
    shown = ("variance across the valley, <y²>/σ²", "mean step in x over σ²", "mean loss over σ²")
    for k, (law, says) in enumerate(
        (
            (valley_width, "the spread across the valley under update noise"),
            (valley_drift, "the push along the valley under update noise"),
            (toy_floor, "the loss in the valley under update noise"),
        )
    ):
        run = lambda n, seed, k=k: in_the_valley(n, seed)[k]  # noqa: E731
        rivals = {"for small steps": scaled(small[law.name]), "coefficient 1/2": scaled(twice(law))}
        rivals["eigenvalue x², as printed"] = scaled(printed[law.name])
        judge = Mean(detects=0.04 * abs(law(**valley)) / 1e-6, variance=spread(run))
        confront(says, law, run, valley, judge, rivals, through=scaled, labels=dict(y=shown[k], about=PAPER))


along_valley = dict(x_0=1.5, t=2000.0, sigma=0.0067)


@cache
def along_the_valley(n, seed):
    """Where particles end, and where their noise alone would have taken them."""
    last, added = walk(Cross(), started(n, 1.5, 0), eta=0.008, steps=2000, seed=seed, update=along_valley["sigma"])
    return last[:, 0], 1.5 + added[:, 0]


def test_martingale():
    """Along the valley x^2 stays what it is on average: the push of the noise just undoes its spread."""
    variance = along_valley["t"] * along_valley["sigma"] ** 2

    def run(n, seed):
        x, free = along_the_valley(n, seed)
        return x**2 - free**2 + 1.5**2 + variance  # the noise's own second moment in place of the one drawn

    law = lambda x_0, t, sigma: x_0**2  # noqa: E731
    rivals = {
        "a free walk": lambda x_0, t, sigma: x_0**2 + sigma**2 * t,
        "pushed twice as much": lambda x_0, t, sigma: x_0**2 - sigma**2 * t,
    }
    judge, labels = Mean(detects=0.02, variance=spread(run, 400)), dict(y="<x²> after 2,000 steps from x = 1.5")
    claim = "the second moment along the valley stays"
    confront(claim, law, run, along_valley, judge, rivals, labels=labels, of=valley_drift)


def test_fourth_moment():
    """Along the valley x^4 grows on average by 4 sigma^2 t times the second moment, which stays."""
    variance = along_valley["t"] * along_valley["sigma"] ** 2

    def run(n, seed):
        x, free = along_the_valley(n, seed)
        return x**4 - free**4 + (1.5**4 + 6 * 1.5**2 * variance + 3 * variance**2)

    rivals = {
        "a free walk": lambda x_0, t, sigma: x_0**4 + 6 * sigma**2 * t * x_0**2 + 3 * sigma**4 * t**2,
        "pushed twice as much": lambda x_0, t, sigma: x_0**4 + 2 * sigma**2 * t * x_0**2,
    }
    judge, labels = Mean(detects=0.04, variance=spread(run, 400)), dict(y="<x⁴> after 2,000 steps from x = 1.5")
    confront("the fourth moment along the valley", fourth_moment, run, along_valley, judge, rivals, labels=labels)


def arrivals(loss, d, start, threshold, eta, sigma, most):
    """Steps until |x| falls to the threshold, of n particles for which that is no more than `most`."""

    def run(n, seed):
        steps, now = np.full(2 * n, np.inf), iter(range(1, most + 1))

        def watch(theta):
            step = next(now)
            steps[((theta[:, :d] ** 2).sum(1) <= threshold**2) & np.isinf(steps)] = step
            return bool(np.isfinite(steps).all())

        walk(loss, started(2 * n, *start), eta=eta, steps=most, seed=seed, update=sigma, watch=watch)
        return steps[np.isfinite(steps)][:n] - 0.5

    return run


def test_first_passage():
    """The time to a threshold has the distribution of a Bessel process of dimension 0, at that threshold."""
    x0, a, sigma, eta, most = 1.1, 0.5, 0.01, 0.04, 15_000
    assert a > 2.4 * corner(eta, sigma)
    before = lambda F: lambda t: F(t) / F(float(most))  # noqa: E731
    law = lambda t: first_passage(t, x0=x0, threshold=a, sigma=sigma)  # noqa: E731
    rivals = {
        "threshold 0": before(lambda t: arrival(t, x0=x0, sigma=sigma)),
        "a free walk": before(lambda t: first_passage(t, x0=x0, threshold=a, sigma=sigma, dimension=1)),
        "pushed twice as much": before(lambda t: first_passage(t, x0=x0, threshold=a, sigma=sigma, dimension=-1)),
    }
    run = arrivals(Cross(), 1, (x0, 0), a, eta, sigma, most)
    labels = dict(t=f"steps from {x0} to the threshold {a}, given at most 15,000 (n = 0, σ = {sigma})")
    claim, judge = "the time of first passage in the valley", Distribution("t", detects=0.04)
    confront(claim, before(law), run, {}, judge, rivals, labels=labels, of=first_passage)


CLOSE = (0.8, 1.2, 1.8, 2.7)  # thresholds, in lengths of the corner


@pytest.mark.full
def test_corner():
    """How far the law of first passage is off where x comes to move as fast as y relaxes."""
    sigma, eta, particles = 0.02, 0.04, 1000

    def off(level, seed):
        """The largest error of the distribution function, from twice the threshold on."""
        a = level * corner(eta, sigma)
        most = round(2 * (2 * a / sigma) ** 2)
        t = np.sort(arrivals(Cross(), 1, (2 * a, 0), a, eta, sigma, most)(particles, seed))
        law = lambda t: first_passage(t, x0=2 * a, threshold=a, sigma=sigma)  # noqa: E731
        return float(np.abs(law(t) / law(float(most)) - np.arange(1, len(t) + 1) / len(t)).max())

    labels = dict(x="threshold, in lengths (σ²/2η)^¼ of the corner", y="largest error of the distribution function")
    measure("How close to the corner does the law of first passage hold?", off, CLOSE, labels=labels)


@pytest.mark.parametrize(
    ("valley", "along", "across", "sigma", "dimension"),
    [
        ("a wider valley", 1, 3, 0.0105, -2),
        ("a wider valley of two dimensions", 2, 4, 0.0105, -2),
        ("a valley with louder noise across", 1, 1, (0.0105, 0.0168), -1.56),
    ],
    ids=["wider", "higher", "louder"],
)
def test_other_valleys(valley, along, across, sigma, dimension):
    """With d directions along it and k across the dimension n is d - k; one across, louder: 1 - (sigma_y/sigma_x)^2."""
    x0, a, eta, loud, most = 1.1, 0.5, 0.04, np.ravel(sigma)[0], 6_000
    assert a > 2.4 * corner(eta, loud)
    run = arrivals(Cylinder(along), along, (x0, *[0] * (along + across - 1)), a, eta, sigma, most)

    def law(t, n=dimension):
        passed = lambda t: first_passage(t, x0=x0, threshold=a, sigma=loud, dimension=n)  # noqa: E731
        return passed(t) / passed(float(most))

    rivals = {"dimension 0, of one direction and equal noise": lambda t: law(t, 0), "no push": lambda t: law(t, 1)}
    if along > 1:
        rivals["as along one direction"] = lambda t: law(t, 1 - across)
    labels = dict(t=f"steps from {x0} to the threshold {a}, given at most 6,000 (n = {dimension}, η = {eta})")
    claim, judge = f"the time of first passage in {valley}", Distribution("t", detects=0.08)
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=first_passage)


def crossings(theta, level, watch_steps):
    """Steps until x of each particle falls to the level, between two steps by a line."""
    times, state = np.full(len(theta), np.nan), {"x": theta[:, 0].copy(), "step": 0}

    def watch(now):
        before, state["x"], state["step"] = state["x"], now[:, 0].copy(), state["step"] + 1
        new = np.isnan(times) & (before > level) & (now[:, 0] <= level)
        times[new] = state["step"] - 1 + (before[new] - level) / (before[new] - now[new, 0])
        return bool(np.isfinite(times).all())

    watch_steps(watch)
    return times


def test_noise_across():
    """Noise in y alone takes every particle from x = 1.1 to 0.6 in a time that finite steps shorten (η = 0.5)."""
    at = dict(x_0=1.1, eta=0.5, sigma=0.02)
    between = lambda law: lambda x_0, **more: law(x_0=x_0, **more) - law(x_0=0.6, **more)  # noqa: E731

    @cache
    def run(n, seed):
        theta, _ = walk(Cross(), started(n, 1.2, 0), eta=0.5, steps=30, seed=2 * seed, update=(0, 0.02))

        def go(level, seed):
            return crossings(
                theta,
                level,
                lambda w: walk(Cross(), theta, eta=0.5, steps=20_000, seed=seed, update=(0, 0.02), watch=w),
            )

        return go(0.6, 2 * seed + 1) - go(1.1, 2 * seed + 1)

    rivals = {"for small steps": lambda x_0, eta, sigma: (x_0**2 - 0.6**2) / sigma**2}
    judge = Mean(detects=30.0, variance=spread(run, 200))
    labels = dict(y="steps from x = 1.1 to 0.6 (η = 0.5, σ = 0.02)")
    claim = "noise across the valley alone takes particles to the corner"
    confront(claim, y_only_time, run, at, judge, rivals, through=between, labels=labels)


def test_label_noise():
    """Label noise shrinks x at the rate of tr H, which finite steps raise."""
    at = dict(x_0=1.9, x=1.4, eta=0.2, sigma=0.03)

    @cache
    def run(n, seed):
        theta, _ = walk(Cross(), started(n, 2.05, 0), eta=0.2, steps=10, seed=2 * seed, label=0.03)

        def go(level):
            return crossings(
                theta,
                level,
                lambda w: walk(Cross(), theta, eta=0.2, steps=20_000, seed=2 * seed + 1, label=0.03, watch=w),
            )

        return go(1.4) - go(1.9)

    rivals = {"for small steps": lambda x_0, x, eta, sigma: np.log(x_0 / x) / (2 * eta**2 * sigma**2)}
    judge = Mean(detects=78.0, variance=spread(run, 200))
    labels = dict(y="steps from x = 1.9 to 1.4 (η = 0.2, σ = 0.03)")
    confront("label noise draws particles to the corner", label_time, run, at, judge, rivals, labels=labels)


def test_difference_of_squares():
    """Every step with a noisy label shrinks x^2 - y^2 by the factor of the law, to the last digits."""
    theta, zeta = started(200, 0.9, -0.4), np.linspace(-0.9, 1.1, 200)[:, None]
    at = dict(x=0.9, y=-0.4, eta=0.3, epsilon=zeta[:, 0])
    after = theta - 0.3 * Cross().slope(theta, zeta)
    run = lambda seed: after[:, 0] ** 2 - after[:, 1] ** 2  # noqa: E731
    rivals = {"conserved, as under gradient flow": lambda x, y, eta, epsilon: x**2 - y**2 + 0 * epsilon}
    condition = float(((after**2).sum(1) / np.abs(run(0))).max())
    judge, labels = Roundoff(20, condition=condition), dict(y="x² - y² after the step", epsilon="noise ε of the label")
    confront("x² - y² under label noise", difference_of_squares, run, at, judge, rivals, labels=labels)
