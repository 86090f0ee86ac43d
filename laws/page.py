"""The report as a page: self-contained, offline, with a card for every claim."""

from __future__ import annotations

import base64
import gzip
import importlib
import inspect
import io
import json
import platform
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup, escape

from laws import proof, sources
from laws.judges.drawing import HUES, look
from laws.judges.samples import BUDGET
from laws.law import Law
from laws.mathml import mathml, with_font
from laws.problem import Problem
from laws.typeset import INDEX, plain

if TYPE_CHECKING:
    from laws.judges import Measurement, Verdict
    from laws.judges.verdict import Panel
    from laws.report import Card, Gathered

PACKAGES = ("learning-laws", "numpy", "scipy", "sympy", "python-flint", "torch", "scikit-learn", "matplotlib")


PARTS = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
NEUTRAL: Any = dict.fromkeys(PARTS, "#404040")


@dataclass(frozen=True, order=True)
class Fall:
    """By what factor a rival failed, or how many of some cases contradicted it, and at which claim."""

    cases: str
    factor: float
    claim: str = ""


@dataclass(frozen=True)
class Row:
    """A law in the table of powers: its claims, the rivals they rejected, its mutants and how many were seen.

    `rivals` has the name of each, and where it failed the least.
    """

    law: str
    cards: list[Card]
    rivals: list[tuple[str, Fall]]
    mutants: int
    seen: int

    @property
    def bars(self) -> list[Fall]:
        """A bar for every rival, and one for a statement about every run that has none."""
        alone = [Fall(card.verdict.cases, 0.0) for card in self.cards if card.verdict.cases and not card.verdict.rivals]
        return sorted([fall for _, fall in self.rivals] + alone)

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
    environment = _environment()
    sources.write(folder, gathered, environment)
    template = environment.get_template("page.html")
    drawn = [picture for pictures in gathered.pictures.values() for picture in pictures]
    page = template.render(
        gathered=gathered,
        power=_power_by_topic(gathered),
        asked=_asked(gathered),
        changes={card.verdict.law: card.verdict.changes for card in gathered.cards if card.verdict.changes},
        versions=_versions(),
        documents=_documents(gathered),
        keys=[_key(i) for i in range(max((len(card.verdict.rivals) for card in gathered.cards), default=0))],
        told=_told(gathered),
        glyphs=_zipped(json.dumps({name: path for picture in drawn for name, path in picture["glyphs"].items()})),
    )
    (folder / "index.html").write_text(with_font(page))


def _environment() -> jinja2.Environment:
    """Templates, and what they call."""
    made = jinja2.Environment(loader=jinja2.PackageLoader("laws", "."), autoescape=True, trim_blocks=True)
    made.globals.update(counted=_counted, budget=BUDGET, hues={hue: _inverted(hue) for hue in HUES})
    made.filters.update(
        math=_mathml, worded=_worded, prose=_prose, factor=_factor, power=_power, fallen=_fallen, seconds=_seconds,
        fall=lambda factor, cases: Fall(cases, factor),
    )  # fmt: skip
    return made


def _data(gathered: Gathered) -> dict:
    verdicts = []
    for card in gathered.cards:
        row = json.loads(card.verdict.to_json())
        del row["panels"], row["schema"]
        verdicts.append({**row, "holds": card.verdict.holds, "unseen": card.verdict.unseen, "test": card.test})
    errata = [vars(erratum) for erratum in gathered.errata]
    measured = [dict(id=m.id, what=m.what, says=m.says, seed=m.seed, test=test) for m, test, _ in gathered.measured]
    return {
        "schema": 1,
        "versions": _versions(),
        "false_alarm": gathered.false_alarm,
        "budget": BUDGET,
        "left_out": gathered.deselected,
        "failed": gathered.failed,
        "complaints": gathered.complaints,
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
    law = _named(name)[1]
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
        rivals: dict[tuple[str, bool], Fall] = {}
        for verdict in (card.verdict for card in cards):
            for name, factor in verdict.rivals.items():
                which, fall = (name, bool(verdict.cases)), Fall(verdict.cases, factor, verdict.id)
                rivals[which] = min(rivals.get(which, fall), fall, key=lambda found: found.factor)
        mutants = len({name for card in cards for name in card.verdict.mutants})
        named = [(name, fall) for (name, _), fall in rivals.items()]
        row = Row(law, cards, named, mutants, mutants - len(unseen.get(law, ())))
        rows[topic_of[cards[0].verdict.id]].append(row)
    return {topic: sorted(rows[topic], key=lambda row: not row.name) for topic in sorted(rows)}


def _documents(gathered: Gathered) -> dict[str, tuple[str, list[tuple[Card, str]], int]]:
    """By document: its full reference; the cards of what is printed there, and where; how many errata it has.

    A card stands under every document that the source of its law, or the claim itself, names.
    """
    wrong = Counter(erratum.document for erratum in gathered.errata)
    known = set(gathered.references) | set(wrong)
    groups: dict[str, list[tuple[Card, str]]] = {document: [] for document in sorted(known)}
    for card in gathered.cards:
        named = [part.strip().partition(", ") for part in f"{card.verdict.source};{card.verdict.about}".split(";")]
        homes = {document: where for document, _, where in named if document in known}
        for document, where in (homes or {"derived here" if card.law else "stated in the test": ""}).items():
            groups.setdefault(document, []).append((card, where))
    there = [name for name in sorted(groups, key=str.lower) if groups[name] or name in wrong]
    there.sort(key=lambda name: name not in known)  # what is printed nowhere comes last
    return {name: (gathered.references.get(name, ""), groups[name], wrong[name]) for name in there}


def _asked(gathered: Gathered) -> dict[str, list[Measurement]]:
    """What was measured, by the file of its test."""
    files: dict[str, list[Measurement]] = defaultdict(list)
    for measured, test, _ in gathered.measured:
        files[Path(test.partition("::")[0]).stem.removeprefix("test_").replace("_", " ")].append(measured)
    return dict(sorted(files.items()))


def _told(gathered: Gathered) -> dict[str, str]:
    """What a module says of its symbols, and a function of its arguments, for all whose laws were judged."""
    told = {}
    for name in {name for card in gathered.cards for name in (card.law, card.verdict.of) if name}:
        home, found = _named(name)
        if found is not None:
            told[home.__name__] = inspect.getdoc(home) or ""
            if not isinstance(found, Law | Problem):
                told[name] = inspect.getdoc(found) or ""
    return told


def _named(name: str):
    """The module of this name, and what has the rest of the name in it; None where there is no such thing."""
    module, _, variable = name.rpartition(".")
    try:
        home = importlib.import_module(module)
    except (ImportError, ValueError):
        return None, None
    return home, getattr(home, variable, None)


def pictures(shown: Verdict | Measurement) -> list[dict]:
    """The panels of a verdict or measurement: each an SVG, zipped and in base64, with its width and height in points.

    A hundredth of a point is as fine as it is drawn.  Outlines of letters are taken out, since most are in every
    picture: `glyphs`, from which the page puts them back.  `true` colours are not to be inverted on a dark page: they
    stand on a pale plate there, and words and axes around them are of a grey that is read on both.  A table is no
    drawing: it has its `rows`.
    """
    from matplotlib import rc_context

    drawn: list[dict[str, Any]] = []
    for panel in shown.panels:
        if panel.series and all(series.role == "cell" for series in panel.series):
            drawn.append({"rows": _rows(panel), "glyphs": {}})
            continue
        buffer = io.StringIO()
        true = any(series.role in ("image", "map") for series in panel.series)
        style = dict(format="svg", transparent=True, dpi=144, bbox_inches="tight")
        with rc_context(NEUTRAL if true else None):
            replace(shown, panels=(panel,)).plot().savefig(buffer, metadata={"Date": None}, **style)
        svg = re.sub(r'(?<=[ "\n])(-?\d+\.\d\d)\d+(?=[ "\n])', r"\1", buffer.getvalue())
        svg = re.sub("<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
        letter = r'<path id="([A-Z]\w*-[^"]*)"[^>]*/>'
        glyphs = {found[1]: re.sub(r"\s+", " ", found[0]) for found in re.finditer(letter, svg)}
        svg = re.sub(r"\s*\n\s*", "\n", re.sub(letter, "", svg))
        size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
        assert size
        width, height = (round(float(length)) for length in size.groups())
        drawn.append({"svg": _zipped(svg), "width": width, "height": height, "glyphs": glyphs, "true": true})
    return drawn


def _rows(panel: Panel) -> list[list[str]]:
    """The cells of a table, row by row from the top; a row of one cell is a note.  No interval is broken."""
    whole = lambda label: re.sub(r"\[.*?\]", lambda ends: ends[0].replace(" ", "\N{NO-BREAK SPACE}"), label)  # noqa: E731
    cells = {(series.x[0], series.y[0]): whole(series.label) for series in panel.series if series.label}
    columns, heights = ({place[axis] for place in cells} for axis in (0, 1))
    rows = [[cells.get((x, y), "") for x in sorted(columns)] for y in sorted(heights, reverse=True)]
    return [row if any(row[1:]) else row[:1] for row in rows]


def _zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _key(i: int) -> dict:
    """How the i-th rival is drawn: the number of its hue, its dash, and its mark as a path about the origin."""
    from matplotlib.markers import MarkerStyle

    hue, dash, mark = look(i)
    style = MarkerStyle(mark)
    corners = style.get_path().transformed(style.get_transform()).to_polygons()
    path = "".join("M" + " L".join(f"{8 * x:.1f} {-8 * y:.1f}" for x, y in np.asarray(part)) + "z" for part in corners)
    return {"hue": HUES.index(hue), "dash": " ".join(f"{2 * length:g}" for length in dash), "mark": path}


def _inverted(hue: str) -> str:
    """What a dark page makes of a hue in a picture: `invert(1) hue-rotate(180deg)`, as the filter is defined."""
    red, green, blue = (1 - int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5))
    grey = 2 * (0.213 * red + 0.715 * green + 0.072 * blue)
    return "#" + "".join(f"{round(255 * min(max(grey - part, 0), 1)):02x}" for part in (red, green, blue))


def _mathml(latex: str) -> Markup:
    """Formulas of one line each, in pieces between which a browser may break it."""
    lines = [[Markup(mathml(piece)) for piece in line.split("\n")] for line in latex.split("\n\n") if line]
    pieces = [Markup(" ").join(Markup("<span>{}</span>").format(piece) for piece in line) for line in lines]
    return Markup("").join(Markup('<div class="formula">{}</div>').format(line) for line in pieces)


def _worded(latex: str) -> Markup:
    """A formula with words in it: the words as text, and breaks where a formula has a gap."""
    parts = [part for part in re.split(r"\\text\{([^{}]*)\}|\\q?quad", latex) if part and part.strip(" ,;")]
    words = set(re.findall(r"\\text\{([^{}]*)\}", latex))
    return Markup(" ").join(
        _prose(part.strip()) if part in words else _mathml(part.rstrip("\\ ").strip()) for part in parts
    )


def _prose(text: str) -> Markup:
    """A line of text as `plain` has it, with code as code, every other power raised, every other index lowered.

    A hyphen that begins a number is a minus sign.
    """
    code = re.split("`([^`]+)`", text)
    if len(code) > 1:
        return Markup("").join(Markup(f"<code>{escape(p)}</code>") if i % 2 else _prose(p) for i, p in enumerate(code))
    text = str(escape(plain(text)))
    text = re.sub(r"(^|[\s\[(])-(?=\.?\d)", "\\1\N{MINUS SIGN}", text)
    text = re.sub(r"\^\(([^()]+)\)|\^(-?\w+)", lambda power: f"<sup>{power[1] or power[2]}</sup>", text)
    return Markup(re.sub(r"\)_([+-])", r")<sub>\1</sub>", re.sub(INDEX, r"\1<sub>\2</sub>", text)))


def _seconds(value: float) -> str:
    return f"{value / 60:.2g} min" if value > 99 else f"{value:.2g} s"


def _counted(mutants, changes: dict[str, str]):
    """What is wrong with some mutants, and how many have it wrong, each at a place of its own."""
    return Counter(changes[name] for name in mutants).items()


def _factor(value: float) -> str:
    """A factor in two digits, more beside 1, which it must not seem to be; a power of ten beyond ten thousand."""
    if value == float("inf"):
        return "∞"
    if 0.95 < value < 1.05:
        return next(text for digits in (4, 6, 9, 17) if float(text := f"{value:.{digits}g}") != 1 or value == 1)
    return plain(f"{value:.0f}" if 10 <= value < 10_000 else f"{value:.2g}")


def _fallen(fall: Fall) -> str:
    """By what factor a rival failed, or how many runs contradict it."""
    return f"{fall.factor - 1:.0f} of {fall.cases}" if fall.cases else _factor(fall.factor)


def _power(fall: Fall) -> str:
    """How plainly a rival failed: a class of colour, and never colour alone (the factor stands beside it)."""
    if fall.cases:
        return "survives" if fall.factor == 1 else "each"
    return (
        "survives" if fall.factor <= 1 else "close" if fall.factor < 3 else "plain" if fall.factor < 100 else "strong"
    )
