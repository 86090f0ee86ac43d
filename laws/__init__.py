"""Laws of learning: what a law is, how it is proved, how it is judged, how it is reported."""

from laws.judges import (
    Distribution,
    Equivalent,
    Exponent,
    Mean,
    Order,
    Refuted,
    Roundoff,
    Solver,
    Trend,
    Verdict,
    confront,
    measure,
)
from laws.law import Law, Source, Step, formula

__all__ = [
    "Distribution", "Equivalent", "Exponent", "Law", "Mean", "Order", "Refuted", "Roundoff", "Solver", "Source", "Step",
    "Trend", "Verdict", "confront", "formula", "measure",
]  # fmt: skip
