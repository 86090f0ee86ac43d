"""What is learnt: each task draws inputs and targets, brought to [-1, 1]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d


@dataclass(frozen=True)
class Random:
    """Independent uniform inputs and targets."""

    def draw(self, samples: int, inputs: int, outputs: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, inputs) and targets (samples, outputs)."""
        return _scaled(rng.uniform(size=(samples, inputs))), _scaled(rng.uniform(size=(samples, outputs)))


@dataclass(frozen=True)
class Smoothed:
    """The same after a Gaussian filter over samples and over columns, a fifth of their numbers wide."""

    def draw(self, samples: int, inputs: int, outputs: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, inputs) and targets (samples, outputs)."""
        smooth = lambda a: gaussian_filter(a, [n / 5 for n in a.shape])  # noqa: E731
        return (
            _scaled(smooth(rng.uniform(size=(samples, inputs)))),
            _scaled(smooth(rng.uniform(size=(samples, outputs)))),
        )


@dataclass(frozen=True)
class Predictive:
    """A walk around a ring with a smooth texture: inputs are a view of it, targets the view after the next step.

    The ring is `length` long and its texture smooth over `smoothness`; a view is of `view`, seen at as many points as
    there are inputs or targets.  A step is uniform up to 20 lengths over the number of samples.
    """

    length: int = 120
    smoothness: float = 4.0
    view: float = 30.0

    def draw(self, samples: int, inputs: int, outputs: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, inputs) and targets (samples, outputs)."""
        texture = gaussian_filter1d(rng.normal(size=self.length), self.smoothness, mode="wrap")
        position = np.cumsum(rng.uniform(size=samples + 1) * 20 * self.length / samples)
        seen = lambda at, points: np.interp(  # noqa: E731
            at[:, None] + np.arange(points) * self.view / points, np.arange(self.length), texture, period=self.length
        )
        return _scaled(seen(position[:-1], inputs)), _scaled(seen(position[1:], outputs))


Task = Random | Smoothed | Predictive
TASKS: tuple[Task, ...] = (Random(), Smoothed(), Predictive())


def _scaled(values: np.ndarray) -> np.ndarray:
    """With least -1 and greatest 1; a constant becomes 0."""
    low, high = values.min(), values.max()
    return 2 * (values - low) / (high - low) - 1 if high > low else 0 * values
