"""Hessian spectra of ReLU networks while update noise makes them sparse: what is pinned, what falls, what is counted.

The eigenvalues are those of 2 c J^T J, the Hessian where the loss vanishes: as many as samples times outputs differ
from 0 at most, 25 here.  Random tasks, 10 inputs, 50 hidden units; every network has its own.
"""

from functools import cache

import numpy as np
import torch

from laws import Count, Equivalent, Trend, confront
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics import hessian as derivatives
from numerics.ensemble import GradientDescent, Network, UpdateNoise, train
from numerics.sparsity import spectra, tasks
from theory.drift import nullity

FIG_4C = "ratzon-2024, Fig. 4C"
FIG_4B = "ratzon-2024, Fig. 4B"
NETWORK, SAMPLES, NETWORKS = Network(10, 50, 5), 5, 112
ETA, SIGMA = 0.1, 0.012
TIMES = (0.06, 0.15, 0.3, 0.6)  # eta sigma^2 t


@cache
def drifting(seed, networks=NETWORKS):
    """Tasks, and networks at the times, of so many with update noise; parameters (times, networks, ...)."""
    x, y, seeds = tasks(NETWORK, SAMPLES, networks=networks, seed=seed)
    steps, by = np.rint(np.array([0.0, *TIMES]) / (ETA * SIGMA**2)), GradientDescent(ETA)
    same = dict(dtype="float32", keep_parameters=True)
    run = train(NETWORK, x, y, seeds=seeds, steps=steps, by=by, noise=UpdateNoise(SIGMA), **same)
    assert (run.diverged < 0).all()
    return x, y, run


@cache
def eigenvalues(seed, networks=NETWORKS):
    """Increasing; shape (networks, 1 + times, 25)."""
    x, _, run = drifting(seed, networks)
    return np.array([spectra(NETWORK, x, theta) for theta in run.parameters]).swapaxes(0, 1)


def sorted_spectra():
    """The eigenvalues in order at all times, medians over networks; and where steps would be unstable."""
    middle, order = np.median(eigenvalues(FIRST), axis=0), list(range(1, 26))
    names = ["at the start", *(f"η σ² t = {time:g}" for time in TIMES)]
    drawn = [Series("rival", order, row.tolist(), name) for row, name in zip(middle, names, strict=True)]
    edge = Series("law", [1, 25], [2 / ETA] * 2, "edge of stability, 2/η")
    return Panel("eigenvalue, in order", f"λ, median of {NETWORKS} networks", (*drawn, edge), "y")


def test_smallest():
    """As units are lost the smallest of the 25 eigenvalues falls."""
    row = in_turn(lambda seed: eigenvalues(seed)[:, 2:, 0])
    run = lambda time, seed: row(seed)[TIMES[1:].index(time)]  # noqa: E731
    labels = dict(x="time η σ² t", y="smallest of 25 eigenvalues", about=FIG_4C)
    rivals = {"it rises": 1.0, "it stays": 0.0}
    claim = "update noise: the smallest eigenvalue falls as units are lost"
    confront(claim, -1.0, run, {}, Trend(TIMES[1:]), rivals, labels=labels, picture=sorted_spectra())


def test_largest():
    """As units are lost the largest eigenvalue stays where it is, at the edge of stability."""
    ratio = lambda values, of: of(values[:, -1]) / of(values[:, 2])  # noqa: E731
    others = eigenvalues(10**6, 16)
    rivals = {
        "as the smallest": float(np.median(ratio(others, lambda v: v[:, 0]))),
        "as the sum of all": float(np.median(ratio(others, lambda v: v.sum(1)))),
    }
    labels = dict(y="largest eigenvalue at η σ² t = 0.6, of that at 0.15", about=FIG_4C)
    claim = "update noise: the largest eigenvalue stays, within a tenth, as units are lost"
    run = in_turn(lambda seed: ratio(eigenvalues(seed), lambda v: v[:, -1]))
    confront(claim, 1.0, run, {}, Equivalent(0.1, runs=NETWORKS), rivals, labels=labels)


def test_all_rise_first():
    """Until networks are at the edge of stability at least 19 eigenvalues in 20 rise under update noise."""
    run = in_turn(lambda seed: np.sign(eigenvalues(seed)[:, 1] - eigenvalues(seed)[:, 0]).mean(1))
    rivals = {"all fall": -1.0, "half of them": 0.0}
    labels = dict(y="eigenvalues that rise, less those that fall, of all", about=FIG_4C)
    claim = "update noise: nineteen eigenvalues in twenty rise until steps are unstable"
    confront(claim, 1.0, run, {}, Equivalent(0.1, runs=NETWORKS), rivals, labels=labels)


@cache
def counted(seed):
    """Nullities of the Hessian of networks relaxed to zero loss, as counted in floating point, and active units.

    Of 8 networks at every time, those that have enough units left to meet their task: their loss falls below 1e-28.
    """
    x, y, run = drifting(seed, 8)
    units, nulls, positive = [], [], []
    for begun in run.parameters:
        same = dict(steps=[8000], by=GradientDescent(0.04), start=begun.astype(float))
        ended = train(NETWORK, x, y, seeds=range(8), **same)
        for k in np.flatnonzero(ended.loss[-1] < 1e-28):
            where, X = torch.from_numpy(ended.final[k]), torch.from_numpy(x[k])

            def outputs(theta, X=X):
                w, b, n = NETWORK.parts(theta)
                return torch.relu(X @ w.T + b) @ n

            J = derivatives.jacobian(outputs, where)
            H = 2 / 25 * J.T @ J
            nulls.append(len(H) - derivatives.rank_of(J)[0])
            positive.append(len(H) - int((torch.linalg.eigvalsh(H) > 0).sum()))
            units.append(float(ended.active_units[-1, k]))
    return tuple(map(np.array, (nulls, positive, units)))


def test_counts():
    """However many units have died, the Hessian has P - K D zero eigenvalues: counts in floating point see others."""
    P, width = NETWORK.hidden * (NETWORK.inputs + 1 + NETWORK.outputs), NETWORK.inputs + 1 + NETWORK.outputs
    least = lambda values: np.array([values.min(), values.max()])  # noqa: E731
    law = lambda: np.full(2, nullity(P, SAMPLES, NETWORK.outputs))  # noqa: E731
    rivals = {
        "those of dead units besides": lambda: law() + width * (NETWORK.hidden - least(counted(0)[2])),
        "what floating point leaves at 0 or below": lambda: least(counted(0)[1]),
    }
    nulls, positive, units = counted(0)
    drawn = (
        Series("run", (units / 50).tolist(), (P - nulls).tolist(), "rank of the Jacobian", joined=False),
        Series("rival", (units / 50).tolist(), (P - positive).tolist(), "λ > 0 in floating point", joined=False),
    )
    picture = Panel("fraction of active units", "nonzero eigenvalues, as counted", drawn)
    labels, claim = dict(x="least, most", about=FIG_4B), "networks that have become sparse have no more zeros"
    labels["y"] = "nullity of the Hessian (P = 800 parameters, K = 5, D = 5)"
    run = lambda seed: least(counted(seed)[0])  # noqa: E731
    confront(claim, law, run, {}, Count(), rivals, labels=labels, picture=picture, of=nullity)
