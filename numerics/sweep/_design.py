"""Designs: lists of settings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from numerics.checks import whole


def grid(kind: type, /, **axes) -> list:
    """Every combination of the values of the axes, as settings of this class; numbers of numpy become Python's."""
    values = {axis: _values(axis, given) for axis, given in axes.items()}
    return [kind(**dict(zip(values, point, strict=True))) for point in itertools.product(*values.values())]


def drawn(kind: type, count: int, seed: int, /, **axes) -> list:
    """Settings drawn at random, each by itself: a longer design begins with the shorter one.

    An axis is a list of values, of which each is as likely, or a function of a numpy Generator.
    """
    options = {axis: given if callable(given) else _values(axis, given) for axis, given in axes.items()}
    design = []
    for k in range(whole("count", count)):
        rng = np.random.default_rng([whole("seed", seed, least=0), k])
        pick = lambda given, rng=rng: given(rng) if callable(given) else given[rng.integers(len(given))]  # noqa: E731
        design.append(kind(**{axis: _plain(pick(given)) for axis, given in options.items()}))
    return design


def _values(axis: str, given) -> list:
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)) or not len(given):
        raise ValueError(f"{axis} = {given!r} must be a sequence of at least one value")
    return [_plain(value) for value in given]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value
