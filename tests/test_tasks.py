"""Every task asks what it says it asks, repeats to the bit, and refuses what it cannot be."""

import numpy as np
import pytest

from numerics import lorenz
from numerics.tasks import DelayedDiscrimination, FlipFlop, Lorenz96, PathIntegration, SineGeneration

EPS = np.finfo(float).eps

TASKS = [
    FlipFlop(2, length=30),
    DelayedDiscrimination(2, auxiliary=True),
    SineGeneration(2),
    PathIntegration(2),
    PathIntegration(3),
    Lorenz96(),
]
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda t: f"{type(t).__name__}{getattr(t, 'dimensions', '')}")


@every_task
def test_shapes_and_seeds(task):
    """Trials have the stated shapes; a seed gives the same bits, another seed others; longer trials are longer."""
    x, y, mask = task.trials(7, (3, 1))
    assert x.shape == (task.length, 7, task.inputs) and y.shape == mask.shape == (task.length, 7, task.outputs)
    assert all(np.array_equal(*pair) for pair in zip((x, y, mask), task.trials(7, (3, 1)), strict=True))
    assert not np.array_equal(x, task.trials(7, (3, 2))[0])
    assert set(np.unique(mask)) <= {0, 1} and mask.any()
    assert task.longer().length > task.length and task.longer().trials(2, 0)[0].shape[0] == task.longer().length


def test_flip_flops_hold_the_last_pulse():
    """The target is the last pulse of the channel, 0 before the first, and pulses come as often as they should."""
    task = FlipFlop(3, length=400, switch=0.2)
    x, y, _ = task.trials(50, 1)
    held = np.zeros((50, 3))
    for now, wanted in zip(x, y, strict=True):
        held = np.where(now != 0, now, held)
        assert np.array_equal(held, wanted)
    assert abs((x != 0).mean() - 0.2) < 5 * np.sqrt(0.2 * 0.8 / x.size) and abs(x.mean()) < 5 * np.sqrt(0.2 / x.size)


def test_discrimination_compares():
    """Two pulses in the range, apart, at a delay in the range; their order counts after the second."""
    task = DelayedDiscrimination(1, auxiliary=True)
    x, y, mask = task.trials(200, 2)
    for k in range(200):
        at = np.flatnonzero(x[:, k, 0])
        first, second = x[at, k, 0]
        assert at[0] == 0 and 5 <= at[1] - 1 <= 20 and 2 <= min(first, second) <= max(first, second) <= 10
        assert abs(second - first) >= 0.5
        assert np.array_equal(np.flatnonzero(mask[:, k, 0]), np.arange(at[1], at[1] + 5))
        assert np.array_equal(y[at[1], k], [np.sign(second - first), second - first])
    assert task.longer().delay == (10, 40) and len(np.unique(mask[:, :, 0].argmax(0))) == 16


def test_sines_have_their_frequencies():
    """Targets are sines of the frequencies on the ladder, which inputs show as fractions of the highest."""
    task = SineGeneration(1, frequencies=3, length=200)
    x, y, _ = task.trials(30, 3)
    assert np.array_equal(task.ladder, [1, 15.5, 30])
    for k in range(30):
        assert np.all(x[:, k] == x[0, k]) and x[0, k, 0] in task.ladder / 30
        turned = 2 * np.pi * x[0, k, 0] * 30 * 0.01 * np.arange(200)
        np.testing.assert_allclose(y[:, k, 0], np.sin(turned), rtol=0, atol=2 * EPS * turned.max())


@pytest.mark.parametrize("dimensions", [2, 3])
def test_paths_add_up(dimensions):
    """Targets are sums of inputs; speeds are what they should be, in every direction alike."""
    task = PathIntegration(dimensions)
    x, y, _ = task.trials(300, 4)
    np.testing.assert_allclose(np.diff(y, axis=0), x[1:], rtol=0, atol=2 * EPS * np.abs(y).max())
    speed = np.linalg.norm(x, axis=-1)
    assert speed.max() <= 0.2 and abs(speed.mean() - 0.1) < 5 * 0.2 / np.sqrt(12 * speed.size)


def test_rings_follow_their_equations():
    """The next state is where the equations lead, to the error of the method, and trials are on the attractor."""
    task = Lorenz96(dt=0.01)
    x, y, _ = task.trials(3, 5)
    exact = lorenz.simulate(task.scale * x[0, 0], task.force, [task.dt], rtol=1e-12)[0]
    start, rough = task.scale * x[0, 0], lorenz.runge_kutta(task.scale * x[0, 0], task.force, task.dt)
    fine = lorenz.runge_kutta(lorenz.runge_kutta(start, task.force, task.dt / 2), task.force, task.dt / 2)
    assert np.abs(task.scale * y[0, 0] - exact).max() <= 2 * np.abs(rough - fine).max()  # the method against itself
    assert np.array_equal(x[1:], y[:-1]) and 0.5 < x.std() < 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FlipFlop(0), "bits = 0"),
        (lambda: FlipFlop(switch=0.0), "switch = 0.0"),
        (lambda: FlipFlop(length=1.5), "length = 1.5"),
        (lambda: DelayedDiscrimination(low=10.0), "low = 10.0"),
        (lambda: DelayedDiscrimination(apart=5.0), "apart = 5.0"),
        (lambda: DelayedDiscrimination(delay=(9, 3)), "delay"),
        (lambda: SineGeneration(dt=0.02), "dt = 0.02 is too long"),
        (lambda: SineGeneration(low=0.0), "low = 0.0"),
        (lambda: PathIntegration(4), "dimensions = 4"),
        (lambda: PathIntegration(path=-1.0), "path = -1.0"),
        (lambda: Lorenz96(sites=3), "sites = 3"),
        (lambda: Lorenz96(scale=0.0), "scale = 0.0"),
        (lambda: FlipFlop().trials(0, 1), "count = 0"),
        (lambda: lorenz.exponents(np.ones(5), 8.0, 1.0, count=6), "count = 6"),
        (lambda: lorenz.exponents(np.ones(5), 8.0, 0.25), "no whole multiple"),
        (lambda: lorenz.spectra(np.ones(5), 8.0, 0.05, settle=1, steps=1), "starts has shape"),
        (lambda: lorenz.spectra(np.ones((2, 5)), 8.0, 0.05, settle=1, steps=0), "steps = 0"),
    ],
)
def test_bad_tasks(make, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()
