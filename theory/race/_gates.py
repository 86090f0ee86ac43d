"""Which gates a ReLU network can have while its weights are small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.gating import Task

SAME = float(np.sqrt(np.finfo(float).eps))  # what agrees in half of the digits of float64 counts as equal


@dataclass(frozen=True, eq=False)
class Gating:
    """A self-consistent gate: the examples it is open on, its singular value, and its directions.

    on: (P,) bool; s: the largest singular value of <y x^T> over them, as a mean over all examples; w: (d,) and
    a: (o,), unit vectors of incoming and outgoing weights.  w x > 0 on exactly the examples of `on`.
    """

    on: np.ndarray
    s: float
    w: np.ndarray
    a: np.ndarray


def relu_gates(x, y, *, starts: int = 4096, steps: int = 400, seed: int = 0) -> tuple[Gating, ...]:
    """The self-consistent gates of bias-free ReLU units, strongest first; as many as random starts find.

    A small unit with weights w, a moves by w' = Sigma^T a, a' = Sigma w with Sigma = <y x^T> over the examples that it
    is on for.  Its direction settles on the leading singular vectors, unless that changes the examples: then
    Sigma changes too.  Gates are kept whose w is on for exactly their own examples, none on the boundary.
    Starts that do not settle are discarded.

    x: (P, d); y: (P, o).  Raises ValueError for other shapes and for values that are not finite.
    """
    task = Task({"x": x}, {"y": y}, {})
    x, y = task.x["x"], task.y["y"]
    draw = np.random.default_rng(seed)
    w, a = draw.normal(size=(starts, x.shape[1])), draw.normal(size=(starts, y.shape[1]))
    for _ in range(steps):
        seen = w @ x.T
        on = seen > 0
        w, a = _unit(w + _unit(np.where(on, a @ y.T, 0) @ x)), _unit(a + _unit(np.where(on, seen, 0) @ y))
    found: list[Gating] = []
    for on in np.unique(w @ x.T > 0, axis=0):
        gate = leading(x, y, on)
        if gate.s > 0 and on.any() and consistent(x, gate):
            found.append(gate)
    return tuple(sorted(found, key=lambda gate: -gate.s))


def leading(x: np.ndarray, y: np.ndarray, on: np.ndarray) -> Gating:
    """The leading singular vectors over the examples of `on`, with the sign that is on for most of them."""
    U, s, Vt = np.linalg.svd((on[:, None] * y).T @ x / len(x), full_matrices=False)
    sign = 1.0 if np.sum(np.sign(x @ Vt[0]) * np.where(on, 1, -1)) >= 0 else -1.0
    return Gating(on, float(s[0]), sign * Vt[0], sign * U[:, 0])


def consistent(x: np.ndarray, gate: Gating) -> bool:
    """Whether a unit with the gate's weights is on for the gate's examples alone, and off for the others."""
    side = x @ gate.w / np.maximum(np.linalg.norm(x, axis=1), np.finfo(float).tiny)
    return bool(np.all(np.where(gate.on, side > SAME, side < -SAME)))


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.finfo(float).tiny)
