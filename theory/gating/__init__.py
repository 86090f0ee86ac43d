"""Gated deep linear networks: from any graph of pathways to its reduction.

Problem.  A directed acyclic graph has an edge e from node s(e) to node t(e), with weights W_e, and a gate
on every node and edge that depends on the example alone.  An input node has h = g x; every other

    h_v = g_v sum_{t(e) = v} g_e W_e h_s(e).                                                   (1)

The loss is half the squared error of all outputs, averaged over examples; an output that is gated off
asks for 0.  Given the gates the network is linear: with W_p the product of the weights along a path p
and g_p that of its gates, both ends included, an output is the sum of g_p W_p x over the paths that end
there.  So the gradient flow, tau = 1, is

    W_e' = sum_{p through e} W_after^T E(p) W_before^T,
    E(p) = Sigma_yx(p) - sum_{j that end where p does} W_j Sigma_x(j, p),                      (2)
    Sigma_yx(p) = <g_p y x^T>,     Sigma_x(j, p) = <g_j x_s(j) x_s(p)^T g_p>,

in which a path is cut at e into what comes before and after; an empty product is the identity.  Whatever
the gates, each hidden node conserves

    sum_in W_e W_e^T - sum_out W_e^T W_e.                                                      (3)

Reduction.  Let bases U of outputs and V of inputs make all correlations diagonal at once, Sigma_yx(p) =
U S(p) V^T and Sigma_x(j, p) = V D(j, p) V^T; S has signs.  Weights that start as W_e = R_t(e) B_e R_s(e)^T, B_e
diagonal, R orthonormal columns, R = V at inputs and U at outputs, keep that form, and

    B_e' = sum_{p through e} B_{p without e} (S(p) - sum_j B_j D(j, p)).                       (4)

Mode by mode this is the gradient flow of a network of scalars with the loss <y^2>/2 - F + G, F = sum_p S(p)
B_p and G = sum_jp B_j D(j, p) B_p/2.  Edges whose equations are the same polynomials stay equal once equal:
they form a lump of n_b edges, n_b b' = d(F - G)/db.  The coarsest such partition is found by refinement, and
F and G by one pass over the nodes in which equal terms merge; no path is ever walked, however many there
are.  A task whose bases differ from path to path may still fit after `clone_inputs`, which changes nothing
in (1): exclusive-or with a margin does.

Exclusive-or.  Inputs (+-c, +-c, Delta y), y = +-1 the sign of x1 x2.  Four gates, each open on one example, have
S = sqrt(q)/4 and D = q/4, q = 2 c^2 + Delta^2, and do not disturb each other, so that

    tau a' = 2 a (S - D a),     loss (1 - sqrt(q) a)^2/2.                                      (5)

Routing.  M input and M output domains around one hidden weight; of the M^2 pairs MK are trained, K for each
input, equally likely.  With s and d of one pair,

    b_in' = b_h b_out E/M,  b_h' = b_in b_out E,  b_out' = b_in b_h E/M,  E = s - d b_in b_h b_out:  (6)

K cancels.  b_h^2 - M b_in^2 stays, so the shared weight ends sqrt(M) times as large as the others.

Signs.  With one output for each input (K = 1) a domain's input and output weights may change sign together.  From
random weights the signs of the M domains are free, and a pair that was never trained computes their product: if k
domains have one sign, what is wrong with these pairs, of what was wrong at the start, is on average

    8 k (M - k)/(M (M - 1)),                                                                        (7)

which is 2 in the mean over free signs, and 0 with the probability 2^(1 - M) that all agree.

Symmetric networks.  N equally likely paths with gates that exclude each other, one path an example, and
n_e of them through one edge of layer e: b_e^2 = b_e0^2 + n_e y with one y for all, tau y' = (2/N) a (s - d a), a the
product of the b_e.  From balanced starts a moves as a chain of D layers, slowed by N/g, where g is the geometric
mean of the n_e: sharing speeds up.  From small unequal starts of three layers the time to escape is
(tau N/s) prod n_e^(-1/2) R_F(beta_1, beta_2, beta_3), beta = b_e0^2/n_e, an elliptic integral that is symmetric in
its arguments, homogeneous of degree -1/2, and regular where they meet.

Proved.  `derive` walks from the loss to (2), (3) and (4) for all edges of a network in which two paths, one of
them through a hidden node, share their ends, on explicit matrices and examples with gates of any value, and to (5),
(6) and (7) from the losses of their tasks.  Every law is put back into its problem.

Reference.  Saxe, Sodhani and Lewallen, "The neural race reduction: dynamics of abstraction in gated networks",
ICML 2022, for (1), (2) and (4).
"""

from theory.gating._derivation import derive
from theory.gating._diagonal import Diagonal, diagonalise
from theory.gating._graph import GatedGraph
from theory.gating._laws import (
    agreement,
    routing_hidden,
    routing_strength,
    shared_learning_time,
    sign_error,
    unequal_escape,
    xor,
    xor_half_time,
    xor_two_gates,
)
from theory.gating._problems import (
    contexts,
    hierarchy,
    one_item,
    pathways,
    routing,
    trained_pairs,
    xor_gates,
    xor_points,
)
from theory.gating._reduction import Reduction, reduction
from theory.gating._task import Correlations, Task, correlations, forward, gradient_flow, loss, nodewise_flow

__all__ = [
    "Correlations", "Diagonal", "GatedGraph", "Reduction", "Task", "agreement", "contexts", "correlations", "derive",
    "diagonalise", "forward", "gradient_flow", "hierarchy", "loss", "nodewise_flow", "one_item", "pathways",
    "reduction", "routing", "routing_hidden", "routing_strength", "shared_learning_time", "sign_error",
    "trained_pairs", "unequal_escape", "xor", "xor_gates", "xor_half_time", "xor_points", "xor_two_gates",
]  # fmt: skip
