"""What is drawn of a panel stands at the numbers of the panel, under its names, and in the looks of its legend."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from laws.judges import drawing, legend
from laws.judges.drawing import INK, look
from laws.judges.verdict import Panel, Series

EPS = float(np.finfo(float).eps)

RIVALS = ("first", "off", "far")


def drawn(panel, *rivals):
    """The axes of a panel, drawn for a verdict with these rivals."""
    figure = drawing.figure((panel,), rivals or RIVALS)
    figure.canvas.draw()
    return figure.axes[0]


def lines_of(axes):
    """Of every line its places, and how it is drawn."""
    found = []
    for line in axes.get_lines():
        hue = line.get_color() if line.get_marker() == "None" else line.get_markeredgecolor()
        found.append((line.get_xydata().tolist(), hue, line.get_marker(), line.get_ls()))
    return found


def said(axes):
    """What the legend says."""
    return [" ".join(text.get_text().split()) for text in axes.get_legend().get_texts()]


def test_rows_show_the_numbers_of_each():
    """In its row stands what was measured with its interval, the law's bar, and every rival in its look."""
    series = (
        Series("band", [1.7], [0.0], "margin", [1.2], [2.2]),
        Series("run", [1.5], [0.0], "runs", [1.4], [1.6]),
        Series("law", [1.7], [0.0], "law"),
        Series("rival", [0.9, 1.1], [0.0, 0.0], "off"),
        Series("rival", [3.0], [0.0], "far"),
    )
    axes = drawn(Panel("weight", "", series, rows=True))
    interval, *marks = lines_of(axes)
    assert interval == ([[1.4, 0.0], [1.6, 0.0]], INK, "None", "-")
    assert marks == [
        ([[1.5, 0.0]], INK, "o", "None"),
        ([[1.7, 1.0]], INK, "|", "None"),
        ([[0.9, 2.0], [1.1, 2.0]], look(1)[0], look(1)[2], "None"),
        ([[3.0, 3.0]], look(2)[0], look(2)[2], "None"),
    ]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["runs", "law", "off", "far"]
    assert axes.get_yticks().tolist() == [0, 1, 2, 3] and axes.get_ylim() == pytest.approx(
        (3.5, -0.5), rel=8 * EPS, abs=0
    )
    (margin,) = axes.patches
    assert (margin.get_x(), margin.get_x() + margin.get_width()) == (1.2, 2.2) and said(axes) == ["margin"]
    assert axes.get_xlabel() == "weight"


def test_rows_of_whole_numbers_have_whole_ticks():
    """One count is enough that no fraction is marked; of what is not whole, fractions are."""
    for measured, whole in ((3.0, True), (2.5, False)):
        series = Series("run", [measured], [0.0], "runs"), Series("law", [2.0], [0.0], "law")
        marks = drawn(Panel("number", "", series, rows=True)).get_xticks()
        assert bool(np.all(marks == np.rint(marks))) == whole


def test_kinds_show_the_numbers_of_each():
    """In its row: the margin, the interval of the runs and the law; below it every rival at what it says."""
    series = (
        Series("band", [1.0, -2.0], [0, 1], "margin", [0.5, -2.5], [1.5, -1.5]),
        Series("law", [1.0, -2.0], [0, 1], "law"),
        Series("rival", [1.5, 2.0], [0, 1], "off"),
        Series("rival", [1.5, 2.0], [0, 1], "far"),
        Series("run", [1.5, -1.0], [0, 1], "runs", [1.25, -1.75], [2.0, -0.5]),
    )
    axes = drawn(Panel("weight", "kind", series, rows=True, ticks=((0.0, "one"), (1.0, "two"))))
    boxes = [(box.get_x(), box.get_width(), box.get_y() + box.get_height() / 2) for box in axes.patches]
    assert boxes == [(0.5, 1.0, 0.0), (-2.5, 1.0, 1.0)] and max(box.get_height() for box in axes.patches) < 0.5
    found = {line.get_label(): one for line, one in zip(axes.get_lines(), lines_of(axes), strict=True)}
    assert found["law"] == ([[1.0, 0.0], [-2.0, 1.0]], INK, "|", "None")
    assert found["off"] == ([[1.5, 0.24], [2.0, 1.24]], look(1)[0], look(1)[2], "None")
    assert found["far"] == ([[1.5, 0.36], [2.0, 1 + 0.36]], look(2)[0], look(2)[2], "None")
    (bars,) = [one for one in axes.containers if hasattr(one, "has_xerr")]
    assert bars.lines[0].get_xydata().tolist() == [[1.5, 0.0], [-1.0, 1.0]]
    assert (bars.lines[0].get_marker(), bars.lines[0].get_ls(), bars.lines[0].get_color()) == ("o", "None", INK)
    segments = [segment.tolist() for segment in bars.lines[2][0].get_segments()]
    assert segments == [[[1.25, 0.0], [2.0, 0.0]], [[-1.75, 1.0], [-0.5, 1.0]]]
    assert said(axes) == ["margin", "law", "off", "far", "runs"] and axes.get_xlabel() == "weight"
    assert [text.get_text() for text in axes.texts] == ["kind"] and axes.get_ylim() == pytest.approx(
        (1.5, -0.5), rel=8 * EPS, abs=0
    )


@pytest.mark.parametrize(("numbers", "crossed"), [([0.2, 0.8], False), ([-0.5, 0.5], True), ([-3.0, -2.0], False)])
def test_no_effect_is_marked_where_it_is_in_view(numbers, crossed):
    """A line at 0 where the rows have numbers on both sides of it, and at no other place."""
    kinds, rows = ((0.0, "one"), (1.0, "two")), (Series("run", numbers, [0, 1], "runs"),)
    axes = drawn(Panel("weight", "", rows, rows=True, ticks=kinds))
    found = [ends for ends, _, mark, _ in lines_of(axes) if mark == "None" and ends[0][0] == ends[1][0]]
    assert found == [[[0, 0], [0, 1]]] * crossed


def test_rows_leave_out_what_is_far_on_either_side():
    """As far as ten times the width of law and runs is seen, on both sides."""
    numbers = Series("law", [1.0, 2.0], [0, 1], "law"), Series("run", [1.0, 2.0], [0, 1], "runs")
    far = Series("rival", [-90.0, 90.0], [0, 1], "far"), Series("rival", [-7.0, 11.0], [0, 1], "off")
    axes = drawn(Panel("weight", "", (*numbers, *far), rows=True, ticks=((0.0, "one"), (1.0, "two"))))
    assert -10 < axes.get_xlim()[0] < -7 and 11 < axes.get_xlim()[1] < 14


def test_rows_may_be_logarithmic():
    """Kinds over decades stand at their powers of ten."""
    numbers = Series("run", [1e-3, 1e4], [0, 1], "runs")
    axes = drawn(Panel("weight", "", (numbers,), "x", rows=True, ticks=((0.0, "one"), (1.0, "two"))))
    assert axes.get_xscale() == "log" and axes.get_xlim()[0] > 1e-5


def test_lines_stand_where_the_panel_has_them():
    """A law is a full line in ink, a rival one in its own hue and dash; what is not joined is marks."""
    x, y = [1.0, 2.0, 4.0], [1.0, 0.5, 2.0]
    series = (
        Series("law", x, y, "law"),
        Series("rival", x, y[::-1], "off"),
        Series("rival", x, [0.5, 0.5, 1.5], "far", joined=False),
        Series("law", x, [0.75] * 3, "known", joined=False),
        Series("law", [3.0], [1.0], "one"),
        Series("law", [1.0, 4.0], [0.0, 1.0], "two"),
        Series("run", x, [0.8, 0.6, 1.9], "runs"),
    )
    axes = drawn(Panel("length of lam", "weight", series))
    pairs = lambda y, x=x: [list(point) for point in zip(x, y, strict=True)]  # noqa: E731
    assert lines_of(axes) == [
        (pairs(y), INK, "None", "-"),
        (pairs(y[::-1]), look(1)[0], "None", "--"),
        (pairs([0.5, 0.5, 1.5]), look(2)[0], look(2)[2], "None"),
        (pairs([0.75] * 3), INK, "_", "None"),
        ([[3.0, 1.0]], INK, "_", "None"),
        (pairs([0.0, 1.0], [1.0, 4.0]), INK, "None", "-"),
        (pairs([0.8, 0.6, 1.9]), INK, "o", "None"),
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("length of λ", "weight")
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    hues = {line.get_label(): line.get_color() for line in axes.get_lines()}
    told = zip(said(axes), axes.get_legend().legend_handles, strict=True)
    assert {name: handle.get_color() for name, handle in told} == hues


@pytest.mark.parametrize("log", ["", "x", "y", "xy"])
def test_axes_are_logarithmic_as_the_panel_says(log):
    """Each axis by itself."""
    axes = drawn(Panel("length", "weight", (Series("run", [1.0, 10.0, 1000.0], [1.0, 20.0, 300.0], "runs"),), log))
    assert [axes.get_xscale() == "log", axes.get_yscale() == "log"] == ["x" in log, "y" in log]


@pytest.mark.parametrize(("x", "y", "counts"), [([1.0, 2.0], [0.5, 0.9], False), ([0.5, 3.5], [1.0, 2.0], True)])
def test_whole_numbers_have_whole_ticks(x, y, counts):
    """Along an axis of whole numbers, or of what counts, no fraction is marked; along others, fractions are."""
    axes = drawn(Panel("n", "m", (Series("run", x, y, "runs"),), counts=counts))
    across, up = axes.get_xticks(), axes.get_yticks()
    assert np.all(across == np.rint(across)) and bool(np.all(up == np.rint(up))) == (y == [1.0, 2.0])


@pytest.mark.parametrize(
    ("found", "least", "whole"),
    [
        ([[1.0, 2.0]], 2, True),
        ([[1.0], [2.0]], 2, True),
        ([[1.0]], 2, False),
        ([[1.0]], 1, True),
        ([[1.0, 2.5]], 2, False),
        ([range(20)], 2, True),
        ([range(21)], 2, False),
        ([], 1, False),
    ],
)
def test_a_few_whole_numbers_are_whole(found, least, whole):
    """Those of the runs alone, at least two of them unless said, and at most twenty different ones."""
    runs = [Series("run", list(values), list(values)) for values in found]
    panel = Panel("n", "n", (*runs, Series("rival", [0.5], [1.0])))
    assert drawing._whole(panel, "x", least) is whole and drawing._whole(panel, "x") is (whole and least > 1)


def test_intervals_stand_beside_each_other():
    """Each from its lower to its upper end, in view as a whole; those at the same places some points apart."""
    x, y, low, high = [1.0, 2.0], [1.0, 2.0], [0.5, -7.0], [1.25, 9.0]
    others = Series("run", [1.0, 3.0], [0.0, 0.0], "else", [-1.0, -1.0], [1.0, 1.0]), Series("run", x, y, "bare")
    twice = Series("run", x, y, "one", low, high), Series("run", x, [3.0, 4.0], "two", [2.0, 3.0], [5.0, 6.0])
    axes = drawn(Panel("length", "weight", (*twice, *others)))
    shift = 2 * axes.figure.dpi / 72
    for bars, values, aside in zip(axes.containers, (y, [3.0, 4.0], [0.0] * 2), (-shift, shift, 0), strict=True):
        dots = bars.lines[0]
        where = dots.get_transform().transform(dots.get_xydata()) - axes.transData.transform(dots.get_xydata())
        np.testing.assert_allclose(where, [[aside, 0.0]] * 2, rtol=0, atol=1e4 * EPS)
        assert dots.get_ydata().tolist() == values and dots.get_markeredgecolor() == INK
        assert (dots.get_marker(), dots.get_ls()) == ("o", "None")
    assert [bars.get_label() for bars in axes.containers] == ["one", "two", "else"]
    segments = axes.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(segments, [[[1.0, 0.5], [1.0, 1.25]], [[2.0, -7.0], [2.0, 9.0]]], rtol=8 * EPS)
    assert axes.get_ylim()[0] < -7 and axes.get_ylim()[1] > 9
    assert said(axes) == ["one", "two", "else", "bare"]


@pytest.mark.parametrize(("half", "bars"), [(0.5, 0), (2.0, 1)])
def test_an_interval_within_a_dot_is_not_drawn(half, bars):
    """One of a hundredth of the height of all is no wider than a dot."""
    y = np.array([0.0, 100.0])
    runs = Series("run", [1.0, 2.0], y.tolist(), "runs", (y - half).tolist(), (y + half).tolist())
    axes = drawn(Panel("length", "weight", (runs,)))
    assert len(axes.containers) == bars and said(axes) == ["runs"]


def test_every_run_is_a_thin_line():
    """All runs of a trend along its levels, under one name."""
    x, y = [1.0, 2.0, 4.0], [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]
    axes = drawn(Panel("level", "value", (Series("each", x, y, "each of 2 runs"), Series("run", x, y[0], "median"))))
    assert [line.get_xydata().T.tolist() for line in axes.get_lines()[:2]] == [[x, one] for one in y]
    assert said(axes) == ["each of 2 runs", "median"]


def test_families_of_one_name_have_one_entry():
    """However many curves they have, and however many families there are."""
    x, y = [1.0, 2.0], [[1.0, 2.0], [3.0, 2.0]]
    families = ("law", "law"), ("rival", "off"), ("rival", "off"), ("run", "runs")
    many = (Series(role, x, (k + np.array(y)).tolist(), name) for k, (role, name) in enumerate(families))
    axes = drawn(Panel("length", "weight", tuple(many)))
    assert said(axes) == ["law", "off", "runs"] and len(axes.get_lines()) == 8


def test_bands_are_shaded_from_end_to_end():
    """Of one place all across, of many that are joined between them, else at each."""
    x, low, high = [1.0, 2.0, 4.0], [0.0, 1.0, 2.0], [1.0, 3.0, 2.5]
    (across,) = drawn(Panel("x", "y", (Series("band", [1.0], [1.0], "ok", [0.25], [2.0]),))).patches
    assert (across.get_y(), across.get_y() + across.get_height(), across.get_label()) == (0.25, 2.0, "ok")
    for ends in ((low, high), (low, None), (None, high)):
        y = [0.5, 2.0, 2.25]
        lower, upper = (end or y for end in ends)
        axes = drawn(Panel("x", "y", (Series("band", x, y, "ok", *ends),)))
        path = axes.collections[0].get_paths()[0].vertices.tolist()
        assert all([a, b] in path for a, b in (*zip(x, lower, strict=True), *zip(x, upper, strict=True)))
        assert said(axes) == ["ok"]
    axes = drawn(Panel("x", "y", (Series("band", x, y, "ok", low, high, joined=False),)))
    ends = [[[a, b], [a, c]] for a, b, c in zip(x, low, high, strict=True)]
    assert [segment.tolist() for segment in axes.collections[0].get_segments()] == ends and said(axes) == ["ok"]
    assert axes.collections[0].get_linewidth()[0] > 10 and not axes.get_lines()
    assert to_hex(axes.collections[0].get_color()[0]) == drawing.GREY


def test_a_path_descends_on_its_surface():
    """Contours stand where the surface has their heights, every third says which; a dot is where descent ends."""
    x, y = [1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0]
    height = [[(1 + b) * a for b in y] for a in x]
    paths = ([4.0, 3.0, 2.0], [2.0, 0.5, 0.25]), ([1.0, 2.0], [2.0, 2.0])
    paths = [Series("path", a, b, "descent") for a, b in paths]
    axes = drawn(Panel("first", "second", (Series("surface", x, y, "loss", low=height), *paths)))
    (contours,) = [one for one in axes.collections if hasattr(one, "levels")]
    np.testing.assert_allclose(contours.levels, np.geomspace(0.02, 12.0, 12), rtol=64 * EPS)
    assert {to_hex(edge) for edge in contours.get_edgecolor()} == {drawing.GREY}
    inner = [(level, one) for level, found in zip(contours.levels, contours.allsegs, strict=True) for one in found]
    assert len(inner) > 2
    for level, (a, b) in ((level, point) for level, one in inner for point in one if point[0] % 1 == 0):
        assert level == pytest.approx((1 + b) * a, rel=8 * EPS, abs=0)
    assert {text.get_text() for text in contours.labelTexts} <= {f"{level:.2g}" for level in contours.levels[1::3]}
    assert contours.labelTexts
    entry, *found = lines_of(axes)
    assert entry[:2] == ([], drawing.GREY) and sorted(said(axes)) == ["descent", "loss, contours"]
    assert found == [
        ([[4.0, 2.0], [3.0, 0.5], [2.0, 0.25]], drawing.PATH, "None", "-"),
        ([[2.0, 0.25]], drawing.PATH, "o", "None"),
        ([[1.0, 2.0], [2.0, 2.0]], drawing.PATH, "None", "-"),
        ([[2.0, 2.0]], drawing.PATH, "o", "None"),
    ]


def test_a_law_ends_where_its_surface_does():
    """Contours fill their picture: a law beyond them widens it neither up nor down."""
    x, y, height = [1.0, 2.0, 3.0], [-0.5, 1.0, 2.5], [[1.0, 2.0, 4.0], [2.0, 4.0, 8.0], [3.0, 6.0, 12.0]]
    beyond, saddle = Series("law", x, [-0.6, 1.0, 2.6], "minima"), Series("run", [2.0], [1.0], "saddle")
    axes = drawn(Panel("first", "second", (Series("surface", x, y, "loss", low=height), beyond, saddle)))
    assert (axes.get_xlim(), axes.get_ylim()) == ((1.0, 3.0), (-0.5, 2.5))


@pytest.mark.parametrize(
    ("law", "rival", "ends"),
    [
        ([0.0, 1.0], [50.0, 100.0], (-0.04, 2.0)),
        ([-1.0, 1.0], [-100.0, 100.0], (-3.0, 3.0)),
        ([10.0, 10.5], [20.0, 90.0], (8.95, 11.55)),
        ([0.5, 1.5], [0.0, 90.0], (0.0, 2.5)),
        ([0.0, 100.0], [0.0, 1e4], (-4.0, 200.0)),
        ([10.0, 10.1], [20.0, 90.0], (None, None)),
        ([2.0, 3.0], [-90.0, 2.5], (1.0, 4.0)),
    ],
)
def test_a_law_fills_a_third_of_its_picture(law, rival, ends):
    """However far a rival is; what is level needs no room, nor does what lies below 0 if nothing can."""
    x = [0.0, 1.0]
    axes = drawn(Panel("length", "weight", (Series("law", x, law, "law"), Series("rival", x, rival, "far"))))
    least, most = min(law + rival), max(law + rival)
    around = least - 0.05 * (most - least), most + 0.05 * (most - least)
    expected = [whole if end is None else end for whole, end in zip(around, ends, strict=True)]
    np.testing.assert_allclose(axes.get_ylim(), expected, rtol=64 * EPS)


def bare(x, y, **look):
    """Axes from 0 to 1 with points upon them."""
    axes = Figure(figsize=(4, 3)).add_subplot()
    axes.plot(x, y, **{"ls": "", "marker": "o", **look})
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return axes


def test_marks_at_the_edge_get_room_and_no_others():
    """On each side by itself; marks far outside, lines without marks, and what is not clipped leave the axes alone."""
    for x, y, moved in (
        (0.0, 0.5, (True, False, False, False)),
        (1.0, 0.5, (False, True, False, False)),
        (0.5, 0.0, (False, False, True, False)),
        (0.5, 1.0, (False, False, False, True)),
        (-0.01, 0.5, (True, False, False, False)),
        (1.01, 0.5, (False, True, False, False)),
        (0.5, -0.01, (False, False, True, False)),
        (0.5, 1.01, (False, False, False, True)),
        (0.5, 0.5, (False,) * 4),
        (9.0, 0.5, (False,) * 4),
    ):
        axes = bare([x, -9.0, 9.0, 0.5, 0.5], [y, 0.5, 0.5, -9.0, 9.0])
        place = axes.transData.transform([x, y])
        drawing._uncut(axes)
        ends = np.array([*axes.get_xlim(), *axes.get_ylim()])
        np.testing.assert_array_equal(np.abs(ends - [0, 1, 0, 1]) > 64 * EPS, moved)

        if any(moved):
            up = int(moved[2] or moved[3])
            pixels = place[up] - axes.bbox.p0[up]
            grown = min(pixels - 5, 0), max(pixels + 5, axes.bbox.size[up])
            np.testing.assert_allclose(ends[2 * up : 2 * up + 2] * axes.bbox.size[up], grown, rtol=1e4 * EPS)
    for axes in (bare([9.0], [9.0]), bare([0.0], [0.0], marker="", ls="-"), bare([0.0], [0.0], clip_on=False)):
        drawing._uncut(axes)
        assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (0, 1))


def test_what_lies_upon_the_law_says_so():
    """Within a pixel of it; in rows, where rivals stand below, none does."""
    x, y = [1.0, 2.0], [1.0, 2.0]
    axes = drawn(Panel("length", "weight", (Series("law", x, y, "law"), Series("rival", x, y, "off"))))
    assert said(axes) == ["law", "off (coincides with law)"]
    for pixels, alike in ((0.9, {"off": "law"}), (1.5, {})):
        axes = bare(x, y)
        beside = axes.transData.inverted().transform(axes.transData.transform([[0, 0]]) + [[0, pixels]])[0, 1]
        series = Series("law", [0.5], [0.5], "law"), Series("rival", [0.5], [0.5 + beside], "off")
        assert legend._alike(axes, Panel("x", "y", series)) == alike
    rows = Series("law", x, [0, 1], "law"), Series("rival", x, [0, 1], "off"), Series("rival", x, [0, 1], "far")
    axes = drawn(Panel("weight", "", rows, rows=True, ticks=((0.0, "one"), (1.0, "two"))))
    assert said(axes) == ["law", "off", "far"]
