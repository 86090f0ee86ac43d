"""Where runs are made: processes of this machine, a Dask cluster, jobs of SLURM."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import importlib.util
import multiprocessing
import os
import pickle
import signal
import subprocess
import traceback
from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any

from threadpoolctl import threadpool_limits

from numerics.checks import whole
from numerics.store import Store

ATTEMPTS = 3  # of a run whose process dies
PATIENCE = 5.0  # seconds for an idle process to end, and between two looks for lost workers
QUEUE = 30.0  # seconds between two questions to SLURM for its queue, which it shall not be asked more often


@dataclass(frozen=True)
class Outcome:
    """Of a pack: stored, or the traceback of the run, or why what it gave could not be stored."""

    failed: str = ""
    unstored: OSError | None = None


@dataclass(frozen=True)
class Work:
    """What a worker does with a pack of settings: run it and store what comes."""

    run: Callable
    together: bool
    store: Store

    def __call__(self, pack: list) -> Outcome:
        """The outcome; nothing that the run raises gets out."""
        try:
            results = self.run(list(pack)) if self.together else [self.run(pack[0])]
            if len(results) != len(pack):
                raise ValueError(f"{len(pack)} settings gave {len(results)} results")
        except (Exception, SystemExit):
            return Outcome(failed=traceback.format_exc())
        try:
            for settings, arrays in zip(pack, results, strict=True):
                self.store.save(settings, arrays)
        except OSError as error:
            return Outcome(unstored=error)
        except Exception:
            return Outcome(failed=traceback.format_exc())
        return Outcome()


@dataclass(frozen=True)
class Local:
    """Processes of this machine, by default as many as there are cores; libraries use one thread in each.

    They are started afresh (spawned), so the function must be importable: one of a module or of a script.
    """

    workers: int | None = None

    def __post_init__(self):
        if self.workers is not None:
            whole("workers", self.workers)

    def outcomes(self, work: Work, packs: list[list]) -> Generator[tuple[list, Outcome], None, None]:
        """Each pack with its outcome, as they come."""
        pickled, waiting = pickle.dumps(work), deque((pack, 1) for pack in packs)
        idle: list[_Worker] = []
        busy: dict[Any, _Worker] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < (self.workers or _cores()):
                    worker = idle.pop() if idle else _Worker(pickled)
                    busy[worker.pipe] = worker
                    worker.take(*waiting.popleft())
                for pipe in connection.wait(list(busy)):
                    worker = busy.pop(pipe)
                    message = worker.message()
                    if message == READY:
                        busy[pipe] = worker
                    elif isinstance(message, Outcome):
                        idle.append(worker)
                        yield worker.pack, message
                    elif worker.attempt < ATTEMPTS:
                        waiting.appendleft((worker.pack, worker.attempt + 1))
                    else:
                        yield worker.pack, Outcome(failed=f"its process died {ATTEMPTS} times: it {worker.end()}")
        finally:
            for worker in idle:
                worker.pipe.close()  # it ends by itself
            for worker in busy.values():
                worker.process.kill()
            for worker in (*idle, *busy.values()):
                worker.stop()


@dataclass(frozen=True)
class Dask:
    """A Dask cluster (extra `cluster`): the address of its scheduler, or a `distributed.Client`.

    Its workers must see the store's folder under the same path, and the same code.  How often a run may lose its
    worker is the scheduler's setting `allowed-failures`.
    """

    client: Any

    def __post_init__(self):
        _needs("distributed")

    def outcomes(self, work: Work, packs: list[list]) -> Generator[tuple[list, Outcome], None, None]:
        """Each pack with its outcome, as they come."""
        from distributed import Client, as_completed

        with contextlib.ExitStack() as stack:
            own = isinstance(self.client, str)
            client = stack.enter_context(Client(self.client, set_as_default=False)) if own else self.client
            futures = {client.submit(_told, work, pack, pure=False): pack for pack in packs}
            stack.callback(lambda: client.cancel(list(futures)))
            for future in as_completed(list(futures), loop=client.loop):
                yield futures.pop(future), _outcome(future)


def _needs(library: str) -> None:
    """Raise ImportError where a library of the extra `cluster` is not installed."""
    if importlib.util.find_spec(library) is None:
        raise ImportError(f"a cluster needs {library}: pip install 'learning-laws[cluster]'")


class Failed(Exception):
    """A pack whose run raised; the text is the traceback."""


def _told(work: Work, pack: list) -> None:
    """What went wrong is raised: a scheduler keeps errors, while what is returned is lost with its worker."""
    outcome = work(pack)
    if outcome.unstored:
        raise outcome.unstored
    if outcome.failed:
        raise Failed(outcome.failed)


def _outcome(future) -> Outcome:
    """Of a pack whose future has come to its end."""
    if future.cancelled():
        return Outcome(failed="its future was cancelled: the cluster has stopped or forgotten it")
    if future.status != "error":
        return Outcome()
    error = future.exception()
    if isinstance(error, OSError):
        return Outcome(unstored=error)
    return Outcome(failed=str(error) if isinstance(error, Failed) else "".join(traceback.format_exception(error)))


@dataclass(frozen=True)
class Slurm:
    """So many SLURM jobs, each a worker, through dask-jobqueue (extra `cluster`).

    What a job is (cores, memory, walltime, queue, interface) stands in `options`, as `dask_jobqueue.SLURMCluster` takes
    it, or in Dask's own configuration, a file or variables such as DASK_JOBQUEUE__SLURM__CORES.  A job that ends before
    the sweep, because it was cancelled or its time was over, is asked for again as soon as Dask gives its worker up, or
    if no worker has come of it, as soon as it is seen to have left the queue.
    """

    jobs: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        whole("jobs", self.jobs)
        _needs("dask_jobqueue")

    def outcomes(self, work: Work, packs: list[list]) -> Generator[tuple[list, Outcome], None, None]:
        """Each pack with its outcome, as they come."""
        from dask_jobqueue import SLURMCluster
        from distributed import Client
        from tornado.ioloop import PeriodicCallback

        with SLURMCluster(**self.options) as cluster, Client(cluster, set_as_default=False) as client:
            asked = ["sbatch", "--test-only"]  # a job that is refused later is only waited for
            said = subprocess.run(asked, input=cluster.job_script(), capture_output=True, text=True, check=False)
            if said.returncode:
                raise RuntimeError(f"SLURM refuses the jobs: {said.stderr.strip()}")
            # asking again replaces the lost; `cluster.adapt` counts them as there
            asking = PeriodicCallback(lambda: cluster.scale(jobs=self.jobs), 1000 * PATIENCE)
            forgetting = PeriodicCallback(_Stillborn(cluster).forget, 1000 * QUEUE)
            cluster.scale(jobs=self.jobs)
            for regular in (asking, forgetting):
                cluster.loop.add_callback(regular.start)
            try:
                yield from Dask(client).outcomes(work, packs)
            finally:
                for regular in (asking, forgetting):
                    cluster.loop.add_callback(regular.stop)


class _Stillborn:
    """Jobs that left the queue before their worker came: Dask, which loses workers, waits for these for ever."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.born: set[str] = set()  # workers that came, whatever became of them

    async def forget(self) -> None:
        """Let the cluster forget them, so that they are asked for again."""
        self.born |= {worker["name"] for worker in self.cluster.scheduler_info["workers"].values()}
        jobs = {name: job.job_id for name, job in self.cluster.workers.items() if not self._born(name)}
        if not jobs:
            return
        asked = ("squeue", "--noheader", "--format=%A", f"--user={getpass.getuser()}")
        squeue = await asyncio.create_subprocess_exec(*asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        queue = (await squeue.communicate())[0].decode().split()
        if squeue.returncode:  # SLURM is busy or away, and nothing is known
            return
        for name, job in jobs.items():
            if job not in queue:
                self.cluster.workers.pop(name, None)

    def _born(self, job: str) -> bool:
        """Whether one of its workers came: they have its name, and a number where a job has several."""
        return any(str(worker) == job or str(worker).startswith(f"{job}-") for worker in self.born)


Place = Local | Dask | Slurm


def _cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


READY, DEAD = "ready", "dead"


class _Worker:
    """A process that runs one pack at a time, and the parent's end of the pipe to it."""

    def __init__(self, pickled: bytes):
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(target=_serve, args=(end, pickled), daemon=True)
        self.process.start()
        end.close()  # so that the pipe ends with the process
        self.begun = False

    def take(self, pack: list, attempt: int) -> None:
        """Run this next."""
        self.pack, self.attempt = pack, attempt
        with contextlib.suppress(OSError):  # it is dead, as its next message will tell
            self.pipe.send(pack)

    def message(self) -> Outcome | str:
        """Its next one: READY once, then outcomes; DEAD at its end."""
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self.pipe.close()
            self.process.join()
            if not self.begun and (self.process.exitcode or 0) > 0:
                raise RuntimeError(
                    f"a process {self.end()} before it had begun, for the reason above: the function must be "
                    "importable there, and a script must sweep under `if __name__ == '__main__':`"
                ) from None
            return DEAD
        self.begun = True
        return message

    def end(self) -> str:
        """How it came."""
        code = self.process.exitcode or 0
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def stop(self) -> None:
        """For good, and by force if it takes more than PATIENCE."""
        self.pipe.close()
        self.process.join(PATIENCE)
        self.process.kill()
        self.process.join()


def _serve(pipe, pickled: bytes) -> None:
    """What a worker does until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops it
    os.environ["OMP_NUM_THREADS"] = "1"  # for what is not loaded yet
    work = pickle.loads(pickled)
    with threadpool_limits(limits=1), contextlib.suppress(EOFError, OSError):
        pipe.send(READY)
        while True:
            pipe.send(work(pipe.recv()))
