"""Linear recurrent networks, trained in torch on natural images and digits, against the laws of `theory.recurrent`."""

from itertools import product

import numpy as np
import torch

from laws import Order, Roundoff, Solver, confront
from numerics import linear_rnn
from numerics.descent import GradientDescent, GradientFlow
from theory.recurrent import (
    conserved,
    frozen_recurrence,
    input_speed,
    integrator,
    leak_error,
    learn,
    profile_speeds,
    recurrent_speed,
    reversed_gain,
    unbalance_step,
)

T, tau = 4, 1.3
delta, rho = np.array([1.7, 1.1]), np.array([0.9, 0.6])
lags = np.arange(T)[::-1, None]
start = np.array([[0.3, 0.4], [0.5, 0.7], [0.35, 0.2]])  # a, b, c of two modes
times = np.array([0.65, 1.3, 2.6, 5.2])
labels = dict(t="time t (τ = 1.3)", y="strengths a, b, c of two modes (T = 4, δ = 1.7, 1.1, ρ = 0.9, 0.6)", h="step η")


def task(s):
    """White inputs of three numbers at T times, and targets of two numbers with this profile."""
    return linear_rnn.white(s, inputs=3, outputs=2, seed=1)


def trained(s, when=times):
    """Gradient descent of a network of five units on such a task, recorded as modes; shape (6, times)."""
    data = task(s)

    def run(eta, seed):
        weights, R = linear_rnn.aligned(data, *start, hidden=5, seed=seed)
        found = linear_rnn.train_modes(data, weights, R, when / tau, GradientDescent(eta / tau))
        return np.moveaxis(found, 0, -1).reshape(6, -1)

    return run


def course(speeds):
    """The modes along their speeds, as rows against time."""
    return lambda t: np.moveaxis(learn(speeds, start, t, tau, rtol=1e-9), 0, -1).reshape(6, -1)


def geometric(a, b, c):
    """What the laws say of the speeds; the readout's is the input's with a and c exchanged."""
    at = dict(b=b, delta=delta, rho=rho, T=T)
    one, other = input_speed.evaluate, recurrent_speed.evaluate  # without checks: an integrator calls them often
    return np.array([one(a=a, c=c, **at), other(a=a, c=c, **at), one(a=c, c=a, **at)])


def at_rest(speeds):
    """The same with the recurrence as it is."""
    return lambda a, b, c: speeds(a, b, c) * np.array([[1.0], [0.0], [1.0]])


def last_only(a, b, c):
    """A network without memory: only the last input counts."""
    gap = delta - a * c
    return np.array([c * gap, 0 * b, a * gap])


def test_geometric_profile():
    """Input, recurrent and output strengths a, b, c follow their equations for targets δρ^lag, as the step shrinks."""
    rivals = {"the recurrence stays": course(at_rest(geometric)), "no memory": course(last_only)}
    claim = "modes of a geometric profile learn by their equations"
    run, judge = trained(delta * rho**lags), Order(1, start=0.026)
    confront(claim, course(geometric), run, dict(t=times), judge, rivals, labels=labels, of=input_speed)


points = np.random.default_rng(7).uniform(0.2, 1.4, size=(3, 12))  # a, b, c of two modes in six networks
two = dict(delta=np.tile(delta, 6), rho=np.tile(rho, 6), T=T)
at_points = dict(zip("abc", points, strict=True)) | two


def slopes(which):
    """The descent of the matrix network itself, in modes, by autograd; which: 0 for a, 1 for b."""

    def run(seed):
        data, found = task(delta * rho**lags), []
        for k in range(6):
            weights, R = linear_rnn.aligned(data, *points[:, 2 * k : 2 * k + 2], hidden=5, seed=seed + k)
            found.append(linear_rnn.speeds(data, weights, R)[which])
        return np.concatenate(found)

    return run


def exactly(law, **at):
    """A judge of round-off in the gradient of a network over all examples."""
    return Roundoff(operations=T**2 * 60 * 15, condition=law.condition(**at))


def test_input_speed():
    """The gradient of input weights is, in modes of strengths a, b, c (input, recurrence, output), a sum over lags."""
    rivals = {
        "no memory": lambda a, c, delta, **rest: c * (delta - a * c),
        "the readout's": lambda a, c, **rest: input_speed(a=c, c=a, **rest),
    }
    claim = "input modes descend by the geometric sums over lags"
    drawn = dict(y="speed of the input strength a (targets δ ρᵏ at lag k < 4)")
    judge = exactly(input_speed, **at_points)
    confront(claim, input_speed, slopes(0), at_points, judge, rivals, labels=drawn)


def test_recurrent_speed():
    """The gradient of the recurrent weights counts every lag as often as the recurrence was used."""

    def once(a, b, c, delta, rho, T):
        return sum(a * c * b ** (k - 1) * (delta * rho**k - a * c * b**k) for k in range(1, T))

    rivals = {"each lag counts once": once, "at rest": lambda a, **rest: 0 * a}
    claim = "recurrent modes descend by the sums over lags, weighted by the lag"
    drawn = dict(y="speed of the recurrent strength b (targets δ ρᵏ at lag k < 4)")
    judge = exactly(recurrent_speed, **at_points)
    confront(claim, recurrent_speed, slopes(1), at_points, judge, rivals, labels=drawn)


def test_any_profile():
    """A profile s_k of lags k: a' = c Σ b^k (s_k - a c b^k), b' = a c Σ k b^(k-1) (s_k - a c b^k), and c' as a'.

    Its signs change.
    """
    s = np.array([[0.4, -0.9], [-0.7, 0.3], [1.1, 0.8], [0.6, -1.2]])
    law = course(profile_speeds(s))
    rivals = {
        "the lags counted from the first input": course(profile_speeds(s[::-1])),
        "the recurrence stays": course(at_rest(profile_speeds(s))),
    }
    claim = "modes of any lag profile learn by the sums over its lags"
    judge, profile = Order(1, start=0.026), {**labels, "y": "strengths a, b, c of two modes (T = 4)"}
    confront(claim, law, trained(s), dict(t=times), judge, rivals, labels=profile, of=profile_speeds)


def test_frozen_recurrence():
    """While the recurrence stays, gains learn as two-layer chains with the strength and variance of their memory."""
    data, b = task(delta * rho**lags), np.array([0.5, 0.7])
    sigma0, when = np.array([0.09, 0.04]), np.array([0.39, 0.78, 1.3, 2.6])

    def run(eta, seed):
        weights, R = linear_rnn.aligned(data, np.sqrt(sigma0), b, np.sqrt(sigma0), hidden=5, seed=seed)
        return linear_rnn.train_frozen(data, weights, R, when / tau, GradientDescent(eta / tau)).T

    at = dict(t=when, b=b[:, None], T=T, delta=delta[:, None], rho=rho[:, None], sigma0=sigma0[:, None], tau=tau)
    rivals = {
        "no memory": lambda b, **rest: frozen_recurrence(b=1e-12, **rest),
        "the target's own recurrence": lambda b, rho, **rest: frozen_recurrence(b=rho, rho=rho, **rest),
    }
    drawn = {**labels, "y": "gain a c of two modes, σ0 = 0.09, 0.04 at first (b = 0.5, 0.7)"}
    claim = "with its recurrence at rest a network learns logistically"
    confront(claim, frozen_recurrence, run, at, Order(1, start=0.026), rivals, labels=drawn)


def test_reversed_gain():
    """For targets that weigh late inputs by rho^i networks end with the recurrence 1/rho and the gain delta rho^T."""
    ratio, size = np.array([0.7, 0.85, 1.3]), np.array([2.9, 1.7, 0.6])
    data = linear_rnn.white(size * ratio ** (np.arange(T)[:, None] + 1), inputs=3, outputs=3, seed=3)

    def run(rtol, seed):
        weights, R = linear_rnn.aligned(data, 0.8, 1.1, 0.7, hidden=4, seed=seed)
        a, b, c = linear_rnn.train_modes(data, weights, R, [45.0], GradientFlow(rtol, rtol))[0]
        return a * c

    rivals = {
        "delta": lambda delta, rho, T: delta + 0 * rho,
        "delta rho": lambda delta, rho, T: delta * rho,
        "from the first input on, delta rho^(T-1)": lambda delta, rho, T: delta * rho ** (T - 1),
    }
    drawn = dict(rho=f"ratio ρ of the profile δ ρ^i, i = 1 ... T, T = {T}", y="gain a c when all is learnt")
    claim = "profiles that fall are learnt by recurrences that grow"
    at = dict(delta=size, rho=ratio, T=T)
    confront(claim, reversed_gain, run, at, Solver(rtol=1e-5), rivals, labels=drawn)


def test_unbalance_step():
    """One step of descent shrinks a^2 - c^2 of every mode by exactly what the law says."""
    data, weights_at = task(delta * rho**lags), np.array([[0.9, 0.4], [0.5, 0.7], [0.35, 0.8]])
    eta = 0.08

    def run(seed):
        weights, R = linear_rnn.aligned(data, *weights_at, hidden=5, seed=seed)
        a, _, c = linear_rnn.train_modes(data, weights, R, [eta], GradientDescent(eta))[0]
        return a**2 - c**2

    a, b, c = weights_at
    at = dict(a=a, b=b, c=c, delta=delta, rho=rho, T=T, eta=eta)
    rivals = {"as under gradient flow": lambda a, c, **rest: a**2 - c**2}
    judge = Roundoff(operations=T * len(data.x) * 3 * 5)
    claim = "a step of descent shrinks the unbalance of a recurrent mode"
    drawn = dict(a="input strength a before the step", y="a² − c² after it, c the output strength (η = 0.08)")
    confront(claim, unbalance_step, run, at, judge, rivals, labels=drawn)


# -- what the symmetry conserves -------------------------------------------------------------------------

images, classes = linear_rnn.digit_rows(60)
until = 0.8


def on_digits(bias, nothing_else=True):
    """Q along gradient descent of a network that names digits after every row of pixels; and its own start."""
    weights = linear_rnn.random(8, 6, 10, scale=0.5, bias=bias, seed=4)
    seen = lambda w: conserved(*w) if nothing_else else conserved(*w[:3])  # noqa: E731

    def run(eta, seed):
        return seen(linear_rnn.train(weights, images, classes, [until], GradientDescent(eta))[0])[upper]

    upper = np.triu_indices(6)
    numbers = [w.numpy() for w in weights]
    return run, numbers, upper


entries = dict(y="entries of Q", h="step η")


def test_conserved():
    """Without a bias, β = 0, descent conserves Q, at first order in the step."""
    run, (Wx, Wh, Wy), upper = on_digits(False)
    law = lambda: conserved(Wx, Wh, Wy)[upper]  # noqa: E731
    rivals = {
        "the invariant of feedforward layers, without Wh": lambda: (Wx @ Wx.T - Wy.T @ Wy)[upper],
        "the commutator's sign reversed": lambda: conserved(Wx, Wh.T, Wy)[upper],
    }
    claim = "descent on digits conserves Q"
    confront(claim, law, run, {}, Order(1, start=0.01), rivals, labels=entries, of=conserved)


def test_conserved_with_bias():
    """With a trained bias the conserved matrix has its outer product as well; without it Q drifts."""
    run, numbers, upper = on_digits(True)
    law = lambda: conserved(*numbers)[upper]  # noqa: E731
    rivals = {"Q without the bias": lambda: conserved(*numbers[:3])[upper]}
    claim = "with a bias Q gains its outer product"
    confront(claim, law, run, {}, Order(1, start=0.01), rivals, labels=entries, of=conserved)


def test_conserved_drifts_without_bias():
    """When a bias β is trained, Q less its term in β does not stay: what that term gains, it loses, at any step."""
    run, numbers, upper = on_digits(True, nothing_else=False)
    end = linear_rnn.train(
        [torch.from_numpy(w) for w in numbers], images, classes, [until], GradientFlow(1e-10, 1e-12)
    )[0]
    bias = [np.outer(w[3], w[3])[upper] for w in (numbers, end)]
    law = lambda: conserved(*numbers[:3])[upper] + bias[0] - bias[1]  # noqa: E731
    rivals = {"it stays": lambda: conserved(*numbers[:3])[upper]}
    claim = "without the bias term Q drifts by the bias's outer product"
    confront(claim, law, run, {}, Order(1, start=0.01), rivals, labels=entries, of=conserved)


# -- integrators -----------------------------------------------------------------------------------------


def test_integrator():
    """A network with the identity on its read-out subspace adds up velocities exactly, at twice any length too."""
    draw = np.random.default_rng(5)
    weights = integrator(draw.normal(size=(7, 2)))
    heading, fast = draw.uniform(0, 2 * np.pi, 60).cumsum() / 9, draw.uniform(0.1, 0.5, 60)
    steps = fast * np.array([np.cos(heading), np.sin(heading)])

    def run(seed):
        Wx, Wh, Wy = (torch.from_numpy(np.ascontiguousarray(w)) for w in weights)
        return (linear_rnn.states([Wx, Wh, Wy], torch.from_numpy(steps.T[None].copy()))[0] @ Wy.T).numpy().T

    law = lambda t: np.cumsum(steps, axis=1)  # noqa: E731
    leaky = lambda t: np.array([sum(0.97 ** (k - i) * steps[:, i] for i in range(k + 1)) for k in range(60)]).T  # noqa: E731
    size = np.abs(steps).sum(1, keepdims=True).cumsum(1)[:, -1:] / np.abs(np.cumsum(steps, axis=1))
    judge = Roundoff(operations=60 * 2 * 7 * 7, condition=size * np.linalg.cond(weights[0]))
    drawn = dict(t="steps", y="position, both coordinates")
    claim = "the identity on the readout integrates exactly"
    at = dict(t=np.arange(1.0, 61))
    confront(claim, law, run, at, judge, {"a leak of .03": leaky}, labels=drawn, of=integrator)


def test_leak_error():
    """Over all sequences of steps +-v a leaky integrator errs as the law says."""
    v, leaks = 0.7, np.array([0.6, 0.9, 0.98, 1.05])
    length = 10
    steps = v * torch.tensor(list(product((-1.0, 1.0), repeat=length)), dtype=torch.float64)[..., None]

    def run(seed):
        errors = []
        for leak in leaks:
            Wx, Wh, Wy = (torch.tensor([[value]], dtype=torch.float64) for value in (1.0, leak, 1.0))
            seen = linear_rnn.states([Wx, Wh, Wy], steps)[..., 0]
            errors.append(((seen[:, -1] - steps.sum((1, 2))) ** 2).mean().item())
        return np.array(errors)

    rivals = {
        "one leak for every step": lambda T, lam, v: v**2 * T * (1 - lam) ** 2,
        "to leading order in the leak": lambda T, lam, v: v**2 * (1 - lam) ** 2 * T * (T - 1) * (2 * T - 1) / 6,
    }
    judge = Roundoff(operations=4 * length * len(steps), condition=leak_error.condition(T=length, lam=leaks, v=v))
    drawn = dict(lam="leak λ", y="mean squared error after T = 10 steps of ±v, v = 0.7")
    claim = "a leak costs the sum over lags of its squares"
    confront(claim, leak_error, run, dict(T=length, lam=leaks, v=v), judge, rivals, labels=drawn)
