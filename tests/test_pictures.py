"""A verdict is drawn at a scale where law and rivals differ, and every rival looks like itself alone."""

import numpy as np

from laws import Mean, Order, Solver, confront
from laws.judges.drawing import DASHES, HUES, LOWEST, MARKS
from laws.typeset import plain

at = dict(x=np.array([0.5, 1.0, 2.0, 4.0]))


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


def test_numbers_in_no_order_are_predicted_against_measured():
    """Without an argument that orders them, values are dots at what was measured, never joined by lines."""
    numbers = dict(u=np.array([2.0, 1.0, 3.0]), v=np.array([0.1, 0.7, 0.4]))
    run = lambda rtol, seed: numbers["u"] * numbers["v"] * (1 + rtol)  # noqa: E731
    rivals = {"sum": lambda u, v: u + v}
    verdict = confront("parity", lambda u, v: u * v, run, numbers, Solver(), rivals, labels=dict(y="area"))
    values, distances = verdict.panels
    assert (values.x, values.y, distances.x) == ("measured: area", "predicted: area", "measured: area")
    assert all(not s.joined for panel in verdict.panels for s in panel.series if s.role == "rival")


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
    """Up to thirty rivals differ in hue, dash or mark; one rival looks the same in every panel."""
    looks = {(HUES[i % 6], DASHES[(i + i // 6) % 6], MARKS[(i + i // 6) % 6]) for i in range(30)}
    assert len(looks) == 30
    rivals = {f"rival {i}": (lambda x, i=i: (2 + i) * x) for i in range(3)}
    verdict = confront("looks", line, stepping, at, Order(1), rivals)
    axes = verdict.plot().axes
    hues = [{str(entry.get_label()): entry.get_color() for entry in panel.get_lines()} for panel in axes]
    assert len({hues[0][name] for name in rivals}) == 3
    assert all(hues[0][name] == hues[1][name] for name in rivals)
