"""The pages of the sources: every row of a ledger is there, with what this run made of its tests."""

import re

import numpy as np
import pytest

from laws import Order, confront, page, sources
from laws.gathered import Card, Erratum, Gathered
from paper_checks import errata
from paper_checks.errata import Document, Recorded, Shown, Statement
from theory.chain import shallow

MISPRINT = Recorded("book.py::test_2", "book", "Eq. (2)", "misprint", "a + b", r"\lambda - b", "2 b")
BOOK = Document(
    name="book",
    reference="Some Body, A book, 1905",
    about="It numbers (1) to (3).",
    numbered=(1, 3),
    figures=2,
    tables=0,
    equations=(
        Statement("(1)", errata.HOLDS, printed="a = b", checks=("book.py::test_1",)),
        Statement("(2)", errata.FAILS, printed="c = a + b", checks=("book.py::test_2",), errata=("Eq. (2)",)),
        Statement("(3)", errata.UNCHECKED, printed="d", note="words alone"),
    ),
    claims=(Statement("below (3)", errata.HOLDS, says="it rises", checks=("book.py::test_3",)),),
    differences=({"where": "Table 1", "preprint": "printed", "final": "lost"},),
    shown=(
        Shown("figure", "Figure 1", laws=("theory.chain.shallow",), validations=("test_book.py::test_law",)),
        Shown("figure", "Figure 2", validations=("test_book.py::test_law",), missing="half of it"),
        Shown("figure", "Figure 3", validations=("test_book.py::test_law",), otherwise="it falls"),
        Shown("figure", "Figure 4", validations=("test_book.py::test_other",)),
        Shown("system", "A brain", missing="nobody can"),
    ),
    recorded=(MISPRINT,),
)


@pytest.fixture(scope="module")
def gathered():
    """A run with one card, whose law is from (1) to (2) of the book; one check passed, one failed, one was left out."""
    times = np.array([0.4, 1.2, 2.4])
    at = dict(t=times, tau=1.3, s=1.7, lam=0.6, a0=0.1)
    run = lambda h, seed: shallow(**at) * (1 + h + 0.3 * h * h)  # noqa: E731
    about = "book, (1)-(2), corrected"
    half = {"half": lambda **at: shallow(**at) / 2}
    verdict = confront("one layer is exponential", shallow, run, at, Order(1), half, labels=dict(about=about))
    return Gathered(
        [Card(verdict, "validate/test_book.py::test_law[3]", "It holds.")],
        pictures={verdict.id: []},
        passed={"validate/test_book.py::test_law[3]", "paper_checks/book.py::test_1"},
        failed={"paper_checks/book.py::test_2": "AssertionError"},
        documents=(BOOK,),
    )


def rows(html):
    """The rows that a filter may hide, each as one line of words and marks."""
    return [" ".join(row.split()) for row in re.findall(r'<tr class="found".*?</tr>', html, re.DOTALL)]


def test_every_equation_has_its_row(gathered, tmp_path):
    """An equation stands with its verdict, what is right and by how much, its checks as they went, and its cards."""
    page.write(tmp_path, gathered)
    html = (tmp_path / "errata.html").read_text()
    holds, fails, unchecked, claim, differs = rows(html)
    assert 'data-document="book" data-verdict="holds"' in holds and 'class="passed"><code>book.py::<wbr>test_1' in holds
    assert "misprint" in fails and "&#x003BB;" in fails and "2 b" in fails and 'class="failed-test"' in fails
    assert "words alone" in unchecked and "it rises" in claim and 'class="not-run"' in claim and "lost" in differs
    card = f'href="index.html#{gathered.cards[0].verdict.id}"'
    assert card in holds and card in fails and card not in unchecked + claim
    assert (
        "were not part of this run" in html
        and "MATHFONT" not in html
        and "http" not in html.replace("http://www.w3.org/", "").replace("https://www.w3.org/", "")
    )


def test_every_figure_has_its_row(gathered, tmp_path):
    """A figure is validated, in part, otherwise here, not run or not done; what stands for it leads to its card."""
    page.write(tmp_path, gathered)
    html = (tmp_path / "coverage.html").read_text()
    done, partly, other, unrun, undone = rows(html)
    assert 'data-state="validated"' in done and done.count('href="index.html#one-layer-is-exponential"') == 2
    assert 'data-state="in part"' in partly and "half of it" in partly
    assert 'data-state="otherwise here"' in other and "it falls" in other
    assert 'data-state="not run"' in unrun and "href" not in unrun
    assert 'data-kind="system" data-state="not done"' in undone and "nobody can" in undone
    assert 'href="coverage.html"' in (tmp_path / "index.html").read_text()


def test_errata_that_were_found_again_are_counted(gathered, tmp_path):
    """The page says whether its errata were recorded by this run, or are those that were kept."""
    found = Erratum("book", "Eq. (2)", "misprint", "a + b", r"\lambda - b", "2 b")
    page.write(tmp_path, Gathered(gathered.cards, [found], pictures=gathered.pictures, documents=(BOOK,)))
    assert "All 1 errata were found again" in (tmp_path / "errata.html").read_text()


def test_without_ledgers_there_are_no_pages(gathered, tmp_path):
    """A report without ledgers has neither pages nor links to them."""
    page.write(tmp_path, Gathered(gathered.cards, pictures=gathered.pictures))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "verdicts.json"]
    assert "errata.html" not in (tmp_path / "index.html").read_text()


def test_every_row_of_our_ledgers_is_there(tmp_path):
    """The pages of the sources have a row for every equation, claim, difference, system, figure and table."""
    documents = errata.documents()
    sources.write(tmp_path, Gathered(documents=documents), page._environment())
    equations, shown = (rows((tmp_path / name).read_text()) for name in ("errata.html", "coverage.html"))
    assert len(equations) == sum(len((*d.equations, *d.claims, *d.differences)) for d in documents)
    assert len(shown) == sum(len(d.shown) for d in documents)
    assert {e.verdict for d in documents for e in (*d.equations, *d.claims)} <= sources.VERDICTS.keys()
    assert not [row for row in equations + shown if "\\" in row]


def test_labels_name_numbers():
    """A label names an equation by its number, several by the first and the last."""
    assert sources._numbers("Eq. (4) and (21), of Fig. 3") == [4, 21]
    assert sources._numbers("(13)-(15) with the D-term of (15) corrected") == [13, 14, 15, 15]
    assert sources._numbers("App. (D)") == []


def test_states(gathered):
    """What has validations that were run is validated, if the runs show what it says and nothing of it lacks."""
    links = sources.Links(gathered)
    of = lambda *tests, **why: sources.state(Shown("figure", "", validations=tests, **why), links)  # noqa: E731
    ran, other = "test_book.py::test_law", "test_book.py::test_other"
    found = [of(ran), of(ran, missing="b"), of(ran, missing="b", otherwise="c"), of(other, missing="b"), of()]
    assert found == list(sources.STATES)
