"""The compiled kernel, over a pool of threads: the lanes of the SIMD registers hold networks, or the units of one."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_double, c_int64
from pathlib import Path

import numpy as np

from numerics.descent import GradientDescent
from numerics.ensemble._values import SED, Adam, RMSprop
from numerics.kernels import loader

SOURCE = Path(loader.__file__).parent / "ensemble.cpp"
FIRST_CACHE = 2**15  # bytes
ENTRY = {np.dtype(np.float32): "single", np.dtype(np.float64): "double"}


class Job(ctypes.Structure):
    """The kernel's struct of the same name."""

    _fields_ = [
        *((name, c_int64) for name in "inputs hidden outputs samples activation algorithm".split()),
        *((name, c_int64) for name in "uniform_labels first steps".split()),
        *((name, c_double) for name in "eta decay1 decay2 epsilon update_noise label_noise".split()),
        ("spread", c_double * 3),
        ("ceiling", c_double),
    ]


def library() -> ctypes.CDLL | None:
    """The kernel, compiled at first use; None, with a notice, where that cannot be done."""
    return loader.load(SOURCE)


def advance(job, state, steps: int, threads: int) -> None:
    """Train every network of `state` that has not diverged by `steps` steps, in place."""
    shared, size = _job(job, state.step, steps), lanes(state.theta.dtype)
    groups = [range(i, min(i + size, len(state.theta))) for i in range(0, len(state.theta), size)]
    tasks: list[tuple] = [(_together, group) for group in groups if not alone(job, len(group))]
    tasks += [(_alone, network) for group in groups if alone(job, len(group)) for network in group]
    with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
        list(pool.map(lambda task: task[0](shared, job, state, task[1]), tasks))


def alone(job, networks: int) -> bool:
    """Whether so many networks are trained one by one, each with its units in the lanes, and not side by side.

    So they are where three quarters of the lanes would have no network, and where the activities of a single
    network fill the first cache.  Neither way changes a bit.
    """
    activities = job.network.hidden * job.x.shape[1] * job.x.itemsize
    return 4 * networks <= lanes(job.x.dtype) or activities >= FIRST_CACHE


def draws(seeds: np.ndarray, count: int, *, step: int, stream: int, uniform: bool, dtype) -> np.ndarray:
    """The kernel's own noise; shape (networks, count)."""
    kernel, size, found = library(), lanes(dtype), []
    draw = getattr(kernel, f"draws_{ENTRY[np.dtype(dtype)]}")
    for i in range(0, len(seeds), size):
        key, out = in_lanes(seeds[i : i + size], size), aligned((count + 3, size), dtype)
        draw(at(key), ctypes.c_uint32(stream), c_int64(step), c_int64(uniform), c_int64(count), at(out))
        found.append(out[:count].T[: len(seeds) - i])
    return np.concatenate(found)


def _together(shared: Job, job, state, group: range) -> None:
    """A network in every lane."""
    size, some = lanes(state.theta.dtype), slice(group.start, group.stop)
    pick = lambda data: np.broadcast_to(data, (len(state.theta), *data.shape[1:]))[some]  # noqa: E731
    x, minus_y, seeds = (in_lanes(array, size) for array in (pick(job.x), -pick(job.y), job.seeds[some]))
    arrays = [in_lanes(array[some], size) for array in (state.theta, *state.moments)]
    diverged = np.zeros(size, np.int64)  # a lane without a network counts as diverged
    diverged[: len(group)] = state.diverged[some]
    _train("networks", shared, x, minus_y, seeds, arrays, diverged)
    state.diverged[some] = diverged[: len(group)]
    for kept, array in zip((state.theta, *state.moments), arrays, strict=True):
        kept[some] = np.moveaxis(array, -1, 0)[: len(group)]


def _alone(shared: Job, job, state, network: int) -> None:
    """One network, with a unit in every lane."""
    size, hidden = lanes(state.theta.dtype), job.network.hidden
    x, y = (np.ascontiguousarray(data[network if len(data) > 1 else 0]) for data in (job.x, job.y))
    arrays = [units_in_lanes(array[network], size) for array in (state.theta, *state.moments)]
    seeds, diverged = np.repeat(job.seeds[network][:, None], size, axis=1), np.full(size, state.diverged[network])
    _train("units", shared, x, -y, seeds, arrays, diverged)
    state.diverged[network] = diverged[0]
    for kept, array in zip((state.theta, *state.moments), arrays, strict=True):
        kept[network] = array.swapaxes(1, 2).reshape(-1, array.shape[1])[:hidden]


def _train(lane: str, shared: Job, x, minus_y, seeds, arrays, diverged) -> None:
    run = getattr(library(), f"train_{lane}_{ENTRY[arrays[0].dtype]}")
    moments = [at(array) for array in arrays[1:]] or [ctypes.c_void_p()] * 2
    run(ctypes.byref(shared), at(x), at(minus_y), at(seeds), at(arrays[0]), *moments, at(diverged))


def _job(job, first: int, steps: int) -> Job:
    network, by, noises = job.network, job.by, job.noises
    shared = Job(network.inputs, network.hidden, network.outputs, job.x.shape[1], network.activation.code)
    shared.algorithm = 0 if isinstance(by, GradientDescent) else by.code
    shared.uniform_labels, shared.first, shared.steps = noises.uniform, first, steps
    shared.eta, shared.update_noise, shared.label_noise = by.eta, noises.update, noises.label
    shared.ceiling = job.ceiling
    if isinstance(by, Adam):
        shared.decay1, shared.decay2, shared.epsilon = *by.decays, by.epsilon
    if isinstance(by, RMSprop):
        shared.decay2, shared.epsilon = by.decay, by.epsilon
    if isinstance(by, SED):
        shared.spread[:] = by.spread
    return shared


def lanes(dtype) -> int:
    """How many networks the kernel trains together."""
    kernel = library()
    assert kernel is not None
    return kernel.register_bytes_used() // np.dtype(dtype).itemsize


def in_lanes(array: np.ndarray, size: int) -> np.ndarray:
    """(networks, ...) -> (..., lanes), aligned as the registers are; lanes without a network hold zeros."""
    out = aligned((*array.shape[1:], size), array.dtype)
    out[...] = 0
    out[..., : len(array)] = np.moveaxis(array, 0, -1)
    return out


def units_in_lanes(array: np.ndarray, size: int) -> np.ndarray:
    """(units, ...) -> (units/lanes, ..., lanes), aligned as the registers are; lanes without a unit hold zeros."""
    out = aligned((-(-len(array) // size), *array.shape[1:], size), array.dtype)
    out[...] = 0
    for lane in range(size):
        some = array[lane::size]
        out[: len(some), ..., lane] = some
    return out


def aligned(shape: tuple[int, ...], dtype, boundary: int = 64) -> np.ndarray:
    """An array that begins at a multiple of the boundary, in bytes."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + boundary, np.uint8)
    start = -raw.ctypes.data % boundary
    return raw[start : start + size].view(dtype).reshape(shape)


def at(array: np.ndarray) -> ctypes.c_void_p:
    """Its address, for the kernel."""
    return ctypes.c_void_p(array.ctypes.data)
