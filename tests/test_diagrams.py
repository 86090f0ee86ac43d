"""A graph with its gates, a table and a map are drawn as said, and need no legend where there is none."""

import numpy as np
import pytest

from laws import Roundoff, confront
from laws.judges.verdict import Panel, Series, table

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
