"""The run: checks, start, chunks of steps by a backend, records, checkpoints."""

from __future__ import annotations

import functools
import hashlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from numerics.checks import numbers_of, positive, whole
from numerics.descent import GradientDescent
from numerics.ensemble import _compiled, _random, _torch
from numerics.ensemble._checkpoint import Checkpoint
from numerics.ensemble._values import SED, Adam, Algorithm, Lazy, Network, Noises, Rich, RMSprop

RECORDS = ("loss", "active_units", "active_fraction", "norms")
CHUNK_SECONDS = 0.5  # between two looks at the clock, for the progress bar and the checkpoint


@dataclass(frozen=True)
class Run:
    """What T recorded steps of B networks showed.  A diverged network has NaN from the step when it diverged.

    Attributes:
        steps: the recorded steps, (T,).
        loss: mean squared error, without noise, (T, B).
        active_units: units with an activity other than 0 for some sample, (T, B).
        active_fraction: of all (unit, sample) pairs, those with an activity other than 0, (T, B).
        norms: Euclidean norms of hidden weights, biases and output weights, (T, B, 3).
        parameters: (T, B, hidden, inputs + 1 + outputs) if asked for, else None.
        final: parameters after the last step, or before the one that diverged, (B, hidden, inputs + 1 + outputs).
        diverged: the step at which a network's loss left the numbers up to `ceiling`, -1 for none, (B,).
        backend: what trained them.
    """

    steps: np.ndarray
    loss: np.ndarray
    active_units: np.ndarray
    active_fraction: np.ndarray
    norms: np.ndarray
    parameters: np.ndarray | None
    final: np.ndarray
    diverged: np.ndarray
    backend: str


@dataclass(frozen=True)
class Job:
    """What the backends need to know: all checked, data in the precision of the training."""

    network: Network
    x: np.ndarray  # (1 or B, samples, inputs)
    y: np.ndarray  # (1 or B, samples, outputs)
    seeds: np.ndarray  # (B, 2) words
    by: Algorithm
    noises: Noises
    ceiling: float


@dataclass
class State:
    """Where the networks are."""

    theta: np.ndarray
    moments: list[np.ndarray]
    diverged: np.ndarray
    step: int = 0
    records: dict[str, list[np.ndarray]] = field(default_factory=dict)


def train(
    network: Network,
    x,
    y,
    *,
    seeds: Sequence[int],
    steps,
    by: Algorithm,
    noise=(),
    start=Rich(),  # noqa: B008
    dtype: str = "float64",
    device: str = "cpu",
    ceiling: float = math.inf,
    keep_parameters: bool = False,
    checkpoint: Checkpoint | None = None,
    threads: int | None = None,
) -> Run:
    """Train B networks, one for each seed, and record them after each of `steps` steps.

    Args:
        network: the shape and the activation.
        x: inputs, (samples, inputs) for all networks, or (B, samples, inputs).
        y: targets, (samples, outputs) or (B, samples, outputs).
        seeds: B whole numbers in [0, 2^64).
        steps: whole numbers, increasing, >= 0, as from `log_spaced`.
        by: GradientDescent, Adam, RMSprop or SED.
        noise: UpdateNoise, LabelNoise or UniformLabelNoise; or a tuple with one for the parameters and one for the
            labels; or () for none.
        start: Rich(), Lazy(), or parameters of shape (hidden, inputs + 1 + outputs), one for all or one each.
        dtype: "float64" or "float32"; data and parameters are rounded to it.
        device: "cpu", "torch" or "cuda".
        ceiling: a network whose loss passes it, or is no number, has diverged and trains no more; the others do.
        keep_parameters: whether all parameters are recorded as well.
        checkpoint: where to keep the run, and go on from.
        threads: of the compiled kernel; as many as there are cores by default.

    Returns:
        What was recorded, and which backend did the work.

    Raises:
        ValueError, TypeError: an argument makes no sense; raised before any work.
    """
    times = _steps(steps)
    job = _job(network, x, y, seeds, by, noise, dtype, ceiling)
    backend, advance = _backend(device, threads)
    theta = _start(network, start, job.seeds, job.x.dtype)
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        raise TypeError(f"checkpoint = {checkpoint!r} is a {type(checkpoint).__name__}, not a Checkpoint")
    names = (*RECORDS, "parameters") if keep_parameters else RECORDS
    about = _about(job, theta, times, names, backend)
    state = _resumed(checkpoint, about, names) or State(
        theta,
        [np.zeros_like(theta) for _ in range(2 * isinstance(by, (Adam, RMSprop)))],
        np.full(len(theta), -1, np.int64),
        records={name: [] for name in names},
    )
    _go(job, state, times, advance, checkpoint, about)
    return _run(job, state, times, backend)


def log_spaced(last: int, count: int) -> np.ndarray:
    """Step 0 and at most `count` steps up to `last`, evenly spaced in their logarithms as far as they are whole."""
    last, count = whole("last", last), whole("count", count)
    return np.unique(np.concatenate([[0], np.rint(np.geomspace(1, last, count)).astype(np.int64), [last]]))


def _go(job: Job, state: State, times: np.ndarray, advance: Callable, checkpoint: Checkpoint | None, about: str):
    """Advance from where the state is to the last time, in chunks that do not change the result."""
    saved, chunk = time.monotonic(), 64
    with tqdm(total=int(times[-1]), initial=state.step, desc="training", unit="step", delay=2, leave=False) as bar:
        while len(state.records["loss"]) < len(times):
            due = int(times[len(state.records["loss"])])
            steps = min(chunk, due - state.step)
            began = time.monotonic()
            advance(job, state, steps)
            state.step += steps
            bar.update(steps)
            if state.step == due:
                _record(job, state)
            now = time.monotonic()
            if steps == chunk:
                chunk = max(1, min(2 * chunk, int(chunk * CHUNK_SECONDS / max(now - began, 1e-6))))
            done = len(state.records["loss"]) == len(times)
            if checkpoint and (done or now - saved >= checkpoint.seconds):
                checkpoint.save(about, _arrays(state))
                saved = now


def _record(job: Job, state: State) -> None:
    theta = state.theta.astype(np.float64)
    theta[state.diverged >= 0] = np.nan
    parts = [_observed(job, theta, slice(i, i + 16)) for i in range(0, len(theta), 16)]
    for name, values in zip(RECORDS, zip(*parts, strict=True), strict=True):
        state.records[name].append(np.concatenate(values))
    if "parameters" in state.records:
        state.records["parameters"].append(theta.astype(state.theta.dtype))


def _observed(job: Job, theta: np.ndarray, some: slice) -> tuple[np.ndarray, ...]:
    """Loss, active units, active fraction, norms of some of the networks, in float64."""
    pick = lambda data: torch.from_numpy(data if len(data) == 1 else data[some]).double()  # noqa: E731
    weights = torch.from_numpy(theta[some])
    h, r = _torch.forward(job.network, weights, pick(job.x), pick(job.y))
    gone = torch.isnan(weights[:, 0, 0])
    active = (h != 0).double()
    shown = [active.amax(2).sum(1), active.mean((1, 2))]
    norms = [part.flatten(1).norm(dim=1) for part in job.network.parts(weights)]
    loss = _torch.mean_square(r)
    return loss.numpy(), *(torch.where(gone, torch.nan, v).numpy() for v in shown), torch.stack(norms, 1).numpy()


def _run(job: Job, state: State, times: np.ndarray, backend: str) -> Run:
    records = {name: np.array(values) for name, values in state.records.items()}
    return Run(
        steps=times,
        **{name: records[name] for name in RECORDS},
        parameters=records.get("parameters"),
        final=state.theta,
        diverged=state.diverged,
        backend=backend,
    )


def _steps(steps) -> np.ndarray:
    times = np.atleast_1d(numbers_of("steps", steps))
    if times.ndim != 1 or not times.size:
        raise ValueError(f"steps must be a row of numbers, got shape {times.shape}")
    wrong = times[(times != np.rint(times)) | (times < 0) | (times > 2**53)]
    if wrong.size:
        raise ValueError(f"steps = {wrong[0]} is no whole number in [0, 2^53]")
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        raise ValueError(f"steps must increase, but {times[falls[0] + 1]:.0f} follows {times[falls[0]]:.0f}")
    return times.astype(np.int64)


def _job(network, x, y, seeds, by, noise, dtype, ceiling) -> Job:
    if not isinstance(network, Network):
        raise TypeError(f"network = {network!r} is a {type(network).__name__}, not a Network")
    if not isinstance(by, (GradientDescent, Adam, RMSprop, SED)):
        raise ValueError(f"by = {by!r} is no algorithm: give GradientDescent, Adam, RMSprop or SED")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype = {dtype!r} must be 'float32' or 'float64'")
    if not ceiling == math.inf:
        positive("ceiling", ceiling)
    words = _seeds(seeds)
    inputs = _data("x", x, network.inputs, len(words), dtype)
    targets = _data("y", y, network.outputs, len(words), dtype)
    if inputs.shape[1] != targets.shape[1]:
        raise ValueError(f"x has {inputs.shape[1]} samples and y {targets.shape[1]}")
    finite = min(float(ceiling), float(np.finfo(dtype).max))
    return Job(network, inputs, targets, words, by, Noises.of(noise, by), finite)


def _seeds(seeds) -> np.ndarray:
    try:
        numbers = [whole("seeds", seed, least=0) for seed in seeds]
    except TypeError as error:
        raise TypeError(f"seeds must be whole numbers, one for each network: {error}") from None
    if not numbers or max(numbers) >= 2**64:
        raise ValueError(f"seeds = {seeds!r}: whole numbers below 2^64 are needed, at least one")
    return np.array([[seed % 2**32, seed >> 32] for seed in numbers], dtype=np.uint32)


def _data(name: str, values, columns: int, networks: int, dtype: str) -> np.ndarray:
    array = numbers_of(name, values)
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] != columns or array.shape[0] not in (1, networks) or not array.shape[1]:
        raise ValueError(
            f"{name} has shape {np.shape(values)}: (samples, {columns}) or ({networks}, samples, {columns}) "
            "with at least one sample is needed"
        )
    with np.errstate(over="ignore"):
        rounded = array.astype(dtype)
    if not np.isfinite(rounded).all():
        raise ValueError(f"{name} = {array[~np.isfinite(rounded)][0]} is too large for {dtype}")
    return rounded


def _start(network: Network, start, words: np.ndarray, dtype) -> np.ndarray:
    shape = (len(words), *network.shape)
    if isinstance(start, (Rich, Lazy)):
        seeds = torch.from_numpy(words.view(np.int32))
        theta = _random.normal(seeds, shape[1] * shape[2], range(1), _random.START).view(shape)
        for part, scale in zip(network.parts(theta), start.scales(network), strict=True):
            part *= scale
        return theta.numpy().astype(dtype)
    given = numbers_of("start", start)
    if given.shape not in (shape, shape[1:]):
        raise ValueError(f"start has shape {given.shape}: Rich(), Lazy(), {shape[1:]} or {shape} is needed")
    return np.broadcast_to(given, shape).astype(dtype)


def _backend(device: str, threads: int | None) -> tuple[str, Callable]:
    if device not in ("cpu", "torch", "cuda"):
        raise ValueError(f"device = {device!r} must be 'cpu', 'torch' or 'cuda'")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device = 'cuda': torch finds no GPU")
    count = whole("threads", threads) if threads is not None else _cores()
    if device == "cpu" and _compiled.library():
        return "compiled", lambda job, state, steps: _compiled.advance(job, state, steps, count)
    place = "cuda" if device == "cuda" else "cpu"
    return f"torch on {place}", lambda job, state, steps: _torch.advance(job, state, steps, place)


def _cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _about(job: Job, theta: np.ndarray, times: np.ndarray, names, backend: str) -> str:
    """The run in a line, with the code that trains: two runs with the same line have the same bits."""
    digest = hashlib.sha256(_code())
    for array in (job.x, job.y, job.seeds, theta, times):
        digest.update(repr((array.shape, array.dtype.str)).encode() + np.ascontiguousarray(array).tobytes())
    settings = (job.network, job.by, job.noises, job.ceiling, *names, backend)
    return f"{settings} on data {digest.hexdigest()[:32]}"


@functools.cache
def _code() -> bytes:
    here = Path(__file__).parent
    sources = [*here.glob("*.py"), _compiled.SOURCE, *_compiled.SOURCE.parent.glob("*.h")]
    return b"".join(source.read_bytes() for source in sorted(sources))


def _arrays(state: State) -> dict[str, np.ndarray]:
    kept = {f"record_{name}": np.array(values) for name, values in state.records.items()}
    moments = {f"moment_{i}": moment for i, moment in enumerate(state.moments)}
    return {"theta": state.theta, "diverged": state.diverged, "step": np.array(state.step), **moments, **kept}


def _resumed(checkpoint: Checkpoint | None, about: str, names) -> State | None:
    kept = checkpoint.read(about) if checkpoint else None
    if kept is None:
        return None
    moments = [kept[f"moment_{i}"] for i in range(2) if f"moment_{i}" in kept]
    records = {name: list(kept[f"record_{name}"]) for name in names}
    return State(kept["theta"], moments, kept["diverged"], int(kept["step"]), records)
