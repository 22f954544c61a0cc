"""What is fuzzed of NSPIS Custody: its exports, whole or not, and what is published of them."""

import re
from collections.abc import Iterable

from lxml import etree

from adapters.custody import translate, wire
from adapters.custody.detentions import amended, versions
from adapters.kit.population import Population
from adapters.kit.soap import SoapError, parse_xml
from tests.fuzz.declaring import Decoder
from tests.fuzz.sealing import sealed, trailer, without_trailer


def exports() -> Iterable[bytes]:
    """Every version of some records."""
    population = Population(2026)
    for number in range(1, 13):
        records = versions(population, number)
        yield from map(wire.encode, (*records, amended(records[-1])))


def _elements(data: bytes) -> int:
    """As many as the record has, or a guess where it is none."""
    try:
        first = next(iter(parse_xml(data + b"</CustodyExport>")), None)
        return 0 if first is None else sum(1 for one in first.iter() if isinstance(one, etree._Element))
    except SoapError:
        return len(re.findall(rb"<[A-Z]", data)) - 1


RECORD = Decoder(
    name="export",
    decode=wire.decode,
    refuses=(wire.Incomplete, wire.Damaged),
    seeds=exports,
    encode=wire.encode,
    translate=translate.request,
    faults=False,
)
DECODERS = (
    RECORD,
    sealed(RECORD, trailer("CustodyExport", "Elements", _elements), without_trailer),
    Decoder(name="number", decode=wire.number_of, refuses=(), seeds=exports),
)
