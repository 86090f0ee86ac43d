"""The corridor is what its text says, tuning curves tell what was planted in them, and a killed run goes on."""

import dataclasses
import math
import signal
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import norm

from numerics import ensemble
from numerics.corridor import (
    Corridor,
    Networks,
    activities,
    decoding_error,
    described,
    hits,
    load,
    occupancy,
    phases,
    place_cells,
    places,
    population_correlation,
    rate_maps,
    run,
    samples,
    sight,
    spatial_information,
    walk,
    walls,
)
from numerics.corridor.__main__ import main, summary
from numerics.corridor._figure import figure
from numerics.store import Store, versions
from theory import drift

PAPER, PUBLIC = Corridor.paper(), Corridor.public_run()
BOTH = pytest.mark.parametrize("corridor", [PAPER, PUBLIC], ids=["paper", "public run"])
SMALL = dataclasses.replace(PUBLIC, width=1.3, length=4.7, rays=5, blur=0.6, samples=60, hidden=24, steps=300)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(field_of_view=3.2), "field_of_view = 3.2 is wider than pi"),
        (dict(buffer=0.5), "buffer = 0.5 must be in"),
        (dict(buffer=1.5), "buffer = 1.5 must be in"),
        (dict(speed=11.2), "speed = 11.2, .* skips the track of 11.2"),
        (dict(speed_deviation=1.4), "speed_deviation = 1.4: .* skips the track"),
        (dict(width=0.0), "width = 0.0 must be positive"),
        (dict(length=-1), "length = -1 must be positive"),
        (dict(blur=30.0), "blur = 30.0 is not below the perimeter 30"),
        (dict(blur=0.0), "blur = 0.0 must be positive"),
        (dict(rays=1), "rays = 1 must be at least 2"),
        (dict(sigma=-0.1), "sigma = -0.1 is negative"),
        (dict(turn_deviation=-1.0), "turn_deviation = -1.0 is negative"),
        (dict(speed=math.nan), "speed = nan is not finite"),
        (dict(velocity="speed"), "velocity = 'speed' must be 'velocity' or 'turn'"),
        (dict(steps=0), "steps = 0 must be at least 1"),
        (dict(width=0.1, length=0.1, speed=0.01, rays=2, blur=0.1), "shortest wall could have none"),
        (dict(width=0.05), "width = 0.05, .* points of texture, .* 0.05879 apart"),
    ],
    ids=lambda case: case if isinstance(case, str) else next(iter(case)),
)
def test_impossible_corridors_are_refused(wrong, message):
    """A corridor that cannot be walked or seen is refused by the name of what is wrong with it."""
    with pytest.raises(ValueError, match=message):
        Corridor(**wrong)


def test_text_and_files_differ_in_three_settings():
    """The walls of the text have a filter of variance K L points, those of the files of deviation K L; and so on."""
    differ = {f.name for f in dataclasses.fields(Corridor) if getattr(PAPER, f.name) != getattr(PUBLIC, f.name)}
    assert differ == {"blur", "speed_deviation", "velocity"}
    points = 2 * (1 + 14) * 17
    assert (PAPER.blur * 17) ** 2 == pytest.approx(0.09 * points, rel=4 * np.finfo(float).eps, abs=0)
    assert PUBLIC.blur * 17 == pytest.approx(0.09 * points, rel=4 * np.finfo(float).eps, abs=0)
    assert PUBLIC.network == ensemble.Network(18, 500, 17)


def test_settings_say_whose_they_are():
    """Described settings name their source, and show every one in which the sources differ or that is of neither."""
    assert described(PAPER).startswith("settings: paper's text") and described(PUBLIC).startswith(
        "settings: public run"
    )
    text = described(dataclasses.replace(PUBLIC, hidden=77))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[2:]}
    assert text.startswith("settings: neither")
    assert rows["hidden"] == ["77", "500", "500"] and rows["velocity"] == ["turn", "velocity", "turn"]
    assert set(rows) == {"hidden", "blur", "speed_deviation", "velocity"}


def crossings(corridor, y, angle):
    """Where one ray crosses each of the four walls as segments, by solving for both: perimeter distance by range."""
    w, high = corridor.width, corridor.length
    corners = np.array([(-w / 2, 0), (w / 2, 0), (w / 2, high), (-w / 2, high), (-w / 2, 0)])
    found, around = {}, 0.0
    for a, b in zip(corners[:-1], corners[1:], strict=True):
        size = np.linalg.norm(b - a)
        system = np.column_stack([(math.sin(angle), math.cos(angle)), (a - b) / size])
        far, along = np.linalg.solve(system, a - (0, y))
        if far > 0 and 0 <= along <= size:
            found[far] = around + along
        around += size
    return found


@pytest.mark.parametrize("corridor", [PUBLIC, dataclasses.replace(SMALL, field_of_view=3.0)], ids=["narrow", "wide"])
def test_rays_end_at_the_walls(corridor):
    """Every ray ends where it crosses a wall, as segments solved one by one say, in whatever direction it goes."""
    draw = np.random.default_rng(5)
    y, gaze = draw.uniform(0.01, 0.99, 200) * corridor.length, draw.uniform(-7, 7, 200)
    found, rays = hits(corridor, y, gaze), np.linspace(-0.5, 0.5, corridor.rays) * corridor.field_of_view
    expected = np.array(
        [[crossings(corridor, b, g + ray) for ray in rays] for b, g in zip(y, gaze, strict=True)], dtype=object
    )
    assert all(len(one) == 1 for one in expected.flat)  # from inside a rectangle there is one way out
    far, exact = np.vectorize(lambda one: next(iter(one.items())), otypes=[float, float])(expected)
    angle = gaze[:, None] + rays
    steep = 1 / np.minimum(np.abs(np.sin(angle)), np.abs(np.cos(angle)))  # a grazing ray moves its end by this much
    condition = (corridor.perimeter + (1 + np.abs(angle)) * far * steep) * steep
    assert (np.abs(found - exact) <= 4 * np.finfo(float).eps * condition).all()
    which = np.searchsorted(np.cumsum([corridor.width, corridor.length, corridor.width]), found)
    assert set(which.ravel()) == {0, 1, 2, 3}


def test_rays_from_outside_are_refused():
    """An agent outside of the corridor sees nothing of it."""
    for y in (0.0, 14.0, -1.0):
        with pytest.raises(ValueError, match="must be inside the corridor"):
            hits(PAPER, [y], [0.1])


def unchanging(texture, corridor):
    """For each wall, the longest stretch of equal texture, as a fraction of the wall."""
    place = np.arange(len(texture)) * corridor.perimeter / len(texture)
    wall = np.searchsorted(np.cumsum([corridor.width, corridor.length, corridor.width]), place, side="right")
    stretches = []
    for one in range(4):
        equal = np.diff(texture[wall == one]) == 0
        runs = np.diff(np.flatnonzero(np.concatenate([[True], ~equal, [True]]))) - 1
        stretches.append(runs.max() / equal.size)
    return stretches


@BOTH
def test_walls_are_textured_along_their_whole_length(corridor):
    """No wall has a stretch without texture; one of the public code's has 46 % of a wall, which would be seen."""
    texture = walls(corridor, 3)
    assert len(texture) == 510 and unchanging(texture, corridor) == [0, 0, 0, 0]
    clamped = texture.copy()
    clamped[-round(0.46 * 14 * 17) :] = clamped[-1]
    assert max(unchanging(clamped, corridor)) > 0.4


def width_of(textures, corridor):
    """Estimates of the blur, one from each texture, by its correlation exp(-1/4) at a distance of one blur."""
    lag = round(corridor.blur * textures.shape[1] / corridor.perimeter)
    return lag, (textures * np.roll(textures, lag, axis=1)).mean(1), (textures**2).mean(1)


def test_walls_are_as_smooth_as_they_should_be():
    """Texture correlates over one blur of the text by exp(-1/4), and not as that of the public files would."""
    textures = np.array([walls(PAPER, seed) for seed in range(300)])
    lag, together, square = width_of(textures, PAPER)
    points = PAPER.blur * 510 / PAPER.perimeter
    # mean 0 around the perimeter takes this much from both, in units of the variance before
    lost = 2 * math.sqrt(math.pi) * points / 510
    correlation = lambda sd: (math.exp(-(lag**2) / (4 * sd**2)) - lost) / (1 - lost)  # noqa: E731
    off = lambda sd: together - correlation(sd) * square  # noqa: E731
    score = lambda sd: abs(off(sd).mean()) / (off(sd).std(ddof=1) / math.sqrt(len(textures)))  # noqa: E731
    limit = norm.isf(1e-6 / 2)
    assert score(points) < limit < score(1.1 * points) and limit < score(PUBLIC.blur * 17)


def test_bare_walls_show_nothing():
    """A blur without bound leaves nothing to see."""
    seen, _ = samples(dataclasses.replace(PUBLIC, blur=math.inf), 1)
    assert not seen.x[:, :-1].any() and not seen.y.any() and seen.x[:, -1].any()


@BOTH
def test_agent_turns_at_the_buffer(corridor):
    """The agent goes by its speed, is reflected at the turns, never in between, and looks where it goes."""
    way = walk(corridor, 4000, 2)
    low, high = corridor.turns
    y, d, v, gaze = (way[name] for name in ("position", "direction", "velocity", "gaze"))
    ahead = y[:-1] + v[:-1]
    reflected = np.where(ahead > high, 2 * high - ahead, np.where(ahead < low, 2 * low - ahead, ahead))
    np.testing.assert_array_equal(y[1:], reflected)
    assert (y >= low).all() and (y <= high).all() and set(d) == {-1, 1}
    np.testing.assert_array_equal(d[1:], np.where(ahead > high, -1, np.where(ahead < low, 1, d[:-1])))
    wander = gaze - np.where(d > 0, 0, np.pi)
    turns = np.diff(wander) / corridor.turn_deviation
    assert abs(np.mean(turns**2) - 1) < norm.isf(1e-6 / 2) * math.sqrt(2 / len(turns))
    speeds = np.unique(v * d)
    assert (len(speeds) == 1 and speeds[0] == 0.2) if corridor is PAPER else len(speeds) == 4000


@BOTH
def test_samples_ask_for_what_is_seen_next(corridor):
    """Targets are the next visual fields, inputs the present one and the velocity, on one scale from -1 to 1."""
    seen, unseen = samples(corridor, 7)
    np.testing.assert_array_equal(seen.y[:-1], seen.x[1:, :-1])
    np.testing.assert_array_equal(seen.y[-1], unseen.x[0, :-1])
    everything = np.concatenate([seen.x[:, :-1], seen.y])
    assert everything.min() == -1 and everything.max() == 1
    assert seen.x[:, -1].min() == -1 and seen.x[:, -1].max() == 1
    field = sight(corridor, walls(corridor, 7), seen.position, seen.gaze)
    assert np.linalg.matrix_rank(np.column_stack([field.ravel(), seen.x[:, :-1].ravel(), np.ones(field.size)])) == 2
    if corridor is PAPER:
        np.testing.assert_array_equal(seen.x[:, -1], seen.direction)


@BOTH
def test_unseen_headings_were_learnt(corridor):
    """On the unseen walk every heading is between two of its direction that were learnt; left free most are not."""
    for seed in range(3):
        _, unseen = samples(corridor, seed, unseen=3000)
        free = walk(corridor, 3150, seed)
        learnt, beyond = (
            {name: values[part] for name, values in free.items()} for part in (slice(151), slice(150, None))
        )
        np.testing.assert_array_equal(unseen.position, beyond["position"])
        for d in (1, -1):
            known = learnt["gaze"][learnt["direction"] == d]
            outside = lambda gaze, known=known: (gaze < known.min()) | (gaze > known.max())  # noqa: E731
            there = unseen.direction == d
            assert not outside(unseen.gaze[there]).any() and outside(beyond["gaze"][there]).mean() > 0.3
        on = np.flatnonzero(np.diff(unseen.direction) == 0)
        assert (np.abs(np.diff(unseen.gaze)[on]) <= np.abs(beyond["turn"][1:][on]) + np.finfo(float).eps * 8).all()


def test_seeds_decide():
    """A seed gives the same corridor again, another seed another, and walls do not depend on the walk."""
    same, other = samples(SMALL, 4)[0], samples(SMALL, 5)[0]
    np.testing.assert_array_equal(same.x, samples(SMALL, 4)[0].x)
    assert (same.x[:, :-1] != other.x[:, :-1]).all()
    longer, beyond = samples(SMALL, 4, unseen=500)
    np.testing.assert_array_equal(longer.x, same.x)
    np.testing.assert_array_equal(beyond.x[:60], samples(SMALL, 4)[1].x)
    assert len(beyond.y) == 500
    np.testing.assert_array_equal(walls(SMALL, 4), walls(dataclasses.replace(SMALL, speed=0.3, samples=9), 4))


def test_places_keep_directions_apart():
    """The same position on the way up and on the way down is two places; the far end belongs to the last."""
    where = places([0.0, 0.0, 3.4, 4.0, 4.0], [1, -1, 1, 1, -1], length=4.0, bins=8)
    np.testing.assert_array_equal(where, [0, 4, 3, 3, 7])
    np.testing.assert_array_equal(occupancy(where, 8), [1, 0, 0, 2, 1, 0, 0, 1])
    for wrong in (dict(bins=7), dict(length=3.0)):
        with pytest.raises(ValueError):
            places([0.0, 4.0], [1, -1], **{"length": 4.0, "bins": 8, **wrong})
    for elsewhere in ([0, 8], [-1, 2], [0.0, 1.0], [[0, 1]]):
        with pytest.raises(ValueError, match="whole numbers in .0, 8."):
            occupancy(elsewhere, 8)
    with pytest.raises(ValueError, match="one shape"):
        places([1.0], [0.5], length=4.0)


def test_rate_maps_are_means():
    """A rate map is the mean in each bin, not divided by the occupancy again, and nan where nobody was."""
    where, activity = np.array([0, 2, 2, 2]), np.array([[1.0, 0], [3, 0], [4, 0], [8, 6]])
    np.testing.assert_array_equal(rate_maps(activity, where, 4), [[1, np.nan, 5, np.nan], [0, np.nan, 2, np.nan]])
    with pytest.raises(ValueError, match="with 4 samples"):
        rate_maps(activity[:3], where, 4)


def test_information_is_what_was_planted():
    """Information agrees with the law, has the planted values, and the earlier formula's mean would fall below 0."""
    draw = np.random.default_rng(8)
    time, r = draw.integers(1, 9, 40), draw.exponential(size=(30, 40)) * (draw.random((30, 40)) < 0.3)
    bits = spatial_information(time, r)
    law = drift.spatial_information(time, r)
    assert (np.abs(bits - law) <= 40 * np.finfo(float).eps * (1 + law)).all()
    gone = np.column_stack([r, np.full(30, np.nan)])
    np.testing.assert_array_equal(spatial_information([*time, 0], gone), bits)
    np.testing.assert_array_equal(spatial_information(np.full(8, 3), np.array([np.eye(8)[2], np.ones(8)])), [3, 0])
    assert spatial_information([1, 1], [0.0, 0.0]) == 0
    np.testing.assert_array_equal(place_cells([0.0, 0.01, 0.02]), [False, False, True])
    p, rate = np.array([0.9, 0.1]), np.array([1.0, 2.0])
    ratio = rate / rate.mean()  # as printed: the mean over bins, not weighted by occupancy
    assert (p * ratio * np.log2(ratio)).sum() < 0 < spatial_information(p, rate)
    for time, maps, says in (
        ([1, 1], np.ones((4, 3)), r"maps \(4, 3\) must be \(..., bins\) and time \(2,\)"),
        (1.0, 1.0, "must be"),
        ([1, -1, 2], np.ones(3), "must not be negative"),
        ([0, 0], np.ones(2), "nor 0 in all bins"),
        ([1, 1], [1.0, -2.0], "maps = -2.0 is negative"),
    ):
        with pytest.raises(ValueError, match=says):
            spatial_information(time, maps)


def test_population_correlation_is_that_of_the_vectors():
    """It is Pearson's, over units active at either time, bin by bin; silent ones would make any two times alike."""
    draw = np.random.default_rng(9)
    r = draw.exponential(size=(3, 20, 6)) * (draw.random((3, 20, 6)) < 0.6)
    r[:, 12:] = 0
    r[2, 3] = 0
    r[..., 4] = np.nan
    found = population_correlation(r)
    visited = [0, 1, 2, 3, 5]

    def direct(a, b, units):
        return np.mean([np.corrcoef(a[units, k], b[units, k])[0, 1] for k in visited])

    for i in range(3):
        for j in range(3):
            either = [u for u in range(20) if (r[i, u][visited] > 0).any() or (r[j, u][visited] > 0).any()]
            expected = direct(r[i], r[j], either)
            assert abs(found[i, j] - expected) <= 200 * np.finfo(float).eps
            assert i == j or direct(r[i], r[j], list(range(20))) > expected + 0.01
    assert np.isnan(population_correlation(np.zeros((2, 5, 4)))).all()


def test_decoder_finds_what_is_there():
    """Positions are decoded exactly from their own activities, not better than chance from noise."""
    draw = np.random.default_rng(10)
    y = draw.uniform(0, 14, 300)
    tuned = np.exp(-((y[:, None] - np.linspace(0, 14, 30)) ** 2))
    assert decoding_error(tuned, y, tuned, y) == 0
    others = draw.uniform(0, 14, 300)
    near = np.abs(others[:, None] - y).min(1).mean()
    assert decoding_error(tuned, y, np.exp(-((others[:, None] - np.linspace(0, 14, 30)) ** 2)), others) < 2 * near
    noise = decoding_error(draw.normal(size=(300, 30)), y, draw.normal(size=(300, 30)), others)
    chance = np.abs(others[:, None] - y)
    assert abs(noise - chance.mean()) < norm.isf(1e-6 / 2) * chance.std() / math.sqrt(300) * 2
    assert math.isnan(decoding_error(tuned * np.nan, y, tuned, y))
    with pytest.raises(ValueError, match="do not fit"):
        decoding_error(tuned, y, tuned[:, 1:], y)


@pytest.fixture(scope="module")
def history():
    """Of a small corridor, trained on three seeds."""
    return run(SMALL, seeds=[3, 4, 5], records=20)


def test_run_learns_and_counts(history):
    """Networks come to predict better than by the mean; every count is that of their activities."""
    assert (history.log_loss[-1] < -0.5).all() and history.loss.shape == (len(history.steps), 3)
    seen, long = samples(SMALL, 3, unseen=20 * SMALL.samples)
    trained = ensemble.train(
        SMALL.network,
        seen.x,
        seen.y,
        seeds=[3],
        steps=[SMALL.steps],
        by=ensemble.GradientDescent(SMALL.eta),
        noise=ensemble.UpdateNoise(SMALL.sigma),
        start=ensemble.Lazy(),
        dtype="float32",
    )
    h = activities(SMALL, trained.final[0], seen.x)
    assert history.loss[-1, 0] == trained.loss[-1, 0]
    assert history.active_units[-1, 0] == (h > 0).any(0).sum() and history.active_fraction[-1, 0] == (h > 0).mean()
    where = places(seen.position, seen.direction, length=SMALL.length)
    np.testing.assert_array_equal(history.maps[-1], rate_maps(h, where).astype(np.float16))
    bits, eps = spatial_information(occupancy(where), rate_maps(h, where)), np.finfo(float).eps
    assert history.information[-1, 0] == pytest.approx(bits[bits > 0.01].mean(), rel=len(bits) * eps, abs=0)
    assert history.place_cells[-1, 0] == (bits > 0.01).sum()
    there = places(long.position, long.direction, length=SMALL.length)
    others = activities(SMALL, trained.final[0], long.x)
    more = spatial_information(occupancy(there), rate_maps(others, there))
    assert history.unseen_information[-1, 0] == pytest.approx(more[bits > 0.01].mean(), rel=len(bits) * eps, abs=0)
    assert (history.unseen_shuffled_information < history.unseen_information).all()
    error = decoding_error(h, seen.position, others, long.position)
    assert history.decoding_error[-1, 0] == error < history.chance_error[0]
    readout = SMALL.network.parts(trained.final[0])[2]
    squares = np.square(others @ readout - long.y)
    lost = squares.mean() / seen.y.var(axis=0).mean()
    condition = np.square(np.abs(others) @ np.abs(readout) + np.abs(long.y)).mean() / squares.mean()
    rounding = 2 * (SMALL.hidden + long.y.size + seen.y.size) * eps * condition
    assert history.unseen_log_loss[-1, 0] == pytest.approx(np.log10(lost), abs=rounding)
    alike = np.diagonal(history.correlation, axis1=1, axis2=2)
    np.testing.assert_allclose(alike, 1, rtol=4 * (SMALL.hidden + history.maps.shape[-1]) * eps)


def test_few_samples_seem_to_tell_of_any_place(history):
    """Shuffling positions leaves less information than there was, but not none: few samples make it up themselves."""
    assert (history.shuffled_information < history.information).all()
    assert (history.shuffled_information > 0).all()
    noise = np.random.default_rng(11).exponential(size=(6000, 8))
    bits = [
        spatial_information(occupancy(where), rate_maps(noise[: len(where)], where)).mean()
        for where in (np.arange(count) % 60 for count in (60, 6000))
    ]
    # of N independent samples in b bins the bias is (b - 1)/(2 N ln 2) at leading order: variance and mean are 1
    assert bits[0] > bits[1]
    expected = 59 / (2 * 6000 * math.log(2))
    assert abs(bits[1] / expected - 1) < norm.isf(1e-6 / 2) * math.sqrt(2 / (59 * 8))


def same(one, other):
    """Whether two histories are so to the last bit."""
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


MORTAL = """
import os, runpy, signal
from numerics.ensemble import Checkpoint

save = Checkpoint.save

def save_or_die(checkpoint, about, arrays):
    if os.path.exists(checkpoint.path) and arrays["step"] >= 1000:
        os.kill(os.getpid(), signal.SIGKILL)
    save(checkpoint, about, arrays)

Checkpoint.save = save_or_die
runpy.run_module("numerics.corridor", run_name="__main__")
"""


def test_killed_run_goes_on_to_the_same_bits(tmp_path, capsys):
    """A run from the command line, killed between two checkpoints, goes on to the bits of one that was not."""
    given = dict(steps=3000, hidden=40, samples=40)
    corridor = dataclasses.replace(PUBLIC, **given)
    given |= dict(networks=2, records=12, seconds=0, folder=tmp_path)
    command = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    killed = subprocess.run([sys.executable, "-c", MORTAL, *command], capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL and killed.stdout.startswith("settings: neither of the source")
    with np.load(tmp_path / "checkpoint.npz", allow_pickle=False) as file:
        assert 0 < file["step"] < 1000
    assert not (tmp_path / "history.npz").exists()
    main(**given, record=tmp_path / "record")
    said = capsys.readouterr().out
    assert "settings: neither of the source" in said and "medians of 2 networks" in said
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    same(load(tmp_path / "history.npz"), run(corridor, seeds=[0, 1], records=12))
    several = Networks(corridor, 0, 2, 12)
    kept, whole = Store(tmp_path / "record").load(several), load(tmp_path / "history.npz")
    assert kept["active_fraction"].dtype == np.float32
    np.testing.assert_array_equal(kept["log_loss"], whole.log_loss.astype(np.float32))
    np.testing.assert_array_equal(kept["correlation"], whole.correlation[:, -10:, -10:].astype(np.float32))
    with pytest.raises(ValueError, match="history is of .* not of Networks"):
        dataclasses.replace(several, seed=1).table(whole)
    with pytest.raises(ValueError, match="holds another run"):
        run(dataclasses.replace(corridor, eta=0.09), seeds=[0, 1], records=12, folder=tmp_path)


def test_phases_are_where_they_were_planted():
    """Bends are found at the records where they are, through noise; a fall that goes on to the end has none."""
    steps = np.concatenate([[0], np.unique(np.rint(np.geomspace(1, 10**6, 60)))])
    begins, ends = steps[[25, 30, 20]], steps[[45, 40, -1]]
    ramp = np.clip(np.log(np.maximum(steps, 1)[:, None] / begins) / np.log(ends / begins), 0, 1)
    noise = np.random.default_rng(1).normal(size=(2, len(steps), 3))
    active = 0.5 - 0.4 * ramp + 1e-3 * noise[0]
    loss = -1.6 * (1 - 0.5 ** steps[:, None]) + 0.3 * ramp + 0.02 * noise[1]  # done to nine tenths by step 4
    found = phases(steps, loss, active)
    np.testing.assert_array_equal(found[:, 0], 4)
    np.testing.assert_array_equal(found[:, 1], begins)
    np.testing.assert_array_equal(found[:, 2], [*ends[:2], np.inf])
    lost = np.where(steps[:, None] > 1000, np.nan, active)
    assert np.isnan(phases(steps, loss, lost)).all()
    for wrong, says in (
        ((steps[1:], loss[1:], active[1:]), "increasing from 0"),
        ((steps[:4], loss[:4], active[:4]), "at least five"),
        ((steps, loss, active[:, :1]), "must be"),
    ):
        with pytest.raises(ValueError, match=says):
            phases(*wrong)


def test_what_is_no_history_is_refused(tmp_path, history):
    """A broken, altered or missing file is no history, and its versions are told; only settings make a run."""
    (tmp_path / "history.npz").write_bytes(b"PK and no more")
    with pytest.raises(ValueError, match="holds no history"):
        load(tmp_path / "history.npz")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.npz")
    run(SMALL, seeds=[3, 4, 5], records=20, folder=tmp_path)
    same(load(tmp_path / "history.npz"), history)
    assert history.versions == versions() and "numpy" in history.versions
    for name in ("loss", "about"):
        with np.load(tmp_path / "history.npz", allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        if name == "about":
            arrays[name] = np.array(str(arrays[name]).replace('"eta": 0.1', '"eta": 0.2'))
        else:
            arrays[name][4, 1] *= 1 + np.finfo(float).eps
        np.savez(tmp_path / "altered.npz", **arrays)
        with pytest.raises(ValueError, match="its checksum differs"):
            load(tmp_path / "altered.npz")
    with pytest.raises(TypeError, match="not a Corridor"):
        run("paper", seeds=[1])
    with pytest.raises(ValueError, match="seeds"):
        run(SMALL, seeds=[])
    for records in (1, [0]):
        with pytest.raises(ValueError, match="records = "):
            run(SMALL, seeds=[3], records=records)


def test_a_run_may_be_recorded_and_begun_as_one_likes(history):
    """Chosen steps are those of the whole run, from the same start; from another start they are others."""
    few = history.steps[[0, 5, -1]].tolist()
    same, other = (
        run(SMALL, seeds=[3, 4, 5], records=few, start=start) for start in (ensemble.Lazy(), ensemble.Rich())
    )
    for name in ("loss", "information", "unseen_log_loss", "decoding_error"):
        np.testing.assert_array_equal(getattr(same, name), getattr(history, name)[[0, 5, -1]])
        assert (getattr(other, name) != getattr(same, name)).any()
    assert history.at(290) == len(history.steps) - 1 and history.at(0) == 0
    np.testing.assert_array_equal(
        history.place_information(), history.unseen_information - history.unseen_shuffled_information
    )
    lost = history.changes([(0, 300), (history.steps[5], 300)])
    np.testing.assert_array_equal(lost[:, 0], (1 - history.correlation[:, 0, -1]) / 300)


@pytest.mark.parametrize("diverged", [False, True], ids=["sound", "diverged"])
def test_figure_names_its_axes(history, diverged):
    """Every axis of the figure has a name, the settings stand above it, and a diverged network does not stop it."""
    if diverged:
        history = run(dataclasses.replace(SMALL, eta=30.0, steps=20), seeds=[1, 2], records=8)
        assert np.isnan(history.loss[-1]).all() and np.isnan(history.information[-1]).all()
    drawn = figure(history)
    drawn.canvas.draw()
    arena, loss, information, decoded = drawn.axes[0], *drawn.axes[2:5]
    title = drawn.subfigs[0].get_suptitle()
    assert title.startswith("neither of the source") and "hidden 24 | 500 | 500" in " ".join(title.split())
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in (arena, loss, information, decoded))
    assert ("2 of 2 diverged" in title) == diverged


def test_one_diverged_network_hides_no_others(history):
    """Medians are those of the networks that live, and the summary and the figure say how many do not."""
    loss, active, correlation = (getattr(history, n).copy() for n in ("loss", "active_units", "correlation"))
    loss[-1, 1] = active[-1, 1] = correlation[1, -1, :] = correlation[1, :, -1] = np.nan
    one = dataclasses.replace(history, loss=loss, active_units=active, correlation=correlation)
    assert one.alive.tolist() == [True, False, True]
    np.testing.assert_array_equal(one.median(one.active_units), np.median(active[:, [0, 2]], axis=1))
    assert "medians of 3 networks, 1 of 3 diverged" in summary(one) and "nan" not in summary(one)
    drawn = figure(one)
    drawn.canvas.draw()
    assert "3 networks, 1 of 3 diverged" in " ".join(drawn.subfigs[0].get_suptitle().split())
    thick = [line for axes in drawn.axes for line in axes.lines if line.get_linewidth() == 2.2]
    assert len(thick) == 5 and all(np.isfinite(line.get_ydata()).all() for line in thick)
    (image,) = [mesh for mesh in drawn.axes[-2].collections if mesh.get_array() is not None]
    assert np.isfinite(image.get_array()).all()


def test_too_few_records_for_a_figure_are_refused(tmp_path):
    """Of a single step after the first no figure is drawn; the command says so before it trains."""
    with pytest.raises(ValueError, match="steps = 1 must be at least 2"):
        main(steps=1, hidden=8, samples=8, folder=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(ValueError, match=r"steps \[0, 300\]: a figure needs two"):
        figure(run(SMALL, seeds=[3], records=[0, 300]))
