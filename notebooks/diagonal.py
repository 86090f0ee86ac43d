# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From saddle to saddle: a network that selects its inputs
#
# Train from very small weights, and the loss becomes a staircase: long plateaus, sudden drops. Each plateau is a
# saddle at which the network uses some of its inputs and ignores the others. A diagonal network is the smallest one
# in which all this can be followed by hand: every input $x_i$ has its own chain of two weights, and the output is
# $\sum_i \beta_i x_i$ with $\beta_i = u_i v_i$. When does an input enter, and what does it take from the others?

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import gradient_flow
from laws.typeset import latex
from numerics import diagonal
from theory.diagonal import mirror, path, second_jump

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to one variable for each input
#
# With $C = \langle xx^T\rangle$ and $c = \langle yx\rangle$ the mean squared error is $\frac12\beta^TC\beta -
# c^T\beta$ up to a constant. Take one input first; its weights follow

# %%
u, v, h, C, c = sp.symbols("u v h C c", real=True)
alpha = sp.Symbol("alpha", real=True)
flow = gradient_flow(C * (u * v) ** 2 / 2 - c * u * v, (u, v))
flow

# %% [markdown]
# Start from $u = \alpha$, $v = 0$. The flow conserves $u^2 - v^2$, so that it stays on a hyperbola, $u = \alpha\cosh
# h$ and $v = \alpha\sinh h$. On it one number is left:

# %%
assert flow.conserves(u**2 - v**2)
on_hyperbola = flow.impose({u: alpha * sp.cosh(h), v: alpha * sp.sinh(h)})
beta = alpha * sp.cosh(h) * alpha * sp.sinh(h)
moves = dict(zip(on_hyperbola.weights, on_hyperbola.speeds, strict=True))
assert moves[alpha] == 0 and sp.simplify((moves[h] - (c - C * beta)).rewrite(sp.exp)) == 0
assert sp.simplify((beta - mirror.rhs).rewrite(sp.exp)) == 0
mirror

# %% [markdown]
# with $\dot h = c - C\beta$. In words: $h$ adds up the *pull* on an input, the correlation of the input with what is
# not yet explained. With several inputs the pull on input $i$ is $c_i - (C\beta)_i$, and nothing else changes.
#
# ## Small weights make a threshold
#
# Measure time and pull in units of $\ln(1/\alpha)$: $t = T\ln(1/\alpha)$, $h = S\ln(1/\alpha)$. Then

# %%
S, start = sp.Symbol("S", real=True), sp.Symbol("alpha", positive=True)
small = (start ** (2 - 2 * S) - start ** (2 + 2 * S)) / 4
assert sp.simplify((mirror.rhs.subs({alpha: start, h: -S * sp.log(start)}) - small).rewrite(sp.exp)) == 0
sp.Eq(sp.Symbol("beta"), small)

# %% [markdown]
# As $\alpha \to 0$ this is $0$ while $|S| < 1$ and infinite beyond. So nothing happens until some $|S_i|$ reaches
# $1$. Then $\beta_i$ jumps, and takes whatever value keeps $S_i$ at the threshold: it makes its own pull vanish.
# Between jumps $\beta$ stands still, all pulls are constant, and $S$ moves uniformly. That is the whole rule, due to
# Pesme and Flammarion.
#
# ## When the second input enters
#
# Let $c_1 > c_2 > 0$. The first input enters at $T_1 = 1/c_1$ and takes $\beta_1 = c_1/C_{11}$. By then $S_2 =
# c_2/c_1$; it goes on by the pull that the first has left. Solve for the time when it reaches $1$:

# %%
c1, c2, C11, C12, T = sp.symbols("c1 c2 C11 C12 T", real=True)
reaches = sp.Eq(c2 / c1 + (c2 - C12 * c1 / C11) * (T - 1 / c1), 1)
(T2,) = sp.solve(reaches, T)
assert sp.simplify(T2 - second_jump.rhs) == 0
display(reaches, second_jump)

# %% [markdown]
# If the inputs are positively correlated, $C_{12} > 0$, the first one explains part of what the second would: the
# second waits. With $C_{11}c_2 < C_{12}c_1$ the pull on it turns round, and the law says so:

# %%
data = dict(c1=1.7, c2=0.9, C11=1.3, C12=0.4)
print("T_2 =", second_jump(**data))
try:
    second_jump(**{**data, "C12": 0.8})
except ValueError as error:
    print(error)

# %% [markdown]
# ## Theory over simulation
#
# Networks trained on ten examples that have exactly these averages, from smaller and smaller weights. `path` is the
# rule for any number of inputs.

# %%
covariance, correlation = np.array([[1.3, 0.4], [0.4, 0.8]]), np.array([1.7, 0.9])
x, y = diagonal.drawn(10, covariance, correlation, seed=0)
jumps, saddles = path(covariance, correlation)
edges = np.repeat([0.0, *jumps, 2.5], 2)[1:-1]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), dpi=120, layout="constrained")
for start, colour in ((1e-2, "#56B4E9"), (1e-6, "#0072B2"), (1e-20, "#D55E00")):
    seen = np.linspace(0, 2.5, 81)
    beta, _ = diagonal.flow(x, y, start, seen * np.log(1 / start))
    left.plot(seen, diagonal.losses(x, y, beta), ".", ms=4, color=colour, label=f"trained, α = {start:g}")
    for i in (0, 1):
        right.plot(seen, beta[:, i], ".", ms=4, color=colour)
left.plot(edges, np.repeat(diagonal.losses(x, y, saddles), 2), "k-", lw=1, label="law, α → 0")
for i in (0, 1):
    right.plot(edges, np.repeat(saddles[:, i], 2), "k-", lw=1)
    right.annotate(f"$β_{i + 1}$", (2.55, saddles[-1, i]), annotation_clip=False, va="center")
left.set(xlabel="time over ln(1/α)", ylabel="loss", ylim=(0, None))
left.legend(frameon=False)
right.set(xlabel="time over ln(1/α)", ylabel="coefficient β", xlim=(0, 2.5))
plt.show()

# %% [markdown]
# ## Is it right?
#
# The law is a limit, $\alpha \to 0$, and times approach it only as $1/\ln(1/\alpha)$: even $\alpha = 10^{-20}$ is not
# small enough to compare by eye. So confront the *approach*. Halve $1/\ln(1/\alpha)$ three times; the distance
# between run and law must halve each time, and the limit that the runs themselves suggest must be the law.


# %%
@cache
def run(inverse_log, seed):
    """The time of the second jump, in units of ln(1/alpha), for alpha = e^(-1/inverse_log)."""
    times = np.arange(0, 2.5 / inverse_log, 0.08)
    x, y = diagonal.drawn(10, covariance, correlation, seed=seed)
    beta, _ = diagonal.flow(x, y, np.exp(-1 / inverse_log), times, rtol=1e-9)
    return inverse_log * diagonal.jumps(times, beta, diagonal.losses(x, y, beta))[1]


def uncorrelated(c1, c2, C11, C12):
    """Every input for itself."""
    return 1 / c2


def from_nothing(c1, c2, C11, C12):
    """The second input starts when the first has entered."""
    return 1 / c1 + 1 / (c2 - C12 * c1 / C11)


judge, labels = Order(1, start=0.14), dict(y="time of the second jump over ln(1/α)", h="1/ln(1/α)")
rivals = {"every input for itself": uncorrelated, "from nothing": from_nothing}
confront("a correlated input waits for its rest", second_jump, run, data, judge, rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Why not simply: each input enters when *its own* correlation has pulled long enough, at $1/c_i$? It is the law for
# uncorrelated inputs. Here it is two fifths too early, and no smaller $\alpha$ will mend that:

# %%
try:
    confront("every input enters at 1/c", uncorrelated, run, data, judge, {"from nothing": from_nothing}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Real data: `diagonal.diabetes()` gives four measurements of 442 patients. In which order do they enter?
# Find a covariance of three inputs for which one that has entered falls back to 0 when another enters.
