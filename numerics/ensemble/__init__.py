"""Many networks with one hidden layer, trained at once, with noise.

A network with H hidden units maps x in R^d to R^D by

    f(x) = sum_u n_u phi(w_u x + b_u),

and descends the mean squared error over its K samples and D outputs,

    L = c sum over samples and outputs of (f - y)^2,      c = 1/(K D),

on the full batch: gradient descent, Adam, RMSprop or stochastic error descent.  Noise is added to the parameters
after every step (update noise) or to the labels before it (label noise).  Nothing is divided by the variance of
the targets, as some publications do with the loss that they plot.

Each network has its own seed, which decides its start and its noise, and nothing else does: network k of an
ensemble equals network k trained alone, a run that was interrupted equals one that was not, and the number of
threads changes nothing, all to the last bit.  For every number drawn is a function of the seed, of the step and of
the parameter (`_random`); no state is carried along.

There are two backends.  device="cpu" means the compiled kernel (`numerics/kernels`), with a network in every lane
of the SIMD registers or, to the same bits, the units of one where networks are few or large; where no compiler is
found, batched torch, with a notice.  device="torch" means batched torch on the CPU, and "cuda" the same on a GPU.
Both draw the same noise, so they differ by rounding alone; `Run.backend` says which it was.
"""

from numerics.descent import GradientDescent
from numerics.ensemble._checkpoint import Checkpoint
from numerics.ensemble._torch import direction
from numerics.ensemble._training import Run, log_spaced, train
from numerics.ensemble._values import (
    SED,
    Adam,
    LabelNoise,
    Lazy,
    Linear,
    Network,
    Relu,
    Rich,
    RMSprop,
    Tanh,
    UniformLabelNoise,
    UpdateNoise,
)

__all__ = [
    "SED",
    "Adam",
    "Checkpoint",
    "GradientDescent",
    "LabelNoise",
    "Lazy",
    "Linear",
    "Network",
    "RMSprop",
    "Relu",
    "Rich",
    "Run",
    "Tanh",
    "UniformLabelNoise",
    "UpdateNoise",
    "direction",
    "log_spaced",
    "train",
]
