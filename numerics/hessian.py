"""Derivatives of a network's outputs and loss at a point, and the spectrum of the Hessian.

With outputs f(theta), samples by outputs in one column, and L = c |f - y|^2, c = 1/(K D),

    H = 2c (J^T J + sum_i (f_i - y_i) hess f_i),      J = df/dtheta.

On the zero-loss manifold the sum is gone: H = 2c J^T J has the rank of J, at most K D however many parameters there
are, and its nonzero eigenvalues are those of 2c J J^T.  A count of eigenvalues that floating point leaves above 0
says nothing; here a rank is decided by the largest gap in the singular values of J, and the gap is returned.

A ReLU network has kinks, where a preactivation vanishes and no Hessian exists: `kinks` finds those nearby.

Dense derivatives are by autograd in double precision, for up to some thousand parameters; beyond that, `product`
multiplies by the Hessian and `lanczos` finds the ends of its spectrum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from numerics.checks import positive, whole
from numerics.ensemble import Network, Relu

Function = Callable[[Tensor], Tensor]


def jacobian(outputs: Function, theta: Tensor) -> Tensor:
    """df_i/dtheta_j with all outputs in one column; shape (outputs, parameters)."""
    theta = _point(theta)
    found = torch.func.jacrev(lambda row: outputs(row.view(theta.shape)).reshape(-1))(theta.reshape(-1))
    return _finite("jacobian", found)


def gradient(loss: Function, theta: Tensor) -> Tensor:
    """dL/dtheta in one row; shape (parameters,)."""
    theta = _point(theta)
    return _finite("gradient", torch.func.grad(_of_row(loss, theta))(theta.reshape(-1)))


def hessian(loss: Function, theta: Tensor) -> Tensor:
    """The matrix of second derivatives; shape (parameters, parameters)."""
    theta = _point(theta)
    found = torch.func.jacrev(torch.func.grad(_of_row(loss, theta)))(theta.reshape(-1))
    return _finite("hessian", found)


def third(loss: Function, theta: Tensor) -> Tensor:
    """The tensor of third derivatives; shape (parameters,) * 3, so for small networks alone."""
    theta = _point(theta)
    twice = torch.func.jacrev(torch.func.grad(_of_row(loss, theta)))
    return _finite("third", torch.func.jacrev(twice)(theta.reshape(-1)))


def third_along(loss: Function, theta: Tensor, matrix: Tensor) -> Tensor:
    """The gradient of tr(M H) for a constant matrix M, without the whole tensor; shape (parameters,)."""
    theta = _point(theta)
    if tuple(matrix.shape) != (theta.numel(),) * 2:
        raise ValueError(f"matrix has shape {tuple(matrix.shape)}: {(theta.numel(),) * 2} is needed")
    twice = torch.func.jacrev(torch.func.grad(_of_row(loss, theta)))
    weighted = lambda row: (twice(row) * matrix.T).sum()  # noqa: E731
    return _finite("third", torch.func.grad(weighted)(theta.reshape(-1)))


def product(loss: Function, theta: Tensor) -> Function:
    """V -> H v, at the price of a few gradients, for networks of any size; v of shape (parameters,)."""
    theta = _point(theta)
    pull_back = torch.func.vjp(torch.func.grad(_of_row(loss, theta)), theta.reshape(-1))[1]
    return lambda v: pull_back(v)[0]  # the Hessian is symmetric: to pull back is to multiply by it


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a symmetric matrix, of which some are zero but for round-off.

    Attributes:
        values: all eigenvalues, increasing.
        error: what round-off may have done to each of them, eps n max |value|.
        rank: how many are not zero.
        gap: the smallest nonzero one over the largest of the others, in size; a small gap leaves the rank open.
    """

    values: Tensor
    error: float
    rank: int
    gap: float

    @property
    def nonzero(self) -> Tensor:
        """The eigenvalues that are not zero, increasing."""
        largest = self.values.abs().argsort(descending=True)[: self.rank]
        return self.values[largest].sort().values

    @property
    def trace(self) -> tuple[float, float]:
        """The sum of the nonzero eigenvalues, and its error."""
        return float(self.nonzero.sum()), self.error * self.rank

    @property
    def log_determinant(self) -> tuple[float, float]:
        """The sum of the logarithms of the nonzero eigenvalues, and its error; ValueError if one is negative."""
        values = self.nonzero
        if bool((values <= self.error).any()):
            raise ValueError(
                f"an eigenvalue is {float(values[0]):.3g}, with an error of {self.error:.1g}: no logarithm"
            )
        return float(values.log().sum()), float((self.error / (values - self.error)).sum())


def spectrum(matrix: Tensor, rank: int) -> Spectrum:
    """Of a symmetric matrix whose rank is known, from `rank_of` the Jacobian or otherwise."""
    n = len(matrix)
    if matrix.ndim != 2 or matrix.shape[1] != n or not bool(torch.isfinite(matrix).all()):
        raise ValueError(f"matrix of shape {tuple(matrix.shape)} is not square, or not finite")
    asymmetry, size = float((matrix - matrix.T).abs().max()), float(matrix.abs().max())
    if asymmetry > n * torch.finfo(matrix.dtype).eps * size:
        raise ValueError(f"matrix is not symmetric: {asymmetry:.3g} off, where its largest entry is {size:.3g}")
    if not 0 <= whole("rank", rank, least=0) <= n:
        raise ValueError(f"rank = {rank} is above the {n} rows")
    values = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    sizes = values.abs().sort(descending=True).values
    error = torch.finfo(matrix.dtype).eps * n * float(sizes[0])
    return Spectrum(values, error, rank, _gap(sizes, rank))


def rank_of(jacobian: Tensor) -> tuple[int, float]:
    """The rank of a matrix, where its singular values fall most, and by what factor they fall there.

    Values below round-off, eps max(shape) times the largest, count as equal to it: they cannot be told apart.
    """
    sizes = torch.linalg.svdvals(jacobian)
    if not len(sizes) or float(sizes[0]) == 0:
        return 0, float("inf")
    floor = torch.finfo(sizes.dtype).eps * max(jacobian.shape) * sizes[0]
    clear = torch.cat([sizes.clamp(min=float(floor)), floor[None]])
    rank = int((clear[:-1] / clear[1:]).argmax()) + 1
    return rank, _gap(clear, rank)


@dataclass(frozen=True)
class Lanczos:
    """Approximate eigenvalues, increasing, each within its bound of a true one, and their vectors in columns."""

    values: Tensor
    bounds: Tensor
    vectors: Tensor


def lanczos(multiply: Function, size: int, *, steps: int, seed: int, dtype=torch.float64, device="cpu") -> Lanczos:
    """Ritz values of a symmetric operator after some steps from a random vector, the ends of the spectrum first.

    The basis is kept orthogonal.  Each bound is the residual |H v - value v|, recomputed: there is an eigenvalue no
    farther than that.
    """
    size, steps = whole("size", size), whole("steps", steps)
    if steps > size:
        raise ValueError(f"steps = {steps} is above the {size} rows")
    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(size, generator=generator, dtype=torch.float64).to(dtype).to(device)
    basis = torch.zeros(size, 0, dtype=dtype, device=device)
    images = torch.zeros_like(basis)
    for _ in range(steps):
        vector = vector / vector.norm()
        image = multiply(vector)
        if not bool(torch.isfinite(image).all()):
            raise ValueError("the operator gave numbers that are not finite")
        basis, images = torch.cat([basis, vector[:, None]], 1), torch.cat([images, image[:, None]], 1)
        vector = image
        for _ in range(2):  # twice is enough
            vector = vector - basis @ (basis.T @ vector)
        if float(vector.norm()) <= size * torch.finfo(dtype).eps * float(images.norm()):
            break  # the space is invariant: what has been found is exact
    projected = basis.T @ images
    values, turns = torch.linalg.eigh((projected + projected.T) / 2)
    vectors = basis @ turns
    return Lanczos(values, (images @ turns - vectors * values).norm(dim=0), vectors)


def kinks(network: Network, theta: Tensor, x: Tensor, within: float) -> Tensor:
    """Pairs (unit, sample) whose preactivation is at most `within` times its scale |w| |x| + |b|; shape (n, 2).

    There a ReLU network has no Hessian, or a step might find another; other activations have no kinks.
    """
    positive("within", within)
    theta = _point(theta)
    if tuple(theta.shape) != network.shape or x.ndim != 2 or x.shape[1] != network.inputs:
        raise ValueError(f"theta of shape {tuple(theta.shape)} and x of {tuple(x.shape)} do not fit {network}")
    if not isinstance(network.activation, Relu):
        return torch.zeros(0, 2, dtype=torch.int64, device=theta.device)
    w, b, _ = network.parts(theta)
    scale = w.norm(dim=1)[:, None] * x.norm(dim=1) + b.abs()[:, None]
    return ((w @ x.T + b[:, None]).abs() <= within * scale).nonzero()


def _gap(sizes: Tensor, rank: int) -> float:
    if rank == len(sizes) or rank == 0 or float(sizes[rank]) == 0:
        return float("inf")
    return float(sizes[rank - 1] / sizes[rank])


def _of_row(loss: Function, theta: Tensor) -> Function:
    return lambda row: loss(row.view(theta.shape))


def _point(theta) -> Tensor:
    if not isinstance(theta, Tensor) or theta.dtype not in (torch.float32, torch.float64):
        raise TypeError("theta must be a tensor of real numbers")
    if not theta.numel() or not bool(torch.isfinite(theta).all()):
        raise ValueError(f"theta, of shape {tuple(theta.shape)}, is empty or not finite")
    return theta.detach()


def _finite(name: str, found: Tensor) -> Tensor:
    if not bool(torch.isfinite(found).all()):
        raise ValueError(f"the {name} at theta is not finite")
    return found.detach()
