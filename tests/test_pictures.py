"""A verdict is drawn at a scale where law and rivals differ, and every rival looks like itself alone."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from laws import Distribution, Equivalent, Mean, Order, Roundoff, Sign, Solver, Trend, confront
from laws.judges import drawing, legend
from laws.judges.drawing import look
from laws.judges.ticks import LOWEST, UNITS
from laws.judges.verdict import Panel, Series
from laws.typeset import plain

at = dict(x=np.array([0.5, 1.0, 2.0, 4.0]))


SQUARE = {"square": lambda x: x**2}


def line(x):
    """A law of one argument."""
    return 1.7 * x


def stepping(h, seed):
    """A run that tends to it at first order."""
    return line(at["x"]) * (1 + h + 0.3 * h * h)


def solved(rtol, seed):
    """A run that a solver gives to its tolerance."""
    return line(at["x"]) * (1 + rtol)


def uniform(n, seed):
    """Samples of mean 1.7."""
    return 1.7 + np.random.default_rng(seed).uniform(-1, 1, n)


def test_a_visible_rival_needs_no_further_panel():
    """Where the eye tells law from rival, the values and the judge's own picture say all."""
    verdict = confront("far", line, stepping, at, Order(1), {"half": lambda x: x}, labels=dict(x="length", y="weight"))
    assert [(panel.x, panel.y) for panel in verdict.panels] == [
        ("length", "weight"),
        ("step h", "largest |run − prediction|"),
    ]


def test_a_hidden_rival_is_shown_by_its_distance():
    """A rival within a line's width of the law is shown in units of the runs' error, where it is not accepted."""
    verdict = confront("near", line, stepping, at, Order(1), {"one per mille more": lambda x: 1.001 * line(x)})
    distances = verdict.panels[-1]
    rival = next(s for s in distances.series if s.role == "rival")
    law = next(s for s in distances.series if s.role == "law")
    assert len(verdict.panels) == 3 and min(rival.y) > 1 >= max(law.y) >= LOWEST and not rival.joined


def test_one_number_is_a_row():
    """A single number gets rows: the runs with their interval, the law, and every rival."""
    verdict = confront("one", 1.7, uniform, {}, Mean(0.4, bounds=(0.7, 2.7)), {"off": 0.9}, labels=dict(y="weight"))
    (panel,) = verdict.panels
    assert panel.rows and panel.x == "weight" and [s.role for s in panel.series] == ["run", "law", "rival"]
    assert panel.series[0].low[0] < 1.7 < panel.series[0].high[0]
    assert names_of(verdict.plot().axes[0]) == ["interval of the runs"]
    within = lambda seed: 1.7 + 1e-3 * np.random.default_rng(seed).random()  # noqa: E731
    held = confront("held", 1.7, within, {}, Equivalent(0.4), {"off": 0.9}, labels=dict(y="weight"))
    assert names_of(held.plot().axes[0]) == ["margin"]


def test_numbers_in_no_order_are_predicted_against_measured():
    """Without an argument that orders them, values are dots at what the law predicts, never joined by lines.

    The law is the diagonal; how far each prediction lies from the runs is told row by row.
    """
    numbers = dict(u=np.array([2.0, 1.0, 3.0]), v=np.array([0.1, 0.7, 0.4]))
    run = lambda rtol, seed: numbers["u"] * numbers["v"] * (1 + rtol)  # noqa: E731
    rivals = {"sum": lambda u, v: u + v}
    verdict = confront("parity", lambda u, v: u * v, run, numbers, Solver(), rivals, labels=dict(y="area"))
    values, distances = verdict.panels
    assert (values.x, values.y, distances.x) == ("area, by the law", "area", UNITS)
    assert distances.rows and all(not s.joined for s in values.series if s.role == "rival")
    dots = next(s for s in values.series if s.role == "run")
    assert dots.x == [0.2, 0.7, 3.0 * 0.4] and dots.y == [x * (1 + Solver().rtol / 100) for x in dots.x]


def test_runs_are_called_what_they_are():
    """The dots are runs, or what `labels` call them."""
    many = lambda seed: np.array([1.7, 1.7])  # noqa: E731
    for runs in ("runs", "drawn prompts"):
        verdict = confront("named", 1.7, many, {}, Roundoff(4), {"off": 0.9}, labels=dict(y="weight", runs=runs))
        assert [s.label for s in verdict.panels[0].series if s.role == "run"] == [runs]
    assert confront("unnamed", 1.7, many, {}, Roundoff(4), {"off": 0.9}).panels[0].series[0].label == "runs"


def rows_of(axes):
    """The names of its rows, from the top, and where what is in the legend stands, by name."""
    drawn = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    drawn |= {bars.get_label(): bars.lines[0].get_xydata() for bars in axes.containers if hasattr(bars, "lines")}
    return [label.get_text() for label in axes.get_yticklabels()], drawn


def test_numbers_with_a_name_each_have_a_row_each():
    """In its row stand the runs with their interval, what the law says, and below it what every rival says."""
    kinds, law, rival = ["rises", "falls", "stays"], np.array([1.0, -1.0, 0.0]), np.array([1.0, 1.0, 0.0])
    run = lambda seed: law + 0.1 * np.random.default_rng(seed).normal(size=3)  # noqa: E731
    for said in (law, 0.0):
        by_kind, judge = (lambda said=said: said), Equivalent(0.2 if said is law else 2.0)
        verdict = confront("kinds", by_kind, run, {}, judge, {"other": 5 * rival}, labels=dict(runs=kinds))
        (panel,) = verdict.panels
        axes = verdict.plot().axes[0]
        names, drawn = rows_of(axes)
        assert names == kinds and axes.yaxis_inverted() and panel.series[-1].low[0] < panel.series[-1].high[0]
        assert drawn["law"].tolist() == [[x, y] for y, x in enumerate(np.broadcast_to(said, 3))]
        assert drawn["other"][:, 0].tolist() == (5 * rival).tolist()
        assert drawn["runs"][:, 1].tolist() == [0, 1, 2] and np.all(np.abs(drawn["runs"][:, 0] - law) < 0.1)
        assert np.all((drawn["other"][:, 1] > [0, 1, 2]) & (drawn["other"][:, 1] < [0.4, 1.4, 2.4]))
        assert [y for line in axes.get_lines() for y in line.get_ydata() if y % 1 == 0.5] == [0.5, 0.5, 1.5, 1.5]
        assert names_of(axes) == ["margin", "law", "other", "runs"]
    with pytest.raises(ValueError, match=r"runs = \['rises', 'falls', 'stays'\] must be 2 names"):
        confront("two", 1.7, lambda seed: np.full(2, 1.7), {}, Roundoff(4), {"off": 0.9}, labels=dict(runs=kinds))


def test_a_row_keeps_law_and_runs_in_view():
    """A rival far off is left out of the rows and told so; one within ten times their width is not."""
    run = lambda seed: np.array([1.0, 1.1]) + 0.01 * np.random.default_rng(seed).normal(size=2)  # noqa: E731
    rivals = {"near": 1.9, "far": np.array([1.6, 90.0])}
    law = lambda: np.array([1.0, 1.1])  # noqa: E731
    axes = confront("far", law, run, {}, Equivalent(0.2), rivals, labels=dict(runs=["one", "two"])).plot().axes[0]
    assert axes.get_xlim()[1] < 10 and names_of(axes)[2:4] == ["near", "far (partly off the scale)"]


def test_signs_have_the_names_of_their_kinds():
    """Along the signs of several kinds stand their names."""
    run, kinds = lambda seed: np.array([[0.3, -2.0], [0.1, -1.0]]), ["gains", "costs"]  # noqa: E731
    verdict = confront("two", lambda: np.array([1.0, -1.0]), run, {}, Sign(), {"free": 1.0}, labels=dict(names=kinds))
    assert [label.get_text() for label in verdict.plot().axes[0].get_xticklabels()] == kinds


def test_a_legend_keeps_the_order_of_its_panel():
    """Bands, lines and runs with intervals are listed as the panel has them, not kind by kind of mark."""
    x = [1.0, 2.0]
    series = [Series("run", x, x, "runs", [0.5, 1.5], [1.5, 2.5]), Series("rival", x, x[::-1], "other")]
    series += [Series("band", x, x, "allowed", [0.0, 1.0], [2.0, 3.0]), Series("law", x, x, "law")]
    axes = drawing.figure((Panel("length", "weight", tuple(series)),)).axes[0]
    assert names_of(axes) == [s.label for s in series]
    bars, other, allowed, law = axes.get_legend().legend_handles
    assert hasattr(bars, "has_yerr") or hasattr(bars, "get_segments")
    assert law.get_color() == drawing.INK != other.get_color() and to_hex(allowed.get_facecolor()) == drawing.GREY


def test_distances_do_not_cover_each_other():
    """One mark for each prediction and argument, beside those of the others."""
    rivals = {name: lambda x, more=more: (1 + more) * line(x) for name, more in (("a", 1e-3), ("b", 2e-3))}
    *_, distances = confront("beside", line, stepping, at, Order(1), rivals).panels
    places = [x for series in distances.series if series.role != "band" for x in series.x]
    assert len(set(places)) == len(places) == 3 * len(at["x"])


def test_legend_says_what_cannot_be_seen():
    """A rival that lies upon another says so, and so does one that leaves the scale; nothing below 0 is made up."""
    rivals = {"one": lambda x: 2 * x, "alike": lambda x: 2 * x, "far": lambda x: 90 + x, "leaving": lambda x: x**4}
    axes = confront("seen", line, stepping, at, Order(1), rivals).plot().axes[0]
    said = [" ".join(text.get_text().split()) for text in axes.get_legend().get_texts()]
    assert {"alike (coincides with one)", "far (off the scale)", "leaving (partly off the scale)"} <= set(said)
    assert -0.1 * axes.get_ylim()[1] < axes.get_ylim()[0] <= 0


def test_labels_are_not_broken_within_brackets():
    """A number stays with its name."""
    words = "the strength of the mode that is learnt first (tau = 1.3)"
    assert legend.wrapped(words, 48).split("\n")[-1].split()[-3:] == ["(τ", "=", "1.3)"]


def test_labels_are_broken_between_words():
    """Where they are long, but not within a long word, around a sign, in a short bracket, or in a formula."""
    formula = r"the function $\beta{\left(h_1 \right)}$ of what is small"
    assert legend.wrapped(formula, 10) == formula
    assert broken("a much toolongwordforit here", 8) == ["a much", "toolongwordforit", "here"]
    assert broken("rate x = 1.5 here", 9) == ["rate", "x = 1.5", "here"]
    assert broken("of runs (in a fit) there", 12) == ["of runs", "(in a fit)", "there"]


def broken(label, width):
    """The lines of a label."""
    return legend.wrapped(label, width).replace("\N{NO-BREAK SPACE}", " ").split("\n")


def test_a_trend_shows_every_run():
    """A thin line for every run, dots for the median; a distribution shows dots of the samples."""
    rising = lambda x, seed: x + 0.1 * (seed % 7)  # noqa: E731
    (trend,) = confront("rising", 1.0, rising, {}, Trend((1.0, 2.0, 3.0)), {"none": 0.0}).panels
    each, median = trend.series
    assert each.role == "each" and np.shape(each.y)[0] > 20 and len(median.y) == 3
    verdict = confront("spread", lambda x: x, lambda n, seed: (np.arange(n) + 0.5) / n, {}, Distribution("x"), SQUARE)
    assert [s.role for s in verdict.panels[0].series] == ["band", "law", "rival", "run"]
    verdict.plot().canvas.draw()


def test_a_label_may_be_a_formula():
    """Greek letters in a formula are LaTeX's to set, those in words are written out, and both are drawn."""
    assert plain(r"lam in $\beta(\lambda)$") == r"λ in $\beta(\lambda)$"
    labels = dict(x="time of lam", y=r"$\beta{\left(h \right)}$")
    confront("Greek", line, stepping, at, Order(1), {"half": lambda x: x}, labels=labels).plot().canvas.draw()


def test_what_is_counted_is_not_interpolated():
    """Along whole numbers the law is marked at each, not drawn between them."""
    counted = dict(n=np.array([1, 2, 3, 5]))
    run = lambda rtol, seed: 1.7 * counted["n"] * (1 + rtol)  # noqa: E731
    panel = confront("counts", lambda n: 1.7 * n, run, counted, Solver(), {"half": lambda n: n}).panels[0]
    assert panel.counts and all(not s.joined for s in panel.series if s.role in ("law", "rival"))


def test_every_rival_has_a_look_of_its_own():
    """Up to thirty rivals differ in hue or dash, and in hue or mark; one rival looks the same in every panel."""
    assert len({look(i)[:2] for i in range(30)}) == len({look(i)[::2] for i in range(30)}) == 30  # lines and marks
    rivals = {f"rival {i}": (lambda x, i=i: (2 + i) * x) for i in range(3)}
    verdict = confront("looks", line, stepping, at, Order(1), rivals)
    axes = verdict.plot().axes
    name = lambda entry: str(entry.get_label()).partition(" (")[0]  # noqa: E731
    hues = [{name(entry): entry.get_color() for entry in panel.get_lines()} for panel in axes]
    assert len({hues[0][name] for name in rivals}) == 3
    assert all(hues[0][name] == hues[1][name] for name in rivals)


def names_of(axes):
    """What the legend says, without its line ends."""
    return [" ".join(text.get_text().split()) for text in axes.get_legend().get_texts()]


def test_every_rival_is_drawn():
    """However many rivals there are, each is in the picture."""
    rivals = {f"rival {i}": (lambda x, i=i: (2 + 0.1 * i) * x) for i in range(12)}
    drawn = confront("many", line, stepping, at, Order(1), rivals).panels[0]
    assert {s.label for s in drawn.series if s.role == "rival"} == set(rivals)


def test_a_family_of_curves_says_what_leaves_the_scale():
    """Of several curves of one name it is said that one leaves the scale, whichever it is."""
    axes = np.array([[1.0], [2.0]]) * line(at["x"])
    run = lambda rtol, seed: axes * (1 + rtol)  # noqa: E731
    two = lambda x: np.stack([line(x), 2 * line(x)])  # noqa: E731
    rivals = {"the second far": lambda x: np.stack([line(x) / 2, 90 + line(x)])}
    figure = confront("family", two, run, at, Solver(), rivals).plot()
    assert "the second far (partly off the scale)" in names_of(figure.axes[0])


def test_data_look_like_no_rival():
    """Data of several kinds in a further panel have no colour of a rival's, and a rival keeps its own."""
    kinds = [Series("rival", [1, 2], [k, k + 1.0], f"kind {k}") for k in range(7)]
    picture = Panel("width", "weight", (*kinds, Series("rival", [1, 2], [3.0, 0.0], "half")))
    figure = confront("kinds", line, stepping, at, Order(1), {"half": lambda x: x}, picture=picture).plot()
    found = {entry.get_label(): entry.get_color() for entry in figure.axes[-1].get_lines()}
    assert found.pop("half") == look(0)[0] and len(set(found.values())) == 7
    assert not set(found.values()) & set(drawing.HUES)


def test_no_mark_is_cut():
    """Marks at the ends of an axis lie within it as a whole, on a linear axis and on a logarithmic one."""
    ends = Series("run", [1e-3, 1.0], [0.0, 1.0], "ends", joined=False)
    for log in ("", "x"):
        picture = Panel("width", "weight", (ends,), log)
        verdict = confront("cut", line, stepping, at, Order(1), {"half": lambda x: x}, picture=picture)
        axes = verdict.plot().axes[-1]
        place = axes.transData.transform([[1e-3, 0.0], [1.0, 1.0]])
        box = axes.bbox
        assert np.all(place > [box.x0 + 4, box.y0 + 4]) and np.all(place < [box.x1 - 4, box.y1 - 4])


def test_indices_are_lowered():
    """An index is lowered and a power raised in a label as on the page; a name of code is left alone."""
    assert legend.wrapped("w_d e^(-t/tau) of sum_i x_i by learning_time", 90) == (
        r"$w_{\mathrm{d}}$ e$^{-t/τ}$ of $Σ_{\mathrm{i}}$ $x_{\mathrm{i}}$ by learning_time"
    )
    confront("w_d", line, stepping, at, Order(1), {"s_min^2/2": lambda x: x}, labels=dict(y="W_e")).plot().canvas.draw()


def test_what_is_0_throughout_is_drawn():
    """A panel on which everything is 0 has room above and below it."""
    lines = tuple(Series(role, [0.0, 1.0], [0.0, 0.0], role) for role in ("law", "run"))
    figure = drawing.figure((Panel("noise", "dead units", lines),), ())
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < high


def test_the_spread_of_a_line_has_its_hue():
    """Bars that follow a line without a name of their own are the line's; those with a name are in ink."""
    x, low, high = [0.0, 1.0], [0.0, 1.0], [2.0, 3.0]
    lines = [Series(*one) for name in ("start", "end") for one in
             (("rival", x, [1.0, 2.0], name), ("run", x, [1.0, 2.0], "_nolegend_", low, high))]  # fmt: skip
    axes = drawing.figure((Panel("noise", "units", (*lines, Series("run", x, x, "runs", low, high))),)).axes[0]
    hues = {line.get_label(): line.get_color() for line in axes.get_lines() if not line.get_label().startswith("_")}
    bars = [to_hex(found.lines[2][0].get_color()[0]) for found in axes.containers]
    assert bars == [hues["start"], hues["end"], drawing.INK] and bars[0] != bars[1]
