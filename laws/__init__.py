"""Laws of learning: what a law is, how it is proved, how it is judged, how it is reported."""

from laws.judges import (
    Count,
    Distribution,
    Equivalent,
    Exponent,
    Mean,
    Order,
    Refuted,
    Roundoff,
    Sign,
    Solver,
    Trend,
    Verdict,
    confront,
    measure,
)
from laws.law import Law, Source, Step, formula

__all__ = [
    "Count", "Distribution", "Equivalent", "Exponent", "Law", "Mean", "Order", "Refuted", "Roundoff", "Sign", "Solver",
    "Source", "Step", "Trend", "Verdict", "confront", "formula", "measure",
]  # fmt: skip
