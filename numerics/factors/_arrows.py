"""Numbers of a factor at its levels, as they are and with networks drawn anew, and the arrows that follow from them.

Levels are what `compared` found of conditions of one design, which have the same ranks: those that are stored with
them, or RANKS where none are.  Degeneracy is a mean over pairs, which may share a network: networks are drawn anew,
with replacement, and not pairs; a network and its own copy make no pair.  Disjoint pairs are drawn as they are.

Dynamics are resolved at a level if the interval of 95 % of the mean distance of two networks, less that of one network
from itself on other trials, is above 0.  An arrow of a rank at which they are resolved at no level is in brackets: what
has moved may be noise alone.
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


def _of_rank(name: str, rank: int, mean: Callable[[np.ndarray], Anew]) -> Callable[[Found], Anew]:
    def of(found: Found) -> Anew:
        ranks = _ranks(found)
        if rank not in ranks:
            raise ValueError(f"rank = {rank}: what was found is of ranks {ranks}")
        return mean(found[name][ranks.index(rank)])

    return of


def _ranks(found: Found) -> tuple[int, ...]:
    """Those of the operators; records of the usual ones need not say so."""
    return tuple(map(int, found["ranks"])) if "ranks" in found else RANKS


QUANTITIES: dict[str, Callable[[Found], Anew]] = {
    **{f"dynamics, rank {rank}": _of_rank("dsa", rank, of_pairs) for rank in RANKS},
    "dynamics": _of_rank("dsa", RANK, of_pairs),
    "itself": _of_rank("itself", RANK, of_networks),
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

    Raises ValueError: it is of a rank that the levels do not have.
    """
    found = _at(levels, QUANTITIES[quantity])
    units = np.array([level["J"].shape[-1] for level in levels])
    by = units**2.0 if quantity in ("weights", "untrained") and np.ptp(units) else np.ones(len(units))
    return Anew(found.value / by, found.draws / by[:, None])


def _at(levels: Sequence[Found], quantity: Callable[[Found], Anew]) -> Anew:
    return Anew(*map(np.array, zip(*map(quantity, levels), strict=True)))


def resolved(levels: Sequence[Found], rank: int = RANK) -> np.ndarray:
    """At which levels two networks have dynamics farther apart than one network has from itself on other trials."""
    two, one = (_at(levels, _of_rank(*of)) for of in (("dsa", rank, of_pairs), ("itself", rank, of_networks)))
    return np.quantile(two.draws - one.draws, 0.025, axis=1) > 0


def arrow(draws: np.ndarray) -> str:
    """The sign of the slope of draws (levels, DRAWS) along the order of the levels, if 95 % have it; or a dash.

    Levels count as evenly spaced, whatever they are of.
    """
    place = np.arange(len(draws)) - (len(draws) - 1) / 2
    low, high = np.quantile(place @ draws, [0.025, 0.975])
    return UP if low > 0 else DOWN if high < 0 else NONE


def arrows(levels: Sequence[Found], quantity: str) -> str:
    """The arrow of a quantity; of dynamics those of all ranks, in brackets where they are resolved at no level.

    Raises ValueError: the levels are not all of the same ranks.
    """
    if quantity != "dynamics":
        return arrow(along(levels, quantity).draws)
    if len(several := {_ranks(level) for level in levels}) != 1:
        raise ValueError(f"levels are of ranks {sorted(several)}: arrows of dynamics are of one design")
    ranks = several.pop()
    each = [arrow(_at(levels, _of_rank("dsa", rank, of_pairs)).draws) for rank in ranks]
    return "".join(one if resolved(levels, rank).any() else f"({one})" for one, rank in zip(each, ranks, strict=True))
