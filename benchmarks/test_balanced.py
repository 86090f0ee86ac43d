"""The exact solution at 1,000 times against an ODE solver, on the same machine in the same run.

    pytest benchmarks/test_balanced.py

The times run until the weakest mode that fits is learnt.  The solver is DOP853 at rtol 1e-10 on W1 and W2, in
plain numpy; both ways end with Q Q^T at every time.  Processor time; nothing is asserted on it: the ratios are in the
table.
"""

import time

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from numerics import balanced as nets
from theory.balanced import solution

SHAPES = [(10, 5, 10), (10, 10, 10), (50, 50, 50), (100, 50, 20)]


def task(Ni, Nh, No):
    """Weights of balance 1/2 or -1/2, a task with strengths from 2 down to 0.4, and 1,000 times."""
    W1, W2 = (w.numpy() for w in nets.balanced(Ni, Nh, No, 0.5 if Nh <= No else -0.5, scale=0.3, seed=3))
    sigma = nets.correlation(Ni, No, np.linspace(2.0, 0.4, min(Ni, No)), seed=4)
    return W1, W2, sigma, np.linspace(0.0, 20.0, 1000)


def by_solver(W1, W2, sigma, times):
    """Q Q^T at all times from the flow of the weights."""
    (Nh, Ni), No = W1.shape, len(W2)

    def velocity(_, row):
        first, second = row[: Ni * Nh].reshape(Ni, Nh), row[Ni * Nh :].reshape(No, Nh)
        error = sigma - second @ first.T
        return np.concatenate([(error.T @ second).ravel(), (error @ first).ravel()])

    start, span = np.vstack([W1.T, W2]), (0.0, times[-1])
    path = solve_ivp(velocity, span, start.ravel(), method="DOP853", t_eval=times, rtol=1e-10, atol=1e-12)
    Q = path.y.T.reshape(-1, *start.shape)
    return Q @ Q.transpose(0, 2, 1)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("way", [solution, by_solver], ids=["exact", "DOP853"])
def test_a_thousand_times(benchmark, shape, way):
    """Both ways give the same matrices, to what the solver promises; the table tells how long they take."""
    benchmark.group = "{}-{}-{}".format(*shape)
    P = benchmark.pedantic(way, args=task(*shape), rounds=9, warmup_rounds=1)
    assert np.abs(P - by_solver(*task(*shape))).max() < 1e-7 * np.abs(P).max()
