"""The page names what was judged: laws by their names, what follows from them with them, all else by its claim."""

import numpy as np
import pytest

from laws import Count, Order, Sign, confront, formula, page
from laws.judges import confrontation
from laws.judges.drawing import HUES
from laws.judges.measurement import Measurement
from laws.judges.verdict import Panel, Series
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
    assert str(page._prose("-1 [-1, 0.5], 1-2, below -.5")) == "−1 [−1, 0.5], 1-2, below −.5"


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


def stated(claim, test, rivals=None, **labels):
    """The card of a statement about each of three networks."""
    run = lambda seed: np.array([0.3, 0.1, 2.0])  # noqa: E731
    return Card(confront(claim, 1.0, run, {}, Sign(), rivals, labels=labels), test, "It holds.")


def written(folder, *cards, **more):
    """The page of these cards."""
    pictures = {card.verdict.id: page.pictures(card.verdict) for card in cards}
    page.write(folder, Gathered(list(cards), pictures=pictures, **more))
    return (folder / "index.html").read_text()


def test_a_statement_about_every_run_has_a_bar_of_its_own(tmp_path):
    """Its rivals are told by how many contradict them; one without a rival says so, and has a bar too."""
    rivals = {"as the control": lambda: np.array([1.0, 0.0, -1.0])}
    alone, against = stated("it rises", "validate/test_a.py::a"), stated("so it does", "validate/test_a.py::b", rivals)
    html = written(tmp_path, alone, against)
    assert html.count('<i class="each"></i>') == 3  # one in the key
    assert "as the control <b>2 of 3 networks</b>" in html and "×10" not in html
    assert "none: any of the 3 networks might have contradicted the claim" in html
    assert '<use href="#look' not in html  # no rival is drawn, so that none has a look


def test_a_claim_stands_under_every_document_that_it_names(tmp_path):
    """A claim names its document by itself where no law does it, or several."""
    references = {"some paper": "Some Body, 1905", "another": "Another Body, 1915", "a third": "Nobody"}
    card = stated("as printed", "validate/test_a.py::a", about="some paper, Fig. 2; another, (3)")
    found = page._documents(Gathered([card, stated("as told", "validate/test_a.py::b")], references=references))
    assert {name: [where for _, where in cards] for name, (_, cards, _) in found.items()} == {
        "some paper": ["Fig. 2"], "another": ["(3)"], "stated in the test": [""],
    }  # fmt: skip
    html = written(tmp_path, card, references=references)
    assert "<dt>about</dt><dd>some paper, Fig. 2; another, (3)</dd>" in html


def test_both_lists_of_topics_agree():
    """The table of powers and the index have the same claims under the same topics, wherever their tests stand."""
    cards = [
        judged("a law", two_layers, dict(t=times, tau=1.0, **task), "validate/test_chain.py::a"),
        judged("a law again", shallow, dict(t=times, tau=1.0, **task), "validate/test_other.py::b"),
        stated("of no law, beside one", "validate/test_other.py::c"),
        stated("of no law", "validate/test_alone.py::d"),
    ]
    gathered = Gathered(cards)
    power = page._power_by_topic(gathered)
    claims = {topic: {card.verdict.claim for row in rows for card in row.cards} for topic, rows in power.items()}
    assert claims == {topic: {card.verdict.claim for card in cards} for topic, cards in gathered.topics.items()}
    assert set(claims) == {"chain", "alone"}


def test_a_table_is_no_drawing(tmp_path):
    """Cells are a table in the page, row by row; a line of its own spans them all."""
    cells = [Series("cell", [float(x)], [-float(y)], f"{y}{x}" if x + y else "") for y in (0, 1) for x in (1, 0)]
    table = Panel("", "", (*cells, Series("cell", [9.0], [0.0]), Series("cell", [0.0], [-2.0], "a note")))
    run, rivals = (lambda seed: 2.0), {"three": 3.0}
    card = Card(confront("two", 2.0, run, {}, Count(), rivals, picture=table), "validate/test_a.py::a", "It holds.")
    html = " ".join(written(tmp_path, card).split())
    assert "<tr><td></td><td>01</td></tr><tr><td>10</td><td>11</td></tr>" in html.replace("> <", "><")
    assert '<td colspan="2" class="soft"><span>a note</span></td>' in html and html.count("data-svg=") == 1


def test_symbols_are_told(gathered, tmp_path):
    """A topic tells what its module says of the symbols, a function what its arguments are."""
    html = written(tmp_path, *gathered.cards)
    assert "what the symbols of <code>theory.chain</code> mean" in html and "Gradient flow in a chain" in html
    assert html.count("<summary>its arguments</summary>") == 2


def test_prose_sets_code_as_code():
    """What a docstring says first is told without shapes and errors; what it has in backticks is code."""
    assert confrontation._sentence("The map at t, shape (T, f(N)), of `x`; errors as of `run`.\n\nMore.") == (
        "The map at t, of `x`"
    )
    assert str(page._prose("errors as of `at_rest`, 2 < sum_i x_i")) == (
        "errors as of <code>at_rest</code>, 2 &lt; Σ<sub>i</sub> x<sub>i</sub>"
    )


def test_questions_stand_under_the_file_of_their_test():
    """What was measured is listed by the file that measured it."""
    said = [("how far?", "flip_flop"), ("how long?", "drift"), ("how wide?", "flip_flop")]
    measured = [(Measurement(what, "", 0, 0.0, ()), f"validate/test_{file}.py::a[1]", 0.1) for what, file in said]
    asked = page._asked(Gathered(measured=measured))
    assert {file: [m.what for m in some] for file, some in asked.items()} == {
        "drift": ["how long?"],
        "flip flop": ["how far?", "how wide?"],
    }


def test_a_factor_beside_1_does_not_seem_to_be_1():
    """A rejection by little more than 1 has the digits that tell it from 1."""
    assert [page._factor(value) for value in (1.0, 1.00003, 0.9999999, 1.31)] == ["1", "1.00003", "0.9999999", "1.3"]
