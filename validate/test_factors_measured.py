"""Four factors and the degeneracy of trained networks, measured on two tasks, with the paper's arrows beside ours.

An arrow is ours if the interval of 95 % of the slope along the levels, networks drawn anew, does not contain 0.  The
distance of dynamics has three of them, at ranks 5, 10 and 15; its numbers are of rank 10.

Such a number is in brackets unless the interval of 95 % of the mean distance of two networks, less that of one
network from itself on other trials, is above 0.  Both are of 16 trials.  The distance from itself is mostly the noise
of so few, and falls with more, which the distance of two networks does little: of stored networks on flip-flops of 1, 2
and 3 bits, at rank 10,

    trials            16    128   512       16    128   512       16    128   512
    one network      .275  .166  .050      .548  .280  .096      .367  .150  .189      (4 networks)
    two networks     .61   .57   .58       .72   .70   .70       .58   .48   .50       (8 networks)

so that what is resolved on 16 trials is a lower bound: distances in brackets may be resolved on more.

Networks of one condition have seen the same trials in training: they, and these intervals, are independent given those.

The paper's arrows are those of its figures 3 to 8 and their text.  Weight change and kernel alignment it gives where
inputs and outputs are added (Fig. 5) and for richness (Sec. 3.2.2), mean losses for richness alone.  Of standard
networks it says that width "can paradoxically increase dynamical degeneracy" (Sec. 3.3); of regularisation, that what
it shows on delayed discrimination is similar on other tasks (Sec. 3.4).
"""

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from laws.judges import in_turn, measure
from laws.judges.verdict import Panel, Series, table
from numerics import factors
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
DRAWS, RANKS = 400, (5, 10, 15)
MIDDLE = RANKS.index(10)
every_factor = pytest.mark.parametrize("factor", list(factors.FACTORS))


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


# -- numbers with what they would be if networks were drawn anew -----------------------------------------------------


def of_pairs(values):
    """The mean of all pairs of networks: as it is, and with networks drawn anew."""
    n = round((1 + (1 + 8 * len(values)) ** 0.5) / 2)
    full = np.zeros((n, n))
    full[tuple(np.array(list(combinations(range(n), 2))).T)] = values
    counts = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)
    pairs = (counts.sum(1) ** 2 - (counts**2).sum(1)) / 2
    return values.mean(), np.einsum("di,ij,dj->d", counts, full + full.T, counts) / 2 / pairs


def of_networks(values, statistic=np.mean):
    """A statistic of single networks, or disjoint pairs: as it is, and with these drawn anew."""
    chosen = np.random.default_rng(0).integers(0, len(values), (DRAWS, len(values)))
    return statistic(values), statistic(values[chosen], axis=-1)


def spread(losses):
    """Of losses outside the training: the deviation of their logarithms."""
    return of_networks(np.log(losses), np.std)


QUANTITIES = {
    "dynamics": lambda found: of_pairs(found["dsa"][MIDDLE]),
    "itself": lambda found: of_networks(found["resampled"]),
    "weights": lambda found: of_pairs(found["permutation"]),
    "over size": lambda found: of_networks(found["pair_relative"]),
    "untrained": lambda found: of_networks(found["null_permutation"]),
    "behaviour": lambda found: of_networks(found["longer"][found["converged"]], np.std),
    "of ln": lambda found: spread(found["longer"][found["converged"]]),
    "mean loss": lambda found: of_networks(found["longer"][found["converged"]]),
    "change": lambda found: of_networks(found["change"]),
    "alignment": lambda found: of_networks(found["alignment"]),
    "SVCCA": lambda found: of_pairs(found["svcca"]),
}


def numbers(factor):
    """By which the published distance of weights is divided: those of weights, where sizes are compared."""
    units = np.array([recipe.network.units for recipe in factors.FACTORS[factor].values()])
    return units**2.0 if np.ptp(units) else np.ones(len(units))


@cache
def along(factor, quantity):
    """Values at all levels, (levels,), and with networks drawn anew, (levels, draws)."""
    found = [QUANTITIES[quantity](stored(factor, level)) for level in factors.FACTORS[factor]]
    by = numbers(factor)[:, None] if quantity in ("weights", "untrained") else 1
    return np.array([[value] for value, _ in found])[:, 0] / np.ravel(by), np.array([draws for _, draws in found]) / by


def arrow(draws):
    """The sign of the slope along the levels, if networks drawn anew agree on it."""
    place = np.arange(len(draws)) - (len(draws) - 1) / 2
    low, high = np.quantile(place @ draws, [0.025, 0.975])
    return UP if low > 0 else DOWN if high < 0 else NONE


@cache
def ours(factor, quantity):
    """The arrow that was measured; of distances of dynamics, those of all ranks."""
    if quantity != "dynamics":
        return arrow(along(factor, quantity)[1])
    of_rank = lambda k: [of_pairs(stored(factor, x)["dsa"][k])[1] for x in factors.FACTORS[factor]]  # noqa: E731
    return "".join(arrow(np.array(of_rank(k))) for k in range(len(RANKS)))


@cache
def resolved(factor):
    """At which levels two networks have dynamics farther apart than one network has from itself on other trials."""
    two, one = along(factor, "dynamics")[1], along(factor, "itself")[1]
    return np.quantile(two - one, 0.025, axis=1) > 0


# -- the table -------------------------------------------------------------------------------------------------------

TABLES = {
    "dynamics": ("dynamics", "itself", "SVCCA"),
    "weights": ("weights", "untrained", "over size"),
    "feature learning": ("change", "alignment"),
    "behaviour": ("behaviour", "of ln", "mean loss"),
}
COLUMNS = {
    "dynamics": "distance", "itself": "one network,\nother trials", "SVCCA": "SVCCA",
    "weights": "distance", "untrained": "before training",
    "over size": "over size", "change": "weight change", "alignment": "kernel alignment",
    "behaviour": "spread of losses", "of ln": "of ln(loss)", "mean loss": "mean loss",
}  # fmt: skip
NOTE = "first to last level; [paper]"
NOTES = {
    "dynamics": "; arrows of ranks 5, 10, 15, numbers of rank 10; (in brackets): not above one network on other trials"
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
        values, _ = along(factor, quantity)
        plain = resolved(factor) if quantity == "dynamics" else np.ones(len(values), bool)
        first, last = (number(values[k]) if plain[k] else f"({number(values[k])})" for k in (0, -1))
        theirs = PAPER[told(factor)[0]].get(quantity)
        return f"{ours(factor, quantity)}{f' [{theirs}]' if theirs else ''}\n{first}–{last}"

    lines = [["", *(COLUMNS[quantity] for quantity in TABLES[name])]]
    lines += [[told(factor)[0].replace(" (", "\n("), *(cell(factor, q) for q in TABLES[name])] for factor in chosen]
    picture, key = table(lines, NOTE + NOTES.get(name, "")), TABLES[name][0]

    def run(place, seed):
        _, draws = along(chosen[int(place) - 1], key)
        first, last = np.random.default_rng(seed).choice(draws, axis=1)[[0, -1]]
        return float(last / first)

    rows = list(range(1, len(chosen) + 1))
    drawn = dict(x="factor, in the order of the table", y=f"{COLUMNS[key]}, last level over first, networks drawn anew")
    what = f"which factors change {name} of networks trained on {task}, and which way?"
    measure(what, run, rows, runs=12, labels=drawn, picture=picture, redrawn="the networks of each condition")


# -- each factor -----------------------------------------------------------------------------------------------------


def line(kind, name, factor, quantity):
    """A quantity at all levels with intervals of 95 %."""
    found = [quantity(stored(factor, level)) for level in factors.FACTORS[factor]]
    low, high = zip(*(np.quantile(draws, [0.025, 0.975]) for _, draws in found), strict=True)
    middle = [float(value) for value, _ in found]
    return Series(kind, list(levels(factor)), middle, name, list(map(float, low)), list(map(float, high)))


LEVELS = {
    "dynamics": ("dynamics: mean distance, rank 10", "pair_dsa", "distance of two networks, rank 10", (
        ("run", "trained networks", QUANTITIES["dynamics"]),
        ("rival", "untrained networks", lambda found: of_networks(found["null_dsa"])),
        ("rival", "a network with itself, other trials", QUANTITIES["itself"]),
        ("rival", "trained networks, rank 5", lambda found: of_pairs(found["dsa"][0])),
        ("rival", "trained networks, rank 15", lambda found: of_pairs(found["dsa"][2])))),
    "weights": ("weights: mean distance over their size", "pair_permutation", "distance of two networks' weights", (
        ("run", "trained networks", QUANTITIES["over size"]),
        ("rival", "untrained networks", lambda found: of_networks(found["null_relative"])))),
    "feature learning": ("alignment of tangent kernels before and after", "change", "change of recurrent weights", (
        ("run", "all parameters", QUANTITIES["alignment"]),
        ("rival", "recurrent weights alone", lambda found: of_networks(found["alignment_recurrent"])))),
    "behaviour": ("behaviour: spread of ln(loss)", "longer", "loss of a network outside the training", (
        ("run", "twice the length or delay", QUANTITIES["of ln"]),
        ("rival", "in training", lambda found: spread(found["loss"][found["converged"]])))),
}  # fmt: skip


def in_order(factor, quantity):
    """The quantity of one network, or pair of networks, after the other; no network is in two pairs."""
    rows = {float(x): in_turn(lambda seed, x=x: quantity(stored(factor, x))) for x in factors.FACTORS[factor]}
    return lambda x, seed: float(rows[x](seed))


@every_factor
@pytest.mark.parametrize("level", list(LEVELS))
def test_factor(factor, level):
    """Measured: what a factor does to trained networks at one level of description, beside its nulls."""
    name, key, y, rows = LEVELS[level]
    axis, task = told(factor)
    lines = tuple(line(kind, said, factor, quantity) for kind, said, quantity in rows)
    picture = Panel(axis, name, lines, "x" if min(levels(factor)) > 0 else "")
    run = in_order(factor, lambda found: found[key])
    what = f"how do networks trained on {task} differ in {level}, at {len(levels(factor))} levels of {axis}?"
    measure(what, run, levels(factor), runs=12, labels=dict(x=axis, y=y), picture=picture)


# -- what delayed discrimination keeps -------------------------------------------------------------------------------

AUXILIARY = "delays: auxiliary output"
PHASES = ("while it waits", "after answers +1", "after answers -1")


def phase(name, k, value):
    """One quantity of one phase, without the difference and with it."""
    return line("rival" if k else "run", name, AUXILIARY, lambda found: of_networks(value(found, k)))


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
    picture = Panel("difference asked for as well: 0 no, 1 yes", name, drawn, counts=True)
    said = f"how many {what} has delayed discrimination, without and with the difference as a further output?"
    run, labels = in_order(AUXILIARY, count), dict(x="difference asked for as well: 0 no, 1 yes", y=y)
    measure(said, run, (0.0, 1.0), runs=12, labels=labels, picture=picture)
