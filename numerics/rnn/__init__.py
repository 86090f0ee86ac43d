"""Recurrent networks of n tanh units, many in one run, trained by gradients written by hand.

States z and rates r = tanh(z) follow, from z_0 = 0,

    z_t = (1 - tau) z_{t-1} + tau (A r_{t-1} + U x_t + b),     y_t = C r_t + c,

which for tau = 1 is the network r_t = tanh(A r_{t-1} + U x_t + b).  The effective weights A = J s and C = w s' are
trained through their parameters J and w; how those start, how they are scaled and how fast they learn is a
parameterisation: `Standard` or `MaximalUpdate`.

All networks of a run see the same trials in the same order; each has its own seed for its start.  Nothing passes
between networks: network k of a run equals network k trained alone, to the last bit.
"""

from numerics.descent import GradientDescent
from numerics.ensemble import Adam
from numerics.rnn._bptt import gradient, loss, unroll
from numerics.rnn._cycles import Courses, courses
from numerics.rnn._dynamics import FixedPoints, each, effective, fixed_points
from numerics.rnn._figure import Principal, draw_trajectories, draw_trials, principal
from numerics.rnn._kernel import tangent_kernel
from numerics.rnn._records import Recipe, load, save
from numerics.rnn._study import study
from numerics.rnn._training import Run, train
from numerics.rnn._values import L1, MaximalUpdate, Nuclear, Standard, Weights, initial
from numerics.rnn._width import Changes, coordinate_check

__all__ = [
    "L1", "Adam", "Changes", "Courses", "FixedPoints", "GradientDescent", "MaximalUpdate", "Nuclear", "Principal",
    "Recipe", "Run", "Standard", "Weights", "coordinate_check", "courses", "draw_trajectories", "draw_trials", "each",
    "effective", "fixed_points", "gradient", "initial", "load", "loss", "principal", "save", "study", "tangent_kernel",
    "train", "unroll",
]  # fmt: skip
