"""Reads contracts: descriptors in, frozen values out; no grpc, no asyncio, no I/O, so that hub and adapters share it."""

from metip.contracts.accountability import reviews_due
from metip.contracts.model import (
    BackEnd,
    Contracts,
    Delivery,
    DeliveryClass,
    Dpia,
    Fault,
    Interface,
    Operation,
    Review,
    Start,
    Subscription,
)
from metip.contracts.reading import read

DESCRIPTORS = "descriptors.binpb"
"""Name of the generated file in this package that holds every contract, comments included, as a FileDescriptorSet."""

__all__ = [
    "DESCRIPTORS",
    "BackEnd",
    "Contracts",
    "Delivery",
    "DeliveryClass",
    "Dpia",
    "Fault",
    "Interface",
    "Operation",
    "Review",
    "Start",
    "Subscription",
    "read",
    "reviews_due",
]
