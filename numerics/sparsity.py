"""What noise does to the hidden units of ReLU networks on random tasks: tasks, and what is measured of the networks.

Every network of an ensemble has a task of its own, inputs and targets between -1 and 1 (`tasks`).  While it trains
with noise (`numerics.ensemble`) its active units are counted; here are the time in which they fall by half (`halving`),
the time scale of an exponential fitted as in publications (`decay`), and the eigenvalues of its Hessian that are not
zero where the loss is (`spectra`).
"""

from __future__ import annotations

import numpy as np

from numerics.checks import numbers_of, whole
from numerics.ensemble import Network, Relu


def tasks(network: Network, samples: int, *, networks: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """A random task and a seed for each of so many networks.

    Returns:
        inputs (networks, samples, inputs) and targets (networks, samples, outputs), uniform between -1 and 1, and
        seeds for `numerics.ensemble.train`.

    Raises:
        ValueError, TypeError: for counts that are no whole numbers from 1 on.
    """
    shape = whole("networks", networks), whole("samples", samples)
    source = np.random.SeedSequence(whole("seed", seed, least=0))
    draw = np.random.default_rng(source).uniform
    x, y = draw(-1, 1, (*shape, network.inputs)), draw(-1, 1, (*shape, network.outputs))
    return x, y, [int(s) for s in source.spawn(1)[0].generate_state(shape[0], np.uint64)]


def spectra(network: Network, x, theta) -> np.ndarray:
    """Eigenvalues of 2 c J^T J that may differ from 0, increasing: those of the Hessian where the loss vanishes.

    Args:
        network: with ReLUs.
        x: inputs, (B, samples, inputs).
        theta: parameters, (B, hidden, inputs + 1 + outputs).

    Returns:
        shape (B, samples * outputs), with c = 1/(samples * outputs).

    Raises:
        ValueError: for other activations, and shapes that do not fit.
    """
    x, theta = numbers_of("x", x), numbers_of("theta", theta)
    if not isinstance(network.activation, Relu):
        raise ValueError(f"network has {network.activation}: its hidden units must be ReLUs")
    if theta.ndim != 3 or x.ndim != 3 or theta.shape != (len(x), *network.shape) or x.shape[2] != network.inputs:
        raise ValueError(f"x of shape {x.shape} and theta of shape {theta.shape} do not fit {network}")
    w, b, n = network.parts(theta)
    z = np.einsum("bui,bki->bku", w, x) + b[:, None]
    on, h = (z > 0).astype(float), np.maximum(z, 0)
    from_inputs = np.einsum("bku,blu,bup,buq->bkplq", on, on, n, n, optimize=True)
    from_inputs *= (np.einsum("bki,bli->bkl", x, x) + 1)[:, :, None, :, None]
    from_outputs = np.einsum("bku,blu,pq->bkplq", h, h, np.eye(network.outputs), optimize=True)
    size = x.shape[1] * network.outputs
    return np.linalg.eigvalsh(2 / size * (from_inputs + from_outputs).reshape(-1, size, size))


def halving(steps, active) -> np.ndarray:
    """The step at which what is active falls to half of what it was at first; shape (B,).

    Args:
        steps: shape (T,), increasing.
        active: units or fractions, shape (T, B); between two of the steps it is taken to fall along a line.

    Raises:
        ValueError: if some network never falls so low.
    """
    steps, active = numbers_of("steps", steps), numbers_of("active", active)
    below = active <= active[0] / 2
    if not below.any(0).all():
        raise ValueError(
            f"active = {active[-1].max():.3g} at the last step, and was never half of {active[0].max():.3g}"
        )
    last, each = below.argmax(0), np.arange(active.shape[1])
    before, after = active[last - 1, each], active[last, each]
    part = (before - active[0] / 2) / (before - after)
    return steps[last - 1] + part * (steps[last] - steps[last - 1])


def decay(steps, active) -> np.ndarray:
    """The time scale of an exponential, fitted as published: to nine tenths of the fall, early times weighted most.

    The least that was seen is taken off, what remains of the first nine tenths of its fall is fitted in logarithms by
    a line, with weights sqrt(1 - t/t_max).  Arguments as of `halving`; shape (B,).
    """
    steps, active = numbers_of("steps", steps), numbers_of("active", active)
    found = []
    for curve in active.T:
        above = curve - curve.min()
        end = int(np.argmax(above <= above[0] / 10))
        if end < 3:
            raise ValueError(f"active = {curve} falls too fast for a line: record more steps")
        t = steps[:end] - steps[0]
        found.append(-1 / np.polyfit(t, np.log(above[:end]), 1, w=np.sqrt(1 - t / steps[end]))[0])
    return np.array(found)
