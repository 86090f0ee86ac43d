"""Spectra of rings, paths, tori and grids, whose waves are eigenvectors; see `theory.semantics`."""

import numpy as np
import sympy as sp

from laws.law import Law, Source, Step

k, P, sigma = sp.symbols("k P sigma", real=True)
k1, k2, P1, P2 = sp.symbols("k1 k2 P1 P2", real=True)
Lambda = sp.Function("Lambda")
SOURCE = Source("saxe-slides", "Connecting neural nets and graphical models: grids/rings; derived here")


def _stiffness(half):
    """The eigenvalue of the Laplacian of a line for a wave with this half-angle between neighbours."""
    return 4 * sp.sin(half) ** 2


def _waves(wave, sites, neighbours):
    """The precision 1/sigma^2 + L applied to a wave, at each site, less the wave over the candidate."""

    def residuals(candidate):
        return tuple(
            wave(x) / sigma**2 + sum(wave(x) - wave(y) for y in neighbours(x)) - wave(x) / candidate for x in sites
        )

    return residuals


def _circle(x):
    return (x - 1, x + 1)


def _from_the_end(x):
    """On a path the first site has one neighbour only."""
    return (x + 1,) if x == 0 else _circle(x)


def _crossing(x):
    return ((x[0] - 1, x[1]), (x[0] + 1, x[1]), (x[0], x[1] - 1), (x[0], x[1] + 1))


def _from_the_corner(x):
    return tuple(y for y in _crossing(x) if min(y) >= 0)


def _along(*halves):
    """A wave with these half-angles; on an open path it is reflected between sites."""
    return lambda x: sp.prod(sp.cos(2 * h * (y + sp.S.Half)) for h, y in zip(halves, np.atleast_1d(x), strict=True))


ring = Law(
    Lambda(k),
    1 / (1 / sigma**2 + _stiffness(sp.pi * k / P)),
    solves=_waves(_along(sp.pi * k / P), (1, 2), _circle),
    given=(sigma > 0, P >= 3, k >= 0, k <= P),
    source=SOURCE,
    examples=(dict(k=2, P=9, sigma=1.7), dict(k=3, P=8, sigma=5.3), dict(k=1, P=30, sigma=0.4)),
)

path = Law(
    Lambda(k),
    1 / (1 / sigma**2 + _stiffness(sp.pi * k / (2 * P))),
    solves=_waves(_along(sp.pi * k / (2 * P)), (0, 1, 2), _from_the_end),
    given=(sigma > 0, P >= 3, k >= 0, k < P),
    source=SOURCE,
    examples=(dict(k=2, P=9, sigma=1.7), dict(k=3, P=8, sigma=5.3), dict(k=1, P=30, sigma=0.4)),
)

PLANE = (sigma > 0, P1 >= 3, P2 >= 3, k1 >= 0, k2 >= 0)
PLACES = (dict(k1=2, k2=1, P1=7, P2=5, sigma=1.7), dict(k1=1, k2=3, P1=4, P2=9, sigma=0.6))

torus = Law(
    Lambda(k1, k2),
    1 / (1 / sigma**2 + _stiffness(sp.pi * k1 / P1) + _stiffness(sp.pi * k2 / P2)),
    solves=_waves(_along(sp.pi * k1 / P1, sp.pi * k2 / P2), ((1, 2), (2, 2)), _crossing),
    given=(*PLANE, k1 <= P1, k2 <= P2),
    source=SOURCE,
    examples=PLACES,
)

grid = Law(
    Lambda(k1, k2),
    1 / (1 / sigma**2 + _stiffness(sp.pi * k1 / (2 * P1)) + _stiffness(sp.pi * k2 / (2 * P2))),
    solves=_waves(_along(sp.pi * k1 / (2 * P1), sp.pi * k2 / (2 * P2)), ((0, 0), (1, 0), (1, 2)), _from_the_corner),
    given=(*PLANE, k1 < P1, k2 < P2),
    source=SOURCE,
    examples=PLACES,
)  # fmt: skip


def lattice(lengths, sigma: float, *, periodic: bool):
    """All eigenvalues of the covariance of a lattice in any number of directions, largest first.

    Args:
        lengths: sites along each direction, whole and >= 3.
        sigma: scale of a feature's overall variation, positive.
        periodic: rings and tori if True, paths and grids if not.

    Returns:
        eigenvalues, shape (product of lengths,).

    Raises:
        ValueError: for lengths below 3 and sigma that is not positive and finite.

    Source: derived here; the eigenvalues of a Kronecker sum are sums.
    """
    sites = np.asarray(lengths)
    if sites.ndim != 1 or not sites.size or sites.dtype.kind not in "iu" or (sites < 3).any():
        raise ValueError(f"lattice: lengths = {lengths!r} must be whole numbers, at least 3")
    if not 0 < sigma < np.inf:
        raise ValueError(f"lattice: sigma = {sigma!r} violates 0 < sigma < inf")
    total = np.array([sigma**-2.0])
    for n in sites:
        line = 4 * np.sin(np.pi * np.arange(n) / (n if periodic else 2 * n)) ** 2
        total = np.add.outer(total, line).ravel()
    return np.sort(1 / total)[::-1]


def derive_lattices() -> tuple[Step, ...]:
    """From a Gaussian field on a lattice to its waves."""
    x, theta, other, u, v = sp.symbols("x theta phi u v", real=True)
    wave = sp.Function("c")
    cosine = {wave(x): sp.cos(theta * x)}
    energy = u**2 / sigma**2 + (u - v) ** 2 + (u - other) ** 2
    return (
        Step(
            "the precision couples neighbours",
            sp.Eq(sp.Derivative(energy, u) / 2, u / sigma**2 + 2 * u - v - other),
        ),
        Step(
            "waves are its eigenvectors",
            sp.Eq(2 * wave(x) - wave(x - 1) - wave(x + 1), _stiffness(theta / 2) * wave(x)),
            cosine,
        ),
        Step(
            "across two directions they add up",
            sp.Eq(
                4 * wave(x) * wave(v) - (wave(x - 1) + wave(x + 1)) * wave(v) - wave(x) * (wave(v - 1) + wave(v + 1)),
                2 * _stiffness(theta / 2) * wave(x) * wave(v),
            ),
            cosine,
        ),
    )  # fmt: skip
