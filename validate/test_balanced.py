"""Balanced two-layer networks, trained in torch, against the exact solution of `theory.balanced`.

All entries of Q Q^T are judged, so that both layers count and not only their product.  A task stands fixed with its
law; the seed draws what the law must not see, where that costs nothing: the data, and how hidden units are turned.
"""

from functools import partial

import numpy as np
import pytest
import torch

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import balanced as nets
from numerics import modes
from theory.balanced import balance, continual, forgetting, network_map, ntk, solution

CONTINUAL = "saxe-slides, Exact continual learning dynamics"
LAZY = "saxe-slides, Rich and lazy learning"
times = np.array([0.1, 0.4, 0.9, 1.6, 2.6, 4.0])
labels = dict(t="time t (τ = 1)", y="entries of $QQ^T$", h="step η")


def task(Ni, Nh, No, lam, scale=0.4, seed=1):
    """Balanced weights, and data whose modes have strengths from 1.7 down to 0.8."""
    weights = nets.balanced(Ni, Nh, No, lam, scale=scale, seed=seed)
    strengths = np.linspace(1.7, 0.8, min(Ni, No))
    return weights, nets.data(nets.correlation(Ni, No, strengths, seed=seed + 1), seed=seed + 2)


def redrawn(weights, on, seed):
    """The same weights in hidden units turned by this seed, and other data with the same correlation."""
    W1, W2 = weights
    draw = torch.randn(len(W1), len(W1), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    turn = torch.linalg.qr(draw).Q
    return [turn @ W1, W2 @ turn.T], nets.data(on.correlation, seed=seed)


def upper(P):
    """The entries of symmetric matrices that differ, a row for each; shape (entries, T)."""
    i, j = np.triu_indices(P.shape[-1])
    return P[:, i, j].T


def of_time(law, weights, on):
    """A theory of Q Q^T, for these weights and data, as a function of time."""
    W1, W2 = (w.numpy() for w in weights)
    return lambda t: upper(np.asarray(law(W1, W2, on.correlation, np.ravel(t))))


def integral(w, t):
    """(e^(2 w t) - 1)/(2 w), also at w = 0."""
    safe = np.where(np.abs(w) > 1e-9, w, 1)
    return np.where(np.abs(w) > 1e-9, np.expm1(2 * safe * t) / (2 * safe), t)


def textbook(W1, W2, sigma, t, lam, reach=integral, last=lambda perp, t: 0.0):
    """Equation (6) as it stands, for a balance `lam`, with last(perp, t) D D^T added to the inverted matrix."""
    No, Ni = sigma.shape
    w, O = np.linalg.eigh(np.block([[-lam / 2 * np.eye(Ni), sigma.T], [sigma, lam / 2 * np.eye(No)]]))  # noqa: E741
    U, _, Vt = np.linalg.svd(sigma)
    D = W2.T @ U[:, Ni:] if No > Ni else W1 @ Vt.T[:, No:]
    Y, P = O.T @ np.vstack([W1.T, W2]), []
    for moment in t:
        A = np.eye(len(W1)) + Y.T * reach(w, moment) @ Y + last(np.sign(No - Ni) * lam / 2, moment) * D @ D.T
        Z = O @ (np.exp(w * moment)[:, None] * Y)
        P.append(Z @ np.linalg.solve(A, Z.T))
    return np.array(P)


def printed(W1, W2, sigma, t):
    """The slides' (15) as printed, its last term (e^(lambda_perp t) - 1)/lambda_perp."""
    change = lambda perp, t: np.expm1(perp * t) / perp - np.expm1(2 * perp * t) / (2 * perp)  # noqa: E731
    return textbook(W1, W2, sigma, t, balance(W1, W2), last=change)


def misprints(weights, on):
    """Equation (6) with one sign or factor wrong, at these weights and data."""
    lam = balance(*(w.numpy() for w in weights))
    reaches = {
        "e^(F t), not e^(2 F t), in the inverse": lambda w, t: integral(w, t / 2),
        "no 2 below F in the inverse": lambda w, t: 2 * integral(w, t),
        "2 F of the other sign in the inverse": lambda w, t: integral(-w, t),
    }
    theories = {name: partial(textbook, lam=lam, reach=reach) for name, reach in reaches.items()}
    if lam:
        theories["lambda, not lambda/2, in F"] = partial(textbook, lam=2 * lam)
        theories["lambda of the other sign"] = partial(textbook, lam=-lam)
        theories["zero-balanced theory"] = partial(textbook, lam=0.0)
        if len(set(on.correlation.shape)) == 2:
            theories["(15) as printed"] = printed
    return {name: of_time(theory, weights, on) for name, theory in theories.items()}


def frozen_kernel(W1, W2, sigma, t):
    """The lazy limit: the map of the linearised network, and layers that stay as they are."""
    first, second = W1.T @ W1, W2 @ W2.T
    (a, V), (b, U) = np.linalg.eigh(first), np.linalg.eigh(second)
    missing = U.T @ (sigma - W2 @ W1) @ V
    maps = [sigma - U @ (np.exp(-(b[:, None] + a) * moment) * missing) @ V.T for moment in t]
    return np.array([np.block([[first, M.T], [M, second]]) for M in maps])


shapes = [(3, 3, 5, 1.3), (5, 3, 3, -1.3), (3, 2, 5, 2.1), (5, 2, 3, 2.1), (4, 6, 3, 0.0), (3, 3, 3, -0.7)]


def furthest(law, rivals, seen):
    """How far the entry that is furthest from the law is off, by every rival and in a network."""
    when = np.linspace(0.05, 4.0, 80)
    off = {name: np.abs(rival(when) - law(when)).max(0).tolist() for name, rival in rivals.items()}
    lines = [Series("rival", when.tolist(), far, name) for name, far in off.items()]
    trained = Series("run", times.tolist(), np.abs(seen - law(times)).max(0).tolist(), "network, flow at rtol 1e-8")
    return Panel("time t (τ = 1)", "largest distance of an entry from the law", (*lines, trained), "y")


@pytest.mark.parametrize("shape", shapes, ids=str)
def test_gradient_flow(shape):
    """The gradient flow of a torch network of any shape and balance is the exact solution, to the solver's error."""
    weights, on = task(*shape)
    rivals = {"lazy: the kernel frozen": of_time(frozen_kernel, weights, on), **misprints(weights, on)}
    claim = "shape {}-{}-{}, balance {}{}: gradient flow is the exact solution".format(
        *shape[:3], "minus " * (shape[3] < 0), abs(shape[3])
    )
    run = lambda rtol, seed: upper(nets.flow(*redrawn(weights, on, seed), times, rtol=rtol))  # noqa: E731
    law = of_time(solution, weights, on)
    picture = furthest(law, rivals, run(1e-8, 0))
    confront(claim, law, run, dict(t=times), Solver(), rivals, labels=labels, of=solution, picture=picture)


def test_gradient_descent():
    """Gradient descent on a 10-5-10 network meets the exact solution at first order in the step."""
    weights, on = task(10, 5, 10, 0.5)
    when = np.array([0.2, 0.6, 1.0, 2.0])
    rivals = {"zero-balanced theory": of_time(partial(textbook, lam=0.0), weights, on)}
    run = lambda eta, seed: upper(nets.train(*redrawn(weights, on, seed), when, eta))  # noqa: E731
    claim = "10-5-10: gradient descent tends to the exact solution"
    law = of_time(solution, weights, on)
    confront(claim, law, run, dict(t=when), Order(1, start=0.05), rivals, labels=labels, of=solution)


def test_gradient_descent_second_order():
    """Descent, less what its own term eta |grad L|^2/4 of the loss does, meets the exact solution at second order."""
    weights, on = task(10, 5, 10, 0.5)
    when = np.array([0.2, 0.6, 1.0, 2.0])
    rivals = {"zero-balanced theory": of_time(partial(textbook, lam=0.0), weights, on)}
    run = lambda eta, seed: upper(nets.corrected(*redrawn(weights, on, seed), when, eta))  # noqa: E731
    claim = "10-5-10: corrected gradient descent tends to the exact solution at second order"
    law = of_time(solution, weights, on)
    confront(claim, law, run, dict(t=when), Order(2, start=0.05), rivals, labels=labels, of=solution)


@pytest.mark.parametrize("lam", [2.5, -2.5])
def test_digits(lam):
    """A bottleneck of eight units learns the digit classes, input variance 0.6, as the solution says."""
    digits, when = modes.classes(0.6), np.array([0.4, 1.2, 2.4, 4.8, 9.6])
    weights = nets.balanced(61, 8, 10, lam, scale=0.3, seed=4)
    W1, W2 = (w.numpy() for w in weights)
    sigma = (digits.y.T @ digits.x / digits.examples).numpy()
    U, V = digits.U.numpy(), digits.V.numpy()

    def law(t, c=0.6):
        maps = network_map(W1, W2, sigma, np.ravel(t), input_covariance=c)
        return np.einsum("ik,tij,jk->kt", U, maps, V)

    run = lambda eta, seed: modes.train(digits, weights, when, eta).T  # noqa: E731

    def wrong(t, sign=1.0, back=0.6):
        """Through white inputs: with the balance of another sign, or scaled back by another factor."""
        first, last = np.sqrt(0.6) * W1, np.sqrt(0.6) * W2
        P = textbook(first, last, sigma, np.ravel(t), sign * balance(first, last))
        return np.einsum("ik,tij,jk->kt", U, P[:, 61:, :61], V) / back

    rivals = {
        "input variance taken to be 1": lambda t: law(t, c=1.0),
        "lambda of the other sign": lambda t: wrong(t, sign=-1.0),
        "not scaled back by the variance": lambda t: wrong(t, back=1.0),
    }
    claim = f"digit classes through a bottleneck from balance {'minus ' * (lam < 0)}{abs(lam)}"
    drawn = {**labels, "y": "strengths of the class modes"}
    confront(claim, law, run, dict(t=when), Order(1, start=0.05), rivals, labels=drawn, of=network_map)


def test_tangent_kernel():
    """The neural tangent kernel, by automatic differentiation along a gradient flow, is that of the solution."""
    weights, on = task(3, 2, 4, 1.7)
    W1, W2 = (w.numpy() for w in weights)
    x = on.x[:3]
    pairs = np.triu_indices(12)

    def law(t):
        return ntk(W1, W2, on.correlation, np.ravel(t), x.numpy().T)[:, *pairs].T

    def run(rtol, seed):
        kernels = nets.flow(weights, on, times, rtol=rtol, record=lambda w: nets.tangent_kernel(w, x))
        return kernels[:, *pairs].T

    def terms(t, first, last, turned=False):
        """The kernel with its two terms counted so often, or with the factors of each exchanged."""
        P, X = solution(W1, W2, on.correlation, np.ravel(t)), x.numpy().T
        hidden, readout, I = X.T @ P[:, :3, :3] @ X, P[:, 3:, 3:], np.eye(4)  # noqa: E741
        found = []
        for k, z in zip(hidden, readout, strict=True):
            pair = ((I, k), (z, X.T @ X)) if not turned else ((k, I), (X.T @ X, z))
            found.append(first * np.kron(*pair[0]) + last * np.kron(*pair[1]))
        return np.array(found)[:, *pairs].T

    rivals = {
        "frozen, as at the start": law([0.0]).repeat(len(times), 1),
        "the first layer's steps alone": lambda t: terms(t, 0, 1),
        "the second layer's steps alone": lambda t: terms(t, 1, 0),
        "factors exchanged": lambda t: terms(t, 1, 1, turned=True),
    }
    drawn = {**labels, "y": "entries of the kernel K(t)", "about": LAZY}
    claim = "the tangent kernel moves as the layers do"
    confront(claim, law, run, dict(t=times), Solver(), rivals, labels=drawn, of=ntk)


sequence, durations = [7, 8, 9], [9.0, 12.0, 10.0]


def learnt_in_turn():
    """Three tasks for one network, their data, and its weights."""
    weights = nets.balanced(4, 3, 3, -0.6, scale=0.5, seed=6)
    return weights, [nets.data(nets.correlation(4, 3, [1.7, 1.2, 0.8], seed=k), seed=k + 20) for k in sequence]


def test_continual_learning():
    """Learning one task after the other, the losses of all three follow the solution with the task switched."""
    weights, on = learnt_in_turn()
    W1, W2 = (w.numpy() for w in weights)
    sigmas = [one.correlation for one in on]

    def law(t, order=(0, 1, 2)):
        found = continual(W1, W2, [sigmas[k] for k in order], durations, points=9)
        return found.losses[list(order)].reshape(3, -1)

    def run(rtol, seed):
        return nets.one_after_the_other(weights, on, durations, 9, rtol).reshape(3, -1)

    def afresh(t):
        """Every stage as if it started from the first weights."""
        stages = [network_map(W1, W2, one, np.linspace(0, end, 9)) for one, end in zip(sigmas, durations, strict=True)]
        return np.array([((one - np.array(stages)) ** 2).sum((-2, -1)).ravel() / 2 for one in sigmas])

    when = continual(W1, W2, sigmas, durations, points=9).times.ravel()
    rivals = {"each task from the first weights": afresh, "in another order": lambda t: law(t, (1, 0, 2)),
              "losses without their 1/2": lambda t: 2 * law(t)}  # fmt: skip
    drawn = {**labels, "y": "losses of the three tasks", "about": CONTINUAL}
    claim = "continual learning: losses of all tasks while the task switches"
    confront(claim, law, run, dict(t=when), Solver(), rivals, labels=drawn, of=continual)


def test_forgetting():
    """Learning a third task to the end, the first two are forgotten by what the distances of the tasks say."""
    weights, on = learnt_in_turn()
    sigmas = [one.correlation for one in on]

    def run(rtol, seed):
        losses = nets.one_after_the_other(weights, on, [80.0, 80.0, 80.0], 2, rtol)
        return losses[:2, 2, -1] - losses[:2, 1, -1]

    law = lambda: np.array([forgetting(one, sigmas[1], sigmas[2]) for one in sigmas[:2]])  # noqa: E731
    rivals = {
        "the distance to the new task": np.array([((sigmas[2] - one) ** 2).sum() / 2 for one in sigmas[:2]]),
        "the distance from the learnt task to the new": ((sigmas[2] - sigmas[1]) ** 2).sum() / 2,
        "without the 1/2": lambda: 2 * law(),
        "learnt and new exchanged": lambda: -law(),
        "nothing is forgotten": 0.0,
    }
    labels = dict(y="rise of an earlier task's loss", about=CONTINUAL)
    confront("forgetting of earlier tasks", law, run, {}, Solver(), rivals, labels=labels, of=forgetting)
