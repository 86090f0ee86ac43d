"""The report as a page: self-contained, offline, with a card for every claim."""

from __future__ import annotations

import base64
import importlib
import io
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from latex2mathml.converter import convert
from markupsafe import Markup

from laws import proof
from laws.judges.samples import BUDGET
from laws.law import Law

if TYPE_CHECKING:
    from laws.report import Card, Gathered

PACKAGES = ("learning-laws", "numpy", "scipy", "sympy", "python-flint", "torch", "scikit-learn", "matplotlib")


def write(folder: Path, gathered: Gathered) -> None:
    """Write index.html and verdicts.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "verdicts.json").write_text(json.dumps(_data(gathered), indent=1) + "\n")
    environment = jinja2.Environment(loader=jinja2.PackageLoader("laws", "."), autoescape=True, trim_blocks=True)
    environment.filters.update(math=_mathml, factor=_factor, power=_power, ident=id)
    template = environment.get_template("page.html")
    page = template.render(
        gathered=gathered,
        budget=BUDGET,
        versions=_versions(),
        strengths={law: _strength(law) for law in gathered.by_law},
        pictures={id(card): _picture(card) for card in gathered.cards},
        documents=_documents(gathered),
    )
    (folder / "index.html").write_text(page)


def _data(gathered: Gathered) -> dict:
    verdicts = []
    for card in gathered.cards:
        row = json.loads(card.verdict.to_json())
        del row["panels"], row["schema"]
        verdicts.append({**row, "holds": card.verdict.holds, "unseen": card.verdict.unseen, "test": card.test})
    errata = [vars(erratum) for erratum in gathered.errata]
    return {
        "schema": 1,
        "versions": _versions(),
        "false_alarm": gathered.false_alarm,
        "budget": BUDGET,
        "left_out": gathered.deselected,
        "verdicts": verdicts,
        "errata": errata,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _strength(name: str) -> str:
    """The strength of a law's proof, for laws that can be imported by name."""
    module, _, variable = name.rpartition(".")
    try:
        law = getattr(importlib.import_module(module), variable)
    except (ImportError, AttributeError, ValueError):
        return ""
    if not isinstance(law, Law):
        return ""
    try:
        strength = proof.prove(law)
    except (proof.Disproved, ValueError, ArithmeticError) as failure:
        return f"its proof FAILS: {str(failure).partition(' at {')[0]}"
    return {"identity": "proved: an identity", "order": "certified at its stated order"}.get(
        strength, f"certified to {strength}"
    )


def _documents(gathered: Gathered) -> dict[str, list[Card]]:
    """The cards, by the document that their law is from."""
    groups: dict[str, list[Card]] = {}
    for card in gathered.cards:
        groups.setdefault(card.verdict.source.partition(",")[0] or "stated in the test", []).append(card)
    return groups


def _picture(card: Card) -> str:
    buffer = io.BytesIO()
    card.verdict.plot().savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return base64.b64encode(buffer.getvalue()).decode()


def _mathml(latex: str) -> Markup:
    return Markup(convert(latex, display="block")) if latex else Markup("")


def _factor(value: float) -> str:
    """A factor in at most four characters and an exponent."""
    if value == float("inf"):
        return "∞"
    return f"{value:.0f}" if 10 <= value < 10_000 else f"{value:.2g}"


def _power(value: float) -> str:
    """How plainly a rival failed: a class of colour, and never colour alone (the factor stands beside it)."""
    return "survives" if value <= 1 else "close" if value < 3 else "plain" if value < 100 else "strong"
