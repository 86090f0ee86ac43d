"""One linear neuron a w.x with a rate of its own for each layer, trained on white inputs; and its tangent kernel.

Rates are made by units: a layer held in units of the square root of its rate descends at that rate.
Tasks are those of `numerics.modes` with one output.
"""

from __future__ import annotations

import numpy as np
import torch

from numerics import modes
from numerics.checks import numbers_of, positive, real
from numerics.descent import GradientFlow
from numerics.descent import train as descend


def target(task: modes.Task) -> np.ndarray:
    """The direction of the target in the space of the inputs; shape (Ni,)."""
    if task.y.shape[1] != 1:
        raise ValueError(f"one neuron has one output, the task {task.y.shape[1]}")
    return (task.V * task.U[0]).numpy()[:, 0]


def start(task: modes.Task, *, along: float, across: float, seed: int = 0) -> np.ndarray:
    """A first layer with these components along the target and across it, in a random direction; shape (Ni,)."""
    toward = target(task)
    draw = np.random.default_rng(seed).normal(size=toward.size)
    rest = draw - (draw @ toward) * toward
    return real("along", along) * toward + real("across", across) * rest / np.linalg.norm(rest)


def flow(
    task: modes.Task, a: float, w, times, *, rates=(1.0, 1.0), rtol: float = 1e-12
) -> tuple[np.ndarray, np.ndarray]:
    """Second layer, shape (T,), and first layer, shape (T, Ni), under gradient flow with `rates` (eta_a, eta_w).

    ValueError for a task of several outputs, weights of another shape, and rates that are not positive.
    """
    units = [positive(name, rate) ** 0.5 for name, rate in zip(("eta_a", "eta_w"), rates, strict=True)]
    first = numbers_of("w", w)
    if first.shape != (task.x.shape[1],):
        raise ValueError(f"w has shape {first.shape}, the inputs {task.x.shape[1]}")
    if real("a", a) == 0 and not first.any():
        raise ValueError("a = 0 and w = 0: this is a saddle, which gradient flow never leaves")
    weights = [torch.tensor([a / units[0]], dtype=torch.float64), torch.from_numpy(first / units[1])]

    def loss(weights):
        return ((task.y[:, 0] - _outputs(weights, units, task.x)) ** 2).sum() / (2 * task.examples)

    smallest = min(float(v.abs().max()) for v in weights if v.any())
    rows = descend(loss, weights, times, GradientFlow(rtol, rtol * smallest))
    return units[0] * rows[:, 0], units[1] * rows[:, 1:]


def kernel(task: modes.Task, a: float, w, *, rates=(1.0, 1.0)) -> np.ndarray:
    """The tangent kernel between all examples, from the gradients of their outputs; shape (P, P)."""
    units = [rate**0.5 for rate in rates]
    row = torch.cat([torch.tensor([a / units[0]], dtype=torch.float64), torch.from_numpy(np.asarray(w) / units[1])])
    slopes = torch.func.jacrev(lambda row: _outputs((row[:1], row[1:]), units, task.x))(row)
    return (slopes @ slopes.T).numpy()


def angle(task: modes.Task, w) -> np.ndarray:
    """The angle between the first layer and the target, in radians."""
    along = w @ target(task)
    across = np.linalg.norm(w - along[..., None] * target(task), axis=-1)
    return np.arctan2(across, along)


def _outputs(weights, units, x):
    return (units[0] * weights[0]) * (x @ (units[1] * weights[1]))
