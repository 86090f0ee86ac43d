"""What is stored is whole or not there, is found by what it is about, and cannot change unseen."""

import errno
import hashlib
import itertools
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from numerics import store as module
from numerics.store import Damaged, Store, describe, name, versions


@dataclass(frozen=True)
class Rate:
    """A part of the settings."""

    eta: float = 0.1


@dataclass(frozen=True)
class Decay:
    """Another part, with the same field."""

    eta: float = 0.1


@dataclass(frozen=True)
class Settings:
    """Of a run."""

    seed: int = 3
    by: Rate | Decay = Rate()
    sizes: tuple = (2, 5.5)
    label: str | None = None


@dataclass
class Open:
    """Settings that can change."""

    seed: int = 3


def arrays(seed=0, size=50):
    """Arrays of every kind that results have."""
    draw = np.random.default_rng(seed)
    return dict(
        loss=draw.normal(size=size),
        theta=np.asfortranarray(draw.normal(size=(3, 4)).astype(np.float32)),
        steps=draw.integers(0, 2**40, size),
        alive=draw.integers(0, 2, size) > 0,
        none=np.zeros((0, 3)),
        odd=np.array([math.nan, math.inf, -0.0, 5e-324]),
        backend=np.array("compiled"),
    )


def same(left, right):
    """Equal names, shapes, types and bits."""
    bits = lambda a: (a.dtype.str, a.shape, a.tobytes())  # noqa: E731
    return left.keys() == right.keys() and all(bits(left[key]) == bits(right[key]) for key in left)


def test_what_is_loaded_is_what_was_saved(tmp_path):
    """Names, shapes, types and bits come back, numbers as arrays without dimensions, and numpy reads the file too."""
    store, given = Store(tmp_path / "new" / "runs"), arrays()
    store.prepare()
    path = store.save(Settings(), given | dict(final=0.1))
    assert same(store.load(Settings()), given | dict(final=np.array(0.1)))
    with np.load(path, allow_pickle=False) as file:
        assert np.array_equal(file["loss"], given["loss"])
        assert json.loads(file["about.json"]) == dict(settings=describe(Settings()), versions=versions())
    (entry,) = store.entries()
    assert entry.path == path and entry.settings == describe(Settings()) and entry.versions["numpy"] == np.__version__
    assert store.find(Settings()) == entry and store.find(Settings(seed=4)) is None
    with pytest.raises(KeyError, match="seed=4"):
        store.load(Settings(seed=4))


def test_a_store_that_does_not_exist_is_empty(tmp_path):
    """Reading does not make a folder."""
    store = Store(tmp_path / "none")
    assert store.find(Settings()) is None and not list(store.entries()) and not store.failures()
    assert not (tmp_path / "none").exists()


def test_names_tell_settings_apart():
    """Settings that differ in one bit, one kind or one class have other names; equal ones have the same name."""
    changed = (
        dict(seed=4),
        dict(seed=3.0),
        dict(seed=True),
        dict(seed="3"),
        dict(by=Decay()),
        dict(by=Rate(math.nextafter(0.1, 1))),
        dict(by=Rate(math.inf)),
        dict(by=Rate(-math.inf)),
        dict(by=Rate(0.0)),
        dict(by=Rate(-0.0)),
        dict(sizes=(5.5, 2)),
        dict(sizes=((2,), 5.5)),
        dict(label="None"),
        dict(label="inf"),
    )
    every = [Settings(), *(replace(Settings(), **change) for change in changed)]
    assert len({name(settings) for settings in every}) == len(every)
    assert name(Settings(by=Rate(0.1))) == name(Settings())


def test_names_outlive_the_process():
    """A name depends on nothing but the settings: it is the digest of their JSON, today as in the past."""
    text = '{"by":{"class":"Rate","eta":0.1},"class":"Settings","label":null,"seed":3,"sizes":[2,5.5]}'
    assert name(Settings()) == hashlib.sha256(text.encode()).hexdigest()[:32] == "d2547673efb15ef3f9f84e40dad4a565"


@pytest.mark.parametrize(
    ("settings", "error", "says"),
    [
        (Open(), TypeError, "no frozen dataclass"),
        (Settings, TypeError, "no frozen dataclass"),
        (dict(seed=3), TypeError, "no frozen dataclass"),
        (Settings(by=Open()), TypeError, r"settings.by = Open\(seed=3\) is no frozen dataclass"),
        (Settings(seed=np.int64(3)), TypeError, "settings.seed = .* is a numpy.int64"),
        (Settings(by=Rate(np.float64(3))), TypeError, "settings.by.eta = .* is a numpy.float64"),
        (Settings(sizes=(2, [3])), TypeError, r"settings.sizes\[1\] = \[3\] is a builtins.list"),
        (Settings(seed=math.nan), ValueError, "settings.seed = nan"),
    ],
)
def test_wrong_settings(settings, error, says, tmp_path):
    """What could not be found again, or could change under its name, is refused by name."""
    with pytest.raises(error, match=says):
        Store(tmp_path).save(settings, arrays())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ([1.0], TypeError, "not arrays by name"),
        ({"a b": np.ones(2)}, ValueError, "'a b' is no identifier"),
        ({3: np.ones(2)}, ValueError, "3 is no identifier"),
        (dict(loss=[1.0]), TypeError, "loss is a list"),
        (dict(loss=np.ma.masked_array([1.0], [True])), TypeError, "loss is a MaskedArray"),
        (dict(loss=np.array([{}])), TypeError, "loss holds Python objects"),
        (dict(loss=2**70), TypeError, "loss holds Python objects"),
    ],
)
def test_wrong_arrays(wrong, error, says, tmp_path):
    """Objects, masks and lists are refused before anything is written."""
    with pytest.raises(error, match=says):
        Store(tmp_path).save(Settings(), wrong)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    """A store in the place of a file is a ValueError."""
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        Store(tmp_path / "file")


def test_every_altered_byte_is_detected(tmp_path):
    """Wherever a byte is changed, and wherever the file is cut or lengthened, loading it says that it is damaged."""
    store = Store(tmp_path)
    path = store.save(Settings(), dict(loss=np.arange(9.0)))
    written = path.read_bytes()
    altered = [written[:i] + bytes([written[i] ^ 1 << i % 8]) + written[i + 1 :] for i in range(len(written))]
    cut = [written[:i] for i in range(0, len(written), 7)]
    for data in (*altered, *cut, written + b"\0", written[1:]):
        path.write_bytes(data)
        with pytest.raises(Damaged):
            store.load(Settings())
    path.write_bytes(written)
    assert store.find(Settings())


def test_a_file_under_another_name_is_not_taken_for_it(tmp_path):
    """A run copied to the name of another is damage, however sound the file is."""
    store = Store(tmp_path)
    path = store.save(Settings(), arrays())
    path.rename(store.path(Settings(seed=4)))
    with pytest.raises(Damaged, match="holds another run"):
        store.load(Settings(seed=4))


@pytest.mark.parametrize("one, other", [(0.0, -0.0), (1.0, 1), (1, True)])
def test_equal_numbers_of_another_kind_are_another_run(tmp_path, one, other):
    """A run of 0.0 under the name of one of -0.0 is damage, and 1.0, 1 and True are not one another."""
    store = Store(tmp_path)
    store.save(Settings(by=Rate(one)), arrays()).rename(store.path(Settings(by=Rate(other))))
    with pytest.raises(Damaged, match="holds another run"):
        store.find(Settings(by=Rate(other)))


def test_a_run_is_named_by_its_class_wherever_that_stands():
    """A class that moves to another module keeps its runs."""
    moved = make_dataclass("Rate", ["eta"], frozen=True)
    moved.__module__ = "elsewhere"
    assert name(moved(0.1)) == name(Rate(0.1))


def test_preparing_touches_no_file_of_others(tmp_path):
    """A folder with files of a user's own, whatever their names, is prepared without a change to them."""
    own = {"probe": "mine", "notes": "mine too", ".probe": "and mine"}
    for file, text in own.items():
        (tmp_path / file).write_text(text)
    Store(tmp_path).prepare()
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == own


def test_listing_detects_a_damaged_head(tmp_path):
    """Listing reads the heads alone, lists what is sound, and says which of them is damaged."""
    store = Store(tmp_path)
    path = store.save(Settings(), arrays())
    sound = {store.save(replace(Settings(), seed=seed), arrays()) for seed in range(10, 15)}
    written = path.read_bytes()
    for data in (b"", written[:20], written[:60], written.replace(b'"seed": 3', b'"seed": 4')):
        path.write_bytes(data)
        listed = []
        with pytest.raises(Damaged, match="head was truncated or altered"):
            for entry in store.entries():
                listed.append(entry.path)
        assert set(listed) == sound


def test_settings_of_any_length_are_listed(tmp_path):
    """A head longer than what is read of it at first is read whole."""
    store, long = Store(tmp_path), Settings(sizes=tuple(range(5000)))
    store.save(long, arrays())
    assert [entry.settings for entry in store.entries()] == [describe(long)]


class Trap:
    """Raises when it is unpickled."""

    def __reduce__(self):
        """As a pickle that does harm would."""
        return exec, ("raise SystemExit('unpickled')",)


def test_nothing_is_unpickled(tmp_path):
    """A pickle in the place of an array, sealed as the store seals it, is refused and not run."""
    store = Store(tmp_path)
    path = store.save(Settings(), dict(loss=np.arange(9.0)))
    with np.load(path) as file:
        about = json.loads(file["about.json"])
    evil = np.empty(1, object)
    evil[0] = Trap()
    with pytest.raises(SystemExit):
        pickle.loads(pickle.dumps(Trap()))
    write, module.np.lib.format.write_array = (
        module.np.lib.format.write_array,
        lambda file, array, **_: write(file, array, allow_pickle=True),
    )
    try:
        path.write_bytes(module._packed(about, dict(loss=evil)))
    finally:
        module.np.lib.format.write_array = write
    with pytest.raises(ValueError, match="allow_pickle=False"):
        store.load(Settings())


class Faulty:
    """The calls that write, of which the n-th fails, having done half of its work."""

    def __init__(self, monkeypatch, fails_at, number):
        self.calls, self.made = itertools.count(), []
        self.fails_at, self.number, self.failed = fails_at, number, False
        for call in ("open", "write", "fsync", "close", "replace"):
            monkeypatch.setattr(module.os, call, self.wrapped(call, getattr(os, call)))

    def wrapped(self, call, real):
        """The call, as long as it is not its turn to fail."""

        def wrapper(first, *rest):
            self.made.append(call)
            if next(self.calls) != self.fails_at:
                if call == "write":  # a disk may take less than it is given
                    return real(first, rest[0][: max(1, len(rest[0]) // 2)])
                return real(first, *rest)
            self.failed = True
            if call == "write":
                real(first, rest[0][: len(rest[0]) // 2])
            if call == "close":
                real(first)
            raise OSError(self.number, os.strerror(self.number))

        return wrapper


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_full_disk_takes_nothing_from_what_is_stored(tmp_path, number):
    """Whichever call fails, the caller learns of it, what was stored is whole, and nothing unfinished is left."""
    store, old, new = Store(tmp_path), arrays(1), arrays(2)
    store.save(Settings(), old)
    for fails_at in itertools.count():
        with pytest.MonkeyPatch.context() as patch:
            faulty = Faulty(patch, fails_at, number)
            try:
                store.save(Settings(), new)
            except OSError as error:
                assert error.errno == number
            else:
                assert not faulty.failed
                break
        found = store.load(Settings())
        assert same(found, old) or same(found, new)  # new: it was the folder that could not be brought to the disk
        assert [file.name for file in tmp_path.iterdir()] == [store.path(Settings()).name]
        store.save(Settings(), old)
    assert fails_at > 10 and same(store.load(Settings()), new)
    durable = ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]
    assert [call for call, _ in itertools.groupby(faulty.made)] == durable


UNWRITABLE = """
import os, sys
from tests_store import Settings, arrays, Store
os.chdir(sys.argv[1])
os.chmod(".", 0o555)
if os.getuid() == 0:
    os.setuid(65534)
for attempt in (Store(".").prepare, lambda: Store(".").save(Settings(), arrays())):
    try:
        attempt()
    except PermissionError as error:
        print("refused")
"""


def script(code, *arguments, tmp_path, **changes):
    """A process of its own, which finds this file as a module."""
    module = tmp_path / "tests_store.py"
    if not module.exists():  # what another process may be reading is not written again
        module.write_text(Path(__file__).read_text())
    paths = os.pathsep.join([str(Path(__file__).parent.parent), str(tmp_path)])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths},
        text=True,
        stdout=subprocess.PIPE,
        **changes,
    )


def test_an_unwritable_folder_is_refused(tmp_path):
    """A folder in which the user may not write is a PermissionError, at the start and at a save."""
    (tmp_path / "runs").mkdir()
    process = script(UNWRITABLE, tmp_path / "runs", tmp_path=tmp_path)
    assert process.communicate(timeout=60)[0].split() == ["refused", "refused"]
    assert not list((tmp_path / "runs").iterdir())


WRITER = """
import itertools, sys
from tests_store import Settings, Store, arrays
store = Store(sys.argv[1])
for i in itertools.count():
    for seed in range(3):
        store.save(Settings(seed=seed), arrays(seed, 20_000))
    print(i, flush=True)
"""


def test_writers_of_the_same_runs_are_killed_at_random_moments(tmp_path):
    """Two processes write the same runs, each killed again and again: what is there is always whole and right."""
    folder, draw = tmp_path / "runs", np.random.default_rng(5)
    folder.mkdir()
    store, expected = Store(folder), [arrays(seed, 20_000) for seed in range(3)]
    for _ in range(3):
        writers = [script(WRITER, folder, tmp_path=tmp_path) for _ in range(2)]
        for writer in writers:
            assert writer.stdout.readline() == "0\n"
        for writer in writers:
            time.sleep(draw.uniform(0, 0.1))
            for seed in range(3):
                assert same(store.load(Settings(seed=seed)), expected[seed])
            writer.send_signal(signal.SIGKILL)
            assert writer.wait(60) == -signal.SIGKILL
            writer.stdout.close()
    assert all(same(store.load(Settings(seed=seed)), expected[seed]) for seed in range(3))
    assert len(list(store.entries())) == 3


def test_what_the_dead_left_unfinished_is_removed(tmp_path):
    """`prepare` removes unfinished files of dead processes of this machine, not those of the living or of others."""
    store, here = Store(tmp_path), module.socket.gethostname()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    unfinished = [f".{'a' * 32}.{process}.{'0' * 16}.{host}.part" for process, host in
                  ((dead.pid, here), (os.getpid(), here), (dead.pid, "another.machine"))]  # fmt: skip
    for file in (*unfinished, ".of another tool.part"):
        (tmp_path / file).touch()
    store.prepare()
    assert {file.name for file in tmp_path.iterdir()} == {*unfinished[1:], ".of another tool.part"}


def test_failures_are_recorded_until_the_run_is_stored(tmp_path):
    """A failure keeps its traceback, is no result, and goes when the run is stored."""
    store = Store(tmp_path)
    store.fail(Settings(), "Traceback: it was too hot")
    assert store.find(Settings()) is None and not list(store.entries())
    assert store.failures()[name(Settings())]["traceback"] == "Traceback: it was too hot"
    store.save(Settings(), arrays())
    assert not store.failures() and len(list(tmp_path.iterdir())) == 1
    store.fail(Settings(), "another process failed with it later")
    assert not store.failures()


def test_ten_thousand_runs_are_listed(tmp_path):
    """A folder of ten thousand runs is listed whole."""
    store = Store(tmp_path)
    data = store.save(Settings(), arrays()).read_bytes()
    os.remove(store.path(Settings()))
    for i in range(10_000):
        (tmp_path / f"{i:032x}.npz").write_bytes(data)
    began = time.process_time()
    listed = list(store.entries())
    print(f"\n10,000 runs listed in {time.process_time() - began:.2f} s of processor time")
    assert len(listed) == 10_000 and listed[9_999].settings == describe(Settings())
