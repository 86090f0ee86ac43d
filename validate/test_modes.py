"""Full linear networks on handwritten digits: "full networks act like several chains".

Whitened inputs of variance lam = 0.6 predict the pixels, whose modes are well apart, or the classes,
whose nine modes nearly coincide (strengths .30 to .19, before scaling by sqrt(lam)).
"""

from functools import cache

import numpy as np

from laws import Equivalent, Order, Roundoff, confront
from numerics import modes
from numerics.chain import crossing
from theory.chain import half_time_1, half_time_2, shallow, two_layers

lam = 0.6
pixels, classes = modes.pixels(lam), modes.classes(lam)
few = 5  # modes that are drawn and judged: the slowest of them is half as fast as the first
labels = dict(t="time t (τ = 1)", y="mode strength $a_k$", h="step η")


def at(task, times, a0, tau=1.0):
    """The arguments of a chain law for the first modes of a task: shape (modes, times)."""
    return dict(t=times[None, :], s=task.s[:few].numpy()[:, None], lam=lam, a0=a0, tau=tau)


def descent(task, depth, a0, times):
    """Gradient descent on a full network of this depth from aligned weights; shape (modes, times)."""
    return lambda eta, seed: modes.train(task, modes.aligned(task, depth, a0, seed=seed), times, eta)[:, :few].T


def first_rate(law, task):
    """The rival for which every mode learns at the rate of the first."""
    return lambda s, **rest: law(s=float(task.s[0]), **rest) * s / float(task.s[0])


def test_shallow_pixels():
    """Every mode of a one-layer autoencoder of the digits follows the shallow chain."""
    times = np.array([0.8, 1.6, 3.2, 6.4, 9.6])
    rivals = {"as printed, e^(-t/tau)": lambda t, **rest: shallow(t=t / lam, **rest), "two layers": two_layers}
    claim = "one layer learns every digit mode at one rate"
    confront(
        claim,
        shallow,
        descent(pixels, 1, 0.01, times),
        at(pixels, times, 0.01),
        Order(1, start=0.1),
        rivals,
        labels=labels,
    )


def test_two_layers_pixels():
    """Every mode of a two-layer autoencoder of the digits follows its own logistic."""
    times = np.array([1.6, 3.2, 4.0, 4.8, 6.4, 8.0, 9.6])
    rivals = {"one layer": shallow, "all at the first mode's rate": first_rate(two_layers, pixels)}
    claim = "two layers learn every digit mode as its own chain"
    confront(
        claim,
        two_layers,
        descent(pixels, 2, 0.01, times),
        at(pixels, times, 0.01),
        Order(1, start=0.1),
        rivals,
        labels=labels,
    )


def test_two_layers_classes():
    """The nearly degenerate modes of the digit classes follow their logistics too, all at once."""
    times = np.array([1.6, 4.8, 6.4, 8.0, 11.2, 16.0])
    rivals = {"one layer": shallow, "all at the first mode's rate": first_rate(two_layers, classes)}
    claim = "two layers learn the class modes as chains"
    confront(
        claim,
        two_layers,
        descent(classes, 2, 0.01, times),
        at(classes, times, 0.01),
        Order(1, start=0.1),
        rivals,
        labels=labels,
    )


def test_printed_loss():
    """For the loss as printed, summed over P examples and without 1/2, the time constant is 1/(2 P)."""
    tau = 1 / (2 * pixels.examples)
    times = np.array([1.6, 3.2, 4.8, 6.4, 9.6])

    def run(eta, seed):
        weights = modes.aligned(pixels, 2, 0.01, seed=seed)
        return modes.printed_train(pixels, weights, times * tau, eta * tau)[:, :few].T

    rivals = {
        "tau = 1/P": lambda tau, **rest: two_layers(tau=2 * tau, **rest),
        "tau = 1/2": lambda tau, **rest: two_layers(tau=0.5, **rest),
    }
    claim = "the printed loss has tau = 1/(2 P)"
    printed = {**labels, "t": "time t, in steps of gradient descent times η"}
    confront(claim, two_layers, run, at(pixels, times * tau, 0.01, tau), Order(1, start=0.1), rivals, labels=printed)


def learnt_when_first_is_half(task, depth, a0):
    """What fraction of each weaker mode is learnt when the first one is half learnt; blind to any law."""

    def run(eta, seed):
        times = eta * np.arange(round(12 / eta) + 1)
        a = modes.train(task, modes.aligned(task, depth, a0, seed=seed), times, eta)[:, :few]
        target = (task.s[:few] / task.lam).numpy()
        half = crossing(times, a[:, 0], target[0] / 2)
        return np.array([np.interp(half, times, mode) for mode in a[:, 1:].T]) / target[1:]

    return run


def fractions(law, half_time):
    """What a chain law says of that fraction."""

    def predict(s, first, lam, a0, tau):
        return law(t=half_time(s=first, lam=lam, a0=a0, tau=tau), s=s, lam=lam, a0=a0, tau=tau) * lam / s

    return predict


in_stages, at_once = fractions(two_layers, half_time_2), fractions(shallow, half_time_1)
stages = dict(s=pixels.s[1:few].numpy(), first=float(pixels.s[0]), lam=lam, a0=1e-3, tau=1.0)
stage_labels = dict(s="singular value $s_k$ of the mode", y="fraction learnt when mode 1 is half learnt", h="step η")


def test_deep_stages():
    """With two layers the strong modes are learnt while the weak ones still wait: stages."""
    claim = "depth brings stage-like transitions"
    run = learnt_when_first_is_half(pixels, 2, 1e-3)
    confront(
        claim, in_stages, run, stages, Order(1, start=0.08), {"none, as with one layer": at_once}, labels=stage_labels
    )


def test_shallow_has_no_stages():
    """With one layer all modes are learnt together: an identity even at a finite step, up to round-off."""
    claim = "one layer has no stages"
    learnt = learnt_when_first_is_half(pixels, 1, 1e-3)
    inner_products = 61 + sum(pixels.x.shape[1:] + pixels.y.shape[1:])  # over inputs, then over the rotated examples
    judge = Roundoff(operations=round(12 / 0.08) * inner_products)
    confront(
        claim,
        at_once,
        lambda seed: learnt(0.08, seed),
        stages,
        judge,
        {"stages, as with two layers": in_stages},
        labels=stage_labels,
    )


@cache
def from_small_random_weights(seed):
    """Half-times of the first modes under gradient flow, and the initial overlaps of each; scale 1e-4."""
    weights = modes.random(pixels, 2, 1e-4, seed=seed)
    times = np.linspace(0, 28, 561)
    a = modes.flow(pixels, weights, times, rtol=1e-7)[:, :few]
    target = (pixels.s[:few] / lam).numpy()
    measured = np.array([crossing(times, mode, half) for mode, half in zip(a.T, target / 2, strict=True)])
    incoming, outgoing = weights[0] @ pixels.V[:, :few], weights[1].T @ pixels.U[:, :few]
    return measured, ((incoming + outgoing) ** 2).sum(0).numpy() / 4, (incoming * outgoing).sum(0).abs().numpy()


def test_random_start():
    """From small random weights each mode passes half its strength when its chain says, started at |c + d|^2/4."""
    s = pixels.s[:few].numpy()
    law = lambda a0: half_time_2(s=s, lam=lam, a0=a0, tau=1.0)  # noqa: E731

    def error(seed):
        measured, grows, _ = from_small_random_weights(seed)
        return measured / law(grows) - 1

    def if_product(seed):
        _, grows, product = from_small_random_weights(seed)
        return law(product) / law(grows) - 1

    seeds = range(5)
    rivals = {
        "started at the product |c d|": np.median([if_product(k) for k in seeds], axis=0),
        "all at the first mode's rate": s / s[0] - 1,
    }
    claim = "small random weights follow the chains to a few per cent"
    names = dict(mode=np.arange(1, few + 1))
    confront(
        claim,
        0.0,
        error,
        names,
        Equivalent(margin=0.05, runs=20),
        rivals,
        labels=dict(mode="mode k", y="relative error of half-time"),
    )
