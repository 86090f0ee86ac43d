"""The pytest plugin: it gathers verdicts while tests run and leaves a report when they end.

    pytest validate --report             write report/index.html and report/verdicts.json
    pytest validate --report-dir=DIR     write them to another folder
    pytest validate --fresh-seeds        draw new seeds; the header says from which number
    pytest validate --seeds-from=N       repeat a run that drew its seeds from N
    pytest validate --full               run the tests marked `full` too, which take long

A test whose `confront` gives a verdict sends it as one line of JSON, so that it also arrives from
the processes of pytest-xdist; each process draws the pictures of its own verdicts and proves their laws when
its tests are done, and the one that gathers writes the page.  A test
that shows a misprint tells the `erratum` fixture.

What the short names of documents stand for, the option `laws_references` of pytest's configuration says.  Where
ledgers of these documents are kept, of their equations and figures, `laws_documents` names a function that gives them,
as `module:function`; then pages of every equation and of every figure stand beside the report (`laws.sources`).

The plugin fails a run if two claims have one name, or if the stated false-alarm probabilities add up to
more than the suite's budget; and a run of a whole folder, if some mutant of a law was rejected by none of
the law's validations.
"""

from __future__ import annotations

import json
import pkgutil
import re
import secrets
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from laws.gathered import Card, Erratum, Gathered

if TYPE_CHECKING:
    from laws.judges import Measurement, Verdict

gathered_key = pytest.StashKey[Gathered]()


def pytest_addoption(parser):
    """Declare the options."""
    group = parser.getgroup("laws")
    group.addoption("--full", action="store_true", help="also run the tests marked `full`, which take long")
    group.addoption("--fresh-seeds", action="store_true", help="draw new seeds instead of the fixed ones")
    group.addoption("--seeds-from", type=int, default=None, metavar="N", help="repeat a run that drew its seeds from N")
    group.addoption("--report", action="store_true", help="write the report of verdicts to the folder `report`")
    group.addoption("--report-dir", default=None, metavar="DIR", help="write the report of verdicts to this folder")
    parser.addini("laws_references", "documents by short name, one a line: `name: its full reference`", "linelist")
    parser.addini("laws_documents", "ledgers of documents, as `module:function`: what gives them", default="")
    parser.addini("laws_report", "folder for the report of verdicts, written whenever there are any", default="")


def pytest_configure(config):
    """Declare the marker, and settle the entropy once for all processes."""
    config.addinivalue_line("markers", "full: takes long; runs only with --full")
    config.stash[gathered_key] = Gathered(references=_references(config), documents=_documents(config))
    if config.option.fresh_seeds and config.option.seeds_from is None:
        config.option.seeds_from = secrets.randbits(32)


def pytest_report_header(config):
    """Say which seeds were drawn."""
    drawn = config.option.seeds_from
    return None if drawn is None else f"fresh seeds: repeat this run with --seeds-from={drawn}"


def pytest_collection_modifyitems(config, items):
    """Leave long tests out unless they are asked for; the report counts them."""
    if config.option.full:
        return
    long = [item for item in items if item.get_closest_marker("full")]
    if long:
        items[:] = [item for item in items if item not in long]
        config.stash[gathered_key].deselected = len(long)
        config.hook.pytest_deselected(items=long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Listen to the verdicts of one test."""
    from laws.judges.confrontation import entropy, listeners

    heard: list[Verdict | Measurement] = []
    listening = listeners.set((*listeners.get(), heard.append))
    drawing = entropy.set(item.config.option.seeds_from)
    try:
        return (yield)
    finally:
        listeners.reset(listening)
        entropy.reset(drawing)
        says = [(getattr(told, "__doc__", None) or "").strip().partition("\n")[0] for told in (item.obj, item.module)]
        item.config.stash[gathered_key].heard += heard
        item.user_properties += [(type(v).__name__.lower(), json.dumps([v.to_json(), *says])) for v in heard]


@pytest.fixture
def erratum(request):
    """Record that a printed equation does not hold as printed; takes the fields of `Erratum`."""

    def record(document, label, *, verdict, printed, corrected, size):
        found = Erratum(document, label, verdict, printed, corrected, size)
        request.node.user_properties.append(("erratum", json.dumps(asdict(found))))

    return record


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker process counted and drew."""
    sent, gathered = getattr(node, "workeroutput", {}), node.config.stash[gathered_key]
    gathered.deselected = max(gathered.deselected, sent.get("laws_deselected", 0))
    gathered.pictures |= sent.get("laws_pictures", {})
    gathered.strengths |= sent.get("laws_strengths", {})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Write the report, and fail the run where the suite as a whole has not kept its word."""
    config = session.config
    gathered = config.stash[gathered_key]
    if _folder(config) and gathered.heard:
        from laws.judges import Verdict
        from laws.page import pictures, strength

        gathered.pictures |= {shown.id: pictures(shown) for shown in gathered.heard}
        names = {name for v in gathered.heard if isinstance(v, Verdict) for name in (v.law, v.of)}
        gathered.strengths |= {name: strength(name) for name in sorted(names)}
    if hasattr(config, "workeroutput"):
        config.workeroutput["laws_deselected"] = gathered.deselected
        config.workeroutput["laws_pictures"] = gathered.pictures
        config.workeroutput["laws_strengths"] = gathered.strengths
        return
    _gather(config.pluginmanager.get_plugin("terminalreporter"), gathered)
    gathered.partial = bool(_picked(config) or gathered.failed or session.exitstatus != pytest.ExitCode.OK)
    if _complaints(gathered) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    folder = _folder(config)
    if folder and (gathered.cards or gathered.errata or gathered.measured or gathered.failed and _asked(config)):
        from laws.page import write

        write(folder, gathered)


def pytest_terminal_summary(terminalreporter, config):
    """Say what was confronted, what is wrong with the suite as a whole, and where the report is."""
    gathered = config.stash[gathered_key]
    if not (gathered.cards or gathered.errata or gathered.measured):
        return
    terminalreporter.section("laws")
    rivals = sum(len(card.verdict.rivals) for card in gathered.cards)
    mutants = sum(len(card.verdict.mutants) for card in gathered.cards)
    standing = sum(card.verdict.holds for card in gathered.cards)
    terminalreporter.write_line(
        f"{standing} of {len(gathered.cards)} claims hold; "
        f"{rivals} rivals and {mutants} mutants judged on the same runs; "
        f"false-alarm probability {gathered.false_alarm:.1e} in all"
    )
    if gathered.measured:
        terminalreporter.write_line(f"{len(gathered.measured)} measurements, which assert nothing")
    if gathered.unbounded:
        terminalreporter.write_line(
            f"{gathered.unbounded} of them equivalences and signs, for which no false alarm is stated"
        )
    for complaint in _complaints(gathered):
        terminalreporter.write_line(complaint, red=True)
    if gathered.deselected:
        terminalreporter.write_line(f"{gathered.deselected} long tests left out; --full runs them")
    if folder := _folder(config):
        terminalreporter.write_line(f"report: {folder / 'index.html'}")


def _gather(reporter, gathered: Gathered) -> None:
    """Read verdicts, errata and failures from all reports, in the order of their names."""
    from laws.judges import Measurement, Verdict

    reports = [
        r for kind in reporter.stats.values() for r in kind if isinstance(r, pytest.TestReport | pytest.CollectReport)
    ]
    seconds: dict[str, float] = defaultdict(float)
    for report in sorted(reports, key=lambda r: r.nodeid):
        seconds[report.nodeid] += getattr(report, "duration", 0.0)
        if report.failed:
            gathered.failed.setdefault(report.nodeid, _cause(report))
    for report in sorted((r for r in reports if r.when == "call"), key=lambda r: r.nodeid):
        if report.passed:
            gathered.passed.add(report.nodeid)
        for kind, text in ((kind, str(text)) for kind, text in report.user_properties):
            if kind == "verdict":
                verdict, says, file = json.loads(text)
                took = seconds[report.nodeid]
                gathered.cards.append(Card(Verdict.from_json(verdict), report.nodeid, says, took, file))
            elif kind == "measurement":
                found = Measurement.from_json(json.loads(text)[0])
                gathered.measured.append((found, report.nodeid, seconds[report.nodeid]))
            elif kind == "erratum":
                gathered.errata.append(Erratum(**json.loads(text)))


def _cause(report) -> str:
    """The first line of what a test died of, and where, if it was not in the test itself."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = crash.message if crash else str(report.longrepr).strip().rpartition("\n")[2]
    where = {"setup": "before it began: ", "teardown": "after its end: ", "collect": "could not be read: "}
    return where.get(report.when, "") + re.sub(r"\x1b\[[\d;]*m", "", said).partition("\n")[0]  # colours of a terminal


def _complaints(gathered: Gathered) -> list[str]:
    """What is wrong with the suite as a whole; a hand-picked part of it cannot be blamed for unseen mutants."""
    blind = {} if gathered.partial else gathered.unseen
    unseen = [f"{law}: no validation rejects the mutant(s) {'; '.join(missed)}" for law, missed in blind.items()]
    return gathered.complaints + unseen


def _picked(config) -> bool:
    """Whether somebody asked for less than whole folders."""
    options = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "last_failed")
    some = any(getattr(config.option, name, None) for name in options)
    return some or not all(Path(argument).is_dir() for argument in config.args)


def _references(config) -> dict[str, str]:
    """What the short names of documents stand for; a line that does not say so is an error of usage."""
    parts = [line.partition(": ") for line in config.getini("laws_references")]
    for name, colon, reference in parts:
        if not (name and colon and reference):
            raise pytest.UsageError(f"laws_references: {name!r} must read `name: its full reference`")
    return {name: reference for name, _, reference in parts}


def _documents(config) -> tuple[Any, ...]:
    """The ledgers of documents, if a report will be written here and there are any; if they fail, an error of usage."""
    name = config.getini("laws_documents")
    if not name or not _folder(config) or hasattr(config, "workerinput"):
        return ()
    try:
        return tuple(pkgutil.resolve_name(name)())
    except Exception as error:
        raise pytest.UsageError(f"laws_documents: {name!r}: {type(error).__name__}: {error}") from error


def _asked(config) -> bool:
    return bool(config.option.report or config.option.report_dir)


def _folder(config) -> Path | None:
    if config.option.report_dir:
        return Path(config.invocation_params.dir, config.option.report_dir)
    name = "report" if config.option.report else config.getini("laws_report")
    return Path(config.rootpath, name) if name else None
