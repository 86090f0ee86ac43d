"""Equations (2) to (7) of `theory.drift` for any model, from its Hessian and third derivatives at a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laws.arrays import positive, real_array
from laws.law import formula

ZERO = np.sqrt(np.finfo(float).eps)  # an eigenvalue below this part of the largest is one of the manifold's


@dataclass(frozen=True)
class _Point:
    """A point of the zero-loss manifold: the eigenvalues across it, their directions, and the projector along it."""

    values: np.ndarray
    across: np.ndarray
    along: np.ndarray

    def matrix(self, of) -> np.ndarray:
        """The matrix with eigenvalue of(lambda) across the manifold, and 0 along it."""
        return (self.across * of(self.values)) @ self.across.T


def point_of(hessian, eta: float) -> _Point:
    H = real_array("hessian", hessian)
    if H.ndim != 2 or H.shape[0] != H.shape[1]:
        raise ValueError(f"hessian has shape {H.shape}: a square matrix is needed")
    size = np.abs(H).max(initial=0)
    if np.abs(H - H.T).max() > ZERO * size:
        raise ValueError(f"hessian is not symmetric: {np.abs(H - H.T).max():.3g} off")
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    zero = np.abs(values) <= ZERO * np.abs(values).max()
    if not values[-1] > 0 or (values[~zero] < 0).any():
        raise ValueError(f"hessian is indefinite: its eigenvalues go from {values[0]:.3g} to {values[-1]:.3g}")
    if not zero.any():
        raise ValueError(f"hessian has no null space, its least eigenvalue being {values[0]:.3g}: no manifold")
    if eta * values[-1] >= 2:
        raise ValueError(f"eta = {eta} times the largest eigenvalue {values[-1]:.4g} must be below 2")
    along = vectors[:, zero] @ vectors[:, zero].T
    return _Point(values[~zero], vectors[:, ~zero], along)


def _third(third, n: int) -> np.ndarray:
    T = real_array("third", third)
    if T.shape != (n, n, n):
        raise ValueError(f"third has shape {T.shape}: {(n, n, n)} is needed")
    off = max(np.abs(T - T.transpose(axes)).max() for axes in ((1, 0, 2), (0, 2, 1)))
    if off > ZERO * np.abs(T).max():
        raise ValueError(f"third is not symmetric: {off:.3g} off")
    return T


def fluctuation(hessian, eta: float, sigma: float, c: float | None = None) -> np.ndarray:
    """The covariance across the manifold, (2) for update noise or, with c, (3) for label noise; shape (P, P).

    Args:
        hessian: H at a point of the manifold, shape (P, P).
        eta: step, with eta lambda_max < 2.
        sigma: standard deviation of the noise, of a parameter in a step or of a label.
        c: L = c |f - y|^2; 1/(K D) for the mean squared error.

    Raises:
        ValueError: for a point without tangent direction, an indefinite H, eta lambda_max >= 2, numbers that are
            not positive and shapes that do not fit.
    """
    eta, sigma = positive("eta", eta), positive("sigma", sigma)
    point = point_of(hessian, eta)
    if c is None:
        return sigma**2 / (2 * eta) * point.matrix(lambda value: 1 / (value * (1 - eta * value / 2)))
    return positive("c", c) * eta * sigma**2 * point.matrix(lambda value: 1 / (1 - eta * value / 2))


@formula(
    r"""\langle \Delta \theta \rangle = {-\frac{\eta}{2}} P_T\, T[C] - \frac{\sigma^2}{2} H^+ T[P_T],
    \quad C = \frac{\sigma^2}{2 \eta} H^+ \left( 1 - \frac{\eta H}{2} \right)^{-1}"""
)
def update_noise_drift(hessian, third, eta: float, sigma: float) -> np.ndarray:
    """The mean step at a point of the manifold under update noise, along it and, where it is curved, across it.

    Args:
        hessian: H at a point of the manifold, shape (P, P), as of `numerics.hessian`.
        third: dH/dtheta there, shape (P, P, P).
        eta: step, with eta lambda_max < 2.
        sigma: standard deviation of the noise of a parameter in a step.

    Returns:
        the vector of equation (4) and the turn -(sigma^2/2) H^+ T[P_T], shape (P,).

    Raises:
        ValueError: as `fluctuation` does.

    Source: derived here, equations (4, 5).
    """
    C, point = fluctuation(hessian, eta, sigma), point_of(hessian, eta)
    T = _third(third, len(C))
    pushed = -(eta / 2) * point.along @ np.einsum("ijk,jk->i", T, C)
    turn = -(sigma**2 / 2) * point.matrix(lambda value: 1 / value) @ np.einsum("ijk,jk->i", T, point.along)
    return pushed + turn


@formula(
    r"""\langle \Delta \theta \rangle = {-\frac{\eta}{2}} P_T\, T[C],
    \quad C = c\, \eta \sigma^2 H H^+ \left( 1 - \frac{\eta H}{2} \right)^{-1}"""
)
def label_noise_drift(hessian, third, eta: float, sigma: float, c: float) -> np.ndarray:
    """The mean step at a point of the manifold under label noise of standard deviation sigma, L = c |f - y|^2.

    Arguments, errors and shapes as of `update_noise_drift`; there is no walk along the manifold at this order.

    Source: derived here, equation (4).
    """
    C, point = fluctuation(hessian, eta, sigma, c), point_of(hessian, eta)
    return -(eta / 2) * point.along @ np.einsum("ijk,jk->i", _third(third, len(C)), C)


def error_descent_fluctuation(hessian, eta: float, spread: float) -> np.ndarray:
    """The covariance (6) across the manifold of stochastic error descent, shape (P, P).

    Args:
        hessian: H at a point of the manifold, shape (P, P).
        eta: step, with kappa = eta s^2 so small that the spread of the loss itself stays bounded.
        spread: s, standard deviation of the perturbation of every parameter; small, or L has no terms of sixth order.

    Raises:
        ValueError: as `fluctuation` does, and where the spread is unbounded.
    """
    return _tried(hessian, eta, spread)[0]


@formula(
    r"""\langle \Delta \theta \rangle = {-\frac{\kappa}{2}} P_T\, T[C + s^2 I] - \frac{\kappa^2 Q}{2} H^+ T[P_T],
    \quad \kappa = \eta s^2

    Q = S + \frac{s^2}{4} \left[ (\mathrm{tr}\, H)^2 + 2\, \mathrm{tr}\, H^2 \right],
    \quad S = \sum_j \lambda_j^2 C_j,
    \quad C_i = \frac{\kappa (S + s^2 m_i/4)}{2 \lambda_i (1 - \kappa \lambda_i)}

    m_i = (\mathrm{tr}\, H)^2 + 2\, \mathrm{tr}\, H^2 + 4 \lambda_i\, \mathrm{tr}\, H + 8 \lambda_i^2"""
)
def error_descent_drift(hessian, third, eta: float, spread: float) -> np.ndarray:
    """The mean step (7) of stochastic error descent at a point of the manifold, along it and, if it is curved, across.

    Args:
        hessian: H at a point of the manifold, shape (P, P), as of `numerics.hessian`.
        third: dH/dtheta there, shape (P, P, P).
        eta: step.
        spread: s, standard deviation of the perturbation of every parameter.

    Raises:
        ValueError: as `error_descent_fluctuation` does.

    Source: derived here, equation (7).
    """
    C, walk, point = _tried(hessian, eta, spread)
    kappa, T = eta * spread**2, _third(third, len(C))
    pushed = -(kappa / 2) * point.along @ np.einsum("ijk,jk->i", T, C + spread**2 * np.eye(len(C)))
    turn = -(walk / 2) * point.matrix(lambda value: 1 / value) @ np.einsum("ijk,jk->i", T, point.along)
    return pushed + turn


def _tried(hessian, eta, spread):
    """Covariance across the manifold, variance per step along it, and the point."""
    eta, s = positive("eta", eta), positive("spread", spread)
    kappa = eta * s**2
    point = point_of(hessian, kappa)
    values = point.values
    shared = kappa / 2 * values / (1 - kappa * values)
    if not (kappa * values[-1] < 1 and shared.sum() < 1):
        raise ValueError(f"eta = {eta}, spread = {s}: eta s^2 = {kappa:.3g} is too large for {values.sum():.3g} = tr H")
    whole = values.sum() ** 2 + 2 * (values**2).sum()
    own = s**2 / 4 * (whole + 4 * values.sum() * values + 8 * values**2)
    square = shared @ own / (1 - shared.sum())  # <|H d|^2>
    return point.matrix(lambda value: shared * (square + own) / value**2), kappa**2 * (square + s**2 * whole / 4), point


@formula(r"\langle L \rangle = \frac{\sigma^2}{4 \eta} \sum_{\lambda_i > 0} \frac{1}{1 - \eta \lambda_i/2}")
def update_noise_floor(hessian, eta: float, sigma: float) -> float:
    """The mean loss under update noise, (sigma^2/4 eta) sum_i 1/(1 - eta lambda_i/2); errors as of `fluctuation`.

    Source: derived here, equation (2).
    """
    return float(np.einsum("ij,ij->", np.asarray(hessian), fluctuation(hessian, eta, sigma)) / 2)


@formula(r"\langle L \rangle = \frac{c\, \eta \sigma^2}{2} \sum_i \frac{\lambda_i}{1 - \eta \lambda_i/2}")
def label_noise_floor(hessian, eta: float, sigma: float, c: float) -> float:
    """The mean loss over clean labels under label noise, (c eta sigma^2/2) sum_i lambda_i/(1 - eta lambda_i/2).

    Source: derived here, equation (3).
    """
    return float(np.einsum("ij,ij->", np.asarray(hessian), fluctuation(hessian, eta, sigma, c)) / 2)
