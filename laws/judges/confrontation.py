"""The confrontation: a law, its mutants and its rivals before the same runs."""

from __future__ import annotations

import inspect
import os
import re
import time
import zlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

import numpy as np

from laws.broken import broken
from laws.functions import Stated
from laws.judges import pictures
from laws.judges.diagnosis import diagnose, place
from laws.judges.finding import Finding, Judge, Predict, finite, match, real
from laws.judges.noise import Noise
from laws.judges.samples import Distribution, Mean, Trend
from laws.judges.statements import Sign
from laws.judges.verdict import Panel, Verdict, ratio
from laws.law import Law
from laws.problem import Problem
from laws.typeset import latex

listeners: ContextVar[tuple[Callable[[Any], None], ...]] = ContextVar("listeners", default=())
entropy: ContextVar[int | None] = ContextVar("entropy", default=None)  # None: the seeds as written
SAMPLED = (Distribution, Mean, Noise)  # these may be given data in hand
SIGNS = (Sign, Trend)  # a sign is not off by a tenth
STATED = (Law, Problem, Stated)  # these have mutants


class Refuted(AssertionError):
    """The law failed, or a rival survived; `verdict` tells."""

    def __init__(self, message: str, verdict: Verdict):
        super().__init__(message)
        self.verdict = verdict

    def _render_traceback_(self) -> list[str]:
        """In a notebook: the picture, and the message without the lines of code that led to it."""
        from IPython.display import Image, display

        display(Image(self.verdict.png()))
        return [f"Refuted: {self}"]


def confront(
    claim: str,
    law: Law | Problem | Stated | Callable | float,
    run: Callable | np.ndarray,
    at: Mapping[str, Any],
    judge: Judge,
    rivals: Mapping[str, Law | Callable | float] | None = None,
    seed: int = 0,
    labels: Mapping[str, Any] | None = None,
    picture: Panel | None = None,
    of: Law | Callable | None = None,
    through: Callable[[Any], Callable] | None = None,
) -> Verdict:
    """Judge a law, all its mutants and every named rival on the same runs.

    claim: one English sentence; law and rivals: a `Law`, a `Problem`, a function of the keywords in `at`, `stated` with
    its hypotheses or bare, or a number; run: what the judge calls, knowing nothing of the law, or, for a judge of
    samples, data in hand, one sample a row; labels: axis labels by keyword, with "y" for the law's value, "h" for the
    step, "x" for the levels of a judge that has them, and "runs" for what was run ("trained networks", or one name for
    each number); "about" names what of a document the claim stands for, where the law's own source does not
    ("ratzon-2024, Fig. 2", several divided by ";"); picture: a further panel to show, such as an error surface; of:
    the `Law`, or the documented function, from which another function follows, to be shown with it; through: what the
    runs see of a law, a map from the `Law`, and from each mutant, to a function of the keywords in `at`.

    Returns the verdict.  Raises `Refuted` (an AssertionError) unless the law holds and every rival
    falls, TypeError or ValueError for what cannot be confronted or cannot be decided by these runs.
    """
    __tracebackhide__ = lambda raised: raised.errisinstance(Refuted)  # noqa: E731 what was refuted is not in here
    started = time.perf_counter()
    _check(claim, law, run, at, judge, rivals, seed, of)
    seed, seen = fresh(seed, claim), through or (lambda law: law)
    law_at = prediction(seen(law), at)
    rival_at = {name: prediction(rival, at, f"the rival {name!r}") for name, rival in (rivals or {}).items()}
    if judge.shows != "samples":
        law_at(**getattr(judge, "free", {}))  # refuses bad arguments before any work
    runs = _collected(judge, run, seed)
    if judge.shows != "samples":
        for name, predict in rival_at.items():  # not before: a rival may speak of what the runs found
            _number(name, predict(**getattr(judge, "free", {})), at)
    found, worst = _found(judge, runs, law, [prediction(seen(form), at) for form in _forms(law)])
    factors = {name: _weighed(judge, runs, predict, f"the rival {name!r}") for name, predict in rival_at.items()}
    mutants = law.mutants() if isinstance(law, STATED) and not isinstance(judge, SIGNS) else {}
    wrong = {name: _defined(prediction(seen(mutant), at), law_at) for name, mutant in mutants.items()}
    if hasattr(judge, "same"):  # what a fit makes good is no mutant
        wrong = {name: mutant for name, mutant in wrong.items() if not judge.same(runs, law_at, mutant)}
    spoilt = {name: _weighed(judge, runs, mutant, f"the mutant {name}") for name, mutant in wrong.items()}
    named = {"y": f"${latex(law.lhs)}$", **(labels or {})} if isinstance(law, STATED) else labels or {}
    panels = pictures.panels(judge, runs, {"law": law_at, **rival_at}, at, named)
    panels += (picture,) if picture else ()
    seconds = time.perf_counter() - started
    verdict = _verdict(claim, law, of, judge, found, factors, spoilt, seed, seconds, panels, named.get("about", ""))
    for listener in listeners.get():
        listener(verdict)
    if not verdict.holds:
        raise Refuted(_message(verdict, found, worst, judge, runs, at), verdict)
    return verdict


def _verdict(claim, law, of, judge, found, rivals, mutants, seed, seconds, panels, about) -> Verdict:
    stated = of or law
    return Verdict(
        claim=claim,
        law=_name(law),
        of=_name(of) if of else "",
        **_card(stated),
        judge=_brief(judge),
        says=found.says,
        accepted=found.accepted,
        figure=float(found.figure),
        threshold=float(found.threshold),
        rivals=rivals,
        mutants=mutants,
        changes={name: law.change(name) for name, factor in mutants.items() if factor <= 1},
        false_alarm=judge.false_alarm,
        seed=seed,
        seconds=seconds,
        panels=panels,
        cases=found.cases,
        about=about,
    )


def _collected(judge: Judge, run, seed: int):
    """What the judge was shown; whatever a judge of samples asks of data in hand, it gets them all."""
    if not callable(run):
        if not isinstance(getattr(judge, "judge", judge), SAMPLED):
            names = ", ".join(kind.__name__ for kind in SAMPLED)
            raise TypeError(f"run: data in hand serve the judges {names}; {type(judge).__name__} needs a function")
        values = finite(run, "the data")
        return judge.collect(lambda n, seed: values, seed)
    try:
        return judge.collect(run, seed)
    except TypeError as error:
        error.add_note(f"{type(judge).__name__}: {(inspect.getdoc(judge) or '').partition(chr(10))[0]}")
        raise


def _number(rival: str, values: np.ndarray, at) -> None:
    """ValueError, with the place, where a rival is not a number: nothing that runs say rejects it there."""
    if not np.all(known := ~np.isnan(values)):
        i = tuple(map(int, np.argwhere(~known)[0]))
        raise ValueError(f"the rival {rival!r} is not a number{place(at, i, values.shape)}")


def _forms(law) -> tuple:
    """What stands trial: the law, and the formula that is shown if another computes it, or a coarser solution."""
    if isinstance(law, Law) and law.evaluate is not None:
        return law, replace(law, evaluate=None)
    return (law, law.coarse) if isinstance(law, Problem) else (law,)


def _found(judge: Judge, runs, law, forms: list[Predict]) -> tuple[Finding, Predict]:
    """What was found of a law, and of which of its forms: of formulas the worse, of solutions the finer."""
    found = [(judge.weigh(runs, form), form) for form in forms]
    if not isinstance(law, Problem):
        return max(found, key=lambda pair: _factor(pair[0]))
    if len({finding.accepted for finding, _ in found}) > 1:
        raise ValueError(f"{law.name}: these runs see the error of its solution; give it an rtol < {law.rtol:g}")
    return found[0]


def _brief(judge: Judge) -> str:
    """A judge and those of its settings that are not the usual ones."""
    if not is_dataclass(judge):
        return repr(judge)
    told = []
    for setting in fields(judge):
        value = getattr(judge, setting.name)
        if isinstance(value, np.ndarray):
            ends = dict.fromkeys(f"{end:.3g}" for end in (np.min(value), np.max(value)))
            told.append(f"{setting.name}={'..'.join(ends)}")
        elif setting.repr and not (setting.default is not MISSING and value == setting.default):
            told.append(f"{setting.name}={_short(value)}")
    return f"{type(judge).__name__}({', '.join(told)})"


def _short(value) -> str:
    """A setting in three digits, and so each of several."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _check(claim, law, run, at, judge, rivals, seed, of) -> None:
    """Refuse what cannot be confronted, by name."""
    if not isinstance(claim, str) or not re.search(r"\w", claim):
        raise ValueError(f"claim = {claim!r} must be a sentence")
    if law is None or run is None or isinstance(run, str | Mapping):
        raise TypeError(f"law = {law!r} and run = {run!r}: a law is needed, and a function that simulates, or data")
    if of is not None and (isinstance(law, STATED) or not (isinstance(of, STATED) or getattr(of, "__doc__", None))):
        raise TypeError(f"of = {of!r} must be the Law, or the documented function, from which another function follows")
    for name, value in (("at", at), ("rivals", rivals or {})):
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} = {value!r} must map names to values")
    if "law" in (rivals or {}):
        raise ValueError("a rival must not be called 'law'")
    if isinstance(judge, type) or not (hasattr(judge, "weigh") and hasattr(judge, "shows")):
        raise TypeError(f"judge = {judge!r} is no judge: give one of laws.judges with its settings")
    if not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed = {seed!r} must be a whole number >= 0")


def _name(law) -> str:
    """The name under which the report gathers what was found of a law: where a reader would look for it."""
    if isinstance(law, Law | Problem):
        return f"{law.module}.{law.name}"
    if not hasattr(law, "__qualname__"):
        return str(law)
    public = ".".join(part for part in (law.__module__ or "").split(".") if not part.startswith("_"))
    return f"{public}.{law.__qualname__.partition('.<locals>')[0]}".lstrip(".")


def _card(law) -> dict[str, str]:
    """What a card prints of a law, or of any function."""
    if not isinstance(law, STATED):
        return _function(law)
    sign = r"\simeq" if isinstance(law, Law) and law.upto is not None else "="
    formula = law.latex() if isinstance(law, Problem) or law.rhs is None else broken(law.lhs, sign, law.rhs)
    return {
        "latex": formula,
        "given": ",\n".join(latex(h) for h in law.given),
        "source": str(law.source),
        "sentence": _sentence(inspect.getdoc(law) or "") if isinstance(law, Stated) else "",
    }


def _function(function) -> dict[str, str]:
    """What a card prints of a function: its formula, its source, and what it says of itself."""
    text = inspect.getdoc(function) or "" if hasattr(function, "__qualname__") else ""
    named = re.search(r"^Source: *(.+?)\.?(?=\n\n|\Z)", text, re.S | re.M)
    source = " ".join(named[1].split()) if named else ""
    home = _name(function).rpartition(".")[0]  # whose docstring numbers the equations
    return {
        "latex": getattr(function, "latex", ""),
        "given": "",
        "source": re.sub(r"(equations? \([^)]*\))", rf"\1 of {home}", source),
        "sentence": _sentence(text),
    }


def _sentence(text: str) -> str:
    """What a docstring says first, without shapes and errors, which are for those who call."""
    said = re.sub(r"[,;]?(?: of)? shape \((?:[^()]|\([^()]*\))*\)", "", text.partition("\n")[0])
    return re.sub(r"[,;] (?:arguments|errors|else as|raises|ValueError|TypeError)\b.*", "", said).rstrip(".")


def _factor(finding: Finding) -> float:
    return ratio(finding.figure, finding.threshold)


def _weighed(judge: Judge, runs, predict: Predict, whose: str) -> float:
    """The factor of a rival or a mutant, which is named if the judge cannot decide."""
    try:
        return _factor(judge.weigh(runs, predict))
    except ValueError as error:
        error.add_note(f"raised in judging {whose}")
        raise


def prediction(rival, at, whose="the law") -> Predict:
    """What a law or a rival foretells, as float64, of the keywords in `at` and of those that the judge adds."""
    if not callable(rival):
        return lambda **extra: real(rival, whose)

    def predict(**extra):
        try:
            return real(rival(**{**at, **extra}), whose)
        except (TypeError, ValueError) as error:
            error.add_note(f"raised by {whose} at {', '.join({**at, **extra})}")
            raise

    return predict


def _defined(mutant: Predict, law: Predict) -> Predict:
    """A mutant, and the law where the mutant is no finite number: what is undefined is not told from it by any run."""

    def predict(**extra):
        wrong = mutant(**extra)
        return wrong if np.all(np.isfinite(wrong)) else np.where(np.isfinite(wrong), wrong, law(**extra))

    return predict


def fresh(seed: int, claim: str) -> int:
    """The seed as given, or one drawn from the entropy of this run of the suite."""
    drawn = entropy.get()
    if drawn is None:
        return seed
    return int(np.random.SeedSequence([drawn, seed, zlib.crc32(claim.encode())]).generate_state(1)[0])


def _message(verdict: Verdict, found: Finding, predict: Predict, judge: Judge, runs, at) -> str:
    lines = [str(verdict)]
    if not verdict.accepted:
        if not verdict.cases:
            lines.append(f"  the law is off by {verdict.factor:.3g} times what these runs resolve")
        if judge.shows in ("values", "limit"):
            lines.append("  " + _furthest(match(predict(), found.observed), found.observed, at))
        if judge.shows in ("values", "limit", "samples"):
            lines += [f"  {line}" for line in diagnose(judge, runs, predict, found.observed, at)]
    if not (verdict.rivals or verdict.mutants or verdict.cases):
        lines.append("  nothing was shown that these runs would have rejected: name a rival")
    elif verdict.accepted and not verdict.surviving and not verdict.holds:
        lines.append("  these runs reject none of the mutants: nothing is learnt from them; name a rival")
    lines += [f"  survives: {name}: these runs cannot tell it from the law" for name in verdict.surviving]
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    fresh = "" if entropy.get() is None else f" --seeds-from={entropy.get()}"
    again = f'pytest "{test}"{fresh}' if test else f"confront(..., seed={verdict.seed})"
    return "\n".join([*lines, f"  seed {verdict.seed}; again with: {again}"])


def _furthest(law: np.ndarray, observed: np.ndarray, at) -> str:
    """Where law and runs are furthest apart, in the words of the arguments, and by how much."""
    gap = np.abs(law - observed)
    i = np.unravel_index(int(np.argmax(gap)), gap.shape)
    run, said = float(observed[i]), float(law[i])
    share = f" ({100 * (said / run - 1):+.3g} %)" if run else ""
    return f"furthest{place(at, i, gap.shape)}: the runs say {run:.4g}, the law {said:.4g}{share}"
