"""Where the mean field of the learner is stationary, what is unstable there, and who comes first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from laws.arrays import real_array
from laws.law import formula
from theory.decisions._field import task
from theory.decisions._rates import bias_rate, bias_value, stimulus_rate
from theory.decisions._symbols import UNITS

ANGLES = 200  # at which the drift of bias is looked at


@dataclass(frozen=True)
class Saddle:
    """A set of stationary points with the same values.

    learnt: the units that are learnt, of "L", "R", "0"
    values: Q^tot of both choices on trials of both stimuli; shape (2, 2), rows are stimuli
    rates: unit that is not learnt -> its rate (per tau) where all its weights are 0; it is an unstable direction if the
        rate is positive (a gain of 0 lets weights be anything: that moves the rate, not its sign)
    quasi: whether only the values rest, while gains fall as t^(-1/2) and weights grow
    repels: whether the values of a quasi-saddle, once off, also drift away, as a power of time
    """

    learnt: str
    values: np.ndarray
    rates: dict[str, float]
    quasi: bool = False
    repels: bool = False

    @property
    def unstable(self) -> int:
        """The number of unstable directions."""
        return sum(rate > 0 for rate in self.rates.values()) + self.repels


@formula(
    r"""f(\theta) = 0,
    \quad (\tau \lambda_i)^2 = \sum_a \langle x_i \pi_a (R_a - Q_a^{\mathrm{tot}}) \rangle \langle x_i \pi_a R_a \rangle
    \quad \text{for units } i \text{ that are not learnt}"""
)
def saddles(*, p: float, r: float, beta: float) -> tuple[Saddle, ...]:
    """Every stationary point of the mean field by the units that are learnt, quasi-saddles included.

    Args:
        p: probability of the left stimulus, between 0 and 1.
        r: reward of the right choice, positive.
        beta: inverse temperature of the choice, positive.

    Returns:
        The saddles with none, 0, L, R, LR learnt, then the quasi-saddles with L and 0, and with R and 0.  Beside each
        stimulus there is one quasi-saddle, or, at large beta, three: of these the middle one repels the others.
        Where all three units are learnt nothing rests.

    Raises:
        ValueError, TypeError: p outside 0 to 1, r or beta not positive.

    Source: reconstruction from the losses (2).
    """
    p, r, beta = task(p, r, beta)
    values = {
        "": np.zeros((2, 2)),
        "0": np.tile([bias_value(p=p, r=r), bias_value(p=1 - p, r=r)], (2, 1)),
        "L": np.diag([r, 0.0]),
        "R": np.diag([0.0, r]),
        "LR": np.diag([r, r]),
    }
    exact = [_saddle(learnt, totals, p, r, beta) for learnt, totals in values.items()]
    return (*exact, *_quasi("L", p, r, beta), *_quasi("R", p, r, beta))


@formula(
    r"""t_i = \frac{1}{2 \lambda_i} \ln \frac{V_i}{2 a_i^2},
    \quad \lambda_L = \frac{r p}{2},
    \quad \lambda_R = \frac{r (1 - p)}{2},
    \quad \lambda_0 = \frac{r \rho}{2},
    \quad \rho = \sqrt{p^2 + (1 - p)^2}

    V_L = V_R = r,
    \quad V_0 = r \rho,
    \quad a_L = \frac{u_L + w_{LL}}{2},
    \quad a_R = \frac{u_R + w_{RR}}{2},
    \quad a_0 = \frac{u_0}{2} + \frac{p\, w_{L0} + (1 - p) w_{R0}}{2 \rho}"""
)
def order_of_learning(start, *, p: float, r: float) -> np.ndarray:
    """Which unit of a small network is learnt first, second, third, by its growth from the origin.

    Args:
        start: rows (u_i, w_Li, w_Ri) for i = L, R, 0, small; shape (..., 3, 3).
        p: probability of the left stimulus, between 0 and 1.
        r: reward, positive.

    Returns:
        Numbers of the units (0, 1, 2 for L, R, 0), first to last; shape (..., 3).

    Raises:
        ValueError, TypeError: as `speed`.

    Around 0 a unit grows as a exp(lambda t), a being its start along the growing direction, until its values are half
    of those at its own saddle: after ln(V/(2 a^2))/(2 lambda), V being r for a stimulus and lambda/(r/2) times that
    for the constant unit.

    Source: derived here, from the rates (3) and (4).
    """
    p, r, _ = task(p, r, 1.0)
    rows = real_array("start", start)
    if rows.shape[-2:] != (3, 3):
        raise ValueError(f"start has the shape {rows.shape}, not (..., 3, 3)")
    norm = np.hypot(p, 1 - p)
    along = np.array([[1, 1, 0], [1, 0, 1], [1, p / norm, (1 - p) / norm]]) / 2
    rates = np.array([_first_rate(p, r), _first_rate(1 - p, r), bias_rate(p=p, r=r, tau=1.0)])
    with np.errstate(divide="ignore"):
        times = np.log(np.array([r, r, r * norm]) / 2 / np.sum(rows * along, axis=-1) ** 2) / (2 * rates)
    return np.argsort(times, axis=-1)


def _saddle(learnt, totals, p, r, beta, **kind) -> Saddle:
    rates = {i: _rate(i, totals, p, r, beta) for i in UNITS if i not in learnt}
    return Saddle(learnt, totals, rates, **kind)


def _first_rate(p, r):
    """A stimulus without bias, choices being even."""
    return stimulus_rate(p=p, r=r, pi=0.5, c=0.0, tau=1.0)


def _policy(totals, beta) -> np.ndarray:
    """Softmax over the last axis."""
    drive = np.exp(beta * (totals - totals.max(axis=-1, keepdims=True)))
    return drive / drive.sum(axis=-1, keepdims=True)


def _rate(unit, totals, p, r, beta) -> float:
    """The rate of a unit that is not learnt: the root of the sum over choices of gain's slope times weight's slope."""
    seen = np.array([unit != "R", unit != "L"]) * np.array([p, 1 - p])
    weights = seen[:, None] * _policy(totals, beta)
    square = np.sum((weights * (r * np.eye(2) - totals)).sum(0) * (weights * r * np.eye(2)).sum(0))
    return float(np.sqrt(max(square, 0.0)))


def _quasi(side, p, r, beta) -> list[Saddle]:
    """Where one stimulus and the constant unit are learnt: the values rest at every balance of the two biases.

    With the stimulus on the left, Q_L = r on its trials.  The gain u_0 soon brings the values c of the constant unit,
    at whatever ratio they are, to where sum_a E_a c_a = 0, E_a being the average of pi_a (Rew - Q_a^tot); near c = 0
    the sum is positive, so that it crosses 0 downwards.  Then the ratio drifts as (G_R/c_R - G_L/c_L) u_0^2, G_a being
    the average of pi_a (Rew - c_a): towards the middle from both ends, so that there is one rest at least, and one
    more that attracts than repel.
    """
    own, other = (p, 1 - p) if side == "L" else (1 - p, p)

    def averages(c):
        totals = np.array([[r, c[1]], c])
        weights = np.array([[own], [other]]) * _policy(totals, beta)
        return (weights * (r * np.eye(2) - totals)).sum(0), (weights * (r * np.eye(2) - c)).sum(0)

    def bias(angle):
        along = np.array([np.cos(angle), np.sin(angle)])
        pull = lambda size: averages(size * along)[0] @ along  # noqa: E731
        far = next(size for size in r * 2.0 ** np.arange(-20, 20) if pull(size) < 0)
        return brentq(pull, far / 2, far, xtol=1e-15, rtol=1e-14) * along

    def drift(angle):
        c = bias(angle)
        growth = averages(c)[1]
        return growth[1] * c[0] - growth[0] * c[1]

    angles = np.linspace(0, np.pi / 2, ANGLES + 2)[1:-1]
    sides = np.sign([drift(angle) for angle in angles])
    found = []
    for k in np.flatnonzero(sides[:-1] != sides[1:]):
        c = bias(brentq(drift, angles[k], angles[k + 1], xtol=1e-15, rtol=1e-14))
        totals = np.array([[r, c[1]], c])
        totals = totals if side == "L" else totals[::-1, ::-1]
        found.append(_saddle(side + "0", totals, p, r, beta, quasi=True, repels=bool(sides[k] < 0)))
    return found
