"""How deep linear networks learn semantic structure: spectra of worlds, and the order in which they are learnt.

Problem.  P items, each its own one-hot input, have N features each, drawn independently from a structured
world.  As N -> inf the features enter the loss only through the similarity of items, the covariance
K_ij = <y_i y_j> of one feature.  If K has the eigenvalue Lambda, the network sees a mode of strength

    s = sqrt(N Lambda)/P,     input variance lam = 1/P,                                       (1)

and learns it as a chain (`theory.chain`).  Which distinctions a world has, and when each is learnt, is
read off the spectrum of K.

Hierarchies.  Leaves whose last common ancestor is at level k (0 is the root, D the leaf itself) have
similarity q_k, q_0 <= q_1 <= ... <= q_D = 1, and n_k leaves stem from one node of level k.  A vector that
is constant on the branches of level k, and sums to 0 over siblings, is an eigenvector of K with

    Lambda_k = sum over j >= k of n_j (q_j - q_{j-1}),     q_{-1} = 0.                        (2)

All terms are positive: Lambda_1 > Lambda_2 > ..., so that broad distinctions are always learnt first.
Partitions are hierarchies of two levels.  In branching diffusion a binary feature passes down a tree
with B branches per node and flips with probability eps on each: q_k = rho^(D-k), rho = (1 - 2 eps)^2, and
(2) is a geometric sum.

Lattices.  Features that are smooth along a ring, a path, a torus or a grid with unit edges have the covariance
(L + 1/sigma^2)^-1, L the graph's Laplacian.  Waves are its eigenvectors; along several directions their
eigenvalues of L add up.

Learning.  From mode strength a0, the half-time of a level is that of the two-layer chain (1).  Independent
weights of variance sigma^2 and n hidden units start it, on average, at a0 = n sigma^2/2.  The half-time falls
with s, and the order of learning is that of the spectrum, as long as a0 stays below s/(lam (1 + e^(1 + W(1/e)))),
that is s/(4.59 lam); beyond, the weaker mode would be halfway first.

Hypotheses.  Levels k, branchings B, numbers of items and wave numbers k are whole: the laws hold at
whole numbers and continue smoothly between them.  eps is between 0 and 1/2.

Proved.  The tree's eigenvalues solve the recursion in k (or in D) that (2) implies; partitions, trees of three
levels and waves are put into rows of K or of its inverse; the times into the chain's problem.
"""

from theory.semantics._hierarchies import (
    derive_hierarchies,
    nested,
    partition_between,
    partition_common,
    partition_within,
    tree_common,
    tree_critical,
    tree_level,
    ultrametric,
)
from theory.semantics._lattices import derive_lattices, grid, lattice, path, ring, torus
from theory.semantics._learning import derive_learning, expected_start, latest_start, level_time, mode_strength

__all__ = [
    "derive", "expected_start", "grid", "latest_start", "lattice", "level_time", "mode_strength", "nested",
    "partition_between", "partition_common", "partition_within", "path", "ring", "torus", "tree_common",
    "tree_critical", "tree_level", "ultrametric",
]  # fmt: skip


def derive():
    """The steps from the network's loss and the worlds' rules to spectra and times."""
    return (*derive_hierarchies(), *derive_lattices(), *derive_learning())
