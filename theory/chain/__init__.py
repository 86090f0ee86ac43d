"""Gradient flow in a chain of D weights with output a = w_1 ... w_D.

Problem.  The chain maps x to a x and is trained on pairs (x, y).  Only the averages s = <x y> and
lam = <x^2> enter its mean squared error: up to a constant the loss is

    L = (s - lam a)^2 / (2 lam).                                                             (1)

Gradient flow, tau w_i' = -dL/dw_i, conserves every w_i^2 - w_j^2.  Weights that start equal stay
equal, w = a^(1/D), and the output moves by itself:

    tau a' = D a^(2 - 2/D) (s - lam a),     a(0) = a0.                                       (2)

One layer makes (2) linear and two make it logistic.  Very deep chains are read in the rescaled time
t/D, since D weights push at once; there (2) tends to tau a' = a^2 (s - lam a) as D -> inf.  For D >= 2
the point a = 0 is a saddle, which gradient flow never leaves: learning waits tau ln(1/a0)/(2 s) there
with two layers, and tau/(s a0) with very many.

Two small weights c, d that are not equal move near the saddle by tau c' = s d and tau d' = s c, so that

    a = (c0 + d0)^2/4 e^(2 s t/tau) - (c0 - d0)^2/4 e^(-2 s t/tau):                           (3)

soon it is as if both had started equal, with product (c0 + d0)^2/4.  In a wide network a mode with
vectors c, d of incoming and outgoing weights has |c + d|^2/4 in the same place.

At any real depth (2) has a closed inverse.  The time from a0 to af, 0 < a0 <= af < s/lam, is

    T = tau/(D s) (af^q - a0^q)/q + tau lam/(2 s^2) [a^p 2F1(1, p; 1 + p; lam a/s)] from a0 to af,   (4)

with p = 2/D, q = p - 1, and ln(af/a0) for the first quotient at D = 2.  From small a0 and for D > 2 its
first term rules: T -> tau a0^q / ((D - 2) s).  Similar forms hold above the fixed point and below 0,
where (2) is read with |a|.  `any_depth` inverts them.

Hypotheses.  s > 0, as a singular value is; lam > 0 and tau > 0; deep chains start at a0 > 0.

Proved.  Every law is put back into its problem: the trajectories into (2), the times into
a'(af) dT/daf = tau with T = 0 at af = a0, the half-times, from a0 to s/(2 lam), into
tau + a'(a0) dT/da0 = 0, which says that starting later saves just that much time.
"""

from theory.chain._depth import any_depth
from theory.chain._times import (
    derive_times,
    learning_time,
    learning_time_1,
    learning_time_2,
    learning_time_3,
    learning_time_4,
    learning_time_infinite,
    settling_time,
    small_start_time,
    vanishing_time,
)
from theory.chain._trajectories import (
    derive_trajectories,
    escape,
    half_time_1,
    half_time_2,
    half_time_infinite,
    infinitely_deep,
    shallow,
    two_layers,
)

__all__ = [
    "any_depth", "derive", "escape", "half_time_1", "half_time_2", "half_time_infinite", "infinitely_deep",
    "learning_time", "learning_time_1", "learning_time_2", "learning_time_3", "learning_time_4",
    "learning_time_infinite", "settling_time", "shallow", "small_start_time", "two_layers", "vanishing_time",
]  # fmt: skip


def derive():
    """The steps from the network's own loss to its laws."""
    return (*derive_trajectories(), *derive_times())
