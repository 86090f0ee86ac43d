"""Autoencoders and classifiers that see their input through noise, really trained.

A network y = W_d F(W_e x + b_e) + b_d learns to give x back from x + eps.  Gaussian, Laplace and
salt-and-pepper noise, any activation, one bias for all units, L1 and top-k baselines, SGD, Adam and
Adam that skips silent units; the noise may be annealed.  Leading axes of the weights run over networks, which
train side by side on their own minibatches and noise.
"""

from numerics.noise._activity import DEAD, Activity, activity, sampled_loss
from numerics.noise._average import noise_average, sparse_code
from numerics.noise._layers import Disturbed, LayerActivity, Perceptron, accuracy, layer_activity, perceptron
from numerics.noise._network import (
    Autoencoder,
    Gaussian,
    Laplace,
    SaltAndPepper,
    TopK,
    cross_entropy,
    double,
    initial,
    reflected,
    saturating,
    squared_error,
)
from numerics.noise._objectives import NOISELESS, JacobianPenalty, Marginalised, Part, Sampled, UnitNorm, unit_norm
from numerics.noise._training import SGD, Adam, Schedule, SparseAdam, train

__all__ = [
    "Activity", "Adam", "Autoencoder", "DEAD", "Disturbed", "Gaussian", "JacobianPenalty", "Laplace",
    "LayerActivity", "Marginalised", "NOISELESS", "Part", "Perceptron", "SGD", "SaltAndPepper", "Sampled",
    "Schedule", "SparseAdam", "TopK", "UnitNorm", "accuracy", "activity", "cross_entropy", "double", "initial",
    "layer_activity", "noise_average", "perceptron", "reflected", "sampled_loss", "saturating", "sparse_code",
    "squared_error", "train", "unit_norm",
]  # fmt: skip
