"""Single learners that decide: their averages, their spread, and which saddles they visit.  A reconstruction."""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from laws import Mean, Order, Trend, confront
from laws.judges.verdict import Panel, Series
from numerics import decisions
from numerics.decisions import SHALLOW, Task
from theory.decisions import (
    fluctuations,
    order_of_learning,
    saddles,
    shallow_trajectory,
    trajectory,
)

DIVERSE = "saxe-slides, Learning trajectories are individually diverse but systematic"
DEPTH = "saxe-slides, Saddle points arise through depth"
task = dict(p=0.45, r=1.2, beta=3.5)


def learnt(path):
    """Which values have passed half of their own saddle's; shape (..., 3), from weights of shape (..., 3, 3)."""
    q = path[..., :1] * path[..., 1:]
    own = np.stack([q[..., 0, 0], q[..., 1, 1], q[..., 2, :].mean(axis=-1)], axis=-1)
    return own > task["r"] * np.array([1 / 2, 1 / 2, 1 / 4])


TIMES = np.array([4.0, 8.0, 16.0])
SMALL = np.array([[0.21, 0.13, 0.05], [-0.11, 0.04, -0.17], [0.12, 0.19, 0.08]])
STRONG = np.array([[0.91, 0.63, 0.25], [-0.61, 0.34, -0.77], [0.62, 0.49, 0.58]])
MIDDLE = np.array([[0.51, 0.33, 0.15], [-0.31, 0.24, -0.47], [0.42, 0.29, 0.38]])


def ensembles(start, eta, n, seed):
    """Weights of n learners at learning rates eta and eta/2; shapes (times, n, 9)."""
    etas = zip((eta, eta / 2), np.random.SeedSequence(seed).generate_state(2), strict=True)
    runs = [decisions.learn(Task(**task), start, TIMES, eta, learners=n, seed=int(s)) for eta, s in etas]
    return [run.reshape(len(TIMES), n, 9) for run in runs]


def to_first_order(coarse, fine):
    """What is left of a quantity at learning rate 0, per learner, if its next term is of first order."""
    return np.moveaxis(2 * fine - coarse, 0, 1)


def bounded(samples):
    """Twice the largest variance in a pilot of other seeds: an estimate, on which the stated error rates lean."""
    return 2 * float(samples.reshape(len(samples), -1).var(axis=0).max())


def one_error(start, times):
    """The trajectory of the rival whose weights all descend the error of the whole value."""

    def moves(_, y):
        theta = y.reshape(3, 3)
        gain, weight = theta[:, 0], theta[:, 1:]
        q = decisions.totals(theta)
        drive = np.exp(task["beta"] * q)
        chance = np.array([[task["p"]], [1 - task["p"]]]) * drive / drive.sum(axis=1, keepdims=True)
        missing = np.vstack([chance * (task["r"] * np.eye(2) - q), np.zeros(2)])
        missing[2] = missing.sum(axis=0)
        return np.column_stack([(missing * weight).sum(axis=1), missing * gain[:, None]]).ravel()

    return solve_ivp(moves, (0, times[-1]), start.ravel(), t_eval=times, rtol=1e-9, atol=1e-12).y.T


def test_trajectory():
    """Learners that average over trials follow the mean field at first order in the learning rate."""
    times = np.arange(2.0, 33, 2)
    run = lambda eta, seed: decisions.expect(Task(**task), SMALL, times, eta).reshape(-1, 9).T  # noqa: E731
    law = lambda t: trajectory(SMALL, 1.3 * t, **task, tau=1.3).reshape(-1, 9).T  # noqa: E731
    shallow = lambda t: shallow_trajectory(SMALL[:, 1:], t, **task)  # noqa: E731
    rivals = {
        "one error for all weights": lambda t: one_error(SMALL, t).T,
        "shallow weights": lambda t: (
            np.concatenate([np.broadcast_to(SMALL[:, :1], (len(t), 3, 1)), shallow(t)], 2).reshape(-1, 9).T
        ),
    }
    claim = "learners that average over trials follow the mean field"
    drawn = dict(t="time t (τ = 1)", y="weights $u_L, w_{LL}, w_{RL}, u_R, w_{LR}$", h="learning rate η")
    confront(claim, law, run, dict(t=times), Order(1, start=0.08), rivals, labels=drawn, of=trajectory)


def test_mean_shift():
    """The average of many learners leaves the mean field by eta b: by what steps leave out, and by how noise bends."""
    path = trajectory(MIDDLE, TIMES, **task).reshape(len(TIMES), 1, 9)
    shift = fluctuations(MIDDLE, TIMES, **task)[0].reshape(-1, 9)

    def run(n, seed):
        coarse, fine = ensembles(MIDDLE, 0.08, n, seed)
        return to_first_order((coarse - path) / 0.08, (fine - path) / 0.04)

    def averaging(eta):
        return (decisions.expect(Task(**task), MIDDLE, TIMES, eta).reshape(-1, 9) - path[:, 0]) / eta

    rivals = {
        "the mean field itself": lambda: 0 * shift,
        "that of learners that average over trials": lambda: 2 * averaging(0.04) - averaging(0.08),
        "half of the bend": lambda: (shift + 2 * averaging(0.04) - averaging(0.08)) / 2,
    }
    judge = Mean(detects=0.5, variance=bounded(run(2000, 1)), points=shift.size)
    claim = "the average learner leaves the mean field at first order in the learning rate"
    drawn = dict(y="(average - mean field)/η: nine weights, t = 4, 8, 16")
    confront(claim, lambda: shift, run, {}, judge, rivals, labels=drawn, of=fluctuations)


def test_spread():
    """Learners from one start spread as sqrt(eta), with the covariance that the mean field carries along."""
    along = np.vstack([np.eye(9), np.random.default_rng(0).choice([-1, 1], (5, 9))])  # weights, and sums of all nine
    across = lambda C: np.einsum("di,...ij,dj->...d", along, C, along)  # noqa: E731
    spread = across(fluctuations(STRONG, TIMES, **task)[1])
    trial = across(fluctuations(STRONG, [2.0**-10], **task)[1][0]) * 2**10

    def run(n, seed):
        coarse, fine = ((x[:, ::2] - x[:, 1::2]) @ along.T for x in ensembles(STRONG, 0.16, 2 * n, seed))
        return to_first_order(coarse**2 / 2 / 0.16, fine**2 / 2 / 0.08)  # pairs need no mean

    unit = run(2000, 1).std(axis=0)  # in these units every variance is near 1: 2 bounds it, as in `bounded`
    rivals = {
        "no noise": lambda: 0 * spread / unit,
        "trials that add up, t D": lambda: TIMES[:, None] * trial / unit,
        "weights that spread alone": lambda: across(np.apply_along_axis(np.diag, -1, spread[:, :9])) / unit,
    }
    judge = Mean(detects=0.1, variance=2.0, points=spread.size)
    claim = "learners that start alike spread as the root of the learning rate"
    drawn = dict(y="variance/η over its own deviation: nine weights and five sums, t = 4, 8, 16")
    measured = lambda n, seed: run(n, seed) / unit  # noqa: E731
    confront(claim, lambda: spread / unit, measured, {}, judge, rivals, labels=drawn, of=fluctuations)


KNOWN = (0.0, 0.9, 1.0)
EVEN = dict(p=0.48, r=task["r"])  # with bias that starts smaller, each unit comes first in many learners


@cache
def visits(seed, learners=200):
    """Small random starts, others beside them, and the first two units that each learner learnt, in order."""
    own, other = 1e-3 * np.random.default_rng(seed).standard_normal((2, learners, 3, 3)) * [[[1], [1], [0.06]]]
    times = np.arange(0, 80.0, 0.25)
    path = learnt(decisions.learn(Task(**EVEN, beta=task["beta"]), own, times, 0.05, learners=learners, seed=seed))
    first = np.where(path.any(axis=0), path.argmax(axis=0), len(path))
    return own, other, first.argsort(axis=1, kind="stable")[:, :2]


def foretold(known, seed):
    """How often the first two units are those foretold, in order; known 0: the commonest pair is guessed."""
    own, other, units = visits(seed)
    if not known:
        return np.unique(units, axis=0, return_counts=True)[1].max() / len(units)
    guess = order_of_learning(known * own + np.sqrt(1 - known**2) * other, **EVEN)[:, :2]
    return np.mean(np.all(guess == units, axis=1))


def gains():
    """The gains of the two stimuli in single learners from small random weights."""
    starts = 1e-3 * np.random.default_rng(5).standard_normal((6, 3, 3))
    path = np.abs(decisions.learn(Task(**task), starts, np.arange(0, 90.0, 0.5), 0.01, learners=6, seed=5))
    lines = [
        Series("path", path[:, k, 0, 0].tolist(), path[:, k, 1, 0].tolist(), "" if k else "6 learners")
        for k in range(6)
    ]
    return Panel("gain of the left stimulus, $|u_L|$", "gain of the right stimulus, $|u_R|$", tuple(lines))


def test_visits():
    """The first two saddles that a learner visits are foretold from its start, more often the better it is known."""
    claim = "learners are diverse but systematic: their start foretells their first two saddles better than a guess"
    known = "correlation of the start used with the learner's own; 0: the commonest pair is guessed"
    drawn = dict(x=known, y="learners foretold, share of 200", about=DIVERSE)
    rivals, judge = {"chance": 0, "the contrary": -1}, Trend(KNOWN)
    confront(claim, 1, foretold, {}, judge, rivals, labels=drawn, picture=gains(), of=order_of_learning)


def slowings(path, times):
    """How often each learner slows down and speeds up again until both stimuli are half learnt."""
    both = learnt(path)[..., :2].all(axis=-1)
    end = np.where(both.any(axis=0), both.argmax(axis=0) + 1, len(times))
    v = speed(path, times)
    dips = (v[1:-1] < v[:-2]) & (v[1:-1] < v[2:])
    return np.sum(dips & (np.arange(2, len(times))[1:, None] < end), axis=0)


def speed(path, times):
    """The speed of learning of each learner; shape (len(times) - 1, learners)."""
    steps = np.diff(path.reshape(*path.shape[:2], -1), axis=0)
    return np.linalg.norm(steps, axis=-1) / np.diff(times)[:, None]


def test_depth_makes_saddles():
    """Every deep learner slows down on its way from small weights, beside saddles; no shallow one does."""
    times = np.arange(0, 80.0, 0.5)

    def paths(n, seed):
        small = 1e-5 * np.random.default_rng(seed).standard_normal((n, 3, 3))
        shallow = np.concatenate([np.ones((n, 3, 1)), small[..., 1:]], axis=-1)
        deep = decisions.expect(Task(**task), small, times, 0.25)
        return deep, decisions.expect(Task(**task), shallow, times, 0.25, plastic=SHALLOW)

    def run(n, seed):
        return np.stack([slowings(path, times) > 0 for path in paths(n, seed)], axis=1).astype(float)

    curves = [
        Series(role, times[1:].tolist(), speed(path, times).T.tolist(), name)
        for path, role, name in zip(paths(3, 1), ("law", "rival"), ("3 deep", "3 shallow"), strict=True)
    ]
    picture = Panel("time t (τ = 1)", "speed of learning |dθ/dt|", tuple(curves), "y")
    rivals = {"all, whatever their depth": lambda depth: 1 + 0 * depth, "none": lambda depth: 0 * depth}
    claim = "depth makes saddles: on its way every deep learner slows down, and no shallow one"
    drawn = dict(depth="layers", y="share of learners that slow down on their way", about=DEPTH)
    at, judge = dict(depth=np.array([2, 1])), Mean(detects=0.1, bounds=(0, 1), points=2)
    confront(claim, lambda depth: depth - 1, run, at, judge, rivals, labels=drawn, picture=picture, of=saddles)
