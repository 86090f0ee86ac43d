"""Learners that decide, against the rates, saddles and noise of their mean field.  The network is a reconstruction."""

import numpy as np

from laws import Order, Roundoff, Solver, confront
from laws.judges.verdict import Panel, Series
from laws.law import formula
from numerics import decisions
from numerics.decisions import Task
from theory.decisions import (
    bias_rate,
    bias_rate_behind,
    bias_value,
    saddles,
    stimulus_rate,
)

SLIDE = "saxe-slides, Saddle points arise through depth"
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
    of = "τ = 1.3; r = 1.7, 1.2, 0.6 at p = 0.2, 0.45, 0.8"
    return dict(y=f"rate of the {unit}, 1/time ({of})", h="learning rate η")


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


def at_rest(point):
    """A learner at an exact saddle, but for 1e-8 in the weights of the units that are not learnt there."""
    theta = 1e-8 * np.array([[3.0, 1.0, 2.0], [2.0, 3.0, 1.0], [1.0, 2.0, 3.0]])
    for i, unit in enumerate(UNITS):
        if unit in point.learnt:
            own = point.values[0] if unit == "0" else point.values[i] * (np.arange(2) == i)
            theta[i] = 0.8, *(own / 0.8)
    return theta


def test_saddles():
    """At every exact saddle each unit that is not learnt grows at its own rate, or not at all where that is 0."""
    points = [point for point in saddles(**task) if not point.quasi]
    units = [(k, UNITS.index(unit), rate) for k, point in enumerate(points) for unit, rate in point.rates.items()]
    at_saddle, unit, rates = (np.array(column) for column in zip(*units, strict=True))

    def run(eta, seed):
        u = decisions.expect(Task(**task), np.array([at_rest(p) for p in points]), [0, 4.0, 8.0], eta)[..., 0]
        u = u[:, at_saddle, unit]
        return (u[0] + u[2]) / (2 * u[1])  # cosh(rate t), whatever the start

    even = np.array([rate for point in saddles(**{**task, "beta": 1e-9})[:5] for rate in point.rates.values()])
    first = np.array([points[0].rates[UNITS[i]] for i in unit])
    rivals = {
        "as at zero weights": lambda number: np.cosh(4 * first),
        "saddles from which nothing grows": lambda number: np.ones(len(rates)),
        "choices that stay even": lambda number: np.cosh(4 * even),
    }
    claim = "a learner leaves every saddle at the rates of the units that are not learnt there"
    drawn = dict(
        number="units learnt at the saddle, and below them the unit that grows",
        y="growth of the gain in t = 4, cosh(4 × rate)",
        h="learning rate η", about=SLIDE, names=[f"{p.learnt or 'none'}\n{unit}" for p in points for unit in p.rates],
    )  # fmt: skip
    at = dict(number=np.arange(len(rates)))
    law = lambda number: np.cosh(4 * rates)  # noqa: E731
    confront(claim, law, run, at, Order(1, start=0.04), rivals, labels=drawn, picture=behaviour(), of=saddles)


def right(values):
    """The chance of the right choice on both sides, in percent; from values (..., stimulus, choice)."""
    chance = 100 / (1 + np.exp(-task["beta"] * (values[..., 0] - values[..., 1])))
    return chance[..., 0], 100 - chance[..., 1]


def behaviour():
    """Single learners from small random weights, among the saddles, as the slides draw behaviour."""
    starts = 1e-3 * np.random.default_rng(5).standard_normal((6, 3, 3))
    path = decisions.learn(Task(**task), starts, np.arange(0, 90.0, 0.5), 0.01, learners=6, seed=5)
    left, rightly = right(decisions.totals(path))
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


@formula(r"u_i \propto t^{-1/2}")
def root_of_time():
    """The power of 1/t in the gains of a stimulus and of bias that share the reward."""
    return np.full(2, 0.5)


def test_gains_fall():
    """Where a stimulus and bias share the reward, gains fall as t^(-1/2) and never rest."""
    run = lambda h, seed: np.log2(np.divide(*shared([1 / h, 2 / h], 0.05)[0]))  # noqa: E731
    rivals = {"they rest, as at a saddle": lambda: np.zeros(2), "they fall as 1/t": lambda: np.ones(2)}
    claim = "at a quasi-saddle gains fall as one over the root of time"
    drawn = dict(y="power of 1/t in the gains of stimulus and bias, from t to 2t", h="1/t")
    confront(claim, root_of_time, run, {}, Order(1, start=0.08), rivals, labels=drawn)


def test_quasi_saddle():
    """Their values come to rest all the same: at those where bias balances both sides."""
    point = next(s for s in saddles(**task) if s.learnt == "L0")
    bias = np.array([point.values[1, 0], point.values[0, 1]])
    law = np.concatenate([[point.values[0, 0] - bias[0]], bias])
    p, r = task["p"], task["r"]

    def run(rtol, seed):
        """Values of the stimulus and of both biases.  They near their rest almost as 1/t^2: a hundredth takes ten t."""
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
