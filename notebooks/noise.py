# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Sparse codes from noise: what it costs a unit to be on
#
# Neurons are noisy, and cortical codes are sparse. The one may bring about the other: train an autoencoder with noise
# on its inputs, with no penalty on activity whatever, and its hidden units are on for fewer inputs than without
# noise. Why? Average the loss over the noise by hand, and a price appears for every unit that is on.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
import torch
from IPython.display import display

from laws import Mean, Refuted, confront
from laws.typeset import latex
from numerics import noise, patches
from theory.noise import expected_loss, on_off_gap, second_moment

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to one unit
#
# A datum $x$ is seen as $x + \epsilon$, $\epsilon\sim N(0,\sigma^2I)$, encoded by $\tilde h =
# (W_e(x+\epsilon)+b_e)_+$ and decoded by $W_d\tilde h + b_d$. Without noise the code is $h$ and what the output
# misses is $r$; the noise makes unit $j$ deviate by $\eta_j = \tilde h_j - h_j$. Multiply out:
#
# $$\langle|r - W_d\eta|^2\rangle = |r|^2 - 2\sum_j r\cdot w_j\langle\eta_j\rangle
# + \sum_j|w_j|^2\langle\eta_j^2\rangle + \sum_{j\ne k}w_j\cdot w_k\langle\eta_j\eta_k\rangle .$$
#
# The third term is a penalty, unit by unit. The preactivation of a unit is normal, with mean $\mu$ (what it is
# without noise) and standard deviation $s = \sigma|w_e|$. If the unit is on by $\mu > 0$, it follows the noise as
# long as that does not push it below zero; then it has lost $\mu$:

# %%
mu, s = sp.symbols("mu s", positive=True)
g = sp.Symbol("g", real=True)
density = sp.exp(-(g**2) / 2) / sp.sqrt(2 * sp.pi)
on = sp.integrate((s * g) ** 2 * density, (g, -mu / s, sp.oo)) + mu**2 * sp.integrate(density, (g, -sp.oo, -mu / s))
on = sp.simplify(on)
on

# %% [markdown]
# If it is off by as much, only noise above $\mu$ reaches the output:

# %%
off = sp.simplify(sp.integrate((s * g - mu) ** 2 * density, (g, mu / s, sp.oo)))
off

# %% [markdown]
# The package has both as one law, for any sign of $\mu$, with the normal density $\varphi$ and its integral $\Phi$;
# and their difference, the price of being on:

# %%
for name, ours, sign in (("on ", on, 1), ("off", off, -1)):
    theirs = second_moment.exact(30, mu=sign * sp.Rational(7, 10), s=sp.Rational(13, 10))
    print(name, ours.subs({mu: sp.Rational(7, 10), s: sp.Rational(13, 10)}).evalf(30), theirs)
price = s**2 * sp.erf(mu / (s * sp.sqrt(2)))
assert sp.simplify((on - off).rewrite(sp.erf) - price) == 0
display(second_moment, on_off_gap)

# %% [markdown]
# The price grows from $0$ and then saturates at $s^2$. It is no $L_1$ penalty, which would go on growing with the
# activity: it is a smoothed *count* of the units that are on, each weighted by what its noise does to the output,
# $\sigma^2|w_e|^2|w_d|^2$.
#
# ## Theory over simulation
#
# Left: what the noise costs a unit, from a million draws and by the law; the price of being on is what the right side
# has more than the left. Right: two autoencoders with 48 units learn handwritten digits (24 whitened components), one
# without noise and one with $\sigma = 0.5$. Points: the loss of the second, sampled while it learns; line: the loss
# averaged exactly, of the same weights. At the end:

# %%
data = patches.digits(components=24).train
histories, networks = {}, {}
for sigma in (0.0, 0.5):
    kept = histories[sigma] = {}

    def record(network, step, kept=kept):
        """Keep the weights now and then."""
        if step % 60 == 0:
            kept[step] = network.with_weights([w.clone().detach() for w in network.weights])

    kind = noise.Sampled(noise.Gaussian(sigma))
    start, schedule = noise.initial(24, 48, seed=1), noise.Schedule(600, cool=0.7)
    networks[sigma] = noise.train(start, data, kind, noise.Adam(4e-3), schedule, batch=128, seed=1, record=record)
    active = noise.activity(networks[sigma], data, noise.Gaussian(sigma), seed=2).clean
    print(f"trained with noise of {sigma}: {100 * float(active):.0f} % of units are on")


def exact(network, rows, sigma):
    """The exact expected loss of a network on some data."""
    return expected_loss(rows.numpy(), *(w.numpy() for w in network.weights), sigma)


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), dpi=120, layout="constrained")
level, drawn = np.linspace(-3, 3, 121), np.random.default_rng(1).standard_normal(10**6)
left.plot(level, second_moment(mu=level, s=1.0), color="#0072B2", label="law")
seen = level[::10]
sampled = [np.mean((np.maximum(m + drawn, 0) - max(m, 0)) ** 2) for m in seen]
left.plot(seen, sampled, "o", ms=5, mfc="white", color="#0072B2", label="10⁶ draws")
left.plot(level, np.maximum(level, 0) / 2, "--", lw=1, color="0.5", label="an $L_1$ penalty")
left.set(xlabel="preactivation without noise, μ/s", ylabel="cost of the noise, $⟨η^2⟩/s^2$", ylim=(0, 1.3))
left.legend(frameon=False)
few, steps = data[:30], list(histories[0.5])
along = [exact(histories[0.5][k], few, 0.5) for k in steps]
noisy = [noise.sampled_loss(histories[0.5][k], few, noise.Gaussian(0.5), draws=60, seed=k).mean() for k in steps]
right.plot(steps, [loss.total for loss in along], color="#D55E00", label="exact, with noise")
right.plot(steps, noisy, "o", ms=5, mfc="white", color="#D55E00", label="60 draws of the noise")
right.plot(steps, [loss.clean for loss in along], "--", color="0.5", label="the same, without noise")
right.set(xlabel="training step", ylabel="loss per datum", ylim=(0, None))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Is it right?
#
# A small network, so that everything can be seen: six units learn a ring in the plane with noise of $0.7$. Its loss
# under the noise is random, so the judge is `Mean`: it takes as many draws as it needs to see a difference of 4 %, at
# stated error rates. The rival is the usual expansion in small noise, $|r|^2 + \sigma^2|J|^2$ with the Jacobian $J$;
# it is in the textbooks, and it knows nothing of units that the noise switches on or off.

# %%
generator = torch.Generator().manual_seed(5)
angle = 2 * np.pi * torch.rand(2000, generator=generator, dtype=torch.float64)
ring = torch.stack([2 * torch.cos(angle), 1.2 * torch.sin(angle)], 1)
kind, schedule = noise.Sampled(noise.Gaussian(0.7)), noise.Schedule(600, cool=0.7)
small = noise.train(noise.initial(2, 6, seed=3), ring, kind, noise.Adam(5e-3), schedule, batch=128, seed=4)
x = ring[:5]


@cache
def run(n, seed):
    """The loss of n draws of the noise, averaged over five data."""
    return noise.sampled_loss(small, x, noise.Gaussian(0.7), draws=n, seed=seed).numpy()


def exact_loss(sigma):
    """The loss, averaged exactly over the noise."""
    return exact(small, x, sigma).total


def small_noise(sigma):
    """The clean loss and the squared Jacobian."""
    W_e, b_e, W_d, _ = (w.numpy() for w in small.weights)
    on = (x.numpy() @ W_e.T + b_e > 0) * 1.0
    jacobian = np.einsum("oj,bj,ji->boi", W_d, on, W_e)
    return exact(small, x, sigma).clean + sigma**2 * np.mean(np.sum(jacobian**2, axis=(1, 2)))


def no_noise(sigma):
    """The clean loss."""
    return exact(small, x, sigma).clean


judge = Mean(detects=0.04 * exact_loss(0.7), variance=2 * float(np.var(run(4000, 10**6))))
labels = dict(y="expected loss")
rivals = {"small noise": small_noise, "no noise": no_noise}
confront(
    "the loss under noise, averaged exactly",
    exact_loss,
    run,
    dict(sigma=0.7),
    judge,
    rivals,
    labels=labels,
    of=expected_loss,
)

# %% [markdown]
# ## A rival fails
#
# The expansion again, as the law:

# %%
try:
    confront(
        "noise is a penalty on the Jacobian",
        small_noise,
        run,
        dict(sigma=0.7),
        judge,
        {"no noise": no_noise},
        labels=labels,
    )
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** `expected_loss` returns its four parts: which of them falls most while a network becomes sparse? The
# fourth makes units unlike each other: look at $w_j\cdot w_k\langle\eta_j\eta_k\rangle$ for two units that share an
# input.
