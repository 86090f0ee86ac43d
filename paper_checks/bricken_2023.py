"""Bricken et al., "Emergence of Sparse Representations from Noise" (2023), equations (2)-(19): the loss and its terms.

In the paper's notation, and independent of `theory`.  Weights, data and noise are fractions, and the noise takes
eight values with certainty, so that every expectation is a finite sum and every equation holds exactly or not at all.
"""

from fractions import Fraction

import numpy as np

DOCUMENT = "bricken-2023"


def fractions(*rows):
    """Rows of tenths as an array of fractions."""
    return np.array([[Fraction(v, 10) for v in row] for row in rows])


def relu(z):
    """The paper's phi, element by element."""
    return np.where(z > 0, z, Fraction(0))


class Small:
    """Two inputs, three units, two outputs, five data; eps takes eight symmetric values, each with probability 1/8."""

    W_e, b_e = fractions((13, -4), (-7, 11), (5, 9)), fractions((3, -4, 1))[0]
    W_d, b_d = fractions((6, -12, 9), (-8, 7, 14)), fractions((2, -1))[0]
    X = fractions((5, 12), (-9, 4), (17, -6), (-3, -14), (1, 2))
    noise = fractions(*((a, b) for a in (-13, -4, 4, 13) for b in (-9, 9)))

    def z(self, x):
        """Pre-activations."""
        return x @ self.W_e.T + self.b_e

    def y(self, x):
        """Outputs."""
        return relu(self.z(x)) @ self.W_d.T + self.b_d

    def loss(self):
        """1/D sum_x E sum_i (x_i - y~_i)^2, equation (6)."""
        return sum(np.sum((x - self.y(x + self.noise)) ** 2) for x in self.X) / (len(self.X) * len(self.noise))

    def parts(self, x):
        """r, xi and eta for every value of the noise."""
        eta = relu(self.z(x + self.noise)) - relu(self.z(x))
        return x - self.y(x), self.y(x + self.noise) - self.y(x), eta


def mean(values):
    """E over the noise."""
    return values.sum(0) / len(values)


net = Small()


def test_2(erratum):
    """(2): the loss lacks the averages over data and noise that (3) and (6) have."""
    summed = sum(np.sum((x - net.y(x + e)) ** 2) for x in net.X for e in net.noise)
    assert summed == len(net.X) * len(net.noise) * net.loss() != net.loss()
    erratum(
        DOCUMENT, "Eq. (2)", verdict="lacks the average that Eq. (3) and (6) take",
        printed=r"L = \sum_x \|x - \tilde y\|^2", corrected=r"L = \frac 1 D \sum_x E_\epsilon \|x - \tilde y\|^2",
        size="a factor: as many data as there are",
    )  # fmt: skip


def test_3_and_9():
    """(3), (9): the loss is the mean over data of r^2 - 2 r E[xi] + E[xi^2], summed over outputs."""
    total = 0
    for x in net.X:
        r, xi, _ = net.parts(x)
        total += np.sum(r**2 - 2 * r * mean(xi) + mean(xi**2))
    assert total / len(net.X) == net.loss()


def test_7_and_8():
    """(7), (8): draw by draw the error is r - xi."""
    for x in net.X:
        r, xi, _ = net.parts(x)
        assert np.all((x - net.y(x + net.noise)) ** 2 == (r - xi) ** 2)


def test_10_and_11():
    """(10), (11): xi is the decoder's image of eta."""
    for x in net.X:
        _, xi, eta = net.parts(x)
        assert np.all(xi == eta @ net.W_d.T)


def test_12_and_13(erratum):
    """(12), (13): eta from the weights; the sum over inputs runs to n, not to o: with o < n some would not be seen."""
    for x in net.X:
        for e in net.noise:
            eta = relu(net.W_e @ (x + e) + net.b_e) - relu(net.W_e @ x + net.b_e)
            assert np.all(net.W_d @ eta == net.y(x + e) - net.y(x))
    n, o, (x, e) = 2, 1, (net.X[0], net.noise[0])
    summed = {end: sum(net.W_e[:, k] * (x[k] + e[k]) for k in range(end)) + net.b_e for end in (n, o)}
    assert np.all(summed[n] == net.z(x + e)) and np.all(summed[o] != net.z(x + e))
    erratum(
        DOCUMENT, "Eq. (13), (18) and (19)", verdict="misprint; right for autoencoders alone, where o = n",
        printed=r"\sum_k^o W_{e_{j,k}}", corrected=r"\sum_k^n W_{e_{j,k}}", size="inputs beyond the o-th are not seen",
    )  # fmt: skip


def test_5_and_16(erratum):
    """(5), (14), (16): the square of xi has diagonal and cross terms; (5) lacks a bracket, (15) is empty."""
    for x in net.X:
        _, xi, eta = net.parts(x)
        for i, row in enumerate(net.W_d):
            diagonal = np.sum(row**2 * mean(eta**2))
            cross = sum(row[j] * row[k] * mean(eta[:, j] * eta[:, k]) for j in range(3) for k in range(3) if j != k)
            assert mean(xi[:, i] ** 2) == diagonal + cross != diagonal
            assert mean(xi[:, i]) == np.sum(row * mean(eta))
    erratum(
        DOCUMENT, "Eq. (5) and (15)", verdict="a bracket is not closed; (15) has no content",
        printed=r"E[\sum_j \ldots \eta_j \eta_k", corrected=r"E[\sum_j \ldots \eta_j \eta_k]", size="typesetting",
    )  # fmt: skip


def printed_17(net, power):
    """(17), whose second term has W_d to this power: 1 as printed."""
    total = 0
    for x in net.X:
        r, _, eta = net.parts(x)
        cross = eta.T @ eta / len(eta)
        np.fill_diagonal(cross, 0)
        quadratic = np.einsum("ij,jk,ik->i", net.W_d, cross, net.W_d)
        total += np.sum(r**2 - 2 * r * (net.W_d @ mean(eta)) + net.W_d**power @ mean(eta**2) + quadratic)
    return total / len(net.X)


def rescaled(alpha):
    """The same function of its inputs: encoder and bias of the second unit alpha times as large, its decoder less."""
    same = Small()
    widths = np.array([Fraction(1), Fraction(alpha), Fraction(1)])
    same.W_e, same.b_e, same.W_d = net.W_e * widths[:, None], net.b_e * widths, net.W_d / widths
    return same


def test_17(erratum):
    """(17): the second term needs W_d^2; as printed it falls without bound when a unit is rescaled, the loss stays."""
    assert printed_17(net, 2) == net.loss() != printed_17(net, 1)
    alphas = (1, 10, 100, 1000)
    assert all(printed_17(rescaled(alpha), 2) == rescaled(alpha).loss() == net.loss() for alpha in alphas)
    printed = [printed_17(rescaled(alpha), 1) for alpha in alphas]
    slopes = {(printed[k] - printed[0]) / (alphas[k] - 1) for k in (1, 2, 3)}
    assert len(slopes) == 1 and slopes.pop() < 0 and printed[-1] < 0  # a falling line: it has no least value
    off = float(printed[0] / net.loss() - 1)
    erratum(
        DOCUMENT, "Eq. (17)", verdict="misprint; unbounded below as printed",
        printed=r"\sum_j W_{d_{i,j}} E[\eta_j^2]", corrected=r"\sum_j W_{d_{i,j}}^2 E[\eta_j^2]",
        size=f"{off:+.0%} of the loss for a small network; -∞ after rescaling one of its units",
    )  # fmt: skip


def test_terms_are_not_all_penalties(erratum):
    """Below (17): "each of these terms should be minimized": -2 r W_d E[eta] has no sign."""
    signs = {int(np.sign(-2 * net.parts(x)[0] @ net.W_d @ mean(net.parts(x)[2]))) for x in net.X}
    assert signs == {-1, 1}
    erratum(
        DOCUMENT, "text below Eq. (17)", verdict="the margin term has no sign",
        printed=r"\text{the first term penalises}", corrected=r"-2 r^T W_d E[\eta]\ \text{of either sign}",
        size="in trained networks it is a reward",
    )  # fmt: skip


def test_like_l1(erratum):
    """Text: the penalty is no L1 norm: twice the activity does not cost twice, and a rescaled unit costs the same."""
    x, far, width = net.X[2], 1000, 3
    unit = net.W_e[0] @ net.noise.T  # the noise of one unit
    costs = [mean((relu(far * k + unit) - far * k) ** 2) for k in (1, 2)]
    assert costs[0] == costs[1] == mean(unit**2)
    rescaled = relu(width * (net.W_e @ (x + net.noise[0]) + net.b_e)) - relu(width * net.z(x))
    assert np.all(net.W_d / width @ rescaled == net.W_d @ net.parts(x)[2][0])
    erratum(
        DOCUMENT, "App. E, relation to the L1 penalty", verdict="not like L1: it saturates, and rescaling leaves it",
        printed=r"\text{noise acts like an } L_1 \text{ penalty}", corrected=r"E[\eta^2] \to \sigma^2 \|w_e\|^2",
        size="an active unit costs the same however active it is",
    )  # fmt: skip
