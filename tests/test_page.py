"""The page names what was judged: laws by their names, what follows from them with them, all else by its claim."""

import numpy as np
import pytest

from laws import Order, confront, page
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
    assert gathered.cards[3].verdict.source.startswith("The output at time t") and not gathered.cards[3].verdict.latex


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
    assert html.count('class="change"') == 2 * len(unseen)  # on its card, and on top: no other claim saw it
    assert "border-color: #D55E00" in html
    assert "[2.0" not in html and "e-0" not in html[html.index("<main>") : html.index("<img")]


def test_words_in_a_formula_are_words():
    """In an erratum words are set as text, which a browser can break, and gaps are places to break."""
    html = str(page._worded(r"s \to \mathrm{sgn}(s)\ \text{in the exponent}, \quad D > 2"))
    assert html.count("<math") == 2 and " in the exponent " in html and "\\" not in html


def test_of_wants_a_law_or_a_documented_function():
    """What has no formula and no sentence of its own explains nothing."""
    bare = lambda t: t  # noqa: E731
    with pytest.raises(TypeError, match="must be the Law, or the documented function"):
        judged("bare", lambda t: t, dict(t=times), "x.py::y", of=bare)
    with pytest.raises(TypeError, match="must be the Law, or the documented function"):
        judged("a law of a law", shallow, dict(t=times, tau=1.3, **task), "x.py::y", of=half_time_2)
