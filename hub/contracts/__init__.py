"""The catalogue of contracts: those this installation was built with, read and judged as of a day."""

import importlib.resources
from datetime import date

import metip.contracts
from metip.contracts import (
    BackEnd,
    Contracts,
    Delivery,
    DeliveryClass,
    Dpia,
    Fault,
    Interface,
    Operation,
    Review,
    Subscription,
    reviews_due,
)

__all__ = [
    "BackEnd",
    "Contracts",
    "Delivery",
    "DeliveryClass",
    "Dpia",
    "Fault",
    "Interface",
    "Operation",
    "Review",
    "Subscription",
    "load",
    "matching",
    "reviews_due",
]


def load(today: date, *, descriptor_set: bytes | None = None) -> Contracts:
    """Reads contracts: those installed, or those of another descriptor set (`protoc --descriptor_set_out`).

    Raises `FileNotFoundError` when the stubs were never generated (`make gen`).
    """
    if descriptor_set is None:
        descriptor_set = importlib.resources.files("metip.contracts").joinpath(metip.contracts.DESCRIPTORS).read_bytes()
    return metip.contracts.read(descriptor_set, today=today)


def matching(pattern: str, contracts: Contracts) -> tuple[Operation, ...]:
    """Operations that a pattern of the access policy names: one, all of an interface, all of a package, or `*` for all.

    Interfaces that are private are never among them: they are not on the mesh.
    """
    return tuple(
        operation
        for interface in contracts.interfaces
        if not interface.private
        for operation in interface.operations
        if pattern in ("*", operation.name, f"{interface.name}/*", f"{interface.name.rpartition('.')[0]}/*")
    )
