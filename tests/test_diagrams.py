"""A graph with its gates, a table and a map are drawn as said, and need no legend where there is none."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import ArrowStyle

from laws import Roundoff, confront
from laws.judges import diagrams, drawing
from laws.judges.verdict import Panel, Series, table

EPS = float(np.finfo(float).eps)

GRAPH = (
    Series("edge", [0, 1], [0, 1], "always open"),
    Series("gated edge", [0, 1], [0, -1], "with a gate"),
    Series("node", [0], [0], "x"),
    Series("gated node", [1], [1], "h"),
)
TABLE = tuple(Series("cell", [float(i % 2)], [-float(i // 2)], text) for i, text in enumerate(("s", "T", "0.3", "7.1")))
MAP = (Series("map", [0.5, 1.0, 1.5], [-2.0, -1.0], "share", low=[[0.1, 0.2], [0.4, 0.5], [0.8, 0.9]]),)


def drawn(series):
    """The axes of a panel with these series, drawn beside those of a verdict."""
    panel = Panel("", "", series)
    found = confront("one is one", 1.0, lambda seed: 1.0, {}, Roundoff(1), {"two": 2.0}, picture=panel)
    figure = found.plot()
    figure.canvas.draw()
    return figure.axes


@pytest.mark.parametrize(
    ("series", "words"), [(GRAPH, ["x", "h"]), (TABLE, ["s", "T", "0.3", "7.1"])], ids=["graph", "table"]
)
def test_words_are_shown(series, words):
    """Nodes and cells show their names, without axes."""
    axes = drawn(series)[-1]
    assert [text.get_text() for text in axes.texts if text.get_text()] == words and not axes.axison


def test_names_stand_beside_their_points():
    """What ends at a point is named on the side away from the middle, on axes that have room for it."""
    ends = (Series("run", [-1.0, 2.0], [0.0, 1.0], "runs"), Series("name", [-1.0], [0.0], "oak, birch, elm"))
    axes = drawn((*ends, Series("name", [2.0], [1.0], "lam")))[-1]
    assert [(name.get_text(), name.get_ha()) for name in axes.texts] == [("oak, birch,\nelm", "right"), ("λ", "left")]
    assert axes.get_xlim()[0] < -1.7 and axes.get_xlim()[1] > 2.7 and len(axes.get_legend().get_texts()) == 1


def test_map_shows_its_values():
    """The shades are the values, and their bar says what they are of."""
    axes = drawn(MAP)
    (shades,) = axes[-2].collections
    np.testing.assert_array_equal(np.asarray(shades.get_array()).ravel(), np.array(MAP[0].low).T.ravel())
    assert axes[-1].get_ylabel() == "share"


def test_columns_of_a_table_have_room():
    """A column begins beyond the longest cell of the one before it, a line below the last, the note at the end."""
    panel = table([["", "long heading"], ["a name of\ntwo lines", "1.2"], ["b", "3"]], "said below")
    placed = {series.label: (series.x[0], series.y[0]) for series in panel.series if series.label}
    assert placed["long heading"][0] == placed["1.2"][0] > len("a name of")
    assert placed["1.2"][1] - placed["3"][1] == 2 and placed["said below"][1] < placed["b"][1]


def test_graphs_stand_at_their_places():
    """Nodes under their names, edges between their ends with an arrow ahead, gates dashed, each named once."""
    axes = drawn((*GRAPH, GRAPH[1], GRAPH[3], Series("edge", [0, 9, 2], [2, 7, 4], "")))[-1]
    x, h, _ = [text for text in axes.texts if text.get_text()]
    assert (x.get_position(), h.get_position()) == ((0, 0), (1, 1))
    frames = [(to_hex(text.get_bbox_patch().get_edgecolor()), text.get_bbox_patch().get_linestyle()) for text in (x, h)]
    plain, gated = (diagrams.INK, "-"), (diagrams.GATED.lower(), "--")
    assert [(hue, {"solid": "-", "dashed": "--"}.get(dash, dash)) for hue, dash in frames] == [plain, gated]
    edges = [line for line in axes.get_lines() if len(line.get_xdata())]
    assert [line.get_xydata().tolist() for line in edges] == [
        [[0, 0], [1, 1]],
        [[0, 0], [1, -1]],
        [[0, 0], [1, -1]],
        [[0, 2], [9, 7], [2, 4]],
    ]
    assert [(line.get_color().lower(), line.get_ls()) for line in edges] == [plain, gated, gated, plain]
    notes = [note for note in axes.texts if not note.get_text()]
    heads = [(tuple(note.xy), tuple(note.xyann)) for note in notes]
    down = (0.51, -0.51), (0.5, -0.5)
    assert heads == [((0.51, 0.51), (0.5, 0.5)), down, down, ((1.02, 3.02), (1.0, 3.0))]
    assert all(isinstance(note.arrow_patch.get_arrowstyle(), ArrowStyle.CurveFilledB) for note in notes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["always open", "with a gate"]
    alone = drawn((GRAPH[2], GRAPH[3], GRAPH[3]))[-1]
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["with a gate"]
    (entry,) = alone.get_legend().legend_handles
    assert (entry.get_color(), entry.get_ls()) == (diagrams.GATED, "--")


def test_cells_stand_at_their_places():
    """Each at its own, all of them in view."""
    axes = drawn(TABLE)[-1]
    assert [text.get_position() for text in axes.texts] == [(one.x[0], one.y[0]) for one in TABLE]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left <= 0 and right >= 2 and bottom <= -1.5 and top >= 0.5


def test_names_are_beside_their_points():
    """Some points to the side away from the middle."""
    ends = [Series("name", [x], [3.0], "birch") for x in (-1.0, 0.0, 2.0)]
    axes = drawn((Series("run", [-1.0, 2.0], [0.0, 1.0], "runs"), *ends))[-1]
    assert [(name.xy, np.sign(name.xyann[0]), name.xyann[1], name.get_ha()) for name in axes.texts] == [
        ((-1.0, 3.0), -1, 0, "right"),
        ((0.0, 3.0), 1, 0, "left"),
        ((2.0, 3.0), 1, 0, "left"),
    ]


def test_a_map_is_shaded_around_its_points():
    """Each cell lies around its point, with a bar for the shades."""
    shades, bar = drawn(MAP)[-2:]
    corners = shades.collections[0].get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], [0.25, 0.75, 1.25, 1.75], rtol=8 * EPS)
    np.testing.assert_allclose(corners[:, 0, 1], [-2.5, -1.5, -0.5], rtol=8 * EPS)
    np.testing.assert_allclose(bar.get_ylim(), [0.1, 0.9], rtol=8 * EPS)


def test_images_stand_under_their_labels():
    """Two in a row, each with its rows and in its own proportions, black at -1 and white at 1, all in view."""
    rows = [np.linspace(-0.5, 0.5, n * m).reshape(n, m).tolist() for n, m in ((2, 2), (4, 2), (1, 2))]
    named = zip(("one", "lam", "three"), rows, strict=True)
    pictures = tuple(Series("image", [], [], name, low=row) for name, row in named)
    axes = drawing.figure((Panel("said below", "beside", pictures),)).axes[0]
    side, below = 1 + diagrams.TITLE / 2, -(2 + diagrams.TITLE)
    for image, row in zip(axes.images, rows, strict=True):
        assert image.get_array().tolist() == row and image.get_clim() == (-1, 1) and image.get_cmap().name == "gray"
    ends = [[0, 1, -1, 0], [side, side + 1, -2, 0], [0, 1, below - 0.5, below]]
    np.testing.assert_allclose([image.get_extent() for image in axes.images], ends, rtol=64 * EPS, atol=64 * EPS)
    assert [text.get_text() for text in axes.texts] == ["one", "λ", "three"]
    for text, (left, right, _, top) in zip(axes.texts, ends, strict=True):
        assert text.get_position() == ((left + right) / 2, top + 0.02)
    np.testing.assert_allclose(
        [*axes.get_xlim(), *axes.get_ylim()], [0, side + 1, below - 0.5, diagrams.TITLE], rtol=64 * EPS
    )
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_aspect()) == ("said below", "beside", 1)
    assert not axes.get_xticks().size and not axes.get_yticks().size
    assert drawing.figure((Panel("", "", pictures[:2]),)).axes[0].get_xlim() == (0, side + 1)
    alone = drawing.figure((Panel("", "", pictures[:1]),)).axes[0]
    assert (alone.get_xlim(), alone.get_ylim()) == ((0, 1), (-1, diagrams.TITLE))
    assert diagrams.high(Panel("", "", pictures), 4.0) == pytest.approx(
        4 * (0.5 - below + diagrams.TITLE) / (side + 1), rel=64 * EPS, abs=0
    )
    assert diagrams.high(Panel("", "", pictures[:1]), 4.0) == pytest.approx(
        2 * (1 + diagrams.TITLE), rel=64 * EPS, abs=0
    )
