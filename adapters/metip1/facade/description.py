"""What a SOAP client is made from: a service's description (WSDL 1.1) with its types (XSD), written from the table that the codec reads. Pure.

The law: elements, their order, which may repeat, and what their texts may be are those of `wire.Layout`, of which the codec reads and writes
documents too; so a description can't promise what the codec does not do. Everything is document/literal; SOAP 1.1 over HTTP alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lxml import etree

from adapters.kit.soap import Element
from adapters.metip1.services import CONTEXT, SoapOperation, SoapService
from adapters.metip1.wire import Item, Layout

XSD: Final = "http://www.w3.org/2001/XMLSchema"
WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
SOAP: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
HTTP: Final = "http://schemas.xmlsoap.org/soap/http"
SIMPLE: Final[Mapping[str, tuple[str, str]]] = {
    # How a text of the wire's kinds is typed: the base type, and the pattern of what the bus prints and reads.
    "text": ("string", ""),
    "name": ("string", ""),
    "identifier": ("string", ""),
    "code": ("string", ""),
    "day": ("string", r"\d{2}/\d{2}/\d{4}"),
    "time": ("string", r"\d{2}:\d{2}"),
    "instant": ("string", r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}"),
    "number": ("nonNegativeInteger", ""),
    "flag": ("string", "[YN]"),
}
TYPE: Final = "Type"
"""What follows a record's name in the name of its type, since an element may be called like a record."""
CONTEXT_PART, BODY_PART = "context", "parameters"


def schema_of(layouts: Iterable[Layout], namespace: str) -> Element:
    """The schema of a namespace: these layouts as elements that stand alone, and a type for each record in them."""
    schema = etree.Element(f"{{{XSD}}}schema", nsmap={"xsd": XSD, "t": namespace}, targetNamespace=namespace, elementFormDefault="qualified")
    roots = list(dict.fromkeys(layouts))
    for root in roots:
        etree.SubElement(schema, f"{{{XSD}}}element", name=root.name, type=f"t:{root.name}{TYPE}")
    for layout in _every(roots):
        kind = etree.SubElement(schema, f"{{{XSD}}}complexType", name=f"{layout.name}{TYPE}")
        sequence = etree.SubElement(kind, f"{{{XSD}}}sequence")
        for item in layout.items:
            sequence.append(_element(item))
    return schema


def description_of(service: SoapService, operations: Sequence[SoapOperation], address: str) -> bytes:
    """The description of a service that is called at `address`, a URL."""
    definitions = etree.Element(
        f"{{{WSDL}}}definitions",
        nsmap={"wsdl": WSDL, "soap": SOAP, "xsd": XSD, "tns": service.namespace, "h": CONTEXT.namespace},
        name=service.name,
        targetNamespace=service.namespace,
    )
    _types(definitions, service, operations)
    _message(definitions, "RequestContext", CONTEXT_PART, f"h:{CONTEXT.name}")
    for one in operations:
        _message(definitions, f"{one.name}Input", BODY_PART, f"tns:{one.asked.name}")
        _message(definitions, f"{one.name}Output", BODY_PART, f"tns:{one.answered.name}")
    _port_type(definitions, service, operations)
    _binding(definitions, service, operations)
    whole = etree.SubElement(definitions, f"{{{WSDL}}}service", name=service.name)
    port = etree.SubElement(whole, f"{{{WSDL}}}port", name=f"{service.name}Port", binding=f"tns:{service.name}Binding")
    etree.SubElement(port, f"{{{SOAP}}}address", location=address)
    return etree.tostring(definitions, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _types(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    types = etree.SubElement(definitions, f"{{{WSDL}}}types")
    documents = [layout for one in operations for layout in (one.asked, one.answered)]
    if CONTEXT.namespace == service.namespace:
        types.append(schema_of([*documents, CONTEXT], service.namespace))
    else:
        types.extend((schema_of(documents, service.namespace), schema_of([CONTEXT], CONTEXT.namespace)))


def _message(definitions: Element, name: str, part: str, element: str) -> None:
    message = etree.SubElement(definitions, f"{{{WSDL}}}message", name=name)
    etree.SubElement(message, f"{{{WSDL}}}part", name=part, element=element)


def _port_type(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    port = etree.SubElement(definitions, f"{{{WSDL}}}portType", name=f"{service.name}PortType")
    for one in operations:
        operation = etree.SubElement(port, f"{{{WSDL}}}operation", name=one.name)
        etree.SubElement(operation, f"{{{WSDL}}}documentation").text = f"Answered by {one.contract}."
        etree.SubElement(operation, f"{{{WSDL}}}input", message=f"tns:{one.name}Input")
        etree.SubElement(operation, f"{{{WSDL}}}output", message=f"tns:{one.name}Output")


def _binding(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    binding = etree.SubElement(
        definitions, f"{{{WSDL}}}binding", name=f"{service.name}Binding", type=f"tns:{service.name}PortType"
    )
    etree.SubElement(binding, f"{{{SOAP}}}binding", style="document", transport=HTTP)
    for one in operations:
        operation = etree.SubElement(binding, f"{{{WSDL}}}operation", name=one.name)
        etree.SubElement(operation, f"{{{SOAP}}}operation", soapAction=one.action, style="document")
        asked = etree.SubElement(operation, f"{{{WSDL}}}input")
        etree.SubElement(asked, f"{{{SOAP}}}header", message="tns:RequestContext", part=CONTEXT_PART, use="literal")
        etree.SubElement(asked, f"{{{SOAP}}}body", parts=BODY_PART, use="literal")
        etree.SubElement(etree.SubElement(operation, f"{{{WSDL}}}output"), f"{{{SOAP}}}body", use="literal")


def _every(roots: Iterable[Layout]) -> list[Layout]:
    """The layouts and all that stand in them, each once. Raises `ValueError` where two of one name differ."""
    found: dict[str, Layout] = {}
    waiting = list(roots)
    while waiting:
        layout = waiting.pop(0)
        if layout.name not in found:
            found[layout.name] = layout
            waiting += [item.layout for item in layout.items if item.layout is not None]
        elif found[layout.name] != layout:
            raise ValueError(f"there are two records {layout.name} in one namespace")
    return list(found.values())


def _element(item: Item) -> Element:
    element = etree.Element(f"{{{XSD}}}element", name=item.name, minOccurs="0")
    if item.many:
        element.set("maxOccurs", "unbounded")
    if item.layout is not None:
        element.set("type", f"t:{item.layout.name}{TYPE}")
        return element
    base, pattern = SIMPLE[item.simple]
    if not (pattern or item.length or item.codes):
        element.set("type", f"xsd:{base}")
        return element
    kind = etree.SubElement(element, f"{{{XSD}}}simpleType")
    restriction = etree.SubElement(kind, f"{{{XSD}}}restriction", base=f"xsd:{base}")
    for code in item.codes:
        etree.SubElement(restriction, f"{{{XSD}}}enumeration", value=code)
    if pattern:
        etree.SubElement(restriction, f"{{{XSD}}}pattern", value=pattern)
    if item.length:
        etree.SubElement(restriction, f"{{{XSD}}}{'totalDigits' if item.simple == 'number' else 'maxLength'}", value=str(item.length))
    return element
