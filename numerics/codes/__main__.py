"""All studies from the command line: python -m numerics.codes."""

import sys

from numerics.codes import ABLATIONS, METHODS, TRIALS, run
from numerics.sweep import main

if __name__ == "__main__":
    sys.exit(main(run, [*ABLATIONS.values(), *TRIALS, *METHODS.values()], "codes"))
