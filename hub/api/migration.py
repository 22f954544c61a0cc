"""Moving interfaces from the old platform to the new one, as operators ask it on the hub's own socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status import rpc_status

from hub.api.checking import check
from hub.api.operators import OPERATOR
from hub.exchange.accepting import metadata_of
from hub.mesh.inputs import HUB_SYSTEM
from hub.migration import guards
from hub.migration.messages import figures_of, finding_of, message_of, position_of
from hub.migration.plan import Rules
from hub.migration.ports import RefusedError
from hub.migration.running import Migration
from hub.migration.states import Guard, NoSuchStepError, Platform, State, at
from hub.migration.store import Pinned, Standing
from hub.migration.surroundings import NotAdmissibleError, UnknownInterfaceError
from metip.call import OPERATOR_HEADER
from metip.contracts import DeliveryClass
from metip.faults import Fault, Reason, status_of
from metip.migration.v1 import migration_service_pb2 as api
from metip.migration.v1 import step_pb2
from metip.migration.v1.migration_service_pb2_grpc import MigrationServiceServicer

PAGE: Final = 50
NUMBERS: Final = {Platform.METIP: step_pb2.PLATFORM_METIP, Platform.METIP2: step_pb2.PLATFORM_METIP2}


class MigrationApi(MigrationServiceServicer):
    """Answers from the running migration."""

    def __init__(self, migration: Migration) -> None:
        self._migration = migration

    async def ListStates(self, request: api.ListStatesRequest, context: Any) -> api.ListStatesResponse:  # noqa: N802
        """Tells where interfaces stand; see the contract."""
        migration = self._migration
        async with _asked(request, context):
            known = migration.store.standings().keys()
            names = migration.together(request.interface) if request.interface else tuple(sorted(known & migration.plan.rules.keys()))
            found = [await self._state(name) for name in names]
            return api.ListStatesResponse(
                interfaces=found,
                old_platform=migration.plan.old,
                approval_required=migration.around.approvals.required,
                scheduled=[_waiting(*one) for one in migration.store.scheduled()],
                plan_problem=migration.plan_problem,
            )
        raise AssertionError("unreachable: a refusal always ends the call")

    async def TakeStep(self, request: api.TakeStepRequest, context: Any) -> api.TakeStepResponse:  # noqa: N802
        """Takes a step forward; see the contract."""
        async with _asked(request, context) as operator:
            if request.preview:
                step, fine = await self._migration.preview(request, operator)
                return api.TakeStepResponse(step=step, admissible=fine)
            if request.HasField("at"):
                return api.TakeStepResponse(scheduled=self._migration.schedule(request, operator))
            return api.TakeStepResponse(step=await self._migration.take(request, operator), admissible=True)
        raise AssertionError("unreachable: a refusal always ends the call")

    async def StepBack(self, request: api.StepBackRequest, context: Any) -> api.StepBackResponse:  # noqa: N802
        """Steps back; see the contract."""
        async with _asked(request, context) as operator:
            there = position_of(request.to) if request.HasField("to") else None
            return api.StepBackResponse(step=await self._migration.back(request.interface, there, request.because, operator))
        raise AssertionError("unreachable: a refusal always ends the call")

    async def PinConsumer(self, request: api.PinConsumerRequest, context: Any) -> api.PinConsumerResponse:  # noqa: N802
        """Ties a consumer; see the contract."""
        async with _asked(request, context) as operator:
            return api.PinConsumerResponse(step=await self._migration.pin(request, operator))
        raise AssertionError("unreachable: a refusal always ends the call")

    async def CancelStep(self, request: api.CancelStepRequest, context: Any) -> api.CancelStepResponse:  # noqa: N802
        """Calls off a step; see the contract."""
        async with _asked(request, context) as operator:
            if not await self._migration.cancel(request.number, request.because, operator):
                raise Fault(Reason.NO_TRACE, f"no step {request.number} waits")
            return api.CancelStepResponse()
        raise AssertionError("unreachable: a refusal always ends the call")

    async def ListSteps(self, request: api.ListStepsRequest, context: Any) -> api.ListStepsResponse:  # noqa: N802
        """Lists steps; see the contract."""
        async with _asked(request, context):
            names = self._migration.together(request.interface) if request.interface else ()
            return api.ListStepsResponse(steps=self._migration.store.steps(names, request.limit or PAGE))
        raise AssertionError("unreachable: a refusal always ends the call")

    async def _state(self, name: str) -> api.InterfaceState:
        migration = self._migration
        rules, facts, standing = migration.plan.rules[name], await migration.facts(name), migration.store.standings()[name]
        following = rules.following(facts.here)
        judged = guards.judge(facts, following) if following else ()
        found = api.InterfaceState(
            interface=name,
            system=rules.system,
            group=rules.group,
            position=message_of(facts.here),
            since=_stamp(standing.since),
            step=standing.step,
            figures=figures_of(facts),
            next=message_of(following) if following else None,
            guards=[finding_of(one) for one in judged if one.guard is not Guard.APPROVER],
            deviations=migration.around.roads.deviations(migration.order(name)),
            pins=[_pin(one) for one in migration.store.pins() if one.interface == name],
            watched=migration.watched(name),
            notes=rules.notes,
            operations=[
                api.OperationRule(method=one.method, mirror=one.mirror, writes=one.delivery_class is not DeliveryClass.READ)
                for one in rules.operations
            ],
            bars=_bars(rules),
            rings=() if rules.undivided else rules.rings,
            steps=migration.store.count(name),
        )
        _until(found, standing)
        return found


@asynccontextmanager
async def _asked(request: Any, context: Any) -> AsyncIterator[str]:
    """Who asks. What is refused within the block ends the call with the reason."""
    await check(request, context)
    operator = metadata_of(context).get(OPERATOR_HEADER, "")
    try:
        if not OPERATOR.fullmatch(operator):
            raise Fault(Reason.CONSUMER_UNKNOWN, f"the operator is not named in {OPERATOR_HEADER}")
        yield operator
    except Fault as fault:
        await _refuse(fault, context)
    except UnknownInterfaceError as error:
        await _refuse(Fault(Reason.NO_TRACE, str(error)), context)
    except NotAdmissibleError as error:
        failed = [one for move in error.step.moves for one in move.guards if not one.passed and not one.overridden]
        remedies = {one.guard: f"{one.found}. {one.remedy}" for one in failed}
        await _refuse(Fault(Reason.PRECONDITION, str(error), metadata=remedies), context)
    except (NoSuchStepError, RefusedError) as error:
        await _refuse(Fault(Reason.PRECONDITION, str(error)), context)
    except ValueError as error:
        await _refuse(Fault(Reason.INVALID_REQUEST, str(error), fields=(("to", str(error)),)), context)


async def _refuse(fault: Fault, context: Any) -> None:
    await context.abort_with_status(rpc_status.to_status(status_of(fault, system=HUB_SYSTEM, call_id="")))


def _bars(rules: Rules) -> list[api.StepBar]:
    steps = [at(State.PRIMARY), at(State.NEW)] if rules.undivided else [at(State.CANARY, one) for one in rules.rings]
    steps += [] if rules.undivided else [at(State.PRIMARY), at(State.NEW)]
    found = []
    for there in steps:
        bar = rules.bar(there)
        said = api.StepBar(to=message_of(there), comparisons=bar.comparisons, parity_percent=round(bar.parity * 100, 6))
        said.soak.FromMicroseconds(int(bar.soak * 1e6))
        found.append(said)
    return found


def _pin(one: Pinned) -> api.ConsumerPin:
    return api.ConsumerPin(
        consumer=one.consumer, platform=NUMBERS[one.platform], since=_stamp(one.since), author=one.author, because=one.because
    )


def _waiting(number: int, when: float, author: str, request: api.TakeStepRequest, problem: str) -> api.ScheduledStep:
    return api.ScheduledStep(number=number, at=_stamp(when), step=request, author=author, problem=problem)


def _until(found: api.InterfaceState, standing: Standing) -> None:
    if standing.until is not None and standing.until_position is not None:
        found.until.CopyFrom(_stamp(standing.until))
        found.until_position.CopyFrom(message_of(standing.until_position))


def _stamp(at_unix: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMicroseconds(int(at_unix * 1e6))
    return stamp
