"""Numbers of a factor at its levels, as they are and with networks drawn anew, and the arrows that follow from them.

Levels are what `compared` found of conditions of the usual ranks.  Degeneracy is a mean over pairs, which may share a
network: networks are drawn anew, with replacement, and not pairs; a network and its own copy make
no pair.  Disjoint pairs are drawn as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from numerics.factors._compared import RANK
from numerics.factors._conditions import RANKS

UP, DOWN, NONE = "↑", "↓", "—"
DRAWS = 400
MIDDLE = RANKS.index(RANK)
Found = Mapping[str, np.ndarray]


class Anew(NamedTuple):
    """Numbers as they are, shape (...), and with networks drawn anew, (..., DRAWS)."""

    value: np.ndarray
    draws: np.ndarray


def of_pairs(values: np.ndarray) -> Anew:
    """The mean over all pairs of networks, of their values in the order of `itertools.combinations`."""
    n = round((1 + (1 + 8 * len(values)) ** 0.5) / 2)
    full = np.zeros((n, n))
    full[tuple(np.array(list(combinations(range(n), 2))).T)] = values
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)
    pairs = (counts.sum(1) ** 2 - (counts**2).sum(1)) / 2
    return Anew(values.mean(), np.einsum("di,ij,dj->d", counts, full + full.T, counts) / 2 / pairs)


def of_networks(values: np.ndarray, statistic: Callable = np.mean) -> Anew:
    """A statistic of single networks, or of disjoint pairs."""
    chosen = np.random.default_rng(0).integers(0, len(values), (DRAWS, len(values)))
    return Anew(statistic(values), statistic(values[chosen], axis=-1))


def spread(losses: np.ndarray) -> Anew:
    """Of losses: the deviation of their logarithms."""
    return of_networks(np.log(losses), np.std)


def _of_rank(k: int) -> Callable[[Found], Anew]:
    return lambda found: of_pairs(found["dsa"][k])


QUANTITIES: dict[str, Callable[[Found], Anew]] = {
    **{f"dynamics, rank {rank}": _of_rank(k) for k, rank in enumerate(RANKS)},
    "dynamics": lambda found: of_pairs(found["dsa"][MIDDLE]),
    "itself": lambda found: of_networks(found["itself"][MIDDLE]),
    "untrained dynamics": lambda found: of_networks(found["null_dsa"]),
    "weights": lambda found: of_networks(found["pair_permutation"]),
    "untrained": lambda found: of_networks(found["null_permutation"]),
    "over size": lambda found: of_networks(found["pair_relative"]),
    "untrained over size": lambda found: of_networks(found["null_relative"]),
    "behaviour": lambda found: of_networks(found["longer"][found["converged"]], np.std),
    "of ln": lambda found: spread(found["longer"][found["converged"]]),
    "of ln, in training": lambda found: spread(found["loss"][found["converged"]]),
    "mean loss": lambda found: of_networks(found["longer"][found["converged"]]),
    "change": lambda found: of_networks(found["change"]),
    "alignment": lambda found: of_networks(found["alignment"]),
    "alignment, recurrent": lambda found: of_networks(found["alignment_recurrent"]),
    "SVCCA": lambda found: of_pairs(found["svcca"]),
}


def along(levels: Sequence[Found], quantity: str) -> Anew:
    """One of QUANTITIES at all levels of a factor, (levels,).

    Published distances of weights, of trained networks or not, are divided by the number of weights where networks of
    several sizes are compared.
    """
    found = [QUANTITIES[quantity](level) for level in levels]
    units = np.array([level["J"].shape[-1] for level in levels])
    by = units**2.0 if quantity in ("weights", "untrained") and np.ptp(units) else np.ones(len(units))
    return Anew(np.array([one.value for one in found]) / by, np.array([one.draws for one in found]) / by[:, None])


def arrow(draws: np.ndarray) -> str:
    """The sign of the slope along the levels, (levels, DRAWS), if 95 % of networks drawn anew have it; or a dash."""
    place = np.arange(len(draws)) - (len(draws) - 1) / 2
    low, high = np.quantile(place @ draws, [0.025, 0.975])
    return UP if low > 0 else DOWN if high < 0 else NONE


def arrows(levels: Sequence[Found], quantity: str) -> str:
    """The arrow of a quantity; of dynamics, those of all ranks."""
    if quantity != "dynamics":
        return arrow(along(levels, quantity).draws)
    return "".join(arrow(along(levels, f"dynamics, rank {rank}").draws) for rank in RANKS)
