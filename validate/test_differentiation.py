"""Progressive differentiation: from small random weights, broad distinctions first, in sampled and in real worlds."""

from functools import cache

import numpy as np
import pytest

from laws import Equivalent, Exponent, Order, confront
from laws.judges.seeding import seeds
from laws.judges.verdict import Panel, Series
from numerics import modes, semantics
from numerics.chain import crossing
from numerics.descent import GradientDescent, GradientFlow
from theory.chain import half_time_2, shallow, two_layers
from theory.semantics import (
    expected_start,
    level_time,
    partition_between,
    partition_common,
    partition_within,
    ring,
    tree_level,
    ultrametric,
)

SLIDE = "saxe-slides, Progressive differentiation"
N, hidden, sigma = 2000, 32, 1e-4
a0 = expected_start(n=hidden, sigma=sigma)
labels = dict(t="time t (τ = 1)", y="mode strength $a_k$", h="step η")


def from_random_weights(features, times, seed):
    """The answers of a network that learns by gradient flow from small random weights."""
    task = semantics.items(features)
    weights = modes.random(task, 2, sigma, hidden=hidden, seed=seed)
    return task, semantics.answers(task, weights, times, GradientFlow(1e-5, 1e-10))


def waves(P, k):
    """Projections of items on a ring onto waves: for each k, both phases."""
    angle = 2 * np.pi * np.subtract.outer(np.arange(P), np.arange(P)) / P
    return np.array([2 / P * np.cos(j * angle) for j in k])


flip, ring_sigma = 0.05, 1.5
SIMILAR = (
    (partition_common, dict(C=3, m=4, p=0.15, q=0.6)),
    (partition_between, dict(m=4, p=0.15, q=0.6)),
    (partition_within, dict(q=0.6)),
)
worlds = {
    "trees": (
        lambda seed: semantics.diffusion(2, 4, flip, N, seed=seed),
        semantics.branches((2,) * 4)[1:],
        tree_level(k=np.arange(1, 5), B=2, D=4, eps=flip),
    ),
    "partitions": (
        lambda seed: semantics.features(semantics.categories((3, 4), (0.15, 0.6)), N, seed=seed),
        semantics.branches((3, 4)),
        np.array([f(**at) for f, at in SIMILAR]),
    ),
    "rings": (
        lambda seed: semantics.features(semantics.smooth((12,), ring_sigma, periodic=True), N, seed=seed),
        waves(12, (1, 2, 3)),
        ring(k=np.array([1, 2, 3]), P=12, sigma=ring_sigma),
    ),
}


@cache
def measured(world, seed):
    """Half-times of the levels of a freshly drawn world, in a freshly drawn network."""
    draw, projections, values = worlds[world]
    features = semantics.few_features(draw(seed))
    times = np.linspace(0, 1.4 * times_of(world).max(), 200)
    _, answers = from_random_weights(features, times, seed)
    return np.array([crossing(times, level, 0.5) for level in semantics.learnt(answers, features, projections).T])


def times_of(world, a0=a0):
    """The law: half-times of a world's levels from the mean start."""
    _, projections, values = worlds[world]
    return level_time(N=N, P=projections.shape[-1], Lambda=values, a0=a0, tau=1.0)


@pytest.mark.parametrize("world", worlds)
def test_progressive_differentiation(world):
    """Of items with random features, from random weights, each level is learnt within 8 % of its time: broad first."""
    law = times_of(world)

    def error(seed):
        return measured(world, seed) / law - 1

    def as_the_law_says(level):
        """The law: no error at any level."""
        return np.zeros(len(law))

    P = worlds[world][1].shape[-1]
    rivals = {
        "all levels at once": law[0] / law - 1,
        "one layer": P * np.log(2) / law - 1,
        "narrow first": law[::-1] / law - 1,
        "a tenfold start": times_of(world, 10 * a0) / law - 1,
    }
    claim = f"{world} of random features are learnt from broad to narrow, each level within 8 % of its time"
    names = dict(level="level, from broad to narrow", y="relative error of the half-time")
    picture = splitting() if world == "trees" else None
    at = dict(level=np.arange(1, len(law) + 1))
    confront(
        claim,
        as_the_law_says,
        error,
        at,
        Equivalent(0.08, runs=24),
        rivals,
        labels=names,
        picture=picture,
        of=level_time,
    )


def splitting():
    """One drawn tree: its leaves in a row, telling themselves apart while the network learns."""
    projections = semantics.branches((2,) * 4)
    features = semantics.diffusion(2, 4, flip, N, seed=3)
    values = ultrametric((2,) * 4, (1 - 2 * flip) ** (2 * np.arange(4, 0, -1)))[0]
    times = np.linspace(0, 1.3 * times_of("trees").max(), 200)
    task, answers = from_random_weights(features, times, 3)
    s = np.sqrt(N * values[:, None]) / task.examples
    fraction = two_layers(t=times, s=s, lam=1 / task.examples, a0=a0, tau=1.0) / (s * task.examples)
    places = semantics.in_a_row(features, features)
    said = np.einsum("kt,kij,j->it", fraction, projections, places)
    seen = semantics.in_a_row(answers, features).T
    return Panel(
        "time t (τ = 1)",
        "place of the 16 leaves on a line that has them 1 apart when all is learnt",
        (
            Series("run", times[::5].tolist(), seen[:, ::5].tolist(), "one trained network"),
            Series("law", times.tolist(), said.tolist(), "law"),
        ),
    )


def test_error_of_drawn_worlds():
    """With N features the average strength of a level is off by one over the square root of N."""
    projections = semantics.branches((2,) * 4)[1:]
    law = tree_level(k=np.arange(1, 5), B=2, D=4, eps=flip)

    def run(count, seed):
        drawn = semantics.spectrum_by_level(semantics.diffusion(2, 4, flip, round(count), seed=seed), projections)
        return float(np.sqrt(np.mean((drawn.mean(0) / law - 1) ** 2)))

    judge = Exponent((100, 400, 1600, 6400), detects=0.15, runs=100)
    rivals = {"one over N": -1.0, "none": 0.0, "N^(-1/4)": -0.25}
    drawn = dict(x="random features N", y="root mean square error of the strengths Λ_k, relative")
    confront(
        "strengths of random features err as one over the root of their number",
        -0.5,
        run,
        {},
        judge,
        rivals,
        labels=drawn,
        of=tree_level,
    )


# -- real examples --------------------------------------------------------------------------------

names, living = semantics.living_things()
real = {"living things": living, "mean digits": semantics.mean_digits()}


def first_rate(task):
    """The rival for which every mode learns at the rate of the first."""
    top = float(task.s[0])
    return lambda s, **rest: two_layers(s=top, **rest) * s / top


@pytest.mark.parametrize("world", real)
def test_real_worlds(world):
    """Every mode of living things and their properties, or of digits and their mean images, is its own chain."""
    task, begin = semantics.items(real[world]), 0.01
    latest = half_time_2(s=float(task.s[-1]), lam=1 / task.examples, a0=begin, tau=1.0)
    times = 0.4 * np.round(np.linspace(0.1, 1.3, 7) * latest / 0.4)

    def run(eta, seed):
        weights = modes.aligned(task, 2, begin, hidden=12, seed=seed)
        record = semantics.answers(task, weights, times, GradientDescent(eta))
        return np.einsum("nk,tin,ik->kt", task.U, record, task.V)

    at = dict(t=times[None, :], s=task.s.numpy()[:, None], lam=1 / task.examples, a0=begin, tau=1.0)
    rivals = {"one layer": shallow, "all at the first mode's rate": first_rate(task)}
    claim = f"a deep network learns {world} mode by mode"
    confront(claim, two_layers, run, at, Order(1, start=0.1), rivals, labels=labels, picture=scaled(world))


def scaled(world):
    """Multidimensional scaling of the items' answers while a network learns: first together, then apart."""
    features = real[world]
    until = 1.5 * half_time_2(s=float(semantics.items(features).s[-1]), lam=1 / len(features), a0=a0, tau=1.0)
    times = np.linspace(0, until, 200)
    task, answers = from_random_weights(features, times, 4)
    a = two_layers(t=times, s=task.s.numpy()[:, None], lam=1 / task.examples, a0=a0, tau=1.0)
    said = np.einsum("kt,nk,ik->tin", a, task.U.numpy(), task.V.numpy())
    law, run = semantics.scaling(np.stack([said, answers]))
    lines = [Series("law", *law[:, i].T.tolist(), "" if i else "law") for i in range(task.examples)]
    few = slice(None, None, 5)
    dots = [Series("run", *run[few, i].T.tolist(), "" if i else "one trained network") for i in range(task.examples)]
    return Panel("first scaling axis", "second scaling axis", (*lines, *dots, *named(world, law[-1])))


def named(world, ends):
    """The names of items where their answers end, together where they end beside each other."""
    groups = {}
    for name, end in zip(names if world == "living things" else "0123456789", ends, strict=True):
        beside = (place for place in groups if np.hypot(*(place - end)) < 0.12 * np.ptp(ends))
        groups.setdefault(next(beside, tuple(end)), []).append(name)
    return [Series("name", [x], [y], ", ".join(group)) for (x, y), group in groups.items()]


ORDER = {
    "living things": "animals and plants are told apart first, then birds from fish, then trees from flowers",
    "mean digits": "the three broadest distinctions of digits are learnt one after the other",
}


def test_distinctions_of_living_things():
    """The strongest modes of living things tell animals from plants, birds from fish, and trees from flowers."""
    modes_of = semantics.items(living).V.numpy().T
    for mode, some in zip(modes_of, (slice(0, 8), slice(0, 4), slice(4, 8)), strict=False):
        one, other = np.split(np.sign(mode[some]), 2)
        assert set(one) == {-other[0]} and set(other) == {other[0]}
        assert np.abs(mode[some]).min() >= np.abs(np.delete(mode, np.arange(8)[some])).max(initial=0.0)


@pytest.mark.parametrize("world", real)
def test_real_worlds_from_random_weights(world):
    """From small random weights the first three modes of a real world are learnt in their own times, broad first.

    A start a0 is a chi-square variable with as many degrees of freedom as hidden units: its spread, over the logarithm
    that it stands in, is that of a half-time.  Four of these are the margin.
    """
    features = semantics.few_features(real[world])
    task = semantics.items(features)
    s = task.s.numpy()[:3]
    law = half_time_2(s=s, lam=1 / task.examples, a0=a0, tau=1.0)
    spread = np.sqrt(2 / hidden) / np.log(s * task.examples / a0)
    times = np.linspace(0, 1.5 * law[-1], 200)

    @cache
    def error(seed):
        _, answers = from_random_weights(features, times, seed)
        strengths = np.einsum("nk,tin,ik->kt", task.U[:, :3], answers, task.V[:, :3])
        return [crossing(times, a, s_k * task.examples / 2) for a, s_k in zip(strengths, s, strict=True)] / law - 1

    def as_the_law_says(mode):
        """The law: no error in any distinction."""
        return np.zeros(3)

    rivals = {"all at once": law[0] / law - 1, "one layer": task.examples * np.log(2) / law - 1}
    at, drawn = dict(mode=np.arange(1, 4)), dict(mode="distinction", y="relative error of the half-time", about=SLIDE)
    judge, picture = Equivalent(4 * spread.min(), runs=24), half_times(law, error, task.examples, 24)
    confront(ORDER[world], as_the_law_says, error, at, judge, rivals, labels=drawn, of=half_time_2, picture=picture)


def half_times(law, error, examples, runs):
    """When each distinction is half learnt: by the law, in networks, and in one layer."""
    number = list(range(1, 1 + len(law)))
    seen = np.array([law * (1 + error(seed)) for seed in seeds(0, runs)])
    middle, low, high = (of(seen, axis=0).tolist() for of in (np.median, np.min, np.max))
    ticks = tuple((float(k), f"{k}") for k in number)
    said = Series("law", number, law.tolist(), "law", joined=False)
    trained = Series("run", number, middle, f"median and range of {runs} networks", low, high)
    flat = Series("rival", number, [examples * np.log(2)] * len(law), "one layer", joined=False)
    return Panel("distinction, from broad to narrow", "half-time (τ = 1)", (said, trained, flat), ticks=ticks)
