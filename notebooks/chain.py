# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Why deep networks learn in stages: a chain of weights
#
# A chain of $D$ weights maps a number $x$ to $a\,x$, with $a = w_1 w_2 \cdots w_D$. It is the smallest deep network.
# Its output is linear in $x$, yet its learning is not linear in the weights: where one layer learns at once, two wait
# on a plateau, and then learn suddenly. Here we solve it on paper, train it, and ask the run whether the paper is
# right.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import antiderivative, gradient_flow
from laws.proof import prove
from laws.typeset import latex
from numerics import chain
from theory.chain import any_depth, half_time_2, shallow, two_layers

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))  # formulas as papers print them

# %% [markdown]
# ## From the loss to one equation
#
# For examples $(x, y)$ the mean squared error is $\frac12\langle (y - a x)^2\rangle$. Expand it: the examples enter
# through two averages alone, $s = \langle xy\rangle$ and $\lambda = \langle x^2\rangle$. Up to a constant it is

# %%
t, s, lam, a0, tau = sp.symbols("t s lam a0 tau", real=True)
a, w, w1, w2 = sp.symbols("a w w1 w2", real=True)
loss = (s - lam * a) ** 2 / (2 * lam)
loss

# %% [markdown]
# with its minimum at $a = s/\lambda$. Two layers have $a = w_1 w_2$, and gradient descent with small steps is the
# gradient flow, $\tau \dot w_i = -\partial L/\partial w_i$:

# %%
two = gradient_flow(loss.subs(a, w1 * w2), (w1, w2), tau)
two

# %% [markdown]
# Each weight is driven by the *other*. At $w_1 = w_2 = 0$ both speeds vanish: this is the saddle on which deep
# networks wait. The flow keeps the following quantity as it was at the start,

# %%
two.conserved()[0]

# %% [markdown]
# so that weights which start equal stay equal. Put $w_1 = w_2 = w$, and then $w = \sqrt a$; `impose` refuses an
# ansatz that the flow would leave. The output moves by itself:

# %%
output = two.impose({w1: w, w2: w}).impose({w: sp.sqrt(a)}, positive=[a])
output

# %% [markdown]
# ## The closed form
#
# Separate the variables. The time that the output takes to reach $z$ is an integral of $\tau$ over the speed
# (`antiderivative` differentiates sympy's answer back before it believes it),

# %%
z = sp.Symbol("z", positive=True)
elapsed = antiderivative(tau / output.speeds[0].subs(a, z), z)
elapsed

# %% [markdown]
# and up to a constant this is $\frac{\tau}{2s}\ln\frac{\lambda z}{\lambda z - s}$. So the fraction below grows
# exponentially at the rate $2s/\tau$, from its value at $a_0$ on. Solve for $z$:

# %%
fraction = sp.simplify(sp.exp(2 * s * elapsed / tau))
grows = sp.Eq(fraction, fraction.subs(z, a0) * sp.exp(2 * s * t / tau))
(solution,) = sp.solve(grows, z)
display(grows, solution)

# %% [markdown]
# A logistic curve. The package states the same law once, with its hypotheses and its source. That they agree, and
# that the law solves the differential equation from the start $a_0$, is an identity:

# %%
assert sp.simplify(solution - two_layers.rhs) == 0
print("proved as an", prove(two_layers))
two_layers

# %% [markdown]
# ## Numbers
#
# A law is called with numbers or arrays. It can say how many digits of the answer to trust, and it refuses what it is
# not about:

# %%
task, tau_ = dict(s=1.7, lam=0.6, a0=0.1), 1.3
print("float64  ", two_layers(t=1.2, tau=tau_, **task))
print("40 digits", two_layers.exact(40, t="1.2", s="1.7", lam="0.6", a0="0.1", tau="1.3"))
print("condition", two_layers.condition(t=1.2, tau=tau_, **task))
try:
    two_layers(t=1.2, s=1.7, lam=0.6, a0=0, tau=tau_)
except ValueError as error:
    print(error)

# %% [markdown]
# ## Theory over simulation
#
# Now train chains of one, two and four weights by gradient descent, and draw them over the laws. The training knows
# no theory. `any_depth` is the law for any number of layers, by inverting the time. The dashed lines say when half of
# $s/\lambda$ is learnt: for two layers $\frac{\tau}{2s}\ln(\frac{s}{\lambda a_0} - 1)$, so that a start ten times
# smaller costs one more $\tau\ln(10)/(2s)$ of waiting.

# %%
dense, seen = np.linspace(0, 5, 300), np.arange(0, 5.01, 0.25)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), dpi=120, layout="constrained", sharey=True)
for depth, colour in ((1, "#0072B2"), (2, "#D55E00"), (4, "#009E73")):
    left.plot(dense, any_depth(dense, depth=depth, tau=tau_, **task), color=colour, label=f"D = {depth}")
    trained = chain.train(depth, times=seen / tau_, eta=0.25 / tau_ / 20, **task)
    left.plot(seen, trained, "o", ms=4, mfc="white", color=colour)
for start, colour in ((1e-1, "#D55E00"), (1e-2, "#CC79A7"), (1e-3, "#56B4E9")):
    smaller = {**task, "a0": start}
    right.plot(dense, two_layers(t=dense, tau=tau_, **smaller), color=colour, label=f"$a_0$ = {start:g}")
    trained = chain.train(2, times=seen / tau_, eta=0.25 / tau_ / 20, **smaller)
    right.plot(seen, trained, "o", ms=4, mfc="white", color=colour)
    right.axvline(half_time_2(tau=tau_, **smaller), color=colour, lw=1, ls="--")
left.set(title=f"depth ($a_0$ = {task['a0']})", xlabel=f"time t (τ = {tau_})", ylabel="output a", ylim=(0, None))
right.set(title="two layers: the start", xlabel=f"time t (τ = {tau_})")
for axes in (left, right):
    axes.legend(frameon=False, loc="lower right", title="line: law\npoint: trained")
plt.show()

# %% [markdown]
# ## Is it right?
#
# Points near a line prove little: many wrong curves look like this. `confront` asks more. Gradient descent with step
# $\eta$ is off the flow by an error of order $\eta$, so halve the step three times: the distance between run and law
# must halve with it, and the law must be the limit, within the error of the limit itself. No tolerance is set by
# hand. On the *same* runs every named rival must fail, and so must every mutant of the law, with one number or symbol
# off by a tenth.

# %%
times = np.array([0.4, 1.2, 2.4, 4.8])  # plateau, transition, end
at = dict(t=times, tau=tau_, **task)
judge = Order(1, start=0.04)
labels = dict(t=f"time t (τ = {tau_})", y="output a", h="step η")


@cache
def run(eta, seed):
    """Train two layers with a step of `eta`."""
    return chain.train(2, times=times / tau_, eta=eta / tau_, **task)


confront("two layers are logistic", two_layers, run, at, judge, rivals={"one layer": shallow}, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Suppose that we had lost the factor 2 = $D$ in the rate, an easy slip: $\tau \dot a = a\,(s - \lambda a)$ has a
# logistic solution too, half as fast. State it as the law, and `confront` raises, saying where it is off and by how
# much:


# %%
def slip(t, **rest):
    """The logistic law without the factor 2 in its rate."""
    return two_layers(t=t / 2, **rest)


try:
    confront("the rate is s, not 2s", slip, run, at, judge, rivals={"one layer": shallow}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Start the two weights unequal, with `chain.flow_from((0.05, -0.02), ...)`: how long do they wait, and
# why does `theory.chain.escape` depend on $c_0 + d_0$? Let `depth` grow in `any_depth`, in the time $t/D$: which
# equation is left in the limit?
