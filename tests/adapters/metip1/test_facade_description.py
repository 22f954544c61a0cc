"""Descriptions agree with the codec: schemas compile, a client can be made of each, and whatever the codec writes is valid by them."""

import io
import random
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
import zeep
from cases import case_files, read_case, request_message
from google.protobuf import descriptor_pool, message_factory
from lxml import etree

from adapters.kit.serving import installed_contracts
from adapters.kit.soap import Element
from adapters.metip1.facade.description import SIMPLE, XSD, description_of, schema_of
from adapters.metip1.services import BY_CONTRACT, CONTEXT, OPERATIONS, SERVICES, SoapOperation, SoapService, context_native
from adapters.metip1.translate import TranslationError
from adapters.metip1.wire import Item, Layout, Record, element_of, record_of

DESCRIBED = {
    one: description_of(one, [operation for operation in OPERATIONS if operation.service == one], f"https://soap.example{one.path}")
    for one in SERVICES
}
CASES = [read_case(path) for path in case_files()]
CONTRACTS = installed_contracts(date.min)
EXCHANGED = [one for one in CASES if one.case.operation in BY_CONTRACT]


def schemas(service: SoapService) -> dict[str, etree.XMLSchema]:
    """The service's schemas by namespace, as a client reads them."""
    root = etree.fromstring(DESCRIBED[service])
    found = [etree.ElementTree(etree.fromstring(etree.tostring(one))) for one in root.iter(f"{{{XSD}}}schema")]
    return {str(one.getroot().get("targetNamespace")): etree.XMLSchema(one) for one in found}


SCHEMAS = {one: schemas(one) for one in SERVICES}


def faults(operation: SoapOperation, element: Element) -> list[str]:
    """What the operation's schema says against an element: places and rules, no values."""
    schema = SCHEMAS[operation.service][operation.asked.namespace]
    schema.validate(element)
    return [f"{one.path}: {one.type_name}" for one in schema.error_log]


@pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
def test_a_client_finds_every_operation_with_its_action_and_header(service: SoapService) -> None:
    make: Any = zeep.Client
    wsdl = make(io.BytesIO(DESCRIBED[service])).wsdl
    (found,) = wsdl.services.values()
    (port,) = found.ports.values()
    known = [one for one in OPERATIONS if one.service == service]
    assert {name: one.soapaction for name, one in port.binding._operations.items()} == {one.name: one.action for one in known}
    assert port.binding_options == {"address": f"https://soap.example{service.path}"}
    assert all("context" in one.input.signature() for one in port.binding._operations.values())


@pytest.mark.parametrize("recorded", EXCHANGED, ids=lambda one: f"{one.system}-{one.path.stem}")
def test_what_is_recorded_of_the_contracts_is_valid_as_the_facade_prints_it(recorded: Any) -> None:
    operation, said = BY_CONTRACT[recorded.case.operation], []
    asked = request_message(recorded)
    with suppress(TranslationError):  # the old bus has no words for it, so nobody could have asked it that way
        said.append(element_of(operation.asked, operation.ask_native(asked)))
    replies = recorded.case.answered.replies if recorded.case.WhichOneof("outcome") == "answered" else ()
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(CONTRACTS.operations[operation.contract].reply))
    said += [element_of(operation.answered, operation.answer_native(kind.FromString(one.value))) for one in replies]
    assert [faults(operation, one) for one in said if faults(operation, one)] == []


def test_the_recorded_exchanges_are_enough_to_say_so() -> None:
    assert {one.case.operation for one in EXCHANGED} == set(BY_CONTRACT)


def test_why_somebody_asks_is_valid_too() -> None:
    access = next(request.access for one in EXCHANGED if (request := request_message(one)).HasField("access"))  # type: ignore[attr-defined]
    schema = SCHEMAS[SERVICES[0]][CONTEXT.namespace]
    assert schema.validate(element_of(CONTEXT, context_native(access))), schema.error_log


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.service.name}-{one.name}")
def test_a_document_with_every_element_passes_schema_and_codec(operation: SoapOperation) -> None:
    dice = random.Random(operation.name)
    for layout in (operation.asked, operation.answered):
        record = whole(layout, dice, "2" if operation.service.dialect.short_years else "4")
        element = element_of(layout, record)
        assert faults(operation, element) == []
        assert record_of(layout, etree.fromstring(etree.tostring(element))) == record


WRONG = {
    "a day": (Item("X", "day"), "2026-11-23"),
    "a day with too short a year": (Item("X", "day"), "23/11/26"),
    "a time": (Item("X", "time"), "9:30"),
    "an instant": (Item("X", "instant"), "23/11/2026"),
    "a number": (Item("X", "number"), "-1"),
    "a flag": (Item("X", "flag"), "yes"),
    "a code": (Item("X", "code", codes=("01", "02")), "03"),
    "a text that is too long": (Item("X", "identifier", length=3), "ABCD"),
}


@pytest.mark.parametrize(("item", "text"), WRONG.values(), ids=WRONG)
def test_the_schema_refuses_what_the_codec_never_writes(item: Item, text: str) -> None:
    layout = Layout("Root", "urn:x", (item,))
    schema = etree.XMLSchema(etree.ElementTree(schema_of([layout], "urn:x", "x")))
    assert not schema.validate(element_of(layout, {"X": text}))
    assert not schema.validate(element_of(Layout("Root", "urn:x", (Item("X", "text", many=True),)), {"X": ["", ""]}))


def test_a_name_may_be_asked_for_in_full() -> None:
    layout = Layout("Root", "urn:x", (Item("X", "name", length=3),))
    assert etree.XMLSchema(etree.ElementTree(schema_of([layout], "urn:x", "x"))).validate(element_of(layout, {"X": "ABCD"}))


def test_a_code_is_the_same_with_its_padding_and_without_it() -> None:
    layout = Layout("Root", "urn:x", (Item("X", "code", codes=("ARREST   ", "STOP     ")),))
    schema = etree.XMLSchema(etree.ElementTree(schema_of([layout], "urn:x", "x")))
    assert [schema.validate(element_of(layout, {"X": text})) for text in ("ARREST   ", "ARREST", "", "OTHER")] == [True, True, True, False]


def test_two_records_of_one_name_that_differ_are_no_schema() -> None:
    inner = Layout("Inner", "urn:x", ()), Layout("Inner", "urn:x", (Item("Y", "text"),))
    with pytest.raises(ValueError, match="two records Inner"):
        schema_of([Layout("Root", "urn:x", (Item("A", layout=inner[0]), Item("B", layout=inner[1])))], "urn:x", "x")


def test_every_kind_of_text_is_typed() -> None:
    kinds = {item.simple for operation in OPERATIONS for root in (operation.asked, operation.answered) for item in _items(root)}
    assert kinds - {""} <= SIMPLE.keys()


def whole(layout: Layout, dice: random.Random, years: str) -> Record:
    """A record in which every element stands, those that may repeat twice."""
    found: Record = {}
    for item in layout.items:
        values = [whole(item.layout, dice, years) if item.layout else _text(item, dice, years) for _ in range(2 if item.many else 1)]
        found[item.name] = values if item.many else values[0]
    return found


def _text(item: Item, dice: random.Random, years: str) -> str:
    day = f"{dice.randrange(32):02d}/{dice.randrange(13):02d}/" + f"{dice.randrange(10000):04d}"[-int(years) :]
    clock = f"{dice.randrange(24):02d}:{dice.randrange(60):02d}"
    number = f"{dice.randrange(100):04d}"
    said = {"day": day, "time": clock, "instant": f"{day} {clock}:07", "number": number, "flag": dice.choice("YN")}
    if item.codes:
        return dice.choice(item.codes)
    return said.get(item.simple, f"Zoë <&> {number}")[: item.length or None]


def _items(layout: Layout) -> list[Item]:
    return [one for item in layout.items for one in (item, *(_items(item.layout) if item.layout else ()))]
