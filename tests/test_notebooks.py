"""Every notebook runs from top to bottom, in a kernel of its own."""

import re
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

sources = sorted((Path(__file__).parent.parent / "notebooks").glob("*.py"))
files = Config({"KernelManager": {"transport": "ipc"}})  # no ports: the kernel is reached through files


def test_there_are_notebooks():
    """The folder holds notebooks: otherwise the next test would pass by running none."""
    assert sources


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", sources, ids=lambda path: path.stem)
def test_notebook(path, monkeypatch):
    """A notebook runs without an error, shows formulas, figures, a claim that holds and one that fails."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = jupytext.read(path)
    NotebookClient(notebook, timeout=600, kernel_name="python3", config=files).execute(cwd=path.parent)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [output.get("data", {}) for output in outputs]
    text = "".join(output.get("text", "") for output in outputs) + "".join(d.get("text/html", "") for d in shown)
    assert sum("text/latex" in data for data in shown) >= 3
    assert sum("image/png" in data for data in shown) >= 2
    assert re.search(r"\w: holds\n", text) and re.search(r"\w: FAILS\n", text)
