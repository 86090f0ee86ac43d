"""Pictures of networks and of their degeneracy: what they show is there, and bad arguments are refused by name."""

import numpy as np
import pytest

from numerics import rnn
from numerics.degeneracy import draw_factor, draw_maps, draw_sensitivity, mean_distance
from numerics.rnn import Adam, Recipe, Standard, draw_trajectories, draw_trials, principal
from numerics.tasks import DelayedDiscrimination, FlipFlop

eps = np.finfo(float).eps
recipe = Recipe(
    task=FlipFlop(2, length=8, switch=0.3),
    network=Standard(6),
    by=Adam(0.01),
    seeds=(1, 2),
    trials=4,
    steps=25,
    threshold=0.01,
)


@pytest.fixture(scope="module")
def run():
    """Two small networks, hardly trained."""
    return recipe.train()


def test_principal_components():
    """Points of a plane are seen whole on two components, whose shares are those of the variance; signs are fixed."""
    draw = np.random.default_rng(1)
    plane, frame = draw.normal(size=(30, 2)) * [3.0, 0.5], np.linalg.qr(draw.normal(size=(7, 7)))[0][:2]
    rates = plane @ frame + 1.7
    found = principal(rates.reshape(5, 6, 7))
    assert found.share.sum() == pytest.approx(1, abs=1e3 * eps) and found.share[0] > 0.9
    seen = found.seen(rates)
    np.testing.assert_allclose(seen @ found.axes + found.middle, rates, rtol=0, atol=1e3 * eps)
    np.testing.assert_allclose(seen.var(0) / rates.var(0).sum(), found.share, rtol=1e4 * eps)
    np.testing.assert_allclose(principal(2 * found.middle - rates).axes, found.axes, rtol=0, atol=1e4 * eps)


def test_intervals_are_over_networks():
    """A mean distance is that of all pairs; where networks matter, its interval is wider than pairs alone would say."""
    same = mean_distance(3.0 * (1 - np.eye(4)))
    assert same == pytest.approx((3, 3, 3), rel=1e3 * eps, abs=0)
    own = np.random.default_rng(2).exponential(size=40)
    distances = (own[:, None] + own) * (1 - np.eye(40))
    found, pairs = mean_distance(distances), distances[np.triu_indices(40, 1)]
    assert found.mean == pytest.approx(2 * own.mean(), rel=1e3 * eps, abs=0) and found.low < found.mean < found.high
    assert found.high - found.low > 3 * (2 * 1.96 * pairs.std() / len(pairs) ** 0.5)
    assert mean_distance(distances, seed=1) == mean_distance(distances, seed=1) != mean_distance(distances, seed=2)


def test_trials_are_shown(run):
    """Inputs and outputs of every trial have their panels: each channel, each network, and targets where they count."""
    drawn = draw_trials(recipe, run, trials=3)
    above, below = drawn.axes[:3], drawn.axes[3:]
    x, y, _ = recipe.task.trials(3, 0)
    np.testing.assert_allclose(above[1].lines[1].get_ydata(), x[:, 1, 1], rtol=0, atol=eps)
    targets = [line for line in below[2].lines if line.get_lw() == 2.2 and len(line.get_ydata())]
    assert len(targets) == 2 and len(below[0].lines) == 2 * (2 + 1)
    np.testing.assert_allclose(targets[1].get_ydata(), y[:, 2, 1], rtol=0, atol=eps)
    assert [axes.get_xlabel() for axes in below] == ["step"] * 3 and above[
        0
    ].get_ylabel() == "inputs, channels set apart"
    task = DelayedDiscrimination(2)
    shown = draw_trials(recipe, run, task=task).axes[-1]
    assert np.isnan(shown.lines[2].get_ydata()).any()


def test_states_are_shown(run):
    """States of one network are shown with all fixed points that were found, stable and unstable ones apart."""
    drawn = draw_trajectories(recipe, run, network=1, trials=4)
    first = drawn.axes[0]
    shown = sum(len(line.get_xdata()) for line in first.lines)
    (A, _, b, C, c), along = list(rnn.each(recipe.network, run.weights))[1]
    states = along(recipe.task.trials(4, 0)[0]).reshape(-1, 6)
    assert shown == len(rnn.fixed_points(A, b, C, c, states).rates) > 0
    assert "of the variance" in first.get_xlabel() and len(first.collections[0].get_segments()) == 7 * 4


def test_maps_ranks_and_factors_are_shown():
    """Maps have a panel for each group, sensitivity one for each number of delays, factors one for each measure."""
    draw = np.random.default_rng(3)
    courses = [draw.normal(size=(4, 9, 3)) for _ in range(4)]
    points = draw.normal(size=(5, 2))
    maps = draw_maps({"one": np.linalg.norm(points[:, None] - points, axis=-1), "two": 1 - np.eye(4)})
    assert "5 networks, stress 0.00" in maps.axes[0].get_title() and len(maps.axes) == 2
    ranks = draw_sensitivity({"noise": courses}, (1, 2), (1, 2), draws=1)
    assert [axes.get_title() for axes in ranks.axes] == ["1 delay", "2 delays"]
    levels = [mean_distance(k * (1 - np.eye(3))) for k in (1.0, 2.0)]
    factor = draw_factor("bits", (1, 2), {"dynamics": {"trained": levels, "untrained": levels}})
    assert factor.axes[0].get_xlabel() == "bits" and factor.axes[0].get_ylabel() == "dynamics"
    assert factor.axes[0].containers[0].lines[0].get_ydata().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda run: principal(np.ones((4, 3))), "do not vary"),
        (lambda run: principal(np.eye(3), 4), "count = 4"),
        (lambda run: draw_trajectories(recipe, run, network=2), "network = 2"),
        (lambda run: draw_trajectories(recipe, run, shown=[1.0]), "shown has shape"),
        (lambda run: draw_trials(recipe, run, trials=0), "trials = 0"),
        (lambda run: draw_maps({}), "distances are empty"),
        (lambda run: draw_factor("bits", (1, 2), {"dynamics": {"trained": []}}), "has 0 levels"),
        (lambda run: mean_distance(np.eye(2)), "m above 2"),
    ],
)
def test_bad_arguments(run, call, says):
    """Each bad argument is refused by name."""
    with pytest.raises((ValueError, TypeError), match=says):
        call(run)
