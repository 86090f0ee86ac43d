"""Four factors and the degeneracy of trained networks, measured on two tasks, with the paper's arrows beside ours.

An arrow is ours if the interval of 95 % of the slope along the levels, networks drawn anew, does not contain 0.  The
distance of dynamics has three of them, at ranks 3, 5 and 10; its numbers are of rank 10.

Such a number is in brackets unless the interval of 95 % of the mean distance of two networks, less that of one
network from itself on other trials, is above 0: both of 128 trials, of which no two samples share one.  What one
network is away from itself is the noise of so many trials, and falls with more.  An arrow of a rank, be it 3, 5 or 10,
is in brackets if at this rank no level of the factor has an interval above 0.

What a factor does before any training stands beside what it does after: the dynamics of wider networks are nearer each
other before they have learnt anything.  These arrows describe the stored networks; what was put to the test on other
networks is in `test_factors`: of dynamics bits and units alone, at one rank.

Networks of one condition have seen the same trials in training: they, and these intervals, are independent given those.

The paper's arrows are those of its figures 3 to 8 and their text.  Weight change and kernel alignment it gives where
inputs and outputs are added (Fig. 5) and for richness (Sec. 3.2.2), mean losses for richness alone.  Of standard
networks it says that width "can paradoxically increase dynamical degeneracy" (Sec. 3.3); of regularisation, that what
it shows on delayed discrimination is similar on other tasks (Sec. 3.4).
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from laws.judges import in_turn, measure
from laws.judges.verdict import Panel, Series, table
from numerics import factors
from numerics.factors import RANKS, Anew, of_networks
from numerics.store import Store

STORED = Store(Path(__file__).parent / "records" / "factors")
UP, DOWN, NONE = "↑", "↓", "—"
COMPLEX, SMALLER = ({"dynamics": DOWN, "weights": weights, "behaviour": DOWN} for weights in (UP, DOWN))
LEARNT = {"change": UP, "alignment": DOWN}
PAPER = {
    "bits": COMPLEX | LEARNT, "channels": COMPLEX | LEARNT, "longest delay": COMPLEX, "auxiliary output": COMPLEX,
    "richness γ": {"dynamics": DOWN, "weights": UP, "behaviour": UP, "mean loss": UP} | LEARNT,
    "units (maximal update)": SMALLER, "units, 3 bits (maximal update)": SMALLER,
    "units, 3 bits (standard)": {"dynamics": UP}, "l1 penalty": SMALLER, "nuclear penalty": SMALLER,
}  # fmt: skip
MIDDLE = RANKS.index(10)
every_factor = pytest.mark.parametrize("factor", factors.FACTORS, ids=lambda name: name.replace("γ", "gamma"))


@cache
def stored(factor, level):
    """What was found of the networks of one condition."""
    return STORED.load(factors.Condition(factors.FACTORS[factor][level]))


def levels(factor):
    """Of a factor, as numbers."""
    return tuple(map(float, factors.FACTORS[factor]))


def told(factor):
    """The name of its axis, and of its task."""
    task, _, axis = factor.rpartition(": ")
    return axis, "delayed discrimination" if task else "flip-flops"


@cache
def along(factor, quantity):
    """Values at all levels, and with networks drawn anew."""
    return factors.along([stored(factor, level) for level in factors.FACTORS[factor]], quantity)


@cache
def ours(factor, quantity):
    """The arrow that was measured; of distances of dynamics, those of all ranks."""
    return factors.arrows([stored(factor, level) for level in factors.FACTORS[factor]], quantity)


@cache
def resolved(factor):
    """At which levels two networks have dynamics farther apart than one network has from itself on other trials."""
    return factors.resolved([stored(factor, level) for level in factors.FACTORS[factor]])


# -- the table -------------------------------------------------------------------------------------------------------

TABLES = {
    "dynamics": ("dynamics", "untrained dynamics", "itself", "SVCCA"),
    "weights": ("weights", "untrained", "over size"),
    "feature learning": ("change", "alignment"),
    "behaviour": ("behaviour", "of ln", "mean loss"),
}
COLUMNS = {
    "dynamics": "distance", "untrained dynamics": "before training,\nrank 10",
    "itself": "one network,\nother trials", "SVCCA": "SVCCA",
    "weights": "distance", "untrained": "before training",
    "over size": "over size", "change": "weight change", "alignment": "kernel alignment",
    "behaviour": "spread of losses", "of ln": "of ln(loss)", "mean loss": "mean loss",
}  # fmt: skip
NOTE = "first → last level; [paper's arrow, after ≠ where ours is another]; —: no change is told"
NOTES = {
    "weights": "; of factors that change the units distances are over units²",
    "dynamics": "; arrows of ranks 3, 5, 10, numbers of rank 10; (in brackets): not above one network on other trials",
}


def number(value):
    """Three digits, two below a tenth."""
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"[1:] if value >= 0.1 else f"{value:.1e}".replace("e-0", "e-")


@pytest.mark.parametrize("task", ["flip-flops", "delayed discrimination"])
@pytest.mark.parametrize("name", list(TABLES))
def test_table(task, name):
    """Measured: arrows of all factors on one task, first and last values, and the paper's arrows in their columns."""
    chosen = [factor for factor in factors.FACTORS if told(factor)[1] == task]

    def cell(factor, quantity):
        values = along(factor, quantity).value
        plain = resolved(factor) if quantity == "dynamics" else np.ones(len(values), bool)
        first, last = (number(values[k]) if plain[k] else f"({number(values[k])})" for k in (0, -1))
        theirs, found = PAPER[told(factor)[0]].get(quantity), ours(factor, quantity)
        paper = f" {'' if theirs in found else '≠ '}[{theirs}]" if theirs else ""
        return f"{found}{paper}\n{first} → {last}"

    lines = [["factor", *(COLUMNS[quantity] for quantity in TABLES[name])]]
    lines += [[told(factor)[0].replace(" (", "\n("), *(cell(factor, q) for q in TABLES[name])] for factor in chosen]
    picture, key = table(lines, NOTE + NOTES.get(name, "")), TABLES[name][0]

    def run(place, seed):
        draws = along(chosen[int(place) - 1], key).draws
        first, last = np.random.default_rng(seed).choice(draws, axis=1)[[0, -1]]
        return float(last / first)

    rows = list(range(1, len(chosen) + 1))
    names = [told(factor)[0] for factor in chosen]
    drawn = dict(x="factor", y=f"{COLUMNS[key]}, last level over first, networks drawn anew", names=names)
    what = f"which factors change {name} of networks trained on {task}, and which way?"
    measure(what, run, rows, runs=12, labels=drawn, picture=picture, redrawn="the networks of each condition")


# -- each factor -----------------------------------------------------------------------------------------------------


def line(kind, name, factor, found):
    """Numbers at all levels with intervals of 95 %."""
    low, high = np.quantile(found.draws, [0.025, 0.975], axis=1)
    return Series(kind, list(levels(factor)), found.value.tolist(), name, low.tolist(), high.tolist())


def of_disjoint(found):
    """Distances of dynamics, of rank 10, of pairs of which no two share a network."""
    full = np.zeros((networks := found["itself"].shape[1],) * 2)
    full[np.triu_indices(networks, 1)] = found["dsa"][MIDDLE]
    return np.array([full[pair] for pair in factors.disjoint(networks)])


LEVELS = {
    "dynamics": ("dynamics: mean distance, rank 10", of_disjoint, "distance of two networks, rank 10", {
        "trained networks": "dynamics", "untrained networks": "untrained dynamics",
        "a network with itself, other trials": "itself",
        "trained networks, rank 3": "dynamics, rank 3", "trained networks, rank 5": "dynamics, rank 5"}),
    "weights": ("weights: mean distance over their size", lambda found: found["pair_permutation"],
        "distance of two networks' weights, not over units²", {
        "trained networks": "over size", "the same pairs, untrained": "untrained over size"}),
    "feature learning": ("alignment of tangent kernels before and after", lambda found: found["change"],
        "change of recurrent weights", {
        "all parameters": "alignment", "recurrent weights alone": "alignment, recurrent"}),
    "behaviour": ("behaviour: spread of ln(loss)", lambda found: found["longer"],
        "loss of a network outside the training", {
        "twice the length or delay": "of ln", "in training": "of ln, in training"}),
}  # fmt: skip


def in_order(factor, quantity):
    """The quantity of one network, or pair of networks, after the other; no network is in two pairs."""
    rows = {float(x): in_turn(lambda seed, x=x: quantity(stored(factor, x))) for x in factors.FACTORS[factor]}
    return lambda x, seed: float(rows[x](seed))


@every_factor
@pytest.mark.parametrize("level", list(LEVELS))
def test_factor(factor, level):
    """Measured: what a factor does to trained networks at one level of description, beside its nulls."""
    name, quantity, y, rows = LEVELS[level]
    axis, task = told(factor)
    lines = tuple(
        line("rival" if k else "run", said, factor, along(factor, row)) for k, (said, row) in enumerate(rows.items())
    )
    picture = Panel(axis, name, lines, "x" if min(levels(factor)) > 0 else "")
    run = in_order(factor, quantity)
    what = f"how do networks trained on {task} differ in {level}, at {len(levels(factor))} levels of {axis}?"
    measure(what, run, levels(factor), runs=12, labels=dict(x=axis, y=y), picture=picture)


# -- what delayed discrimination keeps -------------------------------------------------------------------------------

AUXILIARY = "delays: auxiliary output"
PHASES = ("while it waits", "after answers +1", "after answers -1")


def phase(name, k, value):
    """One quantity of one phase, without the difference and with it."""
    every = [of_networks(value(stored(AUXILIARY, level), k)) for level in factors.FACTORS[AUXILIARY]]
    found = line("rival" if k else "run", name, AUXILIARY, Anew(*map(np.array, zip(*every, strict=True))))
    return replace(found, joined=False)


KEPT = {
    "lines along which something lasts": (
        lambda found: (found["slow"] == 1).sum(1), "phases, of three, with one slow direction",
        "factor per step of a small difference of stimuli", PHASES, lambda found, k: found["kept"][:, k]),
    "fixed points": (
        lambda found: found["stable"] + found["saddles"], "fixed points of a network", "fixed points of a network",
        ("stable", "saddles", "on_lines"), None),
}  # fmt: skip


@pytest.mark.parametrize("what", list(KEPT))
def test_attractors(what):
    """Measured: what networks keep in delayed discrimination, without and with the difference as a further output."""
    count, y, name, rows, value = KEPT[what]
    value = value or (lambda found, k: found[rows[k]])
    drawn = tuple(phase(row.replace("on_lines", "on lines, of both"), k, value) for k, row in enumerate(rows))
    asked, no_yes = "difference asked for as well", ((0.0, "no"), (1.0, "yes"))
    picture = Panel(asked, name, drawn, ticks=no_yes)
    said = f"how many {what} has delayed discrimination, without and with the difference as a further output?"
    run, labels = in_order(AUXILIARY, count), dict(x=asked, y=y, names=["no", "yes"])
    measure(said, run, (0.0, 1.0), runs=12, labels=labels, picture=picture)
