"""Saddles that make individuals: a two-layer network learns to decide.  A reconstruction.

Problem.  A trial shows a stimulus on the left, with probability p, or on the right; a choice a of the same side is
rewarded by r, another by nothing.  The slides print three losses of a network with a cortical and a striatal layer,
and neither its equations nor its task; what follows is the simplest network with these losses, a reconstruction.
Units i = L, R see their stimulus (x_i = 1 or 0), unit 0 is always on (x_0 = 1); u_i is the gain of unit i, w_ai its
weight on choice a, and the values of a choice are

    Q_a^stim = sum over i = L, R of w_ai u_i x_i,    Q_a^const = w_a0 u_0,    Q_a^tot = Q_a^stim + Q_a^const.   (1)

Choices are drawn with probabilities pi_a = exp(beta Q_a^tot)/sum_b exp(beta Q_b^tot).  Once rewarded by Rew, each
group of weights descends a loss of its own in the values of the choice that was made,

    L^cortex = (Rew - Q^tot)^2/2,   L^const = (Rew - Q^const)^2/2,   L^stim = (Rew - Q^stim)^2/2:               (2)

the gains L^cortex, the weights w_a0 of the constant unit L^const, the weights of the stimuli L^stim.  The average
over trials at fixed weights is the mean field tau dtheta/dt = f(theta).  It is no gradient of any loss.

Saddles.  Call unit i learnt where u_i and its w_ai differ from 0.  Where f = 0,

- a learnt stimulus has the value r of its own side and 0 of the other (from its weights), so that
  Q^tot = Q^stim on its trials (from its gain): the constant unit, whose values are r times the chance that the
  choice is right, cannot be learnt beside it;
- the constant unit alone has the values c_L = r p and c_R = r (1 - p).

So at exact stationary points the learnt units are none, {0}, {L}, {R} or {L, R}.  Each unit that is not learnt has
one unstable direction if its rate is positive: 3, 2, 2, 2 and 0 of them.  Where the network has learnt one stimulus
and the constant, {L, 0} or {R, 0}, it comes to rest only in its values: gains go on falling as t^(-1/2) while
weights grow, a stationary point at infinity, called a quasi-saddle here; it has one unstable direction.  At large
beta it splits in three, with a strong bias, a weak one, and one between them that repels.  With all three learnt
the constant unit is unlearnt again: its values are an unnecessary bias, and vanish.

Rates.  Around theta = 0 the stimuli grow at the rates r p/2 and r (1 - p)/2, the constant unit at

    r sqrt(p^2 + (1 - p)^2)/2,                                                                                 (3)

which is more than either, whatever p is: bias comes first, unless the start says otherwise.  Where one is learnt,

    p pi sqrt(r (r - c))                                                                                       (4)

is the rate of a stimulus of probability p, pi being the chance of the right choice there, c its value as bias.

Noise.  With learning rate eta, after t = k eta from the same start, the weights have the mean and covariance

    theta(t) + eta b(t),   eta C(t),   C' = J C + C J^T + D,   b' = J b + (H : C - J f)/2,                      (5)

to first order in eta; J and H are the first two derivatives of f, D the covariance of the update in one trial.
Half of J f is what steps of size eta leave out of the flow; H : C is the bend of f felt by the spread.

A shallow network has u_i = 1 for ever.  Its weights have one stationary point, which is stable: no saddles.

Hypotheses.  0 < p < 1, r > 0, beta > 0; (5) holds while eta C is small beside the squared distances over which f bends.

Proved.  (1)-(2) -> the mean field, its stationary values, and every rate as an eigenvalue (`derive`, certified
balls); the rest is stated, and judged on simulated learners.
"""

from theory.decisions._field import fluctuations, shallow_speed, shallow_trajectory, speed, trajectory
from theory.decisions._rates import bias_rate, bias_rate_behind, bias_value, derive, stimulus_rate
from theory.decisions._saddles import Saddle, order_of_learning, saddles

__all__ = [
    "Saddle",
    "bias_rate",
    "bias_rate_behind",
    "bias_value",
    "derive",
    "fluctuations",
    "order_of_learning",
    "saddles",
    "shallow_speed",
    "shallow_trajectory",
    "speed",
    "stimulus_rate",
    "trajectory",
]
