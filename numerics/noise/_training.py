"""Training under noise: minibatches, an algorithm, a schedule; many networks at once, each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from numerics.checks import not_negative, positive, real, whole
from numerics.descent import Diverged


class Network(Protocol):
    """What can be trained: weights with names, whose leading axes are networks, and data that they read."""

    @property
    def weights(self) -> tuple[Tensor, ...]:
        """All of them."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""

    @property
    def networks(self) -> tuple[int, ...]:
        """How many networks there are, along each leading axis."""

    def with_weights(self, weights) -> Any:
        """The same network with other weights."""

    def check(self, x: Tensor) -> None:
        """Refuse data that these networks cannot read."""


Trained = TypeVar("Trained", bound=Network)


@dataclass(frozen=True)
class SGD:
    """w -= eta g."""

    eta: float

    def __post_init__(self):
        positive("eta", self.eta)

    def start(self, weights):
        """No memory is needed."""
        return ()

    def step(self, weights, slopes, state, eta):
        """The next weights."""
        return [w - eta * g for w, g in zip(weights, slopes, strict=True)], ()


@dataclass(frozen=True)
class Momentum(SGD):
    """v = decay v + g and w -= eta v, as torch.optim.SGD with momentum computes it."""

    decay: float = 0.9

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= real("decay", self.decay) < 1:
            raise ValueError(f"decay = {self.decay!r} must be at least 0 and below 1")

    def start(self, weights):
        """At rest."""
        return [torch.zeros_like(w) for w in weights]

    def step(self, weights, slopes, state, eta):
        """The next weights and speeds."""
        speeds = [torch.add(g, v, alpha=self.decay) for v, g in zip(state, slopes, strict=True)]
        return [w - eta * v for w, v in zip(weights, speeds, strict=True)], speeds


@dataclass(frozen=True)
class Adam:
    """Adam of Kingma and Ba, as torch.optim.Adam computes it."""

    eta: float
    decays: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8

    def __post_init__(self):
        positive("eta", self.eta)
        if len(self.decays) != 2 or not all(0 <= real("decays", decay) < 1 for decay in self.decays):
            raise ValueError(f"decays = {self.decays!r} must be two numbers, at least 0 and below 1")
        not_negative("epsilon", self.epsilon)

    def start(self, weights):
        """Both moments at 0, and the number of steps."""
        return [torch.zeros_like(w) for w in weights], [torch.zeros_like(w) for w in weights], 0

    def step(self, weights, slopes, state, eta):
        """The next weights and moments."""
        first, second, steps = state
        one, two = self.decays
        first = [torch.lerp(m, g, 1 - one) for m, g in zip(first, slopes, strict=True)]
        second = [torch.addcmul(two * v, g, g, value=1 - two) for v, g in zip(second, slopes, strict=True)]
        moved = [self._move(w, m, v, steps + 1, eta) for w, m, v in zip(weights, first, second, strict=True)]
        return moved, (first, second, steps + 1)

    def _move(self, w, m, v, steps, eta):
        one, two = (1 - decay**steps for decay in self.decays)
        return torch.addcdiv(w, m, v.sqrt() / math.sqrt(two) + self.epsilon, value=-eta / one)


@dataclass(frozen=True)
class SparseAdam(Adam):
    """Adam that leaves weight and moments alone wherever the gradient is exactly 0, as torch.optim.SparseAdam."""

    def step(self, weights, slopes, state, eta):
        """The next weights and moments, where the gradient is not 0."""
        first, second, steps = state
        moved, (first_new, second_new, steps) = super().step(weights, slopes, state, eta)
        pick = [g != 0 for g in slopes]
        kept = [
            [torch.where(p, new, old) for p, new, old in zip(pick, now, before, strict=True)]
            for now, before in ((moved, weights), (first_new, first), (second_new, second))
        ]
        return kept[0], (kept[1], kept[2], steps)


@dataclass(frozen=True)
class Schedule:
    """Step sizes and noise over `steps` steps.

    eta falls linearly to 0 from the fraction `cool` of all steps on; the noise falls linearly to 0 between
    the fractions `anneal`, and stays unless they are given.
    """

    steps: int
    cool: float = 1.0
    anneal: tuple[float, float] | None = None

    def __post_init__(self):
        whole("steps", self.steps)
        if not 0 < self.cool <= 1:
            raise ValueError(f"cool = {self.cool} must be a fraction of the steps")
        if self.anneal and not 0 <= self.anneal[0] < self.anneal[1] <= 1:
            raise ValueError(f"anneal = {self.anneal} must be two fractions of the steps, in order")

    def rate(self, step: int) -> float:
        """The step size at `step`, over the one at the start."""
        return min(1.0, (1 - step / self.steps) / (1 - self.cool)) if self.cool < 1 else 1.0

    def strength(self, step: int) -> float:
        """The noise at `step`, over the one at the start."""
        if self.anneal is None:
            return 1.0
        start, end = (f * self.steps for f in self.anneal)
        return float(np.clip((end - step) / (end - start), 0, 1))


def train(
    network: Trained,
    x: Tensor,
    objective: Callable,
    by: SGD | Adam,
    schedule: Schedule,
    *,
    batch: int,
    seed: int,
    target: Tensor | None = None,
    own: Tensor | None = None,
    clip: float = math.inf,
    record: Callable[[Trained, int], None] | None = None,
    label: str = "training",
) -> Trained:
    """Train a network, or many at once, on minibatches drawn with replacement; each network draws its own.

    Args:
        network: where to start; it is left as it is.
        x: data, shape (P, n), as the network reads them.
        objective: (network, rows, targets, strength, generator) -> loss of each network.
        by: the algorithm.
        schedule: for how many steps, with which step sizes and noise.
        batch: rows for each step, >= 1.
        seed: of minibatches and of noise, which are drawn apart: every objective sees the same minibatches.
        target: shape (P, ...), x unless given; whole numbers for classes.
        own: the numbers of the rows that each network learns from, shape (*networks, p); all of them unless given.
        clip: the largest length of one network's gradient, beyond which it is shortened.
        record: called with network and step, before every step and at the end.
        label: what the progress bar says on anything over two seconds.

    Raises:
        ValueError: for data that do not fit the network.
        Diverged: for a loss that is not finite; names the step.
    """
    target = x if target is None else target
    _check(network, x, target, batch, clip, own)
    batches, noise = _generators(seed, x.device)
    networks = network.networks
    weights, state = [w.detach().clone() for w in network.weights], by.start(network.weights)
    for step in tqdm(range(schedule.steps), desc=label, delay=2, leave=False):
        if record:
            record(network.with_weights(weights), step)
        few = len(x) if own is None else own.shape[-1]
        rows = torch.randint(few, (*networks, batch), generator=batches, device=x.device)
        rows = rows if own is None else own.gather(-1, rows)
        leaves = [w.requires_grad_() for w in weights]
        here = network.with_weights(leaves)
        seen = x[rows]
        wanted = seen if target is x else target[rows]
        loss = objective(here, seen, wanted, schedule.strength(step), noise)
        if not bool(torch.isfinite(loss).all()):
            raise Diverged(f"the loss is {loss.detach().tolist()} at step {step}: eta = {by.eta} is too large")
        slopes = torch.autograd.grad(loss.sum(), leaves)
        with torch.no_grad():
            weights, state = by.step(leaves, _clipped(slopes, clip, len(networks)), state, by.eta * schedule.rate(step))
        weights = [w.detach() for w in weights]
    if record:
        record(network.with_weights(weights), schedule.steps)
    return network.with_weights(weights)


def _generators(seed, device):
    """One stream for minibatches and one for noise."""
    states = np.random.SeedSequence(whole("seed", seed, 0)).generate_state(2)
    return tuple(torch.Generator(device).manual_seed(int(state)) for state in states)


def _clipped(slopes, clip, leading):
    """Each network's gradient, no longer than `clip`."""
    if math.isinf(clip):
        return slopes
    squares = sum(g.square().flatten(leading).sum(-1) for g in slopes)
    factor = (clip / squares.sqrt()).clamp(max=1)
    return [g * factor.reshape(*factor.shape, *[1] * (g.ndim - leading)) for g in slopes]


def _check(network, x, target, batch, clip, own) -> None:
    whole("batch", batch)
    if clip != math.inf:
        positive("clip", clip)
    network.check(x)
    if len(target) != len(x):
        raise ValueError(f"target has {len(target)} rows, x {len(x)}")
    if own is not None:
        if own.dtype != torch.int64 or own.shape[:-1] != network.networks or not own.numel():
            raise ValueError(f"own is {own.dtype} {tuple(own.shape)}; int64 rows for each of {network.networks} needed")
        if not 0 <= int(own.min()) <= int(own.max()) < len(x):
            raise ValueError(f"own has rows {int(own.min())} to {int(own.max())}; x has {len(x)}")
    for name, value in zip(("x", *network.names), (x, *network.weights), strict=True):
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} is not finite")
