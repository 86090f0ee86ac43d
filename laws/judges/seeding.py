"""The seeds that a judge hands over, and runs made side by side that answer to them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

Runs = TypeVar("Runs", bound=Sequence | np.ndarray)


def seeds(seed: int, runs: int) -> list[int]:
    """Independent seeds, drawn from one."""
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(runs)]


FIRST = seeds(0, 1)[0]  # what judges of many runs hand over first, unless they are given other seeds


def varied(values: Runs) -> Runs:
    """What each seed gave, one after the other; ValueError if all gave the same, but for whole numbers.

    A run that ignores its seed would be counted as many, and prove what a single one cannot.  Counts and signs, which
    are whole, may agree by right.
    """
    first = np.asarray(values[0])
    if all(np.array_equal(one, first) for one in values) and not np.array_equal(first, np.round(first)):
        raise ValueError(f"all {len(values)} seeds gave the same: this run ignores its seed, and counts as one")
    return values


def in_turn(make: Callable[[int], Sequence]) -> Callable[[int], Any]:
    """A run of one seed after the other, out of runs that were made side by side.

    make: seed -> what was found, run by run; the first seed that a judge hands over draws them all, and they answer
    to the seeds in the order in which these are asked for.  Raises ValueError for more seeds than runs.
    """
    found: list[Sequence] = []
    order: dict[int, int] = {}

    def run(seed: int):
        if not found:
            found.append(make(seed))
        k = order.setdefault(seed, len(order))
        if k >= len(found[0]):
            raise ValueError(f"seed = {seed} is number {k + 1}, but only {len(found[0])} runs were made side by side")
        return found[0][k]

    return run
