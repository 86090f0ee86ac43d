"""Panels of pictures, and of curves of which none is judged, are drawn, and come through JSON unchanged."""

import dataclasses

import numpy as np

from laws import Roundoff, confront
from laws.judges.verdict import Panel, Series, Verdict


def verdict(picture):
    """Any verdict, with a further panel."""
    return confront("one is one", lambda: 1.0, lambda seed: 1.0, {}, Roundoff(1), {"two": 2.0}, picture=picture)


def test_pictures_are_shown():
    """Three pictures appear as they are, each under its label, in two rows; what is nan stays blank."""
    rows = [np.array([[0.5, np.nan, -1.0], [1.0, 0.0, 0.25]]) * scale for scale in (1, 0.5, -1)]
    panel = Panel("fields", "", tuple(Series("image", [], [], f"no {k}", r.tolist()) for k, r in enumerate(rows)))
    again = Verdict.from_json(verdict(panel).to_json())
    axes = dataclasses.replace(again, panels=again.panels[-1:]).plot().axes[0]
    for shown, wanted in zip(axes.get_images(), rows, strict=True):
        np.testing.assert_array_equal(shown.get_array().filled(np.nan), wanted)
        assert shown.get_clim() == (-1, 1)
    assert [text.get_text() for text in axes.texts] == ["no 0", "no 1", "no 2"]
    assert len({tuple(shown.get_extent()) for shown in axes.get_images()}) == 3


def test_curves_of_which_none_is_judged():
    """A panel of nothing but comparisons shows all of them."""
    panel = Panel("x", "y", tuple(Series("rival", [0, 1], [k, 2 * k], f"{k}") for k in (1, 100)))
    figure = dataclasses.replace(verdict(panel), panels=(panel,)).plot()
    low, high = figure.axes[0].get_ylim()
    assert low <= 1 and high >= 200
