"""Networks trained on sines: they turn as often as they are asked to, on cycles that attract."""

from functools import cache

import numpy as np

from laws import Count, confront
from laws.judges.verdict import Panel, Series
from numerics import rnn

PAPER = "huang-2025, sec. 2.2"
SETTLE, STEPS = 1000, 1000


@cache
def cycles(trained):
    """What every sine network comes to from rest, for each frequency of the ladder."""
    task = trained("sine")[0].task
    shown = task.ladder[:, None] / task.high
    found = []
    for (A, U, b, _, _), _ in trained.each("sine"):
        drive = b + shown @ U.T
        found.append(rnn.courses(A, drive, 0 * drive, settle=SETTLE, steps=STEPS, count=3))
    return found


def sine_trials(trained):
    """The lowest and the highest frequency: targets and outputs, up to twice the length of the trials in training."""
    task = trained("sine")[0].task
    (_, _, _, C, c), along = next(trained.each("sine"))
    steps = 2 * task.length
    shown = np.tile((task.ladder[[0, -1]] / task.high)[:, None], (steps, 1, 1))
    outputs, times = along(shown) @ C.T + c, task.dt * np.arange(steps)
    series = []
    for k, (f, up) in enumerate(((task.ladder[0], 1.5), (task.ladder[-1], -1.5))):
        target = np.sin(2 * np.pi * f * times) + up
        series.append(Series("law", times.tolist(), target.tolist(), "" if k else "sines of the task, set apart"))
        output = (outputs[:, k, 0] + up).tolist()
        series.append(Series("run", times.tolist(), output, "" if k else "output of a network"))
    return Panel(f"time (s); training ends at {task.length * task.dt:g} s", "output", tuple(series))


def test_frequencies(trained):
    """In ten times the length of a trial every network makes as many turns as the sine that it was asked for."""
    task = trained("sine")[0].task
    steps = 10 * task.length
    run = lambda seed: np.array([np.rint(found.turns * steps) for found in cycles(trained)])  # noqa: E731
    law = lambda f: f * task.dt * steps  # noqa: E731
    middle = task.ladder.mean()
    rivals = {
        "a fiftieth faster": lambda f: np.rint(1.02 * law(f)),
        "one frequency for all": lambda f: law(0 * f + middle),
    }
    drawn = dict(f="frequency f that is asked for (Hz)", y=f"turns in {steps * task.dt:g} s", about=PAPER)
    claim = trained.of("sine networks turn as often as they are asked to")
    confront(claim, law, run, dict(f=task.ladder), Count(), rivals, labels=drawn, picture=sine_trials(trained))


def cycles_drawn(trained):
    """The cycles of one network on the principal components of all its states, with what lies at rest inside."""
    task, found = trained("sine")[0].task, cycles(trained)[0]
    (A, U, b, C, c), _ = next(trained.each("sine"))
    flat = found.rates.reshape(-1, len(A))
    middle = flat.mean(0)
    axes = np.linalg.svd((flat - middle)[::7], full_matrices=False)[2][:2]
    seen = lambda rates: ((rates - middle) @ axes.T).T.tolist()  # noqa: E731
    series = []
    for k in (0, len(task.ladder) // 2, -1):
        f, rates = task.ladder[k], found.rates[:200, k]
        inside = rnn.fixed_points(A, b + U[:, 0] * f / task.high, C, c, rates[:20])
        series.append(Series("rival", *seen(rates), f"course at {f:g} Hz"))
        if len(inside.rates):
            told = f"fixed point at {f:g} Hz" + ", unstable" * bool(not inside.stable.any())
            series.append(Series("rival", *seen(inside.rates), told, joined=False))
    return Panel("principal component 1", "principal component 2", tuple(series))


def test_cycles_are_stable(trained):
    """Of a cycle's three largest multipliers two are inside the unit circle; the first is that of the phase."""
    task = trained("sine")[0].task

    def contracting(found):
        return (found.exponents < -np.abs(found.exponents[:, :1])).sum(1)

    run = lambda seed: np.array([contracting(found) for found in cycles(trained)], float)  # noqa: E731
    law = lambda f: 2 + 0 * f  # noqa: E731
    rivals = {"all three, as at a stable fixed point": lambda f: 3 + 0 * f, "one": lambda f: 1 + 0 * f}
    drawn = dict(f="frequency f that is asked for (Hz)", y="multipliers inside the unit circle, of three", about=PAPER)
    claim = trained.of("the cycles of sine networks are stable but for their phase, by their three largest multipliers")
    confront(claim, law, run, dict(f=task.ladder), Count(), rivals, labels=drawn, picture=cycles_drawn(trained))
