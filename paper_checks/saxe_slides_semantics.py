"""The statements of Saxe's lecture on semantic structure and on saddles, one by one.

Part 1 of "Models of representation learning dynamics", from "Connecting neural nets and graphical models"
on.  The slides print no formula here; they say what can be found "exactly for certain graphical models" and
what networks "must" do.  Each statement is made exact and checked with rational arithmetic, independent of
`theory`; where it needs a hypothesis that the slide does not name, that is recorded.
"""

from itertools import product

import numpy as np
import sympy as sp
from scipy.linalg import svd
from scipy.optimize import brentq

from laws.typeset import latex

DOCUMENT = "saxe-slides"
third = sp.Rational(1, 3)


def leaves_by_enumeration(branching, depth, eps):
    """The exact covariance of the leaves of a tree, summed over every pattern of flips."""
    parents = [0]
    for level in range(1, depth + 1):
        first = len(parents) - branching ** (level - 1)
        parents += [first + i // branching for i in range(branching**level)]
    edges = len(parents) - 1
    total = sp.zeros(branching**depth)
    for flips in product((1, -1), repeat=edges):
        values = [1]
        for node in range(1, len(parents)):
            values.append(values[parents[node]] * flips[node - 1])
        leaf = sp.Matrix(values[-(branching**depth) :])
        turned = flips.count(-1)
        total += eps**turned * (1 - eps) ** (edges - turned) * leaf * leaf.T
    return total


def by_last_common_ancestor(branching, similarity):
    """The matrix of similarities q_k, k the level of the last common ancestor of two leaves, and 1 with itself."""
    q = [*similarity, sp.Integer(1)]
    below = np.cumprod([1, *branching[::-1]])[::-1]
    P = int(below[0])

    def level(i, j):
        return max(k for k in range(len(q)) if i // below[k] == j // below[k])

    return sp.Matrix(P, P, lambda i, j: q[level(i, j)])


def differing(branching, k):
    """A vector that tells the first two branches of level k apart."""
    below = np.cumprod([1, *branching[::-1]])[::-1]
    vector = np.zeros(int(below[0]), dtype=int)
    vector[: below[k]], vector[below[k] : 2 * below[k]] = 1, -1
    return sp.Matrix(vector)


def eigenvalue(matrix, vector):
    """The eigenvalue of an exact eigenvector, or None if it is none."""
    image = matrix * vector
    i = next(i for i, v in enumerate(vector) if v != 0)
    value = image[i] / vector[i]
    return value if sp.simplify(image - value * vector).is_zero_matrix else None


def test_trees():
    """Trees: summed over every pattern of flips, the leaves' eigenvalues are geometric sums of B (1 - 2 eps)^2."""
    eps = sp.Rational(1, 7)
    rho = (1 - 2 * eps) ** 2
    covariance = leaves_by_enumeration(2, 2, eps)
    assert covariance == by_last_common_ancestor((2, 2), (rho**2, rho))
    levels = [eigenvalue(covariance, differing((2, 2), k)) for k in (1, 2)]
    assert levels == [(1 - rho) * (1 + 2 * rho), 1 - rho]
    assert eigenvalue(covariance, sp.ones(4, 1)) == 1 + rho + 2 * rho**2
    wrong = (1 - 2 * eps) ** 1  # a similarity of 1 - 2 eps to the parent is not that of siblings
    assert levels != [(1 - wrong) * (1 + 2 * wrong), 1 - wrong]


def test_partitions():
    """Partitions: C clusters of m items have the eigenvalues 1-q+m(q-p)+Cmp once, 1-q+m(q-p) C-1 times, and 1-q."""
    C, m, p, q = 3, 2, sp.Rational(1, 5), sp.Rational(3, 5)
    covariance = by_last_common_ancestor((C, m), (p, q))
    expected = {1 - q + m * (q - p) + C * m * p: 1, 1 - q + m * (q - p): C - 1, 1 - q: C * (m - 1)}
    assert covariance.eigenvals() == expected


def test_rings_and_grids():
    """Rings and grids: waves are exact eigenvectors of the precision, with eigenvalues that add up over directions."""
    x = sp.symbols("x", integer=True)
    for P, k in ((5, 2), (8, 3)):
        angle = 2 * sp.pi * k / P
        assert sp.simplify(sp.cos(angle * (x + P)) - sp.cos(angle * x)) == 0
        around = 2 * sp.cos(angle * x) - sp.cos(angle * (x - 1)) - sp.cos(angle * (x + 1))
        assert sp.simplify(sp.expand_trig(around - (2 - 2 * sp.cos(angle)) * sp.cos(angle * x))) == 0
    line = sp.Matrix([[1, -1, 0], [-1, 2, -1], [0, -1, 1]])
    plane = sp.kronecker_product(line, sp.eye(2)) + sp.kronecker_product(sp.eye(3), sp.Matrix([[1, -1], [-1, 1]]))
    assert line.eigenvals() == {2 - 2 * sp.cos(sp.pi * k / 3): 1 for k in range(3)} == {0: 1, 1: 1, 3: 1}
    assert plane.eigenvals() == {0: 1, 1: 1, 3: 2, 2: 1, 5: 1}


def test_limit_of_many_features():
    """In the limit of many features only the similarity matters: singular values tend to sqrt(N Lambda)/P.

    Hoeffding bounds the six similarities found in N features of +-1, each of them but once in a million times; Weyl
    the eigenvalues of the matrix by its rows, three similarities in each.
    """
    eps = 0.1
    covariance = np.array(leaves_by_enumeration(2, 2, sp.Rational(1, 10))).astype(float)
    values = np.linalg.eigvalsh(covariance)[::-1]
    steps = by_last_common_ancestor((2, 2), (0.64, 0.8))  # as if a leaf were as similar to its sibling as to its parent
    rival = np.linalg.eigvalsh(np.array(steps).astype(float))[::-1]
    for count in (100, 10_000, 1_000_000):
        draw = np.random.default_rng(5)
        node = draw.choice([-1.0, 1.0], (1, count))
        for _ in range(2):
            node = np.repeat(node, 2, axis=0)
            node = np.where(draw.random(node.shape) < eps, -node, node)
        found = (4 * svd(node / 4, compute_uv=False)) ** 2 / count
        bound = 3 * np.sqrt(2 * np.log(2e6) / count)
        assert np.max(np.abs(found - values)) <= bound
    assert np.max(np.abs(found - rival)) > bound


def test_singular_values_decay_with_depth():
    """Singular values decay with depth: in every hierarchy whose similarities rise towards the leaves."""
    q = sp.symbols("q0:3", real=True)
    steps = sp.symbols("d0:4", positive=True)
    rising = dict(zip(q, np.cumsum(steps[:3]), strict=True))
    for branching in ((2, 2, 3), (3, 2, 2)):
        matrix = by_last_common_ancestor(branching, q)
        values = [eigenvalue(matrix, differing(branching, k)) for k in (1, 2, 3)]
        assert None not in values
        gaps = [sp.expand((a - b).subs(rising)) for a, b in zip(values, values[1:], strict=False)]
        assert all(gap.is_positive for gap in gaps)
    falling = {q[0]: third, q[1]: third / 2, q[2]: third}
    assert (values[0] - values[1]).subs(falling) < 0  # no hierarchy: then the order is another


def test_progressive_differentiation(erratum):
    """Networks "must exhibit progressive differentiation": only from starts below s/(lambda (1 + e^(1 + W(1/e))))."""
    s, lam, a0, x = sp.symbols("s lambda a_0 x", positive=True)
    half_time = sp.log(s / (lam * a0) - 1) / (2 * s)
    slope = sp.simplify(half_time.diff(s).subs(a0, s / (lam * x)) * 2 * s**2)
    assert sp.simplify(slope - (x / (x - 1) - sp.log(x - 1))) == 0
    turn = float(1 + sp.exp(1 + sp.LambertW(sp.exp(-1))))
    eps = np.finfo(float).eps
    assert abs(brentq(sp.lambdify(x, slope), 3, 6, xtol=4 * eps) - turn) < 16 * eps * turn
    broad, narrow = (sp.lambdify(a0, half_time.subs({s: v, lam: 0.6})) for v in (1.7, 1.4))
    small, large = 0.1 * 1.4 / 0.6, 0.4 * 1.4 / 0.6
    assert broad(small) < narrow(small) and broad(large) > narrow(large)
    erratum(
        DOCUMENT,
        "Progressive differentiation: networks must exhibit it",
        verdict="holds from small weights only",
        printed=r"\text{broad before fine, always}",
        corrected=rf"a_{{0}} < {latex(s / (lam * (1 + sp.exp(1 + sp.LambertW(sp.exp(-1))))))}",
        size=f"beyond s/({turn:.2f} λ) the narrow distinction is halfway first: at a₀ = 0.4 s/λ by "
        f"{100 * (1 - narrow(large) / broad(large)):.0f} % (s = 1.4 against 1.7, λ = 0.6)",
    )


def test_hierarchy_of_saddles(erratum):
    """Depth "introduces a hierarchy of saddle points": strict with two layers; with three, 0 has no curvature."""
    w = sp.symbols("w1:5", real=True)
    s1, s2 = sp.Rational(17, 10), sp.Rational(4, 5)
    two = ((s1 - w[0] * w[1]) ** 2 + (s2 - w[2] * w[3]) ** 2) / 2  # two modes, each with its own hidden unit
    learnt = [{}, {0: s1}, {2: s2}, {0: s1, 2: s2}]
    falls = []
    for modes in learnt:
        at = {w[i]: sp.sqrt(modes.get(i - i % 2, 0)) for i in range(4)}
        assert all(sp.diff(two, x).subs(at) == 0 for x in w)
        values = sp.hessian(two, w).subs(at).eigenvals()
        falls.append(sum(count for value, count in values.items() if value < 0))
    assert falls == [2, 1, 1, 0]
    v = sp.symbols("v1:4", real=True)
    three = (s1 - v[0] * v[1] * v[2]) ** 2 / 2
    flat = sp.hessian(three, v).subs(dict.fromkeys(v, 0))
    assert flat.is_zero_matrix and three.subs(dict.fromkeys(v, sp.Rational(1, 10))) < three.subs(dict.fromkeys(v, 0))
    erratum(
        DOCUMENT,
        "Depth introduces a hierarchy of saddle points",
        verdict="holds; strict saddles with two layers only",
        printed=r"\text{a hierarchy of saddle points}",
        corrected=r"D \geq 3: \quad \nabla^{2} L(0) = 0",
        size="with three layers no curvature is negative at 0, yet it is no minimum",
    )


def test_prediction_errors():
    """With the half in each loss, minus its slope in the value Q is the error delta itself, not twice it."""
    reward, Q = sp.symbols("Rew Q", real=True)
    delta = reward - Q
    assert sp.expand(-sp.diff(delta**2 / 2, Q) - delta) == 0 != sp.expand(-sp.diff(delta**2, Q) - delta)
