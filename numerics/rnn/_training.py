"""The run: trials drawn step by step, gradients, penalties, updates, and each network's own stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from numerics.checks import positive, whole
from numerics.descent import Diverged, GradientDescent
from numerics.ensemble import Adam, direction
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
        Diverged: a loss is no number: the learning rate is too large.
    """
    _check(network, by, penalty, dtype, threshold)
    count, last = whole("trials", trials), whole("steps", steps)
    if last % whole("epoch", epoch):
        raise ValueError(f"steps = {steps} is no whole number of epochs of {epoch}")
    kind = getattr(torch, dtype)
    weights = start or initial(network, task.inputs, task.outputs, seeds, kind)
    weights = Weights(*(part.clone() for part in weights))
    stop = Stop(len(weights.J), threshold, whole("patience", patience, 0))
    update, live = Update(by, network, weights), Weights(*(part.clone() for part in weights))
    for first in tqdm(range(0, last, epoch), desc="training", unit="epoch", delay=2, leave=False):
        going, total = ~stop.done, torch.zeros(len(live.J), dtype=torch.float64)
        for step in range(first, first + epoch):
            x, y, mask = (torch.from_numpy(part).to(kind) for part in task.trials(count, (trial_seed, step)))
            value, slope = gradient(network, live, x, y, mask)
            if not torch.isfinite(value).all():
                raise Diverged(f"the loss is not finite at step {step}: eta = {by.eta} is too large")
            total += value.double()
            update(live, _penalised(slope, live, network, penalty))
        for part, now in zip(weights, live, strict=True):
            part[torch.from_numpy(going)] = now
        stay = stop.after((total / epoch).numpy())
        if not stay.any():
            break
        live = Weights(*(part[stay] for part in live))
        update.keep(stay)
    return Run(weights, np.array(stop.losses), epoch * stop.epochs, stop.left >= 0)


class Stop:
    """Which networks have stopped: each so many epochs after the first whose mean loss is below the threshold."""

    def __init__(self, networks: int, threshold: float, patience: int):
        self.threshold, self.patience = threshold, patience
        self.left = np.full(networks, -1)  # epochs of patience that are left; -1 above the threshold
        self.epochs, self.done = np.zeros(networks, np.int64), np.zeros(networks, bool)
        self.losses: list[np.ndarray] = []

    def after(self, losses: np.ndarray) -> Tensor:
        """Count an epoch, with the mean losses of those that had not stopped; which of them go on."""
        going = ~self.done
        self.epochs += going
        self.losses.append(self.losses[-1].copy() if self.losses else np.empty(len(going)))
        self.losses[-1][going] = losses
        self.left[(self.left < 0) & (self.losses[-1] < self.threshold)] = self.patience + 1
        self.left -= self.left > 0
        self.done |= self.left == 0
        return torch.from_numpy(~self.done[going])


class Update:
    """One update of all parameters that learn."""

    def __init__(self, by, network, weights: Weights):
        self.by, self.step = by, 0
        self.rates = network.rates(isinstance(by, Adam))
        self.moments = [[torch.zeros_like(part), torch.zeros_like(part)] for part in weights]

    def __call__(self, weights: Weights, slope: Weights) -> None:
        for part, rate, g, moments in zip(weights, self.rates, slope, self.moments, strict=True):
            if rate:
                part -= self.by.eta * rate * direction(self.by, g, moments, self.step)
        self.step += 1

    def keep(self, networks: Tensor) -> None:
        """Forget the others."""
        self.moments = [[moment[networks] for moment in pair] for pair in self.moments]


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
