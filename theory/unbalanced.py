"""Unbalanced layers: one linear neuron whose two layers differ in size or in rate, from lazy to rich to delayed.

Problem.  f(x) = a w.x learns white inputs of variance lam, whose correlation with the target has length s and
direction b*, by gradient flow with a rate for each layer:

    a' = eta_a w.g,     w' = eta_w a g,     g = s b* - lam beta,     beta = a w.                (1)

Conserved is delta = eta_w a^2 - eta_a |w|^2.  With r = |beta|, b = beta/r and kappa = eta_w a^2 + eta_a |w|^2,

    beta' = M g,     M = (kappa + delta)/2 I + (kappa - delta)/2 b b^T,
    kappa = sqrt(delta^2 + 4 eta_a eta_w r^2),                                                (2)

so that beta alone tells how it moves (Kunin et al., "Get rich quick", NeurIPS 2024).  M is the tangent kernel.

The sign of delta decides the regime.
- Small weights, delta = 0: both layers grow together from the saddle; w turns towards b* long before any
  loss is seen.  To leading order in the weights, at any delta, the cotangent of its angle with b* grows as

    cot(t) = (w_par cosh(nu t) + a sqrt(eta_w/eta_a) sinh(nu t))/w_perp,     nu = s sqrt(eta_a eta_w).   (3)

- delta -> inf, the second layer is large: M = delta I does not change, and beta goes straight to its
  target at one exponential rate: lazy.
- delta -> -inf, the first layer is large: M = |delta| b b^T.  beta stops where its direction ends, at
  (s/lam) cos(theta), and then turns slowly, in times of order |delta|,

    tan(theta) = tan(theta_0) e^(-eta_a eta_w s^2 t/(lam |delta|)):                           (4)

lazy at first, rich later.

Hypotheses.  s, lam and both rates positive; in (4) the start is less than a right angle from b*.

Proved.  (2) makes the product of the two squared lengths r^2; (3) solves the linearised flow; the limits solve the
flow of r and theta that (2) leaves as |delta| -> inf.
"""

import numpy as np
import sympy as sp

from laws.flow import gradient_flow
from laws.law import Law, Source, Step, formula

t, T, s, lam, delta, r, theta = sp.symbols("t T s lam delta r theta", real=True)
eta_a, eta_w, a, w, w_par, w_perp, r0, theta0 = sp.symbols("eta_a eta_w a w w_par w_perp r0 theta0", real=True)
kappa = sp.Symbol("kappa", real=True)
turned, out, along = sp.Function("theta"), sp.Function("beta_par"), sp.Function("r")
KUNIN = "Kunin et al. 2024"

TASK = (s > 0, lam > 0)
RATES = (eta_a > 0, eta_w > 0)
nu = s * sp.sqrt(eta_a * eta_w)

kernel_size = Law(
    kappa,
    sp.sqrt(delta**2 + 4 * eta_a * eta_w * r**2),
    solves=lambda k: ((k + delta) / (2 * eta_w) * (k - delta) / (2 * eta_a) - r**2,),
    given=(*RATES, r > 0),
    source=Source(KUNIN, "kappa; derived here"),
    examples=tuple(dict(delta=d, eta_a=0.7, eta_w=1.6, r=2.3) for d in (-5.2, 0.4, 3.1)),
)

early_alignment = Law(
    sp.cot(turned(t)),
    (w_par * sp.cosh(nu * t) + a * sp.sqrt(eta_w / eta_a) * sp.sinh(nu * t)) / w_perp,
    solves=lambda c: (
        c.diff(t, 2) - nu**2 * c,
        c.subs(t, 0) - w_par / w_perp,
        c.diff(t).subs(t, 0) - eta_w * s * a / w_perp,
    ),
    given=(s > 0, *RATES, w_perp > 0, t >= 0),
    source=Source("derived here", "silent alignment of unequal layers, to leading order in the weights"),
    examples=tuple(dict(t=t, s=1.7, eta_a=0.7, eta_w=1.6, a=0.3, w_par=-0.2, w_perp=0.9) for t in (0.1, 0.9, 2.3)),
)

lazy = Law(
    out(T),
    s / lam - (s / lam - r0) * sp.exp(-lam * T),
    solves=lambda b: (b.diff(T) - (s - lam * b), b.subs(T, 0) - r0),
    given=(*TASK, T >= 0),
    source=Source(KUNIN, "delta -> inf, in the time T = delta t; derived here"),
    examples=tuple(dict(T=T, s=1.7, lam=0.6, r0=0.2) for T in (0.3, 2.1, 6.0)),
)

stalled = Law(
    along(T),
    s * sp.cos(theta0) / lam - (s * sp.cos(theta0) / lam - r0) * sp.exp(-lam * T),
    solves=lambda b: (b.diff(T) - (s * sp.cos(theta0) - lam * b), b.subs(T, 0) - r0),
    given=(*TASK, T >= 0),
    source=Source(KUNIN, "delta -> -inf, in the time T = |delta| t; derived here"),
    examples=tuple(dict(T=T, s=1.7, lam=0.6, r0=0.2, theta0=0.9) for T in (0.3, 2.1, 6.0)),
)

turning = Law(
    sp.tan(turned(T)),
    sp.tan(theta0) * sp.exp(-eta_a * eta_w * s**2 * T / lam),
    solves=lambda x: (
        x.diff(T) + eta_a * eta_w * s * _stopped(x) * (1 + x**2) * x / sp.sqrt(1 + x**2),
        x.subs(T, 0) - sp.tan(theta0),
    ),
    given=(*TASK, *RATES, T >= 0, theta0 > 0, 2 * theta0 < sp.pi),
    source=Source("derived here", "delta -> -inf, in the time T = t/|delta|: the delayed rich regime"),
    examples=tuple(dict(T=T, s=1.7, lam=0.6, eta_a=0.7, eta_w=1.6, theta0=0.9) for T in (0.05, 0.2, 0.6)),
    reasons={2 * theta0 < sp.pi: "from a right angle on the neuron does not grow towards b*"},
)


def _stopped(tangent):
    """Where beta stops along its direction: (s/lam) cos(theta)."""
    return s / (lam * sp.sqrt(1 + tangent**2))


@formula(
    r"""\frac{\mathrm{tr}\, M_0 M_{\infty}}{\sqrt{\mathrm{tr}\, M_0^2\, \mathrm{tr}\, M_{\infty}^2}},
    \quad M_0 = \eta_w a^2 I + \eta_a w w^T,
    \quad M_{\infty} = \frac{\kappa + \delta}{2} I + \frac{\kappa - \delta}{2} b_* b_*^T

    \text{where } \delta = \eta_w a^2 - \eta_a |w|^2,
    \quad \kappa = \sqrt{\delta^2 + 4 \eta_a \eta_w s^2/\lambda^2},
    \quad \cos \theta_0 = \frac{w \cdot b_*}{|w|}"""
)
def kernel_similarity(*, a, w, theta0, s, lam, eta_a, eta_w, inputs):
    """The cosine between the tangent kernels before and after learning; 1 is lazy.

    Args:
        a: size of the second layer at the start, any shape.
        w: length of the first layer, a shape that broadcasts; not 0 where a is.
        theta0: the angle between the first layer and the target, in radians.
        s: length of the correlation, positive.
        lam: variance of the inputs, positive.
        eta_a: rate of the second layer, positive.
        eta_w: rate of the first layer, positive.
        inputs: their number.

    Returns:
        the cosine, in the broadcast shape.

    Raises:
        ValueError: for arguments outside these ranges.

    Source: derived here, from (2) at both ends.
    """
    a, w = np.asarray(a, dtype=float), np.asarray(w, dtype=float)
    if inputs < 1 or not np.all(np.isfinite(a) & np.isfinite(w) & (a**2 + w**2 > 0)):
        raise ValueError(f"kernel_similarity: a = {a}, w = {w}, inputs = {inputs!r}: a neuron of some size is needed")
    flat, sharp = eta_w * a**2, eta_a * w**2  # the kernel's isotropic part, and its part along beta
    after = kernel_size(delta=flat - sharp, eta_a=eta_a, eta_w=eta_w, r=s / lam)
    flat1, sharp1 = (after + (flat - sharp)) / 2, (after - (flat - sharp)) / 2
    inner = inputs * flat * flat1 + flat * sharp1 + sharp * flat1 + sharp * sharp1 * np.cos(theta0) ** 2

    def size(flat, sharp):
        return np.sqrt(inputs * flat**2 + 2 * flat * sharp + sharp**2)

    return inner / (size(flat, sharp) * size(flat1, sharp1))


def derive() -> tuple[Step, ...]:
    """From the loss of one neuron to its conserved quantity, its kernel, and the three regimes."""
    p, q, x = sp.symbols("p q x", real=True)  # the first layer along b* and across
    loss = lam / 2 * ((a * p - s / lam) ** 2 + (a * q) ** 2)
    flow = gradient_flow(loss, (a, p, q))
    speed_a, speed_p, speed_q = (rate * v for rate, v in zip((eta_a, eta_w, eta_w), flow.speeds, strict=True))
    pull, length = (s - lam * a * p, -lam * a * q), p**2 + q**2
    flat, sharp = eta_w * a**2, eta_a * length
    rest = (sp.sqrt(delta**2 + 4 * eta_a * eta_w * r**2) - delta) / 2
    return (
        Step("each layer is driven by the other", sp.Eq(-eta_w * sp.Derivative(loss, p), eta_w * a * pull[0])),
        Step("what one square gains the other does", sp.Eq(eta_w * a * speed_a, eta_a * (p * speed_p + q * speed_q))),
        Step(
            "how the product moves",
            sp.Eq(a * speed_p + p * speed_a, flat * pull[0] + sharp * p * (p * pull[0] + q * pull[1]) / length),
        ),
        Step(
            "with the size of the kernel",
            sp.Eq(kappa**2, delta**2 + 4 * eta_a * eta_w * r**2),
            {kappa: flat + sharp, delta: flat - sharp, r: a * sp.sqrt(length)},
        ),
        Step("near the saddle the part along b* grows", sp.Eq(speed_p, eta_w * a * s), {lam: 0}),
        Step("a large second layer: the kernel's part along beta", sp.Eq(rest * (rest + delta), eta_a * eta_w * r**2)),
        Step("a large first layer: beta stops along its direction", sp.Eq(s * sp.cos(theta) - lam * r, lam * (x - r)),
             {x: s * sp.cos(theta) / lam}),
        Step("how the first layer turns", sp.Eq((p * speed_q - q * speed_p) / length, -eta_w * a * s * q / length)),
        Step(
            "there its tangent decays",
            sp.Eq(-r * s * sp.sin(theta) / sp.cos(theta) ** 2, -(s**2) / lam * sp.tan(theta)),
            {r: s * sp.cos(theta) / lam},
        ),
    )  # fmt: skip
