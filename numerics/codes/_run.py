"""One member of any study: what a sweep is given to run."""

from __future__ import annotations

import numpy as np

from numerics.codes._ablations import Ablation
from numerics.codes._fields import Method
from numerics.codes._trials import Trial


def run(one: Ablation | Trial | Method) -> dict[str, np.ndarray]:
    """Arrays by name of one member of a study."""
    return one.run()
