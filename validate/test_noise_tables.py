"""Sparse codes of natural images, trained to convergence at every level of noise: minutes, so in the full tier only.

Every network is kept in pytest's cache, so that an interrupted run goes on where it stopped.  A network is named after
its settings and after its weights two steps on, so that none outlives a change of the data, the noise or the algorithm.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cache, cached_property

import numpy as np
import pytest
import torch

from laws import Count, Sign, confront
from laws.judges import verdict
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series
from numerics import noise, patches
from numerics.fields import fit_gabors, mosaic

SEEDS = 3  # too few for statistics: what holds in every one of them is asserted, medians and ranges are shown
HELD = 1 - 2 ** (1 - SEEDS)  # the probability that the median of all networks lies in the range of these


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


def wiener(x, sigma):
    """The loss per pixel of the best linear guess at held-out data, from the covariance of the others."""
    covariance = np.cov(x.train.double().numpy().T, bias=True)
    guess = np.linalg.solve(covariance + sigma**2 * np.eye(len(covariance)), covariance)
    rest = x.held_out.double().numpy() @ (np.eye(len(guess)) - guess)
    return (np.sum(rest**2) / len(rest) + sigma**2 * np.sum(guess**2)) / len(guess)


def in_batches(network, x, noisy, seed, batch=256):
    """The fraction of active units, noise on, in each of as many batches as there are."""
    whole = x[: len(x) // batch * batch]
    seen = noisy(whole, 1.0, torch.Generator().manual_seed(seed))
    return (network.preactivation(seen) > 0).float().mean(-1).reshape(-1, batch).mean(-1)


def measures(table, network, sigma, seed):
    """All columns of the table for one network."""
    x, noisy = table.images, noise.Gaussian(sigma)
    counted = noise.activity(network, x.held_out, noisy, seed=seed)
    unit = torch.nn.functional.normalize(network.W_e, dim=-1)
    cosines = (unit @ unit.T).abs().triu(1).sum() * 2 / (table.units * (table.units - 1))
    gabor = fit_gabors(network.W_e.reshape(-1, table.side, table.side).numpy()).explained
    lengths, batches = network.W_e.norm(dim=-1), in_batches(network, x.held_out, noisy, seed)
    loss = noise.sampled_loss(network, x.held_out, noisy, draws=4, seed=seed).mean() / table.side**2
    return {
        "active": float(counted.active), "clean": float(counted.clean), "dead": float(counted.dead),
        "bias": float(network.b_e.mean()), "negative": float((network.b_e < 0).double().mean()),
        "alike": float(cosines), "gabor": float(np.median(gabor)), "good": float(np.mean(gabor > 0.6)),
        "loss": float(loss), "linear": wiener(x, sigma), "batches": float(batches.std()),
        "biases, absolute": float(network.b_e.std()), "lengths, absolute": float(lengths.std()),
        "batches, of their mean": float(batches.std() / batches.mean()),
        "biases": float(network.b_e.std() / network.b_e.mean().abs()), "lengths": float(lengths.std() / lengths.mean()),
    }  # fmt: skip


@cache
def measured(name, seed, kept):
    """The table: each column an array (seeds, levels)."""
    table = tables[name]
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(SEEDS)]
    cells = [[measures(table, table.network(s, k, kept), s, k) for s in table.sigmas] for k in seeds]
    columns = {column: np.array([[cell[column] for cell in row] for row in cells]) for column in cells[0][0]}
    print(f"\n{name}, {table.units} units, median [least, greatest] of {SEEDS} seeds")
    for k, sigma in enumerate(table.sigmas):
        spread = {c: np.quantile(v[:, k], (0.5, 0, 1)) for c, v in columns.items()}
        print(f"σ = {sigma:4g}  " + "  ".join(f"{c} {m:.3f} [{a:.3f}, {b:.3f}]" for c, (m, a, b) in spread.items()))
    return columns


@pytest.fixture
def kept(folder_of):
    """The folder of networks that are trained already."""
    return folder_of("sparse-codes")


def from_level_to_level(columns, of):
    """A column's change from each level of noise to the next, in every seed."""
    return np.diff(columns[of], axis=1)


def against_linear(columns, of):
    """The loss less that of the best linear guess, wherever there is noise."""
    return (columns["loss"] - columns["linear"])[:, 1:]


def ends(columns, of):
    """A column's change from the lowest level of noise to the highest."""
    return columns[of][:, -1] - columns[of][:, 0]


def against_silence(columns, of):
    """A column less what it is without noise, at every level from the third on."""
    return columns[of][:, 2:] - columns[of][:, :1]


def from_third(columns, of):
    """A column's change from the third level of noise to the highest; between them few batches tell."""
    return columns[of][:, -1] - columns[of][:, 2]


claims = {
    "fewer units are active at every higher level of noise": ("active", from_level_to_level, -1.0),
    "fewer units would be active without the noise": ("clean", from_level_to_level, -1.0),
    "biases sink at every higher level of noise": ("bias", from_level_to_level, -1.0),
    "networks undo noise better than any linear map": ("loss", against_linear, -1.0),
    "fields are more Gabor-like at the highest level than without noise": ("gabor", ends, 1.0),
    "encoders are more alike at the highest level than without noise": ("alike", ends, 1.0),
    "biases differ less of their mean with noise than without": ("biases", against_silence, -1.0),
    "encoders' lengths differ less of their mean with noise than without": ("lengths", against_silence, -1.0),
    "with noise activity deviates more over batches than without": ("batches", against_silence, 1.0),
    "activity deviates less over batches at the highest level than at the third": ("batches", from_third, -1.0),
}
names = {
    "active": "fraction of active units, noise on", "clean": "fraction of active units, noise off",
    "bias": "mean bias", "loss": "held-out loss per pixel", "gabor": "median R² of Gabor functions",
    "alike": "mean |cosine| of two encoders", "biases": "spread of biases, of their mean",
    "lengths": "spread of the encoders' lengths, of their mean",
    "batches": "standard deviation of activity over batches",
}  # fmt: skip


def against_noise(table, columns, column):
    """A column against the level of noise, medians and ranges of the seeds."""
    middle, low, high = (np.quantile(columns[column], q, axis=0).tolist() for q in (0.5, 0, 1))
    series = [Series("run", list(table.sigmas), middle, f"median and range of {SEEDS} seeds", low, high)]
    if column == "loss":
        series.append(Series("rival", list(table.sigmas), columns["linear"][0].tolist(), "best linear map"))
    return Panel("noise σ", names[column], tuple(series))


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", tables)
@pytest.mark.parametrize("claim", claims)
def test_table(name, claim, kept):
    """What noise makes of fully trained networks, in every seed."""
    column, changes, sign = claims[claim]
    table = tables[name]

    def run(seed):
        return changes(measured(name, seed, kept), column)

    picture = against_noise(table, measured(name, 0, kept), column)
    drawn = dict(x="comparison", y=f"{names[column]}: difference")
    confront(f"{name}: {claim}", sign, run, {}, Sign("comparison"), labels=drawn, picture=picture)


headings = {
    "active": "active", "clean": "noise off", "bias": "mean bias", "negative": "biases < 0", "alike": "|cosine|",
    "gabor": "Gabor R²", "good": "R² > 0.6", "loss": "loss", "linear": "linear",
}  # fmt: skip


def whole(table, columns):
    """The table itself: medians of the seeds, and under them half of the seeds' range."""
    cells = [[f"σ = {sigma:g}" for sigma in table.sigmas]]
    for column in headings:
        middle, low, high = (np.quantile(columns[column], q, axis=0) for q in (0.5, 0, 1))
        cells.append([f"{m:.3f}\n±{h:.3f}" for m, h in zip(middle, (high - low) / 2, strict=True)])
    lines = [[head, *line] for head, line in zip(("noise", *headings.values()), cells, strict=True)]
    note = f"medians of {SEEDS} seeds ± half their range, which holds the median of all with probability {HELD:g}"
    return verdict.table(lines, note)


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", tables)
def test_every_bias_is_negative(name, kept):
    """From noise of 0.3 on every bias of every network ends below zero; the whole table is shown."""
    table = tables[name]
    loud = np.array(table.sigmas) >= 0.3
    others = lambda share: np.rint(table.units * (1 - share))  # noqa: E731
    positive = lambda seed: others(measured(name, seed, kept)["negative"][:, loud])  # noqa: E731
    rivals = {"as without noise": lambda: others(measured(name, 0, kept)["negative"][:, :1])}
    picture = whole(table, measured(name, 0, kept))
    confront(f"{name}: from noise of 0.3 on all biases are negative", 0.0, positive, {}, Count(), rivals,
             labels=dict(y="biases that are not below zero"), picture=picture)  # fmt: skip


@pytest.mark.full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", tables)
def test_no_unit_dies(name, kept):
    """No unit of any network is dead, and the fields are shown."""
    table, shown = tables[name], []
    for sigma in (table.sigmas[0], *table.sigmas[-3:]):
        fields = table.network(sigma, FIRST, kept).W_e[:100].reshape(-1, table.side, table.side).numpy()
        shown.append(Series("image", [], [], f"σ = {sigma:g}", np.round(mosaic(fields, 10), 2).tolist()))
    picture = Panel("100 receptive fields of one network, each scaled by itself", "", tuple(shown))
    dead = lambda seed: np.rint(table.units * measured(name, seed, kept)["dead"])  # noqa: E731
    labels = dict(y="dead units")
    confront(f"{name}: no unit dies", 0.0, dead, {}, Count(), labels=labels, picture=picture)
