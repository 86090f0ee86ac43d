"""Sweeps on SLURM, shown on one machine: Debian's slurm on the loopback interface, as root.

    apt-get install --no-install-recommends slurmctld slurmd slurm-client munge
    pip install -e '.[cluster]'
    python benchmarks/slurm.py

Munge and the two daemons are started with a folder of their own, so that nothing of an installed slurm is touched, and
stopped at the end.  The same small sweep of noisy networks is made three times: here; by jobs that dask-jobqueue
submits, of which one is cancelled as it starts and one while it works; and by a job array, which needs neither Dask
nor an open port.  All three must leave the same files of runs, to the last bit.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SWEEP = [sys.executable, "-m", "numerics.generality", "--networks", "96", "--steps", "5000", "--together", "4"]
JOBQUEUE = dict(CORES="1", PROCESSES="1", MEMORY="1GB", WALLTIME="00:20:00", INTERFACE="lo", DEATH_TIMEOUT="60")

CONFIGURATION = """
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=36817
SlurmdPort=36818
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=loopback Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@contextlib.contextmanager
def slurm(folder: Path):
    """Munge and the daemons of SLURM, with all that they keep in this folder; the environment of its commands."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, cores=os.cpu_count(), memory=memory))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    for part in ("state", "spool"):
        (folder / part).mkdir()
    munge = [f"--{what}-file={folder}/munged.{what}" for what in ("pid", "seed")]
    munge += [f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket", "--foreground", "--force"]
    configured = ["-f", str(folder / "slurm.conf"), "-D"]
    daemons = (["munged", *munge], ["slurmctld", *configured], ["slurmd", *configured, "-N", "localhost"])
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PYTHONPATH": str(ROOT)}
    with contextlib.ExitStack() as stack:
        for command in daemons:
            path = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
            if path is None:
                raise SystemExit(f"{command[0]} is missing: apt-get install slurmctld slurmd slurm-client munge")
            log = stack.enter_context((folder / f"{command[0]}.log").open("w"))
            process = subprocess.Popen([path, *command[1:]], env=environment, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            time.sleep(2)
            if process.poll() is not None:
                raise SystemExit(f"{command[0]} ended: {(folder / log.name).read_text()}")
        yield environment


def queue(environment) -> list[str]:
    """The jobs that run."""
    asked = ["squeue", "--noheader", "--states=RUNNING", "--format=%i"]
    return subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout.split()


def cancel_two(environment, folder: Path, done: threading.Event) -> None:
    """Cancel one job as soon as it runs, before its worker can have come, and one when a run has been stored."""
    stored = lambda: len(list(folder.glob("*.npz")))  # noqa: E731
    for may in (lambda: True, stored):
        while not done.wait(0.2):
            jobs = queue(environment)
            if jobs and may():
                subprocess.run(["scancel", jobs[0]], env=environment, check=True)
                print(f"job {jobs[0]} was cancelled after {stored()} of 96 runs", flush=True)
                break


def here(environment, folder: Path) -> None:
    """By a process of this machine."""
    subprocess.run([*SWEEP, "--workers", "1", "--folder", folder], env=environment, check=True)


def through_dask(environment, folder: Path) -> None:
    """By two jobs that dask-jobqueue submits; one is cancelled as it starts, one while it works."""
    configured = {f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in JOBQUEUE.items()}
    configured["DASK_JOBQUEUE__SLURM__LOG_DIRECTORY"] = str(folder.parent)
    done = threading.Event()
    canceller = threading.Thread(target=cancel_two, args=(environment, folder, done))
    canceller.start()
    try:
        subprocess.run([*SWEEP, "--slurm", "2", "--folder", folder], env=environment | configured, check=True)
    finally:
        done.set()
        canceller.join()


def by_array(environment, folder: Path) -> None:
    """By a job array of three."""
    command = " ".join([*SWEEP, "--workers", "1", "--folder", str(folder), "--shard", "$SLURM_ARRAY_TASK_ID/3"])
    asked = ["sbatch", "--wait", "--array=1-3", f"--output={folder.parent}/array-%a.log", "--wrap", command]
    subprocess.run(asked, env=environment, check=True)
    for log in sorted(folder.parent.glob("array-*.log")):
        print(f"{log.stem}: {next(line for line in log.read_text().splitlines() if 'runs made' in line)}")


def main() -> int:
    """0 if all three ways have left the same files."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # the daemons are stopped all the same
    with tempfile.TemporaryDirectory() as name, slurm(Path(name)) as environment:
        found = []
        for way in (here, through_dask, by_array):
            folder, began = Path(name) / way.__name__, time.perf_counter()
            print(f"\n-- {way.__doc__}", flush=True)
            way(environment, folder)
            found.append({path.name: path.read_bytes() for path in folder.glob("*.npz")})  # figures stand beside them
            print(f"{len(found[-1])} runs in {time.perf_counter() - began:.0f} s", flush=True)
        same = len(found[0]) == 96 and all(files == found[0] for files in found)
        print("\nthe same files to the last bit" if same else "\nTHE FILES DIFFER")
        return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
