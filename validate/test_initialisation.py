"""How training time scales with depth: small weights, greedy pretraining, orthogonal weights.

In a chain each layer has one singular value.  Small weights b0 < 1 start the product at b0^D; greedy
pretraining brings every layer near 1 before the layers learn together; orthogonal layers are 1 from
the start.  The slides give the scalings O(1/(s b0^D)), O(D/b0^2) and O(1).  The first two stand trial as
rivals, with the constant that fits them to the smallest depth (and the largest b0).

Small random weights, of size b0 in every layer, are no chain: no closed form is known for their time.  But near
zero weights the loss falls by a form of degree D in them, so that its flow is unchanged if weights grow by a
factor k and times by k^(2 - D).  Each draw of weights, shrunk, therefore needs a time that goes as b0^(2 - D), with
a constant of its own: the power of the chain, which a further layer raises by one.
"""

from functools import cache

import numpy as np
import sympy as sp
import torch

from laws import Order, Roundoff, confront
from laws.flow import gradient_flow
from laws.judges.verdict import Panel, Series
from numerics import chain, modes
from numerics.descent import GradientDescent, sharpness, train
from theory.chain import learning_time, learning_time_2, settling_time

EFFECT = "saxe-slides, Effect of initialization"
SURFACE = "saxe-slides, Error surface"
s, lam, tau, to = 1.7, 0.6, 1.3, 0.9
depths = np.array([3, 4, 6, 8])
at = dict(depth=depths.astype(float))
labels = dict(depth="depth D", y="training time", h="step η", about=EFFECT)


def each(time):
    """A measured time for every depth."""
    return lambda eta, seed: tau * np.array([time(int(depth), eta / tau) for depth in depths])


def of_depth(depth, a0, af):
    """The learning time at every depth, from starts that depend on depth."""
    return learning_time(D=depth, a0=a0, af=af, s=s, lam=lam, tau=tau)


def fitted(scaling):
    """A scaling law with the constant that makes it right at the first depth (and start), given the true law."""
    return lambda law: lambda **at: law(**at).flat[0] * scaling(**at) / scaling(**at).flat[0]


def test_small_weights():
    """From equal weights 1/2 the time to half of s/lam grows exponentially with depth, but not as 1/(s b0^D)."""
    b0, af = 0.5, s / (2 * lam)
    run = each(lambda depth, eta: chain.passage_time(depth, s=s, lam=lam, a0=b0**depth, af=af, eta=eta))
    law = lambda depth: of_depth(depth, b0 ** np.asarray(depth, dtype=float), af)  # noqa: E731
    rivals = {
        "as printed, O(1/(s b0^D))": fitted(lambda depth: b0 ** -depth.astype(float))(law),
        "its leading term b0^(2-D)/((D-2) s)": lambda depth: tau * b0 ** (2.0 - depth) / ((depth - 2) * s),
        "one layer less": lambda depth: of_depth(depth - 1, b0 ** (depth - 1.0), af),
    }
    claim = "small equal weights: time grows exponentially with depth"
    confront(claim, law, run, at, Order(1, start=0.04), rivals, labels=labels, of=learning_time)


def test_small_random_weights():
    """From small random weights the time grows as b0^(2 - D) as they shrink, whatever was drawn, not as 1/b0^D."""
    digits, deep = modes.classes(lam), np.array([3, 4, 5])
    level = float(digits.s[-1]) ** 2 / (2 * lam)  # half of what the weakest of the classes' nine modes brings

    @cache
    def time(depth, b0, seed):
        return modes.escape_time(digits, modes.random(digits, depth, b0, hidden=6, seed=seed), level, rtol=1e-8)

    def run(h, seed):
        """The power of b0 between two sizes that bring errors of size h and h/2."""
        sizes = [[0.05 * power ** (1 / (depth - 2)) for power in (h, h / 2)] for depth in deep]
        times = [[time(int(depth), b0, seed) for b0 in pair] for depth, pair in zip(deep, sizes, strict=True)]
        return np.array([np.log(t[1] / t[0]) / np.log(b[0] / b[1]) for t, b in zip(times, sizes, strict=True)])

    rivals = {
        "as printed, O(1/(s b0^D))": lambda depth: 1.0 * depth,
        "one layer less": lambda depth: depth - 3.0,
        "an exponential of depth alone": lambda depth: 0.0 * depth,
    }
    # While the first mode grows from b0 to 1, an admixture of the second in the outer layers grows as its power
    # s_2/s_1, so that b0^(1 - s_2/s_1) of it is left; the time depends on its square:
    # time b0^(D - 2) = C + h (K + K' b0^(2 - 2 s_2/s_1) + ...) with h = b0^(D - 2).
    judge = Order(1, start=0.5, then=float(1 + 2 * (1 - digits.s[1] / digits.s[0]) / (deep[-1] - 2)))
    claim = "small random weights: with every layer the time grows by a factor of 1/b0"
    drawn = dict(
        depth="depth D", y="power p in time ~ $b_0^{-p}$", h="size of the weights, $(b_0/0.05)^{D-2}$", about=EFFECT
    )
    confront(claim, lambda depth: depth - 2.0, run, dict(depth=deep), judge, rivals, labels=drawn)


def test_pretraining():
    """Greedy pretraining takes ln(1/b0), not 1/b0^2, and more than D first stages, since each dims the next."""
    b0s, few = np.array([[0.3], [0.03]]), np.array([3, 5, 8])

    def run(eta, seed):
        task = dict(s=s, lam=lam, to=to, eta=eta / tau)
        return tau * np.array([[chain.pretrained_passage_time(int(D), b0=b, **task) for D in few] for (b,) in b0s])

    def stage(b0):
        return learning_time_2(a0=b0**2, af=to, s=lam, lam=lam, tau=tau)

    def tuning(depth):
        return of_depth(depth, to ** (depth / 2), to * s / lam)

    def law(depth, b0):
        return stage(b0) * (to**-depth - 1) / (1 / to - 1) + tuning(depth)

    rivals = {
        "as printed, O(D/b0^2)": fitted(lambda depth, b0: depth / b0**2)(law),
        "D equal stages": lambda depth, b0: depth * stage(b0) + tuning(depth),
        "no fine-tuning": lambda depth, b0: law(depth, b0) - tuning(depth),
    }
    claim = "greedy pretraining: time grows as ln(1/b0), and with depth as the signal fades"
    drawn = {**labels, "y": "training time from b0 = 0.03 (above) and 0.3 (below)"}
    at = dict(depth=few.astype(float), b0=b0s)
    confront(claim, law, run, at, Order(1, start=0.32), rivals, labels=drawn, of=learning_time_2)


def test_orthogonal():
    """Full networks with orthogonal layers, aligned with the digits, need 1/D of a time that stays bounded."""
    digits, mode = modes.pixels(lam), 4
    goal = float(1 + to * (digits.s[mode] / lam - 1))  # nine tenths of the way down from 1 to s/lam

    def time(depth, eta):
        until = eta / depth * np.arange(round(6 / eta))
        a = modes.train(digits, modes.aligned(digits, depth, 1.0), until, eta / depth)[:, mode]
        return depth * chain.crossing(until, -a, -goal)

    run = lambda eta, seed: np.array([time(int(depth), eta) for depth in depths])  # noqa: E731
    law = lambda depth: depth * settling_time(D=depth, a0=1.0, af=goal, s=float(digits.s[mode]), lam=lam, tau=1.0)  # noqa: E731
    rivals = {
        "growing with depth": lambda depth: law(3) * depth / 3,
        "one layer less": lambda depth: law(depth - 1),
    }
    claim = "orthogonal weights: rescaled time stays bounded as depth grows"
    drawn = {**labels, "y": "depth D × training time of mode 5"}
    confront(claim, law, run, at, Order(1, start=0.16), rivals, labels=drawn, of=settling_time)


def loss(weights):
    """The error of two layers on the error surface."""
    return (s - lam * weights[0].prod()) ** 2 / (2 * lam)


def surface():
    """The error surface of two layers, with gradient descent from both sides of its saddle."""
    w = np.linspace(-2.6, 2.6, 105)
    height = (s - lam * np.outer(w, w)) ** 2 / (2 * lam)
    series = [Series("surface", w.tolist(), w.tolist(), "error", height.tolist())]
    for start in ((-0.9, 1.0), (1.9, -1.7), (-1.0, 0.9), (0.05, 0.3)):
        weights = torch.tensor(start, dtype=torch.float64)
        path = train(loss, [weights], 0.05 * np.arange(120), GradientDescent(0.05))
        series.append(Series("path", path[:, 0].tolist(), path[:, 1].tolist(), "gradient descent"))
    for branch in (w[w < -0.9], w[w > 0.9]):
        label = "minima, w1 w2 = s/lam" if branch[0] > 0 else "_nolegend_"
        series.append(Series("law", branch.tolist(), (s / lam / branch).tolist(), label))
    series.append(Series("run", [0.0], [0.0], "saddle"))
    return Panel("weight $w_1$", "weight $w_2$", tuple(series))


def curvatures(at):
    """The Hessian's eigenvalues at a stationary point, from the linearised gradient flow."""
    c, d = sp.symbols("c d", real=True)
    here = dict(zip((c, d), map(sp.nsimplify, at), strict=True))
    exact = {"s": sp.Rational(17, 10), "lam": sp.Rational(3, 5)}
    flow = gradient_flow((exact["s"] - exact["lam"] * c * d) ** 2 / (2 * exact["lam"]), (c, d))
    return sorted(-float(value) for value in flow.linearise(here).eigenvals())


def test_saddle():
    """Depth brings a saddle at zero weights, with curvatures -s and s; at the minima no curvature is negative."""
    points = [(0, 0), ("17/12", 2), ("-17/12", -2)]

    def run(seed):
        where = [torch.tensor([float(sp.Rational(v)) for v in p], dtype=torch.float64) for p in points]
        hessian = torch.func.jacrev(torch.func.grad(lambda w: loss([w])))
        return np.concatenate([torch.linalg.eigvalsh(hessian(w)).numpy() for w in where])

    def law(direction):
        return np.concatenate([curvatures(point) for point in points])

    rivals = {
        "no saddle, as with one layer": lambda direction: np.full(6, lam),
        "curvatures -s/2 and s/2": lambda direction: law(direction) / 2,
    }
    claim = "two layers have a saddle where one has none"
    places = [f"{point}\n{k}" for point in ("saddle", "minimum +", "minimum −") for k in (1, 2)]
    drawn = dict(direction="stationary point, and its eigenvector", y="curvature", about=SURFACE, names=places)
    at = dict(direction=np.arange(1, 7))
    confront(claim, law, run, at, Roundoff(operations=200), rivals, labels=drawn, picture=surface())
    assert sharpness(lambda weights: (s - lam * weights[0]).sum() ** 2 / (2 * lam), [torch.zeros(1)]) > 0
