"""Sparse codes from noise under other conditions, by other optimisers, and beside other methods: what is trained.

Each study is a list of frozen settings; each of its members trains some twenty networks side by side and gives arrays,
network by network, which judges look at.

- `ABLATIONS`: one factor at a time differs: units, data, noise, task, activation.
- `TRIALS`: networks trained by descent and by Adam, over batches, rates and sizes of the data, watched on the way.
- `METHODS`: noise, L1 penalties and the k largest, each at several strengths: what codes cost, how many units die, and
  what fields look like as they form.

    python -m numerics.codes --folder FOLDER

trains what FOLDER does not hold yet, in some twelve minutes of one core, and goes on after an interruption.  `levels`
is the last study for levels of anybody's choice, with a figure.
"""

from numerics.codes._ablations import ABLATIONS, ACTIVATIONS, EDGES, Ablation, squared_slope
from numerics.codes._fields import CONTROL, METHODS, SIGMAS, STAGES, STRENGTHS, Method, chance
from numerics.codes._levels import levels
from numerics.codes._run import run
from numerics.codes._trials import BATCHES, DESCENTS, LONG, PACES, QUIET, RULES, SIZES, TRIALS, Trial

__all__ = [
    "ABLATIONS", "ACTIVATIONS", "Ablation", "BATCHES", "CONTROL", "DESCENTS", "EDGES", "LONG", "METHODS", "Method",
    "PACES", "QUIET", "RULES", "SIGMAS", "SIZES", "STAGES", "STRENGTHS", "TRIALS", "Trial", "chance", "levels", "run",
    "squared_slope",
]  # fmt: skip
