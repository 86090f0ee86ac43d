"""What delayed discrimination keeps: slow directions while it waits and when it has answered, and fixed points."""

from __future__ import annotations

import numpy as np

from numerics import rnn
from numerics.rnn import Recipe
from numerics.tasks import DelayedDiscrimination

STIMULI = 9
NEAR = 1e-3  # of two stimuli whose states are followed, in their units


def attractors(recipe: Recipe, weights: rnn.Weights) -> dict[str, np.ndarray]:
    """Of every network of one channel, left alone: what lasts for as long as the task needs it.

    A direction is slow if what is along it neither halves nor doubles in that time: the longest delay while the first
    stimulus is kept, the steps of the answer afterwards.

    Returns:
        Of every network, at the end of the delay, after answers +1, and after answers -1: `slow` (networks, 3), the
        median number of slow directions of the derivative there: 0 a point, 1 a line, 2 a plane; `kept`, the factor
        per step by which the difference between two nearly equal stimuli (first, second, second) goes on.  And of the
        fixed points that are found from there: `stable` and `saddles`, how many, and `on_lines` (networks,), how many
        of them have one slow direction.
    """
    task = recipe.task
    assert isinstance(task, DelayedDiscrimination)
    found = []
    for (A, _, b, C, c), along in rnn.each(recipe.network, weights):
        waiting, up, down = _phases(task, along)
        times = (task.delay[1], task.answer, task.answer)
        slow = [np.median(_slow(A, part[0], time)) for part, time in zip((waiting, up, down), times, strict=True)]
        kept = [_kept(A, b, *part, time) for part, time in zip((waiting, up, down), times, strict=True)]
        points = rnn.fixed_points(A, b, C, c, np.concatenate([waiting[0], up[0], down[0]]))
        lines = (_slow(A, points.rates, task.delay[1]) == 1).sum()
        found.append((slow, kept, points.stable.sum(), (~points.stable).sum(), lines))
    return dict(
        zip(("slow", "kept", "stable", "saddles", "on_lines"), map(np.array, zip(*found, strict=True)), strict=True)
    )


def _phases(task: DelayedDiscrimination, along) -> list[tuple[np.ndarray, np.ndarray]]:
    """States, and those after nearly the same stimuli: at the end of the delay, after larger and smaller seconds."""
    first, second = (part.ravel() for part in np.meshgrid(*[np.linspace(task.low, task.high, STIMULI)] * 2))
    apart = np.abs(second - first) >= task.apart
    first, second = first[apart], second[apart]
    last = 1 + task.delay[1]

    def shown(change: float, which: int) -> np.ndarray:
        x = np.zeros((last + task.answer, len(first), 1))
        x[0, :, 0], x[last, :, 0] = first + change * (which == 0), second + change * (which == 1)
        return along(x)[last - 1 if which == 0 else -1]

    (one, other), (early, later) = ((shown(0, k), shown(NEAR, k)) for k in (0, 1))
    return [(one, other), *((early[side], later[side]) for side in (second > first, second < first))]


def _slow(A, rates, time: int) -> np.ndarray:
    """How many directions are slow at each of these states."""
    moduli = np.abs(np.linalg.eigvals((1 - rates**2)[:, :, None] * A))
    return (np.abs(np.log(np.maximum(moduli, 1e-300))) * time < np.log(2)).sum(1)


def _kept(A, b, one, other, time: int) -> float:
    """The factor per step by which differences go on without input, the median over states."""
    apart = np.linalg.norm(other - one, axis=1)
    for _ in range(time):
        one, other = np.tanh(one @ A.T + b), np.tanh(other @ A.T + b)
    return float(np.median((np.linalg.norm(other - one, axis=1) / apart) ** (1 / time)))
