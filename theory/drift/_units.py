"""One hidden unit of a ReLU network at a time: what its norms do, and what a dead one leaves in the Hessian.

f(x) = sum_u n_u relu(w_u x + b_u) with L = c |f - y|^2, c = 1/(K D); Q_u = |w_u|^2 + b_u^2 - |n_u|^2 is conserved by
gradient flow, as relu(a z) = a relu(z).  A finite step adds, exactly,

    dQ_u = eta^2 (|g_w|^2 - |g_n|^2),                                                                    (8)

g the gradient with respect to (w_u, b_u) and n_u; noise adds its own variance.  With the covariances (2) and (3) and
B_u(M) the trace of M over the entries of (w_u, b_u) less that over n_u, at stationarity, per step,

    d<Q_u> = sigma^2 (d + 1 - D) + (eta sigma^2/2) B_u(H (1 - eta H/2)^-1)          (update noise),
    d<Q_u> = 2 c eta^2 sigma^2 B_u(H (1 - eta H/2)^-1)                             (label noise).          (9)

A step in other units is the same step: (eta, sigma, y, theta) -> (eta a^2, sigma/a, y/a^2, theta/a) maps one noisy
run to another, to the last bit where a is a power of 2, so that eta sigma^2 is the noise without units.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from laws.arrays import positive, real_array
from laws.law import Law, Source, Step, formula
from theory.drift._manifold import point_of
from theory.drift._modes import C, c, label_spread, label_variance, lam, sigma, update_spread

w, h, m, g, eta = sp.symbols("w n x r eta", real=True)  # a unit that is active: n w x, r the slope of the loss in f
imbalance_step = Law(
    sp.Symbol("Q", real=True),
    w**2 - h**2 + eta**2 * g**2 * m**2 * (h**2 - w**2),
    solves=lambda q: (q - ((w - eta * g * h * m) ** 2 - (h - eta * g * w * m) ** 2),),
    given=(),
    source=Source("derived here", "w^2 - n^2 of a unit after a step; exact"),
    examples=(dict(w=0.7, n=-0.4, x=1.3, r=0.6, eta=0.2), dict(w=-1.2, n=0.3, x=0.4, r=-2.1, eta=0.7)),
)


@formula(r"\mathrm{dim\, ker}\, H = P - K D")
def nullity(parameters: int, samples: int, outputs: int) -> int:
    """The dimension P - K D of the null space of H where rank J = K D, however many units are dead.

    ValueError for counts below 1, and more equations than parameters.

    Source: derived here, from the rank of the Jacobian.
    """
    _counts(1, parameters=parameters, samples=samples, outputs=outputs)
    if parameters < samples * outputs:
        raise ValueError(f"{parameters} parameters cannot meet {samples} x {outputs} equations at a generic point")
    return int(parameters - samples * outputs)


@formula(r"\text{rows of zeros in } H = N_{\mathrm{dead}} (d + 1 + D)")
def dead_rows(dead: int, inputs: int, outputs: int) -> int:
    """The rows of zeros that dead units leave in H: inputs + 1 + outputs each; ValueError for negative counts.

    Source: derived here, a dead unit has no gradient.
    """
    _counts(0, dead=dead, inputs=inputs, outputs=outputs)
    return int(dead * (inputs + 1 + outputs))


def _counts(least: int, **counts) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < least:
            raise ValueError(f"{name} = {count!r} must be a whole number from {least} on")


@formula(
    r"""\langle \Delta Q_u \rangle = \sigma^2 (d + 1 - D) + \frac{\eta \sigma^2}{2} B_u \quad \text{(update noise)}

    \langle \Delta Q_u \rangle = 2 c\, \eta^2 \sigma^2 B_u \quad \text{(label noise)}

    B_u = \sum_{j \in (w_u, b_u)} M_{jj} - \sum_{j \in n_u} M_{jj},
    \quad M = H \left( 1 - \frac{\eta H}{2} \right)^{-1}"""
)
def imbalance_drift(hessian, eta: float, sigma: float, inputs: int, outputs: int, c: float | None = None) -> np.ndarray:
    """d<Q_u> per step of every unit at stationarity, equation (9); shape (hidden,).

    Args:
        hessian: H at a point of the manifold, shape (P, P), the parameters of a unit together: (w_u, b_u, n_u).
        eta: step, with eta lambda_max < 2.
        sigma: standard deviation of the noise of a parameter in a step; with c, of a label.
        inputs: d.
        outputs: D.
        c: L = c |f - y|^2, where the noise is that of labels.

    Raises:
        ValueError: as `update_noise_drift` does, and for a matrix that is not of whole units.

    Source: derived here, equation (9).
    """
    eta, sigma = positive("eta", eta), positive("sigma", sigma)
    _counts(1, inputs=inputs, outputs=outputs)
    point, width = point_of(hessian, eta), inputs + 1 + outputs
    size = len(point.along)
    if size % width:
        raise ValueError(f"hessian has {size} rows: a multiple of {inputs} + 1 + {outputs} is needed")
    trace = point.matrix(lambda value: value / (1 - eta * value / 2)).diagonal().reshape(-1, width)
    B = trace[:, : inputs + 1].sum(1) - trace[:, inputs + 1 :].sum(1)
    if c is None:
        return sigma**2 * (inputs + 1 - outputs) + eta * sigma**2 / 2 * B
    return 2 * positive("c", c) * eta**2 * sigma**2 * B


@formula(
    r"(\eta, \sigma, y, \theta) \to \left( a^2 \eta,\, \frac{\sigma}{a},\, \frac{y}{a^2},\, \frac{\theta}{a} \right)"
)
def rescaled(a: float, *, eta: float, sigma: float, y, theta) -> dict:
    """The same run in other units: eta a^2, sigma/a, y/a^2 and theta/a; ValueError for a that is not positive.

    Source: derived here, from one step of descent.
    """
    a = positive("a", a)
    y, theta = real_array("y", y), real_array("theta", theta)
    return {
        "eta": positive("eta", eta) * a**2,
        "sigma": positive("sigma", sigma) / a,
        "y": y / a**2,
        "theta": theta / a,
    }


def derive_units() -> tuple[Step, ...]:
    """From the scaling of a unit to (8), from the spread of its gradient to (9), and to the run in other units."""
    b, y, a = sp.symbols("b y a", real=True)
    f = h * (w * m + b)  # of a unit that is active
    loss = c * (f - y) ** 2
    ingoing, outgoing = (w, b), (h,)
    slope = {q: sp.Derivative(loss, q) for q in (w, b, h)}
    balance = lambda of: sum(of(q) ** 2 for q in ingoing) - sum(of(q) ** 2 for q in outgoing)  # noqa: E731
    scaled = {w: w / a, b: b / a, h: h / a, y: y / a**2}
    there = loss.diff(w).subs(scaled, simultaneous=True)
    return (
        Step("a unit whose weights grow as those that leave it shrink says the same",
             sp.Eq(w * slope[w] + b * slope[b], h * slope[h])),
        Step("so that a step changes its imbalance by squares alone",
             sp.Eq(balance(lambda q: q - eta * slope[q]) - balance(lambda q: q), eta**2 * balance(slope.get))),
        Step("the squares that update noise keeps up",
             sp.Eq(eta**2 * lam**2 * C, eta * sigma**2 / 2 * lam / (1 - eta * lam / 2)), {C: update_spread.rhs}),
        Step("those that noise of labels keeps up, its own among them",
             sp.Eq(eta**2 * lam**2 * C + label_variance,
                   2 * c * eta**2 * sigma**2 * lam / (1 - eta * lam / 2)), {C: label_spread.rhs}),
        Step("a step in other units is the same step",
             sp.Eq(w / a - eta * a**2 * there, (w - eta * slope[w]) / a)),
    )  # fmt: skip
