"""How fast distances of dynamics are found, beside the public package where it is installed (`pip install dsa-metric`).

Pairs of operators of trained 3-bit flip-flops, in whitened coordinates, divided by their norms as the public package
does; both searches are compared on the same pairs, by their time of the processor and by the distances they find.  It
is given its usual 1,500 steps.
"""

import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from numerics import rnn
from numerics.degeneracy import Whitened, _rotations

try:
    from DSA.simdist import SimilarityTransformDist
except ImportError:  # it is no dependency
    SimilarityTransformDist = None

pytestmark = pytest.mark.benchmark(timer=time.process_time)
RECORD = Path(__file__).parent.parent / "validate" / "records" / "flip3.npz"
SIZES = pytest.mark.parametrize(("rank", "delays"), [(20, 1), (50, 5)])


def pairs(rank, delays, count):
    """Operators of the first so many pairs of networks, (count, rank, rank) twice."""
    recipe, run = rnn.load(RECORD)
    x, _, _ = recipe.task.trials(20, 99)
    by = Whitened(rank, delays)
    every = [by.operator(along(x).swapaxes(0, 1)).matrix for _, along in rnn.each(recipe.network, run.weights)]
    every = np.array([M / np.linalg.norm(M) for M in every])
    one, other = np.array(list(combinations(range(len(every)), 2))[:count]).T
    return every[one], every[other]


@SIZES
def test_dsa(timed, rank, delays):
    """Ours: eighteen starts for every pair."""
    A, B = pairs(rank, delays, 28)
    timed(len(A), lambda: _rotations.search(A, B, 16, 0, 1e-3), unit="pairs", rounds=2)


if SimilarityTransformDist is not None:

    @SIZES
    def test_dsa_public(timed, benchmark, rank, delays):
        """The public package, and on how many pairs ours finds as small a distance, or a smaller one."""
        A, B = pairs(rank, delays, 4 if rank == 20 else 2)
        search = SimilarityTransformDist(iters=1500, score_method="euclidean")
        found = []

        def run():
            found[:] = [
                search.fit_score(*(torch.from_numpy(M).float() for M in pair)) for pair in zip(A, B, strict=True)
            ]

        timed(len(A), run, unit="pairs", rounds=1)
        ours = _rotations.search(A, B, 16, 0, 1e-3)[0].min(1)
        benchmark.extra_info.update(lower=f"{np.sum(ours <= np.array(found) * (1 + 1e-6))} of {len(A)}")
        print("\n", rank, delays, ours.round(4), np.round(found, 4))
