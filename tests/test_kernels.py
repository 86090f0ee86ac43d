"""The kernel compiles itself, wherever it can, and says so where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from numerics.kernels import loader

root = Path(__file__).parent.parent
HELLO = 'extern "C" int answer() { return 42; }\n'
LOAD = "import sys, pathlib; from numerics.kernels.loader import load; library = load(pathlib.Path(sys.argv[1]))\n"
ASK = LOAD + "assert library and library.answer() == 42"


def environment(cache, **changes):
    """An environment with a cache of its own."""
    return {**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(cache), **changes}


def ask(source, cache, code=ASK, **changes):
    """Another process that loads a library."""
    command = [sys.executable, "-c", code, str(source)]
    return subprocess.Popen(command, env=environment(cache, **changes), text=True, stderr=subprocess.PIPE)


def finished(process):
    """What it had to say, when it has ended well."""
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


@pytest.fixture
def hello(tmp_path):
    """A source that compiles in no time."""
    source = tmp_path / "hello.cpp"
    source.write_text(HELLO)
    return source


@pytest.fixture
def empty(tmp_path):
    """A PATH with nothing on it."""
    (tmp_path / "nothing").mkdir()
    return str(tmp_path / "nothing")


@pytest.fixture
def compiler():
    """The compiler here, or None."""
    try:
        return loader._compiler()
    except FileNotFoundError:
        return None


def test_processes_may_race(hello, tmp_path, compiler):
    """Processes that compile at the same time all get the library, and leave one file behind."""
    if not compiler:
        assert loader.load(hello) is None
        return
    for process in [ask(hello, tmp_path / "cache") for _ in range(4)]:
        assert finished(process) == ""
    (only,) = (tmp_path / "cache" / "learning-laws").iterdir()
    assert only.suffix == ".so"


def test_the_cache_is_used_renewed_and_mended(hello, tmp_path, compiler, monkeypatch):
    """A library is compiled once; another source or other flags make another; a damaged one is made anew."""
    if not compiler:
        assert loader.load(hello) is None
        return
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "learning-laws"
    load = loader.load.__wrapped__
    assert load(hello).answer() == 42
    (first,) = folder.iterdir()
    made = first.stat().st_mtime_ns
    assert load(hello).answer() == 42 and first.stat().st_mtime_ns == made
    hello.write_text(HELLO.replace("42", "43"))
    assert load(hello).answer() == 43 and len(list(folder.iterdir())) == 2
    monkeypatch.setattr(loader, "FLAGS", (*loader.FLAGS, "-DOTHER"))
    assert load(hello).answer() == 43 and len(list(folder.iterdir())) == 3
    for file in folder.iterdir():
        file.unlink()
        file.write_bytes(b"torn")
    assert finished(ask(hello, tmp_path / "cache", ASK.replace("42", "43"))) == ""


def test_without_a_compiler_there_is_a_notice(hello, tmp_path, empty):
    """One line on standard error says why torch and numpy take the place of kernels; twice asked, it is said once."""
    code = LOAD + "assert library is None and load(pathlib.Path(sys.argv[1])) is None"
    said = finished(ask(hello, tmp_path / "cache", code, PATH=empty, CXX=""))
    assert said.count("\n") == 1 and "no C++ compiler on the PATH" in said and "batched torch" in said


def test_a_compiler_that_fails_is_quoted(hello, tmp_path, compiler):
    """The notice quotes the compiler's error, and nothing is left in the cache."""
    if not compiler:
        assert loader.load(hello) is None
        return
    hello.write_text("no c plus plus at all")
    said = finished(ask(hello, tmp_path / "cache", LOAD + "assert library is None"))
    assert said.count("\n") == 1 and "error" in said and "batched torch" in said
    assert not list((tmp_path / "cache" / "learning-laws").iterdir())


def test_ensembles_pass_their_tests_without_a_compiler(tmp_path, empty):
    """With no compiler on the PATH all that is said of device='cpu' holds of batched torch."""
    file = str(root / "tests" / "test_ensemble.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", "not torch", file]
    hidden = environment(tmp_path / "cache", PATH=empty, CXX="")
    done = subprocess.run(command, cwd=root, env=hidden, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout and not (tmp_path / "cache").exists()
