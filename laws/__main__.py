"""The command line of the laws.

    laws list [PART OF A NAME] [--csv]                     every law and its source; csv: statement, hypotheses too
    laws show two_layers                                   one law, typeset for the terminal
    laws eval two_layers t=0.4,1.2 s=1.7 lam=0.6 a0=0.1 tau=1.3 --digits 30
    laws eval two_layers t=0:6:13 s=1.7 lam=0.6 a0=0.1 tau=1.3 --csv      13 times from 0 to 6, both included
    laws plot two_layers t=0:6:100 a0=0.01,0.1,1           a line for each a0; the rest as in the law's first example
    laws run corridor|sweep|rnn|noise                      train networks, go on where that was stopped, draw a figure
    laws report [FOLDERS, FILES OR TESTS]                  confront laws and networks, and leave the report
    laws diff old/verdicts.json new/verdicts.json          margins that shrink before anything fails

Exit codes: 0 all is well; 1 a claim fails or is gone, or a network could not be trained; 2 the request was wrong;
130 it was stopped by Ctrl-C, and what was stored by then stays.
"""

from __future__ import annotations

import csv
import importlib
import itertools
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import sympy as sp
import tyro
from tyro.conf import OmitSubcommandPrefixes, Positional, arg, subcommand

from laws import difference, plot
from laws.law import Law, found_in
from laws.typeset import plain, pretty

Named = Annotated[Positional[str], arg(metavar="LAW", help="its name, as far as it is unambiguous")]
At = Annotated[
    Positional[tuple[str, ...]],
    arg(metavar="[NAME=VALUES ...]", help="name=value, name=value,value or name=first:last:count, both included"),
]


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
    name: Named,
    latex: Annotated[bool, arg(help="LaTeX source instead of a formula for the terminal")] = False,
) -> int:
    """Show one law: its formula, hypotheses, source and examples."""
    full, law = find(name)
    if latex:
        print(law.latex())
        return 0
    equation = pretty(sp.Eq(law.lhs, law.rhs, evaluate=False))
    print(full + "\n\n" + (equation.replace(" = ", " ≃ ", 1) if law.upto else equation) + "\n")
    print("given   ", ", ".join(pretty(h) for h in law.given) or "nothing")
    if law.upto:
        small, power = law.upto
        print("up to   ", "residuals of order", plain(sp.sstr(small**power).replace("**", "^")))
    print("source  ", law.source)
    example = " ".join(f"{x.name}={law.examples[0][x.name]}" for x in law.symbols)
    print("try     ", f"laws eval {full} {example}")
    return 0


def evaluate(
    name: Named,
    at: At = (),
    digits: Annotated[int, arg(help="right digits to give; 0 means float64")] = 0,
    csv: Annotated[bool, arg(help="comma-separated values instead of a table")] = False,
) -> int:
    """Evaluate one law at given values, for every combination of the values listed."""
    _, law = find(name)
    values = _values(at)
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


def draw(
    name: Named,
    at: At = (),
    out: Annotated[Path | None, arg(help="the file, .png, .svg or .pdf; NAME.png if None")] = None,
    log: Annotated[Literal["none", "x", "y", "xy"], arg(help="logarithmic axes; so is a range along x")] = "none",
) -> int:
    """Draw one law over the symbol that has a range, with a line for each value of others.

    What is not given is as in the law's examples, and said.
    """
    full, law = find(name)
    path = Path(f"{law.name}.png") if out is None else out
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"out = {str(path)!r} must end in .png, .svg or .pdf")
    ranges = [text.partition("=")[0] for text in at if ":" in text]
    if len(ranges) > 1:
        raise ValueError(f"{' and '.join(ranges)} are ranges: sweep one symbol, and list others as name=value,value")
    spaced = _in_ratios if "x" in log else np.linspace
    given = {name: [_float(name, v) for v in listed] for name, listed in _values(at, spaced).items()}
    axes = log.replace("none", "")
    whole, swept = plot.filled(law, given, *ranges, log=axes)
    plot.figure(law, whole, swept, axes).savefig(path, dpi=150)
    print(f"{full} over {swept}: {path}")
    spans = {swept: f":{whole[swept][-1]:g}:{len(whole[swept])}"}
    if usual := [f"{x}={v[0]:g}{spans.get(x, '')}" for x, v in whole.items() if x not in given]:
        print(f"as in its examples: {' '.join(usual)}")
    return 0


def report(
    tests: Annotated[
        Positional[tuple[str, ...]], arg(metavar="[TESTS ...]", help="folders, files, or file.py::test")
    ] = (),
    folder: Annotated[Path, arg(help="for index.html and verdicts.json")] = Path("report"),
    full: Annotated[bool, arg(help="run the tests marked `full` too, which take long")] = False,
    workers: Annotated[int, arg(help="processes (pytest-xdist); 0: this one alone")] = 0,
) -> int:
    """Run tests that confront laws with networks, and leave the report: `pytest TESTS --report-dir FOLDER`.

    Without TESTS they are `validate` and `paper_checks` of the checkout of this project, as `make validate` has them.
    """
    own = [Path(__file__).parent.parent / folder for folder in ("validate", "paper_checks")]
    if not tests and not all(path.is_dir() for path in own):
        raise ValueError("this installation has no folder `validate`: name your own tests, or run it from a checkout")
    named = tests or list(map(str, own))
    if missing := [name for name in named if not Path(name.partition("::")[0]).exists()]:
        raise ValueError(f"there is no {' and no '.join(missing)}")
    if workers < 0:
        raise ValueError(f"workers = {workers} is negative")
    options = [*(["--full"] if full else []), *(["-n", str(workers)] if workers else [])]
    code = _finished([sys.executable, "-m", "pytest", *named, f"--report-dir={folder.absolute()}", *options])
    return code if code in (0, 1, 130) else 2  # pytest's other codes: a wrong request, nothing to run


def _finished(command: Sequence[str]) -> int:
    """The exit code of a command that has the time to end by itself when Ctrl-C stops it, and then 130."""
    running = subprocess.Popen(command)
    try:
        return running.wait()
    except KeyboardInterrupt:
        running.wait()
        return 130


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
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable] = {
        "list": list_laws, "show": show, "eval": evaluate, "plot": draw, "run": _runs, "report": report, "diff": diff,
    }  # fmt: skip
    choices = {name: _command(name, made) for name, made in commands.items()}
    if given[:1] == ["run"] or any(word.startswith("--tyro-") for word in given):
        runs = reduce(or_, (_command(name, made) for name, made in _runs().items()))
        choices["run"] = Annotated[runs, subcommand("run", description=_runs.__doc__)]
    try:
        code = tyro.cli(reduce(or_, choices.values()), prog="laws", args=given, config=(OmitSubcommandPrefixes,))
    except (ValueError, TypeError, ArithmeticError, OSError, RuntimeError) as error:
        print(f"laws: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("laws: stopped; what was stored stays, and the same command goes on from there", file=sys.stderr)
        return 130
    return code or 0


def _runs() -> dict[str, Callable]:
    """Train networks, go on where that was stopped, draw a figure: corridor, sweep, rnn, noise."""
    from numerics.codes import levels
    from numerics.corridor.__main__ import main as corridor
    from numerics.rnn import study

    return {"corridor": corridor, "sweep": _sweep, "rnn": study, "noise": levels}


def _sweep(
    size: Literal["quick", "full", "published"] = "quick",
    networks: int | None = None,
    steps: int | None = None,
    seed: int = 1,
    folder: Path = Path("generality"),
    workers: int | None = None,
    shard: str = "1/1",
    dask: str | None = None,
    slurm: int | None = None,
    cost: bool = False,
) -> int:
    """Train networks over all axes of the published sweep of drift: rule, noise, activation, sizes, start and task.

    Args:
        size: 96 networks of 100,000 steps; 384 of 1,000,000; or 1,117 of 10,000,000.
        networks: how many, instead.
        steps: of each, instead.
        seed: of the design.
        folder: for a file of each network, and figure.png.
        workers: processes of this machine; as many as there are cores if None.
        shard: I/N, only the I-th of N parts, as in a job array.
        dask: address of the scheduler of a Dask cluster to run on.
        slurm: jobs of SLURM to run on, configured as dask-jobqueue's are.
        cost: say how many hours of one core it takes, and no more.

    Returns:
        0, or 1 if a network failed.
    """
    from numerics.generality.__main__ import main

    options = dict(size=size, networks=networks, steps=steps, seed=seed, folder=folder, workers=workers, shard=shard)
    options |= dict(dask=dask, slurm=slurm)
    return main([*(f"--{k}={v}" for k, v in options.items() if v is not None), *(["--cost"] if cost else [])])


def _command(name: str, made: Callable) -> Any:
    """A command as tyro reads it."""
    return Annotated[Any, subcommand(name, constructor=made)]


def _values(at: Sequence[str], spaced: Callable = np.linspace) -> dict[str, list[str]]:
    """What `name=value,value` and the like give, name by name."""
    values: dict[str, list[str]] = {}
    for text in at:
        name, listed = _assignment(text, spaced)
        if name in values:
            raise ValueError(f"{name} is given twice; list its values as {name}=value,value")
        values[name] = listed
    return values


def _assignment(text: str, spaced: Callable) -> tuple[str, list[str]]:
    name, equals, values = text.partition("=")
    if not equals or not name or not values:
        raise ValueError(f"{text!r} is not of the form name=value, name=value,value or name=first:last:count")
    parts = (_range(name, part, spaced) if ":" in part else [part] for part in values.split(","))
    return name, [value for part in parts for value in part]


def _range(name: str, text: str, spaced: Callable) -> list[str]:
    """Evenly spaced values, or values in equal ratios, as they are then printed and taken."""
    first, last, count = (text.split(":") + ["", ""])[:3]
    if text.count(":") != 2 or not count.isdecimal() or int(count) < 2:
        raise ValueError(f"{name} = {text!r} is not of the form first:last:count with a count of at least 2")
    try:
        return [f"{value:.15g}" for value in spaced(_float(name, first), _float(name, last), int(count))]
    except ValueError as error:
        raise ValueError(f"{name} = {text!r}: {error}") from None


def _in_ratios(first: float, last: float, count: int) -> np.ndarray:
    if not (first > 0 and last > 0):
        raise ValueError("a logarithmic axis needs positive values")
    return np.geomspace(first, last, count)


def _float(name: str, text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{name} = {text!r} is not a number") from None


def _csv(rows) -> None:
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
