"""Learners that decide, against the rates, saddles and noise of their mean field.  The network is a reconstruction."""

from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from laws import Mean, Order, Roundoff, Solver, Trend, confront
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


def shared(until, eta):
    """Gains and values of a learner of the left stimulus and of bias, without the other stimulus."""
    start = np.array([[0.6, 0.9, 0], [0, 0, 0], [0.5, 0.7, 0.9]])
    path = decisions.expect(Task(**task), start, until, eta)
    return path[:, [0, 2], 0], path[..., :1] * path[..., 1:]


def test_gains_fall():
    """Where a stimulus and bias share the reward, gains fall as t^(-1/2) and never rest."""
    run = lambda h, seed: np.log2(np.divide(*shared([1 / h, 2 / h], 0.05)[0]))  # noqa: E731
    rivals = {"they rest, as at a saddle": lambda: np.zeros(2), "they fall as 1/t": lambda: np.ones(2)}
    claim = "at a quasi-saddle gains fall as the root of time"
    drawn = dict(y="power of 1/t in the gains", h="1/time at which it is taken")
    confront(claim, lambda: np.full(2, 0.5), run, {}, Order(1, start=0.08), rivals, labels=drawn, of=saddles)


def test_quasi_saddle():
    """Their values come to rest all the same: at those where bias balances both sides."""
    point = next(s for s in saddles(**task) if s.learnt == "L0")
    bias = np.array([point.values[1, 0], point.values[0, 1]])
    law = np.concatenate([[point.values[0, 0] - bias[0]], bias])
    p, r = task["p"], task["r"]

    def run(rtol, seed):
        """Values of the stimulus and of both biases at t = 20, and at ten times that: the later is nearer to rest."""
        values = shared([20.0 * np.sqrt(8e-4 / rtol)], 0.05)[1][-1]
        return np.array([values[0, 0], *values[2]])

    alone = np.array([bias_value(p=p, r=r), bias_value(p=1 - p, r=r)])
    rivals = {
        "bias as if alone": lambda: np.array([r - alone[0], *alone]),
        "half of the reward each": lambda: np.full(3, r / 2),
        "the stimulus alone": lambda: np.array([r, 0.0, 0.0]),
    }
    claim = "at a quasi-saddle a stimulus and bias share the reward"
    drawn = dict(y="value of stimulus, left and right bias")
    confront(claim, lambda: law, run, {}, Solver(rtol=8e-4), rivals, labels=drawn, of=saddles)


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
    law = lambda t: trajectory(SMALL, tau * t, **task, tau=tau).reshape(-1, 9).T  # noqa: E731
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

    unit = run(2000, 1).std(axis=0)  # every entry in its own
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
    """Small random starts, others beside them, and which unit each learner learnt first."""
    own, other = 1e-3 * np.random.default_rng(seed).standard_normal((2, learners, 3, 3)) * [[[1], [1], [0.06]]]
    times = np.arange(0, 60.0, 0.25)
    path = learnt(decisions.learn(Task(**EVEN, beta=task["beta"]), own, times, 0.05, learners=learners, seed=seed))
    first = np.where(path.any(axis=0), path.argmax(axis=0), len(path))
    return own, other, first.argmin(axis=1)


def foretold(known, seed):
    """How often the first unit is the one foretold; from a start of which so much is known, or the commonest guess."""
    own, other, first = visits(seed)
    if not known:
        return np.bincount(first).max() / len(first)
    guess = order_of_learning(known * own + np.sqrt(1 - known**2) * other, **EVEN)[:, 0]
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
    """The first saddle that a learner visits is foretold from its start, better the better it is known."""
    claim = "learners are diverse but systematic: their start foretells the first saddle they visit"
    known = "correlation of the start used with the learner's own; 0: the commonest is guessed"
    drawn = dict(x=known, y="learners foretold, share of 200")
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
    drawn = dict(depth="layers", y="share of learners that slow down on their way")
    at, judge = dict(depth=np.array([2, 1])), Mean(detects=0.1, bounds=(0, 1), points=2)
    confront(claim, lambda depth: depth - 1, run, at, judge, rivals, labels=drawn, picture=picture, of=saddles)
