"""Derivatives, spectra and ranks of networks, against closed forms and direct dense computations."""

import numpy as np
import pytest
import torch

from numerics import hessian as h
from numerics.ensemble import GradientDescent, Network, Relu, Tanh, train

eps = np.finfo(float).eps


def drawn(*shape, seed=3):
    """Normal numbers in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def outputs(network, x):
    """The outputs of a network for all samples, as a function of its parameters."""

    def of(theta):
        w, b, n = network.parts(theta)
        return {Relu(): torch.relu, Tanh(): torch.tanh}[network.activation](x @ w.T + b) @ n

    return of


def on_the_manifold(network, samples=5, dead=0):
    """Parameters, inputs, outputs f, and a loss that is exactly zero there; some units see no sample."""
    theta, x = drawn(*network.shape), drawn(samples, network.inputs, seed=4)
    theta[:dead, network.inputs] = -100.0
    f = outputs(network, x)
    y = f(theta)
    return theta, x, f, lambda p: ((f(p) - y) ** 2).mean()


def test_derivatives_of_a_valley_are_exact():
    """Of L = (u v)^2 the gradient, Hessian and third derivatives are those of calculus."""
    u, v = 1.3, -0.7
    valley, at = (lambda p: (p[0] * p[1]) ** 2), torch.tensor([u, v], dtype=torch.float64)
    np.testing.assert_allclose(h.gradient(valley, at), [2 * u * v**2, 2 * u**2 * v], rtol=8 * eps)
    matrix = np.array([[2 * v**2, 4 * u * v], [4 * u * v, 2 * u**2]])
    np.testing.assert_allclose(h.hessian(valley, at), matrix, rtol=8 * eps)
    cube = np.array([[[0, 4 * v], [4 * v, 4 * u]], [[4 * v, 4 * u], [4 * u, 0]]])
    np.testing.assert_allclose(h.third(valley, at), cube, rtol=8 * eps)
    weights = torch.tensor([[1.0, 0.3], [-0.2, 2.0]], dtype=torch.float64)
    expected = np.einsum("ij,jik->k", weights, cube)
    np.testing.assert_allclose(h.third_along(valley, at, weights), expected, rtol=8 * eps)


def by_hand(network, theta, x):
    """The Jacobian of a ReLU network, entry by entry from its definition."""
    w, b, n = (part.numpy() for part in network.parts(theta))
    samples, (units, d, D) = len(x), (network.hidden, network.inputs, network.outputs)
    found = np.zeros((samples, D, units, d + 1 + D))
    for i, point in enumerate(x.numpy()):
        for u in range(units):
            z = w[u] @ point + b[u]
            if z > 0:
                for o in range(D):
                    found[i, o, u, :d], found[i, o, u, d] = n[u, o] * point, n[u, o]
                    found[i, o, u, d + 1 + o] = z
    return found.reshape(samples * D, -1)


def test_on_the_manifold_the_hessian_is_that_of_gauss_and_newton():
    """At zero loss the Hessian is 2/(K D) J^T J, with the Jacobian written out by hand."""
    network = Network(4, 9, 3)
    theta, x, f, loss = on_the_manifold(network)
    J = by_hand(network, theta, x)
    np.testing.assert_allclose(h.jacobian(f, theta), J, rtol=0, atol=100 * eps * np.abs(J).max())
    exact = 2 / 15 * J.T @ J
    np.testing.assert_allclose(h.hessian(loss, theta), exact, rtol=0, atol=100 * eps * np.abs(exact).max())
    away = lambda p: ((f(p) - 1) ** 2).mean()  # noqa: E731
    assert np.abs(h.hessian(away, theta).numpy() - exact).max() > 1e-3


@pytest.mark.parametrize("dead", [0, 20])
def test_rank_is_samples_times_outputs(dead):
    """At zero loss the rank is K D, whatever the number of dead units; they make rows of zeros instead.

    A count of the eigenvalues that are above 0 in floating point gives quite another number.
    """
    network = Network(20, 60, 5)
    theta, x, f, loss = on_the_manifold(network, dead=dead)
    rank, gap = h.rank_of(h.jacobian(f, theta))
    H = h.hessian(loss, theta)
    found = h.spectrum(H, rank)
    assert rank == 25 and gap > 1e6 and found.gap > 1e6
    assert int((found.values > 0).sum()) > 100
    alive = int((h.jacobian(f, theta).view(25, 60, -1) != 0).any(0).any(1).sum())
    assert alive <= 60 - dead and int((H == 0).all(1).sum()) >= dead * 26


def test_repeated_samples_lower_the_rank():
    """The rank is not always K D: two equal samples count as one."""
    network = Network(4, 9, 3)
    theta, x = drawn(*network.shape), drawn(5, 4, seed=4)
    x[3] = x[1]
    rank, gap = h.rank_of(h.jacobian(outputs(network, x), theta))
    assert rank == 12 and gap > 1e6
    assert h.rank_of(torch.zeros(3, 4, dtype=torch.float64))[0] == 0
    assert h.rank_of(torch.eye(3, dtype=torch.float64)) == (3, 1 / (3 * eps))


def test_trace_and_log_determinant_are_those_of_the_small_matrix():
    """Those of the nonzero part agree with 2/(K D) J J^T, which has no zero eigenvalue, within the errors stated."""
    network = Network(6, 12, 3, Tanh())
    theta, x, f, loss = on_the_manifold(network)
    J = h.jacobian(f, theta)
    found, small = h.spectrum(h.hessian(loss, theta), 15), 2 / 15 * J @ J.T
    trace, log_determinant = found.trace, found.log_determinant
    values = found.nonzero  # of which one that is left out would be seen
    assert abs(trace[0] - float(small.trace())) < trace[1] < float(values.min())
    off = abs(log_determinant[0] - float(torch.linalg.slogdet(small)[1]))
    assert off < log_determinant[1] < float(values.log().abs().min())
    wrong = h.spectrum(h.hessian(loss, theta), 16)
    assert wrong.gap < 1e3
    with pytest.raises(ValueError, match="no logarithm"):
        wrong.log_determinant  # noqa: B018


def test_errors_of_eigenvalues_are_bounds():
    """A matrix with a known spectrum, ten orders wide and with both signs, is resolved within the error stated."""
    known = torch.cat([-torch.logspace(-1, 0, 5, dtype=torch.float64), torch.logspace(-10, 1, 35, dtype=torch.float64)])
    Q = torch.linalg.qr(drawn(40, 40)).Q
    found = h.spectrum((Q * known @ Q.T + (Q * known @ Q.T).T) / 2, 40)
    assert float((found.values - known.sort().values).abs().max()) < found.error
    assert found.error == pytest.approx(eps * 40 * 10, rel=40 * eps, abs=0)


def test_products_and_lanczos_agree_with_the_dense_hessian():
    """Hessian-vector products are those of the matrix; Ritz values lie within their bounds of its eigenvalues."""
    network = Network(10, 20, 4, Tanh())
    theta, _, _, loss = on_the_manifold(network, samples=12)
    H, multiply = h.hessian(loss, theta), h.product(loss, theta)
    v = drawn(theta.numel())
    np.testing.assert_allclose(multiply(v), H @ v, rtol=0, atol=1000 * eps * float(H.abs().max() * v.norm()))
    true, error = torch.linalg.eigvalsh(H), h.spectrum(H, len(H)).error
    for steps in (10, 40):
        found = h.lanczos(multiply, theta.numel(), steps=steps, seed=1)
        distance = (found.values[:, None] - true).abs().min(1).values
        assert bool((distance <= found.bounds + error).all())
    assert abs(float(found.values[-1] - true[-1])) <= float(found.bounds[-1]) + error
    assert float(found.bounds[-1]) < float(true[-1] - true[-2]) * eps**0.5
    few = h.lanczos(lambda v: torch.arange(1.0, 5.0, dtype=torch.float64) * v, 4, steps=4, seed=1)
    np.testing.assert_allclose(few.values, [1, 2, 3, 4], rtol=100 * eps)
    flat = h.lanczos(lambda v: 3 * v, 30, steps=10, seed=1)
    assert len(flat.values) == 1 and float(flat.values[0]) == pytest.approx(3, rel=10 * eps, abs=0)


def test_kinks_are_found():
    """A preactivation that is 0 up to round-off is reported with its unit and sample, and no other."""
    network = Network(4, 9, 3)
    theta, x = drawn(*network.shape), drawn(5, 4, seed=4)
    assert len(h.kinks(network, theta, x, 1e-10)) == 0
    theta[6, 4] = -(theta[6, :4] @ x[2]) * (1 + 4 * eps)
    assert h.kinks(network, theta, x, 1e-10).tolist() == [[6, 2]]
    assert len(h.kinks(Network(4, 9, 3, Tanh()), theta, x, 1e-10)) == 0


def test_an_ensemble_gives_points_to_look_at():
    """Where a run of descent has settled, the largest curvature is below 2/eta."""
    x, y = drawn(6, 4).numpy(), drawn(6, 3, seed=4).numpy()
    network = Network(4, 30, 3, Tanh())
    run = train(network, x, y, seeds=[1], steps=[3000], by=GradientDescent(0.1))
    f = outputs(network, torch.from_numpy(x))
    H = h.hessian(lambda p: ((f(p) - torch.from_numpy(y)) ** 2).mean(), torch.from_numpy(run.final[0]))
    assert run.loss[0, 0] < (y**2).mean() / 100 and float(torch.linalg.eigvalsh(H)[-1]) < 2 / 0.1


point = torch.ones(2, dtype=torch.float64)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: h.hessian(lambda p: p.sum(), [1.0]), "theta must be a tensor"),
        (lambda: h.hessian(lambda p: p.sum(), point * np.nan), "empty or not finite"),
        (lambda: h.hessian(lambda p: (p - 1).abs().sqrt().sum(), point), "not finite"),
        (lambda: h.third_along(lambda p: p.sum(), point, torch.eye(3)), r"matrix has shape \(3, 3\)"),
        (lambda: h.spectrum(torch.ones(2, 3), 1), "not square"),
        (lambda: h.spectrum(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), 1), "not symmetric"),
        (lambda: h.spectrum(torch.eye(2), 3), "rank = 3"),
        (lambda: h.lanczos(lambda v: v, 3, steps=4, seed=0), "steps = 4"),
        (lambda: h.lanczos(lambda v: v * np.nan, 3, steps=2, seed=0), "not finite"),
        (lambda: h.kinks(Network(2, 3, 1), point, torch.ones(1, 2), 0.1), "do not fit"),
        (lambda: h.kinks(Network(2, 3, 1), torch.ones(3, 4), torch.ones(1, 2), -0.1), "within = -0.1"),
    ],
)
def test_bad_points(make, says):
    """Each bad argument is refused, naming what is wrong."""
    with pytest.raises((ValueError, TypeError), match=says):
        make()
