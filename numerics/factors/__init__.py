"""Factors that may change how different trained networks are: complexity, feature learning, size, regularisation.

On flip-flops of 2 bits, if nothing else is said, of 32 units:

    complexity        1, 2, 3 bits                                             standard networks
    feature learning  gamma = 0.3, 1, 3; 0.55, 1.7 inside, 0.1, 10 beyond      maximal update
    size              16, 32, 64 units                                         maximal update
                      16, 24, 32, 48, 64 units, on 3 bits                      maximal update, and standard
    regularisation    l1 penalty 0, 3e-5, 3e-4; nuclear norm 0, 2e-4, 2e-3     standard networks

and on delayed discrimination of one channel and 5 to 10 steps, likewise:

    complexity        1, 2, 3 channels; longest delays of 7, 10, 20 steps; the difference asked for as well
    feature learning  gamma = 0.3, 1, 3                                        maximal update
    size              16, 32, 64 units                                         maximal update
    regularisation    l1 penalty 0, 3e-5, 3e-4; nuclear norm 0, 2e-4, 2e-3     standard networks

Every condition trains 80, 40 or 24 networks, each to a loss of 0.01 (delays 0.05) and three epochs more.  They start
from their own seeds and all see the same sequence of trials: they are independent of each other given that sequence.
Of the first 24 the dynamics of all pairs are compared, for means and their intervals; of all of them the weights of
disjoint pairs, which are independent likewise.  Beside them stand two nulls: disjoint pairs before any training, and
one network with itself on two disjoint halves of 256 trials.  Trained weights are kept with what is found of them.

    python -m numerics.factors --folder FOLDER                 what FOLDER does not hold yet of these
    python -m numerics.factors --published --folder FOLDER     the same of a design of the published size

The second trains 68 conditions of 50 networks of 128 units on four tasks, with the published thresholds, and says what
that may cost before it starts.  Both go on after an interruption, and run on a cluster as well (`--help`).

Trial lengths, levels, penalties, learning rates, ranks, our thresholds and the list of 68 conditions are our
choices: the appendices of Huang et al., "Measuring and controlling solution degeneracy across task-trained recurrent
neural networks" (2025), could not be had.
"""

from numerics.factors._arrows import Anew, along, arrow, arrows, of_networks, resolved
from numerics.factors._compared import compared, disjoint, followed, learned, matched, measured
from numerics.factors._conditions import FACTORS, RANKS, Condition, base, conditions
from numerics.factors._published import forecast, published, seconds

__all__ = [
    "FACTORS", "RANKS", "Anew", "Condition", "along", "arrow", "arrows", "base", "compared", "conditions",
    "disjoint", "followed", "forecast", "learned", "matched", "measured", "of_networks", "published", "resolved",
    "seconds",
]  # fmt: skip
