"""Laws of learning: what a law is, how it is proved, how it is judged, how it is reported."""

from laws.functions import stated
from laws.judges import (
    Count,
    Distribution,
    Equivalent,
    Exponent,
    Fitted,
    LowerBound,
    Mean,
    Median,
    Noise,
    Order,
    Refuted,
    Roundoff,
    Sign,
    Solver,
    Trend,
    UpperBound,
    Verdict,
    confront,
    measure,
    rank,
    seeds_needed,
)
from laws.law import Law, Source, Step, formula
from laws.problem import Problem

__all__ = [
    "Count", "Distribution", "Equivalent", "Exponent", "Fitted", "Law", "LowerBound", "Mean", "Median", "Noise",
    "Order", "Problem", "Refuted", "Roundoff", "Sign", "Solver", "Source", "Step", "Trend", "UpperBound", "Verdict",
    "confront", "formula", "measure", "rank", "seeds_needed", "stated",
]  # fmt: skip
