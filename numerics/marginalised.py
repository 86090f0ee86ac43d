r"""The expected loss of a noisy ReLU autoencoder, differentiable in torch, with no noise sampled.

For z_j ~ N(mu_j, s_j^2) with correlations rho_jk the loss averaged over the noise is

    |x - W_d E[h] - b_d|^2 + sum_jk (W_d^T W_d)_jk s_j s_k c(a_j, a_k, rho_jk),     a = mu/s,

where c is the covariance of two rectified unit normals.  The diagonal is exact.  Pairs with |rho| <= cut
sum Mehler's series, whose order n is one product of matrices (batch x units):

    c = rho Phi(a) Phi(b) + sum_{n >= 2} rho^n psi_{n-2}(a) psi_{n-2}(b) / (n (n - 1)),   psi_k = He_k phi / sqrt(k!),

and what is left out after order N is at most .188 |rho|^{N+1} / ((1 - |rho|) N (N + 1)), since Cramer's
inequality bounds |psi_k psi_k|.  The other pairs, near-duplicates among them, integrate

    c = rho Phi(a) Phi(b) + 1/(2 pi) int_0^Y (rho - tanh y) sech y e^{-Q(y)} dy,     Y = artanh rho,
    Q(y) = [(a + b)^2 (1 + e^{-2y}) + (a - b)^2 (1 + e^{2y})] / 8,

by one Gauss rule on the y axis.  For |Im y| <= pi/4 the real part of Q is not negative, |sech y| <= sqrt 2 and
|tanh y| <= 1, whatever a and b: in the largest such ellipse around [0, Y], whose half axes add up to e^q Y/2,
sinh q = pi/(2 |Y|), the integrand is at most 2 sqrt 2/(2 pi), and the rule of n points errs by at most
(64/15) |Y|/2 (2 sqrt 2/(2 pi)) e^{-2 q n}/(1 - e^{-2q}).  The cut is the one that costs least.
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

CUTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
CRAMER = 0.188  # a bound on psi_k(a) psi_k(b)
STEP = 0.1  # of reach, between one number of Gauss points and the next
CHUNK = 2**16  # numbers that stay in the cache while pairs are integrated


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
        x: data, shape (..., B, n), float64 or float32; all tensors share dtype, device and the leading axes, which
            run over networks.
        W_e: encoder, shape (..., m, n).
        b_e: its bias, shape (..., m), or (..., 1) for one shared by all units.
        W_d: decoder, shape (..., o, m).
        b_d: its bias, shape (..., o).
        sigma: standard deviation of the noise on each input, >= 0.
        target: shape (..., B, o); x unless given.
        error: bound on the error of each covariance, in units of s_j s_k.

    Returns:
        One number for each network, shape (...), once differentiable in every tensor.

    Raises:
        TypeError, ValueError: naming the argument that does not fit.
    """
    target = x if target is None else target
    _check(x, W_e, b_e, W_d, b_d, sigma, target, error)
    z, s, rho = _inputs(x, W_e, b_e, sigma)
    noisy, width = s > 0, s[..., None, :]
    a = z / torch.where(noisy, s, torch.ones_like(s))[..., None, :]
    mean = torch.where(noisy[..., None, :], z * _below(a) + width * _density(a), torch.relu(z))
    rest = target - b_d[..., None, :] - mean @ W_d.mT
    weight = (W_d.mT @ W_d) * s[..., :, None] * width
    alone = (_variance(a) * weight.diagonal(dim1=-2, dim2=-1)[..., None, :]).sum(-1)
    return (rest.square().sum(-1) + alone).mean(-1) + _close(a, rho, weight, error)


def marginalised_terms(x, W_e, b_e, W_d, b_d, sigma, *, target=None, error: float = 1e-9) -> Terms:
    """The same loss in its four parts; their sum is `marginalised_loss`."""
    target = x if target is None else target
    _check(x, W_e, b_e, W_d, b_d, sigma, target, error)
    z, s, rho = _inputs(x, W_e, b_e, sigma)
    width = s[..., None, :]
    a = z / torch.where(s > 0, s, torch.ones_like(s))[..., None, :]
    rest = target - b_d[..., None, :] - torch.relu(z) @ W_d.mT
    gram = W_d.mT @ W_d
    weight = gram * s[..., :, None] * width
    shift, square = width * _shift(a), _variance(a) + _shift(a).square()
    other = gram - torch.diag_embed(gram.diagonal(dim1=-2, dim2=-1))
    return Terms(
        clean=rest.square().sum(-1).mean(-1),
        margin=-2 * ((rest @ W_d) * shift).sum(-1).mean(-1),
        sparsity=(square * weight.diagonal(dim1=-2, dim2=-1)[..., None, :]).sum(-1).mean(-1),
        specialisation=_close(a, rho, weight, error) + ((shift @ other) * shift).sum(-1).mean(-1),
    )


def remainder(rho: float, order: int) -> float:
    """A bound on what Mehler's series leaves out after `order`, for correlations up to |rho| < 1."""
    return CRAMER * abs(rho) ** (order + 1) / ((1 - abs(rho)) * order * (order + 1))


def _close(a, rho, weight, error):
    """Mean over rows of sum_{j != k} weight_jk c(a_j, a_k, rho_jk), for each network."""
    flat = [v.reshape(-1, *v.shape[-2:]) for v in (a.mT, rho, weight)]
    return _Pairs.apply(*flat, error).reshape(a.shape[:-2])


class _Pairs(torch.autograd.Function):
    """The same for a (networks, units, B), rho and weight (networks, units, units), with its slopes in one pass."""

    @staticmethod
    def forward(ctx, a, rho, weight, error):
        a, rho = a.contiguous(), rho.detach().clone()
        rho.diagonal(dim1=-2, dim2=-1).zero_()
        cut, order = _plan(rho.abs(), a.shape[-1], error)
        far = torch.triu(rho.abs() > cut)
        slopes = [torch.zeros_like(v) for v in (a, rho, weight)]
        _mehler(a, torch.where(far | far.mT, 0.0, rho), weight, order, *slopes)
        _far_pairs(a, rho, weight, far, error, *slopes)
        by_a, by_rho, covariances = slopes
        value = (weight * covariances).sum((-2, -1)) / a.shape[-1]
        ctx.save_for_backward(*(v / a.shape[-1] for v in (by_a, by_rho * weight, covariances)))
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, upstream):
        return *(upstream[:, None, None] * v for v in ctx.saved_tensors), None


def _mehler(a, rho, weight, order, by_a, by_rho, covariances) -> None:
    """Add the series to the covariances, summed over rows, and to their slopes."""
    below, psi, before = _below(a), _density(a), torch.zeros_like(a)
    product = below @ below.mT
    covariances.addcmul_(rho, product)
    by_rho += product
    by_a.addcmul_((weight * rho) @ below, psi, value=2)
    power = rho
    for n in range(2, order + 1):
        last, power = power, power * rho
        product = psi @ psi.mT  # psi is psi_{n-2}; its slope is -sqrt(n - 1) psi_{n-1}
        covariances.addcmul_(power, product, value=1 / (n * (n - 1)))
        by_rho.addcmul_(last, product, value=1 / (n - 1))
        carried = (weight * power) @ psi
        rest = before * (-math.sqrt((n - 2) / (n - 1)))
        before, psi = psi, torch.addcmul(rest, a, psi, value=1 / math.sqrt(n - 1))
        by_a.addcmul_(carried, psi, value=-2 / (n * math.sqrt(n - 1)))


def _far_pairs(a, rho, weight, far, error, by_a, by_rho, covariances) -> None:
    """Add the pairs `far`, j < k, by quadrature."""
    which, first, second = far.nonzero(as_tuple=True)
    if not len(which):
        return
    reach = _reach(rho[which, first, second])
    points = _points(reach, error)
    rows = [v.reshape(-1, a.shape[-1]) for v in (a, _below(a), _density(a))]
    for count in points.unique().tolist():
        members = (points == count).nonzero().squeeze(1)
        for part in members.split(max(1, CHUNK // (a.shape[-1] * count))):
            g, j, k = which[part], first[part], second[part]
            one, other = ([v[g * a.shape[1] + unit] for v in rows] for unit in (j, k))
            c, by_r, by_j, by_k = _quadrature(one, other, rho[g, j, k], reach[part], count)
            for row, column in ((j, k), (k, j)):
                covariances.index_put_((g, row, column), c.sum(1))
                by_rho.index_put_((g, row, column), by_r.sum(1))
            twice = 2 * weight[g, j, k][:, None]
            units = torch.cat([g * a.shape[1] + j, g * a.shape[1] + k])
            by_a.view(-1, a.shape[-1]).index_add_(0, units, torch.cat([twice * by_j, twice * by_k]))


def _reach(rho):
    """Y, the end of the integral for |rho|; two units that are one end where rounding would part them."""
    return torch.atanh(rho.abs().clamp(max=1 - torch.finfo(rho.dtype).eps))


def gauss_points(reach: float, error: float) -> int:
    """How many Gauss points keep the error of a covariance below `error`, where |artanh rho| is `reach` > 0."""
    decay = 2 * math.asinh(math.pi / (2 * reach))
    first = 64 / 15 * reach / 2 * math.sqrt(8) / (2 * math.pi) / (1 - math.exp(-decay))
    return max(2, math.ceil(math.log(first / error) / decay))


def _points(reach, error):
    """`gauss_points` for each pair, rounded up to a multiple of four, so that few rules serve all pairs."""
    steps = [gauss_points(STEP * k, error) for k in range(1, 2 + math.ceil(float(reach.max()) / STEP))]
    rounded = torch.tensor([4 * math.ceil(n / 4) for n in steps], device=reach.device)
    return rounded[torch.floor(reach / STEP).long()]


def _quadrature(one, other, rho, reach, count):
    """C and its slopes in rho, a and b, each of shape (pairs, B), from a, Phi(a), phi(a) and the same of b."""
    (a, below_a, density_a), (b, below_b, density_b) = one, other
    nodes, weights = (torch.as_tensor(v, dtype=a.dtype, device=a.device) for v in _gauss(count))
    sign, end, half = torch.sign(rho)[:, None], rho.abs()[:, None], reach[:, None] / 2
    y = half * (1 + nodes)
    shrinks, grows = 1 + torch.exp(-2 * y), 1 + torch.exp(2 * y)
    measure = half * weights / (2 * math.pi * torch.cosh(y))
    part = measure * (end - 1 + 2 / grows)  # of rho - tanh y
    plus, minus = torch.addcmul(a, sign, b), torch.addcmul(a, sign, b, value=-1)
    squares = torch.stack([plus.square(), minus.square()], 1)
    density = torch.exp(torch.stack([shrinks, grows], -1) / -8 @ squares)
    columns = torch.stack([measure * sign, part, part * shrinks / 4, part * grows / 4], 1)
    slope, value, by_sum, by_gap = (columns @ density).unbind(1)
    by_sum, by_gap, r = by_sum * plus, by_gap * minus, rho[:, None]
    both = below_a * below_b
    return (
        torch.addcmul(value, r, both),
        both + slope,
        r * density_a * below_b - by_sum - by_gap,
        r * density_b * below_a - sign * (by_sum - by_gap),
    )


@cache
def _gauss(count: int):
    return np.polynomial.legendre.leggauss(count)


@cache
def _order(cut: float, error: float) -> int:
    """The first order after which Mehler's series is within `error` for correlations up to `cut`."""
    order = 1
    while remainder(cut, order) > error:
        order += 1
    return order


def _plan(size, rows, error):
    """The cut and the order of the series that keep `error` at the least cost, in rough nanoseconds of one core."""
    networks, units, choices = len(size), size.shape[-1], []
    for cut in CUTS:
        order, far = _order(cut, error), int((size > cut).sum()) // 2
        series = order * (networks * (0.1 * rows * units**2 + 6 * (rows + units) * units) + 120_000)
        choices.append((series + 200 * far * rows + 1_000_000 * (far > 0), cut, order))
    return min(choices)[1:]


def _inputs(x, W_e, b_e, sigma):
    """Mean and width of every pre-activation, and their correlations."""
    norms = torch.linalg.vector_norm(W_e, dim=-1)
    unit = W_e / torch.where(norms > 0, norms, torch.ones_like(norms))[..., None]
    rho = (unit @ unit.mT).clamp(-1, 1)  # beyond 1 by rounding alone, says Cauchy
    return x @ W_e.mT + b_e[..., None, :], sigma * norms, rho


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
    if min(x.ndim, W_e.ndim, W_d.ndim) < 2 or not x.numel():
        raise ValueError(
            f"x {tuple(x.shape)}, W_e {tuple(W_e.shape)}, W_d {tuple(W_d.shape)} must be non-empty matrices"
        )
    (*networks, B, n), m, o = x.shape, W_e.shape[-2], W_d.shape[-2]
    wanted: dict[str, tuple[tuple[int, ...], ...]] = dict(
        W_e=((m, n),), b_e=((m,), (1,)), W_d=((o, m),), b_d=((o,),), target=((B, o),)
    )
    for name, shapes in wanted.items():
        if tuple(tensors[name].shape) not in [(*networks, *shape) for shape in shapes]:
            raise ValueError(f"{name} has shape {tuple(tensors[name].shape)}; {(*networks, *shapes[0])} is needed")
    if sigma != 0:
        positive("sigma", sigma)
    positive("error", error)
