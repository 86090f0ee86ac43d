"""Batched torch, on the CPU or a GPU: products of all networks at once, gradients written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from numerics.descent import GradientDescent
from numerics.ensemble import _random
from numerics.ensemble._values import SED, Adam, Network, RMSprop

AT_ONCE = 2**18  # numbers that are drawn together


def advance(job, state, steps: int, device: str) -> None:
    """Train every network of `state` that has not diverged by `steps` steps, in place."""
    load = lambda array: torch.from_numpy(np.ascontiguousarray(array)).to(device)  # noqa: E731
    x, y, theta, seeds = load(job.x), load(job.y), load(state.theta), load(job.seeds.view(np.int32))
    moments = [load(m) for m in state.moments]
    diverged = load(state.diverged)
    noise = _Noise(seeds, range(state.step, state.step + steps))
    for step in range(state.step, state.step + steps + 1):
        h, r = forward(job.network, theta, x, y)
        loss = mean_square(r)
        diverged[(diverged < 0) & ~(loss <= job.ceiling)] = step
        alive = (diverged < 0)[:, None, None]
        if step == state.step + steps or not bool(alive.any()):
            break
        if isinstance(job.by, SED):
            change = _perturbed(job, theta, x, y, noise, step, loss)
        else:
            change = _descended(job, theta, x, h, r, moments, noise, step)
        theta = torch.where(alive, theta + change, theta)
    state.theta[:] = theta.cpu().numpy()
    state.diverged[:] = diverged.cpu().numpy()
    for kept, moment in zip(state.moments, moments, strict=True):
        kept[:] = moment.cpu().numpy()


@dataclass
class _Noise:
    """Noise for the steps to come, drawn for several of them at once where networks are few."""

    seeds: Tensor
    steps: range
    drawn: dict[int, tuple[range, Tensor]] = field(default_factory=dict)

    def like(self, tensor: Tensor, step: int, stream: int, draw=_random.normal) -> Tensor:
        """Numbers of the shape and type of a tensor, for one step."""
        steps, numbers = self.drawn.get(stream, (range(0), tensor))
        if step not in steps:
            together = max(1, AT_ONCE // tensor.numel())
            steps = range(step, min(step + together, self.steps.stop))
            numbers = draw(self.seeds, tensor[0].numel(), steps, stream).to(tensor.dtype)
            self.drawn[stream] = steps, numbers
        return numbers[step - steps.start].view_as(tensor)


def forward(network: Network, theta: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Activities (networks, hidden, samples) and residuals (networks, samples, outputs)."""
    w, b, n = network.parts(theta)
    h = network.activation.value(torch.matmul(w, x.mT) + b[..., None])
    return h, torch.matmul(h.mT, n) - y


def mean_square(r: Tensor) -> Tensor:
    """The loss of each network from its residuals."""
    return (r * r).flatten(1).sum(1) / r[0].numel()


def gradient(network: Network, theta: Tensor, x: Tensor, h: Tensor, r: Tensor) -> Tensor:
    """Of the loss with residuals r; shape (networks, hidden, inputs + 1 + outputs)."""
    error = r * (2 / r[0].numel())
    delta = network.activation.back(h, torch.matmul(network.parts(theta)[2], error.mT))
    return torch.cat([torch.matmul(delta, x), delta.sum(2, keepdim=True), torch.matmul(h, error)], dim=2)


def _descended(job, theta, x, h, r, moments, noise, step) -> Tensor:
    if job.noises.label:
        draw = _random.uniform if job.noises.uniform else _random.normal
        r = r - job.noises.label * noise.like(r, step, _random.LABELS, draw)
    change = -job.by.eta * direction(job.by, gradient(job.network, theta, x, h, r), moments, step)
    if job.noises.update:
        change = change + job.noises.update * noise.like(theta, step, _random.UPDATES)
    return change


def direction(by, slope: Tensor, moments: list[Tensor], step: int) -> Tensor:
    """What eta is multiplied with in the step after `step` others; the moments move on, in place."""
    if isinstance(by, GradientDescent):
        return slope
    if isinstance(by, RMSprop):
        moments[1].mul_(by.decay).add_((1 - by.decay) * slope * slope)
        return slope / (moments[1].sqrt() + by.epsilon)
    assert isinstance(by, Adam)
    first, second = by.decays
    moments[0].mul_(first).add_((1 - first) * slope)
    moments[1].mul_(second).add_((1 - second) * slope * slope)
    mean, square = moments[0] / (1 - first ** (step + 1)), moments[1] / (1 - second ** (step + 1))
    return mean / (square.sqrt() + by.epsilon)


def _perturbed(job, theta, x, y, noise, step, loss) -> Tensor:
    xi = _columns(job, theta) * noise.like(theta, step, _random.PERTURBATIONS)
    _, r = forward(job.network, theta + xi, x, y)
    return -job.by.eta * (mean_square(r) - loss)[:, None, None] * xi


def _columns(job, theta: Tensor) -> Tensor:
    """The spread of SED for every parameter of a unit."""
    network, (w, b, n) = job.network, job.by.spread
    return theta.new_tensor([w] * network.inputs + [b] + [n] * network.outputs)
