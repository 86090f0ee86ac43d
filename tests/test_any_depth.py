"""The trajectory at any depth is as accurate as its condition number allows, and refuses what has no trajectory."""

import math

import numpy as np
import pytest
import sympy as sp
from mpmath import mp

from theory import chain

EPS = np.finfo(float).eps
task = dict(s=1.7, lam=0.6, tau=1.3)
fixed = 1.7 / 0.6
depths = (1, 1.5, 2, 3, 4, 7, 10, 30, 100, math.inf)
OPERATIONS = 24  # a small multiple of eps: the evaluation of one trajectory has about as many roundings


def elapsed(depth, a0, a):
    """The time from a0 to a at 40 right digits, by the law that is proved for this side of the fixed point."""
    if math.isinf(depth):
        return chain.learning_time_infinite.exact(40, a0=a0, af=a, **task)
    law = chain.vanishing_time if a0 < 0 else chain.learning_time if a < fixed else chain.settling_time
    return law.exact(40, a0=a0, af=a, D=depth, **task)


def speed(depth, a):
    """The speed a' of a chain of this depth."""
    scale = a**2 if math.isinf(depth) else depth * abs(a) ** (2 - 2 / depth)
    return scale * (1.7 - 0.6 * a) / 1.3


def ends(a0):
    """Outputs from just after the start to just before the end."""
    if a0 < 0:
        return [a0 * f for f in (1 - 1e-9, 0.9, 0.5, 0.01, 1e-9)]
    return [a0 + (fixed - a0) * f for f in (1e-9, 0.01, 0.5, 0.99, 1 - 1e-9)]


@pytest.mark.parametrize("depth", depths)
@pytest.mark.parametrize("a0", [1e-12, 1e-3, 0.1, 0.9 * fixed, 1.05 * fixed, 50 * fixed, -1e-6, -1.0, -30.0])
def test_accuracy(depth, a0):
    """At times on the plateau, in the transition and at the end, the error is a few roundings times the condition."""
    if a0 < 0 and (depth < 2 or math.isinf(depth)):
        return _other_sides(depth, a0)
    for a_end in ends(a0):
        t = float(elapsed(depth, a0, a_end))
        a = chain.any_depth(t, depth=depth, a0=a0, **task)
        if a == a0:  # the time is below the resolution of the output
            assert t * abs(speed(depth, a0) / a0) <= OPERATIONS * EPS
            continue
        rate = abs(speed(depth, a) / a)
        condition = t * rate + abs(a0 / speed(depth, a0)) * rate
        error = abs(float(elapsed(depth, a0, a) - sp.Float(t, 40))) * rate
        assert error <= OPERATIONS * EPS * (1 + condition), (a_end, a)


def _other_sides(depth, a0):
    """Below 0 one layer has the shallow law, infinite depth its own equation, and depths between 1 and 2 nothing.

    The equation of infinite depth is v + ln(1 - v) = v0 + ln(1 - v0) - s^2 t/(lam tau), of v = s/(lam a).
    """
    times = [1e-6, 0.01, 1.0, 7.0, 100.0]
    if 1 < depth < 2:
        with pytest.raises(ValueError, match="not unique"):
            chain.any_depth(1.0, depth=depth, a0=a0, **task)
    elif depth == 1:
        for t in times:
            found, expected = chain.any_depth(t, depth=1, a0=a0, **task), chain.shallow.exact(40, t=t, a0=a0, **task)
            condition = chain.shallow.condition(t=t, a0=a0, **task)
            assert abs(float(found - expected)) <= OPERATIONS * EPS * (1 + condition) * abs(found)
    else:
        with mp.workdps(40):
            s, lam, tau = (mp.mpf(task[name]) for name in ("s", "lam", "tau"))
            v0, speed_of_v = s / (lam * mp.mpf(a0)), s**2 / (lam * tau)
            for t in times:
                found = chain.any_depth(t, depth=math.inf, a0=a0, **task)
                right = v0 + mp.log(1 - v0) - speed_of_v * mp.mpf(t)
                v = mp.findroot(lambda v, right=right: v + mp.log(1 - v) - right, s / (lam * mp.mpf(found)))
                condition = (1 - v) / v**2 * (speed_of_v * t + v0**2 / (1 - v0))
                assert abs(s / (lam * v) / mp.mpf(found) - 1) <= OPERATIONS * EPS * (1 + condition), t


def test_closed_forms_are_special_cases():
    """At depths 1, 2 and infinity the inversion meets the closed trajectories."""
    t = np.array([[0.0, 0.3], [1.2, 5.0]])
    for depth, law in ((1, chain.shallow), (2, chain.two_layers), (math.inf, chain.infinitely_deep)):
        rounding = 2 * OPERATIONS * EPS * (1 + law.condition(t=t, a0=0.1, **task))  # of both
        found, expected = chain.any_depth(t, depth=depth, a0=0.1, **task), law(t=t, a0=0.1, **task)
        assert np.all(np.abs(found - expected) <= rounding * np.abs(expected))


def test_two_layers_below_zero():
    """For a0 < 0 two layers return to the saddle; the printed law would blow up."""
    exponent = 2 * 1.7 * np.array([0.2, 1.0, 4.0]) / 1.3
    decay = np.exp(-exponent)
    expected = -0.5 * 1.7 * decay / (1.7 + 0.6 * 0.5 * (1 - decay))
    found = chain.any_depth([0.2, 1.0, 4.0], depth=2, a0=-0.5, **task)
    assert np.all(np.abs(found - expected) <= OPERATIONS * EPS * (1 + exponent) * np.abs(expected))


def test_start_and_end_are_exact():
    """At t = 0 the output is the start, and long after it is the fixed point; the fixed point stays."""
    for depth in depths:
        for a0 in (1e-300, 1e-12, 0.1, 2.0, 7.0):
            late = 1e305 if a0 == 1e-300 else 1e15
            start, end = chain.any_depth([0.0, late], depth=depth, a0=a0, **task)
            assert abs(start / a0 - 1) <= OPERATIONS * EPS and abs(end / fixed - 1) <= OPERATIONS * EPS
    assert chain.any_depth([[1.0, 3.0]], depth=5, a0=2.0, s=1.0, lam=0.5).tolist() == [[2.0, 2.0]]
    assert chain.any_depth(1.3 * 0.7, depth=5, a0=0.1, **task) == chain.any_depth(0.7, depth=5, a0=0.1, s=1.7, lam=0.6)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (dict(depth=0.5), ValueError, "depth = 0.5 violates depth >= 1"),
        (dict(depth=math.nan), ValueError, "depth = nan"),
        (dict(depth="3"), TypeError, "depth = '3'"),
        (dict(a0=0.0), ValueError, "saddle"),
        (dict(s=0.0), ValueError, "s = 0.0 violates s > 0"),
        (dict(lam=-0.6), ValueError, "lam = -0.6 violates lam > 0"),
        (dict(tau=0.0), ValueError, "tau = 0.0 violates tau > 0"),
        (dict(a0=math.inf), ValueError, "a0 = inf is not finite"),
        (dict(t=-1.0), ValueError, "any_depth: t = -1.0 violates t >= 0"),
        (dict(t=[1.0, math.nan]), ValueError, "any_depth: t = nan is not finite (1 of 2 values"),
        (dict(t=None), TypeError, "t = None"),
    ],
)
def test_bad_arguments(change, error, says):
    """Each bad argument is refused by name and value."""
    with pytest.raises(error) as caught:
        chain.any_depth(**{**dict(t=1.0, depth=3, a0=0.1), **task, **change})
    assert says in str(caught.value)


@pytest.mark.parametrize("af", [3.0, fixed + 1e-9, 0.05])
def test_learning_times_refuse_ends_that_are_not_reached(af):
    """An end beyond the fixed point, or on the wrong side of the start, is refused with its reason."""
    laws = [chain.learning_time_1, chain.learning_time_2, chain.learning_time_3, chain.learning_time_4]
    for law in (*laws, chain.learning_time_infinite, chain.learning_time):
        depth = dict(D=2.5) if law is chain.learning_time else {}
        with pytest.raises(ValueError, match="between the start and the fixed point"):
            law(a0=0.1, af=af, **depth, **task)


def test_learning_time_at_nearby_depths_is_continuous():
    """The best form has no singularity at D = 2, where others lose their digits."""
    at = dict(a0=1e-6, af=1.3, **task)
    step, far = 2.0**-30, 2.0**-10
    near = chain.learning_time(D=2 + step * np.array([-1, 0, 1]), **at)
    rounding = 8 * EPS * near[1]
    assert near[1] == pytest.approx(chain.learning_time_2(**at), rel=0, abs=rounding)
    apart = chain.learning_time(D=2 + far * np.array([-1, 0, 1]), **at)
    rise = step / far * np.diff(apart)  # by the chords, of a curve that bends one way: the tangent lies between them
    assert np.all((np.min(rise) - rounding <= np.diff(near)) & (np.diff(near) <= np.max(rise) + rounding))


@pytest.mark.parametrize("p", [0.02, 0.5, 4 / 3, 7 / 3, 20.0])
def test_integrals_keep_their_digits_where_scipy_does_not(p):
    """Near z = 1 the incomplete beta function keeps all digits, also at the p where scipy's 2F1 turns negative."""
    import mpmath
    from scipy.special import hyp2f1

    from theory.chain import _beta

    for z in (0.3, 0.51, 0.9, 0.999, 1 - 1e-12):
        with mpmath.workdps(40):
            exact = mpmath.mpf(z) ** p / p * mpmath.hyp2f1(1, mpmath.mpf(p), 1 + mpmath.mpf(p), mpmath.mpf(z))
            assert abs(float(_beta._rest(p, np.array(z), np.array(1 - z)) / exact - 1)) <= OPERATIONS * EPS
    assert hyp2f1(1, 4 / 3, 7 / 3, 0.999) < 0


def test_the_derivation_comes_to_every_law():
    """Each trajectory has the steps that lead to it, and the limit of many layers is that of the speed at any depth."""
    steps = chain.derive()
    said = [step.says for step in steps]
    for name in ("one layer", "two layers", "infinitely many layers"):
        ends = [says.partition(": ")[2] for says in said if says.startswith(name)]
        assert ends == ["separate and integrate", "the trajectory inverts the time", "half of the fixed point"]
    (limit,) = (step.equation for step in steps if "has a limit" in step.says)
    any_depth = next(step.equation.rhs for step in steps if "at any depth" in step.says)
    a, D = sp.Symbol("a", real=True), sp.Symbol("D", real=True)
    each = limit.lhs.args[0].subs(sp.Symbol("a", positive=True), a)
    assert sp.simplify(D * each - any_depth) == 0
