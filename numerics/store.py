"""Results that survive: one file for each run, named by its settings, whole or not there.

A run is a frozen dataclass of settings and a function that turns it into arrays.  What the settings are is written
as JSON, down to the last bit of every number, with the name of the class; SHA-256 of that text names the file, so a
run is found by what it is about, and two experiments share a folder when their classes have different names.  Modules
are no part of it, so that a class may move: two classes of one name with equal fields are one run and need two folders.

A file is an ordinary `.npz` (`numpy.load` reads it).  Its first member, `about.json`, holds the settings and the
versions of the code; its last 64 characters, the comment of the archive, are SHA-256 of all the bytes before them, so
no byte can change unseen.  Nothing in it depends on the hour or on who wrote it: the same run gives the same file.

It is written under another name, brought to the disk, renamed, and the folder is brought to the disk too.  A process
killed at any moment, or a full disk, leaves what was stored as it was; several processes, on one machine or many, may
write the same run at once, and the last one wins with the same bytes.  Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import io
import json
import math
import os
import platform
import re
import secrets
import socket
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

ABOUT, SEAL = "about.json", 64  # the first member; hexadecimal digits at the end
UNFINISHED = re.compile(r"\.\w+\.(?P<process>\d+)\.[0-9a-f]{16}\.(?P<host>.*)\.part")
LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # of a zip archive's member


class Damaged(ValueError):
    """A file of a store that is not what was written."""


@dataclass(frozen=True)
class Entry:
    """A stored run: its file, its settings as `describe` writes them, and the versions of the code that made it."""

    path: Path
    settings: dict[str, Any]
    versions: dict[str, str]


@dataclass(frozen=True)
class Store:
    """A folder of runs.  It need not exist to be read, and then it holds nothing."""

    folder: Path | str

    def __post_init__(self):
        if Path(self.folder).exists() and not Path(self.folder).is_dir():
            raise ValueError(f"folder = {str(self.folder)!r} is a file")

    def prepare(self) -> None:
        """Make the folder, show that it can be written, remove what killed processes of this machine left unfinished.

        Raises:
            OSError: it cannot be made or written.
        """
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        probe = self._file(f".probe-{secrets.token_hex(8)}")  # no file of anybody's
        _write(probe, b"can this folder be written?")
        probe.unlink(missing_ok=True)
        for path in Path(self.folder).glob(".*.part"):
            written = UNFINISHED.fullmatch(path.name)
            if written and written["host"] == socket.gethostname() and not _alive(int(written["process"])):
                path.unlink(missing_ok=True)

    def path(self, settings) -> Path:
        """The file of a run, stored or not."""
        return self._file(f"{name(settings)}.npz")

    def save(self, settings, arrays: Mapping[str, Any]) -> Path:
        """Store a run, in place of what was stored of it before, if anything was.

        Args:
            settings: a frozen dataclass, see `describe`.
            arrays: numpy arrays or numbers by name; names are identifiers.

        Returns:
            The file.

        Raises:
            TypeError, ValueError: something is no array, or has objects in it; raised before anything is written.
            OSError: it could not be written; what was stored is as it was.
        """
        checked = {key: _array(key, value) for key, value in _mapping(arrays).items()}
        path = self.path(settings)
        _write(path, _packed(dict(settings=describe(settings), versions=versions()), checked))
        self._failure(settings).unlink(missing_ok=True)
        return path

    def load(self, settings) -> dict[str, np.ndarray]:
        """The arrays of a run.

        Raises:
            KeyError: it is not stored.
            Damaged: its file was truncated or altered, or holds another run.
        """
        data = self._sealed(settings)
        if data is None:
            raise KeyError(f"{settings} is not stored in {str(self.folder)!r}")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            return {key: file[key] for key in file.files if key != ABOUT}

    def find(self, settings) -> Entry | None:
        """What is stored of a run, None if nothing is; Damaged if its file was altered or holds another run."""
        data = self._sealed(settings)
        if data is None:
            return None
        about = _head(self.path(settings), io.BytesIO(data))
        return Entry(self.path(settings), about["settings"], about["versions"])

    def entries(self) -> Iterator[Entry]:
        """What is stored, in the order of the names; only the head of each file is read, `load` reads all of it.

        Raises:
            Damaged: when all others are listed; the heads of these files were truncated or altered.
        """
        damaged = []
        if Path(self.folder).is_dir():
            found = (file.name for file in os.scandir(self.folder))
            for file in sorted(n for n in found if n.endswith(".npz") and not n.startswith(".")):
                try:
                    about = _head(self._file(file), self._file(file).open("rb"))
                except Damaged as error:
                    damaged.append(str(error))
                else:
                    yield Entry(self._file(file), about["settings"], about["versions"])
        if damaged:
            raise Damaged("; ".join(damaged))

    def fail(self, settings, traceback: str) -> None:
        """Record that a run failed, and how; the record goes when the run is stored."""
        about = dict(settings=describe(settings), versions=versions(), traceback=traceback)
        _write(self._failure(settings), json.dumps(about, indent=1).encode())

    def failures(self) -> dict[str, dict[str, Any]]:
        """What has failed and is not stored yet: by name, the settings, versions and traceback."""
        found = {}
        for file in sorted(Path(self.folder).glob("*.failed.json")):
            run = file.name.partition(".")[0]
            with contextlib.suppress(FileNotFoundError):  # it has just been stored
                if not self._file(f"{run}.npz").exists():  # another process had more luck with it, before or after
                    found[run] = json.loads(file.read_text())
        return found

    def _sealed(self, settings) -> bytes | None:
        """The bytes of a run's file, which are those that were written; None if there is no file."""
        path = self.path(settings)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if _seal(memoryview(data)[:-SEAL]) != data[-SEAL:]:
            raise Damaged(f"{str(path)!r} was truncated or altered: its checksum is wrong")
        stored = _head(path, io.BytesIO(data))["settings"]
        if _text(stored) != _text(describe(settings)):
            raise Damaged(f"{str(path)!r} holds another run: {stored}")
        return data

    def _failure(self, settings) -> Path:
        return self._file(f"{name(settings)}.failed.json")

    def _file(self, name: str) -> Path:
        return Path(self.folder) / name


def name(settings) -> str:
    """The name of a run: 32 hexadecimal digits that are equal for equal settings alone."""
    return hashlib.sha256(_text(describe(settings)).encode()).hexdigest()[:32]


def describe(settings) -> dict[str, Any]:
    """Settings as JSON: the name of the class, and the fields.

    Fields are numbers, text, None, tuples of them, and frozen dataclasses in turn.  Numbers of numpy are refused: they
    would look like Python's, whose arithmetic differs.  1 and 1.0 are different settings.

    Raises:
        TypeError: the settings, or a field, are of another kind.
        ValueError: a field is nan, which is not even equal to itself.
    """
    if isinstance(settings, type) or not dataclasses.is_dataclass(settings):
        raise TypeError(f"settings = {settings!r} is no frozen dataclass")
    return _described("settings", settings)


def _text(described: dict[str, Any]) -> str:
    """What a run is named by: unlike the objects, 0.0 and -0.0, or 1 and True, differ in it."""
    return json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False)


def versions() -> dict[str, str]:
    """Of Python, of the libraries that are loaded, and a digest of the sources of `numerics`."""
    libraries = {library: sys.modules.get(library) for library in ("numpy", "torch")}
    loaded = {library: str(module.__version__) for library, module in libraries.items() if module}
    return {"numerics": _sources(), "python": platform.python_version(), **loaded}


@functools.cache
def _sources() -> str:
    here, digest = Path(__file__).parent, hashlib.sha256()
    for path in sorted(p for p in here.rglob("*") if p.suffix in (".py", ".cpp", ".h")):
        digest.update(f"{path.relative_to(here).as_posix()} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _described(where: str, value) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if not type(value).__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise TypeError(f"{where} = {value!r} is no frozen dataclass: it could change under its name")
        fields = {f.name: _described(f"{where}.{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"class": type(value).__qualname__, **fields}
    if type(value) is tuple:
        return [_described(f"{where}[{i}]", item) for i, item in enumerate(value)]
    if type(value) not in (bool, int, float, str, type(None)):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(f"{where} = {value!r} is a {kind}; give a number, text, None, a tuple or a frozen dataclass")
    if type(value) is float and math.isnan(value):
        raise ValueError(f"{where} = nan is not equal to itself, so no run could be found by it")
    if type(value) is float and math.isinf(value):
        return {"float": repr(value)}  # JSON has no infinity
    return value


def _mapping(arrays) -> Mapping[str, Any]:
    if not isinstance(arrays, Mapping):
        raise TypeError(f"arrays = {arrays!r} is a {type(arrays).__name__}, not arrays by name")
    for key in arrays:
        if not isinstance(key, str) or not key.isidentifier():
            raise ValueError(f"arrays: {key!r} is no identifier, and so no name of an array")
    return arrays


def _array(key: str, value) -> np.ndarray:
    if type(value) is not np.ndarray and not isinstance(value, (np.generic, bool, int, float, complex)):
        raise TypeError(f"{key} is a {type(value).__name__}, not a numpy array or a number")
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise TypeError(f"{key} holds Python objects, which are not stored")
    return array


def _packed(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """The bytes of the file, seal included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(ABOUT), json.dumps(about, sort_keys=True))
        for key, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = bytes(SEAL)
    with buffer.getbuffer() as data:
        data[-SEAL:] = _seal(data[:-SEAL])
    return buffer.getvalue()


def _seal(data) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _head(path: Path, file: IO[bytes]) -> dict[str, Any]:
    """The first member, which is not compressed, without looking for the directory at the end of the archive."""
    with file:
        data = file.read(4096)
        try:
            magic, *_, crc, size, _, length, extra = LOCAL_HEADER.unpack_from(data)
            begin = LOCAL_HEADER.size + length + extra
            text = (data + file.read(max(0, begin + size - len(data))))[begin : begin + size]
            if magic != b"PK\x03\x04" or zlib.crc32(text) != crc:
                raise ValueError("it is not what its checksum says")
            return json.loads(text)
        except (struct.error, ValueError) as error:
            raise Damaged(f"{str(path)!r}: its head was truncated or altered: {error}") from None


def _write(path: Path, data: bytes) -> None:
    """All of the data under this name, on the disk, or an OSError and what was there before."""
    writer = f"{os.getpid()}.{secrets.token_hex(8)}.{socket.gethostname()}"
    unfinished = path.parent / f".{path.name.partition('.')[0]}.{writer}.part"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _alive(process: int) -> bool:
    try:
        with contextlib.suppress(PermissionError):  # alive, and another user's
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
