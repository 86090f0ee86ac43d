"""How different networks are that were trained on the same task: in their dynamics, their weights, their behaviour.

Dynamics.  States z_t of a network are followed by a linear operator, z_{t+1} = A z_t in least squares, in chosen
coordinates (`Whitened`, `Ambient`), of so many delays and of so high a rank.  Networks differ by

    min |A - C B C^T| over orthogonal C,                                                          (1)

rotations and reflections both.  The search has many local minima: every distance comes with a lower bound that is
certain, and with the spread of all minima that were found.

Weights.  min |W1 - P^T W2 P| over permutations of units, or over permutations and signs.               (2)

Behaviour.  The spread of losses outside the training, of networks that have been trained to the same loss.  (3)

The scale.  (1) is in units of an operator that is near 1 on what persists, and rises with its rank; (2) in units of the
weights, and rises with their number; (3) in units of the loss.  `relative` divides (1) and (2) by the size of both, so
that 0 is the same and 1 is at right angles.

Source: Huang, Singh, Martinelli and Rajan, "Measuring and controlling solution degeneracy across task-trained recurrent
neural networks" (2025).  It leaves coordinates, rank, delays and the search of permutations open: what stands here for
them are our choices, all of them arguments.

    >>> states = [np.random.default_rng(seed).normal(size=(9, 20, 6)).cumsum(1) for seed in range(4)]  # of 4 networks
    >>> apart = dsa_matrix(states, by=Whitened(rank=3))  # trials, time, units of each
    >>> mean_distance(apart.distance), apart.bound.max(), apart.unexplained  # how far apart, and what can be said of it
"""

from numerics.degeneracy._dynamics import Distance, Distances, dsa, dsa_matrix
from numerics.degeneracy._figure import draw_factor, draw_maps, draw_sensitivity
from numerics.degeneracy._measures import (
    Behaviour,
    Level,
    Map,
    behavioural_degeneracy,
    kernel_alignment,
    mds,
    mean_distance,
    svcca,
    weight_change,
)
from numerics.degeneracy._operators import Ambient, Operator, Whitened
from numerics.degeneracy._permutations import Match, Permutations, SignedPermutations, permutation_distance

__all__ = [
    "Ambient", "Behaviour", "Distance", "Distances", "Level", "Map", "Match", "Operator", "Permutations",
    "SignedPermutations", "Whitened", "behavioural_degeneracy", "draw_factor", "draw_maps", "draw_sensitivity", "dsa",
    "dsa_matrix", "kernel_alignment", "mds", "mean_distance", "permutation_distance", "svcca", "weight_change",
]  # fmt: skip
