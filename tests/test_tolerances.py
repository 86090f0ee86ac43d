"""No bound of a check is set by hand: each is a count of roundings, an order, a statistic, or the solver's own error.

A number may stand in a bound only if it is a probability, or for a reason that is given here.
"""

import ast
from pathlib import Path

import pytest

root = Path(__file__).parent.parent
sources = sorted(p for folder in ("tests", "validate", "paper_checks") for p in root.glob(f"{folder}/**/*.py"))

NEAR = {  # what compares, and what must be given to it lest numbers of its own, 1e-5 to 1e-12, stand in
    "approx": {"abs"}, "assert_allclose": {"rtol"}, "assert_close": {"rtol", "atol"},
    "allclose": {"rtol", "atol"}, "isclose": {"rtol", "atol"},
}  # fmt: skip
BOUNDS = {"rel", "abs", "rtol", "atol", "rel_tol", "abs_tol"}
PROBABILITIES = {"sf", "cdf", "pvalue"}
SMALL = 0.01  # what is above is the size of something

REASONS = {
    "test_codes.py test_what_an_ablation_finds": "how few units are on, but below the published threshold",
    "test_corridor_laws.py test_floor": "how far a walk must have come, and how small eigenvalues are that count as 0",
    "test_drift.py test_first_passage_is_inverted": "digits that the function promises",
    "test_drift_manifold.py at_point": "how small eigenvalues are that count as 0",
    "test_drift_spectra.py counted": "how far descent must have come",
    "test_theory_noise.py test_expected_loss_to_twelve_digits": "digits that the function promises",
    "test_theory_noise.py test_twelve_digits_of_nearly_opposite_silent_units": "digits that the function promises",
    "saxe_slides.py test_very_deep_is_a_limit": "the size of an effect",
    "saxe_slides_3.py test_reduction": "the size of an effect",
}


def named(node):
    """The name of what is called or looked up, without what it belongs to."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def bare(node):
    """Whether an expression is made of numbers alone, and is not 0."""
    parts = list(ast.walk(node))
    return not any(isinstance(n, ast.Name) for n in parts) and any(getattr(n, "value", 0) for n in parts)


def small(node):
    """Whether a small number stands in an expression, but for arguments of functions."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float) and 0 < node.value <= SMALL
    return not isinstance(node, ast.Call) and any(map(small, ast.iter_child_nodes(node)))


def compares_by_hand(call):
    """Whether a call compares within numbers, those that are given or its own."""
    given = {word.arg: word.value for word in call.keywords}
    allowed = [value for name, value in given.items() if name in BOUNDS]
    return any(map(bare, [*allowed, *call.args[2:]])) or not ({None} & set(given) or NEAR[named(call)] <= set(given))


def bounded_by_hand(comparison):
    """Whether something that is no number and no probability must lie below a small number."""
    sides, before = [comparison.left, *comparison.comparators], None
    for less, sign, more in zip(sides, comparison.ops, sides[1:], strict=False):
        if isinstance(sign, ast.Gt | ast.GtE):
            less, more = more, less
        bound_of_a_bound = before is not None and not isinstance(before, ast.Constant)
        measured = not isinstance(less, ast.Constant) and named(less) not in PROBABILITIES
        if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and measured and small(more) and not bound_of_a_bound:
            return True
        before = less
    return False


def by_hand(text):
    """The functions, and what else there is, in which bounds are set by hand."""
    for part in ast.parse(text).body:
        for node in ast.walk(part):
            called = isinstance(node, ast.Call) and named(node) in NEAR and compares_by_hand(node)
            if called or (isinstance(node, ast.Compare) and bounded_by_hand(node)):
                yield getattr(part, "name", ast.unparse(part))


def test_no_bound_is_set_by_hand():
    """What stays has a reason, and every reason is needed."""
    found = {f"{path.name} {function}" for path in sources for function in by_hand(path.read_text())}
    assert found == set(REASONS)


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("assert abs(x - y) < 1e-9", True),
        ("assert 1e-9 * y > abs(x - y)", True),
        ("assert 0 < abs(x - y) < 1e-9", True),
        ("assert x <= y + 1e-12", True),
        ("assert abs(x - y) < bound < 1e-5 * x", False),
        ("assert abs(x - y) < 8 * EPS * x", False),
        ("assert binom.sf(count, 1500, 1e-2) < 1e-6", False),
        ("assert ttest_1samp(x, 0).pvalue < 1e-5", False),
        ("assert abs(x) < norm.isf(1e-6) / 30", False),
        ("assert x == approx(y)", True),
        ("assert x == approx(y, rel=8 * EPS)", True),
        ("assert x == approx(y, rel=1e-9, abs=0)", True),
        ("assert x == approx(y, rel=8 * EPS, abs=0)", False),
        ("assert x == approx(y, abs=error)", False),
        ("np.testing.assert_allclose(x, y, atol=EPS)", True),
        ("np.testing.assert_allclose(x, y, rtol=0, atol=1e-14)", True),
        ("np.testing.assert_allclose(x, y, 1e-5)", True),
        ("np.testing.assert_allclose(x, y, rtol=0, atol=EPS)", False),
        ("torch.testing.assert_close(x, y)", True),
        ("assert np.allclose(x, y, rtol=EPS)", True),
        ("np.testing.assert_allclose(x, y, **bounds)", False),
    ],
)
def test_bounds_by_hand_are_found(line, refused):
    """Literal bounds, and those that stand in where none is given, are found; roundings, rates and errors are not."""
    assert bool(list(by_hand(f"def test():\n    {line}\n"))) == refused
