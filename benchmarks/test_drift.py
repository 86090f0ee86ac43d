"""How fast particles wander, against the random numbers that they need: python -m pytest benchmarks/test_drift.py -n 0.

Times are of the processor, one thread, double precision.  One particle-step moves one particle by one step; each needs
as many normal numbers as it has parameters.
"""

import time

import numpy as np
import pytest

from numerics.drift import Cross, Fit, walk, wander
from numerics.ensemble import Network, Tanh

pytestmark = pytest.mark.benchmark(timer=time.process_time)
PARTICLES, STEPS = 4000, 50
MODELS = {
    "two numbers": (Cross(), 2),
    "a network of six": (Fit(Network(1, 2, 1, Tanh()), np.array([[-0.6], [0.8]]), np.array([[0.3], [0.5]])), 6),
}
of_models = pytest.mark.parametrize("name", MODELS)


@of_models
def test_particle_noise(timed, name):
    """The normal numbers alone."""
    draw, n = np.random.default_rng(0).standard_normal, MODELS[name][1]
    timed(PARTICLES * STEPS, lambda: [draw((PARTICLES, n)) for _ in range(STEPS)], "particle-steps")


@of_models
def test_particle_walk(timed, name):
    """Noisy descent."""
    loss, n = MODELS[name]
    start = np.full((PARTICLES, n), 0.5)
    timed(PARTICLES * STEPS, lambda: walk(loss, start, eta=0.01, steps=STEPS, seed=0, update=1e-3), "particle-steps")


@of_models
def test_particle_wander(timed, name):
    """Stochastic error descent, with the noise of its steps summed."""
    loss, n = MODELS[name]
    start = np.full((PARTICLES, n), 0.5)
    timed(PARTICLES * STEPS, lambda: wander(loss, start, eta=0.1, spread=0.01, steps=STEPS, seed=0), "particle-steps")
