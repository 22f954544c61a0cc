"""Descriptors to values: the rules a contract must keep, each with what to write when it is broken.

The law: an interface with any fault does not load, and one run reports every fault of every contract.
"""

from collections.abc import Container, Iterable, Iterator
from datetime import date

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from metip.contracts import accountability, back_ends, comparison, messages
from metip.contracts.model import BackEnd, Contracts, DeliveryClass, Dpia, Fault, Interface, Operation
from metip.options.v1 import options_pb2 as options

ROOT = "metip."
ACCESS = ".metip.common.v1.AccessContext"
DEFAULT_REQUEST_BYTES = 65_536
MAX_REQUEST_BYTES = 16 * 1024 * 1024
# Where a comment hangs in a FileDescriptorProto: field 6 is `service`, 2 within a service is `method`.
SERVICE_FIELD, METHOD_FIELD = 6, 2


def read(descriptor_set: bytes, *, today: date) -> Contracts:
    """Reads every service under `metip.` from a serialised FileDescriptorSet.

    `today` decides which impact assessments are overdue. Raises `google.protobuf.message.DecodeError` when the bytes are not a
    descriptor set; a fault of a contract is never raised but listed.
    """
    files = [file for file in FileDescriptorSet.FromString(descriptor_set).file if file.package.startswith(ROOT)]
    requests = dict(_messages(files))
    declared = {f"{file.package}.{service.name}/{method.name}": method for file, service, method in _methods(files)}
    posts = messages.posts(files)
    interfaces: list[Interface] = []
    others: list[BackEnd] = []
    faults: list[Fault] = []
    for file in files:
        if back_ends.declares(file):
            wrong = [*back_ends.faults(file, declared, today, posts)]
            faults += wrong
            others += [] if wrong else [back_ends.back_end(file, declared)]
        comments = _comments(file) if file.service else {}
        for index, service in enumerate(file.service):
            found = [*_service_faults(file, service, today), *messages.service_faults(file, service, declared, posts)]
            for method in service.method:
                found += _method_faults(file, service, method, requests, declared)
                found += messages.method_faults(file, service, method, requests)
                found += comparison.method_faults(file, service, method, requests)
            faults += found
            if not found:
                interfaces.append(_interface(file, index, service, comments, requests, declared))
    return Contracts(
        tuple(sorted(interfaces, key=lambda one: one.name)), tuple(sorted(faults)), descriptor_set, tuple(sorted(others, key=_system))
    )


def _system(one: BackEnd) -> str:
    return one.system


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    """What is said of services and methods, by path; of ten thousand places in the contracts, a few hundred."""
    said = (at for at in file.source_code_info.location if at.leading_comments)
    return {path: at.leading_comments.strip() for at in said if (path := tuple(at.path))[:1] == (SERVICE_FIELD,)}


def _service_faults(file: FileDescriptorProto, service: ServiceDescriptorProto, today: date) -> Iterator[Fault]:
    name = f"{file.package}.{service.name}"
    said = service.options.Extensions[options.interface]
    if not service.options.HasExtension(options.interface):
        yield Fault(
            name,
            "has no interface option",
            "Add option (metip.options.v1.interface) = {owner … dpia … classification … legal_regime …}",
        )
        return
    yield from accountability.faults(name, said, "interface", today)
    if not said.classification:
        yield Fault(name, "has no classification", "Add classification: CLASSIFICATION_… to its interface option")
    if not said.legal_regime:
        yield Fault(name, "names no legal regime", "Add legal_regime: LEGAL_REGIME_… to its interface option")


def _method_faults(
    file: FileDescriptorProto,
    service: ServiceDescriptorProto,
    method: MethodDescriptorProto,
    requests: dict[str, DescriptorProto],
    declared: Container[str],
) -> Iterator[Fault]:
    name = f"{file.package}.{service.name}/{method.name}"
    if not method.options.HasExtension(options.operation):
        yield Fault(name, "has no operation option", "Add option (metip.options.v1.operation) = {timeout … verb … purposes …}")
        return
    said = method.options.Extensions[options.operation]
    if said.timeout.seconds <= 0 and said.timeout.nanos <= 0:
        yield Fault(name, "has no timeout", "Add timeout: {seconds: …} to its operation option")
    if not said.verb:
        yield Fault(
            name,
            "has no section 62 verb",
            "Add verb: VERB_… to its operation option; VERB_NONE if it touches no personal data",
        )
    personal = said.verb not in (options.VERB_UNSPECIFIED, options.VERB_NONE)
    if personal and not said.purposes:
        yield Fault(name, "permits no purpose", "Add purposes: [PURPOSE_…] to its operation option")
    if options.PURPOSE_UNSPECIFIED in said.purposes:
        yield Fault(name, "permits the unspecified purpose", "Name real purposes only")
    if personal and not _asks_why(requests.get(method.input_type)):
        yield Fault(
            name,
            "has a request without AccessContext",
            f"Add `metip.common.v1.AccessContext access` to {method.input_type.lstrip('.')}",
        )
    query = method.options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    mirrored = said.mirror not in (options.MIRROR_POLICY_UNSPECIFIED, options.MIRROR_POLICY_NEVER)
    if mirrored and not query:
        yield Fault(
            name,
            "would be sent twice though it has side effects",
            "Use MIRROR_POLICY_NEVER, or mark it NO_SIDE_EFFECTS if it is a query",
        )
    if mirrored and said.consults:
        yield Fault(
            name,
            "would be compared though it consults others, which it can't do without the officer's token",
            "Use MIRROR_POLICY_NEVER, and compare the operations that it consults",
        )
    if said.max_request_bytes > MAX_REQUEST_BYTES:
        yield Fault(
            name,
            f"allows requests over {MAX_REQUEST_BYTES} bytes",
            "Lower max_request_bytes; send large content by reference",
        )
    if method.client_streaming and name != messages.BULK:
        yield Fault(name, "streams its request", "Take one message; send large content by reference, many messages one by one")
    for consulted in said.consults:
        if consulted not in declared:
            yield Fault(name, f"consults {consulted}, which no contract declares", "Correct the name in consults")


def _asks_why(request: DescriptorProto | None) -> bool:
    return request is not None and any(field.name == "access" and field.type_name == ACCESS for field in request.field)


def _interface(
    file: FileDescriptorProto,
    index: int,
    service: ServiceDescriptorProto,
    comments: dict[tuple[int, ...], str],
    requests: dict[str, DescriptorProto],
    declared: dict[str, MethodDescriptorProto],
) -> Interface:
    said = service.options.Extensions[options.interface]
    name = f"{file.package}.{service.name}"
    return Interface(
        name=name,
        system=file.package.split(".")[1],
        description=_prose(comments.get((SERVICE_FIELD, index), "")),
        owner=said.owner,
        dpia=Dpia(said.dpia.reference, date.fromisoformat(said.dpia.review_by)),
        classification=_word(options.Classification.Name(said.classification), "CLASSIFICATION_"),
        legal_regime=_word(options.LegalRegime.Name(said.legal_regime), "LEGAL_REGIME_"),
        private=said.private,
        operations=tuple(
            _operation(name, method, said, _prose(comments.get((SERVICE_FIELD, index, METHOD_FIELD, place), "")), requests)
            for place, method in enumerate(service.method)
        ),
        subscribes=messages.subscriptions(file, said, declared),
        wire=said.wire.strip(),
    )


def _operation(
    interface: str, method: MethodDescriptorProto, owner: options.Interface, description: str, requests: dict[str, DescriptorProto]
) -> Operation:
    said = method.options.Extensions[options.operation]
    personal = said.verb != options.VERB_NONE
    return Operation(
        name=f"{interface}/{method.name}",
        description=description,
        delivery_class=DeliveryClass(MethodOptions.IdempotencyLevel.Name(method.options.idempotency_level)),
        timeout=said.timeout.seconds + said.timeout.nanos / 1e9,
        verb=_word(options.Verb.Name(said.verb), "VERB_"),
        purposes=tuple(_word(options.Purpose.Name(purpose), "PURPOSE_") for purpose in said.purposes),
        purpose_numbers=frozenset(said.purposes),
        mirror=_word(options.MirrorPolicy.Name(said.mirror or options.MIRROR_POLICY_NEVER), "MIRROR_POLICY_"),
        consults=tuple(said.consults),
        officer_required=personal and not said.unattended,
        justification_required=personal and owner.justification_required,
        max_request_bytes=said.max_request_bytes or DEFAULT_REQUEST_BYTES,
        request=method.input_type.lstrip("."),
        reply=method.output_type.lstrip("."),
        client_streams=method.client_streaming,
        server_streams=method.server_streaming,
        delivery=messages.delivery(method, requests),
        idempotency_fields=messages.key_fields(method, requests, "idempotency_key"),
        ordering_fields=messages.key_fields(method, requests, "ordering_key"),
    )


def _methods(
    files: Iterable[FileDescriptorProto],
) -> Iterator[tuple[FileDescriptorProto, ServiceDescriptorProto, MethodDescriptorProto]]:
    for file in files:
        for service in file.service:
            for method in service.method:
                yield file, service, method


def _messages(files: Iterable[FileDescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for file in files:
        for message in file.message_type:
            yield f".{file.package}.{message.name}", message


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix)


def _prose(comment: str) -> str:
    """A comment as running text: protobuf keeps the line breaks of the source."""
    return " ".join(comment.split())
