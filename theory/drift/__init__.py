"""Drift along the zero-loss manifold: what noise does to a network that has learnt its task.

Problem.  A network descends its loss L with noise, and L vanishes on a manifold.  With update noise

    theta(t+1) = theta(t) - eta grad L(theta(t)) + sigma xi(t),     xi of mean 0 and covariance 1,          (1)

and with label noise, L = c |f(theta) - y|^2, every label is y + sigma zeta, drawn anew for each step.  Across the
manifold, where H is the Hessian, the fluctuation d obeys d(t+1) = (1 - eta H) d(t) + noise, so that its covariance C
is the fixed point of C = (1 - eta H) C (1 - eta H) + N:

    N = sigma^2:                   C = (sigma^2/2 eta) H^+ (1 - eta H/2)^-1,                                 (2)
    N = 2 c eta^2 sigma^2 H:       C = c eta sigma^2 H H^+ (1 - eta H/2)^-1.                                 (3)

The gradient does not average to 0 over these fluctuations: along the manifold, per step,

    <dtheta> = -(eta/2) P_T grad tr(H C) at fixed C                                                       (4)
             = -(sigma^2/4) P_T grad sum_i ln [lambda_i/(1 - eta lambda_i/2)]          (update noise)
             = (eta c sigma^2) P_T grad sum_i ln (1 - eta lambda_i/2)                  (label noise),

where P_T projects on the null space of H.  As eta -> 0 the regularisers are ln|H|_+, with the coefficient 1/4, and
tr H, with eta^2 c sigma^2/2.  Update noise also walks along the manifold, sigma P_T xi; to stay on a curved one the
walk must turn, which adds to (4) the normal vector

    -(sigma^2/2) H^+ T[P_T],     T the third derivatives of L.                                            (5)

Both follow at once from the map Phi to where descent ends: <dtheta> = sum_ij N_ij d_i d_j Phi/2, and d_i d_j Phi is
known on the manifold because Phi is the same one step later.

Stochastic error descent (SED) tries a perturbation xi of standard deviation s and takes -eta (L(theta + xi) -
L(theta)) xi; on average -kappa grad <L(theta + xi)> (Stein), kappa = eta s^2.  Its noise grows with the gradient
itself, so that its covariance has, for eigenvalue lambda_i,

    C_i = kappa (S + s^2 m_i/4)/(2 lambda_i (1 - kappa lambda_i)),     S = sum_j lambda_j^2 C_j,
    m_i = (tr H)^2 + 2 tr H^2 + 4 lambda_i tr H + 8 lambda_i^2,                                           (6)

bounded while kappa sum_j lambda_j/(1 - kappa lambda_j) < 2; m_i is of a loss of second order.  To leading order in s,
with Q = S + s^2 ((tr H)^2 + 2 tr H^2)/4, it moves by

    <dtheta> = -(kappa/2) P_T T[C + s^2] - (kappa^2 Q/2) H^+ T[P_T]:                                      (7)

for kappa -> 0 down tr H, the regulariser of label noise.

Adam and RMSprop divide steps by the root of a mean of squared gradients, plus epsilon, which is all that is left of it
where gradients vanish.  There a step is stable while

    eta lambda_max/epsilon < 2 (1 + beta)/(1 - beta),     beta the memory of the gradient, 0 for RMSprop:         (10)

beyond, a network without any noise never comes to rest.  Equations (8) and (9) are of hidden units, in `_units`, and
(11) of the toy, in `_toy`.

Hypotheses.  A fluctuation is so small that of L no derivative beyond the third is felt: sigma or s small at fixed eta
or kappa; H is positive definite across the manifold, eta lambda_max < 2; no kink is near.

Proved, for one eigenvalue: (2) and (3) solve their fixed-point equations; (4) follows from them, and (4) and (5) from
Phi; the laws of the toy L = (xy)^2 solve the moment and backward equations of its slow motion, and those of one step
are exact; so is that the imbalance of a unit changes by squares.  With many eigenvalues, (4) to (7) stand trial.

Measured, not derived: why noisy ReLU networks become sparse.  They sharpen until eta lambda_max = 2, where (2) has no
bound, and stay there while units die: not the small-step regulariser but the edge of stability decides which.
"""

from theory.drift._information import spatial_information
from theory.drift._manifold import (
    error_descent_drift,
    error_descent_fluctuation,
    fluctuation,
    label_noise_drift,
    label_noise_floor,
    update_noise_drift,
    update_noise_floor,
)
from theory.drift._modes import (
    adaptive_edge,
    derive_modes,
    label_loss,
    label_push,
    label_spread,
    small_label_push,
    small_update_push,
    update_loss,
    update_push,
    update_spread,
)
from theory.drift._regulariser import Regulariser, regulariser
from theory.drift._toy import (
    arrival,
    corner,
    derive_toy,
    difference_of_squares,
    first_passage,
    fourth_moment,
    label_time,
    sed_decay,
    sed_fluctuation,
    sed_mean_step,
    sed_second_moment_x,
    sed_second_moment_y,
    toy_floor,
    valley_drift,
    valley_width,
    y_only_time,
)
from theory.drift._units import (
    dead_rows,
    derive_units,
    imbalance_drift,
    imbalance_step,
    nullity,
    rescaled,
)

__all__ = [
    "Regulariser", "adaptive_edge", "arrival", "corner", "dead_rows", "derive", "difference_of_squares",
    "error_descent_drift", "error_descent_fluctuation", "first_passage", "fluctuation", "fourth_moment",
    "imbalance_drift", "imbalance_step", "label_loss", "label_noise_drift", "label_noise_floor", "label_push",
    "label_spread", "label_time", "nullity", "regulariser", "rescaled", "sed_decay", "sed_fluctuation",
    "sed_mean_step", "sed_second_moment_x", "sed_second_moment_y", "small_label_push", "small_update_push",
    "spatial_information", "toy_floor", "update_loss", "update_noise_drift", "update_noise_floor", "update_push",
    "update_spread", "valley_drift", "valley_width", "y_only_time",
]  # fmt: skip


def derive():
    """From a step of descent with noise to the laws: across and along the manifold, in the toy, and unit by unit."""
    return (*derive_modes(), *derive_toy(), *derive_units())
