"""The command line lists, shows, evaluates and compares; wrong requests end with code 2 and a clear line."""

import csv
import io
import json

import pytest

from laws.__main__ import main

POINT = ("s=1.7", "lam=0.6", "a0=0.1", "tau=1.3")


def test_list(capsys):
    """Every law is listed with its source, and as csv with formula and hypotheses."""
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "theory.chain.two_layers" in shown and "saxe-slides, Deep (D=2)" in shown
    assert main(["list", "chain.half_time", "--csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["name", "statement", "given", "source"] and len(rows) == 4


def test_show(capsys):
    """One law is shown as a formula, with hypotheses, source and a line to try, which works."""
    assert main(["show", "half_time_2"]) == 0
    shown = capsys.readouterr().out
    assert "λ" in shown and "τ > 0" in shown and "derived here" in shown
    assert main(shown.partition("try")[2].split()[1:]) == 0
    assert main(["show", "small_start_time"]) == 0
    assert " ≃ " in (asymptotic := capsys.readouterr().out) and "residuals of order a0^(1 - 2/D)" in asymptotic
    assert main(["show", "chain.half_time_2", "--latex"]) == 0
    assert r"\lambda" in capsys.readouterr().out


def test_eval(capsys):
    """Values in float64, to right digits, for every combination, as a table or csv."""
    from theory.chain import two_layers

    assert main(["eval", "two_layers", "t=0.4,1.2", *POINT]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 3 and rows[1].split()[-1] == str(two_layers(t=0.4, s=1.7, lam=0.6, a0=0.1, tau=1.3))
    assert main(["eval", "two_layers", "t=1.2", *POINT, "--digits", "40", "--csv"]) == 0
    assert "1.296788526358617484435894357304006536449" in capsys.readouterr().out
    assert main(["eval", "two_layers", "t=0:1.2:4,2", *POINT, "--csv"]) == 0
    shown = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["t"] for row in shown] == ["0", "0.4", "0.8", "1.2", "2"]
    assert shown[1]["a(t)"] == str(two_layers(t=0.4, s=1.7, lam=0.6, a0=0.1, tau=1.3))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["show", "three_layers"], "there is no law 'three_layers'"),
        (["show", "layers"], "near: theory.chain.two_layers"),
        (["list", "nothing"], "no law's name contains 'nothing'"),
        (["eval", "two_layers", "t"], "'t' is not of the form"),
        (["eval", "two_layers", "t=now", *POINT], "t = 'now' is not a number"),
        (["eval", "two_layers", "t=0:1", *POINT], "t = '0:1' is not of the form first:last:count"),
        (["eval", "two_layers", "t=0:1:1", *POINT], "with a count of at least 2"),
        (["eval", "two_layers", *POINT], "missing t"),
        (["eval", "two_layers", "t=0.4", "t=0.5", *POINT], "t is given twice"),
        (["eval", "two_layers", "t=-1", *POINT], "t = -1.0 violates t >= 0"),
        (["diff", "absent.json", "absent.json"], "absent.json"),
    ],
)
def test_wrong_requests(command, says, capsys):
    """A wrong request gives exit code 2 and one line that says what is wrong."""
    assert main(command) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1


def verdicts(path, **factors):
    """A record of one claim, as the report writes it."""
    claim = dict(
        id="a-claim", holds=True, says="order 1", figure=0.1, threshold=1.0, rivals={"misprint": 100.0}, unseen=[]
    )
    path.write_text(json.dumps({"schema": 1, "verdicts": [{**claim, **factors}]}))
    return str(path)


def test_diff(tmp_path, capsys):
    """Margins that shrink are shown, failures and losses make the exit code 1."""
    old = verdicts(tmp_path / "old.json")
    for change, code, says in (
        ({}, 0, "no claim fails"),
        (dict(rivals={"misprint": 8.0}), 0, "shrinks  a-claim: rival 'misprint': 100 -> 8"),
        (dict(figure=0.5), 0, "shrinks  a-claim: the law: 10 -> 2"),
        (dict(figure=0.2), 0, "no claim fails"),
        (dict(holds=False), 1, "FAILS    a-claim: order 1"),
        (dict(rivals={}), 1, "GONE     a-claim: rival 'misprint'"),
        (dict(id="another"), 1, "GONE     a-claim"),
        (dict(unseen=["2 -> 3"]), 0, "shrinks  a-claim: no longer sees the mutant 2 -> 3"),
        (dict(threshold=0.0), 0, "shrinks  a-claim: the law"),
    ):
        assert main(["diff", old, verdicts(tmp_path / "new.json", **change)]) == code
        assert says in capsys.readouterr().out
    (tmp_path / "none.json").write_text("{}")
    assert main(["diff", old, str(tmp_path / "none.json")]) == 2
    (tmp_path / "older.json").write_text(json.dumps({"schema": 1, "verdicts": [dict(id="a-claim")]}))
    assert main(["diff", old, str(tmp_path / "older.json")]) == 2
    assert "it lacks holds" in capsys.readouterr().err
