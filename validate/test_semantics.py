"""Structured worlds: their covariances have the stated spectra, and deep networks learn them level by level."""

import numpy as np
import pytest
from scipy.optimize import brentq

from laws import Mean, Order, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import chain, modes, semantics
from numerics.chain import crossing
from numerics.descent import GradientDescent, GradientFlow
from theory.chain import two_layers
from theory.semantics import (
    expected_start,
    grid,
    latest_start,
    level_time,
    mode_strength,
    nested,
    partition_between,
    partition_common,
    partition_within,
    path,
    ring,
    torus,
    tree_common,
    tree_critical,
    tree_level,
    ultrametric,
)

level_labels = dict(k="level k, from broad to narrow", y="eigenvalue Λ")
time_labels = dict(Lambda="eigenvalue Λ of the level", y="half-time (τ = 1)", h="step η")


def spectrum(covariance):
    """Its eigenvalues, largest first, and by how much rounding may move each, relative to itself."""
    values = np.linalg.eigvalsh(covariance)[::-1]
    return values, values[0] / values


def by_rounding(claim, law, at, covariance, which, rivals, labels=level_labels, of=None):
    """A law, or what follows `of` one, against the eigenvalues of a covariance with the numbers in `which`."""
    values, condition = spectrum(covariance)
    judge = Roundoff(operations=len(values), condition=condition[which])
    run = lambda seed: spectrum(covariance)[0][which]  # noqa: E731
    confront(claim, law, run, at, judge, rivals, labels=labels, of=of)


def tree_of(branching, depth, flip):
    """The covariance of a tree's leaves, and the number of one eigenvalue in the middle of each level."""
    ends = np.cumsum(ultrametric((branching,) * depth, np.full(depth, 0.5))[1])
    middle = np.concatenate([[0], (ends[:-1] + ends[1:]) // 2])
    return semantics.diffusion_covariance(branching, depth, flip), middle


@pytest.mark.parametrize(("branching", "depth", "flip"), [(3, 4, 0.2), (2, 7, 0.05)])
def test_tree(branching, depth, flip):
    """The leaves of a branching diffusion have one eigenvalue for each level of the tree."""
    covariance, middle = tree_of(branching, depth, flip)
    at = dict(k=np.arange(1, depth + 1), B=branching, D=depth, eps=flip)
    rivals = {
        "similarity 1 - 2 eps": lambda eps, **rest: tree_level(eps=(1 - np.sqrt(1 - 2 * eps)) / 2, **rest),
        "one level deeper": lambda k, D, **rest: tree_level(k=k, D=D + 1, **rest),
    }
    by_rounding(
        f"a tree of {branching}^{depth} leaves has a spectrum by level", tree_level, at, covariance, middle[1:], rivals
    )


def test_tree_common():
    """What all leaves of a tree share is its largest eigenvalue."""
    covariance, _ = tree_of(3, 4, 0.2)
    rivals = {"as the next level": lambda B, D, eps: tree_level(k=1, B=B, D=D, eps=eps)}
    by_rounding("all leaves of a tree share most", tree_common, dict(B=3, D=4, eps=0.2), covariance, [0], rivals)


def test_tree_critical():
    """Where B (1 - 2 eps)^2 = 1 the eigenvalues fall linearly from level to level."""
    covariance, middle = tree_of(4, 4, 0.25)
    at = dict(k=np.arange(1, 5), B=4, D=4)
    rivals = {"at flips of 0.2": lambda k, B, D: tree_level(k=k, B=B, D=D, eps=0.2)}
    by_rounding("at the critical flip rate the spectrum is linear", tree_critical, at, covariance, middle[1:], rivals)


def test_partition():
    """A partition has three eigenvalues: of all, between clusters, within clusters."""
    mixing = semantics.categories((3, 4), (0.15, 0.6))
    covariance, at = mixing @ mixing.T, dict(m=4, p=0.15, q=0.6)
    flat = {"clusters ignored": lambda m, p, q, **rest: 1 - p}
    by_rounding("all items of a partition share", partition_common, dict(C=3, **at), covariance, [0], flat)
    by_rounding("clusters of a partition differ", partition_between, at, covariance, [1, 2], flat)
    within = {"clusters ignored": lambda q: 1 - 0.15}
    by_rounding(
        "items within a cluster differ by one eigenvalue", partition_within, dict(q=0.6), covariance, [3, 11], within
    )


def test_nested():
    """Categories nested in three levels: the broadest distinction, and the whole spectrum of any hierarchy."""
    branching, similarity = (2, 3, 4), (0.1, 0.3, 0.7)
    mixing = semantics.categories(branching, similarity)
    at = dict(B2=3, B3=4, q0=0.1, q1=0.3, q2=0.7)
    two = {"as in two levels": lambda B2, B3, q0, q1, q2: partition_between(m=B3 * B2, p=q0, q=q2)}
    by_rounding("nested categories differ most broadly", nested, at, mixing @ mixing.T, [1], two)
    counts = ultrametric(branching, similarity)[1]

    def law(q0, q1, q2, branching=branching):
        return np.repeat(ultrametric(branching, (q0, q1, q2))[0], counts)

    wrong = {"branchings in reverse": lambda **q: law(**q, branching=(4, 3, 2))}
    at = dict(q0=0.1, q1=0.3, q2=0.7)
    claim = "any hierarchy has the ultrametric spectrum"
    by_rounding(claim, law, at, mixing @ mixing.T, slice(None), wrong, of=ultrametric)


@pytest.mark.parametrize(("law", "periodic"), [(ring, True), (path, False)], ids=["ring", "path"])
def test_line(law, periodic):
    """The eigenvectors of rings and open paths are waves, with the stated eigenvalues."""
    P, sigma = 15, 2.3
    mixing = semantics.smooth((P,), sigma, periodic=periodic)
    k = (np.arange(P) + 1) // 2 if periodic else np.arange(P)
    rivals = {"the other boundary": lambda k, P, sigma: (path if periodic else ring)(k=k, P=P, sigma=sigma)}
    rivals |= {"one site more": lambda k, P, sigma: law(k=k, P=P + 1, sigma=sigma)}
    labels = dict(k="wave number k", y="eigenvalue Λ")
    claim = f"an item on a {law.name} has waves for distinctions"
    by_rounding(claim, law, dict(k=k, P=P, sigma=sigma), mixing @ mixing.T, slice(None), rivals, labels)


@pytest.mark.parametrize(("law", "periodic"), [(torus, True), (grid, False)], ids=["torus", "grid"])
def test_plane(law, periodic):
    """On tori and grids the waves of two directions combine: their stiffnesses add."""
    lengths, sigma = (7, 5), 2.3
    mixing = semantics.smooth(lengths, sigma, periodic=periodic)
    k1, k2 = (k.ravel() for k in np.meshgrid(np.arange(7), np.arange(5), indexing="ij"))
    at = dict(P1=7, P2=5, sigma=sigma)
    order = np.argsort(-law(k1=k1, k2=k2, **at), kind="stable")
    rivals = {"the other boundary": lambda **at: (grid if periodic else torus)(**at)}
    rivals |= {"lengths exchanged": lambda k1, k2, P1, P2, sigma: law(k1=k1 % P2, k2=k2, P1=P2, P2=P1, sigma=sigma)}
    claim = f"on a {law.name} the waves of two directions combine"
    at, labels = dict(k1=k1[order], k2=k2[order], **at), dict(y="eigenvalue Λ")
    by_rounding(claim, law, at, mixing @ mixing.T, slice(None), rivals, labels)


def test_sampled_tree():
    """Features that really pass down a tree and flip have the spectrum of the law on average, level by level."""
    projections = semantics.branches((2,) * 3)[1:]

    def run(n, seed):
        return semantics.spectrum_by_level(semantics.diffusion(2, 3, 0.1, n, seed=seed), projections)

    at = dict(k=np.arange(1, 4), B=2, D=3, eps=0.1)
    largest = 8.0  # of the mean square of eight values of +-1 along one direction
    rivals = {"similarity 1 - 2 eps": lambda eps, **rest: tree_level(eps=(1 - np.sqrt(1 - 2 * eps)) / 2, **rest)}
    judge = Mean(detects=0.1, bounds=(0.0, largest), points=3)
    confront("sampled trees have the spectrum on average", tree_level, run, at, judge, rivals, labels=level_labels)


SAMPLED = {
    "rings": (ring, semantics.smooth((12,), 1.5, periodic=True), dict(k=np.arange(3), P=12)),
    "paths": (path, semantics.smooth((7,), 1.5, periodic=False), dict(k=np.arange(3), P=7)),
    "tori": (torus, semantics.smooth((4, 3), 1.5, periodic=True), dict(k1=np.eye(3)[1], k2=np.eye(3)[2], P1=4, P2=3)),
    "grids": (grid, semantics.smooth((4, 3), 1.5, periodic=False), dict(k1=np.eye(3)[1], k2=np.eye(3)[2], P1=4, P2=3)),
}


@pytest.mark.parametrize("world", SAMPLED)
def test_sampled_lattice(world):
    """Features drawn smooth along a lattice have its spectrum on average, degenerate waves taken together."""
    law, mixing, waves = SAMPLED[world]
    projections = eigenspaces(mixing)[0][:3]

    def run(n, seed):
        return semantics.spectrum_by_level(semantics.features(mixing, n, seed=seed), projections)

    rivals = {"sigma, not its square": lambda sigma, **rest: law(sigma=np.sqrt(sigma), **rest)}
    judge = Mean(detects=0.15, variance=2 * np.linalg.norm(mixing, 2) ** 4, points=3)  # of a squared normal variable
    drawn = {"y": "eigenvalue Λ", "k": "wave number k", "k1": "wave number along the longer side"}
    claim = f"sampled {world} have the spectrum on average"
    confront(claim, law, run, dict(sigma=1.5, **waves), judge, rivals, labels=drawn)


# -- learning -------------------------------------------------------------------------------------

N, start = 400, 1e-3
worlds = {
    "tree": np.linalg.cholesky(semantics.diffusion_covariance(2, 4, 0.05)),
    "partition": semantics.categories((3, 4), (0.15, 0.6)),
    "ring": semantics.smooth((12,), 1.5, periodic=True),
    "path": semantics.smooth((7,), 1.5, periodic=False),
    "torus": semantics.smooth((4, 3), 1.5, periodic=True),
    "grid": semantics.smooth((4, 3), 1.5, periodic=False),
}


def eigenspaces(mixing):
    """Projections on the eigenspaces of a world's covariance, and the eigenvalues, largest first."""
    values, vectors = np.linalg.eigh(mixing @ mixing.T)
    edges = np.flatnonzero(np.diff(values) > 1e-9 * values[-1]) + 1
    spaces = np.split(vectors, edges, axis=1)[::-1]
    return np.array([v @ v.T for v in spaces]), np.array([g[0] for g in np.split(values, edges)])[::-1]


def half_times(answers, features, projections, times):
    """When half of each level's distinctions are made."""
    return np.array([crossing(times, level, 0.5) for level in semantics.learnt(answers, features, projections).T])


def one_layer(N, P, Lambda, a0, tau):
    """The rival: one layer learns all levels at once, from nothing."""
    return P * tau * np.log(2) + 0 * Lambda


def of_broadest(N, P, Lambda, a0, tau):
    """The rival: all levels at the time of the broadest."""
    return level_time(N=N, P=P, Lambda=np.max(Lambda), a0=a0, tau=tau) + 0 * Lambda


def test_strengths():
    """The singular values that a network of one-hot items sees are those of the law."""
    covariance, middle = tree_of(2, 4, 0.05)
    features = semantics.endless_features(np.linalg.cholesky(covariance), N)
    values = np.linalg.eigvalsh(covariance)[::-1][middle]
    run = lambda seed: semantics.items(features).s.numpy()[middle]  # noqa: E731
    rivals = {"per item, not per pair": lambda N, P, Lambda: np.sqrt(N * Lambda / P)}
    judge = Roundoff(operations=4 * 16, condition=(values[0] / values) ** 0.5)
    labels = dict(Lambda="eigenvalue Λ", y="singular value s")
    at = dict(N=N, P=16, Lambda=values)
    confront("similarity sets the strength of a mode", mode_strength, run, at, judge, rivals, labels=labels)


@pytest.mark.parametrize("world", worlds)
def test_endless_features(world):
    """Two layers, started along the modes, make each distinction by half when the law says, as the step shrinks."""
    mixing = worlds[world]
    projections, values = eigenspaces(mixing)
    features = semantics.endless_features(mixing, N)
    task = semantics.items(features)
    at = dict(N=N, P=task.examples, Lambda=values, a0=start, tau=1.0)
    until = 1.3 * level_time(**at).max()

    def run(eta, seed):
        times = eta * np.arange(round(until / eta) + 1)
        weights = modes.aligned(task, 2, start, hidden=20, seed=seed)
        return half_times(semantics.answers(task, weights, times, GradientDescent(eta)), features, projections, times)

    rivals = {"one layer": one_layer, "all levels at once": of_broadest}
    claim = f"two layers learn a {world} from broad to narrow"
    judge = Order(1, start=0.04)
    confront(claim, level_time, run, at, judge, rivals, labels=time_labels, picture=progress(world))


def progress(world):
    """Fractions learnt against time, in one network from small random weights: the law over the simulation."""
    mixing = worlds[world]
    projections, values = eigenspaces(mixing)
    task = semantics.items(semantics.endless_features(mixing, N))
    a0 = expected_start(n=32, sigma=1e-3)
    s = mode_strength(N=N, P=task.examples, Lambda=values[:, None])
    times = np.linspace(0, 1.5 * level_time(N=N, P=task.examples, Lambda=values[-1], a0=a0, tau=1.0), 200)
    weights = modes.random(task, 2, 1e-3, hidden=32, seed=1)
    answers = semantics.answers(task, weights, times, GradientFlow(1e-8, 1e-12))
    seen = semantics.learnt(answers, task.y.numpy(), projections).T
    said = two_layers(t=times, s=s, lam=1 / task.examples, a0=a0, tau=1.0) / (s * task.examples)
    few, at, shown = slice(0, 6), slice(None, None, 8), min(6, len(values))
    return Panel(
        "time t (τ = 1)",
        "fraction learnt of each level",
        (
            Series(
                "law", times.tolist(), said[few].tolist(), f"law from the mean start, levels 1 to {shown} from the left"
            ),
            Series("run", times[at].tolist(), seen[few, at].tolist(), "small random weights (not judged here)"),
        ),
    )


def test_expected_start():
    """Small random weights start every mode, on average, at half of n sigma^2."""
    task = semantics.items(semantics.endless_features(worlds["partition"], N))
    hidden, sigma = 30, 0.3

    def run(n, seed):
        count = -(-n // len(task.s))
        drawn = np.random.default_rng(seed).integers(2**31, size=count)
        return np.concatenate([of_modes(modes.random(task, 2, sigma, hidden=hidden, seed=int(i))) for i in drawn])

    def of_modes(weights):
        return ((weights[0] @ task.V + weights[1].T @ task.U) ** 2).sum(0).numpy() / 4

    rivals = {"only one of the layers": lambda n, sigma: n * sigma**2 / 4}
    spread = hidden * sigma**4 / 2  # the variance of a quarter of a sum of squares
    judge = Mean(detects=0.08, variance=spread)
    at, labels = dict(n=hidden, sigma=sigma), dict(y="strength $a_0$ of a mode at the start")
    confront("random weights start at half of n sigma^2", expected_start, run, at, judge, rivals, labels=labels)


def test_latest_start():
    """Beyond a start of s/(4.59 lam) the weaker of two modes is halfway first, and below it the stronger."""
    s, lam = 1.7, 0.6

    def run(apart, seed):
        def lead(a0):
            late, soon = (
                chain.flow_passage_time(2, s=strength, lam=lam, a0=a0, af=strength / (2 * lam), rtol=1e-10)
                for strength in (s * (1 - apart), s * (1 + apart))
            )
            return late - soon

        return brentq(lead, 0.12 * s / lam, 0.3 * s / lam, xtol=1e-9)

    rivals = {"never, below half of s/lam": lambda s, lam: s / (2 * lam), "s/(4 lam)": lambda s, lam: s / (4 * lam)}
    labels = dict(h="half of the relative distance of two strengths", y="start of equal half-times")
    claim = "the broad is first only from small weights"
    confront(claim, latest_start, run, dict(s=s, lam=lam), Order(2, start=0.24), rivals, labels=labels)
