"""What `theory.drift` says of noise at a zero-loss manifold, on networks that see a corridor.

Inputs are what an agent sees and how it turns; targets are what a trained network makes of them, so that the loss
vanishes where it is.  Corridors are small, so that the Hessian is known and the slowest direction is not too slow.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from laws import Count, Mean, confront
from numerics import hessian as derivatives
from numerics.corridor import Corridor, samples
from numerics.drift import Fit
from numerics.ensemble import GradientDescent, Network, UpdateNoise, train
from theory.drift import dead_rows, nullity, rescaled, update_noise_floor

PAPER = "ratzon-2024, Hessian and sparseness"
ROUGH = replace(Corridor.public_run(), length=5.0, blur=0.3, field_of_view=1.5, turn_deviation=0.1)
PILOT = 10**6  # its seed


def made(network, x, theta):
    """What the network makes of its inputs, and the loss over just that: it vanishes at theta; both for autograd."""
    X = torch.from_numpy(x)

    def outputs(p):
        w, b, n = network.parts(p)
        return torch.relu(X @ w.T + b) @ n

    y = outputs(torch.from_numpy(theta))
    return outputs, lambda p: ((outputs(p) - y) ** 2).mean()


def learnt(corridor, seed, steps=3000):
    """Inputs of a network in a corridor, what it makes of them after descent, its parameters and H over just that."""
    seen, _ = samples(corridor, seed)
    theta = train(corridor.network, seen.x, seen.y, seeds=[seed], steps=[steps], by=GradientDescent(0.1)).final[0]
    outputs, loss = made(corridor.network, seen.x, theta)
    where = torch.from_numpy(theta)
    return seen.x, outputs(where).numpy(), theta, derivatives.hessian(loss, where).numpy()


def test_floor():
    """Update noise leaves a network in a corridor the loss of finite steps, over all that the samples determine."""
    corridor, sigma, steps = replace(ROUGH, rays=3, samples=6, hidden=30), 1e-4, 1300
    x, y, theta, H = learnt(corridor, 2)
    values = np.linalg.eigvalsh(H)
    eta, slowest = 1.6 / values[-1], values[-18]  # 6 samples of 3 rays
    assert (1 - eta * slowest) ** (2 * steps) < 1e-3 and abs(values[-19]) < 1e-9 * slowest

    @cache
    def run(n, seed):
        same = dict(seeds=range(n * seed, n * (seed + 1)), start=theta, steps=[steps])
        run = train(corridor.network, x, y, by=GradientDescent(eta), noise=UpdateNoise(sigma), **same)
        return run.loss[0] / sigma**2

    floor = lambda eta: update_noise_floor(H, eta, sigma) / sigma**2  # noqa: E731
    law, small = lambda: floor(eta), floor(1e-6) * 1e-6 / eta
    rivals = {
        "for small steps": lambda: small,
        "of every parameter, not of every sample and ray": lambda: small * 35 / 3,
    }
    judge = Mean(detects=(law() - small) / 2, variance=2 * float(np.var(run(500, PILOT))))
    labels = dict(y="mean loss over the variance of the noise")
    claim = "the loss that update noise leaves in a corridor"
    confront(claim, law, run, {}, judge, rivals, labels=labels, of=update_noise_floor)


def test_imbalance(confront_imbalance):
    """Every unit of a network in a corridor drifts in |w|² + b² - |n|² by the noise itself and by what H says."""
    corridor = replace(ROUGH, rays=2, samples=4, hidden=6)
    x, y, theta, H = learnt(corridor, 4)
    claim = "the imbalance of units in a corridor"
    confront_imbalance(claim, Fit(corridor.network, x, y), theta, H, sigma=1e-4, settled=1500)


def test_scaling():
    """A noisy run in a corridor has the same bits in other units, through 20,000 steps of single precision."""
    corridor = replace(ROUGH, rays=5, samples=40, hidden=30)

    @cache
    def end(seed, a, power=2, louder=False):
        seen, _ = samples(corridor, seed % 2**32)
        x, y = (v.astype(np.float32) for v in (seen.x, seen.y))
        same = dict(seeds=[seed], dtype="float32")
        begin = train(corridor.network, x, y, steps=[0], by=GradientDescent(0.1), **same).final
        units = rescaled(a, eta=0.05, sigma=0.004, y=y, theta=begin)
        noise, by = UpdateNoise(0.004 if louder else units["sigma"]), GradientDescent(units["eta"])
        y = y / np.float32(a) ** power
        run = train(corridor.network, x, y, by=by, noise=noise, start=units["theta"], steps=[20_000], **same)
        return run.final[0].astype(float).ravel()

    units = (2.0, 0.5, 4.0)
    others = lambda seed, **how: np.array([np.sum(a * end(seed, a, **how) != end(seed, 1.0)) for a in units])  # noqa: E731
    rivals = {
        "noise as large in both": lambda: others(PILOT, louder=True),
        "targets over a": lambda: others(PILOT, power=1),
    }
    labels = dict(y="parameters that are not, times a, what they are for a = 1", runs="a = 2, 1/2 and 4")
    claim = "a run in a corridor in other units is the same run"
    confront(claim, lambda: np.zeros(3), others, {}, Count(), rivals, labels=labels, of=rescaled)


def test_dead_units():
    """Every unit that dies in a corridor leaves its rows of zeros in H, and the null space as wide as it was."""
    dead, corridor = np.array([0, 3, 8, 12]), replace(ROUGH, rays=3, samples=6, hidden=30)
    seen, _ = samples(corridor, 2)
    network, size = Network(4, 30, 3), 30 * 8

    @cache
    def counted():
        found = []
        for k in dead:
            theta = train(network, seen.x, seen.y, seeds=[5], steps=[0], by=GradientDescent(0.1)).final[0]
            theta[:k, 4], theta[k:, 4] = -10, np.abs(theta[k:, 4])
            outputs, loss = made(network, seen.x, theta)
            where = torch.from_numpy(theta)
            rank, _ = derivatives.rank_of(derivatives.jacobian(outputs, where))
            H = derivatives.hessian(loss, where)
            values = derivatives.spectrum(H, rank).values
            found.append((len(H) - rank, int((H == 0).all(1).sum()), int((values > 0).sum())))
        return np.array(found).T

    law = lambda dead: np.full(len(dead), nullity(size, 6, 3))  # noqa: E731
    rows = lambda dead: np.array([dead_rows(int(k), 4, 3) for k in dead])  # noqa: E731
    rivals = {
        "and all of the dead units besides": lambda dead: law(dead) + 8 * dead,
        "what floating point leaves above 0": lambda dead: size - counted()[2],
    }
    size_of = "P = 240 parameters, K = 6 samples, D = 3 outputs"
    labels, judge = dict(dead=f"dead units of 30 ({size_of})", y="nullity of the Hessian", about=PAPER), Count()
    run = lambda seed: counted()[0]  # noqa: E731
    claim = "units that die in a corridor do not widen the null space"
    confront(claim, law, run, dict(dead=dead), judge, rivals, labels=labels, of=nullity)
    rivals, labels = {"without its bias": lambda dead: 7 * dead}, labels | dict(y="rows of zeros in the Hessian")
    run, claim = lambda seed: counted()[1], "every unit that dies in a corridor leaves its rows of zeros"
    confront(claim, rows, run, dict(dead=dead), judge, rivals | {"as the nullity": law}, labels=labels, of=dead_rows)
