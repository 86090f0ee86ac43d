# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Learning to learn from context: attention, and why it comes suddenly
#
# Show a transformer a few examples of a task in its prompt, and it answers a new question of the same task without
# any change of its weights. The ability to do so appears suddenly during training: the loss stays on a plateau, then
# falls. Linear attention with one merged key-query matrix is the smallest model that does this, and it turns out to
# be an old friend: the chain of two layers of the notebook `chain`.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import gradient_flow
from laws.typeset import latex
from numerics import attention
from numerics.descent import GradientDescent, GradientFlow
from theory.attention import context_loss, context_variance, merged_attention

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From prompts to a loss
#
# A prompt has $N$ examples $(x_n, y_n)$ of a linear task $y = w\cdot x$, and a query $x_q$. Inputs, query and $w$ are
# normal with variance 1 in $D$ dimensions, and $w$ is new in every prompt: weights can store no task, they can only
# learn *how to use the context*. With a value weight $v$ and a key-query matrix $U$ attention answers
#
# $$v\,h^TUx_q,\qquad h = \frac1N\sum_n y_nx_n .$$
#
# The context enters through $h$ alone. For a given task its mean is $w$, but it varies with the examples that happen
# to be in the prompt. Let $\langle hh^T\rangle = \kappa I$. Then $\langle(w\cdot x_q - v\,h^TUx_q)^2\rangle/2$ is,
# here in two dimensions,

# %%
v, u, kappa = sp.symbols("v u kappa", real=True)
U = sp.Matrix(2, 2, sp.symbols("U11 U12 U21 U22", real=True))
loss = (2 - 2 * v * U.trace() + kappa * v**2 * sum(entry**2 for entry in U)) / 2
loss

# %% [markdown]
# Two layers, $v$ and $U$. All that is left of prompts is the number $\kappa$. The average $\langle hh^T\rangle$ has
# $N$ terms in which an example meets itself and $N(N-1)$ in which two examples meet; for normal $x$ the first are
# $\langle|x|^2x_1^2\rangle = \langle x_1^4\rangle + (D-1)\langle x_1^2\rangle\langle x_2^2\rangle = D + 2$:

# %%
N, D = sp.symbols("N D", real=True)
z = sp.Symbol("z", real=True)
moment = {k: sp.integrate(z**k * sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi), (z, -sp.oo, sp.oo)) for k in (2, 4)}
itself = moment[4] + (D - 1) * moment[2] ** 2
ours = (N * itself + N * (N - 1) * moment[2] ** 2) / N**2
assert sp.simplify(ours - context_variance.rhs) == 0
context_variance

# %% [markdown]
# ## From the loss to one equation
#
# At $v = 0$, $U = 0$ all speeds vanish: the saddle. The flow preserves $U = uI$; impose it:

# %%
flow = gradient_flow(loss, (v, *U))
same = flow.impose({U[0, 0]: u, U[1, 1]: u, U[0, 1]: sp.S.Zero, U[1, 0]: sp.S.Zero})
same

# %% [markdown]
# and it conserves $v^2 - |U|^2$, so that layers that start balanced stay so, $v = \sqrt D\,u$. What counts is the
# product $\sigma = vu$, how much of the context's estimate enters the answer. For $D = 2$, and in general:

# %%
assert flow.conserves(v**2 - sum(entry**2 for entry in U))
speed = dict(zip(same.weights, same.speeds, strict=True))
sigma = sp.Symbol("sigma", positive=True)
balanced = {v: 2 ** sp.Rational(1, 4) * sp.sqrt(sigma), u: sp.sqrt(sigma) / 2 ** sp.Rational(1, 4)}
display(sp.factor(sp.simplify((v * speed[u] + u * speed[v]).subs(balanced))), merged_attention)

# %% [markdown]
# A logistic curve with the rate $2\sqrt D/\tau$, which ends at $\sigma = 1/\kappa$, *below* 1: a finite context is
# shrunk, for its estimate of $w$ is noisy. What is left of the loss $D/2$ is

# %%
display(context_loss)
for length in (2, 10, 100):
    shrunk, left = 1 / context_variance(D=2, N=length), context_loss(D=2, N=length)
    print(f"D = 2, N = {length:3}: answers shrink to {shrunk:.3f}, loss left {left:.3f}")

# %% [markdown]
# ## Theory over simulation
#
# Attention trained on all prompts of a grid that has exactly the moments of normal ones: from balanced weights, left,
# and from small random weights, right. There the law starts at $|c + d|^2/4$, where $c$ and $d$ are what $U$ and $v$
# have of the mode $I/\sqrt D$: only the part that is already aligned grows.

# %%
prompts = attention.grid(2, 2)
times = np.linspace(0, 8, 161)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), dpi=120, layout="constrained", sharey=True)
for start, colour in ((1e-1, "#D55E00"), (1e-2, "#CC79A7"), (1e-3, "#56B4E9")):
    left.plot(
        times, merged_attention(t=times, D=2, N=2, sigma0=start, tau=1.0), color=colour, label=f"$σ_0$ = {start:g}"
    )
    trained = attention.train(prompts, attention.balanced(2, start), times[::10], GradientFlow(1e-7, 1e-10))
    left.plot(times[::10], trained, "o", ms=4, mfc="white", color=colour)
for seed, colour in ((0, "#0072B2"), (1, "#009E73"), (2, "#E69F00")):
    weights = attention.random(2, 0.02, seed=seed)
    mode = abs(np.trace(weights[1].numpy()) / np.sqrt(2) + weights[0].numpy()) ** 2 / 4
    law = merged_attention(t=times, D=2, N=2, sigma0=mode / np.sqrt(2), tau=1.0)
    right.plot(times, law, color=colour, label=f"network {seed + 1}")
    trained = attention.train(prompts, weights, times[::10], GradientFlow(1e-7, 1e-10))
    right.plot(times[::10], trained, "o", ms=4, mfc="white", color=colour)
left.set(title="balanced weights", xlabel="time t (τ = 1)", ylabel="σ, weight of the context")
right.set(title="small random weights", xlabel="time t (τ = 1)")
for axes in (left, right):
    axes.axhline(1 / context_variance(D=2, N=2), color="0.5", lw=1, ls="--")
    axes.legend(frameon=False, loc="lower right", title="line: law\npoint: trained")
plt.show()

# %% [markdown]
# ## Is it right?
#
# Gradient descent with steps $\eta$, $\eta/2$, $\eta/4$, $\eta/8$ must come closer to the law by a half each time.
# The rivals are two plausible slips: an endless context, $\kappa = 1$, and the rate $2D$ in place of $2\sqrt D$.

# %%
tau, seen = 1.3, np.array([0.65, 1.3, 2.6, 3.9, 5.2])


@cache
def run(eta, seed):
    """The weight of the context at five times, by gradient descent with step `eta`."""
    return attention.train(prompts, attention.balanced(2, 0.01), seen / tau, GradientDescent(eta / tau))


def endless(t, D, N, sigma0, tau):
    """A context without end."""
    return merged_attention(t=t, D=D, N=1e12, sigma0=sigma0, tau=tau)


def too_fast(t, D, **rest):
    """The rate 2 D."""
    return merged_attention(t=t * np.sqrt(D), D=D, **rest)


at, judge = dict(t=seen, D=2, N=2, sigma0=0.01, tau=tau), Order(1, start=0.13)
labels = dict(t="time t (τ = 1.3)", y="σ, weight of the context", h="step η")
rivals = {"endless context": endless, "rate 2D": too_fast}
confront("attention learns its context suddenly", merged_attention, run, at, judge, rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# $h$ is an unbiased estimate of $w$. Is $\sigma = 1$, then, not where learning ends? It would be, were the context
# endless:

# %%
try:
    confront("attention trusts its context", endless, run, at, judge, {"rate 2D": too_fast}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Real attention has separate key and query matrices. Then there are three layers: what becomes of the
# plateau (see `any_depth` in the notebook `chain`)?
