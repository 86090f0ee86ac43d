"""Sentences of the main text of Huang et al. 2025 on trained networks, beside what ours do.

Ann Huang, Satpreet H. Singh, Flavio Martinelli and Kanaka Rajan, "Measuring and controlling solution degeneracy across
task-trained recurrent neural networks" (NeurIPS 38, 2025).  Ours are the stored networks of `numerics.factors`, and
arrows are those of `huang_2025_table`: of dynamics at ranks 3, 5 and 10, of weights and behaviour in two scales each.

A sentence that says which way something goes holds if every arrow of ours is that one, holds under conditions if any
is, and else is not seen here: theirs were other networks, of 128 units.  Of a sentence that compares two levels every
one of our factors is a case, and it holds likewise if it is true of all, or of some.  The ledger holds what is found
here, word by word.

That width changes nothing at a fixed γ is a statement about a few steps of wide networks, and holds there
(`validate/test_width.py`, 128 units and more); ours have 16 to 64 units and train until they reach a threshold.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from numerics import factors
from numerics.factors import RANKS, arrow, of_networks
from numerics.tasks import DelayedDiscrimination
from paper_checks.huang_2025_table import ALSO, DOCUMENT, DOWN, NONE, OURS, STORED, UP, found, measured, verdict

HERE = Path(__file__).parent
CHECK = "huang_2025_sentences.py::test_sentences"
CHANNELS, RICH, WIDE = ("bits", "delays: channels"), OURS["feature learning"], OURS["network size"]
DELAY, ALSO_ASKED = ("delays: longest delay",), ("delays: auxiliary output",)
STANDARD, PENALTIES = ("units, 3 bits (standard)",), OURS["regularisation"]
LEVELS = ("dynamics", "weights", "behaviour")


def effective_rank(level):
    """(sum of singular values)^2 over the sum of their squares, of the recurrent weights of each network."""
    values = np.linalg.svd(level["J"].astype(float), compute_uv=False)
    return values.sum(1) ** 2 / (values**2).sum(1)


def filled(level):
    """(sum |w|)^2 over n^2 times the sum of squares: 1 if all weights are alike, 2/pi for normal ones, 0 if few are."""
    sizes = np.abs(level["J"].astype(float)).reshape(len(level["J"]), -1)
    return sizes.sum(1) ** 2 / (sizes**2).sum(1) / sizes.shape[1]


FURTHER: dict[str, Callable] = {  # of each network
    "phases with a slow line": lambda level: (level["slow"] == 1).sum(1),
    "fixed points on lines": lambda level: level["on_lines"],
    "effective rank": effective_rank,
    "fullness": filled,
    "weights that are 0": lambda level: (level["J"] == 0).mean((1, 2)),
}


def arrows(name, quantity):
    """Our arrows of one of our factors, of all scales and ranks."""
    if quantity in FURTHER:
        return arrow(np.array([of_networks(FURTHER[quantity](level)).draws for level in found(name)]))
    return measured(name, quantity)


DIRECTIONS = {  # where: what it says, its arrow, our factors, quantities
    "Sec. 1 and 3.1: Contravariance Principle":
        ("more complex tasks leave less dispersed solutions, in dynamics and behaviour", DOWN,
         OURS["task complexity"], ("dynamics", "behaviour")),
    "Sec. 3.1 and Fig. 3B, channels: dynamics":
        ("more channels reduce degeneracy, consistently across all tasks", DOWN, CHANNELS, ("dynamics",)),
    "Sec. 3.1 and Fig. 3C, channels: weights":
        ("more channels increase degeneracy consistently", UP, CHANNELS, ("weights",)),
    "Sec. 3.1 and Fig. 3D, channels: behaviour":
        ("more channels consistently lower variability", DOWN, CHANNELS, ("behaviour",)),
    "Sec. 3.1.1 and Fig. 4A, memory demand: dynamics": ("longer delays: degeneracy ↓", DOWN, DELAY, ("dynamics",)),
    "Sec. 3.1.1 and Fig. 4A, memory demand: weights": ("longer delays: degeneracy ↑", UP, DELAY, ("weights",)),
    "Sec. 3.1.1 and Fig. 4A, memory demand: behaviour": ("longer delays: degeneracy ↓", DOWN, DELAY, ("behaviour",)),
    "Sec. 3.1.1 and Fig. 4B, auxiliary loss: dynamics":
        ("magnitude asked for as well: degeneracy ↓", DOWN, ALSO_ASKED, ("dynamics",)),
    "Sec. 3.1.1 and Fig. 4B, auxiliary loss: weights":
        ("magnitude asked for as well: degeneracy ↑", UP, ALSO_ASKED, ("weights",)),
    "Sec. 3.1.1 and Fig. 4B, auxiliary loss: behaviour":
        ("magnitude asked for as well: degeneracy ↓", DOWN, ALSO_ASKED, ("behaviour",)),
    "Sec. 3.1.1 and Fig. 4C, line attractors":
        ("the auxiliary loss induces additional line attractors", UP, ALSO_ASKED,
         ("phases with a slow line", "fixed points on lines")),
    "Sec. 3.2.1, complexity: weight change":
        ("more complex tasks change weights more, consistently", UP, OURS["task complexity"], ("change",)),
    "Sec. 3.2.1, complexity: kernel alignment":
        ("more complex tasks turn tangent kernels more, consistently: alignment ↓", DOWN, OURS["task complexity"],
         ("alignment",)),
    "Fig. 5, channels: weight change":
        ("more inputs and outputs change weights more", UP, CHANNELS, ("change",)),
    "Fig. 5, channels: kernel alignment":
        ("more inputs and outputs turn tangent kernels more: alignment ↓", DOWN, CHANNELS, ("alignment",)),
    "Sec. 3.2.2, richness: weight change": ("larger γ changes weights more, consistently", UP, RICH, ("change",)),
    "Sec. 3.2.2, richness: kernel alignment":
        ("larger γ turns tangent kernels more, consistently: alignment ↓", DOWN, RICH, ("alignment",)),
    "Sec. 3.2.2, richness: consistent behaviour":
        ("at high γ networks converge to consistent behaviour", DOWN, RICH, ("of ln, in training",)),
    "Sec. 3.2.2, richness: mean loss": ("larger γ raises the average loss on longer trials", UP, RICH, ("mean loss",)),
    "Sec. 3.3, standard networks: kernel alignment":
        ("width pushes towards the lazy regime: alignment ↑", UP, STANDARD, ("alignment",)),
    "Sec. 3.3, standard networks: weight change":
        ("width pushes towards the lazy regime: weight change ↓", DOWN, STANDARD, ("change",)),
    "Sec. 3.3, standard networks: dynamics": ("width can increase degeneracy", UP, STANDARD, ("dynamics",)),
    "Sec. 3.3, maximal update: kernel alignment":
        ("at fixed γ width leaves the strength of feature learning as it is: alignment —", NONE, WIDE, ("alignment",)),
    "Sec. 3.3, maximal update: weight change":
        ("at fixed γ width leaves the strength of feature learning as it is: weight change —", NONE, WIDE,
         ("change",)),
    "Sec. 3.3, widths on the 3-bit flip-flop":
        ("a dense sweep of widths confirms lower degeneracy at all levels", DOWN, ("units, 3 bits (maximal update)",),
         LEVELS),
    "Sec. 3.3, representations":
        ("as elsewhere, larger networks have more similar representations: SVCCA ↑", UP, WIDE, ("SVCCA",)),
    "Sec. 3.4, low rank":
        ("a low-rank penalty compresses weights into a few modes", DOWN, ("nuclear penalty", "delays: nuclear penalty"),
         ("effective rank",)),
    "Sec. 3.4, sparsity":
        ("an ℓ₁ penalty induces sparsity", DOWN, ("l1 penalty", "delays: l1 penalty"),
         ("fullness",)),
    "Sec. 3.4, sparsity: zeros":
        ("an ℓ₁ penalty drives many weights to zero", UP, ("l1 penalty", "delays: l1 penalty"),
         ("weights that are 0",)),
    "Sec. 3.4 and Fig. 8, delayed discrimination":
        ("both regularisers consistently reduce degeneracy at all levels", DOWN, PENALTIES[2:], LEVELS),
    "Sec. 3.4, other tasks": ("similar effects hold in other tasks", DOWN, PENALTIES[:2], LEVELS),
}  # fmt: skip


def direction(where):
    """The row that the ledger must have for a sentence with a direction."""
    says, printed, names, quantities = DIRECTIONS[where]
    seen = {name: ", ".join(arrows(name, quantity) for quantity in quantities) for name in names}
    of = f", {', '.join(quantities)}" if len(quantities) > 1 else ""
    note = f"in our networks{of}: " + "; ".join(f"{name} {arrow}" for name, arrow in seen.items())
    told = verdict(printed, [arrow for all_of in seen.values() for arrow in all_of.split(", ")])
    return row(where, says, told, note, "huang_2025_table.py::test_verdicts_can_be_negative")


def row(where, says, verdict, note, also):
    """A row of the ledger."""
    return {"where": where, "says": says, "verdict": verdict, "note": note, "checks": [CHECK, also]}


# -- sentences that compare ------------------------------------------------------------------------------------------

PAIRS = {"contravariant": OURS["task complexity"] + RICH, "covariant": WIDE + PENALTIES}
ALL = tuple(factors.FACTORS)


def cases(true):
    """What our factors say of a sentence, each true of it or not."""
    told = set(true)
    return "holds" if told == {True} else "holds under conditions" if True in told else "not seen here"


def middle(name, quantity):
    """The arrow of a factor: the first scale, the highest rank, a dash if in brackets."""
    told = arrows(name, quantity).replace("(", "").partition("/")[0]
    return NONE if told.endswith(")") else told[-1]


def opposed(name):
    """Whether dynamics and weights go opposite ways, the same way, or neither."""
    one, other = middle(name, "dynamics"), middle(name, "weights")
    return NONE if NONE in (one, other) else "the same" if one == other else "opposite"


def dissociation():
    """Contributions: contravariant factors move dynamics and weights in opposite directions, covariant ones alike."""
    wanted = {name: "opposite" if kind == "contravariant" else "the same" for kind in PAIRS for name in PAIRS[kind]}
    seen = {name: opposed(name) for name in wanted}
    note = "in our networks, dynamics of rank 10 and published distances of weights: " + "; ".join(
        f"{name} {way}" for name, way in seen.items()
    )
    return cases(seen[name] == wanted[name] for name in wanted), note


def decoupled():
    """Sec. 4: dynamics and behaviour go the same way under one factor and not under another."""
    seen = {name: (middle(name, "dynamics"), middle(name, "behaviour")) for name in ALL}
    alike = [name for name, (one, other) in seen.items() if one == other != NONE]
    apart = [name for name, pair in seen.items() if set(pair) == {UP, DOWN}]
    note = f"in our networks, of rank 10: the same way under {'; '.join(alike)}; opposite under {'; '.join(apart)}"
    return cases([bool(alike), bool(apart)]) if alike or apart else "not seen here", note


def representations():
    """Sec. 2.3.2: a factor that brings dynamics together need not bring representations together."""
    together = [name for name in ALL if middle(name, "dynamics") == DOWN]
    others = [name for name in together if arrows(name, "SVCCA") != UP]
    note = f"in our networks, of rank 10: of {len(together)} factors under which dynamics ↓, SVCCA ↑ not under "
    return "holds" if others else "not seen here", note + "; ".join(others)


@cache
def stored():
    """What is stored of every condition, with its recipe."""
    return [(condition.recipe, STORED.load(condition)) for condition in factors.conditions()]


def resolved():
    """Sec. 2.3.2: two networks have dynamics farther apart than one network has on other trials."""
    every = [[bool(factors.resolved([part], rank)[0]) for _, part in stored()] for rank in RANKS]
    told = ", ".join(f"{sum(part)} of {len(part)} at rank {rank}" for rank, part in zip(RANKS, every, strict=True))
    return cases(true for part in every for true in part), f"in our networks, they do in so many conditions: {told}"


def scale():
    """Sec. 2.3.2: the distance depends on the rank of the operators."""
    ranks = [f"dynamics, rank {rank}" for rank in RANKS]
    seen = [arrow(np.concatenate([factors.along([part], rank).draws for rank in ranks])) for _, part in stored()]
    told = ", ".join(f"{way} in {seen.count(way)}" for way in (UP, DOWN, NONE))
    return cases([set(seen) != {NONE}]), f"in our networks, as the rank grows, of {len(seen)} conditions: {told}"


def losses():
    """Sec. 2.1: networks that stopped at one threshold have comparable losses."""
    ratios, below = {name: [] for name in TASKS}, []
    for recipe, part in stored():
        loss = part["loss"][part["converged"]]
        ratios[TASKS[isinstance(recipe.task, DelayedDiscrimination)]].append(loss.max() / loss.min())
        below += (loss < recipe.threshold).tolist()
    said = ", ".join(f"{name} {min(those):.1f} to {max(those):.0f}" for name, those in ratios.items())
    note = f"in our networks, {sum(below)} of {len(below)} are below their threshold on other trials"
    return cases(below), f"{note}; the largest of a condition over the smallest: {said}"


def points():
    """Sec. 2.2: networks keep the first amplitude at fixed points, as many as there are amplitudes to be told apart."""
    every = [part for _, part in stored() if "slow" in part]
    several = np.concatenate([part["stable"] for part in every]) > 1
    line = np.concatenate([part["slow"][:, 0] for part in every]) == 1
    note = f"in our networks, {several.sum()} of {several.size} have more than one stable fixed point, and can tell two"
    return cases(several.tolist()), f"{note} amplitudes apart for ever; {line.sum()} have a slow line while they wait"


def between_and_beyond():
    """Sec. 3.2.2 and App. I: effects of richness between its levels and beyond them are those at the levels."""
    levels, spans = dict(zip(factors.FACTORS[RICH[0]], found(RICH[0]), strict=True)), (3, 5, 7)
    within = {3: (0.3, 1.0, 3.0), 5: (0.3, 0.55, 1.0, 1.7, 3.0), 7: tuple(levels)}
    every = {
        quantity: [factors.arrows([levels[gamma] for gamma in within[span]], quantity) for span in spans]
        for quantity in (*LEVELS, *ALSO.values(), "change", "alignment")
    }
    told = "; ".join(f"{quantity} {', '.join(seen)}" for quantity, seen in every.items())
    note = "in our flip-flops, γ of 0.3, 1, 3, then 0.55 and 1.7 as well, then 0.1 and 10 as well"
    return cases(len(set(seen)) == 1 for seen in every.values()), f"{note}: {told}"


def untrained():
    """Sec. 3.3: whether what width does to dynamics needs training."""
    seen = {name: (arrows(name, "dynamics")[-1], arrows(name, "untrained dynamics")) for name in WIDE + STANDARD}
    trained = cases(pair[0] == DOWN for pair in seen.values())
    told = "; ".join(f"{name} {'/'.join(pair)}" for name, pair in seen.items())
    before = any(pair[1] == DOWN for pair in seen.values())
    note = f"in our networks, at rank 10, trained/before any training: {told}"
    return ("holds under conditions" if before and trained == "holds" else trained), note


TASKS = ("flip-flops", "delayed discrimination")
COMPARED = {
    "Contributions: double dissociation": (
        "complexity and feature learning move dynamics and weights apart, size and regularisation move both alike",
        dissociation),
    "Sec. 2.1: early stopping": ("networks trained on the same task achieve comparable final losses", losses),
    "Sec. 2.2, delayed discrimination: fixed points": ("fixed points retain the first amplitude", points),
    "Sec. 2.3.2: DSA hyperparameters": ("the scale of the distance can depend on them", scale),
    "Sec. 2.3.2: null distribution": (
        "whether dynamics of different networks differ, against one network's own trajectories", resolved),
    "Sec. 2.3.2: representations": (
        "factors do not constrain representations as they constrain dynamics", representations),
    "Sec. 3.2.2, richness: between and beyond": (
        "the effects of γ interpolate within its range and extrapolate beyond", between_and_beyond),
    "Sec. 3.3, larger networks: dynamics": ("networks converge to more consistent solutions with width", untrained),
    "Sec. 4: dynamics and behaviour": ("their relationship depends on the factor", decoupled),
}  # fmt: skip


def sentence(where):
    """The row that the ledger must have for a sentence."""
    if where in DIRECTIONS:
        return direction(where)
    says, of_ours = COMPARED[where]
    return row(where, says, *of_ours(), "huang_2025_sentences.py::test_sentences_are_all_here")


@pytest.mark.parametrize("where", [*DIRECTIONS, *COMPARED])
def test_sentences(where):
    """The ledger says of every sentence on trained networks what the stored networks say."""
    told = tomllib.loads((HERE / f"{DOCUMENT}.toml").read_text())["claim"]
    assert [row for row in told if row["where"] == where] == [sentence(where)]


def test_sentences_are_all_here():
    """No row of the ledger claims this check without a sentence here; cases can be negative."""
    told = tomllib.loads((HERE / f"{DOCUMENT}.toml").read_text())["claim"]
    assert {row["where"] for row in told if CHECK in row.get("checks", ())} == {*DIRECTIONS, *COMPARED}
    assert [cases(true) for true in ([True], [True, False], [False])] == [
        "holds", "holds under conditions", "not seen here"]  # fmt: skip


if __name__ == "__main__":  # the rows, to be put into the ledger
    for where in [*DIRECTIONS, *COMPARED]:
        told = sentence(where)
        print("[[claim]]", *(f'{key} = "{told[key]}"' for key in ("where", "says", "verdict", "note")), sep="\n")
        print("checks = [", *(f'  "{check}",' for check in told["checks"]), "]\n", sep="\n")
