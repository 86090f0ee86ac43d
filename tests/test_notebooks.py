"""Every notebook runs from top to bottom, in a kernel of its own."""

import re
import runpy
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from laws.mathml import mathml

root = Path(__file__).parent.parent
sources = sorted((root / "notebooks").glob("*.py"))
rows = runpy.run_path(str(root / "docs" / "displays.py"))["rows"]


def executed(path):
    """The outputs of all cells of a notebook, as its data by type."""
    notebook = jupytext.read(path)
    with TemporaryDirectory() as folder:  # sockets there, and no ports; their paths must be short
        sockets = Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})
        client = NotebookClient(notebook, timeout=600, startup_timeout=300, kernel_name="python3", config=sockets)
        client.execute(cwd=path.parent)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert all(output.output_type != "error" for output in outputs)  # what cannot be shown stops no cell
    return [output.get("data", {"text/plain": output.get("text", "")}) for output in outputs]


def test_there_are_notebooks():
    """The folder holds notebooks: otherwise the next test would pass by running none."""
    assert sources


def test_readme_lists_them():
    """The README's table of notebooks names each of them, and no other."""
    readme = (root / "README.md").read_text()
    _, rows, _ = re.split(r"\n## Notebooks\n|\n## A thousand networks\n", readme)
    named = [name for row in rows.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == [path.stem for path in sources]


@pytest.mark.parametrize("path", sources, ids=lambda path: path.stem)
def test_notebook(path, monkeypatch):
    """A notebook runs without an error, shows formulas, figures, a claim that holds and one that fails.

    Its formulas are such as the reference pages can set: no mark of a row or column is left in a line.
    """
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shown = executed(path)
    text = "".join(data.get("text/html", data.get("text/plain", "")) for data in shown)
    assert sum("text/latex" in data for data in shown) >= 3
    assert sum("image/png" in data for data in shown) >= 2
    formulas = [data["text/latex"].strip().strip("$") for data in shown if "text/latex" in data]
    pieces = [mathml(piece) for formula in formulas for row in rows(formula) for piece in row]
    assert not any(mark in piece for piece in pieces for mark in ("<mi>&</mi>", 'linebreak="newline"'))
    assert re.search(r": holds$", text, re.M) and re.search(r": FAILS$", text, re.M)
