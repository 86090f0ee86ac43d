"""How far fits tell Gabor functions from centres with a surround and from blobs, in the space that the data lie in.

Fields of each kind are planted, projected into the space of whitened patches, disturbed by noise, and told by the
rule that tells the fields of networks in `test_noise_fields`.
"""

from functools import cache

import numpy as np

from laws import measure
from laws.judges.verdict import table
from numerics.codes import chance
from numerics.codes._ablations import natural
from numerics.codes._fields import COMPONENTS, SIDE
from numerics.fields import FAMILIES, KINDS, explained, told

FIRST = int(np.random.SeedSequence(0).generate_state(1)[0])  # the seed that judges give first
PLANTED, REPEATS = 30, 3  # fields of each kind, and how many times as many
NOISE = 0.2  # of the squared length of a planted field
PLANTS = {**KINDS, "none": "white noise"}


def planted(kind, draw):
    """Fields of one kind as they are when projected into the space of the data, with noise; (PLANTED, side, side)."""
    low, high = dict(
        gabor=([2, 2, 0, 0.15, 1.2, 1.2], [5, 5, np.pi, 0.3, 3.0, 3.0]),  # centre, angle, frequency, both widths
        centre=([2, 2, 0.8, 2.2], [5, 5, 1.4, 3.5]),  # centre, both widths
        blob=([2, 2, 0, 0.8, 1.5], [5, 5, np.pi, 1.2, 2.5]),  # centre, angle, both widths
        none=([], []),
    )[kind]
    shape, basis = draw.uniform(low, high, (PLANTED, len(low))), natural(COMPONENTS).basis.double().numpy()
    noise = draw.normal(size=(PLANTED, COMPONENTS))
    if kind == "none":
        return (noise @ basis).reshape(-1, SIDE, SIDE)
    one, two = np.moveaxis(FAMILIES[kind][0].columns(shape, SIDE), -1, 0)
    if kind == "gabor":
        phase = draw.uniform(0, 2 * np.pi, (PLANTED, 1))
        one, two = np.cos(phase) * one, -np.sin(phase) * two
    else:  # a surround takes away as much as its centre gives
        one, two = one / one.sum(1, keepdims=True), two / np.maximum(two.sum(1, keepdims=True), 1e-9)
    seen = (one - two) @ basis.T
    length = np.linalg.norm(seen, axis=1, keepdims=True)
    disturbed = seen / length + noise / np.linalg.norm(noise, axis=1, keepdims=True) * (NOISE / (1 - NOISE)) ** 0.5
    return (disturbed @ basis).reshape(-1, SIDE, SIDE)


@cache
def confused(seed):
    """How many planted fields of each kind are told to be of each kind, (planted, told) with none last."""
    counts = []
    for k, kind in enumerate(PLANTS):
        fields = planted(kind, np.random.default_rng([seed, k]))
        each = [int(of.sum()) for of in told(explained(fields), COMPONENTS, chance()).values()]
        counts.append([*each, PLANTED - sum(each)])
    return np.array(counts)


def test_table_of_planted_fields():
    """Measured: how often planted fields are told to be what they are, in the space that the data lie in.

    Whitened patches have no mean, and in their space a blob is what is left of it without its mean: a centre with a
    surround, or, if it is long, a Gabor function.  In the space of all pixels they are told apart (`tests`).
    """
    seeds = np.random.SeedSequence(FIRST).generate_state(REPEATS)
    counts, total = sum(confused(int(seed)) for seed in seeds), REPEATS * PLANTED
    lines = [["planted", *(f"told: {name}" for name in KINDS.values()), "none"]]
    lines += [[name, *map(str, row)] for name, row in zip(PLANTS.values(), counts, strict=True)]
    note = f"of {total} fields each, {100 * NOISE:.0f} % of their squared length noise, in the space of the data"
    measure(
        "how often are planted fields told to be what they are, in the space of the data",
        lambda k, seed: confused(seed)[k - 1, k - 1] / PLANTED,
        tuple(range(1, 1 + len(PLANTS))),
        runs=REPEATS,
        seed=FIRST,
        labels=dict(x="planted", y="share told to be what it is", names=list(PLANTS.values())),
        picture=table(lines, note),
    )
