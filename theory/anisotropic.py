"""Two layers with inputs that are not white: when the modes stay chains, and a flow in which they always do.

Problem.  Inputs have covariance X, not a multiple of I, and correlation Y with the targets:

    tau W_1' = W_2^T E,     tau W_2' = E W_1^T,     E = Y - W_2 W_1 X.                        (1)

No closed form is known in general.  Two routes are exact.

Commuting modes.  If Y = U diag(s) V^T and X = V diag(lam) V^T share V (as in every autoencoder, Y = X), then from
aligned weights each mode is a chain of its own (`theory.chain`), tau a' = 2 a (s - lam a): the order of learning is
that of s, what is learnt is s/lam, and small variance only makes the end larger.  An autoencoder learns every
component to 1, in the order of its variances.

Preconditioned flow.  Let the first layer descend in the units of the inputs,

    tau W_1' = W_2^T E X^-1,     tau W_2' = E W_1^T.                                          (2)

With V_1 = W_1 X^(1/2) and Z = Y X^(-1/2) this is

    tau V_1' = W_2^T (Z - W_2 V_1),     tau W_2' = (Z - W_2 V_1) V_1^T,

the flow with white inputs, for any X.  All that is known of that flow holds for V_1 and W_2: balance is that of
(V_1, W_2), and from aligned weights the modes of Z are chains with lam = 1.  In a commuting mode, where
z = s/sqrt(lam) and the strength of W_2 W_1 X^(1/2) is a sqrt(lam),

    tau a' = 2 a (s - lam a)/sqrt(lam):                                                       (3)

the order of learning is now that of s/sqrt(lam), the mode's correlation with the target in its own units.

Proved.  (3) is solved by a logistic curve at the rate 2 s/(tau sqrt(lam)); the change of variables is checked on
matrices with rational entries.
"""

import numpy as np
import sympy as sp

from laws.flow import gradient_flow
from laws.law import Law, Source, Step
from theory import chain

t, s, lam, a0, tau = sp.symbols("t s lam a0 tau", real=True)
a = sp.Function("a")

preconditioned = Law(
    a(t),
    s / lam / (1 - (1 - s / (lam * a0)) * sp.exp(-2 * s * t / (sp.sqrt(lam) * tau))),
    solves=lambda a: (
        tau * sp.sqrt(lam) * a.diff(t) - 2 * a * (s - lam * a),
        a.subs(t, 0) - a0,
    ),
    given=chain.two_layers.given,
    source=Source("derived here", "a commuting mode under the preconditioned flow"),
    examples=chain.two_layers.examples,
    evaluate=lambda tau, lam, **at: np.asarray(chain.two_layers(tau=tau * lam**0.5, lam=lam, **at)),
    reasons=chain.two_layers.reasons,
)


def derive() -> tuple[Step, ...]:
    """From the loss with unequal variances to chains, and from the preconditioned flow to white inputs."""
    w11, w12, w21, w22 = sp.symbols("c1 c2 d1 d2", real=True)
    s1, s2, lam1, lam2, x, b = sp.symbols("s1 s2 lam1 lam2 x b", real=True)
    parts = [(s1 - lam1 * w11 * w21) ** 2 / (2 * lam1), (s2 - lam2 * w12 * w22) ** 2 / (2 * lam2)]
    flow = gradient_flow(sum(parts), (w11, w12, w21, w22), tau)
    equal = flow.impose({w11: x, w21: x})
    speed = dict(zip(equal.weights, equal.speeds, strict=True))[x]
    moved, wanted = _in_white_units()
    white = sp.sqrt(lam)
    return (
        Step("commuting modes descend apart", sp.Eq(-sp.Derivative(sum(parts), w11), w21 * (s1 - lam1 * w11 * w21))),
        Step("and each is a chain", sp.Eq(2 * x * speed, 2 * b * (s1 - lam1 * b)), {b: x**2}),
        Step("preconditioned, the first layer moves in white units", sp.Eq(moved[0], wanted[0])),
        Step("and the second as with white inputs", sp.Eq(moved[1], wanted[1])),
        Step(
            "there each mode is a chain with lam = 1, in its own units (3)",
            sp.Eq(2 * b * (s / white - b) / white, 2 * x * (s - lam * x) / white),
            {b: x * white},
        ),
    )


def _in_white_units():
    """Speeds of the first entry of V_1 and of W_2: moved by (2), and wanted by the flow with white inputs."""
    r1, r2, r3, c1, c2, d, y1, y2 = sp.symbols("r1 r2 r3 c1 c2 d y1 y2", real=True)
    root, first, target = sp.Matrix([[r1, r2], [r2, r3]]), sp.Matrix([[c1, c2]]), sp.Matrix([[y1, y2]])
    inputs = root * root
    error = target - d * first * inputs
    missed = target * root.inv() - d * first * root
    moved = (d * error * inputs.inv() * root)[0], (error * first.T)[0]
    wanted = (d * missed)[0], (missed * (first * root).T)[0]
    return moved, wanted
