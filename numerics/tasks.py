"""Tasks for recurrent networks: what they see, what they should say, and when it counts.

Every task draws trials, `task.trials(count, seed)`: inputs (T, count, inputs), targets (T, count, outputs), and a mask
of 0 and 1 in the shape of the targets.  `task.longer()` is the same task outside its training: twice the length, or
twice the delay.

The tasks are those of Huang et al., "Measuring and controlling solution degeneracy across task-trained recurrent
neural networks" (2025), whose text leaves these choices open, which are ours: the switching probability and all trial
lengths; pulses of one step, the least difference between two of them, and that the answer counts for five steps after
the second; the time step of sines, and that their frequency is shown as a fraction of the highest; that direction and
speed enter as a velocity, and that the target is the displacement from the start, since a state that begins at 0 cannot
know a random start; the sites, the step and the scale of the Lorenz ring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from numerics import lorenz
from numerics.checks import positive, real, whole

Trials = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class FlipFlop:
    """Hold the last of the pulses +-1 on each of several channels, 0 before the first.

    bits: channels; length: steps of a trial; switch: probability of a pulse in a channel and step, fair in sign.
    """

    bits: int = 3
    length: int = 100
    switch: float = 0.1

    def __post_init__(self):
        whole("bits", self.bits)
        whole("length", self.length, 2)
        if not 0 < real("switch", self.switch) <= 1:
            raise ValueError(f"switch = {self.switch!r} is no probability above 0")

    @property
    def inputs(self) -> int:
        """One for each bit."""
        return self.bits

    @property
    def outputs(self) -> int:
        """One for each bit."""
        return self.bits

    def trials(self, count: int, seed) -> Trials:
        """Pulses, what is to be held, and a mask of ones."""
        draw, shape = np.random.default_rng(seed), (self.length, whole("count", count), self.bits)
        x = np.where(draw.random(shape) < self.switch, draw.choice([-1.0, 1.0], shape), 0.0)
        last = np.maximum.accumulate(np.where(x != 0, np.arange(1, self.length + 1)[:, None, None], 0), axis=0)
        held = np.take_along_axis(x, np.maximum(last - 1, 0), axis=0)
        return x, np.where(last > 0, held, 0.0), np.ones(shape)

    def longer(self) -> FlipFlop:
        """Twice the length."""
        return replace(self, length=2 * self.length)


@dataclass(frozen=True)
class DelayedDiscrimination:
    """Say which of two pulses was larger, +1 for the second, after a delay; on each of several channels.

    channels: comparisons at once; low, high: range of the amplitudes; apart: their least difference; delay: fewest
    and most steps between the pulses; answer: steps after the second in which the answer counts; auxiliary: whether
    the difference itself, second less first, is asked for as well, in as many further outputs.
    """

    channels: int = 1
    low: float = 2.0
    high: float = 10.0
    apart: float = 0.5
    delay: tuple[int, int] = (5, 20)
    answer: int = 5
    auxiliary: bool = False

    def __post_init__(self):
        whole("channels", self.channels)
        whole("answer", self.answer)
        if not real("low", self.low) < real("high", self.high):
            raise ValueError(f"low = {self.low!r} must be below high = {self.high!r}")
        if not 0 < real("apart", self.apart) < (self.high - self.low) / 2:
            raise ValueError(f"apart = {self.apart!r} must be positive and below half of the range of amplitudes")
        if len(self.delay) != 2 or whole("delay", self.delay[0]) > whole("delay", self.delay[1]):
            raise ValueError(f"delay = {self.delay!r} must be two whole numbers in order")

    @property
    def inputs(self) -> int:
        """One for each channel."""
        return self.channels

    @property
    def outputs(self) -> int:
        """One for each channel, and another with the auxiliary target."""
        return self.channels * (2 if self.auxiliary else 1)

    @property
    def length(self) -> int:
        """Steps of a trial: the first pulse, the longest delay, the second pulse with the answer."""
        return 1 + self.delay[1] + self.answer

    def trials(self, count: int, seed) -> Trials:
        """Two pulses; the sign of their difference (and the difference); a mask of the steps in which it counts."""
        draw, n = np.random.default_rng(seed), whole("count", count)
        first, second = self._amplitudes(n, draw)
        second_at = 1 + draw.integers(self.delay[0], self.delay[1] + 1, size=n)
        x = np.zeros((self.length, n, self.channels))
        x[0], x[second_at, np.arange(n)] = first, second
        answer = np.sign(second - first)
        targets = np.concatenate([answer, second - first], 1) if self.auxiliary else answer
        since = np.arange(self.length)[:, None] - second_at
        mask = ((since >= 0) & (since < self.answer))[..., None] * np.ones(self.outputs)
        return x, mask * targets, mask

    def _amplitudes(self, n: int, draw) -> tuple[np.ndarray, np.ndarray]:
        """Uniform in the range, given that they are apart; redrawn until they are."""
        pair = draw.uniform(self.low, self.high, (2, n, self.channels))
        while (close := np.abs(pair[1] - pair[0]) < self.apart).any():
            pair[:, close] = draw.uniform(self.low, self.high, (2, int(close.sum())))
        return pair[0], pair[1]

    def longer(self) -> DelayedDiscrimination:
        """Twice the delay."""
        return replace(self, delay=(2 * self.delay[0], 2 * self.delay[1]))


@dataclass(frozen=True)
class SineGeneration:
    """Generate sin(2 pi f t) for a frequency f that is shown all the time, as a fraction of the highest.

    channels: sines at once; frequencies: how many, evenly spaced; low, high: their range, in Hz; dt: seconds in a
    step, below 1/(2 high); length: steps of a trial.
    """

    channels: int = 1
    frequencies: int = 5
    low: float = 1.0
    high: float = 30.0
    dt: float = 0.01
    length: int = 100

    def __post_init__(self):
        for name in ("channels", "frequencies"):
            whole(name, getattr(self, name))
        whole("length", self.length, 2)
        if not 0 < real("low", self.low) <= real("high", self.high):
            raise ValueError(f"low = {self.low!r} must be positive and at most high = {self.high!r}")
        if positive("dt", self.dt) * self.high >= 0.5:
            raise ValueError(f"dt = {self.dt!r} is too long: {self.high} Hz needs steps below {0.5 / self.high:.4g} s")

    @property
    def inputs(self) -> int:
        """One for each channel."""
        return self.channels

    @property
    def outputs(self) -> int:
        """One for each channel."""
        return self.channels

    @property
    def ladder(self) -> np.ndarray:
        """All frequencies, in Hz."""
        return np.linspace(self.low, self.high, self.frequencies)

    def trials(self, count: int, seed) -> Trials:
        """Frequencies drawn from the ladder, their sines from time 0, and a mask of ones."""
        draw = np.random.default_rng(seed)
        chosen = draw.choice(self.ladder, (whole("count", count), self.channels))
        times = self.dt * np.arange(self.length)[:, None, None]
        shape = (self.length, *chosen.shape)
        return np.broadcast_to(chosen / self.high, shape).copy(), np.sin(2 * np.pi * chosen * times), np.ones(shape)

    def longer(self) -> SineGeneration:
        """Twice the length."""
        return replace(self, length=2 * self.length)


@dataclass(frozen=True)
class PathIntegration:
    """Follow a path in two or three dimensions: velocities in, displacement out.

    dimensions: 2 or 3; length: steps of a trial; path: mean length of the whole path; turn: standard deviation of
    a turn between steps, in radians.  Speeds are uniform from 0 to twice their mean, directions a random walk.
    """

    dimensions: int = 2
    length: int = 50
    path: float = 5.0
    turn: float = 0.3

    def __post_init__(self):
        if whole("dimensions", self.dimensions) not in (2, 3):
            raise ValueError(f"dimensions = {self.dimensions!r} must be 2 or 3")
        whole("length", self.length, 2)
        positive("path", self.path)
        positive("turn", self.turn)

    @property
    def inputs(self) -> int:
        """The components of the velocity."""
        return self.dimensions

    @property
    def outputs(self) -> int:
        """The components of the displacement."""
        return self.dimensions

    def trials(self, count: int, seed) -> Trials:
        """Velocities v (cos phi cos theta, cos phi sin theta, sin phi), phi = 0 in the plane; their sums; ones."""
        draw, shape = np.random.default_rng(seed), (self.length, whole("count", count))
        speed = draw.uniform(0, 2 * self.path / self.length, shape)
        theta = draw.uniform(0, 2 * np.pi, shape[1]) + np.cumsum(self.turn * draw.normal(size=shape), 0)
        x = [speed * np.cos(theta), speed * np.sin(theta)]
        if self.dimensions == 3:
            phi = np.cumsum(self.turn * draw.normal(size=shape), 0)
            x = [part * np.cos(phi) for part in x] + [speed * np.sin(phi)]
        steps = np.stack(x, -1)
        return steps, np.cumsum(steps, 0), np.ones_like(steps)

    def longer(self) -> PathIntegration:
        """Twice the length at the same speed."""
        return replace(self, length=2 * self.length, path=2 * self.path)


@dataclass(frozen=True)
class Lorenz96:
    """Predict the next state of a Lorenz ring, in units of `scale`, from the present one.

    sites: of the ring; force: F; dt: time in a step; length: steps of a trial; scale: of inputs and targets.
    """

    sites: int = 8
    force: float = 8.0
    dt: float = 0.05
    length: int = 50
    scale: float = 5.0

    def __post_init__(self):
        whole("sites", self.sites, lorenz.FEWEST)
        whole("length", self.length, 2)
        real("force", self.force)
        positive("dt", self.dt)
        positive("scale", self.scale)

    @property
    def inputs(self) -> int:
        """The sites."""
        return self.sites

    @property
    def outputs(self) -> int:
        """The sites."""
        return self.sites

    def trials(self, count: int, seed) -> Trials:
        """Pieces of courses on the attractor, the same a step later, and a mask of ones."""
        pool, draw = lorenz.settled(self.sites, self.force, self.dt), np.random.default_rng(seed)
        x = pool[draw.integers(len(pool), size=whole("count", count))]
        x = x + 0.1 * draw.normal(size=x.shape)
        course = []
        for _ in range(20 + self.length + 1):  # the first twenty bring what was shaken back to the attractor
            course.append(x)
            x = lorenz.runge_kutta(x, self.force, self.dt)
        seen = np.array(course[20:]) / self.scale
        return seen[:-1], seen[1:], np.ones_like(seen[1:])

    def longer(self) -> Lorenz96:
        """Twice the length."""
        return replace(self, length=2 * self.length)
