"""The settings of a run, as the text of the source has them and as its public files have them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from numerics.checks import positive, real, whole
from numerics.ensemble import Network

FAR = 8  # standard deviations of the speed that a step must not exceed: once in 10^15 draws


@dataclass(frozen=True)
class Corridor:
    """A corridor, an agent in it, and a network that learns from what it sees; every default is `paper()`'s.

    "Text" is the source's Materials and methods, "files" the public settings of its runs, for figure 2.

    Attributes:
        width: Lx, in units of length; files.
        length: Ly, in units of length; files.
        blur: standard deviation of the filter that smooths the walls, in units of length.  Of K = 0.09 and
            L = 2 (Lx + Ly) L_vis points on the walls, the text makes it sqrt(K L) points, the files K L points.
            math.inf for bare walls, a control.
        field_of_view: theta_vis, in radians, all of it, at most pi; files.
        rays: L_vis, rays in the field of view and points on a unit of wall; files.
        buffer: L_buffer, distance from an end wall at which the agent turns, as a fraction of the length; files.
        speed: V0, units of length in a step; files.
        speed_deviation: standard deviation of the speed, in units of length in a step; 0 in the text, 0.1 in the files.
        turn_deviation: sigma_theta, standard deviation of the change of heading in a step, in radians; files.
        velocity: what the network is told of its movement: "velocity", d_t v_t, in the text; "turn", the change of
            heading that has led to the present one, in the files.
        samples: steps of the walk that are learnt from; files.
        hidden: units of the hidden layer; files.
        eta: step of gradient descent; files.
        sigma: standard deviation of the noise added to each parameter at each step; 0 for none.  The files add noise
            of 0.013895 to the gradient, which is eta times this on the parameters.
        steps: of training; files.
    """

    width: float = 1.0
    length: float = 14.0
    blur: float = math.sqrt(0.09 * 2 * (1 + 14) * 17) / 17
    field_of_view: float = math.pi / 4
    rays: int = 17
    buffer: float = 0.1
    speed: float = 0.2
    speed_deviation: float = 0.0
    turn_deviation: float = 2 * math.pi * (0.1 * math.pi / 360)
    velocity: str = "velocity"
    samples: int = 150
    hidden: int = 500
    eta: float = 0.1
    sigma: float = 0.1 * 0.013895
    steps: int = 1_000_000

    def __post_init__(self):
        for name in ("width", "length", "speed", "eta", "field_of_view"):
            positive(name, getattr(self, name))
        for name in ("samples", "hidden", "steps"):
            whole(name, getattr(self, name))
        whole("rays", self.rays, least=2)
        for name in ("speed_deviation", "turn_deviation", "sigma"):
            if real(name, getattr(self, name)) < 0:
                raise ValueError(f"{name} = {getattr(self, name)!r} is negative")
        if self.field_of_view > math.pi:
            raise ValueError(f"field_of_view = {self.field_of_view!r} is wider than pi: the agent has no eyes behind")
        if not 0 < real("buffer", self.buffer) < 0.5:
            raise ValueError(f"buffer = {self.buffer!r} must be in (0, 0.5): two buffers must fit into the length")
        if not self.speed + FAR * self.speed_deviation < self.track:
            raise ValueError(
                f"speed = {self.speed!r}, speed_deviation = {self.speed_deviation!r}: a step of V0 and {FAR} standard "
                f"deviations skips the track of {self.track:.4g} between the turns"
            )
        apart = self.perimeter / self.points if self.points else math.inf
        if apart > min(self.width, self.length):
            raise ValueError(
                f"width = {self.width!r}, length = {self.length!r}, rays = {self.rays!r}: points of texture, L_vis to "
                f"a unit of length, would be {apart:.4g} apart, and the shortest wall could have none"
            )
        if self.velocity not in ("velocity", "turn"):
            raise ValueError(f"velocity = {self.velocity!r} must be 'velocity' or 'turn'")
        if self.blur != math.inf and positive("blur", self.blur) >= self.perimeter:
            raise ValueError(f"blur = {self.blur!r} is not below the perimeter {self.perimeter:.4g}, nor math.inf")

    @classmethod
    def paper(cls) -> Corridor:
        """What the text says, with the public settings where it is silent."""
        return cls()

    @classmethod
    def public_run(cls) -> Corridor:
        """What the public files say."""
        points = 2 * (cls.width + cls.length) * cls.rays
        return cls(blur=0.09 * points / cls.rays, speed_deviation=0.1, velocity="turn")

    @property
    def perimeter(self) -> float:
        """2 (Lx + Ly)."""
        return 2 * (self.width + self.length)

    @property
    def points(self) -> int:
        """Of texture on the walls: 2 (Lx + Ly) L_vis, as a whole number."""
        return round(self.perimeter * self.rays)

    @property
    def turns(self) -> tuple[float, float]:
        """Where the agent turns, y from the lower end wall."""
        return self.buffer * self.length, (1 - self.buffer) * self.length

    @property
    def track(self) -> float:
        """The distance between the turns."""
        return self.turns[1] - self.turns[0]

    @property
    def network(self) -> Network:
        """Visual field and velocity in, visual field out."""
        return Network(self.rays + 1, self.hidden, self.rays)


def named(corridor: Corridor) -> str:
    """Whose settings these are."""
    return next((name for name, known in SOURCES.items() if known == corridor), "neither of the source")


def differences(corridor: Corridor) -> dict[str, tuple]:
    """Settings in which these, the text and the files are not all the same: by name, the three in this order."""
    three = (corridor, *SOURCES.values())
    rows = {field.name: tuple(getattr(one, field.name) for one in three) for field in fields(Corridor)}
    return {name: row for name, row in rows.items() if len(set(row)) > 1}


def described(corridor: Corridor) -> str:
    """Whose settings these are and, line by line, where they and those of text and files differ."""
    lines = [f"settings: {named(corridor)}", f"{'':>16}  " + "  ".join(f"{title:>12}" for title in ("here", *SOURCES))]
    for name, row in differences(corridor).items():
        lines.append(f"{name:>16}  " + "  ".join(f"{shown(value):>12}" for value in row))
    return "\n".join(lines)


def shown(value) -> str:
    """A setting in few letters."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


SOURCES = {"paper's text": Corridor.paper(), "public run": Corridor.public_run()}
