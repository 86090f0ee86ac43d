"""One mode of a balanced network, trained in torch, against the laws of one mode in `theory.balanced`.

Networks of one input, one hidden unit and one output, with input variance mu = 0.6.
Nothing in them is random but the data, whose correlation is exact: one test draws them from its seed, the others'
runs are the same for every seed.
"""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import balanced as nets
from numerics import modes
from theory.balanced import (
    early_inflection,
    escape_rate,
    first_layer,
    healing_time,
    late_inflection,
    learning_time,
    second_layer,
    silent_alignment,
    strength,
    transition,
)
from theory.chain import two_layers

SLIDE = "saxe-slides, From exponential to sigmoidal dynamics"
mode, tau = dict(s=1.7, mu=0.6), 1.3
times = np.array([0.3, 0.9, 1.5, 2.4, 4.5])
labels = dict(t="time t (s = 1.7, μ = 0.6, τ = 1.3)", y="strength a", h="step η", about=SLIDE)


def network(a0, lam):
    """The weights c, d of one mode with product a0 and d^2 - c^2 = lam."""
    total = np.sqrt(lam**2 + 4 * a0**2)  # c^2 + d^2
    d = np.sqrt((total + lam) / 2) if lam >= 0 else abs(a0) / np.sqrt((total - lam) / 2)
    c = a0 / d if d else np.sqrt(total)
    return [torch.tensor([[x]], dtype=torch.float64) for x in (c, d)]


def pairs(s=1.7, mu=0.6, seed=3):
    """Data of one input of variance mu with <y x> = s."""
    white = nets.data([[s / np.sqrt(mu)]], seed=seed)
    return nets.Data(np.sqrt(mu) * white.x, white.y)


def outputs(a0, lam, when, seed=3, **how):
    """The strength at each time under gradient flow."""
    return nets.flow(network(a0, lam), pairs(seed=seed), when, record=nets.output_map, **how)[:, 0, 0]


def logistic(t, s, mu, lam, a0, tau):
    """The chain of two layers, whose layers are equal."""
    return two_layers(t=t, s=s, lam=mu, a0=np.abs(a0), tau=tau)


def lazy(t, s, mu, lam, a0, tau):
    """The exponential of the frozen kernel."""
    rate = mu * np.sqrt(lam**2 + 4 * a0**2) / tau
    return s / mu + (a0 - s / mu) * np.exp(-rate * t)


@pytest.mark.parametrize(("a0", "lam"), [(0.1, 0.8), (0.05, -2.3), (-0.4, 0.3), (4.1, 0.9)])
def test_strength(a0, lam):
    """One mode of any balance, from either side of 0, follows the closed form to the solver's error."""
    at = dict(t=times, tau=tau, a0=a0, lam=lam, **mode)
    run = lambda rtol, seed: outputs(a0, lam, times / tau, seed, rtol=rtol)  # noqa: E731
    rivals = {"equal layers": logistic, "frozen kernel": lazy}
    claim = f"one mode of balance {lam} from {a0}".replace("-", "minus ")
    confront(claim, strength, run, at, Solver(), rivals, labels=labels)


def test_strength_by_descent():
    """Gradient descent on one mode tends to the closed form at first order in the step."""
    at = dict(t=np.array([0.4, 1.2, 2.4, 4.8]), tau=tau, a0=0.1, lam=-0.8, **mode)

    def run(eta, seed):
        record = dict(record=nets.output_map)
        return nets.train(network(0.1, -0.8), pairs(), at["t"] / tau, eta / tau, **record)[:, 0, 0]

    rivals = {"equal layers": logistic, "frozen kernel": lazy}
    confront("one mode under gradient descent", strength, run, at, Order(1), rivals, labels=labels)


def test_learning_time():
    """The time from one strength to another, from either side of 0, for any balance, to the solver's error."""
    starts = np.array([-0.7, -0.3, 0.1, 0.3, 0.8])
    at = dict(tau=tau, a0=starts, af=1.9, lam=0.5, **mode)

    def run(rtol, seed):
        return [tau * nets.crossing_of(network(a0, 0.5), pairs(), 1.9, 6.0, rtol=rtol) for a0 in starts]

    rivals = {"twice the balance": lambda lam, **rest: learning_time(lam=2 * lam, **rest)}
    drawn = dict(a0="start a₀ (λ = 0.5, s = 1.7, μ = 0.6)", y="learning time T up to 1.9 (τ = 1.3)")
    confront("learning time of one mode of any balance", learning_time, run, at, Solver(), rivals, labels=drawn)


def turns(lam, h):
    """The strengths at which a trained trajectory from 0 changes the sign of its curvature, by differences over h."""
    when = np.arange(0.0, 3.0, h)
    a = outputs(0.0, lam, when, rtol=1e-12)
    return CubicSpline(when, a)(CubicSpline(when[1:-1], np.diff(a, 2) / h**2).roots(extrapolate=False))


@pytest.mark.parametrize("law", [early_inflection, late_inflection], ids=["early", "late"])
def test_inflections(law):
    """A sigmoidal trajectory bends upwards and then downwards at the strengths of the law."""
    at, which = dict(lam=1.1, **mode), int(law is late_inflection)
    rivals = {"that of the logistic": lambda s, mu, lam: which * s / (2 * mu)}
    claim = f"{('early', 'late')[which]} inflection of a sigmoidal trajectory"
    run = lambda h, seed: turns(1.1, h)[which]  # noqa: E731
    confront(claim, law, run, at, Order(2, start=0.05), rivals, labels={**labels, "h": "spacing of the records"})


def speeding_up(lam, h):
    """The largest curvature of a trajectory from 0, by differences over h: above 0, it is sigmoidal."""
    when = np.arange(0.0, 1.2, h)
    bend = CubicSpline(when[1:-1], np.diff(outputs(0.0, lam, when, rtol=1e-11), 2) / h**2)
    return float(np.max(bend(bend.derivative().roots(extrapolate=False))))


def curves():
    """Trajectories from 0 on both sides of the transition."""
    when = np.linspace(0, 3.2, 60)
    series, named = [], "law: |λ|/λ_c = 1.6, 1, 0.6, 0.3 from the top"
    for share in (0.3, 0.6, 1.0, 1.6):
        lam = share * transition(**mode)
        a = strength(t=tau * when, lam=lam, a0=0.0, tau=tau, **mode)
        series.append(Series("law", (tau * when).tolist(), a.tolist(), named if share == 0.3 else ""))
        some = slice(0, None, 6)
        run = outputs(0.0, lam, when[some], rtol=1e-9)
        name = "gradient flow" if share == 0.3 else ""
        series.append(Series("run", (tau * when[some]).tolist(), run.tolist(), name))
    return Panel("time t (τ = 1.3)", "strength a", tuple(series))


def test_transition():
    """Trajectories from 0 cease to be sigmoidal exactly at |lambda| = s/(sqrt(2) mu)."""
    run = lambda h, seed: brentq(lambda lam: speeding_up(lam, h), 1.7, 2.2, xtol=1e-10)  # noqa: E731
    rivals = {"s/mu": lambda s, mu: s / mu, "s/(2 mu)": lambda s, mu: s / (2 * mu)}
    names = {**labels, "y": "balance |λ| at which it happens", "h": "spacing of the records"}
    claim = "from sigmoidal to exponential: the first rise ceases to speed up at one balance"
    judge = Order(2, start=0.08)
    confront(claim, transition, run, mode, judge, rivals, labels=names, picture=curves())


def test_healing():
    """A mode that starts against its task is learnt, if unbalanced, after (tau/s) ln(1/|lambda|) and a constant."""
    at = dict(a0=-0.6, lam=np.array([1e-9, 1e-8, 1e-7, 1e-6]), tau=tau, **mode)
    level = mode["s"] / (2 * mode["mu"])

    def run(rtol, seed):
        return np.array([tau * nets.crossing_of(network(-0.6, x), pairs(), level, 40.0, rtol=rtol) for x in at["lam"]])

    rivals = {
        "(tau/s) ln(1/lambda) alone": lambda a0, lam, s, mu, tau: tau / s * np.log(1 / lam),
        "(tau/2s) ln(1/lambda) and a constant": lambda lam, **rest: healing_time(lam=np.sqrt(lam), **rest),
    }
    names = dict(lam="balance λ (s = 1.7, μ = 0.6, a₀ = −0.6)", y="time to half of s/μ (τ = 1.3)")
    claim = "balance heals the obstruction after (tau/s) ln(1/lambda)"
    confront(claim, healing_time, run, at, Solver(1e-7), rivals, labels=names)


@cache
def learnt_digits(lam, rtol):
    """What each layer holds of every mode of the digit classes when they are learnt, by gradient flow."""
    digits = modes.classes(0.6)
    weights = nets.balanced(61, 10, 10, lam, scale=0.3, seed=4)

    def shares(w):
        first, second = w[0] @ digits.V, digits.U.T @ w[1]
        return torch.stack([(first**2).sum(0), (second**2).sum(1)])

    return nets.flow(weights, nets.rotated(digits), [600.0], rtol=rtol, record=shares)[0]


@pytest.mark.parametrize("lam", [1.2, -1.2])
@pytest.mark.parametrize("layer", [0, 1])
def test_shares_of_the_layers(layer, lam):
    """Once the digit classes are learnt, each layer holds of every mode what its balance says."""
    law, other = (first_layer, second_layer)[layer], (second_layer, first_layer)[layer]
    at = dict(s=modes.classes(0.6).s.numpy(), mu=0.6, lam=lam)
    claim = f"{law.name.replace('_', ' ')} of the digit classes, balance {lam}".replace("-", "minus ")
    rivals = {"shared equally": lambda s, mu, lam: s / mu, "as the other layer": other}
    drawn = dict(s=f"singular value $s_k$ (μ = 0.6, λ = {lam})", y="squared weights of a mode")
    confront(claim, law, lambda rtol, seed: learnt_digits(lam, rtol)[layer], at, Solver(), rivals, labels=drawn)


def test_escape_rate():
    """A mode leaves the lazy plateau of a 1-1-2 network more slowly than the saddle, at a rate below s/tau."""
    at = dict(s=1.7, mu=0.6, lam=4.0, tau=tau)
    start, end = 8.0, 8.5  # after what decays has gone

    def run(size, seed):
        on = pairs()
        on = nets.Data(on.x, torch.cat([on.y, 0 * on.y], dim=1))  # the second output has nothing to learn
        weights = [torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[size], [2.0]], dtype=torch.float64)]
        off = nets.flow(weights, on, [start / tau, end / tau], record=lambda w: w[1][0, 0])
        return np.log(off[1] / off[0]) / (end - start)

    rivals = {
        "s/tau, as from the saddle": lambda s, mu, lam, tau: s / tau,
        "s^2/(lambda mu tau), its limit at large balance": lambda s, mu, lam, tau: s**2 / (lam * mu) / tau,
    }
    about = "saxe-slides, Delayed rich regime"
    names = dict(h="size of the mode at the start", y="rate at which the mode grows (τ = 1.3)", about=about)
    claim = "how fast a mode leaves the lazy plateau"
    confront(claim, escape_rate, run, at, Order(2, start=3e-4), rivals, labels=names)


def test_silent_alignment():
    """Small weights have turned to their task while the loss is still flat, but for an angle as small as they are."""
    at = dict(s=1.7, mu=0.6, m=np.array([0.01, 0.1, 0.5, 1.4]), w_perp=0.8)
    target = np.array([[1.7, 0.0]]) / np.sqrt(0.6)
    white = nets.data(target, seed=3)
    on = nets.Data(np.sqrt(0.6) * white.x, white.y)

    def run(size, seed):
        """The squared sine at each strength, over size^2; c and d start equal along the task."""
        first, second = [[0.3 * size, 0.8 * size]], [[0.3 * size]]
        weights = [torch.tensor(w, dtype=torch.float64) for w in (first, second)]
        when = np.linspace(0, 12, 1201)
        row = nets.flow(weights, on, when, record=lambda w: torch.cat([w[0][0], w[1][0]]))
        along, across, out = row.T
        grown = CubicSpline(when, np.log(along * out))
        passed = [grown.solve(np.log(m), extrapolate=False)[0] for m in at["m"]]
        angle = CubicSpline(when, np.log(across**2 / (along**2 + across**2)))
        return np.exp(angle(passed)) / size**2

    rivals = {
        "w_perp^2/m, no turning after the start": lambda s, mu, m, w_perp: w_perp**2 / m,
        "no turning at all": lambda s, mu, m, w_perp: 0.8**2 / (0.3**2 + 0.8**2) + 0 * m,
    }
    names = dict(h="size of the weights", m="strength m of the mode", y="squared sine of the angle / size²")
    claim = "silent alignment of small weights"
    confront(claim, silent_alignment, run, at, Order(2, start=0.02), rivals, labels=names)
