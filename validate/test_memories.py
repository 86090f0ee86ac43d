"""Networks that keep numbers, on paths and across delays: along how many directions, of what, and how rightly."""

import numpy as np

from laws import Count, confront
from laws.judges.verdict import Panel, Series

PAPER = "huang-2025, sec. 2.2"
QUIET = {"delay": 1, "path2": 15, "path3": 15}  # steps of a trial after which nothing is shown
REST = 10  # steps without input: the longest delay
STORED = {"delay": 1, "path2": 2, "path3": 3}  # numbers that the task asks to be kept


def at_rest(name, trained):
    """Recurrent weights of every network, and states some steps after the last input."""
    recipe, _ = trained(name)
    x = recipe.task.trials(30, 99)[0][: QUIET[name]]
    x = np.concatenate([x, np.zeros((REST, *x.shape[1:]))])
    for (A, *_), along in trained.each(name):
        yield A, along(x)[-1]


def moduli(A, rates):
    """Of the eigenvalues of the derivative at these states, falling: the medians over states."""
    slopes = (1 - rates**2)[:, :, None] * A
    return np.median(-np.sort(-np.abs(np.linalg.eigvals(slopes))), 0)


def slow(A, rates):
    """Along how many directions most is left after the steps without input."""
    return (moduli(A, rates) ** REST > 0.5).sum()


def spectra_of(names, trained):
    """The largest moduli of the first network on each task."""
    ranks = list(range(1, 9))
    lines = [(name, moduli(*next(at_rest(name, trained)))[:8].tolist()) for name in names]
    told = {"delay": "delayed discrimination", "path2": "paths in the plane", "path3": "paths in space"}
    series = (Series("rival", ranks, values, told[name], joined=False) for name, values in lines)
    return Panel("rank of the eigenvalue", "modulus of an eigenvalue, at rest", tuple(series), counts=True)


def test_slow_directions(trained):
    """Networks that keep d numbers have d directions along which most is left after the longest delay."""
    names = [name for name in STORED if trained.how != "small" or name in ("delay", "path2")]
    run = lambda seed: np.array([[slow(*rest) for rest in at_rest(name, trained)] for name in names], float).T  # noqa: E731
    rivals = {"a line, whatever the task": lambda d: 0 * d + 1, "one more": lambda d: d + 1}
    at = dict(d=np.array([float(STORED[name]) for name in names]))
    drawn = dict(d="numbers to keep d", y="slow directions", about=PAPER)
    claim = trained.of("d numbers are kept along d slow directions")
    confront(claim, lambda d: d, run, at, Count(), rivals, labels=drawn, picture=spectra_of(names, trained))


PLACES = np.exp(2j * np.pi * (np.arange(12) + 0.5) / 12)


def two_ways(steps=16):
    """Velocities straight to twelve places on the unit circle, and first along one axis, then along the other."""
    x, y, rest = PLACES.real, PLACES.imag, np.zeros((REST, 24, 2))
    straight = np.tile(np.stack([x, y], -1) / steps, (steps, 1, 1))
    legs = [np.stack([x, 0 * x], -1), np.stack([0 * y, y], -1)]
    corner = np.concatenate([np.tile(leg / (steps // 2), (steps // 2, 1, 1)) for leg in legs])
    return np.concatenate([np.concatenate([straight, corner], 1), rest])


def circles(trained):
    """Where positions on three circles lie among the states of a network, on their principal components."""
    radii = (0.4, 0.8, 1.2)
    angles = np.exp(2j * np.pi * np.arange(49) / 48)
    ends = np.concatenate([r * angles for r in radii])
    x = np.tile(np.stack([ends.real, ends.imag], -1) / 16, (16, 1, 1))
    _, along = next(trained.each("path2"))
    rates = along(np.concatenate([x, np.zeros((REST, len(ends), 2))]))[-1]
    away = rates - rates.mean(0)
    seen = away @ np.linalg.svd(away, full_matrices=False)[2][:2].T
    rings = np.split(seen, len(radii))
    paths = [Series("path", *ring.T.tolist(), "positions on circles of radius 0.4, 0.8, 1.2") for ring in rings]
    return Panel("principal component 1 of the states at rest", "principal component 2", tuple(paths))


def test_position_decides_the_state(trained):
    """Two ways to a place end in nearly the same state: the nearest other state is that of the same place."""

    def recognised(rates):
        apart = np.linalg.norm(rates[:, None] - rates, axis=-1) + np.where(np.eye(24), np.inf, 0)
        return (apart.argmin(1) == (np.arange(24) + 12) % 24).sum()

    run = lambda seed: np.array([recognised(along(two_ways())[-1]) for _, along in trained.each("path2")], float)  # noqa: E731
    rivals = {"states tell the way, not the place": 0.0, "chance: one of 23": 1.0}
    claim = trained.of("the states of integrators tell where, not how one came there")
    law = lambda: np.full(len(trained("path2")[0].seeds), 24.0)  # noqa: E731
    drawn = dict(y="states recognised, of 24", about=PAPER)
    confront(claim, law, run, {}, Count(), rivals, labels=drawn, picture=circles(trained))


FIRST, SECOND = np.array([3.0, 5, 7, 9]), np.array([2.0, 4, 6, 8, 10])  # twice the least difference apart, or more


def compared(trained, delay, first=FIRST):
    """Outputs of every network in the steps of the answer, (first, second), after so long a delay; and rates."""
    task = trained("delay")[0].task
    x = np.zeros((1 + delay + task.answer, len(first) * len(SECOND), 1))
    x[0, :, 0], x[1 + delay, :, 0] = np.repeat(first, len(SECOND)), np.tile(SECOND, len(first))
    for (_, _, _, C, c), along in trained.each("delay"):
        rates = along(x)
        answers = (rates[1 + delay :] @ C[0] + c[0]).mean(0)
        yield answers.reshape(len(first), -1), rates


def kept(trained):
    """States of a network during the delay, from the end of the first stimulus on, on principal components."""
    task = trained("delay")[0].task
    _, rates = next(compared(trained, task.delay[1]))
    rates = rates[1 : 1 + task.delay[1], :: len(SECOND)]
    flat = rates.reshape(-1, rates.shape[-1])
    seen = (rates - flat.mean(0)) @ np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:2].T
    paths = [Series("path", *seen[:, k].T.tolist(), "courses during the delay") for k in range(len(FIRST))]
    ends = Series("run", *seen[-1].T.tolist(), "after it, first stimuli 3, 5, 7, 9")
    return Panel("principal component 1", "principal component 2", (*paths, ends))


def test_first_stimulus_is_kept(trained):
    """The second stimulus at which an answer changes its sign is the first, after every delay of the training.

    Stimuli are one apart: at the least difference of the training, a half, 3 of 512 answers were wrong.
    """
    task = trained("delay")[0].task
    delays = range(task.delay[0], task.delay[1] + 1)
    run = lambda seed: np.array([(answers < 0).sum(1) for d in delays for answers, _ in compared(trained, d)], float)  # noqa: E731
    law = lambda first: np.floor(first / 2)  # noqa: E731
    rivals = {
        "forgotten: the middle of the range": lambda first: 0 * first + 3,
        "kept a fifth too large": lambda first: np.floor(1.2 * first / 2),
    }
    drawn = dict(first="first stimulus", y="second stimuli 2, 4, ..., 10 that are called smaller", about=PAPER)
    claim = trained.of("what is compared is the first stimulus, after every delay")
    confront(claim, law, run, dict(first=FIRST), Count(), rivals, labels=drawn, picture=kept(trained))
