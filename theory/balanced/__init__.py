"""Two-layer linear networks solved exactly: balanced gradient flow, from lazy to rich.

Problem.  A network maps x to W2 W1 x, W1 of shape (Nh, Ni), W2 of shape (No, Nh), and is trained on pairs (x, y)
with white inputs, <x x^T> = I, and Sigma = <y x^T>.  Up to a constant its mean squared error is

    L = |Sigma - W2 W1|^2 / 2,                                                               (1)
    tau W1' = W2^T (Sigma - W2 W1),     tau W2' = (Sigma - W2 W1) W1^T.                      (2)

The flow conserves W2^T W2 - W1 W1^T.  A network is lambda-balanced if

    W2^T W2 - W1 W1^T = lambda I,                                                            (3)

which needs Nh <= No for lambda > 0 and Nh <= Ni for lambda < 0.  Put Q = [W1^T; W2].  By (3),

    tau Q' = F Q - Q Q^T Q / 2,     F = [[-lambda/2 I, Sigma^T], [Sigma, lambda/2 I]],       (4)
    tau P' = F P + P F - P^2,       P = Q Q^T:                                               (5)

a matrix Riccati equation, with a linear lift P = N M^-1, tau N' = F N, tau M' = N - F M.  Hence, t in units of tau,

    P(t) = e^(F t) Q0 [I + Q0^T (e^(2 F t) - I)/(2 F) Q0]^-1 Q0^T e^(F t).                   (6)

F has eigenvalues +-S_l = +-sqrt(s^2 + lambda^2/4), two for each singular value s of Sigma, and |No - Ni| times
sgn(No - Ni) lambda/2.  No assumption was made on Ni, Nh, No or on the sign of lambda; inputs with <x x^T> = c I are
white in the variables sqrt(c) W.  The slides' (13)-(15) are (6) in the modes of Sigma, but for the last term of (15).

One mode.  With input variance mu the weights c, d of one mode, a = c d, d^2 - c^2 = lambda, obey

    tau a' = sqrt(lambda^2 + 4 a^2) (s - mu a),                                              (7)
    tau p' = 2 s p - mu (p^2 - lambda^2/4),     p = (c + d)^2/2 = a + sqrt(a^2 + lambda^2/4), (8)

whose solution `strength` runs from the logistic (lambda = 0) to the exponential.  It turns where

    8 mu a^2 - 4 s a + mu lambda^2 = 0,                                                      (9)

so that it is sigmoidal up to |lambda| = s/(sqrt(2) mu), and above that learning only slows down.  When it is learnt
the layers share it unequally: the squares of their weights are sqrt(s^2/mu^2 + lambda^2/4) -+ lambda/2.

The hidden obstruction.  Let lambda = 0, Ni = No = n <= Nh.  Then W2^T = W1 G with G orthogonal, and the growing
part of Q0 is W1 (V + G U).  It has rank n unless V^T G U has the eigenvalue -1, which an orthogonal matrix of
determinant -1 always has and another almost never.  So if det(W2 W1) det Sigma < 0, as for half of all starts, one
direction cannot grow, the slowest: learning ends at a saddle with L = s_min^2/2.  Any lambda != 0 heals this, after
a time (tau/s_min) ln(1/|lambda|), to leading order.

Large balance.  For lambda -> inf the second layer is large and at first only W1 moves, in a time tau/lambda, to

    L = |(I - Pi) Sigma|^2 / 2,     Pi the projector onto the columns of W2(0),              (10)

which is 0 if Nh = No: such networks are lazy, their kernel stays.  If Nh < No they wait on that plateau, which mode s
leaves at the rate s^2/(S_l + lambda/2)/tau; then W2 turns to the modes of the task, and as lambda -> inf the kernel

    K = I (x) X^T W1^T W1 X + W2 W2^T (x) X^T X                                              (11)

moves by the cosine distance 1 - tr(Pi Pi_final)/Nh: the delayed rich regime.  lambda -> -inf is the mirror image,
with W1 for W2 and Ni for No.

Small weights.  A mode of strength m that learns from small weights has turned to its task silently, while the loss
was still flat: the component of the weights away from it obeys (w_perp^2)' = -2 mu m w_perp^2/tau.

Descent.  Steps of size eta with errors E change the balance by eta^2 (W1 E^T E W1^T - W2^T E E^T W2), exactly.

Hypotheses.  White inputs and (3), to round-off; nothing else.

Proved.  (1)-(6) and the slides' form on balanced networks in rational numbers, shapes 2 x 3 and 3 x 2; the laws of
one mode by substitution into (7), (9) and the moments of normal weights.

References.  Fukumizu, "Effect of batch learning in multilayer neural networks" (1998); Braun et al., "Exact learning
dynamics of deep linear networks with prior knowledge" (2022); Domine et al., "From lazy to rich" (2025).
"""

from theory.balanced._continual import Continual, continual, forgetting
from theory.balanced._derivation import matrix_steps
from theory.balanced._moments import (
    balance_step,
    derive_moments,
    diagonal_variance,
    mean_balance,
    offdiagonal_variance,
)
from theory.balanced._partition import partition, partitioned
from theory.balanced._regimes import final_movement, is_obstructed, kernel_distance, plateau, regime
from theory.balanced._scalar import (
    derive_scalar,
    early_inflection,
    escape_rate,
    first_layer,
    healing_time,
    late_inflection,
    learning_time,
    second_layer,
    silent_alignment,
    strength,
    transition,
)
from theory.balanced._solution import loss, network_map, ntk, solution

from theory.balanced._checks import balance  # isort: skip

__all__ = [
    "Continual", "balance", "balance_step", "continual", "derive", "diagonal_variance", "early_inflection",
    "escape_rate", "final_movement", "first_layer", "forgetting", "healing_time", "is_obstructed", "kernel_distance",
    "late_inflection", "learning_time", "loss", "matrix_steps", "mean_balance", "network_map", "ntk",
    "offdiagonal_variance", "partition", "partitioned", "plateau", "regime", "second_layer", "silent_alignment",
    "solution", "strength", "transition",
]  # fmt: skip


def derive():
    """The steps from the network's own loss to its solution, in matrices and for one mode."""
    return (*matrix_steps(2, 1, 3, 4), *derive_scalar(), *derive_moments())
