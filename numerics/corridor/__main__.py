"""The run of the corridor and its figure, from the command line: python -m numerics.corridor."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from numerics.corridor._figure import figure
from numerics.corridor._phases import Networks
from numerics.corridor._run import History, run
from numerics.corridor._settings import Corridor, described
from numerics.store import Store


def main(
    settings: Literal["public_run", "paper"] = "public_run",
    steps: int = Corridor.steps,
    length: float = Corridor.length,
    rays: int = Corridor.rays,
    hidden: int = Corridor.hidden,
    samples: int = Corridor.samples,
    sigma: float = Corridor.sigma,
    seed: int = 0,
    networks: int = 1,
    records: int = 48,
    folder: Path = Path("corridor"),
    seconds: float = 30.0,
    record: Path | None = None,
) -> None:
    """Train networks in corridors, go on where a run was stopped, and draw figure 2.

    Args:
        settings: of the source's public files, or of its text.
        steps: of training.
        length: of the corridor, in units of length; its width is 1.
        rays: of the visual field, and points on a unit of wall.
        hidden: units of the hidden layer.
        samples: steps of the walk that are learnt from.
        sigma: standard deviation of the update noise, in each parameter's own unit, at each step.
        seed: the first; the others follow it.
        networks: how many, each with a corridor of its own.
        records: how many steps are recorded, evenly spaced in their logarithms.
        folder: for checkpoint.npz, history.npz and figure.png.
        seconds: of clock time between two checkpoints.
        record: folder to put the courses of all networks in, as one small file.
    """
    if steps < 2:
        raise ValueError(f"steps = {steps!r} must be at least 2, for a figure of what becomes of a network")
    size = dict(length=length, rays=rays, hidden=hidden, samples=samples)
    corridor = replace(getattr(Corridor, settings)(), steps=steps, sigma=sigma, **size)
    several = Networks(corridor, seed, networks, records)
    print(described(corridor), flush=True)
    history = run(corridor, seeds=several.seeds, folder=folder, records=records, seconds=seconds)
    figure(history).savefig(folder / "figure.png", dpi=120)
    print(summary(history))
    print(f"kept in {folder}: history.npz, figure.png")
    if record is not None:
        Store(record).prepare()
        print(Store(record).save(several, several.table(history)))


def summary(history: History) -> str:
    """Medians over the networks that have not diverged at a tenth, and at the end, of the steps."""
    first = int(np.abs(history.steps - history.steps[-1] / 10).argmin())
    shown = ["log_loss", "active_units", "active_fraction", "place_cells"]
    shown += ["information", "shuffled_information", "unseen_information", "decoding_error"]
    lines = [f"trained by: {history.backend}; medians of {history.counted()}"]
    lines.append(f"{'step':>20}  " + "  ".join(f"{history.steps[i]:>12,}" for i in (first, -1)))
    for name in shown:
        values = history.median(getattr(history, name))
        lines.append(f"{name:>20}  " + "  ".join(f"{values[i]:>12.4g}" for i in (first, -1)))
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        tyro.cli(main, prog="python -m numerics.corridor")
    except (ValueError, TypeError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
