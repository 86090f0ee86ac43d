"""The pages of the reference: one for each public module, with its docstring, its laws, and what else is public."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

from docstrings import escaped

from laws.broken import broken
from laws.law import Law, found_in
from laws.mathml import mathml
from laws.typeset import latex

PACKAGES = {"theory": "The laws", "numerics": "The networks", "laws": "Laws, judges and reports"}


def write(folder: Path) -> None:
    """A page for every public module, and one that lists those of a package; what has no module any more is removed."""
    folder.mkdir(exist_ok=True)
    pages, shown = {}, set()
    for package, title in PACKAGES.items():
        names = public_modules(package)
        pages[f"{package}-index"] = _headed(title, "=") + ".. toctree::\n   :maxdepth: 1\n\n" + _indented(names)
        pages |= {name: _page(importlib.import_module(name), shown) for name in names}
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        page = folder / f"{name}.rst"
        if not page.exists() or page.read_text() != text:  # what has not changed is not built again
            page.write_text(text)


def public_modules(package: str) -> list[str]:
    """A package and the modules in it that users import."""
    found = [m.name for m in pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")]
    return [package, *(name for name in found if "._" not in name)]


def _page(module: ModuleType, shown: set[int]) -> str:
    """The page of a module; what stands on an earlier page is not said again."""
    laws = dict(found_in(module)) if module.__name__.startswith("theory.") else {}
    own = [name for name, x in vars(module).items() if inspect.getmodule(x) is module and not name.startswith("_")]
    members = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    rest = [n for n, x in members.items() if id(x) not in shown and (inspect.isclass(x) or inspect.isroutine(x))]
    shown |= {id(x) for x in members.values()}
    text = _headed(module.__name__, "=") + f".. automodule:: {module.__name__}\n\n"
    if laws:
        text += _headed("Laws", "-") + "".join(_law(name, law) for name, law in laws.items())
    if rest:
        text += _headed("Functions and classes" if laws else "Contents", "-")
        text += "".join(_member(f"{module.__name__}.{name}", members[name]) for name in rest)
    return text


def _law(name: str, law: Law) -> str:
    """A law: its formula, its hypotheses, where it is from, and how it is called."""
    lines = broken(law.lhs, "=" if law.upto is None else r"\simeq", law.rhs).split("\n\n")
    formula = "".join(
        '<div class="formula">' + " ".join(f"<span>{mathml(piece)}</span>" for piece in line.split("\n")) + "</div>"
        for line in lines
    )
    given = ", ".join(f":math:`{latex(hypothesis)}`" for hypothesis in law.given) or "nothing"
    example = ", ".join(f"{x.name}={law.examples[0][x.name]}" for x in law.symbols)
    body = [
        f".. raw:: html\n\n      {formula}",
        f"given {given}",
        f"from {escaped(str(law.source))}",
        f"``{name}({example})``",
    ]
    return f".. py:data:: {name}\n\n" + "".join(f"   {part}\n\n" for part in body)


def _member(name: str, member: object) -> str:
    kind = "autoclass" if inspect.isclass(member) else "autofunction"
    return f".. {kind}:: {name}\n" + "   :members:\n" * inspect.isclass(member) + "\n"


def _headed(title: str, rule: str) -> str:
    return f"{title}\n{rule * len(title)}\n\n"


def _indented(names: list[str]) -> str:
    return "".join(f"   {name}\n" for name in names)
