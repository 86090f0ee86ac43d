"""The sweep from the command line: python -m numerics.generality."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from numerics.checks import whole as whole_number
from numerics.generality import (
    ACTIVATIONS,
    MEASURES,
    RULES,
    TOGETHER,
    Drift,
    Outcome,
    Part,
    Sweep,
    alike,
    as_csv,
    as_text,
    cost,
    figure,
    levels,
    overview,
    train,
)
from numerics.store import Store
from numerics.sweep import Packed
from numerics.sweep import main as sweep

SIZES = {"quick": (96, 10**5), "full": (384, 10**6), "published": (1117, 10**7)}  # networks and steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the design costs, then train what is not stored yet; code as of `numerics.sweep.main`."""
    parser = argparse.ArgumentParser(
        description="Networks over all axes of the published sweep.",
        epilog="Further options are those of a sweep: --workers N, --dask ADDRESS, --slurm JOBS, --shard I/N.",
    )
    parser.add_argument("--size", choices=SIZES, default="quick", help="networks and steps: %(default)s")
    parser.add_argument("--networks", type=int, help="how many, instead")
    parser.add_argument("--steps", type=int, help="of each, instead")
    parser.add_argument("--seed", type=int, default=1, help="of the design: %(default)s")
    parser.add_argument("--together", type=int, default=TOGETHER, help="how many are drawn alike: %(default)s")
    parser.add_argument("--activations", nargs="+", choices=ACTIVATIONS, help="of the design, those with these only")
    parser.add_argument("--rules", nargs="+", choices=RULES, help="of the design, those with these only")
    parser.add_argument("--cost", action="store_true", help="print what it costs, and no more")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="where to put the curves of all, in one file")
    parser.add_argument("--folder", type=Path, default=Path("generality"), help="where results are kept: %(default)s")
    asked, rest = parser.parse_known_args(arguments)
    instead = zip((asked.networks, asked.steps), SIZES[asked.size], strict=True)
    networks, steps = (usual if given is None else given for given, usual in instead)
    try:
        whole_number("steps", steps, 3)  # of which a time constant is told
        drawn = Sweep(networks, steps, asked.seed, asked.together)
        whole: Sweep | Part = drawn
        if asked.activations or asked.rules:
            whole = Part(drawn, tuple(asked.activations or ACTIVATIONS), tuple(asked.rules or RULES))
        settings = whole.settings()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    core_hours = cost(settings, train, TOGETHER) / 3600
    print(f"{len(settings)} networks, {steps:,} steps each, take {core_hours:.2g} hours of one core", flush=True)
    if asked.cost:
        return 0
    code = sweep(Packed(train, alike, TOGETHER), settings, asked.folder, rest)
    return code or _kept(whole, settings, Store(asked.folder), asked.record)


def _kept(whole: Sweep | Part, settings: list[Drift], store: Store, record: Path | None) -> int:
    """Draw the figures of a sweep that is complete, write its tables, and put its curves into `record` if asked for."""
    if missing := sum(store.find(one) is None for one in settings):
        what = "no figure and no record" if record else "no figure"
        print(f"{what}: {missing} of {len(settings)} networks are not in {str(store.folder)!r}", file=sys.stderr)
        return 1 if record else 0
    folder, table = Path(store.folder), whole.table(store)
    figure(settings, table).savefig(folder / "figure.png", dpi=120)
    one = Outcome([whole], [table])
    overview(one).savefig(folder / "overview.png", dpi=120)
    comma, words = tables(one)
    (folder / "factors.csv").write_text(comma)
    (folder / "factors.txt").write_text(words)
    print(words)
    print(f"kept in {folder}: figure.png, overview.png, factors.csv, factors.txt")
    if record:
        Store(record).prepare()
        print(Store(record).save(whole, table))
    return 0


def tables(one: Outcome) -> tuple[str, str]:
    """Which factor changes how much is left, with intervals: as comma-separated values, and in words."""
    comma, words = "", ""
    for curve, said in MEASURES.items():
        chosen = one.steady & (one.relu if curve == "active_fraction" else ~one.relu)
        if not chosen.any():
            continue
        rows, units = levels(one, curve, chosen), "ReLU" if curve == "active_fraction" else "other"
        lines = as_csv(rows).splitlines()
        comma += "" if comma else f"of,{lines[0]}\n"
        comma += "".join(f"{curve},{line}\n" for line in lines[1:])
        words += f"{said}, of {units} networks that have not diverged; not of SED\n{as_text(rows)}\n"
    note = f"left: at the end of what there was after a hundredth of {one.steps[-1]:,} steps"
    return comma, f"{words}{note}; a draw has one vote; intervals of 95 %, where there are six votes\n"


if __name__ == "__main__":
    sys.exit(main())
