"""One task after the other, exactly: the flow (6) with the task switched; see `theory.balanced`."""

from dataclasses import dataclass

import numpy as np

from laws.arrays import positive
from laws.law import formula
from theory.balanced._checks import covariance, matrix, moments, network
from theory.balanced._solution import along, gram, weights_at


@dataclass(frozen=True)
class Continual:
    """What `continual` found.

    times: shape (K, T), the times of stage k from its beginning to its end
    P: Q Q^T at these times, shape (K, T, Ni + No, Ni + No)
    losses: of every task at these times, above its best, shape (K tasks, K stages, T)
    """

    times: np.ndarray
    P: np.ndarray
    losses: np.ndarray


@formula(
    r"""L_j(t) = \frac{1}{2 c} \left| \Sigma_j - c\, W_2 W_1(t) \right|^2

    \tau \frac{d W_1}{d t} = W_2^T (\Sigma_k - c\, W_2 W_1),
    \quad \tau \frac{d W_2}{d t} = (\Sigma_k - c\, W_2 W_1) W_1^T \ \text{during task } k"""
)
def continual(W1, W2, tasks, durations, *, points=101, tau=1.0, input_covariance=1.0) -> Continual:
    """Learn `tasks`, K correlations of shape (No, Ni), one after the other, each for its duration.

    Returns the solution and the losses of all tasks at `points` times of every stage, both ends included.
    The other arguments and the errors are those of `solution`; ValueError for durations that are not K positive
    numbers, and for fewer than two points.

    Source: derived here, equation (6), task after task.
    """
    tasks, lengths = [matrix(f"tasks[{k}]", task) for k, task in enumerate(tasks)], moments(durations)
    if len(lengths) != len(tasks) or lengths.min() <= 0:
        raise ValueError(f"durations = {durations}: {len(tasks)} positive numbers are needed, one for each task")
    if isinstance(points, bool) or not isinstance(points, (int, np.integer)) or points < 2:
        raise ValueError(f"points = {points!r} must be a whole number, at least 2")
    c, tau, start, stages, times = covariance(input_covariance), positive("tau", tau), 0.0, [], []
    for sigma, length in zip(tasks, lengths, strict=True):
        here = np.linspace(0, length, points)
        task = network(W1, W2, sigma, here, tau, c)
        stages.append(along(task, gram))
        times.append(start + here)
        # only Q Q^T is in closed form; any Q with this product goes on alike
        (W1, W2), start = weights_at(task, length / tau), start + length
    P = np.array(stages)
    maps = P[:, :, task.inputs :, : task.inputs]
    losses = [((sigma - c * maps) ** 2).sum((-2, -1)) / (2 * c) for sigma in tasks]
    return Continual(np.array(times), P, np.array(losses))


@formula(
    r"""\Delta L = \frac{|\Sigma_{\mathrm{new}} - \Sigma|^2 - |\Sigma_{\mathrm{learnt}} - \Sigma|^2}{2 c},
    \quad \Sigma \ \text{of the earlier task}"""
)
def forgetting(earlier, learnt, new, *, input_covariance=1.0) -> float:
    """How much the loss of an earlier task rises while the network goes from one learnt task to a new one.

    All three are correlations of shape (No, Ni); (|new - earlier|^2 - |learnt - earlier|^2)/(2 c), exact once both
    are learnt to the end.

    Source: derived here, from the losses of learnt tasks.
    """
    earlier, learnt, new = matrix("earlier", earlier), matrix("learnt", learnt), matrix("new", new)
    if not earlier.shape == learnt.shape == new.shape:
        raise ValueError(f"earlier, learnt and new have shapes {earlier.shape}, {learnt.shape} and {new.shape}")
    rise = ((new - earlier) ** 2).sum() - ((learnt - earlier) ** 2).sum()
    return float(rise) / (2 * covariance(input_covariance))
