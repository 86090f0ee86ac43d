"""Rich, lazy and delayed rich: architecture against learning regime, and the hidden obstruction.

Trained torch networks against `theory.balanced`.  Weights and task of a law of one network stand fixed with it; the
networks of which a share is obstructed, and the data of one that ends at the saddle, are drawn from the seed.
"""

from functools import cache

import numpy as np
import torch
from scipy.optimize import brentq

from laws import Mean, Order, Sign, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import balanced as nets
from numerics.chain import crossing
from theory.balanced import final_movement, is_obstructed, kernel_distance, loss, plateau, regime

REGIME = "saxe-slides, Architecture and learning regime"
DELAYED = "saxe-slides, Delayed rich regime"
labels = dict(t="time t (τ = 1)", h="1/λ")
strengths = {1: [1.7], 2: [1.7, 1.4], 3: [1.7, 1.4, 1.1]}


def task(Ni, Nh, No, lam, scale=0.4, seed=3, strengths=strengths):
    """Balanced weights, and data with modes of strengths 1.7 downwards."""
    weights = nets.balanced(Ni, Nh, No, lam, scale=scale, seed=seed)
    return weights, nets.data(nets.correlation(Ni, No, strengths[min(Ni, No)], seed=seed + 1), seed=seed + 2)


def arrays(weights):
    """Weights for the theory."""
    return [w.numpy() for w in weights]


def kernels(weights, on, times, **how):
    """The distance that the tangent kernel of a trained network has moved, by automatic differentiation."""
    x = torch.eye(on.x.shape[1], dtype=torch.float64)
    first = nets.tangent_kernel(weights, x).numpy()
    return nets.kernel_distance(first, nets.flow(weights, on, times, record=lambda w: nets.tangent_kernel(w, x), **how))


# -- large balance -------------------------------------------------------------------------------------

architectures = {
    "2-2-4, λ > 0: delayed": (2, 2, 4, 6.0),
    "4-2-3, λ < 0: delayed": (4, 2, 3, -6.0),
    "3-2-3, λ > 0: delayed": (3, 2, 3, 6.0),
    "3-2-3, λ < 0: delayed": (3, 2, 3, -6.0),
    "2-2-4, λ < 0: lazy": (2, 2, 4, -6.0),
    "3-3-3, λ > 0: lazy": (3, 3, 3, 6.0),
    "2-2-4, λ = 0: rich": (2, 2, 4, 0.0),
}


def test_architecture_and_regime():
    """The kernels of seven architectures stay, move, or wait and then move, each as far as the exact solution says."""
    at = dict(t=np.array([0.2, 0.6, 1.5, 3.0, 6.0, 12.0, 20.0]))
    tasks = [task(*architecture) for architecture in architectures.values()]
    assert all(name.endswith(regime(*shape).split()[0]) for name, shape in architectures.items())

    def run(rtol, seed):
        return np.array([kernels(*one, at["t"], rtol=rtol) for one in tasks])

    def law(t):
        return np.array([kernel_distance(*arrays(weights), on.correlation, np.ravel(t)) for weights, on in tasks])

    rivals = {
        "all lazy": lambda t: np.zeros((len(tasks), np.size(t))),
        "all as rich": lambda t: law(t)[[-1] * len(tasks)],
    }
    names = {**labels, "y": "distance of the kernel from K(0)", "about": REGIME}
    claim = "architecture decides between rich, lazy and delayed rich"
    confront(claim, law, run, at, Solver(1e-8), rivals, labels=names, picture=chart(), of=kernel_distance)


def chart():
    """How far the kernel has moved by t = 20 against the balance: widening, narrowing, square, through a bottleneck."""
    balances, some, series = np.sinh(np.linspace(-3, 3, 61)) * 0.6, slice(0, None, 10), []
    shapes = {
        "2-2-4, widening": (2, 2, 4),
        "4-2-2, narrowing": (4, 2, 2),
        "2-2-2, square": (2, 2, 2),
        "3-2-3, bottleneck": (3, 2, 3),
    }
    for role, (name, shape) in zip(("law", "path", "rival", "rival"), shapes.items(), strict=True):
        tasks = [task(*shape, lam, seed=4) for lam in balances]  # no obstruction at 0
        law = [kernel_distance(*arrays(weights), on.correlation, [20.0])[0] for weights, on in tasks]
        run = [kernels(weights, on, [20.0], rtol=1e-6)[0] for weights, on in tasks[some]]
        series.append(Series(role, balances.tolist(), law, name))
        series.append(Series("run", balances[some].tolist(), run, "gradient flow" if shape[0] == 3 else ""))
    return Panel("balance λ", "distance of the kernel from K(0) at t = 20", tuple(series))


def test_plateau():
    """A network of large balance first waits at the loss of its frozen large layer."""
    shapes = [(2, 2, 5, 1), (5, 2, 3, -1), (3, 3, 3, 1)]

    def run(inverse, seed):
        waiting = []
        for *shape, sign in shapes:
            weights, on = task(*shape, sign / inverse)
            end = nets.flow(weights, on, [0.8], rtol=1e-9, record=lambda w: torch.cat([v.reshape(-1) for v in w]))
            waiting.append(nets.excess(nets.apart(torch.from_numpy(end[0]), weights), on))
        return np.array(waiting)

    def law():
        networks = [task(*shape, 64.0 * sign) for *shape, sign in shapes]
        return np.array([plateau(*arrays(weights), on.correlation) for weights, on in networks])

    rivals = {"none: lazy learning succeeds": np.zeros(3), "twice as high": lambda: 2 * law()}
    names = dict(h="1/|λ|, λ the balance", y="loss at t = 0.8 (τ = 1)", about=DELAYED)
    claim = "the lazy plateau of networks of large balance"
    confront(claim, law, run, {}, Order(1, start=1 / 16), rivals, labels=names, picture=waiting(), of=plateau)


def waiting():
    """The loss of a 2-2-5 network of balance 16: down to the plateau, and on from there."""
    weights, on = task(2, 2, 5, 16.0)
    t = np.geomspace(0.01, 40.0, 200)
    some = t[::20]
    seen = nets.ensemble_losses([w[None] for w in weights], on, some, rtol=1e-9)[:, 0]
    height = plateau(*arrays(weights), on.correlation)
    series = (
        Series("law", t.tolist(), loss(*arrays(weights), on.correlation, t).tolist(), "exact solution"),
        Series("rival", [0.01, 40.0], [height, height], "plateau"),
        Series("run", some.tolist(), seen.tolist(), "gradient flow"),
    )
    return Panel("time t (τ = 1), λ = 16", "loss", series, "x")


def test_final_movement():
    """As the balance grows, the kernel of delayed networks moves in the end by the angle between old and new layer.

    Their weights start of size 1: what is left at finite balance is of first order in their square over lambda, of
    second in s/lambda.
    """
    shapes = [(2, 1, 3, 1), (4, 2, 1, -1)]
    apart = {1: [1.7], 2: [1.7, 0.6]}  # so that a bottleneck soon knows which mode to learn
    starts = lambda lam: [task(*shape, sign * lam, 1.0, strengths=apart) for *shape, sign in shapes]  # noqa: E731

    def run(inverse, seed):
        return np.array([kernels(*one, [5 / inverse], rtol=1e-6)[0] for one in starts(1 / inverse)])

    def law():
        return np.array([final_movement(*arrays(weights), on.correlation) for weights, on in starts(64.0)])

    def angles(count):
        """Another measure of the cosines between the columns of the large layer and the modes that it learns."""
        found = []
        for (*_, sign), (weights, on) in zip(shapes, starts(64.0), strict=True):
            W1, W2 = arrays(weights)
            large, sigma = (W2, on.correlation) if sign > 0 else (W1.T, on.correlation.T)
            modes = np.linalg.svd(sigma, full_matrices=False)[0][:, : large.shape[1]]
            found.append(count(np.linalg.svd(modes.T @ np.linalg.qr(large)[0])[1], large.shape[1]))
        return np.array(found)

    rivals = {
        "none: the kernel stays": np.zeros(len(shapes)),
        "nothing is left of the old layer": lambda: angles(lambda cosines, hidden: 1 - (cosines**2).sum() / hidden),
        "cosines, not their squares": lambda: angles(lambda cosines, hidden: (1 - cosines).sum() / hidden),
        "both layers count alike": lambda: law() / 2,
    }
    names = dict(h="1/|λ|, λ the balance", y="distance of the kernel at the end", about=DELAYED)
    claim = "delayed networks end with the kernel of their task"
    confront(claim, law, run, {}, Order(1, start=1 / 3), rivals, labels=names, of=final_movement)


# -- the hidden obstruction ----------------------------------------------------------------------------

square = nets.correlation(3, 3, [1.7, 1.3, 0.9], seed=8)
final = 12.0  # the weakest mode is learnt, and rounding has not yet freed a mode that cannot start


@cache
def ends(runs, seed):
    """Zero-balanced 3-3-3 networks from random starts: their weights, and their losses when learning has ended."""
    starts = [nets.balanced(3, 3, 3, 0.0, scale=0.7, seed=seed + k) for k in range(runs)]
    together = [torch.stack(layer) for layer in zip(*starts, strict=True)]
    return starts, nets.ensemble_losses(together, nets.data(square, seed=9), [final])[0]


def test_obstruction():
    """Half of all zero-balanced square networks end at a saddle."""
    run = lambda n, seed: (ends(n, seed)[1] > 0.9**2 / 4).astype(float)  # noqa: E731
    rivals = {"none: every full-rank start learns the task": 0.0, "one in four": 0.25}
    names = dict(y="share of networks at the saddle")
    claim = "half of all zero-balanced square networks are obstructed"
    confront(claim, lambda: 0.5, run, {}, Mean(0.1, bounds=(0.0, 1.0)), rivals, labels=names, of=is_obstructed)


def test_obstructed_are_those():
    """Stuck at s_min^2/2 are exactly the networks with det(W2 W1) det(Sigma) < 0; the others reach the task."""
    starts, losses = ends(40, 0)
    saddle = 0.9**2 / 2
    stuck = np.array([is_obstructed(*arrays(start), square) for start in starts])
    stuck_last = np.argsort(stuck, kind="stable")
    where = lambda: np.where(stuck, 1.0, -1.0)[stuck_last]  # noqa: E731
    which = lambda seed: (losses / saddle - 0.5)[stuck_last]  # noqa: E731
    others = {"those with det(W2 W1) det(Sigma) > 0": lambda: -where(), "none": -1.0}
    signs = np.array([np.linalg.det(W2 @ W1) for W1, W2 in map(arrays, starts)]) * np.linalg.det(square)
    roots, end = np.cbrt(signs), float(np.max(np.abs(np.cbrt(signs))))
    panel = Panel(
        "cube root of det(W2 W1) det(Σ)", "final loss",
        (Series("run", roots.tolist(), losses.tolist(), "gradient flow"),
         Series("law", [-end, 0.0, 0.0, end], [saddle, saddle, 0.0, 0.0], "$s_{min}^2/2$ below 0")),
    )  # fmt: skip
    claim = "obstructed are those with det(W2 W1) det(Sigma) < 0"
    confront(
        claim,
        where,
        which,
        {},
        Sign(),
        others,
        labels=dict(x="network, by its determinants", y="final loss over $s_{min}^2/2$, less a half"),
        picture=panel,
        of=is_obstructed,
    )


def test_loss_at_the_saddle():
    """The loss of an obstructed network tends to s_min^2/2, as fast as the last learnt mode allows."""
    weights = next(w for w in (nets.balanced(3, 3, 3, 0.0, scale=0.7, seed=k) for k in range(9))
                   if is_obstructed(*arrays(w), square))  # fmt: skip
    at = dict(t=np.array([1.0, 3.0, 6.0, 9.0, 12.0]))

    def run(rtol, seed):
        on = nets.data(square, seed=seed)
        return nets.ensemble_losses([w[None] for w in weights], on, at["t"], rtol=rtol)[:, 0]

    law = lambda t: loss(*arrays(weights), square, np.ravel(t))  # noqa: E731
    rivals = {
        "down to 0": lambda t: law(t) - 0.9**2 / 2 * (1 - np.exp(-np.ravel(t))),
        "s_max^2/2": np.full(5, 1.7**2 / 2),
    }
    claim = "an obstructed network ends at s_min^2/2"
    confront(claim, law, run, at, Solver(), rivals, labels={**labels, "y": "loss"}, of=loss)
    before, last = law([9.0, final])  # what is left to fall is less than what fell since
    assert abs(last - 0.9**2 / 2) < before - last


# -- and how balance heals it --------------------------------------------------------------------------

half = 0.9**2 / 4  # of the loss at the saddle


def healed(balances, rtol):
    """When the loss of networks that would be obstructed at lambda = 0 falls to half of that at the saddle."""
    together = [torch.stack(layer) for layer in zip(*map(obstructed, balances), strict=True)]

    def passed(times, rtol):
        losses = nets.ensemble_losses(together, nets.data(square, seed=9), times, rtol=rtol)
        return np.array([crossing(times, -one, -half) for one in losses.T])

    near = np.linspace(-0.01, 0.01, 7) + passed(np.linspace(0.0, 14.0, 113), 1e-6)[:, None]
    return passed(np.unique([0.0, *near.ravel()]), rtol)


def obstructed(lam):
    """Weights of a 3-3-3 network of this balance, that at balance 0 is obstructed."""
    return nets.balanced(3, 3, 3, lam, scale=0.7, seed=7)


def test_healing_at_any_balance():
    """A network of any balance leaves the saddle when its solution says, later than (1/s_min) ln(1/lambda) would."""
    assert is_obstructed(*arrays(obstructed(0.0)), square)
    balances = (0.003, 0.03, 0.1, 0.3, 0.8)

    def law(lam):
        one = lambda x: brentq(lambda t: loss(*arrays(obstructed(x)), square, [t])[0] - half, 0.0, 14.0, xtol=1e-13)  # noqa: E731
        return np.array([one(x) for x in lam])

    rivals = {"(1/s_min) ln(1/lambda) and a constant": lambda lam: law(lam[:1]) + np.log(lam[0] / lam) / 0.9}
    names = dict(lam="balance λ", y="time to half the saddle's loss")
    claim = "networks of any balance leave the saddle in time"
    at = dict(lam=np.array(balances))
    confront(claim, law, lambda rtol, seed: healed(balances, rtol), at, Solver(1e-7), rivals, labels=names, of=loss)


def test_healing_time_of_networks():
    """The smaller the balance of a network, the longer it stays at the saddle: 1/s_min per factor of e."""

    def run(lam, seed):
        late, soon = healed((lam / np.e, lam), 1e-11)
        return late - soon

    rivals = {"1/s_max": 1 / 1.7, "1/(2 s_min)": 1 / 1.8, "not at all": 0.0}
    names = dict(h="balance λ", y="delay per factor of e in λ (τ = 1)")
    claim = "small balance delays by the slowest mode"
    confront(claim, lambda: 1 / 0.9, run, {}, Order(1, start=4e-3), rivals, labels=names, of=loss)
