"""The neural race: which pathways of a network learn first, and what is left for the others.

Problem.  Pathways of a gated network (`theory.gating`) reduce one error.  While the output is far from its
target each grows on its own, from the saddle at small weights, with the singular value s of its own
correlation <g y x^T>: a pathway of two layers as e^(2 s t/tau), one of three layers towards a pole.  The first to
leave the saddle takes the error away from the rest.

One error.  Pathways of two layers with strengths a_i and singular values s_i, whose outputs reach_i a_i
are in one ratio on all examples, have a_i' = 2 s_i a_i E with a common E = 1 - sum reach_i a_i.  So

    a_i = a_i0 e^(2 s_i I),     sum_i reach_i a_i0 e^(2 s_i I) = 1 in the end,                    (1)

I the integral of E: `final_shares` solves for it.  Their logarithms grow in proportion to s_i.

Transition to nonlinearity.  Exclusive-or with margin, inputs (+-c, +-c, Delta y), can be learnt by four gates that
are open on one example each, s = sqrt(2 c^2 + Delta^2)/4, or by a linear pathway, s = kappa Delta if it is
open on a part kappa of the examples.  A ReLU without bias has no linear pathway that is always open, but two
that are open on one class each: kappa = 1/2.  They are equally fast at

    Delta_c = c sqrt(2/(16 kappa^2 - 1)),                                                        (2)

sqrt(2/3) c for a ReLU, sqrt(2/15) c for an ungated pathway.  From equal starts a0 they end with equal shares at
a margin that lies beyond (2) by Delta_c 16 kappa^2 ln(4 kappa)/((16 kappa^2 - 1) ln(1/a0)), to leading order:
logarithmically far from the limit of small weights.

Starts of ReLU units.  While the output is small no unit knows of another: each moves by w' = <1[w x > 0] (a y) x>,
a' = <max(w x, 0) y>, which is linear until it changes the examples that it is on for.  `relu_gates` finds the
gates it can settle on.  From then on it grows as c e^(s t), c = (v w + u a) e^(-s t)/2 with v and u the gate's
directions, so that of `width` units with weights of variance sigma^2/width a pathway starts at sigma^2 <c^2>, the
average over all units, 0 for those that settle elsewhere, as width -> oo: `relu_starts`.  With these starts,
which `relu_kinds` puts beside the singular values, (1) has no free constant.

Shared against dedicated.  Routing between M domains, K outputs for each input, through one shared hidden weight,
all weights b0, leaves the saddle after

    T = tau M arctan(sqrt(M - 1))/(s b0 sqrt(M - 1)),                                            (3)

whatever K.  A pathway of three layers for each pair takes tau M K/(s b0): rho = K sqrt(M - 1)/arctan(sqrt(M - 1))
times as long.  When the shared ones win, pathways of their own freeze at b0/(1 - 1/rho); started rho times as
large, they win themselves.

Hypotheses.  Equal layers within each pathway; positive starts.  (3) and what follows from it hold to leading
order in b0.  For ReLU networks all this is an approximation at small initial weights: units must not
switch the examples that they are on for, and `relu_gates` finds the gates for which they need not.

Proved.  `derive` walks from the losses to (1), (2) and (3); every law is put back into its problem.

Reference.  Saxe, Sodhani and Lewallen, "The neural race reduction: dynamics of abstraction in gated networks",
ICML 2022; the closed forms are derived here.
"""

from theory.race._derivation import derive
from theory.race._gates import Gating, Kinds, relu_gates, relu_kinds, relu_starts
from theory.race._laws import advantage, loser, routing_escape, shared_error, transition, transition_drift
from theory.race._race import Runner, final_shares, race, race_time

__all__ = [
    "Gating", "Kinds", "Runner", "advantage", "derive", "final_shares", "loser", "race", "race_time", "relu_gates",
    "relu_kinds", "relu_starts", "routing_escape", "shared_error", "transition", "transition_drift",
]  # fmt: skip
