"""Checks of traffic: what somebody set by hand in Envoy, and what is set on purpose and looks like a fault to callers."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from hub.cli.client import PATIENCE, Place, hub_client
from hub.cli.exchange.moments import written
from hub.cli.findings import TRAFFIC, Finding, Section
from hub.traffic.previewing import described
from hub.traffic.words import setting_of
from metip.traffic.v1 import traffic_service_pb2 as api
from metip.traffic.v1.traffic_service_pb2_grpc import TrafficServiceStub

FELT: Final = frozenset({"fault", "maintenance", "drain", "paused"})
"""Kinds of settings that callers or subscribers feel."""


async def of_traffic(where: Place) -> AsyncIterator[Finding]:
    """Nothing is set by hand that says otherwise than the hub; what is set on purpose is named."""
    section = Section(TRAFFIC)
    overview = await _overview(where)
    if overview is None:
        yield section.unknown("what shapes traffic is the hub's to say")
        return
    if not overview.envoy_answers:
        yield section.unknown("what is set by hand in Envoy can't be read")
    differing = [one for one in overview.overrides if one.differs]
    for one in differing:
        says = f"the hub says {one.said}" if one.said else "the hub says nothing of it"
        yield section.doubtful(
            f"{one.key} is {one.value} by hand in Envoy since {written(one.since)}; {says}",
            "metip traffic adopt, to keep it; metip traffic reset, to take it back",
        )
    felt = [one for one in overview.settings if one.setting.WhichOneof("kind") in FELT]
    for one in felt:
        yield section.doubtful(f"set on purpose: {described(setting_of(one.setting))}", f"metip traffic undo {one.change}, once it is over")
    if not differing and not felt and overview.envoy_answers:
        yield section.right("goes as the hub says; nothing is set by hand in Envoy")


async def _overview(where: Place) -> Any:
    async with hub_client(where) as hub:
        stub: Any = TrafficServiceStub(hub.channel)
        try:
            return (await stub.GetTraffic(api.GetTrafficRequest(), timeout=PATIENCE)).overview
        except grpc.aio.AioRpcError:
            return None
