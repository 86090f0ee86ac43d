"""Diagonal linear networks from small weights: inputs enter one after the other, when the law says.

Their starts are not random.  Two inputs' data are drawn from the seed, with exactly the moments that the law knows;
patients, and the input that sleeps again, are the same for every seed.
"""

from functools import cache

import numpy as np
import pytest

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import diagonal
from theory.diagonal import first_jump, mirror, path, second_jump

labels = dict(jump="number of the jump", y="time of the jump over ln(1/α)", h="1/ln(1/α), α the initial weight")
SPACING = 0.04  # of records, in the network's own time


def times_of_jumps(data, until):
    """A run on data(seed): times of the jumps in units of ln(1/alpha), where h = 1/ln(1/alpha)."""

    @cache
    def run(h, seed):
        times = np.arange(0, until / h, SPACING)
        x, y = data(seed)
        beta, _ = diagonal.flow(x, y, np.exp(-1 / h), times, rtol=1e-9)
        return h * diagonal.jumps(times, beta, diagonal.losses(x, y, beta))

    return run


def test_first_and_second_jump():
    """Of two correlated inputs the stronger enters first and leaves the other what it cannot explain (α → 0)."""
    at = dict(c1=1.7, c2=0.9, C11=1.3, C12=0.4)

    def drawn(seed):
        return diagonal.drawn(10, [[1.3, 0.4], [0.4, 0.8]], [1.7, 0.9], seed=seed)

    run = times_of_jumps(drawn, 3.0)
    judge = Order(1, start=0.12)
    first = {"at threshold 1/2": lambda c1: 1 / (2 * c1), "as if of unit variance": lambda c1: 1.3 / c1}
    claim = "the strongest input enters first, after 1/c"
    confront(claim, first_jump, lambda h, s: run(h, s)[0], dict(c1=1.7), judge, first, labels=labels)
    second = {
        "as if uncorrelated": lambda c1, c2, C11, C12: 1 / c2,
        "from nothing": lambda c1, c2, C11, C12: 1 / c1 + 1 / (c2 - C12 * c1 / C11),
    }
    claim = "a correlated input waits for what the first leaves it"
    stairs = staircase(*drawn(0), 3.0)
    confront(claim, second_jump, lambda h, s: run(h, s)[1], at, judge, second, labels=labels, picture=stairs)


def staircase(x, y, until):
    """The loss against time over ln(1/alpha), at two sizes of alpha, over the stairs of the law."""
    C, c = x.T @ x / len(x), x.T @ y / len(x)
    jumps, saddles = path(C, c)
    seen = jumps[jumps < until]
    edges = np.repeat([0.0, *seen, until], 2)[1:-1]
    stairs = np.repeat(diagonal.losses(x, y, saddles[: len(seen) + 1]), 2)
    series = [Series("law", edges.tolist(), stairs.tolist(), "law, α → 0")]
    for role, alpha in (("path", 1e-3), ("run", 1e-20)):
        log = np.log(1 / alpha)
        times = np.linspace(0, until * log, 120)
        beta, _ = diagonal.flow(x, y, alpha, times)
        T, L = times / log, diagonal.losses(x, y, beta)
        series.append(Series(role, T.tolist(), L.tolist(), f"trained, α = {alpha:g}"))
    return Panel("time over ln(1/α)", "loss", tuple(series))


def sleeper():
    """Three inputs of which the second that enters falls back to 0 when the third does."""
    C = np.array([[1.0, -0.36, 0.37], [-0.36, 1.0, 0.42], [0.37, 0.42, 1.0]])
    return diagonal.drawn(10, C, [0.79, -1.37, -0.03], seed=1)


@pytest.mark.parametrize(
    ("name", "data", "until", "start"),
    [
        ("patients with diabetes", diagonal.diabetes, 6.0, 0.06),
        ("one input sleeps again", sleeper, 4.0, 0.14),
    ],
    ids=["diabetes", "sleeper"],
)
def test_path(name, data, until, start):
    """On real patients, and where an input leaves again, every jump comes at its time, as 1/ln(1/alpha)."""
    x, y = data()
    C, c = x.T @ x / len(x), x.T @ y / len(x)

    def law(jump, C=C, threshold=1.0):
        return path(C, c, threshold=threshold)[0][: len(jump)]

    rivals = {
        "at threshold 1/2": lambda jump: law(jump, threshold=0.5),
        "as if uncorrelated": lambda jump: np.sort(1 / np.abs(c))[: len(jump)],
    }
    at = dict(jump=np.arange(1, 1 + np.sum(path(C, c)[0] < until)))
    claim = f"from saddle to saddle: {name}"
    run, judge = times_of_jumps(lambda seed: (x, y), until), Order(1, start=start)
    confront(claim, law, run, at, judge, rivals, labels=labels, picture=staircase(x, y, until), of=path)


def test_pulls():
    """Between jumps the pull on every input grows uniformly, and stays at the threshold while it is awake."""
    x, y = sleeper()
    C, c = x.T @ x / len(x), x.T @ y / len(x)

    def run(h, seed):
        beta, _ = diagonal.flow(x, y, np.exp(-1 / h), at["T"] / h, rtol=1e-9)
        return (h / 2 * np.arcsinh(2 * beta / np.exp(-2 / h))).T

    def law(T, follow=lambda C, beta: C @ beta):
        jumps, saddles = path(C, c)
        edges = np.concatenate([[0.0], jumps, [np.inf]])
        spent = np.clip(np.asarray(T)[:, None] - edges[:-1], 0, np.diff(edges))
        return (spent @ [c - follow(C, beta) for beta in saddles]).T

    alone = {"as if uncorrelated": lambda T: law(T, lambda C, beta: beta)}
    at = dict(T=np.array([0.4, 0.9, 1.4, 1.9, 2.5, 3.1, 3.6]))
    drawn = dict(T="time over ln(1/α)", y="pull over ln(1/α)", h="1/ln(1/α), α the initial weight")
    claim = "the pulls grow uniformly between jumps"
    confront(claim, law, run, at, Order(1, start=0.1), alone, labels=drawn, of=path)


def test_mirror():
    """A network's beta is the hyperbolic sine of the pull that it has felt, all through training."""
    x, y = sleeper()
    alpha, ends = 1e-3, np.array([2.0, 8.0, 14.0, 20.0])
    node, weight = np.polynomial.legendre.leggauss(200)

    def pull(end):
        _, gradient = diagonal.flow(x, y, alpha, end * (1 + node) / 2, rtol=1e-13)
        return -(end / 2) * weight @ gradient

    felt = np.array([pull(end) for end in ends])

    def run(rtol, seed):
        return diagonal.flow(x, y, alpha, ends, rtol=rtol)[0]

    rivals = {
        "an exponential": lambda h, alpha: alpha**2 / 4 * np.exp(2 * h),
        "unit slope": lambda h, alpha: alpha**2 * h,
    }
    dense = np.linspace(felt.min(), felt.max(), 200)
    law = Series("law", dense.tolist(), mirror(h=dense, alpha=alpha).tolist(), "law")
    dots = Series("run", felt.ravel().tolist(), run(1e-10, 0).ravel().tolist(), "trained network")
    curve = Panel("pull h felt by an input", "β of the input", (law, dots))
    confront(
        "beta mirrors the pull",
        mirror,
        run,
        dict(h=felt, alpha=alpha),
        Solver(1e-9),
        rivals,
        labels=dict(y="β of an input"),
        picture=curve,
    )
