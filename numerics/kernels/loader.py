"""Compile a C++ source at first use and load it, from the user's cache ever after.

The cache is $XDG_CACHE_HOME/learning-laws, or ~/.cache/learning-laws.  A library's name there is a digest of its
source, the headers beside it, the compiler's version, the flags and the processor, so that none of them can change
unnoticed.  It is written beside its place and renamed into it: processes may race.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

COMPILERS = ("g++", "clang++", "c++")
FLAGS = ("-std=c++17", "-O3", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-Wno-unknown-pragmas")
TUNED = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ("-mcpu=native",), ())
PATIENCE = 300  # seconds that a compiler may take


@cache
def load(source: Path) -> ctypes.CDLL | None:
    """The compiled library, or None, with one line on standard error that says why there is none."""
    try:
        return _found_or_compiled(source)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"learning-laws: {error}; batched torch and numpy take its place, which are slower", file=sys.stderr)
        return None


def _found_or_compiled(source: Path) -> ctypes.CDLL:
    compiler = _compiler()
    version = _run([*compiler, "--version"])
    for tuning in TUNED:
        library = _folder() / f"{source.stem}-{_digest(source, version, tuning)}.so"
        if library.exists() and (loaded := _opened(library)):
            return loaded
        try:
            _compile([*compiler, *FLAGS, *tuning], source, library)
            return ctypes.CDLL(str(library))
        except ChildProcessError as error:  # perhaps it does not know these flags
            failure = error
    raise failure


def _compiler() -> list[str]:
    for name in (os.environ.get("CXX", ""), *COMPILERS):
        words = shlex.split(name)
        if words and shutil.which(words[0]):
            return words
    raise FileNotFoundError(f"no C++ compiler on the PATH ($CXX, {', '.join(COMPILERS)})")


def _compile(command: list[str], source: Path, library: Path) -> None:
    library.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=library.parent, prefix=f".{source.stem}-", suffix=".so")
    os.close(descriptor)
    try:
        _run([*command, "-o", unfinished, str(source)])
        os.replace(unfinished, library)
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise ChildProcessError(f"{command[0]} fails: {lines[0] if lines else done.returncode}")
    return done.stdout


def _opened(library: Path) -> ctypes.CDLL | None:
    """What is in the cache, unless it is damaged."""
    try:
        return ctypes.CDLL(str(library))
    except OSError:
        return None


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learning-laws"


def _digest(source: Path, version: str, tuning: tuple[str, ...]) -> str:
    shared = [header.read_text() for header in sorted(source.parent.glob("*.h"))]
    about = [source.read_text(), *shared, version, *FLAGS, *tuning, _processor()]
    return hashlib.sha256("\0".join(about).encode()).hexdigest()[:24]


def _processor() -> str:
    """What decides which instructions there are: on Linux the processor's own list of them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
