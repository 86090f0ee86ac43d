# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How many ways down: the saddles of a linear network, and who comes by
#
# The loss of a deep network has no bad minima to get stuck in, if the network is linear; but it has saddles, and
# learning waits at them. How many are there, how high do they lie, and how many directions lead down from each? For two
# layers the answer is a small table. It says what every network of a kind will do, and what each will do in its own
# time.

# %%
from functools import cache
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Count, Distribution, Refuted, confront
from laws.typeset import latex
from numerics import landscape, modes
from theory.chain import half_time_2
from theory.landscape import critical_loss, leading_index, morse_index, plateau_loss, waiting_time

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## Where the loss stands still
#
# Inputs are white with variance $\lambda$; the correlation of targets with them has the singular values $s_1 > s_2 >
# \dots$ In the axes of its singular vectors the loss of two layers is, for two modes and two hidden units,

# %%
s1, s2, lam = sp.symbols("s1 s2 lam", positive=True)
W1, W2 = (sp.Matrix(2, 2, sp.symbols(f"{letter}11 {letter}12 {letter}21 {letter}22", real=True)) for letter in "cd")
missing = sp.diag(s1, s2) - lam * W2 * W1
loss = sum(entry**2 for entry in missing) / (2 * lam)
loss

# %% [markdown]
# For any set of modes there are weights that have learnt these, $W_2W_1 = s_j/\lambda$ on their place of the diagonal,
# and nothing else. The gradient is zero there, and each unlearnt mode costs

# %%
weights = [*W1, *W2]


def at(learnt):
    """Balanced weights with the modes in `learnt` learnt, each in a hidden unit of its own."""
    layer = sp.diag(*(sp.sqrt(s / lam) if k in learnt else 0 for k, s in enumerate((s1, s2))))
    return dict(zip(weights, [*layer, *layer], strict=True))


for learnt in ((), (0,), (1,), (0, 1)):
    assert all(sp.expand(loss.diff(w).subs(at(learnt))) == 0 for w in weights)
left_over = plateau_loss.rhs.subs({sp.Symbol("s", real=True): s2, sp.Symbol("lam", real=True): lam})
assert sp.simplify(loss.subs(at((0,))) - left_over) == 0
plateau_loss

# %% [markdown]
# Minimum or saddle? The Hessian knows, and for eight weights sympy can diagonalise it. Its eigenvalues, and below each
# how often it occurs, when nothing is learnt, when only the *stronger* mode is learnt, and when only the *weaker* one
# is:

# %%
hessian = sp.hessian(loss, weights)
for learnt in ((), (0,), (1,)):
    found = hessian.subs(at(learnt)).applyfunc(sp.expand).eigenvals()
    ordered = sorted(found, key=lambda value: value.subs({s1: 2, s2: 1}))
    display(sp.Matrix([ordered, [found[value] for value in ordered]]))

# %% [markdown]
# Three kinds of direction, and only two lead down.
#
# - *A hidden unit that is free may learn a mode that is not learnt*: $-s_k$. With $n$ hidden units, $m$ modes and $r$
#   of them learnt there are $(n-r)(m-r)$ such directions.
# - *A hidden unit that has learnt the weaker mode may turn to the stronger*: $s_2 - s_1 < 0$. The other way round it is
#   positive: a strong mode once learnt is held.
# - All others are flat or go up. The zeros are changes of coordinates among hidden units.
#
# So, from the saddle of the $r$ strongest modes, there lead down

# %%
leading_index

# %% [markdown]
# ways, and one more from other saddles for each pair of a learnt mode and a stronger one that is not. As learning goes
# on the ways down run out. Check that for every subset of three modes, on a real network with four hidden units and all
# its directions turned at random, by automatic differentiation:

# %%
s, lam_, hidden = np.array([1.7, 0.9, 0.4]), 0.6, 4
task = landscape.task(s, lam_, inputs=5, outputs=4, seed=1)
subsets = [learnt for r in range(4) for learnt in combinations(range(3), r)]
print("modes learnt   loss    ways down: law, network")
for learnt in subsets:
    real = landscape.falling(task, landscape.critical_point(task, 2, learnt, hidden=hidden, seed=1))
    law = morse_index(s, learnt, hidden=hidden, depth=2)
    names = ", ".join(str(k + 1) for k in learnt) or "none"
    print(f"{names:14} {critical_loss(s, lam_, learnt):.3f} {law:13}, {real}")

# %% [markdown]
# ## The same way for all, each in its own time
#
# From small weights every mode grows as $e^{2s_kt/\tau}$, the strongest first. When it is learnt the network is near
# the saddle of that mode; the next is learnt, and so on: of the eight sets of learnt modes a run comes by four. Which
# ones it passes is the same for every seed. *When* is not. A mode starts from $a_0 = |c+d|^2/4$, $c$ and $d$ its $n$
# input and output weights. If they are normal with variance $\sigma^2$, this is $\sigma^2/2$ times a sum of $n$ squares
# of normal numbers: a $\chi^2$ variable. The half-time is $\frac{\tau}{2s}\ln\frac{s}{\lambda a_0}$ for small $a_0$, so
# that the probability to have learnt the mode by the time $t$ is that of $a_0$ above $\frac s\lambda e^{-2st/\tau}$:

# %%
z, n, tau, sigma, t, S, L = sp.symbols("z n tau sigma t s lam", real=True)
density = z ** (n / 2 - 1) * sp.exp(-z) / sp.gamma(n / 2)  # of half a chi-square variable
needed = S / (L * sigma**2) * sp.exp(-2 * S * t / tau)  # the start, over sigma^2, that is half learnt at t
ours = density.subs(z, needed) * -needed.diff(t)
point = {n: 5, tau: sp.Rational(13, 10), sigma: sp.Rational(3, 10), t: 2, S: sp.Rational(17, 10), L: sp.Rational(3, 5)}
print("density of half-times, ours ", ours.subs(point).evalf(30))
print("and the slope of the law    ", waiting_time.rhs.diff(t).subs(point).evalf(30))
waiting_time

# %% [markdown]
# ## Theory over simulation
#
# Left: the loss of four networks from small random weights, over the heights of the saddles. Right: how many of 1000
# networks have learnt a mode by the time $t$.


# %%
def way(seed, points=150):
    """Times and losses of a network under gradient flow, from small random weights."""
    until = 1.15 * half_time_2(s=s[-1], lam=lam_, a0=hidden * 1e-10 / 2, tau=1.0)
    start, times = modes.random(task, 2, 1e-5, hidden=hidden, seed=seed), np.linspace(0, until, points)
    return times, landscape.way(task, start, times, rtol=1e-6)[0]


def learnt_by(count, seed):
    """When each of so many networks with seven hidden units has half learnt a mode."""
    times = np.linspace(0, 8, 81)
    return 1.3 * landscape.half_times(count, **mode, hidden=7, times=times, seed=seed)


mode = dict(s=1.7, lam=3.1, sigma=1e-3)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6), dpi=120, layout="constrained")
for learnt in subsets:
    visited = learnt == tuple(range(len(learnt)))
    colour, style = ("#0072B2", "-") if visited else ("0.7", ":")
    left.axhline(critical_loss(s, lam_, learnt), color=colour, ls=style, lw=1.2)
for seed in range(4):
    left.plot(*way(seed), color="#D55E00", lw=0.9)
left.plot([], [], color="#D55E00", label="4 networks")
left.plot([], [], color="#0072B2", label="saddles of the strongest modes")
left.plot([], [], ":", color="0.6", label="all other saddles")
left.set(xlabel="time t (τ = 1)", ylabel="loss")
left.legend(frameon=False)
dense = np.linspace(3.5, 7.5, 200)
for units, colour in ((1, "#CC79A7"), (7, "#0072B2")):
    right.plot(dense, waiting_time(t=dense, n=units, tau=1.3, **mode), color=colour, label=f"law, n = {units}")
    drawn = landscape.half_times(1000, **mode, hidden=units, times=np.linspace(0, 12, 121), seed=1)
    right.plot(1.3 * np.sort(drawn)[::40], np.arange(0, 1000, 40) / 1000, "o", ms=4, mfc="white", color=colour)
right.plot([], [], "o", ms=4, mfc="white", color="0.3", label="1000 networks each")
right.set(xlabel="time t (τ = 1.3)", ylabel="fraction that has half learnt the mode", xlim=(3.5, 7.5))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Is it right?
#
# Two statements, two judges. `Distribution` takes as many networks as it needs to see a difference of 0.1 anywhere in
# the distribution, with both error rates stated:

# %%
labels = dict(t="half-time t (τ = 1.3)", y="fraction that has learnt the mode")
rivals = {
    "one hidden unit": lambda n, **rest: waiting_time(n=1, **rest),
    "starts of one layer": lambda sigma, **rest: waiting_time(sigma=sigma / np.sqrt(2), **rest),
    "no variability": lambda t, s, lam, sigma, n, tau: (
        1.0 * (t > half_time_2(s=s, lam=lam, a0=n * sigma**2 / 2, tau=tau))
    ),
}
point, judge = dict(**mode, n=7, tau=1.3, t=5.0), Distribution("t", detects=0.1)
confront("learning times vary as their starts", waiting_time, learnt_by, point, judge, rivals, labels=labels)

# %% [markdown]
# Ways down are whole numbers, and `Count` asks for each of them exactly:

# %%
sets = dict(subset=np.arange(8))
labels = dict(subset="set of learnt modes: none, 1, 2, 3, 12, 13, 23, 123", y="directions in which the loss falls")


@cache
def counted(seed):
    """Ways down at every saddle of a real network, its directions drawn from the seed."""
    points = (landscape.critical_point(task, 2, learnt, hidden=hidden, seed=seed) for learnt in subsets)
    return np.array([landscape.falling(task, point) for point in points])


def ways(subset):
    """The law for every subset."""
    return np.array([morse_index(s, learnt, hidden=hidden, depth=2) for learnt in subsets])


def deeper(subset):
    """As in three layers, where a free unit has no curvature."""
    return np.array([morse_index(s, learnt, hidden=hidden, depth=3) for learnt in subsets])


confront("the ways down", ways, counted, sets, Count(), {"three layers": deeper}, labels=labels, of=morse_index)

# %% [markdown]
# ## A rival fails
#
# Seen from the modes, each of which is a chain of its own, a saddle has one way down for each unlearnt mode. State it:


# %%
def by_modes(subset):
    """One way down for each mode that is not learnt."""
    return np.array([3 - len(learnt) for learnt in subsets])


try:
    confront("one way down for each mode", by_modes, counted, sets, Count(), {"three layers": deeper}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# It would be right if there were one free hidden unit. Width multiplies the ways down.
#
# **To try.** With three layers the free units have no curvature at all (`morse_index(..., depth=3)`): which saddles are
# not strict any more, and are there ways down nevertheless? How close does a run come to a saddle
# (`theory.landscape.closest_approach`)?
