"""The catalogue, as operations and developers reach it."""

import asyncio
from typing import Any

import grpc

from hub.api.catalogue_words import Pages
from hub.api.checking import check
from hub.contracts import Interface, Operation
from hub.mesh.clusters import addresses_of
from hub.mesh.control import Control, Inputs
from hub.mesh.grants import callers, rights_of
from hub.mesh.inputs import cluster_name
from hub.mesh.routes import RETRIES
from metip.hub.v1 import catalogue_service_pb2 as api
from metip.hub.v1.catalogue_service_pb2_grpc import CatalogueServiceServicer


class CatalogueApi(CatalogueServiceServicer):
    """Answers from the inputs that are in force."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._pages = Pages(control.inputs.contracts)

    async def ListInterfaces(self, request: api.ListInterfacesRequest, context: Any) -> api.ListInterfacesResponse:  # noqa: N802
        """Lists what is loaded and what is wrong with the rest; see the contract."""
        inputs = self._control.inputs
        return api.ListInterfacesResponse(
            interfaces=[_summary(interface, inputs) for interface in inputs.contracts.interfaces if not interface.private],
            faults=[api.ContractFault(element=one.element, problem=one.problem, fix=one.fix) for one in inputs.contracts.faults],
        )

    async def ExplainOperation(self, request: api.ExplainOperationRequest, context: Any) -> api.ExplainOperationResponse:  # noqa: N802
        """Explains one operation; see the contract."""
        await check(request, context)
        inputs = self._control.inputs
        operation = inputs.contracts.operations.get(request.operation)
        if operation is None:
            words = f"no operation {request.operation} is loaded; `metip interfaces` lists those that are"
            await context.abort(grpc.StatusCode.NOT_FOUND, words)
            raise AssertionError("unreachable: abort always raises")
        return explain(operation, inputs)

    async def GetInterface(self, request: api.GetInterfaceRequest, context: Any) -> api.GetInterfaceResponse:  # noqa: N802
        """Gives one interface; see the contract."""
        await check(request, context)
        inputs = self._control.inputs
        interface = next((one for one in inputs.contracts.interfaces if one.name == request.interface and not one.private), None)
        if interface is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no interface {request.interface} is loaded")
            raise AssertionError("unreachable: abort always raises")
        # In a thread, since whoever asks first has all cases of all systems read.
        return await asyncio.to_thread(_whole, interface, inputs, self._pages)


def explain(operation: Operation, inputs: Inputs) -> api.ExplainOperationResponse:
    """All that follows from an operation's contract, and who may call it."""
    allowed = callers(inputs.contracts, inputs.policy, inputs.edge.trust_domain)
    response = api.ExplainOperationResponse(
        operation=operation.name,
        description=operation.description,
        delivery_class=operation.delivery_class.name,
        verb=operation.verb,
        purposes=operation.purposes,
        consumers=allowed[operation.name],
        officer_required=operation.officer_required,
        justification_required=operation.justification_required,
        retries=RETRIES if operation.delivery_class.repeatable else 0,
        max_request_bytes=operation.max_request_bytes,
        mirror=operation.mirror,
        consults=operation.consults,
        endpoints=_endpoints(inputs.contracts.interface(operation.interface), inputs, operation),
        back_ends=_back_ends(inputs.contracts.interface(operation.interface), inputs, inputs.contracts.serving(operation.name)),
        request=operation.request,
        reply=f"stream {operation.reply}" if operation.server_streams else operation.reply,
    )
    response.timeout.FromMilliseconds(int(operation.timeout * 1000))
    return response


def _whole(interface: Interface, inputs: Inputs, pages: Pages) -> api.GetInterfaceResponse:
    rights = rights_of(inputs.contracts, inputs.policy, inputs.edge.trust_domain)
    messages, enums = pages.types_of(interface)
    return api.GetInterfaceResponse(
        interface=_summary(interface, inputs),
        description=interface.description,
        legal_regime=interface.legal_regime.replace("_", " ").lower(),
        wire=interface.wire,
        operations=[pages.detail(one, explain(one, inputs), rights[one.name]) for one in interface.operations],
        messages=messages,
        enums=enums,
    )


def _summary(interface: Interface, inputs: Inputs) -> api.InterfaceSummary:
    return api.InterfaceSummary(
        name=interface.name,
        system=interface.system,
        owner=interface.owner,
        dpia=interface.dpia.reference,
        dpia_review_by=interface.dpia.review_by.isoformat(),
        classification=interface.classification.replace("_", "-"),
        operations=[operation.method for operation in interface.operations],
        instances=len(_endpoints(interface, inputs)),
        back_ends=_back_ends(interface, inputs, inputs.contracts.back_ends_of(interface.name)),
    )


def _endpoints(interface: Interface, inputs: Inputs, operation: Operation | None = None) -> tuple[str, ...]:
    """Endpoints of an interface, or only those to which an operation of it may go."""
    every = inputs.contracts.back_ends_of(interface.name)
    others = every if operation is None else inputs.contracts.serving(operation.name)
    reached = {interface.name, *(cluster_name(interface.name, system) for system in others)}
    found = addresses_of(interface, inputs.instances, every)
    return tuple(sorted({address for name, addresses in found.items() if name in reached for address in addresses}))


def _back_ends(interface: Interface, inputs: Inputs, others: tuple[str, ...]) -> list[api.BackEnd]:
    """The systems behind an interface with their weights; none where there is no choice."""
    if not others:
        return []
    systems = (interface.system, *others)
    weights = inputs.traffic.weights(interface.name, systems)
    addresses = addresses_of(interface, inputs.instances, inputs.contracts.back_ends_of(interface.name))
    clusters = (interface.name, *(cluster_name(interface.name, system) for system in others))
    return [
        api.BackEnd(system=system, weight=weight, cluster=cluster, endpoints=addresses[cluster])
        for system, weight, cluster in zip(systems, weights, clusters, strict=True)
    ]
