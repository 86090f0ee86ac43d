"""The compiled kernel: groups of networks, one in every lane of the SIMD registers, over a pool of threads."""

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
    shared = _job(job, state.step, steps)
    size = lanes(state.theta.dtype)
    groups = [slice(i, i + size) for i in range(0, len(state.theta), size)]
    with ThreadPoolExecutor(min(threads, len(groups))) as pool:
        list(pool.map(lambda group: _train(shared, job, state, group), groups))


def draws(seeds: np.ndarray, count: int, *, step: int, stream: int, uniform: bool, dtype) -> np.ndarray:
    """The kernel's own noise; shape (networks, count)."""
    kernel, size, found = library(), lanes(dtype), []
    draw = getattr(kernel, f"draws_{ENTRY[np.dtype(dtype)]}")
    for i in range(0, len(seeds), size):
        key, out = in_lanes(seeds[i : i + size], size), aligned((count + 3, size), dtype)
        draw(at(key), ctypes.c_uint32(stream), c_int64(step), c_int64(uniform), c_int64(count), at(out))
        found.append(out[:count].T[: len(seeds) - i])
    return np.concatenate(found)


def _train(shared: Job, job, state, group: slice) -> None:
    size, used = lanes(state.theta.dtype), len(state.diverged[group])
    pick = lambda data: np.broadcast_to(data, (len(state.theta), *data.shape[1:]))[group]  # noqa: E731
    x, minus_y, seeds = (in_lanes(array, size) for array in (pick(job.x), -pick(job.y), job.seeds[group]))
    arrays = [in_lanes(array[group], size) for array in (state.theta, *state.moments)]
    diverged = np.zeros(size, np.int64)  # a lane without a network counts as diverged
    diverged[:used] = state.diverged[group]
    run = getattr(library(), f"train_{ENTRY[state.theta.dtype]}")
    moments = [at(array) for array in arrays[1:]] or [ctypes.c_void_p()] * 2
    run(ctypes.byref(shared), at(x), at(minus_y), at(seeds), at(arrays[0]), *moments, at(diverged))
    state.diverged[group] = diverged[:used]
    for kept, array in zip((state.theta, *state.moments), arrays, strict=True):
        kept[group] = np.moveaxis(array, -1, 0)[:used]


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


def aligned(shape: tuple[int, ...], dtype, boundary: int = 64) -> np.ndarray:
    """An array that begins at a multiple of the boundary, in bytes."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + boundary, np.uint8)
    start = -raw.ctypes.data % boundary
    return raw[start : start + size].view(dtype).reshape(shape)


def at(array: np.ndarray) -> ctypes.c_void_p:
    """Its address, for the kernel."""
    return ctypes.c_void_p(array.ctypes.data)
