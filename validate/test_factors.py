"""Four factors and the degeneracy of trained flip-flops: signs judged on independent pairs, and a measured table."""

from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from laws import Trend, confront
from laws.judges import in_turn, measure
from laws.judges.verdict import Panel, Series
from numerics import factors
from numerics.degeneracy import permutation_distance
from numerics.rnn import L1, Standard
from numerics.store import Store
from numerics.tasks import FlipFlop

STORED = Store(Path(__file__).parent / "records" / "factors")
PAPER = {  # arrows of Huang et al. 2025: dynamics, weights, behaviour
    "bits": "down, up, down",
    "richness γ": "down, up, up",
    "units (maximal update)": "down, down, down",
    "units (standard)": "not given",
    "l1 penalty": "down, down, down",
}
every_factor = pytest.mark.parametrize("factor", list(PAPER))


@cache
def stored(factor, level):
    """What was found of the networks of one condition."""
    return STORED.load(factors.Condition(factors.FACTORS[factor][level]))


def levels(factor):
    """Of a factor, as numbers."""
    return tuple(factors.FACTORS[factor])


# -- what is judged: signs that a pilot on other networks let expect ------------------------------------------


@pytest.fixture(scope="module", params=["stored", pytest.param("newly trained", marks=pytest.mark.full)])
def networks(request):
    """Of a condition, what is stored; or of eighty other networks, trained here and kept in pytest's cache."""
    if request.param == "stored":
        return lambda factor, level: stored(factor, level)
    kept = Store(request.config.cache.mkdir("factors"))

    @cache
    def others(factor, level):
        recipe = factors.FACTORS[factor][level]
        condition = factors.Condition(replace(recipe, seeds=tuple(1000 + seed for seed in recipe.seeds)))
        if kept.find(condition) is None:
            kept.save(condition, factors.matched(condition.recipe, condition.recipe.train()))
        return kept.load(condition)

    return others


def votes(networks, factor, quantity):
    """The quantity of one pair of networks after the other; no network is in two of them."""
    row = lambda level: in_turn(lambda seed: quantity(networks(factor, level), level))  # noqa: E731
    rows = {float(level): row(level) for level in levels(factor)}
    return lambda level, seed: float(rows[float(level)](seed))


WIDTH = "units (maximal update)"
SIGNS = {  # claim: factor, what of a pair, sign
    "more bits move weights apart": ("bits", lambda found, n: found["pair_permutation"], 1),
    "more bits move weights apart relative to their size": ("bits", lambda found, n: found["pair_relative"], 1),
    "richness moves weights apart": ("richness γ", lambda found, n: found["pair_permutation"], 1),
    "a penalty brings weights together": ("l1 penalty", lambda found, n: found["pair_permutation"], -1),
    "a penalty brings weights together relative to their size":
        ("l1 penalty", lambda found, n: found["pair_relative"], -1),
    "width moves weights apart relative to their size": (WIDTH, lambda found, n: found["pair_relative"], 1),
    "width moves untrained weights apart relative to their size": (WIDTH, lambda found, n: found["null_relative"], 1),
    "width brings trained weights together if distances are divided by their number":
        (WIDTH, lambda found, n: found["pair_permutation"] / n**2, -1),
    "width brings untrained weights together if distances are divided by their number":
        (WIDTH, lambda found, n: found["null_permutation"] / n**2, -1),
}  # fmt: skip


@pytest.mark.parametrize("claim", list(SIGNS))
def test_signs(networks, claim, request):
    """Independent pairs of networks agree on the direction in which a factor moves them."""
    factor, quantity, sign = SIGNS[claim]
    rivals = {"the other way": -sign, "not at all": 0}
    over = " over their size" * ("relative" in claim) + " over n²" * ("number" in claim)
    judge, drawn = Trend(levels(factor), excess=0.49), dict(x=factor, y="distance of two networks" + over)
    said = f"{claim} ({request.node.callspec.params['networks']} flip-flops)"
    confront(said, lambda: sign, votes(networks, factor, quantity), {}, judge, rivals, labels=drawn)


SMALL = replace(factors.base, task=FlipFlop(1, length=20, switch=0.2), network=Standard(16), steps=500)


def test_penalties_of_small_networks():
    """Small networks that are trained here agree: a penalty brings their weights together."""
    strengths = (1e-5, 1e-4, 1e-3)

    @cache
    def distances(strength, seed):
        seeds = tuple(range(seed % 2**30, seed % 2**30 + 2 * factors.PAIRS))
        J = replace(SMALL, seeds=seeds, penalty=L1(strength)).train().weights.J.double().numpy()
        halves = zip(J[: factors.PAIRS], J[factors.PAIRS :], strict=True)
        return np.array([permutation_distance(*pair, starts=0).relative for pair in halves])

    rows = {x: in_turn(lambda seed, x=x: distances(x, seed)) for x in strengths}
    rivals = {"the other way": 1, "not at all": 0}
    drawn = dict(x="strength of the l1 penalty", y="distance of two networks over their size")
    claim = "a penalty brings weights together in small networks trained here"
    run, judge = lambda x, seed: float(rows[x](seed)), Trend(strengths, excess=0.49)  # noqa: E731
    confront(claim, lambda: -1, run, {}, judge, rivals, labels=drawn)


# -- what is measured: the table ---------------------------------------------------------------------------------


def interval(values, statistic=np.mean, draws=400):
    """A statistic of all pairs of networks, and its interval of 95 % if networks are drawn anew."""
    pairs, draw = np.array(list(combinations(range(factors.EVERY), 2))), np.random.default_rng(0)
    full = np.full((factors.EVERY,) * 2, np.nan)
    full[tuple(pairs.T)] = full[tuple(pairs.T[::-1])] = values
    found = []
    for _ in range(draws):
        chosen = draw.integers(0, factors.EVERY, factors.EVERY)
        found.append(statistic((part := full[np.ix_(chosen, chosen)])[np.isfinite(part)]))
    return (float(statistic(values)), *np.quantile(found, [0.025, 0.975]).tolist())


def spread(losses, draws=400):
    """The spread of the logarithms of losses, and its interval."""
    draw, logs = np.random.default_rng(0), np.log(losses)
    found = [logs[draw.integers(0, len(logs), len(logs))].std() for _ in range(draws)]
    return (float(logs.std()), *np.quantile(found, [0.025, 0.975]).tolist())


def series(kind, name, factor, row):
    """Intervals of one quantity at all levels."""
    middle, low, high = zip(*(row(stored(factor, level)) for level in levels(factor)), strict=True)
    return Series(kind, list(map(float, levels(factor))), list(middle), name, list(low), list(high))


def mean_of(found, key):
    """A mean over networks or independent pairs, and its interval of 95 %."""
    error = 1.96 * found[key].std(ddof=1) / len(found[key]) ** 0.5
    return float(found[key].mean()), float(found[key].mean() - error), float(found[key].mean() + error)


LEVELS = {
    "dynamics": ("dynamics: mean distance, rank 10", (
        ("run", "trained networks", lambda found: interval(found["dsa"][1])),
        ("rival", "untrained networks", lambda found: mean_of(found, "null_dsa")),
        ("rival", "a network with itself, other trials", lambda found: mean_of(found, "resampled")),
        ("rival", "trained networks, rank 5", lambda found: interval(found["dsa"][0])))),
    "weights": ("weights: mean distance", (
        ("run", "trained networks", lambda found: interval(found["permutation"])),
        ("rival", "untrained networks", lambda found: mean_of(found, "null_permutation")))),
    "weights over their size": ("weights: relative distance", (
        ("run", "trained networks", lambda found: mean_of(found, "pair_relative")),
        ("rival", "untrained networks", lambda found: mean_of(found, "null_relative")))),
    "change of weights": ("norm of recurrent weights", (
        ("run", "what training changed", lambda found: mean_of(found, "change")),
        ("rival", "all of them", lambda found: mean_of(found, "size")))),
    "representations": ("mean canonical correlation of states (SVCCA)", (
        ("run", "trained networks", lambda found: interval(found["svcca"])),)),
    "behaviour": ("behaviour: spread of ln(loss) at twice the length", (
        ("run", "trained networks", lambda found: spread(found["longer"][found["converged"]])),
        ("rival", "in training", lambda found: spread(found["loss"][found["converged"]])))),
}  # fmt: skip


SINGLE = {  # of which single pairs, or networks, are shown as well
    "dynamics": ("pair_dsa", "distance of two networks, rank 10"),
    "weights": ("pair_permutation", "distance of two networks"),
    "weights over their size": ("pair_relative", "distance of two networks over their size"),
    "change of weights": ("change", "change of one network's recurrent weights"),
    "representations": ("svcca", "mean canonical correlation of two networks"),
    "behaviour": ("longer", "loss of one network at twice the length"),
}


@every_factor
@pytest.mark.parametrize("level", list(LEVELS))
def test_table(factor, level):
    """Measured: how a factor changes the degeneracy of flip-flops, beside its nulls; the paper's arrows with it."""
    name, rows = LEVELS[level]
    lines = tuple(series(kind, told, factor, row) for kind, told, row in rows)
    picture = Panel(factor, name, lines, "x" if min(levels(factor)) > 0 else "")
    key, y = SINGLE[level]
    run = lambda x, seed: float(np.random.default_rng(seed).choice(stored(factor, x)[key]))  # noqa: E731
    said = f"the paper's arrows for dynamics, weights, behaviour: {PAPER[factor]}"
    what = f"how much do trained flip-flops differ in their {level}, at three levels of {factor}? ({said})"
    measure(what, run, levels(factor), runs=12, labels=dict(x=factor, y=y), picture=picture)
