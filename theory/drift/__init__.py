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
walk must turn, which adds to (4) the normal vector -(sigma^2/2) H^+ T[P_T], T the third derivatives of L.

Stochastic error descent (SED) tries a perturbation xi of standard deviation s and takes -eta (L(theta + xi) -
L(theta)) xi; on average -eta s^2 grad <L(theta + xi)> (Stein), so along the manifold -(eta s^4/2) P_T grad tr H at
leading order: the regulariser of label noise.

Hypotheses.  L has no term of third order that matters over a fluctuation: sigma small at fixed eta; H is positive
definite across the manifold, eta lambda_max < 2; no kink is near.

Proved.  (2) and (3) solve their fixed-point equations; the coefficients of (4) follow by differentiating an
eigenvalue; the laws of the toy L = (xy)^2 solve the moment and backward equations of its slow motion, and those of one
step are exact; SED goes down tr H on the toy.  The turn of a curved manifold, and SED elsewhere, stand trial alone.

Measured, not derived: why noisy ReLU networks become sparse.  They sharpen until eta lambda_max = 2, where (2) has no
bound, and stay there while units die: not the small-step regulariser but the edge of stability decides which.
"""

from theory.drift._information import spatial_information
from theory.drift._manifold import (
    error_descent_drift,
    fluctuation,
    label_noise_drift,
    label_noise_floor,
    update_noise_drift,
    update_noise_floor,
)
from theory.drift._regulariser import Regulariser, derive, regulariser
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
    imbalance_drift,
    imbalance_step,
    nullity,
    rescaled,
)

__all__ = [
    "Regulariser",
    "arrival",
    "corner",
    "dead_rows",
    "derive",
    "derive_toy",
    "difference_of_squares",
    "error_descent_drift",
    "first_passage",
    "fluctuation",
    "fourth_moment",
    "imbalance_drift",
    "imbalance_step",
    "label_noise_drift",
    "label_noise_floor",
    "label_time",
    "nullity",
    "regulariser",
    "rescaled",
    "sed_decay",
    "sed_fluctuation",
    "sed_mean_step",
    "sed_second_moment_x",
    "sed_second_moment_y",
    "spatial_information",
    "toy_floor",
    "update_noise_drift",
    "update_noise_floor",
    "valley_drift",
    "valley_width",
    "y_only_time",
]
