"""From the loss of a gated network to its path flow, its reduction, and the closed forms of two examples."""

from itertools import product

import sympy as sp

from laws.flow import gradient_flow
from laws.law import Step
from theory.gating._laws import Delta, M, a, b_h, b_in, c, d, q, routing_hidden, s, t, tau, xor

u, v, w = (sp.symbols(f"{letter}1:5", real=True) for letter in "uvw")
gate, x, y = (sp.symbols(f"{letter}1:5", real=True) for letter in ("g", "x", "y"))
lam = sp.Symbol("lam", real=True)


def derive() -> tuple[Step, ...]:
    """The steps from the gated loss to its laws."""
    return (*_to_path_flow(), *_to_reduction(), *_to_xor(), *_to_routing())


def _to_path_flow() -> tuple[Step, ...]:
    """Two examples, one hidden node of two units, a skip, and gates of any value."""
    W1, W2, W3 = sp.Matrix(2, 2, u), sp.Matrix(1, 2, v[:2]), sp.Matrix(1, 2, w[:2])
    inputs = [sp.Matrix(x[:2]), sp.Matrix(x[2:])]
    through, skip = gate[:2], gate[2:]  # the gate of the hidden node, and of the skip, on each example
    outputs = [g * W2 * W1 * z + h * W3 * z for g, h, z in zip(through, skip, inputs, strict=True)]
    loss = sum(((target - out[0]) ** 2 for target, out in zip(y[:2], outputs, strict=True)), sp.S.Zero) / 4
    mean = lambda terms: sum(terms, sp.zeros(1, 2)) / 2  # noqa: E731
    square = lambda terms: sum(terms, sp.zeros(2, 2)) / 2  # noqa: E731
    yx = mean(g * target * z.T for g, target, z in zip(through, y, inputs, strict=False))
    own = square(g * z * z.T * g for g, z in zip(through, inputs, strict=True))
    other = square(h * z * z.T * g for g, h, z in zip(through, skip, inputs, strict=True))
    error = yx - W2 * W1 * own - W3 * other
    flow = gradient_flow(loss, (*u, *v[:2], *w[:2]))
    speeds = dict(zip(flow.weights, flow.speeds, strict=True))
    first, second = W1.applyfunc(lambda e: speeds[e]), W2.applyfunc(lambda e: speeds[e])
    kept = (W1 * first.T + first * W1.T)[0, 1], (W2.T * second + second.T * W2)[0, 1]
    return (
        Step("each weight descends the gated loss", sp.Eq(-sp.Derivative(loss, u[1]), speeds[u[1]], evaluate=False)),
        Step("its speed is the path equation (2)", sp.Eq(speeds[u[1]], (W2.T * error)[0, 1], evaluate=False)),
        Step("each hidden node conserves (3)", sp.Eq(*kept, evaluate=False)),
    )


def _to_reduction() -> tuple[Step, ...]:
    """The path equation at W1 = R B1 V^T, W2 = U B2 R^T, with orthogonal matrices of Pythagorean angles."""
    turn = lambda p, r, h: sp.Matrix([[p, -r], [r, p]]) / h  # noqa: E731
    U, V, R = turn(3, 4, 5), turn(5, 12, 13), turn(8, 15, 17)
    S, X, B1, B2 = (sp.diag(*symbols[:2]) for symbols in (y, x, u, v))
    W1, W2 = R * B1 * V.T, U * B2 * R.T
    speed = W2.T * (U * S * V.T - W2 * W1 * V * X * V.T)
    reduced = B2 * (S - B2 * B1 * X)
    return (
        Step("decoupled weights keep their bases (4)", sp.Eq(speed[0, 1], (R * reduced * V.T)[0, 1], evaluate=False)),
    )


def _to_xor() -> tuple[Step, ...]:
    """Four gates, each open on one example, with weights along that example."""
    b1, b2, out = sp.symbols("b1 b2 a", real=True)
    terms = []
    for s1, s2 in product((1, -1), repeat=2):
        target, example = s1 * s2, sp.Matrix([s1 * c, s2 * c, s1 * s2 * Delta])
        along = b1 * example / sp.sqrt(q)  # the weights of the one hidden unit that is on
        terms.append((target - target * b2 * along.dot(example)) ** 2)
    loss = sum(terms, sp.S.Zero) / 8
    common = (1 - sp.sqrt(q) * b1 * b2) ** 2 / 2
    slope = gradient_flow(common, (b1, b2)).speeds
    speed = (b1 * slope[1] + b2 * slope[0]) / 4  # each of four equal edges has a quarter of the common slope
    equal = {b1: sp.sqrt(out), b2: sp.sqrt(out)}
    law = 2 * out * (sp.sqrt(q) / 4 - q / 4 * out)
    return (
        Step("exclusive-or: all four pathways have one error", sp.Eq(loss, common, evaluate=False)),
        Step("equal layers move by (5)", sp.Eq(speed.subs(equal), law, evaluate=False)),
        Step("which is logistic", sp.Eq(tau * a(t).diff(t), law.subs(out, a(t))), {a(t): xor.rhs}),
    )


def _to_routing() -> tuple[Step, ...]:
    """Three domains, two outputs each: the scalar network of one mode."""
    ins, outs = sp.symbols("p1:4", real=True), sp.symbols("r1:4", real=True)
    pairs = [(i, (i + k) % 3) for i in range(3) for k in range(2)]
    loss = sum(((s - d * ins[i] * b_h * outs[j]) ** 2 for i, j in pairs), sp.S.Zero) / (2 * d * len(pairs))
    full = gradient_flow(loss, (*ins, b_h, *outs))
    into, out = sp.symbols("b_in b_out", real=True)
    alike = {**dict.fromkeys(ins, into), **dict.fromkeys(outs, out)}
    reduced = dict(zip(full.weights, (speed.subs(alike) for speed in full.speeds), strict=True))
    error = s - d * into * b_h * out
    at = {out: into}
    speed_in, speed_h = (reduced[e].subs(at) for e in (ins[0], b_h))
    along = {sp.Function("b_h")(b_in): routing_hidden.rhs}
    hidden = sp.Function("b_h")(b_in)
    return (
        Step(
            "routing: a domain has 1/M of the slope (6)", sp.Eq(reduced[ins[0]], b_h * out * error / 3, evaluate=False)
        ),
        Step("the shared weight has all of it", sp.Eq(reduced[b_h], into * out * error, evaluate=False)),
        Step("so that b_h^2 - M b_in^2 stays", sp.Eq(2 * b_h * speed_h, 2 * 3 * into * speed_in, evaluate=False)),
        Step("and the shared weight is known", sp.Eq(hidden * hidden.diff(b_in), M * b_in), along),
    )
