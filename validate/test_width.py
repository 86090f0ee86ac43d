"""The coordinate check: tanh networks of many widths, trained for a few steps, against the exponents of the theory."""

from functools import cache

import numpy as np
import pytest

from laws import Exponent, Roundoff, confront
from laws.judges.verdict import Panel, Series
from numerics.rnn import Adam, GradientDescent, MaximalUpdate, Standard, coordinate_check
from theory.recurrent import (
    MAXIMAL_UPDATE,
    RICHNESS,
    STANDARD,
    feature_change,
    initial_output,
    output_change,
    weight_change,
)

WIDTHS = (128, 256, 512, 1024)
GAMMAS = (1e-4, 1e-3, 1e-2, 1e-1)
SIZES = (1e-5, 1e-4, 1e-3, 1e-2)  # of one tenth rates are a sixth short of its square
descent, adam = (
    GradientDescent(1e-2),
    Adam(1e-2, epsilon=1e-14),
)  # an epsilon that no gradient of a wide network comes near
LAWS = dict(weights=weight_change, rates=feature_change, outputs=output_change, first=initial_output)
SAID = dict(weights="recurrent weights", rates="rates", outputs="outputs", first="first output")


# How a network of a family is made at a level of its width, richness, or size of inputs.
FAMILIES = {
    "maximal update, Adam": lambda n: (MaximalUpdate(int(n), tau=0.5), adam, 0.2),
    "maximal update, gradient descent": lambda n: (MaximalUpdate(int(n), tau=0.5), descent, 0.2),
    "standard, Adam": lambda n: (Standard(int(n)), Adam(1e-6, epsilon=1e-40), 0.2),
    "richness": lambda gamma: (MaximalUpdate(64, gamma=float(gamma), tau=0.5), descent, 0.2),
    "size of inputs": lambda size: (MaximalUpdate(64, gamma=0.01, tau=0.5), descent, float(size)),
}


@cache
def checked(network, by, size, seed, steps):
    """One network's changes."""
    return coordinate_check(network, by, seed=seed, size=size, steps=steps)


def arguments(law, setting):
    """What a law needs of the exponents of a setting; the change d of rates is what their own law says."""
    d = feature_change(**{k: setting[k] for k in "mqr"})
    return {x.name: {**setting, "d": d}[x.name] for x in law.symbols}


def scaling(family, quantity):
    """The run of one quantity."""
    return lambda level, seed: getattr(checked(*FAMILIES[family](level), seed, 3), quantity)


def shown(quantity, x="width N", levels=WIDTHS, families=("maximal update, Adam", "standard, Adam")):
    """The coordinate check as a picture: each family, divided by its value at the first level."""
    series = []
    for i, family in enumerate(families):
        values = np.array([[scaling(family, quantity)(n, seed) for n in levels] for seed in range(6)])
        values /= np.median(values[:, 0])
        middle = np.median(values, axis=0).tolist()
        spread = dict(low=values.min(0).tolist(), high=values.max(0).tolist())
        if i:
            series.append(Series("rival", list(levels), middle, family))
        else:
            series.append(Series("run", list(levels), middle, f"{family}, median and range of 6", **spread))
    what = "" if quantity == "first" else "change of "
    return Panel(x, f"{what}{SAID[quantity]}, relative", tuple(series), "xy")


def goes(quantity, setting, by):
    """What a law says of a quantity, in words."""
    power = float(LAWS[quantity](**arguments(LAWS[quantity], setting)))
    what = "the first output" if quantity == "first" else f"the change of {SAID[quantity]}"
    return f"{what} goes as the power {power:g} of the {by}" if power else f"{what} does not depend on the {by}"


def told_apart(law, setting, others):
    """What a law says of other settings, where it is something else; of first outputs, if their terms had one sign."""
    if law is initial_output:
        others = {**others, "a first output of terms of one sign": dict(setting, m=2 * setting["m"])}
    said = {name: law(**arguments(law, other)) for name, other in others.items()}
    rivals = {name: value for name, value in said.items() if value != law(**arguments(law, setting))}
    if not rivals:
        raise ValueError(f"{law.name}: none of {list(others)} differs from the law")
    return rivals


def confront_exponent(claim, run, quantity, setting, others, levels, detects, picture, x="width N", runs=60):
    """One law of scaling, against the exponents that other settings would have; the axis tells its exponents."""
    law = LAWS[quantity]
    judge, rivals = Exponent(levels, detects, runs), told_apart(law, setting, others)
    about = "" if setting is STANDARD else "huang-2025, sec. 3.2.2"
    told = ", ".join(f"{name} = {value:g}" for name, value in arguments(law, setting).items())
    drawn = dict(x=f"{x} ({told})", y=("" if quantity == "first" else "change of ") + SAID[quantity], about=about)
    confront(claim, law, run, arguments(law, setting), judge, rivals, labels=drawn, picture=picture)


@pytest.mark.parametrize("quantity", ["rates", "outputs", "first"])
def test_maximal_update(quantity):
    """Under Adam, maximal update: the changes keep their size at any width, first outputs shrink as its root."""
    claim = f"maximal update, Adam: {goes(quantity, MAXIMAL_UPDATE, 'width')}"
    family, others = "maximal update, Adam", {"standard": STANDARD}
    confront_exponent(claim, scaling(family, quantity), quantity, MAXIMAL_UPDATE, others, WIDTHS, 0.1, shown(quantity))


@pytest.mark.parametrize("quantity", ["weights", "rates", "outputs"])
def test_maximal_update_descent(quantity):
    """Under gradient descent, at its own rates, networks change alike at any width, too: to a power of 0.2."""
    claim = f"maximal update, gradient descent: {goes(quantity, MAXIMAL_UPDATE, 'width')}"
    family, others, widths = "maximal update, gradient descent", {"standard": STANDARD}, (64, *WIDTHS[:3])
    picture = shown(quantity, levels=widths, families=(family, "maximal update, Adam"))
    confront_exponent(claim, scaling(family, quantity), quantity, MAXIMAL_UPDATE, others, widths, 0.2, picture)


@pytest.mark.parametrize("quantity", ["rates", "outputs", "first"])
def test_standard(quantity):
    """In the standard parameterisation at one learning rate wide networks change ever more, and their outputs most."""
    claim = f"standard, Adam: {goes(quantity, STANDARD, 'width')}"
    family, others = "standard, Adam", {"maximal update": MAXIMAL_UPDATE}
    picture = shown(quantity, families=(family, "maximal update, Adam"))
    confront_exponent(claim, scaling(family, quantity), quantity, STANDARD, others, WIDTHS, 0.1, picture)


def test_standard_weights():
    """Adam's first step changes every standard weight by its learning rate, so that their norm grows as the width."""
    widths = WIDTHS[:3]

    def run(seed):
        sizes = [[checked(*FAMILIES["standard, Adam"](n), s, 1).weights for n in widths] for s in range(3)]
        return np.diff(np.log2(sizes), axis=1)  # from one width to twice that

    at, rivals = arguments(weight_change, STANDARD), {"maximal update": weight_change(m=1.0, q=1.0)}
    judge = Roundoff(operations=widths[-1] ** 2, condition=1 / 1e-6)  # weights below 1 that move by 1e-6
    picture = shown("weights", levels=widths, families=("standard, Adam", "maximal update, Adam"))
    claim = f"standard, Adam, first step: {goes('weights', STANDARD, 'width')}"
    drawn = dict(y=f"exponent of recurrent weights (m = {STANDARD['m']:g}, q = {STANDARD['q']:g})")
    confront(claim, weight_change, run, at, judge, rivals, labels=drawn, picture=picture)


def independent(family, quantity, levels):
    """The run of one quantity in networks that have nothing in common from level to level, as those of a width."""
    own = {level: k for k, level in enumerate(levels)}
    draw = lambda level, seed: int(np.random.SeedSequence([seed, own[level]]).generate_state(1)[0])  # noqa: E731
    run = scaling(family, quantity)
    return lambda level, seed: run(level, draw(level, seed))


@pytest.mark.parametrize("quantity", ["weights", "rates", "outputs"])
def test_richness(quantity):
    """While gamma is small, weights and rates change in proportion to it, and outputs by as much at any gamma."""
    claim = goes(quantity, RICHNESS, "richness γ")
    slower = dict(RICHNESS, q=0.0)  # as if the learning rate did not grow with gamma
    others = {"a learning rate without gamma": slower, "an output without 1/gamma": dict(RICHNESS, p=0.0)}
    run = independent("richness", quantity, GAMMAS)
    confront_exponent(claim, run, quantity, RICHNESS, others, GAMMAS, 0.1, None, "richness γ, the N of the law", 100)


@pytest.mark.parametrize("quantity", ["weights", "rates", "outputs", "first"])
def test_size_of_inputs(quantity):
    """Small inputs have gradients and rates in proportion to them, so that rates change with the square."""
    setting = dict(m=0.0, p=0.0, q=-1.0, r=-1.0)
    claim = goes(quantity, setting, "size of inputs")
    others = {"gradients of one size": dict(setting, q=0.0), "rates of one size": dict(setting, r=0.0)}
    run = independent("size of inputs", quantity, SIZES)
    confront_exponent(claim, run, quantity, setting, others, SIZES, 0.1, None, "size of inputs, the N of the law", 100)
