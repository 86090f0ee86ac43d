"""The definitions and claims of Huang et al. 2025, main text, one test each, in the paper's notation.

Ann Huang, Satpreet H. Singh, Flavio Martinelli and Kanaka Rajan, "Measuring and controlling solution degeneracy across
task-trained recurrent neural networks" (NeurIPS 38, 2025).  The paper numbers no equation; labels name its sections.
Its appendices could not be had, and the copy at hand has lost superscripts, bars and signs: where that may be why a
formula fails as it stands, the verdict says so.

    Model.       h_t = tanh(W_h h_{t-1} + W_x x_t + b),   h_0 = 0,   weights U(-1/sqrt n, 1/sqrt n)
    Behaviour.   sigma_OOD, the standard deviation over networks of the loss on longer trials
    Dynamics.    d_DSA(A_x, A_y) = min over C in O(n) of |A_x - C A_y C^-1|_F
    Weights.     d_PIF(W_1, W_2) = min over permutations P of |W_1 - P^T W_2 P|_F, over n^2 to compare sizes
    Learning.    |W_T - W_0|_F and KA = Tr(K_T K_0)/(|K_T|_F |K_0|_F), K the neural tangent kernel

Exact arithmetic on small matrices, permutations all tried; flip-flops as they are drawn, with false alarms of 1e-5.
What the text says beside is in `huang_2025_claims`.
"""

from itertools import permutations, product

import numpy as np
import pytest
import sympy as sp
from scipy.stats import ttest_1samp

from numerics.tasks import FlipFlop

DOCUMENT = "huang-2025"


def d_PIF(W1, W2, *, signs=False):
    """The printed distance, squared, all permutations tried; with `signs`, those that also flip units."""
    n = W1.rows
    flips = list(product((1, -1), repeat=n)) if signs else [(1,) * n]
    best = None
    for order in permutations(range(n)):
        moved = W2.extract(list(order), list(order))
        for flip in flips:
            gap = W1 - sp.diag(*flip) * moved * sp.diag(*flip)
            size = sum(x**2 for x in gap)
            best = size if best is None or size < best else best
    return best


def outputs(W_h, W_x, W_out, b, inputs):
    """What the model answers to a sequence of inputs, from h_0 = 0; z - z^3/3 stands for tanh, being odd and exact."""
    h, said = sp.zeros(W_h.rows, 1), []
    for x in inputs:
        h = (W_h * h + W_x * x + b).applyfunc(lambda z: z - z**3 / 3)
        said.append((W_out * h)[0])
    return said


tenths = lambda *rows: sp.Matrix(rows) / 10  # noqa: E731
W_h, W_x, W_out = tenths([3, -1, 2], [5, 1, -2], [-1, 4, 2]), tenths([4, -7], [2, 5], [-3, 6]), tenths([7, -2, 5])
b, inputs = tenths([1], [-3], [2]), [tenths([4], [-9]), tenths([-6], [3]), tenths([8], [7])]
said = outputs(W_h, W_x, W_out, b, inputs)
permuted = lambda W, order: W.extract(order, order)  # noqa: E731


def test_weights_are_counted_up_to_permutation_and_not_up_to_sign(erratum):
    """Sec. 2.3.3: units may be exchanged, and d_PIF sees no difference; tanh is odd, so they may be flipped too."""
    order, S = [2, 0, 1], sp.diag(1, -1, 1)
    W_2, both = permuted(W_h, order), list(range(2))
    assert outputs(W_2, W_x.extract(order, both), W_out.extract([0], order), b.extract(order, [0]), inputs) == said
    assert d_PIF(W_h, W_2) == 0
    assert outputs(S * W_h * S, S * W_x, W_out * S, S * b, inputs) == said
    apart = d_PIF(W_h, S * W_h * S)
    assert apart > 0 == d_PIF(W_h, S * W_h * S, signs=True)
    erratum(
        DOCUMENT, "Sec. 2.3.3, d_PIF", verdict="invariant to permutations alone: networks with equal outputs lie apart",
        printed=r"\min_{P} \|W_1 - P^T W_2 P\|_F",
        corrected=r"\min_{P,\, S = \mathrm{diag}(\pm 1)} \|W_1 - P^T S W_2 S P\|_F",
        size=f"one unit flipped: {float(sp.sqrt(apart)):.2g} away, |W| being {float(W_h.norm()):.2g}",
    )  # fmt: skip


def test_weights_of_inputs_and_outputs_are_left_out(erratum):
    """Sec. 2.3.3: d_PIF compares recurrent weights; networks that answer differently can have distance 0."""
    alone = permuted(W_h, [2, 0, 1])  # the other weights not
    gap = max(abs(x - y) for x, y in zip(outputs(alone, W_x, W_out, b, inputs), said, strict=True))
    assert gap > 0 == d_PIF(W_h, alone)
    erratum(
        DOCUMENT, "Sec. 2.3.3, which weights", verdict="one permutation must act on all weights",
        printed=r"d_{PIF}(W_h, W_h')", corrected=r"(W_h, W_x, b, W_{out}) \to (P^T W_h P, P^T W_x, P^T b, W_{out} P)",
        size=f"distance 0, outputs apart by up to {float(gap):.2g}, being at most {float(max(map(abs, said))):.2g}",
    )  # fmt: skip


def test_weights_over_their_number_shrink_without_learning(erratum):
    """Sec. 2.3.3 and 3.3: over n^2 the distance of untrained networks falls as n^(-3/2): size alone does that."""
    sigma2 = lambda n: 1 / (3 * n)  # noqa: E731  of U(-1/sqrt n, 1/sqrt n)

    def bounds(n):
        """Of the mean squared distance, over n^4: by all permutations together, and by none."""
        log_factorial = sum(np.log(np.arange(1, n + 1)))
        least = 2 * n**2 * sigma2(n) - 2 * n * sigma2(n) * np.sqrt(2 * log_factorial)
        return least / n**4, 2 * n**2 * sigma2(n) / n**4

    sizes = np.array([32, 64, 128, 256, 512])
    low, high = np.array([bounds(n) for n in sizes]).T
    assert np.all(high[1:] < low[:-1])  # every doubling of the size shrinks it for certain
    slope = np.log(high[-1] / high[0]) / np.log(sizes[-1] / sizes[0]) / 2
    assert slope == pytest.approx(-1.5, abs=8 * np.finfo(float).eps)
    erratum(
        DOCUMENT, "Sec. 3.3, larger networks: weights", verdict="what is printed is normalisation, not learning",
        printed=r"d_{PIF} / n^2", corrected=r"d_{PIF} / \sqrt{\|W_1\|^2 + \|W_2\|^2}",
        size=f"untrained networks, n = 32 to 512: at least a factor {np.sqrt(low[0] / high[-1]):.0f}",
    )  # fmt: skip


def test_weights_grow_apart_with_their_norm(erratum):
    """Sec. 3.2.2: weights that grow without turning move apart by d_PIF, and not by the relative distance."""
    W1, W2, c = sp.Matrix([[3, -1, 2], [5, 1, -2], [-1, 4, 2]]), sp.Matrix([[1, 2, 4], [-3, 2, 1], [2, -5, 1]]), 3
    relative = lambda A, B: d_PIF(A, B) / (A.norm() ** 2 + B.norm() ** 2)  # noqa: E731
    assert d_PIF(c * W1, c * W2) == c**2 * d_PIF(W1, W2) > 0
    assert relative(c * W1, c * W2) == relative(W1, W2)
    erratum(
        DOCUMENT, "Sec. 3.2.2, feature learning: weights", verdict="not told apart from growth of the weights",
        printed=r"\gamma \uparrow\ \Rightarrow\ d_{PIF} \uparrow",
        corrected=r"d_{PIF}(c W_1, c W_2) = c\, d_{PIF}(W_1, W_2)",
        size="three times the weights, three times the distance; the relative one stays",
    )  # fmt: skip


def rotation(half):
    """A rotation of the plane, `half` being the tangent of half its angle."""
    return sp.Matrix([[1 - half**2, -2 * half], [2 * half, 1 - half**2]]) / (1 + half**2)


def test_reflections_make_mirror_images_equal():
    """Sec. 2.3.2: over O(n), as printed, mirror images are at distance 0; over SO(n) they are not."""
    x, y, half = sp.Rational(7, 5), sp.Rational(3, 5), sp.Symbol("t", real=True)
    A, B, F = sp.Matrix([[x, -y], [y, x]]), sp.Matrix([[x, y], [-y, x]]), sp.diag(1, -1)
    assert F * B * F.inv() == A
    C = rotation(half)
    assert sp.cancel(sum(x**2 for x in A - C * B * C.T) - 8 * y**2) == 0  # whatever the angle


def test_dsa_is_symmetric_and_has_the_scale_of_its_operators():
    """Sec. 2.3.2: C^-1 is C^T, so that d(A, B) = d(B, A), and d has the scale of its operators."""
    A, B = sp.Matrix([[2, -1], [3, 1]]), sp.Matrix([[1, 4], [0, -2]])
    C = rotation(sp.Rational(2, 3))
    size = lambda M: sum(x**2 for x in M)  # noqa: E731
    assert C.inv() == C.T
    assert size(A - C * B * C.inv()) == size(B - C.T * A * C)
    assert size(3 * A - C * (3 * B) * C.inv()) == 9 * size(A - C * B * C.inv())


def test_dsa_is_not_topological(erratum):
    """Sec. 2.3.2: "topological structure": a conjugacy, linear even, leaves a distance, unless states are whitened."""
    A, G = sp.Matrix([[sp.Rational(1, 2), 0], [0, sp.Rational(-1, 3)]]), sp.Matrix([[1, 2], [0, 1]])
    B = G * A * G.inv()
    assert A.eigenvals() == B.eigenvals()
    inner = lambda M: sorted(sp.sqrt(x) for x in (M.T * M).eigenvals(multiple=True))  # noqa: E731
    least = sum((a - b) ** 2 for a, b in zip(inner(A), inner(B), strict=True))  # of singular values: a lower bound
    assert least > 0
    R, C = sp.Matrix([[2, 0], [1, 3]]), rotation(sp.Rational(2, 3))  # states of covariance R R^T
    other = G * R * C  # a root of the covariance in the new coordinates, where any root whitens
    assert other * other.T == G * R * R.T * G.T
    assert other.inv() * B * other == C.T * (R.inv() * A * R) * C
    erratum(
        DOCUMENT, "Sec. 2.3.2, DSA", verdict="invariant to orthogonal maps; to all linear maps if states are whitened",
        printed=r"\text{compares topological structure}", corrected=r"d(A, G A G^{-1}) = 0\ \text{for orthogonal } G",
        size=f"diag(1/2, -1/3) sheared by 2: at least {float(sp.sqrt(least)):.2f}",
    )  # fmt: skip


def test_behaviour_is_a_population_deviation_of_a_scale():
    """Sec. 2.3.1: sigma_OOD divides by N, 1 % below N - 1 at 50 networks, and grows with the square of the outputs."""
    losses = [sp.Rational(k * k + 3, 50) for k in range(50)]
    mean = sum(losses) / 50
    squares = sum((x - mean) ** 2 for x in losses)
    assert 0.98 < float(sp.sqrt(squares / 50) / sp.sqrt(squares / 49)) < 1
    scaled = [9 * x for x in losses]  # three times the outputs and targets
    assert sum((x - 9 * mean) ** 2 for x in scaled) == 81 * squares


def test_longer_flip_flops_dilute_their_start(erratum):
    """Sec. 2.3.1: with the trial doubled, an error that is made once, before the first pulses, counts half."""
    p, T = 0.1, 100
    shares = [(FlipFlop(1, steps, p).trials(2000, 1)[1] == 0).mean((0, 2)) for steps in (T, 2 * T)]  # before a pulse
    share = lambda T: (1 - p) * (1 - (1 - p) ** T) / (p * T)  # noqa: E731  in the mean; it is the loss of such errors
    agrees = lambda k, mean: ttest_1samp(shares[k], mean).pvalue > 1e-5  # noqa: E731
    assert agrees(0, share(T)) and agrees(1, share(2 * T)) and not agrees(1, share(T))
    erratum(
        DOCUMENT, "Sec. 2.3.1, longer trials", verdict="their loss can be below the training loss",
        printed=r"T \to 2 T", corrected=r"\text{loss over } (T, 2T]",
        size="half, for a network that errs at the start alone",
    )  # fmt: skip


def test_flip_flop_has_a_fixed_point_for_every_state():
    """Sec. 2.2: N bits have 2^N states; "2N", as the copy reads, is right for one and two bits alone."""
    states = [len(set(product((-1, 1), repeat=N))) for N in (1, 2, 3, 4)]
    assert states == [2**N for N in (1, 2, 3, 4)]
    assert [count == 2 * N for N, count in enumerate(states, start=1)] == [True, True, False, False]


def test_sine_waves_need_a_time_step(erratum):
    """Sec. 2.2: sin(2 pi f t) at whole frequencies and whole time steps is 0 throughout; the time step is not said."""
    f, k = sp.symbols("f k", integer=True)
    assert sp.sin(2 * sp.pi * f * k) == 0
    sine, dt = lambda f, t: sp.sin(2 * sp.pi * f * t), sp.Rational(1, 40)  # noqa: E731
    assert all(sine(28, k * dt) == -sine(12, k * dt) for k in range(40))  # steps of 1/60 and longer confuse them
    assert any(sine(28, k * dt / 2) != -sine(12, k * dt / 2) for k in range(40))
    erratum(
        DOCUMENT, "Sec. 2.2, sine waves", verdict="the time step is missing",
        printed=r"\sin(2 \pi f t),\ f \in [1, 30]", corrected=r"\sin(2 \pi f k\, dt),\ dt < 1/60",
        size="with whole steps every target at a whole frequency is 0",
    )  # fmt: skip


def test_a_random_start_cannot_be_known(erratum):
    """Sec. 2.2: from h_0 = 0 with speed and direction alone, positions have an error of the variance of their start."""
    x = sp.Symbol("x", real=True)
    variance = sp.integrate(x**2 / 10, (x, -5, 5))
    assert variance == sp.Rational(25, 3)
    assert variance > sp.Rational(1, 20)  # the threshold at which training is to stop
    erratum(
        DOCUMENT, "Sec. 2.2, path integration", verdict="the start must be an input, or the target a displacement",
        printed=r"\text{starting from a random position}", corrected=r"\hat y_t = p_t - p_0\ \text{or } x_0 = p_0",
        size=f"even over [-5, 5]: {float(variance):.2f} per coordinate, the threshold being 0.05",
    )  # fmt: skip


def test_equal_pulses_have_no_right_answer():
    """Sec. 2.2: sign(f2 - f1) jumps at ties: an answer of slope s errs by 1/(12 s) at least; 0.01 asks for s > 8.3."""
    f1, gap, s = sp.symbols("f1 gap s", positive=True)
    density = sp.integrate(sp.Rational(1, 64), (f1, 2, 10 - gap))  # of f2 - f1 = gap, for either sign
    clipped = 2 * sp.integrate(sp.expand((1 - s * gap) ** 2 * density), (gap, 0, 1 / s))  # the best of slope s
    pulses = [sp.Rational(2 * k + 1, 10) for k in range(10, 50)]  # the mean over pairs of 40 pulses, summed one by one
    answer = lambda difference, slope: max(-1, min(1, slope * difference))  # noqa: E731

    def missed(slope):
        pairs = product(pulses, repeat=2)
        return sum((sp.sign(y - x) - answer(y - x, slope)) ** 2 for x, y in pairs) / len(pulses) ** 2

    step, slope = (
        sp.Rational(1, 5),
        sp.Rational(5, 8),
    )  # the sum falls short by what a tie would add
    exact = clipped.subs(s, slope)
    assert abs(missed(slope) + step / 8 - exact) < step**2 / 8  # the rule of trapezia, of second order
    assert abs(missed(slope) + step / 8 - 2 * exact) > step**2 / 8
    assert sp.expand(clipped - 1 / (12 * s) + 1 / (384 * s**2)) == 0
    enough = max(sp.solve(clipped - sp.Rational(1, 100), s))
    assert clipped.subs(s, enough - 1) > sp.Rational(1, 100) > clipped.subs(s, enough + 1)
    assert 8.3 < enough < sp.Rational(25, 3)  # pulses less than 1/8.3 apart are told apart by a part of the answer


def test_kernel_alignment_is_a_cosine():
    """Sec. 3.2.1: KA is the cosine of two symmetric matrices: 1 for kernels that grow alike, below 1 for all others."""
    F = sp.Matrix([[1, 2, -1], [0, 3, 1]])
    K0, K1 = F * F.T, sp.Matrix([[5, -1], [-1, 1]])  # products of gradients: positive, and so is their trace
    KA = lambda A, B: (A * B).trace() / (A.norm() * B.norm())  # noqa: E731
    assert sp.simplify(KA(K0, 7 * K0)) == 1  # a kernel may grow: only its direction is seen
    assert 0 < KA(K0, K1) < 1
    assert sp.simplify(KA(K0, K1) - KA(K1, K0)) == 0
    assert K0.is_positive_definite and K1.is_positive_definite


def test_leak():
    """Sec. 3.2.2: without its minus sign the state of the maximal-update network grows as (1 + tau)^t."""
    J, U, N, tau, x = sp.Matrix([[2, -1], [1, 2]]), sp.Matrix([1, -2]), 2, sp.Rational(1, 10), 1
    phi = lambda h: h.applyfunc(lambda z: z / (1 + abs(z)))  # noqa: E731  bounded by 1, as tanh is, and rational
    bound = max(sum(abs(w) for w in J.row(i)) / N + abs(U[i] * x) for i in range(N))  # of J phi/N + U x

    def largest(leak):
        h, seen = sp.zeros(N, 1), []
        for _ in range(80):
            h = (h + tau * (leak * h + J * phi(h) / N + U * x)).applyfunc(lambda z: sp.Float(z, 30))
            seen.append(max(abs(z) for z in h))
        return max(seen)

    assert largest(-1) < bound  # a mean of where it was and of what is at most the bound
    assert largest(0) > bound
    assert largest(1) > (1 + tau) ** 70 * tau  # as the copy reads


def signs(count):
    """All rows of so many signs: independent entries of variance 1, each row as likely as any other."""
    return list(product((1, -1), repeat=count))


def test_recurrent_weights_have_variance_N():
    """Sec. 3.2.2: J ~ N(0, N) must name a variance: then J phi/N is of the size of phi at any N, and else it is not."""

    def size(N, variance):  # of one entry of J phi/N, its mean square over that of phi
        phi = [sp.Rational(k + 1, N + 2) for k in range(N)]
        rows = signs(N)
        mean = sum(sum(j * r for j, r in zip(row, phi, strict=True)) ** 2 for row in rows) * sp.Rational(1, len(rows))
        return variance * mean / N**2 / (sum(r**2 for r in phi) / N)

    sizes = {power: [size(N, N**power) for N in (1, 2, 4, 8)] for power in (0, 1, 2)}
    assert sizes[1] == [1, 1, 1, 1]
    assert sizes[2] == [1, 2, 4, 8]  # were N a deviation
    assert sizes[0] == [1, sp.Rational(1, 2), sp.Rational(1, 4), sp.Rational(1, 8)]


def test_learning_rate_grows_with_gamma():
    """Sec. 3.2.2: with Adam at gamma eta_0 a step moves the output W phi/(gamma N) as far at any gamma and N."""
    phi, eta0 = [sp.Rational(3, 5), sp.Rational(-1, 2)], sp.Rational(1, 100)

    def moved(gamma, copies, power):  # by Adam's first step, which is the rate times the sign of the slope
        units, N = phi * copies, len(phi) * copies
        W = [sp.Rational(k + 1, 7) for k in range(N)]
        say = lambda W: sum(w * r for w, r in zip(W, units, strict=True)) / (gamma * N)  # noqa: E731
        y = say(W) - 1
        slopes = [2 * (say(W) - y) * r / (gamma * N) for r in units]
        after = [w - gamma**power * eta0 * sp.sign(g) for w, g in zip(W, slopes, strict=True)]
        return say(after) - say(W)

    at = [(sp.Rational(1, 3), 1), (2, 1), (sp.Rational(1, 3), 4), (2, 4)]
    assert {moved(gamma, copies, 1) for gamma, copies in at} == {-eta0 * sp.Rational(11, 20)}
    assert len({moved(gamma, copies, 0) for gamma, copies in at}) > 1 < len({moved(*one, 2) for one in at})


def test_penalties():
    """Sec. 3.4: without bars the sum of the weights has no lower bound; with them it is least at 0."""
    w, least = sp.Symbol("w", real=True), sp.Symbol("l", positive=True)
    assert sp.limit(least * w, w, -sp.oo) == -sp.oo
    assert sp.calculus.util.minimum(least * sp.Abs(w), w, sp.Interval(-2, 3)) == 0
    W = sp.Matrix([[0, 2], [-1, 0]])
    assert sum(sp.sqrt(x) for x in (W.T * W).eigenvals(multiple=True)) == 3  # the nuclear norm
    assert sum(W.eigenvals(multiple=True)) == 0  # singular values, not eigenvalues
