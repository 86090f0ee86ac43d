"""A law with parameters that nobody knows: fitted to some runs, judged on others.

Runs to fit give each number y_j an interval of half-width r_j; the parameters theta minimise the sum of
((f_j(theta) - y_j) / r_j)^2, which for normal errors is the likelihood's maximum.  With W the derivatives of f_j / r_j
by theta and W+ its pseudo-inverse, errors d of the y move, to first order,

    theta_i  by  sum_j W+_ij d_j / r_j,  so by  sum_j |W+_ij|  at most,                                          (1)
    f_k      by  e_k = sum_j |(df_k W+)_j|  at most,                                                             (2)

wherever every |d_j| <= r_j, however errors of one run hang together.  What second order adds at the ends of (1), of
each parameter by itself, is added to e_k.  The verdict is on numbers that were held out, of half-width r_k: a law
stands if at each of them |f_k(theta) - y_k| <= r_k + e_k.  What leaves a mean square above 1 in the fit goes through
the intervals to which it was fitted for no theta that the search finds, and falls there and then.  The search descends
from the starts as they are given and from those with one parameter halved or doubled, and keeps the best end.

Error rates.  False alarm: a law that is true for some theta, which the search finds, is refused, to second order in
each parameter, only where an interval misses, of those that were fitted or those that were held out: with the sum of
both rates.  Miss: a law that for no theta predicts what was held out within d is refused, but for a missing interval,
if 2 r_k + e_k < d.  With a judge that has a `detects` nothing is judged where 2 r_k + e_k is more than twice of it: so
d is twice `detects`.

Each rival has a fit of its own, from the same start.  A mutant that another value of a parameter makes good is the law
itself, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from laws.judges.finding import Finding, Judge, Predict, match
from laws.judges.seeding import seeds
from laws.judges.verdict import ratio

NORMAL = 1 / np.sqrt(np.finfo(float).eps)  # condition number, from which the normal equations have no digit left


@dataclass(frozen=True)
class Fit:
    """Parameters at their best, the half-widths of their intervals, and how far the errors move each prediction.

    errors: of those on which the prediction depends, if they were told;
    misfit: the root of the mean square of the fitted residuals in units of the half-widths; true laws leave at most 1.
    """

    values: dict[str, float]
    errors: dict[str, float]
    moves: np.ndarray
    misfit: float

    def __str__(self) -> str:
        return ", ".join(f"{k} = {self.values[k]:.4g} ± {v:.2g}" for k, v in self.errors.items()) or "nothing to fit"


@dataclass(frozen=True)
class Fitted:
    """For a law with free parameters: fitted to some of what `judge` finds in the runs, and judged on the rest.

    judge: one that gives an interval for every number: `Median`, `Mean`, `Solver`, ...
    free: the parameters by name, each with the value from which the search starts; 0 is none, for it tells no scale.
    held: which numbers, along the last axis, are held out of the fit; without it these are all numbers of other runs,
    drawn from another seed, while what does not depend on its seed is refused.
    """

    judge: Judge
    free: Mapping[str, float]
    held: slice | tuple[int, ...] | None = None
    shows = "forecast"

    def __post_init__(self):
        readable = getattr(self.judge, "shows", "") in ("values", "limit") and not isinstance(self.judge, type)
        if not readable or self.judge.false_alarm is None:
            raise TypeError(
                f"Fitted: judge = {self.judge!r} tells no interval of a known error; Median(...), say, does"
            )
        if not self.free:
            raise ValueError("Fitted: free = {} names no parameter: nothing is fitted, so judge it as it is")
        for name, start in self.free.items():
            if not np.isfinite(start) or start == 0:
                raise ValueError(f"Fitted: {name} starts from {start}: give a finite value that is not 0")

    @property
    def false_alarm(self) -> float | None:
        """The probability of refusing a true law: that of the intervals, twice if two sets of runs have them."""
        return (self.judge.false_alarm or 0.0) * (2 if self.held is None else 1)

    def collect(self, run: Callable, seed: int) -> tuple[Any, Any]:
        """What the judge collects to fit, and to judge by; ValueError if no run is held out."""
        if self.held is not None:
            runs = self.judge.collect(run, seed)
            _, fitted = self._parts(np.shape(self.judge.interval(runs)[0]))
            if not fitted.any() or fitted.all():
                raise ValueError(f"Fitted: held = {self.held} leaves {np.sum(fitted)} of {fitted.size} numbers to fit")
            return runs, runs
        first, other = (self.judge.collect(run, s) for s in seeds(seed, 2))
        if all(map(np.array_equal, self.judge.interval(first), self.judge.interval(other))):
            raise ValueError("Fitted: runs from two seeds are the same, so none is held out: say which numbers are")
        return first, other

    def weigh(self, runs, predict: Predict) -> Finding:
        """The distance of what was held out from the fitted prediction, where it is worst."""
        fit = self.fit(runs, predict)
        observed, half = _middle(self.judge, runs[1])
        if not fit.misfit <= 1:
            best = f"fitted at best, {_told(fit.values)}"
            says = f"{best}, it is {fit.misfit:.3g} times as far from what it was fitted to as may be"
            return Finding(fit.misfit, 1.0, says, observed)
        held, _ = self._parts(observed.shape)
        law = match(predict(**fit.values), observed)
        gap, own, moves = np.abs(law - observed)[held], half[held], fit.moves[held]
        resolved, limit = float(np.max(2 * own + moves)), 2 * getattr(self.judge, "detects", np.inf)
        if resolved > limit:
            raise ValueError(f"Fitted: {fit} foretells to {resolved:.2g}, not to {limit:g}: more runs would do")
        worst = max(range(gap.size), key=lambda k: ratio(gap[k], own[k] + moves[k]))
        allowed = float(own[worst] + moves[worst])
        says = f"{fit}; what was held out is off by {gap[worst]:.3g} (must be within {allowed:.3g}, "
        says += f"{moves[worst]:.2g} of it the fit's)"
        says += f"; an error of {resolved:.3g} might stand" if limit == np.inf else ""
        return Finding(float(gap[worst]), allowed, says, observed)

    def fit(self, runs, predict: Predict) -> Fit:
        """The least squares of what is not held out."""
        observed, half = _middle(self.judge, runs[0])
        _, fitted = self._parts(observed.shape)
        return least_squares(predict, observed, half, self.free, fitted)

    def settled(self, runs, predict: Predict) -> Predict:
        """A prediction with its parameters as they were fitted."""
        values = self.fit(runs, predict).values
        return lambda **extra: predict(**values, **extra)

    def same(self, runs, one: Predict, other: Predict) -> bool:
        """Whether two predictions, each as it was fitted, are one: as near, against the error, as the search comes."""
        (observed, half), (first, second) = _middle(self.judge, runs[1]), (self.fit(runs, p) for p in (one, other))
        apart = np.abs(match(one(**first.values), observed) - match(other(**second.values), observed))
        return bool(np.max(apart / half) <= np.cbrt(np.finfo(float).eps))

    def interval(self, runs):
        """What was observed, and the ends of its interval."""
        return self.judge.interval(runs[1])

    def _parts(self, shape) -> tuple[np.ndarray, np.ndarray]:
        """Which numbers are held out, and which are fitted."""
        if self.held is None:
            return np.ones(shape, bool), np.ones(shape, bool)
        held = np.zeros(shape, bool)
        held[..., self.held if isinstance(self.held, slice) else list(self.held)] = True
        return held, ~held


def least_squares(
    predict: Predict, observed: np.ndarray, half: np.ndarray, free: Mapping[str, float], fitted: np.ndarray
) -> Fit:
    """Fit the parameters on which a prediction depends to `observed`, within `half`, where `fitted`.

    Raises ValueError if the search does not converge, or the numbers do not tell the parameters apart.
    """
    start = {name: float(value) for name, value in free.items()}
    names = involved(predict, start, observed)
    at = lambda u: {**start, **{k: start[k] * float(x) for k, x in zip(names, u, strict=True)}}  # noqa: E731
    model = lambda u: _values(predict, at(u), observed)  # noqa: E731
    residuals = lambda u: ((model(u) - observed) / half)[fitted]  # noqa: E731
    if (n := int(np.sum(fitted))) < len(names):
        raise ValueError(f"Fitted: {n} numbers do not tell {len(names)} parameters: {', '.join(names)}")
    if not np.all(np.isfinite(residuals(np.ones(len(names))))):
        raise ValueError(f"Fitted: where the search starts, {_told(start)}, the prediction is not finite")
    u = _search(residuals, names, start) if names else np.ones(0)
    misfit = float(np.sqrt(np.mean(residuals(u) ** 2)))
    untold = Fit(at(u), {}, np.zeros(observed.shape), misfit)
    if not names or not misfit <= 1:
        return untold
    ends, moves = _spread(model, u, half, fitted, names, at)
    errors = {name: abs(start[name]) * float(end) for name, end in zip(names, ends, strict=True)}
    return replace(untold, errors=errors, moves=moves)


def _spread(model: Callable, u: np.ndarray, half: np.ndarray, fitted: np.ndarray, names: list[str], at: Callable):
    """How far (1) and (2) move the parameters u and what they predict, with what the second order adds."""
    steps = np.diag(np.finfo(float).eps ** (1 / 3) * np.maximum(1.0, np.abs(u)))
    slopes = np.stack([(model(u + d) - model(u - d)) / (2 * d.max()) for d in steps], axis=-1)
    _inside(slopes, names, at(u))
    weighted = slopes[fitted] / half[fitted][:, None]
    _identify(weighted, names, at(u))
    inverse = np.linalg.pinv(weighted)
    ends, moves = np.sum(np.abs(inverse), axis=1), np.sum(np.abs(slopes @ inverse), axis=-1)
    bends = [
        np.maximum(*(np.abs(model(u + s * d) - model(u) - s * slope) for s in (1, -1)))
        for d, slope in zip(np.diag(ends), np.moveaxis(slopes * ends, -1, 0), strict=True)
    ]
    _inside(np.stack(bends, axis=-1), names, at(u))
    return ends, moves + sum(bends)


def _inside(found: np.ndarray, names: list[str], at: Mapping[str, float]) -> None:
    """ValueError, with the parameters in question, unless what was found from each of them is finite."""
    beyond = [name for k, name in enumerate(names) if not np.all(np.isfinite(found[..., k]))]
    if beyond:
        where = _told({name: at[name] for name in beyond})
        raise ValueError(
            f"Fitted: the interval of {', '.join(beyond)} around {where} reaches outside the hypotheses, or to where "
            "the prediction is not finite: more runs, or another parameter such as its logarithm"
        )


def involved(predict: Predict, start: Mapping[str, float], observed: np.ndarray) -> list[str]:
    """The parameters on which a prediction depends: those that change it when they are larger by a tenth."""
    known = _values(predict, start, observed)
    return [k for k in start if not np.array_equal(known, _values(predict, {**start, k: 1.1 * start[k]}, observed))]


def _search(residuals: Callable, names: list[str], start: Mapping[str, float]) -> np.ndarray:
    """The parameters, in units of their starts, at which the residuals are least; ValueError if that is no end."""
    ones, told = np.ones(len(names)), f"Fitted: the search for {', '.join(names)} from {_told(start)}"
    others = [np.where(np.arange(len(names)) == k, factor, ones) for k in range(len(names)) for factor in (0.5, 2.0)]
    ends = [_descent(residuals, u, told) for u in (ones, *others) if np.all(np.isfinite(residuals(u)))]
    _, u, unfinished = min(ends, key=lambda end: end[0])
    if unfinished:
        raise ValueError(unfinished)
    return u


def _descent(residuals: Callable, u: np.ndarray, told: str) -> tuple[float, np.ndarray, str]:
    """Half the sum of squares where a descent ends, the parameters there, and why that may not be the end."""
    from scipy.optimize import least_squares  # here, because it takes longer to load than all the rest

    eps = np.finfo(float).eps
    try:
        with np.errstate(all="ignore"):
            found = least_squares(residuals, u, jac="3-point", xtol=eps, ftol=eps, gtol=None)
    except (ValueError, np.linalg.LinAlgError) as error:
        return np.inf, u, f"{told} broke off: {error}"
    return float(found.cost), found.x, "" if found.status > 0 else f"{told} does not converge: {found.message}"


def _told(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in values.items())


def _values(predict: Predict, at: Mapping[str, float], observed: np.ndarray) -> np.ndarray:
    """A prediction in the shape of the observations; not a number where it has none."""
    return match(tried(predict, at), observed)


def tried(predict: Predict, at: Mapping[str, float]) -> np.ndarray:
    """A prediction; not a number where the values break a hypothesis, from which a search turns back."""
    with np.errstate(all="ignore"):
        try:
            return predict(**at)
        except ValueError as error:
            if "violates" not in str(error):
                raise
            return np.array(np.nan)


def _identify(weighted: np.ndarray, names: list[str], at: Mapping[str, float]) -> None:
    """ValueError, with the parameters in question, unless their columns are told apart by the condition number."""
    length = np.linalg.norm(weighted, axis=0)
    unit = weighted / np.where(length > 0, length, 1.0)
    _, singular, turned = np.linalg.svd(unit, full_matrices=False)
    if singular[0] < NORMAL * singular[-1]:
        return
    alike = [
        name for name, part in zip(names, np.abs(turned[-1]), strict=True) if part > np.max(np.abs(turned[-1])) / 10
    ]
    worst = singular[0] / max(singular[-1], np.finfo(float).tiny)
    where = _told({name: at[name] for name in names})
    raise ValueError(f"Fitted: these runs do not tell {' from '.join(alike)} at {where} (condition number {worst:.1g})")


def _middle(judge: Judge, runs) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each interval, and its half-width."""
    _, low, high = (np.asarray(end, dtype=float) for end in judge.interval(runs))
    return (low + high) / 2, (high - low) / 2
