r"""The expected loss of a ReLU autoencoder that sees its input through Gaussian noise.

Problem.  A datum x is seen as x + eps, eps ~ N(0, sigma^2 I), and reconstructed by
y~ = W_d h~ + b_d, h~ = (z~)_+, z~ = W_e (x + eps) + b_e.  Without noise these are y, h, z; the noise makes
unit j deviate by eta_j = h~_j - h_j.  With r = x - y and the columns w_dj of the decoder,

    E |x - y~|^2 = |r|^2 - 2 sum_j r.w_dj E[eta_j] + sum_j |w_dj|^2 E[eta_j^2]
                   + sum_{j != k} w_dj.w_dk E[eta_j eta_k]                                              (1)
                 = |r - W_d E[eta]|^2 + tr(W_d Cov(h~) W_d^T).                                          (2)

Only Gaussian variables are rectified here: z~_j ~ N(mu, s^2), mu = z_j, s = sigma |w_ej|, and two units
correlate by the cosine rho of their encoder weights.  With phi and Phi the normal density and
distribution function and a = mu/s,

    E[h~]     = mu Phi(a) + s phi(a),                          E[eta] = s phi(a) - |mu| Phi(-|a|),           (3)
    E[h~^2]   = (mu^2 + s^2) Phi(a) + mu s phi(a),                                                          (4)
    E[eta^2]  = s^2 Phi(a) - |mu| E[eta],                                                                   (5)
    Var(h~)   = E[eta^2] - E[eta]^2,       d Var/d mu = 2 E[h~] Phi(-a) > 0.                                (6)

E[eta] solves what every noise average solves: its slope in mu is that of the activation averaged.  A unit
that is on costs s^2 erf(t/sqrt 2) more in (5) than one that is off by as much, t = |a|; the cost
saturates at s^2 and does not change when ReLU units are rescaled.  It is a smoothed count of units that
are on, not an L1 norm.

Pairs.  By Price's theorem E[h1 h2] grows in rho as both units are on, and starts from independence:

    d E[h~_1 h~_2] / d rho = s1 s2 Phi2(a, b; rho),                                                         (7)
    E[h~_1 h~_2] = (mu1 mu2 + rho s1 s2) Phi2 + s2 mu1 phi(b) Phi(u) + s1 mu2 phi(a) Phi(v)
                   + s1 s2 sqrt(1 - rho^2) phi(a) phi(v),                                                   (8)
    E[eta_1 eta_2] = E[h~_1 h~_2] - (mu1)_+ E[h~_2] - (mu2)_+ E[h~_1] + (mu1)_+ (mu2)_+,                     (9)

u = (a - rho b)/sqrt(1 - rho^2), v = (b - rho a)/sqrt(1 - rho^2).  Duplicates (rho = 1), opposites (rho = -1)
and units at their kink (the arc-cosine kernel) are laws of their own.  As sigma -> 0, (9) tends to
rho s1 s2 if both units are on and else to 0, up to terms that vanish like exp(-min(t)^2/2).

Other activations.  E[F(mu + s g)] solves the heat equation in (mu, s) from F:

    E[erf z] = erf(mu/sqrt(1 + 2 s^2)),     Cov = 4 [Phi2(A, B; R) - Phi(A) Phi(B)],                        (10)
    E[z Phi(z)] = mu Phi(mu/T) + (s^2/T) phi(mu/T),     T^2 = 1 + s^2,                                      (11)

A = mu1 sqrt(2/(1 + 2 s1^2)), R = 2 rho s1 s2/sqrt((1 + 2 s1^2)(1 + 2 s2^2)).  Two GELU units, z Phi(z) being the
mean of z 1(u < z) over a normal u of its own, need Stein's lemma twice: with c = rho s1 s2 and
P = Phi2(mu1/T1, mu2/T2; c/(T1 T2)),

    E[h1 h2] = (mu1 + s1^2 d/dmu1 + c d/dmu2) (mu2 + s2^2 d/dmu2 + c d/dmu1) P.                              (11')

Under noise that is Laplace of scale beta along the weights, E[eta] = (beta/2) exp(-|mu|/beta); a sum of Laplace
variables is not Laplace.

Small noise.  At fixed x off all kinks, (1) is |r|^2 + sigma^2 |J|^2 but for exponentially small terms.
Averaged over a smooth density of data, kinks count at the same order:

    L = L_0 + sigma^2 [E|J|^2 - sum_j |w_ej|^2 p_j(0) E(r.w_dj | z_j = 0)] + O(sigma^4),                    (12)

p_j the density of z_j.  It is stated and proved for one unit that reads a Gaussian input.

Thresholds.  For orthonormal weights |x - W a|^2 + lam sum_i a_i, a >= 0, is least at
a_i = (w_i.x - lam/2)_+ (13).  Minibatches of B independent examples average gradients whose mean is the
gradient of (1), not of |r|^2, and whose variance falls as 1/B (14): large batches keep the penalty.

Symmetries.  A unit counts as active, noise on, with probability

    P(h~ > 0) = Phi(mu/s),                                                                              (15)

the slope of E[h~] in mu.  Encoder and bias p times and the decoder 1/p times as large leave the loss as it is, so that
w_e.dL/dw_e + b dL/db = w_d.dL/dw_d, and gradient flow, whatever the data, keeps

    |w_e|^2 + b^2 - |w_d|^2                                                                             (16)

of every unit.  Data, noise and all biases c times as large make the loss c^2 times as large (17).

Proved.  Moments of one unit by their slopes in mu and s and a value at the kink; pairs by (7) and
independence; smooth activations by the heat equation; (12) to order sigma^4; `derive` starts from the loss.
"""

from theory.noise._activations import (
    derive_activations,
    erf_covariance,
    erf_mean,
    gelu_covariance,
    gelu_mean,
    gelu_mean_square,
    laplace_second_moment_off,
    laplace_second_moment_on,
    laplace_shift,
)
from theory.noise._limits import (
    derive_limits,
    gaussian_data_loss,
    minibatch_variance,
    small_noise_loss,
    soft_threshold,
)
from theory.noise._loss import ExpectedLoss, expected_loss
from theory.noise._moments import derive_moments, mean, mean_square, on_off_gap, second_moment, shift, variance
from theory.noise._pairs import (
    arc_cosine_kernel,
    covariance,
    covariance_by_mu,
    covariance_by_rho,
    covariance_by_s,
    cross_moment,
    derive_pairs,
    duplicate_covariance,
    opposite_covariance,
    product_moment,
)
from theory.noise._symmetries import activity, balance, derive_symmetries, rescaling, scaled_loss
from theory.noise._terms import derive_terms

__all__ = [
    "ExpectedLoss", "activity", "arc_cosine_kernel", "balance", "covariance", "covariance_by_mu", "covariance_by_rho",
    "covariance_by_s", "cross_moment", "derive", "duplicate_covariance", "erf_covariance", "erf_mean", "expected_loss",
    "gaussian_data_loss", "gelu_covariance", "gelu_mean", "gelu_mean_square", "laplace_second_moment_off",
    "laplace_second_moment_on", "laplace_shift", "mean", "mean_square", "minibatch_variance", "on_off_gap",
    "opposite_covariance", "product_moment", "rescaling", "scaled_loss", "second_moment", "shift", "small_noise_loss",
    "soft_threshold", "variance",
]  # fmt: skip


def derive():
    """The steps from the noisy loss to its terms, their moments, the closed loss and its small-noise limit."""
    one, others = (*derive_terms(), *derive_moments()), (*derive_activations(), *derive_limits())
    return (*one, *derive_pairs(), *others, *derive_symmetries())
