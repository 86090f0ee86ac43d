"""The symbolic tools do what they say on losses of one's own, and refuse what they cannot confirm."""

import pytest
import sympy as sp

from laws.flow import Flow, antiderivative, gradient_flow, limit
from laws.typeset import latex

a, b, c, w, s, lam = sp.symbols("a b c w s lam", real=True)
chain = (s - lam * a * b * c) ** 2 / (2 * lam)


def test_gradient_flow_is_minus_the_gradient():
    """The equations are tau dw/dt = -dL/dw, in functions of time."""
    flow = gradient_flow((a * b - s) ** 2 / 2, (a, b), tau=lam)
    assert [sp.expand(v - e) for v, e in zip(flow.speeds, (b * (s - a * b), a * (s - a * b)), strict=True)] == [0, 0]
    assert flow.equations[0].lhs == lam * sp.Function("a")(sp.Symbol("t", real=True)).diff(sp.Symbol("t", real=True))
    with pytest.raises(ValueError, match="does not depend on"):
        gradient_flow(a**2, (a, b))


def test_symmetric_ansatz_is_checked():
    """Equal weights of a chain stay equal; weights in the ratio 1:2 do not."""
    flow = gradient_flow(chain, (a, b, c))
    equal = flow.impose({a: w, b: w, c: w})
    assert equal.weights == (w,) and sp.expand(equal.speeds[0] - w**2 * (s - lam * w**3)) == 0
    with pytest.raises(ValueError, match="leaves this ansatz"):
        flow.impose({a: w, b: 2 * w, c: w})
    with pytest.raises(ValueError, match="no weights"):
        flow.impose({s: w})


def test_change_of_variables():
    """The square of a single weight obeys the chain rule."""
    flow = gradient_flow((s - w**2) ** 2 / 4, (w,)).impose({w: sp.sqrt(a)}, positive=[a])
    assert flow.weights == (a,) and sp.simplify(flow.speeds[0] - 2 * a * (s - a)) == 0


def test_change_of_variables_keeps_what_it_does_not_change():
    """The time constant stays; a parameter in the new variables is no weight; roots of what is positive are taken."""
    quarter = gradient_flow((s - w**4) ** 2 / 8, (w,), tau=lam).impose({w: sp.root(a**2, 4)}, positive=[a])
    assert quarter.tau == lam and sp.simplify(quarter.speeds[0] - 2 * a**2 * (s - a**2)) == 0
    scaled = gradient_flow((s - lam * w) ** 2 / 2, (w,)).impose({w: a / lam})
    assert scaled.weights == (a,) and sp.simplify(scaled.speeds[0] - lam**2 * (s - a)) == 0
    assert gradient_flow(chain, (a, b, c)).impose({a: b}).weights == (b, c)
    known = gradient_flow((s - lam * w) ** 2 / 2, (w,)).impose({w: a * sp.sqrt(lam**2)}, positive=[lam])
    assert known.weights == (a,) and sp.simplify(known.speeds[0] - s + lam**2 * a) == 0


def test_weights_may_change_places():
    """All weights are put in at once: an ansatz that swaps two of them swaps their speeds."""
    flow = gradient_flow((s - a**2 * b) ** 2 / 2, (a, b))
    swapped = flow.impose({a: b, b: a})
    put = {a: b, b: a}
    assert swapped.weights == (a, b)
    assert [sp.expand(v) for v in swapped.speeds] == [
        sp.expand(flow.speeds[k].subs(put, simultaneous=True)) for k in (1, 0)
    ]


def test_conserved_quantities_are_found_and_checked():
    """A chain of three conserves two independent differences of squares, and nothing else of degree two."""
    flow = gradient_flow(chain, (a, b, c))
    found = flow.conserved(2)
    assert len(found) == 2 and all(flow.conserves(q) for q in found)
    assert flow.conserves(a**2 - b**2) and not flow.conserves(a**2 + b**2)
    assert flow.rate(a**2 + b**2) != 0
    (line,) = gradient_flow((a + b - s) ** 2 / 2, (a, b)).conserved(1)
    assert sp.simplify(line / (a - b)).is_number
    for degree in (0, 1.5):
        with pytest.raises(ValueError, match=f"degree = {degree}"):
            flow.conserved(degree)


def test_conserved_of_a_flow_that_conserves_nothing():
    """One weight in a well conserves no polynomial."""
    assert gradient_flow((w - s) ** 2, (w,)).conserved(3) == ()


def test_what_does_not_move_is_conserved():
    """A flow that stands still conserves every weight; unasked, quantities of degree two are looked for."""
    assert Flow((a, b), (sp.S.Zero, sp.S.Zero)).conserved(1) == (a, b)
    flow = gradient_flow(chain, (a, b, c))
    assert flow.conserved() == flow.conserved(2)
    first, second = sp.symbols("c0 c1")  # as one might call coefficients
    (found,) = gradient_flow((s - first * second) ** 2, (first, second)).conserved(2)
    assert sp.simplify(found / (first**2 - second**2)).is_number


def test_linearise():
    """Two layers have the saddle matrix (0 s; s 0) at the origin; a point that moves is refused."""
    flow = gradient_flow((s - lam * a * b) ** 2 / (2 * lam), (a, b))
    assert flow.linearise({a: 0, b: 0}) == sp.Matrix([[0, s], [s, 0]])
    with pytest.raises(ValueError, match="not stationary"):
        flow.linearise({a: 1, b: 0})
    with pytest.raises(ValueError, match="are no weights"):
        flow.linearise({c: 0})
    valley = gradient_flow((s - a * b) ** 2 / 2, (a, b)).linearise({a: b, b: s / b})  # on it all weights are at rest
    assert valley == sp.Matrix([[-(s**2) / b**2, -s], [-s, -(b**2)]])
    assert gradient_flow((s - a * b) ** 2 / 2, (a, b)).linearise({a: s / b}) == sp.Matrix(
        [[-(b**2), -s], [-s, -(s**2) / b**2]]  # b stays as it is
    )


def test_a_flow_typesets():
    """Its equations stand below each other."""
    flow = gradient_flow((a * b - s) ** 2 / 2, (a, b))
    first, second = map(latex, flow.equations)
    assert first.startswith(r"\frac{d}{d t} a")
    assert flow._repr_latex_() == rf"$\displaystyle \begin{{aligned}}{first} \\ {second}\end{{aligned}}$"


def test_antiderivative_is_differentiated_back():
    """What sympy cannot integrate is refused, not returned."""
    assert sp.simplify(antiderivative(1 / (w * (s - w)), w).diff(w) - 1 / (w * (s - w))) == 0
    with pytest.raises(ValueError, match="no antiderivative"):
        antiderivative(sp.exp(sp.sin(w)), w)


def test_limit_is_confirmed():
    """A limit is returned if balls close in on it, and refused if they do not."""
    assert limit(sp.sin(w * s) / w, w, 0, at={s: "1.7"}) == s
    assert limit(s + 1 / w, w, sp.oo, at={s: "1.7"}) == s
    assert limit(s + sp.sqrt(w), w, 0, at={s: "1.7"}) == s
    with pytest.raises((ValueError, ArithmeticError)):
        limit(sp.sin(w), w, sp.oo, at={})


@pytest.mark.parametrize("found", [sp.AccumBounds(-1, 1), sp.Limit(s / w, w, 0), sp.nan, sp.zoo, sp.oo, -sp.oo])
def test_what_is_no_number_is_no_limit(found, monkeypatch):
    """Whatever sympy answers instead of a limit is refused as such, and shown."""
    monkeypatch.setattr(sp, "limit", lambda *_: found)
    with pytest.raises(ValueError, match="has no finite limit as w -> 0: .+"):
        limit(s / w, w, 0, at={s: "1.7"})


@pytest.mark.parametrize("expr", [s + 1 / sp.log(w), s + 1 + 1 / w, s + w / 2**60])
def test_what_does_not_close_in_is_no_limit(expr, monkeypatch):
    """A value that is approached too slowly, kept at a distance or left behind is refused."""
    monkeypatch.setattr(sp, "limit", lambda *_: s)
    with pytest.raises(ValueError, match="the limit s of .* could not be confirmed at {s: '1.7'}"):
        limit(expr, w, sp.oo, at={s: "1.7"})
