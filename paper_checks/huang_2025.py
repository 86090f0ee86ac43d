"""Huang, Singh, Martinelli and Rajan, "Measuring and controlling solution degeneracy ..." (2025): its definitions.

In the paper's notation, and independent of `theory`.  The manuscript's main text is at hand, not its appendices: what
is called open here may be settled there.  What needs training is measured in `validate`.
"""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import sympy as sp

DOCUMENT = "huang-2025"
n = sp.Symbol("n", positive=True)


def rotations(count=720):
    """Rotations and reflections of the plane, two degrees apart."""
    for angle in 2 * np.pi * np.arange(count) / count:
        c, s = np.cos(angle), np.sin(angle)
        yield np.array([[c, -s], [s, c]])
        yield np.array([[c, s], [s, -c]])


def test_behavioural_degeneracy(erratum):
    """sigma_OOD divides by N, and has the unit of a loss: outputs in half the unit are four times as degenerate."""
    losses = [Fraction(k, 10) for k in (3, 7, 4, 12)]
    mean = lambda values: sum(values) / len(values)  # noqa: E731
    variance = lambda values: mean([(v - mean(values)) ** 2 for v in values])  # noqa: E731
    doubled = [4 * loss for loss in losses]  # squared errors of outputs twice as large
    assert variance(doubled) == 16 * variance(losses)
    assert variance(doubled) / mean(doubled) ** 2 == variance(losses) / mean(losses) ** 2
    erratum(
        DOCUMENT, "Sec. 2.3.1", verdict="holds in the unit of one task's loss; tasks and levels of loss do not compare",
        printed=r"\sigma_{OOD}", corrected=r"\sigma_{OOD} / \bar L_{OOD}\ \text{beside it}",
        size="16 times the variance for outputs twice as large",
    )  # fmt: skip


def test_dynamical_degeneracy(erratum):
    """d_DSA depends on the coordinates of states, which are not said: a linear map of them moves it, or does not."""
    A, G = np.diag([0.9, 0.3]), np.array([[1.0, 0.8], [0.0, 0.5]])
    x = np.random.default_rng(0).normal(size=(2, 50))
    mapped = G @ A @ np.linalg.inv(G)

    def whitened(operator, states):
        values, axes = np.linalg.eigh(states @ states.T)
        root = axes * values**-0.5 @ axes.T
        return root @ operator @ np.linalg.inv(root)

    distance = lambda one, other: min(np.linalg.norm(one - C @ other @ C.T) for C in rotations())  # noqa: E731
    ambient, white = distance(A, mapped), distance(whitened(A, x), whitened(mapped, G @ x))
    grid = 2 * np.linalg.norm(A) * np.pi / 720 * 2  # an angle is off by half a step at most, from either side
    singular = lambda M: np.linalg.svd(M, compute_uv=False)  # noqa: E731
    assert ambient >= np.linalg.norm(singular(A) - singular(mapped)) > grid > white
    erratum(
        DOCUMENT, "Sec. 2.3.2", verdict="ambiguous: coordinates, rank and delays set the value",
        printed=r"\min_{C \in O(n)} \|A_x - C A_y C^{-1}\|_F",
        corrected=r"\text{whitened: 0 for every linear map; ambient: for rotations alone}",
        size=f"{ambient:.2f} or 0 for the same dynamics in other coordinates",
    )  # fmt: skip


def test_weight_degeneracy_of_untrained_networks(erratum):
    """d_PIF over the number of weights falls as n^(-3/2) before any training: that arrow of size is normalisation."""
    variance = sp.integrate(sp.Symbol("w") ** 2 * sp.sqrt(n) / 2, (sp.Symbol("w"), -1 / sp.sqrt(n), 1 / sp.sqrt(n)))
    unaligned = sp.sqrt(2 * n**2 * variance)  # root mean square, of two untrained networks as they stand
    assert sp.simplify(unaligned - sp.sqrt(2 * n / 3)) == 0
    assert sp.simplify(n * sp.diff(sp.log(unaligned / n**2), n)) == -sp.Rational(3, 2)
    relative = unaligned / sp.sqrt(2 * n**2 * variance)
    assert sp.simplify(relative) == 1
    # the best of n! permutations gains 2 n sigma^2 sqrt(2 ln n!) at most on average, less and less of 2 n^2 sigma^2
    gained = lambda size: np.sqrt(2 * float(sp.loggamma(size + 1))) / size  # noqa: E731
    assert gained(32) > gained(128) > gained(512)
    erratum(
        DOCUMENT, "Sec. 2.3.3, 3.3", verdict="the arrow of size on weights is there without training",
        printed=r"d_{PIF} / n^2\ \text{falls with}\ n", corrected=r"d_{PIF} / \sqrt{\|W_1\|^2 + \|W_2\|^2}",
        size="n^(-3/2) for untrained weights; relative to their size they move apart",
    )  # fmt: skip


def test_weight_degeneracy_knows_no_signs(erratum):
    """Tanh is odd: a network with signs of units changed has the same outputs, bit by bit, and d_PIF above 0."""
    draw = np.random.default_rng(1)
    W, Wx, b, out = (draw.normal(size=shape) for shape in ((4, 4), (4, 2), (4,), (3, 4)))
    S = np.diag([1.0, -1.0, 1.0, -1.0])

    def outputs(W, Wx, b, out):
        h, seen = np.zeros(4), []
        for x in np.random.default_rng(2).normal(size=(6, 2)):
            h = np.tanh((W * h).sum(1) + (Wx * x).sum(1) + b)
            seen.append((out * h).sum(1))
        return np.array(seen)

    assert np.array_equal(outputs(W, Wx, b, out), outputs(S @ W @ S, S @ Wx, S @ b, out @ S))
    copies = [(S @ W @ S)[np.ix_(p, p)] for p in map(list, permutations(range(4)))]
    signed = [np.linalg.norm(W - np.outer(s, s) * copy) for copy in copies for s in product((1.0, -1.0), repeat=4)]
    apart = min(np.linalg.norm(W - copy) for copy in copies)
    assert min(signed) == 0 < apart
    erratum(
        DOCUMENT, "Sec. 2.3.3", verdict="a symmetry of tanh networks is missing",
        printed=r"\min_P \|W_1 - P^T W_2 P\|_F", corrected=r"\min_{P, S} \|W_1 - S P^T W_2 P S\|_F",
        size=f"{apart / np.linalg.norm(W):.2f} of the weights' norm between networks with the same outputs",
    )  # fmt: skip


def test_one_permutation_acts_on_everything():
    """A permutation of W_h alone is no symmetry: outputs stay if it moves W_x, b and the readout as well."""
    draw = np.random.default_rng(3)
    W, Wx, b, out = (draw.integers(-9, 10, shape) * Fraction(1, 8) for shape in ((3, 3), (3, 2), (3,), (2, 3)))
    x = draw.integers(-9, 10, (4, 2)) * Fraction(1, 4)
    p = [2, 0, 1]

    def outputs(W, Wx, b, out):  # of a linear network, whose fractions are exact
        h, seen = b * 0, []
        for now in x:
            h = W.dot(h) + Wx.dot(now) + b
            seen.append(out.dot(h))
        return np.array(seen)

    moved = W[np.ix_(p, p)]
    assert (outputs(moved, Wx[p], b[p], out[:, p]) == outputs(W, Wx, b, out)).all()
    assert not (outputs(moved, Wx, b, out) == outputs(W, Wx, b, out)).all()


def test_path_integration_needs_its_start(erratum):
    """From a random start, h_0 = 0 and velocities alone, the loss is at least the variance of the start."""
    start = sp.Symbol("p", real=True)
    edge = 5  # of the range of outputs
    floor = sp.integrate(start**2 / (2 * edge), (start, -edge, edge))
    assert floor == sp.Rational(25, 3) > sp.Rational(5, 100)  # the threshold of training
    erratum(
        DOCUMENT, "Path integration", verdict="ill-posed unless the start is an input",
        printed=r"\text{position from}\ \theta, v", corrected=r"\text{displacement, or the start as an input}",
        size="a loss of 25/3 per coordinate for starts in [-5, 5], against a threshold of 0.05",
    )  # fmt: skip


def test_sines_need_a_time_step(erratum):
    """Two frequencies of [1, 30] have the same samples at steps of 1/60 s and longer: the step must be said."""
    step, sine = sp.Rational(1, 40), lambda f, t: sp.sin(2 * sp.pi * f * t)
    assert all(sine(28, k * step) == -sine(12, k * step) for k in range(40))
    assert 1 / (2 * sp.Integer(30)) == sp.Rational(1, 60) < step
    erratum(
        DOCUMENT, "Sine wave generation", verdict="ambiguous: the time step is not given",
        printed=r"f \in [1, 30]", corrected=r"\Delta t < 1/60",
        size="at 40 steps a second 28 and 12 ask for the same sine but for its sign",
    )  # fmt: skip


def test_leak_of_the_maximal_update(erratum):
    """With h and not -h on the right, as in the text at hand, a network at rest leaves it by itself."""
    tau, h = sp.symbols("tau h", positive=True)
    grown = lambda sign: h + tau * (sign * h)  # noqa: E731  # without input and recurrence
    assert grown(1) > h and sp.simplify(grown(-1) - (1 - tau) * h) == 0
    erratum(
        DOCUMENT, "Sec. 3.2.2", verdict="a minus sign is lost in the text at hand",
        printed=r"h(t+1) - h(t) = \tau (h(t) + \tfrac 1 N J \phi(h(t)) + U x(t))",
        corrected=r"h(t+1) - h(t) = \tau (-h(t) + \tfrac 1 N J \phi(h(t)) + U x(t))",
        size="grows as (1 + τ)^t",
    )  # fmt: skip


def test_kernel_alignment():
    """KA of two kernels is in [0, 1], since products of positive matrices have positive traces, and knows no scale."""
    draw = np.random.default_rng(4)
    for _ in range(20):
        one, other = (F @ F.T for F in draw.integers(-5, 6, (2, 4, 3)))  # whole numbers: exact
        inner, sizes = np.trace(one @ other), np.trace(one @ one) * np.trace(other @ other)
        assert 0 <= inner and inner**2 <= sizes
        assert np.trace(3 * one @ other) ** 2 * sizes == inner**2 * np.trace(9 * one @ one) * np.trace(other @ other)
