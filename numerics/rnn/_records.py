"""Trained networks kept in a file, with all that it takes to train them again.

A record is an .npz of arrays, without pickles: parameters, losses, steps, which have converged, and one line of JSON
with the recipe, the versions of what trained them, and a checksum over arrays and recipe.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from numerics import ensemble, lorenz, tasks
from numerics.descent import GradientDescent
from numerics.ensemble import Adam, Checkpoint
from numerics.rnn import _bptt, _compiled, _training, _values
from numerics.rnn._training import Run, train
from numerics.rnn._values import L1, MaximalUpdate, Nuclear, Parameterisation, Penalty, Standard, Weights

Task = tasks.FlipFlop | tasks.DelayedDiscrimination | tasks.SineGeneration | tasks.PathIntegration | tasks.Lorenz96
KNOWN = {kind.__name__: kind for kind in (*Task.__args__, Standard, MaximalUpdate, Adam, GradientDescent, L1, Nuclear)}
RECORDED = ("losses", "steps", "converged")


@dataclass(frozen=True)
class Recipe:
    """What is trained on what, and how: the arguments of `train`."""

    task: Task
    network: Parameterisation
    by: Adam | GradientDescent
    seeds: tuple[int, ...]
    trials: int
    steps: int
    threshold: float
    patience: int = 3
    epoch: int = 25
    penalty: Penalty | None = None
    trial_seed: int = 0
    dtype: str = "float32"

    def train(self) -> Run:
        """Train them."""
        return train(**{name: getattr(self, name) for name in self.__dataclass_fields__})

    def written(self) -> str:
        """As JSON, values with the names of their kinds."""
        kind = lambda value: {"kind": type(value).__name__, **asdict(value)}  # noqa: E731
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps({k: kind(v) if type(v).__name__ in KNOWN else v for k, v in parts.items()}, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> Recipe:
        """From what `written` gives."""
        row = lambda value: tuple(value) if isinstance(value, list) else value  # noqa: E731
        made = lambda part: KNOWN[part["kind"]](**{k: row(v) for k, v in part.items() if k != "kind"})  # noqa: E731
        parts: dict[str, Any] = json.loads(text)
        parts = {name: made(part) if isinstance(part, dict) else row(part) for name, part in parts.items()}
        return cls(**parts)


def save(path: str | Path, recipe: Recipe, run: Run) -> None:
    """Keep a run; at any moment the file is whole.

    Raises ValueError: there is no such folder.
    """
    arrays = {name: part.numpy() for name, part in run.weights._asdict().items()}
    arrays |= {name: getattr(run, name) for name in RECORDED}
    about = {"recipe": recipe.written(), "checksum": _checksum(recipe.written(), arrays), "code": _code()}
    about |= {name: version(name) for name in ("torch", "numpy")}
    Checkpoint(path).save(json.dumps(about), arrays)


def load(path: str | Path) -> tuple[Recipe, Run]:
    """The recipe of a record and what came of it.

    Raises ValueError: the file is no record, or not what was kept.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(str(arrays.pop("about")))
        recipe, kept = Recipe.read(about["recipe"]), about["checksum"]
        weights = Weights(*(torch.from_numpy(arrays[name]) for name in Weights._fields))
        run = Run(weights, *(arrays[name] for name in RECORDED))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"path = {str(path)!r} holds no record: {error}") from error
    if kept != _checksum(recipe.written(), arrays):
        raise ValueError(f"path = {str(path)!r} is not what was kept: its checksum differs")
    return recipe, run


def _code() -> str:
    """What trains: a checksum over the sources of the run, of its gradients and of its trials."""
    modules = (_bptt, _compiled, _training, _values, ensemble._torch, tasks, lorenz)
    headers = sorted(_compiled.SOURCE.parent.glob("*.h"))
    sources = (_compiled.SOURCE, *headers, *(Path(str(module.__file__)) for module in modules))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _checksum(recipe: str, arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256(recipe.encode())
    for name in sorted(arrays):
        total.update(name.encode() + arrays[name].tobytes())
    return total.hexdigest()
