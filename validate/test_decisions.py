"""Learners that decide, against the rates, saddles and noise of their mean field.  The network is a reconstruction."""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from laws import Mean, Order, Roundoff, Trend, confront
from laws.judges.verdict import Panel, Series
from numerics import decisions
from numerics.decisions import SHALLOW, Task
from theory.decisions import (
    bias_rate,
    bias_rate_behind,
    bias_value,
    fluctuations,
    order_of_learning,
    saddles,
    shallow_trajectory,
    stimulus_rate,
    trajectory,
)

tau = 1.3
task = dict(p=0.45, r=1.2, beta=3.5)
tasks = dict(p=np.array([0.2, 0.45, 0.8]), r=np.array([1.7, 1.2, 0.6]))
UNITS = "LR0"


def growth(unit, start, beta):
    """How fast a unit grows that is not learnt, task by task: its gain u solves u'' = rate^2 u, whatever rate is."""
    T, own = 4.0, UNITS.index(unit)

    def run(eta, seed):
        rates = []
        for p, r in zip(*tasks.values(), strict=True):
            theta = np.array(start(p, r), dtype=float)
            theta[own] = 3e-8, 1e-8, 2e-8
            u = decisions.expect(Task(p, r, beta), theta, [0, T, 2 * T], eta)[:, own, 0]
            rates.append(np.arccosh((u[0] + u[2]) / (2 * u[1])) / T / tau)
        return np.array(rates)

    return run


def labels(unit):
    """The axes of a rate."""
    return dict(p="probability p of the left stimulus", y=f"rate of the {unit}, 1/time (τ = 1.3)", h="learning rate η")


def test_bias_rate():
    """Around zero weights the constant unit grows at r sqrt(p^2 + (1 - p)^2)/2, faster than either stimulus."""
    rivals = {
        "the left stimulus's": lambda p, r, tau: stimulus_rate(p=p, r=r, pi=0.5, c=0.0, tau=tau),
        "the right stimulus's": lambda p, r, tau: stimulus_rate(p=1 - p, r=r, pi=0.5, c=0.0, tau=tau),
        "stimuli shown equally": lambda p, r, tau: bias_rate(p=0.5 + 0 * p, r=r, tau=tau),
    }
    claim = "bias grows first: at zero weights it is faster than either stimulus"
    at, run = dict(**tasks, tau=tau), growth("0", lambda p, r: np.zeros((3, 3)), 3.5)
    confront(claim, bias_rate, run, at, Order(1, start=0.04), rivals, labels=labels("constant unit"))


def alone(p, r):
    """The constant unit at rest, with both stimuli at 0."""
    return [[0, 0, 0], [0, 0, 0], [0.8, p * r / 0.8, (1 - p) * r / 0.8]]


def test_stimulus_rate():
    """Behind bias a stimulus grows at p pi sqrt(r (r - c)): slower, since its gain learns what bias leaves over."""
    p, r = tasks.values()
    c = p * r
    pi = 1 / (1 + np.exp(-3.5 * (c - (1 - p) * r)))
    rivals = {
        "as without bias": lambda **at: stimulus_rate(**{**at, "pi": 0.5, "c": 0.0}),
        "as if bias took no part of the reward": lambda **at: stimulus_rate(**{**at, "c": 0.0}),
        "one error for all, p pi (r - c)": lambda p, r, pi, c, tau: p * pi * (r - c) / tau,
    }
    claim = "behind bias a stimulus is learnt more slowly"
    at = dict(**tasks, pi=pi, c=c, tau=tau)
    confront(claim, stimulus_rate, growth("L", alone, 3.5), at, Order(1, start=0.04), rivals, labels=labels("stimulus"))


def test_bias_behind():
    """Behind the left stimulus bias grows at r (1 - p)/2, as the right stimulus does."""
    left = lambda p, r: [[0.8, r / 0.8, 0], [0, 0, 0], [0, 0, 0]]  # noqa: E731
    rivals = {
        "as at zero weights": bias_rate,
        "with the stimulus that is learnt": lambda p, r, tau: bias_rate_behind(p=1 - p, r=r, tau=tau),
    }
    claim = "behind the left stimulus bias grows as fast as the right stimulus"
    at, drawn = dict(**tasks, tau=tau), labels("constant unit")
    confront(claim, bias_rate_behind, growth("0", left, 3.5), at, Order(1, start=0.04), rivals, labels=drawn)


def test_bias_value():
    """Bias alone comes to expect r times the probability of its side, whatever the choices are."""
    eta, until = 0.5, 700.0

    def run(seed):
        start = np.array([[0, 0, 0], [0, 0, 0], [1.5, 0.9, 0.2]])
        ends = [
            decisions.expect(Task(p, r, 3.5), start, [until], eta)[0, 2] for p, r in zip(*tasks.values(), strict=True)
        ]
        return np.array([gain * left for gain, left, _ in ends])

    rivals = {
        "half of the reward": lambda p, r: r / 2 + 0 * p,
        "the probability of the other side": lambda p, r: bias_value(p=1 - p, r=r),
    }
    judge = Roundoff(operations=round(16 * until / eta))  # roundings of all steps, though a contraction forgets most
    drawn = dict(p="probability p of the left stimulus", y="value $c_L$ of the left choice")
    confront("bias alone expects its share of the reward", bias_value, run, tasks, judge, rivals, labels=drawn)


def at_rest(point, off):
    """A learner at a saddle, but for `off` in the weights of the units that are not learnt there."""
    theta = off * np.array([[1.0, 0.7, 0.4], [0.9, 0.5, 0.8], [1.1, 0.6, 0.9]])
    bias = np.min(point.values, axis=0) if "0" in point.learnt else np.zeros(2)
    for i, unit in enumerate(UNITS):
        if unit in point.learnt:
            own = bias if unit == "0" else (point.values[i] - bias) * (np.arange(2) == i)
            theta[i] = 0.8, *(own / 0.8)
    return theta


def learnt(path):
    """Which values have passed half of their own saddle's; shape (..., 3), from weights of shape (..., 3, 3)."""
    q = path[..., :1] * path[..., 1:]
    own = np.stack([q[..., 0, 0], q[..., 1, 1], q[..., 2, :].mean(axis=-1)], axis=-1)
    return own > task["r"] * np.array([1 / 2, 1 / 2, 1 / 4])


def test_saddles():
    """From 1e-9 off a saddle a learner leaves along the units that should grow there, and along no other."""
    points = saddles(**task)
    bits = np.array([1, 2, 4])

    def run(seed):
        starts = np.array([at_rest(point, 1e-9) for point in points])
        path = decisions.expect(Task(**task), starts, np.arange(0, 201.0), 0.25)
        new = np.array([[unit not in point.learnt for unit in UNITS] for point in points])
        return (np.any(learnt(path), axis=0) & new) @ bits

    code = lambda names: sum(int(bit) for unit, bit in zip(UNITS, bits, strict=True) if unit in names)  # noqa: E731
    law = np.array([code([unit for unit, rate in point.rates.items() if rate > 0]) for point in points])
    rivals = {
        "every unit that is not learnt": lambda number: np.array([7 - code(point.learnt) for point in points]),
        "the fastest unit alone": lambda number: np.array(
            [code(max(point.rates, key=point.rates.get) if point.unstable else "") for point in points]
        ),
        "bias grows beside nothing": lambda number: law & ~np.where([bool(s.learnt) for s in points], 4, 0),
    }
    claim = "a learner leaves every saddle along the units that are unstable there, and no other"
    drawn = dict(number="saddle: nothing, 0, L, R, LR, L0, R0 learnt", y="units that are learnt next (L 1, R 2, 0 4)")
    at, judge = dict(number=np.arange(len(points))), Roundoff(operations=1)
    confront(claim, lambda number: law, run, at, judge, rivals, labels=drawn, picture=behaviour(), of=saddles)


def right(values):
    """The chance of the right choice on both sides, in percent; from values (..., stimulus, choice)."""
    chance = 100 / (1 + np.exp(-task["beta"] * (values[..., 0] - values[..., 1])))
    return chance[..., 0], 100 - chance[..., 1]


def totals(path):
    """Values of both choices on both stimuli, from weights."""
    q = path[..., :1] * path[..., 1:]
    return q[..., :2, :] + q[..., 2:, :]


def behaviour():
    """Single learners from small random weights, among the saddles, as the slides draw behaviour."""
    starts = 1e-3 * np.random.default_rng(5).standard_normal((6, 3, 3))
    path = decisions.learn(Task(**task), starts, np.arange(0, 90.0, 0.5), 0.01, learners=6, seed=5)
    left, rightly = right(totals(path))
    lines = [Series("path", left[:, k].tolist(), rightly[:, k].tolist(), "" if k else "6 learners") for k in range(6)]
    marks = {"saddles": False, "quasi-saddles": True}
    for name, quasi in marks.items():
        x, y = right(np.array([s.values for s in saddles(**task) if s.quasi == quasi]))
        lines.append(Series("rival" if quasi else "law", x.tolist(), y.tolist(), name, joined=False))
    return Panel("left stimulus: right choices, %", "right stimulus: right choices, %", tuple(lines))


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
    """Twice the largest variance in a pilot of other seeds."""
    return 2 * float(samples.reshape(len(samples), -1).var(axis=0).max())


def one_error(start, times):
    """The trajectory of the rival whose weights all descend the error of the whole value."""

    def moves(_, y):
        theta = y.reshape(3, 3)
        gain, weight = theta[:, 0], theta[:, 1:]
        q = totals(theta)
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
    law = lambda t: trajectory(SMALL, t, **task).reshape(-1, 9).T  # noqa: E731
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
        "half of the bend": lambda: shift / 2,
    }
    judge = Mean(detects=0.5, variance=bounded(run(2000, 1)), points=shift.size)
    claim = "the average learner leaves the mean field at first order in the learning rate"
    drawn = dict(y="(average - mean field)/η: nine weights, t = 4, 8, 16")
    confront(claim, lambda: shift, run, {}, judge, rivals, labels=drawn, of=fluctuations)


def test_spread():
    """Learners from one start spread as sqrt(eta), with the covariance that the mean field carries along."""
    spread = np.diagonal(fluctuations(STRONG, TIMES, **task)[1], axis1=1, axis2=2)
    trial = np.diagonal(fluctuations(STRONG, [2.0**-10], **task)[1][0]) * 2**10

    def run(n, seed):
        coarse, fine = (x[:, ::2] - x[:, 1::2] for x in ensembles(STRONG, 0.16, 2 * n, seed))  # pairs need no mean
        return to_first_order(coarse**2 / 2 / 0.16, fine**2 / 2 / 0.08)

    rivals = {
        "no noise": lambda: 0 * spread,
        "trials that add up, t D": lambda: TIMES[:, None] * trial,
        "a spread that goes as η": lambda: 0.16 * spread,
    }
    judge = Mean(detects=0.1, variance=bounded(run(2000, 1)), points=spread.size)
    claim = "learners that start alike spread as the root of the learning rate"
    drawn = dict(y="variance/η: nine weights, t = 4, 8, 16")
    confront(claim, lambda: spread, run, {}, judge, rivals, labels=drawn, of=fluctuations)


KNOWN = (0.0, 0.5, 1.0)


@cache
def visits(seed, learners=100):
    """Small random starts, others beside them, and which unit each learner learnt first."""
    own, other = 1e-3 * np.random.default_rng(seed).standard_normal((2, learners, 3, 3))
    path = learnt(decisions.learn(Task(**task), own, np.arange(0, 60.0, 0.25), 0.05, learners=learners, seed=seed))
    first = np.where(path.any(axis=0), path.argmax(axis=0), len(path))
    return own, other, first.argmin(axis=1)


def foretold(known, seed):
    """How often the first unit is the one foretold from a start of which so much is known."""
    own, other, first = visits(seed)
    guess = order_of_learning(known * own + np.sqrt(1 - known**2) * other, p=task["p"], r=task["r"])[:, 0]
    return np.mean(guess == first)


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
    """The saddle that a learner visits first is written in its start: the better it is known, the better foretold."""
    claim = "learners are diverse but systematic: their start foretells the first saddle they visit"
    drawn = dict(x="correlation of the start used with the learner's own", y="share of learners foretold")
    confront(
        claim, 1, foretold, {}, Trend(KNOWN), {"chance": 0, "the contrary": -1}, labels=drawn, of=order_of_learning
    )


def speed(path, times):
    """The speed of learning."""
    return np.linalg.norm(np.diff(path.reshape(len(path), -1), axis=0), axis=1) / np.diff(times)


def slowings(path, times):
    """How often learning slows down and speeds up again until both stimuli are half learnt."""
    end = int(np.argmax(learnt(path)[:, :2].all(axis=1))) + 1
    v = speed(path[:end], times[:end])
    return int(np.sum((v[1:-1] < v[:-2]) & (v[1:-1] < v[2:])))


def test_depth_makes_saddles():
    """A deep learner from small weights slows down beside two saddles on its way; a shallow one never does."""
    times = np.arange(0, 60.0, 0.25)
    small = 1e-5 * np.array([[1.9, 1.1, 0.4], [0.6, -0.3, 0.8], [1.3, 0.9, 1.7]])

    def run(seed):
        shallow = np.column_stack([np.ones(3), small[:, 1:]])
        deep = decisions.expect(Task(**task), small, times, 0.25)
        return [deep, decisions.expect(Task(**task), shallow, times, 0.25, plastic=SHALLOW)]

    curves = [
        Series(role, times[1:].tolist(), speed(path, times).tolist(), name)
        for path, role, name in zip(run(0), ("law", "rival"), ("deep", "shallow"), strict=True)
    ]
    picture = Panel("time t (τ = 1)", "speed of learning |dθ/dt|", tuple(curves), "y")
    visited = len(order_of_learning(small, p=task["p"], r=task["r"])) - 1  # one saddle before each unit but the first
    rivals = {"as many at any depth": lambda depth: visited + 0 * depth, "none at any depth": lambda depth: 0 * depth}
    claim = "depth makes saddles: on its way a deep learner slows down at two, a shallow one at none"
    counts = lambda seed: np.array([slowings(path, times) for path in run(seed)])  # noqa: E731
    drawn = dict(depth="layers", y="saddles beside which learning slows down")
    at = dict(depth=np.array([2, 1]))
    law = lambda depth: np.where(depth == 2, visited, 0)  # noqa: E731
    confront(claim, law, counts, at, Roundoff(1), rivals, labels=drawn, picture=picture, of=saddles)
