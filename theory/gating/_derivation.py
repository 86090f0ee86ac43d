"""From the loss of a gated network to its path flow, its reduction, and the closed forms of two examples."""

from itertools import product

import sympy as sp

from laws.flow import gradient_flow
from laws.law import Step
from theory.gating._laws import (
    Delta,
    M,
    a,
    agreement,
    b_h,
    b_in,
    c,
    d,
    k,
    q,
    routing_hidden,
    s,
    sign_error,
    t,
    tau,
    xor,
)

u, v, w = (sp.symbols(f"{letter}1:5", real=True) for letter in "uvw")
gate, x, y = (sp.symbols(f"{letter}1:5", real=True) for letter in ("g", "x", "y"))

Ni, Nh, No = 3, 2, 2
PATHS = ("hidden", "skip")  # through the hidden node, and past it
EDGES = {"W1": "before the hidden node", "W2": "after it", "W3": "that skips it"}


def derive() -> tuple[Step, ...]:
    """The steps from the gated loss to its laws."""
    return (*_to_path_flow(), *_to_reduction(), *_to_xor(), *_to_routing(), *_to_signs())


def _names() -> dict[str, sp.MatrixSymbol]:
    """Weights and their speeds, and the correlations of both paths, as matrices that typeset."""
    shapes = dict(W1=(Nh, Ni), W2=(No, Nh), W3=(No, Ni))
    found = {name: sp.MatrixSymbol(name, *shape) for name, shape in shapes.items()}
    found |= {f"{name}'": sp.MatrixSymbol(rf"\dot{{{name[0]}}}_{name[1]}", *shape) for name, shape in shapes.items()}
    found |= {p: sp.MatrixSymbol(rf"\Sigma^{{yx}}_{{{p}}}", No, Ni) for p in PATHS}
    return found | {j + p: sp.MatrixSymbol(rf"\Sigma^x_{{{j},\,{p}}}", Ni, Ni) for j, p in product(PATHS, repeat=2)}


def _path_equation() -> dict[str, sp.Expr]:
    """The right side of (2) for every edge."""
    n = _names()
    W1, W2, W3 = (n[name] for name in EDGES)
    hidden, skip = (n[p] - W2 * W1 * n["hidden" + p] - W3 * n["skip" + p] for p in PATHS)
    return dict(W1=W2.T * hidden, W2=hidden * W1.T, W3=skip)


def _to_path_flow() -> tuple[Step, ...]:
    """Two examples, one hidden node, a skip that shares its input and output, and gates of any value."""
    free = lambda name, *shape: sp.Matrix(*shape, lambda i, j: sp.Symbol(f"{name}{i + 1}{j + 1}", real=True))  # noqa: E731
    n, W1, W2, W3 = _names(), free("u", Nh, Ni), free("v", No, Nh), free("w", No, Ni)
    X, Y = free("x", Ni, 2), free("y", No, 2)  # an example in each column
    gates = dict(hidden=sp.diag(*gate[:2]), skip=sp.diag(*gate[2:]))  # of both paths, on each example
    error = Y - W2 * W1 * X * gates["hidden"] - W3 * X * gates["skip"]
    loss = sum((entry**2 for entry in error), sp.S.Zero) / 4
    where = {n[name]: W for name, W in zip(EDGES, (W1, W2, W3), strict=True)}
    where |= {n[f"{name}'"]: -where[n[name]].applyfunc(loss.diff) for name in EDGES}
    where |= {n[p]: Y * gates[p] * X.T / 2 for p in PATHS}
    where |= {n[j + p]: X * gates[j] * gates[p] * X.T / 2 for j, p in product(PATHS, repeat=2)}
    W1, W2, moves, leaves = (n[name] for name in ("W1", "W2", "W1'", "W2'"))
    conserved = sp.Eq(moves * W1.T + W1 * moves.T, leaves.T * W2 + W2.T * leaves)
    return (
        *(Step(f"the loss descends by the path equation (2), in the edge {EDGES[name]}",
               sp.Eq(n[f"{name}'"], speed), where) for name, speed in _path_equation().items()),
        Step("each hidden node conserves (3)", conserved, where),
    )  # fmt: skip


def _to_reduction() -> tuple[Step, ...]:
    """The same two paths at W_e = R_t B_e R_s^T, with orthonormal columns in rational numbers."""
    turn = lambda p, r, h: sp.Matrix([[p, -r], [r, p]]) / h  # noqa: E731
    U, R, V = turn(3, 4, 5), turn(8, 15, 17), sp.Matrix([[2, 2], [2, -1], [1, -2]]) / 3
    n, (B1, B2, B3) = _names(), (sp.diag(*symbols[:2]) for symbols in (u, v, w))
    S = dict(hidden=sp.diag(*y[:2]), skip=sp.diag(*y[2:]))
    own, other, both = (sp.diag(*symbols) for symbols in (x[:2], x[2:], gate[:2]))
    D = {"hiddenhidden": own, "skipskip": other, "hiddenskip": both, "skiphidden": both}
    where = {n["W1"]: R * B1 * V.T, n["W2"]: U * B2 * R.T, n["W3"]: U * B3 * V.T}
    where |= {n[p]: U * S[p] * V.T for p in PATHS} | {n[pair]: V * D[pair] * V.T for pair in D}
    hidden, skip = (S[p] - B2 * B1 * D["hidden" + p] - B3 * D["skip" + p] for p in PATHS)
    reduced = dict(W1=R * B2 * hidden * V.T, W2=U * hidden * B1 * R.T, W3=U * skip * V.T)
    where |= {n[f"{name}'"]: speed for name, speed in reduced.items()}
    return tuple(
        Step(f"with decoupled weights it keeps their bases, and moves their lengths by (4), in the edge {EDGES[name]}",
             sp.Eq(n[f"{name}'"], speed), where) for name, speed in _path_equation().items()
    )  # fmt: skip


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


def _to_signs() -> tuple[Step, ...]:
    """Three domains, one output each: what training leaves free, and what is wrong on the pairs not trained."""
    ins, outs, e = (sp.symbols(f"{letter}1:4", real=True) for letter in ("p", "r", "epsilon"))
    trained = lambda p, r: sum(((s - d * a * b_h * b) ** 2 for a, b in zip(p, r, strict=True)), sp.S.Zero) / (6 * d)  # noqa: E731
    flipped = trained((-ins[0], *ins[1:]), (-outs[0], *outs[1:]))
    ends = {symbol: b_in * sign for signed in (ins, outs) for symbol, sign in zip(signed, e, strict=True)}
    wrong = ((s - d * ins[0] * b_h * outs[1]) / s) ** 2
    size = {d: s / (b_in**2 * b_h)}
    signs = list(product((1, -1), repeat=3))
    mean = lambda of: sum((of(case) for case in signs), sp.S.Zero) / len(signs)  # noqa: E731
    three = lambda law, case: law.rhs.subs({M: 3, k: case.count(1)})  # noqa: E731
    left, chance = sp.Function("E")(M), sp.Function("P")(M)
    return (
        Step("one output each: a domain's input and output may change sign together",
             sp.Eq(trained(ins, outs), flipped, evaluate=False)),
        Step("so a pair that was never trained has the product of two signs",
             sp.Eq(wrong.subs(ends).subs(size), (1 - e[0] * e[1]) ** 2, evaluate=False)),
        Step("averaged over signs that are free, twice the error at the start is left",
             sp.Eq(left, 2), {left: mean(lambda case: three(sign_error, case))}),
        Step("and none where they agree, which has the probability",
             sp.Eq(chance, agreement.rhs.subs(M, 3)),
             {chance: mean(lambda case: sp.Integer(three(sign_error, case) == 0))}),
    )  # fmt: skip
