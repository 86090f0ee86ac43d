"""What a run of pytest has told: verdicts with the tests that gave them, errata, measurements, failures."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laws.judges import Measurement, Verdict


@dataclass(frozen=True)
class Erratum:
    """A printed equation that does not hold as printed; formulas are LaTeX, `size` says how much is wrong."""

    document: str
    label: str
    verdict: str
    printed: str
    corrected: str
    size: str


@dataclass(frozen=True)
class Card:
    """A verdict, and the test that gave it: its name, what it says, and its seconds with what it had to prepare.

    `file` is what its file says first.
    """

    verdict: Verdict
    test: str
    says: str
    seconds: float = 0.0
    file: str = ""

    @property
    def law(self) -> str:
        """The name of the law that was judged, or from which a prediction of the test follows; "" if it has none."""
        verdict, module = self.verdict, re.sub(r"\.py::.*", "", self.test).replace("/", ".")
        named = re.fullmatch(r"[A-Za-z_][\w.]*", verdict.law)
        homes = (f".{module}".rpartition(".")[2], ".conftest")
        local = f".{verdict.law}".rpartition(".")[0].endswith(homes)
        if named and (not local or (verdict.latex and not verdict.of)):
            return verdict.law
        return verdict.of

    @property
    def home(self) -> str:
        """The module of that law."""
        return self.law.rpartition(".")[0]


@dataclass
class Gathered:
    """All that a run has told so far."""

    cards: list[Card] = field(default_factory=list)
    errata: list[Erratum] = field(default_factory=list)
    measured: list[tuple[Measurement, str, float]] = field(default_factory=list)  # with its test and the seconds
    heard: list[Verdict | Measurement] = field(default_factory=list)  # in this process
    pictures: dict[str, list[dict]] = field(default_factory=dict)  # claim id -> its panels, as `page.pictures` has them
    strengths: dict[str, str] = field(default_factory=dict)  # law -> how strongly it is proved
    failed: dict[str, str] = field(default_factory=dict)  # test, or file that could not be read -> what it died of
    passed: set[str] = field(default_factory=set)  # tests
    references: dict[str, str] = field(default_factory=dict)  # document -> its full reference
    documents: tuple[Any, ...] = ()  # ledgers of the sources, as `laws.sources` reads them
    deselected: int = 0
    partial: bool = False  # picked by hand, broken off, or not all tests passed

    @property
    def false_alarm(self) -> float:
        """A bound on the probability that any verdict of a known rate is a false alarm."""
        return sum(card.verdict.false_alarm or 0.0 for card in self.cards)

    @property
    def unbounded(self) -> int:
        """How many verdicts state no false alarm: equivalences, of unknown spread, and signs in every run."""
        return sum(card.verdict.false_alarm is None for card in self.cards)

    @property
    def doubled(self) -> list[str]:
        """Claims and questions that share a name."""
        names = [card.verdict.id for card in self.cards] + [measurement.id for measurement, *_ in self.measured]
        return sorted({name for name in names if names.count(name) > 1})

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the suite as a whole, but for unseen mutants."""
        from laws.judges.samples import BUDGET

        alarm = f"the verdicts may raise a false alarm with probability {self.false_alarm:.1e} > {BUDGET:g}"
        doubled = [f"two claims are called {name}" for name in self.doubled]
        return [*doubled, *([alarm] if self.false_alarm > BUDGET else [])]

    @property
    def unseen(self) -> dict[str, list[str]]:
        """By law, the mutants that none of its validations rejected."""
        blind: dict[str, set[str]] = {}
        for card in self.cards:
            law, missed = card.verdict.law, set(card.verdict.unseen)
            if card.verdict.mutants:
                blind[law] = blind[law] & missed if law in blind else missed
        return {law: sorted(missed) for law, missed in blind.items() if missed}

    @property
    def by_law(self) -> dict[str, list[Card]]:
        """The cards, law by law; a claim without one stands for itself."""
        groups = defaultdict(list)
        for card in self.cards:
            groups[card.law or card.verdict.claim].append(card)
        return dict(groups)

    @property
    def topics(self) -> dict[str, list[Card]]:
        """The cards by topic: the module of their law; without one, that of most laws of their file, or its name."""
        files: dict[str, list[str]] = defaultdict(list)
        groups: dict[str, list[Card]] = defaultdict(list)
        topic = lambda module: module.removeprefix("test_").replace("_", " ")  # noqa: E731
        home = lambda card: topic(card.home.rpartition(".")[2])  # noqa: E731
        file = lambda card: card.test.partition(".py::")[0]  # noqa: E731
        for card in self.cards:
            files[file(card)] += [home(card)] if card.law else []
        for card in self.cards:
            others, own = files[file(card)], topic(file(card).rpartition("/")[2])
            groups[home(card) or max(others, key=others.count, default=own)].append(card)
        return dict(sorted(groups.items()))
