"""The reference pages: built by `make docs` from the docstrings, the laws and the notebooks; warnings are errors.

A formula is set as the report sets it, by `laws.mathml` and STIX Two Math: the pages fetch nothing from elsewhere.
"""

import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

from docutils.nodes import SkipNode

sys.path.insert(0, str(Path(__file__).parent))

from displays import rows  # noqa: E402
from docstrings import restructured  # noqa: E402
from pages import write  # noqa: E402

from laws.mathml import STIX, mathml  # noqa: E402

project = "Laws of learning"
release = distribution("learning-laws").version
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode", "myst_nb"]
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.py", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "paper_checks/*.md"]
exclude_patterns = ["docs/_build", "docs/*.py"]
smartquotes = False  # a prime is a derivative
highlight_language = "none"  # a display in a docstring is a formula
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_math_renderer = "mathml"
html_show_copyright = False

autodoc_typehints = "none"  # shapes, units and ranges stand in the docstrings

myst_enable_extensions = ["dollarmath"]
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = "remove"  # bars of progress


def set_docstring(app, what, name, obj, options, lines) -> None:
    """A docstring as it is written here, with the formula that a function computes above it."""
    formula = getattr(obj, "latex", None) if what == "function" else None
    stated = [f".. math:: {formula}", ""] if formula else []
    lines[:] = stated + restructured(lines, paper=what == "module")


def set_inline(self, node) -> None:
    """A formula within a line, as MathML."""
    self.body.append(mathml(node.astext()).replace('display="block"', 'display="inline"', 1))
    raise SkipNode


def set_display(self, node) -> None:
    """A formula on lines of its own, as MathML: in the middle, or row under row."""
    set_rows = [[mathml(piece) for piece in row] for row in rows(node.astext())]
    if len(set_rows) > 1 or len(set_rows[0]) > 1:
        set_rows = [[f'<span class="piece">{piece}</span>' for piece in row] for row in set_rows]
    place = "formula middle" if len(set_rows) == 1 else "formula"
    self.body += [f'<div class="{place}">{" ".join(row)}</div>' for row in set_rows]
    raise SkipNode


def copy_font(app, _) -> None:
    """The mathematical font beside the pages."""
    shutil.copy(str(distribution("ziamath").locate_file(STIX)), Path(app.outdir) / "_static")


def setup(app):
    """Join these to Sphinx."""
    app.add_html_math_renderer("mathml", (set_inline, None), (set_display, None))
    app.connect("builder-inited", lambda app: write(Path(app.srcdir) / "docs" / "reference"))
    app.connect("autodoc-process-docstring", set_docstring)
    app.connect("build-finished", copy_font)
