"""The neural race: which pathways of a network learn first, and what is left for the others."""

from theory.race._derivation import derive
from theory.race._gates import Gating, relu_gates
from theory.race._laws import advantage, loser, routing_escape, shared_error, transition, transition_drift
from theory.race._race import Runner, final_shares, race

__all__ = [
    "Gating", "Runner", "advantage", "derive", "final_shares", "loser", "race", "relu_gates", "routing_escape",
    "shared_error", "transition", "transition_drift",
]  # fmt: skip
