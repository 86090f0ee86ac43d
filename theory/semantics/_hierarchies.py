"""Spectra of trees, nested categories and partitions; equation (2) of `theory.semantics`."""

import numpy as np
import sympy as sp

from laws.law import Law, Source, Step, formula
from laws.stable import geometric

B, D, k, eps = sp.symbols("B D k eps", real=True)
B1, B2, B3, q0, q1, q2 = sp.symbols("B1 B2 B3 q0 q1 q2", real=True)
C, m, p, q = sp.symbols("C m p q", real=True)
Lambda = sp.Function("Lambda")
rho = (1 - 2 * eps) ** 2

FLIPS = (eps > 0, 2 * eps < 1)
GENERIC = sp.Ne(B * rho, 1)
CRITICAL = {GENERIC: "there all terms of the sum are equal: tree_critical"}
SHALLOW = dict(B=3, D=4, eps=0.25)


def _sum(x, n):
    """1 + x + ... + x^(n - 1)."""
    return (x**n - 1) / (x - 1)


def _tree_level(B, D, k, eps):
    rho = (1 - 2 * eps) ** 2
    return 4 * eps * (1 - eps) * geometric(B * rho, D - k + 1)


def _tree_common(B, D, eps):
    rho = (1 - 2 * eps) ** 2
    return 4 * eps * (1 - eps) * geometric(B * rho, D) + (B * rho) ** D


tree_level = Law(
    Lambda(k),
    (1 - rho) * _sum(B * rho, D - k + 1),
    solves=lambda x: (
        x - x.subs(k, k + 1) - B ** (D - k) * (rho ** (D - k) - rho ** (D - k + 1)),
        x.subs(k, D) - (1 - rho),
    ),
    given=(B > 1, *FLIPS, k >= 1, k <= D, GENERIC),
    source=Source("saxe-slides", "Connecting neural nets and graphical models: trees; derived here"),
    examples=(dict(k=1, **SHALLOW), dict(k=3, **SHALLOW), dict(k=2, B=2, D=6, eps=0.03), dict(k=1, B=2, D=9, eps=0.31)),
    evaluate=_tree_level,
    reasons=CRITICAL,
)

tree_critical = Law(
    Lambda(k),
    (1 - 1 / B) * (D - k + 1),
    solves=lambda x: (x - x.subs(k, k + 1) - (1 - 1 / B), x.subs(k, D) - (1 - 1 / B)),
    given=(B > 1, k >= 1, k <= D),
    source=Source("derived here", "trees at B (1 - 2 eps)^2 = 1"),
    examples=(dict(k=2, B=4, D=5), dict(k=1, B=2, D=3)),
)

tree_common = Law(
    Lambda(0),
    (1 - rho) * _sum(B * rho, D) + (B * rho) ** D,
    solves=lambda x: (x - x.subs(D, D - 1) - (B**D - B ** (D - 1)) * rho**D, x.subs(D, 0) - 1),
    given=(B > 1, *FLIPS, D >= 1, GENERIC),
    source=Source("derived here", "trees: what all leaves have in common"),
    examples=(SHALLOW, dict(B=2, D=6, eps=0.03), dict(B=2, D=9, eps=0.31)),
    evaluate=_tree_common,
    reasons={GENERIC: "there it is (1 - 1/B) D + 1"},
)

nested = Law(
    Lambda(1),
    (1 - q2) + B3 * (q2 - q1) + B2 * B3 * (q1 - q0),
    solves=lambda x: (x - (1 + (B3 - 1) * q2 + B3 * (B2 - 1) * q1 - B2 * B3 * q0),),
    given=(B2 > 1, B3 > 1, q0 >= 0, q0 <= q1, q1 <= q2, q2 <= 1),
    source=Source("derived here", "the broadest distinction among categories nested in three levels"),
    examples=(dict(B2=3, B3=4, q0=0.1, q1=0.3, q2=0.7), dict(B2=2, B3=5, q0=0.2, q1=0.25, q2=0.9)),
)

CLUSTERS = (m > 1, p >= 0, p <= q, q <= 1)

partition_common = Law(
    Lambda(0),
    (1 - q) + m * (q - p) + C * m * p,
    solves=lambda x: (x - (1 + (m - 1) * q + (C - 1) * m * p),),
    given=(C > 1, *CLUSTERS),
    source=Source("saxe-slides", "Connecting neural nets and graphical models: partitions; derived here"),
    examples=(dict(C=3, m=4, p=0.15, q=0.6), dict(C=5, m=2, p=0.3, q=0.4)),
)

partition_between = Law(
    Lambda(1),
    (1 - q) + m * (q - p),
    solves=lambda x: (x - (1 + (m - 1) * q - m * p),),
    given=CLUSTERS,
    source=Source("saxe-slides", "Connecting neural nets and graphical models: partitions; derived here"),
    examples=(dict(m=4, p=0.15, q=0.6), dict(m=2, p=0.3, q=0.4)),
)

partition_within = Law(
    Lambda(2),
    1 - q,
    solves=lambda x: (x - (1 - q),),
    given=(q >= 0, q < 1),
    source=Source("saxe-slides", "Connecting neural nets and graphical models: partitions; derived here"),
    examples=(dict(q=0.6), dict(q=0.4)),
)


@formula(
    r"""\Lambda_k = \sum_{j \ge k} n_j (q_j - q_{j - 1}),
    \quad n_j = \prod_{i > j} B_i,
    \quad q_{-1} = 0,
    \quad q_D = 1"""
)
def ultrametric(branching, similarity):
    """The spectrum (2) of any hierarchy, from the broadest level to the single item.

    Args:
        branching: (B_1, ..., B_D), the branches of each node, whole and >= 1; P is their product.
        similarity: (q_0, ..., q_{D-1}), of leaves whose last common ancestor is the root, ..., the
            parent; not falling, and at most 1.

    Returns:
        eigenvalues, shape (D + 1,), and multiplicities, shape (D + 1,); level 0 is what all share.

    Raises:
        ValueError: for other shapes, branchings below 1, similarities that fall or leave no covariance.

    Source: derived here, equation (2).
    """
    B, q = np.asarray(branching), np.append(np.asarray(similarity, dtype=float), 1.0)
    if B.ndim != 1 or not B.size or B.dtype.kind not in "iu" or (B < 1).any():
        raise ValueError(f"ultrametric: branching = {branching!r} must be whole numbers, at least 1")
    if q.shape != (B.size + 1,) or not np.isfinite(q).all():
        raise ValueError(
            f"ultrametric: similarity = {similarity!r} must be {B.size} finite numbers, one for each level"
        )
    if (np.diff(q) < 0).any():
        raise ValueError(f"ultrametric: similarity = {similarity!r} must rise towards 1, else no hierarchy has it")
    nodes = np.cumprod(np.append(1, B))
    leaves = nodes[-1] // nodes
    terms = leaves * np.diff(q, prepend=0.0)
    values = np.cumsum(terms[::-1])[::-1]
    if values[0] < 0:
        raise ValueError(f"ultrametric: similarity = {similarity!r} is no covariance: level 0 has {values[0]:g}")
    return values, np.diff(nodes, prepend=0)


def derive_hierarchies() -> tuple[Step, ...]:
    """From a coin that flips to the spectrum of a tree; from rows of K to partitions."""
    c, x = sp.symbols("c x", real=True)
    n = sp.symbols("n", real=True)
    level, total = sp.Function("Lambda"), sp.Function("S")
    own = 1 + (B - 1) * rho + (B**2 - B) * rho**2  # similarities to the leaves of one's own branch, D - k = 2
    other = B**2 * rho**3
    geometric = {total(n): _sum(x, n)}
    tree = {level(k): tree_level.rhs}
    return (
        Step("a flip scales the similarity to any other node", sp.Eq((1 - eps) * c + eps * (-c), (1 - 2 * eps) * c)),
        Step(
            "own branch less another: an eigenvalue of K, two levels above the leaves",
            sp.Eq(own - other, (1 - rho) * (1 + B * rho + (B * rho) ** 2)),
        ),
        Step("so each level adds a power", sp.Eq(level(k) - level(k + 1), (1 - rho) * (B * rho) ** (D - k)), tree),
        Step("a geometric sum", sp.Eq(total(n + 1) - total(n), x**n), geometric),
        Step(
            "the root adds what two different branches share",
            sp.Eq(tree_common.rhs - tree_level.rhs.subs(k, 1), B**D * rho**D),
        ),
        Step(
            "where B rho = 1 all terms are equal",
            sp.Eq(level(k) - level(k + 1), 1 - 1 / B),
            {level(k): tree_critical.rhs},
        ),
        Step(
            "a partition: own cluster less another",
            sp.Eq(x, partition_between.rhs),
            {x: 1 + (m - 1) * q - m * p},
        ),
        Step(
            "a partition: own cluster and all others",
            sp.Eq(x, partition_common.rhs),
            {x: 1 + (m - 1) * q + (C - 1) * m * p},
        ),
    )  # fmt: skip
