"""Which gates a ReLU network can have while its weights are small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats.qmc import Sobol

from theory.gating import Task

SAME = float(np.sqrt(np.finfo(float).eps))  # what agrees in half of the digits of float64 counts as equal
SETTLED = 10  # growth times of the slowest gate, after which units are taken to have settled


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


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kinds of pathways of a ReLU network; those of one kind are images of each other.

    On each example one of every kind is open.  All of shape (kinds,): examples, how many each is open on; s, their
    singular value; reach, the size of the output of one of unit strength; start, its strength at first, over sigma^2.
    """

    examples: np.ndarray
    s: np.ndarray
    reach: np.ndarray
    start: np.ndarray


def relu_kinds(x, y, *, starts: int = 4096, units: int = 12) -> Kinds:
    """The kinds of pathways that units of a bias-free ReLU network can settle on, those of most examples first.

    `final_shares` and `race_time` say what becomes of them.  `starts` is for `relu_gates`, `units` for `relu_starts`.
    Raises ValueError where the pathways of one kind differ in their singular values or outputs, or are not open on
    every example once, and where there are none.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    gates = relu_gates(x, y, starts=starts)
    size = relu_starts(x, y, gates, units=units)
    found = []
    for examples in sorted({int(gate.on.sum()) for gate in gates}, reverse=True):
        members = [i for i, gate in enumerate(gates) if gate.on.sum() == examples]
        reach = np.concatenate([(x @ gates[i].w)[gates[i].on] for i in members])
        s = np.array([gates[i].s for i in members])
        once = np.all(np.sum([gates[i].on for i in members], axis=0) == 1)
        if not (once and np.ptp(reach) <= SAME * reach.max() and np.ptp(s) <= SAME * s.max()):
            raise ValueError(f"the {len(members)} pathways open on {examples} examples are no images of each other")
        found.append((examples, s[0], reach[0], np.mean(size[members])))
    return Kinds(*map(np.array, zip(*found, strict=True)))


def relu_starts(x, y, gates: tuple[Gating, ...], *, units: int = 12, steps: int = 200) -> np.ndarray:
    """The strengths from which ReLU units start the pathways of `gates`, over sigma^2, in the limit of many units.

    Weights are normal with variance sigma^2/width.  A pathway starts at the sum, over the units that settle on it,
    of the squares of what grows in them, (v w + u a) e^(-s t)/2, v and u being the directions of its gate.

    x: (P, d); y: (P, o); gates: all that units can settle on, as `relu_gates` finds them; units: the logarithm to
    base 2 of how many are followed, from evenly spread starts; steps: of the solver.  Raises ValueError without
    gates, and where more than one unit in a hundred stays on for other examples than those of a gate.
    """
    if not gates:
        raise ValueError("gates = () leaves units nothing to settle on")
    task = Task({"x": x}, {"y": y}, {})
    x, y = task.x["x"], task.y["y"]
    until = SETTLED / min(gate.s for gate in gates)
    even = Sobol(x.shape[1] + y.shape[1], scramble=False).random_base2(units) + 0.5 ** (units + 1)
    start = ndtri(even)
    end = _small_units(x, y, start, until, steps)
    w, a = end[:, : x.shape[1]], end[:, x.shape[1] :]
    on = w @ x.T > 0
    found, settled = [], float(np.mean(~on.any(axis=1)))  # units that are off for good move no more
    for gate in gates:
        here = np.all(on == gate.on, axis=1)
        grown = (w[here] @ gate.w + a[here] @ gate.a) / 2 * np.exp(-gate.s * until)
        found.append(float(np.sum(grown**2)) / len(start))
        settled += float(np.mean(here))
    if settled < 0.99:
        raise ValueError(f"only {settled:.1%} of the units settle on one of the {len(gates)} gates")
    return np.array(found)


def _small_units(x, y, units: np.ndarray, until: float, steps: int) -> np.ndarray:
    """Units (w, a), one in each row, after a time in which the output stays small; by Runge and Kutta's method."""
    inputs, h = x.shape[1], until / steps

    def speed(row):
        w, a = row[:, :inputs], row[:, inputs:]
        seen = w @ x.T
        on = seen > 0
        return np.hstack([np.where(on, a @ y.T, 0) @ x, np.where(on, seen, 0) @ y]) / len(x)

    for _ in range(steps):
        k1 = speed(units)
        k2 = speed(units + h / 2 * k1)
        k3 = speed(units + h / 2 * k2)
        units = units + h / 6 * (k1 + 2 * k2 + 2 * k3 + speed(units + h * k3))
    return units


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
