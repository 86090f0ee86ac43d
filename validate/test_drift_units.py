"""Hidden units of trained ReLU networks: what a step, noise and death do to them, against `theory.drift`."""

from functools import cache

import numpy as np
import torch

from laws import Mean, Roundoff, confront
from numerics import hessian as derivatives
from numerics.drift import Fit, imbalance, walk
from numerics.ensemble import GradientDescent, LabelNoise, Network, UpdateNoise, train
from theory.drift import dead_rows, imbalance_drift, imbalance_step, nullity, rescaled

PILOT = 10**6  # its seed


def test_imbalance_of_one_weight():
    """Every step of descent changes w² - n² of a unit by its square alone, to the last digits."""
    eta, x, y = 0.2, 1.3, 0.9
    theta, path, slopes = torch.tensor([0.7, -0.4], dtype=torch.float64), [], []
    for _ in range(60):
        w, n = theta.clone().requires_grad_()
        f = n * torch.relu(w * x)
        f.retain_grad()
        slope = torch.autograd.grad((f - y) ** 2, (w, n, f))
        path.append(theta.tolist())
        slopes.append(float(slope[2]))
        theta = (theta - eta * torch.stack(slope[:2])).detach()
    path, r = np.array(path), np.array(slopes)[:-1]
    (w, n), after = path[:-1].T, path[1:]
    run = lambda seed: after[:, 0] ** 2 - after[:, 1] ** 2  # noqa: E731
    rivals = {"conserved, as under gradient flow": lambda w, n, x, r, eta: w**2 - n**2}
    condition = float(((after**2).sum(1) / np.abs(run(0))).max())
    at = dict(w=w, n=n, x=x, r=r, eta=eta)
    labels = dict(y="w² - n² after the step")
    claim = "a finite step changes what gradient flow conserves"
    confront(claim, imbalance_step, run, at, Roundoff(30, condition=condition), rivals, labels=labels)


def test_imbalance_of_units():
    """In a whole network |w|² + b² - |n|² of every unit changes by the squares of its steps, as |Δw|² + Δb² - |Δn|²."""
    network, steps = Network(3, 7, 2), 200
    x, y = np.random.default_rng(0).uniform(-1, 1, (11, 3)), np.random.default_rng(1).uniform(-1, 1, (11, 2))
    path = train(network, x, y, seeds=[1], steps=range(steps + 1), by=GradientDescent(0.2), keep_parameters=True)
    theta = path.parameters[:, 0]
    sign = np.array([1, 1, 1, 1, -1, -1])
    Q, moved = (theta**2) @ sign, (np.diff(theta, axis=0) ** 2) @ sign
    law = lambda step, times=1: (Q[:-1] + times * moved).T  # noqa: E731
    rivals = {"conserved, as under gradient flow": lambda step: law(step, 0), "twice": lambda step: law(step, 2)}
    condition = float((theta**2).sum(2).max() / np.abs(Q).min())
    judge = Roundoff(3 * 11 * 10, condition=condition)
    labels = dict(step="step", y="|w|² + b² - |n|² of each unit")
    run = lambda seed: Q[1:].T  # noqa: E731
    claim = "a finite step changes the imbalance of every unit by its own squares"
    confront(claim, law, run, dict(step=np.arange(steps)), judge, rivals, labels=labels)


def manifold_point(network, samples, seed, dead=0):
    """A network, data that it fits exactly, and its loss for autograd; the first `dead` units are never active."""
    draw = np.random.default_rng(seed)
    x, theta = draw.uniform(-1, 1, (samples, network.inputs)), draw.normal(size=network.shape)
    theta[:, network.inputs] = np.abs(theta[:, network.inputs])  # so that the others see some sample
    theta[:dead, network.inputs] = -10
    X = torch.from_numpy(x)

    def outputs(p):
        w, b, n = network.parts(p)
        return torch.relu(X @ w.T + b) @ n

    y = outputs(torch.from_numpy(theta)).numpy()
    loss = lambda p: ((outputs(p) - torch.from_numpy(y)) ** 2).mean()  # noqa: E731
    return x, y, theta, outputs, loss


def test_nullity():
    """Where the loss vanishes H has nullity P - K D, however many units are dead, and every dead unit its rows of 0."""
    dead = np.array([0, 3, 8, 12])
    network, samples = Network(4, 20, 3), 5

    @cache
    def counted():
        found = []
        for k in dead:
            _, _, theta, outputs, loss = manifold_point(network, samples, 3, k)
            where = torch.from_numpy(theta)
            rank, gap = derivatives.rank_of(derivatives.jacobian(outputs, where))
            assert rank == samples * 3 and gap > 1e6
            H = derivatives.hessian(loss, where)
            values = derivatives.spectrum(H, rank).values
            found.append((len(H) - rank, int((H == 0).all(1).sum()), int((values > 0).sum())))
        return np.array(found).T

    law = lambda dead: np.full(len(dead), nullity(20 * 8, samples, 3))  # noqa: E731
    rivals = {
        "and all of the dead units besides": lambda dead: law(dead) + 8 * dead,
        "what floating point leaves above 0": lambda dead: 20 * 8 - counted()[2],
    }
    labels = dict(dead="dead units of 20", y="nullity of the Hessian")
    judge = Roundoff(1, condition=1)
    confront(
        "dead units do not widen the null space",
        law,
        lambda seed: counted()[0],
        dict(dead=dead),
        judge,
        rivals,
        labels=labels,
    )
    rows = lambda dead: np.array([dead_rows(int(k), 4, 3) for k in dead])  # noqa: E731
    labels = dict(dead="dead units of 20", y="rows of zeros in the Hessian")
    without = {"without its bias": lambda dead: 7 * dead, "as the nullity": law}
    confront(
        "every dead unit leaves its rows of zeros",
        rows,
        lambda seed: counted()[1],
        dict(dead=dead),
        judge,
        without,
        labels=labels,
    )


def test_imbalance_under_label_noise():
    """Under label noise the imbalance of every unit drifts as H says at finite steps."""
    network, eta, sigma, steps = Network(3, 6, 2), 0.5, 0.01, 400
    x, y, theta, _, loss = manifold_point(network, 4, 4)
    H = derivatives.hessian(loss, torch.from_numpy(theta)).numpy()
    eta = 1.2 / np.linalg.eigvalsh(H)[-1]
    sign = np.array([1, 1, 1, 1, -1, -1])

    @cache
    def run(n, seed):
        seeds = range(n * seed, n * (seed + 1))
        recorded = train(
            network,
            x,
            y,
            seeds=seeds,
            steps=[200, 200 + steps],
            by=GradientDescent(eta),
            start=theta,
            noise=LabelNoise(sigma),
            keep_parameters=True,
        )
        Q = (recorded.parameters**2) @ sign
        return (Q[1] - Q[0]) / steps / (eta * sigma) ** 2

    law = lambda: imbalance_drift(H, eta, sigma, 3, 2, c=1 / 8) / (eta * sigma) ** 2  # noqa: E731
    B = np.diag(H).reshape(6, 6) @ sign
    rivals = {"for small steps": lambda: 2 / 8 * B, "conserved": lambda: 0 * B}
    gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
    judge = Mean(detects=gap / 2, variance=2 * float(np.var(run(500, PILOT), axis=0).max()), points=6)
    labels = dict(x="unit", y="drift of |w|² + b² - |n|² per step over (eta sigma)²")
    confront("the imbalance of units under label noise", law, run, {}, judge, rivals, labels=labels)


def test_imbalance_under_update_noise():
    """Under update noise it drifts by the noise itself, more weights coming in than going out, and by what H says."""
    network, sigma, steps = Network(3, 6, 2), 1e-3, 300
    x, y, theta, _, loss = manifold_point(network, 4, 4)
    H = derivatives.hessian(loss, torch.from_numpy(theta)).numpy()
    eta, fit = 1.2 / np.linalg.eigvalsh(H)[-1], Fit(network, x, y)

    @cache
    def run(n, seed):
        start, _ = walk(fit, np.tile(theta.ravel(), (n, 1)), eta=eta, steps=100, seed=2 * seed, update=sigma)
        change = imbalance(fit, start, eta=eta, steps=steps, seed=2 * seed + 1, update=sigma)
        return change / steps / sigma**2

    law = lambda: imbalance_drift(H, eta, sigma, 3, 2) / sigma**2  # noqa: E731
    B = np.diag(H).reshape(6, 6) @ np.array([1, 1, 1, 1, -1, -1])
    rivals = {"for small steps": lambda: 2 + eta / 2 * B, "the noise itself alone": lambda: 2 + 0 * B}
    gap = min(float(np.abs(law() - rival()).max()) for rival in rivals.values())
    judge = Mean(detects=gap / 2, variance=2 * float(np.var(run(500, PILOT), axis=0).max()), points=6)
    labels = dict(x="unit", y="drift of |w|² + b² - |n|² per step over σ²")
    confront("the imbalance of units under update noise", law, run, {}, judge, rivals, labels=labels)


def test_scaling():
    """A run in other units is the same run, to the last bit of single precision, through 100,000 noisy steps."""
    network, steps = Network(4, 20, 3), 100_000
    draw = np.random.default_rng(0).uniform
    x, y = draw(-1, 1, (5, 4)).astype(np.float32), draw(-1, 1, (5, 3)).astype(np.float32)
    same = dict(seeds=range(16), steps=[steps], dtype="float32")
    begin = train(network, x, y, **{**same, "steps": [0]}, by=GradientDescent(0.1)).final

    @cache
    def end(eta, sigma, power, a):
        other = train(
            network,
            x,
            y / np.float32(a) ** power,
            by=GradientDescent(eta),
            start=begin / np.float32(a),
            noise=UpdateNoise(sigma),
            **same,
        )
        return other.final.astype(float)

    def run(seed):
        units = [rescaled(a, eta=0.05, sigma=0.004, y=y, theta=begin) for a in (2.0, 0.5, 4.0)]
        return np.array(
            [end(u["eta"], u["sigma"], 2, a)[0].ravel() for u, a in zip(units, (2.0, 0.5, 4.0), strict=True)]
        )

    at = dict(a=np.array([2.0, 0.5, 4.0]))
    law = lambda a: end(0.05, 0.004, 2, 1.0)[0].ravel() / a[:, None]  # noqa: E731
    rivals = {
        "noise as large in both": lambda a: np.array([end(0.05 * k**2, 0.004, 2, k)[0].ravel() for k in a]),
        "targets over a": lambda a: np.array([end(0.05 * k**2, 0.004 / k, 1, k)[0].ravel() for k in a]),
    }
    labels = dict(a="unit a", y="parameters at the end")
    confront("a run in other units is the same run", law, run, at, Roundoff(1, condition=1), rivals, labels=labels)
