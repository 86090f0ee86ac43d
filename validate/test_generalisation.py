"""Routing to pairs of domains that were never trained: when what is shared carries over, and when it cannot."""

from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import binom, binomtest

from laws import Count, Equivalent, Mean, Solver, Trend, confront
from laws.judges import in_turn
from laws.judges.verdict import Panel, Series
from numerics import gating
from theory.gating import (
    agreement,
    correlations,
    diagonalise,
    hierarchy,
    one_item,
    routing,
    routing_strength,
    sign_error,
    trained_pairs,
)

SYSTEMATIC = "saxe-slides, Systematic generalization"
DEPENDENCE = "saxe-slides, Initialization dependence: rich vs lazy learning"


def products(weights, pairs):
    """What the network computes from one domain to another, for each pair; shape (..., pairs, No, Ni)."""
    return np.stack([weights[f"out{j}"] @ weights["h"] @ weights[f"in{i}"] for i, j in pairs], axis=-3)


def test_decoupled_start_generalises():
    """From decoupled weights, untrained pairs of domains are learnt as the trained ones, at every time."""
    M, K = 4, 2
    items = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0] * 1.8
    graph, task = routing(M, K, items, hierarchy(2), 5)
    base = diagonalise(graph, correlations(graph, task))
    times = np.array([2.0, 5.0, 8.0, 11.0])
    known = trained_pairs(M, K)
    untrained = [(i, j) for i in range(M) for j in range(M) if (i, j) not in known]

    def error(rtol, seed, pairs):
        start = gating.decoupled(graph, {**base.U, **base.V}, 0.2, seed=seed)
        weights = gating.flow(graph, task, start, times, rtol)
        off = items @ np.swapaxes(products(weights, pairs), -1, -2) - hierarchy(2)
        return (off**2).sum(-1).mean((-1, -2)) / (hierarchy(2) ** 2).sum(-1).mean()

    law = error(1e-13, 0, known)
    rivals = {"untrained pairs learn nothing": np.ones(4), "half of the error is left": lambda t: (1 + law) / 2}
    confront(
        "from a decoupled start untrained pairs are learnt with the trained ones",
        lambda t: law,
        lambda rtol, seed: error(rtol, seed, untrained),
        dict(t=times),
        Solver(rtol=1e-8),
        {name: rival if callable(rival) else (lambda t, rival=rival: rival) for name, rival in rivals.items()},
        labels=dict(t="time t (τ = 1)", y="error on untrained pairs, of that at t = 0", about=SYSTEMATIC),
    )


def untrained_pairs(M, K):
    """The pairs of domains that are not trained."""
    known = trained_pairs(M, K)
    return [(i, j) for i in range(M) for j in range(M) if (i, j) not in known]


def signed(M, signs, seed, b0=0.2):
    """Routing of one item with K = 1, and decoupled weights of networks whose domains have these signs, (..., M)."""
    graph, task = one_item(M, 1, 1.7, 0.6, hidden=2)
    ends = {v: np.eye(1) for v in (*graph.inputs, *graph.outputs)}
    start = gating.decoupled(graph, ends, b0, seed=seed)
    flips = {e: 1.0 + 0 * signs[..., 0] if e == "h" else signs[..., int(e.lstrip("inout"))] for e in start}
    return graph, task, {e: torch.from_numpy(flips[e])[..., None, None] * w for e, w in start.items()}


def computed(weights, pairs):
    """What networks compute for these pairs, over what they are asked for; shape (..., pairs)."""
    return products(weights, pairs)[..., 0, 0] * 0.6 / 1.7


def test_signs():
    """With K = 1 the error on untrained pairs goes by how many domains started with one sign, at every time."""
    M, ones, times = 6, np.array([1, 2, 3]), np.array([6.0, 9.0, 12.0])
    signs = np.where(np.arange(M) < ones[:, None], -1.0, 1.0)

    def outputs(rtol, seed, pairs):
        return computed(gating.flow(*signed(M, signs, seed), times, rtol), pairs)

    learnt = outputs(1e-11, 0, trained_pairs(M, 1))[:, 0, 0]  # as in every network and pair: signs meet twice
    seen = lambda law: lambda k, M: ((1 - learnt) ** 2 + learnt * np.asarray(law(k=k, M=M))[:, None]).T  # noqa: E731
    confront(
        "with K = 1 what is wrong on untrained pairs goes by the signs of the domains",
        sign_error,
        lambda rtol, seed: ((1 - outputs(rtol, seed, untrained_pairs(M, 1))) ** 2).mean(-1),
        dict(k=ones, M=M),
        Solver(rtol=1e-7),
        {
            "untrained pairs are right": lambda k, M: np.tile(((1 - learnt) ** 2)[:, None], len(k)),
            "in proportion to the domains": seen(lambda k, M: 4 * k / M),
        },
        labels=dict(
            k="domains k of 6 with the rarer sign", y="error on untrained pairs, of that at t = 0", about=SYSTEMATIC
        ),
        through=seen,
    )


def generalises(M):
    """An error below which a network counts as generalising: half of what one domain with the other sign costs."""
    return sign_error(k=1, M=M) / 2


def test_agreement():
    """Of the 2^M starts that differ by the signs of the domains, a part 2^(1-M) generalises."""
    domains = np.array([2, 3, 4, 5])

    def number(M, seed):
        starts = np.array(list(product((-1.0, 1.0), repeat=M)))
        end = gating.train(*signed(M, starts, seed, 0.4), [20.0], 0.1)
        error = ((1 - computed(end, untrained_pairs(M, 1))) ** 2).mean(-1)
        return np.sum(error < generalises(M))

    confront(
        "with K = 1 the signs of the domains must agree for a network to generalise",
        agreement,
        lambda seed: np.array([number(M, seed) for M in domains]),
        dict(M=domains),
        Count(),
        {"a common sign": lambda M: 1.0, "each domain by itself": lambda M: 2.0**M / M},
        labels=dict(M="domains M", y="starts that generalise, of $2^M$", about=SYSTEMATIC),
        through=lambda law: lambda M: law(M=M) * 2.0**M,
    )


def trained(M, K, networks, seed, scales=(0.1,), *, until=60.0, eta=0.1, imbalance=1.0):
    """Networks from random weights of each scale, the same draws at each; one mode with s = 5, d = 1.

    imbalance: by how much the domains' weights start larger, at the same product with the shared weight.  What is
    returned has shape (scales, networks): the error on untrained pairs and that on trained ones, of that at the
    start; how much the hidden codes of the domains are alike, their mean absolute cosine; and the size of the
    shared weight over that of the domains'.
    """
    x, y = np.array([[0.6, 0.8]]), 5 * np.array([[0.8, -0.6]])
    graph, task = routing(M, K, x, y, 6)
    drawn = gating.random(graph, 1.0, seed=seed, networks=networks)
    size = {e: imbalance**-2 if e == "h" else imbalance for e in graph.edges}
    start = {e: torch.cat([scale * size[e] * w for scale in scales]) for e, w in drawn.items()}
    end = {e: w[0] for e, w in gating.train(graph, task, start, [until], eta).items()}
    codes = np.stack([end[f"in{i}"] @ x[0] for i in range(M)], axis=-2)  # (networks, domains, hidden)
    length = np.linalg.norm(codes, axis=-1)
    cosines = np.abs(codes @ codes.mT) / (length[..., None] * length[..., None, :])
    shared = np.linalg.norm(end["h"], 2, axis=(-2, -1)) / np.sqrt((length**2).mean(-1))
    known = trained_pairs(M, K)
    left = lambda pairs: (((products(end, pairs) @ x[0] - y[0]) ** 2).sum(-1) / (y[0] ** 2).sum()).mean(-1)  # noqa: E731
    found = left(untrained_pairs(M, K)), left(known), cosines[:, *np.triu_indices(M, 1)].mean(-1), shared
    return tuple(v.reshape(len(scales), networks) for v in found)


def learnt(known, within):
    """Refuse networks of which some have not learnt their trained pairs, so that untrained ones move by `within`.

    An output that is off by a part r of its target moves the error (1 -+ 1)^2 of a pair by no more than 4 r.
    """
    assert 4 * np.sqrt(np.max(known)) < within, f"trained pairs are off by {np.sqrt(np.max(known)):.2g}"


def over_signs(law):
    """The mean of a law of how many of M domains have one sign, over signs that are free."""
    return lambda M: float(binom.pmf(np.arange(M + 1), M, 0.5) @ law(k=np.arange(M + 1), M=M))


def test_free_signs():
    """With K = 1 the signs of the domains are free: the error E(k), of k of M alike, is 2 in the mean over signs."""
    M = 6
    # The sign of a pair is the product of two free signs: errors of 0 or 4, of variance 4.  Both orders of two domains
    # have one sign, so that there are M (M - 1)/2 signs, independent two by two.
    judge = Mean(detects=0.5, variance=8 / (M * (M - 1)))

    def run(n, seed):
        untrained, known, *_ = trained(M, 1, n, seed)
        learnt(known, within=judge.detects / 2)
        return untrained[0]

    rivals = {"independent directions": 1.0, "generalises at any K": 0.0}
    claim = "small random weights: a mean error of 2 on untrained pairs with K = 1 of 6"
    labels = dict(y="mean error on untrained pairs, of that at t = 0", about=SYSTEMATIC)
    confront(claim, sign_error, run, dict(M=M), judge, rivals, labels=labels, through=over_signs)


def nothing():
    """No error."""
    return 0.0


def test_fixed_signs():
    """With K = 4 of 6 the trained pairs fix all signs, and nothing is left of the error."""
    M, part = 6, lambda error: error / (1 + error)  # bounded, whatever the untrained pairs compute
    judge = Mean(detects=part(1.0), bounds=(0, 1))

    def run(n, seed):
        untrained, known, *_ = trained(M, 4, n, seed)
        learnt(known, within=judge.detects / 2)
        return part(untrained[0])

    rivals = {"independent directions": part(1.0), "signs stay free": part(2.0)}
    claim = "small random weights: no error on untrained pairs with K = 4 of 6"
    drawn = dict(y="E/(1 + E), E the error on untrained pairs", about=SYSTEMATIC)
    confront(claim, nothing, run, {}, judge, rivals, labels=drawn)


# -- against K ---------------------------------------------------------------------------------------


@cache
def errors(M, K, seed):
    """The errors of sixty networks on untrained pairs; at every K they start from the same draws."""
    untrained, known, *_ = trained(M, K, 60, seed, until=90.0)
    learnt(known, within=generalises(M))
    return untrained[0]


@pytest.mark.full
def test_generalisation_against_K():
    """The more pairs are trained the more networks generalise: with K = 1 as many as free signs agree by chance."""
    panel = []
    for M, levels in ((4, (1, 2, 3)), (6, (1, 2, 3, 4)), (8, (1, 2, 3, 4, 5))):
        counts = [int(np.sum(errors(M, K, 5) < generalises(M))) for K in levels]
        low, high = np.transpose([binomtest(count, 60).proportion_ci() for count in counts]).tolist()
        x, fraction = [K / M for K in levels], [count / 60 for count in counts]
        panel += [Series("rival", x, fraction, f"M = {M}")]
        panel += [Series("run", x, fraction, "of 60 networks, 95 % interval", low, high)]
    sizes = np.array([4, 6, 8])
    panel += [Series("law", (1 / sizes).tolist(), agreement(M=sizes).tolist(), "free signs agree, $2^{1-M}$")]

    levels = (1.0, 2.0, 4.0)
    error = {K: in_turn(lambda seed, K=K: errors(6, int(K), seed)) for K in levels}
    confront(
        "the more pairs are trained, the less is wrong on the others",
        -1.0,
        lambda K, seed: error[K](seed),
        {},
        Trend(levels),
        {"the other way": 1.0, "no trend": 0.0},
        labels=dict(x="K, of M = 6", y="error on untrained pairs", about=SYSTEMATIC),
        picture=Panel("K/M", "part of the networks that generalise", tuple(panel)),
    )


@pytest.mark.full
def test_agreement_by_chance():
    """From random weights the free signs of M domains agree with probability 2^(1-M), and the network generalises."""
    M = 3

    def run(n, seed):
        return (trained(M, 1, n, seed)[0][0] < generalises(M)).astype(float)

    rivals = {"one free sign in all": 0.5, "never": 0.0, "2^-M, up to a common sign": lambda M: 2.0**-M}
    claim = "with K = 1 as many networks generalise as free signs agree by chance"
    labels = dict(y="probability that a network generalises", about=SYSTEMATIC)
    confront(claim, agreement, run, dict(M=M), Mean(detects=0.12, bounds=(0, 1)), rivals, labels=labels)


# -- rich and lazy -------------------------------------------------------------------------------------

SCALES = (0.1, 0.15, 0.22, 0.33, 0.5, 0.75, 1.1)  # of the initial weights; at the last the network is lazy
M_LAZY, K_LAZY = 6, 3
OFF = (0.9, 0.9, 0.1)  # where each of the measures is off by a tenth


@cache
def batch(seed, networks=60):
    """Networks at every scale, the same draws at each: likeness of codes, relative size, error on untrained pairs."""
    untrained, known, alike, shared = trained(M_LAZY, K_LAZY, networks, seed, SCALES, until=40.0, eta=0.05)
    learnt(np.median(known, axis=-1), within=OFF[2])  # medians are judged
    return alike, shared / np.sqrt(M_LAZY), untrained


MEASURES = {"likeness of hidden codes": -1.0, "size of the shared weight": -1.0, "error on untrained pairs": 1.0}


@pytest.mark.full
@pytest.mark.parametrize("which", MEASURES)
def test_rich_and_lazy(which):
    """From larger weights routing generalises less, its domains share their codes less, and the shared weight less."""
    sign, values = MEASURES[which], in_turn(lambda seed: batch(seed)[list(MEASURES).index(which)].T)
    run = lambda scale, seed: values(seed)[SCALES.index(scale)]  # noqa: E731
    rivals = {"the other way": -sign, "no trend": 0.0}
    claim = f"rich to lazy: the {which} {'rises' if sign > 0 else 'falls'} with the initial weights"
    drawn = dict(x="size σ of the initial weights", y=which, about=DEPENDENCE)
    confront(claim, sign, run, {}, Trend(SCALES), rivals, labels=drawn)


def leaves(values, level):
    """The scale at which the medians over networks, shape (scales,), pass a level; linear in its logarithm."""
    passed = (values[1:] - level) * (values[:-1] - level) <= 0
    assert passed.any(), f"no median passes {level}: {values}"
    k = int(np.argmax(passed))
    part = (level - values[k]) / (values[k + 1] - values[k])
    return float(np.exp(np.log(SCALES[k]) + part * np.log(SCALES[k + 1] / SCALES[k])))


def regimes():
    """The medians of all measures against the scale of the weights, in units of that with which they end."""
    scales = np.array(SCALES) / routing_strength(s=5.0, d=1.0, M=M_LAZY, b0=0.0)
    series = []
    says = "median, quartiles of 60 networks"
    for name, values in zip(MEASURES, batch(5), strict=True):
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=1).tolist()
        series += [Series("rival", scales.tolist(), middle, name)]
        series += [Series("run", scales.tolist(), middle, says, low, high)]
        says = "_nolegend_"
    series += [Series("path", [scales[0], scales[-1]], [level] * 2, "off by a tenth") for level in (0.9, 0.1)]
    return Panel("initial weights, of those at the end", "part of the value at small weights", tuple(series))


@pytest.mark.full
def test_where_theory_stops():
    """The theory of small weights fails by a tenth first in the codes, then the shared weight, last the error."""

    def run(seed):
        medians = [np.median(values, axis=1) for values in batch(seed, 16)]
        scales = [leaves(*each) for each in zip(medians, OFF, strict=True)]
        return np.argsort(np.argsort(scales)) + 1.0

    confront(
        "rich to lazy: codes, shared weight and error leave the theory one after another",
        lambda measure: measure,
        run,
        dict(measure=np.arange(1, 4)),
        Equivalent(0.5, runs=20, miss=1e-3),  # half a place
        {
            "the shared weight before the codes": lambda measure: np.array([2, 1, 3]),
            "the error before the shared weight": lambda measure: np.array([1, 3, 2]),
            "the error first": lambda measure: np.array([2, 3, 1]),
            "all at one scale": lambda measure: np.full(3, 2),
        },
        labels=dict(measure="likeness of codes, shared weight, error", y="place in which it leaves the theory"),
        picture=regimes(),
    )


IMBALANCES = (0.5, 0.7, 1.0, 1.4, 2.0)  # of the domains' weights, at equal product with the shared one


def imbalanced(seed):
    """How alike the codes of sixty networks are from weights of size 1/2; shape (networks, imbalances)."""
    return np.transpose([trained(6, 4, 60, seed, (0.5,), until=40.0, imbalance=r)[2][0] for r in IMBALANCES])


@pytest.mark.full
def test_imbalance():
    """At equal product, domains share their codes the less the larger their own weights start."""
    alike = in_turn(imbalanced)
    confront(
        "at equal product, codes are shared less where the domains' weights start larger",
        -1.0,
        lambda imbalance, seed: alike(seed)[IMBALANCES.index(imbalance)],
        {},
        Trend(IMBALANCES),
        {"the other way": 1.0, "no trend": 0.0},
        labels=dict(x="initial weights of the domains, at equal product", y="likeness of hidden codes"),
    )
