"""Ratzon, Derdikman and Barak (2024): what the text and the figures say beside the equations.

Independent of `theory`.  What is exact is checked exactly; what needs training is measured in `validate`.
"""

from fractions import Fraction

import numpy as np
import sympy as sp

DOCUMENT = "ratzon-2024"


def test_small_eigenvalues_are_not_faster(erratum):
    """Text: "small eigenvalues are driven to zero much faster": their logarithms are; in the valley all fall alike."""
    sigma = sp.Symbol("sigma", real=True)
    x, y = sp.symbols("x y", real=True)
    value = sp.diff((x * y) ** 2, y, 2)
    speed = value.diff(x) * -(sigma**2) / 4 * sp.log(value).diff(x)  # of an eigenvalue that descends (s^2/4) ln
    assert sp.simplify(speed) == -2 * sigma**2
    assert sp.simplify(speed + sigma**2 / 2 * value.diff(x, 2)) == 0  # with the walk along the valley, on average
    erratum(
        DOCUMENT, "Mechanism of sparsification", verdict="holds for ln λ, not for λ",
        printed=r"\dot\lambda \to -\infty\ \text{as}\ \lambda \to 0", corrected=r"\dot\lambda = -2 \sigma^2",
        size="in the valley (xy)²; with the walk along it the mean of λ stays",
    )  # fmt: skip


def test_time_has_no_unit(erratum):
    """Fig. 3B: a run in other units is the same run at the same eta sigma^2 t, not at the same sigma^2 t."""
    whole = lambda draw, *shape: draw.integers(-9, 10, shape) * Fraction(1)  # noqa: E731
    start = np.random.default_rng(0)
    x, y, *theta = (whole(start, *shape) / 10 for shape in ((2, 2), (2, 2), (4, 2), (4,), (2, 4)))

    def train(y, rate, sigma, scale, steps=4):
        m, b, n = (part / scale for part in theta)
        noise = np.random.default_rng(1)
        for _ in range(steps):
            z = x @ m.T + b
            on, r = (z > 0).astype(int), np.maximum(z, 0) @ n.T - y
            back = (r @ n) * on / 2  # 2 c with c = 1/4
            xi = [sigma * whole(noise, *part.shape) for part in (m, b, n)]
            slopes = back.T @ x, back.sum(0), r.T @ np.maximum(z, 0) / 2
            m, b, n = (p - rate * g + e for p, g, e in zip((m, b, n), slopes, xi, strict=True))
        return m, b, n

    rate, sigma, k = Fraction(1, 10), Fraction(1, 50), 3
    one, other = train(y, rate, sigma, 1), train(y / k**2, rate * k**2, sigma / k, k)
    as_loud = train(y / k**2, rate * k**2, sigma, k)
    assert all((p == k * q).all() for p, q in zip(one, other, strict=True))
    assert not any((p == k * q).all() for p, q in zip(one, as_loud, strict=True))
    assert rate * sigma**2 == rate * k**2 * (sigma / k) ** 2
    erratum(
        DOCUMENT, "Fig. 3B", verdict="the noise alone sets no time: the rate of learning is part of its unit",
        printed=r"\text{time scale against } \sigma^2", corrected=r"\text{against } \eta \sigma^2",
        size="the same run, in other units, has another σ² t",
    )  # fmt: skip


def test_final_sparsity_depends_on_the_task(erratum):
    """Text: "the final sparsity was the same for all networks of the same size": zero loss needs rank(Y) units."""
    draw = np.random.default_rng(0).integers
    activity, n = sp.Matrix(draw(0, 9, (5, 3))), sp.Matrix(draw(-9, 9, (3, 5)))
    assert (activity * n).rank() == 3 < sp.Matrix(draw(-9, 9, (5, 5))).rank() == 5
    erratum(
        DOCUMENT, "Fig. 3B, text", verdict="as few units as the rank of the targets, at most the number of outputs",
        printed=r"N_\infty = N(\text{size})", corrected=r"N \geq \operatorname{rank} Y", size="exact, at zero loss",
    )  # fmt: skip


def test_simulations(erratum):
    """Table 1, Fig. 3A: the public table has 1151 runs, of which 362 are of 10^6 steps; none is of RMSprop."""
    steps = {"random": (710, 7), "update and label": (362, 6), "SED": (49, 7), "small noise": (30, 7)}
    total = sum(rows for rows, _ in steps.values())
    assert total == 1151 != 1117 and sum(rows for rows, power in steps.values() if power == 7) == 789
    erratum(
        DOCUMENT, "Fig. 3A, Table 1", verdict="fewer runs of that length than are said; RMSprop in the text alone",
        printed=r"1117\ \text{simulations}, 10^7\ \text{steps}", corrected=r"789\ \text{of}\ 1151\ \text{rows}",
        size="362 have 10⁶ steps; Table 1 lists SGD, Adam and SED",
    )  # fmt: skip
