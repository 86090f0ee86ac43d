"""Trained flip-flops: their fixed points found, counted and classified, against what the task asks for."""

from functools import cache

import numpy as np
import pytest
from scipy.special import binom

from laws import Count, confront
from laws.judges.verdict import Panel, Series
from numerics.rnn import fixed_points

PAPER = "huang-2025, sec. 2.2"
labels = dict(bits="bits N", y="number", about=PAPER)
SADDLES = {  # of so many bits, between the memories at the corners
    1: "the middle of a segment",
    2: "the edges and the middle of a square",
    3: "the edges, the faces and the middle of a cube",
}


def bits_of(trained):
    """One and two for the small networks, and three."""
    return np.arange(1, 3 if trained.how == "small" else 4)


@cache
def along_trials(trained, bits):
    """Effective weights of every network, and states along trials."""
    name = f"flip{bits}"
    x, _, _ = trained(name)[0].task.trials(20, 99)
    return [(weights, along(x).reshape(-1, len(weights[0]))) for weights, along in trained.each(name)]


@cache
def found(trained, bits):
    """All fixed points of every network without input."""
    return [fixed_points(A, b, C, c, rates[::4]) for (A, _, b, C, c), rates in along_trials(trained, bits)]


def rest(trained):
    """How a two-bit flip-flop comes to rest from states along its trials, on their principal components."""
    (A, _, b, _, _), rates = along_trials(trained, 2)[0]
    middle = rates.mean(0)
    axes = np.linalg.svd(rates - middle, full_matrices=False)[2][:2]
    courses = [rates[5::13]]
    for _ in range(60):
        courses.append(np.tanh(courses[-1] @ A.T + b))
    seen = (np.array(courses) - middle) @ axes.T
    series = [
        Series("path", *course.T.tolist(), "left alone, from states along trials") for course in seen.swapaxes(0, 1)
    ]
    points = found(trained, 2)[0]
    place = lambda which: ((points.rates[which] - middle) @ axes.T).T.tolist()  # noqa: E731
    series.append(Series("run", *place(points.stable), "stable fixed points"))
    series.append(Series("rival", *place(~points.stable), "saddles", joined=False))
    return Panel("principal component 1 of a 2-bit network", "principal component 2", tuple(series))


def held(trained):
    """What a two-bit flip-flop is shown and says along a trial, beside what it should say."""
    (_, _, _, C, c), rates = along_trials(trained, 2)[0]
    x, y, _ = trained("flip2")[0].task.trials(20, 99)
    steps, output = list(range(len(x))), (rates @ C.T + c).reshape(y.shape)[:, 0]
    series = []
    for k, up in enumerate((1.5, -1.5)):
        pulses = np.flatnonzero(x[:, 0, k])
        series.append(
            Series("law", steps, (y[:, 0, k] + up).tolist(), "" if k else "what is to be held, bits set apart")
        )
        series.append(Series("run", pulses.tolist(), (x[pulses, 0, k] + up).tolist(), "" if k else "pulses"))
        series.append(Series("path", steps, (output[:, k] + up).tolist(), "" if k else "output of a network"))
    return Panel("step of a trial", "input and output", tuple(series))


def confront_count(trained, claim, law, count, rivals, name, picture=None):
    """A law of the number of bits against counts in every network."""
    at = dict(bits=bits_of(trained).astype(float))
    run = lambda seed: np.array([[count(f) for f in found(trained, int(n))] for n in at["bits"]], float).T  # noqa: E731
    drawn = {**labels, "y": name}
    confront(trained.of(claim), law, run, at, Count(), rivals, labels=drawn, picture=picture)


def test_memories(trained):
    """Every network has a stable fixed point for each combination of bits, and no other: 2^N."""
    rivals = {"one for each bit and sign, 2 N": lambda bits: 2 * bits, "2^N + 1": lambda bits: 2**bits + 1}
    if trained.how == "small":  # where 2^N = 2 N
        rivals = {"one, whatever is to be held": lambda bits: 0 * bits + 1, "N + 1": lambda bits: bits + 1}
    claim = "flip-flops have 2^N stable fixed points"
    confront_count(
        trained, claim, lambda bits: 2**bits, lambda f: f.stable.sum(), rivals, "stable points", rest(trained)
    )


def test_combinations(trained):
    """What is read out at the stable fixed points shows every combination of signs once."""
    rivals = {"N + 1 of them": lambda bits: bits + 1, "one": lambda bits: 0 * bits + 1}
    claim = "the stable fixed points of flip-flops read out every combination"
    patterns = lambda f: len(np.unique(np.sign(f.outputs[f.stable]), axis=0))  # noqa: E731
    confront_count(trained, claim, lambda bits: 2**bits, patterns, rivals, "combinations read out", held(trained))


def test_all_fixed_points(trained):
    """With the saddles between them there are 3^N fixed points, as in N switches that know nothing of each other."""
    rivals = {
        "the memories alone, 2^N": lambda bits: 2**bits,
        "and one saddle between all, 2^N + 1": lambda bits: 2**bits + 1,
    }
    claim = "flip-flops are organised as N independent switches"
    confront_count(trained, claim, lambda bits: 3**bits, lambda f: len(f.index), rivals, "fixed points of any kind")


@pytest.mark.parametrize("fewer", [0, 1])
def test_saddles_are_ordered(trained, fewer):
    """N!/(k! (N - k)!) 2^(N - k) fixed points are unstable in k directions: a cube's faces of k dimensions, counted."""
    bits = int(bits_of(trained)[-1]) - fewer
    ks = np.arange(bits + 1)

    def run(seed):
        rows = []
        for ((A, *_), _), points in zip(along_trials(trained, bits), found(trained, bits), strict=True):
            moduli = np.abs(np.linalg.eigvals((1 - points.rates**2)[:, :, None] * A))
            rows.append([((moduli > 1).sum(1) == k).sum() for k in ks])
        return np.array(rows, dtype=float)

    law = lambda k: binom(bits, k) * 2.0 ** (bits - k)  # noqa: E731
    rivals = {"all saddles alike": lambda k: np.array([2.0**bits, 3.0**bits - 2**bits, 0, 0])[np.rint(k).astype(int)]}
    if bits == 1:
        rivals = {"no saddle": lambda k: np.where(k == 0, 2.0, 0)}
    drawn = dict(k="unstable directions", y="fixed points", about=PAPER)
    claim = f"the saddles of a flip-flop of {bits} bit{'s' * (bits > 1)} are {SADDLES[bits]}"
    confront(trained.of(claim), law, run, dict(k=ks.astype(float)), Count(), rivals, labels=drawn)
