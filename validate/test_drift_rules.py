"""Rules of learning other than noisy descent on ReLU networks: what their own noise does to the hidden units.

Random tasks of 5 samples with 10 inputs and 5 outputs, 50 hidden units; every network has its own.  A pair is a unit
and a sample for which it is active.  Plain descent, once converged, moves no pair: that is the control of all.  Adam
and RMSprop do: not by noise, but because where gradients vanish their steps are unstable, beyond a law's edge.
"""

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq

from laws import Equivalent, Order, Sign, Trend, confront
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics.ensemble import SED, Adam, GradientDescent, LabelNoise, Network, RMSprop, train
from numerics.sparsity import spectra, tasks
from theory.drift import adaptive_edge

GENERALITY = "ratzon-2024, Generality of the phenomenon"
FIG_4D = "ratzon-2024, Generality of the phenomenon, and Fig. 4D"
NETWORK, SAMPLES = Network(10, 50, 5), 5
CONVERGED, LATE = 10_000, 100_000


@cache
def pairs(by, networks=8, *, seed=0, steps=(CONVERGED, LATE), dtype="float64"):
    """The fractions of active pairs of networks without added noise at some steps, and their losses."""
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=networks, seed=seed)
    run = train(NETWORK, x, y, seeds=seeds, steps=steps, by=by, dtype=dtype)
    assert (run.diverged < 0).all()
    return run.active_fraction, run.loss


def falls_as_descent_does_not(claim, by, **settings):
    """Confront: after convergence the fraction of active pairs falls in every network, and in none by descent."""
    fraction, loss = pairs(by, seed=0, **settings)
    assert (loss[0] < 0.02).all(), "not converged: the mean alone would lose 0.3"
    control = np.sign(np.diff(pairs(GradientDescent(0.1), networks=len(fraction[0]))[0], axis=0)[0])
    assert not control.any()
    where = list(range(1, len(fraction[0]) + 1))
    series = [Series(role, where, row.tolist(), name, joined=False) for role, row, name in
              (("rival", fraction[0], "after convergence"), ("run", fraction[-1], "later"))]  # fmt: skip
    rivals = {"none, as plain descent": lambda: control}
    run = lambda seed: np.diff(pairs(by, seed=seed, **settings)[0], axis=0)[0]  # noqa: E731
    labels = dict(y="change of the fraction of active pairs", about=GENERALITY)
    claim += f", in each of {len(control)} networks"
    picture = Panel("network", "fraction of active pairs", tuple(series))
    confront(claim, -1.0, run, {}, Sign(), rivals, labels=labels, picture=picture)


@pytest.mark.parametrize("by", [Adam(1e-3), RMSprop(1e-3)], ids=["Adam", "RMSprop"])
def test_second_moments(by):
    """With steps over the root of the second moment active pairs become fewer, though no noise is added."""
    falls_as_descent_does_not(f"by {type(by).__name__} active pairs become fewer without added noise", by)


VARIED = {
    "Adam with a shorter memory of squares": Adam(1e-3, (0.9, 0.99)),
    "RMSprop with a longer memory": RMSprop(1e-3, decay=0.999),
    "RMSprop with a larger epsilon": RMSprop(1e-3, epsilon=1e-4),
}


@pytest.mark.full
@pytest.mark.parametrize("name", VARIED)
def test_other_second_moments(name):
    """By Adam and RMSprop pairs become fewer with other memories, too, and by RMSprop with a larger epsilon."""
    falls_as_descent_does_not(f"by {name} active pairs become fewer without added noise", VARIED[name])


@pytest.mark.full
def test_what_holds_adam_back():
    """A larger epsilon or a longer memory of squares leaves Adam's networks less changed, in every network."""
    lost = lambda by, seed: -np.diff(pairs(by, seed=seed)[0], axis=0)[0]  # noqa: E731
    for name, by in (("a larger epsilon", Adam(1e-3, epsilon=1e-4)), ("a longer memory", Adam(1e-3, (0.9, 0.9999)))):
        run = lambda seed, by=by: lost(Adam(1e-3), seed) - lost(by, seed)  # noqa: E731
        labels = dict(y="fraction of active pairs that is saved")
        confront(f"{name} holds Adam's sparsity back, in each of 8 networks", 1.0, run, {}, Sign(), labels=labels)


# -- what keeps them moving: no noise, but an edge ----------------------------------------------------------

RULES = {"RMSprop": (lambda eta, epsilon: RMSprop(eta, epsilon=epsilon), 0.0),
         "Adam": (lambda eta, epsilon: Adam(eta, epsilon=epsilon), 0.9)}  # and memories of the gradient  # fmt: skip
of_rules = pytest.mark.parametrize("name", RULES)


@cache
def at_rest(seed):
    """Tasks and seeds of 16 networks, where plain descent ends, and the eigenvalues there."""
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=16, seed=seed)
    theta = train(NETWORK, x, y, seeds=seeds, steps=[CONVERGED], by=GradientDescent(0.1)).final
    return x, y, seeds, theta, spectra(NETWORK, x, theta)


PUSH = 1e-10  # of parameters of order one: nothing to epsilon, and far above rounding


@pytest.mark.parametrize("beta", [0.0, 0.5], ids=["RMSprop", "Adam"])
def test_edge_of_rest(beta):
    """Pushed a little, a network comes back to rest up to the step that epsilon and its largest eigenvalue set."""
    name = "Adam with a short memory of gradients" if beta else "RMSprop"  # with a long one, pushes grow at first
    rule = lambda eta, epsilon: Adam(eta, (beta, 0.999), epsilon) if beta else RMSprop(eta, epsilon=epsilon)  # noqa: E731
    x, y, _, theta, values = at_rest(0)
    inputs = np.einsum("nsi,nui->nus", x, theta[..., : NETWORK.inputs]) + theta[..., NETWORK.inputs, None]
    smooth = np.abs(inputs).min((1, 2)) > 1e6 * PUSH  # many come to rest on the kink of a unit: no law is smooth there
    k = int((smooth * values[:, -1] / values[:, -2]).argmax())  # there the largest eigenvalue stands out most
    epsilon, lam = 0.7, values[k, -1]
    assert smooth[k]

    def run(h, seed):
        push = PUSH * np.random.default_rng(seed).standard_normal(NETWORK.shape)
        same = dict(seeds=[0], start=theta[k] + push)
        first = train(NETWORK, x[k], y[k], by=GradientDescent(1.0), steps=[0], **same).loss[0, 0]

        def grows(eta):
            """The logarithm by which the loss has grown, 1 where it has passed its millionfold."""
            last = train(NETWORK, x[k], y[k], by=rule(eta, epsilon), steps=[round(1 / h)], ceiling=1e6 * first, **same)
            return 1.0 if last.diverged[0] >= 0 else np.log(last.loss[0, 0] / first)

        above = epsilon / lam
        while grows(above) < 0:
            above *= 1.2
        return brentq(grows, above / 1.2, above, xtol=1e-15, rtol=1e-12)

    at = dict(lam=lam, epsilon=epsilon, beta=beta)
    rivals = {
        "of plain descent": lambda lam, epsilon, beta: 2 / lam + 0 * beta,
        "of the trace": lambda lam, epsilon, beta: 2 * epsilon * (1 + beta) / (1 - beta) / values[k].sum(),
    }
    if beta:
        rivals["without momentum"] = lambda lam, epsilon, beta: 2 * epsilon / lam
    labels = dict(y="largest step η from which networks come back", h="1 / steps")
    claim = f"{name}: rest is stable up to a step"
    confront(claim, adaptive_edge, run, at, Order(1, start=1 / 200), rivals, labels=labels)


LATER, WHOSE = 20_000, ("the sharpest", "the middle", "the flattest")
TRIED = (1.5, 1.0, 0.4)  # epsilon, over that at which the sharpest, the middle and the flattest network are at the edge


@cache
def far_and_near(name, seed):
    """At three epsilons, for 16 networks: late loss, eigenvalue over that of the edge, change of active pairs."""
    rule, beta = RULES[name]
    x, y, seeds, _, values = at_rest(seed)
    sharp, found = np.sort(values[:, -1]), []
    for factor, lam in zip(TRIED, (sharp[-1], sharp[8], sharp[0]), strict=True):
        epsilon = float(factor * 1e-3 * lam * (1 - beta) / (1 + beta) / 2)
        steps = range(LATER, LATER + 2001, 100)
        run = train(NETWORK, x, y, seeds=seeds, steps=steps, by=rule(1e-3, epsilon))
        edge = 2 * epsilon * (1 + beta) / (1 - beta) / 1e-3
        ratio = spectra(NETWORK, x, run.final)[:, -1] / edge
        found.append((run.loss.max(0), ratio, run.active_fraction[-1] - run.active_fraction[0]))
    return np.array(found)


def losses(name):
    """The largest late loss of every network at the three epsilons, against its sharpness; of an exact judge's seed."""
    loss, ratio, _ = far_and_near(name, 0).swapaxes(0, 1)
    dots = [Series("rival", r.tolist(), v.tolist(), f"ε, {f:g} times that of {who}", joined=False)
            for f, who, r, v in zip(TRIED, WHOSE, ratio, loss, strict=True)]  # fmt: skip
    edge = Series("law", [1.0, 1.0], [float(loss.min()), float(loss.max())], "edge")
    return Panel("largest eigenvalue, over that of the edge", "largest late loss", (*dots, edge), "y")


@of_rules
def test_no_rest_beyond_the_edge(name):
    """Where epsilon puts a network below its edge it rests and no pair changes, and beyond it it never rests.

    At rest means that the loss is below the rounding of the targets' mean square, which is 1/3.
    """
    resting = np.finfo(float).eps / 3
    run = lambda seed: np.log10(far_and_near(name, seed)[[0, 2], 0] / resting).ravel()  # noqa: E731
    law, rivals = lambda: np.repeat([-1.0, 1.0], 16), {"always, as plain descent": -1.0, "never, as with noise": 1.0}
    assert not far_and_near(name, 0)[0, 2].any()  # of the networks at rest
    labels = dict(x="network, with a large epsilon and with a small one", y="log₁₀ of the late loss over that of rest")
    claim = f"by {name} networks come to rest below an edge, and beyond it never"
    confront(claim, law, run, {}, Sign("run"), rivals, labels=labels, picture=losses(name), of=adaptive_edge)


@pytest.mark.full
def test_error_descent():
    """Stochastic error descent silences active pairs by its own perturbations."""
    by = SED(0.6, (0.03, 0.03, 0.03))
    steps, claim = (200_000, 1_000_000), "by stochastic error descent active pairs become fewer without added noise"
    falls_as_descent_does_not(claim, by, networks=16, steps=steps, dtype="float32")


# -- label noise -----------------------------------------------------------------------------------------

STEPS = (1000, 3000, 10_000)


@cache
def labelled(seed):
    """Active units, fraction of active pairs and tr H under label noise, each of shape (networks, steps)."""
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=112, seed=seed)
    noise, by = LabelNoise(0.3), GradientDescent(0.1)
    run = train(NETWORK, x, y, seeds=seeds, steps=STEPS, by=by, noise=noise, dtype="float32", keep_parameters=True)
    trace = [spectra(NETWORK, x, theta).sum(1) for theta in run.parameters]
    return run.active_units.T, run.active_fraction.T, np.array(trace).T


FALLING = {"fraction of active pairs": 1, "trace of the Hessian": 2}


@pytest.mark.parametrize("which", FALLING)
def test_label_noise(which):
    """Under label noise the active pairs become fewer and the trace of the Hessian falls."""
    row = in_turn(lambda seed: labelled(seed)[FALLING[which]])
    run = lambda step, seed: row(seed)[STEPS.index(step)]  # noqa: E731
    labels = dict(x="step", y=which, about=FIG_4D)
    rivals = {"it rises": 1.0, "it stays": 0.0}
    confront(f"label noise: the {which} falls", -1.0, run, {}, Trend(STEPS), rivals, labels=labels)


def test_label_noise_spares_units():
    """While pairs fall silent under label noise, active units stay: within 5 of 100 of what they were."""
    first = lambda v: v[:, -1] / v[:, 0]  # noqa: E731
    run = in_turn(lambda seed: first(labelled(seed)[0]))
    pilot = labelled(10**6)
    rivals = {f"as the {name}": float(np.median(first(pilot[k]))) for name, k in FALLING.items()}
    labels = dict(y="active units after 10,000 steps, of those after 1,000", about=GENERALITY)
    confront(
        "label noise: units stay active, within 5 of 100",
        1.0,
        run,
        {},
        Equivalent(0.05, runs=112),
        rivals,
        labels=labels,
    )


COLLAPSE = (0.3, 0.4, 0.5, 0.6)  # beyond, many networks diverge
MADE = 132  # networks, of which 126 are judged: one in a thousand diverges at the largest step


@cache
def early(seed):
    """For each step size active units after 1000 steps, with label noise and without, and at the start; sharpness.

    Of shapes (networks, step sizes, 3) and (networks, step sizes), of networks that diverge at no step size; the
    sharpness is eta lambda_max/2 at the start.
    """
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=MADE, seed=seed)
    same = dict(seeds=seeds, dtype="float32", keep_parameters=True)
    units, edges = [], []
    for eta in COLLAPSE:
        runs = [train(NETWORK, x, y, steps=[0, 1000], by=GradientDescent(eta), noise=noise, **same)
                for noise in (LabelNoise(0.1), ())]  # fmt: skip
        units.append([*(run.active_units[-1] for run in runs), runs[0].active_units[0]])
        edges.append(eta / 2 * spectra(NETWORK, x, runs[0].parameters[0])[:, -1])
    found, edges = np.moveaxis(np.array(units), 2, 0), np.array(edges).T
    sound = np.isfinite(found).all((1, 2))
    return found[sound], edges[sound]


def collapse():
    """Active units after 1000 steps against the sharpness at the start, every network at every step."""
    units, edges = early(FIRST)
    dots = Series("run", edges.ravel().tolist(), units[..., 0].ravel().tolist(), "one network", joined=False)
    edge = Series("law", [1.0, 1.0], [0.0, 50.0], "edge of stability")
    return Panel("η λ / 2 of the largest eigenvalue at the start", "active units of 50 after 1,000 steps", (dots, edge))


def test_collapse_at_large_steps():
    """Networks whose first steps are far beyond the edge of stability lose units at once, more at larger steps."""
    row = in_turn(lambda seed: early(seed)[0][:, :, 0])
    run = lambda eta, seed: row(seed)[COLLAPSE.index(eta)]  # noqa: E731
    labels = dict(x="step η", y="active units of 50 after 1,000 steps", about=GENERALITY)
    rivals = {"more": 1.0, "as many": 0.0}
    claim = "label noise: units die at once where the first steps are too large"
    confront(claim, -1.0, run, {}, Trend(COLLAPSE, excess=0.35), rivals, labels=labels, picture=collapse())


def by_cause():
    """Units that are lost in 1,000 steps with label noise and without, at every step size: medians and ranges."""
    lost, sizes, lines = early(FIRST)[0][:, :, 2:] - early(FIRST)[0][:, :, :2], list(COLLAPSE), []
    for k, name in enumerate(("with label noise", "without")):
        middle, low, high = (np.quantile(lost[..., k], q, axis=0).tolist() for q in (0.5, 0.025, 0.975))
        lines += [Series("rival", sizes, middle, name), Series("run", sizes, middle, "_nolegend_", low, high)]
    return Panel("step η", "units of 50 lost by step 1,000 (bars: 95 % of networks)", tuple(lines))


def test_collapse_is_not_of_the_noise():
    """Too large steps cost as many units without label noise, within 1.5 of 50, where they cost more than that."""
    margin, others = 1.5, early(10**6)[0]
    lost = np.median(others[:, :, 2] - others[:, :, 0], axis=0)
    dear = np.flatnonzero(lost > margin)  # at smaller steps there is no more to lose than the margin
    lost = lost[dear]
    run = in_turn(lambda seed: (early(seed)[0][:, :, 0] - early(seed)[0][:, :, 1])[:, dear])
    rivals = {"all of it": lambda: -lost, "half of it": lambda: -lost / 2}
    each = [f"η = {COLLAPSE[k]:g}" for k in dear]
    labels = dict(runs=each, y="active units with label noise, less those without", about=GENERALITY)
    claim = "the sudden loss of units is of the step, not of the noise of labels, within 1.5 of 50"
    law = lambda: 0 * lost  # noqa: E731
    confront(claim, law, run, {}, Equivalent(margin, runs=112), rivals, labels=labels, picture=by_cause())
