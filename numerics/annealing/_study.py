"""Networks of some kinds under noise that falls to none, and what they do before, meanwhile and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from numerics import noise, patches, text
from numerics.checks import not_negative, whole

SHOWN = 300  # of the data, for counts of activity
ASKED = 500  # rows that a transformer is asked about
LENGTH = 12  # letters that a transformer sees
FALLS = (0.5, 0.7)  # fractions of training between which the noise falls to none
RECORDS, BEFORE, END = 10, 5, -1  # parts of training that records stand between; those as the noise falls, at the end


class Task(NamedTuple):
    """Where networks of one kind start, what they learn, what they are asked about, and where noise stands."""

    start: Any
    x: Tensor
    target: Tensor
    other: Tensor
    others: Tensor
    before: tuple[int, ...] = (0,)
    cost: Callable[[Tensor, Tensor], Tensor] = noise.cross_entropy
    right: Callable[[Any, Tensor, Tensor], Tensor] = noise.accuracy


@dataclass(frozen=True)
class Study:
    """Networks of one kind, trained with one algorithm: `runs` of them at each of `levels` of noise.

    kind: "one hidden layer" of 60, "three hidden layers" of 40, "convolutional", "autoencoder" with 120 hidden units,
    or "transformer"; before: the layers that noise stands before, counted from 0, if not those of its kind: the first,
    or the perceptrons of all blocks; digits: how many are learnt, if any are, the others being asked for.
    """

    kind: str
    by: noise.SGD | noise.Adam
    levels: tuple[float, ...]
    runs: int
    steps: int
    seed: int
    before: tuple[int, ...] | None = None
    digits: int = 300

    def __post_init__(self):
        if self.kind not in _TASKS:
            raise ValueError(f"kind = {self.kind!r} must be one of {', '.join(_TASKS)}")
        for name, least in dict(runs=1, steps=RECORDS, seed=0, digits=1).items():
            whole(name, getattr(self, name), least)
        if not self.levels:
            raise ValueError(f"levels = {self.levels!r} must be one or more")
        for sigma in self.levels:
            not_negative("levels", sigma)
        if self.before is not None:
            noise.Disturbed(noise.Gaussian(0.0), noise.squared_error, self.before)

    def run(self) -> dict[str, np.ndarray]:
        """Train them, and tell what they do.

        Returns:
            active, dead: of each layer along training, without noise, from the start to the end; shape
                (RECORDS + 1, runs, levels, layers), see `noise.layer_activity`.
            cost, right: on what was learnt and on what was not, at the end, without noise; (2, runs, levels).  What
                is right is the fraction of answers, and of an autoencoder the fraction of variance that it explains.
            gain: the length of what multiplies the normed input of each of a transformer's perceptrons, before
                the noise falls; (runs, levels, blocks), and no blocks for other kinds.
            lengths: of the weights of each layer of perceptrons, then too; (runs, levels, layers), none of other kinds.
        """
        task = _TASKS[self.kind](self.seed, (self.runs, len(self.levels)), self.digits)
        at = [k * self.steps // RECORDS for k in range(RECORDS + 1)]
        found: list[noise.LayerActivity] = []
        gains: list[np.ndarray] = []
        lengths: list[np.ndarray] = []

        def record(network, step):
            if step in at:
                found.append(noise.layer_activity(network, task.other[:SHOWN]))
            if step == at[BEFORE]:
                gains.extend(block.gain2.norm(dim=-1).numpy() for block in getattr(network, "blocks", ()))
                lengths.extend(W.norm(dim=(-2, -1)).numpy() for W, _ in getattr(network, "layers", ()))

        sigmas = torch.tensor(self.levels).expand(self.runs, -1)
        before = task.before if self.before is None else self.before
        network = noise.train(
            task.start, task.x, noise.Disturbed(noise.Gaussian(sigmas), task.cost, before), self.by,
            noise.Schedule(self.steps, anneal=FALLS), batch=32 if task.x.is_floating_point() else 8, seed=self.seed,
            target=task.target, record=record, label=f"{self.kind}, {type(self.by).__name__}",
        )  # fmt: skip
        by_layer = lambda of: np.array(of).reshape(-1, self.runs, len(self.levels)).transpose(1, 2, 0)  # noqa: E731
        some = slice(None, None, max(1, len(task.x) // ASKED))
        asked = [(task.x[some], task.target[some]), (task.other, task.others)]
        return dict(
            active=np.array([each.active.numpy() for each in found]),
            dead=np.array([each.dead.numpy() for each in found]),
            cost=np.array([noise.mean_cost(network, *each, task.cost).numpy() for each in asked]),
            right=np.array([task.right(network, *each).numpy() for each in asked]),
            gain=by_layer(gains),
            lengths=by_layer(lengths),
        )


def _classifiers(start):
    """The task of networks that tell digits apart."""

    def task(seed, networks, digits):
        data = patches.classified_digits(digits, dtype=torch.float32)
        rows = data.train, data.classes, data.held_out, data.held_out_classes
        return Task(start(seed=seed, networks=networks, dtype=torch.float32), *rows)

    return task


def _autoencoders(seed, networks, digits):
    """The task of networks that give digits back."""
    data = patches.classified_digits(digits, dtype=torch.float32)
    start = noise.perceptron(64, 120, 64, seed=seed, networks=networks, dtype=torch.float32)
    rows = data.train, data.train, data.held_out, data.held_out
    return Task(start, *rows, cost=noise.squared_error, right=_explained)


def _explained(network, x, target):
    """The fraction of the target's variance that the output explains."""
    return (
        1 - noise.mean_cost(network, x, target, noise.squared_error) / (target - target.mean(0)).square().sum(-1).mean()
    )


def _language(seed, networks, digits):
    """The task of networks that foretell the next letter."""
    start = noise.transformer(
        len(text.ALPHABET), LENGTH, 16, 64, 2, 2, seed=seed, networks=networks, dtype=torch.float32
    )
    rows = text.windows(LENGTH)
    return Task(start, rows.train, rows.train_next, rows.held_out[:ASKED], rows.held_out_next[:ASKED], (0, 1))


_TASKS = {
    "one hidden layer": _classifiers(lambda **how: noise.perceptron(64, 60, 10, **how)),
    "three hidden layers": _classifiers(lambda **how: noise.perceptron(64, 40, 40, 40, 10, **how)),
    "convolutional": _classifiers(lambda **how: noise.convolutional(8, (8, 16), 32, 10, **how)),
    "autoencoder": _autoencoders,
    "transformer": _language,
}

RULES: dict[str, noise.SGD | noise.Adam] = {
    "descent": noise.SGD(0.1),
    "momentum": noise.Momentum(0.02),
    "Adam": noise.Adam(3e-3),
    "Adam that skips": noise.SparseAdam(3e-3),
}
LEVELS = (0.0, 0.5, 1.5, 4.0)
_STEPS = {  # by kind and algorithm
    **{("convolutional", rule): 600 for rule in ("descent", "momentum", "Adam")},
    **{("three hidden layers", rule): 800 for rule in RULES},
    **{("one hidden layer", rule): 800 for rule in ("descent", "Adam")},
    ("autoencoder", "Adam"): 800,
}
STUDIES = {(kind, rule): Study(kind, RULES[rule], LEVELS, 20, steps, 1) for (kind, rule), steps in _STEPS.items()}
STUDIES |= {("transformer", "Adam"): Study("transformer", noise.Adam(0.01), (0.0, 0.3, 0.6, 1.2), 10, 1000, 1)}
DEEP = {  # by algorithm and by the one layer, counted from 0, that noise stands before
    (rule, before): Study("three hidden layers", by, LEVELS, 27, 800, 1, (before,), 1000)
    for rule, by, layers in (("descent", noise.SGD(0.1), (0,)), ("Adam", noise.Adam(1e-3), (0, 1, 2)))
    for before in layers
}


def run(study: Study) -> dict[str, np.ndarray]:
    """What is found by one study."""
    return study.run()
