"""A refused law is told how it is wrong: by which factor, offset or multiple of an argument, and how surely."""

import re
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import norm

from laws import Distribution, Noise, Order, Refuted, Solver, confront

x = np.array([0.4, 1.0, 1.9, 3.1])
at = dict(x=x, k=0.8)
sd = 0.01


def decay(x, k):
    """The truth."""
    return 1.5 * np.exp(-k * x) + 0.4


def measured(n, seed):
    """One noisy measurement."""
    return decay(**at) + sd * np.random.default_rng(seed).normal(size=(n, x.size))


def stepped(h, seed):
    """A limit at first order."""
    return decay(**at) * (1 + h + 0.3 * h * h)


def solved(rtol, seed):
    """A solution with an error."""
    return decay(**at) * (1 + rtol)


JUDGES = {"noise": (Noise(sd), measured), "order": (Order(1), stepped), "solver": (Solver(1e-8), solved)}
every_judge = pytest.mark.parametrize(("judge", "run"), JUDGES.values(), ids=JUDGES)


def told(law, judge, run):
    """What is said of a wrong law."""
    with pytest.raises(Refuted) as caught:
        confront("a wrong law", law, run, at, judge, {"none": -7.0})
    return str(caught.value)


def interval(said, start):
    """The number that follows some words, and its interval."""
    found = re.search(rf"{start} (\S+) \((\S+) to (\S+)\)", said)
    assert found, said
    return tuple(float(part) for part in found.groups())


@every_judge
@pytest.mark.parametrize("factor", [2.0, 0.6, 1.1])
def test_a_wrong_factor_is_told_with_its_interval(judge, run, factor):
    """A law twice too large is said to be about 2.00 times too large everywhere; the interval holds the truth."""
    said = told(lambda **at: factor * decay(**at), judge, run)
    best, low, high = interval(said, "the law is about")
    assert low <= max(factor, 1 / factor) <= high and low <= best <= high and low > 1
    assert f"times too {'large' if factor > 1 else 'small'} everywhere" in said


def test_two_times_too_large_reads_so():
    """The sentence, in full."""
    said = told(lambda **at: 2 * decay(**at), *JUDGES["noise"])
    assert re.search(r"the law is about 2\.\d\d \(1\.9\d to 2\.0\d\) times too large everywhere", said)
    assert "furthest at x = 0.4" in said


@every_judge
@pytest.mark.parametrize("offset", [0.3, -0.2])
def test_a_wrong_offset_is_told_with_its_interval(judge, run, offset):
    """A law that is shifted is said to be, to which side and by how much."""
    said = told(lambda **at: decay(**at) + offset, judge, run)
    _, low, high = interval(said, f"the law is too {'large' if offset > 0 else 'small'} by about")
    assert min(low, high) <= abs(offset) <= max(low, high) and "times too" not in said


@every_judge
def test_a_wrong_rate_is_told_by_its_argument(judge, run):
    """A law that is twice too fast would pass with half its rate, or half the time; no factor or offset mends it."""
    said = told(lambda x, k: decay(2 * x, k), judge, run)
    for name in at:
        _, low, high = interval(said, f"the law would pass with {name}")
        assert low <= 0.5 <= high
    assert "everywhere" not in said


def test_what_mends_a_law_best_is_told_first():
    """Where noise leaves a wrong rate and a wrong offset both possible, both are told, the rate before."""
    judge = Noise(0.05)
    run = lambda n, seed: decay(**at) + 0.01 * np.random.default_rng(seed).normal(size=(n, x.size))  # noqa: E731
    said = told(lambda x, k: decay(x, 0.7 * k), judge, run)
    argument = r"the law would pass with [kx] \d\.\d.*"
    assert re.search(rf"\n  {argument}\n  or {argument}\n  or the law is too large by", said)


@every_judge
def test_a_wrong_sign_is_told(judge, run):
    """A law of the wrong sign is told to have it."""
    said = told(lambda **at: -decay(**at), judge, run)
    best, low, high = interval(said, "the law would pass multiplied by")
    assert low <= -1 <= high and "its sign is wrong" in said


@every_judge
def test_a_wrong_shape_is_told_by_its_extremes(judge, run):
    """A law that no number mends is told between which ratios to the runs it goes, and where."""
    said = told(lambda x, k: 1 + 0.5 * k * x**2, judge, run)
    low, high = re.search(r"mends it: law / runs goes from (\S+) at x = 0.4 to (\S+) at x = 3.1", said).groups()
    assert abs(float(low) - 0.7076) < 0.02 and abs(float(high) - 9.2) < 0.4


def test_a_law_without_values_is_told_as_that():
    """What is not a number anywhere, and runs at 0, leave nothing to divide: the message says so and no more."""
    for law, run in ((lambda x, k: x * np.nan, measured), (decay, lambda n, seed: 0 * measured(n, seed))):
        with pytest.raises(Refuted) as caught:
            confront("nothing", law, run, at, Noise(sd), {"none": -7.0})
        assert re.search("no factor, offset or multiple of an argument mends it|multiplied by -?0", str(caught.value))


def test_a_wrong_width_of_a_distribution_is_told():
    """Samples that are wider than the law says are told by how much; a single number has a factor and no more."""
    normal = lambda x, sigma: norm.cdf(x / sigma)  # noqa: E731
    draw = lambda n, seed: 1.3 * np.random.default_rng(seed).normal(size=n)  # noqa: E731
    with pytest.raises(Refuted) as caught:
        confront("too narrow", normal, draw, dict(sigma=0.65), Distribution("x", 0.1), {"none": 0.0})
    for name, truth in (("x", 0.5), ("sigma", 2.0)):
        _, low, high = interval(str(caught.value), f"the law would pass with {name}")
        assert low <= truth <= high
    with pytest.raises(Refuted, match=r"the law is about 1.50\d* \(\S+ to \S+\) times too large\n"):
        confront("one number", 3.0, lambda h, seed: 2 + h + h * h, {}, Order(1), {"none": 0.0})


def test_a_notebook_shows_the_picture_of_what_is_refused(monkeypatch):
    """Where IPython renders the error, it gets the picture and the message, without the code in between."""
    shown, display, ipython = [], ModuleType("IPython.display"), ModuleType("IPython")
    ipython.version_info = (9, 0)  # matplotlib asks
    display.Image, display.display = (lambda png: png), shown.append
    for name, module in (("IPython", ipython), ("IPython.display", display)):
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(Refuted) as caught:
        confront("a wrong law", lambda **at: 2 * decay(**at), measured, at, Noise(sd), {"none": 0.0})
    (said,) = caught.value._render_traceback_()
    assert shown[0].startswith(b"\x89PNG") and said == f"Refuted: {caught.value}"
