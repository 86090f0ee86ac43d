"""What changes when noise makes a code sparse: units, data, noise, task and activation, one factor at a time.

Bricken et al. (2023) say that noise drives pre-activations to where the activation's slope is zero, and that
sparsity grows with noise whatever is varied.  What is judged is the mean of F'(z)^2 over data and units, over its
largest: of ReLUs the fraction of active units.  z is taken without noise, for noise itself spreads it.
A reflected ReLU is max(-z, 0); saturating units are z between -1/2 and 1/2, constant beyond.
Networks of all levels start alike and see the same minibatches; those without noise are the control.  27 of each
condition are stored; some are trained here half as long, and with `--full` all of them anew.
"""

import numpy as np
import pytest
import torch

from laws import Equivalent, Trend, confront, measure
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.statistics import median_interval
from laws.judges.verdict import Panel, Series, table
from numerics.codes import ABLATIONS, ACTIVATIONS, EDGES, squared_slope

LEVELS, NETWORKS = (0.0, 0.5, 1.5), 27
FIG_8, FIG_20 = "bricken-2023, Fig. 8", "bricken-2023, App. F, Fig. 20"
FIG_21, FIGS_22_23 = "bricken-2023, App. H.1, Fig. 21", "bricken-2023, App. H.1, Figs. 22, 23"
SMOOTH = [f"{name} active, σ = {sigma:g}" for name in ("GELU", "sigmoid") for sigma in LEVELS[1:]]
SMOOTH += ["GELU dead, at any σ", "sigmoid dead, at any σ"]
TREND = Trend(LEVELS, excess=0.499)  # a miss is bounded for trends that all but one network in 1,000 show
in_most = Equivalent(0.5, runs=NETWORKS, miss=1e-3)  # a sign in most of the networks
BASE = "32 ReLUs, patches, Gaussian noise"
WHOLE = {  # the names of conditions that say too little by themselves
    "8 units": "8 ReLUs, patches, Gaussian noise",
    "96 units": "96 ReLUs, patches, Gaussian noise",
    "digits": "32 ReLUs, digits, Gaussian noise",
    "digits, classification": "32 ReLUs, classification of digits, Gaussian noise",
    "Laplace noise": "32 ReLUs, patches, Laplace noise",
    "salt and pepper": "32 ReLUs, patches, salt and pepper",
}
SMALL = ("Laplace noise", "saturating")
EVERY = [("stored", name) for name in ABLATIONS] + [("small", name) for name in SMALL]
EVERY += [pytest.param("newly trained", name, marks=pytest.mark.full) for name in ABLATIONS]
in_full = pytest.mark.parametrize(
    "studied", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)


def gathered(studied, name):
    """How noise-free pre-activations are distributed at each level of noise, and where the activation is steep."""
    one, middles = ABLATIONS[name], (EDGES[1:] + EDGES[:-1]) / 2
    steep = squared_slope(ACTIVATIONS[one.activation], torch.from_numpy(middles)).tolist()
    curves = [Series("band", middles.tolist(), steep, "F'(z)² over its largest", [0.0] * len(steep), steep)]
    for sigma, density in zip(LEVELS, studied(one, FIRST)["density"].tolist(), strict=True):
        curves.append(Series("rival", middles.tolist(), density, "no noise" if not sigma else f"σ = {sigma:g}"))
    return Panel(f"noise-free pre-activation z ({name})", "density over units and data", tuple(curves))


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("studied", "name"), EVERY, indirect=["studied"])
def test_noise_and_slopes(studied, name):
    """The louder the noise, the less steep the activation is, on average, where its units work without it."""
    row = in_turn(lambda seed: studied(ABLATIONS[name], seed)["clean"])
    run = lambda sigma, seed: float(row(seed)[LEVELS.index(sigma)])  # noqa: E731
    whole = WHOLE.get(name, name if name == BASE else f"32 {name} units, patches, Gaussian noise")
    claim = studied.of(f"{whole}: noise drives units to where the activation is less steep")
    confront(
        claim,
        lambda: -1.0,
        run,
        {},
        TREND,
        {"no trend": 0, "the other way": 1},
        labels=dict(x="noise σ", y="mean of F'(z)² over its largest, noise off", about=FIG_20),
        picture=gathered(studied, name),
    )


@in_full
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("sigma", LEVELS[:2])
def test_more_units_are_sparser(studied, sigma):
    """A smaller fraction of more units is active, under noise and, the control, without: width alone does it."""
    units = {ABLATIONS[name].units: ABLATIONS[name] for name in ("8 units", BASE, "96 units")}
    k = LEVELS.index(sigma)
    rows = {m: in_turn(lambda seed, one=one: studied(one, seed)["clean"][:, k]) for m, one in units.items()}
    under = f"under noise of {sigma:g}" if k else "without noise"
    claim = studied.of(f"of more units a smaller fraction is active {under}")
    confront(
        claim,
        lambda: -1.0,
        lambda m, seed: float(rows[m](seed)),
        {},
        Trend(tuple(units), excess=0.499),
        {"no trend": 0, "rises": 1},
        labels=dict(x="units", y=f"fraction of active units (σ = {sigma:g}, noise off)", about=FIG_21),
    )


def beyond_gaussian(studied, name, seed):
    """How much larger a share of units is active than with Gaussian noise, as a part of it; (networks, σ = 0.5, 1.5).

    Networks of one number start alike and see the same minibatches.
    """
    return (studied(ABLATIONS[name], seed)["clean"] / studied(ABLATIONS[BASE], seed)["clean"] - 1)[:, 1:]


def by_kind(studied):
    """The same against the level, for both other kinds: medians, and the range of the networks."""
    lines, levels = [], list(LEVELS[1:])
    for name in ("Laplace noise", "salt and pepper"):
        found = beyond_gaussian(studied, name, FIRST)
        middle, low, high = (np.quantile(found, q, axis=0).tolist() for q in (0.5, 0, 1))
        lines += [Series("rival", levels, middle, name), Series("run", levels, middle, "_nolegend_", low, high)]
    said = f"relative excess of active units over Gaussian noise (bars: range of {NETWORKS})"
    ticks = tuple((level, f"{level:g}") for level in levels)
    return Panel("noise σ (root mean square)", said, tuple(lines), ticks=ticks)


@in_full
@pytest.mark.timeout(7200)
def test_the_kind_of_noise(studied):
    """At equal mean square salt and pepper leaves more units active than Gaussian noise; so does loud Laplace noise."""
    each = ["Laplace noise, σ = 1.5", "salt and pepper, σ = 0.5", "salt and pepper, σ = 1.5"]

    def signs(seed):
        laplace, grains = (beyond_gaussian(studied, name, seed) for name in ("Laplace noise", "salt and pepper"))
        return np.sign(np.concatenate([laplace[:, 1:], grains], axis=1))

    confront(
        studied.of("at equal mean square noise of rare large values leaves more units active than Gaussian noise"),
        lambda: np.ones(len(each)),
        in_turn(signs),
        {},
        in_most,
        {"the mean square alone counts": 0.0, "fewer than Gaussian": -1.0},
        labels=dict(runs=each, y="sign of (active units − with Gaussian noise)", about=FIG_21),
        picture=by_kind(studied),
    )


@in_full
@pytest.mark.timeout(7200)
def test_weak_laplace_noise(studied):
    """Laplace noise of 0.5 leaves as many units active as Gaussian noise, but for a tenth of them at most."""
    rivals = {
        "as many more as with salt and pepper": lambda: np.median(
            beyond_gaussian(studied, "salt and pepper", FIRST)[:, 0]
        ),
        "as many more as at 1.5": lambda: np.median(beyond_gaussian(studied, "Laplace noise", FIRST)[:, 1]),
    }
    confront(
        studied.of("Laplace noise of 0.5 leaves as many units active as Gaussian noise, within a tenth of them"),
        lambda: 0.0,
        in_turn(lambda seed: beyond_gaussian(studied, "Laplace noise", seed)[:, 0]),
        {},
        Equivalent(0.1, runs=NETWORKS, miss=1e-3),
        rivals,
        labels=dict(y="relative excess of active units over Gaussian noise (σ = 0.5)", about=FIG_21),
        picture=by_kind(studied),
    )


@in_full
@pytest.mark.timeout(7200)
def test_classifiers_are_less_sparse(studied, differences):
    """Noise takes less activity from networks that classify digits than from those that reconstruct them."""

    def falls(seed):
        each = (studied(ABLATIONS[name], seed)["clean"] for name in ("digits", "digits, classification"))
        return np.stack([clean[:, 0] - clean[:, 2] for clean in each], axis=-1)

    confront(
        studied.of("noise makes classifiers less sparse than autoencoders"),
        lambda: 1.0,
        in_turn(lambda seed: -np.sign(np.diff(falls(seed))[:, 0])),
        {},
        in_most,
        {"as sparse": 0.0, "sparser": -1.0},
        labels=dict(y="sign of (what noise of 1.5 takes from autoencoders − from classifiers)", about=FIG_8),
        picture=differences(
            np.concatenate([falls(FIRST), -np.diff(falls(FIRST))], axis=1),
            ["autoencoders", "classifiers", "autoencoders − classifiers"],
            "what noise of 1.5 takes from the fraction of active units (digits)",
        ),
    )


@in_full
@pytest.mark.timeout(7200)
def test_smooth_units(studied, differences):
    """By the published count, |activity| > 1e-4, noise silences GELU units one time in a hundred, sigmoid units never.

    None dies.  Of both it is published that they grow sparse with noise, less than ReLUs do (Figs. 22, 23), and that
    symmetric units, sigmoid and tanh, do not (Model Ablations and Generalization).  A table has the counts.
    """
    names = ("GELU", "sigmoid")

    def changes(seed):
        gelu, sigmoid = (studied(ABLATIONS[name], seed) for name in names)
        active = [of["active"][:, 1:] - of["active"][:, :1] for of in (gelu, sigmoid)]
        deaths = [of["dead"].max(1, keepdims=True) for of in (gelu, sigmoid)]
        return np.concatenate([*active, *deaths], axis=1)

    confront(
        studied.of("by the published count noise makes GELU units sparser, not sigmoid units, and kills neither"),
        lambda: np.array([-1.0, -1.0, 0.0, 0.0, 0.0, 0.0]),
        in_turn(lambda seed: np.sign(changes(seed))),
        {},
        in_most,
        {
            "GELU units stay active": 0.0,
            "sigmoid units sparsify too, as Fig. 23 has it": np.array([-1.0, -1.0, -1.0, -1.0, 0.0, 0.0]),
            "units die": np.array([-1.0, -1.0, 0.0, 0.0, 1.0, 1.0]),
        },
        labels=dict(runs=SMOOTH, y="sign of the change of active units, or of dead ones", about=FIGS_22_23),
        picture=differences(changes(FIRST), SMOOTH, "change of the fraction of active units by noise, or dead units"),
    )


@in_full
@pytest.mark.timeout(7200)
def test_table_of_counts(studied):
    """Measured: active units by the published count, noise on, of ReLUs and of smooth units."""
    names = (BASE, "GELU", "ELU", "tanh", "sigmoid")
    found = {name: studied(ABLATIONS[name], FIRST)["active"] for name in names}
    lines = [["units", "no noise", "σ = 0.5", "σ = 1.5", "1.5 − none"]]
    for name, active in found.items():
        lines.append([name, *map(interval, active.T), interval(active[:, 2] - active[:, 0])])
    measure(
        studied.of("how many fewer units are active by the published count with noise of 1.5"),
        change_by_line(studied, names, "active"),
        range(1, 1 + len(names)),
        runs=NETWORKS,
        labels=dict(x="activation", y="change of the fraction with |activity| > 1e-4", names=names),
        picture=table(lines, f"fraction with |activity| > 1e-4: medians of {NETWORKS} networks [99.8 % intervals]"),
    )


def change_by_line(studied, names, what):
    """What noise of 1.5 changes of a measure: a run of the line of a table, counted from 1, and a seed."""
    rows = [in_turn(lambda seed, one=ABLATIONS[name]: studied(one, seed)[what]) for name in names]

    def change(line, seed):
        at_levels = rows[line - 1](seed)
        return float(at_levels[LEVELS.index(1.5)] - at_levels[0])

    return change


def interval(values):
    """Median, and an interval that holds it but for two in a thousand times."""
    low, high = median_interval(values, 1e-3)
    return f"{np.median(values):.3f}\n[{low:.3f}, {high:.3f}]"


def lines(studied):
    """All conditions: the slope where units work at each level, what noise changes of it, and both arrows."""
    found = [["", "no noise", "σ = 0.5", "σ = 1.5", "1.5 − none", "noise on, 1.5", "paper", "here"]]
    for name, one in ABLATIONS.items():
        clean, noisy = (studied(one, FIRST)[of] for of in ("clean", "noisy"))
        change = clean[:, 2] - clean[:, 0]
        low, high = median_interval(change, 1e-3)
        here = "falls" if high < 0 else "rises" if low > 0 else "unresolved"
        found.append([name, *map(interval, clean.T), interval(change), interval(noisy[:, 2]), "falls", here])
    return found


@in_full
@pytest.mark.timeout(7200)
def test_table(studied):
    """Measured: all conditions beside each other, with the paper's arrow and ours."""
    note = f"mean of F'(z)² over its largest: medians of {NETWORKS} networks [99.8 % intervals], noise off unless said"
    measure(
        studied.of("what does noise of 1.5 change under each condition"),
        change_by_line(studied, ABLATIONS, "clean"),
        range(1, 1 + len(ABLATIONS)),
        runs=NETWORKS,
        labels=dict(x="condition", y="change of the mean of F'(z)² by noise", names=list(ABLATIONS)),
        picture=table(lines(studied), note),
    )
