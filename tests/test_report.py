"""The plugin gathers verdicts from a stranger's tests, in one process or several, and leaves a report."""

import json
import subprocess
import sys

import pytest

MINE = '''
import numpy as np, pytest
from laws import Law, Mean, Order, Source, confront, measure
import sympy as sp

x, k = sp.symbols("x k", real=True)
line = Law(sp.Symbol("y"), k * x, lambda y: (y - k * x,), (x > 0,), Source("my notes", "(1)"), (dict(x=0.7, k=3),))
at = dict(x=np.array([1.0, 2.0, 3.0]), k=2.5)

def run(h, seed):
    return 2.5 * at["x"] * (1 + h + 0.3 * h * h)

def test_line():
    """A line is straight."""
    confront("a line is straight", line, run, at, Order(1), {"half of it": lambda x, k: k * x / 2})

def test_coin():
    """A coin is fair."""
    toss = lambda n, seed: np.random.default_rng(seed).integers(0, 2, n).astype(float)
    print("mean", confront("a coin is fair", 0.5, toss, {}, Mean(0.1, bounds=(0, 1)), {"loaded": 0.7}).figure)

@pytest.mark.full
def test_long():
    """A long one."""
    confront("a long claim", line, run, at, Order(1), {"none": 0.0})

def test_speed():
    """How fast it is."""
    measure("how fast a line is drawn", lambda x, seed: x + seed % 7, (1.0, 2.0), labels=dict(x="width", y="seconds"))

def test_misprint(erratum):
    """A misprint."""
    erratum("some paper", "(3)", verdict="misprint", printed="a + b", corrected="a - b", size="2 b")
'''

WRONG = '''
from test_mine import *

def test_wrong():
    """A wrong law."""
    confront("a line is steep", lambda x, k: 1.1 * k * x, run, at, Order(1))
'''

BROKEN = '''
import pytest
from test_mine import test_coin as coin

@pytest.fixture
def network():
    raise ValueError("\\033[91ms = 3 has no mode")

def test_needs(network):
    """A test that cannot begin."""

def test_coin_again():
    """A claim that another test has made."""
    coin()
'''

DISPROVED = '''
from test_mine import Law, Order, Source, at, confront, k, run, sp, x

bent = Law(sp.Symbol("y"), k * x, lambda y: (y - k * x**2,), (x > 0,), Source("my notes", "(3)"), (dict(x=0.7, k=3),))

def test_bent():
    """A law that does not solve its own problem."""
    confront("bent", bent, run, at, Order(1), {"half": lambda x, k: k * x / 2})
'''

BLIND = '''
from test_mine import *

def test_line():
    """At k = 1 nothing tells k from its powers."""
    square = Law(sp.Symbol("y"), k**2 * x, lambda y: (y - k * k * x,), (), Source("me", "(2)"), (dict(x=0.7, k=3),))
    confront("blind", square, lambda h, seed: run(h, seed) / 2.5, {**at, "k": 1.0}, Order(1))
'''


@pytest.fixture
def stranger(tmp_path):
    """A folder outside the project with tests of its own; returns how to run pytest there."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test_mine.py").write_text(MINE)

    def run(*arguments, ok=True):
        command = [sys.executable, "-m", "pytest", "mine", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout

    run.folder = tmp_path
    return run


@pytest.mark.parametrize("processes", [(), ("-n2",)], ids=["one process", "two processes"])
def test_report_is_complete(stranger, processes):
    """Every claim, rival, mutant and erratum is in the page and in verdicts.json, and nothing is fetched."""
    said = stranger("--report-dir=out", *processes)
    assert "2 of 2 claims hold" in said and "1 long tests left out" in said and "out/index.html" in said
    page = (stranger.folder / "out" / "index.html").read_text()
    for part in (
        "a line is straight",
        "half of it",
        "1/1",
        "A coin is fair",
        "loaded",
        "some paper",
        "<math",
        "data-svg=",
        "1 long tests",
        "how fast a line is drawn",
    ):
        assert part in page
    assert "http" not in page.replace("http://www.w3.org/", "").replace("https://www.w3.org/", "")
    data = json.loads((stranger.folder / "out" / "verdicts.json").read_text())
    assert [v["id"] for v in data["verdicts"]] == ["a-coin-is-fair", "a-line-is-straight"]
    line = data["verdicts"][1]
    assert line["holds"] and line["law"] == "test_mine.line" and line["rivals"]["half of it"] > 1 and not line["unseen"]
    assert data["errata"][0]["label"] == "(3)" and data["left_out"] == 1 and data["versions"]["sympy"]
    assert 0 < data["false_alarm"] < data["budget"]
    assert "1 measurements" in said and [m["id"] for m in data["measured"]] == ["how-fast-a-line-is-drawn"]


def test_references_are_read_or_refused(stranger):
    """The page says what the short name of a document stands for; a line that names none is refused at once."""
    (stranger.folder / "pytest.ini").write_text("[pytest]\nlaws_references =\n  some paper: Some Body, 1905\n")
    stranger("-k", "misprint", "--report-dir=out")
    assert "Some Body, 1905" in (stranger.folder / "out" / "index.html").read_text()
    (stranger.folder / "pytest.ini").write_text("[pytest]\nlaws_references =\n  some paper\n")
    stranger("-k", "misprint", ok=False)


NAMED = [("book:none", "none"), ("no_such:ledgers", "No module"), ("book:bad", "line 3")]


@pytest.mark.parametrize(("name", "says"), NAMED)
def test_ledgers_that_cannot_be_had_end_the_run(stranger, name, says):
    """Where the function that gives the ledgers is not there, or fails, the run ends at once and names it."""
    (stranger.folder / "book.py").write_text("def bad(): raise ValueError('line 3')\n")
    (stranger.folder / "pytest.ini").write_text(f"[pytest]\nlaws_documents = {name}\n")
    command = [sys.executable, "-m", "pytest", "mine", "--report"]
    done = subprocess.run(command, cwd=stranger.folder, capture_output=True, text=True, timeout=200)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"laws_documents: '{name}'" in done.stderr and says in done.stderr


def test_without_the_flag_nothing_is_written(stranger):
    """A stranger's folder gets a report only when it is asked for."""
    stranger()
    assert not (stranger.folder / "report").exists()


def test_full_runs_the_long_tests(stranger):
    """`--full` includes what is left out otherwise."""
    assert "3 of 3 claims hold" in stranger("--full")


def test_fresh_seeds_are_drawn_and_can_be_repeated(stranger):
    """Fresh seeds give other samples; the number in the header brings the same ones back."""

    def mean(*arguments):
        said = stranger("-s", "-k", "coin", *arguments)
        return next(line for line in said.splitlines() if "mean" in line), said

    fixed, _ = mean()
    drawn, said = mean("--fresh-seeds")
    number = said.partition("--seeds-from=")[2].split()[0]
    again, _ = mean(f"--seeds-from={number}")
    assert fixed == mean()[0] != drawn == again


def test_a_wrong_law_fails_and_is_shown_as_failing(stranger):
    """A wrong law fails its test, says by how much and how to repeat it, and its card says that it fails."""
    (stranger.folder / "mine" / "test_wrong.py").write_text(WRONG)
    said = stranger("--report-dir=out", ok=False)
    assert (
        "a line is steep: FAILS" in said
        and "(+10 %)" in said
        and 'again with: pytest "mine/test_wrong.py::test_wrong"' in said
    )
    assert "fails" in (stranger.folder / "out" / "index.html").read_text()


def test_what_failed_is_named(stranger):
    """What could not begin or be read, and a name that two claims share, head the page, which calls itself a part."""
    (stranger.folder / "mine" / "test_broken.py").write_text(BROKEN)
    (stranger.folder / "mine" / "test_unreadable.py").write_text("import no_such_module")
    stranger("--report-dir=out", "--continue-on-collection-errors", ok=False)
    page = (stranger.folder / "out" / "index.html").read_text()
    assert "What failed" in page and "A part of the suite" in page and "2 tests failed" in page
    assert "<code>mine/test_broken.py::test_needs</code>: before it began: ValueError: s = 3 has no mode" in page
    assert "<code>mine/test_unreadable.py</code>: could not be read: " in page and "no_such_module" in page
    assert "The suite as a whole: two claims are called a-coin-is-fair" in page
    data = json.loads((stranger.folder / "out" / "verdicts.json").read_text())
    assert list(data["failed"]) == ["mine/test_broken.py::test_needs", "mine/test_unreadable.py"]
    assert data["complaints"] == ["two claims are called a-coin-is-fair"]


def test_a_process_that_died_is_named(stranger):
    """A test that takes its process with it is told as a failure, beside what the others found."""
    died = "import os\n\ndef test_dies():\n    os._exit(3)\n"
    (stranger.folder / "mine" / "test_died.py").write_text(died)
    stranger("--report-dir=out", "-n2", "-k", "dies or line", ok=False)
    page = (stranger.folder / "out" / "index.html").read_text()
    assert "<code>mine/test_died.py::test_dies</code>" in page and "a line is straight" in page


def test_a_law_whose_proof_fails_is_shown_with_that(stranger):
    """A law that does not solve its own problem is still reported, and the page says that its proof fails."""
    (stranger.folder / "mine" / "test_disproved.py").write_text(DISPROVED)
    stranger("--report-dir=out")
    assert "its proof FAILS" in (stranger.folder / "out" / "index.html").read_text()


def test_a_mutant_that_nothing_rejects_fails_the_suite(stranger):
    """If no validation of a law rejects one of its mutants, the run as a whole fails and names it."""
    (stranger.folder / "mine" / "test_blind.py").write_text(BLIND)
    said = stranger(ok=False)
    assert "no validation rejects the mutant(s)" in said
    assert "no validation rejects" not in stranger("-k", "line")


def test_nothing_heavy_is_imported_before_a_verdict():
    """The plugin itself loads no torch and no matplotlib."""
    code = "import sys, laws.report; print([m for m in ('torch', 'matplotlib', 'sklearn') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
