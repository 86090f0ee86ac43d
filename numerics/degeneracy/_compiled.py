"""The compiled descent: one start after the other, or as many at once as torch has threads."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int64
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import hessenberg

from numerics.kernels import loader

SOURCE = Path(loader.__file__).parent / "rotations.cpp"


class Job(ctypes.Structure):
    """The kernel's struct of the same name."""

    _fields_ = [
        *((name, c_int64) for name in "starts threads n most".split()),
        *((name, c_double) for name in "tolerance memory less".split()),
    ]


class Arrays(ctypes.Structure):
    """Addresses of all arrays, in the kernel's order."""

    _fields_ = [(name, ctypes.c_void_p) for name in "A B pair C squared".split()]


def library() -> ctypes.CDLL | None:
    """The kernel, compiled at first use; None, with a notice, where that cannot be done."""
    return loader.load(SOURCE)


def descend(A, B, pair, C, most: int, tolerance: float, memory: float, less: float) -> np.ndarray:
    """Where starts C (starts, n, n) end, start k under A[pair[k]] and B[pair[k]]; C is left as it is.

    The kernel takes A in the eigenbasis U of its symmetric part, and B in a basis Q in which it is 0 below its first
    lower diagonal, where C is U^T C Q: products are saved, and steps are the same.
    """
    kernel = library()
    assert kernel is not None
    A, B = (np.asarray(part, float) for part in (A, B))
    U = np.linalg.eigh((A + A.mT) / 2)[1]
    H, Q = map(np.array, zip(*(hessenberg(M, calc_q=True) for M in B), strict=True))
    starts = U.mT[pair] @ C @ Q[pair]
    given = [np.ascontiguousarray(part) for part in (U.mT @ A @ U, H, np.asarray(pair, np.int64))]
    found = [np.ascontiguousarray(starts), np.empty(len(C))]
    job = Job(len(C), torch.get_num_threads(), A.shape[-1], most, tolerance, memory, less)
    kernel.descend(ctypes.byref(job), ctypes.byref(Arrays(*(part.ctypes.data for part in (*given, *found)))))
    return U[pair] @ found[0] @ Q.mT[pair]
