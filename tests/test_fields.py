"""Gabor functions and centres are found where they are, white noise is not taken for them, mosaics show all."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom

from numerics.fields import (
    KINDS,
    by_chance,
    explained,
    fit_blobs,
    fit_centres,
    fit_gabors,
    fit_rounds,
    mosaic,
    told,
)

EPS = np.finfo(float).eps
MISFIT = 12**2 * EPS  # of R^2 over the pixels, by rounding; a number of the shape is off by its root, in pixels


def planted(count, side, seed):
    """Gabor functions of `count` shapes: centre, angle, frequency, widths across and along; and their pixels."""
    draw = np.random.default_rng(seed)
    low, high = [0.3 * side, 0.3 * side, 0, 0.08, 1.2, 1.2], [0.7 * side, 0.7 * side, np.pi, 0.3, 3, 3]
    shape = draw.uniform(low, high, (count, 6))
    y, x = np.mgrid[:side, :side]
    fields = []
    for (x0, y0, angle, frequency, across, along), phase in zip(shape, draw.uniform(0, 6, count), strict=True):
        u = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
        v = (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
        window = np.exp(-(u**2) / (2 * across**2) - v**2 / (2 * along**2))
        fields.append(window * np.cos(2 * np.pi * frequency * u + phase))
    return shape, np.array(fields)


def test_planted_gabors_are_found():
    """All but a few planted Gabor functions are found to rounding, whatever their size and sign."""
    shape, fields = planted(40, 12, seed=0)
    found = fit_gabors(-3.7 * fields)
    exact = 1 - found.explained <= MISFIT
    assert exact.sum() >= 36 and found.explained.min() > 0.9
    turned = np.abs(np.sin(found.shape[exact, 2] - shape[exact, 2]))  # an angle counts up to half a turn
    sharp = shape[exact, 3] * shape[exact, 4] > 0.3  # a grating of less than a third of a wave has no angle to speak of
    assert sharp.sum() > 10 and np.max(turned[sharp]) < MISFIT**0.5


def round_fields(count, side, seed):
    """Centres with a surround that takes away as much as they give, and their shapes: centre, both widths."""
    draw = np.random.default_rng(seed)
    shape = draw.uniform([0.3 * side, 0.3 * side, 0.8, 2.2], [0.7 * side, 0.7 * side, 1.4, 3.5], (count, 4))
    y, x = np.mgrid[:side, :side]
    fields = []
    for x0, y0, inner, outer in shape:
        squared = (x - x0) ** 2 + (y - y0) ** 2
        given, taken = (np.exp(-squared / (2 * width**2)) for width in (inner, outer))
        fields.append(given / given.sum() - taken / taken.sum())
    return shape, np.array(fields)


def test_planted_centres_are_found():
    """Centres with a surround are found to rounding; each kind of field is explained better by its own kind of fit."""
    shape, fields = round_fields(30, 12, seed=4)
    found = fit_centres(2.3 * fields)
    assert 1 - found.explained.min() <= MISFIT
    np.testing.assert_allclose(found.shape[:, :2], shape[:, :2], rtol=0, atol=MISFIT**0.5)
    assert np.all(found.explained > fit_gabors(fields).explained)
    _, striped = planted(30, 12, seed=5)
    assert np.mean(fit_gabors(striped).explained > fit_centres(striped).explained) > 0.9


def blobs(count, side, seed):
    """Gaussians, every second of them round, the others up to thrice as long as wide, and their widths."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    widths, fields = [], []
    for k in range(count):
        x0, y0, angle = draw.uniform([0.3 * side, 0.3 * side, 0], [0.7 * side, 0.7 * side, np.pi])
        across = draw.uniform(0.8, 1.3)
        along = across * (draw.uniform(2, 3) if k % 2 else 1)
        u, v = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle), (y - y0) * np.cos(angle) - (x - x0) * np.sin(angle)
        widths.append((across, along))
        fields.append(np.exp(-(u**2) / (2 * across**2) - v**2 / (2 * along**2)))
    return np.array(widths), np.array(fields)


def test_planted_blobs_are_found():
    """Blobs are found to rounding with their widths, round ones by the family of round ones too."""
    widths, fields = blobs(30, 12, seed=7)
    found, round_ones = fit_blobs(fields), fit_rounds(fields[::2])
    exact = 1 - found.explained <= MISFIT
    assert exact.sum() >= 27 and found.explained.min() > 0.9 and 1 - round_ones.explained.min() <= MISFIT
    np.testing.assert_allclose(np.sort(found.shape[exact, 3:], axis=1), widths[exact], rtol=0, atol=MISFIT**0.5)
    np.testing.assert_allclose(round_ones.shape[:, 2], widths[::2, 0], rtol=0, atol=MISFIT**0.5)


PLANTED, FOUR_IN_FIVE = 120, 0.8


@cache
def chance():
    """What white noise in all pixels explains."""
    return by_chance(np.eye(64).reshape(64, 8, 8))


def striped(count, side, seed):
    """Gabor functions whose window shows a third of a wave or more; others look like blobs, and are told as such."""
    shape, fields = planted(2 * count, side, seed)
    return shape, fields[shape[:, 3] * shape[:, 4] > 0.3][:count]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_told_apart(kind):
    """Of each kind, planted with a fifth of the squared length noise, four in five are told as what they are.

    A classifier that is right of fewer passes with probability 1e-5 at most.  Blobs of either family count as blobs,
    though Gabor functions and centres hold all of them.
    """
    fields = {"gabor": striped, "centre": round_fields, "blob": blobs}[kind](PLANTED, 8, seed=11)[1]
    noise = np.random.default_rng(12).normal(size=fields.shape)
    noise *= np.linalg.norm(fields, axis=(1, 2), keepdims=True) / np.linalg.norm(noise, axis=(1, 2), keepdims=True) / 2
    found = told(explained(fields + noise), 64, chance())
    assert len(fields) == PLANTED
    assert not np.any(sum(v.astype(int) for v in found.values()) > 1)
    assert binom.sf(found[kind].sum() - 1, PLANTED, FOUR_IN_FIVE) < 1e-5, {k: v.mean() for k, v in found.items()}


def test_white_noise_is_of_no_kind():
    """White noise is told to be of a kind as rarely as it exceeds what chance explains: in three of a hundred at most.

    Each of the families exceeds chance in one of a hundred; round fields are blobs too.
    """
    fields = np.random.default_rng(13).normal(size=(300, 8, 8))
    found = told(explained(fields), 64, chance())
    assert binom.sf(sum(v.sum() for v in found.values()) - 1, 300, 0.03) > 1e-5


def test_white_noise_is_no_gabor():
    """Six numbers explain little of white noise, and less of more pixels; half noise, half Gabor lies between."""
    draw = np.random.default_rng(1)
    small, large = (fit_gabors(draw.normal(size=(60, side, side))).explained for side in (8, 12))
    _, fields = planted(60, 12, seed=2)
    noise = draw.normal(size=fields.shape)
    noise *= np.linalg.norm(fields, axis=(1, 2), keepdims=True) / np.linalg.norm(noise, axis=(1, 2), keepdims=True)
    mixed = fit_gabors(fields + noise).explained
    assert np.median(large) < np.median(small) < 0.35 < np.median(mixed) < 0.75
    assert np.median(fit_centres(draw.normal(size=(60, 8, 8))).explained) < np.median(small)


def test_fits_do_not_depend_on_company():
    """A field has the same fit alone and among others, and on every run."""
    fields = np.random.default_rng(3).normal(size=(5, 8, 8))
    together, alone = fit_gabors(fields).explained, [fit_gabors(f[None]).explained[0] for f in fields]
    assert np.array_equal(together, alone) and np.array_equal(together, fit_gabors(fields).explained)


def test_mosaic_shows_every_field():
    """Each field stands in its place, scaled to its own largest value, with nan around it and where none is left."""
    fields = np.arange(1.0, 31.0).reshape(5, 2, 3) * np.array([1, -1, 1, 1, 1])[:, None, None]
    tiles = mosaic(fields, 2)
    assert tiles.shape == (3 * 3 + 1, 2 * 4 + 1)
    for k, field in enumerate(fields):
        top, left = 3 * (k // 2) + 1, 4 * (k % 2) + 1
        assert np.array_equal(tiles[top : top + 2, left : left + 3], field / np.abs(field).max())
    assert np.isnan(tiles[::3]).all() and np.isnan(tiles[:, ::4]).all() and np.isnan(tiles[7:, 5:]).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fit_gabors(np.ones((2, 8))), "fields have shape"),
        (lambda: fit_centres(np.ones((2, 8))), "fields have shape"),
        (lambda: fit_gabors(np.ones((2, 8, 9))), "fields have shape"),
        (lambda: fit_gabors(np.ones((2, 3, 3))), "side >= 4"),
        (lambda: fit_gabors(np.zeros((2, 8, 8))), "field 0 is 0 everywhere"),
        (lambda: fit_gabors(np.full((2, 8, 8), np.nan)), "nan is not finite"),
        (lambda: mosaic(np.ones((2, 8, 8)), 0), "columns = 0"),
        (lambda: mosaic(np.ones((8, 8)), 2), "fields have shape"),
    ],
)
def test_bad_fields_are_refused(call, says):
    """What is no set of fields is refused by name."""
    with pytest.raises(ValueError, match=says):
        call()
