"""The sweep over all axes: its design, its tasks, what is measured of a network, and its command."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from numerics.ensemble import Lazy, Linear, Network, Relu, Rich, Tanh, UniformLabelNoise, UpdateNoise
from numerics.generality import (
    RULES,
    TASKS,
    Outcome,
    Part,
    Predictive,
    Random,
    Smoothed,
    Sweep,
    alike,
    as_csv,
    as_text,
    carriers,
    cost,
    design,
    kinds,
    levels,
    overview,
    recorded,
    relaxation,
    train,
)
from numerics.generality.__main__ import main
from numerics.sparsity import decay
from numerics.store import Store, name

EPS = np.finfo(float).eps


def test_the_design_has_all_axes():
    """Every rule with every activation, every task and start, numbers from 1 to 20, noise over its range."""
    whole = Sweep(24 * 16, 1000, 1)
    settings, off = whole.settings(), ~whole.on_axis()
    levels = kinds(settings)
    cells = {(r, a) for r, a in zip(levels["rule"][off], levels["activation"][off], strict=True)}
    assert len(cells) == 15 and {r for r, _ in cells} == set(RULES) and len({a for _, a in cells}) == 3
    for block in range(24):
        inside = whole.blocks() == block
        assert len({alike(one) for one, here in zip(settings, inside, strict=True) if here}) == 1
        pairs = {(t, s) for t, s in zip(levels["task"][inside], levels["start"][inside], strict=True)}
        assert len(pairs) == (1 if whole.on_axis()[inside].all() else 6)
    assert len({one.seed for one in settings}) == len({name(one) for one in settings}) == 384
    for count in ("samples", "inputs", "outputs"):
        assert len(set(levels[count][off])) == 3
    on_axis = [one.noise.sigma for one in design(16 * 600, 1000, 1) if rule_on_axis(one)]
    assert kstest(3 + np.log10(on_axis), "uniform").statistic < 0.02


def rule_on_axis(one):
    """Whether it has the settings of the axis of noise."""
    return (one.samples, one.network) == (5, Network(20, 100, 5)) and type(one.noise).__name__ == "UpdateNoise"


def test_a_longer_design_begins_with_the_shorter():
    """So a sweep can be made larger, and what is stored of it stays; another seed is another design."""
    assert design(64, 10, 1)[:40] == design(40, 10, 1) != design(40, 10, 2)
    alone = design(40, 10, 1, together=1)
    assert len({alike(one) for one in alone}) > 30


def test_a_part_is_what_its_sweep_has_of_it():
    """A part holds the networks of its sweep with its activations and rules, in their order, each in its own draw."""
    whole = Sweep(60, 100, 4, together=1)
    part = Part(whole, ("tanh", "linear"), ("Adam", "SED"))
    of = kinds(whole.settings())
    inside = np.isin(of["activation"], part.activations) & np.isin(of["rule"], part.rules)
    assert part.settings() == [one for one, here in zip(whole.settings(), inside, strict=True) if here]
    assert len(part.settings()) == inside.sum() > 4 and (part.blocks() == np.flatnonzero(inside)).all()
    assert not part.on_axis().any() and Part(whole, ("relu",), ("update noise",)).on_axis().any()
    for activations, rules, says in ((("gelu",), ("Adam",), "activations = .*'gelu'"), (("relu",), (), "rules = ")):
        with pytest.raises(ValueError, match=says):
            Part(whole, activations, rules)


def test_noise_has_three_thirds():
    """Levels of noise are told apart by thirds of their range, in logarithms, whatever the noise; none is none."""
    one = design(1, 10, 1)[0]
    for noise, least in ((UpdateNoise, 1e-3), (UniformLabelNoise, 0.1 / 12**0.5)):
        found = [kinds([replace(one, noise=noise(least * 10**part))])["noise"][0] for part in (0.1, 0.5, 0.9)]
        assert found == ["lowest third", "middle third", "highest third"]
    assert kinds([replace(one, noise=None)])["noise"] == ["none"]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_tasks_are_on_one_scale(task):
    """Inputs and targets go from -1 to 1, and depend on their generator alone; a single number is 0."""
    draw = lambda seed: task.draw(7, 5, 3, np.random.default_rng(seed))  # noqa: E731
    x, y = draw(0)
    assert x.shape == (7, 5) and y.shape == (7, 3)
    assert all((part.min(), part.max()) == (-1, 1) for part in (x, y))
    assert np.array_equal(draw(0)[0], x) and not np.array_equal(draw(1)[0], x)
    x, y = task.draw(1, 1, 1, np.random.default_rng(0))
    assert np.array_equal(x, [[0]]) and np.array_equal(y, [[0]])


def test_smooth_tasks_are_smooth():
    """Neighbours in smoothed tasks and in views are alike, in random ones they are not."""
    x = {type(task): task.draw(20, 20, 20, np.random.default_rng(3))[0] for task in TASKS}
    alike_beside = {kind: np.corrcoef(v[:, 1:].ravel(), v[:, :-1].ravel())[0, 1] for kind, v in x.items()}
    assert alike_beside[Smoothed] > 0.9 and alike_beside[Predictive] > 0.9 and abs(alike_beside[Random]) < 0.2


def test_the_target_is_the_next_view():
    """With as many targets as inputs each target is the input of the next sample, up to the scale of the whole."""
    x, y = Predictive().draw(20, 9, 9, np.random.default_rng(4))
    slope, shift = np.polyfit(y[:-1].ravel(), x[1:].ravel(), 1)
    assert np.abs(slope * y[:-1] + shift - x[1:]).max() <= y.size * EPS


@pytest.mark.parametrize("activation", [Relu(), Tanh(), Linear()])
def test_carriers_count_units_that_carry(activation):
    """Equal units count as many as they are, one alone as 1, whatever the activation; and none as 0."""
    network, x = Network(2, 6, 3, activation), np.random.default_rng(0).uniform(0.1, 1, (5, 2))
    for count in (6, 4, 1, 0):
        theta = np.ones(network.shape)
        theta[count:, 3:] = 0
        assert carriers(network, x, theta) == pytest.approx(count, rel=0, abs=theta.size * EPS)
    assert 1 < carriers(network, x, np.random.default_rng(1).normal(size=network.shape)) < 6


def test_time_constants():
    """An exponential is found whatever it falls to; the published fit is right only once nothing falls any more."""
    steps = np.linspace(0, 1000, 41)
    for tau in (30.0, 110.0, 250.0, 430.0):
        curves = 0.3 + np.outer(np.exp(-steps / tau), [0.6, 0.05])
        np.testing.assert_allclose(relaxation(steps, curves), tau, rtol=4 * EPS**0.5)  # a minimum is flat
    assert abs(decay(steps, curves)[0] / tau - 1) > 0.2
    for unseen in (0.3 + 0.6 * np.exp(-steps / 450), 0.9 - 0.1 * steps / 1000, 0.3 - 0.1 * np.exp(-steps / 110)):
        assert relaxation(steps, unseen[:, None])[0] == np.inf
    assert np.isnan(relaxation(steps, np.where(steps > 500, np.nan, 1.0)[:, None])[0])
    with pytest.raises(ValueError, match="must be"):
        relaxation(steps, curves[:-1])


PLANTED = {"predictive": 0.5, "random": 1.0, "smoothed": 2.0}  # what a task does to what is left


def planted(whole, steps):
    """Curves of a sweep in which, after a hundredth of the steps, a draw leaves what its number says, times a task."""
    after = np.array([PLANTED[task] for task in kinds(whole.settings())["task"]]) / (4 + whole.blocks())
    falls = np.where(steps[:, None] <= steps[-1] // 100, 1.0, after)
    curves = dict.fromkeys(("loss", "active_fraction", "carriers"), falls) | {"active_units": 50 * falls}
    return {"steps": steps, **curves}


def test_what_a_factor_changes_is_found():
    """A planted factor is found, over networks alike in all else, and no other; each draw has one vote."""
    whole, steps = Sweep(24 * 6, 1000, 1, together=6), recorded(1000)
    one = Outcome([whole], [planted(whole, steps)])
    rows = {(row.factor, row.level): row for row in levels(one, "carriers", one.alive)}
    assert {level: rows["task", level].over for level in PLANTED} == pytest.approx(PLANTED, rel=16 * EPS, abs=0)
    for start in ("rich", "lazy"):
        assert rows["start", start].over_low <= 1 <= rows["start", start].over_high
    adam, axis = rows["rule", "Adam"], np.unique(whole.blocks()[one.kinds["rule"] == "Adam"])
    assert (adam.draws, adam.networks) == (len(axis), 6 * len(axis))
    assert adam.left == pytest.approx(np.median(1 / (4 + axis)), rel=8 * EPS, abs=0)
    usual = rows["rule", "update noise"]
    assert usual.draws >= 6 and usual.left_low < usual.left < usual.left_high and np.isnan(adam.left_low)
    lines = as_csv(list(rows.values())).splitlines()
    assert len(lines) == 1 + len(rows) and len({line.count(",") for line in lines}) == 1 and "nan" not in lines[1]
    assert as_text(list(rows.values())).count("\n") == len(lines)


def test_outcomes_are_of_sweeps_of_one_length():
    """Draws of two sweeps stay apart; tables of other steps, or one too few, are refused; all may have diverged."""
    sweeps, steps = (Sweep(32, 1000, 1), Sweep(32, 1000, 2)), recorded(1000)
    tables = [planted(whole, steps) for whole in sweeps]
    one = Outcome(sweeps, tables)
    assert one.draws.tolist() == np.repeat(range(4), 16).tolist() and len(one.votes(one.kept("loss"), one.alive)) == 4
    other = planted(sweeps[1], recorded(900))
    for wrong, says in (((sweeps, tables[:1]), "2 sweeps and 1 tables"), ((sweeps, [tables[0], other]), "other steps")):
        with pytest.raises(ValueError, match=says):
            Outcome(*wrong)
    gone = {name: np.where(steps[:, None] > 0, np.nan, v) if name != "steps" else v for name, v in tables[0].items()}
    lost = Outcome(sweeps[:1], [gone])
    assert not levels(lost, "carriers", lost.alive) and len(overview(lost).axes) == 2


def test_networks_of_a_pack_are_those_trained_alone():
    """What a network does depends on its settings alone; networks that differ in more than they may are refused."""
    settings = design(6, 200, 3)
    together = train(settings)
    for one, found in zip(settings, together, strict=True):
        (alone,) = train([one])
        for key in found:
            np.testing.assert_array_equal(alone[key], found[key])
    assert np.array_equal(together[0]["steps"], recorded(200)) and together[0]["steps"][0] == 0
    with pytest.raises(ValueError, match="are no ensemble"):
        train([settings[0], replace(settings[1], samples=settings[1].samples + 1)])


def test_starts_have_their_scales():
    """Networks of rich and lazy starts differ by the norm of their output weights before any step."""
    rich = replace(design(1, 1, 3)[0], start=Rich())
    counts = [train([replace(rich, start=start)])[0]["loss"][0] for start in (Rich(), Lazy())]
    assert counts[0] != counts[1]


def test_the_cost_is_in_proportion():
    """A design costs in proportion to its steps, not to records, and sixteen networks that are alike as much as one."""
    calls = []
    train_ = lambda many: calls.append((len(many), many[0].steps))  # noqa: E731
    cost(design(32, 10**6, 1), train_, 16)
    assert [size for size, _ in calls] == [16] * 4 and len({steps for _, steps in calls}) == 2
    assert len({len(recorded(steps)) for _, steps in calls}) == 1
    with pytest.raises(ValueError, match="no networks to train"):
        cost([], train_, 16)


def test_the_command(tmp_path, capsys):
    """It prints the cost before it starts, trains what is missing, and puts the curves of all into one record."""
    sizes = ["--networks", "3", "--steps", "60", "--seed", "2"]
    assert main([*sizes, "--cost"]) == 0
    assert capsys.readouterr().out.startswith("3 networks, 60 steps each, take ")
    folders = ["--folder", str(tmp_path / "runs"), "--record", str(tmp_path / "record")]
    assert main([*sizes, *folders, "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert said.index("hours of one core") < said.index("3 runs made") < said.index("figure.png")
    assert all((tmp_path / "runs" / f"{name}.png").stat().st_size > 10_000 for name in ("figure", "overview"))
    comma, words = ((tmp_path / "runs" / f"factors.{kind}").read_text() for kind in ("csv", "txt"))
    assert comma.startswith("of,factor,level,draws,networks,left,left_low,left_high,over,") and words in said
    assert "active_fraction,rule,update noise,1," in comma and "rule: update noise (1 with " in words
    assert main([*sizes[:1], "4", *sizes[2:], *folders[:2], "--shard", "2/2", "--workers", "1"]) == 0
    assert "no figure: 1 of 4 networks are not in" in capsys.readouterr().err
    whole = Sweep(3, 60, 2)
    found = Store(tmp_path / "record").load(whole)
    (alone,) = train([whole.settings()[1]])
    np.testing.assert_array_equal(found["carriers"][:, 1], alone["carriers"].astype(np.float32))
    folders = ["--folder", str(tmp_path / "runs"), "--record", str(tmp_path / "part")]
    some = ["--together", "1", "--activations", "relu", "--rules", "Adam", "label noise", "--workers", "1"]
    assert main([*sizes, *some, *folders]) == 0
    part = Part(Sweep(3, 60, 2, together=1), ("relu",), ("Adam", "label noise"))
    assert Store(tmp_path / "part").load(part)["loss"].shape[1] == len(part.settings()) == 2
    none = ["--networks", "3", "--activations", "tanh", "--cost"]
    for wrong, says in (
        (["--networks", "0"], "networks = 0"),
        (["--steps", "-1"], "steps = -1"),
        (["--steps", "2"], "steps = 2 must be at least 3"),
        (none, "no network of Sweep(networks=3, "),
    ):
        assert main(wrong) == 2 and says in capsys.readouterr().err
