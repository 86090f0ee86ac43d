"""Relative scale in practice: measured over seeds, asserted nowhere, for no law is known."""

import numpy as np
import pytest

from laws import measure
from laws.judges.verdict import Panel, Series
from numerics import relative_scale
from numerics.fields import mosaic
from numerics.relative_scale import Addition, Photographs

SCALES = (0.35, 0.5, 0.71, 1.0, 1.41)  # beyond them some networks do not generalise in 40,000 steps
FIRST = "scale of the first layer, over the usual"


def curves(seed):
    """Right answers of three networks, on pairs that are learnt and on others."""
    series = []
    for role, scale in zip(("run", "rival", "law"), (1.41, 1.0, 0.35), strict=True):
        found = relative_scale.grok(Addition(), scale, seed=seed)
        steps = (found.steps + 1).tolist()
        series.append(Series(role, steps, (100 * found.right[:, 1]).tolist(), f"held out, scale {scale:g}"))
    return Panel("step + 1", "right answers, %", tuple(series), "x")


@pytest.mark.full
def test_grokking():
    """How long a network that adds modulo 23 needs to generalise, against the relative scale of its layers."""
    measure(
        "how long after learning does a network grok modular addition",
        lambda scale, seed: float(relative_scale.grok(Addition(), scale, seed=seed).delay),
        SCALES,
        runs=9,
        labels=dict(x=FIRST, y="steps from learning to generalising"),
        log="xy",
        picture=curves(3),
    )


@pytest.mark.full
def test_selectivity():
    """How selective for orientation the filters of a convolutional network become, against the relative scale."""
    task = Photographs()

    def run(scale, seed):
        kernels, _ = relative_scale.filters(task, scale, seed=seed)
        return float(relative_scale.selectivity(kernels).mean())

    fields = {scale: relative_scale.filters(task, scale, seed=3)[0] for scale in (0.1, 1.0, 10.0)}
    tiles = [
        Series("image", [], [], f"scale {scale:g}", np.round(mosaic(kernels[:16].numpy(), 4), 2).tolist())
        for scale, kernels in fields.items()
    ]
    measure(
        "how selective for orientation are the first filters of a convolutional network",
        run,
        (0.1, 0.3, 1.0, 3.0, 10.0),
        runs=9,
        labels=dict(x=FIRST, y="mean selectivity of 32 filters"),
        log="x",
        picture=Panel("filters, each scaled by itself", "", tuple(tiles)),
    )
