"""The seeds that a judge hands over, and runs made side by side that answer to them one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def seeds(seed: int, runs: int) -> list[int]:
    """Independent seeds, drawn from one."""
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(runs)]


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
