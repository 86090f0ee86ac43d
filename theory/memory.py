"""Associative memory by softmax: how many keys retrieval uses when its query is noisy.

Problem.  N keys k_i of length r, orthogonal to each other; a query is one of them, the target k_*, with normal noise,
q = k_* + sigma xi.  Attention answers with the weighted keys

    y = sum_i p_i k_i,     p_i = exp(beta q.k_i)/sum_j exp(beta q.k_j),                            (1)

and is to bring |k_* - y|^2 down.  The error is least for the posterior mean, whose log-odds are those of two normal
densities; keys being of one length, |q|^2 and |k_i|^2 fall out, and they are those of (1) with

    beta = 1/sigma^2.                                                                              (2)

At (2) the target and a key drawn with the chances p_i are equally distributed, given the query, so that

    <p_*> = <sum_i p_i^2> =: 1/K                                                                   (3)

(the Nishimori identity): K is the effective number of keys, 1 where one key alone is used, N where all are alike.
The error then follows from it alone,

    <|k_* - y|^2> = r^2 (1 - 1/K),                                                                 (4)

and falls as the signal r/sigma grows (noise can be added to a query, and the posterior mean cannot gain by that): more
noise, more keys.  It is the inverse of what noise does to learnt codes, where it silences units.  With
exp(g^2 + g z) and exp(g z) as weights of the target and of another key, g = r/sigma, z normal, and 1/x the integral of
exp(-u x),

    1/K = int_0^oo <x e^(-u x)>_{x = exp(g^2 + g z)} <e^(-u x)>_{x = exp(g z)}^(N - 1) du,         (5)

    K = N - (N - 1) r^2/sigma^2 + O(1/sigma^4)   at much noise.                                    (6)

Hypotheses.  Equal length for (2) and (3); orthogonal keys for (4)-(6); normal noise; the target drawn evenly.

Proved.  (2) from the densities, (4) from (1) and (3), (6) from the moments of normal variables.

Source: the relation is stated in words by Bricken et al. 2023, appendix K; its law is derived here.
"""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from laws.arrays import real_array
from laws.law import Law, Source, Step, formula

beta, K = sp.symbols("beta K", real=True)
r, sigma, N, error = sp.symbols("r sigma N E", real=True)
APPENDIX = Source("bricken-2023", "App. K, in words; derived here")

RANGE = 9.5  # of a normal variable: what lies beyond weighs less than 1e-20


def _log_odds(query, one, other):
    """How much more likely the query is from one key than from another, in logarithms."""
    away = lambda key: (query - key).dot(query - key) / (2 * sigma**2)  # noqa: E731
    return sp.expand(away(other) - away(one))


def _planar():
    """A query and two keys of one length in a plane."""
    one, other = sp.Matrix([39, 52]) / 50, sp.Matrix([25, -60]) / 50
    return sp.Matrix(sp.symbols("x y", real=True)), one, other


def _misses(temperature):
    """Log-odds of attention less those of the densities, per component of the query."""
    query, one, other = _planar()
    gap = temperature * query.dot(one - other) - _log_odds(query, one, other)
    return tuple(sp.expand(gap).coeff(x) for x in query)


inverse_temperature = Law(
    beta,
    1 / sigma**2,
    solves=_misses,
    given=(sigma > 0,),
    source=APPENDIX,
    examples=(dict(sigma=0.3), dict(sigma=1.7)),
)


def _squared(p):
    """The squared error of orthogonal keys with weights p, of which the first is the target's."""
    return r**2 * ((1 - p[0]) ** 2 + sum(x**2 for x in p[1:]))


retrieval_error = Law(
    error,
    r**2 * (1 - 1 / K),
    solves=lambda e: (e - r**2 * (1 - 2 / K + 1 / K),),  # <p_*> and <sum p^2> are both 1/K
    given=(r > 0, K >= 1),
    source=APPENDIX,
    examples=(dict(r=1.3, K=2.6), dict(r=0.7, K=14)),
)


def _weight():
    """<p_*> to second order in g = r/sigma, for any N: the moments of N - 1 other keys are counted, not drawn."""
    g, z, A, B = sp.symbols("g z A B", real=True)  # target's z; sum of z and of z^2 over the others
    target = sp.series(sp.exp(g**2 + g * z), g, 0, 3).removeO()
    ratio = sp.series(target / (target + N - 1 + g * A + g**2 * B / 2), g, 0, 3).removeO()
    moments = {(0, 0, 0): 1, (2, 0, 0): 1, (0, 2, 0): N - 1, (0, 0, 1): N - 1}
    terms = sp.Poly(sp.expand(ratio), z, A, B).terms()
    return sp.simplify(sum(c * moments.get(powers, 0) for powers, c in terms).subs(g, r / sigma))


effective_keys_in_noise = Law(
    K,
    N - (N - 1) * r**2 / sigma**2,
    solves=lambda K: (K * _weight() - 1,),
    given=(N >= 2, r > 0, sigma > 0),
    source=APPENDIX,
    examples=(dict(N=3, r=0.1, sigma=1.7), dict(N=12, r=0.2, sigma=2.3)),
    upto=(r, sp.Integer(4)),
)


@formula(
    r"""\frac{1}{K} = \int_0^{\infty} \langle A e^{-u A} \rangle \langle e^{-u B} \rangle^{N - 1} d u

    \text{where } A = e^{g^2 + g z},
    \quad B = e^{g z},
    \quad g = \frac{r}{\sigma},
    \quad z \sim \mathcal{N}(0, 1)"""
)
def effective_keys(signal, keys: int) -> np.ndarray:
    """How many of N orthogonal keys softmax retrieval uses at its best temperature, Eq. (5).

    Args:
        signal: length of a key over the standard deviation of the query's noise, r/sigma; above 0, at most 20.
        keys: N, whole, at least 2.

    Returns:
        K, between 1 and N, in float64; the shape of `signal`.

    Raises:
        ValueError, TypeError: for a signal or a number of keys outside these ranges.

    Source: derived here; bricken-2023, App. K, in words.
    """
    g = real_array("signal", signal)
    if not np.all((g > 0) & (g <= 20)):
        raise ValueError(f"signal = {signal!r} must lie above 0 and be at most 20")
    if isinstance(keys, bool) or not isinstance(keys, (int, np.integer)):
        raise TypeError(f"keys = {keys!r} is not a whole number")
    if keys < 2:
        raise ValueError(f"keys = {keys!r} must be at least 2")
    return np.vectorize(_effective, otypes=[float])(g, keys)


def _effective(g, keys) -> float:
    """Trapezoids in z and in s = g^2 + ln u: both integrands are analytic, so that they converge exponentially."""
    step = min(0.25, 0.25 / g)
    z = step * np.arange(-math.ceil(RANGE / step), math.ceil(RANGE / step) + 1)  # np.arange(-9.5, ...) is not even
    chance = np.exp(-(z**2) / 2) * step / np.sqrt(2 * np.pi)
    s = np.arange(-g * RANGE - 45, g * (g + RANGE) + 5, 0.125)
    target = s[:, None] + g * z  # ln of u times the weight of the target
    with np.errstate(over="ignore", divide="ignore"):
        found = np.exp(target - np.exp(target)) @ chance
        others = (keys - 1) * np.log1p(np.maximum(np.expm1(-np.exp(target - g**2)) @ chance, -1))
    return 1 / float(np.sum(found * np.exp(others)) * 0.125)


def derive() -> tuple[Step, ...]:
    """From the densities of a noisy query to the temperature, the error and the number of keys at much noise."""
    query, one, other = _planar()
    x, S = sp.symbols("k S", real=True)
    p = sp.symbols("p1 p2 p3", real=True)
    rest = r**2 * (1 - 2 * p[0] + sum(w**2 for w in p))
    return (
        Step("keys of one length: only q.k is left", sp.Eq(_log_odds(query, one, other), x * query.dot(one - other)),
             {x: inverse_temperature.rhs}, (sigma > 0,)),
        Step("the error of weights on orthogonal keys", sp.Eq(_squared(p), rest)),
        Step("its mean, as <p_*> and <sum p^2> are one", sp.Eq(x, r**2 * (1 - 2 * S + S)),
             {x: retrieval_error.rhs, S: 1 / K}, (K > 1,)),
        Step("the weight of the target in much noise", sp.Eq(_weight(), x),
             {x: (1 + (N - 1) / N * r**2 / sigma**2) / N}, (N > 1, sigma > 0)),
    )  # fmt: skip
