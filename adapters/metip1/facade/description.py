"""What a SOAP client is made from: a service's description (WSDL 1.1) with its types (XSD), from the table that the codec reads. Pure.

The law: elements, their order, which may repeat, and what their texts may be are those of `wire.Layout`, by which the codec reads and
writes documents too; so a description can't promise what the codec does not do. Everything is document/literal; SOAP 1.1 over HTTP alone.
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
YEAR: Final = "YEAR"
DAY: Final = f"[0-9]{{2}}/[0-9]{{2}}/{YEAR}"
SIMPLE: Final[Mapping[str, tuple[str, str]]] = {
    # How a text of the wire's kinds is typed: its base, and the pattern of what the bus prints and reads. A code is a `token`, so that one
    # with the bus's padding and one without it are the same.
    "text": ("string", ""),
    "name": ("string", ""),
    "identifier": ("string", ""),
    "code": ("token", ""),
    "day": ("string", DAY),
    "time": ("string", "[0-9]{2}:[0-9]{2}"),
    "instant": ("string", f"{DAY} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}"),
    "number": ("nonNegativeInteger", ""),
    "flag": ("token", "[YN]"),
}
TYPE: Final = "Type"
"""What follows a record's name in the name of its type, since an element may be called like a record."""
OWN, HEADER = "tns", "bus"
"""Prefixes of the service's namespace and the bus's."""
CONTEXT_PART, BODY_PART = "context", "parameters"


def schema_of(layouts: Iterable[Layout], namespace: str, prefix: str, *, short_years: bool = False) -> Element:
    """The schema of a namespace: these layouts as elements that stand alone, and a type for each record in them.

    `prefix` stands for the namespace, and must do so around the schema too: libxml2 keeps one declaration of the two. `short_years` is the
    service's. Raises `ValueError` where two records of one name differ.
    """
    schema = etree.Element(
        f"{{{XSD}}}schema", nsmap={"xsd": XSD, prefix: namespace}, targetNamespace=namespace, elementFormDefault="qualified"
    )
    roots = list({layout.name: layout for layout in layouts}.values())
    year = f"[0-9]{{{2 if short_years else 4}}}"
    for root in roots:
        etree.SubElement(schema, f"{{{XSD}}}element", name=root.name, type=f"{prefix}:{root.name}{TYPE}")
    for layout in _every(roots):
        kind = etree.SubElement(schema, f"{{{XSD}}}complexType", name=f"{layout.name}{TYPE}")
        sequence = etree.SubElement(kind, f"{{{XSD}}}sequence")
        for item in layout.items:
            sequence.append(_element(item, prefix, year))
    return schema


def description_of(service: SoapService, operations: Sequence[SoapOperation], address: str) -> bytes:
    """The description of a service that is called at `address`, a URL."""
    definitions = etree.Element(
        f"{{{WSDL}}}definitions",
        nsmap={"wsdl": WSDL, "soap": SOAP, "xsd": XSD, OWN: service.namespace, HEADER: CONTEXT.namespace},
        name=service.name,
        targetNamespace=service.namespace,
    )
    _types(definitions, service, operations)
    _message(definitions, CONTEXT.name, CONTEXT_PART, f"{HEADER}:{CONTEXT.name}")
    for one in operations:
        _message(definitions, f"{one.name}Input", BODY_PART, f"{OWN}:{one.asked.name}")
        _message(definitions, f"{one.name}Output", BODY_PART, f"{OWN}:{one.answered.name}")
    _port_type(definitions, service, operations)
    _binding(definitions, service, operations)
    whole = etree.SubElement(definitions, f"{{{WSDL}}}service", name=service.name)
    port = etree.SubElement(whole, f"{{{WSDL}}}port", name=f"{service.name}Port", binding=f"{OWN}:{service.name}Binding")
    etree.SubElement(port, f"{{{SOAP}}}address", location=address)
    return etree.tostring(definitions, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _types(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    types = etree.SubElement(definitions, f"{{{WSDL}}}types")
    documents = [layout for one in operations for layout in (one.asked, one.answered)]
    types.append(schema_of(documents, service.namespace, OWN, short_years=service.dialect.short_years))
    types.append(schema_of([CONTEXT], CONTEXT.namespace, HEADER))


def _message(definitions: Element, name: str, part: str, element: str) -> None:
    message = etree.SubElement(definitions, f"{{{WSDL}}}message", name=name)
    etree.SubElement(message, f"{{{WSDL}}}part", name=part, element=element)


def _port_type(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    port = etree.SubElement(definitions, f"{{{WSDL}}}portType", name=f"{service.name}PortType")
    for one in operations:
        operation = etree.SubElement(port, f"{{{WSDL}}}operation", name=one.name)
        etree.SubElement(operation, f"{{{WSDL}}}documentation").text = f"Answered by {one.contract}."
        etree.SubElement(operation, f"{{{WSDL}}}input", message=f"{OWN}:{one.name}Input")
        etree.SubElement(operation, f"{{{WSDL}}}output", message=f"{OWN}:{one.name}Output")


def _binding(definitions: Element, service: SoapService, operations: Sequence[SoapOperation]) -> None:
    binding = etree.SubElement(definitions, f"{{{WSDL}}}binding", name=f"{service.name}Binding", type=f"{OWN}:{service.name}PortType")
    etree.SubElement(binding, f"{{{SOAP}}}binding", style="document", transport=HTTP)
    for one in operations:
        operation = etree.SubElement(binding, f"{{{WSDL}}}operation", name=one.name)
        etree.SubElement(operation, f"{{{SOAP}}}operation", soapAction=one.action, style="document")
        asked = etree.SubElement(operation, f"{{{WSDL}}}input")
        etree.SubElement(asked, f"{{{SOAP}}}header", message=f"{OWN}:{CONTEXT.name}", part=CONTEXT_PART, use="literal")
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


def _element(item: Item, prefix: str, year: str) -> Element:
    element = etree.Element(f"{{{XSD}}}element", name=item.name, minOccurs="0")
    if item.many:
        element.set("maxOccurs", "unbounded")
    if item.layout is not None:
        element.set("type", f"{prefix}:{item.layout.name}{TYPE}")
        return element
    base, pattern = SIMPLE[item.simple]
    facets = [("enumeration", code) for code in dict.fromkeys(("", *map(str.strip, item.codes)))] if item.codes else []
    facets += [("pattern", pattern.replace(YEAR, year))] if pattern else []
    # A name is cut in answers only, so that as many letters as a consumer has may be asked for.
    facets += [("maxLength", str(item.length))] if item.length and item.simple != "name" else []
    if not facets:
        element.set("type", f"xsd:{base}")
        return element
    kind = etree.SubElement(element, f"{{{XSD}}}simpleType")
    restriction = etree.SubElement(kind, f"{{{XSD}}}restriction", base=f"xsd:{base}")
    for facet, value in facets:
        etree.SubElement(restriction, f"{{{XSD}}}{facet}", value=value)
    return element
