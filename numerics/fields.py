"""Receptive fields: Gabor functions and centres with a surround fitted to them, and mosaics to look at.

A Gabor function is a grating under a Gaussian window,

    g(x, y) = exp(-u^2/(2 a^2) - v^2/(2 b^2)) [A cos(2 pi f u) + B sin(2 pi f u)],

u and v the distances from its centre across and along its stripes; a centre with its surround is a difference of two
round Gaussians, A exp(-r^2/(2 a^2)) + B exp(-r^2/(2 b^2)).  A and B follow from linear least squares; for the others,
six numbers or four, the best of a grid is refined by the method of Levenberg and Marquardt, all fields at once.  R^2
is the share of a field's squared length that the fit explains.  So many numbers explain some of anything: what a
fit is worth shows beside that of noise drawn as the fields are.

Both families hold shapes that their names do not suggest: A and B may have one sign, and then a centre has no
surround; at a small f the grating shows less than a period, and a Gabor function is a blob.  So blobs have families of
their own, a Gaussian under a window of any angle and a round one, and a field is told to be of a kind (`told`) only if
that kind explains it better than simpler ones do, by what its further numbers cost, and better than chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from numerics.checks import numbers_of, whole

ANGLES, CENTRES = 8, 5  # of the grid, in each direction
FREQUENCIES = (0.08, 0.16, 0.26, 0.38)  # cycles per pixel
WIDTHS = (0.13, 0.26)  # of the side
INNER, OUTER = (0.08, 0.13, 0.2), (0.25, 0.4)  # widths of a centre and of its surround, of the side
STARTS, STEPS = 2, 25
NARROWEST, NYQUIST = 0.5, 0.5  # pixels; cycles per pixel
NUDGE = 1e-5


class Fits(NamedTuple):
    """Fits to F fields: R^2 (F,), and the numbers that make the shape of each (F, 6 or less), in pixels.

    Of Gabor functions: centre (x, y), angle, frequency, widths across and along the stripes.  Of centres with a
    surround: centre, widths of both Gaussians.  Of blobs: centre, angle, two widths; of round ones centre and width.
    """

    explained: np.ndarray
    shape: np.ndarray


class Family(NamedTuple):
    """Functions of some shape: two columns of pixels each, a grid of shapes, their steps and their limits.

    A second column of zeros is none.
    """

    columns: Callable[[np.ndarray, int], np.ndarray]  # (..., numbers), side -> (..., pixels, 2)
    grid: Callable[[int], np.ndarray]  # side -> (shapes, numbers)
    scale: tuple[float, ...]
    limits: Callable[[int], tuple[list[float], list[float]]]


def fit_gabors(fields) -> Fits:
    """The Gabor functions nearest to `fields`, shape (F, side, side), side >= 4, in pixels and cycles per pixel.

    Raises ValueError for fields that are not square, not finite, too small or 0 everywhere.
    """
    return _fit(fields, GABORS)


def fit_centres(fields) -> Fits:
    """The centres with a surround that are nearest to `fields`, as `fit_gabors` takes them; the same errors."""
    return _fit(fields, CENTRED)


def fit_blobs(fields) -> Fits:
    """The Gaussians, of two widths and any angle, that are nearest to `fields`; as `fit_gabors`."""
    return _fit(fields, BLOBS)


def fit_rounds(fields) -> Fits:
    """The round Gaussians that are nearest to `fields`; as `fit_gabors`."""
    return _fit(fields, ROUND)


def explained(fields) -> dict[str, np.ndarray]:
    """What each family explains of `fields`, (F, side, side): R^2 (F,) by its name; errors as of `fit_gabors`."""
    return {name: _fit(fields, family).explained for name, (family, _) in FAMILIES.items()}


def by_chance(basis, *, fields: int = 300, share: float = 0.01, seed: int = 0) -> dict[str, float]:
    """The R^2 that each family exceeds on so small a share of white noise in the space of `basis`, (D, side, side)."""
    basis = numbers_of("basis", basis)
    draw = np.random.default_rng(seed).normal(size=(whole("fields", fields), len(basis)))
    of_noise = explained(np.einsum("fd,dxy->fxy", draw, basis))
    return {name: float(np.quantile(values, 1 - share)) for name, values in of_noise.items()}


def told(explained: Mapping[str, np.ndarray], dimensions: int, chance: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Which fields are of each of `KINDS`: "gabor", "centre", "blob"; arrays of bools, of which at most one is true.

    A field in D dimensions is of the family with the least D ln(1 - R^2) + K ln D for K numbers (Schwarz, 1978), if
    that one explains more of it than `chance`; else it is of no kind.

    Args:
        explained: R^2 by family, arrays of one shape, as `explained` gives them.
        dimensions: D, of the space that the fields lie in.
        chance: R^2 by family, as `by_chance` gives them.
    """
    D, names = whole("dimensions", dimensions, least=2), list(FAMILIES)
    cost = [D * np.log(np.maximum(1 - explained[n], 1e-9)) + FAMILIES[n][1] * math.log(D) for n in names]
    best = np.argmin(cost, axis=0)
    beyond = {n: (best == k) & (explained[n] > chance[n]) for k, n in enumerate(names)}
    return {"gabor": beyond["gabor"], "centre": beyond["centre"], "blob": beyond["blob"] | beyond["round"]}


def _fit(fields, family: Family) -> Fits:
    fields = numbers_of("fields", fields)
    if fields.ndim != 3 or fields.shape[1] != fields.shape[2] or fields.shape[1] < 4 or not len(fields):
        raise ValueError(f"fields have shape {fields.shape}; (F, side, side) with side >= 4 is needed")
    rows = fields.reshape(len(fields), -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"field {int(np.argmin(lengths))} is 0 everywhere")
    rows, side = rows / lengths, fields.shape[1]
    best = [_refined(rows, start, side, family) for start in _starts(rows, side, family)]
    explained, shape = (np.stack(part) for part in zip(*best, strict=True))
    first = np.argmax(explained, axis=0), np.arange(len(rows))
    return Fits(explained[first], shape[first])


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


def _gratings(shape, side):
    """The two gratings under the window of each shape (..., 6); shape (..., pixels, 2)."""
    y, x = (v.ravel() for v in np.mgrid[:side, :side])
    x0, y0, angle, frequency, across, along = (shape[..., k, None] for k in range(6))
    cosine, sine = np.cos(angle), np.sin(angle)
    u, v = (x - x0) * cosine + (y - y0) * sine, (y - y0) * cosine - (x - x0) * sine
    window = np.exp(-(u**2) / (2 * across**2) - v**2 / (2 * along**2))
    turn = 2 * math.pi * frequency * u
    return np.stack([window * np.cos(turn), window * np.sin(turn)], -1)


def _rounds(shape, side):
    """The two round Gaussians of each shape (..., 4); shape (..., pixels, 2)."""
    y, x = (v.ravel() for v in np.mgrid[:side, :side])
    x0, y0, inner, outer = (shape[..., k, None] for k in range(4))
    squared = (x - x0) ** 2 + (y - y0) ** 2
    return np.stack([np.exp(-squared / (2 * width**2)) for width in (inner, outer)], -1)


def _windows(shape, side):
    """The Gaussian of each shape (..., 5), as `_gratings` has it, and nothing."""
    at_rest = np.insert(shape, 3, 0.0, axis=-1)  # a grating of no frequency
    window = _gratings(at_rest, side)[..., 0]
    return np.stack([window, np.zeros_like(window)], -1)


def _discs(shape, side):
    """The round Gaussian of each shape (..., 3), and nothing."""
    window = _rounds(shape[..., [0, 1, 2, 2]], side)[..., 0]
    return np.stack([window, np.zeros_like(window)], -1)


def _grid(*numbers):
    """Every choice of these numbers, in rows."""
    return np.stack(np.meshgrid(*numbers, indexing="ij"), -1).reshape(-1, len(numbers))


def _centres(side):
    return np.linspace(0.15, 0.85, CENTRES) * (side - 1)


GABORS = Family(
    _gratings,
    lambda side: _grid(
        _centres(side), _centres(side), np.arange(ANGLES) * math.pi / ANGLES, FREQUENCIES,
        np.multiply(WIDTHS, side), np.multiply(WIDTHS, side),
    ),
    (1.0, 1.0, 0.3, 0.05, 1.0, 1.0),
    lambda side: ([-1, -1, -np.inf, 0, NARROWEST, NARROWEST], [side, side, np.inf, NYQUIST, side, side]),
)  # fmt: skip
CENTRED = Family(
    _rounds,
    lambda side: _grid(*[(np.arange(2 * side) - 0.5) / 2] * 2, np.multiply(INNER, side), np.multiply(OUTER, side)),
    (1.0, 1.0, 0.5, 1.0),
    lambda side: ([-1, -1, NARROWEST, NARROWEST], [side] * 4),
)
BLOBS = Family(
    _windows,
    lambda side: _grid(
        _centres(side), _centres(side), np.arange(ANGLES) * math.pi / ANGLES,
        np.multiply(INNER, side), np.multiply(OUTER, side),
    ),
    (1.0, 1.0, 0.3, 1.0, 1.0),
    lambda side: ([-1, -1, -np.inf, NARROWEST, NARROWEST], [side, side, np.inf, side, side]),
)  # fmt: skip
ROUND = Family(
    _discs,
    lambda side: _grid(*[(np.arange(2 * side) - 0.5) / 2] * 2, np.multiply((*INNER, *OUTER), side)),
    (1.0, 1.0, 1.0),
    lambda side: ([-1, -1, NARROWEST], [side] * 3),
)
FAMILIES = {"gabor": (GABORS, 8), "centre": (CENTRED, 6), "blob": (BLOBS, 6), "round": (ROUND, 4)}  # and their numbers
KINDS = {"gabor": "Gabor functions", "centre": "centres with a surround", "blob": "blobs"}


def _orthonormal(basis):
    """The two columns, made orthonormal; a second one that the first explains is dropped."""
    one = basis[..., 0] / np.linalg.norm(basis[..., 0], axis=-1, keepdims=True)
    rest = basis[..., 1] - np.sum(one * basis[..., 1], -1, keepdims=True) * one
    length = np.linalg.norm(rest, axis=-1, keepdims=True)
    return one, rest / np.maximum(length, 1e-9)


def _starts(rows, side, family):
    """The best shapes of the grid for each field, best first; `STARTS` arrays of shape (F, numbers)."""
    grid = family.grid(side)
    one, two = _orthonormal(family.columns(grid, side))
    order = np.argpartition(-((rows @ one.T) ** 2 + (rows @ two.T) ** 2), STARTS, axis=1)[:, :STARTS]
    return [grid[order[:, k]] for k in range(STARTS)]


def _residual(rows, shape, side, family):
    """What the best function of each shape leaves of each field."""
    columns = _orthonormal(family.columns(shape, side))
    return rows - sum(np.sum(rows * c, -1, keepdims=True) * c for c in columns)


def _refined(rows, shape, side, family):
    """R^2 and shapes after some steps of Levenberg and Marquardt; a step that does not help is taken back."""
    scale, (least, most), each = np.array(family.scale), family.limits(side), np.eye(len(family.scale))
    damping, left = np.full(len(rows), 1e-2), _residual(rows, shape, side, family)
    for _ in range(STEPS):
        moved = [shape + NUDGE * scale * one for one in each]
        slopes = np.stack([(_residual(rows, m, side, family) - left) / NUDGE for m in moved], 1)  # (F, numbers, pixels)
        normal = slopes @ slopes.swapaxes(1, 2)
        normal += (damping[:, None, None] * (np.trace(normal, axis1=1, axis2=2)[:, None, None] + 1e-12)) * each
        step = np.linalg.solve(normal, -(slopes @ left[..., None]))[..., 0]
        tried = np.clip(shape + scale * step, least, most)
        after = _residual(rows, tried, side, family)
        better = np.sum(after**2, 1) < np.sum(left**2, 1)
        shape, left = np.where(better[:, None], tried, shape), np.where(better[:, None], after, left)
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-9, 1e3)
    return 1 - np.sum(left**2, 1), shape
