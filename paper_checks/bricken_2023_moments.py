"""Bricken et al. (2023), equations (4) and (18)-(25): the moments of a unit's deviation.

In the paper's notation, and independent of `theory`.  Every expectation is an integral over the noise, piece by
piece between kinks, as a ball that certainly contains it: two forms agree if their balls overlap, and a misprint is
shown by balls that are apart.
"""

import numpy as np
from flint import acb, arb
from pytest import mark

DOCUMENT = "bricken-2023"

# on, near the threshold, off; sigma |w| is not 1, so that a square or a missing root is seen
sigma, w_norm = arb("0.7"), arb("1.9")
width = sigma * w_norm
preactivations = [arb("1.1"), arb("0.2"), arb("-0.4"), arb("-2.0")]
every_z = mark.parametrize("z", preactivations, ids=["1.1", "0.2", "-0.4", "-2"])

FAR = 40  # widths, beyond which less than e^-750 of any of these integrals is left
REST = arb(0, 1e-300)


def p(e, scale):
    """The normal density of this standard deviation."""
    return (-e * e / (2 * scale * scale)).exp() / (scale * (2 * arb.pi()).sqrt())


def integral(of, low=-np.inf, high=np.inf, scale=width):
    """Integral of of(e) p(e) de; `of` is analytic between the ends."""
    ends = [FAR * scale if end == np.inf else -FAR * scale if end == -np.inf else end for end in (low, high)]
    return acb.integral(lambda e, _: of(e) * p(e, scale), *map(acb, ends)).real + REST


def average(of, z, scale=width):
    """E of(h~) for h~ = (z + eps)_+: silent below the kink, z + eps above."""
    silent = of(arb(0)) * integral(lambda e: acb(1), high=-z, scale=scale)
    return silent + integral(lambda e: of(z + e), low=-z, scale=scale)


def relu(z):
    """The paper's phi."""
    return z.max(arb(0))


def shifted(z):
    """E[eta]."""
    return average(lambda h: h - relu(z), z)


def squared(z):
    """E[eta^2]."""
    return average(lambda h: (h - relu(z)) ** 2, z)


def cdf(x):
    """The normal distribution function."""
    return (-x / arb(2).sqrt()).erfc() / 2


def known(ball):
    """Whether a ball is small enough to say something: forty bits are sure, of the 53 that are computed."""
    return ball.rad() < (1 + abs(ball)) * arb(2) ** -40


def same(a, b):
    """Whether two small balls overlap."""
    assert known(a) and known(b)
    return a.overlaps(b)


def tail(z, scale=width):
    """The integral of (4), from |z| on."""
    return integral(lambda e: e - abs(z), low=abs(z), scale=scale)


@every_z
def test_4(z, erratum):
    """(4): the shift is the integral, if N(.; 0, c) means standard deviation c, while (20) means the variance."""
    assert same(shifted(z), tail(z)) and tail(z) > 0
    assert not same(shifted(z), tail(z, scale=width.sqrt()))
    if z == preactivations[-1]:
        ratio = float(tail(z, scale=width.sqrt()) / shifted(z))
        erratum(
            DOCUMENT, "Eq. (4)", verdict="holds if c in N(.; 0, c) is a standard deviation; Eq. (20) means a variance",
            printed=r"N(x; 0, \|w\| \sigma)", corrected=r"N(x; 0, \|w\|^2 \sigma^2)",
            size=f"read as a variance, {ratio:.2g} times the shift at z = -2, ‖w‖σ = 1.33",
        )  # fmt: skip


def test_shift_needs_a_mean_of_zero():
    """E[eta] >= 0 for any noise of mean 0, by Jensen's inequality; noise with a mean of its own may shift down."""
    two = lambda z, values: sum(max(z + v, 0) - max(z, 0) for v in values)  # noqa: E731
    assert all(two(z, (-3, 3)) >= 0 for z in range(-5, 6)) and two(2, (-3, 1)) < 0


def test_18_19_20():
    """(18)-(20): the noise of a pre-activation is normal with variance sigma^2 |w|^2."""
    w1, w2, t = arb("1.2"), arb("0.5"), arb("0.9")
    both = integral(lambda e: (-(t - w1 * e) / (w2 * sigma) / arb(2).sqrt()).erfc() / 2, scale=sigma)
    norm = (w1**2 + w2**2).sqrt()
    assert same(both, cdf(t / (sigma * norm))) and not same(both, cdf(t / (sigma * norm) ** 2))


@every_z
def test_flip(z, erratum):
    """Text before (21) and (23): noise flips a unit with probability CDF(-|z|/(sigma |w|)), without squares."""
    silent = integral(lambda e: acb(1), high=-z)
    flips = silent if z > 0 else 1 - silent
    assert same(flips, cdf(-abs(z) / width)) and not same(flips, cdf(-abs(z) / width**2))
    if z == preactivations[-1]:
        ratio = float(cdf(-abs(z) / width**2) / flips)
        erratum(
            DOCUMENT, "Eq. (23) and the text before (21)", verdict="misprint: the argument has a dimension",
            printed=r"\mathrm{CDF}(-|\bar z| / (\sigma^2 \|w\|^2))",
            corrected=r"\mathrm{CDF}(-|\bar z| / (\sigma \|w\|))",
            size=f"{ratio:.2g} times the probability at z = -2, ‖w‖σ = 1.33",
        )  # fmt: skip


@every_z
def test_text_before_21(z, erratum):
    """Text before (21): the mean is hbar + int, not zbar + int."""
    mean = average(lambda h: h, z)
    assert same(mean, relu(z) + tail(z)) and same(mean, z + tail(z)) == (z > 0)
    if z == preactivations[-1]:
        erratum(
            DOCUMENT, "text before Eq. (21)", verdict="misprint; right for active units alone",
            printed=r"\bar z + \int", corrected=r"\bar h + \int", size="off by |z| for every silent unit",
        )  # fmt: skip


@every_z
def test_21(z):
    """(21): the mean of a rectified Gaussian, exact as printed for both signs."""
    t = abs(z) / width
    printed = relu(z) + width / (2 * arb.pi()).sqrt() * (-(t**2) / 2).exp()
    printed += abs(z) / 2 * ((t / arb(2).sqrt()).erf() - 1)
    assert same(average(lambda h: h, z), printed)


@mark.parametrize("z", preactivations[:2], ids=["1.1", "0.2"])
def test_22_and_23(z):
    """(22): the second moment of an active unit's deviation holds; (23) with the argument of its CDF corrected."""
    above = integral(lambda e: e**2, low=-z)
    assert same(squared(z), z**2 * integral(lambda e: acb(1), high=-z) + above)
    assert same(squared(z), z**2 * cdf(-z / width) + above)
    assert not same(squared(z), z**2 * cdf(-z / width**2) + above)


def test_24_and_25(erratum):
    """(24), (25): for a silent unit eta is eps - |z|, not eps; as printed it is up to 400 times too large."""
    ratios = []
    for a in (arb(0), arb("-1.5"), arb(-5)):
        z = a * width
        assert same(squared(z), integral(lambda e, z=z: (e + z) ** 2, low=-z))
        ratios.append(integral(lambda e: e**2, low=-z) / squared(z))
    assert same(ratios[0], arb(1)) and 11 < ratios[1] < 12 and 390 < ratios[2] < 410
    erratum(
        DOCUMENT, "Eq. (24) and (25)", verdict="wrong: a silent unit's deviation is ε − |z|",
        printed=r"\int_{|\bar z|}^{\infty} p(\epsilon) \epsilon^2 d\epsilon",
        corrected=r"\int_{|\bar z|}^{\infty} p(\epsilon) (\epsilon - |\bar z|)^2 d\epsilon",
        size=", ".join(f"{float(r):.3g} times at z = {a} σ‖w‖" for a, r in zip((0, -1.5, -5), ratios, strict=True)),
    )  # fmt: skip


def test_figure_4(erratum):
    """Figure 4: "the variance E[eta]" is the second moment E[eta^2], which is no variance either."""
    z = preactivations[1]
    variance = average(lambda h: h**2, z) - average(lambda h: h, z) ** 2
    assert not same(variance, shifted(z)) and not same(variance, squared(z))
    assert same(variance, squared(z) - shifted(z) ** 2)
    erratum(
        DOCUMENT, "Fig. 4, caption", verdict="misprint: the second moment is meant",
        printed=r"\text{variance } E[\eta]", corrected=r"E[\eta^2] = \mathrm{Var}(\tilde h) + E[\eta]^2",
        size=f"at z = 0.2: {float(shifted(z)):.3f}, {float(squared(z)):.3f} and {float(variance):.3f}",
    )  # fmt: skip


@mark.parametrize("z", [arb("0.05"), *preactivations[:2], arb(3)], ids=["0.05", "1.1", "0.2", "3"])
def test_on_exceeds_off(z):
    """Below (25): being on costs strictly more than being off by as much, with the corrected forms."""
    assert squared(z) > squared(-z)
    assert same(squared(z) - squared(-z), width**2 * (z / width / arb(2).sqrt()).erf())


def test_on_exceeds_off_at_one_width_alone(erratum):
    """Below (25): a unit that is on with small weights costs less than one that is off with large ones."""
    on = average(lambda h: (h - arb(1)) ** 2, arb(1), scale=width / 3)
    assert on < squared(arb("-0.4"))
    erratum(
        DOCUMENT, "text below Eq. (25)", verdict="holds at equal σ‖w‖ and |z|",
        printed=r"\text{penalty on} > \text{penalty off}",
        corrected=r"\Delta = \sigma^2 \|w\|^2\, \mathrm{erf}(|\bar z| / (\sigma \|w\| \sqrt 2))",
        size=f"{float(on):.2f} on at a third of the width, {float(squared(arb('-0.4'))):.2f} off",
    )  # fmt: skip


def test_cross_term(erratum):
    """Below (5): the cross term "is only present when both neurons are turned on": it is not, and may be negative."""
    on, off, rho, one = arb("0.8"), arb("-0.5"), arb("-0.6"), arb(1)
    rest = (1 - rho**2).sqrt()

    def other(g):  # E[eta_2] given the first unit's noise g
        t = (off + rho * g) / rest
        below = (-t / arb(2).sqrt()).erfc() / 2
        return rest * (t * below + (-t * t / 2).exp() / (2 * arb.pi()).sqrt())

    falls = integral(lambda g: -on * other(g), high=-on, scale=one)
    product = falls + integral(lambda g: g * other(g), low=-on, scale=one)
    assert known(product) and product < 0
    erratum(
        DOCUMENT, "text below Eq. (5)", verdict="wrong: on/off pairs count, with either sign",
        printed=r"E[\eta_j \eta_k] \neq 0\ \text{only with both on}", corrected=r"\rho s_j s_k \Phi(-t_k) + \ldots",
        size=f"E[η η'] = {float(product):.3f} for z = (0.8, −0.5), ρ = −0.6, unit widths",
    )  # fmt: skip
