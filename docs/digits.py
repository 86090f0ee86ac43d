"""Draw docs/digits.png: full linear networks on handwritten digits, each mode beside its law."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from numerics import modes
from theory.chain import shallow, two_layers

LAM, START, MODES, END = 0.6, 1e-3, 5, 14.0
COLOURS = ["#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7"]  # Okabe and Ito


def draw() -> Figure:
    """Points: networks trained by gradient descent; lines: the laws; one colour for each mode."""
    task = modes.pixels(LAM)
    times, dense = np.arange(0, END + 0.1, 0.5), np.linspace(0, END, 400)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, depth, law, title in zip(panels, (1, 2), (shallow, two_layers), ("one layer", "two layers"), strict=True):
        trained = modes.train(task, modes.aligned(task, depth, START), times, eta=0.01)
        for k, colour in enumerate(COLOURS[:MODES]):
            s = float(task.s[k])
            axes.plot(dense, law(t=dense, s=s, lam=LAM, a0=START, tau=1.0), color=colour, lw=2, label=f"mode {k + 1}")
            axes.plot(times, trained[:, k], "o", ms=4, mfc="white", color=colour)
        axes.set(title=title, xlabel="time t (τ = 1)", xlim=(0, END), ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("mode strength $u_k^T\\, W v_k$")
    panels[0].legend(frameon=False, title="line: law\npoint: trained network", ncols=2, loc="lower right")
    return figure


if __name__ == "__main__":
    draw().savefig(Path(__file__).with_suffix(".png"), dpi=150)
