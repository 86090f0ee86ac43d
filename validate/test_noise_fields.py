"""Fields of sparse codes by method, strength and time.

Gabor functions, centres with a surround and blobs are fitted to the same fields (`numerics.fields`), and a field is
told to be of the kind that explains it best by the criterion of Bayes, if that kind explains more of it than of 99 in
100 fields of white noise in the same space (`test_planted_fields` has how far this tells kinds apart).  Networks before
training are the null, and networks trained without noise the control.  Bricken et al. (2023) saw Gabor functions, and a
transition to centres as noise grows; under L1 Gabor functions alone.  Twenty networks of every method and strength are
stored, and with `--full` trained anew; what the codes cost stands in `test_noise_baselines`.
"""

from itertools import pairwise

import numpy as np
import pytest

from laws import Equivalent, confront, measure
from laws.judges import in_turn
from laws.judges.seeding import FIRST
from laws.judges.verdict import Panel, Series, table
from numerics.codes import CONTROL, METHODS, SIGMAS, STAGES, STRENGTHS, chance
from numerics.codes._ablations import natural
from numerics.codes._fields import COMPONENTS, SIDE
from numerics.fields import FAMILIES, KINDS, explained, mosaic, told

NETWORKS = 20
APP_C, APP_D, FIG_12 = "bricken-2023, App. C", "bricken-2023, App. D", "bricken-2023, App. C, Fig. 12"
FIG_5, FIG_7, FIG_8 = (f"bricken-2023, Fig. {k}" for k in (5, 7, 8))
SHOWN = (0.3, 0.8, 1.5, 3.0)  # levels of noise in pictures
FRONTIERS = ("noise", "L1, unit decoders", "L1", "top k")
SECOND = [(method, STRENGTHS[method][-2]) for method in FRONTIERS]  # strengths, counted from the sparsest
in_most = Equivalent(0.5, runs=NETWORKS, miss=1e-3)  # a sign in most of the networks
in_full = pytest.mark.parametrize(
    "studied", ["stored", pytest.param("newly trained", marks=pytest.mark.full)], indirect=True
)
long = pytest.mark.timeout(7200)


def share(studied, method, strength, kind, seed=FIRST):
    """The share of every network's fields of one kind, (stages, networks)."""
    found = studied(METHODS[method, strength], seed)
    return told({name: found[name] for name in FAMILIES}, COMPONENTS, chance())[kind].mean(-1)


def gabor(studied, method, strength, seed):
    """The mean Gabor R^2 of every network's fields at each stage, (stages, networks)."""
    return studied(METHODS[method, strength], seed)["gabor"].mean(-1)


# -- noise -----------------------------------------------------------------------------------------------


def by_level(studied):
    """Mean Gabor R^2 and the share of each kind against the noise: means and standard errors; and shares untrained."""
    explains = [float(gabor(studied, "noise", sigma, FIRST)[-1].mean()) for sigma in SIGMAS]
    quiet = gabor(studied, *CONTROL, FIRST)[-1].mean()
    lines, before = [Series("rival", list(SIGMAS), explains, "mean Gabor R², which is judged")], []
    for kind, name in KINDS.items():
        each = np.array([share(studied, "noise", sigma, kind) for sigma in SIGMAS])
        middle, error = each[:, -1].mean(-1), each[:, -1].std(-1, ddof=1) / NETWORKS**0.5
        ends = (middle - error).tolist(), (middle + error).tolist()
        lines.append(Series("rival", list(SIGMAS), middle.tolist(), name))
        lines.append(Series("run", list(SIGMAS), middle.tolist(), "_nolegend_", *ends))
        before.append(each[:, 0].mean(-1).max())
    ends, most = [SIGMAS[0], SIGMAS[-1]], float(max(before))
    lines.append(Series("band", ends, [most] * 2, "of any kind, untrained", [0.0] * 2, [most] * 2))
    said = "mean R², and share of fields of each kind (bars: ± standard error)"
    return Panel(f"noise σ (without any: mean Gabor R² {quiet:.2f})", said, tuple(lines), "x")


def seen(studied):
    """The fields of one network at some levels of noise."""
    tiles = []
    for sigma in SHOWN:
        gabors, centres = (100 * share(studied, "noise", sigma, kind)[-1].mean() for kind in ("gabor", "centre"))
        others = 100 * smooth_alone(studied, sigma)
        name = f"σ = {sigma:g}: {gabors:.0f} % Gabor, {centres:.0f} % centres; {others:.0f} %"
        tiles.append(Series("image", [], [], name, tiled(studied, "noise", sigma)))
    said = "48 fields of one network each; %: told of the fields of all networks, blobs to be one or the other; "
    said += "last: told Gabor of these 48 if their phases are those of white noise"
    return Panel(said, "", tuple(tiles))


def smooth_alone(studied, sigma):
    """Of the fields of one network, with phases of white noise, in the space of the data: the share told Gabor."""
    fields = studied(METHODS["noise", sigma], FIRST)["fields"].astype(float)
    phases = np.angle(np.fft.rfft2(np.random.default_rng(FIRST).normal(size=fields.shape)))
    other = np.fft.irfft2(np.abs(np.fft.rfft2(fields)) * np.exp(1j * phases), s=(SIDE, SIDE)).reshape(len(fields), -1)
    basis = natural(COMPONENTS).basis.double().numpy()
    seen = (other @ basis.T @ basis).reshape(fields.shape)
    return told(explained(seen), COMPONENTS, chance())["gabor"].mean()


def tiled(studied, method, strength):
    """The fields of one network."""
    return np.round(mosaic(studied(METHODS[method, strength], FIRST)["fields"].astype(float), 8), 2).tolist()


@in_full
@long
def test_gabors_come_with_noise(studied):
    """Gabor functions explain more of the fields at σ = 0.8 than without noise or at 0.3, and more at 1.5 than at 0.8.

    Of noise of 0.8 they explain more than of networks trained without any, the control.
    """

    def signs(seed):
        found = [gabor(studied, "noise", sigma, seed)[-1] for sigma in (0.3, 0.8, 1.5, CONTROL[1])]
        return np.sign([found[1] - found[3], found[1] - found[0], found[2] - found[1]]).T

    confront(
        studied.of("Gabor functions explain more of the fields as noise grows to 1.5"),
        lambda: np.ones(3),
        in_turn(signs),
        {},
        in_most,
        {"no more": 0.0, "from some noise on": np.array([1.0, 0.0, 0.0])},
        labels=dict(
            runs=["no noise to σ = 0.8", "σ = 0.3 to 0.8", "σ = 0.8 to 1.5"],
            y="sign of the change of mean R²",
            about=APP_C,
        ),
        picture=by_level(studied),
    )


def along(studied, methods):
    """The mean Gabor R^2 along training, medians of the networks; at step 0 they are untrained."""
    lines = []
    for method, strength in methods:
        middle = np.median(gabor(studied, method, strength, FIRST), axis=1).tolist()
        lines.append(Series("rival", list(STAGES), middle, f"{method} {strength:g}"))
    return Panel("step of training", f"mean Gabor R², median of {NETWORKS}", tuple(lines))


@in_full
@long
def test_gabors_come_with_time(studied):
    """At noise of 1.5 Gabor functions explain more of the fields after a third of training, and more at its end."""
    confront(
        studied.of("Gabor functions explain more of the fields as training goes on"),
        lambda: np.ones(2),
        in_turn(lambda seed: np.sign(np.diff(gabor(studied, "noise", 1.5, seed)[[0, 2, 3]], axis=0)).T),
        {},
        in_most,
        {"from the start": 0.0, "they grow unlike them": -1.0},
        labels=dict(
            runs=["to step 500", "from then to 1500"], y="sign of the change of mean R² (σ = 1.5)", about=FIG_12
        ),
        picture=along(studied, [("noise", sigma) for sigma in SIGMAS]),
    )


@in_full
@long
def test_centres_stay_rare(studied):
    """Noise of 1.5 and of 3: more fields are told Gabor functions than centres; of blobs, half are told to be either.

    So these fits see no transition to centres with a surround.  That is so of the fields of both levels together; six
    fields of a network at one level are often as many of either. Planted centres are told to be centres nine times in
    ten or more, blobs never to be blobs: in the space of the data they are none (see the table of planted fields).
    """

    def signs(seed):
        of_gabors, of_centres = (
            np.sum([share(studied, "noise", level, kind, seed)[-1] for level in (1.5, 3.0)], axis=0)
            for kind in ("gabor", "centre")
        )
        return np.sign(of_gabors - of_centres)

    confront(
        studied.of("with loud noise more fields are told to be Gabor functions, or long blobs, than centres"),
        1.0,
        in_turn(signs),
        {},
        in_most,
        {"centres take over, as the paper has it": -1.0, "as many": 0.0},
        labels=dict(y="sign of (share of Gabor functions − of centres), σ = 1.5 and 3 together", about=FIG_7),
        picture=seen(studied),
    )


@in_full
@long
def test_fields_go_with_the_noise(studied, differences):
    """Gabor functions explain less of the fields of networks whose noise is annealed than where it stays."""
    levels = (0.8, 1.5)

    def gaps(seed):
        ends = [[gabor(studied, m, sigma, seed)[-1] for sigma in levels] for m in ("noise, then none", "noise")]
        return np.subtract(*ends).T

    confront(
        studied.of("Gabor functions explain less of the fields once the noise is annealed than where it stays"),
        lambda: -np.ones(len(levels)),
        in_turn(lambda seed: np.sign(gaps(seed))),
        {},
        in_most,
        {"they stay": 0.0, "they grow on": 1.0},
        labels=dict(runs=["σ = 0.8", "σ = 1.5"], y="sign of (mean R² at the end − where noise stays)", about=FIG_8),
        picture=differences(gaps(FIRST), ["σ = 0.8", "σ = 1.5"], "mean Gabor R² at the end − where noise stays"),
    )


def given_back(studied, method, strength):
    """Eight patches, what a network saw of them, and what it made of it, in three rows."""
    rows = studied(METHODS[method, strength], FIRST)["rebuilt"].astype(float).swapaxes(0, 1).reshape(-1, SIDE, SIDE)
    return np.round(mosaic(rows, 8), 2)


def rebuilt(studied):
    """The same at some levels of noise."""
    tiles = [Series("image", [], [], f"σ = {sigma:g}", given_back(studied, "noise", sigma).tolist()) for sigma in SHOWN]
    return Panel(
        "rows: held-out patch, with noise, what one network makes of it; each scaled by itself", "", tuple(tiles)
    )


@in_full
@long
def test_sparser_codes_lose_more(studied):
    """At every higher level of noise fewer units are active, and more is lost of patches without noise."""

    def signs(seed):
        found = [studied(METHODS["noise", sigma], seed) for sigma in SIGMAS]
        changes = [np.sign(np.diff([one[of] for one in found], axis=0)).T for of in ("active", "loss")]
        return np.concatenate(changes, axis=1)

    steps = len(SIGMAS) - 1
    confront(
        studied.of("the louder the noise the sparser the code and the more it loses"),
        lambda: np.repeat([-1.0, 1.0], steps),
        in_turn(signs),
        {},
        in_most,
        {"sparse for nothing": np.repeat([-1.0, 0.0], steps), "the other way": np.repeat([1.0, -1.0], steps)},
        labels=dict(
            runs=[f"{of}, σ = {a:g} to {b:g}" for of in ("active units", "loss") for a, b in pairwise(SIGMAS)],
            y="sign of the change",
            about=FIG_5,
        ),
        picture=rebuilt(studied),
    )


# -- other methods ---------------------------------------------------------------------------------------


def by_activity(studied):
    """The mean Gabor R^2 against activity, all methods and strengths: medians and ranges; and before training."""
    series = []
    for method in FRONTIERS:
        each = [(method, strength) for strength in STRENGTHS[method]]
        at = [float(np.median(studied(METHODS[one], FIRST)["active"])) for one in each]
        ends = np.array([np.quantile(gabor(studied, *one, FIRST)[-1], (0.5, 0, 1)) for one in each]).T.tolist()
        series += [Series("rival", at, ends[0], method), Series("run", at, ends[0], "_nolegend_", *ends[1:])]
    low, middle, high = np.quantile(gabor(studied, "noise", SIGMAS[0], FIRST)[0], (0, 0.5, 1)).tolist()
    series.append(Series("band", [0.01, 0.6], [middle] * 2, "untrained, range", [low] * 2, [high] * 2))
    return Panel(
        "fraction of active units, noise off", f"mean Gabor R² (bars: range of {NETWORKS})", tuple(series), "x"
    )


@in_full
@long
def test_gabors_come_by_every_method(studied):
    """By every method, at its second strength from the sparsest, Gabor functions explain more than before training."""

    def signs(seed):
        each = (gabor(studied, *one, seed) for one in SECOND)
        return np.sign([found[-1] - found[0] for found in each]).T

    confront(
        studied.of("Gabor functions explain more of the fields of sparse codes, by any method, than before training"),
        lambda: np.ones(len(FRONTIERS)),
        in_turn(signs),
        {},
        in_most,
        {"as untrained": 0.0, "by noise alone": np.array([1.0, 0.0, 0.0, 0.0])},
        labels=dict(runs=list(FRONTIERS), y="sign of (mean Gabor R² − before training)", about=APP_D),
        picture=by_activity(studied),
    )


def of_each_method(studied):
    """What one network of each method, at its second strength from the sparsest, gives back, and its fields."""
    tiles = []
    for one in SECOND:
        patches, fields = given_back(studied, *one), np.array(tiled(studied, *one))
        gap = np.full((2, fields.shape[1]), np.nan)
        name = f"{one[0]} {one[1]:g}: {100 * share(studied, *one, 'gabor')[-1].mean():.0f} %"
        tiles.append(Series("image", [], [], name, np.concatenate([patches, gap, fields]).tolist()))
    said = "rows: patch, as seen, given back; below: 48 fields of one network; %: share of Gabor fields, all networks"
    return Panel(said, "", tuple(tiles))


@in_full
@long
def test_dense_codes_are_less_gabor_like(studied):
    """Of networks trained without noise, penalty or limit, the control, Gabor functions explain less of the fields."""

    def signs(seed):
        control = gabor(studied, *CONTROL, seed)[-1]
        return np.sign([gabor(studied, *one, seed)[-1] - control for one in SECOND]).T

    confront(
        studied.of("Gabor functions explain more of the fields of sparse codes, by any method, than of dense ones"),
        lambda: np.ones(len(FRONTIERS)),
        in_turn(signs),
        {},
        in_most,
        {"training makes them": 0.0, "by noise alone": np.array([1.0, 0.0, 0.0, 0.0])},
        labels=dict(runs=list(FRONTIERS), y="sign of (mean Gabor R² − of dense codes)"),
        picture=of_each_method(studied),
    )


@in_full
@long
@pytest.mark.parametrize("kind", ["gabor", "centre"])
def test_table_of_fields(studied, kind):
    """Measured: which share of the fields is of one kind, by method, strength and time; untrained at step 0."""
    lines = [["method", "strength", *(f"step {step}" for step in STAGES)]]
    rows: dict[int, object] = {}
    for method, strength in METHODS:
        found = share(studied, method, strength, kind)
        each = zip(found.mean(-1), found.std(-1, ddof=1) / NETWORKS**0.5, strict=True)
        lines.append([method, f"{strength:g}", *(f"{m:.2f} ± {error:.2f}" for m, error in each)])
        one = in_turn(lambda seed, m=method, s=strength: share(studied, m, s, kind, seed)[-1])
        rows[len(rows) + 1] = one
    paper = "paper: under noise Gabor functions from .1 on, then centres, more so with time; under L1 no centres"
    measure(
        studied.of(f"which share of fields are {KINDS[kind]}, by method, strength and time"),
        lambda k, seed: float(rows[k](seed)),
        tuple(rows),
        runs=NETWORKS,
        labels=dict(
            x="method and strength", y=f"share that are {KINDS[kind]}", names=[f"{m}, {s:g}" for m, s in METHODS]
        ),
        picture=table(lines, f"mean shares ± their standard errors, of 6 fields each of {NETWORKS} networks; {paper}"),
    )
