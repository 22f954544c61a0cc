"""Parity: whether the old and the new platform answer alike, told field by field from pairs of answers to the same call."""

from hub.parity.evidence import Evidence, FieldVerdict
from hub.parity.pairs import ORIGINS, RECORDED, REPLICA, SAMPLED, Answer, Pair

__all__ = ["ORIGINS", "RECORDED", "REPLICA", "SAMPLED", "Answer", "Evidence", "FieldVerdict", "Pair"]
