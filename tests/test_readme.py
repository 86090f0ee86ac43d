"""What the README shows is what happens."""

import doctest
import re
import runpy
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.md").read_text()


def test_examples_print_what_is_shown():
    """Every prompt of the README gives the printed answer."""
    examples = "\n".join(block for block in re.findall(r"```python\n(.*?)```", readme, re.S) if ">>>" in block)
    test = doctest.DocTestParser().get_doctest(examples, {}, "README", "README.md", 0)
    assert test.examples and doctest.DocTestRunner(verbose=False).run(test).failed == 0


def test_scripts_run():
    """Every other Python block of the README runs as it stands."""
    scripts = [block for block in re.findall(r"```python\n(.*?)```", readme, re.S) if ">>>" not in block]
    assert scripts
    for script in scripts:
        exec(compile(script, "README.md", "exec"), {})


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
