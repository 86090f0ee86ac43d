# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Why the broad comes before the fine: learning a tree of categories
#
# Children tell animals from plants before they tell birds from fish, and birds from fish before robins from canaries.
# Deep linear networks do the same, without being told that there are categories. All that they see is which items
# share which features. Here we build a world with a tree in it, read from its spectrum *which* distinctions there are
# and *when* each will be learnt, and then train the network. The notebook `chain` has what we use of one mode.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.typeset import latex
from numerics import modes, semantics
from numerics.chain import crossing
from numerics.descent import GradientDescent, GradientFlow
from theory.chain import half_time_2, two_layers
from theory.semantics import expected_start, level_time, mode_strength, tree_common, tree_level

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## A world
#
# A feature is $+1$ or $-1$ at the root of a binary tree, and is handed down to the leaves, which are the items. On
# each edge it flips with probability $\varepsilon$, so that an edge multiplies its average by $1 - 2\varepsilon$. Two
# leaves whose last common ancestor lies $j$ levels above them are $2j$ edges apart, and share features with the
# correlation $\rho^j$, $\rho = (1 - 2\varepsilon)^2$. For three levels, eight items, the covariance of the items is

# %%
rho = sp.Symbol("rho", real=True)
K = sp.Matrix(8, 8, lambda i, j: rho ** (int(i) ^ int(j)).bit_length())  # the highest bit in which two leaves differ
K

# %% [markdown]
# ## Its spectrum
#
# A *distinction* is a vector that is $+1$ on one branch, $-1$ on its sibling and $0$ elsewhere. Each is an
# eigenvector, and all distinctions of one level have one eigenvalue. From the broadest to the finest:

# %%
found = []
for size in (4, 2, 1):
    distinction = sp.Matrix([1] * size + [-1] * size + [0] * (8 - 2 * size))
    eigenvalue = (K * distinction)[0]
    assert (K * distinction - eigenvalue * distinction).expand().is_zero_matrix
    found.append(sp.factor(eigenvalue))
display(*found)

# %% [markdown]
# Each level up adds one more power of $2\rho$ to a geometric sum, all of its terms positive: $\Lambda_1 > \Lambda_2 >
# \Lambda_3$, whatever $\varepsilon$ is. For $B$ branches and $D$ levels the law is

# %%
k, B, D, eps = sp.symbols("k B D eps", real=True)
for level, eigenvalue in enumerate(found, start=1):
    law = tree_level.rhs.subs({k: level, B: 2, D: 3})
    assert sp.simplify(law - eigenvalue.subs(rho, (1 - 2 * eps) ** 2)) == 0
tree_level

# %% [markdown]
# ## From the spectrum to times
#
# The network gets item $i$ as a one-hot input and answers with its $N$ features. Inputs are white with variance
# $\lambda = 1/P$, $P$ the number of items, so that the loss falls apart into modes, the singular vectors of $\langle
# yx^T\rangle$. Its singular values come from the eigenvalues of $K$:

# %%
mode_strength

# %% [markdown]
# Two layers learn every mode as a chain. The time to half of a mode is that of the chain, with these $s$ and
# $\lambda$ put in:

# %%
s, lam = sp.symbols("s lam", real=True)
P = sp.Symbol("P", real=True)
assert sp.simplify(half_time_2.rhs.subs({s: mode_strength.rhs, lam: 1 / P}) - level_time.rhs) == 0
level_time

# %%
world, N = dict(B=2, D=3, eps=0.05), 400
Lambda = np.append(tree_common(**world), tree_level(k=np.array([1, 2, 3]), **world))
names = ["what all items share", "level 1, broad", "level 2", "level 3, fine"]
for name, value, when in zip(names, Lambda, level_time(N=N, P=8, Lambda=Lambda, a0=1e-3, tau=1.0), strict=True):
    print(f"{name:22}Λ = {value:.3f}   half learnt at t = {when:.3f}")

# %% [markdown]
# ## Theory over simulation
#
# A network of 32 hidden units learns the items from small random weights. Points: how much of each level's
# distinctions its answers make. Lines: the chain of each level, from the mean start that random weights of variance
# $\sigma^2$ give it, $n\sigma^2/2$. Right: its answers at three times, as similarities between items: one block, two
# blocks, then the whole tree.

# %%
features = semantics.endless_features(np.linalg.cholesky(semantics.diffusion_covariance(2, 3, 0.05)), N)
task, levels = semantics.items(features), semantics.branches((2, 2, 2))
times = np.linspace(0, 7, 141)
answers = semantics.answers(task, modes.random(task, 2, 1e-3, hidden=32, seed=1), times, GradientFlow(1e-8, 1e-12))
learnt = semantics.learnt(answers, task.y.numpy(), levels)
strength = mode_strength(N=N, P=8, Lambda=Lambda)
figure = plt.figure(figsize=(10, 3.2), dpi=120, layout="constrained")
axes = figure.subplot_mosaic([["curves", "a", "b", "c"]], width_ratios=[2.2, 1, 1, 1])
for k, colour in enumerate(("#0072B2", "#009E73", "#E69F00", "#D55E00")):
    law = two_layers(t=times, s=strength[k], lam=1 / 8, a0=expected_start(n=32, sigma=1e-3), tau=1.0)
    axes["curves"].plot(times, law / (8 * strength[k]), color=colour, label=names[k])
    axes["curves"].plot(times[::4], learnt[::4, k], "o", ms=4, mfc="white", color=colour)
axes["curves"].set(xlabel="time t (τ = 1)", ylabel="fraction learnt of each level", ylim=(-0.05, 1.45))
axes["curves"].set_yticks([0, 0.5, 1])
axes["curves"].legend(frameon=False, fontsize=8, ncols=2, loc="upper left")
for name, k in zip("abc", (45, 70, 140), strict=True):
    similarity = answers[k] @ answers[k].T / N
    axes[name].imshow(similarity, cmap="viridis", vmin=0.4, vmax=1)
    axes[name].set(title=f"t = {times[k]:.2f}", xlabel="item", xticks=[], yticks=[])
axes["a"].set_ylabel("item")
figure.colorbar(axes["c"].images[0], ax=axes["c"], label="similarity of answers\n(mean product of features)")
plt.show()

# %% [markdown]
# ## Is it right?
#
# Now from weights whose start is known, so that no fit is left: gradient descent with steps $\eta$, $\eta/2$,
# $\eta/4$, $\eta/8$, the time of each level's half against the law. The distance must halve each time. The rival is a
# network with one layer: it sees the same spectrum, but learns *all* levels at one rate.


# %%
@cache
def run(eta, seed):
    """When half of each level is learnt, by gradient descent with step `eta`."""
    steps = eta * np.arange(round(6 / eta) + 1)
    weights = modes.aligned(task, 2, 1e-3, hidden=20, seed=seed)
    learnt = semantics.learnt(semantics.answers(task, weights, steps, GradientDescent(eta)), features, levels)
    return np.array([crossing(steps, level, 0.5) for level in learnt.T])


def one_layer(N, P, Lambda, a0, tau):
    """One layer: every mode is half learnt after P tau ln 2."""
    return P * tau * np.log(2) + 0 * Lambda


def half_as_similar(N, P, Lambda, a0, tau):
    """The strengths of a world half as similar."""
    return level_time(N=N, P=P, Lambda=Lambda / 2, a0=a0, tau=tau)


at, judge = dict(N=N, P=8, Lambda=Lambda, a0=1e-3, tau=1.0), Order(1, start=0.04)
labels = dict(Lambda="eigenvalue Λ of the level", y="half-time (τ = 1)", h="step η")
rivals = {"one layer": one_layer, "half the eigenvalue": half_as_similar}
confront("a deep network learns a tree level by level", level_time, run, at, judge, rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# Is it the world alone that sets the order, or is depth needed? If the world were enough, the law of one layer would
# do:

# %%
try:
    confront(
        "all levels are learnt at once",
        one_layer,
        run,
        at,
        judge,
        {"half the eigenvalue": half_as_similar},
        labels=labels,
    )
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# The world has the tree; *stages* come from depth.
#
# **To try.** Start large: beyond which $a_0$ would the fine come before the broad (`theory.semantics.latest_start`)?
# Take a ring instead of a tree (`theory.semantics.ring`): what are its distinctions, and which is the first?
