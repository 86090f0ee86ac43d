"""Train the networks of a record again: `python -m numerics.rnn FILE.npz`, which keeps the recipe and the path."""

import sys

from numerics.rnn import load, save

for path in sys.argv[1:]:
    recipe, before = load(path)
    run = recipe.train()
    same = all((a == b).all() for a, b in zip(run.weights, before.weights, strict=True))
    save(path, recipe, run)
    print(f"{path}: {run.converged.sum()} of {len(run.converged)} converged; {'the same' if same else 'other'} bits")
