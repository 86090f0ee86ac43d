"""How balanced a network is at random, and what a finite step does to its balance; see `theory.balanced`."""

import sympy as sp

from laws.law import Law, Source, Step

c, d, eta, e = sp.symbols("c d eta e", real=True)
Ni, No, s1, s2 = sp.symbols("N_i N_o sigma1 sigma2", real=True)
theta = sp.Symbol("theta", real=True)

SHAPE = (Ni >= 1, No >= 1, s1 > 0, s2 > 0)
drawn = (dict(N_i=20, N_o=7, sigma1=0.3, sigma2=0.7), dict(N_i=3, N_o=50, sigma1=1.1, sigma2=0.2))

balance_step = Law(
    sp.Symbol("lambda_next", real=True),
    (d**2 - c**2) * (1 - eta**2 * e**2),
    solves=lambda after: (after - ((d + eta * e * c) ** 2 - (c + eta * e * d) ** 2),),
    given=(eta > 0,),
    source=Source("derived here", "one step of descent on one mode with error e, exact for full batches and for SGD"),
    examples=(dict(c=0.3, d=-1.7, eta=0.02, e=0.9), dict(c=1.3, d=0.4, eta=0.3, e=-2.1)),
)


def moment(k):
    """The k-th moment of a standard normal variable, from its generating function e^(theta^2/2)."""
    return sp.diff(sp.exp(theta**2 / 2), theta, k).subs(theta, 0)


mean_balance = Law(
    sp.Symbol("lambda_mean", real=True),
    No * s2**2 - Ni * s1**2,
    solves=lambda mean: (mean - (No * moment(2) * s2**2 - Ni * moment(2) * s1**2),),
    given=SHAPE,
    source=Source("derived here", "mean of the diagonal of W2^T W2 - W1 W1^T; off it the mean is 0"),
    examples=drawn,
)
diagonal_variance = Law(
    sp.Symbol("v_diagonal", real=True),
    2 * (No * s2**4 + Ni * s1**4),
    solves=lambda v: (v - (moment(4) - moment(2) ** 2) * (No * s2**4 + Ni * s1**4),),
    given=SHAPE,
    source=Source("derived here", "variance of the diagonal of W2^T W2 - W1 W1^T at normal weights"),
    examples=drawn,
)
offdiagonal_variance = Law(
    sp.Symbol("v_off", real=True),
    No * s2**4 + Ni * s1**4,
    solves=lambda v: (v - moment(2) ** 2 * (No * s2**4 + Ni * s1**4),),
    given=SHAPE,
    source=Source("derived here", "variance off the diagonal of W2^T W2 - W1 W1^T at normal weights"),
    examples=drawn,
)


def derive_moments() -> tuple[Step, ...]:
    """One step of descent, and the moments of normal weights."""
    first, second = sp.symbols("c_next d_next", real=True)
    error, s, mu = sp.symbols("e s mu", real=True)
    loss = (s - mu * c * d) ** 2 / (2 * mu)
    after = {first: c - eta * sp.diff(loss, c), second: d - eta * sp.diff(loss, d), error: s - mu * c * d}
    M = sp.Function("M")(theta)
    where = {M: sp.exp(theta**2 / 2)}
    return (
        Step("a step shrinks the balance", sp.Eq(second**2 - first**2, balance_step.rhs), after),
        Step("normal weights: the second moment is 1", sp.Eq(M.diff(theta, 2), (1 + theta**2) * M), where),
        Step("and the fourth is 3", sp.Eq(M.diff(theta, 4), (3 + 6 * theta**2 + theta**4) * M), where),
    )
