"""Ratzon, Derdikman and Barak, "Representational drift as a result of implicit regularization" (2024), (1)-(17).

In the paper's notation and numbering (its preprint prints the equations), and independent of `theory`.  Networks have
fractions for weights and data, so that what holds holds exactly; their pattern of active units is fixed wherever a
derivative is taken, and the outputs are then polynomials.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

DOCUMENT = "ratzon-2024"
x0, dy, eta, s, h = sp.symbols("x_0 Delta_y eta s h", real=True)
u, v = sp.symbols("u v", real=True)


def fractions(*rows):
    """Rows of tenths as an array of fractions."""
    return np.array([[Fraction(v, 10) for v in row] for row in rows])


def relu(z):
    """The paper's sigma, element by element."""
    return np.where(z > 0, z, 0 * z)


class Small:
    """Two inputs, four units, two outputs, two samples, of which the third unit sees one, the fourth neither."""

    m, n = fractions((13, -4), (7, 11), (9, -8), (3, 2)), fractions((6, -12, 9, 4), (-8, 7, 14, -3))
    b, x = fractions((3, 4, -2, -90))[0], fractions((12, 5), (-3, 14))
    size = 4 * (2 + 1 + 2)

    def output(self, x):
        """(1): sigma(x m^T + b) n^T."""
        return relu(x @ self.m.T + self.b) @ self.n.T

    def active(self, x):
        """1(x; theta), shape (samples, units)."""
        return (x @ self.m.T + self.b > 0).astype(int)

    def slope(self, x, o, active):
        """The gradient of output o, in the order (m, b, n), as (16) should say."""
        rows = np.zeros((2, 4), dtype=object)
        rows[o] = (x @ self.m.T + self.b) * active
        n = self.n[o] * active
        return np.concatenate([np.outer(n, x).ravel(), n, rows.ravel()])

    def jacobian(self):
        """The gradients of all samples and outputs, in rows."""
        return np.array(
            [self.slope(x, o, on) for x, on in zip(self.x, self.active(self.x), strict=True) for o in (0, 1)]
        )


net = Small()


def outputs(theta):
    """All outputs in one row, at parameters in the order (m, b, n), with the units active that are so in `net`."""
    m, b, n = theta[:8].reshape(4, 2), theta[8:12], theta[12:].reshape(2, 4)
    return (((net.x @ m.T + b) * net.active(net.x)) @ n.T).ravel()


point = np.concatenate([net.m.ravel(), net.b, net.n.ravel()])
around = np.where(np.eye(net.size, dtype=bool), Fraction(1, 10), Fraction(0))  # a step along each parameter


def test_1():
    """(1): m and n are matrices of inputs and outputs; there is no bias at the outputs."""
    for x in net.x:
        activity = [max(row @ x + b, 0) for row, b in zip(net.m, net.b, strict=True)]
        assert list(net.output(x)) == [sum(w * a for w, a in zip(row, activity, strict=True)) for row in net.n]
    assert not net.active(net.x)[:, 3].any() and list(net.active(net.x)[:, 2]) == [1, 0]


def test_2(erratum):
    """(2): the next input has one number more than the output, the velocity; only its visual part can be predicted."""
    visual, x = 17, np.arange(18.0)
    with pytest.raises(ValueError, match="broadcast"):
        np.zeros(visual) - x
    assert (np.zeros(visual) - x[:visual]).shape == (visual,)
    erratum(
        DOCUMENT, "Eq. (2)", verdict="the target is the visual part of the next input; the norm is not said",
        printed=r"E_t (\hat y_t - x_{t+1})^2", corrected=r"\frac 1 D E_t \|\hat y_t - \mathrm{visual}(x_{t+1})\|^2",
        size="18 inputs, 17 outputs",
    )  # fmt: skip


def test_3(erratum):
    """(3): noise zeta on the gradient is noise xi = -eta zeta on the step, and smaller by eta."""
    rate, theta, slope, zeta = (Fraction(k, 10) for k in (1, 7, -3, 4))
    assert theta - rate * (slope + zeta) == theta - rate * slope - rate * zeta
    floor = lambda variance: variance * 5 * 5 / (4 * 0.1)  # noqa: E731  (of 5 samples and outputs, at eta = 0.1)
    of_the_mean = 1 / 3  # what a network loses that answers the mean of targets between -1 and 1
    assert floor(0.01) > of_the_mean > floor((0.1 * 0.1) ** 2)
    erratum(
        DOCUMENT, "Table 1", verdict="no variance, but the standard deviation of what is added to the gradient",
        printed=r"\mathrm{Var}\, \xi \in [0.01, 0.1]", corrected=r"\xi \sim N(0, (\eta s)^2),\; s \in [0.01, 0.1]",
        size="with variances from 0.01 on the loss would stay above that of the mean",
    )  # fmt: skip


def information(p, r, mean):
    """(4), with any mean."""
    return sum(q * a / mean * sp.log(a / mean, 2) for q, a in zip(p, r, strict=True) if a)


def test_4(erratum):
    """(4): a divergence if the mean is over positions, weighted by occupancy; otherwise it may be negative."""
    p, r = [sp.Rational(k, 10) for k in (5, 3, 2)], [sp.Integer(k) for k in (4, 1, 7)]
    mean = sum(a * q for a, q in zip(p, r, strict=True))
    part = [a * q / mean for a, q in zip(p, r, strict=True)]
    divergence = sum(a * sp.log(a / q, 2) for a, q in zip(part, p, strict=True))
    assert sp.N(information(p, r, mean) - divergence, 30, chop=1e-28) == 0 < sp.N(divergence)
    least = -1 / (sp.E * sp.log(2))  # of q log2 q, which a place that is always occupied reaches
    often = lambda rest: [1 - 2 * rest, rest, rest]  # noqa: E731
    rare = [1 / sp.E, (3 - 1 / sp.E) / 2, (3 - 1 / sp.E) / 2]
    near, nearer = (abs(sp.N(information(often(sp.Rational(1, 10**k)), rare, 1) - least)) for k in (3, 6))
    assert 999 < near / nearer < 1001 and round(least, 2) == sp.Float("-0.53", 2)  # in proportion to the rest
    erratum(
        DOCUMENT, "Eq. (4)", verdict="negative unless the mean is weighted by occupancy",
        printed=r"\bar r\ \text{the mean activity}", corrected=r"\bar r = \sum_i p_i r_i",
        size="down to -0.53 bits",
    )  # fmt: skip


def test_4_is_normalised_once(erratum):
    """Text at (4): a mean over the visits to a bin is not divided by the occupancy again."""
    p = [sp.Rational(k, 10) for k in (5, 3, 2)]
    again = [1 / q for q in p]  # a unit that says nothing of position, divided by the occupancy
    twice = information(p, again, sum(a * q for a, q in zip(p, again, strict=True)))
    assert information(p, [1] * 3, 1) == 0 < sp.N(twice)
    erratum(
        DOCUMENT, "text above Eq. (4)", verdict="normalises twice",
        printed=r"r_i = \text{mean activity}/\text{occupancy}", corrected=r"r_i = \text{mean activity in bin } i",
        size=f"a unit that is equally active everywhere has {float(twice):.2f} bits at occupancies of 5:3:2",
    )  # fmt: skip


def gaussian(polynomial, *variables):
    """The mean of a polynomial in independent normal variables of standard deviation s."""
    moment = lambda k: 0 if k % 2 else sp.factorial2(k - 1) * s**k  # noqa: E731
    terms = sp.Poly(sp.expand(polynomial), *variables).terms()
    return sp.expand(sum(c * sp.prod([moment(k) for k in powers]) for powers, c in terms))


def test_5():
    """(5): on average SED descends the loss as the perturbation blurs it: f + (s^2/2) tr H + higher orders."""
    f, (a, b) = (u * v - 1) ** 2 + u**3 * v / 5, sp.symbols("a b")
    moved = f.subs({u: u + a, v: v + b}, simultaneous=True)
    mean = gaussian(-eta * (moved - f) * a, a, b)
    blurred = gaussian(moved, a, b)
    assert sp.expand(mean + eta * s**2 * blurred.diff(u)) == 0 != sp.expand(mean + eta * s**2 * f.diff(u))
    trace = sp.hessian(f, (u, v)).trace()
    assert sp.Poly(blurred - f - s**2 / 2 * trace, s).monoms()[-1] >= (4,)


def test_6(erratum):
    """(6): noise must be drawn for every sample and output: then its gradient's covariance is 2 c sigma^2 H."""
    J, c = net.jacobian(), Fraction(1, 4)
    H = 2 * c * J.T @ J
    each = 4 * c**2 * J.T @ J  # of the gradient, for labels with noise of variance 1
    shared = np.array([J[o] + J[2 + o] for o in (0, 1)])  # the same noise for both samples
    assert (each == 2 * c * H).all() and (4 * c**2 * shared.T @ shared != 2 * c * H).any()
    assert sp.Matrix(shared).rank() < sp.Matrix(J).rank()
    erratum(
        DOCUMENT, "Eq. (6)", verdict="the noise needs indices of sample and output",
        printed=r"\xi_\tau^{label}", corrected=r"\xi_{\tau,t,o}^{label}",
        size="shared by all samples it is not proportional to the Hessian, and of lower rank",
    )  # fmt: skip


toy = (u * v) ** 2
near = {u: x0, v: dy}


def test_7_and_8():
    """(7), (8): the gradient of (xy)^2 beside the valley."""
    slope = [sp.expand(-toy.diff(p).subs(near)) for p in (u, v)]
    assert slope == [sp.expand(-2 * x0 * e) for e in (dy**2, x0 * dy)]


def test_9():
    """(9): its Hessian in the valley."""
    assert sp.hessian(toy, (u, v)).subs({u: x0, v: 0}) == 2 * sp.Matrix([[0, 0], [0, x0**2]])


def test_10(erratum):
    """(10): the eigenvalues of (9) are 0 and 2 x0^2."""
    found = set(sp.hessian(toy, (u, v)).subs({u: x0, v: 0}).eigenvals())
    assert found == {0, 2 * x0**2} != {0, x0**2}
    erratum(
        DOCUMENT, "Eq. (10)", verdict="misprint", printed=r"\lambda_{1,2} = \{0, x_0^2\}",
        corrected=r"\lambda_{1,2} = \{0, 2 x_0^2\}", size="a factor of 2 in the step at which descent is unstable",
    )  # fmt: skip


def test_11():
    """(11): a step of descent leaves every point of the manifold where it is."""
    slope = sp.Matrix([toy.diff(p) for p in (u, v)])
    assert slope.subs(v, 0) == sp.zeros(2, 1) == slope.subs(u, 0)


hyperbola = (1 - u * v) ** 2 / 2
a, b = sp.symbols("a b", real=True)  # the displacement
apart = sp.Matrix([a, b])
on = {v: 1 / u}


def orders(expr):
    """The powers of the displacement in an expression."""
    return {sum(powers) for powers in sp.Poly(sp.expand(expr), a, b).monoms()}


def test_12():
    """(12): the loss beside its zeros is half of a quadratic form with the Hessian, up to third order."""
    there = hyperbola.subs({u: u + a, v: v + b}, simultaneous=True).subs(on)
    form = (apart.T * sp.hessian(hyperbola, (u, v)).subs(on) * apart)[0]
    assert min(orders(there - form / 2)) == 3 and min(orders(there - form)) == 2


def test_13_and_14():
    """(13), (14): so is the gradient, with the gradient of the Hessian at fixed displacement, up to third order."""
    H, theta = sp.hessian(hyperbola, (u, v)), (u, v)
    form = (apart.T * H * apart)[0] / 2
    for k, p in enumerate(theta):
        slope = hyperbola.diff(p).subs({u: u + a, v: v + b}, simultaneous=True).subs(on)
        said = (H * apart)[k] + form.diff(p)
        assert min(orders(slope - said.subs(on))) == 3
        assert min(orders(slope - (H * apart)[k].subs(on))) == 2  # the auxiliary loss is seen


def test_14_averages_last():
    """Text at (14): averaged before it is differentiated the auxiliary loss tr(H C)/2 is flat, since C is as H^+."""
    H = sp.hessian(hyperbola, (u, v)).subs(on)
    inverse = sp.simplify(H / H.trace() ** 2)  # of rank one
    assert sp.simplify((H * inverse).trace()) == 1
    fixed = [(sp.hessian(hyperbola, (u, v)).diff(p).subs(on) * inverse).trace() for p in (u, v)]
    along = sp.Matrix([u, -1 / u])  # the direction of the manifold at v = 1/u
    assert sp.simplify(sp.Matrix(fixed).dot(along)) != 0


def test_15(erratum):
    """(15): the bias is a vector, as in (1)."""
    one = relu(net.x @ net.m.T + net.b[0]) @ net.n.T  # the same bias for every unit
    assert (net.output(net.x) != one).any()
    erratum(
        DOCUMENT, "Eq. (15)", verdict="typesetting: as printed one bias for all units",
        printed=r"\sigma(x_i m^T + b) n^T", corrected=r"\sigma(x_i m^T + \mathbf b) n^T", size="a vector",
    )  # fmt: skip


def test_16(erratum):
    """(16): the gradient with respect to n is the activity x m^T + b, for each output, of the units active at x_i."""
    exact = np.array([outputs(point + e) - outputs(point - e) for e in around]).T * 5  # outputs are linear in each
    assert (net.jacobian() == exact).all()
    with pytest.raises(ValueError, match="mismatch"):
        net.x @ net.n.T
    some = net.active(net.x).max(0)
    loose = np.array([net.slope(x, o, some) for x in net.x for o in (0, 1)])
    assert (loose != exact).any()
    erratum(
        DOCUMENT, "Eq. (16)", verdict="misprint; for every output; active for the input x_i, not for some input",
        printed=r"\partial f/\partial n = (x_i \cdot n^T + b) \odot 1(x_i)",
        corrected=r"\partial f_o/\partial n_p = \delta_{op}\, (x_i m^T + b) \odot 1(x_i)",
        size="the product that is printed does not exist unless there are as many units as inputs",
    )  # fmt: skip


SOME = [0, 5, 8, 10, 12, 19]  # parameters of every kind and of several units, one of them dead


def hessian_of(c, off):
    """Of c |f - y|^2, whose errors are `off`, at some parameters, by differences: L is quadratic in each of them."""
    loss = lambda theta: c * np.sum((outputs(theta) - outputs(point) + off) ** 2)  # noqa: E731
    mixed = lambda d, e: loss(point + d + e) - loss(point + d - e) - loss(point - d + e) + loss(point - d - e)  # noqa: E731
    twice = lambda e: 4 * (loss(point + e) - 2 * loss(point) + loss(point - e))  # noqa: E731
    steps = [around[k] for k in SOME]
    return 25 * np.array([[twice(d) if d is e else mixed(d, e) for e in steps] for d in steps])


def test_17(erratum):
    """(17): summed over outputs too, times 2/(K D), and where the loss vanishes only."""
    J, c = net.jacobian(), Fraction(1, 4)
    summed = (J.T @ J)[np.ix_(SOME, SOME)]
    H = 2 * c * summed
    assert (hessian_of(c, 0) == H).all() and (H != summed).any()
    assert (hessian_of(c, np.array([1, 0, 0, 0])) != H).any()
    erratum(
        DOCUMENT, "Eq. (17)", verdict="lacks the sum over outputs and the factor of the mean squared error",
        printed=r"\sum_i \nabla f \nabla f^T", corrected=r"\frac{2}{K D} \sum_{i,o} \nabla f_o \nabla f_o^T",
        size="a factor of 2/(K D): it decides whether a step is stable",
    )  # fmt: skip


def test_inactive_units_do_not_widen_the_null_space(erratum):
    """Text below (17), Fig. 4B: a dead unit leaves d + 1 + D rows of zeros, and the rank is K D with it and without."""
    J = sp.Matrix(net.jacobian())
    H = J.T * J
    without = [k for k in range(net.size) if k not in (6, 7, 11, 15, 19)]
    assert H.rank() == J.rank() == 4 == H.extract(without, without).rank()
    assert [k for k in range(net.size) if not any(H[k, :])] == [6, 7, 11, 15, 19]
    values = np.linalg.eigvalsh(np.array(H, dtype=float))
    assert int((values > 0).sum()) != 4
    erratum(
        DOCUMENT, "Fig. 4B, text below Eq. (17)", verdict="zero rows, but no further zero eigenvalues",
        printed=r"\text{each inactive unit adds zero eigenvalues}", corrected=r"\operatorname{rank} H = K D",
        size="at zero loss, whatever the number of dead units; counts of λ > 0 in floating point count round-off",
    )  # fmt: skip
