"""What becomes of every printed equation, and what stands for every system, figure and table: two pages from data.

    python -m paper_checks.errata

runs the paper checks, keeps the errata that they record in errata.json, and writes ERRATA.md and COVERAGE.md.  Beside
each paper check stands a ledger, DOCUMENT.toml, written by hand from the document itself: its equations, each with a
verdict and the tests that it rests on; claims of its text that have errata; and what it shows, against laws, runs and
validations.  `documents()` has all of it, and both pages are drawn from that alone.

Every erratum that a check records must be the one in errata.json (conftest.py), and stand in its ledger; and pages,
names and numbers are held against the ledgers by tests/test_errata.py.
"""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDS, ERRATA, COVERAGE = HERE / "errata.json", HERE / "ERRATA.md", HERE / "COVERAGE.md"
COMMAND = "python -m paper_checks.errata"

HOLDS, CONDITIONS, FAILS = "holds", "holds under conditions", "does not hold as printed"
UNSEEN = "not seen here"  # of trained networks, which ours are not
DEFINES, UNCHECKED = "a definition", "not checkable"
VERDICTS = (HOLDS, CONDITIONS, FAILS, UNSEEN, DEFINES, UNCHECKED)


@dataclass(frozen=True)
class Recorded:
    """An erratum as a paper check has recorded it; `printed` and `corrected` are LaTeX.

    No `laws.gathered.Erratum`: pytest, which is started below, must be the first to load its plugin `laws`.
    """

    test: str
    document: str
    label: str
    verdict: str
    printed: str
    corrected: str
    size: str


@dataclass(frozen=True)
class Statement:
    """An equation, or a claim of the text: its verdict, and the tests and errata behind the verdict.

    printed: the equation in LaTeX, as it is printed.  says: what is said, where words are enough.
    """

    where: str
    verdict: str
    printed: str = ""
    says: str = ""
    note: str = ""
    checks: tuple[str, ...] = ()
    errata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A system, figure or table of a document: what stands for it here, and what is not done or is otherwise."""

    kind: str
    where: str
    says: str = ""
    laws: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    validations: tuple[str, ...] = ()
    missing: str = ""
    otherwise: str = ""


@dataclass(frozen=True)
class Document:
    """One source: how it is cited, its numbers, and all that the ledger says of it.

    numbered: the first and the last numbered equation, or nothing.  figures, tables: the last that has a number.
    """

    name: str
    reference: str
    about: str
    numbered: tuple[int, ...]
    figures: int
    tables: int
    equations: tuple[Statement, ...]
    claims: tuple[Statement, ...]
    differences: tuple[dict[str, str], ...]  # where two versions of it differ
    shown: tuple[Shown, ...]
    recorded: tuple[Recorded, ...]


def recorded() -> tuple[Recorded, ...]:
    """The errata that were recorded when the pages were made."""
    return tuple(Recorded(**row) for row in json.loads(RECORDS.read_text()))


def documents() -> tuple[Document, ...]:
    """Every source with its ledger and its errata, in the order of the references in pyproject.toml."""
    options = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    references = dict(line.split(": ", 1) for line in options["laws_references"])
    told = recorded()
    return tuple(
        _document(name, reference, [r for r in told if r.document == name])
        for name, reference in references.items()
        if (HERE / f"{name}.toml").exists()
    )


def _document(name: str, reference: str, told: list[Recorded]) -> Document:
    ledger = tomllib.loads((HERE / f"{name}.toml").read_text())

    def rows(kind, key):
        fixed = [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in ledger.get(key, ())]
        return tuple(kind(**row) for row in fixed)

    equations, claims = rows(Statement, "equation"), rows(Statement, "claim")
    order = {label: i for i, label in enumerate(dict.fromkeys(x for s in (*equations, *claims) for x in s.errata))}
    return Document(
        name, reference, ledger["about"], tuple(ledger["numbered"]), ledger["figures"], ledger["tables"], equations,
        claims, tuple(ledger.get("difference", ())), rows(Shown, "shown"),
        tuple(sorted(told, key=lambda r: order.get(r.label, len(order)))),
    )  # fmt: skip


def errata_page(sources: tuple[Document, ...]) -> str:
    """ERRATA.md: how many equations and claims hold, and document by document each equation, claim and erratum."""
    counts = [
        [d.name, *(str(sum(e.verdict == v for e in (*d.equations, *d.claims))) for v in VERDICTS)] for d in sources
    ]
    lines = [
        "# Errata",
        "",
        f"Every printed equation of the sources, with its verdict. Made by `{COMMAND}`; not to be edited by hand.",
        "A definition asserts nothing that could be wrong; what is not seen here was said of other networks than ours,",
        "and ours do not show it. Named tests are in this folder.",
        "",
        *_table(["equations and claims of", *VERDICTS], counts),
    ]
    for source in sources:
        lines += ["", f"## {source.name}", "", f"{source.reference}.", "", source.about, ""]
        lines += ["### Equations", "", *_statements("equation", source.equations)]
        if source.claims:
            lines += ["", "### Claims of the text", "", *_statements("claim", source.claims)]
        lines += ["", "### What is wrong, and by how much", ""]
        for r in source.recorded:
            lines += [
                f"- **{r.label}**: {r.verdict}. Printed: {_math(r.printed)}. Right: {_math(r.corrected)}. "
                f"Size: {r.size}. (`{r.test}`)"
            ]
        if source.differences:
            versions = [[row["where"], row["preprint"], row["final"]] for row in source.differences]
            lines += ["", "### Where its two versions differ", ""]
            lines += _table(["where", "preprint (2023)", "final version (2024)"], versions)
    return "\n".join(lines) + "\n"


def coverage_page(sources: tuple[Document, ...]) -> str:
    """COVERAGE.md: every system, figure and table against the law, the run and the validation that stand for it."""
    lines = [
        "# Coverage of the sources",
        "",
        "Every system, captioned figure and table of the sources, and of the lecture every slide with a picture,",
        "against the law, the run and the validation that stand for it. The last column has what is not done, and what",
        "the networks trained here, most of them smaller and on other data, show otherwise than the source.",
        f"Made by `{COMMAND}`; not to be edited by hand. Validations are in `validate/`.",
    ]
    for source in sources:
        rows = [
            [f"**{s.where}**<br>{s.says}".removesuffix("<br>"), s.kind, _code((*s.laws, *s.runs)),
             _code(s.validations), "; ".join(filter(None, (s.otherwise and f"otherwise: {s.otherwise}", s.missing)))]
            for s in source.shown
        ]  # fmt: skip
        lines += ["", f"## {source.name}", "", f"{source.reference}.", ""]
        lines += _table(
            ["where and what", "kind", "laws and runs", "validations", "what is not done, or otherwise"], rows
        )
    return "\n".join(lines) + "\n"


def _statements(kind: str, statements: tuple[Statement, ...]) -> list[str]:
    rows = []
    for s in statements:
        why = [*(f"**{label}**" for label in s.errata), *([s.note] if s.note else [])]
        said = _math(s.printed) if s.printed else s.says
        rows.append([s.where, said, s.verdict, "; ".join(why), _code(s.checks)])
    return _table([kind, "as printed", "verdict", "**erratum below**; condition or reason", "checked by"], rows)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _code(names: tuple[str, ...]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def _math(latex: str) -> str:
    """A formula as GitHub sets it, in a form that its Markdown leaves alone."""
    return f"$`{latex}`$"


class _Listener:
    """A plugin that keeps the errata of a run, and the checks that failed."""

    def __init__(self) -> None:
        self.heard: list[Recorded] = []
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(report.nodeid)
        if report.when != "call":
            return
        test = report.nodeid.partition("[")[0].rpartition("/")[2]
        told = [json.loads(text) for kind, text in report.user_properties if kind == "erratum"]
        self.heard += [Recorded(test, **fields) for fields in told]


def main() -> int:
    """Run the paper checks, keep their errata, and write both pages; if a check fails, do nothing and return 1."""
    listener = _Listener()
    pytest.main([str(HERE), "-q", "--noconftest", "-o", "laws_report="], plugins=[listener])
    if listener.failed or not listener.heard:
        return 1
    rows = sorted(listener.heard, key=lambda r: (r.document, r.test, r.label))
    RECORDS.write_text(json.dumps([vars(row) for row in rows], indent=1, ensure_ascii=False) + "\n")
    write()
    return 0


def write() -> None:
    """Draw both pages anew from the ledgers and the errata that are kept."""
    sources = documents()
    ERRATA.write_text(errata_page(sources))
    COVERAGE.write_text(coverage_page(sources))


if __name__ == "__main__":
    sys.exit(main())
