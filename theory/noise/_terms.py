"""From the noisy loss to its three terms and to its closed form; equations (1) and (2) of `theory.noise`."""

import sympy as sp

from laws.law import Step


def derive_terms() -> tuple[Step, ...]:
    """Two units, two outputs, and noise that takes each of three values with any probability."""
    r, d = sp.symbols("r1:3", real=True), sp.Matrix(2, 2, sp.symbols("d1:5", real=True))
    h, p = sp.symbols("h1:3", real=True), sp.symbols("p1:4", real=True)
    values = sp.Matrix(3, 2, sp.symbols("n1:7", real=True))  # deviations of both units, draw by draw
    total = sum(p)

    def mean(of):
        return sum(q * of(values.row(k)) for k, q in enumerate(p)) / total

    deviation = [mean(lambda eta, j=j: eta[j]) for j in range(2)]
    moment = [[mean(lambda eta, j=j, k=k: eta[j] * eta[k]) for k in range(2)] for j in range(2)]
    out, noise = sp.symbols("x xi", real=True)
    loss = mean(lambda eta: sum((r[i] - d[i, 0] * eta[0] - d[i, 1] * eta[1]) ** 2 for i in range(2)))
    gram = d.T * d
    columns = [r[0] * d[0, j] + r[1] * d[1, j] for j in range(2)]
    terms = (
        sum(q**2 for q in r)
        - 2 * sum(columns[j] * deviation[j] for j in range(2))
        + sum(gram[j, j] * moment[j][j] for j in range(2))
        + 2 * gram[0, 1] * moment[0][1]
    )
    shifted = [r[i] - sum(d[i, j] * deviation[j] for j in range(2)) for i in range(2)]
    scatter = sum(gram[j, k] * (moment[j][k] - deviation[j] * deviation[k]) for j in range(2) for k in range(2))
    y, noisy = sp.symbols("y ytilde", real=True)
    rectified = sp.Max(h[0] + h[1], 0) - sp.Max(h[0], 0)
    return (
        Step("the noise moves an output by xi = y~ - y",
             sp.Eq((out - noisy) ** 2, (out - y) ** 2 - 2 * (out - y) * noise + noise**2), {noise: noisy - y}),
        Step("averaged over the noise: the clean loss and three terms", sp.Eq(loss, terms)),
        Step("completed to a square: mean output and covariance", sp.Eq(loss, sum(q**2 for q in shifted) + scatter)),
        Step("rescaling a ReLU unit rescales its deviation, so that every term stays",
             sp.Eq(sp.Max(p[0] * (h[0] + h[1]), 0) - sp.Max(p[0] * h[0], 0), p[0] * rectified),
             given=(p[0] > 0,)),
    )  # fmt: skip
