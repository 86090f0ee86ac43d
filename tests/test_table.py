"""Data in hand are read whole, or refused by line and column, and stand before a judge of samples."""

import numpy as np
import pytest

from laws import Equivalent, Mean, Noise, Order, confront
from laws.table import read, replicates

TABLE = "run, t, loss\n1, 0.5, 0.7\n1, 1.5, 0.3\n2, 1.5, 0.4\n2, 0.5, 0.8\n\n,,\n"


def test_a_table_is_read_by_its_names(tmp_path):
    """Columns come by name, all or those asked for; replicates row by row at rising places."""
    path = tmp_path / "runs.csv"
    path.write_text(TABLE)
    table = read(path)
    assert list(table) == ["run", "t", "loss"] and list(read(path, "loss")) == ["loss"]
    t, loss = replicates(table, "loss", at="t", of="run")
    assert t.tolist() == [0.5, 1.5] and loss.tolist() == [[0.7, 0.3], [0.8, 0.4]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("1, 1.5, 0.3", "1, 1.5"), r"runs.csv, line 3: 2 cells for 3 columns \(run, t, loss\)"),
        (("2, 1.5, 0.4", "2, 1.5, 0.4, 7"), "line 4: 4 cells for 3 columns"),
        (("0.4", "nan"), "line 4, column loss: 'nan' is no finite number"),
        (("0.4", "low"), "line 4, column loss: 'low' is no finite number"),
        (("2, 1.5", "\n2, 1.5"), "line 4: is blank"),
        ((", 0.3\n", ", 0.3\n,,\n"), "line 4: is blank"),
        (("2, 0.5", "2, "), "line 5, column t: is empty"),
        (("run, t, loss", "run, t, t"), "must name every column, each by another name"),
        (("run, t, loss", "run, , loss"), "must name every column"),
        (("run, t, loss\n", ""), "its first line, 1, 0.5, 0.7, must name"),
        (("loss", "error"), "no column loss; there are run, t, error"),
        ((TABLE, "run, t, loss\n"), "at least one of numbers"),
    ],
)
def test_a_table_with_a_hole_is_refused(tmp_path, change, says):
    """What is ragged, empty, no number, or not there is named with its line and column."""
    path = tmp_path / "runs.csv"
    path.write_text(TABLE.replace(*change))
    with pytest.raises(ValueError, match=says):
        read(path, "run", "t", "loss")


def test_a_blank_in_one_column_is_a_hole(tmp_path):
    """A blank line of a single column may be a number that is lacking: it is refused, but for the file's end."""
    path = tmp_path / "loss.csv"
    path.write_text("loss\n1\n\n3\n\n")
    with pytest.raises(ValueError, match="loss.csv, line 3: is blank"):
        read(path)
    path.write_text("loss\n1\n3\n\n")
    assert read(path)["loss"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (dict(run=[1, 1, 2], t=[1, 2, 1], loss=[0, 0, 0]), "run = 2 lacks t = 2; every run needs every t once"),
        (dict(run=[1, 1, 2], t=[1, 1, 1], loss=[0, 0, 0]), "run = 1 has 2 times t = 1"),
        (dict(run=[1, 1], t=[1, 2], loss=[0, 0, 0]), r"of one length: loss \(3,\), t \(2,\), run \(2,\)"),
        (dict(run=[1, 1], t=[1, 2]), "no column loss; there are run, t"),
        (dict(run=[1, 2], t=[1, 1], loss=[0, np.nan]), "column loss: nan in row 1"),
    ],
)
def test_replicates_that_are_not_whole_are_refused(table, says):
    """A replicate that lacks a place, or has one twice, is named."""
    with pytest.raises(ValueError, match=says):
        replicates(table, "loss", at="t", of="run")


def test_data_in_hand_stand_for_a_run():
    """An array is judged as samples: too few are refused, and judges that draw runs cannot be given it."""
    data = np.random.default_rng(3).uniform(0, 1, (4000, 2))
    at = dict(x=np.array([1.0, 2.0]))
    judge = Mean(0.2, bounds=(0, 1), points=2)
    assert confront("halves", lambda x: 0 * x + 0.5, data, at, judge, {"more": 0.8}).holds
    with pytest.raises(ValueError, match="30 samples cannot resolve 0.2; .* would do"):
        confront("few", lambda x: 0 * x + 0.5, data[:30], at, judge, {"more": 0.8})
    for other in (Order(1), Equivalent(0.1)):
        with pytest.raises(
            TypeError, match="data in hand serve the judges Distribution, Mean, Noise; .* needs a function"
        ):
            confront("other", 0.5, data, at, other, {"more": 0.8})
    with pytest.raises(ValueError, match="the data gave 1 values that are not finite, the first at index 2, 1"):
        confront("hole", 0.5, np.where(np.arange(8).reshape(4, 2) == 5, np.nan, 0.5), at, judge)
    with pytest.raises(ValueError, match="the data gave no array"):
        confront("ragged", 0.5, [[1.0, 2.0], [1.0]], at, Noise(0.1))
