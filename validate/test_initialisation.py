"""How training time scales with depth: small random weights, greedy pretraining, orthogonal weights.

In a chain each layer has one singular value.  Small weights b0 < 1 start the product at b0^D; greedy
pretraining brings every layer near 1 before the layers learn together; orthogonal layers are 1 from
the start.  The slides' scalings, O(1/(s b0^D)), O(D/b0^2) and O(1), stand trial as rivals.
"""

import numpy as np
import sympy as sp
import torch

from laws import Order, Roundoff, confront
from laws.flow import gradient_flow
from laws.judges.verdict import Panel, Series
from numerics import chain
from numerics.descent import GradientDescent, sharpness, train
from theory.chain import learning_time, learning_time_2

s, lam, tau, to = 1.7, 0.6, 1.3, 0.9
depths = np.array([3, 4, 6, 8])
at = dict(depth=depths)
labels = dict(depth="depth D", y="training time", h="step η")


def each(time):
    """A measured time for every depth."""
    return lambda eta, seed: tau * np.array([time(int(depth), eta / tau) for depth in depths])


def of_depth(depth, a0, af):
    """The learning time at every depth, from starts that depend on depth."""
    return learning_time(D=depth, a0=a0, af=af, s=s, lam=lam, tau=tau)


def test_small_weights():
    """From weights 1/2 the time to half of s/lam grows exponentially with depth, but not as 1/(s b0^D)."""
    b0, af = 0.5, s / (2 * lam)
    run = each(lambda depth, eta: chain.passage_time(depth, s=s, lam=lam, a0=b0**depth, af=af, eta=eta))
    rivals = {
        "as printed, 1/(s b0^D)": lambda depth: tau / (s * b0**depth),
        "b0^(2-D)/((D-2) s), its leading term": lambda depth: tau * b0 ** (2.0 - depth) / ((depth - 2) * s),
        "one layer's depth less": lambda depth: of_depth(depth - 1, b0 ** (depth - 1.0), af),
    }
    law = lambda depth: of_depth(depth, b0 ** np.asarray(depth, dtype=float), af)  # noqa: E731
    claim = "small weights: time grows exponentially with depth"
    confront(claim, law, run, at, Order(1, start=0.04), rivals, labels=labels)


def test_pretraining():
    """After greedy pretraining the time grows linearly with depth, and only as ln(1/b0), not as 1/b0^2."""
    b0 = 0.1
    run = each(lambda depth, eta: chain.pretrained_passage_time(depth, s=s, lam=lam, b0=b0, to=to, eta=eta))

    def law(depth, start=b0):
        stage = learning_time_2(a0=start**2, af=to, s=lam, lam=lam, tau=tau)
        return depth * stage + of_depth(depth, to ** (np.asarray(depth) / 2), to * s / lam)

    rivals = {
        "as printed, D/b0^2": lambda depth: depth * tau / b0**2,
        "no fine-tuning": lambda depth: depth * learning_time_2(a0=b0**2, af=to, s=lam, lam=lam, tau=tau),
        "half the start": lambda depth: law(depth, b0 / 2),
    }
    claim = "greedy pretraining: time grows linearly with depth"
    confront(claim, law, run, at, Order(1, start=0.04), rivals, labels=labels)


def test_orthogonal():
    """From orthogonal weights the time, in units of t/D, does not grow with depth."""
    run = each(lambda depth, eta: depth * chain.passage_time(depth, s=s, lam=lam, a0=1.0, af=to * s / lam, eta=eta))
    law = lambda depth: depth * of_depth(depth, 1.0, to * s / lam)  # noqa: E731
    rivals = {
        "growing with depth": lambda depth: law(3) * depth / 3,
        "as from small weights": lambda depth: depth * of_depth(depth, 0.9 ** np.asarray(depth), to * s / lam),
    }
    claim = "orthogonal weights: rescaled time does not grow with depth"
    confront(claim, law, run, at, Order(1, start=0.02), rivals, labels=labels)


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

    def law(**at):
        return np.concatenate([curvatures(point) for point in points])

    rivals = {"no saddle, as with one layer": np.full(6, lam), "curvatures -s/2 and s/2": lambda **at: law() / 2}
    claim = "two layers have a saddle where one has none"
    confront(claim, law, run, {}, Roundoff(operations=200), rivals, picture=surface())
    assert sharpness(lambda weights: (s - lam * weights[0]).sum() ** 2 / (2 * lam), [torch.zeros(1)]) > 0
