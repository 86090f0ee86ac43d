"""Receptive fields: Gabor functions fitted to them, and mosaics to look at.

A Gabor function is a grating under a Gaussian window,

    g(x, y) = exp(-u^2/(2 a^2) - v^2/(2 b^2)) [A cos(2 pi f u) + B sin(2 pi f u)],

u and v the distances from its centre across and along its stripes.  For given centre, angle, frequency f and widths,
A and B follow from linear least squares; the best of a grid of those six is refined by the method of Levenberg and
Marquardt, all fields at once.  R^2 is the share of a field's squared length that the fit explains.  Six numbers
explain some of anything: what a fit is worth shows beside that of white noise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from numerics.checks import numbers_of, whole

ANGLES, CENTRES = 8, 5  # of the grid, in each direction
FREQUENCIES = (0.08, 0.16, 0.26, 0.38)  # cycles per pixel
WIDTHS = (0.13, 0.26)  # of the side
STARTS, STEPS = 2, 25
NARROWEST, NYQUIST = 0.5, 0.5  # pixels; cycles per pixel
NUDGE = 1e-5


class Gabors(NamedTuple):
    """Fits to F fields: R^2 (F,), and (F, 6): centre (x, y), angle, frequency, widths across and along the stripes."""

    explained: np.ndarray
    shape: np.ndarray


def fit_gabors(fields) -> Gabors:
    """The Gabor functions nearest to `fields`, shape (F, side, side), side >= 4, in pixels and cycles per pixel.

    Raises ValueError for fields that are not square, not finite, too small or 0 everywhere.
    """
    fields = numbers_of("fields", fields)
    if fields.ndim != 3 or fields.shape[1] != fields.shape[2] or fields.shape[1] < 4 or not len(fields):
        raise ValueError(f"fields have shape {fields.shape}; (F, side, side) with side >= 4 is needed")
    rows = fields.reshape(len(fields), -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"field {int(np.argmin(lengths))} is 0 everywhere")
    rows, side = rows / lengths, fields.shape[1]
    best = [_refined(rows, start, side) for start in _starts(rows, side)]
    explained, shape = (np.stack(part) for part in zip(*best, strict=True))
    first = np.argmax(explained, axis=0), np.arange(len(rows))
    return Gabors(explained[first], shape[first])


def mosaic(fields, columns: int) -> np.ndarray:
    """Fields, shape (F, height, width), in rows of `columns`, each scaled to [-1, 1], with nan between them."""
    fields, columns = numbers_of("fields", fields), whole("columns", columns)
    if fields.ndim != 3 or not fields.size:
        raise ValueError(f"fields have shape {fields.shape}; (F, height, width) is needed")
    size = np.abs(fields).max((1, 2), keepdims=True)
    scaled = fields / np.where(size > 0, size, 1)
    missing = -len(fields) % columns
    tiles = np.pad(np.concatenate([scaled, np.full((missing, *fields.shape[1:]), np.nan)]), ((0, 0), (1, 0), (1, 0)),
                   constant_values=np.nan)  # fmt: skip
    rows = tiles.reshape(-1, columns, *tiles.shape[1:]).swapaxes(1, 2)
    return np.pad(rows.reshape(-1, columns * tiles.shape[2]), ((0, 1), (0, 1)), constant_values=np.nan)


def _basis(shape, side):
    """The two gratings under the window of each shape (..., 6); shape (..., pixels, 2)."""
    y, x = (v.ravel() for v in np.mgrid[:side, :side])
    x0, y0, angle, frequency, across, along = (shape[..., k, None] for k in range(6))
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = (x - x0) * cosine + (y - y0) * sine, (y - y0) * cosine - (x - x0) * sine
    window = np.exp(-(u**2) / (2 * across**2) - v**2 / (2 * along**2))
    turn = 2 * math.pi * frequency * u
    return np.stack([window * np.cos(turn), window * np.sin(turn)], -1)


def _orthonormal(basis):
    """The two columns, made orthonormal; a second one that the first explains is dropped."""
    one = basis[..., 0] / np.linalg.norm(basis[..., 0], axis=-1, keepdims=True)
    rest = basis[..., 1] - np.sum(one * basis[..., 1], -1, keepdims=True) * one
    length = np.linalg.norm(rest, axis=-1, keepdims=True)
    return one, rest / np.maximum(length, 1e-9)


def _starts(rows, side):
    """The best shapes of the grid for each field, best first; `STARTS` arrays of shape (F, 6)."""
    centres = np.linspace(0.15, 0.85, CENTRES) * (side - 1)
    angles = np.arange(ANGLES) * math.pi / ANGLES
    widths = np.multiply(WIDTHS, side)
    grid = np.stack(np.meshgrid(centres, centres, angles, FREQUENCIES, widths, widths, indexing="ij"), -1).reshape(
        -1, 6
    )
    one, two = _orthonormal(_basis(grid, side))
    order = np.argpartition(-((rows @ one.T) ** 2 + (rows @ two.T) ** 2), STARTS, axis=1)[:, :STARTS]
    return [grid[order[:, k]] for k in range(STARTS)]


def _residual(rows, shape, side):
    """What the best Gabor function of each shape leaves of each field, and that function's two columns."""
    columns = _orthonormal(_basis(shape, side))
    left = rows - sum(np.sum(rows * c, -1, keepdims=True) * c for c in columns)
    return left, columns


def _refined(rows, shape, side):
    """R^2 and shapes after some steps of Levenberg and Marquardt; a step that does not help is taken back."""
    scale = np.array([1.0, 1.0, 0.3, 0.05, 1.0, 1.0])
    least, most = [-1, -1, -np.inf, 0, NARROWEST, NARROWEST], [side, side, np.inf, NYQUIST, side, side]
    damping, left = np.full(len(rows), 1e-2), _residual(rows, shape, side)[0]
    for _ in range(STEPS):
        moved = [shape + NUDGE * scale * np.eye(6)[k] for k in range(6)]
        slopes = np.stack([(_residual(rows, m, side)[0] - left) / NUDGE for m in moved], 1)  # (F, 6, pixels)
        normal = slopes @ slopes.swapaxes(1, 2)
        normal += (damping[:, None, None] * (np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-12)) * np.eye(6)
        step = np.linalg.solve(normal, -(slopes @ left[..., None]))[..., 0]
        tried = np.clip(shape + scale * step, least, most)
        after = _residual(rows, tried, side)[0]
        better = np.sum(after**2, 1) < np.sum(left**2, 1)
        shape, left = np.where(better[:, None], tried, shape), np.where(better[:, None], after, left)
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-9, 1e3)
    return 1 - np.sum(left**2, 1), shape
