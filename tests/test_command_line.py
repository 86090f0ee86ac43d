"""The command line lists, shows, draws, evaluates, trains, reports and compares; errors are codes and clear lines."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import sympy as sp

from laws import Law, Source, plot
from laws.__main__ import every_law, main
from theory.chain import half_time_2, two_layers

COIN = """
import numpy as np
from laws import Mean, confront

def test_coin():
    toss = lambda n, seed: np.random.default_rng(seed).integers(0, 2, n).astype(float)
    confront("a coin is fair", 0.5, toss, {}, Mean(0.1, bounds=(0, 1)), {"loaded": 0.7})
"""
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
    assert " ≃ " in (asymptotic := capsys.readouterr().out) and "residuals of order a₀^(1 - 2/D)" in asymptotic
    assert main(["show", "chain.half_time_2", "--latex"]) == 0
    assert r"\lambda" in capsys.readouterr().out


def test_every_law_is_shown(capsys):
    """Each law that is listed is shown, with hypotheses and up to which order it holds, where it is a limit."""
    for name, law in every_law().items():
        assert main(["show", name]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(name) and "\ngiven " in shown and ("\nup to " in shown) == bool(law.upto)


def test_eval(capsys):
    """Values in float64, to right digits, for every combination, as a table or csv."""
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
        (["plot", "two_layers", "t=-1:3:5"], "t = -1.0 violates t >= 0"),
        (["plot", "two_layers", "t=0:1:5", "a0=0.1:1:5"], "t and a0 are ranges: sweep one symbol"),
        (
            ["plot", "two_layers", "t=0:1:5", "a0=0.1,0.2,0.3,0.4", "s=1.7,2,3"],
            "12 lines, of a0 and s, are more than the 10",
        ),
        (["plot", "two_layers", "t=0:3:5", "b=3"], "unknown b; its arguments are a0, lam, s, t, tau"),
        (["plot", "two_layers", "t=2", *POINT], "every symbol has one value; sweep one, as in a0=first:last:count"),
        (["plot", "two_layers", "--out", "law.gif"], "out = 'law.gif' must end in .png, .svg or .pdf"),
        (["plot", "two_layers", "t=0:3:5", "--log", "x"], "t = '0:3:5': a logarithmic axis needs positive values"),
        (["run", "noise", "--sigmas", "0.3", "-1"], "sigmas = -1.0"),
        (["run", "rnn", "--networks", "0"], "networks = 0"),
        (["run", "rnn", "--steps", "30"], "steps = 30 is no whole number of epochs of 25"),
        (["run", "rnn", "--threshold", "0"], "threshold = 0.0"),
        (["run", "corridor", "--hidden", "0"], "hidden = 0"),
        (["report", "nowhere"], "there is no nowhere"),
        (["diff", "absent.json", "absent.json"], "absent.json"),
    ],
)
def test_wrong_requests(command, says, capsys, tmp_path, monkeypatch):
    """A wrong request gives exit code 2 and one line that says what is wrong."""
    monkeypatch.chdir(tmp_path)  # one that is not refused would leave its results where it stands
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
    barely = verdicts(tmp_path / "barely.json", figure=0.6)
    assert main(["diff", barely, verdicts(tmp_path / "new.json", figure=0.9)]) == 0
    assert "shrinks  a-claim: the law: 1.67 -> 1.11" in capsys.readouterr().out
    (tmp_path / "none.json").write_text("{}")
    assert main(["diff", old, str(tmp_path / "none.json")]) == 2
    (tmp_path / "older.json").write_text(json.dumps({"schema": 1, "verdicts": [dict(id="a-claim")]}))
    assert main(["diff", old, str(tmp_path / "older.json")]) == 2
    assert "it lacks holds" in capsys.readouterr().err


def test_plot(tmp_path, monkeypatch, capsys):
    """A law is drawn over a range, a line for each listed value; what is not given is as in its examples, and said."""
    monkeypatch.chdir(tmp_path)
    assert main(["plot", "two_layers", "t=0:6:25", "a0=0.01,0.1,1"]) == 0
    said = capsys.readouterr().out
    assert (
        "theory.chain.two_layers over t: two_layers.png" in said and "as in its examples: lam=0.6 s=1.7 tau=1.3" in said
    )
    assert (tmp_path / "two_layers.png").read_bytes()[1:4] == b"PNG"
    assert main(["plot", "half_time_2", "--out", "half.svg", "--log", "x"]) == 0
    assert "<svg" in (tmp_path / "half.svg").read_text()


def test_curves_are_the_law():
    """Lines are the law itself, their labels what they differ in; without a range they go as far as the examples."""
    at, swept = plot.filled(two_layers, {"a0": [0.1, 1.0]})
    assert swept == "t" and len(at["s"]) == 1
    assert (at["t"][0], at["t"][-1]) == tuple(f([e["t"] for e in two_layers.examples]) for f in (min, max))
    lower, upper = plot.curves(two_layers, at, "t")
    rest = {name: at[name][0] for name in ("s", "lam", "tau")}
    np.testing.assert_array_equal(upper.y, two_layers(t=at["t"], a0=1.0, **rest))
    assert "0.1" in lower.label and "1" in upper.label and not lower.lost.any()
    swept, values = plot.usual_range(half_time_2, {})
    assert len(values) > 2 and half_time_2(
        **{**{k: float(v) for k, v in half_time_2.examples[0].items()}, swept: values[3]}
    )


def test_where_float64_fails_the_figure_says_so():
    """Where rounding would show, the line has exact values, and the condition number is named."""
    x, k = sp.symbols("x k", real=True)
    wave = Law(
        sp.Symbol("y"), sp.sin(k * x), lambda y: (y - sp.sin(k * x),), (x > 0,), Source("me", ""), (dict(x=1, k=2),)
    )
    at = {"x": [3.0, 3e15, 3e17], "k": [2.7]}
    (curve,) = plot.curves(wave, at, "x")
    assert list(curve.lost) == [False, True, True]
    exact = [float(wave.exact(20, x=v, k=2.7)) for v in at["x"]]
    assert list(curve.y[1:]) == exact[1:]
    assert abs(curve.y[0] - exact[0]) <= np.finfo(float).eps * abs(exact[0]) * (1 + wave.condition(x=3.0, k=2.7))
    (axes,) = plot.figure(wave, at, "x", "x").axes
    assert any("condition number up to" in str(patch.get_label()) for patch in axes.patches)
    (near,) = plot.curves(two_layers, {"t": [0.3, 3.0], "s": [1.7], "lam": [0.6], "a0": [0.1], "tau": [1.3]}, "t")
    assert not near.lost.any()


def test_run_rnn_goes_on(tmp_path, capsys):
    """Networks are trained, stored one by one, drawn, and found the next time; a larger order trains only the rest."""
    command = ["run", "rnn", "--units", "6", "--steps", "25", "--folder", str(tmp_path / "rnn"), "--workers", "1"]
    assert main([*command, "--networks", "1"]) == 0
    assert "1 runs made, 0 found" in capsys.readouterr().out
    assert main([*command, "--networks", "2"]) == 0
    said = capsys.readouterr().out
    assert "1 runs made, 1 found" in said and "0 of 2 learnt the task, in 25 steps" in said
    assert sorted(path.suffix for path in (tmp_path / "rnn").iterdir()) == [".npz", ".npz", ".png", ".png"]


def test_run_noise_and_corridor(tmp_path, capsys):
    """Autoencoders and corridors are trained, kept with their figures, and not trained again."""
    noise = [
        "run",
        "noise",
        "--sigmas",
        "0.5",
        "2",
        "--networks",
        "2",
        "--steps",
        "20",
        "--units",
        "50",
        "--workers",
        "1",
    ]
    for made, found in ((2, 0), (0, 2)):
        assert main([*noise, "--folder", str(tmp_path / "noise")]) == 0
        assert f"{made} runs made, {found} found" in capsys.readouterr().out
    corridor = ["run", "corridor", "--steps", "20", "--hidden", "8", "--samples", "30", "--records", "3"]
    assert main([*corridor, "--folder", str(tmp_path / "corridor")]) == 0
    assert "medians of one network" in capsys.readouterr().out
    for figure in ("noise/codes.png", "corridor/figure.png"):
        assert (tmp_path / figure).stat().st_size > 10_000


def test_ctrl_c_leaves_what_is_stored(tmp_path):
    """A run that is stopped ends with code 130 and a line, and its checkpoint stays."""
    arguments = ["run", "corridor", "--hidden", "20", "--samples", "40", "--seconds", "0", "--folder", str(tmp_path)]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what runs in the background is deaf to it
    command = [sys.executable, "-m", "laws", *arguments]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    while not (tmp_path / "checkpoint.npz").exists() and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "what was stored stays" in said
    assert "theta" in np.load(tmp_path / "checkpoint.npz")


def test_report(tmp_path, monkeypatch, capsys):
    """Tests of anybody's are run and reported; where one fails the code is 1, where there are none 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_mine.py").write_text(COIN)
    assert main(["report", "test_mine.py", "--folder", "out"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"index.html", "verdicts.json"}
    for ended, code in ((pytest.ExitCode.TESTS_FAILED, 1), (pytest.ExitCode.NO_TESTS_COLLECTED, 2), (130, 130)):
        monkeypatch.setattr("laws.__main__._finished", lambda command, ended=ended: int(ended))
        assert main(["report", "test_mine.py"]) == code
    monkeypatch.setattr("laws.__main__.__file__", str(tmp_path / "laws" / "__main__.py"))
    assert main(["report"]) == 2
    assert "has no folder `validate`: name your own tests" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["--help"], ["list", "show", "eval", "plot", "run", "report", "diff"]),
        (["run", "--help"], ["corridor", "sweep", "rnn", "noise"]),
        (["run", "corridor", "--help"], ["standard deviation of the update noise", "(default: 1000000)"]),
        (["run", "sweep", "--help"], ["as many as there are cores", "(default: generality)"]),
        (["run", "noise", "--help"], ["standard deviations of the Gaussian noise", "(default: 0.005)"]),
        (["--tyro-print-completion", "bash"], ["corridor", "--digits", "--sigmas"]),
    ],
)
def test_help_and_completion(command, says, capsys):
    """Help names every command; a shell can complete them all."""
    with pytest.raises(SystemExit) as ended:
        main(command)
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert not ended.value.code and all(word in shown for word in says)


MEASURED = ("in units of", "own unit", "standard deviation", "step size", "mean squared error", "of clock time")


@pytest.mark.parametrize("what", ["corridor", "sweep", "rnn", "noise"])
def test_help_names_units_and_defaults(what, capsys):
    """Every option of a run says what it is by default, and every real number what it is measured in."""
    with pytest.raises(SystemExit):
        main(["run", what, "--help"])
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    options = re.split(r" --(?=[a-z]+[ ,])", shown)[1:]
    of = {option.split()[0]: option for option in options if not option.startswith("no-")}
    assert len(of) >= 9 and all("(default:" in text for name, text in of.items() if name not in ("help", "cost,"))
    reals = {name: text for name, text in of.items() if "FLOAT" in text}
    assert all(any(word in text for word in MEASURED) for text in reals.values()), reals
