"""The same networks by descent and by Adam, over batches, step sizes and sizes of the data, watched on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from numerics import noise
from numerics.checks import not_negative, positive, whole
from numerics.codes._ablations import ROWS, natural

SEEN = 2000  # noisy rows on which everything is counted, however many there are to train on
RECORDS = 20


@dataclass(frozen=True)
class Trial:
    """Networks trained with noise sigma, each on so many `rows` of whitened patches of its own drawing."""

    by: noise.SGD | noise.Adam | noise.SparseAdam
    batch: int
    sigma: float
    steps: int
    rows: int = 500
    units: int = 32
    networks: int = 27
    components: int = 12
    clip: float = math.inf
    seed: int = 1

    def __post_init__(self):
        for name in ("batch", "steps", "rows", "units", "networks", "components"):
            whole(name, getattr(self, name))
        not_negative("sigma", self.sigma)
        whole("seed", self.seed, least=0)
        if self.clip != math.inf:
            positive("clip", self.clip)
        if self.rows > ROWS:
            raise ValueError(f"rows = {self.rows} are more than the {ROWS} patches to train on")

    def run(self) -> dict[str, np.ndarray]:
        """At `steps`, (T,), of every network, (T, networks): the noisy loss on rows that it is trained on; `active`,
        the fraction of active units on 2,000 such rows, noise on; `dead`, of units that are active on none of them.
        """
        x, found = natural(self.components).train, []
        draw = torch.Generator().manual_seed(self.seed)
        own = torch.rand(self.networks, len(x), generator=draw).topk(self.rows).indices
        rows = x[own.gather(-1, torch.randint(self.rows, (self.networks, SEEN), generator=draw))]
        noisy = noise.Gaussian(self.sigma)(rows, 1.0, draw)
        at = np.unique(np.rint(np.linspace(0, self.steps, RECORDS + 1)).astype(int))

        def record(networks, step):
            if step in at:
                on = networks.preactivation(noisy) > 0
                loss = noise.squared_error(networks(noisy), rows).mean(-1)
                found.append([v.numpy() for v in (loss, on.float().mean((-1, -2)), (~on.any(-2)).float().mean(-1))])

        start = noise.initial(
            self.components, self.units, seed=self.seed, networks=(self.networks,), dtype=torch.float32
        )
        noise.train(
            start, x, noise.Sampled(noise.Gaussian(self.sigma)), self.by, noise.Schedule(self.steps), batch=self.batch,
            seed=self.seed, own=own, clip=self.clip, record=record, label=f"{self.by}, batch {self.batch}",
        )  # fmt: skip
        loss, active, dead = np.array(found).swapaxes(0, 1)
        return {"steps": at, "loss": loss, "active": active, "dead": dead}


ADAM = Trial(noise.Adam(1e-2), batch=4, sigma=3.0, steps=2000, clip=1.0)
RULES = {
    "Adam": ADAM,
    "Adam, a third of the rate": replace(ADAM, by=noise.Adam(0.0033)),
    "Adam that skips silent units": replace(ADAM, by=noise.SparseAdam(1e-2)),
    "descent": replace(ADAM, by=noise.SGD(0.03)),
}
QUIET = replace(ADAM, sigma=0.0)  # the control: what Adam does where there is no noise
LONG = replace(ADAM, steps=10_000)  # until activity has come to rest
BATCHES = {batch: replace(ADAM, batch=batch) for batch in (2, 4, 16)}
SIZES = {rows: replace(ADAM, rows=rows) for rows in (50, 500, 5000)}

# of descent; the product of rate and steps is the same
PACES = tuple((batch, rate) for rate in (0.01, 0.02) for batch in (8, 32, 128))  # batches and rates
DESCENTS = {
    (sigma, batch, rate): Trial(
        noise.SGD(rate), batch, sigma, steps=round(48 / rate), rows=18_000, units=24, networks=20
    )
    for sigma in (0.0, 0.8)
    for batch, rate in PACES
}
TRIALS = list(dict.fromkeys([*RULES.values(), QUIET, LONG, *BATCHES.values(), *SIZES.values(), *DESCENTS.values()]))
