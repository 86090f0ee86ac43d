"""A sweep: one function, the settings of a thousand runs, and a store in which nothing is lost.

    settings = grid(Drift, sigma=np.geomspace(1e-4, 1e-2, 5), seed=range(20))
    report = sweep(train, settings, Store("drift"))

`train` turns settings, a frozen dataclass, into arrays by name.  What is stored is not run again, so a sweep that was
stopped, in whatever way, is taken up by the same line; files that were damaged are reported and run anew.  A run that
raises is recorded with its traceback, the others go on, and the next sweep tries it again.  A run whose process dies
is tried again at once, ATTEMPTS times in all: it loses nobody's work but its own.  Where results cannot be stored, a
full disk say, the sweep stops instead of training for nothing.  As each run depends on its settings alone, the store
holds the same bytes at the end, whatever happened on the way.

Where the runs are made is a value: `Local(workers)`, processes of this machine; `Dask(client)`, a cluster whose
workers see the same folder; `Slurm(jobs)`, jobs of SLURM that do.  Without any of them, N machines share a sweep as a
job array: machine I runs shard (I, N).  Networks of one shape train fastest together: `Packed(train, alike, size)`
hands a function several settings at once.

A script becomes a command with these options by

    if __name__ == "__main__":
        sys.exit(main(train, settings, "drift"))
"""

from numerics.sweep._design import drawn, grid
from numerics.sweep._places import Dask, Local, Slurm
from numerics.sweep._sweep import Packed, Report, main, sweep

__all__ = ["Dask", "Local", "Packed", "Report", "Slurm", "drawn", "grid", "main", "sweep"]
