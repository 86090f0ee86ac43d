"""The command line hands on what it was asked, and prints and draws what it found, to the letter."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import laws
from laws import Law, Source, plot
from laws.__main__ import _finished, main
from theory.chain import half_time_2, two_layers

EPS = np.finfo(float).eps
POINT = ("s=1.7", "lam=0.6", "a0=0.1", "tau=1.3")


def asked(monkeypatch, *command, code=0):
    """The command that a request for a report runs, and the exit code that comes of one."""
    heard = []
    monkeypatch.setattr("laws.__main__._finished", lambda command: heard.append(command) or code)
    ended = main(["report", *command])
    return ended, heard


def test_a_report_is_pytest_with_a_folder(monkeypatch, tmp_path):
    """Without names those of this checkout; long tests and processes only where asked; other codes are 2."""
    monkeypatch.chdir(tmp_path)
    Path("test_mine.py").write_text("")
    usual = [sys.executable, "-m", "pytest"]
    home = Path(laws.__file__).parent.parent
    own = [str(home / folder) for folder in ("validate", "paper_checks")]
    assert asked(monkeypatch) == (0, [[*usual, *own, f"--report-dir={tmp_path / 'report'}"]])
    some = ("test_mine.py::test_a", "--folder", "out", "--full", "--workers", "1")
    told = [*usual, "test_mine.py::test_a", f"--report-dir={tmp_path / 'out'}", "--full", "-n", "1"]
    assert asked(monkeypatch, *some) == (0, [told])
    codes = {code: asked(monkeypatch, "test_mine.py", code=code)[0] for code in (0, 1, 2, 3, 4, 5, 130)}
    assert codes == {0: 0, 1: 1, 2: 2, 3: 2, 4: 2, 5: 2, 130: 130}


def test_a_report_that_cannot_be_is_refused(monkeypatch, tmp_path, capsys):
    """Each name that does not exist is told, and a number of processes below 0."""
    monkeypatch.chdir(tmp_path)
    Path("test_mine.py").write_text("")
    for command, says in (
        (("here", "test_mine.py", "there"), "there is no here and no there"),
        (("test_mine.py", "--workers", "-1"), "workers = -1 is negative"),
    ):
        assert asked(monkeypatch, *command) == (2, [])
        assert capsys.readouterr().err == f"laws: {says}\n"


def test_a_command_is_waited_for(monkeypatch):
    """Its exit code is ours; stopped by Ctrl-C, it has the time to end, and the code is 130."""
    assert _finished([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    waited = []

    class Stopped:
        def __init__(self, command):
            self.command = command

        def wait(self):
            waited.append(self.command)
            if len(waited) == 1:
                raise KeyboardInterrupt
            return 0

    monkeypatch.setattr(subprocess, "Popen", Stopped)
    assert _finished(["so"]) == 130 and waited == [["so"], ["so"]]


def test_a_sweep_is_handed_on(monkeypatch):
    """With every option by its name, and none that was not given; seeds, size, folder and shard have their defaults."""
    heard = []
    monkeypatch.setattr("numerics.generality.__main__.main", lambda given: heard.append(given) or 0)
    assert main(["run", "sweep"]) == 0
    options = "size full networks 3 steps 7 seed 2 folder here workers 4 shard 2/3 dask host slurm 5".split()
    assert main(["run", "sweep", "--cost", *(f"--{w}" if i % 2 == 0 else w for i, w in enumerate(options))]) == 0
    assert heard == [
        ["--size=quick", "--seed=1", "--folder=generality", "--shard=1/1"],
        [*(f"--{name}={value}" for name, value in zip(options[::2], options[1::2], strict=True)), "--cost"],
    ]


def test_a_law_is_shown_line_by_line(capsys):
    """Name, equation, hypotheses, source and a line to try; what is asymptotic is so once, and says to which order."""
    assert main(["show", "half_time_2"]) == 0
    name, formula, rest = capsys.readouterr().out.split("\n\n")
    assert name == "theory.chain.half_time_2" and "t_half = " in formula and "≃" not in formula
    assert rest.splitlines() == [
        "given    τ > 0, λ > 0, s > 0, 2⋅a₀⋅λ < s, a₀ > 0",
        "source   derived here, from the two-layer trajectory",
        "try      laws eval theory.chain.half_time_2 a0=0.1 lam=0.6 s=1.7 tau=1.3",
    ]
    assert main(["show", "small_start_time"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("≃") == 1 and "⎟ ≃ ──" in shown and "\nup to    residuals of order a₀^(1 - 2/D)\n" in shown
    assert main(["show", "chain.learning_time"]) == 0  # longer than a line
    assert max(map(len, capsys.readouterr().out.splitlines())) > 100


def test_laws_are_listed_line_by_line(capsys):
    """Names and sources in two columns; as csv with statement and hypotheses, a line each."""
    assert main(["list", "chain.half_time"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "theory.chain.half_time_1         derived here, from the shallow trajectory",
        "theory.chain.half_time_2         derived here, from the two-layer trajectory",
        "theory.chain.half_time_infinite  derived here, from the infinitely deep trajectory",
    ]
    assert main(["list", "chain.half_time_1", "--csv"]) == 0
    heading, row = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert heading == "name,statement,given,source"
    assert row == (
        "theory.chain.half_time_1,t_half = tau*log((-2*a0*lam + 2*s)/s)/lam,"
        '"tau > 0, lam > 0, s > 0, 2*a0*lam < s","derived here, from the shallow trajectory"'
    )


def test_values_are_given_as_they_were_listed(capsys):
    """In float64 unless digits are asked for; a range has both ends, and two values are enough."""
    assert main(["eval", "two_layers", "t=0:1:2", *POINT]) == 0
    heading, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heading == ["a0", "lam", "s", "t", "tau", "a(t)"]
    assert rows == [
        ["0.1", "0.6", "1.7", t, "1.3", str(two_layers(t=float(t), s=1.7, lam=0.6, a0=0.1, tau=1.3))] for t in "01"
    ]
    form, three = "name=value, name=value,value or name=first:last:count", "first:last:count with a count of at least 2"
    for wrong, says in (
        ("=1", f"'=1' is not of the form {form}"),
        ("t=", f"'t=' is not of the form {form}"),
        ("t=0:1:3:4", f"t = '0:1:3:4' is not of the form {three}"),
        ("t=0:1", f"t = '0:1' is not of the form {three}"),
        ("t=0:1:x", f"t = '0:1:x' is not of the form {three}"),
        ("t=0:b:3", "t = '0:b:3': t = 'b' is not a number"),
    ):
        assert main(["eval", "two_layers", wrong, *POINT]) == 2
        assert capsys.readouterr().err == f"laws: {says}\n"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_figure_is_drawn_on_the_axes_that_were_asked(suffix, monkeypatch, tmp_path):
    """On any of three kinds of paper, linear unless asked; a range along a logarithmic x is one of equal ratios."""
    monkeypatch.chdir(tmp_path)
    drawn, figure = [], plot.figure
    monkeypatch.setattr(plot, "figure", lambda *given: drawn.append(given) or figure(*given))
    assert main(["plot", "two_layers", "t=1:4:3", "--out", f"law.{suffix}"]) == 0
    assert main(["plot", "two_layers", "t=1:4:3", "--out", f"law.{suffix}", "--log", "xy"]) == 0
    assert main(["plot", "half_time_2", "--out", f"law.{suffix}", "--log", "x"]) == 0
    assert Path(f"law.{suffix}").stat().st_size > 0
    (_, linear, swept, axes), (_, ratios, _, both), (_, free, usual, _) = drawn
    assert (swept, axes, both, usual) == ("t", "", "xy", "a0")
    assert linear["t"] == [1.0, 2.5, 4.0] and ratios["t"] == [1.0, 2.0, 4.0]
    np.testing.assert_allclose(free["a0"], np.geomspace(free["a0"][0], free["a0"][-1], 121), rtol=121 * EPS)


@pytest.mark.parametrize("ends", ["0:1:3", "-1:1:3", "1:0:3"])
def test_a_logarithmic_axis_needs_positive_values(ends, capsys):
    """Both ends of a range are above 0; what is below 1 is positive too."""
    assert main(["plot", "two_layers", f"t={ends}", "--log", "x"]) == 2
    assert f"t = '{ends}': a logarithmic axis needs positive values" in capsys.readouterr().err


def wave():
    """A law of two symbols."""
    x, k = sp.symbols("x k", real=True)
    return Law(
        sp.Symbol("y"), sp.sin(k * x), lambda y: (y,), (x > 0,), Source("me", ""), (dict(x=1, k=2), dict(x=1, k=3))
    )


def test_a_range_that_nobody_chose_is_that_of_the_examples():
    """Of the symbol that varies most, from its least value to its largest; of one value from half to twice of it."""
    swept, values = plot.usual_range(wave(), {})
    assert (swept, len(values), values[0], values[-1]) == ("k", 121, 2.0, 3.0)
    swept, values = plot.usual_range(wave(), {"k": [2.0]})
    assert (swept, values[0], values[-1]) == ("x", 0.5, 2.0)
    np.testing.assert_allclose(values, np.linspace(0.5, 2, 121), rtol=8 * EPS)
    swept, values = plot.usual_range(wave(), {"k": [2.0]}, "x")
    np.testing.assert_allclose(values, np.geomspace(0.5, 2, 121), rtol=8 * EPS)
    assert plot.usual_range(two_layers, {})[0] == "t"  # it is an argument of a(t)
    swept, values = plot.usual_range(half_time_2, {"lam": [1.7]})
    assert swept == "a0" and values[-1] < 0.5 < values[-1] + np.diff(values)[0]  # where it is beyond half of s/lam


def test_a_figure_names_what_it_shows():
    """Title, labels and legend tell what is fixed, what is swept and what differs; one line alone has no legend."""
    at = {"x": [0.5, 1.0, 1.5], "k": [2.0]}
    one = plot.figure(wave(), at, "x")
    (axes,) = one.axes
    assert axes.get_title() == f"{wave().name}: $k$ = 2" and axes.get_xlabel() == "$x$" and axes.get_ylabel() == "$y$"
    assert len(axes.lines) == 1 and not one.legends and axes.get_xscale() == axes.get_yscale() == "linear"
    two = plot.figure(wave(), at | {"k": [1.0, 1.5]}, "x", "y")
    (axes,) = two.axes
    assert [line.get_label() for line in axes.lines] == ["$k$ = 1", "$k$ = 1.5"] and axes.get_title() == wave().name
    assert axes.get_yscale() == "log" and axes.get_xscale() == "linear" and len(two.legends) == 1
    assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == 2
    for line, k in zip(axes.lines, (1.0, 1.5), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), np.sin(k * np.array(at["x"])))
    many = plot.figure(wave(), at | {"k": list(np.linspace(0.1, 1, 10))}, "x").axes[0]
    assert len({tuple(line.get_color()) for line in many.lines}) == 10
    with pytest.raises(ValueError, match="log = 'y': y is -0.* somewhere, which has no logarithm"):
        plot.figure(wave(), at | {"k": [3.0]}, "x", "y")
    with pytest.raises(ValueError, match="12 lines, of k and z, are more than the 10"):
        plot.curves(wave(), at | {"k": [1, 2, 3, 4.0], "z": [1, 2, 3.0]}, "x")
