"""What the README shows is what happens."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from laws import Refuted

readme = (Path(__file__).parent.parent / "README.md").read_text()


def test_examples_print_what_is_shown():
    """Every prompt of the README gives the printed answer."""
    examples = "\n".join(block for block in re.findall(r"```python\n(.*?)```", readme, re.S) if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(examples, {"__name__": "readme"}, "README", "README.md", 0)
    assert test.examples and doctest.DocTestRunner(verbose=False).run(test).failed == 0


def run(script):
    """Run a block as the file that it is, with the tests in it."""
    namespace = {"__name__": "readme"}
    exec(compile(script, "README.md", "exec"), namespace)
    for name in [name for name in namespace if name.startswith("test_")]:
        namespace[name]()


def scripts():
    """The Python blocks that are no prompts."""
    return [block for block in re.findall(r"```python\n(.*?)```", readme, re.S) if ">>>" not in block]


def test_scripts_run(tmp_path, monkeypatch):
    """Every other Python block of the README runs as it stands, the last of them on a table of noisy runs."""
    monkeypatch.chdir(tmp_path)
    random, lines = np.random.default_rng(5), ["run,t,loss"]
    for member in range(8):
        lines += [f"{member},{t},{1.2 * np.exp(-1.2 * t) + 0.02 * random.normal():.6f}" for t in (0.5, 1, 2, 3)]
    Path("runs.csv").write_text("\n".join(lines))
    assert len(scripts()) >= 3
    for script in scripts():
        run(script)


def test_a_wrong_law_is_told_as_the_guide_says():
    """The law of the guide without its 1/2 fails with the printed message."""
    (guide,) = [script for script in scripts() if "return eta * c / 2 * (1" in script]
    with pytest.raises(Refuted) as caught:
        run(guide.replace("return eta * c / 2 * (1", "return eta * c * (1"))
    told = str(caught.value).rpartition("\n")[0]  # the last line says how to repeat it
    assert f"```\n{told}\n```" in readme


def test_the_picture_can_be_made_again():
    """The script that draws the README's picture still draws it, laws and runs in both panels."""
    root = Path(__file__).parent.parent
    script = runpy.run_path(str(root / "docs" / "digits.py"))
    panels = script["draw"]().axes
    assert [len(panel.lines) for panel in panels] == [2 * script["MODES"]] * 2


def test_files_that_are_named_exist():
    """Links and folders named in the README are there."""
    root = Path(__file__).parent.parent
    for name in re.findall(r"\]\(([\w/.]+)\)|^\| `(\w+/)` \|", readme, re.M):
        assert (root / "".join(name)).exists(), name
