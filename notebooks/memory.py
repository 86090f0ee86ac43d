# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Memory by attention: how many memories a noisy question uses
#
# An associative memory holds patterns, and is asked with a noisy copy of one of them. Softmax attention answers with
# a mixture of all of them: sharp, and it will often pick the wrong one; blurred, and it answers with an average. How
# sharp should it be, and how many memories does it then mix? There is an exact answer to the first question, and an
# identity of statistical physics that turns it into an answer to the second.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Mean, Refuted, confront
from laws.typeset import latex
from numerics import memory
from theory.memory import effective_keys, effective_keys_in_noise, inverse_temperature, retrieval_error

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to the temperature
#
# There are $N$ keys $k_i$ of length $r$. The query is one of them, $k_*$, with normal noise, $q = k_* + \sigma\xi$.
# Attention answers $y = \sum_ip_ik_i$ with $p_i\propto e^{\beta q\cdot k_i}$, and its loss is $\langle|k_* -
# y|^2\rangle$. No answer can have a smaller mean squared error than the posterior mean, whose weights are the
# probabilities that each key was the one. Their log-odds are those of two normal densities; take two keys of one
# length in a plane:

# %%
sigma, r, beta, q1, q2 = sp.symbols("sigma r beta q1 q2", real=True)
angle, other = sp.symbols("alpha gamma", real=True)
query = sp.Matrix([q1, q2])
keys = [r * sp.Matrix([sp.cos(x), sp.sin(x)]) for x in (angle, other)]
log_density = [-(query - key).dot(query - key) / (2 * sigma**2) for key in keys]
log_odds = sp.simplify(log_density[0] - log_density[1])
log_odds

# %% [markdown]
# $|q|^2$ and $|k|^2$ have gone. What is left is linear in the query, as are the log-odds of attention,
# $\beta\,q\cdot(k_1 - k_2)$. So attention *can* be the best answer, and is so at

# %%
attention = beta * query.dot(keys[0] - keys[1])
(best,) = sp.solve(sp.diff(attention - log_odds, q1), beta)
assert sp.simplify(best - inverse_temperature.rhs) == 0
assert sp.simplify((attention - log_odds).subs(beta, best)) == 0
inverse_temperature

# %% [markdown]
# ## How many keys?
#
# At this temperature the target and a key *drawn* with the chances $p_i$ look the same to anyone who sees only the
# query. Hence the mean weight of the target is the mean weight of a drawn key, $\langle p_*\rangle =
# \langle\sum_ip_i^2\rangle$: the Nishimori identity. Call it $1/K$; $K$ is the number of keys in use, $1$ if a single
# one has all the weight, $N$ if all are alike. For orthogonal keys the error is $r^2\left[(1-p_*)^2 +
# \sum_{i\neq*}p_i^2\right] = r^2\left[1 - 2p_* + \sum_ip_i^2\right]$, and its mean

# %%
K = sp.Symbol("K", real=True)
assert sp.simplify(r**2 * (1 - 2 / K + 1 / K) - retrieval_error.rhs) == 0
display(retrieval_error, effective_keys_in_noise)

# %% [markdown]
# The second law is for much noise, from the moments of normal variables. In between, `effective_keys` is an integral
# over one normal variable for the target and one for the others:

# %%
for signal in (0.2, 1.0, 2.0, 4.0):
    print(f"r/σ = {signal}:  K = {float(effective_keys(signal, 12)):6.3f} of 12 keys")

# %% [markdown]
# ## Theory over simulation
#
# Left: attention with a temperature of its own, trained by descent on noisy queries; its inverse temperature against
# the noise. Right: keys in use, from 4000 queries for each point.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), dpi=120, layout="constrained")
noises = np.geomspace(0.4, 1.6, 7)
few = memory.orthogonal(6, 1.3, seed=2)
trained = np.array([memory.train(few, s, 512, networks=8, seed=k) for k, s in enumerate(noises)])
left.loglog(noises, inverse_temperature(sigma=noises), color="#0072B2", label="law, $1/σ^2$")
left.loglog(noises, 1 / (2 * noises**2), "--", color="#D55E00", lw=1, label="as in the density, $1/2σ^2$")
left.loglog(noises, trained, "o", ms=4, mfc="white", color="#0072B2")
left.plot([], [], "o", ms=4, mfc="white", color="#0072B2", label="8 trained networks each")
left.set(xlabel="noise of the query σ (keys of length 1.3)", ylabel="inverse temperature β")
left.legend(frameon=False)


def weights(count, sigma, n, seed):
    """What attention at its best temperature gives each key, for n queries; and which key was meant."""
    stored = memory.orthogonal(count, 1.3, seed=2)
    asked, target = memory.queries(stored, sigma, n, seed=seed)
    return memory.attend(asked, stored, 1 / sigma**2).numpy(), target.numpy()


levels = np.geomspace(0.2, 3, 50)
for count, colour in ((4, "#009E73"), (12, "#0072B2"), (100, "#CC79A7")):
    right.loglog(levels, effective_keys(1.3 / levels, count), color=colour, label=f"N = {count}")
    measured = [1 / np.mean(np.sum(weights(count, s, 4000, 3)[0] ** 2, axis=1)) for s in levels[::7]]
    right.loglog(levels[::7], measured, "o", ms=4, mfc="white", color=colour)
right.set(xlabel="noise of the query σ (keys of length 1.3)", ylabel="keys in use, K")
right.legend(frameon=False, title="line: law\npoint: queries")
for axes, ticks in ((left, (0.4, 0.8, 1.6)), (right, (0.2, 0.5, 1, 3))):
    axes.minorticks_off()
    axes.set_xticks(ticks, ticks)
plt.show()

# %% [markdown]
# ## Is it right?
#
# Squared weights lie between 0 and 1, and that is all that the judge needs: `Mean` takes as many queries as bring a
# difference of 0.02 to light at the stated error rates, whatever the distribution. One rival says that the other keys
# do not match the query at all by chance.

# %%
signal = np.array([0.7, 1.4, 2.2, 4.3])


@cache
def run(n, seed):
    """The sum of squared weights for n queries at each signal; shape (n, 4)."""
    seeds = np.random.SeedSequence(seed).generate_state(len(signal))
    drawn = [weights(12, 1.3 / g, n, int(s))[0] for g, s in zip(signal, seeds, strict=True)]
    return np.stack([np.sum(p**2, axis=1) for p in drawn], axis=1)


def in_use(signal):
    """One over the effective number of keys."""
    return 1 / effective_keys(signal, 12)


def no_chance_matches(signal):
    """The same if the noise moved the match of the target alone."""
    z, chance = np.polynomial.hermite_e.hermegauss(60)
    g = np.asarray(signal)[..., None]
    return np.sum(chance / chance.sum() / (1 + 11 * np.exp(-(g**2) - g * z)), axis=-1)


def certain(signal):
    """One key alone."""
    return 1 + 0 * signal


judge = Mean(detects=0.02, bounds=(0, 1), points=4)
labels = dict(signal="signal of the query r/σ", y="sum of squared weights, 1/K")
rivals = {"no chance matches": no_chance_matches, "one key alone": certain}
confront("more noise, more keys", in_use, run, dict(signal=signal), judge, rivals, labels=labels, of=effective_keys)

# %% [markdown]
# ## A rival fails
#
# Chance matches with the eleven other keys average to zero. Can they be left out? State it as the law:

# %%
try:
    confront(
        "only the target's match is noisy",
        no_chance_matches,
        run,
        dict(signal=signal),
        judge,
        {"one key alone": certain},
        labels=labels,
    )
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# They enter through an exponential, whose mean is not that of zero.
#
# **To try.** Check the Nishimori identity: compare the mean weight of the target with the mean of the squared
# weights, at $\beta = 1/\sigma^2$ and at twice that. Real memories are not orthogonal: `memory.digits` has
# handwritten ones. Which of the three results above still hold?
