"""A plain function with its hypotheses is a law: it refuses what violates them, and has wrong neighbours."""

import numpy as np
import pytest

from laws import Noise, Refuted, Sign, confront, stated


@stated("0 < eta*lam < 2", "sigma > 0", source="my notes, (3)")
def settled(eta, lam, sigma=1.7):
    """Where descent with noise settles, the mean of w^2."""
    return eta * sigma**2 / (lam * (2 - eta * lam))


@stated()
def deep(a, depth):
    """A product of whole many factors, which no symbol can follow."""
    return np.prod([a for _ in range(depth)], axis=0)


at = dict(eta=np.array([0.2, 0.7, 1.1]), lam=0.6)
measured = 1.7**2 * at["eta"] / (0.6 * (2 - 0.6 * at["eta"]))


def test_a_stated_function_computes_as_it_did():
    """It takes lists and defaults, keeps whole numbers whole, and says its hypotheses, formula and source."""
    assert np.array_equal(settled(eta=[0.2, 0.7, 1.1], lam=0.6), measured)
    assert np.array_equal(settled([0.2, 0.7, 1.1], 0.6), measured)
    assert deep(a=np.array([2.0, 3.0]), depth=3).tolist() == [8, 27] and isinstance(settled(eta=1, lam=1), float)
    assert (
        repr(settled) == "settled(eta, lam, sigma)\n  given 0 < eta*lam, eta*lam < 2, sigma > 0\n  from my notes, (3)"
    )
    assert r"\frac{\eta \sigma^{2}}" in settled._repr_latex_() and deep.rhs is None and deep.latex() == ""
    hypotheses = r"\qquad 0 < \eta \lambda,\; \eta \lambda < 2,\; \sigma > 0 \qquad \text{[my notes, (3)]}$"
    assert settled._repr_latex_().endswith(hypotheses)
    assert repr(deep) == "deep(a, depth)\n  given nothing\n  from stated here"


def test_a_law_may_be_stated_where_it_is_needed():
    """Its arguments are real, those with a value need none, and its source is said to be here unless it is told."""
    scaled = stated("x > 0")(lambda x, k=1.7: k * x)
    assert scaled(x=2.0) == 3.4 and scaled(2.0, 0.5) == scaled(x=2.0, k=0.5) == 1.0
    assert [str(x) for x in scaled.symbols] == ["x", "k"] and all(x.is_real for x in scaled.symbols)
    assert repr(scaled).endswith("from stated here")
    with pytest.raises(ValueError, match="missing x; its arguments are x, k"):
        scaled(k=0.5)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (dict(eta=4, lam=0.6), ValueError, r"settled: eta = 4.0, lam = 0.6 violates eta\*lam < 2"),
        (dict(eta=[0.1, -1], lam=0.6), ValueError, r"1 of 2 points, the first at index 1: eta = -1.0"),
        (dict(eta=0.1), ValueError, "settled: missing lam; its arguments are eta, lam, sigma"),
        (dict(eta=0.1, lam=1, s=2), ValueError, "unknown s"),
        (dict(eta="a", lam=1), TypeError, "settled: eta = 'a' is not a real number"),
        (dict(eta=[0.1, np.nan], lam=1), ValueError, "settled: eta = nan is not finite"),
        (dict(eta=[0.1, 0.2], lam=[1, 1, 1]), ValueError, "settled: these shapes do not broadcast"),
    ],
)
def test_a_stated_function_refuses_by_name(call, error, says):
    """What violates a hypothesis, is missing, unknown or no number is named."""
    with pytest.raises(error, match=says):
        settled(**call)


@pytest.mark.parametrize(
    "given", ["eta", "x > 0", "eta == 1", "eta >", "0 < 1", "eta in lam", "1 < 2 < eta", "foo(eta) > 0"]
)
def test_what_is_no_hypothesis_is_refused(given):
    """A hypothesis compares the arguments of its function, and nothing else."""
    with pytest.raises(ValueError, match="must compare its arguments"):
        stated(given)(lambda eta, lam: eta)


@pytest.mark.parametrize("given", ["np.abs(eta) < 1", "eta.y > 0", "abs(eta) + foo(lam) < 1"])
def test_a_hypothesis_knows_no_module(given):
    """It is read as mathematics: what only Python could compute is refused where it is written, not when called."""
    with pytest.raises(ValueError, match="must compare its arguments"):
        stated(given)(lambda eta, lam: eta)
    assert stated("abs(eta) < 1")(lambda eta, lam: eta)(eta=0.5, lam=1) == 0.5


def test_what_is_no_law_is_refused():
    """A decorator without brackets, and a function without names for its arguments, are told what is missing."""
    with pytest.raises(TypeError, match=r"write @stated\("):
        stated(lambda eta: eta)
    with pytest.raises(TypeError, match="arguments with names"):
        stated()(lambda **at: 1.0)


def test_an_argument_that_is_given_twice_is_refused():
    """In their order, or by name, but each once."""
    for ordered, named in (((0.2, 0.6, 1.7, 1), {}), ((0.2, 0.6), dict(eta=0.2))):
        with pytest.raises(TypeError, match="settled: its arguments are eta, lam, sigma, each once"):
            settled(*ordered, **named)


def test_its_mutants_are_its_arguments_and_its_value_off_by_a_tenth():
    """Each stands trial on the same runs; one that is undefined, or no other number, is not told from the law."""
    verdict = confront("settles", settled, measured, at, Noise(1e-3))
    assert list(verdict.mutants) == ["eta", "lam", "sigma", "the value"] and not verdict.unseen
    values = {name: mutant(**at) for name, mutant in settled.mutants().items()}
    np.testing.assert_allclose(values["sigma"], 1.21 * measured, rtol=8 * np.finfo(float).eps)
    assert np.array_equal(values["eta"], settled(eta=1.1 * at["eta"], lam=0.6))
    root = stated("x < 1")(lambda x: np.sqrt(1 - x))
    assert root.mutants()["x"](x=0.95) == root(x=0.95) != root.mutants()["the value"](x=0.95)
    picky = stated()(lambda x: 1 / (x <= 2))
    assert picky.mutants()["x"](x=2) == picky(x=2)
    whole = stated()(lambda x: {2.0: 5.0, 3.0: 7.0}[float(x)])  # a fraction that stays in the law has no next
    assert whole.mutants()["x"](x=2.0) == 5 and whole.mutants()["x"](x=2) == 7
    many = stated()(lambda x: np.ones(int(10 * x)))
    assert many.mutants()["x"](x=1.0).tolist() == [1] * 10


def test_what_overflows_is_infinite():
    """Beyond float64 a function has no warning, only infinity; its value off by a tenth is eleven tenths."""
    grows = stated()(lambda x: np.exp(x))
    assert grows(x=1e3) == np.inf and grows.mutants()["the value"](x=1.0) == 1.1 * grows(x=1.0)


def test_a_whole_number_is_off_by_one():
    """Where the function takes no fraction of an argument its neighbour is the next whole number, if that was given."""
    assert deep.mutants()["depth"](a=2.0, depth=3) == 16
    assert deep.change("depth") == r"\mathrm{depth}" "\n" r"\to \mathrm{depth} + 1"
    short = stated()(lambda depth: [5.0, 7.0][depth])
    assert short.mutants()["depth"](depth=1) == 7 and r"\frac{11}{10}" in short.change("depth")


def test_a_check_that_could_not_fail_is_refused():
    """Runs too noisy to reject any neighbour teach nothing, though they accept the law."""
    with pytest.raises(Refuted, match="reject none of the mutants"):
        confront("drowned", settled, measured, at, Noise(100.0))


def test_a_card_shows_the_formula_or_the_sentence():
    """What can be followed with symbols is typeset, with hypotheses and source."""
    verdict = confront("settles again", settled, measured, at, Noise(1e-3))
    assert r"\frac" in verdict.latex and r"\eta \lambda < 2" in verdict.given and verdict.source == "my notes, (3)"
    assert verdict.sentence == "Where descent with noise settles, the mean of w^2" and verdict.law.endswith(".settled")
    plain = confront("whole powers", deep, np.array([8.0]), dict(a=2.0, depth=3), Noise(1e-3))
    assert plain.latex == "" and not plain.unseen


def test_a_sign_has_no_neighbours():
    """A stated sign is judged with its rivals, or alone; it cannot be off by a tenth."""
    sign = stated("x > 0")(lambda x: np.sign(x))
    verdict = confront("signs", sign, lambda seed: np.array([0.3, 2.0]), dict(x=np.array([1.0, 2.0])), Sign())
    assert verdict.holds and not verdict.mutants
