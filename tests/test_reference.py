"""The reference pages are built without a warning, and are all there."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

from laws.__main__ import every_law

root = Path(__file__).parent.parent
FETCHED = r'<(?:script|img|iframe)[^>]*src="https?:|<link[^>]*href="https?:'


def test_pages(tmp_path):
    """The pages are built without a warning; each law has its formula, each notebook a page; nothing is fetched.

    Notebooks are not run here, for that is a test of its own; and a plain theme without links to sources is quicker.
    """
    options = ["-W", "-q", "-D", "nb_execution_mode=off", "-D", "html_theme=basic"]
    options += ["-D", "extensions=sphinx.ext.autodoc,myst_nb"]
    command = [sys.executable, "-m", "sphinx", *options, "-c", "docs", "-b", "html", ".", str(tmp_path)]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    for name in every_law():
        page = (tmp_path / "docs" / "reference" / f"{name.rpartition('.')[0]}.html").read_text()
        assert re.search(rf'id="{name}".*?<math', page, re.S), name
    for notebook in (root / "notebooks").glob("*.py"):
        assert "<math" in (tmp_path / "notebooks" / f"{notebook.stem}.html").read_text()
    for page in tmp_path.glob("**/*.html"):
        assert not re.findall(FETCHED, page.read_text()), page.name


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


def test_displays_have_rows_and_pieces():
    """An aligned display is set row by row, what follows a wide gap may go to the next line; matrices stay whole."""
    rows = runpy.run_path(str(root / "docs" / "displays.py"))["rows"]
    assert rows(r"\displaystyle \begin{aligned}& a = \left(b & c\right) \\ &2 \times d\end{aligned}") == [
        [r"a = \left(b & c\right)"],
        [r"2 \times d"],
    ]
    matrix = r"F = \begin{pmatrix} 1 & {x \qquad y} \\ 0 & 1 \end{pmatrix} \leftarrow \{G\}"
    assert rows(rf"\displaystyle {matrix} \qquad x > 0 \qquad \text{{[here]}}") == [[matrix, "x > 0", r"\text{[here]}"]]
