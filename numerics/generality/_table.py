"""What a sweep has shown, network by network: what is left of the activity, and in what time it went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.checks import numbers_of
from numerics.ensemble import UpdateNoise
from numerics.generality._design import ACTIVATIONS, AXIS, RULES, TOGETHER, Drift, design
from numerics.store import Store

CURVES = ("loss", "active_units", "active_fraction", "carriers")
SEEN = 0.9  # of a fall, as published: a record that holds less of it does not tell its time constant


@dataclass(frozen=True)
class Sweep:
    """A whole sweep, as a record of it is named by."""

    networks: int
    steps: int
    seed: int
    together: int = TOGETHER

    def settings(self) -> list[Drift]:
        """Its networks."""
        return design(self.networks, self.steps, self.seed, self.together)

    def table(self, store: Store) -> dict[str, np.ndarray]:
        """The curves of all its networks, (T, networks) in single precision, and their `steps`, (T,).

        Raises:
            KeyError: a network is not stored yet.
        """
        return _table(self.settings(), store)

    def blocks(self) -> np.ndarray:
        """The number of each network's ensemble, (networks,)."""
        return np.arange(self.networks) // self.together

    def on_axis(self) -> np.ndarray:
        """Whether each network is on the axis of noise, (networks,)."""
        return self.blocks() % AXIS == AXIS - 1


@dataclass(frozen=True)
class Part:
    """Networks of a sweep with these activations and rules, as `kinds` names them; a record of it is named by it."""

    whole: Sweep
    activations: tuple[str, ...]
    rules: tuple[str, ...]

    def __post_init__(self):
        for name, known in (("activations", ACTIVATIONS), ("rules", tuple(RULES))):
            if not getattr(self, name) or not set(getattr(self, name)) <= set(known):
                raise ValueError(f"{name} = {getattr(self, name)!r} must be some of {known}")

    def settings(self) -> list[Drift]:
        """Its networks; ValueError if there are none."""
        found = [one for one, inside in zip(self.whole.settings(), self._inside(), strict=True) if inside]
        if not found:
            raise ValueError(f"no network of {self.whole} has activations {self.activations} and rules {self.rules}")
        return found

    def table(self, store: Store) -> dict[str, np.ndarray]:
        """As that of the sweep."""
        return _table(self.settings(), store)

    def blocks(self) -> np.ndarray:
        """The number of each network's ensemble in the whole sweep, (networks,)."""
        return self.whole.blocks()[self._inside()]

    def on_axis(self) -> np.ndarray:
        """Whether each network is on the axis of noise, (networks,)."""
        return self.whole.on_axis()[self._inside()]

    def _inside(self) -> np.ndarray:
        of = kinds(self.whole.settings())
        return np.isin(of["activation"], self.activations) & np.isin(of["rule"], self.rules)


def _table(settings: list[Drift], store: Store) -> dict[str, np.ndarray]:
    runs = [store.load(one) for one in settings]
    curves = {name: np.stack([run[name] for run in runs], axis=1).astype(np.float32) for name in CURVES}
    return {"steps": runs[0]["steps"], **curves}


def rule(one: Drift) -> str:
    """The name of algorithm and noise, as in RULES."""
    return {"UpdateNoise": "update noise", "UniformLabelNoise": "label noise"}.get(
        type(one.noise).__name__, type(one.by).__name__
    )


def noise(one: Drift) -> str:
    """In which third of its range, in logarithms, the noise is that is added; "none" without."""
    if one.noise is None:
        return "none"
    least = 1e-3 if isinstance(one.noise, UpdateNoise) else 0.1 / 12**0.5
    return ("lowest third", "middle third", "highest third")[min(int(3 * np.log10(one.noise.sigma / least)), 2)]


def kinds(settings: list[Drift]) -> dict[str, np.ndarray]:
    """Levels of every factor, network by network; numbers in three ranges."""
    third = lambda count: "1 to 6" if count <= 6 else "7 to 13" if count <= 13 else "14 to 20"  # noqa: E731
    of = {
        "rule": rule,
        "noise": noise,
        "activation": lambda one: type(one.network.activation).__name__.lower(),
        "task": lambda one: type(one.task).__name__.lower(),
        "start": lambda one: type(one.start).__name__.lower(),
        "samples": lambda one: third(one.samples),
        "inputs": lambda one: third(one.network.inputs),
        "outputs": lambda one: third(one.network.outputs),
    }
    return {factor: np.array([kind(one) for one in settings]) for factor, kind in of.items()}


def relaxation(steps, active) -> np.ndarray:
    """The time constant of rest + fall exp(-t/tau), by least squares in all three; inf where it is not told.

    That is where nothing falls, and where the record holds less than nine tenths of the fall.  The published fit takes
    off the least that was seen and fits a line to the logarithm of what is left, so that a curve that still falls at
    the end of its record has a time constant in proportion to the record.  A fall that is no single exponential makes
    this one grow with the record, too, if less: compare only records of equal eta sigma^2 t.

    Args:
        steps: evenly spaced from 0, (T,).
        active: what falls, (T, B).

    Returns:
        steps, (B,); nan for a curve that has nan.
    """
    steps, curves = numbers_of("steps", steps), np.asarray(active, float)
    if steps.ndim != 1 or curves.shape[:1] != steps.shape or len(steps) < 4:
        raise ValueError(f"active {curves.shape} must be (T, B) at at least 4 steps, and steps {steps.shape} (T,)")
    time = (steps - steps[0]) / (steps[-1] - steps[0])
    return np.array([_time_constant(time, curve) for curve in curves.T]) * (steps[-1] - steps[0])


def _time_constant(time: np.ndarray, curve: np.ndarray) -> float:
    """In parts of the record."""
    if np.isnan(curve).any():
        return np.nan

    def fitted(log_tau: float) -> tuple[float, float]:
        """The sum of squared errors, and the fall."""
        waves = np.stack([np.ones_like(time), np.exp(-time / np.exp(log_tau))], axis=1)
        parts = np.linalg.lstsq(waves, curve, rcond=None)[0]
        return float(np.sum((waves @ parts - curve) ** 2)), float(parts[1])

    grid = np.linspace(np.log(time[1] / 4), np.log(4.0), 49)  # from a quarter of the first interval to four records
    best = int(np.argmin([fitted(at)[0] for at in grid]))
    if best in (0, len(grid) - 1):
        return np.inf
    near = grid[[best - 1, best + 1]]
    found = minimize_scalar(lambda at: fitted(at)[0], bounds=near, method="bounded", options=dict(xatol=1e-10)).x
    told = np.exp(-1 / np.exp(found)) <= 1 - SEEN and fitted(found)[1] > 0
    return float(np.exp(found)) if told else np.inf
