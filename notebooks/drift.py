# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Drift: what noise does to a network that has learnt its task
#
# The codes of place cells drift for weeks while the animal behaves as before. A network that goes on learning under
# noise does the same: when its loss has reached zero there is a whole manifold of weights with zero loss, and noise
# moves it along. Does it wander at random, or is it driven, and where to? Here is the smallest model with the answer,
# two weights $x$, $y$ and the loss $L = (xy)^2$. It vanishes on a cross: on the valley $y = 0$, at any $x$, as well
# as on $x = 0$.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Mean, Refuted, confront
from laws.typeset import latex
from numerics.drift import Cross, walk
from theory.drift import fourth_moment, label_time, toy_floor, valley_drift, valley_width

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## Across the valley
#
# Descent with steps $\eta$, and noise of standard deviation $\sigma$ added to both weights at every step. In the
# valley $y$ is small and obeys $y \leftarrow y - \eta\,\partial L/\partial y + \sigma\xi$, with the slope

# %%
x, y, eta, sigma = sp.symbols("x y eta sigma", real=True)
L = (x * y) ** 2
L.diff(y)

# %% [markdown]
# that is, $y$ shrinks by a factor at each step and is kicked again. Its variance $C$ settles where one step leaves it
# as it was:

# %%
C = sp.Symbol("C", real=True)
settles = sp.Eq(C, (1 - eta * L.diff(y, 2)) ** 2 * C + sigma**2)
(width,) = sp.solve(settles, C)
assert sp.simplify(width - valley_width.rhs) == 0
display(settles, valley_width)

# %% [markdown]
# Nothing is assumed about the size of the step: the factor $1 - \eta x^2$ is what finite steps add, and where it
# vanishes descent is unstable.
#
# ## Along the valley
#
# The slope in $x$ is $2xy^2$. On the valley it is zero, but *its average over the fluctuations of $y$ is not*: the
# valley is steeper at large $x$, and noise feels that. Each step pushes $x$ by

# %%
push = -eta * L.diff(x).subs(y, 1) * width
assert sp.simplify(push - valley_drift.rhs) == 0
valley_drift

# %% [markdown]
# towards the corner, where the valley is flat. This is implicit regularisation: noise prefers flat minima. At small
# steps the push is $-\sigma^2/2x$, and it meets the noise that acts on $x$ itself, $\mathrm{d}x =
# -(\sigma^2/2x)\,\mathrm{d}t + \sigma\,\mathrm{d}W$. How do the moments of $x$ change? Itô's rule for a function
# $f(x)$ is $\langle f\rangle' = \langle -\frac{\sigma^2}{2x}f' + \frac{\sigma^2}{2}f''\rangle$. Apply it to $x^2$ and
# $x^4$:


# %%
def slow(f):
    """The mean rate of change of f(x)."""
    return sp.expand(valley_drift.rhs.subs(eta, 0) * f.diff(x) + sigma**2 / 2 * f.diff(x, 2))


display(slow(x**2), slow(x**4), fourth_moment)

# %% [markdown]
# The push exactly undoes the spread: $\langle x^2\rangle$ stays for ever. And yet particles reach the corner, one
# after the other, for the fourth moment grows: few go far out, many come in.
#
# ## Another noise, another drift
#
# If the *labels* are noisy, $L = (xy - \sigma\zeta)^2$ with a new $\zeta$ at each step, the kick to $y$ is $2\eta
# x\sigma\zeta$, and $x$ is not kicked at all where $y = 0$. The same two lines give the spread and the push;
# integrate $\mathrm{d}t = \mathrm{d}x/\text{push}$ from $x_0$ to $x$:

# %%
x0 = sp.Symbol("x_0", real=True)
(spread,) = sp.solve(sp.Eq(C, (1 - 2 * eta * x**2) ** 2 * C + (2 * eta * x * sigma) ** 2), C)
speed = sp.simplify(-2 * eta * x * spread)
assert sp.simplify(label_time.rhs.diff(x) * speed - 1) == 0 and sp.simplify(label_time.rhs.subs(x, x0)) == 0
display(sp.factor(speed), label_time)

# %% [markdown]
# No wandering, only a drift: exponential, in time $1/2\eta^2\sigma^2$.
#
# ## Theory over simulation
#
# Left: twelve particles under update noise; the law says where the mean of $x^2$ stays, and how the spread of $x^2$
# grows. Right: label noise, twelve particles, and the law.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), dpi=120, layout="constrained")
path = []
walk(
    Cross(),
    np.tile([1.5, 0.0], (400, 1)),
    eta=0.02,
    steps=2000,
    seed=1,
    update=0.0067,
    watch=lambda now: path.append(now[:, 0]),
)
steps, squares = np.arange(1, 2001), np.array(path) ** 2
left.plot(steps, squares[:, :12], color="0.75", lw=0.7)
left.plot(steps[::100], squares.mean(1)[::100], "o", ms=4, mfc="white", color="#D55E00", label="mean of 400")
for way in (1, -1):
    deviation = squares.mean(1) + way * squares.std(1)
    left.plot(steps[::100], deviation[::100], "v" if way < 0 else "^", ms=4, mfc="white", color="#0072B2")
    law = np.sqrt(fourth_moment(t=steps, x_0=1.5, sigma=0.0067) - 1.5**4)
    left.plot(steps, 1.5**2 + way * law, color="#0072B2", label="law: one standard deviation" if way > 0 else None)
left.axhline(1.5**2, color="#D55E00", label="law: mean")
left.set(title="update noise", xlabel="step", ylabel="$x^2$")
left.legend(frameon=False, fontsize=8, loc="upper left")
path = []
walk(
    Cross(),
    np.tile([0.9, 0.0], (12, 1)),
    eta=0.1,
    steps=2000,
    seed=2,
    label=0.2,
    watch=lambda now: path.append(now[:, 0]),
)
right.plot(steps, np.array(path), color="0.6", lw=0.7)
ends = np.linspace(0.45, 0.899, 60)
right.plot(label_time(x=ends, x_0=0.9, eta=0.1, sigma=0.2), ends, color="#0072B2", label="law")
right.set(title="label noise", xlabel="step", ylabel="x", xlim=(0, 2000))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Is it right?
#
# Runs are random now, so the judge is statistical. `Mean` says beforehand what it can see: it takes as many particles
# as it needs to detect a difference of 4 % for a given variance (twice that of a pilot), with both error rates
# stated. Steps are large, $\eta x^2 = 0.6$, so that the finite-step factor counts.

# %%
valley = dict(x=1.4, eta=0.3, sigma=1e-3)


@cache
def run(n, seed):
    """The mean of y^2 over 60 steps, for each of n particles, after 100 steps to settle."""
    start = np.tile([valley["x"], 0.0], (n, 1))
    settled, _ = walk(Cross(), start, eta=valley["eta"], steps=100, seed=2 * seed, update=valley["sigma"])
    total = np.zeros(n)

    def watch(now):
        total[:] += now[:, 1] ** 2

    walk(Cross(), settled, eta=valley["eta"], steps=60, seed=2 * seed + 1, update=valley["sigma"], watch=watch)
    return total / 60


def small_steps(x, eta, sigma):
    """The spread in the limit of small steps."""
    return sigma**2 / (4 * eta * x**2)


def other_eigenvalue(x, eta, sigma):
    """The spread with the eigenvalue x^2 of the Hessian in place of 2 x^2."""
    return sigma**2 / (2 * eta * x**2 * (1 - eta * x**2 / 2))


judge = Mean(detects=0.04 * valley_width(**valley), variance=2 * np.var(run(4000, 10**6)))
rivals = {"small steps": small_steps, "eigenvalue x²": other_eigenvalue}
labels = dict(y="<y²>")
confront("the spread across the valley", valley_width, run, valley, judge, rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Most papers work at small steps. Is that good enough here? The loss would hang on it: in this limit the mean loss is
# $\sigma^2/4\eta$, on all of the manifold the same, so that loss does not tell where on it a network is.

# %%
try:
    confront(
        "steps are small enough", small_steps, run, valley, judge, {"eigenvalue x²": other_eigenvalue}, labels=labels
    )
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())
toy_floor

# %% [markdown]
# **To try.** What if $y$ alone is noisy (`theory.drift.y_only_time`)? For a real network the pushes are
# $-\frac{\sigma^2}{4}\nabla\ln|H|_+$ for update noise and $-\frac{\eta^2c\sigma^2}{2}\nabla\operatorname{tr}H$ for
# label noise: put the Hessian of the toy in, and find the two pushes above again at small steps.
