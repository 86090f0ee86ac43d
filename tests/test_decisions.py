"""The learners that decide: their trials against autograd, their averages, and their mean field."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import theory.decisions
from numerics import decisions
from numerics.decisions import SHALLOW, Task
from theory.decisions import _field

TASK = Task(p=0.45, r=1.2, beta=3.5)
EPS = np.finfo(float).eps
START = np.array([[0.21, 0.13, 0.05], [-0.11, 0.04, -0.17], [0.12, 0.19, 0.08]])
ETA = 0.125


def by_autograd(theta, stimulus, choice):
    """The change of one trial, from the slopes of the three losses as torch finds them."""
    u, w = (torch.tensor(part, requires_grad=True) for part in (theta[:, 0], theta[:, 1:]))
    stim, const = u[stimulus] * w[stimulus, choice], u[2] * w[2, choice]
    reward = TASK.r * (stimulus == choice)
    gains = torch.autograd.grad((reward - stim - const) ** 2 / 2, u, retain_graph=True)[0]
    weights = torch.autograd.grad((reward - stim) ** 2 / 2 + (reward - const) ** 2 / 2, w)[0]
    return -ETA * np.column_stack([gains.numpy(), weights.numpy()])


def outcomes(theta):
    """The probability and the change of every trial."""
    for stimulus, shown in enumerate((TASK.p, 1 - TASK.p)):
        q = theta[stimulus, 0] * theta[stimulus, 1:] + theta[2, 0] * theta[2, 1:]
        chances = np.exp(TASK.beta * q) / np.exp(TASK.beta * q).sum()
        for choice in (0, 1):
            yield shown * chances[choice], by_autograd(theta, stimulus, choice)


def test_trials():
    """One trial changes a learner by one of four slopes of the three losses, as often as it should."""
    n = 20_000
    after = decisions.learn(TASK, START, [ETA], ETA, learners=n, seed=3)[0] - START
    found = [(chance, change, np.abs(after - change).max(axis=(1, 2))) for chance, change in outcomes(START)]
    nearest = np.argmin([distance for *_, distance in found], axis=0)
    rounding = 16 * np.finfo(float).eps * np.abs(START).max()
    assert np.min([distance for *_, distance in found], axis=0).max() < rounding
    for k, (chance, *_) in enumerate(found):
        assert abs(np.mean(nearest == k) - chance) < 5 * np.sqrt(chance * (1 - chance) / n)


def test_average():
    """The average over trials is the mean field, from autograd as from the symbols."""
    moved = decisions.expect(TASK, START, [ETA], ETA)[0] - START
    average = sum(chance * change for chance, change in outcomes(START))
    field = theory.decisions.speed(START, p=TASK.p, r=TASK.r, beta=TASK.beta)
    rounding = 64 * np.finfo(float).eps * np.abs(START).max()
    assert np.abs(moved - average).max() < rounding and np.abs(moved - ETA * field).max() < rounding


def test_shallow():
    """Without plastic gains the weights move by the shallow mean field, and the gains stay to the bit."""
    start = np.column_stack([np.ones(3), START[:, 1:]])
    moved = decisions.expect(TASK, start, [ETA], ETA, plastic=SHALLOW)[0] - start
    field = theory.decisions.shallow_speed(START[:, 1:], p=TASK.p, r=TASK.r, beta=TASK.beta)
    assert np.all(moved[:, 0] == 0)
    assert np.abs(moved[:, 1:] - ETA * field).max() < 64 * np.finfo(float).eps


def test_seeds():
    """The same seed gives the same learners to the bit, another seed others; a learner's start is its own."""
    starts = START + np.arange(3)[:, None, None]
    runs = [decisions.learn(TASK, starts, [0, 5], ETA, learners=3, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])
    assert np.array_equal(runs[0][0], starts)


def test_noise_is_that_of_trials():
    """C starts as t D, with D the covariance of the change in one trial, and b as -t J f/2."""
    task = dict(p=TASK.p, r=TASK.r, beta=TASK.beta)
    times = 2.0 ** -np.arange(8, 12)
    shift, spread = theory.decisions.fluctuations(START, times[::-1], **task)
    chances, changes = zip(*((chance, change.ravel() / ETA) for chance, change in outcomes(START)), strict=True)
    D = np.cov(np.array(changes).T, aweights=chances, bias=True)
    f, step = theory.decisions.speed(START, **task), 2.0**-17
    ahead, behind = (theory.decisions.speed(START + sign * step * f, **task) for sign in (1, -1))
    bent = (behind - ahead) / (4 * step)
    for found, first in ((spread / times[::-1, None, None], D), (shift / times[::-1, None, None], bent)):
        gaps = np.abs(found - first).max(axis=(1, 2))[1:]
        assert np.all(gaps[1:] / gaps[:-1] < 2**1.25) and gaps[0] < np.abs(first).max() / 8


def growth(theta, step, **task):
    """The real parts of the eigenvalues of the flow at a point, largest first, from differences of its speed."""
    ahead, behind = (
        theory.decisions.speed((theta + sign * step * np.eye(9)).reshape(9, 3, 3), **task) for sign in (1, -1)
    )
    return np.sort(np.linalg.eigvals(((ahead - behind).reshape(9, 9) / (2 * step)).T).real)[::-1]


@pytest.mark.parametrize("beta", [0.5, 3.5, 20.0])
@pytest.mark.parametrize("p", [0.1, 0.45, 0.8])
def test_unstable_directions(p, beta):
    """At every exact saddle the eigenvalues of the flow above 0 are the rates, each once, and no others."""
    task, step = dict(p=p, r=1.2, beta=beta), 2.0**-16
    for point in theory.decisions.saddles(**task)[:5]:
        theta = resting(point).ravel()
        found, rougher = (growth(theta, by * step, **task) for by in (1, 4))
        rates = sorted((rate for rate in point.rates.values() if rate > 0), reverse=True)
        error = np.max(np.abs(found - rougher)) + np.sqrt(EPS / step)  # of differences, and roundings of double roots
        assert len(rates) == point.unstable and np.all(np.abs(found[: point.unstable] - rates) < error)
        assert np.all(found[point.unstable :] < error)


def resting(point):
    """A learner at an exact saddle."""
    theta = np.zeros((3, 3))
    for i, unit in enumerate("LR0"):
        if unit in point.learnt:
            own = point.values[0] if unit == "0" else point.values[i] * (np.arange(2) == i)
            theta[i] = 0.8, *(own / 0.8)
    return theta


@pytest.mark.parametrize("beta", [0.5, 3.5, 20.0])
@pytest.mark.parametrize("p", [0.1, 0.45, 0.8])
def test_saddles(p, beta):
    """Every exact saddle is stationary, rates come in mirror images, and quasi-saddles attract but for every second."""
    found = theory.decisions.saddles(p=p, r=1.2, beta=beta)
    mirrored = theory.decisions.saddles(p=1 - p, r=1.2, beta=beta)
    nudged = theory.decisions.saddles(p=p * (1 + 2**-20), r=1.2, beta=beta)
    assert [s.learnt for s in found[:5]] == ["", "0", "L", "R", "LR"]
    for point in found[:5]:
        still = np.abs(theory.decisions.speed(resting(point), p=p, r=1.2, beta=beta)).max()
        assert still < 8 * np.finfo(float).eps * 1.2**2
    for side, other in (("L0", "R0"), ("R0", "L0")):
        repels = [s.repels for s in found if s.learnt == side]
        assert repels in ([False], [False, True, False])
        image = [s.values[::-1, ::-1] for s in mirrored if s.learnt == other]
        rests, moved = ([s.values for s in them if s.learnt == side] for them in (found, nudged))
        condition = 1 + np.max(np.abs(np.subtract(moved, rests))) / 2**-20
        assert np.max(np.abs(np.subtract(image, rests))) <= 64 * EPS * condition  # so near roots are asked for


def test_shallow_rests_in_one_place(monkeypatch):
    """From different weights the shallow network comes to the same rest."""
    starts = 0.2 * np.random.default_rng(0).normal(size=(5, 3, 2))
    task = dict(p=0.3, r=1.2, beta=1.1)
    rest = lambda: np.array([theory.decisions.shallow_trajectory(start, [500.0], **task)[0] for start in starts])  # noqa: E731
    finer = lambda *problem, rtol, atol, **more: solve_ivp(*problem, rtol=rtol / 100, atol=atol / 100, **more)  # noqa: E731
    rough = rest()
    monkeypatch.setattr(_field, "solve_ivp", finer)
    ends = rest()
    error = np.abs(ends - rough).max()  # the solver against itself
    assert np.ptp(ends, axis=0).max() < error
    assert np.abs(theory.decisions.shallow_speed(ends[0], **task)).max() < error


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(p=1.0), "p = 1.0"),
        (dict(r=-1.0), "r = -1.0"),
        (dict(beta=0.0), "beta = 0.0"),
    ],
)
def test_bad_tasks(change, says):
    """A task outside its ranges is refused by name, by learners and theory alike."""
    task = dict(p=0.45, r=1.2, beta=3.5) | change
    for build in (Task, theory.decisions.saddles):
        with pytest.raises(ValueError, match=says):
            build(**task)


def test_bad_arguments():
    """Wrong shapes, times between trials and negative factors are refused before any trial."""
    with pytest.raises(ValueError, match="start has the shape"):
        decisions.learn(TASK, np.zeros((2, 3, 3)), [0.25], ETA, learners=3, seed=0)
    with pytest.raises(ValueError, match="no whole multiple"):
        decisions.expect(TASK, START, [0.3], ETA)
    with pytest.raises(ValueError, match="plastic"):
        decisions.expect(TASK, START, [0.25], ETA, plastic=-SHALLOW)
    with pytest.raises(ValueError, match="theta has the shape"):
        theory.decisions.speed(np.zeros((2, 3)), p=0.45, r=1.2, beta=3.5)
    with pytest.raises(ValueError, match="times"):
        theory.decisions.trajectory(START, [2, 1], p=0.45, r=1.2, beta=3.5)
