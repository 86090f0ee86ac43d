"""What CONTRIBUTING shows is what happens."""

import importlib
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import numerics
import theory
from laws import Refuted, proof

root = Path(__file__).parent.parent
blocks = re.findall(r"```python\n(.*?)```", (root / "CONTRIBUTING.md").read_text(), re.S)


@pytest.fixture
def example(monkeypatch):
    """The three files of the example, as modules in their places."""
    for package, code in ((theory, blocks[0]), (numerics, blocks[1])):
        name = f"{package.__name__}.ridge"
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(package, "ridge", module, raising=False)
        exec(compile(code, name, "exec"), module.__dict__)
    judged: dict = {"__name__": "test_ridge"}
    exec(compile(blocks[2], "test_ridge", "exec"), judged)
    return importlib.import_module("theory.ridge"), judged


def test_the_example_holds(example):
    """The three files of the example are a law that is proved, a network that obeys it, and a rival that fails."""
    module, judged = example
    assert proof.prove(module.shrunk) == "identity"
    assert all(proof.refuted(mutant, module.shrunk) for mutant in module.shrunk.mutants().values())
    judged["test_weight_decay_shrinks"]()


def test_the_example_can_fail(example):
    """The same network refutes the example's rival, taken for the law."""
    module, judged = example
    judged["shrunk"] = lambda t, s, lam, gamma, a0, tau: module.shrunk(t=t, s=s, lam=lam, gamma=0.2, a0=a0, tau=tau)
    with pytest.raises(Refuted):
        judged["test_weight_decay_shrinks"]()


def test_the_example_is_written_as_the_rest(tmp_path):
    """The three files of the example, in their places, pass the checks of style that `make test` begins with."""
    for place, block in zip(("theory/ridge.py", "numerics/ridge.py", "validate/test_ridge.py"), blocks, strict=True):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_text(block)
    beside = f"src = ['.', '{root}']"  # the files, and those that they stand beside
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(root / "pyproject.toml")]
        told = subprocess.run([*command, "--config", beside, "."], cwd=tmp_path, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
