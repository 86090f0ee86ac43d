"""The report as a page: self-contained, offline, with a card for every claim."""

from __future__ import annotations

import base64
import gzip
import importlib
import io
import json
import platform
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from laws import proof
from laws.judges.drawing import HUES
from laws.judges.samples import BUDGET
from laws.law import Law
from laws.mathml import font, mathml
from laws.typeset import plain

if TYPE_CHECKING:
    from laws.judges import Measurement, Verdict
    from laws.report import Card, Gathered

PACKAGES = ("learning-laws", "numpy", "scipy", "sympy", "python-flint", "torch", "scikit-learn", "matplotlib")


@dataclass(frozen=True)
class Row:
    """A law in the table of powers: its claims, the rivals they rejected, its mutants and how many were seen.

    `rivals` maps the name of each to the least factor by which it failed, and the claim where it did.
    """

    law: str
    cards: list[Card]
    rivals: dict[str, tuple[float, str]]
    mutants: int
    seen: int

    @property
    def name(self) -> str:
        """The law's own name, or nothing for a claim without one."""
        return self.cards[0].law.rpartition(".")[2]

    @property
    def of(self) -> str:
        """The law from which it follows, if it is a function that follows from one."""
        return "" if self.cards[0].verdict.of == self.law else self.cards[0].verdict.of


def write(folder: Path, gathered: Gathered) -> None:
    """Write index.html and verdicts.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdicts.json").write_text(json.dumps(_data(gathered), indent=1) + "\n")
    environment = jinja2.Environment(loader=jinja2.PackageLoader("laws", "."), autoescape=True, trim_blocks=True)
    environment.globals.update(hues=HUES)
    environment.filters.update(math=_mathml, worded=_worded, factor=_factor, power=_power, plain=plain)
    template = environment.get_template("page.html")
    page = template.render(
        gathered=gathered,
        power=_power_by_topic(gathered),
        changes={card.verdict.law: card.verdict.changes for card in gathered.cards if card.verdict.changes},
        budget=BUDGET,
        versions=_versions(),
        documents=_grouped(gathered.cards, _document),
    )
    (folder / "index.html").write_text(page.replace("MATHFONT", font("".join(re.findall("<math.*?</math>", page)))))


def _data(gathered: Gathered) -> dict:
    verdicts = []
    for card in gathered.cards:
        row = json.loads(card.verdict.to_json())
        del row["panels"], row["schema"]
        verdicts.append({**row, "holds": card.verdict.holds, "unseen": card.verdict.unseen, "test": card.test})
    errata = [vars(erratum) for erratum in gathered.errata]
    measured = [dict(id=m.id, what=m.what, says=m.says, seed=m.seed, test=test) for m, test in gathered.measured]
    return {
        "schema": 1,
        "versions": _versions(),
        "false_alarm": gathered.false_alarm,
        "budget": BUDGET,
        "left_out": gathered.deselected,
        "verdicts": verdicts,
        "errata": errata,
        "measured": measured,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def strength(name: str) -> str:
    """How strongly a law is proved, for laws that can be imported by name; else an empty word."""
    module, _, variable = name.rpartition(".")
    try:
        law = getattr(importlib.import_module(module), variable)
    except (ImportError, AttributeError, ValueError):
        return ""
    if not isinstance(law, Law):
        return ""
    try:
        proved = proof.prove(law)
    except (proof.Disproved, ValueError, ArithmeticError) as failure:
        return f"its proof FAILS: {str(failure).partition(' at {')[0]}"
    return {"identity": "proved: an identity", "order": "certified at its stated order"}.get(
        proved, f"certified to {proved}"
    )


def _power_by_topic(gathered: Gathered) -> dict[str, list[Row]]:
    """What the validations of each law would have caught, law by law within topics."""
    unseen = gathered.unseen
    rows: dict[str, list[Row]] = defaultdict(list)
    topic_of = {card.verdict.id: topic for topic, cards in gathered.topics.items() for card in cards}
    for law, cards in gathered.by_law.items():
        rivals: dict[str, tuple[float, str]] = {}
        for card in cards:
            for name, factor in card.verdict.rivals.items():
                rivals[name] = min(rivals.get(name, (float("inf"), card.verdict.id)), (factor, card.verdict.id))
        mutants = len({name for card in cards for name in card.verdict.mutants})
        home = law.rpartition(".")[0].rpartition(".")[2] if cards[0].law else topic_of[cards[0].verdict.id]
        rows[home].append(Row(law, cards, rivals, mutants, mutants - len(unseen.get(law, ()))))
    return {topic: sorted(rows[topic], key=lambda row: not row.name) for topic in sorted(rows)}


def _document(card: Card) -> str:
    """Where the law of a card is printed."""
    if not card.law:
        return "stated in the test"
    return card.verdict.source.partition(",")[0] if card.verdict.latex else "derived here"


def _grouped(items, key) -> dict[str, list]:
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(sorted(groups.items()))


def pictures(shown: Verdict | Measurement) -> list[dict]:
    """The panels of a verdict or measurement: each an SVG, zipped and in base64, with its width and height in points.

    A hundredth of a point is as fine as it is drawn.
    """
    drawn = []
    for panel in shown.panels:
        buffer = io.StringIO()
        one = replace(shown, panels=(panel,)).plot()
        look = dict(format="svg", transparent=True, dpi=200, bbox_inches="tight")
        one.savefig(buffer, metadata={"Date": None}, **look)
        svg = re.sub(r'(?<=[ "\n])(-?\d+\.\d\d)\d+(?=[ "\n])', r"\1", buffer.getvalue())
        size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        assert size
        zipped = base64.b64encode(gzip.compress(svg.encode(), mtime=0)).decode()
        drawn.append({"svg": zipped, "width": round(float(size[1])), "height": round(float(size[2]))})
    return drawn


def _mathml(latex: str) -> Markup:
    """Formulas of one line each, in pieces between which a browser may break it."""
    lines = [[Markup(mathml(piece)) for piece in line.split("\n")] for line in latex.split("\n\n") if line]
    pieces = [Markup(" ").join(Markup("<span>{}</span>").format(piece) for piece in line) for line in lines]
    return Markup("").join(Markup('<div class="formula">{}</div>').format(line) for line in pieces)


def _worded(latex: str) -> Markup:
    """A formula with words in it: the words as text, and breaks where a formula has a gap."""
    parts = [part for part in re.split(r"\\text\{([^{}]*)\}|\\q?quad", latex) if part and part.strip(" ,;")]
    words = set(re.findall(r"\\text\{([^{}]*)\}", latex))
    return Markup(" ").join(part.strip() if part in words else _mathml(part.rstrip("\\ ").strip()) for part in parts)


def _factor(value: float) -> str:
    """A factor in two digits, and a power of ten beyond ten thousand."""
    if value == float("inf"):
        return "∞"
    return plain(f"{value:.0f}" if 10 <= value < 10_000 else f"{value:.2g}")


def _power(value: float) -> str:
    """How plainly a rival failed: a class of colour, and never colour alone (the factor stands beside it)."""
    return "survives" if value <= 1 else "close" if value < 3 else "plain" if value < 100 else "strong"
