"""What can be chosen: the network, its activation, its start, the algorithm and the noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from numerics.checks import positive, real, whole
from numerics.descent import GradientDescent


@dataclass(frozen=True)
class Relu:
    """max(z, 0), with slope 0 at 0."""

    code: ClassVar[int] = 0

    def value(self, z: Tensor) -> Tensor:
        """The activity."""
        return z.clamp(min=0)

    def back(self, h: Tensor, error: Tensor) -> Tensor:
        """The error passed back through an activity h."""
        return torch.where(h > 0, error, torch.zeros_like(error))


@dataclass(frozen=True)
class Tanh:
    """The hyperbolic tangent."""

    code: ClassVar[int] = 1

    def value(self, z: Tensor) -> Tensor:
        """The activity."""
        return torch.tanh(z)

    def back(self, h: Tensor, error: Tensor) -> Tensor:
        """The error passed back through an activity h."""
        return error * (1 - h * h)


@dataclass(frozen=True)
class Linear:
    """z itself."""

    code: ClassVar[int] = 2

    def value(self, z: Tensor) -> Tensor:
        """The activity."""
        return z

    def back(self, h: Tensor, error: Tensor) -> Tensor:
        """The error passed back through an activity h."""
        return error


@dataclass(frozen=True)
class Network:
    """One hidden layer with bias; the outputs have none."""

    inputs: int
    hidden: int
    outputs: int
    activation: Relu | Tanh | Linear = Relu()

    def __post_init__(self):
        for name in ("inputs", "hidden", "outputs"):
            whole(name, getattr(self, name))
        if not isinstance(self.activation, (Relu, Tanh, Linear)):
            raise ValueError(f"activation = {self.activation!r} is unknown: give Relu(), Tanh() or Linear()")

    @property
    def shape(self) -> tuple[int, int]:
        """Of the parameters: a row (w_u, b_u, n_u) for every hidden unit."""
        return self.hidden, self.inputs + 1 + self.outputs

    def parts(self, theta):
        """Hidden weights (..., hidden, inputs), biases (..., hidden), output weights (..., hidden, outputs)."""
        d = self.inputs
        return theta[..., :d], theta[..., d], theta[..., d + 1 :]


@dataclass(frozen=True)
class Rich:
    """Normal weights of standard deviation sqrt(2/inputs) and, at the outputs, sqrt(2/hidden)."""

    def scales(self, network: Network) -> tuple[float, float, float]:
        """Standard deviations of hidden weights, biases and output weights."""
        first = (2 / network.inputs) ** 0.5
        return first, first, (2 / network.hidden) ** 0.5


@dataclass(frozen=True)
class Lazy:
    """The same with 2/hidden at the outputs: smaller, though other authors call the larger ones lazy."""

    def scales(self, network: Network) -> tuple[float, float, float]:
        """Standard deviations of hidden weights, biases and output weights."""
        first = (2 / network.inputs) ** 0.5
        return first, first, 2 / network.hidden


@dataclass(frozen=True)
class Adam:
    """Steps eta m/(sqrt(v) + epsilon) with the corrected means m of the gradient and v of its square."""

    eta: float = 1e-3
    decays: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    code: ClassVar[int] = 1

    def __post_init__(self):
        positive("eta", self.eta)
        positive("epsilon", self.epsilon)
        for decay in self.decays:
            _decay("decays", decay)
        if len(self.decays) != 2:
            raise ValueError(f"decays = {self.decays!r} must be two numbers")


@dataclass(frozen=True)
class RMSprop:
    """Steps eta g/(sqrt(v) + epsilon) with the running mean v of the squared gradient."""

    eta: float = 1e-3
    decay: float = 0.99
    epsilon: float = 1e-8
    code: ClassVar[int] = 2

    def __post_init__(self):
        positive("eta", self.eta)
        positive("epsilon", self.epsilon)
        _decay("decay", self.decay)


@dataclass(frozen=True)
class SED:
    """Stochastic error descent: steps -eta (L(theta + xi) - L(theta)) xi, with xi normal and drawn anew each time.

    `spread` is the standard deviation of xi for hidden weights, biases and output weights.  The published
    runs have (a, a, b), a = 0.1/sqrt(hidden), b = 0.1/sqrt(outputs).
    """

    eta: float
    spread: tuple[float, float, float]
    code: ClassVar[int] = 3

    def __post_init__(self):
        positive("eta", self.eta)
        if not isinstance(self.spread, tuple) or len(self.spread) != 3:
            raise ValueError(f"spread = {self.spread!r} must be three numbers, for weights, biases and output weights")
        for number in self.spread:
            if real("spread", number) < 0:
                raise ValueError(f"spread = {self.spread!r} is negative")
        if not any(self.spread):
            raise ValueError("spread is 0: nothing would be perturbed")


@dataclass(frozen=True)
class UpdateNoise:
    """Independent normal numbers of standard deviation `sigma`, added to all parameters at every step.

    Where code adds noise s to the gradient, sigma = eta s.
    """

    sigma: float

    def __post_init__(self):
        _noise(self.sigma)


@dataclass(frozen=True)
class LabelNoise:
    """Independent normal numbers of standard deviation `sigma`, added to all labels anew at every step."""

    sigma: float
    uniform: ClassVar[bool] = False

    def __post_init__(self):
        _noise(self.sigma)


@dataclass(frozen=True)
class UniformLabelNoise:
    """The same with uniform numbers of standard deviation `sigma`, between -sqrt(3) sigma and sqrt(3) sigma."""

    sigma: float
    uniform: ClassVar[bool] = True

    def __post_init__(self):
        _noise(self.sigma)


Algorithm = GradientDescent | Adam | RMSprop | SED
Noise = UpdateNoise | LabelNoise | UniformLabelNoise


@dataclass(frozen=True)
class Noises:
    """At most one noise of the parameters and one of the labels, as numbers."""

    update: float = 0.0
    label: float = 0.0
    uniform: bool = field(default=False)

    @classmethod
    def of(cls, noise, by: Algorithm) -> Noises:
        """From what a user gives: one noise, several in a tuple, or () for none."""
        given = noise if isinstance(noise, tuple) else (noise,)
        for one in given:
            if not isinstance(one, Noise):
                raise ValueError(f"noise = {one!r} is unknown: give UpdateNoise, LabelNoise or UniformLabelNoise")
        updates = [n for n in given if isinstance(n, UpdateNoise)]
        labels = [n for n in given if not isinstance(n, UpdateNoise)]
        if len(updates) > 1 or len(labels) > 1:
            raise ValueError(f"noise = {noise!r}: one for the parameters and one for the labels are enough")
        if given and isinstance(by, SED):
            raise ValueError(f"noise = {noise!r}: SED draws its own and takes no other")
        update = updates[0].sigma if updates else 0.0
        return cls(update, labels[0].sigma if labels else 0.0, bool(labels) and labels[0].uniform)


def _decay(name: str, value) -> None:
    if not 0 <= real(name, value) < 1:
        raise ValueError(f"{name} = {value!r} must be in [0, 1)")


def _noise(sigma) -> None:
    if real("sigma", sigma) < 0:
        raise ValueError(f"sigma = {sigma!r} is negative")
