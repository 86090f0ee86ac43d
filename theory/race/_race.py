"""The race itself: gating schemes alone and against each other, from one size of initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from laws.law import formula
from theory.gating import GatedGraph, Task, correlations, diagonalise, forward, nodewise_flow, pathways
from theory.race._gates import SAME, consistent, leading

Scheme = Mapping[str, np.ndarray] | tuple[GatedGraph, Mapping[str, np.ndarray]]
HORIZON = 4  # escape times of the slowest, after which shares are read


@dataclass(frozen=True)
class Runner:
    """One scheme in the race.

    strength: the largest singular value of any of its pathways; depth: how many edges that one has; sharing: the
    geometric mean of the paths through them; escape_time: when the scheme alone has left the saddle, tau = 1;
    infinite if it has nothing to learn; residual: the loss that the scheme alone is left with, over that at the
    start; share: the part of the target that it makes up when it and all consistent schemes learn together;
    consistent: whether each gate is the activity of a ReLU unit with the leading weights of its pathway, None for
    deeper schemes.  Units that mix several modes may together follow a scheme that is not: see `contexts`.
    """

    name: str
    strength: float
    depth: int
    sharing: float
    escape_time: float
    residual: float
    share: float
    consistent: bool | None


def race(x, y, schemes: Mapping[str, Scheme], b0: float) -> tuple[Runner, ...]:
    """All schemes, from weights of size b0: the first to escape first, of equals that with the least loss left.

    x: (P, d); y: (P, o).  A scheme is a mapping from two-layer pathways to their gates, shape (P,), or a graph
    with the gates of its nodes and edges; each of its inputs is given x, its one output is asked for y.

    Raises ValueError for b0 <= 0, a b0 from which a scheme has left the saddle at the start, no schemes, graphs with
    several outputs, and graphs of more than two layers whose correlations are not mutually diagonalisable.
    """
    if not (np.isfinite(b0) and b0 > 0):
        raise ValueError(f"b0 = {b0!r} must be positive: weights of 0 never move")
    if not schemes:
        raise ValueError("a race needs schemes")
    entered = {name: _entry(name, np.asarray(x), np.asarray(y), scheme) for name, scheme in schemes.items()}
    fits = {name: _fits(*entry) for name, entry in entered.items()}
    alone = {name: _alone(name, graph, task, _start(name, graph, task, b0)) for name, (graph, task) in entered.items()}
    escape = {name: found[0] for name, found in alone.items()}
    able = [name for name in schemes if fits[name] is not False]
    shares = _shares(entered, able, escape, b0)
    for name in schemes:
        if name not in able:
            shares[name] = _shares(entered, [*able, name], escape, b0)[name]
    found = [Runner(name, *_strongest(*entered[name]), *alone[name], shares[name], fits[name]) for name in schemes]
    return tuple(sorted(found, key=lambda r: (r.escape_time, r.residual)))


@formula(
    r"""r_i a_i = r_i a_{i0} e^{2 s_i I},
    \quad \sum_i r_i a_{i0} e^{2 s_i I} = 1"""
)
def final_shares(s, reach, start) -> np.ndarray:
    """What each of several two-layer pathways makes up, in the end, of one target that all of them share.

    s: their singular values; reach: the output of each for unit strength; start: their initial strengths; all of
    shape (n,), positive.  With I the integral of the common error, strengths are start e^(2 s I), and the
    contributions reach * strength add up to 1.

    Source: derived here, equation (1).
    """
    s, log = _runners(s, reach, start)
    return np.exp(log + 2 * s * _grown(s, log, 1.0))


@formula(
    r"""t = \int_0^I \frac{d x}{1 - \sum_i r_i a_{i0} e^{2 s_i x}},
    \quad \sum_i r_i a_{i0} e^{2 s_i I} = 1 - E"""
)
def race_time(s, reach, start, left: float = 0.5) -> float:
    """When several two-layer pathways that learn one target together have left a part `left` of the error, tau = 1.

    The arguments of `final_shares`, and 0 < left < the error at the start.  With I the integral of the error E,
    the time is that of dI/E.

    Source: derived here, from equation (1).
    """
    s, log = _runners(s, reach, start)
    made = float(np.exp(np.logaddexp.reduce(log)))
    if not 0 < left < 1 - made:
        raise ValueError(f"left = {left} must lie between 0 and the error at the start, {1 - made:g}")
    until = _grown(s, log, 1 - left)
    return float(quad(lambda i: 1 / (1 - np.sum(np.exp(log + 2 * s * i))), 0.0, until, epsabs=0, epsrel=1e-11)[0])


def _runners(s, reach, start) -> tuple[np.ndarray, np.ndarray]:
    """The singular values, and the logarithms of what each pathway makes up at the start."""
    s, reach, start = (np.asarray(v, dtype=float) for v in (s, reach, start))
    for name, v in (("s", s), ("reach", reach), ("start", start)):
        if v.shape != s.shape or v.ndim != 1 or not np.all(np.isfinite(v) & (v > 0)):
            raise ValueError(f"{name} = {v} must be a row of positive numbers, as many as s")
    if reach @ start >= 1:
        raise ValueError(f"start = {start}: the target is already exceeded")
    return s, np.log(reach * start)


def _grown(s: np.ndarray, log: np.ndarray, made: float) -> float:
    """The integral I of the common error at which all pathways together make up a part of the target."""
    bound = 2 * float(np.min((np.log(made) - log) / (2 * s)))  # at half of it one pathway alone would do
    excess = lambda i: np.logaddexp.reduce(log + 2 * s * i) - np.log(made)  # noqa: E731
    return float(brentq(excess, 0.0, bound, xtol=1e-15 * max(bound, 1.0), rtol=1e-15))


def _entry(name: str, x, y, scheme: Scheme) -> tuple[GatedGraph, Task]:
    if isinstance(scheme, Mapping):
        rank = min(x.shape[-1], y.shape[-1])
        return pathways(x, y, dict(scheme), hidden=rank)
    graph, gates = scheme
    if len(graph.outputs) != 1:
        raise ValueError(f"scheme {name!r} has the outputs {graph.outputs}: a race has one target")
    return graph, Task(dict.fromkeys(graph.inputs, x), {graph.outputs[0]: y}, gates)


def _fits(graph: GatedGraph, task: Task) -> bool | None:
    """Whether every gate is the activity of a unit with the leading weights of its own pathway.

    A weaker pathway may lead on what the stronger ones, by least squares, leave to learn.
    """
    if any(len(p) != 2 for p in graph.paths):
        return None
    x, y = next(iter(task.x.values())), next(iter(task.y.values()))
    gates = [correlations(graph, task).gate(p) > 0 for p in graph.paths]
    gates.sort(key=lambda on: -leading(x, y, on).s)
    for k, on in enumerate(gates):
        stronger = [g for g in gates[:k] if leading(x, y, g).s > leading(x, y, on).s * (1 + SAME)]
        rest = y
        if stronger:
            known = np.hstack([g[:, None] * x for g in stronger])
            rest = y - known @ np.linalg.lstsq(known, y, rcond=None)[0]
        if not any(consistent(x, leading(x, target, on)) for target in (y, rest)):
            return False
    return True


def _strongest(graph: GatedGraph, task: Task) -> tuple[float, int, float]:
    corr = correlations(graph, task)
    size = {p: float(np.linalg.norm(corr.yx[p], 2)) for p in graph.paths}
    best = max(graph.paths, key=lambda p: size[p])
    counts = [sum(size[p] > 0 for p in graph.through(e)) for e in best]
    return size[best], len(best), float(np.prod(counts) ** (1 / len(counts)))


def _start(name: str, graph: GatedGraph, task: Task, b0: float) -> dict[str, np.ndarray]:
    """Decoupled weights of size b0: in common bases if there are any, else in those of each two-layer pathway."""
    for g, same in ((graph, task), (graph.clone_inputs(), task.clone_inputs(graph))):
        try:
            base = diagonalise(g, correlations(g, same))
        except ValueError:
            continue
        modes = base.U[graph.outputs[0]].shape[1]
        frames = {**{v: np.eye(graph.dims[v], modes) for v in graph.dims}, **base.U, **base.V}
        return {e: b0 * frames[t] @ frames[s].T for e, (s, t) in g.edges.items()}
    if any(len(p) != 2 for p in graph.paths):
        raise ValueError(f"scheme {name!r}: the correlations of its shared edges are not mutually diagonalisable")
    weights: dict[str, np.ndarray] = {}
    for (first, second), sigma in correlations(graph, task).yx.items():
        units = graph.dims[graph.edges[first][1]]
        U, s, Vt = np.linalg.svd(sigma, full_matrices=False)
        r = min(int(np.sum(s > SAME * s[0])), units)
        weights |= {first: b0 * np.eye(units, r) @ Vt[:r], second: b0 * U[:, :r] @ np.eye(r, units)}
    return {e: weights[e] for e in graph.edges}


def _flow(graph: GatedGraph, task: Task, weights, until: float, event=None):
    """The gradient flow from `weights`, solved until a time or an event, and what takes its rows apart.

    Pathways of two layers wait ln(1/b0) at the saddle; deeper ones a power of 1/b0, for which the rest of those that
    have left it is stiff.
    """
    names, shapes = list(graph.edges), [weights[e].shape for e in graph.edges]
    ends = np.cumsum([w.size for w in weights.values()])[:-1]

    def apart(row):
        return {e: part.reshape(s) for e, part, s in zip(names, np.split(row, ends), shapes, strict=True)}

    def velocity(_, row):
        speed = nodewise_flow(graph, task, apart(row))
        return np.concatenate([speed[e].ravel() for e in names])

    row = np.concatenate([weights[e].ravel() for e in names])
    method, rtol = ("BDF", 1e-8) if event is None and max(map(len, graph.paths)) > 2 else ("DOP853", 1e-7)
    events = None if event is None else lambda _, r: event(apart(r))
    if events is not None:
        events.terminal, events.direction = True, 1  # type: ignore[attr-defined]
    atol = rtol * float(np.abs(row).max())
    return solve_ivp(velocity, (0, until), row, method, rtol=rtol, atol=atol, events=events), apart


def _alone(name: str, graph: GatedGraph, task: Task, weights) -> tuple[float, float]:
    """When a scheme alone escapes, 4 G = F, and the fraction of the loss with which it is left.

    Scaling the weights that cross any cut scales the output: at rest 2 G = F, so that whatever grows escapes.
    """
    target = graph.outputs[0]
    y = task.target(target)

    def half_way(w):
        h = forward(graph, task, w)[target]
        F, G = task.share @ (y * h).sum(1), task.share @ (h * h).sum(1) / 2
        return 4 * G / F - 1 if F > 0 else -np.inf

    before = half_way(weights)
    if before == -np.inf:
        return np.inf, 1.0
    if before >= 0:
        raise ValueError(f"scheme {name!r} has left the saddle before it starts: b0 is too large")
    found, apart = _flow(graph, task, weights, 1e300, half_way)
    if not len(found.t_events[0]):
        raise ArithmeticError(f"scheme {name!r} does not leave the saddle: {found.message}")
    escaped = float(found.t_events[0][0])
    rest, apart = _flow(graph, task, apart(found.y_events[0][0]), (HORIZON - 1) * escaped)
    h = forward(graph, task, apart(rest.y[:, -1]))[target]
    return escaped, float(task.share @ ((y - h) ** 2).sum(1) / (task.share @ (y * y).sum(1)))


def _shares(entered: Mapping[str, tuple[GatedGraph, Task]], names, escape, b0: float) -> dict[str, float]:
    """What each of the named schemes makes up of the target when they learn together; 0 for those that never escape."""
    if not (running := [name for name in names if np.isfinite(escape[name])]):
        return dict.fromkeys(names, 0.0)
    dims: dict[str, int] = {}
    edges: dict[str, tuple[str, str]] = {}
    x: dict[str, np.ndarray] = {}
    gates: dict[str, np.ndarray] = {}
    weights: dict[str, np.ndarray] = {}
    for name in running:
        graph, task = entered[name]
        own = {v: "target" if v in graph.outputs else f"{name}/{v}" for v in graph.dims}
        dims |= {own[v]: d for v, d in graph.dims.items()}
        edges |= {f"{name}/{e}": (own[s], own[t]) for e, (s, t) in graph.edges.items()}
        x |= {own[v]: task.x[v] for v in graph.inputs}
        gates |= {own.get(g, f"{name}/{g}"): v for g, v in task.gates.items()}
        weights |= {f"{name}/{e}": w for e, w in _start(name, graph, task, b0).items()}
    target = next(iter(entered[running[0]][1].y.values()))
    union, everyone = GatedGraph(dims, edges), Task(x, {"target": target}, gates)
    end, apart = _flow(union, everyone, weights, HORIZON * max(escape[name] for name in running))
    final = apart(end.y[:, -1])
    shares = dict.fromkeys(names, 0.0)
    for name in running:
        graph, task = entered[name]
        h = forward(graph, task, {e: final[f"{name}/{e}"] for e in graph.edges})[graph.outputs[0]]
        shares[name] = float(np.sum(target * h) / np.sum(target * target))
    return shares
