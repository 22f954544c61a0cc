"""An interface in the words of its contract's own service: what it is made of, who may call it and why, and a request to try it with."""

import json
from functools import cached_property

from hub.contracts import Contracts, Interface, Operation
from hub.contracts.describing import Described, Describing, Enumeration, Field
from hub.contracts.messages import Messages
from hub.contracts.samples import Sample, samples
from hub.mesh.grants import Right
from metip.hub.v1 import catalogue_service_pb2 as api


class Pages:
    """What can be told of a set of contracts; made when somebody first asks, since most hubs are never asked."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts

    def types_of(self, interface: Interface) -> tuple[list[api.MessageDetail], list[api.EnumDetail]]:
        """Every message and enum of an interface."""
        messages, enums = self._describing.types_of(interface)
        return [_message(one) for one in messages], [_enum(one) for one in enums]

    def detail(self, operation: Operation, explained: api.ExplainOperationResponse, rights: tuple[Right, ...]) -> api.OperationDetail:
        """One operation, and the rights to it."""
        contracts, sample = self._contracts, self._samples.get(operation.name)
        return api.OperationDetail(
            explained=explained,
            permissions=[_permission(one) for one in sorted(rights, key=lambda right: (right.consumer, right.grant))],
            subscribers=sorted({one.system for one in contracts.subscriptions if one.operation == operation.name}),
            sample=self._as_json(sample) if sample is not None else "",
            sample_title=sample.title if sample is not None else "",
            consulted_by=sorted(one.name for one in contracts.operations.values() if operation.name in one.consults),
        )

    @cached_property
    def _describing(self) -> Describing:
        return Describing(self._messages)

    @cached_property
    def _messages(self) -> Messages:
        return Messages(self._contracts)

    @cached_property
    def _samples(self) -> dict[str, Sample]:
        try:
            return {one.operation.name: one for one in samples(self._messages)}
        except FileNotFoundError:  # a hub without any adapter beside it
            return {}

    def _as_json(self, sample: Sample) -> str:
        document = self._messages.document(sample.request)
        return json.dumps(document, ensure_ascii=False, indent=2)


def _permission(right: Right) -> api.Permission:
    return api.Permission(consumer=right.consumer, grant=right.grant, purposes=right.purposes, roles=right.roles)


def _message(one: Described) -> api.MessageDetail:
    return api.MessageDetail(name=one.name, description=one.description, fields=[_field(field) for field in one.fields])


def _field(one: Field) -> api.FieldDetail:
    return api.FieldDetail(
        name=one.name,
        number=one.number,
        type=one.kind,
        repeated=one.repeated,
        oneof=one.oneof,
        description=one.description,
        personal=one.personal,
        subject_identifier=one.subject_identifier,
        ordering_key=one.ordering_key,
        idempotency_key=one.idempotency_key,
        rules=one.rules,
        deprecated=one.deprecated,
    )


def _enum(one: Enumeration) -> api.EnumDetail:
    values = [api.EnumValueDetail(name=value.name, number=value.number, description=value.description) for value in one.values]
    return api.EnumDetail(name=one.name, description=one.description, values=values)
