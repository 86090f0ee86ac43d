"""Walls, walk, and what is seen on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from numerics.checks import numbers_of, whole
from numerics.corridor._settings import Corridor

WALLS, WALK = range(2)  # independent streams of a seed


@dataclass(frozen=True)
class Samples:
    """What the network is given at K successive steps, and what it should say.

    Attributes:
        x: visual field and velocity, (K, rays + 1).
        y: visual field at the next step, (K, rays).
        position: of the agent, y in units of length, (K,).
        direction: +1 upwards, -1 downwards, (K,).
        gaze: heading in radians from the direction +y, clockwise, (K,).
    """

    x: np.ndarray
    y: np.ndarray
    position: np.ndarray
    direction: np.ndarray
    gaze: np.ndarray


def walls(corridor: Corridor, seed: int) -> np.ndarray:
    """Texture at points evenly spaced around the perimeter, from the lower left corner and counterclockwise.

    Args:
        corridor: settings.
        seed: a whole number >= 0.

    Returns:
        the texture, of mean 0, one number for each of the `points` of the corridor.
    """
    noise = np.random.default_rng((whole("seed", seed, 0), WALLS)).normal(size=corridor.points)
    if math.isinf(corridor.blur):
        return np.zeros(corridor.points)
    texture = gaussian_filter1d(noise, corridor.blur * corridor.points / corridor.perimeter, mode="wrap")
    return texture - texture.mean()


def hits(corridor: Corridor, position, gaze) -> np.ndarray:
    """Where rays from the midline meet the walls: the distance around the perimeter.

    Args:
        corridor: settings.
        position: y of the agent, in (0, Ly), shape (K,).
        gaze: heading in radians from +y, clockwise, shape (K,).

    Returns:
        distances from the lower left corner, counterclockwise, in [0, 2 (Lx + Ly)], shape (K, rays), from left
        to right in the view of the agent.

    Raises:
        ValueError: a position is not inside the corridor.
    """
    y, angle = numbers_of("position", position)[:, None], numbers_of("gaze", gaze)[:, None]
    if not ((y > 0) & (y < corridor.length)).all():
        raise ValueError(f"position = {position!r} must be inside the corridor, between 0 and {corridor.length}")
    half = corridor.field_of_view / 2
    angle = angle + np.linspace(-half, half, corridor.rays)
    across, along = np.sin(angle), np.cos(angle)
    ahead = np.where(along > 0, corridor.length - y, y)
    # the side wall is met first if |across| * ahead > |along| * Lx/2: nothing is divided by 0
    side = np.abs(across) * ahead > np.abs(along) * corridor.width / 2
    up = y + along * corridor.width / 2 / np.where(side, np.abs(across), 1)
    right = across * ahead / np.where(side, 1, np.abs(along)) + corridor.width / 2
    lower, upper = right, 2 * corridor.width + corridor.length - right
    at_right, at_left = corridor.width + up, corridor.perimeter - up
    return np.where(side, np.where(across > 0, at_right, at_left), np.where(along > 0, upper, lower))


def sight(corridor: Corridor, texture: np.ndarray, position, gaze) -> np.ndarray:
    """The visual field: the texture at the end of each ray, shape (K, rays)."""
    points = np.arange(len(texture)) * corridor.perimeter / len(texture)
    return np.interp(hits(corridor, position, gaze), points, texture, period=corridor.perimeter)


def walk(corridor: Corridor, steps: int, seed: int, *, learnt: int | None = None) -> dict[str, np.ndarray]:
    """A walk from the lower turn upwards; a longer one begins as a shorter does.

    Args:
        corridor: settings.
        steps: how many positions.
        seed: a whole number >= 0.
        learnt: after so many positions the heading stays among those it had there, as `_kept` says; None: never.

    Returns:
        by name, (steps,) each: `position`, in units of length; `direction`, +-1; `gaze`, radians from +y, clockwise;
        `velocity`, by which the agent goes to the next position, unless it turns; `turn`, by which the heading came
        to be what it is, without the turn at an end.
    """
    draw = np.random.default_rng((whole("seed", seed, 0), WALK))
    noise = draw.normal(size=(whole("steps", steps), 2))
    speed, turn = corridor.speed + corridor.speed_deviation * noise[:, 0], corridor.turn_deviation * noise[:, 1]
    position, direction = np.empty(steps), np.empty(steps)
    low, high = corridor.turns
    y, d = low, 1.0
    for t in range(steps):
        position[t], direction[t] = y, d
        y = y + d * speed[t]
        if y > high:
            y, d = 2 * high - y, -1.0
        elif y < low:
            y, d = 2 * low - y, 1.0
    wander = np.cumsum(turn)
    if learnt is not None:
        wander, turn = _kept(wander, turn, direction, whole("learnt", learnt))
    gaze = wander + np.where(direction > 0, 0, np.pi)
    return dict(position=position, direction=direction, gaze=gaze, velocity=direction * speed, turn=turn)


def _kept(wander, turn, direction, learnt: int):
    """Deviations from the way, and the turns to them, kept after `learnt` steps between the least and the greatest.

    These are of the same direction, and the agent is reflected at them; a direction that was not learnt has those of
    the other.
    """
    ends, free = {}, wander[:learnt]
    for d in (1.0, -1.0):
        of = free[direction[:learnt] == d] if d in direction[:learnt] else free
        ends[d] = float(of.min()), float(of.max())
    wander, turn = wander.tolist(), turn.tolist()
    for t in range(learnt, len(wander)):
        wander[t] = _reflected(wander[t - 1] + turn[t], *ends[direction[t]])
        if direction[t] == direction[t - 1]:
            turn[t] = wander[t] - wander[t - 1]
    return np.array(wander), np.array(turn)


def _reflected(value: float, low: float, high: float) -> float:
    """A number that comes back where it would leave [low, high], as often as it would."""
    width = high - low
    return max(low, high - abs((value - low) % (2 * width) - width)) if width > 0 else low


def samples(corridor: Corridor, seed: int, unseen: int | None = None) -> tuple[Samples, Samples]:
    """Samples to learn from, and unseen ones that follow them on the same walk and on the same scale.

    On the way that follows every heading is between two that were learnt in the same direction: left to itself it
    would diffuse away from them, to views that tell of new directions and not of places.

    Args:
        corridor: settings.
        seed: a whole number >= 0, of walls and walk.
        unseen: how many follow; as many as there are to learn from by default.

    Returns:
        the samples to learn from, in [-1, 1], and the unseen ones, which may leave that by a little.
    """
    count, more = corridor.samples, corridor.samples if unseen is None else whole("unseen", unseen)
    way = walk(corridor, count + more + 1, seed, learnt=count + 1)
    seen = sight(corridor, walls(corridor, seed), way["position"], way["gaze"])
    seen = _scaled(seen, seen[: count + 1])
    told = _scaled(way[corridor.velocity], way[corridor.velocity][:count])
    x = np.column_stack([seen, told])
    parts = slice(0, count), slice(count, count + more)
    known = [way[name] for name in ("position", "direction", "gaze")]
    first, second = (Samples(x[part], seen[1:][part], *(values[part] for values in known)) for part in parts)
    return first, second


def _scaled(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """On the scale that brings `known` to [-1, 1]; 0 where it is constant."""
    low, high = known.min(), known.max()
    return 2 * ((values - low) / (high - low)) - 1 if high > low else 0 * values
