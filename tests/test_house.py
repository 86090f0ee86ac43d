"""The walls of the house stand where they are said to stand."""

import ast
import re
from pathlib import Path

import pytest

root = Path(__file__).parent.parent
sources = sorted(
    p
    for folder in ("laws", "theory", "numerics", "validate", "tests", "paper_checks")
    for p in root.glob(f"{folder}/**/*.py")
)
every_source = pytest.mark.parametrize("path", sources, ids=lambda p: str(p.relative_to(root)))

FORBIDDEN = {
    "numerics": {"theory", "laws", "functorch"},
    "theory": {"numerics", "torch", "functorch"},
    "laws": {"theory", "numerics", "torch", "functorch"},
    "paper_checks": {"theory"},
}


def imported(path):
    """The top-level packages that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def crossed(path, names):
    """What a file imports over a wall; the command line alone, `laws/__main__.py`, may know all sides."""
    inside = path.relative_to(root)
    return set() if inside.as_posix() == "laws/__main__.py" else FORBIDDEN.get(inside.parts[0], set()) & set(names)


@every_source
def test_imports_respect_the_walls(path):
    """`numerics` knows no theory, `theory` no torch, `laws` neither, and `paper_checks` stand on their own."""
    assert not crossed(path, imported(path))


def test_only_the_command_line_sees_over_the_walls():
    """A study that is started by its name knows as little as any other module of numerics."""
    assert crossed(root / "numerics" / "rnn" / "__main__.py", ["numpy", "theory"]) == {"theory"}
    assert not crossed(root / "laws" / "__main__.py", ["numpy", "theory"])


@every_source
def test_modules_stay_short(path):
    """One idea a module: none of the shipped ones is longer than 350 lines."""
    if path.relative_to(root).parts[0] in ("laws", "theory", "numerics"):
        assert len(path.read_text().splitlines()) <= 350


def test_no_results_lie_beside_the_sources():
    """What tests and studies run leaves nothing in the checkout."""
    assert not list(root.glob("*/*.failed.json"))


def test_no_package_markers_where_names_are_taken():
    """`validate`, `tests` and `paper_checks` have no __init__.py: others own those import names."""
    assert not [f for f in ("validate", "tests", "paper_checks") if (root / f / "__init__.py").exists()]


def test_every_test_says_what_it_claims():
    """Every test has a docstring, which is its claim in English."""
    silent = []
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and re.match("test_", node.name) and not ast.get_docstring(node):
                silent.append(f"{path.name}:{node.name}")
    assert not silent
