"""Two records of verdicts compared: what fails, what is gone, and which margins have shrunk.

The margin of a law is threshold / figure, that of a rival figure / threshold: both above 1 while all
is well.  A margin that has lost half of its distance from 1, on a logarithmic scale, is worth a look.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from laws.judges.verdict import ratio

NEEDED = ("id", "holds", "says", "figure", "threshold", "rivals", "unseen")


def read(path: Path) -> dict[str, dict]:
    """The verdicts of a file that the report wrote, by id; ValueError if it is none."""
    try:
        data = json.loads(Path(path).read_text())
        verdicts = {verdict["id"]: verdict for verdict in data["verdicts"]}
        lacking = [name for verdict in verdicts.values() for name in NEEDED if name not in verdict]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"{path} is no verdicts.json of a report") from None
    if data.get("schema") != 1 or lacking:
        raise ValueError(f"{path} was written by another version: it lacks {', '.join(lacking) or 'schema 1'}")
    return verdicts


def compare(old: dict[str, dict], new: dict[str, dict]) -> tuple[list[str], bool]:
    """What has changed, line by line, and whether nothing fails and nothing is gone."""
    failing = [f"FAILS    {name}: {new[name]['says']}" for name in new if not new[name]["holds"]]
    gone = [f"GONE     {name}" for name in old if name not in new]
    added = [f"new      {name}" for name in new if name not in old]
    shrunk = []
    for name in (n for n in old if n in new and new[n]["holds"]):
        before, after = margins(old[name]), margins(new[name])
        for what in (w for w in before if w in after):
            if before[what] > 1 and math.log(after[what]) < math.log(before[what]) / 2:
                shrunk.append(f"shrinks  {name}: {what}: {before[what]:.3g} -> {after[what]:.3g}")
        unseen = sorted(set(new[name]["unseen"]) - set(old[name]["unseen"]))
        shrunk += [f"shrinks  {name}: no longer sees the mutant {mutant}" for mutant in unseen]
        shrunk += [f"GONE     {name}: {what}" for what in before if what not in after]
    lines = [*failing, *gone, *shrunk, *added] or ["no claim fails, none is gone, and no margin has shrunk"]
    return lines, not any(line.startswith(("FAILS", "GONE")) for line in lines)


def margins(verdict: dict) -> dict[str, float]:
    """How far law and rivals are from the judge's threshold, on their good side."""
    law = ratio(float(verdict["figure"]), float(verdict["threshold"]))
    tiny = 1e-300
    margin = {"the law": max(1 / max(law, tiny), tiny)}
    margin |= {f"rival {name!r}": max(float(factor), tiny) for name, factor in verdict["rivals"].items()}
    return {what: min(value, 1e300) for what, value in margin.items()}
