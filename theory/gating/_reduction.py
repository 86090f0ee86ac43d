"""The reduction of a gated network to few scalar equations, one for each lump of edges; (4) of `theory.gating`."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

from laws.flow import Flow
from laws.law import formula
from laws.typeset import latex
from theory.chain import learning_time, two_layers
from theory.gating import _polynomial as poly
from theory.gating._diagonal import SAME, Diagonal, diagonalise
from theory.gating._graph import GatedGraph, Path
from theory.gating._task import Correlations

t, a, a0, y = sp.symbols("t a a0 y", real=True)


@dataclass(frozen=True, eq=False)
class Reduction:
    """The reduced flow n_b b' = dF/db - dG/db of all modes: the loss of a mode is <y^2>/2 - F + G.

    members: lump -> the edges whose weight it is, n_b of them; F, G: what the output has in common with its
    target, and half of its own size; values: coefficient -> its value in every mode; base: the bases.
    """

    graph: GatedGraph
    base: Diagonal
    members: Mapping[sp.Symbol, tuple[str, ...]]
    F: sp.Expr
    G: sp.Expr
    values: Mapping[sp.Symbol, np.ndarray]

    @property
    def modes(self) -> int:
        """How many modes there are; each follows the same equations with its own coefficients."""
        return self.base.U[self.graph.outputs[0]].shape[1]

    @property
    def multiplicities(self) -> dict[sp.Symbol, int]:
        """How many edges each lump stands for."""
        return {b: len(edges) for b, edges in self.members.items()}

    @cached_property
    def flow(self) -> Flow:
        """The reduced equations, tau = 1, as a symbolic flow of the lumps."""
        lumps = tuple(self.members)
        terms = sp.Poly(self.F - self.G, *lumps).terms()
        speeds = (_slope(terms, lumps, i) / n for i, n in enumerate(self.multiplicities.values()))
        return Flow(lumps, tuple(speeds))

    @cached_property
    def conserved(self) -> tuple[sp.Expr, ...]:
        """What each hidden node conserves, (3): its incoming squares less its outgoing ones, each law once."""
        lump = {e: b for b, edges in self.members.items() for e in edges}
        laws = []
        for v in self.graph.dims:
            if self.graph.into[v] and self.graph.out_of[v]:
                law = sum(lump[e] ** 2 for e in self.graph.into[v]) - sum(lump[e] ** 2 for e in self.graph.out_of[v])
                if law != 0 and law not in laws and -law not in laws:
                    laws.append(law)
        return tuple(laws)

    def solve(self, b0, times, rtol: float = 1e-10) -> dict[str, np.ndarray]:
        """The weight of every edge in every mode, shape (len(times), modes), from the weights b0.

        b0: a number, or edge -> number or array of shape (modes,); edges of one lump must start alike, or be
        told apart by `reduction(..., alike=...)`.  times: increasing, >= 0.  Raises ValueError.
        """
        times = _times(times)
        start = self._start(b0)
        shape = start.shape
        speed = self._compiled

        def velocity(_, row):
            return speed(row.reshape(shape)).ravel()

        atol = rtol * max(float(np.min(np.abs(start[start != 0]), initial=np.inf)), np.finfo(float).tiny)
        end = max(float(times[-1]), np.finfo(float).tiny)
        found = solve_ivp(velocity, (0, end), start.ravel(), "DOP853", times, rtol=rtol, atol=min(atol, rtol))
        if not found.success:
            raise ArithmeticError(f"the reduction could not be solved: {found.message}")
        rows = found.y.T.reshape(len(times), *shape)
        return {e: rows[:, i] for i, edges in enumerate(self.members.values()) for e in edges}

    def strength(self, path: Path, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """The product of the weights along a path."""
        return np.prod([weights[e] for e in path], axis=0)

    def escape_time(self, b0, rtol: float = 1e-10) -> np.ndarray:
        """When each mode has left the saddle: the first time of 4 G = F, shape (modes,), tau = 1.

        Where paths have one length, 2 G = F at every fixed point; half-way, an output that grows to s/d
        passes s/(2 d).  Raises ValueError for a mode with F <= 0 at the start: it is on the far side of the saddle.
        """
        start = self._start(b0)
        return np.array([self._escape(k, start[:, k], rtol) for k in range(self.modes)])

    def closed_form(self) -> sp.Eq:
        """The law of the common output a of all paths, for lumps that start balanced (b^2 n_b/m_b all equal).

        Where F = s a and 2 G = d a^2 with a one product of powers b^m_b, a moves as a chain of as many layers
        as a path has edges.  Two layers give a(t), more the time t(a).  ValueError where the lumps do not
        collapse to one product.
        """
        product, depth, gain, s, d = self._product()
        rename = {learning_time_symbol(n): v for n, v in (("s", gain * s), ("lam", gain * d), ("tau", sp.S.One))}
        if depth == 2:
            return sp.Eq(sp.Function("a")(t), two_layers.rhs.subs(rename, simultaneous=True))
        rename |= {learning_time_symbol("D"): sp.Integer(depth), learning_time_symbol("af"): a}
        return sp.Eq(t, learning_time.rhs.subs(rename, simultaneous=True))

    def quadrature(self) -> sp.Eq:
        """The time at which every lump has b^2 = b(0)^2 + m_b y/n_b, from any start: one integral over y."""
        powers, _, _, s, d = self._product()
        starts = {b: sp.Symbol(f"{b.name}(0)", real=True) for b in powers}
        z = sp.Symbol("z", real=True)
        n = self.multiplicities
        out = sp.prod([sp.sqrt(starts[b] ** 2 + sp.Integer(m) / n[b] * z) ** m for b, m in powers.items()])
        return sp.Eq(t, sp.Integral(1 / (2 * out * (s - d * out)), (z, 0, y)))

    def _repr_latex_(self) -> str:
        counted = zip(self.multiplicities.items(), self.flow.equations, strict=True)
        lines = [rf"{n} \times {latex(b)}:\quad {latex(equation)}" for (b, n), equation in counted]
        lines += [rf"{latex(q)} = \mathrm{{const}}" for q in self.conserved]
        return r"$\displaystyle \begin{aligned}&" + r" \\ &".join(lines) + r"\end{aligned}$"

    # -- numbers -------------------------------------------------------------------------------

    def _start(self, b0) -> np.ndarray:
        """The weights of all lumps in all modes, shape (lumps, modes)."""
        given = b0 if isinstance(b0, Mapping) else {e: b0 for e in self.graph.edges}
        if set(given) != set(self.graph.edges):
            raise ValueError(f"b0 is given for {sorted(given)}, the edges are {sorted(self.graph.edges)}")
        rows = []
        for b, edges in self.members.items():
            values = np.array([np.broadcast_to(np.asarray(given[e], dtype=float), self.modes) for e in edges])
            if not np.all(np.isfinite(values)):
                raise ValueError(f"b0 of {edges} is not finite")
            if np.any(values != values[0]):
                raise ValueError(f"the edges {edges} of lump {b} must start alike; else name them apart with `alike`")
            rows.append(values[0])
        return np.array(rows)

    @cached_property
    def _compiled(self):
        """Speeds as a function of the lumps in all modes, shape (lumps, modes)."""
        return self._function(self.flow.speeds)

    @cached_property
    def _energies(self):
        return self._function((self.F, self.G))

    def _function(self, expressions):
        names, coefficients = list(self.members), list(self.values)
        compiled = sp.lambdify([*names, *coefficients], list(expressions), "numpy", cse=True)
        numbers = [self.values[c] for c in coefficients]

        def of(b, mode=slice(None)):
            rows = compiled(*b, *(v[mode] for v in numbers))
            return np.array([np.broadcast_to(row, np.shape(b[0])) for row in rows])

        return of

    def _escape(self, k: int, start: np.ndarray, rtol: float) -> float:
        def half_way(_, b):
            F, G = self._energies(b, k)
            return 4 * G / F - 1

        F, G = self._energies(start, k)
        if not F > 0:
            raise ValueError(f"mode {k} starts with F = {F:.3g}: on the far side of the saddle, it never escapes")
        if 4 * G >= F:
            return 0.0
        half_way.terminal, half_way.direction = True, 1  # type: ignore[attr-defined]
        span, atol = (0.0, 1e300), rtol * float(np.min(np.abs(start[start != 0])))
        found = solve_ivp(
            lambda _, b: self._compiled(b, k), span, start, "DOP853", events=half_way, rtol=rtol, atol=atol
        )
        if not len(found.t_events[0]):
            raise ArithmeticError(f"mode {k} does not leave the saddle: {found.message}")
        return float(found.t_events[0][0])

    def _product(self):
        """The powers of the common product, the depth, the gain prod (m/n)^(m/depth), and s and d; or ValueError."""
        F, G = (sp.Poly(e, *self.members).terms() for e in (self.F, self.G))
        if len(F) != 1 or len(G) != 1 or G[0][0] != tuple(2 * m for m in F[0][0]):
            raise ValueError(f"no closed form: {len(F)} products in F and {len(G)} in G, not one and its square")
        powers = {b: m for b, m in zip(self.members, F[0][0], strict=True) if m}
        depth, n = sum(powers.values()), self.multiplicities
        gain = sp.prod([sp.Rational(m, n[b]) ** sp.Rational(m, depth) for b, m in powers.items()])
        return powers, depth, gain, F[0][1], 2 * G[0][1]


def learning_time_symbol(name: str) -> sp.Symbol:
    """A symbol of the laws of chains."""
    return sp.Symbol(name, real=True)


@formula(
    r"""n_b\, \frac{d b}{d t} = \frac{\partial (F - G)}{\partial b},
    \quad F = \sum_p S(p)\, B_p,
    \quad G = \frac{1}{2} \sum_{j, p} B_j\, D(j, p)\, B_p"""
)
def reduction(graph: GatedGraph, corr: Correlations, alike: Mapping[str, object] | None = None) -> Reduction:
    """The reduced flow of a gated network from decoupled weights W_e = R_t B_e R_s^T, exact under (4).

    alike: edge -> label of those that start with one weight; by default those with as many edges before and
    behind them.  Edges are lumped only where they then stay equal.

    Raises ValueError for correlations that are not mutually diagonalisable (with the residual), for a hidden
    node with fewer units than modes, and for reductions of more terms than can be handled.

    Source: derived here, equation (4); Saxe, Sodhani and Lewallen 2022.
    """
    base = diagonalise(graph, corr)
    modes = base.U[graph.outputs[0]].shape[1]
    for v in graph.dims:
        if graph.into[v] and graph.out_of[v] and graph.dims[v] < modes:
            raise ValueError(f"hidden node {v!r} has {graph.dims[v]} units for {modes} modes")
    if alike is not None and set(alike) != set(graph.edges):
        raise ValueError(f"alike is given for {sorted(alike)}, the edges are {sorted(graph.edges)}")
    examples = poly.patterns(graph, base)
    colour = poly.lumps(graph, examples, alike or poly.levels(graph))
    members = {c: tuple(e for e in graph.edges if colour[e] == c) for c in sorted(set(colour.values()))}
    names = _names(list(members.values()))
    F, G = poly.energies(graph, examples, colour)
    values: dict[sp.Symbol, np.ndarray] = {}
    symbols = list(names)
    F_symbolic = _symbolic(F, symbols, "s", values, modes)
    G_symbolic = _symbolic({m: 2 * c for m, c in G.items()}, symbols, "d", values, modes) / 2
    return Reduction(graph, base, names, F_symbolic, sp.expand(G_symbolic), values)


def _symbolic(p: poly.Polynomial, lumps, letter: str, values: dict, modes: int) -> sp.Expr:
    """A polynomial with a symbol for each different coefficient, whose values are noted."""
    kinds: list[np.ndarray] = []
    terms = []
    for m, c in p.items():
        c = np.broadcast_to(c, modes)
        close = (i for i, known in enumerate(kinds) if np.max(np.abs(known - c)) <= SAME * np.max(np.abs(c)))
        i = next(close, len(kinds))
        if i == len(kinds):
            kinds.append(c)
        terms.append((i, sp.prod([b**k for b, k in zip(lumps, m, strict=True)])))
    names = [sp.Symbol(letter if len(kinds) == 1 else f"{letter}_{i + 1}", real=True) for i in range(len(kinds))]
    values.update(zip(names, kinds, strict=True))
    return sp.Add(*(names[i] * product for i, product in terms))


def _slope(terms, lumps: tuple[sp.Symbol, ...], i: int) -> sp.Expr:
    """The derivative of a sum of products in one lump, with the powers that all its terms share in front."""
    slopes = [(c * m[i], (*m[:i], m[i] - 1, *m[i + 1 :])) for m, c in terms if m[i]]
    shared = [min(powers) for powers in zip(*(m for _, m in slopes), strict=True)]
    product = lambda m: sp.Mul(*(b**k for b, k in zip(lumps, m, strict=True) if k))  # noqa: E731
    rest = (c * product([k - least for k, least in zip(m, shared, strict=True)]) for c, m in slopes)
    return product(shared) * sp.Add(*rest)


def _names(groups: list[tuple[str, ...]]) -> dict[sp.Symbol, tuple[str, ...]]:
    """A symbol for each lump, after what the names of its edges have in common."""
    common = [os.path.commonprefix(list(g)).rstrip("_0123456789") if len(g) > 1 else g[0] for g in groups]
    unique = all(common) and len(set(common)) == len(groups)
    tags = common if unique else [str(i + 1) for i in range(len(groups))]
    return {sp.Symbol(f"b_{tag}", real=True): g for tag, g in zip(tags, groups, strict=True)}


def _times(times) -> np.ndarray:
    array = np.atleast_1d(np.asarray(times, dtype=float))
    if array.ndim != 1 or not array.size or not np.all(np.isfinite(array)):
        raise ValueError(f"times = {times!r} must be a row of finite numbers")
    if array[0] < 0 or np.any(np.diff(array) <= 0):
        raise ValueError("times must be >= 0 and increase")
    return array
