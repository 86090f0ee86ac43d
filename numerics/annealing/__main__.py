"""All studies from the command line: python -m numerics.annealing."""

import sys

from numerics.annealing import DEEP, STUDIES, run
from numerics.sweep import main

if __name__ == "__main__":
    sys.exit(main(run, [*STUDIES.values(), *DEEP.values()], "annealed"))
