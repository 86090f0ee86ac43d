# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Biased first, able later: saddles on the way to a decision
#
# A mouse that learns to choose left or right by what it sees often begins with a habit: for days it chooses one side,
# whatever is shown. Then it masters one stimulus, and later the other; and the next mouse does it in another order. A
# network of two layers does all this, and one can say on paper which phases there are, why bias comes first, and how
# long each phase lasts.
#
# The slides that this follows print three losses, and no equations; the network here is the simplest one with these
# losses, a reconstruction.

# %%
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import sympy as sp
from IPython.display import display

from laws import Order, Refuted, confront
from laws.typeset import latex
from numerics import decisions
from theory.decisions import bias_rate, bias_value, saddles, stimulus_rate, trajectory

sp.init_printing(use_latex="mathjax", latex_printer=lambda expr, **_: latex(expr))

# %% [markdown]
# ## One trial
#
# With probability $p$ the stimulus is on the left, else on the right. Unit $L$ sees the left one, unit $R$ the right
# one, and unit $0$ is on in every trial. Each has a gain $u_i$, in the cortex, and a weight $w_{ai}$ on each choice
# $a$, in the striatum; the value of a choice is $Q_a = \sum_i w_{ai}u_i$ over the units that are on. Choices are drawn
# with probabilities $\propto e^{\beta Q_a}$, and the right one is rewarded by $r$.
#
# Three groups of weights learn from three errors. Gains descend $(\mathrm{Rew} - Q_a)^2/2$, the error of the whole
# value; the weights of the stimuli know only what the stimulus says, and those of unit $0$ only what it says itself:

# %%
p, r, tau = sp.symbols("p r tau", real=True)
u = {i: sp.Symbol(f"u_{i}", real=True) for i in "LR0"}
w = {(a, i): sp.Symbol(f"w_{a}{i}", real=True) for a in "LR" for i in "LR0"}


def change(weight, stimulus, choice):
    """What one trial does to a weight, over the learning rate."""
    reward = r if choice == stimulus else 0
    own, bias = w[choice, stimulus] * u[stimulus], w[choice, "0"] * u["0"]
    known = own + bias if weight in u.values() else bias if weight in (w["L", "0"], w["R", "0"]) else own
    return -sp.diff((reward - known) ** 2 / 2, weight)


for weight in (u["L"], w["L", "L"], w["L", "0"]):
    display(sp.Eq(sp.Symbol(rf"\Delta {latex(weight)}/\eta"), change(weight, "L", "L")))

# %% [markdown]
# (for a left choice on a left stimulus). No single loss has these slopes. All the same, the average over trials is a
# flow, $\tau\dot\theta = f(\theta)$, and its phases are the points where it stands still.
#
# ## At the first saddle: why bias is first
#
# With all weights at $0$ nothing changes, and choices are even. Nearby, a unit moves in proportion to its own weights,
# so that each unit goes its own way: its gain and its two weights obey a linear system, with choices as they are
# without it. Here is the one of unit $0$,


# %%
def linear(unit, chances, known):
    """The linear flow of gain and weights of a unit that is not learnt; chances of a choice on each stimulus."""
    cells = [u[unit], w["L", unit], w["R", unit]]
    shown, mean = {"L": p, "R": 1 - p}, sp.zeros(3, 1)
    for s, a in chances:
        if unit in (s, "0"):
            mean += shown[s] * chances[s, a] * sp.Matrix([change(x, s, a) for x in cells])
    return mean.jacobian(cells).subs({x: known.get(x, 0) for x in (*u.values(), *w.values())})


even = {(s, a): sp.S.Half for s in "LR" for a in "LR"}
of_bias = linear("0", even, {})
of_bias

# %% [markdown]
# A gain drives the weights, the weights drive the gain: they grow like $e^{\lambda t}$, with $(\tau\lambda)^2$ the
# first entry of the square of this matrix. Here it is for bias, then for the left stimulus; and the law for the first:

# %%
squares = [sp.factor((matrix * matrix)[0, 0]) for matrix in (of_bias, linear("L", even, {}))]
assert sp.simplify(squares[0] - (tau * bias_rate.rhs) ** 2) == 0
display(*squares, bias_rate)

# %% [markdown]
# The first is larger by $r^2(1-p)^2/4$, which is the square of the *other* stimulus' rate: unit $0$ collects the
# rewards of both sides. Whatever $p$ is, bias is faster than either stimulus. It needs no inclination to habits: a unit
# that is always on gets more practice.
#
# ## At the second saddle: what bias leaves
#
# Bias grows until its weights find no error any more. Each of its two values is then the reward of that choice, times
# how often it would be right:

# %%
q = sp.Symbol("q", real=True)
chooses_left = p * change(w["L", "0"], "L", "L") + (1 - p) * change(w["L", "0"], "R", "L")
(expected,) = sp.solve(chooses_left.subs(w["L", "0"] * u["0"], q).subs(w["L", "0"], q / u["0"]), q)
assert expected == bias_value.rhs
bias_value

# %% [markdown]
# Now a stimulus must grow while bias already expects $c$ of its reward. Its weights do not mind, since they know only
# the stimulus; but its gain learns from what bias leaves over, $r - c$. With $\pi$ the chance of the right choice,

# %%
pi, c = sp.symbols("pi c", real=True)
uneven = {**even, ("L", "L"): pi, ("L", "R"): 1 - pi}
behind = linear("L", uneven, {u["0"]: 1, w["L", "0"]: c})
square = sp.factor((behind * behind)[0, 0])
assert sp.simplify(square - (tau * stimulus_rate.rhs) ** 2) == 0
display(behind, stimulus_rate)

# %% [markdown]
# A strong bias has two effects on the stimulus: of its own side it makes choices right more often, $\pi\to1$, but it
# takes the error away; of the other side it leaves the error, but the right choice is hardly ever tried. The package
# lists all points where the flow stands still, and how many directions lead away from each:

# %%
task = dict(p=0.45, r=1.2, beta=3.5)
print("learnt        right choices: left, right     rates of what grows")
for point in saddles(**task):
    left, right = 1 / (1 + np.exp(-task["beta"] * (point.values[:, 0] - point.values[:, 1])))
    rates = ", ".join(f"{unit} {rate:.2f}" for unit, rate in point.rates.items() if rate > 0) or "none: the end"
    kind = "(quasi)" if point.quasi else ""
    print(f"{point.learnt or 'nothing':8}{kind:18}{100 * left:3.0f} %, {100 * (1 - right):3.0f} %        {rates}")

# %% [markdown]
# *Quasi* are those at which values rest while gains go on falling; they are saddles as well, at infinity.
#
# ## Theory over simulation
#
# Left: a learner with trials of its own, from small weights, and the mean field from the same start: bias, then the
# right stimulus, then the left one, and at last bias is unlearnt; what is between line and points is the luck of its
# trials, which shrinks with $\eta$. Right: seven learners from small random weights, by what they do. They leave
# *nothing* along different ways, but from crossing to crossing: diverse, and systematic.

# %%
start = 0.03 * np.array([[0.4, 0.3, 0.1], [0.5, -0.1, 0.6], [0.9, 0.5, 0.7]])
dense, seen = np.linspace(0, 60, 241), np.arange(0, 60.1, 2)
learner = decisions.learn(decisions.Task(**task), start, seen, 0.01, learners=1, seed=4)[:, 0]
mean_field = trajectory(start, dense, **task)


def values(path):
    """Stimulus on its own side, left and right, and bias on the left, over the reward."""
    each = path[..., :1] * path[..., 1:] / task["r"]
    return {"left stimulus": each[..., 0, 0], "right stimulus": each[..., 1, 1], "bias to the left": each[..., 2, 0]}


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), dpi=120, layout="constrained", width_ratios=(1.25, 1))
for (name, line), colour in zip(values(mean_field).items(), ("#0072B2", "#D55E00", "#009E73"), strict=True):
    left.plot(dense, line, color=colour, label=name)
    left.plot(seen, values(learner)[name], "o", ms=4, mfc="white", color=colour)
left.set(xlabel="time over τ (trials × η)", ylabel="value over reward")
left.legend(frameon=False, title="line: mean field\npoint: one learner", loc="center right")


def behaviour(values):
    """Right choices in percent, on left and right stimuli; from values (..., stimulus, choice)."""
    chance = 100 / (1 + np.exp(-task["beta"] * (values[..., 0] - values[..., 1])))
    return chance[..., 0], 100 - chance[..., 1]


small = 1e-2 * np.random.default_rng(6).standard_normal((7, 3, 3))
paths = decisions.learn(decisions.Task(**task), small, np.arange(0, 90.0, 0.5), 0.02, learners=7, seed=6)
for k, colour in enumerate(plt.get_cmap("viridis")(np.linspace(0, 0.9, 7))):
    right.plot(*behaviour(decisions.totals(paths[:, k])), color=colour, lw=0.9)
for point in saddles(**task):
    x, y = behaviour(point.values)
    right.plot(x, y, "P" if point.quasi else "X", ms=9, mec="black", mfc="white")
    name = {"": "nothing", "0": "bias", "L": "L", "R": "R", "LR": "L, R", "L0": "L, bias", "R0": "R, bias"}[
        point.learnt
    ]
    right.annotate(name, (x, y), (0, 9 if name != "nothing" else -17), textcoords="offset points", ha="center")
right.set(xlabel="left stimulus: right choices (%)", ylabel="right stimulus: right choices (%)", aspect="equal")
right.set(title="line: learner, cross: saddle, plus: quasi-saddle", xlim=(20, 108), ylim=(42, 108))
plt.show()

# %% [markdown]
# ## Is it right?
#
# A gain that obeys $\ddot u = \lambda^2u$ tells its rate at three equally spaced times, $\cosh\lambda T = (u(0) +
# u(2T))/2u(T)$, with no fit. Learners that average over trials take steps of $\eta$, $\eta/2$, $\eta/4$, $\eta/8$; the
# rate must come closer to the law by a half each time, on three tasks at once. The rivals are the stimuli: does bias
# just learn along with the commoner one?

# %%
tasks, T, tau_ = dict(p=np.array([0.2, 0.45, 0.8]), r=np.array([1.7, 1.2, 0.6])), 3.2, 1.3


def growth(unit, rest):
    """The rate at which a unit grows that is not learnt, on each task; `rest` gives the other weights."""

    @cache
    def run(eta, seed):
        found = []
        for p, r in zip(*tasks.values(), strict=True):
            theta = np.array(rest(p, r), dtype=float)
            theta[unit] = 3e-8, 1e-8, 2e-8
            gain = decisions.expect(decisions.Task(p, r, beta=3.5), theta, [0, T, 2 * T], eta)[:, unit, 0]
            found.append(np.arccosh((gain[0] + gain[2]) / (2 * gain[1])) / T / tau_)
        return np.array(found)

    return run


def left_stimulus(p, r, tau):
    """The rate of the left stimulus at zero weights."""
    return r * p / (2 * tau)


def right_stimulus(p, r, tau):
    """The rate of the right stimulus at zero weights."""
    return r * (1 - p) / (2 * tau)


def commoner(p, r, tau):
    """The rate of the commoner stimulus."""
    return r * np.maximum(p, 1 - p) / (2 * tau)


labels = dict(p="probability p of the left stimulus", y="rate at which bias grows (τ = 1.3)", h="learning rate η")
rivals = {"left stimulus": left_stimulus, "right stimulus": right_stimulus, "the commoner stimulus": commoner}
nothing = growth(2, lambda p, r: np.zeros((3, 3)))
confront("bias comes first", bias_rate, nothing, dict(**tasks, tau=tau_), Order(1, start=0.08), rivals, labels=labels)

# %% [markdown]
# ## A rival fails
#
# The weights of a stimulus know nothing of bias. Does bias, then, leave a stimulus its own pace, but for how often the
# right choice is made? State that as the law for the left stimulus, with bias learnt as far as it goes:


# %%
def undisturbed(c, **rest):
    """A stimulus that learns as if bias expected nothing."""
    return stimulus_rate(c=0.0, **rest)


def one_error(p, r, pi, c, tau):
    """All weights learn from the whole error."""
    return p * pi * (r - c) / tau


def biased(p, r):
    """Bias learnt, stimuli not."""
    return [[0, 0, 0], [0, 0, 0], [0.8, p * r / 0.8, (1 - p) * r / 0.8]]


run, judge, labels = growth(0, biased), Order(1, start=0.08), labels | dict(y="rate of the left stimulus (τ = 1.3)")
towards_left = 1 / (1 + np.exp(-3.5 * (2 * tasks["p"] - 1) * tasks["r"]))
at = dict(**tasks, pi=towards_left, c=bias_value(**tasks), tau=tau_)
rivals = {"one error for all": one_error}
try:
    confront("bias takes nothing from a stimulus", undisturbed, run, at, judge, rivals, labels=labels)
except Refuted as failure:
    print(failure)
    display(failure.verdict.plot())

# %% [markdown]
# The law with what bias leaves over agrees, on the same runs:

# %%
rivals["undisturbed"] = undisturbed
confront("bias slows a stimulus", stimulus_rate, run, at, judge, rivals, labels=labels)

# %% [markdown]
# **To try.** Depth makes the saddles: train with `decisions.SHALLOW`, which leaves the gains as they are. What is left
# of the phases? In which order will a learner take its steps (`theory.decisions.order_of_learning` foretells the first
# two from its start alone), and why only in some six of ten?
