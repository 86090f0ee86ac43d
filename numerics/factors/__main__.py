"""Train and compare what a folder does not hold yet: `python -m numerics.factors [--published] --folder FOLDER`."""

import sys

from numerics.factors import compared, conditions, forecast, published
from numerics.sweep import main

if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--published"]
    if "--published" not in sys.argv:
        sys.exit(main(compared, conditions(), "factors", arguments))
    if not {"-h", "--help"} & set(arguments):
        print(forecast(published()), flush=True)
    sys.exit(main(compared, published(), "factors-published", arguments))
