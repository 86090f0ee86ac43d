"""The ledgers of the sources are complete, what they name is there, and their pages are those of today."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest
from latex2mathml.converter import convert

from paper_checks import errata
from paper_checks.errata import CONDITIONS, FAILS, HOLDS, UNCHECKED, UNSEEN, VERDICTS

root = Path(__file__).parent.parent
sources = errata.documents()
every_source = pytest.mark.parametrize("source", sources, ids=lambda s: s.name)


def written_in(folder):
    """The tests of a folder as `file.py::test`, each with its tree."""
    trees = {path.name: ast.parse(path.read_text()) for path in (root / folder).glob("*.py")}
    return {
        f"{name}::{node.name}": node
        for name, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


checks, validations = written_in("paper_checks"), written_in("validate")


def offers(module):
    """The names that a module defines or brings in, without importing it."""
    path = root / module.replace(".", "/")
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def gaps(source):
    """What is wrong with a ledger by itself."""
    numbers = range(source.numbered[0], source.numbered[1] + 1) if source.numbered else ()
    where = [s.where for s in (*source.equations, *source.claims)]
    yield from (f"({n}) is missing" for n in numbers if where.count(f"({n})") != 1)
    yield from (f"{w} stands twice" for w in {*where} if where.count(w) > 1)
    for name, last in (("Figure", source.figures), ("Table", source.tables)):
        seen = {int(n) for s in source.shown for n in re.findall(rf"^{name} (\d+)", s.where)}
        yield from (f"{name} {n} is missing" for n in set(range(1, last + 1)) - seen)
    for s in (*source.equations, *source.claims):
        known = s.verdict in VERDICTS
        groundless = s.verdict in (HOLDS, CONDITIONS, FAILS, UNSEEN) and not s.checks
        unsaid = (
            (s.verdict == HOLDS and s.errata)
            or (s.verdict == FAILS and not s.errata)
            or (s.verdict == CONDITIONS and not (s.errata or s.note))
            or (s.verdict == UNSEEN and (s.errata or not s.note))
            or (s.verdict == UNCHECKED and (s.checks or not s.note))
        )
        if not known or groundless or unsaid:
            yield f"{s.where}: {s.verdict}, but on what grounds?"
    for s in source.shown:
        if s.kind not in ("system", "figure", "table") or not (s.validations or s.missing):
            yield f"{s.where}: nothing stands for it, and nothing is said of that"
    labels = [r.label for r in source.recorded]
    named = {label for s in (*source.equations, *source.claims) for label in s.errata}
    yield from (f"two errata are called {label}" for label in {*labels} if labels.count(label) > 1)
    yield from (f"the erratum {label} is not both recorded and in the ledger" for label in named ^ {*labels})


@every_source
def test_ledgers_are_complete(source):
    """Every numbered equation, figure and table stands in its ledger, every verdict on a test and its erratum."""
    assert list(gaps(source)) == []


def test_what_is_missing_is_missed():
    """An equation left out, a verdict without grounds, a figure without a word, an erratum forgotten: each is seen."""
    source = next(s for s in sources if s.name == "bricken-2023")
    holds = next(e for e in source.equations if e.verdict == HOLDS)
    broken = [
        replace(source, equations=tuple(e for e in source.equations if e.where != "(17)")),
        replace(source, equations=(*source.equations, source.equations[5])),
        replace(source, equations=(*source.equations, replace(holds, where="elsewhere", checks=()))),
        replace(source, equations=(*source.equations, replace(holds, where="elsewhere", verdict="probably"))),
        replace(source, equations=(*source.equations, replace(holds, where="elsewhere", verdict=FAILS))),
        replace(source, equations=(*source.equations, replace(holds, where="elsewhere", verdict=UNSEEN, note=""))),
        replace(source, shown=source.shown[:-1]),
        replace(source, shown=(*source.shown, replace(source.shown[0], validations=()))),
        replace(source, recorded=source.recorded[1:]),
        replace(source, claims=source.claims[1:]),
    ]
    assert all(list(gaps(each)) for each in broken)


@every_source
def test_what_ledgers_name_exists(source):
    """Every test, law and run that a ledger names is there."""
    named = {name for s in (*source.equations, *source.claims) for name in s.checks}
    assert named - checks.keys() == set()
    assert {name for s in source.shown for name in s.validations} - validations.keys() == set()
    shown = {tuple(name.rpartition(".")[::2]) for s in source.shown for name in (*s.laws, *s.runs)}
    assert {f"{module}.{name}" for module, name in shown if name not in offers(module)} == set()


@every_source
def test_what_stands_for_a_thing_is_used_in_its_validation(source):
    """Every law and run of a row is named in the files of the row's validations, or in what these share."""
    shared = (root / "validate" / "conftest.py").read_text()
    idle = []
    for s in source.shown:
        files = {name.partition("::")[0] for name in s.validations}
        text = shared + "".join((root / "validate" / file).read_text() for file in files)
        names = (name.rpartition(".")[2] for name in (*s.laws, *s.runs) if s.validations)
        idle += [f"{s.where}: {name}" for name in names if not re.search(rf"\b{name}\b", text)]
    assert idle == []


def test_every_paper_check_stands_in_a_ledger():
    """No paper check is left out of the ledgers."""
    named = {name for source in sources for s in (*source.equations, *source.claims) for name in s.checks}
    assert checks.keys() - named == set()


def test_errata_are_those_of_the_checks():
    """The errata that are kept are those that the checks record, by test and label."""
    calls = {
        (name, ast.literal_eval(node.args[1]))
        for name, tree in checks.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "erratum"
    }
    assert calls == {(r.test, r.label) for r in errata.recorded()}
    assert {r.document for r in errata.recorded()} == {source.name for source in sources}


@every_source
def test_formulas_can_be_set(source):
    """Every formula is LaTeX of known commands; in a table on one line, without a bar that would end its cell."""
    assert all(s.printed or s.says for s in source.equations)
    assert not [s.where for s in source.equations if {*s.printed} & {"|", "\n"}]
    formulas = [s.printed for s in source.equations] + [f for r in source.recorded for f in (r.printed, r.corrected)]
    assert not [f for f in formulas if f and "\\" in convert(f)]  # an unknown command stays as it was


def test_pages_are_those_of_today():
    """ERRATA.md and COVERAGE.md are what the ledgers and errata make now."""
    stale = f"run {errata.COMMAND}"
    assert errata.ERRATA.read_text() == errata.errata_page(sources), stale
    assert errata.COVERAGE.read_text() == errata.coverage_page(sources), stale
