"""What is a real number, and what is none: one answer, that names what was given."""

from fractions import Fraction

import numpy as np
import pytest

from laws.arrays import positive, real_array


@pytest.mark.parametrize("value", [3, 0.3, Fraction(1, 3), [1, 2], np.float32(0.5), np.arange(6).reshape(2, 3), [], ()])
def test_real_numbers_become_float64(value):
    """Whole numbers, fractions, lists and arrays keep their values and shapes."""
    found = real_array("x", value)
    assert (
        found.dtype == np.float64 and found.shape == np.shape(value) and np.array_equal(found, np.asarray(value, float))
    )


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (None, TypeError, "x = None is not a real number"),
        (True, TypeError, "x = True is not a real number"),
        ("0.3", TypeError, "x = '0.3' is not a real number"),
        (b"3", TypeError, "x = b'3' is not"),
        ({}, TypeError, "x = {} is not"),
        ({1}, TypeError, r"x = \{1\} is not"),
        (10**400, ValueError, "x = 10000000000000000000... is beyond float64"),
        ([[1, 2], [3]], ValueError, "x is no array of numbers"),
        (1j, TypeError, "x = 1j is of type complex128, not real float64 numbers"),
        ([True], TypeError, r"x = \[True\] is of type bool"),
        ([1j, 2], TypeError, r"x = an array of shape \(2,\) is of type complex128"),
        (np.nan, ValueError, "x = nan is not finite$"),
        ([1.0, -np.inf, np.nan], ValueError, r"x = -inf is not finite \(2 of 3 values, the first at index 1\)"),
    ],
)
def test_what_is_no_real_number_is_refused(value, error, says):
    """Each is named, with its type, or how many values are not finite, and where the first is."""
    with pytest.raises(error, match=says):
        real_array("x", value)


def test_a_positive_number_is_one_above_0():
    """Neither 0, nor what is negative, nor an array is one; a tiny one is."""
    assert positive("x", 5e-324) == 5e-324 and isinstance(positive("x", 3), float)
    for value in (0, -1.0, [1.0], np.ones(2)):
        with pytest.raises(ValueError, match="x = .* must be one positive number"):
            positive("x", value)
    with pytest.raises(TypeError, match="x = 'a'"):
        positive("x", "a")
