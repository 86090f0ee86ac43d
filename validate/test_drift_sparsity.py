"""Why noisy ReLU networks become sparse: what sets the time, and where the Hessian is meanwhile.

Random tasks of 5 samples with 20 inputs and 5 outputs, 100 hidden units; every network has its own.  Exact is that
eta sigma^2 t has no unit (`theory.drift.rescaled`); that the count of active units depends on nothing else, with the
same targets at every step size, is measured, and so is the sharpness at which networks stay.
"""

from functools import cache

import numpy as np
import pytest

from laws import Equivalent, Exponent, Fitted, Median, Sign, Trend, confront, rank
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series
from numerics.ensemble import GradientDescent, Network, UpdateNoise, train
from numerics.sparsity import decay, halving, spectra, tasks
from theory.drift import rescaled

FIG_3B = "ratzon-2024, Fig. 3B"
GENERALITY = "ratzon-2024, Generality of the phenomenon"
NETWORK, SAMPLES = Network(20, 100, 5), 5
RUNS, MANY = 32, 96  # networks: for exponents, and for medians
TIMES = np.array([0.06, 0.12, 0.3])  # eta sigma^2 t
REFERENCE = dict(eta=0.1, sigma=0.012)
OTHERS = (dict(eta=0.2, sigma=0.01), dict(eta=0.05, sigma=0.014), dict(eta=0.03, sigma=0.018))
NAMES = [f"η = {at['eta']:g}, σ = {at['sigma']:g}, η σ² t = {t:g}" for at in OTHERS for t in TIMES]


def noisy(seed, networks, *, eta, sigma, times, **more):
    """Networks trained with update noise, recorded at times eta sigma^2 t; and their inputs."""
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=networks, seed=seed)
    steps = np.unique(np.rint(np.asarray(times) / (eta * sigma**2)))
    noise, by = UpdateNoise(sigma), GradientDescent(eta)
    return train(NETWORK, x, y, seeds=seeds, steps=steps, by=by, noise=noise, dtype="float32", **more), x


@cache
def pilot():
    """Medians of the active units of other networks at the reference's step and noise, against time."""
    times = np.array([0.0, *np.geomspace(0.005, 1.2, 24)])
    run, _ = noisy(10**6, RUNS, times=times, **REFERENCE)
    return times, np.median(run.active_units, axis=1)


def expected(times):
    """The active units of the pilot at a time eta sigma^2 t."""
    return np.interp(times, *pilot())


@cache
def measured(seed):
    """Active units and eta lambda_max/2 of the same networks at each step and noise, the reference last.

    Each of shape (networks, settings, times).
    """
    counts, edges = [], []
    for at in (*OTHERS, REFERENCE):
        run, x = noisy(seed, MANY, times=TIMES, keep_parameters=True, **at)
        counts.append(run.active_units.T)
        edges.append([at["eta"] / 2 * spectra(NETWORK, x, theta)[:, -1] for theta in run.parameters])
    return np.stack(counts, axis=1), np.moveaxis(np.array(edges), 2, 0)


def curves():
    """The fall of the active units at all settings, against eta sigma^2 t."""
    times, middle = pilot()
    drawn = [Series("rival", times[1:].tolist(), middle[1:].tolist(), "other networks, η = 0.1, σ = 0.012")]
    for at, row in zip((*OTHERS, REFERENCE), np.median(measured(FIRST)[0], axis=0), strict=True):
        label = f"η = {at['eta']:g}, σ = {at['sigma']:g}"
        role = "run" if at is REFERENCE else "rival"
        drawn.append(Series(role, TIMES.tolist(), row.tolist(), label, joined=False))
    return Panel("time in units of the noise, η σ² t", "active units of 100, medians", tuple(drawn), "x")


def test_time():
    """The number of active units is a function of eta sigma^2 t, at steps of 0.03 to 0.2 and four sizes of noise."""
    eta, sigma = (np.array([at[name] for at in OTHERS])[:, None] for name in ("eta", "sigma"))
    steps = TIMES / (eta * sigma**2)
    off = lambda of: lambda: (expected(of) - expected(0 * steps + TIMES)).ravel()  # noqa: E731
    unit = REFERENCE["eta"] * REFERENCE["sigma"] ** 2
    rivals = {
        "of σ² t": off(steps * sigma**2 * REFERENCE["eta"]),
        "of η t": off(steps * eta * REFERENCE["sigma"] ** 2),
        "of the number of steps": off(steps * unit),
        "none is lost": off(0 * steps),
    }
    labels = dict(runs=NAMES, y="active units of 100, less those at η = 0.1, σ = 0.012")
    claim = "active units fall with eta sigma^2 t, whatever the step and the noise, within 10 of 100"

    def differences(seed):
        counts = measured(seed)[0]
        return (counts[:, :-1] - counts[:, -1:]).reshape(MANY, -1)

    law, judge = lambda: np.zeros(steps.size), Equivalent(10.0, runs=MANY)
    confront(claim, law, in_turn(differences), {}, judge, rivals, labels=labels, picture=curves(), of=rescaled)


def test_edge():
    """Update noise drives the sharpness up to where steps would be unstable, eta lambda_max = 2, and keeps it there."""
    etas = np.array([at["eta"] for at in OTHERS])
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=16, seed=10**6)
    quiet = train(NETWORK, x, y, seeds=seeds, steps=[2000], by=GradientDescent(0.1), dtype="float32").final
    sharp = np.median(spectra(NETWORK, x, quiet)[:, -1])
    where = lambda edge: np.repeat(edge, len(TIMES))  # noqa: E731
    rivals = {
        "as without noise": lambda: where(etas * sharp / 2),
        "half as sharp": lambda: where(0.5 + 0 * etas),
        "as sharp at every step": lambda: where(etas / REFERENCE["eta"]),
        "the Hessian without the factor 2/(K D)": lambda: where(25 / 2 + 0 * etas),
    }
    labels = dict(runs=NAMES, y="η λ / 2 of the largest eigenvalue")
    claim = "under update noise networks go to the edge of stability, eta lambda_max/2 = 1 within 0.15"
    run = in_turn(lambda seed: measured(seed)[1][:, :-1].reshape(MANY, -1))
    confront(claim, lambda: where(1 + 0 * etas), run, {}, Equivalent(0.15, runs=MANY), rivals, labels=labels)


SIGMAS, ETAS = (0.012, 0.02, 0.034, 0.056), (0.05, 0.1, 0.2)


@cache
def halved(seed, settings):
    """Steps until half of the active units are gone, of the same networks at each setting; (networks, settings)."""
    found = []
    for eta, sigma in settings:
        run, _ = noisy(seed, RUNS, times=[0, *np.geomspace(0.02, 0.8, 60)], eta=eta, sigma=sigma)
        found.append(halving(run.steps, run.active_units))
    return np.array(found).T


def slopes(levels, seed, settings):
    """The exponents of all networks: their median and its interval."""
    fitted = np.polyfit(np.log(levels), np.log(halved(seed, settings)).T, 1)[0]
    return float(np.median(fitted)), *median_interval(fitted, 0.025)


def published(seed):
    """The exponent of the rate in the noise, here and in publication, with their intervals of 95 %."""
    middle, low, high = slopes(SIGMAS, seed, tuple((0.1, s) for s in SIGMAS))
    here = Series("run", [-middle], [0], "here, halving of active units", [-high], [-low])
    there = Series("run", [2.095], [1], "published fits of 118 runs", [2.095 - 1.96 * 0.063], [2.095 + 1.96 * 0.063])
    return Panel("power of the noise in the rate", "", (here, there), rows=True)


def by_level(levels, settings):
    """A run of one level and seed, from networks trained side by side."""
    row = in_turn(lambda seed: halved(seed, settings))
    return lambda level, seed: row(seed)[levels.index(level)]


def test_noise_sets_the_time():
    """Half of the units are gone in a time that goes as one over the variance of the noise."""
    run = by_level(SIGMAS, tuple((0.1, s) for s in SIGMAS))
    rivals = {"-1, of its standard deviation": -1.0, "-4, of its variance's square": -4.0, "none": 0.0}
    labels = dict(
        x="standard deviation σ of the noise", y="steps until half of the active units are gone", about=FIG_3B
    )
    claim = "sparsity takes a time that goes as one over the variance of the noise"
    judge = Exponent(SIGMAS, detects=0.2, runs=RUNS)
    confront(claim, -2.0, run, {}, judge, rivals, labels=labels, picture=published(FIRST))


def test_how_many_steps():
    """Half of the active units are gone after c/(eta sigma^2) steps, with c fitted to other networks."""
    sizes = SIGMAS[1:]
    settings = tuple((0.1, s) for s in sizes)
    runs = lambda: in_turn(lambda seed: np.log(np.vstack([halved(seed + k, settings) for k in (0, 1)])))  # noqa: E731
    power = lambda p: lambda sigma, c: np.log(c / REFERENCE["eta"] * sigma**-p)  # noqa: E731
    law, at, free = power(2.0), dict(sigma=np.array(sizes)), dict(c=0.5)
    asked = "By which power of the noise do active units fall, with one factor for all networks?"
    ranked = {"c/(η σ²)": law, "as published, σ^(-2.095)": power(2.095), "c/(η σ)": power(1.0)}
    rank(asked, ranked, runs(), at, free=free, excess=0.49)  # of which this many networks allow three
    claim = "half of the active units are gone after c/(eta sigma^2) steps, with one c for all networks"
    rivals = {"c/(η σ)": power(1.0), "c/(η σ^4)": power(4.0), "c/η": power(0.0)}
    labels = dict(
        sigma="standard deviation σ of the noise",
        y="ln of the steps until half of the active units are gone",
        about=FIG_3B,
    )
    judge = Fitted(Median(detects=0.55, runs=RUNS, points=len(sizes)), free)
    confront(claim, law, runs(), at, judge, rivals, labels=labels)


@pytest.mark.full
def test_fitted_times():
    """The time scale of an exponential, fitted to active pairs as published, goes as one over the noise's variance."""

    def fitted(seed):
        times = [0, *np.linspace(0.02, 2.4, 60)]
        runs = [noisy(seed, RUNS, times=times, eta=0.1, sigma=sigma)[0] for sigma in SIGMAS]
        return np.array([decay(run.steps, run.active_fraction) for run in runs]).T

    row = in_turn(fitted)
    run = lambda sigma, seed: row(seed)[SIGMAS.index(sigma)]  # noqa: E731
    labels = dict(x="standard deviation σ of the noise", y="fitted time scale of active pairs, steps", about=FIG_3B)
    claim, judge = (
        "fitted time scales go as one over the variance of the noise",
        Exponent(SIGMAS, detects=0.2, runs=RUNS),
    )
    confront(claim, -2.0, run, {}, judge, {"-1": -1.0, "-4": -4.0, "none": 0.0}, labels=labels)


def test_step_sets_the_time():
    """At the same noise larger steps make networks sparse sooner, in proportion: small-step theory says no."""
    run = by_level(ETAS, tuple((eta, 0.02) for eta in ETAS))
    rivals = {"0, as for small steps": 0.0, "-2, of label noise": -2.0}
    labels = dict(x="step η", y="steps until half of the active units are gone")
    claim = "sparsity takes a time that goes as one over the step"
    confront(claim, -1.0, run, {}, Exponent(ETAS, detects=0.2, runs=RUNS), rivals, labels=labels)


LOUD, UNTIL = (0.01, 0.025, 0.06), (0.3, 0.6, 1.2, 2.4, 4.0)


@cache
def long_after(seed):
    """Active units at late times of the same networks with three sizes of noise; shape (networks, sizes, times).

    Of 64 networks, those that diverge at no size of noise.
    """
    runs = [noisy(seed, 64, eta=0.2, sigma=sigma, times=UNTIL)[0] for sigma in LOUD]
    found = np.array([run.active_units for run in runs]).transpose(2, 0, 1)
    return found[np.isfinite(found).all((1, 2))]


@pytest.mark.full
def test_final_sparsity():
    """Networks of one size do not end equally sparse: the louder the noise, the fewer units are left at equal time."""
    row = in_turn(lambda seed: long_after(seed)[:, :, -1])
    run = lambda sigma, seed: row(seed)[LOUD.index(sigma)]  # noqa: E731
    middle = np.median(long_after(FIRST), axis=0)
    drawn = [Series("rival", list(UNTIL), row.tolist(), f"σ = {s:g}") for s, row in zip(LOUD, middle, strict=True)]
    drawn.append(Series("law", [UNTIL[0], UNTIL[-1]], [5.0, 5.0], "rank of the targets"))
    labels = dict(x="standard deviation σ of the noise", y="active units of 100 at η σ² t = 4", about=FIG_3B)
    rivals, claim = (
        {"as many, as published": 0.0, "more": 1.0},
        "the louder the noise, the fewer units are left at last",
    )
    picture = Panel("time in units of the noise, η σ² t", "active units of 100, medians", tuple(drawn), "xy")
    confront(claim, -1.0, run, {}, Trend(LOUD), rivals, labels=labels, picture=picture)


def test_nothing_moves_without_noise():
    """Plain descent, once it has converged, changes the activity of no unit at any sample, for 20,000 steps."""

    @cache
    def change(seed, noise=()):
        x, y, seeds = tasks(NETWORK, SAMPLES, networks=8, seed=seed)
        by = GradientDescent(REFERENCE["eta"])
        run = train(NETWORK, x, y, seeds=seeds, steps=[2000, 22_000], by=by, noise=noise)
        return np.diff(run.active_fraction, axis=0)[0]

    labels = dict(y="change of the fraction of active pairs from step 2,000 to 22,000", about=GENERALITY)
    claim = "without noise no activity changes once the loss is gone"
    rivals = {"as with noise": lambda: np.sign(change(10**6, UpdateNoise(REFERENCE["sigma"])))}
    confront(claim, 0.0, change, {}, Sign(), rivals, labels=labels)
