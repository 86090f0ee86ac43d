"""Trained flip-flops: their fixed points found, counted and classified, against what the task asks for."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy.special import binom

from laws import Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import rnn
from numerics.rnn import Adam, Standard, fixed_points
from numerics.tasks import FlipFlop

SEEDS = (1, 2, 3)
BITS = np.array([1, 2, 3])
UNITS = {1: 32, 2: 32, 3: 48}


@cache
def trained(bits):
    """Networks trained on the flip-flop until their mean squared error is below .005, from three starts."""
    run = rnn.train(
        Standard(UNITS[bits]), FlipFlop(bits, length=30, switch=0.2), seeds=SEEDS, by=Adam(0.003), trials=32,
        steps=2500, threshold=0.005, dtype="float32",
    )  # fmt: skip
    assert run.converged.all()
    return run


@cache
def trajectories(bits, k):
    """Rates and inputs along trials of one network."""
    network, weights = Standard(UNITS[bits]), trained(bits).weights
    x, _, _ = FlipFlop(bits, length=30, switch=0.2).trials(20, 99)
    one = rnn.Weights(*(part[k : k + 1].double() for part in weights))
    return rnn.unroll(network, one, torch.from_numpy(x))[0][0].numpy(), x


@cache
def found(bits, k):
    """All fixed points of one network without input."""
    A, _, b, C, c = rnn.effective(Standard(UNITS[bits]), trained(bits).weights, k)
    rates, _ = trajectories(bits, k)
    return fixed_points(A, b, C, c, rates.reshape(-1, UNITS[bits])[::4])


def counted(count):
    """A number of every network, by seed and by number of bits."""
    return lambda seed: np.array([[count(found(int(n), k)) for n in BITS] for k in range(len(SEEDS))], dtype=float)


def plane():
    """How a two-bit flip-flop comes to rest from states along its trials, on their principal components."""
    A, _, b, _, _ = rnn.effective(Standard(UNITS[2]), trained(2).weights, 0)
    rates, _ = trajectories(2, 0)
    flat = rates.reshape(-1, rates.shape[-1])
    middle = flat.mean(0)
    axes = np.linalg.svd(flat - middle, full_matrices=False)[2][:2]
    courses = [flat[5::13]]
    for _ in range(60):
        courses.append(np.tanh(courses[-1] @ A.T + b))
    seen = (np.array(courses) - middle) @ axes.T
    paths = [
        Series("path", *seen[:, k].T.tolist(), "left alone, from states along trials") for k in range(seen.shape[1])
    ]
    points = (found(2, 0).rates[found(2, 0).stable] - middle) @ axes.T
    stable = Series("run", *points.T.tolist(), "stable fixed points")
    return Panel("principal component 1 of a 2-bit network", "principal component 2", (*paths, stable))


labels = dict(bits="bits N", y="number")
exact = Roundoff(operations=1)  # whole numbers


def confront_count(claim, law, count, rivals, name, picture=None):
    """A law of the number of bits against counts in every network."""
    drawn = {**labels, "y": name}
    confront(claim, law, counted(count), dict(bits=BITS.astype(float)), exact, rivals, labels=drawn, picture=picture)


def test_memories():
    """Every network has a stable fixed point for each combination of bits, and no other: 2^N."""
    rivals = {"one for each bit and sign, 2 N": lambda bits: 2 * bits, "N + 1": lambda bits: bits + 1}
    claim = "flip-flops have 2^N stable fixed points"
    confront_count(claim, lambda bits: 2**bits, lambda f: f.stable.sum(), rivals, "stable fixed points", plane())


def test_combinations():
    """What is read out at the stable fixed points shows every combination of signs once."""
    rivals = {"one for each bit and sign, 2 N": lambda bits: 2 * bits, "one": lambda bits: 0 * bits + 1}
    claim = "the stable fixed points of flip-flops read out every combination"
    patterns = lambda f: len(np.unique(np.sign(f.outputs[f.stable]), axis=0))  # noqa: E731
    confront_count(claim, lambda bits: 2**bits, patterns, rivals, "combinations of signs read out")


def test_all_fixed_points():
    """With the saddles between them there are 3^N fixed points, as in N switches that know nothing of each other."""
    rivals = {
        "the memories alone, 2^N": lambda bits: 2**bits,
        "and one saddle between all, 2^N + 1": lambda bits: 2**bits + 1,
    }
    claim = "flip-flops are organised as N independent switches"
    confront_count(claim, lambda bits: 3**bits, lambda f: len(f.index), rivals, "fixed points of any kind")


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_saddles_are_ordered(bits):
    """Of the points read out near k zeros there are 2^(N - k) times N over k, unstable in k directions."""
    ks = np.arange(bits + 1)

    def run(seed):
        network, weights = Standard(UNITS[bits]), trained(bits).weights
        rows = []
        for k in range(len(SEEDS)):
            A = rnn.effective(network, weights, k)[0]
            moduli = [np.abs(np.linalg.eigvals((1 - p**2)[:, None] * A)) for p in found(bits, k).rates]
            unstable = np.array([(m > 1).sum() for m in moduli])
            rows.append([(unstable == j).sum() for j in ks])
        return np.array(rows, dtype=float)

    law = lambda k: binom(bits, k) * 2.0 ** (bits - k)  # noqa: E731
    rivals = {"all saddles alike": lambda k: np.array([2.0**bits, 3.0**bits - 2**bits, 0, 0])[np.rint(k).astype(int)]}
    if bits == 1:
        rivals = {"no saddle": lambda k: np.where(k == 0, 2.0, 0)}
    drawn = dict(k="unstable directions", y="fixed points")
    claim = f"the saddles of a flip-flop of {bits} bit{'s' * (bits > 1)} are the edges and faces of a cube"
    confront(claim, law, run, dict(k=ks.astype(float)), exact, rivals, labels=drawn)
