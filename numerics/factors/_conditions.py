"""Which networks are trained: four factors on two tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numerics.rnn import L1, Adam, MaximalUpdate, Nuclear, Recipe, Standard
from numerics.tasks import DelayedDiscrimination, FlipFlop

RANKS = (3, 5, 10)


@dataclass(frozen=True)
class Condition:
    """Networks of one recipe, to be compared: all pairs of the first `every`, at these ranks."""

    recipe: Recipe
    every: int = 24
    ranks: tuple[int, ...] = RANKS


base = Recipe(
    task=FlipFlop(2, length=30, switch=0.2),
    network=Standard(32),
    by=Adam(0.003),
    seeds=tuple(range(1, 81)),
    trials=32,
    steps=4000,
    threshold=0.01,
)
rich = replace(base, network=MaximalUpdate(32, tau=0.5), by=Adam(0.04, epsilon=1e-12))

few, fewest = tuple(range(1, 41)), tuple(range(1, 25))
gammas = {0.3: base.seeds, 1.0: base.seeds, 3.0: base.seeds, 0.1: fewest, 0.55: fewest, 1.7: fewest, 10.0: fewest}
wide = replace(base, task=FlipFlop(3, length=30, switch=0.2), seeds=fewest)
wide_rich = replace(rich, task=wide.task, seeds=fewest)

delays = replace(base, task=DelayedDiscrimination(delay=(5, 10)), seeds=few, steps=6000, threshold=0.05)
rich_delays = replace(delays, network=rich.network, by=rich.by, seeds=fewest)

WIDTHS = (16, 24, 32, 48, 64)


def _delayed(**what) -> Recipe:
    return replace(delays, task=DelayedDiscrimination(**{"delay": (5, 10), **what}))


FACTORS: dict[str, dict[float, Recipe]] = {
    "bits": {bits: replace(base, task=FlipFlop(bits, length=30, switch=0.2)) for bits in (1, 2, 3)},
    "richness γ":
        {g: replace(rich, network=MaximalUpdate(32, g, 0.5), seeds=gammas[g]) for g in sorted(gammas)},
    "units (maximal update)": {n: replace(rich, network=MaximalUpdate(n, tau=0.5)) for n in (16, 32, 64)},
    "units, 3 bits (maximal update)": {n: replace(wide_rich, network=MaximalUpdate(n, tau=0.5)) for n in WIDTHS},
    "units, 3 bits (standard)": {n: replace(wide, network=Standard(n)) for n in WIDTHS},
    "l1 penalty": {s: replace(base, penalty=L1(s) if s else None) for s in (0.0, 3e-5, 3e-4)},
    "nuclear penalty": {0.0: base, **{s: replace(base, penalty=Nuclear(s), seeds=fewest) for s in (2e-4, 2e-3)}},
    "delays: channels": {n: _delayed(channels=n) for n in (1, 2, 3)},
    "delays: longest delay": {last: _delayed(delay=(5, last)) for last in (7, 10, 20)},
    "delays: auxiliary output": {number: _delayed(auxiliary=bool(number)) for number in (0, 1)},
    "delays: richness γ": {g: replace(rich_delays, network=MaximalUpdate(32, g, 0.5)) for g in (0.3, 1.0, 3.0)},
    "delays: units (maximal update)":
        {n: replace(rich_delays, network=MaximalUpdate(n, tau=0.5)) for n in (16, 32, 64)},
    "delays: l1 penalty":
        {0.0: delays, **{s: replace(delays, penalty=L1(s), seeds=fewest) for s in (3e-5, 3e-4)}},
    "delays: nuclear penalty":
        {0.0: delays, **{s: replace(delays, penalty=Nuclear(s), seeds=fewest) for s in (2e-4, 2e-3)}},
}  # fmt: skip


def conditions() -> list[Condition]:
    """All of them, each once."""
    return list(dict.fromkeys(Condition(recipe) for levels in FACTORS.values() for recipe in levels.values()))
