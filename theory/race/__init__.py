"""The neural race: which pathways of a network learn first, and what is left for the others."""

from theory.race._derivation import derive
from theory.race._laws import advantage, loser, routing_escape, shared_error, transition, transition_drift

__all__ = ["advantage", "derive", "loser", "routing_escape", "shared_error", "transition", "transition_drift"]
