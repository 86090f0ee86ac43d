"""The compiled kernel: gradients of networks one after the other, units across the lanes of the SIMD registers.

It is handed effective weights, turned so that the units that are summed for come last, and filled up with zeros to
whole registers; gradients come back in the same form.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_double, c_int64
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from numerics.kernels import loader
from numerics.rnn._values import Parameterisation, Weights

SOURCE = Path(loader.__file__).parent / "recurrent.cpp"
ENTRY = {torch.float32: ("single", 4), torch.float64: ("double", 8)}


class Job(ctypes.Structure):
    """The kernel's struct of the same name."""

    _fields_ = [
        *((name, c_int64) for name in "networks threads steps trials units width inputs outputs out_width".split()),
        *((name, c_double) for name in ("keep", "weight")),
    ]


class Arrays(ctypes.Structure):
    """Addresses of all arrays, in the kernel's order."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in "x y mask A A_turned U_turned b C C_turned c".split()),
        *((name, ctypes.c_void_p) for name in "dA dU_turned db dC dc".split()),
        ("loss", POINTER(c_double)),
    ]


def library() -> ctypes.CDLL | None:
    """The kernel, compiled at first use; None, with a notice, where that cannot be done."""
    return loader.load(SOURCE)


def gradient(network: Parameterisation, weights: Weights, x: Tensor, y: Tensor, mask: Tensor) -> tuple[Tensor, Weights]:
    """What `numerics.rnn.gradient` is, by the kernel; as many threads as torch has, without influence on any bit."""
    kernel = library()
    assert kernel is not None
    name, size = ENTRY[weights.J.dtype]
    lanes = kernel.register_bytes_used() // size
    (T, trials, inputs), (E, outputs, n), tau = x.shape, weights.w.shape, network.tau
    A, C = tau * network.recurrent_scale * weights.J, network.readout_scale * weights.w
    full = lambda part: pad(part, (0, -part.shape[-1] % lanes)).contiguous()  # noqa: E731
    given = [x.contiguous(), full(y), full(mask), full(A), full(A.mT), full(tau * weights.U.mT), full(tau * weights.b)]
    given += [full(C), full(C.mT), full(weights.c)]
    found = [torch.zeros_like(part) for part in (given[3], *given[5:8], given[9])]
    losses = torch.empty(E, dtype=torch.float64)
    width, out_width = given[3].shape[-1] // lanes, given[9].shape[-1] // lanes
    shapes = (E, torch.get_num_threads(), T, trials, n, width, inputs, outputs, out_width)
    job = Job(*shapes, 1 - tau, 1 / float(mask.sum()))
    at = [part.data_ptr() for part in (*given, *found)]
    getattr(kernel, f"gradients_{name}")(ctypes.byref(job), ctypes.byref(Arrays(*at, _doubles(losses))))
    J, U, b, w, c = found
    return losses.to(x.dtype), Weights(
        J=J[..., :n] * (tau * network.recurrent_scale),
        U=(tau * U[..., :n]).mT.contiguous(),
        b=tau * b[..., :n],
        w=network.readout_scale * w[..., :n],
        c=c[..., :outputs].contiguous(),
    )


def _doubles(values: Tensor):
    return ctypes.cast(values.data_ptr(), POINTER(c_double))
