"""Autoencoders and classifiers that see their input through noise, really trained.

A network y = W_d F(W_e x + b_e) + b_d learns to give x back from x + eps.  Gaussian, Laplace and
salt-and-pepper noise, any activation, one bias for all units, L1 and top-k baselines, SGD, Adam and
Adam that skips silent units; the noise may be annealed.  Deeper networks have it before any of their layers:
perceptrons, a convolutional network, a transformer.  Leading axes of the weights run over networks, which train side
by side on their own minibatches and noise.
"""

from numerics.noise._activity import DEAD, Activity, activity, sampled_loss
from numerics.noise._average import noise_average, sparse_code
from numerics.noise._convolution import Convolutional, convolutional
from numerics.noise._layers import Disturbed, LayerActivity, Perceptron, accuracy, layer_activity, mean_cost, perceptron
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
from numerics.noise._training import SGD, Adam, Momentum, Schedule, SparseAdam, train
from numerics.noise._transformer import Transformer, transformer

__all__ = [
    "Activity", "Adam", "Autoencoder", "Convolutional", "DEAD", "Disturbed", "Gaussian", "JacobianPenalty",
    "Laplace", "LayerActivity", "Marginalised", "Momentum", "NOISELESS", "Part", "Perceptron", "SGD",
    "SaltAndPepper", "Sampled", "Schedule", "SparseAdam", "TopK", "Transformer", "UnitNorm", "accuracy", "activity",
    "convolutional", "cross_entropy", "double", "initial", "layer_activity", "mean_cost", "noise_average", "perceptron",
    "reflected", "sampled_loss", "saturating", "sparse_code", "squared_error", "train", "transformer", "unit_norm",
]  # fmt: skip
