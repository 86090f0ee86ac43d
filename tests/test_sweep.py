"""A sweep ends with the same files, to the last bit, whatever happens to its processes, its disk and its files."""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from numerics.store import Store, name
from numerics.sweep import Local, Packed, drawn, grid, main, sweep

RUNS = '''
"""Runs for these tests, in a module that other processes can import."""

import errno, itertools, os, signal, sys, time
from dataclasses import dataclass
from pathlib import Path
import numpy as np
import numerics.store

LOG, WRITE = Path(__file__).parent / "log", os.write

@dataclass(frozen=True)
class Settings:
    seed: int
    eta: float = 0.1
    size: int = 5

def short(settings):
    """Some milliseconds of a run, and a line in the log that it was made."""
    with LOG.open("a") as log:
        log.write(f"{settings.seed}\\n")
    time.sleep(0.02)
    draw = np.random.default_rng(settings.seed)
    return dict(loss=settings.eta * draw.normal(size=2000), steps=np.arange(settings.size))

def several(many):
    """As many runs at once, as each would be alone."""
    return [short(settings) for settings in many]

def by_seed(many):
    """Who was run together."""
    return [dict(together=np.array([one.seed for one in many])) for _ in many]

def odd(settings):
    """Runs that fail, each in its own way, where the seed is odd."""
    match settings.seed:
        case 1: raise ZeroDivisionError("the first is bad")
        case 3: sys.exit("the third gives up")
        case 5: os.kill(os.getpid(), signal.SIGKILL)
        case 7: os._exit(9)
        case 9: return dict(loss=object())
        case 11: return [1.0]
    return short(settings)

def killed_once(settings):
    """A run whose process is killed in the middle of it, the first time, for every fourth seed."""
    mark = LOG.parent / f"killed {settings.seed}"
    if settings.seed % 4 == 0 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return short(settings)

def odd_together(many):
    """The same in packs."""
    return [odd(settings) for settings in many]

def too_few(many):
    """One result less than settings."""
    return [short(settings) for settings in many[1:]]

def on_a_full_disk(settings):
    """The write of which the number stands in a file fails, half done, in the process that makes this run."""
    left = LOG.parent / "left"
    def full(descriptor, data):
        number = int(left.read_text())
        left.write_text(str(number - 1))
        if number:
            return WRITE(descriptor, data)
        WRITE(descriptor, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    numerics.store.os.write = full
    return short(settings)

def trained(many):
    """Networks of one shape, with noise, as one ensemble; settings of one run are a list of one."""
    from numerics.ensemble import Adam, Network, UpdateNoise, train
    x, y = np.random.default_rng(0).uniform(-1, 1, (2, 13, 7))
    run = train(Network(7, many[0].size, 7), x, y, seeds=[s.seed for s in many], steps=[0, 30, 60],
        by=Adam(many[0].eta), noise=UpdateNoise(1e-3), threads=1)
    return [dict(loss=run.loss[:, k], final=run.final[k]) for k in range(len(many))]

def command(settings=tuple(Settings(seed) for seed in range(24))):
    """A sweep as a command."""
    from numerics.sweep import main
    return main(short, settings, "unused")

if __name__ == "__main__":
    sys.exit(command())
'''


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The module of runs."""
    (tmp_path / "module").mkdir()
    (tmp_path / "module" / "runs_of_tests.py").write_text(RUNS)
    monkeypatch.syspath_prepend(tmp_path / "module")
    import runs_of_tests

    yield runs_of_tests
    del sys.modules["runs_of_tests"]


def files(folder):
    """Every file of a folder and its bytes."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def undisturbed(runs, settings, tmp_path):
    """The files of a sweep that nothing befell."""
    report = sweep(runs.short, settings, Store(tmp_path / "undisturbed"), on=Local(2))
    assert report.made == len(settings) and not report.failed
    runs.LOG.unlink()
    return files(tmp_path / "undisturbed")


def made(runs):
    """The seeds of the runs that were made, in order of their numbers."""
    return sorted(map(int, runs.LOG.read_text().split())) if runs.LOG.exists() else []


def test_what_is_stored_is_not_run_again(runs, tmp_path):
    """Each run is made once, in other processes; a sweep that was done does nothing; a longer one does the rest."""
    settings, store = [runs.Settings(seed) for seed in range(7)], Store(tmp_path / "runs")
    first = sweep(runs.short, settings[:4], store, on=Local(2))
    assert (first.found, first.made, first.failed, made(runs)) == (0, 4, (), [0, 1, 2, 3])
    again = sweep(runs.short, settings[:4], store)
    assert (again.found, again.made, made(runs)) == (4, 0, [0, 1, 2, 3])
    longer = sweep(runs.short, settings, store, on=Local(1))
    assert (longer.found, longer.made, made(runs)) == (4, 3, [*range(7)])
    assert str(longer) == "3 runs made, 4 found, 0 failed"
    for one in settings:
        assert np.array_equal(store.load(one)["loss"], runs.short(one)["loss"])


def test_repeated_settings_are_run_once(runs, tmp_path):
    """Duplicate seeds in a design are one run, and the report says so."""
    settings = [runs.Settings(seed) for seed in (4, 2, 4, 4, 2)]
    report = sweep(runs.short, settings, Store(tmp_path / "runs"), on=Local(2))
    assert (report.made, report.repeated, made(runs)) == (2, 3, [2, 4])
    assert "3 settings stood there more than once" in str(report)


def test_runs_that_fail_are_recorded_and_the_rest_go_on(runs, tmp_path):
    """Exceptions, exits, killed processes and wrong results are recorded, with what went wrong, and tried again."""
    store, settings = Store(tmp_path / "runs"), [runs.Settings(seed) for seed in range(12)]
    report = sweep(runs.odd, settings, store, on=Local(2))
    how = {one.seed: text for one, text in report.failed}
    assert report.made == 6 and sorted(how) == [1, 3, 5, 7, 9, 11] and made(runs) == [0, 2, 4, 6, 8, 10]
    assert "ZeroDivisionError: the first is bad" in how[1] and "in odd" in how[1]
    assert "SystemExit: the third gives up" in how[3]
    assert how[5] == "its process died 3 times: it was killed by SIGKILL"
    assert how[7] == "its process died 3 times: it ended with exit code 9"
    assert "loss is a object, not a numpy array" in how[9] and "not arrays by name" in how[11]
    assert {r["settings"]["seed"]: r["traceback"] for r in store.failures().values()} == how
    assert "Settings(seed=1, eta=0.1, size=5): ZeroDivisionError: the first is bad" in str(report)
    repaired = sweep(runs.short, settings, store, on=Local(2))
    assert (repaired.found, repaired.made, repaired.failed, store.failures()) == (6, 6, (), {})


def test_a_bad_run_takes_no_others_of_its_pack_with_it(runs, tmp_path):
    """Packs that fail, or whose process dies, are run one by one."""
    settings = [runs.Settings(seed) for seed in (0, 1, 2, 5, 4)]
    report = sweep(Packed(runs.odd_together, lambda s: s.size, 3), settings, Store(tmp_path / "runs"), on=Local(1))
    assert report.made == 3 and sorted(one.seed for one, _ in report.failed) == [1, 5]
    few = sweep(Packed(runs.too_few, lambda s: s.size, 2), settings[:2], Store(tmp_path / "few"), on=Local(1))
    assert ["1 settings gave 0 results" in text for _, text in few.failed] == [True, True]


def test_packed_networks_are_those_trained_alone(runs, tmp_path):
    """Networks of equal shape train as one ensemble, others apart, and the bits are those of single networks."""
    settings = grid(runs.Settings, size=[9, 20], seed=range(3))
    store = Store(tmp_path / "together")
    report = sweep(Packed(runs.trained, lambda s: (s.size, s.eta), 16), settings, store, on=Local(1))
    assert report.made == 6, report
    for one in settings:
        (alone,), stored = runs.trained([one]), store.load(one)
        assert all(np.array_equal(stored[key], alone[key]) for key in ("loss", "final"))
    assert len({store["loss"].tobytes() for store in map(store.load, settings)}) == 6


def test_damaged_files_are_reported_and_run_anew(runs, tmp_path):
    """Truncated, altered and exchanged files are run again, and no others."""
    settings, store = [runs.Settings(seed) for seed in range(8)], Store(tmp_path / "undisturbed")
    expected = undisturbed(runs, settings, tmp_path)
    paths = [store.path(one) for one in settings]
    paths[1].write_bytes(expected[paths[1].name][:-100])
    paths[3].write_bytes(b"")
    data = bytearray(expected[paths[4].name])
    data[len(data) // 2] ^= 1
    paths[4].write_bytes(data)
    paths[6].write_bytes(expected[paths[7].name])
    report = sweep(runs.short, settings, store, on=Local(2))
    assert (report.found, report.made, len(report.damaged), made(runs)) == (4, 4, 4, [1, 3, 4, 6])
    assert all(paths[i].name in str(report) for i in (1, 3, 4, 6))
    assert files(store.folder) == expected


def test_runs_of_other_code_are_kept_and_counted(runs, tmp_path, monkeypatch):
    """What other sources of numerics have made stays, and the report says how much it is."""
    settings, store = [runs.Settings(seed) for seed in range(3)], Store(tmp_path / "runs")
    sweep(runs.short, settings, store, on=Local(1))
    assert sweep(runs.short, settings, store).made_otherwise == 0
    monkeypatch.setattr("numerics.store._sources", lambda: "other")
    report = sweep(runs.short, settings, store)
    assert (report.found, report.made_otherwise) == (3, 3) and "3 of those found were made by other" in str(report)


def test_a_full_disk_stops_the_sweep_and_loses_nothing(runs, tmp_path):
    """Whichever write fails, the sweep ends with its error, what was stored is whole, and it can be taken up."""
    settings = [runs.Settings(seed) for seed in range(3)]
    expected = undisturbed(runs, settings, tmp_path)
    for number in range(3):
        store = Store(tmp_path / f"after {number}")
        (tmp_path / "module" / "left").write_text(str(number))
        with pytest.raises(OSError, match="No space left on device"):
            sweep(runs.on_a_full_disk, settings, store, on=Local(1))
        assert len(files(store.folder)) == number and files(store.folder).items() <= expected.items()
        assert sweep(runs.short, settings, store, on=Local(1)).found == number
        assert files(store.folder) == expected


def test_an_unwritable_folder_stops_the_sweep_before_any_run(runs, tmp_path, monkeypatch):
    """Where nothing can be stored nothing is run."""

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("numerics.store.os.open", refused)
    with pytest.raises(PermissionError):
        sweep(runs.short, [runs.Settings(0)], Store(tmp_path / "runs"), on=Local(1))
    assert made(runs) == []


class Killer(threading.Thread):
    """Kills the processes of a sweep, one at a time, at random moments of its progress.

    So that the sweep goes on however slow the machine is, a kill waits for 0 to 3 runs to begin after the one before,
    and then for a random part of the time that two runs take.
    """

    def __init__(self, runs, seed):
        super().__init__(daemon=True)
        self.begun, self.draw, self.kills, self.done = lambda: len(made(runs)), np.random.default_rng(seed), 0, False

    def run(self):
        """Until it is told to stop."""
        while not self.done:
            due = self.begun() + self.draw.integers(0, 4)
            while self.begun() < due and not self.done:
                time.sleep(0.005)
            time.sleep(self.draw.uniform(0, 0.05))
            alive = [child for child in multiprocessing.active_children() if child.is_alive()]
            if alive:
                os.kill(alive[self.draw.integers(len(alive))].pid, signal.SIGKILL)
                self.kills += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done = True
        self.join()


def test_workers_killed_at_random_moments_change_nothing(runs, tmp_path):
    """Forty SIGKILLs of workers: each sweep, taken up until nothing fails, has the files of an undisturbed one."""
    settings = [runs.Settings(seed) for seed in range(30)]
    expected = undisturbed(runs, settings, tmp_path)
    with Killer(runs, seed=6) as killer:
        for number in itertools.count():
            store = Store(tmp_path / f"disturbed {number}")
            while sweep(runs.short, settings, store, on=Local(2)).failed:
                pass
            store.prepare()  # removes what the killed have left
            assert files(store.folder) == expected
            if killer.kills >= 40:
                break
    print(f"\n{killer.kills} kills in {number + 1} sweeps of {len(settings)} runs, {len(made(runs))} runs begun")


def process(runs, *arguments, code=None):
    """A sweep as a command, with its output in a pipe that closes when the last of its processes is gone."""
    folder, root = Path(runs.__file__).parent, Path(__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, *(["-c", code] if code else [runs.__file__]), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(folder), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_parents_killed_at_random_moments_change_nothing(runs, tmp_path):
    """Twelve SIGKILLs of the sweep itself: its workers go with it, and the last one completes the same files."""
    expected, folder = undisturbed(runs, [runs.Settings(seed) for seed in range(24)], tmp_path), tmp_path / "killed"
    stored = lambda: sorted(folder.glob("[!.]*.npz"))  # noqa: E731
    kills, midway, draw = 0, 0, np.random.default_rng(7)
    while kills < 12:
        for path in stored()[:18]:
            path.unlink()  # so that there is something to do
        parent, before, wanted = process(runs, "--folder", folder, "--workers", 2), len(stored()), draw.integers(1, 12)
        while kills > 3 and parent.poll() is None and len(stored()) < before + wanted:  # the first ones die anywhere
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.02 if kills > 3 else 1.2))
        parent.send_signal(signal.SIGKILL)
        parent.communicate(timeout=60)  # until the orphans are gone
        kills += parent.returncode == -signal.SIGKILL
        there = {file: data for file, data in files(folder).items() if file[0] != "."} if folder.exists() else {}
        midway += before < len(there) < len(expected)
        assert there.items() <= expected.items()
    assert midway >= 4
    final = process(runs, "--folder", folder, "--workers", 2)
    assert "runs made" in final.communicate(timeout=60)[0] and final.returncode == 0
    assert files(folder) == expected


def test_shards_leave_packs_together(runs, tmp_path):
    """Parts of a job array share packs, not runs: networks that train together stay together."""
    settings = grid(runs.Settings, seed=range(3), size=[3, 4])
    packed = Packed(runs.by_seed, lambda one: one.size, 3)
    for i in (1, 2):
        report = sweep(packed, settings, Store(tmp_path / "runs"), on=Local(1), shard=(i, 2))
        assert (report.found, report.made) == (0, 3), report
    assert {tuple(Store(tmp_path / "runs").load(one)["together"]) for one in settings} == {(0, 1, 2)}


def test_shards_are_the_whole(runs, tmp_path):
    """Parts of a job array, two of them at the same time, have nothing in common and make the whole sweep."""
    expected = undisturbed(runs, [runs.Settings(seed) for seed in range(24)], tmp_path)
    folder = tmp_path / "shards"
    parts = [process(runs, "--folder", folder, "--shard", f"{i}/3", "--workers", 1) for i in (1, 2)]
    assert ["8 runs made, 0 found" in part.communicate(timeout=60)[0] for part in parts] == [True, True]
    assert "8 runs made, 0 found" in process(runs, "--folder", folder, "--shard", "3/3").communicate(timeout=60)[0]
    assert made(runs) == [*range(24)] and files(folder) == expected


DASK = """
import sys
from distributed import Client, LocalCluster
from numerics.store import Store
from numerics.sweep import Dask, sweep
import runs_of_tests as runs
settings = [runs.Settings(seed) for seed in range(12)]
with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
    with Client(cluster, set_as_default=False) as client:
        while sweep(runs.killed_once, settings, Store(sys.argv[1]), on=Dask(client)).failed:
            pass
    report = sweep(runs.odd, settings[:6], Store(sys.argv[2]), on=Dask(cluster.scheduler_address))
print({one.seed: how for one, how in report.failed})
"""


def test_dask_workers_killed_at_their_work_change_nothing(runs, tmp_path):
    """Runs of a killed worker go to another one; a run that kills every worker fails, as one that raises does."""
    expected = undisturbed(runs, [runs.Settings(seed) for seed in range(12)], tmp_path)
    cluster = process(runs, tmp_path / "runs", tmp_path / "odd", code=DASK)
    said = cluster.communicate(timeout=120)[0]
    assert cluster.returncode == 0, said
    assert files(tmp_path / "runs") == expected
    assert len(list((tmp_path / "module").glob("killed *"))) == 3
    failed = said.splitlines()[-1]
    assert "KilledWorker" in failed and "ZeroDivisionError" in failed and "SystemExit" in failed


SLURM = """
import sys
from numerics.store import Store
from numerics.sweep import Slurm, _places, sweep
import runs_of_tests as runs
_places.QUEUE = 1.0
on = Slurm(int(sys.argv[2]), dict(cores=1, processes=1, memory="1GB", interface="lo"))
assert not sweep(runs.short, [runs.Settings(seed) for seed in range(9)], Store(sys.argv[1]), on=on).failed
"""
SBATCH = """#!/bin/sh
if [ "$1" = --test-only ]; then
    cat > /dev/null
    [ ! -e "$REFUSES" ] || { echo "sbatch: error: no such partition" >&2; exit 1; }
else
    cp "$1" "$JOBS.$$"  # it is deleted as soon as this ends
    [ ! -e "$KILLS" ] && job="$JOBS.$$" || job=/dev/null
    rm -f "$KILLS"
    setsid sh "$job" > /dev/null 2>&1 < /dev/null &
    echo "$!" >> "$JOBS"
    echo "Submitted batch job $!"
fi
"""
SQUEUE = """#!/bin/sh
while read -r job; do
    if kill -s 0 -- "-$job" 2> /dev/null; then echo "$job"; fi
done < "$JOBS"
"""
SCANCEL = "#!/bin/sh\nkill -s KILL -- -$1 2> /dev/null || true\n"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Commands in the place of SLURM's, which run a job at once; files `refuses` and `kills` say what goes wrong."""
    (tmp_path / "bin").mkdir()
    for command, code in (("sbatch", SBATCH), ("scancel", SCANCEL), ("squeue", SQUEUE)):
        (tmp_path / "bin" / command).write_text(code)
        (tmp_path / "bin" / command).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    for what in ("refuses", "kills", "jobs"):
        monkeypatch.setenv(what.upper(), str(tmp_path / what))
    return tmp_path


def test_slurm_jobs_share_a_sweep(runs, slurm, tmp_path):
    """Jobs leave the files of an undisturbed sweep; jobs that are refused end the sweep at once."""
    expected = undisturbed(runs, [runs.Settings(seed) for seed in range(9)], tmp_path)
    jobs = process(runs, tmp_path / "runs", 2, code=SLURM)
    said = jobs.communicate(timeout=120)[0]
    assert jobs.returncode == 0, said
    assert files(tmp_path / "runs") == expected
    (slurm / "refuses").touch()
    jobs = process(runs, tmp_path / "refused", 2, code=SLURM)
    assert "RuntimeError: SLURM refuses the jobs: sbatch: error: no such partition" in jobs.communicate(timeout=60)[0]
    assert not files(tmp_path / "refused")


def test_a_slurm_job_that_dies_before_its_worker_comes_is_replaced(runs, slurm, tmp_path):
    """A sweep by one job, killed as it starts, asks for a second, and ends."""
    (slurm / "kills").touch()
    job = process(runs, tmp_path / "runs", 1, code=SLURM)
    said = job.communicate(timeout=120)[0]
    assert job.returncode == 0, said
    assert len((slurm / "jobs").read_text().split()) == 2


def test_a_script_without_a_guard_is_told_so(runs, tmp_path):
    """A script that sweeps while it is imported ends at once with an error that says what to do."""
    Path(runs.__file__).write_text(RUNS.replace('if __name__ == "__main__":', "if True:"))
    parent = process(runs, "--folder", tmp_path / "runs", "--workers", 1)
    assert "under `if __name__ == '__main__':`" in parent.communicate(timeout=60)[0] and parent.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(run=3), TypeError, "run = 3 is no function"),
        (dict(run=lambda settings: {}), ValueError, "cannot be imported by another process"),
        (dict(on="cluster"), TypeError, r"on = 'cluster' is a str: give Local\(\), Dask\(client\) or Slurm\(jobs\)"),
        (dict(shard=(3, 2)), ValueError, "there is no part 3 of 2"),
        (dict(shard=(0, 2)), ValueError, "shard = 0 must be at least 1"),
        (dict(shard="1/2"), TypeError, "must be two whole numbers"),
        (dict(settings=[3]), TypeError, "settings = 3 is no frozen dataclass"),
    ],
)
def test_wrong_requests(runs, tmp_path, arguments, error, says):
    """Arguments that make no sense are refused before anything is made."""
    given = dict(run=runs.short, settings=[runs.Settings(0)], store=Store(tmp_path / "runs")) | arguments
    with pytest.raises(error, match=says):
        sweep(**given)
    assert not (tmp_path / "runs").exists()


def test_the_command(runs, tmp_path, capsys, monkeypatch):
    """Code 0 when every run is stored, 1 when some failed, 2 with a clear line for a wrong request."""
    folder, command = tmp_path / "runs", lambda *given: main(runs.odd, [runs.Settings(0), runs.Settings(1)], *given)
    assert command(folder, ["--workers", "1"]) == 1
    assert "1 runs made, 0 found, 1 failed" in capsys.readouterr().out
    assert main(runs.odd, [runs.Settings(0)], folder, []) == 0
    for wrong, says in (
        (["--shard", "1"], "shard = '1' must be I/N"),
        (["--shard=-1/2"], "shard = '-1/2' must be I/N"),
        (["--shard", "5/4"], "there is no part 5 of 4"),
        (["--workers", "0"], "workers = 0 must be at least 1"),
        (["--slurm", "0"], "jobs = 0 must be at least 1"),
    ):
        assert command(folder, wrong) == 2
        assert says in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for place, library in ((["--dask", "tcp://here:1"], "distributed"), (["--slurm", "2"], "dask_jobqueue")):
        assert command(folder, place) == 2
        assert f"needs {library}: pip install 'learning-laws[cluster]'" in capsys.readouterr().err
    monkeypatch.undo()
    with pytest.raises(SystemExit, match="2"):
        command(folder, ["--dask", "tcp://here", "--workers", "2"])
    assert "not allowed with argument" in capsys.readouterr().err


@dataclass(frozen=True)
class Point:
    """Settings of a design."""

    eta: float
    seed: int
    kind: str = "a"


def test_grids():
    """Every combination, once, with Python's numbers for numpy's."""
    design = grid(Point, eta=np.array([0.5, 0.25]), seed=np.arange(3), kind=["a", "b"])
    assert len(design) == 12 == len({name(point) for point in design})
    assert design[0] == Point(0.5, 0, "a") and type(design[0].seed) is int and type(design[0].eta) is float
    for wrong in ("ab", [], 3):
        with pytest.raises(ValueError, match="eta = .* must be a sequence"):
            grid(Point, eta=wrong, seed=[1])


def test_random_designs():
    """Drawn from their seed, each for itself, evenly over the values of an axis or as its function says."""
    axes = dict(eta=lambda rng: 10 ** rng.uniform(-3, -1), seed=range(4), kind=["a", "b"])
    design = drawn(Point, 400, 5, **axes)
    assert design[:50] == drawn(Point, 50, 5, **axes) != drawn(Point, 50, 6, **axes)
    assert all(1e-3 <= point.eta < 1e-1 and type(point.eta) is float for point in design)
    from scipy.stats import chisquare, kstest

    counts = [sum((p.seed, p.kind) == cell for p in design) for cell in itertools.product(range(4), "ab")]
    assert chisquare(counts).pvalue > 1e-5
    assert kstest([np.log10(point.eta) / 2 + 1.5 for point in design], "uniform").pvalue > 1e-5
    for wrong, says in (((0, 5), "count = 0"), ((3, -1), "seed = -1")):
        with pytest.raises(ValueError, match=says):
            drawn(Point, *wrong, **axes)
