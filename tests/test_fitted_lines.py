"""Of a straight line, which linear algebra fits, the search finds what linear algebra does, and says it."""

import numpy as np
import pytest

from laws import Fitted, Noise

EPS = np.finfo(float).eps
x = np.array([1.0, 2.0, 3.0, 5.0])
half = np.array([0.1, 0.2, 0.1, 0.3])
fit, held = [0, 1, 2], [3]
weighted = np.stack([np.ones(3), x[fit]], axis=1) / half[fit][:, None]
inverse = np.linalg.pinv(weighted)
y = 0.7 + 1.9 * x
FOUND = EPS * np.linalg.cond(weighted) * max(y / half)  # of a descent on these residuals
SLOPES = EPS ** (2 / 3) * max(y / half)  # of their differences, over steps of eps^(1/3)
left = np.linalg.svd(weighted)[0][:, -1]  # of the residuals that no line makes smaller


class Read:
    """A judge whose intervals are given as their middles."""

    shows, false_alarm = "values", 1e-3

    def collect(self, run, seed):
        """What a run gives."""
        return run(seed)

    def interval(self, runs):
        """The middle, and both ends."""
        return runs, runs - half, runs + half


def line(a, b):
    """A line."""
    return a + b * x


def found(middle, judge=None, law=line):
    """What is found of a line with these middles."""
    judge = judge or Fitted(Read(), dict(a=0.5, b=-1.0), (3,))
    runs = judge.collect(lambda seed: np.asarray(middle, dtype=float), 0)
    return judge.weigh(runs, law), judge.fit(runs, law)


def off(misfit=0.0, beyond=0.0):
    """Middles that leave this misfit on the fitted three, and this distance on the one that is held out."""
    middle = line(0.7, 1.9)
    middle[fit] += half[fit] * left * misfit * np.sqrt(3)
    middle[held] += beyond
    return middle


def test_errors_are_those_of_linear_algebra():
    """Parameters and predictions move by the sums of the pseudo-inverse, nothing bends."""
    _, best = found(off(0.9))
    moves = np.abs(np.stack([np.ones(4), x], axis=1) @ inverse).sum(axis=1)
    np.testing.assert_allclose(list(best.values.values()), [0.7, 1.9], rtol=FOUND)
    np.testing.assert_allclose(list(best.errors.values()), np.abs(inverse).sum(axis=1), rtol=SLOPES)
    np.testing.assert_allclose(best.moves, moves, rtol=SLOPES)
    assert best.misfit == pytest.approx(0.9, rel=FOUND, abs=0) and str(best).startswith("a = 0.7 ± 0.")


def test_what_is_held_out_may_be_off_by_both_errors():
    """Its own and the fit's; beyond, it is refused, and told by how much."""
    allowed = half[3] + np.abs(np.array([1, x[3]]) @ inverse).sum()
    for part, accepted in ((0.99, True), (1.01, False)):
        finding, best = found(off(beyond=part * allowed))
        assert finding.accepted == accepted and finding.threshold == pytest.approx(allowed, rel=SLOPES, abs=0)
        assert f"off by {part * allowed:.3g} (must be within {allowed:.3g}, {best.moves[3]:.2g} of it the fit's)" in (
            finding.says
        )
        assert np.array_equal(finding.observed, off(beyond=part * allowed))


def test_the_worst_is_that_in_units_of_its_own_error():
    """Of two that are held out the nearer one may be the worse; both fitted and held out are those that were named."""
    judge = Fitted(Read(), dict(a=0.5, b=-1.0), slice(2, None))
    ends = np.abs(np.stack([np.ones(4), x], axis=1) @ np.linalg.pinv(weighted[:2])).sum(axis=1) + half
    middle = line(0.7, 1.9) + np.array([0, 0, 0.9 * ends[2], 0.8 * ends[3]])
    finding, _ = found(middle, judge)
    assert 0.9 * ends[2] < 0.8 * ends[3] and finding.figure == pytest.approx(0.9 * ends[2], rel=FOUND, abs=0)


@pytest.mark.parametrize("misfit", [1.1, 1.9, 5.0])
def test_what_does_not_go_through_its_intervals_falls_at_once(misfit):
    """Whatever it says of what was held out."""
    finding, best = found(off(misfit))
    assert not finding.accepted and finding.figure == pytest.approx(misfit, rel=FOUND, abs=0) and best.errors == {}
    says = f"fitted at best, a = 0.7, b = 1.9, it is {misfit:.3g} times as far from what it was fitted to as may be"
    assert finding.says == says and np.array_equal(finding.observed, off(misfit)) and not best.moves.any()


def test_a_law_without_parameters_is_not_fitted():
    """It is judged as it is, and says so."""
    finding, best = found(line(0.7, 1.9), law=lambda a, b: line(0.7, 1.9))
    assert finding.accepted and finding.says.startswith("nothing to fit; what was held out is off by 0 ")
    assert best.values == dict(a=0.5, b=-1.0)


def test_only_parameters_that_are_alike_are_named():
    """A third that these runs tell stays out of it; the search keeps the scale of each start."""
    judge = Fitted(Noise(0.1), dict(a=1.0, b=1.0, c=1e-6), (3,))
    law = lambda a, b, c: a * b + 1e6 * c * x  # noqa: E731
    with pytest.raises(ValueError, match=r"do not tell a from b at a = .*, b = .*, c = 1.9e-06 \(condition number"):
        judge.weigh(judge.collect(lambda rows, seed: line(0.7, 1.9), 0), law)


def test_runs_to_fit_are_drawn_from_the_seed():
    """With numbers held out there is one run, from the seed that was given; what a rival adds is handed on."""
    asked = []
    judge = Fitted(Read(), dict(a=0.5, b=-1.0), (3,))
    runs = judge.collect(lambda seed: asked.append(seed) or line(0.7, 1.9), 7)
    settled = judge.settled(runs, lambda a, b, more=0.0: line(a, b) + more)
    assert asked == [7] and judge.false_alarm == 1e-3
    np.testing.assert_allclose(settled(more=1.0), line(1.7, 1.9), rtol=FOUND)
