# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How a recurrent network learns to remember
#
# A recurrent network sees $T$ inputs, one after the other, and is asked about all of them at the end. Three things
# can be learnt: what to take in, what to keep, and what to read out. A linear network does all three in modes that
# can be followed by hand, and we can ask which part of memory is found by the recurrence, and which by the weights
# around it.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import gradient_flow
from laws.typeset import latex
from numerics import linear_rnn
from numerics.descent import GradientDescent, GradientFlow
from theory.recurrent import frozen_recurrence, input_speed, learn, profile_speeds, recurrent_speed

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to three speeds
#
# One mode: the state $h_i = b\,h_{i-1} + a\,x_i$, the answer $c\,h_T$. An input that came $k$ steps before the end is
# answered with $c\,b^ka$. White inputs do not mix, so that each lag has its own squared error. Let the targets fade
# as $\delta\rho^k$, and take $T = 4$:

# %%
a, b, c, delta, rho, tau = sp.symbols("a b c delta rho tau", real=True)
loss = sum((delta * rho**k - c * b**k * a) ** 2 for k in range(4)) / 2
flow = gradient_flow(loss, (a, b, c), tau)
speed_a, speed_b, speed_c = flow.speeds
loss

# %% [markdown]
# The sums over lags are geometric, and so are those with the lag as a weight, their derivatives. The laws have them
# in closed form, for any $T$. The third speed is that of $a$ with $a$ and $c$ exchanged:

# %%
T = sp.Symbol("T", real=True)
for law, ours in ((input_speed, speed_a), (recurrent_speed, speed_b)):
    assert sp.simplify(law.rhs.subs(T, 4) - ours) == 0
assert sp.expand(speed_a.subs({a: c, c: a}, simultaneous=True) - speed_c) == 0
display(input_speed, recurrent_speed)

# %% [markdown]
# Two things can be read off. The speed of the recurrence has the factor $a\,c$: with nothing taken in and read out
# there is nothing to keep, and $b$ waits. And input and readout conserve

# %%
flow.conserved()[0]

# %% [markdown]
# ## The closed form, while the recurrence rests
#
# Suppose that $b$ stays what it is, as in a reservoir. Then the gain $g = a\,c$, with $a = c$, moves by itself. Its
# speed is a quadratic in $g$: two layers again, with the strength and the variance of the memory that $b$ happens to
# have,

# %%
g = sp.Symbol("g", positive=True)
gain = (c * speed_a + a * speed_c).subs({a: sp.sqrt(g), c: sp.sqrt(g)})
display(sp.collect(sp.expand(gain), g), frozen_recurrence)

# %% [markdown]
# It ends at the best that this memory can do:

# %%
best = sp.simplify(sp.solve(sp.expand(gain / g), g)[0])
best

# %% [markdown]
# ## Theory over simulation
#
# A network of five units learns two modes, on white inputs made of natural images, with hidden directions turned at
# random, so that no unit is a mode. Left: all of it learns; lines are the three speeds, integrated. The recurrences
# wait until there is a gain, overshoot while it is still too small, and settle at $\rho$. Right: the same with the
# recurrence at rest.

# %%
lags, strengths, ratios, tau_ = np.arange(4)[::-1, None], np.array([1.7, 1.1]), np.array([0.9, 0.6]), 1.3
profile = strengths * ratios**lags  # of targets, by time and mode
task = linear_rnn.white(profile, inputs=3, outputs=2, seed=1)
start = np.array([[0.1, 0.1], [0.5, 0.3], [0.1, 0.1]])  # a, b, c of two modes
dense, seen = np.linspace(0.01, 9, 200), np.linspace(0.01, 9, 19)
weights, R = linear_rnn.aligned(task, *start, hidden=5, seed=1)
trained = linear_rnn.train_modes(task, weights, R, seen / tau_, GradientFlow(1e-7, 1e-9))
law = learn(profile_speeds(profile), start, dense, tau_, rtol=1e-8)
gains = linear_rnn.train_frozen(task, weights, R, seen / tau_, GradientFlow(1e-7, 1e-9))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), dpi=120, layout="constrained")
for k, colour in enumerate(("#0072B2", "#D55E00")):
    left.plot(dense, law[:, 0, k] * law[:, 2, k], color=colour, label=f"gain ac, mode {k + 1}")
    left.plot(seen, trained[:, 0, k] * trained[:, 2, k], "o", ms=4, mfc="white", color=colour)
    left.plot(dense, law[:, 1, k], "--", color=colour, label=f"recurrence b, mode {k + 1}")
    left.plot(seen, trained[:, 1, k], "s", ms=4, mfc="white", color=colour)
    memory = dict(b=start[1, k], T=4, delta=strengths[k], rho=ratios[k], sigma0=start[0, k] ** 2, tau=tau_)
    right.plot(dense, frozen_recurrence(t=dense, **memory), color=colour, label=f"mode {k + 1}, b = {start[1, k]}")
    right.plot(seen, gains[:, k], "o", ms=4, mfc="white", color=colour)
left.set(title="all weights learn", xlabel="time t (τ = 1.3)", ylabel="strength", ylim=(-0.75, None))
right.set(title="the recurrence rests", xlabel="time t (τ = 1.3)", ylabel="gain ac")
for axes in (left, right):
    axes.legend(frameon=False, fontsize=8, ncols=2, title="line: law, point: trained", loc="lower right")
plt.show()

# %% [markdown]
# ## Is it right?
#
# First the closed form. Gradient descent with a recurrence at rest, at steps $\eta$ to $\eta/8$, must approach it in
# proportion to the step. A network without memory is the rival.

# %%
times = np.array([0.65, 1.3, 2.6, 5.2])


@cache
def frozen(eta, seed):
    """The gains of both modes at four times while the recurrence rests; shape (2, 4)."""
    weights, R = linear_rnn.aligned(task, 0.3, start[1], 0.3, hidden=5, seed=seed)
    return linear_rnn.train_frozen(task, weights, R, times / tau_, GradientDescent(eta / tau_)).T


def no_memory(b, **rest):
    """A network that knows the last input alone."""
    return frozen_recurrence(b=1e-12, **rest)


b0, delta0, rho0 = (row[:, None] for row in (start[1], strengths, ratios))  # modes down, times along
at = dict(t=times, b=b0, T=4, delta=delta0, rho=rho0, sigma0=0.09, tau=tau_)
judge, labels = Order(1, start=0.05), dict(t="time t (τ = 1.3)", y="gain a c of two modes", h="step η")
confront("at rest the gain is logistic", frozen_recurrence, frozen, at, judge, {"no memory": no_memory}, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Is a reservoir enough, then? In the left figure the recurrence moves late, and where it rests, right, the gain alone
# learns as fast. State as a law of the *whole* network that its gain is the one with the recurrence at rest:


# %%
@cache
def whole(eta, seed):
    """The gains of both modes at four times when all weights learn; shape (2, 4)."""
    weights, R = linear_rnn.aligned(task, 0.3, start[1], 0.3, hidden=5, seed=seed)
    found = linear_rnn.train_modes(task, weights, R, times / tau_, GradientDescent(eta / tau_))
    return (found[:, 0] * found[:, 2]).T


try:
    confront("a reservoir is enough", frozen_recurrence, whole, at, judge, {"no memory": no_memory}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Targets that weigh *late* inputs less, $s_i = \delta\rho^i$ with $\rho < 1$: which recurrence does the
# network find (`theory.recurrent.reversed_gain`)? Start with $a \neq c$: what stays of the difference under gradient
# flow, and under descent with finite steps (`unbalance_step`)?
