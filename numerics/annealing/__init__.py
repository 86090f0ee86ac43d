"""Noise for the first half of training, then less and less, then none: what is left of it in networks of some kinds.

Perceptrons with one hidden layer and with three, and convolutional networks, learn some digits under noise on their
input, or before another layer, and are asked about the others; autoencoders learn to give these digits back;
transformers learn the names of characters with noise in front of every perceptron in them.  Networks of one kind train
side by side, some at each level of noise, each from its own start.

    python -m numerics.annealing --folder FOLDER

trains what FOLDER does not hold yet of `STUDIES`, by kind and algorithm, and of `DEEP`, three hidden layers with
noise before one of them, in some four minutes of one core, and goes on after an interruption.
"""

from numerics.annealing._study import BEFORE, DEEP, END, FALLS, LEVELS, RECORDS, RULES, STUDIES, Study, run

__all__ = ["BEFORE", "DEEP", "END", "FALLS", "LEVELS", "RECORDS", "RULES", "STUDIES", "Study", "run"]
