"""The run: trials drawn step by step, gradients, penalties, updates, and each network's own stop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from numerics.checks import positive, whole
from numerics.descent import GradientDescent
from numerics.ensemble import Adam
from numerics.rnn._bptt import gradient
from numerics.rnn._values import L1, MaximalUpdate, Nuclear, Parameterisation, Penalty, Standard, Weights, initial


@dataclass(frozen=True)
class Run:
    """What became of E networks.

    Attributes:
        weights: parameters in the end, as arrays of `Weights`.
        losses: mean training loss of every epoch, (epochs, E); a network that has stopped keeps its last.
        steps: updates that each network had, (E,).
        converged: which networks came below the threshold, (E,).
    """

    weights: Weights
    losses: np.ndarray
    steps: np.ndarray
    converged: np.ndarray


def train(
    network: Parameterisation,
    task,
    *,
    seeds: Sequence[int],
    by: Adam | GradientDescent,
    trials: int,
    steps: int,
    threshold: float = 0.0,
    patience: int = 3,
    epoch: int = 25,
    penalty: Penalty | None = None,
    trial_seed: int = 0,
    dtype: str = "float64",
    start: Weights | None = None,
) -> Run:
    """Train one network for each seed on a task.

    Args:
        network: Standard or MaximalUpdate.
        task: what draws trials, `task.trials(count, seed)`, as those of `numerics.tasks`.
        seeds: of the starts.
        by: Adam or GradientDescent, with the learning rate that the parameterisation scales.
        trials: in every step, the same for all networks.
        steps: at most so many updates, a whole number of epochs.
        threshold: a network whose mean loss over an epoch is below it trains `patience` epochs more, and stops.
        patience: see there.
        epoch: updates between two looks at the loss.
        penalty: L1 or Nuclear, or None.
        trial_seed: of the trials.
        dtype: "float64" or "float32".
        start: parameters to start from instead of those of the seeds.

    Raises:
        ValueError, TypeError: an argument makes no sense.
        ArithmeticError: a loss is no number: the learning rate is too large.
    """
    _check(network, by, penalty, dtype, threshold)
    count, last = whole("trials", trials), whole("steps", steps)
    if last % whole("epoch", epoch):
        raise ValueError(f"steps = {steps} is no whole number of epochs of {epoch}")
    kind = getattr(torch, dtype)
    weights = start or initial(network, task.inputs, task.outputs, seeds, kind)
    weights = Weights(*(part.clone() for part in weights))
    update = Update(by, network, weights)
    E = len(weights.J)
    left, done = np.full(E, -1), np.zeros(E, bool)  # epochs of patience that are left; -1 above the threshold
    taken = np.zeros(E, np.int64)
    losses: list[np.ndarray] = []
    for first in tqdm(range(0, last, epoch), desc="training", unit="epoch", delay=2, leave=False):
        total = torch.zeros(E, dtype=torch.float64)
        alive = torch.from_numpy(~done)
        for step in range(first, first + epoch):
            x, y, mask = (torch.from_numpy(part).to(kind) for part in task.trials(count, (trial_seed, step)))
            value, slope = gradient(network, weights, x, y, mask)
            if not torch.isfinite(value[alive]).all():
                raise ArithmeticError(f"the loss is not finite at step {step}: eta = {by.eta} is too large")
            total += value.double()
            update(weights, _penalised(slope, weights, network, penalty), alive)
        taken[~done] += epoch
        losses.append(np.where(done, losses[-1] if losses else 0.0, (total / epoch).numpy()))
        left = np.where((left < 0) & (losses[-1] < threshold), patience + 1, left)
        left = np.where(left > 0, left - 1, left)
        done |= left == 0
        if done.all():
            break
    return Run(weights, np.array(losses), taken, left >= 0)


class Update:
    """One update of all parameters that learn; a network that has stopped keeps its own."""

    def __init__(self, by, network, weights: Weights):
        self.by, self.step = by, 0
        self.rates = network.rates(isinstance(by, Adam))
        self.first = [torch.zeros_like(part) for part in weights]
        self.second = [torch.zeros_like(part) for part in weights]

    def __call__(self, weights: Weights, slope: Weights, alive: Tensor) -> None:
        self.step += 1
        for i, (part, g) in enumerate(zip(weights, slope, strict=True)):
            if self.rates[i] == 0:
                continue
            moved = -self.by.eta * self.rates[i] * self._direction(i, g)
            part += moved if bool(alive.all()) else torch.where(alive.view(-1, *[1] * (part.ndim - 1)), moved, 0)

    def _direction(self, i: int, g: Tensor) -> Tensor:
        if isinstance(self.by, GradientDescent):
            return g
        (one, two), m, v = self.by.decays, self.first[i], self.second[i]
        m.mul_(one).add_(g, alpha=1 - one)
        v.mul_(two).addcmul_(g, g, value=1 - two)
        unbias = math.sqrt(1 - two**self.step)
        return m / (v.sqrt() / unbias + self.by.epsilon) / (1 - one**self.step)


def _penalised(slope: Weights, weights: Weights, network, penalty: Penalty | None) -> Weights:
    """The gradient with that of the penalty, which is of the effective weights."""
    if penalty is None:
        return slope
    s, o = network.recurrent_scale, network.readout_scale
    J, U, w = penalty.slopes(s * weights.J, weights.U, o * weights.w)
    return slope._replace(J=slope.J + s * J, U=slope.U + U, w=slope.w + o * w)


def _check(network, by, penalty, dtype, threshold) -> None:
    if not isinstance(network, (Standard, MaximalUpdate)):
        raise TypeError(f"network = {network!r} is no parameterisation: give Standard or MaximalUpdate")
    if not isinstance(by, (Adam, GradientDescent)):
        raise TypeError(f"by = {by!r} is no algorithm: give Adam or GradientDescent")
    if penalty is not None and not isinstance(penalty, (L1, Nuclear)):
        raise TypeError(f"penalty = {penalty!r} is no penalty: give L1 or Nuclear")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype = {dtype!r} must be 'float32' or 'float64'")
    if threshold:
        positive("threshold", threshold)
