"""The command line: `laws list`, `laws show`, `laws eval`, `laws diff`.

    laws list [PART OF A NAME] [--csv]                     every law and its source; csv: statement, hypotheses too
    laws show two_layers                                   one law, typeset for the terminal
    laws eval two_layers t=0.4,1.2 s=1.7 lam=0.6 a0=0.1 tau=1.3 --digits 30
    laws eval two_layers t=0:6:13 s=1.7 lam=0.6 a0=0.1 tau=1.3 --csv      13 times from 0 to 6, both included
    laws diff old/verdicts.json new/verdicts.json          margins that shrink before anything fails

Exit codes: 0 all is well, 1 `diff` found a claim that fails or is gone, 2 the request was wrong.
"""

from __future__ import annotations

import csv
import importlib
import itertools
import pkgutil
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import sympy as sp
import tyro
from tyro.conf import Positional, arg

from laws import difference
from laws.law import Law, found_in

SPELLED = {"lam": "lamda", "af": "a_f"}


def list_laws(
    topic: Annotated[Positional[str], arg(help="only laws whose name contains this")] = "",
    csv: Annotated[bool, arg(help="comma-separated, with statement and hypotheses")] = False,
) -> int:
    """List every law with its source."""
    rows = [
        (name, f"{law.lhs} = {law.rhs}", ", ".join(map(str, law.given)), str(law.source))
        for name, law in every_law().items()
        if topic in name
    ]
    if not rows:
        raise ValueError(f"no law's name contains {topic!r}")
    if csv:
        _csv([("name", "statement", "given", "source"), *rows])
        return 0
    width = max(len(row[0]) for row in rows)
    for name, _, _, source in rows:
        print(f"{name:<{width}}  {source}")
    return 0


def show(
    name: Positional[str],
    latex: Annotated[bool, arg(help="LaTeX source instead of a formula for the terminal")] = False,
) -> int:
    """Show one law: its formula, hypotheses, source and examples."""
    full, law = find(name)
    if latex:
        print(law.latex())
        return 0
    spelled = {x: sp.Symbol(SPELLED.get(x.name, x.name)) for x in law.symbols}
    written = lambda expr: sp.pretty(expr.subs(spelled), use_unicode=True, wrap_line=False)  # noqa: E731
    equation = written(sp.Eq(law.lhs, law.rhs, evaluate=False))
    print(full + "\n\n" + (equation.replace(" = ", " ≃ ", 1) if law.upto else equation) + "\n")
    print("given   ", ", ".join(written(h) for h in law.given) or "nothing")
    if law.upto:
        small, power = law.upto
        print("up to   ", f"residuals of order {small.subs(spelled)}^({sp.sstr(power.subs(spelled))})")
    print("source  ", law.source)
    example = " ".join(f"{x.name}={law.examples[0][x.name]}" for x in law.symbols)
    print("try     ", f"laws eval {full} {example}")
    return 0


def evaluate(
    name: Positional[str],
    at: Annotated[Positional[tuple[str, ...]], arg(help="name=value, name=value,value or name=first:last:count")] = (),
    digits: Annotated[int, arg(help="right digits to give; 0 means float64")] = 0,
    csv: Annotated[bool, arg(help="comma-separated values instead of a table")] = False,
) -> int:
    """Evaluate one law at given values, for every combination of the values listed."""
    _, law = find(name)
    values: dict[str, list[str]] = {}
    for text in at:
        name, listed = _assignment(text)
        if name in values:
            raise ValueError(f"{name} is given twice; list its values as {name}=value,value")
        values[name] = listed
    names = [x.name for x in law.symbols]
    rows: list[tuple[str, ...]] = []
    for point in itertools.product(*values.values()):
        here = dict(zip(values, point, strict=True))
        result = law.exact(digits, **here) if digits else law(**{k: _float(k, v) for k, v in here.items()})
        rows.append((*(here[n] for n in names), str(result)))
    table = [(*names, str(law.lhs)), *rows]
    if csv:
        _csv(table)
        return 0
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    return 0


def diff(old: Positional[Path], new: Positional[Path]) -> int:
    """Compare two verdicts.json: what fails, what is gone, and which margins have shrunk."""
    lines, sound = difference.compare(difference.read(old), difference.read(new))
    print("\n".join(lines))
    return 0 if sound else 1


def every_law() -> dict[str, Law]:
    """Every law of `theory`, by its full name."""
    import theory

    modules = (importlib.import_module(f"theory.{m.name}") for m in pkgutil.iter_modules(theory.__path__))
    return {f"{module.__name__}.{name}": law for module in modules for name, law in found_in(module)}


def find(name: str) -> tuple[str, Law]:
    """The law with this name, full or as far as it is unambiguous; ValueError with near names otherwise."""
    laws = every_law()
    matches = [full for full in laws if full == name or full.endswith("." + name)]
    if len(matches) == 1:
        return matches[0], laws[matches[0]]
    if matches:
        raise ValueError(f"{name!r} may be {' or '.join(matches)}")
    near = [full for full in laws if name.rpartition(".")[2] in full]
    raise ValueError(f"there is no law {name!r}; " + (f"near: {', '.join(near)}" if near else "`laws list` shows all"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors go to standard error, with exit code 2."""
    commands: dict[str, Callable] = {"list": list_laws, "show": show, "eval": evaluate, "diff": diff}
    try:
        return tyro.extras.subcommand_cli_from_dict(commands, prog="laws", args=arguments)
    except (ValueError, TypeError, ArithmeticError, OSError) as error:
        print(f"laws: {error}", file=sys.stderr)
        return 2


def _assignment(text: str) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise ValueError(f"{text!r} is not of the form name=value, name=value,value or name=first:last:count")
    return name, [value for part in values.split(",") for value in (_range(name, part) if ":" in part else [part])]


def _range(name: str, text: str) -> list[str]:
    """Evenly spaced values, as they are then printed and taken."""
    first, last, count = (text.split(":") + ["", ""])[:3]
    if text.count(":") != 2 or not count.isdecimal() or int(count) < 2:
        raise ValueError(f"{name} = {text!r} is not of the form first:last:count with a count of at least 2")
    return [f"{value:.15g}" for value in np.linspace(_float(name, first), _float(name, last), int(count))]


def _float(name: str, text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{name} = {text!r} is not a number") from None


def _csv(rows) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
