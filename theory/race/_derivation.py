"""From the gated losses of competing pathways to who wins."""

import sympy as sp

from laws.flow import gradient_flow
from laws.law import Step
from theory.race._laws import (
    K,
    M,
    a1,
    a2,
    b0,
    b_h,
    c,
    d,
    gated_strength,
    kappa,
    loser,
    routing_escape,
    s,
    s1,
    s2,
    shared_error,
    tau,
    transition,
)

Delta = sp.Symbol("Delta", real=True)


def derive() -> tuple[Step, ...]:
    """The steps from the losses to the laws."""
    return (*_one_error(), *_transition(), *_shared_or_dedicated())


def _one_error() -> tuple[Step, ...]:
    """Two pathways of two layers each, with outputs in one ratio on all examples."""
    u1, u2, v1, v2, x1, x2 = sp.symbols("u1 u2 v1 v2 x1 x2", real=True)
    error = 1 - x1 * u1 * u2 - x2 * v1 * v2
    flow = gradient_flow(error**2 / 2, (u1, u2, v1, v2))
    first = flow.speeds[0] * u2 + flow.speeds[1] * u1
    equal = {u1: sp.sqrt(a1), u2: sp.sqrt(a1)}
    ratio = sp.Function("a1")(a2)
    return (
        Step("each pathway grows with the error that all of them leave",
             sp.Eq(first.subs(equal), 2 * x1 * a1 * error.subs(equal), evaluate=False)),
        Step("so their logarithms grow in proportion",
             sp.Eq(s2 * a2 * ratio.diff(a2), s1 * ratio), {ratio: shared_error.rhs}),
    )  # fmt: skip


def _transition() -> tuple[Step, ...]:
    """The singular values of the linear and the gated pathway of exclusive-or with margin."""
    examples = [(sp.Matrix([i * c, j * c, i * j * Delta]), i * j) for i in (1, -1) for j in (1, -1)]
    one = examples[0][0] / 4
    plus = sum((target * example for example, target in examples[::3]), sp.zeros(3, 1)) / 4
    return (
        Step("a gate that is open on one example", sp.Eq(sp.sqrt(one.dot(one)), gated_strength(Delta), evaluate=False)),
        Step("a gate that is open on all examples of one class", sp.Eq(plus[2], Delta / 2, evaluate=False)),
        Step("they are equally fast at the transition",
             sp.Eq(kappa * transition.rhs, gated_strength(transition.rhs), evaluate=False), given=transition.given),
    )  # fmt: skip


def _shared_or_dedicated() -> tuple[Step, ...]:
    """Escape from small weights: with the output far from its target, E = s."""
    b1, b2, b3 = sp.symbols("b1 b2 b3", real=True)
    pair = (s - d * b1 * b2 * b3) ** 2 / (2 * d * M * K)  # a pair is one of M K
    slope = gradient_flow(pair, (b1, b2, b3)).speeds[1]
    time, own = sp.Function("T")(b_h), sp.Function("b_d")(b_h)
    speed = s * (b0**2 + (b_h**2 - b0**2) / M) / tau
    spent = routing_escape.rhs.subs(b_h, b0) - routing_escape.rhs
    frozen = {own: 1 / (1 / b0 - s * spent / (tau * M * K))}
    return (
        Step("the shared weight escapes in finite time",
             sp.Eq(-speed * time.diff(b_h), 1, evaluate=False), {time: routing_escape.rhs}),
        Step("a pathway of its own has 1/(MK) of the slope",
             sp.Eq(slope, b1 * b3 * (s - d * b1 * b2 * b3) / (M * K), evaluate=False)),
        Step("and grows in the time that the shared weight takes",
             sp.Eq(tau * own.diff(b_h) * speed, s * own**2 / (M * K), evaluate=False), frozen),
        Step("until the others have escaped",
             sp.Eq(sp.Limit(frozen[own], b_h, sp.oo), loser.rhs, evaluate=False)),
    )  # fmt: skip
