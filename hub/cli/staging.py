"""The ground on which scenarios are played: a running mesh, its samples, and calls whose end is a value."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.message import Message

from hub.cli.client import Edge, Place, edge_channel
from hub.cli.messages import Messages
from hub.cli.printing import count
from hub.cli.refusals import Refusal, refusal_of
from hub.cli.sources import SourceEnd, ends_of
from hub.contracts import Operation
from hub.contracts.samples import Sample, playable, samples
from metip.call import CALL_ID_HEADER

ORDER: Final = {"READ": 0, "WRITE_IDEMPOTENT": 1, "WRITE_ONCE": 2}
"""Queries first, so that what commands change is in no query's way."""


@dataclass(frozen=True)
class Answer:
    """What a call ended with."""

    replies: tuple[Message, ...]
    refusal: Refusal | None
    took: float
    call_id: str = ""
    """The id under which logs and traces know the call; empty when no answer named it."""

    @property
    def status(self) -> str:
        """gRPC status by name."""
        return self.refusal.status if self.refusal else "OK"

    @property
    def ends(self) -> tuple[SourceEnd, ...]:
        """How each source ended, where the answer comes from several."""
        return tuple(end for reply in self.replies for end in ends_of(reply))

    def words(self) -> str:
        """The end in words."""
        if self.refusal is not None:
            return f"{self.refusal.status} {self.refusal.reason}: {self.refusal.text}"
        return "answered" if len(self.replies) == 1 else f"answered in {count(len(self.replies), 'message')}"


@dataclass(frozen=True)
class Outcome:
    """One thing that was expected and what came."""

    what: str
    right: bool
    told: str = ""
    """What came, in words."""
    took: float | None = None
    """Seconds."""
    scenario: str = ""
    """The title of the scenario that it belongs to."""

    def document(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {"scenario": self.scenario, "what": self.what, "right": self.right, "told": self.told, "seconds": self.took}


@dataclass(frozen=True)
class Stage:
    """A running mesh and what the scenarios play on it."""

    where: Place
    messages: Messages
    calls: Edge
    token: str
    samples: tuple[Sample, ...]
    served: frozenset[str] = frozenset()
    """Interfaces that have a healthy host."""

    async def ask(self, operation: Operation, request: Message, *, within: float | None = None, token: str | None = None) -> Answer:
        """Calls an operation as the developer, with an officer's token unless another (or `""` for none) is given."""
        return await ask(self.calls, operation, request, token=self._token(operation) if token is None else token, within=within)

    def _token(self, operation: Operation) -> str:
        return self.token if operation.officer_admissible else ""

    @property
    def federated(self) -> Sample | None:
        """The search that consults most sources and tells of each as it answers; None when there is none."""
        return max(
            (one for one in self.samples if one.operation.consults and one.operation.server_streams and one.status == "OK"),
            key=lambda one: len(one.operation.consults),
            default=None,
        )

    @property
    def query(self) -> Sample | None:
        """A plain query that is answered."""
        fit = (one for one in self.samples if one.operation.delivery_class.name == "READ" and one.status == "OK" and not one.dials)
        return min(fit, key=lambda one: len(one.operation.consults), default=None)


@asynccontextmanager
async def stage(where: Place, messages: Messages, served: set[str]) -> AsyncIterator[Stage]:
    """The scenarios' ground for the length of the block; `served` are interfaces that have a healthy host."""
    found = tuple(
        sorted(
            (one for one in samples(messages) if playable(one, served)),
            key=lambda one: (ORDER[one.operation.delivery_class.name], one.operation.name),
        )
    )
    async with edge_channel(where, where.identity()) as channel:
        yield Stage(where, messages, Edge(channel, messages), where.token(), found, frozenset(served))


async def ask(calls: Edge, operation: Operation, request: Message, *, token: str, within: float | None) -> Answer:
    """Calls an operation and gives whatever it ended with; nothing is raised."""
    started = time.monotonic()
    replies: list[Message] = []
    made: list[Any] = []
    refusal = None
    try:
        async for reply in calls.replies(operation, request, token=token, within=within, called=made.append):
            replies.append(reply)
    except grpc.aio.AioRpcError as error:
        refusal = refusal_of(error)
    took = time.monotonic() - started
    return Answer(tuple(replies), refusal, took, refusal.call_id if refusal else await _call_id(made[0]))


async def _call_id(call: Any) -> str:
    metadata = await call.initial_metadata()
    return next((str(value) for key, value in metadata or () if key == CALL_ID_HEADER), "")
