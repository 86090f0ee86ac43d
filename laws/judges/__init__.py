"""Judges: each decides whether runs obey a law, and none has a tolerance set by hand.

A judge runs the simulation once (`collect`) and weighs any number of predictions against the same
runs (`weigh`): the law, its mutants, and the rivals that it must reject.  The thresholds are made of

- `Order`: the known order of a limit, and the Richardson limit's own error estimate;
- `Solver`: the solver against itself at a hundredth of its tolerance;
- `Roundoff`: the unit round-off, the number of operations and the condition number;
- `Sign`, `Count`: nothing, since each run says what the law says or contradicts it;
- `Mean`, `Median`, `Distribution`, `Exponent`, `Trend`, `Equivalent`: finite-sample inequalities with both
  error rates stated; the number of runs follows from them;
- `UpperBound`, `LowerBound`: the intervals of another judge, for a law that is an inequality;
- `Fitted`: the intervals of another judge, for a law with parameters fitted to some runs and judged on others;
- `Noise`: the noise of the measurements, as stated, where there is one of each or a few.

`measure` judges nothing: it reports a number over seeds where there is no law yet.  `seeds_needed` says, before the
runs are made, how many seeds a judge of random runs would take.  `rank` puts several hypotheses in order, and says
which of them the runs do not tell from the best.
"""

from laws.judges.bounds import LowerBound, UpperBound
from laws.judges.confrontation import Refuted, confront
from laws.judges.exponents import Exponent
from laws.judges.fitting import Fitted
from laws.judges.limits import Order, Roundoff, Solver
from laws.judges.measurement import Measurement, measure
from laws.judges.medians import Median
from laws.judges.noise import Noise
from laws.judges.planning import Plan, seeds_needed
from laws.judges.ranking import Ranking, absolute_error, rank, squared_error
from laws.judges.samples import Distribution, Equivalent, Mean, Trend
from laws.judges.seeding import in_turn
from laws.judges.statements import Count, Sign
from laws.judges.verdict import Verdict

__all__ = [
    "Count",
    "Distribution",
    "Equivalent",
    "Exponent",
    "Fitted",
    "LowerBound",
    "Mean",
    "Measurement",
    "Median",
    "Noise",
    "Order",
    "Plan",
    "Ranking",
    "Refuted",
    "Roundoff",
    "Sign",
    "Solver",
    "Trend",
    "UpperBound",
    "Verdict",
    "absolute_error",
    "confront",
    "in_turn",
    "measure",
    "rank",
    "seeds_needed",
    "squared_error",
]
