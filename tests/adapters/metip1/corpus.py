"""What is fuzzed of the old bus: each answer, each question as simulator and façade read it, headers and faults."""

from typing import Any

from adapters.kit.soap import Element
from adapters.metip1.faults import fault_of
from adapters.metip1.services import CONTEXT, OPERATIONS, context_contract
from adapters.metip1.translate import Form, TranslationError
from adapters.metip1.wire import REQUESTER, Layout, Record, WireError, element_of, record_of
from tests.fuzz import bodies
from tests.fuzz.declaring import Decoder


def _decoder(name: str, layout: Layout, translate: Any = None) -> Decoder:
    def read(element: Element) -> Record:
        return record_of(layout, element)

    return Decoder(
        name=name,
        decode=bodies.inside(read),
        refuses=(WireError, *bodies.REFUSES),
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
