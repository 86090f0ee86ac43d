"""The printed equations of Saxe's lecture "Models of representation learning dynamics", one by one.

In the slides' notation, and independent of `theory`: each printed trajectory is put into the gradient
flow of a scalar chain with weights b, output a = b^D and loss (s - lambda a)^2 / (2 lambda), where
tau db/dt = b^(D-1) (s - lambda b^D).  What holds is asserted.  Where the print is wrong, it is shown to
fail and the corrected form to pass, by certified balls at the same points.
"""

from functools import reduce

import numpy as np
import sympy as sp
from scipy.integrate import quad, solve_ivp

from laws import ball
from laws.typeset import latex

t, s, lam, a0, tau = sp.symbols("t s lam a_0 tau", real=True)
DOCUMENT = "saxe-slides"
ACCURACY = 1e-10  # of the quadratures

# Nothing equals 1 and s^2 is not lambda: at s = lambda = 1 every misprint below is invisible.
task = {s: sp.Rational(17, 10), lam: sp.Rational(3, 5), a0: sp.Rational(1, 10), tau: sp.Rational(13, 10)}
times = [sp.Rational(2, 5), sp.Rational(12, 5), sp.Rational(48, 5)]

print_shallow = s / lam * (1 - sp.exp(-t / tau)) + a0 * sp.exp(-t / tau)
print_deep = (s / lam) / (1 - (1 - s / (lam * a0)) * sp.exp(-2 * s * t / tau))
y0 = s / (lam * a0) - 1
print_very_deep = (s / lam) / (1 + sp.LambertW(y0 * sp.exp(y0 - t / tau)))


def speed(depth):
    """The speed tau da/dt of a chain of this depth."""
    return lambda a: depth * a ** (2 - sp.Rational(2, depth)) * (s - lam * a)


def rescaled_limit(a):
    """The limit of speed/D for D -> infinity."""
    return a**2 * (s - lam * a)


def solves(a, flow):
    """Whether a(t) obeys tau da/dt = flow(a) with a(0) = a_0, at every time: True, or False for certain."""
    residuals = [tau * a.diff(t) - flow(a), a.subs(t, 0) - a0]
    return all(ball.residual(r, {**task, t: time}).contains(0) for r in residuals for time in times)


def error(printed, corrected):
    """The largest distance between two trajectories, as a fraction of s/lambda."""
    gap = sp.lambdify(t, ((printed - corrected) / (s / lam)).subs(task), ["scipy", "numpy"])
    return float(np.max(np.abs(gap(np.linspace(0.0, 20.0, 2001)))))


def test_shallow(erratum):
    """Shallow (D = 1): the exponent must be lambda t/tau; as printed it is right at lambda = 1 alone."""
    corrected = print_shallow.subs(t, lam * t)
    assert not solves(print_shallow, speed(1)) and solves(corrected, speed(1))
    assert solves(print_shallow.subs(lam, 1), lambda a: s - a)
    size = error(print_shallow, corrected)
    assert 0.17 < size < 0.19
    erratum(
        DOCUMENT,
        "Shallow (D = 1)",
        verdict="misprint",
        printed=latex(print_shallow),
        corrected=latex(corrected),
        size=f"up to {size:.2f} of s/λ at λ = 0.6; none at λ = 1",
    )


def test_deep(erratum):
    """Deep (D = 2): holds as printed for a_0 > 0, but blows up for a_0 < 0, where the flow goes to the saddle."""
    assert solves(print_deep, speed(2))
    assert not solves(print_deep.subs(sp.exp(-2 * s * t / tau), sp.exp(-3 * s * t / tau)), speed(2))
    corrected = print_deep.subs(t, -t)  # s -> s sgn(a_0) in the exponent
    below, flow = {**task, a0: sp.Rational(-1, 2)}, lambda a: -2 * a * (s - lam * a)
    for a, holds in ((corrected, True), (print_deep, False)):
        gaps = [tau * a.diff(t) - flow(a), a.subs(t, 0) - a0]
        assert all(ball.residual(g, {**below, t: time}).contains(0) for g in gaps for time in times) is holds
    blows_up = tau * sp.log(1 + s / (lam * sp.Abs(a0))) / (2 * s)
    assert ball.residual((s / lam / print_deep).subs(t, blows_up), below).contains(0)
    erratum(
        DOCUMENT,
        "Deep (D = 2), negative start",
        verdict="holds for a₀ > 0 only",
        printed=latex(print_deep),
        corrected=r"s \to s\,\mathrm{sgn}(a_{0})\ \text{in the exponent}",
        size=f"infinite at t = {float(blows_up.subs(below)):.2f} from a₀ = -0.5 (s = 1.7, λ = 0.6, τ = 1.3)",
    )


def test_very_deep_exponent(erratum):
    """V. Deep (D >= 3): the exponent must be s^2 t/(lambda tau); as printed it is right at s^2 = lambda alone."""
    corrected = print_very_deep.subs(t, s**2 / lam * t)
    assert not solves(print_very_deep, rescaled_limit) and solves(corrected, rescaled_limit)
    assert solves(print_very_deep, lambda a: lam / s**2 * rescaled_limit(a))  # this is what it solves as printed
    size = error(print_very_deep, corrected)
    assert 0.9 < size < 1
    erratum(
        DOCUMENT,
        "V. Deep (D >= 3), exponent",
        verdict="misprint",
        printed=latex(print_very_deep),
        corrected=latex(corrected),
        size=f"up to {size:.2f} of s/λ at s = 1.7, λ = 0.6; none at s² = λ",
    )


def gap_to_limit(law, depth, start):
    """The largest distance of a finite chain from the limit, in the time t/D, as a fraction of s/lambda."""
    fixed = {symbol: value for symbol, value in task.items() if symbol != a0}
    rate = sp.lambdify(a0, (speed(depth)(a0) / depth / tau).subs(fixed))
    limit = sp.lambdify(t, law.subs({**task, a0: start}), ["scipy", "numpy"])
    when = np.linspace(0, 2 / float(start), 2001)
    chain = solve_ivp(lambda _, a: rate(a), (0, when[-1]), [float(start)], "DOP853", when, rtol=1e-11, atol=1e-13)
    return float(np.max(np.abs(chain.y[0] - np.real(limit(when)))) / (s / lam).subs(task))


def test_very_deep_is_a_limit(erratum):
    """V. Deep (D >= 3): even corrected it is the limit D -> infinity in the time t/D, and D must exceed s/(lam a0) far.

    The chain's a^(-2/D) makes the plateau, of length tau/(s a0), shorter by the fraction 2 ln(1/a0)/D; this must be
    little beside the length lam tau/s^2 of the transition that follows.
    """
    corrected = print_very_deep.subs(t, s**2 / lam * t)
    gaps = {depth: gap_to_limit(corrected, depth, task[a0]) for depth in (3, 10, 100, 1000)}
    assert not solves(corrected, speed(3))
    assert gaps[3] > 0.8 > gaps[10] > 0.6 > gaps[100] > gaps[1000]
    needed = {start: float((s / (lam * start) * sp.log(1 / start)).subs(task)) for start in (task[a0], task[a0] / 10)}
    scaled = [gap_to_limit(corrected, round(100 * n), start) for start, n in needed.items()]
    assert all(0.001 < gap < 0.01 for gap in scaled)  # a hundredth of it, whatever the start, though ...
    assert (
        gap_to_limit(corrected, round(200 * np.log(100)), task[a0] / 10) > 0.05
    )  # ... ln(1/a0) alone does not suffice
    erratum(
        DOCUMENT,
        "V. Deep (D >= 3), range",
        verdict="holds only as D → ∞, in the time t/D",
        printed=r"D \geq 3",
        corrected=r"D \gg \frac{s}{\lambda a_{0}} \ln \frac{1}{a_{0}}",
        size="off by " + ", ".join(f"{gap:.2g} (D = {depth})" for depth, gap in gaps.items()) + " of s/λ at a₀ = 0.1",
    )


# -- gradient descent in full matrices ------------------------------------------------------------


def three_layers(seed=3, sizes=(3, 3, 3, 3), examples=4):
    """Integer matrices W1, W2, W3 and data X, Y, so that every gradient is exact."""
    draw = np.random.default_rng(seed).integers
    weights = [draw(-3, 4, (n, m)) for m, n in zip(sizes, sizes[1:], strict=False)]
    return weights, draw(-3, 4, (sizes[0], examples)), draw(-3, 4, (sizes[-1], examples))


def product(matrices, size):
    """The product of the matrices in the order given; the identity if there are none."""
    return reduce(np.matmul, matrices) if len(matrices) else np.eye(size, dtype=int)


def printed_flow(weights, x, y, layer, order):
    """The right side of the printed flow for one layer, with sums in place of averages, and products in an order."""
    after, before = weights[layer + 1 :][::order], weights[:layer][::order]
    error = y @ x.T - product(weights[::order], len(x)) @ x @ x.T
    return product(after, len(error)).T @ error @ product(before, len(x)).T


def slope(weights, x, y, layer):
    """Minus the gradient of the printed loss, the sum over examples of |y - W x|^2, by exact differences.

    The loss is quadratic in each single weight, so that a central difference is its derivative.
    """

    def loss(matrices):
        return int(((y - product(matrices[::-1], len(x)) @ x) ** 2).sum())

    down = np.zeros(weights[layer].shape, dtype=int)
    for i, j in np.ndindex(*down.shape):
        ends = []
        for step in (1, -1):
            moved = [w.copy() for w in weights]
            moved[layer][i, j] += step
            ends.append(loss(moved))
        assert (ends[1] - ends[0]) % 2 == 0
        down[i, j] = (ends[1] - ends[0]) // 2
    return down


def test_gradient_flow(erratum):
    """The printed flow holds with descending products, and with tau = 1/(2 P eta) for averages over P examples."""
    weights, x, y = three_layers()
    errors = []
    for layer in range(3):
        down = slope(weights, x, y, layer)
        # the sums are P times the averages: dW/dstep = eta down = 2 P eta (printed right side)
        assert np.array_equal(down, 2 * printed_flow(weights, x, y, layer, order=-1))
        ascending = 2 * printed_flow(weights, x, y, layer, order=1)
        errors.append(np.linalg.norm(ascending - down) / np.linalg.norm(down))
    assert min(errors) > 0
    weights, x, y = three_layers(sizes=(2, 3, 4, 3))
    assert all(np.array_equal(slope(weights, x, y, k), 2 * printed_flow(weights, x, y, k, -1)) for k in range(3))
    erratum(
        DOCUMENT,
        "Gradient descent: order of the products",
        verdict="holds if the products are read from right to left",
        printed=r"\prod_{i=1}^{D} W^{i}",
        corrected=r"W^{D} \cdots W^{2} W^{1}, \quad \tau = 1/(2 P \eta)",
        size=f"relative error {min(errors):.2g} to {max(errors):.2g} for one draw of square integer matrices, "
        "else shapes clash",
    )


# -- how training time scales with depth ----------------------------------------------------------


def training_time(depth, b0, s=1.0, lam=1.0, to=0.5):
    """The time, by quadrature, from b0^D to a fraction of s/lambda, in the chain's own time (tau = 1)."""
    low, high = b0, (to * s / lam) ** (1 / depth)
    return quad(lambda b: 1 / (b ** (depth - 1) * (s - lam * b**depth)), low, high, epsabs=0, epsrel=ACCURACY)[0]


def test_training_speed(erratum):
    """t_inf - t_1 = O(1/(s b0^D)): at finite depth the time grows as b0^(2 - D)/((D - 2) s), two powers slower."""
    depth, starts = 10, np.array([0.2, 0.1, 0.05])
    times = np.array([training_time(depth, b0) for b0 in starts])
    exponent = np.polyfit(np.log(starts), np.log(times), 1)[0]
    leading = starts ** (2 - depth) / (depth - 2)
    rest = 8 * starts ** (depth - 2)  # of what the constant beside the leading power is, at most
    assert np.all(np.abs(times / leading - 1) < rest)
    assert abs(exponent - (2 - depth)) < rest.max() < 1 < abs(exponent - -depth)
    for small in (0.5**10, 0.5**20):  # the rescaled infinite chain, from a0 = b0^D: here the print is right
        deep = quad(lambda z: 1 / (np.exp(z) * (1 - np.exp(z))), np.log(small), np.log(0.5))[0]
        assert abs(deep * small - 1) < 20 * small
    at_half = depth * training_time(depth, 0.5)  # in the slide's rescaled time
    erratum(
        DOCUMENT,
        "Training speed, and small random weights",
        verdict="holds only for the rescaled chain as D → ∞",
        printed=r"t_{\infty} - t_{1} \approx O(1/(s b_{0}^{D}))",
        corrected=r"t_{D} \to \frac{D \tau}{(D-2)\, s} b_{0}^{2-D}, \quad D > 2",
        size=f"{1024 / at_half:.2g} times too long at D = 10, b₀ = 0.5, s = λ = 1 "
        f"({at_half:.4g} in the time t/D, not 1024)",
    )


def test_pretraining(erratum):
    """O(D/b0^2) after greedy pretraining: the time grows as ln(1/b0), and faster than D: stages dim the next.

    A stage makes a pair of weights reproduce its input, of variance lambda_k, up to the fraction rho; what it
    hands on has the variance lambda_(k+1) = rho lambda_k.
    """
    rho, depth, variance = 0.9, 10, 0.6
    stages = {
        b0: [training_time(2, b0, s=variance * rho**k, lam=variance * rho**k, to=rho) for k in range(depth)]
        for b0 in (0.1, 0.01)
    }
    first = {b0: stage[0] for b0, stage in stages.items()}
    # ten times smaller weights: ln(10)/lambda longer, up to the square of the larger b0, not a hundred times
    assert abs(first[0.01] - first[0.1] - np.log(10) / variance) < 0.1**2 / variance
    assert 1 < first[0.01] / first[0.1] < 2
    assert np.allclose(np.array(stages[0.1]) * rho ** np.arange(depth), first[0.1], rtol=2 * ACCURACY, atol=0)
    longer = sum(stages[0.1]) / (depth * first[0.1])
    assert 1.6 < longer < 1.8
    printed = depth / 0.1**2
    erratum(
        DOCUMENT,
        "Pretraining + fine-tuning",
        verdict="a loose bound in b₀; linear in D only as ρ → 1, where ρ is how much of its input a stage learns",
        printed=r"O(D/b_{0}^{2})",
        corrected=r"\frac{\tau}{\lambda} \ln \frac{1}{b_{0}} \sum_{k=0}^{D-1} \rho^{-k}",
        size=f"{printed / sum(stages[0.1]):.2g} times too long at D = 10, b₀ = 0.1, λ = 0.6, ρ = 0.9; "
        f"the stages take {longer:.2g} times D first ones",
    )


def test_orthogonal():
    """O(1) for orthogonal weights: the rescaled time from b0 = 1 settles with depth, and deep may be faster."""

    def time(depth, s, lam):
        scale = depth if depth > 1 else 1
        return scale * training_time(depth, 1.0, s=s, lam=lam, to=0.9)

    gaps = [time(depth, s=1.7, lam=0.6) - time(1, s=1.7, lam=0.6) for depth in (10, 100, 1000, 10_000)]
    steps = np.abs(np.diff(gaps))
    assert gaps[-1] < 0  # deep is faster here
    assert steps[0] > 5 * steps[1] > 25 * steps[2]  # a limit as D -> infinity: no growth with depth
