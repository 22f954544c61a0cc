"""The making of pairs in this process: the hub's sampler, asker and recordings, and systems that answer on a real socket as Envoy would."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import grpc
from cases import RecordedCase, case_files, read_case
from mirrored_mesh import mirrored

import hub.contracts
from adapters.kit.serving import installed_contracts
from hub.mesh.inputs import Instance
from hub.parity.pairs import Pair
from hub.parity.running import Pairs
from metip.contracts import DeliveryClass, Operation
from metip.journal.keys import ensure_keys
from metip.parity.v1.sample_pb2 import Sample

INSTALLED = installed_contracts(date.min)
SECOND = INSTALLED.back_ends[0].system
CASES = [
    case
    for case in map(read_case, case_files())
    if case.case.sample and SECOND in INSTALLED.serving(case.operation.name) and case.system != SECOND and case.operation.comparable
]
REPLICA, SAMPLED, RECORDED, *_ = CASES
FIRST = REPLICA.system
WRITE = next(name for name in INSTALLED.back_ends[0].serves if INSTALLED.operations[name].delivery_class is not DeliveryClass.READ)
NEVER = next(one for one in INSTALLED.operations.values() if one.mirror == "NEVER" and one.delivery_class is DeliveryClass.READ)
POLICIES = {REPLICA.operation.name: "REPLICA", SAMPLED.operation.name: "SAMPLED", RECORDED.operation.name: "RECORDED"}
CONTRACTS = hub.contracts.load(date.min, descriptor_set=mirrored(POLICIES))
ALL = 1_000_000


@dataclass
class Systems(grpc.GenericRpcHandler):
    """Every system behind every operation; which one is asked stands in a header, as on the way of deliveries."""

    replies: dict[str, bytes] = field(default_factory=dict)
    """By system."""
    asked: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    """System, path, request, metadata."""
    before: Callable[[str, Any], Awaitable[None]] | None = None
    """Done before a system answers; may end the call."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Any unary operation."""
        path = str(handler_call_details.method)

        async def answer(request: bytes, context: Any) -> bytes:
            metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
            system = metadata["x-metip-subscriber"]
            self.asked.append((system, path, request, metadata))
            if self.before is not None:
                await self.before(system, context)
            return self.replies.get(system, b"")

        return grpc.unary_unary_rpc_method_handler(answer)

    def counted(self) -> Counter[str]:
        """How often each system was asked."""
        return Counter(system for system, *_ in self.asked)


@dataclass
class PairsRig:
    """Pairs, running."""

    pairs: Pairs
    systems: Systems
    instances: list[Instance]
    taken: list[Pair]
    actions: list[tuple[str, str]]

    def offer(self, case: RecordedCase, number: int = 1, system: str = FIRST) -> Sample:
        """Offers one answered call; as it was offered."""
        found = sample(case, number, system)
        self.pairs.offer([_copy(found)])
        return found

    def drops(self, operation: Operation) -> dict[str, int]:
        """What was dropped, by cause."""
        return dict(self.pairs.counts.of(operation.name).drops)


def sample(case: RecordedCase, number: int, system: str = FIRST) -> Sample:
    """An answered call of a case."""
    found = Sample(operation=case.operation.name, call_id=f"call-{number}", request=case.case.request.value, system=system)
    found.replies.append(b"\x0a\x03old")
    found.at.GetCurrentTime()
    return found


def _copy(one: Sample) -> Sample:
    found = Sample()
    found.CopyFrom(one)
    return found


def instances(*, replica: bool = True) -> list[Instance]:
    """One instance of each of the two systems."""
    served = tuple(sorted({case.operation.interface for case in CASES}))
    return [Instance(f"{system}-0", system, served, f"unix:/run/{system}", replica=replica) for system in (FIRST, SECOND)]


@asynccontextmanager
async def running_pairs(folder: Path) -> AsyncIterator[PairsRig]:
    """All of it for the length of the block."""
    systems, known, taken, actions = (
        Systems({FIRST: b"\x0a\x03old", SECOND: b"\x0a\x03new"}),
        instances(),
        list[Pair](),
        list[tuple[str, str]](),
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((systems,))
    server.add_insecure_port(f"unix:{folder / 'envoy'}")
    await server.start()
    ensure_keys(folder / "keys")

    async def record(action: str, author: str, _purpose: int, detail: str) -> None:
        actions.append((action, f"{author} {detail}"))

    async with grpc.aio.insecure_channel(f"unix:{folder / 'envoy'}") as channel:
        pairs = Pairs(folder, CONTRACTS, lambda: tuple(known), lambda: channel, record, ledger_keys=folder / "keys", take=taken.append)
        running = asyncio.create_task(pairs.run())
        try:
            yield PairsRig(pairs, systems, known, taken, actions)
        finally:
            running.cancel()
            await asyncio.wait((running,))
            await pairs.close()
            await server.stop(None)
