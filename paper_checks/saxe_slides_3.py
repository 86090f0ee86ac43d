"""Part 3 of Saxe's lecture "Models of representation learning dynamics": gated networks and the neural race.

In the slides' notation, and independent of `theory`.  Networks are dictionaries of edges q: s(q) -> t(q); all
numbers are small integers, so that gradients are exact: the loss is quadratic in every single weight.  What
holds is asserted.  Where the print is wrong, it is shown to fail and the corrected form to pass.
"""

from fractions import Fraction
from functools import reduce

import numpy as np
import torch
from scipy.integrate import solve_ivp

DOCUMENT = "saxe-slides"

# the slide's own drawing, and more: a skip, two outputs, and two paths that end at one node
EDGES = {"a": (1, 2), "b": (2, 3), "c": (3, 4), "d": (2, 4), "e": (2, 5), "f": (0, 3)}
DIMS = {0: 2, 1: 2, 2: 3, 3: 2, 4: 2, 5: 1}
INPUTS, OUTPUTS, EXAMPLES = (0, 1), (4, 5), 3


def network(seed=5):
    """Integer weights, data, and gates (2 or 3 on nodes, -1 or 2 on edges, so that none is 1)."""
    draw = np.random.default_rng(seed).integers
    W = {q: draw(-2, 3, (DIMS[t], DIMS[s])).astype(object) for q, (s, t) in EDGES.items()}
    x = {v: draw(-2, 3, (EXAMPLES, DIMS[v])).astype(object) for v in INPUTS}
    y = {v: draw(-3, 4, (EXAMPLES, DIMS[v])).astype(object) for v in OUTPUTS}
    g = {v: draw(2, 4, EXAMPLES).astype(object) for v in DIMS}
    g |= {q: (3 * draw(0, 2, EXAMPLES) - 1).astype(object) for q in EDGES}
    return W, x, y, g


def forward(W, x, g, gate_inputs=True):
    """Printed: h_v = g_v sum over q into v of g_q W_q h_s(q); at an input h_v = g_v x_v, or x_v."""
    h = {}
    for v in sorted(DIMS):
        into = [q for q, (_, t) in EDGES.items() if t == v]
        if into:
            h[v] = g[v][:, None] * sum(g[q][:, None] * (h[EDGES[q][0]] @ W[q].T) for q in into)
        else:
            h[v] = g[v][:, None] * x[v] if gate_inputs else x[v]
    return h


def paths(start=INPUTS):
    """Every path, as its edges."""
    found = [(q,) for q, (s, _) in EDGES.items() if s in start]
    for p in found:
        found += [(*p, q) for q, (s, _) in EDGES.items() if s == EDGES[p[-1]][1]]
    return [p for p in found if EDGES[p[-1]][1] in OUTPUTS]


def product(W, p, size):
    """W_p = W_c W_b W_a; the identity for the empty path."""
    return reduce(lambda total, q: W[q] @ total, p, np.eye(size, dtype=int).astype(object))


def source(p):
    """The node that a path starts from."""
    return EDGES[p[0]][0]


def target(p):
    """The node that a path ends at."""
    return EDGES[p[-1]][1]


def path_gate(g, p):
    """Printed: g_p = g_4 g_c g_3 g_b g_2 g_a g_1, all nodes and edges of the path."""
    return reduce(lambda total, q: total * g[q] * g[EDGES[q][1]], p, g[source(p)])


def mean(rows, columns):
    """The average of an outer product over examples, exactly."""
    return (rows.T @ columns) * Fraction(1, EXAMPLES)


def printed_flow(W, x, y, g, same):
    """The printed right side; `same(j, p, e)` says which paths j enter the error of p."""
    speed = {e: 0 * W[e] for e in EDGES}
    for p in paths():
        yx = mean(path_gate(g, p)[:, None] * y[target(p)], x[source(p)])
        for i, e in enumerate(p):
            error = yx
            for j in paths():
                if same(j, p, e):
                    xx = mean(path_gate(g, j)[:, None] * x[source(j)], path_gate(g, p)[:, None] * x[source(p)])
                    error = error - product(W, j, DIMS[source(j)]) @ xx
            after = product(W, p[i + 1 :], DIMS[EDGES[e][1]])
            speed[e] = speed[e] + after.T @ error @ product(W, p[:i], DIMS[source(p)]).T
    return speed


def slope(W, x, y, g, each=Fraction(1, 2 * EXAMPLES)):
    """Minus the gradient of the printed loss, <1/2 sum |y_v - h_v|^2>, by exact central differences.

    each: what the squared error of one example counts.
    """

    def loss(weights):
        h = forward(weights, x, g)
        return sum(((y[v] - h[v]) ** 2).sum() for v in OUTPUTS) * each

    down = {e: 0 * W[e] for e in EDGES}
    for e in EDGES:
        for entry in np.ndindex(*W[e].shape):
            ends = []
            for step in (1, -1):
                moved = {q: w.copy() for q, w in W.items()}
                moved[e][entry] += step
                ends.append(loss(moved))
            down[e][entry] = (ends[1] - ends[0]) / 2
    return down


def equal(one, other):
    """Whether two sets of matrices are the same numbers."""
    return all(np.array_equal(one[e], other[e]) for e in EDGES)


def distance(one, other):
    """The relative distance of two sets of matrices."""
    rows = [np.concatenate([np.asarray(m[e], dtype=float).ravel() for e in EDGES]) for m in (one, other)]
    return float(np.linalg.norm(rows[0] - rows[1]) / np.linalg.norm(rows[1]))


def ending_together(j, p, e):
    """T(t(p)): all paths that end where p does."""
    return target(j) == target(p)


def test_forward_propagation(erratum):
    """The forward pass omits that inputs are gated too; without it the path gate, which has g_1, is wrong."""
    W, x, y, g = network()
    total = {v: 0 for v in OUTPUTS}
    for p in paths():
        total[target(p)] = total[target(p)] + path_gate(g, p)[:, None] * (
            x[source(p)] @ product(W, p, DIMS[source(p)]).T
        )
    gated, bare = forward(W, x, g), forward(W, x, g, gate_inputs=False)
    assert all(np.array_equal(gated[v], total[v]) for v in OUTPUTS)
    assert not any(np.array_equal(bare[v], total[v]) for v in OUTPUTS)
    size = np.linalg.norm((bare[4] - total[4]).astype(float)) / np.linalg.norm(total[4].astype(float))
    erratum(
        DOCUMENT,
        "Gated Deep Linear Network: forward propagation",
        verdict="incomplete: inputs must be gated for g_p to be the product of all gates",
        printed=r"h_{v} = g_{v} \sum_{q:\, t(q)=v} g_{q} W_{q} h_{s(q)}",
        corrected=r"\text{and } h_{v} = g_{v} x_{v} \text{ at inputs}",
        size=f"outputs off by {size:.2g} of their size with input gates of 2 and 3; none with input gates of 1",
    )


def test_path_equation(erratum):
    """The gradient holds if the error of a path has all paths to the same node, T(t(p)); T(e) as braced is wrong."""
    W, x, y, g = network()
    down = slope(W, x, y, g)
    assert equal(printed_flow(W, x, y, g, ending_together), down)
    readings = {
        "with e": lambda j, p, e: ending_together(j, p, e) and e in j,
        "ending with e": lambda j, p, e: j[-1] == e,
        "p alone": lambda j, p, e: j == p,
    }
    sizes = {name: distance(printed_flow(W, x, y, g, same), down) for name, same in readings.items()}
    assert min(sizes.values()) > 0.01
    erratum(
        DOCUMENT,
        "Gradient descent: which paths enter the error",
        verdict="misprint in the underbrace and in the index of the sum",
        printed=r"\sum_{j \in \mathcal{T}(p)} W_{j} \Sigma^{x}(j, p), \quad \mathcal{T}(e)",
        corrected=r"\sum_{j \in \mathcal{T}(t(p))} W_{j} \Sigma^{x}(j, p)",
        size="relative error of the gradient: " + ", ".join(f"{size:.2g} ({name})" for name, size in sizes.items()),
    )


def test_loss_is_a_mean(erratum):
    """Part 3 has the mean of 1/2 |y - h|^2; the loss of part 1, a sum without 1/2, runs 2 P times as fast."""
    W, x, y, g = network()
    down = slope(W, x, y, g)
    flow = printed_flow(W, x, y, g, ending_together)
    summed = slope(W, x, y, g, each=1)  # sum |y - h|^2
    assert equal(flow, down) and not equal(flow, summed)
    assert equal({e: 2 * EXAMPLES * flow[e] for e in EDGES}, summed)
    erratum(
        DOCUMENT,
        "Two losses in one lecture",
        verdict="inconsistent: a sum in part 1, a mean with 1/2 in part 3",
        printed=r"\sum_{\mu} \lVert y - \hat{y} \rVert^{2}, \; \langle \tfrac12 \lVert y - h \rVert^{2} \rangle",
        corrected=r"\tau_{3} = 2 P \tau_{1}",
        size=f"a factor 2 P in time: {2 * EXAMPLES} for the {EXAMPLES} examples here",
    )  # fmt: skip


# -- the reduction -----------------------------------------------------------------------------------

MARGIN, CORNER = 0.5, 0.8


def with_error(solution):
    """A solution at rtol 1e-10, and how far it may be off: its distance from the one at 1e-8."""
    fine, coarse = solution(1e-10), solution(1e-8)
    return fine, float(np.max(np.abs(fine - coarse)))


def reduced(speed, b0, until, S, D, rtol=1e-10):
    """Two-layer pathways p with weights b_p1, b_p2: their products at the end under a printed or corrected speed."""
    n = len(S)

    def velocity(_, flat):
        b = flat.reshape(n, 2)
        B = b.prod(1)
        return np.array([speed(b[:, ::-1][:, i], B, S, D @ B) for i in range(2)]).T.ravel()

    found = solve_ivp(velocity, (0, until), np.full(2 * n, b0), rtol=rtol, atol=1e-4 * rtol)
    return found.y[:, -1].reshape(n, 2).prod(1)


def gated_xor(b0, until, rtol):
    """The full gated network of exclusive-or, four gates each open on one example, from weights along the examples."""
    x, y = xor()
    length = np.linalg.norm(x, axis=1, keepdims=True)

    def velocity(_, flat):
        w, v = flat[:12].reshape(4, 3), flat[12:]
        error = (y[:, 0] - v * (w * x).sum(1)) / 4  # of each example, through its own unit
        return np.concatenate([((error * v)[:, None] * x).ravel(), error * (w * x).sum(1)])

    start = np.concatenate([(b0 * x / length).ravel(), b0 * y[:, 0]])
    end = solve_ivp(velocity, (0, until), start, rtol=rtol, atol=1e-4 * rtol).y[:, -1]
    return end[12:] * (end[:12].reshape(4, 3) * x).sum(1) / length[:, 0] * y[:, 0]


def xor(margin=MARGIN):
    """Inputs (+-c, +-c, Delta y) and targets, the product of the signs."""
    signs = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)], dtype=float)
    y = signs.prod(1, keepdims=True)
    return np.hstack([CORNER * signs, margin * y]), y


def correct(rest, B, S, joint):
    """The other weights of the path times its error, in brackets."""
    return rest * (S - joint)


def test_reduction(erratum):
    """The reduction needs brackets, no d/dt on S, and the path without its edge; as printed nothing is learnt."""
    length = np.sqrt(2 * CORNER**2 + MARGIN**2)
    S, D = np.full(4, length / 4), np.eye(4) * length**2 / 4  # g_i = 1 on example i
    at = (0.03, 25.0, S, D)
    literal = reduced(lambda rest, B, S, joint: -joint, *at)  # S does not change in time
    whole = reduced(lambda rest, B, S, joint: B * (S - joint), *at)
    corrected, error = with_error(lambda rtol: reduced(correct, *at, rtol))
    network, own_error = with_error(lambda rtol: gated_xor(0.03, 25.0, rtol))
    assert np.max(np.abs(corrected - network)) < error + own_error
    left = [float(np.max(np.abs(1 - length * B))) for B in (literal, whole, corrected)]
    assert min(left[:2]) > 0.9 > 0.01 > left[2]
    printed = r"\frac{d}{dt} B_{e} = \sum_{p \in P(e)} B_{p} \frac{d}{dt} S(p) - \sum_{j \in T(t(p))} B_{j} D(j, p)"
    brackets = r"\Big[ S(p) - \sum_{j \in T(t(p))} B_{j} D(j, p) \Big]"
    erratum(
        DOCUMENT,
        "Reduction",
        verdict="misprint: d/dt on S, no brackets, the whole path in front, no tau",
        printed=printed,
        corrected=r"\tau \frac{d}{dt} B_{e} = \sum_{p \in P(e)} B_{p \setminus e} " + brackets,
        size="error of exclusive-or at t = 25 from weights 0.03: "
        f"{left[0]:.2g} as printed, {left[1]:.2g} with B_p before brackets, {left[2]:.1g} corrected",
    )


def test_one_basis_per_node_is_too_much(erratum):
    """Exclusive-or with a margin has no common V at its input, and yet reduces exactly, with a V for each path."""
    x, _ = xor()
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    overlaps = unit @ unit.T - np.eye(4)
    assert np.abs(overlaps).max() > 0.05  # the right singular vectors of the four Sigma^yx(p) are not orthogonal
    length = np.sqrt(2 * CORNER**2 + MARGIN**2)
    S, D = np.full(4, length / 4), np.eye(4) * length**2 / 4
    corrected, error = with_error(lambda rtol: reduced(correct, 0.1, 25.0, S, D, rtol))
    network, own_error = with_error(lambda rtol: gated_xor(0.1, 25.0, rtol))
    assert np.max(np.abs(corrected - network)) < error + own_error
    erratum(
        DOCUMENT,
        "Mutually diagonalizable correlations",
        verdict="sufficient, but stronger than needed",
        printed=r"\Sigma^{x}(j, p) = V_{s(j)} D(j, p) V_{s(p)}^{T}",
        corrected=r"V_{j},\, V_{p} \text{ of each path, where the gates of different paths exclude each other}",
        size=f"exclusive-or with margin overlaps by {np.abs(overlaps).max():.2g} at its input, and reduces exactly",
    )


def signed(order, signs):
    """An orthogonal matrix of integers: a permutation with signs."""
    return np.eye(len(order), dtype=int)[list(order)] * np.array(signs)


def test_decoupled_weights_stay_decoupled():
    """W_e = R_t B_e R_s^T keeps its form where correlations are mutually diagonalizable: its speed has it too."""
    V, U = (signed((2, 0, 1), (1, -1, 1)), signed((1, 0, 2), (-1, 1, 1))), (signed((0, 2, 1), (1, 1, -1)),) * 2
    R1, R2 = signed((1, 2, 0), (-1, -1, 1)), signed((2, 1, 0), (1, -1, -1))  # of the two hidden nodes
    draw = np.random.default_rng(7).integers
    S = [np.diag(draw(1, 9, 3)) for _ in range(2)]
    D = [[np.diag(draw(1, 9, 3)) for _ in range(2)] for _ in range(2)]
    B = {e: np.diag(draw(-5, 6, 3)) for e in ("in0", "in1", "shared", "out")}  # two inputs, one path through all
    ends = {"in0": (R1, V[0]), "in1": (R1, V[1]), "shared": (R2, R1), "out": (U[0], R2)}
    W = {e: R @ B[e] @ L.T for e, (R, L) in ends.items()}

    def speeds(W, xx):
        """The path flow: what comes after, the error of the path, what comes before; all paths end at one node."""
        whole = [W["out"] @ W["shared"] @ W[e] for e in ("in0", "in1")]
        E = [U[0] @ S[p] @ V[p].T - sum(whole[j] @ xx[j][p] for j in range(2)) for p in range(2)]
        into = [(W["out"] @ W["shared"]).T @ E[p] for p in range(2)]
        through = sum(W["out"].T @ E[p] @ W[e].T for p, e in enumerate(("in0", "in1")))
        out = sum(E[p] @ (W["shared"] @ W[e]).T for p, e in enumerate(("in0", "in1")))
        return {"in0": into[0], "in1": into[1], "shared": through, "out": out}

    def is_diagonal(M):
        return np.array_equal(M, np.diag(np.diag(M)))

    together = [[V[j] @ D[j][p] @ V[p].T for p in range(2)] for j in range(2)]
    found = speeds(W, together)
    assert all(is_diagonal(R.T @ found[e] @ L) and np.any(found[e]) for e, (R, L) in ends.items())
    apart = [[m + np.ones((3, 3), dtype=int) for m in row] for row in together]  # diagonal in no common basis
    assert not any(is_diagonal(R.T @ speeds(W, apart)[e] @ L) for e, (R, L) in ends.items())


def descend(x, y, w, v, gates, steps, eta=0.02):
    """Gradient descent of v (gates(w) * w x): the weights of all units after every step, one row each."""
    seen = []
    for _ in range(steps):
        on = gates(w)
        error = (y[:, 0] - (on * (x @ w.T)) @ v)[:, None] / len(x)
        w, v = w + eta * (error * on * v).T @ x, v + eta * (error * on * (x @ w.T)).sum(0)
        seen.append(np.concatenate([w.ravel(), v]))
    return np.array(seen)


def relu_descend(x, y, w, v, steps, eta=0.02):
    """The same of v max(w x, 0), by automatic differentiation."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y[:, 0])
    weights = [torch.from_numpy(each).clone().requires_grad_() for each in (w, v)]
    seen = []
    for _ in range(steps):
        loss = ((targets - torch.relu(inputs @ weights[0].T) @ weights[1]) ** 2).mean() / 2
        slopes = torch.autograd.grad(loss, weights)
        weights = [(each - eta * slope).detach().requires_grad_() for each, slope in zip(weights, slopes, strict=True)]
        seen.append(np.concatenate([each.detach().numpy().ravel() for each in weights]))
    return np.array(seen)


def test_relu_networks_are_gated_networks():
    """A ReLU network whose gates match its activity moves as the gated network does, until one switches."""
    x, y = xor()
    draw = np.random.default_rng(1)
    w, v = draw.normal(size=(6, 3)), draw.normal(size=6)
    on = (x @ w.T > 0).astype(float)
    relu = relu_descend(x, y, w, v, 400)
    switched = [np.any((x @ row[:18].reshape(6, 3).T > 0) != on) for row in relu]
    first = switched.index(True)
    assert first > 10
    rounding = 400 * np.finfo(float).eps * np.abs(relu).max()
    apart = np.abs(descend(x, y, w, v, lambda _: on, 400) - relu).max(1)
    assert apart[: first + 1].max() < rounding < apart[first + 1 :].max()
    other = on.copy()
    other[0, 0] = 1 - other[0, 0]  # one unit, one example
    assert np.abs(descend(x, y, w, v, lambda _: other, first) - relu[:first])[-1].max() > rounding


def test_what_speeds_a_pathway():
    """Larger correlation, fewer layers, larger or imbalanced weights and shared edges all learn earlier."""

    def escape(starts, shared, S):
        """The time for the product of the weights to blow up, E = S: quadrature of tau b_e' = n_e S prod b / b_e."""
        rate = lambda _, b: S * np.asarray(shared) * b.prod() / b  # noqa: E731
        big = lambda _, b: b.prod() - 0.5  # noqa: E731
        big.terminal = True  # type: ignore[attr-defined]
        return solve_ivp(rate, (0, 1e9), np.array(starts, dtype=float), events=big, rtol=1e-9, atol=1e-12).t[-1]

    plain = escape([0.1, 0.1, 0.1], [1, 1, 1], 0.7)
    assert escape([0.1, 0.1, 0.1], [1, 1, 1], 0.9) < plain
    assert escape([0.1, 0.1], [1, 1], 0.7) < plain
    assert escape([0.2, 0.2, 0.2], [1, 1, 1], 0.7) < plain
    assert escape([0.2, 0.1, 0.05], [1, 1, 1], 0.7) < plain
    assert escape([0.1, 0.1, 0.1], [1, 3, 1], 0.7) < plain


def test_separable_for_every_margin():
    """With a margin Delta > 0 the classes lie on two planes 2 Delta apart; at Delta = 0 no linear rule is right."""
    rounding = 100 * np.finfo(float).eps
    for margin in (1e-6, MARGIN, 3.0):
        x, y = xor(margin)
        weights, *_ = np.linalg.lstsq(x, y, rcond=None)
        condition = np.linalg.cond(x)
        assert np.abs(x @ weights - y).max() < rounding * condition
        assert np.abs(y * x[:, 2:] - margin).max() <= rounding * margin
    x, y = xor(0.0)
    weights, *_ = np.linalg.lstsq(x, y, rcond=None)
    assert np.abs(weights).max() < rounding
