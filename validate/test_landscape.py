"""The saddles of real linear networks: their losses, their curvatures, their ways down, and who visits them."""

from functools import cache
from itertools import combinations

import numpy as np
import torch

from laws import Count, Distribution, Equivalent, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import landscape, modes
from theory.chain import half_time_2
from theory.landscape import (
    closest_approach,
    critical_loss,
    escape_curvature,
    exchange_curvature,
    leading_index,
    morse_index,
    plateau_loss,
    waiting_time,
)

HIERARCHY = "saxe-slides, Depth introduces a hierarchy of saddle points"
VARIABILITY = "saxe-slides, Individual variability amidst structure"
s, lam, hidden = np.array([1.7, 0.9, 0.4]), 0.6, 4
task = landscape.task(s, lam, inputs=5, outputs=4)
NUMBERS = dict(subset=np.arange(8))
NAMES = dict(subset="set of learnt modes", names=["none", "1", "2", "3", "1, 2", "1, 3", "2, 3", "1, 2, 3"])
subsets = [learnt for r in range(4) for learnt in combinations(range(3), r)]


def at_saddle(measure, depth, learnt, units=hidden):
    """Something measured of a real network with these modes learnt."""
    return measure(task, landscape.critical_point(task, depth, learnt, hidden=units, seed=1))


def loss(task, weights):
    """The loss as a number."""
    return float(landscape.loss(task)(weights))


def test_plateau_loss():
    """Each mode that is not learnt costs s^2/(2 lam)."""
    others = [[j for j in range(3) if j != k] for k in range(3)]

    def run(seed):
        return np.array([at_saddle(loss, 2, learnt) for learnt in others])

    judge = Roundoff(operations=8 * task.x.numel() * task.y.shape[1])
    rivals = {"s^2/2": lambda s, lam: s**2 / 2, "s/lam": lambda s, lam: s / lam}
    labels = dict(s="strength $s_k$ of the unlearnt mode", y="loss")
    claim = "an unlearnt mode costs half of its squared strength over lam"
    confront(claim, plateau_loss, run, dict(s=s, lam=lam), judge, rivals, labels=labels)


def test_critical_losses():
    """Every subset of learnt modes is a critical set, with the sum of what the others cost."""
    operations = 8 * task.x.numel() * task.y.shape[1]
    for depth in (2, 3):  # a gradient of 0, but for the rounding of terms like s times the other layers
        slopes = [float(at_saddle(landscape.slope, depth, learnt)) for learnt in subsets]
        assert max(slopes) <= operations * np.finfo(float).eps * s[0] * (s[0] / lam) ** (1 - 1 / depth)

    def run(seed):
        return np.array([[1 + at_saddle(loss, depth, learnt) for learnt in subsets] for depth in (2, 3)])

    def law(subset, weigh=1):
        return np.array([1 + critical_loss(s**weigh, lam**weigh, learnt) for learnt in subsets])

    judge = Roundoff(operations)
    rivals = {"strengths unsquared": lambda subset: law(subset, 0.5)}
    labels = {**NAMES, "y": "1 + loss, so that a loss of 0 has digits"}
    confront(
        "every set of learnt modes has its plateau", law, run, NUMBERS, judge, rivals, labels=labels, of=critical_loss
    )


def test_escape_curvature():
    """With two layers the loss curves by -s_k where an unused hidden unit turns towards mode k: it falls."""
    judge = Roundoff(operations=len(at_saddle(landscape.curvatures, 2, ())), condition=s[0] / s)

    def run(seed):
        return at_saddle(landscape.curvatures, 2, (), 1)[:3]

    rivals = {"-s/lam": lambda s: -s / lam, "-s^2": lambda s: -(s**2)}
    labels = dict(s="strength $s_k$ of the mode", y="curvature", about=HIERARCHY)
    claim = "from an unused unit the loss falls with curvature -s"
    confront(claim, escape_curvature, run, dict(s=s), judge, rivals, labels=labels)


def test_exchange_curvature():
    """A unit that has learnt the weaker mode falls towards the stronger, with the stated curvature at any depth."""
    depths = np.array([2, 3, 4, 5])
    operations = 4 * at_saddle(landscape.curvatures, 5, (2,), 1).size

    def run(seed):
        return np.array([at_saddle(landscape.curvatures, int(depth), (2,), 1)[:2] for depth in depths]).T

    at = dict(s_j=s[2], s_k=s[:2, None], lam=lam, D=depths)
    rivals = {
        "as with two layers": lambda D, **rest: exchange_curvature(D=2, **rest) + 0 * D,
        "an exponent of 2 - 2/D": lambda D, s_j, lam, **rest: (
            exchange_curvature(D=D, s_j=s_j, lam=lam, **rest) * s_j / lam
        ),
    }
    labels = dict(D="depth D", y="curvature", about=HIERARCHY)
    judge = Roundoff(operations=operations, condition=10.0)  # the largest curvature over the smallest of these
    confront("a used unit falls towards a stronger mode", exchange_curvature, run, at, judge, rivals, labels=labels)


def test_index():
    """How many ways down a saddle has: all subsets of modes, in networks of two, three and four layers."""
    depths = (2, 3, 4)

    def run(seed):
        return np.array([[at_saddle(landscape.falling, d, learnt) for learnt in subsets] for d in depths])

    def law(subset, depths=depths):
        return np.array([[morse_index(s, learnt, hidden=hidden, depth=d) for learnt in subsets] for d in depths])

    def free_only(subset):
        return np.array([[(hidden - len(learnt)) * (3 - len(learnt)) for learnt in subsets]] * 3)

    rivals = {
        "free units at any depth, no exchanges": free_only,
        "as at depth two": lambda subset: law(subset, (2,) * 3),
    }
    labels = {**NAMES, "y": "directions in which the loss falls", "about": HIERARCHY}
    confront("the ways down are counted", law, run, NUMBERS, Count(), rivals, labels=labels, of=morse_index)


# -- runs -----------------------------------------------------------------------------------------


@cache
def visit(seed, scale=1e-5, points=240):
    """A run of gradient flow from small random weights: times, losses, slopes, and where it is slow on its way."""
    until = 1.15 * half_time_2(s=s[-1], lam=lam, a0=hidden * scale**2 / 2, tau=1.0)
    times, start = np.linspace(0, until, points), modes.random(task, 2, scale, hidden=hidden, seed=seed)
    losses, slopes, weights = landscape.way(task, start, times, rtol=1e-7)
    slow = [i for i in landscape.slow_points(slopes) if losses[i] < 0.9 * losses[0]]
    return times, losses, [[w[i] for w in weights] for i in (0, *slow)], slow


def test_visited_saddles():
    """From every seed a run slows down twice, in the median within 0.01 of the losses of the strongest modes' saddles.

    It misses a saddle by as little as its weights are small, so that its loss there is not quite the saddle's.
    """

    def run(seed):
        _, losses, _, slow = visit(seed)
        return losses[slow]  # a run with another number of them is no run of this claim: an error

    def law(order):
        return np.array([critical_loss(s, lam, tuple(np.argsort(-order * s)[:r])) for r in (1, 2)])

    second_first = np.array([critical_loss(s, lam, (1,)), law(1)[1]])
    rivals = {"weak modes first": lambda order: law(-1), "mode 2 first": lambda order: second_first}
    labels = dict(y="loss where a run slows down")
    claim = "runs visit the saddles of the strongest modes, within 0.01 of their losses"
    confront(
        claim,
        law,
        run,
        dict(order=1),
        Equivalent(0.01, runs=20),
        rivals,
        labels=labels,
        picture=plateaus(),
        of=plateau_loss,
    )


def plateaus():
    """Losses of several seeds against time, over the heights of the saddles."""
    times, *_ = visit(0)
    heights = [critical_loss(s, lam, tuple(range(r))) for r in range(3)]
    flat = Series("law", times.tolist(), [[h] * len(times) for h in heights], "saddles of the strongest modes")
    rest = [critical_loss(s, lam, learnt) for learnt in ((1,), (2,), (0, 2), (1, 2))]
    other = Series("rival", times.tolist(), [[h] * len(times) for h in rest], "all other saddles")
    runs = [Series("run", times[::3].tolist(), visit(i)[1][::3].tolist(), "" if i else "5 seeds") for i in range(5)]
    return Panel("time t (τ = 1)", "loss", (flat, other, *runs))


def test_index_on_the_way():
    """A run starts where n m directions fall and passes saddles with (n - 1)(m - 1) and (n - 2)(m - 2)."""

    def run(seed):
        return np.array([landscape.falling(task, weights, above=s[-1] / 2) for weights in visit(seed)[2]])

    at = dict(n=hidden, m=3, r=np.array([0, 1, 2]))
    rivals = {"one way down at each": np.ones(3), "as in a chain for each mode": lambda n, m, r: m - r}
    labels = dict(r="learnt modes r", y="directions in which the loss falls", about=HIERARCHY)
    claim = "the ways down run out mode by mode"
    confront(claim, leading_index, run, at, Count(), rivals, labels=labels)


def first_slow(losses, slopes):
    """The length of the gradient at the first slow point after the start."""
    return next(slopes[i] for i in landscape.slow_points(slopes) if losses[i] < 0.9 * losses[0])


def test_closest_approach():
    """The smaller the weights, the closer a run comes to the saddle between two modes: a power of their strengths."""
    strengths = np.array([1.7, 0.7])
    pair = landscape.task(strengths, lam, inputs=3, outputs=3)
    scales = np.geomspace(1e-5, 1e-7, 3)

    until = half_time_2(s=strengths[1], lam=lam, a0=hidden * scales[-1] ** 2 / 2, tau=1.0)

    def nearest(seed):
        one = modes.random(pair, 2, 1.0, hidden=hidden, seed=seed)
        weights = [torch.stack([scale * w for scale in scales]) for w in one]
        losses, slopes, _ = landscape.way(pair, weights, np.linspace(until / 4, until, 200), rtol=1e-7)
        return np.array([first_slow(*each) for each in zip(losses.T, slopes.T, strict=True)])

    def run(seed):
        return np.polyfit(np.log(scales**2), np.log(nearest(seed)), 1)[0]

    def picture():
        x, seen = scales**2, [nearest(seed) for seed in range(3)]
        middle = np.exp(np.mean(np.log(seen))) * (x / np.exp(np.mean(np.log(x)))) ** closest_approach(**at)
        runs = [Series("run", x.tolist(), y.tolist(), "" if i else "3 seeds") for i, y in enumerate(seen)]
        law = Series("law", x.tolist(), middle.tolist(), "slope of the law")
        return Panel("variance of the weights", "shortest gradient by the saddle", (law, *runs), "xy")

    rivals = {"as the weights": 0.5, "as their product": 1.0, "not at all": 0.0}
    at = dict(s1=strengths[0], s2=strengths[1])
    judge = Equivalent(0.003, runs=20)
    labels = dict(y="exponent p of the shortest gradient", about=HIERARCHY)
    claim = "small weights pass saddles closely, with an exponent within 0.003 of the law's"
    confront(claim, closest_approach, run, at, judge, rivals, labels=labels, picture=picture())


def test_individual_variability():
    """When a mode is learnt differs from seed to seed as a chi-square start says."""
    task, tau = dict(s=1.7, lam=3.1, sigma=1e-3), 1.3

    def run(count, seed):
        times = np.linspace(0, 9, 121)
        return tau * landscape.half_times(count, **task, hidden=7, times=times, seed=seed)

    rivals = {
        "one hidden unit": lambda n, **rest: waiting_time(n=1, **rest),
        "the starts of one layer": lambda sigma, **rest: waiting_time(sigma=sigma / np.sqrt(2), **rest),
        "no variability": lambda t, s, lam, sigma, n, tau: (
            1.0 * (t > half_time_2(s=s, lam=lam, a0=n * sigma**2 / 2, tau=tau))
        ),
    }
    claim = "learning times vary as starts that are chi-square distributed make them"
    at = dict(**task, n=7, tau=tau, t=5.0)
    labels = dict(t="half-time t (τ = 1.3)", y="share of networks that have learnt the mode", about=VARIABILITY)
    confront(claim, waiting_time, run, at, Distribution("t", detects=0.05), rivals, labels=labels)
