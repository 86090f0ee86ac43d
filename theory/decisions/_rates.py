"""How fast what is not yet learnt grows, as laws."""

from __future__ import annotations

import sympy as sp

from laws.law import Law, Source, Step
from theory.decisions._symbols import SIDES, chance, gain, p, r, state, tau, update, weight

pi, c, other = sp.symbols("pi c c_R", real=True)
growth, value = sp.symbols("lambda c_L", real=True)
TASK = (p > 0, p < 1, r > 0)
RECONSTRUCTION = Source("saxe-slides", "a deep RL neural network: three losses; the network is a reconstruction")

EVEN = {(s, a): sp.S.Half for s in SIDES for a in SIDES}
SURE = EVEN | {("L", "L"): pi, ("L", "R"): 1 - pi}  # on trials of the left stimulus only
BIAS = {gain["0"]: 1, weight["L", "0"]: c, weight["R", "0"]: other}  # the constant unit alone
LEFT = {gain["L"]: 1, weight["L", "L"]: r}  # the left stimulus alone


def _mean(cells, policy):
    """The mean change of some weights, at given probabilities of the choices."""
    rows = [state.index(x) for x in cells]
    return sum(
        (chance(s) * policy[s, a] * update(s, a).extract(rows, [0]) for s in SIDES for a in SIDES),
        sp.zeros(len(rows), 1),
    )


def _block(unit, learnt, policy):
    """The linear flow of one unit where it is not learnt; the choices, being even in it, stay as they are."""
    cells = [gain[unit], *(weight[a, unit] for a in SIDES)]
    here = {x: learnt.get(x, 0) for x in state}
    return _mean(cells, policy).jacobian(cells).subs(here)


def _grows(unit, learnt, policy):
    """The residual of a rate: it is an eigenvalue of that flow."""
    matrix = _block(unit, learnt, policy)
    return lambda rate: (sp.expand((tau * rate) ** 2 - (matrix * matrix)[0, 0]),)


bias_rate = Law(
    growth,
    r * sp.sqrt(p**2 + (1 - p) ** 2) / (2 * tau),
    solves=_grows("0", {}, EVEN),
    given=(*TASK, tau > 0),
    source=RECONSTRUCTION,
    examples=(dict(p=0.4, r=1.7, tau=1.3), dict(p=0.7, r=0.6, tau=0.8)),
)

stimulus_rate = Law(
    growth,
    p * pi * sp.sqrt(r * (r - c)) / tau,
    solves=_grows("L", BIAS, SURE),
    given=(*TASK, tau > 0, pi > 0, pi < 1, c >= 0, c < r),
    source=RECONSTRUCTION,
    examples=(dict(p=0.4, r=1.7, pi=0.7, c=0.6, tau=1.3), dict(p=0.7, r=0.6, pi=0.2, c=0.1, tau=0.8)),
    reasons={c < r: "bias that expects the reward leaves nothing to learn from the stimulus"},
)

bias_rate_behind = Law(
    growth,
    r * (1 - p) / (2 * tau),
    solves=_grows("0", LEFT, SURE),
    given=(*TASK, tau > 0),
    source=RECONSTRUCTION,
    examples=(dict(p=0.4, r=1.7, tau=1.3), dict(p=0.7, r=0.6, tau=0.8)),
)

bias_value = Law(
    value,
    r * p,
    solves=lambda bias: (_misses(bias),),
    given=TASK,
    source=RECONSTRUCTION,
    examples=(dict(p=0.4, r=1.7), dict(p=0.7, r=0.6)),
)


def _misses(bias):
    """How much more reward follows a left choice than bias expects, if choices know nothing of the stimulus."""
    change = _mean([weight["L", "0"]], {(s, a): sp.Integer(a == "L") for s in SIDES for a in SIDES})[0]
    return sp.expand(change.subs(BIAS).subs({x: 0 for x in state}).subs(c, bias))


def derive() -> tuple[Step, ...]:
    """From the three losses to the mean field, its stationary values and the rates away from them."""
    u, w, bias = gain["L"], weight["L", "L"], weight["L", "0"] * gain["0"]
    q, k, rate = sp.symbols("q k lambda", real=True)
    first, behind, ahead = _block("0", {}, EVEN), _block("0", LEFT, SURE), _block("L", BIAS, SURE)
    learnt = {w: r / u, weight["R", "L"]: 0, weight["R", "0"]: 0}
    drive, pull = (_mean([w], SURE)[0].subs(w, x) for x in (0, q / u))
    rests = _mean([u], SURE)[0].subs(learnt)
    square = lambda block: (block * block)[0, 0]  # noqa: E731
    grows = lambda block: sp.Eq(square(block), (tau * rate) ** 2)  # noqa: E731
    return (
        Step(
            "left stimulus, left choice: the gain descends the loss of all values",
            sp.Eq(update("L", "L")[0], k),
            {k: w * (r - w * u - bias)},
        ),
        Step("its weight the loss of the stimulus", sp.Eq(update("L", "L")[1], k), {k: u * (r - w * u)}),
        Step("reward drives the weight as its own value q holds it back", sp.Eq(drive, drive - pull), {q: r}),
        Step("the gain then moves with bias", sp.Eq(rests, -k * bias), {k: p * pi * r / u}),
        Step("bias alone expects r times its chance", sp.Eq(_misses(0), _misses(0) - _misses(q)), {q: bias_value.rhs}),
        Step("at the origin bias grows at the rate", grows(first), {rate: bias_rate.rhs}),
        Step("faster than a stimulus", sp.Eq(4 * square(first) - (r * p) ** 2, k), {k: (r * (1 - p)) ** 2}),
        Step("behind bias the stimulus grows at", grows(ahead), {rate: stimulus_rate.rhs}),
        Step("bias behind the stimulus at", grows(behind), {rate: bias_rate_behind.rhs}),
    )
