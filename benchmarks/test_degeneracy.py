"""How fast distances of dynamics are found, beside the public package where it is installed (the extra `bench`).

Pairs of operators of trained networks in whitened coordinates, divided by their norms as the public package does: all
28 pairs of each of four records of eight networks.  Both searches take a pair at a time, one after the other, so that
what else the machine does slows both; they are compared by their time of the processor, by the clock, and by the
distances that they find.  The public package is given its usual 1,500 steps from each of its two starts, ours its usual
40 starts.

    DSA_PAIRS=100,100 python -m pytest benchmarks/test_degeneracy.py -n 0 -s

says how many pairs of rank 20 and of rank 50: they take some 5 to 10 s each, nearly all of it in the public package.
"""

import os
import time
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics import rnn
from numerics.degeneracy import Whitened, _compiled, _rotations, dsa_matrix

try:
    from DSA.simdist import SimilarityTransformDist
except ImportError:  # it is no dependency
    SimilarityTransformDist = None

pytestmark = pytest.mark.benchmark(timer=time.process_time)
RECORDS = Path(__file__).parent.parent / "validate" / "records"
SIZES = [(20, 1), (50, 5)]
COUNTS = dict(zip(SIZES, map(int, os.environ.get("DSA_PAIRS", "4,4").split(",")), strict=True))
sizes = pytest.mark.parametrize(("rank", "delays"), SIZES)


def states(name):
    """Courses of all networks of a record along twenty trials, (trials, time, units) each."""
    recipe, run = rnn.load(RECORDS / f"{name}.npz")
    x, _, _ = recipe.task.trials(20, 99)
    return [along(x).swapaxes(0, 1) for _, along in rnn.each(recipe.network, run.weights)]


def pairs(rank, delays):
    """Operators, (pairs, rank, rank) twice: one pair of each record in turn."""
    of_records = []
    for name in ("flip2", "flip3", "path2", "delay"):
        every = [Whitened(rank, delays).operator(part).matrix for part in states(name)]
        of_records.append(list(combinations([M / np.linalg.norm(M) for M in every], 2)))
    chosen = islice((pair for row in zip(*of_records, strict=True) for pair in row), COUNTS[rank, delays])
    return map(np.array, zip(*chosen, strict=True))


def spent(run, *args):
    """What a run gives, and its seconds of the processor and by the clock on the wall."""
    clocks = lambda: np.array([time.process_time(), time.perf_counter()])  # noqa: E731
    before = clocks()
    return run(*args), clocks() - before


@sizes
def test_dsa(timed, rank, delays):
    """Ours: forty starts for every pair."""
    A, B = pairs(rank, delays)
    timed(len(A), lambda: _rotations.search(A, B, 38, 0, 1e-4), unit="pairs", rounds=2)


@sizes
def test_steps(timed, rank, delays):
    """A fixed number of steps of the search; beside it, what it would be at the rate of a large product."""
    A, B = pairs(rank, delays)
    C, one = _rotations._starts(A[:1], B[:1], 38, 0)[0], np.zeros(40, int)
    steps = lambda: _compiled.descend(A, B, one, C, 100, 1e-300, 0.85, 1e-4)  # noqa: E731
    timed(40 * 100 * (5 + 8 / 3) * rank**3 / 1e9, steps, unit="GFLOP (two and a half products and a solution a step)")


def test_product(timed):
    """The ceiling."""
    one, other = np.random.default_rng(0).normal(size=(2, 768, 768))
    timed(2 * 768**3 / 1e9, lambda: one @ other, unit="GFLOP")


@pytest.mark.benchmark(timer=time.perf_counter)
def test_fifty_networks(benchmark):
    """All 1,225 pairs of fifty networks at rank 20, by the clock on the wall and as many threads as there are cores."""
    every = [part for name in ("flip2", "flip3", "path2", "path3", "sine", "delay") for part in states(name)]
    every += states("lorenz")[:2]
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        spent = time.process_time()
        benchmark.pedantic(lambda: dsa_matrix(every, by=Whitened(20)), rounds=1)
        spent = time.process_time() - spent
    finally:
        torch.set_num_threads(before)
    benchmark.extra_info.update(work=1225, unit="pairs", processor=spent)
    print(f"\n1,225 pairs: {benchmark.stats.stats.min:.1f} s by the clock, {spent:.1f} s of the processor")


if SimilarityTransformDist is not None:

    @sizes
    def test_both(timed, benchmark, rank, delays):
        """The public package and ours on the same pairs in turn, and on how many ours is no larger."""
        A, B = pairs(rank, delays)
        search = SimilarityTransformDist(iters=1500, score_method="euclidean")
        rows = []

        def run():
            for k, pair in enumerate(zip(A, B, strict=True)):
                torch.manual_seed(k)
                public, slow = spent(search.fit_score, *(torch.from_numpy(M).float() for M in pair))
                found, fast = spent(_rotations.search, *(M[None] for M in pair), 38, 0, 1e-4)
                ours = found[0].min()
                rows.append((public, ours, *slow, *fast))
                print(rank, k, *np.round(rows[-1], 4), flush=True)

        benchmark.extra_info.update(work=len(A), unit="pairs, both")
        benchmark.pedantic(run, rounds=1)
        public, ours, *times = np.array(rows).T
        slow, slow_clock, fast, fast_clock = np.mean(times, axis=1)
        found = dict(no_larger=f"{np.sum(ours <= public * (1 + 1e-6))} of {len(A)}", ratio=slow / fast)
        found |= dict(public=slow, ours=fast, relative=np.quantile(ours / public, [0, 0.5, 1]))
        found |= dict(by_the_clock=slow_clock / fast_clock, public_clock=slow_clock, ours_clock=fast_clock)
        benchmark.extra_info.update({name: str(value) for name, value in found.items()})
        print("\n", rank, delays, found)
