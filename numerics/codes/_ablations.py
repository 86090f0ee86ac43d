"""One factor at a time: units, data, noise, task, activation.

What can be compared across activations is how steep they are where the pre-activations z lie: the mean of F'(z)^2 over
data and units, over the largest that F' can be.  Of ReLUs it is the fraction of active units, and it is the factor by
which noise passes a layer.  All kinds of noise have the mean square sigma^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from numerics import noise, patches
from numerics.checks import not_negative, positive, whole

Task = tuple[Callable[..., Tensor], int | None, Tensor, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu, "GELU": functional.gelu, "ELU": functional.elu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "reflected ReLU": noise.reflected, "saturating": noise.saturating,
}  # fmt: skip
COMPONENTS, PIXELS = 16, 64  # of the data
GRAIN = 2.0  # of salt (+) and pepper (-), in standard deviations of the data
PATCHES = 20_000
ROWS = PATCHES - PATCHES // 10  # to train on; the rest is held out
ON = 1e-4  # published threshold: a unit of smaller |activity| counts as silent
EDGES = np.linspace(-8, 8, 81)  # of the histogram of pre-activations


@dataclass(frozen=True)
class Ablation:
    """Networks that are trained at every level of noise, from the same start and on the same minibatches.

    data: "patches" or "digits"; noise: "Gaussian", "Laplace" or "salt and pepper"; task: "reconstruction", or
    "classification" of digits; activation: one of ACTIVATIONS; levels: root mean squares sigma.
    """

    units: int = 32
    data: str = "patches"
    noise: str = "Gaussian"
    task: str = "reconstruction"
    activation: str = "ReLU"
    levels: tuple[float, ...] = (0.0, 0.5, 1.5)
    networks: int = 27
    components: int = COMPONENTS
    steps: int = 800
    batch: int = 32
    eta: float = 1e-2
    seed: int = 1

    def __post_init__(self):
        for name, among in (("data", DATA), ("noise", NOISES), ("task", TASKS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in among:
                raise ValueError(f"{name} = {getattr(self, name)!r} is none of {', '.join(among)}")
        if self.task == "classification" and self.data != "digits":
            raise ValueError(f"data = {self.data!r}: only digits have classes")
        for name in ("units", "networks", "components", "steps", "batch"):
            whole(name, getattr(self, name))
        positive("eta", self.eta)
        whole("seed", self.seed, least=0)
        if self.components > PIXELS:
            raise ValueError(f"components = {self.components} are more than the data's {PIXELS} pixels")
        if not self.levels:
            raise ValueError(f"levels = {self.levels!r} must be one or more")
        loudest = max(not_negative("levels", sigma) for sigma in self.levels)
        if self.noise == "salt and pepper" and loudest**2 > 1 + GRAIN**2:
            raise ValueError(f"levels = {self.levels!r}: salt and pepper reaches {(1 + GRAIN**2) ** 0.5:.4g} at most")

    def run(self) -> dict[str, np.ndarray]:
        """What is found, (networks, levels) unless said otherwise.

        clean, noisy: mean squared slope of the activation over its largest, noise off and on; active: fraction of
        (datum, unit) with |activity| above 1e-4, noise on; dead: of units that never are; loss: held out, noise on;
        start: the clean slope before training, (networks,); density: of noise-free pre-activations of all networks
        between EDGES, (levels, bins).
        """
        x, levels, activation = (
            DATA[self.data](self.components),
            torch.tensor(self.levels),
            ACTIVATIONS[self.activation],
        )
        cost, outputs, target, wanted = TASKS[self.task](x)
        kind = NOISES[self.noise](levels)
        start = noise.initial(
            self.components, self.units, outputs, seed=self.seed, networks=(self.networks, 1), activation=activation,
            dtype=torch.float32,
        )  # fmt: skip
        start = start.with_weights([w.expand(-1, len(levels), *w.shape[2:]) for w in start.weights])
        end = noise.train(
            start, x.train, noise.Sampled(kind, cost), noise.Adam(self.eta), noise.Schedule(self.steps, cool=0.7),
            batch=self.batch, seed=self.seed, target=target, clip=1.0, label=f"{self.activation}, {self.noise}",
        )  # fmt: skip
        rows = x.held_out[:HELD].expand(self.networks, len(levels), -1, -1)
        noisy = kind(rows, 1.0, torch.Generator().manual_seed(self.seed))
        h, z = end.activation(end.preactivation(noisy)), end.preactivation(rows)
        loud, before = end.preactivation(noisy), start.preactivation(rows[:, :1])
        found = {
            "clean": squared_slope(activation, z).mean((-1, -2)),
            "noisy": squared_slope(activation, loud).mean((-1, -2)),
            "start": squared_slope(activation, before).mean((-1, -2))[:, 0],
            "active": (h.abs() > ON).float().mean((-1, -2)),
            "dead": (h.abs() <= ON).all(-2).float().mean(-1),
            "loss": cost(end(noisy), wanted[:HELD].expand(*rows.shape[:2], *wanted[:HELD].shape)).mean(-1),
        }
        density = [np.histogram(z[:, k].numpy(), EDGES, density=True)[0] for k in range(len(levels))]
        return {name: v.numpy() for name, v in found.items()} | {"density": np.array(density, np.float32)}


HELD = 500  # rows held out that are looked at


def squared_slope(activation: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """F'(z)^2 over the largest that it can be, entry by entry."""
    slope = lambda at: torch.func.vjp(activation, at)[1](torch.ones_like(at))[0].square()  # noqa: E731
    return slope(z.detach()) / slope(torch.linspace(-5, 5, 10_001, dtype=z.dtype)).max()


@cache
def natural(components: int) -> patches.Patches:
    """Whitened patches of 8 x 8 pixels."""
    return patches.natural(8, PATCHES, seed=0, components=components, dtype=torch.float32)


@cache
def digits(components: int) -> patches.Patches:
    """Handwritten digits."""
    return patches.digits(components=components, seed=0, dtype=torch.float32)


def reconstruction(x: patches.Patches) -> Task:
    """Cost, outputs, and what is wanted of the rows to train on and of those held out."""
    return noise.squared_error, None, x.train, x.held_out


def classification(x: patches.Patches) -> Task:
    """The same, for the digits' classes."""
    known = patches.classified_digits(len(x.held_out))  # in the order of `patches.digits`: those held out come first
    return noise.cross_entropy, 10, known.held_out_classes, known.classes


DATA = {"patches": natural, "digits": digits}
TASKS = {"reconstruction": reconstruction, "classification": classification}
NOISES: dict[str, Callable[[Tensor], Callable[..., Tensor]]] = {
    "Gaussian": noise.Gaussian,
    "Laplace": lambda sigma: noise.Laplace(sigma / 2**0.5),
    "salt and pepper": lambda sigma: noise.SaltAndPepper(sigma.square() / (1 + GRAIN**2), -GRAIN, GRAIN),
}
ABLATIONS = {
    "32 ReLUs, patches, Gaussian noise": Ablation(),
    "8 units": Ablation(units=8),
    "96 units": Ablation(units=96),
    "digits": Ablation(data="digits"),
    "digits, classification": Ablation(data="digits", task="classification"),
    "Laplace noise": Ablation(noise="Laplace"),
    "salt and pepper": Ablation(noise="salt and pepper"),
    **{name: Ablation(activation=name) for name in ACTIVATIONS if name != "ReLU"},
}
