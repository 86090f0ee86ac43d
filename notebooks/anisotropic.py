# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Inputs as they are: when variance sets the pace, and how to undo it
#
# Closed forms for deep networks are made for white inputs, and no data is white. Handwritten digits have sixteen times
# the variance along their first principal component that they have along their twentieth. What remains of the theory?
# Two things do exactly: networks whose input and output modes are aligned, such as autoencoders; and, for any data, a
# flow in which the first layer takes its steps in the units of its inputs.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
import torch
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import gradient_flow
from laws.proof import prove
from laws.typeset import latex
from numerics import anisotropic
from theory.anisotropic import preconditioned
from theory.chain import two_layers

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## One mode after the other
#
# Let inputs have the covariance $X$ and the correlation $Y$ with the targets. If both have the same input directions,
# as in an autoencoder, where $Y = X$, then aligned weights fall apart into modes, each with a variance $\lambda$ and a
# correlation $s$ of its own:

# %%
c, d, s, lam, tau, t, a0 = sp.symbols("c d s lam tau t a0", real=True)
loss = (s - lam * c * d) ** 2 / (2 * lam)
flow = gradient_flow(loss, (c, d), tau)
flow

# %% [markdown]
# This is the chain of the notebook `chain`: it is learnt at the rate $2s/\tau$, and comes to $s/\lambda$. So in an
# autoencoder, $s = \lambda$, every component is learnt to $1$ in the end, but in the order of variance, and a component
# with a hundredth of the variance takes a hundred times as long.
#
# ## Steps in the units of the inputs
#
# Now divide the step of the first layer by the covariance of what it sees, $\tau\dot W_1 = W_2^TEX^{-1}$. In one mode
# this is $\tau\dot c = d\,(s - \lambda cd)/\lambda$, the other layer as before. Measure the first layer in units in
# which its inputs are white, $v = c\sqrt\lambda$:

# %%
(v, z), root = sp.symbols("v z", real=True), sp.sqrt(lam)
speed_c, speed_d = flow.speeds[0] / lam, flow.speeds[1]
in_white = {c: v / root, s: z * root}
white = [sp.factor(sp.simplify(speed.subs(in_white))) for speed in (speed_c * root, speed_d)]
for name, speed in zip((r"\tau\dot v", r"\tau\dot d"), white, strict=True):
    display(sp.Eq(sp.Symbol(name), speed))

# %% [markdown]
# with $z = s/\sqrt\lambda$: the flow of a chain whose input has variance $1$. Nothing in it needs one mode alone: with
# $V_1 = W_1X^{1/2}$ and $Z = YX^{-1/2}$ it is the flow with white inputs for *any* data, and everything that is known
# of that flow holds. What is learnt is $vd = a\sqrt\lambda$. Layers that are balanced in these units, $v = d$, have

# %%
a = sp.Symbol("a", positive=True)
square = sp.sqrt(a * root)
moves = sp.simplify((2 * v * white[0] / root).subs({v: square, d: square, z: s / root}))
logistic = 2 * a * (s - lam * a) / root
assert sp.simplify(moves - logistic) == 0
print("proved as an", prove(preconditioned))
display(sp.Eq(sp.Symbol(r"\tau\dot a"), logistic), preconditioned)

# %% [markdown]
# Again logistic, at the rate $2s/\tau\sqrt\lambda$. An autoencoder is paced by standard deviations instead of
# variances: a hundredth of the variance now takes ten times as long.
#
# ## Theory over simulation
#
# Autoencoders of handwritten digits with eight components in their own units, and ten hidden units, from small weights
# along the components; the same data with plain and with preconditioned descent.

# %%
task, start, tau_ = anisotropic.components(8), 0.02, 1.3
values, vectors = np.linalg.eigh(task.covariance.numpy())
variance, V = values[::-1].copy(), torch.from_numpy(vectors[:, ::-1].copy())
whiten = torch.linalg.inv(anisotropic.white_root(task))
print("variances of the components:", np.round(variance, 2))


def plain(times, eta, seed=0):
    """How much of each component is learnt at each time; shape (components, times)."""
    weights = anisotropic.aligned(V, V, start, hidden=10, seed=seed)
    learnt = anisotropic.train(task, weights, times / tau_, eta / tau_)
    return np.einsum("ik,tij,jk->kt", V, learnt, V)


def conditioned(times, eta, seed=0):
    """The same by preconditioned descent, from layers that are balanced in white units."""
    first, second = anisotropic.aligned(V, V, start * np.sqrt(variance), hidden=10, seed=seed)
    learnt = anisotropic.train_preconditioned(task, [first @ whiten, second], times / tau_, eta / tau_)
    return np.einsum("ik,tij,jk->kt", V, learnt, V)


figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), dpi=120, layout="constrained", sharey=True)
dense, seen = np.linspace(0, 26, 300), np.arange(0, 26.1, 1.3)
shown = range(0, 8, 2)
colours = plt.get_cmap("viridis")(np.linspace(0, 0.85, 4))
for axes, law, train in ((left, two_layers, plain), (right, preconditioned, conditioned)):
    learnt = train(seen, 0.0325)
    for k, colour in zip(shown, colours, strict=True):
        line = law(t=dense, s=variance[k], lam=variance[k], a0=start, tau=tau_)
        axes.plot(dense, line, color=colour, label=f"component {k + 1}: λ = {variance[k]:.2f}")
        axes.plot(seen, learnt[k], "o", ms=4, mfc="white", color=colour)
    axes.set(xlabel="time t (τ = 1.3)")
left.set(title="plain descent", ylabel="strength a of the component")
right.set(title="preconditioned")
right.legend(frameon=False, title="line: law, point: trained", loc="lower right")
plt.show()

# %% [markdown]
# ## Is it right?
#
# Descent with steps $\eta$, $\eta/2$, $\eta/4$, $\eta/8$ must come closer to the law by a half each time, for all eight
# components at once.

# %%
times = np.array([1.3, 2.6, 3.9, 6.5, 13.0])


@cache
def run(eta, seed):
    """All components at five times, by preconditioned descent with step `eta`."""
    return conditioned(times, eta, seed)


def taken_for_white(lam, **rest):
    """Inputs of the mean variance in all directions."""
    return preconditioned(lam=np.mean(lam), **rest)


at = dict(t=times, s=variance[:, None], lam=variance[:, None], a0=start, tau=tau_)
labels = dict(t="time t (τ = 1.3)", y="strength a of eight components", h="step η")
rivals, judge = {"plain descent": two_layers, "taken for white": taken_for_white}, Order(1, start=0.13)
confront("digits are learnt by their standard deviations", preconditioned, run, at, judge, rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Why not simply take digits for white, with their mean variance? Most theories do, in effect. Under plain descent:


# %%
@cache
def run_plain(eta, seed):
    """All components at five times, by plain descent with step `eta`."""
    return plain(times, eta, seed)


def mean_variance(lam, **rest):
    """The chain, at the mean variance."""
    return two_layers(lam=np.mean(lam), **rest)


rivals = {"preconditioned": preconditioned}
try:
    confront("digits are white enough", mean_variance, run_plain, at, judge, rivals, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** `anisotropic.classes(20)` asks for the class of a digit; its modes do not commute with the covariance.
# Does plain descent follow chains all the same? Does preconditioned descent (`anisotropic.modes` gives the modes in
# white units)?
