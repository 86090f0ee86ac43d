"""What a stranger writes in a folder of his own, beside nothing else, gives the same report as the project's tests."""

import json
import re
import subprocess
import sys
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.md").read_text()
(GUIDE,) = re.findall(r"```python\n([^`]*?def sign_sgd.*?)```", readme, re.S)
WRONG = GUIDE.replace("return eta * c / 2 * (1", "return eta * c * (1").replace("settles", "settles at twice that")

TABLE = '''
import numpy as np, sympy as sp
from laws import Noise, Problem, confront
from laws.table import read, replicates

m, beta, h = sp.symbols("m beta h", real=True)
order = Problem(m, lambda m: sp.tanh(beta * m + h) - m, given=(beta > 0,), between=(0, 1), source="my notes, (2)")

def test_order():
    """Measured order parameters solve the mean-field equation."""
    beta, m = replicates(read("mine/order.csv"), "m", at="beta", of="run")
    no_field = lambda beta, h: order(beta=beta, h=1e-6)
    confront("measured order is a mean field", order, m, dict(beta=beta, h=0.2), Noise(0.005), {"no field": no_field})
'''
ROWS = [(0.8, 0.582), (1.5, 0.918), (2.0, 0.973)]  # the roots of m = tanh(beta m + 0.2), to three digits


def test_a_strangers_laws_are_reported_as_the_projects_own(tmp_path):
    """The guide's own command judges a function, a problem and a wrong law, and says by what factor that is wrong.

    Every neighbour of the two that are right is seen; the message shows the stranger's line, not the judges' code.
    """
    (mine := tmp_path / "mine").mkdir()
    (mine / "test_signs.py").write_text(GUIDE)
    (mine / "test_wrong.py").write_text(WRONG)
    (mine / "test_order.py").write_text(TABLE)
    lines = [f"{run},{beta},{m + 0.005 * (-1) ** run}" for run in range(4) for beta, m in ROWS]
    (mine / "order.csv").write_text("\n".join(["run,beta,m", *lines]))
    command = [sys.executable, "-m", "pytest", "mine", "--report"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 of 3 claims hold; 3 rivals and 11 mutants judged on the same runs" in done.stdout
    assert re.search(r"the law is about 2.00 \(1.9\d to 2.0\d\) times too large everywhere", done.stdout)
    assert "confrontation.py:" not in done.stdout and "mine/test_wrong.py:28: Refuted" in done.stdout

    told = json.loads((tmp_path / "report" / "verdicts.json").read_text())
    signs, order = (next(card for card in told["verdicts"] if card["test"].startswith(f"mine/test_{name}.py"))
                    for name in ("signs", "order"))  # fmt: skip
    assert r"\frac" in signs["latex"] and signs["law"] == "test_signs.spread" and not signs["unseen"]
    assert r"\tanh" in order["latex"] and order["source"] == "my notes, (2)" and not order["unseen"]
    assert "signSGD settles at twice that: FAILS" in told["failed"]["mine/test_wrong.py::test_spread"]
    page = (tmp_path / "report" / "index.html").read_text()
    assert page.count("<math") > 2 and "in continuous time" in page and "relative tolerance, from" not in page
