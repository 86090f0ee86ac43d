"""One rectified unit under Gaussian noise; equations (3) to (6) of `theory.noise`."""

import numpy as np
import sympy as sp

from laws.law import Law, Source, Step
from theory.noise import _float
from theory.noise._normal import Phi, phi, plain

mu, s = sp.symbols("mu s", real=True)
a = mu / s
eta, h = sp.symbols("eta h", real=True)
E, Var = sp.Function("E"), sp.Function("Var")

NOISY = (s > 0,)
SILENT = {s > 0: "without noise nothing deviates"}
POINTS = tuple(
    dict(mu=mu, s=s) for mu, s in ((-0.7, 1.3), (0.7, 1.3), (-7.3, 0.6), (2.9, 0.6), (0.02, 1.7), (-2.4, 0.4))
)  # off, on, far off, far on, at the kink, in the tail


def on(x):
    """1 for an active unit, 0 for a silent one."""
    return (1 + sp.sign(x)) / 2


def rectified(p, value, slope):
    """E[(mu + s g)_+^p]: it diffuses, it is homogeneous of degree p, and at the kink half a Gaussian is left."""
    return lambda f: tuple(
        plain(r)
        for r in (
            f.diff(s) - s * f.diff(mu, 2),
            mu * f.diff(mu) + s * f.diff(s) - p * f,
            f.subs(mu, 0) - value,
            f.diff(mu).subs(mu, 0) - slope,
        )
    )


def by_slopes(in_mu, in_s, at_kink):
    """A function of mu and s by its two slopes and its value at mu = 0."""
    return lambda f: (f.diff(mu) - in_mu, f.diff(s) - in_s, f.subs(mu, 0) - at_kink)


def _mean(mu, s):
    return s * _float.rectified(mu / s)[1]


def _shift(mu, s):
    return s * _float.tails(np.abs(mu / s))[1]


def _second_moment(mu, s):
    _, _, M = _float.tails(np.abs(mu / s))
    return s**2 * (M + np.where(mu > 0, 1 - 2 * _float.below(-np.abs(mu / s)), 0))


def _variance(mu, s):
    return _second_moment(mu, s) - _shift(mu, s) ** 2


mean = Law(
    E(h),
    mu * Phi(a) + s * phi(a),
    solves=rectified(1, s * phi(0), sp.Rational(1, 2)),
    given=NOISY,
    source=Source("bricken-2023", "Eq. (21), without cases"),
    examples=POINTS,
    evaluate=_mean,
    reasons=SILENT,
)

mean_square = Law(
    E(h**2),
    (mu**2 + s**2) * Phi(a) + mu * s * phi(a),
    solves=rectified(2, s**2 / 2, 2 * s * phi(0)),
    given=NOISY,
    source=Source("derived here", "half of a Gaussian's second moment"),
    examples=POINTS,
    evaluate=lambda mu, s: s**2 * np.where(mu > 0, (1 + (mu / s) ** 2) - _M(mu, s), _M(mu, s)),
    reasons=SILENT,
)

shift = Law(
    E(eta),
    s * phi(a) - sp.Abs(mu) * Phi(-sp.Abs(mu) / s),
    solves=by_slopes(Phi(a) - on(mu), phi(a), s * phi(0)),
    given=NOISY,
    source=Source("bricken-2023", "Eq. (4) and (21)"),
    examples=POINTS,
    evaluate=_shift,
    reasons=SILENT,
)

second_moment = Law(
    E(eta**2),
    s**2 * Phi(a) - s * sp.Abs(mu) * phi(a) + mu**2 * Phi(-sp.Abs(mu) / s),
    solves=by_slopes(
        2 * on(-mu) * mean.rhs + 2 * on(mu) * mu * Phi(-a),
        2 * s * Phi(a) - 2 * on(mu) * mu * phi(a),
        s**2 / 2,
    ),
    given=NOISY,
    source=Source("bricken-2023", "Eq. (23) and (25), corrected"),
    examples=POINTS,
    evaluate=_second_moment,
    reasons=SILENT,
)

variance = Law(
    Var(h),
    s**2 * Phi(a) - sp.Abs(mu) * shift.rhs - shift.rhs**2,
    solves=by_slopes(
        2 * mean.rhs * Phi(-a),
        2 * s * Phi(a) - 2 * phi(a) * mean.rhs,
        s**2 * (sp.Rational(1, 2) - phi(0) ** 2),
    ),
    given=NOISY,
    source=Source("derived here", "E[eta^2] - E[eta]^2"),
    examples=POINTS,
    evaluate=_variance,
    reasons=SILENT,
)

on_off_gap = Law(
    E(sp.Symbol("eta_on", real=True) ** 2) - E(sp.Symbol("eta_off", real=True) ** 2),
    s**2 * sp.erf(mu / (s * sp.sqrt(2))),
    solves=lambda gap: (gap - (second_moment.rhs - second_moment.rhs.subs(mu, -mu)),),
    given=(*NOISY, mu > 0),
    source=Source("bricken-2023", "below Eq. (25), made exact"),
    examples=tuple(dict(mu=mu, s=s) for mu, s in ((0.7, 1.3), (2.9, 0.6), (0.02, 1.7))),
    reasons=SILENT,
)


def _M(mu, s):
    return _float.tails(np.abs(mu / s))[2]


def derive_moments() -> tuple[Step, ...]:
    """From a Gaussian integral, by its antiderivative, to each moment of one unit."""
    g = sp.Symbol("g", real=True)
    F, z = sp.Function("F"), mu + s * g
    once, twice = mu * Phi(g) - s * phi(g), (mu**2 + s**2) * Phi(g) - s * (2 * mu + s * g) * phi(g)
    off, below = {mu: -mu}, {F(g): twice}
    falls, active = mu**2 * Phi(-a), (mu > 0, s > 0)
    return (
        Step("an antiderivative of (mu + s g) phi(g)", sp.Eq(F(g).diff(g), z * phi(g)), {F(g): once}),
        Step("from the kink g = -mu/s on, where phi ends at 0 and Phi at 1", sp.Eq(mu - F(-a), mean.rhs), {F(g): once}),
        Step("an antiderivative of (mu + s g)^2 phi(g)", sp.Eq(F(g).diff(g), z**2 * phi(g)), below),
        Step("from the kink on: the mean square", sp.Eq(mu**2 + s**2 - F(-a), mean_square.rhs), below),
        Step("an active unit deviates on average by", sp.Eq(mean.rhs - mu, shift.rhs), given=active),
        Step("a silent one by", sp.Eq(mean.rhs.subs(off), shift.rhs.subs(off)), given=active),
        Step("an active unit deviates by s g above the kink", sp.Eq(F(g).diff(g), s**2 * g**2 * phi(g)),
             {F(g): s**2 * (Phi(g) - g * phi(g))}),
        Step("and by -mu below", sp.Eq(s**2 - F(-a) + falls, second_moment.rhs), {F(g): s**2 * (Phi(g) - g * phi(g))},
             active),
        Step("a silent one is squared as it is", sp.Eq(mean_square.rhs.subs(off), second_moment.rhs.subs(off)),
             given=active),
        Step("the variance", sp.Eq(second_moment.rhs - shift.rhs**2, variance.rhs)),
        Step("which grows with mu, so that its term pushes biases down",
             sp.Eq(variance.rhs.diff(mu), 2 * mean.rhs * Phi(-a))),
        Step("on costs more than off", sp.Eq(second_moment.rhs - second_moment.rhs.subs(off), on_off_gap.rhs)),
    )  # fmt: skip
