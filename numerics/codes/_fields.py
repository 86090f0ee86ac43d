"""Codes by noise, by an L1 penalty or by the k largest: what they cost, and their fields as they form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from numerics import noise
from numerics.checks import not_negative, positive, whole
from numerics.codes._ablations import natural
from numerics.fields import by_chance, explained

SIDE, COMPONENTS = 8, 24
FITTED = 6  # fields of every network that are fitted
SHOWN, REBUILT = 48, 8  # fields and reconstructions of the first network that are kept
STAGES = (0, 150, 500, 1500)  # steps at which fields are fitted


@dataclass(frozen=True)
class Method:
    """Networks of one method at one strength: sigma of noise, weight of an L1 penalty, or k of the k largest.

    name: "noise", "noise, then none", "L1", "L1, unit decoders" or "top k"; of noise 0 is the control of them all.
    """

    name: str
    strength: float
    units: int = 64
    networks: int = 20
    steps: int = STAGES[-1]
    batch: int = 32
    eta: float = 5e-3
    seed: int = 1

    def __post_init__(self):
        if self.name not in KINDS:
            raise ValueError(f"name = {self.name!r} is none of {', '.join(KINDS)}")
        (not_negative if self.name == "noise" else positive)("strength", self.strength)
        for name in ("units", "networks", "steps", "batch"):
            whole(name, getattr(self, name))
        positive("eta", self.eta)
        whole("seed", self.seed, least=0)
        if self.name == "top k" and (self.strength != int(self.strength) or self.strength > self.units):
            raise ValueError(f"strength = {self.strength!r} must be a whole number of the {self.units} units")

    def run(self) -> dict[str, np.ndarray]:
        """What is found: by network (networks,), held out and without noise, the fraction of `active` units, of `dead`
        ones, and the `loss` for each input; `encoders` and `decoders`, mean lengths; `gabor`, `centre`, `blob` and
        `round`, R^2 of the fits to some fields at each stage, (stages, networks, fields); `fields` (SHOWN, side, side)
        and `rebuilt` (REBUILT, 3, side, side) of the first network: datum, what it saw, what it made of it.
        """
        x, stages = natural(COMPONENTS), []

        def record(networks, step):
            if step in STAGES:
                stages.append(fields(networks, x)[:, :FITTED].numpy())

        activation = noise.TopK(round(self.strength)) if self.name == "top k" else torch.relu
        start = noise.initial(
            COMPONENTS, self.units, seed=self.seed, networks=(self.networks,), activation=activation,
            dtype=torch.float32,
        )  # fmt: skip
        schedule = noise.Schedule(self.steps, cool=0.7, anneal=(0.4, 0.6) if self.name == "noise, then none" else None)
        end = noise.train(
            start, x.train, self.objective(), noise.Adam(self.eta), schedule, batch=self.batch, seed=self.seed,
            clip=1.0, record=record, label=f"{self.name} {self.strength:g}",
        )  # fmt: skip
        return self.counted(noise.unit_norm(end) if self.name == "L1, unit decoders" else end, x) | fitted(stages)

    def objective(self):
        """What is minimised."""
        if self.name == "top k":
            return noise.NOISELESS
        if self.name.startswith("noise"):
            return noise.Sampled(noise.Gaussian(self.strength))
        penalised = noise.Sampled(noise.Gaussian(0.0), l1=self.strength)
        return noise.UnitNorm(penalised) if self.name == "L1, unit decoders" else penalised

    def counted(self, networks, x):
        """What is counted of trained networks, and pictures of the first."""
        rows = x.held_out.expand(self.networks, -1, -1)
        h = networks.activation(networks.preactivation(rows))
        seen = rows[0, :REBUILT]
        if self.name == "noise":
            seen = noise.Gaussian(self.strength)(seen, 1.0, torch.Generator().manual_seed(self.seed))
        first = networks.with_weights([w[0] for w in networks.weights])
        rebuilt = torch.stack([rows[0, :REBUILT], seen, first(seen)], dim=1) @ x.basis
        found = {
            "active": (h > 0).float().mean((-1, -2)),
            "dead": (h.sum(-2) < noise.DEAD).float().mean(-1),
            "loss": (networks(rows) - rows).square().mean((-1, -2)),
            "encoders": networks.W_e.norm(dim=-1).mean(-1),
            "decoders": networks.W_d.norm(dim=-2).mean(-1),
            "fields": fields(networks, x)[0, :SHOWN].half(),
            "rebuilt": rebuilt.unflatten(-1, (SIDE, SIDE)).half(),
        }
        return {name: v.numpy() for name, v in found.items()}


def fields(networks, x) -> torch.Tensor:
    """The encoders in pixels, (networks, units, side, side)."""
    return (networks.W_e @ x.basis).unflatten(-1, (SIDE, SIDE))


def fitted(stages) -> dict[str, np.ndarray]:
    """R^2 of all families of fits to the fields, (networks, fields, side, side), of each stage."""
    every = np.stack(stages)
    found = explained(every.reshape(-1, SIDE, SIDE))
    return {name: of.reshape(every.shape[:3]).astype(np.float32) for name, of in found.items()}


@cache
def chance() -> dict[str, float]:
    """The R^2 that each family of fits exceeds on one field in a hundred of white noise in the space of the data."""
    return by_chance(natural(COMPONENTS).basis.unflatten(-1, (SIDE, SIDE)).double().numpy())


KINDS = ("noise", "noise, then none", "L1, unit decoders", "L1", "top k")
SIGMAS = (0.1, 0.3, 0.5, 0.8, 1.5, 3.0)
PENALTIES = (0.3, 1.0, 2.0, 4.0, 6.0)
STRENGTHS = {
    "noise": SIGMAS,
    "noise, then none": (0.3, 0.8, 1.5),
    "L1, unit decoders": PENALTIES,
    "L1": PENALTIES,
    "top k": (16.0, 8.0, 4.0, 2.0, 1.0),
}  # sparser from left to right
CONTROL = "noise", 0.0
METHODS = {one: Method(*one) for one in (CONTROL, *((name, s) for name, each in STRENGTHS.items() for s in each))}
