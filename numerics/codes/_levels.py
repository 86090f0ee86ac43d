"""Codes under noise of several levels as a command trains them: stored, taken up where they were stopped, and drawn."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from numerics.checks import positive
from numerics.codes._fields import SIGMAS, Method
from numerics.codes._run import run
from numerics.fields import mosaic
from numerics.store import Store
from numerics.sweep import Local, sweep

INK, BLUE, RED = "#1a1a1a", "#0072B2", "#D55E00"


def levels(
    sigmas: tuple[float, ...] = SIGMAS,
    units: int = 64,
    networks: int = 20,
    steps: int = 1500,
    batch: int = 32,
    eta: float = 5e-3,
    seed: int = 1,
    folder: Path = Path("noise"),
    workers: int | None = None,
) -> int:
    """Train autoencoders on natural images under noise, go on where that was stopped, and draw their codes.

    They give patches of 8 x 8 pixels, in 24 whitened components of unit variance, back from what noise leaves of them.

    Args:
        sigmas: standard deviations of the Gaussian noise on each component, one study for each.
        units: hidden ReLU units.
        networks: trained side by side at each level.
        steps: of Adam; its step size falls to 0 from 7/10 of them on.
        batch: patches for each step.
        eta: the step size of Adam.
        seed: of starts, minibatches and noise.
        folder: for a file of each level, and codes.png.
        workers: processes; as many as there are cores if None.

    Returns:
        0, or 1 if a level failed.
    """
    trained: dict = dict(units=units, networks=networks, steps=steps, batch=batch, eta=eta, seed=seed)
    settings = [Method("noise", positive("sigmas", sigma), **trained) for sigma in sorted({*sigmas})]
    if not settings:
        raise ValueError("sigmas is empty: give at least one standard deviation")
    store = Store(folder)
    report = sweep(run, settings, store, on=Local(workers))
    print(report)
    if report.failed:
        print(f"no figure: {len(report.failed)} of {len(settings)} levels failed", file=sys.stderr)
        return 1
    found = {one.strength: store.load(one) for one in settings}
    figure(found).savefig(Path(folder) / "codes.png", dpi=120)
    print(f"medians of {networks} networks:\n{'sigma':>7}  {'active':>7}  {'dead':>7}  {'loss':>7}")
    for sigma, of in found.items():
        print(f"{sigma:>7g}" + "".join(f"  {np.median(of[name]):>7.3f}" for name in ("active", "dead", "loss")))
    print(f"kept in {folder}: a file of each level, codes.png")
    return 0


def figure(found: Mapping[float, Mapping[str, np.ndarray]]):
    """What noise does to codes: how much of them is active, what they lose, and what their units look for.

    Args:
        found: by sigma, what `Method.run` gives.

    Returns:
        a matplotlib Figure; dots are networks, lines their medians; fields are those of each level's first network.
    """
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(max(9.0, 2.6 * len(found)), 6.4), layout="constrained")
    above, below = drawn.subfigures(2, 1, squeeze=False, height_ratios=[5, 4])[:, 0]
    active, loss, fields = above.subplots(1, 3)
    of_each = lambda name: {sigma: of[name] for sigma, of in found.items()}  # noqa: E731
    _dots(active, of_each("active"), BLUE, "o", "active")
    _dots(active, of_each("dead"), RED, "s", "never active")
    _dots(loss, of_each("loss"), INK, "o", None)
    active.set_ylabel("fraction of units, held-out patches")
    loss.set_ylabel("mean squared error, held-out patches")
    last = lambda name: {sigma: np.median(of[name][-1], axis=-1) for sigma, of in found.items()}  # noqa: E731
    _dots(fields, last("gabor"), BLUE, "o", "Gabor function")
    _dots(fields, last("centre"), RED, "s", "centre with surround")
    fields.set(ylabel="R² of fits to fields, median of a network", ylim=(0, 1))
    for axes in (active, loss, fields):
        axes.set_xlabel("σ of the noise (data: 1)")
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xticks(list(found), [f"{sigma:g}" for sigma in found])
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (active, fields):
        axes.legend(frameon=False, fontsize=9)
    for axes, (sigma, of) in zip(below.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        axes.imshow(mosaic(of["fields"].astype(float), columns=8), cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(f"fields at σ = {sigma:g}", fontsize=10)
        axes.set_axis_off()
    return drawn


def _dots(axes, values: Mapping[float, np.ndarray], colour: str, mark: str, label: str | None) -> None:
    """A dot for every network, and a line through their medians."""
    for sigma, each in values.items():
        axes.plot([sigma] * len(each), each, mark, color=colour, ms=3, alpha=0.4)
    axes.plot([*values], [np.median(each) for each in values.values()], color=colour, lw=1.6, marker=mark, label=label)
