"""Balance itself: what a finite step of descent does to it, and how balanced networks are at random.

Trained torch networks and random weights against `theory.balanced`.  The laws of a step take the path of one run as
their argument, which is therefore the same for every seed; random weights are drawn from it.
"""

import numpy as np
import pytest
import torch

from laws import Mean, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics import balanced as nets
from numerics.descent import SGD
from theory.balanced import balance_step, diagonal_variance, mean_balance, offdiagonal_variance

CONSERVED = "conserved, as under gradient flow"
rows = lambda w: torch.cat([v.reshape(-1) for v in w])  # noqa: E731


# -- under steps of finite size ------------------------------------------------------------------------


def one_mode(steps=200, eta=0.05):
    """The weights c, d of one mode at every step of SGD, and the error e = -(dL/dc)/d of the batch drawn there."""
    on, start = nets.data([[1.7]], seed=3), [torch.tensor([[0.3]]), torch.tensor([[-0.9]])]
    errors = []

    def loss(weights, x, y):
        value = nets.loss(weights, x, y)
        errors.append((x * (y - x * weights[0] * weights[1])).mean().item())
        return value

    weights = nets.descend(loss, start, eta * np.arange(steps + 1), SGD(eta, 2), data=(on.x, on.y), seed=5)
    return weights, np.array(errors)[-steps:]


def test_balance_of_one_mode():
    """Every step of SGD multiplies the balance of one mode by 1 - (eta e)^2, to machine precision."""
    weights, errors = one_mode()
    c, d = weights[:-1].T
    at = dict(c=c, d=d, eta=0.05, e=errors)
    size = (c**2 + d**2) / np.abs(d**2 - c**2)
    run = lambda seed: weights[1:, 1] ** 2 - weights[1:, 0] ** 2  # noqa: E731
    rivals = {CONSERVED: lambda c, d, eta, e: d**2 - c**2}
    drawn, of_errors = dict(y="balance after the step"), np.linspace(errors.min(), errors.max(), 100)
    picture = Panel("error e of the batch (η = 0.05)", "relative change of the balance in the step", (
        Series("rival", of_errors.tolist(), [0.0] * 100, CONSERVED),
        Series("law", of_errors.tolist(), (-((0.05 * of_errors) ** 2)).tolist(), "law"),
        Series("run", errors.tolist(), (run(0) / (d**2 - c**2) - 1).tolist(), "steps of SGD")))  # fmt: skip
    claim, judge = "a step of SGD shrinks the balance of one mode", Roundoff(20, condition=4 * float(size.max()))
    confront(claim, balance_step, run, at, judge, rivals, labels=drawn, picture=picture)


def test_balance_in_matrices():
    """Every step of descent changes the balance by eta^2 (W1 E^T E W1^T - W2^T E E^T W2), to machine precision."""
    weights, eta = nets.balanced(3, 2, 4, 1.7, scale=0.4, seed=1), 0.1
    on = nets.data(nets.correlation(3, 4, [1.7, 1.2, 0.8], seed=2), seed=3)
    path = nets.train(weights, on, eta * np.arange(101), eta, record=rows)
    stages = [nets.apart(torch.from_numpy(row), weights) for row in path]
    layers = [np.array([w[k].numpy() for w in stages]) for k in (0, 1)]
    balance = np.array([W2.T @ W2 - W1 @ W1.T for W1, W2 in zip(*layers, strict=True)])[:, [0, 1, 0], [0, 1, 1]].T
    size = max(float((W1**2).sum() + (W2**2).sum()) for W1, W2 in zip(*layers, strict=True))
    at = dict(step=np.arange(1, 101))

    def law(step, signs=(1, -1)):
        W1, W2 = (layer[:-1] for layer in layers)
        E = on.correlation - W2 @ W1
        first, second = W1 @ E.transpose(0, 2, 1), W2.transpose(0, 2, 1) @ E
        change = signs[0] * first @ first.transpose(0, 2, 1) + signs[1] * second @ second.transpose(0, 2, 1)
        return balance[:, :-1] + eta**2 * change[:, [0, 1, 0], [0, 1, 1]].T

    rivals = {
        CONSERVED: lambda step: balance[:, :-1],
        "both of one sign": lambda step: law(step, (1, 1)),
    }
    judge = Roundoff(60, condition=size / float(np.abs(balance[:, 1:]).min()))
    few, early = slice(0, 40), at["step"][:40].tolist()
    change = lambda after: ((after - balance[:, :-1])[:, few] / eta**2).tolist()  # noqa: E731
    picture = Panel("step (η = 0.1)", "change of the balance in the step, over η²", (
        *(Series("rival", early, change(rival(at["step"])), name) for name, rival in rivals.items()),
        Series("law", early, change(law(at["step"])), "law"),
        Series("run", early, change(balance[:, 1:]), "steps of descent, three entries")))  # fmt: skip
    claim = "a step of descent changes the balance at second order"
    drawn = dict(step="step", y="balance after the step")
    confront(claim, law, lambda seed: balance[:, 1:], at, judge, rivals, labels=drawn, picture=picture)


# -- at random -----------------------------------------------------------------------------------------

Ni, Nh, No, sizes = 6, 2, 9, (0.7, 0.65)  # both layers weigh alike
at = dict(N_i=Ni, N_o=No, sigma1=sizes[0], sigma2=sizes[1])
moments = [No * sizes[1] ** k + Ni * sizes[0] ** k for k in (4, 8)]
spread = 2 * moments[0]  # bounds the variance of every entry
fourth = 2 * spread**2 + 48 * moments[1]  # and this that of its square
turned = dict(N_i=No, N_o=Ni)


def entries(n, seed):
    """Balance of n random networks: an entry on the diagonal, and one off it; shape (n, 2)."""
    W1, W2 = nets.normal(Ni, Nh, No, sizes=sizes, runs=n, seed=seed)
    both = W2.transpose(1, 2) @ W2 - W1 @ W1.transpose(1, 2)
    return both[:, 0].numpy()


def test_mean_balance():
    """The mean balance of random weights is No sigma2^2 - Ni sigma1^2."""
    run = lambda n, seed: entries(n, seed)[:, 0]  # noqa: E731
    rivals = {
        "0, as of layers drawn alike": 0.0,
        "turned round": lambda **at: mean_balance(**{**at, **turned}),
    }
    drawn = dict(y="entry on the diagonal")
    confront("mean balance at random", mean_balance, run, at, Mean(0.06, variance=spread), rivals, labels=drawn)


@pytest.mark.parametrize("law", [diagonal_variance, offdiagonal_variance], ids=lambda law: law.name)
def test_variance_of_balance(law):
    """The variance of random balance is 2 (No sigma2^4 + Ni sigma1^4) on the diagonal, and half of that off it."""
    off = int(law is offdiagonal_variance)
    mean = 0.0 if off else No * sizes[1] ** 2 - Ni * sizes[0] ** 2
    run = lambda n, seed: (entries(n, seed)[:, off] - mean) ** 2  # noqa: E731
    rivals = {"twice as much": lambda **at: 2 * law(**at), "half as much": lambda **at: law(**at) / 2}
    claim, judge = f"variance of random balance {'off' if off else 'on'} the diagonal", Mean(0.12, variance=fourth)
    drawn = dict(y="squared deviation of an entry")
    confront(claim, law, run, at, judge, rivals, labels=drawn)
