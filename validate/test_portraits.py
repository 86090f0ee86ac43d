"""Pictures of trained networks of every task: a trial, and states on principal components; nothing is judged here."""

from functools import cache

import numpy as np
import pytest

from laws.judges import in_turn, measure
from laws.judges.verdict import Panel, Series
from numerics import rnn
from numerics.degeneracy import Whitened, dsa_matrix, mds

TOLD = {
    "flip3": "3-bit flip-flops", "delay": "delayed discrimination", "sine": "sines", "path2": "paths in the plane",
    "path3": "paths in space", "lorenz": "a Lorenz-96 ring",
}  # fmt: skip
stored = pytest.mark.parametrize("trained", ["stored"], indirect=True)
every_task = pytest.mark.parametrize("name", list(TOLD))


@cache
def along(trained, name):
    """Inputs, targets and mask of twenty trials of twice the length or delay, and every network's weights and rates."""
    x, y, mask = trained(name)[0].task.longer().trials(20, 97)
    return x, y, mask, [(weights, rates(x)) for weights, rates in trained.each(name)]


def said(network):
    """What a network answers."""
    (_, _, _, C, c), rates = network
    return rates @ C.T + c


def trial(trained, name):
    """What networks are shown and say along one trial, beside what they should say, channels set apart."""
    x, y, mask, networks = along(trained, name)
    steps, wanted = list(range(len(x))), np.where(mask > 0, y, np.nan)[:, 0]
    answers = np.array([said(network)[:, 0] for network in networks[:8]])
    size, shown, series = 1.2 * np.ptp(answers), min(x.shape[2], 3), []
    for channel in range(min(y.shape[2], 3)):
        told = ("", "") if channel else ("what they should say", "what each of eight networks says")
        series.append(Series("each", steps, (answers[:, :, channel] - size * channel).tolist(), told[1]))
        series.append(Series("law", steps, (wanted[:, channel] - size * channel).tolist(), told[0]))
    for channel in range(shown):
        scaled = x[:, 0, channel] / max(np.abs(x[:, 0]).max(), 1e-300) * size / 3 + size * (shown - channel)
        series.append(Series("path", steps, scaled.tolist(), "" if channel else "what they are shown, scaled"))
    rest = f" (3 of {y.shape[2]} channels)" if y.shape[2] > 3 else ""
    return Panel(
        "step of a trial of twice the length or delay", f"outputs, set apart{rest}; inputs above", tuple(series)
    )


@stored
@every_task
def test_trials(trained, name):
    """Measured: how much trained networks err along trials of twice the length, or delay, of those in training."""
    _, y, mask, networks = along(trained, name)
    counts = np.flatnonzero(mask.any((1, 2)))
    levels = counts[np.unique(np.linspace(0, len(counts) - 1, 6).astype(int))]

    def errors(step):
        misses = [(mask * (said(network) - y))[step] for network in networks]
        return [float(np.sqrt((miss**2).sum() / mask[step].sum())) for miss in misses]

    each = {step: in_turn(lambda seed, step=step: errors(step)) for step in levels.tolist()}

    labels = dict(x="step of the trial", y="error of one network, root mean square")
    what = f"how much do networks that have learnt {TOLD[name]} err along trials of twice the length or delay?"
    measure(
        what,
        lambda step, seed: float(each[step](seed)),
        levels.tolist(),
        runs=len(networks),
        labels=labels,
        picture=trial(trained, name),
    )


def portrait(trained, name):
    """States of one network along trials on its principal components, with the fixed points it has without input."""
    (A, _, b, C, c), rates = along(trained, name)[3][0]
    seen = rnn.principal(rates)
    points = rnn.fixed_points(A, b, C, c, rates.reshape(-1, len(A))[:: rates[..., 0].size // 90])
    series = [
        Series("each", *course.T.tolist(), "states along trials") for course in seen.seen(rates[:, :8]).swapaxes(0, 1)
    ]
    for which, told in ((points.stable, "stable fixed points"), (~points.stable, "unstable fixed points")):
        if which.any():
            series.append(Series("rival", *seen.seen(points.rates[which]).T.tolist(), told, joined=False))
    axes = [f"principal component {k + 1} ({share:.0%} of the variance)" for k, share in enumerate(seen.share)]
    return Panel(*axes, tuple(series))


@stored
@every_task
def test_states(trained, name):
    """Measured: what share of the variance of states lies on so many principal components."""
    networks, most = along(trained, name)[3], 16

    shares = [np.cumsum(rnn.principal(rates[::3], most).share) for _, rates in networks]
    counts = (1, 2, 4, 8, most)
    each = {count: in_turn(lambda seed, count=count: [one[count - 1] for one in shares]) for count in counts}

    labels = dict(x="principal components", y="share of the variance of one network's states")
    what = f"on how many directions do states of networks lie that have learnt {TOLD[name]}?"
    measure(
        what,
        lambda count, seed: float(each[count](seed)),
        counts,
        runs=len(networks),
        labels=labels,
        picture=portrait(trained, name),
    )


@stored
def test_maps(trained):
    """Measured: how far networks are from the middle of the map of all flip-flops with so many bits."""

    @cache
    def found():
        courses = [rates.swapaxes(0, 1) for bits in (1, 2, 3) for _, rates in along(trained, f"flip{bits}")[3]]
        return mds(dsa_matrix(courses, by=Whitened(8), draws=6).distance)

    def group(bits):
        return found().points[8 * (int(bits) - 1) : 8 * int(bits)]

    def away(bits, seed):
        from_middle = np.linalg.norm(group(bits) - group(bits).mean(0), axis=1)
        return float(np.random.default_rng(seed).choice(from_middle))

    named = {1: "1 bit", 2: "2 bits", 3: "3 bits"}
    series = [Series("rival", *group(bits).T.tolist(), name, joined=False) for bits, name in named.items()]
    picture = Panel("first axis of the map of dynamics", f"second axis (stress {found().stress:.2f})", tuple(series))
    labels = dict(x="bits N", y="distance of a network from the middle of its group, on the map (rank 8)")
    what = "do dynamics of flip-flops gather on their map as bits are added?"
    measure(what, away, (1, 2, 3), runs=8, labels=labels, picture=picture, redrawn="the networks of each group")
