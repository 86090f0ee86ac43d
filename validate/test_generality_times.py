"""How fast drift makes networks sparser: the time constant of the fall of active pairs, and what noise makes of it.

A time constant is that of an exponential which falls to a rest of its own.  The same random tasks are learnt here under
three levels of update noise, each for as long as eta sigma^2 t is .8; beside them stand, in the picture, networks of
the stored sweep that are on its axis of noise, each of a million steps.
"""

from pathlib import Path

import numpy as np

from laws import Exponent, confront
from laws.judges import in_turn
from laws.judges.confrontation import fresh
from laws.judges.verdict import Panel, Series
from numerics.ensemble import Network, Rich, UpdateNoise
from numerics.generality import Drift, Outcome, Random, Sweep, relaxation, train
from numerics.generality._design import DESCENT
from numerics.sparsity import decay
from numerics.store import Store

FIG_3B = "ratzon-2024, Fig. 3B"
RECORD = Store(Path(__file__).parent / "records" / "generality")
STORED = Sweep(networks=384, steps=10**6, seed=1)
NETWORK, SIGMAS, UNTIL = Network(20, 100, 5), (0.012, 0.017, 0.024), 0.8  # until eta sigma^2 t
MADE, RUNS = 32, 54  # networks at a time, until so many diverge at no level


def relaxed(seed):
    """Time constants of the active pairs of the same networks at each level of noise; shape (networks, levels)."""
    taus = np.empty((0, len(SIGMAS)))
    for k in range(8):
        if len(taus) >= RUNS:
            break
        drawn = np.random.SeedSequence(seed).generate_state((k + 1) * MADE, np.uint64)[k * MADE :]
        taus = np.concatenate([taus, of_networks([int(s) for s in drawn // 2])])
    return taus


def of_networks(seeds):
    """The time constants of those of some networks that diverge at no level of noise; shape (networks, levels)."""
    found = []
    for sigma in SIGMAS:
        steps = round(UNTIL / (DESCENT.eta * sigma**2))
        runs = train([Drift(Random(), 5, NETWORK, Rich(), DESCENT, UpdateNoise(sigma), steps, s) for s in seeds])
        even = np.isin(runs[0]["steps"], np.rint(np.linspace(0, steps, 41)))
        found.append(relaxation(runs[0]["steps"][even], np.stack([run["active_fraction"][even] for run in runs], 1)))
    taus = np.array(found).T
    return taus[~np.isnan(taus).any(1)]


def of_logarithms():
    """The exponent of time constants, over the same records, of falls with the logarithm of time that no noise changes.

    Of those that begin by the first, tenth, hundredth or thousandth step it is that of the steepest.
    """
    slopes = []
    for begin in (1, 10, 100, 1000):
        times = [np.rint(np.linspace(0, round(UNTIL / (DESCENT.eta * sigma**2)), 41)) for sigma in SIGMAS]
        taus = [relaxation(time, -np.log1p(time / begin)[:, None])[0] for time in times]
        slopes.append(np.polyfit(np.log(SIGMAS), np.log(taus), 1)[0])
    return float(min(slopes))


def against_noise(found) -> Panel:
    """Time constants against noise: those found here, those of the record's axis, and the published fit of the same."""
    one = Outcome([STORED], [RECORD.load(STORED)])
    axis = one.on_axis & one.alive
    sigmas = np.array([s.noise.sigma for s, on in zip(one.settings, axis, strict=True) if on])
    taus = one.time_constants(axis)
    old = decay(one.steps[one.even], one.curves["active_fraction"][one.even][:, axis])
    here, told = np.repeat([SIGMAS], len(found), axis=0).ravel(), np.isfinite(taus)
    span = np.array([sigmas.min(), SIGMAS[-1]])
    law = np.median(found[:, 0]) * (SIGMAS[0] / span) ** 2
    drawn = (
        Series("law", span.tolist(), law.tolist(), "one over the variance"),
        Series("run", here.tolist(), found.ravel().tolist(), "trained here until η σ² t = 0.8"),
        Series("rival", sigmas[told].tolist(), taus[told].tolist(), "1e6 steps, where they tell it", joined=False),
        Series("rival", sigmas.tolist(), old.tolist(), "1e6 steps, by the published fit", joined=False),
    )
    return Panel("standard deviation σ of the noise", "time constant, steps", drawn, "xy")


def test_noise_sets_the_time_constant():
    """Over runs of equal η σ² t the time constant of the fall goes as one over the variance of the noise.

    Over records of equal length it does not: a fit with a rest of its own, too, follows the record, and on the axis of
    the sweep its time constants go as the deviation to the power -1.2 or so, as the picture shows.
    """
    found = relaxed(fresh(0, "time constants against noise"))
    row = in_turn(lambda seed: found)
    run = lambda sigma, seed: row(seed)[SIGMAS.index(sigma)]  # noqa: E731
    labels = dict(x="standard deviation σ of the noise", y="time constant of active pairs, steps", about=FIG_3B)
    rivals = {"-1, of its standard deviation": -1.0, "-4, of its variance's square": -4.0}
    rivals |= {"of a fall with log t that no noise changes": of_logarithms()}
    confront("over equal η σ² t time constants go as one over the variance of the noise", -2.0, run, {},
             Exponent(SIGMAS, detects=0.3, runs=RUNS), rivals, labels=labels, picture=against_noise(found))  # fmt: skip
