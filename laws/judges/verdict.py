"""What came of a confrontation: the verdict, its message for a scientist, and its picture."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from laws.judges import drawing


@dataclass(frozen=True)
class Series:
    """One set of data in a panel: its role is law, run, each, rival, band, path, surface or image.

    `low` has the heights of a surface over x and y, or the rows of a picture, from -1 to 1; nan is left blank.
    A prediction that is known at its points alone is not `joined`: it is drawn as marks.  Further roles are those of
    `laws.judges.diagrams`: nodes and edges of a graph, cells of a table, a map, names at points.
    """

    role: str
    x: list
    y: list
    label: str = ""
    low: list | None = None
    high: list | None = None
    joined: bool = True


@dataclass(frozen=True)
class Panel:
    """Axes with their labels, which of them are logarithmic ("", "x", "y", "xy"), and the series.

    With `rows`, every series has a row of its own for its numbers x; `counts` says that x counts something; `ticks`
    are places along x with their names, where what stands there is a kind and no number; with `rows` they are places
    along y, and each kind has a row.
    """

    x: str
    y: str
    series: tuple[Series, ...]
    log: str = ""
    rows: bool = False
    counts: bool = False
    ticks: tuple[tuple[float, str], ...] = ()


def read_panels(rows: Sequence[dict]) -> tuple[Panel, ...]:
    """The panels that JSON has made lists and dictionaries of."""
    kept = dict(series=lambda many: tuple(Series(**one) for one in many), ticks=lambda many: tuple(map(tuple, many)))
    return tuple(Panel(**{name: kept.get(name, lambda v: v)(value) for name, value in row.items()}) for row in rows)


def table(lines: Sequence[Sequence[str]], note: str = "") -> Panel:
    """A panel that is a table: lines of as many cells each, the first of them the heading, and a note below all.

    A cell may have several lines.  Places are counted in letters, so that no column runs into the next.  What is
    rounded to 0 has no sign.
    """
    lines = [[re.sub(r"(?<![\w.])-(0(?:\.0*)?)(?![\w.])", r"\1", cell) for cell in line] for line in lines]
    across = [max(len(part) for cell in column for part in cell.split("\n")) for column in zip(*lines, strict=True)]
    down = [max(cell.count("\n") for cell in line) + 1 for line in lines]
    x = np.cumsum([0, *(width + 2 for width in across)], dtype=float).tolist()
    y = (-np.cumsum([0, *down], dtype=float)).tolist()
    cells = [Series("cell", [a], [b], text) for b, line in zip(y, lines, strict=False)
             for a, text in zip(x, line, strict=False)]  # fmt: skip
    below = Series("cell", [0.0], [y[-1] - 0.5], textwrap.fill(note, max(70, int(x[-1]))))
    return Panel("", "", (*cells, Series("cell", [x[-1]], [0.0]), *([below] if note else [])))


@dataclass(frozen=True, repr=False)
class Verdict:
    """A claim judged: `figure` against `threshold`, and by what factor every rival failed.

    `law` names what was judged; `of`, for a function, the law from which it follows and which is shown;
    `sentence` is what a function says of itself.
    `rivals` and `mutants` map names to figure / threshold; above 1 they are rejected.  `unseen` are
    the mutants that these runs could not tell from the law, `changes` says in LaTeX what is wrong with each.
    `cases`, of a statement about every run, says how many there are ("5 networks"); then each of the numbers of rivals
    and mutants is 1 + how many contradict it.  `about` says what of a document the claim stands for.
    """

    claim: str
    law: str
    of: str
    latex: str
    given: str
    source: str
    sentence: str
    judge: str
    says: str
    accepted: bool
    figure: float
    threshold: float
    rivals: dict[str, float]
    mutants: dict[str, float]
    changes: dict[str, str]
    false_alarm: float | None
    seed: int
    seconds: float
    panels: tuple[Panel, ...]
    cases: str = ""
    about: str = ""

    @property
    def id(self) -> str:
        """A name for the claim that outlives a renamed test."""
        return re.sub(r"[\W_]+", "-", self.claim.lower()).strip("-")

    @property
    def factor(self) -> float:
        """The figure as a fraction of its threshold."""
        return ratio(self.figure, self.threshold)

    @property
    def unseen(self) -> tuple[str, ...]:
        """The mutants that these runs could not tell from the law."""
        return tuple(name for name, factor in self.mutants.items() if factor <= 1)

    @property
    def surviving(self) -> tuple[str, ...]:
        """The rivals that these runs could not tell from the law."""
        return tuple(name for name, factor in self.rivals.items() if factor <= 1)

    @property
    def holds(self) -> bool:
        """Whether the law stands, every named rival has fallen, and something was seen to fall, or any run might."""
        seen = bool(self.rivals) or len(self.unseen) < len(self.mutants) or bool(self.cases)
        return self.accepted and not self.surviving and seen

    def rejected(self, factor: float) -> str:
        """By how much, or by how many of the cases, a prediction with this factor is rejected."""
        return f"contradicted by {factor - 1:.0f} of {self.cases}" if self.cases else f"rejected by {factor:.3g}"

    def to_json(self) -> str:
        """The verdict as one line of JSON, for files and for other processes."""
        return json.dumps({"schema": 1, "id": self.id, **strict(asdict(self))}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """The verdict that `to_json` wrote."""
        data = json.loads(text)
        if data.pop("schema") != 1:
            raise ValueError("this verdict was written by another version")
        data.pop("id")
        panels = read_panels(data.pop("panels"))
        for name in ("figure", "threshold"):
            data[name] = float(data[name])
        for name in ("rivals", "mutants"):
            data[name] = {rival: float(factor) for rival, factor in data[name].items()}
        return cls(**data, panels=panels)

    def plot(self):
        """A matplotlib figure: law and runs, and beside them what the judge looked at."""
        return drawing.figure(self.panels, tuple(self.rivals))

    def __str__(self) -> str:
        sign = "holds" if self.holds else "FAILS"
        rivals = "; ".join(f"{name} {self.rejected(factor)}" for name, factor in self.rivals.items())
        seen = len(self.mutants) - len(self.unseen)
        lines = [f"{self.claim}: {sign}", f"  {self.says}", f"  rivals: {rivals or 'none'}"]
        lines += [f"  mutants: {seen} of {len(self.mutants)} rejected"] if self.mutants else []
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def png(self) -> bytes:
        """The figure as a PNG file."""
        import io

        picture = io.BytesIO()
        self.plot().savefig(picture, format="png", dpi=150)
        return picture.getvalue()

    def _repr_html_(self) -> str:
        import base64
        import html

        data = base64.b64encode(self.png()).decode()
        return f"<pre>{html.escape(str(self))}</pre><img width='100%' src='data:image/png;base64,{data}'>"


def ratio(figure: float, threshold: float) -> float:
    """Figure / threshold; infinite for what is not a number and for anything above a threshold of 0."""
    if math.isnan(figure):
        return math.inf
    if threshold > 0:
        return figure / threshold
    return math.inf if figure > 0 else 0.0


def strict(data):
    """JSON has no infinity and knows no numpy: write the first as a word, the second as plain numbers."""
    if isinstance(data, dict):
        return {key: strict(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [strict(value) for value in data]
    if isinstance(data, (float, np.floating)) and not math.isfinite(data):
        return str(float(data))
    return data.item() if isinstance(data, np.generic) else data
