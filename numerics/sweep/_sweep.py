"""What is missing, run and stored; and the same as a command."""

from __future__ import annotations

import argparse
import contextlib
import pickle
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from numerics.checks import whole
from numerics.store import Damaged, Store, name, versions
from numerics.sweep._places import Dask, Local, Place, Slurm, Work


@dataclass(frozen=True)
class Packed:
    """Runs made together, as the networks of an ensemble are.

    Attributes:
        run: turns a list of settings into a list of as many results, each as it would be alone.
        alike: settings for which it gives the same may be run together.
        size: how many at most.
    """

    run: Callable[[list], Sequence[Mapping[str, Any]]]
    alike: Callable[[Any], Hashable]
    size: int

    def __post_init__(self):
        whole("size", self.size)


@dataclass(frozen=True)
class Report:
    """What a sweep did.

    Attributes:
        found: how many of the settings were stored already.
        made_otherwise: how many of these by other sources of `numerics` than today's.
        made: how many were run and stored.
        damaged: what was wrong with files that were run anew.
        repeated: how many settings stood there more than once; they are run once.
        failed: settings and tracebacks of those that failed.
    """

    found: int
    made_otherwise: int
    made: int
    damaged: tuple[str, ...]
    repeated: int
    failed: tuple[tuple[Any, str], ...]

    def __str__(self):
        lines = [f"{self.made} runs made, {self.found} found, {len(self.failed)} failed"]
        if self.made_otherwise:
            lines.append(f"{self.made_otherwise} of those found were made by other sources of numerics than these")
        if self.repeated:
            lines.append(f"{self.repeated} settings stood there more than once, and were run once")
        lines += [f"run anew: {what}" for what in self.damaged]
        return "\n".join(lines + [f"failed: {one}: {how.strip().splitlines()[-1]}" for one, how in self.failed])


def sweep(
    run: Callable | Packed,
    settings: Iterable,
    store: Store,
    *,
    on: Place = Local(),  # noqa: B008
    shard: tuple[int, int] = (1, 1),
) -> Report:
    """Run what is not stored yet, and store it.

    Args:
        run: turns settings into arrays by name, depending on nothing else; or a Packed one.
        settings: frozen dataclasses, as `store.describe` takes them.
        store: where results are, and go.
        on: where to run.
        shard: (I, N), I from 1 to N: only every N-th run, or pack of runs, from the I-th on.

    Returns:
        What was done.

    Raises:
        ValueError, TypeError: an argument makes no sense; raised before any work.
        OSError: something could not be stored; what was stored before stays.
        RuntimeError: processes cannot even be started.
    """
    given = [(name(one), one) for one in settings]
    distinct = dict(given)
    mine = [one for pack in _part(_packs(run, list(distinct.values())), shard) for one in pack]
    work = _work(run, store, on)
    store.prepare()
    missing, made_otherwise, damaged = _missing(mine, store)
    failed: list[tuple[Any, str]] = []
    packs = _packs(run, missing)
    with tqdm(total=len(mine), initial=len(mine) - len(missing), desc="sweep", unit="run", delay=2) as bar:
        while packs:
            alone = []  # the runs of packs that failed: a bad run takes no others with it
            with contextlib.closing(on.outcomes(work, packs)) as outcomes:
                for pack, outcome in outcomes:
                    if outcome.unstored:
                        raise outcome.unstored
                    if outcome.failed and len(pack) > 1:
                        alone += [[one] for one in pack]
                        continue
                    if outcome.failed and not _stored(pack[0], store):
                        failed.append((pack[0], outcome.failed))
                        store.fail(*failed[-1])
                        bar.set_postfix(failed=len(failed))
                    bar.update(len(pack))
            packs = alone
    return Report(
        found=len(mine) - len(missing),
        made_otherwise=made_otherwise,
        made=len(missing) - len(failed),
        damaged=damaged,
        repeated=len(given) - len(distinct),
        failed=tuple(failed),
    )


def main(run: Callable | Packed, settings: Iterable, folder: str | Path, arguments: Sequence[str] | None = None) -> int:
    """A sweep as a command, with its options; 0 if every run is stored, 1 if some failed, 2 if it could not be done."""
    parser = argparse.ArgumentParser(description="Run what is not stored yet.")
    parser.add_argument("--folder", type=Path, default=Path(folder), help="where results are kept: %(default)s")
    parser.add_argument("--shard", default="1/1", help="I/N: only the I-th of N parts, as in a job array")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--workers", type=int, help="processes on this machine, by default as many as cores")
    place.add_argument("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster to run on")
    place.add_argument("--slurm", metavar="JOBS", type=int, help="jobs of SLURM, configured as dask-jobqueue's are")
    asked = parser.parse_args(arguments)
    try:
        on: Place = Dask(asked.dask) if asked.dask else Local(asked.workers)
        on = on if asked.slurm is None else Slurm(asked.slurm)
        report = sweep(run, settings, Store(asked.folder), on=on, shard=_parsed(asked.shard))
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(report)
    return 1 if report.failed else 0


def _work(run: Callable | Packed, store: Store, on: Place) -> Work:
    if not isinstance(on, Place):
        raise TypeError(f"on = {on!r} is a {type(on).__name__}: give Local(), Dask(client) or Slurm(jobs)")
    function = run.run if isinstance(run, Packed) else run
    if not callable(function):
        raise TypeError(f"run = {run!r} is no function")
    if isinstance(on, Local):
        try:
            pickle.dumps(function)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(f"run = {function!r} cannot be imported by another process: {error}") from None
        if getattr(function, "__module__", "") == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
            raise ValueError(f"run = {function!r} stands in a notebook or at a prompt: put it into a module")
    return Work(function, isinstance(run, Packed), Store(Path(store.folder).absolute()))


def _part(packs: list, shard) -> list:
    if not isinstance(shard, tuple) or len(shard) != 2:
        raise TypeError(f"shard = {shard!r} must be two whole numbers (I, N)")
    i, n = (whole("shard", number) for number in shard)
    if i > n:
        raise ValueError(f"shard = {shard!r}: there is no part {i} of {n}")
    return packs[i - 1 :: n]


def _missing(settings: list, store: Store) -> tuple[list, int, tuple[str, ...]]:
    """Settings to run, how many of the others were made by other code, and what was damaged."""
    missing, otherwise, damaged = [], 0, []
    for one in settings:
        try:
            entry = store.find(one)
        except Damaged as error:
            entry = None
            damaged.append(str(error))
        if entry is None:
            missing.append(one)
        else:
            otherwise += entry.versions["numerics"] != versions()["numerics"]
    return missing, otherwise, tuple(damaged)


def _stored(settings, store: Store) -> bool:
    """Whether it is after all, as when its process was killed between storing it and saying so."""
    return not _missing([settings], store)[0]


def _packs(run: Callable | Packed, settings: list) -> list[list]:
    if not isinstance(run, Packed):
        return [[one] for one in settings]
    alike: dict[Hashable, list] = {}
    for one in settings:
        alike.setdefault(run.alike(one), []).append(one)
    return [group[i : i + run.size] for group in alike.values() for i in range(0, len(group), run.size)]


def _parsed(shard: str) -> tuple[int, int]:
    parts = shard.split("/")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"shard = {shard!r} must be I/N, as in 1/8")
    return int(parts[0]), int(parts[1])
