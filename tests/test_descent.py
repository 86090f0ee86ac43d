"""The training loop descends, records, repeats, and stops where it must."""

import numpy as np
import pytest
import torch

from numerics.descent import SGD, Diverged, GradientDescent, GradientFlow, check_step, modified, sharpness, train

EPS = np.finfo(float).eps
curvature = torch.tensor([[2.0, 0.3], [0.3, 0.7]], dtype=torch.float64)
start = torch.tensor([1.0, -0.5], dtype=torch.float64)


def bowl(weights):
    """A quadratic loss with its minimum at 0."""
    return weights[0] @ curvature @ weights[0] / 2


def test_gradient_descent_is_the_matrix_power():
    """On a quadratic, k steps multiply by (1 - eta H)^k."""
    found = train(bowl, [start], [0.0, 0.3, 1.0], GradientDescent(0.1))
    step = np.eye(2) - 0.1 * curvature.numpy()
    expected = [np.linalg.matrix_power(step, k) @ start.numpy() for k in (0, 3, 10)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=10 * 4 * EPS * float(start.norm()))  # ten steps, of 2 x 2
    assert start.tolist() == [1.0, -0.5]


def test_gradient_flow_is_the_matrix_exponential():
    """On a quadratic, the flow multiplies by e^(-H t)."""
    rough, found = (train(bowl, [start], [0.0, 0.4, 2.0], GradientFlow(rtol=rtol)) for rtol in (1e-10, 1e-12))
    expected = [torch.linalg.matrix_exp(-curvature * t).numpy() @ start.numpy() for t in (0.0, 0.4, 2.0)]
    assert np.all(np.abs(found - expected) <= np.abs(found - rough))  # the solver against itself


def test_descent_follows_the_modified_flow_at_second_order():
    """Halving the step divides the distance from the modified flow by four, from the flow by two."""
    orders = []
    for loss in (lambda eta: bowl, lambda eta: modified(bowl, eta)):
        gaps = []
        for eta in (0.1, 0.05, 0.025):
            run, flow = (
                train(bowl, [start], [1.0], GradientDescent(eta)),
                train(loss(eta), [start], [1.0], GradientFlow()),
            )
            gaps.append(np.max(np.abs(run - flow)))
        orders.append(np.log2(gaps[1] / gaps[2]))
    assert np.abs(np.subtract(orders, [1, 2])).max() < 1 / 4


def regression(weights, x, y):
    """Mean squared error of a line."""
    return ((x @ weights[0] - y) ** 2).mean()


data = (torch.arange(12.0, dtype=torch.float64).reshape(6, 2) / 10, torch.arange(6.0, dtype=torch.float64))


def test_sgd_repeats_to_the_bit_and_differs_by_seed():
    """The same seed draws the same batches, another seed others; the global random state is not touched."""
    before = torch.random.get_rng_state()
    one, two, other = (train(regression, [start], [1.0], SGD(0.1, 2), data=data, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_sgd_averages_to_gradient_descent():
    """One step of SGD is unbiased: over all single examples it averages to the full step."""
    steps = [train(regression, [start], [0.1], SGD(0.1, 1), data=[d[[k]] for d in data]) for k in range(6)]
    whole = train(regression, [start], [0.1], GradientDescent(0.1), data=data)
    np.testing.assert_allclose(np.mean(steps, axis=0), whole, rtol=0, atol=4 * 6 * EPS * np.abs(steps).max())


def test_divergence_names_its_step():
    """Where the valley steepens, descent ends with an error that names the step, not with numbers that are none."""
    wells = lambda weights: ((weights[0] ** 2 - 1) ** 2).sum()  # noqa: E731
    with pytest.raises(Diverged, match=r"at step \d+, time [\d.]+: eta = 0.6 is too large"):
        train(wells, [start / 10], [600.0], GradientDescent(0.6))
    with pytest.raises(Diverged, match="at time|stopped"):
        train(lambda weights: -wells(weights), [2 * start], [5.0], GradientFlow())


def test_a_step_too_large_is_refused():
    """A step beyond 2 / lambda_max at the start is refused, naming the bound."""
    with pytest.raises(ValueError, match=r"eta lambda_max = .* > 2.*at the start; gradient descent needs eta <= 0.968"):
        train(bowl, [start], [5.0], GradientDescent(5.0))


def test_sharpness_is_the_largest_eigenvalue():
    """Both the dense and the iterative way find the largest curvature."""
    largest = float(torch.linalg.eigvalsh(curvature)[-1])
    assert sharpness(bowl, [start]) == pytest.approx(largest, rel=4 * 2 * EPS, abs=0)
    many = torch.linspace(0.1, 3.0, 1000, dtype=torch.float64)
    found = sharpness(lambda w: (many * w[0] ** 2).sum() / 2, [torch.ones(1000)])
    assert many[-2] < found <= 3 * (1 + 1000 * EPS)  # above the next, and no more than the largest


def test_records_what_is_asked():
    """`record` decides what is kept."""
    kept = train(bowl, [start], [0.0, 0.1], GradientDescent(0.1), record=lambda w: w[0].norm())
    assert kept.shape == (2,) and kept[0] == start.norm()


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([0.2, 0.1], "times must increase"),
        ([-0.1, 0.1], "times = -0.1 is negative"),
        ([0.1, np.nan], "not finite"),
        ([0.15], "no whole multiple of eta = 0.1"),
        ([], "row of numbers"),
    ],
)
def test_bad_times(times, says):
    """Times that are negative, out of order, not finite or between two steps are refused."""
    with pytest.raises(ValueError, match=says):
        train(bowl, [start], times, GradientDescent(0.1))


def test_bad_algorithms():
    """Steps and batches that make no sense are refused, by name and value."""
    for make, says in (
        (lambda: GradientDescent(0.0), "eta = 0.0"),
        (lambda: GradientDescent(float("nan")), "eta = nan"),
        (lambda: SGD(0.1, 0), "batch = 0"),
        (lambda: check_step(0.1, float("nan")), "too large"),
        (lambda: train(bowl, [start * float("nan")], [0.1], GradientDescent(0.1)), "weights are not finite"),
        (lambda: train(regression, [start], [0.1], SGD(0.1, 1)), "SGD draws"),
        (lambda: train(regression, [start], [0.1], SGD(0.1, 1), data=(data[0], data[1][:3])), "one length"),
        (lambda: GradientFlow(rtol=-1.0), "rtol = -1.0"),
        (lambda: check_step(0.9, 3.0), "eta <= 0.6667"),
    ):
        with pytest.raises(ValueError, match=says):
            make()
    with pytest.raises(TypeError, match="eta = '1'"):
        GradientDescent("1")  # type: ignore[arg-type]
    for wrong in (dict(weights=[]), dict(weights=[[1.0, 2.0]]), dict(by="gd"), dict(weights=[start + 1j])):
        with pytest.raises(TypeError, match="weights must be|by = 'gd' is no algorithm"):
            train(**{**dict(loss=bowl, weights=[start], times=[0.1], by=GradientDescent(0.1)), **wrong})
