"""The run: networks trained in corridors of their own, and what their units tell along the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from numerics.checks import real, whole
from numerics.corridor import _tuning as tuning
from numerics.corridor._settings import Corridor
from numerics.corridor._world import Samples, samples
from numerics.descent import GradientDescent
from numerics.ensemble import Checkpoint, Lazy, Rich, Run, UpdateNoise, log_spaced, train
from numerics.store import versions

CEILING = 10.0  # of the loss, above which a network has diverged; targets are in [-1, 1]
SHUFFLE = 2  # a stream of a seed, beside those of walls and walk
LONGER = 20  # times the steps that are learnt from are walked to see what few samples only seem to tell
SNAPSHOTS = 4  # rate maps, each at ten times the step of the one before


@dataclass(frozen=True)
class History:
    """What T recorded steps of B networks showed, each network in a corridor of its own; nan from where one diverged.

    Attributes:
        corridor: the settings.
        seeds: of walls, walk, start and noise, (B,).
        backend: what trained them.
        versions: of the code and of the libraries that did.
        steps: the recorded steps, (T,).
        loss: mean squared error without noise, (T, B).
        log_loss: log10 of the loss over that of the best constant prediction, (T, B); nan where walls are bare.
        active_units: units active for some sample, (T, B).
        active_fraction: of all (unit, sample) pairs, those that are active, (T, B).
        place_cells: units with more than 0.01 bits, (T, B).
        information: mean bits of these place cells, 0 without any, (T, B).
        shuffled_information: the same of the same units with the places of their samples shuffled: what so few samples
            seem to tell of any place, (T, B).
        unseen_information: the same of the same units on an unseen walk, twenty times as long, whose headings were
            learnt, (T, B).
        unseen_shuffled_information: the same there with places shuffled, (T, B).
        unseen_log_loss: log10 of the loss on the unseen walk over that of the constant of `log_loss`, (T, B).
        decoding_error: mean distance at which the position is decoded on the unseen walk, in units of length, (T, B).
        chance_error: the same if all places on the way looked alike, (B,).
        correlation: of the population between two times, (B, T, T).
        snapshots: the steps of the maps, (4,).
        maps: rate maps of the first network at these, (4, hidden, 100), float16; nan where it has not
            been.
    """

    corridor: Corridor
    seeds: np.ndarray
    backend: str
    versions: dict[str, str]
    steps: np.ndarray
    loss: np.ndarray
    log_loss: np.ndarray
    active_units: np.ndarray
    active_fraction: np.ndarray
    place_cells: np.ndarray
    information: np.ndarray
    shuffled_information: np.ndarray
    unseen_information: np.ndarray
    unseen_shuffled_information: np.ndarray
    unseen_log_loss: np.ndarray
    decoding_error: np.ndarray
    chance_error: np.ndarray
    correlation: np.ndarray
    snapshots: np.ndarray
    maps: np.ndarray

    def at(self, step: float) -> int:
        """Which record is nearest to a step."""
        return int(np.abs(self.steps - step).argmin())

    @property
    def alive(self) -> np.ndarray:
        """Which networks have not diverged, (B,)."""
        return np.isfinite(self.loss[-1])

    def median(self, values: np.ndarray) -> np.ndarray:
        """Of values, (..., B), over the networks that have not diverged; nan if all have, (...)."""
        return np.median(values[..., self.alive], axis=-1) if self.alive.any() else np.full(values.shape[:-1], np.nan)

    def counted(self) -> str:
        """How many networks there are, and how many of them have diverged."""
        gone = len(self.seeds) - int(self.alive.sum())
        count = "one network" if len(self.seeds) == 1 else f"{len(self.seeds)} networks"
        return count + (f", {gone} of {len(self.seeds)} diverged" if gone else "")

    def place_information(self) -> np.ndarray:
        """Bits on the unseen walk, less those that are there with places shuffled, (T, B)."""
        return self.unseen_information - self.unseen_shuffled_information

    def changes(self, windows: Sequence[tuple[float, float]]) -> np.ndarray:
        """How much of the correlation of the population is lost per step over each window of steps, (B, windows)."""
        at = [(self.at(first), self.at(last)) for first, last in windows]
        lost = [(1 - self.correlation[:, i, j]) / (self.steps[j] - self.steps[i]) for i, j in at]
        return np.array(lost).T


def run(
    corridor: Corridor,
    *,
    seeds: Sequence[int],
    folder: str | Path | None = None,
    records: int | Sequence[int] = 48,
    start: Lazy | Rich | np.ndarray = Lazy(),  # noqa: B008
    dtype: str = "float32",
    device: str = "cpu",
    threads: int | None = None,
    seconds: float = 30.0,
) -> History:
    """Train a network for each seed, and say what its units came to tell.

    Args:
        corridor: settings.
        seeds: whole numbers in [0, 2^64), one for each network and its corridor.
        folder: where the run is kept: `checkpoint.npz`, from which it goes on to the same bits if it was stopped,
            and, at the end, `history.npz`; made if it is not there; None to keep nothing.
        records: at most so many steps are recorded, evenly spaced in their logarithms, and step 0; or these steps.
        start: as for `numerics.ensemble.train`.
        dtype: as for `numerics.ensemble.train`.
        device: the same.
        threads: the same.
        seconds: between two checkpoints.

    Returns:
        What was recorded.

    Raises:
        ValueError, TypeError: an argument makes no sense, or the folder holds another run.
    """
    if not isinstance(corridor, Corridor):
        raise TypeError(f"corridor = {corridor!r} is a {type(corridor).__name__}, not a Corridor")
    if isinstance(records, int):
        records = log_spaced(corridor.steps, whole("records", records, 2)).tolist()
    elif len(records) < 2:
        raise ValueError(f"records = {records!r} must be two steps at least, or how many")
    real("seconds", seconds)
    seeds = list(seeds)
    tasks = [samples(corridor, seed, unseen=LONGER * corridor.samples) for seed in seeds]
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    trained = train(
        corridor.network,
        np.array([seen.x for seen, _ in tasks]),
        np.array([seen.y for seen, _ in tasks]),
        seeds=seeds,
        steps=records,
        by=GradientDescent(corridor.eta),
        noise=UpdateNoise(corridor.sigma) if corridor.sigma else (),
        start=start,
        dtype=dtype,
        device=device,
        ceiling=CEILING,
        keep_parameters=True,
        checkpoint=None if folder is None else Checkpoint(Path(folder) / "checkpoint.npz", seconds),
        threads=threads,
    )
    history = _told(corridor, np.array(seeds, dtype=np.uint64), tasks, trained)
    if folder is not None:
        _keep(history, Path(folder) / "history.npz")
    return history


def load(path: str | Path) -> History:
    """The history in a file that `run` has kept.

    Raises ValueError: the file holds no history, or not what was kept: an altered byte is found by the checksum.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        kept = about.pop("checksum")
        history = History(Corridor(**about["corridor"]), backend=about["backend"], versions=about["versions"], **arrays)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"path = {str(path)!r} holds no history: {error}") from error
    if kept != _checksum(about, arrays):
        raise ValueError(f"path = {str(path)!r} is not what was kept: its checksum differs")
    return history


def _keep(history: History, path: Path) -> None:
    named = {f.name: getattr(history, f.name) for f in fields(history)}
    about = {name: named.pop(name) for name in ("backend", "versions")} | {"corridor": asdict(named.pop("corridor"))}
    Checkpoint(path).save(json.dumps(about | {"checksum": _checksum(about, named)}), named)


def _checksum(about: dict, arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        total.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode() + arrays[name].tobytes())
    return total.hexdigest()


def _told(corridor: Corridor, seeds: np.ndarray, tasks: list[tuple[Samples, Samples]], trained: Run) -> History:
    """Histories of all networks, side by side."""
    assert trained.parameters is not None
    wanted = corridor.steps / 10.0 ** np.arange(SNAPSHOTS)[::-1]
    at = [int(np.abs(np.log(trained.steps[1:] / step)).argmin()) + 1 for step in wanted]
    told = [
        _of_one(corridor, trained.parameters[:, network], *task, seed=int(seeds[network]), at=at)
        for network, task in enumerate(tasks)
    ]
    columns = [column for column, _ in told]
    constant = np.array([seen.y.var(axis=0).mean() for seen, _ in tasks])
    side_by_side = {name: np.array([c[name] for c in columns]) for name in columns[0]}
    in_decades = lambda loss: np.log10(loss / np.where(constant > 0, constant, np.nan))  # noqa: E731
    return History(
        corridor=corridor,
        seeds=seeds,
        backend=trained.backend,
        versions=versions(),
        steps=trained.steps,
        loss=trained.loss,
        log_loss=in_decades(trained.loss),
        active_units=trained.active_units,
        active_fraction=trained.active_fraction,
        chance_error=np.array([_apart(seen, unseen) for seen, unseen in tasks]),
        correlation=side_by_side.pop("correlation"),
        unseen_log_loss=in_decades(side_by_side.pop("unseen_loss").T),
        snapshots=trained.steps[at],
        maps=told[0][1].astype(np.float16),
        **{name: values.T for name, values in side_by_side.items()},
    )


def _of_one(corridor: Corridor, theta: np.ndarray, seen: Samples, unseen: Samples, *, seed: int, at):
    """What the units of a network tell at all recorded times, and their rate maps at some."""
    where, there = (tuning.places(some.position, some.direction, length=corridor.length) for some in (seen, unseen))
    shuffled = np.random.default_rng((seed, SHUFFLE)).permutation
    placed = {"": where, "shuffled_": shuffled(where), "unseen_": there, "unseen_shuffled_": shuffled(there)}
    found: dict[str, list] = {name: [] for name in (*placed, "rates", "decoding_error", "unseen_loss")}
    for one in theta:
        h, others = (tuning.activities(corridor, one, some.x) for some in (seen, unseen))
        found["rates"].append(tuning.rate_maps(h, where))
        for name, place in placed.items():
            maps = tuning.rate_maps(others if name.startswith("unseen") else h, place)
            found[name].append(tuning.spatial_information(tuning.occupancy(place), maps))
        found["decoding_error"].append(tuning.decoding_error(h, seen.position, others, unseen.position))
        found["unseen_loss"].append(np.square(others @ corridor.network.parts(one)[2] - unseen.y).mean())
    rates, bits = np.array(found.pop("rates")), {name: np.array(found.pop(name)) for name in placed}
    cells = tuning.place_cells(bits[""])
    count = np.where(np.isnan(bits[""]).any(1), np.nan, cells.sum(1))
    mean_of = lambda values: np.where(cells, values, 0).sum(1) / np.where(count == 0, 1, count)  # noqa: E731
    return {
        "place_cells": count,
        **{f"{name}information": mean_of(values) for name, values in bits.items()},
        **{name: np.array(values) for name, values in found.items()},
        "correlation": tuning.population_correlation(rates),
    }, rates[at]


def _apart(seen: Samples, unseen: Samples) -> float:
    """Mean distance between the position of a sample and that of an unseen one."""
    return float(np.abs(seen.position[:, None] - unseen.position).mean())
