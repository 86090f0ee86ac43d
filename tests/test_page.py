"""The page names what was judged: laws by their names, what follows from them with them, all else by its claim."""

import numpy as np
import pytest

from laws import Order, confront, formula, page
from laws.judges.drawing import HUES
from laws.report import Card, Gathered
from theory.chain import any_depth, half_time_2, shallow, two_layers

times, task = np.array([0.4, 1.2, 2.4]), dict(s=1.7, lam=0.6, a0=0.1)


def tending(to):
    """A run that tends to some values at first order."""
    return lambda h, seed: np.asarray(to) * (1 + h + 0.3 * h * h)


def judged(claim, law, at, test, **more):
    """The card of a confrontation in a test, against half of the law."""
    half = {"half": lambda **at: law(**at) / 2}
    return Card(confront(claim, law, tending(law(**at)), at, Order(1), half, **more), test, "It holds.")


@formula(r"x \to \dot{x}")
def doubled(x):
    """Twice the argument.

    Source: some paper, (3), as printed
    in its second edition.
    """
    return 2 * x


@pytest.fixture(scope="module")
def gathered():
    """Four cards: a law whose time constant is 1, a public function, a private one, and one of no law."""
    at = dict(t=times, tau=1.0, **task)
    deep = dict(t=times, depth=3, **task)
    alone = lambda x: 2.0 * x  # noqa: E731
    cards = [
        judged("a law", two_layers, at, "validate/test_chain.py::test_law"),
        judged("a function", any_depth, deep, "validate/test_chain.py::test_function"),
        judged("what follows", lambda t, **rest: two_layers(t=t, **rest), at, "tests/test_page.py::a", of=two_layers),
        judged("of a function", lambda t, **rest: any_depth(t, **rest), deep, "tests/test_page.py::b", of=any_depth),
        judged("of no law", alone, dict(x=times), "tests/test_page.py::c"),
    ]
    return Gathered(cards, pictures={card.verdict.id: page.pictures(card.verdict) for card in cards})


def test_cards_are_of_laws(gathered):
    """A card belongs to the law, or documented function, that was judged or from which a prediction follows."""
    laws = [card.law for card in gathered.cards]
    chain = "theory.chain."
    assert laws == [f"{chain}two_layers", f"{chain}any_depth", f"{chain}two_layers", f"{chain}any_depth", ""]
    function = gathered.cards[3].verdict
    assert function.sentence.startswith("The output at time t") and not function.latex
    assert function.source == "derived here, equation (4) of theory.chain"


def test_topics_are_where_the_laws_are(gathered):
    """Tests of one file stand under the module of most of their laws; rows of the table under the law's own."""
    assert set(gathered.topics) == {"chain"}
    rows = page._power_by_topic(gathered)["chain"]
    assert [(row.name, len(row.cards)) for row in rows] == [("two_layers", 2), ("any_depth", 2), ("", 1)]


def test_page_shows_formulas_colours_and_changes(gathered, tmp_path):
    """The page typesets the term of a mutant that was not seen, and marks a rival with the hue of its figure."""
    page.write(tmp_path, gathered)
    html = (tmp_path / "index.html").read_text()
    unseen = gathered.cards[0].verdict.changes
    assert unseen and all(r"\to" in change and "tau" in change for change in unseen.values())
    places = set(unseen.values())
    assert html.count('class="change"') == 2 * len(places)  # on its card, and on top: no other claim saw it
    assert 'href="#look0"' in html and "--hue0: #D55E00" in html
    assert "[2.0" not in html and "e-0" not in html[html.index("<main>") : html.index("<img")]


def test_words_in_a_formula_are_words():
    """In an erratum words are set as text, which a browser can break, and gaps are places to break."""
    html = str(page._worded(r"s \to \mathrm{sgn}(s)\ \text{in the exponent}, \quad D > 2"))
    assert html.count("<math") == 2 and " in the exponent " in html and "\\" not in html


def test_a_function_shows_its_formula(tmp_path):
    """A function that says its formula has it on its card, marked as what the claim follows from, with its source."""
    card = judged("twice", lambda x: doubled(x), dict(x=times), "tests/test_page.py::d", of=doubled)
    assert (card.verdict.latex, card.verdict.sentence) == (r"x \to \dot{x}", "Twice the argument")
    assert card.verdict.source == "some paper, (3), as printed in its second edition"
    references = {"some paper": "Some Body, Some paper, 1905"}
    page.write(tmp_path, Gathered([card], references=references))
    html = (tmp_path / "index.html").read_text()
    assert 0 < html.index("follows from <code>") < html.index('<div class="formula">')
    assert "Some Body, Some paper, 1905; 1 claim" in html


def test_prose_raises_powers_and_lowers_indices():
    """Powers and indices are set as such, what is code or markup is left alone."""
    said = str(page._prose("(W_d)_+ e^(-t/tau) < s_min^2 by learning_time, 4.03e-05"))
    assert said == "(W<sub>d</sub>)<sub>+</sub> e<sup>-t/τ</sup> &lt; s<sub>min</sub>² by learning_time, 4.03×10⁻⁵"


def test_hues_stand_out_on_paper_and_on_screen():
    """Every hue, and what a dark page makes of it, has the contrast of 3 to 1 that is asked of a drawing."""

    def light(hue):
        parts = np.array([int(hue[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    for hue in HUES:
        assert 1.05 / (light(hue) + 0.05) > 3
        assert (light(page._inverted(hue)) + 0.05) / (light("#1b1f26") + 0.05) > 3


def test_of_wants_a_law_or_a_documented_function():
    """What has no formula and no sentence of its own explains nothing."""
    bare = lambda t: t  # noqa: E731
    with pytest.raises(TypeError, match="must be the Law, or the documented function"):
        judged("bare", lambda t: t, dict(t=times), "x.py::y", of=bare)
    with pytest.raises(TypeError, match="must be the Law, or the documented function"):
        judged("a law of a law", shallow, dict(t=times, tau=1.3, **task), "x.py::y", of=half_time_2)
