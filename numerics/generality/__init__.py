"""How general drift towards sparsity is: networks over all axes of the published sweep, and what changes what.

A network with 100 hidden units learns K samples of d inputs and D outputs, and trains on, long after the loss has
fallen.  What is varied: algorithm and noise (descent with noise of updates or of labels, Adam, RMSprop, stochastic
error descent), the level of noise, the activation, K, d and D from 1 to 20, the start, and the task.

    python -m numerics.generality --size full          # 384 networks, 1e6 steps
    python -m numerics.generality --size published     # 1,117 networks, 1e7 steps

print first what they cost.  When all are trained they draw the curves (figure.png) and figure 3 of the source, which is
the histogram of what is active at the end, and time constants against noise (overview.png); and write which factor
changes how much is left, with intervals, as factors.csv and factors.txt.  With `--record FOLDER` the curves of all
networks are put into one small file there.  Settings stand in `_design`, tasks in `_tasks`, training in `_train`, what
came of it in `_table`, `_outcome` and `_figure`.

Source: ratzon-2024, figure 3 and table 1; eta, labels, starts and the sizes of tasks as in its public files.
"""

from numerics.generality._design import ACTIVATIONS, RULES, TOGETHER, Drift, alike, cost, design
from numerics.generality._figure import figure, overview
from numerics.generality._outcome import LIKE, MEASURES, STEADY, Level, Outcome, as_csv, as_lines, as_text, levels
from numerics.generality._table import Part, Sweep, kinds, relaxation, rule
from numerics.generality._tasks import TASKS, Predictive, Random, Smoothed
from numerics.generality._train import begun, carriers, recorded, train

__all__ = [
    "ACTIVATIONS",
    "LIKE",
    "MEASURES",
    "RULES",
    "STEADY",
    "TASKS",
    "TOGETHER",
    "Drift",
    "Level",
    "Outcome",
    "Part",
    "Predictive",
    "Random",
    "Smoothed",
    "Sweep",
    "alike",
    "as_csv",
    "as_lines",
    "as_text",
    "begun",
    "carriers",
    "cost",
    "design",
    "figure",
    "kinds",
    "levels",
    "overview",
    "recorded",
    "relaxation",
    "rule",
    "train",
]
