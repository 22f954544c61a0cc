"""What is fuzzed of the old bus: each answer, each question as simulator and façade read it, headers and faults."""

from typing import Any

from cases import case_files, read_case

from adapters.kit.soap import Element
from adapters.metip1.faults import fault_of
from adapters.metip1.services import CONTEXT, OPERATIONS, context_contract
from adapters.metip1.translate import Form, TranslationError
from adapters.metip1.wire import REQUESTER, Layout, Record, WireError, element_of, record_of
from tests.fuzz import bodies
from tests.fuzz.declaring import Decoder

SEEDS: dict[str, Record] = {
    CONTEXT.name: {"Purpose": "04", "Reference": "1/2", "Justification": "because", "OnBehalfOf": "PC 1", "DeviceId": "d"},
    REQUESTER.name: {"Account": "METIP2", "UserId": "P1", "Unit": "ZD", "Role": ["a", "b"], "Transaction": "t"},
    "Accepted": {"MessageId": "1", "Accepted": "26/11/2026 10:00:00", "DuplicateOf": "1", "Progress": "01"},
}
"""Of what no recorded exchange shows."""


def _seeds(layout: Layout) -> list[bytes]:
    """One document of each that no recorded exchange shows: of messages, those that their owners' cases have."""
    records = [SEEDS[layout.name]] if layout.name in SEEDS else []
    for operation in OPERATIONS:
        if operation.asked is layout and operation.answered.name == "Accepted":
            found = [read_case(path) for path in case_files(("custody", "libra"))]
            asked = [one.case.request for one in found if one.case.operation == operation.contract and not one.case.HasField("refused")]
            records += [operation.ask_native(operation.question.made().FromString(one.value)) for one in asked]
    return [bodies.around(lambda record: element_of(layout, record))(one) for one in records]


def _decoder(name: str, layout: Layout, translate: Any = None) -> Decoder:
    def read(element: Element) -> Record:
        return record_of(layout, element)

    return Decoder(
        name=name,
        decode=bodies.inside(read),
        refuses=(WireError, *bodies.REFUSES),
        seeds=lambda: _seeds(layout),
        encode=bodies.around(lambda record: element_of(layout, record)),
        translate=translate,
        also=(TranslationError,),
    )


def _both_ways(form: Form) -> Any:
    """A message of a record, which the bus could print again."""

    def told(record: Record) -> object:
        message = form.contract(record)
        return message, form.native(message, asking=False)

    return told


DECODERS = (
    *(_decoder(f"{one.name} asked", one.asked, _both_ways(one.question)) for one in OPERATIONS),
    *(_decoder(f"{one.name} answered", one.answered, _both_ways(one.answer)) for one in OPERATIONS if one.answered.name != "Accepted"),
    _decoder("accepted", OPERATIONS[-1].answered, _both_ways(OPERATIONS[-1].answer)),
    _decoder("context", CONTEXT, context_contract),
    _decoder("requester", REQUESTER),
    Decoder(
        name="fault",
        decode=bodies.fault,
        refuses=bodies.REFUSES,
        translate=lambda said: (fault_of(said, write_once=True), fault_of(said, write_once=False)),
    ),
)
