"""Checks of the edge as a consumer meets it: who is let in, who is refused, and that every interface is reached through it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from hub.cli import handshaking
from hub.cli.client import LOOPBACK, PATIENCE, Edge, Place, edge_channel
from hub.cli.findings import EDGE, Finding, Section
from hub.cli.gathering import State
from hub.cli.messages import Messages, operations
from hub.cli.options import Problem
from hub.cli.printing import count
from hub.cli.refusals import refusal_of

HEALTH: Final = "/grpc.health.v1.Health/Check"


async def of_edge(where: Place, state: State, messages: Messages, name: str) -> AsyncIterator[Finding]:
    """The edge lets in who may come in, refuses who may not, and reaches every interface."""
    section = Section(EDGE)
    try:
        identity = where.identity(name)
        shown = handshaking.context(identity.authority, identity.certificate, identity.key)
        bare = handshaking.context(identity.authority)
    except Problem as problem:
        yield section.wrong(problem.message, problem.fix)
        return
    except OSError as error:
        yield section.wrong(f"the identity {name} can't be used: {error.strerror or error}", f"run: metip identity check {name}")
        return
    let_in = True
    for face, port in (("gRPC", where.settings.edge.port), ("JSON", where.settings.edge.json_port)):
        host = where.settings.edge.address or LOOPBACK
        try:
            refused, anonymous = await asyncio.gather(handshaking.handshake(host, port, shown), handshaking.handshake(host, port, bare))
        except ConnectionRefusedError:
            yield section.wrong(
                f"nobody listens on {host}:{port} ({face})", f"start the mesh with `metip up`, or see in {where.home.log('envoy')} why not"
            )
            let_in = False
            continue
        let_in = let_in and not refused
        yield section.judged(
            not refused,
            f"{host}:{port} ({face}) lets {name} in",
            f"{host}:{port} ({face}) refuses {name}: {refused}",
            f"run: metip identity check {name}",
        )
        yield section.judged(
            bool(anonymous),
            f"{host}:{port} ({face}) refuses a call without certificate",
            f"{host}:{port} ({face}) lets anybody in without certificate",
            "stop it: this is not the hub's Envoy, or not the hub's configuration",
        )
    if not let_in:
        yield section.unknown("calls through the edge were not tried")
        return
    async with edge_channel(where, identity) as channel:
        async for finding in _through(section, channel, state, messages):
            yield finding


async def _through(section: Section, channel: grpc.aio.Channel, state: State, messages: Messages) -> AsyncIterator[Finding]:
    without_officer = await _without_officer(section, Edge(channel, messages), state)
    if without_officer is not None:
        yield without_officer
    ask: Any = channel.unary_unary(HEALTH, _bytes, health_pb2.HealthCheckResponse.FromString)
    served = [one for one in state.interfaces if one.healthy]
    healthy = 0
    for one in served:
        try:
            reply = await ask(health_pb2.HealthCheckRequest(service=one.name), timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            refused = refusal_of(error)
            yield section.wrong(f"health of {one.name} can't be asked through the edge: {refused.text}", refused.advice)
            continue
        if reply.status == health_pb2.HealthCheckResponse.SERVING:
            healthy += 1
        else:
            yield section.wrong(f"{one.name} says that it does not serve", "see the section interfaces")
    if healthy and healthy == len(served):
        yield section.right(f"{count(healthy, 'interface')} reached through the edge say that they serve")


async def _without_officer(section: Section, calls: Edge, state: State) -> Finding | None:
    """An operation that demands an officer is called without one, with an empty request: it goes no further than Envoy or validation."""
    served = {one.name for one in state.interfaces if one.healthy}
    demanding = [one for one in operations(calls.messages.contracts).values() if one.officer_required and one.interface in served]
    if not demanding:
        return None
    operation = demanding[0]
    request: Message = calls.messages.kind(operation.request)()
    try:
        async for _ in calls.replies(operation, request, within=PATIENCE):
            break
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return section.right("a call without an officer's token is refused where one is demanded")
        refused = refusal_of(error)
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            return section.wrong(f"{operation.name} can't be reached: {refused.text}", refused.advice)
    return section.wrong(
        f"{operation.name} was let through without an officer's token",
        "stop it: this is not the hub's configuration; tell information assurance",
    )


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()
