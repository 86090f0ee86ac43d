"""What the relative scale of two layers does in practice: grokking in modular arithmetic, filters of a small conv net.

Weights of the first layer are drawn with a standard deviation `scale` times the usual one, those of the last layer so
much smaller that the first answers are as large at every scale: 1/scale^2 for quadratic units, 1/scale for ReLU.
All is float32.

Modular addition: two one-hot inputs a, b below P, target one-hot (a + b) mod P; four fifths of all pairs are learnt,
the rest held out.  One hidden layer of quadratic units, mean squared error, full-batch gradient descent with
momentum.  Time to grok is counted in steps, from when nine tenths of the learnt pairs are right to when nine tenths
of the others are.

Patches: which of eight photographs a whitened patch was cut from; one convolution of ReLU units, averaged over the
patch, and a readout; cross-entropy, minibatches.  The selectivity of a filter is that of its power for orientation,
|sum P(k) exp(2 i angle(k))| / sum P(k) over spatial frequencies k: 0 for none, 1 for a grating.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, cross_entropy, one_hot
from tqdm import tqdm

from numerics.checks import positive, whole
from numerics.descent import Diverged
from numerics.patches import photographs

RIGHT = 0.9  # share of answers that counts as learnt
LEARNT = 0.8  # share of all pairs


@dataclass(frozen=True)
class Addition:
    """Addition modulo `modulus`, learnt by `hidden` quadratic units with step `eta` and `momentum`, `steps` at most."""

    modulus: int = 23
    hidden: int = 128
    eta: float = 5.0
    momentum: float = 0.9
    steps: int = 40_000

    def __post_init__(self):
        whole("modulus", self.modulus, 3)
        whole("hidden", self.hidden)
        positive("eta", self.eta)
        whole("steps", self.steps)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum = {self.momentum!r} must lie between 0 and 1")


@dataclass(frozen=True)
class Grokked:
    """Steps until nine tenths are right of the pairs that are learnt, and of those held out; curves every 10 steps."""

    learnt: int
    held_out: int
    steps: np.ndarray
    right: np.ndarray

    @property
    def delay(self) -> int:
        """How many steps generalisation lags behind."""
        return self.held_out - self.learnt


def grok(task: Addition, scale: float, *, seed: int) -> Grokked:
    """Learn modular addition from layers of relative scale `scale`.

    Raises ValueError for a scale that is not positive; ArithmeticError if the pairs held out are not learnt in time;
    `Diverged` if the loss leaves the finite numbers.
    """
    positive("scale", scale)
    generator = torch.Generator().manual_seed(seed)
    x, y, kept = _pairs(task.modulus, generator)
    widths = (2 * task.modulus, task.hidden, task.modulus)
    weights = _drawn(widths, scale, generator)
    velocity = [torch.zeros_like(w) for w in weights]
    curves = []
    for step in tqdm(range(task.steps + 1), desc="grokking", delay=2, leave=False):
        if step % 10 == 0:
            hits = (_answers(weights, x).argmax(1) == y).double()
            curves.append((float(hits[kept].mean()), float(hits[~kept].mean())))
            if min(curves[-1]) >= RIGHT:
                break
        slopes = _slopes(weights, x[kept], one_hot(y[kept], task.modulus).to(x))
        if not all(bool(torch.isfinite(g).all()) for g in slopes):
            raise Diverged(f"the loss is not finite at step {step}: eta = {task.eta} is too large")
        velocity = [task.momentum * v - task.eta * g for v, g in zip(velocity, slopes, strict=True)]
        weights = [w + v for w, v in zip(weights, velocity, strict=True)]
    right = np.array(curves)
    if right[-1].min() < RIGHT:
        raise ArithmeticError(f"after {task.steps} steps {right[-1]} of the pairs learnt and held out are right")
    first, second = (10 * int(np.argmax(column >= RIGHT)) for column in right.T)
    return Grokked(first, second, 10 * np.arange(len(right)), right)


def _pairs(modulus, generator) -> tuple[Tensor, Tensor, Tensor]:
    """All pairs as one-hot rows, their sums, and which are learnt."""
    a, b = torch.cartesian_prod(torch.arange(modulus), torch.arange(modulus)).T
    x = torch.cat([one_hot(a, modulus), one_hot(b, modulus)], dim=1).float()
    kept = torch.zeros(len(x), dtype=torch.bool)
    kept[torch.randperm(len(x), generator=generator)[: int(LEARNT * len(x))]] = True
    return x, (a + b) % modulus, kept


def _drawn(widths, scale, generator) -> list[Tensor]:
    """The two layers, normal with variance 1/fan-in, times scale and 1/scale^2: the units are quadratic."""
    return [
        factor * torch.randn(m, n, generator=generator) / m**0.5
        for m, n, factor in zip(widths, widths[1:], (scale, 1 / scale**2), strict=False)
    ]


def _answers(weights, x) -> Tensor:
    return (x @ weights[0]) ** 2 @ weights[1]


def _slopes(weights, x, target) -> list[Tensor]:
    """The gradient of half of the mean squared error."""
    before = x @ weights[0]
    error = (before**2 @ weights[1] - target) / target.numel()
    return [x.T @ (2 * before * (error @ weights[1].T)), (before**2).T @ error]


@dataclass(frozen=True)
class Photographs:
    """Which photograph a patch is from: `filters` of `size` x `size` on patches of `side`, `steps` of `batch` each."""

    filters: int = 32
    size: int = 9
    side: int = 21
    eta: float = 0.05
    batch: int = 64
    steps: int = 3000

    def __post_init__(self):
        for name in ("filters", "size", "side", "batch", "steps"):
            whole(name, getattr(self, name))
        positive("eta", self.eta)
        if self.size > self.side:
            raise ValueError(f"size = {self.size} is larger than side = {self.side}")


def filters(task: Photographs, scale: float, *, seed: int) -> tuple[Tensor, float]:
    """The first layer's filters after training, shape (filters, size, size), and the share of new patches told right.

    Raises ValueError for a scale that is not positive.
    """
    positive("scale", scale)
    generator = torch.Generator().manual_seed(seed)
    images = [torch.from_numpy(image).float() for image in photographs()]
    fan = task.size**2
    kernel = scale * torch.randn(task.filters, 1, task.size, task.size, generator=generator) / fan**0.5
    readout = torch.randn(len(images), task.filters, generator=generator) / (scale * task.filters**0.5)
    weights = [kernel.requires_grad_(), readout.requires_grad_()]
    for _ in tqdm(range(task.steps), desc="filters", delay=2, leave=False):
        x, y = _patches(images, task.side, task.batch, generator)
        slopes = torch.autograd.grad(cross_entropy(_told(weights, x), y), weights)
        with torch.no_grad():
            for w, g in zip(weights, slopes, strict=True):
                w -= task.eta * g
    with torch.no_grad():
        x, y = _patches(images, task.side, 2000, generator)
        right = float((_told(weights, x).argmax(1) == y).double().mean())
    return weights[0].detach()[:, 0], right


def selectivity(kernels: Tensor) -> Tensor:
    """How much of each filter's power lies along one orientation; shape (filters,), from 0 to 1.

    Raises ValueError unless `kernels` has the shape (filters, size, size).
    """
    if kernels.ndim != 3 or kernels.shape[1] != kernels.shape[2]:
        raise ValueError(f"kernels have the shape {tuple(kernels.shape)}, not (filters, size, size)")
    size = kernels.shape[-1]
    k = torch.fft.fftfreq(4 * size, dtype=torch.float64)
    down, across = torch.meshgrid(k, k, indexing="ij")
    power = torch.fft.fft2(kernels.double(), s=(4 * size, 4 * size)).abs() ** 2
    radius = torch.hypot(down, across)
    power = power * ((radius > 0) & (radius <= 0.5))  # as far as every orientation goes
    turns = torch.exp(2j * torch.atan2(down, across))
    return ((power * turns).sum((1, 2)).abs() / power.sum((1, 2))).to(torch.float64)


def _told(weights, x) -> Tensor:
    return torch.relu(conv2d(x[:, None], weights[0])).mean((2, 3)) @ weights[1].T


def _patches(images, side, count, generator) -> tuple[Tensor, Tensor]:
    """Patches and the numbers of their photographs."""
    which = torch.randint(len(images), (count,), generator=generator)
    at = torch.rand(count, 2, generator=generator).tolist()
    cut = []
    for i, (down, across) in zip(which.tolist(), at, strict=True):
        top, left = (int(u * (n - side + 1)) for u, n in zip((down, across), images[i].shape, strict=True))
        cut.append(images[i][top : top + side, left : left + side])
    return torch.stack(cut), which
