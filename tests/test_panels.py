"""The panels of a confrontation hold the numbers that it is about: predictions, runs, intervals and distances."""

import numpy as np
import pytest

from laws import Distribution, Sign, confront
from laws.judges import pictures
from laws.judges.ticks import LOWEST, UNITS
from laws.judges.verdict import Panel, Series

EPS = float(np.finfo(float).eps)


class Read:
    """A judge whose intervals are given."""

    shows = "values"

    def interval(self, runs):
        """The middle and both ends of what was given."""
        middle, error = (np.asarray(value, dtype=float) for value in runs)
        return middle, middle - error, middle + error


class Within(Read):
    """A judge with a margin."""

    margin = 0.5


def shown(judge, runs, predictions, given=None, labels=None):
    """The panels of predictions, which are functions of what is given, or values, the law first."""
    known = given or {}

    def told(said):
        return lambda **new: np.asarray(said(**{**known, **new}) if callable(said) else said)

    return pictures.panels(judge, runs, {name: told(said) for name, said in predictions.items()}, known, labels or {})


def test_numbers_that_should_be_equal_are_rows_of_what_they_are():
    """Every row has its own numbers, each once; the margin lies around the law, the interval around one number."""
    (panel,) = shown(Read(), ([1.7, 1.9, 1.7], 0.1), {"law": 1.7, "off": [0.9, 1.1, 0.9]}, labels=dict(y="weight"))
    off, law = Series("rival", [0.9, 1.1], [0.0] * 2, "off"), Series("law", [1.7], [0.0], "law")
    assert panel == Panel("weight", "", (Series("run", [1.7, 1.9, 1.7], [0.0] * 3, "runs"), law, off), rows=True)
    (panel,) = shown(Within(), (1.5, 0.25), {"law": 1.7, "off": 0.9})
    band = Series("band", [1.7], [0.0], "margin", [1.7 - 0.5], [1.7 + 0.5])
    run, off = Series("run", [1.5], [0.0], "runs", [1.25], [1.75]), Series("rival", [0.9], [0.0], "off")
    assert panel == Panel("measured number", "", (band, run, law, off), rows=True)


def test_kinds_keep_their_numbers():
    """The panel of kinds has each number at its kind, the margin around the law, and the interval of the runs."""
    runs = np.array([1.5, -1.0]), np.array([0.25, 0.5])
    for labels, name in (({}, "measured number"), (dict(y="weight"), "weight")):
        kinds = dict(runs=["one", "two"], **labels)
        (panel,) = shown(Within(), runs, {"law": [1.0, -2.0], "off": [3.0, 4.0]}, labels=kinds)
        series = (
            Series("band", [1.0, -2.0], [0, 1], "margin", [0.5, -2.5], [1.5, -1.5]),
            Series("law", [1.0, -2.0], [0, 1], "law"),
            Series("rival", [3.0, 4.0], [0, 1], "off"),
            Series("run", [1.5, -1.0], [0, 1], "runs", [1.25, -1.5], [1.75, -0.5]),
        )
        assert panel == Panel(name, "", series, rows=True, ticks=((0.0, "one"), (1.0, "two")))


def test_two_numbers_are_drawn_against_the_law():
    """The law is the diagonal from its least to its largest value, runs and every rival stand at what it says."""
    said = {"law": [3.0, 1.0], "sum": [4.0, 5.0], "one": [1.0, 1.0]}
    (panel,) = shown(Read(), ([2.5, 1.5], [0.25, 0.5]), said)
    series = (
        Series("law", [1.0, 3.0], [1.0, 3.0], "law"),
        Series("rival", [3.0, 1.0], [4.0, 5.0], "sum", joined=False),
        Series("rival", [3.0, 1.0], [1.0, 1.0], "one", joined=False),
        Series("run", [3.0, 1.0], [2.5, 1.5], "runs", [2.25, 1.0], [2.75, 2.0]),
    )
    assert panel == Panel("value, by the law", "value", series)


def test_curves_are_the_predictions():
    """Law and rivals from 0 on, where the law is finite, else between the runs; the margin lies around the law."""
    x = np.array([1.0, 2.0, 4.0])
    for law, low in ((lambda x: 2 * x, 0.0), (lambda x: 1 / x, 1.0), (from_half, 1.0), (lambda x: -x, -3.0)):
        at = dict(x=np.array([-3.0, 2.0, 4.0]) if low < 0 else x)
        dense = np.linspace(low, 4.0, 200)
        (panel,) = shown(Within(), (law(**at), [0.25] * 3), {"law": law, "more": lambda x: x + 1}, at, dict(x="length"))
        places, middle = at["x"].tolist(), law(**at)
        series = (
            Series("band", places, middle.tolist(), "margin", (middle - 0.5).tolist(), (middle + 0.5).tolist()),
            Series("law", dense.tolist(), law(dense).tolist(), "law"),
            Series("rival", dense.tolist(), (dense + 1).tolist(), "more"),
            Series("run", places, middle.tolist(), "runs", (middle - 0.25).tolist(), (middle + 0.25).tolist()),
        )
        assert panel == Panel("length", "value", series)


def from_half(x):
    """A law that is not defined below 1/2."""
    if np.min(x) < 0.5:
        raise ValueError("x must be at least 1/2")
    return 3 * x


def test_families_of_curves_are_the_first_five():
    """Each run of a family, without intervals, beside the law at all places; how many there are is told."""
    x, k = np.array([[1.0, 2.0, 4.0]]), np.arange(1.0, 8.0)[:, None]
    family = lambda x, k: np.concatenate([one * x for one in k], axis=-2)  # noqa: E731
    (panel,) = shown(Within(), (k * x, 2.0), {"law": family}, dict(x=x, k=k))
    dense = np.linspace(0, 4, 200)
    runs = Series("run", [1.0, 2.0, 4.0], (k * x)[:5].tolist(), "runs (5 of 7)")
    assert panel == Panel("x", "value", (Series("law", dense.tolist(), (k * dense)[:5].tolist(), "law"), runs))


@pytest.mark.parametrize(
    ("places", "joined"),
    [
        (0.5 * np.array([1, 2, 3, 4, 5, 5, 6, 7, 8]), True),
        (0.5 * np.arange(8), False),
        (0.5 * np.array([1, 2, 3, 4, 5, 7, 6, 8, 9]), False),
    ],
)
def test_what_is_known_at_the_runs_alone_is_joined_if_they_are_many(places, joined):
    """Nine places in order are joined by a line, eight are marked, and so are places in no order."""
    law = lambda x, w: w * x  # noqa: E731
    at = dict(x=places, w=np.linspace([1, 2], [3, 4], places.size).T)
    (panel,) = shown(Read(), (law(**at), 9.0), {"law": law, "half": lambda x, w: w * x / 2}, at)
    half = Series("rival", places.tolist(), (law(**at) / 2).tolist(), "half", joined=joined)
    assert panel.series[0] == Series("law", places.tolist(), law(**at).tolist(), "law", joined=joined)
    assert panel.series[1] == half and panel.x == "x"


def test_what_is_counted_has_marks_alone():
    """Along whole numbers of type int, and those that a judge counts, law and margin are marked at each."""
    for judge, n in ((Within(), np.array([1, 10, 1000])), (Counted(), np.array([1.0, 10.0, 1000.0]))):
        (panel,) = shown(judge, (2.0 * n, [0.1] * 3), {"law": lambda n: 2.0 * n}, dict(n=n))
        band, law, _ = panel.series
        assert panel.counts and panel.log == "" and not band.joined and not law.joined and law.x == n.tolist()
    halves = np.array([0.5, 1.0, 1.5])
    for judge, n in ((Counted(), halves), (Within(), np.array([1.0, 2.0, 3.0]))):
        (panel,) = shown(judge, (2.0 * n, [0.1] * 3), {"law": lambda n: 2.0 * n}, dict(n=n))
        assert not panel.counts and panel.series[0].joined and panel.series[1].joined


class Counted(Within):
    """A judge of counts."""

    shows = "counts"


@pytest.mark.parametrize(
    ("axis", "places", "log"),
    [
        ("x", (1.0, 10.0, 100.0), True),
        ("x", (0.5, 5.0, 500.0), True),
        ("x", (1.0, 3.0, 9.0), False),
        ("x", (1.0, 60.0, 120.0), False),
        ("x", (0.0, 10.0, 1000.0), False),
        ("t", (1.0, 10.0, 100.0), False),
    ],
)
def test_an_argument_over_two_decades_is_logarithmic(axis, places, log):
    """If it grows by factors and is no time; then predictions are drawn at places that do, and distances, too."""
    x = np.array(places)
    said = {"law": lambda **at: at[axis] + 1.0, "off": lambda **at: at[axis] + 2.0}
    values, distances = shown(Read(), (x + 1.5, [0.01] * 3), said, {axis: x})
    assert (values.log, distances.log) == ("x" * log, "xy" if log else "y")
    dense = np.geomspace(x[0], x[-1], 200) if log else np.linspace(0, x[-1], 200)
    assert values.series[0].x == dense.tolist() and values.series[0].y == (dense + 1).tolist()
    along = np.log(x) if log else x
    beside = min(0.015 * np.ptp(along), np.min(np.diff(along)) / 3)
    for series, side in zip(distances.series[1:], (-0.5, 0.5), strict=True):
        found = np.log(series.x) if log else np.array(series.x)
        np.testing.assert_allclose(found, along + side * beside, rtol=0, atol=64 * EPS)


def test_distances_are_in_units_of_the_error():
    """Those of the law and of every rival, none below the least that is told; below 1 a prediction is accepted."""
    x = np.array([1.0, 2.0, 3.0])
    said = {"law": lambda x: x, "off": lambda x: x + np.array([0.5, 0.25, 0.0])[: np.size(x)]}
    runs = np.stack([x + [0.125, 0, 0], x]), np.full((2, 3), 2.0**-8)
    _, panel = shown(Read(), runs, said, dict(x=x), dict(x="length"))
    band, law, off = panel.series
    assert (panel.x, panel.y, panel.log, panel.counts, panel.rows) == ("length", UNITS, "y", True, False)
    assert band == Series("band", [1.0], [1.0], "accepted", [LOWEST], [1.0])
    assert (law.role, law.label, law.y, law.joined) == ("law", "law", [32.0, LOWEST, LOWEST], False)
    assert (off.role, off.label, off.y, off.joined) == ("rival", "off", [128.0, 64.0, LOWEST], False)
    halves = shown(Read(), (x / 2, [1e-3] * 3), {"law": lambda x: x}, dict(x=x / 2))[-1]
    assert halves.x == "x" and not halves.counts
    _, panel = shown(Read(), ([1.0, 2.0], 2.0**-8), {"law": [1.0, 2.5], "off": [3.0, 4.0]})
    band = Series("band", [1.0], [0.0], "accepted", [LOWEST], [1.0])
    law, off = Series("law", [LOWEST, 128.0], [0.0, 0.0], "law"), Series("rival", [512.0], [0.0], "off")
    assert panel == Panel(UNITS, "", (band, law, off), "x", rows=True)


def test_distances_with_one_place_have_it():
    """Where all runs share one value of the argument, its marks stand there, each beside the next by nothing."""
    at = dict(x=np.array([2.0, 2.0, 2.0]))
    _, panel = shown(Read(), ([1.0, 2.0, 3.0], 1e-3), {"law": lambda x: x, "off": lambda x: x + 1}, at)
    assert [series.x for series in panel.series[1:]] == [[2.0] * 3] * 2


def test_a_margin_needs_no_distances():
    """What is judged by a margin is not told in units of the error, however small that is."""
    x, said = np.array([1.0, 2.0, 4.0]), {"law": lambda x: x}
    assert len(shown(Within(), (x, [1e-6] * 3), said, dict(x=x))) == 1
    assert len(shown(Read(), (x, [1e-6] * 3), said, dict(x=x))) == 2


def test_what_is_hidden_is_measured_by_the_picture():
    """By its height; where all is level, by the size of what it shows, and by 1 where all is 0."""
    for level, height in ((np.array([0.0, 4.0]), 4.0), (np.array([4.0, 4.0]), 4.0), (np.zeros(2), 1.0)):
        for part, hidden in ((0.015, True), (0.03, False)):
            error, rivals = part * height, {"law": level, "off": level + part * height}
            found = pictures._hidden(level, level - error / 2, level + error / 2, rivals)
            assert found == {"the error": hidden, "a rival": hidden}
    level = np.array([0.0, 4.0])
    assert pictures._hidden(level, level - 0.5, level + 0.5, {"law": level})["a rival"] is False


class Limit(Read):
    """A judge of limits, which draws its steps."""

    shows = "limit"

    def panel(self, runs, predictions):
        """Its steps."""
        return Panel("step h", "error", ())


@pytest.mark.parametrize(
    ("shows", "held", "runs", "observed", "title"),
    [
        ("values", (), None, np.zeros(3), "runs"),
        ("values", (), "prompts", np.zeros((5, 3)), "prompts"),
        ("values", (), None, np.zeros((6, 3)), "runs (5 of 6)"),
        ("limit", (), None, np.zeros(8), "runs, extrapolated"),
        ("forecast", None, "prompts", np.zeros(3), "prompts, held out"),
        ("forecast", (2,), None, np.zeros(3), "runs"),
        ("forecast", (), ["one", "two"], np.zeros(2), "runs"),
    ],
)
def test_dots_are_said_to_be_what_they_are(shows, held, runs, observed, title):
    """Runs, extrapolated ones, or those held out of a fit, and how many of a family are shown."""
    judge = type("Judge", (), dict(shows=shows, held=held))
    assert pictures._title(judge, observed, {} if runs is None else dict(runs=runs)) == title
    del judge.held
    assert "held out" not in pictures._title(judge, observed, {})


def test_axes_of_a_judge_are_named():
    """Steps by `h`, samples by their own name, else by `x`; kinds of signs stand at their numbers."""
    numbers = {"law": [1.0, 2.0], "off": [1.001, 2.0]}
    values, steps, _ = shown(Limit(), ([1.0, 2.0], 1e-3), numbers, labels=dict(h="width"))
    assert (steps.x, steps.y, values.series[-1].label) == ("width", "error", "runs, extrapolated")
    assert shown(Limit(), ([1.0, 2.0], 0.1), {"law": [1.0, 2.0]})[1].x == "step h"
    run, square = lambda n, seed: (np.arange(n) + 0.5) / n, {"square": lambda u: u**2}  # noqa: E731
    for labels, name in ((dict(u="length", x="size"), "length"), (dict(x="size"), "size"), ({}, "u")):
        (panel,) = confront("spread", lambda u: u, run, {}, Distribution("u"), square, labels=labels).panels
        assert panel.x == name
    run, kinds = lambda seed: np.array([0.3, -2.0]), ["gains", "costs"]  # noqa: E731
    verdict = confront("two", lambda: np.array([1.0, -1.0]), run, {}, Sign(), {"free": 1.0}, labels=dict(names=kinds))
    assert verdict.panels[0].ticks == ((1, "gains"), (2, "costs"))
