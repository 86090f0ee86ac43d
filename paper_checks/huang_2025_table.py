"""Table 1 of Huang et al. 2025 cell by cell: printed arrows, and those of our networks.

Ann Huang, Satpreet H. Singh, Flavio Martinelli and Kanaka Rajan, "Measuring and controlling solution degeneracy across
task-trained recurrent neural networks" (NeurIPS 38, 2025).  The copy at hand has lost the arrows of the table; they are
those of the abstract and of Sec. 3.1 to 3.4.

Ours are of the stored networks of `numerics.factors`: 16 to 64 units, levels and trials of our own choice.  An arrow is
the sign of the slope along the order of the levels, if 95 % of networks drawn anew have it, and a dash if not.
Dynamics have three, of operators of rank 3, 5 and 10; one is in brackets, and counts as a dash, if at its rank two
networks are at no level farther apart than one network is from itself on other trials.  Weights have two: the published
distance, over n^2 where sizes are compared, and the distance over the size of the weights.  Behaviour has two: the
published deviation of losses, and that of their logarithms.  A cell holds if every one of these arrows is the printed
one, holds under conditions if any is, and else is not seen here.  The ledger holds what is found here, word by word.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from numerics import factors
from numerics.store import Store

DOCUMENT = "huang-2025"
HERE = Path(__file__).parent
STORED = Store(HERE.parent / "validate" / "records" / "factors")
UP, DOWN, NONE = "↑", "↓", "—"
ALSO = {"weights": "over size", "behaviour": "of ln"}

PRINTED = {  # dynamics, weights, behaviour
    "task complexity": (DOWN, UP, DOWN),
    "feature learning": (DOWN, UP, UP),
    "network size": (DOWN, DOWN, DOWN),
    "regularisation": (DOWN, DOWN, DOWN),
}
READ = {
    "dynamics": ", at ranks 3, 5, 10",
    "weights": ", as published/over the size of weights",
    "behaviour": ", as published/of ln(loss)",
}
CELLS = [(factor, level) for factor in PRINTED for level in ("dynamics", "weights", "behaviour")]
OURS = {
    "task complexity": ("bits", "delays: channels", "delays: longest delay", "delays: auxiliary output"),
    "feature learning": ("richness γ", "delays: richness γ"),
    "network size": (
        "units (maximal update)", "units, 3 bits (maximal update)", "delays: units (maximal update)"),
    "regularisation": ("l1 penalty", "nuclear penalty", "delays: l1 penalty", "delays: nuclear penalty"),
}  # fmt: skip


@cache
def found(ours):
    """What is stored of all levels of one of our factors."""
    return tuple(STORED.load(factors.Condition(recipe)) for recipe in factors.FACTORS[ours].values())


@cache
def measured(ours, level):
    """Our arrows of one of our factors."""
    scales = (level, ALSO[level]) if level in ALSO else (level,)
    return "/".join(factors.arrows(found(ours), scale) for scale in scales)


def verdict(printed, arrows):
    """What the measured arrows, of all our factors, say of the printed one."""
    seen = set(re.sub(r"\(.\)", NONE, "".join(arrows))) - {"/"}
    return "holds" if seen == {printed} else "holds under conditions" if printed in seen else "not seen here"


def cell(factor, level):
    """The row that the ledger must have for a cell of the table."""
    printed = dict(zip(("dynamics", "weights", "behaviour"), PRINTED[factor], strict=True))[level]
    arrows = {ours: measured(ours, level) for ours in OURS[factor]}
    return {
        "where": f"Table 1, {factor}: {level}",
        "says": f"degeneracy {printed}",
        "verdict": verdict(printed, arrows.values()),
        "note": f"in our networks{READ[level]}: " + "; ".join(f"{ours} {arrow}" for ours, arrow in arrows.items()),
        "checks": [f"huang_2025_table.py::test_{name}" for name in ("cells", "verdicts_can_be_negative")],
    }


@pytest.mark.parametrize(("factor", "level"), CELLS)
def test_cells(factor, level):
    """Table 1: the ledger says of every cell what is printed and what the stored networks say."""
    told = tomllib.loads((HERE / f"{DOCUMENT}.toml").read_text())["claim"]
    assert [row for row in told if row["where"] == f"Table 1, {factor}: {level}"] == [cell(factor, level)]


PLANTED = [
    (["↑↑↑", "↑"], "holds"),
    (["↑/↑", "↑/—"], "holds under conditions"),
    (["↓↓↓", "—↑↓"], "holds under conditions"),
    (["↓↓↓", "—"], "not seen here"),
    (["———"], "not seen here"),
    (["↓(↑)—"], "not seen here"),
    (["↑(↑)↑"], "holds under conditions"),
]


@pytest.mark.parametrize(("arrows", "said"), PLANTED)
def test_verdicts_can_be_negative(arrows, said):
    """A cell is not seen where no arrow that counts is the printed one, whichever that is."""
    assert verdict(UP, arrows) == said
    turned = [arrow.translate(str.maketrans(UP + DOWN, DOWN + UP)) for arrow in arrows]
    assert verdict(DOWN, turned) == said
