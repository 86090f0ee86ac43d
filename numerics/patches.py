"""Natural images and digits that ship inside scikit-image and scikit-learn: no download.

Eight photographs, gray, are whitened by Olshausen's filter f exp(-(f/.4)^4), f in cycles per pixel; square patches
are drawn from them, their mean is removed and their variance made 1 over the whole set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from skimage import color, data
from sklearn.datasets import load_digits, load_sample_image
from torch import Tensor

from numerics.checks import positive, whole

CUTOFF = 0.4  # cycles per pixel


@dataclass(frozen=True)
class Patches:
    """Rows to train on and rows held out, shapes (P, n), of unit variance over all entries; `basis` maps to pixels.

    Natural patches held out are others than those to train on, at places drawn alike in the same eight photographs:
    they may overlap, so that they show what other patches do, not what other images would.
    """

    train: Tensor
    held_out: Tensor
    basis: Tensor


def natural(
    side: int, count: int, *, seed: int, components: int | None = None, dtype: torch.dtype = torch.float64
) -> Patches:
    """`count` whitened patches of side x side pixels, a tenth of them held out.

    components: keep so many principal components (`basis`, shape (components, side^2), has them as rows); all
    pixels unless given.  Raises ValueError for patches larger than the smallest image.
    """
    side, count = whole("side", side, 2), whole("count", count, 10)
    images = photographs()
    smallest = min(min(image.shape) for image in images)
    if side > smallest:
        raise ValueError(f"side = {side} is larger than the smallest image, {smallest} pixels")
    draw = np.random.default_rng(seed)
    pixels = np.stack([_patch(images[i], side, draw) for i in draw.integers(len(images), size=count)])
    pixels -= pixels.mean(1, keepdims=True)
    return _split(pixels, components, dtype)


def digits(*, components: int | None = None, seed: int = 0, dtype: torch.dtype = torch.float64) -> Patches:
    """The 1,797 handwritten digits of 8 x 8 pixels, centred, in an order drawn from `seed`, a tenth held out."""
    images = np.random.default_rng(seed).permutation(load_digits().data)
    return _split(images - images.mean(0), components, dtype)


@dataclass(frozen=True)
class Classified:
    """Digits to train on and digits held out, as rows of unit variance over all entries, with their classes."""

    train: Tensor
    classes: Tensor
    held_out: Tensor
    held_out_classes: Tensor


def classified_digits(count: int, *, seed: int = 0, dtype: torch.dtype = torch.float64) -> Classified:
    """The handwritten digits of `digits`, `count` of them to train on and all others held out."""
    rows, order = digits(seed=seed, dtype=dtype), np.random.default_rng(seed).permutation(len(load_digits().target))
    if whole("count", count) >= len(order):
        raise ValueError(f"count = {count} leaves none of the {len(order)} digits to hold out")
    pixels, classes = torch.cat([rows.held_out, rows.train]), torch.from_numpy(load_digits().target[order])
    return Classified(pixels[:count], classes[:count], pixels[count:], classes[count:])


@cache
def photographs() -> tuple[np.ndarray, ...]:
    """Eight photographs, gray and whitened, each of unit variance."""
    shipped = [getattr(data, name)() for name in ("astronaut", "camera", "chelsea", "coffee", "rocket")]
    shipped += [data.stereo_motorcycle()[0], load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return tuple(whitened(color.rgb2gray(image) if image.ndim == 3 else image / 255) for image in shipped)


def whitened(image: np.ndarray, cutoff: float = CUTOFF) -> np.ndarray:
    """The image, shape (height, width), through the filter f exp(-(f/cutoff)^4), with unit variance."""
    cutoff = positive("cutoff", cutoff)
    f = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in image.shape), indexing="ij"))
    filtered = np.fft.ifft2(np.fft.fft2(image) * f * np.exp(-((f / cutoff) ** 4))).real
    return filtered / filtered.std()


def _patch(image, side, draw):
    top, left = (draw.integers(n - side + 1) for n in image.shape)
    return image[top : top + side, left : left + side].ravel()


def _split(pixels, components, dtype) -> Patches:
    basis = np.eye(pixels.shape[1])
    if components is not None:
        if whole("components", components) > pixels.shape[1]:
            raise ValueError(f"components = {components} is more than the {pixels.shape[1]} pixels")
        basis = np.linalg.svd(pixels, full_matrices=False)[2][:components]
    rows = pixels @ basis.T
    rows /= rows.std()
    held_out = len(rows) // 10
    values = (torch.from_numpy(np.ascontiguousarray(v)).to(dtype) for v in (rows[held_out:], rows[:held_out], basis))
    return Patches(*values)
