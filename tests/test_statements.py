"""A statement about every run stands or falls with each of them; nothing is said of distances or of error rates."""

import numpy as np
import pytest

from laws import Count, Refuted, Sign, Trend, confront

FALLEN = np.array([-0.3, -0.02, -1.7, -0.4, -0.9])
CONTROL = np.array([0, -1, 0, 0, 1.0])


def fell(seed):
    """By how much something has changed in five networks."""
    return FALLEN


def refuted(claim, law, run, judge, rivals=None):
    """What is said of a confrontation that fails."""
    with pytest.raises(Refuted) as caught:
        confront(claim, law, run, {}, judge, rivals)
    return str(caught.value)


def test_a_sign_holds_in_every_network():
    """It holds where every network has it; the verdict counts networks, and says what a coin would do."""
    verdict = confront("it falls", -1.0, fell, {}, Sign(), {"as the control": lambda: np.sign(CONTROL)})
    assert verdict.holds and verdict.says == "holds in 5 of 5 networks; so would coins, with probability 0.031"
    assert verdict.cases == "5 networks" and "as the control contradicted by 4 of 5 networks" in str(verdict)
    assert verdict.false_alarm is None and type(verdict).from_json(verdict.to_json()) == verdict


def test_entries_of_one_network_share_its_coin():
    """Of an array (networks, levels) every entry is judged, and the coins are as many as the networks."""
    both = lambda seed: np.stack([fell(seed), 2 * fell(seed)], axis=-1)  # noqa: E731
    verdict = confront("both fall", -1.0, both, {}, Sign("level"), {"as the control": 0.0})
    assert verdict.says == "holds in 10 of 10 levels; so would coins, with probability 0.031"


@pytest.mark.parametrize("off", [1e-9, 0.0], ids=["the other way", "no change"])
def test_one_network_refutes_a_sign(off):
    """One network of the other sign, or without a change, refutes the statement and is named."""
    run = lambda seed: np.array([-0.3, -0.02, off])  # noqa: E731
    said = refuted("it falls", -1.0, run, Sign())
    assert f"fails in 1 of 3 networks: number 3 ({off:.3g})" in said and "furthest" not in said


def test_a_rival_that_no_network_contradicts_survives():
    """A rival with the signs of the law is none; one that differs for a single network is contradicted by that one."""
    rivals = {"the same in other words": lambda: -np.ones(5)}
    assert "survives: the same in other words" in refuted("it falls", -1.0, fell, Sign(), rivals)
    one = {"but for the last": lambda: np.array([-1, -1, -1, -1, 1])}
    assert "contradicted by 1 of 5 networks" in str(confront("it falls", -1.0, fell, {}, Sign(), one))


def test_signs_differ_from_network_to_network():
    """The law may give each its sign, 0 for no change at all; what is no sign is refused."""
    law = lambda: np.array([0, -1, 0, 0, 1.0])  # noqa: E731
    verdict = confront("as told", law, lambda seed: CONTROL, {}, Sign(), {"none changes": 0.0})
    assert verdict.holds and "coins" not in verdict.says  # which never fall on their edge
    with pytest.raises(ValueError, match=r"a sign is \+1, -1 or 0 \(no change\), not 0.5"):
        confront("half", 0.5, fell, {}, Sign())
    with pytest.raises(ValueError, match="not finite"):
        confront("diverged", 1.0, lambda seed: np.array([1.0, np.nan]), {}, Sign())


def test_signs_are_drawn_beside_no_effect():
    """One dot for each network beside the line of no effect, the law's side shaded, and no distances."""
    labels = dict(x="network", y="change of activity")
    verdict = confront("it falls", -1.0, fell, {}, Sign("run"), labels=labels)
    (panel,) = verdict.panels
    side, zero, dots = panel.series
    assert (panel.x, panel.y, panel.counts, verdict.cases) == ("network", "change of activity", True, "5 runs")
    assert dots.x == [1, 2, 3, 4, 5] and dots.y == FALLEN.tolist() and set(zero.y) == {0.0}
    assert max(side.high) == 0 and max(side.low) < FALLEN.min()
    verdict.plot().canvas.draw()
    confront("nothing moves", 0.0, lambda seed: np.zeros(3), {}, Sign()).plot().canvas.draw()
    law = lambda: np.array([-1, -1, 1.0])  # noqa: E731
    levels = lambda seed: np.array([[-0.1, -2, 3], [-0.4, -1, 5]])  # noqa: E731
    (panel,) = confront("by level", law, levels, {}, Sign("comparison")).panels
    assert [s.role for s in panel.series] == ["band", "band", "each", "run"] and np.shape(panel.series[-1].y) == (2, 3)


def test_counts_are_exact():
    """Whole numbers are the law's or contradict it; the rivals say how many contradict them."""
    at, run = dict(bits=np.array([1, 2, 3])), lambda seed: np.array([[2, 4, 8], [2, 4, 8]])
    rivals = {"two for each bit": lambda bits: 2 * bits}
    verdict = confront("2^N", lambda bits: 2.0**bits, run, at, Count(), rivals)
    assert verdict.holds and verdict.says == "holds in 6 of 6 counts" and verdict.false_alarm == 0
    assert "contradicted by 2 of 6 counts" in str(verdict) and len(verdict.panels) == 1
    floats = confront("again", lambda bits: 2**bits, run, dict(bits=np.array([1.0, 2.0, 3.0])), Count(), rivals)
    for panel in (*verdict.panels, *floats.panels):  # two and a half bits have no states
        assert panel.counts and not any(s.joined for s in panel.series if s.role in ("law", "rival"))
    with pytest.raises(Refuted, match=r"fails in 2 of 6 counts: number 1, 1 \(2\), number 2, 1 \(2\)"):
        confront("one more", lambda bits: 2.0**bits + (bits == 1), run, at, Count(), rivals)
    with pytest.raises(ValueError, match=r"gave 0.5, which is no whole number"):
        confront("halves", 0.5, lambda seed: 0.5, {}, Count(), {"none": 0.0})


def test_no_trend_tells_both_votes():
    """Where no trend is claimed, the verdict says how many rise and how many fall, and what neither may reach."""
    uneven = lambda x, seed: x * (1 if seed % 3 else -1)  # noqa: E731
    verdict = confront("no trend", 0.0, uneven, {}, Trend((1.0, 2.0, 3.0)), {"it rises": 1.0})
    found = [int(word) for word in verdict.says.replace(",", "").replace(")", "").split() if word.isdigit()]
    up, runs, down, needed = found
    assert up + down == runs and max(up, down) < needed and "neither may reach" in verdict.says
