"""Data in hand: a table of numbers with named columns, whole or refused by line and column.

    data = read("runs.csv")                                        # {"run": ..., "t": ..., "loss": ...}
    t, loss = replicates(data, "loss", at="t", of="run")           # every run at every t, shape (runs, times)

What judges of samples take is one row a replicate, and no replicate may lack a number or have one twice.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def read(path: str | Path, *columns: str) -> dict[str, np.ndarray]:
    """The columns of a csv file by their names in its first line, as float64, those named or all.

    Raises ValueError, naming line and column, for a line with more or fewer cells than the first, a blank line that is
    not at the end, an empty cell, a cell that is no finite number; for columns without a name, with one name twice, or
    that are not there.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = [(number, [cell.strip() for cell in cells]) for number, cells in _numbered(file)]
    while lines and not any(lines[-1][1]):  # blank ones at the end of a file, but no others
        lines.pop()
    if len(lines) < 2:
        raise ValueError(f"{path}: a line with the names of the columns and at least one of numbers are needed")
    (_, names), *rows = lines
    if any(not name or _number(name) is not None for name in names) or len(set(names)) < len(names):
        raise ValueError(f"{path}: its first line, {', '.join(names)}, must name every column, each by another name")
    if absent := [name for name in columns if name not in names]:
        raise ValueError(f"{path}: no column {', '.join(absent)}; there are {', '.join(names)}")
    for number, cells in rows:
        if not any(cells):
            raise ValueError(f"{path}, line {number}: is blank; only at the end of a file may lines be")
        if len(cells) != len(names):
            raise ValueError(f"{path}, line {number}: {len(cells)} cells for {len(names)} columns ({', '.join(names)})")
    wanted = columns or names
    places = [(name, names.index(name)) for name in wanted]
    return {name: np.array([_cell(path, number, name, cells[k]) for number, cells in rows]) for name, k in places}


def replicates(table: Mapping[str, np.ndarray], value: str, *, at: str, of: str) -> tuple[np.ndarray, np.ndarray]:
    """The places `at`, rising, and `value` at each of them in every replicate; shapes (places,), (replicates, places).

    table: columns of one length; of: the column that says which replicate a line belongs to. Raises ValueError for
    columns that are not there or of other lengths, and for a replicate that lacks a place, or has one twice, by name.
    """
    if absent := [name for name in (value, at, of) if name not in table]:
        raise ValueError(f"no column {', '.join(absent)}; there are {', '.join(table)}")
    numbers = {name: np.asarray(table[name], dtype=float) for name in (value, at, of)}
    if len({column.shape for column in numbers.values()}) > 1 or numbers[at].ndim != 1:
        shapes = ", ".join(f"{name} {column.shape}" for name, column in numbers.items())
        raise ValueError(f"columns must be of one length: {shapes}")
    for name, column in numbers.items():
        if not np.all(np.isfinite(column)):
            raise ValueError(f"column {name}: {column[~np.isfinite(column)][0]} in row {_first(~np.isfinite(column))}")
    places, column = np.unique(numbers[at], return_inverse=True)
    members, row = np.unique(numbers[of], return_inverse=True)
    count = np.zeros((len(members), len(places)), dtype=int)
    np.add.at(count, (row, column), 1)
    if np.any(count != 1):
        i, j = np.argwhere(count != 1)[0]
        has = "lacks" if count[i, j] == 0 else f"has {count[i, j]} times"
        raise ValueError(f"{of} = {members[i]:g} {has} {at} = {places[j]:g}; every {of} needs every {at} once")
    found = np.empty(count.shape)
    found[row, column] = numbers[value]
    return places, found


def _numbered(file):
    """The rows of a csv file, each with the number of the line where it ends."""
    reader = csv.reader(file)
    return ((reader.line_num, cells) for cells in reader)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _cell(path, line: int, name: str, text: str) -> float:
    number = _number(text)
    if number is None or not np.isfinite(number):
        said = f"{text!r} is no finite number" if text else "is empty"
        raise ValueError(f"{path}, line {line}, column {name}: {said}")
    return number


def _first(bad: np.ndarray) -> int:
    return int(np.flatnonzero(bad)[0])
