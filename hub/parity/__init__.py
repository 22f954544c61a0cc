"""Parity: whether the old and the new platform answer alike, told field by field from pairs of answers to the same call."""

from hub.parity.comparator import Comparator
from hub.parity.evidence import Evidence, FieldVerdict, Finding
from hub.parity.pairs import ORIGINS, RECORDED, REPLICA, SAMPLED, Answer, Pair
from hub.parity.store import ParityStoreError

__all__ = [
    "ORIGINS",
    "RECORDED",
    "REPLICA",
    "SAMPLED",
    "Answer",
    "Comparator",
    "Evidence",
    "FieldVerdict",
    "Finding",
    "Pair",
    "ParityStoreError",
]
