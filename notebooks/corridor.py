# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A corridor: what noise does to a code that is good enough
#
# An animal runs up and down a corridor; place cells in its hippocampus fire at their places. Over weeks the places
# drift, and the animal behaves as before. In the model of Ratzon, Derdikman and Barak a network learns to predict what
# it will see at the next step, and when it can, it goes on learning under noise. Two things can then be asked. How
# large an error does the noise keep up? That has a law, in which neither the size of the network nor its code appears.
# And what becomes of the code meanwhile? That can only be measured.

# %%
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
import torch
from IPython.display import display

from laws import Mean, Refuted, confront
from laws.typeset import latex
from numerics import corridor, hessian
from numerics.ensemble import GradientDescent, Lazy, UpdateNoise, train
from theory.drift import spatial_information, update_loss, update_noise_floor, update_spread

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## Seeing a corridor
#
# Walls carry a random texture. The agent sees it along a few rays, and knows how it turns; a hidden layer of ReLUs
# answers with what it will see at the next step. The mean squared error $L$ over $K$ samples and $D$ rays is descended
# with steps $\eta$, and after each step normal noise of standard deviation $\sigma$ is added to every weight.
#
# There are fewer equations, $KD$, than weights. So the weights with $L=0$ make up a whole manifold, and the Hessian $H$
# on it has $KD$ positive eigenvalues; the others are zero.
#
# ## From the loss to what noise leaves
#
# Close to the manifold $L = \frac12\sum_i\lambda_i\delta_i^2$, with $\delta_i$ the distance along one eigenvector of
# $H$. Each obeys $\delta\leftarrow\delta-\eta\lambda\delta+\sigma\xi$. Its variance $C$ settles where a step leaves it
# as it was:

# %%
C, eta, lam, sigma = sp.symbols("C eta lam sigma", real=True)
settles = sp.Eq(C, (1 - eta * lam) ** 2 * C + sigma**2)
(spread,) = sp.solve(settles, C)
assert sp.simplify(spread - update_spread.rhs) == 0
display(settles, update_spread)

# %% [markdown]
# Steep directions vary little, flat ones much. And the loss? Each adds $\lambda C/2$:

# %%
assert sp.simplify(lam * spread / 2 - update_loss.rhs) == 0
assert sp.limit(eta * update_loss.rhs / sigma**2, eta, 0) == sp.Rational(1, 4)
update_loss

# %% [markdown]
# For small steps the steepness is gone: *every* direction adds $\sigma^2/4\eta$, like the $\frac12kT$ of every degree
# of freedom in statistical physics. The noise counts how many numbers the samples determine. At finite steps steep
# directions add more, up to $\eta\lambda = 2$, where descent is unstable:
#
# $$\langle L\rangle = \frac{\sigma^2}{4\eta}\sum_{\lambda_i>0}\frac1{1-\eta\lambda_i/2}\;\approx\;
# \frac{\sigma^2}{4\eta}\,KD .$$
#
# Weights along the manifold are free. They do not enter the loss, however many there are, and however far they have
# wandered: this is why behaviour can stay while codes drift.
#
# ## Theory over simulation
#
# A small corridor, six samples of three rays, and a network of 30 units with 240 weights. It learns, and what it has
# learnt to answer we take as the targets, so that it stands on the manifold. From there copies of it go on under noise,
# each with its own. The loss, in units of $\sigma^2/4\eta$, is how many directions the noise counts.

# %%
small = replace(corridor.Corridor.public_run(), length=5.0, blur=0.3, field_of_view=1.5, turn_deviation=0.1)
small = replace(small, rays=3, samples=6, hidden=30)
seen, _ = corridor.samples(small, seed=2)
learnt = train(small.network, seen.x, seen.y, seeds=[2], steps=[3000], by=GradientDescent(0.1)).final[0]


def answers(weights):
    """What the network predicts for every sample, differentiable."""
    w, b, out = small.network.parts(weights)
    return torch.relu(torch.from_numpy(seen.x) @ w.T + b) @ out


targets = answers(torch.from_numpy(learnt))
H = hessian.hessian(lambda weights: ((answers(weights) - targets) ** 2).mean(), torch.from_numpy(learnt)).numpy()
values = np.linalg.eigvalsh(H)[::-1]
print(f"{len(H)} weights; eigenvalues 1, 2, ..., 18 of H: {values[0]:.2g}, {values[1]:.2g}, ..., {values[17]:.2g};")
print(f"the 19th: {abs(values[18]):.0e}")


@cache
def noisy(n, seed, sharpness=1.6, sigma=1e-4):
    """The loss of n networks when noise has settled, over sigma^2/4 eta, with eta lambda_1 = `sharpness`."""
    eta = sharpness / values[0]
    settled = int(3 / (eta * values[17]))
    seeds = range(n * seed, n * (seed + 1))
    by, noise = GradientDescent(eta), UpdateNoise(sigma)
    run = train(small.network, seen.x, targets.numpy(), seeds=seeds, start=learnt, steps=[settled], by=by, noise=noise)
    return run.loss[0] / (sigma**2 / (4 * eta))


def directions(sharpness):
    """The law, in the same units."""
    eta = sharpness / values[0]
    return update_noise_floor(H, eta, sigma=1.0) * 4 * eta


figure, axes = plt.subplots(figsize=(6, 3.4), dpi=120, layout="constrained")
dense, points = np.linspace(0.02, 1.9, 100), np.array([0.5, 1.0, 1.5, 1.8])
axes.plot(dense, [directions(x) for x in dense], color="#0072B2", label="law")
sampled = [noisy(150, 1, x) for x in points]
error = [2 * np.std(x) / np.sqrt(len(x)) for x in sampled]
label = "150 networks (± 2 s.e.)"
axes.errorbar(points, np.mean(sampled, axis=1), error, fmt="o", mfc="white", color="#D55E00", label=label)
axes.axhline(18, color="0.5", ls="--", lw=1, label="KD = 18, small steps")
axes.set(xlabel="step η times the largest eigenvalue", ylabel="loss over σ²/4η", ylim=(0, None))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## What becomes of the code
#
# How much does a unit tell of the place? If it fires at the rate $r_i$ in place $i$, where the agent is for a part
# $p_i$ of the time, then the activity, spread over places as $p_ir_i/\bar r$, differs from the time spent there by
#
# $$I = \sum_ip_i\frac{r_i}{\bar r}\log_2\frac{r_i}{\bar r}\quad\text{bits.}$$
#
# For a unit that fires at one rate in a part $f$ of all places, and nowhere else, this is

# %%
f, rate = sp.symbols("f r", positive=True)
mean = f * rate
information = sp.simplify(f * rate / mean * sp.log(rate / mean, 2))
field = np.repeat([1.0, 0.0], [2, 6])
print("a quarter of eight places:", spatial_information(np.ones(8), field), "bits")
information

# %% [markdown]
# whatever its rate: half as many places, one bit more. Now let a larger network, 100 units in a corridor with 40
# samples, learn under noise for 80,000 steps. Rows are units, in the order of the place that they prefer; a place is
# one of 20 bins, the way up and the way down apart; the agent turns before it reaches the ends, which are white.

# %%
larger = replace(corridor.Corridor.public_run(), length=5.0, rays=5, samples=40, hidden=100, sigma=0.005)
view, way = corridor.samples(larger, seed=1, unseen=800)
steps = [5000, 20_000, 80_000]
same = dict(seeds=[1], dtype="float32", start=Lazy(), noise=UpdateNoise(larger.sigma), keep_parameters=True)
run = train(larger.network, view.x, view.y, steps=steps, by=GradientDescent(larger.eta), **same)
where = corridor.places(way.position, way.direction, length=larger.length, bins=20)
maps = corridor.rate_maps(corridor.activities(larger, run.parameters[:, 0], way.x), where, bins=20)
bits = corridor.spatial_information(corridor.occupancy(where, 20), maps)
figure, panels = plt.subplots(1, 3, figsize=(10, 3.6), dpi=120, layout="constrained", sharey=True)
for panel, step, found, told, loss in zip(panels, steps, maps, bits, run.loss[:, 0], strict=True):
    peak = np.nanmax(found, axis=1)
    active = peak > 0
    order = np.argsort(np.nanargmax(found[active], axis=1))
    shown = (found[active] / peak[active, None])[order]
    picture = panel.imshow(shown, aspect="auto", cmap="viridis", vmin=0, vmax=1, extent=(0, 20, len(shown), 0))
    panel.set(xlabel="place (down | up)", xticks=[0, 10, 20], ylim=(100, 0))
    panel.set_title(f"step {step:,}: {active.sum()} active units,\n{told[active].mean():.2f} bits, loss {loss:.3f}")
panels[0].set_ylabel("active unit")
figure.colorbar(picture, ax=panels, label="activity over its peak")
plt.show()

# %% [markdown]
# Fields shrink, units fall silent, and those that are left tell more. In so small a network that happens while the loss
# still falls; at the published size it goes on for most of a million steps after the loss has come down. Which way
# noise pushes along the manifold is worked out in the notebook `drift`. That it ends in few units does not follow from
# small steps: it is measured, in the package's report, not derived.
#
# ## Is it right?
#
# At a large step, $\eta\lambda_1 = 1.6$, so that finite steps count. The judge is statistical: it takes as many
# networks as it needs to tell the law from the limit of small steps, with both error rates stated.

# %%
sharp = 1.6


def run_noisy(n, seed):
    """The loss of n noisy networks."""
    return noisy(n, seed, sharp)


def law():
    """Finite steps."""
    return directions(sharp)


def small_steps():
    """One for each number that the samples determine."""
    return 18.0


def all_weights():
    """One for each weight."""
    return float(len(H))


judge = Mean(detects=(law() - 18) / 2, variance=2 * float(np.var(run_noisy(500, 10**6))))
labels, rivals = dict(y="loss over σ²/4η"), {"small steps": small_steps, "every weight": all_weights}
confront("noise counts what is learnt", law, run_noisy, {}, judge, rivals, labels=labels, of=update_noise_floor)

# %% [markdown]
# ## A rival fails
#
# Noise is added to every one of the weights. Should a larger network, then, not have a larger error? State it:

# %%
rivals = {"small steps": small_steps}
try:
    confront("every weight adds to the error", all_weights, run_noisy, {}, judge, rivals, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Kill some units by a large negative bias before the noise begins: what happens to the number of zero
# eigenvalues, and what to the loss (`theory.drift.nullity`, `dead_rows`)? Train the corridor at its published size,
# `python -m numerics.corridor`.
