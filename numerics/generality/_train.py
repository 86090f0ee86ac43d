"""Ensembles of the sweep, and what is kept of every network."""

from __future__ import annotations

import numpy as np
import torch

from numerics.ensemble import Network, log_spaced
from numerics.ensemble import train as trained
from numerics.generality._design import Drift, alike

CEILING = 10.0  # of the loss, above which a network has diverged; targets are in [-1, 1]
EVEN, LOGARITHMIC = 40, 20  # records, evenly spaced in time and in its logarithm


def recorded(steps: int) -> np.ndarray:
    """The steps that are recorded, 0 among them."""
    even = np.rint(np.linspace(0, steps, EVEN + 1)).astype(np.int64)
    return np.unique(np.concatenate([even, log_spaced(steps, LOGARITHMIC)]))


def train(many: list[Drift], steps: np.ndarray | None = None, start: np.ndarray | None = None):
    """Train networks that are alike, on one thread, in single precision.

    Args:
        many: their settings.
        steps: those to record; by default the `recorded` ones.
        start: parameters, (B, hidden, inputs + 1 + outputs); by default those that `begun` draws.

    Returns:
        a list with a dict of each, by name, (T,) numbers at the recorded `steps`, nan from where it diverged: `loss`,
        `active_units` (active for some sample), `active_fraction` (of all pairs of unit and sample), `carriers` (see
        there).

    Raises:
        ValueError: they are not alike.
    """
    first, (x, y, drawn) = many[0], begun(many)
    run = trained(
        first.network, x, y, seeds=[one.seed for one in many], steps=recorded(first.steps) if steps is None else steps,
        by=first.by, noise=first.noise or (), start=drawn if start is None else start, dtype="float32",
        ceiling=CEILING, keep_parameters=True, threads=1,
    )  # fmt: skip
    names = ("loss", "active_units", "active_fraction")
    columns = {name: getattr(run, name) for name in names}
    columns["carriers"] = np.array(
        [[carriers(first.network, *pair) for pair in zip(x, thetas, strict=True)] for thetas in run.parameters]  # type: ignore[union-attr]
    )
    return [{"steps": run.steps, **{name: values[:, k] for name, values in columns.items()}} for k in range(len(many))]


def begun(many: list[Drift]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs (B, samples, inputs), targets (B, samples, outputs) and first parameters of networks that are alike.

    Raises ValueError: they are not alike.
    """
    first = many[0]
    if any(alike(one) != alike(first) for one in many):
        raise ValueError(f"{len(many)} networks that differ in more than task, start and seed are no ensemble")
    drawn = [np.random.default_rng(one.seed) for one in many]
    shape = first.samples, first.network.inputs, first.network.outputs
    data = [one.task.draw(*shape, rng) for one, rng in zip(many, drawn, strict=True)]
    x, y = (np.stack([pair[k] for pair in data]) for k in range(2))
    return x, y, np.stack([_start(one, rng) for one, rng in zip(many, drawn, strict=True)])


def carriers(network: Network, x: np.ndarray, theta: np.ndarray) -> float:
    """How many units carry the output: (sum c)^2 / sum c^2 of c = |n_u|^2 <phi_u^2>, for any activation.

    Args:
        network: its shape.
        x: inputs, (samples, inputs).
        theta: parameters, (hidden, inputs + 1 + outputs).

    Returns:
        a number from 1 (one unit carries all) to hidden (all carry as much), 0 if none does.
    """
    w, b, n = network.parts(np.asarray(theta, float))
    h = network.activation.value(torch.from_numpy(x @ w.T + b)).numpy()
    c = (n**2).sum(1) * (h**2).mean(0)
    square = float((c**2).sum())
    return 0.0 if square == 0 else float(c.sum() ** 2 / square)


def _start(one: Drift, rng) -> np.ndarray:
    """Parameters, normal with the deviations of its start."""
    theta = rng.normal(size=one.network.shape)
    for part, scale in zip(one.network.parts(theta), one.start.scales(one.network), strict=True):
        part *= scale
    return theta
