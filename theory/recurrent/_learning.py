"""How one mode of a linear recurrent network learns; equations (1) to (5) of `theory.recurrent`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

from laws.arrays import real_array
from laws.flow import gradient_flow
from laws.law import Law, Source, Step
from laws.stable import geometric

a, b, c, T, tau, t, eta = sp.symbols("a b c T tau t eta", real=True)
delta, rho, sigma0 = sp.symbols("delta rho sigma0", real=True)
sigma = sp.Function("sigma")
speed_a, speed_b, gain = sp.Symbol("v_a", real=True), sp.Symbol("v_b", real=True), sp.Symbol("g", real=True)
PROCA = "Proca et al. 2025"

PROFILE = (b > 0, rho > 0, sp.Ne(b, 1), sp.Ne(b * rho, 1), T >= 1)
POLE = dict.fromkeys(PROFILE[2:4], "the sum over lags is there a limit: give the profile to `profile_speeds`")


def total(z):
    """Sum of z^k over the lags k = 0, ..., T - 1."""
    return (1 - z**T) / (1 - z)


def first_moment(z):
    """Sum of k z^(k - 1) over the lags: the derivative of `total`."""
    return (1 - z**T) / (1 - z) ** 2 - T * z ** (T - 1) / (1 - z)


def over_lags(term):
    """The problem of a sum of term(k) over k = 0, ..., T - 1: how it grows with T, and where it starts."""
    return lambda S: (S.subs(T, T + 1) - S - term(T), S.subs(T, 0))


def missing(k):
    """What the network lacks at lag k, for a profile delta rho^k."""
    return delta * rho**k - a * c * b**k


def binomial_series(T, weight):
    """The sum of weight(j) T over j + 1, j = 1, 2, ..., for weights of T^-j: its terms fall off as 1/j!."""
    term, series = T * (T - 1) / 2, 0.0
    for j in range(1, 24):
        series = series + term * weight(j)
        term = term * (T - j - 1) / (j + 2)
    return series


def _first_moment(T, z):
    """`first_moment` in float64: near z = 1 by its binomial series in z - 1."""
    near, x = T * np.abs(z - 1) < 1, np.where(T * np.abs(z - 1) < 1, z - 1, 0.0)
    series = binomial_series(T, lambda j: j * x ** (j - 1))
    with np.errstate(all="ignore"):
        direct = ((1 - z**T) / (1 - z) - T * z ** (T - 1)) / (1 - z)
    return np.where(near, series, direct)


def _frozen(t, b, T, delta, rho, sigma0, tau):
    strength, variance = delta * geometric(b * rho, T), geometric(b**2, T)
    decay = -2 * strength * t / tau
    return sigma0 * strength / (strength * np.exp(decay) - variance * sigma0 * np.expm1(decay))


input_speed = Law(
    speed_a,
    c * (delta * total(b * rho) - a * c * total(b**2)),
    solves=over_lags(lambda k: c * b**k * missing(k)),
    given=PROFILE,
    source=Source(PROCA, "the input mode at a profile delta rho^lag; the sum derived here"),
    examples=(
        dict(a=0.4, b=0.7, c=0.3, delta=1.7, rho=0.9, T=6),
        dict(a=-0.8, b=1.2, c=1.3, delta=0.6, rho=0.5, T=3),
        dict(a=1.4, b=0.3, c=0.2, delta=2.3, rho=1.7, T=9),
    ),
    evaluate=lambda a, b, c, delta, rho, T: c * (delta * geometric(b * rho, T) - a * c * geometric(b**2, T)),
    reasons=POLE,
)

recurrent_speed = Law(
    speed_b,
    a * c * (delta * rho * first_moment(b * rho) - a * b * c * first_moment(b**2)),
    solves=over_lags(lambda k: a * c * k * b ** (k - 1) * missing(k)),
    given=PROFILE,
    source=Source(PROCA, "the recurrent mode at a profile delta rho^lag; the sum derived here"),
    examples=(
        dict(a=0.4, b=0.7, c=0.3, delta=1.7, rho=0.9, T=6),
        dict(a=-0.8, b=1.2, c=1.3, delta=0.6, rho=0.5, T=3),
        dict(a=1.4, b=0.3, c=0.2, delta=2.3, rho=1.7, T=9),
    ),
    evaluate=lambda a, b, c, delta, rho, T: (
        a * c * (delta * rho * _first_moment(T, b * rho) - a * b * c * _first_moment(T, b**2))
    ),
    reasons=POLE,
)

_strength, _variance = delta * total(b * rho), total(b**2)

frozen_recurrence = Law(
    sigma(t),
    1 / (_variance / _strength + (1 / sigma0 - _variance / _strength) * sp.exp(-2 * _strength * t / tau)),
    solves=lambda x: (tau * x.diff(t) - 2 * x * (_strength - _variance * x), x.subs(t, 0) - sigma0),
    given=(*PROFILE, delta > 0, tau > 0, sigma0 > 0, t >= 0),
    source=Source("derived here", "the gain a c while the recurrence stays as it is"),
    examples=tuple(
        dict(t=t, b=0.7, T=6, delta=1.7, rho=0.9, sigma0=0.02, tau=1.3) for t in (0.05, 0.6, 2.5)
    ) + (dict(t=0.4, b=1.2, T=3, delta=0.6, rho=0.5, sigma0=0.02, tau=1.3),),
    evaluate=_frozen,
    reasons={**POLE, sigma0 > 0: "a = c = 0 is a saddle: gradient flow never leaves it"},
)  # fmt: skip

reversed_gain = Law(
    gain,
    delta * rho**T,
    solves=lambda g: tuple(g * (1 / rho) ** (T - i) - delta * rho**i for i in (1, 2, T)),
    given=(rho > 0, T >= 1),
    source=Source(PROCA, "zero loss at targets s_i = delta rho^i, with b = 1/rho"),
    examples=(dict(delta=1.7, rho=1.2, T=6), dict(delta=-0.4, rho=0.8, T=3)),
)


_pull = delta * total(b * rho) - a * c * total(b**2)

unbalance_step = Law(
    sp.Symbol("Q_next", real=True),
    (a**2 - c**2) * (1 - eta**2 * _pull**2),
    solves=lambda after: (after - ((a + eta * c * _pull) ** 2 - (c + eta * a * _pull) ** 2),),
    given=(*PROFILE, eta > 0),
    source=Source("derived here", "a^2 - c^2 of one mode after a step of descent"),
    examples=(
        dict(a=0.4, b=0.7, c=-1.3, delta=1.7, rho=0.9, T=6, eta=0.02),
        dict(a=-0.8, b=1.2, c=1.3, delta=0.6, rho=0.5, T=3, eta=0.3),
    ),
    reasons=POLE,
)


def profile_speeds(s) -> Callable:
    """Equation (2): the speeds tau (a', b', c') of modes with any lag profile.

    Args:
        s: target strengths, shape (T,) or (T, modes); s[i - 1] belongs to input x_i, so that the last one has lag 0.

    Returns:
        A function of a, b, c, each of shape (modes,), that gives an array of shape (3, modes).

    Raises:
        TypeError, ValueError: s is no such array of real numbers.

    Source: Proca et al. 2025; derived here.
    """
    profile = real_array("profile_speeds: s", s)
    if profile.ndim not in (1, 2) or not len(profile):
        raise ValueError(f"profile_speeds: s has shape {profile.shape}; (T,) or (T, modes) is needed")
    by_lag = profile.reshape(len(profile), -1)[::-1]
    lags = np.arange(len(by_lag))[:, None]

    def speeds(a, b, c):
        power = b**lags
        slope = lags * b ** np.maximum(lags - 1, 0)
        gap = by_lag - a * c * power
        return np.array([(c * power * gap).sum(0), (a * c * slope * gap).sum(0), (a * power * gap).sum(0)])

    return speeds


def learn(speeds: Callable, start, times, tau: float = 1.0, rtol: float = 1e-12) -> np.ndarray:
    """The modes (a, b, c) along tau (a, b, c)' = speeds(a, b, c), by an integrator of order 8.

    Args:
        speeds: (a, b, c) -> three rows of speeds, as from `profile_speeds`.
        start: a, b, c at time 0; shape (3,) or (3, modes).
        times: increasing, >= 0.
        tau: positive.
        rtol: relative tolerance of the integrator; the absolute one is a thousandth of it.

    Returns:
        Shape (len(times), 3, modes).

    Raises:
        TypeError, ValueError: an argument is out of these ranges.
        ArithmeticError: the integrator has failed: the flow may diverge.
    """
    initial, when = real_array("learn: start", start), np.atleast_1d(real_array("learn: times", times))
    if initial.shape[:1] != (3,) or initial.ndim > 2:
        raise ValueError(f"learn: start has shape {initial.shape}; (3,) or (3, modes) is needed")
    if when[0] < 0 or np.any(np.diff(when) <= 0) or not tau > 0:
        raise ValueError(f"learn: times = {times!r} must be >= 0 and increase, and tau = {tau!r} be positive")
    shape = (3, initial.size // 3)

    def velocity(_, row):
        return np.reshape(speeds(*row.reshape(shape)), -1) / tau

    found = solve_ivp(
        velocity, (0.0, when[-1]), initial.reshape(-1), method="DOP853", t_eval=when, rtol=rtol, atol=rtol / 1000
    )
    if not found.success:
        raise ArithmeticError(f"learn: the integrator stopped: {found.message}")
    return found.y.T.reshape(-1, *shape)


def derive_learning() -> tuple[Step, ...]:
    """From the loss of a linear recurrent network over three inputs to its modes and their sums over lags."""
    x = sp.symbols("x1:4", real=True)
    s = sp.symbols("s1:4", real=True)
    h1, h2, h3, y, e1, e2, e3 = sp.symbols("h1 h2 h3 y e1 e2 e3", real=True)
    unrolled = {h1: a * x[0], h2: b * a * x[0] + a * x[1], h3: b * (b * a * x[0] + a * x[1]) + a * x[2]}
    errors = {e: s[i] - c * b ** (2 - i) * a for i, e in enumerate((e1, e2, e3))}
    signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))  # white: <x_i x_j> = 1 for i = j, else 0
    output = c * unrolled[h3]
    loss = sum((sum(si * xi for si, xi in zip(s, at, strict=True)) - output.subs(dict(zip(x, at, strict=True)))) ** 2
               for at in signs) / 8  # fmt: skip
    half = sum(e**2 for e in errors.values()) / 2
    flow = gradient_flow(half, (a, b, c), tau)
    three = {T: 3}
    lag = lambda f: sum(f(k) for k in range(3))  # noqa: E731
    S, M = sp.symbols("S M", positive=True)
    move = gradient_flow(S**2 / (2 * M) - S * a * c + M * (a * c) ** 2 / 2, (a, c), tau)
    return (
        Step("the state remembers its inputs", sp.Eq(h3, b**2 * a * x[0] + b * a * x[1] + a * x[2]), unrolled),
        Step("white inputs: each has its own error", sp.Eq(loss, (e1**2 + e2**2 + e3**2) / 2), errors),
        Step("the input weight descends it", sp.Eq(flow.speeds[0], c * (b**2 * e1 + b * e2 + e3)), errors),
        Step("the recurrent weight sees every lag but the last", sp.Eq(flow.speeds[1], a * c * (2 * b * e1 + e2)),
             errors),
        Step("the readout mirrors the input", sp.Eq(flow.speeds[2], a * (b**2 * e1 + b * e2 + e3)), errors),
        Step("so that a^2 - c^2 stays", sp.Eq(a * flow.speeds[0], c * flow.speeds[2], evaluate=False), errors),
        Step("a profile delta rho^lag: the sum over lags", sp.Eq(lag(lambda k: c * b**k * missing(k)),
             input_speed.rhs.subs(T, 3)), three),
        Step("and with the lags as weights", sp.Eq(lag(lambda k: a * c * k * b ** (k - 1) * missing(k)),
             recurrent_speed.rhs.subs(T, 3)), three),
        Step("with b at rest and a = c the gain is logistic",
             sp.Eq(c * move.speeds[0] + a * move.speeds[1], 2 * a * c * (S - M * a * c)), {a: c}),
    )  # fmt: skip
