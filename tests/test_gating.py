"""Graphs, tasks, reductions and races refuse what is none, and their parts agree with each other."""

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from numerics import gating
from theory.gating import (
    GatedGraph,
    Task,
    correlations,
    diagonalise,
    forward,
    gradient_flow,
    hierarchy,
    loss,
    nodewise_flow,
    pathways,
    reduction,
    routing,
    trained_pairs,
    xor_gates,
    xor_points,
)
from theory.race import _race, final_shares, race, race_time, relu_gates, relu_kinds, relu_starts


@st.composite
def networks(draw):
    """Any directed acyclic graph of 2 to 7 nodes, with real gates on any nodes and edges, data, and weights."""
    n = draw(st.integers(2, 7))
    pairs = [(i, j) for j in range(1, n) for i in range(j) if draw(st.booleans())]
    lonely = [i for i in range(n) if not any(i in p for p in pairs)]
    pairs += [(i, i + 1) if i < n - 1 else (i - 1, i) for i in lonely if (i, i + 1) not in pairs]
    dims = {f"n{i}": draw(st.integers(1, 4)) for i in range(n)}
    graph = GatedGraph(dims, {f"e{k}": (f"n{i}", f"n{j}") for k, (i, j) in enumerate(dict.fromkeys(pairs))})
    normal = np.random.default_rng(draw(st.integers(0, 2**32))).normal
    gates = {g: normal(size=5) for g in (*dims, *graph.edges) if draw(st.booleans())}
    x, y = ({v: normal(size=(5, dims[v])) for v in ends} for ends in (graph.inputs, graph.outputs))
    return graph, Task(x, y, gates), {e: normal(size=(dims[t], dims[s])) for e, (s, t) in graph.edges.items()}


EPS = np.finfo(float).eps


def of_one_sign(graph, task, weights):
    """The same network with data of one sign and no minus, in which nothing cancels: the size of what is rounded."""
    x, y, gates = ({k: np.abs(v) for k, v in part.items()} for part in (task.x, task.y, task.gates))
    sizes = {e: np.abs(w) for e, w in weights.items()}
    return Task(x, {v: -target for v, target in y.items()}, gates), sizes


def roundings(graph, task):
    """At least as many as any product of gates and weights goes through in sums over examples, units and paths."""
    return len(task.share) + 2 * (sum(graph.dims.values()) + graph.number_of_paths + len(graph.dims) + len(graph.edges))


def off(one, other, sizes, count):
    """The largest distance of two sets of sums in units of what `count` roundings of both may leave."""
    units = {k: 2 * count * EPS * np.abs(size) for k, size in sizes.items()}
    return max(np.max(np.abs(one[k] - other[k]) / np.where(u > 0, u, EPS * EPS)) for k, u in units.items())


def distance(one, other):
    """The largest distance of two sets of arrays, relative to the largest entry."""
    size = max(np.abs(v).max() for v in other.values())
    return max(np.abs(np.asarray(one[k]) - other[k]).max() for k in other) / size


@settings(max_examples=60, deadline=None, derandomize=True)
@given(network=networks())
def test_three_forms_of_the_gradient(network):
    """On any graph the path equation, the node-wise passes and automatic differentiation give one gradient."""
    graph, task, weights = network
    leaves = {e: torch.from_numpy(w) for e, w in weights.items()}
    descent = {e: -g.numpy() for e, g in gating.gradient(graph, task, leaves).items()}
    alike, count = of_one_sign(graph, task, weights), roundings(graph, task)
    sizes = nodewise_flow(graph, *alike)
    assert off(nodewise_flow(graph, task, weights), descent, sizes, count) <= 1
    assert off(gradient_flow(graph, correlations(graph, task), weights), descent, sizes, count) <= 1
    found, size = float(gating.losses(graph, task, leaves)), loss(graph, *alike)
    assert loss(graph, task, weights) == pytest.approx(found, rel=0, abs=4 * count * EPS * size)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(network=networks())
def test_paths_are_counted_and_add_up(network):
    """An output is the sum over its paths of gate, weights and input; the count needs no list."""
    graph, task, weights = network
    assert len(graph.paths) == graph.number_of_paths == len(set(graph.paths))
    h, corr = forward(graph, task, weights), correlations(graph, task)
    sizes, count = forward(graph, *of_one_sign(graph, task, weights)), roundings(graph, task)
    for v in graph.outputs:
        total = np.zeros_like(task.y[v])
        for p in graph.paths:
            if graph.ends(p)[1] == v:
                out = task.x[graph.ends(p)[0]]
                for e in p:
                    out = out @ weights[e].T
                total = total + corr.gate(p)[:, None] * out
        assert off({v: total}, h, {v: sizes[v]}, count) <= 1


@settings(max_examples=30, deadline=None, derandomize=True)
@given(network=networks())
def test_cloned_inputs_change_nothing(network):
    """A network whose input nodes are cloned edge by edge computes and learns the same."""
    graph, task, weights = network
    clone, same = graph.clone_inputs(), task.clone_inputs(graph)
    sizes = nodewise_flow(graph, *of_one_sign(graph, task, weights))
    cloned, whole = nodewise_flow(clone, same, weights), nodewise_flow(graph, task, weights)
    assert off(cloned, whole, sizes, roundings(graph, task)) <= 1
    assert clone.number_of_paths == graph.number_of_paths


chain = {"x": 2, "h": 3, "y": 1}, {"in": ("x", "h"), "out": ("h", "y")}
x, y = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0], [-2.0]])


@pytest.mark.parametrize(
    ("dims", "edges", "says"),
    [
        ({"x": 2, "y": 0}, {"e": ("x", "y")}, r"dims\['y'\] = 0 must be at least 1"),
        ({"x": 2.0, "y": 1}, {"e": ("x", "y")}, r"dims\['x'\] = 2.0 is not a whole number"),
        ({"x": True, "y": 1}, {"e": ("x", "y")}, r"dims\['x'\] = True"),
        ({"x": 2, "y": 1}, {"e": ("x", "z")}, "unknown node 'z'"),
        ({"x": 2, "y": 1}, {"e": ("x",)}, "must be a pair"),
        ({"x": 2, "y": 1}, {"x": ("x", "y")}, "names a node and an edge"),
        ({"x": 2, "y": 1}, {}, "no path from input to output"),
        ({"x": 2, "y": 1, "z": 1}, {"e": ("x", "y")}, "no path from input to output passes node 'z'"),
        ({"x": 2, "a": 2, "b": 2}, {"e": ("x", "a"), "f": ("a", "b"), "g": ("b", "a")}, "cycle"),
        ({"a": 2, "b": 2}, {"f": ("a", "b"), "g": ("b", "a")}, "cycle"),
        ({"a": 2}, {"f": ("a", "a")}, "cycle"),
    ],
)
def test_bad_graphs(dims, edges, says):
    """Each bad graph is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        GatedGraph(dims, edges)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (dict(x={"x": x[:, :1]}), r"x\['x'\] has dimension 1, the node has 2"),
        (dict(y={"y": np.ones((3, 1))}), r"y\['y'\] has shape \(3, 1\)"),
        (dict(y={"h": y}), r"y is given for \['h'\], but the graph has \['y'\]"),
        (dict(x={}), "needs inputs"),
        (dict(x={"x": [[1.0, np.nan], [1.0, 2.0]]}), "not finite"),
        (dict(x={"x": [["a", "b"], ["c", "d"]]}), "not real numbers"),
        (dict(gates={"h": np.ones(3)}), r"gates\['h'\] has shape \(3,\), not \(P,\) with P = 2"),
        (dict(gates={"h": np.ones((2, 1))}), r"gates\['h'\] has shape"),
        (dict(gates={"g": np.ones(2)}), r"gates\['g'\]: the graph has no such node or edge"),
        (dict(weight=[1.0]), "weight has shape"),
        (dict(weight=[1.0, -1.0]), "must not be negative"),
        (dict(weight=[0.0, 0.0]), "not all 0"),
    ],
)
def test_bad_tasks(change, says):
    """Each bad part of a task is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        correlations(GatedGraph(*chain), Task(**{**dict(x={"x": x}, y={"y": y}, gates={}), **change}))


def test_bad_weights_and_paths():
    """Weights of another shape, unknown edges and starts that no lump can have are refused by name."""
    graph, task = GatedGraph(*chain), Task({"x": x}, {"y": y}, {})
    corr = correlations(graph, task)
    with pytest.raises(ValueError, match=r"weights\['in'\] has shape \(2, 2\), not \(3, 2\)"):
        gradient_flow(graph, corr, {"in": np.ones((2, 2)), "out": np.ones((1, 3))})
    with pytest.raises(ValueError, match="the edges are"):
        nodewise_flow(graph, task, {"in": np.ones((3, 2))})
    with pytest.raises(ValueError, match="unknown edge 'z'"):
        graph.through("z")
    with pytest.raises(KeyError, match="end at different nodes"):
        two = GatedGraph({"x": 1, "y": 1, "z": 1}, {"e": ("x", "y"), "f": ("x", "z")})
        one = np.ones((1, 1))
        _ = correlations(two, Task({"x": one}, {"y": one, "z": one}, {})).x[("e",), ("f",)]


def xor(margin=0.5):
    """Exclusive-or with four gates."""
    points, targets = xor_points(0.8, margin)
    return pathways(points, targets, xor_gates(points), hidden=2)


def test_what_cannot_be_diagonalised_is_refused():
    """Exclusive-or with a margin has no common bases, and the error says how far off it is and what may help."""
    graph, task = xor()
    with pytest.raises(ValueError, match=r"not mutually diagonalisable: 1\.\d+ of them .*clone_inputs"):
        reduction(graph, correlations(graph, task))
    reduction(graph.clone_inputs(), correlations(graph.clone_inputs(), task.clone_inputs(graph)))
    nothing = Task({"x": x}, {"y": 0 * y}, {})
    with pytest.raises(ValueError, match="nothing is learnt"):
        diagonalise(GatedGraph(*chain), correlations(GatedGraph(*chain), nothing))


def test_bases_diagonalise():
    """In the bases found, every correlation of routing on a tree is the diagonal that is stated."""
    graph, task = routing(3, 2, np.eye(4), hierarchy(2), 4)
    corr = correlations(graph, task)
    base = diagonalise(graph, corr)
    rounding = lambda sigma: 4 * sum(sigma.shape) * EPS * np.linalg.norm(sigma)  # noqa: E731
    for p, sigma in corr.yx.items():
        s, t = graph.ends(p)
        np.testing.assert_allclose(base.U[t].T @ sigma @ base.V[s], np.diag(base.S[p]), rtol=0, atol=rounding(sigma))
    for (j, p), sigma in corr.x.items():
        turned = base.V[graph.ends(j)[0]].T @ sigma @ base.V[graph.ends(p)[0]]
        np.testing.assert_allclose(turned, np.diag(base.D[j, p]), rtol=0, atol=rounding(sigma))


def test_reduced_equations_of_routing():
    """Routing (7, 4), 49 paths, is three equations with the multiplicities 7, 1, 7; they conserve and typeset."""
    graph, task = routing(7, 4, np.eye(4), hierarchy(2), 4)
    r = reduction(graph, correlations(graph, task))
    assert graph.number_of_paths == 49 and sorted(r.multiplicities.values()) == [1, 7, 7]
    b_in, b_h, b_out = sp.symbols("b_in b_h b_out", real=True)
    s, d = sp.symbols("s d", real=True)
    speeds = dict(zip(r.flow.weights, r.flow.speeds, strict=True))
    error = s - d * b_in * b_h * b_out
    assert sp.expand(speeds[b_in] - b_h * b_out * error / 7) == 0
    assert sp.expand(speeds[b_h] - b_in * b_out * error) == 0
    assert len(r.conserved) == 2 and all(r.flow.conserves(q) for q in r.conserved)
    assert r"7 \times b_{\mathrm{in}}" in r._repr_latex_()


def test_lumps_follow_what_starts_alike():
    """Edges that are said to start apart are kept apart, and edges of one lump must start alike."""
    graph, task = routing(3, 2, np.eye(4), hierarchy(2), 4)
    corr = correlations(graph, task)
    apart = reduction(graph, corr, alike={e: e for e in graph.edges})
    assert len(apart.members) == 7
    some = {e: 0.1 + 0.01 * k for k, e in enumerate(graph.edges)}
    with pytest.raises(ValueError, match="must start alike"):
        reduction(graph, corr).solve(some, [1.0])
    one = apart.solve(some, [5.0])
    assert len({round(float(v[0, 0]), 9) for v in one.values()}) == 7
    with pytest.raises(ValueError, match="alike is given for"):
        reduction(graph, corr, alike={"in0": 1})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r.solve(np.nan, [1.0]), "is not finite"),
        (lambda r: r.solve(0.1, [2.0, 1.0]), "times must be >= 0 and increase"),
        (lambda r: r.solve(0.1, [np.inf]), "row of finite numbers"),
        (lambda r: r.solve({"h": 0.1}, [1.0]), "b0 is given for"),
        (lambda r: r.escape_time({e: -0.1 if e == "h" else 0.1 for e in r.graph.edges}), "far side of the saddle"),
    ],
)
def test_bad_starts(call, says):
    """Each bad start or time of a reduction is refused by name."""
    graph, task = routing(3, 2, np.eye(4), hierarchy(2), 4)
    with pytest.raises(ValueError, match=says):
        call(reduction(graph, correlations(graph, task)))


def test_more_paths_than_can_be_walked():
    """A ladder of 40 diamonds has 2^40 paths; it reduces and integrates all the same, and refuses to list them."""
    dims, edges = {"n0": 2}, {}
    for i in range(40):
        dims |= {f"u{i}": 2, f"v{i}": 2, f"n{i + 1}": 2}
        edges |= {f"a{i}": (f"n{i}", f"u{i}"), f"b{i}": (f"n{i}", f"v{i}")}
        edges |= {f"c{i}": (f"u{i}", f"n{i + 1}"), f"d{i}": (f"v{i}", f"n{i + 1}")}
    graph = GatedGraph(dims, edges)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    task = Task({"n0": turn}, {"n40": turn @ np.diag([1.4, 0.7])}, {})
    assert graph.number_of_paths == 2**40
    with pytest.raises(ValueError, match="too many to list"):
        _ = graph.paths
    r = reduction(graph, correlations(graph, task))
    assert len(r.members) == 80
    weights = r.solve(0.6, [0.0, 2.0])
    speed = nodewise_flow(graph, task, {e: w[0][:, None] * np.eye(2) for e, w in weights.items()})
    assert all(np.all(np.isfinite(v)) for v in (*weights.values(), *speed.values()))


def test_closed_forms():
    """Symmetric reductions know their closed forms: a logistic for two layers, a time and a quadrature for three."""
    graph, task = xor()
    r = reduction(graph.clone_inputs(), correlations(graph.clone_inputs(), task.clone_inputs(graph)))
    a, t = sp.Function("a"), sp.Symbol("t", real=True)
    form = r.closed_form()
    rate = sp.simplify(form.rhs.diff(t) / form.rhs / (sp.Symbol("s", real=True) - sp.Symbol("d", real=True) * form.rhs))
    assert form.lhs == a(t) and rate == sp.Rational(1, 2)
    graph, task = routing(3, 2, np.eye(4), hierarchy(2), 4)
    three = reduction(graph, correlations(graph, task))
    assert three.closed_form().lhs == t and three.quadrature().rhs.has(sp.Integral)
    apart = reduction(graph, correlations(graph, task), alike={e: e for e in graph.edges})
    with pytest.raises(ValueError, match="no closed form: 6 products"):
        apart.closed_form()


def test_closed_forms_are_when_it_escapes():
    """The time t(a) from balanced weights and the quadrature from any are those at which every mode escapes."""
    graph, task = routing(3, 2, np.eye(4), hierarchy(2), 4)
    r = reduction(graph, correlations(graph, task))
    s, d, a, a0, y = sp.symbols("s d a a0 y", real=True)
    for start, shared in ((0.02, np.sqrt(3)), (0.03, 0.7)):  # b^2 n is the same for all lumps, and is not
        b0 = {e: shared * start if e == "h" else start for e in graph.edges}
        rough, found = (r.escape_time(b0, rtol) for rtol in (1e-10, 1e-12))
        error = np.max(np.abs(found - rough))  # the solver against itself
        for mode, escaped in enumerate(found):
            at = {k: float(v[mode]) for k, v in r.values.items()}
            half = at[s] / (2 * at[d])
            if start == 0.02:
                form = r.closed_form().rhs.subs({**at, a0: shared * start**3, a: half})
                assert float(form) == pytest.approx(escaped, rel=0, abs=error)
            grown = lambda z: (start**2 + z / 3) * np.sqrt((shared * start) ** 2 + z) - half  # noqa: E731, B023
            form = r.quadrature().rhs
            ends = {
                **at,
                y: brentq(grown, 0, 3 * half),
                **{sp.Symbol(f"{b}(0)", real=True): b0[e[0]] for b, e in r.members.items()},
            }
            inside = sp.lambdify(form.variables[0], form.function.subs(ends))
            took = quad(inside, 0, ends[y], epsrel=1e-12, epsabs=0, limit=200)[0]
            assert took == pytest.approx(escaped, rel=0, abs=error)


def test_relu_gates_of_exclusive_or():
    """The gates found are the four single examples and the two classes; beyond sqrt(2) c only the classes are left."""
    for margin in (0.5, 1.2):
        gates = relu_gates(*xor_points(1.0, margin))
        assert sorted(int(g.on.sum()) for g in gates) == [1, 1, 1, 1, 2, 2]
        strengths = {int(g.on.sum()): g.s for g in gates}
        assert strengths[1] == pytest.approx(np.sqrt(2 + margin**2) / 4, rel=16 * EPS, abs=0)
        assert strengths[2] == pytest.approx(margin / 2, rel=16 * EPS, abs=0)
    beyond = relu_gates(*xor_points(1.0, 1.6))
    assert [int(g.on.sum()) for g in beyond] == [2, 2]
    assert relu_gates(*xor_points(1.0, 0.0)) == ()  # all gates lie on the boundary


def test_starts_of_relu_units():
    """One item: units with w > 0 and w + a > 0 settle, and start the pathway at <(w + a)^2/4> over them."""
    one = np.ones((1, 1))
    (gate,) = relu_gates(one, one)
    starts = [relu_starts(one, one, (gate,), units=k)[0] for k in (6, 9, 12)]
    errors = np.abs(np.array(starts) - (3 / 16 + 1 / (8 * np.pi)))
    assert errors[2] < errors[1] / 4 < errors[0] / 16  # evenly spread: faster than the root of their number


def test_kinds_of_relu_pathways():
    """Exclusive-or has two kinds of pathways, of two examples and of one; a task without such symmetry has none."""
    points, targets = xor_points(1.0, 0.5)
    kinds = relu_kinds(points, targets, starts=256, units=9)
    assert kinds.examples.tolist() == [2, 1] and kinds.start[0] < kinds.start[1]
    assert (*kinds.s, *kinds.reach) == pytest.approx((0.25, 0.375, 0.5, 1.5), rel=16 * EPS, abs=0)
    small = relu_kinds(points, 1e-9 * targets, starts=256, units=9)  # the size of the targets is no matter
    np.testing.assert_allclose(small.s, 1e-9 * kinds.s, rtol=16 * EPS)
    np.testing.assert_allclose(small.start, kinds.start, rtol=256 * 9 * EPS)  # of sums over starts and units
    with pytest.raises(ValueError, match="no images of each other"):
        relu_kinds(np.array([[1.0, 0.2], [-0.5, 1.0]]), 1e-9 * np.array([[1.0], [2.0]]), starts=256, units=9)


def test_time_of_a_race():
    """One pathway alone takes the time of its logistic, and a second one only makes the race shorter."""
    s, reach, start = 0.4, 1.5, 1e-3
    alone = race_time([s], [reach], [start], left=0.3)
    exact = np.log(0.7 / 0.3 * (1 / (reach * start) - 1)) / (2 * s)
    assert alone == pytest.approx(exact, rel=1e3 * EPS, abs=0)
    assert race_time([s, 0.3], [reach, 1.2], [start, start], left=0.3) < alone


@pytest.fixture
def refined(monkeypatch):
    """From when it is called on, races are solved to a hundredth of their tolerances, where they are not stiff."""

    def finer(speed, span, start, method, *, rtol, atol, **more):
        part = 100 if method == "DOP853" else 1
        return solve_ivp(speed, span, start, method, rtol=rtol / part, atol=atol / part, **more)

    return lambda: monkeypatch.setattr(_race, "solve_ivp", finer)


def test_race_of_exclusive_or(refined):
    """Schemes are ranked by escape, whether a ReLU can have them or not; shares follow the share law."""
    x, y = xor_points(1.0, 0.5)
    halves = {"plus": (y[:, 0] > 0) * 1.0, "minus": (y[:, 0] < 0) * 1.0}
    two = {"plus": (x[:, 0] > 0) * 1.0, "minus": (x[:, 0] < 0) * 1.0}
    schemes = {"halves": halves, "two": two, "four": xor_gates(x)}
    rough, _, ranked = race(x, y, schemes, 1e-2), refined(), race(x, y, schemes, 1e-2)
    error = max(abs(one.share - other.share) for one, other in zip(rough, ranked, strict=True))
    assert [r.name for r in ranked] == ["two", "four", "halves"]
    assert [r.consistent for r in ranked] == [False, True, True]
    law = final_shares([0.25, 0.375], [0.5, 1.5], [1e-4, 1e-4])
    assert (ranked[2].share, ranked[1].share) == pytest.approx(tuple(law), rel=0, abs=error)
    s = np.sqrt(1.25) / 2  # of the scheme that no ReLU can have, if it ran with the others
    law = final_shares([0.25, 0.375, s], [0.5, 1.5, 2 * s], [1e-4] * 3)
    assert ranked[0].share == pytest.approx(law[2], rel=0, abs=error)
    assert ranked[1].strength == pytest.approx(0.375, rel=16 * EPS, abs=0) and ranked[1].depth == 2


def test_race_of_deep_schemes(refined):
    """A deep pathway escapes at 1/(s b0), however small the weights, and shares go on; what learns nothing waits."""
    b0, (x, y) = 1e-7, xor_points(1.0, 0.5)
    dims, edges = {"x": 3, "h": 1, "k": 1, "y": 1}, {"a": ("x", "h"), "b": ("h", "k"), "c": ("k", "y")}
    deep = GatedGraph(dims, edges), {}
    idle = {"none": np.zeros(4)}
    schemes = {"deep": deep, "idle": idle, "four": xor_gates(x)}
    first, second, third = race(x, y, schemes, b0)
    assert [first.name, second.name, third.name] == ["four", "deep", "idle"]
    beyond = quad(lambda b: b / (1 - b**3 / 2), b0, 1)[0]  # b' = b^2 (s - d b^3), to b^3 = 1
    refined()
    (fine,) = race(x, y, {"deep": deep}, b0)
    error = abs(fine.escape_time - second.escape_time)  # the solver against itself
    assert fine.escape_time == pytest.approx(2 / b0 - 2 + beyond, rel=0, abs=error)
    assert second.depth == 3 and first.share > 0.98 > 0.1 > second.share > 0
    assert third.escape_time == np.inf and third.share == 0 and third.residual == 1
    with pytest.raises(ValueError, match="'deep' has left the saddle before it starts"):
        race(x, y, {"deep": deep}, 5.0)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: race(x, y, {"g": {"p": np.ones(2)}}, 0.0), "b0 = 0.0 must be positive"),
        (lambda: race(x, y, {}, 0.1), "needs schemes"),
        (lambda: race(x, y, {"g": {"p": np.ones(3)}}, 0.1), r"gates\['p'\] has shape"),
        (lambda: final_shares([1.0], [1.0, 2.0], [0.1]), "reach"),
        (lambda: final_shares([1.0, -1.0], [1.0, 2.0], [0.1, 0.1]), "s = "),
        (lambda: final_shares([1.0], [2.0], [0.6]), "already exceeded"),
        (lambda: race_time([1.0], [2.0], [0.1], left=0.9), "left = 0.9"),
        (lambda: relu_starts(x, y, ()), "gates = "),
        (lambda: relu_starts(*xor_points(1.0, 0.5), relu_gates(*xor_points(1.0, 0.5))[:2]), "of the units settle"),
        (lambda: trained_pairs(3, 4), "K = 4"),
        (lambda: relu_gates(x, y[:1]), r"y\['y'\] has shape"),
        (lambda: gating.random(GatedGraph(*chain), 0.0), "scale = 0.0 must be positive"),
        (lambda: gating.relu_layers(2, 0, 3, 1, 0.1), "width = 0"),
        (lambda: gating.relu_layers(2, 5, 3, 1, [0.1, -0.1]), "must be positive"),
        (lambda: gating.decoupled(GatedGraph(*chain), {"x": np.eye(2), "y": np.eye(1)}, 0.1), "one number of columns"),
        (lambda: gating.train(GatedGraph(*chain), Task({"x": x}, {"y": y}, {}), {}, [1.0], 0.1), "the edges are"),
    ],
)
def test_bad_races_and_networks(make, says):
    """Each bad argument of a race or a trained network is refused by name."""
    with pytest.raises(ValueError, match=says):
        make()


def test_relu_slopes_by_hand():
    """One step of the hand-written descent is the gradient that automatic differentiation finds."""
    points, targets = (torch.from_numpy(v) for v in xor_points(0.8, 0.5))
    layers = gating.relu_layers(3, 7, 3, 1, 0.9, seed=2)
    leaves = [w.clone().requires_grad_() for w in layers]
    answers = (points @ leaves[0].mT).relu() @ leaves[1].mT
    slopes = torch.autograd.grad(((targets - answers) ** 2).sum() / (2 * len(points)), leaves)
    after = gating.relu_train(
        points, targets, layers, [0.0, 0.1], 0.1, lambda W1, W2, out: torch.cat([W1.flatten(1), W2.flatten(1)], dim=1)
    )
    expected = torch.cat([(w - 0.1 * g).flatten(1) for w, g in zip(layers, slopes, strict=True)], dim=1)
    rounding = 2 * (3 + 7 + 4) * EPS * float(expected.abs().max())  # of sums over inputs, units and points
    np.testing.assert_allclose(after[1], expected.numpy(), rtol=0, atol=rounding)


def test_networks_at_once_do_not_meet():
    """Networks trained together go as each does alone, and the same seed gives the same bits."""
    points, targets = (torch.from_numpy(v) for v in xor_points(0.8, 0.5))
    layers = gating.relu_layers(3, 7, 3, 1, [0.1, 0.5, 0.9], seed=2)
    times = [0.0, 2.0, 9.0]
    together = gating.relu_train(points, targets, layers, times, 0.1)
    assert np.array_equal(together, gating.relu_train(points, targets, layers, times, 0.1))
    for k in range(3):
        alone = gating.relu_train(points, targets, (layers[0][k : k + 1], layers[1][k : k + 1]), times, 0.1)
        np.testing.assert_allclose(together[:, k], alone[:, 0], rtol=90 * 2 * (3 + 7 + 4) * EPS)  # in 90 steps
    graph, task = xor()
    many = gating.random(graph, 0.3, seed=1, networks=2)
    both = gating.train(graph, task, many, [1.0], 0.1)
    for k in range(2):
        one = gating.train(graph, task, {e: w[k] for e, w in many.items()}, [1.0], 0.1)
        assert distance({e: w[:, k] for e, w in both.items()}, one) <= 10 * roundings(graph, task) * EPS
