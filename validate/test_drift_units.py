"""Hidden units of trained ReLU networks: what a step, noise and death do to them, against `theory.drift`."""

from functools import cache

import numpy as np
import torch

from laws import Count, Mean, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import hessian as derivatives
from numerics.drift import Fit
from numerics.ensemble import GradientDescent, LabelNoise, Network, UpdateNoise, train
from theory.drift import dead_rows, imbalance_drift, imbalance_step, nullity, rescaled

PAPER = "ratzon-2024, Hessian and sparseness"
PILOT = 10**6  # its seed
FIRST = 0  # the seed that an exact judge hands out


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
    confront(claim, law, run, dict(step=np.arange(steps)), judge, rivals, labels=labels, of=imbalance_step)


def manifold_point(network, samples, seed, dead=0):
    """A network, data that it fits exactly, and its loss for autograd; the first `dead` units are never active."""
    draw = np.random.default_rng(seed)
    x, theta = draw.uniform(-1, 1, (samples, network.inputs)), draw.normal(size=network.shape)
    seen = (theta[:, : network.inputs] @ x.T).max(1)
    theta[:, network.inputs] = np.abs(theta[:, network.inputs]) - np.minimum(seen, 0)  # the others see some sample
    theta[:dead, network.inputs] = -10
    X = torch.from_numpy(x)

    def outputs(p):
        w, b, n = network.parts(p)
        return torch.relu(X @ w.T + b) @ n

    y = outputs(torch.from_numpy(theta)).numpy()
    loss = lambda p: ((outputs(p) - torch.from_numpy(y)) ** 2).mean()  # noqa: E731
    return x, y, theta, outputs, loss


DEAD = np.array([0, 3, 8, 12])  # of 20 units


@cache
def counted(seed):
    """Nullity, rows of zeros, and eigenvalues above 0 in floating point, at points with more and more dead units."""
    network, samples, found = Network(4, 20, 3), 5, []
    for k in DEAD:
        _, _, theta, outputs, loss = manifold_point(network, samples, seed, k)
        where = torch.from_numpy(theta)
        rank, gap = derivatives.rank_of(derivatives.jacobian(outputs, where))
        assert rank == samples * 3 and gap > 1 / np.sqrt(np.finfo(float).eps)  # the hypothesis: rank J = K D
        H = derivatives.hessian(loss, where)
        values = derivatives.spectrum(H, rank).values
        found.append((len(H) - rank, int((H == 0).all(1).sum()), int((values > 0).sum())))
    return np.array(found).T


def test_nullity():
    """Where the loss vanishes H has nullity P - K D, however many units are dead."""
    law = lambda dead: np.full(len(dead), nullity(20 * 8, 5, 3))  # noqa: E731
    rivals = {
        "and all of the dead units besides": lambda dead: law(dead) + 8 * dead,
        "what floating point leaves at 0 or below": lambda dead: 20 * 8 - counted(PILOT)[2],
    }
    sizes = "P = 160 parameters, K = 5 samples, D = 3 outputs"
    labels = dict(dead=f"dead units of 20 ({sizes})", y="nullity of the Hessian", about=PAPER)
    run, claim = lambda seed: counted(seed)[0], "dead units do not widen the null space"
    confront(claim, law, run, dict(dead=DEAD), Count(), rivals, labels=labels, of=nullity)


def test_dead_rows():
    """Every dead unit leaves its rows of zeros in H: those of its weights, of its bias and of what it says."""
    law = lambda dead: np.array([dead_rows(int(k), 4, 3) for k in dead])  # noqa: E731
    labels = dict(dead="dead units of 20 (d = 4 inputs, D = 3 outputs)", y="rows of zeros in the Hessian", about=PAPER)
    rivals = {"without its bias": lambda dead: 7 * dead, "as the nullity": lambda dead: 20 * 8 - 15 + 0 * dead}
    run, claim = lambda seed: counted(seed)[1], "every dead unit leaves its rows of zeros"
    confront(claim, law, run, dict(dead=DEAD), Count(), rivals, labels=labels, of=dead_rows)


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
    claim = "the imbalance of units under label noise"
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=imbalance_drift)


def test_imbalance_under_update_noise(confront_imbalance):
    """Imbalance drifts by update noise itself, more weights coming in than going out, and by what H says."""
    network = Network(3, 6, 2)
    x, y, theta, _, loss = manifold_point(network, 4, 4)
    H = derivatives.hessian(loss, torch.from_numpy(theta)).numpy()
    claim = "the imbalance of units under update noise"
    confront_imbalance(claim, Fit(network, x, y), theta, H, sigma=1e-3, settled=100)


UNITS = np.array([2.0, 0.5, 4.0])


@cache
def scaled_runs(seed, noise=1, targets=2):
    """Ends of 16 networks in other units, brought back, over those in the first, a theta(a)/theta(1); and the first.

    noise, targets: by which powers of the unit they are divided.
    """
    network, steps, draw = Network(4, 20, 3), 100_000, np.random.default_rng(seed)
    x, y = (draw.uniform(-1, 1, (5, size)).astype(np.float32) for size in (4, 3))
    seeds = [int(k) for k in draw.integers(2**63, size=16)]
    same = dict(seeds=seeds, dtype="float32")
    begin = train(network, x, y, steps=[0], by=GradientDescent(0.1), **same).final

    def end(a):
        units = rescaled(a, eta=0.05, sigma=0.004, y=y, theta=begin)
        sigma, labels = 0.004 / a**noise, y / np.float32(a) ** targets
        by, start = GradientDescent(units["eta"]), units["theta"]
        ended = train(network, x, labels, steps=[steps], by=by, start=start, noise=UpdateNoise(sigma), **same)
        return ended.final.astype(float) * a

    first = end(1.0)
    return np.array([end(a) / first for a in UNITS]), first


def others(seed, **powers):
    """How many parameters of the 16 networks are not, brought back, those of the first run; for each unit."""
    found, _ = scaled_runs(seed, **powers)
    return (found != 1).sum(tuple(range(1, found.ndim)))


def test_scaling():
    """A run in other units is the same run, to the last bit of single precision, through 100,000 noisy steps."""
    rivals = {
        "noise as large in both": lambda a: others(PILOT, noise=0),
        "targets over a": lambda a: others(PILOT, targets=1),
    }
    labels = dict(a="unit a", y="parameters that are not, brought back, those of the first run")
    claim = "a run in other units is the same run"
    found, first = scaled_runs(FIRST)
    pairs = [first[0].ravel().tolist(), (first * found[0])[0].ravel().tolist()]
    drawn = (Series("run", *pairs, "a = 2, brought back", joined=False),
             Series("law", [min(pairs[0]), max(pairs[0])], [min(pairs[0]), max(pairs[0])], "the same run"))  # fmt: skip
    picture = Panel("parameters of one network after 100,000 steps", "in other units, times a", drawn)
    confront(claim, lambda a: 0.0, others, dict(a=UNITS), Count(), rivals, labels=labels, picture=picture, of=rescaled)
