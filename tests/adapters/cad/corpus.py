"""What is fuzzed of the message switch: blocks, and what an answer or an event makes of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from adapters.cad import translate
from adapters.cad.holdings import Host
from adapters.cad.records import Block, Control, Kind
from adapters.cad.upstream import refusal
from adapters.cad.wire import END, Unreadable, WireError, decode, encode
from adapters.kit.latin import Transcript
from adapters.kit.population import Population
from tests.fuzz.declaring import Decoder
from tests.fuzz.sealing import sealed


@cache
def blocks() -> Sequence[bytes]:
    """The host's logs: whole as replies have them, and line by line as events do."""
    return tuple(_blocks())


def _blocks() -> Iterator[bytes]:
    host = Host(Population(2026), lambda incident, line: None)
    for number, log in enumerate(list(host.logs.values())[:20]):
        yield encode(Block(Kind.REPLY, number, Control(), (log.incident,), tuple(log.lines)))
        yield from (encode(Block(Kind.EVENT, number, Control(), (log.incident,), (line,))) for line in log.lines[:3])
    yield encode(Block(Kind.REPLY, 7, Control(), units=tuple(host.on_duty.values())[:30]))


def seal(data: bytes) -> bytes:
    """With the count and the check that the rows have."""
    return data + b"\r\nNNNN %03d %04X\r\n" % (min(data.count(b"\r\n"), 999), sum(data) % 65_536)


def numbered(data: bytes) -> bytes:
    """Sealed, with rows that are numbered as they come."""
    head, *rows = data.split(b"\r\n")
    return seal(b"\r\n".join((head, *(re.sub(rb"^[0-9]{3}(?= )", b"%03d" % (place % 1000), row) for place, row in enumerate(rows, 1)))))


def translated(block: Block) -> object:
    """Everything that a reply or an event makes."""
    made: list[Any] = [translate.provenance(block), translate.confirmed(block, Transcript()), refusal(block.control)]
    made += [translate.incident(block)] if block.incidents else []
    made += [*map(translate.headline, block.incidents), *map(translate.resource, block.units), translate.event(block)]
    return made


BLOCK = Decoder(
    name="block",
    decode=decode,
    refuses=(WireError, Unreadable),
    seeds=blocks,
    encode=encode,
    translate=translated,
    faults=False,
    also=(Unreadable,),
)
ROWS = replace(BLOCK, name="rows")
DECODERS = (BLOCK, sealed(BLOCK, seal, lambda data: END.sub(b"", data)), sealed(ROWS, numbered, lambda data: END.sub(b"", data)))
