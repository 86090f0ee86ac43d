"""The ticks of an axis say where it is, in numbers that are written alike."""

import numpy as np
import pytest

from laws import Roundoff, Trend, confront
from laws.judges import drawing, ticks
from laws.judges.legend import READ
from laws.judges.verdict import Panel, Series, Verdict, table

EPS = float(np.finfo(float).eps)

WRITTEN = [
    ((0.01, 0.1, 1.0), "", ["0.01", "0.1", "1"]),
    ((1.0, 1e3, 1e4), "", ["10⁰", "10³", "10⁴"]),
    ((1.0, 1e3), "", ["10⁰", "10³"]),
    ((1.0, 100.0), "", ["1", "100"]),
    ((1 / 128, 1 / 16), "1/depth", ["1/128", "1/16"]),
    ((1 / 128, 1 / 16), " 1 / depth", ["1/128", "1/16"]),
    ((1 / 128, 1 / 16), "step", ["0.007812", "0.0625"]),
    ((0.015, 0.03), "1/ln(1/a0)", ["0.015", "0.03"]),
    ((2e-5, 5e-5), "", ["2×10⁻⁵", "5×10⁻⁵"]),
    ((5000, 20000, 80000.0), "", ["5000", "20000", "80000"]),
    ((999999, 1e6), "", ["999999", "10⁶"]),
]


@pytest.mark.parametrize(("values", "label", "names"), WRITTEN)
def test_numbers_are_written_alike(values, label, names):
    """Far powers of ten are powers, parts of one on an axis of such are parts, all else is in digits."""
    assert ticks.written(values, label) == names


@pytest.mark.parametrize("levels", [(1, 4, 16), (0.5, 1.5, 4.0), (7, 10, 20), (1000, 3000, 10000)])
def test_levels_by_factors_are_geometric(levels):
    """Levels whose ratios are more alike than their differences are read on a logarithmic axis, others are not."""
    assert ticks.geometric(levels)
    assert not ticks.geometric((0, *levels)) and not ticks.geometric((0.3, 0.8, 1.5)) and not ticks.geometric((1, 9))


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.9), (1.2, 1.9), (2e-4, 9e-3), (0.012, 0.7)])
def test_an_axis_between_powers_of_ten_is_marked(low, high):
    """A logarithmic axis without two powers of ten has two marks or more, without a crowd."""
    lines = (Series("run", [1.0, 2.0, 3.0], [low, (low * high) ** 0.5, high], "runs"),)
    axes = drawing.figure((Panel("depth", "time", lines, "y"),)).axes[0]
    shown = [mark for mark in axes.get_yticks() if low <= mark <= high]
    assert 1 <= len(shown) <= 6 and not any(label.get_text() for label in axes.get_yticklabels(minor=True))
    assert all(label.get_text() for label in axes.get_yticklabels())


def test_kinds_have_their_names():
    """What stands along an axis of kinds is named there, also where distances are shown, and after a file."""
    labels = dict(kind="activation", names=["ReLU", "tanh", "erf"], y="share")
    at, values = dict(kind=np.arange(3)), np.array([1.3, 2.1, 0.4])
    run, rivals = lambda seed: values, {"half": lambda kind: values / 2}
    verdict = confront("kinds", lambda kind: values, run, at, Roundoff(4), rivals, labels=labels)
    again = Verdict.from_json(verdict.to_json())
    assert again.panels == verdict.panels
    for axes in again.plot().axes:
        assert [label.get_text() for label in axes.get_xticklabels()] == labels["names"]


def test_a_trend_over_factors_has_a_logarithmic_axis():
    """Levels that a trend is judged at are as far from each other on its picture as in the judge's design."""
    for levels, log in (((2.0, 4.0, 16.0), "x"), ((1.0, 2.0, 3.0), "")):
        found = confront("rises", 1.0, lambda level, seed: level + 1e-3 * seed, {}, Trend(levels), {"falls": -1.0})
        assert found.panels[0].log == log


def test_small_marks_are_larger_in_the_legend():
    """Marks of a crowd are told apart in the legend."""
    many = np.linspace(0, 1, 60).tolist()
    kinds = (Series("run", many, many, "runs"), Series("rival", many, many, "half", joined=False))
    legend = drawing.figure((Panel("x", "y", kinds),)).axes[0].get_legend()
    assert all(handle.get_markersize() >= READ for handle in legend.legend_handles)


def test_what_a_logarithmic_axis_cannot_show_has_no_tick():
    """A level of 0, or one that was not measured, is left out of a logarithmic axis."""
    line = (Series("run", [0.0, 1e-3, 1e-2, float("nan")], [1.0, 2.0, 3.0, 4.0], "runs"),)
    axes = drawing.figure((Panel("penalty", "distance", line, "x"),)).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.001", "0.01"]


def test_what_is_rounded_to_0_has_no_sign():
    """In a table a number that is 0 as written is written without a sign; no other number loses its own."""
    lines = [["", "a"], ["x", "-0.000\n[-0.010, -0.0]"], ["y", "-0.05, -0, -0.001"]]
    said = [series.label for series in table(lines).series if series.label]
    assert said == ["a", "x", "0.000\n[-0.010, 0.0]", "y", "-0.05, 0, -0.001"]


def test_parts_of_one_are_written_along_their_axis():
    """Along the axis that is so named, and along no other; up to six values are named one by one."""
    for many in (6, 7):
        parts = [1 / 2**k for k in range(many, 0, -1)]
        axes = drawing.figure((Panel("1/depth", "time", (Series("run", parts, parts, "runs"),), "xy"),)).axes[0]
        across = [label.get_text() for label in axes.get_xticklabels()]
        assert (across == [f"1/{2**k}" for k in range(many, 0, -1)]) == (many == 6)
        assert not any("/" in label.get_text() for label in axes.get_yticklabels())
    up = drawing.figure((Panel("time", "1/depth", (Series("run", [1, 2], [0.2, 0.5], "runs"),), "y"),)).axes[0]
    assert [label.get_text() for label in up.get_yticklabels()] == ["1/5", "1/2"]


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (1.0, 10.0, []),
        (0.05, 20.0, []),
        (0.012, 0.7, [0.02, 0.05, 0.1, 0.2, 0.5]),
        (1.0, 5.0, [1.0, 2.0, 5.0]),
        (2.0, 5.0, [2.0, 5.0]),
        (1.2, 1.9, [1.5]),
        (1.2, 4.5, [1.5, 2.0, 3.0, 4.0]),
        (5.5, 9.0, [6.0, 8.0]),
        (2.5, 4.5, [3.0, 4.0]),
        (150.0, 199.0, [150.0]),
    ],
)
def test_marks_between_powers_are_round(low, high, marks):
    """By ones, twos and fives where two of them are in sight, else by more; powers of ten need no others."""
    np.testing.assert_allclose(ticks._between_powers(low, high), marks, rtol=8 * EPS)


def test_distances_say_where_they_are_not_told_apart():
    """At the lower end of their axis, on a linear panel and in rows; other axes say nothing of it."""
    for name, sign in ((ticks.UNITS, "≤ "), ("weight", "")):
        ends = [ticks.LOWEST, 30.0]
        series = Series("rival", ends, ends, "off", joined=False)
        rows, up = Panel(name, "", (series,), "x", rows=True), Panel("length", name, (series,), "y")
        drawn = [drawing.figure((panel,)).axes[0] for panel in (rows, up)]
        for axis in (drawn[0].xaxis, drawn[1].yaxis):
            written = [label.get_text() for label in axis.get_majorticklabels()]
            told = dict(zip(np.round(axis.get_majorticklocs(), 9).tolist(), written, strict=True))
            assert told[ticks.LOWEST].startswith(sign + "$") and told[1.0].startswith("$"), told
            assert "-2" in told[ticks.LOWEST]
