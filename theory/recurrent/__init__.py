"""Recurrent networks: how linear ones learn, what fits pin down, and what degeneracy is to be measured against.

Learning.  A linear network h_i = Wh h_{i-1} + Wx x_i, h_0 = 0, reads out y = Wy h_T after T white inputs.  Its
targets sum_i S_i x_i have the singular modes S_i = U diag(s_i) V^T.  Let the weights be aligned with them,
Wx = R diag(a) V^T, Wh = R diag(b) R^T, Wy = U diag(c) R^T.  Then every mode has the loss

    L = (1/2) sum_i e_i^2,     e_i = s_i - c b^(T-i) a,                                       (1)
    tau a' = sum_i c b^(T-i) e_i,  tau b' = sum_i (T-i) a c b^(T-i-1) e_i,  tau c' = sum_i a b^(T-i) e_i.  (2)

For s_i = delta rho^(T-i) the sums are geometric: with G(z) = (1 - z^T)/(1 - z),

    tau a' = c [delta G(b rho) - a c G(b^2)],  tau b' = a c [delta rho G'(b rho) - a b c G'(b^2)],   (3)

and c' as a' with a and c exchanged.  While b rests, a = c make a gain sigma = a c with the logistic course

    tau sigma' = 2 sigma [delta G(b rho) - G(b^2) sigma].                                     (4)

There is no loss left for s_i = delta rho^(T-i) at b = rho, a c = delta, and for s_i = delta rho^i at

    b = 1/rho,     a c = delta rho^T:                                                         (5)

a profile that falls towards the end needs a recurrence that grows.

Symmetry.  For invertible G the weights G Wx, G Wh G^-1, Wy G^-1 (and G beta, for a bias) give the same outputs:

    dL/dWx Wx^T + dL/dWh Wh^T + dL/dbeta beta^T = Wh^T dL/dWh + Wy^T dL/dWy                    (6)

for any loss of the outputs and any data.  Hence gradient flow with one rate for all weights conserves

    Q = Wx Wx^T + Wh Wh^T - Wh^T Wh - Wy^T Wy + beta beta^T,                                  (7)

and a step of descent changes it by exactly eta^2 times the same form in the gradients.  In one mode Q is a^2 - c^2, and
a step makes of it

    (a^2 - c^2) (1 - eta^2 [delta G(b rho) - a c G(b^2)]^2).                                   (8)

Degeneracy.  Outputs depend on the Markov parameters Wy Wh^(k-1) Wx.  Networks of k and n states that agree on

    k + n                                                                                     (9)

of them agree on all, and with one input and output no fewer will do.  So if the task has degree k, a fit of k + n
parameters by n units pins k eigenvalues and all outputs at any later time, and leaves n - k eigenvalues to chance;
the weights are pinned up to G if n = k, where 2 n parameters are needed.  Two units that fit three leave a curve,

    nu = (h3 - mu h2)/(h2 - mu h1).                                                          (10)

Integrators.  Wh = E E^+, Wx = E, Wy = E^+ add up their inputs exactly at any length.                 (11)
With lam in place of 1, after T independent steps of variance v^2, the mean squared error of a coordinate is

    v^2 sum_{k<T} (1 - lam^k)^2.                                                             (12)

Lorenz-96.  x_i' = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + F on a ring of n sites.                       (13)
The quadratic terms conserve the energy, volumes shrink at the rate n, and around x = F a wave of angle theta grows
at the rate -1 + F (cos theta - cos 2 theta) and turns at F (sin theta + sin 2 theta).                (14)
The rest state loses its stability at F = 1/max_k (cos theta_k - cos 2 theta_k) >= 8/9.               (15)

Width.  Let effective recurrent weights change by N^-q in a step, activities be N^-r, effective readout weights N^-p
and sums run over N^m units (N the width: m = 1; N the richness gamma: m = 0).  Then weights, states and outputs change,
and the first output is, in powers of N,

    m - q,     m - q - r,     m - p + d (d that of the states),     m/2 - p - r:              (16)

0, 0, 0, -1/2 in the maximal-update parameterisation, and 1, 1/2, 1, -1/2 in the standard one under Adam.  Weights and
states change in proportion to gamma, outputs not at all, and the first output is 1/gamma.  They are leading
orders: sums of one sign, and of independent terms for the first output.

Distances.  Between operators up to rotation, min |A - C B C^T| over orthogonal C, is that of the sorted eigenvalues
for symmetric ones (17).  For normal ones the cheapest assignment of eigenvalues bounds it from below (18), and is
exact where conjugate pairs can meet conjugate pairs; for R(x, y), the real form of x + i y,

    A = R(x, y) + R(-x, y),  B = R(0, z) + u + (-u):  4 x^2 + 4 y^2 + 2 z^2 + 2 u^2 - 4 sqrt(u^2 x^2 + y^2 z^2)  (19)

squared, 12 - 4 sqrt 2 where all are 1, against 4 by assignment.  Symmetric parts, skew parts and singular values
bound it from below for any pair (20).  In the plane it is 2 (x1 - x2)^2 + 2 (|y1| - |y2|)^2 (21); rotations alone keep
the signs of y.  Untrained n x n weights of variance sigma^2 are at least

    E min_P |W1 - P^T W2 P|^2 >= 2 n^2 sigma^2 - 2 n sigma^2 sqrt(2 ln n!)                    (22)

apart, and two of size 2 exactly 6 sigma^2: a distance that shrinks when divided by n^2 tells nothing of learning.

Hypotheses.  Linear activations and aligned weights for (2)-(5); white inputs for (1); one learning rate for (7).

Proved.  The sums by their growth with T; the flow (4) and the rest by substitution; (6) and (7) on explicit matrices;
(19) is attained at an explicit rotation.  That nothing is nearer: with c_i the columns of C, A = x S + y K, the
mixed term is u x (c3.S c3 - c4.S c4) + 2 y z (K c1).c2, and |(K c1).c2| = |(K c3).c4| =: k since C^T K C is orthogonal
and skew.  Then c4 = +-k K c3 + sqrt(1 - k^2) w, with w.S w = -c3.S c3 =: -alpha, so that it is at most
2 u x [alpha sqrt(1 - k^2) + k sqrt(1 - alpha^2)] sqrt(1 - k^2) + 2 y z k; `derive` walks the two bounds that are left,
Lagrange's identity in alpha and in k.  Quoted: Hoffman and Wielandt's theorem in (18), Mirsky's for the singular values
in (20), and Chernoff's bound in (22).

References.  Proca, Domine, Shanahan and Mediano, "Learning dynamics in linear recurrent neural networks" (2025); Huang,
Singh, Martinelli and Rajan, "Measuring and controlling solution degeneracy" (2025); Kalman, Falb and Arbib, "Topics in
mathematical system theory" (1969); Bordelon and Pehlevan, "Self-consistent dynamical field theory of kernel evolution"
(2022).  Trial lengths and other choices that the second leaves open are ours, and said where they are made.
"""

from theory.recurrent._distances import (
    Bound,
    derive_distances,
    hoffman_wielandt,
    pair_null,
    permutation_bound,
    planar_distance,
    rotation_distance,
    spectral_bound,
    symmetric_distance,
    unmatched_distance,
)
from theory.recurrent._integrator import derive_integrator, integrator, leak_error
from theory.recurrent._learning import (
    derive_learning,
    frozen_recurrence,
    input_speed,
    learn,
    profile_speeds,
    recurrent_speed,
    reversed_gain,
    unbalance_step,
)
from theory.recurrent._lorenz import (
    critical_forcing,
    derive_lorenz,
    energy_rate,
    exponent_sum,
    frequency,
    growth_rate,
)
from theory.recurrent._realisation import (
    Pinned,
    degree_of,
    derive_realisation,
    loose_eigenvalue,
    pinned,
    realise,
)
from theory.recurrent._symmetry import conserved, derive_symmetry
from theory.recurrent._width import (
    MAXIMAL_UPDATE,
    RICHNESS,
    STANDARD,
    derive_width,
    feature_change,
    initial_output,
    output_change,
    weight_change,
)

__all__ = [
    "MAXIMAL_UPDATE", "RICHNESS", "STANDARD", "Bound", "Pinned", "conserved", "critical_forcing", "degree_of",
    "derive", "energy_rate", "exponent_sum", "feature_change", "frequency", "frozen_recurrence", "growth_rate",
    "hoffman_wielandt", "initial_output", "input_speed", "integrator", "leak_error", "learn", "loose_eigenvalue",
    "output_change", "pair_null", "permutation_bound", "pinned", "planar_distance", "profile_speeds", "realise",
    "recurrent_speed", "reversed_gain", "rotation_distance", "spectral_bound", "symmetric_distance", "unbalance_step",
    "unmatched_distance", "weight_change",
]  # fmt: skip


def derive():
    """From the losses and equations of recurrent networks to their laws."""
    return (
        *derive_learning(),
        *derive_symmetry(),
        *derive_realisation(),
        *derive_integrator(),
        *derive_lorenz(),
        *derive_width(),
        *derive_distances(),
    )
