"""The learner of one trial, in symbols: its values, its losses, and what a trial changes."""

from __future__ import annotations

import sympy as sp

p, r, beta, tau = sp.symbols("p r beta tau", real=True)
SIDES = "LR"
UNITS = "LR0"
gain = {i: sp.Symbol(f"u_{i}", real=True) for i in UNITS}
weight = {(a, i): sp.Symbol(f"w_{a}{i}", real=True) for i in UNITS for a in SIDES}
state = tuple(x for i in UNITS for x in (gain[i], weight["L", i], weight["R", i]))


def seen(stimulus: str) -> dict[str, int]:
    """The inputs x_i of the trial."""
    return {"L": int(stimulus == "L"), "R": int(stimulus == "R"), "0": 1}


def values(stimulus: str, choice: str) -> tuple[sp.Expr, sp.Expr]:
    """Equation (1): what the stimulus units and the constant unit expect of a choice."""
    x = seen(stimulus)
    stim = sum(weight[choice, i] * gain[i] * x[i] for i in SIDES)
    return stim, weight[choice, "0"] * gain["0"]


def update(stimulus: str, choice: str) -> sp.Matrix:
    """What a trial changes, over eta: every group descends its own loss (2)."""
    stim, const = values(stimulus, choice)
    reward = r if stimulus == choice else sp.S.Zero
    errors = {"cortex": reward - stim - const, "const": reward - const, "stim": reward - stim}
    own = {name: error**2 / 2 for name, error in errors.items()}
    cells = {gain[i]: "cortex" for i in UNITS} | {weight[a, i]: "const" if i == "0" else "stim" for a, i in weight}
    return sp.Matrix([-sp.diff(own[cells[x]], x) for x in state])


def chance(stimulus: str) -> sp.Expr:
    """The probability of a stimulus."""
    return p if stimulus == "L" else 1 - p


def policy(stimulus: str, choice: str) -> sp.Expr:
    """The probability of a choice."""
    drive = {a: sp.exp(beta * sum(values(stimulus, a))) for a in SIDES}
    return drive[choice] / sum(drive.values())


def outcomes() -> list[tuple[sp.Expr, sp.Matrix]]:
    """Every trial that can happen: its probability, and what it changes."""
    return [(chance(s) * policy(s, a), update(s, a)) for s in SIDES for a in SIDES]
