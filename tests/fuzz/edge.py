"""Fuzzing of the edge: malformed HTTP/2, gRPC frames, protobufs and JSON against the real Envoy, from a client that would be let in.

A seed gives the same attempts again. What counts as a finding: Envoy ends, a neighbour's call is not answered, an answer never comes to an
end, or an answer holds a trace of anybody's code.
"""

import asyncio
import random
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from edge_rig import OTHER, EdgeRig, running_edge
from http2_frames import PREFACE, Http2, connected, data, framed, request
from hyperframe.frame import Frame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame

from tests.fuzz.mutating import mutated

PATIENCE: Final = 5.0
BETWEEN_NEIGHBOURS: Final = 20
"""Attempts after which the neighbour calls."""
TRACES: Final = (b"Traceback", b'File "', b"/source/", b"absl::", b"0x00007f")
LONGEST: Final = 1 << 16


@dataclass
class Tried:
    """What came of a run."""

    attempts: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


async def _frames(dice: random.Random, rig: EdgeRig) -> bytes:
    """Good frames in a bad order, with bad lengths, bits and streams."""
    async with connected(rig.port, _context(rig, "h2"), settings={dice.randrange(10): dice.randrange(1 << 31)}) as client:
        opened = client.headers(request(rig.operation.path, *rig.token()), end=False)
        frames: list[Frame] = [
            opened,
            data(opened.stream_id, framed(dice.randbytes(dice.randrange(200))), end=dice.random() < 0.5),
            SettingsFrame(0, settings={SettingsFrame.HEADER_TABLE_SIZE: dice.randrange(1 << 20)}),
            PingFrame(0, opaque_data=dice.randbytes(8)),
            RstStreamFrame(opened.stream_id, error_code=dice.randrange(16)),
            WindowUpdateFrame(opened.stream_id, window_increment=dice.randrange(1, 1 << 31)),
        ]
        chosen = [one.serialize() for one in dice.choices(frames, k=dice.randrange(1, 12))]
        await client.send(b"".join(_bent(dice, one) for one in chosen))
        return await _said(client)


async def _bytes(dice: random.Random, rig: EdgeRig) -> bytes:
    """A connection's bytes, changed anywhere."""
    good = PREFACE + SettingsFrame(0).serialize()
    async with connected(rig.port, _context(rig, "h2")) as client:
        good += client.headers(request(rig.operation.path, *rig.token()), end=True).serialize()
        await client.send(mutated(dice, (good,))[:LONGEST])
        return await _said(client)


async def _header_block(dice: random.Random, rig: EdgeRig) -> bytes:
    """A block of header fields that HPACK can't mean, or that means what no call does."""
    async with connected(rig.port, _context(rig, "h2")) as client:
        fields = list(request(rig.operation.path, *rig.token()))
        for _ in range(dice.randrange(1, 4)):
            name, value = dice.choice(fields)
            bent = mutated(dice, (value.encode() if isinstance(value, str) else value,))[:500]
            fields.insert(dice.randrange(len(fields) + 1), (name, bent))
        opened = client.headers(fields)
        if dice.random() < 0.3:
            opened.data = _bent(dice, opened.data)
        await client.send(opened)
        return await _said(client)


async def _message(dice: random.Random, rig: EdgeRig) -> bytes:
    """A gRPC frame with a wrong length, a wrong flag, or no message in it."""
    async with connected(rig.port, _context(rig, "h2")) as client:
        opened = client.headers(request(rig.operation.path, *rig.token()), end=False)
        content = framed(dice.randbytes(dice.randrange(500)), compressed=dice.random() < 0.2)
        await client.send(opened, data(opened.stream_id, mutated(dice, (content,))[:16_000], end=True))
        return await _said(client)


async def _json(dice: random.Random, rig: EdgeRig) -> bytes:
    """A request of HTTP/1.1 whose head or document is damaged."""
    document = mutated(dice, (b'{"access": {"purpose": "PURPOSE_AUDIT", "justification": "x"}}', b"[]", b'{"a": {"b": [1, null]}}'))
    head = (
        f"POST {rig.operation.path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: {rig.token()[0][1]}\r\n"
    )
    head += f"content-length: {len(document)}\r\nconnection: close\r\n\r\n"
    sent = head.encode() + document if dice.random() < 0.7 else mutated(dice, (head.encode() + document,))
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.json_port, ssl=_context(rig, "http/1.1"), server_hostname="localhost")
    answer = b""
    with suppress(OSError):
        writer.write(sent[:LONGEST])
        await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                answer = await reader.read(LONGEST)
    writer.transport.abort()
    return answer


KINDS: Final = {"frames": _frames, "bytes": _bytes, "header_block": _header_block, "message": _message, "json": _json}


@cache
def _shown(store: Path, protocol: str) -> list[ssl.SSLContext]:
    return []


def _context(rig: EdgeRig, protocol: str) -> ssl.SSLContext:
    """The same for all attempts on an edge: to load certificates takes longer than an attempt."""
    kept = _shown(rig.store.directory, protocol)
    if not kept:
        kept.append(rig.tls(protocol))
    return kept[0]


def _bent(dice: random.Random, one: bytes) -> bytes:
    """The bytes with one of them changed, or as they are."""
    if not one or dice.random() < 0.5:
        return one
    place = dice.randrange(len(one))
    return one[:place] + bytes([one[place] ^ (1 << dice.randrange(8))]) + one[place + 1 :]


async def _said(client: Http2) -> bytes:
    """What came back in a moment; nothing need come, since a damaged request may be one that is not over."""
    got = b""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(0.05):
            while part := await client.reader.read(LONGEST):
                got += part
    return got


async def fuzz(seconds: float, seed: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Tried:
    """Tries for so long on an edge of its own."""
    tried, clock = Tried(dict.fromkeys(kinds, 0)), asyncio.get_running_loop().time
    async with running_edge() as rig:
        channel, over, place = rig.channel(OTHER), clock() + seconds, 0
        while clock() < over and not tried.findings:
            kind = kinds[place % len(kinds)]
            await _once(kind, random.Random(f"{seed} {kind} {place}"), rig, tried, f"seed {seed}, {kind}, attempt {place}")
            if place % BETWEEN_NEIGHBOURS == 0 and (ended := await rig.status(channel, name=OTHER, within=PATIENCE)) != "OK":
                tried.findings.append(f"seed {seed}, attempt {place}: the neighbour's call ended with {ended}")
            place += 1
        if await rig.status(channel, name=OTHER, within=PATIENCE) != "OK":
            tried.findings.append(f"seed {seed}: the neighbour is not served at the end")
    return tried


async def _once(kind: str, dice: random.Random, rig: EdgeRig, tried: Tried, name: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            said = await KINDS[kind](dice, rig)
    except TimeoutError:
        tried.findings.append(f"{name}: it never came to an end")
        return
    except OSError:
        said = b""
    tried.attempts[kind] += 1
    tried.findings += [f"{name}: the answer holds {trace!r}" for trace in TRACES if trace in said]
    if rig.envoy.process.poll() is not None:
        tried.findings.append(f"{name}: Envoy ended with {rig.envoy.process.returncode}: {rig.envoy.log()[-500:]}")
