"""Saddle to saddle in diagonal linear networks: from small weights, inputs enter one after the other.

Problem.  beta = u o v, element by element, predicts y by beta.x.  With C = <x x^T> and c = <y x> the loss is
beta.C beta/2 - c.beta up to a constant, and gradient flow, with g = C beta - c, is

    u' = -v g,     v' = -u g,     u(0) = alpha,     v(0) = 0.                                 (1)

So u + v and u - v grow and shrink by e^h and e^-h, h = -(integral of g), and

    beta = (alpha^2/2) sinh(2 h).                                                             (2)

beta_i is of order 1 only while |h_i| is ln(1/alpha).  In units of ln(1/alpha), with h = S ln(1/alpha) and
t = T ln(1/alpha), alpha -> 0 leaves this rule (Pesme and Flammarion, "Saddle-to-saddle dynamics in diagonal linear
networks", NeurIPS 2023): beta stays at a saddle while S moves uniformly by c - C beta; when some |S_i| reaches 1 it
jumps to the least loss among all beta with

    beta_i = 0 where |S_i| < 1,  beta_i >= 0 where S_i = 1,  beta_i <= 0 where S_i = -1.        (3)

The first input enters at T = 1/max|c_i|.  A second that is correlated with it, c_2 < c_1, has S_2 = c_2/c_1 by then,
and goes on by what the first leaves of its correlation.  Times at finite alpha differ by order 1 in t, that is by
1/ln(1/alpha) in T.

For beta = u^2 - v^2 with the same loss the threshold is 1/2: there u and v move twice as fast.

Hypotheses.  C positive definite; two inputs never reach the threshold at the same time.

Proved.  (2) has the derivative u^2 + v^2 = sqrt(alpha^4 + 4 beta^2) along h; the times of the first two jumps solve
the uniform motion.  The rule (3) itself is theirs; here it stands trial.
"""

import numpy as np
import sympy as sp
from scipy.optimize import nnls

from laws.flow import gradient_flow
from laws.law import Law, Source, Step, formula

h, alpha, T = sp.symbols("h alpha T", real=True)
c1, c2, C11, C12 = sp.symbols("c1 c2 C11 C12", real=True)
beta = sp.Function("beta")
first, second = sp.symbols("T_1 T_2", real=True)
PESME = "Pesme and Flammarion 2023"

mirror = Law(
    beta(h),
    alpha**2 / 2 * sp.sinh(2 * h),
    solves=lambda b: (b.diff(h) ** 2 - (alpha**4 + 4 * b**2), b.subs(h, 0), b.diff(h).subs(h, 0) - alpha**2),
    given=(alpha > 0,),
    source=Source(PESME, "the mirror map; derived here"),
    examples=(dict(h=0.7, alpha=0.1), dict(h=-9.0, alpha=1e-4), dict(h=1e-3, alpha=2.3)),
)

first_jump = Law(
    first,
    1 / c1,
    solves=lambda T: (c1 * T - 1,),
    given=(c1 > 0,),
    source=Source("derived here", "when the first input enters, in units of ln(1/alpha), as alpha -> 0"),
    examples=(dict(c1=1.7), dict(c1=0.3)),
)

second_jump = Law(
    second,
    1 / c1 + (1 - c2 / c1) / (c2 - C12 * c1 / C11),
    solves=lambda T: (c2 / c1 + (c2 - C12 * c1 / C11) * (T - 1 / c1) - 1,),
    given=(c2 > 0, c1 > c2, C11 > 0, C11 * c2 > C12 * c1),
    source=Source("derived here", "when a second input enters that is correlated with the first"),
    examples=(dict(c1=1.7, c2=0.9, C11=1.3, C12=0.4), dict(c1=0.8, c2=0.6, C11=0.7, C12=-0.3)),
    reasons={C11 * c2 > C12 * c1: "what the first input leaves must still call for more of the second"},
)


@formula(
    r"""\frac{d S}{d T} = c - C \beta,
    \quad \beta = \mathrm{argmin} \left\{ \frac{1}{2} \beta^T C \beta - c^T \beta \right\}

    \text{over } \beta_i = 0 \text{ where } |S_i| < S_*,
    \quad \beta_i S_i \ge 0 \text{ where } |S_i| = S_*,
    \quad S_* = 1 \text{ for } \beta = u \circ v, \ \frac{1}{2} \text{ for } u^2 - v^2"""
)
def path(covariance, correlation, *, threshold: float = 1.0, most: int = 1000):
    """The saddles of a diagonal network and the times between them, as alpha -> 0, by the rule (3).

    Args:
        covariance: C, shape (n, n), symmetric and positive definite.
        correlation: c, shape (n,).
        threshold: of |S|; 1 for u v, 1/2 for u^2 - v^2.
        most: jumps after which to give up.

    Returns:
        times of the jumps in units of ln(1/alpha), shape (K,), and the saddles before, between and after
        them, shape (K + 1, n); the last one is the least-squares solution.

    Raises:
        ValueError: for shapes that do not fit, a covariance that is not positive definite, correlations that
            vanish, and paths of more than `most` jumps.

    Source: Pesme and Flammarion 2023, algorithm 1.
    """
    C, c = np.asarray(covariance, dtype=float), np.asarray(correlation, dtype=float)
    if c.ndim != 1 or C.shape != (c.size, c.size) or not (np.isfinite(C).all() and np.isfinite(c).all()):
        raise ValueError(f"path: covariance {C.shape} and correlation {c.shape} must be finite and fit")
    if not np.allclose(C, C.T) or np.linalg.eigvalsh(C)[0] <= 0:
        raise ValueError("path: the covariance must be symmetric and positive definite")
    if not c.any() or not threshold > 0:
        raise ValueError(f"path: correlation = {c}, threshold = {threshold} leave nothing to learn")
    S, times, saddles = np.zeros(c.size), [0.0], [np.zeros(c.size)]
    awake = np.zeros(c.size, dtype=bool)
    while True:
        speed = c - C @ saddles[-1]
        still = np.abs(speed) <= 1e-9 * np.abs(c).max()  # of an input whose residual is 0 but for rounding
        wait = np.where(still | awake, np.inf, (threshold - S * np.sign(speed)) / np.abs(np.where(still, 1, speed)))
        if np.isinf(wait).all():
            return np.array(times[1:]), np.array(saddles)
        if len(times) > most:
            raise ValueError(f"path: more than {most} jumps")
        times.append(times[-1] + wait.min())
        S = np.clip(S + np.where(awake & still, 0, speed) * wait.min(), -threshold, threshold)
        S[np.argmin(wait)] = threshold * np.sign(speed[np.argmin(wait)])
        saddles.append(_least(C, c, np.where(np.abs(S) == threshold, np.sign(S), 0)))
        awake = saddles[-1] != 0


def _least(C, c, signs):
    """The least loss among all beta with these signs, and 0 where the sign is 0."""
    root = np.linalg.cholesky(C)
    chosen = signs != 0
    found = np.zeros(len(c))
    found[chosen] = signs[chosen] * nnls(root.T[:, chosen] * signs[chosen], np.linalg.solve(root, c))[0]
    return found


def derive() -> tuple[Step, ...]:
    """From the loss to the mirror map, and from its threshold to the first two jumps."""
    u, v, C, c, S, x = sp.symbols("u v C c S x", real=True)
    loss = C * (u * v) ** 2 / 2 - c * u * v
    flow = gradient_flow(loss, (u, v))
    pull = c - C * u * v
    grown = {u: alpha * sp.cosh(h), v: alpha * sp.sinh(h)}
    at_first = {x: c1 / C11}
    return (
        Step("each weight drives the other", sp.Eq(-sp.Derivative(loss, u), v * pull)),
        Step("their sum grows by the pull", sp.Eq(flow.speeds[0] + flow.speeds[1], (u + v) * pull)),
        Step("their difference shrinks by it", sp.Eq(flow.speeds[0] - flow.speeds[1], -(u - v) * pull)),
        Step("so the product is", sp.Eq(u * v, mirror.rhs), grown),
        Step("it moves by the sum of squares", sp.Eq(sp.Derivative(mirror.rhs, h), u**2 + v**2), grown),
        Step(
            "at h = S ln(1/alpha) it is small or large, as S is below 1 or above",
            sp.Eq(mirror.rhs, (alpha ** (2 - 2 * S) - alpha ** (2 + 2 * S)) / 4),
            {h: S * sp.log(1 / alpha)},
        ),
        Step("the first input enters", sp.Eq(c1 * x, 1), {x: first_jump.rhs}),
        Step("and takes what it can: its own pull ends", sp.Eq(c1, C11 * x), at_first),
        Step(
            "the second goes on by the rest",
            sp.Eq(c2 / c1 + (c2 - C12 * x) * (T - 1 / c1), 1),
            {T: second_jump.rhs, **at_first},
        ),
    )  # fmt: skip
