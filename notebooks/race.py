# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The neural race: which pathway learns the task
#
# A network with gates, or with ReLUs, is many linear pathways in one, each open on some of the examples. Several of
# them could learn the task. Which will? All of them set out from small weights and grow; the first to leave the
# saddle takes the error away from the rest, who freeze where they are. It is a race, and its outcome can be
# calculated before it starts.
#
# The task here is exclusive-or with a margin: inputs $(\pm c, \pm c, \Delta y)$ and the target $y$, the product of
# the first two signs. *Four gated pathways*, each open on one example, solve it from all three inputs. *A linear
# one*, always open, solves it from the third alone, but must live on a small $\Delta$.

# %%
import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
import torch
from IPython.display import display

from laws import Refuted, Solver, confront
from laws.flow import gradient_flow
from laws.typeset import latex
from numerics import gating
from theory.gating import correlations, pathways, xor_gates, xor_points
from theory.race import final_shares, shared_error, transition

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## From the loss to the race
#
# Let two pathways of two layers each, $a_1 = u_1u_2$ and $a_2 = v_1v_2$, make up one target. With $E$ the error that
# both of them leave, the loss is $E^2/2$ and the flow

# %%
u1, u2, v1, v2, x1, x2 = sp.symbols("u1 u2 v1 v2 x1 x2", real=True)
error = 1 - x1 * u1 * u2 - x2 * v1 * v2
flow = gradient_flow(error**2 / 2, (u1, u2, v1, v2))
flow

# %% [markdown]
# Equal layers stay equal, $u_1 = u_2 = \sqrt{a_1}$, so that $\dot a_1 = 2 x_1 a_1 E$ and $\dot a_2 = 2 x_2 a_2 E$: on
# several examples each slope is averaged over those for which the pathway is open, $g = 1$, and is the singular value
# $s_1$ or $s_2$ of the pathway's own correlation $\langle g\,y\,x^T\rangle$. The pathways know of each other through
# $E$ alone, and $E$ is *common*. Divide one equation by the other, and it is gone:

# %%
A1, A2 = sp.symbols("a1 a2", positive=True)
equal = flow.impose({u1: sp.sqrt(A1), u2: sp.sqrt(A1), v1: sp.sqrt(A2), v2: sp.sqrt(A2)}, positive=[A1, A2])
slope = sp.simplify(equal.speeds[0] / equal.speeds[1])
slope

# %% [markdown]
# with $s_i$ for $x_i$. So $\ln a_1$ grows in proportion to $\ln a_2$, all the way from the saddle to the end:

# %%
shared_error

# %% [markdown]
# From equal starts $a_0$, when the faster has come to $1$ the slower is at $a_0^{1 - s_1/s_2}$, which is the smaller
# the smaller the start: this is why there are winners.
#
# ## Who is faster?
#
# The singular values follow from the data. A gate that is open on one of four examples has $\langle g y x\rangle =
# (\pm c, \pm c, \pm\Delta)/4$; the linear pathway has $(0, 0, \Delta)$. Lengths of these vectors:

# %%
c, Delta = sp.symbols("c Delta", positive=True)
examples = [(sp.Matrix([i * c, j * c, i * j * Delta]), i * j) for i in (1, -1) for j in (1, -1)]
gated = (examples[0][0] * examples[0][1] / 4).norm()
linear = sum((x * y for x, y in examples), sp.zeros(3, 1)).norm() / 4
display(sp.simplify(gated), sp.simplify(linear))

# %% [markdown]
# They are equal at one margin. A pathway that is open on a part $\kappa$ of the examples has $\kappa\Delta$ instead
# of $\Delta$; the two half-gates of a ReLU have $\kappa = \frac12$. The law for any $\kappa$, and ours from above:

# %%
(margin,) = sp.solve(gated - linear, Delta)
at_one = {sp.Symbol("kappa", real=True): 1, sp.Symbol("c", real=True): c}
assert sp.simplify(margin - transition.rhs.subs(at_one)) == 0
display(margin, transition)
print("at c = 0.8: always open", transition(c=0.8, kappa=1), "  half-gates of a ReLU", transition(c=0.8, kappa=0.5))

# %% [markdown]
# ## Theory over simulation
#
# A gated network with these five pathways, from small weights. Left: its strengths, against each other, on
# logarithmic axes, where the law is a straight line. Right: what the linear pathway makes up in the end, against the
# margin. `final_shares` is where the straight line meets $E = 0$.


# %%
def contest(margin):
    """The network with four gated pathways and a linear one, and its task."""
    x, y = xor_points(0.8, margin)
    graph, task = pathways(x, y, {**xor_gates(x), "linear": np.ones(4)})
    return graph.clone_inputs(), task.clone_inputs(graph)


def aligned(graph, task, start):
    """Weights along each pathway's leading singular vectors, of strength `start`; and all singular values."""
    weights, s = {}, {}
    for edge_in, edge_out in graph.paths:
        U, values, Vt = np.linalg.svd(correlations(graph, task).yx[edge_in, edge_out])
        weights[edge_in], weights[edge_out] = (
            torch.from_numpy(start**0.5 * Vt[:1]),
            torch.from_numpy(start**0.5 * U[:, :1]),
        )
        s[edge_in.removeprefix("in_")] = float(values[0])
    return {edge: weights[edge] for edge in graph.edges}, s


def train(margin, start, times, rtol=1e-6):
    """Strengths of the linear pathway and of one gated pathway at each time; and their singular values."""
    graph, task = contest(margin)
    weights, s = aligned(graph, task, start)
    found = gating.flow(graph, task, weights, times, rtol)
    strength = [np.linalg.norm(found[f"out_{p}"] @ found[f"in_{p}"], axis=(-2, -1)) for p in ("linear", "g1")]
    return strength, (s["linear"], s["g1"])


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), dpi=120, layout="constrained")
for value, colour in ((0.15, "#0072B2"), (0.29, "#009E73"), (0.5, "#D55E00")):
    (a1, a2), (s1, s2) = train(value, 1e-3, np.linspace(0, 30, 31))
    line = np.geomspace(1e-3, a2[-1], 50)
    left.loglog(line, shared_error(a2=line, a10=1e-3, a20=1e-3, s1=s1, s2=s2), color=colour, label=f"Δ = {value}")
    left.loglog(a2, a1, "o", ms=4, mfc="white", color=colour)
left.set(xlabel="strength of a gated pathway", ylabel="strength of the linear pathway")
left.legend(frameon=False, title="line: law\npoint: trained")
margins = np.linspace(0.05, 0.9, 60)
for start, colour in ((1e-2, "#CC79A7"), (1e-4, "#56B4E9")):
    s = np.stack([margins, np.sqrt(2 * 0.8**2 + margins**2) / 4], axis=1)
    reach = np.stack([margins, np.sqrt(2 * 0.8**2 + margins**2)], axis=1)
    law = [final_shares(s_, reach_, [start, start])[0] for s_, reach_ in zip(s, reach, strict=True)]
    right.plot(margins, law, color=colour, label=f"start {start:g}")
    seen = np.array([0.1, 0.25, 0.35, 0.5, 0.8])
    right.plot(seen, [m * train(m, start, [60.0])[0][0][-1] for m in seen], "o", ms=5, mfc="white", color=colour)
right.axvline(transition(c=0.8, kappa=1), color="0.5", lw=1, ls="--", label="equal speeds")
right.set(xlabel="margin Δ (c = 0.8)", ylabel="final share of the linear pathway")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# From smaller weights the winner takes more, and the change of winners moves towards the dashed line, but only
# logarithmically.
#
# ## Is it right?
#
# The flow of the network at two tolerances of the solver bounds the error of the run; the law must lie within it.

# %%
times = np.array([1.0, 4.0, 7.0, 10.0, 16.0])
(_, a2), (s1, s2) = train(0.5, 0.02, times, rtol=1e-13)
at = dict(a2=a2, a10=0.02, a20=0.02, s1=s1, s2=s2)


def run(rtol, seed):
    """The strength of the linear pathway at the five times."""
    return train(0.5, 0.02, times, rtol)[0][0]


def in_proportion(a2, a10, a20, s1, s2):
    """Strengths, not their logarithms, grow in proportion to the singular values."""
    return a10 + (a2 - a20) * s1 / s2


def alike(a2, a10, a20, s1, s2):
    """Pathways grow alike: the share of a pathway is its share at the start."""
    return a10 * a2 / a20


labels = dict(a2="strength of a gated pathway", y="strength of the linear pathway")
rivals = {"alike": alike, "strengths in proportion": in_proportion}
confront(
    "logarithms grow in proportion to singular values", shared_error, run, at, Solver(rtol=1e-8), rivals, labels=labels
)

# %% [markdown]
# ## A rival fails
#
# It is tempting to say that each pathway gets its share in proportion to its singular value, as it would if they were
# driven rather than amplified. Near the start that is even true, to first order. State it:

# %%
try:
    confront("strengths grow in proportion", in_proportion, run, at, Solver(rtol=1e-8), {"alike": alike}, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# **To try.** Start the gated pathways ten times larger than the linear one: at which margin does the winner change
# now? `theory.race.relu_starts` says with which strengths a wide ReLU network enters the race.
