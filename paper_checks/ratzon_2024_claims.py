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


def test_spatial_information_is_not_mutual(erratum):
    """Text, Fig. 2C: "mutual information between unit activity and position": (4) grows where that vanishes."""
    f = sp.Symbol("f", positive=True)  # the part of all places at which a unit is active, equally
    log2 = lambda v: sp.log(v) / sp.log(2)  # noqa: E731
    spatial = f * (1 / f) * log2(1 / f)  # (4), with r = 1 at these places and the mean f
    mutual = -f * log2(f) - (1 - f) * log2(1 - f)  # active or not, of which the place leaves no doubt
    assert sp.simplify((spatial - mutual).subs(f, sp.Rational(1, 2))) == 0
    assert sp.limit(mutual, f, 0) == 0 and sp.limit(spatial, f, 0, "+") == sp.oo
    few = sp.Rational(1, 16)
    assert sp.simplify(spatial.subs(f, few) - 4) == 0 and 0.33 < sp.N(mutual.subs(f, few)) < 0.34
    erratum(
        DOCUMENT, "Fig. 2C, text", verdict="bits for each unit of activity, not mutual information",
        printed=r"\text{mutual information of activity and position}",
        corrected=r"D\!\left(p\, r/\bar r \,\middle\|\, p\right)",
        size="a unit active at one place in 16: 4 bits by (4), 0.34 bits of mutual information",
    )  # fmt: skip


def test_beside_the_valley(erratum):
    """Text above (8): what must be small is |Δy|/x0; and x0 >> 1 makes steps unstable, at eta x0^2 = 1."""
    x0, y, rate, a = sp.symbols("x_0 Delta_y eta a", positive=True)
    push = [-sp.diff((x0 * y) ** 2, p) for p in (x0, y)]
    assert sp.simplify(push[0] / push[1]) == y / x0
    after = sp.cancel((y + rate * push[1]) / y)  # what is left of Δy after a step
    assert after == 1 - 2 * rate * x0**2 and after.subs(rate, 1 / x0**2) == -1
    published = after.subs(rate, sp.Rational(1, 10))
    assert abs(published.subs(x0, 3)) < 1 < abs(published.subs(x0, 4))
    assert sp.simplify(after.subs({x0: a * x0, rate: rate / a**2}) - after) == 0  # in other units x0 is as small
    erratum(
        DOCUMENT, "text above Eq. (8)", verdict="x0 has a unit, and may not be large",
        printed=r"x_0 \gg 1,\ |\Delta y| \ll 1", corrected=r"|\Delta y| \ll x_0,\ \eta x_0^2 < 1",
        size="at the rate 0.1 of the networks descent leaves the valley from x0 = 3.16 on",
    )  # fmt: skip


def test_linear_term_is_no_projection(erratum):
    """Text below (14): H δθ is normal to the manifold, but each direction is weighed by its eigenvalue."""
    u, v = sp.symbols("u v", positive=True)
    H = sp.hessian((1 - u * v) ** 2 / 2, (u, v)).subs(v, 1 / u)
    along, value = sp.Matrix([u, -1 / u]), H.trace()
    assert sp.simplify(H * along) == sp.zeros(2, 1)
    assert sp.simplify(H * H - value * H) == sp.zeros(2, 2) and value.subs(u, 1) == 2  # at least: never a projection
    assert sp.solve(sp.Eq(value, 1), u) == []
    erratum(
        DOCUMENT, "text below Eq. (14)", verdict="weighed by eigenvalues",
        printed=r"H \delta\theta = P_\perp \delta\theta",
        corrected=r"H \delta\theta = \sum_i \lambda_i v_i v_i^T \delta\theta",
        size="for (1 - uv)²/2 by 2 and more",
    )  # fmt: skip


def test_texture_has_a_resolution(erratum):
    """Methods: a filter of variance K L_walls makes a texture whose grain depends on how finely walls are sampled."""
    K, size, fine = sp.Rational(9, 100), 2 * (1 + 14) * 17, sp.Symbol("k", positive=True)
    grain = lambda width: sp.simplify(width(fine * size) / (fine * size))  # noqa: E731  (of the whole wall)
    printed, coded = grain(lambda n: sp.sqrt(K * n)), grain(lambda n: K * n)
    assert printed.diff(fine) != 0 == coded.diff(fine) and coded == K
    assert round(float(printed.subs(fine, 1)), 4) == 0.0133
    erratum(
        DOCUMENT, "Predictive coding task", verdict="of the width, not of its square, in the public code",
        printed=r"\sigma^2 = K_{smooth} L_{walls}", corrected=r"\sigma = K_{smooth} L_{walls}",
        size="1.3 % of the walls as printed, 9 % as run; as printed finer walls have finer texture",
    )  # fmt: skip


def test_label_noise_is_a_width(erratum):
    """Table 1, (6): label noise is uniform in the public code, and what varies is its width."""
    z, s = sp.symbols("z s", positive=True)
    variance = sp.integrate(z**2 / s, (z, -s / 2, s / 2))
    kurtosis = sp.integrate(z**4 / s, (z, -s / 2, s / 2)) / variance**2
    assert variance == s**2 / 12 and kurtosis == sp.Rational(9, 5) != 3
    assert variance.subs(s, 1) < sp.Rational(1, 10)  # the largest is below the least that is printed
    erratum(
        DOCUMENT, "Table 1, Eq. (6)", verdict="no variance and not Gaussian: the width of uniform noise",
        printed=r"\mathrm{Var}\, \xi^{label} \in [0.1, 1]",
        corrected=r"\mathrm{Var}\, \xi^{label} = s_l^2/12 \leq 0.084",
        size="12 and more times less than printed",
    )  # fmt: skip


def test_second_moments_are_no_noise(erratum):
    """Text: "the second moment acts as noise": without any, Adam's rest is unstable beyond an edge, stable before."""

    def radius(step, lam, epsilon, beta):
        """The largest multiplier of (m, u), near a point of zero loss, where v has vanished."""
        m, u = (beta, (1 - beta) * lam), (-step * beta / epsilon, 1 - step * (1 - beta) * lam / epsilon)
        return max(abs(complex(z)) for z in sp.Matrix([m, u]).eigenvals())

    lam, beta = sp.Integer(3), sp.Rational(9, 10)
    for epsilon in (sp.Rational(1, 100), sp.Rational(1, 10**8)):
        edge = 38 * epsilon / lam
        assert radius(edge * sp.Rational(99, 100), lam, epsilon, beta) < 1
        assert radius(edge * sp.Rational(101, 100), lam, epsilon, beta) > 1
    assert radius(sp.Rational(1, 1000), sp.Rational(37, 10**5), sp.Rational(1, 10**8), beta) < 1
    assert radius(sp.Rational(1, 1000), sp.Rational(39, 10**5), sp.Rational(1, 10**8), beta) > 1
    erratum(
        DOCUMENT, "Generality of the phenomenon", verdict="no noise: steps are unstable where gradients vanish",
        printed=r"\text{the second moment acts as noise}",
        corrected=r"\eta \lambda_{max}/\epsilon > 2 (1 + \beta_1)/(1 - \beta_1)",
        size="at the rate 0.001 and ε = 10⁻⁸ from λ = 0.00038 on",
    )  # fmt: skip
