# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which layer is larger: lazy at once, or rich with a delay
#
# That large weights make learning lazy and small ones rich is half of the truth. One linear neuron with two layers,
# $f(x) = a\,w\cdot x$, has a large first layer $w$ or a large second layer $a$, and the two are opposites: the one goes
# straight to its target; the other stops halfway, and then, long after, turns. The notebook `balanced` follows one
# mode, whose direction is given; here the direction is what is learnt.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.flow import gradient_flow
from laws.typeset import latex
from numerics import landscape, unbalanced
from theory.unbalanced import kernel_size, lazy, stalled, turning

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to the kernel
#
# Inputs are white with variance $\lambda$; their correlation with the target has length $s$. Let $p$ be the part of $w$
# along the target and $q$ the part across it. The mean squared error is descended by

# %%
a, p, q, s, lam = sp.symbols("a p q s lam", real=True)
eta_a, eta_w = sp.symbols("eta_a eta_w", real=True)
flow = gradient_flow(((s - lam * a * p) ** 2 + (lam * a * q) ** 2) / (2 * lam), (a, p, q))
flow

# %% [markdown]
# Give each layer a learning rate of its own, $\eta_a$ and $\eta_w$. Then $\delta = \eta_wa^2 - \eta_a|w|^2$ is
# conserved, and tells which layer is larger:

# %%
speed = {x: eta * v for x, eta, v in zip((a, p, q), (eta_a, eta_w, eta_w), flow.speeds, strict=True)}


def rate(quantity):
    """Its change in time."""
    return sp.expand(sum(quantity.diff(x) * v for x, v in speed.items()))


assert rate(eta_w * a**2 - eta_a * (p**2 + q**2)) == 0

# %% [markdown]
# What the neuron computes is $\beta = a\,w$, and what it lacks $g = (s - \lambda\beta_p, -\lambda\beta_q)$. How does
# $\beta$ move? Linearly in $g$, with a matrix that the weights make up, $\dot\beta = Mg$: the tangent kernel.

# %%
g = sp.Matrix([s - lam * a * p, -lam * a * q])
w = sp.Matrix([p, q])
M = eta_w * a**2 * sp.eye(2) + eta_a * w * w.T
assert (sp.Matrix([rate(a * p), rate(a * q)]) - M * g).expand().is_zero_matrix
M

# %% [markdown]
# A part that is the same in all directions, from the second layer, and a part along $w$, from the first. Call their
# sizes $(\kappa\pm\delta)/2$. Their product is $\eta_a\eta_wr^2$, where $r = |\beta|$; so that $\beta$ itself says how
# it moves, and the weights can be forgotten:

# %%
kappa, delta, r = sp.symbols("kappa delta r", real=True)
sizes = {kappa: eta_w * a**2 + eta_a * (p**2 + q**2), delta: eta_w * a**2 - eta_a * (p**2 + q**2)}
assert sp.expand(((kappa**2 - delta**2) / 4).subs(sizes) - eta_a * eta_w * a**2 * (p**2 + q**2)) == 0
kernel_size

# %% [markdown]
# ## Two limits
#
# If $\delta\to+\infty$, the part along $w$ vanishes beside the other: $M = \delta I$. The kernel never changes, and
# $\beta$ goes straight to its target at one rate. If $\delta\to-\infty$, the other part vanishes: $M = |\delta|\,bb^T$,
# $b = \beta/r$. Then $\beta$ can only grow in its own direction, and stops where $g$ has no part along it. With
# $\theta$ the angle between $w$ and the target, that is at

# %%
theta = sp.Symbol("theta", real=True)
along = s * sp.cos(theta) - lam * r
(stops,) = sp.solve(along, r)
display(stops, lazy, stalled)

# %% [markdown]
# (with $T = |\delta|\,t$). That is a circle through the origin and the target. But it is not the end: the small part of
# $M$ goes on turning $w$. Its angle moves by $(p\dot q - q\dot p)/|w|^2$, with $a = r/|w|$, and $|w|^2 =
# |\delta|/\eta_a$:

# %%
size = sp.Symbol(r"|\delta|", positive=True)
length = sp.sqrt(size / eta_a)
turns = ((p * speed[q] - q * speed[p]) / (p**2 + q**2)).subs({p: length * sp.cos(theta), q: length * sp.sin(theta)})
turns = sp.simplify(turns.subs(a, stops / length))
slope = sp.simplify(turns / sp.cos(theta) ** 2 / sp.tan(theta))  # of ln tan θ
display(sp.Eq(sp.Symbol(r"\dot\theta"), turns), sp.Eq(sp.Symbol(r"\frac{d}{dt}\ln\tan\theta"), slope), turning)

# %% [markdown]
# (with $T = t/|\delta|$). Lazy first, in times of $1/|\delta|$; rich later, in times of $|\delta|$.
#
# ## Theory over simulation
#
# Left: what the neuron computes, in the plane of the target and its own start, for three neurons that start with the
# *same* $\beta$: with a large second layer, with equal layers, and with a large first layer. Right: the angle of the
# first layer of two neurons with a large first layer, in the slow time. Rates are 0.7 and 1.6.

# %%
s_, lam_, eta, theta0 = 1.7, 0.6, dict(eta_a=0.7, eta_w=1.6), 0.9
task = landscape.task([s_], lam_, inputs=4, outputs=1)


def neuron(delta, r0, times, rtol=1e-8, seed=0):
    """Second and first layer under gradient flow, from |β| = r0 at the angle theta0 and the imbalance delta."""
    size = kernel_size(delta=delta, r=r0, **eta)
    second, first = np.sqrt((size + delta) / 2 / eta["eta_w"]), np.sqrt((size - delta) / 2 / eta["eta_a"])
    w = unbalanced.start(task, along=first * np.cos(theta0), across=first * np.sin(theta0), seed=seed)
    return unbalanced.flow(task, second, w, times, rates=tuple(eta.values()), rtol=rtol)


def in_the_plane(delta, times):
    """β along the target and across it."""
    second, first = neuron(delta, 0.3, times)
    angle, r = unbalanced.angle(task, first), second * np.linalg.norm(first, axis=1)
    return r * np.cos(angle), r * np.sin(angle)


figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), dpi=120, layout="constrained")
start, target = 0.3 * np.array([np.cos(theta0), np.sin(theta0)]), np.array([s_ / lam_, 0])
left.plot(*np.transpose([start, target]), color="#0072B2", label="law, δ → ∞: straight")
circle = np.linspace(theta0, 0, 100)
rim = s_ / lam_ * np.cos(circle) * np.array([np.cos(circle), np.sin(circle)])
left.plot(*np.column_stack([start, rim]), color="#D55E00", label="law, δ → −∞: stop, and turn")
for imbalance, colour, times in (
    (20.0, "#0072B2", np.linspace(0, 0.5, 16)),
    (0.0, "#009E73", np.linspace(0, 3, 25)),
    (-20.0, "#D55E00", np.concatenate([np.linspace(0, 0.3, 12), np.linspace(1, 16, 16)])),
):
    path = in_the_plane(imbalance, times)
    left.plot(*path, "o", ms=5, mfc="white", color=colour, label=f"trained, δ = {imbalance:g}")
left.plot(*target, "k*", ms=12)
left.set(xlabel="β along the target", ylabel="β across it", ylim=(-0.1, 1.75))
left.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
dense = np.linspace(0, 0.8, 100)
law = turning(T=dense, s=s_, lam=lam_, theta0=theta0, **eta)
right.plot(dense, np.degrees(np.arctan(law)), color="0.2", label="law")
for imbalance, colour in ((-5.0, "#E69F00"), (-20.0, "#D55E00")):
    slow = np.linspace(0, 0.8, 17)
    angle = unbalanced.angle(task, neuron(imbalance, 0.3, slow * -imbalance)[1])
    right.plot(slow, np.degrees(angle), "o", ms=5, mfc="white", color=colour, label=f"trained, δ = {imbalance:g}")
right.set(xlabel="slow time t/|δ|", ylabel="angle of the first layer with the target (°)")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Is it right?
#
# The laws are limits, $1/|\delta|\to0$. Halve $1/|\delta|$ three times. How fast must the error fall? What is left out
# of $\kappa$ is of second order, so by four each time:

# %%
slow = np.array([0.02, 0.1, 0.2, 0.4])


@cache
def angles(inverse, seed):
    """The tangent of the angle of the first layer at four slow times, for delta = -1/inverse."""
    _, first = neuron(-1 / inverse, 0.4, slow / inverse, seed=seed)
    return np.tan(unbalanced.angle(task, first))


def never(T, theta0, **rest):
    """A large first layer keeps its direction."""
    return np.tan(theta0) + 0 * T


def one_rate(T, eta_a, eta_w, **rest):
    """Both layers learn at the second layer's rate."""
    return turning(T=T, eta_a=eta_a, eta_w=eta_a, **rest)


labels = dict(T="slow time t/|δ|", y="tan θ of the first layer", h="1/|δ|")
rivals = {"never": never, "one rate for both layers": one_rate}
at = dict(T=slow, s=s_, lam=lam_, theta0=theta0, **eta)
confront("a large first layer turns late", turning, angles, at, Order(2, start=0.2), rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# "Large weights are lazy." Does it matter which layer is large? State the lazy law for the neuron with a large *first*
# layer, in the fast time $|\delta|t$:

# %%
fast = np.array([0.5, 1.5, 3.0, 5.0])


@cache
def computed(inverse, seed):
    """What the neuron computes along the target at four fast times, for delta = -1/inverse."""
    second, first = neuron(-1 / inverse, 0.4, fast * inverse, seed=seed)
    return second * (first @ unbalanced.target(task))


labels = dict(T="fast time |δ| t", y="β along the target", h="1/|δ|")
try:
    at = dict(T=fast, s=s_, lam=lam_, r0=0.4 * np.cos(theta0))
    confront("large weights are lazy", lazy, computed, at, Order(2, start=0.2), labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# It ends at $\cos^2\theta_0$ of the way, and for a while a loss curve would look as if learning were over.
#
# **To try.** Small weights, $\delta = 0$: `theory.unbalanced.early_alignment` says how the first layer turns before any
# loss is seen. How far does the tangent kernel move in each regime (`kernel_similarity`)?
