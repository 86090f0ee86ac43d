"""One linear neuron with unequal layers: silent alignment, the lazy and the delayed regime, and its kernel.

Its laws know lengths and an angle; the direction across the target is drawn from the seed where one network is run,
and fixed where the kernel is followed over many imbalances.
"""

from functools import cache

import numpy as np

from laws import Order, Solver, confront
from laws.judges.verdict import Panel, Series
from numerics import landscape, unbalanced
from theory.unbalanced import early_alignment, kernel_similarity, kernel_size, lazy, stalled, turning

s, lam, rates, theta0 = 1.7, 0.6, (0.7, 1.6), 0.9
eta = dict(eta_a=rates[0], eta_w=rates[1])
task = landscape.task([s], lam, inputs=4, outputs=1)
sizes = dict(h="1/|δ|, δ = η_w a² − η_a |w|²", T="time T")  # of the second layer a and the first w


def layers(delta, r0):
    """Lengths of the layers with this imbalance and product."""
    size = kernel_size(delta=delta, r=r0, **eta)
    return np.sqrt((size + delta) / (2 * rates[1])), np.sqrt((size - delta) / (2 * rates[0]))


def neuron(delta, r0, times, rtol=1e-12, seed=0):
    """A run from layers with this imbalance, at the angle theta0: second layer, first layer."""
    a, w = layers(delta, r0)
    first = unbalanced.start(task, along=w * np.cos(theta0), across=w * np.sin(theta0), seed=seed)
    return unbalanced.flow(task, a, first, times, rates=rates, rtol=rtol)


def test_early_alignment():
    """Small unequal layers a, w align with the target, before any loss is seen, as their linearised flow says."""
    start, times = dict(a=0.3, w_par=-0.2, w_perp=0.9), np.array([0.2, 0.6, 1.0, 1.6])

    def run(size, seed):
        w = unbalanced.start(task, along=size * start["w_par"], across=size * start["w_perp"], seed=seed)
        _, first = unbalanced.flow(task, size * start["a"], w, times, rates=rates)
        return 1 / np.tan(unbalanced.angle(task, first))

    rivals = {
        "as if the layers were equal": lambda a, w_par, w_perp, **rest: early_alignment(
            a=np.hypot(w_par, w_perp), w_par=w_par, w_perp=w_perp, **rest
        ),
        "rates exchanged": lambda eta_a, eta_w, **rest: early_alignment(eta_a=eta_w, eta_w=eta_a, **rest),
    }
    labels = dict(t="time t", y="cot θ of the first layer", h="size of the weights")
    claim = "unequal layers align silently"
    at = dict(t=times, s=s, **start, **eta)
    confront(claim, early_alignment, run, at, Order(2, start=0.1), rivals, labels=labels, picture=silence(start))


def silence(start, size=1e-2):
    """The angle and the loss of one run: the first has turned before the second falls."""
    times = np.linspace(0, 6, 121)
    w = unbalanced.start(task, along=size * start["w_par"], across=size * start["w_perp"])
    a, first = unbalanced.flow(task, size * start["a"], w, times, rates=rates)
    cosine = np.cos(unbalanced.angle(task, first))
    beta = a * np.linalg.norm(first, axis=1)
    missed = 1 - 2 * lam * beta * cosine / s + (lam * beta / s) ** 2
    cot = early_alignment(t=times, s=s, **start, **eta)
    law = Series("law", times.tolist(), (cot / np.hypot(1, cot)).tolist(), "cos θ, law")
    runs = Series("run", times[::3].tolist(), cosine[::3].tolist(), "cos θ, trained neuron")
    fall = Series("path", times.tolist(), missed.tolist(), "its loss over the first")
    return Panel("time t", "cos θ; loss", (law, fall, runs))


def test_lazy():
    """With a large second layer β = a w goes to its target at one exponential rate, up to the square of 1/δ."""
    T, r0 = np.array([0.5, 1.5, 3.0, 5.0]), 0.4

    def run(inverse, seed):
        a, first = neuron(1 / inverse, r0, T * inverse, seed=seed)
        return a * first @ unbalanced.target(task)

    at = dict(T=T, s=s, lam=lam, r0=r0 * np.cos(theta0))
    rivals = {
        "stalled along its direction": lambda r0, **rest: (
            np.cos(theta0) * stalled(r0=r0 / np.cos(theta0), theta0=theta0, **rest)
        )
    }
    labels = {**sizes, "y": "β along the target", "T": "time T = δ t"}
    confront("a large second layer is lazy", lazy, run, at, Order(2, start=0.2), rivals, labels=labels)


def test_stalled():
    """With a large first layer w, β = a w stops where its direction ends, up to the square of 1/δ."""
    T, r0 = np.array([0.5, 1.5, 3.0, 5.0]), 0.4

    def run(inverse, seed):
        a, first = neuron(-1 / inverse, r0, T * inverse, seed=seed)
        return a * np.linalg.norm(first, axis=1)

    at = dict(T=T, s=s, lam=lam, r0=r0, theta0=theta0)
    rivals = {"straight to the target": lambda theta0, **rest: lazy(**rest)}
    labels = {**sizes, "y": "length of β", "T": "time T = |δ| t"}
    confront("a large first layer stalls", stalled, run, at, Order(2, start=0.1), rivals, labels=labels)


def test_turning():
    """A large first layer stalls, and turns to the target in times of order |delta|: the delayed rich regime."""
    T = np.array([0.02, 0.1, 0.3, 0.6])

    def run(inverse, seed):
        _, first = neuron(-1 / inverse, 0.4, T / inverse, rtol=1e-10, seed=seed)
        return np.tan(unbalanced.angle(task, first))

    at = dict(T=T, s=s, lam=lam, theta0=theta0, **eta)
    rivals = {
        "never": lambda T, theta0, **rest: np.tan(theta0) + 0 * T,
        "twice as fast": lambda T, **rest: turning(T=2 * T, **rest),
    }
    labels = {**sizes, "y": "tan θ of the first layer", "T": "time T = t/|δ|"}
    confront("a large first layer turns late", turning, run, at, Order(2, start=0.2), rivals, labels=labels)


imbalances = np.array([-4.0, -1.5, -0.3, 0.2, 1.2, 3.0, 6.0])


@cache
def learnt(rtol):
    """The layers before and after learning, at every imbalance."""
    return [neuron(delta, 0.05, [0.0, 18.0 * (1 + abs(delta))], rtol) for delta in imbalances]


def test_kernel_size():
    """When β = a w is learnt, of length r, the kernel's size κ = η_w a² + η_a |w|² is as imbalance and task require."""

    def run(rtol, seed):
        return np.array([rates[1] * a[1] ** 2 + rates[0] * first[1] @ first[1] for a, first in learnt(rtol)])

    rivals = {
        "balanced": lambda delta, **rest: kernel_size(delta=0 * delta, **rest),
        "|delta| + 2 r": lambda delta, eta_a, eta_w, r: np.abs(delta) + 2 * np.sqrt(eta_a * eta_w) * r,
    }
    at = dict(delta=imbalances, r=s / lam, **eta)
    labels = dict(delta="imbalance δ = η_w a² − η_a |w|²", y="size of the kernel κ")
    confront("imbalance and task set the kernel's size", kernel_size, run, at, Solver(), rivals, labels=labels)


def test_kernel_similarity():
    """The tangent kernel keeps its shape if the second layer is the larger, δ > 0; else it moves by half."""

    def run(rtol, seed):
        cosines = []
        for a, first in learnt(rtol):
            before, after = (unbalanced.kernel(task, *one, rates=rates) for one in zip(a, first, strict=True))
            cosines.append(np.sum(before * after) / np.linalg.norm(before) / np.linalg.norm(after))
        return np.array(cosines)

    def law(delta):
        a, w = layers(delta, 0.05)
        return kernel_similarity(a=a, w=w, theta0=theta0, s=s, lam=lam, inputs=4, **eta)

    rivals = {"either layer": lambda delta: law(np.abs(delta)), "always lazy": lambda delta: 1 + 0 * delta}
    labels = dict(
        delta="imbalance δ = η_w a² − η_a |w|²: first layer large | second layer a large",
        y="similarity of the kernels, before and after",
    )
    claim = "only a large second layer keeps its kernel"
    confront(claim, law, run, dict(delta=imbalances), Solver(), rivals, labels=labels, of=kernel_similarity)
