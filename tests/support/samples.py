"""Picks cases by what their operations are, so that tests of the mesh need not name a system."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any

import grpc
from cases import RecordedCase, case_files, read_case, request_fields
from mesh_rig import MeshRig

from adapters.kit import discovery
from adapters.kit.serving import installed_contracts
from metip.contracts import DeliveryClass, Operation


def sample(accepts: Callable[[Operation], bool], *, systems: Sequence[str] | None = None) -> RecordedCase:
    """The first sample case whose operation is accepted, of a system whose simulator does nothing but answer: it publishes no messages, so
    that what a dial strikes and a count counts is the test's own."""
    for path in case_files(systems):
        found = read_case(path)
        if found.case.sample and accepts(found.operation) and discovery.has_simulator(found.system) and found.system not in publishers():
            return found
    raise LookupError("no sample case is like that")


@cache
def publishers() -> frozenset[str]:
    """Systems that publish messages."""
    return frozenset(one.system for one in installed_contracts(date.min).interfaces if one.of_messages)


def query(system: str = "") -> RecordedCase:
    """A query of one system that needs an officer; of any system unless one is named."""
    return sample(
        lambda one: one.delivery_class is DeliveryClass.READ and one.officer_required and not one.server_streams,
        systems=(system,) if system else None,
    )


def write_once() -> RecordedCase:
    """A command that must never be repeated by a machine, and that a person may give as often as they like: it names no version."""
    return sample(lambda one: one.delivery_class is DeliveryClass.WRITE_ONCE and "version" not in request_fields(one))


def federated() -> RecordedCase:
    """The search that consults most systems and tells of each as it answers."""
    streamed = [one for one in map(read_case, case_files()) if one.case.sample and one.operation.consults and one.operation.server_streams]
    return max(streamed, key=lambda one: len(one.operation.consults))


async def send(
    rig: MeshRig, case: RecordedCase, channel: grpc.aio.Channel, *, metadata: list[tuple[str, str]] | None = None, within: float = 10.0
) -> bytes:
    """Sends a unary case's request. Raises `grpc.aio.AioRpcError`."""
    call: Any = channel.unary_unary(case.operation.path)
    reply: bytes = await call(case.case.request.value, timeout=within, metadata=rig.token() if metadata is None else metadata)
    return reply
