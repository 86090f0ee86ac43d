"""How a law is wrong: by a factor, by an offset, or in one of its arguments, as far as the runs can tell.

A law that has been refused is changed by one number: multiplied, shifted, or given one argument so many times as
large.  If for some number the same judge accepts it on the same runs, that number is told, and with it the interval
of all the numbers around it that are accepted: the judge's own test turned round, so that the interval has the
judge's own error rate, if it states one.  Where no such number mends the law, its ratio to the runs is told at both
extremes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from laws.judges.finding import Judge, Predict, match
from laws.judges.verdict import ratio

Change = Callable[[float], Predict]
WIDEST = 10.0  # times as large, or as small, as an argument is tried
FAR = 20.0  # natural logarithm of a multiple beyond which none is told
TRIED = 25  # places between
NARROWED = 75  # golden sections: from any interval to round-off
ALIKE = 0.01  # of what is accepted: between such places nothing better is looked for
GOLDEN = (math.sqrt(5) - 1) / 2


def diagnose(judge: Judge, runs, predict: Predict, observed: np.ndarray, at: Mapping) -> list[str]:
    """What would mend a refused law, each by itself, in words: what mends it best comes first."""

    def weighed(change: Change) -> Callable[[float], float]:
        def figure(c: float) -> float:
            try:
                found = judge.weigh(runs, change(c))
            except Exception:  # outside its hypotheses a law may die in any way
                return math.inf
            return ratio(found.figure, found.threshold)

        return figure

    law = match(predict(), observed) if judge.shows in ("values", "limit") else None
    told = [] if law is None else list(_of_the_value(weighed, law, observed))
    told += _of_arguments(weighed, predict, at, getattr(judge, "variable", ""))
    lines = [line for _, line in sorted(told, key=lambda mended: round(mended[0], 1))]
    if law is not None and not lines:
        return [_extremes(law, observed, at)]
    return [f"or {line}" if i else line for i, line in enumerate(lines)]


def _of_the_value(weighed, law: np.ndarray, observed: np.ndarray) -> Iterator[tuple[float, str]]:
    """The factor and the offset that would mend it, each with how well."""
    everywhere = " everywhere" if law.size > 1 else ""
    quotients = (observed[law != 0] / law[law != 0]).ravel()
    if quotients.size:
        figure = weighed(lambda c: lambda **extra: c * law)
        found = _accepted(figure, quotients.min(), quotients.max())
        if found and min(found) > 0:
            large, (best, *ends) = found[0] < 1, [1 / c if found[0] < 1 else c for c in found]
            size = "large" if large else "small"
            yield figure(found[0]), f"the law is about {_told(best, *ends)} times too {size}{everywhere}"
        elif found:
            sign = ": its sign is wrong" if max(found) < 0 else ""
            yield figure(found[0]), f"the law would pass multiplied by {_told(*found)}{everywhere}{sign}"
    gaps = (observed - law).ravel()
    if law.size > 1:
        figure = weighed(lambda d: lambda **extra: law + d)
        if found := _accepted(figure, gaps.min(), gaps.max()):
            size = "large" if found[0] < 0 else "small"
            yield figure(found[0]), f"the law is too {size} by about {_told(*map(abs, found))}{everywhere}"


def _of_arguments(weighed, predict: Predict, at: Mapping, variable: str = "") -> Iterator[tuple[float, str]]:
    """The arguments of which a multiple would mend it, each with how well."""
    for name in (variable, *at) if variable else at:

        def scaled(c: float, name=name) -> Predict:
            return lambda **extra: predict(**{**extra, name: c * np.asarray({**at, **extra}[name], dtype=float)})

        figure = weighed(lambda x, scaled=scaled: scaled(math.exp(min(max(x, -FAR), FAR))))
        places = np.linspace(-math.log(WIDEST), math.log(WIDEST), TRIED)
        k = int(np.argmin([figure(x) for x in places]))
        found = _accepted(figure, places[max(k - 1, 0)], places[min(k + 1, TRIED - 1)])
        if found:
            yield (
                figure(found[0]),
                f"the law would pass with {name} {_told(*(math.exp(x) for x in found))} times as large",
            )


def _accepted(figure: Callable[[float], float], low: float, high: float) -> tuple[float, float, float] | None:
    """Between two numbers, where a law is best, and the ends of where it is accepted around it; None where nowhere."""
    best = _lowest(figure, float(low), float(high))
    if not figure(best) <= 1:
        return None
    return best, _end(figure, best, -1), _end(figure, best, 1)


def _lowest(figure, low: float, high: float) -> float:
    """The place of the lowest figure, by golden sections."""
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = figure(a), figure(b)
    for _ in range(NARROWED if high > low else 0):
        if max(at_a, at_b) <= 1 and abs(at_a - at_b) < ALIKE:
            break
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = figure(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = figure(b)
    return min((low, a, b, high), key=figure)


def _end(figure, inside: float, side: int) -> float:
    """How far from an accepted place, to one side, a law is accepted."""
    scale = abs(inside) or 1.0
    accepted, refused = 0.0, 1e-3 * scale
    while figure(inside + side * refused) <= 1:
        accepted, refused = refused, 4 * refused
        if refused > 1e3 * scale:
            return side * math.inf
    while accepted == 0 and refused > 1e-15 * scale:
        if figure(inside + side * refused / 4) <= 1:
            accepted = refused / 4
        else:
            refused /= 4
    for _ in range(12):
        middle = (accepted + refused) / 2
        accepted, refused = (middle, refused) if figure(inside + side * middle) <= 1 else (accepted, middle)
    return inside + side * refused


def _told(best: float, low: float, high: float) -> str:
    """A number with its interval, in so many digits that the interval is seen."""
    low, high = sorted((low, high))
    half = (high - low) / 2
    digits = 3 if not 0 < half < abs(best) else min(15, max(3, 1 - math.floor(math.log10(half / abs(best)))))
    ends = "exactly" if half == 0 else f"{low:.{digits}g} to {high:.{digits}g}"
    return f"{best:#.{digits}g}".rstrip(".") + f" ({ends})"


def _extremes(law: np.ndarray, observed: np.ndarray, at: Mapping) -> str:
    """Between which ratios a law goes that no single number mends."""
    usable = (observed != 0) & np.isfinite(law)
    if np.count_nonzero(usable) < 2:
        return "no factor, offset or multiple of an argument mends it"
    quotients = np.where(usable, law / np.where(usable, observed, 1), np.nan)
    ends = [np.unravel_index(int(pick(quotients)), quotients.shape) for pick in (np.nanargmin, np.nanargmax)]
    low, high = (f"{quotients[i]:.3g}{place(at, i, law.shape)}" for i in ends)
    return f"no factor, offset or multiple of an argument mends it: law / runs goes from {low} to {high}"


def place(at: Mapping, i: tuple, shape: tuple) -> str:
    """In the words of the arguments, where among the observations a number stands: " at t = 0.4"."""
    told = [
        f"{name} = {np.broadcast_to(value, shape)[i]:.6g}"
        for name, value in at.items()
        if np.size(value) > 1 and np.ndim(value) <= len(shape)
    ]
    return f" at {', '.join(told)}" if told else ""
