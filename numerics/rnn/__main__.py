"""Train the networks of records again: `python -m numerics.rnn FILE.npz ...`; each file keeps its recipe."""

import argparse

from numerics.rnn import load, save

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m numerics.rnn", description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="+", help="a record, as `save` of this package writes it")
    for path in parser.parse_args().files:
        recipe, before = load(path)
        run = recipe.train()
        same = all(bool((a == b).all()) for a, b in zip(run.weights, before.weights, strict=True))
        save(path, recipe, run)
        print(
            f"{path}: {run.converged.sum()} of {len(run.converged)} converged; {'the same' if same else 'other'} bits"
        )
