"""A network that learns to predict what an agent will see next in a corridor, and drifts for as long as it learns.

The corridor is a rectangle -Lx/2 <= x <= Lx/2, 0 <= y <= Ly.  All four walls are textured along their whole length:
independent normal numbers, L_vis of them to a unit of length, around the closed perimeter of 2 (Lx + Ly), are smoothed
by a Gaussian filter, and joined by lines.  An agent on the midline x = 0 moves by

    y_{t+1} = y_t + d_t v_t,        v_t = V0 + speed_deviation N(0, 1),        d_t = +-1,

and looks along its heading d_t (sin theta_t, cos theta_t), theta_{t+1} = theta_t + N(0, sigma_theta^2).  At a distance
of L_buffer Ly from an end wall it turns: it is reflected there, and d_t points away from that wall ever after.  L_vis
rays, spread evenly over the angle theta_vis about the heading, end where they meet a wall; the texture at these points,
each found in closed form, is the visual field.  The network

    f(x_t) = n relu(m x_t + b)

gets the visual field and the velocity at t, and learns the visual field at t + 1 by gradient descent on the mean square
over samples and rays, in the full batch, with normal noise of standard deviation sigma on every parameter at every step
(`numerics.ensemble`).  What its units come to know of the position is in the tuning curves (`rate_maps` and others).

The text of the source and the public settings of its runs are not the same.  `Corridor.paper()` follows the text, and
the public settings where it is silent; `Corridor.public_run()` follows the settings: the texture is smoother, the speed
is random, and the "velocity" is the change of heading.  Two faults of the public code are not followed: walls textured
in part only, and rate maps divided by the occupancy twice.  Neither source says these, which are ours: the walk starts
at the lower turn and upwards; one linear scale brings all that is seen by training samples to [-1, 1], and another the
velocity; the position is decoded on the way that follows, as that of the nearest activity in training; on that way the
heading stays, in each direction, between the least and the greatest that were learnt, for left to itself it diffuses to
others, of which nothing was learnt; units that are active at one of two times count when these are compared.

With as few samples as bins, a map is mostly noise, and information that is not there is found: with positions shuffled,
most of what the units seemed to tell is still found.  A history has this control beside the published quantity, and of
an unseen walk twenty times as long what the same units tell, the same control, and how well the next view is predicted.
`phases` finds in such a history when networks have converged, and when their activity begins to fall and has stopped.

Source: Ratzon, Derdikman and Barak, "Representational drift as a result of implicit regularization" (2024), figure 2
and "Materials and methods".  `python -m numerics.corridor --help` shows how to make the run and the figure.
"""

from numerics.corridor._figure import figure
from numerics.corridor._phases import Networks, phases
from numerics.corridor._run import History, load, run
from numerics.corridor._settings import Corridor, described
from numerics.corridor._tuning import (
    activities,
    decoding_error,
    occupancy,
    place_cells,
    places,
    population_correlation,
    rate_maps,
    spatial_information,
)
from numerics.corridor._world import Samples, hits, samples, sight, walk, walls

__all__ = [
    "Corridor",
    "History",
    "Networks",
    "Samples",
    "activities",
    "decoding_error",
    "described",
    "figure",
    "hits",
    "load",
    "occupancy",
    "phases",
    "place_cells",
    "places",
    "population_correlation",
    "rate_maps",
    "run",
    "samples",
    "sight",
    "spatial_information",
    "walk",
    "walls",
]
