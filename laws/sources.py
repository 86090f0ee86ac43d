"""Two pages beside the report: what became of every printed equation, and what stands for every figure and table.

They are drawn from ledgers, one for each document, that the option `laws_documents` names.  A ledger has

    name, reference, about          how the document is called and cited, and a word on it
    equations, claims               each with where, verdict, printed (LaTeX) or says, note, checks (tests), and the
                                    labels of its errata
    recorded                        errata, each with test, label, verdict, printed, corrected, size
    differences                     where its versions differ: dictionaries of where, preprint, final
    shown                           systems, figures and tables, each with kind, where, says, laws, runs, validations
                                    (tests), missing: what of it is not done, and otherwise: what the runs show
                                    that the document says otherwise

as attributes.  Tests are named as `file.py::test`.  What this run made of them stands with each, with links to the
cards of the report.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import jinja2

from laws.gathered import Gathered
from laws.mathml import with_font

DONE, PARTLY, OTHERWISE, UNRUN, UNDONE = "validated", "in part", "otherwise here", "not run", "not done"
STATES = {DONE: "plain", PARTLY: "close", OTHERWISE: "survives", UNRUN: "", UNDONE: ""}  # and their colours
VERDICTS = {  # and how plainly each is coloured on the page
    "holds": "plain",
    "holds under conditions": "close",
    "does not hold as printed": "survives",
    "not seen here": "close",
    "a definition": "",
    "not checkable": "",
}


@dataclass(frozen=True)
class Linked:
    """A card or a measurement of the report: where it is, what it says, and whether it stands."""

    id: str
    claim: str
    holds: bool


class Links:
    """What this run made of tests and laws that ledgers name."""

    def __init__(self, gathered: Gathered):
        self.by_test: dict[str, list[Linked]] = defaultdict(list)
        self.by_law: dict[str, list[Linked]] = defaultdict(list)
        self.by_equation: dict[tuple[str, str], list[Linked]] = defaultdict(list)
        for card in gathered.cards:
            linked = Linked(card.verdict.id, card.verdict.claim, card.verdict.holds)
            self.by_test[_short(card.test)].append(linked)
            for law in {card.law, card.verdict.law, card.verdict.of}:
                self.by_law[law].append(linked)
            for named in {*f"{card.verdict.source};{card.verdict.about}".split(";")}:
                document, _, label = named.strip().partition(", ")
                for number in _numbers(label):
                    self.by_equation[document, f"({number})"].append(linked)
        for measurement, test, _ in gathered.measured:
            self.by_test[_short(test)].append(Linked(measurement.id, measurement.what, True))
        self.failed = {_short(test) for test in gathered.failed}
        self.passed = {_short(test) for test in gathered.passed} - self.failed
        self.confirmed = {(erratum.document, erratum.label) for erratum in gathered.errata}

    def state(self, test: str) -> str:
        """Whether a test passed in this run, failed, or was not run."""
        return "passed" if test in self.passed else "failed" if test in self.failed else "not run"


def write(folder: Path, gathered: Gathered, environment: jinja2.Environment) -> None:
    """Write errata.html and coverage.html into `folder`, if there are ledgers."""
    if not gathered.documents:
        return
    links = Links(gathered)
    made = dict(
        documents=gathered.documents, links=links, verdicts=VERDICTS, states=STATES, state=state,
        verdicts_of=lambda document: Counter(row.verdict for row in (*document.equations, *document.claims)),
        states_of=lambda document, kind: Counter(state(shown, links) for shown in document.shown if shown.kind == kind),
        recorded={(document.name, e.label): e for document in gathered.documents for e in document.recorded},
    )  # fmt: skip
    for name in ("errata.html", "coverage.html"):
        (folder / name).write_text(with_font(environment.get_template(name).render(made)))


def state(shown, links: Links) -> str:
    """What is done of a system, figure or table, and whether the runs show what it says."""
    if not shown.validations:
        return UNDONE
    if not any(links.state(test) != "not run" for test in shown.validations):
        return UNRUN
    return OTHERWISE if shown.otherwise else PARTLY if shown.missing else DONE


def _numbers(label: str) -> list[int]:
    """The numbered equations that the label of a source names, alone or as the first and the last of some."""
    ends = re.findall(r"\((\d+)\)(?:(?:-| to )\((\d+)\))?", label)
    return [number for first, last in ends for number in range(int(first), int(last or first) + 1)]


def _short(test: str) -> str:
    """A test as ledgers name it: its file and its name, without folders and parameters."""
    return test.partition("[")[0].rpartition("/")[2]
