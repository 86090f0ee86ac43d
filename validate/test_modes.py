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

SLIDE = "saxe-slides, Full networks act like several 1D chains"
lam = 0.6
pixels, classes = modes.pixels(lam), modes.classes(lam)
labels = dict(t="time t (τ = 1)", y="mode strength $a_k$", h="step η")


def at(task, times, a0, tau=1.0):
    """The arguments of a chain law for every mode of a task: shape (modes, times)."""
    return dict(t=times[None, :], s=task.s.numpy()[:, None], lam=lam, a0=a0, tau=tau)


def from_aligned(claim, law, task, depth, times, rivals):
    """Gradient descent on a full network from aligned weights of strength 0.01, every mode against its chain."""

    def run(eta, seed):
        return modes.train(task, modes.aligned(task, depth, 0.01, seed=seed), times, eta).T

    confront(claim, law, run, at(task, times, 0.01), Order(1, start=0.1), rivals, labels=labels)


def first_rate(law, task):
    """The rival for which every mode learns at the rate of the first."""
    return lambda s, **rest: law(s=float(task.s[0]), **rest) * s / float(task.s[0])


def printed(t, **rest):
    """The slide's exponent t/tau, right at lam = 1 alone."""
    return shallow(t=t / lam, **rest)


def test_shallow_pixels():
    """Every mode of a one-layer autoencoder of the digits follows the shallow chain."""
    times = np.array([0.8, 1.6, 3.2, 6.4, 9.6])
    rivals = {"as printed, e^(-t/tau)": printed, "two layers": two_layers}
    claim = "one layer learns every digit mode at one rate"
    from_aligned(claim, shallow, pixels, 1, times, rivals)


def test_two_layers_pixels():
    """Every mode of a two-layer autoencoder of the digits follows its own logistic."""
    times = np.array([1.6, 3.2, 4.0, 4.8, 6.4, 8.0, 9.6])
    rivals = {"one layer": shallow, "all at the first mode's rate": first_rate(two_layers, pixels)}
    claim = "two layers learn every digit mode as its own chain"
    from_aligned(claim, two_layers, pixels, 2, times, rivals)


def test_two_layers_classes():
    """The nearly degenerate modes of the digit classes follow their logistics too, all at once."""
    times = np.array([1.6, 4.8, 6.4, 8.0, 11.2, 16.0])
    rivals = {"one layer": shallow, "all at the first mode's rate": first_rate(two_layers, classes)}
    claim = "two layers learn the class modes as chains"
    from_aligned(claim, two_layers, classes, 2, times, rivals)


def test_printed_loss():
    """For the loss as printed, summed over P examples and without 1/2, the time constant is 1/(2 P)."""
    tau = 1 / (2 * pixels.examples)
    times = np.array([1.6, 3.2, 4.8, 6.4, 9.6])

    def run(eta, seed):
        weights = modes.aligned(pixels, 2, 0.01, seed=seed)
        return modes.printed_train(pixels, weights, times * tau, eta * tau).T

    rivals = {
        "tau = 1": lambda tau, **rest: two_layers(tau=1.0, **rest),
        "tau = 1/P": lambda tau, **rest: two_layers(tau=2 * tau, **rest),
        "tau = 1/2": lambda tau, **rest: two_layers(tau=0.5, **rest),
    }
    claim = "the printed loss has tau = 1/(2 P)"
    printed = {**labels, "t": "time t, in steps of gradient descent times η"}
    confront(claim, two_layers, run, at(pixels, times * tau, 0.01, tau), Order(1, start=0.1), rivals, labels=printed)


def test_shallow_random_pixels():
    """From small random weights one layer follows the shallow chain mode by mode, each from its own overlap."""
    times = np.array([0.8, 1.6, 3.2, 6.4, 9.6])
    weights = modes.random(pixels, 1, 0.02, seed=5)
    starts = modes.strengths(pixels, weights).numpy()[:, None]
    run = lambda eta, seed: modes.train(pixels, weights, times, eta).T  # noqa: E731
    rivals = {"started at 0": lambda a0, **rest: shallow(a0=0.0, **rest), "as printed, e^(-t/tau)": printed}
    claim = "one layer learns every digit mode from random weights"
    confront(claim, shallow, run, at(pixels, times, starts), Order(1, start=0.1), rivals, labels=labels)


few = 5  # the modes of the pixels that are well apart


def learnt_when_first_is_half(task, depth, a0):
    """What fraction of each weaker mode is learnt when the first one is half learnt; blind to any law."""

    def run(eta, seed):
        times = eta * np.arange(round(12 / eta) + 1)
        a = modes.train(task, modes.aligned(task, depth, a0, seed=seed), times, eta)[:, :few]
        target = (task.s[:few] / task.lam).numpy()
        k = int(np.argmax(a[:, 0] > target[0] / 2))
        between = (target[0] / 2 - a[k - 1, 0]) / (a[k, 0] - a[k - 1, 0])
        return (a[k - 1, 1:] + between * (a[k, 1:] - a[k - 1, 1:])) / target[1:]

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
        claim,
        in_stages,
        run,
        stages,
        Order(1, start=0.08),
        {"none, as with one layer": at_once},
        labels=stage_labels,
        of=two_layers,
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
        of=shallow,
    )


@cache
def from_small_random_weights(which, seed):
    """Half-times of modes under gradient flow from weights of size 1e-4, and the initial overlaps of each."""
    task, count, end = dict(pixels=(pixels, few, 28), classes=(classes, 9, 60))[which]
    weights = modes.random(task, 2, 1e-4, seed=seed)
    times = np.linspace(0, end, 561)
    a = modes.flow(task, weights, times, rtol=1e-7)[:, :count]  # far below the per cents that are claimed
    halves = (task.s[:count] / lam / 2).numpy()
    measured = np.array([crossing(times, mode, half) for mode, half in zip(a.T, halves, strict=True)])
    incoming, outgoing = weights[0] @ task.V[:, :count], weights[1].T @ task.U[:, :count]
    return measured, ((incoming + outgoing) ** 2).sum(0).numpy() / 4, (incoming * outgoing).sum(0).abs().numpy()


def random_start(claim, which, s, margin):
    """The half-time of every mode, seed by seed, relative to that of its chain started at |c + d|^2/4."""
    law = lambda a0: half_time_2(s=s, lam=lam, a0=a0, tau=1.0)  # noqa: E731
    judged = []

    def error(seed):
        judged.append(seed)
        measured, grows, _ = from_small_random_weights(which, seed)
        return measured / law(grows) - 1

    def if_product(mode):
        both = (from_small_random_weights(which, seed)[1:] for seed in judged)
        return np.median([law(product) / law(grows) - 1 for grows, product in both], axis=0)

    def chain_times(mode):
        """The law: no error in any mode."""
        return np.zeros(len(s))

    rivals = {"started at the product |c d|": if_product, "all at the first mode's rate": s / s[0] - 1}
    names = dict(mode=np.arange(1, len(s) + 1))
    drawn = dict(mode="mode k", y="relative error of the half-time", about=SLIDE)
    confront(claim, chain_times, error, names, Equivalent(margin, runs=40), rivals, labels=drawn, of=half_time_2)


def test_random_start_pixels():
    """From small random weights the first modes of the pixels pass their half-times within two per cent."""
    s = pixels.s[:few].numpy()
    random_start("small random weights follow the chains of the pixels", "pixels", s, margin=0.02)


def test_random_start_classes():
    """From small random weights the class modes, nearly degenerate, pass their half-times within five per cent."""
    s = classes.s.numpy()
    random_start("small random weights follow the chains of the classes", "classes", s, margin=0.05)
