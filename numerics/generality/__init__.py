"""How general drift towards sparsity is: networks over all axes of the published sweep, and what changes what.

A network with 100 hidden units learns K samples of d inputs and D outputs, and trains on, long after the loss has
fallen.  What is varied: algorithm and noise (descent with noise of updates or of labels, Adam, RMSprop, stochastic
error descent), the level of noise, the activation, K, d and D from 1 to 20, the start, and the task.

    python -m numerics.generality --size full          # 384 networks, 1e6 steps
    python -m numerics.generality --size published     # 1,117 networks, 1e7 steps

print first what they cost, and draw figure.png when all are trained; with `--record FOLDER` the curves of all networks
are put into one small file there.  Settings stand in `_design`, tasks in `_tasks`, training in `_train`, what came of
it in `_table` and `_figure`.

Source: ratzon-2024, figure 3 and table 1; eta, labels, starts and the sizes of tasks as in its public files.
"""

from numerics.generality._design import ACTIVATIONS, RULES, TOGETHER, Drift, alike, cost, design
from numerics.generality._figure import figure
from numerics.generality._table import Part, Sweep, kinds, relaxation, rule
from numerics.generality._tasks import TASKS, Predictive, Random, Smoothed
from numerics.generality._train import begun, carriers, recorded, train

__all__ = [
    "ACTIVATIONS",
    "RULES",
    "TASKS",
    "TOGETHER",
    "Drift",
    "Part",
    "Predictive",
    "Random",
    "Smoothed",
    "Sweep",
    "alike",
    "begun",
    "carriers",
    "cost",
    "design",
    "figure",
    "kinds",
    "recorded",
    "relaxation",
    "rule",
    "train",
]
