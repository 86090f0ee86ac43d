"""Sparse codes of natural images, trained to convergence at every level of noise: minutes, so in the full tier only.

Every network is kept in pytest's cache, so that an interrupted run goes on where it stopped.  A network is named after
its settings and after its weights two steps on, so that none outlives a change of the data, the noise or the algorithm.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import torch

from numerics import noise, patches

SEEDS = 3


@dataclass(frozen=True)
class Table:
    """The networks of one table: patches of `side` x `side` pixels, all levels of noise, for `SEEDS` seeds each."""

    side: int
    units: int
    sigmas: tuple[float, ...]
    steps: int = 8000
    batch: int = 256
    eta: float = 1e-3

    @cached_property
    def images(self):
        """Whitened patches in single precision."""
        return patches.natural(self.side, 50_000, seed=0, dtype=torch.float32)

    def network(self, sigma, seed, kept):
        """The network trained at this noise from this seed, from the folder `kept` if it is there."""
        settings = json.dumps([asdict(self), sigma, seed])
        early = b"".join(w.numpy().tobytes() for w in self._train(sigma, seed, steps=2).weights)
        path = kept / f"{hashlib.sha256(settings.encode() + early).hexdigest()[:32]}.npz"
        if not path.exists():
            weights = self._train(sigma, seed, self.steps).weights
            unfinished = path.with_suffix(f".{os.getpid()}")
            with unfinished.open("wb") as file:
                np.savez(file, *(w.numpy() for w in weights))
            unfinished.replace(path)
        with np.load(path) as file:
            return noise.Autoencoder(*(torch.from_numpy(file[name]) for name in file.files))

    def _train(self, sigma, seed, steps):
        start = noise.initial(self.side**2, self.units, seed=seed, dtype=torch.float32)
        return noise.train(
            start, self.images.train, noise.Sampled(noise.Gaussian(sigma)), noise.Adam(self.eta),
            noise.Schedule(steps, cool=0.7), batch=self.batch, seed=seed, clip=1.0,
            label=f"{self.side} x {self.side} pixels, σ = {sigma:g}, seed {seed}",
        )  # fmt: skip


tables = {
    "12 x 12 pixels": Table(12, 288, (0.0, 0.5, 1.0, 1.5, 2.5)),
    "8 x 8 pixels": Table(8, 128, (0.0, 0.1, 0.3, 0.5, 0.8, 1.5, 3.0)),
}
