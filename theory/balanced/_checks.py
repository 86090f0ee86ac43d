"""Arguments of the balanced network: shapes, balance, and what the flow needs of them."""

from dataclasses import dataclass

import numpy as np

from laws.arrays import positive, real_array

EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Task:
    """A balanced network and its task in the variables sqrt(c) W, in which its inputs are white; times over tau."""

    F: np.ndarray  # shape (Ni + No, Ni + No), equation (4)
    Q0: np.ndarray  # shape (Ni + No, Nh)
    times: np.ndarray  # shape (T,)
    covariance: float
    lam: float
    inputs: int
    outputs: int


def network(W1, W2, sigma_yx, times, tau, input_covariance) -> Task:
    """The task of these arguments; ValueError or TypeError, naming the argument, for what is none."""
    W1, W2, sigma = matrix("W1", W1), matrix("W2", W2), matrix("sigma_yx", sigma_yx)
    (Nh, Ni), (No, after) = W1.shape, W2.shape
    if after != Nh:
        raise ValueError(f"W1 has {Nh} hidden units, W2 has {after}: shapes {W1.shape} and {W2.shape}")
    if sigma.shape != (No, Ni):
        raise ValueError(f"sigma_yx has shape {sigma.shape}, the network maps {Ni} inputs to {No} outputs")
    c, tau = covariance(input_covariance), positive("tau", tau)
    lam = c * balance(W1, W2)
    F = np.block([[-lam / 2 * np.eye(Ni), sigma.T], [sigma, lam / 2 * np.eye(No)]])
    return Task(F, np.sqrt(c) * np.vstack([W1.T, W2]), moments(times) / tau, c, lam, Ni, No)


def balance(W1, W2) -> float:
    """Lambda of W2^T W2 - W1 W1^T = lambda I; ValueError with the measured defect if there is none.

    W1 has shape (Nh, Ni), W2 (No, Nh).  Rounding explains eps (Ni + Nh + No) times the squared norm of the
    weights: a defect up to that is allowed, and a lambda up to that is 0.
    """
    W1, W2 = matrix("W1", W1), matrix("W2", W2)
    if W2.shape[1] != len(W1):
        raise ValueError(f"W1 has {len(W1)} hidden units, W2 has {W2.shape[1]}: shapes {W1.shape} and {W2.shape}")
    difference = W2.T @ W2 - W1 @ W1.T
    lam = float(np.trace(difference)) / len(W1)
    defect = float(np.linalg.norm(difference - lam * np.eye(len(W1))))
    size = float((W1**2).sum() + (W2**2).sum())
    rounding = EPS * (sum(W1.shape) + len(W2)) * size
    if not defect <= rounding:
        raise ValueError(
            f"W1 and W2 are not balanced: W2^T W2 - W1 W1^T is {lam:.6g} I but for a defect of norm {defect:.3g} "
            f"({defect / size:.3g} of |W1|^2 + |W2|^2), which rounding does not explain"
        )
    return lam if abs(lam) > rounding else 0.0


def matrix(name: str, value) -> np.ndarray:
    """A matrix of finite real numbers in float64."""
    array = real_array(name, value)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} must be a matrix, got shape {array.shape}")
    return array


def moments(times) -> np.ndarray:
    """Times as a row of finite numbers >= 0."""
    array = real_array("times", times)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"times must be a row of numbers, got shape {array.shape}")
    if array.min() < 0:
        raise ValueError(f"times = {array.min()} is negative")
    return array


def covariance(value) -> float:
    """The variance c of inputs with <x x^T> = c I, from c or from that matrix."""
    array = real_array("input_covariance", value)
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        c = float(np.trace(array)) / len(array)
        defect = float(np.linalg.norm(array - c * np.eye(len(array))))
        if defect > EPS * len(array) * abs(c):
            raise ValueError(
                f"input_covariance differs from {c:.6g} I by {defect:.3g} in norm: the inputs are not white, "
                f"and no closed form is known; whiten them first"
            )
        array = np.asarray(c)
    return positive("input_covariance", array)
