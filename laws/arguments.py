"""The arguments of a law: all there, real, of shapes that fit, and within its hypotheses, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import sympy as sp

from laws.arrays import real_array

Hypotheses: TypeAlias = Iterable[tuple[sp.Basic, Callable]]  # each with itself as a function of arrays


def not_collapsed(what: sp.Expr, hypotheses: Iterable[sp.Basic]) -> None:
    """ValueError for a hypothesis without symbols: sympy has decided it, from what a symbol was declared to be."""
    for hypothesis in hypotheses:
        if not getattr(hypothesis, "free_symbols", None):
            raise ValueError(f"{what}: a hypothesis collapsed to {hypothesis}; declare its symbols real=True only")


def named(law: str, wanted: Sequence[str], at: Mapping) -> None:
    """ValueError unless exactly the wanted arguments are given."""
    missing, unknown = [n for n in wanted if n not in at], [n for n in at if n not in wanted]
    if missing:
        raise ValueError(f"{law}: missing {', '.join(missing)}; its arguments are {', '.join(wanted)}")
    if unknown:
        raise ValueError(f"{law}: unknown {', '.join(unknown)}; its arguments are {', '.join(wanted)}")


def floats(law: str, wanted: Sequence[str], at: Mapping) -> dict[str, np.ndarray]:
    """The wanted arguments as float64 arrays that broadcast to one shape; TypeError or ValueError for others."""
    named(law, wanted, at)
    values = {name: real_array(f"{law}: {name}", at[name]) for name in wanted}
    try:
        shape = np.broadcast_shapes(*(v.shape for v in values.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {v.shape}" for name, v in values.items() if v.ndim)
        raise ValueError(f"{law}: these shapes do not broadcast: {shapes}") from None
    return {name: np.broadcast_to(v, shape) for name, v in values.items()}


def held(law: str, hypotheses: Hypotheses, values: Mapping[str, np.ndarray], reasons: Mapping) -> None:
    """ValueError, naming the first hypothesis that fails and where, unless all hold of arrays of one shape."""
    shape = next(iter(values.values())).shape if values else ()
    for hypothesis, holds in hypotheses:
        with np.errstate(all="ignore"):
            fails = np.flatnonzero(~np.broadcast_to(holds(**values), shape))
        if fails.size:
            first = {name: v.flat[fails[0]] for name, v in values.items()}
            some = f"{fails.size} of {math.prod(shape)} points, the first at index {fails[0]}: "
            raise ValueError(violation(law, hypothesis, first, reasons, some if shape else ""))


def violation(law: str, hypothesis: sp.Basic, values: Mapping, reasons: Mapping, some: str = "") -> str:
    """What is said of arguments outside a hypothesis."""
    told = ", ".join(f"{x} = {values[x.name]}" for x in sorted(hypothesis.free_symbols, key=str))
    reason = reasons.get(hypothesis)
    return f"{law}: {some}{told} violates {hypothesis}" + (f" ({reason})" if reason else "")


@cache
def compiled(symbols: tuple[sp.Symbol, ...], expr: sp.Basic) -> Callable:
    """An expression as a function of float64 arrays, by the names of its symbols."""
    return sp.lambdify(
        [sp.Symbol(x.name) for x in symbols],
        expr.xreplace({x: sp.Symbol(x.name) for x in symbols}),
        modules=["scipy", "numpy"],
    )
