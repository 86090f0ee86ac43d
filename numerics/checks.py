"""What arguments may be: each check names the argument, its value and what is wrong with it."""

from __future__ import annotations

import math
import numbers

import numpy as np


def real(name: str, value) -> float:
    """A finite real number as a float; TypeError for another kind, ValueError for nan and inf."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}, not a real number")
    if not math.isfinite(value):
        raise ValueError(f"{name} = {value!r} is not finite")
    return float(value)


def positive(name: str, value) -> float:
    """A finite real number above 0, as a float."""
    number = real(name, value)
    if number <= 0:
        raise ValueError(f"{name} = {value!r} must be positive")
    return number


def not_negative(name: str, value) -> float:
    """A finite real number, 0 or above, as a float."""
    number = real(name, value)
    if number < 0:
        raise ValueError(f"{name} = {value!r} must not be negative")
    return number


def whole(name: str, value, least: int = 1) -> int:
    """A whole number, not below `least`, as an int."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}, not a whole number")
    if value < least:
        raise ValueError(f"{name} = {value!r} must be at least {least}")
    return int(value)


def numbers_of(name: str, values) -> np.ndarray:
    """An array of finite real numbers, in float64."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from None
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} = {values!r} is of type {array.dtype}, not real numbers")
    array = array.astype(float)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} = {array[~np.isfinite(array)][0]} is not finite")
    return array
