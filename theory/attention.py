"""Linear attention with merged key and query learns linear regression in its context, as a two-layer chain.

Problem.  A prompt has N examples (x_n, y_n) of a task y = w.x and a query x_q; x, x_q and w are normal with
unit variance in D dimensions, and w is new in every prompt.  Linear attention with value weight v and merged
key-query matrix U answers

    v h^T U x_q,     h = (1/N) sum_n y_n x_n.                                                 (1)

The average of h given w is w, but h also varies with the examples: <h h^T> = kappa I over tasks and prompts,

    kappa = 1 + (1 + D)/N.                                                                    (2)

So half of the mean squared error is L = (D - 2 v tr U + kappa v^2 |U|^2)/2: two layers, v and U, with one mode, the
direction of I/sqrt(D) in the space of matrices, of strength s = sqrt(D), in inputs of variance kappa.  The saddle is at
v = U = 0.  From U = u I and the balanced v = sqrt(D) u, with sigma = v u,

    tau sigma' = 2 sqrt(D) sigma (1 - kappa sigma),                                           (3)

a logistic curve (Zhang, Singh, Latham and Saxe, "Training dynamics of in-context learning in linear attention",
ICML 2025).  Learning is sudden, and ends at sigma = 1/kappa: context is shrunk, for it is finite.

Hypotheses.  D and N whole, at least 1; sigma starts above 0.

Proved.  (2) from the moments of normal variables, which are derivatives of their characteristic function;
(3) by substitution; the loss at its stationary points.
"""

import sympy as sp

from laws.flow import gradient_flow
from laws.law import Law, Source, Step

t, tau, D, N, sigma0 = sp.symbols("t tau D N sigma0", real=True)
sigma = sp.Function("sigma")
kappa, plateau = sp.symbols("kappa L", real=True)
ZHANG = "Zhang et al. 2025"

PROMPT = (D >= 1, N >= 1)
variance = 1 + (1 + D) / N


def _moment(*powers):
    """The mean of the product of powers of independent normal variables, from their characteristic function."""
    waves = sp.symbols(f"omega:{len(powers)}", real=True)
    function = sp.exp(-sum(w**2 for w in waves) / 2)
    for w, power in zip(waves, powers, strict=True):
        function = sp.diff(function, w, power) / sp.I**power if power else function
    return function.subs(dict.fromkeys(waves, 0))


def _fourth():
    """<|x|^2 x_1^2>: the first component with itself, and with each of the others."""
    return _moment(4) + (D - 1) * _moment(2, 2)


context_variance = Law(
    kappa,
    variance,
    solves=lambda k: (N**2 * k - (N * _fourth() + N * (N - 1) * _moment(2) ** 2),),
    given=PROMPT,
    source=Source(ZHANG, "the second moment of the context; derived here"),
    examples=(dict(D=3, N=2), dict(D=8, N=31)),
)

merged_attention = Law(
    sigma(t),
    1 / (variance * (1 + (1 / (variance * sigma0) - 1) * sp.exp(-2 * sp.sqrt(D) * t / tau))),
    solves=lambda x: (tau * x.diff(t) - 2 * sp.sqrt(D) * x * (1 - variance * x), x.subs(t, 0) - sigma0),
    given=(*PROMPT, tau > 0, sigma0 > 0, t >= 0),
    source=Source(ZHANG, "merged key and query, white inputs; derived here"),
    examples=tuple(dict(t=t, D=3, N=7, sigma0=0.02, tau=1.3) for t in (0.2, 1.1, 4.0)),
    reasons={sigma0 > 0: "sigma = 0 is a saddle: gradient flow never leaves it"},
)

context_loss = Law(
    plateau,
    D / 2 * (1 - 1 / variance),
    solves=lambda L: (L - _error(1 / variance), sp.diff(_error(sigma0), sigma0).subs(sigma0, 1 / variance)),
    given=PROMPT,
    source=Source("derived here", "what is left of the loss D/2 when all is learnt"),
    examples=(dict(D=3, N=2), dict(D=8, N=31)),
)


def _error(product):
    """The loss at v U = product I."""
    return D * (1 - 2 * product + variance * product**2) / 2


def derive() -> tuple[Step, ...]:
    """From the moments of prompts to the loss of attention, its saddle, and its logistic escape."""
    u, v, k, x = sp.symbols("u v kappa x", real=True)
    u11, u12, u21, u22 = entries = sp.symbols("U11 U12 U21 U22", real=True)
    two = 1 - v * (u11 + u22) + k * v**2 * sum(e**2 for e in entries) / 2  # D = 2
    flow = gradient_flow(two, (v, *entries))
    same = flow.impose({u11: u, u22: u, u12: sp.S.Zero, u21: sp.S.Zero})
    speed = {w: s for w, s in zip(same.weights, same.speeds, strict=True)}
    moved = v * speed[u] + u * speed[v]
    return (
        Step("the fourth moment of a normal variable", sp.Eq(x, 3), {x: _moment(4)}),
        Step("<|x|^2 x x^T> = (D + 2) I", sp.Eq(x, D + 2), {x: _fourth()}),
        Step("N equal and N (N - 1) unequal pairs", sp.Eq((N * x + N * (N - 1)) / N**2, variance), {x: _fourth()}),
        Step("v descends, here in two dimensions", sp.Eq(-sp.Derivative(two, v), flow.speeds[0])),
        Step("with U = u I the product moves by v^2 + 2 u^2", sp.Eq(moved, (v**2 + 2 * u**2) * (1 - k * u * v))),
        Step(
            "which is 2 sqrt(D) sigma for balanced layers",
            sp.Eq(v**2 + D * u**2, 2 * sp.sqrt(D) * x),
            {v: sp.sqrt(D) * u, x: sp.sqrt(D) * u**2},
        ),
        Step("at the saddle the trace drives v", sp.Eq(flow.speeds[0], u11 + u22), {v: 0}),
        Step("the end of learning", sp.Eq(_error(x), context_loss.rhs), {x: 1 / variance}),
    )  # fmt: skip
