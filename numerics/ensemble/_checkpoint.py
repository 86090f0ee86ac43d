"""What a run has come to, kept in a file, so that a killed run goes on to the same bits."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from numerics.checks import real


@dataclass(frozen=True)
class Checkpoint:
    """A file that is written every so many seconds, and at the end; training goes on from it if it is there.

    It is written to a temporary file, brought to the disk, and renamed: at any moment the file is whole.
    """

    path: str | Path
    seconds: float = 30.0

    def __post_init__(self):
        if real("seconds", self.seconds) < 0:
            raise ValueError(f"seconds = {self.seconds!r} is negative")
        if not Path(self.path).parent.is_dir():
            raise ValueError(f"path = {str(self.path)!r}: there is no such folder")

    def save(self, about: str, arrays: dict[str, np.ndarray]) -> None:
        """Keep the arrays of the run that `about` describes."""
        path = Path(self.path)
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, **{**arrays, "about": np.array(about)})  # type: ignore[arg-type]
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise

    def read(self, about: str) -> dict[str, np.ndarray] | None:
        """The arrays that were kept, None if there are none; ValueError if they are another run's."""
        if not Path(self.path).exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            kept = str(arrays.pop("about"))
        except Exception as error:
            raise ValueError(f"path = {str(self.path)!r} holds no checkpoint: {error}") from error
        if kept != about:
            raise ValueError(f"path = {str(self.path)!r} holds another run: {kept}, not {about}")
        return arrays
