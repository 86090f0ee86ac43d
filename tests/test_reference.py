"""The reference pages are built without a warning, and are all there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from laws.__main__ import every_law

root = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The reference pages; notebooks are shown but not run, and sources not linked, for these have tests of their own."""
    folder = tmp_path_factory.mktemp("pages")
    options = ["-W", "-q", "-D", "nb_execution_mode=off", "-D", "extensions=sphinx.ext.autodoc,myst_nb"]
    command = [sys.executable, "-m", "sphinx", *options, "-c", "docs", "-b", "html", ".", str(folder)]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return folder


def test_every_law_is_on_a_page(pages):
    """Each law has its formula on the page of its module, and each notebook a page."""
    for name in every_law():
        page = (pages / "docs" / "reference" / f"{name.rpartition('.')[0]}.html").read_text()
        assert re.search(rf'id="{name}".*?<math', page, re.S), name
    for notebook in (root / "notebooks").glob("*.py"):
        assert "<math" in (pages / "notebooks" / f"{notebook.stem}.html").read_text()


def test_nothing_is_fetched(pages):
    """No page needs the network: scripts, styles, fonts and images lie beside it."""
    for page in pages.glob("**/*.html"):
        fetched = re.findall(
            r'<(?:script|img|iframe)[^>]*src="(https?:[^"]*)|<link[^>]*href="(https?:[^"]*)', page.read_text()
        )
        assert not fetched, (page.name, fetched)


def test_docstrings_keep_their_formulas():
    """Powers, bars and stars of a docstring are text, its displays stay as they are set, its arguments are a list."""
    sys.path.insert(0, str(root / "docs"))
    try:
        from docstrings import restructured
    finally:
        sys.path.pop(0)
    from docutils.core import publish_parts

    lines = ["The norm |x| of a*b_c, see `lam`.", "", "    |x|^2 = a_1 * a_2      (1)", "", "(2) is next.", "", "Args:"]
    lines += ["    lam: positive,", "        and small.", "    *rest: of it."]
    body = publish_parts("\n".join(restructured(lines)), writer="html5", settings_overrides={"halt_level": 2})["body"]
    text = re.sub("<[^>]*>", "", body)
    for kept in (
        "The norm |x| of a*b_c, see lam.",
        "|x|^2 = a_1 * a_2      (1)",
        "(2) is next.",
        "lam: positive, and small.",
    ):
        assert kept in text
    assert body.count("<li>") == 2 and "<pre" in body
