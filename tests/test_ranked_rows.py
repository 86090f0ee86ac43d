"""What a ranking tells of each hypothesis is what its scores say, number by number."""

import time

import numpy as np
import pytest

from laws import rank
from laws.judges import absolute_error, ranking, squared_error, statistics
from laws.judges.confrontation import entropy, listeners
from laws.judges.seeding import seeds

rng = np.random.default_rng(0)
base, n = rng.random(60), 60
SCORES = {
    "tied": base + np.where(np.arange(n) % 2, 1.0, -0.9) * np.linspace(0.1, 1, n),
    "least": base,
    "rejected": base + np.linspace(0.01, 0.02, n),
}
FITTED = {"tied": {"k": 1.5}, "least": {}, "rejected": {}}
times = np.array([0.5, 1.0, 2.0])


def noisy(seed, size=0.02):
    """One run of twice the time."""
    return 2 * times + size * np.random.default_rng(seed).normal(size=3)


def ranked(what="Which?", score=absolute_error, **change):
    """Three lines ranked."""
    lines = {"two": lambda t: 2 * t, "four": lambda t: 4 * t, "one": lambda t: t}
    return rank(what, lines, noisy, dict(t=times), score=score, **change)


def test_every_number_of_a_row_is_that_of_its_scores():
    """The best has the least mean of those that none beats; the others what they have more, those rejected last."""
    least, tied, rejected = ranking._ranked(SCORES, FITTED, 1e-3)
    assert least == ranking.Ranked("least", np.mean(base), 0.0, 0.0, 0.0, 0.0, "best", {})
    for row, standing in ((tied, "tied"), (rejected, "rejected")):
        more = SCORES[row.name] - base
        low, high = statistics.median_interval(more, 1e-3)
        told = (standing, np.mean(SCORES[row.name]), np.median(more), low, high, np.mean(more > 0))
        assert (row.standing, row.score, row.more, row.low, row.high, row.worse) == told and row.name == standing
        assert row.fitted == FITTED[row.name]
    assert tied.score > rejected.score and 0.5 == tied.worse < rejected.worse == 1
    assert least.cells == ("least", f"{least.score:.4g}", "", "", "", "best", "")
    assert tied.cells[-3:] == ("50%", "tied", "k = 1.5")


def test_a_ranking_is_drawn_row_by_row():
    """The best at 0, the others at what they have more, with its interval; the score is named."""
    rows = ranking._ranked(SCORES, FITTED, 1e-3)
    (panel,) = ranking._panels(rows, absolute_error)
    best, tied, rejected = panel.series
    assert panel.x == "absolute error, more than that of the best in the same run" and panel.rows and panel.y == ""
    assert (best.role, best.x, best.y, best.label) == ("law", [0.0], [0.0], "least (best)")
    for series, row in ((tied, rows[1]), (rejected, rows[2])):
        assert (series.role, series.x, series.y) == ("run", [row.more], [0.0])
        assert (series.low, series.high, series.label) == ([row.low], [row.high], f"{row.name} ({row.standing})")
    (other,) = ranking._panels(rows, lambda p, o: 0.0)
    assert other.x.startswith("lambda, more")


def test_both_errors_are_shared_by_all_pairs():
    """Three hypotheses are three pairs, each with a third of both rates, and two ends of an interval."""
    found, first = ranked(), seeds(seeds(0, 1)[0], 1)[0]
    assert found.runs == statistics.votes(0.45, 1e-5 / 2 / 3, 1e-3 / 3)[0]
    runs = [noisy(s) for s in seeds(seeds(0, 1)[0], found.runs)]
    more = [absolute_error(4 * times, r) - absolute_error(2 * times, r) for r in runs]
    row = next(row for row in found.rows if row.name == "four")
    assert (row.low, row.high) == statistics.median_interval(np.array(more), 1e-5 / 2 / 3)
    says = f"best of 3 on {found.runs} held-out runs: two; none is tied; rejected: one, four"
    assert found.says == f"{says} (false alarm 1e-05; miss 0.001 of what is worse in 95% of runs)"
    assert (found.false_alarm, found.seed) == (1e-5, 0) and found.panels[0].x.startswith("absolute error")
    assert ranked(score=squared_error).says.startswith(found.says + ranking.SKEWED[:2])
    with pytest.raises(ValueError, match=rf"^run\({first}\) gave 3 values that are not finite"):
        rank("Which?", {"a": 1.0, "b": 2.0}, lambda seed: np.full(3, np.nan), {})


def test_a_ranking_is_heard_as_it_is_told():
    """With its question, its seed and its time; fresh seeds are of the question."""
    heard, begun = [], time.perf_counter()
    token = listeners.set((heard.append,))
    try:
        found = ranked(seed=7)
    finally:
        listeners.reset(token)
    (told,) = heard
    assert (told.what, told.says, told.seed) == ("Which?", found.says, 7) and found.seed == 7
    assert 0 < told.seconds < time.perf_counter() - begun and told.panels[0] == found.panels[0]
    token = entropy.set(5)
    try:
        one, two = (ranked(what).seed for what in ("one?", "two?"))
    finally:
        entropy.reset(token)
    assert one != two


def test_a_ranking_prints_as_a_table():
    """Columns begin below their headings, the question stands above and what follows below."""
    found = ranked()
    first, *lines, last = str(found).split("\n")
    assert first == "Which?" and last == f"  {found.says}" and len(lines) == 4
    heading = lines[0]
    for name, column in zip(found.lines[0], zip(*found.lines, strict=True), strict=True):
        place = heading.index(name) if name else 2
        assert all(line[place:].startswith(cell) for line, cell in zip(lines, column, strict=True))
    page = found._repr_html_()
    cells = "".join(f"<td>{cell}</td>" for cell in found.lines[1])
    head = "".join(f"<th>{cell}</th>" for cell in found.lines[0])
    assert f"<table><tr>{head}</tr><tr>{cells}</tr><tr>" in page


def test_a_score_is_a_distance():
    """Of the mean absolute or squared difference."""
    assert absolute_error(np.array([1.0, 2.0]), np.array([2.0, 0.0])) == 1.5
    assert squared_error(np.array([1.0, 2.0]), np.array([2.0, 0.0])) == 2.5


@pytest.mark.parametrize("setting", ["excess", "false_alarm", "miss"])
def test_a_rate_is_below_a_half(setting):
    """At a half a coin would do."""
    for value in (0.0, 0.5):
        with pytest.raises(ValueError, match=f"{setting} = {value} must be positive and below 0.5"):
            ranked(**{setting: value})
