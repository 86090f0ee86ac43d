"""What exact fits by linear recurrent networks share, and what they leave to chance: Kalman's theory, seed by seed."""

from functools import cache

import numpy as np

from laws import Count, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import linear_rnn
from theory.recurrent import loose_eigenvalue, pinned

A = np.array([[0.8, 0.3, 0.0], [-0.2, 0.7, 0.1], [0.0, 0.4, -0.5]])  # a task of degree 3
B, C = np.array([[1.0], [0.3], [-0.7]]), np.array([[0.4, -1.1, 0.6]])
target = linear_rnn.markov(B, A, C, 24)
SEEDS = 20
SOLVER = Solver(1e-4)  # fits to its square: two decades apart the last steps of two fits can be the same, four not


@cache
def fitted(states, count, tolerance, first=0):
    """Twenty networks of so many units that fit so many Markov parameters of the task, from this seed on."""
    seeds = range(first, first + SEEDS)
    return [linear_rnn.fit(target[:count], states, seed=seed, tolerance=tolerance) for seed in seeds]


def spectra(networks):
    """Eigenvalues of the recurrences, shape (seeds, states), complex."""
    return np.array([np.linalg.eigvals(Wh) for _, Wh, _ in networks])


def nearest(eigenvalues, wanted):
    """For each wanted number, the eigenvalue of each network nearest to it; real and imaginary parts, in a row."""
    gaps = np.abs(eigenvalues[:, None, :] - wanted[None, :, None])
    found = np.take_along_axis(eigenvalues, gaps.argmin(2), 1)
    return np.concatenate([found.real, np.abs(found.imag)], 1)


def against_seeds(states, count):
    """Real parts of all eigenvalues, network by network, and those that are pinned."""
    seen, kept = spectra(fitted(states, count, 1e-12)), pinned(target, states, count).eigenvalues.real
    seeds = list(range(1, SEEDS + 1))
    levels = sorted(set(kept))
    lines = [Series("law", seeds, [float(x)] * SEEDS, "" if i else "pinned") for i, x in enumerate(levels)]
    told = f"networks of {states} units, {count} parameters fitted"
    dots = Series("run", seeds, np.sort(seen.real, 1).T.tolist(), told)
    return Panel("network (its seed)", "real parts of the eigenvalues", (*lines, dots))


def as_row(eigenvalues):
    """Real parts and magnitudes of imaginary parts, as `nearest` gives them, for every seed."""
    return np.tile(np.concatenate([eigenvalues.real, np.abs(eigenvalues.imag)]), (SEEDS, 1))


def eigenvalues_are_pinned(claim, states, count):
    """The eigenvalues of the task are found in every network, to the error of its training."""
    wanted = pinned(target, states, count).eigenvalues
    run = lambda rtol, seed: nearest(spectra(fitted(states, count, rtol**2, seed)), wanted)  # noqa: E731
    loose = nearest(spectra(fitted(states, count - 1, 1e-12)), wanted)
    rivals = {"already with one parameter less": lambda: loose}
    picture = against_seeds(states, count)
    drawn = dict(y="eigenvalue, real part or size of imaginary part")
    confront(claim, lambda: as_row(wanted), run, {}, SOLVER, rivals, labels=drawn, picture=picture, of=pinned)


def test_minimal_fits_share_their_eigenvalues():
    """Three units that fit 2 n = 6 parameters of a task of degree 3 have its eigenvalues; at 2 n - 1 not."""
    eigenvalues_are_pinned("minimal fits of 2 n parameters share all eigenvalues", 3, 6)


def test_larger_fits_share_those_of_the_task():
    """Five units that fit k + n = 8 parameters have the three eigenvalues of the task; at 7 they have not."""
    eigenvalues_are_pinned("fits of k + n parameters share the eigenvalues of the task", 5, 8)


def shared(states, count, first):
    """How many eigenvalues networks share: those before the widest gap in their spreads, on a logarithmic scale."""
    seen = spectra(fitted(states, count, 1e-12, first))
    spread = np.sort([np.abs(seen - x).min(1).max() for x in seen[0]])
    return 1 + int(np.argmax(np.diff(np.log(spread))))


def test_free_eigenvalues():
    """Of four, five and six units that fit k + n parameters, three eigenvalues are shared and the rest is free."""
    sizes = np.array([4, 5, 6])
    run = lambda seed: np.array([shared(int(n), 3 + int(n), seed) for n in sizes], dtype=float)  # noqa: E731
    law = lambda n: np.array([pinned(target, int(k), 3 + int(k)).degree for k in n], dtype=float)  # noqa: E731
    rivals = {"all are shared": lambda n: n + 0.0, "half of them": lambda n: n / 2}
    drawn = dict(n="units n", y="eigenvalues that all networks share")
    claim = "a larger network leaves n - k eigenvalues to chance"
    picture = against_seeds(5, 8)
    confront(claim, law, run, dict(n=sizes), Count(), rivals, labels=drawn, picture=picture, of=pinned)


def longer(networks):
    """Outputs to an impulse at three times the length."""
    return np.array([linear_rnn.markov(*network, len(target))[:, 0, 0] for network in networks])


def test_behaviour_is_pinned():
    """Fits of k + n parameters agree with the task at any later time; fits of one less go their own ways."""
    run = lambda rtol, seed: longer(fitted(5, 8, rtol**2, seed))  # noqa: E731
    loose = longer(fitted(5, 7, 1e-12))
    law = lambda k: np.tile(target[:, 0, 0], (SEEDS, 1))  # noqa: E731
    at = dict(k=np.arange(1.0, 25))
    drawn = dict(k="time after an impulse", y="output")
    name = "fits of k + n - 1 parameters"
    rivals = {name: lambda k: loose}
    claim = "fits of k + n parameters behave alike at all later times"
    early = at["k"][:12].tolist()  # later on some of them grow without bound
    of_few, of_enough = loose[:8, :12].tolist(), longer(fitted(5, 8, 1e-12))[:8, :12].tolist()
    picture = Panel(drawn["k"], drawn["y"], (
        Series("rival", early, of_few, name),
        Series("law", early, target[:12, 0, 0].tolist(), "task"),
        Series("run", early, of_enough, "8 fits of k + n = 8 parameters")))  # fmt: skip
    confront(claim, law, run, at, SOLVER, rivals, labels=drawn, picture=picture, of=pinned)


def test_weights_stay_free():
    """Minimal fits that share all eigenvalues and outputs do not share their weights: these differ by coordinates."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]  # A has entries 0; turned, it has none

    def in_view(H, W):
        return np.concatenate([(turn @ H @ turn.T).ravel(), (W @ turn.T).ravel()])

    def run(rtol, seed):
        found = fitted(3, 6, rtol**2, seed)
        aligned = []
        for Wx, Wh, Wy in found:  # the change of coordinates between a network and the task, from what both reach
            reach = [np.hstack([M, H @ M, H @ H @ M]) for M, H in ((Wx, Wh), (B, A))]
            G = reach[1] @ np.linalg.inv(reach[0])
            aligned.append(in_view(G @ Wh @ np.linalg.inv(G), Wy @ np.linalg.inv(G)))
        return np.array(aligned)

    own = np.array([in_view(Wh, Wy) for _, Wh, Wy in fitted(3, 6, 1e-12)])
    law = lambda: np.tile(in_view(A, C), (SEEDS, 1))  # noqa: E731
    rivals = {"they are the same as they stand": lambda: own}
    claim = "minimal fits differ by a change of coordinates alone"
    drawn = dict(y="entry of the weights, in the task's coordinates")
    confront(claim, law, run, {}, SOLVER, rivals, labels=drawn, of=pinned)


def test_loose_eigenvalue():
    """Two units that fit 2 n - 1 = 3 parameters have eigenvalues on a curve; a fourth parameter picks a point of it."""
    h = np.array([1.3, 0.5, 0.7])  # h1 h3 > h2^2: both eigenvalues are real

    @cache
    def pairs(tolerance):
        found = [linear_rnn.fit(h[:, None, None], 2, seed=seed, tolerance=tolerance) for seed in range(30)]
        return np.sort(spectra(found).real, 1)

    mu = pairs(1e-14)[:, 1]
    run = lambda rtol, seed: pairs(rtol)[:, 0]  # noqa: E731
    at = dict(h1=np.full(30, h[0]), h2=np.full(30, h[1]), h3=np.full(30, h[2]), mu=mu)
    rivals = {
        "their mean is pinned": lambda h1, h2, h3, mu: 2 * h2 / h1 - mu,
        "both are pinned": lambda h1, h2, h3, mu: np.full(np.shape(mu), pairs(1e-14)[0, 0]),
    }
    dense = np.linspace(mu.min(), mu.max(), 100)
    curve = Series("law", dense.tolist(), loose_eigenvalue(mu=dense, h1=h[0], h2=h[1], h3=h[2]).tolist(), "law")
    dots = Series("run", mu.tolist(), pairs(1e-14)[:, 0].tolist(), "30 trained networks")
    picture = Panel("larger eigenvalue μ", "smaller eigenvalue ν", (curve, dots))
    claim = "fits of 2 n - 1 parameters leave a curve of eigenvalues"
    judge, drawn = Solver(rtol=1e-7), dict(mu="larger eigenvalue μ", y="smaller eigenvalue ν")
    confront(claim, loose_eigenvalue, run, at, judge, rivals, labels=drawn, picture=picture)
