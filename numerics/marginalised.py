r"""The expected loss of a noisy ReLU autoencoder, differentiable in torch, with no noise sampled.

For z_j ~ N(mu_j, s_j^2) with correlations rho_jk the loss averaged over the noise is

    |x - W_d E[h] - b_d|^2 + sum_jk (W_d^T W_d)_jk s_j s_k c(a_j, a_k, rho_jk),     a = mu/s,

where c is the covariance of two rectified unit normals.  The diagonal is exact.  Pairs with |rho| <= cut
sum Mehler's series, whose order n is one product of matrices (batch x units):

    c = rho Phi(a) Phi(b) + sum_{n >= 2} rho^n psi_{n-2}(a) psi_{n-2}(b) / (n (n - 1)),   psi_k = He_k phi / sqrt(k!),

and what is left out after order N is at most .188 |rho|^{N+1} / ((1 - |rho|) N (N + 1)), since Cramer's
inequality bounds |psi_k psi_k|.  The other pairs, near-duplicates among them, integrate

    c = rho Phi(a) Phi(b) + 1/(2 pi) int_0^{artanh rho} (rho - tanh y) sech y e^{-Q(y)} dy,
    Q(y) = [(a + b)^2 (1 + e^{-2y}) + (a - b)^2 (1 + e^{2y})] / 8,

by panels of Gauss points in y, where no layer is thinner than 1.  The cut is the one that costs least.
Every |error of c| is below `error` plus rounding, so the loss errs by at most
error * sum_{j != k} |(W_d^T W_d)_jk| s_j s_k.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from numerics.checks import positive

CUTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CRAMER = 0.188  # a bound on psi_k(a) psi_k(b)
NODES = 14
PANEL = 1.5  # width of a panel; the integrand is analytic within pi/2 of it
CHUNK = 2**17


class Terms(NamedTuple):
    """The clean loss and the three terms that noise adds, averaged over the batch."""

    clean: Tensor
    margin: Tensor
    sparsity: Tensor
    specialisation: Tensor


def marginalised_loss(
    x: Tensor, W_e: Tensor, b_e: Tensor, W_d: Tensor, b_d: Tensor, sigma: float, *, target=None, error: float = 1e-9
) -> Tensor:
    """E |target - W_d (W_e (x + eps) + b_e)_+ - b_d|^2 over eps ~ N(0, sigma^2 I), averaged over the rows of x.

    Args:
        x: data, shape (B, n), float64 or float32; all tensors share dtype and device.
        W_e: encoder, shape (m, n).
        b_e: its bias, shape (m,), or (1,) for one shared by all units.
        W_d: decoder, shape (o, m).
        b_d: its bias, shape (o,).
        sigma: standard deviation of the noise on each input, >= 0.
        target: shape (B, o); x unless given.
        error: bound on the error of each covariance, in units of s_j s_k.

    Returns:
        A scalar, once differentiable in every tensor.

    Raises:
        TypeError, ValueError: naming the argument that does not fit.
    """
    target = x if target is None else target
    _check(x, W_e, b_e, W_d, b_d, sigma, target, error)
    z, s, rho = _inputs(x, W_e, b_e, sigma)
    a = z / torch.where(s > 0, s, torch.ones_like(s))
    mean = torch.where(s > 0, z * _below(a) + s * _density(a), torch.relu(z))
    rest = target - b_d - mean @ W_d.T
    weight = (W_d.T @ W_d) * s[:, None] * s
    variance = _variance(a)
    pairs = _Pairs.apply(a, rho, weight, error)
    return rest.square().sum(1).mean() + (variance @ weight.diagonal()).mean() + pairs


def marginalised_terms(x, W_e, b_e, W_d, b_d, sigma, *, target=None, error: float = 1e-9) -> Terms:
    """The same loss in its four parts; their sum is `marginalised_loss`."""
    target = x if target is None else target
    _check(x, W_e, b_e, W_d, b_d, sigma, target, error)
    z, s, rho = _inputs(x, W_e, b_e, sigma)
    a = z / torch.where(s > 0, s, torch.ones_like(s))
    rest = target - b_d - torch.relu(z) @ W_d.T
    shift = s * _shift(a)
    gram = W_d.T @ W_d
    weight = gram * s[:, None] * s
    square = _variance(a) + _shift(a).square()
    other = gram - torch.diag(gram.diagonal())
    return Terms(
        clean=rest.square().sum(1).mean(),
        margin=-2 * ((rest @ W_d) * shift).sum(1).mean(),
        sparsity=(square @ weight.diagonal()).mean(),
        specialisation=_Pairs.apply(a, rho, weight, error) + ((shift @ other) * shift).sum(1).mean(),
    )


def remainder(rho: float, order: int) -> float:
    """A bound on what Mehler's series leaves out after `order`, for correlations up to |rho| < 1."""
    return CRAMER * abs(rho) ** (order + 1) / ((1 - abs(rho)) * order * (order + 1))


class _Pairs(torch.autograd.Function):
    """Mean over rows of sum_{j != k} weight_jk c(a_j, a_k, rho_jk), with its gradient, found in one pass."""

    @staticmethod
    def forward(ctx, a, rho, weight, error):
        rho = rho.detach().clone().fill_diagonal_(0)
        cut, order = _plan(rho.abs(), len(a), error)
        far = torch.triu(rho.abs() > cut)
        slopes = [torch.zeros_like(v) for v in (a, rho, weight)]
        _mehler(a, torch.where(far | far.T, 0.0, rho), weight, order, *slopes)
        _far_pairs(a, rho, weight, far, error, *slopes)
        by_a, by_rho, covariances = slopes
        value = (weight * covariances).sum()
        by_rho *= weight
        ctx.save_for_backward(*(v / len(a) for v in (by_a, by_rho, covariances)))
        return value / len(a)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):
        by_a, by_rho, covariances = ctx.saved_tensors
        return upstream * by_a, upstream * by_rho, upstream * covariances, None


def _mehler(a, rho, weight, order, by_a, by_rho, covariances) -> None:
    """Add the series to the covariances, summed over rows, and to their slopes."""
    before, psi = torch.zeros_like(a), _density(a)
    factor, slope = _below(a), psi
    power, last = rho, torch.ones_like(rho)
    for n in range(1, order + 1):
        product = factor.T @ factor
        covariances.addcmul_(power, product)
        by_rho.addcmul_(last, product, value=n)
        by_a.addcmul_(factor @ (weight * power), slope, value=2)
        if n == order:
            break
        # factor n + 1 is psi_{n-1} / sqrt(n (n + 1)), its slope -psi_n / sqrt(n + 1)
        before, psi = psi, (a * psi - math.sqrt(n - 1) * before) / math.sqrt(n)
        factor, slope = before / math.sqrt(n * (n + 1)), -psi / math.sqrt(n + 1)
        power, last = power * rho, power


def _far_pairs(a, rho, weight, far, error, by_a, by_rho, covariances) -> None:
    """Add the pairs `far`, j < k, by quadrature."""
    first, second = far.nonzero(as_tuple=True)
    if not len(first):
        return
    nats = -math.log(error) + 3
    reach = torch.atanh(rho[first, second].abs().double().clamp(max=1 - 1e-16)).clamp(max=nats / 3 + 1)
    panels = torch.ceil(reach / PANEL).long()
    for count in panels.unique().tolist():
        members = (panels == count).nonzero().squeeze(1)
        for part in members.split(max(1, CHUNK // len(a))):
            j, k = first[part], second[part]
            r, w = rho[j, k], weight[j, k]
            c, by_r, by_j, by_k = _quadrature(a[:, j], a[:, k], r, reach[part].to(a), count, nats)
            for one, other in ((j, k), (k, j)):
                covariances.index_put_((one, other), c.sum(0))
                by_rho.index_put_((one, other), by_r.sum(0))
            by_a.index_add_(1, j, 2 * w * by_j)
            by_a.index_add_(1, k, 2 * w * by_k)


def _quadrature(a, b, rho, reach, count, nats):
    """C and its slopes in rho, a and b, each of shape (B, pairs)."""
    sign = torch.sign(rho)
    along, against = (a + sign * b).square(), (a - sign * b).square()
    most = torch.log((8 * nats + along + against) / against) / 2  # beyond it e^-Q counts no more
    half = torch.minimum(most, reach) / (2 * count)
    Pa, Pb = _below(a), _below(b)
    c, by_r = rho * Pa * Pb, Pa * Pb
    by_a, by_b = rho * _density(a) * Pb, rho * _density(b) * Pa
    for node, weight in _gauss():
        for panel in range(count):
            y = half * (2 * panel + 1 + node)
            shrinks, grows = 1 + torch.exp(-2 * y), 1 + torch.exp(2 * y)
            sech = 2 * torch.exp(-y) / shrinks
            p = (weight / (2 * math.pi)) * half * sech * torch.exp(-(along * shrinks + against * grows) / 8)
            part = p * (rho.abs() - 1 + 2 / grows)  # rho - tanh y
            c = c + part
            by_r = by_r + sign * p
            with_sum, with_gap = (a + sign * b) * shrinks / 4, (a - sign * b) * grows / 4
            by_a = by_a - part * (with_sum + with_gap)
            by_b = by_b - sign * part * (with_sum - with_gap)
    return c, by_r, by_a, by_b


@cache
def _gauss():
    return tuple(zip(*(v.tolist() for v in np.polynomial.legendre.leggauss(NODES)), strict=True))


@cache
def _order(cut: float, error: float) -> int:
    """The first order after which Mehler's series is within `error` for correlations up to `cut`."""
    order = 1
    while remainder(cut, order) > error:
        order += 1
    return order


def _plan(size, rows, error):
    """The cut and the order of the series that keep `error` at the least cost, by rough counts of operations."""
    units, choices = len(size), []
    for cut in CUTS:
        order = _order(cut, error)
        far = int((size > cut).sum()) // 2
        cost = order * (4 * rows * units + 20 * units) * units / 8 + far * rows * NODES * 2 * 40
        choices.append((cost, cut, order))
    return min(choices)[1:]


def _inputs(x, W_e, b_e, sigma):
    """Mean and width of every pre-activation, and their correlations."""
    norms = torch.linalg.vector_norm(W_e, dim=1)
    unit = W_e / torch.where(norms > 0, norms, torch.ones_like(norms))[:, None]
    rho = (unit @ unit.T).clamp(-1, 1)  # beyond 1 by rounding alone, says Cauchy
    return x @ W_e.T + b_e, sigma * norms, rho


def _density(x):
    return torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)


def _below(x):
    """The normal distribution function; torch's own is 0 from -9 on."""
    return torch.erfc(-x / math.sqrt(2)) / 2


def _shift(a):
    """E[eta]/s."""
    return _density(a) - a.abs() * _below(-a.abs())


def _variance(a):
    """The variance of the rectified unit normal, free of cancellation on the active side."""
    g = _shift(a)
    return _below(a) - a.abs() * g - g.square()


def _check(x, W_e, b_e, W_d, b_d, sigma, target, error) -> None:
    tensors = dict(x=x, W_e=W_e, b_e=b_e, W_d=W_d, b_d=b_d, target=target)
    for name, value in tensors.items():
        if not isinstance(value, Tensor) or value.dtype not in (torch.float32, torch.float64):
            raise TypeError(f"{name} must be a float32 or float64 tensor, got {getattr(value, 'dtype', type(value))}")
        if value.dtype != x.dtype or value.device != x.device:
            raise TypeError(f"{name} is {value.dtype} on {value.device}, but x is {x.dtype} on {x.device}")
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} is not finite")
    if x.ndim != 2 or W_e.ndim != 2 or W_d.ndim != 2 or not len(x):
        raise ValueError(
            f"x {tuple(x.shape)}, W_e {tuple(W_e.shape)}, W_d {tuple(W_d.shape)} must be non-empty matrices"
        )
    (B, n), m, o = x.shape, len(W_e), len(W_d)
    wanted: dict[str, tuple[tuple[int, ...], ...]] = dict(
        W_e=((m, n),), b_e=((m,), (1,)), W_d=((o, m),), b_d=((o,),), target=((B, o),)
    )
    for name, shapes in wanted.items():
        if tuple(tensors[name].shape) not in shapes:
            raise ValueError(f"{name} has shape {tuple(tensors[name].shape)}; {shapes[0]} is needed")
    if sigma != 0:
        positive("sigma", sigma)
    positive("error", error)
