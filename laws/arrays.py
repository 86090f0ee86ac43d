"""What a real number and an array of them are: one answer for every law and function of the theory."""

from __future__ import annotations

import numbers

import numpy as np


def real_array(name: str, value) -> np.ndarray:
    """A number or an array of finite real numbers, in float64; TypeError or ValueError, naming it, for others."""
    if value is None or isinstance(value, (bool, str, bytes, dict, set)):
        raise TypeError(f"{name} = {value!r} is not a real number")
    if isinstance(value, numbers.Rational):
        try:
            value = float(value)
        except OverflowError:
            raise ValueError(f"{name} = {str(value)[:20]}... is beyond float64") from None
    try:
        array = np.asarray(value)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{name} is no array of numbers: {error}") from None
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        shown = f"an array of shape {array.shape}" if array.size > 1 else repr(value)
        raise TypeError(f"{name} = {shown} is of type {array.dtype}, not real float64 numbers")
    array = array.astype(float)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        some = f" ({bad.size} of {array.size} values, the first at index {bad[0]})" if array.ndim else ""
        raise ValueError(f"{name} = {array.flat[bad[0]]} is not finite{some}")
    return array


def positive(name: str, value) -> float:
    """One finite real number above 0; TypeError or ValueError, naming it, for others."""
    number = real_array(name, value)
    if number.ndim or not number > 0:
        raise ValueError(f"{name} = {value!r} must be one positive number")
    return float(number)
